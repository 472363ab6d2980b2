//! Where a plan was made.

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Vars;

/// The commit and the pipeline run that a plan was made from, where a pipeline tells them. No part
/// of what a plan means. Untrusted text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Origin {
    /// The commit: on a pull or merge request its head, not the merge that the forge made up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// The page of the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_url: Option<String>,
}

impl Origin {
    /// As the variables of GitHub Actions and GitLab CI tell, and the event that GitHub keeps in a
    /// file; none where they tell nothing.
    pub fn of(vars: &Vars, event: Option<&Value>) -> Option<Self> {
        let get = |name: &str| vars.get(name).map(str::to_owned);
        // What is checked out for a pull request is a merge that nobody made.
        let head = event.and_then(|event| {
            let heads = [
                &event["pull_request"]["head"]["sha"],
                &event["workflow_run"]["head_sha"],
                &event["merge_group"]["head_sha"],
            ];
            heads.into_iter().find_map(Value::as_str).map(str::to_owned)
        });
        // For a request that no event tells of, `GITHUB_SHA` is that merge, or the base branch's.
        let of_request = get("GITHUB_REF").is_some_and(|name| name.starts_with("refs/pull/"))
            || get("GITHUB_EVENT_NAME")
                .is_some_and(|name| name.starts_with("pull_request") || name == "issue_comment");
        let commit = get("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA")
            .or_else(|| get("CI_COMMIT_SHA"))
            .or(head)
            .or_else(|| get("GITHUB_SHA").filter(|_| !of_request));
        let github = || {
            let run = format!(
                "{}/{}/actions/runs/{}",
                vars.get("GITHUB_SERVER_URL")?,
                vars.get("GITHUB_REPOSITORY")?,
                vars.get("GITHUB_RUN_ID")?
            );
            Some(match vars.get("GITHUB_RUN_ATTEMPT") {
                Some(attempt) if attempt != "1" => format!("{run}/attempts/{attempt}"),
                _ => run,
            })
        };
        let run_url = get("CI_PIPELINE_URL").or_else(github);
        (commit.is_some() || run_url.is_some()).then_some(Self { commit, run_url })
    }
}

/// The address of the repository that this run is of; of its forge alone where no more is told; where its variables
/// tell one.
pub fn repository_of(vars: &Vars) -> Option<String> {
    if let Some(server) = vars.get("GITHUB_SERVER_URL") {
        let name = vars.get("GITHUB_REPOSITORY");
        return Some(name.map_or_else(|| server.to_owned(), |name| format!("{server}/{name}")));
    }
    let pipeline = vars.get("CI_PIPELINE_URL");
    let project = pipeline.and_then(|url| Some(url.split_once("/-/")?.0));
    let told = project.or_else(|| vars.get("CI_SERVER_URL")).or(pipeline);
    told.map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn origin(vars: &[(&str, &str)], event: &Value) -> Origin {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Origin::of(&vars.iter().map(owned).collect(), Some(event)).unwrap_or_default()
    }

    #[test]
    fn a_plan_is_of_the_head_and_not_of_the_merge_that_the_forge_made_up() {
        let github = [
            ("GITHUB_SHA", "merge"),
            ("GITHUB_SERVER_URL", "https://github.com"),
            ("GITHUB_REPOSITORY", "o/r"),
            ("GITHUB_RUN_ID", "7"),
            ("GITHUB_RUN_ATTEMPT", "2"),
        ];
        let pull = json!({"pull_request": {"head": {"sha": "head"}}});
        let found = origin(&github, &pull);
        assert_eq!(found.commit.as_deref(), Some("head"));
        let run = "https://github.com/o/r/actions/runs/7/attempts/2";
        assert_eq!(found.run_url.as_deref(), Some(run));
        let pushed = origin(&github, &json!({}));
        assert_eq!(pushed.commit.as_deref(), Some("merge"));
        for more in [
            ("GITHUB_EVENT_NAME", "pull_request"),
            ("GITHUB_EVENT_NAME", "issue_comment"),
            ("GITHUB_REF", "refs/pull/5/merge"),
        ] {
            let found = origin(&[&github[..], &[more]].concat(), &json!({}));
            assert_eq!(found.commit, None, "{more:?}");
            assert!(found.run_url.is_some());
        }
        let queue = json!({"merge_group": {"head_sha": "queued"}});
        assert_eq!(origin(&github, &queue).commit.as_deref(), Some("queued"));
        let gitlab = [
            ("CI_COMMIT_SHA", "merged"),
            ("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA", "head"),
            ("CI_PIPELINE_URL", "https://gitlab.com/g/p/-/pipelines/7"),
        ];
        assert_eq!(origin(&gitlab, &json!({})).commit.as_deref(), Some("head"));
        assert_eq!(Origin::of(&Vars::default(), None), None);
    }
}

//! Where a plan was made.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Vars;

/// The commit and the pipeline run that a plan was made from, where a pipeline tells them. No part
/// of what a plan means. Untrusted text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Origin {
    /// The commit: on a pull or merge request its head, not the merge that the forge made up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// The page of the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_url: Option<String>,
}

impl Origin {
    /// As the variables of GitHub Actions and GitLab CI tell; none where they tell nothing.
    pub fn of(vars: &Vars) -> Option<Self> {
        let get = |name: &str| vars.get(name).map(str::to_owned);
        let commit = get("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA")
            .or_else(|| get("CI_COMMIT_SHA"))
            .or_else(|| get("GITHUB_SHA"));
        let github = || {
            Some(format!(
                "{}/{}/actions/runs/{}",
                vars.get("GITHUB_SERVER_URL")?,
                vars.get("GITHUB_REPOSITORY")?,
                vars.get("GITHUB_RUN_ID")?
            ))
        };
        let run_url = get("CI_PIPELINE_URL").or_else(github);
        (commit.is_some() || run_url.is_some()).then_some(Self { commit, run_url })
    }
}

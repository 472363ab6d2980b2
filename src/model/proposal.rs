//! The pull or merge request that a pipeline runs for, as its variables and the event that GitHub keeps
//! in a file tell of it. Untrusted text.

use serde_json::Value;

use super::Vars;

/// What a pipeline says that its commit is measured against.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BaseName {
    /// This commit.
    Commit(String),
    /// The head of this branch; this commit where it cannot be had.
    Branch(String, Option<String>),
    /// Requests into different branches, of which it is not told for which one this runs.
    Unclear,
    /// Nothing.
    Nothing,
}

impl BaseName {
    /// The base of a request, or what the branch was before a push, which may be several commits ago.
    pub fn of(vars: &Vars, event: Option<&Value>) -> Self {
        let event = event.unwrap_or(&Value::Null);
        // A branch that is new has a name of zeros for what was before.
        let is_some = |name: &&str| name.bytes().any(|b| b != b'0');
        let told = [
            event["pull_request"]["base"]["sha"].as_str(),
            event["merge_group"]["base_sha"].as_str(),
            event["before"].as_str(),
            vars.get("CI_MERGE_REQUEST_TARGET_BRANCH_SHA"),
        ];
        if let Some(commit) = told.into_iter().flatten().find(is_some) {
            return Self::Commit(commit.to_owned());
        }
        // Where the request left its target may be long ago: what binds is what the target says now.
        let left = vars.get("CI_MERGE_REQUEST_DIFF_BASE_SHA").filter(is_some);
        let left = left.map(str::to_owned);
        if let Some(branch) = target_branch(vars) {
            return Self::Branch(branch.to_owned(), left);
        }
        match branches_of_event(event).as_slice() {
            [] => {}
            [branch] => return Self::Branch((*branch).to_owned(), left),
            _ => return Self::Unclear,
        }
        let before = vars.get("CI_COMMIT_BEFORE_SHA").filter(is_some);
        let before = left.or_else(|| before.map(str::to_owned));
        before.map_or(Self::Nothing, Self::Commit)
    }
}

/// The branches that requests go into, of which the event tells as of something that was commented on
/// or that another run was for. Where it names no branch, it is taken for the default one.
fn branches_of_event(event: &Value) -> Vec<&str> {
    let run = &event["workflow_run"];
    let requests = run["pull_requests"].as_array();
    let requests = requests.map(Vec::as_slice).unwrap_or_default();
    let is_request = event["issue"]["pull_request"].is_object()
        || !requests.is_empty()
        || run["event"]
            .as_str()
            .is_some_and(|event| event.starts_with("pull_request"));
    if !is_request {
        return Vec::new();
    }
    let default = event["repository"]["default_branch"].as_str();
    let named = requests
        .iter()
        .map(|request| request["base"]["ref"].as_str());
    let mut found: Vec<_> = named.map(|named| named.or(default)).collect();
    if found.is_empty() {
        found.push(default);
    }
    found.sort_unstable();
    found.dedup();
    found.into_iter().flatten().collect()
}

/// The branch that the request goes into, where the pipeline's variables name it.
pub fn target_branch(vars: &Vars) -> Option<&str> {
    let names = ["CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "GITHUB_BASE_REF"];
    let told = names.into_iter().find_map(|name| vars.get(name));
    told.filter(|name| !name.is_empty())
}

/// Whether a pipeline runs for a request.
pub fn is_request(vars: &Vars, event: Option<&Value>) -> bool {
    let of_event = |event: &Value| {
        event["pull_request"].is_object()
            || event["merge_group"].is_object()
            || !branches_of_event(event).is_empty()
    };
    event.is_some_and(of_event)
        || vars.get("CI_MERGE_REQUEST_IID").is_some()
        || target_branch(vars).is_some()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_event_names_the_commit_and_else_the_branch_binds_as_it_is_now() {
        let commit = |name: &str| BaseName::Commit(name.to_owned());
        let pull = json!({"pull_request": {"base": {"sha": "b1"}}});
        let github = Vars::of(&[("GITHUB_BASE_REF", "main")]);
        assert_eq!(BaseName::of(&github, Some(&pull)), commit("b1"));
        assert_eq!(
            BaseName::of(&github, None),
            BaseName::Branch("main".to_owned(), None)
        );
        let gitlab = [
            ("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "main"),
            ("CI_MERGE_REQUEST_DIFF_BASE_SHA", "b2"),
        ];
        let left = Some("b2".to_owned());
        let now = BaseName::Branch("main".to_owned(), left);
        assert_eq!(BaseName::of(&Vars::of(&gitlab), None), now);
        let merged = [("CI_MERGE_REQUEST_TARGET_BRANCH_SHA", "b3"), gitlab[0]];
        assert_eq!(BaseName::of(&Vars::of(&merged), None), commit("b3"));
    }

    #[test]
    fn a_comment_and_a_run_after_a_run_are_of_a_request_too() {
        let main = || BaseName::Branch("main".to_owned(), None);
        let commented = json!({
            "issue": {"pull_request": {"url": "u"}},
            "repository": {"default_branch": "main"},
        });
        let issue = json!({"issue": {"number": 5}, "repository": {"default_branch": "main"}});
        let after = json!({"workflow_run": {"pull_requests": [{"base": {"ref": "main"}}]}});
        let of_a_fork = json!({
            "workflow_run": {"event": "pull_request", "pull_requests": []},
            "repository": {"default_branch": "main"},
        });
        let none = Vars::default();
        for event in [&commented, &after, &of_a_fork] {
            assert!(is_request(&none, Some(event)), "{event}");
            assert_eq!(BaseName::of(&none, Some(event)), main(), "{event}");
        }
        let two = [
            json!({"base": {"ref": "loose"}}),
            json!({"base": {"ref": "main"}}),
        ];
        let two = json!({"workflow_run": {"pull_requests": two}});
        assert!(is_request(&none, Some(&two)));
        assert_eq!(BaseName::of(&none, Some(&two)), BaseName::Unclear);
        assert!(!is_request(&none, Some(&issue)));
        assert_eq!(BaseName::of(&none, Some(&issue)), BaseName::Nothing);
    }

    #[test]
    fn a_new_branch_has_nothing_before_it() {
        let zeros = "0".repeat(40);
        let pushed = json!({"before": zeros});
        assert_eq!(
            BaseName::of(&Vars::of(&[]), Some(&pushed)),
            BaseName::Nothing
        );
        let before = Vars::of(&[("CI_COMMIT_BEFORE_SHA", zeros.as_str())]);
        assert_eq!(BaseName::of(&before, None), BaseName::Nothing);
        assert!(!is_request(&before, Some(&pushed)));
        assert!(!is_request(&Vars::of(&[("GITHUB_BASE_REF", "")]), None));
        assert!(is_request(&Vars::of(&[("GITHUB_BASE_REF", "main")]), None));
    }
}

//! The pull or merge request that a pipeline runs for, as its variables and the event that GitHub keeps
//! in a file tell of it. Untrusted text.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Vars;

/// One of the commits that a pipeline says its own is measured against.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BaseName {
    /// This commit.
    Commit(String),
    /// The head of this branch; this commit where it cannot be had.
    Branch(String, Option<String>),
    /// Where the commit that is checked out merges this one, what it was merged onto.
    MergedOnto(String),
    /// Where what is checked out left what its branch was before it was pushed with force: nobody has to
    /// have seen that.
    Parted {
        /// What the branch was.
        before: String,
        /// Whether the forge says that it was forced.
        forced: bool,
    },
    /// The head of the branch that was pushed, where this run is of an older commit of it.
    Now(String),
    /// Where this line of history left the default branch; on it, the commit before.
    Unnamed,
    /// From this commit the app was last changed; what was refused since is still to be applied.
    Applied(String),
    /// The base of a request of which only the forge knows it.
    Asked,
    /// Requests into different branches, of which it is not told for which one this runs.
    Unclear,
}

impl BaseName {
    /// The base of a request, or what the branch was before a push, which may be several commits ago.
    /// All of them bind.
    pub fn of(vars: &Vars, event: Option<&Value>) -> Vec<Self> {
        let is_request = is_request(vars, event);
        let event = event.unwrap_or(&Value::Null);
        // A branch that is new has a name of zeros for what was before.
        let is_some = |name: &&str| name.bytes().any(|b| b != b'0');
        let told = [
            event["pull_request"]["base"]["sha"].as_str(),
            event["merge_group"]["base_sha"].as_str(),
            event["before"].as_str(),
            vars.get("CI_MERGE_REQUEST_TARGET_BRANCH_SHA"),
            vars.get("CI_EXTERNAL_PULL_REQUEST_TARGET_BRANCH_SHA"),
        ];
        let told = told.into_iter().flatten().find(is_some);
        // Where the request left its target may be long ago, and so may be the event: what binds is
        // what the target says now, too. In a queue what is ahead comes first.
        let branch = base_branch(vars, Some(event));
        let train = vars.get("CI_MERGE_REQUEST_EVENT_TYPE") == Some("merge_train");
        let queued = event["merge_group"].is_object() || train && told.is_some();
        let left = vars.get("CI_MERGE_REQUEST_DIFF_BASE_SHA").filter(is_some);
        let left = told.or(left).map(str::to_owned);
        let mut found: Vec<_> = told
            .map(|told| Self::Commit(told.to_owned()))
            .into_iter()
            .collect();
        if let Some(branch) = branch.filter(|_| !queued) {
            found.push(Self::Branch(branch.to_owned(), left.clone()));
        }
        let heads = [
            event["pull_request"]["head"]["sha"].as_str(),
            vars.get("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA"),
            vars.get("CI_EXTERNAL_PULL_REQUEST_SOURCE_BRANCH_SHA"),
        ];
        let head = heads.into_iter().flatten().find(is_some);
        found.extend(
            head.filter(|_| !queued)
                .map(|head| Self::MergedOnto(head.to_owned())),
        );
        if told.is_none() && branch.is_none() {
            if let Some(name) = of_comment_or_run(event) {
                return vec![name];
            }
            let before = vars.get("CI_COMMIT_BEFORE_SHA").filter(is_some);
            let before = left.or_else(|| before.map(str::to_owned));
            found = vec![before.map_or(Self::Unnamed, Self::Commit)];
        }
        if !is_request {
            if let Some(Self::Commit(before)) = found.first() {
                let (before, forced) = (before.clone(), event["forced"] == true);
                found.push(Self::Parted { before, forced });
            }
            found.extend(pushed_branch(vars, Some(event)).map(Self::Now));
        }
        found
    }
}

/// What an event tells that is of a comment on a request, or of another run that was for one. Of a
/// request from a fork, or of one that was commented on, it does not tell where that goes.
fn of_comment_or_run(event: &Value) -> Option<BaseName> {
    let requests = requests_of_run(event);
    let started_by = event["workflow_run"]["event"].as_str();
    let is_request = event["issue"]["pull_request"].is_object()
        || !requests.is_empty()
        || started_by.is_some_and(|event| event.starts_with("pull_request"));
    if !is_request {
        return None;
    }
    let named = requests.iter();
    let named = named.map(|request| request["base"]["ref"].as_str());
    let named: Option<BTreeSet<_>> = named.collect();
    let named: Vec<_> = named.unwrap_or_default().into_iter().collect();
    Some(match named.as_slice() {
        [] => BaseName::Asked,
        [branch] => BaseName::Branch((*branch).to_owned(), None),
        _ => BaseName::Unclear,
    })
}

/// The requests that an event names which is of another run or of checks. GitHub lists those of the same
/// commit in other repositories, too.
pub fn requests_of_run(event: &Value) -> Vec<&Value> {
    let here = &event["repository"]["id"];
    let is_here = |request: &&Value| {
        let there = &request["base"]["repo"]["id"];
        here.is_null() || there.is_null() || here == there
    };
    let lists = ["workflow_run", "check_suite", "check_run"].into_iter();
    let lists = lists.filter_map(|of| event[of]["pull_requests"].as_array());
    lists.flatten().filter(is_here).collect()
}

/// The branch that the request goes into, where the pipeline's variables name it.
pub fn target_branch(vars: &Vars) -> Option<&str> {
    let names = [
        "CI_MERGE_REQUEST_TARGET_BRANCH_NAME",
        "CI_EXTERNAL_PULL_REQUEST_TARGET_BRANCH_NAME",
        "GITHUB_BASE_REF",
    ];
    let told = names.into_iter().find_map(|name| vars.get(name));
    told.filter(|name| !name.is_empty())
}

/// The branch that the request goes into, by the event or the variables.
pub fn base_branch<'a>(vars: &'a Vars, event: Option<&'a Value>) -> Option<&'a str> {
    let told = event.and_then(|event| event["pull_request"]["base"]["ref"].as_str());
    told.or_else(|| target_branch(vars))
}

/// The login of who pushed what a pipeline for a request runs for, as the forge tells. Anybody may write
/// another name into a commit. Who starts a job by hand pushes nothing.
pub fn pusher<'a>(vars: &'a Vars, event: Option<&'a Value>) -> Option<&'a str> {
    let gitlab = vars.get("CI_PIPELINE_SOURCE") == Some("merge_request_event")
        && vars.get("CI_JOB_MANUAL") != Some("true");
    if gitlab {
        return vars.get("GITLAB_USER_LOGIN");
    }
    let event = event.filter(|event| {
        let action = event["action"].as_str();
        event["pull_request"].is_object()
            && matches!(action, Some("opened" | "reopened" | "synchronize"))
    })?;
    let started = || vars.get("GITHUB_TRIGGERING_ACTOR");
    event["sender"]["login"].as_str().or_else(started)
}

/// The branch that a pipeline runs for, where it runs for no request.
pub fn pushed_branch(vars: &Vars, event: Option<&Value>) -> Option<String> {
    if is_request(vars, event) {
        return None;
    }
    let of_ref = |name: &str| name.strip_prefix("refs/heads/").map(str::to_owned);
    let github = || of_ref(vars.get("GITHUB_REF")?);
    let told = || of_ref(event?["ref"].as_str()?);
    let gitlab = vars.get("CI_COMMIT_BRANCH").map(str::to_owned);
    gitlab.or_else(github).or_else(told)
}

/// Whether a pipeline runs for a request.
pub fn is_request(vars: &Vars, event: Option<&Value>) -> bool {
    let of_event = |event: &Value| {
        event["pull_request"].is_object()
            || event["merge_group"].is_object()
            || of_comment_or_run(event).is_some()
    };
    event.is_some_and(of_event)
        || vars.get("CI_MERGE_REQUEST_IID").is_some()
        || vars.get("CI_EXTERNAL_PULL_REQUEST_IID").is_some()
        || target_branch(vars).is_some()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn commit(name: &str) -> BaseName {
        BaseName::Commit(name.to_owned())
    }

    fn branch(or: Option<&str>) -> BaseName {
        BaseName::Branch("main".to_owned(), or.map(str::to_owned))
    }

    #[test]
    fn what_the_event_names_and_what_the_branch_is_now_bind_both() {
        let old = json!({"pull_request": {"base": {"sha": "b1"}}});
        let pull = json!({"pull_request": {
            "base": {"sha": "b1", "ref": "main"},
            "head": {"sha": "h1"},
        }});
        let github = Vars::of(&[("GITHUB_BASE_REF", "main")]);
        let both = [commit("b1"), branch(Some("b1"))];
        assert_eq!(BaseName::of(&github, Some(&old)), both);
        let merged = BaseName::MergedOnto("h1".to_owned());
        let all = [commit("b1"), branch(Some("b1")), merged];
        assert_eq!(BaseName::of(&Vars::default(), Some(&pull)), all);
        assert_eq!(BaseName::of(&github, None), [branch(None)]);
        let gitlab = [
            ("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "main"),
            ("CI_MERGE_REQUEST_DIFF_BASE_SHA", "b2"),
        ];
        assert_eq!(BaseName::of(&Vars::of(&gitlab), None), [branch(Some("b2"))]);
        let external = [
            ("CI_EXTERNAL_PULL_REQUEST_IID", "5"),
            ("CI_EXTERNAL_PULL_REQUEST_TARGET_BRANCH_NAME", "main"),
            ("CI_EXTERNAL_PULL_REQUEST_TARGET_BRANCH_SHA", "b4"),
        ];
        assert!(is_request(&Vars::of(&external[..1]), None));
        let both = [commit("b4"), branch(Some("b4"))];
        assert_eq!(BaseName::of(&Vars::of(&external), None), both);
        let merged = [("CI_MERGE_REQUEST_TARGET_BRANCH_SHA", "b3"), gitlab[0]];
        let both = [commit("b3"), branch(Some("b3"))];
        assert_eq!(BaseName::of(&Vars::of(&merged), None), both);
    }

    #[test]
    fn in_a_queue_what_is_ahead_binds_alone() {
        let queue = json!({"merge_group": {"base_sha": "b1"}});
        let none = Vars::of(&[("GITHUB_BASE_REF", "main")]);
        assert_eq!(BaseName::of(&none, Some(&queue)), [commit("b1")]);
        let train = Vars::of(&[
            ("CI_MERGE_REQUEST_EVENT_TYPE", "merge_train"),
            ("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "main"),
            ("CI_MERGE_REQUEST_TARGET_BRANCH_SHA", "b3"),
            ("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA", "h3"),
        ]);
        assert_eq!(BaseName::of(&train, None), [commit("b3")]);
    }

    #[test]
    fn a_comment_and_a_run_after_a_run_are_of_a_request_too() {
        let commented = json!({
            "issue": {"pull_request": {"url": "u"}},
            "repository": {"default_branch": "main"},
        });
        let issue = json!({"issue": {"number": 5}, "repository": {"default_branch": "main"}});
        let after = json!({"workflow_run": {"pull_requests": [{"base": {"ref": "main"}}]}});
        let of_a_fork = json!({"workflow_run": {"event": "pull_request", "pull_requests": []}});
        let none = Vars::default();
        // Which branch it is that the last two go into is not theirs to guess.
        for (event, named) in [
            (&after, branch(None)),
            (&commented, BaseName::Asked),
            (&of_a_fork, BaseName::Asked),
        ] {
            assert!(is_request(&none, Some(event)), "{event}");
            assert_eq!(BaseName::of(&none, Some(event)), [named], "{event}");
        }
        for kind in ["workflow_run", "check_suite", "check_run"] {
            let request =
                |repo: u64, branch: &str| json!({"base": {"ref": branch, "repo": {"id": repo}}});
            let listed = [request(2, "loose"), request(1, "main")];
            let checked = json!({"repository": {"id": 1}, kind: {"pull_requests": listed}});
            assert_eq!(BaseName::of(&none, Some(&checked)), [branch(None)]);
        }
        let two = [
            json!({"base": {"ref": "loose"}}),
            json!({"base": {"ref": "main"}}),
        ];
        let two = json!({"workflow_run": {"pull_requests": two}});
        assert!(is_request(&none, Some(&two)));
        assert_eq!(BaseName::of(&none, Some(&two)), [BaseName::Unclear]);
        assert!(!is_request(&none, Some(&issue)));
        assert_eq!(BaseName::of(&none, Some(&issue)), [BaseName::Unnamed]);
    }

    #[test]
    fn after_a_push_what_the_branch_was_and_what_it_is_now_bind_both() {
        let now = || BaseName::Now("a/b".to_owned());
        let parted = |forced: bool| BaseName::Parted {
            before: "b1".to_owned(),
            forced,
        };
        let all = [commit("b1"), parted(false), now()];
        let pushed = json!({"before": "b1", "ref": "refs/heads/a/b"});
        assert_eq!(BaseName::of(&Vars::default(), Some(&pushed)), all);
        let gitlab = [("CI_COMMIT_BEFORE_SHA", "b1"), ("CI_COMMIT_BRANCH", "a/b")];
        assert_eq!(BaseName::of(&Vars::of(&gitlab), None), all);
        let by_hand = Vars::of(&[("GITHUB_REF", "refs/heads/a/b")]);
        let all = [BaseName::Unnamed, now()];
        assert_eq!(BaseName::of(&by_hand, None), all);
        let tag = json!({"before": "b1", "ref": "refs/tags/a", "forced": true});
        let both = [commit("b1"), parted(true)];
        assert_eq!(BaseName::of(&Vars::default(), Some(&tag)), both);
    }

    #[test]
    fn a_new_branch_has_nothing_before_it() {
        let unnamed = [BaseName::Unnamed];
        let zeros = "0".repeat(40);
        let pushed = json!({"before": zeros});
        assert_eq!(BaseName::of(&Vars::of(&[]), Some(&pushed)), unnamed);
        let before = Vars::of(&[("CI_COMMIT_BEFORE_SHA", zeros.as_str())]);
        assert_eq!(BaseName::of(&before, None), unnamed);
        assert!(!is_request(&before, Some(&pushed)));
        assert!(!is_request(&Vars::of(&[("GITHUB_BASE_REF", "")]), None));
        assert!(is_request(&Vars::of(&[("GITHUB_BASE_REF", "main")]), None));
    }
}

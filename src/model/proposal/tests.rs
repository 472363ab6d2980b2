use serde_json::json;

use super::*;

/// In short: a commit by its name, `branch:NAME` its head, `now:NAME` where the branch has gone on,
/// `onto:HEAD`, `parted:BEFORE`, `default(which; this run's own)`, `asked`.
fn short(name: &BaseName) -> String {
    match name {
        BaseName::Commit(commit) => commit.clone(),
        BaseName::Branch(branch, None) => format!("branch:{branch}"),
        BaseName::Branch(branch, Some(or)) => format!("branch:{branch}|{or}"),
        BaseName::MergedOnto(head) => format!("onto:{head}"),
        BaseName::Parted { before, forced } => {
            format!("parted:{before}{}", if *forced { "!" } else { "" })
        }
        BaseName::Now(branch) => format!("now:{branch}"),
        BaseName::Default(line) => {
            let default = line.default.as_deref().unwrap_or("?");
            let own = line.own.as_ref();
            let own = own.map_or("none", |(own, _)| own.as_str());
            format!("default({default}; {own})")
        }
        BaseName::Applied(commits) => format!("applied:{}", commits.join(",")),
        BaseName::Asked => "asked".to_owned(),
    }
}

/// Whether it is for a request, and what binds.
fn told(vars: &[(&str, &str)], event: &Value) -> (bool, String) {
    let vars = Vars::of(vars);
    let names = BaseName::of(&vars, Some(event));
    let names: Vec<_> = names.iter().map(short).collect();
    (is_request(&vars, Some(event)), names.join(" "))
}

const ZEROS: &str = "0000000000000000000000000000000000000000";
const ON_MAIN: (&str, &str) = ("GITHUB_REF", "refs/heads/main");
const MR: (&str, &str) = ("CI_MERGE_REQUEST_IID", "3");
const TARGET: (&str, &str) = ("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "main");
const LEFT: (&str, &str) = ("CI_MERGE_REQUEST_DIFF_BASE_SHA", "left");
const DEFAULT: (&str, &str) = ("CI_DEFAULT_BRANCH", "main");
const NOTHING_BEFORE: (&str, &str) = ("CI_COMMIT_BEFORE_SHA", ZEROS);

/// An event of the repository, whose default branch is main.
fn event(more: &Value) -> Value {
    let mut event = json!({"repository": {"id": 1, "default_branch": "main"}});
    for (name, value) in more.as_object().unwrap() {
        event[name] = value.clone();
    }
    event
}

/// The open request that anybody may make of main.
fn into(branch: &str) -> Value {
    json!({"number": 9, "base": {"ref": branch, "repo": {"id": 1}}})
}

#[test]
fn each_kind_of_run_on_github_is_held_to_these() {
    let pull = json!({"base": {"sha": "b1", "ref": "main"}, "head": {"sha": "h1"}});
    let run = |started_by: Option<&str>, listed: &[Value]| {
        json!({"workflow_run": {
            "event": started_by, "head_branch": "main", "pull_requests": listed,
        }})
    };
    let check = json!({"head_branch": "main", "pull_requests": [into("loose")]});
    let moved = |name: &str, before: &str| json!({"ref": name, "before": before});
    let loose = [into("loose")];
    let tag = ("GITHUB_REF", "refs/tags/v2");
    let release = ("GITHUB_REF", "refs/heads/release/2");
    let pulled = ("GITHUB_BASE_REF", "main");
    for (vars, told_of, request, expected) in [
        // Requests.
        (
            &[][..],
            json!({"pull_request": pull}),
            true,
            "b1 branch:main|b1 onto:h1",
        ),
        (
            &[pulled],
            json!({"pull_request": pull, "before": "x", "action": "synchronize"}),
            true,
            "b1 branch:main|b1 onto:h1",
        ),
        (&[pulled], json!({}), true, "branch:main"),
        (
            &[pulled],
            json!({"pull_request": {"base": {"sha": "b1"}}}),
            true,
            "b1 branch:main|b1",
        ),
        (
            &[],
            json!({"pull_request": {"number": 5}}),
            true,
            "default(main; none)",
        ),
        (
            &[ON_MAIN],
            json!({"merge_group": {"base_sha": "b1", "base_ref": "refs/heads/main"}}),
            true,
            "b1 branch:main|b1",
        ),
        (
            &[ON_MAIN],
            json!({"merge_group": {"base_sha": "b1"}}),
            true,
            "b1 default(main; none)",
        ),
        (
            &[ON_MAIN],
            json!({"merge_group": {}}),
            true,
            "default(main; none)",
        ),
        (
            &[ON_MAIN],
            json!({"issue": {"pull_request": {}}}),
            true,
            "asked",
        ),
        (
            &[ON_MAIN],
            run(Some("pull_request"), &[into("main")]),
            true,
            "branch:main",
        ),
        (
            &[ON_MAIN],
            run(Some("pull_request"), &[into("main"), into("loose")]),
            true,
            "branch:main branch:loose",
        ),
        (
            &[ON_MAIN],
            run(Some("pull_request_target"), &[]),
            true,
            "asked",
        ),
        // Pushes.
        (
            &[ON_MAIN],
            moved("refs/heads/main", "b1"),
            false,
            "b1 parted:b1 now:main",
        ),
        (
            &[ON_MAIN],
            json!({"ref": ON_MAIN.1, "before": "b1", "forced": true}),
            false,
            "b1 parted:b1! now:main",
        ),
        (
            &[ON_MAIN],
            moved("refs/heads/main", ZEROS),
            false,
            "default(main; main)",
        ),
        (
            &[release],
            moved("refs/heads/release/2", "b1"),
            false,
            "b1 parted:b1 now:release/2",
        ),
        (
            &[release],
            moved("refs/heads/release/2", ZEROS),
            false,
            "default(main; release/2) now:release/2",
        ),
        (
            &[tag],
            moved("refs/tags/v2", ZEROS),
            false,
            "default(main; none)",
        ),
        (
            &[tag],
            moved("refs/tags/v2", "b1"),
            false,
            "b1 parted:b1 default(main; none)",
        ),
        // What names no commit before.
        (
            &[ON_MAIN],
            json!({"schedule": "0 4 * * *"}),
            false,
            "default(main; main)",
        ),
        (
            &[ON_MAIN],
            json!({"inputs": null}),
            false,
            "default(main; main)",
        ),
        (
            &[release],
            json!({"inputs": null}),
            false,
            "default(main; release/2) now:release/2",
        ),
        (
            &[tag],
            json!({"action": "published", "release": {}}),
            false,
            "default(main; none)",
        ),
        (
            &[ON_MAIN],
            json!({"issue": {"number": 5}}),
            false,
            "default(main; main)",
        ),
        // Lists add, and decide nothing.
        (
            &[ON_MAIN],
            run(Some("push"), &[]),
            false,
            "default(main; main)",
        ),
        (
            &[ON_MAIN],
            run(Some("push"), &loose),
            false,
            "default(main; main)",
        ),
        (
            &[ON_MAIN],
            run(Some("schedule"), &loose),
            false,
            "default(main; main)",
        ),
        (
            &[ON_MAIN],
            run(None, &loose),
            false,
            "branch:loose default(main; main)",
        ),
        (
            &[ON_MAIN],
            json!({"check_suite": check}),
            false,
            "branch:loose default(main; main)",
        ),
        (
            &[ON_MAIN],
            json!({"check_run": {"check_suite": check, "pull_requests": loose}}),
            false,
            "branch:loose default(main; main)",
        ),
    ] {
        let event = event(&told_of);
        assert_eq!(
            told(vars, &event),
            (request, expected.to_owned()),
            "{vars:?} {event}"
        );
    }
}

#[test]
fn each_kind_of_pipeline_on_gitlab_is_held_to_these() {
    let head = ("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA", "h1");
    let onto = ("CI_MERGE_REQUEST_TARGET_BRANCH_SHA", "b1");
    let train = ("CI_MERGE_REQUEST_EVENT_TYPE", "merge_train");
    let external = [
        ("CI_EXTERNAL_PULL_REQUEST_IID", "5"),
        ("CI_EXTERNAL_PULL_REQUEST_TARGET_BRANCH_NAME", "main"),
        ("CI_EXTERNAL_PULL_REQUEST_TARGET_BRANCH_SHA", "b4"),
    ];
    let (on_main, on_release) = (
        ("CI_COMMIT_BRANCH", "main"),
        ("CI_COMMIT_BRANCH", "release/2"),
    );
    let before = ("CI_COMMIT_BEFORE_SHA", "b1");
    for (vars, request, expected) in [
        (
            &[MR, TARGET, LEFT, NOTHING_BEFORE][..],
            true,
            "branch:main|left",
        ),
        (
            &[MR, TARGET, LEFT, onto, head],
            true,
            "b1 branch:main|b1 onto:h1",
        ),
        (
            &[MR, TARGET, LEFT, onto, head, train],
            true,
            "b1 branch:main|b1",
        ),
        (
            &[MR, TARGET, LEFT, head, train],
            true,
            "branch:main|left onto:h1",
        ),
        (&[MR, LEFT], true, "left"),
        (&external, true, "b4 branch:main|b4"),
        (&external[..1], true, "default(main; none)"),
        (&[on_main, before], false, "b1 parted:b1 now:main"),
        (&[on_release, before], false, "b1 parted:b1 now:release/2"),
        (
            &[on_release, NOTHING_BEFORE],
            false,
            "default(main; release/2) now:release/2",
        ),
        (
            &[on_main, NOTHING_BEFORE, ("CI_PIPELINE_SOURCE", "schedule")],
            false,
            "default(main; main)",
        ),
        (
            &[on_main, NOTHING_BEFORE, ("CI_OPEN_MERGE_REQUESTS", "g/s!3")],
            false,
            "default(main; main)",
        ),
        (
            &[("CI_COMMIT_TAG", "v2"), NOTHING_BEFORE],
            false,
            "default(main; none)",
        ),
        (
            &[("CI_COMMIT_TAG", "v2"), before],
            false,
            "b1 parted:b1 default(main; none)",
        ),
    ] {
        let all = [vars, &[DEFAULT]].concat();
        assert_eq!(
            told(&all, &Value::Null),
            (request, expected.to_owned()),
            "{vars:?}"
        );
    }
    // Whatever started it, a run that is told nothing has the default branch, whichever that is.
    let nothing = (false, "default(?; none)".to_owned());
    assert_eq!(told(&[("GITHUB_BASE_REF", "")], &Value::Null), nothing);
}

#[test]
fn requests_of_other_repositories_are_none_of_this_one() {
    let there = json!({"number": 1, "base": {"ref": "loose", "repo": {"id": 2}}});
    for kind in ["workflow_run", "check_suite", "check_run"] {
        let listed = event(&json!({kind: {"pull_requests": [there, into("main")]}}));
        let (_, names) = told(&[ON_MAIN], &listed);
        assert_eq!(names, "branch:main default(main; main)");
        assert_eq!(requests_of_run(&listed), [&into("main")]);
    }
}

/// GitHub's answers: a pull request says both, the issue of one in an event of a comment only when.
#[test]
fn a_request_is_open_whatever_started_the_run() {
    let is_open = |event: &Value| is_for_open_request(&Vars::of(&[("CI", "true")]), Some(event));
    let at = "2026-11-02T10:00:00Z";
    for open in [
        json!({"action": "closed", "pull_request": {"merged": false, "merged_at": null}}),
        json!({"action": "created", "issue": {"state": "open", "pull_request": {"merged_at": null}}}),
        json!({"merge_group": {"base_sha": "b1"}}),
    ] {
        assert!(is_open(&open), "{open}");
    }
    for merged in [
        json!({}),
        json!({"action": "closed", "pull_request": {"merged": true}}),
        json!({"action": "labeled", "pull_request": {"merged": true, "merged_at": at}}),
        json!({"action": "submitted", "pull_request": {"merged_at": at}}),
        json!({"action": "created", "issue": {"state": "closed", "pull_request": {"merged_at": at}}}),
        json!({"workflow_run": {"event": "pull_request"}}),
    ] {
        assert!(!is_open(&merged), "{merged}");
    }
}

//! What started a run decides what binds: nothing that a requester can bring about takes a base away,
//! and nothing that teams do every day is refused for it.

use serde_json::{Value, json};

use super::loosening::git;
use crate::support::{Output, Platform, Project, reads};

const SIGNED: &str =
    "[approval]\nrequire = \"signature\"\nsigners = \"signers\"\nfrom_risk = \"danger\"\n";
const NO_MAIL: &str = "[policy]\ndenied_types = [\"gmail\"]\n";
const ZEROS: &str = "0000000000000000000000000000000000000000";

/// A repository whose main branch has these rules, and `loose` none; with a remote.
struct Shop {
    platform: Platform,
    project: Project,
    /// The commit that brought the rules.
    rules: String,
}

/// One run: its forge's name for where it is, more variables, and the event.
struct Run<'a> {
    what: &'static str,
    vars: &'a [(&'a str, &'a str)],
    event: Option<Value>,
}

impl Shop {
    fn new(rules: &str) -> Self {
        let platform = Platform::start();
        let project = Project::new().at(&platform).var("CI", "true");
        project.declare("slack", &["chat:write"]);
        project.write("base44/signers", "");
        git(&project, &["init", "-q", "-b", "main"]);
        let remote = project.path("../remote.git").display().to_string();
        git(&project, &["init", "-q", "--bare", "-b", "main", &remote]);
        git(&project, &["remote", "add", "origin", &remote]);
        let shop = Self {
            platform,
            project,
            rules: String::new(),
        };
        shop.commit("loose");
        shop.project.write("base44/connplan.toml", rules);
        let rules = shop.commit("main");
        Self { rules, ..shop }
    }

    fn commit(&self, branch: &str) -> String {
        git(&self.project, &["add", "-A"]);
        git(&self.project, &["commit", "-q", "--allow-empty", "-m", "."]);
        git(
            &self.project,
            &[
                "push",
                "-qf",
                "origin",
                &format!("HEAD:refs/heads/{branch}"),
            ],
        );
        git(&self.project, &["rev-parse", "HEAD"])
    }

    /// Two commits on a branch: the rules go, and the whole mailbox comes.
    fn loosened(&self, branch: &str) -> [String; 2] {
        self.project.write("base44/connplan.toml", "");
        let loose = self.commit(branch);
        self.project.declare("gmail", &["https://mail.google.com/"]);
        [loose, self.commit(branch)]
    }

    fn run(&self, run: &Run<'_>, args: &[&str]) -> Output {
        let mut output = self.run_plain(run, args);
        output.command = format!("{}: {}", run.what, output.command);
        output
    }

    fn run_plain(&self, run: &Run<'_>, args: &[&str]) -> Output {
        let head = git(&self.project, &["rev-parse", "HEAD"]);
        let Some(event) = &run.event else {
            let gitlab = [
                ("GITLAB_CI", "true"),
                ("CI_DEFAULT_BRANCH", "main"),
                ("CI_COMMIT_SHA", head.as_str()),
            ];
            return self
                .project
                .run_vars(&[&gitlab[..], run.vars].concat(), args);
        };
        let mut event = event.clone();
        event["repository"] = json!({"id": 1, "default_branch": "main"});
        self.project.write("../event.json", &event.to_string());
        let event = self.project.path("../event.json").display().to_string();
        let github = [
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_REPOSITORY", "octo/site"),
            ("GITHUB_EVENT_PATH", event.as_str()),
            ("GITHUB_SHA", head.as_str()),
        ];
        self.project
            .run_vars(&[&github[..], run.vars].concat(), args)
    }

    fn apply(&self, run: &Run<'_>) -> Output {
        self.run(run, &["apply", "--auto-approve"])
    }

    /// Each of these runs is refused like this.
    fn refuse(&self, runs: &[Run<'_>], code: i32, says: &str) {
        for run in runs {
            self.apply(run).expect(code).tells(says);
        }
        assert_eq!(self.platform.writes(), [] as [&str; 0]);
    }
}

fn github<'a>(what: &'static str, vars: &'a [(&'a str, &'a str)], event: Value) -> Run<'a> {
    Run {
        what,
        vars,
        event: Some(event),
    }
}

fn gitlab<'a>(what: &'static str, vars: &'a [(&'a str, &'a str)]) -> Run<'a> {
    Run {
        what,
        vars,
        event: None,
    }
}

/// Runs after a push of this branch, with the open request that anybody may make of it.
fn after_a_push(branch: &str, started_by: Option<&str>) -> Value {
    let request = json!({"number": 9, "base": {"ref": "loose", "repo": {"id": 1}}});
    json!({"action": "completed", "workflow_run": {
        "event": started_by, "head_branch": branch, "pull_requests": [request],
    }})
}

const ON_MAIN: [(&str, &str); 1] = [("GITHUB_REF", "refs/heads/main")];
const ON_RELEASE: [(&str, &str); 1] = [("GITHUB_REF", "refs/heads/release/2")];
const ON_TAG: [(&str, &str); 1] = [("GITHUB_REF", "refs/tags/v2")];

#[test]
#[ignore = "a second of CPU time, or more: run by .ci/run"]
fn a_request_that_anybody_may_open_takes_no_base_away() {
    let shop = Shop::new(SIGNED);
    shop.project.write("base44/connplan.toml", "");
    shop.project.declare("gmail", &["https://mail.google.com/"]);
    shop.commit("main");
    let check = after_a_push("main", None)["workflow_run"].clone();
    let runs = [
        github("after a push", &ON_MAIN, after_a_push("main", Some("push"))),
        github(
            "after a schedule",
            &ON_MAIN,
            after_a_push("main", Some("schedule")),
        ),
        github(
            "after what is not told",
            &ON_MAIN,
            after_a_push("main", None),
        ),
        github("a suite", &ON_MAIN, json!({"check_suite": check})),
        github(
            "a check",
            &ON_MAIN,
            json!({"check_run": {"pull_requests": check["pull_requests"]}}),
        ),
    ];
    shop.refuse(&runs, 3, "signature");
}

#[test]
#[ignore = "a second of CPU time, or more: run by .ci/run"]
fn a_branch_or_tag_that_a_push_makes_is_held_to_the_default_branch() {
    for (rules, code, says) in [(SIGNED, 3, "signature"), (NO_MAIL, 6, "the type is denied")] {
        let shop = Shop::new(rules);
        let [loose, _] = shop.loosened("release/2");
        let made = |name: &str| json!({"before": ZEROS, "created": true, "ref": name});
        let moved = json!({"before": loose, "ref": "refs/tags/v2"});
        let first = [
            ("CI_COMMIT_BRANCH", "release/2"),
            ("CI_COMMIT_BEFORE_SHA", ZEROS),
        ];
        let tag = [("CI_COMMIT_TAG", "v2"), ("CI_COMMIT_BEFORE_SHA", ZEROS)];
        let runs = [
            github(
                "a branch is made",
                &ON_RELEASE,
                made("refs/heads/release/2"),
            ),
            github("a tag is made", &ON_TAG, made("refs/tags/v2")),
            github("a tag is moved", &ON_TAG, moved),
            github(
                "a release",
                &ON_TAG,
                json!({"action": "published", "release": {}}),
            ),
            github("by hand, on a branch", &ON_RELEASE, json!({"inputs": null})),
            github(
                "after a push",
                &ON_MAIN,
                after_a_push("release/2", Some("push")),
            ),
            gitlab("a branch's first pipeline", &first),
            gitlab("a tag's", &tag),
        ];
        shop.refuse(&runs, code, says);
    }
}

#[test]
fn where_a_branch_left_the_default_one_binds_and_so_does_that_as_it_is_now() {
    let shop = Shop::new(NO_MAIL);
    // Rules that came after it left.
    let old = git(&shop.project, &["rev-parse", "HEAD~1"]);
    git(&shop.project, &["checkout", "-qf", &old]);
    shop.project.declare("gmail", &["https://mail.google.com/"]);
    shop.commit("release/2");
    let made = github(
        "made",
        &ON_RELEASE,
        json!({"before": ZEROS, "ref": ON_RELEASE[0].1}),
    );
    reads!(shop.apply(&made), @"
    exit 6: connplan made: apply --auto-approve
    --- stderr
    error: the policy in connplan.toml forbids this plan; nothing was written:
      denied_types: gmail: the type is denied (by the settings of the branch that this one left)
      help: change the connector files, or ask whoever is responsible for the policy to change it
      code: connplan::plan::policy
    ");
    // And those that went.
    git(&shop.project, &["checkout", "-qf", &shop.rules]);
    let [_, release] = shop.loosened("release/2");
    git(&shop.project, &["checkout", "-qf", &shop.rules]);
    shop.project.write("base44/connplan.toml", "# none\n");
    shop.commit("main");
    git(&shop.project, &["checkout", "-qf", &release]);
    shop.apply(&made).expect(6).tells("that this one left");
    // A clone that does not go back as far.
    let remote = shop.project.path("../remote.git").display().to_string();
    std::fs::remove_dir_all(shop.project.path(".git")).unwrap();
    git(&shop.project, &["init", "-q"]);
    git(
        &shop.project,
        &["remote", "add", "origin", &format!("file://{remote}")],
    );
    git(
        &shop.project,
        &["fetch", "-q", "--depth=1", "origin", "release/2"],
    );
    git(&shop.project, &["checkout", "-qf", "FETCH_HEAD"]);
    reads!(shop.apply(&made), @"
    exit 1: connplan made: apply --auto-approve
    --- stderr
    error: nothing names the commit before this one, so connplan needs the settings from where this history left main, and this clone is too shallow
      help: on GitHub give actions/checkout `with: { fetch-depth: 0 }`, on GitLab set `GIT_DEPTH: 0`
      code: connplan::approval::base
    ");
    assert_eq!(shop.platform.writes(), [] as [&str; 0]);
}

#[test]
#[ignore = "a second of CPU time, or more: run by .ci/run"]
fn what_teams_do_every_day_passes() {
    let shop = Shop::new(&format!("{SIGNED}{NO_MAIL}"));
    let before = shop.rules.clone();
    let main = shop.commit("main");
    let push = json!({"before": before, "ref": ON_MAIN[0].1});
    let made = |name: &str| json!({"before": ZEROS, "ref": name});
    let on_main = |before| {
        [
            ("CI_COMMIT_BRANCH", "main"),
            ("CI_COMMIT_BEFORE_SHA", before),
        ]
    };
    let (gitlab_push, gitlab_schedule) = (on_main(before.as_str()), on_main(ZEROS));
    let gitlab_tag = [("CI_COMMIT_TAG", "v2"), ("CI_COMMIT_BEFORE_SHA", ZEROS)];
    for run in [
        github("a push to main", &ON_MAIN, push),
        github("a tag on main", &ON_TAG, made(ON_TAG[0].1)),
        github("a schedule", &ON_MAIN, json!({"schedule": "0 4 * * *"})),
        github("by hand", &ON_MAIN, json!({"inputs": null})),
        github("after a push", &ON_MAIN, after_a_push("main", Some("push"))),
        gitlab("a push to main", &gitlab_push),
        gitlab("a schedule", &gitlab_schedule),
        gitlab("a tag on main", &gitlab_tag),
    ] {
        shop.apply(&run).expect(0);
    }
    shop.project
        .declare("slack", &["chat:write", "channels:read"]);
    let head = shop.commit("work");
    let pull = json!({"number": 5, "base": {"sha": main, "ref": "main"}, "head": {"sha": head}});
    let request = [
        ("CI_MERGE_REQUEST_IID", "3"),
        ("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "main"),
        ("CI_MERGE_REQUEST_DIFF_BASE_SHA", main.as_str()),
        ("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA", head.as_str()),
        ("CI_COMMIT_BEFORE_SHA", ZEROS),
    ];
    let merged = [
        &request[..],
        &[("CI_MERGE_REQUEST_TARGET_BRANCH_SHA", main.as_str())],
    ]
    .concat();
    let train = [
        &merged[..],
        &[("CI_MERGE_REQUEST_EVENT_TYPE", "merge_train")],
    ]
    .concat();
    let branch = [
        ("CI_COMMIT_BRANCH", "work"),
        ("CI_COMMIT_BEFORE_SHA", ZEROS),
    ];
    let on_work = [("GITHUB_REF", "refs/heads/work")];
    for run in [
        github(
            "a pull request",
            &[("GITHUB_BASE_REF", "main")],
            json!({"pull_request": pull}),
        ),
        github(
            "a queue",
            &ON_MAIN,
            json!({"merge_group": {"base_sha": main}}),
        ),
        github("a branch", &on_work, made("refs/heads/work")),
        gitlab("a merge request", &request),
        gitlab("a merged result", &merged),
        gitlab("a train", &train),
        gitlab("a branch", &branch),
    ] {
        shop.run(&run, &["plan"]).expect(0);
        shop.apply(&run).expect(0);
    }
}

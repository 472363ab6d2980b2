//! A week of work from three clones in three homes, without a receipt passed by hand.

use std::time::Duration;

use connplan::store::Fence;
use serde_json::Value;

use super::team::Team;
use crate::{
    git::repository::{git, wait},
    support::{Output, Platform, Project, reads, result},
};

fn digest_of(output: &Output) -> String {
    output.json()["digest"].as_str().unwrap().to_owned()
}

fn events(output: &Output) -> Vec<Value> {
    output.json()["apps"][0]["events"]
        .as_array()
        .unwrap()
        .clone()
}

#[test]
#[ignore = "five seconds; run by .ci/run"]
fn three_clones_agree_for_a_week() {
    a_week(&Team::new());
}

/// Whatever store they share.
pub(super) fn a_week(team: &Team) {
    // Monday: one plans, another applies that plan, a third sees what waits.
    let plan = team
        .pipeline
        .run(&["plan", "--out", "x.plan", "--format", "json"]);
    plan.expect(0)
        .tells(&format!("Kept the plan in {}", team.url()));
    let digest = digest_of(&plan);
    team.person.run(&["show", &digest]).expect(0).says("slack");
    team.second
        .run(&["show", &format!("sha256:{}", "ab".repeat(32))])
        .expect(1)
        .tells("no plan");
    team.second
        .run(&["apply", &digest, "--expect-digest", &digest])
        .expect(0);
    for output in team.agree(&["plan", "--detailed-exitcode", "--format", "json"], 0) {
        let plan = output.json();
        assert_eq!(
            plan["apps"][0]["changes"][0]["authorization"], "pending",
            "{plan}"
        );
    }
    team.person
        .run(&["plan"])
        .expect(0)
        .tells("slack waits for a person; requested just now by second");
    team.agree(&["status", "--detailed-exitcode"], 0);
    let mut since = Vec::new();
    for output in team.agree(&["authorize", "--list", "--format", "json"], 4) {
        since.push(result(&output.json(), "slack")["since"].clone());
    }
    since.dedup();
    assert_eq!(since.len(), 1, "{since:?}");

    // Tuesday: the person consents, and everybody knows.
    team.platform.consent("slack", "olga@example.com");
    team.person
        .run(&["authorize", "--yes", "--no-browser", "--timeout", "20s"])
        .expect(0);
    for output in team.agree(&["authorize", "--list"], 0) {
        output.says(&format!(", as {} knows it.", team.url()));
    }
    team.agree(&["status", "--detailed-exitcode"], 0);
    let known: Vec<_> = team
        .agree(&["history", "--format", "json"], 0)
        .iter()
        .map(events)
        .collect();
    assert_eq!(known[0], known[1]);
    assert_eq!(known[1], known[2]);
    let kinds: Vec<_> = known[0]
        .iter()
        .map(|event| event["event"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["plan", "apply", "consent"]);
    assert_eq!(known[0][2]["by"]["user"], "ada");
    assert_eq!(known[0][1]["results"][0]["outcome"], "pending");
    team.person
        .run(&["history"])
        .expect(0)
        .says("consent to slack");
    team.person
        .run(&["history", "--format", "markdown"])
        .expect(0)
        .says("| when | what | who |");

    // Wednesday: somebody's apply died with the lease.
    for project in team.all() {
        project.declare("linear", &["read"]);
    }
    let gone = team.memory("gone");
    let (minutes, fence) = (Duration::from_mins(5), Fence::default());
    let lease = gone.lease("apply", minutes, Duration::ZERO, &fence, |_| ());
    wait(lease).unwrap();
    team.platform.forget();
    team.pipeline
        .run(&["apply", "--auto-approve"])
        .expect(1)
        .tells("gone started `connplan apply`");
    assert_eq!(team.platform.writes(), [] as [&str; 0]);
    // Looking is not held up.
    team.second.run(&["plan", "--detailed-exitcode"]).expect(2);
    team.person.run(&["unlock"]).expect(1).tells("--yes");
    team.person
        .run(&["unlock", "--yes"])
        .expect(0)
        .tells("Ended the lease");
    team.person
        .run(&["unlock", "--yes"])
        .expect(0)
        .tells("Nobody holds the lease");

    // Thursday: the store is away.
    team.away(true);
    team.second
        .run(&["authorize", "--list"])
        .expect(0)
        .says("as far as this machine knows");
    team.second
        .run(&["plan"])
        .expect(0)
        .tells("what other machines have requested:");
    team.second
        .run(&["plan", "--out", "y.plan"])
        .expect(0)
        .tells("not in the store");
    for args in [
        ["apply", "--auto-approve"],
        ["apply", "y.plan"],
        ["authorize", "--yes"],
    ] {
        team.second.run(&args).expect(1).tells(
            "Nothing was changed: the team's store cannot be used, and connplan changes nothing without it.",
        );
    }
    assert_eq!(team.platform.writes(), [] as [&str; 0]);
    team.away(false);

    // Friday: it goes away while an apply is under way, and hears of it from the next command.
    team.pipeline.run(&["plan", "--out", "z.plan"]).expect(0);
    team.forgetful(true);
    let applied = team.pipeline.run(&["apply", "z.plan"]);
    applied.expect(0).tells("the next command delivers it");
    let before = events(&team.person.run(&["history", "--format", "json"]));
    team.forgetful(false);
    team.pipeline
        .run(&["plan", "--detailed-exitcode"])
        .expect(0);
    let after = events(&team.person.run(&["history", "--format", "json"]));
    assert_eq!(after.len(), before.len() + 1);
    team.agree(&["plan", "--detailed-exitcode"], 0);
    team.agree(&["authorize", "--list"], 4);

    // What is stored may be read by whoever reads the repository.
    team.keeps_private(&["olga@example.com"]);
    // No branch, no work tree was touched.
    for project in team.all() {
        let refs = git(&project.root(), &["for-each-ref", "--format=%(refname)"]);
        assert!(!refs.contains("connplan"), "{refs}");
    }
}

/// Every repository has an `origin`: what one store is still to be told goes to no other of that name.
#[test]
#[ignore = "needs git remotes: run by .ci/run"]
fn what_one_store_is_to_be_told_no_other_hears() {
    let team = Team::new();
    let root = team.pipeline.root();
    team.pipeline.run(&["plan", "--out", "z.plan"]).expect(0);
    team.forgetful(true);
    reads!(team.pipeline.run(&["apply", "z.plan"]), @"
    exit 0: connplan apply z.plan
    App app-1 at http://HOST

    Waiting for authorization: slack

    Applied, 1 connector: 1 waiting for authorization.
    Next: connplan authorize
    --- stderr
    Acting as a workspace, by BASE44_API_KEY.
      ! slack waiting for authorization
    warning: what was done is not recorded in the store; it is kept here, and the next command delivers it: the git remote origin does not take refs/connplan/APP/log: hook declined
    ");
    team.forgetful(false);
    let kinds = |project: &Project| {
        let told = events(&project.run(&["history", "--format", "json"]));
        let kinds = told
            .iter()
            .map(|event| event["event"].as_str().unwrap().to_owned());
        kinds.collect::<Vec<_>>()
    };
    let ours = git(&root, &["remote", "get-url", "origin"]);
    let other = team.pipeline.path("../other.git").display().to_string();
    git(&root, &["init", "-q", "--bare", &other]);
    git(&root, &["remote", "set-url", "origin", &other]);
    team.pipeline.run(&["trust", "git:origin"]).expect(0);
    team.pipeline.run(&["plan"]).expect(0);
    assert!(!kinds(&team.pipeline).contains(&"apply".to_owned()));
    git(&root, &["remote", "set-url", "origin", ours.trim()]);
    // The other one had taken its place.
    team.pipeline.run(&["trust", "git:origin"]).expect(0);
    team.pipeline.run(&["plan"]).expect(0);
    assert!(kinds(&team.person).contains(&"apply".to_owned()));
}

#[test]
fn this_machine_remembers_without_any_setting() {
    let platform = Platform::start();
    let project = Project::new()
        .at(&platform)
        .connector("slack", &["chat:write"]);
    let plan = project.run(&["plan", "--out", "x.plan", "--format", "json"]);
    let digest = digest_of(&plan);
    reads!(project.run(&["show", &digest]), @"
    exit 0: connplan show sha256:DIGEST
    App app-1 at http://HOST

    Symbols:  + add

      + slack                 base44/connectors/slack.jsonc
          + chat:write  post messages (as the bot or as the user) · write
          authorization: required

    Plan: 1 to add, 0 to change, 0 to remove, 1 to authorize.

    Digest: sha256:DIGEST
    To carry out exactly this plan: connplan apply sha256:DIGEST
    ");
    project.run(&["apply", &digest]).expect(0);
    platform.consent("slack", "ada@example.com");
    project
        .run(&["authorize", "--yes", "--no-browser", "--timeout", "20s"])
        .expect(0);
    let known = events(&project.run(&["history", "--format", "json"]));
    let kinds: Vec<_> = known
        .iter()
        .map(|event| event["event"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["plan", "apply", "consent"]);
    reads!(project.run(&["unlock"]), @"
    exit 0: connplan unlock
    --- stderr
    There is nothing to unlock: without a store, the lock of this machine ends with its process.
    ");
    let other = Project::new()
        .at(&platform)
        .var("CONNPLAN_STORE", "git:origin");
    reads!(other.run(&["history"]), @"
    exit 1: connplan history
    --- stderr
    error: FOLDER/project is not in a git work tree
      help: run this in a clone of the repository. One around your home folder counts only if it tracks the project's config (`git add`)
      code: connplan::git::no_repository
    ");
    let other = other.var("CONNPLAN_STORE", "ftp://x");
    reads!(other.run(&["history"]), @"
    exit 1: connplan history
    --- stderr
    error: CONNPLAN_STORE: `ftp://x` is not a store: it is `git:REMOTE`, `s3://BUCKET/PREFIX`, `gs://BUCKET/PREFIX` or `az://CONTAINER/PREFIX`
      help: set it to one of these forms, or unset it
      code: connplan::usage
    ");
}

#[test]
fn an_edited_plan_in_the_store_is_refused() {
    let platform = Platform::start();
    let project = Project::new()
        .at(&platform)
        .connector("slack", &["chat:write"]);
    let plan = project.run(&["plan", "--out", "x.plan", "--format", "json"]);
    let digest = digest_of(&plan);
    let path = format!("memory/plans/{}.plan", digest.trim_start_matches("sha256:"));
    let text = project.read_state(&path);
    project.write_state(&path, &text.replace("chat:write", "admin"));
    project.run(&["apply", &digest]).expect(3);
    // A whole plan under another plan's name is another plan.
    project.declare("slack", &["users:read"]);
    project.run(&["plan", "--out", "y.plan"]).expect(0);
    project.write_state(&path, &project.read("y.plan"));
    reads!(project.run(&["apply", &digest]), @"
    exit 3: connplan apply sha256:DIGEST
    --- stderr
    error: this is not the approved plan: sha256:DIGEST was expected, this is sha256:DIGEST
      help: apply the file that was reviewed, or ask for a review of this one
      code: connplan::plan::not_approved
    ");
    assert_eq!(platform.writes(), [] as [&str; 0]);
}

//! What waits is the same for all, whoever asked first, last, or was cut off.

use serde_json::{Value, json};

use super::team::Team;
use crate::support::{Connector, Output, reads};

/// What everybody says of a connector: the scopes that wait, since when.
fn waiting(team: &Team, connector: &str) -> Value {
    let told = team.all().map(|project| {
        let list = project.run(&["authorize", "--list", "--format", "json"]);
        let plan = project.run(&["plan", "--format", "json"]);
        plan.expect(0);
        let said = plan.stderr.clone();
        let results = list.json()["apps"][0]["results"].clone();
        let results = results.as_array().cloned().unwrap_or_default();
        let one = results.iter().find(|one| one["connector"] == connector);
        let plan = plan.json()["summary"].clone();
        let said = [list.stderr.clone(), said];
        for text in &said {
            assert!(
                !text.contains("what other machines have requested"),
                "{text}"
            );
        }
        (
            json!([
                one.map(|one| json!([one["scopes"], one["since"], one["state"]])),
                plan
            ]),
            said,
        )
    });
    assert_eq!(told[0].0, told[1].0, "the pipelines differ: {told:?}");
    assert_eq!(told[1].0, told[2].0, "the person differs: {told:?}");
    told[0].0.clone()
}

fn declare(team: &Team, connector: &str, scopes: &[&str]) {
    for project in team.all() {
        project.declare(connector, scopes);
    }
}

#[test]
#[ignore = "ten seconds; run by .ci/run"]
fn who_asked_first_knows_what_somebody_else_asked_for_later() {
    who_asked_first(&Team::new());
}

/// Whatever store it is.
pub(super) fn who_asked_first(team: &Team) {
    team.pipeline.run(&["apply", "--auto-approve"]).expect(0);
    let first = waiting(team, "slack");
    assert_eq!(first[0][0], json!(["chat:write"]), "{first}");
    // While that waits, more is wanted, and another machine asks for it.
    declare(team, "slack", &["chat:write", "users:read"]);
    team.second.run(&["apply", "--auto-approve"]).expect(0);
    let later = waiting(team, "slack");
    assert_eq!(later[0][0], json!(["chat:write", "users:read"]), "{later}");
    team.agree(&["plan", "--detailed-exitcode"], 0);
    // A third one drops it: nobody waits, and the plan asks again.
    team.person
        .run(&["authorize", "--forget", "slack"])
        .expect(0);
    let dropped = waiting(team, "slack");
    assert_eq!(dropped[0], Value::Null, "{dropped}");
    team.agree(&["plan", "--detailed-exitcode"], 2);
    team.agree(&["authorize", "--list"], 0);
    team.pipeline
        .run(&["authorize", "--forget", "slack"])
        .expect(1)
        .tells("slack does not wait for authorization");
    // Asked for again by the first one, and withdrawn by the second: the file is gone.
    team.pipeline.run(&["apply", "--auto-approve"]).expect(0);
    assert_ne!(waiting(team, "slack")[0], Value::Null);
    for project in team.all() {
        project.undeclare("slack");
        project.declare("linear", &["read"]);
    }
    team.platform
        .set(&Connector::active("slack", &["chat:write"]));
    let withdrawn = waiting(team, "slack");
    team.second.run(&["apply", "--auto-approve"]).expect(0);
    let linear = waiting(team, "linear");
    assert_eq!(linear[0][0], json!(["read"]), "{withdrawn} {linear}");
    assert_eq!(waiting(team, "slack")[0], Value::Null);
    let kinds = team.person.run(&["history", "--format", "json"]).json();
    assert_eq!(
        kinds["apps"][0]["events"].as_array().map(Vec::len),
        Some(5),
        "{kinds}"
    );
}

#[test]
#[ignore = "a second of CPU time, or more: run by .ci/run"]
fn what_was_asked_for_before_there_was_a_store_is_told() {
    let team = Team::new();
    let alone = "# nothing\n";
    let settings = team.pipeline.read("connplan.toml");
    team.pipeline.write("connplan.toml", alone);
    team.pipeline.run(&["apply", "--auto-approve"]).expect(0);
    team.second.run(&["authorize", "--list"]).expect(0);
    team.pipeline.write("connplan.toml", &settings);
    // Any clone names a store: the user says that this one may know.
    team.pipeline.run(&["plan"]).expect(0);
    team.second.run(&["authorize", "--list"]).expect(0);
    team.pipeline.run(&["trust", "git:origin"]).expect(0);
    // Looking is enough.
    team.pipeline.run(&["plan"]).expect(0);
    reads!(team.second.run(&["plan"]), @"
    exit 0: connplan plan
    App app-1 at http://HOST

    Waiting for authorization (nothing is written again):
        slack                 base44/connectors/slack.jsonc
            chat:write  post messages (as the bot or as the user) · write

    No changes to make. 1 connector waits for authorization: run `connplan authorize`.
    --- stderr
    slack waits for a person; requested just now by pipeline.
    ");
    assert_ne!(waiting(&team, "slack")[0], Value::Null);
    // What is known to be over is not told again.
    team.person
        .run(&["authorize", "--forget", "slack"])
        .expect(0);
    assert_eq!(waiting(&team, "slack")[0], Value::Null);
}

#[test]
#[ignore = "needs git remotes: run by .ci/run"]
fn a_push_waits_for_the_lease_and_gives_it_back() {
    let team = Team::new();
    reads!(team.pipeline.run(&["push", "--yes", "--lock-timeout", "1s"]), @"
    exit 4: connplan push --yes --lock-timeout 1s
    Summary:
      Skipped: slack
    --- stderr
    Acting as a workspace, by BASE44_API_KEY.
    Found 1 connectors to push: slack
    App app-1 at http://HOST

    Symbols:  + add

      + slack                 base44/connectors/slack.jsonc
          + chat:write  post messages (as the bot or as the user) · write
          authorization: required

    Plan: 1 to add, 0 to change, 0 to remove, 1 to authorize.
    This machine takes FOLDER/origin.git for the store of app app-1 from now on.
      ! slack waiting for authorization
    Skipped OAuth in non-interactive mode. Run `connplan authorize` in a terminal to complete it.
    ");
    reads!(team.person.run(&["unlock", "--yes"]), @"
    exit 0: connplan unlock --yes
    --- stderr
    Nobody holds the lease on app app-1.
    ");
    team.agree(&["authorize", "--list"], 4);
}

#[test]
#[ignore = "needs git remotes: run by .ci/run"]
fn nothing_private_is_in_the_store() {
    nothing_private(&Team::new());
}

/// Whatever store it is.
pub(super) fn nothing_private(team: &Team) {
    let canaries = [
        "olga@example.com",
        "boss@example.com",
        "victim@example.com",
        "mallory@example.com",
    ];
    let settings = format!(
        "[store]\nurl = \"{}\"\n[policy]\ndenied_types = [\"notion\"]\n\
         [policy.rules.denied_types]\noverride = true\n",
        team.url()
    );
    for project in team.all() {
        project.write("connplan.toml", &settings);
    }
    team.platform.behave(&json!({
        "policies_readable": false,
        "forbidden": {"linear": "ask victim@example.com, who forbids it"},
    }));
    let person = |args: &[&str]| -> Output {
        let vars = [
            ("USER", "mallory@example.com"),
            ("LOGNAME", "mallory@example.com"),
        ];
        team.person.run_vars(&vars, args)
    };
    for project in [&team.person, &team.second] {
        project.declare("linear", &["read"]);
        project.declare("notion", &["read_content"]);
    }
    let reason = [
        "--override",
        "denied_types",
        "--reason",
        "boss@example.com said so",
    ];
    let plan = [
        &["plan", "--out", "x.plan", "--format", "json"][..],
        &reason,
    ]
    .concat();
    person(&plan).expect(0);
    assert!(
        team.person
            .read("x.plan")
            .contains("b***@example.com said so")
    );
    let code = person(&["apply", "x.plan"]).code;
    assert_eq!(code, Some(5));
    let receipts = team.stored();
    assert!(receipts.contains("v***@example.com"), "{receipts}");
    team.platform.consent("slack", "olga@example.com");
    person(&[
        "authorize",
        "slack",
        "--yes",
        "--no-browser",
        "--timeout",
        "20s",
    ])
    .expect(0);
    team.keeps_private(&canaries);
    let known = person(&["history"]);
    known.expect(0).says("(mallory)");
}

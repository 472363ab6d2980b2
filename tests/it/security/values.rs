//! Connection values say to where a connector connects. Whoever decides about them has read them, and what nobody
//! could read is not taken for the same.

use serde_json::json;

use crate::{
    approval::keygen::Keys,
    publish::forge::{Run, github},
    support::{
        APP, Platform, Project, reads,
        scripted::{Reply, Scripted},
    },
};

const ASK: [&str; 4] = ["authorize", "--print-links", "--timeout", "1s"];
const FILE: &str = "base44/connectors/snowflake.jsonc";

fn snowflake(place: &str, scopes: &[&str]) -> String {
    let values = json!({ "account_identifier": place });
    json!({ "type": "snowflake", "scopes": scopes, "connection_config": values }).to_string()
}

/// A project whose app is connected to "one".
fn connected(platform: &Platform) -> Project {
    let text = snowflake("one", &["session:role-any"]);
    let project = Project::new().at(platform).file(FILE, &text);
    project
        .run(&["apply", "--auto-approve", "--receipt", "one.receipt"])
        .expect(0);
    platform.consent("snowflake", "olga@example.com");
    platform.forget();
    project
}

#[test]
fn a_change_of_values_alone_is_sent_and_waits() {
    let platform = Platform::start();
    let project = connected(&platform);
    project.run(&["plan", "--detailed-exitcode"]).expect(0);
    project.write(FILE, &snowflake("two", &["session:role-any"]));
    project.run(&["plan", "--out", "x.plan"]).expect(0);
    reads!(project.run(&["apply", "x.plan"]), @"
    exit 0: connplan apply x.plan
    App app-1 at http://HOST

    Waiting for authorization: snowflake

    Applied, 1 connector: 1 waiting for authorization.
    Next: connplan authorize
    --- stderr
    Acting as a workspace, by BASE44_API_KEY.
      ! snowflake waiting for authorization
    ");
    assert_eq!(platform.writes().len(), 1);
    reads!(project.run(&["plan"]), @r#"
    exit 0: connplan plan
    App app-1 at http://HOST

    Waiting for authorization (nothing is written again):
        snowflake             base44/connectors/snowflake.jsonc
          connection value changed: "account_identifier" = "two"
            session:role-any  unknown, which does not mean safe
          ! its connection values change: it may connect to something else than before

    No changes to make. 1 connector waits for authorization: run `connplan authorize`.
    "#);
    platform.consent("snowflake", "olga@example.com");
    reads!(project.run(&["authorize", "--list"]), @"
    exit 0: connplan authorize --list
    Nothing is waiting for authorization in app app-1, as far as this machine knows.
    What another machine's apply left waiting is in its receipt: connplan authorize --receipt FILE
    ");
    reads!(project.run(&["plan"]), @"
    exit 0: connplan plan
    App app-1 at http://HOST

    No changes. The app matches the connector files.
    ");
    // What was planned is done; the plan is not carried out again.
    reads!(project.run(&["apply", "x.plan"]), @"
    exit 0: connplan apply x.plan
    App app-1 at http://HOST

    Waiting for authorization: snowflake

    Applied before, 1 connector: 1 waiting for authorization.
    Next: connplan authorize
    --- stderr
    Acting as a workspace, by BASE44_API_KEY.
    This plan was already applied. Nothing was written.
    ");
    assert_eq!(platform.writes().len(), 1);
}

#[test]
fn values_that_moved_since_the_plan_was_made_are_named() {
    let platform = Platform::start();
    let project = connected(&platform);
    project.write(
        FILE,
        &snowflake("one", &["session:role-any", "refresh_token"]),
    );
    project.run(&["plan", "--out", "x.plan"]).expect(0);
    let other = Project::new()
        .at(&platform)
        .file(FILE, &snowflake("three", &["session:role-any"]));
    other.run(&["apply", "--auto-approve"]).expect(0);
    platform.consent("snowflake", "olga@example.com");
    platform.forget();
    reads!(project.run(&["apply", "x.plan"]), @"
    exit 3: connplan apply x.plan
    --- stderr
    Acting as a workspace, by BASE44_API_KEY.
    error: the plan is stale: the app changed since it was made
      snowflake: connection values was account_identifier=one, is account_identifier=three
      help: nothing was written; run `connplan plan` again and ask for a review
      code: connplan::plan::stale
    ");
    assert_eq!(platform.writes(), [] as [&str; 0]);
}

/// The receipt of the first apply, as somebody makes it who writes what they like.
fn forged(project: &Project) -> String {
    let text = project.read("one.receipt");
    let scopes = text
        .lines()
        .find(|line| line.starts_with("scopes = "))
        .unwrap();
    let had = format!("{scopes}\n{}", scopes.replace("scopes", "before"));
    let text = text
        .replace(scopes, &had)
        .replace("action = \"create\"", "action = \"update\"")
        .replace("\"one\"", "\"two\"");
    let kept = text
        .lines()
        .filter(|line| !line.starts_with("connection_id"));
    let kept: Vec<_> = kept.collect();
    let (digest, record) = connplan::receipt::seal(&kept.join("\n").parse().unwrap());
    let line = |line: &&str| match line.split_once(" = ") {
        Some(("digest", _)) => format!("digest = \"{digest}\"\n"),
        Some(("record_digest", _)) => format!("record_digest = \"{record}\"\n"),
        _ => format!("{line}\n"),
    };
    let lines: Vec<_> = kept.iter().map(line).collect();
    lines.concat()
}

#[test]
fn no_receipt_by_itself_connects_what_works_to_somewhere_else() {
    let platform = Platform::start();
    let project = connected(&platform);
    let keys = Keys::new();
    keys.key("ann", &["ed25519"]);
    project.write(
        "signers",
        &format!("ann@example.com {}", keys.public("ann")),
    );
    project.write(FILE, &snowflake("two", &["session:role-any"]));
    project.write("forged.receipt", &forged(&project));
    for risk in ["danger", "write"] {
        let rule = format!(
            "[approval]\nrequire = \"signature\"\nsigners = \"../signers\"\nfrom_risk = \"{risk}\"\n"
        );
        project.write("base44/connplan.toml", &rule);
        project
            .run(&["apply", "--auto-approve"])
            .expect(3)
            .tells("signature");
        let run = project.run(&[&ASK[..], &["--receipt", "forged.receipt"]].concat());
        run.expect(1).tells("needs an approval in this project");
    }
    assert_eq!(platform.writes(), [] as [&str; 0]);
}

/// A fork's request is planned from a snapshot: it holds no value, and tells other ones all the same.
#[test]
fn a_snapshot_tells_other_values_and_not_which() {
    let platform = Platform::start();
    let project = connected(&platform);
    let snapshot = project.run(&["remote-state"]);
    snapshot.expect(0).lacks("\"one\"");
    project.write("state.json", &snapshot.stdout);
    let plan = ["plan", "--remote-state", "state.json"];
    project
        .run(&plan)
        .says("No changes. The app matches the connector files.");
    project.write(FILE, &snowflake("two", &["session:role-any"]));
    reads!(project.run(&plan), @r#"
    exit 0: connplan plan --remote-state state.json
    ! SPECULATIVE: made from a snapshot, not from the live app. `connplan apply` refuses it.

    App app-1 at http://HOST

    Symbols:  ~ change  ! look here

      ~ snowflake             base44/connectors/snowflake.jsonc
          connection value changed: "account_identifier" = "two"
            1 unchanged scope
          ! its connection values change: it may connect to something else than before
          ! it works now and may stop until a person consents again
          authorization: required

    Plan: 0 to add, 1 to change, 0 to remove, 1 to authorize.

    ! SPECULATIVE: made from a snapshot, not from the live app. `connplan apply` refuses it.
    "#);
    // Nor is it the value to write what the snapshot shows of it.
    let told = snapshot.json();
    let digest = &told["connectors"][0]["connection_values"]["account_identifier"];
    project.write(
        FILE,
        &snowflake(digest.as_str().unwrap(), &["session:role-any"]),
    );
    let kept = [&plan[..], &["--out", "x.plan"]].concat();
    for run in [&plan[..], &kept, &["show", "x.plan"]] {
        project.run(run).says("its connection values change");
    }
    // An older one has no values at all.
    let mut old: serde_json::Value = snapshot.json();
    let connector = old["connectors"][0].as_object_mut().unwrap();
    connector.remove("connection_values").unwrap();
    project.write("state.json", &old.to_string());
    reads!(project.run(&plan), @"
    exit 0: connplan plan --remote-state state.json
    ! SPECULATIVE: made from a snapshot, not from the live app. `connplan apply` refuses it.

    App app-1 at http://HOST

    ! warning: base44/connectors/snowflake.jsonc: whether the connection values of snowflake change is not known: the remote state does not say
        help: where the connector's file is: `connplan remote-state > FILE`

    No changes in what could be compared.

    ! SPECULATIVE: made from a snapshot, not from the live app. `connplan apply` refuses it.
    ");
}

/// What a fork's request declares first, the files that the snapshot is made with do not.
#[test]
fn a_snapshot_tells_what_no_file_declared() {
    let platform = Platform::start();
    let project = connected(&platform);
    let bare = json!({ "type": "snowflake", "scopes": ["session:role-any"] }).to_string();
    project.write(FILE, &bare);
    let snapshot = project.run(&["remote-state"]);
    snapshot.expect(0).lacks("\"one\"").lacks("olga");
    project.write("state.json", &snapshot.stdout);
    let plan = ["plan", "--remote-state", "state.json"];
    let same = project.run(&plan);
    same.says("No changes. The app matches the connector files.");
    project.write(FILE, &snowflake("two", &["session:role-any"]));
    let other = project.run(&plan);
    other.says("connection value changed: \"account_identifier\" = \"two\"");
}

/// Nor does it hold a whole address; whether another account is declared than holds it is seen all the same.
#[test]
fn a_snapshot_tells_another_account() {
    let platform = Platform::start();
    let project = connected(&platform);
    let expects = |account: &str| {
        let file =
            json!({ "type": "snowflake", "scopes": ["session:role-any"], "account": account });
        project.write(FILE, &file.to_string());
    };
    let plan = ["plan", "--remote-state", "state.json"];
    let matches = "No changes. The app matches the connector files.";
    for (main, others) in [
        (
            "olga@example.com",
            ["eve@example.com", "@elsewhere.example"],
        ),
        ("@example.com", ["eve@example.com", "@elsewhere.example"]),
    ] {
        expects(main);
        let snapshot = project.run(&["remote-state"]);
        snapshot.expect(0).lacks("olga");
        project.write("state.json", &snapshot.stdout);
        for same in ["@example.com", "Olga@example.com"] {
            expects(same);
            project.run(&plan).says(matches);
        }
        for other in others {
            expects(other);
            project.run(&plan).says("takes the connection over");
        }
    }
    // Where none is declared, the snapshot says nothing of whose it is, and the plan says that.
    project.write(FILE, &snowflake("one", &["session:role-any"]));
    let snapshot = project.run(&["remote-state"]);
    project.write(
        "state.json",
        snapshot.expect(0).lacks("example.com").stdout.as_str(),
    );
    expects("eve@example.com");
    project
        .run(&plan)
        .says("No changes in what could be compared.");
    // The policy expects somebody, too.
    let policy = "[policy]\naccounts = { \"*\" = \"@example.com\" }\n";
    project.write("base44/connplan.toml", policy);
    project.write(FILE, &snowflake("one", &["session:role-any"]));
    let snapshot = project.run(&["remote-state"]);
    project.write("state.json", &snapshot.expect(0).stdout);
    expects("eve@example.com");
    project.run(&plan).says("takes the connection over");
}

/// A platform that tells no values.
#[test]
fn what_nobody_can_compare_is_said() {
    let platform = Scripted::start();
    let base = format!("GET /api/apps/{APP}");
    let is = json!({ "integration_type": "snowflake", "status": "active", "scopes": ["session:role-any"] });
    let list = json!({ "integrations": [is] });
    let none = json!({ "stripe_mode": null });
    for (path, answer) in [
        ("external-auth/list", list),
        ("payments/stripe/status", none),
        ("external-auth/connection-config/snowflake", json!({})),
    ] {
        platform.on(&format!("{base}/{path}"), [Reply::json(200, &answer)]);
    }
    let text = snowflake("one", &["session:role-any"]);
    let project = Project::new()
        .at_url(&platform.url(), "b44k_fixture")
        .file(FILE, &text);
    reads!(project.run(&["plan"]), @"
    exit 0: connplan plan
    App app-1 at http://HOST

    ! warning: base44/connectors/snowflake.jsonc: whether the connection values of snowflake change is not known: the app does not tell

    No changes in what could be compared.
    ");
    reads!(project.run(&["status"]), @"
    exit 0: connplan status
    App app-1 at http://HOST

    CONNECTOR  DECLARED  REMOTE  SCOPES  PENDING  ACCOUNT
    snowflake  yes       active  1       -        -
    --- stderr
    warning: whether the connection values of snowflake change is not known: the app does not tell
    ");
    reads!(project.run(&["drift"]), @"
    exit 0: connplan drift
    App app-1 at http://HOST

    No drift in what could be compared.
    --- stderr
    warning: whether the connection values of snowflake change is not known: the app does not tell
    ");
    let drift = project.run(&["drift", "--issue", "--format", "json"]);
    drift.expect(0).tells("An issue that is open stays open");
    assert_eq!(drift.json()["summary"]["uncompared"], 1);
    // Reviewers are shown that.
    project.run(&["plan", "--out", "x.plan"]).expect(0);
    let (forge, comments) = github();
    let saved = project.path("x.plan").display().to_string();
    let made = Run::github(&forge).outcome(&saved, &[]);
    assert_eq!(
        (&made["outcome"], &made["has_changes"]),
        (&json!("created"), &json!(false))
    );
    let [comment] = comments.bodies().try_into().unwrap();
    assert!(
        comment.contains("No changes in what could be compared"),
        "{comment}"
    );
    // For an approval, any value may be another one.
    project.write(
        "base44/connplan.toml",
        "[approval]\nrequire = \"review\"\nfrom_risk = \"danger\"\n",
    );
    project.write(
        FILE,
        &snowflake("one", &["session:role-any", "refresh_token"]),
    );
    let run = project.run(&["apply", "--auto-approve"]);
    run.expect(3).tells("not approved");
    // Nor does anybody know whose account holds it.
    let file = text.replace(
        "{\"connection_config\"",
        "{\"account\":\"@example.com\",\"connection_config\"",
    );
    assert_ne!(file, text);
    project.write(FILE, &file);
    reads!(project.run(&["plan"]), @"
    exit 0: connplan plan
    App app-1 at http://HOST

    ! warning: base44/connectors/snowflake.jsonc: whether the connection values of snowflake change is not known: the app does not tell
    ! warning: base44/connectors/snowflake.jsonc: whether the account that the file expects holds snowflake is not known: the app does not tell

    No changes in what could be compared.
    ");
}

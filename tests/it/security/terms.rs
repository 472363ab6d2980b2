//! To where a connector connects, and whose consent it takes: only the files say that, whatever a
//! receipt or the team's store holds.

use serde_json::json;

use super::loosening::{event, git as git_in, planned_in};
use crate::{
    approval::keygen::Keys,
    git::repository::git,
    store::team::member,
    support::{Connector, Platform, Project, reads, result},
};

const GMAIL: &str = "https://www.googleapis.com/auth/gmail.send";
const EVIL_ACCOUNT: &str = "{ \"type\": \"gmail\", \"account\": \"@evil.example\", \
     \"scopes\": [\"https://www.googleapis.com/auth/gmail.send\"] }";
const ASK: [&str; 4] = ["authorize", "--print-links", "--timeout", "1s"];

fn snowflake(place: &str) -> String {
    json!({ "type": "snowflake", "scopes": ["session:role-any"],
            "connection_config": { "account_identifier": place } })
    .to_string()
}

fn declaring(platform: &Platform, connector: &str, text: &str) -> Project {
    let file = format!("base44/connectors/{connector}.jsonc");
    Project::new().at(platform).file(&file, text)
}

/// The receipt of an apply of this, as somebody makes it who writes what they like.
fn receipt_of(platform: &Platform, connector: &str, text: &str) -> String {
    let theirs = declaring(platform, connector, text);
    theirs
        .run(&["apply", "--auto-approve", "--receipt", "x.receipt"])
        .expect(0);
    platform.forget();
    theirs.read("x.receipt")
}

#[test]
fn a_receipt_does_not_say_to_where_a_connector_connects() {
    let platform = Platform::start();
    let evil = receipt_of(&platform, "snowflake", &snowflake("evil-acct"));
    let ours = declaring(&platform, "snowflake", &snowflake("good-acct"));
    ours.write("evil.receipt", &evil);
    reads!(ours.run(&[&ASK[..], &["--receipt", "evil.receipt"]].concat()), @"
    exit 3: connplan authorize --print-links --timeout 1s --receipt evil.receipt
    --- stderr
    Acting as a workspace, by BASE44_API_KEY.
    error: the receipt asks for snowflake with other connection values than its file declares
      help: nothing was asked for. Check out the commit that was applied; or, if the files are right, plan and apply them
      code: connplan::plan::receipt_contradicts_files
    ");
    assert_eq!(platform.writes(), [] as [&str; 0]);
    // Nor does it hide what the files say.
    ours.run(&["plan", "--detailed-exitcode", "--receipt", "evil.receipt"])
        .expect(2);

    ours.run(&["apply", "--auto-approve", "--receipt", "x.receipt"])
        .expect(0);
    reads!(ours.run(&[&ASK[..], &["--receipt", "x.receipt"]].concat()), @"
    exit 4: connplan authorize --print-links --timeout 1s --receipt x.receipt
      snowflake: http://HOST/sandbox/consent/conn_ID?ticket=DIGEST
    Summary:
      Failed: snowflake - authorization timed out

    Left to do for 1 connector:
      snowflake: timed out: nobody consented in time; still pending
        -> run `connplan authorize snowflake --receipt x.receipt` again; with `--timeout 30m` there is more time to consent
    --- stderr
    Acting as a workspace, by BASE44_API_KEY.
    1 connector of app app-1 at http://HOST needs consent in a browser:
      snowflake
        account_identifier = good-acct
        session:role-any  unknown, which does not mean safe
    Each connection is recorded as made by a workspace, whichever account approves at the provider.
    Waiting at most 1s; `--timeout` changes that.
    Waiting for snowflake.
    ");
}

#[test]
fn a_receipt_does_not_say_whose_consent_is_taken() {
    let platform = Platform::start();
    let evil = receipt_of(&platform, "gmail", EVIL_ACCOUNT);
    let ours = "{ \"type\": \"gmail\", \"account\": \"ops@example.com\", \"scopes\": [\"SCOPE\"] }";
    let ours = declaring(&platform, "gmail", &ours.replace("SCOPE", GMAIL));
    ours.write("evil.receipt", &evil);
    reads!(ours.run(&[&ASK[..], &["--receipt", "evil.receipt"]].concat()), @"
    exit 3: connplan authorize --print-links --timeout 1s --receipt evil.receipt
    --- stderr
    Acting as a workspace, by BASE44_API_KEY.
    error: the receipt asks for gmail with another account than its file declares
      help: nothing was asked for. Check out the commit that was applied; or, if the files are right, plan and apply them
      code: connplan::plan::receipt_contradicts_files
    ");

    // Where only the policy says whom it expects, that counts like the file's word.
    ours.declare("gmail", &[GMAIL]);
    ours.write(
        "connplan.toml",
        "[policy]\naccounts = { gmail = \"@example.com\" }\n",
    );
    reads!(ours.run(&[&ASK[..], &["--receipt", "evil.receipt"]].concat()), @"
    exit 3: connplan authorize --print-links --timeout 1s --receipt evil.receipt
    --- stderr
    Acting as a workspace, by BASE44_API_KEY.
    error: the receipt asks for gmail with another account than its file declares
      help: nothing was asked for. Check out the commit that was applied; or, if the files are right, plan and apply them
      code: connplan::plan::receipt_contradicts_files
    ");
    assert_eq!(platform.writes(), [] as [&str; 0]);
    ours.run(&["apply", "--auto-approve"]).expect(0);
    let list = ours.run(&["authorize", "--list", "--format", "json"]);
    list.expect(4);
    let list = list.json();
    let gmail = result(&list, "gmail");
    assert_eq!(gmail["expected_account"], "@example.com");
}

#[test]
fn a_store_says_neither_and_the_plan_shows_what_the_files_hold() {
    let platform = Platform::start();
    let origin = crate::support::folder();
    git(origin.path(), &["init", "-q", "--bare", "origin.git"]);
    let url = origin.path().join("origin.git").display().to_string();
    let clone = |user: &str, place: &str| {
        let text = snowflake(place);
        let project = member(&platform, user, Project::new())
            .file("base44/connectors/snowflake.jsonc", &text)
            .file("connplan.toml", "[store]\nurl = \"git:origin\"\n");
        git(&project.root(), &["init", "-q"]);
        git(&project.root(), &["remote", "add", "origin", &url]);
        project
    };
    let mallory = clone("mallory", "evil-acct");
    mallory.run(&["apply", "--auto-approve"]).expect(0);
    platform.forget();
    let ours = clone("ada", "good-acct");
    reads!(ours.run(&["plan", "--detailed-exitcode"]), @r#"
    exit 2: connplan plan --detailed-exitcode
    App app-1 at http://HOST

    Symbols:  + add

      + snowflake             base44/connectors/snowflake.jsonc
          connection value set: "account_identifier" = "good-acct"
          + session:role-any  unknown, which does not mean safe
          authorization: required

    Plan: 1 to add, 0 to change, 0 to remove, 1 to authorize.
    --- stderr
    snowflake waits for a person; requested just now by mallory.
    "#);
    reads!(ours.run(&ASK), @"
    exit 0: connplan authorize --print-links --timeout 1s
    Nothing is waiting for authorization in app app-1, as git:origin knows it.
    --- stderr
    Acting as a workspace, by BASE44_API_KEY.
    This machine takes FOLDER/origin.git for the store of app app-1 from now on.
    snowflake waits for a person; requested just now by mallory.
    warning: the store says that snowflake waits for a person, but no file here declares it with the same scopes, connection values and account; it is left alone
    ");
    assert_eq!(platform.writes(), [] as [&str; 0]);
}

/// What waits here was approved as it was then: the files' new word is planned first.
#[test]
fn new_values_and_another_account_are_changes_of_what_waits() {
    let platform = Platform::start();
    let project = declaring(&platform, "snowflake", &snowflake("old-acct"));
    project.run(&["apply", "--auto-approve"]).expect(0);
    project.run(&["plan", "--detailed-exitcode"]).expect(0);
    project.write("base44/connectors/snowflake.jsonc", &snowflake("new-acct"));
    project.run(&["plan", "--detailed-exitcode"]).expect(2);
    platform.forget();
    reads!(project.run(&ASK), @"
    exit 4: connplan authorize --print-links --timeout 1s
    Summary:
      Left alone: snowflake - the files declare other connection values than the pending authorization; plan and apply them first
    --- stderr
    Acting as a workspace, by BASE44_API_KEY.
    ");
    assert_eq!(platform.writes(), [] as [&str; 0]);
    project.run(&["apply", "--auto-approve"]).expect(0);
    project.run(&["plan", "--detailed-exitcode"]).expect(0);
    reads!(project.run(&ASK), @"
    exit 4: connplan authorize --print-links --timeout 1s
      snowflake: http://HOST/sandbox/consent/conn_ID?ticket=DIGEST
    Summary:
      Failed: snowflake - authorization timed out

    Left to do for 1 connector:
      snowflake: timed out: nobody consented in time; still pending
        -> run `connplan authorize snowflake` again; with `--timeout 30m` there is more time to consent
    --- stderr
    Acting as a workspace, by BASE44_API_KEY.
    1 connector of app app-1 at http://HOST needs consent in a browser:
      snowflake
        account_identifier = new-acct
        session:role-any  unknown, which does not mean safe
    Each connection is recorded as made by a workspace, whichever account approves at the provider.
    Waiting at most 1s; `--timeout` changes that.
    Waiting for snowflake.
    ");
}

/// A variable is put in before it is sent, and before it is compared.
#[test]
fn what_expired_is_asked_for_with_the_values_of_the_files() {
    let platform = Platform::start();
    let project = declaring(&platform, "snowflake", &snowflake("${SNOW_PLACE}"));
    let vars = [("CONNPLAN_VAR_SNOW_PLACE", "acme")];
    project
        .run_vars(&vars, &["apply", "--auto-approve"])
        .expect(0);
    reads!(project.run_vars(&vars, &ASK), @"
    exit 4: connplan authorize --print-links --timeout 1s
      snowflake: http://HOST/sandbox/consent/conn_ID?ticket=DIGEST
    Summary:
      Failed: snowflake - authorization timed out

    Left to do for 1 connector:
      snowflake: timed out: nobody consented in time; still pending
        -> run `connplan authorize snowflake` again; with `--timeout 30m` there is more time to consent
    --- stderr
    Acting as a workspace, by BASE44_API_KEY.
    1 connector of app app-1 at http://HOST needs consent in a browser:
      snowflake
        account_identifier = acme
        session:role-any  unknown, which does not mean safe
    Each connection is recorded as made by a workspace, whichever account approves at the provider.
    Waiting at most 1s; `--timeout` changes that.
    Waiting for snowflake.
    ");
    reads!(project.run(&ASK), @"
    exit 1: connplan authorize --print-links --timeout 1s
    --- stderr
    Acting as a workspace, by BASE44_API_KEY.
    error: base44/connectors/snowflake.jsonc: the connection value `account_identifier` of snowflake: the variable CONNPLAN_VAR_SNOW_PLACE, which `${SNOW_PLACE}` stands for, is not set
      help: if you want that file to have it: `export CONNPLAN_VAR_SNOW_PLACE=...`; else write the value into that file
      code: connplan::usage
    ");
}

/// What broke is repaired as it was: another value or account is a change, which a plan shows first.
#[test]
fn what_expired_is_not_repaired_into_something_else() {
    let expired = |scope: &str, account: &str, values: serde_json::Value| {
        json!({ "status": "expired",
            "scopes": [scope], "account": account, "connection_config": values })
    };
    let platform = Platform::seeded(json!({ "apps": { crate::support::APP: { "connectors": {
        "snowflake": expired("session:role-any", "ada@example.com", json!({ "account_identifier": "good-acct" })),
        "gmail": expired(GMAIL, "ops@example.com", json!({})),
    } } } }));
    let project = declaring(&platform, "snowflake", &snowflake("evil-acct"))
        .file("base44/connectors/gmail.jsonc", EVIL_ACCOUNT);
    project
        .run(&ASK)
        .expect(4)
        .says("the files declare other connection values than the app has; plan and apply them first")
        .says("the files declare another account than the one that held it; plan and apply that first");
    assert_eq!(platform.writes(), [] as [&str; 0]);
    project.write("base44/connectors/snowflake.jsonc", &snowflake("good-acct"));
    project.write(
        "base44/connectors/gmail.jsonc",
        &EVIL_ACCOUNT.replace("@evil.example", "ops@example.com"),
    );
    project.run(&ASK).expect(4).lacks("plan and apply");
    assert_eq!(platform.writes().len(), 2);
}

/// What the base's files say of an account and of values is a rule, too: a request does not lift it unseen.
#[test]
fn a_request_that_drops_an_account_or_values_is_a_danger_and_needs_approval_as_one() {
    let platform = Platform::with(&[Connector::active("slack", &["users:read"])]);
    let project = Project::new().at(&platform);
    let folder = "base44/connectors";
    let slack = |more: &str| format!(r#"{{"type":"slack"{more},"scopes":["users:read"]}}"#);
    let there = r#","account":"@example.com""#;
    project.write(&format!("{folder}/s.jsonc"), &slack(there));
    project.write(&format!("{folder}/w.jsonc"), &snowflake("one"));
    project.run(&["apply", "--auto-approve"]).expect(0);
    platform.consent("snowflake", "ops@example.com");
    let rule =
        "[approval]\nrequire = \"signature\"\nsigners = \"signers\"\nfrom_risk = \"danger\"\n";
    project.write("base44/connplan.toml", rule);
    let keys = Keys::new();
    keys.key("ann", &["ed25519"]);
    let signers = format!("ann@example.com {}", keys.public("ann"));
    project.write("base44/signers", &signers);
    // What lies in another folder binds nobody, unless a request makes it the project's.
    project.write("base44/templates/a.jsonc", &slack(""));
    project.write("base44/templates/b.jsonc", &snowflake("two"));
    git_in(&project, &["init", "-q", "-b", "main"]);
    git_in(&project, &["add", "-A"]);
    git_in(&project, &["commit", "-qm", "base"]);
    let base = git_in(&project, &["rev-parse", "HEAD"]);
    let planned = || planned_in(&project, &base, ".");
    planned().expect(0).lacks("danger");

    let anybody = "@example.com had to consent to slack, and here anybody may";
    let another = "@example.com had to consent to slack, and here somebody else has to";
    let values = "snowflake had other connection values: account_identifier";
    let bare = r#"{"type":"snowflake","scopes":["session:role-any"]}"#.to_owned();
    for (s, w, said) in [
        (slack(""), snowflake("one"), Some(anybody)),
        (
            slack(r#","account":"eve@elsewhere.example""#),
            snowflake("one"),
            Some(another),
        ),
        (slack(there), bare, Some(values)),
        (slack(there), snowflake("two"), Some(values)),
        // One of those who may.
        (
            slack(r#","account":"ada@Example.com""#),
            snowflake("one"),
            None,
        ),
    ] {
        // Moved, too, by the request, to a new folder or to one that the base had.
        for place in [folder, "base44/templates", "base44/moved"] {
            for place in [folder, "base44/templates", "base44/moved"] {
                std::fs::remove_dir_all(project.path(place)).ok();
            }
            let dir = place.strip_prefix("base44/").unwrap();
            let config = format!(r#"{{"name":"n","connectorsDir":"{dir}"}}"#);
            project.write("base44/config.jsonc", &config);
            project.write(&format!("{place}/a.jsonc"), &s);
            project.write(&format!("{place}/b.jsonc"), &w);
            let run = planned();
            run.expect(0);
            match said {
                Some(said) => run.says("danger: before this change, at ").says(said),
                None => run.lacks("danger"),
            };
        }
    }

    // With a change that needs no approval by itself.
    let more = slack("").replace("users:read", "users:read\",\"emoji:read");
    project.write("base44/moved/a.jsonc", &more);
    planned().says("Approval: 1 signature needed");
    let more = slack(there).replace("users:read", "users:read\",\"emoji:read");
    project.write("base44/moved/a.jsonc", &more);
    planned().lacks("Approval:");

    // Where what no file declares is kept, a file that goes takes its rule with it.
    std::fs::remove_dir_all(project.path("base44/moved")).unwrap();
    project.write("base44/config.jsonc", "{ \"name\": \"n\" }");
    project.write(&format!("{folder}/a.jsonc"), &slack(there));
    project.write(&format!("{folder}/b.jsonc"), &snowflake("one"));
    project.write("base44/connplan.toml", "unlisted = \"keep\"\n");
    git_in(&project, &["add", "-A"]);
    git_in(&project, &["commit", "-qm", "kept"]);
    let base = git_in(&project, &["rev-parse", "HEAD"]);
    std::fs::remove_dir_all(project.path(folder)).unwrap();
    planned_in(&project, &base, ".")
        .expect(0)
        .says("@example.com had to consent to slack, and no file declares it any more")
        .says("snowflake had connection values of its own, and no file declares it any more");

    // Unless another project of the app declares it by now, as it was.
    let other = "other/base44";
    project.write(&format!("{other}/config.jsonc"), "{ \"name\": \"n\" }");
    project.write(&format!("{other}/.app.jsonc"), "{ \"id\": \"app-1\" }");
    project.write(&format!("{other}/connectors/b.jsonc"), &snowflake("one"));
    for (account, said) in [(there, None), ("", Some(anybody))] {
        project.write(&format!("{other}/connectors/a.jsonc"), &slack(account));
        git_in(&project, &["add", "-A"]);
        git_in(&project, &["commit", "-qm", "moved"]);
        let run = planned_in(&project, &base, ".");
        match said {
            Some(said) => run.says(said).lacks("slack, and no file"),
            None => run.expect(0).lacks("danger"),
        };
    }

    // The app may be told by the pipeline alone.
    git_in(&project, &["checkout", "-q", &base]);
    project.write(".gitignore", ".app.jsonc\n");
    git_in(&project, &["rm", "-q", "--cached", "base44/.app.jsonc"]);
    git_in(&project, &["add", "-A"]);
    git_in(&project, &["commit", "-qm", "untold"]);
    let base = git_in(&project, &["rev-parse", "HEAD"]);
    std::fs::remove_dir_all(project.path(folder)).unwrap();
    std::fs::remove_file(project.path("base44/.app.jsonc")).unwrap();
    let vars = event(&project, &base);
    let vars = vars.iter().map(|(name, value)| (*name, value.as_str()));
    let vars: Vec<_> = vars.chain([("BASE44_APP_ID", "app-1")]).collect();
    project
        .run_vars(&vars, &["plan"])
        .expect(0)
        .says("had to consent to slack, and no file declares it any more");
}

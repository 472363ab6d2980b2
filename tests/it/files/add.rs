//! `connplan add`: files that are not there yet.

use serde_json::json;

use crate::support::{Platform, Project, reads};

#[test]
fn it_checks_with_the_platform_and_says_what_a_connection_asks_for() {
    let platform = Platform::start();
    let project = Project::new().at(&platform);
    let added = project.run(&["add", "snowflake", "--format", "json"]);
    let added = added.expect(0).json();
    assert_eq!(added["offered"], true);
    assert_eq!(added["scopes"], json!([]));
    assert_eq!(
        added["connection_config_fields"][0]["name"], "account_identifier",
        "{added}"
    );
    reads!(project.run(&["add", "bamboohr"]), @"
    exit 0: connplan add bamboohr
    Created base44/connectors/bamboohr.jsonc: bamboohr, without scopes.

    Fill in the `connection_config` of the file before you plan:
      company_domain (Company domain): What stands before .bamboohr.com in your address.

    Next: `connplan plan` shows what it changes.
    ");
    let slips = ["hubspto", "gdrive", "google-drive", "googlecal"];
    reads!(slips.map(|said| project.run(&["add", said])), @"
    exit 1: connplan add hubspto
    --- stderr
    error: the platform does not offer `hubspto`; nothing was written
      help: did you mean `hubspot`?
      code: connplan::usage

    exit 1: connplan add gdrive
    --- stderr
    error: the platform does not offer `gdrive`; nothing was written
      help: did you mean `googledrive`?
      code: connplan::usage

    exit 1: connplan add google-drive
    --- stderr
    error: the platform does not offer `google-drive`; nothing was written
      help: did you mean `googledrive`?
      code: connplan::usage

    exit 1: connplan add googlecal
    --- stderr
    error: the platform does not offer `googlecal`; nothing was written
      help: did you mean `googlecalendar`?
      code: connplan::usage
    ");
    // Stripe is no integration, and not in that list.
    reads!(project.run(&["add", "stripe"]), @"
    exit 0: connplan add stripe
    Created base44/connectors/stripe.jsonc: stripe, a Stripe sandbox is provisioned for it.

    Next: `connplan plan` shows what it changes.
    ");
    reads!(project.read("base44/connectors/stripe.jsonc"), @r#"
    // The app's stripe connector.
    // Stripe takes no scopes: a sandbox is provisioned, which you claim.
    {
      "type": "stripe"
    }
    "#);
    reads!(project.run(&["add", "stripe", "--scope", "x"]), @"
    exit 1: connplan add stripe --scope x
    --- stderr
    error: base44/connectors/stripe.jsonc already declares `stripe`; nothing was written
      help: edit base44/connectors/stripe.jsonc: an app has one connector of a type
      code: connplan::usage
    ");
}

#[test]
fn it_works_without_a_login_and_says_what_it_could_not_check() {
    let project = Project::new();
    let args = [
        "add",
        "slackbot",
        "--scope",
        "chat:write",
        "--scope",
        "teleport:write",
    ];
    reads!(project.run(&args), @"
    exit 0: connplan add slackbot --scope chat:write --scope teleport:write
    Created base44/connectors/slackbot.jsonc: slackbot, with 2 scopes.

    Next: `connplan plan` shows what it changes.
    --- stderr
    warning: whether the platform offers `slackbot` was not checked: no credentials were found
    warning: `teleport:write` is not a known scope of slackbot
    ");
    reads!(project.read("base44/connectors/slackbot.jsonc"), @r#"
    // The app's slackbot connector.
    {
      "type": "slackbot",
      "scopes": [
        "chat:write", // post messages (as the bot or as the user)
        "teleport:write"
      ]
    }
    "#);
    reads!(project.run(&["validate"]), @"
    exit 0: connplan validate
    Valid. 1 connector in base44/connectors: slackbot
    ");
    let odd = ["--scope=", "--scope=a b"];
    reads!(odd.map(|scope| project.run(&["add", "notion", scope])), @"
    exit 1: connplan add notion --scope=
    --- stderr
    error: `--scope ''` is not a scope
      help: a scope has no white space in it; give `--scope` once for each
      code: connplan::usage

    exit 1: connplan add notion --scope=a b
    --- stderr
    error: `--scope 'a b'` is not a scope
      help: a scope has no white space in it; give `--scope` once for each
      code: connplan::usage
    ");
    reads!(project.run(&["add", "slack", "--scope", "chat:wrte"]), @"
    exit 1: connplan add slack --scope chat:wrte
    --- stderr
    warning: whether the platform offers `slack` was not checked: no credentials were found
    error: `chat:wrte` is not a known scope of slack; nothing was written
      help: did you mean `chat:write`? If it is right as it is, write it into the file yourself
      code: connplan::usage
    ");
    reads!(project.run(&["add", "notion", "--scope", "read"]), @"
    exit 0: connplan add notion --scope read
    Created base44/connectors/notion.jsonc: notion, with 1 scope.

    Next: `connplan plan` shows what it changes.
    --- stderr
    warning: whether the platform offers `notion` was not checked: no credentials were found
    warning: notion has no scopes: whoever consents chooses what it may do. `read` is written, and means nothing there
    ");
    // What every command after it would refuse is not written.
    let comma = ["add", "github", "--scope", "repo,user"];
    reads!(project.run(&comma), @"
    exit 1: connplan add github --scope repo,user
    --- stderr
    warning: whether the platform offers `github` was not checked: no credentials were found
    error: `--scope repo,user`: github's provider takes that for several scopes; nothing was written
      help: give `--scope` once for each
      code: connplan::usage
    ");
    reads!(["SLACK", "Gmail", "Stripe"].map(|said| project.run(&["add", said])), @"
    exit 1: connplan add SLACK
    --- stderr
    error: types are written in lower case, and `SLACK` is not; nothing was written
      help: did you mean `slack`?
      code: connplan::usage

    exit 1: connplan add Gmail
    --- stderr
    error: types are written in lower case, and `Gmail` is not; nothing was written
      help: did you mean `gmail`?
      code: connplan::usage

    exit 1: connplan add Stripe
    --- stderr
    error: types are written in lower case, and `Stripe` is not; nothing was written
      help: did you mean `stripe`?
      code: connplan::usage
    ");
    reads!(project.run(&["add"]), @"
    exit 1: connplan add
    --- stderr
    error: which connector? No TYPE was given, and this run is not interactive
      help: name it: `connplan add TYPE`; `connplan list-available` shows the types
      code: connplan::usage
    ");
    reads!(project.run(&["add", "../x"]), @"
    exit 1: connplan add ../x
    --- stderr
    error: invalid value '../x' for '[TYPE]': a connector type holds only letters, digits, `_` and `-`

    For more information, try '--help'.
      code: connplan::usage
    ");
    assert_eq!(
        project.list("base44/connectors"),
        ["notion.jsonc", "slackbot.jsonc"]
    );
}

/// A scope without its address is written with it, and what a connection needs stands in the file.
#[test]
fn what_is_written_can_be_planned() {
    let platform = Platform::start();
    let project = Project::new().at(&platform);
    reads!(project.run(&["add", "gmail", "--scope", "gmail.send"]), @"
    exit 0: connplan add gmail --scope gmail.send
    Created base44/connectors/gmail.jsonc: gmail, with 1 scope.

    Next: `connplan plan` shows what it changes.
    --- stderr
    `gmail.send` is written as `https://www.googleapis.com/auth/gmail.send`.
    ");
    insta::assert_snapshot!(project.read("base44/connectors/gmail.jsonc"), @r#"
    // The app's gmail connector.
    {
      "type": "gmail",
      "scopes": [
        "https://www.googleapis.com/auth/gmail.send" // send mail as the user; cannot read the mailbox
      ]
    }
    "#);
    project.run(&["add", "bamboohr"]).expect(0);
    let text = project.read("base44/connectors/bamboohr.jsonc");
    insta::assert_snapshot!(text, @r#"
    // The app's bamboohr connector.
    {
      "type": "bamboohr",
      "scopes": [],
      "connection_config": {
        // What stands before .bamboohr.com in your address.
        "company_domain": ""
      }
    }
    "#);
    reads!(project.run(&["plan", "--target", "bamboohr"]), @r#"
    exit 1: connplan plan --target bamboohr
    --- stderr
    error: these connection values cannot be used:
      bamboohr (base44/connectors/bamboohr.jsonc): `company_domain` is needed, and is empty
      help: write them in the connector's file, for example "connection_config": {"subdomain": "acme"}
      code: connplan::usage
    "#);
    let text = text.replace(": \"\"", ": \"acme\"");
    project.write("base44/connectors/bamboohr.jsonc", &text);
    project.run(&["plan"]).expect(0);
}

#[test]
fn nothing_is_written_over() {
    let project = Project::new();
    project.write("base44/connectors/mine.jsonc", "{type: 'Acme'}");
    project.write("base44/connectors/linear.jsonc", "{type: 'asana'}");
    reads!(project.run(&["add", "acme"]), @"
    exit 1: connplan add acme
    --- stderr
    error: base44/connectors/mine.jsonc already declares `Acme`; nothing was written
      help: edit base44/connectors/mine.jsonc: an app has one connector of a type
      code: connplan::usage
    ");
    project.run(&["add", "linear"]).expect(0);
    assert_eq!(
        project.list("base44/connectors"),
        ["linear-2.jsonc", "linear.jsonc", "mine.jsonc"]
    );
    assert_eq!(
        project.read("base44/connectors/linear.jsonc"),
        "{type: 'asana'}"
    );
}

#[test]
fn of_other_files_add_says_how_many_warnings_there_are() {
    let project = Project::new();
    project.write("base44/connectors/a.jsonc", "{type: 'asana', nonsense: 1}");
    project.write("base44/connectors/b.YAML", "");
    reads!(project.run(&["add", "linear"]), @"
    exit 0: connplan add linear
    Created base44/connectors/linear.jsonc: linear, without scopes.

    `connplan scopes linear` lists the scopes that the file can name.

    Next: `connplan plan` shows what it changes.
    --- stderr
    2 warnings in other files; `connplan validate` shows them.
    warning: whether the platform offers `linear` was not checked: no credentials were found
    ");
}

#[test]
fn a_new_file_names_the_schema_that_init_wrote() {
    let project = Project::new();
    project.run(&["init", "--yes"]).expect(0);
    project.run(&["add", "linear", "--scope", "read"]).expect(0);
    reads!(project.read("base44/connectors/linear.jsonc"), @r#"
    // The app's linear connector.
    // Scopes: https://linear.app/developers/oauth-2-0-authentication
    {
      "$schema": "../connector.schema.json",
      "type": "linear",
      "scopes": [
        "read" // read everything the user can see; always included
      ]
    }
    "#);
    assert!(project.path("base44/connector.schema.json").exists());
    assert!(project.path(".github/skills/connplan/SKILL.md").exists());
    project.run(&["validate", "--strict"]).expect(0);
}

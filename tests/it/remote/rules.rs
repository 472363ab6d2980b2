//! The platform's rules as a user of the binary meets them.

use serde_json::{Value, json};

use crate::support::{Connector, Platform, Project, reads};

const NOTHING: [&str; 0] = [];

/// With a personal access token of this person instead of the key.
fn with_token(platform: &Platform, user: &str, access: &str) -> Project {
    let tokens = platform.call("GET", "/sandbox/admin/tokens", None).json();
    let tokens = tokens["tokens"].as_array().cloned().unwrap_or_default();
    let fits = |t: &&Value| t["user"] == user && t["access"] == access;
    let found = tokens.iter().find(fits);
    let token = found.and_then(|t| t["token"].as_str()).unwrap_or_default();
    Project::new()
        .at(platform)
        .without_var("BASE44_API_KEY")
        .var("BASE44_ACCESS_TOKEN", token)
}

#[test]
fn a_type_that_the_workspace_forbids_is_an_error_of_the_plan() {
    let seed = json!({ "settings": { "forbidden": { "tiktok": "Ask an admin." } } });
    let platform = Platform::seeded(seed);
    let project = Project::new()
        .at(&platform)
        .connector("tiktok", &[])
        .connector("slack", &[]);
    for args in [
        &["plan"][..],
        &["apply", "--auto-approve"],
        &["push", "--yes"],
    ] {
        project
            .run(args)
            .expect(6)
            .tells("the workspace's policy forbids this plan")
            .tells("tiktok");
    }
    assert_eq!(platform.writes(), NOTHING);
    platform.behave(&json!({ "policies_readable": false }));
    project.run(&["plan"]).expect(0);
}

#[test]
fn a_refusal_says_which_it_is_and_the_way_out() {
    let platform = Platform::with(&[Connector::active("github", &["repo"])]);
    let reads = with_token(&platform, "ada@example.com", "read_only").connector("slack", &[]);
    reads.run(&["plan"]).expect(0);
    reads.run(&["status"]).expect(0);
    reads!(reads.run(&["apply", "--auto-approve"]).lacks("ticket="));
    let full = with_token(&platform, "ada@example.com", "full").connector("slack", &[]);
    full.run(&["apply", "--auto-approve"]).expect(0);

    platform.behave(&json!({ "viewers": ["grace@example.com"] }));
    let output =
        with_token(&platform, "grace@example.com", "full").run(&["plan", "--allow-remove-all"]);
    reads!(output, @r#"
    exit 1: connplan plan --allow-remove-all
    --- stderr
    error: listing the connectors failed (request ID): this account may not edit the app: the server says "You need editor access to this app"
      help: ask the app's owner for editor access, or use the login or token of somebody who has it
      code: connplan::remote::forbidden
    "#);
    platform.behave(&json!({ "connectors_in_plan": false }));
    reads!(full.run(&["plan"]), @r#"
    exit 1: connplan plan
    --- stderr
    error: listing the connectors failed (request ID): the workspace's subscription does not include this: the server says "Connectors need the Builder plan or higher"
      help: connectors need the Builder plan or higher: ask the workspace's owner to change the subscription
      code: connplan::remote::forbidden
    "#);
    platform.behave(&json!({ "connectors_in_plan": true, "strict_keys": true }));
    reads!(Project::new().at(&platform).connector("slack", &[]).run(&["plan"]), @r#"
    exit 1: connplan plan
    --- stderr
    error: listing the connectors failed (request ID): a workspace API key may not do this: the server says "Workspace API keys cannot call this endpoint; use a personal access token"
      help: the platform refuses keys (b44k_…) here: make a personal access token in the workspace (Settings > Secrets > Personal access tokens), set BASE44_ACCESS_TOKEN to it and unset BASE44_API_KEY; or use `connplan login`
      code: connplan::remote::forbidden
    "#);
}

#[test]
fn values_are_held_against_what_the_platform_wants() {
    let platform = Platform::start();
    let project = Project::new().at(&platform);
    let file = "base44/connectors/bamboohr.jsonc";
    let plan = |text: &str, vars: &[(&str, &str)]| {
        project.write(file, text);
        project.run_vars(vars, &["plan"])
    };
    reads!(plan("{\"type\": \"bamboohr\"}", &[]), @r#"
    exit 1: connplan plan
    --- stderr
    error: these connection values cannot be used:
      bamboohr (base44/connectors/bamboohr.jsonc): `company_domain` is needed, and the file does not say it
      help: write them in the connector's file, for example "connection_config": {"subdomain": "acme"}
      code: connplan::usage
    "#);
    let with = |value: &str| {
        format!(
            "{{\"type\": \"bamboohr\", \"connection_config\": {{\"company_domain\": \"{value}\"}}}}"
        )
    };
    reads!(plan(&with("Not Good"), &[]), @r#"
    exit 1: connplan plan
    --- stderr
    error: these connection values cannot be used:
      bamboohr (base44/connectors/bamboohr.jsonc): `company_domain` is not as the platform wants it: Lower case letters, digits and `-` only.
      help: write them in the connector's file, for example "connection_config": {"subdomain": "acme"}
      code: connplan::usage
    "#);
    plan(&with("acme"), &[]).expect(0);
    reads!(plan(&with("${TENANT}"), &[]), @"
    exit 1: connplan plan
    --- stderr
    error: base44/connectors/bamboohr.jsonc: the connection value `company_domain` of bamboohr: the variable CONNPLAN_VAR_TENANT, which `${TENANT}` stands for, is not set
      help: if you want that file to have it: `export CONNPLAN_VAR_TENANT=...`; else write the value into that file
      code: connplan::usage
    ");
    plan(&with("${TENANT}"), &[("CONNPLAN_VAR_TENANT", "acme")]).expect(0);
    // A user's own plain name does, where no file of the checkout says where it goes. What the environment
    // holds for others is none of a file's.
    reads!(plan(&with("${TENANT}"), &[("TENANT", "acme")]), @r#"
    exit 0: connplan plan
    App app-1 at http://HOST

    Symbols:  + add

      + bamboohr              base44/connectors/bamboohr.jsonc
          connection value set: "company_domain" = "acme"
          authorization: required

    ! warning: base44/connectors/bamboohr.jsonc:1: the connection value `company_domain` is your own variable TENANT, and an apply sends it to app app-1
        help: if everybody who edits that app may have it, say so: `export CONNPLAN_VAR_TENANT=...`

    Plan: 1 to add, 0 to change, 0 to remove, 1 to authorize.
    "#);
    let secret = plan(&with("${BUILD}"), &[("BUILD", "9f8e7d6c5b4aannsown")]);
    reads!(secret.lacks("annsown"), @"
    exit 1: connplan plan
    --- stderr
    error: base44/connectors/bamboohr.jsonc: the connection value `company_domain` of bamboohr: your variable BUILD may hold a secret, and everybody can read connection values in a plan; if it is meant for that, `export CONNPLAN_VAR_BUILD=...`
      help: change the value in that file
      code: connplan::usage
    ");
    // In the shell of who asks, the store may be a remote of this very checkout.
    let store = [("TENANT", "canary-7"), ("CONNPLAN_STORE", "git:origin")];
    plan(&with("${TENANT}"), &store).expect(1).lacks("canary-7");
    let refused = |name: &str, ci: &str| {
        let vars = [(name, "canary-7"), ("CI", ci)];
        plan(&with(&format!("${{{name}}}")), &vars)
            .expect(1)
            .tells(&format!("`export CONNPLAN_VAR_{name}=...`"))
            .lacks("canary-7");
    };
    refused("DEPLOY_CREDS", "");
    refused("TENANT", "true");
    for (file, text) in [
        ("base44/connplan.toml", "[store]\nurl = \"git:origin\"\n"),
        (".env", "BASE44_ACCESS_TOKEN=b44u_theirs\n"),
    ] {
        project.write(file, text);
        refused("TENANT", "");
        std::fs::remove_file(project.path(file)).unwrap();
    }
    reads!(plan(&with("${X}"), &[("CONNPLAN_VAR_X", "ghp_canary7")]).lacks("canary7"), @"
    exit 1: connplan plan
    --- stderr
    error: base44/connectors/bamboohr.jsonc: the connection value `company_domain` of bamboohr: the variable CONNPLAN_VAR_X looks like a secret, and everybody can read connection values in a plan
      help: change the value in that file
      code: connplan::usage
    ");
    reads!(plan("{\"type\": \"bamboohr\", \"connection_config\": [1]}", &[]), @r#"
    exit 1: connplan plan
    --- stderr
    error: `connection_config` is a list, not an object
       ╭─[base44/connectors/bamboohr.jsonc:1:43]
     1 │ {"type": "bamboohr", "connection_config": [1]}
       ·                                           ┬
       ·                                           ╰── here
       ╰────
      help: write names and values, for example {"subdomain": "acme"}
      code: connplan::config::values_not_an_object
    error: base44/connectors/bamboohr.jsonc has 1 error; nothing was planned
      help: fix them; `connplan validate` checks without network and login
      code: connplan::config::invalid
    "#);
}

/// The platform decides which types need values, and asks nothing where nothing may be created.
#[test]
fn which_types_need_values_is_what_the_platform_says() {
    let needs = json!({ "notion": ["workspace_slug"], "bamboohr": [] });
    let platform = Platform::seeded(json!({ "settings": { "needed_values": needs } }));
    let offers = "/external-auth/available-integrations";
    let asked = || {
        let requests = platform.requests();
        platform.forget();
        requests
            .iter()
            .filter(|request| request.ends_with(offers))
            .count()
    };
    let needed = Project::new().at(&platform).connector("notion", &[]);
    for args in [
        &["plan"][..],
        &["apply", "--auto-approve"],
        &["push", "--yes"],
    ] {
        needed
            .run(args)
            .expect(1)
            .tells("`workspace_slug` is needed")
            .tells("base44/connectors/notion.jsonc");
        assert_eq!(asked(), 1, "{args:?}");
    }
    needed.run(&["status"]).expect(0);
    assert_eq!(asked(), 0, "to look creates nothing");
    let value = json!({ "type": "notion", "connection_config": { "workspace_slug": "acme" } });
    needed.write("base44/connectors/notion.jsonc", &value.to_string());
    needed.run(&["plan"]).expect(0);

    let none = Project::new().at(&platform).connector("bamboohr", &[]);
    none.run(&["plan"]).expect(0).lacks("may need");
    reads!(none.run(&["apply", "--auto-approve"]), @"
    exit 0: connplan apply --auto-approve
    App app-1 at http://HOST

    Symbols:  + add

      + bamboohr              base44/connectors/bamboohr.jsonc
          authorization: required

    Plan: 1 to add, 0 to change, 0 to remove, 1 to authorize.
    App app-1 at http://HOST

    Waiting for authorization: bamboohr

    Applied, 1 connector: 1 waiting for authorization.
    Next: connplan authorize
    --- stderr
    Acting as a workspace, by BASE44_API_KEY.
      ! bamboohr waiting for authorization
    ");

    platform.behave(&json!({ "offers_readable": false }));
    let unknown = Project::new().at(&platform).connector("notion", &[]);
    reads!(unknown.run(&["plan"]), @"
    exit 0: connplan plan
    App app-1 at http://HOST

    Symbols:  + add

      + notion                base44/connectors/notion.jsonc
          authorization: required

    Plan: 1 to add, 0 to change, 0 to remove, 1 to authorize.
    --- stderr
    The platform does not say which connection values notion may need. If one is missing, the platform refuses the connector.
    ");
    reads!(unknown.run(&["apply", "--auto-approve"]));
    // What the app has needs nothing more.
    let has = Platform::with(&[Connector::active("bamboohr", &[])]);
    let has = Project::new().at(&has).connector("bamboohr", &[]);
    has.run(&["plan", "--detailed-exitcode"]).expect(0);
}

#[test]
fn a_saved_plan_is_held_against_the_policies_of_today() {
    let platform = Platform::start();
    let project = Project::new().at(&platform).connector("tiktok", &[]);
    project.run(&["plan", "--out", "x.plan"]).expect(0);
    platform.behave(&json!({ "forbidden": { "tiktok": "Ask an admin." } }));
    platform.forget();
    reads!(project.run(&["apply", "x.plan"]), @"
    exit 6: connplan apply x.plan
    --- stderr
    Acting as a workspace, by BASE44_API_KEY.
    error: the workspace's policy forbids this plan; nothing was written:
      workspace: tiktok: the workspace does not let builders connect this type; its administrator can allow it
      help: change the connector files, or ask whoever is responsible for the policy to change it
      code: connplan::plan::policy
    ");
    assert_eq!(platform.writes(), NOTHING);
}

/// What nobody knows a reason for, the platform is asked about: once, and where it does not tell, the
/// difference stays, with the setting that settles it.
#[test]
fn what_the_platform_says_that_it_adds_is_no_difference() {
    let platform = Platform::with(&[Connector::active("slackbot", &["chat:write", "team:read"])]);
    let project = Project::new()
        .at(&platform)
        .connector("slackbot", &["chat:write"]);
    reads!(project.run(&["plan", "--detailed-exitcode"]), @"
    exit 2: connplan plan --detailed-exitcode
    App app-1 at http://HOST

    Symbols:  ~ change

      ~ slackbot              base44/connectors/slackbot.jsonc
          - team:read  see workspace name, email domain and icon · read
            1 unchanged scope
          authorization: perhaps required (only the platform knows)

    note: slackbot: if the provider or the platform adds these scopes by itself, list them as `[providers.slackbot] adds` in connplan.toml, and it does not count as a difference any more

    Plan: 0 to add, 1 to change, 0 to remove, 0 to authorize.
    ");
    platform.behave(&json!({
        "added_scopes": { "slackbot": ["team:read"] }, "auto_added_readable": true
    }));
    project.run(&["plan", "--detailed-exitcode"]).expect(0);
    project.run(&["status", "--detailed-exitcode"]).expect(0);
    // A plan that was made so is applied so.
    project.declare("slackbot", &["chat:write", "files:read"]);
    project.run(&["plan", "--out", "x.plan"]).expect(0);
    project.run(&["apply", "x.plan"]).expect(0);
    project.run(&["authorize", "--list"]).expect(4);
}

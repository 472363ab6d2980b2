//! A connector file names a variable of the user's own: an app gets it where this user said so.

use crate::support::{Platform, Project, Pty, reads};

const FILE: &str = r#"{
  "type": "bamboohr",
  "connection_config": { "company_domain": "${TENANT}" }
}"#;

/// A stranger's clone.
fn clone(platform: &Platform) -> Project {
    let project = Project::new().at(platform).var("TENANT", "canary-7");
    project.file("base44/connectors/bamboohr.jsonc", FILE)
}

#[test]
fn nothing_with_power_takes_a_variable_that_the_user_did_not_give() {
    let platform = Platform::start();
    let project = clone(&platform);
    // Looking shows what it would take.
    project
        .run(&["plan"])
        .expect(0)
        .says("\"company_domain\" = \"canary-7\"");
    reads!(project.run(&["apply", "--auto-approve"]).lacks("canary-7"), @"
    exit 1: connplan apply --auto-approve
    --- stderr
    error: base44/connectors/bamboohr.jsonc, line 3: the connection value `company_domain` of bamboohr is your own variable TENANT, and you have not said that app app-1 may have it
      help: if it may: `connplan trust TENANT --app-id app-1`; `export CONNPLAN_VAR_TENANT=...` names a value for connector files alone
      code: connplan::usage
    ");
    for command in [
        &["push", "--yes"][..],
        &["plan", "--out", "x.plan"],
        &["authorize", "--yes", "--no-browser"],
    ] {
        let place = "base44/connectors/bamboohr.jsonc, line 3: ";
        let run = project.run(command);
        run.expect(1)
            .tells(place)
            .tells("`connplan trust TENANT --app-id app-1`")
            .lacks("canary-7");
    }
    assert!(!project.path("x.plan").exists());
    assert!(platform.writes().is_empty());
    // What is named for connector files is given, as ever.
    let named = [("CONNPLAN_VAR_TENANT", "acme")];
    project
        .run_vars(&named, &["apply", "--auto-approve"])
        .expect(0);
}

/// A file of the checkout names the platform, and so where the value goes.
#[test]
fn a_file_that_names_the_platform_takes_no_variable_that_it_names_too() {
    let platform = Platform::start();
    let stage = format!("[environments.stage]\napi_url = \"{}\"\n", platform.url());
    let env = format!("BASE44_API_URL={}\n", platform.url());
    for (file, text, named) in [
        ("base44/connplan.toml", stage, &["--env", "stage"][..]),
        (".env", env, &[]),
    ] {
        let project = Project::new().var("TENANT", "canary-7");
        project.write("base44/connectors/bamboohr.jsonc", FILE);
        project.write(file, &text);
        let vars = [("BASE44_API_KEY", platform.key())];
        let run = project.run_vars(&vars, &[&["plan"], named].concat());
        run.expect(1)
            .tells("the variable CONNPLAN_VAR_TENANT")
            .lacks("canary-7");
    }
}

#[test]
fn an_app_has_the_variables_that_it_was_given() {
    let platform = Platform::start();
    let project = clone(&platform);
    reads!(project.run(&["trust", "TENANT"]), @"
    exit 0: connplan trust TENANT
    --- stderr
    App app-1 may have your variable TENANT from now on.
    ");
    project.run(&["trust", "TENANT"]).expect(0);
    reads!(project.run(&["trust", "--list"]), @"
    exit 0: connplan trust --list
    TENANT for app app-1 at http://HOST  trusted just now
    ");
    let listed = project.run(&["trust", "--list", "--format", "json"]);
    assert_eq!(listed.json()["variables"][0]["app_id"], "app-1");
    project.run(&["plan"]).expect(0).lacks("your own variable");
    // Another app is somebody else's.
    project
        .run(&["--app-id", "app-2", "apply", "--auto-approve"])
        .expect(1)
        .tells("`connplan trust TENANT --app-id app-2`");
    assert!(platform.writes().is_empty());
    project.run(&["apply", "--auto-approve"]).expect(0);
    assert!(!platform.writes().is_empty());
    reads!(project.run(&["trust", "--remove", "TENANT"]), @"
    exit 0: connplan trust --remove TENANT
    --- stderr
    App app-1 may not have your variable TENANT any more.
    ");
    project.run(&["plan", "--out", "x.plan"]).expect(1);
}

#[test]
fn in_a_terminal_it_is_asked_once() {
    let platform = Platform::start();
    let project = clone(&platform);
    let mut pty = Pty::start(&project, &["apply", "--auto-approve"]);
    pty.wait_for("bamboohr company_domain = canary-7, from TENANT")
        .wait_for("(base44/connectors/bamboohr.jsonc, line 3)")
        .wait_for("Only 'yes'")
        .line("no");
    assert_eq!(pty.end().0, 1);
    assert!(platform.writes().is_empty());
    let mut pty = Pty::start(&project, &["plan", "--out", "x.plan"]);
    pty.wait_for("Only 'yes'").line("yes");
    assert_eq!(pty.end().0, 0);
    project.run(&["apply", "x.plan"]).expect(0);
    let pty = Pty::start(&project, &["apply", "--auto-approve"]);
    assert_eq!(pty.end().0, 0);
}

//! Which project, which app, which address, which credentials.
#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use serde_json::Value;

use crate::support::{Platform, Project, one, reads};

const NOTHING: [&str; 0] = [];

/// The app and the address that a plan was made for.
fn planned_for(project: &Project, vars: &[(&str, &str)], args: &[&str]) -> (String, String) {
    let args = [&["plan", "--format", "json", "--allow-remove-all"], args].concat();
    let output = project.run_vars(vars, &args);
    output.expect(0);
    let app = output.json()["apps"][0].clone();
    let word = |value: &Value| value.as_str().unwrap().to_owned();
    (word(&app["app_id"]), word(&app["api_url"]))
}

#[test]
fn the_project_is_found_from_below_and_by_c() {
    let (_platform, project) = one();
    project.write("src/deep/er/x", "");
    let plan = project.run_in("src/deep/er", &["plan"]);
    reads!(plan, @"
    exit 0: connplan plan
    App app-1 at http://HOST

    Symbols:  + add  - remove  ! look here

      - gmail                 no file declares it
          - openid
              sign-in: stable Google account id in an ID token · identity, non-sensitive
          ! the tokens of ada@example.com are lost for good

      + slack                 base44/connectors/slack.jsonc
          + chat:write  post messages (as the bot or as the user) · write
          authorization: required

    A removal deletes the tokens and the connector's file in the app's own code too. What was granted at the provider stays until somebody revokes it there (myaccount.google.com/connections).

    Plan: 1 to add, 0 to change, 1 to remove, 1 to authorize.
    ");
    let plan = plan.stdout;
    let root = project.root();
    let root = root.to_str().unwrap();
    assert_eq!(project.run_in("src", &["-C", root, "plan"]).stdout, plan);
    let below = project.run_in("src", &["plan", "-C", "../base44"]);
    assert_eq!(below.stdout, plan);
    // Files that are named go by where the run happens, `-C` included.
    project
        .run_in("src", &["-C", "..", "plan", "--out", "x.plan"])
        .expect(0);
    assert!(project.path("x.plan").exists());
    project
        .run_in("src/deep", &["plan", "--out", "y.plan"])
        .expect(0);
    assert!(project.path("src/deep/y.plan").exists());
    reads!(Project::nowhere().run(&["plan"]), @"
    exit 1: connplan plan
    --- stderr
    error: no Base44 project here: neither FOLDER/project nor a folder above it holds base44/config.jsonc or config.jsonc (or .json)
      help: go to the project, or name its folder with `-C DIR`; `npx base44 create` makes a project, and `connplan demo` shows all of it without one. To do without a project, name the app with `--app-id ID` or BASE44_APP_ID: connector files then come from ./connectors, or from `--dir DIR`
      code: connplan::config::no_project
    ");
}

#[test]
fn the_app_comes_from_the_option_the_environment_or_the_file() {
    let (platform, project) = one();
    let url = platform.url().to_owned();
    let app = |vars: &[(&str, &str)], args: &[&str]| planned_for(&project, vars, args).0;
    assert_eq!(app(&[], &[]), "app-1");
    assert_eq!(
        app(&[("BASE44_PROJECTS_BASE44_APP_ID", "platform")], &[]),
        "platform"
    );
    project.write(".env", "BASE44_APP_ID=dot-env\n");
    assert_eq!(app(&[], &[]), "dot-env");
    project.write(
        ".env.local",
        "export BASE44_APP_ID='dot-env-local' # mine\n",
    );
    assert_eq!(app(&[], &[]), "dot-env-local");
    assert_eq!(app(&[("BASE44_APP_ID", "process")], &[]), "process");
    assert_eq!(
        app(&[("BASE44_APP_ID", "process")], &["--app-id", "option"]),
        "option"
    );
    project.write(
        "base44/connplan.toml",
        "[environments.dev]\napp_id = \"dev-app\"\n",
    );
    assert_eq!(
        app(
            &[("BASE44_APP_ID", "process")],
            &["--env", "dev", "--app-id", "option"]
        ),
        "option"
    );
    assert_eq!(planned_for(&project, &[], &[]).1, url);
    for wrong in ["../x", "a b", "", "x?y=z", "a/b"] {
        project.run(&["plan", "--app-id", wrong]).expect(1);
    }
}

#[test]
fn an_environment_names_its_app_and_address() {
    let (platform, project) = one();
    let text = format!(
        "[environments.dev]\napp_id = \"dev-app\"\napi_url = \"{}\"\nconnectors_dir = \"dev\"\n",
        platform.url()
    );
    project.write("base44/connplan.toml", &text);
    project.write("base44/dev/x.jsonc", "{\"type\": \"linear\"}");
    let plan = project.run(&["plan", "--env", "dev", "--format", "json"]);
    plan.expect(0);
    let app = plan.json()["apps"][0].clone();
    assert_eq!(app["environment"], "dev");
    assert_eq!(app["app_id"], "dev-app");
    assert_eq!(app["changes"][0]["connector"], "linear");
    reads!(project.run(&["plan", "--env", "deb"]), @"
    exit 1: connplan plan --env deb
    --- stderr
    error: there is no environment `deb`
      help: connplan.toml has `dev`
      code: connplan::config::no_environment
    ");
}

#[test]
fn the_address_comes_from_the_environment_and_its_files() {
    let platform = Platform::start();
    let project = Project::new().var("BASE44_API_KEY", platform.key());
    project.write(
        ".env",
        &format!("BASE44_PROJECTS_BASE44_API_URL={}\n", platform.url()),
    );
    // A key of the user goes where a file says only if the user wants that.
    reads!(project.run(&["plan"]).tells(&format!("connplan trust {}", platform.url())), @"
    exit 1: connplan plan
    --- stderr
    error: .env, line 1, names http://HOST as the platform's address; you have not allowed BASE44_API_KEY to be sent there, so nothing was sent
      help: if you know that address and want your credentials to go there, run `connplan trust http://HOST`; else leave it, or set BASE44_API_URL yourself
      code: connplan::auth::untrusted_address
    ");
    assert_eq!(platform.requests(), NOTHING);
    project.run(&["trust", platform.url()]).expect(0);
    assert_eq!(planned_for(&project, &[], &[]).1, platform.url());
    project.write(
        ".env",
        &format!(
            "BASE44_API_URL={}/\nBASE44_PROJECTS_BASE44_API_URL=http://127.0.0.1:1\n",
            platform.url()
        ),
    );
    assert_eq!(planned_for(&project, &[], &[]).1, platform.url());
    reads!(project.run_vars(&[("BASE44_API_URL", "http://127.0.0.1:1")], &["plan"]), @"
    exit 1: connplan plan
    --- stderr
    error: listing the connectors failed after 4 attempts (request ID): HOST could not be reached, it refused the connection
      help: check the network, the proxy variables (HTTPS_PROXY, NO_PROXY) and BASE44_API_URL
      code: connplan::remote::unreachable
    ");
    project
        .run_vars(&[("BASE44_API_URL", "not an address")], &["plan"])
        .expect(1);
    reads!(project.run_vars(&[("BASE44_API_URL", "http://example.com")], &["plan"]), @"
    exit 1: connplan plan
    --- stderr
    error: http://example.com is not encrypted, so no credentials are sent there
      help: use an https address; plain http is for this machine alone, unless `--allow-http` is given
      code: connplan::remote::insecure
    ");
}

#[test]
fn without_a_project_files_come_from_the_folder_or_dir() {
    let platform = Platform::start();
    let project = Project::nowhere()
        .at(&platform)
        .file("connectors/a.json", "{\"type\": \"slack\"}")
        .file("other/b.json", "{\"type\": \"linear\"}");
    reads!(project.run(&["plan", "--app-id", "app-1"]), @"
    exit 0: connplan plan --app-id app-1
    App app-1 at http://HOST

    Symbols:  + add

      + slack                 connectors/a.json
          authorization: required

    Plan: 1 to add, 0 to change, 0 to remove, 1 to authorize.
    ");
    reads!(project.run(&["plan", "--app-id", "app-1", "--dir", "other"]).lacks("slack"), @"
    exit 0: connplan plan --app-id app-1 --dir other
    App app-1 at http://HOST

    Symbols:  + add

      + linear                other/b.json
          authorization: required

    Plan: 1 to add, 0 to change, 0 to remove, 1 to authorize.
    ");
    reads!(project.run_vars(&[("BASE44_APP_ID", "app-9")], &["plan"]), @"
    exit 0: connplan plan
    App app-9 at http://HOST

    Symbols:  + add

      + slack                 connectors/a.json
          authorization: required

    Plan: 1 to add, 0 to change, 0 to remove, 1 to authorize.
    ");
    reads!(project.run(&["validate", "--dir", "other"]), @"
    exit 0: connplan validate --dir other
    Valid. 1 connector in other: linear
    ");
    reads!(project.run(&["push", "--app-id", "app-1", "--dir", "other", "-y"]), @"
    exit 4: connplan push --app-id app-1 --dir other -y
    Summary:
      Skipped: linear
    --- stderr
    Acting as a workspace, by BASE44_API_KEY.
    Found 1 connectors to push: linear
    App app-1 at http://HOST

    Symbols:  + add

      + linear                other/b.json
          authorization: required

    Plan: 1 to add, 0 to change, 0 to remove, 1 to authorize.
      ! linear waiting for authorization
    Skipped OAuth in non-interactive mode. Run `connplan --app-id app-1 authorize --dir other` in a terminal to complete it.
    ");
}

#[test]
fn no_credential_names_the_ways_that_work() {
    let (platform, project) = one();
    let project = project.without_var("BASE44_API_KEY");
    platform.forget();
    for args in [
        &["plan"][..],
        &["apply", "--auto-approve"],
        &["authorize", "--list"],
        &["push", "-y"],
        &["status"],
        &["whoami"],
        &["list-available"],
        &["remote-state"],
    ] {
        project
            .run(args)
            .expect(1)
            .tells("connplan login")
            .tells("BASE44_ACCESS_TOKEN");
    }
    assert_eq!(platform.requests(), NOTHING);
    project.run(&["validate"]).expect(0);
}

#[test]
fn a_refused_key_is_said_and_never_shown() {
    let (_platform, project) = one();
    let output = project.run_vars(&[("BASE44_API_KEY", "b44k_wrong_canary")], &["-vv", "plan"]);
    output.expect(1).lacks("wrong_canary");
}

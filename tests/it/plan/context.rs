//! Which project, which app, which address, which credentials.
#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use serde_json::Value;

use crate::support::{Platform, Project, one};

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
    let from_below = project.run_in("src/deep/er", &["plan"]);
    from_below.expect(0).says("base44/connectors/slack.jsonc");
    let root = project.root();
    let root = root.to_str().unwrap();
    project
        .run_in("src", &["-C", root, "plan"])
        .expect(0)
        .says("slack");
    project
        .run_in("src", &["plan", "-C", "../base44"])
        .expect(0)
        .says("slack");
    // Files that are named go by where the run happens, `-C` included.
    project
        .run_in("src", &["-C", "..", "plan", "--out", "x.plan"])
        .expect(0);
    assert!(project.path("x.plan").exists());
    project
        .run_in("src/deep", &["plan", "--out", "y.plan"])
        .expect(0);
    assert!(project.path("src/deep/y.plan").exists());
    Project::nowhere().run(&["plan"]).expect(1).tells("base44");
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
    project
        .run(&["plan", "--env", "deb"])
        .expect(1)
        .tells("dev");
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
    project
        .run(&["plan"])
        .expect(1)
        .tells(&format!("connplan trust {}", platform.url()));
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
    project
        .run_vars(&[("BASE44_API_URL", "http://127.0.0.1:1")], &["plan"])
        .expect(1)
        .tells("127.0.0.1:1");
    project
        .run_vars(&[("BASE44_API_URL", "not an address")], &["plan"])
        .expect(1);
    project
        .run_vars(&[("BASE44_API_URL", "http://example.com")], &["plan"])
        .expect(1)
        .tells("https");
}

#[test]
fn without_a_project_files_come_from_the_folder_or_dir() {
    let platform = Platform::start();
    let project = Project::nowhere()
        .at(&platform)
        .file("connectors/a.json", "{\"type\": \"slack\"}")
        .file("other/b.json", "{\"type\": \"linear\"}");
    project
        .run(&["plan", "--app-id", "app-1"])
        .expect(0)
        .says("slack");
    project
        .run(&["plan", "--app-id", "app-1", "--dir", "other"])
        .expect(0)
        .says("linear")
        .lacks("slack");
    project
        .run_vars(&[("BASE44_APP_ID", "app-9")], &["plan"])
        .expect(0)
        .says("app-9");
    project
        .run(&["validate", "--dir", "other"])
        .expect(0)
        .says("linear");
    project
        .run(&["push", "--app-id", "app-1", "--dir", "other", "-y"])
        .says("linear");
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

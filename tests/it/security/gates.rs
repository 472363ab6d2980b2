//! A gate that is opened where no settings of the base say a word, and one whose words stay.

use super::loosening::{git, planned_in};
use crate::support::{Connector, Platform, Project, reads};

fn committed(project: &Project) -> String {
    git(project, &["add", "-A"]);
    git(project, &["commit", "-qm", "."]);
    git(project, &["rev-parse", "HEAD"])
}

#[test]
fn what_is_hidden_from_drift_is_a_danger_where_the_base_has_no_settings() {
    let platform = Platform::with(&[Connector::active("wix", &["a", "b"])]);
    let project = Project::new().at(&platform).connector("wix", &["a"]);
    git(&project, &["init", "-q", "-b", "main"]);
    let base = committed(&project);
    project.write("base44/connplan.toml", "[providers.wix]\nadds = [\"b\"]\n");
    committed(&project);
    reads!(planned_in(&project, &base, "."), @"
    exit 0: connplan -C . plan
    ! danger: this pull or merge request hides what the app has and no file declares: [providers] `adds` has scopes that it does not have on the base branch, and these count as no difference any more

    App app-1 at http://HOST

    No changes. The app matches the connector files.
    ");
    // Settings that hide nothing are none.
    project.write("base44/connplan.toml", "[apply]\nkeep_going = true\n");
    committed(&project);
    planned_in(&project, &base, ".").lacks("danger: this pull");
}

#[test]
fn the_remote_of_another_repository_is_another_store() {
    let platform = Platform::start();
    let project = Project::new().at(&platform);
    let remote = |name: &str| {
        project
            .path(&format!("../{name}.git"))
            .display()
            .to_string()
    };
    let (team, evil) = (remote("team"), remote("evil"));
    for remote in [&team, &evil] {
        git(&project, &["init", "-q", "--bare", "-b", "main", remote]);
    }
    git(&project, &["init", "-q", "-b", "main"]);
    git(&project, &["remote", "add", "origin", &team]);
    project.write("apps/shop/base44/config.jsonc", "{ \"name\": \"Shop\" }");
    project.write("apps/shop/base44/.app.jsonc", "{ \"id\": \"app-1\" }");
    let settings = "[store]\nurl = \"git:origin\"\n";
    project.write("apps/shop/base44/connplan.toml", settings);
    project.write("apps/shop/base44/connectors/.keep", "");
    let base = committed(&project);
    git(&project, &["push", "-q", "origin", "main"]);
    // Another repository has the same project, with the same settings.
    let inner = project.path("../inner").display().to_string();
    std::fs::rename(project.path("apps/shop"), &inner).unwrap();
    let within = |args: &[&str]| git(&project, &[&["-C", &inner], args].concat());
    within(&["init", "-q", "-b", "main"]);
    within(&["add", "-A"]);
    within(&["commit", "-qm", "."]);
    within(&["push", "-q", &evil, "main"]);
    git(&project, &["add", "-A"]);
    let from = ["-c", "protocol.file.allow=always", "submodule", "--quiet"];
    git(
        &project,
        &[&from[..], &["add", &evil, "apps/shop"]].concat(),
    );
    let head = committed(&project);
    reads!(planned_in(&project, &base, "apps/shop"), @"
    exit 0: connplan -C apps/shop plan
    ! danger: this pull or merge request leaves the team's store: the project is in another repository than on the base branch, and the git remote that [store] `url` names is another one there

    App app-1 at http://HOST

    No changes. The app matches the connector files.
    ");
    // Of one that the base has there too, it is the same.
    planned_in(&project, &head, "apps/shop").lacks("store");
    // And so it is where the submodule is a clone of the team's repository.
    git(
        &project,
        &["-C", "apps/shop", "remote", "set-url", "origin", &team],
    );
    planned_in(&project, &base, "apps/shop").lacks("store");
}

#[test]
fn a_project_that_becomes_one_of_another_app_is_a_danger() {
    let platform = Platform::start();
    let project = Project::new().at(&platform);
    git(&project, &["init", "-q", "-b", "main"]);
    project.write("base44/.app.jsonc", "{ \"id\": \"app-2\" }");
    let base = committed(&project);
    project.write("base44/.app.jsonc", "{ \"id\": \"app-1\" }");
    let head = committed(&project);
    reads!(planned_in(&project, &base, "."), @"
    exit 0: connplan -C . plan
    ! danger: this pull or merge request makes the project one of another app: on the base branch it is not of app app-1, to which this plan goes

    App app-1 at http://HOST

    No changes. The app matches the connector files.
    ");
    planned_in(&project, &head, ".").lacks("danger");
}

/// In a pipeline the home may be a folder of the checkout, kept by its cache.
#[test]
fn what_a_repository_ships_as_the_home_is_not_believed() {
    let evil = Platform::start();
    let project = Project::new().connector("wix", &["a"]);
    git(&project, &["init", "-q", "-b", "main"]);
    let trust = format!(
        "format_version = \"1.0\"\n[[address]]\nurl = \"{}\"\nsince = \"2026-01-01T00:00:00Z\"\n",
        evil.url()
    );
    project.write(".home/.local/state/connplan/trust.toml", &trust);
    project.write(
        ".home/.base44/auth/auth.json",
        &format!(
            r#"{{"accessToken":"x","refreshToken":"y","expiresAt":1,"apiUrl":"{}"}}"#,
            evil.url()
        ),
    );
    project.write(".env", &format!("BASE44_API_URL={}\n", evil.url()));
    let home = project.path(".home").display().to_string();
    let vars = [
        ("CI", "true"),
        ("HOME", &*home),
        ("CONNPLAN_STATE_DIR", ""),
        ("BASE44_ACCESS_TOKEN", "b44u_canary"),
    ];
    reads!(project.run_vars(&vars, &["plan"]), @"
    exit 1: connplan plan
    --- stderr
    warning: the home folder FOLDER/project/.home lies in the checkout, whose files may be what somebody proposes: the login there is not used
    warning: the state folder FOLDER/project/.home/.local/state/connplan lies in the checkout FOLDER/project, whose files may be what somebody proposes: it is not used; set CONNPLAN_STATE_DIR to a folder outside it
    error: .env, line 1, names http://HOST as the platform's address; you have not allowed BASE44_ACCESS_TOKEN to be sent there, so nothing was sent
      help: if you know that address and want your credentials to go there, run `connplan trust http://HOST`; else leave it, or set BASE44_API_URL yourself
      code: connplan::auth::untrusted_address
    ");
    assert!(evil.requests().is_empty());
}

/// Of an account a plan has a masked text to read and a digest: where no file names it, nobody knows whose it is.
#[test]
fn a_plan_expects_nobody_whom_the_files_do_not_name() {
    let platform = Platform::start();
    let file = |account: &str| format!(r#"{{"type":"slack","scopes":["users:read"]{account}}}"#);
    let name = "base44/connectors/slack.jsonc";
    let project = Project::new().at(&platform);
    project.write(name, &file(r#","account":"eve@example.com""#));
    project.run(&["plan", "--out", "x.plan"]).expect(0);
    project.write(name, &file(""));
    reads!(project.run(&["apply", "x.plan"]), @"
    exit 3: connplan apply x.plan
    --- stderr
    error: the plan has another account for slack than base44/connectors/slack.jsonc declares
      help: nothing was written. If the file was changed since, run `connplan plan` again and have that reviewed; if it was not, somebody altered the plan
      code: connplan::plan::contradicts_files
    ");
    assert!(platform.writes().is_empty());
}

/// A disk that takes no notice of case would read it, and the base branch would have none of that name.
#[test]
fn settings_whose_name_has_other_letters_are_an_error() {
    let project = Project::new().connector("wix", &["a"]);
    project.write("base44/Connplan.toml", "[policy]\nprotected = [\"wix\"]\n");
    reads!(project.run(&["validate"]), @"
    exit 1: connplan validate
    Not valid: 1 error found.
    --- stderr
    error: base44/Connplan.toml: its name is not `connplan.toml`, to the letter: rename it
      code: connplan::config::setting
    ");
}

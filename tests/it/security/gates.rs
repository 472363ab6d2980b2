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

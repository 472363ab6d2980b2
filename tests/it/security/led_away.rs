//! A proposal that leads a pipeline away from where the base's settings stand.

use std::os::unix::fs::symlink;

use super::loosening::{forbidden, git};
use crate::support::{Connector, Output, Platform, Project, output, reads};

/// A base whose project in `apps/shop` protects notion.
fn shop() -> (Platform, Project) {
    let platform = Platform::with(&[Connector::active("notion", &[])]);
    let project = Project::new().at(&platform);
    project.declare("notion", &[]);
    project.write(
        "base44/connplan.toml",
        "[policy]\nprotected = [\"notion\"]\n",
    );
    std::fs::create_dir_all(project.path("apps/shop")).unwrap();
    std::fs::rename(project.path("base44"), project.path("apps/shop/base44")).unwrap();
    git(&project, &["init", "-q", "-b", "main"]);
    (platform, project)
}

/// What removes notion, as a project of this app.
fn without_notion(project: &Project, folder: &str, app: &str) {
    project.write(
        &format!("{folder}/base44/config.jsonc"),
        "{ \"name\": \"T\" }",
    );
    let app = format!("{{ \"id\":  \"{app}\" }}");
    project.write(&format!("{folder}/base44/.app.jsonc"), &app);
    let wix = "{ \"type\": \"wix\", \"scopes\": [] }";
    project.write(&format!("{folder}/base44/connectors/wix.jsonc"), wix);
}

fn committed(project: &Project) -> String {
    git(project, &["add", "-A"]);
    git(project, &["commit", "-qm", "."]);
    git(project, &["rev-parse", "HEAD"])
}

fn link(project: &Project, to: &str, at: &str) {
    let place = project.path(at);
    let _ = std::fs::remove_file(&place);
    let _ = std::fs::remove_dir_all(&place);
    symlink(to, place).unwrap();
}

/// Plans for a pull request; the folder as `-C` names it, or where the step stands that names none.
fn planned(project: &Project, base: &str, folder: &str) -> Output {
    planned_where(project, base, folder, &project.root().display().to_string())
}

/// The same where the pipeline names this workspace, or none.
fn planned_where(project: &Project, base: &str, folder: &str, workspace: &str) -> Output {
    let event = format!(r#"{{"pull_request":{{"number":5,"base":{{"sha":"{base}"}}}}}}"#);
    project.write("../event.json", &event);
    let event = project.path("../event.json").display().to_string();
    let vars = [
        ("CI", "true"),
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_EVENT_NAME", "pull_request"),
        ("GITHUB_EVENT_PATH", event.as_str()),
        ("GITHUB_WORKSPACE", workspace),
    ];
    project.run_vars(&vars, &["-C", folder, "plan"])
}

/// Another repository, as a submodule in `vendor/sub`.
fn with_submodule(project: &Project) {
    let module = project.path("../module").display().to_string();
    std::fs::create_dir(&module).unwrap();
    project.write("../module/README", "x");
    let within = |args: &[&str]| git(project, &[&["-C", &module], args].concat());
    within(&["init", "-q", "-b", "main"]);
    within(&["add", "-A"]);
    within(&["commit", "-qm", "module"]);
    let from = ["-c", "protocol.file.allow=always", "submodule", "--quiet"];
    git(
        project,
        &[&from[..], &["add", &module, "vendor/sub"]].concat(),
    );
}

#[test]
fn a_link_into_a_submodule_that_was_there_loses_no_settings() {
    let (_platform, project) = shop();
    with_submodule(&project);
    let base = committed(&project);
    // What the submodule holds does not hide what is beside it.
    without_notion(&project, "evil", "app-1");
    forbidden(&planned(&project, &base, "evil"));
    std::fs::remove_dir_all(project.path("evil")).unwrap();
    without_notion(&project, "vendor/sub/proj", "app-1");
    let within = |args: &[&str]| git(&project, &[&["-C", "vendor/sub"], args].concat());
    within(&["add", "-A"]);
    within(&["commit", "-qm", "proposal"]);
    link(&project, "../vendor/sub/proj", "apps/shop");
    let head = committed(&project);
    // By its name, and by where that leads.
    for folder in ["apps/shop", "vendor/sub/proj"] {
        forbidden(&planned(&project, &base, folder));
    }
    // Where it is merged, the project in the submodule is what it is.
    planned(&project, &head, "vendor/sub/proj").expect(0);
    // What is applied is held against what was there before the merge.
    let outside = project.path("../outside").display().to_string();
    git(&project, &["checkout", "-qf", &base]);
    project.write(
        "apps/shop/base44/connplan.toml",
        "[approval]\nrequire = \"review\"\n",
    );
    let base = committed(&project);
    link(&project, "../vendor/sub/proj", "apps/shop");
    committed(&project);
    std::fs::create_dir(&outside).unwrap();
    let plan = format!("{outside}/x.plan");
    let run = |args: &[&str]| {
        project.write("../event.json", &format!(r#"{{"before":"{base}"}}"#));
        let event = project.path("../event.json").display().to_string();
        let vars = [("CI", "true"), ("GITHUB_EVENT_PATH", event.as_str())];
        project.run_vars(&vars, &[&["-C", "apps/shop"], args].concat())
    };
    run(&["plan", "--out", &plan]).expect(0);
    reads!(run(&["apply", &plan]), @"
    exit 3: connplan -C apps/shop apply FOLDER/project/../outside/x.plan
    --- stderr
    error: the plan is not approved: 1 approving review needed, 0 found
      help: have the pull or merge request approved whose comment shows this plan; then `connplan -C apps/shop apply FOLDER/project/../outside/x.plan --approved-in-review=1`
      code: connplan::approval::missing
    ");
}

#[test]
fn a_link_out_of_the_repository_loses_no_settings() {
    let (_platform, project) = shop();
    let base = committed(&project);
    without_notion(&project, "../cache/proj", "app-1");
    let cache = project.path("../cache/proj").canonicalize().unwrap();
    let cache = cache.display().to_string();
    link(&project, &cache, "apps/shop");
    committed(&project);
    for folder in ["apps/shop", cache.as_str()] {
        forbidden(&planned(&project, &base, folder));
    }
    forbidden(&planned_where(&project, &base, "apps/shop", ""));
    // What the workspace's base asks for is not passed over where it cannot be had.
    planned(&project, &"f".repeat(40), &cache).expect(1);
    let own = |args: &[&str]| git(&project, &[&["-C", &cache], args].concat());
    own(&["init", "-q", "-b", "main"]);
    own(&["add", "-A"]);
    own(&["commit", "-qm", "own"]);
    planned(&project, &own(&["rev-parse", "HEAD"]), &cache).expect(1);
}

/// It is known by its place, whatever app it says that it is of.
#[test]
fn a_link_from_outside_to_the_project_loses_no_settings() {
    let (_platform, project) = shop();
    let base = committed(&project);
    for file in ["connplan.toml", "connectors/notion.jsonc"] {
        std::fs::remove_file(project.path("apps/shop/base44").join(file)).unwrap();
    }
    without_notion(&project, "apps/shop", "app-2");
    let door = project.path("../door").display().to_string();
    symlink(project.path("apps/shop"), &door).unwrap();
    committed(&project);
    planned(&project, &base, &door)
        .expect(0)
        .says("loosens the policy");
}

/// The pipeline alone names the app.
#[test]
fn a_project_that_takes_the_place_of_another_one_loses_no_settings() {
    let (_platform, project) = shop();
    let project = project.var("BASE44_APP_ID", "app-1");
    without_notion(&project, "apps/other", "app-2");
    for folder in ["shop", "other"] {
        let app = format!("apps/{folder}/base44/.app.jsonc");
        std::fs::remove_file(project.path(&app)).unwrap();
    }
    let base = committed(&project);
    planned(&project, &base, "apps/other").expect(0);
    std::fs::remove_dir_all(project.path("apps/shop")).unwrap();
    committed(&project);
    forbidden(&planned(&project, &base, "apps/other"));
}

/// What the base has at its end is not known, so nothing takes its place.
#[test]
fn a_link_of_the_base_that_leads_out_is_replaced_by_nothing() {
    let (_platform, project) = shop();
    std::fs::create_dir(project.path("../cache")).unwrap();
    std::fs::rename(project.path("apps/shop"), project.path("../cache/shop")).unwrap();
    link(&project, "../../cache/shop", "apps/shop");
    let base = committed(&project);
    planned(&project, &base, "apps/shop").expect(0);
    std::fs::remove_file(project.path("apps/shop")).unwrap();
    without_notion(&project, "apps/shop", "app-1");
    committed(&project);
    reads!(planned(&project, &base, "apps/shop"), @"
    exit 1: connplan -C apps/shop plan
    --- stderr
    error: COMMIT, whose settings apply here, has a link at apps/shop/ that leads out of the repository, and here is something else: connplan needs the settings there, and cannot get them
      help: remove the link in a separate pull or merge request first
      code: connplan::approval::base
    ");
}

/// What a step before restored into the checkout may be a repository.
#[test]
fn a_link_to_a_clone_within_the_repository_loses_no_settings() {
    let (_platform, project) = shop();
    project.write(".gitignore", "cache\n");
    let base = committed(&project);
    std::fs::create_dir(project.path("cache")).unwrap();
    git(&project, &["clone", "-q", ".", "cache/proj"]);
    without_notion(&project, "cache/proj", "app-2");
    // As it is, it is a project of its own.
    let own = planned(&project, &base, "cache/proj");
    assert!(!own.expect(0).stdout.contains("loosens"), "{own}");
    link(&project, "../cache/proj", "apps/shop");
    committed(&project);
    for folder in ["apps/shop", "cache/proj"] {
        planned(&project, &base, folder)
            .expect(0)
            .says("loosens the policy");
    }
}

#[test]
fn a_link_of_the_base_is_followed_where_it_led_there() {
    let (_platform, project) = shop();
    std::fs::rename(project.path("apps/shop"), project.path("shop")).unwrap();
    std::fs::rename(project.path("shop/base44"), project.path("shop/b44")).unwrap();
    link(&project, "b44", "shop/base44");
    link(&project, "../shop", "apps/shop");
    let base = committed(&project);
    planned(&project, &base, "apps/shop").expect(0);
    // An app that no project of the base has: what binds is the place.
    without_notion(&project, "new", "app-2");
    link(&project, "../new", "apps/shop");
    reads!(planned(&project, &base, "apps/shop"), @"
    exit 0: connplan -C apps/shop plan
    ! danger: this pull or merge request loosens the policy: `protected` permits more than on the base branch

    App app-2 at http://HOST

    Symbols:  + add

      + wix                   base44/connectors/wix.jsonc
          authorization: required

    Plan: 1 to add, 0 to change, 0 to remove, 1 to authorize.
    ");
    git(&project, &["checkout", "-qf", "."]);
    std::fs::rename(project.path("new/base44"), project.path("shop/new")).unwrap();
    link(&project, "new", "shop/base44");
    planned(&project, &base, "apps/shop")
        .expect(0)
        .says("loosens the policy");
    // The app is known by each folder that links give it, in any case of its letters.
    git(&project, &["checkout", "-qf", "."]);
    for id in ["app-1", "APP-1"] {
        without_notion(&project, "apps/other", id);
        forbidden(&planned(&project, &base, "apps/other"));
    }
}

#[test]
fn a_clone_that_lacks_files_of_the_base_fetches_them() {
    let (_platform, project) = shop();
    let base = committed(&project);
    without_notion(&project, "apps/other", "app-1");
    project.write("apps/shop/base44/.app.jsonc", "{ \"id\": \"app-2\" }");
    let head = committed(&project);
    let remote = project.path("../remote.git").display().to_string();
    git(&project, &["clone", "-q", "--bare", ".", &remote]);
    for name in ["uploadpack.allowFilter", "uploadpack.allowAnySHA1InWant"] {
        git(&project, &["-C", &remote, "config", name, "true"]);
    }
    for filter in ["tree:0", "blob:none"] {
        shallow_without(filter, &project, &remote, &head);
        let list = ["rev-list", "--objects", "--missing=print", &base];
        let missing = git(&project, &list);
        assert!(missing.contains("\n?"), "{missing}");
        let _ = std::fs::remove_dir_all(project.state_folder().join("git"));
        forbidden(&planned(&project, &base, "apps/other"));
    }
    // A fetch that was killed may leave the commit and not all that it holds.
    let app = git(
        &project,
        &["rev-parse", &format!("{base}:apps/shop/base44/.app.jsonc")],
    );
    let (folder, file) = app.split_at(2);
    let depots = std::fs::read_dir(project.state_folder().join("git")).unwrap();
    let depots = depots.map(|depot| depot.unwrap().path().join("objects").join(folder));
    let object = depots
        .map(|it| it.join(file))
        .find(|it| it.exists())
        .unwrap();
    std::fs::remove_file(object).unwrap();
    reads!(planned(&project, &base, "apps/other"), @"
    exit 1: connplan -C apps/other plan
    --- stderr
    error: the base commit COMMIT is not completely in this clone, and it could not be fetched: it lacks COMMIT
      help: connplan needs the settings in that commit. Fetch it: on GitHub give actions/checkout `with: { fetch-depth: 0 }` and no `filter`, on GitLab set `GIT_DEPTH: 0`
      code: connplan::approval::base
    ");
    std::fs::rename(&remote, project.path("../elsewhere.git")).unwrap();
    std::fs::remove_dir_all(project.state_folder().join("git")).unwrap();
    reads!(planned(&project, &base, "apps/other"), @"
    exit 1: connplan -C apps/other plan
    --- stderr
    error: the base commit COMMIT is not completely in this clone, and it could not be fetched: the git remote origin cannot be reached: there is no such folder
      help: connplan needs the settings in that commit. Fetch it: on GitHub give actions/checkout `with: { fetch-depth: 0 }` and no `filter`, on GitLab set `GIT_DEPTH: 0`
      code: connplan::approval::base
    ");
}

/// The repository as a clone with this filter has it.
fn shallow_without(filter: &str, project: &Project, remote: &str, head: &str) {
    std::fs::remove_dir_all(project.path(".git")).unwrap();
    git(project, &["init", "-q", "-b", "main"]);
    let url = format!("file://{remote}");
    git(project, &["remote", "add", "origin", &url]);
    git(project, &["config", "remote.origin.promisor", "true"]);
    git(
        project,
        &["config", "remote.origin.partialclonefilter", filter],
    );
    let filter = format!("--filter={filter}");
    git(project, &["fetch", "-q", &filter, "origin", "main"]);
    git(project, &["checkout", "-qf", head]);
}

/// The project of the base is a submodule, and the proposal has something else in its place.
#[test]
fn a_submodule_that_something_else_takes_the_place_of_is_not_passed_over() {
    let (_platform, project) = shop();
    let module = project.path("../module").display().to_string();
    std::fs::rename(project.path("apps/shop"), &module).unwrap();
    let within = |args: &[&str]| git(&project, &[&["-C", &module], args].concat());
    within(&["init", "-q", "-b", "main"]);
    within(&["add", "-A"]);
    within(&["commit", "-qm", "module"]);
    let from = ["-c", "protocol.file.allow=always", "submodule", "--quiet"];
    git(
        &project,
        &[&from[..], &["add", &module, "apps/shop"]].concat(),
    );
    let base = committed(&project);
    planned(&project, &base, "apps/shop").expect(0);
    // A project elsewhere while it is there.
    without_notion(&project, "evil", "app-1");
    forbidden(&planned(&project, &base, "evil"));
    std::fs::remove_dir_all(project.path("evil")).unwrap();
    // Its own history, or one without the settings.
    std::fs::remove_dir_all(project.path("apps/shop/base44")).unwrap();
    without_notion(&project, "apps/shop", "app-1");
    forbidden(&planned(&project, &base, "apps/shop"));
    let git_dir = project.path(".git/modules/apps/shop");
    git(&project, &["rm", "-rqf", "--cached", "apps/shop"]);
    std::fs::remove_dir_all(project.path("apps/shop")).unwrap();
    std::fs::rename(&git_dir, project.path("../modules")).unwrap();
    // A folder, a link, and a project elsewhere while the submodule is gone.
    without_notion(&project, "apps/shop", "app-1");
    without_notion(&project, "evil", "app-1");
    reads!(planned(&project, &base, "apps/shop"), @"
    exit 1: connplan -C apps/shop plan
    --- stderr
    error: COMMIT, whose settings apply here, has a submodule at apps/shop: connplan needs the settings there, and cannot get them: its commit COMMIT is not in this clone
      help: get that commit: check out the submodule, or run `git fetch URL COMMIT` with the submodule's address in a step before. A change that replaces the submodule does not drop its settings
      code: connplan::approval::base
    ");
    committed(&project);
    reads!(planned(&project, &base, "evil"), @"
    exit 1: connplan -C evil plan
    --- stderr
    error: COMMIT, whose settings apply here, has a submodule at apps/shop: connplan needs the settings there, and cannot get them: its commit COMMIT is not in this clone
      help: get that commit: check out the submodule, or run `git fetch URL COMMIT` with the submodule's address in a step before. A change that replaces the submodule does not drop its settings
      code: connplan::approval::base
    ");
    link(&project, "../evil", "apps/shop");
    committed(&project);
    reads!(planned(&project, &base, "apps/shop"), @"
    exit 1: connplan -C apps/shop plan
    --- stderr
    error: COMMIT, whose settings apply here, has a submodule at apps/shop: connplan needs the settings there, and cannot get them: its commit COMMIT is not in this clone
      help: get that commit: check out the submodule, or run `git fetch URL COMMIT` with the submodule's address in a step before. A change that replaces the submodule does not drop its settings
      code: connplan::approval::base
    ");
    // The way out.
    git(&project, &["fetch", "-q", &module, "main"]);
    for folder in ["apps/shop", "evil"] {
        forbidden(&planned(&project, &base, folder));
    }
}

/// What the base has as a plain folder, the proposal puts into a submodule that the base has too; the pipeline alone
/// names the app.
#[test]
fn a_project_that_moves_into_a_submodule_of_the_base_loses_no_settings() {
    let (_platform, project) = shop();
    let project = project.var("BASE44_APP_ID", "app-1");
    with_submodule(&project);
    std::fs::remove_file(project.path("apps/shop/base44/.app.jsonc")).unwrap();
    let base = committed(&project);
    without_notion(&project, "vendor/sub/proj", "app-1");
    let within = |args: &[&str]| git(&project, &[&["-C", "vendor/sub"], args].concat());
    within(&["add", "-A"]);
    within(&["commit", "-qm", "proposal"]);
    // While it is still at its place, another one is another one.
    let both = committed(&project);
    planned(&project, &base, "vendor/sub/proj").expect(0);
    std::fs::remove_dir_all(project.path("apps/shop")).unwrap();
    committed(&project);
    for workspace in [project.root().display().to_string(), String::new()] {
        forbidden(&planned_where(
            &project,
            &base,
            "vendor/sub/proj",
            &workspace,
        ));
    }
    // Where the base has it there, its own settings count.
    planned(&project, &both, "vendor/sub/proj").expect(0);
}

/// The same of one whose settings stand at the root.
#[test]
fn a_project_that_moves_into_a_submodule_loses_no_settings_of_the_root() {
    let (_platform, project) = shop();
    let project = project.var("BASE44_APP_ID", "app-1");
    with_submodule(&project);
    let shop = project.path("apps/shop/base44");
    std::fs::rename(shop.join("connplan.toml"), project.path("connplan.toml")).unwrap();
    std::fs::remove_file(shop.join(".app.jsonc")).unwrap();
    std::fs::rename(shop, project.path("base44")).unwrap();
    let base = committed(&project);
    without_notion(&project, "vendor/sub/proj", "app-1");
    let within = |args: &[&str]| git(&project, &[&["-C", "vendor/sub"], args].concat());
    within(&["add", "-A"]);
    within(&["commit", "-qm", "proposal"]);
    std::fs::remove_dir_all(project.path("base44")).unwrap();
    std::fs::remove_file(project.path("connplan.toml")).unwrap();
    committed(&project);
    forbidden(&planned(&project, &base, "vendor/sub/proj"));
}

/// What a submodule without content holds may be of the app that the project becomes one of.
#[test]
fn a_submodule_that_goes_where_a_project_changes_its_app_is_not_passed_over() {
    let (_platform, project) = shop();
    with_submodule(&project);
    let base = committed(&project);
    for folder in [".git/modules", "vendor/sub"] {
        std::fs::remove_dir_all(project.path(folder)).unwrap();
    }
    let app = "apps/shop/base44/.app.jsonc";
    project.write(app, "{ \"id\": \"app-2\" }");
    git(&project, &["add", app]);
    git(&project, &["commit", "-qm", "another app"]);
    reads!(planned(&project, &base, "apps/shop"), @"
    exit 0: connplan -C apps/shop plan
    ! danger: this pull or merge request makes the project one of another app: on the base branch this run is of app app-1, not of app app-2, to which this plan goes

    App app-2 at http://HOST

    Symbols:  + add

      + notion                base44/connectors/notion.jsonc
          authorization: required

    Plan: 1 to add, 0 to change, 0 to remove, 1 to authorize.
    --- stderr
    warning: connplan cannot read these submodules, so their settings do not apply here even if they are of this app: vendor/sub
    ");
    git(&project, &["rm", "-qf", "--cached", "vendor/sub"]);
    git(&project, &["commit", "-qm", "no submodule"]);
    reads!(planned(&project, &base, "apps/shop"), @"
    exit 1: connplan -C apps/shop plan
    --- stderr
    error: COMMIT, whose settings apply here, has a submodule at vendor/sub: connplan needs the settings there, and cannot get them: its commit COMMIT is not in this clone
      help: get that commit: check out the submodule, or run `git fetch URL COMMIT` with the submodule's address in a step before. A change that replaces the submodule does not drop its settings
      code: connplan::approval::base
    ");
}

/// Of what a submodule holds, a clone may lack the files.
#[test]
fn a_submodule_that_lacks_files_is_not_taken_for_one_without_settings() {
    let (_platform, project) = shop();
    with_submodule(&project);
    std::fs::rename(project.path("apps/shop"), project.path("vendor/sub/shop")).unwrap();
    let within = |args: &[&str]| git(&project, &[&["-C", "vendor/sub"], args].concat());
    within(&["add", "-A"]);
    within(&["commit", "-qm", "the project"]);
    let base = committed(&project);
    without_notion(&project, "evil", "app-1");
    committed(&project);
    forbidden(&planned(&project, &base, "evil"));
    for file in [".app.jsonc", "connplan.toml"] {
        let id = within(&["rev-parse", &format!("HEAD:shop/base44/{file}")]);
        let (folder, name) = id.split_at(2);
        let objects = project.path(".git/modules/vendor/sub/objects");
        std::fs::remove_file(objects.join(folder).join(name)).unwrap();
        within(&[
            "update-index",
            "--assume-unchanged",
            &format!("shop/base44/{file}"),
        ]);
        let plan = planned(&project, &base, "evil");
        insta::allow_duplicates!(reads!(plan, @"
        exit 0: connplan -C evil plan
        App app-1 at http://HOST

        Symbols:  + add  - remove  ! look here

          - notion                no file declares it
              ! the tokens of a***@example.com are lost for good

          + wix                   base44/connectors/wix.jsonc
              authorization: required

        A removal deletes the tokens and the connector's file in the app's own code too. What was granted at the provider stays until somebody revokes it there.

        Plan: 1 to add, 0 to change, 1 to remove, 1 to authorize.
        --- stderr
        warning: connplan cannot read these submodules, so their settings do not apply here even if they are of this app: vendor/sub
        "));
    }
}

/// Two folders whose names are not UTF-8 are two.
#[cfg(target_os = "linux")]
#[test]
fn a_name_that_is_not_text_is_not_taken_for_another() {
    use std::os::unix::ffi::OsStrExt;
    let (_platform, project) = shop();
    let named = |name: &[u8]| project.root().join(std::ffi::OsStr::from_bytes(name));
    let (shop, other) = (named(b"apps\xfe"), named(b"apps\xff"));
    std::fs::rename(project.path("apps"), &shop).unwrap();
    std::fs::create_dir(&other).unwrap();
    without_notion(&project, "x", "app-2");
    std::fs::rename(project.path("x"), other.join("shop")).unwrap();
    std::fs::write(other.join("shop/base44/connplan.toml"), "").unwrap();
    let base = committed(&project);
    let inner = shop.join("shop");
    std::fs::write(inner.join("base44/connplan.toml"), "").unwrap();
    std::fs::remove_file(inner.join("base44/connectors/notion.jsonc")).unwrap();
    without_notion(&project, "x", "app-1");
    let wix = "base44/connectors/wix.jsonc";
    std::fs::rename(project.path("x").join(wix), inner.join(wix)).unwrap();
    let event = format!(r#"{{"pull_request":{{"number":5,"base":{{"sha":"{base}"}}}}}}"#);
    project.write("../event.json", &event);
    let event = project.path("../event.json").display().to_string();
    let mut plan = project.command(&["plan"]);
    plan.current_dir(inner)
        .envs([("CI", "true"), ("GITHUB_EVENT_PATH", event.as_str())]);
    forbidden(&output(&["plan"], &plan.output().unwrap()));
}

//! A gate that is opened where no settings of the base say a word, and one whose words stay.

use super::loosening::{event, git, planned_in, push};
use crate::{
    approval::keygen::Keys,
    support::{Connector, Output, Platform, Project, reads},
};

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
fn a_request_that_leaves_alone_what_no_file_declares_is_a_danger_and_drift_names_it() {
    let platform = Platform::with(&[Connector::active("wix", &["a"])]);
    let project = Project::new().at(&platform).connector("wix", &["a"]);
    let settings = "base44/connplan.toml";
    let keeps = "unlisted = \"keep\"\n";
    git(&project, &["init", "-q", "-b", "main"]);
    let base = committed(&project);
    project.write(settings, keeps);
    committed(&project);
    reads!(planned_in(&project, &base, "."), @r#"
    exit 0: connplan -C . plan
    ! danger: this pull or merge request leaves alone what the app has and no file declares: `unlisted` is "keep", and on the base branch it is removed

    App app-1 at http://HOST

    No changes. The app matches the connector files.
    "#);
    // An environment has a word of its own.
    let apart = "[environments.live]\napp_id = \"app-1\"\n";
    project.write(settings, apart);
    let base = committed(&project);
    project.write(settings, &format!("{apart}{keeps}"));
    committed(&project);
    let planned = || {
        let vars = event(&project, &base);
        let vars: Vec<_> = vars.iter().map(|(n, v)| (*n, v.as_str())).collect();
        project.run_vars(&vars, &["plan", "--env", "live"])
    };
    planned().says("danger: this pull or merge request leaves alone");
    project.write(settings, &format!("{keeps}{apart}unlisted = \"remove\"\n"));
    committed(&project);
    planned().lacks("danger");

    project.write(settings, keeps);
    platform.set(&Connector::active(
        "hubspot",
        &["crm.objects.contacts.write"],
    ));
    let drift = project.run(&["drift"]);
    drift.expect(0).says("\n\nNot managed: hubspot\n\nNo drift in what the connector files declare. The app has 1 connector besides.\n");
    let markdown = project.run(&["drift", "--format", "markdown"]);
    markdown.expect(0).says("\nNot managed: `hubspot`\n");
    let json = project.run(&["drift", "--format", "json"]).json();
    assert_eq!(json["apps"][0]["unmanaged"][0], "hubspot", "{json}");
}

/// A project whose repository is the team's store until a change makes a submodule of its folder: one of
/// another repository, with the same settings.
struct Moved {
    platform: Platform,
    project: Project,
    team: String,
    evil: String,
    base: String,
    head: String,
}

impl Moved {
    /// Applies the plan, after a push that begins here, with this store.
    fn applied(&self, before: &str, store: &str, signed: &[&str]) -> Output {
        let event = format!(r#"{{"before":"{before}","ref":"refs/heads/main"}}"#);
        self.project.write("../event.json", &event);
        let event = self.project.path("../event.json").display().to_string();
        let apply = ["-C", "apps/shop", "apply", "../../../x.plan"];
        let mut vars = push(&event, &self.head).to_vec();
        vars.push(("CONNPLAN_STORE", store));
        self.project.run_vars(&vars, &[&apply[..], signed].concat())
    }

    fn new(settings: &str, before: impl Fn(&Project)) -> Self {
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
        let settings = format!("[store]\nurl = \"git:origin\"\n{settings}");
        project.write("apps/shop/base44/connplan.toml", &settings);
        project.write("apps/shop/base44/connectors/.keep", "");
        before(&project);
        let base = committed(&project);
        git(&project, &["push", "-q", "origin", "main"]);
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
        Self {
            platform,
            project,
            team,
            evil,
            base,
            head,
        }
    }
}

#[test]
fn the_remote_of_another_repository_is_another_store() {
    let Moved {
        platform: _platform,
        project,
        team,
        evil,
        ..
    } = Moved::new("", |_| {});
    // A link to a clone of something else, which the pipeline has beside this one.
    git(&project, &["rm", "-q", "-f", "apps/shop"]);
    let other = project.path("../other").display().to_string();
    git(&project, &["clone", "-q", &evil, &other]);
    std::fs::create_dir_all(project.path("apps")).unwrap();
    std::os::unix::fs::symlink(&other, project.path("apps/shop")).unwrap();
    committed(&project);
    let gitlab = [
        ("CI", "true"),
        ("GITLAB_CI", "true"),
        ("CI_MERGE_REQUEST_IID", "3"),
        ("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "main"),
    ];
    let plan = ["-C", "apps/shop", "plan"];
    reads!(project.run_vars(&gitlab, &plan), @"
    exit 0: connplan -C apps/shop plan
    ! danger: this pull or merge request leaves the team's store: the project is in another repository than on the base branch, and the git remote that [store] `url` names is another one there

    App app-1 at http://HOST

    No changes. The app matches the connector files.
    ");
    // The same where it is a clone of the team's repository.
    git(
        &project,
        &["-C", &other, "remote", "set-url", "origin", &team],
    );
    project.run_vars(&gitlab, &plan).lacks("store");
}

/// Where the remotes of a submodule lead, the repository around it says, and a request may change that.
#[test]
#[ignore = "needs git remotes: run by .ci/run"]
fn a_pipeline_takes_no_remote_of_a_submodule_for_the_store() {
    let keys = Keys::new();
    keys.key("ann", &["ed25519"]);
    let key = keys.path("ann").display().to_string();
    let signed = "[approval]\nrequire = \"signature\"\nsigners = \"signers\"\n";
    let moved = Moved::new(signed, |project| {
        let signers = format!("ann {}\n", keys.public("ann"));
        project.write("apps/shop/base44/signers", &signers);
        let slack = r#"{ "type": "slack", "scopes": ["chat:write"] }"#;
        project.write("apps/shop/base44/connectors/slack.jsonc", slack);
        let here = ["-C", "apps/shop"];
        let plan = ["plan", "--out", "../../../x.plan"];
        project.run(&[&here[..], &plan].concat()).expect(0);
        let approve = ["approve", "../../../x.plan", "--key", key.as_str()];
        project.run(&[&here[..], &approve].concat());
        project.run(&[&here[..], &approve, &["--revoke"]].concat());
    });
    let Moved {
        project,
        base,
        head,
        ..
    } = &moved;
    let signature = ["--approved-by", "../../../x.plan.sig"];
    // The base is one of the plain folder, or of the submodule.
    for base in [base, head] {
        for store in ["", "git:origin"] {
            insta::allow_duplicates! {
                reads!(moved.applied(base, store, &signature), @"
                exit 1: connplan -C apps/shop apply ../../../x.plan --approved-by ../../../x.plan.sig
                --- stderr
                error: a pipeline does not use the store `git:origin` of the submodule apps/shop: a change of the repository around it decides where the submodule's remotes lead
                  help: set CONNPLAN_STORE in the pipeline to the address of the store, such as `git:https://HOST/PATH`, `git:git@HOST:PATH` or `s3://BUCKET/PREFIX`
                  code: connplan::store::submodule
                ");
            }
        }
    }
    reads!(planned_in(project, base, "apps/shop"), @"
    exit 1: connplan -C apps/shop plan
    --- stderr
    error: a pipeline does not use the store `git:origin` of the submodule apps/shop: a change of the repository around it decides where the submodule's remotes lead
      help: set CONNPLAN_STORE in the pipeline to the address of the store, such as `git:https://HOST/PATH`, `git:git@HOST:PATH` or `s3://BUCKET/PREFIX`
      code: connplan::store::submodule
    ");
    // By its address it is the one, wherever the submodule is from.
    let store = format!("git:{}", moved.team);
    for base in [base, head] {
        insta::allow_duplicates! {
            reads!(moved.applied(base, &store, &signature), @"
            exit 3: connplan -C apps/shop apply ../../../x.plan --approved-by ../../../x.plan.sig
            --- stderr
            warning: ann revoked the approval of this plan
            error: the plan is not approved: 1 signature needed, 0 found
              help: another signer runs `connplan -C apps/shop approve ../../../x.plan`, which keeps the signature in the store; then `connplan -C apps/shop apply ../../../x.plan`
              code: connplan::approval::missing
            ");
        }
    }
    assert_eq!(moved.platform.writes(), [] as [&str; 0]);
    // At a desk this machine knows the store by now, and the submodule's remote leads elsewhere.
    reads!(project.run(&["-C", "apps/shop", "history"]), @"
    exit 1: connplan -C apps/shop history
    --- stderr
    error: this machine has used the store FOLDER/team.git for app app-1, and here `git:origin` is FOLDER/evil.git, which whoever made this clone may have chosen: connplan does not use it
      help: if that is your team's store, run `connplan trust git:origin` here once: it takes the place of the other one
      code: connplan::store::other
    ");
}

/// A store in a submodule that nothing names any more is not one that a request leads elsewhere either.
#[test]
fn a_store_that_is_left_in_a_submodule_is_not_taken_for_none() {
    let moved = Moved::new("", |project| {
        let slack = r#"{ "type": "slack", "scopes": ["chat:write"] }"#;
        project.write("apps/shop/base44/connectors/slack.jsonc", slack);
    });
    let project = &moved.project;
    let plan = ["-C", "apps/shop", "plan", "--out", "../../../x.plan"];
    project.run(&plan).expect(0);
    project.write("apps/shop/base44/connplan.toml", "");
    let within = |args: &[&str]| git(project, &[&["-C", "apps/shop"], args].concat());
    within(&["commit", "-qam", "no store"]);
    let head = committed(project);
    reads!(moved.applied(&head, "", &[]), @"
    exit 1: connplan -C apps/shop apply ../../../x.plan
    --- stderr
    error: a pipeline does not use the store `git:origin` of the submodule apps/shop: a change of the repository around it decides where the submodule's remotes lead
      help: set CONNPLAN_STORE in the pipeline to the address of the store, such as `git:https://HOST/PATH`, `git:git@HOST:PATH` or `s3://BUCKET/PREFIX`
      code: connplan::store::submodule
    ");
    let store = format!("git:{}", moved.team);
    reads!(moved.applied(&head, &store, &[]), @"
    exit 0: connplan -C apps/shop apply ../../../x.plan
    App app-1 at http://HOST

    Waiting for authorization: slack

    Applied, 1 connector: 1 waiting for authorization.
    Next: connplan -C apps/shop authorize
    --- stderr
    Acting as a workspace, by BASE44_API_KEY.
      ! slack waiting for authorization
    ");
    // That is reached from anywhere.
    let elsewhere = Project::new().at(&moved.platform);
    let elsewhere = elsewhere.var("CONNPLAN_STORE", &store);
    reads!(elsewhere.run(&["history"]), @"
    exit 0: connplan history
    App app-1 at http://HOST, as git:CONNPLAN_STORE remembers it:

      just now  applied sha256:DIGEST  (1 pending; by an unknown user)
    ");
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
    ! danger: this pull or merge request makes the project one of another app: on the base branch this run is of app app-2, not of app app-1, to which this plan goes

    App app-1 at http://HOST

    No changes. The app matches the connector files.
    ");
    planned_in(&project, &head, ".").lacks("danger");
}

/// Which app a run is of, its environment and its variables tell as well: whatever the base says of others.
#[test]
fn an_environment_that_becomes_one_of_another_app_is_a_danger() {
    const NONE: &str = "[environments.staging]\nunlisted = \"keep\"\n";
    const TWO: &str =
        "[environments.staging]\napp_id = \"app-2\"\n[environments.live]\napp_id = \"app-1\"\n";
    let told = |process: Option<&str>, before: &[(&str, &str)], after: &[(&str, &str)]| {
        let platform = Platform::start();
        let project = Project::new().at(&platform);
        git(&project, &["init", "-q", "-b", "main"]);
        std::fs::remove_file(project.path("base44/.app.jsonc")).unwrap();
        let write = |files: &[(&str, &str)]| {
            for (file, text) in files {
                project.write(file, text);
            }
            committed(&project)
        };
        let base = write(before);
        write(after);
        let event = event(&project, &base);
        let mut vars: Vec<_> = event.iter().map(|(n, v)| (*n, v.as_str())).collect();
        vars.extend(process.map(|app| ("BASE44_APP_ID", app)));
        let planned = project.run_vars(&vars, &["plan", "--env", "staging"]);
        planned.expect(0);
        let danger = planned
            .stdout
            .lines()
            .find(|line| line.contains("another app"))?;
        Some(danger.rsplit_once(": ")?.1.to_owned())
    };
    let settings = "base44/connplan.toml";
    let of = |app: &str| format!("[environments.staging]\napp_id = \"{app}\"\n");
    let one = &[(settings, &*of("app-1"))];
    let danger = |app: &str| {
        let told = format!(
            "on the base branch this run is of app {app}, not of app app-1, to which this plan goes"
        );
        Some(told)
    };
    // What the pipeline says is overruled.
    let none = &[(settings, NONE)];
    assert_eq!(told(Some("app-2"), none, one), danger("app-2"));
    assert_eq!(told(Some("app-1"), none, one), None);
    assert_eq!(told(Some("app-2"), &[], one), danger("app-2"));
    // The base names the app, as another environment's, or in another file.
    let two = &[(settings, TWO)];
    assert_eq!(told(None, two, one), danger("app-2"));
    let file = ("base44/.app.jsonc", "{ \"id\": \"app-1\" }");
    assert_eq!(
        told(None, &[(settings, &of("app-2")), file], one),
        danger("app-2")
    );
    let env = [
        (settings, NONE),
        (".env", "BASE44_APP_ID=app-1"),
        (".env.local", "BASE44_APP_ID=app-2"),
    ];
    assert_eq!(told(None, &env, &[(".env.local", "")]), danger("app-2"));
    // The same by another file, and an environment that is new, are none.
    assert_eq!(told(None, &[(settings, NONE), file], one), None);
    assert_eq!(
        told(
            Some("app-2"),
            one,
            &[(settings, &format!("{}# .\n", of("app-1")))]
        ),
        None
    );
    let renamed = TWO.replace("staging", "old");
    assert_eq!(told(None, &[(settings, &renamed)], one), None);
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

/// Nor is what it ships as git's settings of the user, which name programs.
#[test]
fn what_a_repository_ships_as_settings_of_git_starts_nothing() {
    let platform = Platform::start();
    let project = Project::new().at(&platform).connector("wix", &["a"]);
    git(&project, &["init", "-q", "-b", "main"]);
    let origin = ["remote", "add", "origin", "ssh://git@127.0.0.1:1/o/r.git"];
    git(&project, &origin);
    let ran = project.path("../ran").display().to_string();
    let settings = format!("[core]\n\tsshCommand = \"echo ran >> '{ran}'; false\"\n");
    project.write(".home/.gitconfig", &settings);
    project.write(".config/git/config", &settings);
    committed(&project);
    let place = |name: &str| project.path(name).display().to_string();
    let (home, config) = (place(".home"), place(".config"));
    for shipped in [("HOME", &*home), ("XDG_CONFIG_HOME", &*config)] {
        let vars = [("CI", "true"), ("GITHUB_BASE_REF", "main"), shipped];
        let run = project.run_vars(&vars, &["plan"]);
        run.expect(0).tells("git does not read it here");
    }
    assert!(!std::path::Path::new(&ran).exists());
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
      help: nothing was written. If the file was changed since, run `connplan plan` again and ask for a review of that; if it was not, somebody altered the plan
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

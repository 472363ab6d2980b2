//! A pull request does not loosen the policy that it is held against.

use std::process::Command;

use crate::{
    git::repository::unmaintained,
    support::{Connector, Output, Platform, Project, reads},
};

/// It is forbidden, by the settings of the base that protect notion, and nothing is said beside the plan.
#[track_caller]
pub(super) fn forbidden(run: &Output) {
    run.expect(6);
    insta::allow_duplicates!(reads!(run.stderr, @"
    error: the policy in connplan.toml forbids this plan; nothing was written:
      protected: notion: the plan removes it, and the policy protects it (by the settings of the base)
      help: change the connector files, or ask whoever is responsible for the policy to change it
      code: connplan::plan::policy
    "));
}

/// What a run of GitHub Actions for a push is told.
pub(super) fn push<'a>(event: &'a str, head: &'a str) -> [(&'a str, &'a str); 6] {
    [
        ("CI", "true"),
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_EVENT_NAME", "push"),
        ("GITHUB_EVENT_PATH", event),
        ("GITHUB_REPOSITORY", "octo/site"),
        ("GITHUB_SHA", head),
    ]
}

/// What is asked most often is answered as git would, without a process: which commit is checked out, and a new
/// repository.
fn without_process(project: &Project, args: &[&str]) -> Option<String> {
    let folder = project.path(".git");
    match args {
        ["rev-parse", "HEAD"] => {
            let head = std::fs::read_to_string(folder.join("HEAD")).ok()?;
            let commit = match head.strip_prefix("ref: ") {
                Some(name) => std::fs::read_to_string(folder.join(name.trim())).ok()?,
                None => head,
            };
            Some(commit.trim().to_owned())
        }
        ["init", "-q", "-b", "main"] if !folder.exists() => {
            for inner in ["objects", "refs/heads", "refs/tags"] {
                std::fs::create_dir_all(folder.join(inner)).unwrap();
            }
            project.write(".git/HEAD", "ref: refs/heads/main\n");
            project.write(
                ".git/config",
                "[core]\n\trepositoryformatversion = 0\n\tbare = false\n\tlogallrefupdates = true\n",
            );
            Some(String::new())
        }
        _ => None,
    }
}

pub(super) fn git(project: &Project, args: &[&str]) -> String {
    if let Some(answer) = without_process(project, args) {
        return answer;
    }
    let run = Command::new("git")
        .args(["-c", "user.name=T", "-c", "user.email=t@example.com"])
        .args(["-c", "maintenance.auto=false"])
        .args(args)
        .args(unmaintained(args))
        .current_dir(project.root())
        .env("HOME", project.home())
        .output()
        .unwrap();
    assert!(run.status.success(), "{args:?}: {run:?}");
    String::from_utf8(run.stdout).unwrap().trim().to_owned()
}

/// The remote's folder, which hands out any commit by its name, as forges do.
pub(super) fn serves_any_commit(project: &Project) -> String {
    let remote = project.path("../remote.git").display().to_string();
    let name = "uploadpack.allowAnySHA1InWant";
    git(project, &["-C", &remote, "config", name, "true"]);
    remote
}

/// A repository whose main branch protects notion, and a branch that no longer does and removes it.
fn proposal() -> (Platform, Project, String) {
    let platform = Platform::with(&[
        Connector::active("notion", &[]),
        Connector::active("wix", &[]),
    ]);
    let project = Project::new().at(&platform);
    project.declare("notion", &[]);
    project.declare("wix", &[]);
    project.write(
        "base44/connplan.toml",
        "[policy]\nprotected = [\"notion\"]\nmax_removals = 1\n",
    );
    git(&project, &["init", "-q", "-b", "main"]);
    git(&project, &["add", "-A"]);
    git(&project, &["commit", "-qm", "base"]);
    let base = git(&project, &["rev-parse", "HEAD"]);
    project.write("base44/connplan.toml", "[policy]\nmax_removals = 5\n");
    project.undeclare("notion");
    git(&project, &["add", "-A"]);
    git(&project, &["commit", "-qm", "proposal"]);
    (platform, project, base)
}

fn planned(project: &Project, base: &str) -> Output {
    planned_in(project, base, ".")
}

pub(super) fn planned_in(project: &Project, base: &str, folder: &str) -> Output {
    let vars = event(project, base);
    let vars: Vec<_> = vars.iter().map(|(n, v)| (*n, v.as_str())).collect();
    project.run_vars(&vars, &["-C", folder, "plan"])
}

pub(super) fn event(project: &Project, base: &str) -> [(&'static str, String); 4] {
    let event = format!(r#"{{"pull_request":{{"number":5,"base":{{"sha":"{base}"}}}}}}"#);
    project.write("../event.json", &event);
    [
        ("CI", "true".to_owned()),
        ("GITHUB_ACTIONS", "true".to_owned()),
        ("GITHUB_EVENT_NAME", "pull_request".to_owned()),
        (
            "GITHUB_EVENT_PATH",
            project.path("../event.json").display().to_string(),
        ),
    ]
}

#[test]
fn the_base_branch_binds_and_loosening_is_a_danger() {
    let (_platform, project, base) = proposal();
    // At a desk the files decide, and whoever merges is asked.
    project.run(&["plan"]).expect(0);
    let vars = event(&project, &base);
    let vars: Vec<_> = vars.iter().map(|(n, v)| (*n, v.as_str())).collect();
    let run = project.run_vars(&vars, &["plan"]);
    reads!(run);
    let run = project.run_vars(&vars, &["plan", "--format", "json"]);
    let json = run.expect(6).json();
    let told = json["plan"]["diagnostics"].as_array().unwrap();
    let loosened: Vec<_> = told
        .iter()
        .filter(|d| d["code"] == "connplan::policy::loosened")
        .map(|d| d["message"].as_str().unwrap())
        .collect();
    assert_eq!(loosened.len(), 2, "{json}");
    assert!(loosened[0].starts_with("danger: "), "{json}");
    assert_eq!(told[0]["code"], "connplan::policy::loosened");
    // Who asks what each rule says to that plan is told of the base's, too; who does not fetch it, that they bind.
    project.write("forbidden.json", &run.stdout);
    let explained = project.run_vars(&vars, &["policy", "explain", "forbidden.json"]);
    explained
        .expect(0)
        .says("the policy protects it (by the settings of the base)\n")
        .says("Verdict: deny");
    let doctor = project.run_vars(&vars, &["doctor"]);
    doctor.says("; the settings of the base branch, which bind here too, were not looked at");
    let desk = project.run(&["policy", "explain", "forbidden.json"]);
    desk.says("Verdict: pass");
}

#[test]
fn what_a_proposal_loosens_is_shown_first_and_commented_without_a_change() {
    let (_platform, project, base) = proposal_in(".");
    project.declare("notion", &[]);
    project.write("base44/connplan.toml", "[approval]\nrequire = \"either\"\n");
    reads!(planned(&project, &base), @"
    exit 0: connplan -C . plan
    ! danger: this pull or merge request loosens the policy: `protected` permits more than on the base branch
    ! danger: this pull or merge request changes which approval a plan needs: [approval] asks for less, or for other people, than on the base branch

    App app-1 at http://HOST

    No changes. The app matches the connector files.
    ");
    let vars = event(&project, &base);
    let vars: Vec<_> = vars.iter().map(|(n, v)| (*n, v.as_str())).collect();
    project
        .run_vars(&vars, &["plan", "--out", "x.plan"])
        .expect(0);
    let comment = ["comment", "x.plan", "--dry-run"];
    let comment = project.run_vars(&vars, &comment);
    reads!(comment, @"
    exit 0: connplan comment x.plan --dry-run
    <!-- connplan app=app%2D1 -->
    ## connplan plan: app `app-1`
    **No changes. The app matches the connector files.**

    - 🛑 **Danger:** ``this pull or merge request loosens the policy: `protected` permits more than on the base branch``
    - 🛑 **Danger:** `this pull or merge request changes which approval a plan needs: [approval] asks for less, or for other people, than on the base branch`

    Digest `sha256:DIGEST`, at `http://HOST`, by connplan VERSION.
    --- stderr
    Nothing was sent. Without --dry-run: GITHUB_REPOSITORY is not a repository as OWNER/NAME.
    ");
    // They are found anew: what the file says of them, no approval names. This one says nothing.
    project.run(&["plan", "--out", "x.plan"]).expect(0);
    reads!(project.run_vars(&vars, &["comment", "x.plan", "--dry-run"]), @"
    exit 0: connplan comment x.plan --dry-run
    <!-- connplan app=app%2D1 -->
    ## connplan plan: app `app-1`
    **No changes. The app matches the connector files.**

    - 🛑 **Danger:** ``this pull or merge request loosens the policy: `protected` permits more than on the base branch``
    - 🛑 **Danger:** `this pull or merge request changes which approval a plan needs: [approval] asks for less, or for other people, than on the base branch`

    Digest `sha256:DIGEST`, at `http://HOST`, by connplan VERSION.
    --- stderr
    Nothing was sent. Without --dry-run: GITHUB_REPOSITORY is not a repository as OWNER/NAME.
    ");
    // Settings that ask for more are no danger.
    project.write(
        "base44/connplan.toml",
        "[policy]\nprotected = [\"notion\", \"wix\"]\n[approval]\nrequire = \"review\"\ncount = 2\n",
    );
    reads!(planned(&project, &base), @"
    exit 0: connplan -C . plan
    App app-1 at http://HOST

    No changes. The app matches the connector files.
    ");
}

#[test]
fn a_base_that_is_not_there_is_an_error_with_the_way_out() {
    let (_platform, project, _) = proposal();
    let vars = event(&project, &"0123456789".repeat(4));
    let vars: Vec<_> = vars.iter().map(|(n, v)| (*n, v.as_str())).collect();
    reads!(project.run_vars(&vars, &["plan"]), @"
    exit 1: connplan plan
    --- stderr
    error: the base commit COMMIT is not completely in this clone, and it could not be fetched: this repository has no git remote `origin`
      help: connplan needs the settings in that commit. Fetch it: on GitHub give actions/checkout `with: { fetch-depth: 0 }` and no `filter`, on GitLab set `GIT_DEPTH: 0`
      code: connplan::approval::base
    ");
}

/// It may say that this one is a submodule, and what that is measured against.
#[test]
fn a_repository_around_that_git_cannot_read_is_an_error() {
    let (_platform, project, base) = proposal();
    for (file, text) in [
        ("HEAD", "ref: refs/heads/main\n"),
        ("objects/none", ""),
        ("refs/none", ""),
        ("config", "[broken"),
    ] {
        project.write(&format!("../.git/{file}"), text);
    }
    reads!(planned(&project, &base), @"
    exit 1: connplan -C . plan
    --- stderr
    warning: the state folder FOLDER/state lies in the checkout FOLDER, whose files may be what somebody proposes: it is not used; set CONNPLAN_STATE_DIR to a folder outside it
    error: connplan cannot tell whether this repository is a submodule of FOLDER, the repository around it: git could not read the commit: bad config line 2 in file .git/config
      help: make git able to read FOLDER (`git status` there shows the problem), or move its `.git` away
      code: connplan::approval::base
    ");
}

#[test]
fn settings_that_are_moved_or_deleted_bind_all_the_same() {
    let (_platform, project, base) = proposal();
    std::fs::remove_file(project.path("base44/connplan.toml")).unwrap();
    forbidden(&planned(&project, &base));
    project.write("connplan.toml", "");
    forbidden(&planned(&project, &base));
    // The other way.
    git(&project, &["checkout", "-qf", &base]);
    git(
        &project,
        &["mv", "-f", "base44/connplan.toml", "connplan.toml"],
    );
    git(&project, &["commit", "-qam", "another base"]);
    let base = git(&project, &["rev-parse", "HEAD"]);
    git(&project, &["mv", "connplan.toml", "base44/connplan.toml"]);
    project.write("base44/connplan.toml", "");
    project.undeclare("notion");
    forbidden(&planned(&project, &base));
    // The project itself goes elsewhere.
    std::fs::create_dir(project.path("sub")).unwrap();
    std::fs::rename(project.path("base44"), project.path("sub/base44")).unwrap();
    forbidden(&planned_in(&project, &base, "sub"));
    // A copy of it does, and the old one stays.
    git(&project, &["checkout", "-qf", "HEAD"]);
    forbidden(&planned_in(&project, &base, "sub"));
}

/// A request that corrects them has to be planned. What is merged is held to what was asked for before.
#[test]
fn broken_settings_of_the_base_bind_as_far_as_they_can_be_read_and_nothing_is_applied_by_them() {
    let (platform, project, _) = proposal();
    let broken = "[policy]\nprotected = [\"notion\"]\nmax_class = \"newer\"\n";
    project.write("base44/connplan.toml", broken);
    git(&project, &["commit", "-qam", "broken"]);
    let base = git(&project, &["rev-parse", "HEAD"]);
    project.write("base44/connplan.toml", "");
    forbidden(&planned(&project, &base));
    project.declare("notion", &[]);
    reads!(planned(&project, &base), @r#"
    exit 0: connplan -C . plan
    ! danger: this pull or merge request loosens the policy: `protected` permits more than on the base branch
    ! danger: connplan knows, and applies here, only a part of the base branch's settings: base44/connplan.toml of COMMIT has errors: `policy.max_class` is "newer"; it has to be "none" or "sensitive" or "restricted"

    App app-1 at http://HOST

    No changes. The app matches the connector files.
    "#);
    // After the merge.
    project.undeclare("notion");
    git(&project, &["commit", "-qam", "corrected"]);
    let corrected = git(&project, &["rev-parse", "HEAD"]);
    let applied = |before: &str| {
        project.write("../event.json", &format!(r#"{{"before":"{before}"}}"#));
        let event = project.path("../event.json").display().to_string();
        let push = [("CI", "true"), ("GITHUB_EVENT_PATH", event.as_str())];
        project.run_vars(&push, &["apply", "--auto-approve"])
    };
    reads!(applied(&base), @r#"
    exit 1: connplan apply --auto-approve
    App app-1 at http://HOST

    Symbols:  - remove  ! look here

      - notion                no file declares it
          ! the tokens of a***@example.com are lost for good

    1 connector unchanged.

    A removal deletes the tokens and the connector's file in the app's own code too. What was granted at the provider stays until somebody revokes it there.

    Plan: 0 to add, 0 to change, 1 to remove, 0 to authorize.
    --- stderr
    error: base44/connplan.toml of COMMIT, whose settings apply here, has errors: `policy.max_class` is "newer"; it has to be "none" or "sensitive" or "restricted"
      help: connplan does not know what the file asks for, so it applies nothing. If the file was written for a newer connplan, use that one. Else fix it in a separate pull or merge request. What is merged after that can be applied again
      code: connplan::approval::base
    "#);
    assert_eq!(platform.writes(), [] as [&str; 0]);
    git(&project, &["commit", "-q", "--allow-empty", "-m", "next"]);
    applied(&corrected).expect(0);
}

const KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJKTyW4gu9QEXpQfTqHtR5WmnPwgGbPBkIYGW5d0tN0Z";

#[test]
fn who_may_sign_is_a_gate_in_a_file_of_its_own() {
    let (_platform, project, _) = proposal();
    project.declare("notion", &[]);
    let settings = "[approval]\nrequire = \"signature\"\nsigners = \"signers\"\n";
    project.write("base44/connplan.toml", settings);
    project.write("base44/signers", &format!("ada@example.com {KEY}\n"));
    git(&project, &["add", "-A"]);
    git(&project, &["commit", "-qm", "base"]);
    let base = git(&project, &["rev-parse", "HEAD"]);
    project.write(
        "base44/signers",
        &format!("# us\nada@example.com  {KEY} her laptop\n"),
    );
    let text = planned(&project, &base).expect(0).stdout.clone();
    assert!(!text.contains("danger"), "{text}");
    let eve = format!("ada@example.com {KEY}\neve@example.com {KEY}\n");
    project.write("base44/signers", &eve);
    let danger = "! danger: this pull or merge request changes who may sign: signers names";
    let text = planned(&project, &base).expect(0).stdout.clone();
    assert!(text.starts_with(danger), "{text}");
}

#[cfg(unix)]
#[test]
fn a_link_in_place_of_the_base_settings_is_refused() {
    let (_platform, project, _) = proposal();
    project.write("policy.toml", "[policy]\nprotected = [\"notion\"]\n");
    std::fs::remove_file(project.path("base44/connplan.toml")).unwrap();
    std::os::unix::fs::symlink("../policy.toml", project.path("base44/connplan.toml")).unwrap();
    git(&project, &["add", "-A"]);
    git(&project, &["commit", "-qm", "a link"]);
    let base = git(&project, &["rev-parse", "HEAD"]);
    reads!(planned(&project, &base), @"
    exit 1: connplan -C . plan
    --- stderr
    error: base44/connplan.toml in the base commit COMMIT is a link; its settings apply here, and connplan does not follow links
      help: replace the link with a file on the base branch first
      code: connplan::approval::base
    ");
}

/// The same repository as a pipeline clones it: one commit, and a remote that has the others.
pub(super) fn shallow(project: &Project) {
    let remote = project.path("../remote.git").display().to_string();
    git(project, &["clone", "-q", "--bare", ".", &remote]);
    std::fs::remove_dir_all(project.path(".git")).unwrap();
    git(project, &["init", "-q", "-b", "main"]);
    let url = format!("file://{remote}");
    git(project, &["remote", "add", "origin", &url]);
    git(project, &["fetch", "-q", "--depth=1", "origin", "main"]);
    git(project, &["checkout", "-qf", "FETCH_HEAD"]);
}

#[test]
fn a_base_that_a_shallow_clone_lacks_is_fetched() {
    let (_platform, project, base) = proposal();
    shallow(&project);
    let before = git(&project, &["count-objects", "-v"]);
    forbidden(&planned(&project, &base));
    assert_eq!(before, git(&project, &["count-objects", "-v"]));
    // Without the remote, there is no plan.
    let gone = project.path("../elsewhere.git");
    std::fs::rename(project.path("../remote.git"), gone).unwrap();
    let state = project.state_folder();
    std::fs::remove_dir_all(state.join("git")).unwrap();
    reads!(planned(&project, &base), @"
    exit 1: connplan -C . plan
    --- stderr
    error: the base commit COMMIT is not completely in this clone, and it could not be fetched: the git remote origin cannot be reached: there is no such folder
      help: connplan needs the settings in that commit. Fetch it: on GitHub give actions/checkout `with: { fetch-depth: 0 }` and no `filter`, on GitLab set `GIT_DEPTH: 0`
      code: connplan::approval::base
    ");
}

#[test]
fn a_merge_request_is_held_against_its_target_as_it_is_now() {
    let (_platform, project, base) = proposal();
    // It left the target before there was a policy.
    git(&project, &["checkout", "-qf", "-b", "old", &base]);
    std::fs::remove_file(project.path("base44/connplan.toml")).unwrap();
    git(&project, &["commit", "-qam", "before the policy"]);
    let left = git(&project, &["rev-parse", "HEAD"]);
    git(&project, &["branch", "-f", "main", &base]);
    project.undeclare("notion");
    git(&project, &["commit", "-qam", "proposal"]);
    let remote = project.path("../remote.git").display().to_string();
    git(&project, &["clone", "-q", "--bare", ".", &remote]);
    git(&project, &["branch", "-D", "main"]);
    git(&project, &["remote", "add", "origin", &remote]);
    let vars = [
        ("CI", "true"),
        ("GITLAB_CI", "true"),
        ("CI_MERGE_REQUEST_IID", "3"),
        ("CI_MERGE_REQUEST_DIFF_BASE_SHA", left.as_str()),
    ];
    project.run_vars(&vars, &["plan"]).expect(0);
    // The name of the target alone is enough on GitHub too.
    let named = [
        ("CI", "true"),
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_BASE_REF", "main"),
    ];
    forbidden(&project.run_vars(&named, &["plan"]));
    let target = ("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "main");
    let vars = [&vars[..], &[target]].concat();
    forbidden(&project.run_vars(&vars, &["plan"]));
}

/// The base's project lies in `shop`, a folder of its own; its policy protects notion, and plans need a
/// review.
fn proposal_in(shop: &str) -> (Platform, Project, String) {
    let (platform, project, base) = proposal();
    git(&project, &["checkout", "-qf", &base]);
    std::fs::create_dir_all(project.path(shop)).unwrap();
    let inner = format!("{shop}/base44");
    std::fs::rename(project.path("base44"), project.path(&inner)).unwrap();
    project.write(
        &format!("{inner}/connplan.toml"),
        "[policy]\nprotected = [\"notion\"]\n[approval]\nrequire = \"review\"\n",
    );
    git(&project, &["add", "-A"]);
    git(&project, &["commit", "-qm", "base"]);
    let base = git(&project, &["rev-parse", "HEAD"]);
    std::fs::remove_file(project.path(&format!("{inner}/connectors/notion.jsonc"))).unwrap();
    std::fs::remove_file(project.path(&format!("{inner}/connplan.toml"))).unwrap();
    (platform, project, base)
}

#[cfg(unix)]
#[test]
fn a_link_in_place_of_the_project_loses_no_settings() {
    use std::os::unix::fs::symlink;
    let (_platform, project, base) = proposal_in("apps/shop");
    forbidden(&planned_in(&project, &base, "apps/shop"));
    std::fs::rename(project.path("apps/shop"), project.path("apps/new")).unwrap();
    symlink("new", project.path("apps/shop")).unwrap();
    for folder in ["apps/shop", "apps/new", "apps/../apps/shop"] {
        forbidden(&planned_in(&project, &base, folder));
    }
    // What is applied after the merge is held against the commit before it.
    git(&project, &["add", "-A"]);
    git(&project, &["commit", "-qm", "merged"]);
    let file = project.path("x.plan").display().to_string();
    project
        .run(&["-C", "apps/shop", "plan", "--out", &file])
        .expect(0);
    project.write("../event.json", &format!(r#"{{"before":"{base}"}}"#));
    let event = project.path("../event.json").display().to_string();
    let push = [("CI", "true"), ("GITHUB_EVENT_PATH", event.as_str())];
    let run = project.run_vars(&push, &["-C", "apps/shop", "apply", &file]);
    reads!(run, @"
    exit 3: connplan -C apps/shop apply FOLDER/project/x.plan
    --- stderr
    error: the plan is not approved: 1 approving review needed, 0 found
      help: have the pull or merge request approved whose comment shows this plan; then `connplan -C apps/shop apply FOLDER/project/x.plan --approved-in-review=1`
      code: connplan::approval::missing
    ");
}

#[test]
fn a_project_that_gives_way_to_the_one_around_it_loses_no_settings() {
    let (_platform, project, base) = proposal_in("apps/shop");
    let both = with_another(&project, "base44");
    assert_ne!(base, both);
    std::fs::remove_dir_all(project.path("apps/shop/base44")).unwrap();
    forbidden(&planned_in(&project, &both, "apps/shop"));
    // From the root it is the root's project, as it was, with an app of its own.
    project.write("base44/.app.jsonc", "{ \"id\": \"app-2\" }");
    let root = planned_in(&project, &both, ".");
    assert!(!root.expect(0).stdout.contains("loosens"), "{root}");
}

/// A base with another project beside the one in `apps/shop`, which is there again; the commit.
fn with_another(project: &Project, beside: &str) -> String {
    git(project, &["stash", "-q", "-u"]);
    let other = project.path(beside);
    std::fs::create_dir_all(other.join("connectors")).unwrap();
    for file in ["config.jsonc", ".app.jsonc", "connectors/wix.jsonc"] {
        let from = project.path(&format!("apps/shop/base44/{file}"));
        std::fs::copy(from, other.join(file)).unwrap();
    }
    if beside == "base44" {
        project.write("base44/connplan.toml", "");
    } else {
        // An app of its own: settings bind by app too.
        let app = other.join(".app.jsonc");
        std::fs::write(app, "{ \"id\": \"app-2\" }").unwrap();
    }
    git(project, &["add", "-A"]);
    git(project, &["commit", "-qm", "another base"]);
    git(project, &["rev-parse", "HEAD"])
}

/// Takes the project in `apps/shop` elsewhere, without its settings and what they protect.
fn moved_to(project: &Project, place: &str) {
    std::fs::create_dir_all(project.path(place).parent().unwrap()).unwrap();
    std::fs::rename(project.path("apps/shop/base44"), project.path(place)).unwrap();
    for file in ["connectors/notion.jsonc", "connplan.toml"] {
        std::fs::remove_file(project.path(place).join(file)).unwrap();
    }
}

#[test]
fn a_project_that_is_moved_below_other_settings_loses_none_of_its_own() {
    let (_platform, project, _) = proposal_in("apps/shop");
    let base = with_another(&project, "base44");
    moved_to(&project, "apps/new/base44");
    forbidden(&planned_in(&project, &base, "apps/new"));
}

#[test]
fn a_project_that_takes_the_place_of_one_without_settings_loses_none_of_its_own() {
    let (_platform, project, _) = proposal_in("apps/shop");
    let base = with_another(&project, "apps/other/base44");
    // Where it stays, the other one is bound by nothing.
    planned_in(&project, &base, "apps/other").expect(0);
    std::fs::remove_dir_all(project.path("apps/other/base44")).unwrap();
    moved_to(&project, "apps/other/base44");
    forbidden(&planned_in(&project, &base, "apps/other"));
}

#[test]
fn a_repository_of_the_name_of_the_folder_is_one_all_the_same() {
    let (_platform, project, _) = proposal();
    std::fs::create_dir_all(project.path("repo/base44")).unwrap();
    std::fs::rename(project.path("base44"), project.path("repo/base44/base44")).unwrap();
    project.write(
        "repo/base44/base44/connplan.toml",
        "[policy]\nprotected = [\"notion\"]\n",
    );
    let git = |args: &[&str]| git(&project, &[&["-C", "repo/base44"], args].concat());
    git(&["init", "-q", "-b", "main"]);
    git(&["add", "-A"]);
    git(&["commit", "-qm", "base"]);
    let base = git(&["rev-parse", "HEAD"]);
    git(&["rm", "-q", "base44/connplan.toml"]);
    for file in ["config.jsonc", ".app.jsonc", "connectors"] {
        git(&["mv", &format!("base44/{file}"), file]);
    }
    forbidden(&planned_in(&project, &base, "repo/base44"));
}

/// Two projects with apps of their own; one of them gets the app of the other, whose settings forbid
/// what it plans.
#[test]
fn what_an_app_has_binds_whichever_project_plans_it() {
    let named = [
        ("apps/shop/base44/.app.jsonc", "{ \"id\": \"app-1\" }"),
        ("apps/shop/.env", "BASE44_APP_ID=app-1\n"),
        (
            "apps/shop/base44/connplan.toml",
            "[policy]\nprotected = [\"notion\"]\n[environments.live]\napp_id = \"app-1\"\n",
        ),
    ];
    for (file, text) in named {
        let (_platform, project, _) = proposal_in("apps/shop");
        git(&project, &["checkout", "-qf", "."]);
        std::fs::remove_file(project.path("apps/shop/base44/.app.jsonc")).unwrap();
        project.write(file, text);
        project.write("apps/toy/base44/config.jsonc", "{ \"name\": \"Toy\" }");
        let app = |id: &str| {
            project.write(
                "apps/toy/base44/.app.jsonc",
                &format!("{{ \"id\": \"{id}\" }}"),
            );
        };
        app("app-2");
        project.write(
            "apps/toy/base44/connectors/wix.jsonc",
            "{ \"type\": \"wix\", \"scopes\": [] }",
        );
        git(&project, &["add", "-A"]);
        git(&project, &["commit", "-qm", "two"]);
        let base = git(&project, &["rev-parse", "HEAD"]);
        planned_in(&project, &base, "apps/toy").expect(0);
        app("app-1");
        forbidden(&planned_in(&project, &base, "apps/toy"));
    }
}

/// A repository of the proposal's own in the place of the project.
#[test]
fn a_submodule_in_place_of_the_project_loses_no_settings() {
    let (_platform, project, base) = proposal();
    git(&project, &["checkout", "-qf", "-B", "main", &base]);
    let origin = project.path("../origin.git").display().to_string();
    git(&project, &["clone", "-q", "--bare", ".", &origin]);
    git(&project, &["remote", "add", "origin", &origin]);
    // It has what the project had, and no settings.
    let module = project.path("../module");
    std::fs::rename(project.path("base44"), &module).unwrap();
    std::fs::remove_file(module.join("connplan.toml")).unwrap();
    std::fs::remove_file(module.join("connectors/notion.jsonc")).unwrap();
    let module = module.display().to_string();
    let within = |args: &[&str]| git(&project, &[&["-C", &module], args].concat());
    within(&["init", "-q", "-b", "main"]);
    within(&["add", "-A"]);
    within(&["commit", "-qm", "module"]);
    git(&project, &["add", "-A"]);
    let from = ["-c", "protocol.file.allow=always", "submodule", "--quiet"];
    git(&project, &[&from[..], &["add", &module, "base44"]].concat());
    git(&project, &["commit", "-qm", "proposal"]);
    let gitlab = [
        ("CI", "true"),
        ("GITLAB_CI", "true"),
        ("CI_MERGE_REQUEST_IID", "3"),
        ("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "main"),
    ];
    forbidden(&project.run_vars(&gitlab, &["plan"]));
    forbidden(&planned(&project, &base));
    // Where the base has the submodule too, what it names there is what binds.
    let with = git(&project, &["rev-parse", "HEAD"]);
    project.write("base44/connplan.toml", "");
    let module = |args: &[&str]| git(&project, &[&["-C", "base44"], args].concat());
    module(&["rm", "-q", "connectors/wix.jsonc"]);
    reads!(planned(&project, &with), @"
    exit 1: connplan -C . plan
    --- stderr
    error: the connectors folder connectors does not exist, and the app has 2 connectors: notion, wix. Planning would mark all of them for removal, with their tokens
      help: check the branch and the folder; to remove every connector, give `--allow-remove-all`
      code: connplan::plan::remove_all
    ");
    // Nor is it loosened by naming another commit of it.
    project.write(
        "base44/connplan.toml",
        "[policy]\nprotected = [\"notion\"]\n",
    );
    module(&["reset", "-q"]);
    module(&["checkout", "-qf", "--", "connectors"]);
    module(&["add", "-A"]);
    module(&["commit", "-qm", "strict"]);
    git(&project, &["commit", "-qam", "another base"]);
    let with = git(&project, &["rev-parse", "HEAD"]);
    module(&["rm", "-q", "connplan.toml"]);
    module(&["commit", "-qm", "loose"]);
    git(&project, &["commit", "-qam", "proposal"]);
    forbidden(&planned(&project, &with));
}

#[test]
fn no_plan_of_a_request_lives_longer_than_its_base_says() {
    let platform = Platform::start();
    let project = Project::new().at(&platform).connector("wix", &["a"]);
    project.write("base44/connplan.toml", "[plan]\nexpires = \"72h\"\n");
    git(&project, &["init", "-q", "-b", "main"]);
    git(&project, &["add", "-A"]);
    git(&project, &["commit", "-qm", "base"]);
    let base = git(&project, &["rev-parse", "HEAD"]);
    let vars = event(&project, &base);
    let vars: Vec<_> = vars.iter().map(|(n, v)| (*n, v.as_str())).collect();
    let run = |args: &[&str]| project.run_vars(&vars, args);
    // Made where nobody asked for less.
    let plan = ["plan", "--expires", "30d", "--out"];
    let made = project.run(&[&plan[..], &["long.plan"]].concat());
    made.expect(0).lacks("longer");
    reads!(run(&["apply", "long.plan"]), @"
    exit 3: connplan apply long.plan
    --- stderr
    error: the plan expires at TIME, and [plan] `expires` of the base branch lets no plan live for longer than 72h
      help: nothing was written; run `connplan plan --out FILE` again and ask for a review
      code: connplan::plan::lives_too_long
    ");
    assert!(platform.writes().is_empty());
    reads!(run(&[&plan[..], &["cut.plan"]].concat()), @"
    exit 0: connplan plan --expires 30d --out cut.plan
    App app-1 at http://HOST

    Symbols:  + add

      + wix                   base44/connectors/wix.jsonc
          + a  unknown, which does not mean safe
          authorization: required

    Plan: 1 to add, 0 to change, 0 to remove, 1 to authorize.

    Digest: sha256:DIGEST
    Expires: in 3 days, at TIME
    To carry out exactly this plan: connplan apply cut.plan
    --- stderr
    warning: `--expires` is longer than [plan] `expires` of the base branch allows: the plan expires in 72h
    ");
    run(&["apply", "cut.plan"]).expect(0);
}

//! Where no pipeline names the base, history does: what it asked for is not dropped by who applies.

use super::loosening::{git, push, shallow};
use crate::support::{Output, Platform, Project, reads};

/// A repository whose first commit wants a signature for each change, and whose second one nothing.
fn dropped() -> (Platform, Project) {
    let platform = Platform::start();
    let project = Project::new()
        .at(&platform)
        .connector("slack", &["chat:write"]);
    project.write("base44/signers", "");
    let wants = "[approval]\nrequire = \"signature\"\nsigners = \"signers\"\n";
    project.write("base44/connplan.toml", wants);
    git(&project, &["init", "-q", "-b", "main"]);
    commit(&project, "base");
    project.write("base44/connplan.toml", "");
    commit(&project, "no approval");
    (platform, project)
}

fn commit(project: &Project, message: &str) {
    git(project, &["add", "-A"]);
    git(project, &["commit", "-q", "--allow-empty", "-m", message]);
}

/// What origin's main is, as a clone knows it.
fn origin_has(project: &Project, main: &str) {
    let main = git(project, &["rev-parse", main]);
    git(project, &["update-ref", "refs/remotes/origin/main", &main]);
    git(
        project,
        &[
            "symbolic-ref",
            "refs/remotes/origin/HEAD",
            "refs/remotes/origin/main",
        ],
    );
}

/// The same, where a pipeline asks.
fn in_pipeline(platform: &Platform, project: &Project, main: &str) {
    let remote = project.path("../remote.git").display().to_string();
    git(project, &["clone", "-q", "--bare", ".", &remote]);
    let main = git(project, &["rev-parse", main]);
    let update = ["-C", &remote, "update-ref", "refs/heads/main", &main];
    git(project, &update);
    git(project, &["remote", "add", "origin", &remote]);
    refused(platform, project, &[("CI", "true")]);
}

fn applied(platform: &Platform, project: &Project, vars: &[(&str, &str)]) -> Output {
    platform.forget();
    project.run_vars(vars, &["apply", "--auto-approve"])
}

fn refused(platform: &Platform, project: &Project, vars: &[(&str, &str)]) {
    applied(platform, project, vars)
        .expect(3)
        .tells("signature");
    assert_eq!(platform.writes(), [] as [&str; 0]);
}

#[test]
fn a_branch_is_measured_against_where_it_left_the_default_one() {
    let (platform, project) = dropped();
    origin_has(&project, "HEAD~1");
    refused(&platform, &project, &[]);
    // However long ago that was: the commit before has dropped it already.
    commit(&project, "more");
    refused(&platform, &project, &[]);
    in_pipeline(&platform, &project, "HEAD~2");
}

#[test]
fn on_the_default_branch_the_commit_before_counts() {
    let (platform, project) = dropped();
    origin_has(&project, "HEAD");
    refused(&platform, &project, &[]);
    in_pipeline(&platform, &project, "HEAD");
    // Once that wants nothing either, what the team merged holds.
    commit(&project, "more");
    origin_has(&project, "HEAD");
    applied(&platform, &project, &[]).expect(0);
    assert_eq!(platform.writes().len(), 1);
}

/// A submodule in a repository that has just been made is measured by its own history.
#[test]
fn a_submodule_of_a_first_commit_has_its_own_commit_before() {
    let (platform, project) = dropped();
    let outer = |args: &[&str]| git(&project, &[&["-C", ".."], args].concat());
    outer(&["init", "-q", "-b", "main"]);
    outer(&["add", "project"]);
    outer(&["commit", "-q", "-m", "a first commit"]);
    refused(&platform, &project, &[]);
}

/// A run's branch is one of the repository around, and the submodule's may be called otherwise.
#[test]
fn the_branch_of_a_run_is_not_looked_for_in_a_submodule() {
    let platform = Platform::start();
    let project = Project::new().at(&platform);
    project.write("apps/shop/base44/config.jsonc", "{ \"name\": \"Shop\" }");
    project.write("apps/shop/base44/.app.jsonc", "{ \"id\": \"app-1\" }");
    let remote = |name: &str| project.path(name).display().to_string();
    let (inner, outer) = (remote("../inner.git"), remote("../outer.git"));
    let within = |args: &[&str]| git(&project, &[&["-C", "apps/shop"], args].concat());
    within(&["init", "-q", "-b", "master"]);
    within(&["add", "-A"]);
    within(&["commit", "-q", "-m", "base"]);
    within(&["clone", "-q", "--bare", ".", &inner]);
    within(&["remote", "add", "origin", &inner]);
    git(&project, &["init", "-q", "-b", "main"]);
    git(&project, &["add", "apps/shop"]);
    commit(&project, "base");
    let before = git(&project, &["rev-parse", "HEAD"]);
    commit(&project, "next");
    let head = git(&project, &["rev-parse", "HEAD"]);
    git(&project, &["clone", "-q", "--bare", ".", &outer]);
    git(&project, &["remote", "add", "origin", &outer]);
    let event = format!(
        r#"{{"before":"{before}","after":"{head}","ref":"refs/heads/main","repository":{{"default_branch":"main"}}}}"#
    );
    project.write("../event.json", &event);
    let event = project.path("../event.json").display().to_string();
    let mut vars = push(&event, &head).to_vec();
    vars.push(("GITHUB_REF", "refs/heads/main"));
    reads!(project.run_vars(&vars, &["-C", "apps/shop", "plan"]), @"
    exit 0: connplan -C apps/shop plan
    App app-1 at http://HOST

    No changes. The app matches the connector files.
    ");
}

#[test]
fn a_pipeline_fetches_the_commit_before_and_a_desk_asks_nobody_for_it() {
    let (platform, project) = dropped();
    shallow(&project);
    refused(&platform, &project, &[("CI", "true")]);
    let gone = project.path("../elsewhere.git");
    std::fs::rename(project.path("../remote.git"), gone).unwrap();
    std::fs::remove_dir_all(project.state_folder().join("git")).unwrap();
    reads!(applied(&platform, &project, &[("CI", "true")]), @"
    exit 1: connplan apply --auto-approve
    App app-1 at http://HOST

    Symbols:  + add

      + slack                 base44/connectors/slack.jsonc
          + chat:write  post messages (as the bot or as the user) · write
          authorization: required

    Plan: 1 to add, 0 to change, 0 to remove, 1 to authorize.
    --- stderr
    error: nothing names the commit before this one, so the default branch's settings apply, and connplan cannot tell which branch that is: the git remote origin cannot be reached: there is no such folder
      help: let the checkout keep its credentials, or have it run `git remote set-head origin --auto` while it has them
      code: connplan::approval::base
    ");
    assert_eq!(platform.writes(), [] as [&str; 0]);
    // At a desk nothing is fetched for that, and nothing is known.
    applied(&platform, &project, &[]).expect(0);
}

/// Where a run checks out another commit than it is of, a shallow clone does not tell where that left the
/// default branch.
#[test]
fn a_shallow_clone_of_another_commit_than_the_runs_is_not_enough() {
    let (platform, project) = dropped();
    git(&project, &["checkout", "-q", "-b", "topic"]);
    commit(&project, "more");
    commit(&project, "and more");
    let topic = git(&project, &["rev-parse", "HEAD"]);
    git(&project, &["checkout", "-q", "main"]);
    commit(&project, "what the team merged");
    let main = git(&project, &["rev-parse", "HEAD"]);
    shallow(&project);
    git(&project, &["fetch", "-q", "--depth=1", "origin", &topic]);
    git(&project, &["checkout", "-qf", &topic]);
    let event = "{\"repository\": {\"default_branch\": \"main\"}}";
    project.write("../event.json", event);
    let event = project.path("../event.json").display().to_string();
    let mut run = push(&event, &main).to_vec();
    run.push(("GITHUB_REF", "refs/heads/main"));
    run.push(("GITHUB_EVENT_NAME", "schedule"));
    reads!(applied(&platform, &project, &run), @"
    exit 1: connplan apply --auto-approve
    --- stderr
    error: nothing names the commit before this one, so connplan needs the settings from where this history left main, and this clone is too shallow
      help: on GitHub give actions/checkout `with: { fetch-depth: 0 }`, on GitLab set `GIT_DEPTH: 0`
      code: connplan::approval::base
    ");
    assert_eq!(platform.writes(), [] as [&str; 0]);
}

/// What is forbidden on the default branch is so for every pipeline, whichever forge it is of.
#[test]
fn the_policy_of_the_default_branch_binds_in_any_pipeline() {
    let platform = Platform::start();
    let project = Project::new()
        .at(&platform)
        .connector("slack", &["chat:write"]);
    let denies = "[policy]\ndenied_types = [\"slack\"]\n";
    project.write("base44/connplan.toml", denies);
    git(&project, &["init", "-q", "-b", "main"]);
    commit(&project, "base");
    project.write("base44/connplan.toml", "");
    commit(&project, "permitted");
    let remote = project.path("../remote.git").display().to_string();
    git(&project, &["clone", "-q", "--bare", ".", &remote]);
    let main = ["update-ref", "refs/heads/main", "main~1"];
    git(&project, &[&["-C", &remote], &main[..]].concat());
    git(&project, &["remote", "add", "origin", &remote]);
    git(&project, &["checkout", "-q", "--detach"]);
    let ci = [("CI", "true"), ("CHANGE_TARGET", "main")];
    reads!(project.run_vars(&ci, &["plan"]), @"
    exit 6: connplan plan
    App app-1 at http://HOST

    Symbols:  + add

      + slack                 base44/connectors/slack.jsonc
          + chat:write  post messages (as the bot or as the user) · write
          authorization: required

    Plan: 1 to add, 0 to change, 0 to remove, 1 to authorize.
    --- stderr
    error: the policy in connplan.toml forbids this plan; nothing was written:
      denied_types: slack: the type is denied (by the settings of the branch that this one left)
      help: change the connector files, or ask whoever is responsible for the policy to change it
      code: connplan::plan::policy
    ");
    reads!(applied(&platform, &project, &ci), @"
    exit 6: connplan apply --auto-approve
    --- stderr
    error: the policy in connplan.toml forbids this plan; nothing was written:
      denied_types: slack: the type is denied (by the settings of the branch that this one left)
      help: change the connector files, or ask whoever is responsible for the policy to change it
      code: connplan::plan::policy
    ");
    assert_eq!(platform.writes(), [] as [&str; 0]);
    // At a desk the files decide.
    project.run(&["plan"]).expect(0);
    // Who clones calls the remote as they like.
    let rename = |from: &str, to: &str| git(&project, &["remote", "rename", from, to]);
    rename("origin", "upstream");
    for command in ["plan", "apply --auto-approve"] {
        let args: Vec<_> = command.split(' ').collect();
        let run = project.run_vars(&ci, &args);
        run.expect(6).tells("denied_types: slack");
    }
    // Of several, nothing says which is meant.
    let base = git(&project, &["rev-parse", "HEAD~1"]);
    let shown = |mut run: Output| {
        run.stdout = run.stdout.replace(&base[..7], "BASE");
        run
    };
    git(&project, &["remote", "add", "fork", "../fork.git"]);
    reads!(shown(project.run_vars(&ci, &["plan"])), @"
    exit 0: connplan plan
    ! danger: before this change, at BASE, the policy forbade this: slack: the type is denied

    App app-1 at http://HOST

    Symbols:  + add

      + slack                 base44/connectors/slack.jsonc
          + chat:write  post messages (as the bot or as the user) · write
          authorization: required

    Plan: 1 to add, 0 to change, 0 to remove, 1 to authorize.
    --- stderr
    warning: no git remote of this clone is called `origin`, and nothing says which of `fork`, `upstream` is meant, so connplan cannot get the newest settings of the repository's branches, and needs them; call the remote of the repository so in a step before: `git remote rename NAME origin`
    ");
    reads!(shown(applied(&platform, &project, &ci)), @"
    exit 1: connplan apply --auto-approve
    ! danger: before this change, at BASE, the policy forbade this: slack: the type is denied

    App app-1 at http://HOST

    Symbols:  + add

      + slack                 base44/connectors/slack.jsonc
          + chat:write  post messages (as the bot or as the user) · write
          authorization: required

    Plan: 1 to add, 0 to change, 0 to remove, 1 to authorize.
    --- stderr
    error: no git remote of this clone is called `origin`, and nothing says which of `fork`, `upstream` is meant, so connplan cannot get the newest settings of the repository's branches, and needs them
      help: call the remote of the repository so in a step before: `git remote rename NAME origin`
      code: connplan::approval::base
    ");
    git(&project, &["remote", "remove", "fork"]);
    git(&project, &["remote", "remove", "upstream"]);
    reads!(shown(project.run_vars(&ci, &["plan"])), @"
    exit 0: connplan plan
    ! danger: before this change, at BASE, the policy forbade this: slack: the type is denied

    App app-1 at http://HOST

    Symbols:  + add

      + slack                 base44/connectors/slack.jsonc
          + chat:write  post messages (as the bot or as the user) · write
          authorization: required

    Plan: 1 to add, 0 to change, 0 to remove, 1 to authorize.
    --- stderr
    warning: this clone has no git remote, so connplan cannot get the newest settings of the repository's branches, and needs them; add the remote of the repository in a step before: `git remote add origin ADDRESS`
    ");
    reads!(shown(applied(&platform, &project, &ci)), @"
    exit 1: connplan apply --auto-approve
    ! danger: before this change, at BASE, the policy forbade this: slack: the type is denied

    App app-1 at http://HOST

    Symbols:  + add

      + slack                 base44/connectors/slack.jsonc
          + chat:write  post messages (as the bot or as the user) · write
          authorization: required

    Plan: 1 to add, 0 to change, 0 to remove, 1 to authorize.
    --- stderr
    error: this clone has no git remote, so connplan cannot get the newest settings of the repository's branches, and needs them
      help: add the remote of the repository in a step before: `git remote add origin ADDRESS`
      code: connplan::approval::base
    ");
    assert_eq!(platform.writes(), [] as [&str; 0]);
    git(&project, &["remote", "add", "origin", &remote]);
    // Where it cannot be had, what is planned is not applied.
    std::fs::remove_dir_all(&remote).unwrap();
    std::fs::remove_dir_all(project.state_folder().join("git")).unwrap();
    reads!(project.run_vars(&ci, &["plan"]), @"
    exit 0: connplan plan
    App app-1 at http://HOST

    Symbols:  + add

      + slack                 base44/connectors/slack.jsonc
          + chat:write  post messages (as the bot or as the user) · write
          authorization: required

    Plan: 1 to add, 0 to change, 0 to remove, 1 to authorize.
    --- stderr
    warning: nothing names the commit before this one, so the default branch's settings apply, and connplan cannot tell which branch that is: the git remote origin cannot be reached: there is no such folder; let the checkout keep its credentials, or have it run `git remote set-head origin --auto` while it has them
    ");
    reads!(applied(&platform, &project, &ci), @"
    exit 1: connplan apply --auto-approve
    App app-1 at http://HOST

    Symbols:  + add

      + slack                 base44/connectors/slack.jsonc
          + chat:write  post messages (as the bot or as the user) · write
          authorization: required

    Plan: 1 to add, 0 to change, 0 to remove, 1 to authorize.
    --- stderr
    error: nothing names the commit before this one, so the default branch's settings apply, and connplan cannot tell which branch that is: the git remote origin cannot be reached: there is no such folder
      help: let the checkout keep its credentials, or have it run `git remote set-head origin --auto` while it has them
      code: connplan::approval::base
    ");
    assert_eq!(platform.writes(), [] as [&str; 0]);
}

/// Where git is missing, a forge's own step unpacks an archive: what was before is then not known.
#[test]
fn nothing_is_applied_from_a_pipelines_checkout_that_is_no_clone() {
    let (platform, project) = dropped();
    let [before, head] = ["HEAD~1", "HEAD"].map(|name| git(&project, &["rev-parse", name]));
    let event = format!("{{ \"before\": \"{before}\", \"ref\": \"refs/heads/main\" }}");
    project.write("../event.json", &event);
    let event = project.path("../event.json").display().to_string();
    let root = project.root().display().to_string();
    let mut run = push(&event, &head).to_vec();
    run.push(("GITHUB_WORKSPACE", &root));
    refused(&platform, &project, &run);
    std::fs::remove_dir_all(project.path(".git")).unwrap();
    reads!(project.run_vars(&run, &["plan"]), @"
    exit 0: connplan plan
    App app-1 at http://HOST

    Symbols:  + add

      + slack                 base44/connectors/slack.jsonc
          + chat:write  post messages (as the bot or as the user) · write
          authorization: required

    Plan: 1 to add, 0 to change, 0 to remove, 1 to authorize.
    --- stderr
    warning: the checkout of this pipeline is not a git repository: connplan needs the settings of the commit before this one, and cannot find it; install git before the step that checks out: without it, actions/checkout unpacks an archive
    ");
    reads!(applied(&platform, &project, &run), @"
    exit 1: connplan apply --auto-approve
    App app-1 at http://HOST

    Symbols:  + add

      + slack                 base44/connectors/slack.jsonc
          + chat:write  post messages (as the bot or as the user) · write
          authorization: required

    Plan: 1 to add, 0 to change, 0 to remove, 1 to authorize.
    --- stderr
    error: the checkout of this pipeline is not a git repository: connplan needs the settings of the commit before this one, and cannot find it
      help: install git before the step that checks out: without it, actions/checkout unpacks an archive
      code: connplan::approval::base
    ");
    assert_eq!(platform.writes(), [] as [&str; 0]);
    // A folder that a person has made has nothing before.
    applied(&platform, &project, &[("CI", "true")]).expect(0);
}

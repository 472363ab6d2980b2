//! What binds is the request's own base, as it is now: whatever a run is told of it.

use serde_json::{Value, json};

use super::loosening::{forbidden, git};
use crate::support::{
    Connector, Output, Platform, Project, reads,
    scripted::{Reply, Scripted},
};

const EMPTY_TREE: &str = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";

/// A repository whose branch `release` protects notion and whose default branch does not. A proposal, of
/// the time before there was a policy, removes notion.
struct Shop {
    _platform: Platform,
    project: Project,
    forge: Scripted,
    old: String,
    strict: String,
    head: String,
}

impl Shop {
    fn new() -> Self {
        let platform = Platform::with(&[
            Connector::active("notion", &[]),
            Connector::active("wix", &[]),
        ]);
        let forge = Scripted::start();
        let project = Project::new()
            .at(&platform)
            .var("CI", "true")
            .var("GITHUB_ACTIONS", "true")
            .var("GITHUB_API_URL", &forge.url())
            .var("GITHUB_REPOSITORY", "octo/site")
            .var("__CONNPLAN_TEST_RETRY_BASE_MS", "1");
        project.declare("notion", &[]);
        project.declare("wix", &[]);
        git(&project, &["init", "-q", "-b", "main"]);
        let old = committed(&project);
        git(&project, &["checkout", "-q", "-b", "release"]);
        project.write(
            "base44/connplan.toml",
            "[policy]\nprotected = [\"notion\"]\n",
        );
        let strict = committed(&project);
        git(&project, &["checkout", "-q", "--detach", &old]);
        project.undeclare("notion");
        let head = committed(&project);
        Self {
            _platform: platform,
            project,
            forge,
            old,
            strict,
            head,
        }
    }

    /// From now on the branches are at the remote alone.
    fn cloned(self) -> Self {
        let remote = self.project.path("../remote.git").display().to_string();
        git(&self.project, &["clone", "-q", "--bare", ".", &remote]);
        git(&self.project, &["branch", "-D", "main", "release"]);
        git(&self.project, &["remote", "add", "origin", &remote]);
        self
    }

    fn planned(&self, name: &str, event: &Value, token: &[(&str, &str)]) -> Output {
        self.project.write("../event.json", &event.to_string());
        let event = self.project.path("../event.json").display().to_string();
        let vars = [
            ("GITHUB_EVENT_NAME", name),
            ("GITHUB_EVENT_PATH", event.as_str()),
        ];
        self.project.run_vars(&[&vars, token].concat(), &["plan"])
    }

    fn of_pull(&self, base: &Value) -> Output {
        let head = json!({ "sha": self.head });
        let event = json!({"pull_request": {"number": 5, "base": base, "head": head}});
        self.planned("pull_request", &event, &[])
    }
}

fn committed(project: &Project) -> String {
    git(project, &["add", "-A"]);
    git(project, &["commit", "-qm", "."]);
    git(project, &["rev-parse", "HEAD"])
}

/// It would be a run for nothing, which no base binds.
#[test]
fn an_event_that_cannot_be_read_is_a_refusal() {
    let shop = Shop::new();
    let path = shop.project.path("../event.json").display().to_string();
    for name in ["merge_group", "issue_comment"] {
        let vars = [("GITHUB_EVENT_NAME", name), ("GITHUB_EVENT_PATH", &*path)];
        shop.project.run_vars(&vars, &["plan"]).expect(1);
    }
    let vars = [("GITHUB_EVENT_NAME", "push"), ("GITHUB_EVENT_PATH", &*path)];
    reads!(shop.project.run_vars(&vars, &["plan"]), @"
    exit 1: connplan plan
    --- stderr
    error: the event of this run cannot be read, so connplan does not know which settings apply: FOLDER/project/../event.json does not exist
      help: GITHUB_EVENT_PATH names its file; a container needs that file mounted at the same path
      code: connplan::context::event
    ");
    shop.project.write("../event.json", r#"{"merge_group": {"#);
    let vars = [("GITHUB_EVENT_PATH", &*path)];
    reads!(shop.project.run_vars(&vars, &["plan"]), @"
    exit 1: connplan plan
    --- stderr
    error: the event of this run cannot be read, so connplan does not know which settings apply: FOLDER/project/../event.json: EOF while parsing an object at line 1 column 17
      help: GITHUB_EVENT_PATH names its file; a container needs that file mounted at the same path
      code: connplan::context::event
    ");
}

#[test]
#[ignore = "needs git remotes: run by .ci/run"]
fn where_the_event_does_not_name_the_base_the_forge_is_asked() {
    let shop = Shop::new().cloned();
    let commented = json!({
        "issue": {"number": 5, "pull_request": {"url": "u"}},
        "repository": {"default_branch": "main"},
    });
    let of_a_fork = json!({"workflow_run": {
        "event": "pull_request", "pull_requests": [], "head_branch": "x",
        "head_repository": {"full_name": "eve/site", "owner": {"login": "eve"}},
    }});
    let request = |base: &str, from: &str| {
        json!({
            "base": {"ref": base},
            "head": {"ref": "x", "sha": shop.head, "repo": {"full_name": from}},
        })
    };
    let token = [("GITHUB_TOKEN", "ghs_canary")];
    let (one, list) = ("GET /repos/octo/site/pulls/5", "GET /repos/octo/site/pulls");
    for (branch, tip) in [("main", &shop.old), ("release", &shop.strict)] {
        let route = format!("GET /repos/octo/site/branches/{branch}");
        let answer = json!({"commit": {"sha": tip}});
        shop.forge.on(&route, [Reply::json(200, &answer)]);
    }
    for (event, name) in [(&commented, "issue_comment"), (&of_a_fork, "workflow_run")] {
        // The default branch would let it pass.
        let answer = |base: &str| {
            let own = request(base, "eve/site");
            shop.forge.on(one, [Reply::json(200, &own)]);
            // As where the forge does not understand what it was asked for.
            let all = json!([request("main", "octo/site"), own]);
            shop.forge.on(list, [Reply::json(200, &all)]);
        };
        answer("main");
        shop.planned(name, event, &token).expect(0);
        answer("release");
        forbidden(&shop.planned(name, event, &token));
        // Such a run may have checked out the fork, whose branch of that name is the fork's own.
        let remote = shop.project.path("../remote.git").display().to_string();
        let release = |to: &str| {
            git(
                &shop.project,
                &["push", "-qf", &remote, &format!("{to}:refs/heads/release")],
            );
        };
        release(&shop.old);
        forbidden(&shop.planned(name, event, &token));
        release(&shop.strict);
        // Who cannot be asked is not guessed at.
        let untold = shop.planned(name, event, &[]);
        untold.expect(1);
        insta::allow_duplicates!(reads!(untold.stderr, @"
        error: connplan cannot find the target branch of this pull request, and needs its settings: GITHUB_TOKEN is not set
          help: the event does not say it, so GitHub is asked: give this step `GITHUB_TOKEN: ${{ github.token }}`, and the job `permissions: { contents: read, pull-requests: read }`; or plan in a workflow that `pull_request` starts
          code: connplan::approval::base
        "));
        for route in [one, list] {
            let silent = json!({"message": "no"});
            shop.forge.on(route, [Reply::json(404, &silent)]);
        }
        let silent = shop.planned(name, event, &token);
        silent.expect(1);
        insta::allow_duplicates!(reads!(silent.stderr, @r#"
        error: connplan cannot find the target branch of this pull request, and needs its settings: asking for the base of the request on GitHub failed: the token was refused (HTTP 404): the server says "no"
          help: the event does not say it, so GitHub is asked: give this step `GITHUB_TOKEN: ${{ github.token }}`, and the job `permissions: { contents: read, pull-requests: read }`; or plan in a workflow that `pull_request` starts
          code: connplan::approval::base
        "#));
    }
    // From one branch into two.
    let two = json!([request("main", "eve/site"), request("release", "eve/site")]);
    shop.forge.on(list, [Reply::json(200, &two)]);
    let two = shop.planned("workflow_run", &of_a_fork, &token);
    forbidden(&two);
    shop.forge.on(list, [Reply::json(200, &json!([]))]);
    let none = shop.planned("workflow_run", &of_a_fork, &token);
    reads!(none, @"
    exit 1: connplan plan
    --- stderr
    error: connplan cannot find the target branch of this pull request, and needs its settings: none is open from the branch of this run
      help: the event does not say it, so GitHub is asked: give this step `GITHUB_TOKEN: ${{ github.token }}`, and the job `permissions: { contents: read, pull-requests: read }`; or plan in a workflow that `pull_request` starts
      code: connplan::approval::base
    ");
}

#[test]
fn an_old_request_is_held_against_its_base_as_it_is_now() {
    let shop = Shop::new().cloned();
    shop.of_pull(&json!({"sha": shop.old})).expect(0);
    let base = json!({"sha": shop.old, "ref": "release"});
    forbidden(&shop.of_pull(&base));
    // What the event names binds as well.
    let base = json!({"sha": shop.strict, "ref": "main"});
    forbidden(&shop.of_pull(&base));
    // As the pipeline's clone knows it, where the remote gives nothing.
    let release = "refs/remotes/origin/release";
    git(&shop.project, &["update-ref", release, &shop.strict]);
    std::fs::remove_dir_all(shop.project.path("../remote.git")).unwrap();
    let base = json!({"sha": shop.old, "ref": "release"});
    let run = shop.of_pull(&base);
    forbidden(&run);
    git(&shop.project, &["update-ref", "-d", release]);
    reads!(shop.of_pull(&base), @"
    exit 0: connplan plan
    App app-1 at http://HOST

    Symbols:  - remove  ! look here

      - notion                no file declares it
          ! the tokens of a***@example.com are lost for good

    1 connector unchanged.

    A removal deletes the tokens and the connector's file in the app's own code too. What was granted at the provider stays until somebody revokes it there.

    Plan: 0 to add, 0 to change, 1 to remove, 0 to authorize.
    --- stderr
    warning: the branch release cannot be fetched, so its settings are taken from this clone, which may be out of date: the git remote origin cannot be reached: there is no such folder
    ");
}

/// Where what is checked out came from a fork, `origin` has the fork's branches, and the run's repository is
/// asked for its own.
#[test]
#[ignore = "needs git remotes: run by .ci/run"]
fn the_branches_of_a_fork_bind_nothing() {
    let shop = Shop::new().cloned();
    let there = |name: &str| shop.project.path(&format!("../{name}.git"));
    let fork = there("fork").display().to_string();
    let own = there("remote").display().to_string();
    git(&shop.project, &["clone", "-q", "--bare", &own, &fork]);
    let loose = format!("{}:refs/heads/release", shop.old);
    git(&shop.project, &["push", "-qf", &fork, &loose]);
    let set_origin = |url: &str| git(&shop.project, &["remote", "set-url", "origin", url]);
    let [of_fork, of_own] = [&fork, &own].map(|path| format!("url.{path}.insteadOf"));
    let forge = |server: &'static str| {
        [
            ("GIT_CONFIG_COUNT", "2".to_owned()),
            ("GIT_CONFIG_KEY_0", of_fork.clone()),
            ("GIT_CONFIG_VALUE_0", format!("{server}/eve/site")),
            ("GIT_CONFIG_KEY_1", of_own.clone()),
            ("GIT_CONFIG_VALUE_1", format!("{server}/octo/site.git")),
        ]
    };
    let github = forge("https://github.com");
    let mut github: Vec<_> = github.iter().map(|(k, v)| (*k, v.as_str())).collect();
    let base = json!({"sha": shop.old, "ref": "release", "repo": {"id": 1}});
    let repository = json!({"id": 1, "default_branch": "release"});
    let pull = json!({"pull_request": {"number": 5, "base": base}, "repository": repository});
    let run = json!({"workflow_run": {"event": "pull_request", "pull_requests": [{"base": base}]},
        "repository": repository});
    let by_hand = json!({ "repository": repository });
    // What is a folder says nothing of whose it is.
    set_origin(&fork);
    shop.planned("pull_request_target", &pull, &github)
        .expect(0);
    set_origin("https://github.com/eve/site");
    for (name, event) in [
        ("pull_request_target", &pull),
        ("workflow_run", &run),
        ("workflow_dispatch", &by_hand),
    ] {
        shop.planned(name, event, &github).expect(6);
    }
    let gitlab = forge("https://gitlab.example/lab");
    let mut gitlab: Vec<_> = gitlab.iter().map(|(k, v)| (*k, v.as_str())).collect();
    gitlab.extend([
        ("GITHUB_ACTIONS", ""),
        ("GITLAB_CI", "true"),
        ("CI_MERGE_REQUEST_IID", "3"),
        ("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "release"),
        ("CI_MERGE_REQUEST_DIFF_BASE_SHA", shop.old.as_str()),
        ("CI_PROJECT_URL", "https://gitlab.example/lab/eve/site"),
        (
            "CI_MERGE_REQUEST_PROJECT_URL",
            "https://gitlab.example/lab/octo/site",
        ),
    ]);
    set_origin("https://gitlab.example/lab/eve/site");
    let of_merge_request = shop.project.run_vars(&gitlab, &["plan"]);
    forbidden(&of_merge_request);
    // The run's repository gives nothing: the forge says which commit it is, or nobody does.
    set_origin("https://github.com/eve/site");
    std::fs::rename(there("remote"), there("gone")).unwrap();
    let route = "GET /repos/octo/site/branches/release";
    let tip = json!({"commit": {"sha": shop.strict}});
    shop.forge.on(route, [Reply::json(200, &tip)]);
    github.push(("GITHUB_TOKEN", "ghs_canary"));
    forbidden(&shop.planned("pull_request_target", &pull, &github));
    shop.forge.on(route, [Reply::status(404)]);
    reads!(shop.planned("pull_request_target", &pull, &github), @"
    exit 1: connplan plan
    --- stderr
    error: `origin` is not octo/site, the repository of this run: connplan needs the settings of the branch release of octo/site, and cannot get them: the git remote octo/site cannot be reached: 'FOLDER/project/../remote.git' does not appear to be a git repository
      help: let the checkout keep credentials that may read octo/site; or fetch that branch from there in a step before, and give this one `GITHUB_TOKEN: ${{ github.token }}`, by which the forge tells its newest commit
      code: connplan::approval::base
    ");
    reads!(shop.planned("workflow_dispatch", &by_hand, &github), @"
    exit 0: connplan plan
    App app-1 at http://HOST

    Symbols:  - remove  ! look here

      - notion                no file declares it
          ! the tokens of a***@example.com are lost for good

    1 connector unchanged.

    A removal deletes the tokens and the connector's file in the app's own code too. What was granted at the provider stays until somebody revokes it there.

    Plan: 0 to add, 0 to change, 1 to remove, 0 to authorize.
    --- stderr
    warning: `origin` is not octo/site, the repository of this run: connplan cannot get the settings of release there, so they do not apply here: the git remote octo/site cannot be reached: 'FOLDER/project/../remote.git' does not appear to be a git repository
    ");
}

/// A repository that the pipeline cloned beside its own has a base of its own: the run's names are not about it, and
/// the commits that they name say nothing of it.
#[test]
fn what_a_run_is_told_is_not_about_a_repository_beside() {
    let shop = Shop::new().cloned();
    let there = |name: &str| shop.project.path(&format!("../{name}.git"));
    let [site, own] = ["site", "remote"].map(|name| there(name).display().to_string());
    git(&shop.project, &["clone", "-q", "--bare", &own, &site]);
    let tree = ["commit-tree", "-m", ".", EMPTY_TREE];
    let base = git(&shop.project, &[&["--git-dir", &site], &tree[..]].concat());
    let main = ["update-ref", "refs/heads/main", &base];
    git(&shop.project, &[&["--git-dir", &site], &main[..]].concat());
    let default = ["symbolic-ref", "HEAD", "refs/heads/release"];
    git(
        &shop.project,
        &[&["--git-dir", &own], &default[..]].concat(),
    );
    let remote = [
        "remote",
        "set-url",
        "origin",
        "https://github.com/octo/shop",
    ];
    git(&shop.project, &remote);
    let [of_site, of_own] = [&site, &own].map(|path| format!("url.{path}.insteadOf"));
    let github = [
        ("GIT_CONFIG_COUNT", "2"),
        ("GIT_CONFIG_KEY_0", of_site.as_str()),
        ("GIT_CONFIG_VALUE_0", "https://github.com/octo/site.git"),
        ("GIT_CONFIG_KEY_1", of_own.as_str()),
        ("GIT_CONFIG_VALUE_1", "https://github.com/octo/shop"),
    ];
    let from = |head: Value| {
        let request = json!({"number": 5, "base": {"sha": base, "ref": "main"},
            "head": {"sha": base, "ref": "topic", "repo": head}});
        let event = json!({"pull_request": request, "repository": {"default_branch": "main"}});
        shop.planned("pull_request", &event, &github)
    };
    // The last is a fork that is gone. Whatever the event calls the request's, it may be this one by another name.
    for head in [
        json!({"full_name": "octo/site"}),
        json!({"full_name": "eve/site"}),
        Value::Null,
    ] {
        forbidden(&from(head));
    }
    // Of a fork they are told.
    from(json!({"full_name": "octo/shop"})).expect(0);
}

/// A tree can call any place a submodule, and so the clone that the pipeline puts there one that is new.
#[test]
fn a_tree_makes_no_submodule_of_a_clone() {
    let shop = Shop::new().cloned();
    let own = shop.project.path("../remote.git").display().to_string();
    let default = ["symbolic-ref", "HEAD", "refs/heads/release"];
    git(
        &shop.project,
        &[&["--git-dir", &own], &default[..]].concat(),
    );
    let site = shop.project.path("../site").display().to_string();
    git(&shop.project, &["init", "-q", "-b", "main", &site]);
    let in_site = |args: &[&str]| git(&shop.project, &[&["-C", &site], args].concat());
    in_site(&["commit", "-q", "--allow-empty", "-m", "."]);
    let base = in_site(&["rev-parse", "HEAD"]);
    in_site(&["clone", "-q", &own, "shop"]);
    let clone = format!("{site}/shop");
    git(
        &shop.project,
        &["-C", &clone, "fetch", "-q", "../../project", "HEAD"],
    );
    git(&shop.project, &["-C", &clone, "checkout", "-q", &shop.head]);
    let link = format!("160000,{},shop", shop.head);
    in_site(&["update-index", "--add", "--cacheinfo", &link]);
    in_site(&["commit", "-qm", "link"]);
    let head = in_site(&["rev-parse", "HEAD"]);
    // New for the base; there, as somebody chose it.
    for base in [&base, &head] {
        let event =
            json!({"pull_request": {"number": 5, "base": {"sha": base}, "head": {"sha": head}}});
        shop.project.write("../event.json", &event.to_string());
        let event = shop.project.path("../event.json").display().to_string();
        let vars = [("GITHUB_EVENT_PATH", event.as_str())];
        forbidden(&shop.project.run_vars(&vars, &["-C", &clone, "plan"]));
    }
}

/// What a team remembers is where its branches are: a fork's owner neither forgets for it nor is told.
#[test]
fn the_store_of_a_fork_is_not_the_teams() {
    let shop = Shop::new().cloned();
    let there = |name: &str| shop.project.path(&format!("../{name}.git"));
    let [fork, own] = ["fork", "remote"].map(|name| there(name).display().to_string());
    git(&shop.project, &["clone", "-q", "--bare", &own, &fork]);
    let [of_fork, of_own] = [&fork, &own].map(|path| format!("url.{path}.insteadOf"));
    let github = [
        ("GIT_CONFIG_COUNT", "2"),
        ("GIT_CONFIG_KEY_0", of_fork.as_str()),
        ("GIT_CONFIG_VALUE_0", "https://github.com/eve/site"),
        ("GIT_CONFIG_KEY_1", of_own.as_str()),
        ("GIT_CONFIG_VALUE_1", "https://github.com/octo/site.git"),
        ("CONNPLAN_STORE", "git:origin"),
    ];
    let kept = |at: &str| {
        let refs = git(&shop.project, &["ls-remote", at, "refs/connplan/*"]);
        refs.lines().count()
    };
    let remote = ["remote", "set-url", "origin", "https://github.com/eve/site"];
    git(&shop.project, &remote);
    shop.project.declare("notion", &[]);
    let plan = ["plan", "--out", "x.plan"];
    let event = shop.project.path("../event.json").display().to_string();
    let of_request = [
        ("GITHUB_BASE_REF", "release"),
        ("GITHUB_EVENT_PATH", event.as_str()),
    ];
    let of_request = [&github[..], &of_request].concat();
    let from = |head: Value| {
        let request = json!({"number": 5, "head": {"repo": head}});
        let event = json!({ "pull_request": request });
        shop.project.write("../event.json", &event.to_string());
        shop.project.run_vars(&of_request, &plan)
    };
    reads!(from(json!({"full_name": "eve/site"})), @"
    exit 0: connplan plan --out x.plan
    ! danger: this pull or merge request loosens the policy: `protected` permits more than on the base branch

    App app-1 at http://HOST

    No changes. The app matches the connector files.

    Digest: sha256:DIGEST
    --- stderr
    Kept the plan in git:octo/site; `connplan apply sha256:DIGEST` takes it from there.
    ");
    assert_eq!((kept(&own), kept(&fork)), (1, 0));
    reads!(from(Value::Null), @"
    exit 1: connplan plan --out x.plan
    --- stderr
    error: `origin` is not octo/site, the repository of this run, and the event does not say that it is the request's fork. So connplan does not know which one has the store
      help: set CONNPLAN_STORE in the pipeline to the address of the store, such as `git:https://HOST/PATH`; or check out octo/site, where forges keep what requests bring (`refs/pull/N/head`, `refs/merge-requests/N/head`)
      code: connplan::store::origin
    ");
    // A run for no request may look after another repository than its own.
    reads!(shop.project.run_vars(&github, &plan), @"
    exit 0: connplan plan --out x.plan
    App app-1 at http://HOST

    No changes. The app matches the connector files.

    Digest: sha256:DIGEST
    --- stderr
    Kept the plan in git:origin; `connplan apply sha256:DIGEST` takes it from there.
    ");
    assert_eq!((kept(&own), kept(&fork)), (1, 1));
    // It may be a fork by another name.
    reads!(from(json!({"full_name": "octo/site"})), @"
    exit 1: connplan plan --out x.plan
    --- stderr
    error: `origin` is not octo/site, the repository of this run, and the event does not say that it is the request's fork. So connplan does not know which one has the store
      help: set CONNPLAN_STORE in the pipeline to the address of the store, such as `git:https://HOST/PATH`; or check out octo/site, where forges keep what requests bring (`refs/pull/N/head`, `refs/merge-requests/N/head`)
      code: connplan::store::origin
    ");
}

#[test]
fn what_the_forge_merged_a_request_onto_binds_without_a_network() {
    let shop = Shop::new();
    git(&shop.project, &["checkout", "-q", "--detach", &shop.strict]);
    let merge = ["merge", "-q", "--no-ff", "--no-edit", &shop.head];
    git(&shop.project, &merge);
    git(&shop.project, &["rm", "-q", "base44/connplan.toml"]);
    git(&shop.project, &["commit", "-q", "--amend", "--no-edit"]);
    let base = json!({"sha": shop.old});
    forbidden(&shop.of_pull(&base));
    // A merge that the request brings itself says nothing of its base.
    let event = json!({"pull_request": {"number": 5, "base": base, "head": {"sha": shop.old}}});
    shop.planned("pull_request", &event, &[]).expect(0);
    // The same of a request that the forge tells of.
    let answers = |head: &str| {
        let pull = json!({"base": {"ref": "main"}, "head": {"ref": "x", "sha": head}});
        let branch = json!({"commit": {"sha": shop.old}});
        for (route, answer) in [("pulls/5", pull), ("branches/main", branch)] {
            let route = format!("GET /repos/octo/site/{route}");
            shop.forge.on(&route, [Reply::json(200, &answer)]);
        }
    };
    let commented = json!({"issue": {"number": 5, "pull_request": {"url": "u"}}});
    let token = [("GITHUB_TOKEN", "ghs_canary")];
    answers(&shop.head);
    let run = shop.planned("issue_comment", &commented, &token);
    forbidden(&run);
    answers(&shop.old);
    shop.planned("issue_comment", &commented, &token).expect(0);
}

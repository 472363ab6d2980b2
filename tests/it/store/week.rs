//! A week of work from three clones in three homes, without a receipt passed by hand.

use std::{fs, path::PathBuf, sync::Arc, time::Duration};

use connplan::{
    git::{Checkout, RemoteName},
    model::{ApiUrl, App, AppId},
    store::{AppKey, Fence, GitStore, Memory},
};
use serde_json::Value;

use super::places::by;
use crate::{
    git::repository::{git, plain, wait},
    support::{APP, Output, Platform, Project, result},
};

/// The remote, and three who work with it.
pub(super) struct Team {
    pub(super) platform: Platform,
    origin: tempfile::TempDir,
    pub(super) pipeline: Project,
    pub(super) second: Project,
    pub(super) person: Project,
}

pub(super) fn member(platform: &Platform, user: &str, project: Project) -> Project {
    let path = format!(
        "{}:{}",
        project.environment()["PATH"],
        std::env::var("PATH").unwrap()
    );
    project.at(platform).var("USER", user).var("PATH", &path)
}

impl Team {
    pub(super) fn new() -> Self {
        let platform = Platform::start();
        let origin = tempfile::tempdir().unwrap();
        git(origin.path(), &["init", "-q", "--bare", "origin.git"]);
        let url = origin.path().join("origin.git").display().to_string();
        let pipeline = member(&platform, "pipeline", Project::new())
            .connector("slack", &["chat:write"])
            .file("connplan.toml", "[store]\nurl = \"git:origin\"\n");
        git(&pipeline.root(), &["init", "-q"]);
        git(&pipeline.root(), &["add", "."]);
        git(&pipeline.root(), &["commit", "-q", "-m", "first"]);
        git(&pipeline.root(), &["remote", "add", "origin", &url]);
        git(&pipeline.root(), &["push", "-q", "origin", "main"]);
        let others = ["second", "ada"].map(|user| {
            let project = member(&platform, user, Project::nowhere());
            let url = format!("file://{url}");
            git(&project.root(), &["clone", "-q", "--depth=1", &url, "."]);
            project
        });
        let [second, person] = others;
        Self {
            platform,
            origin,
            pipeline,
            second,
            person,
        }
    }

    pub(super) fn all(&self) -> [&Project; 3] {
        [&self.pipeline, &self.second, &self.person]
    }

    pub(super) fn origin(&self) -> PathBuf {
        self.origin.path().join("origin.git")
    }

    /// The same answer from everybody.
    pub(super) fn agree(&self, args: &[&str], code: i32) -> Vec<Output> {
        self.all()
            .map(|project| {
                let output = project.run(args);
                output.expect(code);
                output
            })
            .into()
    }

    fn memory(&self, user: &str) -> Memory {
        let app = App {
            id: AppId::parse(APP).unwrap(),
            api_url: ApiUrl::parse(self.platform.url()).unwrap(),
            environment: None,
        };
        let checkout = Checkout::of(&self.second.root(), plain()).unwrap();
        let (remote, key) = (RemoteName::origin(), AppKey::of(&app));
        let cache = self.origin.path().join(format!("cache-{user}"));
        let open = GitStore::open(&checkout, &remote, &cache, plain(), &key);
        Memory::new(Arc::new(wait(open).unwrap()), app, by(user))
    }
}

fn digest_of(output: &Output) -> String {
    output.json()["digest"].as_str().unwrap().to_owned()
}

fn events(output: &Output) -> Vec<Value> {
    output.json()["apps"][0]["events"]
        .as_array()
        .unwrap()
        .clone()
}

#[test]
fn three_clones_agree_for_a_week() {
    let team = Team::new();
    // Monday: one plans, another applies that plan, a third sees what waits.
    let plan = team
        .pipeline
        .run(&["plan", "--out", "x.plan", "--format", "json"]);
    plan.expect(0).tells("Kept the plan in git:origin");
    let digest = digest_of(&plan);
    team.person.run(&["show", &digest]).expect(0).says("slack");
    team.second
        .run(&["show", &format!("sha256:{}", "ab".repeat(32))])
        .expect(1)
        .tells("no plan");
    team.second
        .run(&["apply", &digest, "--expect-digest", &digest])
        .expect(0);
    for output in team.agree(&["plan", "--detailed-exitcode", "--format", "json"], 0) {
        let plan = output.json();
        assert_eq!(
            plan["apps"][0]["changes"][0]["authorization"], "pending",
            "{plan}"
        );
    }
    team.person
        .run(&["plan"])
        .expect(0)
        .tells("slack waits for a person: asked for just now by second");
    team.agree(&["status", "--detailed-exitcode"], 0);
    let mut since = Vec::new();
    for output in team.agree(&["authorize", "--list", "--format", "json"], 4) {
        since.push(result(&output.json(), "slack")["since"].clone());
    }
    since.dedup();
    assert_eq!(since.len(), 1, "{since:?}");

    // Tuesday: the person consents, and everybody knows.
    team.platform.consent("slack", "olga@example.com");
    team.person
        .run(&["authorize", "--yes", "--no-browser", "--timeout", "20s"])
        .expect(0);
    team.agree(&["authorize", "--list"], 0);
    team.agree(&["status", "--detailed-exitcode"], 0);
    let known: Vec<_> = team
        .agree(&["history", "--format", "json"], 0)
        .iter()
        .map(events)
        .collect();
    assert_eq!(known[0], known[1]);
    assert_eq!(known[1], known[2]);
    let kinds: Vec<_> = known[0]
        .iter()
        .map(|event| event["event"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["plan", "apply", "consent"]);
    assert_eq!(known[0][2]["by"]["user"], "ada");
    assert_eq!(known[0][1]["results"][0]["outcome"], "pending");
    team.person
        .run(&["history"])
        .expect(0)
        .says("consent to slack");
    team.person
        .run(&["history", "--format", "markdown"])
        .expect(0)
        .says("| when | what | who |");

    // Wednesday: somebody's apply died with the lease.
    for project in team.all() {
        project.declare("linear", &["read"]);
    }
    let gone = team.memory("gone");
    let (minutes, fence) = (Duration::from_mins(5), Fence::default());
    let lease = gone.lease("apply", minutes, Duration::ZERO, &fence, |_| ());
    wait(lease).unwrap();
    team.platform.forget();
    team.pipeline
        .run(&["apply", "--auto-approve"])
        .expect(1)
        .tells("gone started `connplan apply`");
    assert_eq!(team.platform.writes(), [] as [&str; 0]);
    // Looking is not held up.
    team.second.run(&["plan", "--detailed-exitcode"]).expect(2);
    team.person.run(&["unlock"]).expect(1).tells("--yes");
    team.person
        .run(&["unlock", "--yes"])
        .expect(0)
        .tells("Ended the lease");
    team.person
        .run(&["unlock", "--yes"])
        .expect(0)
        .tells("Nobody holds the lease");

    // Thursday: the store is away.
    let aside = team.origin.path().join("aside");
    fs::rename(team.origin(), &aside).unwrap();
    team.second
        .run(&["plan"])
        .expect(0)
        .tells("what other machines asked for is not known");
    team.second
        .run(&["plan", "--out", "y.plan"])
        .expect(0)
        .tells("not in the store");
    for args in [
        ["apply", "--auto-approve"],
        ["apply", "y.plan"],
        ["authorize", "--yes"],
    ] {
        team.second.run(&args).expect(1);
    }
    assert_eq!(team.platform.writes(), [] as [&str; 0]);
    fs::rename(&aside, team.origin()).unwrap();

    // Friday: it goes away while an apply is under way, and hears of it from the next command.
    team.pipeline.run(&["plan", "--out", "z.plan"]).expect(0);
    let hook = team.origin().join("hooks/update");
    fs::write(&hook, "#!/bin/sh\ncase $1 in */log) exit 1;; esac\n").unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let applied = team.pipeline.run(&["apply", "z.plan"]);
    applied.expect(0).tells("the next command delivers it");
    let before = events(&team.person.run(&["history", "--format", "json"]));
    fs::remove_file(&hook).unwrap();
    team.pipeline
        .run(&["plan", "--detailed-exitcode"])
        .expect(0);
    let after = events(&team.person.run(&["history", "--format", "json"]));
    assert_eq!(after.len(), before.len() + 1);
    team.agree(&["plan", "--detailed-exitcode"], 0);
    team.agree(&["authorize", "--list"], 4);

    // What is stored may be read by whoever reads the repository.
    let texts = git(
        &team.origin(),
        &["log", "-p", "--all", "--format=%an %ae %B"],
    );
    assert!(texts.contains("refs") || texts.contains("log/"), "{texts}");
    let key = team.platform.key();
    let links: Vec<_> = team
        .platform
        .links()
        .into_iter()
        .map(|(_, link)| link)
        .collect();
    assert!(!links.is_empty());
    for canary in ["olga@example.com", key]
        .into_iter()
        .chain(links.iter().map(String::as_str))
    {
        assert!(!texts.contains(canary), "the store holds {canary}");
    }
    // No branch, no work tree was touched.
    for project in team.all() {
        let refs = git(&project.root(), &["for-each-ref", "--format=%(refname)"]);
        assert!(!refs.contains("connplan"), "{refs}");
    }
}

#[test]
fn this_machine_remembers_without_any_setting() {
    let platform = Platform::start();
    let project = Project::new()
        .at(&platform)
        .connector("slack", &["chat:write"]);
    let plan = project.run(&["plan", "--out", "x.plan", "--format", "json"]);
    let digest = digest_of(&plan);
    project.run(&["show", &digest]).expect(0).says("slack");
    project.run(&["apply", &digest]).expect(0);
    platform.consent("slack", "ada@example.com");
    project
        .run(&["authorize", "--yes", "--no-browser", "--timeout", "20s"])
        .expect(0);
    let known = events(&project.run(&["history", "--format", "json"]));
    let kinds: Vec<_> = known
        .iter()
        .map(|event| event["event"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["plan", "apply", "consent"]);
    project
        .run(&["unlock"])
        .expect(0)
        .tells("nothing to unlock");
    let other = Project::new()
        .at(&platform)
        .var("CONNPLAN_STORE", "git:origin");
    other
        .run(&["history"])
        .expect(1)
        .tells("is not in a git work tree");
    let other = other.var("CONNPLAN_STORE", "ftp://x");
    other.run(&["history"]).expect(1).tells("is not a store");
}

#[test]
fn an_edited_plan_in_the_store_is_refused() {
    let platform = Platform::start();
    let project = Project::new()
        .at(&platform)
        .connector("slack", &["chat:write"]);
    let plan = project.run(&["plan", "--out", "x.plan", "--format", "json"]);
    let digest = digest_of(&plan);
    let path = format!("memory/plans/{}.plan", digest.trim_start_matches("sha256:"));
    let text = project.read_state(&path);
    project.write_state(&path, &text.replace("chat:write", "admin"));
    project.run(&["apply", &digest]).expect(3);
    // A whole plan under another plan's name is another plan.
    project.declare("slack", &["users:read"]);
    project.run(&["plan", "--out", "y.plan"]).expect(0);
    project.write_state(&path, &project.read("y.plan"));
    project
        .run(&["apply", &digest])
        .expect(3)
        .tells("not the approved plan");
    assert_eq!(platform.writes(), [] as [&str; 0]);
}

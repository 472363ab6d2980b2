//! Three clones in three homes, and the store that they share.

use std::{fs, path::PathBuf, sync::Arc};

#[cfg(feature = "object-store")]
use connplan::store::BucketStore;
use connplan::{
    git::{Checkout, RemoteName},
    model::{ApiUrl, App, AppId},
    store::{AppKey, GitStore, Memory, Store},
};

#[cfg(feature = "object-store")]
use super::between::{Between, Mood};
use super::places::by;
use crate::{
    git::repository::{git, plain, wait},
    support::{APP, Output, Platform, Project},
};

/// The store, and three who work with it.
pub(super) struct Team {
    pub(super) platform: Platform,
    origin: tempfile::TempDir,
    store: Shared,
    pub(super) pipeline: Project,
    pub(super) second: Project,
    pub(super) person: Project,
}

/// Which store it is.
pub(super) enum Shared {
    /// The remote that they cloned.
    Git,
    /// A bucket, and what stands before it.
    #[cfg(feature = "object-store")]
    Bucket(String, Between),
}

pub(crate) fn member(platform: &Platform, user: &str, project: Project) -> Project {
    let path = format!(
        "{}:{}",
        project.environment()["PATH"],
        std::env::var("PATH").unwrap()
    );
    project.at(platform).var("USER", user).var("PATH", &path)
}

impl Shared {
    /// The bucket that `CONNPLAN_TEST_BUCKET` names, whose server the provider's variables name.
    #[cfg(feature = "object-store")]
    pub(super) fn bucket() -> Self {
        let url = std::env::var("CONNPLAN_TEST_BUCKET").unwrap();
        let endpoint = std::env::var(endpoint_of(&url)).unwrap();
        let url = format!("{url}/{}", uuid::Uuid::new_v4());
        Self::Bucket(url, Between::before(&endpoint))
    }

    fn url(&self) -> &str {
        match self {
            Self::Git => "git:origin",
            #[cfg(feature = "object-store")]
            Self::Bucket(url, _) => url,
        }
    }

    /// The provider's variables, for one who works with it.
    fn give(&self, project: Project) -> Project {
        match self {
            Self::Git => project,
            #[cfg(feature = "object-store")]
            Self::Bucket(url, between) => {
                let variables = std::env::vars().filter(|(name, _)| {
                    let mut providers = ["AWS_", "AZURE_", "AZURITE_"].iter();
                    providers.any(|prefix| name.starts_with(prefix))
                });
                let project =
                    variables.fold(project, |project, (name, value)| project.var(&name, &value));
                project.var(endpoint_of(url), &between.url())
            }
        }
    }
}

#[cfg(feature = "object-store")]
fn endpoint_of(url: &str) -> &'static str {
    if url.starts_with("az:") {
        "AZURITE_BLOB_STORAGE_URL"
    } else {
        "AWS_ENDPOINT"
    }
}

impl Team {
    pub(super) fn new() -> Self {
        Self::with(Shared::Git)
    }

    pub(super) fn with(store: Shared) -> Self {
        let platform = Platform::start();
        let origin = crate::support::folder();
        git(origin.path(), &["init", "-q", "--bare", "origin.git"]);
        let url = origin.path().join("origin.git").display().to_string();
        let settings = format!("[store]\nurl = \"{}\"\n", store.url());
        let pipeline = member(&platform, "pipeline", Project::new())
            .connector("slack", &["chat:write"])
            .file("connplan.toml", &settings);
        git(&pipeline.root(), &["init", "-q"]);
        git(&pipeline.root(), &["add", "."]);
        git(&pipeline.root(), &["commit", "-q", "-m", "first"]);
        git(&pipeline.root(), &["remote", "add", "origin", &url]);
        git(&pipeline.root(), &["push", "-q", "origin", "main"]);
        let others = ["second", "ada"].map(|user| {
            let project = member(&platform, user, Project::nowhere());
            let url = format!("file://{url}");
            git(&project.root(), &["clone", "-q", "--depth=1", &url, "."]);
            store.give(project)
        });
        let [second, person] = others;
        let pipeline = store.give(pipeline);
        let team = Self {
            platform,
            origin,
            store,
            pipeline,
            second,
            person,
        };
        if !matches!(team.store, Shared::Git) {
            team.agree(&["trust", team.url()], 0);
        }
        team
    }

    pub(super) fn all(&self) -> [&Project; 3] {
        [&self.pipeline, &self.second, &self.person]
    }

    /// What the store is called.
    pub(super) fn url(&self) -> &str {
        self.store.url()
    }

    fn origin(&self) -> PathBuf {
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

    /// The memory as somebody else has it.
    pub(super) fn memory(&self, user: &str) -> Memory {
        let app = App {
            id: AppId::parse(APP).unwrap(),
            api_url: ApiUrl::parse(self.platform.url()).unwrap(),
            environment: None,
        };
        let key = AppKey::of(&app);
        let store: Arc<dyn Store> = match &self.store {
            Shared::Git => {
                let checkout = Checkout::of(&self.second.root(), plain()).unwrap();
                let remote = wait(checkout.remote(None, &RemoteName::origin())).unwrap();
                let cache = self.origin.path().join(format!("cache-{user}"));
                Arc::new(wait(GitStore::open(remote, &cache, plain(), &key)).unwrap())
            }
            #[cfg(feature = "object-store")]
            Shared::Bucket(url, _) => {
                wait(async { Arc::new(BucketStore::open(url, &key).unwrap()) })
            }
        };
        Memory::new(store, app, by(user))
    }

    /// Takes the store away, and brings it back.
    pub(super) fn away(&self, away: bool) {
        match &self.store {
            Shared::Git => {
                let (there, aside) = (self.origin(), self.origin.path().join("aside"));
                let (from, to) = if away { (there, aside) } else { (aside, there) };
                fs::rename(from, to).unwrap();
            }
            #[cfg(feature = "object-store")]
            Shared::Bucket(_, between) => {
                between.set(if away { Mood::Gone } else { Mood::Passes });
            }
        }
    }

    /// The store takes leases, and no history.
    pub(super) fn forgetful(&self, forgetful: bool) {
        match &self.store {
            // A hook of the remote's would not run: it is a folder of this machine.
            Shared::Git if forgetful => {
                let path = std::env::var("PATH").unwrap();
                let refuses = format!(
                    "#!/bin/sh\ncase \"$*\" in *' push '*/log) printf '!\\tx:y\\t[remote rejected] \
                     (hook declined)\\n'; exit 1;; esac\nPATH='{path}' exec git \"$@\"\n"
                );
                for project in self.all() {
                    let git = project.path("../bin/git");
                    fs::write(&git, &refuses).unwrap();
                    #[cfg(unix)]
                    {
                        use std::os::unix::fs::PermissionsExt;
                        fs::set_permissions(&git, fs::Permissions::from_mode(0o755)).unwrap();
                    }
                }
            }
            Shared::Git => {
                for project in self.all() {
                    fs::remove_file(project.path("../bin/git")).unwrap();
                }
            }
            #[cfg(feature = "object-store")]
            Shared::Bucket(_, between) => {
                between.set(if forgetful {
                    Mood::NoHistory
                } else {
                    Mood::Passes
                });
            }
        }
    }

    /// All that was ever stored, commits included.
    pub(super) fn stored(&self) -> String {
        match &self.store {
            Shared::Git => {
                let origin = self.origin();
                let listed = git(&origin, &["rev-list", "--objects", "--glob=refs/connplan"]);
                let mut all = String::new();
                for line in listed.lines() {
                    let id = line.split(' ').next().unwrap();
                    all.push_str(&git(&origin, &["cat-file", "-p", id]));
                }
                assert!(all.contains("connplan@localhost"));
                all
            }
            #[cfg(feature = "object-store")]
            Shared::Bucket(_, between) => between.sent(),
        }
    }

    /// Whoever can read the store reads no credential there, no link, and none of these.
    pub(super) fn keeps_private(&self, canaries: &[&str]) {
        let all = self.stored();
        assert!(all.contains("waits"), "{all}");
        let links = self.platform.links();
        assert!(!links.is_empty());
        let links = links.iter().map(|(_, link)| link.as_str());
        let key = [self.platform.key()];
        for canary in canaries.iter().copied().chain(key).chain(links) {
            assert!(!all.contains(canary), "the store holds {canary}");
        }
    }
}

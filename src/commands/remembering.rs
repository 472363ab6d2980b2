//! The team's memory around a command: looked at beside the app, told what was done.

use std::{path::Path, sync::Arc, time::Duration};

use crate::{
    catalogue::ScopeEquivalence,
    config::{Lifetime, Project},
    context::{Context, Failure, UsageError},
    git::{Checkout, Git},
    model::{App, ConnectorType, Declared, Scopes},
    pending::{self, Entry, PendingSet},
    plan::Digest,
    receipt::{self, Outcome, Receipt},
    store::{
        AppKey, By, Consented, Event, GitStore, Lease, LocalStore, Memory, Outbox, Place, Store,
        StoreError, Wait, Waits, What,
    },
};

/// How long a lease lasts unless it is renewed. Longer than any one request may take.
const LEASE: Duration = Duration::from_mins(4);

/// The memory of the app that a command is about.
#[derive(Debug)]
pub(super) struct Team {
    memory: Memory,
    outbox: Outbox,
    app: App,
    keep: Option<Lifetime>,
}

/// The memory, with the lease of this command.
#[derive(Debug)]
pub(super) struct AtWork {
    team: Team,
    /// `None` where the kernel's lock is enough: nobody else shares this memory.
    lease: Option<Arc<Lease>>,
    keeping: Option<tokio::task::JoinHandle<()>>,
}

impl Drop for AtWork {
    fn drop(&mut self) {
        if let Some(keeping) = &self.keeping {
            keeping.abort();
        }
    }
}

/// Where the store is, and whether the user's own environment says so.
fn place(context: &Context, project: &Project) -> Result<Option<(Place, bool)>, Failure> {
    let parse = |text: &str, of: &str| {
        Place::parse(text).map_err(|e| UsageError::new(format!("{of}: {e}")))
    };
    if let Some(text) = context.vars.get("CONNPLAN_STORE") {
        return Ok(Some((parse(text, "CONNPLAN_STORE")?, true)));
    }
    let url = project.settings.store.url.as_deref();
    let url = url.filter(|url| !url.trim().is_empty());
    Ok(match url {
        Some(text) => Some((parse(text, "`url` in [store] of connplan.toml")?, false)),
        None => None,
    })
}

impl Team {
    /// The memory that the settings name; this machine's own without any.
    pub(super) async fn open(
        context: &Context,
        project: &Project,
        app: &App,
    ) -> Result<Self, Failure> {
        let keep = match &project.settings.store.keep {
            Some(text) => Some(text.parse().map_err(|e| {
                UsageError::new(format!("`keep` in [store] of connplan.toml: {e}"))
            })?),
            None => None,
        };
        let state = context.app_state(project, app);
        let home = state.dir().ok_or(crate::state::StateError::Nowhere)?;
        let store: Arc<dyn Store> = match place(context, project)? {
            None => Arc::new(LocalStore::at(&home.join("memory"))),
            Some((Place::Git(remote), _)) => {
                let git = Git::new(&context.vars);
                let checkout = Checkout::of(&project.root, git.clone())?;
                let cache = context.state.dir().unwrap_or(home).join("git");
                let cache = cache.join(checkout.remote(&remote).await?.cache_name());
                let key = AppKey::of(app);
                Arc::new(GitStore::open(&checkout, &remote, &cache, git, &key).await?)
            }
            Some((Place::Object(url), ours)) => object(&url, ours, app)?,
        };
        let outbox = Outbox::at(&home.join("outbox"));
        let memory = Memory::new(store, app.clone(), by(context));
        Ok(Self {
            memory,
            outbox,
            app: app.clone(),
            keep,
        })
    }

    pub(super) fn memory(&self) -> &Memory {
        &self.memory
    }

    /// What waits, as all machines know it. Nothing where this machine is all there is: its own file
    /// knows it better.
    async fn waits(&self) -> Result<Waits, StoreError> {
        if !self.memory.is_shared() {
            return Ok(Waits::default());
        }
        self.outbox.deliver(&self.memory, &self.app).await?;
        self.memory.waits().await
    }

    /// Keeps a plan that was saved to a file. Where that fails it is said, and all goes on.
    pub(super) async fn keep_plan(&self, context: &Context, digest: &Digest, text: &str) {
        match self.memory.keep_plan(digest, text).await {
            Ok(()) if self.memory.is_shared() => context.terminal.say(&format!(
                "Kept the plan in {}; `connplan apply {digest}` takes it from there.",
                self.memory.name()
            )),
            Ok(()) => {}
            Err(e) => context.warn(&format!("the plan is in its file, not in the store: {e}")),
        }
    }

    /// Takes the lease. Where the store is away nothing starts.
    pub(super) async fn begin(
        self,
        context: &Context,
        doing: &str,
        patience: Duration,
    ) -> Result<AtWork, Failure> {
        if !self.memory.is_shared() {
            return Ok(AtWork {
                team: self,
                lease: None,
                keeping: None,
            });
        }
        let test = context.vars.get("__CONNPLAN_TEST_LEASE_MS");
        let length = test
            .and_then(|ms| ms.parse().ok())
            .map_or(LEASE, Duration::from_millis);
        let waiting = |holder: &str| {
            context
                .terminal
                .say(&format!("Waiting for another connplan: {holder}"));
        };
        let lease = self
            .memory
            .lease(doing, length, patience, &context.fence, waiting);
        let lease = Arc::new(lease.await?);
        let kept = Arc::clone(&lease);
        let keeping = tokio::spawn(async move {
            // It closes the fence: what would be started next says why it is not.
            let lost = kept.keep().await;
            tracing::warn!(%lost, "the lease is lost");
        });
        Ok(AtWork {
            team: self,
            lease: Some(lease),
            keeping: Some(keeping),
        })
    }
}

/// What waits elsewhere, for a command that only looks: if the store is away, it says so and goes on.
pub(super) async fn look(context: &Context, project: &Project, app: &App) -> Waits {
    let looked = async {
        let team = Team::open(context, project, app).await?;
        Ok::<_, Failure>(team.waits().await?)
    };
    match looked.await {
        Ok(waits) => waits,
        // Without a place for state there is nothing of this machine's to know.
        Err(_) if matches!(place(context, project), Ok(None)) => Waits::default(),
        Err(failure) => {
            context.warn(&format!(
                "what other machines asked for is not known: {}",
                failure.report
            ));
            Waits::default()
        }
    }
}

/// Adds what other machines asked for to what this one knows.
pub(super) fn merge(pending: &mut PendingSet, app: &App, waits: &Waits) {
    for wait in waits.iter() {
        if pending.get(app, &wait.connector).is_none() {
            pending.insert(app, wait.connector.clone(), entry(wait));
        }
    }
}

/// Who asked for what, and since when, as far as this machine did not.
pub(super) fn say(context: &Context, waits: &Waits, wanted: impl Fn(&ConnectorType) -> bool) {
    for wait in waits.iter().filter(|wait| wanted(&wait.connector)) {
        context.terminal.say(&format!(
            "{} waits for a person since {}; asked for by {}.",
            wait.connector,
            wait.since,
            wait.by.shown()
        ));
    }
}

/// What of it the files declare with all its scopes. The rest is said, and left.
pub(super) fn declared_only(
    context: &Context,
    waits: Waits,
    declared: Option<&Declared>,
    rules: &ScopeEquivalence,
) -> Waits {
    let Some(declared) = declared else {
        if !waits.is_empty() {
            context.terminal.say(
                "What the store says waits is left alone here: no connector files say that it is \
                 wanted.",
            );
        }
        return Waits::default();
    };
    waits
        .into_iter()
        .filter(|wait| {
            let wanted = declared
                .connectors
                .get(&wait.connector)
                .is_some_and(|file| {
                    let index = rules.index(&wait.connector, &file.scopes);
                    wait.scopes.iter().all(|scope| index.contains(scope))
                });
            if !wanted {
                context.warn(&format!(
                "the store says that {} waits, but no file here declares it with all these scopes; \
                 it is left alone",
                wait.connector
            ));
            }
            wanted
        })
        .collect()
}

fn entry(wait: &Wait) -> Entry {
    Entry {
        scopes: wait.scopes.clone(),
        action: wait.action,
        plan_digest: wait.plan_digest.clone(),
        since: wait.since,
        connection_config: std::collections::BTreeMap::new(),
        before: wait.before.clone().map(|scopes| pending::Before {
            scopes,
            status: None,
            account: None,
        }),
        account: None,
        connection_id: wait.connection_id.clone(),
        missing: Scopes::new(),
    }
}

impl AtWork {
    /// What waits. Read under the lease: a failure ends what was to begin.
    pub(super) async fn waits(&self) -> Result<Waits, Failure> {
        Ok(self.team.waits().await?)
    }

    pub(super) fn memory(&self) -> &Memory {
        &self.team.memory
    }

    /// Makes sure that the lease is still held.
    pub(super) async fn check(&self) -> Result<(), Failure> {
        if let Some(lease) = &self.lease {
            lease.check().await?;
        }
        Ok(())
    }

    fn epoch(&self) -> u64 {
        self.lease.as_ref().map_or(0, |lease| lease.epoch())
    }

    /// Tells what an apply did. What cannot be told now is kept, and told by the next command.
    pub(super) async fn applied(&self, context: &Context, receipt: &Receipt, pending: &PendingSet) {
        let text = match receipt::to_toml(receipt, Some(context.now().to_string())) {
            Ok(text) => text,
            Err(e) => return context.warn(&e.to_string()),
        };
        let what = What::Apply(receipt.plan_digest.clone(), text);
        let event = Event::now(self.memory().by().clone(), self.epoch(), what);
        let changed = receipt
            .results()
            .filter(|result| result.action != crate::diff::Action::NoOp);
        let (mut waits, mut done) = (Vec::new(), Vec::new());
        for result in changed {
            match result.outcome {
                Outcome::Pending => {
                    let entry = pending.get(&self.team.app, &result.connector);
                    waits.extend(entry.map(|entry| self.wait(&result.connector, entry)));
                }
                Outcome::Failed | Outcome::NotRun => {}
                _ => done.push(result.connector.clone()),
            }
        }
        self.tell(context, &event, waits, done).await;
        if let Some(keep) = self.team.keep
            && let Ok(before) = context.now().checked_sub(keep.get())
            && let Err(e) = self.memory().expire(before).await
        {
            tracing::info!(%e, "old entries stay in the store");
        }
    }

    fn wait(&self, connector: &ConnectorType, entry: &Entry) -> Wait {
        Wait {
            connector: connector.clone(),
            scopes: entry.scopes.clone(),
            action: entry.action,
            plan_digest: entry.plan_digest.clone(),
            since: entry.since,
            before: entry.before.as_ref().map(|was| was.scopes.clone()),
            connection_id: entry.connection_id.clone(),
            by: self.memory().by().clone(),
        }
    }

    /// Tells what an authorization came to: what waited before and does not any more, and what was
    /// asked for anew.
    pub(super) async fn authorized(
        &self,
        context: &Context,
        before: &Before,
        after: &PendingSet,
        granted: &[ConnectorType],
    ) {
        let app = &self.team.app;
        let gone: Vec<_> = before
            .0
            .iter()
            .filter(|name| after.get(app, name).is_none())
            .cloned()
            .collect();
        let new: Vec<_> = after
            .of(app)
            .filter(|(name, _)| !before.0.contains(name))
            .map(|(name, entry)| self.wait(name, entry))
            .collect();
        let (consented, forgotten): (Vec<_>, Vec<_>) = gone
            .iter()
            .cloned()
            .partition(|name| granted.contains(name));
        let by = self.memory().by().clone();
        if !consented.is_empty() || !new.is_empty() {
            let consents = consented.iter().map(|connector| Consented {
                connector: connector.clone(),
                outcome: "authorized".to_owned(),
            });
            let what = What::Consent(consents.collect());
            let event = Event::now(by.clone(), self.epoch(), what);
            self.tell(context, &event, new, consented).await;
        }
        if !forgotten.is_empty() {
            let event = Event::now(by, self.epoch(), What::Forget(forgotten.clone()));
            self.tell(context, &event, Vec::new(), forgotten).await;
        }
    }

    async fn tell(
        &self,
        context: &Context,
        event: &Event,
        waits: Vec<Wait>,
        done: Vec<ConnectorType>,
    ) {
        let memory = self.memory();
        let told = if memory.is_shared() {
            self.team.outbox.send(memory, event, &waits, &done).await
        } else {
            memory.record(event).await
        };
        if let Err(e) = told {
            let next = if memory.is_shared() {
                "; it is kept here, and the next command delivers it"
            } else {
                ""
            };
            context.warn(&format!("the store was not told what was done{next}: {e}"));
        }
    }

    /// Gives the lease back. One that stays ends by itself.
    pub(super) async fn end(mut self) {
        if let Some(keeping) = self.keeping.take() {
            keeping.abort();
        }
        if let Some(lease) = &self.lease
            && let Err(e) = lease.give_back().await
        {
            tracing::info!(%e, "the lease ends by itself");
        }
    }
}

/// What waited before an authorization.
#[derive(Debug)]
pub(super) struct Before(Vec<ConnectorType>);

impl Before {
    pub(super) fn of(pending: &PendingSet, waits: &Waits, app: &App) -> Self {
        let mut names: Vec<_> = pending.of(app).map(|(name, _)| name.clone()).collect();
        names.extend(waits.iter().map(|wait| wait.connector.clone()));
        names.sort();
        names.dedup();
        Self(names)
    }
}

/// A plan named by its digest on the command line.
pub(super) fn named(file: &Path) -> Option<Digest> {
    let text = file.to_str()?;
    text.strip_prefix("sha256:")?;
    Digest::parse(text).ok()
}

/// The plan of a digest.
pub(super) async fn plan(context: &Context, digest: &Digest) -> Result<(String, String), Failure> {
    let project = context.project(None)?;
    let app = project.app()?;
    let team = Team::open(context, &project, &app).await?;
    let plan = team.memory.plan(digest).await?;
    Ok((plan.name, plan.text))
}

fn by(context: &Context) -> By {
    let run = context.origin().and_then(|origin| origin.run_url);
    let user = context
        .vars
        .get("USER")
        .or_else(|| context.vars.get("USERNAME"));
    // Some systems call their users by their address.
    let user = user.map(|user| user.split('@').next().unwrap_or_default());
    By {
        user: user.map(|user| crate::escape::limited(user, 64)),
        run: run.map(|run| crate::escape::limited(&run, 200)),
    }
}

/// A store in object storage. It is reached with this machine's credentials, so a checkout alone
/// does not choose it.
fn object(url: &str, ours: bool, app: &App) -> Result<Arc<dyn Store>, Failure> {
    if !ours {
        return Err(UsageError::with_help(
            format!(
                "connplan.toml names the store {url}, and this machine's credentials are not meant \
                 for it: nothing was sent there"
            ),
            format!(
                "if that is your team's store, set CONNPLAN_STORE={url} in your environment, or in \
                 the pipeline's"
            ),
        )
        .into());
    }
    bucket(url, app)
}

#[cfg(feature = "object-store")]
fn bucket(url: &str, app: &App) -> Result<Arc<dyn Store>, Failure> {
    Ok(Arc::new(crate::store::BucketStore::open(
        url,
        &AppKey::of(app),
    )?))
}

#[cfg(not(feature = "object-store"))]
fn bucket(url: &str, _app: &App) -> Result<Arc<dyn Store>, Failure> {
    Err(UsageError::with_help(
        format!("the store {url} is in object storage, and this connplan was built without it"),
        "use a released binary, build with `--features object-store`, or use `git:origin`",
    )
    .into())
}

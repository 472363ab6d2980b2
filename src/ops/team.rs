//! The team's memory of an app: opened as the settings say, told what was done.

use std::{path::Path, sync::Arc};

use bytes::Bytes;
use miette::Diagnostic;
use thiserror::Error;

use super::{
    Around, OpEvent,
    doubt::doubt,
    gates::StoreIn,
    in_git::{self, check_led},
};
use crate::{
    config::{Project, SETTINGS},
    context::{Failure, UsageError},
    escape,
    git::{Checkout, RemoteName},
    model::{App, ConnectorType, RunRepository, map_of},
    pending::{PendingEntry, PendingSet},
    plan::Digest,
    state::{AppState, Trust},
    store::{
        AppKey, GitStore, HistoryEvent, LocalStore, Memory, Outbox, Place, Store, StoreError, Wait,
        Waits, What,
    },
    syntax::{Lifetime, StoreSettings},
};

/// A store that nothing names any more may be there.
#[derive(Debug, Error, Diagnostic)]
#[error(
    "connplan cannot tell whether the remote {remote} has a store from earlier settings, and needs what is in \
     it: {why}"
)]
#[diagnostic(
    code(connplan::store::left),
    help(
        "let the checkout keep its credentials, or try again once the remote answers. If no store was ever named, \
         a complete clone shows that: on GitHub `fetch-depth: 0`, on GitLab `GIT_DEPTH: 0`"
    )
)]
struct LeftStore {
    remote: String,
    why: String,
}

/// The memory of the app that an op is about.
#[derive(Debug)]
pub struct Team {
    state: AppState,
    /// Where the store is, without credentials; none where this machine is all there is.
    at: Option<String>,
    /// Whether only the checkout says so.
    is_brought: bool,
    pub(super) memory: Memory,
    pub(super) outbox: Outbox,
    pub(super) app: App,
    pub(super) keep: Option<Lifetime>,
}

/// Where the store is, and whether the user's own environment says so.
pub(super) fn place(
    around: &Around<'_>,
    project: &Project,
) -> Result<Option<(Place, bool)>, Failure> {
    if let Some(text) = around.context.vars.get(Place::VARIABLE) {
        let place = Place::parse_own(text).map_err(|e| {
            let help = "set it to one of these forms, or unset it";
            UsageError::with_help(format!("CONNPLAN_STORE: {e}"), help)
        })?;
        return Ok(Some((place, true)));
    }
    let place = place_in_settings(project).map_err(unusable)?;
    Ok(place.map(|place| (place, false)))
}

/// The store that the settings name. An empty name is not the same as none: who wrote it means to
/// share one, and would work without the team's lease.
pub(super) fn place_in_settings(project: &Project) -> Result<Option<Place>, String> {
    let url = project.settings.store.url.as_deref();
    let place = url.map(Place::parse).transpose();
    place.map_err(|e| format!("`url` in [store] of connplan.toml: {e}"))
}

fn unusable(why: String) -> UsageError {
    UsageError::with_help(why, "fix it there; `connplan validate` shows the line")
}

/// How long the settings say that plans and receipts are kept.
pub(super) fn keep_in_settings(project: &Project) -> Result<Option<Lifetime>, String> {
    let keep = project.settings.store.keep.as_deref();
    let keep = keep.map(str::parse).transpose();
    keep.map_err(|e| format!("`keep` in [store] of connplan.toml: {e}"))
}

impl Team {
    /// The memory of this app.
    pub async fn of(around: &Around<'_>, project: &Project, app: &App) -> Result<Self, Failure> {
        let state = around.context.app_state(project, app);
        Self::open(around, project, app, &state).await
    }

    /// The memory that the settings name; this machine's own without any.
    pub async fn open(
        around: &Around<'_>,
        project: &Project,
        app: &App,
        state: &AppState,
    ) -> Result<Self, Failure> {
        let place = place(around, project)?;
        let team = Self::at(around, (project, &project.root), app, state, place).await?;
        let brought = team.at.as_deref().filter(|_| team.is_brought);
        if let Some(at) = brought.filter(|_| !around.context.vars.ci()) {
            in_git::check_is_known(state, app, team.memory.name(), at)?;
        }
        // Who writes was refused.
        let unnamed = in_git::check_none_is_known(around, state, app);
        if let Err(unnamed) = unnamed
            && team.at.is_none()
        {
            around.context.warn_once(&unnamed.told());
        }
        Ok(team)
    }

    /// Remembers that the store was used: another one is none of this app's, unless the user says so.
    pub(super) fn was_used(&self, around: &Around<'_>) {
        let Some(at) = self.at.as_ref().filter(|_| !around.context.vars.ci()) else {
            return;
        };
        match self.state.add_store(at) {
            Ok(true) => around.tell(&OpEvent::StoreUsed(at, &self.app)),
            Ok(false) => {}
            Err(why) => tracing::info!(%why, "the store will not be known again"),
        }
    }

    /// The memories in stores that the settings of the base name and those of the checkout do not.
    pub(super) async fn all_before(
        around: &Around<'_>,
        project: &Project,
        app: &App,
        stores: &[&StoreIn],
    ) -> Result<Vec<Self>, Failure> {
        let state = around.context.app_state(project, app);
        let mut teams = Vec::new();
        for store in stores {
            teams.extend(Self::before(around, project, app, &state, store).await?);
        }
        Ok(teams)
    }

    /// One of them; none where the user's own environment says which store is the team's.
    async fn before(
        around: &Around<'_>,
        project: &Project,
        app: &App,
        state: &AppState,
        store: &StoreIn,
    ) -> Result<Option<Self>, Failure> {
        if around.context.vars.get(Place::VARIABLE).is_some() {
            return Ok(None);
        }
        let url = store.settings.url.as_deref().unwrap_or_default();
        let place = Place::parse(url).map_err(|e| {
            let why = format!("`url` in [store] of connplan.toml at the base: {e}");
            UsageError::with_help(why, "fix it in a separate pull or merge request first")
        })?;
        let place = Some((place, false));
        let team = Self::at(around, (project, &store.root), app, state, place).await?;
        Ok(Some(team))
    }

    /// The stores at remotes of this clone that the settings named before and that know this app: the change that
    /// took `[store]` away does not take away what was refused, used or revoked. What the settings never named is no
    /// store, whoever may write there. An object store is one that the environment names. Whoever `writes` has to
    /// know what a remote has that does not answer.
    pub(super) async fn left(
        around: &Around<'_>,
        project: &Project,
        app: &App,
        (named, writes): (&[Place], bool),
    ) -> Result<Vec<StoreSettings>, Failure> {
        let context = around.context;
        let own = Checkout::of(&project.root, context.git());
        let (None, Ok(checkout)) = (context.vars.get(Place::VARIABLE), own) else {
            return Ok(Vec::new());
        };
        let run = RunRepository::of(&context.vars);
        let origin = checkout.origin(run.as_ref()).await?;
        let is_named = |remote: &RemoteName| {
            named.iter().any(|place| match place {
                Place::Git(name) => {
                    name == remote
                        || *name == RemoteName::origin() && origin.as_ref() == Some(remote)
                }
                Place::Repository(_) | Place::Object(_) => false,
            })
        };
        let state = context.app_state(project, app);
        let mut found = Vec::new();
        let remotes = checkout.remotes().await?.into_iter();
        for remote in remotes.filter(|remote| !is_named(remote)) {
            let is_origin = origin.as_ref() == Some(&remote);
            let named = |text: &str| names(text, &remote, is_origin);
            if !checkout.may_have_said(SETTINGS, named).await? {
                continue;
            }
            let place = Some((Place::Git(remote.clone()), false));
            let known = async {
                let of = (project, project.root.as_path());
                let team = Self::reached(around, of, app, &state, place).await?;
                Ok::<_, Failure>(team.memory.history().await?)
            };
            match known.await {
                Ok((known, unread)) if known.is_empty() && unread.is_empty() => continue,
                Ok(_) => check_led(around, &project.root, &remote).await?,
                Err(failure) => {
                    let left = LeftStore {
                        remote: remote.to_string(),
                        why: failure.report.to_string(),
                    };
                    if writes {
                        return Err(left.into());
                    }
                    context.warn_once(&left.to_string());
                    continue;
                }
            }
            context.warn_once(&format!(
                "nothing names the store any more that `{remote}` keeps of this app: it is used still, for what \
                 was refused and revoked is known there; to do without it, delete {} at `{remote}`",
                GitStore::prefix(&AppKey::of(app))
            ));
            let url = Some(format!("git:{remote}"));
            found.push(StoreSettings { url, keep: None });
        }
        Ok(found)
    }

    /// `root` is in the repository whose remotes are meant.
    async fn at(
        around: &Around<'_>,
        (project, root): (&Project, &Path),
        app: &App,
        state: &AppState,
        place: Option<(Place, bool)>,
    ) -> Result<Self, Failure> {
        if let Some((Place::Git(remote), _)) = &place {
            check_led(around, root, remote).await?;
        }
        Self::reached(around, (project, root), app, state, place).await
    }

    /// The same, whoever says where the remote leads.
    async fn reached(
        around: &Around<'_>,
        (project, root): (&Project, &Path),
        app: &App,
        state: &AppState,
        place: Option<(Place, bool)>,
    ) -> Result<Self, Failure> {
        let keep = keep_in_settings(project).map_err(unusable)?;
        let home = state.dir().ok_or(crate::state::StateError::Nowhere)?;
        let mut trusted = false;
        let mut at = None;
        let store: Arc<dyn Store> = match place {
            None => Arc::new(LocalStore::at(&home.join("memory"))),
            Some((Place::Git(name), _)) => {
                let store = in_git::at_remote(around, root, &name, home, app).await?;
                let address = at.insert(store.trusted_as());
                trusted = Trust::load(&around.context.state)?.contains_store(address);
                store
            }
            Some((Place::Repository(address), _)) => {
                trusted = true;
                at = Some(address.store_name());
                in_git::at_address(around, root, address, home, app).await?
            }
            Some((Place::Object(url), ours)) => {
                trusted = ours || Trust::load(&around.context.state)?.contains_store(&url);
                let store = object(&url, trusted, app)?;
                at = Some(url);
                store
            }
        };
        let outbox = Outbox::at(&home.join("outbox"));
        let memory = Memory::new(store, app.clone(), around.by()).trusted(trusted);
        Ok(Self {
            state: state.clone(),
            at,
            is_brought: !trusted,
            memory,
            outbox,
            app: app.clone(),
            keep,
        })
    }

    /// The memory itself.
    pub fn memory(&self) -> &Memory {
        &self.memory
    }

    /// What waits, as all machines know it. Nothing where this machine is all there is: its own file
    /// knows it better. What the store was not told yet, it is told first.
    pub(super) async fn waits(&self, own: &PendingSet) -> Result<Waits, StoreError> {
        if !self.memory.is_shared() {
            return Ok(self.asked_here(own).await);
        }
        self.outbox.deliver(&self.memory, &self.app).await?;
        let waits = self.memory.waits_known().await?;
        let mut waits = self.tell_untold(own, waits).await?;
        doubt(&self.memory, &self.app, &mut waits).await;
        Ok(waits)
    }

    /// The same for who only looks: a store that takes nothing may still be read.
    pub(super) async fn look(
        &self,
        around: &Around<'_>,
        own: &PendingSet,
    ) -> Result<Waits, StoreError> {
        if !self.memory.is_shared() {
            return Ok(self.asked_here(own).await);
        }
        let delivered = self.outbox.deliver(&self.memory, &self.app).await;
        let mut waits = self.memory.waits().await?;
        match delivered {
            Err(e) => around.tell(&OpEvent::StoreNotTold(true, e.to_string())),
            Ok(_) => match self.tell_untold(own, waits.clone()).await {
                Ok(told) => waits = told,
                Err(e) => tracing::info!(%e, "the store does not know all that waits"),
            },
        }
        doubt(&self.memory, &self.app, &mut waits).await;
        Ok(waits)
    }

    /// Who asked for what waits on this machine, as far as its own history tells.
    async fn asked_here(&self, own: &PendingSet) -> Waits {
        let by_plan = |(connector, entry): (&ConnectorType, &PendingEntry)| {
            Some((connector.clone(), entry.plan_digest.clone()?))
        };
        let asked: Vec<_> = own.of(&self.app).filter_map(by_plan).collect();
        if asked.is_empty() {
            return Waits::default();
        }
        // Who it was is a courtesy.
        let (events, _) = self.memory.history().await.unwrap_or_default();
        // The last apply of a plan.
        let applied = events.iter().filter_map(|event| match &event.what {
            What::Apply(plan, _) => Some((plan, &event.by)),
            _ => None,
        });
        let applied = map_of(applied);
        let askers = asked.into_iter().filter_map(|(connector, plan)| {
            let by = applied.get(&plan).filter(|by| !by.is_nameless())?;
            Some((connector, by.shown()))
        });
        Waits::asked_here(map_of(askers))
    }

    async fn tell_untold(&self, own: &PendingSet, waits: Waits) -> Result<Waits, StoreError> {
        let untold = super::stale::untold(own, &self.app, &waits);
        let news = untold.of(&self.app).map(|(connector, entry)| {
            let epoch = waits.epoch(connector);
            self.wait(connector, entry, epoch)
        });
        let news: Vec<_> = news.collect();
        if news.is_empty() {
            return Ok(waits);
        }
        let event = HistoryEvent::now(self.memory.by().clone(), 0, What::Consent(Vec::new()));
        self.memory.record_with(&event, &news, &[]).await?;
        self.memory.waits_known().await
    }

    /// What of an entry is for everybody.
    pub(super) fn wait(&self, connector: &ConnectorType, entry: &PendingEntry, epoch: u64) -> Wait {
        Wait {
            connector: connector.clone(),
            entry: entry.to_masked(&self.app.id),
            by: self.memory.by().clone(),
            epoch,
        }
    }

    /// Keeps a signature, or one that takes an approval back. Says whether other machines have it.
    pub async fn keep_approval(
        &self,
        digest: &Digest,
        signature: &str,
    ) -> Result<bool, StoreError> {
        self.memory.keep_approval(digest, signature).await?;
        Ok(self.memory.is_shared())
    }

    /// Keeps a plan that was saved to a file. Where that fails it is said, and all goes on.
    pub async fn keep_plan(&self, around: &Around<'_>, digest: &Digest, text: &Bytes) -> bool {
        let kept = self.memory.keep_plan(digest, text).await;
        let shared = kept.is_ok() && self.memory.is_shared();
        match kept {
            Ok(()) if shared => {
                around.tell(&OpEvent::PlanKept(digest, self.memory.name()));
                self.was_used(around);
            }
            Ok(()) => {}
            Err(e) => around.tell(&OpEvent::PlanNotKept(e.to_string())),
        }
        shared
    }
}

/// Whether settings say the address of a store at a remote, wherever that stands in them.
fn names(text: &str, remote: &RemoteName, is_origin: bool) -> bool {
    let part = |c: char| c.is_ascii_alphanumeric() || "./_-".contains(c);
    let mut names = text.split("git:").skip(1).map(|rest| {
        let end = rest.find(|c| !part(c)).unwrap_or(rest.len());
        rest.get(..end).unwrap_or_default()
    });
    names.any(|name| name == remote.as_str() || is_origin && name == "origin")
}

/// The plan of a digest: its name and its text.
pub async fn stored_plan(
    around: &Around<'_>,
    digest: &Digest,
) -> Result<(String, String), Failure> {
    let project = around.context.project(None)?;
    let app = project.app()?;
    let plan = Team::of(around, &project, &app).await?;
    let plan = plan.memory.plan(digest).await?;
    Ok((plan.name, plan.text))
}

/// A plan named by its digest on the command line, as people paste it; a file of that name goes first
/// where `sha256:` does not say what it is.
pub fn named(file: &Path) -> Result<Option<Digest>, UsageError> {
    let Some(text) = file.to_str() else {
        return Ok(None);
    };
    let said = text
        .get(..7)
        .is_some_and(|start| start.eq_ignore_ascii_case("sha256:"));
    let is_there = || file.symlink_metadata().is_ok();
    match Digest::parse(text) {
        Ok(digest) => Ok((said || !is_there()).then_some(digest)),
        Err(why) if said && !is_there() => Err(UsageError::with_help(
            format!("`{}`: {why}", escape::limited(text, 100)),
            "give the whole digest; `connplan history` lists those that the store knows",
        )),
        Err(_) => Ok(None),
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
                "if that is your team's store, run `connplan trust {url}` once; in a pipeline set \
                 CONNPLAN_STORE={url}"
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

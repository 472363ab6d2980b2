//! What an op tells, in words on the terminal; and what it may know of the process.

use std::path::Path;

use super::printing::file_name;
use crate::{
    approval::Missing,
    config::Project,
    context::{Context, Failure},
    escape,
    model::{App, ConnectorType, ago},
    ops::{self, Around, LazyBinding, Listener, OpEvent, Team},
    plan::{Digest, document::Saved, envelope::DocumentKind},
    store::{Memory, StoreError},
    view::{self, Theme},
};

/// The process, and who says what an op tells.
pub(super) fn around(context: &Context) -> Around<'_> {
    Around {
        context,
        listener: context,
    }
}

/// The memory of the app that a command is about.
pub(super) async fn team(context: &Context, project: &Project, app: &App) -> Result<Team, Failure> {
    Team::of(&around(context), project, app).await
}

/// The memories of the app: those in stores that the base names beside the checkout's, and the checkout's own as
/// the last. A branch that is only looked at does not say where the team keeps what it knows.
pub(super) async fn teams(
    context: &Context,
    project: &Project,
    app: &App,
) -> Result<Vec<Team>, Failure> {
    let mut project = project.clone();
    let before = ops::teams_before(&around(context), &mut project, app).await;
    let mut teams = before.unwrap_or_else(|failure| {
        let why = failure.told();
        context.warn(&format!(
            "whether the base branch names another store is not known: {why}"
        ));
        Vec::new()
    });
    teams.push(team(context, &project, app).await?);
    Ok(teams)
}

/// What those of these memories say that answer; the others are told of. Fails where none answers.
pub(super) async fn asked<'m, T>(
    context: &Context,
    memories: impl Iterator<Item = &'m Memory>,
    ask: impl AsyncFn(&'m Memory) -> Result<T, StoreError>,
) -> Result<Vec<(&'m Memory, T)>, Failure> {
    let (mut said, mut silent) = (Vec::new(), Vec::new());
    for memory in memories {
        match ask(memory).await {
            Ok(answer) => said.push((memory, answer)),
            Err(error) => silent.push((memory.name(), Failure::from(error))),
        }
    }
    if said.is_empty()
        && let Some((_, failure)) = silent.pop()
    {
        return Err(failure);
    }
    for (name, failure) in silent {
        let why = failure.told();
        context.warn(&format!(
            "what the store {name} knows is not counted here: {why}"
        ));
    }
    Ok(said)
}

/// Has a project that names no store use the base's: a consent on a branch that is only looked at is news for the
/// team all the same.
pub(super) async fn hold_store(context: &Context, project: &mut Project, app: &App) {
    if project.settings.store.url.is_some() {
        return;
    }
    if let Err(failure) = ops::teams_before(&around(context), project, app).await {
        let why = failure.told();
        context.warn(&format!(
            "whether the base branch names a store is not known: {why}"
        ));
    }
}

/// A saved plan as it is named: where it is from, its text, and the digest if that is the name.
pub(super) struct NamedPlan {
    pub(super) digest: Option<Digest>,
    pub(super) name: String,
    pub(super) text: String,
}

/// The plan of a file, or of the store where a digest names it.
pub(super) async fn named_plan(context: &Context, file: &Path) -> Result<NamedPlan, Failure> {
    let digest = ops::named(file)?;
    let (name, text) = match &digest {
        Some(digest) => ops::stored_plan(&around(context), digest).await?,
        None => (
            file_name(file),
            context.read_saved(file, DocumentKind::Plan)?,
        ),
    };
    Ok(NamedPlan { digest, name, text })
}

/// What approval a saved plan lacks beside this signature, for those who only look.
pub(super) async fn missing_approval(
    context: &Context,
    saved: &Saved,
    signature: Option<String>,
) -> Option<Missing> {
    let whose = (&saved.plan, &saved.digest);
    let given = signature.map(|text| ("the signature".to_owned(), text));
    let given = given.into_iter().collect();
    ops::missing_approval(&around(context), whose, &LazyBinding::default(), given).await
}

impl Listener for Context {
    fn event(&self, event: &OpEvent<'_>) {
        let context = self;
        let say = |text: &str| context.terminal.say(text);
        let theme = || Theme::new(context.terminal.color_stderr());
        let listed = |names: &[ConnectorType]| {
            let names: Vec<_> = names.iter().map(ConnectorType::as_str).collect();
            names.join(", ")
        };
        match event {
            OpEvent::WaitingFor(holder) => say(&format!("Waiting for another connplan: {holder}")),
            OpEvent::Insecure(found) => context.warn_insecure(found),
            OpEvent::Undeclared(names) => {
                say(&view::authorization::undeclared(names.iter().copied()));
            }
            OpEvent::NotInPlan(names) => {
                say(&view::authorization::not_in_plan(names.iter().copied()));
            }
            OpEvent::Newer(names) => say(&format!(
                "Waits for a person, asked for by the target branch: {}. This branch lacks that commit: merge the target branch into it.",
                listed(names)
            )),
            OpEvent::Withdrawn(names) => say(&format!(
                "Withdrawn, and nobody is asked for it any more: {}.",
                listed(names)
            )),
            OpEvent::JournalTorn => {
                context
                    .warn("the last record of the journal was cut off by a crash; it is dropped");
            }
            OpEvent::AlreadyApplied => say("This plan was already applied. Nothing was written."),
            OpEvent::AsksAgain(connectors) => {
                let names: Vec<_> = connectors.iter().map(|name| name.as_str()).collect();
                say(&format!(
                    "This plan was already applied. What was forgotten since is asked for again: {}.",
                    names.join(", ")
                ));
            }
            OpEvent::GoesOn => say("Continuing where an earlier run of this plan stopped."),
            OpEvent::CutShort(done, unclear) => {
                context
                    .terminal
                    .insist(&view::text::cut_short(done, unclear, theme()));
            }
            OpEvent::Approved(approval) => say(&view::approval::said(approval)),
            OpEvent::Wrote(result) => {
                // In text the reasons stand below, with what came of it all.
                let reasons = !context.prints_text();
                say(&view::text::progress(result, reasons, theme()));
            }
            OpEvent::Advice(help) => context
                .terminal
                .insist(&format!("  help: {}", context.next().within(help))),
            OpEvent::PlanKept(digest, store) => say(&format!(
                "Kept the plan in {store}; {} takes it from there.",
                context.next().within(&format!("`connplan apply {digest}`"))
            )),
            OpEvent::StoreUsed(store, app) => say(&format!(
                "This machine takes {} for the store of app {} from now on.",
                escape::limited(store, 300),
                app.id
            )),
            OpEvent::PlanNotKept(why) => {
                context.warn(&format!("the plan is in its file, not in the store: {why}"));
            }
            OpEvent::NotBegun => context.terminal.insist(
                "Nothing was changed: the team's store cannot be used, and connplan changes nothing without it.",
            ),
            OpEvent::StoreUnknown(why) => {
                context.warn(&format!(
                    "the store cannot say what other machines have requested: {why}"
                ));
            }
            OpEvent::NeedsUnknown(created) => say(&view::available::needs_unknown(created)),
            OpEvent::Waits(wait) => say(&format!(
                "{} waits for a person; requested {} by {}.",
                wait.connector,
                ago(wait.entry.since, context.now()),
                wait.by.shown()
            )),
            OpEvent::NothingDeclared => say(
                "The pending authorizations in the store are left alone here: this folder has no connector files \
                 that declare them.",
            ),
            OpEvent::NotDeclared(wait) => context.warn(&format!(
                "the store says that {} waits for a person, but no file here declares it with the same scopes, \
                 connection values and account; it is left alone",
                wait.connector
            )),
            OpEvent::StoreNotTold(kept, why) => {
                let next = match kept {
                    true => "; it is kept here, and the next command delivers it",
                    false => "",
                };
                context.warn(&format!(
                    "what was done is not recorded in the store{next}: {why}"
                ));
            }
            OpEvent::Warning(why) => context.warn(why),
        }
    }
}

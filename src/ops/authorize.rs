//! Resuming what waits for a person: `authorize`, and the end of a `push`.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use jiff::Timestamp;
use tokio::{sync::mpsc, time::Instant};
use tokio_util::sync::CancellationToken;

use super::{
    Around, AtWork, LazyBinding, PendingBefore,
    approving::{AskedFor, Now, Withheld, with, withheld},
    over, policy,
};
use crate::{
    approval::FromRisk,
    authorize::{
        self, Alone, Asking, AuthorizationResult, AuthorizeEvent, Candidate, Command, Item,
        NotResumable, Pace, PendingWriter, Session, Sources, WriteTurns,
    },
    catalogue::ScopeEquivalence,
    config::Project,
    context::Failure,
    model::{self, App, ConnectorType, Declared, RemoteConnector, RemoteStatus},
    pending::{PendingError, PendingSet, SharedPending},
    receipt::Receipt,
    remote::Remote,
};

/// What a session needs.
pub struct AuthorizeInputs<'a> {
    /// The app.
    pub app: &'a App,
    /// Its remote.
    pub remote: &'a Remote,
    /// What the remote lists now, with the values of those of whom some are wanted.
    pub listed: &'a BTreeMap<ConnectorType, RemoteConnector>,
    /// How scopes compare.
    pub rules: &'a ScopeEquivalence,
    /// Whose policy says what may be asked for.
    pub project: &'a Project,
    /// Which approvals are needed.
    pub binding: &'a LazyBinding,
    /// The files, where there is a project.
    pub declared: Option<&'a Declared>,
    /// A receipt that was named, when it was made, and whether its digest was given.
    pub receipt: Option<(&'a Receipt, Option<Timestamp>, bool)>,
    /// Only these, unless empty.
    pub targets: &'a BTreeSet<ConnectorType>,
    /// What waits, as this machine and the team know it.
    pub pending: PendingSet,
}

/// What waits of one app, from the first look to the end.
#[derive(Debug)]
pub struct AuthorizeSession<'a> {
    remote: &'a Remote,
    rules: &'a ScopeEquivalence,
    writer: PendingWriter,
    items: Vec<Item>,
    left_alone: Vec<NotResumable>,
    /// What waits and was not named.
    others: Vec<ConnectorType>,
    /// None while only looking, and where nothing was to be asked for.
    before: Option<Arc<PendingBefore>>,
}

impl AuthorizeInputs<'_> {
    /// Whether the app shows as not working what the files declare.
    fn has_broken(&self) -> bool {
        let files = self
            .declared
            .into_iter()
            .flat_map(|files| files.connectors.keys());
        let mut listed = files.filter_map(|connector| self.listed.get(connector));
        listed.any(|is| is.status != RemoteStatus::Active)
    }

    /// What needs an approval, and has none any more; and what the session begins with, where anything may be asked.
    async fn withheld(
        &self,
        around: &Around<'_>,
        at_work: Option<&AtWork>,
    ) -> Result<(Withheld, Option<Arc<PendingBefore>>), Failure> {
        let waits = self.receipt.is_some() || self.pending.of(self.app).next().is_some();
        let Some(at_work) = at_work.filter(|_| waits || self.has_broken()) else {
            return Ok((Withheld::default(), None));
        };
        let others = self.binding.other_stores(around, self.project, self.app);
        let others = others.await?;
        let receipt = self.receipt.map(|(receipt, ..)| receipt);
        let memories = (at_work.memory(), &*others);
        let before = PendingBefore::see(&self.pending, receipt, memories).await?;
        let now = Now {
            observed: self.listed,
            rules: self.rules,
        };
        let sources = AskedFor {
            pending: &self.pending,
            receipt,
        };
        let place = (self.project, self.app, at_work.memory());
        let withheld = withheld(around, place, (self.binding, &others), &now, &sources);
        let mut withheld = withheld.await?;
        if self.has_broken() {
            withheld.repairs =
                over::unrepaired(&with(at_work.memory(), &others), self.rules).await?;
        }
        Ok((withheld, Some(Arc::new(before))))
    }
}

impl<'a> AuthorizeSession<'a> {
    /// Finds what waits, past the gate, and sees what became of it. Changes nothing on the remote. Without
    /// `at_work` it only looks.
    pub async fn begin(
        around: &Around<'_>,
        inputs: AuthorizeInputs<'a>,
        at_work: Option<&AtWork>,
    ) -> Result<Self, Failure> {
        let (project, binding) = (inputs.project, inputs.binding);
        // What is found broken was not approved, unlike what an apply left.
        let (withheld, before) = inputs.withheld(around, at_work).await?;
        let needs = if inputs.has_broken() {
            binding.needs(around, project).await?
        } else {
            &[]
        };
        let pending = inputs.pending;
        let sources = Sources {
            app: inputs.app,
            pending: &pending,
            receipt: inputs.receipt.map(|(receipt, ..)| receipt),
            made: inputs.receipt.and_then(|(_, made, _)| made),
            proved: inputs.receipt.is_some_and(|(.., proved)| proved),
            declared: inputs.declared,
            folder: &project.folder(),
            observed: inputs.listed,
            targets: inputs.targets,
            rules: inputs.rules,
            verdict: &policy::asked(project),
            needs_approval: &|change| {
                let risk = FromRisk::of_change(change);
                needs.iter().any(|need| need.concerns(risk))
            },
            withheld: &|connector, entry| withheld.why(connector, entry),
            now: around.context.now(),
        };
        let mut found = authorize::candidates(&sources)?;
        let others = others(&sources, inputs.remote).await?;
        let app = inputs.app.clone();
        let writer = match at_work.map(|at_work| (at_work.lock(), at_work)) {
            Some((Some(lock), at_work)) => {
                let store = at_work.memory().identity();
                PendingWriter::open(lock, app, pending, store).await?
            }
            _ => PendingWriter::looking(app, pending),
        };
        let mut session = Self {
            remote: inputs.remote,
            rules: inputs.rules,
            writer,
            items: Vec::new(),
            left_alone: Vec::new(),
            others,
            before,
        };
        let silent = |_: &AuthorizeEvent<'_>| {};
        let mut engine = session.engine(Asking::OnDemand, Pace::default(), &Alone, &silent);
        let items = engine.inspect(found.resumable, inputs.listed).await?;
        engine.forget(&mut found.left_alone).await?;
        session.items = items;
        session.left_alone = found.left_alone;
        Ok(session)
    }

    fn engine<'s>(
        &'s mut self,
        asking: Asking,
        pace: Pace,
        turns: &'s dyn WriteTurns,
        events: &'s dyn Fn(&AuthorizeEvent<'_>),
    ) -> Session<'s> {
        Session {
            remote: self.remote,
            rules: self.rules,
            writer: &mut self.writer,
            pace,
            asking,
            turns,
            events,
        }
    }

    /// Whether anything is known of this connector.
    pub fn knows(&self, connector: &ConnectorType) -> bool {
        let mut items = self.items.iter().map(Item::connector);
        items.any(|name| name == connector)
            || self.left_alone.iter().any(|l| l.connector == *connector)
    }

    /// What waits and was not named, where something was.
    pub fn others(&self) -> &[ConnectorType] {
        &self.others
    }

    /// All that waits, named or not.
    pub fn waiting(&self) -> impl Iterator<Item = &ConnectorType> {
        let items = self.items.iter().filter(|item| item.can_be_asked());
        let named = items.map(Item::connector);
        named.chain(&self.others)
    }

    /// What a person can be asked for now.
    pub fn open(&self) -> Vec<AuthorizationResult> {
        let open = self.items.iter().filter(|item| item.can_be_asked());
        open.map(Item::result).collect()
    }

    /// What waits by now.
    fn pending(&self) -> &PendingSet {
        self.writer.pending()
    }

    /// The file in which this run and others keep what waits; none while only looking.
    pub fn file(&self) -> Option<Arc<SharedPending>> {
        self.writer.file().cloned()
    }

    /// What was known when it began, where anything is to be asked for.
    pub fn before(&self) -> Option<Arc<PendingBefore>> {
        self.before.clone()
    }

    /// Tells the team how it ended.
    pub async fn tell(&self, around: &Around<'_>, at_work: &AtWork) {
        if let Some(before) = &self.before {
            let (after, granted) = (self.pending(), self.granted());
            at_work.authorized(around, before, after, &granted).await;
        }
    }

    /// What is in force by now, and whether this session asked for it.
    fn granted(&self) -> BTreeMap<&ConnectorType, bool> {
        let done = self.items.iter().filter(|item| item.state.is_done());
        model::map_of(done.map(|item| (item.connector(), item.was_asked())))
    }

    /// What is resumed.
    pub fn items(&self) -> &[Item] {
        &self.items
    }

    /// Waits for people, at most so long.
    pub async fn run(
        &mut self,
        waits: WaitInputs<'_>,
        commands: &mut mpsc::Receiver<Command>,
        cancel: &CancellationToken,
    ) -> Result<(), PendingError> {
        let deadline = Instant::now() + waits.patience;
        let mut items = std::mem::take(&mut self.items);
        let mut engine = self.engine(waits.asking, waits.pace, waits.turns, waits.events);
        let waited = engine.run(&mut items, deadline, commands, cancel).await;
        self.items = items;
        waited?;
        self.writer.finish().await
    }

    /// How everything stands, in order of name.
    pub fn results(&self) -> Vec<AuthorizationResult> {
        let mut results: Vec<_> = self.items.iter().map(Item::result).collect();
        results.extend(self.left_alone.iter().map(NotResumable::result));
        model::sort(&mut results, |a, b| a.connector.cmp(&b.connector));
        results
    }
}

/// What waits beside what was named; nothing is kept of it, and what cannot be told is not.
async fn others(
    sources: &Sources<'_>,
    remote: &Remote,
) -> Result<Vec<ConnectorType>, PendingError> {
    if sources.targets.is_empty() {
        return Ok(Vec::new());
    }
    let all = Sources {
        targets: &BTreeSet::new(),
        ..*sources
    };
    let found = authorize::candidates(&all).unwrap_or_default().resumable;
    let beside = |found: &Candidate| !sources.targets.contains(&found.connector);
    let mut session = AuthorizeSession {
        remote,
        rules: sources.rules,
        writer: PendingWriter::looking(sources.app.clone(), sources.pending.clone()),
        items: Vec::new(),
        left_alone: Vec::new(),
        others: Vec::new(),
        before: None,
    };
    let silent = |_: &AuthorizeEvent<'_>| {};
    let mut engine = session.engine(Asking::OnDemand, Pace::default(), &Alone, &silent);
    let found = found.into_iter().filter(beside).collect();
    let items = engine.inspect(found, sources.observed).await?;
    let open = items.iter().filter(|item| item.can_be_asked());
    Ok(open.map(|item| item.connector().clone()).collect())
}

/// How a session waits.
#[derive(Clone, Copy)]
pub struct WaitInputs<'a> {
    /// For all of them together: it is one person's time.
    pub patience: Duration,
    /// When links are asked for.
    pub asking: Asking,
    /// How often the remote is asked.
    pub pace: Pace,
    /// Whose turn it is to ask for a link.
    pub turns: &'a dyn WriteTurns,
    /// Told what happens.
    pub events: &'a dyn Fn(&AuthorizeEvent<'_>),
}

//! Which authorizations are there to resume, and which are left alone. Pure.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::{Fate, State, planned::planned};
use crate::{
    catalogue::ScopeEquivalence,
    diff::Action,
    model::{
        App, ConnectorType, Declared, DeclaredConnector, Kind, RemoteConnector, RemoteStatus,
        Scopes,
    },
    pending::{Entry, LastTry, PendingSet},
    plan::{AppPlan, Digest},
    receipt::{Outcome, Receipt},
};

/// Where the knowledge of what is pending comes from.
#[derive(Clone, Copy, Debug)]
pub struct Sources<'a> {
    /// Which app.
    pub app: &'a App,
    /// What this machine's applies left.
    pub pending: &'a PendingSet,
    /// What another machine's apply says.
    pub document: Document<'a>,
    /// When that document was made, if it says so.
    pub made: Option<Timestamp>,
    /// The files, where there is a project.
    pub declared: Option<&'a Declared>,
    /// The remote now.
    pub observed: &'a BTreeMap<ConnectorType, RemoteConnector>,
    /// Only these, unless empty.
    pub targets: &'a BTreeSet<ConnectorType>,
    /// How scopes compare.
    pub rules: &'a ScopeEquivalence,
    /// The time, for what was found broken just now.
    pub now: Timestamp,
}

/// What was brought along from another machine. Whether it is for this app was checked before.
#[derive(Clone, Copy, Debug)]
pub enum Document<'a> {
    /// Nothing.
    None,
    /// A receipt: it says what was asked for.
    Receipt(&'a Receipt),
    /// A plan: whether it was applied, the remote has to show.
    Plan(&'a AppPlan, &'a Digest),
}

/// One authorization to resume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Which connector.
    pub connector: ConnectorType,
    /// What is known of it.
    pub entry: Entry,
    /// Whether the store of this machine has it.
    pub stored: bool,
}

/// One that is left alone, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftAlone {
    /// Which connector.
    pub connector: ConnectorType,
    /// What is known of it, if anything is.
    pub entry: Option<Entry>,
    /// [`State::Untouched`], [`State::Undeclared`] or [`State::WrongAccount`].
    pub state: State,
    /// Whether the store's entry is of no more use: with it, `plan` would not show the change.
    pub obsolete: bool,
}

/// All of them, in order of name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Candidates {
    /// To resume.
    pub resumable: Vec<Candidate>,
    /// To leave alone.
    pub left_alone: Vec<LeftAlone>,
}

impl Candidates {
    /// Whether this connector is among them.
    pub fn know(&self, connector: &ConnectorType) -> bool {
        let mut names = self.resumable.iter().map(|found| &found.connector);
        names.any(|name| name == connector)
            || self.left_alone.iter().any(|l| l.connector == *connector)
    }
}

/// Finds what there is to resume.
pub fn candidates(sources: &Sources<'_>) -> Candidates {
    let mut entries: BTreeMap<ConnectorType, (Entry, bool)> = BTreeMap::new();
    let mut left: BTreeMap<ConnectorType, LeftAlone> = BTreeMap::new();
    for (connector, found) in broken(sources) {
        match found {
            Ok(entry) => drop(entries.insert(connector, (entry, false))),
            Err(wrong) => drop(left.insert(connector, *wrong)),
        }
    }
    for (connector, found) in documented(sources) {
        match found {
            Ok(entry) => drop(entries.insert(connector, (entry, false))),
            Err(reason) => {
                let unsure = LeftAlone {
                    connector: connector.clone(),
                    entry: None,
                    state: State::Untouched(reason),
                    obsolete: false,
                };
                left.entry(connector).or_insert(unsure);
            }
        }
    }
    for (connector, entry) in sources.pending.of(sources.app) {
        // The store knows most, the links: unless the document is about something else.
        let same = entries.get(connector).is_none_or(|(known, _)| {
            same_scopes(sources.rules, connector, &known.scopes, &entry.scopes)
        });
        if same {
            entries.insert(connector.clone(), (entry.clone(), true));
        }
    }
    let mut found = Candidates::default();
    for (connector, (entry, stored)) in entries {
        left.remove(&connector);
        if !is_target(sources, &connector) {
            continue;
        }
        if let Some(declared) = sources.declared
            && !declared.connectors.contains_key(&connector)
        {
            let fate = if stored { Fate::Kept } else { Fate::Unstored };
            found.left_alone.push(LeftAlone {
                connector,
                entry: Some(entry),
                state: State::Undeclared(fate),
                obsolete: stored,
            });
            continue;
        }
        match objection(&connector, &entry, sources) {
            Some((reason, obsolete)) => found.left_alone.push(LeftAlone {
                connector,
                entry: Some(entry),
                state: State::Untouched(reason),
                obsolete: obsolete && stored,
            }),
            None => found.resumable.push(Candidate {
                connector,
                entry,
                stored,
            }),
        }
    }
    let wanted = left.into_values();
    found
        .left_alone
        .extend(wanted.filter(|left| is_target(sources, &left.connector)));
    found
        .left_alone
        .sort_by(|a, b| a.connector.cmp(&b.connector));
    found
}

fn is_target(sources: &Sources<'_>, connector: &ConnectorType) -> bool {
    sources.targets.is_empty() || sources.targets.contains(connector)
}

/// Connectors that the files declare, that the remote has with these scopes, and that do not work
/// (their scopes were approved before), or that the wrong account holds.
fn broken(sources: &Sources<'_>) -> Vec<(ConnectorType, Result<Entry, Box<LeftAlone>>)> {
    let Some(declared) = sources.declared else {
        return Vec::new();
    };
    let find = |connector: &ConnectorType, declared: &DeclaredConnector| {
        let is = sources.observed.get(connector)?;
        let same = sources
            .rules
            .compare(connector, &declared.scopes, &is.scopes)
            .is_same();
        if connector.kind() != Kind::Oauth || !same {
            return None;
        }
        let entry = Entry {
            scopes: declared.scopes.clone(),
            action: Action::Reauthorize,
            plan_digest: None,
            since: sources.now,
            before: Some(is.scopes.clone()),
            account_before: is.account.clone(),
            account: declared.account.clone(),
            connection_id: None,
            link: None,
            last: LastTry::Open,
        };
        if is.status != RemoteStatus::Active {
            return Some(Ok(entry));
        }
        let (expected, account) = (declared.account.as_ref()?, is.account.as_ref()?);
        (!expected.accepts(account)).then(|| {
            Err(Box::new(LeftAlone {
                connector: connector.clone(),
                entry: Some(entry),
                state: State::WrongAccount {
                    account: account.clone(),
                    expected: expected.as_str().to_owned(),
                },
                obsolete: false,
            }))
        })
    };
    declared
        .connectors
        .iter()
        .filter_map(|(name, declared)| Some((name.clone(), find(name, declared)?)))
        .collect()
}

/// What the document says is pending, or why it can not be told.
fn documented(sources: &Sources<'_>) -> Vec<(ConnectorType, Result<Entry, String>)> {
    let receipt = match sources.document {
        Document::None => return Vec::new(),
        Document::Plan(plan, digest) => return planned(sources, plan, digest),
        Document::Receipt(receipt) => receipt,
    };
    let pending = receipt
        .results()
        .filter(|result| result.outcome == Outcome::Pending);
    pending
        .map(|result| {
            let is = sources.observed.get(&result.connector);
            let entry = Entry {
                scopes: result.scopes.clone(),
                action: result.action,
                plan_digest: Some(receipt.plan_digest.clone()),
                since: sources.made.unwrap_or(sources.now),
                before: result.before.clone(),
                account_before: is.and_then(|is| is.account.clone()),
                account: result.account.clone(),
                connection_id: result.connection_id.clone(),
                link: None,
                last: LastTry::Open,
            };
            (result.connector.clone(), Ok(entry))
        })
        .collect()
}

/// Whether two sets of scopes are the same but for what a provider adds to either.
pub(super) fn same_scopes(
    rules: &ScopeEquivalence,
    connector: &ConnectorType,
    a: &Scopes,
    b: &Scopes,
) -> bool {
    rules.compare(connector, a, b).is_same() || rules.compare(connector, b, a).is_same()
}

/// Why an entry is not resumed: the files have moved on, or somebody changed the connector. And
/// whether that makes it useless for ever.
fn objection(
    connector: &ConnectorType,
    entry: &Entry,
    sources: &Sources<'_>,
) -> Option<(String, bool)> {
    let rules = sources.rules;
    let now = sources.declared.and_then(|d| d.connectors.get(connector));
    if now.is_some_and(|now| !same_scopes(rules, connector, &now.scopes, &entry.scopes)) {
        let reason = "the files declare other scopes now than were approved; plan and apply them \
                      first";
        return Some((reason.to_owned(), false));
    }
    match (sources.observed.get(connector), &entry.before) {
        (None, None) => None,
        (None, Some(_)) => {
            let reason = "it was removed from the app since it was asked for; plan and apply to \
                          add it again";
            Some((reason.to_owned(), true))
        }
        (Some(is), before) => {
            let more = !rules
                .compare(connector, &entry.scopes, &is.scopes)
                .removed
                .is_empty();
            let as_before = before
                .as_ref()
                .is_some_and(|before| same_scopes(rules, connector, before, &is.scopes));
            (more && !as_before).then(|| {
                let reason = "somebody else changed it since it was asked for: it has scopes that \
                              were not approved; plan again";
                (reason.to_owned(), true)
            })
        }
    }
}

/// Why an entry that nobody has consented to is not resumed: the connector works with other scopes
/// than it had, and it was not this consent that gave them.
pub(super) fn foreign(
    connector: &ConnectorType,
    entry: &Entry,
    is: Option<&RemoteConnector>,
    rules: &ScopeEquivalence,
) -> Option<String> {
    let is = is.filter(|is| is.status == RemoteStatus::Active)?;
    let as_before = entry
        .before
        .as_ref()
        .is_some_and(|before| same_scopes(rules, connector, before, &is.scopes));
    let whole = rules
        .compare(connector, &entry.scopes, &is.scopes)
        .added
        .is_empty();
    (!as_before && !whole).then(|| {
        "somebody else changed it since it was asked for: its scopes are neither those it had nor \
         those that were approved; plan again"
            .to_owned()
    })
}

//! Which authorizations are there to resume, and which are left alone. Pure.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::{
    catalogue::Rules,
    diff::Action,
    model::{App, ConnectorType, Declared, DeclaredConnector, Kind, RemoteConnector, RemoteStatus},
    pending::{Entry, LastTry, PendingSet},
    receipt::{Outcome, Receipt},
};

/// Where the knowledge of what is pending comes from.
#[derive(Clone, Copy, Debug)]
pub struct Sources<'a> {
    /// Which app.
    pub app: &'a App,
    /// What this machine's applies left.
    pub pending: &'a PendingSet,
    /// What another machine's apply left, if a receipt was given.
    pub receipt: Option<&'a Receipt>,
    /// The files, where there is a project.
    pub declared: Option<&'a Declared>,
    /// The remote now.
    pub observed: &'a BTreeMap<ConnectorType, RemoteConnector>,
    /// Only these, unless empty.
    pub targets: &'a BTreeSet<ConnectorType>,
    /// How scopes compare.
    pub rules: &'a Rules,
    /// The time, for what was found broken just now.
    pub now: Timestamp,
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
pub struct Untouched {
    /// Which connector.
    pub connector: ConnectorType,
    /// Reads after the name.
    pub reason: String,
}

/// All of them, in order of name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Candidates {
    /// To resume.
    pub resumable: Vec<Candidate>,
    /// To leave alone.
    pub untouched: Vec<Untouched>,
}

/// Finds what there is to resume.
pub fn candidates(sources: &Sources<'_>) -> Candidates {
    let mut entries: BTreeMap<ConnectorType, (Entry, bool)> = BTreeMap::new();
    for (connector, entry) in broken(sources) {
        entries.insert(connector, (entry, false));
    }
    for (connector, entry) in received(sources) {
        entries.insert(connector, (entry, false));
    }
    // The store knows most: it has the links.
    for (connector, entry) in sources.pending.of(sources.app) {
        entries.insert(connector.clone(), (entry.clone(), true));
    }
    let mut found = Candidates::default();
    for (connector, (entry, stored)) in entries {
        if !sources.targets.is_empty() && !sources.targets.contains(&connector) {
            continue;
        }
        match objection(&connector, &entry, sources) {
            Some(reason) => found.untouched.push(Untouched { connector, reason }),
            None => found.resumable.push(Candidate {
                connector,
                entry,
                stored,
            }),
        }
    }
    found
}

/// Connectors that the files declare, that the remote has with these scopes, and that do not work:
/// their scopes were approved before.
fn broken(sources: &Sources<'_>) -> Vec<(ConnectorType, Entry)> {
    let Some(declared) = sources.declared else {
        return Vec::new();
    };
    let broken = |connector: &ConnectorType, declared: &DeclaredConnector| {
        let is = sources.observed.get(connector)?;
        let same = sources
            .rules
            .compare(connector, &declared.scopes, &is.scopes)
            .is_same();
        let resumable =
            connector.kind() == Kind::Oauth && is.status != RemoteStatus::Active && same;
        resumable.then(|| Entry {
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
        })
    };
    declared
        .connectors
        .iter()
        .filter_map(|(name, declared)| Some((name.clone(), broken(name, declared)?)))
        .collect()
}

/// What a receipt says is pending. Whether the receipt is for this app was checked before.
fn received(sources: &Sources<'_>) -> Vec<(ConnectorType, Entry)> {
    let Some(receipt) = sources.receipt else {
        return Vec::new();
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
                since: sources.now,
                before: result.before.clone(),
                account_before: is.and_then(|is| is.account.clone()),
                account: result.account.clone(),
                connection_id: result.connection_id.clone(),
                link: None,
                last: LastTry::Open,
            };
            (result.connector.clone(), entry)
        })
        .collect()
}

/// Why an entry is not resumed: the files have moved on, or somebody changed the connector.
fn objection(connector: &ConnectorType, entry: &Entry, sources: &Sources<'_>) -> Option<String> {
    let same = |a, b| sources.rules.compare(connector, a, b).is_same();
    if let Some(declared) = sources.declared {
        match declared.connectors.get(connector) {
            None => {
                return Some(
                    "no file declares it any more; `connplan plan` shows what to do".to_owned(),
                );
            }
            Some(now) if !same(&now.scopes, &entry.scopes) => {
                return Some(
                    "the files declare other scopes now than were approved; plan and apply them \
                     first"
                        .to_owned(),
                );
            }
            Some(_) => {}
        }
    }
    match (sources.observed.get(connector), &entry.before) {
        (None, None) => None,
        (None, Some(_)) => Some(
            "it was removed from the app since it was asked for; plan and apply to add it again"
                .to_owned(),
        ),
        (Some(is), before) => {
            let more = !sources
                .rules
                .compare(connector, &entry.scopes, &is.scopes)
                .removed
                .is_empty();
            let as_before = before
                .as_ref()
                .is_some_and(|b| same(b, &is.scopes) && same(&is.scopes, b));
            (more && !as_before).then(|| {
                "somebody else changed it since it was asked for: it has scopes that this plan did \
                 not approve; plan again"
                    .to_owned()
            })
        }
    }
}

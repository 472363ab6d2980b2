//! Which authorizations are there to resume, and which are left alone. Pure.
//!
//! This is the gate. Asked for is only what an apply of this machine left, what the team's store says
//! waits (and the files declare), what a receipt named on the command line holds, and what the files
//! declare and the app shows as not working, without a new scope, other connection values or another
//! account, where the settings demand no approval of that. Of all of it, nothing that the policy
//! denies.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::{
    AuthorizationResult, Consent, EntryRetention, State,
    broken::{self, Broken},
    consent::same_scopes,
    objection::{names, objection},
};
use crate::{
    catalogue::ScopeEquivalence,
    diff::{self, Action, Change, Desired},
    model::{
        self, App, ConnectorType, Declared, DeclaredConnector, ExpectedAccount, RemoteConnector,
        RemoteStatus, Scopes,
    },
    pending::{Before, PendingEntry, PendingSet},
    plan::{Refusal, by_rule},
    policy::Verdict,
    receipt::{ChangeResult, Outcome, Receipt},
};

/// What the policy says to asking an account for these scopes of a connector.
pub type Judge = dyn Fn(&ConnectorType, &PendingEntry) -> Result<Verdict, String>;

/// Why something must not be asked for until a plan of it is approved; escaped.
pub type Withheld<'a> = dyn Fn(&ConnectorType, &PendingEntry) -> Option<String> + 'a;

/// Where the knowledge of what is pending comes from.
#[derive(Clone, Copy)]
pub struct Sources<'a> {
    /// Which app.
    pub app: &'a App,
    /// What waits, as this machine's file and the team's store know it.
    pub pending: &'a PendingSet,
    /// What another machine's apply says. Whether it is for this app was checked before.
    pub receipt: Option<&'a Receipt>,
    /// When that receipt was made, if it says so.
    pub made: Option<Timestamp>,
    /// Whether that receipt's digest was given: then it says by which plan something waits.
    pub proved: bool,
    /// The files, where there is a project.
    pub declared: Option<&'a Declared>,
    /// The folder that those lie in, from the project's root.
    pub folder: &'a str,
    /// The remote now.
    pub observed: &'a BTreeMap<ConnectorType, RemoteConnector>,
    /// Only these, unless empty.
    pub targets: &'a BTreeSet<ConnectorType>,
    /// How scopes compare.
    pub rules: &'a ScopeEquivalence,
    /// What the policy says to asking this account for these scopes; why it denies them is escaped.
    pub verdict: &'a Judge,
    /// Whether a change needs an approval, which no plan shows here: of what was found broken just now.
    pub needs_approval: &'a dyn Fn(&Change) -> bool,
    /// What had the approval that it needs, and has it no more; what is broken and was decided otherwise.
    pub withheld: &'a Withheld<'a>,
    /// The time, for what was found broken just now.
    pub now: Timestamp,
}

/// One authorization to resume. There is none without the policy's verdict on its scopes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Which connector.
    pub connector: ConnectorType,
    /// What is known of it.
    pub entry: PendingEntry,
    /// What else a person should know of it. Escaped.
    pub note: Option<String>,
    /// That the policy lets it be asked for.
    verdict: Verdict,
}

impl Candidate {
    /// One that this verdict is about; else none.
    pub(super) fn new(
        connector: ConnectorType,
        entry: PendingEntry,
        note: Option<String>,
        verdict: Verdict,
    ) -> Option<Self> {
        let covered = verdict.covers(&connector, Some(&entry.scopes));
        covered.then_some(Self {
            connector,
            entry,
            note,
            verdict,
        })
    }

    /// That the policy lets it be asked for.
    pub fn verdict(&self) -> &Verdict {
        &self.verdict
    }
}

/// One that is left alone, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotResumable {
    /// Which connector.
    pub connector: ConnectorType,
    /// What is known of it.
    pub entry: PendingEntry,
    /// [`State::Untouched`], [`State::Undeclared`], or held by the wrong account.
    pub state: State,
    /// Whether the pending file's entry is of no more use: with it, `plan` would not show the change.
    pub obsolete: bool,
}

impl NotResumable {
    /// As it stands.
    pub fn result(&self) -> AuthorizationResult {
        AuthorizationResult {
            connector: self.connector.clone(),
            action: self.entry.action,
            scopes: self.entry.scopes.clone(),
            values: self.entry.connection_config.clone(),
            plan: self.entry.plan_digest.clone(),
            expected: self.entry.account.clone(),
            since: self.entry.since,
            state: self.state.clone(),
            took: None,
            note: None,
        }
    }
}

/// All of them, in order of name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Candidates {
    /// To resume.
    pub resumable: Vec<Candidate>,
    /// To leave alone.
    pub left_alone: Vec<NotResumable>,
}

/// Who says that it waits.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Origin {
    Pending,
    Receipt,
    Broken,
}

/// Finds what there is to resume. A receipt that asks for more than the files declare is refused
/// as a whole.
pub fn candidates(sources: &Sources<'_>) -> Result<Candidates, Refusal> {
    let mut entries: BTreeMap<ConnectorType, (PendingEntry, Origin)> = BTreeMap::new();
    let mut found = Candidates::default();
    for (connector, entry) in broken(sources, &mut found.left_alone) {
        entries.insert(connector, (entry, Origin::Broken));
    }
    for (connector, entry) in documented(sources) {
        entries.insert(connector, (entry, Origin::Receipt));
    }
    for (connector, entry) in sources.pending.of(sources.app) {
        if is_settled(sources, connector, entry) {
            entries.remove(connector);
            continue;
        }
        let known = entries.get(connector);
        // The pending file knows most; unless the receipt is about something else. What is found broken is not: what an
        // apply asked for goes before it, but for what a consent left out and the files do not want any more.
        let granted = entry
            .scopes
            .iter()
            .filter(|scope| !entry.missing.contains(scope));
        let granted: Scopes = granted.cloned().collect();
        if known.is_some_and(|(known, origin)| {
            let is_asked = |of| same_scopes(sources.rules, connector, &known.scopes, of);
            match origin {
                Origin::Receipt => !is_asked(&entry.scopes) || !entry.terms().fit(&known.terms()),
                _ => !entry.missing.is_empty() && is_asked(&granted),
            }
        }) {
            continue;
        }
        let mut entry = entry.clone();
        // A store tells nobody's word that a rule may be broken, and is weaker than a proved receipt.
        if let Some((known, Origin::Receipt)) = known
            && sources.proved
            && known.action != Action::NoOp
        {
            entry.plan_digest.clone_from(&known.plan_digest);
            entry.overrides.extend(known.overrides.clone());
        }
        entries.insert(connector.clone(), (entry, Origin::Pending));
    }
    found
        .left_alone
        .retain(|left| !entries.contains_key(&left.connector));
    for (connector, (mut entry, origin)) in entries {
        if !is_target(sources, &connector) {
            continue;
        }
        // A document masks whom it expects; the files say it whole, and by now they may expect somebody.
        let named = sources.declared.and_then(|d| d.connectors.get(&connector));
        let says =
            |named: &&DeclaredConnector| entry.account.is_none() || named.account == entry.account;
        if let Some(named) = named.filter(says) {
            entry.account.clone_from(&named.account);
        }
        match resumable(sources, &connector, &entry, origin)? {
            Resumable::Yes { note, verdict } => {
                let candidate = Candidate::new(connector, entry, note, verdict);
                found.resumable.extend(candidate);
            }
            Resumable::No { why, obsolete } => found.left_alone.push(NotResumable {
                connector,
                entry,
                state: why,
                obsolete: obsolete && origin == Origin::Pending,
            }),
        }
    }
    found
        .left_alone
        .retain(|left| is_target(sources, &left.connector));
    let by_name = |a: &NotResumable, b: &NotResumable| a.connector.cmp(&b.connector);
    model::sort(&mut found.left_alone, by_name);
    Ok(found)
}

/// Whether nobody has to be asked: what is missing, the platform does not pass on. Who names it asks
/// again all the same.
fn is_settled(sources: &Sources<'_>, connector: &ConnectorType, entry: &PendingEntry) -> bool {
    entry.dropped_by_platform
        && !sources.targets.contains(connector)
        && sources.observed.get(connector).is_some_and(|is| {
            let diff = sources.rules.compare(connector, &entry.scopes, &is.scopes);
            is.status == RemoteStatus::Active && diff.added == entry.missing
        })
}

fn is_target(sources: &Sources<'_>, connector: &ConnectorType) -> bool {
    sources.targets.is_empty() || sources.targets.contains(connector)
}

/// Whether an entry may be asked for.
enum Resumable {
    Yes {
        note: Option<String>,
        verdict: Verdict,
    },
    No {
        why: State,
        /// Whether that makes the entry useless.
        obsolete: bool,
    },
}

impl Resumable {
    /// The files or the policy may allow it again.
    fn not_now(why: String) -> Self {
        Self::No {
            why: State::Untouched(why),
            obsolete: false,
        }
    }
}

fn resumable(
    sources: &Sources<'_>,
    connector: &ConnectorType,
    entry: &PendingEntry,
    origin: Origin,
) -> Result<Resumable, Refusal> {
    let mut note = None;
    if let Some(declared) = sources.declared {
        let Some(now) = declared.connectors.get(connector) else {
            if let Some(folder) = entry.elsewhere(sources.folder) {
                return Ok(Resumable::not_now(not_read(
                    connector,
                    folder,
                    sources.folder,
                )));
            }
            let retention = if origin == Origin::Pending {
                EntryRetention::Kept
            } else {
                EntryRetention::Unstored
            };
            return Ok(Resumable::No {
                why: State::Undeclared(retention),
                obsolete: false,
            });
        };
        // Whom it connects to, and whose it is to be, only the files say.
        if !entry.terms().fit(&now.terms()) {
            let what = if entry.connection_config == now.connection_config {
                "another account"
            } else {
                "other connection values"
            };
            if origin == Origin::Receipt {
                return Err(Refusal::ReceiptContradictsFiles {
                    connector: connector.clone(),
                    what,
                });
            }
            let reason = format!(
                "the files declare {what} than the pending authorization; plan and apply them first"
            );
            return Ok(Resumable::not_now(reason));
        }
        // What a provider adds by itself, or the settings say so of, nobody asks for.
        let index = sources.rules.index(connector, &now.scopes);
        let more = entry.scopes.iter().filter(|scope| !index.contains(scope));
        let more: Scopes = more.cloned().collect();
        if !more.is_empty() || !same_scopes(sources.rules, connector, &now.scopes, &entry.scopes) {
            if origin != Origin::Receipt {
                let reason = "the files here declare other scopes than were asked for; get the newest \
                              commits, or plan and apply them first";
                return Ok(Resumable::not_now(reason.to_owned()));
            }
            if !more.is_empty() {
                return Err(Refusal::ReceiptExceedsFiles {
                    connector: connector.clone(),
                    scopes: more,
                });
            }
            let diff = sources.rules.compare(connector, &now.scopes, &entry.scopes);
            note = Some(format!(
                "the files now declare more ({}); plan and apply that separately",
                names(&diff.added)
            ));
        }
    }
    let verdict = match (sources.verdict)(connector, entry) {
        Ok(verdict) => verdict,
        Err(reason) => return Ok(Resumable::not_now(reason)),
    };
    if let Some(reason) = (sources.withheld)(connector, entry) {
        return Ok(Resumable::not_now(reason));
    }
    let is = sources.observed.get(connector);
    Ok(match objection(connector, entry, is, sources.rules) {
        Some(reason) => Resumable::No {
            why: State::Untouched(reason),
            obsolete: true,
        },
        None => Resumable::Yes { note, verdict },
    })
}

/// Nothing is known of its file: this run looked elsewhere.
fn not_read(connector: &ConnectorType, folder: &str, read: &str) -> String {
    let [folder, read] = [folder, read].map(|name| crate::escape::limited(name, 200));
    format!(
        "its file was in {folder}, and this run read the files in {read}: give that folder with `--dir`, or \
         give it up with `--forget {connector}`"
    )
}

/// Nobody approves what no plan shows.
const UNAPPROVED: &str = "[approval] in connplan.toml demands an approval for it: make a plan (`connplan plan --out FILE`), \
     have it approved, and apply it";

/// What the files declare and the app has, and that does not work. What a consent alone does not repair is
/// left alone.
fn broken(
    sources: &Sources<'_>,
    left_alone: &mut Vec<NotResumable>,
) -> Vec<(ConnectorType, PendingEntry)> {
    let Some(declared) = sources.declared else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for (connector, declared) in &declared.connectors {
        let Some(is) = sources.observed.get(connector) else {
            continue;
        };
        let asked = (&declared.scopes, declared.terms());
        let Some(broken) = broken::look(connector, asked, is, sources.rules) else {
            continue;
        };
        let entry = broken::repair(declared, is, sources.now);
        let state = match broken {
            Broken::Repairable => {
                let wanted = Desired::from(declared);
                let change = diff::between(connector, Some(is), wanted, sources.rules);
                if !(sources.needs_approval)(&change) {
                    found.push((connector.clone(), entry));
                    continue;
                }
                State::Untouched(UNAPPROVED.to_owned())
            }
            Broken::Changes(why) => State::Untouched(why.to_owned()),
            Broken::Held { account, expected } => {
                State::Consented(Consent::WrongAccount { account, expected })
            }
        };
        left_alone.push(NotResumable {
            connector: connector.clone(),
            entry,
            state,
            obsolete: false,
        });
    }
    found
}

/// What the receipt says is pending.
fn documented(sources: &Sources<'_>) -> Vec<(ConnectorType, PendingEntry)> {
    let Some(receipt) = sources.receipt else {
        return Vec::new();
    };
    let overrides = by_rule(&receipt.overrides);
    let pending = receipt
        .results
        .iter()
        .filter(|result| result.outcome == Outcome::Pending);
    pending
        .map(|result| {
            let entry = PendingEntry {
                scopes: result.scopes.clone(),
                connection_config: result.connection_config.clone(),
                action: result.action,
                plan_digest: Some(receipt.plan_digest.clone()),
                since: sources.made.unwrap_or(sources.now),
                before: before(result, sources.observed.get(&result.connector)),
                account: result.account.clone(),
                connection_id: result.connection_id.clone(),
                missing: Scopes::new(),
                dropped_by_platform: false,
                overrides: overrides.clone(),
                asked_under: None,
                folder: None,
            };
            (result.connector.clone(), entry)
        })
        .collect()
}

/// A receipt does not say how healthy a connector was nor who held it; what it was to become tells
/// a part of it.
fn before(result: &ChangeResult, is: Option<&RemoteConnector>) -> Option<Before> {
    let scopes = result.before.clone()?;
    let holder = is.filter(|is| is.status == RemoteStatus::Active);
    let wrong = holder.and_then(|is| {
        let account = is.account.as_ref();
        account.filter(|_| ExpectedAccount::is_other(result.account.as_ref(), account))
    });
    let status = match (result.action, wrong) {
        (Action::Reauthorize, Some(_)) => Some(RemoteStatus::Active),
        (Action::Reauthorize, None) => Some(RemoteStatus::Expired),
        _ => None,
    };
    Some(Before {
        scopes,
        status,
        account: wrong
            .filter(|_| result.action == Action::Reauthorize)
            .cloned(),
    })
}

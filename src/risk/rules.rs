//! The rules. Each is a function from a change to what it finds, with its reason; [`RULES`] lists
//! them all.
//!
//! | rule | finds | level |
//! |---|---|---|
//! | [`removal`] | a connector goes, its tokens are lost | danger; warning if it does not work anyway |
//! | [`emptied`] | a connector that works is left without any scope that it has, or a part of one | danger |
//! | [`stripe_removal`] | Stripe goes | danger if live, else warning |
//! | [`widening`] | a scope comes into force that gives admin access, by itself or by one that it includes, or is restricted by its provider | danger |
//! | [`widening`] | a scope comes into force that gives write access | warning |
//! | [`widening`] | a scope comes into force of which nothing is known | danger if it may be all, by its name or as another service's, or may be read as one that is a danger; else notice |
//! | [`elsewhere`] | a connector's connection values change | danger |
//! | [`interruption`] | an update of a connector that works needs a new consent | warning |
//! | [`other_account`] | another account than the file expects holds it, or held it | danger |
//! | [`redundancy`] | a declared scope is included in another declared one | notice |
//!
//! What a no-op leaves as it is needs no approval: no rule is run on one, unless it waits for a consent, or one
//! left something out.

use super::{FactReport, Level, Phrase, Risk, RiskKind, is_restricted};
use crate::{
    catalogue::{Access, ScopeEquivalence},
    diff::{Action, Change, ConsentNeed},
    model::{self, Kind, RemoteStatus, Scope, Scopes, StripeMode},
};

type Rule = fn(&Change) -> Vec<Risk>;

const RULES: [Rule; 8] = [
    stripe_removal,
    removal,
    emptied,
    widening,
    elsewhere,
    interruption,
    other_account,
    redundancy,
];

/// What a change endangers, gravest first. Nothing, for a no-op; what waits for a person's consent, or was left
/// out, is still to come, whoever says so.
pub fn assess(change: &Change) -> Vec<Risk> {
    if !change.is_asked() {
        return Vec::new();
    }
    let mut risks: Vec<_> = RULES.iter().flat_map(|rule| rule(change)).collect();
    let order = |risk: &Risk| (std::cmp::Reverse(risk.level), risk.kind);
    model::sort_by_key(&mut risks, order);
    risks
}

fn risk(level: Level, kind: RiskKind, about: Phrase) -> Risk {
    Risk { level, kind, about }
}

fn removal(change: &Change) -> Vec<Risk> {
    let Some(before) = change.before.as_ref() else {
        return Vec::new();
    };
    if change.action != Action::Delete || change.kind() == Kind::Stripe {
        return Vec::new();
    }
    let level = match before.status {
        RemoteStatus::Active => Level::Danger,
        RemoteStatus::Disconnected | RemoteStatus::Expired => Level::Warning,
    };
    let holder = before
        .account
        .as_ref()
        .map_or_else(Phrase::default, |account| {
            Phrase::default().account(account.as_str())
        });
    vec![risk(level, RiskKind::TokensLost, holder)]
}

fn emptied(change: &Change) -> Vec<Risk> {
    if change.works() && change.loses_all() && !change.narrows() {
        return vec![risk(Level::Danger, RiskKind::ScopesLost, Phrase::default())];
    }
    Vec::new()
}

fn stripe_removal(change: &Change) -> Vec<Risk> {
    if change.action != Action::Delete || change.kind() != Kind::Stripe {
        return Vec::new();
    }
    let mode = change.before.as_ref().and_then(|before| before.mode);
    let (level, kind) = match mode {
        Some(StripeMode::Sandbox) => (Level::Warning, RiskKind::SandboxLost),
        // A mode that is not known is taken for the worse.
        Some(StripeMode::Live) | None => (Level::Danger, RiskKind::LivePayments),
    };
    vec![risk(level, kind, Phrase::default())]
}

/// Of all that a consent brings into force, each with what it includes. A scope that another one already brings is
/// not counted, unless that one is less grave or reaches less far: it widens nothing.
fn widening(change: &Change) -> Vec<Risk> {
    let rules = ScopeEquivalence::default();
    let none = Scopes::new();
    let after = change.after.as_ref().map_or(&none, |after| &after.scopes);
    let after = rules.index(&change.connector, after);
    let (mut admin, mut restricted, mut write, mut unknown) = (vec![], vec![], vec![], vec![]);
    let mut far = vec![];
    let brings = change.brings();
    for scope in brings.iter() {
        let fact = FactReport::of(&change.connector, scope);
        let weight = |fact: &FactReport| (fact.is_grave(), fact.reach());
        let included = after.strict_includer(scope);
        let included = included.map(|by| FactReport::of(&change.connector, by));
        if included.is_some_and(|by| weight(&by) >= weight(&fact)) {
            continue;
        }
        let found = (scope, fact.meaning);
        if !fact.known && fact.is_grave() {
            far.push(found);
        } else if !fact.known {
            unknown.push(found);
        } else if fact.reach() == Some(Access::Admin) {
            admin.push(found);
        } else if is_restricted(fact.class) {
            restricted.push(found);
        } else if fact.reach() == Some(Access::Write) {
            write.push(found);
        }
    }
    [
        (Level::Danger, RiskKind::Admin, admin),
        (Level::Danger, RiskKind::Restricted, restricted),
        (Level::Danger, RiskKind::Unknown, far),
        (Level::Warning, RiskKind::Write, write),
        (Level::Notice, RiskKind::Unknown, unknown),
    ]
    .into_iter()
    .filter(|(_, _, found)| !found.is_empty())
    .map(|(level, kind, found)| risk(level, kind, name_some(&found)))
    .collect()
}

/// How many scopes a reason names; the rest is counted, and stands in the change itself.
const NAMED: usize = 3;

/// The scopes with their meanings, if they are few.
fn name_some(scopes: &[(&Scope, Option<&'static str>)]) -> Phrase {
    let mut phrase = Phrase::default();
    for (index, (scope, meaning)) in scopes.iter().take(NAMED).enumerate() {
        // A meaning may hold commas.
        let explained = meaning.filter(|_| scopes.len() <= NAMED);
        if index > 0 {
            phrase = phrase.words(if explained.is_some() { "; " } else { ", " });
        }
        phrase = phrase.scope(scope);
        if let Some(meaning) = explained {
            phrase = phrase.words(format!(" – {meaning}"));
        }
    }
    match scopes.len().saturating_sub(NAMED) {
        0 => phrase,
        more => phrase.words(format!(" and {more} more")),
    }
}

fn elsewhere(change: &Change) -> Vec<Risk> {
    let values = &change.connection_config;
    if change.before.is_none() || change.action == Action::Delete || values.is_same() {
        return Vec::new();
    }
    // A value that there was not yet leads elsewhere as well.
    vec![risk(Level::Danger, RiskKind::Elsewhere, Phrase::default())]
}

fn interruption(change: &Change) -> Vec<Risk> {
    let works = change.works();
    // One that works is authorized again for its account alone, and goes on working until then.
    let asks_again =
        change.action == Action::Update && change.authorization == ConsentNeed::Required;
    if works && asks_again {
        vec![risk(
            Level::Warning,
            RiskKind::Interrupts,
            Phrase::default(),
        )]
    } else {
        Vec::new()
    }
}

fn other_account(change: &Change) -> Vec<Risk> {
    let holder = change
        .before
        .as_ref()
        .and_then(|before| before.account.as_ref());
    let expected = change
        .after
        .as_ref()
        .and_then(|after| after.account.as_ref());
    match (holder, expected) {
        (Some(holder), Some(expected)) if !expected.accepts(holder) => {
            let about = Phrase::default()
                .account(holder.as_str())
                .words(" holds it, the file expects ")
                .account(expected.as_str());
            let kind = if change.works() {
                RiskKind::WrongAccount
            } else {
                RiskKind::OtherAccount
            };
            vec![risk(Level::Danger, kind, about)]
        }
        _ => Vec::new(),
    }
}

fn redundancy(change: &Change) -> Vec<Risk> {
    let Some(after) = change.after.as_ref() else {
        return Vec::new();
    };
    let rules = ScopeEquivalence::default();
    let index = rules.index(&change.connector, &after.scopes);
    let found = after.scopes.iter().filter_map(|scope| {
        let wide = index.strict_includer(scope)?;
        let about = Phrase::default()
            .scope(wide)
            .words(" already includes ")
            .scope(scope);
        Some(risk(Level::Notice, RiskKind::Redundant, about))
    });
    found.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        diff::{Desired, between},
        model::{Account, ConnectorType, ExpectedAccount, RemoteConnector, SavedValue},
    };

    fn scopes(scopes: &[&str]) -> Scopes {
        scopes.iter().copied().collect()
    }

    fn state(status: RemoteStatus, granted: &[&str]) -> RemoteConnector {
        RemoteConnector {
            status,
            scopes: scopes(granted),
            account: Some(Account::new("ops@example.com")),
            mode: None,
            connection_config: None,
        }
    }

    fn change(name: &str, action: Action) -> Change {
        Change::new(ConnectorType::parse(name).unwrap(), action)
    }

    /// An update that adds scopes to a connector that works.
    fn widened(name: &str, added: &[&str], kept: &[&str]) -> Change {
        let mut change = change(name, Action::Update);
        change.before = Some(state(RemoteStatus::Active, kept));
        change.after = Some(Desired {
            scopes: added.iter().chain(kept).copied().collect(),
            ..Desired::default()
        });
        change.scopes.added = scopes(added);
        change.scopes.kept = scopes(kept);
        change.authorization = ConsentNeed::Required;
        change
    }

    fn found(change: &Change) -> Vec<(Level, RiskKind)> {
        assess(change)
            .iter()
            .map(|risk| (risk.level, risk.kind))
            .collect()
    }

    #[test]
    fn a_removal_names_whose_tokens_are_lost() {
        let mut gone = change("hubspot", Action::Delete);
        gone.before = Some(state(RemoteStatus::Active, &[]));
        let risks = assess(&gone);
        assert_eq!(risks[0].level, Level::Danger);
        assert_eq!(
            risks[0].reason().to_string(),
            "the tokens of ops@example.com are lost for good"
        );
        gone.before = Some(state(RemoteStatus::Expired, &[]));
        assert_eq!(found(&gone), [(Level::Warning, RiskKind::TokensLost)]);
    }

    #[test]
    fn a_connector_that_is_left_without_what_it_has_is_as_good_as_removed() {
        let cut = |status, had: &[&str], wanted: &[&str]| {
            let after = Desired {
                scopes: scopes(wanted),
                ..Desired::default()
            };
            let (slack, rules) = (
                ConnectorType::parse("slack").unwrap(),
                ScopeEquivalence::default(),
            );
            let found = found(&between(&slack, Some(&state(status, had)), after, &rules));
            found.contains(&(Level::Danger, RiskKind::ScopesLost))
        };
        let had = ["channels:read", "chat:write"];
        assert!(cut(RemoteStatus::Active, &had, &[]));
        assert!(cut(RemoteStatus::Active, &had, &["emoji:read"]));
        assert!(!cut(RemoteStatus::Active, &had, &["chat:write"]));
        assert!(!cut(RemoteStatus::Active, &[], &["chat:write"]));
        assert!(!cut(RemoteStatus::Expired, &had, &[]));
    }

    #[test]
    fn removing_live_stripe_is_the_gravest() {
        let mut gone = change("stripe", Action::Delete);
        gone.before = Some(RemoteConnector::stripe(StripeMode::Live));
        assert_eq!(found(&gone), [(Level::Danger, RiskKind::LivePayments)]);
        gone.before = Some(RemoteConnector::stripe(StripeMode::Sandbox));
        assert_eq!(found(&gone), [(Level::Warning, RiskKind::SandboxLost)]);
        assert_eq!(RiskKind::ALL.iter().min(), Some(&RiskKind::LivePayments));
    }

    #[test]
    fn widening_is_told_by_what_the_scope_permits() {
        type Found = &'static [(Level, RiskKind)];
        const INTERRUPTS: (Level, RiskKind) = (Level::Warning, RiskKind::Interrupts);
        let cases: [(&str, &str, Found); 5] = [
            (
                "gmail",
                "https://www.googleapis.com/auth/gmail.readonly",
                &[(Level::Danger, RiskKind::Restricted), INTERRUPTS],
            ),
            (
                "gmail",
                "https://www.googleapis.com/auth/gmail.settings.sharing",
                &[(Level::Danger, RiskKind::Admin), INTERRUPTS],
            ),
            (
                "slack",
                "chat:write",
                &[(Level::Warning, RiskKind::Write), INTERRUPTS],
            ),
            ("slack", "channels:read", &[INTERRUPTS]),
            (
                "slack",
                "no-such:scope",
                &[INTERRUPTS, (Level::Notice, RiskKind::Unknown)],
            ),
        ];
        for (connector, scope, expected) in cases {
            assert_eq!(
                found(&widened(connector, &[scope], &[])),
                expected,
                "{scope}"
            );
        }
    }

    #[test]
    fn what_is_included_already_is_pointed_out_and_widens_nothing() {
        let full = "https://mail.google.com/";
        let part = "https://www.googleapis.com/auth/gmail.readonly";
        let risks = assess(&widened("gmail", &[part], &[full]));
        let kinds: Vec<_> = risks.iter().map(|risk| risk.kind).collect();
        assert_eq!(kinds, [RiskKind::Interrupts, RiskKind::Redundant]);
        assert_eq!(
            risks[1].reason().to_string(),
            format!("{full} already includes {part}")
        );
    }

    #[test]
    fn what_includes_one_that_reaches_further_is_told_as_that() {
        let (all, share) = (
            "https://www.googleapis.com/auth/calendar",
            "https://www.googleapis.com/auth/calendar.acls",
        );
        let alone = found(&widened("googlecalendar", &[all], &[]));
        let danger = (Level::Danger, RiskKind::Admin);
        assert_eq!(alone, [danger, (Level::Warning, RiskKind::Interrupts)]);
        let kinds = found(&widened("googlecalendar", &[all, share], &[]));
        assert_eq!(
            kinds,
            [
                (Level::Danger, RiskKind::Admin),
                (Level::Warning, RiskKind::Interrupts),
                (Level::Notice, RiskKind::Redundant),
            ]
        );
    }

    #[test]
    fn another_account_is_told_from_the_expected_one() {
        let mut again = widened("notion", &[], &[]);
        again.action = Action::Reauthorize;
        again.after.as_mut().unwrap().account = ExpectedAccount::parse("ceo@example.com");
        // It works, and an apply leaves it with its account.
        assert_eq!(found(&again), [(Level::Danger, RiskKind::WrongAccount)]);
        let expired = again.before.as_mut().unwrap();
        expired.status = RemoteStatus::Expired;
        assert_eq!(found(&again), [(Level::Danger, RiskKind::OtherAccount)]);
        again.after.as_mut().unwrap().account = ExpectedAccount::parse("@example.com");
        assert_eq!(found(&again), []);
    }

    #[test]
    fn other_connection_values_are_a_danger() {
        use crate::diff::ConfigDiff;
        let name = || ["subdomain".to_owned()].into();
        let mut again = widened("notion", &[], &[]);
        again.authorization = ConsentNeed::None;
        again.connection_config = ConfigDiff {
            changed: name(),
            ..ConfigDiff::default()
        };
        assert_eq!(found(&again), [(Level::Danger, RiskKind::Elsewhere)]);
        again.before.as_mut().unwrap().status = RemoteStatus::Expired;
        assert_eq!(found(&again), [(Level::Danger, RiskKind::Elsewhere)]);
        again.before.as_mut().unwrap().status = RemoteStatus::Active;
        again.connection_config = ConfigDiff {
            added: name(),
            ..ConfigDiff::default()
        };
        assert_eq!(found(&again), [(Level::Danger, RiskKind::Elsewhere)]);
        again.before = None;
        assert_eq!(found(&again), []);
    }

    #[test]
    fn what_leads_elsewhere_is_a_danger_whatever_else_the_change_does() {
        use RemoteStatus::{Active, Disconnected, Expired};
        let rules = ScopeEquivalence::default();
        let slack = ConnectorType::parse("slack").unwrap();
        let some = ["", "emoji:read", "users:read", "emoji:read users:read"];
        for status in [Active, Expired, Disconnected] {
            for (had, wanted) in some.iter().flat_map(|had| some.map(|wanted| (had, wanted))) {
                let mut before = state(status, &[]);
                before.scopes = had.split_whitespace().collect();
                let told = |tenant: &str| [("tenant".to_owned(), tenant.to_owned())].into();
                before.connection_config = Some(SavedValue::told(told("one")));
                let other = [RiskKind::WrongAccount, RiskKind::OtherAccount];
                for (account, tenant, kinds) in [
                    ("eve@elsewhere.example", "one", other),
                    ("@example.com", "two", [RiskKind::Elsewhere; 2]),
                ] {
                    let after = Desired {
                        scopes: wanted.split_whitespace().collect(),
                        account: ExpectedAccount::parse(account),
                        connection_config: told(tenant),
                    };
                    let mut change = between(&slack, Some(&before), after, &rules);
                    // As it is where the store says that it waits.
                    for action in [change.action, Action::NoOp] {
                        change.action = action;
                        if action == Action::NoOp {
                            change.authorization = ConsentNeed::Pending;
                        }
                        let named = kinds.map(|kind| (Level::Danger, kind));
                        assert!(
                            found(&change).iter().any(|found| named.contains(found)),
                            "{status:?} {had:?} -> {wanted:?} {account} {tenant} {action}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn what_does_not_work_is_not_interrupted() {
        let mut again = change("notion", Action::Reauthorize);
        again.before = Some(state(RemoteStatus::Expired, &[]));
        again.authorization = ConsentNeed::Required;
        assert_eq!(found(&again), []);
    }

    #[test]
    fn a_no_op_is_silent_unless_it_waits() {
        let mut same = widened("gmail", &["https://mail.google.com/"], &[]);
        same.action = Action::NoOp;
        same.authorization = ConsentNeed::None;
        assert_eq!(found(&same), []);
        same.authorization = ConsentNeed::Pending;
        assert_eq!(found(&same), [(Level::Danger, RiskKind::Restricted)]);
        // What a consent is said to have left out is asked for again by whoever names it.
        same.authorization = ConsentNeed::None;
        same.dropped = std::mem::take(&mut same.scopes.added);
        assert_eq!(found(&same), [(Level::Danger, RiskKind::Restricted)]);
    }

    #[test]
    fn many_scopes_are_counted() {
        let names = ["a", "b", "c", "d", "e", "f", "g", "h", "i"];
        let risks = assess(&widened("slack", &names, &[]));
        let reason = risks.last().unwrap().reason();
        assert!(reason.to_string().ends_with("a, b, c and 6 more"));
    }
}

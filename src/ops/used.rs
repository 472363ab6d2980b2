//! Whether an approval was used up: the plan that it is of was carried out, wholly.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::{
    approval::{ApprovalError, Approved, NAMESPACE, key_of},
    context::Failure,
    plan::Digest,
    receipt::{self, Outcome},
    store::{HistoryEvent, Memory, What},
};

/// When a plan was carried out wholly for the last time, and who approved it anew since.
#[derive(Debug, Default, PartialEq, Eq)]
struct Used {
    at: Option<Timestamp>,
    /// The keys' fingerprints.
    anew: BTreeSet<String>,
}

/// Refuses approvals that were given before the store was told that their plan was carried out: whoever
/// starts an apply with an old one would undo what was decided since.
pub async fn unused(memory: &Memory, approved: &Approved) -> Result<(), Failure> {
    if !memory.is_shared() || !approved.was_needed() {
        return Ok(());
    }
    let used = Used::of(&memory.history().await?.0, approved.digest());
    let Some(at) = used.at else {
        return Ok(());
    };
    let enough = approved.since(at, &used.anew);
    Ok(enough.map_err(|missing| ApprovalError::Used { at, missing })?)
}

impl Used {
    fn of(events: &[HistoryEvent], digest: &Digest) -> Self {
        let mut used = Self::default();
        // What an apply of it asked for, and nobody has consented to yet.
        let mut open: Option<BTreeSet<_>> = None;
        for event in events {
            match &event.what {
                What::Apply(of, text) if of == digest => {
                    let saved = receipt::read("a receipt of the store", text).ok();
                    let results = saved.into_iter().flat_map(|saved| saved.receipt.results);
                    let (mut waits, mut whole) = (BTreeSet::new(), true);
                    for result in results {
                        match result.outcome {
                            Outcome::Pending => drop(waits.insert(result.connector)),
                            Outcome::Failed | Outcome::NotRun => whole = false,
                            _ => {}
                        }
                    }
                    open = whole.then_some(waits);
                }
                What::Consent(consents) => {
                    for consent in consents.iter().filter(|c| c.is_authorized()) {
                        if let Some(open) = &mut open {
                            open.remove(&consent.connector);
                        }
                    }
                }
                What::Approval(of, text) if of == digest => {
                    used.anew.extend(key_of(text, NAMESPACE, digest));
                    continue;
                }
                _ => continue,
            }
            if open.as_ref().is_some_and(BTreeSet::is_empty) {
                open = None;
                used = Self {
                    at: Some(event.at),
                    anew: BTreeSet::new(),
                };
            }
        }
        used
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        diff::Action,
        model::{ApiUrl, App, AppId, ConnectorType, Scopes},
        receipt::{ChangeResult, Receipt},
        store::{By, Consented},
    };

    fn digest(hex: &str) -> Digest {
        Digest::parse(&hex.repeat(32)).unwrap()
    }

    /// An apply of this plan, and what came of its changes.
    fn applied(of: &str, results: &[(&str, Outcome)]) -> What {
        let results = results.iter().map(|(name, outcome)| ChangeResult {
            connector: ConnectorType::parse(*name).unwrap(),
            action: Action::Create,
            outcome: *outcome,
            message: None,
            scopes: Scopes::new(),
            before: None,
            connection_id: None,
            account: None,
            connection_config: std::collections::BTreeMap::new(),
            mode: None,
        });
        let receipt = Receipt {
            plan_digest: digest(of),
            app: App {
                id: AppId::parse("a1").unwrap(),
                api_url: ApiUrl::default(),
                environment: None,
            },
            results: results.collect(),
            approvals: Vec::new(),
            overrides: Vec::new(),
            origin: None,
        };
        What::Apply(digest(of), receipt::to_toml(&receipt, None).unwrap())
    }

    fn consented(connector: &str, outcome: &str) -> What {
        let connector = ConnectorType::parse(connector).unwrap();
        let outcome = outcome.to_owned();
        What::Consent(vec![Consented { connector, outcome }])
    }

    /// After which of these events the plan `ab` was carried out wholly for the last time.
    fn used(events: &[&What]) -> Option<i64> {
        let event = |(second, what): (i64, &&What)| HistoryEvent {
            id: second.to_string(),
            at: Timestamp::from_second(second).unwrap(),
            epoch: 0,
            by: By::default(),
            what: (*what).clone(),
        };
        let events: Vec<_> = (1..).zip(events).map(event).collect();
        let used = Used::of(&events, &digest("ab"));
        used.at.map(Timestamp::as_second)
    }

    #[test]
    fn a_plan_is_carried_out_when_nothing_of_it_is_left() {
        let whole = applied(
            "ab",
            &[("slack", Outcome::Added), ("wix", Outcome::Unchanged)],
        );
        let waits = applied(
            "ab",
            &[("slack", Outcome::Pending), ("wix", Outcome::Synced)],
        );
        let half = applied("ab", &[("slack", Outcome::Added), ("wix", Outcome::NotRun)]);
        let failed = applied(
            "ab",
            &[("slack", Outcome::Pending), ("wix", Outcome::Failed)],
        );
        let other = applied("cd", &[("slack", Outcome::Added)]);
        let (yes, part) = (
            consented("slack", "authorized"),
            consented("slack", "partial"),
        );
        let elsewhere = consented("wix", "authorized");
        let forgotten = What::Forget(Vec::new());
        let approved = What::Approval(digest("ab"), String::new());
        assert_eq!(used(&[]), None);
        assert_eq!(used(&[&whole]), Some(1));
        assert_eq!(used(&[&whole, &other, &yes, &approved]), Some(1));
        assert_eq!(used(&[&whole, &forgotten, &whole]), Some(3));
        assert_eq!(used(&[&waits, &part, &elsewhere, &forgotten]), None);
        assert_eq!(used(&[&waits, &elsewhere, &yes, &yes]), Some(3));
        assert_eq!(used(&[&half, &failed, &yes]), None);
        assert_eq!(used(&[&other, &failed, &whole]), Some(3));
    }
}

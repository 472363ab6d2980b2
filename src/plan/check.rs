//! Whether a plan agrees with itself.
//!
//! A digest proves that a file was not altered by accident; whoever forges one can compute a new
//! digest. So what a reader is shown (action, scopes added and removed) must follow from what is
//! carried out (before, after), or the plan is refused.

use std::collections::BTreeSet;

use super::{Plan, Refusal};
use crate::{
    catalogue::ScopeEquivalence,
    diff::{Action, Change, ConsentNeed, Derived, Removal, derive},
    model::{Kind, RemoteStatus},
};

/// Refuses a plan whose parts contradict each other, whatever the settings of its project are.
pub(super) fn coherent(plan: &Plan) -> Result<(), Refusal> {
    let app = &plan.app;
    let mut seen = BTreeSet::new();
    let names = app.changes.iter().map(|change| &change.connector);
    for name in names
        .chain(app.unmanaged.keys())
        .chain(app.untargeted.keys())
        .chain(&app.untargeted_new)
    {
        if !seen.insert(name) {
            return refuse(format!("`{name}` is in it twice"));
        }
    }
    if !app.changes.is_sorted_by(|a, b| a.connector < b.connector) {
        return refuse("its changes are not sorted by name".to_owned());
    }
    for change in &app.changes {
        shape(change).or_else(|reason| refuse(format!("`{}`: {reason}", change.connector)))?;
        // Settings may name more scopes that a provider adds. Which, is known where it is applied.
        let added = change.scopes.provider_added.iter().cloned().collect();
        let rules = ScopeEquivalence::with_settings(crate::model::map_of([(
            change.connector.clone(),
            added,
        )]));
        agrees(change, &rules)
            .or_else(|reason| refuse(format!("`{}`: {reason}", change.connector)))?;
    }
    Ok(())
}

/// Refuses a plan that does not follow from its own `before` and `after` by the rules of the
/// project that applies it.
pub(super) fn follows(plan: &Plan, rules: &ScopeEquivalence) -> Result<(), Refusal> {
    for change in plan.changes().filter(|c| c.action != Action::NoOp) {
        agrees(change, rules).or_else(|reason| {
            refuse(format!(
                "`{}`: with this project's settings, {reason}",
                change.connector
            ))
        })?;
    }
    Ok(())
}

fn refuse(reason: String) -> Result<(), Refusal> {
    Err(Refusal::Incoherent { reason })
}

/// What no derivation tells.
fn shape(change: &Change) -> Result<(), &'static str> {
    let stripe = change.kind() == Kind::Stripe;
    let mode = change.before.as_ref().map(|before| before.mode.is_some());
    if mode.is_some_and(|mode| mode != stripe) {
        return Err("it has a Stripe mode and is not Stripe, or is Stripe and has none");
    }
    let asks = |after: &crate::diff::Desired| {
        !after.scopes.is_empty() || !after.connection_config.is_empty()
    };
    if stripe && change.after.as_ref().is_some_and(asks) {
        return Err("Stripe takes no scopes");
    }
    if change.removal == Removal::Disconnect && (stripe || change.after.is_some()) {
        return Err("only a removal can be a disconnection");
    }
    Ok(())
}

/// Whether all that a reader is shown follows from what is carried out.
fn agrees(change: &Change, rules: &ScopeEquivalence) -> Result<(), &'static str> {
    let (before, after) = (change.before.as_ref(), change.after.as_ref());
    if before.is_none() && after.is_none() {
        return Err("it has neither `before` nor `after`");
    }
    let Derived {
        action,
        scopes,
        connection_config,
        authorization,
    } = match after.filter(|_| !change.dropped.is_empty()) {
        None => derive(&change.connector, before, after, rules),
        Some(after) => {
            if change.action != Action::NoOp {
                return Err("only what is left alone can have scopes that a consent left out");
            }
            let mut kept = after.clone();
            let left = kept.scopes.into_iter();
            kept.scopes = left
                .filter(|scope| !change.dropped.contains(scope))
                .collect();
            derive(&change.connector, before, Some(&kept), rules)
        }
    };
    let same = (change.action, change.authorization) == (action, authorization);
    // Asked for already: then it is left alone. What a consent left out is asked for again.
    let due = !matches!(action, Action::NoOp | Action::Delete);
    let waits = (change.action, change.authorization) == (Action::NoOp, ConsentNeed::Pending)
        && (due || !change.dropped.is_empty());
    // Disconnected already, and no more is wanted.
    let let_be = change.action == Action::NoOp
        && change.authorization == ConsentNeed::None
        && change.removal == Removal::Disconnect
        && before.is_some_and(|before| before.status == RemoteStatus::Disconnected);
    if !(same || waits || let_be) {
        return Err("its action or authorization does not follow from `before` and `after`");
    }
    if change.scopes != scopes {
        return Err("the scopes shown are not those that change");
    }
    if change.connection_config != connection_config {
        return Err("the connection values shown are not those that change");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        catalogue::ScopeDiff,
        diff::{ConfigDiff, Desired},
        model::{ConnectorType, RemoteConnector, Scopes, StripeMode},
    };

    fn has(status: RemoteStatus, scopes: &[&str]) -> RemoteConnector {
        RemoteConnector {
            status,
            scopes: scopes.iter().copied().collect(),
            mode: None,
            ..RemoteConnector::stripe(StripeMode::Live)
        }
    }

    fn wants(scopes: &[&str]) -> Desired {
        Desired {
            scopes: scopes.iter().copied().collect(),
            ..Desired::default()
        }
    }

    fn change(name: &str, before: Option<RemoteConnector>, after: Option<Desired>) -> Change {
        let name = ConnectorType::parse(name).unwrap();
        let rules = ScopeEquivalence::default();
        let found = derive(&name, before.as_ref(), after.as_ref(), &rules);
        Change {
            before,
            after,
            scopes: found.scopes,
            connection_config: found.connection_config,
            authorization: found.authorization,
            ..Change::new(name, found.action)
        }
    }

    /// A change as it follows, shown as something else.
    fn shown(of: &Change, action: Action, authorization: ConsentNeed, removal: Removal) -> bool {
        let told = Change {
            action,
            authorization,
            removal,
            ..of.clone()
        };
        agrees(&told, &ScopeEquivalence::default()).is_ok()
    }

    #[test]
    fn what_is_shown_follows_from_what_is_carried_out() {
        use {Action as A, ConsentNeed as C, Removal as R};
        let (active, off) = (RemoteStatus::Active, RemoteStatus::Disconnected);
        let create = change("slack", None, Some(wants(&["a"])));
        let update = change("slack", Some(has(active, &["a"])), Some(wants(&["a", "b"])));
        let same = change("slack", Some(has(active, &["a"])), Some(wants(&["a"])));
        let delete = change("slack", Some(has(active, &["a"])), None);
        let dead = change("slack", Some(has(off, &["a"])), None);
        for (of, action) in [
            (&create, A::Create),
            (&update, A::Update),
            (&same, A::NoOp),
            (&delete, A::Delete),
            (&dead, A::Delete),
        ] {
            assert_eq!(of.action, action);
            for other in A::ALL {
                let need = of.authorization;
                let fine = other == action;
                assert_eq!(
                    shown(of, other, need, R::Remove),
                    fine,
                    "{action} as {other}"
                );
            }
            for need in [C::None, C::Required, C::Pending] {
                let fine = need == of.authorization;
                assert_eq!(
                    shown(of, action, need, R::Remove),
                    fine,
                    "{action} {need:?}"
                );
            }
        }
        // Asked for already, and let be.
        assert!(shown(&create, A::NoOp, C::Pending, R::Remove));
        assert!(shown(&update, A::NoOp, C::Pending, R::Remove));
        assert!(shown(&dead, A::NoOp, C::None, R::Disconnect));
        for (of, action, need, removal) in [
            (&create, A::NoOp, C::None, R::Remove),
            (&create, A::Update, C::Pending, R::Remove),
            (&delete, A::NoOp, C::Pending, R::Remove),
            (&delete, A::NoOp, C::None, R::Disconnect),
            (&dead, A::NoOp, C::None, R::Remove),
            (&dead, A::NoOp, C::Required, R::Disconnect),
            (&dead, A::Update, C::None, R::Disconnect),
        ] {
            let told = shown(of, action, need, removal);
            assert!(!told, "{} as {action} {need:?} {removal:?}", of.action);
        }
        // What a consent left out, of what is left alone only.
        let left = Change {
            dropped: ["b"].into_iter().collect::<Scopes>(),
            after: update.after.clone(),
            ..same.clone()
        };
        assert!(shown(&left, A::NoOp, left.authorization, R::Remove));
        assert!(!shown(&left, A::Update, left.authorization, R::Remove));
        // It hides no scope that is asked for: without it, all that is shown follows.
        let more = Change {
            dropped: ["c"].into_iter().collect::<Scopes>(),
            after: Some(wants(&["a", "b", "c"])),
            ..update.clone()
        };
        assert!(!shown(&more, A::Update, more.authorization, R::Remove));
        // Nor is a connection value asked for that nobody was shown.
        let elsewhere = Desired {
            connection_config: [("shop".to_owned(), "evil".to_owned())].into(),
            ..wants(&["a"])
        };
        let told = change("slack", None, Some(elsewhere));
        assert!(shown(&told, A::Create, told.authorization, R::Remove));
        let hidden = Change {
            connection_config: ConfigDiff::default(),
            ..told
        };
        assert!(!shown(&hidden, A::Create, hidden.authorization, R::Remove));
        let nothing = Change {
            before: None,
            ..delete.clone()
        };
        let same = Change {
            scopes: ScopeDiff::default(),
            ..nothing
        };
        assert!(!shown(&same, A::Delete, C::None, R::Remove));
    }

    #[test]
    fn a_plan_names_each_connector_once_and_in_order() {
        let of = |name| change(name, None, Some(wants(&["a"])));
        assert_eq!(coherent(&Plan::of(vec![of("asana"), of("slack")])), Ok(()));
        for bad in [
            vec![of("slack"), of("asana")],
            vec![of("slack"), of("slack")],
        ] {
            assert!(coherent(&Plan::of(bad)).is_err());
        }
        let twice = |hide: &dyn Fn(&mut Plan, ConnectorType)| {
            let mut plan = Plan::of(vec![of("slack")]);
            hide(&mut plan, ConnectorType::parse("slack").unwrap());
            coherent(&plan).is_err()
        };
        let there = has(RemoteStatus::Active, &["a"]);
        assert!(twice(&|plan, name| {
            plan.app.unmanaged.insert(name, there.clone());
        }));
        assert!(twice(&|plan, name| {
            plan.app.untargeted.insert(name, there.clone());
        }));
        assert!(twice(&|plan, name| {
            plan.app.untargeted_new.insert(name);
        }));
    }

    #[test]
    fn what_a_plan_calls_added_by_the_provider_is_for_the_project_that_applies_it_to_say() {
        let before = has(RemoteStatus::Active, &["a", "extra"]);
        let name = ConnectorType::parse("slack").unwrap();
        let extra = crate::model::map_of([(
            name.clone(),
            ["extra"].into_iter().map(Into::into).collect(),
        )]);
        let settings = ScopeEquivalence::with_settings(extra);
        let after = wants(&["a", "b"]);
        let found = derive(&name, Some(&before), Some(&after), &settings);
        let update = Change {
            before: Some(before),
            after: Some(after),
            scopes: found.scopes,
            authorization: found.authorization,
            ..Change::new(name, found.action)
        };
        let plan = Plan::of(vec![update]);
        // Its own word is enough to read it, and not to carry it out.
        assert_eq!(coherent(&plan), Ok(()));
        assert_eq!(follows(&plan, &settings), Ok(()));
        assert!(follows(&plan, &ScopeEquivalence::default()).is_err());
    }

    #[test]
    fn a_shape_that_no_derivation_tells_is_refused() {
        let stripe = Some(RemoteConnector::stripe(StripeMode::Live));
        let (active, values) = (RemoteStatus::Active, [("a".to_owned(), "b".to_owned())]);
        let config = Desired {
            connection_config: values.into(),
            ..Desired::default()
        };
        let bare = Some(Desired::default());
        let oauth = has(active, &["a"]);
        let gone = |name, before, removal| Change {
            removal,
            ..change(name, before, None)
        };
        for good in [
            change("slack", Some(oauth.clone()), Some(config.clone())),
            change("stripe", stripe.clone(), bare),
            gone("slack", Some(oauth.clone()), Removal::Disconnect),
            gone("stripe", stripe.clone(), Removal::Remove),
        ] {
            assert_eq!(shape(&good), Ok(()), "{good:?}");
        }
        let kept = Change {
            removal: Removal::Disconnect,
            ..change("slack", Some(oauth.clone()), Some(wants(&["a"])))
        };
        for bad in [
            kept,
            change("slack", stripe.clone(), Some(wants(&["a"]))),
            gone("stripe", Some(oauth), Removal::Remove),
            change("stripe", stripe.clone(), Some(wants(&["a"]))),
            change("stripe", stripe.clone(), Some(config)),
            gone("stripe", stripe, Removal::Disconnect),
        ] {
            assert!(shape(&bad).is_err(), "{bad:?}");
        }
    }
}

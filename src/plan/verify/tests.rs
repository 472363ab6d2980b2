//! What the last look lets pass, as tables.

use super::*;
use crate::{
    diff::Desired,
    model::{ApiUrl, AppId, Policies, StripeMode},
    policy::{self, Policy},
};

fn scopes(words: &str) -> Scopes {
    words.split_whitespace().collect()
}

fn has(status: RemoteStatus, words: &str) -> RemoteConnector {
    RemoteConnector {
        status,
        scopes: scopes(words),
        mode: None,
        ..RemoteConnector::stripe(StripeMode::Live)
    }
}

fn active(words: &str) -> RemoteConnector {
    has(RemoteStatus::Active, words)
}

fn off(words: &str) -> RemoteConnector {
    has(RemoteStatus::Disconnected, words)
}

fn change(name: &str, before: Option<RemoteConnector>, after: Option<&str>) -> Change {
    let name = ConnectorType::parse(name).unwrap();
    let after = after.map(|words| Desired {
        scopes: scopes(words),
        ..Desired::default()
    });
    let found = derive(
        &name,
        before.as_ref(),
        after.as_ref(),
        &ScopeEquivalence::default(),
    );
    Change {
        before,
        after,
        scopes: found.scopes,
        authorization: found.authorization,
        ..Change::new(name, found.action)
    }
}

fn judged(changes: &[Change]) -> Verdict {
    let (policy, workspace) = (Policy::default(), Policies::default());
    let judgement = policy::evaluate(changes, 9, &policy, &workspace, &[]);
    judgement.verdict().unwrap()
}

fn observed(listed: impl IntoIterator<Item = (ConnectorType, RemoteConnector)>) -> Observed {
    Observed {
        connectors: listed.into_iter().collect(),
        ..Observed::default()
    }
}

/// What the last look says: whether it is done already, or which fields moved.
fn look(
    change: &Change,
    is: Option<RemoteConnector>,
    progress: Option<Progress>,
) -> Result<bool, Vec<&'static str>> {
    let plan = Plan::of(vec![change.clone()]);
    let verdict = judged(&plan.app.changes);
    let name = &change.connector;
    let is = observed(is.map(|is| (name.clone(), is)));
    let progress = progress.map(|p| (name.clone(), p)).into_iter().collect();
    let rules = ScopeEquivalence::default();
    let now = Timestamp::UNIX_EPOCH;
    match verify(&plan, &verdict, &plan.app.app, now, &is, &progress, &rules) {
        Ok(verified) => Ok(verified.is_all_done()),
        Err(Refusal::Stale { moved }) => Err(moved.iter().map(|drift| drift.field).collect()),
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn it_holds_what_it_was_made_of() {
    let plan = Plan::of(vec![change("slack", None, Some("a"))]);
    let (verdict, rules) = (judged(&plan.app.changes), ScopeEquivalence::default());
    let (is, none, now) = (Observed::default(), BTreeMap::new(), Timestamp::UNIX_EPOCH);
    let app = &plan.app.app;
    let verified = verify(&plan, &verdict, app, now, &is, &none, &rules).unwrap();
    assert_eq!(*verified.digest(), document::digest(&plan).unwrap());
    assert!(std::ptr::eq(verified.observed(), &raw const is));
    assert_eq!(verified.is_for(app), Ok(()));
    let other = App {
        id: AppId::parse("another-app").unwrap(),
        ..app.clone()
    };
    assert!(matches!(
        verified.is_for(&other),
        Err(Refusal::OtherApp { .. })
    ));
}

#[test]
fn what_nobody_judged_is_not_carried_out() {
    let create = change("slack", None, Some("a"));
    let plan = Plan::of(vec![create.clone()]);
    let look = |verdict: &Verdict| {
        let (none, rules) = (Observed::default(), ScopeEquivalence::default());
        let now = Timestamp::UNIX_EPOCH;
        verify(
            &plan,
            verdict,
            &plan.app.app,
            now,
            &none,
            &BTreeMap::new(),
            &rules,
        )
        .map(|_| ())
    };
    assert_eq!(look(&judged(&[create])), Ok(()));
    let other = change("slack", None, Some("a b"));
    for verdict in [judged(&[]), judged(&[other])] {
        assert!(matches!(look(&verdict), Err(Refusal::Unjudged { .. })));
    }
}

#[test]
fn a_new_connector_may_be_there_only_as_it_was_asked_for() {
    let create = change("slack", None, Some("a b"));
    let there = Err(vec!["connector"]);
    for (is, expected) in [
        (None, Ok(false)),
        (Some(active("a b")), Ok(true)),
        // Somebody was asked for just these, and has not consented.
        (Some(off("a b")), Ok(false)),
        (Some(off("a")), there.clone()),
        (Some(off("a b c")), there.clone()),
        (Some(active("a")), there.clone()),
        (Some(has(RemoteStatus::Expired, "a b")), there.clone()),
        (Some(active("a b c")), there),
    ] {
        assert_eq!(look(&create, is.clone(), None), expected, "{is:?}");
    }
}

#[test]
fn what_an_interrupted_run_may_have_left_is_its_own_and_nothing_else() {
    use Progress::{Begun, Done};
    let create = change("slack", None, Some("a b"));
    let update = change("slack", Some(active("a")), Some("a b"));
    let remove = change("slack", Some(active("a")), None);
    let stripe = RemoteConnector::stripe(StripeMode::Sandbox);
    let install = change("stripe", None, Some(""));
    let gone = Err(vec!["connector"]);
    for (change, is, progress, expected) in [
        (&create, None, Begun, Ok(false)),
        (&create, None, Done, Ok(false)),
        (&create, Some(active("a")), Begun, Ok(false)),
        (&create, Some(active("a c")), Begun, gone.clone()),
        (&update, Some(active("a")), Begun, Ok(false)),
        (&update, Some(active("a b")), Done, Ok(true)),
        // Taken away by somebody: an update does not leave that.
        (&update, None, Begun, gone.clone()),
        (&update, None, Done, gone.clone()),
        (&remove, None, Done, Ok(true)),
        (&remove, Some(active("a")), Begun, Ok(false)),
        (&remove, Some(active("a")), Done, gone.clone()),
        (&install, None, Begun, Ok(false)),
        (&install, Some(stripe), Done, Ok(true)),
    ] {
        let seen = look(change, is.clone(), Some(progress));
        assert_eq!(seen, expected, "{} {is:?} {progress:?}", change.action);
    }
    // A removal that is done, and there again with something else, says what else.
    let again = look(&remove, Some(active("z")), Some(Done));
    assert_eq!(again, Err(vec!["scopes"]));
}

/// Each refusal of its own, of a plan that would pass without it.
#[test]
fn the_last_look_asks_all_that_can_be_refused_without_one() {
    let update = change("slack", Some(active("a extra")), Some("a b"));
    let fine = Plan {
        expires_at: Some(Timestamp::UNIX_EPOCH),
        ..Plan::of(vec![update.clone()])
    };
    let moment = jiff::SignedDuration::from_nanos(1);
    let before = Timestamp::UNIX_EPOCH - moment;
    let look = |plan: &Plan, app: &App, now| {
        let verdict = judged(&plan.app.changes);
        let is = observed([(update.connector.clone(), active("a extra"))]);
        let (none, rules) = (BTreeMap::new(), ScopeEquivalence::default());
        verify(plan, &verdict, app, now, &is, &none, &rules).map(|_| ())
    };
    let app = &fine.app.app;
    assert_eq!(look(&fine, app, before), Ok(()));
    let late = look(&fine, app, Timestamp::UNIX_EPOCH);
    assert!(matches!(late, Err(Refusal::Expired { .. })), "{late:?}");
    let guess = Plan {
        speculative: true,
        ..fine.clone()
    };
    assert_eq!(look(&guess, app, before), Err(Refusal::Speculative));
    let (mut other, mut elsewhere) = (app.clone(), app.clone());
    other.id = AppId::parse("another-app").unwrap();
    elsewhere.api_url = ApiUrl::parse("https://elsewhere.example").unwrap();
    let other = look(&fine, &other, before);
    assert!(matches!(other, Err(Refusal::OtherApp { .. })), "{other:?}");
    let elsewhere = look(&fine, &elsewhere, before);
    assert!(
        matches!(elsewhere, Err(Refusal::OtherAddress { .. })),
        "{elsewhere:?}"
    );
    // What the plan calls added by the provider is for the project to say.
    let mut added = fine.clone();
    for change in &mut added.app.changes {
        change.scopes.provider_added = std::mem::take(&mut change.scopes.removed);
    }
    let added = look(&added, app, before);
    assert!(
        matches!(added, Err(Refusal::Incoherent { .. })),
        "{added:?}"
    );
}

/// What was approved is to take a sandbox away.
#[test]
fn an_installation_that_is_live_by_now_is_another_one() {
    let [sandbox, live] = [StripeMode::Sandbox, StripeMode::Live].map(RemoteConnector::stripe);
    let remove = change("stripe", Some(sandbox.clone()), None);
    assert_eq!(look(&remove, Some(sandbox), None), Ok(false));
    assert_eq!(look(&remove, Some(live), None), Err(vec!["mode"]));
}

#[test]
fn a_scope_that_a_server_reads_as_several_is_refused_before_a_look() {
    for (connector, scope, fine) in [
        ("slack", "a", true),
        ("slack", "a b", false),
        ("slack", "a\tb", false),
        ("slack", "a\u{1f}b", false),
        ("slack", "a\0", false),
        ("slack", "a\u{7}", true),
        ("slack", "", false),
        ("slack", "a,b", false),
        ("github", "user,admin:org", false),
        ("notion", "a,b", true),
        ("wrike", "a,b", false),
        ("new_type", "a,b", false),
    ] {
        let mut create = change(connector, None, Some("a"));
        create.after = Some(Desired {
            scopes: [scope].into_iter().collect(),
            ..Desired::default()
        });
        let plan = Plan::of(vec![create]);
        let said = belongs(&plan, &plan.app.app, Timestamp::UNIX_EPOCH);
        assert_eq!(said.is_ok(), fine, "{scope:?}: {said:?}");
    }
}

#[test]
fn connection_values_that_moved_are_seen_where_both_are_known() {
    let with = |values: Option<&[(&str, &str)]>| RemoteConnector {
        connection_config: values.map(|values| {
            let owned = values
                .iter()
                .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
            SavedValue::told(owned.collect())
        }),
        ..active("a")
    };
    let name = ConnectorType::parse("slack").unwrap();
    let rules = ScopeEquivalence::default();
    let one: Option<&[_]> = Some(&[("shop", "x")]);
    for (was, is, moved) in [
        (one, one, 0),
        (one, Some(&[("shop", "y")][..]), 1),
        (one, Some(&[][..]), 1),
        (one, None, 0),
        (None, one, 0),
    ] {
        let (was, is) = (with(was), with(is));
        let found = field_differences(&name, Some(&was), Some(&is), None, &rules);
        assert_eq!(found.len(), moved, "{was:?} {is:?}");
    }
}

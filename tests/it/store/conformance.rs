//! What every store does.

use std::{io::BufRead, sync::Arc, time::Duration};

use connplan::{
    diff::Action,
    model::{ConnectorType, Scopes},
    plan::Digest,
    store::{
        Fence, HistoryEvent, Key, LeaseError, Outbox, Store, StoreError, Swap, Swapped, Version,
        Wait, What,
    },
};
use jiff::Timestamp;

use super::places::{GitPlace, LocalPlace, Maker, by, memory};
use crate::git::repository::wait;

fn key(text: &str) -> Key {
    Key::parse(text).unwrap()
}

fn change(name: &str, from: Option<&Version>, to: &str) -> Swap {
    Swap {
        key: key(name),
        from: from.cloned(),
        to: to.to_owned().into(),
        note: String::new(),
    }
}

pub(super) fn digest(n: u8) -> Digest {
    Digest::parse(&format!("{n:02x}").repeat(32)).unwrap()
}

fn slack() -> ConnectorType {
    ConnectorType::parse("slack").unwrap()
}

pub(super) fn a_wait(connector: &str, digest: &Digest) -> Wait {
    Wait {
        connector: ConnectorType::parse(connector).unwrap(),
        entry: connplan::pending::PendingEntry {
            action: Action::Create,
            since: Timestamp::from_second(1_000_000).unwrap(),
            scopes: Scopes::default(),
            plan_digest: Some(digest.clone()),
            before: None,
            account: None,
            connection_id: None,
            missing: Scopes::default(),
            dropped_by_platform: false,
            connection_config: std::collections::BTreeMap::new(),
            overrides: std::collections::BTreeMap::new(),
            asked_under: None,
            folder: None,
        },
        by: by("ada"),
        epoch: 0,
    }
}

/// The primitive.
async fn swaps(one: &dyn Store, two: &dyn Store) {
    assert_eq!(one.read(&key("a/b")).await.unwrap(), None);
    assert!(one.read_all("a").await.unwrap().is_empty());
    let first = [change("a/b", None, "1")];
    assert_eq!(one.swap(&first).await.unwrap(), Swapped::Done);
    let there = two.read(&key("a/b")).await.unwrap().unwrap();
    assert_eq!(there.bytes, b"1");
    // It is there already.
    let again = [change("a/b", None, "2")];
    assert_eq!(two.swap(&again).await.unwrap(), Swapped::Moved);
    let second = [
        change("a/b", Some(&there.version), "2"),
        change("a/c", None, "3"),
    ];
    assert_eq!(two.swap(&second).await.unwrap(), Swapped::Done);
    // One of them saw what is no more.
    let late = [change("a/b", Some(&there.version), "late")];
    assert_eq!(one.swap(&late).await.unwrap(), Swapped::Moved);
    let all = one.read_all("a").await.unwrap();
    let all: Vec<_> = all
        .iter()
        .map(|(key, value)| (key.as_str(), value.bytes.as_slice()))
        .collect();
    assert_eq!(all, [("a/b", b"2".as_slice()), ("a/c", b"3")]);
    one.remove(&[key("a/c"), key("a/none")]).await.unwrap();
    assert_eq!(two.read_all("a").await.unwrap().len(), 1);
    assert!(one.read_all("other").await.unwrap().is_empty());
    // What nobody could read again is not written, nor what would go with it.
    let too_large = Swap {
        to: vec![0; (64 << 20) + 1].into(),
        ..change("d/f", None, "")
    };
    let refused = one.swap(&[change("d/e", None, "1"), too_large]).await;
    assert!(
        matches!(
            refused,
            Err(StoreError::TooLarge {
                size: 67_108_865,
                ..
            })
        ),
        "{refused:?}"
    );
    assert!(two.read_all("d").await.unwrap().is_empty());
}

/// The types on top.
async fn remembers(one: Arc<dyn Store>, two: Arc<dyn Store>) {
    let (ada, bob) = (memory(one, "ada"), memory(two, "bob"));
    let plan = digest(1);
    assert!(matches!(
        bob.plan(&plan).await,
        Err(StoreError::NoPlan { .. })
    ));
    ada.keep_plan(&plan, &"a plan".into()).await.unwrap();
    ada.keep_plan(&plan, &"a plan, again".into()).await.unwrap();
    assert!(bob.plan(&plan).await.unwrap().text.starts_with("a plan"));
    bob.keep_approval(&plan, "signed").await.unwrap();
    assert_eq!(ada.approvals(&plan).await.unwrap(), ["signed"]);
    assert!(ada.approvals(&digest(2)).await.unwrap().is_empty());

    let applied = HistoryEvent::now(
        by("ada"),
        1,
        What::Apply(plan.clone(), "receipt".to_owned()),
    );
    let waits = [a_wait("slack", &plan), a_wait("gmail", &plan)];
    ada.record_with(&applied, &waits, &[]).await.unwrap();
    // Delivered twice, it is there once.
    ada.record_with(&applied, &waits, &[]).await.unwrap();
    assert_eq!(bob.waits().await.unwrap().iter().count(), 2);
    let consent = HistoryEvent::now(by("bob"), 1, What::Consent(Vec::new()));
    bob.record_with(&consent, &[], &[slack()]).await.unwrap();
    let left = ada.waits().await.unwrap();
    assert_eq!(left.iter().count(), 1);
    assert!(left.get(&slack()).is_none());

    let (events, unread) = bob.history().await.unwrap();
    assert!(unread.is_empty());
    let kinds: Vec<_> = events.iter().map(|event| event.what.kind()).collect();
    let count = |kind| kinds.iter().filter(|k| **k == kind).count();
    assert_eq!(
        (
            count("plan"),
            count("approval"),
            count("apply"),
            count("consent")
        ),
        (2, 1, 1, 1)
    );

    // What somebody waits for stays, and the newest apply.
    let later = Timestamp::now() + jiff::Span::new().hours(1);
    ada.expire(later, |_| std::collections::BTreeSet::new())
        .await
        .unwrap();
    assert!(bob.plan(&plan).await.is_ok());
    let kept = bob.waits().await.unwrap();
    assert!(kept.gone().is_some_and(|until| until < later));
    assert_eq!(kept.iter().count(), 1);
    assert!(
        bob.history()
            .await
            .unwrap()
            .0
            .iter()
            .any(|event| event.what.kind() == "apply")
    );
}

/// The lease.
async fn leases(one: Arc<dyn Store>, two: Arc<dyn Store>) {
    let (ada, bob) = (memory(one, "ada"), memory(two, "bob"));
    let minute = Duration::from_mins(1);
    let quiet = |_: &str| ();
    let first = ada
        .lease("apply", minute, Duration::ZERO, &Fence::default(), quiet)
        .await
        .unwrap();
    assert_eq!(first.epoch(), 1);
    let refused = bob
        .lease("apply", minute, Duration::ZERO, &Fence::default(), quiet)
        .await
        .unwrap_err();
    assert!(matches!(refused, LeaseError::Held { .. }));
    assert!(
        refused
            .to_string()
            .contains("ada started `connplan apply` "),
        "{refused}"
    );
    first.check().await.unwrap();
    first.renew().await.unwrap();
    first.check().await.unwrap();
    assert!(first.fence().allows(Duration::from_secs(30)));
    assert!(!first.fence().allows(minute));
    first.give_back().await.unwrap();
    assert!(!first.fence().allows(Duration::ZERO));

    let second = bob
        .lease("push", minute, Duration::ZERO, &Fence::default(), quiet)
        .await
        .unwrap();
    assert_eq!(second.epoch(), 2);
    assert!(matches!(first.renew().await, Err(LeaseError::Lost { .. })));
    second.check().await.unwrap();

    // Ended by hand, its holder goes no further.
    let seen = ada.leased().await.unwrap();
    assert!(ada.unlock(&seen).await.unwrap());
    assert!(!ada.unlock(&seen).await.unwrap());
    assert!(matches!(second.check().await, Err(LeaseError::Lost { .. })));
    assert!(!second.fence().allows(Duration::ZERO));
    let third = ada
        .lease("apply", minute, Duration::ZERO, &Fence::default(), quiet)
        .await
        .unwrap();
    assert!(third.epoch() > 3);
}

/// What could not be told is told with the next command.
async fn delivers(one: Arc<dyn Store>, folder: &std::path::Path) {
    let ada = memory(one, "ada");
    let outbox = Outbox::at(&folder.join("outbox"));
    assert!(outbox.is_empty().unwrap());
    let plan = digest(9);
    let event = HistoryEvent::now(
        by("ada"),
        7,
        What::Apply(plan.clone(), "receipt".to_owned()),
    );
    outbox
        .put(&ada, &event, &[a_wait("notion", &plan)], &[])
        .unwrap();
    assert!(!outbox.is_empty().unwrap());
    assert_eq!(
        outbox.deliver(&ada, &super::places::app()).await.unwrap(),
        1
    );
    assert_eq!(
        outbox.deliver(&ada, &super::places::app()).await.unwrap(),
        0
    );
    assert!(outbox.is_empty().unwrap());
    assert!(
        ada.waits()
            .await
            .unwrap()
            .iter()
            .any(|wait| wait.connector.as_str() == "notion")
    );
}

pub(super) fn suite(place: &dyn Maker) {
    let folder = crate::support::folder();
    let (one, two) = (place.open("one"), place.open("two"));
    wait(async {
        swaps(&*one, &*two).await;
        remembers(Arc::clone(&one), Arc::clone(&two)).await;
        leases(Arc::clone(&one), Arc::clone(&two)).await;
        delivers(one, folder.path()).await;
    });
}

/// Many write at once: everything is there, and each update of one value counts.
pub(super) fn race(place: &(dyn Maker + Sync), writers: usize) {
    let each = |number: usize| {
        let store = place.open(&format!("w{number}"));
        wait(async {
            let ada = memory(Arc::clone(&store), "ada");
            let plan = digest(u8::try_from(number).unwrap());
            let mut busy = 0;
            // A busy store says so, and has written nothing.
            while let Err(e) = ada.keep_plan(&plan, &"a plan".into()).await {
                assert!(e.is_passing() && busy < 20, "{e}");
                busy += 1;
            }
            let counter = key("waits-counter");
            loop {
                let there = store.read(&counter).await.unwrap();
                let count = there
                    .as_ref()
                    .map_or(0, |value| value.bytes.lines().count());
                let mut to = there
                    .as_ref()
                    .map(|value| value.bytes.clone())
                    .unwrap_or_default();
                to.extend(format!("{number} after {count}\n").into_bytes());
                let from = there.map(|value| value.version);
                match store
                    .swap(&[Swap {
                        key: counter.clone(),
                        from,
                        to: to.into(),
                        note: String::new(),
                    }])
                    .await
                {
                    Ok(Swapped::Done) => break,
                    Ok(Swapped::Moved) => {}
                    Err(e) if e.is_passing() && busy < 20 => busy += 1,
                    Err(e) => panic!("{e}"),
                }
            }
        });
    };
    std::thread::scope(|scope| {
        for number in 0..writers {
            scope.spawn(move || each(number));
        }
    });
    let store = place.open("after");
    wait(async {
        let value = store.read(&key("waits-counter")).await.unwrap().unwrap();
        let text = String::from_utf8(value.bytes).unwrap();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len(), writers, "an update was lost:\n{text}");
        for (index, line) in lines.iter().enumerate() {
            assert!(line.ends_with(&format!(" after {index}")), "{text}");
        }
        assert_eq!(store.read_all("plans").await.unwrap().len(), writers);
    });
}

#[test]
fn this_machine() {
    suite(&LocalPlace::new());
    race(&LocalPlace::new(), 64);
}

#[test]
#[ignore = "needs git remotes: run by .ci/run"]
fn a_git_remote() {
    suite(&GitPlace::new());
}

#[test]
#[ignore = "needs git remotes: run by .ci/run"]
fn a_git_remote_with_racing_writers() {
    race(&GitPlace::new(), 4);
}

#[test]
#[ignore = "64 writers on one ref take minutes"]
fn a_git_remote_with_64_racing_writers() {
    race(&GitPlace::new(), 64);
}

//! The laws, whatever gets lost: no update is lost, one holder at a time, no epoch comes back.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use connplan::store::{Fence, HistoryEvent, LeaseError, What};
use proptest::prelude::*;

use super::{
    conformance::{a_wait, digest},
    faulty::{Fault, Faulty, Shelf},
    places::{by, memory},
};
use crate::git::repository::wait;

fn fault() -> impl Strategy<Value = Fault> {
    prop_oneof![
        5 => Just(Fault::None),
        1 => Just(Fault::Before),
        1 => Just(Fault::After),
        2 => (0..30_u64).prop_map(Fault::Late),
    ]
}

fn scripts() -> impl Strategy<Value = Vec<Vec<Fault>>> {
    prop::collection::vec(prop::collection::vec(fault(), 0..24), 2..5)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Each machine takes the lease, works within its fence, renews or crashes or sleeps too long.
    #[test]
    fn at_most_one_holder_and_no_epoch_twice(scripts in scripts(), crashes in any::<u8>()) {
        let shelf = Arc::new(Shelf::default());
        // When somebody was sure to be alone, and with which epoch.
        let held: Mutex<Vec<(Instant, Instant, u64)>> = Mutex::default();
        wait(async {
            let machines = scripts.into_iter().enumerate().map(|(number, script)| {
                let ada = memory(Arc::new(Faulty::new(&shelf, script)), "ada");
                let held = &held;
                async move {
                    for turn in 0..2 {
                        let length = Duration::from_millis(60);
                        let patience = Duration::from_millis(300);
                        let Ok(lease) = ada.lease("apply", length, patience, &Fence::default(), |_| ()).await else {
                            continue;
                        };
                        let start = Instant::now();
                        let crash = crashes & (1 << ((number * 2 + turn) % 8)) != 0;
                        tokio::time::sleep(Duration::from_millis(5)).await;
                        if lease.renew().await.is_ok() {
                            tokio::time::sleep(Duration::from_millis(5)).await;
                        }
                        // No request starts after its fence: so long was it alone.
                        let alone = lease.fence().left().unwrap_or_default();
                        if !alone.is_zero() {
                            held.lock().unwrap().push((start, Instant::now(), lease.epoch()));
                        }
                        if !crash {
                            let _ = lease.give_back().await;
                        }
                    }
                }
            });
            futures_util::future::join_all(machines).await;
        });
        let mut held = held.into_inner().unwrap();
        held.sort();
        for pair in held.windows(2) {
            prop_assert!(pair[0].1 <= pair[1].0, "two at once: {held:?}");
            prop_assert!(pair[0].2 < pair[1].2, "an epoch came back: {held:?}");
        }
    }

    /// What somebody was told is kept is kept, once.
    #[test]
    fn no_update_is_lost(scripts in scripts()) {
        let shelf = Arc::new(Shelf::default());
        let told: Mutex<Vec<String>> = Mutex::default();
        let names = ["slack", "gmail", "notion", "github"];
        wait(async {
            let machines = scripts.into_iter().enumerate().map(|(number, script)| {
                let ada = memory(Arc::new(Faulty::new(&shelf, script)), "ada");
                let told = &told;
                async move {
                    let plan = digest(u8::try_from(number).unwrap());
                    let event = HistoryEvent::now(by("ada"), 0, What::Apply(plan.clone(), String::new()));
                    // Delivered again until somebody takes it, as with a command after a command.
                    for _ in 0..40 {
                        if ada.record_with(&event, &[a_wait(names[number], &plan)], &[]).await.is_ok() {
                            told.lock().unwrap().push(names[number].to_owned());
                            break;
                        }
                    }
                }
            });
            futures_util::future::join_all(machines).await;
        });
        let told = told.into_inner().unwrap();
        let after = memory(Arc::new(Faulty::new(&shelf, [])), "after");
        let (waits, events) = wait(async {
            (after.waits().await.unwrap(), after.history().await.unwrap().0)
        });
        prop_assert_eq!(events.len(), told.len());
        for name in &told {
            prop_assert!(waits.iter().any(|wait| wait.connector.as_str() == name), "{name} is lost");
        }
    }
}

/// A holder that stood still for longer than its lease does not go on.
#[test]
fn who_slept_does_not_go_on() {
    let shelf = Arc::new(Shelf::default());
    let ada = memory(Arc::new(Faulty::new(&shelf, [])), "ada");
    wait(async {
        let leased = async |length| {
            let fence = Fence::default();
            let lease = ada.lease("apply", length, Duration::ZERO, &fence, |_| ());
            lease.await.unwrap()
        };
        let hour = Duration::from_hours(1);
        let lease = leased(hour).await;
        assert!(lease.fence().allows(Duration::ZERO));
        assert!(
            !lease.fence().allows(hour),
            "a request of that length would end too late"
        );
        lease.give_back().await.unwrap();
        let lease = leased(Duration::from_millis(50)).await;
        // It stands still: nothing renews the lease meanwhile.
        std::thread::sleep(Duration::from_millis(60));
        assert!(!lease.fence().allows(Duration::ZERO));
        assert!(matches!(lease.check().await, Err(LeaseError::Lost { .. })));
    });
}

//! The sliding windows of one address, as values. Pure: the time is given.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model;

/// A class of call that the platform allows so often in a minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaceClass {
    /// Listing the connectors.
    List,
    /// How one authorization stands.
    Status,
    /// A connector's connection values.
    Fields,
    /// Connector policies.
    Policies,
    /// What the platform offers.
    Catalogue,
    /// Removing and disconnecting.
    Remove,
    /// Everything that changes something else; no limit is documented, and it may have one.
    Write,
}

impl PaceClass {
    /// How many in a minute the platform documents, before the subscription's multiplier.
    pub fn documented(self) -> Option<u32> {
        match self {
            Self::List | Self::Policies | Self::Catalogue => Some(60),
            Self::Status => Some(70),
            Self::Fields => Some(150),
            Self::Remove => Some(10),
            Self::Write => None,
        }
    }

    /// Its calls in words: `10 removals a minute`.
    pub fn words(self) -> &'static str {
        match self {
            Self::List => "lists of connectors",
            Self::Status => "looks at authorizations",
            Self::Fields => "looks at connection values",
            Self::Policies => "looks at policies",
            Self::Catalogue => "lists of integrations",
            Self::Remove => "removals",
            Self::Write => "changes",
        }
    }
}

/// How long a limit that was learned from a refusal is believed, in windows.
const BELIEVED: u64 = 10;
/// The calls of one class.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Window {
    /// When they were answered, or were sent if they are under way; sorted.
    calls: Vec<u64>,
    /// The server asked for silence until then.
    silent_until: u64,
    /// What turned out to be the limit, and until when that is believed.
    learned: Option<(u32, u64)>,
}

/// All classes.
pub(super) type Windows = BTreeMap<PaceClass, Window>;

impl Window {
    fn forget(&mut self, now: u64, minute: u64) {
        // A clock that was set back leaves times of the future: they count as now.
        for call in &mut self.calls {
            *call = (*call).min(now);
        }
        self.calls.retain(|call| now - call < minute);
        self.silent_until = self.silent_until.min(now + 10 * minute);
        self.learned = self.learned.filter(|(_, until)| now < *until);
    }

    fn limit(&self, allowed: Option<u32>) -> usize {
        let learned = self.learned.map(|(limit, _)| limit);
        let limit = match (allowed, learned) {
            (Some(allowed), Some(learned)) => allowed.min(learned),
            (Some(one), None) | (None, Some(one)) => one,
            (None, None) => return usize::MAX,
        };
        limit.max(1) as usize
    }

    /// Counts a call made now, or says how many milliseconds it has to wait.
    pub(super) fn take(&mut self, allowed: Option<u32>, now: u64, minute: u64) -> Result<(), u64> {
        self.forget(now, minute);
        if now < self.silent_until {
            return Err(self.silent_until - now);
        }
        let limit = self.limit(allowed);
        if self.calls.len() >= limit {
            let first = self.calls.len() - limit;
            let first = self.calls.get(first).copied().unwrap_or(now);
            return Err((first + minute).saturating_sub(now).max(1));
        }
        if limit < usize::MAX {
            self.calls.push(now);
        }
        Ok(())
    }

    /// The call that was counted at `sent` was answered now: the server saw it no later.
    pub(super) fn answered(&mut self, sent: u64, now: u64) {
        if let Some(place) = self.calls.iter().position(|call| *call == sent) {
            self.calls.remove(place);
            self.calls.push(now.max(sent));
            model::sort(&mut self.calls, Ord::cmp);
        }
    }

    /// The server refused a call for being one too many.
    pub(super) fn refused(&mut self, wait: u64, allowed: Option<u32>, now: u64, minute: u64) {
        self.forget(now, minute);
        self.silent_until = self.silent_until.max(now + wait);
        if allowed.is_none() {
            return;
        }
        // The one that was refused counts for nothing.
        self.calls.pop();
        let passed = self.calls.len();
        let limit = self.limit(allowed);
        // Of a few calls nothing can be learnt: somebody else uses the same allowance.
        if passed < limit && passed >= (limit / 10).max(2) {
            // It is smaller than was thought.
            let limit = u32::try_from(passed).unwrap_or(u32::MAX).max(1);
            self.learned = Some((limit, now + BELIEVED * minute));
        }
    }

    /// How many calls can be made right now.
    pub(super) fn allowed_now(&mut self, allowed: Option<u32>, now: u64, minute: u64) -> usize {
        self.forget(now, minute);
        if now < self.silent_until {
            return 0;
        }
        self.limit(allowed).saturating_sub(self.calls.len())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MINUTE: u64 = 60_000;

    #[test]
    fn ten_then_a_wait_and_no_burst() {
        let mut window = Window::default();
        for n in 0..10 {
            assert_eq!(window.take(Some(10), n * 100, MINUTE), Ok(()));
        }
        assert_eq!(window.take(Some(10), 2000, MINUTE), Err(58_000));
        window.answered(0, 500);
        assert_eq!(window.take(Some(10), 60_000, MINUTE), Err(100));
        assert_eq!(window.take(Some(10), 60_100, MINUTE), Ok(()));
        assert_eq!(window.allowed_now(Some(20), 60_100, MINUTE), 10);
    }

    #[test]
    fn a_refusal_silences_and_teaches() {
        let mut window = Window::default();
        for _ in 0..5 {
            window.take(Some(20), 0, MINUTE).unwrap();
        }
        window.refused(3000, Some(20), 0, MINUTE);
        assert_eq!(window.take(Some(20), 1000, MINUTE), Err(2000));
        assert_eq!(window.take(Some(20), 60_000, MINUTE), Ok(()));
        assert_eq!(
            window.allowed_now(Some(20), 60_000, MINUTE),
            3,
            "four were let through"
        );
        assert_eq!(
            window.allowed_now(Some(20), 11 * MINUTE, MINUTE),
            20,
            "believed for a while"
        );
    }

    #[test]
    fn what_others_use_up_is_waited_for_as_long_as_the_server_says() {
        let mut window = Window::default();
        window.take(Some(60), 0, MINUTE).unwrap();
        window.refused(3000, Some(60), 0, MINUTE);
        assert_eq!(window.take(Some(60), 1000, MINUTE), Err(2000));
        assert_eq!(window.take(Some(60), 3000, MINUTE), Ok(()));
        assert_eq!(window.allowed_now(Some(60), 3000, MINUTE), 59);
    }

    #[test]
    fn a_clock_that_is_set_back_blocks_nothing_for_long() {
        let mut window = Window::default();
        window.take(Some(1), 1_000_000, MINUTE).unwrap();
        let wait = window.take(Some(1), 0, MINUTE).unwrap_err();
        assert!(wait <= MINUTE, "{wait}");
    }

    proptest! {
        /// Whatever the times: in no minute there are more than allowed, whenever between sending
        /// and answer the server counted a call.
        #[test]
        fn no_minute_has_more(
            steps in prop::collection::vec((0_u64..20_000, 0_u64..3000), 1..80),
            limit in 1_u32..12,
        ) {
            let (mut window, mut now) = (Window::default(), 0);
            let mut seen: Vec<(u64, u64)> = Vec::new();
            for (pause, took) in steps {
                now += pause;
                while let Err(wait) = window.take(Some(limit), now, MINUTE) {
                    now += wait;
                }
                let sent = now;
                now += took;
                window.answered(sent, now);
                seen.push((sent, now));
            }
            for (n, (sent, _)) in seen.iter().enumerate().skip(limit as usize) {
                let (_, earlier) = seen[n - limit as usize];
                prop_assert!(sent - earlier >= MINUTE, "{sent} after {earlier}");
            }
        }
    }
}

//! The platform's limits: for each class of call, so many in any minute. All callers share them.

use std::{
    collections::{BTreeMap, VecDeque},
    num::NonZeroU32,
    sync::{Mutex, PoisonError},
};

use axum::http::Method;

/// The window.
const MINUTE_MS: i64 = 60_000;

/// A class of call, with a limit of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Class {
    List,
    Status,
    Fields,
    Policies,
    Catalogue,
    Disconnect,
    Remove,
    /// Nothing is known of a limit.
    Other,
    /// Needs no credentials.
    Public,
}

impl Class {
    pub(super) fn of(method: &Method, path: &str) -> Self {
        let connectors = path.split_once("/external-auth/").map(|(_, rest)| rest);
        match connectors {
            Some("list") => Self::List,
            Some("status") => Self::Status,
            Some("connector-governance") => Self::Policies,
            Some("available-integrations") => Self::Catalogue,
            Some("auto-added-scopes") => Self::Public,
            Some(rest) if rest.starts_with("connection-config/") => Self::Fields,
            Some(rest) if method == Method::DELETE && rest.ends_with("/remove") => Self::Remove,
            Some(_) if method == Method::DELETE => Self::Disconnect,
            _ => Self::Other,
        }
    }

    /// How many in a minute, before the multiplier.
    fn limit(self) -> Option<u32> {
        match self {
            Self::List | Self::Policies | Self::Catalogue => Some(60),
            Self::Status => Some(70),
            Self::Fields => Some(150),
            Self::Disconnect | Self::Remove => Some(10),
            Self::Other | Self::Public => None,
        }
    }
}

/// When calls were let through, by class.
#[derive(Default)]
pub(super) struct LimitsLog(Mutex<BTreeMap<Class, VecDeque<i64>>>);

impl LimitsLog {
    /// Lets a call through and counts it, or says how many milliseconds it has to wait.
    pub(super) fn take(&self, class: Class, multiplier: NonZeroU32, now_ms: i64) -> Option<i64> {
        let limit = class.limit()?.saturating_mul(multiplier.get());
        let mut log = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let calls = log.entry(class).or_default();
        while calls.front().is_some_and(|at| now_ms - at >= MINUTE_MS) {
            calls.pop_front();
        }
        if calls.len() < limit as usize {
            calls.push_back(now_ms);
            return None;
        }
        calls.front().map(|first| first + MINUTE_MS - now_ms)
    }
}

/// A `Retry-After` of whole seconds on the caller's clock, where the sandbox's runs `speed` times as
/// fast.
pub(super) fn wait_seconds(wait_ms: i64, speed: u32) -> u32 {
    let real = wait_ms
        .max(1)
        .unsigned_abs()
        .div_ceil(u64::from(speed.max(1)));
    u32::try_from(real.div_ceil(1000)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_endpoint_has_its_class() {
        let of = |method: Method, rest: &str| {
            Class::of(&method, &format!("/api/apps/a/external-auth/{rest}"))
        };
        assert_eq!(of(Method::GET, "list"), Class::List);
        assert_eq!(
            of(Method::GET, "connection-config/snowflake"),
            Class::Fields
        );
        assert_eq!(
            of(Method::DELETE, "integrations/slack/remove"),
            Class::Remove
        );
        assert_eq!(of(Method::DELETE, "integrations/slack"), Class::Disconnect);
        assert_eq!(of(Method::PUT, "integrations/slack"), Class::Other);
    }

    #[test]
    fn the_window_slides() {
        let (log, one) = (LimitsLog::default(), NonZeroU32::MIN);
        for n in 0..10 {
            assert_eq!(log.take(Class::Remove, one, n * 100), None);
        }
        assert_eq!(log.take(Class::Remove, one, 1000), Some(59_000));
        assert_eq!(log.take(Class::Disconnect, one, 1000), None, "its own");
        assert_eq!(log.take(Class::Remove, one, 60_000), None);
        assert_eq!(log.take(Class::Remove, one, 60_001), Some(99), "no burst");
        let two = NonZeroU32::new(2).unwrap();
        assert_eq!(log.take(Class::Remove, two, 60_001), None);
        assert_eq!(wait_seconds(59_000, 1), 59);
        assert_eq!(wait_seconds(59_000, 60), 1);
    }
}

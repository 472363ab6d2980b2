//! Whether, and after how long, a call is made again. Pure, but for [`chance`].

use std::time::Duration;

use uuid::Uuid;

use super::ClientOptions;

/// What a call does, which decides how it may be repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallClass {
    /// It changes nothing.
    Read,
    /// It changes something, and doing so twice is the same as once (PUT, DELETE).
    RepeatableWrite,
    /// It changes something; when it is not clear whether it did, look before doing it again.
    CheckFirst,
}

/// How an attempt ended without an answer that could be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The request did not reach the server.
    NotSent,
    /// The request may have reached the server; the answer did not reach us.
    NoAnswer,
    /// An answer with a status other than success.
    Status(u16),
    /// An answer, or an obstacle, that would be the same again.
    Final {
        /// Whether the server may have done what was asked.
        unclear: bool,
    },
}

/// What to do after a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RetryDecision {
    /// Make the call again.
    Again,
    /// Find out first whether it took effect.
    Check,
    /// Give up.
    Stop,
}

impl Fault {
    /// Whether the server may have done what was asked.
    pub(crate) fn is_unclear(self) -> bool {
        match self {
            Self::NotSent => false,
            Self::NoAnswer => true,
            Self::Status(status) => status == 408 || status >= 500,
            Self::Final { unclear } => unclear,
        }
    }

    fn may_pass(self) -> bool {
        match self {
            Self::NotSent | Self::NoAnswer => true,
            Self::Status(status) => matches!(status, 408 | 425 | 429 | 500..=599),
            Self::Final { .. } => false,
        }
    }
}

impl CallClass {
    /// What this kind of call does after that fault.
    pub(crate) fn verdict(self, fault: Fault) -> RetryDecision {
        match self {
            _ if !fault.may_pass() => RetryDecision::Stop,
            Self::CheckFirst if fault.is_unclear() => RetryDecision::Check,
            Self::Read | Self::RepeatableWrite | Self::CheckFirst => RetryDecision::Again,
        }
    }
}

/// How long to wait before attempt `next` (the first repetition is 1), `None` to give up. `chance`
/// is anything random; `left` is the time until the command's deadline.
pub(crate) fn pause(
    options: &ClientOptions,
    next: u32,
    retry_after: Option<Duration>,
    left: Option<Duration>,
    chance: u16,
) -> Option<Duration> {
    if next > options.retries {
        return None;
    }
    let doubled = options.backoff_base.saturating_mul(1 << (next - 1).min(16));
    let whole = doubled.min(options.backoff_cap);
    // Half of it for sure, the rest by chance, so that many clients do not come back at once.
    let own = whole / 2 + whole.mul_f64(f64::from(chance) / f64::from(u16::MAX) / 2.0);
    let pause = match retry_after {
        Some(asked) if asked > options.retry_after_limit => return None,
        Some(asked) => asked.max(own),
        None => own,
    };
    left.is_none_or(|left| pause < left).then_some(pause)
}

/// Waits before a call is made again; `false` if the run is interrupted meanwhile.
pub(crate) async fn waited(options: &ClientOptions, pause: Duration) -> bool {
    tokio::select! {
        biased;
        () = options.cancel.cancelled() => false,
        () = tokio::time::sleep(pause) => true,
    }
}

/// Something random for [`pause`].
pub(crate) fn chance() -> u16 {
    // A random UUID's first bytes are random.
    let [a, b, ..] = *Uuid::new_v4().as_bytes();
    u16::from_be_bytes([a, b])
}

/// Reads `Retry-After`: seconds, or an HTTP date. `now` is in milliseconds since the Unix epoch.
pub(crate) fn retry_after(value: &str, now: u64) -> Option<Duration> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit()) {
        // More digits than a number holds is "very long".
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::MAX)));
    }
    let at = http_date(value)?;
    let at = u64::try_from(at.as_millisecond()).ok()?;
    Some(Duration::from_millis(at.saturating_sub(now)))
}

/// What time it is by the server's clock, from the `Date` of its answer; `own` without one. Its
/// dates are by that clock, and ours may be wrong. In milliseconds since the Unix epoch.
pub(crate) fn server_now(date: Option<&str>, own: u64) -> u64 {
    let date = date.and_then(http_date);
    let date = date.and_then(|date| u64::try_from(date.as_millisecond()).ok());
    date.unwrap_or(own)
}

/// The time in a `Date` header.
pub(crate) fn http_date(value: &str) -> Option<jiff::Timestamp> {
    Some(jiff::fmt::rfc2822::parse(value.trim()).ok()?.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status() {
        for status in 100..=599 {
            let fault = Fault::Status(status);
            let passing = matches!(status, 408 | 425 | 429) || status >= 500;
            let repeated = if passing {
                RetryDecision::Again
            } else {
                RetryDecision::Stop
            };
            assert_eq!(CallClass::Read.verdict(fault), repeated, "{status}");
            assert_eq!(
                CallClass::RepeatableWrite.verdict(fault),
                repeated,
                "{status}"
            );
            let checked = match status {
                425 | 429 => RetryDecision::Again,
                408 | 500.. => RetryDecision::Check,
                _ => RetryDecision::Stop,
            };
            assert_eq!(CallClass::CheckFirst.verdict(fault), checked, "{status}");
        }
    }

    #[test]
    fn a_call_that_may_have_been_done_is_looked_up_first() {
        assert_eq!(
            CallClass::CheckFirst.verdict(Fault::NotSent),
            RetryDecision::Again
        );
        assert_eq!(
            CallClass::CheckFirst.verdict(Fault::NoAnswer),
            RetryDecision::Check
        );
        assert_eq!(
            CallClass::RepeatableWrite.verdict(Fault::NoAnswer),
            RetryDecision::Again
        );
        for unclear in [true, false] {
            let fault = Fault::Final { unclear };
            assert_eq!(CallClass::Read.verdict(fault), RetryDecision::Stop);
        }
    }

    #[test]
    fn pauses_double_vary_and_end() {
        let options = ClientOptions::default();
        let at = |next, chance| pause(&options, next, None, None, chance);
        assert_eq!(at(1, 0), Some(Duration::from_millis(150)));
        assert_eq!(at(1, u16::MAX), Some(Duration::from_millis(300)));
        assert_eq!(at(2, u16::MAX), Some(Duration::from_millis(600)));
        assert_eq!(at(4, 0), None);
        let patient = ClientOptions {
            retries: 100,
            ..ClientOptions::default()
        };
        assert_eq!(
            pause(&patient, 90, None, None, u16::MAX),
            Some(patient.backoff_cap)
        );
    }

    #[tokio::test]
    async fn an_interrupted_run_waits_for_nothing() {
        let options = ClientOptions::default();
        assert!(waited(&options, Duration::ZERO).await);
        options.cancel.cancel();
        assert!(!waited(&options, Duration::from_hours(1)).await);
    }

    #[test]
    fn the_server_may_ask_for_more_time_within_limits() {
        let options = ClientOptions::default();
        let after = |asked: u64, left: Option<u64>| {
            let left = left.map(Duration::from_secs);
            pause(&options, 1, Some(Duration::from_secs(asked)), left, 0)
        };
        assert_eq!(after(7, None), Some(Duration::from_secs(7)));
        assert_eq!(after(0, None), Some(Duration::from_millis(150)));
        assert_eq!(after(61, None), None);
        assert_eq!(after(7, Some(7)), None, "no time left to try again");
    }

    #[test]
    fn a_date_is_by_the_servers_clock() {
        let hour_slow = 784_111_777_000 - 3_600_000;
        let now = server_now(Some("Sun, 06 Nov 1994 08:49:37 GMT"), hour_slow);
        assert_eq!(
            retry_after("Sun, 06 Nov 1994 08:49:40 GMT", now),
            Some(Duration::from_secs(3))
        );
        assert_eq!(server_now(None, hour_slow), hour_slow);
        assert_eq!(server_now(Some("noon"), hour_slow), hour_slow);
    }

    #[test]
    fn retry_after_in_seconds_and_as_a_date() {
        let now = 784_111_777_000; // Sun, 06 Nov 1994 08:49:37 GMT
        assert_eq!(retry_after("120", now), Some(Duration::from_mins(2)));
        assert_eq!(
            retry_after("Sun, 06 Nov 1994 08:49:47 GMT", now),
            Some(Duration::from_secs(10))
        );
        assert_eq!(
            retry_after("Sun, 06 Nov 1994 08:49:07 GMT", now),
            Some(Duration::ZERO)
        );
        assert_eq!(
            retry_after("99999999999999999999999", now),
            Some(Duration::from_secs(u64::MAX))
        );
        for bad in ["", "soon", "-1", "1.5"] {
            assert_eq!(retry_after(bad, now), None, "{bad}");
        }
    }
}

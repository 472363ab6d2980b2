//! The device flow's rules about waiting. Pure: time and answers come in, steps go out.

use std::time::Duration;

use super::LoginError;
use crate::remote::{DeviceCode, RemoteError, TokenPoll, TokenSet};

/// RFC 8628, 3.5: the interval grows by this with each `slow_down`.
const SLOW_DOWN: Duration = Duration::from_secs(5);
/// A server that names no pause does not mean "at once".
const SHORTEST: Duration = Duration::from_secs(1);
/// However much trouble there is, a person who has consented should not wait longer.
const LONGEST: Duration = Duration::from_mins(1);

/// A login that waits for a person.
#[derive(Debug)]
pub struct DeviceFlow {
    interval: Duration,
    /// How many polls in a row came to nothing.
    trouble: u32,
    /// Milliseconds since the Unix epoch.
    expires_at: u64,
}

/// What came of one poll.
#[derive(Debug)]
pub enum PollOutcome {
    /// An answer.
    Poll(TokenPoll),
    /// None, or one that says nothing about the login.
    Trouble(RemoteError),
}

/// What to do next.
#[derive(Debug)]
pub enum NextPoll {
    /// Poll again after this time.
    Wait(Duration),
    /// The person said yes.
    Done(TokenSet),
    /// It is over.
    Failed(LoginError),
}

impl DeviceFlow {
    /// Begins at `now` (milliseconds since the Unix epoch); says how long to wait before the first
    /// poll.
    pub fn start(code: &DeviceCode, now: u64) -> (Self, Duration) {
        let interval = code.interval.clamp(SHORTEST, LONGEST);
        let lifetime = u64::try_from(code.expires_in.as_millis()).unwrap_or(u64::MAX);
        let flow = Self {
            interval,
            trouble: 0,
            expires_at: now.saturating_add(lifetime),
        };
        (flow, interval)
    }

    /// What to do after a poll that ended at `now`.
    pub fn next(&mut self, event: PollOutcome, now: u64) -> NextPoll {
        match event {
            PollOutcome::Poll(TokenPoll::Granted(tokens)) => return NextPoll::Done(tokens),
            PollOutcome::Poll(TokenPoll::Denied) => return NextPoll::Failed(LoginError::Denied),
            PollOutcome::Poll(TokenPoll::Expired) => return NextPoll::Failed(LoginError::Expired),
            PollOutcome::Poll(TokenPoll::Pending) => self.trouble = 0,
            PollOutcome::Poll(TokenPoll::SlowDown) => {
                self.trouble = 0;
                self.interval += SLOW_DOWN;
            }
            // RFC 8628, 3.5: less often while the connection is in trouble.
            PollOutcome::Trouble(error) if is_trouble(&error) => self.trouble += 1,
            PollOutcome::Trouble(error) => return NextPoll::Failed(error.into()),
        }
        // A poll after the end can only say that it is the end.
        let left = Duration::from_millis(self.expires_at.saturating_sub(now));
        if self.interval > left {
            return NextPoll::Failed(LoginError::Expired);
        }
        let wait = self.interval.saturating_mul(1 << self.trouble.min(6));
        NextPoll::Wait(wait.min(LONGEST.max(self.interval)).min(left))
    }
}

/// Whether it may be over before the code is: an outage, or what a network puts in the way that asks
/// for a login of its own.
fn is_trouble(error: &RemoteError) -> bool {
    error.is_passing()
        || matches!(
            error,
            RemoteError::HtmlInstead { .. }
                | RemoteError::Redirected { .. }
                | RemoteError::Protocol { .. }
        )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        http::Unreachable,
        model::{Link, Secret},
        remote::CallContext,
    };

    fn code(interval: u64, expires_in: u64) -> DeviceCode {
        DeviceCode {
            secret: Secret::new("d"),
            user_code: "ABCD-EFGH".to_owned(),
            verification_uri: Link::parse("https://example.com/device").unwrap(),
            expires_in: Duration::from_secs(expires_in),
            interval: Duration::from_secs(interval),
        }
    }

    fn waits(flow: &mut DeviceFlow, event: PollOutcome) -> u64 {
        match flow.next(event, 0) {
            NextPoll::Wait(wait) => wait.as_secs(),
            other => panic!("{other:?}"),
        }
    }

    fn trouble(cause: Unreachable) -> PollOutcome {
        let at = Box::new(CallContext {
            call: "x".into(),
            request_id: "r".to_owned(),
            attempts: 1,
            unclear: false,
        });
        PollOutcome::Trouble(RemoteError::Unreachable {
            at,
            host: "h".to_owned(),
            cause,
        })
    }

    #[test]
    fn it_waits_as_long_as_the_server_says() {
        let (mut flow, first) = DeviceFlow::start(&code(5, 900), 0);
        assert_eq!(first.as_secs(), 5);
        assert_eq!(waits(&mut flow, PollOutcome::Poll(TokenPoll::Pending)), 5);
        assert_eq!(waits(&mut flow, PollOutcome::Poll(TokenPoll::SlowDown)), 10);
        assert_eq!(waits(&mut flow, PollOutcome::Poll(TokenPoll::SlowDown)), 15);
        assert_eq!(waits(&mut flow, PollOutcome::Poll(TokenPoll::Pending)), 15);
        assert_eq!(DeviceFlow::start(&code(0, 900), 0).1, SHORTEST);
    }

    #[test]
    fn trouble_on_the_way_is_no_end() {
        let (mut flow, _) = DeviceFlow::start(&code(5, 900), 0);
        assert_eq!(waits(&mut flow, trouble(Unreachable::Interrupted)), 10);
        assert_eq!(waits(&mut flow, trouble(Unreachable::Refused)), 20);
        for _ in 0..50 {
            assert!(waits(&mut flow, trouble(Unreachable::Refused)) <= 60);
        }
        assert_eq!(waits(&mut flow, PollOutcome::Poll(TokenPoll::Pending)), 5);
        let wrong = trouble(Unreachable::Tls("unknown issuer".to_owned()));
        assert!(matches!(
            flow.next(wrong, 0),
            NextPoll::Failed(LoginError::Remote(_))
        ));
    }

    #[test]
    fn it_ends_with_the_decision_or_with_the_code() {
        let next = |poll, now| {
            DeviceFlow::start(&code(5, 60), 0)
                .0
                .next(PollOutcome::Poll(poll), now)
        };
        let failed = |step| match step {
            NextPoll::Failed(error) => error,
            other => panic!("{other:?}"),
        };
        assert!(matches!(
            failed(next(TokenPoll::Denied, 0)),
            LoginError::Denied
        ));
        assert!(matches!(
            failed(next(TokenPoll::Expired, 0)),
            LoginError::Expired
        ));
        assert!(matches!(
            next(TokenPoll::Pending, 55_000),
            NextPoll::Wait(_)
        ));
        assert!(matches!(
            failed(next(TokenPoll::Pending, 55_001)),
            LoginError::Expired
        ));
    }
}

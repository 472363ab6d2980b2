//! How patient the client is, and how much it takes.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use futures_util::stream;
use reqwest::Body;
use thiserror::Error;
use tokio_util::sync::CancellationToken;

use super::{Pace, Renewals};
use crate::model::Vars;

/// Milliseconds since the Unix epoch, as a function, so that tests can say what time it is.
pub type Clock = fn() -> u64;

/// The machine's clock.
pub fn system_clock() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| {
            u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
        })
}

/// What has a say in whether a request may still be started: a lease that must outlast it.
#[derive(Clone, Default)]
pub struct Gate(Option<std::sync::Arc<dyn Fn(Duration) -> bool + Send + Sync>>);

impl Gate {
    /// A gate that asks this.
    pub fn new(allows: impl Fn(Duration) -> bool + Send + Sync + 'static) -> Self {
        Self(Some(std::sync::Arc::new(allows)))
    }

    pub(crate) fn allows(&self, timeout: Duration) -> bool {
        self.0.as_ref().is_none_or(|allows| allows(timeout))
    }
}

impl Gate {
    /// A body that asks again when the connection takes it, which must be answered until `end`: a
    /// process that stood still since the first question does not write on.
    pub(crate) fn body(&self, bytes: Bytes, end: Instant) -> Body {
        let gate = self.clone();
        Body::wrap_stream(stream::once(async move {
            let left = end.saturating_duration_since(Instant::now());
            if gate.allows(left) {
                Ok(bytes)
            } else {
                Err(GateClosed)
            }
        }))
    }
}

/// The gate closed before anything was sent.
#[derive(Debug, Error)]
#[error("nothing may be sent any more")]
pub(crate) struct GateClosed;

impl std::fmt::Debug for Gate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Gate")
    }
}

/// Limits of the client. `Default` is what a person at a terminal wants.
#[derive(Clone, Debug)]
pub struct ClientOptions {
    /// For a connection, name look-up and handshake included.
    pub connect_timeout: Duration,
    /// For the answer to begin, and then for each next piece of it.
    pub read_timeout: Duration,
    /// For one whole answer, however steadily it drips.
    pub answer_timeout: Duration,
    /// When the whole command must be done; `None` for no limit.
    pub deadline: Option<Instant>,
    /// Whether a request that may take so long may still be started.
    pub gate: Gate,
    /// Once this is cancelled nothing is waited for any more, and no write is begun.
    pub cancel: CancellationToken,
    /// How often a call is repeated after its first attempt, if it may be.
    pub retries: u32,
    /// The first pause before a repetition; it doubles each time, and varies by chance.
    pub backoff_base: Duration,
    /// The longest pause of our own choosing.
    pub backoff_cap: Duration,
    /// The longest `Retry-After` that is waited for; the server's longer ones end the call.
    pub retry_after_limit: Duration,
    /// Whether plain `http` to another machine is allowed.
    pub allow_http: bool,
    /// The `User-Agent` header.
    pub user_agent: String,
    /// The longest answer taken, in bytes.
    pub max_body: usize,
    /// The most header fields taken in one answer.
    pub max_headers: usize,
    /// How often each class of call may be made; `None`: as often as one likes.
    pub pace: Option<Pace>,
    /// What time it is, for the age of a login.
    pub clock: Clock,
    /// The process's variables, for certificates and proxies.
    pub vars: Vars,
    /// Renewals of the login that are under way.
    pub renewals: Renewals,
}

impl Default for ClientOptions {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            read_timeout: Duration::from_secs(30),
            answer_timeout: Duration::from_mins(1),
            deadline: None,
            gate: Gate::default(),
            cancel: CancellationToken::new(),
            retries: 3,
            backoff_base: Duration::from_millis(300),
            backoff_cap: Duration::from_secs(8),
            retry_after_limit: Duration::from_mins(1),
            allow_http: false,
            user_agent: concat!("connplan/", env!("CARGO_PKG_VERSION")).to_owned(),
            // The list of 5,000 connectors with fifty long scopes each is half of it.
            max_body: 32 << 20,
            max_headers: 100,
            pace: None,
            clock: system_clock,
            vars: Vars::default(),
            renewals: Renewals::default(),
        }
    }
}

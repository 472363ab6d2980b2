//! A local stand-in for the platform: its API, its login, and a make-believe provider's consent
//! page, on loopback only. It runs on any tokio runtime, `current_thread` included.
//!
//! Any app id is an app; a new one is empty.
//!
//! # Who may call
//! The workspace key (header `api_key`; refused with [`Settings::strict_keys`]), personal access
//! tokens (`Bearer`; a full and a read-only one for each person) and tokens of its device flow. Each
//! belongs to a person; the key to the first one. [`Settings::viewers`] have no editor rights.
//!
//! # How it decides what the platform's contract leaves open
//! - A PUT that asks for exactly what the caller's own active connection has, values included, is
//!   `already_authorized`; if it is another collaborator's, `different_user`. Everything else,
//!   narrowing too, answers with a link; the connector stays as it was until a person consents.
//! - A link can be approved for 5 minutes and opens for 10. What nobody completes stays `PENDING`.
//! - A new link makes the older ones of that connector useless: their pages say so and their
//!   status is `FAILED`, as is that of denied and removed ones. `ACTIVE` is a connection
//!   on which an active connector rests. To others than who asked, all are `PENDING`. An unknown
//!   connection is 404.
//! - A connector that was never authorized is absent from `list`, unless
//!   [`Settings::list_unauthorized`].
//! - Google adds `openid` and `userinfo.email` and spells `email` and `profile` as addresses; slack
//!   adds `identify`, hubspot `oauth`, linear `read`, tiktok `user.info.basic`.
//! - Removing and disconnecting what is not there succeeds; removing Stripe that is not there is 404.
//! - A PUT without a value that the type needs is 422.
//!
//! # Forms, for programs that act as the person
//! The link of a PUT is `/sandbox/consent/{connection_id}?ticket=…`. Its page posts, as
//! `application/x-www-form-urlencoded`, to the same path:
//! `form_token` (hidden), `scope` (once for each ticked one), `account` (the picked address),
//! `other_account` (a typed one; it wins if not empty), `decision` (`approve` or `deny`). The answer
//! is 200 if it was carried out, 404 or 410 for a link that is of no use, 422 for a wrong account.
//! `/sandbox/device?user_code=…` is the login's page; its form has `form_token`, `user_code`,
//! `account`, `other_account`, `decision`.
//!
//! Programs in this process use [`Sandbox::consent`] and [`Sandbox::approve_device`].
//!
//! # Behind the scenes
//! All with the header `api_key`; bodies and answers are JSON.
//!
//! | call | does |
//! |---|---|
//! | `GET /sandbox/admin/requests` | `{requests: [{number, method, path, status, in_flight}]}` of `/api` and `/oauth`, in order of arrival; no queries, no credentials |
//! | `DELETE /sandbox/admin/requests` | forgets them |
//! | `GET /sandbox/admin/pending` | `{pending: [{app_id, integration_type, connection_id, scopes, link}]}` |
//! | `POST /sandbox/admin/consent` | `{connection_id, decision: approve\|deny, account?, scopes?}` |
//! | `POST /sandbox/admin/device` | `{user_code, decision, account?}` |
//! | `POST /sandbox/admin/clock` | `{advance_seconds}`: sets the sandbox's clock ahead |
//! | `PUT /sandbox/admin/apps/{app}/connectors/{type}` | `{status?, scopes?, account?}`: replaces a connector, as a [`SeedConnector`] |
//! | `DELETE` of the same | removes it |
//! | `POST …/{type}/expire`, `…/disconnect`, `…/withdraw`, `…/share` | what may befall it |
//! | `PUT /sandbox/admin/apps/{app}/stripe` | `{mode: sandbox\|live\|null, claimed?, age_days?}` |
//! | `GET`, `PUT /sandbox/admin/settings` | the [`Settings`] |
//! | `GET /sandbox/admin/tokens` | the personal access tokens |

mod admin;
mod answer;
mod api;
mod error;
mod grant;
mod guard;
mod integrations;
mod limits;
mod link;
mod login;
mod oauth;
mod page;
mod provider;
mod random;
mod requests;
mod router;
mod seed;
mod settings;
mod state;
mod store;
mod stripe;
mod tokens;

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use axum::serve::ListenerExt;
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;

pub use self::{
    error::{Malformed, SandboxError},
    grant::Decision,
    link::LinkProblem,
    seed::{Seed, SeedApp, SeedConnector, SeedInstallation, SeedStripe},
    settings::{Limits, Person, RateLimit, Settings},
    tokens::{Access, SeedToken},
};
use self::{
    state::State,
    store::{StateFile, Store},
};
use crate::{
    fs::{self, FsError, Lock},
    model::{Link, Secret},
};

/// How long requests under way may take to end once the sandbox is told to stop. Browsers keep
/// connections open that they never use.
const GRACE: Duration = Duration::from_secs(1);

/// How the lock of a state begins.
const HOLDER: &str = "a sandbox";

/// How a sandbox is started.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The port on 127.0.0.1; 0 for the one in the state, else any free one.
    pub port: u16,
    /// The file that keeps the state; without one all is forgotten at the end.
    pub state: Option<PathBuf>,
    /// What to start with; not looked at if the state file exists.
    pub seed: Option<Seed>,
    /// Waited before each answer of the API.
    pub latency: Option<Duration>,
    /// How many times as fast as the real clock its clock runs; 0 is 1.
    pub speed: u32,
}

/// A running sandbox. Dropping it stops it without waiting; [`Sandbox::stop`] is the orderly way.
pub struct Sandbox {
    api_url: String,
    api_key: Secret,
    store: Arc<Store>,
    stop: CancellationToken,
    /// `None` once it has ended.
    server: Option<JoinHandle<std::io::Result<()>>>,
}

/// Starts a sandbox on loopback. It serves from a task of the current runtime.
pub async fn start(options: Options) -> Result<Sandbox, SandboxError> {
    let read = || match &options.state {
        Some(path) => State::read(path),
        None => Ok(None),
    };
    // Beside another program's file no lock is left.
    read()?;
    let lock = options.state.as_deref().map(lock).transpose()?;
    let stored = read()?;
    let seed = options.seed.unwrap_or_default();
    seed.check()?;
    let mut state = stored.unwrap_or_else(|| State::new(seed, options.state.is_some()));

    let listener = listen(options.port, state.port).await?;
    let address = local_address(&listener)?;
    state.port = address.port();
    let api_url = format!("http://{address}");
    let api_key = Secret::new(state.api_key.clone());
    let file = options.state.as_deref().zip(lock);
    let file = file.map(|(path, lock)| StateFile::new(path, lock));
    let file = file.transpose()?;
    let latency = options.latency.unwrap_or_default();
    let store = Arc::new(Store::new(
        api_url.clone(),
        latency,
        options.speed,
        state,
        file,
    ));
    // The key that is printed has to be the key of the next run.
    store.flush().await?;

    let stop = CancellationToken::new();
    let listener = listener.tap_io(|stream| {
        // An answer is small and must not wait for more; failing that, it is only slower.
        let _ = stream.set_nodelay(true);
    });
    let serving = axum::serve(listener, router::router(Arc::clone(&store)))
        .with_graceful_shutdown(stop.clone().cancelled_owned());
    let server = tokio::spawn(async move { serving.await });
    Ok(Sandbox {
        api_url,
        api_key,
        store,
        stop,
        server: Some(server),
    })
}

/// Whether a file was written as a state, damaged or not. Another program's file is none, and stays as it
/// is.
pub fn is_state(path: &Path) -> bool {
    let text = fs::read_text(path, 64 << 20).unwrap_or_default();
    ["\"version\"", "\"api_key\""]
        .iter()
        .all(|key| text.contains(key))
}

/// Keeps other sandboxes off this state file.
fn lock(state: &Path) -> Result<Lock, SandboxError> {
    if let Some(folder) = state.parent()
        && !folder.as_os_str().is_empty()
        && !folder.exists()
    {
        fs::ensure_private_dir(folder)?;
    }
    let mut name = state.as_os_str().to_owned();
    name.push(".lock");
    let path = Path::new(&name);
    // Who takes a lock writes its name over what is there.
    let is_ours = match fs::read_limited(path, 4096) {
        Ok(text) => text.is_empty() || text.starts_with(HOLDER.as_bytes()),
        Err(FsError::TooLarge { .. }) => false,
        Err(_) => true,
    };
    if !is_ours {
        let path = path.to_owned();
        return Err(SandboxError::ForeignLock { path });
    }
    let holder = format!("{HOLDER}, process {}", std::process::id());
    Ok(Lock::acquire(path, Duration::ZERO, &holder)?)
}

/// Takes the port that was asked for; else the one of last time if it is free; else any.
async fn listen(asked: u16, last: u16) -> Result<TcpListener, SandboxError> {
    let at = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    if asked == 0
        && last != 0
        && let Ok(listener) = TcpListener::bind(at(last)).await
    {
        return Ok(listener);
    }
    let address = at(asked);
    let failed = |source| SandboxError::Listen { address, source };
    TcpListener::bind(address).await.map_err(failed)
}

fn local_address(listener: &TcpListener) -> Result<SocketAddr, SandboxError> {
    let failed = |source| SandboxError::Serve { source };
    listener.local_addr().map_err(failed)
}

impl Sandbox {
    /// Where it is: `http://127.0.0.1:PORT`.
    pub fn api_url(&self) -> &str {
        &self.api_url
    }

    /// The one key that it accepts.
    pub fn api_key(&self) -> &Secret {
        &self.api_key
    }

    /// The personal access tokens that it accepts.
    pub fn tokens(&self) -> Vec<SeedToken> {
        self.store.read(|state, _| state.tokens.clone())
    }

    /// Changes how it behaves, from the next request on.
    pub async fn set(&self, change: impl FnOnce(&mut Settings)) -> Result<(), SandboxError> {
        self.store
            .change(|state, _| {
                change(&mut state.settings);
                Ok(())
            })
            .await
    }

    /// The variables that point a client at it: `BASE44_API_URL` and `BASE44_API_KEY`.
    pub fn environment(&self) -> Vec<(String, String)> {
        vec![
            ("BASE44_API_URL".to_owned(), self.api_url.clone()),
            (
                "BASE44_API_KEY".to_owned(),
                self.api_key.expose().to_owned(),
            ),
        ]
    }

    /// Decides on an authorization link as the person would.
    pub async fn consent(&self, link: &Link, decision: Decision) -> Result<(), SandboxError> {
        let (id, ticket) = link_parts(link.expose());
        self.store
            .change(|state, now| {
                let connection = state.connections.get(&id);
                if connection.is_none_or(|c| c.ticket != ticket) {
                    return Err(SandboxError::Consent(LinkProblem::Unknown));
                }
                state
                    .decide(&id, decision, now)
                    .map_err(SandboxError::Consent)
            })
            .await
    }

    /// Decides on a connection by its id alone, which the sandbox's owner may.
    pub async fn consent_to(
        &self,
        connection_id: &str,
        decision: Decision,
    ) -> Result<(), SandboxError> {
        self.store
            .change(|state, now| {
                state
                    .decide(connection_id, decision, now)
                    .map_err(SandboxError::Consent)
            })
            .await
    }

    /// Lets the device that shows this code in, as the person with this address; false if no
    /// such device waits.
    pub async fn approve_device(&self, user_code: &str, email: &str) -> Result<bool, SandboxError> {
        self.store
            .change(|state, now| {
                let person = admin::person(state, email);
                Ok(state.login.decide(user_code, Some(&person), now))
            })
            .await
    }

    /// Cancelling this token tells the sandbox to stop; [`Sandbox::stopped`] says when it has.
    pub fn stop_token(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Waits until the sandbox has stopped, by its token or by itself, and its state is on disk.
    pub async fn stopped(&mut self) -> Result<(), SandboxError> {
        let Some(server) = &mut self.server else {
            return Ok(());
        };
        let ended = tokio::select! {
            ended = &mut *server => Some(ended),
            () = self.stop.cancelled() => tokio::time::timeout(GRACE, &mut *server).await.ok(),
        };
        server.abort();
        self.server = None;
        let kept = self.store.close().await;
        ended.map_or(Ok(()), served)?;
        Ok(kept?)
    }

    /// Stops: lets requests under way end, for a second at most, and leaves the state on disk.
    pub async fn stop(mut self) -> Result<(), SandboxError> {
        self.stop.cancel();
        self.stopped().await
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

fn served(ended: Result<std::io::Result<()>, tokio::task::JoinError>) -> Result<(), SandboxError> {
    let ended = ended.map_err(std::io::Error::other).flatten();
    ended.map_err(|source| SandboxError::Serve { source })
}

/// Connection id and ticket of a link; empty where it has none.
fn link_parts(link: &str) -> (String, String) {
    let Ok(url) = url::Url::parse(link) else {
        return (String::new(), String::new());
    };
    let id = url
        .path_segments()
        .and_then(Iterator::last)
        .unwrap_or_default();
    let ticket = url.query_pairs().find(|(name, _)| name == "ticket");
    let ticket = ticket.map(|(_, value)| value.into_owned());
    (id.to_owned(), ticket.unwrap_or_default())
}

//! The API of one app: the platform, the app, and who asks.

use std::{fmt, sync::Arc};

use super::{
    Platform, RemoteError,
    auth::{Credentials, Renewal, Session, Who},
    call::{Answer, Call},
};
use crate::{
    http::{CallClass, ClientOptions},
    model::App,
};

/// How many tokens a call tries after the first: each is one that this call or somebody else got anew.
const TOKENS_TRIED: usize = 4;

/// The API of one app, with credentials. Cheap to clone; clones share connections and login.
#[derive(Clone)]
pub struct Remote {
    inner: Arc<Inner>,
}

struct Inner {
    app: App,
    platform: Platform,
    session: Session,
    who: Who,
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Remote").field(&self.inner.app).finish()
    }
}

impl Remote {
    /// A client for this app. Opens no connection yet.
    pub fn new(
        app: &App,
        credentials: Credentials,
        options: ClientOptions,
    ) -> Result<Self, RemoteError> {
        let platform = Platform::new(&app.api_url, options)?;
        let who = credentials.who().clone();
        let session = Session::new(platform.clone(), credentials)?;
        Ok(Self {
            inner: Arc::new(Inner {
                app: app.clone(),
                platform,
                session,
                who,
            }),
        })
    }

    /// The app.
    pub fn app(&self) -> &App {
        &self.inner.app
    }

    /// Who acts, and by what.
    pub fn who(&self) -> &Who {
        &self.inner.who
    }

    /// The platform below it.
    pub fn platform(&self) -> &Platform {
        &self.inner.platform
    }

    /// An address below the app's own. Both parts hold only what an address may hold as it stands.
    pub(crate) fn app_path(&self, rest: &str) -> String {
        format!("/api/apps/{}/{rest}", self.inner.app.id)
    }

    /// Makes a call with credentials. Where a login is refused, it is renewed once for this call;
    /// tokens that others got in the meantime are tried as well.
    pub(crate) async fn send(&self, call: &Call) -> Result<Answer, RemoteError> {
        let session = &self.inner.session;
        let credential = self.unless_interrupted(call, session.authorization());
        let mut credential = credential.await?;
        let mut renewal = Renewal::Allowed;
        let mut unclear = false;
        // What an earlier round left open stays open.
        let open = |mut error: RemoteError, unclear: bool| {
            if let Some(at) = error.at_mut() {
                at.unclear |= unclear;
            }
            error
        };
        for _ in 0..TOKENS_TRIED {
            let sent = self.inner.platform.send(call, Some(&credential)).await;
            let refused = match sent.map_err(|error| open(error, unclear)) {
                Err(error @ RemoteError::Unauthorized { .. }) => error,
                done => return done,
            };
            unclear |= refused.is_unclear();
            let next = session.instead_of(&credential, renewal);
            let next = self.unless_interrupted(call, next).await;
            let Some(next) = next.map_err(|error| open(error, unclear))? else {
                return Err(refused);
            };
            renewal = Renewal::Spent;
            credential = next;
        }
        let sent = self.inner.platform.send(call, Some(&credential)).await;
        sent.map_err(|error| open(error, unclear))
    }

    /// A credential for a call. A write does not wait for one once the run is interrupted.
    async fn unless_interrupted<T>(
        &self,
        call: &Call,
        credential: impl Future<Output = Result<T, RemoteError>>,
    ) -> Result<T, RemoteError> {
        let cancel = &self.inner.platform.options().cancel;
        tokio::select! {
            biased;
            () = cancel.cancelled(), if call.class != CallClass::Read => {
                Err(RemoteError::Interrupted { at: Box::new(call.context()) })
            }
            credential = credential => credential,
        }
    }
}

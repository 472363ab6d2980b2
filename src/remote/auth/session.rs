//! A credential in use: a login is renewed once for all the calls under way, and once for all the
//! processes that share it.

use std::{sync::Arc, time::Duration};

use tokio::sync::{Mutex, OwnedMutexGuard};

use super::{
    AuthError, LoginFile, StoredLogin,
    credentials::{Credentials, Source},
};
use crate::{
    fs::FsError,
    model::ApiUrl,
    remote::{CredentialKind, Platform, RemoteError, call::Credential, tokens::oauth_code},
};

/// A credential in use.
pub(crate) enum Session {
    /// Sent as it stands.
    Fixed(Credential),
    /// Renewed when it is due or refused.
    Login(Arc<LoginSession>),
}

/// Whether a call whose token was refused may still have the login renewed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Renewal {
    /// It has not asked yet.
    Allowed,
    /// It had one: only tokens that others got in the meantime are left.
    Spent,
}

/// How long a renewal may take, whatever the command's own time.
const RENEWAL_LIMIT: Duration = Duration::from_secs(30);

pub(crate) struct LoginSession {
    platform: Platform,
    file: Option<LoginFile>,
    // Where the login at hand was made: it may be sent here.
    made_for: Option<ApiUrl>,
    // Held while renewing: whoever comes meanwhile waits, and finds it done.
    login: Arc<Mutex<StoredLogin>>,
}

impl Session {
    pub(crate) fn new(platform: Platform, credentials: Credentials) -> Result<Self, AuthError> {
        let fixed = |made: Option<Credential>, variable| {
            made.map(Self::Fixed)
                .ok_or(AuthError::BadValue { variable })
        };
        match credentials.source {
            Source::ApiKey(key) => fixed(Credential::api_key(&key), "BASE44_API_KEY"),
            Source::PersonalToken(token, variable) => fixed(
                Credential::bearer(&token, CredentialKind::PersonalToken { variable }),
                variable,
            ),
            Source::Token(token) => fixed(
                Credential::bearer(&token, CredentialKind::Token),
                "BASE44_ACCESS_TOKEN",
            ),
            Source::Login(login, file) => Ok(Self::Login(Arc::new(LoginSession {
                platform,
                file,
                made_for: login.made_for(),
                login: Arc::new(Mutex::new(*login)),
            }))),
        }
    }

    /// What to send now.
    pub(crate) async fn authorization(&self) -> Result<Credential, RemoteError> {
        match self {
            Self::Fixed(fixed) => Ok(fixed.clone()),
            Self::Login(session) => session.current().await,
        }
    }

    /// What to send instead of what was refused; `None` if there is nothing else.
    pub(crate) async fn instead_of(
        &self,
        refused: &Credential,
        renewal: Renewal,
    ) -> Result<Option<Credential>, RemoteError> {
        match self {
            Self::Fixed(_) => Ok(None),
            Self::Login(session) => session.instead_of(refused, renewal).await,
        }
    }
}

impl LoginSession {
    async fn current(self: &Arc<Self>) -> Result<Credential, RemoteError> {
        let login = Arc::clone(&self.login).lock_owned().await;
        let now = (self.platform.options().clock)();
        if !login.is_due(now) {
            return self.header(&login);
        }
        let before = login.clone();
        match self.renewed(login).await {
            Ok(renewed) => self.header(&renewed),
            // Due is not over: a token that still has seconds to live is better than none.
            Err(error) if !is_last_word(&error) && !before.is_over(now) => {
                self.tell(format!("the login is not renewed yet: {error}"));
                self.header(&before)
            }
            Err(error) => Err(error),
        }
    }

    async fn instead_of(
        self: &Arc<Self>,
        refused: &Credential,
        renewal: Renewal,
    ) -> Result<Option<Credential>, RemoteError> {
        let mut login = Arc::clone(&self.login).lock_owned().await;
        let header = self.header(&login)?;
        if header.header.value != refused.header.value {
            return Ok(Some(header));
        }
        if renewal == Renewal::Allowed {
            let renewed = self.renewed(login).await?;
            return self.header(&renewed).map(Some);
        }
        // Another process may have renewed it after this call did, and revoked what the call had.
        let stored = match &self.file {
            Some(file) => self.stored(file)?,
            None => None,
        };
        let now = (self.platform.options().clock)();
        let Some(theirs) = stored.and_then(|stored| stored.instead_of(&login, now)) else {
            return Ok(None);
        };
        *login = theirs;
        self.header(&login).map(Some)
    }

    /// What the file holds now. Somebody may have logged in elsewhere meanwhile: that is not sent here.
    fn stored(&self, file: &LoginFile) -> Result<Option<StoredLogin>, AuthError> {
        let stored = file.read()?;
        let here = self.platform.api_url();
        match stored.as_ref().and_then(|stored| stored.elsewhere(here)) {
            Some(made_for) if self.made_for.as_ref() != Some(&made_for) => {
                Err(AuthError::elsewhere(&made_for, here, None))
            }
            _ => Ok(stored),
        }
    }

    fn header(&self, login: &StoredLogin) -> Result<Credential, RemoteError> {
        Credential::bearer(&login.access_token, CredentialKind::Login).ok_or_else(|| {
            let path = self.file.as_ref().map(|file| file.path().to_owned());
            let fault = "its token cannot be sent".to_owned();
            AuthError::Malformed {
                path: path.unwrap_or_default(),
                fault,
            }
            .into()
        })
    }

    fn tell(&self, notice: String) {
        tracing::warn!("{notice}");
        self.platform.options().renewals.tell(notice);
    }

    /// Renews in a task of its own: whoever waits for it may go away, a command that is interrupted
    /// or whose other request failed, and what the server answers is stored all the same.
    async fn renewed(
        self: &Arc<Self>,
        mut login: OwnedMutexGuard<StoredLogin>,
    ) -> Result<StoredLogin, RemoteError> {
        let session = Arc::clone(self);
        let task = tokio::spawn(async move {
            let renewed = session.renew(&login).await?;
            *login = renewed.clone();
            Ok(renewed)
        });
        task.await
            .unwrap_or_else(|_| Err(AuthError::CutShort.into()))
    }

    /// New tokens for `login`: those that another process has stored meanwhile, or the server's.
    /// Whatever fails, the file stays: only logging out removes a login.
    async fn renew(&self, login: &StoredLogin) -> Result<StoredLogin, RemoteError> {
        let Some(file) = &self.file else {
            let _under_way = self.platform.options().renewals.begin();
            return self.ask(login).await;
        };
        let _lock = match file.lock_soon(self.platform.time_left()).await {
            Ok(lock) => lock,
            Err(AuthError::Fs(why)) if why.is_denied() => return self.unkept(login, &why).await,
            Err(error) => return Err(error.into()),
        };
        let Some(stored) = self.stored(file)? else {
            // Logged out meanwhile.
            return Err(AuthError::NoCredentials { key_ignored: false }.into());
        };
        let now = (self.platform.options().clock)();
        if let Some(theirs) = stored.clone().instead_of(login, now) {
            return Ok(theirs);
        }
        // A refresh token is spent by asking: its successor must have a place first.
        match file.make_sure_of_room(&stored) {
            Ok(()) => {}
            Err(why) if why.is_denied() => return self.unkept(&stored, &why).await,
            Err(source) => return Err(AuthError::NoRoom { source }.into()),
        }
        let _under_way = self.platform.options().renewals.begin();
        let renewed = match self.ask(&stored).await {
            Err(RemoteError::Auth(AuthError::Ended)) => {
                // Another program may have been quicker, the official client for one: it takes no
                // lock.
                match self.stored(file)? {
                    Some(theirs) if theirs.refresh_token != stored.refresh_token => {
                        match theirs.clone().instead_of(&stored, now) {
                            Some(theirs) => return Ok(theirs),
                            None => self.ask(&theirs).await?,
                        }
                    }
                    _ => return Err(AuthError::Ended.into()),
                }
            }
            asked => asked?,
        };
        if let Err(why) = file.write(&renewed) {
            // The new tokens are good for this run, though the next one may have to log in.
            self.tell(format!(
                "the renewed login could not be stored ({why}); log in again with `connplan login` \
                 before the next command"
            ));
        }
        Ok(renewed)
    }

    /// Renews a login whose file cannot be written: only when nothing else is left, since the file
    /// keeps a token that may be worth nothing afterwards.
    async fn unkept(&self, login: &StoredLogin, why: &FsError) -> Result<StoredLogin, RemoteError> {
        self.tell(format!("a renewed login cannot be kept: {why}"));
        if !login.is_over((self.platform.options().clock)()) {
            return Ok(login.clone());
        }
        let _under_way = self.platform.options().renewals.begin();
        self.ask(login).await
    }

    async fn ask(&self, login: &StoredLogin) -> Result<StoredLogin, RemoteError> {
        // What ends the command does not end this.
        let platform = self.platform.within(RENEWAL_LIMIT);
        match platform.refresh(&login.refresh_token).await {
            Ok(tokens) => Ok(login.renewed(tokens, (self.platform.options().clock)())),
            Err(error) if oauth_code(&error) == Some("invalid_grant") => {
                Err(AuthError::Ended.into())
            }
            Err(error) => Err(error),
        }
    }
}

/// Whether the login is over by someone's decision, rather than by an accident on the way.
fn is_last_word(error: &RemoteError) -> bool {
    matches!(
        error,
        RemoteError::Auth(
            AuthError::Ended | AuthError::NoCredentials { .. } | AuthError::Elsewhere { .. }
        )
    )
}

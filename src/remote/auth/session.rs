//! A credential in use: a login is renewed once for all the calls under way, and once for all the
//! processes that share it.

use tokio::sync::Mutex;

use super::{
    AuthError, LoginFile, StoredLogin,
    credentials::{Credentials, Source},
};
use crate::remote::{
    CredentialKind, Platform, RemoteError, call::Authorization, endpoints::oauth_code,
};

/// A credential in use.
pub(crate) enum Session {
    /// Sent as it stands.
    Fixed(Authorization),
    /// Renewed when it is due or refused.
    Login(Box<LoginSession>),
}

pub(crate) struct LoginSession {
    platform: Platform,
    file: Option<LoginFile>,
    // Held while renewing: whoever comes meanwhile waits, and finds it done.
    login: Mutex<StoredLogin>,
}

impl Session {
    pub(crate) fn new(platform: Platform, credentials: Credentials) -> Result<Self, AuthError> {
        let fixed = |made: Option<Authorization>, variable| {
            made.map(Self::Fixed)
                .ok_or(AuthError::BadValue { variable })
        };
        match credentials.source {
            Source::ApiKey(key) => fixed(Authorization::api_key(&key), "BASE44_API_KEY"),
            Source::PersonalToken(token, variable) => fixed(
                Authorization::bearer(&token, CredentialKind::PersonalToken { variable }),
                variable,
            ),
            Source::Token(token) => fixed(
                Authorization::bearer(&token, CredentialKind::Token),
                "BASE44_ACCESS_TOKEN",
            ),
            Source::Login(login, file) => Ok(Self::Login(Box::new(LoginSession {
                platform,
                file,
                login: Mutex::new(*login),
            }))),
        }
    }

    /// What to send now.
    pub(crate) async fn authorization(&self) -> Result<Authorization, RemoteError> {
        match self {
            Self::Fixed(fixed) => Ok(fixed.clone()),
            Self::Login(session) => session.current().await,
        }
    }

    /// What to send instead of what was refused; `None` if there is nothing else.
    pub(crate) async fn renewed(
        &self,
        refused: &Authorization,
    ) -> Result<Option<Authorization>, RemoteError> {
        match self {
            Self::Fixed(_) => Ok(None),
            Self::Login(session) => session.instead_of(refused).await.map(Some),
        }
    }
}

impl LoginSession {
    async fn current(&self) -> Result<Authorization, RemoteError> {
        let mut login = self.login.lock().await;
        let now = (self.platform.options().clock)();
        if login.is_due(now) {
            match self.renew(&login).await {
                Ok(renewed) => *login = renewed,
                // Due is not over: a token that still has seconds to live is better than none.
                Err(error) if !is_last_word(&error) && !login.is_over(now) => {
                    tracing::warn!(why = %error, "the login is not renewed yet");
                }
                Err(error) => return Err(error),
            }
        }
        self.header(&login)
    }

    async fn instead_of(&self, refused: &Authorization) -> Result<Authorization, RemoteError> {
        let mut login = self.login.lock().await;
        let header = self.header(&login)?;
        if header.value != refused.value {
            return Ok(header);
        }
        *login = self.renew(&login).await?;
        self.header(&login)
    }

    fn header(&self, login: &StoredLogin) -> Result<Authorization, RemoteError> {
        Authorization::bearer(&login.access_token, CredentialKind::Login).ok_or_else(|| {
            let path = self.file.as_ref().map(|file| file.path().to_owned());
            let fault = "its token can not be sent".to_owned();
            AuthError::Malformed {
                path: path.unwrap_or_default(),
                fault,
            }
            .into()
        })
    }

    /// New tokens for `login`: those that another process has stored meanwhile, or the server's.
    /// Whatever fails, the file stays: only logging out removes a login.
    async fn renew(&self, login: &StoredLogin) -> Result<StoredLogin, RemoteError> {
        let Some(file) = &self.file else {
            return self.ask(login).await;
        };
        let _lock = file.lock_soon(self.platform.time_left()).await?;
        let Some(stored) = file.read()? else {
            // Logged out meanwhile.
            return Err(AuthError::NoCredentials { key_ignored: false }.into());
        };
        let now = (self.platform.options().clock)();
        if stored.access_token != login.access_token && !stored.is_due(now) {
            return Ok(stored);
        }
        let renewed = self.ask(&stored).await?;
        if let Err(why) = file.write(&renewed) {
            // The new tokens are good for this run, though the next one may have to log in.
            tracing::warn!(%why, "the renewed login could not be stored");
        }
        Ok(renewed)
    }

    async fn ask(&self, login: &StoredLogin) -> Result<StoredLogin, RemoteError> {
        match self.platform.refresh(&login.refresh_token).await {
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
        RemoteError::Auth(AuthError::Ended | AuthError::NoCredentials { .. })
    )
}

//! Logging in (device flow, RFC 8628) and out.

mod device_flow;
mod error;

pub use device_flow::{DeviceFlow, NextPoll, PollOutcome};
pub use error::LoginError;

use super::{
    Credentials, DeviceCode, Platform, RemoteError, TokenSet, UserInfo,
    auth::{AuthError, LoginFile, Session, StoredLogin, subject},
};

/// Polls until the person has decided. Drop the future to give up.
pub async fn wait_for_consent(
    platform: &Platform,
    code: &DeviceCode,
) -> Result<TokenSet, LoginError> {
    let clock = platform.options().clock;
    let (mut flow, mut wait) = DeviceFlow::start(code, clock());
    loop {
        if let Some(left) = platform.time_left().filter(|left| *left <= wait) {
            tokio::time::sleep(left).await;
            return Err(LoginError::TimeUp);
        }
        tokio::time::sleep(wait).await;
        let event = match platform.device_token(code).await {
            Ok(poll) => PollOutcome::Poll(poll),
            Err(RemoteError::DeadlineExceeded { .. }) => return Err(LoginError::TimeUp),
            Err(error) => PollOutcome::Trouble(error),
        };
        match flow.next(event, clock()) {
            NextPoll::Wait(next) => wait = next,
            NextPoll::Done(tokens) => return Ok(tokens),
            NextPoll::Failed(error) => return Err(error),
        }
    }
}

/// Asks whose tokens these are, and stores them as the login.
pub async fn finish(
    platform: &Platform,
    tokens: TokenSet,
    file: &LoginFile,
) -> Result<StoredLogin, LoginError> {
    let user = match platform.userinfo(&tokens.access_token).await {
        Ok(user) => user,
        // The person has consented, and the token itself says who that is.
        Err(error) if error.is_passing() => {
            subject(&tokens.access_token)
                .ok_or(error)
                .map(|email| UserInfo {
                    name: email.clone(),
                    email,
                })?
        }
        Err(error) => return Err(error.into()),
    };
    let now = (platform.options().clock)();
    let login =
        StoredLogin::new(tokens, user.email, user.name, now).for_address(platform.api_url());
    let _lock = file.lock_soon(platform.time_left()).await?;
    file.write(&login)?;
    Ok(login)
}

/// Who a credential belongs to, in the platform's words.
pub async fn owner(platform: &Platform, credentials: Credentials) -> Result<UserInfo, RemoteError> {
    let session = Session::new(platform.clone(), credentials)?;
    let credential = session.authorization().await?;
    platform.userinfo_by(Some(&credential)).await
}

/// Removes the stored login from this machine. `false` if there was none.
pub fn logout(file: &LoginFile) -> Result<bool, AuthError> {
    file.remove()
}

impl From<AuthError> for LoginError {
    fn from(error: AuthError) -> Self {
        Self::Remote(Box::new(RemoteError::Auth(error)))
    }
}

impl From<RemoteError> for LoginError {
    fn from(error: RemoteError) -> Self {
        match error {
            RemoteError::NotFound { at, problem } => Self::NoneHere { at, problem },
            error => Self::Remote(Box::new(error)),
        }
    }
}

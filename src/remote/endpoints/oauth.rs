//! Base44's own login: device code, tokens, who it is. These calls need no app.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;

use crate::{
    http::{CallClass, server_text_limited},
    model::{Link, Secret},
    remote::{
        Platform, Remote, RemoteError, TokenSet,
        call::{Call, Credential},
        credential::CredentialKind,
        tokens::oauth_code,
        wire,
    },
};

/// By which the platform knows this kind of client; the official client's, whose login is shared.
const CLIENT_ID: &str = "base44_cli";
/// What a login is for.
const SCOPE: &str = "apps:read apps:write sandbox:write";
const DEVICE_GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// The beginning of a login: what to show, and what to poll with.
#[derive(Clone, Debug)]
pub struct DeviceCode {
    /// What to poll with.
    pub secret: Secret,
    /// What the person types in or compares, made safe to show.
    pub user_code: String,
    /// Where the person goes.
    pub verification_uri: Link,
    /// How long the code lives.
    pub expires_in: Duration,
    /// How long to wait between polls.
    pub interval: Duration,
}

/// The answer to one poll of a device login.
#[derive(Clone, Debug)]
pub enum TokenPoll {
    /// The person has not decided yet.
    Pending,
    /// Not decided, and polled too often.
    SlowDown,
    /// The person said no.
    Denied,
    /// The code has run out.
    Expired,
    /// The person said yes.
    Granted(TokenSet),
}

/// Who a token belongs to. Untrusted text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserInfo {
    /// The address.
    pub email: String,
    /// The name for people; may be empty.
    pub name: String,
}

impl Platform {
    /// Begins a login.
    pub async fn device_code(&self) -> Result<DeviceCode, RemoteError> {
        // A second code for a lost first one does no harm.
        let call = Call::new(
            "starting the login",
            CallClass::RepeatableWrite,
            Method::POST,
            "/oauth/device/code",
        )
        .json(&json!({ "client_id": CLIENT_ID, "scope": SCOPE }));
        let answer = self.send(&call, None).await?;
        let code: wire::DeviceCode = answer.decode()?;
        let verification_uri = Link::parse(&code.verification_uri)
            .map_err(|why| answer.malformed("verification_uri", why.to_string()))?;
        Ok(DeviceCode {
            secret: code.secret,
            user_code: server_text_limited(&code.user_code, 64),
            verification_uri,
            expires_in: Duration::from_secs(code.expires_in.into()),
            interval: Duration::from_secs(code.interval.into()),
        })
    }

    /// Asks once whether the person has decided.
    pub async fn device_token(&self, code: &DeviceCode) -> Result<TokenPoll, RemoteError> {
        // Polling repeats by itself, at its own pace: nothing here repeats an unclear attempt.
        let call = Call::new(
            "waiting for the login",
            CallClass::CheckFirst,
            Method::POST,
            "/oauth/token",
        )
        .form(&[
            ("grant_type", DEVICE_GRANT),
            ("device_code", code.secret.expose()),
            ("client_id", CLIENT_ID),
        ])
        .proof(&code.secret);
        let error = match self.send(&call, None).await {
            Ok(answer) => {
                return answer
                    .decode()
                    .map(|t: wire::Granted| TokenPoll::Granted(t.into()));
            }
            Err(error) => error,
        };
        match oauth_code(&error) {
            Some("authorization_pending") => Ok(TokenPoll::Pending),
            Some("slow_down") => Ok(TokenPoll::SlowDown),
            Some("access_denied") => Ok(TokenPoll::Denied),
            Some("expired_token") => Ok(TokenPoll::Expired),
            _ => Err(error),
        }
    }

    /// Exchanges a refresh token for new tokens. The old one may be worth nothing afterwards.
    pub async fn refresh(&self, refresh_token: &Secret) -> Result<TokenSet, RemoteError> {
        let call = Call::new(
            "renewing the login",
            CallClass::RepeatableWrite,
            Method::POST,
            "/oauth/token",
        )
        .form(&[
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh_token.expose()),
            ("client_id", CLIENT_ID),
        ])
        .proof(refresh_token);
        let token: wire::Granted = self.send(&call, None).await?.decode()?;
        Ok(token.into())
    }

    /// Who an access token belongs to.
    pub async fn userinfo(&self, access_token: &Secret) -> Result<UserInfo, RemoteError> {
        let credential = Credential::bearer(access_token, CredentialKind::Login);
        self.userinfo_by(credential.as_ref()).await
    }

    pub(crate) async fn userinfo_by(
        &self,
        credential: Option<&Credential>,
    ) -> Result<UserInfo, RemoteError> {
        let user: wire::UserInfo = self.send(&userinfo_call(), credential).await?.decode()?;
        Ok(user.into())
    }
}

impl Remote {
    /// Who acts, in the platform's words.
    pub async fn userinfo(&self) -> Result<UserInfo, RemoteError> {
        let user: wire::UserInfo = self.send(&userinfo_call()).await?.decode()?;
        Ok(user.into())
    }
}

impl From<wire::UserInfo> for UserInfo {
    fn from(user: wire::UserInfo) -> Self {
        Self {
            email: user.email,
            name: user.name,
        }
    }
}

fn userinfo_call() -> Call {
    Call::new(
        "asking who is logged in",
        CallClass::Read,
        Method::GET,
        "/oauth/userinfo",
    )
}

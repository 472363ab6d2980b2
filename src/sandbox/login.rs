//! Base44's own login: device flow (RFC 8628), tokens, refresh with rotation.

use std::collections::BTreeMap;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    random,
    settings::{Person, Settings},
};

/// The only client there is, on the platform as well.
pub(super) const CLIENT_ID: &str = "base44_cli";

/// Milliseconds by which a poll may come early, for clocks that tick differently.
const EARLY_MS: i64 = 100;

/// Who is logging in, and who is logged in.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Login {
    /// By device code.
    devices: BTreeMap<String, Device>,
    /// By access token.
    access: BTreeMap<String, Session>,
    /// By refresh token; each works once.
    refresh: BTreeMap<String, Session>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Device {
    pub(super) user_code: String,
    scope: String,
    expires_ms: i64,
    interval_ms: i64,
    last_poll_ms: Option<i64>,
    answer: Answer,
    /// What the page's form carries.
    pub(super) form_token: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Answer {
    Pending,
    Approved(Person),
    Denied,
}

/// A login.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Session {
    pub(super) person: Person,
    scope: String,
    /// Access tokens alone run out.
    expires_ms: i64,
}

/// What a token request brings.
#[derive(Clone, Debug)]
pub(super) struct Tokens {
    pub(super) access: String,
    pub(super) refresh: String,
    pub(super) expires_in: u32,
    pub(super) scope: String,
}

/// Why there are no tokens (yet): an error code of OAuth, and a sentence.
pub(super) type Denial = (&'static str, &'static str);

impl Login {
    /// Starts a device's login: device code and user code.
    pub(super) fn begin(
        &mut self,
        scope: &str,
        settings: &Settings,
        now_ms: i64,
    ) -> (String, String) {
        self.devices.retain(|_, d| now_ms < d.expires_ms);
        let (device_code, user_code) = (random::secret(), random::user_code());
        let device = Device {
            user_code: user_code.clone(),
            scope: scope.to_owned(),
            expires_ms: now_ms + i64::from(settings.device_lifetime_seconds) * 1000,
            interval_ms: i64::from(settings.device_interval_seconds) * 1000,
            last_poll_ms: None,
            answer: Answer::Pending,
            form_token: random::secret(),
        };
        self.devices.insert(device_code.clone(), device);
        (device_code, user_code)
    }

    /// The device that shows this code and still waits.
    pub(super) fn waiting(&self, user_code: &str, now_ms: i64) -> Option<&Device> {
        let waits = |d: &&Device| matches!(d.answer, Answer::Pending) && now_ms < d.expires_ms;
        self.devices
            .values()
            .filter(waits)
            .find(|d| d.user_code.eq_ignore_ascii_case(user_code.trim()))
    }

    /// Lets a device in as this person, or (`None`) refuses it; false if no such device waits.
    pub(super) fn decide(&mut self, user_code: &str, who: Option<&Person>, now_ms: i64) -> bool {
        let Some(code) = self.waiting(user_code, now_ms).map(|d| d.user_code.clone()) else {
            return false;
        };
        for device in self.devices.values_mut().filter(|d| d.user_code == code) {
            device.answer = who.cloned().map_or(Answer::Denied, Answer::Approved);
        }
        true
    }

    /// A device asks for its tokens.
    pub(super) fn poll(
        &mut self,
        device_code: &str,
        settings: &Settings,
        now_ms: i64,
    ) -> Result<Tokens, Denial> {
        let Some(device) = self.devices.get_mut(device_code) else {
            return Err(("invalid_grant", "There is no such device code"));
        };
        if now_ms >= device.expires_ms {
            return Err(("expired_token", "The device code has run out"));
        }
        let early = device
            .last_poll_ms
            .replace(now_ms)
            .is_some_and(|last| now_ms - last < device.interval_ms - EARLY_MS);
        if early {
            // RFC 8628, section 3.5: from now on five seconds more.
            device.interval_ms += 5000;
            return Err(("slow_down", "The device asks too often"));
        }
        match &device.answer {
            Answer::Pending => Err(("authorization_pending", "Nobody has decided yet")),
            Answer::Denied => Err(("access_denied", "The login was refused")),
            Answer::Approved(person) => {
                let (person, scope) = (person.clone(), device.scope.clone());
                self.devices.remove(device_code);
                Ok(self.issue(person, scope, settings, now_ms))
            }
        }
    }

    /// Exchanges a refresh token, which is used up by that.
    pub(super) fn renew(
        &mut self,
        refresh_token: &str,
        settings: &Settings,
        now_ms: i64,
    ) -> Result<Tokens, Denial> {
        let session = self.refresh.remove(refresh_token).ok_or((
            "invalid_grant",
            "The refresh token is not known, or was used before",
        ))?;
        Ok(self.issue(session.person, session.scope, settings, now_ms))
    }

    /// Who an access token stands for.
    pub(super) fn session(&self, access_token: &str, now_ms: i64) -> Option<&Session> {
        self.access
            .get(access_token)
            .filter(|session| now_ms < session.expires_ms)
    }

    fn issue(&mut self, person: Person, scope: String, settings: &Settings, now_ms: i64) -> Tokens {
        self.access.retain(|_, session| now_ms < session.expires_ms);
        let expires_in = settings.token_lifetime_seconds;
        let expires_ms = now_ms + i64::from(expires_in) * 1000;
        let tokens = Tokens {
            access: access_token(&person, now_ms / 1000, expires_ms / 1000),
            refresh: random::secret(),
            expires_in,
            scope: scope.clone(),
        };
        let session = Session {
            person,
            scope,
            expires_ms,
        };
        self.access.insert(tokens.access.clone(), session.clone());
        self.refresh.insert(tokens.refresh.clone(), session);
        tokens
    }
}

/// A token in the form of a JWT, since clients read `sub` and `exp` out of it. Nobody checks its
/// signature: the sandbox knows its tokens by heart, so that part is random.
fn access_token(person: &Person, issued: i64, expires: i64) -> String {
    let header = json!({ "alg": "HS256", "typ": "JWT" });
    let claims = json!({ "sub": person.email, "iat": issued, "exp": expires });
    let encode = |text: String| BASE64_URL_SAFE_NO_PAD.encode(text);
    let (header, claims) = (encode(header.to_string()), encode(claims.to_string()));
    format!("{header}.{claims}.{}", random::secret())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ada(settings: &Settings) -> Person {
        settings.accounts[0].clone()
    }

    #[test]
    fn a_device_waits_for_a_person() {
        let (mut login, settings) = (Login::default(), Settings::default());
        let (device, user) = login.begin("apps:read", &settings, 0);
        let error = |r: Result<Tokens, Denial>| r.unwrap_err().0;
        assert_eq!(
            error(login.poll(&device, &settings, 0)),
            "authorization_pending"
        );
        assert_eq!(error(login.poll(&device, &settings, 200)), "slow_down");
        let early = login.poll(&device, &settings, 5000);
        assert_eq!(
            error(early),
            "slow_down",
            "the interval grew to six seconds"
        );
        assert!(!login.decide("BBBB-0000", None, 5000));
        assert!(login.decide(&user.to_lowercase(), Some(&ada(&settings)), 5000));
        assert!(!login.decide(&user, None, 5000), "decided once");
        let tokens = login.poll(&device, &settings, 60_000).unwrap();
        assert_eq!(tokens.scope, "apps:read");
        assert_eq!(
            error(login.poll(&device, &settings, 61_000)),
            "invalid_grant"
        );
    }

    #[test]
    fn refusal_and_lateness_end_it() {
        let (mut login, settings) = (Login::default(), Settings::default());
        let (denied, user) = login.begin("", &settings, 0);
        login.decide(&user, None, 0);
        assert_eq!(
            login.poll(&denied, &settings, 0).unwrap_err().0,
            "access_denied"
        );
        let (late, _) = login.begin("", &settings, 0);
        assert_eq!(
            login.poll(&late, &settings, 600_000).unwrap_err().0,
            "expired_token"
        );
    }

    #[test]
    fn refresh_tokens_rotate_and_access_tokens_run_out() {
        let (mut login, settings) = (Login::default(), Settings::default());
        let first = login.issue(ada(&settings), String::new(), &settings, 0);
        let second = login.renew(&first.refresh, &settings, 0).unwrap();
        assert!(
            login.renew(&first.refresh, &settings, 0).is_err(),
            "used up"
        );
        assert_eq!(first.access.split('.').count(), 3);
        let claims = BASE64_URL_SAFE_NO_PAD
            .decode(first.access.split('.').nth(1).unwrap())
            .unwrap();
        let claims: serde_json::Value = serde_json::from_slice(&claims).unwrap();
        assert_eq!(
            (claims["sub"].as_str(), claims["exp"].as_i64()),
            (Some("ada@example.com"), Some(3600))
        );
        assert!(login.session(&second.access, 3_599_999).is_some());
        assert!(login.session(&second.access, 3_600_000).is_none());
    }
}

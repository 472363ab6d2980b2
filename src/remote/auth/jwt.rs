//! The two claims of an access token that a stored login is made of. Nothing is verified: the
//! server does that, and what stands here decides nothing but when to renew.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;

use crate::model::Secret;

/// Longer tokens are not JWTs of this platform.
const LIMIT: usize = 64 * 1024;

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Claims {
    /// `sub`: who it is, an e-mail address.
    pub(super) subject: String,
    /// `exp`, in milliseconds since the Unix epoch.
    pub(super) expires_at: u64,
}

/// Reads `sub` and `exp`; `None` if the token is not a JWT that carries both.
pub(super) fn claims(token: &str) -> Option<Claims> {
    #[derive(Deserialize)]
    struct Payload {
        sub: String,
        exp: f64,
    }
    if token.len() > LIMIT {
        return None;
    }
    let mut parts = token.split('.');
    let (_, payload, _) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    let json = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
    let payload: Payload = serde_json::from_slice(&json).ok()?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the cast saturates"
    )]
    let expires_at = (payload.exp * 1000.0) as u64;
    (!payload.sub.is_empty() && expires_at > 0).then_some(Claims {
        subject: payload.sub,
        expires_at,
    })
}

/// Who a token says it belongs to.
pub(crate) fn subject(token: &Secret) -> Option<String> {
    claims(token.expose()).map(|claims| claims.subject)
}

#[cfg(test)]
pub(super) fn token_for(payload: &str) -> String {
    format!("e30.{}.sig", URL_SAFE_NO_PAD.encode(payload))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_with_both_claims_seeds_a_login() {
        let read = claims(&token_for(
            r#"{"sub":"ada@example.com","exp":1700000000,"x":[]}"#,
        ))
        .unwrap();
        assert_eq!(read.subject, "ada@example.com");
        assert_eq!(read.expires_at, 1_700_000_000_000);
        let none = [
            token_for(r#"{"sub":"a"}"#),
            token_for(r#"{"exp":1}"#),
            token_for(r#"{"sub":1,"exp":1}"#),
            token_for(r#"{"sub":"a","exp":-1}"#),
            token_for("[]"),
            "opaque".to_owned(),
            "a.!.c".to_owned(),
            "..".to_owned(),
            format!("{}.x", token_for(r#"{"sub":"a","exp":1}"#)),
        ];
        for token in none {
            assert_eq!(claims(&token), None, "{token}");
        }
    }
}

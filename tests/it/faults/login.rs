//! A person's login: refresh tokens that rotate, and a server that ends the login when one is used
//! twice.

use std::time::Duration;

use serde_json::{Value, json};

use super::server::Fault;

/// The server's side of one login.
#[derive(Clone, Debug)]
pub struct Login {
    generation: usize,
    valid: bool,
    /// A refresh token was used twice: nobody can renew it any more.
    pub revoked: bool,
    /// How long a renewed token lives, in seconds.
    pub lifetime: u64,
    /// How long an answer is on its way after the renewal.
    pub pause: Duration,
}

impl Login {
    pub fn new(lifetime: u64, pause: Duration) -> Self {
        Self {
            generation: 0,
            valid: true,
            revoked: false,
            lifetime,
            pause,
        }
    }

    pub fn expire(&mut self) {
        self.valid = false;
    }

    /// Whether this is the refresh token that the server waits for.
    pub fn is_alive(&self, stored: &str) -> bool {
        !self.revoked && stored.contains(&format!("\"refresh-{}\"", self.generation))
    }

    /// The file of the first tokens, in the shape of the official client.
    pub fn file(url: &str, expires_at: u64) -> String {
        json!({"accessToken": "access-0", "refreshToken": "refresh-0", "expiresAt": expires_at,
               "email": "ada@example.com", "name": "Ada", "apiUrl": url})
        .to_string()
    }

    /// The answer to a renewal, or to a call with a token that is worth nothing.
    pub fn answer(
        &mut self,
        path: &str,
        authorization: &str,
        body: &[u8],
        fault: Option<Fault>,
    ) -> Option<(Duration, u16, Value)> {
        let now = Duration::ZERO;
        if !path.ends_with("/oauth/token") {
            let admitted =
                self.valid && authorization == format!("Bearer access-{}", self.generation);
            return (!admitted).then(|| (now, 401, json!({"detail": "the token has expired"})));
        }
        if let Some(Fault::Status(status)) = fault {
            return Some((now, status, json!({"error": "temporarily_unavailable"})));
        }
        if fault == Some(Fault::ResetBefore) {
            return None;
        }
        let body = String::from_utf8_lossy(body);
        let given = body
            .split('&')
            .find_map(|pair| pair.strip_prefix("refresh_token="));
        if self.revoked || given != Some(&format!("refresh-{}", self.generation)) {
            self.revoked = true;
            return Some((now, 400, json!({"error": "invalid_grant"})));
        }
        self.generation += 1;
        self.valid = true;
        let tokens = json!({"access_token": format!("access-{}", self.generation),
            "refresh_token": format!("refresh-{}", self.generation),
            "token_type": "Bearer", "expires_in": self.lifetime});
        Some((self.pause, 200, tokens))
    }
}

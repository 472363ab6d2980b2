//! Personal access tokens: whose they are, and what they may do.

use serde::{Deserialize, Serialize};

use super::{random, settings::Settings};
use crate::model::Account;

/// A personal access token that works.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeedToken {
    /// The token; `b44u_`, then letters, digits, `_`, `-` and `.`.
    pub token: String,
    /// The person whose rights it has.
    pub user: Account,
    /// `full` unless said otherwise.
    #[serde(default)]
    pub access: Access,
}

/// What a credential may do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    /// Everything that its person may.
    #[default]
    Full,
    /// GET requests.
    ReadOnly,
}

impl Access {
    /// The word in seeds and answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::ReadOnly => "read_only",
        }
    }
}

impl SeedToken {
    pub(super) fn check(&self, settings: &Settings) -> Result<(), String> {
        if !(self.token.starts_with("b44u_") && is_plain(&self.token)) {
            return Err(format!("a token must begin with `b44u_` and {PLAIN}"));
        }
        if !settings.accounts.iter().any(|p| p.email == self.user) {
            return Err(format!(
                "the token of `{}` needs that person in `settings.accounts`",
                self.user
            ));
        }
        Ok(())
    }
}

/// What a key or token is made of: it is printed as a line that a shell takes.
pub(super) const PLAIN: &str = "hold only letters, digits, `_`, `-` and `.`";

/// Whether it is made of that.
pub(super) fn is_plain(secret: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"_-.".contains(&b);
    secret.bytes().all(plain)
}

/// A full and a read-only token for each person; predictable ones, unless the state is kept.
pub(super) fn usual(settings: &Settings, kept: bool) -> Vec<SeedToken> {
    let people = settings.accounts.iter();
    people
        .flat_map(|person| {
            let name: String = person
                .email
                .as_str()
                .split('@')
                .next()
                .unwrap_or_default()
                .chars()
                .filter(char::is_ascii_alphanumeric)
                .collect();
            [(Access::Full, "full"), (Access::ReadOnly, "readonly")].map(|(access, word)| {
                let token = format!("b44u_sandbox_{name}_{word}");
                SeedToken {
                    token: if kept { random::id(&token) } else { token },
                    user: person.email.clone(),
                    access,
                }
            })
        })
        .collect()
}

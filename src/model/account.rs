//! Who gave a consent, and who is expected to: e-mail addresses, whole or masked.
//!
//! What is saved for others to read holds no whole address: its masked form, and a digest salted
//! with the app's id, by which the same account is known again. Case makes no difference in an
//! address, here or there.

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{AppId, hash::Sha256};

/// The account that gave its consent, usually an e-mail address. Untrusted text.
///
/// Two are equal if they are the same account, whichever way they are kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Account(Kept);

/// An address, or what was kept of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum Kept {
    Whole(String),
    Masked(Masked),
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Masked {
    #[serde(rename = "masked")]
    text: String,
    digest: String,
    /// The app whose id salts the digest. The document that holds the account names it.
    #[serde(skip)]
    app: Option<AppId>,
}

impl Account {
    /// Takes an account as the remote spells it.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Kept::Whole(text.into()))
    }

    /// The address as far as it is known: whole, or masked. Escape before showing, mask where
    /// strangers read.
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Kept::Whole(text) => text,
            Kept::Masked(kept) => &kept.text,
        }
    }

    /// The address for places that strangers read: first letter and domain (`o***@example.com`).
    pub fn masked(&self) -> String {
        match &self.0 {
            Kept::Whole(text) => mask(text),
            Kept::Masked(kept) => kept.text.clone(),
        }
    }

    /// The account as it is saved for others: masked, with its digest.
    #[must_use]
    pub fn to_masked(&self, app: &AppId) -> Self {
        Self(Kept::Masked(match &self.0 {
            // Lower case: the digest of a plan does not know how an address was spelt.
            Kept::Whole(text) => Masked {
                text: mask(&text.to_lowercase()),
                digest: digest(app, text),
                app: Some(app.clone()),
            },
            Kept::Masked(kept) => kept.clone(),
        }))
    }

    /// Tells a masked account that was read which app's id salts it.
    #[must_use]
    pub fn salted(mut self, app: &AppId) -> Self {
        if let Kept::Masked(kept) = &mut self.0 {
            kept.app = Some(app.clone());
        }
        self
    }

    /// The domain, in lower case, with its `@`.
    fn domain(&self) -> Option<String> {
        let (_, domain) = self.as_str().rsplit_once('@')?;
        Some(format!("@{}", domain.to_lowercase()))
    }
}

impl PartialEq for Account {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Kept::Whole(a), Kept::Whole(b)) => a.to_lowercase() == b.to_lowercase(),
            (Kept::Masked(a), Kept::Masked(b)) => a.digest == b.digest,
            (Kept::Whole(whole), Kept::Masked(kept)) | (Kept::Masked(kept), Kept::Whole(whole)) => {
                let app = kept.app.as_ref();
                app.is_some_and(|app| digest(app, whole) == kept.digest)
            }
        }
    }
}

impl Eq for Account {}

crate::model::display_as_str!(Account);

#[cfg(test)]
impl JsonSchema for Account {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Account".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "The account that gave its consent, usually an e-mail address.",
            "type": "string",
        })
    }
}

/// Serializes an account as the text that a reader is shown.
#[expect(clippy::ref_option, reason = "serde gives what the field is")]
pub(crate) fn shown<S: serde::Serializer>(
    account: &Option<Account>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    account.as_ref().map(Account::as_str).serialize(serializer)
}

/// The account a file expects: a whole address, or a domain (`@example.com`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ExpectedAccount(Account);

impl ExpectedAccount {
    /// Takes `ops@example.com` or `@example.com`; `None` for anything without an `@` and a domain.
    pub fn parse(text: &str) -> Option<Self> {
        let (_, domain) = text.rsplit_once('@')?;
        let plain = |c: char| !c.is_whitespace() && !c.is_control();
        let taken = || Self(Account::new(text));
        (!domain.is_empty() && text.chars().all(plain)).then(taken)
    }

    /// As the file spells it, or masked.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// As [`Account::masked`]; a domain stays whole.
    pub fn masked(&self) -> String {
        if self.is_domain() {
            return self.as_str().to_owned();
        }
        self.0.masked()
    }

    /// Whether this account may hold the connector. Case is not told apart in addresses.
    pub fn accepts(&self, account: &Account) -> bool {
        if self.is_domain() {
            return account.domain() == self.0.domain();
        }
        self.0 == *account
    }

    /// Whether somebody is expected, and this is known to be somebody else.
    pub fn is_other(expected: Option<&Self>, account: Option<&Account>) -> bool {
        let both = expected.zip(account);
        both.is_some_and(|(expected, account)| !expected.accepts(account))
    }

    /// Whether whoever `other` expects is expected here too.
    pub fn covers(&self, other: &Self) -> bool {
        if self.is_domain() {
            return other.0.domain() == self.0.domain();
        }
        !other.is_domain() && self.0 == other.0
    }

    /// As it is saved for others: a domain stays whole.
    #[must_use]
    pub fn to_masked(&self, app: &AppId) -> Self {
        if self.is_domain() {
            return Self(Account::new(self.as_str().to_lowercase()));
        }
        Self(self.0.to_masked(app))
    }

    /// As [`Account::salted`].
    #[must_use]
    pub fn salted(self, app: &AppId) -> Self {
        Self(self.0.salted(app))
    }

    fn is_domain(&self) -> bool {
        self.as_str().starts_with('@')
    }
}

#[cfg(test)]
impl JsonSchema for ExpectedAccount {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ExpectedAccount".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "The account a file expects: a whole address, or a domain (`@example.com`).",
            "type": "string",
        })
    }
}

/// As [`shown`].
#[expect(clippy::ref_option, reason = "serde gives what the field is")]
pub(crate) fn expected_shown<S: serde::Serializer>(
    account: &Option<ExpectedAccount>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let text = account.as_ref().map(ExpectedAccount::as_str);
    text.serialize(serializer)
}

fn mask(text: &str) -> String {
    let (local, domain) = match text.rsplit_once('@') {
        Some((local, domain)) => (local, format!("@{domain}")),
        None => (text, String::new()),
    };
    match local.chars().next() {
        Some(first) => format!("{first}***{domain}"),
        None => format!("***{domain}"),
    }
}

fn digest(app: &AppId, text: &str) -> String {
    let mut hash = Sha256::default();
    for part in ["connplan account", &app.folded(), &text.to_lowercase()] {
        hash.update(part.as_bytes());
        hash.update(b"\n");
    }
    format!("sha256:{}", hash.hex())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn app(id: &str) -> AppId {
        AppId::parse(id).unwrap()
    }

    #[test]
    fn an_account_is_known_again_without_its_address() {
        let whole = Account::new("Ops@Example.com");
        let kept = Account::new("ops@example.com").to_masked(&app("a"));
        assert_eq!(kept.as_str(), "o***@example.com");
        assert_eq!(whole, kept);
        assert_eq!(kept, whole.to_masked(&app("a")));
        assert_eq!(whole, Account::new("ops@example.COM"));
        assert_ne!(whole.to_masked(&app("a")), whole.to_masked(&app("b")));
        assert_ne!(Account::new("old@example.com"), kept);
    }

    #[test]
    fn what_was_read_has_to_be_told_its_app() {
        let text = serde_json::to_string(&Account::new("ops@example.com").to_masked(&app("a")));
        let text = text.unwrap();
        assert!(!text.contains("ops@"), "{text}");
        let read: Account = serde_json::from_str(&text).unwrap();
        let whole = Account::new("ops@example.com");
        assert_ne!(read.clone(), whole);
        assert_eq!(read.salted(&app("a")), whole);
    }

    #[test]
    fn a_domain_accepts_whole_and_masked_accounts() {
        let domain = ExpectedAccount::parse("@Example.com").unwrap();
        let account = Account::new("ops@example.com");
        assert!(domain.accepts(&account));
        assert!(domain.accepts(&account.to_masked(&app("a"))));
        assert!(!domain.accepts(&Account::new("ops@sub.example.com")));
        let one = ExpectedAccount::parse("ops@example.com").unwrap();
        assert!(one.to_masked(&app("a")).accepts(&account));
        assert!(one.accepts(&account.to_masked(&app("a"))));
        assert!(
            !one.to_masked(&app("a"))
                .accepts(&Account::new("o@example.com"))
        );
    }
}

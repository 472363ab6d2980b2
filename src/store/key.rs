//! Names of values.

use crate::model::{App, sha256};

/// The name of a value: segments of letters, digits, `_`, `-` and `.`, joined by `/`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(String);

impl Key {
    /// Takes a name; `None` if it is not one.
    pub fn parse(text: &str) -> Option<Self> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"_-.".contains(&b);
        let segment = |segment: &str| {
            !segment.is_empty() && !segment.starts_with('.') && segment.bytes().all(plain)
        };
        let valid = text.len() <= 300 && text.split('/').all(segment);
        valid.then(|| Self(text.to_owned()))
    }

    /// The whole name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it lies below a folder.
    pub fn is_below(&self, folder: &str) -> bool {
        let rest = self.0.strip_prefix(folder);
        rest.is_some_and(|rest| rest.starts_with('/'))
    }
}

crate::model::display_as_str!(Key);

/// The folder of one app at one address.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AppKey(String);

impl AppKey {
    /// The app by a digest of address and id, and the id to read. The platform may read ids without regard to
    /// case, so one in other letters has no memory of its own.
    pub fn of(app: &App) -> Self {
        let id = app.id.folded();
        let whole = format!("{}\n{id}", app.api_url);
        let short = sha256(whole.as_bytes(), 16);
        let plain = |c: char| {
            if c.is_ascii_alphanumeric() || c == '-' {
                c
            } else {
                '_'
            }
        };
        let id: String = id.chars().map(plain).collect();
        Self(format!("{short}-{id}"))
    }

    /// The folder's name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_in_other_letters_is_the_same_app() {
        let of = |id: &str| {
            AppKey::of(&App {
                id: crate::model::AppId::parse(id).unwrap(),
                api_url: crate::model::ApiUrl::default(),
                environment: None,
            })
        };
        assert_eq!(of("AB-1"), of("ab-1"));
        assert_ne!(of("ab-1"), of("ab_1"));
    }

    #[test]
    fn no_key_leads_out_of_its_folder() {
        for bad in [
            "", "/", "a/", "../a", "a/../b", "a/.git", "a b", "a\n", "a:b", "ä",
        ] {
            assert!(Key::parse(bad).is_none(), "{bad}");
        }
        let key = Key::parse("log/0001-x.toml").unwrap();
        assert!(key.is_below("log") && !key.is_below("lo"));
    }
}

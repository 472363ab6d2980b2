//! What a scope permits, as reports, schemas and people are told.

#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    catalogue::{self, Access},
    model::{ConnectorType, Scope},
};

/// The classes by which providers mark scopes that not everybody may ask for: Google's
/// `restricted`, `HubSpot`'s `highly-sensitive`, Microsoft's `admin-consent`, `LinkedIn`'s
/// `private`.
pub const RESTRICTED_CLASSES: [&str; 4] =
    ["restricted", "highly-sensitive", "admin-consent", "private"];

/// Whether a provider's class is one of [`RESTRICTED_CLASSES`].
pub fn is_restricted(class: Option<&str>) -> bool {
    class.is_some_and(|class| RESTRICTED_CLASSES.contains(&class))
}

/// What is known of one scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct FactReport {
    /// What it permits, in a few words; null if nothing is known.
    pub meaning: Option<&'static str>,
    /// `identity`, `read`, `write` or `admin`; null if nothing is known.
    pub access: Option<Access>,
    /// How far a scope reaches that it includes, where that is further; `admin` of one that is not known and
    /// may be all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reaches: Option<Access>,
    /// The provider's own class, where it has one and publishes it.
    pub class: Option<&'static str>,
    /// The provider has a class for it and does not say which.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub class_unpublished: bool,
    /// Whether the catalogue knows the scope. An unknown one is not thereby safe.
    pub known: bool,
    /// The known scope that an unknown one may be read as: rules take it for that, and `reaches` and `class` are
    /// that one's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stands_for: Option<&'static str>,
}

impl FactReport {
    /// Looks the scope up. Where the provider reads it as several, it counts as the gravest of them.
    pub fn of(connector: &ConnectorType, scope: &Scope) -> Self {
        let parts = catalogue::parts(connector.as_str(), scope.as_str());
        let parts = parts.map(|part| Self::of_one(connector, part));
        let gravest = parts.max_by_key(|fact| (fact.is_grave(), !fact.reads(), fact.access));
        gravest.unwrap_or_else(|| Self::of_one(connector, scope.as_str()))
    }

    fn of_one(connector: &ConnectorType, scope: &str) -> Self {
        match catalogue::fact(connector.as_str(), scope) {
            Some(fact) => Self {
                meaning: Some(fact.meaning),
                access: Some(fact.access),
                reaches: fact.reaches,
                class: fact.class,
                class_unpublished: fact.class_unpublished,
                known: true,
                stands_for: None,
            },
            None => Self::unknown(connector.as_str(), scope),
        }
    }

    fn unknown(connector: &str, scope: &str) -> Self {
        let stands_for = catalogue::spelt_out(connector, scope);
        let meant = stands_for.and_then(|meant| catalogue::fact(connector, meant));
        let all = catalogue::is_unbounded(connector, scope).then_some(Access::Admin);
        Self {
            meaning: None,
            access: None,
            reaches: meant.map(|meant| meant.reach()).or(all),
            class: meant.and_then(|meant| meant.class),
            class_unpublished: meant.is_some_and(|meant| meant.class_unpublished),
            known: false,
            stands_for,
        }
    }

    /// Whether asking for it is a risk, known or not: a reader sees it however long the list is.
    pub fn is_risky(&self) -> bool {
        self.is_grave() || self.class.is_some() || self.class_unpublished || !self.reads()
    }

    fn reads(&self) -> bool {
        matches!(self.access, Some(Access::Identity | Access::Read))
    }

    /// Whether it reaches so far that it is a danger.
    pub fn is_grave(&self) -> bool {
        self.reach() == Some(Access::Admin) || is_restricted(self.class)
    }

    /// How far it reaches with all that it includes.
    pub fn reach(&self) -> Option<Access> {
        self.reaches.or(self.access)
    }

    /// Whether it is not known, and may be all.
    pub fn is_unbounded(&self) -> bool {
        !self.known && self.reaches.is_some() && self.stands_for.is_none()
    }

    /// What asking for the scope gives, in one line for a person: `read all mail · read,
    /// RESTRICTED`. Own words only.
    pub fn describe(&self) -> String {
        self.line(true)
    }

    /// The same of a scope that is lost: nothing to warn of.
    pub fn describe_lost(&self) -> String {
        self.line(false)
    }

    fn line(&self, gained: bool) -> String {
        let grave = |word: &str, grave: bool| {
            if grave && gained {
                word.to_uppercase()
            } else {
                word.to_owned()
            }
        };
        let word = |access: Access| grave(access.as_str(), access == Access::Admin);
        let class = self.class.map_or_else(String::new, |class| {
            format!(", {}", grave(class, is_restricted(Some(class))))
        });
        match (self.meaning, self.access) {
            (Some(meaning), Some(access)) => {
                let reaches = self.reaches.map_or_else(String::new, |reaches| {
                    format!(", reaches {}", word(reaches))
                });
                format!("{meaning} · {}{reaches}{class}", word(access))
            }
            _ if gained && let Some((meant, reaches)) = self.stands_for.zip(self.reaches) => {
                format!("unknown, may be read as {meant}: {}{class}", word(reaches))
            }
            _ if gained && self.is_unbounded() => {
                "unknown, and may reach everything: may be ADMIN".to_owned()
            }
            _ if gained => "unknown, which does not mean safe".to_owned(),
            _ => "unknown".to_owned(),
        }
    }
}

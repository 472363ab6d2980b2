//! Who of a forge's users is a person.

use std::fmt;

use serde_json::Value;

use super::{Forge, marker::word};

/// GitHub's name for commits that were made on its own pages.
const WEB_FLOW: &str = "web-flow";

/// An account of a forge.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Account {
    /// What it is called now, as `marker::word` writes it; its owner may call it otherwise tomorrow.
    name: String,
    /// Its number, which stays.
    id: Option<u64>,
}

impl Account {
    pub(super) fn of(login: &str, id: Option<u64>) -> Self {
        Self {
            name: word(login),
            id,
        }
    }

    /// Takes what `Display` wrote. An older comment has no number.
    pub(super) fn parse(text: &str) -> Self {
        let (name, id) = match text.rsplit_once('#') {
            Some((name, id)) => (name, id.parse().ok()),
            None => (text, None),
        };
        Self {
            name: name.to_owned(),
            id,
        }
    }

    /// Whether it is the same one. Who else may be called so by now is not, where both numbers are known.
    pub(super) fn is(&self, other: &Self) -> bool {
        match (self.id, other.id) {
            (Some(one), Some(other)) => one == other,
            _ => self.name.eq_ignore_ascii_case(&other.name),
        }
    }
}

impl fmt::Display for Account {
    /// `eve#66`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        self.id.map_or(Ok(()), |id| write!(f, "#{id}"))
    }
}

/// Whether a user is a program, by the forge's word or by a name that no person has. An answer
/// without a word of it, as of an older server, is a person's.
pub(super) fn is_program(forge: Forge, user: &Value, name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let of_token = |kind: &str| {
        let rest = name.strip_prefix(kind);
        rest.and_then(|rest| rest.split_once("_bot"))
            .is_some_and(|(id, _)| !id.is_empty() && id.bytes().all(|b| b.is_ascii_digit()))
    };
    match forge {
        Forge::GitHub => {
            name.ends_with("[bot]") || !(user["type"].is_null() || user["type"] == "User")
        }
        Forge::GitLab => {
            of_token("project_")
                || of_token("group_")
                || name.starts_with("service_account_")
                || !(user["bot"].is_null() || user["bot"] == false)
        }
    }
}

/// Whether a name is none of a person's: commits that were made on GitHub's own pages have it.
pub(super) fn is_web_flow(name: &str) -> bool {
    name.eq_ignore_ascii_case(WEB_FLOW)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A server that tells of nobody's kind.
    #[test]
    fn a_program_is_known_by_its_name_in_any_letters() {
        let silent = Value::Null;
        for name in ["acme[bot]", "Acme[Bot]"] {
            assert!(is_program(Forge::GitHub, &silent, name), "{name}");
        }
        for name in ["project_1_bot", "Project_1_Bot_x", "GROUP_2_bot"] {
            assert!(is_program(Forge::GitLab, &silent, name), "{name}");
        }
        assert!(!is_program(Forge::GitLab, &silent, "project_bot"));
    }

    #[test]
    fn an_account_is_known_by_its_number_and_by_its_name_where_there_is_none() {
        let eve = Account::of("eve-x", Some(66));
        assert_eq!(eve.to_string(), "eve%2Dx#66");
        assert_eq!(Account::parse(&eve.to_string()), eve);
        let named = Account::parse("eve%2Dx");
        assert_eq!(named, Account::of("eve-x", None));
        for (other, same) in [
            (&named, true),
            (&Account::of("Eve-X", None), true),
            (&Account::of("eva", Some(66)), true),
            (&Account::of("eve-x", Some(67)), false),
            (&Account::of("eva", None), false),
        ] {
            assert_eq!(eve.is(other), same, "{other}");
        }
    }
}

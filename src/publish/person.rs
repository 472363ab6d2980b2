//! Who of a forge's users is a person.

use serde_json::Value;

use super::Forge;

/// GitHub's name for commits that were made on its own pages.
const WEB_FLOW: &str = "web-flow";

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
}

//! What providers do to scopes on their own account, as the connectors of the sandbox see it.

use crate::model::{ConnectorType, Scope, Scopes};

const GOOGLE_EMAIL: &str = "https://www.googleapis.com/auth/userinfo.email";
const GOOGLE_PROFILE: &str = "https://www.googleapis.com/auth/userinfo.profile";

fn is_google(connector: &ConnectorType) -> bool {
    connector.as_str().starts_with("google") || connector.as_str() == "gmail"
}

/// The scope as the provider spells it in its answer.
pub(super) fn spelled(connector: &ConnectorType, scope: &Scope) -> Scope {
    match scope.as_str() {
        "email" if is_google(connector) => Scope::new(GOOGLE_EMAIL),
        "profile" if is_google(connector) => Scope::new(GOOGLE_PROFILE),
        _ => scope.clone(),
    }
}

/// What the provider grants when a person ticks `ticked`: its own spelling, and what it adds.
pub(super) fn granted(connector: &ConnectorType, ticked: &Scopes) -> Scopes {
    let added: &[&str] = match connector.as_str() {
        _ if is_google(connector) => &["openid", GOOGLE_EMAIL],
        "slack" => &["identify"],
        "hubspot" => &["oauth"],
        "linear" => &["read"],
        "tiktok" => &["user.info.basic"],
        _ => &[],
    };
    let spelt = ticked.iter().map(|scope| spelled(connector, scope));
    spelt
        .chain(added.iter().map(|text| Scope::from(*text)))
        .collect()
}

/// Whether everything asked for was granted before, in whatever spelling.
pub(super) fn covers(connector: &ConnectorType, granted: &Scopes, asked: &Scopes) -> bool {
    asked
        .iter()
        .all(|scope| granted.contains(scope) || granted.contains(&spelled(connector, scope)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn google_adds_and_respells() {
        let gmail = ConnectorType::parse("gmail").unwrap();
        let asked: Scopes = ["email", "https://mail.google.com/"].into_iter().collect();
        let got = granted(&gmail, &asked);
        let expected = [GOOGLE_EMAIL, "https://mail.google.com/", "openid"];
        assert_eq!(got, expected.into_iter().collect());
        assert!(covers(&gmail, &got, &asked));
        assert!(!covers(&gmail, &got, &["profile"].into_iter().collect()));
    }

    #[test]
    fn others_grant_what_was_ticked() {
        let notion = ConnectorType::parse("notion").unwrap();
        assert!(granted(&notion, &Scopes::new()).is_empty());
    }
}

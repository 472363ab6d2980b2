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

/// What a provider adds by itself.
pub(super) fn added(connector: &ConnectorType) -> &'static [&'static str] {
    match connector.as_str() {
        _ if is_google(connector) => &["openid", GOOGLE_EMAIL],
        "slack" => &["identify"],
        "hubspot" => &["oauth"],
        "linear" => &["read"],
        "tiktok" => &["user.info.basic"],
        _ => &[],
    }
}

/// What the provider grants when a person ticks `ticked`: its own spelling, and what it adds.
pub(super) fn granted(connector: &ConnectorType, ticked: &Scopes) -> Scopes {
    let spelt = ticked.iter().map(|scope| spelled(connector, scope));
    spelt
        .chain(added(connector).iter().map(|text| Scope::from(*text)))
        .collect()
}

/// Whether exactly what is asked for was granted, in whatever spelling; what the provider and the
/// platform (`more`) add by themselves does not count.
pub(super) fn exactly(
    connector: &ConnectorType,
    granted: &Scopes,
    asked: &Scopes,
    more: Option<&Scopes>,
) -> bool {
    let asked: Scopes = asked.iter().map(|s| spelled(connector, s)).collect();
    let own = |scope: &Scope| {
        added(connector).contains(&scope.as_str()) || more.is_some_and(|more| more.contains(scope))
    };
    let granted: Scopes = granted.iter().map(|s| spelled(connector, s)).collect();
    asked.iter().all(|s| granted.contains(s) || own(s))
        && granted.iter().all(|s| asked.contains(s) || own(s))
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
        assert!(exactly(&gmail, &got, &asked, None));
        assert!(exactly(&gmail, &asked, &asked, None), "nothing was added");
        let less = ["https://mail.google.com/"].into_iter().collect();
        assert!(exactly(&gmail, &got, &less, None), "the address is its own");
        assert!(!exactly(
            &gmail,
            &got,
            &["email"].into_iter().collect(),
            None
        ));
    }

    #[test]
    fn others_grant_what_was_ticked() {
        let notion = ConnectorType::parse("notion").unwrap();
        assert!(granted(&notion, &Scopes::new()).is_empty());
    }
}

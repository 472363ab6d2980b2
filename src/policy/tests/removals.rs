//! What counts as a removal.

use super::*;

#[test]
fn a_protected_connector_without_its_scopes_is_a_removal() {
    let policy = Policy {
        protected: set(named("slack")),
        ..Policy::default()
    };
    let mut cut = change("slack", Action::Update, &[]);
    cut.scopes.removed = ["chat:write"].into_iter().collect();
    assert_eq!(broken(&policy, &[cut.clone()]), ["protected"]);
    // Whatever it gets instead, those who need it have lost it.
    cut.after = change("slack", Action::Update, &["users:read"]).after;
    let both = Policy {
        max_removals: Some(Removals::Count(0)),
        ..policy.clone()
    };
    assert_eq!(broken(&both, &[cut.clone()]), ["protected", "max_removals"]);
    cut.scopes.kept = ["users:read"].into_iter().collect();
    assert_eq!(broken(&both, &[cut]), [""; 0]);
}

/// What a provider adds by itself, and only says who signed in, is of no use to those who need the connector.
#[test]
fn what_the_provider_adds_keeps_no_connector() {
    let judged = |name, kept: &str, removed: &str| {
        let policy = Policy {
            protected: set(named(name)),
            ..Policy::default()
        };
        let mut cut = change(name, Action::Update, &[kept]);
        cut.scopes.kept = [kept].into_iter().collect();
        cut.scopes.removed = [removed].into_iter().collect();
        broken(&policy, &[cut])
    };
    let send = "https://www.googleapis.com/auth/gmail.send";
    assert_eq!(judged("gmail", "openid", send), ["protected"]);
    assert_eq!(judged("outlook", "User.Read", "Mail.Send"), ["protected"]);
    assert_eq!(
        judged("hubspot", "oauth", "crm.objects.contacts.read"),
        ["protected"]
    );
    // What only the settings call added is lost; what the built-in rules do, or what a wider one brings, is not.
    let hidden = |kept: &str, added: &str, provider_added: &str| {
        let policy = Policy {
            protected: set(named("gmail")),
            ..Policy::default()
        };
        let mut cut = change("gmail", Action::Update, &[added]);
        cut.scopes.kept = kept.split_whitespace().collect();
        cut.scopes.added = [added].into_iter().collect();
        cut.scopes.provider_added = [provider_added].into_iter().collect();
        broken(&policy, &[cut])
    };
    let profile = "https://www.googleapis.com/auth/userinfo.profile";
    assert_eq!(hidden("", profile, send), ["protected"]);
    assert_eq!(hidden(send, profile, send), [""; 0]);
    assert_eq!(hidden("", send, "openid"), [""; 0]);
    assert_eq!(hidden("", "https://mail.google.com/", send), [""; 0]);
    // Linear adds this one, too, and it reads; and who had no other scope loses none.
    assert_eq!(judged("linear", "read", "write"), [""; 0]);
    assert_eq!(judged("gmail", "openid", "email"), [""; 0]);
}

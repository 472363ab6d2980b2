//! Scopes that are for another type of the same provider.

use super::*;

/// One provider gives its scopes to each of its types: a rule about mail is one about all that reads mail.
#[test]
fn a_scope_of_another_type_is_held_to_the_rules_of_that_type() {
    let mail = "https://mail.google.com/";
    let drive = "https://www.googleapis.com/auth/drive";
    let gmail = || Some(named("gmail"));
    let access = Policy {
        max_access: [(gmail(), Access::Read), (None, Access::Admin)].into(),
        ..Policy::default()
    };
    let class = Policy {
        max_class: [(gmail(), Class::Sensitive), (None, Class::Restricted)].into(),
        ..Policy::default()
    };
    let denied = Policy {
        denied_scopes: [(gmail(), set(Scope::from("*")))].into(),
        ..Policy::default()
    };
    let allowed = Policy {
        allowed_scopes: [
            (gmail(), set(Scope::from("*.readonly"))),
            (Some(named("googledrive")), set(Scope::from("*"))),
        ]
        .into(),
        ..Policy::default()
    };
    for (policy, rule) in [
        (access, "max_access"),
        (class, "max_class"),
        (denied, "denied_scopes"),
        (allowed, "allowed_scopes"),
    ] {
        let judged = |scope| broken(&policy, &[create("googledrive", &[scope])]);
        assert_eq!(judged(mail), [rule], "{rule}");
        assert_eq!(judged(drive), [""; 0], "{rule}");
    }
}

/// What stands for all that a client may have, or is bounded by nothing, no type is spared by.
#[test]
fn a_scope_for_everything_is_held_to_the_rules_of_each_type_of_its_provider() {
    let of_outlook = |name: &str| Policy {
        denied_scopes: [(Some(named(name)), set(Scope::from("Mail.*")))].into(),
        ..Policy::default()
    };
    for (ruled, connector, scope, denied) in [
        (
            "outlook",
            "one_drive",
            "https://graph.microsoft.com/.default",
            true,
        ),
        (
            "outlook",
            "microsoft_teams",
            "https://outlook.office.com/.default",
            true,
        ),
        ("outlook", "one_drive", "Mail.ReadWrite", true),
        ("outlook", "one_drive", "Files.Read", false),
        (
            "gmail",
            "one_drive",
            "https://graph.microsoft.com/.default",
            false,
        ),
    ] {
        let found = broken(&of_outlook(ruled), &[create(connector, &[scope])]);
        assert_eq!(!found.is_empty(), denied, "{ruled}: {connector} {scope}");
    }
    let read = Policy {
        max_access: [(Some(named("outlook")), Access::Read)].into(),
        ..Policy::default()
    };
    let all = "https://outlook.office365.com/EWS.AccessAsUser.All";
    let found = broken(&read, &[create("one_drive", &[all])]);
    assert!(found.contains(&"max_access"), "{found:?}");
}

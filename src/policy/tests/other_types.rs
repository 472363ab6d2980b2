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

/// Who may not connect mail may not do so as a calendar.
#[test]
fn a_scope_of_another_type_is_held_to_the_rules_about_types() {
    const MAIL: &str = "https://mail.google.com/";
    const DRIVE: &str = "https://www.googleapis.com/auth/drive";
    const CALENDAR: &str = "https://www.googleapis.com/auth/calendar";
    const EMAIL: &str = "https://www.googleapis.com/auth/userinfo.email";
    const ALL: &str = "https://graph.microsoft.com/.default";
    let denied = |names: &[&str]| Policy {
        denied_types: names.iter().map(|name| named(name)).collect(),
        ..Policy::default()
    };
    let allowed = |names: &[&str]| Policy {
        allowed_types: Some(names.iter().map(|name| named(name)).collect()),
        ..Policy::default()
    };
    let cases: [(Policy, &str, &[&str], &[&str]); 17] = [
        (
            denied(&["gmail"]),
            "googlecalendar",
            &[MAIL],
            &["denied_types"],
        ),
        (
            denied(&["GMail"]),
            "googlecalendar",
            &["mail.google.com"],
            &["denied_types"],
        ),
        (
            denied(&["gmail"]),
            "googlecalendar",
            &[CALENDAR, "openid", EMAIL],
            &[],
        ),
        // Not listed, and no less a type of this provider.
        (
            denied(&["googlecalendar", "gmail"]),
            "google_chat",
            &["openid", "email"],
            &[],
        ),
        (
            denied(&["gmail"]),
            "google_chat",
            &[MAIL],
            &["denied_types"],
        ),
        // It offers them itself.
        (denied(&["googledrive"]), "googledocs", &[DRIVE], &[]),
        (denied(&["slack"]), "slackbot", &["chat:write"], &[]),
        (
            denied(&["outlook"]),
            "one_drive",
            &["Files.Read", "User.Read", "offline_access"],
            &[],
        ),
        (
            denied(&["outlook"]),
            "one_drive",
            &["Mail.Read"],
            &["denied_types"],
        ),
        // All that there is.
        (denied(&["outlook"]), "one_drive", &[ALL], &["denied_types"]),
        (denied(&["gmail"]), "one_drive", &[ALL], &[]),
        (denied(&["gmail"]), "gmail", &[MAIL], &["denied_types"]),
        (
            allowed(&["googlecalendar"]),
            "googlecalendar",
            &[MAIL],
            &["allowed_types"],
        ),
        (
            allowed(&["googlecalendar"]),
            "googlecalendar",
            &[CALENDAR, EMAIL],
            &[],
        ),
        // One of those that it is for is allowed.
        (
            allowed(&["googlecalendar", "googledocs"]),
            "googlecalendar",
            &[DRIVE],
            &[],
        ),
        (
            allowed(&["googlecalendar"]),
            "gmail",
            &[MAIL],
            &["allowed_types"],
        ),
        (
            allowed(&["slackbot"]),
            "slackbot",
            &["chat:write", "no-such:scope"],
            &[],
        ),
    ];
    for (policy, connector, scopes, rules) in cases {
        let found = broken(&policy, &[create(connector, scopes)]);
        assert_eq!(found, rules, "{connector} {scopes:?} {policy:?}");
    }
}

#[test]
fn a_scope_of_another_type_expects_the_account_of_that_type() {
    const MAIL: &str = "https://mail.google.com/";
    let account = |text: &str| ExpectedAccount::parse(text).unwrap();
    let policy = Policy {
        accounts: [
            (Some(named("gmail")), account("ops@example.com")),
            (None, account("@example.com")),
        ]
        .into(),
        ..Policy::default()
    };
    let scopes = |scope: &str| [scope].into_iter().collect();
    let calendar = named("googlecalendar");
    let expected = |scope| policy.account(&calendar, &scopes(scope)).cloned();
    assert_eq!(expected(MAIL), Some(account("ops@example.com")));
    assert_eq!(expected("openid"), Some(account("@example.com")));
    for (scope, declared, rules) in [
        (MAIL, "ada@example.com", &["accounts"][..]),
        (MAIL, "ops@example.com", &[]),
        ("openid", "ada@example.com", &[]),
        (MAIL, "eve@elsewhere.example", &["accounts"]),
    ] {
        let mut change = create("googlecalendar", &[scope]);
        change.after.as_mut().unwrap().account = Some(account(declared));
        assert_eq!(broken(&policy, &[change]), rules, "{scope} {declared}");
    }
}

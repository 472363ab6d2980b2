//! Each rule with what trips it and what just does not.

mod both;
mod other_types;
mod removals;
mod within;

use super::*;
use crate::{
    diff::{Action, Change, ConsentNeed, Desired},
    model::Policies,
};

fn named(connector: &str) -> ConnectorType {
    ConnectorType::parse(connector).unwrap()
}

fn change(connector: &str, action: Action, scopes: &[&str]) -> Change {
    Change {
        after: (action != Action::Delete).then(|| Desired {
            scopes: scopes.iter().copied().collect(),
            ..Desired::default()
        }),
        authorization: ConsentNeed::Required,
        ..Change::new(named(connector), action)
    }
}

fn create(connector: &str, scopes: &[&str]) -> Change {
    change(connector, Action::Create, scopes)
}

fn broken(policy: &Policy, changes: &[Change]) -> Vec<&'static str> {
    let found = evaluate(changes, 10, policy, &Policies::default(), &[]);
    found.violations.iter().map(|found| found.rule).collect()
}

fn set<T: Ord>(one: T) -> BTreeSet<T> {
    [one].into()
}

#[test]
fn each_rule_trips_at_its_limit_and_not_before() {
    let gmail = |name: &str| format!("https://www.googleapis.com/auth/gmail.{name}");
    let (send, read) = (gmail("send"), gmail("readonly"));
    let delete = |name: &str| change(name, Action::Delete, &[]);
    let scopes = |pattern: &str| [(None, set(Scope::from(pattern)))].into();
    let base = Policy::default;
    let cases: [(Rule, Policy, Vec<Change>, Vec<Change>); 12] = [
        (
            Rule::Protected,
            Policy {
                protected: set(named("slack")),
                ..base()
            },
            vec![delete("slack")],
            vec![delete("notion"), create("slack", &[])],
        ),
        (
            Rule::MaxRemovals,
            Policy {
                max_removals: Some(Removals::Count(1)),
                ..base()
            },
            vec![delete("slack"), delete("notion")],
            vec![delete("slack"), create("notion", &[])],
        ),
        (
            Rule::MaxRemovals,
            Policy {
                max_removals: Some(Removals::Percent(10)),
                ..base()
            },
            vec![delete("slack"), delete("notion")],
            vec![delete("slack")],
        ),
        (
            Rule::AllowedTypes,
            Policy {
                allowed_types: Some(set(named("slack"))),
                ..base()
            },
            vec![create("notion", &[])],
            vec![create("slack", &[]), delete("notion")],
        ),
        (
            Rule::DeniedTypes,
            Policy {
                denied_types: set(named("notion")),
                ..base()
            },
            vec![create("notion", &[])],
            vec![create("slack", &[]), delete("notion")],
        ),
        (
            Rule::MaxClass,
            Policy {
                max_class: [(None, Class::Sensitive)].into(),
                ..base()
            },
            vec![create("gmail", &[&read])],
            vec![create("gmail", &[&send]), create("slack", &["chat:write"])],
        ),
        (
            Rule::MaxClass,
            Policy {
                max_class: [(None, Class::None)].into(),
                ..base()
            },
            vec![create("gmail", &[&send])],
            vec![create("slack", &["chat:write"])],
        ),
        (
            Rule::MaxAccess,
            Policy {
                max_access: [(Some(named("gmail")), Access::Read)].into(),
                ..base()
            },
            vec![create("gmail", &[&send])],
            vec![create("gmail", &[&read]), create("slack", &["chat:write"])],
        ),
        (
            Rule::AllowedScopes,
            Policy {
                allowed_scopes: scopes("chat:*"),
                ..base()
            },
            vec![create("slack", &["users:read"])],
            vec![create("slack", &["chat:write"])],
        ),
        (
            Rule::DeniedScopes,
            Policy {
                denied_scopes: scopes("*.send"),
                ..base()
            },
            vec![create("gmail", &[&send])],
            vec![create("gmail", &[&read])],
        ),
        (
            Rule::Accounts,
            Policy {
                accounts: [(None, ExpectedAccount::parse("@example.com").unwrap())].into(),
                ..base()
            },
            vec![create("slack", &[])],
            vec![create("stripe", &[])],
        ),
        (
            Rule::UnknownScopes,
            Policy {
                unknown_scopes: Some(Severity::Deny),
                ..base()
            },
            vec![create("slack", &["no-such:scope"])],
            vec![create("slack", &["chat:write"])],
        ),
    ];
    for (rule, policy, trips, passes) in cases {
        assert_eq!(broken(&policy, &trips), [rule.as_str()], "{rule}");
        assert_eq!(broken(&policy, &passes), [] as [&str; 0], "{rule}");
        // What is as it is needs no verdict; what waits, or was left out, does.
        let mut same = trips.clone();
        for change in &mut same {
            change.action = Action::NoOp;
            change.authorization = ConsentNeed::None;
        }
        assert_eq!(broken(&policy, &same), [] as [&str; 0], "{rule}");
        if trips[0].after.is_some() {
            same[0].authorization = ConsentNeed::Pending;
            assert_eq!(broken(&policy, &same), [rule.as_str()], "{rule}");
            same[0].authorization = ConsentNeed::None;
            same[0].dropped = ["left:out"].into_iter().collect();
            assert_eq!(broken(&policy, &same), [rule.as_str()], "{rule}");
        }
    }
}

/// Whatever may be more than it shows is judged as that.
#[test]
fn what_is_not_named_not_known_or_reaches_further_is_no_way_under_a_ceiling() {
    let access = |most| Policy {
        max_access: [(None, most)].into(),
        ..Policy::default()
    };
    let class = |most| Policy {
        max_class: [(None, most)].into(),
        ..Policy::default()
    };
    let only = |pattern: &str| Policy {
        allowed_scopes: [(None, set(Scope::from(pattern)))].into(),
        ..Policy::default()
    };
    let google = |name: &str| format!("https://www.googleapis.com/auth/{name}");
    let (labels, calendar) = (google("drive.admin.labels"), google("calendar"));
    let all = "https://graph.microsoft.com/.default";
    let sites = "https://acme.sharepoint.com/AllSites.FullControl";
    let cases: [(&str, &[&str], Policy, &[&str]); 19] = [
        // It reaches as far as what it includes.
        (
            "googlecalendar",
            &[&calendar],
            access(Access::Write),
            &["max_access"],
        ),
        ("googlecalendar", &[&calendar], access(Access::Admin), &[]),
        (
            "asana",
            &["default"],
            access(Access::Write),
            &["max_access"],
        ),
        // All that the client may have.
        ("outlook", &[all], access(Access::Write), &["max_access"]),
        (
            "outlook",
            &[".default"],
            class(Class::Sensitive),
            &["max_class"],
        ),
        // Another service's permission: as that of its name, else as all.
        (
            "outlook",
            &["https://outlook.office.com/Mail.Send"],
            access(Access::Read),
            &["max_access"],
        ),
        (
            "share_point",
            &[sites],
            access(Access::Write),
            &["max_access", "unknown_scopes"],
        ),
        (
            "share_point",
            &[sites],
            class(Class::Sensitive),
            &["max_class", "unknown_scopes"],
        ),
        // Each half by its own ceiling, and the unknown one as unknown.
        (
            "googledrive",
            &[&labels],
            access(Access::Write),
            &["max_access", "unknown_scopes"],
        ),
        (
            "googledrive",
            &[&labels],
            access(Access::Admin),
            &["unknown_scopes"],
        ),
        (
            "googledrive",
            &[&labels],
            class(Class::Restricted),
            &["unknown_scopes"],
        ),
        // No scope is one that nobody knows, but where there is none to have.
        ("dropbox", &[], access(Access::Admin), &["unknown_scopes"]),
        ("dropbox", &[], only("files.*"), &["allowed_scopes"]),
        ("dropbox", &[], only("*"), &[]),
        ("notion", &[], access(Access::Identity), &["unknown_scopes"]),
        ("square", &[], only("nothing"), &["allowed_scopes"]),
        ("stripe", &[], access(Access::Identity), &[]),
        // Another case is another scope, but for Microsoft.
        (
            "slack",
            &["CHAT:write"],
            only("chat:*"),
            &["allowed_scopes"],
        ),
        ("outlook", &["MAIL.Read"], only("mail.*"), &[]),
    ];
    for (connector, scopes, policy, expected) in cases {
        let found = broken(&policy, &[create(connector, scopes)]);
        assert_eq!(found, expected, "{connector} {scopes:?}");
    }
}

#[test]
fn a_denied_scope_comes_back_in_no_other_dress() {
    let deny = |connector: &str, pattern: &str| Policy {
        denied_scopes: [(Some(named(connector)), set(Scope::from(pattern)))].into(),
        ..Policy::default()
    };
    for (connector, pattern, scope) in [
        ("outlook", "Mail.Read", "mail.READ"),
        (
            "outlook",
            "Mail.Read",
            "https://graph.microsoft.com/Mail.Read",
        ),
        ("outlook", "https://graph.microsoft.com/mail.*", "Mail.Send"),
        ("outlook", "mail.*", "HTTPS://GRAPH.microsoft.com/MAIL.Send"),
        (
            "outlook",
            "Mail.Read",
            "https://graph.microsoft.com//Mail.Read",
        ),
        (
            "outlook",
            "Mail.Read",
            "00000003-0000-0000-c000-000000000000/Mail.Read",
        ),
        (
            "outlook",
            "Mail.*",
            "00000003-0000-0000-C000-000000000000/ags.windows.net/mail.read",
        ),
        (
            "outlook",
            "Mail.Read",
            "https://graph.microsoft.us/Mail.Read",
        ),
        (
            "outlook",
            "Mail.Read",
            "https://graph.microsoft.com/.default",
        ),
        // Another service of Microsoft's, and all of one.
        (
            "outlook",
            "Mail.ReadWrite",
            "https://outlook.office.com/mail.readwrite",
        ),
        (
            "outlook",
            "https://outlook.office.com/IMAP.*",
            "00000002-0000-0ff1-ce00-000000000000//IMAP.AccessAsUser.All/",
        ),
        (
            "outlook",
            "Mail.Read",
            "https://management.azure.com//.default",
        ),
        (
            "share_point",
            "AllSites.*",
            "https://acme.sharepoint.com/AllSites.FullControl",
        ),
        (
            "gmail",
            "https://mail.google.com/",
            "openid https://mail.google.com/",
        ),
        (
            "googledrive",
            "https://www.googleapis.com/auth/drive",
            "https://docs.google.com/feeds/",
        ),
        (
            "googledrive",
            "*/calendar",
            "https://www.google.com/calendar/feeds",
        ),
        (
            "googledrive",
            "email",
            "https://www.googleapis.com/auth/userinfo.email",
        ),
        ("slack", "admin*", "chat:write,admin.users:write"),
        ("slack", "admin*", "Admin.users:write"),
        // Nothing but what stands between scopes.
        ("slack", ",*", ","),
    ] {
        let found = broken(&deny(connector, pattern), &[create(connector, &[scope])]);
        assert_eq!(found, ["denied_scopes"], "{pattern} {scope}");
    }
    // What is said of a service is not said of another one.
    let service = deny("outlook", "https://outlook.office.com/*");
    let found = broken(&service, &[create("outlook", &["Mail.Read"])]);
    assert_eq!(found, [""; 0]);
    // Both lists count, and a type's own goes before that of any where scopes are allowed.
    let both = Policy {
        denied_scopes: [
            (None, set(Scope::from("a"))),
            (Some(named("wix")), set(Scope::from("b"))),
        ]
        .into(),
        allowed_scopes: [
            (None, set(Scope::from("none"))),
            (Some(named("wix")), set(Scope::from("*"))),
        ]
        .into(),
        ..Policy::default()
    };
    let found = broken(&both, &[create("wix", &["a", "b", "c"])]);
    assert_eq!(found, ["denied_scopes", "denied_scopes"]);
}

#[test]
fn another_case_of_a_type_is_no_way_around_a_rule() {
    let policy = Policy {
        protected: set(named("notion")),
        denied_types: set(named("github")),
        max_access: [(Some(named("github")), Access::Read)].into(),
        denied_scopes: [(Some(named("github")), set(Scope::from("delete_repo")))].into(),
        ..Policy::default()
    };
    let found = broken(
        &policy,
        &[
            create("GitHub", &["delete_repo"]),
            change("Notion", Action::Delete, &[]),
        ],
    );
    assert_eq!(
        found,
        ["protected", "denied_types", "denied_scopes", "max_access"]
    );
    let workspace = Policies::new([(named("github"), false)]);
    let asked = [create("GitHub", &[])];
    let found = evaluate(&asked, 1, &Policy::default(), &workspace, &[]);
    assert_eq!(found.violations.len(), 1);
    // What is allowed is allowed in any case, too.
    let allowed = Policy {
        allowed_types: Some(set(named("github"))),
        ..Policy::default()
    };
    assert_eq!(broken(&allowed, &[create("GitHub", &[])]), [""; 0]);
    assert_eq!(
        broken(&allowed, &[create("gitlab", &[])]),
        ["allowed_types"]
    );
}

#[test]
fn a_verdict_is_had_past_warnings_and_overrides_alone() {
    let mut policy = Policy {
        denied_types: set(named("wix")),
        ..Policy::default()
    };
    let changes = [create("wix", &["a"])];
    let judge = |policy: &Policy, overrides: &[(&str, &str)]| {
        evaluate(&changes, 1, policy, &Policies::default(), overrides).verdict()
    };
    assert!(judge(&policy, &[]).is_err());
    assert!(
        judge(&policy, &[("denied_types", "why")]).is_err(),
        "nobody allowed that"
    );
    let mode = |severity, overridable| Mode {
        severity,
        message: Some("ask \u{1b}us".to_owned()),
        overridable,
    };
    policy.rules = [(Rule::DeniedTypes, mode(Severity::Deny, true))].into();
    let refused = judge(&policy, &[]).unwrap_err().to_string();
    assert!(refused.contains("ask \\u{1b}us"), "{refused}");
    let verdict = judge(&policy, &[("denied_types", "why")]).unwrap();
    let asked = ["a"].into_iter().collect();
    assert!(verdict.covers(&named("wix"), Some(&asked)));
    assert!(!verdict.covers(&named("wix"), Some(&["b"].into_iter().collect())));
    assert!(!verdict.covers(&named("slack"), None));
    // A reason to break one rule is none to break another.
    policy
        .rules
        .insert(Rule::Protected, mode(Severity::Deny, true));
    assert!(judge(&policy, &[("protected", "why")]).is_err());
    policy.rules = [(Rule::DeniedTypes, mode(Severity::Warn, false))].into();
    assert!(judge(&policy, &[]).is_ok());
    let workspace = Policies::new([(named("wix"), false)]);
    let found = evaluate(&changes, 1, &Policy::default(), &workspace, &[]);
    assert!(
        found
            .verdict()
            .unwrap_err()
            .to_string()
            .contains("the workspace's policy")
    );
}

#[test]
fn only_the_account_that_is_expected_may_consent() {
    let account = |name: &str| ExpectedAccount::parse(name).unwrap();
    let policy = Policy {
        accounts: [(None, account("@example.com"))].into(),
        ..Policy::default()
    };
    let asked = |by: Option<&str>| {
        let mut change = create("slack", &["a"]);
        change.after.as_mut().unwrap().account = by.map(account);
        broken(&policy, &[change])
    };
    assert_eq!(asked(Some("ops@example.com")), Vec::<&str>::new());
    assert_eq!(asked(Some("@example.com")), Vec::<&str>::new());
    assert_eq!(asked(Some("ops@example.org")), ["accounts"]);
    assert_eq!(asked(None), ["accounts"]);
}

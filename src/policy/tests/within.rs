//! Scopes that give what others are.

use super::*;
use crate::catalogue;

fn denying(pattern: &str) -> Policy {
    Policy {
        denied_scopes: [(None, set(Scope::from(pattern)))].into(),
        ..Policy::default()
    }
}

#[test]
fn who_denies_a_scope_denies_each_that_includes_it() {
    let mut pairs = 0;
    for name in catalogue::connectors() {
        for fact in catalogue::facts(name) {
            let policy = denying(fact.scope);
            for wide in fact.included_in() {
                let change = create(name, &[wide]);
                assert_eq!(broken(&policy, &[change]), ["denied_scopes"], "{wide}");
                pairs += 1;
            }
        }
    }
    assert!(pairs > 100, "{pairs}");
}

#[test]
fn the_message_names_what_is_denied_and_the_narrower_is_not_denied_for_it() {
    const READ: &str = "https://www.googleapis.com/auth/gmail.readonly";
    const ALL: &str = "https://mail.google.com/";
    let said = |pattern: &str, name: &str, scope: &str| {
        let changes = [create(name, &[scope])];
        let found = evaluate(&changes, 1, &denying(pattern), &Policies::default(), &[]);
        let mut found = found.violations.into_iter();
        found.next().map_or_else(String::new, |found| found.message)
    };
    insta::assert_snapshot!(said(READ, "gmail", ALL), @"gmail: the scope https://mail.google.com/ includes https://www.googleapis.com/auth/gmail.readonly, which is denied");
    insta::assert_snapshot!(said("applications.commands", "discord", "bot"), @"discord: the scope bot includes applications.commands, which is denied");
    for (pattern, name, scope, denied) in [
        ("*.readonly", "gmail", "mail.google.com", true),
        ("gmail.readonly", "gmail", ALL, true),
        (
            "Mail.Read",
            "outlook",
            "https://outlook.office.com/Mail.ReadWrite",
            true,
        ),
        (ALL, "gmail", READ, false),
        ("bot", "discord", "applications.commands", false),
        ("no.such", "gmail", ALL, false),
    ] {
        assert_eq!(
            !said(pattern, name, scope).is_empty(),
            denied,
            "{pattern}: {scope}"
        );
    }
}

#[test]
fn no_scope_is_one_that_only_a_pattern_for_any_denies() {
    let none = [create("slack", &[])];
    assert_eq!(broken(&denying("*"), &none), ["denied_scopes"]);
    assert_eq!(broken(&denying("chat:*"), &none), [""; 0]);
    assert_eq!(broken(&denying("*"), &[create("stripe", &[])]), [""; 0]);
    let own = Policy {
        denied_scopes: [(Some(named("slack")), set(Scope::from("chat:*")))].into(),
        ..Policy::default()
    };
    assert_eq!(broken(&own, &none), ["unknown_scopes"]);
}

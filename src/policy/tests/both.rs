//! Two policies: what one loosens of the other, and what they say together.

use super::*;

#[test]
fn what_a_proposal_loosens_is_found() {
    let base = Policy {
        protected: set(named("stripe")),
        max_removals: Some(Removals::Count(1)),
        max_class: [(None, Class::Sensitive)].into(),
        denied_scopes: [(None, set(Scope::from("admin")))].into(),
        unknown_scopes: Some(Severity::Deny),
        ..Policy::default()
    };
    assert_eq!(stricter(&base, &base), []);
    let tighter = Policy {
        max_removals: Some(Removals::Count(0)),
        allowed_types: Some(set(named("slack"))),
        ..base.clone()
    };
    assert_eq!(stricter(&base, &tighter), []);
    let all = stricter(&base, &Policy::default());
    let all: Vec<_> = all.iter().map(|Loosened(rule)| *rule).collect();
    assert_eq!(
        all,
        [
            Rule::Protected,
            Rule::MaxRemovals,
            Rule::MaxClass,
            Rule::DeniedScopes,
            Rule::UnknownScopes
        ]
    );
    // An exception for a type, or a rule that only warns.
    let mut sly = base.clone();
    sly.max_class
        .insert(Some(named("gmail")), Class::Restricted);
    sly.rules.insert(
        Rule::Protected,
        Mode {
            severity: Severity::Warn,
            ..Mode::default()
        },
    );
    assert_eq!(
        stricter(&base, &sly),
        [Loosened(Rule::Protected), Loosened(Rule::MaxClass)]
    );
}

#[test]
fn each_rule_that_a_proposal_loosens_is_found_and_none_that_it_keeps() {
    let none = Policy::default;
    let scope = |name: &str| [(None, set(Scope::from(name)))].into();
    let removals = |most| Policy {
        max_removals: Some(most),
        ..none()
    };
    let class = |most| Policy {
        max_class: [(None, most)].into(),
        ..none()
    };
    let access = |most| Policy {
        max_access: [(None, most)].into(),
        ..none()
    };
    let account = |name: &str| Policy {
        accounts: [(None, ExpectedAccount::parse(name).unwrap())].into(),
        ..none()
    };
    let types = |names: &[&str]| -> BTreeSet<_> { names.iter().map(|name| named(name)).collect() };
    let protected = |names: &[&str]| Policy {
        protected: types(names),
        ..none()
    };
    let denied_types = |names: &[&str]| Policy {
        denied_types: types(names),
        ..none()
    };
    let allowed_types = |names: &[&str]| Policy {
        allowed_types: Some(types(names)),
        ..none()
    };
    let denied = |name: &str| Policy {
        denied_scopes: scope(name),
        ..none()
    };
    let allowed = |name: &str| Policy {
        allowed_scopes: scope(name),
        ..none()
    };
    let unknown = |severity| Policy {
        unknown_scopes: Some(severity),
        ..none()
    };
    let (warn, deny) = (Severity::Warn, Severity::Deny);
    let (count, percent) = (Removals::Count, Removals::Percent);
    let both = ["slack", "wix"];
    // What the base says, what is weaker, and what is as strict.
    let cases: Vec<(Rule, Policy, Vec<Policy>, Vec<Policy>)> = vec![
        (
            Rule::Protected,
            protected(&both),
            vec![none(), protected(&["slack"])],
            vec![protected(&["slack", "wix", "notion"])],
        ),
        (
            Rule::MaxRemovals,
            removals(count(2)),
            vec![none(), removals(count(3)), removals(percent(1))],
            vec![removals(count(1))],
        ),
        (
            Rule::MaxRemovals,
            removals(percent(20)),
            vec![none(), removals(percent(21)), removals(count(0))],
            vec![removals(percent(19))],
        ),
        (
            Rule::AllowedTypes,
            allowed_types(&["slack"]),
            vec![none(), allowed_types(&both)],
            vec![allowed_types(&[])],
        ),
        (
            Rule::DeniedTypes,
            denied_types(&["slack"]),
            vec![none(), denied_types(&["wix"])],
            vec![denied_types(&both)],
        ),
        (
            Rule::MaxClass,
            class(Class::Sensitive),
            vec![none(), class(Class::Restricted)],
            vec![class(Class::None)],
        ),
        (
            Rule::MaxAccess,
            access(Access::Write),
            vec![none(), access(Access::Admin)],
            vec![access(Access::Read)],
        ),
        (
            Rule::AllowedScopes,
            allowed("chat:*"),
            vec![none(), allowed("*")],
            vec![],
        ),
        (
            Rule::DeniedScopes,
            denied("admin"),
            vec![none(), denied("chat:*")],
            vec![],
        ),
        (
            Rule::Accounts,
            account("@example.com"),
            vec![none(), account("@example.org")],
            vec![account("ops@example.com")],
        ),
        (
            Rule::UnknownScopes,
            unknown(deny),
            vec![none(), unknown(warn)],
            vec![],
        ),
    ];
    for (rule, base, weaker, fine) in cases {
        for head in weaker {
            assert_eq!(stricter(&base, &head), [Loosened(rule)], "{head:?}");
        }
        for head in fine.into_iter().chain([base.clone()]) {
            assert_eq!(stricter(&base, &head), [], "{head:?}");
        }
        assert_eq!(stricter(&none(), &base), []);
    }
    let mode = |severity, overridable| Policy {
        rules: [(
            Rule::Protected,
            Mode {
                severity,
                overridable,
                message: None,
            },
        )]
        .into(),
        ..none()
    };
    for (base, head, looser) in [
        ((deny, false), (deny, true), true),
        ((deny, false), (warn, false), true),
        ((deny, true), (deny, true), false),
        ((deny, true), (deny, false), false),
        ((warn, false), (deny, false), false),
        ((warn, true), (warn, true), false),
    ] {
        let found = stricter(&mode(base.0, base.1), &mode(head.0, head.1));
        assert_eq!(!found.is_empty(), looser, "{base:?} {head:?}");
    }
}

/// A broken rule: the connector, the scope, and whether it is denied.
type Found<'a> = (&'a str, Option<&'a str>, bool);

#[test]
fn of_two_policies_each_denial_stands() {
    let changes = [
        create("slack", &["a", "b"]),
        create("wix", &["a"]),
        change("notion", Action::Delete, &[]),
    ];
    let judge = |policy: &Policy| evaluate(&changes, 3, policy, &Policies::default(), &[]);
    let denies = |pattern: &str, severity| Policy {
        denied_scopes: [(Some(named("slack")), set(Scope::from(pattern)))].into(),
        rules: [(
            Rule::DeniedScopes,
            Mode {
                severity,
                ..Mode::default()
            },
        )]
        .into(),
        ..Policy::default()
    };
    let types = |name: &str| Policy {
        denied_types: set(named(name)),
        ..Policy::default()
    };
    let protected = Policy {
        protected: set(named("notion")),
        ..Policy::default()
    };
    let (warn, deny) = (Severity::Warn, Severity::Deny);
    let (a, b) = (Some("a"), Some("b"));
    let cases: [(Policy, Policy, &[Found<'_>]); 9] = [
        (Policy::default(), denies("a", deny), &[("slack", a, true)]),
        (denies("a", deny), Policy::default(), &[("slack", a, true)]),
        (denies("a", warn), denies("a", deny), &[("slack", a, true)]),
        (denies("a", deny), denies("a", warn), &[("slack", a, true)]),
        (denies("a", warn), denies("a", warn), &[("slack", a, false)]),
        (
            denies("a", warn),
            denies("b", deny),
            &[("slack", a, false), ("slack", b, true)],
        ),
        (
            types("slack"),
            types("wix"),
            &[("slack", None, true), ("wix", None, true)],
        ),
        (
            denies("a", deny),
            types("slack"),
            &[("slack", a, true), ("slack", None, true)],
        ),
        (
            types("slack"),
            protected,
            &[("slack", None, true), ("notion", None, true)],
        ),
    ];
    for (here, base, expected) in cases {
        let found = judge(&here).and(judge(&base), "by the base");
        let told: Vec<_> = found.violations.iter().collect();
        let told: Vec<Found<'_>> = told
            .iter()
            .map(|v| {
                let connector = v.connector.as_ref().unwrap();
                let scope = v.scope.as_ref().map(Scope::as_str);
                (connector.as_str(), scope, v.severity == deny)
            })
            .collect();
        assert_eq!(told, expected);
        let any = expected.iter().any(|found| found.2);
        assert_eq!(
            found.warnings().count(),
            expected.iter().filter(|f| !f.2).count()
        );
        let verdict = found.verdict();
        assert_eq!(verdict.is_err(), any);
        if let Ok(verdict) = verdict {
            let asked = ["a", "b"].into_iter().collect();
            assert!(verdict.covers(&named("slack"), Some(&asked)));
            assert!(verdict.covers(&named("notion"), None));
            assert!(!verdict.covers(&named("wix"), None));
        }
    }
}

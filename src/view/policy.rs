//! What a policy says, and how a team's fixtures went.

use std::{collections::BTreeSet, fmt::Write as _};

use serde::Serialize;

use super::{
    Format, Medium,
    json::{AppName, pretty},
    report::FORMAT_VERSION,
};
use crate::{
    escape,
    model::App,
    policy::{Severity, Violation},
};

/// What one rule says.
#[derive(Serialize)]
pub struct ExplainedRule<'a> {
    /// Its name.
    pub rule: &'static str,
    /// Whether the policy sets it.
    pub set: bool,
    /// Whether the plan breaks it.
    pub broken: bool,
    /// How. The messages are safe to show.
    pub violations: Vec<&'a Violation>,
    /// All of that in words.
    pub why: &'static str,
}

/// How one fixture went. All its text is safe to show.
#[derive(Serialize)]
pub struct FixtureResult {
    /// Its name.
    pub name: String,
    /// Whether it is as expected.
    pub passed: bool,
    /// What the policy says; none where the fixture cannot be read.
    pub verdict: Option<&'static str>,
    /// The rules that are broken.
    pub violations: BTreeSet<String>,
    /// The verdict that was expected.
    pub expected: Option<&'static str>,
    /// The rules that were expected to be broken, where that was said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected_violations: Option<BTreeSet<String>>,
    /// Why the fixture cannot be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

#[derive(Serialize)]
struct Explained<'a> {
    format_version: &'static str,
    kind: &'static str,
    apps: Vec<AppName>,
    verdict: &'static str,
    rules: Vec<ExplainedRule<'a>>,
}

#[derive(Serialize)]
struct Tested {
    format_version: &'static str,
    kind: &'static str,
    passed: usize,
    failed: usize,
    results: Vec<FixtureResult>,
}

/// What each rule says to a plan.
pub fn explained(
    app: Option<&App>,
    verdict: &'static str,
    rules: Vec<ExplainedRule<'_>>,
    medium: &Medium<'_>,
) -> String {
    if medium.format == Format::Json {
        return pretty(&Explained {
            format_version: FORMAT_VERSION,
            kind: "policy-explanation",
            apps: AppName::list(app),
            verdict,
            rules,
        });
    }
    let mut text = String::new();
    for rule in rules {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{:<15}  {}", rule.rule, rule.why);
        for violation in rule.violations {
            let does = match (violation.severity, &violation.overridden) {
                (_, Some(reason)) => format!("overridden: {}", escape::limited(reason, 200)),
                (Severity::Deny, None) => "deny".to_owned(),
                (Severity::Warn, None) => "warn".to_owned(),
            };
            let _ = writeln!(text, "  {does}: {}", violation.message);
        }
    }
    let _ = writeln!(text, "\nVerdict: {verdict}");
    text
}

/// How all fixtures went.
pub fn tested(results: Vec<FixtureResult>, medium: &Medium<'_>) -> String {
    let passed = results.iter().filter(|result| result.passed).count();
    let failed = results.len() - passed;
    if medium.format == Format::Json {
        return pretty(&Tested {
            format_version: FORMAT_VERSION,
            kind: "policy-test",
            passed,
            failed,
            results,
        });
    }
    let mut text = String::new();
    for result in &results {
        let name = &result.name;
        // Writing to a string cannot fail.
        let _ = match (&result.error, result.verdict, result.expected) {
            (None, Some(verdict), _) if result.passed => {
                writeln!(text, "ok      {name}: {verdict}")
            }
            (None, Some(verdict), Some(expected)) => {
                let got = with_rules(verdict, Some(&result.violations));
                let expected = with_rules(expected, result.expected_violations.as_ref());
                writeln!(text, "FAILED  {name}: got {got}, expected {expected}")
            }
            (error, ..) => {
                let error = error
                    .as_deref()
                    .unwrap_or("it was not held against the policy");
                writeln!(text, "FAILED  {name}: {error}")
            }
        };
    }
    let _ = writeln!(text, "{passed} passed, {failed} failed");
    text
}

/// `deny (protected)`.
fn with_rules(verdict: &str, rules: Option<&BTreeSet<String>>) -> String {
    match rules {
        None => verdict.to_owned(),
        Some(rules) if rules.is_empty() => format!("{verdict} (no rule)"),
        Some(rules) => {
            let rules: Vec<_> = rules.iter().map(|rule| escape::limited(rule, 60)).collect();
            format!("{verdict} ({})", rules.join(", "))
        }
    }
}

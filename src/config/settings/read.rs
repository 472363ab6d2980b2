//! From text to settings. Pure.

use super::types::Settings;
use crate::{
    config::{
        Finding, Problem, Source,
        connector::{in_order, parse_toml},
        quote::{Quoted, escaped},
        suggest,
        tree::{Node, Span},
    },
    model::ConnectorType,
};

const TOP: [&str; 6] = [
    "unlisted",
    "providers",
    "environments",
    "apply",
    "authorize",
    "policy",
];
const PROVIDER: [&str; 1] = ["adds"];
const ENVIRONMENT: [&str; 4] = ["app_id", "api_url", "connectors_dir", "unlisted"];
const APPLY: [&str; 2] = ["parallelism", "keep_going"];
const AUTHORIZE: [&str; 1] = ["timeout"];
const POLICY: [&str; 4] = [
    "protected",
    "max_removals",
    "allowed_scopes",
    "denied_scopes",
];

/// Reads `connplan.toml`. There are settings unless a problem is an error.
pub fn parse_settings(name: &str, text: &str) -> (Option<Settings>, Vec<Problem>) {
    let source = Source::new(name, text);
    let root = match parse_toml(text, &source) {
        Ok(root) => root,
        Err(problems) => return (None, in_order(problems, name)),
    };
    let mut problems = check_names(&root, &source);
    let settings = match toml::from_str::<Settings>(text) {
        Ok(settings) => Some(settings),
        Err(error) => {
            let message = escaped(error.message());
            let problem = Problem::new(Finding::Setting { message }, &source);
            problems.push(match error.span() {
                Some(span) => problem.label(span, "here"),
                None => problem,
            });
            None
        }
    };
    (settings, in_order(problems, name))
}

/// Unknown keys, and types that are nearly known ones: a misspelt `protected` protects nothing.
fn check_names(root: &Node, source: &Source) -> Vec<Problem> {
    let mut check = Check {
        source,
        problems: Vec::new(),
    };
    check.keys(Some(root), &TOP);
    let table = |name: &str| root.get(name).map(Node::members).unwrap_or_default();
    for provider in table("providers") {
        check.connector(&provider.key, &provider.key_span);
        check.keys(Some(&provider.node), &PROVIDER);
    }
    for environment in table("environments") {
        check.keys(Some(&environment.node), &ENVIRONMENT);
    }
    check.keys(root.get("apply"), &APPLY);
    check.keys(root.get("authorize"), &AUTHORIZE);
    check.keys(root.get("policy"), &POLICY);
    let Some(policy) = root.get("policy") else {
        return check.problems;
    };
    for element in policy
        .get("protected")
        .map(Node::elements)
        .unwrap_or_default()
    {
        if let Some(text) = element.text() {
            check.connector(text, &element.span);
        }
    }
    for rule in ["allowed_scopes", "denied_scopes"] {
        for member in policy.get(rule).map(Node::members).unwrap_or_default() {
            check.connector(&member.key, &member.key_span);
        }
    }
    check.problems
}

struct Check<'a> {
    source: &'a Source,
    problems: Vec<Problem>,
}

impl Check<'_> {
    fn keys(&mut self, table: Option<&Node>, known: &[&'static str]) {
        for member in table.map(Node::members).unwrap_or_default() {
            if !known.contains(&member.key.as_str()) {
                let finding = Finding::UnknownSetting {
                    key: Quoted::new(&member.key),
                    help: suggest::help(&member.key, known),
                };
                let problem = Problem::new(finding, self.source);
                self.problems
                    .push(problem.label(member.key_span.clone(), "ignored"));
            }
        }
    }

    fn connector(&mut self, text: &str, span: &Span) {
        // Anything else than a type is the decoder's to refuse.
        if ConnectorType::parse(text).is_ok()
            && let Some(meant) = suggest::known_type_near(text)
        {
            let found = Quoted::new(text);
            let problem = Problem::new(Finding::TypeSlip { found, meant }, self.source);
            self.problems.push(problem.label(span.clone(), "this type"));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::config::{Subject, Unlisted};

    const WHOLE: &str = r#"
unlisted = "keep"
[providers.gmail]
adds = ["openid"]
[environments.production]
app_id = "abc"
api_url = "https://example.com"
connectors_dir = "prod"
unlisted = "remove"
[apply]
parallelism = 4
keep_going = true
[authorize]
timeout = "1h 30m"
[policy]
protected = ["stripe"]
max_removals = 0
allowed_scopes = { gmail = ["a"] }
denied_scopes = { "*" = ["admin"] }
"#;

    #[test]
    fn every_key_is_read_and_none_is_unknown() {
        let (settings, problems) = parse_settings("connplan.toml", WHOLE);
        let settings = settings.unwrap();
        assert!(problems.is_empty(), "{problems:?}");
        assert_eq!(settings.unlisted, Some(Unlisted::Keep));
        let timeout = settings.authorize.timeout.unwrap();
        assert_eq!(timeout.get(), Duration::from_mins(90));
        assert!(settings.policy.denied_scopes.contains_key(&Subject::Any));
        // What is written is read again, so that no field lacks its name here.
        let text = toml::to_string(&settings).unwrap();
        assert_eq!(
            parse_settings("connplan.toml", &text),
            (Some(settings), Vec::new())
        );
    }

    #[test]
    fn an_empty_file_is_the_default() {
        assert_eq!(
            parse_settings("c", ""),
            (Some(Settings::default()), Vec::new())
        );
    }

    #[test]
    fn what_is_misspelt_is_told_and_what_is_wrong_is_an_error() {
        let text = "unlistd = 1\n[providers.slakc]\nad = []\n[policy]\nprotected = [\"strpe\"]\n";
        let (settings, problems) = parse_settings("c", text);
        assert!(settings.is_some());
        assert_eq!(problems.len(), 4, "{problems:?}");
        for bad in [
            "unlisted = \"all\"",
            "[apply]\nparallelism = 0",
            "[authorize]\ntimeout = \"soon\"",
            "[authorize]\ntimeout = \"-5m\"",
            "[environments.x]\napi_url = \"ftp://x\"",
            "[environments.x]\napp_id = \"a/b\"",
            "[policy]\nprotected = [\"a b\"]",
            "a = ",
        ] {
            let (settings, problems) = parse_settings("c", bad);
            assert!(settings.is_none(), "{bad}");
            assert!(
                problems.iter().all(|p| p.position().is_some()),
                "{problems:?}"
            );
        }
    }
}

//! From text to settings. Pure.

use toml::{Table, Value};

use super::{shape, types::Settings};
use crate::syntax::{
    Finding, Problem, Source,
    connector::{in_order, parse_toml},
    quote::{Quoted, escaped},
    tree::{Node, Span},
};

/// Reads `connplan.toml`. There are settings unless a problem is an error.
pub fn parse_settings(name: &str, text: &str) -> (Option<Settings>, Vec<Problem>) {
    let source = Source::new(name, text);
    let root = match parse_toml(text, &source) {
        Ok(root) => root,
        Err(problems) => return (None, in_order(problems, name)),
    };
    let mut problems = shape::check(&root, &source);
    let settings = match toml::from_str::<Settings>(text) {
        // It was told in better words.
        _ if problems.iter().any(Problem::is_error) => None,
        Ok(settings) => Some(settings),
        Err(error) => {
            let message = escaped(error.message());
            let at = error.span().and_then(|span| name_of(&root, &span));
            let message = match at {
                Some(name) => format!("`{name}`: {message}"),
                None => message,
            };
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

/// What of a text with errors can be read: each value that is one, by itself.
pub fn readable_settings(text: &str) -> Settings {
    let table: Table = toml::from_str(text).unwrap_or_default();
    let kept = kept(table, &|table| table);
    alone(&kept).unwrap_or_default()
}

/// A table as settings, by way of its text: reading it as it is would be a second reader of them all, which
/// makes the program larger by a percent.
fn alone(table: &Table) -> Option<Settings> {
    toml::from_str(&table.to_string()).ok()
}

/// The part of a table that are settings, where `around` puts it into those around it.
fn kept(table: Table, around: &dyn Fn(Table) -> Table) -> Table {
    let mut found = Table::new();
    for (key, value) in table {
        let within = |value: Value| {
            let mut table = Table::new();
            table.insert(key.clone(), value);
            around(table)
        };
        let is_one = |value: &Value| alone(&within(value.clone())).is_some();
        let value = match value {
            Value::Table(inner) if !is_one(&Value::Table(inner.clone())) => {
                Value::Table(kept(inner, &|inner| within(Value::Table(inner))))
            }
            value => value,
        };
        if is_one(&value) {
            found.insert(key, value);
        }
    }
    found
}

/// The setting whose value stands there: `plan.expires`.
fn name_of(node: &Node, span: &Span) -> Option<String> {
    node.members().iter().find_map(|member| {
        let key = Quoted::new(&member.key).to_string();
        // The parts of a table stand anywhere in the file.
        if let Some(below) = name_of(&member.node, span) {
            return Some(format!("{key}.{below}"));
        }
        let value = &member.node.span;
        let holds = value.start <= span.start && span.end <= value.end;
        (holds && member.node.members().is_empty()).then_some(key)
    })
}

/// A problem of a value in a text of settings, where it stands.
pub fn setting_problem(name: &str, text: &str, path: &[&str], message: String) -> Problem {
    let source = Source::new(name, text);
    let root = parse_toml(text, &source).ok();
    let node = root
        .as_ref()
        .and_then(|root| path.iter().try_fold(root, |node, key| node.get(key)));
    let problem = Problem::new(Finding::Setting { message }, &source);
    match node {
        Some(node) => problem.label(node.head(), "here"),
        None => problem,
    }
}

/// The line of a value in a text of settings, counted from 1.
pub(crate) fn line_of(text: &str, path: &[&str]) -> Option<usize> {
    let source = Source::new("", text);
    let root = parse_toml(text, &source).ok()?;
    let node = path.iter().try_fold(&root, |node, key| node.get(key))?;
    let before = text.get(..node.span.start)?;
    Some(before.matches('\n').count() + 1)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::syntax::{RuleSettings, Subject, Unlisted};

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
[platform]
multiplier = 3
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
    fn of_a_text_with_errors_each_value_that_is_one_is_read() {
        let (whole, _) = parse_settings("connplan.toml", WHOLE);
        assert_eq!(readable_settings(WHOLE), whole.clone().unwrap());
        let bad = WHOLE
            .replace("timeout = ", "timeout = 5 #")
            .replace("[policy]", "[policy]\nmax_class = \"newer\"")
            .replace("[apply]", "[policy.rules.accounts]\nlevel = 3\n[apply]");
        let mut rest = whole.unwrap();
        rest.authorize.timeout = None;
        rest.policy
            .rules
            .insert(crate::policy::Rule::Accounts, RuleSettings::default());
        assert_eq!(parse_settings("c", &bad).0, None);
        assert_eq!(readable_settings(&bad), rest);
        assert_eq!(readable_settings("[policy\n"), Settings::default());
    }

    #[test]
    fn an_empty_file_is_the_default() {
        assert_eq!(
            parse_settings("c", ""),
            (Some(Settings::default()), Vec::new())
        );
    }

    #[test]
    fn a_wrong_value_is_told_in_words_with_those_that_fit() {
        for (bad, said) in [
            (
                "unlisted = \"all\"",
                "`unlisted` is \"all\"; it has to be \"remove\" or \"keep\"",
            ),
            ("unlisted = 1", "`unlisted` is 1;"),
            (
                "[environments.x]\nunlisted = \"no\"",
                "`environments.x.unlisted` is \"no\";",
            ),
            ("[apply]\nparallelism = 0", "a whole number from 1 to 65535"),
            (
                "[apply]\nparallelism = 70000",
                "`apply.parallelism` is 70000;",
            ),
            (
                "[apply]\nparallelism = \"x\"",
                "`apply.parallelism` is \"x\";",
            ),
            ("[apply]\nkeep_going = \"yes\"", "has to be true or false"),
            ("[authorize]\ntimeout = 5", "a string, for example \"10m\""),
            (
                "[policy]\nmax_removals = -1",
                "`policy.max_removals` is -1; it has to be a whole number, 0 or more",
            ),
            (
                "[policy]\nprotected = \"slack\"",
                "a list of strings, for example [\"stripe\"]",
            ),
            (
                "[policy]\ndenied_scopes = [\"x\"]",
                "a table: `[policy.denied_scopes]`",
            ),
            (
                "[policy]\ndenied_scopes = { gmail = [3] }",
                "`policy.denied_scopes.gmail` is 3;",
            ),
            ("[environments]\nx = 3", "a table: `[environments.x]`"),
            ("apply = 3", "a table: `[apply]`"),
        ] {
            let (settings, problems) = parse_settings("c", bad);
            assert_eq!(settings, None, "{bad}");
            let [problem] = problems.as_slice() else {
                panic!("{bad}: {problems:?}")
            };
            let told = problem.to_diagnostic();
            assert!(told.message.contains(said), "{bad}: {}", told.message);
            assert!(told.line.is_some(), "{bad}");
        }
        for (count, fine) in [(1000, true), (1001, false)] {
            let patterns = (0..count).map(|n| format!("\"a{n}*\", "));
            let patterns: String = patterns.collect();
            let text = format!("[policy]\nallowed_scopes = {{ gmail = [{patterns}] }}");
            assert_eq!(parse_settings("c", &text).0.is_some(), fine);
            let text = text.replace(" }", ", slack = [\"*\"] }");
            let told = parse_settings("c", &text).1.len();
            assert_eq!(told, 1, "of all lists, told once");
        }
        let twice = "[policy.allowed_scopes]\ngmail = [\"a\"]\nGmail = [\"a\"]\n";
        assert!(parse_settings("c", twice).0.is_none(), "in two spellings");
        let two = "[apply]\nparallelism = 0\nkeep_going = 1\n";
        assert_eq!(parse_settings("c", two).1.len(), 2, "all are told at once");
        for fine in [
            "[apply]\nparallelism = 1_000",
            "[policy]\nmax_removals = 0x10",
        ] {
            assert!(parse_settings("c", fine).0.is_some(), "{fine}");
        }
    }

    /// A gate that is misspelt, or that a newer connplan has, is none that somebody may pass.
    #[test]
    fn an_unknown_key_that_may_be_a_gate_is_an_error_for_who_needs_it() {
        for (text, gate) in [
            ("unlistd = \"keep\"", false),
            ("[telemetry]\non = true", false),
            ("[apply]\npolicy = 1", true),
            ("[apply]\nrequire = \"signature\"", true),
            ("[plan]\ndenied_type = [\"gmail\"]", true),
            ("denied_types = [\"gmail\"]", true),
            ("[policies]\nprotected = []", true),
            ("[environments.x.approval]\ncount = 2", true),
            ("[telemetry.policy]\non = true", true),
            ("[environments.x]\nprotect = [\"gmail\"]", true),
            ("[environments.x.deny_scopes]\ngmail = [\"*\"]", true),
            ("[environments.x.accounts]\ngmail = \"@x.example\"", true),
            // Words of many things.
            ("[team]\ncount = 3", false),
            ("[team]\nrules = [\"be kind\"]", false),
            ("[team]\naccount = \"ann\"", false),
            ("[aproval]\nrequire = \"review\"", true),
            ("[Policy]\nprotected = []", true),
            ("[approval]\nrequires = \"review\"", true),
            ("[policy]\nmax_clas = \"none\"", true),
            ("[policy.rules.accounts]\nlevle = \"deny\"", true),
            ("[policy]\nprotected = [\"gmial\"]", true),
            ("[policy]\ndenied_types = [\"googlemail\"]", true),
            ("[policy]\nmax_access = { gmial = \"read\" }", true),
            ("[policy.denied_scopes]\ngmial = [\"*\"]", true),
            // `adds` forbids nothing.
            ("[providers.gmial]\nadds = []", false),
        ] {
            let (settings, problems) = parse_settings("c", text);
            assert!(settings.is_some(), "{text}");
            let [problem] = problems.as_slice() else {
                panic!("{text}: {problems:?}")
            };
            assert!(!problem.is_error(), "{text}");
            let needed = problem.of_gate();
            assert_eq!(needed.is_some(), gate, "{text}");
            assert!(needed.is_none_or(|needed| needed.is_error()));
        }
        // A type that this connplan does not know may be new.
        for name in ["acme_crm", "gmail2", "gmail"] {
            let (_, problems) =
                parse_settings("c", &format!("[policy]\ndenied_types = [\"{name}\"]"));
            assert_eq!(problems, [], "{name}");
        }
        for (text, error) in [
            ("count = 2", true),
            ("from_risk = \"none\"", true),
            ("signers = \"s\"", false),
            ("require = \"review\"\ncount = 2", false),
        ] {
            let (settings, _) = parse_settings("c", &format!("[approval]\n{text}"));
            assert_eq!(settings.is_none(), error, "{text}");
        }
    }

    #[test]
    fn what_is_misspelt_is_told_and_what_is_wrong_is_an_error() {
        let text = "unlistd = 1\n[providers.slakc]\nad = []\n[policy]\nprotected = [\"strpe\"]\n";
        let (settings, problems) = parse_settings("c", text);
        assert!(settings.is_some());
        assert_eq!(problems.len(), 4, "{problems:?}");
        for bad in [
            "[authorize]\ntimeout = \"soon\"",
            "[authorize]\ntimeout = \"-5m\"",
            "[environments.x]\napi_url = \"ftp://x\"",
            "[environments.x]\napp_id = \"a/b\"",
            "[policy]\nprotected = [\"a b\"]",
            "[policy]\nprotected = [\"all\"]",
            "[policy]\nmax_access = { any = \"read\" }",
            "[policy.denied_scopes]\nall = []",
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

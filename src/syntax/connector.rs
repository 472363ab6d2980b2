//! One connector file: from text to what it declares. Pure.

use std::collections::{BTreeMap, HashMap};

use super::{
    Finding, Problem,
    json5::{self, SyntaxError},
    quote::{Quoted, is_invisible},
    scope,
    source::Source,
    suggest, toml_tree,
    tree::{Member, Node, Span, Value},
    values,
};
use crate::{
    catalogue,
    model::{ConnectorType, DeclaredConnector, ExpectedAccount, Kind, Scope, Scopes, map_of},
};

/// The keys of a connector file. `account` and `connection_config` are connplan's own, `$schema` serves editors.
const KEYS: [&str; 5] = ["type", "scopes", "account", "connection_config", "$schema"];
/// The most problems told of one file; beyond that a person reads no more.
const MAX_PROBLEMS: usize = 50;
/// The most scopes that slips are looked for in; real files have a dozen.
const MAX_LOOKED_UP: usize = 500;

/// What one file declares, with what the checks across files need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParsedConnector {
    /// The connector.
    pub connector: ConnectorType,
    /// Where its type stands.
    pub type_span: Span,
    /// Its scopes, without duplicates.
    pub scopes: Scopes,
    /// Where each of them stands first.
    pub scope_spans: Vec<(Scope, Span)>,
    /// Who is to give consent.
    pub account: Option<ExpectedAccount>,
    /// The values of its connection, as they stand, and where.
    pub connection_config: BTreeMap<String, (String, Span)>,
    /// The file.
    pub source: Source,
}

impl ParsedConnector {
    /// What the file declares, without places.
    pub fn declared(self, file: String) -> (ConnectorType, DeclaredConnector) {
        let values = self.connection_config.into_iter();
        let declared = DeclaredConnector {
            scopes: self.scopes,
            file,
            account: self.account,
            connection_config: map_of(values.map(|(name, (text, _))| (name, text))),
        };
        (self.connector, declared)
    }
}

/// Reads a connector file's text. `name` is the file's path relative to the project root; its
/// extension says whether it is TOML, all else is JSON5. There is a connector unless a problem is an
/// error.
pub fn parse_connector(name: &str, text: &str) -> (Option<ParsedConnector>, Vec<Problem>) {
    let source = Source::new(name, text);
    let is_toml = is_toml(name);
    let root = if is_toml {
        parse_toml(text, &source)
    } else {
        parse_json5(text, &source).map_err(|problem| vec![problem])
    };
    let mut check = Check {
        source,
        problems: Vec::new(),
    };
    if is_toml {
        check.problems.push(Problem::about(Finding::TomlFile, name));
    }
    let parsed = match root {
        Ok(root) => check.connector(&root),
        Err(problems) => {
            check.problems.extend(problems);
            None
        }
    };
    (parsed, in_order(check.problems, name))
}

/// A file's data with its places, for those who edit it; `None` where its syntax is wrong.
pub fn parse_tree(name: &str, text: &str) -> Option<Node> {
    if is_toml(name) {
        toml_tree::parse(text).ok()
    } else {
        json5::parse(text).ok()
    }
}

/// Whether all keys of a file are a connector's: else it may be of another purpose.
pub fn has_only_keys_of_a_connector(name: &str, text: &str) -> bool {
    let is_known = |member: &Member| KEYS.contains(&member.key.as_str());
    parse_tree(name, text).is_some_and(|it| it.is_map() && it.members().iter().all(is_known))
}

/// Whether a file is TOML, by its extension, which the folder's reader takes in lower case only.
pub fn is_toml(name: &str) -> bool {
    name.rsplit_once('.')
        .is_some_and(|(_, extension)| extension == "toml")
}

/// Reads JSON5; a syntax error comes as a problem.
pub(super) fn parse_json5(text: &str, source: &Source) -> Result<Node, Problem> {
    json5::parse(text).map_err(
        |SyntaxError {
             fault,
             span,
             opened,
         }| {
            let help = fault.help();
            let what = fault.to_string();
            let problem = Problem::new(Finding::Syntax { what, help }, source);
            // There is nothing to point at in an empty file.
            if span.is_empty() {
                return problem;
            }
            let problem = problem.label(span, "here");
            match opened {
                Some(opened) => problem.label(opened, "opened here"),
                None => problem,
            }
        },
    )
}

/// Reads TOML; syntax errors come as problems.
pub(super) fn parse_toml(text: &str, source: &Source) -> Result<Node, Vec<Problem>> {
    toml_tree::parse(text).map_err(|faults| {
        let problems = faults.into_iter().map(|fault| {
            let what = fault.message;
            let problem = Problem::new(Finding::Syntax { what, help: None }, source);
            match fault.span {
                Some(span) => problem.label(span, "here"),
                None => problem,
            }
        });
        problems.collect()
    })
}

/// Errors first, each kind in the order of the file, and not more than a person reads.
pub(super) fn in_order(mut problems: Vec<Problem>, name: &str) -> Vec<Problem> {
    problems.sort_by_key(|problem| {
        let start = problem.places().first().map_or(0, |label| label.span.start);
        (!problem.is_error(), start)
    });
    if problems.len() > MAX_PROBLEMS {
        let count = problems.len() - MAX_PROBLEMS;
        problems.truncate(MAX_PROBLEMS);
        problems.push(Problem::about(Finding::More { count }, name));
    }
    problems
}

/// Tells of every key that stands twice in one object.
pub(super) fn duplicate_keys(members: &[Member], source: &Source) -> Vec<Problem> {
    let mut first = HashMap::new();
    let mut problems = Vec::new();
    for member in members {
        let Some(earlier) = first.insert(&member.key, &member.key_span) else {
            continue;
        };
        let key = Quoted::new(&member.key);
        problems.push(
            Problem::new(Finding::DuplicateKey { key }, source)
                .label(member.key_span.clone(), "again here")
                .label(earlier.clone(), "here, without effect"),
        );
    }
    problems
}

struct Check {
    source: Source,
    problems: Vec<Problem>,
}

impl Check {
    fn tell(&mut self, finding: Finding, span: Span, label: &str) {
        let problem = Problem::new(finding, &self.source).label(span, label);
        self.problems.push(problem);
    }

    fn connector(&mut self, root: &Node) -> Option<ParsedConnector> {
        if !root.is_map() {
            let found = root.kind();
            self.tell(
                Finding::NotAnObject { found },
                root.head(),
                "an object is expected",
            );
            return None;
        }
        let members = root.members();
        self.problems.extend(duplicate_keys(members, &self.source));
        for member in members {
            if !KEYS.contains(&member.key.as_str()) {
                let finding = Finding::UnknownKey {
                    key: Quoted::new(&member.key),
                    help: suggest::help(&member.key, &KEYS),
                };
                self.tell(finding, member.key_span.clone(), "ignored");
            }
        }
        // All three are looked at before any of them is missed.
        let connector = self.connector_type(root);
        let scopes = self.scopes(root.get("scopes"));
        let account = self.account(root.get("account"));
        let values = root.get("connection_config");
        let twice = values.map(|node| duplicate_keys(node.members(), &self.source));
        self.problems.extend(twice.into_iter().flatten());
        let (connection_config, wrong) = values::read(values, &self.source);
        self.problems.extend(wrong);
        let (connector, type_span) = connector?;
        let scope_spans = scopes?;
        self.commas(&connector, &scope_spans);
        self.slips(&connector, &scope_spans);
        if connector.kind() == Kind::Stripe
            && let Some(node) = root.get("scopes")
            && !node.elements().is_empty()
        {
            self.tell(Finding::StripeScopes, node.head(), "without effect");
        }
        if connector.kind() == Kind::Stripe
            && let Some(node) = root.get("connection_config")
        {
            self.tell(Finding::StripeValues, node.head(), "without effect");
        }
        if self.problems.iter().any(Problem::is_error) {
            return None;
        }
        Some(ParsedConnector {
            connector,
            type_span,
            scopes: scope_spans.iter().map(|(scope, _)| scope.clone()).collect(),
            scope_spans,
            account: account?,
            connection_config,
            source: self.source.clone(),
        })
    }

    fn connector_type(&mut self, root: &Node) -> Option<(ConnectorType, Span)> {
        let Some(node) = root.get("type") else {
            let problem = Problem::new(self.no_type(), &self.source);
            self.problems.push(match root.head() {
                // A TOML document has no bracket to point at.
                head if self.source.shown().get(head.clone()) == Some("{") => {
                    problem.label(head, "this object has no `type`")
                }
                _ => problem,
            });
            return None;
        };
        let span = node.span.clone();
        let Some(text) = node.text() else {
            let found = node.kind();
            self.tell(
                Finding::TypeNotAString { found },
                node.head(),
                "a string is expected",
            );
            return None;
        };
        match ConnectorType::parse(text) {
            Ok(connector) => {
                let found = || Quoted::new(text);
                let finding = match suggest::known_type_in_other_case(text) {
                    Some(meant) => Some(Finding::TypeSpelling {
                        found: found(),
                        meant,
                    }),
                    None => suggest::known_type_near(text).map(|meant| Finding::TypeSlip {
                        found: found(),
                        meant,
                        gate: false,
                    }),
                };
                if let Some(finding) = finding {
                    self.tell(finding, span.clone(), "this type");
                }
                Some((connector, span))
            }
            Err(reason) => {
                let text = Quoted::new(text);
                self.tell(Finding::InvalidType { text, reason }, span, "this type");
                None
            }
        }
    }

    /// The file's name often says what was meant.
    fn no_type(&self) -> Finding {
        let file = self.source.name().rsplit('/').next().unwrap_or_default();
        let stem = file.split('.').next().unwrap_or_default();
        let meant = match ConnectorType::parse(stem) {
            Ok(connector) => connector.to_string(),
            Err(_) => "slack".to_owned(),
        };
        let help = if is_toml(file) {
            format!("add `type = \"{meant}\"`")
        } else {
            format!("add `\"type\": \"{meant}\"`")
        };
        Finding::NoType { help }
    }

    /// The scopes with where each stands first.
    fn scopes(&mut self, node: Option<&Node>) -> Option<Vec<(Scope, Span)>> {
        let Some(node) = node else {
            return Some(Vec::new());
        };
        if !matches!(node.value, Value::List(_)) {
            let found = node.kind();
            self.tell(
                Finding::ScopesNotAList { found },
                node.head(),
                "a list is expected",
            );
            return None;
        }
        let wrong: Vec<&Node> = node
            .elements()
            .iter()
            .filter(|e| e.text().is_none())
            .collect();
        if !wrong.is_empty() {
            let finding = Finding::ScopeNotAString { count: wrong.len() };
            let problem = Problem::new(finding, &self.source);
            let labelled = wrong
                .iter()
                .fold(problem, |problem, e| problem.label(e.head(), e.kind()));
            self.problems.push(labelled);
        }
        let mut first: HashMap<&str, &Span> = HashMap::new();
        let mut scopes = Vec::new();
        for element in node.elements() {
            let Some(text) = element.text() else { continue };
            if text.trim().is_empty() {
                self.tell(Finding::EmptyScope, element.span.clone(), "empty");
                continue;
            }
            if let Some((finding, label)) = scope::misspelt(text) {
                self.tell(finding, element.span.clone(), label);
            }
            if let Some(earlier) = first.get(text) {
                let scope = Quoted::new(text);
                let problem = Problem::new(Finding::DuplicateScope { scope }, &self.source)
                    .label(element.span.clone(), "again here")
                    .label((*earlier).clone(), "first here");
                self.problems.push(problem);
            } else {
                first.insert(text, &element.span);
                scopes.push((Scope::new(text), element.span.clone()));
            }
        }
        wrong.is_empty().then_some(scopes)
    }

    /// One string that the provider reads as several scopes.
    fn commas(&mut self, connector: &ConnectorType, scopes: &[(Scope, Span)]) {
        for (scope, span) in scopes {
            if let Some(finding) = scope::with_comma(Some(connector), scope.as_str()) {
                self.tell(finding, span.clone(), "this scope");
            }
        }
    }

    /// Scopes that are nearly known ones.
    fn slips(&mut self, connector: &ConnectorType, scopes: &[(Scope, Span)]) {
        // Of what cannot be seen well, `spelling` tells.
        let odd = |c: char| c.is_whitespace() || is_invisible(c);
        let clean = scopes
            .iter()
            .filter(|(scope, _)| !scope.as_str().contains(odd));
        for (scope, span) in clean.take(MAX_LOOKED_UP) {
            if let Some(meant) = catalogue::near(connector.as_str(), scope.as_str()) {
                let found = Quoted::new(scope.as_str());
                let help = format!(
                    "did you mean `{meant}`? Any scope is allowed, so this is only a warning"
                );
                let finding = Finding::ScopeSlip { found, help };
                self.tell(finding, span.clone(), "this scope");
            }
        }
    }

    /// `None` for an error, `Some(None)` where there is no such key.
    #[expect(
        clippy::option_option,
        reason = "an error and an absent key are different things"
    )]
    fn account(&mut self, node: Option<&Node>) -> Option<Option<ExpectedAccount>> {
        let Some(node) = node else {
            return Some(None);
        };
        let account = node.text().and_then(ExpectedAccount::parse);
        if account.is_none() {
            self.tell(
                Finding::InvalidAccount,
                node.head(),
                "an address is expected",
            );
        }
        account.map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(name: &str, text: &str) -> Vec<String> {
        let (_, problems) = parse_connector(name, text);
        let code = |p: &Problem| p.to_diagnostic().code;
        problems
            .iter()
            .map(|p| code(p).trim_start_matches("connplan::config::").to_owned())
            .collect()
    }

    #[test]
    fn a_good_file_declares_its_connector() {
        let (parsed, problems) = parse_connector(
            "base44/connectors/a.jsonc",
            "// why\n{type: 'slack', scopes: ['b', 'a',], account: '@example.com'}",
        );
        let parsed = parsed.unwrap();
        assert!(problems.is_empty(), "{problems:?}");
        assert_eq!(parsed.connector.as_str(), "slack");
        assert_eq!(parsed.scopes, ["a", "b"].into_iter().collect());
        assert_eq!(parsed.account.unwrap().as_str(), "@example.com");
        assert!(
            parse_connector("a.json", "{type: 'x'}")
                .0
                .unwrap()
                .scopes
                .is_empty()
        );
    }

    #[test]
    fn all_problems_of_a_file_are_told_errors_first() {
        let text = "{\"tipe\": 1, \"scopes\": [\"a\", \"a\", 5], \"account\": \"ops\"}";
        assert_eq!(
            codes("a.json", text),
            [
                "no_type",
                "scope_not_a_string",
                "invalid_account",
                "unknown_key",
                "duplicate_scope"
            ]
        );
    }

    #[test]
    fn toml_is_checked_alike() {
        let (parsed, problems) = parse_connector("a.toml", "type = \"slack\"\nscopes = [\"a\"]\n");
        assert_eq!(parsed.unwrap().scopes.len(), 1);
        assert_eq!(problems.len(), 1);
        assert_eq!(
            codes("a.toml", "scopes = 5"),
            ["no_type", "scopes_not_a_list", "toml_file"]
        );
        assert_eq!(
            codes("a.toml", "a = \nb = ]"),
            ["syntax", "syntax", "toml_file"]
        );
    }

    #[test]
    fn a_column_counts_characters() {
        let (_, problems) = parse_connector("a.json", "{\r\n\t/* äö */ \"scopes\": 5, type: 'x'}");
        let place = problems.first().unwrap().to_diagnostic();
        assert_eq!((place.line, place.column), (Some(2), Some(21)));
    }

    #[test]
    fn endless_lists_of_problems_are_cut() {
        let text = format!("{{type: 'slack', scopes: [{}]}}", "'a',".repeat(20_000));
        let (parsed, problems) = parse_connector("a.json", &text);
        assert_eq!(parsed.unwrap().scopes.len(), 1);
        assert_eq!(problems.len(), MAX_PROBLEMS + 1);
    }
}

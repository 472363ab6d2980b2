//! What each setting may hold, in words: the decoder's own speak of its types.

use std::collections::BTreeSet;

use super::types::Percent;
use crate::{
    catalogue,
    model::{ConnectorType, ExpectedAccount},
    policy::{self, Rule},
    syntax::{
        Finding, Problem, Source,
        quote::Quoted,
        scope, suggest,
        tree::{Member, Node, Span, Value},
    },
};

/// What stands at a place of `connplan.toml`.
pub(super) enum Shape {
    /// These keys.
    Table(&'static [(&'static str, Shape)]),
    /// Any key, each with this.
    Each(&'static Shape),
    /// Any connector type, each with this.
    ByType(&'static Shape),
    /// A policy rule's name, each with this.
    Ruled(&'static Shape),
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A whole number within these limits.
    Whole(u32, u32),
    /// `true` or `false`.
    Switch,
    /// A string; the decoder says what is wrong within it.
    Text(&'static str),
    /// A list of connector types.
    Types(&'static str),
    /// A list of scopes of the type that it stands under; where they are denied, `*` is any text.
    Scopes(&'static str, Named),
    /// Who is to consent.
    Account,
    /// A whole number, or a share in percent.
    Share,
    /// This, or a table of it by type.
    OneOrEach(&'static Shape),
}

/// What becomes of scopes that are named.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Named {
    Added,
    Allowed,
    Denied,
}

use Shape::{
    Account, ByType, Choice, Each, OneOrEach, Ruled, Scopes, Share, Switch, Table, Text, Types,
    Whole,
};

const CLASS: Shape = Choice(&["none", "sensitive", "restricted"]);
const ACCESS: Shape = Choice(&["identity", "read", "write", "admin"]);
const LEVEL: Shape = Choice(&["warn", "deny"]);

const WHOLE_OR_SHARE: Shape = Whole(0, u32::MAX);
const UNLISTED: Shape = Choice(&["remove", "keep"]);

/// All of `connplan.toml`.
pub(super) const SETTINGS: Shape = Table(&[
    ("unlisted", UNLISTED),
    ("on_remove", Choice(&["remove", "disconnect"])),
    (
        "providers",
        ByType(&Table(&[("adds", Scopes("[\"openid\"]", Named::Added))])),
    ),
    (
        "environments",
        Each(&Table(&[
            ("app_id", Text("\"68a1b2c3\"")),
            ("api_url", Text("\"https://app.base44.com\"")),
            ("connectors_dir", Text("\"connectors/staging\"")),
            ("unlisted", UNLISTED),
        ])),
    ),
    ("plan", Table(&[("expires", Text("\"72h\""))])),
    (
        "apply",
        Table(&[("parallelism", Whole(1, 65_535)), ("keep_going", Switch)]),
    ),
    ("platform", Table(&[("multiplier", Whole(1, 100))])),
    (
        "approval",
        Table(&[
            ("require", Choice(&["review", "signature", "either"])),
            ("count", Whole(1, 65_535)),
            ("signers", Text("\"allowed_signers\"")),
            ("from_risk", Choice(&["none", "write", "danger"])),
        ]),
    ),
    (
        "store",
        Table(&[("url", Text("\"git:origin\"")), ("keep", Text("\"180d\""))]),
    ),
    ("authorize", Table(&[("timeout", Text("\"10m\""))])),
    (
        "policy",
        Table(&[
            ("protected", Types("[\"stripe\"]")),
            ("max_removals", Share),
            ("allowed_types", Types("[\"slack\"]")),
            ("denied_types", Types("[\"gmail\"]")),
            ("max_class", OneOrEach(&CLASS)),
            ("max_access", OneOrEach(&ACCESS)),
            ("accounts", ByType(&Account)),
            ("unknown_scopes", LEVEL),
            (
                "rules",
                Ruled(&Table(&[
                    ("level", LEVEL),
                    ("message", Text("\"ask the security team\"")),
                    ("override", Switch),
                ])),
            ),
            (
                "allowed_scopes",
                ByType(&Scopes("[\"chat:write\"]", Named::Allowed)),
            ),
            (
                "denied_scopes",
                ByType(&Scopes("[\"admin\"]", Named::Denied)),
            ),
        ]),
    ),
]);

/// Unknown keys and values of the wrong kind, all of them.
pub(super) fn check(root: &Node, source: &Source) -> Vec<Problem> {
    let mut check = Check {
        source,
        problems: Vec::new(),
        patterns: 0,
        looked_up: 0,
        connector: None,
    };
    check.node("", root, &SETTINGS);
    check.approval(root);
    check.problems
}

/// Words of gates that stand for many other things, too, and alone are not a gate. `accounts` counts to the letter:
/// `account` is another such word.
const OF_MANY: [&str; 3] = ["count", "rules", "accounts"];
/// What somebody may call a gate.
const ALIKE: [&str; 7] = [
    "approvals",
    "policies",
    "protect",
    "allow_types",
    "deny_types",
    "allow_scopes",
    "deny_scopes",
];

/// Whether a key, or one below it, is a gate's, or nearly: it stands where nobody reads it.
fn holds_gate(member: &Member) -> bool {
    let keys: &[_] = match &SETTINGS {
        Table(keys) => keys,
        _ => &[],
    };
    let gates = keys
        .iter()
        .filter(|(key, _)| matches!(*key, "approval" | "policy"));
    let within = gates.clone().flat_map(|(_, shape)| match shape {
        Table(keys) => *keys,
        _ => &[],
    });
    let known = gates.chain(within).map(|(key, _)| *key);
    let known: Vec<_> = known.filter(|key| !OF_MANY.contains(key)).collect();
    let known = [known.as_slice(), &ALIKE].concat();
    // Of a short word two letters make another one.
    let slips = if member.key.len() < 8 { 1 } else { 2 };
    suggest::closest(&member.key, &known, slips).is_some()
        || member.key == "accounts"
        || member.node.members().iter().any(holds_gate)
}

/// The most patterns of all lists: each is held against each scope.
const MOST_PATTERNS: usize = 1000;

/// The most scopes that are held against the catalogue; real settings have a dozen.
const MOST_LOOKED_UP: usize = 200;

struct Check<'a> {
    source: &'a Source,
    problems: Vec<Problem>,
    /// How many there were so far.
    patterns: usize,
    /// How many scopes were held against the catalogue.
    looked_up: usize,
    /// Whose scopes those that come are.
    connector: Option<ConnectorType>,
}

impl Check<'_> {
    fn node(&mut self, path: &str, node: &Node, shape: &Shape) {
        let below = |key: &str| match path {
            "" => Quoted::new(key).to_string(),
            path => format!("{path}.{}", Quoted::new(key)),
        };
        match (shape, &node.value) {
            (Table(keys), Value::Map(members)) => {
                for member in members {
                    match keys.iter().find(|(key, _)| *key == member.key) {
                        Some((key, shape)) => self.node(&below(key), &member.node, shape),
                        None => self.unknown(path, member, keys),
                    }
                }
            }
            (Each(each) | ByType(each) | OneOrEach(each), Value::Map(members)) => {
                let mut types = BTreeSet::new();
                for member in members {
                    if !matches!(shape, Each(_)) {
                        self.check_type(path, &member.key, &member.key_span);
                        if !types.insert(member.key.to_ascii_lowercase()) {
                            self.twice(&member.key, &member.key_span);
                        }
                        self.connector = ConnectorType::parse(&*member.key).ok();
                    }
                    self.node(&below(&member.key), &member.node, each);
                }
            }
            (Scopes(..) | Types(_), Value::List(elements)) => {
                let is_pattern = |element: &&Node| element.text().is_some_and(|it| it.contains('*'));
                let before = self.patterns;
                self.patterns += elements.iter().filter(is_pattern).count();
                if before <= MOST_PATTERNS && self.patterns > MOST_PATTERNS {
                    let message =
                        format!("there are more than {MOST_PATTERNS} patterns with `*` up to here");
                    let problem = Problem::new(Finding::Setting { message }, self.source);
                    self.problems.push(problem.label(node.head(), "this list"));
                }
                for element in elements {
                    match (element.text(), shape) {
                        (None, _) => self.wrong(path, element, shape),
                        (Some(text), Scopes(_, named)) => {
                            self.check_scope(text, *named, &element.span);
                        }
                        (Some(text), _) => self.check_type(path, text, &element.span),
                    }
                }
            }
            (OneOrEach(shape), _) => self.node(path, node, shape),
            (Account, Value::Text(text)) if ExpectedAccount::parse(text).is_some() => {}
            (Share, Value::Text(text)) if Percent::try_from(text.clone()).is_ok() => {}
            (Ruled(shape), Value::Map(members)) => {
                for member in members {
                    let known = Rule::ALL.iter().any(|rule| rule.as_str() == member.key);
                    if known {
                        self.node(&below(&member.key), &member.node, shape);
                    } else {
                        self.no_rule(&below(&member.key), &member.key, &member.key_span);
                    }
                }
            }
            (Share, Value::Number(_)) => self.node(path, node, &WHOLE_OR_SHARE),
            (Choice(words), Value::Text(text)) if words.contains(&text.as_str()) => {}
            (Whole(least, most), Value::Number(number))
                // What was written in another way than in digits is the decoder's to judge.
                if number.is_nan()
                    || (number.fract() == 0.0
                        && (f64::from(*least)..=f64::from(*most)).contains(number)) => {}
            (Switch, Value::Bool(_)) | (Text(_), Value::Text(_)) => {}
            _ => self.wrong(path, node, shape),
        }
    }

    /// What is nearly a known type, or another name of one, is a slip: a misspelt `protected` protects nothing.
    /// A provider's types share limits: each spelling of one would be a type of its own.
    fn twice(&mut self, text: &str, span: &Span) {
        let text = Quoted::new(text);
        let message = format!("`{text}` stands here in other letters, too: write it once");
        let problem = Problem::new(Finding::Setting { message }, self.source);
        self.problems.push(problem.label(span.clone(), "this type"));
    }

    fn check_type(&mut self, path: &str, text: &str, span: &Span) {
        // `*` is what stands for every type, where something does.
        if matches!(
            text.to_ascii_lowercase().as_str(),
            "all" | "any" | "default"
        ) {
            let message = format!(
                "`{}` is not a connector type; where a rule is for every type, it is written \"*\"",
                Quoted::new(text)
            );
            let problem = Problem::new(Finding::Setting { message }, self.source);
            self.problems.push(problem.label(span.clone(), "here"));
            return;
        }
        // Anything else than a type is the decoder's to refuse.
        let slip = ConnectorType::parse(text).ok();
        let Some(meant) = slip.and_then(|_| suggest::type_misspelt(text)) else {
            return;
        };
        let (found, gate) = (Quoted::new(text), path.starts_with("policy."));
        let problem = Problem::new(Finding::TypeSlip { found, meant, gate }, self.source);
        self.problems.push(problem.label(span.clone(), "this type"));
    }

    /// A scope has the errors that it has in a file; and where none that is known fits, a slip is likely.
    fn check_scope(&mut self, text: &str, named: Named, span: &Span) {
        let wrong = if text.trim().is_empty() && named != Named::Allowed {
            Some((Finding::EmptyScope, "empty"))
        } else {
            let comma = scope::with_comma(self.connector.as_ref(), text);
            scope::misspelt(text).or(comma.map(|finding| (finding, "this scope")))
        };
        let (finding, label) = match wrong {
            Some(wrong) => wrong,
            None => match self.unknown_scope(text, named) {
                Some(finding) => (finding, "this scope"),
                None => return,
            },
        };
        let problem = Problem::new(finding, self.source);
        self.problems.push(problem.label(span.clone(), label));
    }

    /// What a rule denies is read as it may be meant; all else to the letter.
    fn unknown_scope(&mut self, text: &str, named: Named) -> Option<Finding> {
        let denied = named == Named::Denied;
        let any = || catalogue::connectors().filter_map(|name| ConnectorType::parse(name).ok());
        let of = self.connector.clone();
        let mut types: Vec<_> = of.map_or_else(|| any().collect(), |name| vec![name]);
        // Of a provider of which none is known, nobody can tell.
        types.retain(|name| catalogue::of_provider(name.as_str()).next().is_some());
        let is_known = |name: &ConnectorType| catalogue::fact(name.as_str(), text).is_some();
        let fits = |name: &ConnectorType| denied && policy::denies_known(name, text);
        if types.is_empty() || self.looked_up >= MOST_LOOKED_UP || types.iter().any(is_known) {
            return None;
        }
        self.looked_up += 1;
        if types.iter().any(fits) {
            return None;
        }
        let near = types
            .iter()
            .find_map(|name| catalogue::near(name.as_str(), text));
        let help = match near {
            Some(meant) if denied => {
                format!("did you mean `{meant}`? As it stands, it forbids nothing that is known")
            }
            Some(meant) => format!("did you mean `{meant}`?"),
            None if denied => {
                "it forbids nothing that is known; `connplan scopes` lists what is".to_owned()
            }
            None => return None,
        };
        let found = Quoted::new(text);
        Some(Finding::ScopeSlip { found, help })
    }

    fn unknown(&mut self, path: &str, member: &Member, known: &[(&'static str, Shape)]) {
        let known: Vec<_> = known.iter().map(|(key, _)| *key).collect();
        let key = &*member.key;
        let table = match path.split('.').next() {
            Some("") | None => suggest::closest(key, &known, 2),
            table => table,
        };
        let finding = Finding::UnknownSetting {
            key: Quoted::new(key),
            help: suggest::help(key, &known),
            gate: matches!(table, Some("approval" | "policy")) || holds_gate(member),
        };
        let problem = Problem::new(finding, self.source);
        self.problems
            .push(problem.label(member.key_span.clone(), "ignored"));
    }

    /// A number of persons, or a risk, asks for no approval by itself.
    fn approval(&mut self, root: &Node) {
        let Some(approval) = root
            .get("approval")
            .filter(|is| is.get("require").is_none())
        else {
            return;
        };
        for member in approval.members() {
            if matches!(&*member.key, "count" | "from_risk") {
                let message = format!(
                    "`approval.{}` asks nobody without `require`; add `require = \"review\"`, \"signature\" or \
                     \"either\", or delete it",
                    member.key
                );
                let problem = Problem::new(Finding::Setting { message }, self.source);
                self.problems
                    .push(problem.label(member.key_span.clone(), "here"));
            }
        }
    }

    fn no_rule(&mut self, path: &str, key: &str, span: &Span) {
        let known: Vec<_> = Rule::ALL.iter().map(|rule| rule.as_str()).collect();
        let help = suggest::help(key, &known);
        let message = format!("`{path}` is not a rule; {help}");
        let problem = Problem::new(Finding::Setting { message }, self.source);
        self.problems.push(problem.label(span.clone(), "here"));
    }

    fn wrong(&mut self, path: &str, node: &Node, shape: &Shape) {
        let found = match &node.value {
            Value::Text(text) => format!("\"{}\"", Quoted::new(text)),
            Value::Number(number) if number.is_finite() => number.to_string(),
            Value::Bool(value) => value.to_string(),
            Value::Map(_) => "a table".to_owned(),
            _ => node.kind().to_owned(),
        };
        let wanted = match shape {
            Table(_) | Each(_) | ByType(_) | Ruled(_) => format!("a table: `[{path}]`"),
            Choice(words) => {
                let words: Vec<_> = words.iter().map(|word| format!("\"{word}\"")).collect();
                words.join(" or ")
            }
            Share | Whole(0, u32::MAX) => {
                "a whole number, 0 or more, or a percentage from \"0%\" to \"100%\"".to_owned()
            }
            OneOrEach(_) => "one of these words, or a table of them by type".to_owned(),
            Whole(least, most) => format!("a whole number from {least} to {most}"),
            Switch => "true or false".to_owned(),
            Text(example) => format!("a string, for example {example}"),
            Account => {
                "an address, or a domain with its `@`, for example \"@example.com\"".to_owned()
            }
            Scopes(example, _) | Types(example) => {
                format!("a list of strings, for example {example}")
            }
        };
        let message = format!("`{path}` is {found}; it has to be {wanted}");
        let span = match shape {
            Choice(_) | Whole(..) | Share => node.span.clone(),
            _ => node.head(),
        };
        let problem = Problem::new(Finding::Setting { message }, self.source);
        self.problems.push(problem.label(span, "here"));
    }
}

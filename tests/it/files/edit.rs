//! Edits of connector files, on files that nobody wrote by hand: whatever the layout, the wanted
//! scopes are declared afterwards, every comment is still there, and a second edit changes nothing.

use std::collections::{BTreeMap, BTreeSet};

use connplan::{
    catalogue::ScopeEquivalence,
    edit::{
        self,
        pull::{Inputs, What, decide},
    },
    model::{
        ConnectorType, Declared, DeclaredConnector, RemoteConnector, RemoteStatus, Scope, Scopes,
    },
    syntax::parse_connector,
};
use proptest::prelude::*;

fn gap() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => Just(String::new()),
        2 => Just(" ".to_owned()),
        3 => Just("\n    ".to_owned()),
        1 => Just("\r\n\t".to_owned()),
        1 => "[a-z]{1,3}".prop_map(|word| format!(" /* C{word} */ ")),
        2 => "[a-z]{1,3}".prop_map(|word| format!(" // C{word}\n  ")),
        1 => "[a-z]{1,3}".prop_map(|word| format!("\n/* C{word}\n*/\n")),
    ]
}

const SCOPES: [&str; 6] = [
    "chat:write",
    "files:read",
    "a'b",
    "c\"d\\",
    "ü",
    "users:read",
];

fn element() -> impl Strategy<Value = String> {
    (0..SCOPES.len(), any::<bool>()).prop_map(|(n, single)| {
        let text = SCOPES[n].replace('\\', "\\\\");
        if single {
            format!("'{}'", text.replace('\'', "\\'"))
        } else {
            format!("\"{}\"", text.replace('"', "\\\""))
        }
    })
}

fn file() -> impl Strategy<Value = String> {
    let list = prop::collection::vec((gap(), element(), gap()), 0..6);
    (
        gap(),
        gap(),
        prop::option::of((list, any::<bool>(), gap())),
        any::<bool>(),
        any::<bool>(),
        gap(),
    )
        .prop_map(|(g1, g2, list, list_first, trailing, g3)| {
            let kind = format!("{g1}type{g2}: 'slackbot'{g3}");
            let scopes = list.map(|(elements, comma, end)| {
                let items: Vec<_> = elements
                    .iter()
                    .map(|(a, e, b)| format!("{a}{e}{b}"))
                    .collect();
                let comma = if comma && !items.is_empty() { "," } else { "" };
                format!("{g2}\"scopes\":{g1}[{}{comma}{end}]{g3}", items.join(","))
            });
            let mut members: Vec<_> = std::iter::once(kind).chain(scopes).collect();
            if list_first {
                members.reverse();
            }
            let comma = if trailing { "," } else { "" };
            format!("{g3}{{{}{comma}{g1}}}{g2}", members.join(","))
        })
}

fn wanted() -> impl Strategy<Value = Scopes> {
    prop::collection::btree_set(0..SCOPES.len(), 0..5)
        .prop_map(|set| set.into_iter().map(|n| Scope::new(SCOPES[n])).collect())
}

/// The comments, by the mark that all of them have.
fn comments(text: &str) -> Vec<String> {
    let marks = text.match_indices(['/']).filter_map(|(at, _)| {
        let rest = &text[at..];
        let word = rest.strip_prefix("/ C").or(rest.strip_prefix("/* C"))?;
        Some(word.chars().take_while(char::is_ascii_lowercase).collect())
    });
    marks.collect()
}

proptest! {
    #![proptest_config(crate::support::cases(50))]

    #[test]
    fn any_layout_can_be_edited(text in file(), wanted in wanted()) {
        let (parsed, _) = parse_connector("a.jsonc", &text);
        let parsed = parsed.unwrap();
        let edited = edit::scopes("a.jsonc", &text, &wanted).unwrap();
        let (again, _) = parse_connector("a.jsonc", &edited);
        prop_assert_eq!(again.unwrap().scopes, wanted.clone(), "{}", &edited);
        prop_assert_eq!(comments(&edited), comments(&text), "{}\n=>\n{}", &text, &edited);
        prop_assert_eq!(edit::scopes("a.jsonc", &edited, &wanted).unwrap(), edited);
        if parsed.scopes == wanted {
            prop_assert_eq!(edit::scopes("a.jsonc", &text, &wanted).unwrap(), text);
        }
    }

    #[test]
    fn after_a_pull_there_is_no_difference(
        declared in prop::collection::btree_map(0..TYPES.len(), set(), 0..4),
        remote in prop::collection::btree_map(0..TYPES.len(), set(), 0..4),
    ) {
        let rules = ScopeEquivalence::default();
        let kind = |n: &usize| ConnectorType::parse(TYPES[*n]).unwrap();
        let observed: BTreeMap<_, _> = remote.iter().map(|(n, scopes)| {
            (kind(n), RemoteConnector {
                status: RemoteStatus::Active, scopes: scopes.clone(), account: None, mode: None, connection_config: None,
            })
        }).collect();
        let mut texts: BTreeMap<String, String> = declared.iter().map(|(n, scopes)| {
            (format!("c/{}.jsonc", TYPES[*n]), edit::platform_file(&kind(n), scopes))
        }).collect();
        for round in 0..2 {
            let declared = read(&texts);
            let steps = decide(Inputs {
                declared: &declared, texts: &texts, observed: &observed,
                pending: &BTreeMap::new(), rules: &rules, folder: "c",
                taken: &BTreeSet::new(), unquoted: &BTreeSet::new(),
                prune: true,
            }).unwrap();
            for step in steps {
                if round > 0 {
                    prop_assert_eq!(&step.what, &What::Unchanged);
                }
                match step.what {
                    What::Create(text) | What::Edit { after: text, .. } => {
                        texts.insert(step.file, text);
                    }
                    What::Remove(_) => drop(texts.remove(&step.file)),
                    What::Unchanged | What::Kept(_) => {}
                }
            }
        }
        let files = read(&texts);
        prop_assert!(files.connectors.keys().eq(observed.keys()));
        for (name, connector) in &files.connectors {
            let found = rules.compare(name, &connector.scopes, &observed[name].scopes);
            prop_assert!(found.is_same(), "{name}: {found:?}");
            for scope in connector.scopes.iter() {
                let before = declared.iter().any(|(n, s)| kind(n) == *name && s.contains(scope));
                let identity = ["openid", "email", "profile"].contains(&scope.as_str());
                let added = rules.is_addition_as_spelt(name, scope) && !identity;
                prop_assert!(before || !added, "{name} {scope}");
            }
        }
    }
}

const TYPES: [&str; 5] = ["gmail", "outlook", "discord", "github", "linear"];
const GRANTS: [&str; 12] = [
    "openid",
    "email",
    "https://www.googleapis.com/auth/userinfo.email",
    "https://www.googleapis.com/auth/gmail.send",
    "Mail.Read",
    "https://graph.microsoft.com/mail.read",
    "offline_access",
    "bot",
    "applications.commands",
    "user",
    "user:email",
    "read",
];

fn set() -> impl Strategy<Value = Scopes> {
    prop::collection::btree_set(0..GRANTS.len(), 0..6)
        .prop_map(|set| set.into_iter().map(|n| Scope::new(GRANTS[n])).collect())
}

fn read(texts: &BTreeMap<String, String>) -> Declared {
    let connectors = texts.iter().map(|(file, text)| {
        let parsed = parse_connector(file, text).0.unwrap();
        let declared = DeclaredConnector {
            scopes: parsed.scopes,
            file: file.clone(),
            account: parsed.account,
            connection_config: BTreeMap::new(),
        };
        (parsed.connector, declared)
    });
    Declared {
        connectors: connectors.collect(),
    }
}

//! What holds of any file.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on is a test that fails"
)]

use connplan::syntax::{json5, parse_connector, parse_settings, tree::Node};
use proptest::{collection::vec, prelude::*, sample::select};

use crate::{
    files::json5::{normal, to_json},
    files::projects::{assert_harmless, render},
};

/// Pieces that files are made of, in any order.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        select(vec![
            "{",
            "}",
            "[",
            "]",
            ":",
            ",",
            "\"",
            "'",
            "\\",
            "\\u",
            "\\x4",
            "//",
            "/*",
            "*/",
            "\n",
            "\r\n",
            "\t",
            " ",
            "type",
            "scopes",
            "account",
            "\"slack\"",
            "\"a b\"",
            "=",
            "#",
            "-",
            "0x",
            ".",
            "1e",
            "\u{feff}",
            "\u{202e}",
            "\u{1b}[31m",
            "\u{e0041}",
            "ä",
            "日",
            "\0",
            "[apply]",
            "\"\"\"",
            "::error::x",
            "\u{2028}",
            "\u{85}",
            "true",
        ])
        .prop_map(str::to_owned),
        any::<char>().prop_map(String::from),
    ];
    vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

fn json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        any::<String>().prop_map(Into::into),
    ];
    leaf.prop_recursive(5, 40, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(serde_json::Value::Array),
            proptest::collection::btree_map(any::<String>(), inner, 0..6)
                .prop_map(|map| map.into_iter().collect()),
        ]
    })
}

/// Every part of the text that a node names is that node again.
fn assert_spans(text: &str, node: &Node) {
    let part = json5::parse(&text[node.span.clone()]).unwrap();
    assert_eq!(to_json(&part), to_json(node));
    for member in node.members() {
        assert!(member.key_span.end <= member.node.span.start);
        assert_spans(text, &member.node);
    }
    node.elements().iter().for_each(|e| assert_spans(text, e));
}

proptest! {
    #![proptest_config(crate::support::cases(50))]

    #[test]
    fn no_text_breaks_the_readers_and_every_message_is_harmless(
        text in pieces(),
        name in "[a-z\\x1b\u{202e}:]{0,6}\\.(jsonc|toml)",
    ) {
        let (parsed, mut problems) = parse_connector(&name, &text);
        let errors = problems.iter().any(connplan::syntax::Problem::is_error);
        prop_assert_eq!(parsed.is_none(), errors);
        let (settings, told) = parse_settings("connplan.toml", &text);
        prop_assert_eq!(settings.is_none(), told.iter().any(connplan::syntax::Problem::is_error));
        problems.extend(told);
        for problem in &problems {
            assert_harmless(&render(problem));
            for label in problem.places() {
                prop_assert!(text.get(label.span.clone()).is_some(), "{label:?} in {text:?}");
            }
        }
    }

    #[test]
    fn json_is_json5(value in json(), pretty: bool) {
        let text = if pretty {
            serde_json::to_string_pretty(&value).unwrap()
        } else {
            value.to_string()
        };
        let node = json5::parse(&text).unwrap();
        prop_assert_eq!(to_json(&node), normal(value));
        assert_spans(&text, &node);
    }
}

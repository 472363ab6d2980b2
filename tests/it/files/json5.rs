//! JSON5 as the official client's own parser reads it.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on is a test that fails"
)]

use connplan::syntax::{
    json5,
    tree::{Node, Value},
};

/// What the `json5` package of base44 0.1.18 makes of each text; the later ones were made at
/// random. A number that JSON lacks stands as `{"$number": "NaN"}`.
const CASES: &str = include_str!("../../../fixtures/json5/cases.json");

#[derive(serde::Deserialize)]
struct Case {
    text: String,
    #[serde(default)]
    error: bool,
    #[serde(default)]
    value: serde_json::Value,
}

#[test]
fn each_text_gives_what_the_official_parser_gives() {
    let cases: Vec<Case> = serde_json::from_str(CASES).unwrap();
    assert!(cases.len() > 200);
    for Case { text, error, value } in cases {
        match json5::parse(&text) {
            Ok(node) => {
                assert!(!error, "{text:?} should be refused");
                assert_eq!(to_json(&node), normal(value), "{text:?}");
            }
            Err(e) => assert!(error, "{text:?} should be read: {e} at {:?}", e.span),
        }
    }
}

#[test]
fn an_error_points_at_its_place() {
    for (text, place, opened) in [
        ("{a: 1 b: 2}", "b", None),
        ("{a: slack}", "slack", None),
        ("// ä\n{type: \"x\", scopes: [1, 2}", "}", None),
        ("{'ä': [1, 2\n", "2", Some("[")),
        ("{a: 'xyz\n}", "'xyz", None),
        ("['\\u00zz']", "\\u", None),
        ("['\\ud800!']", "\\ud800", None),
        ("{a: 1} }", "}", None),
        ("{a: 1} /* x", "x", Some("/*")),
        ("{\u{202e}: 1}", "\u{202e}", None),
    ] {
        let error = json5::parse(text).unwrap_err();
        assert_eq!(&text[error.span.clone()], place, "{text:?}: {error}");
        assert_eq!(error.opened.map(|span| &text[span]), opened, "{text:?}");
    }
}

#[test]
fn nesting_has_an_end() {
    let deep = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(json5::parse(&deep(json5::MAX_DEPTH)).is_ok());
    assert!(json5::parse(&deep(json5::MAX_DEPTH + 1)).is_err());
    assert!(json5::parse(&"[{a:".repeat(200_000)).is_err());
}

/// The node as JSON; of a key that stands twice the last value, as JavaScript has it.
pub(crate) fn to_json(node: &Node) -> serde_json::Value {
    match &node.value {
        Value::Null => serde_json::Value::Null,
        Value::Bool(value) => (*value).into(),
        Value::Number(n) if n.is_nan() => serde_json::json!({"$number": "NaN"}),
        Value::Number(n) if n.is_infinite() => {
            serde_json::json!({"$number": if *n > 0.0 { "Infinity" } else { "-Infinity" }})
        }
        // Zero has no sign in what the reference wrote.
        Value::Number(n) => (*n + 0.0).into(),
        Value::Text(text) => text.clone().into(),
        Value::Time => panic!("JSON5 has no time"),
        Value::List(list) => list.iter().map(to_json).collect(),
        Value::Map(members) => members
            .iter()
            .map(|member| (member.key.clone(), to_json(&member.node)))
            .collect(),
    }
}

/// Every number as a float, so that `1` and `1.0` are equal.
pub(crate) fn normal(value: serde_json::Value) -> serde_json::Value {
    match value {
        serde_json::Value::Number(n) => (n.as_f64().unwrap() + 0.0).into(),
        serde_json::Value::Array(list) => list.into_iter().map(normal).collect(),
        serde_json::Value::Object(map) => map.into_iter().map(|(k, v)| (k, normal(v))).collect(),
        other => other,
    }
}

//! A body becomes a value, or an error that shows nothing of its content.

use std::fmt::Write;

use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::{Value, error::Category};

/// Why a body is not the value that was expected.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Mismatch {
    /// Path of the field; empty for the whole.
    pub(crate) field: String,
    /// What is wrong, in words that hold none of the body's content.
    pub(crate) fault: String,
    /// Names and types of the body.
    pub(crate) shape: String,
}

/// Decodes a JSON body.
pub(crate) fn decode<T: DeserializeOwned>(body: &[u8]) -> Result<T, Mismatch> {
    // serde accepts a list for a struct, with its items as the fields in order.
    let is_object = body.trim_ascii_start().starts_with(b"{");
    if !is_object && serde_json::from_slice::<IgnoredAny>(body).is_ok() {
        let fault = "it is not an object".to_owned();
        return Err(Mismatch {
            field: String::new(),
            fault,
            shape: shape_of(body),
        });
    }
    let mut reader = serde_json::Deserializer::from_slice(body);
    let wrong = match serde_path_to_error::deserialize(&mut reader) {
        Ok(value) => match reader.end() {
            Ok(()) => return Ok(value),
            Err(error) => (String::new(), error),
        },
        Err(error) => (error.path().to_string(), error.into_inner()),
    };
    let (path, error) = wrong;
    if error.classify() == Category::Data {
        return Err(describe(&path, &error.to_string(), shape_of(body)));
    }
    let fault = if body.trim_ascii().is_empty() {
        "it is empty".to_owned()
    } else {
        format!(
            "it is not JSON (line {}, column {})",
            error.line(),
            error.column()
        )
    };
    let shape = format!("{} bytes", body.len());
    Err(Mismatch {
        field: String::new(),
        fault,
        shape,
    })
}

/// Larger bodies are not read a second time for their shape: as a tree they take many times their
/// size.
const MAX_SHAPED: usize = 256 * 1024;

pub(crate) fn shape_of(body: &[u8]) -> String {
    let tree = (body.len() <= MAX_SHAPED)
        .then(|| serde_json::from_slice(body).ok())
        .flatten();
    tree.map_or_else(|| format!("{} bytes", body.len()), |tree| shape(&tree))
}

/// Says what serde found, without the value that serde would quote.
fn describe(path: &str, message: &str, shape: String) -> Mismatch {
    // serde_json ends each message with the place; the sentences before it are serde's own.
    let message = message
        .rsplit_once(" at line ")
        .map_or(message, |(text, _)| text);
    let path = if path == "." { "" } else { path };
    let (field, fault) = if let Some(name) = message.strip_prefix("missing field ") {
        let name = name.trim_matches('`');
        let field = if path.is_empty() {
            name.to_owned()
        } else {
            format!("{path}.{name}")
        };
        let fault = format!("`{field}` is missing");
        (field, fault)
    } else {
        let subject = if path.is_empty() {
            "it".to_owned()
        } else {
            format!("`{path}`")
        };
        let foreign = [
            "invalid type: ",
            "invalid value: ",
            "invalid length ",
            "unknown variant ",
        ];
        let fault = if foreign.iter().any(|start| message.starts_with(start)) {
            // What comes last is our own type's description: it cannot be the server's text.
            match message.rsplit_once(", expected ") {
                Some((_, expected)) => format!("{subject} is not {}", plain_words(expected)),
                None => format!("{subject} is not as expected"),
            }
        } else {
            // From our own types' checks, which quote nothing.
            format!("{subject} is not valid: {message}")
        };
        (path.to_owned(), fault)
    };
    Mismatch {
        field,
        fault,
        shape,
    }
}

/// serde's words for what it expected, as people say them.
fn plain_words(expected: &str) -> &str {
    match expected {
        "a sequence" => "a list",
        "a map" => "an object",
        rust if rust.starts_with("struct ") => "an object",
        other => other,
    }
}

/// The most characters of a shape.
const MAX_SHAPE: usize = 240;

/// A value's names and types: `{integrations: [{status: string}, +2]}`.
pub(crate) fn shape(value: &Value) -> String {
    let mut out = String::new();
    draw(value, 3, &mut out);
    if let Some((end, _)) = out.char_indices().nth(MAX_SHAPE) {
        out.truncate(end);
        out.push('…');
    }
    out
}

fn draw(value: &Value, depth: u8, out: &mut String) {
    if out.len() > MAX_SHAPE {
        return;
    }
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(_) => out.push_str("boolean"),
        Value::Number(_) => out.push_str("number"),
        Value::String(_) => out.push_str("string"),
        Value::Array(items) => {
            out.push('[');
            match (items.first(), depth) {
                (Some(_), 0) => out.push('…'),
                (Some(first), _) => {
                    draw(first, depth - 1, out);
                    if items.len() > 1 {
                        // Writing to a String cannot fail.
                        let _ = write!(out, ", +{}", items.len() - 1);
                    }
                }
                (None, _) => {}
            }
            out.push(']');
        }
        Value::Object(_) if depth == 0 => out.push_str("{…}"),
        Value::Object(fields) => {
            out.push('{');
            for (n, (name, value)) in fields.iter().enumerate() {
                if n > 0 {
                    out.push_str(", ");
                }
                // A name is the server's text too, and might be a token used as a key.
                let plain =
                    name.len() <= 32 && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
                out.push_str(if plain { name } else { "…" });
                out.push_str(": ");
                draw(value, depth - 1, out);
            }
            out.push('}');
        }
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::*;
    use crate::model::RemoteStatus;

    #[derive(Debug, Deserialize)]
    struct Outer {
        #[expect(dead_code, reason = "only decoded")]
        items: Vec<Inner>,
    }
    #[derive(Debug, Deserialize)]
    struct Inner {
        #[expect(dead_code, reason = "only decoded")]
        status: RemoteStatus,
    }

    fn wrong(body: &str) -> Mismatch {
        decode::<Outer>(body.as_bytes()).unwrap_err()
    }

    #[test]
    fn the_field_is_named_and_the_content_is_not() {
        let m = wrong(r#"{"items": [{"status": "active"}, {"status": "canary, expected x"}]}"#);
        assert_eq!(m.field, "items[1].status");
        assert!(!m.fault.contains("canary"), "{}", m.fault);
        assert!(m.fault.contains("one of `active`"), "{}", m.fault);
        let m = wrong(r#"{"items": [{}]}"#);
        assert_eq!(
            (m.field.as_str(), m.fault.as_str()),
            ("items[0].status", "`items[0].status` is missing")
        );
        let m = wrong(r#"{"items": "canary at line 1, expected a rest"}"#);
        assert_eq!(
            (m.field.as_str(), m.fault.as_str()),
            ("items", "`items` is not a list")
        );
        assert_eq!(m.shape, "{items: string}");
    }

    #[test]
    fn what_is_no_json_says_so() {
        assert_eq!(wrong("").fault, "it is empty");
        assert_eq!(
            wrong(r#"{"items": [{"sta"#).fault,
            "it is not JSON (line 1, column 16)"
        );
        assert!(
            wrong(r#"{"items": []} x"#)
                .fault
                .starts_with("it is not JSON")
        );
        assert_eq!(wrong("[]").fault, "it is not an object");
        assert!(
            !wrong(&"[".repeat(100_000)).fault.is_empty(),
            "deep nesting does not overflow the stack"
        );
    }

    #[test]
    fn a_shape_is_short_and_tells_no_secret() {
        let value = json!({"a": [1, 2, 3], "b44k_canary9": "canary", "c": {"d": {"e": {"f": 1}}}});
        let shape = shape(&value);
        assert_eq!(shape, "{a: [number, +2], …: string, c: {d: {e: {…}}}}");
        let wide: serde_json::Map<String, Value> =
            (0..9999).map(|n| (format!("k{n}"), Value::Null)).collect();
        assert!(super::shape(&Value::Object(wide)).chars().count() <= MAX_SHAPE + 1);
    }
}

//! Connector files that are not there yet.

use super::{quote::quoted, scan::Syntax};
use crate::model::{ConnectorType, Kind, Scopes};

/// A connector as the platform's own client writes it: two spaces, one scope a line.
pub fn platform_file(connector: &ConnectorType, scopes: &Scopes) -> String {
    file(&[], None, connector, scopes, &[], |_| None)
}

/// A connection value that somebody has to fill in: its name, and what it is.
pub type Blank = (String, String);

/// A connector file with a comment above it, the schema that editors go by, a comment beside each scope, and
/// the connection values that it needs, empty.
pub fn file(
    head: &[String],
    schema: Option<&str>,
    connector: &ConnectorType,
    scopes: &Scopes,
    blanks: &[Blank],
    note: impl Fn(&str) -> Option<String>,
) -> String {
    let mut text = String::new();
    for line in head {
        text.push_str(format!("// {line}").trim_end());
        text.push('\n');
    }
    text.push_str("{\n");
    if let Some(schema) = schema {
        let schema = quoted(schema, '"', Syntax::Json5);
        text.extend(["  \"$schema\": ", &schema, ",\n"]);
    }
    text.push_str("  \"type\": \"");
    text.push_str(connector.as_str());
    text.push('"');
    if connector.kind() == Kind::Stripe {
        text.push_str("\n}\n");
        return text;
    }
    text.push_str(",\n  \"scopes\": [");
    let last = scopes.len();
    for (n, scope) in scopes.iter().enumerate() {
        text.push_str("\n    ");
        text.push_str(&quoted(scope.as_str(), '"', Syntax::Json5));
        if n + 1 < last {
            text.push(',');
        }
        if let Some(note) = note(scope.as_str()) {
            text.push_str(" // ");
            text.push_str(&note);
        }
    }
    if last > 0 {
        text.push_str("\n  ");
    }
    text.push(']');
    for (n, (name, what)) in blanks.iter().enumerate() {
        let (before, after) = (
            if n == 0 {
                ",\n  \"connection_config\": {\n"
            } else {
                ""
            },
            if n + 1 < blanks.len() { ",\n" } else { "\n  }" },
        );
        let name = quoted(name, '"', Syntax::Json5);
        let note = if what.is_empty() {
            String::new()
        } else {
            format!("    // {what}\n")
        };
        text.extend([before, &note, "    ", &name, ": \"\"", after]);
    }
    text.push_str("\n}\n");
    text
}

//! What can be wrong with one scope, in files and in settings alike. Pure.

use super::{
    Finding,
    quote::{Quoted, is_invisible},
};
use crate::{catalogue, model::ConnectorType};

/// White space in it, or what nobody sees.
pub(super) fn misspelt(text: &str) -> Option<(Finding, &'static str)> {
    if text.bytes().all(|b| b.is_ascii_graphic()) {
        return None;
    }
    let scope = Quoted::new(text);
    if text.contains(catalogue::ends_scope) {
        let help = if text.contains(|c| catalogue::ends_scope(c) && !c.is_whitespace()) {
            "U+0000 and U+001C to U+001F count as white space: others end a text there; type the scope again"
        } else if text.trim().contains(char::is_whitespace) {
            "each scope is an element of its own: [\"a\", \"b\"], not [\"a b\"]"
        } else {
            "delete the white space at its ends"
        };
        return Some((Finding::ScopeWhiteSpace { scope, help }, "this scope"));
    }
    let hidden = text.contains(is_invisible);
    hidden.then_some((
        Finding::ScopeInvisible { scope },
        "holds an invisible character",
    ))
}

/// A comma in it, where the provider, or one of those of any type, reads several scopes then.
pub(super) fn with_comma(connector: Option<&ConnectorType>, text: &str) -> Option<Finding> {
    let splits = connector.is_none_or(|name| catalogue::splits_at_commas(name.as_str()));
    let scope = Quoted::new(text);
    (splits && text.contains(',')).then(|| Finding::ScopeComma {
        scope,
        reader: connector.map_or_else(
            || "some providers read it".to_owned(),
            |name| format!("the provider of {name} reads it"),
        ),
    })
}

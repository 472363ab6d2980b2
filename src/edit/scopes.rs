//! One file's scopes.

use miette::Diagnostic;
use thiserror::Error;

use super::{
    layout::{Layout, Patch},
    list,
    scan::{Scan, Syntax},
};
use crate::{
    model::{Scope, Scopes},
    syntax::{is_toml, parse_connector, parse_tree, tree::Node},
};

/// A file that cannot be edited.
#[derive(Clone, Debug, PartialEq, Eq, Error, Diagnostic)]
#[error("{file} cannot be edited in place")]
#[diagnostic(
    code(connplan::edit::not_editable),
    help("write its scopes by hand: {scopes}")
)]
pub struct EditError {
    file: String,
    scopes: String,
}

/// The file with exactly `wanted` as its scopes. `name` is the file's, relative to the project root.
/// Scopes that are there already keep their place, spelling and comments; others go or come; nothing
/// else changes.
pub fn scopes(name: &str, text: &str, wanted: &Scopes) -> Result<String, EditError> {
    let edited = (|| {
        let now = parse_connector(name, text).0?.scopes;
        let missing: Scopes = wanted
            .iter()
            .filter(|scope| !now.contains(scope))
            .cloned()
            .collect();
        let grown = grow(name, text, &missing)?;
        let done = shrink(name, &grown, wanted)?;
        let read = parse_connector(name, &done).0?;
        (read.scopes == *wanted).then_some(done)
    })();
    edited.ok_or_else(|| {
        let list: Vec<_> = wanted
            .iter()
            .map(|scope| crate::escape::limited(scope.as_str(), 200))
            .collect();
        EditError {
            file: crate::escape::limited(name, 200),
            scopes: list.join(", "),
        }
    })
}

fn scan<'a>(name: &str, text: &'a str) -> Scan<'a> {
    let syntax = if is_toml(name) {
        Syntax::Toml
    } else {
        Syntax::Json5
    };
    Scan { text, syntax }
}

fn grow(name: &str, text: &str, missing: &Scopes) -> Option<String> {
    if missing.is_empty() {
        return Some(text.to_owned());
    }
    let scan = scan(name, text);
    let root = parse_tree(name, text)?;
    // Of a key that stands twice the last one counts.
    let member = |key: &str| root.members().iter().rfind(|member| member.key == key);
    let kind = member("type")?;
    let layout = Layout::of(scan, &root, kind);
    let items = layout.items(missing);
    let patch = match member("scopes") {
        Some(scopes) => list::grow(&layout, scopes, &items),
        None => new_key(&layout, kind, &items),
    };
    Some(patch.apply(text))
}

/// Puts `scopes` behind the type.
fn new_key(layout: &Layout<'_>, kind: &crate::syntax::tree::Member, items: &[String]) -> Patch {
    let mut patch = Patch::default();
    let scan = layout.scan;
    let end = kind.node.span.end;
    let key = layout.key(kind);
    let indent = scan.indentation(kind.key_span.start);
    let tall = || {
        format!(
            "{}{indent}{key}{}",
            layout.newline,
            layout.tall_list(items, indent)
        )
    };
    match scan.syntax {
        Syntax::Toml => patch.insert(scan.line_comments(end), tall()),
        Syntax::Json5 if scan.starts_line(kind.key_span.start) => {
            list::after(scan, end, &tall(), &mut patch);
        }
        Syntax::Json5 => patch.insert(end, format!(", {key}{}", Layout::flat_list(items))),
    }
    patch
}

fn shrink(name: &str, text: &str, wanted: &Scopes) -> Option<String> {
    let scan = scan(name, text);
    let root = parse_tree(name, text)?;
    let Some(node) = root.get("scopes") else {
        return Some(text.to_owned());
    };
    // Of empty strings there is a warning already; they are none of our business.
    let goes = |text: &str| !text.trim().is_empty() && !wanted.contains(&Scope::new(text));
    let any = |node: &Node| node.elements().iter().filter_map(Node::text).any(goes);
    if !any(node) {
        return Some(text.to_owned());
    }
    Some(list::shrink(scan, node, goes).apply(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn edit(name: &str, text: &str, wanted: &[&str]) -> String {
        scopes(name, text, &wanted.iter().copied().collect()).unwrap()
    }

    fn json(text: &str, wanted: &[&str]) -> String {
        edit("a.jsonc", text, wanted)
    }

    #[test]
    fn what_agrees_is_not_touched() {
        for text in [
            "\u{feff}{type:'slack',scopes:['a',\r\n\t'b',]}",
            "{\"scopes\": [\"a\", \"b\", \"a\"], \"type\": \"slack\"}",
        ] {
            assert_eq!(json(text, &["a", "b"]), text);
        }
    }

    #[test]
    fn lines_come_and_go_with_their_line_ends() {
        let text = "{\r\n\t\"type\": \"slack\", // us\r\n\t\"scopes\": [\r\n\t\t\"a\", // first\r\n\
                    \t\t\"b\"\r\n\t]\r\n}";
        assert_eq!(
            json(text, &["a", "c", "d"]),
            "{\r\n\t\"type\": \"slack\", // us\r\n\t\"scopes\": [\r\n\t\t\"a\", // first\r\n\
             \t\t\"c\",\r\n\t\t\"d\"\r\n\t]\r\n}"
        );
        assert_eq!(
            json(text, &["b"]),
            "{\r\n\t\"type\": \"slack\", // us\r\n\t\"scopes\": [\r\n\t\t// first\r\n\
             \t\t\"b\"\r\n\t]\r\n}"
        );
        assert_eq!(
            json(text, &["a"]),
            "{\r\n\t\"type\": \"slack\", // us\r\n\t\"scopes\": [\r\n\t\t\"a\" // first\r\n\t]\r\n}"
        );
        assert_eq!(
            json(text, &[]),
            "{\r\n\t\"type\": \"slack\", // us\r\n\t\"scopes\": [\r\n\t\t// first\r\n\t]\r\n}"
        );
    }

    #[test]
    fn a_trailing_comma_stays_and_none_appears() {
        let trailing = "{type: 'x', scopes: [\n  'a', // why\n  'b', /* c */\n],}";
        assert_eq!(
            json(trailing, &["a", "b", "c"]),
            "{type: 'x', scopes: [\n  'a', // why\n  'b', /* c */\n  'c',\n],}"
        );
        assert_eq!(
            json(trailing, &["b"]),
            "{type: 'x', scopes: [\n  // why\n  'b', /* c */\n],}"
        );
        assert_eq!(
            json("{type:'x',scopes:['a','b']}", &["a"]),
            "{type:'x',scopes:['a']}"
        );
        assert_eq!(
            json("{type:'x',scopes:['a','b',]}", &["a"]),
            "{type:'x',scopes:['a',]}"
        );
    }

    #[test]
    fn one_line_stays_one_line() {
        let text = "{ \"type\": \"x\", \"scopes\": [ \"a\", \"b\", \"c\" ] }\n";
        let with = |list: &str| format!("{{ \"type\": \"x\", \"scopes\": {list} }}\n");
        assert_eq!(json(text, &["b", "c"]), with("[ \"b\", \"c\" ]"));
        assert_eq!(json(text, &["a", "c"]), with("[ \"a\", \"c\" ]"));
        assert_eq!(json(text, &["a"]), with("[ \"a\" ]"));
        assert_eq!(json(text, &[]), with("[ ]"));
        assert_eq!(
            json(text, &["a", "b", "c", "d"]),
            with("[ \"a\", \"b\", \"c\", \"d\" ]")
        );
        assert_eq!(json(text, &["d"]), with("[ \"d\" ]"));
    }

    #[test]
    fn empty_lists_and_missing_ones_are_filled() {
        let filled =
            "{\n    \"type\": \"x\",\n    \"scopes\": [\n        \"a\",\n        \"b\"\n    ]\n}\n";
        assert_eq!(
            json(
                "{\n    \"type\": \"x\",\n    \"scopes\": []\n}\n",
                &["a", "b"]
            ),
            filled
        );
        assert_eq!(json("{\n    \"type\": \"x\"\n}\n", &["a", "b"]), filled);
        assert_eq!(
            json("{\n  'type':'x', // c\n  'account': '@y.z'\n}", &["a"]),
            "{\n  'type':'x', // c\n  'scopes':[\n    'a'\n  ],\n  'account': '@y.z'\n}"
        );
        assert_eq!(
            json("{type: \"x\"}", &["a"]),
            "{type: \"x\", scopes: [\"a\"]}"
        );
        assert_eq!(
            json("{\n  type: 'x', scopes: [ // none yet\n  ]\n}", &["a"]),
            "{\n  type: 'x', scopes: [ // none yet\n    'a'\n  ]\n}"
        );
        assert_eq!(
            json("{type: 'x', scopes: [/* none */]}", &["a", "b"]),
            "{type: 'x', scopes: [/* none */ 'a', 'b']}"
        );
    }

    #[test]
    fn toml_keeps_its_comments_too() {
        let text = "# us\r\ntype = 'slack' # why\r\nscopes = [\r\n  'a', # first\r\n  'b'\r\n]\r\n";
        assert_eq!(
            edit("a.toml", text, &["a", "it's"]),
            "# us\r\ntype = 'slack' # why\r\nscopes = [\r\n  'a', # first\r\n  \"it's\"\r\n]\r\n"
        );
        assert_eq!(
            edit("a.toml", "type = \"slack\" # why", &["a"]),
            "type = \"slack\" # why\nscopes = [\n  \"a\"\n]"
        );
    }

    #[test]
    fn a_comment_between_an_element_and_its_comma_stays() {
        assert_eq!(
            json("{type:'x',scopes:['a' /* 1 */, 'b']}", &["b"]),
            "{type:'x',scopes:[/* 1 */ 'b']}"
        );
        assert_eq!(
            json("{type:'x',scopes:['a' // 1\n, 'b' // 2\n]}", &["c"]),
            "{type:'x',scopes:[// 1\n // 2\n]}".replace("// 2\n", "'c' // 2\n")
        );
    }
}

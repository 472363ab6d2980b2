//! How a file is laid out, so that what is added looks like what is there.

use super::{
    quote::quoted,
    scan::{Scan, Syntax},
};
use crate::{
    model::{self, Scopes},
    syntax::tree::{Member, Node},
};

/// What new parts of a file look like.
pub(super) struct Layout<'a> {
    pub(super) scan: Scan<'a>,
    pub(super) newline: &'static str,
    /// One step of indentation.
    unit: String,
    quote: char,
}

impl<'a> Layout<'a> {
    /// Looks at a file; `kind` is its `type`.
    pub(super) fn of(scan: Scan<'a>, root: &Node, kind: &Member) -> Self {
        let first = |node: &Node| scan.rest(node.span.start).chars().next();
        let listed = root
            .get("scopes")
            .and_then(|list| list.elements().first())
            .and_then(first);
        let quote = match listed.or(first(&kind.node)) {
            Some('\'') => '\'',
            _ => '"',
        };
        let outer = scan.indentation(root.span.start);
        let inner = scan.indentation(kind.key_span.start);
        let unit = match scan.syntax {
            Syntax::Json5 if scan.starts_line(kind.key_span.start) => {
                inner.strip_prefix(outer).filter(|unit| !unit.is_empty())
            }
            _ => None,
        };
        Self {
            scan,
            newline: scan.newline(),
            unit: unit.unwrap_or("  ").to_owned(),
            quote,
        }
    }

    /// The scopes as strings of this file.
    pub(super) fn items(&self, scopes: &Scopes) -> Vec<String> {
        scopes
            .iter()
            .map(|scope| quoted(scope.as_str(), self.quote, self.scan.syntax))
            .collect()
    }

    /// Items on lines of their own, one step further in than `indent`, from the end of a line on.
    pub(super) fn lines(&self, items: &[String], indent: &str) -> String {
        let lines: Vec<_> = items
            .iter()
            .map(|item| format!("{}{indent}{}{item}", self.newline, self.unit))
            .collect();
        lines.join(",")
    }

    /// A whole list, on lines of its own.
    pub(super) fn tall_list(&self, items: &[String], indent: &str) -> String {
        format!("[{}{}{indent}]", self.lines(items, indent), self.newline)
    }

    /// A whole list on one line.
    pub(super) fn flat_list(items: &[String]) -> String {
        format!("[{}]", items.join(", "))
    }

    /// `scopes` and what stands between a key and its value, after the example of `kind`.
    pub(super) fn key(&self, kind: &Member) -> String {
        let between = self
            .scan
            .text
            .get(kind.key_span.end..kind.node.span.start)
            .unwrap_or_default();
        let (sign, usual) = match self.scan.syntax {
            Syntax::Json5 => (':', ": "),
            Syntax::Toml => ('=', " = "),
        };
        let plain = |c: char| c == sign || c == ' ' || c == '\t';
        let between = if between.chars().all(plain) {
            between
        } else {
            usual
        };
        let quote = match self.scan.rest(kind.key_span.start).chars().next() {
            Some(quote @ ('"' | '\'')) => quote.to_string(),
            _ => String::new(),
        };
        format!("{quote}scopes{quote}{between}")
    }
}

/// Parts of a text to be replaced; they do not overlap.
#[derive(Debug, Default)]
pub(super) struct Patch {
    parts: Vec<(usize, usize, String)>,
}

impl Patch {
    pub(super) fn insert(&mut self, at: usize, text: impl Into<String>) {
        self.parts.push((at, at, text.into()));
    }

    pub(super) fn replace(&mut self, from: usize, to: usize, text: impl Into<String>) {
        self.parts.push((from, to, text.into()));
    }

    pub(super) fn delete(&mut self, from: usize, to: usize) {
        self.replace(from, to, "");
    }

    /// The text with its parts replaced. Parts at one place keep their order.
    pub(super) fn apply(mut self, text: &str) -> String {
        model::sort_by_key(&mut self.parts, |(from, to, _)| (*from, *to));
        let mut out = String::with_capacity(text.len());
        let mut done = 0;
        for (from, to, new) in self.parts {
            out.push_str(text.get(done..from.max(done)).unwrap_or_default());
            out.push_str(&new);
            done = to.max(done);
        }
        out.push_str(text.get(done..).unwrap_or_default());
        out
    }
}

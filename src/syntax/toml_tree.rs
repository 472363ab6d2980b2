//! TOML as the same tree, so that one set of checks serves both.

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{
    quote::escaped,
    tree::{Member, Node, Span, Value},
};

use crate::model;

/// A place where a text stops being TOML, in the parser's words.
#[derive(PartialEq)]
pub(super) struct TomlFault {
    pub(super) message: String,
    pub(super) span: Option<Span>,
}

/// Reads a TOML document; the parser recovers, so there can be several faults.
pub(super) fn parse(text: &str) -> Result<Node, Vec<TomlFault>> {
    let (table, errors) = DeTable::parse_recoverable(text);
    if errors.is_empty() {
        return Ok(Node {
            span: 0..text.len(),
            value: map(table.into_inner()),
        });
    }
    let mut faults: Vec<TomlFault> = errors
        .iter()
        .map(|error| TomlFault {
            message: escaped(error.message()),
            span: error.span(),
        })
        .collect();
    // Every bracket that is left open is told at the end of the file: once is enough.
    faults.dedup();
    Err(faults)
}

fn map(table: DeTable<'_>) -> Value {
    let mut members: Vec<Member> = table
        .into_iter()
        .map(|(key, value)| Member {
            key_span: key.span(),
            key: key.into_inner().into_owned(),
            node: node(value),
        })
        .collect();
    // The parser sorts by name; messages follow the file.
    model::sort_by_key(&mut members, |member| member.key_span.start);
    Value::Map(members)
}

fn node(value: Spanned<DeValue<'_>>) -> Node {
    let span = value.span();
    let value = match value.into_inner() {
        DeValue::String(text) => Value::Text(text.into_owned()),
        DeValue::Integer(number) => Value::Number(number.as_str().parse().unwrap_or(f64::NAN)),
        DeValue::Float(number) => Value::Number(number.as_str().parse().unwrap_or(f64::NAN)),
        DeValue::Boolean(value) => Value::Bool(value),
        DeValue::Datetime(_) => Value::Time,
        DeValue::Array(list) => Value::List(list.into_iter().map(node).collect()),
        DeValue::Table(table) => map(table),
    };
    Node { span, value }
}

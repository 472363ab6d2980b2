//! Writing row by row.

use std::fmt;

use serde::{Serialize, ser::Error as _};
use toml::ser::Error;

use super::spelt::spelt_out;

/// Adds a document to `out` as `toml::to_string_pretty` has it, nothing in it hidden: what stands before its
/// rows, the rows of the array `name`, what stands after them. `head` and `tail` are tables; of `tail`, every value is
/// a table or an array of tables.
pub fn write<R: Serialize>(
    out: &mut impl fmt::Write,
    head: &impl Serialize,
    (name, rows): (&'static str, impl Iterator<Item = R>),
    tail: &impl Serialize,
) -> Result<(), Error> {
    let mut first = true;
    let mut add = |part: String| {
        if part.is_empty() {
            return Ok(());
        }
        let between = if first { "" } else { "\n" };
        first = false;
        out.write_str(between)
            .and_then(|()| out.write_str(&spelt_out(part)))
            .map_err(Error::custom)
    };
    add(toml::to_string_pretty(head)?)?;
    for row in rows {
        add(toml::to_string_pretty(&Named(name, row))?)?;
    }
    add(toml::to_string_pretty(tail)?)
}

/// A document of one row.
struct Named<R>(&'static str, R);

impl<R: Serialize> Serialize for Named<R> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap;
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry(self.0, &[&self.1])?;
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use toml::{Table, Value};

    use super::*;

    fn scalar() -> impl Strategy<Value = Value> {
        prop_oneof![
            "[ -~\\n\\t\\u{7f}-\\u{ff}\\u{200b}-\\u{2069}\\u{e0001}'\"\\\\]{0,12}"
                .prop_map(Value::String),
            any::<i64>().prop_map(Value::Integer),
            any::<bool>().prop_map(Value::Boolean),
        ]
    }

    fn value() -> impl Strategy<Value = Value> {
        scalar().prop_recursive(3, 16, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
                table(inner).prop_map(Value::Table),
            ]
        })
    }

    fn table(value: impl Strategy<Value = Value>) -> impl Strategy<Value = Table> {
        prop::collection::btree_map("[a-z .'\"\\u{202e}]{1,4}", value, 0..4)
            .prop_map(|entries| entries.into_iter().collect())
    }

    fn only_tables(table: Table) -> Table {
        let keeps = |value: &Value| match value {
            Value::Table(_) => true,
            Value::Array(items) => !items.is_empty() && items.iter().all(Value::is_table),
            _ => false,
        };
        table
            .into_iter()
            .filter(|(_, value)| keeps(value))
            .collect()
    }

    fn with(letter: char, table: Table) -> Table {
        let named = |(key, value)| (format!("{letter}{key}"), value);
        table.into_iter().map(named).collect()
    }

    proptest! {
        #[test]
        fn the_parts_are_the_whole(
            head in table(value()),
            rows in prop::collection::vec(table(value()), 0..4),
            tail in table(value()).prop_map(only_tables),
        ) {
            // A map sorts: what stands where is in the names.
            let (head, tail) = (with('a', head), with('z', tail));
            let mut whole = head.clone();
            if !rows.is_empty() {
                let rows = rows.iter().cloned().map(Value::Table);
                whole.insert("m".to_owned(), Value::Array(rows.collect()));
            }
            whole.extend(tail.clone());
            let mut parts = String::new();
            write(&mut parts, &head, ("m", rows.iter()), &tail).unwrap();
            let is_hidden = |c| crate::escape::is_hidden(c) && c != '\n' && c != '\t';
            prop_assert!(!parts.contains(is_hidden), "{parts:?}");
            prop_assert_eq!(&parts, &spelt_out(toml::to_string_pretty(&whole).unwrap()));
            prop_assert_eq!(parts.parse::<Table>().unwrap(), whole);
        }
    }
}

//! Reading row by row.

use std::collections::BTreeSet;

use toml::{Table, Value, de::Error, map::Entry};

/// Shorter ones are read at once.
const LONG: usize = 1 << 18;

/// Takes the rows of a document.
pub trait Rows {
    /// The next one.
    fn row(&mut self, row: Table);
}

/// Parses TOML as `text.parse()` does, but for the rows of the array `name`, which are handed on one
/// by one; the rest comes back. `begin` makes who takes them, from what stands before the first one:
/// no key that sorts before `name` comes after it. It may be asked for another, which then takes all.
/// Where `name` is something else than an array of tables, it is in the rest.
pub fn read<R: Rows>(
    text: &str,
    name: &str,
    begin: impl Fn(&Table) -> R,
) -> Result<(Table, R), Error> {
    if text.len() >= LONG
        && let Some(read) = in_pieces(text, name, &begin)
    {
        return Ok(read);
    }
    let mut rest: Table = text.parse()?;
    let found = match rest.remove(name) {
        Some(Value::Array(rows)) if !rows.is_empty() && rows.iter().all(Value::is_table) => rows,
        Some(other) => {
            rest.insert(name.to_owned(), other);
            Vec::new()
        }
        None => Vec::new(),
    };
    let mut rows = begin(&rest);
    for row in found {
        if let Value::Table(row) = row {
            rows.row(row);
        }
    }
    Ok((rest, rows))
}

/// What stands before the first array of tables, if that is TOML by itself.
pub fn head(text: &str) -> &str {
    let (head, _) = cut(text).unwrap_or((text, ""));
    if head.parse::<Table>().is_ok() {
        head
    } else {
        text
    }
}

/// The first piece, up to the next line that begins an array's table.
fn cut(text: &str) -> Option<(&str, &str)> {
    let end = text.get(1..)?.find("\n[[").map_or(text.len(), |at| at + 2);
    text.split_at_checked(end)
}

/// The same by the tables of its arrays (`[[name]]`), each parsed alone; nothing where that is not the
/// same for sure. A line that looks like the start of a table and is within a text or a list leaves a
/// piece before it that is not whole, and so is not TOML.
fn in_pieces<R: Rows>(text: &str, name: &str, begin: &impl Fn(&Table) -> R) -> Option<(Table, R)> {
    let (first, mut rest) = if text.starts_with("[[") {
        ("", text)
    } else {
        cut(text)?
    };
    let mut whole: Table = first.parse().ok()?;
    if whole.contains_key(name) {
        return None;
    }
    let mut taken: Option<R> = None;
    // What the pieces add to; what the beginning holds is whole.
    let mut arrays = BTreeSet::new();
    while !rest.is_empty() {
        let (piece, after) = cut(rest)?;
        let array = name_of(piece)?;
        for (key, value) in piece.parse::<Table>().ok()? {
            let own = key == array;
            if key == name {
                let Value::Array(rows) = value else {
                    return None;
                };
                if !own || whole.contains_key(name) {
                    return None;
                }
                let taken = taken.get_or_insert_with(|| begin(&whole));
                for row in rows {
                    let Value::Table(row) = row else {
                        return None;
                    };
                    taken.row(row);
                }
                continue;
            }
            match whole.entry(key) {
                Entry::Vacant(vacant) => {
                    if taken.is_some() && vacant.key().as_str() < name {
                        return None;
                    }
                    vacant.insert(value);
                }
                Entry::Occupied(mut there) if own && arrays.contains(array) => {
                    let (Value::Array(there), Value::Array(more)) = (there.get_mut(), value) else {
                        return None;
                    };
                    there.extend(more);
                }
                Entry::Occupied(_) => return None,
            }
        }
        arrays.insert(array);
        rest = after;
    }
    let taken = taken.unwrap_or_else(|| begin(&whole));
    Some((whole, taken))
}

/// The name of the array that a piece begins with.
fn name_of(piece: &str) -> Option<&str> {
    let (name, _) = piece.strip_prefix("[[")?.split_once("]]")?;
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    (!name.is_empty() && name.chars().all(bare)).then_some(name)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, Default)]
    struct All(Vec<Value>);

    impl Rows for All {
        fn row(&mut self, row: Table) {
            self.0.push(Value::Table(row));
        }
    }

    /// The document as it is, from its pieces.
    fn joined(text: &str) -> Option<Table> {
        let (mut whole, rows) = in_pieces(text, "c", &|_| All::default())?;
        assert!(!whole.contains_key("c"), "rows that nobody took: {text}");
        if !rows.0.is_empty() {
            whole.insert("c".to_owned(), Value::Array(rows.0));
        }
        Some(whole)
    }

    #[test]
    fn pieces_are_the_whole() {
        let text = "a = 1\nl = [1]\n[t]\nx = 'y'\n\n[[c]]\nn = 1\n[c.d]\nz = ['q']\n[[c]]\nn = 2\n[[e]]\n[[e]]\n[u]\nk = 0\n";
        assert_eq!(joined(text).unwrap(), text.parse().unwrap());
    }

    #[test]
    fn what_is_not_the_same_for_sure_is_read_at_once() {
        for text in [
            // Within a text, and within a list.
            "a = \"\"\"\n[[c]]\nn = 1\n\"\"\"\n",
            "a = [\n[[1]],\n]\n",
            "[[c]]\nx = [\n[[1]],\n]\n",
            // The same table from two places, or one list two ways.
            "[u.a]\n[[c]]\n[u.b]\n[[c]]\n",
            "c = [{n = 1}]\n[[c]]\nn = 2\n",
            "c = [{n = 1}]\n[[d]]\nn = 2\n",
            "[[c]]\n[u.a]\n[[c]]\n[u.b]\n",
            "[[c]]\nn = 1\n[[c.d]]\nm = 1\n",
            "[[ c ]]\nn = 1\n[[ c ]]\nn = 2\n",
            "[[c]]\nn = [1]\n[c.d]\n[[d]]\n[[\"c\"]]\n",
            // A row, seen from another array.
            "[[c]]\n[[d]]\n[c.x]\nn = 1\n",
            "[[d]]\n[c]\nn = 1\n[[c]]\n",
            // It sorts before the rows, and comes after them.
            "[[c]]\nn = 1\n[[b]]\nn = 1\n",
        ] {
            let pieces = joined(text);
            let whole = text.parse::<Table>().ok();
            assert!(pieces.is_none() || pieces == whole, "{text}: {pieces:?}");
        }
        assert!(joined("[[c]]\nn = 1\n[[b]]\nn = 1\n").is_none());
    }

    proptest! {
        /// Whatever the lines: it is what the parser makes of the whole, or it is left to it.
        #[test]
        fn any_lines_in_pieces_are_the_whole(
            lines in prop::collection::vec(prop::sample::select(vec![
                "[[c]]", "[[c]]", "[[c]]", "[[b]]", "[[e]]", "[c.d]", "[e.d]", "[b]", "[u]", "[u.v]",
                "[[c.d]]", "[[\"c\"]]", " [[c]]", "n = 1", "m = ['x']", "c = []", "c.d = 1", "t = \"\"\"",
                "\"\"\"", "l = [", "]", "[[1]],", "# [[c]]", "", "k = {a = 1}", "action = 'no-op'",
            ]), 0..14),
        ) {
            let text = lines.join("\n");
            if let Some(pieces) = joined(&text) {
                prop_assert_eq!(Some(pieces), text.parse::<Table>().ok(), "{}", text);
            }
        }
    }
}

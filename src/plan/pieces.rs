//! Reading a long document table by table: what a parser needs for all of it at once is many times the
//! document.

use toml::{Table, Value, de::Error, map::Entry};

/// Shorter ones are read at once.
const LONG: usize = 1 << 18;

/// Parses TOML, as `text.parse()` does.
pub(super) fn parse(text: &str) -> Result<Table, Error> {
    if text.len() >= LONG
        && let Some(table) = in_pieces(text)
    {
        return Ok(table);
    }
    text.parse()
}

/// The same by the tables of its arrays (`[[name]]`), each parsed alone; nothing where that is not the
/// same for sure. A line that looks like the start of a table and is within a text or a list leaves a
/// piece before it that is not whole, and so is not TOML.
fn in_pieces(text: &str) -> Option<Table> {
    let mut whole = Table::new();
    let mut rest = text;
    let mut first = true;
    while !rest.is_empty() {
        let end = rest.get(1..)?.find("\n[[").map_or(rest.len(), |at| at + 2);
        let (piece, after) = rest.split_at_checked(end)?;
        let name = if first { None } else { Some(name_of(piece)?) };
        let table: Table = piece.parse().ok()?;
        for (key, value) in table {
            match whole.entry(key) {
                Entry::Vacant(vacant) => {
                    vacant.insert(value);
                }
                Entry::Occupied(mut there) if Some(there.key().as_str()) == name => {
                    let (Value::Array(there), Value::Array(more)) = (there.get_mut(), value) else {
                        return None;
                    };
                    there.extend(more);
                }
                Entry::Occupied(_) => return None,
            }
        }
        // The beginning must not hold what the pieces add to.
        if first && whole.values().any(Value::is_array) {
            return None;
        }
        first = false;
        rest = after;
    }
    Some(whole)
}

/// The name of the table that a piece begins with.
fn name_of(piece: &str) -> Option<&str> {
    let (name, _) = piece.strip_prefix("[[")?.split_once("]]")?;
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    (!name.is_empty() && name.chars().all(bare)).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_the_whole() {
        let text = "a = 1\n[t]\nx = 'y'\n\n[[c]]\nn = 1\n[c.d]\nz = ['q']\n[[c]]\nn = 2\n[[e]]\n[u]\nk = 0\n";
        assert_eq!(in_pieces(text).unwrap(), text.parse().unwrap());
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
            "[[c]]\n[u.a]\n[[c]]\n[u.b]\n",
            "[[c]]\nn = 1\n[[c.d]]\nm = 1\n",
            "[[ c ]]\nn = 1\n[[ c ]]\nn = 2\n",
            "[[c]]\nn = [1]\n[c.d]\n[[d]]\n[[\"c\"]]\n",
        ] {
            let pieces = in_pieces(text);
            let whole = text.parse::<Table>().ok();
            assert!(pieces.is_none() || pieces == whole, "{text}: {pieces:?}");
        }
    }
}

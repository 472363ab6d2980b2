//! The pages as a terminal of any width shows them.

use crate::term::wrap;

/// What an entry says stands no further to the right than this leaves room for, else below it.
const ROOM: usize = 30;

/// An entry of a page: a name, or several, and what is said of it.
struct Entry {
    name: String,
    says: String,
}

/// A page, its entries in two columns or, where that is too narrow, one below the other. In the page an
/// entry begins after two blanks; what goes on after more, or after a comma, belongs to it.
pub fn laid_out(page: &str, columns: usize) -> String {
    let column = page.lines().find_map(column).unwrap_or(0);
    let mut text = String::new();
    let mut open: Option<Entry> = None;
    for line in page.lines() {
        let content = line.trim_start();
        match (line.len() - content.len(), &mut open) {
            (0, _) => {
                text.extend(open.take().map(|entry| show(&entry, column, columns)));
                text.extend([line, "\n"]);
            }
            (2, Some(entry)) if entry.says.is_empty() && entry.name.ends_with(',') => {
                entry.name.extend([" ", content]);
            }
            (2, _) => {
                text.extend(open.take().map(|entry| show(&entry, column, columns)));
                let (name, says) = content.split_once("  ").unwrap_or((content, ""));
                open = Some(Entry {
                    name: name.to_owned(),
                    says: says.trim_start().to_owned(),
                });
            }
            (_, Some(entry)) => {
                let gap = if entry.says.is_empty() { "" } else { " " };
                entry.says.extend([gap, content]);
            }
            (_, None) => text.extend([line, "\n"]),
        }
    }
    text.extend(open.map(|entry| show(&entry, column, columns)));
    let end = if page.ends_with('\n') { "\n" } else { "" };
    wrap(text.trim_end(), columns) + end
}

/// Where what is said of an entry begins.
fn column(line: &str) -> Option<usize> {
    let entry = line.strip_prefix("  ")?;
    let (name, says) = entry.split_once("  ")?;
    let gap = says.len() - says.trim_start().len();
    (!name.is_empty()).then(|| name.len() + gap + 4)
}

fn show(entry: &Entry, column: usize, columns: usize) -> String {
    let Entry { name, says } = entry;
    let narrow = column + ROOM > columns;
    if !narrow && name.len() + 4 <= column {
        let wide = column - 2;
        return format!("  {name:wide$}{says}\n");
    }
    let indent = if narrow { 6 } else { column };
    let mut text = format!("  {name}\n");
    for line in wrap(says, columns.saturating_sub(indent)).lines() {
        text.extend([&" ".repeat(indent), line.trim_start(), "\n"]);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "Words:\n  \
                        ONE          what the first says, and\n               more of it\n  \
                        ALPHA, BETA,\n  GAMMA\n               of all three\n";

    #[test]
    fn a_wide_terminal_has_two_columns() {
        assert_eq!(
            laid_out(PAGE, 48),
            "Words:\n  ONE          what the first says, and more of\n               it\n  \
             ALPHA, BETA, GAMMA\n               of all three\n"
        );
    }

    #[test]
    fn a_narrow_one_has_what_is_said_below() {
        assert_eq!(
            laid_out(PAGE, 30),
            "Words:\n  ONE\n      what the first says, and\n      more of it\n  \
             ALPHA, BETA, GAMMA\n      of all three\n"
        );
    }
}

//! E-mail addresses in a text that others read: a log of a pipeline, most of all.

use std::borrow::Cow;

use unicode_width::UnicodeWidthChar as _;

/// The text with every e-mail address masked: `o***@example.com`. What is masked already stays, and a
/// bare `@example.com` is nobody's. Below an excerpt of a file, the marks keep pointing at what they
/// are about.
pub fn mask_accounts(text: &str) -> Cow<'_, str> {
    if !text.contains('@') {
        return Cow::Borrowed(text);
    }
    if !text.contains(MARKS) {
        return masked(text).0;
    }
    let mut out = String::new();
    // What moved in the line of an excerpt, until its marks are over.
    let mut excerpt: Option<Vec<Move>> = None;
    for line in text.split_inclusive('\n') {
        let (shown, moves) = masked(line);
        match &excerpt {
            Some(moves) if line.trim_start().starts_with(MARKS) => {
                out.push_str(&moved(&shown, moves));
            }
            _ => {
                excerpt = (is_of_excerpt(line) && moves.len() <= MOST_MOVES).then_some(moves);
                out.push_str(&shown);
            }
        }
    }
    Cow::Owned(out)
}

/// More than anybody reads; each costs a walk through the line of marks.
const MOST_MOVES: usize = 40;

/// Whether a line is one of a file as an excerpt shows it, with its number. Whatever text looks like that loses nothing
/// but the place of its marks.
fn is_of_excerpt(line: &str) -> bool {
    line.split_once('│').is_some_and(|(number, _)| {
        let number = console::strip_ansi_codes(number);
        let number = number.trim();
        !number.is_empty() && number.chars().all(|c| c.is_ascii_digit())
    })
}

/// What the marks below a line of a file begin with.
const MARKS: char = '·';

/// After which character of a line, and by how many characters, the rest of the line moved.
type Move = (usize, isize);

fn masked(text: &str) -> (Cow<'_, str>, Vec<Move>) {
    let mut masked = String::new();
    let mut moves = Vec::new();
    let (mut copied, mut characters) = (0, 0);
    for (at, _) in text.match_indices('@') {
        let Some(address) = address(text, copied, at) else {
            continue;
        };
        let local = text.get(address.start..at).unwrap_or_default();
        masked.push_str(text.get(copied..address.start).unwrap_or_default());
        masked.extend(local.chars().next());
        masked.push_str("***");
        masked.push_str(text.get(at..address.end).unwrap_or_default());
        let since = text.get(copied..address.end).unwrap_or_default();
        characters += since.chars().count();
        moves.push((characters, 4 - local.chars().count().cast_signed()));
        copied = address.end;
    }
    if copied == 0 {
        return (Cow::Borrowed(text), moves);
    }
    masked.push_str(text.get(copied..).unwrap_or_default());
    (Cow::Owned(masked), moves)
}

/// A line of marks below a line of which parts moved.
fn moved(line: &str, moves: &[Move]) -> String {
    let mut marks: Vec<char> = line.chars().collect();
    // The words after a corner go along with it.
    let corner = marks.iter().position(|c| matches!(c, '╰' | '├'));
    for (end, by) in moves.iter().rev() {
        let end = corner
            .filter(|corner| *corner < *end)
            .map_or(*end, |_| usize::MAX);
        if end >= marks.len() {
            continue;
        }
        let under = marks.get(end - 1).copied().unwrap_or(' ');
        let fill = if matches!(under, '─' | '┬') {
            '─'
        } else {
            ' '
        };
        if let Ok(more) = usize::try_from(*by) {
            marks.splice(end..end, std::iter::repeat_n(fill, more));
        }
        // Marks under the address are removed, except those that a label is attached to.
        let mut fewer = by.unsigned_abs() * usize::from(*by < 0);
        let mut at = end;
        while fewer > 0 && at > 0 {
            at -= 1;
            if matches!(marks.get(at), Some(' ' | '─')) {
                marks.remove(at);
                fewer -= 1;
            }
        }
    }
    marks.into_iter().collect()
}

/// The address around an `@`, if there is one; it does not reach back beyond `from`.
fn address(text: &str, from: usize, at: usize) -> Option<std::ops::Range<usize>> {
    let before = text.get(from..at)?;
    let (end, is_public) = domain(text.get(at + 1..)?)?;
    let word = if let Some(quoted) = before.strip_suffix('"') {
        if let Some(start) = quoted_name(quoted) {
            return Some(from + start..at + 1 + end);
        }
        // Whoever's quote it is: only the word that it ends can be a name.
        let of_word =
            |c: char| !(c.is_whitespace() || c.is_control() || "@\"`([{<,;:=".contains(c));
        let word = quoted.trim_end_matches(['"', '\\']);
        word.trim_end_matches(of_word)
    } else {
        let local = |c: char| is_of_word(c) || "._%+'-*!#$&/=?^`{|}~".contains(c);
        before.trim_end_matches(local)
    };
    let mut start = from + word.len();
    let mut name = text.get(start..at)?;
    // Colour stands right before some.
    if text.get(..start)?.ends_with("\u{1b}[")
        && let Some((colour, rest)) = name.split_once('m')
        && colour.chars().all(|c| c.is_ascii_digit())
    {
        start += colour.len() + 1;
        name = rest;
    }
    // Quotes and brackets around it are not part of it.
    let bare = name.trim_start_matches(['\'', '"', '\\', '`', '{', '|', '/', '=', '*', '.']);
    start += name.len() - bare.len();
    // `plan@main` and `connplan@latest` are nobody's: a host's name alone makes no address.
    let is_one = !bare.is_empty() && (is_public || bare.contains('.') && !bare.contains('/'));
    is_one.then(|| start..at + 1 + end)
}

/// Where the quoted name begins with which a text ends, but for its last quote. Two quotes of a page, or of two names on
/// it, are not taken for one name's: what stands between them is for people to read.
fn quoted_name(text: &str) -> Option<usize> {
    let (before, name) = text.rsplit_once('"')?;
    let of_page = |c: char| c.is_control() || "`()[]{}<>".contains(c);
    let is_one = name.chars().count() + 2 <= MOST_OF_NAME
        && name.contains(char::is_alphanumeric)
        && !name.starts_with([' ', ',', ':', ';', '='])
        && !name.ends_with(' ')
        && !name.contains(of_page)
        && !["  ", ", ", "; "].iter().any(|gap| name.contains(gap));
    is_one.then_some(before.len())
}

/// So long is the part before the `@` at most (RFC 5321), quotes and all.
const MOST_OF_NAME: usize = 64;

/// Letters, numbers, and the marks that stand on them: an accent may be a character of its own.
fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || !c.is_ascii() && !c.is_control() && c.width() == Some(0)
}

/// Where the domain that a text begins with ends, and whether it is more than the name of a host.
fn domain(after: &str) -> Option<(usize, bool)> {
    if let Some(literal) = after.strip_prefix('[') {
        let of_address = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == ':';
        let end = literal.find(|c| !of_address(c))?;
        return (end > 0 && literal.get(end..)?.starts_with(']')).then_some((end + 2, true));
    }
    let of_name = |c: char| is_of_word(c) || c == '.' || c == '-';
    let end = after.find(|c| !of_name(c)).unwrap_or(after.len());
    let name = after.get(..end)?.trim_end_matches(['.', '-']);
    let top = name.rsplit('.').next()?;
    let encoded = top
        .get(..4)
        .is_some_and(|start| start.eq_ignore_ascii_case("xn--"));
    let is_top = top.chars().count() >= 2
        && (encoded || top.chars().all(|c| is_of_word(c) && !c.is_numeric()));
    is_top.then(|| (name.len(), name.contains('.')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_keep_pointing_at_what_they_are_about() {
        for (address, masked) in [
            ("ops@example.com", "o***@example.com"),
            ("o@example.com", "o***@example.com"),
            ("operations@example.com", "o***@example.com"),
            ("o***@example.com", "o***@example.com"),
        ] {
            let shown = |address: &str| {
                let line = format!("   1 │ {{ \"account\": \"{address}\", \"x y\", more");
                let at = line.chars().count() - "\"x y\", more".len();
                let gap = " ".repeat(at - "     · ".chars().count());
                format!("{line}\n     · {gap}──┬──\n     · {gap}  ╰── this scope\n     ╰────\n")
            };
            assert_eq!(mask_accounts(&shown(address)), shown(masked));
            // Marks under the address itself end where it does.
            let under = |address: &str| {
                let rest = "─".repeat(address.chars().count() - 2);
                format!(" 1 │ {address}\n   · ─┬{rest}\n   ·  ╰── who\n")
            };
            let shown = mask_accounts(&under(address)).into_owned();
            assert!(
                shown.contains(masked) && shown.ends_with("   ·  ╰── who\n"),
                "{shown}"
            );
        }
    }

    #[test]
    fn no_line_is_shown_whole_because_it_looks_like_marks() {
        let bullet = "· agreed with ops@example.com\n";
        let shown = "· agreed with o***@example.com\n";
        assert_eq!(mask_accounts(bullet), shown);
        // Nor the words of a mark.
        let whole = format!(" 1 │ ops@example.com\n   {bullet}");
        assert!(!mask_accounts(&whole).contains("ops"), "{whole}");
    }

    #[test]
    fn an_accent_of_its_own_is_of_the_name() {
        for (address, shown) in [
            ("jose\u{301}@example.com", "j***@example.com"),
            ("bob@man\u{303}ana.com", "b***@man\u{303}ana.com"),
            (
                "\u{938}\u{902}\u{92a}@example.com",
                "\u{938}***@example.com",
            ),
        ] {
            assert_eq!(mask_accounts(address), shown);
        }
    }

    /// Whatever repeats in a text, each part of it is looked at a few times. What were quadratic would take minutes.
    #[test]
    fn many_addresses_and_near_ones_take_no_longer() {
        for part in [
            "@[1",
            "ada@x.io ",
            "@",
            "\"@",
            "a@",
            "@a.",
            "x\"@a",
            "x\"@aa",
            "@[1]",
            "m\u{1b}[1m@x",
        ] {
            let text = part.repeat(200_000 / part.len());
            let _ = mask_accounts(&text);
            let _ = mask_accounts(&format!("1 │ {text}\n  · ──"));
        }
    }

    /// A quote right before an `@` ends a quoted name or begins a domain, as rules have them.
    #[test]
    fn a_domain_in_quotes_is_nobodys() {
        for text in [
            "`policy.accounts.linear` is \"example.com\"; for example \"@example.com\"",
            "accounts = { gmail = \"example.com\", \"*\" = \"@example.com\" }",
            "{\"gmail\":\"example.com\",\"*\":\"@example.com\"}",
            "{\\\"gmail\\\":\\\"example.com\\\",\\\"*\\\":\\\"@example.com\\\"}",
            "[\"example.com\",\"@example.com\"] (\"@example.com\") a=\"@example.com\"",
        ] {
            assert_eq!(mask_accounts(text), text);
        }
    }

    #[test]
    fn addresses_are_masked_and_nothing_else_is() {
        for (text, masked) in [
            ("ada@example.com", "a***@example.com"),
            (
                "by Ada <ada.l+x@mail.example.co>.",
                "by Ada <a***@mail.example.co>.",
            ),
            (
                "\"ada@example.com\",'bob@x.io'",
                "\"a***@example.com\",'b***@x.io'",
            ),
            (
                "\u{1b}[1mada@example.com\u{1b}[0m",
                "\u{1b}[1ma***@example.com\u{1b}[0m",
            ),
            ("a=ada@example.com ends.", "a***@example.com ends."),
            ("o***@example.com", "o***@example.com"),
            ("ada.l@example.xn--p1ai", "a***@example.xn--p1ai"),
            ("ada.l@intranet", "a***@intranet"),
            ("ada@[192.0.2.1] [x]", "a***@[192.0.2.1] [x]"),
            ("by \"ada l\"@example.com.", "by \"***@example.com."),
            ("\\\"ada l\\\"@example.com", "\\\"***@example.com"),
            ("\u{1b}[1m\"ada l\"@x.io", "\u{1b}[1m\"***@x.io"),
            ("\"l, ada\"@example.com", "\"l, a***@example.com"),
            ("\"ada (l)\"@example.com", "\"ada (l***@example.com"),
            (
                "actions/plan@main connplan@latest",
                "actions/plan@main connplan@latest",
            ),
            ("@example.com", "@example.com"),
            (
                "actions/plan@v0.1.0 npm connplan@1.2.3",
                "actions/plan@v0.1.0 npm connplan@1.2.3",
            ),
            ("a@b, @ and ada@", "a@b, @ and ada@"),
            ("\u{e4}da@ex\u{e4}mple.com", "\u{e4}***@ex\u{e4}mple.com"),
        ] {
            assert_eq!(mask_accounts(text), masked, "{text}");
            assert_eq!(mask_accounts(masked), masked, "twice is as once");
        }
    }
}

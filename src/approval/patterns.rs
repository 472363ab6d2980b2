//! OpenSSH's patterns.

/// OpenSSH's list of patterns: one has to match, and none that begins with `!`.
pub(super) fn matches(patterns: &str, text: &str) -> bool {
    let mut found = false;
    for pattern in patterns.split(',') {
        match pattern.strip_prefix('!') {
            Some(pattern) if glob(pattern.as_bytes(), text.as_bytes()) => return false,
            Some(_) => {}
            None => found |= glob(pattern.as_bytes(), text.as_bytes()),
        }
    }
    found
}

/// `*` and `?`, by the bytes.
fn glob(pattern: &[u8], text: &[u8]) -> bool {
    let (mut at, mut star) = ((0, 0), None);
    while at.1 < text.len() {
        match pattern.get(at.0) {
            Some(b'*') => {
                star = Some((at.0 + 1, at.1));
                at.0 += 1;
            }
            Some(&c) if c == b'?' || text.get(at.1) == Some(&c) => at = (at.0 + 1, at.1 + 1),
            _ => match star {
                Some((after, taken)) => {
                    star = Some((after, taken + 1));
                    at = (after, taken + 1);
                }
                None => return false,
            },
        }
    }
    pattern
        .get(at.0..)
        .unwrap_or_default()
        .iter()
        .all(|c| *c == b'*')
}

/// Whether two lists could stand for one name. Letters count alike, large and small: it is asked whether
/// two are one, where the doubtful one is.
pub(super) fn meet(one: &str, other: &str) -> bool {
    let (one, other) = (one.to_ascii_lowercase(), other.to_ascii_lowercase());
    let excluded = |text: &str, list: &str| is_literal(text) && excludes(list, text);
    positive(&one).any(|a| {
        positive(&other)
            .any(|b| both(a.as_bytes(), b.as_bytes()) && !excluded(a, &other) && !excluded(b, &one))
    })
}

/// Whether both lists have a name, and not only a pattern, in common.
pub(super) fn name_alike(one: &str, other: &str) -> bool {
    let (one, other) = (one.to_ascii_lowercase(), other.to_ascii_lowercase());
    let mut names = positive(&one).filter(|name| is_literal(name));
    names.any(|name| positive(&other).any(|there| there == name))
}

/// Whether a list means anybody at all.
pub(super) fn names_somebody(list: &str) -> bool {
    positive(list).next().is_some()
}

fn positive(list: &str) -> impl Iterator<Item = &str> {
    let all = list.split(',').map(str::trim);
    all.filter(|pattern| !pattern.is_empty() && !pattern.starts_with('!'))
}

fn excludes(list: &str, text: &str) -> bool {
    let mut patterns = list
        .split(',')
        .filter_map(|one| one.trim().strip_prefix('!'));
    patterns.any(|pattern| glob(pattern.as_bytes(), text.as_bytes()))
}

fn is_literal(pattern: &str) -> bool {
    !pattern.contains(['*', '?'])
}

/// Whether some text matches both.
fn both(one: &[u8], other: &[u8]) -> bool {
    // Which beginnings of `other` go with what was read of `one`.
    let mut row = vec![false; other.len() + 1];
    for (at, first) in std::iter::once(None)
        .chain(one.iter().map(Some))
        .enumerate()
    {
        let mut next = vec![false; other.len() + 1];
        for there in 0..=other.len() {
            let last = there.checked_sub(1).and_then(|there| other.get(there));
            let get = |row: &[bool], at: Option<usize>| {
                at.and_then(|at| row.get(at)).copied().unwrap_or_default()
            };
            let (up, left) = (get(&row, Some(there)), get(&next, there.checked_sub(1)));
            let across = get(&row, there.checked_sub(1));
            let fits = match (first, last) {
                (None, None) => true,
                (Some(b'*'), _) if up => true,
                (_, Some(b'*')) if left => true,
                (Some(b'*'), Some(_)) => left,
                (Some(_), Some(b'*')) => up,
                (Some(a), Some(b)) => across && (a == b || *a == b'?' || *b == b'?'),
                _ => false,
            };
            if let Some(cell) = next.get_mut(there) {
                *cell = fits && (at > 0 || first.is_none());
            }
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_those_of_openssh() {
        for (patterns, text, found) in [
            ("ann", "ann", true),
            ("ann", "anne", false),
            ("*@example.com", "ann@example.com", true),
            ("*@example.com,!eve@*", "eve@example.com", false),
            ("!eve@*", "ann@x", false),
            ("*,!eve@*", "ann@x", true),
            ("!eve@*,*", "ann@x", true),
            ("a?n", "ann", true),
            ("*a*b*", "xxaxxbxx", true),
            ("*", "", true),
            ("git,connplan", "connplan", true),
            ("git", "connplan", false),
        ] {
            assert_eq!(matches(patterns, text), found, "{patterns} {text}");
        }
    }

    #[test]
    fn lists_meet_where_one_name_fits_both() {
        for (one, other, found) in [
            ("ann", "Ann", true),
            ("ann", "bob", false),
            ("ann", "bob,ann", true),
            ("*@x", "ann@x", true),
            ("*@x", "ann@y", false),
            ("*@x", "ann@*", true),
            ("a*b", "*c*", true),
            ("a*b", "b*", false),
            ("a?c", "ab*", true),
            ("a?", "abc", false),
            ("?*", "a", true),
            ("*", "", false),
            ("*@x,!eve@x", "eve@x", false),
            ("*@x,!eve@x", "eve@x,bob@x", true),
            ("**", "*a", true),
            // Whom a pattern excludes is told of one name, not of those that a pattern stands for.
            ("*@x", "*,!?@x", true),
        ] {
            assert_eq!(meet(one, other), found, "{one} {other}");
            assert_eq!(meet(other, one), found, "{other} {one}");
        }
    }
}

//! Times as OpenSSH's file of signers has them: `20260101`, `20260101Z`, `202601011530`,
//! `20260101153000Z`.

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};

/// Reads one. Without a `Z`, too, it is taken as UTC: a file that a team shares means one time, and
/// not each machine's own.
pub(super) fn parse(text: &str) -> Option<Timestamp> {
    let digits = text.strip_suffix(['Z', 'z']).unwrap_or(text);
    if !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let number = |from: usize, to: usize| digits.get(from..to)?.parse::<i16>().ok();
    let small = |from: usize, to: usize| digits.get(from..to)?.parse::<i8>().ok();
    let (hour, minute, second) = match digits.len() {
        8 => (0, 0, 0),
        12 => (small(8, 10)?, small(10, 12)?, 0),
        14 => (small(8, 10)?, small(10, 12)?, small(12, 14)?),
        _ => return None,
    };
    let date = DateTime::new(
        number(0, 4)?,
        small(4, 6)?,
        small(6, 8)?,
        hour,
        minute,
        second,
        0,
    );
    date.ok()?
        .to_zoned(TimeZone::UTC)
        .ok()
        .map(|z| z.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_forms_of_openssh_are_read() {
        let read = |text: &str| parse(text).map(|time| time.to_string());
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(read("20260102"), some("2026-01-02T00:00:00Z"));
        assert_eq!(read("20261231"), some("2026-12-31T00:00:00Z"));
        assert_eq!(read("202601021530Z"), some("2026-01-02T15:30:00Z"));
        assert_eq!(read("20260102153059"), some("2026-01-02T15:30:59Z"));
        for bad in [
            "",
            "2026",
            "2026-01-02",
            "20261302",
            "20260102T1530",
            "always",
            "+2260102",
        ] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}

//! Times as people say them. Documents for programs have them whole.

use jiff::Timestamp;

/// How long ago something was: `2 hours ago`.
pub fn ago(since: Timestamp, now: Timestamp) -> String {
    match length(now.duration_since(since).as_secs()) {
        None => "just now".to_owned(),
        Some(length) => format!("{length} ago"),
    }
}

/// How long until something is: `in 2 hours`.
pub fn ahead(until: Timestamp, now: Timestamp) -> String {
    match length(until.duration_since(now).as_secs()) {
        None => "in a moment".to_owned(),
        Some(length) => format!("in {length}"),
    }
}

fn length(seconds: i64) -> Option<String> {
    let (number, unit) = match seconds {
        ..=44 => return None,
        45..=3_599 => (seconds.div_euclid(60).max(1), "minute"),
        3_600..=86_399 => (seconds / 3_600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    let plural = if number == 1 { "" } else { "s" };
    Some(format!("{number} {unit}{plural}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_said_as_people_say_them() {
        let since: Timestamp = "2026-01-31T12:00:00Z".parse().unwrap();
        let later = |seconds| since + jiff::SignedDuration::from_secs(seconds);
        let after = |seconds| ago(since, later(seconds));
        assert_eq!(after(-5), "just now");
        assert_eq!(after(50), "1 minute ago");
        assert_eq!(after(7_300), "2 hours ago");
        assert_eq!(after(86_400), "1 day ago");
        assert_eq!(after(864_000), "10 days ago");
        assert_eq!(ahead(later(600), since), "in 10 minutes");
        assert_eq!(ahead(later(3), since), "in a moment");
    }
}

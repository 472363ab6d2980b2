//! The hidden line by which a comment is found again. Pure.

use std::fmt::Write as _;

/// The first line of the comment about what an apply did to this app and environment.
pub fn receipt_marker<'a>(
    apps: impl Iterator<Item = (&'a str, Option<&'a str>)>,
    folder: Option<&str>,
) -> String {
    marker(apps, folder).replacen("<!-- connplan", "<!-- connplan-receipt", 1)
}

/// The first line of the issue about the drift of this app and environment.
pub fn drift_marker(app: &str, environment: Option<&str>) -> String {
    let marker = marker([(app, environment)].into_iter(), None);
    marker.replacen("<!-- connplan", "<!-- connplan-drift", 1)
}

/// The first line of the comment about this app and environment: an HTML comment, which neither
/// GitHub nor GitLab shows. A project that is not at the repository's root has a comment of its own,
/// whichever app it names: it is a file of the project that says which.
pub fn marker<'a>(
    apps: impl Iterator<Item = (&'a str, Option<&'a str>)>,
    folder: Option<&str>,
) -> String {
    let mut out = String::from("<!-- connplan");
    for (app, environment) in apps {
        let _ = write!(out, " app={}", word(app));
        if let Some(environment) = environment {
            let _ = write!(out, " env={}", word(environment));
        }
    }
    if let Some(folder) = folder {
        let _ = write!(out, " in={}", word(folder));
    }
    out.push_str(" -->");
    out
}

/// Encoded, so that nothing ends the comment.
pub(super) fn word(text: &str) -> String {
    crate::escape::percent(text, b"_.")
}

/// Whether a comment begins with this marker, on a line of its own. One that merely quotes it does
/// not.
pub(super) fn bears(body: &str, marker: &str) -> bool {
    body.strip_prefix(marker)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(['\n', '\r']))
}

/// Whether two comments are the same, whatever line ends and last lines a server makes of them.
pub(super) fn same(a: &str, b: &str) -> bool {
    let lines = |text: &str| text.trim_end().replace("\r\n", "\n");
    lines(a) == lines(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(app: &str, environment: Option<&str>) -> String {
        marker([(app, environment)].into_iter(), None)
    }

    #[test]
    fn apps_and_environments_have_markers_of_their_own() {
        assert_eq!(of("a1", None), "<!-- connplan app=a1 -->");
        let within = |folder: &str| marker([("a", None)].into_iter(), Some(folder));
        let all = [
            within("b"),
            within("b/c"),
            within("b in=c"),
            of("a", None),
            of("a", Some("b")),
            of("a", Some("B")),
            of("a env=b", None),
            of("a-", Some("b")),
            of("a", Some("-b")),
        ];
        for (index, one) in all.iter().enumerate() {
            assert!(
                !all.iter().skip(index + 1).any(|other| one == other),
                "{one}"
            );
        }
    }

    #[test]
    fn nothing_ends_the_hidden_line_early() {
        let hostile = of("a", Some("x --> @team <b>\n- ü --!>"));
        assert_eq!(hostile.matches("--").count(), 2);
        assert_eq!(hostile.matches('>').count(), 1);
        assert!(hostile.is_ascii() && !hostile.contains('\n'));
    }

    #[test]
    fn only_a_comment_that_begins_with_it_bears_it() {
        let marker = of("a", None);
        assert!(bears(&format!("{marker}\n## x"), &marker));
        assert!(bears(&format!("{marker}\r\n## x"), &marker));
        assert!(!bears(&format!("> {marker}\n## x"), &marker));
        assert!(!bears(&format!("{marker} and more"), &marker));
        assert!(!bears(&of("a", Some("b")), &marker));
    }

    #[test]
    fn servers_may_change_line_ends() {
        assert!(same("a\r\nb\n", "a\nb"));
        assert!(!same("a\nb", "a\n b"));
    }
}

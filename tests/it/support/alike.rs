//! Texts as they would be on any machine, at any time.
#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::sync::LazyLock;

use regex_lite::Regex;

/// What differs from run to run, and what is written for it.
static OTHER_EACH_TIME: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    let all = [
        (r#"[^\s"'`(]*/connplan-[a-z]+-[A-Za-z0-9]{6}\b"#, "FOLDER"),
        (r"127\.0\.0\.1:\d+", "HOST"),
        (r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "ID"),
        (r"\d{4}-\d\d-\d\dT[\d:.]+Z", "TIME"),
        (r"\blog/\d{8}-\d{14}-[0-9a-f]{32}\b", "log/ENTRY"),
        (r"\b[0-9a-f]{16}-app-1\b", "APP"),
        (r"\b[0-9a-f]{40}\b", "COMMIT"),
        (r"\b(of|commit|error:) [0-9a-f]{7}\b", "$1 COMMIT"),
        (r"\b([0-9a-f]{64}|[0-9a-f]{12})\b", "DIGEST"),
        (r"\b[0-9a-f]{16}\.(log|sig)\b", "DIGEST.$1"),
        (r"\bSHA256:[A-Za-z0-9+/]{43}", "SHA256:KEY"),
        (r"\bconn_[0-9a-f]{32}\b", "conn_ID"),
        (r"\bexpires in \d+ days\b", "expires in SOME days"),
        (r"([^\w=])\d+ (ms|s)\b", "${1}SOME $2"),
        (r"\b(ms|planned|since)=\d+", "$1=SOME"),
        (r"\bprocess \d+\b", "process ID"),
        (r" on \S+ started `", " on MACHINE started `"),
        // A machine that is busy takes its time.
        (r"(just now|\b[1-9] minutes? ago)  +", "just now  "),
        (r"\b[1-9] minutes? ago\b", "just now"),
    ];
    let read = |(from, to): (&str, _)| (Regex::new(from).unwrap(), to);
    all.map(read).into()
});

/// The text with that written alike.
pub(crate) fn alike(text: &str) -> String {
    let text = text.replace(env!("CARGO_PKG_VERSION"), "VERSION");
    let replace = |text: String, (from, to): &(Regex, &str)| from.replace_all(&text, *to).into();
    OTHER_EACH_TIME.iter().fold(text, replace)
}

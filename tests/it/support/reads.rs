//! What people read of a run, held in whole against what was looked at and found good.

use super::{Output, alike};

/// Holds what is read of a run (how it ended, both streams), or a text, against a snapshot:
/// `reads!(run, @"…")` in the test itself, `reads!(run)` in a file of its own where it is long.
///
/// What differs from run to run is written alike.
macro_rules! reads {
    ($read:expr, @$good:literal) => {
        insta::assert_snapshot!($crate::support::Read::read(&$read), @$good)
    };
    ($read:expr) => {
        insta::assert_snapshot!($crate::support::Read::read(&$read))
    };
}
pub(crate) use reads;

/// What can be read.
pub(crate) trait Read {
    /// As a person reads it, on any machine and at any time.
    fn read(&self) -> String;
}

/// What a run shows: how it ended, standard output, and standard error if it has any.
fn transcript(command: &str, code: Option<i32>, stdout: &str, stderr: &str) -> String {
    let ended = code.map_or("killed".to_owned(), |code| format!("exit {code}"));
    let mut text = format!("{ended}: connplan {command}\n");
    text.push_str(&in_one_order(stdout, is_link));
    if !stderr.is_empty() {
        text.push_str(if text.ends_with('\n') { "" } else { "\n" });
        text.push_str("--- stderr\n");
        text.push_str(&in_one_order(stderr, is_event));
    }
    assert!(!stderr.contains("panicked"), "{text}");
    alike(&text)
}

/// A link that the sandbox gave: they are asked for at once.
fn is_link(line: &str) -> bool {
    line.starts_with("  ") && line.contains(": http://") && line.contains("?ticket=")
}

/// A request, or a step on the way.
fn is_event(line: &str) -> bool {
    if line.starts_with("DEBUG request ") {
        return true;
    }
    let mark = line
        .strip_prefix("  ")
        .and_then(|line| line.split_once(' '));
    mark.is_some_and(|(mark, _)| matches!(mark, "+" | "-" | "~" | "!" | "?"))
}

/// What happened at once comes in any order: told here in that of the names.
fn in_one_order(said: &str, is_event: fn(&str) -> bool) -> String {
    let mut told = String::new();
    let mut events: Vec<String> = Vec::new();
    for line in said.split_inclusive('\n') {
        match events.last_mut() {
            _ if is_event(line) => events.push(line.to_owned()),
            Some(event) if line.starts_with("    ") => event.push_str(line),
            _ => {
                events.sort();
                told.extend(events.drain(..));
                told.push_str(line);
            }
        }
    }
    events.sort();
    told.extend(events);
    told
}

impl Read for Output {
    fn read(&self) -> String {
        transcript(&self.command, self.code, &self.stdout, &self.stderr)
    }
}

impl Read for str {
    fn read(&self) -> String {
        alike(self)
    }
}

impl Read for String {
    fn read(&self) -> String {
        alike(self)
    }
}

/// One run after the other.
impl<T: Read> Read for [T] {
    fn read(&self) -> String {
        let all = self.iter().map(Read::read);
        all.collect::<Vec<_>>().join("\n")
    }
}

impl<T: Read, const N: usize> Read for [T; N] {
    fn read(&self) -> String {
        self[..].read()
    }
}

impl<T: Read> Read for Vec<T> {
    fn read(&self) -> String {
        self[..].read()
    }
}

impl<T: Read + ?Sized> Read for &T {
    fn read(&self) -> String {
        (**self).read()
    }
}

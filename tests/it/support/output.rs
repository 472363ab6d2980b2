//! What a run came to.

use serde_json::Value;

/// A finished run of the binary.
#[derive(Clone, Debug)]
pub(crate) struct Output {
    /// The command line, for messages.
    pub(crate) command: String,
    /// The exit code; none if a signal ended it.
    pub(crate) code: Option<i32>,
    /// Standard output.
    pub(crate) stdout: String,
    /// Standard error.
    pub(crate) stderr: String,
}

impl Output {
    /// Fails unless the run ended with this code.
    #[track_caller]
    pub(crate) fn expect(&self, code: i32) -> &Self {
        assert_eq!(self.code, Some(code), "{self}");
        assert!(!self.stderr.contains("panicked"), "{self}");
        self
    }

    /// Fails unless standard output has this text.
    #[track_caller]
    pub(crate) fn says(&self, text: &str) -> &Self {
        assert!(
            self.stdout.contains(text),
            "no {text:?} on stdout of {self}"
        );
        self
    }

    /// Fails unless standard error has this text.
    #[track_caller]
    pub(crate) fn tells(&self, text: &str) -> &Self {
        assert!(
            unwrapped(&self.stderr).contains(&unwrapped(text)),
            "no {text:?} on stderr of {self}"
        );
        self
    }

    /// Fails if either stream has this text.
    #[track_caller]
    pub(crate) fn lacks(&self, text: &str) -> &Self {
        assert!(
            !self.stdout.contains(text) && !self.stderr.contains(text),
            "{text:?} in {self}"
        );
        self
    }

    /// Standard output, which has to be one JSON document.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|e| panic!("{e}: {self}"))
    }
}

/// Messages are wrapped to the terminal's width, with a bar before each further line.
fn unwrapped(text: &str) -> String {
    let words = text
        .split_whitespace()
        .filter(|word| !matches!(*word, "│" | "|"));
    words.collect::<Vec<_>>().join(" ")
}

impl std::fmt::Display for Output {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "$ connplan {} -> {:?}\n--- stdout\n{}\n--- stderr\n{}",
            self.command, self.code, self.stdout, self.stderr
        )
    }
}

/// What is shown of a live plan, as it is shown once the plan was saved: with accounts masked.
/// `json` is the live plan's.
pub fn as_saved(json: &str, text: &str) -> String {
    let json: Value = serde_json::from_str(json).unwrap();
    let mut accounts = Vec::new();
    collect(&json, &mut accounts);
    let shown = |mut text: String, account: &String| {
        let masked = connplan::model::Account::new(account.to_lowercase()).masked();
        let quoted = |text: &str| Value::from(text).to_string();
        let inner = |text: &str| quoted(text)[1..quoted(text).len() - 1].to_owned();
        text = text.replace(&inner(account), &inner(&masked));
        text.replace(account, &masked)
    };
    accounts.iter().fold(text.to_owned(), shown)
}

fn collect(value: &Value, accounts: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            let account = fields.get("account").and_then(Value::as_str);
            accounts.extend(account.filter(|a| !a.starts_with('@')).map(str::to_owned));
            fields.values().for_each(|value| collect(value, accounts));
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, accounts)),
        _ => {}
    }
}

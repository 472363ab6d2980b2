//! Everything that reads, for the fuzzer: each function takes any bytes, and panics where a promise
//! is broken. Not part of the program.

use crate::{
    apply::journal,
    config,
    model::App,
    pending,
    plan::{self, Digest},
    receipt, remote, remote_state,
    syntax::Problem,
    view,
};

/// A target's name and what it does with bytes.
pub type Target = (&'static str, fn(&[u8]));

/// Every target.
pub const TARGETS: [Target; 10] = [
    ("connector_file", connector_file),
    ("settings", settings),
    ("plan", plan_file),
    ("receipt", receipt_file),
    ("journal", journal_file),
    ("pending", pending_store),
    ("answers", server_answers),
    ("dotenv", dotenv),
    ("login", login_file),
    ("snapshot", snapshot),
];

/// A document is drawn and encoded whatever stands in it.
fn drawable(problems: &[Problem]) {
    for problem in problems {
        let text = view::problems::render(problem, false, Some(80), &view::NextCommand::default());
        assert!(
            !text.contains(['\u{1b}', '\r', '\u{202e}']),
            "a problem that commands the terminal"
        );
        let _ = problem.to_diagnostic();
    }
}

/// Connector files, JSON5 and TOML.
pub fn connector_file(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    for name in ["a.jsonc", "a.toml"] {
        let (parsed, problems) = crate::syntax::parse_connector(name, &text);
        drawable(&problems);
        let errors = problems.iter().any(Problem::is_error);
        assert_eq!(
            parsed.is_none(),
            errors,
            "a connector unless there is an error"
        );
    }
}

/// `connplan.toml`.
pub fn settings(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let (parsed, problems) = crate::syntax::parse_settings("connplan.toml", &text);
    drawable(&problems);
    let errors = problems.iter().any(Problem::is_error);
    assert_eq!(
        parsed.is_none(),
        errors,
        "settings unless there is an error"
    );
}

/// A document with a digest that is right for it, so that the fuzzer gets past it.
fn signed(bytes: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(bytes);
    let mut table: toml::Table = text.parse().ok()?;
    let digest = Digest::of(&table).to_string();
    table.insert("digest".to_owned(), toml::Value::String(digest));
    toml::to_string(&table).ok()
}

/// A saved plan.
pub fn plan_file(bytes: &[u8]) {
    let _ = plan::document::read("it", &String::from_utf8_lossy(bytes));
    let Some(text) = signed(bytes) else { return };
    let Ok(saved) = plan::document::read("it", &text) else {
        return;
    };
    let again = plan::document::to_toml(&saved.plan, None)
        .map(|text| plan::document::read("it", &text).map(|saved| saved.plan));
    assert!(
        matches!(again, Ok(Ok(plan)) if plan == saved.plan),
        "a plan survives a round trip"
    );
}

/// A saved receipt.
pub fn receipt_file(bytes: &[u8]) {
    let _ = receipt::read("it", &String::from_utf8_lossy(bytes));
    let Some(text) = signed(bytes) else { return };
    let Ok(saved) = receipt::read("it", &text) else {
        return;
    };
    let again = receipt::to_toml(&saved.receipt, None)
        .map(|text| receipt::read("it", &text).map(|saved| saved.receipt));
    assert!(
        matches!(again, Ok(Ok(receipt)) if receipt == saved.receipt),
        "a receipt survives a round trip"
    );
}

/// A journal, as it is and with checksums that are right.
pub fn journal_file(bytes: &[u8]) {
    journal::fuzz(bytes);
}

/// The pending file of this machine.
pub fn pending_store(bytes: &[u8]) {
    pending::fuzz(&String::from_utf8_lossy(bytes));
}

/// Every answer of the API, errors among them.
pub fn server_answers(bytes: &[u8]) {
    remote::fuzz(bytes);
}

/// `.env` and `.env.local`.
pub fn dotenv(bytes: &[u8]) {
    config::fuzz_dotenv(&String::from_utf8_lossy(bytes));
}

/// The stored login.
pub fn login_file(bytes: &[u8]) {
    let Ok(login) = remote::auth::StoredLogin::from_json(bytes) else {
        return;
    };
    let again = remote::auth::StoredLogin::from_json(&login.to_json());
    assert_eq!(again.as_ref(), Ok(&login), "a login survives a round trip");
}

/// A snapshot of the remote.
pub fn snapshot(bytes: &[u8]) {
    let Ok(snapshot) = remote_state::read("-", &String::from_utf8_lossy(bytes)) else {
        return;
    };
    let _: &App = &snapshot.app;
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// What the fuzzer found worth keeping, and what it once broke.
    #[test]
    fn the_corpus_is_read_without_a_panic() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/corpus");
        for (name, target) in TARGETS {
            let mut count = 0;
            for entry in std::fs::read_dir(root.join(name)).unwrap() {
                target(&std::fs::read(entry.unwrap().path()).unwrap());
                count += 1;
            }
            assert!(count > 0, "{name} has no corpus");
        }
    }
}

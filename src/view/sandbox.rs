//! Where a sandbox is, and how a client is pointed at it.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Format, Medium, json::pretty, report::FORMAT_VERSION};
use crate::sandbox::{Access, SeedToken};

#[derive(Serialize)]
struct SandboxReport<'a> {
    format_version: &'static str,
    kind: &'static str,
    environment: &'a BTreeMap<String, String>,
    tokens: &'a [SeedToken],
}

/// What a shell needs.
pub fn show(
    environment: &BTreeMap<String, String>,
    tokens: &[SeedToken],
    medium: &Medium,
) -> String {
    match medium.format {
        Format::Json => json(environment, tokens),
        _ => lines(environment),
    }
}

/// The variables as lines that a shell or a `.env` file takes.
fn lines(environment: &BTreeMap<String, String>) -> String {
    let lines: Vec<_> = environment
        .iter()
        .map(|(name, value)| format!("{name}={value}\n"))
        .collect();
    lines.concat()
}

/// The first person's tokens, each as a line to copy.
pub fn tokens(tokens: &[SeedToken]) -> String {
    let Some(first) = tokens.first() else {
        return String::new();
    };
    let own = tokens.iter().filter(|token| token.user == first.user);
    let lines = own.map(|token| {
        let what = match token.access {
            Access::Full => "full",
            Access::ReadOnly => "read-only",
        };
        format!("  BASE44_ACCESS_TOKEN={}  ({what})\n", token.token)
    });
    let user = &first.user;
    format!(
        "Personal access tokens of {user}, instead of the key:\n{}",
        lines.collect::<String>()
    )
}

/// The same as JSON, with a line break at its end.
fn json(environment: &BTreeMap<String, String>, tokens: &[SeedToken]) -> String {
    pretty(&SandboxReport {
        format_version: FORMAT_VERSION,
        kind: "sandbox",
        environment,
        tokens,
    })
}

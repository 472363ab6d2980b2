//! Which connplan this is.

use serde::Serialize;

use super::{Format, Medium, json::pretty, report::FORMAT_VERSION};

#[derive(Serialize)]
struct VersionReport<'a> {
    format_version: &'static str,
    kind: &'static str,
    version: &'a str,
}

/// The version.
pub fn show(version: &str, medium: &Medium<'_>) -> String {
    match medium.format {
        Format::Json => json(version),
        _ => format!("connplan {version}\n"),
    }
}

/// The version as JSON, with a line break at its end.
fn json(version: &str) -> String {
    pretty(&VersionReport {
        format_version: FORMAT_VERSION,
        kind: "version",
        version,
    })
}

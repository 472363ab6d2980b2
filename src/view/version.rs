//! Which connplan this is.

use serde::Serialize;

use super::{json::pretty, report::FORMAT_VERSION};

#[derive(Serialize)]
struct VersionReport<'a> {
    format_version: &'static str,
    kind: &'static str,
    version: &'a str,
}

/// The version as JSON, with a line break at its end.
pub fn json(version: &str) -> String {
    pretty(&VersionReport {
        format_version: FORMAT_VERSION,
        kind: "version",
        version,
    })
}

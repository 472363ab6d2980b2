//! Texts that are printed as they are: a page of help, a script of completions.

use clap::builder::StyledStr;
use serde::Serialize;

use super::{Format, Medium, json::pretty, report::FORMAT_VERSION};

#[derive(Serialize)]
struct TextReport<'a> {
    format_version: &'static str,
    kind: &'static str,
    about: Option<&'a str>,
    text: &'a str,
}

/// The text; as JSON a document of this kind, with what it was asked for by.
pub fn show(kind: &'static str, about: Option<&str>, text: String, medium: &Medium<'_>) -> String {
    match medium.format {
        Format::Json => pretty(&TextReport {
            format_version: FORMAT_VERSION,
            kind,
            about,
            text: &text,
        }),
        _ => text,
    }
}

/// The help of a command, with colours where they are wanted.
pub fn help(help: &StyledStr, medium: &Medium<'_>) -> String {
    let colored = medium.format == Format::Text && medium.theme.is_colored();
    help_text(help, colored)
}

/// What clap is not to break at a blank holds this instead.
pub const WHOLE: &str = "\u{a0}";

/// The same, or a complaint about a command line.
pub fn help_text(help: &StyledStr, colored: bool) -> String {
    let text = if colored {
        help.ansi().to_string()
    } else {
        help.to_string()
    };
    text.replace(WHOLE, " ")
}

//! In which form a file of the state folder is, and who wrote it.

use serde::Deserialize;

/// Who writes files now: `created_by`.
pub const WRITER: &str = concat!("connplan ", env!("CARGO_PKG_VERSION"));

#[derive(Deserialize)]
struct Head {
    format_version: String,
    #[serde(default)]
    created_by: Option<String>,
}

/// Fails with a sentence if a TOML file has another major format version than `major`, whatever else is in it.
/// A file without a version is left to its parser.
pub fn check_format_version(text: &str, major: u32) -> Result<(), String> {
    let Ok(head) = toml::from_str::<Head>(crate::tables::head(text)) else {
        return Ok(());
    };
    let version = head.format_version.split('.').next().unwrap_or_default();
    if version.parse() == Ok(major) {
        return Ok(());
    }
    let shown = |text: &str| crate::escape::limited(text, 40);
    let by = head
        .created_by
        .as_deref()
        .map_or_else(|| "another version of connplan".to_owned(), shown);
    Err(format!(
        "{by} wrote it, in format {}; this is {WRITER}, which reads format {major}",
        shown(&head.format_version)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_format_names_its_writer() {
        let newer = "format_version = '2.0'\ncreated_by = 'connplan 9.9.9'\nshape = ['new']\n";
        let why = check_format_version(newer, 1).unwrap_err();
        assert!(
            why.contains("connplan 9.9.9") && why.contains("format 2.0"),
            "{why}"
        );
        assert!(why.contains(WRITER), "{why}");
        assert!(check_format_version("format_version = '1.7'", 1).is_ok());
        assert!(
            check_format_version("format_version = '0.9'", 1)
                .unwrap_err()
                .contains("another version")
        );
        assert!(check_format_version("garbled", 1).is_ok());
    }
}

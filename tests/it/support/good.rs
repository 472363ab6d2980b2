//! Files that hold what was looked at and found good: README, its picture, schemas, stories, the shown
//! plans of `fixtures/`.
//!
//! Others read these files as they are, so none can have the header of a snapshot file of `insta`, which
//! keeps short texts in the tests themselves. Both are written anew in one way:
//! `cargo insta test --accept`, or `INSTA_UPDATE=always cargo test` for the files alone.
#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]
#![expect(
    clippy::disallowed_methods,
    reason = "how a person asks for files to be written"
)]

use std::{fs, path::Path};

use connplan::fs::Visibility;

/// Whether to write what is shown now, and not to hold it against what was shown.
pub(crate) fn blessing() -> bool {
    let is = |name: &str, value: &str| std::env::var(name).is_ok_and(|set| set == value);
    is("INSTA_UPDATE", "always") || is("INSTA_FORCE_PASS", "1")
}

/// How a file differs from what is shown now; nothing once it is written anew. No text is no file.
pub(crate) fn differs(path: &Path, shown: &str) -> Option<String> {
    let good = fs::read_to_string(path).unwrap_or_default();
    if shown == good {
        return None;
    }
    if !blessing() {
        let difference = similar::TextDiff::from_lines(good.as_str(), shown)
            .unified_diff()
            .header("found good", "shown now")
            .to_string();
        return Some(format!("{}\n{difference}", path.display()));
    }
    if shown.is_empty() {
        fs::remove_file(path).unwrap();
    } else {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        connplan::fs::write(path, shown.as_bytes(), Visibility::Shared).unwrap();
    }
    None
}

//! A pipeline's file, and how names stand in it. Pure.

/// A pipeline that is offered.
pub(super) struct Pipeline {
    /// From the repository's root.
    pub(super) file: String,
    pub(super) what: &'static str,
    pub(super) text: String,
}

/// A folder of a repository as a pipeline names it.
pub(super) fn written(folder: &str) -> &str {
    if folder.is_empty() { "." } else { folder }
}

/// A string of JSON is one of YAML.
pub(super) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

pub(super) fn slug(inner: &str) -> String {
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() {
            c.to_ascii_lowercase()
        } else {
            '-'
        }
    };
    inner.chars().map(plain).collect()
}

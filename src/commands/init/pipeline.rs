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

/// A project and what is watched for it: folders relative to the repository's root, with `/` between parts; empty
/// for the root itself.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Watched {
    pub(super) project: String,
    /// Folders outside it that have its connector files.
    pub(super) others: Vec<String>,
}

impl Watched {
    /// The project's own folder first.
    pub(super) fn folders(&self) -> impl Iterator<Item = &str> {
        [&self.project]
            .into_iter()
            .chain(&self.others)
            .map(String::as_str)
    }
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

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

/// The variable that has the app of a project, where there are several.
pub(super) fn app_variable(project: &str) -> String {
    let name = slug(project).to_ascii_uppercase();
    format!("BASE44_APP_ID_{}", name.replace('-', "_"))
}

/// What a project is called in the pipelines. `changed.yml` makes the same names.
pub(super) fn slug(project: &str) -> String {
    if project.is_empty() {
        return "root".to_owned();
    }
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() {
            c.to_ascii_lowercase()
        } else {
            '-'
        }
    };
    project.chars().map(plain).collect()
}

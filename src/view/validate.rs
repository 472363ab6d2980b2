//! The result of `validate`.

use serde::Serialize;

use super::{
    Format, Medium,
    json::{AppName, pretty},
    problems,
    report::FORMAT_VERSION,
    runner, sarif,
    words::count,
};
use crate::{
    escape,
    model::{ConnectorType, Diagnostic, Severity},
    policy::Violation,
    syntax::Problem,
    term::Terminal,
};

/// What `validate` found.
#[derive(Debug)]
pub struct Validation<'a> {
    /// The app, where the files or the environment name it.
    pub apps: Vec<AppName>,
    /// What the files declare.
    pub names: Vec<&'a ConnectorType>,
    /// Where they lie.
    pub folder: String,
    /// All that was found.
    pub problems: &'a [Problem],
    /// What of it the policy says, by rule.
    pub violations: Vec<Violation>,
    /// Whether warnings count.
    pub strict: bool,
}

impl Validation<'_> {
    /// Whether there is no error, nor a warning that counts.
    pub fn is_valid(&self) -> bool {
        let counts = |problem: &Problem| self.strict || problem.is_error();
        !self.problems.iter().any(counts)
    }

    /// Prints it: to a person the problems, too, on standard error.
    pub fn show(self, medium: &Medium<'_>, terminal: &Terminal) {
        let diagnostics: Vec<_> = self.problems.iter().map(Problem::to_diagnostic).collect();
        terminal.out(&match medium.format {
            Format::Json => {
                let report = ValidationReport {
                    apps: self.apps,
                    violations: self.violations,
                    ..ValidationReport::new(diagnostics, self.strict)
                };
                report.to_json()
            }
            Format::Github => runner::github(&diagnostics),
            Format::Sarif => sarif::log(&diagnostics, &self.violations),
            Format::Text | Format::Markdown | Format::Diff => {
                problems::say(terminal, self.problems, medium.next);
                text(&self.names, &self.folder, &diagnostics, self.strict)
            }
        });
    }
}

/// What `validate --format json` prints.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ValidationReport {
    /// The version of this shape.
    pub format_version: &'static str,
    /// Always `validation`.
    pub kind: &'static str,
    /// The app, where the files or the environment name it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub apps: Vec<AppName>,
    /// Whether there is no error. Warnings don't count, unless it was strict.
    pub valid: bool,
    /// All that was found.
    pub diagnostics: Vec<Diagnostic>,
    /// What of it the policy says, by rule.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub violations: Vec<Violation>,
}

impl ValidationReport {
    /// Reports the findings; where it is `strict`, warnings count.
    pub fn new(diagnostics: Vec<Diagnostic>, strict: bool) -> Self {
        Self {
            format_version: FORMAT_VERSION,
            kind: "validation",
            apps: Vec::new(),
            valid: diagnostics
                .iter()
                .all(|d| d.severity != Severity::Error && !strict),
            diagnostics,
            violations: Vec::new(),
        }
    }

    /// The report as JSON, with a line break at its end.
    pub fn to_json(&self) -> String {
        pretty(self)
    }
}

/// The result in one line for a person.
fn text(
    names: &[&ConnectorType],
    folder: &str,
    diagnostics: &[Diagnostic],
    strict: bool,
) -> String {
    let of = |severity| {
        diagnostics
            .iter()
            .filter(|d| d.severity == severity)
            .count()
    };
    let (errors, warnings) = (of(Severity::Error), of(Severity::Warning));
    let found = match (errors, warnings) {
        (0, 0) => String::new(),
        (0, warnings) => format!(", {}", count(warnings, "warning")),
        (errors, 0) => format!("{} found", count(errors, "error")),
        (errors, warnings) => {
            format!(
                "{} and {} found",
                count(errors, "error"),
                count(warnings, "warning")
            )
        }
    };
    if errors > 0 {
        return format!("Not valid: {found}.\n");
    }
    if strict && warnings > 0 {
        let warnings = count(warnings, "warning");
        return format!("Not valid: {warnings}, and `--strict` takes warnings for errors.\n");
    }
    let list: Vec<_> = names.iter().map(|name| name.as_str()).collect();
    let list = if list.is_empty() {
        String::new()
    } else {
        format!(": {}", list.join(", "))
    };
    let folder = escape::terminal(folder);
    format!(
        "Valid{found}. {} in {folder}{list}\n",
        count(names.len(), "connector")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warnings_leave_it_valid() {
        let finding = |severity| Diagnostic {
            severity,
            code: "c".to_owned(),
            message: "m".to_owned(),
            file: None,
            line: None,
            column: None,
            help: None,
        };
        assert!(ValidationReport::new(vec![finding(Severity::Warning)], false).valid);
        assert!(!ValidationReport::new(vec![finding(Severity::Error)], false).valid);
        assert!(!ValidationReport::new(vec![finding(Severity::Warning)], true).valid);
        assert_eq!(
            ValidationReport::new(Vec::new(), false).to_json(),
            "{\n  \"format_version\": \"1.0\",\n  \"kind\": \"validation\",\n  \
             \"valid\": true,\n  \"diagnostics\": []\n}\n"
        );
    }
}

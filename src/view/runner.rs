//! Findings as annotations of a GitHub run (`::warning file=…::message`), on file, line and column.

use std::fmt::Write as _;

use crate::{
    escape,
    model::{Diagnostic, Severity},
};

/// A line for each finding. The runner takes them from standard output.
pub fn github(diagnostics: &[Diagnostic]) -> String {
    let mut out = String::new();
    for diagnostic in diagnostics {
        let command = match diagnostic.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        let numbers = [("line", diagnostic.line), ("col", diagnostic.column)];
        let mut properties = Vec::new();
        if let Some(file) = &diagnostic.file {
            properties.push(format!("file={}", escape::command_property(file)));
            for (key, number) in numbers {
                if let Some(number) = number {
                    properties.push(format!("{key}={number}"));
                }
            }
        }
        properties.push(format!(
            "title={}",
            escape::command_property(&diagnostic.code)
        ));
        let message = match &diagnostic.help {
            Some(help) => format!("{}\nhelp: {help}", diagnostic.message),
            None => diagnostic.message.clone(),
        };
        let message = escape::command_data(&message);
        let _ = writeln!(out, "::{command} {}::{message}", properties.join(","));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(message: &str, file: &str) -> Diagnostic {
        Diagnostic {
            severity: Severity::Warning,
            code: "connplan::config::unknown_key".to_owned(),
            message: message.to_owned(),
            file: Some(file.to_owned()),
            line: Some(3),
            column: Some(5),
            help: Some("did you mean `scopes`?".to_owned()),
        }
    }

    #[test]
    fn a_finding_is_one_command() {
        assert_eq!(
            github(&[finding("100% odd", "base44/connectors/a,b:c.jsonc")]),
            "::warning file=base44/connectors/a%2Cb%3Ac.jsonc,line=3,col=5,\
             title=connplan%3A%3Aconfig%3A%3Aunknown_key::100%25 odd%0A\
             help: did you mean `scopes`?\n"
        );
    }

    #[test]
    fn nothing_in_a_finding_makes_a_second_command() {
        let hostile = "x\r\n::error::forged\n##[error]y\u{202e}";
        let text = github(&[finding(hostile, hostile)]);
        assert_eq!(text.lines().count(), 1, "{text}");
        assert!(!text.contains('\u{202e}') && !text.contains('\r'));
    }
}

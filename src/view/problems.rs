//! What is wrong with the files, with the lines it is about.

use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme, Report};
use thiserror::Error;

use crate::{config::Problem, term::Terminal};

/// Says every problem, on standard error, with a blank line between them.
pub fn say(terminal: &Terminal, problems: &[Problem]) {
    let (color, columns) = (terminal.color_stderr(), terminal.columns_stderr());
    let texts: Vec<_> = problems
        .iter()
        .map(|problem| render(problem, color, columns))
        .collect();
    if !texts.is_empty() {
        terminal.insist(&texts.join("\n"));
    }
}

/// How many warnings there are about files that a command does not touch.
pub fn elsewhere(warnings: usize) -> Option<String> {
    let count = super::words::count(warnings, "warning");
    (warnings > 0).then(|| format!("{count} about other files; `connplan validate` shows them."))
}

/// One diagnostic as miette draws it. Without `columns`, where no terminal takes it, nothing is
/// wrapped: a path, an id or a digest stays in one piece for whoever searches a log.
pub fn render(diagnostic: &dyn Diagnostic, color: bool, columns: Option<usize>) -> String {
    let theme = if color {
        GraphicalTheme::unicode()
    } else {
        GraphicalTheme::unicode_nocolor()
    };
    let handler = GraphicalReportHandler::new_themed(theme)
        .with_width(columns.unwrap_or(80).clamp(40, 120))
        .with_wrap_lines(columns.is_some())
        .with_links(false)
        // Every error's own text says its cause: that is all that JSON has of it.
        .without_cause_chain();
    let mut text = String::new();
    // Writing to a string does not fail; a handler that fails has written what it could.
    let _ = handler.render_report(&mut text, diagnostic);
    text
}

/// The files have errors, which were said already.
#[derive(Debug, Error, Diagnostic)]
#[error("the connector files have {}; nothing was planned", count(*.errors))]
#[diagnostic(
    code(connplan::config::invalid),
    help("mend them; `connplan validate` checks without network and login")
)]
pub struct Invalid {
    errors: usize,
    /// What was found, for machine output.
    pub diagnostics: Vec<crate::model::Diagnostic>,
}

fn count(errors: usize) -> String {
    super::words::count(errors, "error")
}

impl Invalid {
    /// The error for these problems.
    pub fn of(problems: &[Problem]) -> Self {
        Self {
            errors: problems.iter().filter(|problem| problem.is_error()).count(),
            diagnostics: problems.iter().map(Problem::to_diagnostic).collect(),
        }
    }
}

/// Draws a report that ends the run.
pub fn render_report(report: &Report, color: bool, columns: Option<usize>) -> String {
    render(report.as_ref(), color, columns)
}

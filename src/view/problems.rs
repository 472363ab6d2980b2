//! What is wrong with the files, with the lines it is about.

use miette::{Diagnostic, Severity};
use thiserror::Error;

use super::{NextCommand, Style, Theme, excerpt};
use crate::{
    syntax::Problem,
    term::{Terminal, wrap},
};

/// Says every problem, on standard error, with a blank line between them.
pub fn say(terminal: &Terminal, problems: &[Problem], next: &NextCommand) {
    let texts: Vec<_> = problems
        .iter()
        .map(|problem| render_for(terminal, problem, next))
        .collect();
    if !texts.is_empty() {
        terminal.insist_verbatim(&texts.join("\n"));
    }
}

/// How many warnings there are about files that a command does not touch.
pub fn elsewhere(warnings: usize, next: &NextCommand) -> Option<String> {
    let count = super::words::count(warnings, "warning");
    let shows = next.within("`connplan validate` shows them.");
    (warnings > 0).then(|| format!("{count} in other files; {shows}"))
}

/// One diagnostic: what happened, the lines it is about, what to do, and its code at the end.
///
/// Without `columns`, where no terminal takes it, nothing is broken: a path, an id or a digest stays in
/// one piece for whoever searches a log.
pub fn render(
    diagnostic: &dyn Diagnostic,
    color: bool,
    columns: Option<usize>,
    next: &NextCommand,
) -> String {
    let theme = Theme::new(color);
    let page = Page {
        theme,
        columns,
        cut: columns,
        next,
    };
    page.render(diagnostic)
}

/// The same for standard error.
pub fn render_for(terminal: &Terminal, diagnostic: &dyn Diagnostic, next: &NextCommand) -> String {
    let columns = terminal.columns_stderr();
    let page = Page {
        theme: Theme::new(terminal.color_stderr()),
        columns,
        // What is cut in an address is not found where addresses are masked.
        cut: columns.filter(|_| !terminal.masks_stderr()),
        next,
    };
    page.render(diagnostic)
}

/// Where a diagnostic is said.
#[derive(Clone, Copy)]
struct Page<'a> {
    theme: Theme,
    columns: Option<usize>,
    /// How wide the lines of a file may be.
    cut: Option<usize>,
    next: &'a NextCommand,
}

impl Page<'_> {
    fn render(self, diagnostic: &dyn Diagnostic) -> String {
        let Self {
            theme,
            columns,
            cut,
            next,
        } = self;
        let (style, word) = match diagnostic.severity() {
            None | Some(Severity::Error) => (Style::Danger, "error:"),
            Some(Severity::Warning) => (Style::Attention, "warning:"),
            Some(Severity::Advice) => (Style::Bold, "note:"),
        };
        let prose = |text: &str| match columns {
            Some(columns) => wrap(text, columns),
            None => text.to_owned(),
        };
        let mut text = prose(&format!("{} {diagnostic}\n", theme.paint(style, word)));
        text.push_str(&excerpt::draw(diagnostic, theme, cut));
        if let Some(help) = diagnostic.help() {
            let help = next.within(&help.to_string());
            text.push_str(&prose(&format!("  help: {help}\n")));
        }
        for related in diagnostic.related().into_iter().flatten() {
            text.push_str(&self.render(related));
        }
        if let Some(code) = diagnostic.code() {
            text.push_str(&prose(&theme.paint(Style::Dim, &format!("  code: {code}"))));
            text.push('\n');
        }
        text
    }
}

/// The files have errors, which were said already.
#[derive(Debug, Error, Diagnostic)]
#[error("{whose} {}; nothing was planned", count(*.errors))]
#[diagnostic(
    code(connplan::config::invalid),
    help("fix them; `connplan validate` checks without network and login")
)]
pub struct Invalid {
    errors: usize,
    /// Where they are: `base44/connplan.toml has`, `the project's files have`. Escaped.
    whose: String,
    /// What was found, for machine output.
    pub diagnostics: Vec<crate::model::Diagnostic>,
}

fn count(errors: usize) -> String {
    super::words::count(errors, "error")
}

impl Invalid {
    /// The error for these problems.
    pub fn of(problems: &[Problem]) -> Self {
        let diagnostics: Vec<_> = problems.iter().map(Problem::to_diagnostic).collect();
        let errors = diagnostics
            .iter()
            .filter(|found| found.severity == crate::model::Severity::Error);
        let mut files: Vec<_> = errors.map(|found| found.file.as_deref()).collect();
        files.dedup();
        let whose = match files.first() {
            Some(Some(file)) if files.len() == 1 => {
                format!("{} has", crate::escape::limited(file, 200))
            }
            _ => "the project's files have".to_owned(),
        };
        Self {
            errors: problems.iter().filter(|problem| problem.is_error()).count(),
            whose,
            diagnostics,
        }
    }
}

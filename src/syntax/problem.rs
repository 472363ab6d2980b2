//! A finding and where it is.

use std::fmt;

use miette::{Diagnostic, LabeledSpan, Severity, SourceCode};

use super::{
    finding::Finding,
    quote::{Quoted, escaped},
    source::Source,
    tree::Span,
};
use crate::model;

/// The most bytes that a label underlines; a place is meant, not a page.
const MAX_LABEL: usize = 120;
/// The most labels of one problem.
const MAX_LABELS: usize = 8;

/// Something about a file of the project that a person should know: an error or a warning, with
/// the lines it is about. It prints safely whatever the file holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    finding: Box<Finding>,
    place: Place,
    labels: Vec<Label>,
    related: Vec<Problem>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    // A file or folder whose text is not known.
    Path(String),
    Source(Source),
}

/// A part of the file and what is to be said of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// Exactly the part.
    pub span: Span,
    /// A few words.
    pub text: String,
}

impl Problem {
    /// About a file whose text is known.
    pub fn new(finding: Finding, source: &Source) -> Self {
        Self::at(finding, Place::Source(source.clone()))
    }

    /// About a file or folder as such; `path` is relative to the root.
    pub fn about(finding: Finding, path: &str) -> Self {
        Self::at(finding, Place::Path(escaped(path)))
    }

    fn at(finding: Finding, place: Place) -> Self {
        Self {
            finding: Box::new(finding),
            place,
            labels: Vec::new(),
            related: Vec::new(),
        }
    }

    /// Points at a part of the file. The first label is the problem's place.
    #[must_use]
    pub fn label(mut self, span: Span, text: impl Into<String>) -> Self {
        if self.labels.len() < MAX_LABELS {
            let text = text.into();
            self.labels.push(Label { span, text });
        }
        self
    }

    /// Shows another place with it.
    #[must_use]
    pub fn with(mut self, related: Self) -> Self {
        self.related.push(related);
        self
    }

    /// The same, with the lines that it is about, or without: then it says which they are.
    #[must_use]
    pub fn quoting(mut self, quoted: bool) -> Self {
        if !quoted {
            withhold(&mut self.finding);
        }
        if let Place::Source(source) = &mut self.place {
            *source = source.clone().quoting(quoted);
        }
        let related = std::mem::take(&mut self.related).into_iter();
        self.related = related.map(|problem| problem.quoting(quoted)).collect();
        self
    }

    fn quoted(&self) -> Option<&Source> {
        match &self.place {
            Place::Source(source) if source.is_quoted() && !self.labels.is_empty() => Some(source),
            _ => None,
        }
    }

    /// What is wrong.
    pub fn finding(&self) -> &Finding {
        &self.finding
    }

    /// The file, relative to the project root, with `/`; safe to print.
    pub fn file(&self) -> &str {
        match &self.place {
            Place::Path(path) => path,
            Place::Source(source) => source.name(),
        }
    }

    /// The parts it points at; the first is the main one.
    pub fn places(&self) -> &[Label] {
        &self.labels
    }

    /// Line and column of the first label, both from 1, the column in characters.
    pub fn position(&self) -> Option<(u32, u32)> {
        self.range().map(|(start, _)| start)
    }

    /// Where the first label starts and where it ends (the first character after it).
    pub fn range(&self) -> Option<((u32, u32), (u32, u32))> {
        let (Place::Source(source), Some(label)) = (&self.place, self.labels.first()) else {
            return None;
        };
        let Span { start, end } = label.span;
        Some((source.position(start), source.position(end)))
    }

    /// Whether nothing can be planned because of it.
    pub fn is_error(&self) -> bool {
        self.finding.severity().is_none_or(|s| s == Severity::Error)
    }

    /// The same as an error, if it is a key that may be meant for a gate, or a rule for a type that is misspelt:
    /// none is passed by a slip.
    pub fn of_gate(&self) -> Option<Self> {
        let message = match &*self.finding {
            Finding::UnknownSetting {
                key,
                help,
                gate: true,
            } => format!(
                "`{key}` is not a setting, so what it forbids or who has to approve is not known; {help}"
            ),
            Finding::TypeSlip {
                found,
                meant,
                gate: true,
            } => format!(
                "`{found}` is not a connector type, so a rule for it forbids nothing; did you mean `{meant}`?"
            ),
            _ => return None,
        };
        let finding = Finding::Setting { message };
        let mut problem = self.clone();
        problem.finding = Box::new(finding);
        for label in &mut problem.labels {
            "here".clone_into(&mut label.text);
        }
        Some(problem)
    }

    /// What of it stands in plans, JSON and annotations.
    pub fn to_diagnostic(&self) -> model::Diagnostic {
        let position = self.position();
        model::Diagnostic {
            severity: if self.is_error() {
                model::Severity::Error
            } else {
                model::Severity::Warning
            },
            code: self.code().map(|c| c.to_string()).unwrap_or_default(),
            message: self.finding.to_string(),
            file: Some(self.file().to_owned()),
            line: position.map(|(line, _)| line),
            column: position.map(|(_, column)| column),
            help: self.help().map(|h| h.to_string()),
        }
    }

    /// What is underlined: within one line, and not too much of it.
    fn shown(source: &Source, span: &Span) -> Span {
        let text = source.shown();
        let start = text.floor_char_boundary(span.start);
        let rest = text.get(start..).unwrap_or_default();
        let line = rest.find(['\n', '\r']).unwrap_or(rest.len());
        let wanted = span.end.saturating_sub(start).min(line).min(MAX_LABEL);
        start..text.floor_char_boundary(start + wanted)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // With a source, the excerpt shows the file's name above its lines.
        match (self.quoted(), self.position()) {
            (Some(_), _) => self.finding.fmt(f),
            (None, Some((line, _))) => write!(f, "{}:{line}: {}", self.file(), self.finding),
            (None, None) => write!(f, "{}: {}", self.file(), self.finding),
        }
    }
}

impl std::error::Error for Problem {}

impl Diagnostic for Problem {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.finding.code()
    }

    fn severity(&self) -> Option<Severity> {
        self.finding.severity()
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.finding.help()
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.quoted().map(|source| source as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let source = self.quoted()?;
        let labels = self.labels.iter().enumerate().map(|(index, label)| {
            let span = Self::shown(source, &label.span);
            let (text, span) = (Some(label.text.clone()), (span.start, span.len()));
            if index == 0 {
                LabeledSpan::new_primary_with_span(text, span)
            } else {
                LabeledSpan::new_with_span(text, span)
            }
        });
        Some(Box::new(labels))
    }

    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Diagnostic> + 'a>> {
        if self.related.is_empty() {
            return None;
        }
        let related = self.related.iter().map(|p| p as &dyn Diagnostic);
        Some(Box::new(related))
    }
}

/// What may stand in any file is not quoted of one whose lines are not shown. A file with a connector's scopes is a
/// connector's.
fn withhold(finding: &mut Finding) {
    match finding {
        Finding::Syntax { what, .. } => {
            // What the parser found there is a part of the line.
            what.truncate(what.find(", found `").unwrap_or(what.len()));
            if what.starts_with('`')
                && let Some((_, not)) = what.rsplit_once("` is not ")
            {
                *what = format!("what stands here is not {not}");
            }
        }
        // Only a file that a link led to has such a finding and no lines to show.
        Finding::Setting { message } => {
            "a setting is not as it has to be: a link leads there, so what is wrong is not shown"
                .clone_into(message);
        }
        Finding::InvalidType { text: quoted, .. }
        | Finding::UnknownKey { key: quoted, .. }
        | Finding::DuplicateKey { key: quoted }
        | Finding::ValueNotAString { key: quoted, .. }
        | Finding::MisspeltKey { key: quoted, .. }
        | Finding::UnknownSetting { key: quoted, .. } => *quoted = Quoted::new("..."),
        _ => {}
    }
}

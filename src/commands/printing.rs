//! A plan or a receipt in the format that was asked for.

use std::path::{Path, PathBuf};

use clap::Args;
use jiff::Timestamp;
use url::Url;

use crate::{
    approval::Missing,
    context::{Context, Format},
    model::{self, App, Vars},
    ops,
    plan::{Digest, Plan},
    policy::Violation,
    receipt::Receipt,
    view::{
        NextCommand, Theme, markdown,
        report::{PlanReport, ReceiptReport, WaitingReport},
        text, unified,
    },
};

/// How Markdown is made.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Markdown")]
pub struct MarkdownArgs {
    /// Cut the details so that no more than N bytes are printed [default: 65536]
    #[arg(long, value_name = "N")]
    pub max_bytes: Option<usize>,
    /// A page that has the whole, named where something was cut out
    #[arg(long, value_name = "URL", hide_short_help = true)]
    pub whole_url: Option<Url>,
}

impl MarkdownArgs {
    pub(super) fn options(
        &self,
        file: Option<String>,
        show_accounts: bool,
        vars: &Vars,
    ) -> markdown::Options {
        let defaults = markdown::Options::default();
        markdown::Options {
            max_bytes: self.max_bytes.unwrap_or(defaults.max_bytes),
            show_accounts,
            file,
            whole: self.whole_url.clone(),
            forge: model::forge_of(vars).and_then(|forge| Url::parse(&forge).ok()),
        }
    }
}

/// What surrounds a document that is printed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Printing<'a> {
    pub(super) format: Format,
    pub(super) file: Option<&'a Path>,
    pub(super) markdown: &'a MarkdownArgs,
    pub(super) theme: Theme,
    /// `--show-accounts`.
    pub(super) show_accounts: bool,
    /// Whether the findings were said already, each with its line.
    pub(super) said: bool,
    /// The time, for plans that expire.
    pub(super) now: Timestamp,
    /// What approval the plan lacks.
    pub(super) missing: Option<Missing>,
    /// What of it waits already.
    pub(super) waiting: &'a [WaitingReport],
    /// The rules that it breaks and may break.
    pub(super) violations: &'a [Violation],
    /// The process's variables.
    pub(super) vars: &'a Vars,
}

impl<'a> Printing<'a> {
    /// For standard output.
    pub(super) fn out(context: &'a Context, format: Format, markdown: &'a MarkdownArgs) -> Self {
        let theme = Theme::new(context.terminal.color_stdout());
        Self {
            format,
            file: None,
            markdown,
            theme,
            show_accounts: context.globals.show_accounts,
            said: false,
            now: context.now(),
            missing: None,
            waiting: &[],
            violations: &[],
            vars: &context.vars,
        }
    }

    /// For a plan that was made just now.
    pub(super) fn fresh(self) -> Self {
        Self { said: true, ..self }
    }

    pub(super) fn of_file(self, file: Option<&'a PathBuf>) -> Self {
        // Standard input has no name that a command could take again.
        let file = file
            .map(PathBuf::as_path)
            .filter(|file| *file != Path::new("-"));
        Self { file, ..self }
    }

    fn file(&self) -> Option<String> {
        self.file.map(|file| file.display().to_string())
    }

    fn markdown(&self) -> markdown::Options {
        self.markdown
            .options(self.file(), self.show_accounts, self.vars)
    }

    pub(super) fn plan(&self, plan: &Plan, digest: &Digest) -> String {
        let mut report = PlanReport::new(plan, digest);
        report.approval_missing = self.missing;
        report.expired = plan.expires_at.is_some_and(|end| end <= self.now);
        report.waiting = self.waiting.to_vec();
        report.violations = self.violations.to_vec();
        if self.said && self.format == Format::Text {
            // The files' problems were, with the lines that they are about.
            report.diagnostics.retain(ops::policy::is_about);
        }
        match self.format {
            Format::Json => report.to_json(),
            Format::Markdown => markdown::plan(&report, &self.markdown()),
            Format::Diff => unified::diff(&report),
            Format::Text | Format::Github | Format::Sarif => {
                let file = self.file();
                let options = text::PlanOptions {
                    file: file.as_deref(),
                };
                text::plan(&report, &options, self.theme)
            }
        }
    }

    pub(super) fn receipt(&self, receipt: &Receipt, digest: &Digest) -> String {
        let report = ReceiptReport::new(receipt, digest);
        match self.format {
            Format::Json => report.to_json(),
            Format::Markdown => markdown::receipt(&report, &self.markdown()),
            Format::Text | Format::Diff | Format::Github | Format::Sarif => {
                let file = self.file();
                let options = text::ReceiptOptions {
                    file: file.as_deref(),
                };
                text::receipt(&report, &options, self.theme)
            }
        }
    }
}

/// What is to be done with a document is done where it was made for, and so are the commands that are
/// printed for it.
pub(super) fn made_for(context: &Context, app: &App) {
    let here = context.project(None).ok();
    let here = here.and_then(|project| project.app().ok());
    let same = here.is_some_and(|here| here.id == app.id);
    NextCommand {
        env: app.environment.clone(),
        app_id: (app.environment.is_none() && !same).then(|| app.id.to_string()),
        ..NextCommand::default()
    }
    .remember_for_document();
}

/// A file's name for messages.
pub(super) fn file_name(path: &Path) -> String {
    crate::escape::limited(&path.display().to_string(), 200)
}

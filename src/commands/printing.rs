//! What commands that print a saved document have in common.

use std::path::Path;

use clap::Args;
use url::Url;

use crate::{
    context::Context,
    model::{self, App},
    view::{NextCommand, markdown},
};

/// How Markdown is made.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Markdown")]
pub struct MarkdownArgs {
    /// Cut the details so that no more than N bytes are printed [default: 65536]
    #[arg(long, value_name = "N")]
    pub max_bytes: Option<usize>,
    /// Link to the full plan, shown where details were cut
    #[arg(long, value_name = "URL", hide_short_help = true)]
    pub whole_url: Option<Url>,
}

impl MarkdownArgs {
    /// As these say, of the document in this file.
    pub(super) fn options(&self, file: Option<&Path>, context: &Context) -> markdown::Options {
        let defaults = markdown::Options::default();
        // Standard input has no name that a command could take again.
        let file = file.filter(|file| *file != Path::new("-"));
        markdown::Options {
            max_bytes: self.max_bytes.unwrap_or(defaults.max_bytes),
            show_accounts: context.globals.show_accounts,
            file: file.map(|file| file.display().to_string()),
            folder: context.folder_in_repository(),
            whole: self.whole_url.clone(),
            next: context.next().clone(),
            repository: model::repository_of(&context.vars)
                .and_then(|repository| Url::parse(&repository).ok()),
        }
    }
}

/// What is to be done with a document is done where it was made for, and so are the commands that are
/// printed for it.
pub(super) fn made_for<'a>(context: &'a Context, app: &App) -> &'a NextCommand {
    let here = context.project(None).ok();
    let here = here.and_then(|project| project.app().ok());
    let same = here.is_some_and(|here| here.id == app.id);
    let app_id = (app.environment.is_none() && !same).then(|| app.id.to_string());
    context.go_on_for(app.environment.clone(), app_id)
}

/// A file's name for messages.
pub(super) fn file_name(path: &Path) -> String {
    crate::escape::limited(&path.display().to_string(), 200)
}

//! How `apply` is told of approvals.

use std::{
    num::NonZeroU16,
    path::{Path, PathBuf},
};

use clap::Args;

use crate::{
    approval::Missing,
    ops::Shown,
    view::{self, shell_word},
};

/// How an apply shows that its plan was approved.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Approval")]
pub struct ApprovalArgs {
    /// SSH signatures of the digest, as `connplan approve` makes them
    #[arg(
        long, value_name = "FILE", num_args = 1.., value_hint = clap::ValueHint::FilePath
    )]
    pub approved_by: Vec<PathBuf>,
    /// Require N approvals in the pull or merge request [default: 1]
    ///
    /// Of the request that this commit came from.
    #[arg(
        long, value_name = "N", num_args = 0..=1, require_equals = true, default_missing_value = "1"
    )]
    pub approved_in_review: Option<NonZeroU16>,
}

impl ApprovalArgs {
    /// The same for an op; `file` is the plan's, where it is in one.
    pub(super) fn shown<'a>(&'a self, file: Option<&'a Path>) -> Shown<'a> {
        Shown {
            signatures: &self.approved_by,
            reviews: self.approved_in_review,
            ways: Box::new(move |missing, is_shared| self.ways(missing, file, is_shared)),
        }
    }

    /// The command that gets what is missing.
    fn ways(&self, missing: &Missing, file: Option<&Path>, is_shared: bool) -> String {
        let plan = file.map(|file| file.display().to_string());
        let mut given = String::new();
        for file in &self.approved_by {
            given.extend([" ", &shell_word(&file.display().to_string())]);
        }
        view::approval::ways(missing, plan.as_deref(), &given, is_shared)
    }
}

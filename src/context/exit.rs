//! How a run ends: codes that scripts rely on.

use std::process::ExitCode;

use miette::{Diagnostic, Report};

use crate::{approval::ApprovalError, plan::Refusal, policy::Forbidden};

/// Exit codes. Their meaning never changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitStatus {
    /// 0: done.
    Done,
    /// 1: an error; nothing was changed unless the message says what was.
    Error,
    /// 2: there are changes or drift (`drift`; `plan`, `status` with `--detailed-exitcode`).
    Changes,
    /// 3: the plan is stale, altered, speculative, for another app, or not the approved one.
    Refused,
    /// 4: authorizations are still pending.
    Pending,
    /// 5: some changes were carried out and others failed.
    Partial,
    /// 6: a policy forbids the plan.
    Policy,
    /// 129: the terminal went away.
    HungUp,
    /// 130: Ctrl-C.
    Interrupted,
    /// 143: SIGTERM.
    Terminated,
}

impl ExitStatus {
    /// The number that the shell sees.
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Error => 1,
            Self::Changes => 2,
            Self::Refused => 3,
            Self::Pending => 4,
            Self::Partial => 5,
            Self::Policy => 6,
            Self::HungUp => 129,
            Self::Interrupted => 130,
            Self::Terminated => 143,
        }
    }
}

impl From<ExitStatus> for ExitCode {
    fn from(status: ExitStatus) -> Self {
        Self::from(status.code())
    }
}

/// An error on its way to the user, with the code it ends the run with.
#[derive(Debug)]
pub struct Failure {
    /// How the run ends.
    pub status: ExitStatus,
    /// What is said.
    pub report: Report,
}

impl Failure {
    /// An error that ends the run with another code than 1.
    pub fn new(status: ExitStatus, error: impl Diagnostic + Send + Sync + 'static) -> Self {
        Self {
            status,
            report: Report::new(error),
        }
    }

    /// What happened and the way out, as one clause: where it does not end the run.
    pub fn told(&self) -> String {
        match self.report.help() {
            Some(help) => format!("{}; {help}", self.report),
            None => self.report.to_string(),
        }
    }
}

/// Every error ends the run with 1, except those that have a code of their own.
impl<E: Diagnostic + Send + Sync + 'static> From<E> for Failure {
    fn from(error: E) -> Self {
        let any: &dyn std::any::Any = &error;
        let status = if any.is::<Refusal>() || any.is::<ApprovalError>() {
            ExitStatus::Refused
        } else if any.is::<Forbidden>() {
            ExitStatus::Policy
        } else {
            ExitStatus::Error
        };
        Self::new(status, error)
    }
}

//! How a run ends: codes that scripts rely on.

use std::process::ExitCode;

use miette::{Diagnostic, Report};

use crate::plan::{PlanError, Refusal, policy::Forbidden};

/// Exit codes. Their meaning never changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitStatus {
    /// 0: done.
    Done,
    /// 1: an error; nothing was changed unless the message says what was.
    Error,
    /// 2: there are changes (`plan --detailed-exitcode`).
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
}

/// A refused plan is told apart from an error in every other room's types.
impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::new(ExitStatus::Refused, refusal)
    }
}

/// A policy's no has a code of its own.
impl From<Forbidden> for Failure {
    fn from(forbidden: Forbidden) -> Self {
        Self::new(ExitStatus::Policy, forbidden)
    }
}

macro_rules! plain_errors {
    ($($error:ty),+ $(,)?) => {
        $(impl From<$error> for Failure {
            fn from(error: $error) -> Self {
                Self::new(ExitStatus::Error, error)
            }
        })+
    };
}

plain_errors!(
    PlanError,
    super::UsageError,
    super::EncodeError,
    crate::apply::journal::JournalError,
    crate::config::ConfigError,
    crate::fs::FsError,
    crate::fs::LockError,
    crate::pending::PendingError,
    crate::edit::EditError,
    crate::edit::pull::PullError,
    crate::commands::pull::Halfway,
    crate::remote::auth::AuthError,
    crate::remote::login::LoginError,
    crate::remote_state::SnapshotError,
    crate::sandbox::SandboxError,
    crate::commands::demo::DemoError,
    crate::view::problems::Invalid,
    crate::remote::RemoteError,
);

impl From<toml::ser::Error> for Failure {
    fn from(error: toml::ser::Error) -> Self {
        super::EncodeError(error.to_string()).into()
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        super::EncodeError(error.to_string()).into()
    }
}

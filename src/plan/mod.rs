//! The plan: built from a comparison, saved, read again, verified. Pure: files are read and
//! written elsewhere.
//!
//! Three shapes of one thing, kept apart so that each can change alone: [`Plan`] is what the
//! program thinks with, [`document`] is the file, `view::report` is what is shown and published.

mod build;
mod check;
mod difference;
mod digest;
pub mod document;
mod drift;
pub(crate) mod envelope;
mod error;
mod seal;
mod verify;

pub use build::{Folder, Guards, Inputs, build};
pub use difference::difference;
pub use digest::{Digest, DigestError};
pub use drift::Drift;
pub use error::{EncodeError, PlanError, Refusal};
pub(crate) use seal::{Meaning, Sealer};
pub(crate) use verify::field_differences;
pub use verify::{Progress, Verified, belongs, verify};

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    diff::{Action, Change, ConsentNeed},
    escape,
    model::{
        Account, App, ConnectorType, Diagnostic, ExpectedAccount, Origin, RemoteConnector,
        Severity, map_of,
    },
};

/// Said of connection values that are declared, where nobody knows whether the app has others.
pub const UNCOMPARED: &str = "connplan::plan::values_not_compared";

/// Said of what waits by another plan's word and this one does not want: an apply of all ends it.
pub const WITHDRAWN: &str = "connplan::plan::withdrawn";

/// That a plan withdraws what that one asked for. An apply ends nothing of which its plan does not say just this.
pub fn withdrawal(connector: &ConnectorType, by: &Digest) -> Diagnostic {
    Diagnostic {
        severity: Severity::Warning,
        code: WITHDRAWN.to_owned(),
        message: format!(
            "withdrawn: {connector}, asked for by plan {by}: once this plan is applied, nobody is asked for it"
        ),
        file: None,
        line: None,
        column: None,
        help: None,
    }
}

/// The changes that make the remote as the files declare it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Made from a snapshot instead of the live remote: for reading, never for applying.
    pub speculative: bool,
    /// The app, and what changes in it. Several apps are several plans.
    pub app: AppPlan,
    /// After this, no apply takes it.
    pub expires_at: Option<Timestamp>,
    /// Where it was made. No part of its meaning.
    pub origin: Option<Origin>,
    /// The rules that it breaks with somebody's consent.
    pub overrides: Vec<Override>,
    /// What was found in the files while planning.
    pub diagnostics: Vec<Diagnostic>,
}

/// A rule that a plan may break, and why.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Override {
    /// The rule's name.
    pub rule: String,
    /// Why it may. Untrusted text.
    pub reason: String,
}

/// Overrides as what is kept of them with what waits: the reasons by their rules.
pub fn by_rule(overrides: &[Override]) -> BTreeMap<String, String> {
    let pairs = overrides.iter();
    map_of(pairs.map(|by| (by.rule.clone(), by.reason.clone())))
}

impl Override {
    /// That it breaks a rule, and why. Escaped.
    pub fn said(&self) -> String {
        let rule = escape::limited(&self.rule, 80);
        let reason = escape::limited(&self.reason, 300);
        format!("the policy's rule {rule} is overridden: {reason}")
    }
}

/// The part of a plan that concerns the app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppPlan {
    /// The app and its address.
    pub app: App,
    /// In order of connector name, no-ops included.
    pub changes: Vec<Change>,
    /// Remote connectors without a file that are left alone.
    pub unmanaged: BTreeMap<ConnectorType, RemoteConnector>,
    /// Remote connectors that `--target` left out of sight.
    pub untargeted: BTreeMap<ConnectorType, RemoteConnector>,
    /// Declared connectors that the remote lacks and that `--target` left out of sight.
    pub untargeted_new: BTreeSet<ConnectorType>,
}

impl AppPlan {
    /// Every connector that the remote had when this was planned.
    pub fn observed(&self) -> BTreeMap<ConnectorType, RemoteConnector> {
        let changed = self.changes.iter().filter_map(|change| {
            change
                .before
                .as_ref()
                .map(|before| (&change.connector, before))
        });
        let all = changed.chain(&self.unmanaged).chain(&self.untargeted);
        map_of(all.map(|(connector, state)| (connector.clone(), state.clone())))
    }
}

#[cfg(test)]
impl Plan {
    /// One of an app of which nothing else is known.
    pub(crate) fn of(changes: Vec<Change>) -> Self {
        let app = App {
            id: crate::model::AppId::parse("app-1").expect("it is one"),
            api_url: crate::model::ApiUrl::default(),
            environment: None,
        };
        Self {
            speculative: false,
            app: AppPlan {
                app,
                changes,
                unmanaged: BTreeMap::new(),
                untargeted: BTreeMap::new(),
                untargeted_new: BTreeSet::new(),
            },
            expires_at: None,
            origin: None,
            overrides: Vec::new(),
            diagnostics: Vec::new(),
        }
    }
}

impl Plan {
    /// Every change.
    pub fn changes(&self) -> impl Iterator<Item = &Change> {
        self.app.changes.iter()
    }

    /// The connection values that its changes lead to.
    pub fn values(&self) -> impl Iterator<Item = (&ConnectorType, &BTreeMap<String, String>)> {
        self.changes().filter_map(Change::values)
    }

    /// The plan as it is saved for others: of accounts only the masked form and a digest, in what is
    /// said of it too.
    #[must_use]
    pub fn masked(&self) -> Self {
        let app = self.app.app.id.clone();
        let mut plan = self.clone().with_accounts(
            |account| account.to_masked(&app),
            |account| account.to_masked(&app),
        );
        plan.diagnostics = plan.masked_diagnostics();
        plan
    }

    fn masked_diagnostics(&self) -> Vec<Diagnostic> {
        let mask = |text: &mut String| *text = escape::mask_accounts(text).into_owned();
        let mut diagnostics = self.diagnostics.clone();
        for diagnostic in &mut diagnostics {
            mask(&mut diagnostic.message);
            diagnostic.help.iter_mut().for_each(mask);
        }
        diagnostics
    }

    /// A plan that was read: its accounts are told which app they are of.
    fn salted(self) -> Self {
        let app = self.app.app.id.clone();
        self.with_accounts(
            |account| account.clone().salted(&app),
            |account| account.clone().salted(&app),
        )
    }

    fn with_accounts(
        mut self,
        held: impl Fn(&Account) -> Account,
        expected: impl Fn(&ExpectedAccount) -> ExpectedAccount,
    ) -> Self {
        for change in &mut self.app.changes {
            change.map_accounts(&held, &expected);
        }
        let kept = self.app.unmanaged.values_mut();
        for state in kept.chain(self.app.untargeted.values_mut()) {
            state.map_account(&held);
        }
        self
    }

    /// The counts that a reader wants first.
    pub fn summary(&self) -> Summary {
        let mut summary = Summary::default();
        for change in self.changes() {
            let count = match change.action {
                Action::Create => &mut summary.create,
                Action::Update => &mut summary.update,
                Action::Reauthorize => &mut summary.reauthorize,
                Action::Delete => &mut summary.delete,
                Action::NoOp => &mut summary.no_op,
            };
            *count += 1;
            summary.authorize += usize::from(change.authorization == ConsentNeed::Required);
        }
        summary
    }

    /// Whether it is of all that the files and the app have, and not of a part (`--target`). `keeps`: whether what no
    /// file declares is to stay.
    pub fn is_whole(&self, keeps: bool) -> bool {
        let app = &self.app;
        let is_kept = app.unmanaged.is_empty() || keeps;
        app.untargeted.is_empty() && app.untargeted_new.is_empty() && is_kept
    }

    /// Whether it withdraws anything.
    pub fn withdraws(&self) -> bool {
        self.diagnostics.iter().any(|said| said.code == WITHDRAWN)
    }

    /// Whether it withdraws what that plan asked for.
    pub fn withdraws_of(&self, connector: &ConnectorType, by: &Digest) -> bool {
        self.diagnostics.contains(&withdrawal(connector, by))
    }

    /// Whether anything would be written.
    pub fn has_changes(&self) -> bool {
        self.changes().any(|change| change.action != Action::NoOp)
    }
}

/// How many changes of each kind a plan holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Summary {
    /// New connectors.
    pub create: usize,
    /// Connectors whose scopes change.
    pub update: usize,
    /// Connectors whose scopes agree and that need a new consent.
    pub reauthorize: usize,
    /// Connectors that go, with their tokens.
    pub delete: usize,
    /// Connectors that stay as they are.
    pub no_op: usize,
    /// Changes that surely need a person.
    pub authorize: usize,
}

//! A receipt that was brought along from another machine, and how far its word goes.

use jiff::Timestamp;

use crate::{
    config::Project,
    context::UsageError,
    model::Terms,
    pending::PendingSet,
    plan::{Digest, Refusal},
    receipt::{ChangeResult, Receipt, Saved},
};

/// A receipt that the command line names.
#[derive(Clone, Debug)]
pub struct Brought {
    /// The receipt.
    pub saved: Saved,
    /// Whether somebody gave its digest.
    is_expected: bool,
}

impl Brought {
    /// Takes it, if it is the one that is expected.
    pub fn of(mut saved: Saved, expected: Option<&Digest>) -> Result<Self, Refusal> {
        let is_expected = expected.is_some();
        match expected {
            Some(expected) if *expected != saved.digest => {
                return Err(Refusal::OtherReceipt {
                    of_plan: *expected == saved.receipt.plan_digest,
                    expected: expected.clone(),
                    actual: saved.digest,
                });
            }
            Some(_) => {}
            // Anybody may have written that a rule may be broken, or that somebody approved it.
            None => {
                saved.receipt.overrides.clear();
                saved.receipt.approvals.clear();
            }
        }
        Ok(Self { saved, is_expected })
    }

    /// A forged receipt would ask for any scope of any app of the login. In a project the files
    /// stand against that; elsewhere its digest has to.
    pub fn check(&self, project: &Project) -> Result<(), UsageError> {
        if self.is_expected || project.config_file.is_some() {
            return Ok(());
        }
        Err(UsageError::with_help(
            "outside a project, no connector file confirms what a receipt asks for",
            format!(
                "give `--expect-digest` with the digest that `connplan apply` printed; this \
                 receipt's is {}",
                self.saved.digest
            ),
        ))
    }

    /// The receipt, when it was made, and whether somebody gave its digest.
    pub fn receipt(&self) -> (&Receipt, Option<Timestamp>, bool) {
        // Only for showing: the digest does not cover it.
        let made = self.saved.created_at.as_ref();
        let made = made.and_then(|text| text.parse().ok());
        (&self.saved.receipt, made, self.is_expected)
    }

    /// What it says that nothing else does: not its digest, and not this machine or its team.
    pub(super) fn unproved<'a>(
        &'a self,
        known: &'a PendingSet,
    ) -> impl Iterator<Item = &'a ChangeResult> {
        let receipt = &self.saved.receipt;
        let results = receipt.results().filter(|_| !self.is_expected);
        results.filter(|result| {
            let known = known.get(&receipt.app, &result.connector);
            !known.is_some_and(|known| {
                let asked = Terms {
                    values: &result.connection_config,
                    account: result.account.as_ref(),
                };
                known.scopes == result.scopes && known.terms() == asked
            })
        })
    }
}

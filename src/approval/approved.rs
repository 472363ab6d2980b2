//! What an apply needs beside a plan that holds.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{Approval, FromRisk, Missing, Need};
use crate::plan::Digest;

/// A plan that has the approval that it needs, which may be none. Only [`Approved::check`] makes
/// one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approved {
    digest: Digest,
    approvals: Vec<Approval>,
    /// What this plan needed them for.
    needs: Vec<Need>,
}

/// A plan that lacks approval.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotApproved {
    /// What is missing.
    pub missing: Missing,
}

impl Approved {
    /// Holds approvals against every set of settings that binds. `risk` is the plan's own; `None`
    /// where it changes nothing, which needs nobody's approval. Approvals of another plan count for
    /// nothing.
    pub fn check(
        digest: &Digest,
        risk: Option<FromRisk>,
        needs: &[Need],
        mut approvals: Vec<Approval>,
    ) -> Result<Self, NotApproved> {
        approvals.retain(|approval| approval.digest == *digest);
        let needs = needs
            .iter()
            .filter(|n| risk.is_some_and(|risk| n.concerns(risk)));
        let needs: Vec<_> = needs.copied().collect();
        if let Some(missing) = needs.iter().find_map(|need| need.missing(&approvals)) {
            return Err(NotApproved { missing });
        }
        Ok(Self {
            digest: digest.clone(),
            approvals,
            needs,
        })
    }

    /// Whether it needed any.
    pub fn was_needed(&self) -> bool {
        !self.needs.is_empty()
    }

    /// Whether those are enough that were given since then, by their own word or with one of these keys.
    pub fn since(&self, then: Timestamp, keys: &BTreeSet<String>) -> Result<(), Missing> {
        let anew = |approval: &&Approval| {
            let signed = approval.by.as_ref().is_some_and(|key| keys.contains(key));
            signed || approval.at.is_some_and(|at| at > then)
        };
        let anew: Vec<_> = self.approvals.iter().filter(anew).cloned().collect();
        let missing = self.needs.iter().find_map(|need| need.missing(&anew));
        missing.map_or(Ok(()), Err)
    }

    /// Whether it is this plan that was approved.
    pub fn is_for(&self, digest: &Digest) -> bool {
        self.digest == *digest
    }

    /// The plan.
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// By whom.
    pub fn approvals(&self) -> &[Approval] {
        &self.approvals
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::approval::{Proof, Requirement, person::Person};

    fn digest(hex: &str) -> Digest {
        Digest::parse(&hex.repeat(32)).unwrap()
    }

    fn signed(digest: Digest) -> Approval {
        Approval {
            signer: "ann".to_owned(),
            digest,
            proof: Proof::Signature,
            by: Some("k".to_owned()),
            at: None,
            until: None,
            person: Person::named("ann"),
        }
    }

    #[test]
    fn an_approval_is_of_one_plan_and_every_setting_counts() {
        let need = |require, from_risk| Need {
            require,
            count: 1,
            from_risk,
            signers: true,
        };
        let signature = need(Requirement::Signature, FromRisk::None);
        let review = need(Requirement::Review, FromRisk::Danger);
        let (this, other) = (digest("ab"), digest("cd"));
        let check = |risk, needs: &[Need], of: &Digest| {
            Approved::check(&this, risk, needs, vec![signed(of.clone())]).is_ok()
        };
        let write = Some(FromRisk::Write);
        assert!(check(write, &[signature], &this));
        assert!(!check(write, &[signature], &other));
        assert!(check(None, &[signature], &other));
        assert!(check(write, &[signature, review], &this));
        assert!(!check(Some(FromRisk::Danger), &[signature, review], &this));
        let approved =
            Approved::check(&this, write, &[signature], vec![signed(this.clone())]).unwrap();
        let since = |keys: &[&str]| {
            let keys = keys.iter().map(|key| (*key).to_owned()).collect();
            approved.since(Timestamp::UNIX_EPOCH, &keys).is_ok()
        };
        assert!(approved.was_needed() && since(&["k"]) && !since(&["other"]));
        // What says itself when it was given counts from the next moment on.
        let given = |at: i64| {
            let at = Timestamp::from_second(at).ok();
            let dated = Approval {
                at,
                ..signed(this.clone())
            };
            let approved = Approved::check(&this, write, &[signature], vec![dated]).unwrap();
            let then = Timestamp::from_second(5).unwrap();
            approved.since(then, &BTreeSet::new()).is_ok()
        };
        assert_eq!([4, 5, 6].map(given), [false, false, true]);
        let approved = Approved::check(&this, write, &[review], vec![]).unwrap();
        assert!(!approved.was_needed());
        assert!(approved.is_for(&this) && !approved.is_for(&other));
    }
}

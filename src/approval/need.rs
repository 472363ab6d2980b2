//! How much approval a plan needs, and what is missing.

use std::fmt;

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Approval, Proof, person::at_least};
use crate::{
    diff::{Action, Change},
    plan::Plan,
    risk::{self, Level, RiskKind},
};

/// Which kinds of approval count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Requirement {
    /// Approving reviews on the forge.
    Review,
    /// Signatures.
    Signature,
    /// Both count.
    Either,
}

impl Requirement {
    fn takes(self, proof: Proof) -> bool {
        match (self, proof) {
            (Self::Either, Proof::Review | Proof::Signature)
            | (Self::Review, Proof::Review)
            | (Self::Signature, Proof::Signature) => true,
            (Self::Review, Proof::Signature) | (Self::Signature, Proof::Review) => false,
        }
    }

    /// Whether it takes a proof that `base` does not take.
    fn takes_more_than(self, base: Self) -> bool {
        let more = |proof: &Proof| self.takes(*proof) && !base.takes(*proof);
        Proof::ALL.iter().any(more)
    }
}

/// From which risk on a plan needs approval.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum FromRisk {
    /// Every plan that changes anything.
    #[default]
    None,
    /// Plans that give write access or more, or of which it is not known, and plans that take
    /// something away. What does not work gets all its scopes anew.
    Write,
    /// Plans that endanger something.
    Danger,
}

impl FromRisk {
    /// How risky a plan is. What is not known counts as write access, or as a danger where its name says that it reaches everything; a rule that is broken on purpose
    /// is a danger.
    pub fn of(plan: &Plan) -> Self {
        if !plan.overrides.is_empty() {
            return Self::Danger;
        }
        let changes = plan.changes().filter(|c| c.action != Action::NoOp);
        changes.map(Self::of_change).max().unwrap_or_default()
    }

    /// How risky one change is.
    pub fn of_change(change: &Change) -> Self {
        let of = |level: Level| match level {
            Level::Danger => Self::Danger,
            Level::Warning => Self::Write,
            Level::Notice => Self::None,
        };
        let told = risk::assess(change)
            .into_iter()
            .map(|risk| match risk.kind {
                RiskKind::Unknown => of(risk.level).max(Self::Write),
                _ => of(risk.level),
            });
        // Of values that nobody can tell, any may be another.
        let hides = change.action != Action::NoOp && change.hides_values();
        let unknown = hides.then_some(Self::Danger);
        let told = told.chain(risk::unshown(change).map(of)).chain(unknown);
        told.max().unwrap_or_default()
    }
}

/// What one set of settings asks of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Need {
    /// What counts.
    pub require: Requirement,
    /// How many persons.
    pub count: usize,
    /// From which risk on.
    pub from_risk: FromRisk,
    /// Whether signatures count for it: not where its own settings let nobody sign.
    pub signers: bool,
}

impl Need {
    /// Whether less approval is demanded than by `base`.
    pub fn is_weaker_than(&self, base: &Self) -> bool {
        self.require.takes_more_than(base.require)
            || self.count < base.count
            || self.from_risk > base.from_risk
    }

    /// Whether a plan of this risk needs approval.
    pub fn concerns(&self, risk: FromRisk) -> bool {
        risk >= self.from_risk
    }

    /// Whether nothing counts for it: it asks for signatures, and nobody may sign.
    pub fn takes_nothing(&self) -> bool {
        self.require == Requirement::Signature && !self.signers
    }

    /// What is missing, if anything is. What may be one person's counts once. Proofs of two
    /// kinds, a review and a signature, may be one person's too: nobody can tell by the names.
    pub fn missing(&self, approvals: &[Approval]) -> Option<Missing> {
        let count = |proof: Proof| {
            let taken = self.require.takes(proof) && (self.signers || proof != Proof::Signature);
            let of = |found: &&Approval| found.proof == proof && taken;
            let persons: Vec<_> = approvals.iter().filter(of).map(|a| &a.person).collect();
            at_least(&persons)
        };
        let have = Proof::ALL.into_iter().map(count).max().unwrap_or_default();
        (have < self.count).then_some(Missing {
            require: self.require,
            count: self.count,
            have,
        })
    }
}

/// What is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Missing {
    /// What counts.
    pub require: Requirement,
    /// How many are needed.
    pub count: usize,
    /// How many there are.
    pub have: usize,
}

impl Missing {
    /// `1 signature needed`: what stays true whoever has given one meanwhile.
    pub fn needed(&self) -> String {
        let (one, many) = match self.require {
            Requirement::Review => ("approving review", "approving reviews"),
            Requirement::Signature => ("signature", "signatures"),
            Requirement::Either => (
                "approving review or signature",
                "approving reviews or signatures",
            ),
        };
        let what = if self.count == 1 { one } else { many };
        format!("{} {what} needed", self.count)
    }
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {} found", self.needed(), self.have)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        approval::person::Person,
        catalogue::ScopeEquivalence,
        diff::{Desired, between},
        model::{Account, ConnectorType, ExpectedAccount, RemoteConnector, RemoteStatus},
        plan::Digest,
    };

    fn by(signer: &str, proof: Proof, key: &str) -> Approval {
        Approval {
            signer: signer.to_owned(),
            digest: Digest::parse(&"ab".repeat(32)).unwrap(),
            proof,
            by: Some(key.to_owned()),
            at: None,
            until: None,
            person: Person::new([signer], key.to_owned()),
        }
    }

    fn need(require: Requirement, count: usize) -> Need {
        Need {
            require,
            count,
            from_risk: FromRisk::None,
            signers: true,
        }
    }

    #[test]
    fn one_person_and_one_key_count_once() {
        let (signature, review) = (Proof::Signature, Proof::Review);
        let two = need(Requirement::Either, 2);
        let ann = by("ann", signature, "k1");
        for (other, enough) in [
            (by("bob", signature, "k2"), true),
            (by("bob,ann@old", signature, "k2"), true),
            (by("bob,ann", signature, "k2"), false),
            (by("a*", signature, "k2"), false),
            (by("Ann", signature, "k2"), false),
            (by("bob", signature, "k1"), false),
            (by("bob", review, "r1"), false),
            (by("ann", review, "r1"), false),
        ] {
            let missing = two.missing(&[ann.clone(), other.clone()]);
            assert_eq!(missing.is_none(), enough, "{other:?}");
        }
    }

    #[test]
    fn one_more_signature_never_makes_them_fewer() {
        let signed = |names: &str, key: &str| by(names, Proof::Signature, key);
        let two = need(Requirement::Signature, 2);
        let all = [signed("*", "k3"), signed("ann", "k1"), signed("bob", "k2")];
        assert_eq!(two.missing(&all), None);
        assert_eq!(two.missing(&all[..2]).unwrap().have, 1);
    }

    #[test]
    fn only_what_is_required_counts() {
        let signed = [by("ann", Proof::Signature, "k")];
        assert_eq!(need(Requirement::Signature, 1).missing(&signed), None);
        assert_eq!(need(Requirement::Either, 1).missing(&signed), None);
        for require in [Requirement::Signature, Requirement::Either] {
            let nobody = Need {
                signers: false,
                ..need(require, 1)
            };
            assert!(nobody.missing(&signed).is_some(), "{require:?}");
            let reviewed = [by("ann", Proof::Review, "r")];
            assert_eq!(
                nobody.missing(&reviewed),
                need(require, 1).missing(&reviewed)
            );
        }
        let missing = need(Requirement::Review, 1).missing(&signed).unwrap();
        assert_eq!(missing.to_string(), "1 approving review needed, 0 found");
        assert!(need(Requirement::Review, 1).missing(&[]).is_some());
    }

    #[test]
    fn whatever_asks_for_less_is_weaker() {
        let base = need(Requirement::Signature, 2);
        let (fewer, either) = (
            need(Requirement::Signature, 1),
            need(Requirement::Either, 2),
        );
        let rarely = Need {
            from_risk: FromRisk::Danger,
            ..base
        };
        for weaker in [fewer, either, rarely, need(Requirement::Review, 2)] {
            assert!(weaker.is_weaker_than(&base), "{weaker:?}");
        }
        assert!(!need(Requirement::Signature, 3).is_weaker_than(&base));
        assert!(!base.is_weaker_than(&base));
        assert!(!need(Requirement::Review, 2).is_weaker_than(&either));
    }

    /// From what the app has to what the files declare.
    fn risk(name: &str, before: Option<(RemoteStatus, &str)>, after: (&str, &str)) -> FromRisk {
        let before = before.map(|(status, words)| RemoteConnector {
            status,
            scopes: words.split_whitespace().collect(),
            account: Some(Account::new("ops@example.com")),
            mode: None,
            connection_config: None,
        });
        let after = Desired {
            scopes: after.0.split_whitespace().collect(),
            account: ExpectedAccount::parse(after.1),
            ..Desired::default()
        };
        let connector = ConnectorType::parse(name).unwrap();
        let rules = ScopeEquivalence::default();
        FromRisk::of_change(&between(&connector, before.as_ref(), after, &rules))
    }

    #[test]
    fn a_consent_is_as_risky_as_all_that_it_brings_into_force() {
        use FromRisk::{Danger, None, Write};
        use RemoteStatus::{Active, Disconnected, Expired};
        const MAIL: &str = "https://mail.google.com/";
        const READ: &str = "https://www.googleapis.com/auth/gmail.readonly";
        const CALENDAR: &str = "https://www.googleapis.com/auth/calendar";
        const ACLS: &str = "https://www.googleapis.com/auth/calendar.acls";
        let both = format!("{CALENDAR} {ACLS}");
        let was = |status, words| Some((status, words));
        let nothing = Option::None;
        for (name, before, after, expected) in [
            // What does not work has no scope in force.
            ("gmail", was(Disconnected, MAIL), (MAIL, ""), Danger),
            ("gmail", was(Expired, MAIL), (MAIL, ""), Danger),
            ("gmail", was(Expired, MAIL), (READ, ""), Danger),
            (
                "slack",
                was(Expired, "chat:write"),
                ("chat:write", ""),
                Write,
            ),
            ("slack", was(Expired, "odd"), ("odd", ""), Write),
            (
                "slack",
                was(Expired, "users:read"),
                ("users:read", ""),
                None,
            ),
            ("slack", was(Active, "users:read"), ("users:read", ""), None),
            // Nor has another account given any.
            (
                "gmail",
                was(Active, MAIL),
                (MAIL, "eve@example.com"),
                Danger,
            ),
            ("gmail", was(Active, MAIL), (MAIL, "ops@example.com"), None),
            (
                "gmail",
                was(Expired, READ),
                (READ, "eve@example.com"),
                Danger,
            ),
            // What includes more counts as that, and what is included already is nothing new.
            ("googlecalendar", nothing, (CALENDAR, ""), Danger),
            ("googlecalendar", nothing, (&both, ""), Danger),
            (
                "googlecalendar",
                was(Expired, CALENDAR),
                (CALENDAR, ""),
                Danger,
            ),
            ("googlecalendar", was(Active, "odd"), (CALENDAR, ""), Danger),
            ("asana", nothing, ("default", ""), Danger),
            (
                "outlook",
                nothing,
                ("https://graph.microsoft.com/.default", ""),
                Danger,
            ),
            // What may be read as a known scope counts as that.
            ("gmail", nothing, ("https://mail.google.com", ""), Danger),
            ("github", nothing, ("REPO", ""), Danger),
            ("slack", nothing, ("Chat:Write", ""), Write),
            // What says that it reaches everything counts as that.
            ("github", nothing, ("admin:no_such", ""), Danger),
            ("outlook", nothing, ("No.Such.All", ""), Danger),
            ("outlook", nothing, ("No.Such", ""), Write),
            ("slack", nothing, ("Users:Read", ""), Write),
            // What names no scope gets nobody knows what.
            ("dropbox", nothing, ("", ""), Write),
            ("dropbox", was(Expired, ""), ("", ""), Write),
            ("dropbox", was(Active, ""), ("", ""), None),
            ("notion", nothing, ("", ""), Write),
            ("notion", was(Expired, ""), ("", ""), Write),
            // Taking away from what works.
            (
                "slack",
                was(Active, "users:read team:read"),
                ("team:read", ""),
                Write,
            ),
            ("slack", was(Active, "users:read"), ("", ""), Danger),
            (
                "slack",
                was(Active, "users:read"),
                ("emoji:read", ""),
                Danger,
            ),
            (
                "slack",
                was(Expired, "users:read team:read"),
                ("team:read", ""),
                None,
            ),
        ] {
            let found = risk(name, before, after);
            assert_eq!(found, expected, "{name}: {before:?} -> {after:?}");
        }
    }

    #[test]
    fn a_plan_is_as_risky_as_the_gravest_of_its_changes() {
        let change = |(name, scope): (&str, &str)| {
            let after = Desired {
                scopes: [scope].into_iter().collect(),
                ..Desired::default()
            };
            let name = ConnectorType::parse(name).unwrap();
            between(&name, None, after, &ScopeEquivalence::default())
        };
        let of = |changes: &[(&str, &str)]| {
            FromRisk::of(&Plan::of(changes.iter().copied().map(change).collect()))
        };
        let (mail, read) = (
            ("gmail", "https://mail.google.com/"),
            ("slack", "users:read"),
        );
        assert_eq!(of(&[]), FromRisk::None);
        assert_eq!(of(&[read]), FromRisk::None);
        assert_eq!(of(&[mail, read]), FromRisk::Danger);
    }

    #[test]
    fn risk_is_ordered() {
        let from = |from_risk| Need {
            from_risk,
            ..need(Requirement::Review, 1)
        };
        assert!(from(FromRisk::None).concerns(FromRisk::None));
        assert!(!from(FromRisk::Write).concerns(FromRisk::None));
        assert!(from(FromRisk::Write).concerns(FromRisk::Danger));
        assert!(!from(FromRisk::Danger).concerns(FromRisk::Write));
    }
}

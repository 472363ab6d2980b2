//! Who approved a plan, and how that is proved. Pure: what is read, asked and signed comes from
//! outside.
//!
//! There is one value, the [`Approval`], whatever it was made from: a signature by a key that the
//! team's file of signers names (`signature`), or a review on a forge. [`Requirement`] says how
//! much of it a plan needs.

mod approved;
mod error;
mod need;
mod patterns;
mod person;
mod review;
mod signature;
mod signers;
mod ssh;
mod time;

pub use approved::{Approved, NotApproved};
pub use error::{ApprovalError, SignersError};
pub use need::{FromRisk, Missing, Need, Requirement};
pub use review::{Doubt, Review, ReviewFacts, Reviews, Shown, reviews};
pub use signature::{NAMESPACE, REVOKED, Signatures, key_of, signatures};
pub use signers::Signers;

use std::fmt;

use jiff::Timestamp;
#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::person::Person;
use crate::plan::Digest;

/// One person's yes to one plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Approval {
    /// Who: the name in the file of signers, or the login on the forge. Not masked here; `ops` masks it for a
    /// team's store.
    pub signer: String,
    /// The plan.
    pub digest: Digest,
    /// How it was proved.
    pub proof: Proof,
    /// What proves it: the key's fingerprint, or the review's page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// When it was given, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub at: Option<Timestamp>,
    /// Until when it counts, where that has an end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub until: Option<Timestamp>,
    /// Which names and keys are that person's. Known where the approval was made out.
    #[serde(skip)]
    person: Person,
}

/// How an approval was proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Proof {
    /// A signature over the digest.
    Signature,
    /// A review on the forge, of the commit whose comment shows the digest.
    Review,
}

impl Proof {
    /// All of them.
    pub(crate) const ALL: [Self; 2] = [Self::Signature, Self::Review];
}

impl fmt::Display for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Signature => "signature",
            Self::Review => "review",
        })
    }
}

//! Signatures over a plan's digest.

use jiff::Timestamp;

use super::{Approval, ApprovalError, Proof, Signers, signers::When, ssh::SshSig};
use crate::plan::Digest;

/// What a signature says that it is for: a signature over the same text that was made for another
/// purpose is none.
pub const NAMESPACE: &str = "connplan";
/// The namespace of a signature that takes an earlier one back.
pub const REVOKED: &str = "connplan-revoked";

/// What some files of signatures come to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Signatures {
    /// Those that approve the plan.
    pub approvals: Vec<Approval>,
    /// Who took the approval back.
    pub revoked: Vec<String>,
}

/// Holds every signature in these files (name and text) against the plan's digest and the signers.
/// One that does not count is an error: somebody gave it and relies on it.
pub fn signatures(
    files: &[(String, String)],
    digest: &Digest,
    signers: &Signers,
    now: Timestamp,
) -> Result<Signatures, ApprovalError> {
    let (mut found, mut takers) = (Signatures::default(), Vec::new());
    for (file, text) in files {
        let all = SshSig::all(text).map_err(|why| ApprovalError::NotASignature {
            file: file.clone(),
            why: why.to_owned(),
        })?;
        for signature in all {
            let (revokes, approval) = check(&signature, file, digest, signers, now)?;
            if revokes {
                if !found.revoked.contains(&approval.signer) {
                    found.revoked.push(approval.signer);
                }
                takers.push(approval.person);
            } else if !found.approvals.contains(&approval) {
                found.approvals.push(approval);
            }
        }
    }
    let stands = |approval: &Approval| !takers.iter().any(|taker| taker.may_be(&approval.person));
    found.approvals.retain(stands);
    Ok(found)
}

/// The fingerprint of the key that signed this digest in this namespace, if one did. Says nothing
/// of whose key it is.
pub fn key_of(text: &str, namespace: &str, digest: &Digest) -> Option<String> {
    let [signature] = SshSig::all(text).ok()?.try_into().ok()?;
    let signed = signature.is_over(digest.as_str().as_bytes());
    (signed && signature.namespace == namespace).then(|| signature.credential.key().fingerprint())
}

/// Whether it takes an approval back, and whose approval of what it is.
fn check(
    signature: &SshSig,
    file: &str,
    digest: &Digest,
    signers: &Signers,
    now: Timestamp,
) -> Result<(bool, Approval), ApprovalError> {
    let refused = |why: String, help: Option<&str>| ApprovalError::Signature {
        file: file.to_owned(),
        why,
        help: help.map(str::to_owned),
    };
    let revokes = match signature.namespace.as_str() {
        NAMESPACE => false,
        REVOKED => true,
        other => {
            let other = crate::escape::limited(other, 60);
            return Err(refused(
                format!("it was made for the namespace `{other}`, not `{NAMESPACE}`"),
                Some("sign with `connplan approve PLAN`, or `ssh-keygen -Y sign -n connplan`"),
            ));
        }
    };
    if !signature.is_over(digest.as_str().as_bytes()) {
        return Err(refused(
            format!("its key did not sign {digest}"),
            Some("it signs another plan, or the digest with a line break after it"),
        ));
    }
    // Whoever may approve may take that back, and whoever could may still.
    let when = if revokes {
        When::Ever
    } else {
        When::InTime(now)
    };
    let signer = signers
        .find(&signature.credential, NAMESPACE, when)
        .map_err(|why| {
            let why = crate::escape::limited(&why, 300);
            if revokes {
                // Whose approval it takes back nobody can tell any more.
                let help = "put the line of that key back into the signers file, with `valid-before`; or plan \
                            with another `--expires`, and ask for an approval of that plan";
                refused(format!("somebody took an approval back, and {why}"), Some(help))
            } else {
                refused(why, None)
            }
        })?;
    let approval = Approval {
        signer: signer.name,
        digest: digest.clone(),
        proof: Proof::Signature,
        by: Some(signature.credential.key().fingerprint()),
        at: None,
        until: signer.until,
        person: signer.person,
    };
    Ok((revokes, approval))
}

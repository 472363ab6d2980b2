//! Why something does not approve a plan.

use miette::Diagnostic;
use thiserror::Error;

use super::Missing;
use crate::plan::Digest;

/// A signature, or a set of approvals, that is not enough. Nothing was written.
#[derive(Clone, Debug, PartialEq, Eq, Error, Diagnostic)]
pub enum ApprovalError {
    /// Not a signature at all.
    #[error("{file} does not hold an SSH signature: {why}")]
    #[diagnostic(
        code(connplan::approval::not_a_signature),
        help("`connplan approve PLAN` makes one")
    )]
    NotASignature {
        /// The file, escaped.
        file: String,
        /// What is wrong with it.
        why: String,
    },
    /// A signature that does not count.
    #[error("the signature in {file} does not approve this plan: {why}")]
    #[diagnostic(code(connplan::approval::signature))]
    Signature {
        /// The file, escaped.
        file: String,
        /// Why, as a clause.
        why: String,
        /// What to do.
        #[help]
        help: Option<String>,
    },
    /// The reviews do not approve it.
    #[error("the review does not approve this plan: {why}")]
    #[diagnostic(code(connplan::approval::review))]
    Review {
        /// Why, as a clause.
        why: String,
        /// What to do.
        #[help]
        help: Option<String>,
    },
    /// No pipeline, so no request whose reviews could be looked at.
    #[error(
        "reviews cannot be looked up: this is not a run of GitHub Actions or GitLab CI, whose variables name the pull or merge request"
    )]
    #[diagnostic(
        code(connplan::approval::review),
        help(
            "apply it in a pipeline, with GITHUB_TOKEN or GITLAB_TOKEN; or ask somebody to sign it with \
             `connplan approve PLAN`"
        )
    )]
    NoReviewHere,
    /// Another plan was reviewed.
    #[error(
        "the review does not approve this plan: the plan that was reviewed is {}, this one is \
         {actual}{}",
        crate::escape::limited(reviewed, 80),
        listed(difference)
    )]
    #[diagnostic(
        code(connplan::approval::review),
        help(
            "apply the plan that was reviewed, or ask for a review of this one; `connplan show` shows what \
             each does"
        )
    )]
    OtherPlan {
        /// What the comment shows. Untrusted text.
        reviewed: String,
        /// This plan.
        actual: Digest,
        /// What this one does otherwise, where the other is to be had. Escaped.
        difference: Vec<String>,
    },
    /// Not enough.
    #[error("the plan is not approved: {missing}")]
    #[diagnostic(code(connplan::approval::missing))]
    Missing {
        /// What is missing.
        missing: Missing,
        /// The command that gets it.
        #[help]
        help: String,
    },
    /// A rule is overridden that the plan does not override.
    #[error(
        "the plan is not approved: an approver cannot see an override that is given to `apply`"
    )]
    #[diagnostic(
        code(connplan::approval::missing),
        help(
            "nothing was written. Give `--override RULE --reason TEXT` to `connplan plan --out FILE`, and \
             ask for an approval of that plan"
        )
    )]
    Override,
    /// It was enough, for an apply that is over.
    #[error(
        "the plan was carried out, or given up, at {at}, and an approval counts only once: {missing}"
    )]
    #[diagnostic(
        code(connplan::approval::used),
        help(
            "nothing was written. If it is wanted again: `connplan plan` shows what is different now, and \
             `connplan approve PLAN` approves this plan anew"
        )
    )]
    Used {
        /// When, as the store has it.
        at: jiff::Timestamp,
        /// What is missing since.
        missing: Missing,
    },
    /// Nothing says whose signature counts.
    #[error("no signers file is set, so no signature counts")]
    #[diagnostic(
        code(connplan::approval::no_signers),
        help(
            "name it in connplan.toml: `[approval]`, `signers = \"allowed_signers\"`, in the format of \
             `ssh-keygen -Y verify`"
        )
    )]
    NoSigners,
    /// The file that lists them is not there.
    #[error("the signers file {file} does not exist")]
    #[diagnostic(
        code(connplan::approval::no_signers),
        help(
            "put it there, with a line for each person whose signature counts: an address and the \
             public key, `ann@example.com ssh-ed25519 AAAA…`"
        )
    )]
    NoSignersFile {
        /// The file, escaped.
        file: String,
    },
    /// The file of signers cannot be used.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Signers(#[from] SignersError),
}

fn listed(difference: &[String]) -> String {
    let lines = difference.iter().map(|line| format!("\n  {line}"));
    lines.collect()
}

/// A file of signers that cannot be used. A line that cannot be read is an error: it must not admit anybody.
#[derive(Clone, Debug, PartialEq, Eq, Error, Diagnostic)]
#[error("{file}:{line}: {why}")]
#[diagnostic(
    code(connplan::approval::signers),
    help(
        "each line is `PRINCIPALS [OPTIONS] KEYTYPE KEY`, as ssh-keygen(1) describes it under ALLOWED SIGNERS"
    )
)]
pub struct SignersError {
    /// The file, escaped.
    pub file: String,
    /// The line's number.
    pub line: usize,
    /// What is wrong with it.
    pub why: String,
}

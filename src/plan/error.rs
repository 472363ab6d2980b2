//! Why there is no plan, and why a plan is not applied.

use jiff::Timestamp;
use miette::Diagnostic;
use thiserror::Error;

use super::{Digest, Drift};
use crate::model::{ApiUrl, AppId, ConnectorType, Scopes, ago};

/// What to do where a receipt and the files differ.
const OTHER_FILES: &str = "nothing was asked for. Check out the commit that was applied; or, if the files are \
                           right, plan and apply them";

/// Why nothing was planned.
#[derive(Clone, Debug, PartialEq, Eq, Error, Diagnostic)]
pub enum PlanError {
    /// No file at all, and the app has connectors: more likely a wrong branch than a wish.
    #[error(
        "{folder}, and the app has {count} connector{}: {names}. \
         Planning would mark {them} for removal, with {their} tokens",
        plural(*.count),
        them = if *.count == 1 { "it" } else { "all of them" },
        their = if *.count == 1 { "its" } else { "their" },
    )]
    #[diagnostic(
        code(connplan::plan::remove_all),
        help(
            "check the branch and the folder; to remove every connector, give `--allow-remove-all`"
        )
    )]
    RemoveAll {
        /// What is wrong with the folder, as a clause.
        folder: String,
        /// How many connectors the remote has.
        count: usize,
        /// Their names.
        names: String,
    },
    /// `--target` names something that neither files nor remote have.
    #[error("`--target {target}` names a connector that neither the files nor the app has")]
    #[diagnostic(code(connplan::plan::unknown_target))]
    UnknownTarget {
        /// The name given.
        target: String,
        /// The nearest name, or those that there are.
        #[help]
        help: String,
    },
}

fn plural(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}

/// Why a saved plan is not applied. Nothing was written.
#[derive(Clone, Debug, PartialEq, Eq, Error, Diagnostic)]
pub enum Refusal {
    /// A file of ours, and not the kind that is wanted.
    #[error("{file} is a {found}; this command needs a {wanted}")]
    #[diagnostic(code(connplan::plan::other_kind))]
    OtherKind {
        /// The file.
        file: String,
        /// `plan` or `receipt`.
        found: &'static str,
        /// The other one.
        wanted: &'static str,
        /// What can be done with such a file.
        #[help]
        help: &'static str,
    },
    /// Nothing says that it ever was one of ours.
    #[error("{file} is not a connplan {wanted}: {reason}")]
    #[diagnostic(code(connplan::plan::not_ours))]
    NotOurs {
        /// The file.
        file: String,
        /// `plan` or `receipt`.
        wanted: &'static str,
        /// What the reader stumbled over.
        reason: String,
        /// Where one comes from.
        #[help]
        help: &'static str,
    },
    /// The text is not a plan (or receipt) any more.
    #[error("{what} cannot be read: {reason}")]
    #[diagnostic(code(connplan::plan::unreadable))]
    Unreadable {
        /// `the plan` or `the receipt`, with its file.
        what: String,
        /// What the reader stumbled over.
        reason: String,
        /// How a whole one is had.
        #[help]
        help: String,
    },
    /// Another major version of the format.
    #[error("{what} has format {found}; this connplan reads {known}")]
    #[diagnostic(code(connplan::plan::format))]
    Format {
        /// `the plan` or `the receipt`, with its file.
        what: String,
        /// The version found.
        found: String,
        /// The version this program reads.
        known: &'static str,
        /// What reads it, or makes one that is read.
        #[help]
        help: &'static str,
    },
    /// Its meaning is not what its digest names.
    #[error("{what} was altered: its digest says {stated}, its content is {actual}")]
    #[diagnostic(code(connplan::plan::altered))]
    Altered {
        /// `the plan` or `the receipt`, with its file.
        what: String,
        /// The digest written in the file.
        stated: Digest,
        /// The digest of what the file means.
        actual: Digest,
        /// Why it matters, and how a true one is had.
        #[help]
        help: &'static str,
    },
    /// It is whole, but it is not the one that was approved.
    #[error("this is not the approved plan: {expected} was expected, this is {actual}")]
    #[diagnostic(
        code(connplan::plan::not_approved),
        help("apply the file that was reviewed, or ask for a review of this one")
    )]
    NotApproved {
        /// What `--expect-digest` says.
        expected: Digest,
        /// What the file is.
        actual: Digest,
    },
    /// A receipt whose scopes the files do not declare.
    #[error(
        "the receipt asks for more than the files declare: {connector} with {}",
        scope_list(scopes)
    )]
    #[diagnostic(code(connplan::plan::receipt_exceeds_files), help("{OTHER_FILES}"))]
    ReceiptExceedsFiles {
        /// Which connector.
        connector: ConnectorType,
        /// What no file declares.
        scopes: Scopes,
    },
    /// A receipt that connects to elsewhere, or is for somebody else, than the files say.
    #[error("the receipt asks for {connector} with {what} than its file declares")]
    #[diagnostic(code(connplan::plan::receipt_contradicts_files), help("{OTHER_FILES}"))]
    ReceiptContradictsFiles {
        /// Which connector.
        connector: ConnectorType,
        /// `another account` or `other connection values`.
        what: &'static str,
    },
    /// A plan that connects to elsewhere, or is for somebody else, than the files say.
    #[error("the plan has {what} for {connector} than {file} declares")]
    #[diagnostic(
        code(connplan::plan::contradicts_files),
        help(
            "nothing was written. If the file was changed since, run `connplan plan` again and ask for a review of \
             that; if it was not, somebody altered the plan"
        )
    )]
    ContradictsFiles {
        /// Which connector.
        connector: ConnectorType,
        /// `another account` or `other connection values`.
        what: &'static str,
        /// The file, escaped.
        file: String,
    },
    /// It needs an approval, and nobody can tell whether it says what the files say.
    #[error("{uncompared}")]
    #[diagnostic(
        code(connplan::plan::uncompared),
        help(
            "nothing was written. The plan needs an approval, and whoever approved it trusts the files: set the \
             variables here as they are set where it was planned"
        )
    )]
    Uncompared {
        /// Which values, and why. Escaped.
        uncompared: String,
    },
    /// It is whole, but it is not the receipt that was meant.
    #[error("this is not the expected receipt: {expected} was expected, this is {actual}")]
    #[diagnostic(
        code(connplan::plan::other_receipt),
        help("{}", other_receipt(*of_plan))
    )]
    OtherReceipt {
        /// Whether what was expected is the digest of the plan that the receipt is about.
        of_plan: bool,
        /// What `--expect-digest` says.
        expected: Digest,
        /// What the file is.
        actual: Digest,
    },
    /// It contradicts itself.
    #[error("the file contradicts itself: {reason}")]
    #[diagnostic(
        code(connplan::plan::incoherent),
        help("connplan did not write it like this; make a new plan")
    )]
    Incoherent {
        /// Where.
        reason: String,
    },
    /// Something in it was not held against the policy.
    #[error("`{connector}` was not checked against the policy")]
    #[diagnostic(
        code(connplan::plan::unjudged),
        help("this is a bug of connplan; please report it")
    )]
    Unjudged {
        /// Which connector.
        connector: ConnectorType,
    },
    /// Made from a snapshot.
    #[error("the plan is speculative: it was made from a snapshot, not from the live app")]
    #[diagnostic(
        code(connplan::plan::speculative),
        help("run `connplan plan --out FILE` with credentials and apply that")
    )]
    Speculative,
    /// It was carried out, and something was changed since.
    #[error("the plan was applied already: what it would do now was done, or given up, at {at}")]
    #[diagnostic(
        code(connplan::plan::over),
        help(
            "nothing was written: to apply it again could undo what was decided since. Run `connplan plan --out FILE` \
             again, where it can write to the store if there is one, and ask for a review"
        )
    )]
    Over {
        /// When the last of its changes was carried out.
        at: Timestamp,
    },
    /// The branch and the app have gone on, and nobody decided to go back.
    #[error("{said}")]
    #[diagnostic(code(connplan::plan::behind), help("{}", Self::NEWEST))]
    Behind {
        /// Which commits these are.
        said: String,
    },
    /// It may have been carried out.
    #[error(
        "nothing tells any more whether all of the plan was applied: the store has only what happened after {gone} \
         ([store] `keep`), and neither it nor this run shows that the plan is newer"
    )]
    #[diagnostic(
        code(connplan::plan::unremembered),
        help(
            "nothing was written: to apply it could undo what was decided since. Run `connplan plan --out FILE` again, \
             where it can write to the store, and ask for a review; in a pipeline, start a new run"
        )
    )]
    Unremembered {
        /// Until when entries are gone.
        gone: Timestamp,
    },
    /// It was good until a time that has passed.
    #[error("the plan expired {}, at {at}", ago(*at, *now))]
    #[diagnostic(
        code(connplan::plan::expired),
        help("nothing was written; run `connplan plan` again and ask for a review")
    )]
    Expired {
        /// When.
        at: Timestamp,
        /// What time it is.
        now: Timestamp,
    },
    /// The base's settings want plans to end sooner.
    #[error(
        "the plan {}, and [plan] `expires` of the base branch lets no plan live for longer than {limit:#}",
        at.map_or_else(|| "never expires".to_owned(), |at| format!("expires at {at}"))
    )]
    #[diagnostic(
        code(connplan::plan::lives_too_long),
        help("nothing was written; run `connplan plan --out FILE` again and ask for a review")
    )]
    LivesTooLong {
        /// When it ends.
        at: Option<Timestamp>,
        /// The longest time.
        limit: jiff::SignedDuration,
    },
    /// Made for another app.
    #[error("the {what} is for app {planned}, this is app {here}")]
    #[diagnostic(
        code(connplan::plan::other_app),
        help("check `--app-id`, `--env`, BASE44_APP_ID and .app.jsonc")
    )]
    OtherApp {
        /// `plan`, or `file` where it may be a receipt.
        what: &'static str,
        /// The document's.
        planned: AppId,
        /// This project's.
        here: AppId,
    },
    /// Made at another address.
    #[error("the {what} was made at {planned}, this is {here}")]
    #[diagnostic(
        code(connplan::plan::other_address),
        help("check BASE44_API_URL and `--env`")
    )]
    OtherAddress {
        /// `plan`, or `file` where it may be a receipt.
        what: &'static str,
        /// The document's.
        planned: ApiUrl,
        /// This run's.
        here: ApiUrl,
    },
    /// The remote is not what the plan saw.
    #[error(
        "the plan is stale: the app changed since it was made\n{}",
        list(moved)
    )]
    #[diagnostic(
        code(connplan::plan::stale),
        help("nothing was written; run `connplan plan` again and ask for a review")
    )]
    Stale {
        /// Each field that moved.
        moved: Vec<Drift>,
    },
}

impl Refusal {
    /// The way on of who would go back.
    pub const NEWEST: &'static str =
        "start a run of the branch's newest commit; to go back on purpose, revert on the branch";
}

fn scope_list(scopes: &Scopes) -> String {
    let names = scopes
        .iter()
        .map(|scope| crate::escape::limited(scope.as_str(), 200));
    names.collect::<Vec<_>>().join(", ")
}

fn list(moved: &[Drift]) -> String {
    let lines: Vec<_> = moved.iter().map(|moved| format!("  {moved}")).collect();
    lines.join("\n")
}

/// A document that could not be put into its format.
#[derive(Debug, Error, Diagnostic)]
pub enum EncodeError {
    /// The encoder refused it.
    #[error("the output could not be encoded: {0}")]
    #[diagnostic(
        code(connplan::encode),
        help("this is a bug in connplan; please report it")
    )]
    Encoder(String),
    /// Its file could be written, and not read again.
    #[error("the {kind} has {size} bytes, more than the {limit} that its file may have")]
    #[diagnostic(
        code(connplan::plan::too_large),
        help("split it: `connplan plan --target TYPE` plans the connectors that you name")
    )]
    TooLarge {
        /// A plan or a receipt.
        kind: &'static str,
        /// Its size as a file, in bytes.
        size: usize,
        /// The most that a reader takes, in bytes.
        limit: usize,
    },
}

impl From<toml::ser::Error> for EncodeError {
    fn from(error: toml::ser::Error) -> Self {
        Self::Encoder(error.to_string())
    }
}

impl From<serde_json::Error> for EncodeError {
    fn from(error: serde_json::Error) -> Self {
        Self::Encoder(error.to_string())
    }
}

fn other_receipt(of_plan: bool) -> &'static str {
    if of_plan {
        "nothing was asked for. That is the digest of the receipt's plan: give the receipt's own, which \
         `connplan apply` printed in the command to go on with"
    } else {
        "nothing was asked for; get the receipt from the apply that you trust"
    }
}

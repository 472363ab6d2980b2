//! What an op tells on the way. Whoever listens puts it into words.

use crate::{
    approval::Approval,
    fs::InsecurePermissions,
    model::{App, ConnectorType},
    receipt::ChangeResult,
    store::Wait,
};

/// Something worth telling.
#[derive(Debug)]
pub enum OpEvent<'a> {
    /// Another connplan is at work, as it said itself; this one waits for it.
    WaitingFor(&'a str),
    /// Private files that others could read.
    Insecure(&'a [InsecurePermissions]),
    /// What waits of connectors that no file declares.
    Undeclared(Vec<&'a ConnectorType>),
    /// What waits of connectors that a plan of earlier does not know. The files may declare them by now.
    NotInPlan(Vec<&'a ConnectorType>),
    /// What waits and the branch that a request goes into asks for, since the request left it.
    Newer(&'a [ConnectorType]),
    /// What waited and is withdrawn by this apply.
    Withdrawn(&'a [ConnectorType]),
    /// The last record of the journal was cut off by a crash.
    JournalTorn,
    /// Nothing is left to do, whoever did it.
    AlreadyApplied,
    /// An earlier run of the plan began; this one goes on.
    GoesOn,
    /// The plan was applied, and what these waited for was dropped since.
    AsksAgain(Vec<&'a ConnectorType>),
    /// What a run that was cut short did, and what is unclear; the plan cannot be finished.
    CutShort(&'a [&'a ChangeResult], &'a [&'a ChangeResult]),
    /// Somebody approved the plan.
    Approved(&'a Approval),
    /// A write came to an end.
    Wrote(&'a ChangeResult),
    /// What to do about writes that failed.
    Advice(&'a str),
    /// The store has the plan now: what to apply, and where it is.
    PlanKept(&'a crate::plan::Digest, &'a str),
    /// From now on this is the store of an app, on this machine.
    StoreUsed(&'a str, &'a App),
    /// The plan is in its file only.
    PlanNotKept(String),
    /// Nothing begins, for the store cannot be used, as the error says.
    NotBegun,
    /// The store could not be asked what waits.
    StoreUnknown(String),
    /// These are to be created, and the platform does not say which connection values they need.
    NeedsUnknown(&'a [ConnectorType]),
    /// Another machine asked for this.
    Waits(&'a Wait),
    /// Nothing of the store is resumed: there are no files to say that it is wanted.
    NothingDeclared,
    /// No file declares this, with all its scopes, its values and its account.
    NotDeclared(&'a Wait),
    /// The store was not told; whether it will be later, and why not now.
    StoreNotTold(bool, String),
    /// Something was left out, as its own error says.
    Warning(String),
}

/// Told what happens.
pub trait Listener {
    /// Called for each event, in order.
    fn event(&self, event: &OpEvent<'_>);
}

//! Which pull or merge request.

/// Which request of the project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Request {
    /// None: the run is for the project.
    None,
    /// This one.
    Number(u64),
    /// The one that was merged as this commit; only the forge knows its number.
    OfCommit(String),
}

//! What is left of a connection.

/// What became of the connection behind a connector that was removed or disconnected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectionEnd {
    /// Its tokens are deleted.
    Deleted,
    /// It is the workspace's, and other apps go on with it.
    Detached,
    /// The platform did not say.
    Untold,
}

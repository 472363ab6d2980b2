//! What moved since a plan was made.

use std::fmt;

use crate::model::ConnectorType;

/// One field of one connector that is not as the plan saw it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Drift {
    /// Which connector.
    pub connector: ConnectorType,
    /// `connector`, `status`, `scopes`, `account` or `mode`.
    pub field: &'static str,
    /// What the plan saw, escaped.
    pub was: String,
    /// What is there now, escaped.
    pub is: String,
}

impl fmt::Display for Drift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: {} was {}, is {}",
            self.connector, self.field, self.was, self.is
        )
    }
}

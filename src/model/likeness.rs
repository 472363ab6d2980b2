//! Whether two are the same, where one of them may not be known.

/// What a comparison says. "Not known" is neither of the others, and there is no default: whoever asks
/// at a gate says what becomes of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Likeness {
    /// They are the same.
    Same,
    /// They differ.
    Other,
    /// One of them is not known.
    Unknown,
}

impl Likeness {
    /// Of what is known, whether it is the same.
    pub fn of(same: Option<bool>) -> Self {
        match same {
            Some(true) => Self::Same,
            Some(false) => Self::Other,
            None => Self::Unknown,
        }
    }
}

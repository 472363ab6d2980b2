//! STUB replaced on merge.
use std::borrow::Cow;
/// x
pub fn terminal(text: &str) -> Cow<'_, str> {
    Cow::Borrowed(text)
}

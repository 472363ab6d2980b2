//! A secret as a header.

use bytes::Bytes;
use reqwest::header::HeaderValue;
use zeroize::Zeroizing;

use super::redact::Sent;
use crate::model::Secret;

/// Bytes whose memory is zeroed when the last user drops them.
pub(crate) fn zeroing(bytes: Vec<u8>) -> Bytes {
    Bytes::from_owner(Zeroizing::new(bytes))
}

/// A secret as a header, ready to be sent.
#[derive(Clone)]
pub(crate) struct AuthHeader {
    pub(crate) name: &'static str,
    pub(crate) value: HeaderValue,
    /// How much of the value comes before the secret.
    prefix: usize,
}

impl AuthHeader {
    /// `name: <prefix><secret>`, its memory zeroed after use. `None` if the secret cannot stand in
    /// a header.
    pub(crate) fn new(name: &'static str, prefix: &str, secret: &Secret) -> Option<Self> {
        let mut text = Vec::with_capacity(prefix.len() + secret.expose().len());
        text.extend_from_slice(prefix.as_bytes());
        text.extend_from_slice(secret.expose().as_bytes());
        let mut value = HeaderValue::from_maybe_shared(zeroing(text)).ok()?;
        value.set_sensitive(true);
        Some(Self {
            name,
            value,
            prefix: prefix.len(),
        })
    }

    /// What no answer may show.
    pub(crate) fn sent(&self) -> Sent {
        let secret = self.value.as_bytes().get(self.prefix..);
        Sent::default().and(secret.unwrap_or_default())
    }
}

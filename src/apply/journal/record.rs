//! One line of a journal: 16 hexadecimal digits of a SHA-256, a space, JSON, a line feed.

use serde::{Deserialize, Serialize};

use crate::{
    escape,
    model::{ApiUrl, AppId, ConnectionId, ConnectorType, StripeMode, sha256},
    plan::Digest,
    receipt::{Basis, Outcome},
};

/// What is written down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "snake_case")]
pub enum Record {
    /// The first line.
    Begin {
        /// The version of this format.
        format: u32,
        /// Who wrote it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        created_by: Option<String>,
        /// What is carried out.
        plan_digest: Digest,
        /// On which app.
        app_id: AppId,
        /// At which address.
        api_url: ApiUrl,
    },
    /// A write to the remote is about to be sent.
    Intent {
        /// Which connector.
        connector: ConnectorType,
    },
    /// What came of it.
    Outcome(Recorded),
    /// The plan was carried out whole.
    End,
}

/// What came of one write.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recorded {
    /// Which connector.
    pub connector: ConnectorType,
    /// What came of it.
    pub outcome: Outcome,
    /// The server's reason, as [`Recorded::said`] makes it. Untrusted text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// What a pending authorization's status is asked with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection_id: Option<ConnectionId>,
    /// Stripe alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<StripeMode>,
    /// How the outcome is known, unless it was written and seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub basis: Option<Basis>,
}

impl Recorded {
    /// A message as it is kept: whose account it is about is nothing for a file.
    pub fn said(message: Option<&str>) -> Option<String> {
        message.map(|text| escape::mask_accounts(text).into_owned())
    }
}

/// The format written.
pub(super) const FORMAT: u32 = 1;

impl Record {
    /// The whole line, line feed included.
    pub(super) fn to_line(&self) -> Result<String, serde_json::Error> {
        let json = serde_json::to_string(self)?;
        Ok(format!("{} {json}\n", checksum(json.as_bytes())))
    }

    /// Who wrote a first line of another format than this, whatever else it says.
    pub(super) fn other_format(line: &[u8]) -> Option<String> {
        #[derive(Deserialize)]
        struct Head {
            record: String,
            format: u32,
            #[serde(default)]
            created_by: Option<String>,
        }
        let head: Head = serde_json::from_slice(line.get(17..)?).ok()?;
        let other = head.record == "begin" && head.format != FORMAT;
        let by = head.created_by.as_deref();
        let by = by.map_or_else(
            || "another version of connplan".to_owned(),
            |by| escape::limited(by, 40),
        );
        other.then_some(by)
    }

    /// Reads a line without its line feed; `None` if it is torn or garbled.
    pub(super) fn from_line(line: &[u8]) -> Option<Self> {
        let (sum, rest) = line.split_at_checked(16)?;
        let json = rest.strip_prefix(b" ")?;
        if sum != checksum(json).as_bytes() {
            return None;
        }
        serde_json::from_slice(json).ok()
    }
}

fn checksum(json: &[u8]) -> String {
    sha256(json, 16)
}

/// Each line with the checksum that is right for it.
#[cfg(any(test, feature = "fuzzing"))]
pub(super) fn with_checksums(text: &str) -> String {
    let line = |line: &str| {
        let json = line.split_once(' ').map_or(line, |(_, json)| json);
        format!("{} {json}\n", checksum(json.as_bytes()))
    };
    text.lines().map(line).collect()
}

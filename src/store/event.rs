//! What happened, one value each.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    model::{ApiUrl, App, AppId, ConnectorType},
    plan::Digest,
};

/// Who did it, as far as that may be told to everybody: no address.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct By {
    /// Who acted at Base44, masked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The user of the machine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The pipeline's run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// The machine's own name. It is written only while somebody is at work, into the lease.
    #[serde(skip)]
    pub machine: Option<String>,
}

impl By {
    /// For people. Untrusted.
    pub fn shown(&self) -> String {
        let words = match (&self.account, &self.user, &self.run) {
            (_, _, Some(run)) => run.clone(),
            (Some(account), Some(user), None) => format!("{account}, user {user}"),
            (Some(one), None, None) | (None, Some(one), None) => one.clone(),
            (None, None, None) => "an unknown user".to_owned(),
        };
        crate::escape::limited(&words, 200)
    }

    /// Whether nothing says who it was.
    pub fn is_nameless(&self) -> bool {
        self.account.is_none() && self.user.is_none() && self.run.is_none()
    }
}

/// One connector to which somebody consented.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consented {
    /// Which.
    pub connector: ConnectorType,
    /// How it ended: `authorized`, `partial`, `failed`.
    pub outcome: String,
}

impl Consented {
    const AUTHORIZED: &str = "authorized";

    /// One whose consent is in force.
    pub fn authorized(connector: ConnectorType) -> Self {
        Self {
            connector,
            outcome: Self::AUTHORIZED.to_owned(),
        }
    }

    /// Whether the consent is in force: then its plan is carried out for this connector.
    pub fn is_authorized(&self) -> bool {
        self.outcome == Self::AUTHORIZED
    }
}

/// Whose connector files: of a project's folder in the repository, and of another folder than its own (`--dir`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FilesOf {
    /// The project's folder; `.` is the repository's root.
    pub folder: String,
    /// The other folder, as the project names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dir: Option<String>,
}

/// What an apply is to those that come later: what its commit has of these files was applied, with nothing left over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppliedFrom {
    /// The commit.
    pub commit: String,
    /// The files.
    pub files: Vec<FilesOf>,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// A plan was saved; with an epoch, an apply of it began.
    Plan(Digest),
    /// A plan was approved; the approval's text.
    Approval(Digest, String),
    /// A plan was applied; the receipt's text.
    Apply(Digest, String),
    /// Somebody consented, or tried to.
    Consent(Vec<Consented>),
    /// What waited is not waited for any more.
    Forget(Vec<ConnectorType>),
    /// A lease was ended by hand; whose it was.
    Unlock(String),
}

impl What {
    /// One word.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Plan(_) => "plan",
            Self::Approval(..) => "approval",
            Self::Apply(..) => "apply",
            Self::Consent(_) => "consent",
            Self::Forget(_) => "forget",
            Self::Unlock(_) => "unlock",
        }
    }

    /// The plan that it is about.
    pub fn digest(&self) -> Option<&Digest> {
        match self {
            Self::Plan(digest) | Self::Approval(digest, _) | Self::Apply(digest, _) => Some(digest),
            _ => None,
        }
    }
}

/// Something that happened to an app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryEvent {
    /// Its name; written twice, it is there once.
    pub id: String,
    /// When, by the clock of whoever wrote it.
    pub at: Timestamp,
    /// The lease's epoch: orders what was done under leases, whatever the clocks say.
    pub epoch: u64,
    /// Who.
    pub by: By,
    /// What.
    pub what: What,
    /// Of an apply: from which commit it applied all.
    pub applied_from: Option<AppliedFrom>,
    /// Of an apply: what had waited, and nobody is to be asked for any more.
    pub withdrawn: Vec<ConnectorType>,
}

#[derive(Serialize, Deserialize)]
struct Record<'a> {
    format_version: String,
    kind: String,
    id: String,
    at: Timestamp,
    #[serde(default)]
    epoch: u64,
    app_id: AppId,
    api_url: ApiUrl,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    digest: Option<Digest>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    text: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    forgotten: Vec<ConnectorType>,
    #[serde(default)]
    by: By,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    consents: Vec<Consented>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    applied_from: Option<AppliedFrom>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    withdrawn: Vec<ConnectorType>,
}

impl HistoryEvent {
    /// Something that happens now.
    pub fn now(by: By, epoch: u64, what: What) -> Self {
        let now = Timestamp::now();
        Self {
            id: uuid::Uuid::new_v4().simple().to_string(),
            at: Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now),
            epoch,
            by,
            what,
            applied_from: None,
            withdrawn: Vec::new(),
        }
    }

    /// Of a plan: whether it is an apply of it that began. Only who is at work has an epoch.
    pub fn began(&self) -> bool {
        matches!(self.what, What::Plan(_)) && self.epoch > 0
    }

    /// Whether this plan was saved by it.
    pub fn is_saved(&self, digest: &Digest) -> bool {
        !self.began() && matches!(&self.what, What::Plan(of) if of == digest)
    }

    /// Whether an apply of this plan began or ended.
    pub fn is_apply_of(&self, digest: &Digest) -> bool {
        let is_apply = self.began() || matches!(self.what, What::Apply(..));
        is_apply && self.what.digest() == Some(digest)
    }

    /// The last part of its key: in the order in which things happened.
    pub(super) fn name(&self) -> String {
        let time = self.at.as_millisecond().max(0);
        let id: String = self
            .id
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .take(32)
            .collect();
        format!("{:08}-{time:014}-{id}.toml", self.epoch)
    }

    /// Who did what, for the log of a repository.
    pub(super) fn line(&self) -> String {
        let digest = self.what.digest().map(|digest| format!(" {digest}"));
        let digest = digest.unwrap_or_default();
        format!("{}{digest} by {}", self.what.kind(), self.by.shown())
    }

    pub(super) fn to_toml(&self, app: &App) -> Result<String, toml::ser::Error> {
        let mut record = Record {
            format_version: "1.0".to_owned(),
            kind: self.what.kind().to_owned(),
            id: self.id.clone(),
            at: self.at,
            epoch: self.epoch,
            app_id: app.id.clone(),
            api_url: app.api_url.clone(),
            digest: self.what.digest().cloned(),
            text: None,
            forgotten: Vec::new(),
            by: self.by.clone(),
            consents: Vec::new(),
            applied_from: self.applied_from.clone(),
            withdrawn: self.withdrawn.clone(),
        };
        match &self.what {
            What::Plan(_) => {}
            What::Approval(_, text) | What::Apply(_, text) | What::Unlock(text) => {
                record.text = Some(Cow::Borrowed(text));
            }
            What::Consent(consents) => record.consents.clone_from(consents),
            What::Forget(connectors) => record.forgotten.clone_from(connectors),
        }
        toml::to_string(&record)
    }

    /// Reads one; it must be of this app.
    pub(super) fn read(text: &str, app: &App) -> Result<Self, String> {
        let record: Record = toml::from_str(text).map_err(|e| super::head::reason(&e))?;
        super::head::check_head(&record.format_version, &record.app_id, &record.api_url, app)?;
        let missing = || "it names no plan".to_owned();
        let digest = record.digest.ok_or_else(missing);
        let text = record.text.unwrap_or_default().into_owned();
        let what = match record.kind.as_str() {
            "plan" => What::Plan(digest?),
            "approval" => What::Approval(digest?, text),
            "apply" => What::Apply(digest?, text),
            "consent" => What::Consent(record.consents),
            "forget" => What::Forget(record.forgotten),
            "unlock" => What::Unlock(text),
            _ => return Err("its kind is not known".to_owned()),
        };
        Ok(Self {
            id: record.id,
            at: record.at,
            epoch: record.epoch,
            by: record.by,
            what,
            applied_from: record.applied_from,
            withdrawn: record.withdrawn,
        })
    }
}

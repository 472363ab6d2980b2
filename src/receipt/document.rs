//! A saved receipt: TOML with a digest, as a plan.

use serde::{Deserialize, Serialize};

use super::{AppReceipt, ChangeResult, Receipt};
use crate::{
    model::{ApiUrl, App, AppId},
    plan::{
        Digest, EncodeError, Refusal,
        frame::{CREATED_BY, DocumentKind, FORMAT_VERSION, read_document},
    },
};

#[derive(Debug, Serialize, Deserialize)]
struct Document {
    format_version: String,
    kind: String,
    digest: Option<Digest>,
    created_at: Option<String>,
    created_by: Option<String>,
    plan_digest: Digest,
    apps: Vec<AppEntry>,
}

#[derive(Debug, Serialize, Deserialize)]
struct AppEntry {
    app_id: AppId,
    api_url: ApiUrl,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    environment: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    results: Vec<ChangeResult>,
}

/// A receipt as it was read from a file.
#[derive(Clone, Debug)]
pub struct Saved {
    /// The receipt.
    pub receipt: Receipt,
    /// What names its meaning.
    pub digest: Digest,
    /// When it was made, if it says so (RFC 3339). Not covered by the digest.
    pub created_at: Option<String>,
}

/// The digest of a receipt that may never have been saved.
pub fn digest(receipt: &Receipt) -> Result<Digest, EncodeError> {
    Ok(Digest::of(&toml::Table::try_from(entries(receipt))?))
}

/// Writes a receipt as TOML, with the digest in it.
pub fn to_toml(receipt: &Receipt, created_at: Option<String>) -> Result<String, EncodeError> {
    let mut document = entries(receipt);
    document.digest = Some(Digest::of(&toml::Table::try_from(&document)?));
    document.created_at = created_at;
    document.created_by = Some(CREATED_BY.to_owned());
    Ok(format!(
        "# A connplan receipt: what an apply did. It holds no link and no credential.\n\
         #\n\
         # Look at it:             connplan show FILE\n\
         # Resume what is pending: connplan authorize --receipt FILE\n\n{}",
        toml::to_string_pretty(&document)?
    ))
}

/// Reads a receipt back. `file` names it in messages.
pub fn read(file: &str, text: &str) -> Result<Saved, Refusal> {
    let (document, digest): (Document, Digest) = read_document(file, text, DocumentKind::Receipt)?;
    let apps = document.apps.into_iter().map(|entry| AppReceipt {
        app: App {
            id: entry.app_id,
            api_url: entry.api_url,
            environment: entry.environment,
        },
        results: entry.results,
    });
    let receipt = Receipt {
        plan_digest: document.plan_digest,
        apps: apps.collect(),
    };
    Ok(Saved {
        receipt,
        digest,
        created_at: document.created_at,
    })
}

fn entries(receipt: &Receipt) -> Document {
    let apps = receipt.apps.iter().map(|app| AppEntry {
        app_id: app.app.id.clone(),
        api_url: app.app.api_url.clone(),
        environment: app.app.environment.clone(),
        results: app.results.clone(),
    });
    Document {
        format_version: FORMAT_VERSION.to_owned(),
        kind: "receipt".to_owned(),
        digest: None,
        created_at: None,
        created_by: None,
        plan_digest: receipt.plan_digest.clone(),
        apps: apps.collect(),
    }
}

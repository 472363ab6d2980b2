//! A saved receipt: TOML with a digest, as a plan.

use serde::{Deserialize, Serialize};
use toml::Table;

use super::{ChangeResult, Receipt};
use crate::{
    approval::Approval,
    escape,
    model::{ApiUrl, App, AppId, Origin},
    plan::{
        Digest, EncodeError, Meaning, Override, Refusal, Sealer,
        envelope::{CREATED_BY, DocumentKind, FORMAT_VERSION, Sealed, read_document},
    },
    tables,
};

/// What the digest names: all but where it was made.
static MEANING: Meaning = Meaning {
    rows: "results",
    always: false,
    key: |key| {
        let unnamed = [
            "digest",
            "record_digest",
            "created_at",
            "created_by",
            "origin",
        ];
        !unnamed.contains(&key)
    },
    row: |_| true,
    cell: |_| true,
    format: false,
};

#[derive(Debug, Serialize, Deserialize)]
struct ReceiptFile {
    format_version: String,
    kind: String,
    digest: Option<Digest>,
    record_digest: Option<Digest>,
    created_at: Option<String>,
    created_by: Option<String>,
    plan_digest: Digest,
    app_id: AppId,
    api_url: ApiUrl,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    environment: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    origin: Option<Origin>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    approvals: Vec<Approval>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    overrides: Vec<Override>,
    /// Read row by row, as written; here is what is something else.
    #[serde(default, skip_serializing)]
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
    Ok(sealed(receipt, &head(receipt))?.0)
}

/// Writes a receipt as TOML, with the digest in it.
pub fn to_toml(receipt: &Receipt, created_at: Option<String>) -> Result<String, EncodeError> {
    let mut document = head(receipt);
    let (digest, record) = sealed(receipt, &document)?;
    document.digest = Some(digest);
    document.record_digest = Some(record);
    document.created_at = created_at;
    document.created_by = Some(CREATED_BY.to_owned());
    let mut text = "# A connplan receipt: what an apply did. It holds no link and no credential.\n\
                    #\n\
                    # Look at it:             connplan show FILE\n\
                    # Resume what is pending: connplan authorize --receipt FILE\n\n"
        .to_owned();
    let nothing = Table::new();
    tables::write(
        &mut text,
        &document,
        (MEANING.rows, rows(receipt)),
        &nothing,
    )?;
    DocumentKind::Receipt.check_fits(&text)?;
    Ok(text)
}

/// The two digests of a receipt's document: of what it means, and of all that it shows.
pub fn seal(document: &Table) -> (Digest, Digest) {
    Sealer::seal(&MEANING, document)
}

fn sealed(receipt: &Receipt, head: &ReceiptFile) -> Result<(Digest, Digest), EncodeError> {
    let head = Table::try_from(head)?;
    let mut sealer = Sealer::begin(&MEANING, &head);
    for row in rows(receipt) {
        sealer.row(&Table::try_from(row)?);
    }
    Ok(sealer.end(&head))
}

/// Reads a receipt back. `file` names it in messages.
pub fn read(file: &str, text: &str) -> Result<Saved, Refusal> {
    let Sealed {
        document,
        rows,
        digest,
    } = read_document::<ReceiptFile, ChangeResult>(file, text, DocumentKind::Receipt, &MEANING)?;
    let app = App {
        id: document.app_id,
        api_url: document.api_url,
        environment: document.environment,
    };
    let salted = |mut result: ChangeResult| {
        result.account = result.account.map(|account| account.salted(&app.id));
        result
    };
    let rows = rows.into_iter();
    let receipt = Receipt {
        plan_digest: document.plan_digest,
        results: rows.chain(document.results).map(salted).collect(),
        approvals: document.approvals,
        overrides: document.overrides,
        origin: document.origin,
        app,
    };
    Ok(Saved {
        receipt,
        digest,
        created_at: document.created_at,
    })
}

fn rows(receipt: &Receipt) -> impl Iterator<Item = ChangeResult> {
    let app = &receipt.app.id;
    receipt.results.iter().map(|result| ChangeResult {
        account: result
            .account
            .as_ref()
            .map(|account| account.to_masked(app)),
        // The platform's words may name somebody.
        message: result
            .message
            .as_deref()
            .map(|text| escape::mask_accounts(text).into_owned()),
        ..result.clone()
    })
}

/// All but the rows.
fn head(receipt: &Receipt) -> ReceiptFile {
    let app = &receipt.app;
    ReceiptFile {
        format_version: FORMAT_VERSION.to_owned(),
        kind: "receipt".to_owned(),
        digest: None,
        record_digest: None,
        created_at: None,
        created_by: None,
        plan_digest: receipt.plan_digest.clone(),
        app_id: app.id.clone(),
        api_url: app.api_url.clone(),
        environment: app.environment.clone(),
        origin: receipt.origin.clone(),
        approvals: receipt.approvals.clone(),
        overrides: receipt.overrides.clone(),
        results: Vec::new(),
    }
}

//! What every document of a store begins with.

use crate::model::{ApiUrl, App, AppId};

/// What a reader stumbled over. Never its text.
pub(super) fn reason(error: &toml::de::Error) -> String {
    crate::escape::limited(error.message(), 200)
}

/// Whether a document is of this format and app.
pub(super) fn check_head(
    version: &str,
    id: &AppId,
    api_url: &ApiUrl,
    app: &App,
) -> Result<(), String> {
    if version.split('.').next() != Some("1") {
        return Err("a newer connplan wrote it".to_owned());
    }
    if *id != app.id || *api_url != app.api_url {
        return Err("it is of another app".to_owned());
    }
    Ok(())
}

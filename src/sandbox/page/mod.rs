//! The sandbox's pages: plain HTML, one style sheet, no script.

mod answer;
mod claim;
mod consent;
mod device;
mod index;
mod layout;
mod settings;

use std::collections::BTreeMap;

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use url::form_urlencoded;

pub(super) use self::answer::HtmlPage;
use self::layout::{Tone, notice, trouble};
pub(super) use self::{
    claim::{claim, claim_form},
    consent::{consent, consent_form},
    device::{device, device_form},
    index::{app_index, index},
    settings::{play, settings, settings_form},
};
use crate::escape::html as escape;

const STYLE: &str = include_str!("style.css");

pub(super) async fn style() -> Response {
    let kind = (header::CONTENT_TYPE, "text/css; charset=utf-8");
    ([kind, (header::CACHE_CONTROL, "no-cache")], STYLE).into_response()
}

pub(super) fn not_found() -> Response {
    missing().into_response()
}

fn missing() -> HtmlPage {
    let text = "The sandbox does not have this page.";
    notice(StatusCode::NOT_FOUND, Tone::Bad, "Nothing here", text)
}

/// A form's fields, each with all of its values.
struct Fields(BTreeMap<String, Vec<String>>);

impl Fields {
    fn parse(body: &[u8]) -> Self {
        let mut fields: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(body) {
            fields
                .entry(name.into_owned())
                .or_default()
                .push(value.into_owned());
        }
        Self(fields)
    }

    fn all(&self, name: &str) -> &[String] {
        self.0.get(name).map(Vec::as_slice).unwrap_or_default()
    }

    fn one(&self, name: &str) -> &str {
        self.all(name)
            .first()
            .map(String::as_str)
            .unwrap_or_default()
    }

    /// The account: what was typed, else what was picked.
    fn account(&self) -> &str {
        match self.one("other_account").trim() {
            "" => self.one("account").trim(),
            typed => typed,
        }
    }
}

//! The sandbox's pages: plain HTML, one style sheet, no script.

mod claim;
mod consent;
mod device;
mod index;
mod layout;
mod settings;

use std::collections::BTreeMap;

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use url::form_urlencoded;

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

/// No script, no image, no frame; forms go nowhere but here.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; \
                      base-uri 'none'; frame-ancestors 'none'";

/// A page as it leaves: never kept, never framed, its address told to nobody else.
pub(super) struct Page(StatusCode, String);

impl IntoResponse for Page {
    fn into_response(self) -> Response {
        let mut response = (self.0, self.1).into_response();
        let headers = response.headers_mut();
        for (name, value) in [
            (header::CONTENT_TYPE, "text/html; charset=utf-8"),
            (header::CONTENT_SECURITY_POLICY, POLICY),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            // The links hold secrets; a stricter policy would hide the origin of our own forms.
            (header::REFERRER_POLICY, "same-origin"),
            (header::CACHE_CONTROL, "no-store"),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        response
    }
}

pub(super) async fn style() -> Response {
    let kind = (header::CONTENT_TYPE, "text/css; charset=utf-8");
    ([kind, (header::CACHE_CONTROL, "no-cache")], STYLE).into_response()
}

pub(super) fn not_found() -> Response {
    missing().into_response()
}

fn missing() -> Page {
    let text = "The sandbox has no such page.";
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

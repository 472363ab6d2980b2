//! What the server says about a refusal. Untrusted: everything kept here is made safe to show.

use std::fmt;

use serde_json::Value;

use crate::http::{server_text, server_text_limited};

/// The readable part of an error answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServerProblem {
    /// `message` or `detail`, whichever JSON it was, or an OAuth `error_description`.
    pub message: Option<String>,
    /// OAuth's `error`: a word such as `invalid_grant`.
    pub code: Option<String>,
    /// `extra_data.reason`: a word such as `requires_backend_platform_app`.
    pub reason: Option<String>,
    /// `extra_data.errors`: field name and what is wrong with it.
    pub fields: Vec<(String, String)>,
}

/// More complaints about fields than that are not repeated.
const MAX_FIELDS: usize = 20;

impl ServerProblem {
    /// Reads an error answer's JSON, as far as it is as described.
    pub(crate) fn read(body: &Value) -> Self {
        let text = |value: &Value| match value {
            Value::Null => None,
            Value::String(text) => Some(server_text(text)).filter(|t| !t.is_empty()),
            other => Some(server_text(&other.to_string())),
        };
        let word = |value: &Value| value.as_str().map(|word| server_text_limited(word, 80));
        let extra = &body["extra_data"];
        let field = |entry: &Value| Some((word(&entry["name"])?, text(&entry["message"])?));
        Self {
            message: ["message", "detail", "error_description"]
                .into_iter()
                .find_map(|name| text(&body[name])),
            code: word(&body["error"]),
            reason: word(&extra["reason"]),
            fields: extra["errors"].as_array().map_or_else(Vec::new, |errors| {
                errors.iter().filter_map(field).take(MAX_FIELDS).collect()
            }),
        }
    }

    pub(crate) fn advice(&self) -> &'static str {
        match self.reason.as_deref() {
            Some("requires_backend_platform_app") => {
                "this needs an app that was created with the Base44 CLI; link the project to such an app"
            }
            _ if self.to_string().is_empty() => {
                "it gave no reason that can be read; check BASE44_API_URL and the proxy variables, \
                 and if it keeps happening, report the request id to Base44"
            }
            _ => "correct what the server names, then try again",
        }
    }
}

impl fmt::Display for ServerProblem {
    /// Everything after the sentence: `: message; field: complaint`, or nothing at all.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let message = self.message.as_ref().or(self.code.as_ref());
        let mut separator = ": the server says ";
        if let Some(message) = message {
            write!(f, "{separator}\"{message}\"")?;
            separator = "; ";
        }
        for (name, complaint) in &self.fields {
            write!(f, "{separator}{name}: \"{complaint}\"")?;
            separator = "; ";
        }
        Ok(())
    }
}

/// Whether a body is a web page, by its type or by its beginning.
pub(crate) fn is_html(content_type: Option<&str>, body: &[u8]) -> bool {
    let typed = content_type.is_some_and(|t| t.to_ascii_lowercase().contains("html"));
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    typed || body.trim_ascii_start().starts_with(b"<")
}

/// A web page's title, made safe to show.
pub(crate) fn html_title(body: &[u8]) -> Option<String> {
    // Lower case of ASCII only: every offset stays what it was.
    let text = String::from_utf8_lossy(body);
    let lower = text.to_ascii_lowercase();
    let open = lower.find("<title")?;
    let start = open + lower.get(open..)?.find('>')? + 1;
    let end = start + lower.get(start..)?.find('<')?;
    let title = server_text_limited(text.get(start..end)?, 100);
    (!title.is_empty()).then_some(title)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_message_may_be_any_json() {
        let said = |body| ServerProblem::read(&body).to_string();
        assert_eq!(said(json!({"message": "no"})), ": the server says \"no\"");
        assert_eq!(
            said(json!({"detail": "no\n\u{1b}[1m"})),
            ": the server says \"no \\u{1b}[1m\""
        );
        assert_eq!(
            said(json!({"message": null, "detail": [{"loc": 1}]})),
            ": the server says \"[{\"loc\":1}]\""
        );
        assert_eq!(
            said(
                json!({"message": "bad", "extra_data": {"errors": [{"name": "scopes", "message": "empty"}, 7]}})
            ),
            ": the server says \"bad\"; scopes: \"empty\""
        );
        for nothing in [
            json!({}),
            json!(null),
            json!([1]),
            json!("x"),
            json!({"extra_data": 3}),
        ] {
            assert_eq!(said(nothing), "");
        }
    }

    #[test]
    fn a_page_is_told_by_type_or_look() {
        assert!(is_html(Some("text/HTML; charset=utf-8"), b""));
        assert!(is_html(None, b"\xef\xbb\xbf \n<!doctype html>"));
        assert!(!is_html(Some("application/json"), b"{}"));
    }

    #[test]
    fn only_the_title_of_a_page_is_shown() {
        let title = |page: &str| html_title(page.as_bytes());
        assert_eq!(
            title("<html><TITLE a=b> Bad\n gateway </Title>").as_deref(),
            Some("Bad gateway")
        );
        assert_eq!(
            title("<title>\u{202e}x</title>").as_deref(),
            Some("\\u{202e}x")
        );
        for none in ["<html>", "<title", "<title>", "<title></title>", ""] {
            assert_eq!(title(none), None, "{none}");
        }
    }
}

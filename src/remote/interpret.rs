//! What an answer means: a success, or which error. Pure.

use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, DATE, HeaderMap, HeaderValue, LOCATION, RETRY_AFTER};
use url::Url;

use super::{
    RemoteError,
    call::Answer,
    credential::CredentialKind,
    error::CallContext,
    problem::{ServerProblem, html_title, is_html},
    refusal::Refusal,
};
use crate::{
    http::{
        CallClass, ClientOptions, Fault, Received, Sent, redact::without_secrets, retry,
        server_text_limited,
    },
    model::ApiUrl,
};

/// The most of an error answer that is read; what is longer is not a message for people.
pub(super) const MAX_ERROR_BODY: usize = 64 * 1024;

/// One attempt that did not succeed.
pub(super) struct Failed {
    pub(super) error: RemoteError,
    pub(super) fault: Fault,
    pub(super) retry_after: Option<Duration>,
}

impl Failed {
    pub(super) fn new(error: RemoteError, fault: Fault) -> Self {
        Self {
            error,
            fault,
            retry_after: None,
        }
    }
}

/// What of the request no text of the answer may show.
pub(super) struct Hidden {
    pub(super) always: Sent,
    pub(super) in_refusals: Sent,
}

/// Tells a usable answer from all others.
pub(super) fn interpret(
    api_url: &ApiUrl,
    options: &ClientOptions,
    class: CallClass,
    received: Received,
    mut at: Box<CallContext>,
    credential: CredentialKind,
    hidden: &Hidden,
) -> Result<Answer, Failed> {
    let Received {
        status,
        headers,
        body,
        whole,
    } = received;
    let key_error = is_key_error(&body);
    let status = if key_error { 404 } else { status };
    let success = (200..300).contains(&status);
    let text = |name| {
        headers
            .get(name)
            .and_then(|v: &HeaderValue| v.to_str().ok())
    };
    let html = is_html(text(CONTENT_TYPE), &body);
    let body = if success && !html {
        hidden.always.hide(body)
    } else {
        hidden.in_refusals.hide(body)
    };
    let done = Fault::Final { unclear: true };
    if success && html {
        let title = html_title(&body);
        return Err(Failed::new(
            RemoteError::HtmlInstead { at, status, title },
            done,
        ));
    }
    if success && !whole {
        let limit = options.max_body;
        return Err(Failed::new(RemoteError::TooLarge { at, limit }, done));
    }
    if success {
        // Should decoding fail, then the server has nevertheless done what was asked.
        at.unclear |= class != CallClass::Read;
        return Ok(Answer { at, body });
    }
    let own = (options.clock)();
    let retry_after = text(RETRY_AFTER)
        .and_then(|value| retry::retry_after(value, retry::server_now(text(DATE), own)));
    let json: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
    let problem = Box::new(ServerProblem::read(&json));
    let error = match status {
        300..=399 => {
            let to = text(LOCATION).filter(|to| !hidden.in_refusals.is_in(to.as_bytes()));
            let to = redirect_target(api_url, to);
            RemoteError::Redirected { at, status, to }
        }
        401 => RemoteError::Unauthorized {
            at,
            credential,
            problem,
        },
        429 => RemoteError::RateLimited {
            at,
            writing: class != CallClass::Read && credential != CredentialKind::None,
            retry_after,
            problem,
        },
        _ if html => {
            let title = html_title(&body);
            RemoteError::HtmlInstead { at, status, title }
        }
        402 | 403 => RemoteError::Forbidden {
            at,
            refusal: Refusal::read(status, &problem, credential),
            problem,
        },
        404 => RemoteError::NotFound { at, problem },
        500.. => RemoteError::Server {
            at,
            status,
            problem,
        },
        _ => RemoteError::Rejected {
            at,
            status,
            problem,
        },
    };
    Err(Failed {
        error,
        fault: Fault::Status(status),
        retry_after,
    })
}

/// Whether a body says that something does not exist, which it may with any status.
fn is_key_error(body: &[u8]) -> bool {
    const WORD: &[u8] = b"KeyError";
    // A look at the bytes spares every other answer a second decoding.
    body.len() <= MAX_ERROR_BODY
        && memchr::memmem::find(body, WORD).is_some()
        && serde_json::from_slice(body)
            .is_ok_and(|json: serde_json::Value| json["error_type"] == "KeyError")
}

/// The server's own request id, if it is one that can be printed.
pub(super) fn echoed_id(headers: &HeaderMap, sent: &Sent) -> Option<String> {
    let id = headers.get("x-request-id")?.to_str().ok()?;
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b':' | b'/');
    let plain = (1..=128).contains(&id.len()) && id.bytes().all(plain);
    let telling = sent.is_in(id.as_bytes()) || without_secrets(id) != id;
    (plain && !telling).then(|| id.to_owned())
}

/// Scheme, host and port of a redirect: its path and query may hold anything.
fn redirect_target(api_url: &ApiUrl, location: Option<&str>) -> String {
    let base = Url::parse(api_url.as_str()).ok();
    let target = location.and_then(|to| match &base {
        Some(base) => base.join(to).ok(),
        None => Url::parse(to).ok(),
    });
    match target.map(|url| (url.origin(), url)) {
        Some((origin, _)) if origin.is_tuple() => origin.ascii_serialization(),
        Some((_, url)) => server_text_limited(url.scheme(), 40),
        None => "an address that it does not name".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redirect_is_told_by_its_origin() {
        let api = ApiUrl::parse("https://app.example.com").unwrap();
        let to = |location| redirect_target(&api, location);
        assert_eq!(
            to(Some("https://evil.example/x?token=canary")),
            "https://evil.example"
        );
        assert_eq!(to(Some("/login")), "https://app.example.com");
        assert_eq!(to(Some("javascript:alert(1)")), "javascript");
        assert_eq!(to(None), "an address that it does not name");
    }

    #[test]
    fn only_a_plain_request_id_is_repeated() {
        let id = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert("x-request-id", HeaderValue::from_static(value));
            echoed_id(&headers, &Sent::default().and(b"canary-key"))
        };
        assert_eq!(id("req-1").as_deref(), Some("req-1"));
        assert_eq!(id(""), None);
        assert_eq!(id("a b"), None);
        assert_eq!(id("for-canary-key"), None);
        assert_eq!(id("https://a.example/consent/1"), None);
    }
}

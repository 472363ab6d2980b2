//! What every request passes: host, request id, and for the API count, delay and credentials.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use url::{Host, Url};
use uuid::Uuid;

use super::{
    answer::ApiError,
    limits::{Class, wait_seconds},
    store::Store,
    tokens::Access,
};
use crate::model::Account;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Where a path belongs, and so what it needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Area {
    /// Counted, delayed, with credentials.
    Api,
    /// Counted and delayed: the login, where credentials come from.
    Oauth,
    /// With the sandbox's key.
    Admin,
    /// For browsers.
    Pages,
}

impl Area {
    fn of(path: &str) -> Self {
        if path.starts_with("/api/") {
            Self::Api
        } else if path.starts_with("/oauth/") {
            Self::Oauth
        } else if path.starts_with("/sandbox/admin/") {
            Self::Admin
        } else {
            Self::Pages
        }
    }
}

pub(super) async fn guard(
    State(store): State<Arc<Store>>,
    request: Request,
    next: Next,
) -> Response {
    let id = request_id(request.headers());
    let area = Area::of(request.uri().path());
    let mut response = if is_local(request.headers()) {
        match area {
            Area::Api | Area::Oauth => api(&store, area, request, next).await,
            Area::Admin if has_key(&store, request.headers()) => next.run(request).await,
            Area::Admin => {
                ApiError::unauthorized("The sandbox's api_key is needed").into_response()
            }
            Area::Pages => next.run(request).await,
        }
    } else {
        // A web page elsewhere may have given its own name this machine's address.
        let message = "the sandbox answers only to loopback host names";
        ApiError::new(StatusCode::MISDIRECTED_REQUEST, message).into_response()
    };
    response.headers_mut().insert(REQUEST_ID, id);
    response
}

async fn api(store: &Arc<Store>, area: Area, mut request: Request, next: Next) -> Response {
    let under_way = store
        .requests
        .begin(request.method().as_str(), request.uri().path());
    if !store.latency.is_zero() {
        tokio::time::sleep(store.latency).await;
    }
    let limit = store.read(|state, _| state.settings.rate_limit.clone());
    let limited = limit.as_ref().is_some_and(|limit| {
        under_way
            .number
            .is_multiple_of(u64::from(limit.every.get()))
    });
    let response = if limited {
        let retry_after = limit.and_then(|limit| limit.retry_after_seconds);
        ApiError::too_many(retry_after).into_response()
    } else if area == Area::Oauth {
        next.run(request).await
    } else {
        match admitted(store, &request) {
            Ok(caller) => {
                request.extensions_mut().insert(caller);
                next.run(request).await
            }
            Err(refusal) => refusal.into_response(),
        }
    };
    under_way.answered(response.status().as_u16());
    response
}

/// The client's request id if it is plain, else a new one.
fn request_id(headers: &HeaderMap) -> HeaderValue {
    let plain = |v: &&HeaderValue| {
        v.len() <= 128 && !v.is_empty() && v.as_bytes().iter().all(u8::is_ascii_graphic)
    };
    headers
        .get(REQUEST_ID)
        .filter(plain)
        .cloned()
        .unwrap_or_else(|| {
            HeaderValue::from_str(&Uuid::new_v4().to_string())
                .unwrap_or_else(|_| HeaderValue::from_static("unknown"))
        })
}

fn is_local(headers: &HeaderMap) -> bool {
    let host = headers.get(header::HOST).and_then(|v| v.to_str().ok());
    let url = host.and_then(|host| Url::parse(&format!("http://{host}/")).ok());
    match url.as_ref().and_then(Url::host) {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

/// Whether a form was sent by a page of ours. Browsers tell; other clients need not.
pub(super) fn is_same_origin(headers: &HeaderMap) -> bool {
    let text = |name: HeaderName| headers.get(name).and_then(|v| v.to_str().ok());
    text(header::ORIGIN).is_none_or(|origin| {
        let host = text(header::HOST).unwrap_or_default();
        origin == format!("http://{host}")
    })
}

/// The bearer token of a request.
pub(super) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then_some(token.trim())
}

fn key(headers: &HeaderMap) -> Option<&[u8]> {
    headers.get("api_key").map(HeaderValue::as_bytes)
}

fn has_key(store: &Store, headers: &HeaderMap) -> bool {
    store.read(|state, _| key(headers) == Some(state.api_key.as_bytes()))
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Caller {
    pub(super) account: Account,
    access: Access,
    by_key: bool,
}

/// Who asks, if the credentials are good.
fn caller(store: &Store, headers: &HeaderMap) -> Option<Caller> {
    let full = |account: Account, by_key| Caller {
        account,
        access: Access::Full,
        by_key,
    };
    store.read(|state, now| {
        if key(headers).is_some() {
            // A key acts for the workspace; its connections are recorded as the usual person's.
            let usual = state.settings.accounts.first()?;
            let good = key(headers) == Some(state.api_key.as_bytes());
            return good.then(|| full(usual.email.clone(), true));
        }
        let token = bearer(headers)?;
        if let Some(known) = state.tokens.iter().find(|known| known.token == token) {
            return Some(Caller {
                account: known.user.clone(),
                access: known.access,
                by_key: false,
            });
        }
        let session = state.login.session(token, now)?;
        Some(full(session.person.email.clone(), false))
    })
}

/// Who asks, or why the request goes no further.
fn admitted(store: &Store, request: &Request) -> Result<Caller, ApiError> {
    let (method, path) = (request.method(), request.uri().path());
    let class = Class::of(method, path);
    if class == Class::Public {
        // Whoever asks is not looked at.
        let account = Account::new("");
        let access = Access::ReadOnly;
        return Ok(Caller {
            account,
            access,
            by_key: false,
        });
    }
    let caller = caller(store, request.headers())
        .ok_or_else(|| ApiError::unauthorized("Not logged in, or the credentials are not valid"))?;
    let wait = store.read(|state, now| {
        let settings = &state.settings;
        if settings.strict_keys && caller.by_key {
            return Err(ApiError::key_refused());
        }
        if caller.access == Access::ReadOnly && method != Method::GET {
            let message = "This personal access token is read-only";
            return Err(ApiError::forbidden(message, "read_only_token"));
        }
        if settings.viewers.contains(&caller.account) {
            let message = "You need editor access to this app";
            return Err(ApiError::forbidden(message, "editor_access_required"));
        }
        if !settings.connectors_in_plan {
            let message = "Connectors need the Builder plan or higher";
            return Err(ApiError::plan_required(message));
        }
        let limits = settings.limits.as_ref();
        Ok(limits.and_then(|limits| store.limits.take(class, limits.multiplier, now)))
    })?;
    match wait {
        None => Ok(caller),
        Some(wait_ms) => Err(ApiError::too_many(Some(wait_seconds(wait_ms, store.speed)))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(name: HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_str(value).unwrap())])
    }

    #[test]
    fn only_loopback_names_are_local() {
        for good in ["127.0.0.1:4400", "localhost", "LOCALHOST:1", "[::1]:80"] {
            assert!(is_local(&with(header::HOST, good)), "{good}");
        }
        for bad in [
            "example.com",
            "localhost.example.com",
            "10.0.0.1",
            "",
            "127.0.0.1.nip.io",
        ] {
            assert!(!is_local(&with(header::HOST, bad)), "{bad}");
        }
        assert!(!is_local(&HeaderMap::new()));
    }

    #[test]
    fn a_strange_request_id_is_replaced() {
        let mine = request_id(&with(REQUEST_ID, "abc-1"));
        assert_eq!(mine, "abc-1");
        assert_ne!(request_id(&with(REQUEST_ID, "a b")), "a b");
    }

    #[test]
    fn forms_come_from_here() {
        let mut headers = with(header::HOST, "127.0.0.1:9");
        assert!(is_same_origin(&headers));
        headers.insert(
            header::ORIGIN,
            HeaderValue::from_static("http://127.0.0.1:9"),
        );
        assert!(is_same_origin(&headers));
        headers.insert(
            header::ORIGIN,
            HeaderValue::from_static("http://evil.example"),
        );
        assert!(!is_same_origin(&headers));
    }
}

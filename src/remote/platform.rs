//! One address, and the way every request takes to it: limits, repetition, errors, trace.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use reqwest::{
    Client, Response,
    header::{CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION, RETRY_AFTER},
};
use tokio::time::timeout;
use url::Url;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::{
    ClientOptions, RemoteError,
    call::{Answer, Authorization, Body, Call},
    error::{At, CredentialKind, Unreachable},
    problem::{Problem, html_title, is_html},
    retry::{self, CallClass, Fault, Verdict},
    text::server_text_limited,
    transport::{self, Failure},
};
use crate::model::ApiUrl;

/// The platform at one address, without an app and without credentials: enough for a login. Cheap
/// to clone.
#[derive(Clone)]
pub struct Platform {
    inner: Arc<Inner>,
}

struct Inner {
    api_url: ApiUrl,
    host: String,
    http: Client,
    options: ClientOptions,
}

impl fmt::Debug for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Platform")
            .field(&self.inner.api_url)
            .finish()
    }
}

/// The most of an error answer that is read; what is longer is no message for people.
const MAX_ERROR_BODY: usize = 64 * 1024;

/// One attempt that did not succeed.
struct Failed {
    error: RemoteError,
    fault: Fault,
    retry_after: Option<Duration>,
}

impl Failed {
    fn new(error: RemoteError, fault: Fault) -> Self {
        Self {
            error,
            fault,
            retry_after: None,
        }
    }
}

/// The head of an answer, and as much of its body as is wanted.
struct Received {
    status: u16,
    headers: HeaderMap,
    body: Zeroizing<Vec<u8>>,
    whole: bool,
}

/// How reading an answer ended early.
enum Stopped {
    Http(reqwest::Error),
    TimedOut,
}

impl Platform {
    /// A client for the platform at this address. Opens no connection yet.
    pub fn new(api_url: &ApiUrl, options: ClientOptions) -> Result<Self, RemoteError> {
        let http = transport::client(api_url, &options)?;
        let host = transport::host_of(api_url);
        let api_url = api_url.clone();
        Ok(Self {
            inner: Arc::new(Inner {
                api_url,
                host,
                http,
                options,
            }),
        })
    }

    /// Where it is.
    pub fn api_url(&self) -> &ApiUrl {
        &self.inner.api_url
    }

    /// The limits it keeps to.
    pub fn options(&self) -> &ClientOptions {
        &self.inner.options
    }

    /// Makes a call, again where its class allows.
    pub(crate) async fn send(
        &self,
        call: &Call,
        credential: Option<&Authorization>,
    ) -> Result<Answer, RemoteError> {
        let options = &self.inner.options;
        let reading = call.class == CallClass::Read;
        let mut unclear = false;
        let mut attempt = 0;
        loop {
            attempt += 1;
            let at = Box::new(At {
                call: call.name.clone(),
                request_id: Uuid::new_v4().to_string(),
                attempts: attempt,
                unclear,
            });
            let mut failed = match self.attempt(call, credential, at).await {
                Ok(answer) => return Ok(answer),
                Err(failed) => failed,
            };
            unclear |= !reading && failed.fault.is_unclear();
            if let Some(at) = failed.error.at_mut() {
                at.unclear = unclear;
            }
            let pause = match call.class.verdict(failed.fault) {
                Verdict::Again => retry::pause(
                    options,
                    attempt,
                    failed.retry_after,
                    self.time_left(),
                    chance(),
                ),
                Verdict::Check | Verdict::Stop => None,
            };
            let Some(pause) = pause else {
                return Err(failed.error);
            };
            tracing::info!(call = %call.name, attempt, ?pause, why = %failed.error, "trying again");
            tokio::time::sleep(pause).await;
        }
    }

    /// Waits as before attempt `next + 1`; `false` if there is to be none. For calls that look
    /// before they repeat.
    pub(crate) async fn pause_before(&self, next: u32) -> bool {
        let Some(pause) = retry::pause(self.options(), next, None, self.time_left(), chance())
        else {
            return false;
        };
        tokio::time::sleep(pause).await;
        true
    }

    fn time_left(&self) -> Option<Duration> {
        let deadline = self.inner.options.deadline;
        deadline.map(|end| end.saturating_duration_since(Instant::now()))
    }

    async fn attempt(
        &self,
        call: &Call,
        credential: Option<&Authorization>,
        mut at: Box<At>,
    ) -> Result<Answer, Failed> {
        let options = &self.inner.options;
        let started = Instant::now();
        let left = self.time_left();
        if left.is_some_and(|left| left.is_zero()) {
            let fault = Fault::Final { unclear: false };
            return Err(Failed::new(RemoteError::DeadlineExceeded { at }, fault));
        }
        let patience = call.patience.unwrap_or(options.read_timeout);
        let whole = options.connect_timeout + options.answer_timeout.max(patience);
        let limit = left.map_or(whole, |left| left.min(whole));
        let received = timeout(
            limit,
            self.exchange(call, credential, &at.request_id, patience),
        )
        .await;
        let took = started.elapsed();
        let trace = |status: u16, request_id: &str| {
            tracing::debug!(
                method = %call.method, path = call.path, status, ms = took.as_millis(), request_id,
                "request"
            );
        };
        let received = match received {
            Ok(Ok(received)) => received,
            Ok(Err(stopped)) => {
                trace(0, &at.request_id);
                return Err(self.no_answer(&stopped, call, at));
            }
            Err(_) => {
                trace(0, &at.request_id);
                let over = left.is_some_and(|left| left <= whole);
                return Err(if over {
                    let fault = Fault::Final { unclear: true };
                    Failed::new(RemoteError::DeadlineExceeded { at }, fault)
                } else {
                    self.no_answer(&Stopped::TimedOut, call, at)
                });
            }
        };
        if let Some(id) = echoed_id(&received.headers) {
            at.request_id = id;
        }
        trace(received.status, &at.request_id);
        let kind = credential.map_or(CredentialKind::None, |c| c.kind);
        self.judge(call, received, at, kind)
    }

    /// Sends the request and reads the answer, each read within `patience`.
    async fn exchange(
        &self,
        call: &Call,
        credential: Option<&Authorization>,
        request_id: &str,
        patience: Duration,
    ) -> Result<Received, Stopped> {
        let request = self
            .request(call, credential, request_id)
            .map_err(Stopped::Http)?;
        let options = &self.inner.options;
        let answer = timeout(
            options.connect_timeout + patience,
            self.inner.http.execute(request),
        );
        let mut answer = answer
            .await
            .map_err(|_| Stopped::TimedOut)?
            .map_err(Stopped::Http)?;
        let status = answer.status().as_u16();
        let headers = std::mem::take(answer.headers_mut());
        let limit = if answer.status().is_success() {
            options.max_body
        } else {
            MAX_ERROR_BODY
        };
        let (body, whole) = read_body(&mut answer, limit, patience).await?;
        Ok(Received {
            status,
            headers,
            body,
            whole,
        })
    }

    fn request(
        &self,
        call: &Call,
        credential: Option<&Authorization>,
        request_id: &str,
    ) -> reqwest::Result<reqwest::Request> {
        let mut url = format!("{}{}", self.inner.api_url, call.path);
        if !call.query.is_empty() {
            let mut query = url::form_urlencoded::Serializer::new(String::new());
            query.extend_pairs(&call.query);
            url.push('?');
            url.push_str(&query.finish());
        }
        let mut request = self
            .inner
            .http
            .request(call.method.clone(), url)
            .header("accept", "application/json")
            .header("x-request-id", request_id);
        if let Some(credential) = credential {
            request = request.header(credential.header, credential.value.clone());
        }
        let (content_type, body) = match &call.body {
            Body::None => return request.build(),
            Body::Json(body) => ("application/json", body),
            Body::Form(body) => ("application/x-www-form-urlencoded", body),
        };
        request
            .header(CONTENT_TYPE, HeaderValue::from_static(content_type))
            .body(body.clone())
            .build()
    }

    fn no_answer(&self, stopped: &Stopped, call: &Call, at: Box<At>) -> Failed {
        let failure = match stopped {
            Stopped::Http(error) => transport::classify(error),
            Stopped::TimedOut => Failure::Unreachable(Unreachable::AnswerTimeout, Fault::NoAnswer),
        };
        match failure {
            Failure::Unreachable(cause, fault) => {
                let host = self.inner.host.clone();
                Failed::new(RemoteError::Unreachable { at, host, cause }, fault)
            }
            Failure::Protocol(why) => {
                let unclear = call.class != CallClass::Read;
                Failed::new(RemoteError::Protocol { at, why }, Fault::Final { unclear })
            }
        }
    }

    /// Tells a usable answer from all others.
    fn judge(
        &self,
        call: &Call,
        received: Received,
        mut at: Box<At>,
        credential: CredentialKind,
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
        let done = Fault::Final { unclear: true };
        if success && html {
            let title = html_title(&body);
            return Err(Failed::new(
                RemoteError::HtmlInstead { at, status, title },
                done,
            ));
        }
        if success && !whole {
            let limit = self.inner.options.max_body;
            return Err(Failed::new(RemoteError::TooLarge { at, limit }, done));
        }
        if success {
            // Should decoding fail, then the server has nevertheless done what was asked.
            at.unclear |= call.class != CallClass::Read;
            return Ok(Answer { at, body });
        }
        let retry_after =
            text(RETRY_AFTER).and_then(|v| retry::retry_after(v, (self.inner.options.clock)()));
        let json: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
        let problem = Box::new(Problem::read(&json));
        let error = match status {
            300..=399 => {
                let to = redirect_target(&self.inner.api_url, text(LOCATION));
                RemoteError::Redirected { at, status, to }
            }
            401 => RemoteError::Unauthorized {
                at,
                credential,
                problem,
            },
            429 => RemoteError::RateLimited {
                at,
                retry_after,
                problem,
            },
            _ if html => {
                let title = html_title(&body);
                RemoteError::HtmlInstead { at, status, title }
            }
            403 => RemoteError::Forbidden { at, problem },
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
}

/// Reads up to `limit` bytes; says whether that was all.
async fn read_body(
    answer: &mut Response,
    limit: usize,
    patience: Duration,
) -> Result<(Zeroizing<Vec<u8>>, bool), Stopped> {
    let announced = answer.content_length().unwrap_or(0);
    if announced > limit as u64 {
        return Ok((Zeroizing::default(), false));
    }
    // Room for all of it where that is little, so that no part is moved and left behind unzeroed.
    let room = usize::try_from(announced)
        .unwrap_or(limit)
        .clamp(4096, 64 * 1024);
    let mut body = Zeroizing::new(Vec::with_capacity(room));
    loop {
        let piece = timeout(patience, answer.chunk()).await;
        match piece
            .map_err(|_| Stopped::TimedOut)?
            .map_err(Stopped::Http)?
        {
            None => return Ok((body, true)),
            Some(piece) if body.len() + piece.len() > limit => return Ok((body, false)),
            Some(piece) => body.extend_from_slice(&piece),
        }
    }
}

/// Whether a body says that something does not exist, which it may with any status.
fn is_key_error(body: &[u8]) -> bool {
    const WORD: &[u8] = b"KeyError";
    // A look at the bytes spares every other answer a second decoding.
    body.len() <= MAX_ERROR_BODY
        && body.windows(WORD.len()).any(|part| part == WORD)
        && serde_json::from_slice(body)
            .is_ok_and(|json: serde_json::Value| json["error_type"] == "KeyError")
}

/// The server's own request id, if it is one that can be printed.
fn echoed_id(headers: &HeaderMap) -> Option<String> {
    let id = headers.get("x-request-id")?.to_str().ok()?;
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b':' | b'/');
    ((1..=128).contains(&id.len()) && id.bytes().all(plain)).then(|| id.to_owned())
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

fn chance() -> u16 {
    // A random UUID's first bytes are random.
    let [a, b, ..] = *Uuid::new_v4().as_bytes();
    u16::from_be_bytes([a, b])
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
            echoed_id(&headers)
        };
        assert_eq!(id("req-1").as_deref(), Some("req-1"));
        assert_eq!(id(""), None);
        assert_eq!(id("a b"), None);
    }
}

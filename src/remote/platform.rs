//! One address, and the way every request takes to it: limits, repetition, errors, trace.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use reqwest::{
    Client, Method,
    header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderValue},
};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::{
    RemoteError,
    call::{Answer, Body, Call, Credential},
    credential::CredentialKind,
    error::CallContext,
    interpret::{Failed, Hidden, MAX_ERROR_BODY, echoed_id, interpret},
    reached::Reached,
};
use crate::{
    http::{
        self, CallClass, ClientOptions, Fault, Limits, NotAdmitted, PaceClass, Received,
        RetryDecision, Sent, Slot, Stopped, TransportError, Unreachable, network, retry, transport,
    },
    model::ApiUrl,
};

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

    /// The same, with a time limit of its own, which an interrupted run does not cut.
    pub(crate) fn within(&self, limit: Duration) -> Self {
        let inner = &self.inner;
        let options = ClientOptions {
            deadline: Instant::now().checked_add(limit),
            // What ends the command does not end this.
            cancel: CancellationToken::new(),
            ..inner.options.clone()
        };
        Self {
            inner: Arc::new(Inner {
                api_url: inner.api_url.clone(),
                host: inner.host.clone(),
                http: inner.http.clone(),
                options,
            }),
        }
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
        credential: Option<&Credential>,
    ) -> Result<Answer, RemoteError> {
        let options = &self.inner.options;
        let reading = call.class == CallClass::Read;
        let mut unclear = false;
        let mut attempt = 0;
        let mut last = None;
        loop {
            attempt += 1;
            let at = Box::new(CallContext {
                attempts: attempt,
                unclear,
                ..call.context()
            });
            let slot = match self.admitted(call).await {
                Ok(slot) => slot,
                Err(NotAdmitted::TooLong(wait)) => {
                    return Err(RemoteError::PaceTooSlow { at, wait });
                }
                Err(NotAdmitted::Cancelled) => {
                    return Err(last.unwrap_or(RemoteError::Interrupted { at }));
                }
            };
            let answered = self.attempt(call, credential, at).await;
            if let (Some(pace), Some(slot)) = (&options.pace, slot) {
                pace.answered(slot).await;
            }
            let mut failed = match answered {
                Ok(answer) => return Ok(answer),
                Err(failed) => failed,
            };
            unclear |= !reading && failed.fault.is_unclear();
            if let Some(at) = failed.error.at_mut() {
                at.unclear = unclear;
            }
            let pause = match call.class.verdict(failed.fault) {
                RetryDecision::Again if !call.once => retry::pause(
                    options,
                    attempt,
                    failed.retry_after,
                    self.time_left(),
                    retry::chance(),
                ),
                RetryDecision::Again | RetryDecision::Check | RetryDecision::Stop => None,
            };
            if let (RemoteError::RateLimited { .. }, Some(pace), Some(class)) =
                (&failed.error, &options.pace, call.pace)
            {
                // All calls of the class hold back, and not each for itself.
                let wait = failed.retry_after.or(pause).unwrap_or_default();
                pace.refused(class, wait).await;
                if let Some(pause) = pause {
                    pace.tell_refused(class, pause);
                }
            }
            let Some(pause) = pause else {
                return Err(failed.error);
            };
            tracing::info!(call = %call.name, attempt, ?pause, why = %failed.error, "trying again");
            if !retry::waited(options, pause).await && reading {
                return Err(failed.error);
            }
            // What may have been done has to be said. A refusal says that it was not.
            last = unclear.then_some(failed.error);
        }
    }

    /// Waits until the server's allowance has room for this call. A write is not begun once the run
    /// is interrupted.
    async fn admitted(&self, call: &Call) -> Result<Option<Slot>, NotAdmitted> {
        let options = &self.inner.options;
        let slot = match (&options.pace, call.pace) {
            (Some(pace), Some(class)) => {
                let admitted = pace.admit(class, self.time_left(), &options.cancel).await;
                Some(admitted?)
            }
            _ => None,
        };
        if call.class != CallClass::Read && options.cancel.is_cancelled() {
            return Err(NotAdmitted::Cancelled);
        }
        Ok(slot)
    }

    /// How many calls of this class can be made right now without a wait.
    pub async fn allowed_now(&self, class: PaceClass) -> usize {
        match &self.inner.options.pace {
            Some(pace) => pace.allowed_now(class).await,
            None => usize::MAX,
        }
    }

    /// Waits as before attempt `next + 1`; `false` if there is to be none. For calls that look
    /// before they repeat.
    pub(crate) async fn pause_before(&self, next: u32) -> bool {
        let Some(pause) = retry::pause(
            self.options(),
            next,
            None,
            self.time_left(),
            retry::chance(),
        ) else {
            return false;
        };
        retry::waited(self.options(), pause).await
    }

    /// How long the command has left.
    pub(crate) fn time_left(&self) -> Option<Duration> {
        let deadline = self.inner.options.deadline;
        deadline.map(|end| end.saturating_duration_since(Instant::now()))
    }

    async fn attempt(
        &self,
        call: &Call,
        credential: Option<&Credential>,
        mut at: Box<CallContext>,
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
        if !options.gate.allows(limit) {
            return Err(lease_over(at));
        }
        let received = timeout(
            limit,
            self.exchange(call, credential, &at.request_id, patience, started + limit),
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
        if let (407, Some(variable)) = (received.status, self.asks_a_proxy()) {
            // It is the proxy that says so, where it is asked for plain http.
            let (host, cause) = (self.inner.host.clone(), Unreachable::ProxyLogin(variable));
            let fault = Fault::Final { unclear: false };
            return Err(Failed::new(
                RemoteError::Unreachable { at, host, cause },
                fault,
            ));
        }
        let sent = credential.map_or_else(Sent::default, |c| c.header.sent());
        // What hands out tokens may hand out the one that it was asked with; a refusal may not.
        let all = call.proofs.iter();
        let all = all.fold(sent.clone(), |sent, proof| {
            sent.and(proof.expose().as_bytes())
        });
        if let Some(id) = echoed_id(&received.headers, &all) {
            at.request_id = id;
        }
        trace(received.status, &at.request_id);
        let kind = credential.map_or(CredentialKind::None, |c| c.kind);
        interpret(
            &self.inner.api_url,
            &self.inner.options,
            call.class,
            received,
            at,
            kind,
            &Hidden {
                always: sent,
                in_refusals: all,
            },
        )
    }

    /// One attempt whose answer is not judged.
    pub(super) async fn answer_of_any_kind(
        &self,
        call: &Call,
        at: Box<CallContext>,
    ) -> Result<Reached, RemoteError> {
        let options = &self.inner.options;
        let limit = options.connect_timeout + options.read_timeout;
        let started = Instant::now();
        let exchange = self.exchange(
            call,
            None,
            &at.request_id,
            options.read_timeout,
            started + limit,
        );
        let received = timeout(limit, exchange)
            .await
            .unwrap_or(Err(Stopped::TimedOut));
        let received = match received {
            Ok(received) => received,
            Err(stopped) => return Err(self.no_answer(&stopped, call, at).error),
        };
        let date = received.headers.get(reqwest::header::DATE);
        Ok(Reached {
            status: received.status,
            request_id: echoed_id(&received.headers, &Sent::default()).unwrap_or(at.request_id),
            date: date.and_then(|date| retry::http_date(date.to_str().ok()?)),
            took: started.elapsed(),
        })
    }

    /// Sends the request and reads the answer, each read within `patience`.
    async fn exchange(
        &self,
        call: &Call,
        credential: Option<&Credential>,
        request_id: &str,
        patience: Duration,
        end: Instant,
    ) -> Result<Received, Stopped> {
        let request = self
            .request(call, credential, request_id, end)
            .map_err(Stopped::Http)?;
        let options = &self.inner.options;
        let limits = Limits {
            first: options.connect_timeout + patience,
            each: patience,
            body: options.max_body,
            error_body: MAX_ERROR_BODY,
        };
        http::exchange(&self.inner.http, request, &limits).await
    }

    fn request(
        &self,
        call: &Call,
        credential: Option<&Credential>,
        request_id: &str,
        end: Instant,
    ) -> reqwest::Result<reqwest::Request> {
        let url = http::address(&self.inner.api_url, &call.path, &call.query);
        let mut request = self
            .inner
            .http
            .request(call.method.clone(), url)
            .header("accept", "application/json")
            .header("x-request-id", request_id);
        if let Some(credential) = credential {
            request = request.header(credential.header.name, credential.header.value.clone());
        }
        let (content_type, body) = match &call.body {
            // Some servers and proxies want a POST to say that it has no body.
            Body::None if call.method == Method::POST => {
                return request.header(CONTENT_LENGTH, 0).build();
            }
            Body::None => return request.build(),
            Body::Json(body) => ("application/json", body),
            Body::Form(body) => ("application/x-www-form-urlencoded", body),
        };
        request
            .header(CONTENT_TYPE, HeaderValue::from_static(content_type))
            .header(CONTENT_LENGTH, body.len())
            .body(self.inner.options.gate.body(body.clone(), end))
            .build()
    }

    /// The variable that names the proxy which answers in the platform's place, if one can.
    fn asks_a_proxy(&self) -> Option<&'static str> {
        let api_url = &self.inner.api_url;
        let open = api_url.as_str().starts_with("http://") && !api_url.is_private();
        let proxy = network::proxy(&self.inner.options.vars, api_url).filter(|_| open)?;
        Some(proxy.0)
    }

    fn no_answer(&self, stopped: &Stopped, call: &Call, at: Box<CallContext>) -> Failed {
        let failure = match stopped {
            Stopped::Http(error) if transport::gate_closed(error) => return lease_over(at),
            Stopped::Http(error) => transport::classify(error),
            Stopped::TimedOut => {
                TransportError::Unreachable(Unreachable::AnswerTimeout, Fault::NoAnswer)
            }
        };
        match failure {
            TransportError::Unreachable(mut cause, fault) => {
                let proxy = network::proxy(&self.inner.options.vars, &self.inner.api_url);
                let mut host = self.inner.host.clone();
                match (&mut cause, proxy) {
                    (
                        Unreachable::ProxyLogin(variable) | Unreachable::ProxyRefused(variable),
                        Some((named, _)),
                    ) => *variable = named,
                    // It may be the proxy that is not there.
                    (
                        Unreachable::Dns
                        | Unreachable::Refused
                        | Unreachable::ConnectTimeout
                        | Unreachable::Other(_),
                        Some((named, _)),
                    ) => host.extend([" (by the proxy that ", named, " names)"]),
                    _ => {}
                }
                Failed::new(RemoteError::Unreachable { at, host, cause }, fault)
            }
            TransportError::Protocol(why) => {
                let unclear = call.class != CallClass::Read;
                Failed::new(RemoteError::Protocol { at, why }, Fault::Final { unclear })
            }
        }
    }
}

/// It was not sent: another connplan may be at work by the time it arrives.
fn lease_over(at: Box<CallContext>) -> Failed {
    let fault = Fault::Final { unclear: false };
    Failed::new(RemoteError::LeaseOver { at }, fault)
}

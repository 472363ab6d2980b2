//! Requests to a forge: limits, repetition, errors. The client underneath is the one that talks to
//! the platform.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use reqwest::{
    Client, Method,
    header::{HeaderMap, HeaderValue, RETRY_AFTER},
};
use serde_json::{Value, json};
use tokio::time::timeout;

use super::{Forge, Place, PublishError, error::ForgeCall};
use crate::{
    http::{
        self, AuthHeader, CallClass, ClientOptions, Fault, Limits, Received, RetryDecision,
        Stopped, TransportError, Unreachable, retry, server_text, transport,
    },
    model::ApiUrl,
};

/// A hundred comments of the longest kind, however they are encoded.
const MAX_BODY: usize = 64 << 20;
/// More pages of a hundred are an error: what they hold is not missed in silence.
const MAX_PAGES: u32 = 100;
/// Where a server says to slow down without saying for how long, it means a minute.
const SLOW_DOWN: Duration = Duration::from_mins(1);

/// Entries on a page.
const PER_PAGE: usize = 100;
/// The path of questions in GraphQL.
const GRAPHQL: &str = "/graphql";

/// A forge's API, with a token.
pub(super) struct Http {
    forge: Forge,
    api: ApiUrl,
    client: Client,
    token: AuthHeader,
    options: ClientOptions,
}

/// A request, without its token.
pub(super) struct Call<'a> {
    /// Fits before "failed".
    pub(super) what: &'static str,
    pub(super) class: CallClass,
    pub(super) method: Method,
    /// Encoded already.
    pub(super) path: String,
    pub(super) query: Vec<(&'static str, String)>,
    pub(super) body: Option<&'a Value>,
}

impl Call<'_> {
    pub(super) fn get(what: &'static str, path: String) -> Self {
        Self {
            what,
            class: CallClass::Read,
            method: Method::GET,
            path,
            query: Vec::new(),
            body: None,
        }
    }
}

/// A success.
pub(super) struct Answer {
    pub(super) body: Value,
    /// Whether there is a page after this one.
    pub(super) more: bool,
    /// What names that page in a list of GitHub's that has no numbers.
    pub(super) mark: Option<String>,
    /// The server's clock.
    pub(super) date: Option<Timestamp>,
}

/// A whole list.
pub(super) struct Listed<T> {
    pub(super) items: Vec<T>,
    /// The server's clock, as of the last page.
    pub(super) date: Option<Timestamp>,
}

struct Failed {
    error: PublishError,
    fault: Fault,
    retry_after: Option<Duration>,
}

/// Why there is no answer in GraphQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoGraphQl {
    /// The server has none: its REST answers are all there is.
    NotOffered,
    /// It did not say.
    Silent,
}

impl Http {
    pub(super) fn new(place: &Place, options: ClientOptions) -> Result<Self, PublishError> {
        let forge = place.forge;
        let token = place
            .token
            .as_ref()
            .ok_or(PublishError::NoToken { forge })?;
        let authorization = AuthHeader::new(token.header, token.prefix, &token.secret)
            .ok_or(PublishError::BadToken { name: token.name })?;
        let client = transport::client(&place.api, &options)
            .map_err(|e| PublishError::TlsSetup { why: e.to_string() })?;
        Ok(Self {
            forge,
            api: place.api.clone(),
            client,
            token: authorization,
            options,
        })
    }

    /// Makes a call, again where its class allows.
    pub(super) async fn send(&self, call: &Call<'_>) -> Result<Answer, PublishError> {
        let mut attempts = 0;
        loop {
            attempts += 1;
            let at = ForgeCall {
                what: call.what,
                forge: self.forge,
                attempts,
            };
            let failed = match self.attempt(call, at).await {
                Ok(answer) => return Ok(answer),
                Err(failed) => failed,
            };
            let pause = match call.class.verdict(failed.fault) {
                RetryDecision::Again => self.pause(attempts, failed.retry_after),
                RetryDecision::Check | RetryDecision::Stop => None,
            };
            let Some(pause) = pause else {
                return Err(failed.error);
            };
            tracing::info!(call = call.what, attempts, ?pause, why = %failed.error, "trying again");
            if !retry::waited(&self.options, pause).await {
                return Err(failed.error);
            }
        }
    }

    /// A whole list, page by page: what `keep` makes of each entry.
    pub(super) async fn list<T>(
        &self,
        what: &'static str,
        path: String,
        query: &[(&'static str, &str)],
        keep: impl Fn(&Value) -> Option<T>,
    ) -> Result<Listed<T>, PublishError> {
        let mut call = Call::get(what, path);
        let query = query
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned()));
        call.query.extend(query);
        call.query.push(("per_page", PER_PAGE.to_string()));
        let mut items = Vec::new();
        for page in 1..=MAX_PAGES {
            call.query.push(("page", page.to_string()));
            let answer = self.send(&call).await?;
            call.query.pop();
            let entries = answer.body.as_array();
            let entries = entries.ok_or_else(|| self.malformed(what, "it is not a list"))?;
            items.extend(entries.iter().filter_map(&keep));
            // A gateway may drop the header that tells of a next page: after a full one, look.
            if !answer.more && entries.len() < PER_PAGE {
                let date = answer.date;
                return Ok(Listed { items, date });
            }
        }
        Err(self.malformed(what, "it has more pages than connplan reads"))
    }

    /// What a question in GraphQL is answered; none where it is not, or not wholly.
    pub(super) async fn graphql(
        &self,
        what: &'static str,
        query: &str,
        variables: &Value,
    ) -> Result<Value, NoGraphQl> {
        let body = json!({"query": query, "variables": variables});
        let call = Call {
            method: Method::POST,
            body: Some(&body),
            ..Call::get(what, GRAPHQL.to_owned())
        };
        match self.send(&call).await {
            Ok(answer) if answer.body["errors"].is_null() => Ok(answer.body["data"].clone()),
            Ok(_) => Err(NoGraphQl::Silent),
            Err(error) => {
                tracing::info!(%error, "no answer in GraphQL");
                Err(match error {
                    error if error.is_absent() => NoGraphQl::NotOffered,
                    _ => NoGraphQl::Silent,
                })
            }
        }
    }

    /// An answer that is not as documented, to the call that does this.
    pub(super) fn malformed(&self, what: &'static str, why: &'static str) -> PublishError {
        PublishError::Malformed {
            at: ForgeCall {
                what,
                forge: self.forge,
                attempts: 1,
            },
            why,
        }
    }

    /// Waits as before attempt `next + 1`; `false` if there is to be none.
    pub(super) async fn pause_before(&self, next: u32) -> bool {
        match self.pause(next, None) {
            Some(pause) => retry::waited(&self.options, pause).await,
            None => false,
        }
    }

    fn pause(&self, next: u32, retry_after: Option<Duration>) -> Option<Duration> {
        let left = self.time_left();
        retry::pause(&self.options, next, retry_after, left, retry::chance())
    }

    /// Until the whole command has to be done.
    fn time_left(&self) -> Option<Duration> {
        let deadline = self.options.deadline;
        deadline.map(|end| end.saturating_duration_since(Instant::now()))
    }

    async fn attempt(&self, call: &Call<'_>, at: ForgeCall) -> Result<Answer, Failed> {
        let unclear = call.class != CallClass::Read;
        let unreachable = |cause: Unreachable, fault: Fault, at: ForgeCall| Failed {
            error: PublishError::Unreachable {
                at,
                host: transport::host_of(&self.api),
                cause,
                unclear: unclear && fault.is_unclear(),
            },
            fault,
            retry_after: None,
        };
        let malformed = |at: ForgeCall, why: &'static str| Failed {
            error: PublishError::Malformed { at, why },
            fault: Fault::Final { unclear },
            retry_after: None,
        };
        let limit = self.options.connect_timeout + self.options.answer_timeout;
        let limit = self.time_left().map_or(limit, |left| left.min(limit));
        let limits = Limits {
            first: limit,
            each: limit,
            body: MAX_BODY,
            error_body: MAX_BODY,
        };
        let exchange = async {
            let request = self.request(call)?;
            http::exchange(&self.client, request, &limits).await
        };
        let received = timeout(limit, exchange).await;
        let received = match received.unwrap_or(Err(Stopped::TimedOut)) {
            Ok(received) => received,
            Err(Stopped::TimedOut) => {
                return Err(unreachable(Unreachable::AnswerTimeout, Fault::NoAnswer, at));
            }
            Err(Stopped::Http(error)) => {
                return Err(match transport::classify(&error) {
                    TransportError::Unreachable(mut cause, fault) => {
                        let proxy = http::network::proxy(&self.options.vars, &self.api);
                        if let Unreachable::ProxyLogin(named) | Unreachable::ProxyRefused(named) =
                            &mut cause
                            && let Some((variable, _)) = proxy
                        {
                            *named = variable;
                        }
                        unreachable(cause, fault, at)
                    }
                    TransportError::Protocol(_) => malformed(at, "it is not valid HTTP"),
                });
            }
        };
        let Received {
            status,
            headers,
            body,
            whole,
        } = received;
        tracing::debug!(method = %call.method, path = call.path, status, "request");
        if !whole {
            return Err(malformed(at, "it is too long"));
        }
        // A gateway that shows the request in its complaint shows the token.
        let body = self.token.sent().hide(body);
        let json = serde_json::from_slice::<Value>(&body);
        if (200..300).contains(&status) {
            let body = json.map_err(|_| malformed(at, "it is not JSON"))?;
            let more = has_next_page(&headers);
            let date = header(&headers, "date").and_then(time);
            let mark = next_mark(&headers);
            return Ok(Answer {
                body,
                more,
                mark,
                date,
            });
        }
        let message = json.ok().and_then(|json| message(&json));
        Err(self.refusal(status, &headers, message, at))
    }

    fn refusal(
        &self,
        status: u16,
        headers: &HeaderMap,
        message: Option<String>,
        at: ForgeCall,
    ) -> Failed {
        let now = retry::server_now(header(headers, "date"), (self.options.clock)());
        let slow_down = slow_down(status, headers, message.as_deref(), now);
        if let Some(retry_after) = slow_down {
            return Failed {
                error: PublishError::RateLimited { at, retry_after },
                // Whatever the status, it is to be tried again.
                fault: Fault::Status(429),
                retry_after: Some(retry_after.unwrap_or(SLOW_DOWN)),
            };
        }
        let error = match status {
            401 | 403 | 404 => PublishError::Refused {
                at,
                status,
                message,
            },
            _ => PublishError::Rejected {
                at,
                status,
                message,
            },
        };
        Failed {
            error,
            fault: Fault::Status(status),
            retry_after: asked_to_wait(headers, now),
        }
    }

    fn request(&self, call: &Call<'_>) -> reqwest::Result<reqwest::Request> {
        let url = if call.path == GRAPHQL {
            // Beside the versions of the other API, where these stand in its address.
            let api = self.api.as_str();
            let root = api.strip_suffix("/v3").or_else(|| api.strip_suffix("/v4"));
            format!("{}{GRAPHQL}", root.unwrap_or(api))
        } else {
            http::address(&self.api, &call.path, &call.query)
        };
        let mut request = self
            .client
            .request(call.method.clone(), url)
            .header(self.token.name, self.token.value.clone());
        request = match self.forge {
            Forge::GitHub => request
                .header("accept", "application/vnd.github+json")
                .header("x-github-api-version", "2022-11-28"),
            Forge::GitLab => request.header("accept", "application/json"),
        };
        if let Some(body) = call.body {
            request = request
                .header("content-type", "application/json")
                .body(body.to_string());
        }
        request.build()
    }
}

/// What a refusal says, fit to be shown. GitLab's `message` may be any JSON.
fn message(json: &Value) -> Option<String> {
    let text = |name: &str| match &json[name] {
        Value::Null => None,
        Value::String(text) => Some(server_text(text)),
        other => Some(server_text(&other.to_string())),
    };
    text("message").or_else(|| text("error"))
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get(name)
        .and_then(|value: &HeaderValue| value.to_str().ok())
}

/// GitHub links to the next page, GitLab names its number. Neither is followed as it stands: the
/// token goes to the address that the runner gave, and nowhere else.
fn has_next_page(headers: &HeaderMap) -> bool {
    header(headers, "link").is_some_and(|links| links.contains("rel=\"next\""))
        || header(headers, "x-next-page").is_some_and(|page| !page.trim().is_empty())
}

/// The mark in GitHub's link to the next page.
fn next_mark(headers: &HeaderMap) -> Option<String> {
    let mut links = header(headers, "link")?.split(',');
    let next = links.find(|link| link.contains("rel=\"next\""))?;
    let (address, _) = next.split_once('<')?.1.split_once('>')?;
    let address = url::Url::parse(address).ok()?;
    let mut query = address.query_pairs();
    query
        .find(|(name, _)| name == "after")
        .map(|(_, mark)| mark.into_owned())
}

/// `Sun, 06 Nov 1994 08:49:37 GMT`.
fn time(text: &str) -> Option<Timestamp> {
    let time = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text);
    time.ok()
}

/// Whether a refusal means "too fast", and for how long. GitHub says so with 403 as well.
#[expect(clippy::option_option, reason = "too fast, and not said for how long")]
fn slow_down(
    status: u16,
    headers: &HeaderMap,
    message: Option<&str>,
    now: u64,
) -> Option<Option<Duration>> {
    let time = asked_to_wait(headers, now);
    let spent = header(headers, "x-ratelimit-remaining") == Some("0");
    let secondary = message.is_some_and(|text| text.to_ascii_lowercase().contains("rate limit"));
    match status {
        429 => Some(time),
        403 if spent || secondary || headers.contains_key(RETRY_AFTER) => Some(time),
        _ => None,
    }
}

/// `Retry-After`, or the time at which a spent limit is renewed. `now` is in milliseconds.
fn asked_to_wait(headers: &HeaderMap, now: u64) -> Option<Duration> {
    let asked = header(headers, "retry-after").and_then(|value| retry::retry_after(value, now));
    let renewed = || {
        if header(headers, "x-ratelimit-remaining") != Some("0") {
            return None;
        }
        let at: u64 = header(headers, "x-ratelimit-reset")?.parse().ok()?;
        Some(Duration::from_millis(
            at.saturating_mul(1000).saturating_sub(now),
        ))
    };
    asked.or_else(renewed)
}

#[cfg(test)]
mod tests;

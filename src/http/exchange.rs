//! One request and its answer, within limits.

use std::time::Duration;

use reqwest::{Client, Request, Response, header::HeaderMap};
use tokio::time::timeout;
use zeroize::Zeroizing;

use crate::model::ApiUrl;

/// How long an answer may take, and how long it may be.
pub(crate) struct Limits {
    /// Until the answer begins.
    pub(crate) first: Duration,
    /// For each next piece of it.
    pub(crate) each: Duration,
    /// The longest success, in bytes.
    pub(crate) body: usize,
    /// The most of any other answer that is read.
    pub(crate) error_body: usize,
}

/// The head of an answer, and as much of its body as is wanted.
pub(crate) struct Received {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Zeroizing<Vec<u8>>,
    pub(crate) whole: bool,
}

/// How reading an answer ended early.
pub(crate) enum Stopped {
    Http(reqwest::Error),
    TimedOut,
}

impl From<reqwest::Error> for Stopped {
    fn from(error: reqwest::Error) -> Self {
        Self::Http(error)
    }
}

/// An address below `base`; `path` is encoded already.
pub(crate) fn address(base: &ApiUrl, path: &str, query: &[(&'static str, String)]) -> String {
    let mut url = format!("{base}{path}");
    if !query.is_empty() {
        let mut pairs = url::form_urlencoded::Serializer::new(String::new());
        pairs.extend_pairs(query);
        url.push('?');
        url.push_str(&pairs.finish());
    }
    url
}

/// Sends a request and reads the answer.
pub(crate) async fn exchange(
    client: &Client,
    request: Request,
    limits: &Limits,
) -> Result<Received, Stopped> {
    let answer = timeout(limits.first, client.execute(request)).await;
    let mut answer = answer.map_err(|_| Stopped::TimedOut)??;
    let status = answer.status().as_u16();
    let headers = std::mem::take(answer.headers_mut());
    let limit = if answer.status().is_success() {
        limits.body
    } else {
        limits.error_body
    };
    let (body, whole) = read_body(&mut answer, limit, limits.each).await?;
    Ok(Received {
        status,
        headers,
        body,
        whole,
    })
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

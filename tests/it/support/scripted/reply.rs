//! What the scripted server answers.

use std::time::Duration;

use serde_json::Value;

/// One answer, or one way not to answer.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
    pub(super) delay: Duration,
    pub(super) fault: Fault,
}

#[derive(Clone, Debug)]
pub(super) enum Fault {
    None,
    ResetUnread,
    ResetRead,
    Cut(usize),
    Endless,
    Drip(Duration),
    Hang,
    Raw(Vec<u8>),
}

impl Reply {
    fn new(status: u16, content_type: &str, body: Vec<u8>) -> Self {
        Self {
            status,
            headers: vec![("content-type".to_owned(), content_type.to_owned())],
            body,
            delay: Duration::ZERO,
            fault: Fault::None,
        }
    }

    fn fault(fault: Fault) -> Self {
        Self {
            fault,
            ..Self::new(200, "application/json", Vec::new())
        }
    }

    /// JSON.
    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self::new(status, "application/json", body.to_string().into_bytes())
    }

    /// A status with a JSON message.
    pub(crate) fn status(status: u16) -> Self {
        Self::json(
            status,
            &serde_json::json!({ "message": format!("scripted {status}") }),
        )
    }

    /// A web page.
    pub(crate) fn html(status: u16, page: &str) -> Self {
        Self::new(status, "text/html; charset=utf-8", page.as_bytes().to_vec())
    }

    /// Any body.
    pub(crate) fn body(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self::new(status, content_type, body.into())
    }

    /// Closes the connection hard without reading the request: it had no effect. The request is
    /// not recorded.
    pub(crate) fn reset_unread() -> Self {
        Self::fault(Fault::ResetUnread)
    }

    /// Reads the request (it had its effect), and closes the connection without an answer.
    pub(crate) fn reset_read() -> Self {
        Self::fault(Fault::ResetRead)
    }

    /// Reads the request and never answers, until the client goes.
    pub(crate) fn hang() -> Self {
        Self::fault(Fault::Hang)
    }

    /// A body that goes on until the client goes.
    pub(crate) fn endless() -> Self {
        Self::fault(Fault::Endless)
    }

    /// These bytes in place of a whole HTTP answer; then the connection is closed.
    pub(crate) fn raw(bytes: impl Into<Vec<u8>>) -> Self {
        Self::fault(Fault::Raw(bytes.into()))
    }

    /// Announces the whole body, sends so many bytes of it, and closes the connection.
    pub(crate) fn cut(mut self, after: usize) -> Self {
        self.fault = Fault::Cut(after);
        self
    }

    /// Sends the body byte by byte, with this pause before each.
    pub(crate) fn drip(mut self, pause: Duration) -> Self {
        self.fault = Fault::Drip(pause);
        self
    }

    /// Adds a header.
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Adds so many headers.
    pub(crate) fn many_headers(mut self, count: usize) -> Self {
        self.headers
            .extend((0..count).map(|n| (format!("x-many-{n}"), "x".repeat(32))));
        self
    }

    /// Waits before the answer begins.
    pub(crate) fn delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    pub(super) fn is_unread(&self) -> bool {
        matches!(self.fault, Fault::ResetUnread)
    }
}

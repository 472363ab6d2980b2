//! A sandbox on a thread of its own, so that the binary can talk to it while a test waits.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test ends at the first surprise"
)]

use std::thread;

use connplan::sandbox::{Decision, Options, Seed};
use serde_json::{Value, json};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use super::APP;
use crate::sandbox::client::{Answer, Site};

/// A running sandbox. It ends when it is dropped.
pub(crate) struct Platform {
    site: Site,
    handle: Handle,
    stop: CancellationToken,
    thread: Option<thread::JoinHandle<()>>,
}

/// What a test says of a connector that is there already.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Connector<'a> {
    pub(crate) name: &'a str,
    pub(crate) status: &'a str,
    pub(crate) scopes: &'a [&'a str],
    pub(crate) account: Option<&'a str>,
}

impl<'a> Connector<'a> {
    /// One that works, authorized by ada.
    pub(crate) fn active(name: &'a str, scopes: &'a [&'a str]) -> Self {
        Self {
            name,
            status: "active",
            scopes,
            account: Some("ada@example.com"),
        }
    }
}

impl Platform {
    /// An empty one.
    pub(crate) fn start() -> Self {
        Self::seeded(json!({}))
    }

    /// One where [`APP`] has these connectors.
    pub(crate) fn with(connectors: &[Connector<'_>]) -> Self {
        let platform = Self::start();
        for connector in connectors {
            platform.set(connector);
        }
        platform
    }

    /// One that starts with a seed.
    pub(crate) fn seeded(seed: Value) -> Self {
        Self::fast(seed, 1)
    }

    /// The same, and its clock runs so many times as fast.
    pub(crate) fn fast(seed: Value, speed: u32) -> Self {
        let seed: Seed = serde_json::from_value(seed).unwrap();
        let stop = CancellationToken::new();
        let (sender, receiver) = std::sync::mpsc::channel();
        let stopped = stop.clone();
        let thread = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                let options = Options {
                    seed: Some(seed),
                    speed,
                    ..Options::default()
                };
                let site = Site::with(options).await;
                sender.send((site, Handle::current())).unwrap();
                stopped.cancelled().await;
            });
        });
        let (site, handle) = receiver.recv().expect("the sandbox starts");
        Self {
            site,
            handle,
            stop,
            thread: Some(thread),
        }
    }

    /// Its address.
    pub(crate) fn url(&self) -> &str {
        self.site.sandbox.api_url()
    }

    /// The key that it accepts.
    pub(crate) fn key(&self) -> &str {
        self.site.sandbox.api_key().expose()
    }

    /// A call with the key; anything but success is a failure of the test.
    #[track_caller]
    pub(crate) fn call(&self, method: &str, path: &str, body: Option<Value>) -> Answer {
        let answer = self.handle.block_on(self.site.call(method, path, body));
        assert!(answer.status < 300, "{method} {path}: {}", answer.text);
        answer
    }

    /// Replaces a connector of [`APP`], behind everybody's back.
    #[track_caller]
    pub(crate) fn set(&self, connector: &Connector<'_>) {
        let path = format!("/sandbox/admin/apps/{APP}/connectors/{}", connector.name);
        let mut body = json!({ "status": connector.status, "scopes": connector.scopes });
        if let Some(account) = connector.account {
            body["account"] = account.into();
        }
        self.call("PUT", &path, Some(body));
    }

    /// Removes a connector of [`APP`], behind everybody's back.
    #[track_caller]
    pub(crate) fn unset(&self, connector: &str) {
        let path = format!("/sandbox/admin/apps/{APP}/connectors/{connector}");
        self.call("DELETE", &path, None);
    }

    /// Sets the Stripe mode of [`APP`]: `sandbox`, `live`, or none.
    #[track_caller]
    pub(crate) fn stripe(&self, mode: Option<&str>) {
        let path = format!("/sandbox/admin/apps/{APP}/stripe");
        self.call("PUT", &path, Some(json!({ "mode": mode })));
    }

    /// What `list` says of a connector of [`APP`].
    pub(crate) fn listed(&self, connector: &str) -> Option<Value> {
        self.handle.block_on(self.site.listed(connector))
    }

    /// What Stripe's status says of [`APP`].
    pub(crate) fn stripe_status(&self) -> Value {
        let path = format!("/api/apps/{APP}/payments/stripe/status");
        self.call("GET", &path, None).json()
    }

    /// All requests so far, `METHOD /path`, in order of arrival, but for the test's own.
    pub(crate) fn requests(&self) -> Vec<String> {
        let log = self.call("GET", "/sandbox/admin/requests", None).json();
        let requests = log["requests"].as_array().unwrap();
        requests
            .iter()
            .map(|request| {
                let word = |key: &str| request[key].as_str().unwrap().to_owned();
                format!("{} {}", word("method"), word("path"))
            })
            .collect()
    }

    /// The requests that write, as `METHOD rest` below the app.
    pub(crate) fn writes(&self) -> Vec<String> {
        let below = format!(" /api/apps/{APP}/");
        self.requests()
            .into_iter()
            .filter(|request| !request.starts_with("GET ") && request.contains("/api/"))
            .map(|request| request.replace(&below, " "))
            .collect()
    }

    /// Forgets the requests so far.
    pub(crate) fn forget(&self) {
        self.call("DELETE", "/sandbox/admin/requests", None);
    }

    /// The links that wait, by connector.
    pub(crate) fn links(&self) -> Vec<(String, String)> {
        let pending = self.pending();
        let word = |p: &Value, key: &str| p[key].as_str().unwrap().to_owned();
        pending
            .iter()
            .map(|p| (word(p, "integration_type"), word(p, "link")))
            .collect()
    }

    /// What waits, as the sandbox tells it.
    pub(crate) fn pending(&self) -> Vec<Value> {
        let answer = self.call("GET", "/sandbox/admin/pending", None).json();
        answer["pending"].as_array().unwrap().clone()
    }

    /// Decides on what waits for a connector.
    #[track_caller]
    pub(crate) fn decide(&self, connector: &str, decision: Decision) {
        let pending = self.pending();
        let mut found = pending.iter().rev();
        let found = found.find(|p| p["integration_type"] == connector);
        let id = found.unwrap_or_else(|| panic!("{connector} does not wait: {pending:?}"));
        let id = id["connection_id"].as_str().unwrap();
        self.handle
            .block_on(self.site.sandbox.consent_to(id, decision))
            .unwrap();
    }

    /// Consents to everything that a connector asks for, as this account.
    #[track_caller]
    pub(crate) fn consent(&self, connector: &str, account: &str) {
        self.decide(connector, Decision::approve(account));
    }

    /// Consents to a part.
    #[track_caller]
    pub(crate) fn consent_to_some(&self, connector: &str, account: &str, scopes: &[&str]) {
        let scopes = Some(scopes.iter().copied().collect());
        let account = connplan::model::Account::new(account);
        self.decide(connector, Decision::Approve { account, scopes });
    }

    /// Lets a login in that said this code.
    #[track_caller]
    pub(crate) fn approve_device(&self, code: &str, email: &str) {
        let known = self.site.sandbox.approve_device(code, email);
        assert!(self.handle.block_on(known).unwrap(), "unknown code {code}");
    }

    /// Changes how the sandbox behaves: these of its settings, the others stay.
    #[track_caller]
    pub(crate) fn behave(&self, changes: &Value) {
        let path = "/sandbox/admin/settings";
        let mut settings = self.call("GET", path, None).json();
        for (name, value) in changes.as_object().unwrap() {
            settings[name] = value.clone();
        }
        self.call("PUT", path, Some(settings));
    }

    /// Sets the sandbox's clock ahead.
    pub(crate) fn advance(&self, seconds: u64) {
        let body = json!({ "advance_seconds": seconds });
        self.call("POST", "/sandbox/admin/clock", Some(body));
    }
}

impl Drop for Platform {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

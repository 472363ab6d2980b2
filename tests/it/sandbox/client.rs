//! A client for tests of the sandbox: whatever it is told to send, it sends.
#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::{fmt::Write, sync::Once};

use connplan::sandbox::{Options, Sandbox, Seed, start};
use reqwest::{Client, Method, RequestBuilder, header::HeaderMap, redirect::Policy};
use serde_json::Value;
use url::form_urlencoded;

/// An answer, read to its end.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|e| panic!("{e}: {}", self.text))
    }
}

/// A sandbox and a client of it.
pub(crate) struct Site {
    pub(crate) sandbox: Sandbox,
    client: Client,
}

impl Site {
    pub(crate) async fn new() -> Self {
        Self::with(Options::default()).await
    }

    pub(crate) async fn seeded(seed: Value) -> Self {
        let seed: Seed = serde_json::from_value(seed).unwrap();
        let seed = Some(seed);
        Self::with(Options {
            seed,
            ..Options::default()
        })
        .await
    }

    pub(crate) async fn with(options: Options) -> Self {
        static PROVIDER: Once = Once::new();
        // reqwest wants one even where nothing is encrypted.
        PROVIDER.call_once(|| drop(rustls::crypto::ring::default_provider().install_default()));
        let client = Client::builder()
            .redirect(Policy::none())
            .no_proxy()
            // Reading those of the machine takes longer than most tests.
            .tls_certs_only([])
            .build()
            .unwrap();
        let sandbox = start(options).await.unwrap();
        Self { sandbox, client }
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = format!("{}{path}", self.sandbox.api_url());
        self.client.request(method, url)
    }

    /// With the sandbox's key and, if given, a JSON body.
    pub(crate) async fn call(&self, method: &str, path: &str, body: Option<Value>) -> Answer {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let key = self.sandbox.api_key().expose();
        let mut request = self.request(method, path).header("api_key", key);
        if let Some(body) = body {
            let json = body.to_string();
            request = request
                .header("content-type", "application/json")
                .body(json);
        }
        send(request).await
    }

    /// To an endpoint of app `app-1`.
    pub(crate) async fn api(&self, method: &str, path: &str, body: Option<Value>) -> Answer {
        self.call(method, &format!("/api/apps/app-1/{path}"), body)
            .await
    }

    /// Asks for scopes.
    pub(crate) async fn put(&self, connector: &str, scopes: &[&str]) -> Value {
        let body = serde_json::json!({ "scopes": scopes });
        let path = format!("external-auth/integrations/{connector}");
        let answer = self.api("PUT", &path, Some(body)).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()
    }

    /// The list's entry of a connector.
    pub(crate) async fn listed(&self, connector: &str) -> Option<Value> {
        let list = self.api("GET", "external-auth/list", None).await.json();
        let all = list["integrations"].as_array().unwrap().clone();
        all.into_iter().find(|c| c["integration_type"] == connector)
    }

    /// The status word of a connection.
    pub(crate) async fn status(&self, connector: &str, id: &str) -> String {
        let path = format!("external-auth/status?integration_type={connector}&connection_id={id}");
        let answer = self.api("GET", &path, None).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()["status"].as_str().unwrap().to_owned()
    }

    /// Opens a page, without credentials, as a browser does.
    pub(crate) async fn page(&self, path: &str) -> Answer {
        let path = path.strip_prefix(self.sandbox.api_url()).unwrap_or(path);
        send(self.request(Method::GET, path)).await
    }

    /// Sends a form.
    pub(crate) async fn form(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let path = path.strip_prefix(self.sandbox.api_url()).unwrap_or(path);
        let body = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        let kind = "application/x-www-form-urlencoded";
        let request = self
            .request(Method::POST, path)
            .header("content-type", kind);
        send(request.body(body)).await
    }
}

/// Sends and reads to the end.
pub(crate) async fn send(request: RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let text = response.text().await.unwrap();
    Answer {
        status,
        headers,
        text,
    }
}

/// The value of a hidden field of a page.
pub(crate) fn hidden(page: &str, name: &str) -> String {
    let mut start = String::new();
    write!(start, "name=\"{name}\" value=\"").unwrap();
    let rest = page
        .split_once(&start)
        .unwrap_or_else(|| panic!("no {name} in {page}"))
        .1;
    rest.split('"').next().unwrap().to_owned()
}

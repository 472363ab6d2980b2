//! The remote of the fault tests: it keeps state, and a record of what was done to it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

/// What every link holds; it must show up nowhere but in private files.
pub const LINK_CANARY: &str = "canarylinkticket";

/// One connector that is listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connector {
    pub status: &'static str,
    pub scopes: BTreeSet<String>,
}

/// One authorization that nobody has answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    pub id: String,
    pub scopes: BTreeSet<String>,
    polls: usize,
}

/// Something that changed the remote, or would have.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    Put(String, BTreeSet<String>),
    Remove(String),
    Install,
    Uninstall,
}

/// The app.
#[derive(Clone, Debug, Default)]
pub struct Model {
    pub connectors: BTreeMap<String, Connector>,
    pub stripe: Option<&'static str>,
    pub waiting: BTreeMap<String, Waiting>,
    /// Connectors whose narrowing needs a consent.
    pub narrow_asks: BTreeSet<String>,
    /// Everything that was done, in order.
    pub effects: Vec<Effect>,
    /// Removals of what is not there, installations of what is: done twice.
    pub redundant: Vec<Effect>,
    /// After so many questions for its status a link counts as consented to.
    pub consent_after: Option<usize>,
    pub done: BTreeSet<String>,
    pub dead: BTreeSet<String>,
    pub links: usize,
    /// Requests were given up, and may arrive after their repetition: then the link that was handed
    /// out is dead, as nobody can know before asking for its status.
    pub late: bool,
    /// Connectors that somebody else has changed.
    pub touched: BTreeSet<String>,
}

/// What counts when two states are compared: not the ids.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    pub connectors: BTreeMap<String, Connector>,
    pub stripe: Option<&'static str>,
    pub waiting: BTreeMap<String, BTreeSet<String>>,
}

impl Model {
    pub fn snapshot(&self) -> Snapshot {
        let waiting = self.waiting.iter();
        Snapshot {
            connectors: self.connectors.clone(),
            stripe: self.stripe,
            waiting: waiting
                .map(|(n, w)| (n.clone(), w.scopes.clone()))
                .collect(),
        }
    }

    /// The person's page ran out: the link is of no use any more.
    pub fn kill_links(&mut self) {
        for (_, waiting) in std::mem::take(&mut self.waiting) {
            self.dead.insert(waiting.id);
        }
    }

    /// Whether what was asked for is in force.
    pub fn is_consented(&self, effect: &Effect) -> bool {
        match effect {
            Effect::Put(name, scopes) => self
                .connectors
                .get(name)
                .is_some_and(|is| is.status == "active" && is.scopes == *scopes),
            _ => true,
        }
    }

    /// Whether a link was, or may have been, replaced by a request that arrived late.
    pub fn is_overtaken(&self, id: Option<&str>) -> bool {
        self.late && id.is_none_or(|id| id.is_empty() || self.dead.contains(id))
    }

    /// Somebody else sets a connector to what no plan holds.
    pub fn stranger(&mut self, name: &str) {
        let theirs = Connector {
            status: "active",
            scopes: BTreeSet::from(["theirs".to_owned()]),
        };
        self.connectors.insert(name.to_owned(), theirs);
        self.touched.insert(name.to_owned());
    }

    /// Answers a request, doing what it asks.
    pub fn answer(&mut self, method: &str, path: &str, query: &str, body: &[u8]) -> (u16, Value) {
        let path = path.strip_prefix("/api/apps/app1/").unwrap_or(path);
        match (method, path) {
            ("GET", "external-auth/list") => (200, self.list()),
            ("GET", "payments/stripe/status") => (200, self.stripe_status()),
            ("GET", "external-auth/status") => self.status(query),
            ("POST", "payments/stripe/install") => {
                if self.stripe.is_some() {
                    self.redundant.push(Effect::Install);
                    return (
                        200,
                        json!({"already_installed": true, "claim_url": claim()}),
                    );
                }
                self.effects.push(Effect::Install);
                self.stripe = Some("sandbox");
                (
                    200,
                    json!({"already_installed": false, "claim_url": claim()}),
                )
            }
            ("DELETE", "payments/stripe") => {
                if self.stripe.take().is_none() {
                    self.redundant.push(Effect::Uninstall);
                    return (404, json!({"detail": "Stripe is not installed"}));
                }
                self.effects.push(Effect::Uninstall);
                (200, json!({"success": true}))
            }
            ("PUT", path) => match path.strip_prefix("external-auth/integrations/") {
                Some(name) => (200, self.put(name, body)),
                None => (404, json!({"detail": "no such endpoint"})),
            },
            ("DELETE", path) => {
                let name = path.strip_prefix("external-auth/integrations/");
                let Some(name) = name.and_then(|name| name.strip_suffix("/remove")) else {
                    return (404, json!({"detail": "no such endpoint"}));
                };
                if self.connectors.remove(name).is_none() {
                    self.redundant.push(Effect::Remove(name.to_owned()));
                    return (404, json!({"detail": "no such connector"}));
                }
                self.effects.push(Effect::Remove(name.to_owned()));
                (200, json!({"status": "removed", "integration_type": name}))
            }
            _ => (404, json!({"detail": "no such endpoint"})),
        }
    }

    /// The answer of a server that did nothing: that it is done, or that there is nothing there.
    pub fn falsely(method: &str, path: &str, gone: bool) -> Option<(u16, Value)> {
        match (method, gone) {
            ("DELETE", true) => Some((404, json!({"detail": "no such connector"}))),
            ("DELETE", false) => Some((
                200,
                json!({"status": "removed", "success": true,
                "integration_type": path.trim_end_matches("/remove").rsplit('/').next()}),
            )),
            ("PUT", _) => Some((
                200,
                json!({"redirect_url": null, "connection_id": null,
                "error": null, "already_authorized": true}),
            )),
            ("POST", _) if path.ends_with("/install") => Some((
                200,
                json!({"already_installed": gone, "claim_url": claim()}),
            )),
            _ => None,
        }
    }

    fn list(&self) -> Value {
        let listed = self.connectors.iter().map(|(name, connector)| {
            json!({"integration_type": name, "status": connector.status,
                   "scopes": connector.scopes, "user_email": "ada@example.com"})
        });
        json!({ "integrations": listed.collect::<Vec<_>>() })
    }

    fn stripe_status(&self) -> Value {
        let claim = self.stripe.map(|_| claim());
        json!({"stripe_mode": self.stripe, "sandbox_claim_url": claim})
    }

    fn put(&mut self, name: &str, body: &[u8]) -> Value {
        let body: Value = serde_json::from_slice(body).expect("the body is JSON");
        let scopes = body["scopes"].as_array().expect("a list of scopes").iter();
        let scopes: BTreeSet<String> = scopes
            .map(|scope| scope.as_str().expect("a scope is text").to_owned())
            .collect();
        self.effects
            .push(Effect::Put(name.to_owned(), scopes.clone()));
        let is = self.connectors.get_mut(name);
        let covered = |is: &Connector| is.status == "active" && scopes.is_subset(&is.scopes);
        if let Some(is) = is.filter(|is| covered(is))
            && (is.scopes == scopes || !self.narrow_asks.contains(name))
        {
            is.scopes = scopes;
            return json!({"redirect_url": null, "connection_id": null, "error": null,
                          "already_authorized": true});
        }
        self.links += 1;
        let id = format!("conn-{name}-{}", self.links);
        let waiting = Waiting {
            id: id.clone(),
            scopes,
            polls: 0,
        };
        if let Some(older) = self.waiting.insert(name.to_owned(), waiting) {
            self.dead.insert(older.id);
        }
        json!({"redirect_url": format!("https://{name}.example/o?t={LINK_CANARY}{id}"),
               "connection_id": id, "already_authorized": false, "error": null})
    }

    fn status(&mut self, query: &str) -> (u16, Value) {
        let id = query
            .split('&')
            .find_map(|pair| pair.strip_prefix("connection_id="));
        let id = id.unwrap_or_default().to_owned();
        let found = self
            .waiting
            .iter_mut()
            .find(|(_, waiting)| waiting.id == id);
        let word = match found {
            Some((name, waiting)) => {
                waiting.polls += 1;
                if self
                    .consent_after
                    .is_some_and(|after| waiting.polls > after)
                {
                    let name = name.clone();
                    self.consent(&name);
                    "ACTIVE"
                } else {
                    "PENDING"
                }
            }
            None if self.done.contains(&id) => "ACTIVE",
            None if self.dead.contains(&id) => "FAILED",
            None => return (404, json!({"detail": "no such connection"})),
        };
        (200, json!({ "status": word }))
    }

    /// The person says yes.
    fn consent(&mut self, name: &str) {
        if let Some(waiting) = self.waiting.remove(name) {
            self.done.insert(waiting.id);
            let connector = Connector {
                status: "active",
                scopes: waiting.scopes,
            };
            self.connectors.insert(name.to_owned(), connector);
        }
    }
}

fn claim() -> String {
    format!("https://dashboard.stripe.example/claim/{LINK_CANARY}")
}

//! What a test or a curious person does to the sandbox from behind. All of it needs the key.

use std::sync::Arc;

use axum::{
    Json,
    body::Bytes,
    extract::{Path, State},
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::{
    answer::ApiError,
    api::{app, link, oauth},
    grant::{Decision, check_account},
    seed::{SeedConnector, SeedInstallation, SeedStripe},
    settings::{Person, Settings},
    state::{App, State as SandboxState, Stripe},
    store::Store,
};
use crate::model::{Account, AppId, ConnectorType, RemoteStatus, Scopes, StripeMode};

type Answer = Result<Json<Value>, ApiError>;

fn body<T: DeserializeOwned>(bytes: &Bytes) -> Result<T, ApiError> {
    serde_json::from_slice(bytes).map_err(|e| ApiError::invalid("body", e.to_string()))
}

/// Yes or no, as the forms say it.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Word {
    Approve,
    Deny,
}

pub(super) async fn requests(State(store): State<Arc<Store>>) -> Json<Value> {
    Json(json!({ "requests": store.requests.all() }))
}

pub(super) async fn forget_requests(State(store): State<Arc<Store>>) -> Json<Value> {
    store.requests.clear();
    Json(json!({ "requests": [] }))
}

pub(super) async fn pending(State(store): State<Arc<Store>>) -> Json<Value> {
    let pending = store.read(|state, now| {
        let open = state.connections.iter();
        let open = open.filter(|(id, _)| state.open_connection(id, now).is_ok());
        let shown = open.map(|(id, c)| {
            json!({
                "app_id": c.app,
                "integration_type": c.connector,
                "connection_id": id,
                "scopes": c.scopes,
                "link": link(&store.base, id, c),
            })
        });
        shown.collect::<Vec<_>>()
    });
    Json(json!({ "pending": pending }))
}

pub(super) async fn replace_connector(
    State(store): State<Arc<Store>>,
    Path((id, connector)): Path<(String, String)>,
    bytes: Bytes,
) -> Answer {
    let (id, connector) = (app(&id)?, oauth(&connector)?);
    let new: SeedConnector = body(&bytes)?;
    store
        .change(|state, _| {
            let app = state.apps.entry(id).or_default();
            app.files.insert(connector.clone());
            app.connectors.insert(connector, new.into());
            Ok(Json(json!({})))
        })
        .await
}

/// What can be done to a connector from behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Play {
    /// Its tokens ran out.
    Expire,
    /// Its connection ended.
    Disconnect,
    /// Its connection was withdrawn at the provider, which the next `list` finds out.
    Withdraw,
    /// Other apps use its connection, or no longer do.
    Share,
}

impl Play {
    pub(super) fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "expire" => Self::Expire,
            "disconnect" => Self::Disconnect,
            "withdraw" => Self::Withdraw,
            "share" => Self::Share,
            _ => return None,
        })
    }

    /// Does it; false if there is no such connector.
    pub(super) fn on(
        self,
        state: &mut SandboxState,
        app: &AppId,
        connector: &ConnectorType,
    ) -> bool {
        let app = state.apps.get_mut(app);
        let Some(found) = app.and_then(|app| app.connectors.get_mut(connector)) else {
            return false;
        };
        match self {
            Self::Expire => found.status = RemoteStatus::Expired,
            Self::Disconnect => found.status = RemoteStatus::Disconnected,
            Self::Withdraw => found.withdrawn = true,
            Self::Share => found.shared = !found.shared,
        }
        true
    }
}

pub(super) async fn break_connector(
    State(store): State<Arc<Store>>,
    Path((id, connector, how)): Path<(String, String, String)>,
) -> Answer {
    let (id, connector) = (app(&id)?, oauth(&connector)?);
    let how = Play::parse(&how)
        .ok_or_else(|| ApiError::not_found("expire, disconnect, withdraw or share"))?;
    store
        .change(|state, _| {
            if !how.on(state, &id, &connector) {
                return Err(ApiError::not_found("There is no such connector"));
            }
            Ok(Json(json!({})))
        })
        .await
}

pub(super) async fn settings(State(store): State<Arc<Store>>) -> Json<Value> {
    Json(store.read(|state, _| json!(state.settings)))
}

pub(super) async fn replace_settings(State(store): State<Arc<Store>>, bytes: Bytes) -> Answer {
    let new: Settings = body(&bytes)?;
    new.check().map_err(|e| ApiError::invalid("accounts", e))?;
    store
        .change(|state, _| {
            state.settings = new;
            Ok(Json(json!({})))
        })
        .await
}

pub(super) async fn tokens(State(store): State<Arc<Store>>) -> Json<Value> {
    Json(store.read(|state, _| json!({ "tokens": state.tokens })))
}

pub(super) async fn remove_connector(
    State(store): State<Arc<Store>>,
    Path((id, connector)): Path<(String, String)>,
) -> Answer {
    let (id, connector) = (app(&id)?, oauth(&connector)?);
    store
        .change(|state, _| {
            Ok(Json(
                json!({ "removed": state.remove(&id, &connector).is_some() }),
            ))
        })
        .await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StripeBody {
    mode: Option<StripeMode>,
    #[serde(default)]
    claimed: bool,
    #[serde(default)]
    age_days: u32,
}

pub(super) async fn replace_stripe(
    State(store): State<Arc<Store>>,
    Path(id): Path<String>,
    bytes: Bytes,
) -> Answer {
    let (id, new): (_, StripeBody) = (app(&id)?, body(&bytes)?);
    store
        .change(|state, now| {
            let whole = |mode| SeedInstallation {
                mode,
                claimed: new.claimed,
                age_days: new.age_days,
            };
            let new = new.mode.map(whole).map(SeedStripe::Whole);
            app_mut(state, id).stripe = new.map(|new| Stripe::seeded(new, now));
            Ok(Json(json!({})))
        })
        .await
}

fn app_mut(state: &mut SandboxState, id: AppId) -> &mut App {
    state.apps.entry(id).or_default()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ConsentBody {
    connection_id: String,
    decision: Word,
    account: Option<Account>,
    scopes: Option<Scopes>,
}

pub(super) async fn consent(State(store): State<Arc<Store>>, bytes: Bytes) -> Answer {
    let asked: ConsentBody = body(&bytes)?;
    store
        .change(|state, now| {
            let decision = match asked.decision {
                Word::Deny => Decision::Deny,
                Word::Approve => Decision::Approve {
                    account: asked.account.unwrap_or_else(|| usual(state).email),
                    scopes: asked.scopes,
                },
            };
            state
                .decide(&asked.connection_id, decision, now)
                .map_err(|e| ApiError::invalid("connection_id", e.to_string()))?;
            Ok(Json(json!({})))
        })
        .await
}

/// Who acts unless someone else is named.
fn usual(state: &SandboxState) -> Person {
    let first = state.settings.accounts.first().cloned();
    first.unwrap_or_else(|| person(state, "ada@example.com"))
}

/// The made-up person of that address, or one made up now.
pub(super) fn person(state: &SandboxState, email: &str) -> Person {
    let known = state.settings.accounts.iter();
    let known = known.into_iter().find(|p| p.email.as_str() == email);
    known.cloned().unwrap_or_else(|| Person {
        email: Account::new(email),
        name: email.split('@').next().unwrap_or_default().to_owned(),
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DeviceBody {
    user_code: String,
    decision: Word,
    account: Option<String>,
}

pub(super) async fn device(State(store): State<Arc<Store>>, bytes: Bytes) -> Answer {
    let asked: DeviceBody = body(&bytes)?;
    store
        .change(|state, now| {
            let who = match (asked.decision, asked.account.as_deref()) {
                (Word::Deny, _) => None,
                (Word::Approve, None) => Some(usual(state)),
                (Word::Approve, Some(email)) => {
                    check_account(email)
                        .map_err(|e| ApiError::invalid("account", e.to_string()))?;
                    Some(person(state, email))
                }
            };
            if !state.login.decide(&asked.user_code, who.as_ref(), now) {
                return Err(ApiError::not_found("No device waits with this code"));
            }
            Ok(Json(json!({})))
        })
        .await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClockBody {
    advance_seconds: u32,
}

pub(super) async fn clock(State(store): State<Arc<Store>>, bytes: Bytes) -> Answer {
    let asked: ClockBody = body(&bytes)?;
    store
        .change(|state, _| {
            let ahead = i64::from(asked.advance_seconds) * 1000;
            state.clock_ahead_ms = state.clock_ahead_ms.saturating_add(ahead);
            Ok(Json(json!({})))
        })
        .await
}

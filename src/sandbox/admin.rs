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
    seed::{Person, SeedConnector},
    state::{App, Connector, State as SandboxState, Stripe},
    store::Store,
};
use crate::model::{Account, AppId, RemoteStatus, Scopes, StripeMode};

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
    let new = Connector {
        status: new.status,
        scopes: new.scopes,
        account: new.account,
        connection: None,
    };
    store
        .change(|state, _| {
            let app = state.apps.entry(id).or_default();
            app.connectors.insert(connector, new);
            Ok(Json(json!({})))
        })
        .await
}

/// `expire` or `disconnect`.
pub(super) async fn break_connector(
    State(store): State<Arc<Store>>,
    Path((id, connector, how)): Path<(String, String, String)>,
) -> Answer {
    let (id, connector) = (app(&id)?, oauth(&connector)?);
    let status = match how.as_str() {
        "expire" => RemoteStatus::Expired,
        "disconnect" => RemoteStatus::Disconnected,
        _ => return Err(ApiError::not_found("expire or disconnect")),
    };
    store
        .change(|state, _| {
            let app = state.apps.get_mut(&id);
            let found = app.and_then(|app| app.connectors.get_mut(&connector));
            let found = found.ok_or_else(|| ApiError::not_found("There is no such connector"))?;
            found.status = status;
            Ok(Json(json!({})))
        })
        .await
}

pub(super) async fn remove_connector(
    State(store): State<Arc<Store>>,
    Path((id, connector)): Path<(String, String)>,
) -> Answer {
    let (id, connector) = (app(&id)?, oauth(&connector)?);
    store
        .change(|state, _| Ok(Json(json!({ "removed": state.remove(&id, &connector) }))))
        .await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StripeBody {
    mode: Option<StripeMode>,
}

pub(super) async fn replace_stripe(
    State(store): State<Arc<Store>>,
    Path(id): Path<String>,
    bytes: Bytes,
) -> Answer {
    let (id, new): (_, StripeBody) = (app(&id)?, body(&bytes)?);
    store
        .change(|state, _| {
            app_mut(state, id).stripe = new.mode.map(Stripe::new);
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

//! The connectors' endpoints, below `/api/apps/{app_id}/`.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Extension, Json,
    body::Bytes,
    extract::{Path, Query, State},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    answer::ApiError,
    grant::{Ask, Asked, Ended, Put, check_scope},
    guard::Caller,
    integrations, provider,
    state::{Connection, State as SandboxState},
    store::Store,
};
use crate::model::{AppId, ConnectorType, Kind, Scope, Scopes, map_of};

type Answer = Result<Json<Value>, ApiError>;

/// The app of a path. Any id is an app; what can be none is not found.
pub(super) fn app(text: &str) -> Result<AppId, ApiError> {
    AppId::parse(text).map_err(|_| ApiError::not_found("There is no such app"))
}

/// The OAuth connector of a path or a query.
pub(super) fn oauth(text: &str) -> Result<ConnectorType, ApiError> {
    let connector = ConnectorType::parse(text)
        .map_err(|e| ApiError::invalid("integration_type", e.to_string()))?;
    match connector.kind() {
        Kind::Oauth => Ok(connector),
        Kind::Stripe => Err(ApiError::invalid(
            "integration_type",
            "Stripe is not authorized; it is installed with payments/stripe/install",
        )),
    }
}

/// The address at which a person decides on a connection.
pub(super) fn link(base: &str, id: &str, connection: &Connection) -> String {
    let ticket = &connection.ticket;
    format!("{base}/sandbox/consent/{id}?ticket={ticket}")
}

pub(super) async fn list(State(store): State<Arc<Store>>, Path(id): Path<String>) -> Answer {
    let id = app(&id)?;
    let withdrawn = store.read(|state, _| {
        let app = state.apps.get(&id);
        app.is_some_and(|app| app.connectors.values().any(|c| c.withdrawn))
    });
    if withdrawn {
        let checked = store.change(|state, _| {
            state.check_live(&id);
            Ok::<_, ApiError>(())
        });
        checked.await?;
    }
    let connectors = store.read(|state, _| {
        let app = state.apps.get(&id);
        let connectors = app.into_iter().flat_map(|app| &app.connectors);
        let connectors = connectors.filter(|(_, c)| !c.outside_list);
        let shown = connectors.map(|(connector, c)| {
            let mut shown = json!({
                "integration_type": connector,
                "status": c.status,
                "scopes": c.scopes,
            });
            if let Some(account) = &c.account {
                shown["user_email"] = json!(account);
            }
            shown
        });
        shown.collect::<Vec<_>>()
    });
    Ok(Json(json!({ "integrations": connectors })))
}

#[derive(Deserialize)]
struct PutBody {
    scopes: Vec<Scope>,
    #[serde(default)]
    connection_config: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct InitiateBody {
    integration_type: String,
    #[serde(default)]
    scopes: Option<Vec<Scope>>,
    #[serde(default)]
    force_reconnect: bool,
    #[serde(default)]
    connection_config: BTreeMap<String, String>,
}

/// Asks for exactly these scopes.
pub(super) async fn put(
    State(store): State<Arc<Store>>,
    Extension(caller): Extension<Caller>,
    Path((id, connector)): Path<(String, String)>,
    body: Bytes,
) -> Answer {
    let (id, connector) = (app(&id)?, oauth(&connector)?);
    let body: PutBody = serde_json::from_slice(&body)
        .map_err(|e| ApiError::invalid("scopes", format!("a list of scopes is needed: {e}")))?;
    let ask = Ask {
        caller: Some(caller.account),
        scopes: scopes(body.scopes)?,
        connection_config: body.connection_config,
        ..Ask::default()
    };
    connect(&store, id, connector, ask).await
}

/// Adds scopes, and takes over where it is told to.
pub(super) async fn initiate(
    State(store): State<Arc<Store>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    body: Bytes,
) -> Answer {
    let id = app(&id)?;
    let body: InitiateBody = serde_json::from_slice(&body)
        .map_err(|e| ApiError::invalid("integration_type", e.to_string()))?;
    let connector = oauth(&body.integration_type)?;
    let ask = Ask {
        caller: Some(caller.account),
        scopes: scopes(body.scopes.unwrap_or_default())?,
        connection_config: body.connection_config,
        force: body.force_reconnect,
        add: true,
    };
    connect(&store, id, connector, ask).await
}

fn scopes(scopes: Vec<Scope>) -> Result<Scopes, ApiError> {
    if scopes.iter().all(check_scope) {
        return Ok(scopes.into_iter().collect());
    }
    let message = "a scope is not empty and has no control characters";
    Err(ApiError::invalid("scopes", message))
}

async fn connect(store: &Arc<Store>, id: AppId, connector: ConnectorType, ask: Ask) -> Answer {
    let missing = store.read(|state, _| {
        integrations::missing(&state.settings, &connector, &ask.connection_config)
    });
    if let Some((field, message)) = missing {
        return Err(ApiError::invalid(&field, message));
    }
    let base = store.base.clone();
    store
        .change(|state, now| {
            let mut answer = json!({
                "redirect_url": null,
                "connection_id": null,
                "already_authorized": false,
                "error": null,
                "error_message": null,
                "other_user_email": null,
            });
            match state.put(&id, &connector, ask, now) {
                Put::Authorized => answer["already_authorized"] = json!(true),
                Put::Redirect(connection) => {
                    let found = state.connections.get(&connection);
                    answer["redirect_url"] = json!(found.map(|c| link(&base, &connection, c)));
                    answer["connection_id"] = json!(connection);
                }
                Put::DifferentUser(account) => {
                    answer["error"] = json!("different_user");
                    answer["error_message"] =
                        json!(format!("{connector} is already connected by {account}"));
                    answer["other_user_email"] = json!(account);
                }
                Put::Forbidden(message) => {
                    return Err(ApiError::forbidden(message, "integration_not_allowed"));
                }
            }
            Ok(Json(answer))
        })
        .await
}

pub(super) async fn status(
    State(store): State<Arc<Store>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    Query(query): Query<BTreeMap<String, String>>,
) -> Answer {
    let id = app(&id)?;
    let field = |name: &str| {
        let value = query.get(name).filter(|value| !value.is_empty());
        value.ok_or_else(|| ApiError::invalid(name, format!("{name} is needed")))
    };
    let connector = oauth(field("integration_type")?)?;
    let connection = field("connection_id")?;
    let asked = store
        .read(|state, now| state.asked(&id, &connector, connection, Some(&caller.account), now));
    let word = match asked {
        Some(Asked::Active) => "ACTIVE",
        Some(Asked::Failed) => "FAILED",
        Some(Asked::Pending) => "PENDING",
        None => return Err(ApiError::not_found("There is no such connection")),
    };
    Ok(Json(json!({ "status": word })))
}

/// Removes a connector; that it was never there is no refusal.
pub(super) async fn remove(
    State(store): State<Arc<Store>>,
    Path((id, connector)): Path<(String, String)>,
) -> Answer {
    end(&store, &id, &connector, "removed", SandboxState::remove).await
}

/// Ends a connection and keeps the connector with its scopes.
pub(super) async fn disconnect(
    State(store): State<Arc<Store>>,
    Path((id, connector)): Path<(String, String)>,
) -> Answer {
    end(
        &store,
        &id,
        &connector,
        "disconnected",
        SandboxState::disconnect,
    )
    .await
}

async fn end(
    store: &Arc<Store>,
    id: &str,
    connector: &str,
    status: &str,
    how: fn(&mut SandboxState, &AppId, &ConnectorType) -> Option<Ended>,
) -> Answer {
    let (id, connector) = (app(id)?, oauth(connector)?);
    store
        .change(|state, _| {
            let mut answer = json!({ "status": status, "integration_type": connector });
            if how(state, &id, &connector) == Some(Ended::Detached) {
                answer["detached"] = json!(true);
            }
            Ok(Json(answer))
        })
        .await
}

pub(super) async fn available(State(store): State<Arc<Store>>, Path(id): Path<String>) -> Answer {
    app(&id)?;
    all_available(State(store)).await
}

/// The same, below no app.
pub(super) async fn all_available(State(store): State<Arc<Store>>) -> Answer {
    store.read(|state, _| {
        if !state.settings.offers_readable {
            return Err(ApiError::not_found("There is no such endpoint"));
        }
        Ok(Json(
            json!({ "integrations": integrations::all(&state.settings) }),
        ))
    })
}

/// What the workspace lets be connected.
pub(super) async fn policies(State(store): State<Arc<Store>>, Path(id): Path<String>) -> Answer {
    app(&id)?;
    store.read(|state, _| {
        if !state.settings.policies_readable {
            return Err(ApiError::not_found("There is no such endpoint"));
        }
        let forbidden = &state.settings.forbidden;
        let offered = integrations::types().filter(|t| !forbidden.keys().any(|f| f.as_str() == *t));
        let mut connectors: Vec<_> = offered.map(|t| policy(t, true)).collect();
        connectors.extend(forbidden.keys().map(|t| policy(t.as_str(), false)));
        Ok(Json(json!({ "connectors": connectors })))
    })
}

fn policy(connector: &str, enabled: bool) -> Value {
    json!({
        "integration_type": connector,
        "builder_connection_enabled": enabled,
        "per_user_connection_enabled": true,
    })
}

/// The values that a connector needs, and those of its connection.
pub(super) async fn connection_config(
    State(store): State<Arc<Store>>,
    Path((id, connector)): Path<(String, String)>,
) -> Answer {
    let (id, connector) = (app(&id)?, oauth(&connector)?);
    store.read(|state, _| {
        let app = state.apps.get(&id);
        let found = app.and_then(|app| app.connectors.get(&connector));
        Ok(Json(json!({
            "integration_type": connector,
            "connection_config_fields": integrations::fields(&state.settings, connector.as_str()),
            "connection_config": found.map(|c| &c.connection_config),
        })))
    })
}

/// What is added to scopes, where the platform tells.
pub(super) async fn auto_added(State(store): State<Arc<Store>>) -> Answer {
    store.read(|state, _| {
        if !state.settings.auto_added_readable {
            return Err(ApiError::not_found("There is no such endpoint"));
        }
        let mut all = map_of(integrations::types().filter_map(|t| {
            let added = provider::added(&ConnectorType::parse(t).ok()?);
            let added: Scopes = added.iter().copied().collect();
            (!added.is_empty()).then(|| (t.to_owned(), added))
        }));
        for (connector, added) in &state.settings.added_scopes {
            let known = all.entry(connector.as_str().to_owned()).or_default();
            *known = known.iter().chain(added.iter()).cloned().collect();
        }
        Ok(Json(json!(all)))
    })
}

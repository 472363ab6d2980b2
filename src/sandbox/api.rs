//! The connectors' endpoints, below `/api/apps/{app_id}/`.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Json,
    body::Bytes,
    extract::{Path, Query, State},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    answer::ApiError,
    grant::{Asked, Put, check_scope},
    integrations,
    state::{Connection, Stripe},
    store::Store,
};
use crate::model::{AppId, ConnectorType, Kind, Scope, Scopes, StripeMode};

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
    let connectors = store.read(|state, _| {
        let app = state.apps.get(&id);
        let connectors = app.into_iter().flat_map(|app| &app.connectors);
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
}

pub(super) async fn put(
    State(store): State<Arc<Store>>,
    Path((id, connector)): Path<(String, String)>,
    body: Bytes,
) -> Answer {
    let (id, connector) = (app(&id)?, oauth(&connector)?);
    let body: PutBody = serde_json::from_slice(&body)
        .map_err(|e| ApiError::invalid("scopes", format!("a list of scopes is needed: {e}")))?;
    if !body.scopes.iter().all(check_scope) {
        return Err(ApiError::invalid(
            "scopes",
            "a scope is not empty and has no control characters",
        ));
    }
    let scopes: Scopes = body.scopes.into_iter().collect();
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
            match state.put(&id, &connector, scopes, now) {
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
    let asked = store.read(|state, now| state.asked(&id, &connector, connection, now));
    let word = match asked {
        Some(Asked::Active) => "ACTIVE",
        Some(Asked::Failed) => "FAILED",
        Some(Asked::Pending) => "PENDING",
        None => return Err(ApiError::not_found("There is no such connection")),
    };
    Ok(Json(json!({ "status": word })))
}

pub(super) async fn remove(
    State(store): State<Arc<Store>>,
    Path((id, connector)): Path<(String, String)>,
) -> Answer {
    let (id, connector) = (app(&id)?, oauth(&connector)?);
    store
        .change(|state, _| {
            if !state.remove(&id, &connector) {
                let message = format!("The app has no connector {connector}");
                return Err(ApiError::not_found(message));
            }
            Ok(Json(
                json!({ "status": "removed", "integration_type": connector }),
            ))
        })
        .await
}

pub(super) async fn available(Path(id): Path<String>) -> Answer {
    app(&id)?;
    Ok(Json(json!({ "integrations": integrations::all() })))
}

/// The address at which a Stripe sandbox is claimed.
pub(super) fn claim_link(base: &str, stripe: &Stripe) -> Option<String> {
    let claim = stripe.claim.as_ref()?;
    Some(format!("{base}/sandbox/stripe/claim/{claim}"))
}

pub(super) async fn stripe_status(
    State(store): State<Arc<Store>>,
    Path(id): Path<String>,
) -> Answer {
    let id = app(&id)?;
    Ok(Json(store.read(|state, _| {
        let stripe = state.apps.get(&id).and_then(|app| app.stripe.as_ref());
        json!({
            "stripe_mode": stripe.map(|stripe| stripe.mode),
            "sandbox_claim_url": stripe.and_then(|stripe| claim_link(&store.base, stripe)),
        })
    })))
}

pub(super) async fn stripe_install(
    State(store): State<Arc<Store>>,
    Path(id): Path<String>,
) -> Answer {
    let id = app(&id)?;
    let base = store.base.clone();
    store
        .change(|state, _| {
            let app = state.apps.entry(id).or_default();
            let already = app.stripe.is_some();
            let stripe = app
                .stripe
                .get_or_insert_with(|| Stripe::new(StripeMode::Sandbox));
            let claim = claim_link(&base, stripe);
            Ok(Json(
                json!({ "already_installed": already, "claim_url": claim }),
            ))
        })
        .await
}

pub(super) async fn stripe_remove(
    State(store): State<Arc<Store>>,
    Path(id): Path<String>,
) -> Answer {
    let id = app(&id)?;
    store
        .change(|state, _| {
            let had = state.apps.get_mut(&id).and_then(|app| app.stripe.take());
            match had {
                Some(_) => Ok(Json(json!({ "success": true }))),
                None => Err(ApiError::not_found("The app has no Stripe installation")),
            }
        })
        .await
}

//! The endpoints of the login: `oauth/device/code`, `oauth/token`, `oauth/userinfo`.

use std::sync::Arc;

use axum::{
    Json,
    body::Bytes,
    extract::State,
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::{Value, json};
use url::form_urlencoded;

use super::{
    answer::ApiError,
    guard,
    login::{CLIENT_ID, Tokens},
    store::Store,
};

#[derive(Deserialize)]
struct DeviceRequest {
    client_id: String,
    #[serde(default)]
    scope: String,
}

pub(super) async fn device_code(
    State(store): State<Arc<Store>>,
    body: Bytes,
) -> Result<Json<Value>, ApiError> {
    let request: DeviceRequest = serde_json::from_slice(&body)
        .map_err(|e| ApiError::oauth("invalid_request", &e.to_string()))?;
    if request.client_id != CLIENT_ID {
        return Err(ApiError::oauth("invalid_client", "There is no such client"));
    }
    let base = store.base.clone();
    store
        .change(|state, now| {
            let (device, user) = state.login.begin(&request.scope, &state.settings, now);
            Ok(Json(json!({
                "device_code": device,
                "user_code": user,
                "verification_uri": format!("{base}/sandbox/device"),
                "verification_uri_complete": format!("{base}/sandbox/device?user_code={user}"),
                "expires_in": state.settings.device_lifetime_seconds,
                "interval": state.settings.device_interval_seconds,
            })))
        })
        .await
}

pub(super) async fn token(
    State(store): State<Arc<Store>>,
    body: Bytes,
) -> Result<Response, ApiError> {
    let form = crate::model::map_of(form_urlencoded::parse(&body).into_owned());
    let field = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    if field("client_id") != CLIENT_ID {
        return Err(ApiError::oauth("invalid_client", "There is no such client"));
    }
    let outcome = match field("grant_type") {
        "urn:ietf:params:oauth:grant-type:device_code" => {
            let code = field("device_code");
            store
                .change(|state, now| {
                    let (login, settings) = (&mut state.login, &state.settings);
                    // A refused poll changes the state too: it is counted.
                    Ok::<_, ApiError>(login.poll(code, settings, now))
                })
                .await?
        }
        "refresh_token" => {
            let token = field("refresh_token");
            store
                .change(|state, now| {
                    let (login, settings) = (&mut state.login, &state.settings);
                    Ok::<_, ApiError>(login.renew(token, settings, now))
                })
                .await?
        }
        _ => Err(("unsupported_grant_type", "There is no such grant")),
    };
    let Tokens {
        access,
        refresh,
        expires_in,
        scope,
    } = outcome.map_err(|(code, text)| ApiError::oauth(code, text))?;
    let answer = Json(json!({
        "access_token": access,
        "token_type": "Bearer",
        "expires_in": expires_in,
        "refresh_token": refresh,
        "scope": scope,
    }));
    Ok(([(header::CACHE_CONTROL, "no-store")], answer).into_response())
}

pub(super) async fn userinfo(
    State(store): State<Arc<Store>>,
    headers: HeaderMap,
) -> Result<Json<Value>, ApiError> {
    let token = guard::bearer(&headers).unwrap_or_default();
    store.read(|state, now| {
        let session = state.login.session(token, now);
        let known = state.tokens.iter().find(|known| known.token == token);
        let mut people = state.settings.accounts.iter();
        let owner = known.and_then(|known| people.find(|p| p.email == known.user));
        let person = session.map(|session| &session.person).or(owner);
        person
            .map(|p| Json(json!({ "email": p.email, "name": p.name })))
            .ok_or_else(|| ApiError::unauthorized("The access token is not valid"))
    })
}

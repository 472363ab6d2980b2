//! Which address is answered by what.

use std::sync::Arc;

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request},
    http::StatusCode,
    middleware,
    response::{IntoResponse, Response},
    routing::{delete, get, post, put},
};

use super::{admin, answer::ApiError, api, guard::guard, oauth, page, store::Store, stripe};

/// The largest body taken, in bytes.
const MAX_BODY: usize = 256 * 1024;

pub(super) fn router(store: Arc<Store>) -> Router {
    Router::new()
        .nest("/api/apps/{app}", platform())
        .route(
            "/api/external-auth/available-integrations",
            get(api::all_available),
        )
        .route("/api/external-auth/auto-added-scopes", get(api::auto_added))
        .nest("/sandbox/admin", behind())
        .route("/oauth/device/code", post(oauth::device_code))
        .route("/oauth/token", post(oauth::token))
        .route("/oauth/userinfo", get(oauth::userinfo))
        .route("/", get(page::index))
        .route(
            "/apps/{app}/editor/workspace/app-connections",
            get(page::app_index),
        )
        .route("/sandbox/style.css", get(page::style))
        .route(
            "/sandbox/settings",
            get(page::settings_form).post(page::settings),
        )
        .route("/sandbox/connector", post(page::play))
        .route(
            "/sandbox/consent/{connection}",
            get(page::consent_form).post(page::consent),
        )
        .route("/sandbox/device", get(page::device_form).post(page::device))
        .route(
            "/sandbox/stripe/claim/{claim}",
            get(page::claim_form).post(page::claim),
        )
        .fallback(not_found)
        .method_not_allowed_fallback(wrong_method)
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(middleware::from_fn_with_state(Arc::clone(&store), guard))
        .with_state(store)
}

fn platform() -> Router<Arc<Store>> {
    Router::new()
        .route("/external-auth/list", get(api::list))
        .route(
            "/external-auth/integrations/{connector}",
            put(api::put).delete(api::disconnect),
        )
        .route("/external-auth/initiate", post(api::initiate))
        .route("/external-auth/connector-governance", get(api::policies))
        .route(
            "/external-auth/connection-config/{connector}",
            get(api::connection_config),
        )
        .route(
            "/external-auth/integrations/{connector}/remove",
            delete(api::remove),
        )
        .route("/external-auth/status", get(api::status))
        .route("/external-auth/available-integrations", get(api::available))
        .route("/payments/stripe/status", get(stripe::status))
        .route("/payments/stripe/install", post(stripe::install))
        .route("/payments/stripe", delete(stripe::remove))
}

fn behind() -> Router<Arc<Store>> {
    Router::new()
        .route(
            "/requests",
            get(admin::requests).delete(admin::forget_requests),
        )
        .route("/pending", get(admin::pending))
        .route("/consent", post(admin::consent))
        .route("/device", post(admin::device))
        .route("/clock", post(admin::clock))
        .route(
            "/settings",
            get(admin::settings).put(admin::replace_settings),
        )
        .route("/tokens", get(admin::tokens))
        .route("/apps/{app}/stripe", put(admin::replace_stripe))
        .route(
            "/apps/{app}/connectors/{connector}",
            put(admin::replace_connector).delete(admin::remove_connector),
        )
        .route(
            "/apps/{app}/connectors/{connector}/{how}",
            post(admin::break_connector),
        )
}

async fn not_found(request: Request) -> Response {
    let path = request.uri().path();
    let machine = ["/api/", "/oauth/", "/sandbox/admin/"];
    if machine.iter().any(|prefix| path.starts_with(prefix)) {
        return ApiError::not_found("There is no such endpoint").into_response();
    }
    page::not_found()
}

async fn wrong_method() -> ApiError {
    ApiError::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "This endpoint has no such method",
    )
}

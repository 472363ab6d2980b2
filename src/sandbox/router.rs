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

use super::{admin, answer::ApiError, api, guard::guard, oauth, page, store::Store};

/// The largest body taken, in bytes.
const MAX_BODY: usize = 256 * 1024;

pub(super) fn router(store: Arc<Store>) -> Router {
    Router::new()
        .nest("/api/apps/{app}", platform())
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
        .route("/external-auth/integrations/{connector}", put(api::put))
        .route(
            "/external-auth/integrations/{connector}/remove",
            delete(api::remove),
        )
        .route("/external-auth/status", get(api::status))
        .route("/external-auth/available-integrations", get(api::available))
        .route("/payments/stripe/status", get(api::stripe_status))
        .route("/payments/stripe/install", post(api::stripe_install))
        .route("/payments/stripe", delete(api::stripe_remove))
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

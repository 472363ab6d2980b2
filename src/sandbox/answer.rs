//! Answers of the API: JSON, and the platform's way of saying no.

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use crate::fs::FsError;

/// A refusal, in the platform's shape: `message`, and `extra_data` where there is more to say.
#[derive(Debug)]
pub(super) struct ApiError {
    status: StatusCode,
    body: Value,
    retry_after_seconds: Option<u32>,
}

impl ApiError {
    pub(super) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self {
            status,
            body: json!({ "message": message.into() }),
            retry_after_seconds: None,
        }
    }

    pub(super) fn unauthorized(message: &str) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, message)
    }

    pub(super) fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, message)
    }

    pub(super) fn forbidden(message: impl Into<String>, reason: &str) -> Self {
        let body = json!({ "message": message.into(), "extra_data": { "reason": reason } });
        Self {
            body,
            ..Self::new(StatusCode::FORBIDDEN, "")
        }
    }

    /// What the subscription does not include.
    pub(super) fn plan_required(message: &str) -> Self {
        let body = json!({ "message": message, "extra_data": { "reason": "plan_required" } });
        Self {
            body,
            ..Self::new(StatusCode::PAYMENT_REQUIRED, "")
        }
    }

    /// The platform's short refusal of a key.
    pub(super) fn key_refused() -> Self {
        let detail = "Workspace API keys cannot call this endpoint; use a personal access token";
        Self {
            body: json!({ "error": "Forbidden", "detail": detail }),
            ..Self::new(StatusCode::FORBIDDEN, "")
        }
    }

    /// A field of the request that is not as it should be.
    pub(super) fn invalid(field: &str, message: impl Into<String>) -> Self {
        let message = message.into();
        let errors = json!([{ "name": field, "message": message }]);
        let body = json!({ "message": message, "extra_data": { "errors": errors } });
        Self {
            body,
            ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, "")
        }
    }

    pub(super) fn too_many(retry_after_seconds: Option<u32>) -> Self {
        Self {
            retry_after_seconds,
            ..Self::new(StatusCode::TOO_MANY_REQUESTS, "Too many requests")
        }
    }

    /// An error of RFC 6749, section 5.2.
    pub(super) fn oauth(error: &str, description: &str) -> Self {
        Self {
            body: json!({ "error": error, "error_description": description }),
            ..Self::new(StatusCode::BAD_REQUEST, "")
        }
    }
}

impl From<FsError> for ApiError {
    fn from(error: FsError) -> Self {
        let message = format!("the sandbox could not keep its state: {error}");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, message)
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(self.body)).into_response();
        if let Some(seconds) = self.retry_after_seconds {
            let headers = response.headers_mut();
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

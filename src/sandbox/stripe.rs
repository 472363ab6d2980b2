//! Stripe's endpoints, below `/api/apps/{app_id}/payments/stripe`.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
};
use serde_json::{Value, json};

use super::{
    answer::ApiError,
    api::app,
    state::{Stripe, StripeState},
    store::Store,
};
use crate::model::StripeMode;

type Answer = Result<Json<Value>, ApiError>;

/// The address at which a Stripe sandbox is claimed.
pub(super) fn claim_link(base: &str, stripe: &Stripe) -> Option<String> {
    let claim = stripe.claim.as_ref()?;
    Some(format!("{base}/sandbox/stripe/claim/{claim}"))
}

pub(super) async fn status(State(store): State<Arc<Store>>, Path(id): Path<String>) -> Answer {
    let id = app(&id)?;
    Ok(Json(store.read(|state, now| {
        let stripe = state.apps.get(&id).and_then(|app| app.stripe.as_ref());
        let usable = stripe.filter(|s| s.state(now) != StripeState::Expired);
        let mut answer = json!({
            "stripe_mode": stripe.map(|stripe| stripe.mode),
            "sandbox_claim_url": usable.and_then(|stripe| claim_link(&store.base, stripe)),
        });
        if let Some(stripe) = stripe.filter(|s| s.mode == StripeMode::Sandbox) {
            answer["sandbox_status"] = json!(stripe.state(now).as_str());
            let end = stripe.expires_ms();
            let end = end.and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
            answer["sandbox_expires_at"] = json!(end.map(|end| end.to_string()));
        }
        answer
    })))
}

/// Makes a sandbox, or finds a usable one; an expired one is replaced.
pub(super) async fn install(State(store): State<Arc<Store>>, Path(id): Path<String>) -> Answer {
    let id = app(&id)?;
    let base = store.base.clone();
    store
        .change(|state, now| {
            let app = state.apps.entry(id).or_default();
            app.stripe
                .take_if(|stripe| stripe.state(now) == StripeState::Expired);
            let already = app.stripe.is_some();
            let stripe = app
                .stripe
                .get_or_insert_with(|| Stripe::new(StripeMode::Sandbox, now));
            let claim = claim_link(&base, stripe);
            Ok(Json(
                json!({ "already_installed": already, "claim_url": claim }),
            ))
        })
        .await
}

pub(super) async fn remove(State(store): State<Arc<Store>>, Path(id): Path<String>) -> Answer {
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

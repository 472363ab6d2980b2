//! Whether the platform can be reached at all, and what time it is there.

use uuid::Uuid;

use super::{Platform, Reached, RemoteError, call::Call, error::CallContext};
use crate::http::CallClass;

impl Platform {
    /// Asks for an answer, once and without credentials.
    pub async fn reach(&self) -> Result<Reached, RemoteError> {
        let name = "reaching the platform";
        let path = "/oauth/userinfo";
        let call = Call::new(name, CallClass::Read, reqwest::Method::GET, path);
        let at = Box::new(CallContext {
            call: call.name.clone(),
            request_id: Uuid::new_v4().to_string(),
            attempts: 1,
            unclear: false,
        });
        self.answer_of_any_kind(&call, at).await
    }
}

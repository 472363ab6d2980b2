//! A request as a value, and what came back.

use std::{borrow::Cow, time::Duration};

use bytes::Bytes;
use reqwest::Method;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use super::{
    credential::CredentialKind,
    decode::decode,
    error::{CallContext, RemoteError},
};
use crate::{
    http::{AuthHeader, CallClass, PaceClass, zeroing},
    model::Secret,
};

/// A request, before it has credentials.
pub(crate) struct Call {
    /// Fits before "failed": `listing the connectors`.
    pub(crate) name: Cow<'static, str>,
    pub(crate) class: CallClass,
    pub(crate) method: Method,
    /// Below the platform's address, with a slash first, encoded already.
    pub(crate) path: String,
    pub(crate) query: Vec<(&'static str, String)>,
    pub(crate) body: Body,
    /// What of the body proves who asks: no refusal may show it.
    pub(crate) proofs: Vec<Secret>,
    /// More patience than the options say, for calls known to be slow.
    pub(crate) patience: Option<Duration>,
    /// What of the server's allowance it takes.
    pub(crate) pace: Option<PaceClass>,
    /// Never repeated, for what is not worth waiting for.
    pub(crate) once: bool,
}

/// What a request carries. Its memory is zeroed: it may hold a refresh token.
pub(crate) enum Body {
    None,
    Json(Bytes),
    Form(Bytes),
}

impl Call {
    pub(crate) fn new(
        name: impl Into<Cow<'static, str>>,
        class: CallClass,
        method: Method,
        path: impl Into<String>,
    ) -> Self {
        Self {
            name: name.into(),
            class,
            method,
            path: path.into(),
            query: Vec::new(),
            body: Body::None,
            proofs: Vec::new(),
            patience: None,
            pace: None,
            once: false,
        }
    }

    /// Before its first attempt.
    pub(crate) fn context(&self) -> CallContext {
        CallContext {
            call: self.name.clone(),
            request_id: uuid::Uuid::new_v4().to_string(),
            attempts: 1,
            unclear: false,
        }
    }

    pub(crate) fn query(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.query.push((name, value.into()));
        self
    }

    pub(crate) fn json(mut self, body: &serde_json::Value) -> Self {
        self.body = Body::Json(zeroing(body.to_string().into_bytes()));
        self
    }

    pub(crate) fn form(mut self, fields: &[(&str, &str)]) -> Self {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(fields);
        self.body = Body::Form(zeroing(form.finish().into_bytes()));
        self
    }

    /// Says what of the body is secret.
    pub(crate) fn proof(mut self, secret: &Secret) -> Self {
        self.proofs.push(secret.clone());
        self
    }

    pub(crate) fn paced(mut self, class: PaceClass) -> Self {
        self.pace = Some(class);
        self
    }

    pub(crate) fn once(mut self) -> Self {
        self.once = true;
        self
    }

    pub(crate) fn patience(mut self, patience: Duration) -> Self {
        self.patience = Some(patience);
        self
    }
}

/// A credential as a header, and which it is.
#[derive(Clone)]
pub(crate) struct Credential {
    pub(crate) header: AuthHeader,
    pub(crate) kind: CredentialKind,
}

impl Credential {
    /// `api_key: <key>`. `None` if the key cannot stand in a header.
    pub(crate) fn api_key(key: &Secret) -> Option<Self> {
        let header = AuthHeader::new("api_key", "", key)?;
        let kind = CredentialKind::ApiKey;
        Some(Self { header, kind })
    }

    /// `Authorization: Bearer <token>`. `None` if the token cannot stand in a header.
    pub(crate) fn bearer(token: &Secret, kind: CredentialKind) -> Option<Self> {
        let header = AuthHeader::new("authorization", "Bearer ", token)?;
        Some(Self { header, kind })
    }
}

/// A success, not yet decoded. Its memory is zeroed: it may hold tokens or links.
pub(crate) struct Answer {
    pub(crate) at: Box<CallContext>,
    pub(crate) body: Zeroizing<Vec<u8>>,
}

impl Answer {
    /// The answer as a value of the API.
    pub(crate) fn decode<T: DeserializeOwned>(&self) -> Result<T, RemoteError> {
        decode(&self.body).map_err(|wrong| RemoteError::Malformed {
            at: self.at.clone(),
            field: wrong.field,
            fault: wrong.fault,
            shape: wrong.shape,
        })
    }

    /// The complaint about a field that decodes and yet makes no sense.
    pub(crate) fn malformed(
        &self,
        field: impl Into<String>,
        fault: impl Into<String>,
    ) -> RemoteError {
        RemoteError::Malformed {
            at: self.at.clone(),
            field: field.into(),
            fault: fault.into(),
            shape: super::decode::shape_of(&self.body),
        }
    }
}

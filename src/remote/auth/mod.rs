//! Who asks: the environment's key or token, or the login that the official client shares.

mod credentials;
mod error;
mod jwt;
mod session;
mod stored;

pub use credentials::{
    BEFORE_LOGIN, CredentialOrigin, Credentials, Found, Identity, VARIABLES, Who, home_folder,
    may_be_used,
};
pub use error::{AuthError, AuthWarning};
pub(crate) use jwt::subject;
pub(crate) use session::{Renewal, Session};
pub use stored::{LoginFile, StoredLogin};

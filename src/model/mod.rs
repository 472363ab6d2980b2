//! The words of the domain as types: connector, scope, remote state, app, account, link.
//!
//! No IO, no wire shapes, no terminal. Everything here that came from a file or from the remote
//! is untrusted text; `escape` is the only way from here to a reader.

mod account;
mod app;
mod connection;
mod connector;
mod declared;
mod diagnostic;
mod hash;
mod head;
mod likeness;
mod map;
mod observed;
mod order;
mod origin;
mod proposal;
mod removal;
mod repository;
mod scope;
mod secret;
mod text;
mod time;
mod vars;

pub use account::{Account, ExpectedAccount};
pub(crate) use account::{expected_shown, shown};
pub use app::{Address, ApiUrl, ApiUrlError, App, AppId, AppIdError};
pub use connection::{ConnectionId, ConnectionIdError};
pub use connector::{ConnectorType, ConnectorTypeError, Kind};
pub use declared::{Declared, DeclaredConnector, Terms, folder_of};
pub use diagnostic::{Diagnostic, Severity};
pub use hash::{Sha256, sha256};
pub use likeness::Likeness;
pub use map::{map_of, set_of};
pub use observed::{Observed, Policies, RemoteConnector, RemoteStatus, SavedValue, StripeMode};
pub use order::{sort, sort_by_key};
pub use origin::{Origin, repository_of};
pub use proposal::{
    BaseName, Line, base_branch, is_for_open_request, is_no_push, is_request, merged_line,
    pushed_branch, pusher, requests_of_run, target_branch,
};
pub use removal::Removal;
pub use repository::RunRepository;
pub use scope::{Scope, Scopes};
pub use secret::{Link, LinkError, Secret};
pub(crate) use text::{display_as_str, text_in_documents};
pub use time::{ago, ahead};
pub use vars::{SetBy, Vars};

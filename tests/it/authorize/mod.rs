//! Resuming what waits for a person.

pub(crate) mod authorize;
mod between;
pub(crate) mod chromium;
pub(crate) mod handed;
pub(crate) mod kept;
pub(crate) mod pty;
#[cfg(unix)]
pub(crate) mod qr;
pub(crate) mod story;
mod turns;

use crate::support::{Platform, Project};

/// What was written, where nothing was.
const NOTHING: [&str; 0] = [];
const ADA: &str = "ada@example.com";

/// Two connectors that an apply has asked for.
fn applied() -> (Platform, Project) {
    let platform = Platform::start();
    let project = Project::new()
        .at(&platform)
        .connector("linear", &["read", "write"])
        .connector("slack", &["chat:write", "users:read"]);
    project
        .run(&["apply", "--auto-approve", "--receipt", "x.receipt"])
        .expect(0);
    platform.forget();
    (platform, project)
}

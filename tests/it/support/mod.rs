//! Support for tests through the binary: a project in a folder of its own, a home of its own, an
//! environment with nothing of the machine's in it, and a platform to talk to.
//!
//! ```ignore
//! let platform = Platform::start();
//! let project = Project::new().at(&platform).connector("slack", &["chat:write"]);
//! let plan = project.run(&["plan", "--format", "json"]);
//! plan.expect(0);
//! assert_eq!(plan.json()["summary"]["create"], 1);
//! assert_eq!(platform.writes(), [] as [&str; 0]);
//! ```

#![allow(dead_code, reason = "support code: not every test uses all of it")]

mod alike;
mod cases;
mod folder;
mod follow;
mod good;
mod output;
mod platform;
mod project;
mod reads;
mod schema;
pub(crate) mod scripted;
mod stories;
mod terminal;

pub(crate) use alike::alike;
pub(crate) use cases::{all_cases, cases, sample};
pub(crate) use folder::folder;
pub(crate) use follow::follow;
pub(crate) use good::{blessing, differs};
pub(crate) use output::{Output, as_saved};
pub(crate) use platform::{Connector, Platform};
pub(crate) use project::{APP, Project, output, short_digest};
pub(crate) use reads::{Read, reads};
pub(crate) use schema::Validator;
pub(crate) use stories::{change, one, one_of_each, planned, result};
pub(crate) use terminal::Pty;

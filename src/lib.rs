//! connplan: plan, apply and authorize the OAuth connectors of a Base44 app.
#![doc = ""]
#![doc = include_str!("../.github/ARCHITECTURE.md")]
//!
//! # The rooms
//!
//! Each row says what a room may import. A pure room touches no file, no network, no clock and no
//! environment, and imports only pure rooms. A test (`tests/it/docs/layers.rs`) reads this table and holds the code to it.
//!
//! | room | pure | may import | is for |
//! |---|---|---|---|
//! | `model` | pure | - | the words of the domain: connector, scope, app, account, link, secret |
//! | `escape` | pure | - | the only way for untrusted text to a reader |
//! | `tables` | pure | `escape` | long TOML documents, read and written row by row |
//! | `catalogue` | pure | `escape` `model` | what is known of scopes, and when two sets of them are the same |
//! | `diff` | pure | `catalogue` `model` | declared against observed |
//! | `plan` | pure | `catalogue` `diff` `escape` `model` `policy` `tables` | built, guarded, saved, read, verified |
//! | `policy` | pure | `catalogue` `diff` `escape` `model` | what no plan may do: rules, violations, the verdict |
//! | `risk` | pure | `catalogue` `diff` `model` | what a change endangers, by rules in one place |
//! | `receipt` | pure | `approval` `diff` `escape` `model` `plan` `tables` | what an apply did |
//! | `approval` | pure | `diff` `escape` `plan` `risk` | who approved a plan, and how that is proved |
//! | `drift` | pure | `catalogue` `diff` `model` `plan` `receipt` | where app and files went apart, and whose doing that is |
//! | `remote_state` | pure | `escape` `model` | the snapshot for speculative plans |
//! | `syntax` | pure | `approval` `catalogue` `escape` `model` `policy` | the texts of a project's files: JSON5, TOML, connector files, settings |
//! | `fs` | io | `escape` `model` | reading within limits, writing whole or not at all, locks |
//! | `state` | io | `config` `escape` `fs` `model` `tables` | the user's state folder, outside every checkout |
//! | `git` | io | `escape` `fs` `model` | the only room that runs git, hardened against what a checkout holds |
//! | `config` | io | `escape` `fs` `model` `syntax` | the project's files: found, read, checked |
//! | `http` | io | `escape` `fs` `model` | requests, for the platform and the forges alike: client, limits, retry, redaction, pace |
//! | `remote` | io | `fs` `http` `model` | the platform's API, credentials, login |
//! | `pending` | io | `diff` `fs` `model` `plan` `state` `tables` | what waits for a person |
//! | `apply` | io | `catalogue` `diff` `escape` `fs` `model` `pending` `plan` `receipt` `remote` `state` | carries out a verified plan; changes the remote |
//! | `authorize` | io | `apply` `catalogue` `diff` `escape` `fs` `model` `pending` `plan` `policy` `receipt` `remote` `state` | resumes authorizations; changes the remote |
//! | `store` | io | `escape` `fs` `git` `model` `pending` `plan` | a team's memory: plans, approvals, what was applied, what waits, who is at work |
//! | `edit` | pure | `catalogue` `diff` `escape` `model` `syntax` | connector files changed in place, byte for byte |
//! | `publish` | io | `approval` `escape` `http` `model` | what a forge is told and asked: comments on a request, the issue about drift, reviews |
//! | `schema` | pure | `catalogue` `model` `risk` `syntax` | JSON Schemas, made from the types |
//! | `sandbox` | io | `escape` `fs` `model` | a stand-in for the platform; imports none of the client |
//! | `term` | io | `escape` `fs` `model` | streams, questions, keys |
//! | `fuzzing` | io | `apply` `config` `model` `pending` `plan` `receipt` `remote` `remote_state` `syntax` `view` | what reads, for the fuzzer; not part of the program |
//! | `view` | io | `approval` `authorize` `catalogue` `diff` `drift` `edit` `escape` `http` `model` `plan` `policy` `publish` `receipt` `remote` `risk` `sandbox` `state` `store` `syntax` `term` | values to text |
//! | `context` | io | `approval` `config` `escape` `fs` `git` `http` `model` `plan` `policy` `remote` `state` `store` `syntax` `term` `view` | what surrounds a run, and how it ends |
//! | `base` | io | `approval` `config` `context` `escape` `fs` `git` `model` `publish` `state` `store` `syntax` | what a proposal is measured against: the base commits, and which of their settings bind |
//! | `ops` | io | `apply` `approval` `authorize` `base` `catalogue` `config` `context` `diff` `escape` `fs` `git` `model` `pending` `plan` `policy` `publish` `receipt` `remote` `state` `store` `syntax` | what a command does: inputs and an event sink in, an outcome out |
//! | `commands` | io | `apply` `approval` `authorize` `base` `catalogue` `config` `context` `diff` `drift` `edit` `escape` `fs` `git` `http` `model` `ops` `page` `pending` `plan` `policy` `publish` `receipt` `remote` `remote_state` `sandbox` `schema` `state` `store` `syntax` `term` `view` | one command each: joins the others |
//! | `page` | io | `authorize` `escape` `model` `view` | the page of `authorize`, on loopback |
//! | `cli` | io | `commands` `context` `escape` `fs` `http` `model` `remote` `state` `store` `syntax` `term` `view` | the grammar, and from arguments to an exit code |
//!
//! # Errors and exit codes
//!
//! Each room has its own error type, whose text is the only one there is; [`context::ExitStatus`] lists
//! the exit codes, and [`context::Failure`] says which error has which.

pub mod apply;
pub mod approval;
pub mod authorize;
pub mod base;
pub mod catalogue;
pub mod cli;
pub mod commands;
pub mod config;
pub mod context;
pub mod diff;
pub mod drift;
pub mod edit;
pub mod escape;
pub mod fs;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
pub mod git;
pub mod http;
pub mod model;
pub mod ops;
pub mod page;
pub mod pending;
pub mod plan;
pub mod policy;
pub mod publish;
pub mod receipt;
pub mod remote;
pub mod remote_state;
pub mod risk;
pub mod sandbox;
pub mod schema;
pub mod state;
pub mod store;
pub mod syntax;
pub mod tables;
pub mod term;
pub mod view;

//! What becomes of each connector file when the remote's connectors are written to the files.

use std::collections::{BTreeMap, BTreeSet};

use miette::Diagnostic;
use thiserror::Error;

use super::{EditError, platform_file, scopes};
use crate::{
    catalogue::{self, ScopeEquivalence},
    diff::{ConsentNeed, Waiting},
    model::{ConnectorType, Declared, Kind, RemoteConnector, Scope, Scopes},
    syntax::parse_connector,
};

/// All that is looked at.
#[derive(Clone, Copy, Debug)]
pub struct Inputs<'a> {
    /// What the files declare.
    pub declared: &'a Declared,
    /// The files' texts, by the names in `declared`.
    pub texts: &'a BTreeMap<String, String>,
    /// The remote.
    pub observed: &'a BTreeMap<ConnectorType, RemoteConnector>,
    /// Scopes that wait for a person, by connector.
    pub pending: &'a BTreeMap<ConnectorType, Waiting>,
    /// How scopes compare.
    pub rules: &'a ScopeEquivalence,
    /// The folder's shown name, without a slash at its end.
    pub folder: &'a str,
    /// Everything that lies in the folder, by name.
    pub taken: &'a BTreeSet<String>,
    /// Connectors whose files' lines are not shown.
    pub unquoted: &'a BTreeSet<ConnectorType>,
    /// Whether files go whose type the remote lacks.
    pub prune: bool,
}

/// What becomes of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileChange {
    /// The connector.
    pub connector: ConnectorType,
    /// The file, relative to the project root, with `/`.
    pub file: String,
    /// What happens to it.
    pub what: What,
    /// Whether its lines are shown: not where a link led to it.
    pub quoted: bool,
}

/// What happens to a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// It comes into being.
    Create(String),
    /// It is edited.
    Edit {
        /// Its text.
        before: String,
        /// What that becomes.
        after: String,
    },
    /// It is removed.
    Remove(String),
    /// It says what the remote has.
    Unchanged,
    /// It differs from the remote, and stays all the same.
    Kept(Reason),
}

/// Why a file stays that differs from the remote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The connector waits for a person: the remote is about to be as the file says.
    Pending,
    /// The remote lacks the type, and nobody asked for such files to go.
    Unlisted,
}

impl Reason {
    /// The word in machine output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending-authorization",
            Self::Unlisted => "not-in-app",
        }
    }
}

/// Why nothing is pulled.
#[derive(Debug, Error, Diagnostic)]
pub enum PullError {
    /// Two names that one file system may take for one.
    #[error(
        "{file} declares `{declared}`, and the app has `{remote}`: the same except for upper and lower case"
    )]
    #[diagnostic(
        code(connplan::pull::type_case),
        help("write the type in {file} as the app does, `{remote}`, and pull again")
    )]
    TypeCase {
        /// The file.
        file: String,
        /// What it declares.
        declared: ConnectorType,
        /// What the remote has.
        remote: ConnectorType,
    },
    /// A type that no file may have.
    #[error("the app has the connector `{connector}`, which no file can declare")]
    #[diagnostic(
        code(connplan::pull::no_file),
        help(
            "remove it in the app's settings, or leave it alone with `unlisted = \"keep\"` in connplan.toml"
        )
    )]
    NoFile {
        /// The type.
        connector: ConnectorType,
    },
    /// No free name.
    #[error("there is no free file name for `{connector}` in {folder}")]
    #[diagnostic(
        code(connplan::pull::no_name),
        help("rename or remove files like {connector}.jsonc there that declare something else")
    )]
    NoName {
        /// The type.
        connector: ConnectorType,
        /// The folder.
        folder: String,
    },
    /// A file whose scopes cannot be changed in place.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Edit(#[from] EditError),
}

/// Decides on every file, in order of type. Pure.
pub fn decide(inputs: Inputs<'_>) -> Result<Vec<FileChange>, PullError> {
    let mut steps = Vec::new();
    let mut taken: BTreeSet<String> = inputs.taken.iter().map(|name| lower(name)).collect();
    let names: BTreeSet<_> = inputs
        .declared
        .connectors
        .keys()
        .chain(inputs.observed.keys())
        .collect();
    for connector in names {
        let declared = inputs.declared.connectors.get(connector);
        let remote = inputs.observed.get(connector);
        let (file, what) = match (declared, remote) {
            (Some(declared), remote) => {
                let text = inputs.texts.get(&declared.file).cloned();
                let text = text.unwrap_or_default();
                let what = existing(inputs, connector, &declared.scopes, remote, text, || {
                    declared.file.clone()
                })?;
                (declared.file.clone(), what)
            }
            (None, Some(remote)) => {
                differing_case(inputs, connector)?;
                let name = free_name(connector, &taken).ok_or_else(|| PullError::NoName {
                    connector: connector.clone(),
                    folder: inputs.folder.to_owned(),
                })?;
                taken.insert(lower(&name));
                let listed = writable(connector, &remote.scopes);
                let scopes = for_new_file(inputs.rules, connector, &listed);
                let text = platform_file(connector, &scopes);
                if parse_connector(&name, &text).0.is_none() {
                    return Err(PullError::NoFile {
                        connector: connector.clone(),
                    });
                }
                let file = match inputs.folder {
                    "." => name,
                    folder => format!("{folder}/{name}"),
                };
                (file, What::Create(text))
            }
            (None, None) => continue,
        };
        steps.push(FileChange {
            connector: connector.clone(),
            file,
            what,
            quoted: !inputs.unquoted.contains(connector),
        });
    }
    Ok(steps)
}

fn existing(
    inputs: Inputs<'_>,
    connector: &ConnectorType,
    declared: &Scopes,
    remote: Option<&RemoteConnector>,
    text: String,
    file: impl Fn() -> String,
) -> Result<What, EditError> {
    let Some(remote) = remote else {
        return Ok(if inputs.pending.contains_key(connector) {
            What::Kept(Reason::Pending)
        } else if inputs.prune {
            What::Remove(text)
        } else {
            What::Kept(Reason::Unlisted)
        });
    };
    if connector.kind() == Kind::Stripe {
        return Ok(What::Unchanged);
    }
    let listed = writable(connector, &remote.scopes);
    let wanted = after_pull(inputs.rules, connector, declared, &listed);
    if wanted == *declared {
        return Ok(What::Unchanged);
    }
    if waits(inputs, connector) {
        return Ok(What::Kept(Reason::Pending));
    }
    let after = scopes(&file(), &text, &wanted)?;
    Ok(What::Edit {
        before: text,
        after,
    })
}

/// Whether what the file says was asked for already, as a plan would see it.
fn waits(inputs: Inputs<'_>, connector: &ConnectorType) -> bool {
    let targets = [connector.clone()].into();
    let found = crate::diff::Comparison {
        declared: inputs.declared,
        observed: inputs.observed,
        pending: inputs.pending,
        rules: inputs.rules,
        unlisted: crate::diff::Unlisted::Keep,
        on_remove: crate::model::Removal::Remove,
        targets: &targets,
    }
    .run();
    found
        .changes
        .iter()
        .any(|change| change.authorization == ConsentNeed::Pending)
}

/// The scopes that a file declares after a pull: those of the remote, spelt as declared where they
/// are declared, without what the provider put there by itself.
fn after_pull(
    rules: &ScopeEquivalence,
    connector: &ConnectorType,
    declared: &Scopes,
    remote: &Scopes,
) -> Scopes {
    let mut scopes = declared.clone();
    // A scope that goes can take another with it that came along with it: look again.
    for _ in 0..4 {
        let found = rules.compare(connector, &scopes, remote);
        if found.is_same() {
            return scopes;
        }
        let kept = found.kept.iter().chain(found.removed.iter());
        scopes = kept
            .filter(|scope| !scope.as_str().trim().is_empty())
            .cloned()
            .collect();
    }
    remote.clone()
}

/// What the remote lists, as a file can say it: a string that a provider reads as several scopes is
/// several, and an empty one is none.
fn writable(connector: &ConnectorType, listed: &Scopes) -> Scopes {
    let parts = listed.iter();
    let parts = parts.flat_map(|scope| catalogue::parts(connector.as_str(), scope.as_str()));
    parts.map(Scope::from).collect()
}

/// Who somebody is: a person may have written these, though providers add them too.
const IDENTITY: [&str; 3] = ["openid", "email", "profile"];

/// The scopes of a file that is not there yet: what the remote lists but for what the provider adds
/// in its own spelling. `email` on a Google connector was written by somebody, and the next push by
/// the official client would lose it. Of `openid` nobody can tell, so it stays too; but beside what only
/// Google spells as an address (`…/userinfo.email`), it came along with that.
fn for_new_file(rules: &ScopeEquivalence, connector: &ConnectorType, remote: &Scopes) -> Scopes {
    let plain = after_pull(rules, connector, &Scopes::new(), remote);
    let identity = |scope: &&Scope| IDENTITY.contains(&scope.as_str());
    let spelt = |scope: &&Scope| rules.is_addition_as_spelt(connector, scope);
    let address = |scope: &Scope| scope.as_str().contains("://");
    let came_along = remote.iter().any(|scope| spelt(&scope) && address(scope));
    let came_along = came_along && !plain.is_empty();
    let asked = remote
        .iter()
        .filter(|scope| rules.added_by_provider(connector, scope))
        .filter(|scope| match scope.as_str() {
            "openid" => !came_along,
            _ => identity(scope) || !spelt(scope),
        });
    plain.iter().chain(asked).cloned().collect()
}

fn differing_case(inputs: Inputs<'_>, remote: &ConnectorType) -> Result<(), PullError> {
    let mut declared = inputs.declared.connectors.iter();
    match declared.find(|(name, _)| lower(name.as_str()) == lower(remote.as_str())) {
        None => Ok(()),
        Some((name, found)) => Err(PullError::TypeCase {
            file: crate::escape::limited(&found.file, 200),
            declared: name.clone(),
            remote: remote.clone(),
        }),
    }
}

/// `{type}.jsonc`, or with a number if that is another's. A type is always a safe file name; on
/// some systems names that differ in case are one.
pub fn free_name(connector: &ConnectorType, taken: &BTreeSet<String>) -> Option<String> {
    let plain = std::iter::once(format!("{connector}.jsonc"));
    plain
        .chain((2..100).map(|n| format!("{connector}-{n}.jsonc")))
        .find(|name| !taken.contains(&lower(name)))
}

fn lower(name: &str) -> String {
    name.to_lowercase()
}

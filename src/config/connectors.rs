//! The connectors folder: every file read, checked, and held against the others.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use super::{
    Project,
    unread::{self, Role, Unread, role},
    within::{read_file, shown_path},
};
use crate::{
    fs::{Owners, is_open_to_all, look},
    model::{self, ConnectorType, Declared, Scope, map_of},
    syntax::{
        Finding, ParsedConnector, Problem, Source, has_only_keys_of_a_connector, parse_connector,
        tree::Span,
    },
};

/// All that the project's files say, and all that is wrong with them.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// What is declared; `None` if any problem is an error, so that nothing half-read is planned.
    pub declared: Option<Declared>,
    /// Those of the project's own files first, then file by file; within a file errors first.
    pub problems: Vec<Problem>,
    /// Where each declared scope stands.
    places: BTreeMap<ConnectorType, Place>,
    /// What the folder held. An empty or missing one is not an error here: what it means depends on
    /// the remote.
    pub folder: Folder,
    /// What looks like a connector file and is not read.
    pub unread: Vec<Unread>,
}

/// Where a connector's file says what.
#[derive(Clone, Debug)]
struct Place {
    source: Source,
    connector: Span,
    scopes: BTreeMap<Scope, Span>,
    values: BTreeMap<String, Span>,
}

/// What was found at the connectors folder's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Folder {
    /// There is no such folder.
    Missing,
    /// A folder without a connector file, or one that cannot be read, which is an error.
    Empty,
    /// That many connector files.
    Read(usize),
}

/// Where the links among the files of the connectors folder stand: what such a file says lies elsewhere.
pub fn links(project: &Project) -> Vec<PathBuf> {
    let folder = &project.connectors_dir;
    let names = list(&project.root, folder).unwrap_or_default();
    let paths = names.into_iter().map(|name| folder.join(name));
    paths.filter(|path| path.is_symlink()).collect()
}

/// Reads every connector file of the project: `*.json`, `*.jsonc` and `*.toml` directly in the
/// folder, without dotfiles, in order of their names.
pub fn read(project: &Project) -> Loaded {
    let mut problems = project.problems.clone();
    let folder = &project.connectors_dir;
    let names = match list(&project.root, folder) {
        Ok(names) => names,
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            return Loaded::new(Vec::new(), problems, Folder::Missing);
        }
        Err(e) => {
            let reason = e.to_string();
            let path = shown_path(&project.root, folder);
            problems.push(Problem::about(Finding::FolderUnreadable { reason }, &path));
            return Loaded::new(Vec::new(), problems, Folder::Empty);
        }
    };
    let mut parsed = Vec::new();
    let mut unread = Vec::new();
    let mut count = 0;
    let roots = [project.root.as_path(), folder.as_path()];
    let owners = if is_open_to_all(folder) {
        project.owners_of_connectors
    } else {
        // Those who work together write in it, whosever the files are.
        Owners::Any
    };
    for path in unread::below(folder) {
        let file = shown_path(&project.root, &path);
        problems.push(Problem::about(Finding::BelowFolder, &file));
        let declares = unread::declared_in(&roots, owners, &path);
        unread.push(Unread { file, declares });
    }
    let home = project.config_file.as_deref().and_then(Path::parent);
    let usual = home.is_some_and(|home| home.join("connectors") == *folder);
    // What a write that was cut short left is not the project's; the next write removes it.
    for name in names
        .into_iter()
        .filter(|name| !crate::fs::is_leftover(name))
    {
        let path = folder.join(&name);
        let shown = shown_path(&project.root, &path);
        let Some(name) = name.to_str() else {
            problems.push(Problem::about(Finding::FileName, &shown));
            continue;
        };
        match role(name) {
            Role::Other => {
                if let Some(declares) = unread::disguised(&roots, owners, &path) {
                    problems.push(Problem::about(Finding::DisguisedFile, &shown));
                    unread.push(Unread {
                        file: shown,
                        declares: Some(declares),
                    });
                }
            }
            Role::NearMiss => {
                problems.push(Problem::about(Finding::IgnoredFile, &shown));
                unread.push(Unread {
                    file: shown,
                    declares: unread::declared_in(&roots, owners, &path),
                });
            }
            Role::Connector => {
                count += 1;
                match read_file(&roots, owners, &path) {
                    Ok(read) => {
                        let (connector, found) = parse_connector(&shown, &read.text);
                        // In a folder that the project names, a file need not be meant for connplan.
                        let quoted = !read.linked
                            && (usual || has_only_keys_of_a_connector(&shown, &read.text));
                        problems.extend(found.into_iter().map(|found| found.quoting(quoted)));
                        parsed.extend(connector.map(|mut connector| {
                            connector.source = connector.source.quoting(quoted);
                            (shown, connector)
                        }));
                    }
                    Err(finding) => problems.push(Problem::about(finding, &shown)),
                }
            }
        }
    }
    let folder = match count {
        0 => Folder::Empty,
        count => Folder::Read(count),
    };
    Loaded {
        unread,
        ..Loaded::new(parsed, problems, folder)
    }
}

impl Loaded {
    fn new(
        parsed: Vec<(String, ParsedConnector)>,
        mut problems: Vec<Problem>,
        folder: Folder,
    ) -> Self {
        problems.extend(across(&parsed));
        let places = map_of(parsed.iter().map(|(_, parsed)| {
            let place = Place {
                source: parsed.source.clone(),
                connector: parsed.type_span.clone(),
                // Long ones, many times over: made at once, they are full.
                scopes: parsed.scope_spans.iter().cloned().collect(),
                values: map_of(
                    parsed
                        .connection_config
                        .iter()
                        .map(|(name, (_, span))| (name.clone(), span.clone())),
                ),
            };
            (parsed.connector.clone(), place)
        }));
        let declared = (!problems.iter().any(Problem::is_error)).then(|| Declared {
            connectors: map_of(
                parsed
                    .into_iter()
                    .map(|(file, parsed)| parsed.declared(file)),
            ),
        });
        Self {
            declared,
            problems,
            places,
            folder,
            unread: Vec::new(),
        }
    }

    /// A problem of one declared scope, on its line.
    pub fn problem_of(
        &self,
        connector: &ConnectorType,
        scope: &Scope,
        finding: Finding,
    ) -> Option<Problem> {
        let place = self.places.get(connector)?;
        let span = place.scopes.get(scope)?;
        Some(Problem::new(finding, &place.source).label(span.clone(), "this scope"))
    }

    /// A problem of a declared connector, on the line of its type.
    pub fn problem_of_type(&self, connector: &ConnectorType, finding: Finding) -> Option<Problem> {
        let place = self.places.get(connector)?;
        Some(Problem::new(finding, &place.source).label(place.connector.clone(), "this type"))
    }

    /// Whether the lines of its file are shown.
    pub fn is_quoted(&self, connector: &ConnectorType) -> bool {
        let place = self.places.get(connector);
        place.is_none_or(|place| place.source.is_quoted())
    }

    /// The line of a declared connection value.
    pub fn line_of_value(&self, connector: &ConnectorType, name: &str) -> Option<u32> {
        let place = self.places.get(connector)?;
        let span = place.values.get(name)?;
        Some(place.source.position(span.start).0)
    }
}

/// What no file shows alone: two of one type, two types that differ in case.
fn across(parsed: &[(String, ParsedConnector)]) -> Vec<Problem> {
    let mut by_type: BTreeMap<String, Vec<&ParsedConnector>> = BTreeMap::new();
    let mut problems = Vec::new();
    for (_, second) in parsed {
        let earlier = by_type
            .entry(second.connector.as_str().to_lowercase())
            .or_default();
        let same = earlier.iter().find(|c| c.connector == second.connector);
        if let Some(first) = same.or(earlier.first()) {
            let finding = if same.is_some() {
                let connector = second.connector.clone();
                Finding::DuplicateType { connector }
            } else {
                let (first, second) = (first.connector.clone(), second.connector.clone());
                Finding::TypeCase { first, second }
            };
            let other = Problem::new(Finding::FirstFile, &first.source)
                .label(first.type_span.clone(), "declared here");
            problems.push(
                Problem::new(finding, &second.source)
                    .label(second.type_span.clone(), "and here")
                    .with(other),
            );
        }
        earlier.push(second);
    }
    problems
}

/// The names in a folder, folders among them left out, sorted.
fn list(root: &Path, folder: &Path) -> io::Result<Vec<std::ffi::OsString>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        // A link to a folder is one; a link to nowhere is kept, and found unreadable.
        if !look(&[root, folder], &entry.path()).is_folder() {
            names.push(entry.file_name());
        }
    }
    model::sort(&mut names, Ord::cmp);
    Ok(names)
}

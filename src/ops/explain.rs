//! Why a plan removes what it removes, where that can be told: a removal that nobody meant is nearly
//! always a file that moved, or a branch that is behind.

use std::collections::BTreeSet;

use crate::{
    config::{Loaded, Project, Unread, type_in},
    context::Context,
    diff::Action,
    git::{Checkout, CommitId, EntryKind, RemoteName},
    model::{ConnectorType, target_branch},
    plan::Plan,
};

/// So many connectors are looked for in the base branch.
const MOST: usize = 50;

/// Says what the files tell: one that is not read, or a type that is nearly the one removed.
pub(super) fn by_files(plan: &mut Plan, loaded: &Loaded) {
    let added: Vec<_> = plan
        .changes()
        .filter(|change| change.action == Action::Create)
        .map(|change| (change.connector.clone(), change.file.clone()))
        .collect();
    for change in removed(plan) {
        let connector = &change.connector;
        let unread = loaded.unread.iter();
        let named = unread.clone().find(|one| names(&one.file, connector));
        let declares = |one: &&Unread| one.declares.as_deref() == Some(connector.as_str());
        let unread = unread.clone().find(declares).or(named);
        let renamed = added.iter().find_map(|(name, file)| {
            let file = file.as_deref().filter(|file| names(file, connector))?;
            Some((name, file))
        });
        let near = || added.iter().find(|(name, _)| is_near(name, connector));
        change.why = match (unread, renamed) {
            (Some(Unread { file, .. }), _) => {
                Some(format!("{file} looks like its file, and is not read"))
            }
            (None, Some((name, file))) => Some(format!("{file} declares {name}")),
            (None, None) => near().map(|(name, _)| {
                format!(
                    "{name} is declared, and the app lacks it: is that the same under another name?"
                )
            }),
        };
    }
}

/// Says what the branch that this one goes into still declares.
pub(super) async fn by_base_branch(plan: &mut Plan, project: &Project, context: &Context) {
    if removed(plan).all(|change| change.why.is_some()) {
        return;
    }
    let Some(base) = BaseFolder::of(project, context).await else {
        return;
    };
    for change in removed(plan)
        .filter(|change| change.why.is_none())
        .take(MOST)
    {
        if let Some(file) = base.file_of(&change.connector) {
            change.why = Some(base.why(&file));
        }
    }
}

/// The connectors folder as it is in the branch that this one goes into.
struct BaseFolder {
    branch: String,
    /// The files in it, each with the type that it declares.
    files: Vec<(String, Option<String>)>,
    /// What the folder held where this branch left it, where that is known.
    parted: Option<BTreeSet<String>>,
}

impl BaseFolder {
    /// The base branch, and the files of its connectors folder.
    async fn of(project: &Project, context: &Context) -> Option<Self> {
        let checkout = Checkout::of(&project.root, context.git()).ok()?;
        let (branch, commit) = base_branch(&checkout, target_branch(&context.vars)).await?;
        let head = checkout.head().await.ok()?;
        if checkout.branch().await.ok()?.as_deref() == Some(branch.as_str())
            || head.as_ref() == Some(&commit)
        {
            return None;
        }
        let folder = project.connectors_dir.canonicalize().ok()?;
        let folder = folder.strip_prefix(checkout.root()).ok()?;
        let folder = folder.to_str()?.replace('\\', "/");
        let objects = checkout.objects();
        let mut entries = objects.list(&commit, &folder).await.ok()?;
        entries.truncate(MOST);
        let ids = entries.iter().filter(|entry| entry.kind == EntryKind::File);
        let ids: Vec<_> = ids.map(|entry| entry.id.clone()).collect();
        let texts = objects.blobs(&ids, usize::MAX).await.unwrap_or_default();
        let files = entries.into_iter().map(|entry| {
            let text = texts.get(&entry.id);
            let text = text.and_then(|text| str::from_utf8(text).ok());
            (entry.name, text.and_then(type_in))
        });
        let parted = async {
            let parted = checkout.parted(&commit, &head?).await.ok()?;
            let parted = parted.at.into_iter().next()?;
            let entries = objects.list(&parted, &folder).await.ok()?;
            let files = entries.into_iter();
            let files = files.filter(|entry| entry.kind == EntryKind::File);
            Some(files.map(|entry| entry.name).collect())
        };
        Some(Self {
            branch,
            files: files.collect(),
            parted: parted.await,
        })
    }

    fn file_of(&self, connector: &ConnectorType) -> Option<String> {
        let declares = |declared: &Option<String>| declared.as_deref() == Some(connector.as_str());
        let files = self.files.iter();
        let found = files.clone().find(|(_, declared)| declares(declared));
        let named = |file: &&(String, Option<String>)| names(&file.0, connector);
        let found = found.or_else(|| files.clone().find(named));
        found.map(|(file, _)| file.clone())
    }

    /// Whether this branch removes the file, or never had it.
    fn why(&self, file: &str) -> String {
        let branch = &self.branch;
        match self.parted.as_ref().map(|parted| parted.contains(file)) {
            Some(true) => format!("{file} is on {branch}, and this branch removes it"),
            Some(false) => {
                format!(
                    "{file} is on {branch}, and this branch lacks that commit: merge {branch} into it"
                )
            }
            None => format!(
                "{file} is on {branch}: this branch removes it, or does not have the newest commits of {branch}"
            ),
        }
    }
}

/// The branch that the pipeline names, else the remote's default, else the usual names.
async fn base_branch(checkout: &Checkout, told: Option<&str>) -> Option<(String, CommitId)> {
    let default = match told {
        Some(branch) => Some(branch.to_owned()),
        None => checkout.default_branch(&RemoteName::origin()).await.ok()?,
    };
    let usual = ["main", "master", "trunk"].map(str::to_owned);
    let names = match default {
        Some(branch) => vec![branch],
        None => usual.to_vec(),
    };
    for branch in names {
        for place in ["refs/remotes/origin", "refs/heads"] {
            let found = checkout.resolve(&format!("{place}/{branch}")).await;
            if let Ok(Some(commit)) = found {
                return Some((branch, commit));
            }
        }
    }
    None
}

fn removed(plan: &mut Plan) -> impl Iterator<Item = &mut crate::diff::Change> {
    let changes = plan.app.changes.iter_mut();
    changes.filter(|change| change.action == Action::Delete)
}

/// Whether a file is named as the connector is: `team/Slack.yaml` for `slack`.
fn names(file: &str, connector: &ConnectorType) -> bool {
    let name = file.rsplit('/').next().unwrap_or(file);
    let stem = name.split('.').next().unwrap_or(name);
    stem.eq_ignore_ascii_case(connector.as_str())
}

/// `google_calendar` and `googlecalendar`, `slakc` and `slack`.
fn is_near(one: &ConnectorType, other: &ConnectorType) -> bool {
    let plain = |name: &ConnectorType| {
        let letters = name.as_str().chars().filter(char::is_ascii_alphanumeric);
        letters.collect::<String>().to_ascii_lowercase()
    };
    let (one, other) = (plain(one), plain(other));
    one == other || one.len() > 4 && strsim::damerau_levenshtein(&one, &other) <= 1
}

//! Why a plan removes what it removes, where that can be told: a removal that nobody meant is nearly
//! always a file that moved, or a branch that is behind.

use crate::{
    config::{Loaded, Project},
    diff::Action,
    git::{Checkout, Git, RemoteName},
    model::{ConnectorType, Vars},
    plan::Plan,
};

/// So many connectors are looked for in the base branch.
const MOST: usize = 50;

/// Says what the files tell: one that is not read, or a type that is nearly the one removed.
pub(super) fn by_files(plan: &mut Plan, loaded: &Loaded) {
    let added: Vec<_> = plan
        .changes()
        .filter(|change| change.action == Action::Create)
        .map(|change| change.connector.clone())
        .collect();
    for change in removed(plan) {
        let file = loaded
            .unread
            .iter()
            .find(|file| names(file, &change.connector));
        let other = || added.iter().find(|name| is_near(name, &change.connector));
        change.why = match (file, other()) {
            (Some(file), _) => Some(format!("{file} looks like its file, and is not read")),
            (None, Some(name)) => Some(format!(
                "{name} is declared, and the app lacks it: is that the same under another name?"
            )),
            (None, None) => None,
        };
    }
}

/// Says what the branch that this one goes into still declares.
pub(super) async fn by_base_branch(plan: &mut Plan, project: &Project, vars: &Vars) {
    if removed(plan).all(|change| change.why.is_some()) {
        return;
    }
    let found = declared_in_base(project, vars).await;
    let Some((branch, files)) = found else {
        return;
    };
    for change in removed(plan)
        .filter(|change| change.why.is_none())
        .take(MOST)
    {
        if let Some(file) = files.iter().find(|file| names(file, &change.connector)) {
            change.why = Some(format!(
                "{file} is on {branch}: this branch removes it, or is behind"
            ));
        }
    }
}

/// The base branch, and the files of its connectors folder.
async fn declared_in_base(project: &Project, vars: &Vars) -> Option<(String, Vec<String>)> {
    let checkout = Checkout::of(&project.root, Git::new(vars)).ok()?;
    let origin = RemoteName::parse("origin").ok()?;
    let told = vars
        .get("GITHUB_BASE_REF")
        .or_else(|| vars.get("CI_MERGE_REQUEST_TARGET_BRANCH_NAME"));
    let branch = match told {
        Some(branch) => branch.to_owned(),
        None => checkout.default_branch(&origin).await.ok()??,
    };
    if checkout.branch().await.ok()?.as_deref() == Some(branch.as_str()) {
        return None;
    }
    let name = format!("refs/remotes/origin/{branch}");
    let commit = checkout.resolve(&name).await.ok()??;
    if checkout.head().await.ok()?.as_ref() == Some(&commit) {
        return None;
    }
    let folder = project.connectors_dir.canonicalize().ok()?;
    let folder = folder.strip_prefix(checkout.root()).ok()?;
    let folder = folder.to_str()?.replace('\\', "/");
    let entries = checkout.list(&commit, &folder).await.ok()?;
    let files = entries.into_iter().map(|entry| entry.name).collect();
    Some((branch, files))
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

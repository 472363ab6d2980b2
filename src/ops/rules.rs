//! How scopes compare in a project. What the platform says that it adds by itself is asked for once, and
//! only where something is there that nobody knows a reason for.

use std::collections::BTreeMap;

use crate::{
    catalogue::ScopeEquivalence,
    config::Project,
    model::{ConnectorType, Declared, RemoteConnector, Scope, Scopes, map_of},
    plan::Plan,
    remote::{Remote, RemoteError},
};

/// How scopes compare in this project.
pub(super) fn rules(project: &Project) -> ScopeEquivalence {
    with(BTreeMap::new(), project)
}

/// The same with what the platform told.
fn with(told: BTreeMap<ConnectorType, Scopes>, project: &Project) -> ScopeEquivalence {
    let told = told.into_iter();
    let mut added = map_of(told.map(|(connector, scopes)| {
        let scopes: Vec<Scope> = scopes.iter().cloned().collect();
        (connector, scopes)
    }));
    for (connector, provider) in &project.settings.providers {
        let own = provider.adds.iter().cloned();
        added.entry(connector.clone()).or_default().extend(own);
    }
    ScopeEquivalence::with_settings(added)
}

/// The project's rules, and by them whether the app has more than the files declare: then with what
/// the platform says that it adds.
pub(super) async fn rules_for_listed(
    project: &Project,
    remote: &Remote,
    declared: &Declared,
    listed: &BTreeMap<ConnectorType, RemoteConnector>,
) -> Result<ScopeEquivalence, RemoteError> {
    let known = rules(project);
    let more = declared.connectors.iter().any(|(connector, file)| {
        let is = listed.get(connector);
        is.is_some_and(|is| {
            let diff = known.compare(connector, &file.scopes, &is.scopes);
            // Nothing is wanted but that something goes.
            diff.added.is_empty() && !diff.removed.is_empty()
        })
    });
    if more {
        told(project, remote).await
    } else {
        Ok(known)
    }
}

/// The same for a plan that was made with what the platform said then.
pub(super) async fn rules_for_plan(
    project: &Project,
    remote: &Remote,
    plan: &Plan,
) -> Result<ScopeEquivalence, RemoteError> {
    let known = rules(project);
    let unknown = plan.changes().any(|change| {
        let added = &change.scopes.provider_added;
        added
            .iter()
            .any(|scope| !known.added_by_provider(&change.connector, scope))
    });
    if unknown {
        told(project, remote).await
    } else {
        Ok(known)
    }
}

async fn told(project: &Project, remote: &Remote) -> Result<ScopeEquivalence, RemoteError> {
    Ok(with(remote.auto_added_scopes().await?, project))
}

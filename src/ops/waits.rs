//! What the store says waits, and what of it counts here.

use super::{
    Around, OpEvent,
    team::{self, Team},
};
use crate::{
    catalogue::ScopeEquivalence,
    config::Project,
    context::Failure,
    model::{App, ConnectorType, Declared, Scopes},
    pending::{self, Entry, PendingSet},
    state::AppState,
    store::{Wait, Waits},
};

/// What waits elsewhere, for a command that only looks: if the store is away, it says so and goes on.
pub async fn look(around: &Around<'_>, project: &Project, app: &App, state: &AppState) -> Waits {
    let looked = async {
        let team = Team::open(around, project, app, state).await?;
        Ok::<_, Failure>(team.waits().await?)
    };
    match looked.await {
        Ok(waits) => waits,
        // Without a place for state there is nothing of this machine's to know.
        Err(_) if matches!(team::place(around, project), Ok(None)) => Waits::default(),
        Err(failure) => {
            around.tell(&OpEvent::StoreUnknown(failure.report.to_string()));
            Waits::default()
        }
    }
}

/// Adds what other machines asked for to what this one knows.
pub fn merge(pending: &mut PendingSet, app: &App, waits: &Waits) {
    for wait in waits.iter() {
        if pending.get(app, &wait.connector).is_none() {
            pending.insert(app, wait.connector.clone(), entry(wait));
        }
    }
}

/// Who asked for what, and since when, as far as this machine did not.
pub fn tell(around: &Around<'_>, waits: &Waits, wanted: impl Fn(&ConnectorType) -> bool) {
    for wait in waits.iter().filter(|wait| wanted(&wait.connector)) {
        around.tell(&OpEvent::Waits(wait));
    }
}

/// Who asked for a connector that waits, where the store tells.
pub fn asked_by(waits: &Waits, connector: &str) -> Option<String> {
    let mut waits = waits.iter();
    let wait = waits.find(|wait| wait.connector.as_str() == connector)?;
    Some(wait.by.shown())
}

/// What of it the files declare with all its scopes. The rest is said, and left.
pub fn declared_only(
    around: &Around<'_>,
    waits: Waits,
    declared: Option<&Declared>,
    rules: &ScopeEquivalence,
) -> Waits {
    let Some(declared) = declared else {
        if !waits.is_empty() {
            around.tell(&OpEvent::NothingDeclared);
        }
        return Waits::default();
    };
    waits
        .into_iter()
        .filter(|wait| {
            let wanted = declared
                .connectors
                .get(&wait.connector)
                .is_some_and(|file| {
                    let index = rules.index(&wait.connector, &file.scopes);
                    wait.scopes.iter().all(|scope| index.contains(scope))
                });
            if !wanted {
                around.tell(&OpEvent::NotDeclared(wait));
            }
            wanted
        })
        .collect()
}

fn entry(wait: &Wait) -> Entry {
    Entry {
        scopes: wait.scopes.clone(),
        action: wait.action,
        plan_digest: wait.plan_digest.clone(),
        since: wait.since,
        connection_config: wait.connection_config.clone(),
        before: wait.before.clone().map(|scopes| pending::Before {
            scopes,
            status: wait.status_before,
            account: wait.account_before.clone(),
        }),
        account: wait.account.clone(),
        connection_id: wait.connection_id.clone(),
        missing: Scopes::new(),
        settled: false,
    }
}

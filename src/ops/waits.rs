//! What waits according to the store, and which of it counts here.

use std::time::Duration;

pub(super) use super::stale::merge;
use super::{
    Around, OpEvent,
    in_git::is_led,
    team::{self, Team},
};
use crate::{
    catalogue::ScopeEquivalence,
    config::Project,
    context::{Failure, UsageError},
    model::{App, ConnectorType, Declared},
    pending::PendingSet,
    state::AppState,
    store::Waits,
};

/// How long a command that only looks waits for a store.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

/// What waits elsewhere, for a command that only looks: if the store is away, it says so and goes on.
pub(super) async fn look(
    around: &Around<'_>,
    project: &Project,
    app: &App,
    state: &AppState,
    own: &PendingSet,
) -> Result<Waits, Failure> {
    let looked = async {
        let team = Team::open(around, project, app, state).await?;
        Ok::<_, Failure>(team.look(around, own).await?)
    };
    let looked = tokio::time::timeout(PATIENCE, looked).await;
    let looked = looked.unwrap_or_else(|_| {
        let seconds = PATIENCE.as_secs();
        Err(UsageError::new(format!("the store did not answer within {seconds} seconds")).into())
    });
    match looked {
        Ok(waits) => Ok(waits),
        // What nobody may ask is not merely away.
        Err(failure) if is_led(&failure) => Err(failure),
        // Without a state folder and without a store nothing is known, and nothing is to be said.
        Err(_) if matches!(team::place(around, project), Ok(None)) => Ok(Waits::default()),
        Err(failure) => {
            around.tell(&OpEvent::StoreUnknown(failure.told()));
            Ok(Waits::default())
        }
    }
}

/// Tells who asked for what and when, except for what this machine asked for.
pub(super) fn tell(around: &Around<'_>, waits: &Waits, wanted: impl Fn(&ConnectorType) -> bool) {
    for wait in waits.iter().filter(|wait| wanted(&wait.connector)) {
        around.tell(&OpEvent::Waits(wait));
    }
}

/// The waits that the files declare, with all their scopes, values and account. The others are reported and left alone.
pub(super) fn declared_only(
    around: &Around<'_>,
    mut waits: Waits,
    declared: Option<&Declared>,
    rules: &ScopeEquivalence,
) -> Waits {
    let Some(declared) = declared else {
        if !waits.is_empty() {
            around.tell(&OpEvent::NothingDeclared);
        }
        waits.retain(|_| false);
        return waits;
    };
    waits.retain(|wait| {
        let wanted = declared
            .connectors
            .get(&wait.connector)
            .is_some_and(|file| {
                let index = rules.index(&wait.connector, &file.scopes);
                wait.entry.terms().fit(&file.terms())
                    && wait.entry.scopes.iter().all(|scope| index.contains(scope))
            });
        if !wanted {
            around.tell(&OpEvent::NotDeclared(wait));
        }
        wanted
    });
    waits
}

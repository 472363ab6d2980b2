//! From a comparison to a plan, past the guards.

use std::collections::BTreeSet;

use super::{AppPlan, Plan, PlanError};
use crate::{
    diff::{Action, Comparison},
    model::{App, ConnectorType, Diagnostic},
};

/// What became of the connectors folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Folder {
    /// It is not there.
    Missing(String),
    /// It holds no connector file.
    Empty(String),
    /// It holds files.
    Filled,
}

/// What a user has allowed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Guards {
    /// `--allow-remove-all`.
    pub allow_remove_all: bool,
}

/// All that a plan is made from.
#[derive(Clone, Debug)]
pub struct Inputs<'a> {
    /// Which app.
    pub app: App,
    /// What is compared.
    pub comparison: Comparison<'a>,
    /// Where the files came from.
    pub folder: Folder,
    /// What the user has allowed.
    pub guards: Guards,
    /// Whether the remote state is a snapshot.
    pub speculative: bool,
    /// Findings to carry along.
    pub diagnostics: Vec<Diagnostic>,
}

/// Makes the plan.
pub fn build(inputs: Inputs<'_>) -> Result<Plan, PlanError> {
    let compared = &inputs.comparison;
    for target in compared.targets {
        let known = |name: &ConnectorType| {
            compared.declared.connectors.contains_key(name) || compared.observed.contains_key(name)
        };
        if !known(target) {
            return Err(unknown_target(target, compared));
        }
    }
    let found = inputs.comparison.run();

    let removed: Vec<_> = found
        .changes
        .iter()
        .filter(|change| change.action == Action::Delete)
        .map(|change| change.connector.as_str())
        .collect();
    let folder = match &inputs.folder {
        Folder::Missing(path) => Some(format!("the connectors folder {path} does not exist")),
        Folder::Empty(path) => Some(format!("the connectors folder {path} holds no connector")),
        Folder::Filled => None,
    };
    if let Some(folder) = folder
        && !removed.is_empty()
        && !inputs.guards.allow_remove_all
    {
        return Err(PlanError::RemoveAll {
            folder,
            count: removed.len(),
            names: removed.join(", "),
        });
    }
    Ok(Plan {
        speculative: inputs.speculative,
        app: AppPlan {
            app: inputs.app,
            changes: found.changes,
            unmanaged: found.unmanaged,
            untargeted: found.untargeted,
            untargeted_new: found.untargeted_new,
        },
        expires_at: None,
        origin: None,
        overrides: Vec::new(),
        diagnostics: inputs.diagnostics,
    })
}

fn unknown_target(target: &ConnectorType, compared: &Comparison<'_>) -> PlanError {
    let declared = compared.declared.connectors.keys();
    let names: BTreeSet<_> = declared.chain(compared.observed.keys()).collect();
    let known: Vec<_> = names.iter().map(|name| name.as_str()).collect();
    let nearest = names
        .iter()
        .map(|name| {
            (
                strsim::damerau_levenshtein(name.as_str(), target.as_str()),
                name,
            )
        })
        .filter(|(distance, _)| *distance <= 2)
        .min();
    PlanError::UnknownTarget {
        target: target.to_string(),
        help: match nearest {
            Some((_, name)) => format!("did you mean `{name}`?"),
            None if known.is_empty() => {
                "there are no connectors at all: is this the right folder?".to_owned()
            }
            None => format!("there are: {}", known.join(", ")),
        },
    }
}

//! A plan out of the JSON that was printed of it: a denied one has no file.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::PlanReport;
use crate::{
    diff::Change,
    model::{ApiUrl, App, AppId, ConnectorType, Diagnostic, Origin, RemoteConnector, map_of},
    plan::{AppPlan, Digest, Override, Plan},
};

#[derive(Deserialize)]
struct AnyReport {
    digest: Digest,
    speculative: bool,
    #[serde(default)]
    expires_at: Option<Timestamp>,
    #[serde(default)]
    origin: Option<Origin>,
    #[serde(default)]
    overrides: Vec<Override>,
    apps: Vec<Entry>,
    #[serde(default)]
    diagnostics: Vec<Diagnostic>,
}

#[derive(Deserialize)]
struct Entry {
    app_id: AppId,
    environment: Option<String>,
    api_url: ApiUrl,
    changes: Vec<Change>,
    #[serde(default)]
    unmanaged: Vec<Listed>,
    #[serde(default)]
    untargeted: Vec<Listed>,
    #[serde(default)]
    untargeted_new: BTreeSet<ConnectorType>,
}

#[derive(Deserialize)]
struct Listed {
    connector: ConnectorType,
    #[serde(flatten)]
    state: RemoteConnector,
}

impl PlanReport {
    /// Takes a plan out of its JSON, to show it and nothing else. What it says of risks is found
    /// anew. `None` where it is not one.
    pub fn of_json(json: &Value) -> Option<Self> {
        let document = AnyReport::deserialize(json).ok()?;
        let [entry] = <[Entry; 1]>::try_from(document.apps).ok()?;
        let listed =
            |all: Vec<Listed>| map_of(all.into_iter().map(|one| (one.connector, one.state)));
        let plan = Plan {
            speculative: document.speculative,
            app: AppPlan {
                app: App {
                    id: entry.app_id,
                    api_url: entry.api_url,
                    environment: entry.environment,
                },
                changes: entry.changes,
                unmanaged: listed(entry.unmanaged),
                untargeted: listed(entry.untargeted),
                untargeted_new: entry.untargeted_new,
            },
            expires_at: document.expires_at,
            origin: document.origin,
            overrides: document.overrides,
            diagnostics: document.diagnostics,
        };
        Some(Self::new(&plan, &document.digest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_printed_says_the_same_when_it_is_taken_back() {
        let text = include_str!("../../../fixtures/corpus/plan/seed-001");
        let saved = crate::plan::document::read("x", text).unwrap();
        let report = PlanReport::new(&saved.plan, &saved.digest);
        let json: Value = serde_json::from_str(&report.to_json()).unwrap();
        let again = PlanReport::of_json(&json).unwrap();
        assert_eq!(again.to_json(), report.to_json());
        assert_eq!(PlanReport::of_json(&Value::Null), None);
    }
}

//! The error that ends a run, for a person and for a program.

use miette::Report;
use serde::Serialize;

use super::{NextCommand, json::pretty, problems::Invalid, report::FORMAT_VERSION};
use crate::{
    model::{ApiUrl, App, AppId, Diagnostic},
    policy::{Forbidden, Violation},
};

/// What `--format json` prints where there is no result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FailureReport {
    /// The version of this shape.
    pub format_version: &'static str,
    /// Always `error`.
    pub kind: &'static str,
    /// A stable name, e.g. `connplan::plan::stale`.
    pub code: Option<String>,
    /// What happened.
    pub message: String,
    /// What to do next.
    pub help: Option<String>,
    /// How the run ends.
    pub exit_code: u8,
    /// What is wrong with the files, if they are the reason.
    pub diagnostics: Vec<Diagnostic>,
    /// The app that it was about, where that is known.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub apps: Vec<Named>,
    /// The rules that the plan breaks, if they are the reason.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub violations: Vec<Violation>,
    /// The plan that was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan: Option<serde_json::Value>,
}

/// An app by its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Named {
    /// The app.
    pub app_id: AppId,
    /// The `--env` by which it was found.
    pub environment: Option<String>,
    /// Where its API is.
    pub api_url: ApiUrl,
}

impl FailureReport {
    /// Reports an error.
    pub fn new(report: &Report, exit_code: u8, next: &NextCommand) -> Self {
        let forbidden = report.downcast_ref::<Forbidden>();
        Self {
            violations: forbidden.map_or_else(Vec::new, |f| f.violations.clone()),
            plan: forbidden.and_then(|forbidden| forbidden.plan.clone()),
            format_version: FORMAT_VERSION,
            kind: "error",
            code: report.code().map(|code| code.to_string()),
            message: report.to_string(),
            help: report.help().map(|help| next.within(&help.to_string())),
            exit_code,
            apps: Vec::new(),
            diagnostics: report
                .downcast_ref::<Invalid>()
                .map(|invalid| invalid.diagnostics.clone())
                .unwrap_or_default(),
        }
    }

    /// Says which app it is about.
    #[must_use]
    pub fn of_app(self, app: &App) -> Self {
        let named = Named {
            app_id: app.id.clone(),
            environment: app.environment.clone(),
            api_url: app.api_url.clone(),
        };
        Self {
            apps: vec![named],
            ..self
        }
    }

    /// Reports a run that a signal ended before it had a result.
    pub fn interrupted(message: &str, exit_code: u8) -> Self {
        Self {
            format_version: FORMAT_VERSION,
            kind: "error",
            code: Some("connplan::interrupted".to_owned()),
            message: message.to_owned(),
            help: None,
            exit_code,
            apps: Vec::new(),
            diagnostics: Vec::new(),
            violations: Vec::new(),
            plan: None,
        }
    }

    /// The report as JSON, with a line break at its end.
    pub fn to_json(&self) -> String {
        pretty(self)
    }
}

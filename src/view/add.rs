//! A connector file that was created.

use serde::Serialize;

use super::{
    Format, Medium, NextCommand,
    available::FieldReport,
    json::{AppName, pretty},
    report::FORMAT_VERSION,
    words::count,
};
use crate::{
    catalogue, escape,
    model::{App, ConnectorType, Kind, Scopes},
    remote::ConfigField,
};

/// What `add` did.
#[derive(Clone, Debug)]
pub struct Added<'a> {
    /// The app, where something names it.
    pub app: Option<&'a App>,
    /// The connector.
    pub connector: &'a ConnectorType,
    /// The file, relative to the project root.
    pub file: &'a str,
    /// What it declares.
    pub scopes: &'a Scopes,
    /// What was found out at the platform.
    pub check: &'a Check,
}

/// Whether the platform offers a type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Check {
    /// It does, and wants these values for a connection: the file's `connection_config` has them.
    Offered(Vec<ConfigField>),
    /// It does not.
    NotOffered {
        /// What may have been meant.
        meant: Option<String>,
    },
    /// Nobody could be asked; why.
    NotChecked(String),
    /// There is nothing to ask: Stripe is not an integration.
    Provisioned,
}

/// A warning about a type that is not offered or that nobody could ask about.
pub fn warning(connector: &ConnectorType, check: &Check, next: &NextCommand) -> Option<String> {
    match check {
        Check::NotOffered { meant: Some(meant) } => Some(format!(
            "the platform does not offer `{connector}`; did you mean `{meant}`?"
        )),
        Check::NotOffered { meant: None } => Some(format!(
            "the platform does not offer `{connector}`; {} shows what it does",
            next.within("`connplan list-available`")
        )),
        Check::NotChecked(why) => Some(format!(
            "whether the platform offers `{connector}` was not checked: {why}"
        )),
        Check::Offered(_) | Check::Provisioned => None,
    }
}

/// What was added.
pub fn show(added: &Added<'_>, medium: &Medium<'_>) -> String {
    match medium.format {
        Format::Json => json(added),
        _ => text(added, medium.next),
    }
}

/// The same for a person: what was written, and what follows.
fn text(added: &Added<'_>, next: &NextCommand) -> String {
    let file = escape::limited(added.file, 400);
    let what = match (added.connector.kind(), added.scopes.len()) {
        (Kind::Stripe, _) => "a Stripe sandbox is provisioned for it".to_owned(),
        (Kind::Oauth, 0) => "without scopes".to_owned(),
        (Kind::Oauth, some) => format!("with {}", count(some, "scope")),
    };
    let mut text = format!("Created {file}: {}, {what}.\n", added.connector);
    if let Check::Offered(fields) = added.check
        && !fields.is_empty()
    {
        text.push_str("\nFill in the `connection_config` of the file before you plan:\n");
        for field in fields {
            let required = if field.required { "" } else { ", optional" };
            let line = format!(
                "  {} ({}{required}): {}\n",
                escape::limited(&field.name, 60),
                escape::limited(&field.display_name, 60),
                escape::limited(&field.description, 200),
            );
            text.push_str(&line);
        }
    }
    let known = catalogue::facts(added.connector.as_str()).next().is_some();
    if added.scopes.is_empty() && added.connector.kind() == Kind::Oauth && known {
        let scopes = format!("`connplan scopes {}`", added.connector);
        let line = format!("\n{scopes} lists the scopes that the file can name.\n");
        text.push_str(&next.within(&line));
    }
    text.push_str(&next.within("\nNext: `connplan plan` shows what it changes.\n"));
    text
}

#[derive(Serialize)]
struct AddReport<'a> {
    format_version: &'static str,
    kind: &'static str,
    apps: Vec<AppName>,
    connector: &'a ConnectorType,
    file: &'a str,
    scopes: &'a Scopes,
    offered: Option<bool>,
    connection_config_fields: Vec<FieldReport<'a>>,
}

/// The same as JSON, with a line break at its end. `offered` is null where that is not known.
fn json(added: &Added<'_>) -> String {
    let (offered, fields): (_, &[ConfigField]) = match added.check {
        Check::Offered(fields) => (Some(true), fields),
        Check::NotOffered { .. } => (Some(false), &[]),
        Check::NotChecked(_) | Check::Provisioned => (None, &[]),
    };
    pretty(&AddReport {
        format_version: FORMAT_VERSION,
        kind: "add",
        apps: AppName::list(added.app),
        connector: added.connector,
        file: added.file,
        scopes: added.scopes,
        offered,
        connection_config_fields: fields.iter().map(FieldReport::from).collect(),
    })
}

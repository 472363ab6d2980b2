//! What the platform offers.

use serde::Serialize;

use super::{
    Format, Medium,
    json::{AppName, pretty},
    report::FORMAT_VERSION,
    table::table,
};
use crate::{
    escape,
    model::{App, ConnectorType},
    remote::{AvailableIntegration, ConfigField},
};

/// What the platform offers.
pub fn show(app: &App, offers: &[AvailableIntegration], medium: &Medium<'_>) -> String {
    match medium.format {
        Format::Json => json(app, offers),
        _ => table_of(offers, medium),
    }
}

/// A row for each integration.
fn table_of(offers: &[AvailableIntegration], medium: &Medium<'_>) -> String {
    if offers.is_empty() {
        return "The platform offers no integrations to this app.\n".to_owned();
    }
    let rows: Vec<_> = offers
        .iter()
        .map(|offer| {
            let fields: Vec<_> = offer
                .config_fields
                .iter()
                .map(|field| escape::limited(&field.display_name, 40))
                .collect();
            let needs = if fields.is_empty() {
                String::new()
            } else {
                format!(" (needs {})", fields.join(", "))
            };
            vec![
                offer.connector.to_string(),
                escape::limited(&offer.display_name, 40),
                format!("{}{needs}", escape::limited(&offer.description, 120)),
            ]
        })
        .collect();
    table(&["TYPE", "NAME", "DESCRIPTION"], &rows, medium)
}

/// What the platform does not say of what is to be created.
pub fn needs_unknown(created: &[ConnectorType]) -> String {
    const NAMED: usize = 5;
    let names: Vec<_> = created
        .iter()
        .take(NAMED)
        .map(ConnectorType::as_str)
        .collect();
    let more = match created.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!(
        "The platform does not say which connection values {}{more} may need. If one is missing, the \
         platform refuses the connector.",
        names.join(", ")
    )
}

#[derive(Serialize)]
struct AvailableReport<'a> {
    format_version: &'static str,
    kind: &'static str,
    apps: Vec<AppName>,
    integrations: Vec<OfferReport<'a>>,
}

#[derive(Serialize)]
struct OfferReport<'a> {
    connector: &'a str,
    display_name: &'a str,
    description: &'a str,
    connection_config_fields: Vec<FieldReport<'a>>,
}

/// A value that a connection needs.
#[derive(Serialize)]
pub(super) struct FieldReport<'a> {
    name: &'a str,
    display_name: &'a str,
    description: &'a str,
    required: bool,
}

impl<'a> From<&'a ConfigField> for FieldReport<'a> {
    fn from(field: &'a ConfigField) -> Self {
        Self {
            name: &field.name,
            display_name: &field.display_name,
            description: &field.description,
            required: field.required,
        }
    }
}

/// The offers as JSON, with a line break at its end.
fn json(app: &App, offers: &[AvailableIntegration]) -> String {
    let offers = offers.iter().map(|offer| OfferReport {
        connector: offer.connector.as_str(),
        display_name: &offer.display_name,
        description: &offer.description,
        connection_config_fields: offer.config_fields.iter().map(FieldReport::from).collect(),
    });
    pretty(&AvailableReport {
        format_version: FORMAT_VERSION,
        kind: "available-integrations",
        apps: AppName::list(Some(app)),
        integrations: offers.collect(),
    })
}

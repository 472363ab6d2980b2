//! The integrations that the sandbox offers: the types seen in the wild, without Stripe, which is
//! no OAuth connector.

use std::{borrow::Cow, collections::BTreeMap};

use serde::Serialize;

use super::settings::Settings;
use crate::model::ConnectorType;

/// One entry of `available-integrations`.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Offer<'a> {
    integration_type: &'a str,
    display_name: &'a str,
    description: &'a str,
    connection_config_fields: Cow<'a, [Field<'a>]>,
}

/// Something a person must fill in before the provider can be asked.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Field<'a> {
    name: &'a str,
    display_name: &'a str,
    description: &'a str,
    placeholder: &'a str,
    required: bool,
    validation_pattern: Option<&'a str>,
    validation_error: Option<&'a str>,
}

const SNOWFLAKE: &[Field<'static>] = &[
    Field {
        name: "account_identifier",
        display_name: "Account identifier",
        description: "Organization and account, as in the address of your Snowflake console.",
        placeholder: "myorg-account1",
        required: true,
        validation_pattern: Some("^[A-Za-z0-9_.-]+$"),
        validation_error: Some("Letters, digits, `_`, `.` and `-` only."),
    },
    Field {
        name: "role",
        display_name: "Role",
        description: "The role to act in; your default role if left empty.",
        placeholder: "ANALYST",
        required: false,
        validation_pattern: None,
        validation_error: None,
    },
];

const DATABRICKS: &[Field<'static>] = &[Field {
    name: "workspace_host",
    display_name: "Workspace host",
    description: "The host name of your Databricks workspace.",
    placeholder: "adb-123.4.azuredatabricks.net",
    required: true,
    validation_pattern: Some("^[A-Za-z0-9.-]+$"),
    validation_error: Some("A host name, without https://."),
}];

const BAMBOOHR: &[Field<'static>] = &[Field {
    name: "company_domain",
    display_name: "Company domain",
    description: "What stands before .bamboohr.com in your address.",
    placeholder: "acme",
    required: true,
    validation_pattern: Some("^[a-z0-9-]+$"),
    validation_error: Some("Lower case letters, digits and `-` only."),
}];

/// Type, name, what it is for.
const OFFERED: &[(&str, &str, &str)] = &[
    ("airtable", "Airtable", "Records and bases"),
    ("asana", "Asana", "Tasks and projects"),
    ("bamboohr", "BambooHR", "Employees and time off"),
    ("box", "Box", "Files and folders"),
    ("calendly", "Calendly", "Scheduled events"),
    ("clickup", "ClickUp", "Tasks, lists and spaces"),
    ("contentful", "Contentful", "Content entries and assets"),
    ("databricks", "Databricks", "Data and notebooks"),
    ("discord", "Discord", "Servers and messages"),
    ("dropbox", "Dropbox", "Files and folders"),
    ("facebook_pages", "Facebook Pages", "Pages and posts"),
    ("github", "GitHub", "Repositories, issues and pull requests"),
    ("gitlab", "GitLab", "Projects, issues and merge requests"),
    ("gmail", "Gmail", "Read and send mail"),
    ("google_analytics", "Google Analytics", "Visits and reports"),
    (
        "google_classroom",
        "Google Classroom",
        "Courses and coursework",
    ),
    (
        "google_contacts",
        "Google Contacts",
        "People and their addresses",
    ),
    ("google_photos", "Google Photos", "Albums and pictures"),
    (
        "google_search_console",
        "Google Search Console",
        "Search performance of a site",
    ),
    ("googleads", "Google Ads", "Campaigns and reports"),
    ("googlebigquery", "Google BigQuery", "Data sets and queries"),
    ("googlecalendar", "Google Calendar", "Calendars and events"),
    ("googledocs", "Google Docs", "Documents"),
    ("googledrive", "Google Drive", "Files and folders"),
    ("googleforms", "Google Forms", "Forms and answers"),
    ("googlemeet", "Google Meet", "Meetings"),
    ("googlesheets", "Google Sheets", "Spreadsheets"),
    ("googleslides", "Google Slides", "Presentations"),
    ("googletasks", "Google Tasks", "Tasks and lists"),
    ("hubspot", "HubSpot", "Contacts, deals and companies"),
    ("hugging_face", "Hugging Face", "Models and data sets"),
    ("instagram", "Instagram", "Posts and insights"),
    ("linear", "Linear", "Issues and projects"),
    ("linkedin", "LinkedIn", "Profile and posts"),
    ("meta_ads", "Meta Ads", "Campaigns and reports"),
    (
        "microsoft_teams",
        "Microsoft Teams",
        "Teams, channels and messages",
    ),
    ("notion", "Notion", "Pages and databases"),
    ("one_drive", "OneDrive", "Files and folders"),
    ("outlook", "Outlook", "Mail and calendar"),
    ("quickbooks", "QuickBooks", "Invoices and accounts"),
    (
        "salesforce",
        "Salesforce",
        "Leads, contacts and opportunities",
    ),
    ("share_point", "SharePoint", "Sites and documents"),
    ("slack", "Slack", "Messages and channels, as the user"),
    ("slackbot", "Slack bot", "Messages and channels, as a bot"),
    ("snowflake", "Snowflake", "Warehouses and queries"),
    ("splitwise", "Splitwise", "Shared expenses"),
    ("square", "Square", "Payments and catalogue"),
    ("supabase", "Supabase", "Projects and databases"),
    ("tiktok", "TikTok", "Profile and videos"),
    ("typeform", "Typeform", "Forms and answers"),
    ("wix", "Wix", "Sites and orders"),
    ("wrike", "Wrike", "Tasks and projects"),
];

/// All that is offered, by type.
pub(super) fn all(settings: &Settings) -> Vec<Offer<'_>> {
    let entry = |&(integration_type, display_name, description): &(_, _, _)| Offer {
        integration_type,
        display_name,
        description,
        connection_config_fields: fields(settings, integration_type),
    };
    OFFERED.iter().map(entry).collect()
}

/// What a person must fill in for a connector, as the settings say or as it usually is.
pub(super) fn fields<'a>(settings: &'a Settings, integration_type: &str) -> Cow<'a, [Field<'a>]> {
    let set = settings.needed_values.iter();
    let mut set = set.filter(|(connector, _)| connector.as_str() == integration_type);
    if let Some((_, names)) = set.next() {
        let needed = |name: &'a String| Field {
            name,
            display_name: name,
            description: "",
            placeholder: "",
            required: true,
            validation_pattern: None,
            validation_error: None,
        };
        return names.iter().map(needed).collect();
    }
    Cow::Borrowed(match integration_type {
        "snowflake" => SNOWFLAKE,
        "databricks" => DATABRICKS,
        "bamboohr" => BAMBOOHR,
        _ => &[],
    })
}

/// The types that are offered.
pub(super) fn types() -> impl Iterator<Item = &'static str> {
    OFFERED.iter().map(|(t, ..)| *t)
}

/// The first value that is needed and was not given, with a sentence about it.
pub(super) fn missing(
    settings: &Settings,
    connector: &ConnectorType,
    given: &BTreeMap<String, String>,
) -> Option<(String, String)> {
    let missing =
        |field: &&Field<'_>| field.required && given.get(field.name).is_none_or(String::is_empty);
    let fields = fields(settings, connector.as_str());
    let name = fields.iter().find(missing)?.name;
    Some((name.to_owned(), format!("{name} is needed to connect")))
}

/// The provider's name for people; the type itself if it is none of those offered.
pub(super) fn display_name(connector: &ConnectorType) -> &str {
    let known = OFFERED.iter().find(|(t, ..)| *t == connector.as_str());
    known.map_or(connector.as_str(), |(_, name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_types_in_order() {
        let types: Vec<_> = OFFERED.iter().map(|(t, ..)| *t).collect();
        assert!(types.is_sorted());
        assert!(types.iter().all(|t| ConnectorType::parse(*t).is_ok()));
    }
}

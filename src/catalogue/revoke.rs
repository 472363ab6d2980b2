//! Where a person takes back what was granted.

use super::provider::Provider;
use crate::model::ConnectorType;

/// The provider's page on which its user sees and revokes what apps may do; none where the page is not
/// known, or is another one for each customer.
pub fn revoke_page(connector: &ConnectorType) -> Option<&'static str> {
    Some(match Provider::of(connector.as_str())? {
        Provider::Atlassian => "id.atlassian.com/manage-profile/apps",
        Provider::Dropbox => "www.dropbox.com/account/connected_apps",
        Provider::Facebook => "www.facebook.com/settings?tab=business_tools",
        Provider::GitHub => "github.com/settings/applications",
        Provider::Google => "myaccount.google.com/connections",
        Provider::LinkedIn => {
            "www.linkedin.com/mypreferences/d/data-sharing-for-permitted-services"
        }
        Provider::Microsoft => "myapps.microsoft.com",
        Provider::Slack => "slack.com/apps/manage",
        Provider::Airtable
        | Provider::Asana
        | Provider::Box
        | Provider::Discord
        | Provider::HubSpot
        | Provider::Linear
        | Provider::Notion
        | Provider::Salesforce
        | Provider::TikTok
        | Provider::Typeform
        | Provider::Wrike
        | Provider::Zoom => return None,
    })
}

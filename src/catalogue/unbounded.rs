//! Scopes of which nothing is known, and that may be all there is.

use super::{
    near::{bare, spelt_out},
    provider::Provider,
    table,
};

/// Words that say it with any provider.
const WORDS: [&str; 4] = ["admin", "master", "scim", "sudo"];

/// How Graph's permissions start that are about who may do what in an organisation.
const OF_A_TENANT: [&str; 8] = [
    "approle",
    "application",
    "delegated",
    "directory",
    "organization",
    "policy",
    "privileged",
    "role",
];

/// Whether nothing bounds what a scope permits: nothing is known of it, and another service of the provider defines
/// it, or its own name says that it reaches a whole organisation, domain or account. Gates take it for all.
pub fn is_unbounded(connector: &str, scope: &str) -> bool {
    let Some(provider) = Provider::of(connector) else {
        return scope.contains('*') || says_all(&bare(scope));
    };
    table::find(provider, provider.permission(scope)).is_none()
        && (provider.is_of_another_service(scope)
            || names_all(provider, &bare(provider.plain(scope)))
                && spelt_out(connector, scope).is_none())
}

/// Whether a name says it where nobody knows how the provider makes its names.
fn says_all(name: &str) -> bool {
    let mut words = name.split('.');
    let full = name.starts_with("full.access") || name.ends_with("full.access");
    full || name == "api"
        || name == "all"
        || name.starts_with("all.")
        || words.any(|word| WORDS.contains(&word))
}

/// Whether a name says it, by what its provider's names have in common. It is given without address and case,
/// with a dot between its words.
fn names_all(provider: Provider, name: &str) -> bool {
    let mut words = name.split('.');
    let first = words.clone().next().unwrap_or_default();
    let last = words.clone().next_back().unwrap_or_default();
    let starts = |start: &str| name.starts_with(start);
    let all = match provider {
        Provider::Airtable => first == "enterprise",
        Provider::Atlassian => first == "manage",
        Provider::Box => matches!(first, "manage" | "enterprise"),
        Provider::Dropbox => starts("team.data"),
        Provider::Facebook => first == "business",
        Provider::GitHub => first == "manage" || last == "enterprise",
        Provider::Google => {
            matches!(first, "apps" | "ediscovery")
                || starts("cloud.platform")
                || starts("cloud.identity")
                || name.ends_with("full.control")
        }
        Provider::Microsoft => {
            matches!(last, "all" | "directory")
                || starts("full.access")
                || OF_A_TENANT.iter().any(|start| first.starts_with(start))
        }
        Provider::Asana
        | Provider::Discord
        | Provider::HubSpot
        | Provider::Linear
        | Provider::LinkedIn
        | Provider::Notion
        | Provider::Salesforce
        | Provider::Slack
        | Provider::TikTok
        | Provider::Typeform
        | Provider::Wrike
        | Provider::Zoom => false,
    };
    all || words.any(|word| WORDS.contains(&word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_name_that_says_that_it_reaches_everything_is_all() {
        for (connector, scope) in [
            ("outlook", "No.Such.All"),
            ("outlook", "https://graph.microsoft.com/no.such.ALL"),
            ("one_drive", "No.AccessAsUser.All"),
            ("share_point", "RoleEligibilitySchedule.ReadWrite.Directory"),
            ("microsoft_teams", "RoleManagement.No.Such"),
            ("outlook", "Directory.No.Such"),
            ("outlook", "AppRoleAssignment.Nosuch"),
            (
                "outlook",
                "PrivilegedEligibilitySchedule.ReadWrite.AzureADGroup",
            ),
            ("outlook", "Policy.ReadWrite.NoSuch"),
            ("outlook", "full_access_as_user"),
            ("gmail", "https://www.googleapis.com/auth/admin.no.such"),
            (
                "gmail",
                "HTTP://www.googleapis.com:80//auth/admin.no\u{200b}.such",
            ),
            ("gmail", "admin.no.such"),
            ("googledrive", "https://www.googleapis.com/auth/apps.no"),
            (
                "googledrive",
                "https://www.googleapis.com/auth/ediscovery.no",
            ),
            (
                "googledrive",
                "https://www.googleapis.com/auth/chat.admin.no",
            ),
            (
                "googledrive",
                "https://www.googleapis.com/auth/cloud-identity.no",
            ),
            (
                "googledrive",
                "https://www.googleapis.com/auth/source.full_control",
            ),
            ("github", "admin:no_such"),
            ("github", "write:enterprise"),
            ("github", "manage_no:such"),
            ("slack", "admin.no:write"),
            ("zoom", "no:master"),
            ("zoom", "meeting:read:no:admin"),
            ("box", "manage_enterprise"),
            ("jira", "manage:no-such"),
            ("confluence", "admin:no"),
            ("dropbox", "team_data.no"),
            ("airtable", "enterprise.no:read"),
            ("meta_ads", "business_management"),
            ("linear", "admin:no"),
            // Of types of which nothing is known, too.
            ("gitlab", "sudo"),
            ("gitlab", "admin_mode"),
            ("gitlab", "api"),
            ("databricks", "all-apis"),
            ("supabase", "ALL"),
            ("some_crm", "admin"),
            ("some_crm", "crm.*"),
            ("some_crm", "full_access"),
        ] {
            assert!(is_unbounded(connector, scope), "{connector} {scope:?}");
        }
        for (connector, scope) in [
            ("outlook", "No.Such"),
            ("outlook", "Small.Read"),
            ("gmail", "https://www.googleapis.com/auth/nosuch"),
            (
                "gmail",
                "https://www.googleapis.com/auth/gmail.administrate",
            ),
            ("github", "write:nosuch"),
            ("zoom", "meeting:read:nosuch"),
            ("slack", "no-such:scope"),
            // What is known is what it is known for, in any dress.
            ("outlook", "Files.Read.All"),
            ("zoom", "user:read:admin"),
            ("zoom", "USER:read:admin"),
            ("slack", "admin.users:read"),
            ("gitlab", "read_api"),
            ("shopify", "read_all_orders"),
            ("some_crm", "administrate"),
            ("calendly", "default"),
        ] {
            assert!(!is_unbounded(connector, scope), "{connector} {scope:?}");
        }
    }
}

//! Who issues a connector's tokens, and how each spells, adds and drops scopes.
//!
//! All of what providers do by themselves stands in this file.

use std::borrow::Cow;

/// A provider whose scopes are known. Its scopes mean the same with each of its connectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Provider {
    Airtable,
    Asana,
    Atlassian,
    Box,
    Discord,
    Dropbox,
    Facebook,
    GitHub,
    Google,
    HubSpot,
    Linear,
    LinkedIn,
    Microsoft,
    Notion,
    Salesforce,
    Slack,
    TikTok,
    Typeform,
    Wrike,
    Zoom,
}

/// How the types start that sign in at Microsoft, beyond those that have names of their own.
const MICROSOFT: [&str; 4] = ["microsoft", "outlook_", "one_drive_", "share_point_"];

/// What Microsoft takes before a Graph permission's name and a `/`: Graph's addresses, those of its
/// other clouds and of its past, and its id. All are names of one service.
const GRAPH: [&str; 7] = [
    "https://graph.microsoft.com",
    "https://graph.microsoft.us",
    "https://dod-graph.microsoft.us",
    "https://canary.graph.microsoft.com",
    "https://ags.windows.net",
    "00000003-0000-0000-c000-000000000000/ags.windows.net",
    "00000003-0000-0000-c000-000000000000",
];

/// A scope without one of Graph's names and what parts them; none without such a name.
fn within_graph(scope: &str) -> Option<&str> {
    GRAPH.iter().find_map(|name| {
        let (before, rest) = scope.split_at_checked(name.len())?;
        let inner = rest.trim_start_matches('/');
        let named = before.eq_ignore_ascii_case(name) && rest.len() > inner.len();
        (named && !inner.is_empty()).then_some(inner)
    })
}

impl Provider {
    /// The provider of a connector type. Types are compared without regard to case, as the platform
    /// accepts either.
    pub(crate) fn of(connector: &str) -> Option<Self> {
        let connector = connector.to_ascii_lowercase();
        Some(match connector.as_str() {
            "airtable" => Self::Airtable,
            "asana" => Self::Asana,
            "jira" | "confluence" | "atlassian" => Self::Atlassian,
            "box" => Self::Box,
            "discord" => Self::Discord,
            "dropbox" => Self::Dropbox,
            "instagram" | "meta_ads" => Self::Facebook,
            facebook if facebook.starts_with("facebook") => Self::Facebook,
            "github" => Self::GitHub,
            "gmail" | "youtube" => Self::Google,
            // Every such type signs in at Google, listed or not (googleads, google_photos, ...).
            google if google.starts_with("google") => Self::Google,
            "hubspot" => Self::HubSpot,
            "linear" => Self::Linear,
            "linkedin" => Self::LinkedIn,
            "outlook" | "one_drive" | "onedrive" | "share_point" | "sharepoint" => Self::Microsoft,
            // Each of Microsoft's types, listed or not.
            microsoft if MICROSOFT.iter().any(|start| microsoft.starts_with(start)) => {
                Self::Microsoft
            }
            "notion" => Self::Notion,
            "salesforce" => Self::Salesforce,
            "slack" | "slackbot" => Self::Slack,
            "tiktok" => Self::TikTok,
            "typeform" => Self::Typeform,
            "wrike" => Self::Wrike,
            "zoom" => Self::Zoom,
            _ => return None,
        })
    }

    /// The scope without what the provider may write before it.
    pub(super) fn plain(self, scope: &str) -> &str {
        let mut plain = scope;
        if self == Self::Microsoft {
            while let Some(inner) = within_graph(plain) {
                plain = inner;
            }
        }
        plain
    }

    /// The permission that a scope names. With Microsoft a scope is RESOURCE/PERMISSION, the last `/` parts them,
    /// and one without a resource is Graph's.
    pub(super) fn permission(self, scope: &str) -> &str {
        let plain = self.plain(scope);
        if self != Self::Microsoft {
            return plain;
        }
        let plain = plain.trim_end_matches('/');
        plain.rsplit_once('/').map_or(plain, |(_, name)| name)
    }

    /// Whether a scope is of a service of the provider whose permissions nobody lists here.
    pub(super) fn is_of_another_service(self, scope: &str) -> bool {
        self == Self::Microsoft && self.plain(scope).contains('/')
    }

    /// Whether a scope asks for all that a client is registered for.
    pub(super) fn is_all(self, scope: &str) -> bool {
        self == Self::Microsoft && self.permission(scope).eq_ignore_ascii_case(".default")
    }

    /// What tells a plain scope from another: Microsoft's names have no case.
    pub(super) fn key(self, plain: &str) -> Cow<'_, str> {
        if self == Self::Microsoft && plain.bytes().any(|b| b.is_ascii_uppercase()) {
            Cow::Owned(plain.to_ascii_lowercase())
        } else {
            Cow::Borrowed(plain)
        }
    }

    /// Scopes that can be on a token though nobody asked, by their main names.
    pub(super) fn adds(self) -> &'static [&'static str] {
        match self {
            Self::Google => &[
                "openid",
                "https://www.googleapis.com/auth/userinfo.email",
                "https://www.googleapis.com/auth/userinfo.profile",
            ],
            Self::HubSpot => &["oauth"],
            Self::Linear => &["read"],
            Self::Dropbox => &["account_info.read"],
            Self::Facebook => &["public_profile"],
            // `offline_access` is never returned, and no harm if it is.
            Self::Microsoft => &["User.Read", "openid", "profile", "email", "offline_access"],
            Self::Salesforce => &["id"],
            // On user tokens; nobody can ask for it, so nobody can have it removed.
            Self::Slack => &["identify"],
            Self::TikTok => &["user.info.basic"],
            Self::Airtable
            | Self::Asana
            | Self::Atlassian
            | Self::Box
            | Self::Discord
            | Self::GitHub
            | Self::LinkedIn
            | Self::Notion
            | Self::Typeform
            | Self::Wrike
            | Self::Zoom => &[],
        }
    }

    /// Scopes that come with another one: (the one asked for, the one that comes along).
    pub(super) fn brings_along(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Discord => &[("bot", "applications.commands")],
            _ => &[],
        }
    }

    /// Scopes that are granted but need not be reported, by their main names.
    pub(super) fn leaves_out(self) -> &'static [&'static str] {
        match self {
            Self::Microsoft => &["offline_access"],
            _ => &[],
        }
    }

    /// Whether the provider reads a comma within a scope as the end of it.
    pub(super) fn splits_at_commas(self) -> bool {
        matches!(
            self,
            Self::Facebook | Self::GitHub | Self::Linear | Self::Slack | Self::TikTok | Self::Wrike
        )
    }

    /// Whether a token is stored without the scopes that another of its scopes includes.
    pub(super) fn normalises(self) -> bool {
        self == Self::GitHub
    }
}

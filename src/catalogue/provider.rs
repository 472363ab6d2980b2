//! Who issues a connector's tokens, and how each spells, adds and drops scopes.
//!
//! All of what providers do by themselves stands in this file.

use std::borrow::Cow;

/// A provider whose scopes are known. Its scopes mean the same with each of its connectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Provider {
    Airtable,
    Asana,
    Atlassian,
    Box,
    Discord,
    Dropbox,
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

/// What Microsoft may put before a Graph permission's name.
const GRAPH: &str = "https://graph.microsoft.com/";

impl Provider {
    /// The provider of a connector type. Types are compared without regard to case, as the platform
    /// accepts either.
    pub(super) fn of(connector: &str) -> Option<Self> {
        let connector = connector.to_ascii_lowercase();
        Some(match connector.as_str() {
            "airtable" => Self::Airtable,
            "asana" => Self::Asana,
            "jira" | "confluence" | "atlassian" => Self::Atlassian,
            "box" => Self::Box,
            "discord" => Self::Discord,
            "dropbox" => Self::Dropbox,
            "github" => Self::GitHub,
            "gmail" | "youtube" => Self::Google,
            // Every such type signs in at Google, listed or not (googleads, google_photos, ...).
            google if google.starts_with("google") => Self::Google,
            "hubspot" => Self::HubSpot,
            "linear" => Self::Linear,
            "linkedin" => Self::LinkedIn,
            "outlook" | "microsoft_teams" | "microsoftteams" | "one_drive" | "onedrive"
            | "share_point" | "sharepoint" => Self::Microsoft,
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
            while let Some((before, rest)) = plain.split_at_checked(GRAPH.len())
                && before.eq_ignore_ascii_case(GRAPH)
                && !rest.is_empty()
            {
                plain = rest;
            }
        }
        plain
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
            Self::Microsoft => &["openid", "profile", "email"],
            // On user tokens; nobody can ask for it, so nobody can have it removed.
            Self::Slack => &["identify"],
            Self::TikTok => &["user.info.basic"],
            Self::Airtable
            | Self::Asana
            | Self::Atlassian
            | Self::Box
            | Self::Discord
            | Self::Dropbox
            | Self::GitHub
            | Self::LinkedIn
            | Self::Notion
            | Self::Salesforce
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

    /// Whether a token is stored without the scopes that another of its scopes includes.
    pub(super) fn normalises(self) -> bool {
        self == Self::GitHub
    }
}

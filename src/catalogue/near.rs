//! The known scope that a misspelt one is close to.
//!
//! No provider's scopes are listed completely, so an unknown scope alone is not a finding: only one
//! that a known scope is a slip away from.

use strsim::damerau_levenshtein;

use super::{
    provider::Provider,
    table::{self, Entry},
};
use crate::escape::is_hidden;

/// Shorter ones are too close to too many.
const SHORTEST: usize = 5;
/// Nobody misspells more than this, and the comparison is quadratic.
const LONGEST: usize = 200;

/// The known scope that `scope` probably stands for: the same without its address
/// (`gmail.send`), with other separators or case (`chat.write`), or one slip away. `None` where
/// the provider or the very scope is known, or nothing is close.
pub fn near(connector: &str, scope: &str) -> Option<&'static str> {
    let provider = Provider::of(connector)?;
    if scope.len() > LONGEST || table::find(provider, provider.plain(scope)).is_some() {
        return None;
    }
    if let Some(same) = spelt_out(connector, scope) {
        return Some(same);
    }
    let meant = bare(scope);
    let slips = usize::from(meant.len() >= SHORTEST);
    table::entries_of(provider)
        .filter_map(|entry| {
            let known = bare(entry.scope);
            if known.len().abs_diff(meant.len()) > slips {
                return None;
            }
            let distance = damerau_levenshtein(&known, &meant);
            // Among equals, what this very type of connector offers goes first.
            let rank = (distance, !entry.offered_by(connector), is_legacy(entry));
            (distance <= slips).then_some((rank, entry.scope))
        })
        .min()
        .map(|(_, scope)| scope)
}

/// The known scope of this name, without a slip: only its address, its case or its separators are other ones, or
/// it holds what nobody sees. `None` where the very scope is known. The provider may read it so, and gates take it
/// for that.
pub fn spelt_out(connector: &str, scope: &str) -> Option<&'static str> {
    let rank = |entry: &&Entry| (!entry.offered_by(connector), is_legacy(entry));
    let same = same_names(connector, scope)?.min_by_key(rank)?;
    Some(same.scope)
}

/// All of these, where there are several.
pub fn all_spelt_out(connector: &str, scope: &str) -> impl Iterator<Item = &'static str> {
    let same = same_names(connector, scope).into_iter().flatten();
    same.map(|entry| entry.scope)
}

fn same_names(connector: &str, scope: &str) -> Option<impl Iterator<Item = &'static Entry>> {
    let provider = Provider::of(connector)?;
    let plain = provider.plain(scope);
    let is_known = table::find(provider, plain).is_some();
    (!is_known).then(|| table::named(provider, bare(plain), bare))
}

/// The scopes of a type's provider, whichever of its types has them.
pub fn of_provider(connector: &str) -> impl Iterator<Item = &'static str> {
    let provider = Provider::of(connector).into_iter();
    provider.flat_map(|provider| table::entries_of(provider).map(|entry| entry.scope))
}

fn is_legacy(entry: &Entry) -> bool {
    entry.fact().is_some_and(|fact| fact.legacy)
}

/// Without address, case, the kind of its separators, and what nobody sees.
pub(super) fn bare(scope: &str) -> String {
    let mut text = scope.to_ascii_lowercase();
    text.retain(|c| !is_hidden(c));
    let address = text.strip_prefix("https:").or(text.strip_prefix("http:"));
    let name = match address.filter(|address| address.starts_with('/')) {
        Some(address) => {
            let address = address.trim_start_matches('/');
            let (host, path) = address.split_once('/').unwrap_or((address, ""));
            let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
            let host = host.split_once(':').map_or(host, |(host, _)| host);
            let path = path.split(['?', '#']).next().unwrap_or_default();
            format!("{}/{path}", host.trim_end_matches('.'))
        }
        None => text,
    };
    let parts: Vec<_> = name.split('/').filter(|part| !part.is_empty()).collect();
    let name = parts.join("/");
    let name = name.split_once("/auth/").map_or(&*name, |(_, name)| name);
    name.replace([':', '_', '-', '/'], ".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_told_and_what_is_merely_unknown_is_not() {
        let google = |name: &str| format!("https://www.googleapis.com/auth/{name}");
        for (connector, scope, meant) in [
            ("gmail", "gmail.send", &*google("gmail.send")),
            ("gmail", &google("gmail.sned"), &google("gmail.send")),
            (
                "gmail",
                "https://mail.google.com",
                "https://mail.google.com/",
            ),
            ("googlecalendar", "calendar", &google("calendar")),
            (
                "googlecalendar",
                "calendar.event",
                &google("calendar.events"),
            ),
            ("slack", "chat.write", "chat:write"),
            ("slack", "channels:raed", "channels:read"),
            ("github", "Repo", "repo"),
            ("discord", "guild", "guilds"),
        ] {
            assert_eq!(near(connector, scope), Some(meant), "{scope}");
            let same = bare(scope) == bare(meant);
            let exact = spelt_out(connector, scope);
            assert_eq!(exact, same.then_some(meant), "{scope}");
        }
        for (connector, scope) in [
            ("gmail", &*google("gmail.send")),
            ("gmail", &google("cloud-platform")),
            ("slack", "chat:write"),
            ("slack", "teleport:write"),
            ("outlook", "https://graph.microsoft.com/mail.read"),
            ("github", "rep"),
            ("some_crm", "gmail.send"),
            ("gmail", &"x".repeat(10_000)),
        ] {
            assert_eq!(near(connector, scope), None, "{scope}");
        }
    }

    #[test]
    fn a_scope_in_another_dress_is_the_same() {
        const MAIL: &str = "https://mail.google.com/";
        const DRIVE: &str = "https://www.googleapis.com/auth/drive";
        for (connector, scope, meant) in [
            ("gmail", "https://mail.google.com", MAIL),
            ("gmail", "https://mail.google.com//", MAIL),
            ("gmail", "https:/mail.google.com/", MAIL),
            ("gmail", "http://mail.google.com/", MAIL),
            ("gmail", "HTTPS://Mail.Google.COM/", MAIL),
            ("gmail", "https://mail.google.com:443/", MAIL),
            ("gmail", "https://mail.google.com./", MAIL),
            ("gmail", "https://x@mail.google.com/?a#b", MAIL),
            ("gmail", "mail.google.com", MAIL),
            ("gmail", "https://mail.goo\u{200b}gle.com/", MAIL),
            ("gmail", "\u{feff}https://mail.google.com/", MAIL),
            ("googledrive", "drive", DRIVE),
            (
                "googledrive",
                "https://www.googleapis.com//auth//drive",
                DRIVE,
            ),
            (
                "googledrive",
                "https://www.googleapis.com:80/AUTH/drive",
                DRIVE,
            ),
            ("github", "REPO", "repo"),
            ("github", "re\u{ad}po", "repo"),
            ("github", "re\u{3164}po", "repo"),
            ("slack", "Chat:Write", "chat:write"),
        ] {
            assert_eq!(spelt_out(connector, scope), Some(meant), "{scope:?}");
        }
        for (connector, scope) in [
            ("gmail", MAIL),
            ("gmail", "https://mail.google.com.evil.example/"),
            ("gmail", "https://mail.google.org/"),
            ("github", "repos"),
            ("outlook", "https://graph.microsoft.com/mail.read"),
            ("some_crm", "REPO"),
        ] {
            assert_eq!(spelt_out(connector, scope), None, "{scope:?}");
        }
    }

    #[test]
    fn every_known_scope_is_found_by_its_bare_name() {
        for entry in table::entries() {
            let connector = entry.connectors.split(' ').next().unwrap_or_default();
            let scope = entry.scope;
            assert_eq!(near(connector, scope), None, "{scope}");
            if let Some((_, name)) = scope.split_once("/auth/") {
                let found = near(connector, name).map(bare);
                // Few bare names are scopes of their own (`profile`).
                let own = super::super::fact(connector, name).is_some();
                assert!(own || found == Some(bare(scope)), "{name}: {found:?}");
            }
        }
    }
}

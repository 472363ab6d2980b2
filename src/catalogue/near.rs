//! The known scope that a misspelt one is close to.
//!
//! No provider's scopes are listed completely, so an unknown scope alone is not a finding: only one
//! that a known scope is a slip away from.

use strsim::damerau_levenshtein;

use super::{provider::Provider, table};

/// Shorter ones are too close to too many.
const SHORTEST: usize = 5;
/// Nobody misspells more than this, and the comparison is quadratic.
const LONGEST: usize = 200;

/// The known scope that `scope` probably stands for: the same without its address
/// (`gmail.send`), with other separators or case (`chat.write`), or one slip away. `None` where
/// the provider or the very scope is known, or nothing is close.
pub fn near(connector: &str, scope: &str) -> Option<&'static str> {
    nearest(connector, scope, 1)
}

/// The known scope of this name, without a slip: only its address, its case or its separators were left out.
pub fn spelt_out(connector: &str, scope: &str) -> Option<&'static str> {
    nearest(connector, scope, 0)
}

fn nearest(connector: &str, scope: &str, most: usize) -> Option<&'static str> {
    let provider = Provider::of(connector)?;
    if scope.len() > LONGEST || table::find(provider, provider.plain(scope)).is_some() {
        return None;
    }
    let meant = bare(scope);
    let slips = most.min(usize::from(meant.len() >= SHORTEST));
    table::entries_of(provider)
        .filter_map(|entry| {
            let known = bare(entry.fact.scope);
            if known.len().abs_diff(meant.len()) > slips {
                return None;
            }
            let distance = damerau_levenshtein(&known, &meant);
            // Among equals, what this very type of connector offers goes first.
            let rank = (distance, !entry.offered_by(connector), entry.fact.legacy);
            (distance <= slips).then_some((rank, entry.fact.scope))
        })
        .min()
        .map(|(_, scope)| scope)
}

/// Without address, case and the kind of its separators.
fn bare(scope: &str) -> String {
    let name = match scope.split_once("/auth/") {
        Some((_, name)) => name,
        None => scope.split_once("://").map_or(scope, |(_, name)| name),
    };
    name.trim_matches('/')
        .chars()
        .map(|c| match c {
            ':' | '_' | '-' | '/' => '.',
            c => c.to_ascii_lowercase(),
        })
        .collect()
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
    fn every_known_scope_is_found_by_its_bare_name() {
        for entry in table::entries() {
            let connector = entry.connectors.split(' ').next().unwrap_or_default();
            let scope = entry.fact.scope;
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

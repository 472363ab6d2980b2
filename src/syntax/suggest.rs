//! "Did you mean", and the connector types that are known.

use strsim::damerau_levenshtein;

/// Connector types seen in use. The platform's list grows, and any type is allowed: this list only
/// serves to notice a slip of the finger.
pub const KNOWN_TYPES: [&str; 53] = [
    "airtable",
    "asana",
    "bamboohr",
    "box",
    "calendly",
    "clickup",
    "contentful",
    "databricks",
    "discord",
    "dropbox",
    "facebook_pages",
    "github",
    "gitlab",
    "gmail",
    "google_analytics",
    "google_classroom",
    "google_contacts",
    "google_photos",
    "google_search_console",
    "googleads",
    "googlebigquery",
    "googlecalendar",
    "googledocs",
    "googledrive",
    "googleforms",
    "googlemeet",
    "googlesheets",
    "googleslides",
    "googletasks",
    "hubspot",
    "hugging_face",
    "instagram",
    "linear",
    "linkedin",
    "meta_ads",
    "microsoft_teams",
    "notion",
    "one_drive",
    "outlook",
    "quickbooks",
    "salesforce",
    "share_point",
    "slack",
    "slackbot",
    "snowflake",
    "splitwise",
    "square",
    "stripe",
    "supabase",
    "tiktok",
    "typeform",
    "wix",
    "wrike",
];

/// The known type that `text` is but for the case of its letters; `None` when it is that type.
pub fn known_type_in_other_case(text: &str) -> Option<&'static str> {
    let mut known = KNOWN_TYPES.iter().copied();
    known.find(|known| known.eq_ignore_ascii_case(text) && *known != text)
}

/// The known type that `text` is one slip away from; `None` when it is known itself.
pub fn known_type_near(text: &str) -> Option<&'static str> {
    if KNOWN_TYPES.contains(&text) {
        return None;
    }
    closest(text, &KNOWN_TYPES, 1)
}

/// Names that people have for a type, beside its own.
const NICKNAMES: [(&str, &str); 16] = [
    ("adwords", "googleads"),
    ("bigquery", "googlebigquery"),
    ("calendar", "googlecalendar"),
    ("drive", "googledrive"),
    ("gads", "googleads"),
    ("gcal", "googlecalendar"),
    ("gcalendar", "googlecalendar"),
    ("gdocs", "googledocs"),
    ("gdrive", "googledrive"),
    ("gforms", "googleforms"),
    ("gmeet", "googlemeet"),
    ("googlemail", "gmail"),
    ("gsheets", "googlesheets"),
    ("gslides", "googleslides"),
    ("msteams", "microsoft_teams"),
    ("teams", "microsoft_teams"),
];

/// The known type that a setting means for certain: one slip away, or by another name. A number at its end makes
/// no slip: the platform may have both.
pub(super) fn type_misspelt(text: &str) -> Option<&'static str> {
    let counted = text.ends_with(|last: char| last.is_ascii_digit());
    let near = || known_type_near(text).filter(|_| !counted);
    nickname(text).or_else(near)
}

fn nickname(text: &str) -> Option<&'static str> {
    let word = plain(text);
    let named = NICKNAMES.iter().find(|(name, _)| *name == word);
    named.map(|(_, meant)| *meant)
}

/// The type that somebody means who writes this: by another name (`gdrive`), with other separators
/// (`google-drive`), cut short (`googlecal`), or with two slips. `None` when it is known itself.
pub fn type_meant(text: &str) -> Option<&'static str> {
    if KNOWN_TYPES.contains(&text) {
        return None;
    }
    if let Some(meant) = nickname(text).or_else(|| closest(text, &KNOWN_TYPES, 1)) {
        return Some(meant);
    }
    let word = plain(text);
    let begun = |known: &&&str| word.len() >= 5 && plain(known).starts_with(&word);
    let mut begun = KNOWN_TYPES.iter().filter(begun);
    match (begun.next(), begun.next()) {
        (Some(only), None) => Some(only),
        _ => closest(text, &KNOWN_TYPES, 2),
    }
}

/// The candidate nearest to `word`, at most `slips` slips away (a letter too much, too few, wrong,
/// or two swapped); case, `-` and `_` make no difference.
pub fn closest<'a>(word: &str, candidates: &[&'a str], slips: usize) -> Option<&'a str> {
    // Nobody misspells a word by that much, and the comparison is quadratic.
    if word.len() > 64 {
        return None;
    }
    let word = plain(word);
    candidates
        .iter()
        .map(|candidate| (damerau_levenshtein(&word, &plain(candidate)), *candidate))
        .filter(|(distance, candidate)| *distance <= slips && *distance < candidate.len())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// How to go on from an unknown key: the nearest known one, else all of them.
pub(super) fn help(key: &str, known: &[&'static str]) -> String {
    match closest(key, known, 2) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("known are {}", list(known)),
    }
}

/// `` `a`, `b` and `c` ``.
pub(crate) fn list(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
        None => "none".to_owned(),
    }
}

fn plain(word: &str) -> String {
    word.to_lowercase().replace(['-', '_', ' '], "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_call_a_type_is_understood() {
        for (said, meant) in [
            ("gdrive", "googledrive"),
            ("google-drive", "googledrive"),
            ("googlecal", "googlecalendar"),
            ("GoogleSheets", "googlesheets"),
            ("hubspto", "hubspot"),
        ] {
            assert_eq!(type_meant(said), Some(meant), "{said}");
        }
        for said in ["slack", "googl", "my_crm_of_old"] {
            assert_eq!(type_meant(said), None, "{said}");
        }
    }

    #[test]
    fn a_slip_is_noticed_and_a_known_type_is_left_alone() {
        assert_eq!(known_type_near("slakc"), Some("slack"));
        assert_eq!(known_type_near("GoogleCalendar"), Some("googlecalendar"));
        assert_eq!(known_type_near("google-calendar"), Some("googlecalendar"));
        assert_eq!(known_type_near("slackbot"), None);
        assert_eq!(known_type_near("my_company"), None);
        assert_eq!(known_type_in_other_case("Slack"), Some("slack"));
        assert_eq!(known_type_in_other_case("slack"), None);
        assert_eq!(known_type_in_other_case("google-calendar"), None);
        assert_eq!(known_type_near(&"x".repeat(10_000)), None);
        for known in KNOWN_TYPES {
            assert_eq!(known_type_near(known), None);
        }
    }

    #[test]
    fn a_setting_means_what_is_one_slip_away_or_another_name() {
        for (said, meant) in [
            ("gmial", Some("gmail")),
            ("googlemail", Some("gmail")),
            ("google_calendar", Some("googlecalendar")),
            ("GDrive", Some("googledrive")),
            ("gmail", None),
            ("gmail2", None),
            ("facebook", None),
            ("my_crm", None),
        ] {
            assert_eq!(type_misspelt(said), meant, "{said}");
        }
    }

    #[test]
    fn help_names_the_nearest_or_all() {
        let known = ["type", "scopes"];
        assert_eq!(help("scope", &known), "did you mean `scopes`?");
        assert_eq!(help("colour", &known), "known are `type` and `scopes`");
    }
}

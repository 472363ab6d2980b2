use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::model::{ConnectorType, Scope, Scopes};

fn connector(name: &str) -> ConnectorType {
    ConnectorType::parse(name).expect("a type")
}

fn scopes(names: &[&str]) -> Scopes {
    names.iter().copied().collect()
}

fn compare(name: &str, declared: &[&str], remote: &[&str]) -> ScopeDiff {
    ScopeEquivalence::default().compare(&connector(name), &scopes(declared), &scopes(remote))
}

fn includes(name: &str, wide: &str, narrow: &str) -> bool {
    ScopeEquivalence::default().includes(&connector(name), &wide.into(), &narrow.into())
}

const EMAIL: &str = "https://www.googleapis.com/auth/userinfo.email";
const PROFILE: &str = "https://www.googleapis.com/auth/userinfo.profile";
const DRIVE: &str = "https://www.googleapis.com/auth/drive";
const DRIVE_FILE: &str = "https://www.googleapis.com/auth/drive.file";

/// The types that the platform is known to offer.
const BASE44_TYPES: &str = "airtable asana bamboohr box calendly clickup contentful databricks \
    discord dropbox facebook_pages github gitlab gmail google_analytics google_classroom \
    google_contacts google_photos google_search_console googleads googlebigquery googlecalendar \
    googledocs googledrive googleforms googlemeet googlesheets googleslides googletasks hubspot \
    hugging_face instagram linear linkedin meta_ads microsoft_teams notion one_drive outlook \
    quickbooks salesforce share_point slack slackbot snowflake splitwise square stripe supabase \
    tiktok typeform wix wrike";

#[test]
fn a_fact_says_what_a_scope_permits_and_how_sure_that_is() {
    let modify = fact("gmail", "https://www.googleapis.com/auth/gmail.modify").expect("listed");
    assert_eq!(modify.access, Access::Write);
    assert_eq!(modify.class, Some("restricted"));
    assert!(modify.class_verified);
    assert_eq!(modify.certainty, Certainty::Verified);
    assert_eq!(
        modify.doc,
        "https://developers.google.com/workspace/gmail/api/auth/scopes"
    );
    assert_eq!(
        modify.included_in().collect::<Vec<_>>(),
        ["https://mail.google.com/"]
    );

    let calendar = fact("googlecalendar", "https://www.googleapis.com/auth/calendar");
    assert!(calendar.is_some_and(|f| f.class == Some("sensitive") && !f.class_verified));
    let freebusy = fact(
        "googlecalendar",
        "https://www.googleapis.com/auth/calendar.freebusy",
    );
    assert!(freebusy.is_some_and(|f| f.class.is_none() && f.class_unpublished));
    let airtable = fact("airtable", "schema.bases:write").expect("listed");
    assert_eq!(airtable.certainty, Certainty::OwnKnowledge);
    let jira = fact("jira", "write:jira-work").expect("listed");
    assert_eq!(jira.certainty, Certainty::NameVerified);
    let slack = fact("slack", "app_mentions:read").expect("listed");
    assert_eq!(slack.tokens, Some("bot"));
    assert_eq!(
        slack.doc,
        "https://docs.slack.dev/reference/scopes/app_mentions.read"
    );
    assert!(fact("notion", "read_content").is_some_and(|f| f.capability));
    assert!(fact("linkedin", "r_liteprofile").is_some_and(|f| f.legacy));
    assert_eq!(fact("outlook", "Mail.Read").and_then(|f| f.level), Some(2));
}

#[test]
fn what_is_not_listed_is_unknown() {
    assert_eq!(fact("slack", "chat:destroy"), None);
    assert_eq!(fact("quickbooks", "com.intuit.quickbooks.accounting"), None);
    assert_eq!(fact("stripe", "read_write"), None);
    assert_eq!(facts("quickbooks").count(), 0);
    // At Google the slash is part of the name, and so is the case.
    assert_eq!(fact("gmail", "https://mail.google.com"), None);
    assert_eq!(fact("gmail", &EMAIL.to_uppercase()), None);
}

#[test]
fn spellings_of_a_type_share_their_facts() {
    for (own, other) in [
        ("slack", "slackbot"),
        ("google_analytics", "googleanalytics"),
        ("googlemeet", "google_meet"),
        ("one_drive", "onedrive"),
        ("share_point", "SharePoint"),
        ("gmail", "Gmail"),
    ] {
        assert!(facts(own).count() > 0, "{own}");
        assert!(facts(own).eq(facts(other)), "{own} and {other}");
    }
    // A provider's scope is known on each of its connectors, but offered only where it fits.
    assert!(fact("googlecalendar", DRIVE).is_some());
    assert!(facts("googlecalendar").all(|f| f.scope != DRIVE));
    assert!(connectors().any(|c| c == "googleforms"));
}

#[test]
fn google_spells_email_and_profile_out_and_adds_them() {
    for google in BASE44_TYPES
        .split_whitespace()
        .filter(|t| t.starts_with("google") || *t == "gmail")
    {
        let diff = compare(
            google,
            &["email", "profile", "openid"],
            &[PROFILE, "openid", EMAIL],
        );
        assert!(diff.is_same(), "{google}: {diff:?}");
        assert_eq!(
            diff.kept,
            scopes(&["email", "openid", "profile"]),
            "{google}"
        );
        assert!(diff.provider_added.is_empty());

        let extras = ["openid", "email", "profile", EMAIL, PROFILE];
        let diff = compare(google, &["x"], &[["x"].as_slice(), &extras].concat());
        assert!(diff.is_same(), "{google}: {diff:?}");
        assert_eq!(diff.provider_added, scopes(&extras), "{google}");
    }
    assert!(!compare("slack", &["email"], &[EMAIL]).is_same());
}

#[test]
fn microsoft_may_write_an_address_before_and_has_no_case() {
    let diff = compare(
        "outlook",
        &["mail.read", "Files.Read", "offline_access"],
        &[
            "https://graph.microsoft.com/Mail.Read",
            "HTTPS://Graph.Microsoft.com/files.read",
            "openid",
            "profile",
            "email",
        ],
    );
    assert!(diff.is_same(), "{diff:?}");
    assert_eq!(diff.kept.len(), 3);
    assert_eq!(diff.provider_added, scopes(&["email", "openid", "profile"]));
    assert!(fact("one_drive", "https://graph.microsoft.com/files.readwrite").is_some());
    let graph = "https://graph.microsoft.com/";
    assert!(
        compare(
            "outlook",
            &["Mail.Read"],
            &[&format!("{graph}{graph}mail.read")]
        )
        .is_same()
    );
    assert!(compare("outlook", &[graph], &[graph]).is_same());
    // What nobody said that Microsoft adds is a difference.
    let diff = compare("outlook", &["Mail.Read"], &["Mail.Read", "Tasks.Read"]);
    assert_eq!(diff.removed, scopes(&["Tasks.Read"]));
}

/// It counts as the permission of that name, and is another scope all the same.
#[test]
fn a_permission_of_another_service_is_known_by_its_name() {
    let imap = "https://outlook.office.com/imap.accessasuser.all";
    assert_eq!(
        fact("outlook", imap),
        fact("outlook", "IMAP.AccessAsUser.All")
    );
    assert!(fact("outlook", imap).is_some() && !is_unbounded("outlook", imap));
    assert!(!compare("outlook", &[imap], &["IMAP.AccessAsUser.All"]).is_same());
    for all in [
        "https://vault.azure.net//.default",
        "api://app/.DEFAULT",
        ".default",
    ] {
        assert!(is_all("outlook", all), "{all}");
    }
    for unknown in [
        "https://outlook.office.com/EWS",
        "https://outlook.office.com/",
        "a/b",
    ] {
        assert!(is_unbounded("outlook", unknown), "{unknown}");
        assert_eq!(fact("outlook", unknown), None);
    }
    for known in [
        "Mail.Read",
        "https://graph.microsoft.com/No.Such",
        "No.Such",
    ] {
        assert!(!is_unbounded("outlook", known), "{known}");
    }
    assert!(!is_unbounded("gmail", "https://example.com/x"));
}

#[test]
fn what_a_provider_adds_is_known_for_all_of_its_types() {
    for (name, declared, added) in [
        ("outlook", "Mail.Read", "User.Read"),
        ("Microsoft_Planner", "Tasks.Read", "user.read"),
        ("microsoftteams", "Chat.Read", "openid"),
        ("share_point", "Sites.Read.All", "email"),
        (
            "one_drive",
            "Files.Read",
            "https://graph.microsoft.com/User.Read",
        ),
        ("dropbox", "files.content.read", "account_info.read"),
        ("facebook_pages", "pages_show_list", "public_profile"),
        ("instagram", "instagram_basic", "public_profile"),
        ("salesforce", "api", "id"),
    ] {
        let diff = compare(name, &[declared], &[declared, added]);
        assert!(diff.is_same(), "{name}: {diff:?}");
        // Declared, it is asked for like any other.
        let diff = compare(name, &[declared, added], &[declared]);
        assert!(!diff.is_same(), "{name}: {diff:?}");
    }
    // Never returned, and no difference either way.
    let diff = compare("microsoft_x", &["A", "offline_access"], &["A"]);
    assert!(diff.is_same(), "{diff:?}");
}

#[test]
fn what_may_go_unreported_is_still_added_to_a_new_connector() {
    let declared = ["Mail.Read", "offline_access"];
    assert_eq!(compare("outlook", &declared, &[]).added, scopes(&declared));
    assert!(compare("outlook", &declared, &["Mail.Read"]).is_same());
    assert!(!compare("salesforce", &["api", "offline_access"], &["api"]).is_same());
}

#[test]
fn other_providers_add_what_they_add() {
    for (name, declared, extra) in [
        ("slack", "chat:write", "identify"),
        ("slackbot", "chat:write", "identify"),
        ("hubspot", "crm.objects.contacts.read", "oauth"),
        ("tiktok", "video.list", "user.info.basic"),
        ("linear", "write", "read"),
        ("discord", "bot", "applications.commands"),
    ] {
        let diff = compare(name, &[declared], &[declared, extra]);
        assert!(diff.is_same(), "{name}: {diff:?}");
        assert_eq!(diff.provider_added, scopes(&[extra]), "{name}");
    }
    // Without the bot, the commands were asked for.
    let diff = compare(
        "discord",
        &["identify"],
        &["identify", "applications.commands"],
    );
    assert_eq!(diff.removed, scopes(&["applications.commands"]));
}

#[test]
fn github_drops_what_another_scope_includes() {
    let declared = [
        "repo",
        "public_repo",
        "repo:status",
        "admin:org",
        "read:org",
    ];
    let diff = compare("github", &declared, &["repo", "admin:org"]);
    assert!(diff.is_same(), "{diff:?}");
    assert_eq!(diff.kept, scopes(&declared));
    // The scope that includes them must itself be declared: else it is on its way out.
    let diff = compare("github", &["public_repo"], &["repo"]);
    assert_eq!(diff.added, scopes(&["public_repo"]));
    assert_eq!(diff.removed, scopes(&["repo"]));
    // Nobody else drops them.
    let diff = compare("googledrive", &[DRIVE, DRIVE_FILE], &[DRIVE]);
    assert_eq!(diff.added, scopes(&[DRIVE_FILE]));
}

#[test]
fn synonyms_are_one_scope() {
    assert!(compare("salesforce", &["refresh_token"], &["offline_access"]).is_same());
    assert!(
        compare(
            "googledrive",
            &["https://www.googleapis.com/auth/drive.appfolder"],
            &["https://www.googleapis.com/auth/drive.appdata"],
        )
        .is_same()
    );
}

#[test]
fn settings_name_further_scopes_that_a_provider_adds() {
    let rules = ScopeEquivalence::with_settings(BTreeMap::from([(
        connector("Outlook"),
        vec!["tasks.read".into()],
    )]));
    let (declared, remote) = (scopes(&["Mail.Read"]), scopes(&["Mail.Read", "Tasks.Read"]));
    let diff = rules.compare(&connector("outlook"), &declared, &remote);
    assert!(diff.is_same(), "{diff:?}");
    assert_eq!(diff.provider_added, scopes(&["Tasks.Read"]));
    assert!(
        !rules
            .compare(&connector("one_drive"), &declared, &remote)
            .is_same()
    );
}

#[test]
fn one_scope_includes_another_only_where_that_is_known() {
    assert!(includes(
        "gmail",
        "https://mail.google.com/",
        "https://www.googleapis.com/auth/gmail.metadata"
    ));
    assert!(includes(
        "googlesheets",
        DRIVE,
        "https://www.googleapis.com/auth/spreadsheets"
    ));
    for not in [
        "drive.appdata",
        "drive.scripts",
        "drive.install",
        "drive.activity",
    ] {
        let scope = format!("https://www.googleapis.com/auth/{not}");
        assert!(!includes("googledrive", DRIVE, &scope), "{not}");
    }
    assert!(includes("github", "admin:org", "read:org"));
    assert!(includes("salesforce", "full", "email"));
    assert!(!includes("salesforce", "full", "refresh_token"));
    assert!(!includes("salesforce", "full", "offline_access"));
    assert!(includes("asana", "default", "tasks:delete"));
    assert!(includes(
        "outlook",
        "https://graph.microsoft.com/mail.readwrite",
        "Mail.ReadBasic"
    ));
    assert!(!includes("outlook", "Mail.ReadWrite", "Mail.Send"));
    assert!(!includes(
        "hubspot",
        "crm.objects.contacts.write",
        "crm.objects.contacts.read"
    ));
    assert!(!includes("slack", "chat:write", "channels:history"));
    assert!(!includes("stripe", "a", "b"));

    let declared = scopes(&[DRIVE, DRIVE_FILE]);
    let rules = ScopeEquivalence::default();
    let drive = connector("googledrive");
    let by = |narrow: &str| rules.index(&drive, &declared).includer(&narrow.into());
    assert_eq!(by(DRIVE_FILE), Some(&DRIVE.into()));
    assert_eq!(by(DRIVE), None);
}

#[test]
fn no_two_scopes_include_each_other() {
    for name in connectors() {
        let known: Vec<Scope> = facts(name).map(|f| f.scope.into()).collect();
        let (rules, connector) = (ScopeEquivalence::default(), connector(name));
        for wide in &known {
            for narrow in fact(name, wide.as_str())
                .iter()
                .flat_map(ScopeFact::included_in)
            {
                assert!(
                    !rules.includes(&connector, wide, &narrow.into()),
                    "{wide} {narrow}"
                );
            }
        }
    }
}

/// Any type that is offered, catalogued or not.
fn any_connector() -> impl Strategy<Value = ConnectorType> {
    let mut names: Vec<&str> = BASE44_TYPES.split_whitespace().collect();
    names.extend(connectors());
    proptest::sample::select(names).prop_map(connector)
}

/// Scopes of this type, in odd spellings too, and scopes that nobody knows.
fn any_scope(connector: &ConnectorType) -> BoxedStrategy<Scope> {
    let mut known: Vec<String> = facts(connector.as_str())
        .map(|f| f.scope.to_owned())
        .collect();
    known.extend(["openid", "email", EMAIL, "identify", "x"].map(str::to_owned));
    let known = proptest::sample::select(known);
    let shouted = known.clone().prop_map(|s| s.to_uppercase());
    let long = known
        .clone()
        .prop_map(|s| format!("https://graph.microsoft.com/{s}"));
    prop_oneof![6 => known, 1 => shouted, 1 => long, 2 => ".{0,12}"]
        .prop_map(Scope::new)
        .boxed()
}

fn any_set(connector: &ConnectorType) -> impl Strategy<Value = Vec<Scope>> + use<> {
    proptest::collection::vec(any_scope(connector), 0..8)
}

fn two_sets() -> impl Strategy<Value = (ConnectorType, Vec<Scope>, Vec<Scope>)> {
    any_connector().prop_flat_map(|c| {
        let (a, b) = (any_set(&c), any_set(&c));
        (Just(c), a, b)
    })
}

proptest! {
    #[test]
    fn nothing_differs_from_itself((connector, set, _) in two_sets()) {
        let set: Scopes = set.into_iter().collect();
        let diff = ScopeEquivalence::default().compare(&connector, &set, &set);
        prop_assert!(diff.is_same());
        prop_assert_eq!(diff.kept, set);
        prop_assert!(diff.provider_added.is_empty());
    }

    #[test]
    fn order_and_duplicates_make_no_difference((connector, a, b) in two_sets()) {
        let rules = ScopeEquivalence::default();
        let set = |scopes: &[Scope]| scopes.iter().cloned().collect::<Scopes>();
        let twice: Vec<Scope> = a.iter().rev().chain(&a).cloned().collect();
        prop_assert_eq!(
            rules.compare(&connector, &set(&a), &set(&b)),
            rules.compare(&connector, &set(&twice), &set(&b))
        );
    }

    #[test]
    fn a_canonical_scope_is_its_own((connector, scopes, _) in two_sets()) {
        let rules = ScopeEquivalence::default();
        for scope in scopes {
            let once = Scope::new(rules.canonical(&connector, &scope));
            prop_assert_eq!(rules.canonical(&connector, &once), once.as_str());
        }
    }

    #[test]
    fn another_spelling_is_the_same_scope((connector, scopes, _) in two_sets()) {
        let rules = ScopeEquivalence::default();
        let declared: Scopes = scopes.iter().cloned().collect();
        let main = |s: &Scope| Scope::new(rules.canonical(&connector, s));
        let respelt: Scopes = scopes.iter().map(main).collect();
        prop_assert!(rules.compare(&connector, &declared, &respelt).is_same());
        prop_assert!(rules.compare(&connector, &respelt, &declared).is_same());
    }

    #[test]
    fn what_the_provider_adds_is_no_change((connector, declared, extras) in two_sets()) {
        let rules = ScopeEquivalence::default();
        let declared: Scopes = declared.into_iter().collect();
        let by_provider = |s: &&Scope| rules.added_by_provider(&connector, s);
        let remote = declared.iter().chain(extras.iter().filter(by_provider));
        let remote: Scopes = remote.cloned().collect();
        prop_assert!(rules.compare(&connector, &declared, &remote).is_same());
    }

    #[test]
    fn every_scope_is_accounted_for_once((connector, declared, remote) in two_sets()) {
        let rules = ScopeEquivalence::default();
        let declared: Scopes = declared.into_iter().collect();
        let remote: Scopes = remote.into_iter().collect();
        let diff = rules.compare(&connector, &declared, &remote);
        let all = |a: &Scopes, b: &Scopes| a.iter().chain(b.iter()).cloned().collect::<Scopes>();
        prop_assert_eq!(&all(&diff.added, &diff.kept), &declared);
        prop_assert_eq!(diff.added.len() + diff.kept.len(), declared.len());
        for scope in all(&diff.removed, &diff.provider_added) {
            prop_assert!(remote.contains(&scope));
            prop_assert!(!diff.removed.contains(&scope) || !diff.provider_added.contains(&scope));
        }
    }

    #[test]
    fn a_widening_is_never_hidden((connector, declared, remote) in two_sets()) {
        let rules = ScopeEquivalence::default();
        let declared: Scopes = declared.into_iter().collect();
        let remote: Scopes = remote.into_iter().collect();
        let diff = rules.compare(&connector, &declared, &remote);
        for scope in diff.kept.iter() {
            let same = remote
                .iter()
                .any(|r| rules.canonical(&connector, r) == rules.canonical(&connector, scope));
            let covered = rules.normalises(&connector)
                && remote.iter().any(|r| rules.includes(&connector, r, scope));
            let unreported = !remote.is_empty() && rules.may_be_left_out(&connector, scope);
            prop_assert!(same || covered || unreported, "{scope} is hidden");
        }
        prop_assert_eq!(rules.compare(&connector, &declared, &Scopes::new()).added, declared);
    }
}

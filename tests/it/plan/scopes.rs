//! Scopes that are the same though they are spelt differently, and those that providers add.

use crate::support::{Connector, Platform, Project, reads};

#[test]
fn what_a_provider_adds_is_no_difference() {
    const ADDED: [(&str, &[&str], &[&str]); 6] = [
        ("outlook", &["Mail.Read"], &["Mail.Read", "User.Read"]),
        (
            "microsoft_planner",
            &["Tasks.Read", "offline_access"],
            &["Tasks.Read", "User.Read", "openid", "profile", "email"],
        ),
        (
            "one_drive",
            &["Files.Read"],
            &[
                "https://graph.microsoft.com/files.read",
                "User.Read",
                "openid",
            ],
        ),
        (
            "dropbox",
            &["files.content.read"],
            &["files.content.read", "account_info.read"],
        ),
        (
            "facebook_pages",
            &["pages_show_list"],
            &["pages_show_list", "public_profile"],
        ),
        ("salesforce", &["api"], &["api", "id"]),
    ];
    let remote: Vec<_> = ADDED
        .iter()
        .map(|(name, _, remote)| Connector::active(name, remote))
        .collect();
    let platform = Platform::with(&remote);
    let mut project = Project::new().at(&platform);
    for (name, declared, _) in ADDED {
        project = project.connector(name, declared);
    }
    let plan = project.run(&["plan", "--detailed-exitcode"]);
    plan.expect(0).lacks("somebody else");
    let applied = project.run(&["apply", "--auto-approve"]);
    applied.expect(0).lacks("somebody else");
    assert_eq!(platform.writes(), [] as [&str; 0]);
}

#[test]
fn one_string_is_one_scope() {
    for (connector, scope) in [
        ("gmail", "openid https://mail.google.com/"),
        ("gmail", "openid\u{a0}email"),
        ("gmail", "openid\n"),
        ("gmail", ""),
        ("gmail", " "),
        ("slack", "chat:write,users:read"),
        ("github", "repo,user"),
    ] {
        let project = Project::new().connector(connector, &[scope]);
        let refused = project.run(&["validate", "--format", "json"]);
        refused.expect(1);
        let problems = refused.json();
        let text = problems.to_string();
        assert!(text.contains("\"line\":1"), "{scope:?}: {text}");
    }
    let project = Project::new().connector("typeform", &["a,b"]);
    project.run(&["validate"]).expect(0);
}

#[test]
fn a_new_file_keeps_what_somebody_may_have_written() {
    let calendar = "https://www.googleapis.com/auth/calendar";
    let address = "https://www.googleapis.com/auth/userinfo.email";
    let platform = Platform::with(&[
        Connector::active("googlecalendar", &[calendar, "email"]),
        Connector::active("googledrive", &["openid", address, "profile"]),
        Connector::active(
            "outlook",
            &["Mail.Read", "User.Read", "openid", "email", "profile"],
        ),
    ]);
    let project = Project::new().at(&platform);
    project.run(&["pull"]).expect(0);
    let text = project.read("base44/connectors/googlecalendar.jsonc");
    assert!(
        text.contains(calendar) && text.contains("\"email\""),
        "{text}"
    );
    let text = project.read("base44/connectors/googledrive.jsonc");
    assert!(
        text.contains("\"profile\"") && text.contains("\"openid\"") && !text.contains(address),
        "{text}"
    );
    let text = project.read("base44/connectors/outlook.jsonc");
    for scope in ["Mail.Read", "openid", "email", "profile"] {
        assert!(text.contains(&format!("\"{scope}\"")), "{text}");
    }
    assert!(!text.contains("User.Read"), "{text}");
    project.run(&["plan", "--detailed-exitcode"]).expect(0);
    // What is there already stays as it is.
    project.run(&["pull"]).expect(0);
    assert_eq!(platform.writes(), [] as [&str; 0]);
}

#[test]
fn what_no_file_can_say_is_pulled_as_what_it_means() {
    let platform = Platform::with(&[
        Connector::active("github", &["repo,user"]),
        Connector::active("slack", &["chat:write", ""]),
        Connector::active("typeform", &["a,b", "c d"]),
    ]);
    let project = Project::new()
        .at(&platform)
        .connector("slack", &["users:read"]);
    project.run(&["pull"]).expect(0);
    for (connector, scopes) in [
        ("github", "\"repo\",\n    \"user\"\n"),
        ("slack", "[\"chat:write\"]"),
        ("typeform", "\"a,b\",\n    \"c\",\n    \"d\"\n"),
    ] {
        let text = project.read(&format!("base44/connectors/{connector}.jsonc"));
        assert!(text.contains(scopes), "{text}");
    }
    project.run(&["validate", "--strict"]).expect(0);
    reads!(project.run(&["pull"]), @"
    exit 0: connplan pull
    --- stderr
    Nothing to pull. The connector files match the app.
    ");
}

/// Quadratic work takes a minute here, in a debug build too.
#[test]
#[ignore = "a second of CPU time, or more: run by .ci/run"]
fn many_scopes_are_no_burden() {
    let platform = Platform::start();
    let scopes: Vec<String> = (0..600).map(|n| format!("scope:{n:05}")).collect();
    let scopes: Vec<_> = scopes.iter().map(String::as_str).collect();
    let project = Project::new().at(&platform);
    for connector in ["github", "gmail", "outlook", "wix"] {
        project.declare(connector, &scopes);
    }
    let plan = project.run(&["plan", "--format", "json"]).expect(0).json();
    let added = |change: &serde_json::Value| change["scopes"]["added"].as_array().map(Vec::len);
    let changes = plan["apps"][0]["changes"].as_array().unwrap();
    let added: Vec<_> = changes.iter().map(added).collect();
    assert_eq!(added, [Some(600); 4]);
    project.run(&["plan", "--format", "markdown"]).expect(0);
    project.run(&["plan"]).expect(0);
}

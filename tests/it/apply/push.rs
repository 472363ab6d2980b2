//! `push` and `status`, through the binary; and what must not come back for ever.

use serde_json::{Value, json};

use crate::support::{Connector, Platform, Project, Pty, reads};

const NOTHING: [&str; 0] = [];
const ADA: &str = "ada@example.com";

#[test]
fn push_has_the_official_clients_words() {
    let seed = json!({
        "settings": {
            "forbidden": { "tiktok": "Ask an admin." },
            "policies_readable": false,
            "narrows_at_once": true,
        },
        "apps": { "app-1": { "connectors": {
            "github": { "scopes": ["repo"], "account": ADA },
            "hubspot": { "scopes": ["oauth", "crm.objects.contacts.read", "tickets"], "account": ADA },
        } } },
    });
    let platform = Platform::seeded(seed);
    let project = Project::new()
        .at(&platform)
        .connector("hubspot", &["crm.objects.contacts.read"])
        .connector("slack", &["chat:write"])
        .connector("stripe", &[]);
    let push = project.run(&["push", "-y"]);
    reads!(push.lacks("ticket="));
    assert_eq!(push.code, Some(4), "{push}");
    platform.consent("slack", ADA);
    let push = project.run(&["push", "--yes"]);
    assert!(
        push.stdout.contains("Added: slack") || push.stdout.contains("Synced: "),
        "{push}"
    );
    project.declare("tiktok", &[]);
    let push = project.run(&["push", "--yes"]);
    reads!(push);
    project
        .run(&["push", "--yes", "--dir", "nowhere"])
        .expect(1);
}

#[test]
fn push_writes_only_what_changes() {
    let platform = Platform::with(&[Connector::active("slack", &["chat:write"])]);
    let project = Project::new()
        .at(&platform)
        .connector("slack", &["chat:write"]);
    reads!(project.run(&["push", "--yes"]), @"
    exit 0: connplan push --yes
    Summary:
      Synced: slack
    --- stderr
    Acting as a workspace, by BASE44_API_KEY.
    Found 1 connectors to push: slack
    App app-1 at http://HOST

    No changes. The app matches the connector files.
    ");
    project.run(&["push", "--yes"]).expect(0);
    assert_eq!(platform.writes(), NOTHING);
}

#[test]
fn push_asks_in_a_terminal_and_goes_through_to_the_end() {
    let platform = Platform::start();
    let project = Project::new()
        .at(&platform)
        .connector("slack", &["chat:write"]);
    let mut terminal = Pty::start(&project, &["push"]);
    terminal.wait_for("Only 'yes' is accepted: ").line("no");
    let (code, seen) = terminal.end();
    assert_eq!(code, 1, "{seen}");
    assert_eq!(platform.writes(), NOTHING);
    let mut terminal = Pty::start(&project, &["push"]);
    terminal.wait_for("Only 'yes' is accepted: ").line("yes");
    terminal
        .wait_for("Open browser to authorize now?")
        .line("y");
    terminal.wait_for("Waiting for slack.").wait_for_keys();
    platform.consent("slack", ADA);
    let (code, seen) = terminal.end();
    assert_eq!(code, 0, "{seen}");
    assert!(seen.contains("Added: slack"), "{seen}");
    // The same end as `authorize` has.
    assert!(seen.contains("CONNECTOR  ACCOUNT"), "{seen}");
    let row = seen.lines().find(|line| line.starts_with("slack "));
    assert!(row.is_some_and(|row| row.contains(ADA)), "{seen}");
    assert_eq!(project.opens(1).len(), 1);
}

#[test]
fn status_has_a_row_for_each() {
    let platform = Platform::with(&[
        Connector::active("github", &["repo"]),
        Connector {
            status: "expired",
            ..Connector::active("notion", &[])
        },
    ]);
    platform.stripe(Some("live"));
    let project = Project::new()
        .at(&platform)
        .connector("notion", &[])
        .connector("slack", &["chat:write"]);
    project
        .run(&["apply", "--auto-approve", "--target", "slack"])
        .expect(0);
    let status = project.run(&["status"]);
    reads!(status, @"
    exit 0: connplan status
    App app-1 at http://HOST

    CONNECTOR  DECLARED  REMOTE   SCOPES  PENDING   ACCOUNT
    github     no        active   1       -         ada@example.com
    notion     yes       expired  0       -         ada@example.com
    slack      yes       absent   0 of 1  just now  -
    stripe     no        live     -       -         -

    4 connectors need attention:
      connplan plan
          github, stripe
      connplan authorize notion slack
    ");
    let report = project.run(&["status", "--format", "json"]).json();
    let rows = report["connectors"].as_array().unwrap();
    let row = |name: &str| {
        rows.iter()
            .find(|row| row["connector"] == name)
            .unwrap()
            .clone()
    };
    assert_eq!(row("github")["declared"], false);
    assert_eq!(row("github")["account"], ADA);
    assert_eq!(row("notion")["remote"], "expired");
    assert!(row("slack")["pending_since"].is_string());
    assert_eq!(row("notion")["pending_since"], Value::Null);
    assert_eq!(row("stripe")["kind"], "stripe");
    project.run(&["status", "--detailed-exitcode"]).expect(2);
}

/// What providers give for what is asked, and that it never makes a change again.
#[test]
fn what_providers_add_or_spell_otherwise_is_no_change() {
    let google = "https://www.googleapis.com/auth/";
    let with = |name: &str| format!("{google}{name}");
    let (email, profile, calendar) = (
        with("userinfo.email"),
        with("userinfo.profile"),
        with("calendar"),
    );
    let cases: &[(&str, &[&str], &[&str])] = &[
        (
            "googlecalendar",
            &[&calendar],
            &[&calendar, "openid", &email, &profile],
        ),
        (
            "googlecalendar",
            &[&calendar, "email", "profile"],
            &[&calendar, "openid", &email, &profile],
        ),
        (
            "googlecalendar",
            &[&calendar, &email],
            &[&calendar, "openid", "email"],
        ),
        (
            "gmail",
            &["https://mail.google.com/"],
            &["https://mail.google.com/", "email", "profile", "openid"],
        ),
        ("gmail", &["openid", "email"], &["openid", &email]),
        ("slack", &["chat:write"], &["chat:write", "identify"]),
        ("slackbot", &["chat:write"], &["chat:write"]),
        (
            "hubspot",
            &["crm.objects.contacts.read"],
            &["oauth", "crm.objects.contacts.read"],
        ),
        ("linear", &["write"], &["read", "write"]),
        (
            "tiktok",
            &["video.list"],
            &["user.info.basic", "video.list"],
        ),
        ("notion", &[], &[]),
        (
            "outlook",
            &["Mail.Read"],
            &["https://graph.microsoft.com/Mail.Read"],
        ),
        (
            "outlook",
            &["Mail.Read", "offline_access"],
            &["Mail.Read", "openid", "profile", "email"],
        ),
    ];
    for (connector, declared, listed) in cases {
        let platform = Platform::with(&[Connector::active(connector, listed)]);
        let project = Project::new().at(&platform).connector(connector, declared);
        let plan = project.run(&["plan", "--detailed-exitcode", "--format", "json"]);
        assert_eq!(
            plan.code,
            Some(0),
            "{connector} {declared:?} {listed:?}: {plan}"
        );
        let plan = plan.json();
        let change = &plan["apps"][0]["changes"][0];
        assert_eq!(change["action"], "no-op", "{change:#}");
        assert_eq!(change["scopes"]["added"], json!([]));
        assert_eq!(change["scopes"]["removed"], json!([]));
    }
}

#[test]
fn settings_name_more_that_a_provider_adds() {
    let platform = Platform::with(&[Connector::active("asana", &["a", "extra"])]);
    let project = Project::new().at(&platform).connector("asana", &["a"]);
    project.run(&["plan", "--detailed-exitcode"]).expect(2);
    project.write(
        "base44/connplan.toml",
        "[providers.asana]\nadds = [\"extra\"]\n",
    );
    let plan = project.run(&["plan", "--detailed-exitcode", "--format", "json"]);
    plan.expect(0);
    let change = plan.json()["apps"][0]["changes"][0].clone();
    assert_eq!(change["scopes"]["provider_added"], json!(["extra"]));
}

#[test]
fn from_plan_to_consent_for_every_provider_of_the_sandbox() {
    let platform = Platform::start();
    let google = "https://www.googleapis.com/auth/calendar";
    let declared: &[(&str, &[&str])] = &[
        ("gmail", &["email", "profile", "https://mail.google.com/"]),
        ("googlecalendar", &[google]),
        ("hubspot", &["tickets"]),
        ("linear", &["write"]),
        ("slack", &["chat:write"]),
        ("tiktok", &["video.list"]),
        ("notion", &[]),
    ];
    let project = Project::new().at(&platform);
    for (connector, scopes) in declared {
        project.declare(connector, scopes);
    }
    project.run(&["push", "--yes"]).expect(4);
    for (connector, _) in declared {
        platform.consent(connector, ADA);
    }
    project.run(&["authorize"]).expect(0);
    platform.forget();
    for _ in 0..2 {
        project.run(&["plan", "--detailed-exitcode"]).expect(0);
        project.run(&["push", "--yes"]).expect(0);
    }
    assert_eq!(platform.writes(), NOTHING);
}

#[test]
fn the_demo_shows_it_all_and_always_the_same() {
    let project = Project::nowhere();
    let began = std::time::Instant::now();
    let runs: Vec<_> = (0..2).map(|_| project.run(&["demo"])).collect();
    assert!(began.elapsed() < std::time::Duration::from_secs(20));
    let plain = |text: &str| -> String {
        let mut words = Vec::new();
        for word in text.split_inclusive([' ', '\n', '/']) {
            let digits = word.strip_prefix("127.0.0.1:");
            words.push(if digits.is_some() {
                "127.0.0.1:PORT/"
            } else {
                word
            });
        }
        words.concat()
    };
    for run in &runs {
        run.expect(0)
            .says("$ connplan plan")
            .says("$ connplan apply")
            .says("$ connplan authorize")
            .says("No changes. The app matches the connector files.")
            .lacks("ticket=");
    }
    // The digest is over the address too, and with it the port.
    let without_digests = |text: &str| {
        let words = plain(text);
        let words = words.split_inclusive(char::is_whitespace);
        words
            .filter(|word| !word.starts_with("sha256:"))
            .collect::<String>()
    };
    assert_eq!(
        without_digests(&runs[0].stdout),
        without_digests(&runs[1].stdout)
    );
    assert_eq!(project.opened(), NOTHING);
}

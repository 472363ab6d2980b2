//! `apply`, through the binary: what it refuses, what it writes, what it leaves behind.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test ends at the first surprise"
)]

use serde_json::{Value, json};

use crate::cli::{Connector, Platform, Project};

const NOTHING: [&str; 0] = [];

/// One of each kind of change, and a saved plan of it.
fn planned() -> (Platform, Project) {
    let platform = Platform::with(&[
        Connector::active("github", &["repo"]),
        Connector::active("gmail", &["https://mail.google.com/", "openid"]),
        Connector::active("hubspot", &["crm.objects.contacts.read", "oauth"]),
        Connector {
            status: "expired",
            ..Connector::active("notion", &[])
        },
    ]);
    let project = Project::new()
        .at(&platform)
        .connector("gmail", &["https://mail.google.com/"])
        .connector("hubspot", &["crm.objects.contacts.write"])
        .connector("notion", &[])
        .connector("slack", &["chat:write"])
        .connector("stripe", &[]);
    project.run(&["plan", "--out", "x.plan"]).expect(0);
    platform.forget();
    (platform, project)
}

fn result<'a>(receipt: &'a Value, connector: &str) -> &'a Value {
    let results = receipt["apps"][0]["results"].as_array().unwrap();
    let mut found = results.iter();
    found
        .find(|result| result["connector"] == connector)
        .unwrap_or_else(|| panic!("no {connector} in {receipt:#}"))
}

#[test]
fn a_saved_plan_is_carried_out_without_asking() {
    let (platform, project) = planned();
    let applied = project.run(&[
        "apply",
        "x.plan",
        "--format",
        "json",
        "--receipt",
        "x.receipt",
    ]);
    applied.expect(0);
    let writes = platform.writes();
    let (puts, rest) = writes.split_at(3);
    assert!(
        puts.iter().all(|write| write.starts_with("PUT ")),
        "{writes:?}"
    );
    assert_eq!(
        rest,
        [
            "DELETE external-auth/integrations/github/remove",
            "POST payments/stripe/install"
        ]
    );
    let receipt = applied.json();
    let plan = project.run(&["show", "x.plan", "--format", "json"]).json();
    assert_eq!(receipt["format_version"], "1.0");
    assert_eq!(receipt["kind"], "receipt");
    assert_eq!(receipt["plan_digest"], plan["digest"]);
    assert!(receipt["digest"].as_str().unwrap().starts_with("sha256:"));
    assert_eq!(receipt["apps"][0]["app_id"], "app-1");
    assert_eq!(receipt["apps"][0]["api_url"], platform.url());
    assert!(receipt["summary"].is_object());
    let outcomes = [
        ("github", "delete", "removed"),
        ("gmail", "no-op", "unchanged"),
        ("hubspot", "update", "pending"),
        ("notion", "reauthorize", "pending"),
        ("slack", "create", "pending"),
        ("stripe", "create", "provisioned"),
    ];
    for (connector, action, outcome) in outcomes {
        let result = result(&receipt, connector);
        assert_eq!(result["action"], action, "{connector}");
        assert_eq!(result["outcome"], outcome, "{connector}");
        let keys: Vec<_> = result.as_object().unwrap().keys().collect();
        for key in ["message", "scopes", "connection_id"] {
            assert!(
                keys.iter().any(|k| *k == key),
                "{connector} has no {key}: {result}"
            );
        }
        assert_eq!(
            result["connection_id"].is_string(),
            outcome == "pending",
            "{result}"
        );
    }
    assert_eq!(result(&receipt, "slack")["scopes"], json!(["chat:write"]));
    // The saved one is the same one.
    for format in ["json", "text", "markdown"] {
        project
            .run(&["show", "x.receipt", "--format", format])
            .expect(0);
    }
    project
        .run(&["show", "x.receipt", "--format", "diff"])
        .expect(1);
    let shown = project
        .run(&["show", "x.receipt", "--format", "json"])
        .json();
    assert_eq!(shown, receipt);
}

#[test]
fn what_is_private_is_nowhere_but_in_the_store() {
    let (platform, project) = planned();
    let mut said = String::new();
    for args in [
        &["-vv", "apply", "x.plan", "--receipt", "x.receipt"][..],
        &["show", "x.receipt"],
        &["show", "x.receipt", "--format", "json"],
        &["-vv", "plan", "--out", "y.plan"],
        &["status"],
        &["authorize", "--list"],
        &["authorize"],
        &["authorize", "--list", "--format", "json"],
        &[
            "-vv",
            "authorize",
            "--yes",
            "--no-browser",
            "--timeout",
            "0s",
        ],
        &["push", "--yes"],
    ] {
        let output = project.run(args);
        said.push_str(&output.to_string());
    }
    let links = platform.links();
    assert_eq!(links.len(), 3, "{links:?}");
    let tickets = links
        .iter()
        .map(|(_, link)| link.split("ticket=").nth(1).unwrap().to_owned());
    let secrets: Vec<_> = tickets.chain([platform.key().to_owned()]).collect();
    for secret in &secrets {
        assert!(!said.contains(secret.as_str()), "{secret} was said: {said}");
    }
    assert!(!said.contains("/claim"), "a claim link was said: {said}");
    for (name, text) in project.all_files() {
        for secret in &secrets {
            let private = name.ends_with(".connplan/pending.toml") && !secret.starts_with("b44k_");
            assert!(
                private || !text.contains(secret.as_str()),
                "{secret} stands in {name}"
            );
        }
    }
}

#[cfg(unix)]
#[test]
fn the_store_is_private_and_ignores_itself() {
    use std::os::unix::fs::PermissionsExt;
    let (_platform, project) = planned();
    project.run(&["apply", "x.plan"]).expect(0);
    let mode = |path: &str| {
        let meta = std::fs::metadata(project.path(path)).unwrap();
        meta.permissions().mode() & 0o777
    };
    assert_eq!(mode(".connplan"), 0o700);
    assert_eq!(mode(".connplan/pending.toml"), 0o600);
    assert!(
        project
            .read(".connplan/.gitignore")
            .lines()
            .any(|line| line == "*")
    );
    // One that others can read is repaired, with a word.
    let path = project.path(".connplan/pending.toml");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    project
        .run(&["plan"])
        .expect(0)
        .tells("could be read by others");
    assert_eq!(mode(".connplan/pending.toml"), 0o600);
}

#[test]
fn what_waits_is_not_planned_again() {
    let (platform, project) = planned();
    project.run(&["apply", "x.plan"]).expect(0);
    let plan = project.run(&["plan", "--format", "json"]).json();
    for change in plan["apps"][0]["changes"].as_array().unwrap() {
        assert_eq!(change["action"], "no-op", "{change:#}");
        let pending =
            ["hubspot", "notion", "slack"].contains(&change["connector"].as_str().unwrap());
        assert_eq!(change["authorization"] == "pending", pending, "{change:#}");
    }
    project.run(&["plan", "--detailed-exitcode"]).expect(0);
    platform.forget();
    project.run(&["apply", "--auto-approve"]).expect(0);
    assert_eq!(platform.writes(), NOTHING);
    // Other scopes are another question.
    project.declare("slack", &["chat:write", "users:read"]);
    let plan = project.run(&["plan", "--format", "json"]).json();
    assert_eq!(plan["summary"]["create"], 1, "{plan:#}");
}

#[test]
fn pending_authorizations_show_in_the_exit_code_if_asked_for() {
    let (_platform, project) = planned();
    project
        .run(&["apply", "x.plan", "--detailed-exitcode"])
        .expect(4);
    // Again: nothing to do, and still somebody to wait for.
    project
        .run(&["apply", "x.plan", "--detailed-exitcode"])
        .expect(4);
    project.run(&["apply", "x.plan"]).expect(0);
}

#[test]
fn a_plan_that_was_applied_is_not_applied_again() {
    let (platform, project) = planned();
    let first = project.run(&["apply", "x.plan", "--format", "json"]);
    first.expect(0);
    platform.forget();
    let second = project.run(&[
        "apply",
        "x.plan",
        "--format",
        "json",
        "--receipt",
        "again.receipt",
    ]);
    second.expect(0).tells("already applied");
    assert_eq!(platform.writes(), NOTHING);
    assert_eq!(first.json()["apps"], second.json()["apps"]);
    assert!(project.read("again.receipt").contains("kind = \"receipt\""));
}

#[test]
fn applied_before_it_says_what_was_consented_to_since() {
    let (platform, project) = planned();
    project.run(&["apply", "x.plan"]).expect(0);
    for connector in ["hubspot", "notion", "slack"] {
        platform.consent(connector, "ada@example.com");
    }
    project.run(&["authorize"]).expect(0);
    let again = project.run(&["apply", "x.plan", "--detailed-exitcode", "--format", "json"]);
    again.expect(0).tells("already applied");
    assert_eq!(result(&again.json(), "slack")["outcome"], "added");
    assert_eq!(result(&again.json(), "hubspot")["outcome"], "synced");
}

#[test]
fn the_policy_of_today_holds_for_the_plan_of_yesterday() {
    let (platform, project) = planned();
    project.write(
        "base44/connplan.toml",
        "[policy]\nprotected = [\"github\"]\n",
    );
    project.run(&["apply", "x.plan"]).expect(6).tells("github");
    assert_eq!(platform.writes(), NOTHING);
}

#[test]
fn after_apply_and_consent_there_is_nothing_to_plan() {
    let (platform, project) = planned();
    project.run(&["apply", "x.plan"]).expect(0);
    for connector in ["hubspot", "notion", "slack"] {
        platform.consent(connector, "ada@example.com");
    }
    project
        .run(&["plan", "--detailed-exitcode"])
        .expect(0)
        .says("No changes. The app matches the connector files.");
    project.run(&["authorize"]).expect(0);
    project.run(&["authorize", "--list"]).expect(0);
    project
        .run(&["plan"])
        .expect(0)
        .says("No changes. The app matches the connector files.");
}

/// Every leaf of a document, as a path to it.
fn leaves(value: &toml::Value, path: &mut Vec<String>, found: &mut Vec<Vec<String>>) {
    match value {
        toml::Value::Table(table) => {
            for (key, value) in table {
                path.push(key.clone());
                leaves(value, path, found);
                path.pop();
            }
        }
        toml::Value::Array(items) if !items.is_empty() => {
            for (index, value) in items.iter().enumerate() {
                path.push(index.to_string());
                leaves(value, path, found);
                path.pop();
            }
        }
        _ => found.push(path.clone()),
    }
}

fn at<'a>(value: &'a mut toml::Value, path: &[String]) -> &'a mut toml::Value {
    path.iter().fold(value, |value, step| match value {
        toml::Value::Table(table) => table.get_mut(step).unwrap(),
        toml::Value::Array(items) => &mut items[step.parse::<usize>().unwrap()],
        other => panic!("{other}"),
    })
}

fn mutated(value: &toml::Value) -> toml::Value {
    match value {
        toml::Value::String(text) => toml::Value::String(match text.as_str() {
            "active" => "expired".to_owned(),
            "expired" => "active".to_owned(),
            "oauth" => "stripe".to_owned(),
            "create" => "update".to_owned(),
            "no-op" | "update" | "reauthorize" => "delete".to_owned(),
            "required" | "possible" => "none".to_owned(),
            other => format!("{other}x"),
        }),
        toml::Value::Boolean(flag) => toml::Value::Boolean(!flag),
        toml::Value::Array(_) => toml::Value::Array(vec![toml::Value::String("x".to_owned())]),
        other => panic!("no plan holds {other}"),
    }
}

#[test]
fn an_altered_plan_is_refused_whatever_was_altered() {
    let (platform, project) = planned();
    let text = project.read("x.plan");
    let whole: toml::Value = toml::Value::Table(text.parse().unwrap());
    let mut paths = Vec::new();
    leaves(&whole, &mut Vec::new(), &mut paths);
    assert!(paths.len() > 40, "{paths:?}");
    for path in paths {
        if matches!(path[0].as_str(), "created_at" | "created_by") {
            continue;
        }
        let mut changed = whole.clone();
        let leaf = at(&mut changed, &path);
        *leaf = mutated(leaf);
        project.write("y.plan", &toml::to_string(&changed).unwrap());
        let refused = project.run(&["apply", "y.plan"]);
        assert_eq!(refused.code, Some(3), "{path:?}: {refused}");
        project.run(&["show", "y.plan"]).expect(3);
    }
    // Something added, something taken away, half of it, nothing of it.
    let end = text.len() / 2;
    for changed in [
        format!(
            "{text}\n[[apps.changes]]\nconnector = \"asana\"\nkind = \"oauth\"\naction = \"create\"\nauthorization = \"required\"\n"
        ),
        format!("surprise = true\n{text}"),
        text.replace("digest = ", "digest_was = "),
        text[..end].to_owned(),
        String::new(),
        "{}".to_owned(),
    ] {
        project.write("y.plan", &changed);
        let refused = project.run(&["apply", "y.plan"]);
        assert_eq!(refused.code, Some(3), "{changed}: {refused}");
    }
    assert_eq!(platform.requests(), NOTHING, "nobody had to be asked");
}

#[test]
fn a_plan_may_be_laid_out_anew() {
    let (platform, project) = planned();
    let table: toml::Table = project.read("x.plan").parse().unwrap();
    let mut text = toml::to_string(&table).unwrap().replace('\n', "\r\n");
    text = format!("# reviewed by ops\r\n\r\n{}", text.replace(" = ", "   =\t"));
    let created = text
        .lines()
        .find(|line| line.starts_with("created_at"))
        .unwrap()
        .to_owned();
    let text = text.replace(&created, "created_at = \"yesterday\"");
    project.write("y.plan", &text);
    let shown = |file: &str| project.run(&["show", file, "--format", "json"]).stdout;
    assert_eq!(shown("x.plan"), shown("y.plan"));
    let digest = shown("x.plan");
    let digest: Value = serde_json::from_str(&digest).unwrap();
    let digest = digest["digest"].as_str().unwrap();
    project
        .run(&["apply", "y.plan", "--expect-digest", digest])
        .expect(0);
    assert_eq!(platform.writes().len(), 5);
}

#[test]
fn a_forged_digest_does_not_help_a_plan_that_contradicts_itself() {
    let (platform, project) = planned();
    let text = project.read("x.plan");
    // Shown: one scope. Asked for: two.
    let forged = text.replacen(
        "[apps.changes.after]\nscopes = [\"chat:write\"]",
        "[apps.changes.after]\nscopes = [\"admin\", \"chat:write\"]",
        1,
    );
    assert_ne!(forged, text);
    project.write("y.plan", &forged);
    let refused = project.run(&["apply", "y.plan"]);
    let digests: Vec<_> = refused
        .stderr
        .split(|c: char| !(c.is_ascii_alphanumeric() || c == ':'))
        .filter(|word| word.starts_with("sha256:") && word.len() == 71)
        .collect();
    let [stated, actual] = digests[..] else {
        panic!("{refused}")
    };
    project.write("y.plan", &forged.replace(stated, actual));
    project
        .run(&["apply", "y.plan"])
        .expect(3)
        .tells("contradicts itself");
    assert_eq!(platform.writes(), NOTHING);
}

#[test]
fn only_the_approved_digest_is_applied() {
    let (platform, project) = planned();
    let wrong = format!("sha256:{}", "0".repeat(64));
    project
        .run(&["apply", "x.plan", "--expect-digest", &wrong])
        .expect(3)
        .tells("not the approved plan");
    project
        .run(&["apply", "--auto-approve", "--expect-digest", &wrong])
        .expect(3);
    assert_eq!(platform.writes(), NOTHING);
    let plan = project.run(&["plan", "--format", "json"]).json();
    let right = plan["digest"].as_str().unwrap();
    project
        .run(&["apply", "--auto-approve", "--expect-digest", right])
        .expect(0);
}

#[test]
fn a_plan_for_elsewhere_is_refused() {
    let (platform, project) = planned();
    project
        .run(&["apply", "x.plan", "--app-id", "app-2"])
        .expect(3)
        .tells("app-1")
        .tells("app-2");
    project
        .run_vars(&[("BASE44_APP_ID", "app-2")], &["apply", "x.plan"])
        .expect(3);
    let other = Platform::start();
    project
        .run_vars(
            &[
                ("BASE44_API_URL", other.url()),
                ("BASE44_API_KEY", other.key()),
            ],
            &["apply", "x.plan"],
        )
        .expect(3)
        .tells(platform.url());
    assert_eq!(
        other.requests(),
        NOTHING,
        "no credential left for elsewhere"
    );
    assert_eq!(platform.requests(), NOTHING);
    // Where nothing else names an app, the plan does.
    let elsewhere = Project::nowhere()
        .at(&platform)
        .file("x.plan", &project.read("x.plan"));
    elsewhere.run(&["apply", "x.plan"]).expect(0);
    assert_eq!(platform.writes().len(), 5);
}

#[test]
fn options_of_planning_do_not_go_with_a_plan() {
    let (platform, project) = planned();
    for more in [
        &["--target", "slack"][..],
        &["--keep-unlisted"],
        &["--allow-remove-all"],
        &["--dir", "x"],
    ] {
        project
            .run(&[&["apply", "x.plan"], more].concat())
            .expect(1);
    }
    assert_eq!(platform.writes(), NOTHING);
}

#[test]
fn whatever_moved_is_named_and_nothing_is_written() {
    type Move = fn(&Platform);
    let moves: [(Move, &[&str]); 10] = [
        (
            |p| p.set(&Connector::active("hubspot", &["tickets"])),
            &["hubspot", "scopes", "tickets"],
        ),
        (
            |p| {
                p.set(&Connector {
                    status: "disconnected",
                    ..Connector::active("hubspot", &["crm.objects.contacts.read"])
                });
            },
            &["hubspot", "status", "disconnected"],
        ),
        (
            |p| {
                p.set(&Connector {
                    account: Some("grace@example.com"),
                    ..Connector::active("github", &["repo"])
                });
            },
            &["github", "account", "grace@example.com"],
        ),
        (
            |p| {
                p.set(&Connector {
                    account: None,
                    ..Connector::active("github", &["repo"])
                });
            },
            &["github", "account"],
        ),
        (|p| p.unset("gmail"), &["gmail", "gone"]),
        (|p| p.unset("github"), &["github", "gone"]),
        (
            |p| p.set(&Connector::active("asana", &[])),
            &["asana", "there"],
        ),
        (
            |p| p.set(&Connector::active("slack", &["chat:write"])),
            &["slack", "there"],
        ),
        (
            |p| p.set(&Connector::active("notion", &[])),
            &["notion", "status", "active"],
        ),
        (|p| p.stripe(Some("live")), &["stripe", "there"]),
    ];
    for (change, names) in moves {
        let (platform, project) = planned();
        change(&platform);
        platform.forget();
        let refused = project.run(&["apply", "x.plan", "--receipt", "x.receipt"]);
        refused.expect(3).tells("stale");
        for name in names {
            refused.tells(name);
        }
        assert_eq!(platform.writes(), NOTHING, "{names:?}");
        assert!(!project.path("x.receipt").exists());
        project.run(&["plan"]).expect(0);
    }
}

#[test]
fn what_providers_add_meanwhile_is_no_move() {
    let (platform, project) = planned();
    platform.set(&Connector::active(
        "gmail",
        &[
            "https://mail.google.com/",
            "openid",
            "https://www.googleapis.com/auth/userinfo.email",
        ],
    ));
    project.run(&["apply", "x.plan"]).expect(0);
}

#[test]
fn connectors_that_the_plan_leaves_alone_bind_it_too() {
    let platform = Platform::with(&[
        Connector::active("github", &["repo"]),
        Connector::active("linear", &["read"]),
    ]);
    let project = Project::new()
        .at(&platform)
        .connector("slack", &[])
        .connector("linear", &["read"]);
    for args in [&["--keep-unlisted"][..], &["--target", "slack"]] {
        let all = [&["plan", "--out", "x.plan"], args].concat();
        project.run(&all).expect(0);
        platform.set(&Connector::active("github", &["repo", "admin:org"]));
        project.run(&["apply", "x.plan"]).expect(3).tells("github");
        platform.set(&Connector::active("github", &["repo"]));
    }
}

#[test]
fn removals_wait_for_the_puts_to_succeed() {
    let seed = json!({
        "settings": { "forbidden": { "tiktok": "Ask an admin." } },
        "apps": { "app-1": {
            "connectors": { "github": { "scopes": ["repo"], "account": "ada@example.com" } },
            "different_user": { "linear": "grace@example.com" },
        } },
    });
    let platform = Platform::seeded(seed);
    let project = Project::new()
        .at(&platform)
        .connector("slack", &["chat:write"])
        .connector("tiktok", &["video.list"])
        .connector("linear", &["read"]);
    let output = project.run(&[
        "apply",
        "--auto-approve",
        "--format",
        "json",
        "--receipt",
        "x.receipt",
    ]);
    output.expect(5);
    let receipt = output.json();
    assert_eq!(result(&receipt, "slack")["outcome"], "pending");
    assert_eq!(result(&receipt, "tiktok")["outcome"], "failed");
    let message = result(&receipt, "tiktok")["message"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(message.contains("Ask an admin."), "{message}");
    let message = result(&receipt, "linear")["message"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(message.contains("grace@example.com"), "{message}");
    assert_eq!(result(&receipt, "github")["outcome"], "not_run");
    assert!(platform.listed("github").is_some());
    project
        .run(&["show", "x.receipt"])
        .expect(0)
        .says("tiktok")
        .says("github");

    let text = project.run(&["apply", "--auto-approve"]);
    text.expect(1).says("Failed: tiktok").says("Ask an admin.");
    assert!(platform.listed("github").is_some());

    let output = project.run(&[
        "apply",
        "--auto-approve",
        "--keep-going",
        "--format",
        "json",
    ]);
    output.expect(5);
    assert_eq!(result(&output.json(), "github")["outcome"], "removed");
    assert!(platform.listed("github").is_none());
}

#[test]
fn if_everything_failed_nothing_was_changed() {
    let seed = json!({ "settings": { "forbidden": { "tiktok": "Ask an admin." } } });
    let platform = Platform::seeded(seed);
    let project = Project::new().at(&platform).connector("tiktok", &[]);
    project
        .run(&["apply", "--auto-approve"])
        .expect(1)
        .says("Ask an admin.");
    project.run(&["plan", "--detailed-exitcode"]).expect(2);
}

#[test]
fn a_saved_plan_that_failed_in_part_goes_on() {
    let seed = json!({ "settings": { "forbidden": { "tiktok": "Ask an admin." } } });
    let platform = Platform::seeded(seed);
    let project = Project::new()
        .at(&platform)
        .connector("slack", &[])
        .connector("tiktok", &[]);
    project.run(&["plan", "--out", "x.plan"]).expect(0);
    project.run(&["apply", "x.plan"]).expect(5);
    platform.forget();
    project.run(&["apply", "x.plan"]).expect(5);
    assert_eq!(platform.writes(), ["PUT external-auth/integrations/tiktok"]);
}

#[test]
fn where_nothing_can_be_saved_nothing_is_written() {
    let (platform, project) = planned();
    project.write("folder/x", "");
    for receipt in ["no/such/folder/x.receipt", "folder", "x.plan/x"] {
        project
            .run(&["apply", "x.plan", "--receipt", receipt])
            .expect(1);
    }
    project.write(".connplan", "a file where the folder should be");
    project
        .run(&["apply", "x.plan"])
        .expect(1)
        .tells(".connplan");
    assert_eq!(platform.writes(), NOTHING);
}

#[test]
fn stripe_is_provisioned_and_removed_and_its_claim_is_private() {
    let platform = Platform::start();
    let project = Project::new().at(&platform).connector("stripe", &[]);
    let plan = project.run(&["plan", "--format", "json"]).json();
    let change = &plan["apps"][0]["changes"][0];
    assert_eq!(change["kind"], "stripe");
    assert_eq!(change["action"], "create");
    assert_eq!(change["authorization"], "none");
    let applied = project.run(&["apply", "--auto-approve", "--receipt", "x.receipt"]);
    applied.expect(0).says("Provisioned: stripe");
    applied.tells("/apps/app-1/editor/workspace/app-connections");
    let claim = platform.stripe_status()["sandbox_claim_url"]
        .as_str()
        .unwrap()
        .to_owned();
    applied.lacks(&claim);
    project
        .run(&["status"])
        .expect(0)
        .says("stripe")
        .lacks(&claim);
    assert!(!project.read("x.receipt").contains(&claim));
    assert!(project.read("x.receipt").contains("mode = \"sandbox\""));
    project.run(&["plan"]).says("No changes.");
    project.undeclare("stripe");
    project.declare("slack", &[]);
    project
        .run(&["plan"])
        .expect(0)
        .says("stripe")
        .says("1 to remove");
    project
        .run(&["apply", "--auto-approve"])
        .expect(0)
        .says("Removed: stripe");
    assert_eq!(platform.stripe_status()["stripe_mode"], Value::Null);
    platform.stripe(Some("live"));
    project.run(&["plan"]).says("live");
}

#[test]
fn a_receipt_that_was_altered_is_refused() {
    let (platform, project) = planned();
    project
        .run(&["apply", "x.plan", "--receipt", "x.receipt"])
        .expect(0);
    platform.forget();
    let altered = project
        .read("x.receipt")
        .replace("\"chat:write\"", "\"admin\"");
    project.write("y.receipt", &altered);
    project.run(&["show", "y.receipt"]).expect(3);
    project
        .run(&["authorize", "--receipt", "y.receipt"])
        .expect(3);
    project.run(&["authorize", "--receipt", "x.plan"]).expect(3);
    project.run(&["apply", "x.receipt"]).expect(3);
    project
        .run(&["authorize", "--receipt", "no-such"])
        .expect(1);
    assert_eq!(platform.writes(), NOTHING);
}

#[test]
fn a_consent_that_was_given_is_not_waited_for_for_ever() {
    let platform = Platform::start();
    let project = Project::new()
        .at(&platform)
        .connector("slack", &["chat:write"]);
    project.run(&["apply", "--auto-approve"]).expect(0);
    platform.consent("slack", "ada@example.com");
    // Nobody runs `authorize`, and all is well; an apply sees it.
    project.run(&["apply", "--auto-approve"]).expect(0);
    assert!(!project.read(".connplan/pending.toml").contains("slack"));
    platform.unset("slack");
    let plan = project.run(&["plan", "--format", "json"]).json();
    assert_eq!(plan["summary"]["create"], 1, "it is gone: {plan:#}");
}

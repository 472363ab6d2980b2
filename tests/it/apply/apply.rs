//! `apply`, through the binary: what it writes, what it says, what it leaves behind.

use serde_json::{Value, json};

use crate::support::{Connector, Platform, Project, planned, reads, result};

const NOTHING: [&str; 0] = [];

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
            let private = name.ends_with("/pending.toml") && !secret.starts_with("b44k_");
            assert!(
                private || !text.contains(secret.as_str()),
                "{secret} stands in {name}"
            );
        }
    }
}

#[cfg(unix)]
#[test]
fn the_store_is_private_and_outside_the_checkout() {
    use std::os::unix::fs::PermissionsExt;
    let (_platform, project) = planned();
    project.run(&["apply", "x.plan"]).expect(0);
    let mode = |path: &str| {
        let meta = std::fs::metadata(project.state(path)).unwrap();
        meta.permissions().mode() & 0o777
    };
    assert_eq!(mode(""), 0o700);
    assert_eq!(mode("pending.toml"), 0o600);
    // And so is every folder above it that connplan made.
    let mut folders = vec![project.state_folder()];
    while let Some(folder) = folders.pop() {
        let meta = std::fs::metadata(&folder).unwrap();
        assert_eq!(meta.permissions().mode() & 0o777, 0o700, "{folder:?}");
        let below = std::fs::read_dir(&folder)
            .unwrap()
            .map(|entry| entry.unwrap());
        folders.extend(below.map(|entry| entry.path()).filter(|path| path.is_dir()));
    }
    let inside = project.all_files().into_keys();
    let inside: Vec<_> = inside
        .filter(|name| name.starts_with("project/.connplan"))
        .collect();
    assert!(inside.is_empty(), "nothing in the checkout: {inside:?}");
    // One that others can read is repaired, with a word.
    let path = project.state("pending.toml");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    reads!(project.run(&["plan"]), @"
    exit 0: connplan plan
    App app-1 at http://HOST

    Waiting for authorization (nothing is written again):
        hubspot               base44/connectors/hubspot.jsonc
            crm.objects.contacts.write
              create, edit and delete contact records · write
          ! it loses every scope that it has: for who needs it, that is a removal
        notion                base44/connectors/notion.jsonc
        slack                 base44/connectors/slack.jsonc
            chat:write  post messages (as the bot or as the user) · write

    2 connectors unchanged.

    No changes to make. 3 connectors wait for authorization: run `connplan authorize`.
    --- stderr
    warning: FOLDER/state/apps/APP/pending.toml could be read by others; it is private now
    Nobody has claimed the Stripe sandbox: it expires in SOME days.
    ");
    assert_eq!(mode("pending.toml"), 0o600);
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

/// What became of an app since a plan was carried out, somebody decided: the old file does not undo that. The
/// same plan, made anew, is another decision.
#[test]
fn a_plan_that_is_over_is_not_applied_again_where_the_app_went_on() {
    let platform = Platform::start();
    let project = Project::new()
        .at(&platform)
        .connector("slack", &["chat:write"])
        .connector("gmail", &["https://www.googleapis.com/auth/gmail.send"]);
    project.run(&["plan", "--out", "1.plan"]).expect(0);
    project.run(&["apply", "1.plan"]).expect(0);
    for connector in ["slack", "gmail"] {
        platform.consent(connector, "ada@example.com");
    }
    project.run(&["authorize"]).expect(0);
    project.declare("gmail", &["https://www.googleapis.com/auth/gmail.readonly"]);
    project.run(&["plan", "--out", "2.plan"]).expect(0);
    project.run(&["apply", "2.plan"]).expect(0);
    platform.unset("slack");
    platform.forget();
    // It was made some time before.
    made_at(&project, "1.plan", "2026-01-01T00:00:00Z");
    project.run(&["apply", "1.plan"]).expect(3);
    reads!(project.run(&["apply", "1.plan"]), @"
    exit 3: connplan apply 1.plan
    --- stderr
    Acting as a workspace, by BASE44_API_KEY.
    error: the plan was applied already: what it would do now was done, or given up, at TIME
      help: nothing was written: to apply it again could undo what was decided since. Run `connplan plan --out FILE` again, where it can write to the store if there is one, and ask for a review
      code: connplan::plan::over
    ");
    assert_eq!(platform.writes(), NOTHING);
    reads!(project.run(&["authorize", "--list"]), @"
    exit 4: connplan authorize --list
    App app-1 at http://HOST
      ~ gmail waiting for consent, asked for just now
          asked for by plan sha256:DIGEST

    Next: connplan authorize
    ");
    // Whoever wants all of it back plans that.
    project.declare("gmail", &["https://www.googleapis.com/auth/gmail.send"]);
    project.run(&["plan", "--out", "3.plan"]).expect(0);
    project.run(&["apply", "3.plan"]).expect(0);
    assert_eq!(platform.writes(), ["PUT external-auth/integrations/slack"]);
}

/// Its journal is gone, as old ones go; what was done, the history knows.
#[test]
fn a_part_of_a_plan_that_is_over_is_not_applied_again() {
    let platform = Platform::start();
    let project = Project::new()
        .at(&platform)
        .connector("notion", &[])
        .connector("slack", &["chat:write"]);
    project.run(&["plan", "--out", "1.plan"]).expect(0);
    project.run(&["apply", "1.plan"]).expect(0);
    for connector in ["notion", "slack"] {
        platform.consent(connector, "ada@example.com");
    }
    project.run(&["authorize"]).expect(0);
    for app in std::fs::read_dir(project.state_folder().join("apps")).unwrap() {
        std::fs::remove_dir_all(app.unwrap().path().join("journal")).unwrap();
    }
    platform.unset("slack");
    platform.forget();
    made_at(&project, "1.plan", "2026-01-01T00:00:00Z");
    reads!(project.run(&["apply", "1.plan"]), @"
    exit 3: connplan apply 1.plan
    --- stderr
    Acting as a workspace, by BASE44_API_KEY.
    error: the plan was applied already: what it would do now was done, or given up, at TIME
      help: nothing was written: to apply it again could undo what was decided since. Run `connplan plan --out FILE` again, where it can write to the store if there is one, and ask for a review
      code: connplan::plan::over
    ");
    assert_eq!(platform.writes(), NOTHING);
}

/// Nor is a whole one: that no journal tells of it, and nothing of it is in force, makes it no new one. One that failed in
/// a part goes on, and so does one that was made anew.
#[test]
fn what_the_memory_knows_to_be_over_needs_no_journal() {
    let platform = Platform::start();
    let project = Project::new()
        .at(&platform)
        .connector("slack", &["chat:write"])
        .connector("tiktok", &["video.list"]);
    let no_journal = || {
        lose_journals(&project);
        platform.forget();
    };
    let forbid = |what: Value| {
        platform.behave(&json!({ "forbidden": what, "policies_readable": false }));
    };
    project.run(&["plan", "--out", "1.plan"]).expect(0);
    made_at(&project, "1.plan", "2026-01-01T00:00:00Z");
    for _ in ["first", "made anew"] {
        forbid(json!({ "tiktok": "Ask an admin." }));
        project.run(&["apply", "1.plan"]).expect(5);
        platform.consent("slack", "ada@example.com");
        project.run(&["authorize"]).expect(0);
        no_journal();
        forbid(json!({}));
        project.run(&["apply", "1.plan"]).expect(0);
        assert_eq!(platform.writes(), ["PUT external-auth/integrations/tiktok"]);
        platform.consent("tiktok", "ada@example.com");
        project.run(&["authorize"]).expect(0);
        for connector in ["slack", "tiktok"] {
            platform.unset(connector);
        }
        no_journal();
        made_at(&project, "1.plan", "2026-01-01T00:00:00Z");
        let over = project.run(&["apply", "1.plan"]);
        over.expect(3).tells("the plan was applied already");
        assert_eq!(platform.writes(), NOTHING);
        project.run(&["plan", "--out", "1.plan"]).expect(0);
    }
}

/// What it carried out and somebody undid is not done again because the rest of it still waits for a person.
#[test]
fn what_was_undone_is_not_done_again_with_what_waits() {
    let platform = Platform::start();
    let project = Project::new()
        .at(&platform)
        .connector("slack", &["chat:write"])
        .connector("tiktok", &["video.list"]);
    project.run(&["plan", "--out", "1.plan"]).expect(0);
    made_at(&project, "1.plan", "2026-01-01T00:00:00Z");
    project.run(&["apply", "1.plan"]).expect(0);
    platform.consent("slack", "ada@example.com");
    project
        .run(&["authorize", "--yes", "--no-browser", "--timeout", "1s"])
        .expect(4);
    platform.unset("slack");
    lose_journals(&project);
    platform.forget();
    let over = project.run(&["apply", "1.plan"]);
    over.expect(3).tells("the plan was applied already");
    assert_eq!(platform.writes(), NOTHING);
    project.run(&["plan", "--out", "1.plan"]).expect(0);
    project.run(&["apply", "1.plan"]).expect(0);
}

/// What `keep` took away may have been that it was applied: whoever knows its file does not undo what was decided since.
#[test]
fn a_plan_that_nobody_remembers_is_made_anew() {
    let github = Connector::active("github", &["repo"]);
    let platform = Platform::with(&[github]);
    let project = Project::new()
        .at(&platform)
        .file("connplan.toml", "[store]\nkeep = \"1s\"\n")
        .connector("slack", &["chat:write"]);
    let target = |name| ["apply", "--auto-approve", "--target", name];
    let plan = ["plan", "--target", "github", "--out", "1.plan"];
    project.run(&plan).expect(0);
    project.run(&["apply", "1.plan"]).expect(0);
    project.declare("github", &["repo"]);
    project.run(&target("github")).expect(0);
    platform.set(&github);
    project.undeclare("github");
    std::thread::sleep(std::time::Duration::from_millis(2100));
    project.run(&target("slack")).expect(0);
    lose_journals(&project);
    platform.forget();
    reads!(project.run(&["apply", "1.plan"]), @"
    exit 3: connplan apply 1.plan
    --- stderr
    Acting as a workspace, by BASE44_API_KEY.
    error: nothing tells any more whether all of the plan was applied: the store has only what happened after TIME ([store] `keep`), and neither it nor this run shows that the plan is newer
      help: nothing was written: to apply it could undo what was decided since. Run `connplan plan --out FILE` again, where it can write to the store, and ask for a review; in a pipeline, start a new run
      code: connplan::plan::unremembered
    ");
    let text = project.read("1.plan");
    let undated = text
        .lines()
        .filter(|line| !line.starts_with("created_at = "));
    project.write("1.plan", &undated.collect::<Vec<_>>().join("\n"));
    let run = project.run(&["apply", "1.plan"]);
    run.expect(3).tells("nothing tells any more");
    // What its file says is anybody's word; since when the run is, the runner's.
    let now = jiff::Timestamp::now();
    let dated = text.lines().map(|line| match line.split_once(" = ") {
        Some(("created_at", _)) => format!("created_at = \"{now}\"\n"),
        _ => format!("{line}\n"),
    });
    project.write("1.plan", &dated.collect::<String>());
    for since in ["", "2026-01-01T00:00:00Z"] {
        let run = project.run_vars(&[("CI_PIPELINE_CREATED_AT", since)], &["apply", "1.plan"]);
        run.expect(3).tells("nothing tells any more");
    }
    let old = r#"{"repository":{"pushed_at":1767225600}}"#;
    for (attempt, event) in [("1", old), ("2", "{}"), ("1", "{}")] {
        assert_eq!(platform.writes(), NOTHING);
        project.write("event.json", event);
        let vars = [
            ("GITHUB_RUN_ATTEMPT", attempt),
            ("GITHUB_EVENT_PATH", "event.json"),
        ];
        let run = project.run_vars(&vars, &["apply", "1.plan"]);
        let is_new = (attempt, event) == ("1", "{}");
        run.expect(if is_new { 0 } else { 3 });
    }
    assert_eq!(platform.writes().len(), 1);
    platform.set(&github);
    platform.forget();
    project.run(&plan).expect(0);
    project.run(&["apply", "1.plan"]).expect(0);
    let gone = "DELETE external-auth/integrations/github/remove";
    assert_eq!(platform.writes(), [gone]);
}

/// As on another machine.
fn lose_journals(project: &Project) {
    for app in std::fs::read_dir(project.state_folder().join("apps")).unwrap() {
        std::fs::remove_dir_all(app.unwrap().path().join("journal")).unwrap();
    }
}

/// Has a plan's file be of another time.
pub(super) fn made_at(project: &Project, file: &str, time: &str) {
    let plan = project.read(file);
    let made = plan.lines().find(|line| line.starts_with("created_at = "));
    let plan = plan.replace(made.unwrap(), &format!("created_at = \"{time}\""));
    project.write(file, &plan);
}

/// One that the app went back to before it is made anew, is applied. What a file says of its age makes it no newer.
#[test]
fn the_same_plan_made_anew_is_applied() {
    let platform = Platform::start();
    let project = Project::new()
        .at(&platform)
        .connector("slack", &["chat:write"]);
    project.run(&["plan", "--out", "1.plan"]).expect(0);
    // Times are told in seconds.
    std::thread::sleep(std::time::Duration::from_millis(1100));
    project.run(&["apply", "1.plan"]).expect(0);
    platform.consent("slack", "ada@example.com");
    project.run(&["authorize"]).expect(0);
    platform.unset("slack");
    made_at(&project, "1.plan", "2026-01-01T00:00:00Z");
    project.run(&["apply", "1.plan"]).expect(3);
    let (now, plan) = (jiff::Timestamp::now().to_string(), project.read("1.plan"));
    for time in [&now, "2100-01-01T00:00:00Z"] {
        made_at(&project, "1.plan", time);
        project.run(&["apply", "1.plan"]).expect(3);
    }
    let undated = plan
        .lines()
        .filter(|line| !line.starts_with("created_at = "));
    project.write("1.plan", &undated.collect::<Vec<_>>().join("\n"));
    project.run(&["apply", "1.plan"]).expect(3);
    project.run(&["plan", "--out", "1.plan"]).expect(0);
    platform.forget();
    project.run(&["apply", "1.plan"]).expect(0);
    assert_eq!(platform.writes(), ["PUT external-auth/integrations/slack"]);
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
    reads!(project.run(&["apply", "x.plan"]), @"
    exit 6: connplan apply x.plan
    --- stderr
    error: the policy in connplan.toml forbids this plan; nothing was written:
      protected: github: the plan removes it, and the policy protects it
      help: change the connector files, or ask whoever is responsible for the policy to change it
      code: connplan::plan::policy
    ");
    assert_eq!(platform.writes(), NOTHING);
}

#[test]
fn after_apply_and_consent_there_is_nothing_to_plan() {
    let (platform, project) = planned();
    project.run(&["apply", "x.plan"]).expect(0);
    for connector in ["hubspot", "notion", "slack"] {
        platform.consent(connector, "ada@example.com");
    }
    reads!(project.run(&["plan", "--detailed-exitcode"]), @"
    exit 0: connplan plan --detailed-exitcode
    App app-1 at http://HOST

    No changes. The app matches the connector files.
    --- stderr
    Nobody has claimed the Stripe sandbox: it expires in SOME days.
    ");
    project.run(&["authorize"]).expect(0);
    project.run(&["authorize", "--list"]).expect(0);
    reads!(project.run(&["plan"]), @"
    exit 0: connplan plan
    App app-1 at http://HOST

    No changes. The app matches the connector files.
    --- stderr
    Nobody has claimed the Stripe sandbox: it expires in SOME days.
    ");
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
    reads!(applied);
    let claim = platform.stripe_status()["sandbox_claim_url"]
        .as_str()
        .unwrap()
        .to_owned();
    applied.lacks(&claim);
    reads!(project.run(&["status"]).lacks(&claim), @"
    exit 0: connplan status
    App app-1 at http://HOST

    CONNECTOR  DECLARED  REMOTE   SCOPES  PENDING  ACCOUNT
    stripe     yes       sandbox  -       -        -
    --- stderr
    Nobody has claimed the Stripe sandbox: it expires in SOME days. The app's owner can claim it: http://HOST/apps/app-1/editor/workspace/app-connections
    ");
    assert!(!project.read("x.receipt").contains(&claim));
    assert!(project.read("x.receipt").contains("mode = \"sandbox\""));
    reads!(project.run(&["plan"]), @"
    exit 0: connplan plan
    App app-1 at http://HOST

    No changes. The app matches the connector files.
    --- stderr
    Nobody has claimed the Stripe sandbox: it expires in SOME days.
    ");
    project.undeclare("stripe");
    project.declare("slack", &[]);
    reads!(project.run(&["plan"]), @"
    exit 0: connplan plan
    App app-1 at http://HOST

    Symbols:  + add  - remove  ! look here

      + slack                 base44/connectors/slack.jsonc
          authorization: required

      - stripe                no file declares it
          mode: sandbox
          ! the Stripe sandbox is removed

    Deployed functions keep Stripe's old keys until they are deployed again.

    Plan: 1 to add, 0 to change, 1 to remove, 1 to authorize.
    --- stderr
    Nobody has claimed the Stripe sandbox: it expires in SOME days.
    ");
    reads!(project.run(&["apply", "--auto-approve"]));
    assert_eq!(platform.stripe_status()["stripe_mode"], Value::Null);
    platform.stripe(Some("live"));
    reads!(project.run(&["plan"]), @"
    exit 0: connplan plan
    App app-1 at http://HOST

    Symbols:  - remove  ! look here

      - stripe                no file declares it
          mode: live
          ! Stripe is live: real payments stop when it is removed

    Waiting for authorization (nothing is written again):
        slack                 base44/connectors/slack.jsonc

    Deployed functions keep Stripe's old keys until they are deployed again.

    Plan: 0 to add, 0 to change, 1 to remove, 0 to authorize.
    1 connector waits for authorization: run `connplan authorize`.
    ");
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
    assert!(!project.read_state("pending.toml").contains("slack"));
    platform.unset("slack");
    let plan = project.run(&["plan", "--format", "json"]).json();
    assert_eq!(plan["summary"]["create"], 1, "it is gone: {plan:#}");
}

//! `plan` and `show`, through the binary.

use serde_json::{Value, json};

use crate::support::{Connector, Platform, Project, as_saved, change, one_of_each, reads};

const NOTHING: [&str; 0] = [];

/// One of each: to add, to change, to authorize again, to remove, to leave.
fn everything() -> (Platform, Project) {
    let (platform, project) = one_of_each();
    let project = project.connector("slack", &["users:read", "chat:write", "chat:write"]);
    (platform, project)
}

#[test]
fn a_plan_writes_nothing_and_takes_one_round_trip() {
    let (platform, project) = everything();
    for format in ["text", "json", "markdown", "diff"] {
        project.run(&["plan", "--format", format]).expect(0);
    }
    assert_eq!(platform.writes(), NOTHING);
    assert_eq!(
        platform.requests().len(),
        16,
        "list, Stripe's status, the policies and the offers, side by side each time"
    );
    assert!(!project.state("").exists(), "looking leaves nothing");
}

#[test]
fn the_json_of_a_plan_is_the_contract() {
    let (platform, project) = everything();
    let output = project.run(&["plan", "--format", "json"]);
    output.expect(0);
    let plan = output.json();
    assert_eq!(plan["format_version"], "1.0");
    assert_eq!(plan["kind"], "plan");
    assert_eq!(plan["speculative"], false);
    let digest = plan["digest"].as_str().unwrap();
    assert!(
        digest.starts_with("sha256:") && digest.len() == 71,
        "{digest}"
    );
    let app = &plan["apps"][0];
    assert_eq!(app["app_id"], "app-1");
    assert_eq!(app["environment"], Value::Null);
    assert_eq!(app["api_url"], platform.url());
    assert_eq!(app["unmanaged"], json!([]));
    assert_eq!(
        plan["summary"],
        json!({"create": 1, "update": 1, "reauthorize": 1, "delete": 1, "no_op": 1, "authorize": 3})
    );
    assert_eq!(plan["diagnostics"].as_array().unwrap().len(), 1, "{plan:#}");
    let names = app["changes"].as_array().unwrap().iter();
    let names: Vec<_> = names.map(|c| c["connector"].as_str().unwrap()).collect();
    assert_eq!(names, ["github", "gmail", "hubspot", "notion", "slack"]);

    let part = |connector: &str, key: &str| change(&plan, connector)[key].clone();
    let ada = "ada@example.com";
    assert_eq!(part("slack", "kind"), "oauth");
    assert_eq!(part("slack", "action"), "create");
    assert_eq!(part("slack", "file"), "base44/connectors/slack.jsonc");
    assert_eq!(part("slack", "before"), Value::Null);
    assert_eq!(
        part("slack", "after")["scopes"],
        json!(["chat:write", "users:read"])
    );
    assert_eq!(
        part("slack", "scopes"),
        json!({"added": ["chat:write", "users:read"], "removed": [], "kept": [], "provider_added": []})
    );
    assert_eq!(part("slack", "authorization"), "required");

    assert_eq!(part("github", "action"), "delete");
    assert_eq!(part("github", "file"), Value::Null);
    assert_eq!(part("github", "after"), Value::Null);
    assert_eq!(
        part("github", "before"),
        json!({"scopes": ["repo"], "status": "active", "account": ada})
    );
    assert_eq!(part("github", "scopes")["removed"], json!(["repo"]));
    assert_eq!(part("github", "authorization"), "none");

    assert_eq!(part("gmail", "action"), "no-op");
    assert_eq!(part("gmail", "scopes")["provider_added"], json!(["openid"]));
    assert_eq!(part("gmail", "authorization"), "none");

    assert_eq!(part("hubspot", "action"), "update");
    assert_eq!(
        part("hubspot", "scopes"),
        json!({"added": ["crm.objects.contacts.write"], "removed": ["crm.objects.contacts.read"],
            "kept": [], "provider_added": ["oauth"]})
    );
    assert_eq!(part("notion", "action"), "reauthorize");
    assert_eq!(part("notion", "before")["status"], "expired");
    assert_eq!(part("notion", "authorization"), "required");
}

#[test]
fn narrowing_may_need_a_consent() {
    let platform = Platform::with(&[Connector::active("slack", &["chat:write", "users:read"])]);
    let project = Project::new()
        .at(&platform)
        .connector("slack", &["chat:write"]);
    let plan = project.run(&["plan", "--format", "json"]).json();
    assert_eq!(change(&plan, "slack")["authorization"], "possible");
    assert_eq!(plan["summary"]["authorize"], 0);
}

#[test]
fn the_text_says_what_happens_to_what_scope_by_scope() {
    let (platform, project) = everything();
    let plan = project.run(&["plan"]);
    reads!(plan.says(platform.url()));
    let first = plan.stdout.lines().next().unwrap();
    assert!(first.contains("app-1"), "the app stands on top: {first}");
    assert!(!plan.stdout.contains('\u{1b}'), "no colour in a pipe");
}

#[test]
fn no_changes_has_its_own_sentence_and_code() {
    let platform = Platform::with(&[Connector::active("slack", &["chat:write", "identify"])]);
    let project = Project::new()
        .at(&platform)
        .connector("slack", &["chat:write"]);
    reads!(project.run(&["plan", "--detailed-exitcode"]), @"
    exit 0: connplan plan --detailed-exitcode
    App app-1 at http://HOST

    No changes. The app matches the connector files.
    ");
    project.run(&["plan", "--format", "diff"]).expect(0);
    assert_eq!(project.run(&["plan", "--format", "diff"]).stdout, "");
    project.declare("slack", &[]);
    project.run(&["plan"]).expect(0);
    project.run(&["plan", "--detailed-exitcode"]).expect(2);
}

#[test]
fn the_diff_has_a_file_for_each_connector() {
    let (_platform, project) = everything();
    let diff = project.run(&["plan", "--format", "diff"]);
    reads!(diff);
    let heads = diff.stdout.lines().filter(|line| line.starts_with("--- "));
    assert_eq!(heads.count(), 4, "{diff}");
}

#[test]
fn every_command_says_which_formats_it_has() {
    let (_platform, project) = everything();
    let cases: &[(&[&str], &[&str])] = &[
        (&["plan"], &["github", "sarif"]),
        (&["validate"], &["markdown", "diff"]),
        (&["status"], &["markdown", "diff", "github", "sarif"]),
        (&["list-available"], &["markdown", "diff"]),
        (&["apply", "--auto-approve"], &["markdown", "diff"]),
        (&["authorize", "--list"], &["markdown", "diff"]),
        (&["push", "--yes"], &["markdown", "diff"]),
        (&["remote-state"], &["markdown", "diff"]),
        (&["whoami"], &["markdown", "diff"]),
    ];
    for (command, refused) in cases {
        for format in *refused {
            let args = [*command, &["--format", format]].concat();
            project.run(&args).expect(1).tells("--format");
        }
    }
    for command in [
        "plan",
        "status",
        "list-available",
        "remote-state",
        "whoami",
        "validate",
    ] {
        let output = project.run(&[command, "--format", "json"]);
        output.expect(0);
        assert_eq!(output.json()["format_version"], "1.0", "{output}");
    }
    project.run(&["plan", "--format", "yaml"]).expect(1);
}

#[test]
fn the_same_inputs_give_the_same_bytes() {
    let (_platform, project) = everything();
    let mut texts = Vec::new();
    for name in ["a.plan", "b.plan"] {
        let plan = project.run(&["plan", "--out", name]);
        plan.expect(0);
        let text = project.read(name);
        let kept = text.lines().filter(|line| !line.starts_with("created_at"));
        texts.push(kept.collect::<Vec<_>>().join("\n"));
    }
    assert_eq!(texts[0], texts[1]);
    let json = |args: &[&str]| project.run(args).stdout;
    let plan = json(&["plan", "--format", "json"]);
    assert_eq!(plan, json(&["plan", "--format", "json"]));
    let saved = as_saved(&plan, &plan);
    assert_eq!(saved, json(&["show", "a.plan", "--format", "json"]));
    // Neither order nor repetition nor spelling of the files matters: it is the same plan.
    let before: Value = serde_json::from_str(&plan).unwrap();
    for text in [
        "// a word\n{scopes: ['chat:write', 'users:read', 'chat:write',], 'type': \"slack\"}",
        "{\"type\": \"slack\", \"scopes\": [\"users:read\", \"chat:write\"]}",
        "\u{feff}{\r\n  type: 'slack', /* x */ scopes: ['users:read', 'chat:write', ], more: 1 }",
    ] {
        project.write("base44/connectors/slack.jsonc", text);
        let after = project.run(&["plan", "--format", "json"]).json();
        assert_eq!(before["digest"], after["digest"], "{text}");
        assert_eq!(before["apps"], after["apps"], "{text}");
    }
}

#[test]
fn show_prints_what_plan_printed_and_needs_no_network() {
    let (platform, project) = everything();
    project.run(&["plan", "-o", "a.plan"]).expect(0);
    let planned: Vec<_> = ["json", "markdown", "diff"]
        .map(|format| project.run(&["plan", "--format", format]).stdout)
        .into();
    let json = project.run(&["plan", "--format", "json"]).stdout;
    drop(platform);
    for (format, planned) in ["json", "markdown", "diff"].into_iter().zip(planned) {
        let shown = project.run(&["show", "a.plan", "--format", format]);
        shown.expect(0);
        if format != "markdown" {
            assert_eq!(shown.stdout, as_saved(&json, &planned), "{format}");
        }
    }
    let elsewhere = Project::nowhere().file("a.plan", &project.read("a.plan"));
    let shown = elsewhere.run(&["show", "a.plan"]);
    reads!(shown);
    let piped = elsewhere.run_with_input(&["show", "-"], &project.read("a.plan"));
    piped.expect(0).says("+ slack");
}

#[test]
fn a_plan_is_written_whole_or_not_at_all() {
    let (platform, project) = everything();
    reads!(project.run(&["plan", "--out", "no/such/folder/x.plan"]), @"
    exit 1: connplan plan --out no/such/folder/x.plan
    --- stderr
    error: could not write no/such/folder/x.plan: No such file or directory (os error 2)
      help: create its folder, then run the same command again
      code: connplan::fs::io
    ");
    project.write("x.plan", "precious");
    project.write("base44/connectors/slack.jsonc", "{");
    project.run(&["plan", "--out", "x.plan"]).expect(1);
    assert_eq!(project.read("x.plan"), "precious");
    assert_eq!(platform.writes(), NOTHING);
}

#[test]
fn a_saved_plan_holds_neither_link_nor_secret() {
    let (platform, project) = everything();
    project.run(&["plan", "--out", "x.plan"]).expect(0);
    let text = project.read("x.plan");
    assert!(!text.contains(platform.key()));
    assert!(text.starts_with('#'), "it is commented at its head");
    assert!(text.contains("kind = \"plan\""));
}

#[test]
fn a_missing_or_empty_folder_plans_nothing() {
    let platform = Platform::with(&[Connector::active("slack", &["chat:write"])]);
    let project = Project::new().at(&platform);
    for command in ["plan", "apply", "push"] {
        let args: &[&str] = match command {
            "plan" => &["plan"],
            "apply" => &["apply", "--auto-approve"],
            _ => &["push", "--yes"],
        };
        project
            .run(args)
            .expect(1)
            .tells("--allow-remove-all")
            .tells("slack");
    }
    project.write("base44/connectors/.keep", "");
    reads!(project.run(&["plan"]), @"
    exit 1: connplan plan
    --- stderr
    error: the connectors folder base44/connectors holds no connector, and the app has 1 connector: slack. Planning would mark it for removal, with its tokens
      help: check the branch and the folder; to remove every connector, give `--allow-remove-all`
      code: connplan::plan::remove_all
    ");
    reads!(project.run(&["plan", "--allow-remove-all"]), @"
    exit 0: connplan plan --allow-remove-all
    App app-1 at http://HOST

    Symbols:  - remove  ! look here

      - slack                 no file declares it
          - chat:write  post messages (as the bot or as the user) · write
          ! the tokens of ada@example.com are lost for good

    A removal deletes the tokens and the connector's file in the app's own code too. What was granted at the provider stays until somebody revokes it there (slack.com/apps/manage).

    Plan: 0 to add, 0 to change, 1 to remove, 0 to authorize.
    ");
    // Nothing to lose, nothing to guard.
    project.run(&["plan", "--keep-unlisted"]).expect(0);
    reads!(project.run(&["status"]), @"
    exit 0: connplan status
    App app-1 at http://HOST

    CONNECTOR  DECLARED  REMOTE  SCOPES  PENDING  ACCOUNT
    slack      no        active  1       -        ada@example.com

    1 connector needs attention:
      connplan plan
          slack
    ");
    platform.unset("slack");
    reads!(project.run(&["plan"]), @"
    exit 0: connplan plan
    App app-1 at http://HOST

    No changes. The app matches the connector files.
    ");
    assert_eq!(platform.writes(), NOTHING);
}

#[test]
fn a_stripe_sandbox_is_guarded_too() {
    let platform = Platform::start();
    platform.stripe(Some("live"));
    let project = Project::new().at(&platform);
    reads!(project.run(&["plan"]), @"
    exit 1: connplan plan
    --- stderr
    error: the connectors folder base44/connectors does not exist, and the app has 1 connector: stripe. Planning would mark it for removal, with its tokens
      help: check the branch and the folder; to remove every connector, give `--allow-remove-all`
      code: connplan::plan::remove_all
    ");
}

#[test]
fn unlisted_connectors_are_kept_by_flag_or_setting() {
    let platform = Platform::with(&[Connector::active("github", &["repo"])]);
    let project = Project::new().at(&platform).connector("slack", &[]);
    let kept = |args: &[&str]| {
        let plan = project.run(args).json();
        assert_eq!(plan["summary"]["delete"], 0, "{plan:#}");
        let unmanaged = plan["apps"][0]["unmanaged"].clone();
        assert!(unmanaged.to_string().contains("github"), "{unmanaged}");
    };
    kept(&["plan", "--keep-unlisted", "--format", "json"]);
    project.write("base44/connplan.toml", "unlisted = \"keep\"\n");
    kept(&["plan", "--format", "json"]);
    reads!(project.run(&["plan"]), @"
    exit 0: connplan plan
    App app-1 at http://HOST

    Symbols:  + add

      + slack                 base44/connectors/slack.jsonc
          authorization: required

    Unmanaged (kept): github

    Plan: 1 to add, 0 to change, 0 to remove, 1 to authorize.
    ");
    let applied = project.run(&["apply", "--auto-approve"]);
    applied.expect(0);
    assert!(platform.listed("github").is_some());
    project.write("base44/connplan.toml", "unlisted = \"remove\"\n");
    let plan = project.run(&["plan", "--format", "json"]).json();
    assert_eq!(plan["summary"]["delete"], 1);
}

#[test]
fn targets_leave_the_rest_out_of_sight() {
    let (_platform, project) = everything();
    let plan = project
        .run(&[
            "plan", "--target", "slack", "--target", "github", "--format", "json",
        ])
        .json();
    assert_eq!(
        plan["summary"],
        json!({"create": 1, "update": 0, "reauthorize": 0, "delete": 1, "no_op": 0, "authorize": 1})
    );
    reads!(project.run(&["plan", "--target", "slak"]), @r#"
    exit 1: connplan plan --target slak
    --- stderr
    warning: the scope `chat:write` is in the list more than once
       ╭─[base44/connectors/slack.jsonc:1:38]
     1 │ {"scopes":["users:read","chat:write","chat:write"],"type":"slack"}
       ·                         ──────┬───── ──────┬─────
       ·                               │            ╰── again here
       ·                               ╰── first here
       ╰────
      help: it counts once; delete the others
      code: connplan::config::duplicate_scope
    error: `--target slak` names a connector that neither the files nor the app has
      help: did you mean `slack`?
      code: connplan::plan::unknown_target
    "#);
    project.run(&["plan", "--target", "../x"]).expect(1);
}

#[test]
fn a_plan_from_a_snapshot_is_speculative() {
    let (platform, project) = everything();
    let state = project.run(&["remote-state"]);
    state.expect(0);
    assert_eq!(state.json()["format_version"], "1.0");
    state.lacks("ada@example.com").lacks(platform.key());
    project.write("state.json", &state.stdout);
    platform.forget();
    let offline = |args: &[&str]| {
        let mut command = project.command(args);
        command
            .env_remove("BASE44_API_KEY")
            .env_remove("BASE44_API_URL");
        let ended = command.output().unwrap();
        assert!(ended.status.success(), "{ended:?}");
        String::from_utf8(ended.stdout).unwrap()
    };
    let plan = offline(&[
        "plan",
        "--remote-state",
        "state.json",
        "--out",
        "x.plan",
        "--format",
        "json",
    ]);
    let plan: Value = serde_json::from_str(&plan).unwrap();
    assert_eq!(plan["speculative"], true);
    assert_eq!(plan["summary"]["create"], 1);
    assert_eq!(plan["apps"][0]["api_url"], platform.url());
    let text = offline(&["plan", "--remote-state", "state.json"]);
    assert!(text.to_lowercase().contains("speculative"), "{text}");
    assert_eq!(platform.requests(), NOTHING, "nobody was asked");
    project
        .run_with_input(&["plan", "--remote-state", "-"], &state.stdout)
        .expect(0);
    reads!(project.run(&["apply", "x.plan"]), @"
    exit 3: connplan apply x.plan
    --- stderr
    error: the plan is speculative: it was made from a snapshot, not from the live app
      help: run `connplan plan --out FILE` with credentials and apply that
      code: connplan::plan::speculative
    ");
    assert_eq!(platform.writes(), NOTHING);
    // The snapshot of another app is of no use here.
    let other = state.stdout.replace("\"app-1\"", "\"app-2\"");
    project.write("other.json", &other);
    reads!(project.run(&["plan", "--remote-state", "other.json"]), @r#"
    exit 1: connplan plan --remote-state other.json
    --- stderr
    warning: the scope `chat:write` is in the list more than once
       ╭─[base44/connectors/slack.jsonc:1:38]
     1 │ {"scopes":["users:read","chat:write","chat:write"],"type":"slack"}
       ·                         ──────┬───── ──────┬─────
       ·                               │            ╰── again here
       ·                               ╰── first here
       ╰────
      help: it counts once; delete the others
      code: connplan::config::duplicate_scope
    error: the snapshot is of app app-2, this project is app app-1
      help: take a snapshot of this app with `connplan remote-state`
      code: connplan::usage
    "#);
    project.write("bad.json", "{\"format_version\": \"1.0\"");
    project
        .run(&["plan", "--remote-state", "bad.json"])
        .expect(1);
}

#[test]
fn all_problems_of_all_files_are_told_in_one_run() {
    let (platform, project) = everything();
    project.write("base44/connectors/a.jsonc", "{ \"type\": 3 }");
    project.write(
        "base44/connectors/b.jsonc",
        "{ \"type\": \"x\", \"scopes\": [1] }",
    );
    project.write("base44/connectors/c.jsonc", "{ \"type\": ");
    platform.forget();
    for command in [&["validate"][..], &["plan"], &["plan", "--format", "json"]] {
        let output = project.run(command);
        output.expect(1);
        for file in ["a.jsonc", "b.jsonc", "c.jsonc"] {
            assert!(
                output.stderr.contains(file) || output.stdout.contains(file),
                "{file}: {output}"
            );
        }
    }
    assert_eq!(platform.requests(), NOTHING, "the files come first");
}

#[test]
fn a_policy_forbids_with_a_code_of_its_own() {
    let (platform, project) = everything();
    project.write(
        "base44/connplan.toml",
        "[policy]\nprotected = [\"github\"]\nmax_removals = 0\n",
    );
    for args in [
        &["plan"][..],
        &["plan", "--out", "x.plan"],
        &["apply", "--auto-approve"],
        &["push", "--yes"],
    ] {
        project.run(args).expect(6).tells("github");
    }
    assert!(!project.path("x.plan").exists());
    assert_eq!(platform.writes(), NOTHING);
}

/// What the platform lists, it offers; what it does not list, and is a slip away from that, nobody meant.
#[test]
fn a_type_that_is_misspelt_is_not_planned() {
    let platform = Platform::start();
    let project = Project::new()
        .at(&platform)
        .connector("slak", &["chat:write"]);
    let planned = project.run(&["plan"]);
    reads!(planned, @r#"
    exit 1: connplan plan
    --- stderr
    warning: the type `slak` is unknown
       ╭─[base44/connectors/slak.jsonc:1:33]
     1 │ {"scopes":["chat:write"],"type":"slak"}
       ·                                 ───┬──
       ·                                    ╰── this type
       ╰────
      help: did you mean `slack`? `connplan list-available` lists the types of the platform
      code: connplan::config::type_slip
    error: the platform does not offer:
      `slak` in base44/connectors/slak.jsonc: did you mean `slack`?
      help: write the type as the platform spells it; `connplan list-available` lists them
      code: connplan::usage
    "#);
    let applied = project.run(&["apply", "--auto-approve"]);
    applied.expect(1);
    assert_eq!(
        (&applied.stdout, &applied.stderr),
        (&planned.stdout, &planned.stderr)
    );
    // Of what the app has already, and of what resembles nothing, the platform knows more.
    platform.set(&Connector::active("slak", &["chat:write"]));
    project.run(&["plan"]).expect(0);
    project.declare("acme_crm", &["read"]);
    project.run(&["plan", "--out", "x.plan"]).expect(0);
}

/// A plan replaces a plan, and nothing else.
#[test]
fn a_plan_is_not_saved_over_another_file() {
    let platform = Platform::start();
    let project = Project::new()
        .at(&platform)
        .connector("slack", &["chat:write"]);
    let config = project.read("base44/config.jsonc");
    reads!(project.run(&["plan", "--out", "base44/config.jsonc"]), @"
    exit 1: connplan plan --out base44/config.jsonc
    --- stderr
    error: base44/config.jsonc is not a plan, and `--out` would replace it; nothing was written
      help: give another name, such as `--out x.plan`, or remove that file first
      code: connplan::usage
    ");
    assert_eq!(project.read("base44/config.jsonc"), config);
    project.write("empty", "");
    for out in ["empty", "empty", "new.toml", "new.toml"] {
        project.run(&["plan", "--out", out]).expect(0);
    }
}

//! Every command that is printed, over many situations: it carries what surrounds the run, a shell reads
//! it as it is meant, and it is one that connplan takes.

use std::collections::BTreeMap;

use crate::support::{Connector, Platform, Project, reads};

const FOLDER: &str = "apps/it's my shop";

/// Commands that are about a project: printed ones carry the context. The same as `OF_A_PROJECT`.
const ABOUT: [&str; 19] = [
    "add",
    "apply",
    "approve",
    "authorize",
    "comment",
    "doctor",
    "drift",
    "history",
    "init",
    "list-available",
    "plan",
    "policy",
    "pull",
    "push",
    "remote-state",
    "show",
    "status",
    "unlock",
    "validate",
];

/// Others.
const ALONE: [&str; 7] = [
    "help", "login", "logout", "sandbox", "scopes", "trust", "whoami",
];

/// The commands in a text: whole code spans, and what stands on a line after its words.
fn printed(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for line in text.lines() {
        let (mut outside, mut spans) = (String::new(), Vec::new());
        for (at, part) in line.split('`').enumerate() {
            if at % 2 == 1 {
                spans.push(part.to_owned());
            } else {
                outside.push_str(part);
            }
        }
        found.extend(spans.into_iter().filter(|s| s.starts_with("connplan ")));
        let at = outside
            .find("  connplan ")
            .or_else(|| outside.find(": connplan "));
        found.extend(at.and_then(|at| Some(outside.get(at + 2..)?.to_owned())));
    }
    let bare = |command: &String| {
        let command = command.split("   ").next().unwrap_or_default().trim();
        let word = command.split(' ').nth(1)?;
        let known = word.starts_with('-') || ABOUT.contains(&word) || ALONE.contains(&word);
        known.then(|| command.to_owned())
    };
    found.iter().filter_map(bare).collect()
}

/// As a shell splits it.
fn words(command: &str) -> Vec<String> {
    let (mut words, mut word, mut quoted, mut any) = (Vec::new(), String::new(), false, false);
    let mut chars = command.chars();
    while let Some(c) = chars.next() {
        match c {
            '\'' => (quoted, any) = (!quoted, true),
            '\\' if !quoted => word.extend(chars.next()),
            c if c.is_whitespace() && !quoted => {
                if any || !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                    any = false;
                }
            }
            c => word.push(c),
        }
    }
    assert!(!quoted, "a quote is open: {command}");
    words.extend((any || !word.is_empty()).then_some(word));
    words
}

fn shop(platform: &Platform) -> Project {
    let project = Project::nowhere().at(platform);
    let settings = format!(
        "[environments.'st g']\napp_id = \"app-1\"\napi_url = \"{}\"\n",
        platform.url()
    );
    for (file, text) in [
        ("base44/config.jsonc", "{ \"name\": \"Shop\" }"),
        ("base44/.app.jsonc", "{ \"id\": \"unused\" }"),
        ("base44/connplan.toml", &settings),
        (
            "base44/connectors/slack.jsonc",
            "{ \"type\": \"slack\", \"scopes\": [\"chat:write\"] }",
        ),
        (
            "base44/connectors/box.jsonc",
            "{ \"type\": \"box\", \"scopes\": [\"a\"] }",
        ),
        (
            "other dir/slack.jsonc",
            "{ \"type\": \"slack\", \"scopes\": [\"chat:write\"] }",
        ),
    ] {
        project.write(&format!("{FOLDER}/{file}"), text);
    }
    project.without_var("BASE44_APP_ID")
}

const SITUATIONS: &[&[&str]] = &[
    &["validate"],
    &["plan"],
    &["plan", "--out", "x y.plan"],
    &["plan", "--format", "markdown"],
    &["plan", "--dir", "other dir"],
    &["status"],
    &["status", "--dir", "other dir"],
    &["show", "x y.plan"],
    &["show", "x y.plan", "--format", "markdown"],
    &["comment", "x y.plan", "--dry-run"],
    &["apply"],
    &["apply", "x y.plan", "--expect-digest", "ab"],
    &["apply", "x y.plan", "--receipt", "r's"],
    &["show", "r's"],
    &["show", "r's", "--format", "markdown"],
    &["authorize", "--list"],
    &["authorize", "--list", "--receipt", "r's"],
    &["authorize"],
    &["authorize", "no-such"],
    &["status"],
    &["plan"],
    &["drift", "--format", "markdown"],
    &["history"],
    &["doctor"],
    &["init", "--dry-run"],
    &["add", "asana"],
    &["pull", "--dry-run"],
    &["apply", "no-such.plan"],
    &[
        "show",
        "sha256:0000000000000000000000000000000000000000000000000000000000000000",
    ],
    &["policy", "explain", "x y.plan"],
    &["approve", "x y.plan"],
];

#[test]
#[ignore = "a second of CPU time, or more: run by .ci/run"]
fn every_printed_command_is_one_that_can_be_run_as_it_stands() {
    let platform = Platform::with(&[
        Connector {
            status: "expired",
            ..Connector::active("box", &["a"])
        },
        Connector::active("hubspot", &["x"]),
    ]);
    let project = shop(&platform);
    let around = ["-C", FOLDER, "--env", "st g"];
    let mut found: BTreeMap<String, String> = BTreeMap::new();
    let mut collect = |project: &Project, args: &[&str]| {
        let output = project.run(&[&around, args].concat());
        for stream in [&output.stdout, &output.stderr] {
            for command in printed(stream) {
                found.entry(command).or_insert_with(|| args.join(" "));
            }
        }
    };
    for args in SITUATIONS {
        collect(&project, args);
    }
    let project = project.var("CI", "true");
    for args in SITUATIONS {
        collect(&project, args);
    }
    let project = project.without_var("CI").without_var("BASE44_API_KEY");
    for args in [
        &["plan"][..],
        &["status"],
        &["authorize"],
        &["init", "--dry-run"],
    ] {
        collect(&project, args);
    }
    let project = project.var("BASE44_API_KEY", platform.key());
    assert!(found.len() > 15, "{found:#?}");
    for (command, of) in &found {
        let args = words(command);
        let args: Vec<_> = args.iter().skip(1).map(String::as_str).collect();
        let context = args.starts_with(&around);
        let rest = if context { &args[4..] } else { &args[..] };
        let name = rest.first().copied().unwrap_or_default();
        if ABOUT.contains(&name) {
            assert!(context, "`{command}`, printed by {of}");
        }
        // The grammar, whatever stands for a file.
        let helped = project.run(&[&args[..], &["--help"]].concat());
        assert_eq!(
            helped.code,
            Some(0),
            "`{command}`, printed by {of}: {helped}"
        );
        let whole = !rest
            .iter()
            .any(|word| word.bytes().all(|b| b.is_ascii_uppercase()));
        let looks = matches!(name, "plan" | "status" | "validate" | "show" | "history");
        if whole && (looks || rest.contains(&"--list")) {
            let ran = project.run(&args);
            assert!(
                !ran.stderr.contains("connplan::usage") && ran.code != Some(3),
                "`{command}`, printed by {of}: {ran}"
            );
        }
    }
}

#[test]
fn what_a_document_was_made_for_is_in_the_commands_about_it() {
    let platform = Platform::start();
    let project = shop(&platform);
    let plan = ["-C", FOLDER, "--env", "st g", "plan", "--out", "x.plan"];
    project.run(&plan).expect(0);
    let show = project.run(&["-C", FOLDER, "show", "x.plan"]);
    reads!(show, @r#"
    exit 0: connplan -C apps/it's my shop show x.plan
    App app-1 at http://HOST (environment st g)

    Symbols:  + add

      + box                   base44/connectors/box.jsonc
          + a  unknown, which does not mean safe
          authorization: required

      + slack                 base44/connectors/slack.jsonc
          + chat:write  post messages (as the bot or as the user) · write
          authorization: required

    Plan: 2 to add, 0 to change, 0 to remove, 2 to authorize.

    Digest: sha256:DIGEST
    To carry out exactly this plan: connplan -C 'apps/it'\''s my shop' --env 'st g' apply x.plan
    "#);
    let comment = ["-C", FOLDER, "--env", "st g", "comment"];
    reads!(project.run(&[&comment[..], &["x.plan", "--dry-run"]].concat()));
    let plan = ["-C", FOLDER, "--app-id", "app-9", "plan", "--out", "y.plan"];
    project.run(&plan).expect(0);
    let show = project.run(&["-C", FOLDER, "show", "y.plan"]);
    reads!(show, @r#"
    exit 0: connplan -C apps/it's my shop show y.plan
    App app-9 at http://HOST

    Symbols:  + add

      + box                   base44/connectors/box.jsonc
          + a  unknown, which does not mean safe
          authorization: required

      + slack                 base44/connectors/slack.jsonc
          + chat:write  post messages (as the bot or as the user) · write
          authorization: required

    Plan: 2 to add, 0 to change, 0 to remove, 2 to authorize.

    Digest: sha256:DIGEST
    To carry out exactly this plan: connplan -C 'apps/it'\''s my shop' --app-id app-9 apply y.plan
    "#);
}

//! The commands that are printed do what they say, where they are printed.

use crate::support::{Connector, Platform, Project, reads};

/// What follows `connplan ` in the output, up to the end of the code span or the line, as a shell
/// reads it.
fn printed(text: &str) -> Vec<Vec<String>> {
    let starts = text
        .match_indices("connplan ")
        .map(|(at, name)| at + name.len());
    let commands = starts.filter_map(|at| {
        let rest = text.get(at..)?;
        let line = rest.split(['`', '\n']).next()?;
        Some(words(line))
    });
    commands.collect()
}

fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (n, part) in line.split('\'').enumerate() {
        if n % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(
                part.split_whitespace()
                    .map(|w| w.trim_end_matches(['.', ',']).to_owned()),
            );
        }
    }
    words
}

#[test]
fn each_printed_command_carries_what_surrounds_it_and_runs() {
    let platform = Platform::with(&[Connector {
        status: "expired",
        ..Connector::active("box", &["a"])
    }]);
    let project = Project::new().at(&platform);
    let folder = "apps/my shop";
    for (file, text) in [
        ("base44/config.jsonc", "{}".to_owned()),
        ("base44/.app.jsonc", "{ \"id\": \"unused\" }".to_owned()),
        (
            "base44/connplan.toml",
            format!(
                "[environments.stage]\napp_id = \"app-1\"\napi_url = \"{}\"\n",
                platform.url()
            ),
        ),
        (
            "base44/connectors/slack.jsonc",
            "{ \"type\": \"slack\", \"scopes\": [] }".to_owned(),
        ),
        (
            "base44/connectors/box.jsonc",
            "{ \"type\": \"box\", \"scopes\": [\"a\"] }".to_owned(),
        ),
    ] {
        project.write(&format!("{folder}/{file}"), &text);
    }
    let project = project.without_var("BASE44_APP_ID");
    let around = ["-C", folder, "--env", "stage"];
    let run = |args: &[&str]| {
        let output = project.run(&[&around, args].concat());
        for stream in [&output.stdout, &output.stderr] {
            for command in printed(stream) {
                let args: Vec<_> = command.iter().map(String::as_str).collect();
                let has_command = args
                    .iter()
                    .any(|arg| ["apply", "authorize", "plan"].contains(arg));
                if has_command && !args.contains(&"FILE") {
                    assert_eq!(&args[..4], &around, "{output}");
                    let code = project.run(&args).code;
                    assert!(matches!(code, Some(0 | 2 | 4)), "{args:?}: {code:?}");
                }
            }
        }
        output
    };
    reads!(run(&["plan", "--out", "x y.plan"]));
    reads!(run(&["apply", "x y.plan", "--receipt", "x.receipt"]), @"
    exit 0: connplan -C apps/my shop --env stage apply x y.plan --receipt x.receipt
    App app-1 at http://HOST (environment stage)

    Waiting for authorization: box, slack

    Applied before, 2 connectors: 2 waiting for authorization.
    Next: connplan -C 'apps/my shop' --env stage authorize --receipt x.receipt --expect-digest sha256:DIGEST

    Plan: sha256:DIGEST
    --- stderr
    Acting as a workspace, by BASE44_API_KEY.
    This plan was already applied. Nothing was written.
    ");
    reads!(run(&["status"]), @"
    exit 0: connplan -C apps/my shop --env stage status
    App app-1 at http://HOST (environment stage)

    CONNECTOR  DECLARED  REMOTE   SCOPES         PENDING   ACCOUNT
    box        yes       expired  1 (asked for)  just now  ada@example.com
    slack      yes       absent   0              just now  -

    2 connectors need attention:
      connplan -C 'apps/my shop' --env stage authorize box slack
    --- stderr
    warning: the config has no `name`
       ╭─[base44/config.jsonc:1:1]
     1 │ {}
       · ┬
       · ╰── no `name` in this object
       ╰────
      help: connplan does not need it, but the official client refuses such a project: add the app's name
      code: connplan::config::no_name
    ");
    reads!(run(&["plan"]), @"
    exit 0: connplan -C apps/my shop --env stage plan
    App app-1 at http://HOST (environment stage)

    Waiting for authorization (nothing is written again):
        box                   base44/connectors/box.jsonc
            a  unknown, which does not mean safe
        slack                 base44/connectors/slack.jsonc

    No changes to make. 2 connectors wait for authorization: run `connplan -C 'apps/my shop' --env stage authorize`.
    --- stderr
    warning: the config has no `name`
       ╭─[base44/config.jsonc:1:1]
     1 │ {}
       · ┬
       · ╰── no `name` in this object
       ╰────
      help: connplan does not need it, but the official client refuses such a project: add the app's name
      code: connplan::config::no_name
    ");
    run(&["authorize", "--list"]);
}

#[test]
fn a_snapshot_may_begin_with_a_byte_order_mark() {
    let platform = Platform::with(&[Connector::active("box", &["a"])]);
    let project = Project::new().at(&platform).connector("box", &["a"]);
    let state = project.run(&["remote-state"]);
    project.write("state.json", &format!("\u{feff}{}", state.stdout));
    project
        .run(&["plan", "--remote-state", "state.json"])
        .expect(0);
}

#[test]
fn wrong_arguments_are_one_json_document_too() {
    let project = Project::nowhere();
    for args in [
        &["plan", "--format", "json", "--nope"][..],
        &["--format=json", "no-such-command"],
        &["--format", "json"],
        &["apply", "--parallelism", "0", "--format=json"],
    ] {
        let output = project.run(args);
        output.expect(1);
        assert_eq!(output.json()["kind"], "error", "{output}");
        assert_eq!(output.json()["exit_code"], 1);
    }
}

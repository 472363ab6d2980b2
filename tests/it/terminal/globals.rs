//! What holds for every command: options, environment, streams, exit codes.

use std::{io::Read, process::Stdio};

use serde_json::Value;

use crate::{
    support::scripted::Scripted,
    support::{Project, Pty, one, reads},
};

const NOTHING: [&str; 0] = [];

#[test]
fn mistakes_in_the_command_line_end_with_1() {
    let (platform, project) = one();
    for args in [
        &[][..],
        &["no-such-command"],
        &["plan", "--no-such-flag"],
        &["plan", "--format", "xml"],
        &["plan", "--color", "sometimes"],
        &["apply", "--parallelism", "0"],
        &["apply", "--parallelism", "-1"],
        &["apply", "x.plan", "--expect-digest", "abc"],
        &["authorize", "--timeout", "soon"],
        &["authorize", "a/b"],
        &["completions", "tcsh"],
        &["show"],
        &["-C", "no/such/folder", "plan"],
        &["plan", "--env", "nowhere"],
        &["show", "no-such-file"],
        &["apply", "no-such-file"],
    ] {
        let output = project.run(args);
        output.expect(1);
        assert!(!output.stderr.is_empty(), "{output}");
        assert_eq!(output.stdout, "", "{output}");
    }
    assert_eq!(platform.requests(), NOTHING);
    reads!(project.run(&["pla"]), @"
    exit 1: connplan pla
    --- stderr
    error: unrecognized subcommand 'pla'

      tip: a similar subcommand exists: 'plan'

    Usage: connplan [OPTIONS] <COMMAND>

    For more information, try '--help'.
      code: connplan::usage
    ");
}

#[test]
fn help_and_version_are_data() {
    let project = Project::nowhere();
    for args in [
        &["--help"][..],
        &["-h"],
        &["help"],
        &["--version"],
        &["plan", "--help"],
    ] {
        let output = project.run(args);
        output.expect(0);
        assert_eq!(output.stderr, "");
        assert!(!output.stdout.is_empty());
    }
    reads!(project.run(&["--version"]), @"
    exit 0: connplan --version
    connplan VERSION
    ");
    let help = project.run(&["--help"]);
    for command in [
        "validate",
        "plan",
        "show",
        "apply",
        "authorize",
        "push",
        "status",
        "list-available",
        "remote-state",
        "login",
        "logout",
        "whoami",
        "sandbox",
        "demo",
        "completions",
    ] {
        help.says(command);
        project.run(&[command, "--help"]).expect(0);
    }
}

#[test]
fn completions_for_every_shell() {
    let project = Project::nowhere();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let output = project.run(&["completions", shell]);
        output.expect(0).says("authorize");
        assert_eq!(output.stderr, "");
    }
}

#[test]
fn nothing_waits_where_nobody_can_answer() {
    let (platform, project) = one();
    platform.forget();
    let asks: [(&[&str], &str); 2] = [(&["apply"], "--auto-approve"), (&["push"], "--yes")];
    for (args, flag) in asks {
        project.run(args).expect(1).tells(flag);
        project.run_with_input(args, "yes\n").expect(1).tells(flag);
        let json = [args, &["--format", "json"]].concat();
        project.run(&json).expect(1).tells(flag);
        // In a terminal, the variable and the option say that nobody is there.
        for (vars, more) in [
            (&[("CI", "true")][..], &[][..]),
            (&[("CI", "1")], &[]),
            // So that a build does not take its warnings for errors.
            (&[("CI", "false"), ("GITHUB_ACTIONS", "true")], &[]),
            (&[("CI", ""), ("GITLAB_CI", "true")], &[]),
            (&[], &["--no-input"]),
        ] {
            let project = Project::new().at(&platform).connector("slack", &[]);
            let set = |project: Project, (name, value): &(&str, &str)| project.var(name, value);
            let project = vars.iter().fold(project, set);
            let mut terminal = Pty::start(&project, &[args, more].concat());
            terminal.wait_for(flag);
            let (code, seen) = terminal.end();
            assert_eq!(code, 1, "{seen}");
        }
    }
    assert_eq!(platform.writes(), NOTHING);
}

#[test]
fn what_has_nothing_to_do_asks_nobody() {
    let (platform, project) = one();
    project.run(&["apply", "--auto-approve"]).expect(0);
    platform.consent("slack", "ada@example.com");
    project.run(&["authorize", "--list"]).expect(0);
    platform.forget();
    for args in [&["apply"][..], &["push"], &["apply", "--no-input"]] {
        project.run_vars(&[("CI", "true")], args).expect(0);
        project.run(args).expect(0);
    }
    assert_eq!(platform.writes(), NOTHING);
}

#[test]
fn colour_is_decided_by_option_environment_and_terminal() {
    let (_platform, project) = one();
    let colored = |vars: &[(&str, &str)], args: &[&str]| {
        let output = project.run_vars(vars, args);
        output.expect(0);
        output.stdout.contains('\u{1b}')
    };
    assert!(!colored(&[], &["plan"]));
    assert!(colored(&[], &["plan", "--color", "always"]));
    assert!(colored(&[("CLICOLOR_FORCE", "1")], &["plan"]));
    assert!(!colored(&[("CLICOLOR_FORCE", "0")], &["plan"]));
    assert!(!colored(
        &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")],
        &["plan"]
    ));
    assert!(!colored(
        &[("CLICOLOR_FORCE", "1")],
        &["plan", "--color", "never"]
    ));
    assert!(colored(
        &[("NO_COLOR", "1")],
        &["plan", "--color", "always"]
    ));
    for format in ["json", "markdown"] {
        assert!(!colored(
            &[("CLICOLOR_FORCE", "1")],
            &["plan", "--format", format]
        ));
    }
    let seen = |project: &Project| Pty::start(project, &["plan"]).end().1;
    assert!(seen(&project).contains('\u{1b}'));
    let plain = Project::new().connector("slack", &[]).var("NO_COLOR", "1");
    assert!(!seen(&plain).contains('\u{1b}'));
    let dumb = Project::new().connector("slack", &[]).var("TERM", "dumb");
    assert!(!seen(&dumb).contains('\u{1b}'));
}

#[test]
fn errors_and_warnings_are_plain_in_a_pipe() {
    let (_platform, project) = one();
    project.write("base44/connectors/x.jsonc", "{ \"type\": 1 }");
    let output = project.run(&["plan"]);
    output.expect(1).lacks("\u{1b}");
    assert_eq!(output.stdout, "");
    let output = project.run_vars(&[("CLICOLOR_FORCE", "1")], &["plan"]);
    assert!(output.stderr.contains('\u{1b}'), "{output}");
    let output = project.run_vars(&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], &["plan"]);
    output.lacks("\u{1b}");
}

#[test]
fn a_cause_is_said_once() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let project = Project::new().file("plain", "");
    let url = ("BASE44_API_URL", "no address");
    for (vars, args, cause) in [
        (&[][..], &["sandbox", "--port", &port][..], "in use"),
        (&[], &["plan", "--app-id", "a b"], "only dots"),
        (&[url], &["plan"], "not a web address"),
        (
            &[],
            &["plan", "--no-such-thing", "--out", "plain/x"],
            "--no-such-thing",
        ),
        (&[], &["show", "plain/x"], "Not a directory"),
    ] {
        let output = project.run_vars(vars, args);
        output.expect(1);
        let words: Vec<_> = output.stderr.split_whitespace().collect();
        let said = words.join(" ").replace("│ ", "");
        let said = said.split("help:").next().unwrap();
        assert_eq!(said.matches(cause).count(), 1, "{output}");
    }
}

#[test]
fn machine_output_is_alone_on_stdout() {
    let (_platform, project) = one();
    project.write(
        "base44/connectors/odd.jsonc",
        "{ \"type\": \"notion\", \"scope\": [] }",
    );
    for args in [
        &["plan", "--format", "json", "--out", "x.plan"][..],
        &["apply", "x.plan", "--format", "json"],
        &["authorize", "--list", "--format", "json"],
        &["authorize", "--format", "json"],
        &["push", "--yes", "--format", "json"],
        &["status", "--format", "json"],
        &["validate", "--format", "json"],
        &["list-available", "--format", "json"],
        &["remote-state", "--format", "json"],
        &["whoami", "--format", "json"],
        &["show", "x.plan", "--format", "json"],
    ] {
        let output = project.run(args);
        assert!(output.json()["format_version"].is_string(), "{output}");
        assert!(output.stdout.ends_with("}\n"), "{output}");
    }
}

#[test]
fn quiet_is_quiet_and_verbose_tells_the_requests() {
    let (_platform, project) = one();
    let quiet = project.run(&["-q", "plan"]);
    reads!(quiet, @"
    exit 0: connplan -q plan
    App app-1 at http://HOST

    Symbols:  + add  - remove  ! look here

      - gmail                 no file declares it
          - openid
              sign-in: stable Google account id in an ID token · identity, non-sensitive
          ! the tokens of ada@example.com are lost for good

      + slack                 base44/connectors/slack.jsonc
          + chat:write  post messages (as the bot or as the user) · write
          authorization: required

    A removal deletes the tokens and the connector's file in the app's own code too. What was granted at the provider stays until somebody revokes it there (myaccount.google.com/connections).

    Plan: 1 to add, 0 to change, 1 to remove, 1 to authorize.
    ");
    assert_eq!(quiet.stderr, "");
    let verbose = project.run(&["-v", "plan"]);
    verbose.expect(0).tells("external-auth/list");
    let quiet = project.run(&["-q", "apply", "--auto-approve", "--format", "json"]);
    quiet.expect(0);
    assert_eq!(quiet.stderr, "");
}

#[test]
fn a_reader_that_goes_away_is_no_panic() {
    let (_platform, project) = one();
    for args in [
        &["plan"][..],
        &["plan", "--format", "json"],
        &["completions", "bash"],
        &["--help"],
        &["list-available"],
    ] {
        let mut command = project.command(args);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        drop(child.stdout.take());
        let mut said = String::new();
        child
            .stderr
            .take()
            .unwrap()
            .read_to_string(&mut said)
            .unwrap();
        assert!(!said.contains("panicked"), "{args:?}: {said}");
        assert!(child.wait().unwrap().code().is_some(), "{args:?}");
    }
}

#[test]
fn a_full_disk_under_stdout_is_an_error() {
    let Ok(full) = std::fs::OpenOptions::new().write(true).open("/dev/full") else {
        return;
    };
    let (_platform, project) = one();
    let mut command = project.command(&["plan"]);
    command.stdout(full);
    let ended = command.output().unwrap();
    assert_eq!(ended.status.code(), Some(1), "{ended:?}");
}

#[test]
fn an_unreachable_or_babbling_server_is_a_clear_error() {
    let project = Project::new().connector("slack", &[]);
    let refused = Scripted::refused_url();
    let vars = [
        ("BASE44_API_URL", refused.as_str()),
        ("BASE44_API_KEY", "b44k_canary"),
    ];
    let output = project.run_vars(&vars, &["plan"]);
    output.expect(1).lacks("b44k_canary");
    assert_eq!(output.stdout, "");
    let json = project.run_vars(&vars, &["plan", "--format", "json"]);
    json.expect(1);
    assert_eq!(
        json.json()["format_version"],
        "1.0",
        "an error is a document too"
    );
}

#[test]
fn hostile_names_reach_neither_terminal_nor_path() {
    let (_platform, project) = one();
    let esc = "\\u001b]0;owned\\u0007\\u001b[2J";
    project.write(
        "base44/connectors/evil.jsonc",
        &format!("{{ \"type\": \"linear\", \"scopes\": [\"a{esc}\", \"\\u202eb\", \"c\\nPlan: 0 to add\"], \"{esc}\": 1 }}"),
    );
    for args in [
        &["plan"][..],
        &["validate"],
        &["plan", "--format", "markdown"],
        &["plan", "--format", "diff"],
        &["apply", "--auto-approve"],
        &["status"],
        &["authorize", "--list"],
    ] {
        let output = project.run(args);
        output.lacks("\u{1b}").lacks("\u{202e}").lacks("\u{7}");
        let forged = output
            .stdout
            .lines()
            .any(|line| line.starts_with("Plan: 0 to add"));
        assert!(!forged, "{output}");
    }
    for name in [
        "base44/connectors/\u{1b}[31m.jsonc",
        "base44/connectors/ünï cödé 🎉.jsonc",
    ] {
        project.write(name, "{ \"type\": \"asana\", \"x\": 1 }");
        project.run(&["plan"]).lacks("\u{1b}");
        std::fs::remove_file(project.path(name)).unwrap();
    }
}

#[test]
fn json_is_everywhere_that_has_something_to_tell() {
    let (platform, project) = one();
    let logout = project.run(&["logout", "--format", "json"]);
    logout.expect(0);
    assert_eq!(logout.json()["logged_out"], false);
    let demo = project.run(&["demo", "--format", "json"]);
    demo.expect(1).tells("--format json");
    drop(platform);
}

#[test]
fn the_sandbox_prints_what_points_a_client_at_it() {
    let project = Project::nowhere();
    for format in ["text", "json"] {
        let mut command = project.command(&["sandbox", "--format", format, "--state", "s.json"]);
        command.stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let mut out = child.stdout.take().unwrap();
        let mut said = String::new();
        let whole = |said: &str| match format {
            "json" => serde_json::from_str::<Value>(said).is_ok(),
            _ => said.matches('\n').count() == 4,
        };
        while !whole(&said) {
            let mut byte = [0];
            assert_eq!(out.read(&mut byte).unwrap(), 1, "{said}");
            said.push(char::from(byte[0]));
        }
        let (url, key) = if format == "json" {
            let json: Value = serde_json::from_str(&said).unwrap();
            let vars = json["environment"].clone();
            let word = |name: &str| vars[name].as_str().unwrap().to_owned();
            (word("BASE44_API_URL"), word("BASE44_ACCESS_TOKEN"))
        } else {
            let value = |name: &str| {
                let line = said.lines().find_map(|line| line.strip_prefix(name));
                line.unwrap_or_default().to_owned()
            };
            (value("BASE44_API_URL="), value("BASE44_ACCESS_TOKEN="))
        };
        let client = Project::new().without_var("BASE44_API_KEY");
        let client = client
            .var("BASE44_API_URL", &url)
            .var("BASE44_ACCESS_TOKEN", &key);
        let client = client.connector("slack", &[]);
        client.run(&["push", "--yes"]).expect(4);
        child.kill().unwrap();
        child.wait().unwrap();
    }
    // Its state outlives it.
    assert!(project.read("s.json").contains("slack"));
}

#[test]
fn what_is_saved_goes_to_a_file() {
    let (platform, project) = one();
    reads!(project.run(&["plan", "--out", "-"]), @"
    exit 1: connplan plan --out -
    --- stderr
    error: `--out -` names no file
      help: give a file's name, or `./-`; `--out` does not write to standard output
      code: connplan::usage
    ");
    reads!(project.run(&["apply", "--auto-approve", "--receipt", "-"]), @"
    exit 1: connplan apply --auto-approve --receipt -
    --- stderr
    error: `--receipt -` names no file
      help: give a file's name, or `./-`; `--receipt` does not write to standard output
      code: connplan::usage
    ");
    assert_eq!(platform.writes(), NOTHING);
    project.run(&["plan", "--out", "./-"]).expect(0);
    let plan = project.read("-");
    project.run_with_input(&["apply", "-"], &plan).expect(0);
    assert!(!platform.writes().is_empty());
}

#[test]
fn a_warning_is_said_once() {
    let (_platform, project) = one();
    project.write(
        "base44/connectors/odd.jsonc",
        "{ \"type\": \"notion\", \"scope\": [] }",
    );
    let plan = project.run(&["plan", "--out", "x.plan"]);
    reads!(plan);
    assert!(!plan.stdout.contains("did you mean"), "{plan}");
    // Whoever reviews the file sees it too.
    reads!(project.run(&["show", "x.plan"]));
    reads!(project.run(&["plan", "--format", "markdown"]));
}

#[test]
fn the_longest_time_ends_what_would_go_on() {
    reads!(Project::new().run(&["sandbox", "--max-time", "300ms"]), @"
    exit 0: connplan sandbox --max-time 300ms
    BASE44_API_URL=http://HOST
    BASE44_ACCESS_TOKEN=b44u_sandbox_ada_full
    # only reads: BASE44_ACCESS_TOKEN=b44u_sandbox_ada_readonly
    # a workspace's key, which Base44 itself refuses for connectors: BASE44_API_KEY=b44k_sandbox_development
    --- stderr
    The sandbox is at http://HOST (any app id will do; its pages show what it holds).
    Ctrl-C ends it.
    ");
}

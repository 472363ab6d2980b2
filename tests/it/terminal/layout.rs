//! How text lies on a terminal, and how errors are said.

use crate::support::{Connector, Platform, Project, Pty, reads};

/// Runs in a terminal with so many columns.
fn at_width(project: &Project, columns: u16, args: &[&str]) -> String {
    Pty::sized(project, 50, columns, args).end().1
}

#[test]
fn every_command_fits_its_terminal() {
    let platform = Platform::with(&[
        Connector::active("notion", &[]),
        Connector::active("gmail", &["https://www.googleapis.com/auth/gmail.send"]),
    ]);
    let project = Project::new()
        .at(&platform)
        .var("NO_COLOR", "1")
        // What takes longer than usual is told on a line that moves, and that is drawn over.
        .var("TERM", "dumb")
        .connector("slack", &["chat:write", "users:read", "admin"])
        .connector("gmail", &["https://www.googleapis.com/auth/gmail.readonly"]);
    let commands: [&[&str]; 10] = [
        &["plan"],
        &["plan", "--out", "a.plan"],
        &["status"],
        &["validate"],
        &["list-available"],
        &["doctor"],
        &["show", "no-such-file-of-a-plan-with-a-name.plan"],
        &["init", "--dry-run"],
        &["plan", "--no-such-option"],
        &["plan", "--help"],
    ];
    let narrow: [&[&str]; 8] = [
        &["drift"],
        &["history"],
        &["pull", "--dry-run"],
        &["authorize", "--list"],
        &["authorize", "slcak"],
        &["scopes", "slack", "users"],
        &["plan", "--format", "yaml"],
        &["whoami"],
    ];
    for columns in [40, 80, 120] {
        let more = if columns == 40 { &narrow[..] } else { &[] };
        for args in commands.iter().chain(more).copied() {
            let shown = at_width(&project, columns, args);
            assert!(!shown.trim().is_empty(), "{args:?}");
            for line in shown.lines() {
                let wide = console::measure_text_width(line.trim_end());
                let text = line
                    .trim()
                    .trim_start_matches(['+', '-', '!', '~', '`', ' ']);
                let whole = !text.contains(' ') || text.starts_with("connplan ");
                assert!(
                    wide <= usize::from(columns) || whole,
                    "{args:?} at {columns}: {wide} columns: {line}"
                );
            }
        }
    }
}

#[test]
fn an_error_begins_with_its_word_and_ends_with_its_code() {
    let project = Project::new();
    let said = |args: &[&str]| {
        let output = project.run(args);
        let lines: Vec<_> = output.expect(1).stderr.lines().map(str::to_owned).collect();
        (lines.first().cloned(), lines.last().cloned())
    };
    let (first, last) = said(&["show", "no-such.plan"]);
    assert!(first.unwrap().starts_with("error: no-such.plan"));
    assert!(last.unwrap().starts_with("  code: connplan::"));
    let (first, last) = said(&["plan", "--no-such-option"]);
    assert_eq!(
        first.unwrap(),
        "error: unexpected argument '--no-such-option' found"
    );
    assert_eq!(last.unwrap(), "  code: connplan::usage");
    let output = project.run(&["plan", "--no-such-option", "--format", "json"]);
    let error: serde_json::Value = serde_json::from_str(&output.expect(1).stdout).unwrap();
    assert_eq!(error["kind"], "error");
    assert_eq!(error["code"], "connplan::usage");
    assert_eq!(error["exit_code"], 1);
}

#[test]
fn the_demo_breaks_at_words_and_says_each_thing_once() {
    let project = Project::nowhere().var("NO_COLOR", "1");
    for columns in [40, 80] {
        let shown = at_width(&project, columns, &["demo", "--no-browser"]);
        for line in shown.lines() {
            // What a line that moves left behind was taken away.
            let line = line.rsplit("\u{1b}[2K").next().unwrap_or_default();
            let wide = console::measure_text_width(line.trim_end());
            let text = line.trim().trim_start_matches(['+', '-', '!', '~', ' ']);
            let whole = !text.contains(' ')
                || text.starts_with(['$', '"', '{'])
                || text.starts_with("connplan ");
            assert!(wide <= usize::from(columns) || whole, "{columns}: {line}");
        }
        assert_eq!(shown.matches("Claim your Stripe").count(), 1, "{shown}");
        assert_eq!(shown.matches("stripe provisioned").count(), 1, "{shown}");
        assert!(!shown.contains("sandbox provisioned"), "{shown}");
        assert!(shown.contains("Added: slack"), "{shown}");
    }
}

#[test]
fn addresses_are_masked_before_they_are_laid_out() {
    let platform = Platform::with(&[Connector::active("notion", &[])]);
    let project = Project::new()
        .at(&platform)
        .var("NO_COLOR", "1")
        .var("CI", "true")
        .var("GITHUB_ACTIONS", "true")
        .connector("notion", &[]);
    reads!(at_width(&project, 80, &["status"]), @"
    App app-1 at http://HOST

    CONNECTOR  DECLARED  REMOTE  SCOPES  PENDING  ACCOUNT
    notion     yes       active  0       -        a***@example.com
    ");
    // Narrow, an address is broken in two.
    let shown = at_width(&project, 40, &["demo", "--no-browser"]);
    let (_, end) = shown.split_once("CONNECTOR  ACCOUNT").unwrap();
    let (table, _) = end.split_once("Summary:").unwrap();
    reads!(format!("CONNECTOR  ACCOUNT{table}"), @"
    CONNECTOR  ACCOUNT        GRANTED   TOOK
    gmail      a***           2 scopes  -
               @example.com
    notion     a***           yes       -
               @example.com
    slack      a***           2 scopes  -
               @example.com
    ");
}

#[test]
fn pages_of_help_hang_and_break_no_name() {
    let project = Project::nowhere().var("NO_COLOR", "1");
    reads!(at_width(&project, 40, &["help", "environment"]));
    reads!(at_width(&project, 80, &["help", "environment"]));
    reads!(at_width(&project, 40, &["add", "-h"]));
}

#[test]
fn an_apply_that_plans_names_its_app_once() {
    let platform = Platform::start();
    let project = Project::new()
        .at(&platform)
        .connector("slack", &["chat:write"]);
    reads!(at_width(&project, 80, &["apply", "--auto-approve"]));
}

/// What has no room beside its scope on 80 columns has it on 120; the history breaks between what it tells.
#[test]
fn a_wide_terminal_is_used() {
    let platform = Platform::start();
    let project = Project::new()
        .at(&platform)
        .var("USER", "ann")
        .connector("hubspot", &["crm.objects.contacts.read", "oauth"]);
    reads!(at_width(&project, 120, &["plan"]));
    reads!(at_width(&project, 120, &["scopes", "gmail", "read"]));
    reads!(at_width(&project, 120, &["approve", "-h"]));
    project.run(&["apply", "--auto-approve"]).expect(0);
    reads!(at_width(&project, 80, &["history"]));
    reads!(at_width(&project, 120, &["history"]));
}

#[test]
fn times_are_said_as_people_say_them() {
    let platform = Platform::with(&[Connector::active("notion", &[])]);
    let project = Project::new()
        .at(&platform)
        .connector("notion", &[])
        .connector("slack", &["chat:write"])
        .connector("linear", &["read"]);
    project.run(&["apply", "--auto-approve"]).expect(0);
    for args in [
        &["drift"][..],
        &["history"],
        &["status"],
        &["authorize", "--list"],
        &["authorize", "--no-input"],
    ] {
        let output = project.run(args);
        let text = format!("{}{}", output.stdout, output.stderr);
        assert!(text.contains("just now"), "{args:?}: {text}");
        let written_out = text
            .split_whitespace()
            .any(|word| word.starts_with("20") && word.contains('T') && word.contains(':'));
        assert!(!written_out, "{args:?}: {text}");
        let json = project.run(&[args, &["--format", "json"]].concat()).stdout;
        let whole = |line: &str| line.contains("Z\"") && line.contains('T');
        assert!(json.lines().any(whole), "{args:?}: {json}");
    }
    // What stands alike is told together.
    let output = project.run(&["authorize", "--no-input"]);
    reads!(output, @"
    exit 4: connplan authorize --no-input
    Summary:
      Skipped: linear, slack

    Left to do for 2 connectors:
      linear, slack: waiting for consent, asked for just now
        -> `connplan authorize linear slack` resumes them
    --- stderr
    Acting as a workspace, by BASE44_API_KEY.
    Not interactive: no link was requested. Run `connplan authorize` in a terminal, on this machine or, with `--receipt FILE`, on another.
    ");
    // What ended by itself was asked for by nobody.
    platform.set(&Connector {
        status: "expired",
        ..Connector::active("notion", &[])
    });
    reads!(project.run(&["authorize", "--list"]), @"
    exit 4: connplan authorize --list
    App app-1 at http://HOST
      ~ linear waiting for consent, asked for just now
          asked for by plan sha256:DIGEST
      ~ notion needs a person's consent again
      ~ slack waiting for consent, asked for just now
          asked for by plan sha256:DIGEST

    Next: connplan authorize
    ");
}

//! `validate`: what the files alone show.

use crate::support::{Platform, Project, reads};

/// With these lines in `connplan.toml`.
const POLICY: &str = r#"
[policy]
protected = ["stripe"]
max_removals = 0
[policy.allowed_scopes]
slack = ["chat:write"]
[policy.denied_scopes]
"*" = ["https://mail.google.com/"]
"#;

fn project() -> Project {
    Project::new()
        .file("base44/connplan.toml", POLICY)
        .connector("gmail", &["https://mail.google.com/"])
        .connector("slack", &["chat:write", "users:read"])
        .connector("linear", &["read"])
}

#[test]
fn what_the_policy_forbids_is_an_error_on_its_line() {
    let project = project();
    reads!(project.run(&["validate"]).lacks("linear.jsonc"));
    let json = project.run(&["validate", "--format", "json"]);
    let report = json.expect(1).json();
    assert_eq!(report["valid"], false);
    let found = report["diagnostics"].as_array().unwrap();
    assert_eq!(found.len(), 2, "{found:?}");
    for (finding, file) in found.iter().zip(["gmail.jsonc", "slack.jsonc"]) {
        assert_eq!(finding["severity"], "error");
        assert_eq!(finding["code"], "connplan::config::forbidden_scope");
        assert!(finding["file"].as_str().unwrap().ends_with(file));
        assert_eq!(finding["line"], 1);
    }
}

#[test]
fn what_it_forbids_the_plan_forbids_too_and_the_rest_is_valid() {
    let platform = Platform::start();
    let project = project().at(&platform);
    reads!(project.run(&["plan"]));
    project.declare("gmail", &["https://www.googleapis.com/auth/gmail.send"]);
    project.declare("slack", &["chat:write"]);
    reads!(project.run(&["validate"]), @"
    exit 0: connplan validate
    Valid. 3 connectors in base44/connectors: gmail, linear, slack
    ");
    project.run(&["plan"]).expect(0);
}

#[test]
fn in_a_log_no_path_and_no_scope_is_broken_and_a_blank_line_parts_what_is_said() {
    let folder = "connectors-with-a-name/that-is-longer-than-any-line/of-a-terminal/and-then-some";
    let scope = format!("https://www.googleapis.com/auth/{}", "x.".repeat(22));
    let text = format!(
        "{{ \"type\": \"gmail\", \"scopes\": [\"{scope}\", \"{scope}\", \"gmail.send\"] }}"
    );
    let project = Project::new().file(&format!("{folder}/gmail.jsonc"), &text);
    let output = project.run(&["validate", "--dir", folder]);
    reads!(output);
    let said: Vec<_> = output.stderr.lines().collect();
    let heads = said.iter().enumerate();
    let heads: Vec<_> = heads
        .filter(|(_, line)| line.starts_with("warning: "))
        .collect();
    assert_eq!(heads.len(), 2, "{output}");
    assert_eq!(said[heads[1].0 - 1], "", "{output}");
    // An error that ends a run is as whole.
    let missing = format!("{folder}/no-such-file.plan");
    reads!(project.run(&["show", &missing]).tells(&missing), @"
    exit 1: connplan show connectors-with-a-name/that-is-longer-than-any-line/of-a-terminal/and-then-some/no-such-file.plan
    --- stderr
    error: connectors-with-a-name/that-is-longer-than-any-line/of-a-terminal/and-then-some/no-such-file.plan does not exist
      help: check the path; where it is relative, it starts at the current folder, or at `-C DIR`
      code: connplan::fs::not_found
    ");
}

#[test]
fn a_setting_that_cannot_be_is_told_with_those_that_can() {
    let project = Project::new().file("base44/connplan.toml", "[apply]\nparallelism = 0\n");
    reads!(project.run(&["validate"]), @"
    exit 1: connplan validate
    Not valid: 1 error and 1 warning found.
    --- stderr
    error: `apply.parallelism` is 0; it has to be a whole number from 1 to 65535
       ╭─[base44/connplan.toml:2:15]
     1 │ [apply]
     2 │ parallelism = 0
       ·               ┬
       ·               ╰── here
       ╰────
      code: connplan::config::setting

    warning: base44/connectors: the connectors folder does not exist
      help: check the branch and the folder: `connplan plan` would remove every connector of the app, and refuses that without `--allow-remove-all`; `connplan pull` writes the app's connectors to files
      code: connplan::config::no_files
    ");
}

#[test]
fn a_misspelt_scope_is_a_warning_that_names_the_right_one() {
    let project = Project::new().connector("gmail", &["gmail.send"]);
    reads!(project.run(&["validate"]), @r#"
    exit 0: connplan validate
    Valid, 1 warning. 1 connector in base44/connectors: gmail
    --- stderr
    warning: the scope `gmail.send` is unknown
       ╭─[base44/connectors/gmail.jsonc:1:12]
     1 │ {"scopes":["gmail.send"],"type":"gmail"}
       ·            ──────┬─────
       ·                  ╰── this scope
       ╰────
      help: did you mean `https://www.googleapis.com/auth/gmail.send`? Any scope is allowed, so this is only a warning
      code: connplan::config::scope_slip
    "#);
}

#[test]
fn where_nothing_is_declared_there_is_a_warning() {
    let project = Project::new().file("base44/other/notes.txt", "");
    for (arguments, what) in [
        (&["validate"][..], "does not exist"),
        (
            &["validate", "--dir", "base44/other"],
            "holds no connector file",
        ),
    ] {
        project
            .run(arguments)
            .expect(0)
            .tells(what)
            .tells("--allow-remove-all")
            .says("1 warning");
        let json = project.run(&[arguments, &["--format", "json"]].concat());
        let report = json.expect(0).json();
        assert_eq!(report["valid"], true);
        let found = &report["diagnostics"][0];
        assert_eq!(found["code"], "connplan::config::no_files");
        assert_eq!(found["severity"], "warning");
    }
    // What cannot be counted as empty is not called so.
    let broken = Project::new().file("base44/connectors/a.jsonc", "{");
    broken
        .run(&["validate"])
        .expect(1)
        .lacks("no connector file");
}

#[test]
fn settings_that_can_never_work_are_errors_on_their_lines() {
    for (settings, line, said) in [
        ("[store]\nurl = \"ftp://x\"", 2, "`ftp://x` is not a store"),
        ("[store]\nurl = \"git:\"", 2, "`git:` is not a store"),
        ("[store]\nurl = \"s3://\"", 2, "`s3://` is not a store"),
        ("[store]\nurl = \"git:https://x\"", 2, "is not a store"),
        ("[store]\nurl = \"\"", 2, "`` is not a store"),
        ("[store]\nkeep = \"soon\"", 2, "a time is written like"),
        (
            "[approval]\ncount = 1\nrequire = \"signature\"",
            3,
            "no `signers`",
        ),
        (
            "[policy]\nmax_removals = \"110%\"",
            2,
            "from \"0%\" to \"100%\"",
        ),
        (
            "[policy.rules.max_removal]\nlevel = \"warn\"",
            1,
            "did you mean `max_removals`?",
        ),
        (
            "[policy.rules.foo]\nlevel = \"warn\"",
            1,
            "known are `protected`",
        ),
    ] {
        let project = Project::new().file("base44/connplan.toml", &format!("{settings}\n"));
        let found = project
            .run(&["validate", "--format", "json"])
            .expect(1)
            .json();
        let found = found["diagnostics"].as_array().unwrap();
        let found = found.iter().find(|d| d["severity"] == "error").unwrap();
        assert_eq!(found["file"], "base44/connplan.toml", "{found}");
        assert_eq!(found["line"], line, "{found}");
        let told = found["message"].as_str().unwrap();
        assert!(told.contains(said), "{told}");
    }
}

/// Without a word it would mean to work without the team's lease.
#[test]
fn an_empty_store_is_not_taken_for_none() {
    let platform = Platform::start();
    let project = Project::new()
        .at(&platform)
        .connector("slack", &["chat:write"])
        .file("base44/connplan.toml", "[store]\nurl = \"\"\n");
    reads!(project.run(&["apply", "--auto-approve"]), @r#"
    exit 1: connplan apply --auto-approve
    --- stderr
    error: `url` in [store] of connplan.toml: `` is not a store: it is `git:REMOTE`, `s3://BUCKET/PREFIX`, `gs://BUCKET/PREFIX` or `az://CONTAINER/PREFIX`
       ╭─[base44/connplan.toml:2:7]
     1 │ [store]
     2 │ url = ""
       ·       ─┬
       ·        ╰── here
       ╰────
      code: connplan::config::setting
    error: base44/connplan.toml has 1 error; nothing was planned
      help: fix them; `connplan validate` checks without network and login
      code: connplan::config::invalid
    "#);
    assert_eq!(platform.writes(), [] as [&str; 0]);
}

/// To a plan it would be a project without connectors.
#[test]
fn a_folder_that_is_not_there_declares_nothing_to_no_command() {
    let platform = Platform::start();
    let project = Project::new().at(&platform).connector("slack", &[]);
    for args in [
        &["validate"][..],
        &["plan", "--keep-unlisted"],
        &["plan", "--allow-remove-all"],
        &["apply", "--auto-approve"],
        &["push", "--yes"],
        &["status"],
        &["drift"],
    ] {
        let args = [args, &["--dir", "nope"]].concat();
        project
            .run(&args)
            .expect(1)
            .tells("--dir nope: no such directory");
    }
    assert!(platform.writes().is_empty());
    // Here it is made.
    project.run(&["add", "gmail", "--dir", "more"]).expect(0);
}

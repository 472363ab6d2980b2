//! `connplan doctor`, and what `-v`, help, completions and manual pages show.

use serde_json::Value;

use crate::support::{Platform, Project, reads};

fn check<'a>(report: &'a Value, name: &str) -> &'a Value {
    let checks = report["checks"].as_array().unwrap();
    let found = checks.iter().find(|check| check["name"] == name);
    found.unwrap_or_else(|| panic!("no {name} in {report}"))
}

#[test]
fn a_project_that_works_has_no_fault() {
    let platform = Platform::start();
    let project = Project::new().at(&platform);
    project.write("base44/connectors/notion.jsonc", "{ type: 'notion' }");
    let run = project.run(&["doctor", "--format", "json"]);
    run.expect(0);
    let report = run.json();
    assert_eq!(report["ok"], true);
    for name in [
        "project", "settings", "app", "files", "pending", "address", "clock", "login", "access",
    ] {
        assert_eq!(check(&report, name)["status"], "ok", "{report}");
    }
    let address = check(&report, "address")["message"].as_str().unwrap();
    assert!(address.contains("(request "), "{address}");
    assert!(!run.stdout.contains("b44k_"), "{}", run.stdout);
}

#[test]
fn every_fault_is_told_with_the_way_out() {
    // A port that nothing listens on: it was ours until just now.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", free.local_addr().unwrap());
    drop(free);
    let project = Project::new()
        .var("BASE44_API_URL", &address)
        .file("base44/connectors/a.jsonc", "{ type: 5 }");
    reads!(project.run(&["doctor"]), @"
    exit 1: connplan doctor
    ok    version   connplan VERSION
    ok    project   Test, in FOLDER/project
    ok    settings  no connplan.toml: the defaults
    ok    app       app-1 at http://HOST
    FAIL  files     base44/connectors/a.jsonc:1: `type` is a number, not a string
                    -> `connplan validate` shows it all, with the lines
    ok    policy    no rules are set ([policy] in connplan.toml sets them)
    ok    approval  plans need no approval ([approval] in connplan.toml requires one)
    ok    store     this machine's own: [store] in connplan.toml names one for a team
    ok    folder    FOLDER/state/apps/APP
    ok    pending   no authorization waits
    FAIL  address   reaching the platform failed (request ID): HOST could not be reached, it refused the connection
                    -> check the network, the proxy variables (HTTPS_PROXY, NO_PROXY) and BASE44_API_URL
    FAIL  login     no credentials were found
                    -> log in with `connplan login`, or set BASE44_ACCESS_TOKEN (a personal access token, `b44u_…`); Base44 refuses a workspace's BASE44_API_KEY for connectors
    ok    browser   opened by xdg-open
    ok    terminal  asks nothing (standard input or standard error is not a terminal)

    3 problems to fix.
    ");
    let nowhere = Project::nowhere().var("BASE44_API_URL", &address);
    reads!(nowhere.run(&["doctor"]), @"
    exit 1: connplan doctor
    ok    version   connplan VERSION
    FAIL  project   no Base44 project here: neither FOLDER/project nor a folder above it holds base44/config.jsonc or config.jsonc (or .json)
                    -> go to the project, or name its folder with `-C DIR`; `npx base44 create` makes a project, and `connplan demo` shows all of it without one. To do without a project, name the app with `--app-id ID` or BASE44_APP_ID: connector files then come from ./connectors, or from `--dir DIR`
    FAIL  address   reaching the platform failed (request ID): HOST could not be reached, it refused the connection
                    -> check the network, the proxy variables (HTTPS_PROXY, NO_PROXY) and BASE44_API_URL
    FAIL  login     no credentials were found
                    -> log in with `connplan login`, or set BASE44_ACCESS_TOKEN (a personal access token, `b44u_…`); Base44 refuses a workspace's BASE44_API_KEY for connectors
    ok    browser   opened by xdg-open
    ok    terminal  asks nothing (standard input or standard error is not a terminal)

    3 problems to fix.
    ");
}

#[test]
fn a_project_that_cannot_be_written_is_a_fault() {
    let platform = Platform::start();
    let project = Project::new().at(&platform);
    project.write("base44/connectors/notion.jsonc", "{ type: 'notion' }");
    let before = project.list(".");
    project.run(&["doctor"]).expect(0);
    assert_eq!(project.list("."), before, "nothing stays of the trial");
    // No folder can be made there, whoever runs this.
    let folder = project.state("");
    std::fs::create_dir_all(folder.parent().unwrap()).unwrap();
    std::fs::File::create(folder.to_str().unwrap().trim_end_matches('/')).unwrap();
    reads!(project.run(&["doctor"]), @"
    exit 1: connplan doctor
    ok    version   connplan VERSION
    ok    project   Test, in FOLDER/project
    ok    settings  no connplan.toml: the defaults
    ok    app       app-1 at http://HOST
    ok    files     1 in base44/connectors, without problems
    ok    policy    no rules are set ([policy] in connplan.toml sets them)
    ok    approval  plans need no approval ([approval] in connplan.toml requires one)
    ok    store     this machine's own: [store] in connplan.toml names one for a team
    FAIL  folder    could not write FOLDER/state/apps/APP/pending.toml: Not a directory (os error 20)
                    -> a part of this path is a file, not a folder; check the path
    warn  private   others can read FOLDER/state/apps/APP
                    -> `connplan authorize --list` makes it private
    ok    pending   no authorization waits
    ok    address   http://HOST answers in SOME ms (request ID)
    ok    clock     agrees with the platform's (SOME s)
    ok    login     a workspace key, from BASE44_API_KEY
    ok    access    app app-1 has 0 OAuth connectors
    ok    browser   opened by xdg-open
    ok    terminal  asks nothing (standard input or standard error is not a terminal)

    1 problem to fix.
    ");
}

#[cfg(unix)]
#[test]
fn what_others_can_read_is_told_and_not_changed() {
    use std::os::unix::fs::PermissionsExt;
    let platform = Platform::start();
    let project = Project::new().at(&platform);
    let folder = project.state("");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::File::create(project.state("pending.toml")).unwrap();
    let file = project.state("pending.toml");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    reads!(project.run(&["doctor"]), @"
    exit 1: connplan doctor
    ok    version   connplan VERSION
    ok    project   Test, in FOLDER/project
    ok    settings  no connplan.toml: the defaults
    ok    app       app-1 at http://HOST
    warn  files     there is no folder base44/connectors
                    -> `connplan pull` writes the app's connectors to files, `connplan add` makes one
    ok    policy    no rules are set ([policy] in connplan.toml sets them)
    ok    approval  plans need no approval ([approval] in connplan.toml requires one)
    ok    store     this machine's own: [store] in connplan.toml names one for a team
    ok    folder    FOLDER/state/apps/APP
    warn  private   others can read FOLDER/state/apps/APP
                    -> `connplan authorize --list` makes it private
    warn  private   others can read FOLDER/state/apps/APP/pending.toml
                    -> `connplan authorize --list` makes it private
    FAIL  pending   FOLDER/state/apps/APP/pending.toml cannot be read: line 1 is not as connplan writes it
                    -> it holds what waits for a person. Move it aside and run `connplan authorize --receipt FILE` with the receipt of the last apply, or plan and apply again: asking twice does no harm
    ok    address   http://HOST answers in SOME ms (request ID)
    ok    clock     agrees with the platform's (SOME s)
    ok    login     a workspace key, from BASE44_API_KEY
    ok    access    app app-1 has 0 OAuth connectors
    ok    browser   opened by xdg-open
    ok    terminal  asks nothing (standard input or standard error is not a terminal)

    1 problem to fix.
    ");
    let mode = std::fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o644, "a check-up mends nothing");
}

#[test]
fn requests_are_logged_without_secrets() {
    let platform = Platform::start();
    let project = Project::new().at(&platform);
    let trace = [("CONNPLAN_LOG", "trace")];
    reads!([
        project.run(&["-v", "status"]),
        project.run(&["-vv", "status"]),
        project.run_vars(&trace, &["status"]),
    ], @r#"
    exit 0: connplan -v status
    App app-1 at http://HOST

    No connectors: none declared, none in the app.
    --- stderr
    DEBUG request method=GET path="/api/apps/app-1/external-auth/connector-governance" status=200 ms=SOME request_id="ID"
    DEBUG request method=GET path="/api/apps/app-1/external-auth/list" status=200 ms=SOME request_id="ID"
    DEBUG request method=GET path="/api/apps/app-1/payments/stripe/status" status=200 ms=SOME request_id="ID"

    exit 0: connplan -vv status
    App app-1 at http://HOST

    No connectors: none declared, none in the app.
    --- stderr
    DEBUG request method=GET path="/api/apps/app-1/external-auth/connector-governance" status=200 ms=SOME request_id="ID"
    DEBUG request method=GET path="/api/apps/app-1/external-auth/list" status=200 ms=SOME request_id="ID"
    DEBUG request method=GET path="/api/apps/app-1/payments/stripe/status" status=200 ms=SOME request_id="ID"

    exit 0: connplan status
    App app-1 at http://HOST

    No connectors: none declared, none in the app.
    --- stderr
    DEBUG request method=GET path="/api/apps/app-1/external-auth/connector-governance" status=200 ms=SOME request_id="ID"
    DEBUG request method=GET path="/api/apps/app-1/external-auth/list" status=200 ms=SOME request_id="ID"
    DEBUG request method=GET path="/api/apps/app-1/payments/stripe/status" status=200 ms=SOME request_id="ID"
    "#);
}

#[test]
#[ignore = "a second of CPU time, or more: run by .ci/run"]
fn help_fits_a_screen_and_has_an_example() {
    let project = Project::new();
    let top = project.run(&["-h"]);
    top.expect(0);
    let commands = top.stdout.split("Commands:\n").nth(1).unwrap();
    let commands = commands.split("\n\n").next().unwrap().lines();
    let names: Vec<_> = commands
        .filter_map(|line| line.strip_prefix("  ")?.split(' ').next())
        .filter(|name| !name.is_empty() && *name != "help")
        .collect();
    assert!(names.len() > 18, "{names:?}");
    for name in names {
        let help = project.run(&[name, "-h"]);
        help.expect(0);
        assert!(help.stdout.lines().count() <= 32, "{}", help.stdout);
        assert!(
            help.stdout.contains("Example") || name == "demo",
            "{}",
            help.stdout
        );
        assert!(
            help.stdout.lines().all(|line| line.chars().count() <= 100),
            "{}",
            help.stdout
        );
        let long = project.run(&[name, "--help"]);
        long.expect(0);
        assert!(long.stdout.contains("--no-input"), "{}", long.stdout);
    }
    reads!(project.run(&["statsu"]), @"
    exit 1: connplan statsu
    --- stderr
    error: unrecognized subcommand 'statsu'

      tip: a similar subcommand exists: 'status'

    Usage: connplan [OPTIONS] <COMMAND>

    For more information, try '--help'.
      code: connplan::usage
    ");
}

#[test]
fn completions_know_types_and_files() {
    let project = Project::new();
    for shell in ["bash", "zsh", "fish", "powershell"] {
        let script = project.run(&["completions", shell]);
        script.expect(0);
        assert!(script.stderr.is_empty(), "{}", script.stderr);
        for word in ["googlecalendar", "list-available", "detailed-exitcode"] {
            assert!(script.stdout.contains(word), "{shell}: no {word}");
        }
    }
    // What is offered is not all that is taken.
    project.write("base44/connectors/my_own.jsonc", "{ type: 'my_own' }");
    project.run(&["validate"]).expect(0);
}

#[test]
fn there_is_a_manual_page_for_each_command() {
    let project = Project::new();
    project.run(&["man", "pages"]).expect(0);
    let pages = project.list("pages");
    for page in ["connplan.1", "connplan-plan.1", "connplan-list-available.1"] {
        assert!(pages.iter().any(|name| name == page), "{pages:?}");
    }
    let plan = project.read("pages/connplan-plan.1");
    assert!(plan.contains("detailed\\-exitcode"), "{plan}");
    let main = project.run(&["man"]);
    main.expect(0);
    assert!(main.stdout.contains(".TH connplan 1"), "{}", main.stdout);
}

#[test]
fn a_snapshot_names_nobody_unless_asked() {
    let platform = Platform::seeded(serde_json::json!({ "apps": { "app-1": { "connectors": {
        "slackbot": { "scopes": ["chat:write"], "account": "ada@example.com" },
    }}}}));
    let project = Project::new().at(&platform);
    let quiet = project.run(&["remote-state"]);
    quiet.expect(0);
    assert!(!quiet.stdout.contains("ada@"), "{}", quiet.stdout);
    let whole = project.run(&["remote-state", "--show-accounts"]);
    whole.expect(0);
    assert!(whole.stdout.contains("ada@example.com"), "{}", whole.stdout);
    project.write("state.json", &quiet.stdout);
    let args = ["plan", "--remote-state", "state.json", "--allow-remove-all"];
    reads!(project.run(&args), @"
    exit 0: connplan plan --remote-state state.json --allow-remove-all
    ! SPECULATIVE: made from a snapshot, not from the live app. `connplan apply` refuses it.

    App app-1 at http://HOST

    Symbols:  - remove  ! look here

      - slackbot              no file declares it
          - chat:write  post messages (as the bot or as the user) · write
          ! its tokens are lost for good

    A removal deletes the tokens and the connector's file in the app's own code too. What was granted at the provider stays until somebody revokes it there (slack.com/apps/manage).

    Plan: 0 to add, 0 to change, 1 to remove, 0 to authorize.

    ! SPECULATIVE: made from a snapshot, not from the live app. `connplan apply` refuses it.
    ");
}

//! `connplan doctor`, and what `-v`, help, completions and manual pages show.

use serde_json::Value;

use crate::{files::project::Project, sandbox::client::Site, support::alike};

fn check<'a>(report: &'a Value, name: &str) -> &'a Value {
    let checks = report["checks"].as_array().unwrap();
    let found = checks.iter().find(|check| check["name"] == name);
    found.unwrap_or_else(|| panic!("no {name} in {report}"))
}

#[tokio::test]
async fn a_project_that_works_has_no_fault() {
    let site = Site::new().await;
    let project = Project::at(&site);
    project.write("base44/connectors/notion.jsonc", "{ type: 'notion' }");
    let run = project.run(&["doctor", "--format", "json"]).await.ended(0);
    let report = run.json();
    assert_eq!(report["ok"], true);
    for name in [
        "project", "settings", "app", "files", "pending", "address", "clock", "login", "access",
    ] {
        assert_eq!(check(&report, name)["status"], "ok", "{report}");
    }
    let address = check(&report, "address")["message"].as_str().unwrap();
    assert!(address.contains("(request "), "{address}");
    assert!(!run.out.contains("b44k_"), "{}", run.out);
}

#[tokio::test]
async fn every_fault_is_told_with_the_way_out() {
    let mut project = Project::bare();
    // A port that nothing listens on: it was ours until just now.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", free.local_addr().unwrap());
    drop(free);
    project.env = vec![("BASE44_API_URL".to_owned(), address)];
    project.write("base44/connectors/a.jsonc", "{ type: 5 }");
    let run = project.run(&["doctor"]).await.ended(1);
    // Whether there is a browser is the machine's to say.
    let lines = run.out.lines().filter(|line| !line.contains("browser"));
    insta::assert_snapshot!(alike(&lines.collect::<Vec<_>>().join("\n")), @"
    ok    version   connplan VERSION
    ok    project   Corner Shop, in FOLDER
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
    ok    terminal  asks nothing (standard input or standard error is not a terminal)

    3 problems to fix.
    ");
    let nowhere = Project::bare();
    std::fs::remove_dir_all(nowhere.path("base44")).unwrap();
    let run = nowhere.run(&["doctor"]).await.ended(1);
    run.says(&["FAIL project", "FAIL login"]);
}

#[tokio::test]
async fn a_project_that_cannot_be_written_is_a_fault() {
    let site = Site::new().await;
    let project = Project::at(&site);
    project.write("base44/connectors/notion.jsonc", "{ type: 'notion' }");
    let before = project.list(".");
    project.run(&["doctor"]).await.ended(0);
    assert_eq!(project.list("."), before, "nothing stays of the trial");
    // No folder can be made there, whoever runs this.
    let folder = project.state("");
    std::fs::create_dir_all(folder.parent().unwrap()).unwrap();
    std::fs::File::create(folder.to_str().unwrap().trim_end_matches('/')).unwrap();
    let run = project.run(&["doctor"]).await.ended(1);
    run.says(&["FAIL folder", "a part of this path is a file"]);
}

#[cfg(unix)]
#[tokio::test]
async fn what_others_can_read_is_told_and_not_changed() {
    use std::os::unix::fs::PermissionsExt;
    let site = Site::new().await;
    let project = Project::at(&site);
    let folder = project.state("");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::File::create(project.state("pending.toml")).unwrap();
    let file = project.state("pending.toml");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    let run = project.run(&["doctor"]).await;
    let run = run.says(&["warn private", "pending.toml"]);
    assert!(run.err.is_empty(), "{}", run.err);
    let mode = std::fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o644, "a check-up mends nothing");
}

#[tokio::test]
async fn requests_are_logged_without_secrets() {
    let site = Site::new().await;
    let mut project = Project::at(&site);
    for args in [vec!["-v", "status"], vec!["-vv", "status"]] {
        let run = project.run(&args).await.ended(0);
        assert!(!run.err.contains("b44k_"), "{}", run.err);
        for word in [
            "GET",
            "/api/apps/app-1/external-auth/list",
            "status=200",
            "ms=",
            "request_id=",
        ] {
            assert!(run.err.contains(word), "no {word} in {}", run.err);
        }
        assert!(!run.err.contains("hyper"), "only our own: {}", run.err);
    }
    project
        .env
        .push(("CONNPLAN_LOG".to_owned(), "trace".to_owned()));
    let run = project.run(&["status"]).await.ended(0);
    assert!(run.err.contains("request_id="), "{}", run.err);
    assert!(!run.err.contains("b44k_"), "{}", run.err);
    assert!(!run.err.contains("hyper"), "only our own: {}", run.err);
}

#[tokio::test]
#[ignore = "a second of CPU time, or more: run by .ci/run"]
async fn help_fits_a_screen_and_has_an_example() {
    let project = Project::bare();
    let top = project.run(&["-h"]).await.ended(0);
    let commands = top.out.split("Commands:\n").nth(1).unwrap();
    let commands = commands.split("\n\n").next().unwrap().lines();
    let names: Vec<_> = commands
        .filter_map(|line| line.strip_prefix("  ")?.split(' ').next())
        .filter(|name| !name.is_empty() && *name != "help")
        .collect();
    assert!(names.len() > 18, "{names:?}");
    for name in names {
        let help = project.run(&[name, "-h"]).await.ended(0);
        assert!(help.out.lines().count() <= 32, "{}", help.out);
        assert!(
            help.out.contains("Example") || name == "demo",
            "{}",
            help.out
        );
        assert!(
            help.out.lines().all(|line| line.chars().count() <= 100),
            "{}",
            help.out
        );
        let long = project.run(&[name, "--help"]).await.ended(0);
        assert!(long.out.contains("--no-input"), "{}", long.out);
    }
    let slip = project.run(&["statsu"]).await.ended(1);
    insta::assert_snapshot!(slip.err, @"
    error: unrecognized subcommand 'statsu'

      tip: a similar subcommand exists: 'status'

    Usage: connplan [OPTIONS] <COMMAND>

    For more information, try '--help'.
      code: connplan::usage
    ");
}

#[tokio::test]
async fn completions_know_types_and_files() {
    let project = Project::bare();
    for shell in ["bash", "zsh", "fish", "powershell"] {
        let script = project.run(&["completions", shell]).await.ended(0);
        assert!(script.err.is_empty(), "{}", script.err);
        for word in ["googlecalendar", "list-available", "detailed-exitcode"] {
            assert!(script.out.contains(word), "{shell}: no {word}");
        }
    }
    // What is offered is not all that is taken.
    project.write("base44/connectors/my_own.jsonc", "{ type: 'my_own' }");
    project.run(&["validate"]).await.ended(0);
}

#[tokio::test]
async fn there_is_a_manual_page_for_each_command() {
    let project = Project::bare();
    project.run(&["man", "pages"]).await.ended(0);
    let pages = project.list("pages");
    for page in ["connplan.1", "connplan-plan.1", "connplan-list-available.1"] {
        assert!(pages.iter().any(|name| name == page), "{pages:?}");
    }
    let plan = project.read("pages/connplan-plan.1");
    assert!(plan.contains("detailed\\-exitcode"), "{plan}");
    let main = project.run(&["man"]).await.ended(0);
    assert!(main.out.contains(".TH connplan 1"), "{}", main.out);
}

#[tokio::test]
async fn a_snapshot_names_nobody_unless_asked() {
    let site = Site::seeded(serde_json::json!({ "apps": { "app-1": { "connectors": {
        "slackbot": { "scopes": ["chat:write"], "account": "ada@example.com" },
    }}}}))
    .await;
    let project = Project::at(&site);
    let quiet = project.run(&["remote-state"]).await.ended(0);
    assert!(!quiet.out.contains("ada@"), "{}", quiet.out);
    let whole = project
        .run(&["remote-state", "--show-accounts"])
        .await
        .ended(0);
    assert!(whole.out.contains("ada@example.com"), "{}", whole.out);
    project.write("state.json", &quiet.out);
    let plan = project
        .run(&["plan", "--remote-state", "state.json", "--allow-remove-all"])
        .await;
    plan.ended(0).says(&["SPECULATIVE", "slackbot"]);
}

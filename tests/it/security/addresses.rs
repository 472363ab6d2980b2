//! Credentials go only where their owner wants them: two servers, of which one is the attacker's.

use std::fs;

use serde_json::{Value, json};

use crate::{
    support::scripted::Scripted,
    support::{Connector, Output, Platform, Project, Pty, reads},
};

/// Every command that talks to the platform.
const ONLINE: [&[&str]; 12] = [
    &["plan", "--detailed-exitcode"],
    &["status"],
    &["list-available"],
    &["remote-state"],
    &["whoami"],
    &["doctor"],
    &["login", "--no-browser"],
    &["pull", "--dry-run"],
    &["apply", "--auto-approve"],
    &["authorize", "--yes", "--no-browser", "--timeout", "1s"],
    &["authorize", "--list"],
    &["push", "--yes", "--no-browser"],
];

/// What a project file may try, with the place that is to be named. `{}` is the address.
const LURES: [(&str, &str, &[&str], &str); 4] = [
    (".env", "A=1\nBASE44_API_URL={}\n", &[], ".env, line 2"),
    (
        ".env.local",
        "BASE44_PROJECTS_BASE44_API_URL={}\n",
        &[],
        ".env.local, line 1",
    ),
    (
        "base44/connplan.toml",
        "[environments.x]\napp_id = \"app-1\"\napi_url = \"{}\"\n",
        &["--env", "x"],
        "base44/connplan.toml, line 3",
    ),
    (
        "connplan.toml",
        "[environments.x]\napi_url = \"{}\"\n",
        &["--env", "x"],
        "connplan.toml, line 2",
    ),
];

fn login() -> Value {
    json!({"accessToken": "canary-access", "refreshToken": "canary-refresh",
        "expiresAt": 9_999_999_999_999_u64, "email": "ada@example.com", "name": "Ada"})
}

#[derive(Clone, Copy, Debug)]
enum Who {
    Login,
    Key,
    Token,
    Pair,
    Personal,
}

fn project(who: Who) -> Project {
    let project = Project::new().connector("box", &["a"]);
    match who {
        Who::Login => {
            project.write("../home/.base44/auth/auth.json", &login().to_string());
            project
        }
        Who::Key => project.var("BASE44_API_KEY", "b44k_canary"),
        Who::Token => project.var("BASE44_ACCESS_TOKEN", "canary"),
        Who::Personal => project.var("BASE44_API_KEY", "b44u_canary"),
        Who::Pair => project
            .var("BASE44_ACCESS_TOKEN", "canary")
            .var("BASE44_REFRESH_TOKEN", "canary-refresh"),
    }
}

/// Notes whatever comes, and answers with errors.
fn attacker() -> Scripted {
    Scripted::start()
}

#[test]
fn a_project_file_never_redirects_the_users_credentials() {
    let attacker = attacker();
    let all = [Who::Login, Who::Key, Who::Token, Who::Pair, Who::Personal];
    for (number, who) in all.into_iter().enumerate() {
        for (turn, (file, text, args, place)) in LURES.into_iter().enumerate() {
            let project = project(who).file(file, &text.replace("{}", &attacker.url()));
            // Each command meets each credential and each lure, not every pair of them.
            let mine = ONLINE
                .iter()
                .skip((number + turn) % LURES.len())
                .step_by(LURES.len());
            for command in mine {
                let run = project.run(&[command, args].concat());
                refused(&run, place, &attacker.url());
            }
        }
    }
    assert_eq!(attacker.log(), [] as [&str; 0]);
}

#[track_caller]
fn refused(run: &Output, place: &str, url: &str) {
    run.expect(1);
    let text = format!("{}{}", run.stdout, run.stderr);
    let flat: Vec<_> = text
        .split(|c: char| c.is_whitespace() || c == '│')
        .filter(|word| !word.is_empty())
        .collect();
    let flat = flat.join(" ");
    assert!(flat.contains(place), "{run}");
    assert!(flat.contains(&format!("connplan trust {url}")), "{run}");
}

#[test]
fn an_environment_does_not_override_the_address_of_the_process() {
    let (platform, attacker) = (Platform::start(), attacker());
    let toml = format!("[environments.x]\napi_url = \"{}\"\n", attacker.url());
    let project = Project::new()
        .at(&platform)
        .connector("box", &["a"])
        .file("base44/connplan.toml", &toml);
    project.run(&["plan"]).expect(0);
    project.run(&["plan", "--env", "x"]).expect(0);
    assert_eq!(attacker.log(), [] as [&str; 0]);
    // Trusted or not: what the process says goes first.
    project.run(&["trust", &attacker.url()]).expect(0);
    project.run(&["plan", "--env", "x"]).expect(0);
    assert_eq!(attacker.log(), [] as [&str; 0]);
    // The same address, said by both, is the user's word.
    let toml = format!("[environments.x]\napi_url = \"{}\"\n", platform.url());
    project.write("base44/connplan.toml", &toml);
    project.run(&["plan", "--env", "x"]).expect(0);
}

#[test]
fn an_address_that_the_user_trusts_is_used() {
    let platform = Platform::start();
    let env = format!("BASE44_API_URL={}/\n", platform.url());
    let project = Project::new()
        .var("BASE44_API_KEY", platform.key())
        .connector("box", &["a"])
        .file(".env", &env);
    project.run(&["plan"]).expect(1);
    reads!(project.run(&["trust", "--list"]), @"
    exit 0: connplan trust --list
    No address is trusted.
    ");
    project
        .run(&["trust", &format!("{}/path", platform.url())])
        .expect(1);
    project.run(&["trust", platform.url()]).expect(0);
    project.run(&["plan"]).expect(0);
    let output = project.run(&["trust", "--list"]);
    reads!(output.says(&format!("{}  trusted just now", platform.url())), @"
    exit 0: connplan trust --list
    http://HOST  trusted just now
    ");
    let list = project.run(&["trust", "--list", "--format", "json"]);
    assert_eq!(list.json()["addresses"][0]["url"], platform.url());
    project
        .run(&["trust", "--remove", platform.url()])
        .expect(0);
    project.run(&["plan"]).expect(1);
    project.run(&["trust"]).expect(1);
}

#[test]
fn in_a_terminal_it_is_asked_once() {
    let platform = Platform::start();
    let project = Project::new()
        .var("BASE44_API_KEY", platform.key())
        .connector("box", &["a"])
        .file(".env", &format!("BASE44_API_URL={}\n", platform.url()));
    let mut pty = Pty::start(&project, &["plan"]);
    pty.wait_for(".env, line 1, names")
        .wait_for("Only 'yes'")
        .line("y");
    assert_eq!(pty.end().0, 1);
    let mut pty = Pty::start(&project, &["plan"]);
    pty.wait_for("Only 'yes'").line("yes").wait_for("1 to add");
    assert_eq!(pty.end().0, 0);
    project.run(&["plan"]).expect(0);
}

#[test]
fn a_login_goes_where_it_was_made_for() {
    let server = attacker();
    let project = Project::new()
        .connector("box", &["a"])
        .file(".env", &format!("BASE44_API_URL={}\n", server.url()));
    let mut made = login();
    made["apiUrl"] = json!(server.url());
    project.write("../home/.base44/auth/auth.json", &made.to_string());
    project.run(&["plan"]).expect(1);
    assert!(!server.log().is_empty());
}

/// It is nobody's login anywhere else, unless the process names the other address or the user trusts it.
#[test]
fn a_login_goes_nowhere_else_by_itself() {
    let (server, at_hand) = (attacker(), Platform::start());
    let mut made = login();
    made["apiUrl"] = json!("https://base44.example.com");
    let project = Project::new().connector("box", &["a"]);
    project.write("../home/.base44/auth/auth.json", &made.to_string());
    // Nobody names an address: the built-in one is not where the login was made.
    reads!(project.run(&["whoami"]), @"
    exit 1: connplan whoami
    --- stderr
    warning: others could read the login in FOLDER/home/.base44/auth/auth.json; it is private now
    error: you are logged in at https://base44.example.com, not at https://app.base44.com; the login was not sent
      help: run `connplan login` to log in at https://app.base44.com, or set BASE44_API_URL=https://base44.example.com to use the login that you have
      code: connplan::auth::logged_in_elsewhere
    ");
    reads!(project.run(&["plan"]), @"
    exit 1: connplan plan
    --- stderr
    error: you are logged in at https://base44.example.com, not at https://app.base44.com; the login was not sent
      help: run `connplan login` to log in at https://app.base44.com, or set BASE44_API_URL=https://base44.example.com to use the login that you have
      code: connplan::auth::logged_in_elsewhere
    ");
    let text = format!("BASE44_API_URL={}\n", server.url());
    let project = project.file(".env", &text);
    reads!(project.run(&["plan"]), @"
    exit 1: connplan plan
    --- stderr
    error: .env, line 1, names another address: you are logged in at https://base44.example.com, not at http://HOST; the login was not sent
      help: run `connplan login` to log in at http://HOST, or set BASE44_API_URL=https://base44.example.com to use the login that you have
      code: connplan::auth::logged_in_elsewhere
    ");
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
    ok    folder    FOLDER/state/apps/APP
    ok    pending   no authorization waits
    FAIL  address   .env, line 1, names another address: you are logged in at https://base44.example.com, not at http://HOST; the login was not sent
                    -> run `connplan login` to log in at http://HOST, or set BASE44_API_URL=https://base44.example.com to use the login that you have
    ok    browser   opened by xdg-open
    ok    terminal  asks nothing (standard input or standard error is not a terminal)

    1 problem to fix.
    ");
    // Who logs in there, or looks whether it answers, sends no login.
    let sends = |command: &&&[&str]| !matches!(command[0], "login" | "doctor");
    for command in ONLINE.iter().filter(sends) {
        project.run(command).expect(1);
    }
    assert_eq!(server.log(), [] as [&str; 0]);
    project.run(&["trust", &server.url()]).expect(0);
    project.run(&["plan"]);
    assert!(!server.log().is_empty());
    let project = project.at(&at_hand).var("BASE44_API_KEY", "");
    // It goes there; this platform knows of no such login.
    reads!(project.run(&["plan"]), @"
    exit 1: connplan plan
    --- stderr
    error: the login has ended: the server does not renew it
      help: log in again with `connplan login`
      code: connplan::auth::login_ended
    ");
}

#[test]
fn a_project_may_bring_its_own_credential_for_its_own_address() {
    let platform = Platform::with(&[Connector::active("box", &["a"])]);
    let env = format!(
        "BASE44_API_URL={}\nBASE44_API_KEY={}\n",
        platform.url(),
        platform.key()
    );
    let project = Project::new().connector("box", &["a"]).file(".env", &env);
    project.run(&["plan"]).expect(0).lacks("instead of");
    project.write("../home/.base44/auth/auth.json", &login().to_string());
    // Who acts is said, and that it is not the user.
    reads!(project.run(&["apply", "--auto-approve"]), @"
    exit 0: connplan apply --auto-approve
    App app-1 at http://HOST

    No changes. The app matches the connector files.
    App app-1 at http://HOST

    Nothing to apply, 1 connector: 1 unchanged.
    --- stderr
    Acting as a workspace, by BASE44_API_KEY in .env, line 2.
    warning: BASE44_API_KEY in .env, line 2 is used instead of the login in ~/.base44/auth/auth.json: this run acts as whoever wrote that file, and what it connects belongs to them
    ");
    reads!(project.run(&["whoami"]), @"
    exit 0: connplan whoami
    A workspace at http://HOST
    a workspace key, from BASE44_API_KEY in .env, line 2; Base44 takes such keys for deploying and refuses them for connectors, where a personal access token (`b44u_…`) or `connplan login` works
    --- stderr
    warning: BASE44_API_KEY in .env, line 2 is used instead of the login in FOLDER/home/.base44/auth/auth.json
    ");
}

/// What a proposal brings does not divert a pipeline that has a credential of its own.
#[test]
fn where_the_process_has_a_credential_a_file_decides_neither_who_acts_nor_where() {
    let (platform, other) = (Platform::start(), attacker());
    let token = || Project::new().var("BASE44_ACCESS_TOKEN", "b44u_canary-token");
    let lure = format!(
        "BASE44_API_URL={}\nBASE44_API_KEY=b44k_mallory\n",
        other.url()
    );
    for ci in ["", "true"] {
        for command in ONLINE.into_iter().filter(|command| command[0] != "login") {
            let project = token().var("CI", ci).connector("slack", &["a"]);
            project.write(".env", &lure);
            let run = project.run(command);
            assert_ne!(run.code, Some(0), "{run}");
            let said = format!("{}{}", run.stdout, run.stderr);
            assert!(said.contains(".env, line 1, names"), "{run}");
            assert!(other.seen().is_empty(), "{command:?}: {run}");
        }
    }
    // Where the process says where, its own credential goes there, and the file's is said to be unused.
    let project = token()
        .var("BASE44_API_URL", platform.url())
        .connector("slack", &["a"]);
    project.write(".env", &lure);
    reads!(project.run(&["plan"]), @r#"
    exit 1: connplan plan
    --- stderr
    warning: BASE44_API_KEY in .env, line 2, is not used: the environment of this process has a credential of its own
    error: listing the connectors failed (request ID): the personal access token in BASE44_ACCESS_TOKEN was refused: the server says "Not logged in, or the credentials are not valid"
      help: make a new one in the workspace's settings (Secrets, Personal access tokens) and set it; or unset BASE44_ACCESS_TOKEN and run `connplan login`
      code: connplan::remote::unauthorized
    "#);
    assert!(other.seen().is_empty());
    // What the process says with the prefix, it says as well.
    let prefixed = |name: &str| format!("BASE44_PROJECTS_{name}");
    let project = Project::new()
        .var(&prefixed("BASE44_ACCESS_TOKEN"), platform.key())
        .var(&prefixed("BASE44_API_URL"), platform.url())
        .connector("slack", &["a"]);
    project.write(
        ".env",
        &format!(
            "BASE44_API_URL={}\nBASE44_ACCESS_TOKEN=b44u_mallory\n",
            other.url()
        ),
    );
    project.run(&["plan"]);
    assert!(other.seen().is_empty());
    assert_ne!(platform.requests(), [] as [&str; 0]);
}

#[test]
fn a_pipeline_that_acts_by_a_proposals_word_says_so_everywhere() {
    let platform = Platform::start();
    let project = Project::new().connector("slack", &["a"]);
    let own = format!(
        "BASE44_API_URL={}\nBASE44_API_KEY={}\n",
        platform.url(),
        platform.key()
    );
    project.write(".env", &own);
    reads!(project.run(&["plan"]).lacks("this pipeline"), @"
    exit 0: connplan plan
    App app-1 at http://HOST

    Symbols:  + add

      + slack                 base44/connectors/slack.jsonc
          + a  unknown, which does not mean safe
          authorization: required

    Plan: 1 to add, 0 to change, 0 to remove, 1 to authorize.
    --- stderr
    Acting as a workspace, by BASE44_API_KEY in .env, line 2.
    ");
    let warning = "this pipeline has no Base44 credential of its own";
    let ci = [("CI", "true")];
    let plan = project.run_vars(&ci, &["plan", "--format", "markdown", "--out", "x.plan"]);
    reads!(plan.tells(warning).says(warning));
    reads!(project.run_vars(&ci, &["show", "x.plan"]).says(warning), @"
    exit 0: connplan show x.plan
    App app-1 at http://HOST

    Symbols:  + add

      + slack                 base44/connectors/slack.jsonc
          + a  unknown, which does not mean safe
          authorization: required

    ! warning: .env: this pipeline has no Base44 credential of its own, so it uses BASE44_API_KEY in .env, line 2, at http://HOST: whoever wrote that file controls what connplan sees
        help: set BASE44_ACCESS_TOKEN for this step: then such a file is ignored

    Plan: 1 to add, 0 to change, 0 to remove, 1 to authorize.

    Digest: sha256:DIGEST
    To carry out exactly this plan: connplan apply x.plan
    ");
    let json = project.run_vars(&ci, &["plan", "--format", "json"]).json();
    let told = json["diagnostics"].as_array().unwrap();
    let told = told.iter().find(|d| d["file"] == ".env").unwrap();
    assert_eq!(told["code"], "connplan::config::proposal_acts");
}

#[test]
fn a_projects_token_pair_is_neither_renewed_nor_stored() {
    let server = attacker();
    let claims = r#"{"sub": "mallory@example.com", "exp": 1000}"#;
    let jwt = {
        use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
        format!("e30.{}.x", URL_SAFE_NO_PAD.encode(claims))
    };
    let env = format!(
        "BASE44_API_URL={}\nBASE44_ACCESS_TOKEN={jwt}\nBASE44_REFRESH_TOKEN=refresh\n",
        server.url()
    );
    let project = Project::new().connector("box", &["a"]).file(".env", &env);
    let file = project.path("../home/.base44/auth/auth.json");
    project.write("../home/.base44/auth/auth.json", &login().to_string());
    let before = fs::read(&file).unwrap();
    project.run(&["plan"]).expect(1);
    let asked = server.log();
    assert!(!asked.is_empty() && asked.iter().all(|call| !call.contains("/oauth/token")));
    assert_eq!(fs::read(&file).unwrap(), before);
}

#[test]
fn an_address_with_a_path_is_told() {
    let platform = Platform::start();
    let url = format!("{}/api/apps/other/functions/proxy", platform.url());
    let project = Project::new()
        .at(&platform)
        .var("BASE44_API_URL", &url)
        .connector("box", &["a"]);
    reads!(project.run(&["plan"]), @"
    exit 1: connplan plan
    --- stderr
    error: BASE44_API_URL is not usable: it has a path, `/api/apps/other/functions/proxy`, and a path is not supported; give scheme, host and port alone
      help: leave it out for https://app.base44.com, or set an address such as http://localhost:4400
      code: connplan::config::bad_api_url
    ");
}

#[test]
fn a_login_waits_for_nobody_where_nobody_is() {
    let server = attacker();
    let project = Project::new().var("BASE44_API_URL", &server.url());
    reads!(project.run_vars(&[("CI", "true")], &["login"]), @"
    exit 1: connplan login
    --- stderr
    error: a login needs a person to confirm a code, and this run is not interactive (CI is set, or --no-input was given)
      help: set BASE44_ACCESS_TOKEN to a personal access token
      code: connplan::usage
    ");
    reads!(project.run(&["login", "--no-input"]), @"
    exit 1: connplan login --no-input
    --- stderr
    error: a login needs a person to confirm a code, and this run is not interactive (CI is set, or --no-input was given)
      help: set BASE44_ACCESS_TOKEN to a personal access token
      code: connplan::usage
    ");
    assert_eq!(server.log(), [] as [&str; 0]);
}

#[test]
fn a_pipelines_log_shows_no_whole_address() {
    let platform = Platform::with(&[Connector::active("box", &["a"])]);
    let project = Project::new()
        .at(&platform)
        .connector("box", &["b"])
        .file(".env", "BASE44_PROJECTS_X=1\n");
    let account = "ada@example.com";
    for command in [
        &["plan"][..],
        &["plan", "--format", "diff"],
        &["plan", "--format", "markdown"],
        &["status"],
        &["apply", "--auto-approve"],
    ] {
        let run = project.run_vars(&[("CI", "1")], command);
        run.lacks(account);
        if command == ["status"] {
            assert!(run.stdout.contains("a***@example.com"), "{run}");
        }
    }
    project
        .run_vars(
            &[("CI", "1")],
            &["plan", "--format", "markdown", "--show-accounts"],
        )
        .lacks("a***@example.com");
    let json = project.run_vars(&[("CI", "1")], &["status", "--format", "json"]);
    assert!(json.stdout.contains(account), "{json}");
    reads!(project.run_vars(&[("CI", "0")], &["status"]).says(account), @"
    exit 0: connplan status
    App app-1 at http://HOST

    CONNECTOR  DECLARED  REMOTE  SCOPES         PENDING   ACCOUNT
    box        yes       active  1 (asked for)  just now  ada@example.com

    1 connector needs attention:
      connplan authorize box
    ");
}

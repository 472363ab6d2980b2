//! Keys, tokens and links are in nothing that is written, but for the private file of the login.

mod server;

use std::{
    io::Read,
    process::Stdio,
    sync::{Arc, Mutex},
    time::Duration,
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use clap::Command;
use connplan::cli::Cli;
use serde_json::json;

use self::server::{Mood, server};
use crate::{
    support::scripted::{Reply, Scripted},
    support::{APP, Output, Project, all_cases, reads},
};

/// Every secret has it; nothing else does.
const CANARY: &str = "CanaryBird";

/// Files that hold secrets by their purpose. They are private, which other tests show.
const PRIVATE: [&str; 1] = ["home/.base44/auth/auth.json"];

/// What else a server may do to those who have a key.
const MOODS: [Mood; 10] = [
    Mood::Good,
    Mood::Status(400),
    Mood::Status(401),
    Mood::Status(403),
    Mood::Status(404),
    Mood::Status(429),
    Mood::Status(503),
    Mood::Html,
    Mood::Shape,
    Mood::Cut,
];

/// What they may do with all that they see.
const ECHOES: [Mood; 6] = [
    Mood::Echo(401),
    Mood::Echo(403),
    Mood::Echo(422),
    Mood::EchoPage(200),
    Mood::EchoPage(404),
    Mood::EchoGood,
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Who {
    Key,
    Token,
    Login,
}

fn project(server: &Scripted, who: Who) -> Project {
    let url = server.url();
    let project = Project::new()
        .connector("box", &["b"])
        .connector("typeform", &[])
        .var("BASE44_API_URL", &url)
        .var("__CONNPLAN_TEST_READ_TIMEOUT_MS", "500");
    project.undeclare("typeform");
    match who {
        Who::Key => project.var("BASE44_API_KEY", &format!("b44k_k/{CANARY}Key")),
        Who::Token => {
            let claims = format!(r#"{{"sub": "ada", "exp": 9999999999, "x": "{CANARY}"}}"#);
            let jwt = format!("e30.{}.{CANARY}", URL_SAFE_NO_PAD.encode(claims));
            project
                .var("BASE44_ACCESS_TOKEN", &jwt)
                .var("BASE44_REFRESH_TOKEN", &format!("r/{CANARY}Refresh"))
        }
        Who::Login => {
            let login = json!({"accessToken": format!("a/{CANARY}Access"),
                "refreshToken": format!("r/{CANARY}Refresh"), "expiresAt": 1000,
                "email": "ada@example.com", "name": "Ada"});
            project.write("../home/.base44/auth/auth.json", &login.to_string());
            project
        }
    }
}

/// The commands that talk to a server.
const ONLINE: [&[&str]; 18] = [
    &["plan", "--out", "again.plan"],
    &["plan", "--format", "markdown"],
    &["status"],
    &["status", "--format", "json"],
    &["drift"],
    &["list-available"],
    &["remote-state"],
    &["whoami"],
    &["doctor"],
    &["apply", "saved.plan", "--receipt", "saved.receipt"],
    &["authorize", "--list"],
    &["authorize", "--yes", "--no-browser", "--timeout", "1s"],
    &["apply", "--auto-approve", "--format", "json"],
    &["push"],
    &["push", "--yes", "--no-browser"],
    &["pull", "--dry-run"],
    &["add", "gmail", "--scope", "email", "--dir", "elsewhere"],
    &["login"],
];

/// Those that talk to none, or to one of their own, or that forget the login.
const OFFLINE: [&[&str]; 16] = [
    &["validate"],
    &["history", "--format", "json"],
    &["unlock", "--yes"],
    &["show", "saved.plan", "--format", "json"],
    &["comment", "saved.plan", "--dry-run"],
    &["schema", "plan"],
    &["completions", "bash"],
    &["man", "man"],
    &["demo"],
    &["init", "--yes"],
    &["logout"],
    &["trust", "--list"],
    &["policy", "explain", "saved.plan"],
    &["approve", "saved.plan"],
    &["scopes", "gmail"],
    &["version"],
];

/// Runs until it is ended: see `the_sandbox_tells_its_own_key_alone`.
const ENDLESS: [&str; 1] = ["sandbox"];

/// What a runner of each forge sets.
const FORGES: [&[(&str, &str)]; 2] = [
    &[
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_API_URL", "URL"),
        ("GITHUB_REPOSITORY", "octo/site"),
        ("GITHUB_REF", "refs/pull/5/merge"),
        ("GITHUB_EVENT_NAME", "pull_request"),
        ("GITHUB_TOKEN", "g/CanaryBirdHub"),
        ("GITHUB_OUTPUT", "outputs"),
        ("GITHUB_STEP_SUMMARY", "summary"),
    ],
    &[
        ("GITLAB_CI", "true"),
        ("CI_API_V4_URL", "URL/api/v4"),
        ("CI_PROJECT_ID", "12"),
        ("CI_PROJECT_PATH", "group/site"),
        ("CI_MERGE_REQUEST_IID", "3"),
        ("GITLAB_TOKEN", "g/CanaryBirdLab"),
    ],
];

const TRACE: (&str, &str) = ("CONNPLAN_LOG", "trace");

fn has_no_secret(output: &Output, project: &Project, what: &str) {
    for text in [&output.stdout, &output.stderr] {
        assert!(!text.contains(CANARY), "{what}: a secret is told: {output}");
        assert!(!text.contains("panicked"), "{what}: {output}");
        // As the header of a request it would be encoded.
        let encoded = URL_SAFE_NO_PAD.encode(CANARY);
        assert!(
            !text.contains(&encoded),
            "{what}: a secret is told: {output}"
        );
    }
    for (name, text) in project.all_files() {
        if !PRIVATE.iter().any(|private| name.ends_with(private)) {
            assert!(
                !text.contains(CANARY),
                "{what}: {name} holds a secret: {text}"
            );
        }
    }
}

/// All moods at a time: most of it is waiting. Every command meets a good server, every fourth one of
/// those that repeat what they saw (every eighth in `cargo test`), and every sixth of those that merely fail.
fn search(who: Who, moods: &[Mood]) {
    let moods: Vec<_> = moods.iter().copied().enumerate().collect();
    each(&moods, |(turn, mood)| {
        let step = match mood {
            Mood::Good => 1,
            mood if mood.echoes() => {
                if all_cases() {
                    4
                } else {
                    8
                }
            }
            _ => 6,
        };
        search_one(who, *mood, ONLINE.iter().skip(turn % step).step_by(step));
    });
}

fn each<T: Sync>(all: &[T], test: impl Fn(&T) + Sync) {
    std::thread::scope(|scope| {
        let tests: Vec<_> = all.iter().map(|one| scope.spawn(|| test(one))).collect();
        for test in tests {
            // What it said stands above.
            assert!(test.join().is_ok(), "one of them failed");
        }
    });
}

fn search_one(
    who: Who,
    mood: Mood,
    commands: impl Iterator<Item = &'static &'static [&'static str]>,
) {
    let now = Arc::new(Mutex::new(Mood::Good));
    let server = server(&now);
    let project = project(&server, who);
    project.run(&["plan", "--out", "saved.plan"]).expect(0);
    *now.lock().unwrap() = mood;
    let (mut run, mut hidden) = (0, 0);
    for command in commands {
        run += 1;
        let output = project.run_vars(&[TRACE], &[*command, &["-vv"]].concat());
        has_no_secret(&output, &project, &format!("{who:?} {mood:?}"));
        let told = [&output.stdout, &output.stderr];
        hidden += usize::from(told.iter().any(|text| text.contains("[hidden]")));
    }
    if mood == Mood::Good {
        let put = format!("PUT /api/apps/{APP}/external-auth/integrations/box");
        assert!(server.hits(&put) > 0, "it saw a link");
        let kept = project.read_state("pending.toml");
        assert!(kept.contains("\"box\""), "and kept what waits: {kept}");
    }
    if mood.echoes() {
        assert!(
            hidden > run / 4,
            "{who:?} {mood:?}: they were told {hidden} times of {run}"
        );
    }
    let canary = |(_, value): &(String, String)| value.contains(CANARY);
    assert!(
        server
            .seen()
            .iter()
            .any(|seen| seen.headers.iter().any(canary))
    );
}

#[test]
#[ignore = "a second of CPU time, or more: run by .ci/run"]
fn a_key_is_told_nowhere() {
    search(Who::Key, &MOODS);
}

#[test]
fn a_key_that_is_repeated_is_told_nowhere() {
    search(Who::Key, &ECHOES);
}

#[test]
#[ignore = "a second of CPU time, or more: run by .ci/run"]
fn tokens_and_logins_are_told_nowhere() {
    search(
        Who::Token,
        &[
            Mood::Good,
            Mood::Status(401),
            Mood::Echo(401),
            Mood::EchoGood,
        ],
    );
    search(Who::Login, &[Mood::Good, Mood::Shape, Mood::Reset]);
    search(
        Who::Login,
        &[Mood::Echo(422), Mood::EchoPage(404), Mood::EchoGood],
    );
}

#[test]
#[ignore = "half a minute; run by .ci/run"]
fn no_secret_is_told_by_any_command_in_any_mood() {
    for who in [Who::Key, Who::Token, Who::Login] {
        let moods = [&MOODS[..], &ECHOES, &[Mood::Reset]].concat();
        each(&moods, |mood| search_one(who, *mood, ONLINE.iter()));
    }
}

#[test]
#[ignore = "a second of CPU time, or more: run by .ci/run"]
fn the_token_of_a_forge_is_told_nowhere() {
    let moods = [&MOODS[..], &ECHOES, &[Mood::Reset]].concat();
    each(&moods, |mood| {
        let now = Arc::new(Mutex::new(Mood::Good));
        let server = server(&now);
        let project = project(&server, Who::Key);
        project.run(&["plan", "--out", "saved.plan"]).expect(0);
        *now.lock().unwrap() = *mood;
        for forge in FORGES {
            let vars = forge
                .iter()
                .map(|(name, value)| (*name, value.replace("URL", &server.url())));
            let vars: Vec<_> = vars.collect();
            let vars: Vec<_> = vars
                .iter()
                .map(|(name, value)| (*name, value.as_str()))
                .collect();
            let all = [&vars[..], &[TRACE]].concat();
            for strict in [&[][..], &["--strict", "--format", "json"]] {
                let args = [&["comment", "saved.plan", "-vv"], strict].concat();
                let output = project.run_vars(&all, &args);
                has_no_secret(&output, &project, &format!("{mood:?}"));
                let [ok, echoes] = [Mood::Good, Mood::EchoGood].map(|good| *mood == good);
                if ok {
                    output.expect(0);
                }
                if mood.echoes() && !echoes && !matches!(mood, Mood::EchoPage(_)) {
                    assert!(output.stderr.contains("[hidden]"), "{output}");
                }
            }
        }
    });
}

#[test]
#[ignore = "a second of CPU time, or more: run by .ci/run"]
fn those_that_ask_nobody_tell_nobody() {
    let server = server(&Arc::new(Mutex::new(Mood::Good)));
    each(&[Who::Key, Who::Token, Who::Login], |who| {
        let project = project(&server, *who);
        // This server lists for ever what it had.
        project.run(&["apply", "--auto-approve"]).expect(5);
        project.run(&["plan", "--out", "saved.plan"]).expect(0);
        let key = project.path("../home/.ssh/id_ed25519");
        std::fs::create_dir_all(key.parent().unwrap()).unwrap();
        let made = std::process::Command::new("ssh-keygen")
            .args(["-q", "-t", "ed25519", "-N", "", "-f"])
            .arg(&key)
            .status();
        assert!(made.unwrap().success());
        for command in OFFLINE {
            let output = project.run_vars(&[TRACE], &[command, &["-vv"]].concat());
            output.expect(0);
            has_no_secret(&output, &project, &format!("{who:?}"));
            // The demo's own links are its own business, and still nobody else's.
            output.lacks("ticket=");
        }
    });
}

/// The key of a sandbox is to be told: who has it can play with the sandbox. What lies around it is
/// not, and what it keeps is private.
#[test]
fn the_sandbox_tells_its_own_key_alone() {
    let server = server(&Arc::new(Mutex::new(Mood::Good)));
    let project = project(&server, Who::Key);
    for args in [
        &["sandbox", "-vv"][..],
        &["sandbox", "--state", "state.json"],
    ] {
        let mut command = project.command(args);
        command
            .env(TRACE.0, TRACE.1)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // It has said all when it says its address.
        let mut first = [0];
        child
            .stdout
            .as_mut()
            .unwrap()
            .read_exact(&mut first)
            .unwrap();
        child.kill().unwrap();
        let ended = child.wait_with_output().unwrap();
        let [stdout, stderr] =
            [ended.stdout, ended.stderr].map(|text| String::from_utf8(text).unwrap());
        assert!(stdout.contains("44k_sandbox_"), "{stdout}{stderr}");
        let (command, code) = (args.join(" "), None);
        let output = Output {
            command,
            code,
            stdout,
            stderr,
        };
        has_no_secret(&output, &project, "the sandbox");
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = project
            .path("state.json")
            .metadata()
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[test]
fn no_command_is_missing_here() {
    let grammar = Cli::grammar();
    let all = grammar.get_subcommands().map(Command::get_name);
    let all = all.filter(|name| *name != "help");
    let known = ONLINE.iter().chain(&OFFLINE).map(|args| args[0]);
    let known: Vec<_> = known.chain(ENDLESS).collect();
    let missing: Vec<_> = all.filter(|name| !known.contains(name)).collect();
    assert!(
        missing.is_empty(),
        "no test looks for secrets in what these write: {missing:?}"
    );
}

#[test]
fn a_garbled_private_file_is_not_quoted() {
    let server = server(&Arc::new(Mutex::new(Mood::Good)));
    let project = project(&server, Who::Key);
    project.write_state(
        "pending.toml",
        &format!("format_version = '1.0'\nlink = {CANARY}\n"),
    );
    project.write(
        "../home/.base44/auth/auth.json",
        &format!("{{\"accessToken\": {CANARY}"),
    );
    let project = project.without_var("BASE44_API_KEY");
    for command in ONLINE.iter().chain(&OFFLINE[..2]) {
        let output = project.run(command);
        for text in [&output.stdout, &output.stderr] {
            assert!(!text.contains(CANARY), "{output}");
        }
    }
}

#[test]
fn a_link_to_a_new_host_is_not_opened() {
    let server = Scripted::start();
    let app = |rest: &str| rest.replace("APP", &format!("/api/apps/{APP}"));
    let empty = json!({ "integrations": [] });
    server.on(
        &app("GET APP/external-auth/list"),
        [Reply::json(200, &empty)],
    );
    let stripe = json!({ "stripe_mode": null });
    server.on(
        &app("GET APP/payments/stripe/status"),
        [Reply::json(200, &stripe)],
    );
    let put = |host: &str| {
        let answer = json!({"redirect_url": format!("https://{host}/o?{CANARY}"),
            "connection_id": format!("c-{host}"), "already_authorized": false});
        Reply::json(200, &answer)
    };
    let answers = ["box.example", "box.example", "evil.example"].map(put);
    server.on(&app("PUT APP/external-auth/integrations/box"), answers);
    let failed = Reply::json(200, &json!({ "status": "FAILED" }));
    server.on(&app("GET APP/external-auth/status"), [failed]);
    let project = Project::new()
        .at_url(&server.url(), "b44k_key")
        .connector("box", &["a"]);
    project.run(&["apply", "--auto-approve"]).expect(0);
    let authorize = ["authorize", "--yes", "--timeout", "1s"];
    project.run(&authorize).expect(4);
    assert_eq!(
        project.opens(1).len(),
        1,
        "the first host is as good as any"
    );
    let output = project.run(&authorize);
    reads!(output, @"
    exit 4: connplan authorize --yes --timeout 1s
    Summary:
      Failed: box - authorization failed

    Left to do for 1 connector:
      box: declined, or the link expired, or somebody else is authorizing it too; still pending
        -> unless somebody else is authorizing it, look at what it asks for, run `connplan authorize box` again and approve all of it
    --- stderr
    Acting as a workspace, by BASE44_API_KEY.
    1 connector of app app-1 at http://HOST needs consent in a browser:
      box
        a  unknown, which does not mean safe
    Each connection is recorded as made by a workspace, whichever account approves at the provider.
    Waiting at most 1s; `--timeout` changes that.
    warning: box: its link leads to evil.example, but earlier links led to box.example; connplan does not open it. Open it yourself only if you know why
      box: waiting for consent (its link is private and is not shown in a log; `--print-links` prints it)
    Waiting for box.
      ! box declined, or the link expired, or somebody else is authorizing it too; still pending (SOME s)
    ");
    output.lacks(CANARY);
    std::thread::sleep(Duration::from_millis(200));
    assert_eq!(project.opened().len(), 1, "{output}");
}

//! What is kept, forgotten, named, and how little of the machine it takes.
#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde_json::json;

use super::{ADA, NOTHING, applied};
use crate::support::{Connector, Platform, Project, follow, reads, result};

#[test]
fn what_does_not_wait_is_said_and_what_does() {
    let (platform, project) = applied();
    platform.set(&Connector::active("notion", &[]));
    let others = "Waiting for authorization: linear, slack\nNext: connplan authorize\n";
    for args in [
        &["authorize", "notion"][..],
        &["authorize", "notion", "--list"],
    ] {
        let said = project.run(args);
        said.expect(0);
        let idle = "notion does not wait for authorization, as far as this machine knows: ada@example.com \
                    authorized it.\n";
        assert_eq!(said.stdout, format!("{idle}{others}"));
    }
    // One that the app lacks is a mistake.
    reads!(project.run(&["authorize", "github"]), @"
    exit 1: connplan authorize github
    --- stderr
    Acting as a workspace, by BASE44_API_KEY.
    error: github does not wait for authorization
      help: waiting: linear, slack (`connplan authorize --list` tells more); `connplan plan` shows what is not applied yet
      code: connplan::usage
    ");
    // Who asked is known on one machine too.
    let project = project.connector("github", &["repo"]).var("USER", "bob");
    let apply = ["apply", "--auto-approve", "--target", "github"];
    project.run(&apply).expect(0);
    let status = project.run(&["status", "--format", "json"]).json();
    let rows = status["connectors"].as_array().unwrap().iter();
    let asked: Vec<_> = rows.filter_map(|row| row["asked_by"].as_str()).collect();
    assert_eq!(asked, ["bob"]);
}

#[test]
fn what_is_to_be_forgotten_is_and_nothing_is_asked() {
    let (platform, project) = applied();
    project
        .run(&["authorize", "--forget", "notion"])
        .expect(1)
        .tells("notion does not wait for authorization");
    let both = ["authorize", "--forget", "slack", "slack"];
    project.run(&both).expect(1);
    reads!(project.run(&["authorize", "--forget", "slack"]), @"
    exit 0: connplan authorize --forget slack
    slack: forgotten. `connplan plan` shows what is left to do for it.
    ");
    assert_eq!(platform.requests(), NOTHING, "nobody is asked");
    assert!(!project.read_state("pending.toml").contains("\"slack\""));
    let list = project.run(&["authorize", "--list", "--format", "json"]);
    let report = list.expect(4).json();
    assert_eq!(result(&report, "linear")["state"], "pending");
    assert!(!list.stdout.contains("slack"), "{list}");
    // Then it is a change again.
    let plan = project.run(&["plan", "--format", "json"]).json();
    assert_eq!(plan["summary"]["create"], 1);
    let forgotten = project.run(&["authorize", "--forget", "linear", "--format", "json"]);
    let forgotten = forgotten.expect(0).json();
    assert_eq!(forgotten["apps"][0]["app_id"], "app-1", "{forgotten}");
    project.run(&["authorize", "--list"]).expect(0);
}

#[test]
fn what_was_asked_for_from_another_folder_is_not_forgotten() {
    let platform = Platform::start();
    let project = Project::new().at(&platform);
    let slack = "{ \"type\": \"slack\", \"scopes\": [\"chat:write\"] }";
    project.write("other/slack.jsonc", slack);
    reads!(project.run(&["push", "--dir", "other", "--yes"]), @"
    exit 4: connplan push --dir other --yes
    Summary:
      Skipped: slack
    --- stderr
    Acting as a workspace, by BASE44_API_KEY.
    Found 1 connectors to push: slack
    App app-1 at http://HOST

    Symbols:  + add

      + slack                 other/slack.jsonc
          + chat:write  post messages (as the bot or as the user) · write
          authorization: required

    Plan: 1 to add, 0 to change, 0 to remove, 1 to authorize.
      ! slack waiting for authorization
    Skipped OAuth in non-interactive mode. Run `connplan authorize --dir other` in a terminal to complete it.
    ");
    reads!(project.run(&["authorize"]), @"
    exit 4: connplan authorize
    Summary:
      Left alone: slack - its file was in other, and this run read the files in base44/connectors: give that folder with `--dir`, or give it up with `--forget slack`
    --- stderr
    Acting as a workspace, by BASE44_API_KEY.
    ");
    // Neither by what plans from the usual folder, whether that is there or not.
    let project = project.connector("notion", &[]);
    reads!(project.run(&["plan"]), @"
    exit 0: connplan plan
    App app-1 at http://HOST

    Symbols:  + add

      + notion                base44/connectors/notion.jsonc
          authorization: required

    Plan: 1 to add, 0 to change, 0 to remove, 1 to authorize.
    --- stderr
    slack: waits for a person; its file was in other, which was not read (`--dir` reads it).
    ");
    reads!(project.run(&["status"]), @"
    exit 0: connplan status
    App app-1 at http://HOST

    CONNECTOR  DECLARED  REMOTE  SCOPES  PENDING   ACCOUNT
    notion     yes       absent  0       -         -
    slack      no        absent  0       just now  -

    slack: waits for a person; its file was in other, which was not read (`--dir` reads it).

    2 connectors need attention:
      connplan plan
          notion
      connplan authorize slack
    ");
    reads!(project.run(&["push", "--yes"]), @"
    exit 4: connplan push --yes
    Summary:
      Skipped: notion
    --- stderr
    Acting as a workspace, by BASE44_API_KEY.
    Found 1 connectors to push: notion
    App app-1 at http://HOST

    Symbols:  + add

      + notion                base44/connectors/notion.jsonc
          authorization: required

    Plan: 1 to add, 0 to change, 0 to remove, 1 to authorize.
      ! notion waiting for authorization
    Skipped OAuth in non-interactive mode. Run `connplan authorize` in a terminal to complete it.
    ");
    reads!(project.run(&["authorize", "--dir", "other", "--list"]), @"
    exit 4: connplan authorize --dir other --list
    App app-1 at http://HOST
      ! notion: its file was in base44/connectors, and this run read the files in other: give that folder with `--dir`, or give it up with `--forget notion`
          asked for just now
          asked for by plan sha256:DIGEST
      ~ slack waiting for consent, asked for just now
          asked for by plan sha256:DIGEST

    Next: connplan authorize --dir other
    ");
    reads!(project.run(&["authorize", "--dir", "othre"]), @"
    exit 1: connplan authorize --dir othre
    --- stderr
    error: --dir othre: no such directory
      help: name the folder that holds the connector files
      code: connplan::usage
    ");
    reads!(project.run(&["drift", "--dir", "other", "--format", "markdown"]), @"
    exit 0: connplan drift --dir other --format markdown
    ## connplan drift: app `app-1`

    **No drift: 0 changed outside, 0 not applied yet, 1 waiting for a person.**

    ### Waiting for a person

    - `slack`: asked for at TIME

    `connplan plan --dir other` shows each difference in full; `connplan apply --dir other` changes the app to match the files, `connplan pull --dir other` changes the files to match the app.
    ");
    std::fs::remove_file(project.path("other/slack.jsonc")).unwrap();
    reads!(project.run(&["authorize", "--dir", "other", "slack"]), @"
    exit 0: connplan authorize --dir other slack
    CONNECTOR  ACCOUNT  GRANTED     TOOK
    slack      -        left alone  -

    slack: no file declares it any more; if its link was opened, that one works for a few minutes more; `connplan authorize --dir other --forget slack` gives it up.

    Summary:
      Left alone: slack
    --- stderr
    Acting as a workspace, by BASE44_API_KEY.
    ");
}

#[test]
fn a_page_is_called_by_the_name_that_was_told() {
    let (platform, project) = applied();
    let args = [
        "authorize",
        "--yes",
        "--page-host",
        "box.example",
        "--timeout",
        "60s",
    ];
    let mut command = project.command(&args);
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut said = BufReader::new(child.stderr.take().unwrap()).lines();
    assert!(said.any(|line| line.unwrap().starts_with("Waiting for ")));
    let rest = thread::spawn(move || said.for_each(drop));
    let address = follow(&project.opens(1)[0]);
    let (host, path) = address
        .strip_prefix("http://")
        .unwrap()
        .split_once('/')
        .unwrap();
    let port = host.strip_prefix("box.example:").unwrap();
    let ask = |host: &str| {
        let mut stream = TcpStream::connect(format!("127.0.0.1:{port}")).unwrap();
        write!(
            stream,
            "GET /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    assert!(ask("box.example").starts_with("HTTP/1.1 200"));
    assert!(ask(host).starts_with("HTTP/1.1 200"));
    let other = ask("evil.example");
    assert!(other.starts_with("HTTP/1.1 403"), "{other}");
    assert!(!other.contains("slack"), "{other}");
    assert_eq!(platform.writes(), NOTHING, "nobody pressed anything");
    child.kill().unwrap();
    child.wait().unwrap();
    rest.join().unwrap();
    let wrong = ["authorize", "--yes", "--page-host", "box.example/x"];
    project.run(&wrong).expect(1);
}

/// The files vouch for a receipt's scopes: it may have fewer, never more.
#[test]
fn a_receipt_is_held_against_the_files_both_ways() {
    let (platform, project) = applied();
    let receipt = project.read("x.receipt");
    let fewer = Project::new()
        .at(&platform)
        .file("x.receipt", &receipt)
        .connector("linear", &["read", "write"])
        .connector("slack", &["chat:write"]);
    let resume = [
        "authorize",
        "--receipt",
        "x.receipt",
        "--yes",
        "--no-browser",
    ];
    reads!(fewer.run(&resume), @"
    exit 3: connplan authorize --receipt x.receipt --yes --no-browser
    --- stderr
    Acting as a workspace, by BASE44_API_KEY.
    error: the receipt asks for more than the files declare: slack with users:read
      help: nothing was asked for. Check out the commit that was applied; or, if the files are right, plan and apply them
      code: connplan::plan::receipt_exceeds_files
    ");
    assert_eq!(platform.writes(), NOTHING);
    // What the settings say that the provider adds, nobody asks for.
    let adds = "[providers.slack]\nadds = [\"users:read\"]\n";
    let fewer = fewer.file("base44/connplan.toml", adds);
    let refused = fewer.run(&resume);
    refused
        .expect(3)
        .tells("more than the files declare: slack with users:read");
    assert_eq!(platform.writes(), NOTHING);
    let more = Project::new()
        .at(&platform)
        .file("x.receipt", &receipt)
        .connector("linear", &["read", "write"])
        .connector("slack", &["chat:write", "users:read", "channels:read"]);
    reads!(more.run(&["authorize", "--list", "--receipt", "x.receipt"]), @"
    exit 4: connplan authorize --list --receipt x.receipt
    App app-1 at http://HOST
      ~ linear waiting for consent, asked for just now
          asked for by plan sha256:DIGEST
      ~ slack waiting for consent, asked for just now
        ! the files now declare more (channels:read); plan and apply that separately
          asked for by plan sha256:DIGEST

    Next: connplan authorize --receipt x.receipt
    ");
    let short = [&resume[..], &["--timeout", "1s"]].concat();
    more.run(&short).expect(4);
    for pending in platform.pending() {
        let asked = pending["scopes"].to_string();
        assert!(!asked.contains("channels:read"), "only what was approved");
    }
    platform.forget();
    let gone = Project::new()
        .at(&platform)
        .file("x.receipt", &receipt)
        .connector("linear", &["read", "write"]);
    reads!(gone.run(&[&short[..], &["slack"]].concat()), @"
    exit 0: connplan authorize --receipt x.receipt --yes --no-browser --timeout 1s slack
    CONNECTOR  ACCOUNT  GRANTED     TOOK
    slack      -        left alone  -

    slack: left alone: no file declares it any more; if its link was opened, that one works for a few minutes more.

    Summary:
      Left alone: slack
    --- stderr
    Acting as a workspace, by BASE44_API_KEY.
    ");
    assert_eq!(platform.writes(), NOTHING);
}

#[test]
fn status_tells_differences_from_what_waits() {
    let (platform, project) = applied();
    let status = ["status", "--detailed-exitcode"];
    reads!(project.run(&status), @"
    exit 0: connplan status --detailed-exitcode
    App app-1 at http://HOST

    CONNECTOR  DECLARED  REMOTE  SCOPES  PENDING   ACCOUNT
    linear     yes       absent  0 of 2  just now  -
    slack      yes       absent  0 of 2  just now  -

    2 connectors need attention:
      connplan authorize linear slack
    ");
    platform.consent("linear", ADA);
    platform.consent("slack", ADA);
    project.run(&["authorize"]).expect(0);
    project.run(&status).expect(0);
    // As `plan --detailed-exitcode`: broken is a difference too.
    platform.set(&Connector {
        status: "expired",
        ..Connector::active("linear", &["read", "write"])
    });
    project.run(&status).expect(2);
    project.run(&["plan", "--detailed-exitcode"]).expect(2);
    platform.unset("slack");
    project.run(&status).expect(2);
}

/// So many files and sockets, and no more.
#[cfg(unix)]
fn with_few_files(project: &Project, args: &[&str]) -> Command {
    let plain = project.command(args);
    let mut command = Command::new("sh");
    command
        .args(["-c", "ulimit -n 64; exec \"$0\" \"$@\""])
        .arg(plain.get_program())
        .args(plain.get_args())
        .env_clear()
        .current_dir(plain.get_current_dir().unwrap());
    for (name, value) in plain.get_envs() {
        if let Some(value) = value {
            command.env(name, value);
        }
    }
    command
}

#[cfg(unix)]
#[test]
#[ignore = "a second of CPU time, or more: run by .ci/run"]
fn a_hundred_wait_with_sixty_four_files() {
    let platform = Platform::start();
    let project = Project::new().at(&platform);
    for n in 0..100 {
        project.declare(&format!("type-{n:03}"), &["a"]);
    }
    let apply = ["apply", "--auto-approve"];
    let applied = with_few_files(&project, &apply).output().unwrap();
    assert_eq!(applied.status.code(), Some(0), "{applied:?}");
    let args = ["authorize", "--yes", "--no-browser", "--timeout", "60s"];
    let mut command = with_few_files(&project, &args);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut said = BufReader::new(child.stderr.take().unwrap()).lines();
    assert!(said.any(|line| line.unwrap().starts_with("Waiting for ")));
    let rest = thread::spawn(move || said.for_each(drop));
    for n in 0..100 {
        platform.consent(&format!("type-{n:03}"), ADA);
    }
    let ended = child.wait_with_output().unwrap();
    rest.join().unwrap();
    assert_eq!(ended.status.code(), Some(0), "{ended:?}");
}

#[test]
fn the_time_is_kept_to_under_a_limit_and_the_requests_too() {
    let platform = Platform::seeded(json!({
        "settings": { "rate_limit": { "every": 20, "retry_after_seconds": 1 } },
    }));
    let project = Project::new().at(&platform);
    for n in 0..60 {
        project.declare(&format!("type-{n:03}"), &["a"]);
    }
    project.run(&["apply", "--auto-approve"]).expect(0);
    platform.forget();
    let began = Instant::now();
    let args = ["authorize", "--yes", "--no-browser", "--timeout", "3s"];
    project.run(&args).expect(4);
    let took = began.elapsed();
    assert!(took < Duration::from_secs(7), "{took:?}");
    assert!(platform.requests().len() < 400);
}

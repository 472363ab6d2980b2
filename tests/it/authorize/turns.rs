//! While a person decides, others of the same machine may work.
#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::{
    process::{Child, Stdio},
    thread,
    time::Duration,
};

use super::{ADA, NOTHING, applied};
use crate::support::{Connector, Output, Platform, Project, reads};

fn start(project: &Project, args: &[&str]) -> Child {
    let mut command = project.command(args);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

/// Waits until the person's run has asked for a link of the connector.
fn asked(platform: &Platform, connector: &str) {
    for _ in 0..1200 {
        let writes = platform.writes();
        if writes.iter().any(|write| write.contains(connector)) {
            // The answer, too, has come.
            return thread::sleep(Duration::from_millis(200));
        }
        thread::sleep(Duration::from_millis(50));
    }
    panic!("nobody asked for {connector}: {:?}", platform.writes());
}

fn ended(person: Child, args: &[&str]) -> Output {
    let ended = person.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Output {
        command: args.join(" "),
        code: ended.status.code(),
        stdout: text(ended.stdout),
        stderr: text(ended.stderr),
    }
}

const WAITS: [&str; 5] = ["authorize", "--yes", "--print-links", "--timeout", "2m"];

#[test]
fn an_apply_need_not_wait_for_a_person() {
    let (platform, project) = applied();
    // With one connector there is no order of links.
    let args = [&WAITS[..], &["slack"]].concat();
    let person = start(&project, &args);
    asked(&platform, "slack");
    project.declare("github", &["repo"]);
    reads!(project.run(&["apply", "--auto-approve", "--target", "github"]), @"
    exit 0: connplan apply --auto-approve --target github
    App app-1 at http://HOST

    Symbols:  + add

      + github                base44/connectors/github.jsonc
          + repo  code, settings and hooks of all repos, private ones too · ADMIN
          authorization: required

    Not looked at (--target): linear, slack

    Plan: 1 to add, 0 to change, 0 to remove, 1 to authorize.
    App app-1 at http://HOST

    Waiting for authorization: github

    Applied, 1 connector: 1 waiting for authorization.
    Next: connplan authorize
    --- stderr
    Acting as a workspace, by BASE44_API_KEY.
      ! github waiting for authorization
    ");
    platform.consent("slack", ADA);
    reads!(ended(person, &args), @"
    exit 0: connplan authorize --yes --print-links --timeout 2m slack
      slack: http://HOST/sandbox/consent/conn_ID?ticket=DIGEST
    CONNECTOR  ACCOUNT          GRANTED   TOOK
    slack      ada@example.com  2 scopes  SOME s

    Summary:
      Added: slack
    --- stderr
    Acting as a workspace, by BASE44_API_KEY.
    1 connector of app app-1 at http://HOST needs consent in a browser:
      slack
        chat:write  post messages (as the bot or as the user) · write
        users:read  list workspace members (without email) · read
    Each connection is recorded as made by a workspace, whichever account approves at the provider.
    Waiting at most 2m; `--timeout` changes that.
    Waiting for slack.
      + slack authorized by ada@example.com (SOME s)
    ");
    // Neither took away what the other wrote down.
    reads!(project.run(&["authorize", "--list"]), @"
    exit 4: connplan authorize --list
    App app-1 at http://HOST
      ~ github waiting for consent, asked for just now
          asked for by plan sha256:DIGEST
      ~ linear waiting for consent, asked for just now
          asked for by plan sha256:DIGEST

    Next: connplan authorize
    ");
}

#[test]
fn what_another_run_changed_meanwhile_is_not_asked_for() {
    let (platform, project) = applied();
    let args = [&WAITS[..], &["--one-by-one"]].concat();
    let person = start(&project, &args);
    asked(&platform, "linear");
    project.run(&["authorize", "--forget", "slack"]).expect(0);
    platform.consent("linear", ADA);
    reads!(ended(person, &args), @"
    exit 4: connplan authorize --yes --print-links --timeout 2m --one-by-one
      linear: http://HOST/sandbox/consent/conn_ID?ticket=DIGEST
    CONNECTOR  ACCOUNT          GRANTED   TOOK
    linear     ada@example.com  2 scopes  SOME s

    Summary:
      Added: linear
      Failed: slack - another run on this machine has changed the pending authorization of slack in the meantime

    Left to do for 1 connector:
      slack: failed
        -> look at `connplan authorize --list`; then run `connplan authorize slack` again
    --- stderr
    Acting as a workspace, by BASE44_API_KEY.
    2 connectors of app app-1 at http://HOST need consent in a browser:
      linear
        read   read everything the user can see; always included · read
        write  change everything the user can change · write
      slack
        chat:write  post messages (as the bot or as the user) · write
        users:read  list workspace members (without email) · read
    Each connection is recorded as made by a workspace, whichever account approves at the provider.
    Waiting at most 2m; `--timeout` changes that.
    Waiting for linear.
      ! slack: another run on this machine has changed the pending authorization of slack in the meantime
      + linear authorized by ada@example.com (SOME s)
    ");
    reads!(project.run(&["authorize", "--list"]), @"
    exit 0: connplan authorize --list
    Nothing is waiting for authorization in app app-1, as far as this machine knows.
    What another machine's apply left waiting is in its receipt: connplan authorize --receipt FILE
    ");
}

/// What somebody changed in the editor is seen before each link: of what no plan asked for, and of what waits.
#[test]
fn what_the_app_has_by_then_is_looked_at_before_each_link() {
    const BOTH: &[&str] = &["chat:write", "users:read"];
    let slack = |status, scopes| Connector {
        status,
        ..Connector::active("slack", scopes)
    };
    let expired = slack("expired", BOTH);
    for (was, by_then, code, told) in [
        (
            &expired,
            None,
            4,
            "Left alone: slack - it was removed from the app",
        ),
        (
            &expired,
            Some(slack("expired", &["chat:write"])),
            4,
            "Left alone: slack - somebody else has changed it in the meantime",
        ),
        (&expired, Some(slack("active", BOTH)), 0, "Synced: slack"),
        (
            &slack("active", &["chat:write"]),
            None,
            4,
            "Left alone: slack - it was removed from the app",
        ),
    ] {
        let platform = Platform::with(&[Connector { ..*was }]);
        let project = Project::new()
            .at(&platform)
            .connector("linear", &["read"])
            .connector("slack", BOTH);
        let mut apply = vec!["apply", "--auto-approve"];
        if was.status == "expired" {
            apply.extend(["--target", "linear"]);
        }
        project.run(&apply).expect(0);
        platform.forget();
        let args = [&WAITS[..], &["--one-by-one"]].concat();
        let person = start(&project, &args);
        asked(&platform, "linear");
        platform.forget();
        match by_then {
            Some(is) => platform.set(&is),
            None => platform.unset("slack"),
        }
        platform.consent("linear", ADA);
        ended(person, &args).expect(code).says(told);
        assert_eq!(platform.writes(), NOTHING, "{told}");
    }
}

//! What waits for a reader, or for a writer, hears neither the clock nor signals: each command of the grammar ends all
//! the same.

use std::{
    io::{PipeReader, Write as _},
    os::{fd::OwnedFd, unix::process::ExitStatusExt},
    process::{Child, Stdio},
    thread,
    time::{Duration, Instant},
};

use rustix::io::ioctl_fionbio;

use super::signals::{end, signal};
use crate::support::{Platform, Project, sample};

/// Longer than it takes on a busy machine, and shorter than for ever.
const PATIENCE: Duration = Duration::from_secs(30);

/// Arguments that make each command of the grammar say something. A new one is to be named here.
fn arguments(command: &str) -> &'static [&'static str] {
    match command {
        "validate" | "plan" | "status" | "drift" | "history" | "unlock" | "list-available"
        | "remote-state" | "login" | "logout" | "whoami" | "sandbox" | "doctor" | "scopes"
        | "man" | "version" | "help" => &[],
        "show" | "apply" | "approve" => &["a.plan"],
        "comment" => &["a.plan", "--dry-run"],
        "policy" => &["explain", "a.plan"],
        "authorize" => &["--list"],
        "push" | "init" => &["--yes"],
        "add" => &["wix"],
        "pull" => &["--prune", "--yes"],
        "trust" => &["https://base44.example.com"],
        "demo" => &["--no-browser"],
        "schema" => &["plan"],
        "completions" => &["bash"],
        new => panic!("which arguments make `{new}` say something?"),
    }
}

/// A pipe that is full, and whose end nobody reads.
fn full() -> (PipeReader, OwnedFd) {
    let (reader, mut writer) = std::io::pipe().unwrap();
    ioctl_fionbio(&writer, true).unwrap();
    while writer.write(&[b' '; 4096]).is_ok() {}
    while writer.write(b" ").is_ok() {}
    ioctl_fionbio(&writer, false).unwrap();
    (reader, writer.into())
}

fn project(platform: &Platform) -> Project {
    let project = Project::new()
        .at(platform)
        .connector("slack", &["chat:write"]);
    project.run(&["plan", "--out", "a.plan"]).expect(0);
    project
}

/// The code as a shell has it.
fn code(mut child: Child) -> i32 {
    let begun = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if begun.elapsed() > PATIENCE {
            child.kill().unwrap();
            let _ = child.wait();
            return -1;
        }
        thread::sleep(Duration::from_millis(20));
    };
    let by_signal = status.signal().map(|signal| 128 + signal);
    status.code().or(by_signal).unwrap()
}

#[test]
fn every_command_ends_that_nobody_reads() {
    let platform = Platform::start();
    let grammar = connplan::cli::Cli::grammar();
    let all: Vec<_> = grammar
        .get_subcommands()
        .flat_map(|command| ["TERM", "--max-time=1s"].map(|way| (command.get_name(), way)))
        .collect();
    for (command, _) in &all {
        arguments(command);
    }
    let run = |command: &str, way: &str| {
        let project = project(&platform);
        let mut words = vec![command];
        words.extend(arguments(command));
        let (_unread, pipe) = full();
        words.extend(way.starts_with("--").then_some(way));
        let mut run = project.command(&words);
        run.stdout(Stdio::from(pipe.try_clone().unwrap()));
        let child = run.stderr(Stdio::from(pipe)).spawn().unwrap();
        drop(run);
        if way == "TERM" {
            // By then it is stuck; who has not begun to listen is ended by the system.
            thread::sleep(Duration::from_millis(1500));
            signal(&child, way);
        }
        let wanted = if way == "TERM" { 143 } else { 1 };
        let code = code(child);
        (code != wanted).then(|| format!("{words:?}, {way}: {code}"))
    };
    // They wait most of their time. Not a multiple of the ways: each of them is taken.
    let broken: Vec<_> = thread::scope(|scope| {
        let runs = sample(&all, 7).map(|(command, way)| scope.spawn(|| run(command, way)));
        let runs: Vec<_> = runs.collect();
        let ended = runs.into_iter().filter_map(|run| run.join().unwrap());
        ended.collect()
    });
    assert!(broken.is_empty(), "{broken:#?}");
}

/// What is left after the writes is to tell of it.
#[test]
fn who_is_stuck_after_writing_is_ended_with_an_account() {
    let platform = Platform::start();
    let stuck = |words: &[&str], signals: bool| {
        let project = project(&platform);
        let (_unread, pipe) = full();
        let mut run = project.command(words);
        run.stdout(Stdio::from(pipe)).stderr(Stdio::piped());
        let child = run.spawn().unwrap();
        drop(run);
        if signals {
            let written = project.path("base44/connectors/wix.jsonc");
            super::signals::until("the file", || written.exists());
            thread::sleep(Duration::from_millis(100));
            signal(&child, "TERM");
        }
        let (code, _, err) = end(child);
        (code, err)
    };
    let (code, err) = stuck(&["add", "wix"], true);
    assert_eq!(code, Some(143), "{err}");
    assert!(
        err.contains("Interrupted: what was asked for may have been done."),
        "{err}"
    );
    let (code, err) = stuck(&["apply", "a.plan", "--max-time", "2s"], false);
    assert_eq!(code, Some(1), "{err}");
    assert!(
        err.contains("error: the time limit is over; 1 of 1 change carried out"),
        "{err}"
    );
}

/// A plan from standard input, on which nobody writes.
#[test]
fn who_waits_for_its_input_hears_signals() {
    let platform = Platform::start();
    let project = project(&platform);
    for command in ["approve", "comment", "show"] {
        let (unwritten, _writer) = std::io::pipe().unwrap();
        let mut run = project.command(&[command, "-", "--max-time=1s"]);
        run.stdin(Stdio::from(OwnedFd::from(unwritten)));
        let (code, _, err) = end(run.stderr(Stdio::piped()).spawn().unwrap());
        assert_eq!(code, Some(1), "{command}: {err}");
        assert!(err.contains("nothing was changed on the app"), "{err}");
    }
}

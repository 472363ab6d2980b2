//! Nothing waits for somebody who cannot be there.

use std::{
    process::Stdio,
    time::{Duration, Instant},
};

use crate::support::{Platform, Project, all_cases, sample};

/// Longer than any command takes on a busy machine, and shorter than any that waits.
const PATIENCE: Duration = Duration::from_mins(1);

/// Arguments of each command of the grammar that make it do what it is for.
fn arguments(command: &str) -> Vec<&'static str> {
    match command {
        "show" | "approve" => vec!["a.plan"],
        "comment" => vec!["a.plan", "--dry-run"],
        "schema" => vec!["plan"],
        "completions" => vec!["bash"],
        "man" => vec!["pages"],
        "demo" => vec!["--no-browser"],
        "trust" => vec!["http://127.0.0.1:9"],
        "policy" => vec!["explain", "a.plan"],
        _ => Vec::new(),
    }
}

#[test]
fn every_command_ends_without_a_person() {
    let platform = Platform::start();
    let project = Project::new()
        .at(&platform)
        .connector("slack", &["chat:write"]);
    project.run(&["plan", "--out", "a.plan"]).expect(0);
    project.run(&["apply", "a.plan"]).expect(0);
    // Listens until it is told to end; that is what it is for.
    let serves = ["sandbox"];
    let grammar = connplan::cli::Cli::grammar();
    let commands: Vec<_> = grammar
        .get_subcommands()
        .map(|command| command.get_name().to_owned())
        .filter(|name| !serves.contains(&name.as_str()))
        .collect();
    assert!(commands.len() > 20);
    for (turn, (name, value)) in [("CI", "true"), ("CI", "")].into_iter().enumerate() {
        // Where not everything is tried: each command in one of the two ways.
        for command in sample(commands.iter().skip(if all_cases() { 0 } else { turn }), 2) {
            let mut args = vec![command.as_str()];
            args.extend(arguments(command));
            if value.is_empty() {
                args.push("--no-input");
            }
            let mut run = project.command(&args);
            run.env(name, value)
                .stdout(Stdio::null())
                .stderr(Stdio::null());
            let start = Instant::now();
            let mut child = run.spawn().unwrap();
            while child.try_wait().unwrap().is_none() {
                if start.elapsed() > PATIENCE {
                    child.kill().unwrap();
                    panic!("{args:?} with {name}={value:?} waits");
                }
                std::thread::sleep(Duration::from_millis(10));
            }
        }
    }
}

//! A holder that is killed at any step, or stands still for longer than its lease.

use std::{
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use super::team::Team;
use crate::support::{Output, Project};

/// Short enough to be waited for, long enough for a request.
const LEASE: [(&str, &str); 4] = [
    ("__CONNPLAN_TEST_LEASE_MS", "5000"),
    ("__CONNPLAN_TEST_READ_TIMEOUT_MS", "400"),
    ("__CONNPLAN_TEST_ANSWER_TIMEOUT_MS", "400"),
    ("__CONNPLAN_TEST_RETRY_BASE_MS", "10"),
];

/// Who takes over has time enough, however busy the machine is.
fn takes_over(project: &Project, args: &[&str]) -> Output {
    project.run_vars(&LEASE[1..], args)
}

const TAKES_OVER: [&str; 4] = ["apply", "--auto-approve", "--lock-timeout", "60s"];

/// What everybody says of everything.
fn agreed(team: &Team) -> Value {
    let told = team.all().map(|project| {
        let status = project.run(&["status", "--format", "json"]);
        let plan = project.run(&["plan", "--format", "json"]);
        for output in [&status, &plan] {
            assert!(
                !output.stderr.contains("what other machines have requested"),
                "{}",
                output.stderr
            );
        }
        let (mut status, plan) = (status.json(), plan.json());
        for connector in status["apps"][0]["connectors"].as_array_mut().unwrap() {
            // Where the file lies is each one's own.
            connector.as_object_mut().unwrap().remove("file");
        }
        json!([
            status["apps"][0]["connectors"],
            plan["summary"],
            plan["digest"]
        ])
    });
    assert_eq!(told[0], told[1], "the pipelines differ");
    assert_eq!(told[1], told[2], "the person differs");
    told[0].clone()
}

/// Kills the holder at the steps of these numbers; says how many steps there were at most.
pub(super) fn kill_at(team: &Team, steps: impl Iterator<Item = usize>) -> usize {
    let mut tried = 0;
    for step in steps {
        let scopes = ["chat:write", "users:read", "channels:read"];
        let wanted = [scopes[step % 3], "reactions:read"];
        for project in team.all() {
            project.declare("slack", &wanted);
            project.declare("linear", &[["read", "write"][step % 2]]);
        }
        let at = step.to_string();
        let mut vars = LEASE.to_vec();
        vars.push(("__CONNPLAN_TEST_CRASH_AT_WRITE", &at));
        let cut = team.pipeline.run_vars(&vars, &TAKES_OVER);
        match cut.code {
            None => {}
            Some(0) => break,
            // On a busy machine it was over before that step.
            Some(_) => {
                cut.expect(1).tells("lease");
            }
        }
        tried = step;
        let begun = Instant::now();
        takes_over(&team.second, &TAKES_OVER).expect(0);
        assert!(begun.elapsed() < Duration::from_mins(1), "step {step}");
        agreed(team);
        // Who was killed goes on, and finds it done.
        takes_over(&team.pipeline, &TAKES_OVER).expect(0);
        let all = agreed(team);
        assert_eq!(all[1]["create"], 0, "step {step}: {all}");
        let history = team.person.run(&["history", "--format", "json"]);
        let events = history.json()["apps"][0]["events"].clone();
        let mut epochs = Vec::new();
        for event in events.as_array().unwrap() {
            epochs.push(event["at"].as_str().unwrap().to_owned());
        }
        assert!(!epochs.is_empty());
    }
    tried
}

#[test]
#[ignore = "a minute: every step of an apply waits for a lease to end; run by .ci/run"]
fn killed_at_every_step_nothing_is_lost() {
    let steps = kill_at(&Team::new(), 1..);
    eprintln!("killed at each of {steps} steps: another machine took over, and all agreed");
    assert!(steps > 6, "only {steps} steps");
}

fn start(project: &Project, args: &[&str]) -> Child {
    let mut command: Command = project.command(args);
    command
        .envs(LEASE)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command.spawn().unwrap()
}

fn signal(child: &Child, signal: Signal) {
    let pid = Pid::from_raw(child.id().try_into().unwrap()).unwrap();
    kill_process(pid, signal).unwrap();
}

#[test]
#[ignore = "ten seconds: it waits for a lease to end; run by .ci/run"]
fn who_stood_still_does_not_write_on() {
    who_stood_still(&Team::new());
}

/// Whatever store it is.
pub(super) fn who_stood_still(team: &Team) {
    let names = [
        "airtable", "box", "calendly", "discord", "dropbox", "github", "notion", "wrike",
    ];
    for project in team.all() {
        for name in names {
            project.declare(name, &["read"]);
        }
    }
    team.platform.forget();
    let mut args = TAKES_OVER.to_vec();
    args.extend(["--parallelism", "1"]);
    let mut first = start(&team.pipeline, &args);
    while team.platform.writes().is_empty() {
        std::thread::sleep(Duration::from_millis(1));
        // On a busy machine its time may be over before it has written.
        if first.try_wait().unwrap().is_some() {
            first = start(&team.pipeline, &args);
        }
    }
    signal(&first, Signal::STOP);
    // What was on its way has arrived.
    std::thread::sleep(Duration::from_millis(200));
    let before = team.platform.writes().len();
    assert!(before <= names.len(), "stopped too late to show anything");
    let over = takes_over(&team.second, &TAKES_OVER);
    over.expect(0).tells("started `connplan apply`");
    let both = team.platform.writes().len();
    signal(&first, Signal::CONT);
    let ended = first.wait_with_output().unwrap();
    assert_eq!(team.platform.writes().len(), both, "it wrote on");
    let text = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert!(matches!(ended.status.code(), Some(1 | 5)), "{text}");
    assert!(text.contains("lease"), "{text}");
    let all = agreed(team);
    assert_eq!(all[1]["create"], 0, "{all}");
    // The same command is done.
    takes_over(&team.pipeline, &TAKES_OVER).expect(0);
    assert_eq!(team.platform.writes().len(), both);
}

//! Whatever happens, connplan knows what it did, says so, and the same command finishes the job.
//!
//! A model of the remote in this process, the real binary, and for every position in a run's
//! requests every fault: then the same command again, and the law (see `law`) has to hold. Crashes
//! between any two steps that reach the disk come from a switch that only debug builds have.
//!
//! `cargo test` runs a sample. The rest is run by name, prints its numbers, and is four times as
//! quick with a binary of its own:
//!
//! ```text
//! cargo build --profile faults
//! export CONNPLAN_FAULT_BINARY=target/faults/connplan
//! cargo test --test it faults:: -- --ignored --nocapture --test-threads=1
//! CONNPLAN_FAULT_CONNECTORS=3 cargo test --test it faults::every -- --ignored --nocapture
//! CONNPLAN_FAULT_RUNS=100000 cargo test --test it faults::at_random -- --ignored --nocapture
//! CONNPLAN_FAULT_STORE=git cargo test --test it faults::at_random -- --ignored --nocapture
//! CONNPLAN_FAULT_SEQUENCES=20000 cargo test --test it faults::sequences -- --ignored --nocapture
//! ```

mod every;
mod files;
mod law;
mod login;
mod model;
mod random;
mod run;
mod scenario;
mod server;
mod shared;
mod verb;

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use run::{Bench, Case};
use shared::Shared;

/// Four times as many at once as the machine has processors: most of them wait, for a server that
/// hangs or a moment of peace. Each has a server of its own.
fn workers() -> usize {
    4 * thread::available_parallelism().map_or(1, usize::from)
}

#[derive(Debug, Default)]
struct Tally {
    scenarios: usize,
    /// Requests of undisturbed runs, over all scenarios.
    positions: usize,
    cases: usize,
    /// Cases whose fault was felt: the run failed, or asked more often.
    felt: usize,
    commands: usize,
    violations: Vec<String>,
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.scenarios += other.scenarios;
        self.positions += other.positions;
        self.cases += other.cases;
        self.felt += other.felt;
        self.commands += other.commands;
        self.violations.extend(other.violations);
    }

    #[expect(
        clippy::print_stderr,
        reason = "a long run should not keep it to itself"
    )]
    fn try_case(&mut self, bench: &mut Bench, case: &Case) -> bool {
        let (violations, felt) = bench.violations(case);
        self.cases += 1;
        self.felt += usize::from(felt);
        if self.cases.is_multiple_of(500) {
            eprintln!("… {} cases, {} runs", self.cases, bench.commands);
        }
        if !violations.is_empty() {
            let violation = format!("{case:?}\n  {}", violations.join("\n  "));
            eprintln!("VIOLATION {violation}");
            self.violations.push(violation);
        }
        felt
    }

    #[expect(clippy::print_stderr, reason = "its numbers are what it is run for")]
    fn report(&self, what: &str) {
        eprintln!(
            "{what}: {} scenarios, {} positions, {} cases ({} felt), {} runs of connplan, \
             violations: {}",
            self.scenarios,
            self.positions,
            self.cases,
            self.felt,
            self.commands,
            self.violations.len()
        );
        let shown = self.violations.iter().take(3).map(String::as_str);
        assert!(
            self.violations.is_empty(),
            "{}",
            shown.collect::<Vec<_>>().join("\n\n")
        );
    }
}

/// Splits numbered work among threads; each takes the next number that nobody has taken.
/// Ends when the numbers are used up, or after so many runs of connplan.
fn in_parallel(
    count: usize,
    runs: usize,
    shared: &Shared,
    work: impl Fn(&mut Bench, usize, &mut Tally) + Sync,
) -> Tally {
    let (next, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let mut all = Tally::default();
    thread::scope(|scope| {
        let threads: Vec<_> = (0..workers())
            .map(|_| {
                scope.spawn(|| {
                    let (mut bench, mut tally) = (Bench::new(shared), Tally::default());
                    loop {
                        let number = next.fetch_add(1, Ordering::Relaxed);
                        let enough = done.load(Ordering::Relaxed) >= runs;
                        if number >= count || enough || tally.violations.len() > 20 {
                            break;
                        }
                        let before = bench.commands;
                        work(&mut bench, number, &mut tally);
                        done.fetch_add(bench.commands - before, Ordering::Relaxed);
                    }
                    tally.commands = bench.commands;
                    tally
                })
            })
            .collect();
        for thread in threads {
            all.add(thread.join().expect("a worker failed"));
        }
    });
    all
}

#[test]
#[ignore = "minutes; run by .ci/run"]
fn every_fault_at_every_position() {
    let most = from_environment("CONNPLAN_FAULT_CONNECTORS").unwrap_or(2);
    let work = every::work(usize::try_from(most).expect("a sane number"));
    let tally = in_parallel(
        work.len(),
        usize::MAX,
        &Shared::from_environment(),
        |bench, number, tally| {
            let (scenario, verb) = &work[number];
            every::fault(bench, scenario, *verb, tally);
        },
    );
    tally.report(&format!(
        "every fault at every position, up to {most} connectors"
    ));
}

fn at_random_cases(count: usize, runs: usize, seed: u64, most: usize, shared: &Shared) -> Tally {
    in_parallel(count, runs, shared, |bench, number, tally| {
        let case = random::case(seed.wrapping_add(number as u64), bench, most);
        tally.scenarios += 1;
        tally.try_case(bench, &case);
    })
}

#[expect(
    clippy::disallowed_methods,
    reason = "how a person asks a test for more"
)]
fn from_environment(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[test]
#[ignore = "a minute, and as long as one likes; run by .ci/run"]
fn at_random() {
    let runs = from_environment("CONNPLAN_FAULT_RUNS").unwrap_or(2000);
    let seed = from_environment("CONNPLAN_FAULT_SEED").unwrap_or(1);
    let runs = usize::try_from(runs).expect("a sane number");
    let tally = at_random_cases(usize::MAX, runs, seed, 7, &Shared::from_environment());
    tally.report(&format!("faults at random, seed {seed}"));
}

fn sequences(count: usize, seed: u64, most: usize) -> Tally {
    in_parallel(
        count,
        usize::MAX,
        &Shared::from_environment(),
        |bench, number, tally| {
            let case = random::sequence(seed.wrapping_add(number as u64), bench, most);
            tally.scenarios += 1;
            tally.try_case(bench, &case);
        },
    )
}

#[test]
#[ignore = "minutes, and as long as one likes; run by .ci/run"]
fn sequences_at_random() {
    let count = from_environment("CONNPLAN_FAULT_SEQUENCES").unwrap_or(2000);
    let seed = from_environment("CONNPLAN_FAULT_SEED").unwrap_or(1);
    let count = usize::try_from(count).expect("a sane number");
    let tally = sequences(count, seed, 5);
    tally.report(&format!(
        "logins, signals, full disks and false answers, seed {seed}"
    ));
}

#[test]
#[ignore = "a second of CPU time, or more: run by .ci/run"]
fn a_sample_of_sequences() {
    sequences(10, 7, 2).report("a sample of sequences, seed 7");
}

#[test]
fn a_sample_of_faults() {
    at_random_cases(4, usize::MAX, 7, 2, &Shared::Nowhere).report("a sample of faults, seed 7");
}

#[test]
#[ignore = "ten seconds; run by .ci/run"]
fn a_sample_of_faults_with_a_git_store() {
    at_random_cases(usize::MAX, 5, 7, 2, &Shared::Git)
        .report("a sample of faults with a git store, seed 7");
}

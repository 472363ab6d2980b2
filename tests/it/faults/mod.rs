//! Whatever happens, connplan knows what it did, says so, and the same command finishes the job.
//!
//! A model of the remote in this process, the real binary, and for every position in a run's
//! requests every fault: then the same command again, and the law (see `law`) has to hold. Crashes
//! between any two steps that reach the disk come from a switch that only debug builds have.
//!
//! `cargo test` runs a sample. The rest is run by name, and prints its numbers:
//!
//! ```text
//! cargo test --test it faults:: -- --ignored --nocapture
//! CONNPLAN_FAULT_RUNS=100000 cargo test --test it faults::at_random -- --ignored --nocapture
//! ```

mod law;
mod model;
mod run;
mod scenario;
mod server;

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use run::{Bench, Blow, Case, Verb};
use scenario::{Kind, Scenario, Stripe};
use server::{Fault, Trouble};

/// As many at once as the machine has processors; each has a server of its own.
fn workers() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
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
    fn try_case(&mut self, bench: &mut Bench, case: &Case) {
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
    work: impl Fn(&mut Bench, usize, &mut Tally) + Sync,
) -> Tally {
    let (next, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let mut all = Tally::default();
    thread::scope(|scope| {
        let threads: Vec<_> = (0..workers())
            .map(|_| {
                scope.spawn(|| {
                    let (mut bench, mut tally) = (Bench::new(), Tally::default());
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

/// Every fault at every position, once and lasting, and every crash.
fn everything(bench: &mut Bench, scenario: &Scenario, verb: Verb, tally: &mut Tally) {
    let calm = bench.calm(scenario, verb);
    tally.scenarios += 1;
    tally.positions += calm.ran.asked.len();
    let mut blows = Vec::new();
    for at in 0..calm.ran.asked.len() {
        let once = Fault::ALL.map(|fault| (fault, false));
        // With three connectors a lasting fault shows nothing that it does not show with two, and
        // an authorization would wait for a second in each.
        let few = scenario.kinds.len() <= 2 && !verb.authorizes();
        let lasting = Fault::LASTING.map(|fault| (fault, true));
        let lasting = lasting.into_iter().filter(|_| few);
        blows.extend(
            once.into_iter()
                .chain(lasting)
                .map(|(fault, lasting)| Blow {
                    trouble: vec![Trouble { at, fault, lasting }],
                    crash_at: None,
                }),
        );
    }
    // The receipt of a run that crashes late is the last thing written; more steps there are not.
    blows.extend((1..=crashes(bench, scenario, verb)).map(|at| Blow {
        trouble: Vec::new(),
        crash_at: Some(at),
    }));
    for blow in blows {
        let case = Case {
            scenario: scenario.clone(),
            verb,
            parallelism: 1,
            blows: vec![blow],
        };
        tally.try_case(bench, &case);
    }
}

/// How many steps of this run reach the disk.
fn crashes(bench: &mut Bench, scenario: &Scenario, verb: Verb) -> usize {
    let crash = |bench: &mut Bench, at| {
        let blow = Blow {
            trouble: Vec::new(),
            crash_at: Some(at),
        };
        let case = Case {
            scenario: scenario.clone(),
            verb,
            parallelism: 1,
            blows: vec![blow],
        };
        bench.violations(&case).1
    };
    (1..200).take_while(|at| crash(bench, *at)).count()
}

#[test]
#[ignore = "minutes; run by .ci/run"]
fn every_fault_at_every_position() {
    let scenarios = Scenario::all(3);
    let mut work: Vec<(Scenario, Verb)> = Vec::new();
    for scenario in scenarios {
        work.push((scenario.clone(), Verb::Saved));
        if scenario.kinds.len() <= 1 {
            work.extend([Verb::Fresh, Verb::Push].map(|verb| (scenario.clone(), verb)));
        }
        let asks = scenario.stripe == Stripe::Absent && !scenario.kinds.contains(&Kind::Delete);
        if asks && scenario.kinds.len() <= 2 {
            let verbs = [Verb::Authorize, Verb::Renew];
            work.extend(verbs.map(|verb| (scenario.clone(), verb)));
        }
    }
    let tally = in_parallel(work.len(), usize::MAX, |bench, number, tally| {
        let (scenario, verb) = &work[number];
        everything(bench, scenario, *verb, tally);
    });
    tally.report("every fault at every position, up to three connectors");
}

/// A sequence of numbers that look random, and are the same for the same seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        // splitmix64
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let sides = u64::try_from(sides).expect("few sides");
        usize::try_from((z ^ (z >> 31)) % sides).expect("few sides")
    }

    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.roll(of.len())]
    }
}

fn random_case(seed: u64, bench: &mut Bench, most: usize) -> Case {
    let mut dice = Dice(seed);
    let mut kinds: Vec<_> = (0..=dice.roll(most))
        .map(|_| dice.one(&Kind::ALL))
        .collect();
    let stripes = [
        Stripe::Absent,
        Stripe::Install,
        Stripe::Remove,
        Stripe::Stays,
    ];
    let stripe = dice.one(&stripes);
    let verb = dice.one(&Verb::ALL);
    kinds.sort_unstable();
    let scenario = Scenario { kinds, stripe };
    let positions = bench.calm(&scenario, verb).ran.asked.len();
    let blows = (0..=dice.roll(3)).map(|_| {
        if dice.roll(4) == 0 {
            return Blow {
                trouble: Vec::new(),
                crash_at: Some(1 + dice.roll(12)),
            };
        }
        let trouble = (0..=dice.roll(3)).map(|_| {
            let fault = dice.one(&Fault::ALL);
            let slow = matches!(fault, Fault::Hang | Fault::HangAfter) || verb.authorizes();
            let lasting = !slow && dice.roll(3) == 0;
            Trouble {
                at: dice.roll(positions + 2),
                fault,
                lasting,
            }
        });
        Blow {
            trouble: trouble.collect(),
            crash_at: None,
        }
    });
    let blows = blows.collect();
    Case {
        scenario,
        verb,
        parallelism: 1 + dice.roll(4),
        blows,
    }
}

fn at_random_cases(runs: usize, seed: u64, most: usize) -> Tally {
    in_parallel(usize::MAX, runs, |bench, number, tally| {
        let case = random_case(seed.wrapping_add(number as u64), bench, most);
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
    let tally = at_random_cases(runs, seed, 7);
    tally.report(&format!("faults at random, seed {seed}"));
}

#[test]
fn a_sample_of_faults() {
    at_random_cases(200, 7, 2).report("a sample of faults, seed 7");
}

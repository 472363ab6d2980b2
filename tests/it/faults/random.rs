//! Cases by dice: more connectors, more faults at once, several runs that fail.

use rustix::process::Signal;

use super::{
    run::{Bench, Blow, Case, Renewing},
    scenario::{Kind, Scenario, Stripe},
    server::{Fault, Trouble},
    verb::Verb,
};

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

/// The case of this number; the same one each time.
pub fn case(seed: u64, bench: &mut Bench, most: usize) -> Case {
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
                ..Blow::default()
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
            ..Blow::default()
        }
    });
    let blows = blows.collect();
    let stranger =
        (verb == Verb::Saved && dice.roll(8) == 0).then(|| dice.roll(scenario.kinds.len()));
    Case {
        scenario,
        verb,
        parallelism: 1 + dice.roll(4),
        blows,
        stranger,
        login: None,
    }
}

/// A sequence of this number: a login that is renewed on the way, and in each run a signal, a full
/// disk, answers that are false, a network that is down, or another connplan at the same time.
pub fn sequence(seed: u64, bench: &mut Bench, most: usize) -> Case {
    let mut case = case(seed, bench, most);
    let mut dice = Dice(!seed);
    let positions = bench.calm(&case.scenario, case.verb).ran.asked.len();
    let login = Renewing {
        due: dice.roll(2) == 0,
        lifetime: dice.one(&[30, 3600]),
        pause: dice.one(&[0, 3, 40]),
    };
    // Who says twice that a scope is in force and lists it not is a platform that drops it.
    let mut lied = false;
    let blows = (0..=dice.roll(3)).map(|_| {
        let mut blow = Blow::default();
        let trouble = |dice: &mut Dice, faults: &[Fault]| Trouble {
            at: dice.roll(positions + 3),
            fault: dice.one(faults),
            lasting: false,
        };
        for _ in 0..dice.roll(3) {
            blow.trouble.push(trouble(&mut dice, &Fault::MILD));
        }
        blow.twin = dice.roll(6) == 0;
        match dice.roll(4) {
            0 | 1 => {
                let signals = [Signal::INT, Signal::TERM, Signal::HUP];
                let after = dice.roll(120_000);
                let after = u64::try_from(after).expect("a moment");
                blow.signal = Some((dice.one(&signals), after));
            }
            2 => blow.disk = Some(dice.roll(12_000)),
            _ if std::mem::replace(&mut lied, true) => {}
            _ => {
                let lie = trouble(&mut dice, &Fault::FALSE);
                blow.trouble.push(lie);
            }
        }
        blow
    });
    case.blows = blows.collect();
    case.login = Some(login);
    case
}

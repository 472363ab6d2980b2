//! Every case there is of up to so many connectors: each fault at each position, and each crash.

use super::{
    Tally,
    run::{Bench, Blow, Case},
    scenario::{Kind, Scenario},
    server::{Fault, Trouble},
    verb::Verb,
};

/// Every scenario with every command that has something to do in it.
pub fn work(most: usize) -> Vec<(Scenario, Verb)> {
    let scenarios = Scenario::all(most);
    let with_verbs = scenarios.into_iter().flat_map(|scenario| {
        let verbs = Verb::ALL
            .into_iter()
            .filter(|verb| !verb.authorizes() || scenario.kinds.iter().copied().any(Kind::asks));
        let verbs: Vec<_> = verbs.collect();
        verbs.into_iter().map(move |verb| (scenario.clone(), verb))
    });
    with_verbs.collect()
}

/// Every fault at every position, once and lasting, and every crash, alone and with somebody else
/// changing something before the next run.
pub fn fault(bench: &mut Bench, scenario: &Scenario, verb: Verb, tally: &mut Tally) {
    let calm = bench.calm(scenario, verb);
    tally.scenarios += 1;
    tally.positions += calm.ran.asked.len();
    let case = |trouble, crash_at, stranger| Case {
        scenario: scenario.clone(),
        verb,
        parallelism: 1,
        blows: vec![Blow {
            trouble,
            crash_at,
            ..Blow::default()
        }],
        stranger,
        login: None,
    };
    for at in 0..calm.ran.asked.len() {
        let once = Fault::ALL.map(|fault| Trouble {
            at,
            fault,
            lasting: false,
        });
        // An authorization would wait for seconds in each.
        let lasting = Fault::LASTING.map(|fault| Trouble {
            at,
            fault,
            lasting: true,
        });
        let lasting = lasting.into_iter().filter(|_| !verb.authorizes());
        for trouble in once.into_iter().chain(lasting) {
            tally.try_case(bench, &case(vec![trouble], None, None));
        }
    }
    // Later and later, until the run ends before it would crash.
    for at in 1.. {
        if !tally.try_case(bench, &case(Vec::new(), Some(at), None)) {
            assert!(
                at > 1 || verb == Verb::Pull,
                "connplan was built without the switch for crashes"
            );
            break;
        }
        if verb == Verb::Saved {
            for number in 0..scenario.kinds.len() {
                tally.try_case(bench, &case(Vec::new(), Some(at), Some(number)));
            }
        }
    }
}

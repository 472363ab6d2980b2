//! The catalogue as the rest of the program uses it.

use std::time::{Duration, Instant};

use connplan::{
    catalogue::{self, ScopeEquivalence},
    model::{ConnectorType, Scopes},
};

#[test]
fn every_offered_scope_is_found_again_by_its_name() {
    for connector in catalogue::connectors() {
        for offered in catalogue::facts(connector) {
            assert_eq!(catalogue::fact(connector, offered.scope), Some(offered));
        }
    }
}

/// A plan of twelve connectors with fifty scopes each must not feel the catalogue. The bound is a
/// hundred times what it takes, so that a busy machine does not fail it.
#[test]
fn looking_up_and_comparing_is_quick() {
    let connectors = [
        "hubspot",
        "gmail",
        "googledrive",
        "slack",
        "outlook",
        "github",
    ];
    let begun = Instant::now();
    let mut looked_up = 0;
    for name in connectors.iter().cycle().take(12) {
        let connector = ConnectorType::parse(*name).expect("a type");
        let scopes: Scopes = catalogue::facts(name).take(50).map(|f| f.scope).collect();
        for scope in scopes.iter() {
            assert!(catalogue::fact(name, scope.as_str()).is_some());
            looked_up += 1;
        }
        assert!(
            ScopeEquivalence::default()
                .compare(&connector, &scopes, &scopes)
                .is_same()
        );
    }
    let took = begun.elapsed();
    println!("{looked_up} scopes looked up and 12 sets compared in {took:?}");
    assert!(took < Duration::from_secs(1), "{took:?}");
}

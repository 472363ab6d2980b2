//! How many cases a property is tried with.

use proptest::prelude::ProptestConfig;

/// So many, or `PROPTEST_CASES`: `.ci/run` tries more.
pub(crate) fn cases(quick: u32) -> ProptestConfig {
    let asked = std::env::var_os("PROPTEST_CASES").is_some();
    let default = ProptestConfig::default();
    ProptestConfig {
        cases: if asked { default.cases } else { quick },
        ..default
    }
}

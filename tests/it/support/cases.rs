//! How many cases are tried.

use proptest::prelude::ProptestConfig;

/// Whether everything is tried, as `.ci/run` does, and not a sample.
pub(crate) fn all_cases() -> bool {
    std::env::var_os("PROPTEST_CASES").is_some()
}

/// All of them, or each so-manieth.
pub(crate) fn sample<T>(all: impl IntoIterator<Item = T>, step: usize) -> impl Iterator<Item = T> {
    all.into_iter().step_by(if all_cases() { 1 } else { step })
}

/// So many, or `PROPTEST_CASES`: `.ci/run` tries more.
pub(crate) fn cases(quick: u32) -> ProptestConfig {
    let default = ProptestConfig::default();
    ProptestConfig {
        cases: if all_cases() { default.cases } else { quick },
        ..default
    }
}

//! What a GitHub runner collects from files that it names: the step's summary and its outputs.

use std::fmt::Write as _;

/// The most bytes of one step's summary; GitHub drops all of a longer one.
pub const SUMMARY_LIMIT: usize = 1024 * 1024;

/// Outputs of a step, as lines for the file that `GITHUB_OUTPUT` names. Values hold no line break.
pub fn outputs(values: &[(&str, &str)]) -> String {
    let mut out = String::new();
    for (name, value) in values {
        // A line break would begin another output.
        let value: String = value.chars().filter(|c| !c.is_control()).collect();
        let _ = writeln!(out, "{name}={value}");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_output_is_one_line() {
        let text = outputs(&[("digest", "sha256:1"), ("plan", "a\nforged=1")]);
        assert_eq!(text, "digest=sha256:1\nplan=aforged=1\n");
    }
}

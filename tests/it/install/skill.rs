//! The skill for coding agents and the pre-commit hook, held to the grammar.

use std::{fs, path::Path};

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// Every command line of a text: what stands in backticks or on a line of its own.
fn commands(text: &str) -> Vec<String> {
    let quoted = text.split('`').skip(1).step_by(2);
    let lines = text.lines();
    let all = quoted.chain(lines).map(str::trim);
    let all = all.filter(|line| line.starts_with("connplan ") && !line.contains('\n'));
    all.map(str::to_owned).collect()
}

/// Whether the grammar takes it: the command is one, and each of its options.
fn check(line: &str) {
    let mut grammar = connplan::cli::Cli::grammar();
    grammar.build();
    let mut words = line.split_whitespace().skip(1);
    let name = words.next().unwrap();
    let command = grammar.find_subcommand(name);
    let command = command.unwrap_or_else(|| panic!("{line}: no command `{name}`"));
    for option in words.filter(|word| word.starts_with("--")) {
        let option = option.trim_start_matches('-');
        let known = command
            .get_arguments()
            .any(|arg| arg.get_long() == Some(option));
        assert!(known, "{line}: `{name}` has no --{option}");
    }
}

#[test]
fn the_skill_names_only_what_there_is() {
    let text = read(".github/skills/connplan/SKILL.md");
    assert!(text.starts_with("---\nname: connplan\ndescription: "));
    let commands = commands(&text);
    assert!(commands.len() > 12, "{commands:?}");
    for line in &commands {
        check(line);
    }
    // Options that stand alone are some command's.
    let mut grammar = connplan::cli::Cli::grammar();
    grammar.build();
    for word in text.split('`').skip(1).step_by(2) {
        if let Some(option) = word.strip_prefix("--") {
            let known = grammar
                .get_subcommands()
                .flat_map(clap::Command::get_arguments)
                .any(|arg| arg.get_long() == Some(option));
            assert!(known, "no command has --{option}");
        }
    }
}

#[test]
fn the_hook_runs_a_command_that_there_is() {
    let hooks: serde_json::Value = serde_saphyr::from_str(&read(".pre-commit-hooks.yaml")).unwrap();
    check(hooks[0]["entry"].as_str().unwrap());
    assert_eq!(hooks[0]["pass_filenames"], false);
}

//! In a terminal: questions, keys, links.

use crate::cli::{Platform, Project, Pty};

#[test]
fn only_yes_is_yes() {
    let platform = Platform::start();
    let project = Project::new()
        .at(&platform)
        .connector("slack", &["chat:write"]);
    for answer in ["y", "Yes", "YES", "no", "", "yes please"] {
        let mut terminal = Pty::start(&project, &["apply"]);
        terminal.wait_for("Only 'yes' is accepted: ").line(answer);
        let (code, seen) = terminal.end();
        assert_eq!(code, 1, "{answer:?}: {seen}");
        assert!(seen.contains("cancelled"), "{seen}");
    }
    assert_eq!(platform.writes(), [] as [&str; 0]);
    let mut terminal = Pty::start(&project, &["apply"]);
    terminal.wait_for("Only 'yes' is accepted: ").line("yes");
    let (code, seen) = terminal.end();
    assert_eq!(code, 0, "{seen}");
    assert_eq!(platform.writes(), ["PUT external-auth/integrations/slack"]);
}

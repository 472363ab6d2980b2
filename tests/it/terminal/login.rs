//! `login` in a terminal: which browser it opens, and where none.

use crate::{
    sandbox::client::Site,
    support::{Project, Pty},
};

/// A browser named by `$BROWSER`: writes its address and whether it sees a credential.
const CHOSEN: &str = "printf '%s %s\\n' \"$1\" \"${BASE44_SPARE_TOKEN:-none}\" >> chosen\n";

#[tokio::test]
async fn the_browser_of_the_variable_goes_first() {
    let site = Site::new().await;
    let project = Project::new()
        .at_url(site.sandbox.api_url(), "")
        .file("browse.sh", CHOSEN)
        .var("BASE44_SPARE_TOKEN", "secret")
        .var("BROWSER", "/bin/sh browse.sh");
    tokio::task::spawn_blocking(move || {
        let mut terminal = Pty::start(&project, &["login"]);
        terminal.wait_for("confirm the code");
        for _ in 0..500 {
            if project.path("chosen").exists() {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        let chosen = project.read("chosen");
        assert!(chosen.contains("/sandbox/device"), "{chosen}");
        assert!(chosen.ends_with(" none\n"), "{chosen}");
        assert!(project.opened().is_empty());
        terminal.control('c');
        let (code, seen) = terminal.end();
        assert_eq!(code, 130, "{seen}");

        // At the other end of SSH too: an editor there forwards it to where somebody sits.
        let project = project.var("SSH_CONNECTION", "10.0.0.1 1 10.0.0.2 22");
        std::fs::remove_file(project.path("chosen")).unwrap();
        let mut terminal = Pty::start(&project, &["login"]);
        terminal.wait_for("confirm the code");
        for _ in 0..500 {
            if project.path("chosen").exists() {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        terminal.control('c');
        assert_eq!(terminal.end().0, 130);
        assert!(project.path("chosen").exists() && project.opened().is_empty());
        // But nobody sits at that machine's own screen.
        let project = project.var("BROWSER", "").var("DISPLAY", ":0");
        std::fs::remove_file(project.path("chosen")).unwrap();
        let mut terminal = Pty::start(&project, &["login"]);
        terminal.wait_for("confirm the code");
        std::thread::sleep(std::time::Duration::from_millis(300));
        terminal.control('c');
        assert_eq!(terminal.end().0, 130);
        assert!(!project.path("chosen").exists() && project.opened().is_empty());
    })
    .await
    .unwrap();
}

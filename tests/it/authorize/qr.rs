//! `--qr` as a phone sees it: drawn as a terminal draws it, read by two decoders.

use std::{
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

use crate::support::{Platform, Project, Pty};

/// What `OpenCV` and `ZXing` read.
fn read(shown: &str) -> Vec<(String, String)> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join(".ci/qr.py");
    let mut python = Command::new("python3")
        .arg(script)
        .env(
            "PYTHONPATH",
            std::env::var_os("CONNPLAN_QR_DECODERS").expect("CONNPLAN_QR_DECODERS is set"),
        )
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = python.stdin.take().unwrap();
    input.write_all(shown.as_bytes()).unwrap();
    drop(input);
    let output = python.wait_with_output().unwrap();
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    let pair = |line: &str| {
        let (opencv, zxing) = line.split_once('\t').unwrap();
        (opencv.to_owned(), zxing.to_owned())
    };
    text.lines().map(pair).collect()
}

#[test]
#[ignore = "needs OpenCV and ZXing for Python, in CONNPLAN_QR_DECODERS: run by .ci/run"]
fn two_decoders_read_the_links_off_the_terminal() {
    for colour in ["NO_COLOR", "FORCE_COLOR"] {
        let platform = Platform::start();
        let project = Project::new()
            .at(&platform)
            .var(colour, "1")
            .connector("linear", &["read"])
            .connector("slack", &["chat:write"]);
        project.run(&["apply", "--auto-approve"]).expect(0);
        let mut terminal = Pty::sized(&project, 60, 100, &["authorize", "--yes", "--qr"]);
        terminal.wait_for("Waiting for linear, slack").control('c');
        let (_, seen) = terminal.end();
        let mut links: Vec<_> = seen
            .split_whitespace()
            .filter(|word| word.starts_with("http") && word.contains("/sandbox/consent/"))
            .map(str::to_owned)
            .collect();
        links.dedup();
        assert_eq!(links.len(), 2, "{seen}");
        let read = read(&seen);
        let both: Vec<_> = links
            .iter()
            .map(|link| (link.clone(), link.clone()))
            .collect();
        assert_eq!(read, both, "{colour}");
    }
}

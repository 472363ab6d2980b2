//! The examples of README.md's section "Reference", kept true: every `$ connplan …` of its console
//! blocks is run, in their order, in one project against one sandbox, and has to say what stands
//! there.
//!
//! A line `…` stands for any number of lines. Addresses, keys, times, ids and digests are written
//! alike on both sides.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test ends at the first surprise"
)]

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::Stdio,
};

use connplan::sandbox::{Options, Seed};

use crate::{
    sandbox::client::Site,
    support::{Project, blessing, differs},
};

const HEADING: &str = "## Reference";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// One command and what it says.
#[derive(Debug)]
struct Example {
    command: String,
    said: String,
}

/// A part of the section: text, or a console block.
#[derive(Debug)]
enum Part {
    Text(String),
    Console(Vec<Example>),
}

fn parse(section: &str) -> Vec<Part> {
    let mut parts = vec![Part::Text(String::new())];
    let mut inside = false;
    for line in section.split_inclusive('\n') {
        let bare = line.trim_end();
        if !inside && bare == "```console" {
            inside = true;
            parts.push(Part::Console(Vec::new()));
            continue;
        }
        if inside && bare == "```" {
            inside = false;
            parts.push(Part::Text(String::new()));
            continue;
        }
        match parts.last_mut().unwrap() {
            Part::Text(text) => text.push_str(line),
            Part::Console(examples) => {
                if let Some(command) = line.strip_prefix("$ ") {
                    examples.push(Example {
                        command: command.trim_end().to_owned(),
                        said: String::new(),
                    });
                } else {
                    let example = examples.last_mut().expect("a command before its output");
                    example.said.push_str(line);
                }
            }
        }
    }
    parts
}

fn render(parts: &[Part]) -> String {
    let mut text = String::new();
    for part in parts {
        match part {
            Part::Text(plain) => text.push_str(plain),
            Part::Console(examples) => {
                text.push_str("```console\n");
                for example in examples {
                    let Example { command, said } = example;
                    text.extend(["$ ", command, "\n", said]);
                }
                text.push_str("```\n");
            }
        }
    }
    text
}

/// What differs from run to run, written alike.
struct Alike {
    url: String,
    key: String,
    folder: String,
}

impl Alike {
    fn write(&self, text: &str) -> String {
        let text = text
            .replace(&self.url, "http://127.0.0.1:4400")
            .replace(&self.key, "b44k_sandbox_…")
            .replace(&format!("/private{}", self.folder), "~/shop")
            .replace(&self.folder, "~/shop");
        let mut out = String::new();
        for line in text.split_inclusive('\n') {
            let words = line.split_inclusive(' ').map(|word| {
                let plain = word.trim_end_matches([' ', '\n', ')', '.', ';', ',', '"', ':']);
                let plain = plain.trim_start_matches(['"', '(']);
                match same(plain) {
                    Some(same) => word.replacen(plain, same, 1),
                    None => word.to_owned(),
                }
            });
            let line: String = words.collect();
            // Columns after a time are as wide as they are.
            out.push_str(line.trim_end());
            out.push('\n');
        }
        for minutes in ["1 minute", "2 minutes", "3 minutes"] {
            out = out.replace(&format!("{minutes} ago"), "just now");
        }
        milliseconds(&out)
    }
}

fn same(word: &str) -> Option<&'static str> {
    let hex = |text: &str| text.bytes().all(|b| b.is_ascii_hexdigit());
    if word
        .strip_prefix("sha256:")
        .is_some_and(|rest| rest.len() > 8 && hex(rest))
    {
        return Some("sha256:9f86d0…");
    }
    if word.starts_with("SHA256:") {
        return Some("SHA256:Zm9vYmFy…");
    }
    if word.len() == 36 && word.split('-').map(str::len).eq([8, 4, 4, 4, 12]) {
        return Some("5b0a6c1e-…");
    }
    if (20..=30).contains(&word.len()) && word.ends_with('Z') && word.get(4..5) == Some("-") {
        return Some("2026-01-31T12:00:00Z");
    }
    let code = |part: &str| part.len() == 4 && part.bytes().all(|b| b.is_ascii_uppercase());
    if word.len() == 9 && word.split('-').all(code) {
        return Some("ABCD-WXYZ");
    }
    None
}

fn milliseconds(text: &str) -> String {
    let mut out = String::new();
    let mut words = text.split_inclusive(' ').peekable();
    while let Some(word) = words.next() {
        let next = words.peek().map(|next| next.trim_end());
        let number = word.trim_end();
        if next == Some("ms") && !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()) {
            out.push_str("2 ");
        } else {
            out.push_str(word);
        }
    }
    out
}

/// Whether `said` is `expected`, a line `…` of which stands for any lines.
fn agrees(expected: &str, said: &str) -> bool {
    fn lines(expected: &[&str], said: &[&str]) -> bool {
        match expected.split_first() {
            None => said.is_empty(),
            Some((&"…", rest)) => (0..=said.len()).any(|n| lines(rest, &said[n..])),
            Some((first, rest)) => said.first() == Some(first) && lines(rest, &said[1..]),
        }
    }
    let expected: Vec<_> = expected.lines().collect();
    let said: Vec<_> = said.lines().collect();
    lines(&expected, &said)
}

/// The words of a command line; quotes group.
fn words(command: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quoted = false;
    for c in command.chars() {
        match c {
            '\'' => quoted = !quoted,
            ' ' if !quoted => words.push(String::new()),
            c => words.last_mut().unwrap().push(c),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Runs one command as a shell would, both streams into one pipe, as a terminal shows them.
async fn run(project: &Project, site: &Site, command: &str) -> String {
    let command = command.split(" #").next().unwrap().trim();
    let (command, target) = match command.split_once(" > ") {
        Some((command, target)) => (command, Some(target)),
        None => (command, None),
    };
    let words = words(command);
    let mut words: Vec<_> = words.iter().map(String::as_str).collect();
    assert_eq!(words.remove(0), "connplan", "{command}");
    if words.first() == Some(&"sandbox") {
        // Its port may be another's here, and it does not end by itself.
        words.retain(|word| !matches!(*word, "--port" | "4400"));
    }
    let (reader, writer) = std::io::pipe().unwrap();
    let mut process = project.command(&words);
    process.stderr(writer.try_clone().unwrap());
    // The pipe ends when nothing holds its other end any more, this function included.
    if let Some(file) = target {
        process.stdout(std::fs::File::create(project.path(file)).unwrap());
        drop(writer);
    } else {
        process.stdout(writer);
    }
    let login = ["login", "whoami", "logout"];
    if words.first().is_some_and(|word| login.contains(word)) {
        process.env_remove("BASE44_API_KEY");
    }
    process.stdin(Stdio::null());
    let mut child = process.spawn().unwrap();
    drop(process);
    let (sender, mut lines) = tokio::sync::mpsc::channel(64);
    std::thread::spawn(move || {
        for line in BufReader::new(reader).lines().map_while(Result::ok) {
            if sender.blocking_send(line).is_err() {
                return;
            }
        }
    });
    let mut said = String::new();
    while let Some(line) = lines.recv().await {
        if let Some(code) = line.strip_prefix("    ")
            && words.first() == Some(&"login")
        {
            let known = site.sandbox.approve_device(code.trim(), "ada@example.com");
            assert!(known.await.unwrap());
        }
        said.push_str(&line);
        said.push('\n');
        if line.ends_with("Ctrl-C ends it.") {
            child.kill().unwrap();
        }
    }
    tokio::task::spawn_blocking(move || child.wait())
        .await
        .unwrap()
        .unwrap();
    said
}

/// The demo's project and app.
async fn shop() -> (Site, Project) {
    let seed = Seed::read(&root().join("fixtures/demo/seed.json")).unwrap();
    let site = Site::with(Options {
        seed: Some(seed),
        ..Options::default()
    })
    .await;
    let project = Project::new()
        .at_url(site.sandbox.api_url(), site.sandbox.api_key().expose())
        .var("TERM", "dumb")
        .without_var("COLUMNS")
        .file("base44/config.jsonc", "{ \"name\": \"Corner Shop\" }\n");
    for entry in std::fs::read_dir(root().join("fixtures/demo/project/base44/connectors")).unwrap()
    {
        let entry = entry.unwrap();
        let text = std::fs::read_to_string(entry.path()).unwrap();
        let name = entry.file_name().into_string().unwrap();
        project.write(&format!("base44/connectors/{name}"), &text);
    }
    project.write("base44/.app.jsonc", "{ \"id\": \"demo-app\" }\n");
    let ssh = project.home().join(".ssh");
    std::fs::create_dir(&ssh).unwrap();
    let made = std::process::Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-f"])
        .arg(ssh.join("id_ed25519"))
        .status();
    assert!(made.unwrap().success());
    (site, project)
}

#[tokio::test]
async fn every_example_of_the_reference_is_true() {
    let path = root().join("README.md");
    let readme = std::fs::read_to_string(&path).unwrap();
    let start = readme
        .find(&format!("\n{HEADING}\n"))
        .expect("README.md has a section `Reference`")
        + 1;
    let length = readme[start + HEADING.len()..].find("\n## ");
    let end = length.map_or(readme.len(), |length| start + HEADING.len() + length + 1);
    let mut parts = parse(&readme[start..end]);
    let (site, project) = shop().await;
    let folder = std::fs::canonicalize(project.root()).unwrap();
    let alike = Alike {
        url: site.sandbox.api_url().to_owned(),
        key: site.sandbox.api_key().expose().to_owned(),
        folder: folder.display().to_string(),
    };
    let mut wrong = Vec::new();
    let mut seen = std::collections::BTreeSet::new();
    for part in &mut parts {
        let Part::Console(examples) = part else {
            continue;
        };
        for example in examples {
            let command = words(&example.command).into_iter().nth(1);
            seen.insert(command.unwrap_or_default());
            let said = run(&project, &site, &example.command).await;
            let said = own_sandbox(&alike.write(&said));
            if !agrees(&example.said, &said) {
                wrong.push(format!(
                    "$ {}\n{said}--- stands there:\n{}",
                    example.command, example.said
                ));
                example.said = said;
            }
        }
    }
    if blessing() {
        let section = render(&parts);
        let text = format!("{}{section}{}", &readme[..start], &readme[end..]);
        assert_eq!(differs(&path, &text), None);
        return;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    let help = run(&project, &site, "connplan -h").await;
    let commands = help.split("Commands:\n").nth(1).unwrap();
    for line in commands.split("\n\n").next().unwrap().lines() {
        let name = line.trim().split(' ').next().unwrap_or_default();
        let known = seen.contains(name) || name == "help" || !line.starts_with("  ");
        assert!(
            known || line.starts_with("   "),
            "`{name}` has no example in README.md's section `Reference`"
        );
    }
}

/// A sandbox that an example started has an address and a key of its own.
fn own_sandbox(said: &str) -> String {
    let mut text = said.to_owned();
    if let Some(url) = said.lines().find_map(|l| l.strip_prefix("BASE44_API_URL=")) {
        text = text.replace(url, "http://127.0.0.1:4400");
    }
    let key = said.lines().find_map(|l| l.split_once(" BASE44_API_KEY="));
    if let Some((_, key)) = key {
        text = text.replace(key, "b44k_sandbox_…");
    }
    text
}

#[test]
fn a_line_of_dots_stands_for_any_lines() {
    assert!(agrees("a\n…\nd\n", "a\nb\nc\nd\n"));
    assert!(agrees("…\n", ""));
    assert!(!agrees("a\n…\nd\n", "a\nb\nc\n"));
    assert!(!agrees("a\n", "a\nb\n"));
}

//! `authorize` in a pseudo-terminal: the question, the keys, the links, the picture of a link, and
//! the page that it serves, as a browser and as somebody else's page would ask for it.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    thread,
    time::{Duration, Instant},
};

use serde_json::json;

use crate::support::{Platform, Project, Pty, follow, reads};

/// Two connectors that wait.
fn waiting(platform: &Platform) -> Project {
    let project = Project::new()
        .at(platform)
        .connector("hubspot", &["crm.objects.contacts.read"])
        .connector("slackbot", &["chat:write"])
        .var("NO_COLOR", "1");
    project.run(&["apply", "-y"]).expect(0);
    project
}

fn waits(project: &Project, connector: &str) -> bool {
    let store = project.state("pending.toml");
    fs::read_to_string(store).is_ok_and(|text| text.contains(&format!("\"{connector}\"")))
}

#[test]
fn no_is_an_answer_and_changes_nothing() {
    let platform = Platform::start();
    let project = waiting(&platform);
    let mut terminal = Pty::start(&project, &["authorize"]);
    terminal
        .wait_for("chat:write")
        .wait_for("Open browser to authorize now?")
        .line("n");
    let (code, seen) = terminal.end();
    assert_eq!(code, 4, "{seen}");
    reads!(console::strip_ansi_codes(&seen).into_owned());
    assert_eq!(project.opened(), [] as [&str; 0]);
    assert!(waits(&project, "slackbot") && waits(&project, "hubspot"));
}

#[test]
fn escape_skips_the_one_in_front_and_no_other() {
    let platform = Platform::start();
    let project = waiting(&platform);
    let mut terminal = Pty::start(&project, &["authorize", "--no-browser", "--yes"]);
    terminal
        .wait_for("Waiting for hubspot, slackbot. Esc skips hubspot, Ctrl-C ends")
        .wait_for_keys()
        // An arrow begins with the same byte, and is none.
        .press("\u{1b}[A")
        .press("x");
    thread::sleep(Duration::from_millis(300));
    terminal
        .press("\u{1b}")
        .wait_for("hubspot skipped; still pending");
    terminal.wait_for("Waiting for slackbot. Esc skips slackbot.");
    platform.consent("slackbot", "ada@example.com");
    let (code, seen) = terminal.end();
    assert_eq!(code, 4, "{seen}");
    assert!(
        seen.contains("`connplan authorize hubspot` resumes it"),
        "{seen}"
    );
    assert!(waits(&project, "hubspot") && !waits(&project, "slackbot"));
}

#[test]
fn ctrl_c_ends_it_and_leaves_the_terminal_as_it_was() {
    let platform = Platform::start();
    let project = waiting(&platform);
    let mut terminal = Pty::start(&project, &["authorize", "--yes"]);
    terminal
        .wait_for("Waiting for hubspot, slackbot.")
        .wait_for_keys();
    terminal.control('c').wait_for("Interrupted: nothing new");
    for _ in 0..200 {
        if terminal.is_line_by_line() {
            break;
        }
        thread::sleep(Duration::from_millis(20));
    }
    assert!(terminal.is_line_by_line(), "the terminal is as it was");
    let (code, seen) = terminal.end();
    assert_eq!(code, 130, "{seen}");
    assert!(waits(&project, "slackbot") && waits(&project, "hubspot"));
    project.run(&["authorize", "--list"]).expect(4);
}

#[test]
fn one_link_at_a_time() {
    let platform = Platform::start();
    let project = waiting(&platform);
    let mut terminal = Pty::start(&project, &["authorize", "--one-by-one", "--yes"]);
    terminal.wait_for("Waiting for hubspot.");
    assert_eq!(project.opens(1).len(), 1, "the second is not opened yet");
    platform.consent("hubspot", "ada@example.com");
    terminal.wait_for("Waiting for slackbot.");
    platform.consent("slackbot", "ada@example.com");
    let (code, seen) = terminal.end();
    assert_eq!(code, 0, "{seen}");
    assert_eq!(project.opens(2).len(), 2);
}

#[test]
fn over_ssh_the_links_are_in_the_terminal() {
    let platform = Platform::start();
    let project = waiting(&platform).var("SSH_CONNECTION", "192.0.2.1 1 192.0.2.2 22");
    let mut terminal = Pty::start(&project, &["authorize", "--timeout", "1s"]);
    terminal
        .wait_for("This is an SSH session")
        .wait_for("Show the links to authorize now?");
    terminal.line("");
    let (code, seen) = terminal.end();
    assert_eq!(code, 4, "{seen}");
    for (_, link) in platform.links() {
        assert!(seen.contains(&link), "no {link} in {seen}");
    }
    assert_eq!(project.opened(), [] as [&str; 0]);
}

#[test]
fn a_picture_of_the_link_if_there_is_room() {
    let platform = Platform::start();
    let project = waiting(&platform);
    let args = [
        "authorize",
        "slackbot",
        "--qr",
        "--yes",
        "--timeout",
        "1s",
        "--color",
        "never",
    ];
    let (_, wide) = Pty::sized(&project, 50, 100, &args).end();
    assert!(wide.contains('▄') && !wide.contains("\u{1b}[97"), "{wide}");
    let (_, narrow) = Pty::sized(&project, 50, 30, &args).end();
    assert!(!narrow.contains('▄'), "{narrow}");
    assert!(narrow.contains("terminal has fewer"), "{narrow}");
}

#[test]
fn colour_only_where_it_is_wanted() {
    let platform = Platform::start();
    let project = waiting(&platform);
    let args = ["authorize", "--no-browser", "--yes", "--timeout", "1s"];
    let (_, seen) = Pty::start(&project, &args).end();
    assert!(!seen.contains("\u{1b}["), "{seen:?}");
    let project = project.without_var("NO_COLOR");
    let (_, seen) = Pty::start(&project, &args).end();
    assert!(seen.contains("\u{1b}["), "{seen:?}");
}

#[test]
fn a_window_that_changes_its_size_disturbs_nothing() {
    let platform = Platform::start();
    let project = waiting(&platform);
    let mut terminal = Pty::start(&project, &["authorize", "--yes"]);
    terminal.wait_for("Waiting for hubspot, slackbot.");
    for (rows, columns) in [(5, 20), (50, 200), (1, 1), (24, 80)] {
        terminal.resize(rows, columns);
        thread::sleep(Duration::from_millis(60));
    }
    platform.consent("hubspot", "ada@example.com");
    platform.consent("slackbot", "ada@example.com");
    let (code, seen) = terminal.end();
    assert_eq!(code, 0, "{seen}");
}

/// Where the page is, by the address that the browser was given.
fn page(project: &Project) -> String {
    let address = project.opens(1).pop().unwrap();
    follow(&address)
}

/// Presses the button of a connector on the page; where it leads.
fn press(page: &str, connector: &str) -> String {
    follow(&format!("{page}open/{connector}"))
}

/// Sends a request as it stands, and reads the answer's head and what follows at once.
fn ask(address: &str, head: &str) -> String {
    let host = address.split('/').nth(2).unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(5)))
        .unwrap();
    write!(stream, "{head}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    answer
}

/// Every user of a machine may speak from any of its own addresses. Only root can be another user here.
#[cfg(target_os = "linux")]
#[test]
fn another_user_is_let_in_from_no_address_of_this_machine() {
    use std::{os::unix::process::CommandExt, process::Command};
    let platform = Platform::start();
    let project = waiting(&platform);
    let mut terminal = Pty::start(&project, &["authorize", "--yes"]);
    terminal.wait_for("Waiting for hubspot, slackbot.");
    let given = project.opens(1).pop().unwrap();
    for from in ["127.0.0.1", "127.0.0.2"] {
        let mut other = Command::new("curl");
        other.args(["-s", "-i", "--noproxy", "*", "--interface", from, &given]);
        let Ok(answer) = other.uid(65_534).gid(65_534).current_dir("/").output() else {
            break;
        };
        let answer = String::from_utf8_lossy(&answer.stdout).into_owned();
        assert!(answer.starts_with("HTTP/1.1 403"), "{from}: {answer}");
    }
    assert!(!follow(&given).contains("/once/"), "it is still good");
}

#[test]
fn the_page_answers_nobody_else() {
    let platform = Platform::start();
    let project = waiting(&platform);
    let mut terminal = Pty::start(&project, &["authorize", "--yes"]);
    terminal.wait_for("Waiting for hubspot, slackbot.");
    platform.forget();
    let given = project.opens(1).pop().unwrap();
    let address = page(&project);
    assert!(
        given.contains("/once/") && !address.contains("/once/"),
        "{given}"
    );
    assert_eq!(follow(&given), given, "it works once");
    assert!(address.starts_with("http://127.0.0.1:"), "{address}");
    let host = address.split('/').nth(2).unwrap().to_owned();
    let path = format!("/{}/", address.split('/').nth(3).unwrap());
    assert!(path.len() > 40, "{path}");

    let page = ask(&address, &format!("GET {path} HTTP/1.1\r\nHost: {host}"));
    assert!(page.starts_with("HTTP/1.1 200"), "{page}");
    for words in [
        "content-security-policy: default-src 'none'; script-src 'self'",
        "frame-ancestors 'none'",
        "x-frame-options: DENY",
        "referrer-policy: no-referrer",
        "cache-control: no-store",
        "href=\"open/slackbot\" target=\"_blank\" rel=\"noopener noreferrer\"",
    ] {
        assert!(page.contains(words), "no {words:?} in {page}");
    }
    assert!(!page.contains("ticket="), "{page}");

    let port = host.split(':').nth(1).unwrap();
    let refused = [
        format!("GET {path} HTTP/1.1\r\nHost: evil.example:{port}"),
        format!("GET {path} HTTP/1.1\r\nHost: localhost.evil.example:{port}"),
        format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nOrigin: http://evil.example"),
        format!("GET {path}events HTTP/1.1\r\nHost: {host}\r\nOrigin: null"),
        format!("GET {path}open/slackbot HTTP/1.1\r\nHost: {host}\r\nSec-Fetch-Site: cross-site"),
        format!(
            "POST {path}finish HTTP/1.1\r\nHost: {host}\r\nOrigin: https://evil.example\r\nContent-Length: 0"
        ),
    ];
    for request in refused {
        let answer = ask(&address, &request);
        assert!(answer.starts_with("HTTP/1.1 403"), "{request}: {answer}");
        assert!(!answer.contains("slackbot"), "{answer}");
    }
    // A forwarded port is another one.
    for forwarded in [format!("localhost:{port}"), "localhost:9".to_owned()] {
        let answer = ask(
            &address,
            &format!("GET {path} HTTP/1.1\r\nHost: {forwarded}"),
        );
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
    let strange = ask(
        &address,
        &format!("GET {path} HTTP/1.1\r\nHost: box.example"),
    );
    assert!(strange.contains("--page-host"), "{strange}");
    assert_eq!(
        platform.writes(),
        [] as [&str; 0],
        "nobody pressed anything"
    );
    for unknown in ["/", "/x/", "/favicon.ico", "/0000/open/slackbot"] {
        let answer = ask(&address, &format!("GET {unknown} HTTP/1.1\r\nHost: {host}"));
        assert!(answer.starts_with("HTTP/1.1 404"), "{unknown}: {answer}");
    }
    let open = ask(
        &address,
        &format!("GET {path}open/slackbot HTTP/1.1\r\nHost: {host}"),
    );
    assert!(open.starts_with("HTTP/1.1 303"), "{open}");
    let links = platform.links();
    let (_, link) = links.iter().find(|(name, _)| name == "slackbot").unwrap();
    assert!(open.contains(&format!("location: {link}")), "{open}");

    let finish = format!(
        "POST {path}finish HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\nContent-Length: 0"
    );
    assert!(ask(&address, &finish).starts_with("HTTP/1.1 200"));
    let (code, seen) = terminal.end();
    assert_eq!(code, 4, "{seen}");
    assert!(
        TcpStream::connect(&host).is_err(),
        "nobody listens any more"
    );
}

#[test]
fn what_was_declined_is_asked_for_again_on_the_page() {
    let platform = Platform::start();
    let project = waiting(&platform);
    let mut terminal = Pty::start(&project, &["authorize", "slackbot", "--yes"]);
    terminal.wait_for("Waiting for slackbot.");
    platform.forget();
    let page = page(&project);
    let first = press(&page, "slackbot");
    assert!(first.contains("ticket="), "{first}");
    assert_eq!(
        press(&page, "slackbot"),
        first,
        "a link that is good is not replaced"
    );
    assert_eq!(platform.writes().len(), 1);
    // Opened and declined: a person decides whether to ask again.
    platform.decide("slackbot", connplan::sandbox::Decision::Deny);
    terminal.wait_for("it can be asked for again on the page");
    let again = press(&page, "slackbot");
    assert!(again.contains("ticket=") && again != first, "{again}");
    platform.consent("slackbot", "ada@example.com");
    let (code, seen) = terminal.end();
    assert_eq!(code, 0, "{seen}");
    assert!(!seen.contains("ticket="), "{seen}");
    assert_eq!(platform.writes().len(), 2);
}

#[test]
fn after_five_minutes_the_button_asks_anew() {
    let platform = Platform::start();
    let project = waiting(&platform).var("__CONNPLAN_TEST_LINK_MS", "400");
    let mut terminal = Pty::start(&project, &["authorize", "slackbot", "--yes"]);
    terminal.wait_for("Waiting for slackbot.");
    let page = page(&project);
    let first = press(&page, "slackbot");
    terminal.wait_for("the link has expired after five minutes");
    let again = press(&page, "slackbot");
    assert!(again.contains("ticket=") && again != first, "{again}");
    platform.consent("slackbot", "ada@example.com");
    let (code, seen) = terminal.end();
    assert_eq!(code, 0, "{seen}");
}

#[test]
fn a_pipeline_with_a_terminal_is_a_pipeline() {
    let platform = Platform::start();
    let project = waiting(&platform).var("CI", "true");
    platform.forget();
    for flags in [
        &["--yes"][..],
        &["--yes", "--no-browser"],
        &["--yes", "--qr"],
    ] {
        let args = [&["authorize"][..], flags].concat();
        let (code, seen) = Pty::start(&project, &args).end();
        assert_eq!(code, 4, "{seen}");
        assert!(!seen.contains("ticket="), "{seen}");
    }
    assert_eq!(platform.writes(), [] as [&str; 0]);
    assert_eq!(project.opened(), [] as [&str; 0]);
}

#[test]
fn it_is_said_before_the_click_as_whose_it_is_recorded() {
    let platform = Platform::start();
    let project = waiting(&platform);
    let mut terminal = Pty::start(&project, &["authorize", "--yes"]);
    terminal
        .wait_for("Each connection is recorded as made by")
        .wait_for("Waiting for hubspot, slackbot.");
    let page = page(&project);
    let path = format!("/{}/", page.split('/').nth(3).unwrap());
    let host = page.split('/').nth(2).unwrap();
    let html = ask(&page, &format!("GET {path} HTTP/1.1\r\nHost: {host}"));
    assert!(
        html.contains("Each connection is recorded as made by"),
        "{html}"
    );
    assert!(html.contains("app-1"), "{html}");
    terminal.control('c');
    let (code, seen) = terminal.end();
    assert_eq!(code, 130, "{seen}");
    let said = "Interrupted: 0 of 2 connectors authorized; still pending: hubspot, slackbot;";
    assert_eq!(seen.matches(said).count(), 1, "{seen}");
}

#[test]
fn the_time_is_one_persons_time() {
    let platform = Platform::seeded(json!({}));
    let project = waiting(&platform);
    let began = Instant::now();
    let args = [
        "authorize",
        "--one-by-one",
        "--no-browser",
        "--yes",
        "--timeout",
        "1s",
    ];
    let (code, seen) = Pty::start(&project, &args).end();
    assert_eq!(code, 4, "{seen}");
    assert!(
        began.elapsed() < Duration::from_secs(8),
        "not once for each"
    );
    assert!(seen.contains("nobody consented in time"), "{seen}");
}

#[test]
fn two_who_authorize_the_same_replace_each_others_link_once_and_both_end_well() {
    let platform = Platform::start();
    let project = Project::new()
        .at(&platform)
        .connector("slackbot", &["chat:write"])
        .var("NO_COLOR", "1");
    let apply = ["apply", "--auto-approve", "--receipt", "x.receipt"];
    project.run(&apply).expect(0);
    let elsewhere = Project::nowhere()
        .at(&platform)
        .file("x.receipt", &project.read("x.receipt"))
        .var("NO_COLOR", "1");
    platform.forget();
    let digest = project.read("x.receipt");
    let digest = digest
        .lines()
        .find_map(|line| line.strip_prefix("digest = "));
    let digest = digest.unwrap().trim_matches('"').to_owned();
    let mut here = Pty::start(&project, &["authorize", "--yes"]);
    here.wait_for("Waiting for slackbot.");
    let brought = [
        "authorize",
        "--yes",
        "--receipt",
        "x.receipt",
        "--expect-digest",
        &digest,
    ];
    let mut there = Pty::start(&elsewhere, &brought);
    there.wait_for("Waiting for slackbot.");
    let (page_here, page_there) = (page(&project), page(&elsewhere));
    press(&page_here, "slackbot");
    // It replaces the other one's link; nobody asks again by himself.
    press(&page_there, "slackbot");
    here.wait_for("or somebody else is authorizing it");
    thread::sleep(Duration::from_millis(300));
    assert_eq!(
        platform.writes(),
        ["PUT external-auth/integrations/slackbot"; 2]
    );
    platform.consent("slackbot", "ada@example.com");
    // Who stopped sees that somebody else finished it.
    for terminal in [here, there] {
        let (code, seen) = terminal.end();
        assert_eq!(code, 0, "{seen}");
        assert!(!seen.contains("Failed"), "{seen}");
    }
    assert!(!waits(&project, "slackbot"));
}

#[test]
fn who_interrupts_what_somebody_finished_hears_that_it_is_done() {
    let platform = Platform::start();
    // It looks once, when it begins; then not for as long as this takes.
    let project = waiting(&platform).var("__CONNPLAN_TEST_POLL_MS", "600000");
    let mut terminal = Pty::start(&project, &["authorize", "--yes", "--no-browser"]);
    terminal.wait_for("Waiting for hubspot, slackbot.");
    terminal.wait_for_keys();
    platform.consent("hubspot", "ada@example.com");
    // Esc looks as well before it leaves the one in front.
    terminal
        .press("\u{1b}")
        .wait_for("hubspot authorized by ada@example.com");
    terminal.wait_for("Waiting for slackbot.");
    platform.consent("slackbot", "ada@example.com");
    terminal
        .control('c')
        .wait_for("slackbot authorized by ada@example.com");
    let (code, seen) = terminal.end();
    assert_eq!(code, 130, "{seen}");
    assert!(!seen.contains("stays pending\r\n"), "{seen}");
    assert!(!waits(&project, "slackbot") && !waits(&project, "hubspot"));
}

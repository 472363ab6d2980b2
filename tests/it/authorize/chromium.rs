//! The page of `authorize` in a real browser, from its first sight to a plan without changes.

use std::{thread, time::Duration};

use serde_json::json;

use crate::{
    sandbox::browser::Browser,
    support::{Platform, Project, Pty, follow},
};

const MAIL: [&str; 3] = [
    "https://mail.google.com/",
    "https://www.googleapis.com/auth/gmail.send",
    "https://www.googleapis.com/auth/gmail.settings.basic",
];

fn declare(project: &Project, connector: &str, scopes: &[&str], account: Option<&str>) {
    let mut text = json!({ "type": connector, "scopes": scopes });
    if let Some(account) = account {
        text["account"] = account.into();
    }
    let path = format!("base44/connectors/{connector}.jsonc");
    project.write(&path, &text.to_string());
}

/// The address that was handed to the browser.
fn address(project: &Project) -> String {
    let address = project.opens(1).pop().unwrap();
    follow(&address)
}

fn wait_until(browser: &mut Browser, what: &str) {
    for _ in 0..2000 {
        if browser.text().contains(what) {
            return;
        }
        thread::sleep(Duration::from_millis(25));
    }
    panic!("no {what:?} on the page: {}", browser.text());
}

/// Leaves the page for the provider's, in the tab that there is.
fn go(browser: &mut Browser, connector: &str) {
    let link = format!("a[href=\"open/{connector}\"]");
    let rel = browser.evaluate(&format!("document.querySelector('{link}').rel"));
    assert_eq!(rel, "noopener noreferrer");
    browser.follow_here(&link);
}

#[test]
#[ignore = "needs Chromium: run by .ci/run"]
fn from_the_page_to_a_plan_without_changes() {
    let platform = Platform::seeded(json!({ "apps": { "app-1": { "name": "Corner Shop" } } }));
    let project = Project::new().at(&platform);
    declare(&project, "gmail", &MAIL, Some("ops@example.com"));
    declare(
        &project,
        "slackbot",
        &["channels:read", "chat:write"],
        Some("@example.com"),
    );
    declare(&project, "hubspot", &["crm.objects.contacts.read"], None);
    declare(&project, "notion", &[], None);
    project.run(&["apply", "--auto-approve"]).expect(0);
    let mut terminal = Pty::start(&project, &["authorize", "--timeout", "5m"]);
    terminal.wait_for("Open browser to authorize now?").line("");
    let address = address(&project);

    let mut browser = Browser::start();
    browser.look(1100, 900, "light");
    browser.open(&address);
    wait_until(&mut browser, "0 of 4 authorized");
    wait_until(&mut browser, "Authorize slackbot");
    browser.screenshot("page-light");
    let spoken = browser.spoken();
    for (role, name) in [
        ("heading", "Authorize 4 connectors"),
        ("heading", "gmail"),
        ("link", "Authorize gmail (opens a new tab)"),
        ("button", "Stop waiting, leave the rest for later"),
        ("main", ""),
        ("status", ""),
    ] {
        let found = spoken.iter().any(|(r, n)| r == role && n == name);
        assert!(found, "no {role} {name:?} in {spoken:#?}");
    }
    let source = browser.evaluate("document.documentElement.outerHTML");
    assert!(
        !source.as_str().unwrap().contains("ticket="),
        "no link in it"
    );

    browser.look(1100, 900, "dark");
    browser.screenshot("page-dark");
    browser.look(360, 740, "light");
    let wide = browser.evaluate("document.documentElement.scrollWidth > innerWidth");
    assert_eq!(wide, false, "nothing hangs over the edge");
    browser.screenshot("page-phone");
    browser.look(1100, 900, "light");

    // By the keyboard alone: the first button is the first thing that Tab finds.
    browser.press(&["Tab"]);
    let focused = browser.evaluate("document.activeElement.getAttribute('href')");
    assert_eq!(focused, "open/gmail");
    browser.screenshot("page-focus");

    // Consents happen elsewhere; the page follows.
    platform.consent_to_some("slackbot", "ada@example.com", &["chat:write"]);
    wait_until(&mut browser, "Partly authorized");
    // Declined at the provider's page, by a link of this run.
    go(&mut browser, "hubspot");
    browser.click("button[value=deny]", true);
    browser.open(&address);
    wait_until(&mut browser, "Declined");
    browser.screenshot("page-mixed");
    browser.look(1100, 900, "dark");
    browser.screenshot("page-mixed-dark");
    browser.look(1100, 900, "light");

    // The partly granted one is asked for again, through the provider's page.
    go(&mut browser, "slackbot");
    browser.click("button[value=approve]", true);
    browser.open(&address);
    wait_until(&mut browser, "1 of 4 authorized");
    go(&mut browser, "notion");
    browser.click("button[value=approve]", true);
    browser.open(&address);
    wait_until(&mut browser, "2 of 4 authorized");
    platform.consent("gmail", "ops@example.com");
    wait_until(&mut browser, "3 of 4 authorized");
    go(&mut browser, "hubspot");
    browser.click("button[value=approve]", true);
    let (code, seen) = terminal.end();
    assert_eq!(code, 0, "{seen}");
    for words in ["CONNECTOR", "gmail", "ops@example.com", "3 scopes"] {
        assert!(seen.contains(words), "no {words:?} in {seen}");
    }
    project.run(&["plan", "--detailed-exitcode"]).expect(0);
    project.run(&["authorize", "--list"]).expect(0);
}

#[test]
#[ignore = "needs Chromium: run by .ci/run"]
fn the_page_says_its_end() {
    let platform = Platform::start();
    let project = Project::new().at(&platform);
    declare(
        &project,
        "slackbot",
        &["chat:write"],
        Some("ops@example.com"),
    );
    declare(&project, "hubspot", &["crm.objects.contacts.read"], None);
    project.run(&["apply", "--auto-approve"]).expect(0);
    let mut terminal = Pty::start(&project, &["authorize", "--yes"]);
    terminal.wait_for("Waiting for hubspot, slackbot.");
    let address = address(&project);
    let mut browser = Browser::start();
    browser.look(1100, 700, "light");
    browser.open(&address);
    wait_until(&mut browser, "Authorize slackbot");
    platform.consent("slackbot", "eve@elsewhere.example");
    wait_until(&mut browser, "Wrong account");
    browser.click("footer button", false);
    wait_until(&mut browser, "connplan has stopped waiting");
    browser.screenshot("page-end");
    let (code, seen) = terminal.end();
    assert_eq!(code, 4, "{seen}");
    assert!(
        seen.contains("eve@elsewhere.example")
            && seen.contains("if somebody else made the connection, plan"),
        "{seen}"
    );
    let plan = project.run(&["plan", "--format", "json"]).json();
    let change = &plan["apps"][0]["changes"][1];
    assert_eq!(change["action"], "reauthorize", "{change}");
    assert_eq!(change["before"]["account"], "eve@elsewhere.example");
    assert_eq!(change["after"]["account"], "ops@example.com");
}

#[test]
#[ignore = "needs Chromium: run by .ci/run"]
fn a_page_that_connplan_has_left_asks_nobody_else() {
    let platform = Platform::start();
    let project = Project::new().at(&platform);
    declare(&project, "hubspot", &["crm.objects.contacts.read"], None);
    project.run(&["apply", "--auto-approve"]).expect(0);
    let mut terminal = Pty::start(&project, &["authorize", "--yes"]);
    terminal.wait_for("Waiting for hubspot.");
    let address = address(&project);
    let mut browser = Browser::start();
    browser.open(&address);
    wait_until(&mut browser, "Authorize hubspot");
    // As out of memory: it says no end.
    drop(terminal);
    wait_until(&mut browser, "connplan does not answer any more");
    let link = "document.querySelector('a[href=\"open/hubspot\"]')";
    let closed = browser.evaluate(&format!("{link}.closest('[inert]') !== null"));
    assert_eq!(
        closed, true,
        "nothing there leads to whoever has the port now"
    );
}

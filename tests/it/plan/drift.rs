//! `drift`: outside changes, what is not applied yet, and what waits, each apart.

use crate::support::{Connector, Platform, Project, reads};

fn counts(out: &crate::support::Output) -> (u64, u64, u64, u64) {
    let report = out.json();
    let of = |name: &str| report["summary"][name].as_u64().unwrap();
    (
        of("outside"),
        of("not_applied"),
        of("waiting"),
        of("overdue"),
    )
}

#[test]
fn drift_tells_whose_doing_a_difference_is() {
    let platform = Platform::start();
    let project = Project::new()
        .at(&platform)
        .connector("slack", &["chat:write"])
        .connector("notion", &["read_content"]);
    let none = ["drift", "--format", "json"];
    let out = project.run(&none);
    out.expect(2);
    assert_eq!(counts(&out), (0, 2, 0, 0));
    assert_eq!(
        out.json()["apps"][0]["not_applied"][0]["connector"],
        "notion"
    );

    let apply = ["apply", "--auto-approve", "--receipt", "last.receipt"];
    project.run(&apply).expect(0);
    // Waiting is no drift, unless it lasts.
    let drift = ["drift", "--format", "json", "--receipt", "last.receipt"];
    let out = project.run(&drift);
    out.expect(0);
    assert_eq!(counts(&out), (0, 0, 2, 0));
    std::thread::sleep(std::time::Duration::from_millis(1100));
    let late = [&drift[..], &["--pending-after", "1s"]].concat();
    let out = project.run(&late);
    out.expect(2);
    assert_eq!(counts(&out), (0, 0, 2, 2));
    let early = [&drift[..], &["--pending-after", "1h"]].concat();
    project.run(&early).expect(0);

    platform.set(&Connector::active("slack", &["chat:write"]));
    platform.set(&Connector::active("notion", &["read_content"]));
    project.run(&drift).expect(0);
    reads!(project.run(&["drift"]), @"
    exit 0: connplan drift
    App app-1 at http://HOST

    No drift. The app matches the connector files.
    ");

    // Somebody widened one in the app and added another; a file went on.
    platform.set(&Connector::active("slack", &["chat:write", "admin"]));
    platform.set(&Connector::active("gmail", &["https://mail.google.com/"]));
    project.declare("notion", &["read_content", "update_content"]);
    let out = project.run(&drift);
    out.expect(2);
    assert_eq!(counts(&out), (2, 1, 0, 0));
    let app = &out.json()["apps"][0];
    assert_eq!(app["outside"][0]["connector"], "gmail", "{app}");
    assert_eq!(app["outside"][1]["surplus"][0], "admin", "{app}");
    assert_eq!(app["not_applied"][0]["connector"], "notion", "{app}");
    reads!(project.run(&["drift", "--receipt", "last.receipt"]), @"
    exit 2: connplan drift --receipt last.receipt
    App app-1 at http://HOST

    Changed outside:
      gmail: in the app, and no file declares it
      slack: has besides admin
    Not applied yet:
      notion: lacks update_content

    Drift: 2 changed outside, 1 not applied yet, 0 waiting for a person.
    `connplan plan` shows each difference in full; `connplan apply` changes the app to match the files, `connplan pull` changes the files to match the app.
    ");
    reads!(project.run(&["drift", "--receipt", "last.receipt", "--format", "markdown"]), @"
    exit 2: connplan drift --receipt last.receipt --format markdown
    ## connplan drift: app `app-1`

    **Drift: 2 changed outside, 1 not applied yet, 0 waiting for a person.**

    ### Changed outside

    - `gmail`: in the app, and no file declares it
    - `slack`: has besides `admin`

    ### Not applied yet

    - `notion`: lacks `update_content`

    `connplan plan` shows each difference in full; `connplan apply` changes the app to match the files, `connplan pull` changes the files to match the app.
    ");
    // It wrote nothing, and asks for nothing.
    assert_eq!(platform.writes().len(), 2);
}

#[test]
fn applies_of_this_machine_are_known_and_without_any_the_report_says_so() {
    let platform = Platform::start();
    platform.set(&Connector::active("gmail", &["https://mail.google.com/"]));
    platform.set(&Connector::active("slack", &["chat:write"]));
    let project = Project::new()
        .at(&platform)
        .connector("slack", &["chat:write", "admin"]);
    let json = ["drift", "--format", "json"];
    let out = project.run(&json);
    out.expect(2);
    assert_eq!(counts(&out), (2, 0, 0, 0));
    assert_eq!(out.json()["unattributed"], true);
    reads!(project.run(&["drift"]), @"
    exit 2: connplan drift
    App app-1 at http://HOST

    Changed outside:
      gmail: in the app, and no file declares it
      slack: lacks admin

    Drift: 2 changed outside, 0 not applied yet, 0 waiting for a person.
    Whose doing some of these are cannot be told: no apply of them is known, or the app does not tell all. They may also be changes of the files that were never applied. The last apply's receipt shows which: `--receipt FILE`.
    `connplan plan` shows each difference in full; `connplan apply` changes the app to match the files, `connplan pull` changes the files to match the app.
    ");

    // What was asked for and forgotten is nobody else's doing either.
    let apply = ["apply", "--auto-approve", "--keep-unlisted"];
    project.run(&apply).expect(0);
    project.run(&["authorize", "--forget", "slack"]).expect(0);
    let out = project.run(&json);
    assert_eq!(counts(&out), (1, 1, 0, 0));
    assert_eq!(out.json()["apps"][0]["outside"][0]["connector"], "gmail");
}

/// What a connector leads to, and whether it is there, is as much of it as its scopes.
#[test]
fn what_somebody_led_elsewhere_is_not_what_an_apply_left() {
    let json = ["drift", "--format", "json"];
    let slack = |account: &str, scopes: &[&str]| {
        let file = serde_json::json!({ "type": "slack", "account": account, "scopes": scopes });
        ("base44/connectors/slack.jsonc", file.to_string())
    };
    let snowflake = |place: &str, scopes: &[&str]| {
        let values = serde_json::json!({ "account_identifier": place });
        let file = serde_json::json!({ "type": "snowflake", "scopes": scopes, "connection_config": values });
        ("base44/connectors/snowflake.jsonc", file.to_string())
    };
    let platform = Platform::start();
    let project = Project::new().at(&platform);
    let apply = |project: &Project, (file, text): (&str, String), by: &str| {
        project.write(file, &text);
        project.run(&["apply", "--auto-approve"]).expect(0);
        let name = file.rsplit(['/', '.']).nth(1).unwrap();
        platform.consent(name, by);
        project.run(&["apply", "--auto-approve"]).expect(0);
    };
    apply(
        &project,
        slack("@example.com", &["users:read"]),
        "ops@example.com",
    );
    apply(&project, snowflake("one", &["a"]), "ops@example.com");
    project.run(&json).expect(0);

    // The files go on: nobody did anything outside.
    for (file, text) in [
        slack("@elsewhere.example", &["users:read"]),
        snowflake("three", &["a"]),
    ] {
        project.write(file, &text);
    }
    let out = project.run(&json);
    assert_eq!(counts(&out), (0, 2, 0, 0));
    assert_eq!(out.json()["unattributed"], false);

    // Another mailbox, and another tenant, whatever the files say meanwhile.
    let outsider = Project::new().at(&platform);
    outsider.declare("slack", &["users:read"]);
    apply(&outsider, snowflake("two", &["a"]), "eve@elsewhere.example");
    let mut eve = Connector::active("slack", &["users:read"]);
    eve.account = Some("eve@elsewhere.example");
    platform.set(&eve);
    for more in [&[][..], &["chat:write"][..]] {
        let scopes = [&["users:read"], more].concat();
        let (file, text) = slack("@example.com", &scopes);
        project.write(file, &text);
        let (file, text) = snowflake("one", &[&["a"], more].concat());
        project.write(file, &text);
        assert_eq!(counts(&project.run(&json)), (2, 0, 0, 0), "{more:?}");
    }
    let app = &project.run(&json).json()["apps"][0];
    assert_eq!(app["outside"][0]["account"]["by"], "e***@elsewhere.example");
    assert_eq!(
        app["outside"][1]["connection_config"]["changed"][0],
        "account_identifier"
    );
    reads!(project.run(&["drift"]), @"
    exit 2: connplan drift
    App app-1 at http://HOST

    Changed outside:
      slack: lacks chat:write; e***@elsewhere.example holds it, and @example.com is expected
      snowflake: lacks chat:write; other connection values: account_identifier

    Drift: 2 changed outside, 0 not applied yet, 0 waiting for a person.
    `connplan plan` shows each difference in full; `connplan apply` changes the app to match the files, `connplan pull` changes the files to match the app.
    ");

    // Gone, while one more scope of it waits.
    let platform = Platform::with(&[Connector::active("slack", &["users:read"])]);
    let project = Project::new().at(&platform);
    project.declare("slack", &["users:read", "chat:write"]);
    project.run(&["apply", "--auto-approve"]).expect(0);
    platform.unset("slack");
    assert_eq!(counts(&project.run(&json)), (1, 0, 0, 0));
}

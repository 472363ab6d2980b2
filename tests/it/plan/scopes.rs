//! Scopes that are the same though they are spelt differently, and those that providers add.

use crate::support::{Connector, Platform, Project, reads};

#[test]
fn what_a_provider_adds_is_no_difference() {
    const ADDED: [(&str, &[&str], &[&str]); 6] = [
        ("outlook", &["Mail.Read"], &["Mail.Read", "User.Read"]),
        (
            "microsoft_planner",
            &["Tasks.Read", "offline_access"],
            &["Tasks.Read", "User.Read", "openid", "profile", "email"],
        ),
        (
            "one_drive",
            &["Files.Read"],
            &[
                "https://graph.microsoft.com/files.read",
                "User.Read",
                "openid",
            ],
        ),
        (
            "dropbox",
            &["files.content.read"],
            &["files.content.read", "account_info.read"],
        ),
        (
            "facebook_pages",
            &["pages_show_list"],
            &["pages_show_list", "public_profile"],
        ),
        ("salesforce", &["api"], &["api", "id"]),
    ];
    let remote: Vec<_> = ADDED
        .iter()
        .map(|(name, _, remote)| Connector::active(name, remote))
        .collect();
    let platform = Platform::with(&remote);
    let mut project = Project::new().at(&platform);
    for (name, declared, _) in ADDED {
        project = project.connector(name, declared);
    }
    let plan = project.run(&["plan", "--detailed-exitcode"]);
    plan.expect(0).lacks("somebody else");
    let applied = project.run(&["apply", "--auto-approve"]);
    applied.expect(0).lacks("somebody else");
    assert_eq!(platform.writes(), [] as [&str; 0]);
}

#[test]
fn one_string_is_one_scope() {
    for (connector, scope) in [
        ("gmail", "openid https://mail.google.com/"),
        ("gmail", "openid\u{a0}email"),
        ("gmail", "openid\n"),
        ("gmail", ""),
        ("gmail", " "),
        ("slack", "chat:write,users:read"),
        ("github", "repo,user"),
    ] {
        let project = Project::new().connector(connector, &[scope]);
        let refused = project.run(&["validate", "--format", "json"]);
        refused.expect(1);
        let problems = refused.json();
        let text = problems.to_string();
        assert!(text.contains("\"line\":1"), "{scope:?}: {text}");
    }
    let project = Project::new().connector("typeform", &["a,b"]);
    project.run(&["validate"]).expect(0);
}

#[test]
fn a_new_file_keeps_what_somebody_may_have_written() {
    let calendar = "https://www.googleapis.com/auth/calendar";
    let address = "https://www.googleapis.com/auth/userinfo.email";
    let platform = Platform::with(&[
        Connector::active("googlecalendar", &[calendar, "email"]),
        Connector::active("googledrive", &["openid", address, "profile"]),
        Connector::active(
            "outlook",
            &["Mail.Read", "User.Read", "openid", "email", "profile"],
        ),
    ]);
    let project = Project::new().at(&platform);
    project.run(&["pull"]).expect(0);
    let text = project.read("base44/connectors/googlecalendar.jsonc");
    assert!(
        text.contains(calendar) && text.contains("\"email\""),
        "{text}"
    );
    let text = project.read("base44/connectors/googledrive.jsonc");
    assert!(
        text.contains("\"profile\"") && text.contains("\"openid\"") && !text.contains(address),
        "{text}"
    );
    let text = project.read("base44/connectors/outlook.jsonc");
    for scope in ["Mail.Read", "openid", "email", "profile"] {
        assert!(text.contains(&format!("\"{scope}\"")), "{text}");
    }
    assert!(!text.contains("User.Read"), "{text}");
    project.run(&["plan", "--detailed-exitcode"]).expect(0);
    // What is there already stays as it is.
    project.run(&["pull"]).expect(0);
    assert_eq!(platform.writes(), [] as [&str; 0]);
}

#[test]
fn what_no_file_can_say_is_pulled_as_what_it_means() {
    let platform = Platform::with(&[
        Connector::active("github", &["repo,user"]),
        Connector::active("slack", &["chat:write", ""]),
        Connector::active("typeform", &["a,b", "c d"]),
    ]);
    let project = Project::new()
        .at(&platform)
        .connector("slack", &["users:read"]);
    project.run(&["pull"]).expect(0);
    for (connector, scopes) in [
        ("github", "\"repo\",\n    \"user\"\n"),
        ("slack", "[\"chat:write\"]"),
        ("typeform", "\"a,b\",\n    \"c\",\n    \"d\"\n"),
    ] {
        let text = project.read(&format!("base44/connectors/{connector}.jsonc"));
        assert!(text.contains(scopes), "{text}");
    }
    project.run(&["validate", "--strict"]).expect(0);
    reads!(project.run(&["pull"]), @"
    exit 0: connplan pull
    --- stderr
    Nothing to pull. The connector files match the app.
    ");
}

/// Quadratic work takes a minute here, in a debug build too.
#[test]
#[ignore = "a second of CPU time, or more: run by .ci/run"]
fn many_scopes_are_no_burden() {
    let platform = Platform::start();
    let scopes: Vec<String> = (0..600).map(|n| format!("scope:{n:05}")).collect();
    let scopes: Vec<_> = scopes.iter().map(String::as_str).collect();
    let project = Project::new().at(&platform);
    for connector in ["github", "gmail", "outlook", "wix"] {
        project.declare(connector, &scopes);
    }
    let plan = project.run(&["plan", "--format", "json"]).expect(0).json();
    let added = |change: &serde_json::Value| change["scopes"]["added"].as_array().map(Vec::len);
    let changes = plan["apps"][0]["changes"].as_array().unwrap();
    let added: Vec<_> = changes.iter().map(added).collect();
    assert_eq!(added, [Some(600); 4]);
    project.run(&["plan", "--format", "markdown"]).expect(0);
    project.run(&["plan"]).expect(0);
}

/// What needs an approval for what a scope includes, or may be read as, is shown as what it is.
#[test]
fn a_scope_is_as_dangerous_as_what_it_includes_or_may_be_read_as() {
    let platform = Platform::start();
    let project = Project::new()
        .at(&platform)
        .connector("asana", &["default"])
        .connector("github", &["REPO"])
        .connector(
            "googlecalendar",
            &["https://www.googleapis.com/auth/calendar"],
        )
        .connector("slack", &["Chat:Write"]);
    let signed = "[approval]\nrequire = \"signature\"\nsigners = \"s\"\nfrom_risk = \"danger\"\n";
    project.write("base44/connplan.toml", signed);
    project.write("base44/s", "");
    reads!(project.run(&["plan"]), @r#"
    exit 0: connplan plan
    App app-1 at http://HOST

    Symbols:  + add

      + asana                 base44/connectors/asana.jsonc
          + default
              full access to every endpoint; assumed when none is asked · write, reaches ADMIN
          authorization: required

      + github                base44/connectors/github.jsonc
          + REPO  unknown, may be read as repo: ADMIN
          authorization: required

      + googlecalendar        base44/connectors/googlecalendar.jsonc
          + https://www.googleapis.com/auth/calendar
              everything in all reachable calendars, incl. sharing and deletion · write, reaches ADMIN, sensitive
          authorization: required

      + slack                 base44/connectors/slack.jsonc
          + Chat:Write  unknown, may be read as chat:write: write
          authorization: required

    Plan: 4 to add, 0 to change, 0 to remove, 4 to authorize.

    Approval: 1 signature needed, 0 found
    To have it approved, save it: connplan plan --out FILE
    --- stderr
    warning: the scope `REPO` is unknown
       ╭─[base44/connectors/github.jsonc:1:12]
     1 │ {"scopes":["REPO"],"type":"github"}
       ·            ───┬──
       ·               ╰── this scope
       ╰────
      help: did you mean `repo`? Any scope is allowed, so this is only a warning
      code: connplan::config::scope_slip

    warning: the scope `Chat:Write` is unknown
       ╭─[base44/connectors/slack.jsonc:1:12]
     1 │ {"scopes":["Chat:Write"],"type":"slack"}
       ·            ──────┬─────
       ·                  ╰── this scope
       ╰────
      help: did you mean `chat:write`? Any scope is allowed, so this is only a warning
      code: connplan::config::scope_slip
    "#);
    reads!(project.run(&["plan", "--format", "markdown"]), @r#"
    exit 0: connplan plan --format markdown
    ## connplan plan: app `app-1`
    **Plan: 4 to add, 0 to change, 0 to remove, 4 to authorize.**

    - 🛑 **Danger:** gains admin access: `asana` (`default` – full access to every endpoint; assumed when none is asked), `googlecalendar` (`https://www.googleapis.com/auth/calendar` – everything in all reachable calendars, incl. sharing and deletion)
    - 🛑 **Danger:** asks for unknown scopes, which does not mean safe ones: `github` (`REPO`), `slack` (`Chat:Write`)

    * **Add (4):** `asana` 🛑, `github` 🛑, `googlecalendar` 🛑, `slack`

    + Warning in `base44/connectors/github.jsonc:1:12`: ``the scope `REPO` is unknown``
    + Warning in `base44/connectors/slack.jsonc:1:12`: ``the scope `Chat:Write` is unknown``

    <details>
    <summary>Details, scope by scope</summary>

    ```diff
    @@ + asana: create, base44/connectors/asana.jsonc @@
    + default  (full access to every endpoint; assumed when none is asked · write, reaches ADMIN)
      authorization: required
    @@ + github: create, base44/connectors/github.jsonc @@
    + REPO  (unknown, may be read as repo: ADMIN)
      authorization: required
    @@ + googlecalendar: create, base44/connectors/googlecalendar.jsonc @@
    + https://www.googleapis.com/auth/calendar  (everything in all reachable calendars, incl. sharing and deletion · write, reaches ADMIN, sensitive)
      authorization: required
    @@ + slack: create, base44/connectors/slack.jsonc @@
    + Chat:Write  (unknown, may be read as chat:write: write)
      authorization: required
    ```

    </details>

    Digest `sha256:DIGEST`, at `http://HOST`, by connplan VERSION.

    Approval: 1 signature needed.

    To have it approved and applied: a signer runs `connplan approve FILE`, then `connplan apply FILE --expect-digest sha256:DIGEST --approved-by FILE.sig`
    --- stderr
    warning: the scope `REPO` is unknown
       ╭─[base44/connectors/github.jsonc:1:12]
     1 │ {"scopes":["REPO"],"type":"github"}
       ·            ───┬──
       ·               ╰── this scope
       ╰────
      help: did you mean `repo`? Any scope is allowed, so this is only a warning
      code: connplan::config::scope_slip

    warning: the scope `Chat:Write` is unknown
       ╭─[base44/connectors/slack.jsonc:1:12]
     1 │ {"scopes":["Chat:Write"],"type":"slack"}
       ·            ──────┬─────
       ·                  ╰── this scope
       ╰────
      help: did you mean `chat:write`? Any scope is allowed, so this is only a warning
      code: connplan::config::scope_slip
    "#);
    let plan = project.run(&["plan", "--format", "json"]).json();
    let changes = plan["apps"][0]["changes"].as_array().unwrap().iter();
    let told: Vec<_> = changes.map(|change| &change["risks"][0]["level"]).collect();
    assert_eq!(told, ["danger", "danger", "danger", "notice"], "{plan}");
}

/// People read the files, too: in a request, in a terminal.
#[test]
fn what_is_hidden_in_a_scope_is_spelt_out_in_what_is_saved() {
    let platform = Platform::start();
    let project = Project::new()
        .at(&platform)
        .connector("wix", &["a\u{2066}b", "q\"\u{202e}z"]);
    project.run(&["plan", "--out", "x.plan"]).expect(0);
    let apply = ["apply", "x.plan", "--receipt", "x.receipt"];
    project.run(&apply).expect(0);
    let app = connplan::model::App {
        id: connplan::model::AppId::parse("app-1").unwrap(),
        api_url: connplan::model::ApiUrl::parse(platform.url()).unwrap(),
        environment: None,
    };
    let state = connplan::state::StateFolder::at(&project.state_folder()).app(&app);
    let pending = std::fs::read_to_string(state.pending_file().unwrap()).unwrap();
    for text in [project.read("x.plan"), project.read("x.receipt"), pending] {
        let hidden = |c: char| !c.is_ascii() && connplan::escape::is_hidden(c);
        assert!(!text.contains(hidden), "{text:?}");
        assert!(text.contains(r#""a\u2066b""#), "{text}");
        assert!(text.contains(r#""q\"\u202Ez""#), "{text}");
    }
    project.run(&["show", "x.receipt"]).expect(0);
    project.run(&["plan", "--detailed-exitcode"]).expect(0);
}

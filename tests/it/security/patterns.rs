//! The scopes that a policy names: a gate that is written as people write scopes is not open.

use crate::support::{Platform, Project};

const READ: &str = "https://www.googleapis.com/auth/gmail.readonly";

fn project(platform: &Platform, settings: &str) -> Project {
    Project::new()
        .at(platform)
        .file("connplan.toml", settings)
        .connector("gmail", &[READ])
}

#[test]
fn what_is_denied_is_what_is_meant_and_what_is_allowed_is_to_the_letter() {
    let platform = Platform::start();
    for pattern in [
        READ,
        "gmail.readonly",
        "GMAIL.readonly",
        &format!("{READ}/"),
        "http://www.googleapis.com/auth/gmail.readonly",
    ] {
        for of in ["gmail", "'*'"] {
            let denied = format!("[policy]\ndenied_scopes = {{ {of} = [\"{pattern}\"] }}\n");
            let project = project(&platform, &denied);
            let run = project.run(&["plan"]);
            run.expect(6).tells("is denied").lacks("is unknown");
            project.run(&["validate"]).expect(1).tells("is denied");
        }
    }
    let allowed = "[policy]\nallowed_scopes = { gmail = [\"gmail.readonly\"] }\n";
    let run = project(&platform, allowed).run(&["validate"]);
    run.expect(1)
        .tells("the scope `gmail.readonly` is unknown")
        .tells("is not among those allowed");
    assert!(platform.writes().is_empty());
}

#[test]
fn what_is_denied_does_not_come_back_within_a_wider_scope() {
    let platform = Platform::start();
    let denied = "[policy]\ndenied_scopes = { gmail = [\"gmail.readonly\"] }\n";
    let project = project(&platform, denied).connector("gmail", &["https://mail.google.com/"]);
    let told = format!("the scope https://mail.google.com/ includes {READ}, which is denied");
    project.run(&["plan"]).expect(6).tells(&told);
    project.run(&["validate"]).expect(1).tells(&told);
    let any = "[policy]\ndenied_scopes = { '*' = [\"*\"] }\n";
    project.write("connplan.toml", any);
    project.write(
        "base44/connectors/gmail.jsonc",
        "{\"type\": \"gmail\", \"scopes\": []}",
    );
    project
        .run(&["plan"])
        .expect(6)
        .tells("it names no scope, and any scope is denied");
    assert!(platform.writes().is_empty());
}

#[test]
fn a_rule_about_a_type_holds_its_scopes_on_another_type() {
    let platform = Platform::start();
    let told = "the scope https://mail.google.com/ is for gmail, a type that is";
    for (rule, told) in [
        ("denied_types = [\"gmail\"]", told),
        ("allowed_types = [\"googlecalendar\"]", told),
    ] {
        let project = Project::new()
            .at(&platform)
            .file("connplan.toml", &format!("[policy]\n{rule}\n"))
            .connector("googlecalendar", &["https://mail.google.com/"]);
        project.run(&["plan"]).expect(6).tells(told);
        project.run(&["validate"]).expect(1).tells(told);
        project.declare(
            "googlecalendar",
            &["https://www.googleapis.com/auth/calendar", "openid"],
        );
        project.run(&["plan"]).expect(0);
    }
    let accounts = "[policy]\naccounts = { gmail = \"@example.com\" }\n";
    let project = Project::new()
        .at(&platform)
        .file("connplan.toml", accounts)
        .connector("googlecalendar", &["https://mail.google.com/"]);
    project
        .run(&["plan"])
        .expect(0)
        .says("@example.com is expected to consent");
    project.write(
        "base44/connectors/googlecalendar.jsonc",
        r#"{"type":"googlecalendar","scopes":["https://mail.google.com/"],"account":"eve@elsewhere.example"}"#,
    );
    let run = project.run(&["plan"]);
    run.expect(6)
        .tells("its file names another account than the policy");
    assert!(platform.writes().is_empty());
}

#[test]
fn what_a_file_may_not_hold_a_policy_may_not_name() {
    let platform = Platform::start();
    let settings = "[policy]\naccounts = { gmail = \"example.com\" }\n\
        denied_scopes = { gmail = [\"gmail.readonly \", \"openid *\", \"\"], slack = [\"channels:*,chat:write\"], \
        \"*\" = [\"a,b\"] }\n[providers.gmail]\nadds = [\"a b\"]\n";
    let run = project(&platform, settings).run(&["validate"]);
    run.expect(1)
        .tells("`policy.accounts.gmail` is \"example.com\"; it has to be an address, or a domain with its `@`")
        .tells("the scope `gmail.readonly ` holds white space")
        .tells("the scope `openid *` holds white space")
        .tells("a scope is empty")
        .tells("`channels:*,chat:write` contains a comma, and the provider of slack reads it as several scopes")
        .tells("`a,b` contains a comma, and some providers read it as several scopes")
        .tells("the scope `a b` holds white space")
        .says("7 errors");
}

#[test]
fn what_forbids_nothing_that_is_known_is_said() {
    let platform = Platform::start();
    let settings = "[policy]\ndenied_scopes = { gmail = [\"gmail.raedonly\", \"gmail.*\", \"*drive*\"], \
        \"*\" = [\"chat:wirte\", \"*.send\", \"repo\"], wix = [\"a\"] }\nallowed_scopes = { gmail = [\"*\", \"x\"] }\n";
    let project = project(&platform, settings);
    let told = "the scope `gmail.raedonly` is unknown";
    project.run(&["plan"]).expect(0).tells(told);
    project.run(&["doctor"]).says(told);
    project.run(&["validate"]).expect(0);
    let run = project.run(&["validate", "--strict"]);
    run.expect(1).tells(told).says("Not valid: 3 warnings");
    for told in [
        "`gmail.*`",
        "`chat:wirte`",
        "did you mean `chat:write`?",
        "forbids nothing that is known",
    ] {
        run.tells(told);
    }
}

/// What is white space to somebody else ends a scope.
#[test]
fn no_character_that_ends_a_scope_elsewhere_is_within_one() {
    let platform = Platform::start();
    for (c, json) in [
        (' ', " "),
        ('\u{1c}', "\\u001c"),
        ('\u{1f}', "\\u001F"),
        ('\0', "\\u0000"),
    ] {
        // Whatever else nobody sees in it.
        for scope in [
            format!("openid{json}email"),
            format!("a\\u200b{json}"),
            json.to_owned(),
        ] {
            let file = format!("{{\"type\":\"gmail\",\"scopes\":[\"{scope}\"]}}");
            let project = Project::new()
                .at(&platform)
                .file("base44/connectors/gmail.json", &file);
            let run = project.run(&["plan"]);
            assert!(
                run.expect(1).stderr.contains("code: connplan::config::"),
                "{scope}"
            );
        }
        let scope = format!("a{c}b");
        if c != '\0' {
            let project = Project::new().at(&platform);
            let run = project.run(&["add", "slack", "--scope", &scope, "--no-input"]);
            run.expect(1).tells("is not a scope");
        }
        let denied = format!("[policy]\ndenied_scopes = {{ gmail = [\"a{json}b*\"] }}\n");
        let run = project(&platform, &denied).run(&["plan"]);
        run.expect(1).tells("holds white space");
    }
    let file = "{\"type\":\"gmail\",\"scopes\":[\"a\\u0007\"]}";
    let project = Project::new()
        .at(&platform)
        .file("base44/connectors/gmail.json", file);
    project
        .run(&["plan"])
        .expect(0)
        .tells("contains an invisible character");
}

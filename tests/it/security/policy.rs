//! The policy of `connplan.toml`, on every command that it binds.

use serde_json::Value;

use crate::support::{Connector, Platform, Project, all_cases, reads};

const SEND: &str = "https://www.googleapis.com/auth/gmail.send";
const READ: &str = "https://www.googleapis.com/auth/gmail.readonly";

fn violations(document: &Value) -> Vec<String> {
    let found = document["violations"].as_array().unwrap();
    let rule = |v: &Value| v["rule"].as_str().unwrap().to_owned();
    found.iter().map(rule).collect()
}

/// The policy, what it is held against, and the rule that it breaks.
#[test]
fn each_rule_ends_a_plan_with_6_and_validate_with_1() {
    let cases = [
        ("denied_types = [\"gmail\"]", "gmail", READ, "denied_types"),
        (
            "allowed_types = [\"slack\"]",
            "gmail",
            READ,
            "allowed_types",
        ),
        ("max_class = \"sensitive\"", "gmail", READ, "max_class"),
        (
            "max_class = { gmail = \"sensitive\" }",
            "gmail",
            READ,
            "max_class",
        ),
        ("max_access = \"read\"", "gmail", SEND, "max_access"),
        (
            "max_access = { \"*\" = \"identity\" }",
            "gmail",
            READ,
            "max_access",
        ),
        (
            "denied_scopes = { \"*\" = [\"*.send\"] }",
            "gmail",
            SEND,
            "denied_scopes",
        ),
        (
            "allowed_scopes = { gmail = [\"*.send\"] }",
            "gmail",
            READ,
            "allowed_scopes",
        ),
        (
            "denied_scopes = { outlook = [\"Mail.*\"] }",
            "outlook",
            "https://graph.microsoft.com/mail.read",
            "denied_scopes",
        ),
        (
            "unknown_scopes = \"deny\"",
            "slack",
            "no-such:scope",
            "unknown_scopes",
        ),
    ];
    let platform = Platform::start();
    for (turn, (policy, connector, scope, rule)) in cases.into_iter().enumerate() {
        let project = Project::new()
            .at(&platform)
            .file("connplan.toml", &format!("[policy]\n{policy}\n"))
            .connector(connector, &[scope]);
        let refused = project.run(&["plan", "--format", "json", "--out", "x.plan"]);
        refused.expect(6);
        let document = refused.json();
        assert_eq!(violations(&document), [rule], "{policy}");
        assert_eq!(document["kind"], "error");
        assert_eq!(document["exit_code"], 6);
        let change = &document["plan"]["apps"][0]["changes"][0];
        assert_eq!(change["connector"], connector, "{policy}");
        assert!(!project.path("x.plan").exists());
        if all_cases() || turn % 3 == 0 {
            // A person reads the plan too.
            project
                .run(&["plan"])
                .expect(6)
                .says(connector)
                .tells("forbids this plan");
            project.run(&["apply", "--auto-approve"]).expect(6);
        }
        assert_eq!(platform.writes(), [] as [&str; 0], "{policy}");
        let told = project.run(&["validate", "--format", "json"]);
        told.expect(1);
        let told = told.json();
        let told = told["diagnostics"].as_array().unwrap();
        let file = format!("base44/connectors/{connector}.jsonc");
        assert!(
            told.iter()
                .any(|d| d["file"] == file.as_str() && d["line"] == 1),
            "{policy}: {told:?}"
        );
    }
}

#[test]
fn removals_are_bounded_by_number_share_and_name() {
    for (policy, rule) in [
        ("max_removals = 1", "max_removals"),
        ("max_removals = \"50%\"", "max_removals"),
        ("protected = [\"wix\"]", "protected"),
    ] {
        let platform = Platform::with(&[
            Connector::active("notion", &["a"]),
            Connector::active("wix", &["a"]),
            Connector::active("slack", &["a"]),
        ]);
        let project = Project::new()
            .at(&platform)
            .file("connplan.toml", &format!("[policy]\n{policy}\n"))
            .connector("slack", &["a"]);
        let refused = project.run(&["plan", "--format", "json"]);
        refused.expect(6);
        assert_eq!(violations(&refused.json()), [rule], "{policy}");
        project.declare("wix", &["a"]);
        project.run(&["plan"]).expect(0);
    }
    // What the settings say that a provider adds hides no removal.
    let send = "https://www.googleapis.com/auth/gmail.send";
    let profile = "https://www.googleapis.com/auth/userinfo.profile";
    let platform = Platform::with(&[Connector::active("gmail", &[send])]);
    let settings = |rule: &str| {
        format!(
            "[policy]\n{rule}\n[providers.gmail]\nadds = [\"{send}\"]\n[approval]\nrequire = \"review\"\nfrom_risk = \"write\"\n"
        )
    };
    let project = Project::new()
        .at(&platform)
        .file("connplan.toml", &settings("protected = [\"gmail\"]"))
        .connector("gmail", &[profile]);
    reads!(project.run(&["plan"]), @"
    exit 6: connplan plan
    App app-1 at http://HOST

    Symbols:  ~ change  ! look here

      ~ gmail                 base44/connectors/gmail.jsonc
          + https://www.googleapis.com/auth/userinfo.profile
              name, picture and public profile fields of the account · identity, non-sensitive
            https://www.googleapis.com/auth/gmail.send (added by the provider)
          ! it loses every scope that it has: for who needs it, that is a removal
          ! it works now and may stop until a person consents again
          authorization: required

    Plan: 0 to add, 1 to change, 0 to remove, 1 to authorize.
    --- stderr
    error: the policy in connplan.toml forbids this plan; nothing was written:
      protected: gmail: the plan takes all its scopes away, and the policy protects it
      help: change the connector files, or ask whoever is responsible for the policy to change it
      code: connplan::plan::policy
    ");
    project.write("connplan.toml", &settings(""));
    project
        .run(&["apply", "--auto-approve"])
        .expect(3)
        .tells("1 approving review needed");
    let project = Project::new().file("connplan.toml", "[policy]\nmax_removals = \"110%\"\n");
    project.run(&["validate"]).expect(1);
}

#[test]
fn a_rule_warns_or_is_overridden_where_it_says_so() {
    let platform = Platform::start();
    let rule = |text: &str| {
        format!("[policy]\ndenied_types = [\"wix\"]\n[policy.rules.denied_types]\n{text}\n")
    };
    let project = Project::new().at(&platform).connector("wix", &["a"]);
    project.write(
        "connplan.toml",
        &rule("level = \"warn\"\nmessage = \"ask #infra\""),
    );
    let plan = project.run(&["plan", "--format", "json"]);
    let told = plan.json()["diagnostics"].to_string();
    assert!(
        told.contains("ask #infra") && told.contains("warning"),
        "{told}"
    );
    let broken = &plan.json()["violations"];
    assert_eq!(broken[0]["rule"], "denied_types");
    assert_eq!(broken[0]["severity"], "warn");
    project.run(&["validate"]).expect(0);
    // Wherever somebody decides.
    let warning = "warns (`denied_types`): wix: the type is denied (ask #infra)";
    let plan = project.run(&["plan", "--out", "warned.plan"]);
    reads!(plan.says(warning), @"
    exit 0: connplan plan --out warned.plan
    App app-1 at http://HOST

    Symbols:  + add

      + wix                   base44/connectors/wix.jsonc
          + a  unknown, which does not mean safe
          authorization: required

    ! warning: base44/connectors/wix.jsonc:1:24: the policy in connplan.toml warns (`denied_types`): wix: the type is denied (ask #infra)

    Plan: 1 to add, 0 to change, 0 to remove, 1 to authorize.

    Digest: sha256:DIGEST
    To carry out exactly this plan: connplan apply warned.plan
    ");
    let applied = project.run(&["apply", "warned.plan"]);
    reads!(applied, @"
    exit 0: connplan apply warned.plan
    App app-1 at http://HOST

    Waiting for authorization: wix

    Applied, 1 connector: 1 waiting for authorization.
    Next: connplan authorize
    --- stderr
    Acting as a workspace, by BASE44_API_KEY.
    warning: wix: the type is denied (ask #infra)
      ! wix waiting for authorization
    ");
    let again = Platform::start();
    let project = project.at(&again);
    let applied = project.run(&["apply", "--auto-approve"]);
    reads!(applied.says(warning));

    project.write("connplan.toml", &rule("level = \"deny\""));
    let over = ["--override", "denied_types", "--reason", "the launch"];
    let with = |args: &[&str]| project.run(&[args, &over].concat());
    reads!(with(&["plan"]), @"
    exit 1: connplan plan --override denied_types --reason the launch
    --- stderr
    error: the policy in connplan.toml does not let `denied_types` be overridden
      help: only a rule with `override = true` in [policy.rules.RULE] can be
      code: connplan::usage
    ");
    project.write("connplan.toml", &rule("override = true"));
    project
        .run(&["plan"])
        .expect(6)
        .tells("--override denied_types --reason TEXT");
    for reason in ["", ".", "\u{200b}\u{2060}", "\u{3164}"] {
        let over = ["plan", "--override", "denied_types", "--reason", reason];
        project.run(&over).expect(1).tells("needs a reason");
    }
    let shown = with(&["plan", "--out", "x.plan"]);
    let danger = "danger: the policy's rule denied_types is overridden: the launch";
    reads!(shown.says(danger).lacks("delete it here"), @"
    exit 0: connplan plan --out x.plan --override denied_types --reason the launch
    ! danger: the policy's rule denied_types is overridden: the launch

    App app-1 at http://HOST

    Waiting for authorization (nothing is written again):
        wix                   base44/connectors/wix.jsonc
            a  unknown, which does not mean safe

    ! warning: base44/connectors/wix.jsonc:1:24: overridden (the launch): `denied_types` of the policy in connplan.toml forbids this: wix: the type is denied

    No changes to make. 1 connector waits for authorization: run `connplan authorize`.

    Digest: sha256:DIGEST
    ");
    reads!(with(&["plan", "--format", "markdown"]));
    let applied = project.run(&["apply", "x.plan", "--receipt", "x.receipt"]);
    reads!(applied.tells(danger), @"
    exit 0: connplan apply x.plan --receipt x.receipt
    ! danger: the policy's rule denied_types is overridden: the launch

    App app-1 at http://HOST

    Waiting for authorization: wix

    Nothing to apply, 1 connector: 1 waiting for authorization.
    Next: connplan authorize --receipt x.receipt --expect-digest sha256:DIGEST

    Plan: sha256:DIGEST
    --- stderr
    warning: danger: the policy's rule denied_types is overridden: the launch
    Acting as a workspace, by BASE44_API_KEY.
    ");
    reads!(project.run(&["show", "x.receipt"]).says(danger), @"
    exit 0: connplan show x.receipt
    ! danger: the policy's rule denied_types is overridden: the launch

    App app-1 at http://HOST

    Waiting for authorization: wix

    Nothing to apply, 1 connector: 1 waiting for authorization.
    Next: connplan authorize --receipt x.receipt --expect-digest sha256:DIGEST

    Plan: sha256:DIGEST
    ");
    let receipt = project.run(&["show", "x.receipt", "--format", "json"]);
    let told = &receipt.expect(0).json()["overrides"];
    assert_eq!(
        told[0],
        serde_json::json!({"rule": "denied_types", "reason": "the launch"})
    );
    let history = |format| project.run(&["history", "--format", format]);
    for format in ["text", "markdown"] {
        history(format).says(" overridden: the launch");
    }
    let history = history("json").json();
    let events = history["apps"][0]["events"].as_array().unwrap();
    assert!(
        events.iter().any(|event| event["overrides"] == *told),
        "{history:#}"
    );
    // Who takes the permission back takes it from saved plans too.
    project.write("connplan.toml", &rule("override = false"));
    project.run(&["apply", "x.plan"]).expect(6);
}

#[test]
fn what_was_asked_for_by_an_override_can_be_authorized() {
    let platform = Platform::start();
    let project = Project::new().at(&platform).connector("wix", &["a"]);
    let rule = |mode: &str| {
        format!(
            "[policy]\ndenied_types = [\"wix\"]\n[policy.rules.denied_types]\noverride = {mode}\n"
        )
    };
    project.write("connplan.toml", &rule("true"));
    let over = ["--override", "denied_types", "--reason", "the launch"];
    let apply = ["apply", "--auto-approve", "--receipt", "x.receipt"];
    project.run(&[&apply[..], &over[..]].concat()).expect(0);
    let receipt = project
        .run(&["show", "x.receipt", "--format", "json"])
        .json();
    let digest = receipt["digest"].as_str().unwrap();
    let now = ["authorize", "--timeout", "0s"];
    let forbids = "the policy in connplan.toml forbids it";
    project.run(&now).expect(4).lacks(forbids);
    // Another machine has somebody's word for it only where the receipt is bound.
    std::fs::remove_dir_all(project.state_folder()).unwrap();
    let with = ["--receipt", "x.receipt"];
    reads!(project.run(&[&now[..], &with].concat()), @"
    exit 4: connplan authorize --timeout 0s --receipt x.receipt
    Summary:
      Left alone: wix - the policy in connplan.toml forbids it: wix: the type is denied
    --- stderr
    Acting as a workspace, by BASE44_API_KEY.
    ");
    let bound = ["--receipt", "x.receipt", "--expect-digest", digest];
    project
        .run(&[&now[..], &bound].concat())
        .expect(4)
        .lacks(forbids);
    // Who takes the permission back takes it from what waits, too.
    project.write("connplan.toml", &rule("false"));
    project
        .run(&[&now[..], &bound].concat())
        .expect(4)
        .says(forbids);
}

#[test]
fn a_rule_is_overridden_where_the_plan_is_applied() {
    let platform = Platform::start();
    let project = Project::new().at(&platform).connector("wix", &["a"]);
    project.run(&["plan", "--out", "x.plan"]).expect(0);
    let rule = "[policy]\ndenied_types = [\"wix\"]\n[policy.rules.denied_types]\noverride = true\n";
    let approval = "[approval]\nrequire = \"signature\"\nfrom_risk = \"danger\"\n";
    project.write("connplan.toml", rule);
    project.run(&["apply", "x.plan"]).expect(6);
    let over = ["apply", "x.plan", "--override", "denied_types"];
    let over = [&over[..], &["--reason", "an incident", "--receipt", "r"]].concat();
    // It is a danger, and needs the approval that dangers need.
    project.write("connplan.toml", &format!("{rule}{approval}"));
    let unseen = project.run(&over);
    unseen
        .expect(3)
        .tells("an approver cannot see an override that is given to `apply`");
    assert_eq!(platform.writes(), [] as [&str; 0]);
    project.write("connplan.toml", rule);
    project.run(&over).expect(0);
    let receipt = project.read("r");
    assert!(receipt.contains("reason = \"an incident\""), "{receipt}");
}

#[test]
fn a_violation_says_which_line_it_is_about() {
    let platform = Platform::start();
    let project = Project::new().at(&platform).file(
        "connplan.toml",
        "[policy]\ndenied_scopes = { wix = [\"b\"] }\n",
    );
    let text = "{\n  \"type\": \"wix\",\n  \"scopes\": [\"a\",\n    \"b\"]\n}\n";
    project.write("base44/connectors/wix.jsonc", text);
    let refused = project.run(&["plan", "--format", "json"]);
    let violation = &refused.expect(6).json()["violations"][0];
    assert_eq!(violation["file"], "base44/connectors/wix.jsonc");
    assert_eq!(
        (&violation["line"], &violation["column"]),
        (&serde_json::json!(4), &serde_json::json!(5))
    );
    let found = project.run(&["validate", "--format", "json"]);
    let violation = &found.expect(1).json()["violations"][0];
    assert_eq!(violation["rule"], "denied_scopes");
    assert_eq!(violation["line"], 4);
    let found = project.run(&["validate", "--format", "sarif"]);
    let result = &found.expect(1).json()["runs"][0]["results"][0];
    assert_eq!(result["properties"]["rule"], "denied_scopes");
    assert_eq!(result["properties"]["scope"], "b");
}

#[test]
fn the_settings_say_how_long_a_plan_is_good() {
    let platform = Platform::start();
    let project = Project::new()
        .at(&platform)
        .file("connplan.toml", "[plan]\nexpires = \"1s\"\n")
        .connector("wix", &["a"]);
    project.run(&["plan", "--out", "x.plan"]).expect(0);
    reads!(project.run(&["plan", "--out", "y.plan", "--expires", "90m"]), @"
    exit 0: connplan plan --out y.plan --expires 90m
    App app-1 at http://HOST

    Symbols:  + add

      + wix                   base44/connectors/wix.jsonc
          + a  unknown, which does not mean safe
          authorization: required

    Plan: 1 to add, 0 to change, 0 to remove, 1 to authorize.

    Digest: sha256:DIGEST
    Expires: in 1 hour, at TIME
    To carry out exactly this plan: connplan apply y.plan
    ");
    std::thread::sleep(std::time::Duration::from_millis(1100));
    reads!(project.run(&["apply", "x.plan"]), @"
    exit 3: connplan apply x.plan
    --- stderr
    error: the plan expired just now, at TIME
      help: nothing was written; run `connplan plan` again and ask for a review
      code: connplan::plan::expired
    ");
    project.run(&["apply", "y.plan"]).expect(0);
    project.write("connplan.toml", "[plan]\nexpires = \"soon\"\n");
    reads!(project.run(&["validate"]), @r#"
    exit 1: connplan validate
    Not valid: 1 error found.
    --- stderr
    error: `plan.expires`: a time is written like `90m`, `72h`, `7d` or `2w`, and is at most one year
       ╭─[connplan.toml:2:11]
     1 │ [plan]
     2 │ expires = "soon"
       ·           ───┬──
       ·              ╰── here
       ╰────
      code: connplan::config::setting
    "#);
}

#[test]
fn the_expected_account_of_a_type_is_asked_for() {
    let platform = Platform::start();
    let project = Project::new()
        .at(&platform)
        .file(
            "connplan.toml",
            "[policy]\naccounts = { wix = \"@example.com\" }\n",
        )
        .connector("wix", &["a"]);
    reads!(project.run(&["plan"]), @"
    exit 0: connplan plan
    App app-1 at http://HOST

    Symbols:  + add

      + wix                   base44/connectors/wix.jsonc
          account: @example.com is expected to consent
          + a  unknown, which does not mean safe
          authorization: required

    Plan: 1 to add, 0 to change, 0 to remove, 1 to authorize.
    ");
    project.write(
        "base44/connectors/wix.jsonc",
        "{ type: 'wix', scopes: ['a'], account: 'ops@example.com' }",
    );
    project.run(&["plan"]).expect(0);
    project.write(
        "base44/connectors/wix.jsonc",
        "{ type: 'wix', scopes: ['a'], account: 'me@home.example' }",
    );
    let refused = project.run(&["plan", "--format", "json"]);
    refused.expect(6);
    assert_eq!(violations(&refused.json()), ["accounts"]);
}

#[test]
fn the_policy_is_explained_and_tested() {
    let platform = Platform::start();
    let project = Project::new()
        .at(&platform)
        .file("connplan.toml", "[policy]\nprotected = [\"stripe\"]\n")
        .connector("wix", &["a"]);
    project.run(&["plan", "--out", "x.plan"]).expect(0);
    let json = project.run(&["plan", "--format", "json"]).stdout;
    project.write("fixtures/wix.json", &json);
    project.write("fixtures/wix.expected.json", "{\"verdict\": \"pass\"}");
    reads!(project.run(&["policy", "test", "fixtures"]), @"
    exit 0: connplan policy test fixtures
    ok      wix: pass
    1 passed, 0 failed
    ");
    project.write("connplan.toml", "[policy]\ndenied_types = [\"wix\"]\n");
    reads!(project.run(&["policy", "test", "fixtures"]), @"
    exit 1: connplan policy test fixtures
    FAILED  wix: got deny (denied_types), expected pass
    0 passed, 1 failed
    ");
    let denied = "{\"verdict\": \"deny\", \"violations\": [\"denied_types\"]}";
    project.write("fixtures/wix.expected.json", denied);
    project
        .run(&["policy", "test", "fixtures", "--format", "json"])
        .expect(0);
    project.write("x.json", &json);
    // What is forbidden is printed within an error, and saved nowhere.
    let forbidden = project.run(&["plan", "--format", "json"]);
    project.write("forbidden.json", &forbidden.expect(6).stdout);
    for plan in ["x.plan", "x.json", "forbidden.json"] {
        let explained = project.run(&["policy", "explain", plan]);
        explained
            .expect(0)
            .says("deny: wix: the type is denied")
            .says("Verdict: deny");
        explained.says("not set in the policy");
        let json = project
            .run(&["policy", "explain", plan, "--format", "json"])
            .json();
        assert_eq!(json["verdict"], "deny");
        assert_eq!(json["rules"][3]["violations"][0]["connector"], "wix");
    }
    project.run(&["policy", "test", "base44"]).expect(1);
    project.write("connplan.toml", "[policy]\nallowed_types = [\"WIX\"]\n");
    let explained = project.run(&["policy", "explain", "x.plan"]);
    reads!(explained, @"
    exit 0: connplan policy explain x.plan
    protected        not set in the policy
    max_removals     not set in the policy
    allowed_types    the plan does not break it
    denied_types     not set in the policy
    max_class        not set in the policy
    max_access       not set in the policy
    allowed_scopes   not set in the policy
    denied_scopes    not set in the policy
    accounts         not set in the policy
    unknown_scopes   not set in the policy

    Verdict: pass
    ");
}

#[test]
fn a_misspelt_rule_is_not_called_one_that_allows_nothing() {
    let platform = Platform::start();
    let project = Project::new().at(&platform).connector("wix", &["a"]);
    let over = ["plan", "--override", "denied_typs", "--reason", "launch"];
    reads!(project.run(&over), @"
    exit 1: connplan plan --override denied_typs --reason launch
    --- stderr
    error: no rule is called `denied_typs`
      help: did you mean `denied_types`?
      code: connplan::usage
    ");
}

//! What somebody meets who has only read README: each message says what, where, and what next.

use crate::support::{Output, Platform, Project, alike};

/// What a person read of a run: both streams, with what differs each time written alike.
fn read(output: &Output) -> String {
    alike(&format!("{}{}", output.stderr, output.stdout))
}

fn settings(text: &str) -> Project {
    Project::new()
        .connector("slack", &["chat:write"])
        .file("base44/connplan.toml", text)
}

#[test]
fn a_store_of_no_known_form_is_refused_on_its_line() {
    let platform = Platform::start();
    let project = settings("[store]\nurl = \"origin\"\n").at(&platform);
    let validate = project.run(&["validate"]);
    insta::assert_snapshot!(read(validate.expect(1)), @r#"
    error: `url` in [store] of connplan.toml: `origin` is not a store: it is `git:REMOTE`, `s3://BUCKET/PREFIX`, `gs://BUCKET/PREFIX` or `az://CONTAINER/PREFIX`
       ╭─[base44/connplan.toml:2:7]
     1 │ [store]
     2 │ url = "origin"
       ·       ────┬───
       ·           ╰── here
       ╰────
      code: connplan::config::setting
    Not valid: 1 error found.
    "#);
    for command in [
        &["plan"][..],
        &["status"],
        &["push", "--yes"],
        &["apply", "--auto-approve"],
    ] {
        let refused = project.run(command);
        refused
            .expect(1)
            .tells("base44/connplan.toml:2:7")
            .tells("base44/connplan.toml has 1 error; nothing was planned");
    }
    let history = project.run(&["history"]);
    insta::assert_snapshot!(read(history.expect(1)), @"
    error: `url` in [store] of connplan.toml: `origin` is not a store: it is `git:REMOTE`, `s3://BUCKET/PREFIX`, `gs://BUCKET/PREFIX` or `az://CONTAINER/PREFIX`
      help: fix it there; `connplan validate` shows the line
      code: connplan::usage
    ");
    assert!(
        platform.requests().is_empty(),
        "the app is not asked either"
    );
}

#[test]
fn a_signers_file_that_is_not_there_is_told_before_any_apply() {
    let text = "[approval]\nrequire = \"signature\"\nsigners = \"allowed_signers\"\n";
    let project = settings(text);
    let validate = project.run(&["validate"]);
    insta::assert_snapshot!(read(validate.expect(1)), @r#"
    error: `signers` in [approval] cannot be used: the signers file base44/allowed_signers does not exist; put it there, with a line for each person whose signature counts: an address and the public key, `ann@example.com ssh-ed25519 AAAA…`
       ╭─[base44/connplan.toml:3:11]
     2 │ require = "signature"
     3 │ signers = "allowed_signers"
       ·           ────────┬────────
       ·                   ╰── here
       ╰────
      code: connplan::config::setting
    Not valid: 1 error found.
    "#);
    project.write("base44/allowed_signers", "ann@example.com\n");
    let validate = project.run(&["validate"]);
    validate
        .expect(1)
        .tells("base44/connplan.toml:3:11")
        .tells("base44/allowed_signers:1: ");
}

#[test]
fn what_the_policy_says_names_its_rule_and_the_way_out() {
    let platform = Platform::start();
    let text = "[policy]\ndenied_types = [\"slack\"]\nallowed_scopes = { notion = [] }\n\
                [policy.rules.denied_types]\noverride = true\nmessage = \"ask #security\"\n";
    let project = settings(text).at(&platform).connector("notion", &["read"]);
    let validate = project.run(&["validate"]);
    insta::assert_snapshot!(read(validate.expect(1)), @r#"
    error: `allowed_scopes` of the policy in connplan.toml forbids this: notion: the scope read is not among those allowed
       ╭─[base44/connectors/notion.jsonc:1:12]
     1 │ {"scopes":["read"],"type":"notion"}
       ·            ───┬──
       ·               ╰── this scope
       ╰────
      help: no plan may ask for it: delete it here, or ask whoever is responsible for the policy to change it
      code: connplan::config::forbidden_scope

    error: `denied_types` of the policy in connplan.toml forbids this: slack: the type is denied (ask #security)
       ╭─[base44/connectors/slack.jsonc:1:33]
     1 │ {"scopes":["chat:write"],"type":"slack"}
       ·                                 ───┬───
       ·                                    ╰── this type
       ╰────
      help: delete it here, or plan with `--override denied_types --reason TEXT`
      code: connplan::config::forbidden
    Not valid: 2 errors found.
    "#);
    let plan = project.run(&["plan", "--out", "x.plan"]);
    insta::assert_snapshot!(alike(&plan.expect(6).stderr), @"
    error: the policy in connplan.toml forbids this plan; nothing was written:
      allowed_scopes: notion: the scope read is not among those allowed
      denied_types: slack: the type is denied (ask #security)
      help: change the connector files, or ask whoever is responsible for the policy to change it, or give `--override denied_types --reason TEXT`
      code: connplan::plan::policy
    ");
    assert!(!project.path("x.plan").exists());
}

#[test]
fn a_check_up_looks_at_what_a_team_agreed_on() {
    let platform = Platform::start();
    let said = |project: &Project| {
        let output = project.run(&["doctor"]);
        let about = ["files ", "policy ", "approval ", "store "];
        let lines = output.stdout.lines();
        let lines = lines.filter(|line| {
            about
                .iter()
                .any(|name| line.get(6..).is_some_and(|line| line.starts_with(name)))
        });
        alike(&lines.collect::<Vec<_>>().join("\n"))
    };
    let plain = settings("").at(&platform);
    insta::assert_snapshot!(said(&plain), @"
    ok    files     1 in base44/connectors, well written
    ok    policy    no rules: [policy] in connplan.toml makes some
    ok    approval  none needed: [approval] in connplan.toml demands it
    ok    store     this machine's own: [store] in connplan.toml names one for a team
    ");
    let strict = "[policy]\ndenied_types = [\"slack\"]\n[store]\nurl = \"git:nowhere\"\n\
                  [approval]\nrequire = \"signature\"\nsigners = \"missing\"\n";
    let strict = settings(strict).at(&platform);
    insta::assert_snapshot!(said(&strict), @"
    ok    files     1 in base44/connectors, well written
    FAIL  policy    1 forbidden; first base44/connectors/slack.jsonc:1: `denied_types` of the policy in connplan.toml forbids this: slack: the type is denied
    FAIL  approval  1 wrong in the settings; first base44/connplan.toml:7: `signers` in [approval] cannot be used: the signers file base44/missing does not exist; put it there, with a line for each person whose signature counts: an address and the public key, `ann@example.com ssh-ed25519 AAAA…`
    FAIL  store     FOLDER/project is not in a git work tree
    ");
    strict.run(&["doctor"]).expect(1);
    let kept = "[policy]\nallowed_types = [\"slack\"]\n\
                [approval]\nrequire = \"either\"\ncount = 2\nfrom_risk = \"danger\"\n";
    insta::assert_snapshot!(said(&settings(kept).at(&platform)), @"
    ok    files     1 in base44/connectors, well written
    ok    policy    the files keep to it: allowed_types
    ok    approval  2 approving reviews or signatures needed for plans with the risk `danger`
    ok    store     this machine's own: [store] in connplan.toml names one for a team
    ");
}

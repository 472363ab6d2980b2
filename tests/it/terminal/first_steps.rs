//! What somebody meets who has only read README: each message says what, where, and what next.

use serde_json::json;

use crate::support::{Output, Platform, Project, alike, reads};

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
    reads!(validate, @r#"
    exit 1: connplan validate
    Not valid: 1 error found.
    --- stderr
    error: `signers` in [approval] cannot be used: base44/allowed_signers:1: it names no key; each line is `PRINCIPALS [OPTIONS] KEYTYPE KEY`, as ssh-keygen(1) describes it under ALLOWED SIGNERS
       ╭─[base44/connplan.toml:3:11]
     2 │ require = "signature"
     3 │ signers = "allowed_signers"
       ·           ────────┬────────
       ·                   ╰── here
       ╰────
      code: connplan::config::setting
    "#);
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
    ok    files     1 in base44/connectors, without problems
    ok    policy    no rules are set ([policy] in connplan.toml sets them)
    ok    approval  plans need no approval ([approval] in connplan.toml requires one)
    ok    store     this machine's own: [store] in connplan.toml names one for a team
    ");
    let strict = "[policy]\ndenied_types = [\"slack\"]\n[store]\nurl = \"git:nowhere\"\n\
                  [approval]\nrequire = \"signature\"\nsigners = \"missing\"\n";
    let strict = settings(strict).at(&platform);
    insta::assert_snapshot!(said(&strict), @"
    ok    files     1 in base44/connectors, without problems
    FAIL  policy    base44/connectors/slack.jsonc:1: `denied_types` of the policy in connplan.toml forbids this: slack: the type is denied
    FAIL  approval  base44/connplan.toml:7: `signers` in [approval] cannot be used: the signers file base44/missing does not exist; put it there, with a line for each person whose signature counts: an address and the public key, `ann@example.com ssh-ed25519 AAAA…`
    FAIL  store     FOLDER/project is not in a git work tree
    ");
    strict.run(&["doctor"]).expect(1);
    let kept = "[policy]\nallowed_types = [\"slack\"]\n\
                [approval]\nrequire = \"either\"\ncount = 2\nfrom_risk = \"danger\"\n";
    insta::assert_snapshot!(said(&settings(kept).at(&platform)), @"
    ok    files     1 in base44/connectors, without problems
    ok    policy    the files comply with it: allowed_types
    ok    approval  2 approving reviews or signatures needed for plans with the risk `danger`
    ok    store     this machine's own: [store] in connplan.toml names one for a team
    ");
}

#[test]
fn each_mistake_says_where_and_what_next() {
    let platform = Platform::start();
    let project = Project::new()
        .at(&platform)
        .connector("slack", &["chat:write"])
        .file("full/file", "");
    let said = |project: &Project, args: &[&str]| {
        let output = project.run(args);
        format!(
            "$ connplan {}\n{}\n",
            args.join(" "),
            read(output.expect(1))
        )
    };
    let mut all = String::new();
    for args in [
        &["plan", "--target", "nope"][..],
        &["-C", "/nope", "plan"],
        &["demo", "--keep", "full"],
        &["plan", "--remote-state", "base44/config.jsonc"],
        &["policy", "test", "."],
        &["unlock", "--force"],
    ] {
        all.push_str(&said(&project, args));
    }
    let value = "{ \"type\": \"slack\", \"connection_config\": { \"subdomain\": \"${NOPE}\" } }";
    project.write("base44/connectors/slack.jsonc", value);
    all.push_str(&said(&project, &["plan"]));
    project.declare("slack", &["chat:write"]);
    project.write("base44/connplan.toml", "[plan]\nexpires = \"soon\"\n");
    all.push_str(&said(&project, &["plan"]));
    let project = project.var("BASE44_API_URL", "foo");
    project.write("base44/connplan.toml", "");
    all.push_str(&said(&project, &["plan"]));
    insta::assert_snapshot!(all, @r#"
    $ connplan plan --target nope
    error: `--target nope` names a connector that neither the files nor the app has
      help: there are: slack
      code: connplan::plan::unknown_target

    $ connplan -C /nope plan
    error: -C /nope: no such directory
      help: name a folder that is there: connplan runs as if started in it
      code: connplan::usage

    $ connplan demo --keep full
    error: `--keep full` names a folder that is not empty
      help: name a new folder: `--keep` writes a whole project into it
      code: connplan::usage

    $ connplan plan --remote-state base44/config.jsonc
    error: base44/config.jsonc is not a remote state that can be read: missing field `format_version` at line 1 column 18
      help: make it with `connplan remote-state > FILE`
      code: connplan::remote_state::unreadable

    $ connplan policy test .
    error: there is no fixture in .
      help: put a plan there as NAME.json (`connplan plan --format json`), and NAME.expected.json beside it
      code: connplan::usage

    $ connplan unlock --force
    error: unexpected argument '--force' found

    For more information, try '--help'.
      code: connplan::usage

    $ connplan plan
    error: base44/connectors/slack.jsonc: the connection value `subdomain` of slack: the variable CONNPLAN_VAR_NOPE, which `${NOPE}` stands for, is not set
      help: if you want that file to have it: `export CONNPLAN_VAR_NOPE=...`; else write the value into that file
      code: connplan::usage

    $ connplan plan
    error: `plan.expires`: a time is written like `90m`, `72h`, `7d` or `2w`, and is at most one year
       ╭─[base44/connplan.toml:2:11]
     1 │ [plan]
     2 │ expires = "soon"
       ·           ───┬──
       ·              ╰── here
       ╰────
      code: connplan::config::setting
    error: base44/connplan.toml has 1 error; nothing was planned
      help: fix them; `connplan validate` checks without network and login
      code: connplan::config::invalid

    $ connplan plan
    error: BASE44_API_URL is not usable: it is not a web address: it does not begin with https:// (or http://, on this machine)
      help: leave it out for https://app.base44.com, or set an address such as http://localhost:4400
      code: connplan::config::bad_api_url
    "#);
}

#[test]
fn who_trusts_a_plain_address_is_told_what_that_means() {
    let project = Project::new();
    let trusted = project.run(&["trust", "http://base44.example.com"]);
    insta::assert_snapshot!(read(trusted.expect(0)), @"
    Project files may name http://base44.example.com from now on.
    warning: it is plain http: everybody on the way can read what is sent there, so credentials go there only with `--allow-http`
    ");
    project
        .run(&["trust", "https://base44.example.com"])
        .expect(0)
        .lacks("warning");
}

#[test]
fn a_read_only_token_is_told_once_with_the_way_out() {
    let token = json!({ "token": "b44u_reads", "user": "ada@example.com", "access": "read_only" });
    let platform = Platform::seeded(json!({ "tokens": [token], "apps": { "app-1": {} } }));
    let project = Project::new()
        .at(&platform)
        .without_var("BASE44_API_KEY")
        .var("BASE44_ACCESS_TOKEN", "b44u_reads")
        .connector("linear", &["read"])
        .connector("slack", &["chat:write"]);
    project.run(&["plan", "--out", "x.plan"]).expect(0);
    // One after the other: of two at once, either may fail first.
    let applied = project.run(&["apply", "x.plan", "--parallelism", "1"]);
    insta::assert_snapshot!(read(applied.expect(1)), @r#"
    Acting as ada@example.com, by BASE44_ACCESS_TOKEN.
      ! linear failed
      ! slack failed
      help: set BASE44_ACCESS_TOKEN to a full personal access token to change the app; a read-only one is enough for `plan`, `status` and `pull`
    App app-1 at http://HOST

    Failed: linear - setting the connector linear failed (request ID): the access token is read-only: the server says "This personal access token is read-only"
    Failed: slack - setting the connector slack failed (request ID): the access token is read-only: the server says "This personal access token is read-only"

    Apply failed, 2 connectors: 2 failed.
    To finish: fix what failed, then apply again; what is done is not done twice.
    "#);
}

#[test]
fn authorize_tells_a_read_only_token_the_way_out() {
    let token = json!({ "token": "b44u_reads", "user": "ada@example.com", "access": "read_only" });
    let platform = Platform::seeded(json!({ "tokens": [token], "apps": { "app-1": {} } }));
    let project = Project::new()
        .at(&platform)
        .connector("linear", &["read"])
        .connector("slack", &["chat:write"]);
    project.run(&["apply", "--auto-approve"]).expect(0);
    let project = project
        .without_var("BASE44_API_KEY")
        .var("BASE44_ACCESS_TOKEN", "b44u_reads");
    let args = ["authorize", "--yes", "--print-links", "--timeout", "20s"];
    reads!(project.run(&args), @r#"
    exit 4: connplan authorize --yes --print-links --timeout 20s
    Summary:
      Failed: linear - setting the connector linear failed (request ID): the access token is read-only: the server says "This personal access token is read-only"
      Failed: slack - setting the connector slack failed (request ID): the access token is read-only: the server says "This personal access token is read-only"

    Left to do for 2 connectors:
      linear, slack: failed
        -> set BASE44_ACCESS_TOKEN to a full personal access token to change the app; a read-only one is enough for `plan`, `status` and `pull`; then run `connplan authorize linear slack` again
    --- stderr
    Acting as ada@example.com, by BASE44_ACCESS_TOKEN.
    2 connectors of app app-1 at http://HOST need consent in a browser:
      linear
        read  read everything the user can see; always included · read
      slack
        chat:write  post messages (as the bot or as the user) · write
    Each connection is recorded as made by ada@example.com, whichever account approves at the provider.
    Waiting at most 20s; `--timeout` changes that.
      ! linear: setting the connector linear failed (request ID): the access token is read-only: the server says "This personal access token is read-only"
      ! slack: setting the connector slack failed (request ID): the access token is read-only: the server says "This personal access token is read-only"
    "#);
}

#[test]
fn the_digest_of_the_plan_is_not_taken_for_the_receipts() {
    let platform = Platform::start();
    let project = Project::new()
        .at(&platform)
        .connector("slack", &["chat:write"]);
    let plan = project.run(&["plan", "--out", "x.plan", "--format", "json"]);
    let plan = plan.json()["digest"].as_str().unwrap().to_owned();
    project
        .run(&["apply", "x.plan", "--receipt", "x.receipt"])
        .expect(0);
    reads!(project.run(&["authorize", "--receipt", "x.receipt", "--expect-digest", &plan]), @"
    exit 3: connplan authorize --receipt x.receipt --expect-digest sha256:DIGEST
    --- stderr
    error: this is not the expected receipt: sha256:DIGEST was expected, this is sha256:DIGEST
      help: nothing was asked for. That is the digest of the receipt's plan: give the receipt's own, which `connplan apply` printed in the command to go on with
      code: connplan::plan::other_receipt
    ");
}

#[test]
fn a_plan_says_what_is_really_next() {
    let platform = Platform::start();
    let end = |require: &str, args: &[&str]| {
        let text = format!("[approval]\nrequire = \"{require}\"\nsigners = \"signers\"\n");
        let project = settings(&text).at(&platform).file("base44/signers", "");
        let output = project.run(args);
        let (_, end) = output
            .expect(0)
            .stdout
            .split_once("1 to authorize.\n")
            .unwrap();
        format!("{require}: {}\n", alike(end.trim_start()))
    };
    let save = &["plan", "--out", "x.plan"][..];
    let all = [
        end("signature", save),
        end("review", save),
        end("either", save),
        end("signature", &["plan"]),
    ];
    insta::assert_snapshot!(all.concat(), @"
    signature: Digest: sha256:DIGEST
    Approval: 1 signature needed, 0 found
    To have it approved: a signer runs `connplan approve x.plan --out x.plan.sig`; then `connplan apply x.plan --approved-by x.plan.sig`

    review: Digest: sha256:DIGEST
    Approval: 1 approving review needed, 0 found
    To have it approved: have the pull or merge request approved whose comment shows this plan; then `connplan apply x.plan --approved-in-review=1`

    either: Digest: sha256:DIGEST
    Approval: 1 approving review or signature needed, 0 found
    To have it approved: have the pull or merge request approved whose comment shows this plan; then `connplan apply x.plan --approved-in-review=1`; or a signer runs `connplan approve x.plan --out x.plan.sig`; then `connplan apply x.plan --approved-by x.plan.sig`

    signature: Approval: 1 signature needed, 0 found
    To have it approved, save it: connplan plan --out FILE
    ");
}

#[test]
fn a_saved_plan_does_not_say_that_something_waits_still() {
    let platform = Platform::start();
    let project = settings("").at(&platform).connector("linear", &["read"]);
    project.run(&["apply", "--auto-approve"]).expect(0);
    project.declare("notion", &["read"]);
    reads!(project.run(&["plan", "--out", "x.plan"]), @"
    exit 0: connplan plan --out x.plan
    App app-1 at http://HOST

    Symbols:  + add

      + notion                base44/connectors/notion.jsonc
          + read  unknown, which does not mean safe
          authorization: required

    Waiting for authorization (nothing is written again):
        linear                base44/connectors/linear.jsonc
            read  read everything the user can see; always included · read
        slack                 base44/connectors/slack.jsonc
            chat:write  post messages (as the bot or as the user) · write

    Plan: 1 to add, 0 to change, 0 to remove, 1 to authorize.
    2 connectors wait for authorization: run `connplan authorize`.

    Digest: sha256:DIGEST
    To carry out exactly this plan: connplan apply x.plan
    ");
    for connector in ["linear", "slack"] {
        platform.consent(connector, "ada@example.com");
    }
    project.run(&["authorize"]).expect(0);
    let shown = project.run(&["show", "x.plan"]);
    let (_, end) = shown
        .expect(0)
        .stdout
        .split_once("authorization: required\n")
        .unwrap();
    insta::assert_snapshot!(alike(end), @"
    Waiting for authorization when the plan was made (nothing is written again):
        linear                base44/connectors/linear.jsonc
            read  read everything the user can see; always included · read
        slack                 base44/connectors/slack.jsonc
            chat:write  post messages (as the bot or as the user) · write

    Plan: 1 to add, 0 to change, 0 to remove, 1 to authorize.
    2 connectors waited for authorization when the plan was made: `connplan status` shows what still does.

    Digest: sha256:DIGEST
    To carry out exactly this plan: connplan apply x.plan
    ");
    reads!(project.run(&["apply", "x.plan"]), @"
    exit 0: connplan apply x.plan
    App app-1 at http://HOST

    Waiting for authorization: notion

    Applied, 3 connectors: 1 waiting for authorization, 2 unchanged.
    Next: connplan authorize
    --- stderr
    Acting as a workspace, by BASE44_API_KEY.
      ! notion waiting for authorization
    ");
}

#[test]
fn the_way_out_of_a_wrong_account_is_the_same_everywhere() {
    let slack = json!({
        "status": "active", "scopes": ["chat:write"],
        "account": "ada@example.com", "owner": "ada@example.com",
    });
    let platform =
        Platform::seeded(json!({ "apps": { "app-1": { "connectors": { "slack": slack } } } }));
    let file =
        "{ \"type\": \"slack\", \"scopes\": [\"chat:write\"], \"account\": \"ops@example.com\" }";
    let project = Project::new()
        .at(&platform)
        .file("base44/connectors/slack.jsonc", file);
    let way = "if it is your own, the platform does not ask again: remove its file and apply, then restore it, apply and authorize";
    let readme = include_str!("../../../README.md").replace('\n', " ");
    assert!(readme.contains(way), "README says it too");
    reads!(project.run(&["plan", "--out", "x.plan"]).says(way), @"
    exit 0: connplan plan --out x.plan
    App app-1 at http://HOST

    Symbols:  ! look here

      ! slack                 base44/connectors/slack.jsonc
          account: ops@example.com is expected to consent
            chat:write  post messages (as the bot or as the user) · write
          ! takes the connection over: ada@example.com holds it, the file expects ops@example.com
          authorization: required

    note: slack: if somebody else made the connection, plan, apply and authorize it; if it is your own, the platform does not ask again: remove its file and apply, then restore it, apply and authorize

    Plan: 0 to add, 0 to change, 0 to remove, 1 to authorize.

    Digest: sha256:DIGEST
    To carry out exactly this plan: connplan apply x.plan
    ");
    reads!(project.run(&["apply", "x.plan"]).says(way), @"
    exit 1: connplan apply x.plan
    App app-1 at http://HOST

    Failed: slack - ada@example.com holds it, not the account that the file names; if somebody else made the connection, plan, apply and authorize it; if it is your own, the platform does not ask again: remove its file and apply, then restore it, apply and authorize

    Apply failed, 1 connector: 1 failed.
    To finish: fix what failed, then apply again; what is done is not done twice.
    --- stderr
    Acting as a workspace, by BASE44_API_KEY.
      ~ slack changed
    ");
    reads!(project.run(&["authorize", "--list"]).says(way), @"
    exit 4: connplan authorize --list
    App app-1 at http://HOST
      ! slack held by the wrong account: ada@example.com instead of ops@example.com
          expected: ops@example.com
          if somebody else made the connection, plan, apply and authorize it; if it is your own, the platform does not ask again: remove its file and apply, then restore it, apply and authorize slack as ops@example.com
    ");
}

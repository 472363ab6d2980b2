//! Plans that `apply` refuses: altered, forged, not the approved one, for elsewhere, no plan at all.
#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use connplan::plan::document;
use serde_json::Value;

use crate::support::{Platform, Project, all_cases, planned, reads, result};

const NOTHING: [&str; 0] = [];

/// Every leaf of a document, as a path to it.
fn leaves(value: &toml::Value, path: &mut Vec<String>, found: &mut Vec<Vec<String>>) {
    match value {
        toml::Value::Table(table) => {
            for (key, value) in table {
                path.push(key.clone());
                leaves(value, path, found);
                path.pop();
            }
        }
        toml::Value::Array(items) if !items.is_empty() => {
            for (index, value) in items.iter().enumerate() {
                path.push(index.to_string());
                leaves(value, path, found);
                path.pop();
            }
        }
        _ => found.push(path.clone()),
    }
}

fn at<'a>(value: &'a mut toml::Value, path: &[String]) -> &'a mut toml::Value {
    path.iter().fold(value, |value, step| match value {
        toml::Value::Table(table) => table.get_mut(step).unwrap(),
        toml::Value::Array(items) => &mut items[step.parse::<usize>().unwrap()],
        other => panic!("{other}"),
    })
}

fn mutated(value: &toml::Value) -> toml::Value {
    match value {
        toml::Value::String(text) => toml::Value::String(match text.as_str() {
            "active" => "expired".to_owned(),
            "expired" => "active".to_owned(),
            "oauth" => "stripe".to_owned(),
            "create" => "update".to_owned(),
            "no-op" | "update" | "reauthorize" => "delete".to_owned(),
            "required" | "possible" => "none".to_owned(),
            other => format!("{other}x"),
        }),
        toml::Value::Boolean(flag) => toml::Value::Boolean(!flag),
        toml::Value::Array(_) => toml::Value::Array(vec![toml::Value::String("x".to_owned())]),
        other => panic!("no plan holds {other}"),
    }
}

#[test]
fn an_altered_plan_is_refused_whatever_was_altered() {
    let (platform, project) = planned();
    let text = project.read("x.plan");
    let whole: toml::Value = toml::Value::Table(text.parse().unwrap());
    let mut paths = Vec::new();
    leaves(&whole, &mut Vec::new(), &mut paths);
    assert!(paths.len() > 40, "{paths:?}");
    let commands = [["apply", "y.plan"], ["show", "y.plan"]];
    for (turn, path) in paths.into_iter().enumerate() {
        if matches!(path[0].as_str(), "created_at" | "created_by") {
            continue;
        }
        let mut changed = whole.clone();
        let leaf = at(&mut changed, &path);
        *leaf = mutated(leaf);
        let changed = toml::to_string(&changed).unwrap();
        assert!(document::read("y.plan", &changed).is_err(), "{path:?}");
        // Every command reads it by that: each second leaf is tried with one of them.
        let tried = |n: usize| all_cases() || turn % 4 == 2 * n;
        project.write("y.plan", &changed);
        for command in (0..).zip(&commands).filter(|(n, _)| tried(*n)) {
            let refused = project.run(command.1);
            assert_eq!(refused.code, Some(3), "{path:?}: {refused}");
        }
    }
    // Something added, something taken away, half of it, nothing of it.
    let end = text.len() / 2;
    for changed in [
        format!(
            "{text}\n[[apps.changes]]\nconnector = \"asana\"\nkind = \"oauth\"\naction = \"create\"\nauthorization = \"required\"\n"
        ),
        format!("surprise = true\n{text}"),
        text.replace("digest = ", "digest_was = "),
        text[..end].to_owned(),
        String::new(),
        "{}".to_owned(),
    ] {
        project.write("y.plan", &changed);
        let refused = project.run(&["apply", "y.plan"]);
        assert_eq!(refused.code, Some(3), "{changed}: {refused}");
    }
    assert_eq!(platform.requests(), NOTHING, "nobody had to be asked");
}

#[test]
fn a_plan_may_be_laid_out_anew() {
    let (platform, project) = planned();
    let table: toml::Table = project.read("x.plan").parse().unwrap();
    let mut text = toml::to_string(&table).unwrap().replace('\n', "\r\n");
    text = format!("# reviewed by ops\r\n\r\n{}", text.replace(" = ", "   =\t"));
    let created = text
        .lines()
        .find(|line| line.starts_with("created_at"))
        .unwrap()
        .to_owned();
    let text = text.replace(&created, "created_at = \"yesterday\"");
    project.write("y.plan", &text);
    let shown = |file: &str| project.run(&["show", file, "--format", "json"]).stdout;
    assert_eq!(shown("x.plan"), shown("y.plan"));
    let digest = shown("x.plan");
    let digest: Value = serde_json::from_str(&digest).unwrap();
    let digest = digest["digest"].as_str().unwrap();
    project
        .run(&["apply", "y.plan", "--expect-digest", digest])
        .expect(0);
    assert_eq!(platform.writes().len(), 5);
}

#[test]
fn a_forged_digest_does_not_help_a_plan_that_contradicts_itself() {
    let (platform, project) = planned();
    let text = project.read("x.plan");
    // Shown: one scope. Asked for: two.
    let forged = text.replacen(
        "[changes.after]\nscopes = [\"chat:write\"]",
        "[changes.after]\nscopes = [\"admin\", \"chat:write\"]",
        1,
    );
    assert_ne!(forged, text);
    project.write("y.plan", &resealed(&forged));
    reads!(project.run(&["apply", "y.plan"]), @"
    exit 3: connplan apply y.plan
    --- stderr
    error: the file contradicts itself: `slack`: the scopes shown are not those that change
      help: connplan did not write it like this; make a new plan
      code: connplan::plan::incoherent
    ");
    assert_eq!(platform.writes(), NOTHING);
}

/// No digest covers a no-op: what waits is what somebody here asked for.
#[test]
fn a_plan_that_says_that_something_waits_is_no_proof_of_it() {
    let (platform, project) = planned();
    let text = project.read("x.plan");
    let digest = text
        .lines()
        .find_map(|line| line.strip_prefix("digest = "))
        .unwrap();
    let digest = digest.trim_matches('"').to_owned();
    let row = "\n[[changes]]\nconnector = \"outlook\"\nkind = \"oauth\"\naction = \"no-op\"\n\
               authorization = \"pending\"\n\n[changes.after]\nscopes = [\"Mail.Read\"]\n\n\
               [changes.scopes]\nadded = [\"Mail.Read\"]\n";
    let at = text.find("\n[[changes]]\nconnector = \"slack\"").unwrap();
    let forged = format!("{}{row}{}", &text[..at], &text[at..]);
    project.write("y.plan", &resealed(&forged));
    let apply = [
        "apply",
        "y.plan",
        "--expect-digest",
        &digest,
        "--receipt",
        "y.receipt",
        "--format",
        "json",
    ];
    let run = project.run(&apply);
    let receipt = run.expect(0).json();
    let of = |name: &str| {
        let result = result(&receipt, name);
        (result["outcome"].clone(), result["message"].clone())
    };
    let unproved = "the plan says that it waits, but nothing here proves that anybody asked for it: continue with the \
                    receipt of the apply that did";
    assert_eq!(of("outlook"), ("unchanged".into(), unproved.into()));
    assert_eq!(of("slack").0, "pending");
    platform.forget();
    let digest = receipt["digest"].as_str().unwrap();
    let authorize = [
        "authorize",
        "outlook",
        "--receipt",
        "y.receipt",
        "--expect-digest",
        digest,
        "--yes",
        "--print-links",
    ];
    project
        .run(&authorize)
        .expect(1)
        .tells("outlook does not wait");
    assert_eq!(platform.writes(), NOTHING);
}

#[test]
fn only_the_approved_digest_is_applied() {
    let (platform, project) = planned();
    let wrong = format!("sha256:{}", "0".repeat(64));
    reads!(project.run(&["apply", "x.plan", "--expect-digest", &wrong]), @"
    exit 3: connplan apply x.plan --expect-digest sha256:DIGEST
    --- stderr
    error: this is not the approved plan: sha256:DIGEST was expected, this is sha256:DIGEST
      help: apply the file that was reviewed, or ask for a review of this one
      code: connplan::plan::not_approved
    ");
    project
        .run(&["apply", "--auto-approve", "--expect-digest", &wrong])
        .expect(3);
    assert_eq!(platform.writes(), NOTHING);
    let plan = project.run(&["plan", "--format", "json"]).json();
    let right = plan["digest"].as_str().unwrap();
    project
        .run(&["apply", "--auto-approve", "--expect-digest", right])
        .expect(0);
}

#[test]
fn a_plan_for_elsewhere_is_refused() {
    let (platform, project) = planned();
    reads!(project.run(&["apply", "x.plan", "--app-id", "app-2"]), @"
    exit 3: connplan apply x.plan --app-id app-2
    --- stderr
    error: the plan is for app app-1, this is app app-2
      help: check `--app-id`, `--env`, BASE44_APP_ID and .app.jsonc
      code: connplan::plan::other_app
    ");
    project
        .run_vars(&[("BASE44_APP_ID", "app-2")], &["apply", "x.plan"])
        .expect(3);
    let other = Platform::start();
    let output = project.run_vars(
        &[
            ("BASE44_API_URL", other.url()),
            ("BASE44_API_KEY", other.key()),
        ],
        &["apply", "x.plan"],
    );
    reads!(output.tells(platform.url()), @"
    exit 3: connplan apply x.plan
    --- stderr
    error: the plan was made at http://HOST, this is http://HOST
      help: check BASE44_API_URL and `--env`
      code: connplan::plan::other_address
    ");
    assert_eq!(
        other.requests(),
        NOTHING,
        "no credential left for elsewhere"
    );
    assert_eq!(platform.requests(), NOTHING);
    // Where nothing else names an app, the plan does.
    let elsewhere = Project::nowhere()
        .at(&platform)
        .file("x.plan", &project.read("x.plan"));
    elsewhere.run(&["apply", "x.plan"]).expect(0);
    assert_eq!(platform.writes().len(), 5);
}

#[test]
fn options_of_planning_do_not_go_with_a_plan() {
    let (platform, project) = planned();
    for more in [
        &["--target", "slack"][..],
        &["--keep-unlisted"],
        &["--allow-remove-all"],
        &["--dir", "x"],
    ] {
        project
            .run(&[&["apply", "x.plan"], more].concat())
            .expect(1);
    }
    assert_eq!(platform.writes(), NOTHING);
}

#[test]
fn a_receipt_that_was_altered_is_refused() {
    let (platform, project) = planned();
    project
        .run(&["apply", "x.plan", "--receipt", "x.receipt"])
        .expect(0);
    platform.forget();
    let altered = project
        .read("x.receipt")
        .replace("\"chat:write\"", "\"admin\"");
    project.write("y.receipt", &altered);
    project.run(&["show", "y.receipt"]).expect(3);
    reads!(project.run(&["authorize", "--receipt", "y.receipt"]).lacks("reviewed"), @"
    exit 3: connplan authorize --receipt y.receipt
    --- stderr
    error: the receipt y.receipt was altered: its digest says sha256:DIGEST, its content is sha256:DIGEST
      help: this is not what the apply wrote down; take the file that `connplan apply --receipt FILE` wrote, or plan and apply again
      code: connplan::plan::altered
    ");
    let cut = altered.split("[[").next().expect("a head");
    project.write("cut.receipt", &format!("{cut}[["));
    reads!(project.run(&["show", "cut.receipt"]), @"
    exit 3: connplan show cut.receipt
    --- stderr
    error: the receipt cut.receipt cannot be read: line 16: unquoted keys cannot be empty, expected letters, numbers, `-`, `_`
      help: it was altered or cut short; take the file that `connplan apply --receipt FILE` wrote; where it is lost, plan and apply again
      code: connplan::plan::unreadable
    ");
    project.run(&["authorize", "--receipt", "x.plan"]).expect(3);
    project.run(&["apply", "x.receipt"]).expect(3);
    reads!(project.run(&["authorize", "--receipt", "no-such"]), @"
    exit 1: connplan authorize --receipt no-such
    --- stderr
    error: no-such does not exist
      help: check the path; where it is relative, it starts at the current folder, or at `-C DIR`
      code: connplan::fs::not_found
    ");
    assert_eq!(platform.writes(), NOTHING);
}

#[test]
fn a_file_of_the_wrong_kind_is_named_with_what_it_is_for() {
    let (_platform, project) = planned();
    project
        .run(&["apply", "x.plan", "--receipt", "x.receipt"])
        .expect(0);
    reads!(project.run(&["apply", "x.receipt"]).lacks("altered"), @"
    exit 3: connplan apply x.receipt
    --- stderr
    error: x.receipt is a receipt; this command needs a plan
      help: a receipt says what was done: `connplan show FILE` prints it, `connplan authorize --receipt FILE` resumes what is pending; to apply, give the plan that was saved with `connplan plan --out`
      code: connplan::plan::other_kind
    ");
    reads!(project.run(&["authorize", "--receipt", "x.plan"]).lacks("altered"), @"
    exit 3: connplan authorize --receipt x.plan
    --- stderr
    error: x.plan is a plan; this command needs a receipt
      help: a plan says what to do: `connplan apply FILE` carries it out, and its receipt lists what is pending
      code: connplan::plan::other_kind
    ");
    for args in [
        &["apply", "base44/config.jsonc"][..],
        &["show", "base44/config.jsonc"],
        &["authorize", "--receipt", "base44/config.jsonc"],
    ] {
        project
            .run(args)
            .expect(3)
            .tells("base44/config.jsonc is no ")
            .tells("is this another file?")
            .lacks("altered");
    }
    let whole = project.read("x.receipt");
    project.write("cut.receipt", &whole[..whole.len() / 2]);
    reads!(project.run(&["show", "cut.receipt"]), @"
    exit 3: connplan show cut.receipt
    --- stderr
    error: the receipt cut.receipt cannot be read: line 26: key with no value, expected `=`
      help: it was altered or cut short; take the file that `connplan apply --receipt FILE` wrote; where it is lost, plan and apply again
      code: connplan::plan::unreadable
    ");
}

/// A plan whose digests somebody made anew.
pub(crate) fn resealed(text: &str) -> String {
    let table: toml::Table = text.parse().unwrap();
    let (digest, record) = document::seal(&table);
    let (head, rest) = text.split_once("\napp_id = ").unwrap();
    let lines = head.lines().map(|line| {
        if line.starts_with("digest = ") {
            format!("digest = \"{digest}\"")
        } else if line.starts_with("record_digest = ") {
            format!("record_digest = \"{record}\"")
        } else {
            line.to_owned()
        }
    });
    let head: Vec<_> = lines.collect();
    format!("{}\napp_id = {rest}", head.join("\n"))
}

//! Which applies move what was applied last: what a run refused stays refused until then.

use serde_json::json;

use super::{
    loosening::{git, push},
    merged::{SIGNED, applied, commit, pushed, shop},
};
use crate::{
    apply::refusals::resealed,
    support::{Connector, Platform, Project},
};

const MAILBOX: &[&str] = &["https://mail.google.com/"];

fn rules() -> String {
    format!("{SIGNED}from_risk = \"danger\"\n")
}

fn head(project: &Project) -> String {
    git(project, &["rev-parse", "HEAD"])
}

/// Merges the change that takes the rules away and adds a mailbox; refused by its own run, and by the next one.
fn refused(project: &Project, before: &str) {
    project.write("base44/connplan.toml", "");
    project.declare("gmail", MAILBOX);
    let loose = commit(project, "loose, and the whole mailbox");
    applied(project, before, &[]).expect(3).tells("signature");
    commit(project, "a word");
    applied(project, &loose, &[]).expect(3).tells("signature");
}

fn event<'a>(path: &'a str, name: &'a str) -> [(&'a str, &'a str); 2] {
    [("GITHUB_EVENT_PATH", path), ("GITHUB_EVENT_NAME", name)]
}

#[test]
#[ignore = "needs git remotes: run by .ci/run"]
fn an_apply_of_a_commit_that_is_not_what_the_branch_has_now_moves_nothing() {
    for case in ["an old run", "a new branch", "a merged request"] {
        let (platform, project) = shop();
        let base = head(&project);
        project.declare("linear", &["read"]);
        let older = commit(&project, "before the rules");
        project.undeclare("linear");
        project.write("base44/connplan.toml", &rules());
        let signed = commit(&project, "signed");
        applied(&project, &older, &[]).expect(0);
        let path = project.path("../event.json").display().to_string();
        match case {
            "an old run" => {
                git(&project, &["checkout", "-qf", &older]);
                applied(&project, &base, &[]).expect(0);
                git(&project, &["checkout", "-qf", "main"]);
            }
            "a new branch" => {
                git(&project, &["checkout", "-qb", "x", &older]);
                git(&project, &["push", "-q", "origin", "x"]);
                let new = json!({
                    "before": "0".repeat(40), "ref": "refs/heads/x", "repository": {"default_branch": "main"},
                });
                project.write("../event.json", &new.to_string());
                let run = push(&path, &older);
                let apply = ["apply", "--auto-approve"];
                project.run_vars(&run, &apply).expect(0);
                git(&project, &["checkout", "-qf", "main"]);
            }
            _ => {
                // What is merged has the rules; what the request began from has none.
                project.declare("linear", &["read"]);
                let merged = commit(&project, "squashed");
                let closed = json!({"action": "closed", "repository": {"default_branch": "main"}, "pull_request": {
                    "number": 5, "merged": true, "merge_commit_sha": merged,
                    "head": {"sha": older, "ref": "topic"}, "base": {"sha": signed, "ref": "main"},
                }});
                project.write("../event.json", &closed.to_string());
                let run = push(&path, &merged);
                let run = [&run[..], &event(&path, "pull_request")].concat();
                let apply = ["apply", "--auto-approve"];
                project.run_vars(&run, &apply).expect(0);
            }
        }
        assert_eq!(platform.writes().len(), 2, "{case}");
        refused(&project, &head(&project));
        assert_eq!(platform.writes().len(), 2, "{case}");
    }
}

/// What stays by an option, or is in no plan of these files, is left over.
#[test]
fn an_apply_that_leaves_something_over_moves_nothing() {
    let platform = Platform::with(&[Connector::active("notion", &[])]);
    let (_, project) = shop();
    let project = project.at(&platform);
    let base = head(&project);
    project.declare("notion", &[]);
    let all = format!("{}[policy]\nprotected = [\"notion\"]\n", rules());
    project.write("base44/connplan.toml", &all);
    let signed = commit(&project, "signed");
    applied(&project, &base, &[]).expect(0);
    assert_eq!(platform.writes().len(), 1);
    project.declare("linear", &["read"]);
    project.run(&["plan", "--out", "../x.plan"]).expect(0);
    project.write("base44/connplan.toml", "");
    project.undeclare("notion");
    let loose = commit(&project, "loose, without notion");
    applied(&project, &signed, &[]).expect(3).tells("signature");
    // A plan of another commit.
    let saved = ["apply", "../x.plan"];
    pushed(&project, &loose, &[], &saved).expect(0);
    assert_eq!(platform.writes().len(), 2);
    applied(&project, &loose, &[]).expect(3).tells("signature");
    project.declare("wix", &["a"]);
    let more = commit(&project, "wix");
    let keep = ["apply", "--auto-approve", "--keep-unlisted"];
    pushed(&project, &loose, &[], &keep).expect(0);
    assert_eq!(platform.writes().len(), 3);
    applied(&project, &more, &[]).expect(3).tells("signature");
    assert_eq!(platform.writes().len(), 3);
}

/// Each of several projects of an app moves its own alone.
#[test]
#[ignore = "needs git remotes: run by .ci/run"]
fn an_apply_of_another_project_moves_nothing() {
    let (platform, project) = shop();
    let base = head(&project);
    let keep = "unlisted = \"keep\"\n";
    let settings = |text: &str| {
        project.write("base44/connplan.toml", &format!("{keep}{text}"));
        project.write("two/base44/connplan.toml", &format!("{keep}{text}"));
    };
    let two = |name: &str, scopes: &[&str]| {
        let file = json!({"type": name, "scopes": scopes});
        let path = format!("two/base44/connectors/{name}.jsonc");
        project.write(&path, &file.to_string());
    };
    let in_two = ["-C", "two", "apply", "--auto-approve"];
    project.write("two/base44/config.jsonc", "{\"name\": \"two\"}");
    project.write("two/base44/.app.jsonc", "{\"id\": \"app-1\"}");
    project.write("two/base44/signers", "");
    settings(&rules());
    two("notion", &[]);
    let signed = commit(&project, "signed");
    applied(&project, &base, &[]).expect(0);
    pushed(&project, &base, &[], &in_two).expect(0);
    settings("");
    two("gmail", MAILBOX);
    project.declare("wix", &["a"]);
    let loose = commit(&project, "loose, and a mailbox in the other one");
    applied(&project, &signed, &[]).expect(0);
    assert_eq!(platform.writes().len(), 3);
    let refused = pushed(&project, &signed, &[], &in_two);
    refused.expect(3).tells("signature");
    commit(&project, "a word");
    let refused = pushed(&project, &loose, &[], &in_two);
    refused.expect(3).tells("signature");
    // That its folder is gone says nothing: it may be elsewhere by now.
    git(&project, &["mv", "two", "three"]);
    let _ = std::fs::remove_dir_all(project.path("two"));
    project.declare("linear", &["read"]);
    let moved = commit(&project, "two is three");
    applied(&project, &loose, &[]).expect(0);
    commit(&project, "a word");
    let in_three = ["-C", "three", "apply", "--auto-approve"];
    let refused = pushed(&project, &moved, &[], &in_three);
    refused.expect(3).tells("signature");
    // Nor does a copy of its files in a project that has been there.
    project.declare("notion", &[]);
    project.declare("box", &["root_readonly"]);
    let copied = commit(&project, "notion in both");
    applied(&project, &moved, &[]).expect(0);
    let refused = pushed(&project, &copied, &[], &in_three);
    refused.expect(3).tells("signature");
    assert_eq!(platform.writes().len(), 5);
}

/// The same types and scopes with other values are other files.
#[test]
#[ignore = "needs git remotes: run by .ci/run"]
fn a_plan_with_other_values_moves_nothing() {
    let (platform, project) = shop();
    let base = head(&project);
    let zendesk = |subdomain: &str| {
        let text = format!(
            r#"{{"type": "zendesk", "scopes": ["read"], "connection_config": {{"subdomain": "{subdomain}"}}}}"#
        );
        project.write("base44/connectors/zendesk.jsonc", &text);
    };
    zendesk("acme");
    project.write("base44/connplan.toml", &rules());
    let signed = commit(&project, "signed");
    applied(&project, &base, &[]).expect(0);
    platform.consent("zendesk", "olga@example.com");
    let before = platform.writes().len();
    project.declare("linear", &["read"]);
    project.run(&["plan", "--out", "../x.plan"]).expect(0);
    project.write("base44/connplan.toml", "");
    zendesk("evil");
    let loose = commit(&project, "loose, and elsewhere");
    applied(&project, &signed, &[]).expect(3).tells("signature");
    pushed(&project, &signed, &[], &["apply", "../x.plan"]).expect(0);
    assert_eq!(platform.writes().len(), before + 1);
    commit(&project, "a word");
    applied(&project, &loose, &[]).expect(3).tells("signature");
}

/// What no digest covers makes a part no whole.
#[test]
#[ignore = "needs git remotes: run by .ci/run"]
fn a_no_op_that_is_not_so_moves_nothing() {
    let (platform, project) = shop();
    let base = head(&project);
    project.write("base44/connplan.toml", &rules());
    let signed = commit(&project, "signed");
    applied(&project, &base, &[]).expect(0);
    project.write("base44/connplan.toml", "");
    project.declare("gmail", MAILBOX);
    project.declare("linear", &["read"]);
    let loose = commit(&project, "loose, and the whole mailbox");
    applied(&project, &signed, &[]).expect(3).tells("signature");
    let plan = ["plan", "--target", "linear", "--out", "../x.plan"];
    project.run(&plan).expect(0);
    let text = project.read("../x.plan");
    let (head, part) = text.split_once("untargeted_new = [").unwrap();
    let (_, rest) = part.split_once("]\n").unwrap();
    let whole = format!("{head}{rest}");
    let row = "\n[[changes]]\nconnector = \"gmail\"\nkind = \"oauth\"\naction = \"no-op\"\n\
               authorization = \"none\"\n\n[changes.before]\nstatus = \"active\"\n\
               scopes = [\"https://mail.google.com/\"]\n\n[changes.after]\nscopes = [\"https://mail.google.com/\"]\n\n\
               [changes.scopes]\nkept = [\"https://mail.google.com/\"]\n";
    let at = whole.find("\n[[changes]]").unwrap();
    let forged = format!("{}{row}{}", &whole[..at], &whole[at..]);
    project.write("../y.plan", &resealed(&forged));
    let before = platform.writes().len();
    pushed(&project, &loose, &[], &["apply", "../y.plan"]).expect(0);
    assert_eq!(platform.writes().len(), before + 1);
    commit(&project, "a word");
    applied(&project, &loose, &[]).expect(3).tells("signature");
}

/// An app that was as its files say from the beginning has something to hold on to, too.
#[test]
#[ignore = "needs git remotes: run by .ci/run"]
fn the_first_apply_is_one_although_it_changes_nothing() {
    let (platform, project) = shop();
    platform.set(&Connector::active("slack", &["chat:write"]));
    let base = head(&project);
    project.write("base44/connplan.toml", &rules());
    let signed = commit(&project, "signed");
    applied(&project, &base, &[]).expect(0);
    assert!(platform.writes().is_empty());
    refused(&project, &signed);
    assert!(platform.writes().is_empty());
}

/// A project that is moved takes its memory along.
#[test]
#[ignore = "needs git remotes: run by .ci/run"]
fn a_new_project_with_the_connectors_of_one_that_is_gone_takes_it_over() {
    let (platform, project) = shop();
    let base = head(&project);
    let apply = |before: &str, folder: &str| {
        pushed(
            &project,
            before,
            &[],
            &["-C", folder, "apply", "--auto-approve"],
        )
    };
    git(&project, &["mv", "base44", "web44"]);
    project.write("web/.keep", "");
    git(&project, &["mv", "web44", "web/base44"]);
    project.write("web/base44/connplan.toml", &rules());
    let signed = commit(&project, "web");
    apply(&base, "web").expect(0);
    git(&project, &["mv", "web", "site"]);
    let _ = std::fs::remove_dir_all(project.path("web"));
    let linear = r#"{"type": "linear", "scopes": ["read"]}"#;
    project.write("site/base44/connectors/linear.jsonc", linear);
    let moved = commit(&project, "web is site");
    apply(&signed, "site").expect(0);
    project.write("site/base44/connplan.toml", "");
    let wix = r#"{"type": "wix", "scopes": ["a"]}"#;
    project.write("site/base44/connectors/wix.jsonc", wix);
    let loose = commit(&project, "no rules");
    apply(&moved, "site").expect(0);
    let mailbox = r#"{"type": "gmail", "scopes": ["https://mail.google.com/"]}"#;
    project.write("site/base44/connectors/gmail.jsonc", mailbox);
    commit(&project, "the mailbox");
    apply(&loose, "site").expect(0);
    assert_eq!(platform.writes().len(), 4);
}

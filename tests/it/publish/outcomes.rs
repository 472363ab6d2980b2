//! What the actions do where a plan is forbidden, and where the app and its files went apart.

use std::{fs, process::Command};

use crate::{
    publish::{
        actions::{github, on_github},
        runner::Runner,
    },
    support::{Connector, Platform, Project},
};

#[test]
fn what_is_wrong_in_a_file_is_an_annotation_and_ends_the_job() {
    let platform = Platform::start();
    let (server, bodies) = github();
    let project = Project::new().file("base44/connectors/slack.jsonc", "{ \"scopes\": [] }\n");
    let mut runner = Runner::new(on_github(project, &platform, &server));
    let planned = runner.run("plan", &[("api-key", platform.key())]);
    assert!(planned.failed);
    assert!(
        planned
            .log
            .starts_with("::error file=base44/connectors/slack.jsonc,line=1,")
    );
    let [comment] = bodies.lock().unwrap().clone().try_into().unwrap();
    assert!(comment.contains("## connplan: failed"), "{comment}");
    assert!(
        comment.contains("`base44/connectors/slack.jsonc:1"),
        "{comment}"
    );
    assert!(runner.artifacts.is_empty());
    assert_eq!(planned.outputs["digest"], "");
}

#[test]
fn a_forbidden_plan_stands_whole_in_the_comment_with_its_rule() {
    let platform = Platform::with(&[Connector::active("notion", &["read"])]);
    let (server, bodies) = github();
    let project = Project::new()
        .connector("slack", &["chat:write"])
        .file("connplan.toml", "[policy]\nprotected = [\"notion\"]\n");
    let mut runner = Runner::new(on_github(project, &platform, &server));
    let planned = runner.run("plan", &[("api-key", platform.key())]);
    assert!(
        planned.failed && runner.artifacts.is_empty(),
        "{}",
        planned.log
    );
    let [comment] = bodies.lock().unwrap().clone().try_into().unwrap();
    for text in [&comment, &runner.summary] {
        assert!(text.contains("## connplan: forbidden: app"), "{text}");
        assert!(text.contains("`protected`, `notion`"), "{text}");
        assert!(
            text.contains("## connplan plan that is forbidden"),
            "{text}"
        );
        assert!(text.contains("chat:write"), "{text}");
        assert!(!text.contains("To carry out"), "{text}");
    }

    // Allowed again: nothing of it stays.
    runner.project.write("connplan.toml", "");
    let planned = runner.run("plan", &[("api-key", platform.key())]);
    assert!(!planned.failed, "{}", planned.log);
    let [comment] = bodies.lock().unwrap().clone().try_into().unwrap();
    assert!(!comment.contains("forbidden"), "{comment}");
}

/// A `gh` that keeps one issue as files stands in for the real one.
#[test]
fn one_issue_is_open_while_there_is_drift() {
    let platform = Platform::with(&[Connector::active("notion", &["read"])]);
    let (server, _) = github();
    let project = Project::new().connector("slack", &["chat:write"]);
    let project = on_github(project, &platform, &server).var("BASE44_API_KEY", platform.key());
    let tools = tempfile::tempdir().unwrap();
    let gh = "#!/bin/bash\ncd \"$(dirname \"$0\")\"\necho \"$1 $2\" >> said\n\
              while [ $# -gt 0 ]; do\n  [ \"$1\" = --body-file ] && cp \"$2\" body\n  case \"$1\" in\n    \
              list) if [ -f open ]; then case \"$*\" in *tsv*) printf '7\\tThe app and its connector files went \
              apart\\n' ;; *) echo 7 ;; esac; fi ;;\n    create) touch open ;;\n    close) rm open ;;\n  \
              esac\n  shift\ndone\n";
    let tool = tools.path().join("gh");
    fs::write(&tool, gh).unwrap();
    let made = Command::new("chmod").arg("+x").arg(&tool).status().unwrap();
    assert!(made.success());
    let mut runner = Runner::new(project);
    runner.tools = Some(tools.path().to_owned());
    let said = || {
        let said = fs::read_to_string(tools.path().join("said")).unwrap();
        fs::remove_file(tools.path().join("said")).unwrap();
        said
    };
    let look = |runner: &mut Runner, as_action: bool| {
        let job = if as_action {
            runner.run("drift", &[("api-key", platform.key())])
        } else {
            runner.job(".github/examples/github-drift.yml", "drift", &[])
        };
        assert!(!job.failed, "{}", job.log);
    };
    for as_action in [true, false] {
        look(&mut runner, as_action);
        assert_eq!(said(), "issue list\nlabel create\nissue create\n");
        let body = fs::read_to_string(tools.path().join("body")).unwrap();
        assert!(body.contains("### Changed outside\n\n- `notion`"), "{body}");
        look(&mut runner, as_action);
        assert_eq!(said(), "issue list\nissue edit\n");
        // Repaired: the files say what the app has.
        let slack = runner.project.path("base44/connectors/slack.jsonc");
        let text = fs::read_to_string(&slack).unwrap();
        fs::remove_file(&slack).unwrap();
        let notion = "{ \"type\": \"notion\", \"scopes\": [\"read\"] }";
        runner
            .project
            .write("base44/connectors/notion.jsonc", notion);
        look(&mut runner, as_action);
        assert_eq!(said(), "issue list\nissue close\n");
        look(&mut runner, as_action);
        assert_eq!(said(), "issue list\n");
        fs::remove_file(runner.project.path("base44/connectors/notion.jsonc")).unwrap();
        runner.project.write("base44/connectors/slack.jsonc", &text);
    }
}

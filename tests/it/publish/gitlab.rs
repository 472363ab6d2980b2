//! The pipeline for GitLab, job by job, each with the tokens that are its own.

use std::{fs, process::Command};

use serde_json::{Value, json};

use crate::{
    publish::{actions::bash_with, runner::yaml},
    support::scripted::{Reply, Scripted},
    support::{Platform, Project},
};

/// A token of the platform's first person.
fn token(platform: &Platform, access: &str) -> String {
    let tokens = platform.call("GET", "/sandbox/admin/tokens", None).json();
    let tokens = tokens["tokens"].as_array().unwrap();
    let fits = |token: &&Value| token["user"] == "ada@example.com" && token["access"] == access;
    let found = tokens.iter().find(fits).unwrap();
    found["token"].as_str().unwrap().to_owned()
}

#[test]
fn the_jobs_for_gitlab_run_one_after_another() {
    let (outside, handed) = (crate::support::folder(), crate::support::folder());
    let handed_on = |name: &str| handed.path().join(name);
    let platform = Platform::start();
    let server = Scripted::start();
    let notes = "/api/v4/projects/12/merge_requests/3/notes";
    server.on(&format!("GET {notes}"), [Reply::json(200, &json!([]))]);
    server.on(
        &format!("POST {notes}"),
        [Reply::json(201, &json!({"id": 1, "body": "x"}))],
    );
    let sha = "b".repeat(40);
    let of_commit = format!("GET /api/v4/projects/12/repository/commits/{sha}/merge_requests");
    let merged = json!([{"iid": 3, "state": "merged", "merge_commit_sha": sha}]);
    server.on(&of_commit, [Reply::json(200, &merged)]);
    let project = Project::new()
        .at(&platform)
        .connector("slack", &["chat:write"])
        .var("GITLAB_CI", "true")
        .var("CI_API_V4_URL", &format!("{}/api/v4", server.url()))
        .var("CI_PROJECT_ID", "12")
        .var("CI_MERGE_REQUEST_IID", "3")
        .var("CONNPLAN_DIR", &outside.path().display().to_string())
        .var("HANDED", &handed.path().display().to_string())
        .without_var("BASE44_API_KEY");
    let jobs = yaml(".github/examples/gitlab-ci.yml");
    // Each job gets what the scopes that the example names give to its environment.
    let vars = |project: &Project, job: &str| {
        let environment = &jobs[job]["environment"];
        let environment = environment["name"].as_str().or(environment.as_str());
        let environment = environment.unwrap();
        let mut vars = project.environment();
        let mut set = |name: &str, value: &str| vars.insert(name.to_owned(), value.to_owned());
        if environment.starts_with("connplan/read") {
            set("BASE44_ACCESS_TOKEN", &token(&platform, "read_only"));
        }
        if environment == "production" {
            set("BASE44_ACCESS_TOKEN", &token(&platform, "full"));
        }
        if environment.starts_with("connplan/") && environment.ends_with("comment") {
            set("GITLAB_TOKEN", "glpat-canary");
        }
        vars
    };
    for job in ["plan", "comment-plan", "apply", "comment-apply"] {
        let vars = vars(&project, job);
        let tokens = ["BASE44_ACCESS_TOKEN", "GITLAB_TOKEN"];
        let has = tokens.map(|name| vars.contains_key(name));
        assert_eq!(
            has.iter().filter(|has| **has).count(),
            1,
            "{job}: one token"
        );
    }
    let drift = &vars(&project, "drift")["BASE44_ACCESS_TOKEN"];
    assert_eq!(*drift, token(&platform, "read_only"));
    let ends = |project: &Project, job: &str| {
        for line in jobs[job]["script"].as_array().unwrap() {
            let counts = line.as_str().unwrap().contains("node -e");
            if counts && Command::new("node").arg("--version").output().is_err() {
                continue;
            }
            let said = bash_with(project, line.as_str().unwrap(), vars(project, job));
            if !said.starts_with("ok") {
                return format!("{line}: {said}");
            }
        }
        String::new()
    };
    let run = |project: &Project, job: &str| assert_eq!(ends(project, job), "", "{job}");

    // A plan that fails is told of, whatever plan is checked in.
    project.write("connplan.plan", "forged");
    project.write("base44/connectors/bad.jsonc", "{ \"type\": 3 }");
    assert!(ends(&project, "plan").contains("connplan plan"));
    run(&project, "comment-plan");
    let said = server.last(&format!("POST {notes}")).text();
    assert!(
        said.contains("bad.jsonc") && !said.contains("forged"),
        "{said}"
    );
    fs::remove_file(project.path("base44/connectors/bad.jsonc")).unwrap();

    // What GitLab makes of the report.
    let told = |project: Project, name: &str| {
        let text = fs::read_to_string(handed_on("digest.env")).unwrap();
        let digest = text.trim().strip_prefix(&format!("{name}=")).unwrap();
        project.var(name, digest)
    };
    let said = || server.last(&format!("POST {notes}")).text();
    run(&project, "plan");
    // Of another plan or receipt than the pipeline's nothing is shown but that something failed.
    let other = format!("sha256:{}", "0".repeat(64));
    let project = project.var("PLAN_DIGEST", &other);
    run(&project, "comment-plan");
    assert!(!said().contains("slack"), "{}", said());
    let project = told(project, "PLAN_DIGEST");
    run(&project, "comment-plan");
    if let Ok(counts) = fs::read_to_string(handed_on("counts.json")) {
        assert_eq!(counts.trim(), r#"{"create":1,"update":0,"delete":0}"#);
    }
    assert!(
        server
            .last(&format!("POST {notes}"))
            .text()
            .contains("## connplan plan")
    );
    let project = project
        .without_var("CI_MERGE_REQUEST_IID")
        .var("CI_PIPELINE_SOURCE", "push")
        .var("CI_COMMIT_SHA", &sha);
    run(&project, "plan");
    let project = told(project, "PLAN_DIGEST");
    run(&project, "comment-plan");
    let digest = project.environment()["PLAN_DIGEST"].clone();
    let plan = fs::read(handed_on("connplan.plan")).unwrap();
    let project = project.var("PLAN_DIGEST", &other);
    assert!(ends(&project, "apply").contains("connplan apply"));
    fs::write(handed_on("connplan.plan"), plan).unwrap();
    let project = project.var("PLAN_DIGEST", &digest);
    run(&project, "apply");
    let project = project.var("RECEIPT_DIGEST", &other);
    run(&project, "comment-apply");
    assert!(!said().contains("slack"), "{}", said());
    let project = told(project, "RECEIPT_DIGEST");
    run(&project, "comment-apply");
    assert_eq!(platform.writes().len(), 1);
    assert!(
        server
            .last(&format!("POST {notes}"))
            .text()
            .contains("## connplan apply")
    );
}

/// What one job hands to the next is not checked in: a job that ends early would hand that on. Nor does a job ask
/// git, which would carry out what a checkout or an artifact configures.
#[test]
fn what_jobs_hand_on_for_gitlab_is_in_no_checkout_and_git_is_not_asked() {
    let all = yaml(".github/examples/gitlab-ci.yml");
    let named_by_the_commit = |path: &Value| {
        let path = path.as_str().unwrap();
        path == "connplan-$CI_COMMIT_SHA" || path.starts_with("connplan-$CI_COMMIT_SHA/")
    };
    for (name, job) in all.as_object().unwrap() {
        let artifacts = &job["artifacts"];
        for path in artifacts["paths"].as_array().into_iter().flatten() {
            assert!(named_by_the_commit(path), "{name}: {path}");
        }
        for path in artifacts["reports"].as_object().into_iter().flatten() {
            assert!(named_by_the_commit(path.1), "{name}: {path:?}");
        }
        for of in ["before_script", "script", "after_script"] {
            for line in job[of].as_array().into_iter().flatten() {
                let line = line.as_str().unwrap();
                let mut words = line.split(|c: char| !c.is_ascii_alphanumeric());
                assert!(!words.any(|word| word == "git"), "{name}: {line}");
                // Outside that folder no file of a checkout is taken for one that was handed on.
                let files = [
                    "connplan.plan",
                    "connplan.receipt",
                    "error.json",
                    "digest.env",
                ];
                for (at, _) in files.iter().flat_map(|file| line.match_indices(file)) {
                    let place = &line[..at];
                    let own = ["$HANDED/", "$CONNPLAN_DIR/"];
                    assert!(own.iter().any(|own| place.ends_with(own)), "{name}: {line}");
                }
            }
        }
    }
}

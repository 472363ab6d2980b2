//! GitLab's pipeline: the example, fitted to the projects of a repository. Pure.

use super::pipeline::{Pipeline, quoted};

/// The very file that the README shows.
const PIPELINE: &str = include_str!("../../../.github/examples/gitlab-ci.yml");
pub(super) const FILE: &str = ".gitlab-ci.yml";

/// One file for all projects; where they are not at the root, each has jobs of its own, made from
/// the example's.
pub(super) fn pipelines(projects: &[String]) -> Vec<Pipeline> {
    let mut text = PIPELINE.to_owned();
    if projects.iter().any(|project| !project.is_empty()) {
        text = text.replace("cd \"$CI_PROJECT_DIR\"", "cd \"$CI_PROJECT_DIR/$PROJECT\"");
        for job in ["plan", "drift", "apply"] {
            text = text.replace(&format!("\n{job}:\n"), &format!("\n.{job}:\n"));
        }
        for file in ["connplan.plan", "connplan.receipt"] {
            let own = format!("paths: [\"$PROJECT/{file}\"]");
            text = text.replace(&format!("paths: [{file}]"), &own);
        }
        text = text.replace("terraform: connplan", "terraform: $PROJECT/connplan");
        text.extend(projects.iter().map(|project| jobs(project)));
    }
    vec![Pipeline {
        file: FILE.to_owned(),
        what: "GitLab pipeline: plans each merge request, applies what was merged",
        text,
    }]
}

/// The jobs of one project, which run where it changed.
pub(super) fn jobs(project: &str) -> String {
    let (project, files) = match project {
        "" => (".", "**/*".to_owned()),
        inner => (inner, format!("{inner}/**/*")),
    };
    let name = |job: &str| quoted(&format!("{job} {project}"));
    let changes = format!("      changes: [{}]\n", quoted(&files));
    let variables = format!("  variables:\n    PROJECT: {}\n", quoted(project));
    let scheduled = "    - if: $CI_PIPELINE_SOURCE == \"schedule\"\n      when: never\n";
    let merged = format!("    - if: $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH\n{changes}");
    let request = format!("    - if: $CI_PIPELINE_SOURCE == \"merge_request_event\"\n{changes}");
    let (plan, drift, apply) = (name("plan"), name("drift"), name("apply"));
    let group = name("production");
    format!(
        "\n{plan}:\n  extends: .plan\n{variables}  rules:\n{scheduled}{request}{merged}\n\
         {drift}:\n  extends: .drift\n{variables}\n\
         {apply}:\n  extends: .apply\n  needs: [{plan}]\n{variables}  resource_group: {group}\n  \
         rules:\n{scheduled}{merged}      when: manual\n"
    )
}

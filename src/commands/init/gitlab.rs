//! GitLab's pipeline: the example, fitted to the projects of a repository. Pure.

use super::pipeline::{Pipeline, app_variable, quoted, written};
use crate::{
    config::watched::{ALL_BELOW, Watched},
    model,
};

/// The very file that the README shows.
const PIPELINE: &str = include_str!("../../../.github/examples/gitlab-ci.yml");
pub(super) const FILE: &str = ".gitlab-ci.yml";
/// How a job goes to its project. A variable `BASE44_APP_ID` of the job would not do: one in GitLab's settings goes
/// before it.
const IN_PROJECT: &str = "cd \"$CI_PROJECT_DIR/$PROJECT\" && export BASE44_APP_ID=\"$PROJECT_APP\"";
/// The lines of the example that each project says anew.
const NEEDS: [&str; 3] = [
    "  needs: [plan]\n",
    "  needs: [plan, comment-plan]\n",
    "  needs: [apply]\n",
];

/// One file for all projects; where they are not at the root, each has jobs of its own, made from
/// the example's.
pub(super) fn pipelines(projects: &[Watched]) -> Vec<Pipeline> {
    let mut text = PIPELINE.to_owned();
    if projects.iter().any(|of| !of.project.is_empty()) {
        text = text.replace("cd \"$CI_PROJECT_DIR\"", IN_PROJECT);
        for job in ["plan", "comment-plan", "drift", "apply", "comment-apply"] {
            text = text.replace(&format!("\n{job}:\n"), &format!("\n.{job}:\n"));
        }
        // Whom a job waits for has another name in each project.
        for line in NEEDS {
            text = text.replace(line, "");
        }
        let several = projects.len() > 1;
        text.extend(projects.iter().map(|of| jobs(of, several)));
    }
    vec![Pipeline {
        file: FILE.to_owned(),
        what: "GitLab pipeline: plans each merge request, applies what was merged",
        text,
    }]
}

/// What changes where a folder does: all that is in it; and where it, or one around it, is a link or a submodule,
/// that alone.
fn changes_in(folder: &str) -> Vec<String> {
    if folder.is_empty() {
        return vec![quoted(ALL_BELOW)];
    }
    let ends = folder.match_indices('/').map(|(end, _)| end);
    let around = ends.filter_map(|end| folder.get(..end));
    let mut all: Vec<_> = around.chain([folder]).map(quoted).collect();
    all.push(quoted(&format!("{folder}/{ALL_BELOW}")));
    all
}

/// The jobs of one project, which run where it changed.
pub(super) fn jobs(of: &Watched, several: bool) -> String {
    let project = written(&of.project);
    let mut files: Vec<_> = of.folders().flat_map(changes_in).collect();
    model::sort(&mut files, Ord::cmp);
    files.dedup();
    let name = |job: &str| quoted(&format!("{job} {project}"));
    let changes = format!("      changes: [{}]\n", files.join(", "));
    let app = if several {
        app_variable(&of.project)
    } else {
        "BASE44_APP_ID".to_owned()
    };
    let variables = format!(
        "  variables:\n    PROJECT: {}\n    PROJECT_APP: ${app}\n",
        quoted(project)
    );
    let scheduled = "    - if: $CI_PIPELINE_SOURCE == \"schedule\"\n      when: never\n";
    let merged = format!("    - if: $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH\n{changes}");
    // A pipeline that is started by hand does not say what was there before.
    let pushed = format!(
        "    - if: $CI_PIPELINE_SOURCE == \"push\" && $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH\n{changes}"
    );
    let request = format!("    - if: $CI_PIPELINE_SOURCE == \"merge_request_event\"\n{changes}");
    let always = |rule: &str| format!("{rule}      when: always\n");
    let (plan, drift, apply) = (name("plan"), name("drift"), name("apply"));
    let (of_plan, of_apply) = (name("comment-plan"), name("comment-apply"));
    let (request_always, merged_always) = (always(&request), always(&merged));
    let pushed_always = always(&pushed);
    let group = name("production");
    format!(
        "\n{plan}:\n  extends: .plan\n{variables}  rules:\n{scheduled}{request}{merged}\n\
         {of_plan}:\n  extends: .comment-plan\n  needs: [{plan}]\n{variables}  rules:\n\
         {scheduled}{request_always}{merged_always}\n\
         {drift}:\n  extends: .drift\n{variables}\n\
         {apply}:\n  extends: .apply\n  needs: [{plan}, {of_plan}]\n{variables}  \
         resource_group: {group}\n  rules:\n{pushed}      when: manual\n\n\
         {of_apply}:\n  extends: .comment-apply\n  needs: [{apply}]\n{variables}  rules:\n\
         {pushed_always}"
    )
}

/// What the pipelines need, as their heads say it.
pub(super) fn needs(projects: &[Watched]) -> Vec<String> {
    let app = match projects {
        [_] => "BASE44_APP_ID: the app",
        _ => "a variable for each project, as the pipeline names it: its app",
    };
    let needs = [
        "BASE44_ACCESS_TOKEN, environment scope `connplan/read*`: a personal access token of Base44 that only reads",
        "BASE44_ACCESS_TOKEN, environment scope `production`, protected: one that may write",
        "GITLAB_TOKEN, environment scope `connplan/*comment`: a project access token with the scope `api`",
    ];
    let needs = needs.map(|need| format!("in GitLab's CI/CD variables, {need}"));
    let app = format!("in GitLab's CI/CD variables, {app}, unless .app.jsonc is checked in");
    needs.into_iter().chain([app]).collect()
}

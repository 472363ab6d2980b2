//! GitHub's workflows: the examples, fitted to the projects of a repository. Pure.

use super::pipeline::{Pipeline, app_variable, quoted, written};
use crate::config::watched::{AND, ITEM, Watched};

/// The very files that the README shows.
const PLAN: &str = include_str!("../../../.github/examples/github-plan.yml");
const APPLY: &str = include_str!("../../../.github/examples/github-apply.yml");
/// Where several projects are: the job that looks which of them changed, and what applies each.
const CHANGED: &str = include_str!("changed.yml");
const APPLY_EACH: &str = include_str!("apply-each.yml");

const RUNS_ON: &str = "    runs-on: ubuntu-latest\n";
const FORK: &str =
    "    if: ${{ !github.event.pull_request.head.repo.fork }} # a fork has no secrets\n";
const APP: &str = "${{ vars.BASE44_APP_ID }}";
const VARIABLE: &str = "# Variable BASE44_APP_ID: the app, unless .app.jsonc is checked in.\n";
const EACH: &str = "    needs: changed
    if: needs.changed.outputs.projects != '[]'
    strategy:
      fail-fast: false # what one project comes to does not end the others
      matrix:
        include: ${{ fromJSON(needs.changed.outputs.projects) }}
";
const KEPT: &str = "      - uses: actions/upload-artifact@v6
        with:
          name: connplan-plan-${{ matrix.name }}
          path: ${{ runner.temp }}/connplan.plan
          if-no-files-found: error
";

/// The workflows of these projects, by the names of their files.
pub(super) fn workflows(projects: &[Watched], branch: &str) -> Vec<Pipeline> {
    let pipeline = |name: &str, what: &'static str, text: String| Pipeline {
        file: format!(".github/workflows/connplan-{name}.yml"),
        what,
        text,
    };
    let (plan, apply) = (
        "GitHub workflow: plans each pull request",
        "GitHub workflow: applies what was merged, once approved",
    );
    match projects {
        [] => Vec::new(),
        [only] => vec![
            pipeline("plan", plan, one(PLAN, &only.project, branch)),
            pipeline("apply", apply, one(APPLY, &only.project, branch)),
        ],
        several => vec![
            pipeline("plan", plan, plan_each(several)),
            pipeline("apply", apply, apply_each(several, branch)),
            pipeline(
                "apply-project",
                "GitHub workflow: plans and applies one project, for the other",
                apply_project(),
            ),
        ],
    }
}

/// What the workflows need, as their heads say it.
pub(super) fn needs(several: bool) -> Vec<String> {
    let app = if several {
        "a variable for each project, as the workflows name it: its app, unless its .app.jsonc is checked in"
    } else {
        "variable BASE44_APP_ID: the app, unless .app.jsonc is checked in"
    };
    let needs = [
        "secret BASE44_READ_TOKEN: a personal access token of Base44; one that only reads is enough",
        "environment `production`: whoever approves an apply is its required reviewer",
        "secret BASE44_WRITE_TOKEN, of that environment: a token that may write",
        app,
    ];
    needs
        .map(|need| format!("in GitHub's settings, {need}"))
        .into()
}

fn one(text: &str, project: &str, branch: &str) -> String {
    let text = text.replace("    branches: [main]\n", &branches(branch));
    if project.is_empty() {
        text
    } else {
        text.replace(RUNS_ON, &format!("{RUNS_ON}{}", within(&quoted(project))))
    }
}

fn plan_each(projects: &[Watched]) -> String {
    let changed = changed(projects, "HEAD^1 HEAD", "${{ github.event.before }}")
        .replace("  changed:\n", &format!("  changed:\n{FORK}"));
    let job = format!(
        "{changed}  plan:\n    name: plan ${{{{ matrix.project }}}}\n{EACH}{RUNS_ON}{}",
        within("${{ matrix.project }}")
    );
    PLAN.replace(
        "# Plans each pull request, and comments the plan on it.\n",
        "# Plans each project that a pull request changes, and comments each plan on it.\n",
    )
    .replace(VARIABLE, &variables(projects))
    .replace(&format!("  plan:\n{FORK}{RUNS_ON}"), &job)
    .replace(APP, "${{ vars[matrix.app-id] }}")
        + KEPT
}

fn apply_each(projects: &[Watched], branch: &str) -> String {
    let changed = changed(projects, "${{ github.event.before }} HEAD", "\"\"");
    APPLY_EACH
        .replace("    branches: [main]\n", &branches(branch))
        .replace("<VARIABLES>\n", &variables(projects))
        .replace("<CHANGED>", &changed)
}

fn apply_project() -> String {
    let inputs = ["project", "name", "app-id"]
        .map(|name| format!("      {name}:\n        type: string\n        required: true\n"));
    APPLY
        .replace(
            "  push:\n    branches: [main]\n",
            &format!("  workflow_call:\n    inputs:\n{}", inputs.concat()),
        )
        .replace("name: Apply\n", "name: Apply one project\n")
        .replace(
            VARIABLE,
            "# Variable of the name `app-id`: the app, unless .app.jsonc is checked in.\n",
        )
        .replace(
            RUNS_ON,
            &format!("{RUNS_ON}{}", within("${{ inputs.project }}")),
        )
        .replace(
            "group: connplan-apply ",
            "group: connplan-apply-${{ inputs.name }} ",
        )
        .replace(APP, "${{ vars[inputs.app-id] }}")
        .replace(
            "name: connplan-plan\n",
            "name: connplan-plan-${{ inputs.name }}\n",
        )
        .replace(
            "name: connplan-receipt\n",
            "name: connplan-receipt-${{ inputs.name }}\n",
        )
}

fn changed(projects: &[Watched], now: &str, before: &str) -> String {
    CHANGED
        .replace("<NOW>", now)
        .replace("<BEFORE>", before)
        .replace("<PROJECTS>\n", &listed(projects))
}

fn variables(projects: &[Watched]) -> String {
    let mut named = projects.iter().map(|of| &of.project);
    let name = named.find(|project| !project.is_empty());
    let variable = app_variable(name.map_or("", String::as_str));
    format!("# Variables such as {variable}: the apps, unless .app.jsonc is checked in.\n")
}

fn branches(branch: &str) -> String {
    match branch {
        "main" => "    branches: [main]\n".to_owned(),
        other => format!("    branches: [{}]\n", quoted(other)),
    }
}

fn within(folder: &str) -> String {
    format!("    defaults:\n      run:\n        working-directory: {folder}\n")
}

/// The lines of the list of projects.
pub(super) fn listed(projects: &[Watched]) -> String {
    let each = projects.iter().map(|of| {
        let folders: Vec<_> = of.folders().map(written).collect();
        format!("{ITEM}{}\n", folders.join(&AND.to_string()))
    });
    each.collect()
}

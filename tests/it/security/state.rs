//! What is kept between runs: outside the checkout, shared by its clones, and none of its business.

use std::{fs, os::unix::fs::symlink};

use crate::support::{Connector, Platform, Project, Read as _, reads};

const IGNORED: &str = ".connplan is ignored";

#[test]
fn what_a_repository_ships_is_not_believed() {
    let platform = Platform::with(&[Connector::active("wix", &["a"])]);
    let project = Project::new().at(&platform).connector("wix", &["a", "b"]);
    // A store that says that all of it waits already, as some other machine would have made it.
    let donor = Project::new().at(&platform).connector("wix", &["a", "b"]);
    donor.run(&["apply", "--auto-approve"]).expect(0);
    platform.set(&Connector::active("wix", &["a"]));
    project.write(".connplan/pending.toml", &donor.read_state("pending.toml"));
    project.write("../home/precious", "precious");
    symlink("../../home/precious", project.path(".connplan/exposed")).unwrap();
    for command in [
        &["plan", "--detailed-exitcode"][..],
        &["status", "--detailed-exitcode"],
    ] {
        let run = project.run(command);
        run.expect(2).tells(IGNORED);
        assert_eq!(run.stderr.matches(IGNORED).count(), 1, "{run}");
    }
    project
        .run(&["authorize", "--list"])
        .expect(0)
        .tells(IGNORED);
    project
        .run(&["doctor"])
        .says("warn  folder    .connplan is ignored");
    assert_eq!(project.read("../home/precious"), "precious");
    // How often the platform was asked is counted for the machine. Of the app, looking keeps nothing.
    let kept = fs::read_dir(project.state_folder()).unwrap();
    let kept: Vec<_> = kept.map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(kept, ["pace"]);
}

#[test]
fn clones_of_one_app_share_what_waits() {
    let platform = Platform::start();
    let project = Project::new().at(&platform).connector("box", &["a"]);
    let clone = project.clone_with("clone");
    project.run(&["apply", "--auto-approve"]).expect(0);
    project
        .run(&["-C", &clone, "authorize", "--list"])
        .expect(4)
        .says("box");
    // At another address it is another app.
    let other = Platform::start();
    let vars = [
        ("BASE44_API_URL", other.url()),
        ("BASE44_API_KEY", other.key()),
    ];
    project
        .run_vars(&vars, &["authorize", "--list"])
        .expect(0)
        .lacks("box");
}

#[test]
fn where_nothing_can_be_kept_looking_goes_on_and_apply_refuses() {
    let platform = Platform::start();
    let project = Project::new().at(&platform).connector("box", &["a"]);
    let file = project.path("a-file");
    fs::File::create(&file).unwrap();
    let inside = file.join("state").display().to_string();
    for vars in [
        [("CONNPLAN_STATE_DIR", inside.as_str()), ("HOME", "/")],
        [("CONNPLAN_STATE_DIR", ""), ("HOME", "")],
    ] {
        project
            .run_vars(&vars, &["plan", "--out", "x.plan"])
            .expect(0);
        project.run_vars(&vars, &["status"]).expect(0);
        project.run_vars(&vars, &["authorize", "--list"]).expect(0);
        platform.forget();
        project
            .run_vars(&vars, &["apply", "x.plan"])
            .expect(1)
            .tells(if vars[0].1.is_empty() {
                "CONNPLAN_STATE_DIR"
            } else {
                "a-file"
            });
        assert_eq!(platform.writes(), [] as [&str; 0]);
    }
}

#[test]
fn a_read_only_checkout_is_enough() {
    use std::os::unix::fs::PermissionsExt;
    let platform = Platform::start();
    let project = Project::new().at(&platform).connector("box", &["a"]);
    fs::set_permissions(project.root(), fs::Permissions::from_mode(0o555)).unwrap();
    project.run(&["apply", "--auto-approve"]).expect(0);
    fs::set_permissions(project.root(), fs::Permissions::from_mode(0o755)).unwrap();
    assert!(!project.path(".connplan").exists());
    assert!(project.read_state("pending.toml").contains("box"));
}

#[test]
fn a_newer_state_names_who_wrote_it() {
    let platform = Platform::start();
    let project = Project::new().at(&platform).connector("box", &["a"]);
    let newer = "format_version = \"2.0\"\ncreated_by = \"connplan 9.9.9\"\nother = 1\n";
    project.write_state("pending.toml", newer);
    let run = project.run(&["apply", "--auto-approve"]);
    run.expect(1)
        .tells("connplan 9.9.9 wrote it, in format 2.0");
    assert_eq!(platform.writes(), [] as [&str; 0]);
    assert_eq!(project.read_state("pending.toml"), newer);
    fs::remove_file(project.state("pending.toml")).unwrap();
    project.run(&["apply", "--auto-approve"]).expect(0);
    assert!(
        project
            .read_state("pending.toml")
            .contains("created_by = \"connplan ")
    );
}

/// What a repository ships is what somebody proposes, wherever the variable points.
#[test]
fn a_state_folder_of_the_checkout_is_not_used() {
    let (platform, other) = (Platform::start(), Platform::start());
    let project = Project::new()
        .var("BASE44_API_KEY", platform.key())
        .file(".env", &format!("BASE44_API_URL={}", other.url()))
        .connector("box", &["a"]);
    fs::create_dir(project.path(".git")).unwrap();
    let trust = format!(
        "format_version = \"1.0\"\n[[address]]\nurl = \"{}\"\nsince = \"2026-01-01T00:00:00Z\"\n",
        other.url()
    );
    project.write(".cache/connplan/trust.toml", &trust);
    let inside = project.path(".cache/connplan").display().to_string();
    let inside = [("CONNPLAN_STATE_DIR", inside.as_str())];
    let refused = project.run_vars(&inside, &["plan"]);
    reads!(refused, @"
    exit 1: connplan plan
    --- stderr
    warning: the state folder FOLDER/project/.cache/connplan lies in the checkout FOLDER/project, whose files may be what somebody proposes: it is not used; set CONNPLAN_STATE_DIR to a folder outside it
    error: .env, line 1, names http://HOST as the platform's address; you have not allowed BASE44_API_KEY to be sent there, so nothing was sent
      help: if you know that address and want your credentials to go there, run `connplan trust http://HOST`; else leave it, or set BASE44_API_URL yourself
      code: connplan::auth::untrusted_address
    ");
    // Nor is a folder to which a link of the checkout leads.
    let beside = project.root().with_file_name("beside");
    fs::rename(project.path(".cache"), &beside).unwrap();
    symlink(&beside, project.path(".cache")).unwrap();
    assert_eq!(project.run_vars(&inside, &["plan"]).stderr, refused.stderr);
    assert_eq!(other.requests(), [] as [&str; 0]);
}

/// Whoever made the folder first can write anything into it: which addresses are trusted, what waits.
#[test]
fn a_state_folder_of_another_user_is_not_used() {
    let (platform, other) = (Platform::start(), Platform::start());
    let project = Project::new()
        .var("BASE44_API_KEY", platform.key())
        .connector("slack", &["a"])
        .file(".env", &format!("BASE44_API_URL={}\n", other.url()));
    let folder = project.path("../shared");
    let shared = ("CONNPLAN_STATE_DIR", folder.to_str().unwrap());
    project
        .run_vars(&[shared], &["trust", other.url()])
        .expect(0);
    // Only root gives a folder away; to anybody else it stays their own, and is used.
    let is_given = std::os::unix::fs::chown(&folder, Some(65_534), None).is_ok();
    let run = project.run_vars(&[shared], &["plan"]);
    if is_given {
        run.expect(1)
            .tells("belongs to another user")
            .tells("connplan trust");
        assert_eq!(other.requests(), [] as [&str; 0]);
        let apply = project.run_vars(
            &[shared, ("BASE44_API_URL", platform.url())],
            &["apply", "--auto-approve"],
        );
        apply.expect(1).tells("a folder of yours");
        assert!(platform.writes().is_empty());
    } else {
        assert_ne!(other.requests(), [] as [&str; 0]);
    }
}

/// In a folder that all can write into, as `/tmp` is, anybody leaves a list of trusted addresses; and who
/// owns a folder or a link on the way to it puts another in its place.
#[test]
fn a_state_folder_in_which_others_have_a_say_is_not_used() {
    use std::os::unix::fs::{PermissionsExt, chown, lchown};
    let other = Platform::start();
    let project = Project::new()
        .var("BASE44_API_KEY", other.key())
        .connector("slack", &["a"])
        .file(".env", &format!("BASE44_API_URL={}\n", other.url()));
    let trusting = |path: &str| {
        let folder = project.path(path).display().to_string();
        let shared = [("CONNPLAN_STATE_DIR", folder.as_str())];
        project.run_vars(&shared, &["trust", other.url()]).expect(0);
        other.forget();
        folder
    };
    let refused = |folder: &str, why: &str| {
        let run = project.run_vars(&[("CONNPLAN_STATE_DIR", folder)], &["plan"]);
        run.expect(1).tells(why).tells("connplan trust");
        assert_eq!(other.requests(), [] as [&str; 0]);
    };
    let open = trusting("../open");
    fs::set_permissions(&open, fs::Permissions::from_mode(0o1777)).unwrap();
    refused(&open, "other users of this machine");
    // A group may hold others; one that is the user's alone does not.
    let (own, group) = (rustix::process::geteuid(), rustix::process::getegid());
    for (gid, is_other) in [
        (4242, true),
        (group.as_raw(), own.as_raw() != group.as_raw()),
    ] {
        let folder = trusting(&format!("../group-{gid}"));
        if chown(&folder, None, Some(gid)).is_err() {
            continue;
        }
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o775)).unwrap();
        if is_other {
            refused(&folder, "other users of this machine");
        } else {
            let run = project.run_vars(&[("CONNPLAN_STATE_DIR", &folder)], &["plan"]);
            run.lacks("other users of this machine");
            other.forget();
        }
    }
    // Where a folder has an access list, its group's rights are the most that anybody on the list has.
    #[cfg(target_os = "linux")]
    {
        let folder = trusting("../listed");
        // Version 2; each a tag, rights and a number: owner, the user 4242, group, the most, all.
        let none = u32::MAX;
        let entries = [
            (1, 7, none),
            (2, 7, 4242),
            (4, 0, none),
            (16, 7, none),
            (32, 0, none),
        ];
        let entries = entries
            .iter()
            .flat_map(|(tag, rights, id): &(u16, u16, u32)| {
                let (tag, rights) = (tag.to_le_bytes(), rights.to_le_bytes());
                [&tag[..], &rights, &id.to_le_bytes()].concat()
            });
        let list: Vec<_> = 2_u32.to_le_bytes().into_iter().chain(entries).collect();
        let (name, flags) = ("system.posix_acl_access", rustix::fs::XattrFlags::empty());
        // Not every file system keeps one.
        if rustix::fs::setxattr(&folder, name, &list, flags).is_ok() {
            refused(&folder, "other users of this machine");
        }
    }
    // Who may rename on the way puts another in its place, unless nobody else gets there.
    let below = trusting("../way/state");
    let way = project.path("../way");
    let around = way.parent().unwrap().canonicalize().unwrap();
    fs::set_permissions(&way, fs::Permissions::from_mode(0o777)).unwrap();
    fs::set_permissions(&around, fs::Permissions::from_mode(0o755)).unwrap();
    refused(
        &below,
        "and so put anything in the place of the state folder",
    );
    fs::set_permissions(&way, fs::Permissions::from_mode(0o1777)).unwrap();
    let mine = [("CONNPLAN_STATE_DIR", below.as_str())];
    project.run_vars(&mine, &["plan"]).lacks("other users");
    fs::set_permissions(&way, fs::Permissions::from_mode(0o777)).unwrap();
    fs::set_permissions(&around, fs::Permissions::from_mode(0o700)).unwrap();
    project.run_vars(&mine, &["plan"]).lacks("other users");
    other.forget();

    // Only root gives anything away. A file of another's is not believed, however it came there.
    let planted = trusting("../planted");
    if chown(format!("{planted}/trust.toml"), Some(65_534), None).is_ok() {
        let run = project.run_vars(&[("CONNPLAN_STATE_DIR", &planted)], &["plan"]);
        run.expect(1).tells("belongs to another user");
        assert_eq!(other.requests(), [] as [&str; 0]);
    }
    let (below, linked) = (trusting("../theirs/state"), trusting("../linked"));
    let (theirs, link) = (project.path("../theirs"), project.path("../link"));
    symlink(&linked, &link).unwrap();
    if chown(&theirs, Some(65_533), None).is_ok() && lchown(&link, Some(65_534), None).is_ok() {
        refused(&below, "in the place of the state folder");
        refused(link.to_str().unwrap(), "in the place of the state folder");
    }
}

/// What the user cloned or unpacked is theirs by its owner; somebody may have moved it there.
#[test]
fn a_clone_in_place_of_the_state_folder_is_not_believed() {
    use std::os::unix::fs::PermissionsExt;
    let other = Platform::start();
    let project = Project::new()
        .var("BASE44_API_KEY", other.key())
        .connector("slack", &["a"])
        .file(".env", &format!("BASE44_API_URL={}\n", other.url()));
    let folder = project.path("../team/state").display().to_string();
    let vars = [("CONNPLAN_STATE_DIR", folder.as_str())];
    project.run_vars(&vars, &["trust", other.url()]).expect(0);
    project.run_vars(&vars, &["plan"]).expect(0);
    for clone in ["../team/state", "../team"] {
        let git = project.path(clone).join(".git");
        fs::create_dir(&git).unwrap();
        other.forget();
        let run = project.run_vars(&vars, &["plan"]);
        run.expect(1)
            .tells("lies in the checkout")
            .tells("connplan trust");
        assert_eq!(other.requests(), [] as [&str; 0]);
        fs::remove_dir(git).unwrap();
    }
    let trust = format!("{folder}/trust.toml");
    let mode = |mode| fs::set_permissions(&trust, fs::Permissions::from_mode(mode)).unwrap();
    mode(0o644);
    reads!(project.run_vars(&vars, &["plan"]), @"
    exit 1: connplan plan
    --- stderr
    warning: FOLDER/project/../team/state/trust.toml is not believed: others can read it, and connplan makes it for you alone
    error: .env, line 1, names http://HOST as the platform's address; you have not allowed BASE44_API_KEY to be sent there, so nothing was sent
      help: if you know that address and want your credentials to go there, run `connplan trust http://HOST`; else leave it, or set BASE44_API_URL yourself
      code: connplan::auth::untrusted_address
    ");
    assert_eq!(other.requests(), [] as [&str; 0]);
    reads!(project.run_vars(&vars, &["trust", "--list"]), @"
    exit 1: connplan trust --list
    --- stderr
    error: FOLDER/project/../team/state/trust.toml is not believed: others can read it, and connplan makes it for you alone
      help: look at what is in it; if all of it is yours, run `chmod 600` on it, else remove it
      code: connplan::fs::not_private
    ");
    mode(0o600);
    project.run_vars(&vars, &["plan"]).expect(0);
}

/// A home is not what happens to lie where one stands.
#[test]
fn a_relative_home_counts_as_not_set() {
    let other = Platform::start();
    let project = Project::new()
        .var("BASE44_API_KEY", other.key())
        .connector("slack", &["a"])
        .file(".env", &format!("BASE44_API_URL={}\n", other.url()));
    let kept = project.path("../kept");
    let kept = ("CONNPLAN_STATE_DIR", kept.to_str().unwrap());
    project.run_vars(&[kept], &["trust", other.url()]).expect(0);
    let folder = if cfg!(target_os = "macos") {
        "Library/Application Support"
    } else {
        ".local/state"
    };
    fs::create_dir_all(project.path(folder)).unwrap();
    fs::rename(kept.1, project.path(folder).join("connplan")).unwrap();
    let here = [("HOME", "."), ("CONNPLAN_STATE_DIR", "")];
    let run = project.run_vars(&here, &["plan"]);
    run.expect(1).tells("connplan trust");
    assert_eq!(other.requests(), [] as [&str; 0]);
}

/// Whoever may write into a folder above, as all may into `/tmp`, could put a project there.
#[test]
fn a_project_of_another_user_above_is_not_taken() {
    use std::os::unix::fs::chown;
    let platform = Platform::start();
    let project = Project::new().at(&platform).connector("box", &["a"]);
    fs::create_dir(project.path("work")).unwrap();
    let plan = |folder| project.run_in(folder, &["--app-id", "app-1", "plan"]);
    plan("work").expect(0);
    let folder = project.path("base44").canonicalize().unwrap();
    for theirs in [
        ".env",
        "base44/connplan.toml",
        "base44/config.jsonc",
        "base44",
    ] {
        let path = project.path(theirs);
        if !path.exists() {
            project.write(theirs, "");
        }
        // Only root gives anything away.
        if chown(&path, Some(65_534), None).is_err() {
            return;
        }
        platform.forget();
        plan("work")
            .expect(1)
            .tells("belongs to another user (user id 65534)")
            .tells(&format!("`-C {}`", project.root().display()));
        assert_eq!(platform.requests(), [] as [&str; 0], "{theirs}");
        let own = chown(&path, Some(rustix::process::geteuid().as_raw()), None);
        own.unwrap();
    }
    // Where the command line names it, or the folder that one works in is of the same user, it is taken.
    for path in [&folder, &folder.join("config.jsonc")] {
        chown(path, Some(65_534), None).unwrap();
    }
    plan(".").expect(1).tells("belongs to another user");
    project.run(&["-C", ".", "plan"]).expect(0);
    // Nor what lies in a folder without a project.
    let shared = Project::nowhere().at(&platform);
    for theirs in [".env", "connplan.toml", "connectors"] {
        let path = shared.path(theirs);
        shared.write(theirs, "");
        chown(&path, Some(65_534), None).unwrap();
        platform.forget();
        insta::allow_duplicates! {
            let whoami = shared.run_in(".", &["whoami"]);
            reads!(whoami.read().replace(theirs, "THEIRS"), @"
            exit 1: connplan whoami
            --- stderr
            error: the project FOLDER/project, found from FOLDER/project, is not used: FOLDER/project/THEIRS belongs to another user (user id 65534)
              help: if you trust it, name its folder: `-C FOLDER/project`; else work in another folder, not below it
              code: connplan::config::of_another
            ");
            let plan = shared.run_in(".", &["--app-id", "app-1", "plan"]);
            reads!(plan.read().replace(theirs, "THEIRS"), @"
            exit 1: connplan --app-id app-1 plan
            --- stderr
            error: the project FOLDER/project, found from FOLDER/project, is not used: FOLDER/project/THEIRS belongs to another user (user id 65534)
              help: if you trust it, name its folder: `-C FOLDER/project`; else work in another folder, not below it
              code: connplan::config::of_another
            ");
        }
        assert_eq!(platform.requests(), [] as [&str; 0], "{theirs}");
        fs::remove_file(&path).unwrap();
    }
    chown(project.path("work"), Some(65_534), None).unwrap();
    plan("work").expect(0);
}

/// Of one's own project in a folder into which all may write, nothing is read that another user put there.
#[test]
fn what_another_user_put_into_a_project_is_not_read() {
    use std::os::unix::fs::{PermissionsExt, chown};
    let platform = Platform::start();
    let project = Project::nowhere().at(&platform);
    let theirs = |path: &str| chown(project.path(path), Some(65_534), None);
    let open = |path: &str| {
        let all = fs::Permissions::from_mode(0o1777);
        fs::set_permissions(project.path(path), all).unwrap();
    };
    open(".");
    project.write("config.jsonc", r#"{ "name": "x" }"#);
    project.write("build/x/.app.jsonc", r#"{ "id": "theirs" }"#);
    // Only root gives anything away.
    if theirs("build").is_err() {
        return;
    }
    reads!(project.run(&["plan"]), @"
    exit 1: connplan plan
    --- stderr
    error: which app? No app id was given, and FOLDER/project holds no .app.jsonc
      help: give `--app-id ID`; or `--env NAME`, with `app_id` in connplan.toml's [environments.NAME]; or set BASE44_APP_ID; or link the project with `npx base44 link`, which writes base44/.app.jsonc
      code: connplan::config::no_app_id
    ");
    // Beside it, one's own is found.
    project.write("own/.app.jsonc", r#"{ "id": "app-1" }"#);
    project.write(
        "connectors/box.jsonc",
        r#"{ "type": "box", "scopes": ["a"] }"#,
    );
    project.run(&["plan"]).expect(0);
    platform.forget();
    project.write("own/.app.json", r#"{ "id": "theirs" }"#);
    theirs("own/.app.json").unwrap();
    reads!(project.run(&["plan"]), @"
    exit 1: connplan plan
    --- stderr
    error: the project FOLDER/project, found from FOLDER/project, is not used: FOLDER/project/own/.app.json belongs to another user (user id 65534)
      help: if you trust it, name its folder: `-C FOLDER/project`; else work in another folder, not below it
      code: connplan::config::of_another
    ");
    fs::remove_file(project.path("own/.app.json")).unwrap();
    // A file in an open folder; in one that is not, whoever writes works with its owner.
    theirs("connectors/box.jsonc").unwrap();
    open("connectors");
    reads!(project.run(&["plan"]), @"
    exit 1: connplan plan
    --- stderr
    error: connectors/box.jsonc: the file cannot be read: it belongs to another user (number 65534); if you trust it, name the project's folder: `-C FOLDER`
      help: nothing is planned without it: what it declares would look removed
      code: connplan::config::unreadable
    error: connectors/box.jsonc has 1 error; nothing was planned
      help: fix them; `connplan validate` checks without network and login
      code: connplan::config::invalid
    ");
    theirs("connectors").unwrap();
    reads!(project.run(&["plan"]), @"
    exit 1: connplan plan
    --- stderr
    error: the project FOLDER/project, found from FOLDER/project, is not used: FOLDER/project/connectors belongs to another user (user id 65534)
      help: if you trust it, name its folder: `-C FOLDER/project`; else work in another folder, not below it
      code: connplan::config::of_another
    ");
    assert_eq!(platform.requests(), [] as [&str; 0]);
    project.run(&["-C", ".", "plan"]).expect(0);
    chown(
        project.path("connectors"),
        Some(rustix::process::geteuid().as_raw()),
        None,
    )
    .unwrap();
    let own = fs::Permissions::from_mode(0o775);
    fs::set_permissions(project.path("connectors"), own).unwrap();
    project.run(&["plan"]).expect(0);
}

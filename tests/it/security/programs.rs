//! Which programs run is the user's to say, and not a checkout's.

use std::{fs, os::unix::fs::PermissionsExt as _};

use super::loosening::git;
use crate::support::{Platform, Project, reads, sample};

/// A program below the root that says that it ran.
fn program(project: &Project, path: &str) {
    let ran = project.path("../ran").display().to_string();
    let text = format!("#!/bin/sh\necho '{path}' >> '{ran}'\nexit 1\n");
    project.write(path, &text);
    fs::set_permissions(project.path(path), fs::Permissions::from_mode(0o755)).unwrap();
}

/// npm puts `node_modules/.bin` first, direnv what an `.envrc` says, and some people have `.` there.
#[test]
fn a_folder_of_the_checkout_has_no_say_in_which_program_runs() {
    let platform = Platform::start();
    let project = Project::new()
        .at(&platform)
        .connector("slack", &["chat:write"]);
    for name in ["git", "ssh", "ssh-keygen", "xdg-open"] {
        program(&project, &format!("node_modules/.bin/{name}"));
        program(&project, name);
    }
    // The user's own.
    for name in ["ssh", "ssh-keygen", "xdg-open"] {
        program(&project, &format!("../bin/{name}"));
    }
    git(&project, &["init", "-q", "-b", "main"]);
    let remote = "ssh://git@host.example/x.git";
    git(&project, &["remote", "add", "origin", remote]);
    project.run(&["plan", "--out", "../x.plan"]).expect(0);
    project.run(&["apply", "../x.plan"]).expect(0);
    project.write("../key", "a key");
    std::os::unix::fs::symlink(project.path("node_modules/.bin"), project.path("../link")).unwrap();

    let at = |path: &str| project.path(path).display().to_string();
    let of_checkout = [
        at("node_modules/.bin"),
        at("../link"),
        "node_modules/.bin".to_owned(),
        ".".to_owned(),
        String::new(),
    ];
    for folder in sample(&of_checkout, 2) {
        let path = format!("{folder}:{}:/usr/bin:/bin", at("../bin"));
        let vars = [("PATH", path.as_str()), ("CONNPLAN_STORE", "git:origin")];
        let _ = fs::remove_file(project.path("../ran"));
        project.run_vars(&vars, &["history"]).expect(1);
        let sign = ["approve", "../x.plan", "--key", "../key"];
        project.run_vars(&vars[..1], &sign).expect(1);
        let authorize = ["authorize", "--yes", "--timeout", "1s"];
        project.run_vars(&vars[..1], &authorize).expect(4);
        let mut ran: Vec<_> = project.read("../ran").lines().map(str::to_owned).collect();
        ran.dedup();
        assert_eq!(
            ran,
            ["../bin/ssh", "../bin/ssh-keygen", "../bin/xdg-open"],
            "{folder:?}"
        );
    }

    // Where no other folder has the program, it is not there.
    let path = format!("{}:.:{}", at("node_modules/.bin"), at("../home"));
    let vars = [("PATH", path.as_str()), ("CONNPLAN_STORE", "git:origin")];
    let none = [
        project.run_vars(&vars, &["history"]),
        project.run_vars(&vars[..1], &["approve", "../x.plan", "--key", "../key"]),
    ];
    reads!(none, @"
    exit 1: connplan history
    --- stderr
    warning: whether the base branch names another store is not known: git could not be started: no folder of PATH has it; relative ones and those of the checkout do not count; install git (2.30 or newer) and make sure that it is on the PATH
    error: git could not be started: no folder of PATH has it; relative ones and those of the checkout do not count
      help: install git (2.30 or newer) and make sure that it is on the PATH
      code: connplan::git::missing

    exit 1: connplan approve ../x.plan --key ../key
    --- stderr
    warning: connplan cannot tell here all that earlier settings forbade of this plan: git could not be started: no folder of PATH has it; relative ones and those of the checkout do not count; install git (2.30 or newer) and make sure that it is on the PATH
    App app-1 at http://HOST

    Symbols:  + add

      + slack                 base44/connectors/slack.jsonc
          + chat:write  post messages (as the bot or as the user) · write
          authorization: required

    Plan: 1 to add, 0 to change, 0 to remove, 1 to authorize.
    error: ssh-keygen did not sign: no folder of PATH has it; relative ones and those of the checkout do not count
      help: check that `ssh-keygen` (OpenSSH 8.2 or later) is there and that the key is yours; a key with a passphrase needs a terminal or an agent
      code: connplan::usage
    ");
}

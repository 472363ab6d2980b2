//! In a pipeline a file of the checkout does not say whom to believe or what to run, even where a variable names it.

use std::{fs, os::unix::fs::symlink, process::Command};

use super::loosening::git;
use crate::support::{Platform, Project, reads};

#[test]
fn a_pipeline_believes_and_runs_nothing_of_its_checkout() {
    let platform = Platform::start();
    let project = Project::new().at(&platform).connector("wix", &["a"]);
    git(&project, &["init", "-q", "-b", "main"]);
    for file in ["ci/ca.pem", "../own/ca.pem", "../own/az"] {
        project.write(file, "not a certificate");
    }
    project.write("ci/az", "#!/bin/sh\n");
    let at = |path: &str| project.path(path).display().to_string();
    symlink(at("ci"), at("../link")).unwrap();
    symlink(at("../own/ca.pem"), at("ci/out.pem")).unwrap();
    let refused = |vars: &[(&str, &str)], args: &[&str]| {
        let vars = [&[("CI", "true")], vars].concat();
        let run = project.run_vars(&vars, args);
        run.stderr.contains("code: connplan::shipped")
    };
    let (ca, own) = (at("ci/ca.pem"), at("../own/ca.pem"));
    let (linked, out) = (at("../link/ca.pem"), at("ci/out.pem"));
    let folders = format!("/etc:{}", at("ci"));
    let plan: &[&str] = &["plan"];
    for (name, value) in [
        ("NODE_EXTRA_CA_CERTS", &*ca),
        ("NODE_EXTRA_CA_CERTS", "ci/ca.pem"),
        ("NODE_EXTRA_CA_CERTS", &linked),
        ("NODE_EXTRA_CA_CERTS", &out),
        ("SSL_CERT_FILE", &ca),
        ("SSL_CERT_DIR", &folders),
        ("GIT_SSL_CAINFO", &ca),
        ("GIT_EXEC_PATH", &at("ci")),
        ("GIT_CONFIG_SYSTEM", &ca),
        ("GIT_SSH", &ca),
        (
            "GIT_SSH_COMMAND",
            &format!("ssh -o UserKnownHostsFile={ca}"),
        ),
        ("BROWSER", &format!("{ca} %s")),
        ("LD_PRELOAD", &ca),
        ("GOOGLE_APPLICATION_CREDENTIALS", &ca),
    ] {
        assert!(refused(&[(name, value)], plan), "{name}={value}");
        let desk = project.run_vars(&[(name, value)], &["--version"]);
        assert_eq!(desk.code, Some(0), "{name}={value}");
    }
    let setting = |key: &str, value: &str| {
        let setting = [
            ("GIT_CONFIG_COUNT", "1"),
            ("GIT_CONFIG_KEY_0", key),
            ("GIT_CONFIG_VALUE_0", value),
        ];
        refused(&setting, plan)
    };
    assert!(setting("http.sslCAInfo", &ca));
    assert!(setting("credential.helper", &format!("!{ca} get")));
    assert!(!setting("safe.directory", &at(".")));
    let path = format!("{}:/usr/bin:/bin", at("ci"));
    assert!(!refused(&[("PATH", &path)], plan));
    let azure = ("AZURE_USE_AZURE_CLI", "true");
    assert!(refused(&[("PATH", &path), azure], plan));

    // What lies elsewhere, what is not there, what a step of the runner made, and what only names a program.
    for vars in [
        &[("NODE_EXTRA_CA_CERTS", &*own)][..],
        &[("NODE_EXTRA_CA_CERTS", "ci/none.pem")],
        &[("SSL_CERT_DIR", "/etc")],
        &[("GIT_SSH_COMMAND", "ci -v")],
        &[
            ("GOOGLE_APPLICATION_CREDENTIALS", &ca),
            ("GOOGLE_GHA_CREDS_PATH", &ca),
        ],
    ] {
        assert!(!refused(vars, plan), "{vars:?}");
    }
    // cargo names its own folders for what it builds and runs in a checkout, as connplan's first command does.
    let built = project.path("ci/connplan");
    fs::copy(env!("CARGO_BIN_EXE_connplan"), &built).unwrap();
    let mut built = Command::new(built);
    let built = built
        .args(plan)
        .current_dir(project.path("."))
        .env_clear()
        .envs([("CI", "true"), ("LD_LIBRARY_PATH", &at("ci"))])
        .env("HOME", project.path("../home"));
    let built = String::from_utf8(built.output().unwrap().stderr).unwrap();
    assert!(built.contains("code: connplan::auth"), "{built}");
    assert!(refused(&[("LD_LIBRARY_PATH", &at("ci"))], plan));

    // At a desk it is what the user exported; and what asks nobody runs.
    let extra = ("NODE_EXTRA_CA_CERTS", "ci/ca.pem");
    project.run_vars(&[extra], plan).expect(0);
    for asks_nobody in [&["--version"][..], &["help", "plan"], &["validate"]] {
        assert!(!refused(&[extra], asks_nobody));
    }
    reads!(project.run_vars(&[extra, ("CI", "true")], plan), @"
    exit 1: connplan plan
    --- stderr
    error: NODE_EXTRA_CA_CERTS names ci/ca.pem, which lies in the checkout: a pull request may have written it, and it says whom to believe or what to run
      help: keep it outside the checkout, and name it there: on the runner or in its image, in a file that a step writes from a secret (GitHub: below RUNNER_TEMP), or in a variable of type File (GitLab). To copy what a pull request brings does not help
      code: connplan::shipped
    ");
}

/// git reads settings of its own, from files that may include others.
#[test]
fn a_pipelines_git_is_led_by_nothing_of_its_checkout() {
    let platform = Platform::start();
    let project = Project::new().at(&platform).connector("wix", &["a"]);
    project.write("connplan.toml", "[store]\nurl = \"git:origin\"\n");
    git(&project, &["init", "-q", "-b", "main"]);
    let at = |path: &str| project.path(path).display().to_string();
    git(&project, &["init", "-q", "--bare", &at("../remote.git")]);
    git(&project, &["remote", "add", "origin", &at("../remote.git")]);
    let (ca, own) = (at("ci/ca.pem"), at("../own/ca.pem"));
    for file in [&ca, &own] {
        project.write(file, "not a certificate");
    }
    project.write("ci/gitconfig", "[user]\n\tname = x\n");
    let told = |settings: &str| {
        fs::write(project.home().join(".gitconfig"), settings).unwrap();
        let run = project.run_vars(&[("CI", "true")], &["history"]);
        let refused = run.stderr.contains("code: connplan::shipped");
        assert!(refused || run.code == Some(0), "{settings}: {run:?}");
        (refused, run)
    };
    let refused = |settings: &str| told(settings).0;
    let include = at("ci/gitconfig");
    for settings in [
        format!("[core]\n\tsshCommand = ssh -F{ca}\n"),
        format!("[http]\n\tsslCAInfo = {ca}\n"),
        format!("[http \"https://forge.example/\"]\n\tsslCert = {ca}\n"),
        format!("[credential]\n\thelper = \"!cat {ca}\"\n"),
        format!("[include]\n\tpath = {include}\n"),
        "[include]\n\tpath = ../project/ci/gitconfig\n".to_owned(),
        "[http]\n\tsslCAInfo = ~/../project/ci/ca.pem\n".to_owned(),
    ] {
        assert!(refused(&settings), "{settings}");
    }
    // What lies elsewhere, what a checkout step writes, and what decides nothing.
    let tree = at(".");
    for settings in [
        format!("[http]\n\tsslCAInfo = {own}\n"),
        format!("[safe]\n\tdirectory = {tree}\n"),
        format!("[includeIf \"gitdir:{tree}/.git\"]\n\tpath = {own}\n"),
        format!("[core]\n\tsshCommand = \\\"/usr/bin/ssh\\\" -i \\\"{own}\\\"\n"),
        "[filter \"lfs\"]\n\tprocess = git-lfs filter-process\n".to_owned(),
    ] {
        assert!(!refused(&settings), "{settings}");
    }
    let (_, run) = told(&format!("[http]\n\tsslCAInfo = {ca}\n"));
    let said = run.stderr.replace(&ca, "CHECKOUT/ci/ca.pem");
    let home = project.home().display().to_string();
    let said = said.replace(&home, "HOME");
    let error = said.lines().find(|line| line.starts_with("error: "));
    insta::assert_snapshot!(error.unwrap(), @"error: the git setting http.sslcainfo in HOME/.gitconfig names CHECKOUT/ci/ca.pem, which lies in the checkout: a pull request may have written it, and it says whom to believe or what to run");
}

//! Whoever can write into `.git` of a checkout changes nothing of what binds: on GitLab an artifact is unpacked over it,
//! and a runner may keep what an earlier job left there.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpListener,
    path::PathBuf,
    process::{Command, Stdio},
    thread,
};

use super::{
    loosening::{git, serves_any_commit},
    merged::{SIGNED, applied},
};
use crate::support::{Output, Platform, Project, reads};

/// A repository of this format on a branch `main`, with a remote. Nothing is committed.
fn repository(format: &str) -> (Platform, Project) {
    let platform = Platform::start();
    let project = Project::new().at(&platform);
    project.declare("slack", &["chat:write"]);
    project.write("base44/signers", "");
    let format = format!("--object-format={format}");
    git(&project, &["init", "-q", "-b", "main", &format]);
    let remote = project.path("../remote.git").display().to_string();
    git(
        &project,
        &["init", "-q", "--bare", "-b", "main", &format, &remote],
    );
    git(&project, &["remote", "add", "origin", &remote]);
    (platform, project)
}

/// A commit with these settings.
fn commit(project: &Project, settings: &str) -> String {
    project.write("base44/connplan.toml", settings);
    git(project, &["add", "-A"]);
    git(project, &["commit", "-q", "--allow-empty", "-m", settings]);
    git(project, &["rev-parse", "HEAD"])
}

fn pushed(project: &Project) {
    git(project, &["push", "-qf", "origin", "HEAD:main"]);
}

/// Where an object lies that is in no pack.
fn place(project: &Project, name: &str) -> PathBuf {
    project.path(&format!(".git/objects/{}/{}", &name[..2], &name[2..]))
}

/// Puts what one object holds under the name of another one, and says what was there.
fn forge(project: &Project, name: &str, with: &str) -> Vec<u8> {
    let kind = git(project, &["cat-file", "-t", with]);
    let read = Command::new("git")
        .args(["cat-file", &kind, with])
        .current_dir(project.root())
        .output()
        .unwrap();
    let mut object = format!("{kind} {}\0", read.stdout.len()).into_bytes();
    object.extend(read.stdout);
    // A stream that nothing is compressed in.
    let size = u16::try_from(object.len()).unwrap();
    let (mut low, mut high) = (1_u32, 0_u32);
    for byte in &object {
        low = (low + u32::from(*byte)) % 65521;
        high = (high + low) % 65521;
    }
    let mut stream = vec![0x78, 0x01, 0x01];
    stream.extend([size.to_le_bytes(), (!size).to_le_bytes()].concat());
    stream.extend(object);
    stream.extend((high << 16 | low).to_be_bytes());
    replace(project, name, &stream)
}

fn replace(project: &Project, name: &str, stream: &[u8]) -> Vec<u8> {
    let place = place(project, name);
    let was = fs::read(&place).unwrap();
    fs::remove_file(&place).unwrap();
    fs::write(&place, stream).unwrap();
    was
}

/// Moves an object into a pack, as it is.
fn pack(project: &Project, name: &str) {
    let mut git = Command::new("git")
        .args(["pack-objects", "-q", ".git/objects/pack/pack"])
        .current_dir(project.root())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    writeln!(git.stdin.take().unwrap(), "{name}").unwrap();
    assert!(git.wait().unwrap().success());
    fs::remove_file(place(project, name)).unwrap();
}

/// What the commit before demands is in its objects, whatever they are replaced by.
#[test]
fn what_lies_under_the_name_of_an_object_of_the_base_has_to_be_it() {
    for format in ["sha1", "sha256"] {
        let (platform, project) = repository(format);
        let base = commit(&project, SIGNED);
        let head = commit(&project, "# nothing\n");
        if format == "sha1" {
            pushed(&project);
        } else {
            // Nothing is fetched by such names.
            git(&project, &["remote", "remove", "origin"]);
        }
        applied(&project, &base, &[]).expect(3);
        let id = |name: String| git(&project, &["rev-parse", &name]);
        for inner in ["", "^{tree}", ":base44", ":base44/connplan.toml"] {
            let name = id(format!("{base}{inner}"));
            for packed in [false, true] {
                let was = forge(&project, &name, &id(format!("{head}{inner}")));
                if packed {
                    pack(&project, &name);
                }
                let run = applied(&project, &base, &[]);
                let said = run.stderr.replace(&name, "NAME");
                insta::allow_duplicates!(reads!(said, @"
                error: the git object NAME of this clone does not have the content that its name stands for: the clone is damaged, or somebody altered it
                  help: make a new clone (in a pipeline: start a new run, and let no artifact or earlier job write into `.git`), then try again; `git fsck` shows what else is damaged
                  code: connplan::git::altered
                "));
                run.expect(1);
                if packed {
                    fs::remove_dir_all(project.path(".git/objects/pack")).unwrap();
                    fs::create_dir(project.path(".git/objects/pack")).unwrap();
                    fs::write(place(&project, &name), "").unwrap();
                }
                replace(&project, &name, &was);
            }
        }
        assert_eq!(platform.writes(), [] as [&str; 0]);
        // Nor does an annotated tag lead elsewhere than to what it names, or what is no commit stand for one.
        git(&project, &["tag", "-m", "x", "x"]);
        let tag = id("x".to_owned());
        for with in [tag, id("HEAD^{tree}".to_owned())] {
            let was = forge(&project, &base, &with);
            applied(&project, &base, &[])
                .expect(1)
                .tells("somebody altered it");
            replace(&project, &base, &was);
        }
        applied(&project, &base, &[]).expect(3);
    }
}

/// Where a line of history left the default branch is what its commits say, not what lies beside them.
#[test]
fn no_file_beside_the_commits_says_what_is_before_them() {
    let (platform, project) = repository("sha1");
    let strict = commit(&project, SIGNED);
    let loosened = commit(&project, "# on main\n");
    pushed(&project);
    git(&project, &["checkout", "-q", "--detach", &strict]);
    let dropped = commit(&project, "# on the branch\n");
    commit(&project, "# more\n");
    let refused = || {
        let run = project.run_vars(&[("CI", "true")], &["apply", "--auto-approve"]);
        run.expect(3).tells("signature");
    };
    refused();
    fs::create_dir_all(project.path(".git/info")).unwrap();
    for (file, text) in [
        ("info/grafts", format!("{dropped} {loosened}\n")),
        ("shallow", format!("{dropped}\n")),
    ] {
        let file = project.path(".git").join(file);
        fs::write(&file, text).unwrap();
        refused();
        fs::remove_file(file).unwrap();
    }
    let tree = format!("{dropped}^{{tree}}");
    let other = ["commit-tree", "-m", "x", "-p", &loosened, &tree];
    let was = forge(&project, &dropped, &git(&project, &other));
    git(&project, &["commit-graph", "write", "--reachable"]);
    replace(&project, &dropped, &was);
    refused();
    // Without what is between, nothing is taken for granted.
    fs::remove_file(place(&project, &dropped)).unwrap();
    let run = project.run_vars(&[("CI", "true")], &["apply", "--auto-approve"]);
    run.expect(1).tells("this clone is too shallow");
    assert_eq!(platform.writes(), [] as [&str; 0]);
}

/// An apply in GitLab's pipeline for a push of a commit.
fn in_gitlab(project: &Project, head: &str, before: &str) -> Output {
    in_gitlab_at(project, ".", [head, before], &["apply", "--auto-approve"])
}

/// A run there in a folder.
fn in_gitlab_at(project: &Project, folder: &str, commits: [&str; 2], args: &[&str]) -> Output {
    let dir = project.root().display().to_string();
    let from = project.path("../remote.git").canonicalize().unwrap();
    let from = format!("file://{}", from.display());
    let [head, before] = commits;
    let vars = [
        ("CI", "true"),
        ("GITLAB_CI", "true"),
        ("CI_PIPELINE_SOURCE", "push"),
        ("CI_COMMIT_BRANCH", "main"),
        ("CI_DEFAULT_BRANCH", "main"),
        ("CI_PROJECT_DIR", &dir),
        ("CI_PROJECT_URL", "https://gitlab.example/o/r"),
        ("CI_PROJECT_PATH", "o/r"),
        ("CI_REPOSITORY_URL", &from),
        ("CI_COMMIT_SHA", head),
        ("CI_COMMIT_BEFORE_SHA", before),
    ];
    project.run_vars(&vars, &[&["-C", folder], args].concat())
}

/// Which commit a run is of, the pipeline says, and not HEAD of the clone.
#[test]
fn head_takes_no_base_away() {
    let (platform, project) = repository("sha1");
    let strict = commit(&project, SIGNED);
    let loose = commit(&project, "# nothing\n");
    let run = commit(&project, "# no more\n");
    pushed(&project);
    let head = |text: &str| fs::write(project.path(".git/HEAD"), text).unwrap();
    let unborn = "ref: refs/heads/none\n";
    head(unborn);
    in_gitlab(&project, &loose, &strict)
        .expect(3)
        .tells("signature");
    // GitHub's workflows choose what they check out.
    let event = format!(r#"{{"before":"{strict}","ref":"refs/heads/main"}}"#);
    project.write("../event.json", &event);
    let event = project.path("../event.json").display().to_string();
    let push = super::loosening::push(&event, &loose);
    reads!(project.run_vars(&push, &["apply", "--auto-approve"]), @"
    exit 1: connplan apply --auto-approve
    --- stderr
    error: connplan cannot find the commit before the one that this run is of, and needs its settings: HEAD of this clone is not a commit
      help: run connplan in the checkout that the pipeline makes, as it makes it; let no artifact write into its `.git`
      code: connplan::approval::base
    ");
    // An old run, of a branch that demands more by now.
    head("ref: refs/heads/main\n");
    let newest = commit(&project, SIGNED);
    pushed(&project);
    project.write("base44/connplan.toml", "# no more\n");
    for checked_out in [&run, &newest] {
        head(checked_out);
        in_gitlab(&project, &run, &loose)
            .expect(3)
            .tells("signature");
    }
    reads!(in_gitlab(&project, &"ab".repeat(20), &loose), @"
    exit 1: connplan -C . apply --auto-approve
    --- stderr
    error: connplan cannot find the commit before the one that this run is of, and needs its settings: this clone has another commit checked out than COMMIT, the run's, and lacks that one
      help: run connplan in the checkout that the pipeline makes, as it makes it; let no artifact write into its `.git`
      code: connplan::approval::base
    ");
    assert_eq!(platform.writes(), [] as [&str; 0]);
}

/// Where branches are, the runner says, and not the configuration of the clone.
#[test]
fn an_origin_of_another_repository_says_nothing_of_the_branch() {
    let (platform, project) = repository("sha1");
    let before = commit(&project, "# first\n");
    let run = commit(&project, "# more\n");
    pushed(&project);
    let other = project.path("../other.git").display().to_string();
    git(&project, &["clone", "-q", "--bare", ".", &other]);
    commit(&project, SIGNED);
    pushed(&project);
    git(&project, &["checkout", "-q", "--detach", &run]);
    let refused = || {
        let run = in_gitlab(&project, &run, &before);
        run.expect(3).tells("signature");
    };
    refused();
    git(&project, &["remote", "set-url", "origin", &other]);
    refused();
    git(&project, &["remote", "remove", "origin"]);
    refused();
    assert_eq!(platform.writes(), [] as [&str; 0]);
}

/// Another git made the clone, or it is damaged: what this git cannot read is not taken for absent.
#[test]
fn a_clone_that_git_cannot_read_has_a_base_all_the_same() {
    let (platform, project) = repository("sha1");
    let strict = commit(&project, SIGNED);
    let head = commit(&project, "# nothing\n");
    pushed(&project);
    let refused = |said: &str| {
        in_gitlab(&project, &head, &strict)
            .expect(1)
            .tells(said)
            .tells("connplan::git::failed");
    };
    let config = project.read(".git/config");
    for (settings, said) in [
        ("[core]\nrepositoryformatversion = 9\n", "repo version"),
        (
            "[core]\nrepositoryformatversion = 1\n[extensions]\nnewer = true\n",
            "unknown repository extension",
        ),
    ] {
        project.write(".git/config", &format!("{config}{settings}"));
        refused(said);
    }
    project.write(".git/config", &config);
    replace(&project, &head, b"x");
    refused("read the commit");
    assert_eq!(platform.writes(), [] as [&str; 0]);
}

/// From where the runner cloned, it says itself.
#[test]
fn no_other_origin_has_the_store() {
    let (platform, project) = repository("sha1");
    let before = commit(&project, "[store]\nurl = \"git:origin\"\n");
    let head = commit(&project, "[store]\nurl = \"git:origin\"\n# more\n");
    pushed(&project);
    let url = project.path("../remote.git").display().to_string();
    let evil = project.path("../evil.git").display().to_string();
    git(&project, &["clone", "-q", "--mirror", &url, &evil]);
    let told = |remote: &str| git(&project, &["ls-remote", remote, "refs/connplan/*/log"]);
    let applied = || in_gitlab(&project, &head, &before).expect(0).stderr.clone();
    // By name, for writing alone, and as the only one.
    let mut known = told(&url);
    for (connector, config) in [
        ("slack", ["remote.origin.url", &evil]),
        ("notion", ["remote.origin.pushurl", &evil]),
        ("box", ["remote.evil.url", &evil]),
    ] {
        project.declare(connector, &["chat:write"]);
        if connector == "box" {
            git(&project, &["remote", "remove", "origin"]);
        }
        git(&project, &[&["config"][..], &config].concat());
        // A team that reaches the forge by another address is told how to; for writing alone there is none.
        let says = applied().contains("set CONNPLAN_STORE=git:ADDRESS");
        assert_eq!(says, connector != "notion", "{connector}");
        assert_eq!(told(&evil), "", "{connector}");
        let now = told(&url);
        assert_ne!(now, known, "{connector}");
        known = now;
        if connector != "box" {
            git(&project, &["config", "--unset", config[0]]);
            git(&project, &["config", "remote.origin.url", &url]);
        }
    }
    assert_eq!(platform.writes().len(), 3);
}

/// connplan's own repositories are of the kind that the remote is.
#[test]
fn objects_named_by_sha256_have_a_store_and_an_apply() {
    let (platform, project) = repository("sha256");
    let before = commit(&project, "[store]\nurl = \"git:origin\"\n");
    let head = commit(&project, "[store]\nurl = \"git:origin\"\n# more\n");
    pushed(&project);
    let told = |remote: &str| git(&project, &["ls-remote", remote, "refs/connplan/*/log"]);
    let keep = ["plan", "--out", "x.plan"];
    project
        .run(&keep)
        .expect(0)
        .tells("Kept the plan in git:origin");
    assert_eq!(told("origin").find('\t'), Some(64));
    // The commit before is fetched, where the clone lacks it.
    let url = format!("file://{}", project.path("../remote.git").display());
    git(&project, &["clone", "-q", "--depth=1", &url, "../shallow"]);
    fs::rename(project.path(".git"), project.path("../whole")).unwrap();
    fs::rename(project.path("../shallow/.git"), project.path(".git")).unwrap();
    in_gitlab(&project, &head, &before).expect(0);
    assert_eq!(platform.writes().len(), 1);
    // One of either kind, named by its address.
    for (format, length) in [("sha1", 40), ("sha256", 64)] {
        let place = project
            .path(&format!("../{format}.git"))
            .display()
            .to_string();
        let format = format!("--object-format={format}");
        git(
            &project,
            &["init", "-q", "--bare", "-b", "main", &format, &place],
        );
        let other = project
            .path(&format!("../other{format}"))
            .display()
            .to_string();
        git(&project, &["init", "-q", &format, &other]);
        git(
            &project,
            &["-C", &other, "commit", "-q", "--allow-empty", "-m", "x"],
        );
        git(&project, &["-C", &other, "push", "-q", &place, "HEAD:main"]);
        let store = format!("git:{place}");
        for _ in 0..2 {
            let kept = project.run_vars(&[("CONNPLAN_STORE", &store)], &keep);
            kept.expect(0).tells("Kept the plan");
        }
        assert_eq!(told(&place).find('\t'), Some(length));
    }
}

/// git makes no repository where the commit around it has files, and what such a one says would count.
#[test]
fn a_repository_that_was_put_into_the_clone_is_refused() {
    let (platform, project) = repository("sha1");
    fs::create_dir(project.path("app")).unwrap();
    fs::rename(project.path("base44"), project.path("app/base44")).unwrap();
    let committed = |settings: &str| {
        project.write("app/base44/connplan.toml", settings);
        git(&project, &["add", "-A"]);
        git(&project, &["commit", "-qm", settings]);
        pushed(&project);
        git(&project, &["rev-parse", "HEAD"])
    };
    let strict = committed(SIGNED);
    let loose = committed("[store]\nurl = \"git:origin\"\n");
    let run = |folder: &str, args: &[&str]| in_gitlab_at(&project, folder, [&loose, &strict], args);
    let applied = |folder: &str| run(folder, &["apply", "--auto-approve"]);
    applied("app").expect(3).tells("signature");
    // Another clone, where the commit has nothing. What cannot be read of the one around it is no word that nothing binds.
    let remote = project.path("../remote.git").display().to_string();
    git(&project, &["clone", "-q", &remote, "other"]);
    applied("other/app").expect(3).tells("signature");
    let was = forge(&project, &strict, &loose);
    applied("other/app")
        .expect(1)
        .tells("connplan::git::altered");
    replace(&project, &strict, &was);
    for folder in ["app", "app/base44"] {
        let inner = |args: &[&str]| git(&project, &[&["-C", folder], args].concat());
        inner(&["init", "-q"]);
        inner(&["remote", "add", "origin", "https://evil.example/r.git"]);
        inner(&["add", "-A"]);
        inner(&["commit", "-qm", "x"]);
        let run = applied("app");
        if folder == "app" {
            reads!(run, @"
            exit 1: connplan -C app apply --auto-approve
            --- stderr
            error: FOLDER/project/app has a `.git` of its own, and the commit of the repository around it has files there: somebody put it into this pipeline's checkout, so connplan does not go by what it says
              help: start a new run, and let no artifact or earlier job write `.git` into the checkout; clone another repository into a folder that the commit does not have, or make it a submodule
              code: connplan::approval::base
            ");
        }
        run.expect(1).tells("has a `.git` of its own");
        fs::remove_dir_all(project.path(folder).join(".git")).unwrap();
    }
    applied("app").expect(3).tells("signature");
    assert_eq!(platform.writes(), [] as [&str; 0]);
}

/// Another server than the address names would be reached by it, with what the run may do.
#[test]
fn no_header_of_the_clone_names_another_host() {
    let (_platform, project) = repository("sha1");
    commit(&project, "[store]\nurl = \"git:origin\"\n");
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/", server.local_addr().unwrap());
    git(&project, &["remote", "set-url", "origin", &address]);
    let asked = thread::spawn(move || {
        let (mut stream, _) = server.accept().unwrap();
        let (mut asked, mut some) = (Vec::new(), [0; 4096]);
        while !asked.ends_with(b"\r\n\r\n") {
            let read = stream.read(&mut some).unwrap();
            asked.extend_from_slice(&some[..read]);
        }
        let _ = stream.write_all(b"HTTP/1.1 404 None\r\ncontent-length: 0\r\n\r\n");
        String::from_utf8(asked).unwrap()
    });
    let own = format!("http.{address}.extraheader");
    for (key, header) in [
        ("http.extraheader", "Host: evil.example"),
        (&own, "Host: evil.example"),
        (&own, "AUTHORIZATION: basic own"),
        ("http.extraheader", "AUTHORIZATION: basic everywhere"),
    ] {
        git(&project, &["config", "--add", key, header]);
    }
    project.run(&["history"]);
    let asked = asked.join().unwrap();
    assert!(
        !asked.contains("evil") && !asked.contains("everywhere"),
        "{asked}"
    );
    assert!(asked.contains("AUTHORIZATION: basic own"), "{asked}");
}

/// That the repository has lost a commit, no other one says.
#[test]
fn no_other_origin_says_that_what_was_applied_last_is_lost() {
    let (platform, project) = repository("sha1");
    let first = commit(&project, "# first\n");
    let rules = format!("{SIGNED}from_risk = \"danger\"\n");
    let strict = commit(&project, &rules);
    pushed(&project);
    in_gitlab(&project, &strict, &first).expect(0);
    git(&project, &["reset", "-q", "--hard", &first]);
    let before = commit(&project, "# forced back\n");
    project.declare("gmail", &["https://mail.google.com/"]);
    let run = commit(&project, "# the whole mailbox\n");
    pushed(&project);
    fs::remove_file(place(&project, &strict)).unwrap();
    let remote = serves_any_commit(&project);
    let refused = || {
        let run = in_gitlab(&project, &run, &before);
        run.expect(3).tells("signature");
    };
    refused();
    let other = project.path("../other.git").display().to_string();
    let from = format!("file://{remote}");
    git(&project, &["clone", "-q", "--bare", &from, &other]);
    git(&project, &["remote", "set-url", "origin", &other]);
    refused();
    assert_eq!(platform.writes().len(), 1);
}

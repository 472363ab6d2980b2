//! Refs of a remote, moved under a lease, from any kind of clone.

use std::{fs, path::Path};

use connplan::git::{
    Checkout, Depot, GitError, NewCommit, ObjectId, Push, Pushed, RefName, RemoteName,
};

use super::repository::{Pair, git, plain, wait};

const REF: &str = "refs/connplan/test/log";

async fn depot(dir: &Path, clone: &Path) -> (Depot, connplan::git::RemoteAddress) {
    let checkout = Checkout::of(clone, plain()).unwrap();
    let remote = checkout.remote(None, &RemoteName::origin()).await.unwrap();
    let depot = Depot::open(dir, plain(), &remote).await.unwrap();
    (depot, remote)
}

async fn commit(depot: &Depot, parent: Option<&ObjectId>, text: &str) -> ObjectId {
    let files = vec![("a/b.toml", Some(text.as_bytes()))];
    let new = NewCommit {
        parent,
        message: "a test",
        time: 1,
        files,
    };
    depot.commit(&new).await.unwrap().commit
}

#[test]
fn a_ref_moves_only_from_where_it_was_seen() {
    let pair = Pair::new();
    // Shallow and of one branch, as pipelines clone.
    let url = format!("file://{}", pair.origin.display());
    git(
        pair.dir.path(),
        &[
            "clone",
            "-q",
            "--depth=1",
            "--single-branch",
            &url,
            "shallow",
        ],
    );
    let before = git(&pair.clone, &["for-each-ref"]);
    wait(async {
        let (one, remote) = depot(&pair.dir.path().join("one"), &pair.clone).await;
        let (two, remote_two) = depot(
            &pair.dir.path().join("two"),
            &pair.dir.path().join("shallow"),
        )
        .await;
        let reference = RefName::parse(REF).unwrap();
        let first = commit(&one, None, "1").await;
        let push = |from, to| Push {
            reference: &reference,
            from,
            to,
        };
        assert_eq!(
            one.push(&remote, &push(None, Some(&first))).await.unwrap(),
            Pushed::Done
        );
        let late = commit(&two, None, "2").await;
        assert_eq!(
            two.push(&remote_two, &push(None, Some(&late)))
                .await
                .unwrap(),
            Pushed::Moved
        );

        let refs = two.fetch(&remote_two, "refs/connplan/test/").await.unwrap();
        assert_eq!(refs.get(REF), Some(&first));
        let second = commit(&two, Some(&first), "2").await;
        assert_eq!(
            two.push(&remote_two, &push(Some(&first), Some(&second)))
                .await
                .unwrap(),
            Pushed::Done
        );
        let third = commit(&one, Some(&first), "3").await;
        assert_eq!(
            one.push(&remote, &push(Some(&first), Some(&third)))
                .await
                .unwrap(),
            Pushed::Moved
        );

        let refs = one.fetch(&remote, "refs/connplan/test/").await.unwrap();
        let tree = one.objects().tree(&refs[REF]).await.unwrap();
        let id = tree["a/b.toml"].clone();
        let blobs = one
            .objects()
            .blobs(&[id.clone(), id.clone()], 100)
            .await
            .unwrap();
        assert_eq!(blobs[&id], b"2");
        assert_eq!(
            one.ls_remote(&remote, "refs/connplan/").await.unwrap(),
            refs
        );
        assert_eq!(
            one.push(&remote, &push(Some(&second), None)).await.unwrap(),
            Pushed::Done
        );
        assert!(
            one.fetch(&remote, "refs/connplan/test/")
                .await
                .unwrap()
                .is_empty()
        );
    });
    assert_eq!(
        before,
        git(&pair.clone, &["for-each-ref"]),
        "the checkout was touched"
    );
    let who = git(
        &pair.dir.path().join("two"),
        &["--git-dir=.", "log", "-1", "--format=%an %ae", "--all"],
    );
    assert!(!who.contains("ada"), "{who}");
}

/// What somebody put under another name where it is fetched from, does not come here by that name.
#[test]
fn a_forged_object_is_not_fetched() {
    let pair = Pair::new();
    let base = git(&pair.clone, &["rev-parse", "HEAD"]);
    let blob = git(&pair.clone, &["rev-parse", "HEAD:connplan.toml"]);
    fs::write(pair.clone.join("connplan.toml"), "# forged\n").unwrap();
    git(&pair.clone, &["commit", "-q", "-am", "second"]);
    let forged = git(&pair.clone, &["rev-parse", "HEAD:connplan.toml"]);
    let place = |at: &Path, id: &str| at.join("objects").join(&id[..2]).join(&id[2..]);
    let remote = place(&pair.origin, &blob);
    let _ = fs::remove_file(&remote);
    fs::copy(place(&pair.clone.join(".git"), &forged), &remote).unwrap();
    let shown = ["show", &format!("{base}:connplan.toml")];
    assert_eq!(git(&pair.origin, &shown), "# forged");
    wait(async {
        let base = ObjectId::parse(&base).unwrap();
        let (depot, remote) = depot(&pair.dir.path().join("depot"), &pair.clone).await;
        depot.fetch_commit(&remote, &base).await.unwrap_err();
        depot.fetch_branch(&remote, "main").await.unwrap_err();
        let blob = ObjectId::parse(&blob).unwrap();
        let read = depot.objects().read(&blob).await;
        assert!(matches!(read, Err(GitError::Failed { .. })), "{read:?}");
        // Nor is it believed where it lies already.
        let here = place(&pair.clone.join(".git"), blob.as_str());
        let _ = fs::remove_file(&here);
        fs::copy(place(&pair.origin, blob.as_str()), &here).unwrap();
        let checkout = Checkout::of(&pair.clone, plain()).unwrap();
        let read = checkout.objects().read(&blob).await;
        assert!(matches!(read, Err(GitError::Altered { .. })), "{read:?}");
        let said = checkout.may_have_said("connplan.toml", |text| text.contains("first"));
        assert!(matches!(said.await, Err(GitError::Altered { .. })));
    });
}

#[test]
fn a_commit_of_the_base_is_had_in_a_shallow_clone() {
    let pair = Pair::new();
    let base = git(&pair.clone, &["rev-parse", "HEAD"]);
    fs::write(pair.clone.join("connplan.toml"), "# second\n").unwrap();
    git(&pair.clone, &["commit", "-q", "-am", "second"]);
    git(&pair.clone, &["push", "-q", "origin", "main"]);
    let url = format!("file://{}", pair.origin.display());
    git(
        pair.dir.path(),
        &["clone", "-q", "--depth=1", &url, "shallow"],
    );
    wait(async {
        let base = ObjectId::parse(&base).unwrap();
        let shallow = Checkout::of(&pair.dir.path().join("shallow"), plain()).unwrap();
        assert_eq!(shallow.resolve(base.as_str()).await.unwrap(), None);
        let (depot, remote) = depot(&pair.dir.path().join("depot"), shallow.root()).await;
        depot.fetch_commit(&remote, &base).await.unwrap();
        let text = depot.objects().show(&base, "connplan.toml").await.unwrap();
        assert_eq!(text.as_deref(), Some("# first\n".as_bytes()));
        assert_eq!(
            depot.default_branch(&remote).await.unwrap().as_deref(),
            Some("main")
        );
        // A fetch that was killed leaves git's lock.
        let lock = pair.dir.path().join("depot/shallow.lock");
        fs::write(&lock, "").unwrap();
        let head = depot.fetch_branch(&remote, "main").await.unwrap();
        assert!(!lock.exists());
        assert_eq!(
            depot.objects().list(&head, "base44").await.unwrap().len(),
            1
        );
        // A branch that became a folder of branches.
        git(&pair.clone, &["push", "-q", "origin", "main:refs/heads/a"]);
        assert_eq!(depot.fetch_branch(&remote, "a").await.unwrap(), head);
        let moved = [":refs/heads/a", "main:refs/heads/a/b"];
        git(
            &pair.clone,
            &[&["push", "-q", "origin"][..], &moved].concat(),
        );
        assert_eq!(depot.fetch_branch(&remote, "a/b").await.unwrap(), head);
        // It says no different from what the remote says.
        let none = ObjectId::parse(&"ab".repeat(20)).unwrap();
        assert!(depot.fetch_commit(&remote, &none).await.is_err());
    });
}

/// What 200 folders hold together is more than is read at once, and each of them is not.
#[test]
#[ignore = "a second of CPU time, or more: run by .ci/run"]
fn folders_of_long_lists_are_read_some_at_a_time() {
    let pair = Pair::new();
    let made = |lines: String| {
        let file = pair.dir.path().join("lines");
        fs::write(&file, lines).unwrap();
        let made = std::process::Command::new("git")
            .arg("mktree")
            .current_dir(&pair.clone)
            .stdin(fs::File::open(&file).unwrap())
            .output()
            .unwrap();
        assert!(made.status.success(), "{made:?}");
        String::from_utf8(made.stdout).unwrap().trim().to_owned()
    };
    let file = git(&pair.clone, &["rev-parse", "HEAD:connplan.toml"]);
    let long = "x".repeat(60_000);
    let files = (1..=6).map(|n| format!("100644 blob {file}\t{n}{long}\n"));
    let folder = made(files.collect());
    let folders = (1..=200).map(|n| format!("040000 tree {folder}\t{n:03}\n"));
    let tree = made(folders.collect());
    let commit = git(&pair.clone, &["commit-tree", &tree, "-m", "many"]);
    wait(async {
        let checkout = Checkout::of(&pair.clone, plain()).unwrap();
        let commit = ObjectId::parse(&commit).unwrap();
        let found = checkout.objects().tree(&commit).await.unwrap();
        assert_eq!(found.len(), 200 * 6);
    });
}

#[test]
fn who_protects_the_ref_is_said() {
    let pair = Pair::new();
    // A hook would not run: the remote is a folder of this machine.
    git(
        &pair.origin,
        &["config", "receive.hideRefs", "refs/connplan"],
    );
    wait(async {
        let (depot, remote) = depot(&pair.dir.path().join("depot"), &pair.clone).await;
        let reference = RefName::parse(REF).unwrap();
        let new = commit(&depot, None, "1").await;
        let push = Push {
            reference: &reference,
            from: None,
            to: Some(&new),
        };
        let refused = depot.push(&remote, &push).await.unwrap_err();
        assert!(matches!(refused, GitError::Refused { .. }), "{refused}");
        assert!(
            refused.to_string().contains("deny updating a hidden ref"),
            "{refused}"
        );
        fs::remove_dir_all(&pair.origin).unwrap();
        let away = depot
            .fetch(&remote, "refs/connplan/test/")
            .await
            .unwrap_err();
        assert!(away.is_passing(), "{away}");
    });
}

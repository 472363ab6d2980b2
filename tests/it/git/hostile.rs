//! A `.git` that somebody else made names programs wherever git would run one.

use connplan::git::{Checkout, EntryKind, Git, GitError, RemoteName};
use std::fs;

use super::repository::{Pair, git, plain, wait};

/// Everything that looks, against a configuration that names a program wherever it can.
#[test]
fn nothing_that_a_checkout_names_is_run() {
    let pair = Pair::new();
    let canary = pair.dir.path().join("canary");
    let program = pair.dir.path().join("evil.sh");
    fs::write(
        &program,
        format!("#!/bin/sh\ntouch {}\nexit 1\n", canary.display()),
    )
    .unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let evil = program.display();
    let hooks = pair.clone.join("hooks");
    fs::create_dir(&hooks).unwrap();
    for hook in [
        "reference-transaction",
        "post-index-change",
        "pre-push",
        "post-checkout",
    ] {
        fs::copy(&program, hooks.join(hook)).unwrap();
        fs::copy(&program, pair.clone.join(".git/hooks").join(hook)).unwrap();
    }
    let config = pair.clone.join(".git/config");
    let text = fs::read_to_string(&config).unwrap();
    let more = format!(
        "[core]\n\tfsmonitor = {evil}\n\thooksPath = {}\n\tpager = {evil}\n\tsshCommand = {evil}\n\
         \taskPass = {evil}\n\teditor = {evil}\n\talternateRefsCommand = {evil}\n\tgitProxy = {evil}\n\
         [credential]\n\thelper = !{evil}\n[diff]\n\texternal = {evil}\n[gpg]\n\tprogram = {evil}\n\
         [log]\n\tshowSignature = true\n[filter \"x\"]\n\tclean = {evil}\n\tsmudge = {evil}\n\
         [remote \"ext\"]\n\turl = ext::{evil}\n[remote \"ssh\"]\n\turl = ssh://nobody.invalid/x\n\
         [remote \"inside\"]\n\turl = inside.git\n\
         [extensions]\n\tpartialClone = ext\n[remote \"ext\"]\n\tpromisor = true\n",
        hooks.display()
    );
    fs::write(
        &config,
        text.replace("repositoryformatversion = 0", "repositoryformatversion = 1") + &more,
    )
    .unwrap();
    fs::write(pair.clone.join(".gitattributes"), "* filter=x diff=x\n").unwrap();
    git(
        pair.dir.path(),
        &["init", "-q", "--bare", "clone/inside.git"],
    );

    wait(async {
        let checkout = Checkout::of(&pair.clone.join("base44"), plain()).unwrap();
        let head = checkout.head().await.unwrap().unwrap();
        assert_eq!(checkout.branch().await.unwrap().as_deref(), Some("main"));
        assert!(checkout.named_parents(&head).await.unwrap().is_empty());
        let parted = checkout.parted(&head, &head).await.unwrap();
        assert_eq!(parted.at, std::slice::from_ref(&head));
        let text = checkout
            .objects()
            .show(&head, "connplan.toml")
            .await
            .unwrap();
        assert_eq!(text.as_deref(), Some("# first\n".as_bytes()));
        assert_eq!(
            checkout.objects().show(&head, "none.toml").await.unwrap(),
            None
        );
        assert_eq!(checkout.objects().show(&head, "../x").await.unwrap(), None);
        let list = checkout
            .objects()
            .list(&head, "base44/connectors")
            .await
            .unwrap();
        assert_eq!(list[0].name, "slack.jsonc");
        assert_eq!(list[0].kind, EntryKind::File);
        assert!(
            checkout
                .objects()
                .list(&head, "nowhere")
                .await
                .unwrap()
                .is_empty()
        );
        assert!(!checkout.lacks_history(&head).await.unwrap());
        assert_eq!(
            checkout
                .default_branch(&RemoteName::origin())
                .await
                .unwrap(),
            None
        );
        assert!(checkout.remotes().await.unwrap().len() >= 3);
        // A commit that is not here would be fetched from the remote that the repository names.
        let unknown = connplan::git::ObjectId::parse(&"ab".repeat(20)).unwrap();
        assert!(
            checkout
                .objects()
                .show(&unknown, "connplan.toml")
                .await
                .is_err()
        );
        for name in ["ext", "inside"] {
            let refused = checkout
                .remote(None, &RemoteName::parse(name).unwrap())
                .await;
            assert!(matches!(refused, Err(GitError::Address { .. })), "{name}");
        }
        let none = checkout
            .remote(None, &RemoteName::parse("none").unwrap())
            .await;
        assert!(matches!(none, Err(GitError::NoRemote { .. })));
        assert!(checkout.remote(None, &RemoteName::origin()).await.is_ok());
        assert!(checkout.resolve("--all").await.unwrap().is_none());
    });
    assert!(
        !canary.exists(),
        "a program that the checkout names was run"
    );
}

/// The variables that point git elsewhere don't, and the platform's credentials don't reach it.
#[test]
fn the_environment_points_nowhere() {
    let pair = Pair::new();
    let vars = [
        ("GIT_DIR", "/nowhere"),
        ("GIT_WORK_TREE", "/"),
        ("GIT_INDEX_FILE", "/x"),
    ];
    let vars = vars.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let git = Git::new(&vars.into_iter().collect());
    let head = wait(Checkout::of(&pair.clone, git).unwrap().head());
    assert!(head.unwrap().is_some());
}

#[test]
fn a_bare_repository_among_the_files_is_not_used() {
    let pair = Pair::new();
    git(pair.dir.path(), &["init", "-q", "--bare", "clone/sub"]);
    let root = plain().work_tree_of(&pair.clone.join("sub"));
    assert_eq!(root, Some(pair.clone.canonicalize().unwrap()));
    assert!(plain().work_tree_of(pair.dir.path()).is_none());
}

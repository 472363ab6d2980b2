//! A store that was not read is never taken for an empty one.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use super::team::Team;
use crate::support::{Output, reads};

/// Puts a `git` first in the PATH that does what the lines say, then what git does.
fn with_git(team: &Team, folder: &Path, lines: &str, args: &[&str]) -> Output {
    let path = team.person.environment()["PATH"].clone();
    let git = std::process::Command::new("sh")
        .args(["-c", "command -v git"])
        .output()
        .unwrap();
    let git = String::from_utf8(git.stdout).unwrap();
    let wrapper = folder.join("git");
    let text = format!(
        "#!/bin/sh\nhere='{}'\nwhat=other\nfor word in \"$@\"; do case $word in \
         fetch|cat-file|ls-remote) what=$word; break;; esac; done\n{lines}\nexec {} \"$@\"\n",
        folder.display(),
        git.trim()
    );
    fs::write(&wrapper, text).unwrap();
    fs::set_permissions(&wrapper, fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{path}", folder.display());
    team.person.run_vars(&[("PATH", &path)], args)
}

/// Nobody sees that it fails: git says nothing, as it does where there is nothing.
const FIRST_FETCH: &str = "if [ $what = fetch ] && ! [ -e \"$here/failed\" ]; then\n\
                           : > \"$here/failed\"; exit 1; fi";

#[test]
#[ignore = "needs git remotes: run by .ci/run"]
fn a_fetch_that_fails_without_a_word_is_tried_again() {
    let team = Team::new();
    team.pipeline.run(&["apply", "--auto-approve"]).expect(0);
    let folder = crate::support::folder();
    let plan = ["plan", "--detailed-exitcode"];
    reads!(with_git(&team, folder.path(), FIRST_FETCH, &plan), @"
    exit 0: connplan plan --detailed-exitcode
    App app-1 at http://HOST

    Waiting for authorization (nothing is written again):
        slack                 base44/connectors/slack.jsonc
            chat:write  post messages (as the bot or as the user) · write

    No changes to make. 1 connector waits for authorization: run `connplan authorize`.
    --- stderr
    slack waits for a person; requested just now by pipeline.
    ");
    assert!(folder.path().join("failed").exists());
    // One that always does is away, and not empty.
    let always = "[ $what = fetch ] && exit 1";
    let away = with_git(&team, folder.path(), always, &["plan"]);
    reads!(away, @"
    exit 0: connplan plan
    App app-1 at http://HOST

    Symbols:  + add

      + slack                 base44/connectors/slack.jsonc
          + chat:write  post messages (as the bot or as the user) · write
          authorization: required

    Plan: 1 to add, 0 to change, 0 to remove, 1 to authorize.
    --- stderr
    warning: the store cannot say what other machines have requested: the git remote origin cannot be reached: `git fetch` brought nothing, and did not say why; check the network and the address (`git remote -v`), then try again
    ");
    let args = ["apply", "--auto-approve"];
    with_git(&team, folder.path(), always, &args).expect(1);
}

#[test]
fn what_is_listed_and_not_read_is_not_nothing() {
    let team = Team::new();
    team.pipeline.run(&["apply", "--auto-approve"]).expect(0);
    let folder = crate::support::folder();
    let lost = "case \"$what $*\" in cat-file*--batch) while read id; do\n\
                if [ \"$(\"$0\" cat-file -t $id)\" = blob ]; then echo \"$id missing\"; else\n\
                echo $id | \"$0\" cat-file '--batch=%(objectname) %(objecttype) %(objectsize)'; fi\n\
                done; exit 0;; esac";
    reads!(with_git(&team, folder.path(), lost, &["plan"]), @"
    exit 0: connplan plan
    App app-1 at http://HOST

    Symbols:  + add

      + slack                 base44/connectors/slack.jsonc
          + chat:write  post messages (as the bot or as the user) · write
          authorization: required

    Plan: 1 to add, 0 to change, 0 to remove, 1 to authorize.
    --- stderr
    warning: the store cannot say what other machines have requested: the store git:origin holds a `waits.toml` that cannot be read: it is larger than anything that connplan writes, or it did not arrive; somebody else wrote it, or a newer connplan did; look at it, and delete it if it is not needed
    ");
}

//! Walks over history, held against git's own where nothing lies.

use std::{
    collections::BTreeSet,
    io::Write as _,
    process::{Command, Stdio},
};

use connplan::git::{Checkout, ObjectId};

use super::repository::{git, plain, wait};

/// The commits before each: two lines that merged one another, and a commit without any.
const BEFORE: [&[usize]; 11] = [
    &[],
    &[0],
    &[0],
    &[1, 2],
    &[2, 1],
    &[3],
    &[4],
    &[5, 6],
    &[0],
    &[8, 6],
    &[],
];

#[test]
fn lines_of_history_part_where_git_says_so() {
    for is_right in [true, false] {
        let dir = crate::support::folder();
        git(dir.path(), &["init", "-q"]);
        let mut import = Command::new("git")
            .args(["fast-import", "--quiet"])
            .current_dir(dir.path())
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = import.stdin.take().unwrap();
        for (n, before) in BEFORE.iter().enumerate() {
            // Anybody may write any date.
            let date = 1_000_000 + if is_right { n } else { 100 - n };
            write!(
                stdin,
                "commit refs/heads/c{n}\nmark :{}\ncommitter T <t@example.com> {date} +0000\ndata 0\n",
                n + 1
            )
            .unwrap();
            for (at, before) in before.iter().enumerate() {
                let word = ["from", "merge"][at];
                writeln!(stdin, "{word} :{}", before + 1).unwrap();
            }
        }
        drop(stdin);
        assert!(import.wait().unwrap().success());
        let commits = git(dir.path(), &["rev-parse", "--branches"]);
        let commits: Vec<_> = commits
            .lines()
            .map(|id| ObjectId::parse(id).unwrap())
            .collect();
        assert_eq!(commits.len(), BEFORE.len());
        let checkout = Checkout::of(dir.path(), plain()).unwrap();
        wait(async {
            for (at, one) in commits.iter().enumerate() {
                for other in commits.iter().take(at) {
                    let args = ["merge-base", "--all", one.as_str(), other.as_str()];
                    let mut run = Command::new("git");
                    run.args(args).current_dir(dir.path());
                    let expected = String::from_utf8(run.output().unwrap().stdout).unwrap();
                    let expected: BTreeSet<_> = expected.lines().map(str::to_owned).collect();
                    let parted = checkout.parted(one, other).await.unwrap();
                    assert!(parted.whole);
                    let found = parted.at.iter().map(ToString::to_string).collect();
                    if is_right {
                        assert_eq!(expected, found);
                    } else {
                        assert!(expected.is_subset(&found), "{expected:?} {found:?}");
                    }
                }
            }
        });
    }
}

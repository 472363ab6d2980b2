//! Who pushed the commits of a request, as the forge remembers its pushes: what a commit says of who
//! made it, whoever pushes it may have written.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{
    Forge, PublishError,
    forge::Source,
    http::{Call, Http},
    place::encode,
};

const WHAT: &str = "asking who pushed";
/// A page of a hundred pushes each.
const MOST_PAGES: u32 = 20;

/// A push of a branch.
struct Pushed {
    before: Option<String>,
    after: String,
    by: Option<String>,
    /// Whether it may have taken commits away: a rebase keeps what others wrote in them.
    forced: bool,
}

/// Who pushed the branch of a request since it has these commits, the newest of which is `head`. None where
/// the forge keeps no such list, or does not tell what was pushed.
pub(super) async fn pushers(
    http: &Http,
    forge: Forge,
    source: &Source,
    head: &str,
    commits: &BTreeSet<String>,
) -> Result<Option<BTreeSet<String>>, PublishError> {
    let mut pushes: Vec<Pushed> = Vec::new();
    for page in 1..=MOST_PAGES {
        let call = asked(forge, source, page);
        let answer = match http.send(&call).await {
            Err(error) if error.is_absent() => return Ok(None),
            answer => answer?,
        };
        let listed = answer.body.as_array();
        let listed = listed.ok_or_else(|| http.malformed(WHAT, "it is not a list"))?;
        let of_branch = listed.iter().filter_map(|push| read(forge, source, push));
        pushes.extend(of_branch);
        if let Some(found) = whole(&pushes, head, commits) {
            let names = found.iter().map(|push| push.by.clone());
            return names
                .collect::<Option<_>>()
                .map(Some)
                .ok_or_else(|| http.malformed(WHAT, "it does not tell who made a push"));
        }
        // GitHub goes on by a mark in a header, and a hundred pushes of one branch are enough.
        if listed.is_empty() || forge == Forge::GitHub {
            break;
        }
    }
    Err(http.malformed(
        WHAT,
        "it does not list the push of every commit: write them anew (`git rebase --force-rebase`), push that, and \
         have it reviewed",
    ))
}

fn asked(forge: Forge, source: &Source, page: u32) -> Call<'static> {
    let mut call = match forge {
        Forge::GitHub => {
            let project: Vec<_> = source.project.split('/').map(encode).collect();
            let mut call = Call::get(WHAT, format!("/repos/{}/activity", project.join("/")));
            let branch = format!("refs/heads/{}", source.branch);
            call.query.push(("ref", branch));
            call
        }
        Forge::GitLab => {
            let project = encode(&source.project);
            let mut call = Call::get(WHAT, format!("/projects/{project}/events"));
            call.query.push(("action", "pushed".to_owned()));
            call.query.push(("page", page.to_string()));
            call
        }
    };
    call.query.push(("per_page", "100".to_owned()));
    call
}

fn read(forge: Forge, source: &Source, push: &Value) -> Option<Pushed> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let (branch, before, after, by, forced) = match forge {
        Forge::GitHub => (
            push["ref"].as_str()?.strip_prefix("refs/heads/")?,
            &push["before"],
            &push["after"],
            &push["actor"]["login"],
            push["activity_type"] == "force_push",
        ),
        Forge::GitLab => {
            let data = &push["push_data"];
            let by = &push["author"]["username"];
            (
                data["ref"].as_str().filter(|_| data["ref_type"] != "tag")?,
                &data["commit_from"],
                &data["commit_to"],
                if by.is_null() {
                    &push["author_username"]
                } else {
                    by
                },
                // It does not tell.
                true,
            )
        }
    };
    (branch == source.branch).then_some(())?;
    Some(Pushed {
        before: text(before),
        after: text(after)?,
        by: text(by),
        forced,
    })
}

/// The pushes of these commits, if they go back to before the first of them, with those of the commits that a
/// forced push put these in the place of, as far as they are listed.
fn whole<'a>(
    pushes: &'a [Pushed],
    head: &str,
    commits: &BTreeSet<String>,
) -> Option<Vec<&'a Pushed>> {
    let is_of = |commit: &str| commit == head || commits.contains(commit);
    let mut seen = BTreeSet::new();
    let mut newest = Some(head);
    while let Some(commit) = newest.filter(|commit| seen.insert(*commit)) {
        let push = pushes.iter().find(|push| push.after == commit);
        newest = match push {
            None if is_of(commit) => return None,
            None => None,
            Some(push) => {
                let before = push.before.as_deref();
                before.filter(|before| is_of(before) || push.forced)
            }
        };
    }
    let of_them = |push: &&Pushed| is_of(&push.after) || seen.contains(push.after.as_str());
    Some(pushes.iter().filter(of_them).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_who_pushed_what_the_request_holds_and_nobody_else() {
        let push = |before: &str, after: &str, by: &str| Pushed {
            before: (!before.is_empty()).then(|| before.to_owned()),
            after: after.to_owned(),
            by: Some(by.to_owned()),
            forced: false,
        };
        let forced = |before: &str, after: &str, by: &str| Pushed {
            forced: true,
            ..push(before, after, by)
        };
        let of = |pushes: &[Pushed]| {
            // The newest one counts, whether or not it is listed.
            let commits = ["a", "b"].map(str::to_owned).into();
            let found = whole(pushes, "c", &commits)?;
            let names: BTreeSet<_> = found
                .into_iter()
                .filter_map(|push| push.by.clone())
                .collect();
            Some(Vec::from_iter(names).join(" "))
        };
        let known = |names: &str| Some(names.to_owned());
        let all = [push("b", "c", "ann"), push("base", "b", "eve")];
        assert_eq!(of(&all), known("ann eve"));
        assert_eq!(of(&all[..1]), None, "who pushed b is not told");
        assert_eq!(of(&all[1..]), None, "who pushed the newest is not told");
        let one = [push("base", "c", "ann"), push("x", "base", "eve")];
        assert_eq!(of(&one), known("ann"), "what the base has is not asked");
        let made = [push("", "c", "ann"), push("other", "a", "eve")];
        assert_eq!(of(&made), known("ann eve"), "pushed, and with force again");
        let rebased = [
            forced("old", "c", "ann"),
            push("older", "old", "eve"),
            push("", "older", "bob"),
        ];
        assert_eq!(
            of(&rebased),
            known("ann eve"),
            "a rebase keeps what eve wrote"
        );
        assert_eq!(
            of(&rebased[..1]),
            known("ann"),
            "what is gone need not be listed"
        );
        let round = [push("b", "c", "ann"), push("c", "b", "bob")];
        assert_eq!(of(&round), known("ann bob"));
    }
}

//! Who pushed the commits of a request, as the forge remembers its pushes: what a commit says of who
//! made it, whoever pushes it may have written.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{
    Forge, PublishError,
    forge::Source,
    http::{Call, Http},
    person::is_program,
    place::encode,
};

const WHAT: &str = "asking who pushed";
/// A page of a hundred pushes each.
const MOST_PAGES: u32 = 20;
const PER_PAGE: usize = 100;

/// Who pushed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Pusher {
    pub(super) name: String,
    pub(super) id: Option<u64>,
    /// Whether it is known to be a program; GitLab's list does not tell.
    pub(super) program: bool,
}

impl Pusher {
    fn of(forge: Forge, user: &Value, name: &str) -> Self {
        Self {
            name: name.to_owned(),
            id: user["id"].as_u64(),
            program: is_program(forge, user, name),
        }
    }
}

/// A push of a branch.
struct Pushed {
    /// Its place in the list, which begins with the newest.
    at: usize,
    before: Option<String>,
    after: String,
    by: Option<Pusher>,
    /// Whether it may have taken commits away: a rebase keeps what others wrote in them.
    forced: bool,
}

/// Who pushed, by the forge's list of pushes.
#[derive(Default)]
pub(super) struct Pushers {
    pub(super) all: BTreeSet<Pusher>,
    /// Who pushed many branches at once, one of which may have been this one.
    pub(super) perhaps: BTreeSet<Pusher>,
    /// Whether one of the pushes is by nobody whom the forge still knows.
    pub(super) gone: bool,
    /// Whether the list has the push of every commit. Else these are all who may have pushed those that it
    /// lacks, and whose run did is still to be told.
    pub(super) whole: bool,
}

/// Who pushed the branch of a request since it has these commits, the newest of which is `head`, onto `base`. None
/// where the forge keeps no such list, or does not tell what was pushed.
pub(super) async fn pushers(
    http: &Http,
    forge: Forge,
    source: &Source,
    head: &str,
    (commits, base): (&BTreeSet<String>, &BTreeSet<String>),
) -> Result<Option<Pushers>, PublishError> {
    let (mut pushes, mut listed_before): (Vec<Pushed>, usize) = (Vec::new(), 0);
    // GitLab keeps a push of many branches without what it pushed.
    let (mut many, mut mark, mut ended) = (Vec::new(), None, false);
    for page in 1..=MOST_PAGES {
        let call = asked(forge, source, page, mark.as_deref());
        let answer = match http.send(&call).await {
            Err(error) if error.is_absent() => return Ok(None),
            answer => answer?,
        };
        let listed = answer.body.as_array();
        let listed = listed.ok_or_else(|| http.malformed(WHAT, "it is not a list"))?;
        let listed_at = || (listed_before..).zip(listed);
        let of_branch = listed_at().filter_map(|(at, push)| read(forge, source, push, at));
        pushes.extend(of_branch);
        let bulk = listed_at().filter(|(_, push)| is_bulk(forge, push));
        many.extend(bulk.map(|(at, push)| (at, by(push))));
        listed_before += listed.len();
        mark = answer.mark;
        // A gateway may drop what tells of a next page.
        ended = match forge {
            Forge::GitHub => mark.is_none(),
            Forge::GitLab => listed.len() < PER_PAGE && !answer.more,
        };
        if ended || whole(&pushes, head, commits, base).is_some_and(|found| found.from_its_start) {
            break;
        }
    }
    let found = whole(&pushes, head, commits, base);
    let whole = found.is_some();
    if whole || ended && !many.is_empty() {
        // Only between what a push went on from and the push before that can another one have brought it.
        let older = |at: usize| pushes.iter().map(|push| push.at).find(|older| *older > at);
        let gaps: Option<Vec<_>> = found.as_ref().map(|found| {
            let gaps = found.gaps.iter();
            gaps.map(|at| *at..older(*at).unwrap_or(usize::MAX))
                .collect()
        });
        let fits = |at: usize| match &gaps {
            Some(gaps) => gaps.iter().any(|gap| gap.contains(&at)),
            None => true,
        };
        let perhaps = many.into_iter().filter(|(at, _)| fits(*at));
        let perhaps: Vec<_> = perhaps.map(|(_, by)| by).collect();
        let pushes = match found {
            Some(found) => found.pushes,
            None => pushes.iter().collect(),
        };
        let all = || pushes.iter().map(|push| &push.by);
        return Ok(Some(Pushers {
            gone: all().chain(&perhaps).any(Option::is_none),
            all: crate::model::set_of(all().flatten().cloned()),
            perhaps: crate::model::set_of(perhaps.into_iter().flatten()),
            whole,
        }));
    }
    Err(http.malformed(
        WHAT,
        "it does not list the push of every commit: rewrite them (`git rebase --force-rebase`), push that, and \
         ask for a review",
    ))
}

/// GitHub goes on by a mark.
fn asked(forge: Forge, source: &Source, page: u32, mark: Option<&str>) -> Call<'static> {
    let mut call = match forge {
        Forge::GitHub => {
            let project: Vec<_> = source.project.split('/').map(encode).collect();
            let mut call = Call::get(WHAT, format!("/repos/{}/activity", project.join("/")));
            let branch = format!("refs/heads/{}", source.branch);
            call.query.push(("ref", branch));
            call.query
                .extend(mark.map(|mark| ("after", mark.to_owned())));
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
    call.query.push(("per_page", PER_PAGE.to_string()));
    call
}

/// Whether GitLab says of a push only that it was one of several branches.
fn is_bulk(forge: Forge, push: &Value) -> bool {
    let data = &push["push_data"];
    forge == Forge::GitLab && data["ref"].is_null() && data["ref_type"] != "tag"
}

/// Who made a push that GitLab tells of.
fn by(push: &Value) -> Option<Pusher> {
    let told = push["author"]["username"].as_str();
    let name = told.or_else(|| push["author_username"].as_str())?;
    let pusher = Pusher::of(Forge::GitLab, &push["author"], name);
    let id = pusher.id.or_else(|| push["author_id"].as_u64());
    Some(Pusher { id, ..pusher })
}

fn read(forge: Forge, source: &Source, push: &Value, at: usize) -> Option<Pushed> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let (branch, before, after, by, forced) = match forge {
        Forge::GitHub => (
            push["ref"].as_str()?.strip_prefix("refs/heads/")?,
            &push["before"],
            &push["after"],
            push["actor"]["login"]
                .as_str()
                .map(|name| Pusher::of(forge, &push["actor"], name)),
            push["activity_type"] == "force_push",
        ),
        Forge::GitLab => {
            let data = &push["push_data"];
            (
                data["ref"].as_str().filter(|_| data["ref_type"] != "tag")?,
                &data["commit_from"],
                &data["commit_to"],
                by(push),
                // It does not tell.
                true,
            )
        }
    };
    (branch == source.branch).then_some(())?;
    let is_none = |commit: &String| commit.bytes().all(|digit| digit == b'0');
    Some(Pushed {
        at,
        before: text(before).filter(|before| !is_none(before)),
        after: text(after)?,
        by,
        forced,
    })
}

/// What a list of pushes has of some commits.
struct Whole<'a> {
    pushes: Vec<&'a Pushed>,
    /// Whether it goes back to where the branch was made, and nothing before that counts.
    from_its_start: bool,
    /// The pushes of which is not listed who pushed what they went on from, nor is that the target's.
    gaps: Vec<usize>,
}

/// The pushes of these commits, if they go back to before the first of them, with those of the commits that a
/// forced push put these in the place of, as far as they are listed. A commit may have been pushed more than once.
fn whole<'a>(
    pushes: &'a [Pushed],
    head: &str,
    commits: &BTreeSet<String>,
    base: &BTreeSet<String>,
) -> Option<Whole<'a>> {
    let is_of = |commit: &str| commit == head || commits.contains(commit);
    let ends = pushes.iter().map(|push| push.after.as_str());
    let mut due: Vec<&str> = ends.filter(|after| is_of(after)).collect();
    due.push(head);
    let (mut seen, mut found) = (BTreeSet::new(), Vec::<&Pushed>::new());
    let (mut started, mut lacks) = (false, BTreeSet::new());
    while let Some(commit) = due.pop() {
        if !seen.insert(commit) {
            continue;
        }
        let ended_here = found.len();
        found.extend(pushes.iter().filter(|push| push.after == commit));
        let ended_here = &found[ended_here..];
        if ended_here.is_empty() {
            if is_of(commit) {
                return None;
            }
            lacks.insert(commit);
        }
        for push in ended_here {
            let before = push.before.as_deref();
            started |= before.is_none();
            due.extend(before.filter(|before| is_of(before) || push.forced));
        }
    }
    let goes_on = |push: &&&Pushed| {
        let before = push.before.as_deref();
        before.is_some_and(|before| lacks.contains(before) && !base.contains(before))
    };
    let gaps = found.iter().filter(goes_on).map(|push| push.at);
    Some(Whole {
        gaps: gaps.collect(),
        from_its_start: started && lacks.is_empty(),
        pushes: found,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_who_pushed_what_the_request_holds_and_nobody_else() {
        let push = |before: &str, after: &str, by: &str| Pushed {
            at: 0,
            before: (!before.is_empty()).then(|| before.to_owned()),
            after: after.to_owned(),
            by: Some(Pusher::of(Forge::GitHub, &Value::Null, by)),
            forced: false,
        };
        let forced = |before: &str, after: &str, by: &str| Pushed {
            forced: true,
            ..push(before, after, by)
        };
        let of = |pushes: &[Pushed]| {
            // The newest one counts, whether or not it is listed.
            let commits = ["a", "b"].map(str::to_owned).into();
            let found = whole(pushes, "c", &commits, &BTreeSet::new())?;
            let names: BTreeSet<_> = found
                .pushes
                .into_iter()
                .filter_map(|push| Some(push.by.clone()?.name))
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
        // A commit that was gone back to is still what it was made of.
        let back = [
            forced("x", "c", "bob"),
            push("c", "x", "bob"),
            forced("old", "c", "ann"),
            push("", "old", "eve"),
        ];
        assert_eq!(of(&back), known("ann bob eve"));
        let restored = [
            push("", "c", "ann"),
            forced("old", "c", "ann"),
            push("", "old", "eve"),
        ];
        assert_eq!(of(&restored), known("ann eve"));
        // Older pages are read until nothing that they hold could count.
        let start = |pushes: &[Pushed]| {
            let found = whole(pushes, "c", &BTreeSet::new(), &BTreeSet::new());
            found.is_some_and(|found| found.from_its_start)
        };
        assert!(start(&back) && start(&restored) && start(&made[..1]));
        assert!(!start(&back[..2]) && !start(&back[..3]) && !start(&restored[..2]));
    }
}

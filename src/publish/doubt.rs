//! Why a comment, or the request that it is on, says nothing of a plan.

use super::{
    Forge, Place, forge::Facts, marker::word, own::UNTOLD, request::Request, thread::ShownPlan,
    whose::Kind,
};
use crate::approval::Doubt;

/// Why the request says nothing of what this run is to do: it was closed, or goes elsewhere. What the
/// forge and the run do not tell is not held against it.
pub(super) fn misplaced(place: &Place, facts: &Facts, shown: &ShownPlan) -> Option<Doubt> {
    let request = place.forge.request();
    if place.guessed {
        return Some(Doubt {
            why: format!(
                "the event lists the {request} because it has this commit, and does not say that this run is for it"
            ),
            help: format!("apply in a run for the {request}, or for the push that merged it"),
        });
    }
    if facts.closed && matches!(place.request, Request::Number(_)) {
        return Some(Doubt {
            why: format!("the {request} was closed without a merge"),
            help: format!("open the {request} again, and have it approved"),
        });
    }
    let told = facts.base.as_deref();
    let branch = |name: &str| crate::escape::limited(name, 100);
    if let (Some(base), Some(into)) = (told, place.into.as_deref())
        && base != into
    {
        let (base, into) = (branch(base), branch(into));
        return Some(Doubt {
            why: format!("the {request} goes into {base}, and this run is for {into}"),
            help: format!("open a {request} into {into}, and ask for an approval of that"),
        });
    }
    let base = told.or(place.into.as_deref())?;
    let other = shown.into.as_ref().is_some_and(|into| *into != word(base));
    other.then(|| Doubt {
        why: format!(
            "the comment shows a plan that was judged by the rules of another branch than {}, into which the \
             {request} goes",
            branch(base)
        ),
        help: "plan again for the branch that it goes into, and ask for a review after that".to_owned(),
    })
}

/// Why the comment is not the tool's own word, although the token's owner wrote it. `made` are those
/// who made the change.
pub(super) fn doubt<'a>(
    place: &Place,
    shown: &ShownPlan,
    mut made: impl Iterator<Item = &'a String>,
) -> Option<Doubt> {
    let request = place.forge.request();
    let program = match place.forge {
        Forge::GitHub => "set GITHUB_TOKEN to the token of the workflow or of an app",
        Forge::GitLab => "set GITLAB_TOKEN to a project access token, in the job that comments too",
    };
    let (why, help) = match shown.writer.kind {
        _ if shown.writer.is_assumed => (
            "the forge does not say whose the token is, and so whose comment is the tool's own"
                .to_owned(),
            "try again; where it stays so, set GITHUB_TOKEN to the workflow's own token",
        ),
        Kind::Starter => (
            "with CI_JOB_TOKEN the comment is not the tool's own: it belongs to the person who started the job"
                .to_owned(),
            program,
        ),
        Kind::Person if made.any(|name| shown.writer.is(name)) => (
            format!(
                "the comment is not the tool's own: the token belongs to a person who made the \
                 change of this {request}"
            ),
            program,
        ),
        Kind::Person | Kind::Program if shown.edited => (
            "somebody else edited the comment that shows the plan".to_owned(),
            "plan again, so that the comment is written anew, and ask for a review after that",
        ),
        Kind::Person | Kind::Program => return None,
    };
    let help = help.to_owned();
    Some(Doubt { why, help })
}

/// Why nobody knows who may not approve: whoever has pushed can undo what the tool wrote of it.
pub(super) fn untold(place: &Place, shown: &ShownPlan) -> Option<Doubt> {
    let help = match place.forge {
        Forge::GitHub => {
            "run the workflow run of the last push again (`opened` or `synchronize`), or push again; an edited \
             title must not cancel that run. Or give the token `contents: read`: then GitHub is asked who pushed. A \
             run for another run (`workflow_run`) never tells it: of a fork that the token cannot read, have the \
             plan signed instead (`connplan approve`)"
        }
        Forge::GitLab => {
            "let the job that comments run by itself, in a new pipeline of the merge request"
        }
    };
    shown.pushed_by.contains(UNTOLD).then(|| Doubt {
        why: format!(
            "who pushed the newest commit of the {} is not known: no run for that push has told it",
            place.forge.request()
        ),
        help: help.to_owned(),
    })
}

/// What a program pushed, anybody who may write can have had it push, with whatever names in the commits.
pub(super) fn by_program(place: &Place, name: &str, pushed: &str) -> Doubt {
    let request = place.forge.request();
    let name = crate::escape::limited(name, 100);
    Doubt {
        why: format!(
            "{name}, a program, {pushed} to the branch of the {request}, and nobody knows who had it do so"
        ),
        help: anew(request),
    }
}

/// Whoever had an account that is gone may have another one.
pub(super) fn by_nobody(place: &Place) -> Doubt {
    let request = place.forge.request();
    Doubt {
        why: format!(
            "somebody pushed to the branch of the {request} whom the forge does not know any more"
        ),
        help: anew(request),
    }
}

fn anew(request: &str) -> String {
    format!(
        "push the commits, as a person, to a new branch, open a {request} of it, and ask for a review; or, where \
         the settings take signatures, ask somebody to sign: `connplan approve`"
    )
}

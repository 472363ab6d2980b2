//! A run of an older commit of its branch than the app was applied from last.

use crate::{config::Project, model::BaseName, ops::Around};

/// Where the app was applied last from a later commit of the branch than this one: what is newest there, or what was
/// applied after this one.
pub(super) fn behind(
    around: &Around<'_>,
    project: &Project,
    applied: &[BaseName],
) -> Option<String> {
    let commit = around.context.origin()?.commit?;
    let newest = project.newest.first()?;
    let is_newest = |commit| project.newest.contains(commit);
    let mut from = None;
    for name in applied {
        let BaseName::Applied(commits) = name else {
            continue;
        };
        let last = commits.first()?;
        let is_later = is_newest(last) || *last != commit && commits.contains(&commit);
        if !is_later {
            return None;
        }
        from = Some(last);
    }
    let [commit, newest, from] = [&commit, newest, from.filter(|_| !is_newest(&commit))?]
        .map(|commit| crate::escape::commit(commit.as_str()));
    Some(format!(
        "this run is of commit {commit}, and its branch has {newest} by now; the app was applied last from {from}: \
         the plan undoes what came after"
    ))
}

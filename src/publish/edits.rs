//! Who changed a comment after it was made: what it says of itself is worth as much.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    Forge,
    body::Body,
    forge::{Comment, time},
    http::{Http, NoGraphQl},
};

/// GitHub keeps every edit. Its hundred and first leaves it open who made the others.
const GITHUB: &str = "query($id: ID!) { node(id: $id) { ... on IssueComment { \
    author { __typename login } lastEditedAt \
    userContentEdits(first: 100) { totalCount nodes { editedAt diff editor { __typename login } } } } } }";
/// GitLab keeps the last one. What others wrote, the tool does not keep when it writes anew.
const GITLAB: &str = "query($id: NoteID!) { note(id: $id) { \
    author { username } lastEditedAt lastEditedBy { username } } }";

/// What the forge knows of a comment's edits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Edits {
    /// It is its author's own word, since this edit where somebody else edited it before.
    Own(Option<Timestamp>),
    /// Somebody else edited it last, or may have.
    Others,
    /// It was edited, and the forge does not tell by whom.
    Untold,
}

impl Edits {
    /// Asks the forge, where there is something to ask.
    pub(super) async fn ask(http: &Http, forge: Forge, comment: &Comment, marker: &str) -> Self {
        // Whole seconds, as GitHub's, hide an edit that was made within the first.
        let is_fine = |at: &Timestamp| at.subsec_nanosecond() != 0;
        if comment.updated.is_some_and(|at| is_fine(&at)) && comment.updated == comment.created {
            return Self::Own(None);
        }
        let (query, id) = match forge {
            Forge::GitHub => (GITHUB, comment.node.clone()),
            Forge::GitLab => (GITLAB, Some(format!("gid://gitlab/Note/{}", comment.id))),
        };
        // Without an id of its own it is asked all the same: whether the server has GraphQL is told, too.
        let id = id.unwrap_or_default();
        let what = "asking who edited the comment";
        let told = match http.graphql(what, query, &json!({ "id": id })).await {
            Ok(data) => match forge {
                Forge::GitHub => github(&data["node"], shows_same(comment, marker)),
                Forge::GitLab => gitlab(&data["note"]),
            },
            // Both forges have it, so nobody can make it go: what the comment says of itself is all there is.
            Err(NoGraphQl::NotOffered) => Some(Self::Own(None)),
            Err(NoGraphQl::Silent) => None,
        };
        told.unwrap_or(Self::Untold)
    }
}

/// Whether a text shows the plan that the comment shows now, of the same commit, for all to see.
fn shows_same(comment: &Comment, marker: &str) -> impl Fn(&str) -> bool {
    let now = Body::of(&comment.body, marker).unwrap_or_default().record;
    move |text| {
        Body::of(text, marker).is_some_and(|body| {
            let digest = now.digest.as_deref();
            body.record.shows_same(&now)
                && digest.is_none_or(|digest| body.lets_see(digest, text, marker))
        })
    }
}

/// Every workflow of a repository writes as the same bot, so who edited it is not enough: GitHub keeps
/// what each edit left, and what is shown now counts since all of them showed it.
fn github(node: &Value, same: impl Fn(&str) -> bool) -> Option<Edits> {
    let author = node["author"].as_object()?;
    let edits = &node["userContentEdits"];
    if edits.is_null() {
        let never = node.get("lastEditedAt")?.is_null();
        return never.then_some(Edits::Own(None));
    }
    let nodes = edits["nodes"].as_array()?;
    if edits["totalCount"].as_u64() != u64::try_from(nodes.len()).ok() {
        return None;
    }
    let mut known = Vec::new();
    for edit in nodes {
        let own = edit["editor"].as_object() == Some(author);
        // Who deleted what an edit left hid it.
        let same = edit["diff"].as_str().is_some_and(&same);
        known.push((time(&edit["editedAt"])?, own, own && same));
    }
    let last = |wanted: fn(&(Timestamp, bool, bool)) -> bool| {
        let found = known.iter().filter(|edit| wanted(edit));
        found.map(|edit| edit.0).max()
    };
    let first_after = |at: Timestamp| {
        let later = known.iter().filter(|(found, own, _)| *own && *found > at);
        later.map(|edit| edit.0).min()
    };
    // Written anew since.
    if let Some(others) = last(|edit| !edit.1)
        && first_after(others).is_none()
    {
        return Some(Edits::Others);
    }
    // The last edit that may have shown another plan: the next one began to show this one, or it did.
    let other = last(|edit| !edit.2);
    Some(Edits::Own(other.map(|at| first_after(at).unwrap_or(at))))
}

fn gitlab(note: &Value) -> Option<Edits> {
    let author = note["author"]["username"].as_str()?;
    let note = note.as_object()?;
    if note.get("lastEditedAt")?.is_null() {
        return Some(Edits::Own(None));
    }
    let editor = note.get("lastEditedBy")?["username"].as_str();
    Some(if editor == Some(author) {
        Edits::Own(None)
    } else {
        Edits::Others
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_edited_a_comment_is_told_by_the_forge_or_by_nobody() {
        let bot = json!({"__typename": "Bot", "login": "b"});
        let user = json!({"__typename": "User", "login": "b"});
        let at = |second: &str| format!("2026-01-01T00:00:0{second}Z");
        let of = |count: u64, edits: &[(&str, &Value, &str)]| {
            let nodes = edits.iter().map(|(second, editor, body)| {
                json!({"editedAt": at(second), "editor": editor, "diff": body})
            });
            let nodes: Vec<_> = nodes.collect();
            json!({"author": bot, "userContentEdits": {"totalCount": count, "nodes": nodes}})
        };
        let since = |second: &str| Some(Edits::Own(time(&json!(at(second)))));
        let mut hidden = of(1, &[("2", &bot, "")]);
        hidden["userContentEdits"]["nodes"][0]["diff"] = Value::Null;
        for (told, expected) in [
            (of(0, &[]), Some(Edits::Own(None))),
            (
                of(2, &[("2", &bot, "now"), ("1", &bot, "now")]),
                Some(Edits::Own(None)),
            ),
            // Another plan first, last, or between: since it is shown without a break.
            (
                of(2, &[("2", &bot, "now"), ("1", &bot, "then")]),
                since("2"),
            ),
            (
                of(2, &[("2", &bot, "then"), ("1", &bot, "now")]),
                since("2"),
            ),
            (
                of(
                    3,
                    &[("3", &bot, "now"), ("2", &bot, "x"), ("1", &bot, "now")],
                ),
                since("3"),
            ),
            (hidden, since("2")),
            (
                of(2, &[("2", &user, "now"), ("1", &bot, "now")]),
                Some(Edits::Others),
            ),
            (of(1, &[("1", &Value::Null, "now")]), Some(Edits::Others)),
            // The same second tells no order.
            (
                of(2, &[("1", &bot, "now"), ("1", &user, "now")]),
                Some(Edits::Others),
            ),
            (
                of(
                    3,
                    &[("4", &bot, "now"), ("3", &bot, "now"), ("2", &user, "now")],
                ),
                since("3"),
            ),
            // The last of several counts.
            (
                of(
                    3,
                    &[("3", &user, "now"), ("2", &bot, "now"), ("1", &user, "now")],
                ),
                Some(Edits::Others),
            ),
            (
                of(
                    4,
                    &[
                        ("4", &bot, "now"),
                        ("3", &bot, "x"),
                        ("2", &bot, "now"),
                        ("1", &bot, "x"),
                    ],
                ),
                since("4"),
            ),
            (of(101, &[("1", &bot, "now")]), None),
            (json!({"author": bot}), None),
            (
                json!({"author": bot, "lastEditedAt": null}),
                Some(Edits::Own(None)),
            ),
            (json!({"lastEditedAt": null}), None),
        ] {
            assert_eq!(github(&told, |body| body == "now"), expected, "{told}");
        }
        let of = |last: Value, by: Value| {
            let author = json!({"username": "b"});
            gitlab(&json!({"author": author, "lastEditedAt": last, "lastEditedBy": by}))
        };
        assert_eq!(of(Value::Null, Value::Null), Some(Edits::Own(None)));
        let (b, m) = (json!({"username": "b"}), json!({"username": "m"}));
        assert_eq!(of(json!(at("1")), b), Some(Edits::Own(None)));
        assert_eq!(of(json!(at("1")), m), Some(Edits::Others));
        assert_eq!(of(json!(at("1")), Value::Null), Some(Edits::Others));
        assert_eq!(gitlab(&Value::Null), None);
    }
}

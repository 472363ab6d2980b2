//! Who changed a comment after it was made: what it says of itself is worth as much.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    Forge,
    forge::{Comment, time},
    http::{Http, NoGraphQl},
};

/// GitHub keeps every edit. Its hundred and first leaves it open who made the others.
const GITHUB: &str = "query($id: ID!) { node(id: $id) { ... on IssueComment { \
    author { __typename login } lastEditedAt \
    userContentEdits(first: 100) { totalCount nodes { editedAt editor { __typename login } } } } } }";
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
    pub(super) async fn ask(http: &Http, forge: Forge, comment: &Comment) -> Self {
        if comment.updated.is_some() && comment.updated == comment.created {
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
                Forge::GitHub => github(&data["node"]),
                Forge::GitLab => gitlab(&data["note"]),
            },
            // Both forges have it, so nobody can make it go: what the comment says of itself is all there is.
            Err(NoGraphQl::NotOffered) => Some(Self::Own(None)),
            Err(NoGraphQl::Silent) => None,
        };
        told.unwrap_or(Self::Untold)
    }
}

fn github(node: &Value) -> Option<Edits> {
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
        known.push((time(&edit["editedAt"])?, own));
    }
    let others = known.iter().filter(|(_, own)| !own).map(|(at, _)| *at);
    let Some(others) = others.max() else {
        return Some(Edits::Own(None));
    };
    // Written anew since.
    let since = known.iter().filter(|(at, own)| *own && *at > others);
    let since = since.map(|(at, _)| *at).min();
    Some(since.map_or(Edits::Others, |since| Edits::Own(Some(since))))
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
        let of = |count: u64, edits: &[(&str, &Value)]| {
            let nodes = edits
                .iter()
                .map(|(second, editor)| json!({"editedAt": at(second), "editor": editor}));
            let nodes: Vec<_> = nodes.collect();
            github(
                &json!({"author": bot, "userContentEdits": {"totalCount": count, "nodes": nodes}}),
            )
        };
        let since = time(&json!(at("3")));
        for (told, expected) in [
            (of(0, &[]), Some(Edits::Own(None))),
            (of(2, &[("2", &bot), ("1", &bot)]), Some(Edits::Own(None))),
            (of(2, &[("2", &user), ("1", &bot)]), Some(Edits::Others)),
            (of(1, &[("1", &Value::Null)]), Some(Edits::Others)),
            // The same second tells no order.
            (of(2, &[("1", &bot), ("1", &user)]), Some(Edits::Others)),
            (
                of(3, &[("4", &bot), ("3", &bot), ("2", &user)]),
                Some(Edits::Own(since)),
            ),
            (of(101, &[("1", &bot)]), None),
            (github(&json!({"author": bot})), None),
            (
                github(&json!({"author": bot, "lastEditedAt": null})),
                Some(Edits::Own(None)),
            ),
            (github(&json!({"lastEditedAt": null})), None),
        ] {
            assert_eq!(told, expected);
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

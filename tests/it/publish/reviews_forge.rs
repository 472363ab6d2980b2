//! What the forge says counts, not what a comment or a commit says of itself.

use serde_json::{Value, json};

use super::{
    forge::of_bot,
    heads::{Shop, sha, shop, shops, shops_by_turns},
    reviews::{GOOD, Reviews, member, number},
};
use crate::support::{Output, scripted::Reply};

impl Shop {
    /// With a plan of this commit in the comment, and a review of it.
    pub(super) fn reviewed(&self) {
        self.head('a', false);
        self.plan('a', 1);
        self.review(&GOOD);
    }

    pub(super) fn told(&self, route: &str, answer: &Value) {
        self.server.on(route, [Reply::json(200, answer)]);
    }

    pub(super) fn refuses(&self, why: &str) {
        self.applied_now().expect(3).tells(why);
    }

    pub(super) fn applied_now(&self) -> Output {
        self.run('a', 9, &["apply", "a1.plan", "--approved-in-review"])
    }

    /// The forge tells who edited the comment last.
    pub(super) fn edited_by(&self, editor: &str) {
        let at = "2100-06-01T00:00:00Z";
        if self.github {
            let author = json!({"__typename": "Bot", "login": "github-actions"});
            let editor = if editor == "own" {
                author.clone()
            } else {
                json!({"__typename": "User", "login": editor})
            };
            let body = self.comments.bodies().remove(0);
            let edit = json!({"editedAt": at, "editor": editor, "diff": body});
            let edits = json!({"totalCount": 1, "nodes": [edit]});
            let node = json!({"author": author, "lastEditedAt": at, "userContentEdits": edits});
            self.told("POST /graphql", &json!({"data": {"node": node}}));
        } else {
            let own = "project_12_bot";
            let editor = if editor == "own" { own } else { editor };
            let note = json!({"author": {"username": own}, "lastEditedAt": at,
                "lastEditedBy": {"username": editor}});
            self.told("POST /api/graphql", &json!({"data": {"note": note}}));
        }
    }
}

#[test]
fn an_edit_after_the_review_counts_only_where_the_forge_says_that_it_was_the_tool() {
    for shop in shops_by_turns(0) {
        shop.reviewed();
        // Within the second in which it was made, too: a forge's times do not tell of that.
        shop.edited_by("mallory");
        shop.refuses("somebody else edited the comment");
        shop.comments.edit(|comment| {
            let body = comment["body"].as_str().unwrap();
            let (above, since) = body.rsplit_once("since=").unwrap();
            let after = since.split_once(' ').unwrap().1;
            comment["body"] = json!(format!("{above}since=1 {after}"));
            comment["updated_at"] = json!("2100-06-01T00:00:00Z");
        });
        // The forge does not tell by whom.
        let silent = json!({"data": null, "errors": [{"message": "no"}]});
        shop.told("POST /graphql", &silent);
        shop.told("POST /api/graphql", &silent);
        shop.refuses(if shop.github {
            "does not say whose the token is"
        } else {
            "before the comment showed this plan as it does now"
        });
        shop.edited_by("mallory");
        shop.refuses("somebody else edited the comment");
        assert!(shop.platform.writes().is_empty());
        // Times as fine as GitLab's tell that it was edited, and not by whom.
        shop.comments.edit(|comment| {
            comment["created_at"] = json!("2026-01-01T00:00:00.123Z");
            comment["updated_at"] = json!("2100-06-01T00:00:00.456Z");
        });
        shop.refuses("somebody else edited the comment");
        assert!(shop.platform.writes().is_empty());
        shop.edited_by("own");
        shop.applied_now().expect(0);
        // Nothing that somebody else wrote is kept.
        shop.edited_by("mallory");
        assert_eq!(shop.plan('a', 2), "updated");
        assert!(!shop.only().contains("since=1 "), "{}", shop.only());
    }
}

/// What the tool wrote between the review and what it shows now counts, too.
#[test]
fn a_comment_that_showed_something_else_since_the_review_has_none() {
    let shop = shop(true);
    shop.reviewed();
    let now = shop.only();
    let (above, hidden) = now.trim_end().rsplit_once('\n').unwrap();
    let digest = hidden.split_once("digest=").unwrap().1;
    let digest = digest.split(' ').next().unwrap();
    let showed = |meanwhile: &str| {
        let author = json!({"__typename": "Bot", "login": "github-actions"});
        let edit = |month: &str, body: &str| {
            let at = format!("2100-{month}-01T00:00:00Z");
            json!({"editedAt": at, "editor": author, "diff": body})
        };
        let nodes = [edit("06", meanwhile), edit("07", &now)];
        let edits = json!({"totalCount": 2, "nodes": nodes});
        let node = json!({"author": author, "lastEditedAt": "2100-07-01T00:00:00Z",
            "userContentEdits": edits});
        shop.told("POST /graphql", &json!({"data": {"node": node}}));
    };
    // The plan of another commit; and a text in which nobody could see the digest.
    for other in [
        format!("{above}\n{}", hidden.replace(&sha('a'), &sha('b'))),
        format!("{}\n{hidden}", above.replace(digest, &sha('0'))),
    ] {
        assert_ne!(other, now.trim_end());
        showed(&other);
        shop.refuses("before the comment showed this plan as it does now");
    }
    assert!(shop.platform.writes().is_empty());
    showed(&now);
    shop.applied_now().expect(0);
}

/// A list that is in another order, or empty, or refused.
#[test]
fn what_the_forge_lists_is_not_taken_for_more_than_it_says() {
    for shop in shops() {
        shop.reviewed();
        let request = if shop.github {
            "GET /repos/octo/site/pulls/5"
        } else {
            "GET /api/v4/projects/12/merge_requests/3"
        };
        shop.told(&format!("{request}/commits"), &json!([]));
        shop.refuses(if shop.github {
            "it does not list all of its commits"
        } else {
            "it does not list its commits"
        });
        shop.review(&GOOD);
        if shop.github {
            let of = |state: &str, year: u32| {
                json!({"user": {"login": "bob"}, "state": state, "commit_id": sha('a'),
                    "submitted_at": format!("{year}-01-01T00:00:00Z")})
            };
            let newest_first = json!([of("DISMISSED", 2101), of("APPROVED", 2100)]);
            shop.told(&format!("{request}/reviews"), &newest_first);
            shop.refuses("0 found");
            // Of somebody who is gone, and may be anybody who may write.
            let mut gone = of("CHANGES_REQUESTED", 2100);
            gone["user"] = Value::Null;
            let reviews = json!([of("APPROVED", 2100), gone]);
            shop.told(&format!("{request}/reviews"), &reviews);
            shop.refuses("it does not tell whose a review is");
        } else {
            let route = format!("{request}/versions");
            shop.server.on(&route, [Reply::status(403)]);
            shop.applied_now().expect(3);
        }
        assert!(shop.platform.writes().is_empty());
    }
}

#[test]
fn only_the_forge_names_who_made_a_commit_and_who_may_write() {
    for shop in shops_by_turns(1) {
        shop.reviewed();
        let unknown = "does not know who made one of the commits";
        if shop.github {
            let commits = "GET /repos/octo/site/pulls/5/commits";
            let commit = |author: &str, signed: bool| {
                json!([{"author": {"login": author}, "committer": {"login": "web-flow"},
                    "commit": {"verification": {"verified": signed}}}])
            };
            for (author, signed) in [("web-flow", true), ("ann", false)] {
                shop.told(commits, &commit(author, signed));
                shop.refuses(unknown);
            }
            // Who commits it, signs it too.
            let bob = json!([{"author": {"login": "ann"}, "committer": {"login": "bob"},
                "commit": {"verification": {"verified": true}}}]);
            shop.told(commits, &bob);
            shop.refuses("bob made the change");
            // Whether the forge made it is not told.
            let untold = json!([{"author": {"login": "ann"}, "committer": {"login": "web-flow"}}]);
            shop.told(commits, &untold);
            shop.refuses(unknown);
            // A gateway may drop what tells of a second page.
            let reviews = "GET /repos/octo/site/pulls/5/reviews";
            shop.told(commits, &commit("ann", true));
            shop.server.on_each(reviews, |seen| {
                let of = |state: &str| {
                    json!({"user": {"login": "bob"}, "state": state, "commit_id": sha('a'),
                        "submitted_at": "2100-01-01T00:00:00Z"})
                };
                Reply::json(
                    200,
                    &match &*super::forge::query(&seen.query, "page") {
                        "1" => vec![of("APPROVED"); 100].into(),
                        _ => json!([of("DISMISSED")]),
                    },
                )
            });
            shop.refuses("0 found");
        } else {
            let commits = "GET /api/v4/projects/12/merge_requests/3/commits";
            for address in [
                "1-ann@users.noreply.evil.example",
                "1-ann@users.noreply.",
                "ann@users.noreply.gitlab.example",
                "1-eve@users.noreply.gitlab.example",
                "7-ann@users.noreply.gitlab.example",
            ] {
                shop.told("GET /api/v4/users", &json!([]));
                let commit = json!({"author_email": address, "committer_email": address});
                shop.told(commits, &json!([commit]));
                shop.refuses(unknown);
            }
            // The search finds names, too, and parts of them.
            for (address, user) in [
                ("bo", json!({"username": "bob"})),
                ("x", json!({"username": "bob"})),
                ("b@x.org", json!({"username": "bob", "name": "B@x.org"})),
                (
                    "b@x.org",
                    json!({"username": "bob", "public_email": "bob@x.org"}),
                ),
            ] {
                shop.told("GET /api/v4/users", &json!([user]));
                let commit = json!({"author_email": address, "committer_email": address});
                shop.told(commits, &json!([commit]));
                shop.refuses(unknown);
            }
            shop.review(&GOOD);
            let route = format!("GET /api/v4/projects/12/members/all/{}", number("bob"));
            let mut invited = member(30, "active");
            invited["membership_state"] = json!("awaiting");
            for who in [member(40, "blocked"), invited] {
                shop.told(&route, &who);
                shop.refuses("may not write");
            }
        }
        // Of whom the forge knows nothing.
        shop.review(&Reviews {
            given: &[("zoe", "APPROVED", 'a', false)],
            ..GOOD
        });
        shop.refuses("zoe may not write");
        assert!(shop.platform.writes().is_empty());
        shop.review(&GOOD);
        shop.applied_now().expect(0);
    }
}

#[test]
fn a_comment_of_whoever_made_the_change_or_started_the_job_shows_nothing() {
    for mut shop in shops() {
        shop.reviewed();
        let (writer, user) = if shop.github {
            ("user", "GET /user")
        } else {
            ("author", "GET /api/v4/user")
        };
        let own = shop.comments.all().remove(0)[writer].clone();
        let ann = json!({"login": "ann", "username": "ann", "type": "User", "bot": false});
        shop.told(user, &ann);
        shop.comments.edit(|comment| comment[writer] = ann.clone());
        shop.refuses("the token belongs to a person who made the change");
        if shop.github {
            // Or who opened the request, with commits of somebody else.
            let eve = json!([{"author": {"login": "eve"}, "committer": {"login": "eve"}}]);
            shop.told("GET /repos/octo/site/pulls/5/commits", &eve);
            shop.refuses("the token belongs to a person who made the change");
        } else {
            shop.comments.edit(|comment| comment[writer] = own.clone());
            shop.told("GET /api/v4/job", &json!({"user": own}));
            shop.project = shop
                .project
                .var("GITLAB_TOKEN", "")
                .var("CI_JOB_TOKEN", "canary");
            shop.refuses("it belongs to the person who started the job");
        }
        assert!(shop.platform.writes().is_empty());
    }
}

#[test]
fn a_program_approves_nothing_and_nor_does_the_owner_of_the_token() {
    for shop in shops_by_turns(1) {
        shop.reviewed();
        let program = "bob is a program, not a person";
        let (user, member) = if shop.github {
            let reviews = "GET /repos/octo/site/pulls/5/reviews";
            let by = |login: &str, kind: &str| {
                json!([{"user": {"login": login, "type": kind}, "state": "APPROVED",
                    "commit_id": sha('a'), "submitted_at": "2100-01-01T00:00:00Z"}])
            };
            let bot = "github-actions[bot]";
            let route = "GET /repos/octo/site/collaborators/github-actions%5Bbot%5D/permission";
            shop.told(route, &json!({"permission": "write"}));
            for (login, kind) in [(bot, "Bot"), (bot, "User"), ("bob", "Mannequin")] {
                shop.told(reviews, &by(login, kind));
                shop.refuses(&format!("{login} is a program, not a person"));
            }
            shop.told(reviews, &by("bob", "User"));
            let member = json!({"permission": "write", "user": {"type": "Bot"}});
            let route = "GET /repos/octo/site/collaborators/bob/permission";
            shop.told(route, &member);
            shop.refuses(program);
            ("GET /user", "user")
        } else {
            let id = number("bob");
            let bot = json!({"id": id, "username": "bob", "bot": true});
            shop.told(&format!("GET /api/v4/users/{id}"), &bot);
            shop.refuses(program);
            let person = json!({"id": id, "username": "bob", "bot": false});
            shop.told(&format!("GET /api/v4/users/{id}"), &person);
            // Its name alone, where an older server tells no more.
            let approvals = "GET /api/v4/projects/12/merge_requests/3/approvals";
            for name in ["project_7_bot1", "group_7_bot_0af", "service_account_0af"] {
                let user = json!({"username": name, "id": 5});
                let by = json!([{"user": user, "approved_at": "2100-01-01T00:00:00Z"}]);
                shop.told(approvals, &json!({"approved_by": by}));
                shop.told(
                    "GET /api/v4/projects/12/members/all/5",
                    &member(40, "active"),
                );
                shop.refuses(&format!("{name} is a program, not a person"));
            }
            ("GET /api/v4/user", "author")
        };
        // A person whose token it is, and who did not make the change.
        shop.review(&GOOD);
        let bob = json!({"login": "bob", "username": "bob", "type": "User"});
        shop.comments.edit(|comment| comment[member] = bob.clone());
        shop.told(user, &bob);
        shop.refuses("bob owns the token that writes the comment");
        assert!(shop.platform.writes().is_empty());
    }
}

#[test]
fn another_programs_comment_is_neither_written_to_nor_believed() {
    let shop = shop(true);
    let body = json!("<!-- connplan app=app%2D1 -->\nThanks!");
    let mut other = of_bot(&body);
    other["user"]["login"] = json!("welcome[bot]");
    shop.comments.add(other);
    shop.reviewed();
    assert_eq!(shop.comments.bodies()[0], body);
    shop.applied_now().expect(0);
    // The app's own name, where the forge tells it.
    let viewer = json!({"data": {"viewer": {"login": "welcome[bot]"}}});
    shop.told("POST /graphql", &viewer);
    assert_eq!(shop.plan('a', 2), "updated");
    assert!(shop.comments.bodies()[0].contains("connplan plan"));
}

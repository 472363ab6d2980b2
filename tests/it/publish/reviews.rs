//! `apply --approved-in-review`, on both forges: which reviews count, and what is no answer.

use serde_json::{Value, json};

use super::heads::{Shop, sha, shops_by_turns};
use crate::support::{Output, sample, scripted::Reply};

/// Who has what to do with the request. Everybody may write but rob.
pub(crate) struct Reviews<'a> {
    /// Name, state, commit, and whether before the comment.
    pub(crate) given: &'a [(&'a str, &'a str, char, bool)],
    pub(crate) asked: &'a [&'a str],
    pub(crate) committer: Option<&'a str>,
}

pub(crate) const GOOD: Reviews<'_> = Reviews {
    given: &[("bob", "APPROVED", 'a', false)],
    asked: &[],
    committer: Some("ann"),
};

pub(crate) fn member(level: u64, state: &str) -> Value {
    json!({"access_level": level, "state": state, "membership_state": "active"})
}

/// Eve may call her account eva.
pub(crate) fn number(name: &str) -> u64 {
    let name = name.to_ascii_lowercase().replace("eva", "eve");
    name.bytes().map(u64::from).sum()
}

impl Shop {
    pub(crate) fn review(&self, reviews: &Reviews<'_>) {
        let at = |early: bool| {
            if early {
                "2020-01-01T00:00:00Z"
            } else {
                "2100-01-01T00:00:00Z"
            }
        };
        for name in ["ann", "bob", "eva", "eve", "rob"] {
            let may = name != "rob";
            if self.github {
                let permission = if may { "write" } else { "read" };
                let route = format!("GET /repos/octo/site/collaborators/{name}/permission");
                self.server.on(
                    &route,
                    [Reply::json(200, &json!({"permission": permission}))],
                );
            } else {
                let level = if may { 30 } else { 20 };
                let route = format!("GET /api/v4/projects/12/members/all/{}", number(name));
                self.server
                    .on(&route, [Reply::json(200, &member(level, "active"))]);
            }
        }
        if self.github {
            let pull = "GET /repos/octo/site/pulls/5";
            let given = reviews.given.iter().map(|(name, state, commit, early)| {
                json!({"user": {"login": name, "id": number(name)}, "state": state, "commit_id": sha(*commit),
                       "submitted_at": at(*early), "html_url": "https://github.example/r"})
            });
            self.server.on(
                &format!("{pull}/reviews"),
                [Reply::json(200, &given.collect())],
            );
            let committer = reviews.committer.map(|name| json!({"login": name}));
            let commit = json!({"author": {"login": "ann"}, "committer": committer});
            self.server.on(
                &format!("{pull}/commits"),
                [Reply::json(200, &json!([commit]))],
            );
            let asked: Vec<Value> = reviews
                .asked
                .iter()
                .map(|name| json!({"login": name}))
                .collect();
            let mut request = json!({
                "merged": false, "head": {"sha": sha('a')}, "user": {"login": "ann"}, "commits": 1,
            });
            request["requested_reviewers"] = json!(asked);
            self.server.on(pull, [Reply::json(200, &request)]);
        } else {
            let merge = "GET /api/v4/projects/12/merge_requests/3";
            let approved = reviews.given.iter().filter(|given| given.1 == "APPROVED");
            let approved: Vec<Value> = approved
                .map(|(name, _, _, early)| {
                    json!({"user": {"username": name, "id": number(name)}, "approved_at": at(*early)})
                })
                .collect();
            let approvals = json!({"approved_by": approved});
            self.server.on(
                &format!("{merge}/approvals"),
                [Reply::json(200, &approvals)],
            );
            let commit = json!({"author_email": "1-ann@users.noreply.gitlab.example",
                                "committer_email": "c@example.com"});
            self.server.on(
                &format!("{merge}/commits"),
                [Reply::json(200, &json!([commit]))],
            );
            self.server.on(
                "GET /api/v4/users/1",
                [Reply::json(200, &json!({"id": 1, "username": "ann"}))],
            );
            let found: Vec<Value> = reviews
                .committer
                .iter()
                .map(|name| json!({"username": name}))
                .collect();
            self.server
                .on("GET /api/v4/users", [Reply::json(200, &json!(found))]);
            let asked: Vec<Value> = reviews
                .asked
                .iter()
                .map(|name| json!({"user": {"username": name}, "state": "unreviewed"}))
                .collect();
            self.server.on(
                &format!("{merge}/reviewers"),
                [Reply::json(200, &json!(asked))],
            );
        }
    }

    fn apply(&self, plan: &str) -> Output {
        self.run('a', 9, &["apply", plan, "--approved-in-review"])
    }
}

#[test]
fn a_review_of_what_the_comment_shows_lets_the_plan_through() {
    for shop in shops_by_turns(1) {
        shop.project
            .write("base44/connplan.toml", "[approval]\nrequire = \"review\"\n");
        shop.head('a', false);
        shop.plan('a', 1);
        let alone = shop.run('a', 1, &["apply", "a1.plan"]);
        alone.expect(3).tells("1 approving review needed, 0 found");
        shop.review(&GOOD);
        // The comment is written anew with the same digest: nothing changes.
        shop.plan('a', 2);
        let out = shop.run('a', 1, &["apply", "a2.plan", "--approved-in-review=2"]);
        out.expect(3).tells("2 approving reviews needed, 1 found");
        assert!(shop.platform.writes().is_empty());
        let apply = [
            "apply",
            "a2.plan",
            "--approved-in-review",
            "--receipt",
            "r.receipt",
        ];
        shop.run('a', 9, &apply)
            .expect(0)
            .tells("Approved by bob (review");
        assert_eq!(shop.platform.writes().len(), 1);
        let receipt = shop
            .project
            .run(&["show", "r.receipt", "--format", "json"])
            .json();
        assert_eq!(receipt["approvals"][0]["signer"], "bob", "{receipt}");
        assert_eq!(receipt["approvals"][0]["proof"], "review");
    }
}

#[test]
fn after_the_merge_a_plan_made_anew_is_covered_by_its_digest() {
    for shop in shops_by_turns(0) {
        shop.head('a', false);
        shop.plan('a', 1);
        shop.review(&GOOD);
        shop.after_merge('f', &["plan", "--out", "again.plan"])
            .expect(0);
        shop.after_merge('f', &["apply", "again.plan", "--approved-in-review"])
            .expect(0);
        // Another plan is not.
        shop.project.declare("gmail", &["https://mail.google.com/"]);
        shop.after_merge('f', &["plan", "--out", "other.plan"])
            .expect(0);
        let out = shop.after_merge('f', &["apply", "other.plan", "--approved-in-review"]);
        out.expect(3)
            .tells("the plan that was reviewed is sha256:")
            .tells("gmail: create (https://mail.google.com/) is not in the reviewed one");
        assert_eq!(shop.platform.writes().len(), 1);
    }
}

#[test]
fn reviews_that_do_not_count_and_answers_that_are_none_are_refused() {
    for shop in shops_by_turns(0) {
        shop.head('a', false);
        shop.plan('a', 1);
        let approved = |name| [(name, "APPROVED", 'a', false)];
        let (ann, rob, eve) = (approved("ann"), approved("rob"), approved("eve"));
        let early = [("bob", "APPROVED", 'a', true)];
        let mut cases = vec![
            (Reviews { given: &[], ..GOOD }, "0 found"),
            (
                Reviews {
                    given: &ann,
                    ..GOOD
                },
                "made the change",
            ),
            (
                Reviews {
                    given: &rob,
                    ..GOOD
                },
                "may not write",
            ),
            (
                Reviews {
                    given: &early,
                    ..GOOD
                },
                "before the comment",
            ),
            (
                Reviews {
                    asked: &["bob"],
                    ..GOOD
                },
                "again",
            ),
            (
                Reviews {
                    given: &eve,
                    committer: Some("eve"),
                    ..GOOD
                },
                "made the change",
            ),
            (
                Reviews {
                    committer: None,
                    ..GOOD
                },
                "does not know who made",
            ),
        ];
        let dismissed = [
            ("bob", "APPROVED", 'a', false),
            ("bob", "DISMISSED", 'a', false),
        ];
        let older = [("bob", "APPROVED", 'b', false)];
        if shop.github {
            cases.push((
                Reviews {
                    given: &dismissed,
                    ..GOOD
                },
                "0 found",
            ));
            cases.push((
                Reviews {
                    given: &older,
                    ..GOOD
                },
                "an older commit",
            ));
        }
        for (reviews, why) in cases {
            shop.review(&reviews);
            shop.apply("a1.plan").expect(3).tells(why);
        }
        shop.review(&GOOD);
        // Another commit than the newest.
        shop.head('b', false);
        shop.apply("a1.plan").expect(3);
        // Whatever the forge does not answer.
        let routes = if shop.github {
            let pull = "GET /repos/octo/site/pulls/5";
            [
                pull.to_owned(),
                format!("{pull}/reviews"),
                format!("{pull}/commits"),
                "GET /repos/octo/site/collaborators/bob/permission".to_owned(),
                "GET /repos/octo/site/issues/5/comments".to_owned(),
            ]
        } else {
            let merge = "GET /api/v4/projects/12/merge_requests/3";
            [
                merge.to_owned(),
                format!("{merge}/approvals"),
                format!("{merge}/commits"),
                format!("{merge}/reviewers"),
                format!("GET /api/v4/projects/12/members/all/{}", number("bob")),
            ]
        };
        for route in routes {
            shop.head('a', false);
            shop.review(&GOOD);
            for reply in sample([Reply::status(403), Reply::json(200, &json!({}))], 2) {
                shop.server.on(&route, [reply]);
                shop.apply("a1.plan").expect(3);
            }
            if route.ends_with("comments") {
                break;
            }
        }
        assert!(shop.platform.writes().is_empty());
    }
}

#[test]
fn a_comment_that_did_not_show_the_digest_to_reviewers_approves_nothing() {
    for shop in shops_by_turns(1) {
        shop.head('a', false);
        shop.plan('a', 1);
        shop.review(&GOOD);
        let sound = shop.comments.all();
        let body = |comment: &Value| comment["body"].as_str().unwrap().to_owned();
        // The hidden line alone, below a text that somebody wrote: the comment is not as we write it.
        shop.comments.edit(|comment| {
            let text = body(comment);
            let lines: Vec<_> = text.lines().collect();
            let (first, last) = (lines[0], lines[lines.len() - 1]);
            let digest = last
                .split_once("digest=")
                .unwrap()
                .1
                .split(' ')
                .next()
                .unwrap();
            let text = format!("{first}\nLGTM <!-- {digest} -->\n\n{last}\n");
            comment["body"] = json!(text);
        });
        let refused = shop.apply("a1.plan");
        refused
            .expect(3)
            .tells("the plan that was reviewed is none");
        // Another program's comment, or another person's.
        let restore = |edit: &dyn Fn(&mut Value)| {
            shop.comments.edit(|comment| {
                comment.clone_from(&sound[0]);
                edit(comment);
            });
        };
        let writer = if shop.github { "user" } else { "author" };
        restore(&|comment| {
            comment[writer] = json!({"login": "imgbot[bot]", "username": "imgbot", "type": "Bot"});
        });
        let refused = shop.apply("a1.plan");
        refused.expect(3).tells("no connplan comment shows a plan");
        // It did not exist yet when it was approved, whatever it says of itself.
        restore(&|comment| comment["created_at"] = json!("2100-06-01T00:00:00Z"));
        let refused = shop.apply("a1.plan");
        refused
            .expect(3)
            .tells("before the comment showed this plan");
        assert!(shop.platform.writes().is_empty());
        restore(&|comment| comment["created_at"] = json!("2020-06-01T00:00:00Z"));
        shop.apply("a1.plan").expect(0);
    }
}

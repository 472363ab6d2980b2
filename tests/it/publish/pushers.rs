//! Who pushed: by the run for the push, and by the forge's list of pushes.

use serde_json::{Value, json};

use super::{
    forge::query,
    heads::{Shop, sha, shop, shops, shops_by_turns},
    reviews::{GOOD, Reviews, number},
};
use crate::support::{reads, scripted::Reply};

/// The forge's list of pushes: one, by this user.
fn pushes(shop: &Shop, by: &str, after: char) {
    if shop.github {
        let from = json!({"sha": sha('a'), "ref": "topic", "repo": {"full_name": "ann/fork"}});
        let pull = json!({"merged": false, "head": from, "user": {"login": "ann"},
            "commits": 1, "requested_reviewers": []});
        shop.told("GET /repos/octo/site/pulls/5", &pull);
        let push = json!([{"ref": "refs/heads/topic", "before": sha('0'), "after": sha(after),
            "activity_type": "push", "actor": {"login": by}}]);
        shop.told("GET /repos/ann/fork/activity", &push);
    } else {
        let merge = json!({"iid": 3, "state": "opened", "sha": sha('a'), "author": {"username": "ann"},
            "source_project_id": 13, "source_branch": "topic"});
        shop.told("GET /api/v4/projects/12/merge_requests/3", &merge);
        let push = json!([{"author": {"username": by}, "push_data": {"ref": "topic",
            "ref_type": "branch", "commit_from": null, "commit_to": sha(after)}}]);
        shop.told("GET /api/v4/projects/13/events", &push);
    }
}

#[test]
fn who_pushed_is_asked_of_the_forge_where_no_event_told() {
    for shop in shops_by_turns(0) {
        // The run for eve's push was left out: by the commits ann made it all.
        shop.head('a', false);
        shop.plan('a', 1);
        let given = [("eve", "APPROVED", 'a', false)];
        shop.review(&Reviews {
            given: &given,
            ..GOOD
        });
        shop.applied_now().expect(0);
        // In whichever letters.
        pushes(&shop, "Eve", 'a');
        shop.refuses("eve pushed the change");
        let given = [("Eve", "APPROVED", 'a', false)];
        shop.review(&Reviews {
            given: &given,
            ..GOOD
        });
        pushes(&shop, "eve", 'a');
        shop.refuses("Eve pushed the change");
        let given = [("eve", "APPROVED", 'a', false)];
        shop.review(&Reviews {
            given: &given,
            ..GOOD
        });
        pushes(&shop, "ann", 'b');
        shop.refuses("does not list the push of every commit");
        // What went elsewhere does not tell of this branch.
        if !shop.github {
            let push = |branch: &str, kind: &str| {
                json!([{"author": {"username": "ann"}, "push_data": {"ref": branch, "ref_type": kind,
                    "commit_from": null, "commit_to": sha('a')}}])
            };
            for (branch, kind) in [("other", "branch"), ("topic", "tag")] {
                shop.told("GET /api/v4/projects/13/events", &push(branch, kind));
                shop.refuses("does not list the push of every commit");
            }
        }
        // It does not say, or has no such list.
        let list = if shop.github {
            "GET /repos/ann/fork/activity"
        } else {
            "GET /api/v4/projects/13/events"
        };
        shop.server.on(list, [Reply::status(403)]);
        shop.applied_now().expect(3);
        shop.server.on(list, [Reply::status(404)]);
        shop.applied_now().expect(0);
        pushes(&shop, "ann", 'a');
        shop.applied_now().expect(0);
        // By eve too, who pushed what ann's goes on from.
        let commits = if shop.github {
            "GET /repos/octo/site/pulls/5/commits"
        } else {
            "GET /api/v4/projects/12/merge_requests/3/commits"
        };
        let both = if shop.github {
            let from = json!({"sha": sha('a'), "ref": "topic", "repo": {"full_name": "ann/fork"}});
            let pull = json!({"merged": false, "head": from, "user": {"login": "ann"},
                "commits": 2, "requested_reviewers": []});
            shop.told("GET /repos/octo/site/pulls/5", &pull);
            let commit = |sha: &str| json!({"sha": sha, "author": {"login": "ann"}, "committer": {"login": "ann"}});
            shop.told(commits, &json!([commit(&sha('b')), commit(&sha('a'))]));
            let push = |by: &str, from: char, to: char| {
                json!({"ref": "refs/heads/topic", "before": sha(from), "after": sha(to),
                    "activity_type": "push", "actor": {"login": by}})
            };
            json!([push("ann", 'b', 'a'), push("eve", '0', 'b')])
        } else {
            let ann = "1-ann@users.noreply.gitlab.example";
            let commit =
                |sha: &str| json!({"id": sha, "author_email": ann, "committer_email": ann});
            shop.told(commits, &json!([commit(&sha('b')), commit(&sha('a'))]));
            let push = |by: &str, from: Value, to: char| {
                json!({"author": {"username": by}, "push_data": {"ref": "topic",
                    "ref_type": "branch", "commit_from": from, "commit_to": sha(to)}})
            };
            json!([
                push("ann", json!(sha('b')), 'a'),
                push("eve", Value::Null, 'b')
            ])
        };
        shop.told(list, &both);
        shop.refuses("eve pushed the change");
    }
}

/// Anybody who may write has a program push in its name, with whatever names in the commits.
#[test]
fn a_push_by_a_program_tells_nobody() {
    let mut shop = shop(true);
    shop.action = "edited";
    shop.head('a', false);
    shop.plan('a', 1);
    shop.review(&GOOD);
    for (by, exit) in [("github-actions[bot]", 3), ("ann", 0)] {
        pushes(&shop, by, 'a');
        shop.applied_now().expect(exit);
    }
}

/// Nor does it where a run for its push says so, as for that of an app.
#[test]
fn an_app_that_pushes_tells_nobody_either() {
    for mut shop in shops() {
        shop.pusher = if shop.github {
            "acme-ci[bot]"
        } else {
            "project_12_bot_x"
        };
        shop.head('a', false);
        shop.plan('a', 1);
        shop.review(&GOOD);
        if shop.github {
            reads!(shop.applied_now(), @"
            exit 3: connplan apply a1.plan --approved-in-review
            --- stderr
            warning: this folder is not in a git repository: connplan cannot read the settings of the base branch, so they do not apply to this pull or merge request
            error: the review does not approve this plan: who pushed the newest commit of the pull request is not known: no run for that push has told it
              help: run the workflow run of the last push again (`opened` or `synchronize`), or push again; an edited title must not cancel that run. Or give the token `contents: read`: then GitHub is asked who pushed. A run for another run (`workflow_run`) never tells it: of a fork that the token cannot read, have the plan signed instead (`connplan approve`)
              code: connplan::approval::review
            ");
        } else {
            shop.refuses("no run for that push has told it");
        }
        pushes(&shop, shop.pusher, 'a');
        if shop.github {
            reads!(shop.applied_now(), @"
            exit 3: connplan apply a1.plan --approved-in-review
            --- stderr
            warning: this folder is not in a git repository: connplan cannot read the settings of the base branch, so they do not apply to this pull or merge request
            error: the review does not approve this plan: acme-ci[bot], a program, pushed to the branch of the pull request, and nobody knows who had it do so
              help: push the commits, as a person, to a new branch, open a pull request of it, and ask for a review; or, where the settings take signatures, ask somebody to sign: `connplan approve`
              code: connplan::approval::review
            ");
        } else {
            shop.refuses("nobody knows who had it do so");
        }
        pushes(&shop, "ann", 'a');
        shop.applied_now().expect(0);
    }
}

/// Nor does one that is called as a person is: the forge says what it is.
#[test]
fn a_program_by_any_name_is_one() {
    for shop in shops() {
        shop.head('a', false);
        shop.plan('a', 1);
        shop.review(&GOOD);
        pushes(&shop, "ann", 'a');
        if shop.github {
            let push = |kind: &str| {
                json!([{"ref": "refs/heads/topic", "before": sha('0'), "after": sha('a'),
                    "activity_type": "push", "actor": {"login": "ann", "type": kind}}])
            };
            let list = "GET /repos/ann/fork/activity";
            shop.told(list, &push("Bot"));
            shop.refuses("nobody knows who had it do so");
            shop.told(list, &push("User"));
        } else {
            let push = json!([{"author_id": 9, "author": {"id": 9, "username": "ann"},
                "push_data": {"ref": "topic", "ref_type": "branch",
                    "commit_from": null, "commit_to": sha('a')}}]);
            shop.told("GET /api/v4/projects/13/events", &push);
            shop.told(
                "GET /api/v4/users/9",
                &json!({"id": 9, "username": "ann", "bot": true}),
            );
            shop.refuses("nobody knows who had it do so");
            shop.told(
                "GET /api/v4/users/9",
                &json!({"id": 9, "username": "ann", "bot": false}),
            );
        }
        shop.applied_now().expect(0);
    }
}

/// Where the forge lists every push, nobody else has pushed: not who started a job again.
#[test]
fn who_starts_a_run_again_is_not_who_pushed() {
    for mut shop in shops() {
        shop.head('a', false);
        shop.plan('a', 1);
        shop.pusher = "bob";
        shop.plan('a', 2);
        shop.review(&GOOD);
        shop.refuses("bob pushed the change");
        pushes(&shop, "ann", 'a');
        shop.applied_now().expect(0);
    }
}

/// Ann brought the branch back to what she had made of eve's commits.
#[test]
fn who_pushed_before_a_rebase_is_known_after_a_round_trip() {
    let shop = shop(true);
    shop.head('a', false);
    shop.plan('a', 1);
    shop.review(&GOOD);
    pushes(&shop, "ann", 'a');
    let push = |from: char, to: char, by: &str, how: &str| {
        json!({"ref": "refs/heads/topic", "before": sha(from), "after": sha(to),
            "activity_type": how, "actor": {"login": by}})
    };
    let list = "GET /repos/ann/fork/activity";
    let rebase = push('b', 'a', "ann", "force_push");
    let before = push('0', 'b', "bob", "branch_creation");
    let trip = [
        push('d', 'a', "ann", "force_push"),
        push('a', 'd', "ann", "push"),
    ];
    let restored = push('0', 'a', "ann", "branch_creation");
    shop.told(list, &json!([trip[0], trip[1], rebase, before]));
    shop.refuses("bob pushed the change");
    shop.told(list, &json!([restored, rebase, before]));
    shop.refuses("bob pushed the change");
    // On the second page, which GitHub names by a mark.
    shop.server.on_each(list, move |seen| {
        let (page, next) = match &*query(&seen.query, "after") {
            "m=" => (json!([before]), None),
            _ => (json!([trip[0], trip[1], rebase]), Some("m%3D")),
        };
        let mut reply = Reply::json(200, &page);
        if let Some(mark) = next {
            let link = format!("<https://api.example/x?after={mark}>; rel=\"next\"");
            reply = reply.header("link", &link);
        }
        reply
    });
    shop.refuses("bob pushed the change");
    assert!(shop.platform.writes().is_empty());
}

/// A name is its owner's to change at once, and then anybody's.
#[test]
fn who_pushed_is_known_by_number_whatever_the_account_is_called_by_now() {
    for mut shop in shops() {
        shop.pusher = "eve";
        shop.head('a', false);
        shop.plan('a', 1);
        shop.pusher = "ann";
        let given = |name: &'static str| {
            let given = [(name, "APPROVED", 'a', false)];
            shop.review(&Reviews {
                given: &given,
                ..GOOD
            });
        };
        given("eva");
        shop.refuses("eva pushed the change");
        // An older comment has no number.
        let number = number("eve").to_string();
        assert!(shop.only().contains(&format!("by=eve#{number} ")));
        shop.comments.edit(|comment| {
            let body = comment["body"].as_str().unwrap();
            comment["body"] = json!(body.replace(&format!("#{number} "), " "));
        });
        given("eve");
        shop.refuses("eve pushed the change");
        assert!(shop.platform.writes().is_empty());
    }
}

/// Whoever had it may have another one by now.
#[test]
fn a_push_of_an_account_that_is_gone_lets_nobody_review() {
    let shop = shop(true);
    shop.head('a', false);
    shop.plan('a', 1);
    shop.review(&GOOD);
    pushes(&shop, "ann", 'a');
    let list = "GET /repos/ann/fork/activity";
    let push = |from: char, to: char, by: Value| {
        json!({"ref": "refs/heads/topic", "before": sha(from), "after": sha(to),
            "activity_type": "push", "actor": by})
    };
    shop.told(list, &json!([push('0', 'a', Value::Null)]));
    reads!(shop.applied_now(), @"
    exit 3: connplan apply a1.plan --approved-in-review
    --- stderr
    warning: this folder is not in a git repository: connplan cannot read the settings of the base branch, so they do not apply to this pull or merge request
    error: the review does not approve this plan: somebody pushed to the branch of the pull request whom the forge does not know any more
      help: push the commits, as a person, to a new branch, open a pull request of it, and ask for a review; or, where the settings take signatures, ask somebody to sign: `connplan approve`
      code: connplan::approval::review
    ");
    // One of what the request does not hold any more, or never did, is not asked for.
    let ann = json!({"login": "ann"});
    shop.told(
        list,
        &json!([push('c', 'a', ann), push('0', 'c', Value::Null)]),
    );
    shop.applied_now().expect(0);
}

/// GitLab does not keep what a push of many branches pushed: whoever made one may have made this.
#[test]
fn a_push_of_many_branches_is_by_one_of_those_who_made_some() {
    let shop = shop(false);
    shop.head('a', false);
    shop.plan('a', 1);
    shop.review(&GOOD);
    pushes(&shop, "ann", 'b');
    let many = |by: &str| {
        json!({"author": {"username": by}, "push_data": {"ref": null, "ref_type": "branch",
            "ref_count": 5, "commit_from": null, "commit_to": null}})
    };
    let list = "GET /api/v4/projects/13/events";
    shop.refuses("does not list the push of every commit");
    shop.told(list, &json!([many("ann"), many("bob")]));
    reads!(shop.applied_now(), @"
    exit 3: connplan apply a1.plan --approved-in-review
    --- stderr
    warning: this folder is not in a git repository: connplan cannot read the settings of the base branch, so they do not apply to this pull or merge request
    warning: The review by bob does not count: bob pushed many branches at once, and may so have pushed the change.
    error: the plan is not approved: 1 approving review needed, 0 found
      help: have the pull or merge request approved whose comment shows this plan; then `connplan apply a1.plan --approved-in-review=1`
      code: connplan::approval::missing
    ");
    // Where every push since is listed, only one right before them can have brought what they went on from,
    let push = |from: char, to: char| {
        json!({"author": {"username": "ann"}, "push_data": {"ref": "topic", "ref_type": "branch",
            "commit_from": sha(from), "commit_to": sha(to)}})
    };
    let on = push('c', 'a');
    shop.told(list, &json!([on, many("bob")]));
    shop.refuses("bob pushed many branches at once");
    shop.told(list, &json!([on, many("project_12_bot_x")]));
    shop.refuses("project_12_bot_x, a program, may have pushed");
    for listed in [
        json!([on, push('d', 'e'), many("bob")]),
        json!([many("bob"), on]),
    ] {
        shop.told(list, &listed);
        shop.applied_now().expect(0);
    }
    // and none where that is the target's.
    let address = "1-ann@users.noreply.gitlab.example";
    let commit = json!({"id": sha('a'), "parent_ids": [sha('c')], "author_email": address,
        "committer_email": address});
    let commits = "GET /api/v4/projects/12/merge_requests/3/commits";
    shop.told(commits, &json!([commit]));
    shop.told(list, &json!([on, many("bob")]));
    shop.applied_now().expect(0);
    shop.told(list, &json!([many("ann")]));
    shop.applied_now().expect(0);
}

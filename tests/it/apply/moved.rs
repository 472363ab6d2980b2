//! `apply` of a plan that the app has moved away from.

use crate::support::{Connector, Platform, Project, planned};

const NOTHING: [&str; 0] = [];

#[test]
fn whatever_moved_is_named_and_nothing_is_written() {
    type Move = fn(&Platform);
    let moves: [(Move, &[&str]); 10] = [
        (
            |p| p.set(&Connector::active("hubspot", &["tickets"])),
            &["hubspot", "scopes", "tickets"],
        ),
        (
            |p| {
                p.set(&Connector {
                    status: "disconnected",
                    ..Connector::active("hubspot", &["crm.objects.contacts.read"])
                });
            },
            &["hubspot", "status", "disconnected"],
        ),
        (
            |p| {
                p.set(&Connector {
                    account: Some("grace@example.com"),
                    ..Connector::active("github", &["repo"])
                });
            },
            &["github", "account", "grace@example.com"],
        ),
        (
            |p| {
                p.set(&Connector {
                    account: None,
                    ..Connector::active("github", &["repo"])
                });
            },
            &["github", "account"],
        ),
        (|p| p.unset("gmail"), &["gmail", "gone"]),
        (|p| p.unset("github"), &["github", "gone"]),
        (
            |p| p.set(&Connector::active("asana", &[])),
            &["asana", "there"],
        ),
        (
            |p| p.set(&Connector::active("slack", &["chat:write"])),
            &["slack", "there"],
        ),
        (
            |p| p.set(&Connector::active("notion", &[])),
            &["notion", "status", "active"],
        ),
        (|p| p.stripe(Some("live")), &["stripe", "there"]),
    ];
    for (change, names) in moves {
        let (platform, project) = planned();
        change(&platform);
        platform.forget();
        let refused = project.run(&["apply", "x.plan", "--receipt", "x.receipt"]);
        refused.expect(3).tells("stale");
        for name in names {
            refused.tells(name);
        }
        assert_eq!(platform.writes(), NOTHING, "{names:?}");
        assert!(!project.path("x.receipt").exists());
        project.run(&["plan"]).expect(0);
    }
}

#[test]
fn what_providers_add_meanwhile_is_no_move() {
    let (platform, project) = planned();
    platform.set(&Connector::active(
        "gmail",
        &[
            "https://mail.google.com/",
            "openid",
            "https://www.googleapis.com/auth/userinfo.email",
        ],
    ));
    project.run(&["apply", "x.plan"]).expect(0);
}

#[test]
fn connectors_that_the_plan_leaves_alone_bind_it_too() {
    let platform = Platform::with(&[
        Connector::active("github", &["repo"]),
        Connector::active("linear", &["read"]),
    ]);
    let project = Project::new()
        .at(&platform)
        .connector("slack", &[])
        .connector("linear", &["read"]);
    for args in [&["--keep-unlisted"][..], &["--target", "slack"]] {
        let all = [&["plan", "--out", "x.plan"], args].concat();
        project.run(&all).expect(0);
        platform.set(&Connector::active("github", &["repo", "admin:org"]));
        project.run(&["apply", "x.plan"]).expect(3).tells("github");
        platform.set(&Connector::active("github", &["repo"]));
    }
}

//! What was carried out and undone since, wherever that was.

use super::{approvals, once::forged, team::Team};
use crate::support::Project;

/// What takes up a receipt that was handed on, with its digest.
fn taken_up(receipt: &str) -> Vec<&str> {
    let digest = receipt
        .lines()
        .find_map(|line| line.strip_prefix("digest = "));
    let digest = digest.unwrap().trim_matches('"');
    let named = ["--receipt", "x.receipt", "--expect-digest", digest];
    let authorize = ["authorize", "--yes", "--print-links", "--timeout", "20s"];
    [&authorize[..], &named].concat()
}

fn handed(from: &Project, to: &Project) -> String {
    let receipt = from.read("x.receipt");
    to.write("x.receipt", &receipt);
    receipt
}

/// The run that applied a plan is started again on another machine, after somebody decided otherwise: nothing there
/// tells of it but the store. It is over from the store's copy of it, too, and whatever risk needs an approval.
#[test]
#[ignore = "needs git remotes: run by .ci/run"]
fn an_old_run_that_is_started_again_undoes_nothing() {
    let team = Team::new();
    let plan = ["plan", "--out", "x.plan", "--format", "json"];
    let plan = team.pipeline.run(&plan);
    let digest = plan.expect(0).json()["digest"].as_str().unwrap().to_owned();
    let apply = ["apply", "x.plan", "--expect-digest", &digest];
    team.pipeline.run(&apply).expect(0);
    // Until somebody has consented it is not over.
    team.second.write("x.plan", &team.pipeline.read("x.plan"));
    team.second.run(&apply).expect(0);
    team.platform.consent("slack", "ada@example.com");
    team.person.run(&["authorize", "--yes"]).expect(0);
    team.platform.unset("slack");
    team.person.write("x.plan", &team.pipeline.read("x.plan"));
    team.platform.forget();
    for command in [&apply[..], &["apply", &digest]] {
        let run = team.person.run(command);
        run.expect(3).tells("the plan was applied already");
    }
    for project in team.all() {
        let risky = "[approval]\nrequire = \"review\"\nfrom_risk = \"danger\"\n";
        project.write(
            "connplan.toml",
            &format!("{}{risky}", project.read("connplan.toml")),
        );
        project
            .run(&apply)
            .expect(3)
            .tells("the plan was applied already");
    }
    assert!(team.platform.writes().is_empty());
    // Made anew, it is another decision.
    team.second.run(&["plan", "--out", "y.plan"]).expect(0);
    team.person.run(&["apply", &digest]).expect(0);
    assert_eq!(team.platform.writes().len(), 1);
}

/// An old receipt, with its true digest, in a clone of then: what was consented to and undone since is not asked for
/// again. Nor is it where somebody writes into the store that the plan was applied once more.
#[test]
#[ignore = "a second of CPU time, or more: run by .ci/run"]
fn what_was_consented_to_and_undone_does_not_wait_by_an_old_receipt() {
    let team = approvals::SigningTeam::new();
    let ann = team.key("ann");
    team.one.run(&["plan", "--out", "x.plan"]).expect(0);
    team.one
        .run(&["approve", "x.plan", "--key", &ann])
        .expect(0);
    let apply = ["apply", "x.plan", "--receipt", "x.receipt"];
    team.one.run(&apply).expect(0);
    let receipt = handed(&team.one, &team.two);
    let list = ["authorize", "--list", "--receipt", "x.receipt"];
    team.two.run(&list).expect(4);
    team.platform.consent("slack", "ada@example.com");
    team.one.run(&["authorize", "--yes"]).expect(0);
    team.platform.unset("slack");
    team.platform.forget();
    for command in [&taken_up(&receipt)[..], &list] {
        let run = team.two.run(command);
        run.expect(0).tells("but somebody consented to it at");
    }
    let with = ["--receipt", "x.receipt", "--format", "json"];
    let plan = team.two.run(&[&["plan"], &with[..]].concat());
    assert_eq!(plan.json()["summary"]["create"], 1, "{plan}");
    let status = ["status", "--detailed-exitcode", "--receipt", "x.receipt"];
    team.two.run(&status).expect(2);
    forged(&team, |folder| {
        let entries = std::fs::read_dir(folder.join("log")).unwrap();
        let mut texts =
            entries.map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap());
        let apply = texts
            .find(|text| text.contains("kind = \"apply\""))
            .unwrap();
        let epoch = apply.lines().find(|line| line.starts_with("epoch = "));
        let later = apply.replacen(epoch.unwrap(), "epoch = 99", 1);
        std::fs::write(folder.join("log/00000099-00000000000000-ab.toml"), later).unwrap();
    });
    let run = team.two.run(&taken_up(&receipt));
    run.says("an approval counts only once");
    assert!(team.platform.writes().is_empty(), "{run}");
}

/// Nor does what somebody gave up, whoever applied it, until it is applied again.
#[test]
#[ignore = "needs git remotes: run by .ci/run"]
fn what_was_given_up_does_not_wait_by_an_old_receipt() {
    let team = Team::new();
    let apply = ["apply", "--auto-approve", "--receipt", "x.receipt"];
    team.pipeline.run(&apply).expect(0);
    let receipt = handed(&team.pipeline, &team.person);
    team.second
        .run(&["authorize", "--forget", "slack"])
        .expect(0);
    team.platform.forget();
    let run = team.person.run(&taken_up(&receipt));
    run.expect(0).tells("but it was given up at");
    assert!(team.platform.writes().is_empty(), "{run}");
    team.pipeline.run(&apply).expect(0);
    let list = ["authorize", "--list", "--receipt", "x.receipt"];
    let run = team.person.run(&list);
    assert!(!run.expect(4).stderr.contains("it was given up"), "{run}");
}

/// Nor by its old plan with its old approval, wherever that is applied again.
#[test]
#[ignore = "a second of CPU time, or more: run by .ci/run"]
fn what_was_given_up_is_not_asked_for_again_by_an_old_approval() {
    let team = approvals::SigningTeam::new();
    let ann = team.key("ann");
    let approve = ["approve", "x.plan", "--key", &ann];
    team.one.declare("linear", &["read"]);
    team.one.run(&["plan", "--out", "x.plan"]).expect(0);
    team.one.run(&approve).expect(0);
    team.one.run(&["apply", "x.plan"]).expect(0);
    team.two.run(&["authorize", "--forget", "slack"]).expect(0);
    team.platform.forget();
    team.two.write("x.plan", &team.one.read("x.plan"));
    for who in [&team.one, &team.two] {
        who.run(&["apply", "x.plan"])
            .expect(3)
            .tells("was carried out, or given up, at");
    }
    assert!(team.platform.writes().is_empty());
    team.one.run(&approve).expect(0);
    team.one
        .run(&["apply", "x.plan"])
        .expect(0)
        .tells("What was forgotten since is asked for again: slack.");
    let asked = "PUT external-auth/integrations/slack";
    assert_eq!(team.platform.writes(), [asked]);
}

/// Nor once `keep` has taken away who asked for it, or that somebody gave it up. What nobody decided waits by any receipt.
#[test]
#[ignore = "needs git remotes: run by .ci/run"]
fn what_was_given_up_does_not_wait_once_the_store_has_forgotten() {
    let signed = format!("{}from_risk = \"danger\"\n", approvals::SETTINGS);
    for (settings, is_approved) in [(signed.as_str(), false), (approvals::SETTINGS, true)] {
        let keep = settings.replace("\n\n", "\nkeep = \"1s\"\n\n");
        let team = approvals::SigningTeam::with(&keep);
        let ann = team.key("ann");
        let apply = |receipt: &str| {
            team.one.run(&["plan", "--out", "x.plan"]).expect(0);
            if is_approved {
                let approve = ["approve", "x.plan", "--key", &ann];
                team.one.run(&approve).expect(0);
            }
            let apply = ["apply", "x.plan", "--receipt", receipt];
            team.one.run(&apply).expect(0);
        };
        apply("x.receipt");
        let receipt = handed(&team.one, &team.two);
        assert_eq!(receipt.contains("[[approvals]]"), is_approved);
        team.one.run(&["authorize", "--forget", "slack"]).expect(0);
        team.one.undeclare("slack");
        team.one.declare("linear", &["read"]);
        std::thread::sleep(std::time::Duration::from_millis(2100));
        apply("y.receipt");
        team.platform.forget();
        let command = taken_up(&receipt);
        let run = team.two.run(&command);
        run.expect(0)
            .tells("but it was given up at")
            .tells("plan it anew");
        assert!(team.platform.writes().is_empty(), "{run}");
        // An apply that the store was never told of is as good as any.
        team.one.declare("notion", &[]);
        apply("x.receipt");
        handed(&team.one, &team.two);
        team.two.declare("notion", &[]);
        forged(&team, |folder| {
            let entries = std::fs::read_dir(folder.join("log")).unwrap();
            for entry in entries.map(|entry| entry.unwrap().path()) {
                if std::fs::read_to_string(&entry)
                    .unwrap()
                    .contains("\"notion\"")
                {
                    std::fs::remove_file(entry).unwrap();
                }
            }
        });
        let list = ["authorize", "--list", "--receipt", "x.receipt"];
        let run = team.two.run(&list);
        let ended = run.expect(4).stderr.contains("that notion waits, but");
        assert!(!ended, "{run}");
    }
}

/// What one person overrode, with a store too, another authorizes with the receipt; without it the store's word is not
/// enough.
#[test]
#[ignore = "a second of CPU time, or more: run by .ci/run"]
fn what_was_overridden_waits_for_others_by_its_receipt() {
    let team = approvals::SigningTeam::with(
        "[store]\nurl = \"git:origin\"\n\n[policy]\ndenied_scopes = { slack = [\"chat:write\"] }\n\n\
         [policy.rules.denied_scopes]\nlevel = \"deny\"\noverride = true\n",
    );
    let apply = ["apply", "--auto-approve", "--receipt", "x.receipt"];
    let because = ["--override", "denied_scopes", "--reason", "once"];
    team.one.run(&[&apply[..], &because].concat()).expect(0);
    let receipt = handed(&team.one, &team.two);
    let command = taken_up(&receipt);
    team.platform.forget();
    let run = team.two.run(&command[..5]);
    run.says("the policy in connplan.toml forbids it");
    assert!(team.platform.writes().is_empty(), "{run}");
    let asked = || !team.platform.writes().is_empty();
    std::thread::scope(|scope| {
        let run = scope.spawn(|| team.two.run(&command));
        while !asked() && !run.is_finished() {
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
        if asked() {
            team.platform.consent("slack", "ada@example.com");
        }
        run.join().unwrap().expect(0);
    });
    assert!(asked());
}

/// The job of an old plan is started again while a newer one waits, and finds the app as it wants it: that ends nothing
/// of the newer one, and uses up none of its approvals.
#[test]
#[ignore = "a second of CPU time, or more: run by .ci/run"]
fn an_apply_that_finds_all_as_it_wants_it_ends_nothing() {
    let team = approvals::SigningTeam::new();
    let ann = team.key("ann");
    let go = |project: &Project, name: &str| {
        let plan = ["plan", "--allow-remove-all", "--out", name];
        project.run(&plan).expect(0);
        project.run(&["approve", name, "--key", &ann]).expect(0);
        project.run(&["apply", name]).expect(0);
    };
    go(&team.one, "1.plan");
    team.platform.consent("slack", "ada@example.com");
    team.one.run(&["authorize", "--yes"]).expect(0);
    team.one.undeclare("slack");
    go(&team.one, "2.plan");
    team.one.declare("slack", &["chat:write"]);
    go(&team.one, "3.plan");
    team.two.write("2.plan", &team.one.read("2.plan"));
    let writes = team.platform.writes().len();
    let run = team.two.run(&["apply", "2.plan"]);
    run.expect(0).says("it was already as the plan wants it");
    for project in [&team.one, &team.two] {
        project.run(&["authorize", "--list"]).expect(4);
    }
    team.one.run(&["apply", "3.plan"]).expect(0);
    assert_eq!(team.platform.writes().len(), writes);
}

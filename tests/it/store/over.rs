//! What was carried out and undone since, wherever that was.

use super::team::Team;

/// The run that applied a plan is started again on another machine, after somebody decided otherwise: nothing there
/// tells of it but the store. It is over from the store's copy of it, too, and whatever risk needs an approval.
#[test]
#[ignore = "needs git remotes: run by .ci/run"]
fn an_old_run_that_is_started_again_undoes_nothing() {
    let team = Team::new();
    let plan = ["plan", "--out", "x.plan", "--format", "json"];
    let plan = team.pipeline.run(&plan);
    let digest = plan.expect(0).json()["digest"].as_str().unwrap().to_owned();
    // Times are told in seconds.
    std::thread::sleep(std::time::Duration::from_millis(1100));
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
        run.expect(3).tells("the plan was applied at");
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
            .tells("the plan was applied at");
    }
    assert!(team.platform.writes().is_empty());
    // Made anew, it is another decision.
    team.second.run(&["plan", "--out", "y.plan"]).expect(0);
    team.person.run(&["apply", &digest]).expect(0);
    assert_eq!(team.platform.writes().len(), 1);
}

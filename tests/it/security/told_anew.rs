//! What earlier settings forbade is told by whoever looks later, whatever text of the plan that one has.

use super::{
    loosening::git,
    merged::{commit, pushed},
};
use crate::{
    approval::keygen::Keys,
    support::{Platform, Project},
};

const FORBADE: &str = "the policy forbade this: slack: the scope chat:write is denied";

/// A plan of the same digest, made where the base is not known, lacks the danger.
#[test]
fn a_plan_that_lacks_its_danger_hides_it_from_nobody() {
    let platform = Platform::start();
    let project = Project::new().at(&platform);
    let rule = "[policy]\ndenied_scopes = { slack = [\"chat:write\"] }\n";
    project.write("base44/connplan.toml", rule);
    let remote = project.path("../remote.git").display().to_string();
    git(&project, &["init", "-q", "-b", "main"]);
    git(&project, &["init", "-q", "--bare", "-b", "main", &remote]);
    git(&project, &["remote", "add", "origin", &remote]);
    let base = commit(&project, "a rule");
    project.write("base44/connplan.toml", "");
    project.declare("slack", &["chat:write"]);
    let dropped = commit(&project, "no rule");
    let plan = ["plan", "--out", "../told.plan"];
    pushed(&project, &base, &[], &plan).expect(0).says(FORBADE);
    git(&project, &["commit", "-q", "--allow-empty", "-m", "more"]);
    let plan = ["plan", "--out", "../untold.plan", "--format", "json"];
    let plan = project.run(&plan);
    plan.expect(0).lacks(FORBADE);
    let digest = plan.json()["digest"].as_str().unwrap().to_owned();
    assert!(project.read("../told.plan").contains(&digest));
    // What the memory keeps has it.
    project.run(&["show", &digest]).expect(0).says(FORBADE);
    // Who signs the other file is told that it may not be all, or what it is.
    let keys = Keys::new();
    keys.key("ann", &["ed25519"]);
    let ann = keys.path("ann").display().to_string();
    let approve = [
        "approve",
        "../untold.plan",
        "--key",
        &ann,
        "--out",
        "../x.sig",
    ];
    project
        .run(&approve)
        .expect(0)
        .tells("cannot tell here all that earlier settings forbade of this plan: no store says");
    git(&project, &["checkout", "-q", &dropped]);
    project.run(&approve).expect(0).tells(FORBADE);
    project.run(&["show", "../untold.plan"]).says(FORBADE);
    // So is who reads the comment of a push.
    let comment = ["comment", "../untold.plan", "--dry-run"];
    pushed(&project, &base, &[], &comment)
        .expect(0)
        .says(FORBADE);
}

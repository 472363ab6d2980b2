//! Object storage for real: the server that `CONNPLAN_TEST_BUCKET` names, which `.ci/run` starts.

use super::{
    conformance::{race, suite},
    places::Bucket,
    week::member,
};
use crate::support::{Platform, Project};

const NEEDED: &str = "needs a bucket: CONNPLAN_TEST_BUCKET and the provider's variables";

#[test]
#[ignore = "needs a bucket: CONNPLAN_TEST_BUCKET and the provider's variables"]
fn a_bucket() {
    suite(&Bucket::new("suite"));
}

#[test]
#[ignore = "needs a bucket: CONNPLAN_TEST_BUCKET and the provider's variables"]
fn a_bucket_with_racing_writers() {
    race(&Bucket::new("race"), 16);
}

/// One that works with the bucket, the provider's variables included.
fn with_bucket(platform: &Platform, user: &str, project: Project, url: &str) -> Project {
    let mut project = member(platform, user, project).var("CONNPLAN_STORE", url);
    for (name, value) in std::env::vars() {
        if ["AWS_", "AZURE_", "AZURITE_"]
            .iter()
            .any(|prefix| name.starts_with(prefix))
        {
            project = project.var(&name, &value);
        }
    }
    project
}

#[test]
#[ignore = "needs a bucket: CONNPLAN_TEST_BUCKET and the provider's variables"]
fn two_machines_share_a_bucket() {
    let platform = Platform::start();
    let url = Bucket::new("week").url().to_owned();
    let [one, two] = ["one", "two"].map(|user| {
        let project = Project::new().connector("slack", &["chat:write"]);
        with_bucket(&platform, user, project, &url)
    });
    let plan = one.run(&["plan", "--out", "x.plan", "--format", "json"]);
    plan.expect(0).tells("Kept the plan in ");
    let digest = plan.json()["digest"].as_str().expect(NEEDED).to_owned();
    two.run(&["apply", &digest]).expect(0);
    one.run(&["plan"])
        .expect(0)
        .tells("slack waits for a person: asked for just now by two");
    one.run(&["authorize", "--list"]).expect(4);
    platform.consent("slack", "olga@example.com");
    one.run(&["authorize", "--yes", "--no-browser", "--timeout", "20s"])
        .expect(0);
    two.run(&["authorize", "--list"]).expect(0);
    let known = [&one, &two].map(|project| {
        let history = project.run(&["history", "--format", "json"]);
        history.expect(0).json()["apps"][0]["events"].clone()
    });
    assert_eq!(known[0], known[1]);
    assert_eq!(known[0].as_array().map(Vec::len), Some(3));
}

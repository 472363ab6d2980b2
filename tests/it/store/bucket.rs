//! Object storage for real: the server that `CONNPLAN_TEST_BUCKET` names, which `.ci/run` starts.

#[cfg(unix)]
use super::holder::{kill_at, who_stood_still};
use super::{
    agree::{nothing_private, who_asked_first},
    conformance::{race, suite},
    places::Bucket,
    team::{Shared, Team},
    week::a_week,
};

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

#[test]
#[ignore = "needs a bucket: CONNPLAN_TEST_BUCKET and the provider's variables"]
fn three_clones_agree_for_a_week_with_a_bucket() {
    a_week(&Team::with(Shared::bucket()));
}

#[test]
#[ignore = "needs a bucket: CONNPLAN_TEST_BUCKET and the provider's variables"]
fn who_asked_first_knows_it_from_a_bucket() {
    who_asked_first(&Team::with(Shared::bucket()));
}

#[test]
#[ignore = "needs a bucket: CONNPLAN_TEST_BUCKET and the provider's variables"]
fn nothing_private_is_in_a_bucket() {
    nothing_private(&Team::with(Shared::bucket()));
}

#[cfg(unix)]
#[test]
#[ignore = "needs a bucket: CONNPLAN_TEST_BUCKET and the provider's variables"]
fn killed_at_every_step_nothing_is_lost_in_a_bucket() {
    let steps = kill_at(&Team::with(Shared::bucket()), 1..);
    eprintln!("killed at each of {steps} steps: another machine took over, and all agreed");
    assert!(steps > 6, "only {steps} steps");
}

#[cfg(unix)]
#[test]
#[ignore = "needs a bucket: CONNPLAN_TEST_BUCKET and the provider's variables"]
fn who_stood_still_does_not_write_to_a_bucket() {
    who_stood_still(&Team::with(Shared::bucket()));
}

#[test]
#[ignore = "needs a bucket: CONNPLAN_TEST_BUCKET and the provider's variables"]
fn a_bucket_that_is_not_there_is_not_empty() {
    let team = Team::with(Shared::bucket());
    let (scheme, _) = team.url().split_once("://").unwrap();
    let gone = format!("{scheme}://connplan-has-no-such-bucket/x");
    let vars = [("CONNPLAN_STORE", gone.as_str())];
    team.person
        .run_vars(&vars, &["plan"])
        .expect(0)
        .tells("what other machines have requested:")
        .tells("there is no such bucket");
    team.person
        .run_vars(&vars, &["apply", "--auto-approve"])
        .expect(1);
    assert_eq!(team.platform.writes(), [] as [&str; 0]);
}

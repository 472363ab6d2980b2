//! Where many tests begin, and how they find a connector in what is printed.
#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use serde_json::Value;

use super::{Connector, Platform, Project};

/// One connector to add, one to remove.
pub(crate) fn one() -> (Platform, Project) {
    let platform = Platform::with(&[Connector::active("gmail", &["openid"])]);
    let project = Project::new()
        .at(&platform)
        .connector("slack", &["chat:write"]);
    (platform, project)
}

/// One of each kind of change: to change, to authorize again, to remove, and room for more.
pub(crate) fn one_of_each() -> (Platform, Project) {
    let platform = Platform::with(&[
        Connector::active("github", &["repo"]),
        Connector::active("gmail", &["https://mail.google.com/", "openid"]),
        Connector::active("hubspot", &["crm.objects.contacts.read", "oauth"]),
        Connector {
            status: "expired",
            ..Connector::active("notion", &[])
        },
    ]);
    let project = Project::new()
        .at(&platform)
        .connector("gmail", &["https://mail.google.com/"])
        .connector("hubspot", &["crm.objects.contacts.write"])
        .connector("notion", &[]);
    platform.forget();
    (platform, project)
}

/// The same with two to add, and a saved plan of it.
pub(crate) fn planned() -> (Platform, Project) {
    let (platform, project) = one_of_each();
    let project = project
        .connector("slack", &["chat:write"])
        .connector("stripe", &[]);
    project.run(&["plan", "--out", "x.plan"]).expect(0);
    platform.forget();
    (platform, project)
}

/// A connector's change in a plan.
#[track_caller]
pub(crate) fn change<'a>(plan: &'a Value, connector: &str) -> &'a Value {
    named(plan, "changes", connector)
}

/// What a receipt, or the end of an authorization, says of a connector.
#[track_caller]
pub(crate) fn result<'a>(report: &'a Value, connector: &str) -> &'a Value {
    named(report, "results", connector)
}

#[track_caller]
fn named<'a>(document: &'a Value, list: &str, connector: &str) -> &'a Value {
    let mut listed = document["apps"][0][list].as_array().unwrap().iter();
    listed
        .find(|one| one["connector"] == connector)
        .unwrap_or_else(|| panic!("no {connector} in {document:#}"))
}

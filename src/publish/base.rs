//! Where a request goes that a run is for, of which the run is not told.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{
    Forge, Overrides, Place, PublishError,
    http::{Call, Http},
    place::Head,
    request::Request,
};
use crate::{http::ClientOptions, model::Vars};

/// The base of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestBase {
    /// The branches: of several requests from one branch, several.
    pub branches: BTreeSet<String>,
    /// The newest commit of the request, where there is one.
    pub head: Option<String>,
}

/// Asks the forge for it. `event` is of a comment on the request, or of a run that was for it.
pub async fn base_of_request(
    vars: &Vars,
    event: &Value,
    options: ClientOptions,
) -> Result<RequestBase, PublishError> {
    let found = Place::find(vars, &Overrides::default(), Some(event));
    let (forge, requests, http) = match (found, Head::of_event(event)) {
        (Ok(place), _) => {
            let http = Http::new(&place, options)?;
            let Request::Number(number) = place.request else {
                return Err(no_request(place.forge, "this run belongs to none"));
            };
            let path = place.forge.request_path(&place.project_path, number);
            let answer = http.send(&Call::get(WHAT, path)).await?;
            (place.forge, vec![answer.body], http)
        }
        (Err(PublishError::NoRequest { .. }), Some(head)) => {
            let place = Place::of_project(vars)?;
            let http = Http::new(&place, options)?;
            let path = place.forge.requests_path(&place.project_path);
            let of = format!("{}:{}", head.owner, head.branch);
            let query = [("state", "open"), ("head", of.as_str())];
            let from_there = |value: &Value| head.is_of(value).then(|| value.clone());
            let found = http.list(WHAT, path, &query, from_there).await?;
            (place.forge, found.items, http)
        }
        (Err(error), _) => return Err(error),
    };
    if requests.is_empty() {
        return Err(no_request(
            forge,
            "none is open from the branch of this run",
        ));
    }
    let (mut branches, mut heads) = (BTreeSet::new(), BTreeSet::new());
    for request in &requests {
        let facts = forge.facts(request);
        let base = facts.base.filter(|base| !base.is_empty());
        branches.insert(base.ok_or_else(|| http.malformed(WHAT, "it names no base branch"))?);
        heads.extend(facts.head);
    }
    Ok(RequestBase {
        branches,
        head: heads.pop_first(),
    })
}

/// The newest commit of a branch; in a merge request's pipeline, of the project that the request goes into.
pub async fn branch_head(
    vars: &Vars,
    branch: &str,
    options: ClientOptions,
) -> Result<String, PublishError> {
    let place = Place::of_target(vars)?;
    let http = Http::new(&place, options)?;
    let what = "asking for the newest commit of the branch";
    let path = place.forge.branch_path(&place.project_path, branch);
    let answer = http.send(&Call::get(what, path)).await?;
    let head = place.forge.branch_head(&answer.body);
    head.ok_or_else(|| http.malformed(what, "it names no commit"))
}

/// What is done.
const WHAT: &str = "asking for the base of the request";

fn no_request(forge: Forge, why: &str) -> PublishError {
    let why = why.to_owned();
    PublishError::NoRequest { forge, why }
}

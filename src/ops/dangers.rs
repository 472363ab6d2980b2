//! The dangers of a plan, found anew where it is checked out: what a plan that passed between jobs says of them,
//! no approval names.

use super::{
    Around, LazyBinding,
    approving::{forbidden_before, forbidden_to_sign, undone},
    gates::{self, forbidden, loosened},
};
use crate::{
    base,
    context::Failure,
    model::{Diagnostic, is_request},
    plan::Plan,
};

/// The dangers, and what binds by the same base. None where it cannot be told, which is said.
pub async fn dangers_here(
    around: &Around<'_>,
    plan: &Plan,
) -> Option<(Vec<Diagnostic>, LazyBinding)> {
    let found = look(around, plan).await;
    found
        .inspect_err(|failure| around.warn(failure.told()))
        .ok()
}

async fn look(around: &Around<'_>, plan: &Plan) -> Result<(Vec<Diagnostic>, LazyBinding), Failure> {
    let context = around.context;
    let request = is_request(&context.vars, context.named_event()?.as_ref());
    if context.is_nowhere() || !(request || context.vars.ci()) {
        return Ok(Default::default());
    }
    let (mut project, _) = context.project_for(&plan.app.app)?;
    if context.git().work_tree_of(&project.root).is_none() {
        return Ok(Default::default());
    }
    let binding = LazyBinding::at(base::bind(context, &mut project).await?);
    let found = undone(around, &project, &binding, plan).await;
    let mut dangers = gates::undone(&project, found);
    let before = forbidden_before(around, &project, &binding, plan).await;
    dangers.extend(forbidden(&project, before));
    dangers.extend(loosened(&project));
    Ok((dangers, binding))
}

/// What settings from before forbid of a plan, for who is about to approve it; and why that may not be all.
pub async fn forbade(around: &Around<'_>, plan: &Plan) -> (Vec<Diagnostic>, Option<String>) {
    if !plan.has_changes() {
        return Default::default();
    }
    let context = around.context;
    let looked = async {
        let (project, is_its) = context.project_for(&plan.app.app)?;
        if !is_its || context.is_nowhere() {
            let why = "this is not a checkout of its app";
            return Ok((Vec::new(), Some(why.to_owned())));
        }
        // Without git there is no earlier commit.
        if context.git().work_tree_of(&project.root).is_none() {
            return Ok(Default::default());
        }
        let (found, is_known) = forbidden_to_sign(around, &project, plan).await?;
        let why = (!is_known).then(|| "no store says what was applied last".to_owned());
        Ok((forbidden(&project, found), why))
    };
    let looked: Result<_, Failure> = looked.await;
    let (found, why) = looked.unwrap_or_else(|failure| (Vec::new(), Some(failure.told())));
    let why = why.map(|why| {
        format!("connplan cannot tell here all that earlier settings forbade of this plan: {why}")
    });
    (found, why)
}

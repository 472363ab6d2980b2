//! The dangers of a request, found anew where it is checked out: what a plan that passed between jobs says of them,
//! no approval names.

use super::{
    Around, LazyBinding,
    approving::forbidden_before,
    gates::{forbidden, loosened},
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
    if context.is_nowhere() || !is_request(&context.vars, context.named_event()?.as_ref()) {
        return Ok(Default::default());
    }
    let (mut project, _) = context.project_for(&plan.app.app)?;
    if context.git().work_tree_of(&project.root).is_none() {
        return Ok(Default::default());
    }
    let binding = LazyBinding::at(base::bind(context, &mut project).await?);
    let before = forbidden_before(around, &project, &binding, plan).await;
    let mut dangers = forbidden(&project, before);
    dangers.extend(loosened(&project));
    Ok((dangers, binding))
}

//! Where commits are that the checkout lacks.

use crate::{
    context::{Context, Failure},
    git::{Checkout, CommitId, Depot, RemoteAddress, RemoteName},
    state::StateError,
};

/// A commit, and where it is if not in the checkout.
pub(super) type Found = (CommitId, Option<Depot>);

/// Where what is fetched is kept: not in the checkout, of which nothing changes.
pub(super) async fn depot(
    context: &Context,
    checkout: &Checkout,
) -> Result<(Depot, RemoteAddress), Failure> {
    let remote = checkout.remote(&RemoteName::origin()).await?;
    let state = context.state.dir().ok_or(StateError::Nowhere)?;
    let cache = state.join("git").join(remote.cache_name());
    let depot = Depot::open(&cache, checkout.git().clone()).await?;
    Ok((depot, remote))
}

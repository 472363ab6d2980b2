//! Journals that nobody asks for any more.

use std::path::Path;

use super::{reader, record::Record};
use crate::{
    fs, model,
    pending::{PendingError, PendingSet},
    plan::Digest,
    state::Locked,
};

/// How many journals of plans that were carried out whole stay: so many of the last plans still say
/// that they were applied.
const KEPT: usize = 20;

/// Removes what is old among the journals that are finished. Never this one, never that of a plan
/// that somebody still has to consent to, and never one that is open or that cannot be read.
pub fn prune(
    workspace: &Locked,
    own: &Digest,
    pending: impl FnOnce() -> Result<PendingSet, PendingError>,
) -> Result<(), PendingError> {
    let mut files = fs::files(&workspace.journal_dir())?;
    if files.len() <= KEPT {
        return Ok(());
    }
    let pending = pending()?;
    // The newest first. Where several are of one time, the order is that of their names.
    model::sort(&mut files, |a, b| {
        b.written.cmp(&a.written).then(a.path.cmp(&b.path))
    });
    let finished = files.iter().filter_map(|file| {
        let digest = finished(&file.path)?;
        Some((file, digest))
    });
    for (file, digest) in finished.skip(KEPT) {
        if digest != *own && !pending.plans().any(|plan| *plan == digest) {
            fs::remove(&file.path)?;
        }
    }
    Ok(())
}

/// The plan that a journal is of, if it was carried out whole.
fn finished(path: &Path) -> Option<Digest> {
    let bytes = fs::read_own(path, reader::LIMIT).ok()?;
    let first = bytes.split(|byte| *byte == b'\n').next()?;
    let Record::Begin { plan_digest, .. } = Record::from_line(first)? else {
        return None;
    };
    let history = reader::decode(&bytes, &plan_digest).ok()?;
    let named = path.file_name()?.to_str()? == reader::file_name(&plan_digest);
    (history.finished && !history.torn && named).then_some(plan_digest)
}

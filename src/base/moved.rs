//! Repositories within this one whose commit a request changes: what it brings from there, the forge does not tell.

use std::path::Path;

use super::{Base, at::module_of};
use crate::{
    config::Project,
    context::{Context, Failure},
    git::{Checkout, work_tree_of},
};

impl Base {
    /// The submodule that a file of the project lies in, if it is at another commit than the base has it at.
    pub async fn moved_module(
        &self,
        context: &Context,
        project: &Project,
    ) -> Result<Option<String>, Failure> {
        let files = [&project.settings_file, &project.config_file].into_iter();
        let files = files.filter_map(|file| file.as_deref()?.parent());
        let own = [project.root.as_path(), &project.connectors_dir];
        let places = own.into_iter().chain(files).filter_map(work_tree_of);
        let mut trees = Vec::new();
        for place in places {
            if !trees.contains(&place) {
                trees.push(place);
            }
        }
        let mut next = 0;
        while let Some(tree) = trees.get(next).cloned() {
            next += 1;
            let Some((outer, path)) = module_of(context, &tree).await else {
                continue;
            };
            if self.is_moved(context, &tree, (&outer, &path)).await? {
                return Ok(Some(path));
            }
            if !trees.contains(&outer) {
                trees.push(outer);
            }
        }
        Ok(None)
    }

    async fn is_moved(
        &self,
        context: &Context,
        tree: &Path,
        (outer, path): (&Path, &str),
    ) -> Result<bool, Failure> {
        let head = Checkout::of(tree, context.git())?.head().await?;
        for view in &self.views {
            if view.checkout().root() == outer && view.module(path).await? != head {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

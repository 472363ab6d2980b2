//! What a request brings from other repositories than its own: who made and pushed that, the forge does not tell.

use std::path::Path;

use super::{Base, commit::submodule_of, run_repository::is_of_run};
use crate::{
    config::{Project, connectors::links},
    context::{Context, Failure},
    escape, fs,
    git::Checkout,
};

impl Base {
    /// What a change brings of which the forge does not tell who made and pushed it: files of the project lie in a
    /// submodule that is at another commit than the base has it at, or in a clone of another repository.
    pub async fn brought_from_elsewhere(
        &self,
        context: &Context,
        project: &Project,
    ) -> Result<Option<String>, Failure> {
        let own = [project.root.clone(), project.connectors_dir.clone()];
        let files = [&project.settings_file, &project.config_file].into_iter();
        let files: Vec<_> = files.flatten().cloned().chain(links(project)).collect();
        // What a link on the way leads to, whoever made that link chose.
        let git = context.git();
        let around = git.work_trees_around(&project.root);
        let steps = own.iter().chain(&files).flat_map(|path| fs::places(path));
        let steps = steps.filter(|step| {
            let outermost = around.last();
            step.is_symlink() && outermost.is_none_or(|tree| step.starts_with(tree))
        });
        let led = files.iter().filter_map(|file| file.canonicalize().ok());
        let files = led.chain(files.iter().cloned()).chain(steps);
        let folders = files.filter_map(|file| file.parent().map(Path::to_owned));
        let places = own.iter().cloned().chain(folders);
        let mut trees = Vec::new();
        for place in places.filter_map(|place| git.work_tree_of(&place)) {
            if !trees.contains(&place) {
                trees.push(place);
            }
        }
        let mut next = 0;
        while let Some(tree) = trees.get(next).cloned() {
            next += 1;
            let checkout = Checkout::of(&tree, context.git())?;
            let around = submodule_of(context, &tree).await?;
            if (around.is_none() || checkout.is_cloned()) && !is_of_run(context, &checkout).await? {
                let name = tree.file_name().unwrap_or_default().to_string_lossy();
                let name = escape::limited(&name, 200);
                return Ok(Some(format!(
                    "commits of another repository than this run's, in {name}"
                )));
            }
            let Some((outer, path)) = around else {
                continue;
            };
            if self.is_moved(context, &tree, (&outer, &path)).await? {
                let path = escape::limited(&path, 200);
                return Ok(Some(format!("other commits of the submodule {path}")));
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

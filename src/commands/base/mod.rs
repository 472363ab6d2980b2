//! The commit that a proposal is measured against: the base branch's, or after the merge the one
//! before it. Its settings bind, and the proposal's own do not loosen them.

mod places;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use futures_util::{FutureExt, future::LocalBoxFuture};
use miette::Diagnostic;
use thiserror::Error;

use self::places::{Standing, configs_in, folder_name, outwards, place_told, standing};
use crate::{
    config::{self, Project, SETTINGS},
    context::{Context, Failure},
    git::{
        Checkout, CommitId, Depot, EntryKind, Git, GitError, ObjectId, Objects, RemoteAddress,
        RemoteName, work_tree_of,
    },
    model::{self, AppId, BaseName},
    state::StateError,
    syntax::{Settings, parse_settings},
};

/// The base is named, and neither is it here nor does the remote give it.
#[derive(Debug, Error, Diagnostic)]
#[error("the base commit is not in this clone: {commit}, and it could not be fetched: {why}")]
#[diagnostic(
    code(connplan::approval::base),
    help(
        "connplan needs its settings; fetch it: on GitHub `with: {{ fetch-depth: 0 }}` at \
         actions/checkout, on GitLab `GIT_DEPTH: 0`"
    )
)]
pub(super) struct NoBase {
    commit: String,
    why: String,
}

/// What binds is a link there, and a link may lead anywhere.
#[derive(Debug, Error, Diagnostic)]
#[error("{file} of {commit}, which binds here, is a link and is not followed")]
#[diagnostic(
    code(connplan::approval::base),
    help("have it merged as a file of its own first")
)]
pub(super) struct LinkedBase {
    file: String,
    commit: String,
}

/// Has the policy of the base bind as well, where a pipeline runs for a pull or merge request.
pub(super) async fn bind(context: &Context, project: &mut Project) -> Result<(), Failure> {
    if !model::is_request(&context.vars, context.event().as_ref()) {
        return Ok(());
    }
    if let Some(base) = Base::find(context, project).await? {
        let settings = base.settings(context).await?.into_iter();
        project.base_settings = settings.map(|found| found.settings).collect();
    } else {
        context.warn(
            "there is no repository here: the policy of the base branch cannot be read, and does \
             not bind",
        );
    }
    Ok(())
}

/// The base of what is checked out.
pub(super) struct Base {
    at: At,
    /// Where this project stands in the work tree, as folders with `/` at their end: where its settings
    /// are, where it is, and where the command line says that it is.
    places: Vec<String>,
    /// The folder of the project itself.
    own: String,
    /// The app that it is of, where that is told.
    app: Option<AppId>,
}

/// Settings of the base.
pub(super) struct BaseSettings {
    /// Where they stand; what they name is relative to it.
    folder: String,
    pub(super) settings: Settings,
}

impl Base {
    /// Finds it, and fetches it where it is not here; none without a repository, or where there is
    /// nothing before this commit.
    pub(super) async fn find(
        context: &Context,
        project: &Project,
    ) -> Result<Option<Self>, Failure> {
        let root = work_tree_of(&project.root).or_else(|| work_tree_of(&context.start));
        let Some(root) = root else {
            return Ok(None);
        };
        let Some(at) = At::find(context, &root).await? else {
            return Ok(None);
        };
        let within = |place: &Path| {
            let place = std::fs::canonicalize(place).unwrap_or_else(|_| place.to_owned());
            let inner = place.strip_prefix(at.checkout.root()).ok()?;
            Some(folder_name(inner))
        };
        let home = project.settings_file.as_deref().and_then(Path::parent);
        let own = within(&project.root).unwrap_or_default();
        let told = place_told(&context.start, &context.vars, at.checkout.root());
        let mut places: Vec<_> = home.and_then(within).into_iter().collect();
        places.push(own.clone());
        places.extend(told.as_deref().map(folder_name));
        Ok(Some(Self {
            at,
            places,
            own,
            app: project.app().ok().map(|app| app.id),
        }))
    }

    /// A file beside some settings, as the base has it.
    pub(super) async fn file(
        &self,
        beside: &BaseSettings,
        name: &str,
    ) -> Result<Option<String>, Failure> {
        let plain = name.split('/').all(|part| !matches!(part, "" | "." | ".."));
        if !plain {
            return Ok(None);
        }
        self.read(&format!("{}{name}", beside.folder)).await
    }

    async fn read(&self, path: &str) -> Result<Option<String>, Failure> {
        let Some(entry) = self.at.objects().find(&self.at.commit, path).await? else {
            return Ok(None);
        };
        match entry.kind {
            EntryKind::File => {
                let bytes = self.at.objects().read(&entry.id).await?;
                Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
            }
            EntryKind::Link => {
                let file = crate::escape::limited(path, 200);
                let commit = self.short();
                Err(LinkedBase { file, commit }.into())
            }
            EntryKind::Folder | EntryKind::Module => Ok(None),
        }
    }

    /// The settings that the base has for this project, wherever the proposal moves them or it. Those
    /// that cannot be read bind nobody: they did not then.
    pub(super) async fn settings(&self, context: &Context) -> Result<Vec<BaseSettings>, Failure> {
        let mut found: BTreeMap<String, BaseSettings> = BTreeMap::new();
        let tree = self.at.objects().tree(&self.at.commit).await?;
        let of_app = self.of_the_same_app(&tree).await?;
        for place in self.places.iter().chain(&of_app) {
            // A project that is new within another one has the other's.
            for outer in outwards(place) {
                let mut some = false;
                for folder in [outer.to_owned(), format!("{outer}base44/")] {
                    if let Some(settings) = self.settings_in(context, &folder).await? {
                        found.insert(folder, settings);
                        some = true;
                    }
                }
                if some {
                    break;
                }
            }
        }
        let is_new = !configs_in(&self.own).any(|config| tree.contains_key(&config));
        let anywhere = is_new || found.is_empty();
        for folder in tree.keys().filter_map(|path| path.strip_suffix(SETTINGS)) {
            if !(folder.is_empty() || folder.ends_with('/')) || found.contains_key(folder) {
                continue;
            }
            // Of projects that are at their place still, nothing binds here.
            let binds = match standing(self.at.checkout.root(), folder) {
                Standing::There => false,
                Standing::Gone => anywhere,
                Standing::Link => true,
            };
            if binds && let Some(settings) = self.settings_in(context, folder).await? {
                found.insert(folder.to_owned(), settings);
            }
        }
        Ok(found.into_values().collect())
    }

    /// Where the base has projects of the same app: what they forbid for it is not allowed by planning it
    /// from another folder.
    async fn of_the_same_app(
        &self,
        tree: &BTreeMap<String, ObjectId>,
    ) -> Result<Vec<String>, Failure> {
        let Some(app) = &self.app else {
            return Ok(Vec::new());
        };
        let parted = |path: &str| -> (usize, bool) {
            let start = path.rfind('/').map_or(0, |at| at + 1);
            let names = path.get(start..).is_some_and(config::names_apps);
            (start, names)
        };
        let files: Vec<_> = tree.iter().filter(|(path, _)| parted(path).1).collect();
        let ids: Vec<_> = files.iter().map(|(_, id)| (*id).clone()).collect();
        let limit = usize::try_from(config::MAX_FILE_SIZE).unwrap_or(usize::MAX);
        let texts = self.at.objects().blobs(&ids, limit).await?;
        let names_it = |(path, id): (&String, &ObjectId)| {
            let (folder, name) = path.split_at(parted(path).0);
            let text = String::from_utf8_lossy(texts.get(id)?);
            let named = config::apps_named(name, &text);
            named.contains(app).then(|| folder.to_owned())
        };
        Ok(files.into_iter().filter_map(names_it).collect())
    }

    async fn settings_in(
        &self,
        context: &Context,
        folder: &str,
    ) -> Result<Option<BaseSettings>, Failure> {
        let path = format!("{folder}{SETTINGS}");
        let Some(text) = self.read(&path).await? else {
            return Ok(None);
        };
        let settings = parse_settings(SETTINGS, &text).0;
        if settings.is_none() {
            let path = crate::escape::limited(&path, 200);
            context.warn(&format!(
                "{path} of {} has errors, and does not bind here",
                self.short()
            ));
        }
        Ok(settings.map(|settings| BaseSettings {
            folder: folder.to_owned(),
            settings,
        }))
    }

    /// `abc1234`, for messages.
    pub(super) fn short(&self) -> String {
        self.at.commit.as_str().chars().take(7).collect()
    }
}

/// A commit of a repository.
struct At {
    checkout: Checkout,
    commit: CommitId,
    /// Where the commit is, if not in the checkout.
    fetched: Option<Depot>,
}

impl At {
    /// The base of the work tree at this root; none where nothing is before what is checked out.
    ///
    /// A pipeline speaks of the repository that it runs for. Of one within it (a submodule) the base is
    /// what the outer one's base has in that place: a proposal may have put it there.
    fn find<'a>(
        context: &'a Context,
        root: &'a Path,
    ) -> LocalBoxFuture<'a, Result<Option<Self>, Failure>> {
        async move {
            let checkout = Checkout::of(root, Git::new(&context.vars))?;
            if let Some((outer, inner)) = module_of(context, root).await
                && let Some(outer) = Self::find(context, &outer).await?
            {
                let there = outer.objects().find(&outer.commit, &inner).await?;
                let Some(module) = there.filter(|there| there.kind == EntryKind::Module) else {
                    return Ok(Some(outer));
                };
                let named = module.id.as_str();
                let (commit, fetched) = here_or_fetched(context, &checkout, named).await?;
                return Ok(Some(Self {
                    checkout,
                    commit,
                    fetched,
                }));
            }
            let Some(head) = checkout.head().await? else {
                return Ok(None);
            };
            let found = match BaseName::of(&context.vars, context.event().as_ref()) {
                BaseName::Commit(name) => Some(here_or_fetched(context, &checkout, &name).await?),
                BaseName::Branch(name, or) => Some(branch(context, &checkout, &name, or).await?),
                BaseName::Nothing => unnamed(context, &checkout, &head).await?,
            };
            Ok(found.map(|(commit, fetched)| Self {
                checkout,
                commit,
                fetched,
            }))
        }
        .boxed_local()
    }

    fn objects(&self) -> Objects<'_> {
        match &self.fetched {
            Some(depot) => depot.objects(),
            None => self.checkout.objects(),
        }
    }
}

/// The repository around this one, and where in it this one is a submodule; none where it is not.
async fn module_of(context: &Context, root: &Path) -> Option<(PathBuf, String)> {
    let outer = work_tree_of(root.parent()?)?;
    let inner = folder_name(root.strip_prefix(&outer).ok()?);
    let inner = inner.trim_end_matches('/').to_owned();
    let checkout = Checkout::of(&outer, Git::new(&context.vars)).ok()?;
    let head = checkout.head().await.ok()??;
    let there = checkout.objects().find(&head, &inner).await.ok()??;
    (there.kind == EntryKind::Module).then_some((outer, inner))
}

/// A commit, and where it is if not in the checkout.
type Found = (CommitId, Option<Depot>);

/// A commit by its name; from the remote where this clone lacks it.
async fn here_or_fetched(
    context: &Context,
    checkout: &Checkout,
    name: &str,
) -> Result<Found, Failure> {
    if let Some(commit) = checkout.resolve(name).await? {
        return Ok((commit, None));
    }
    let missing = |why: String| NoBase {
        commit: crate::escape::limited(name, 64),
        why,
    };
    let commit = ObjectId::parse(name).map_err(|e| missing(e.to_string()))?;
    let fetched = async {
        let (depot, remote) = depot(context, checkout).await?;
        depot.fetch_commit(&remote, &commit).await?;
        Ok::<_, Failure>(depot)
    };
    let fetched = fetched.await;
    let depot = fetched.map_err(|failure| missing(failure.report.to_string()))?;
    Ok((commit, Some(depot)))
}

/// The head of a branch as the remote has it; else as this clone knows it; else `or`.
async fn branch(
    context: &Context,
    checkout: &Checkout,
    name: &str,
    or: Option<String>,
) -> Result<Found, Failure> {
    let fetched = async {
        let (depot, remote) = depot(context, checkout).await?;
        let commit = depot.fetch_branch(&remote, name).await?;
        Ok::<_, Failure>((commit, Some(depot)))
    };
    let failure = match fetched.await {
        Ok(found) => return Ok(found),
        Err(failure) => failure,
    };
    let known = ["remotes/origin", "heads"].map(|place| format!("refs/{place}/{name}"));
    let name = crate::escape::limited(name, 100);
    context.warn(&format!(
        "the branch {name} cannot be fetched, and its settings bind as this clone knows them: {}",
        failure.report
    ));
    for known in known {
        if let Some(commit) = checkout.resolve(&known).await? {
            return Ok((commit, None));
        }
    }
    match or {
        Some(or) => here_or_fetched(context, checkout, &or).await,
        None => Err(NoBase {
            commit: name,
            why: failure.report.to_string(),
        }
        .into()),
    }
}

/// Where what is fetched is kept: not in the checkout, of which nothing changes.
async fn depot(context: &Context, checkout: &Checkout) -> Result<(Depot, RemoteAddress), Failure> {
    let origin = RemoteName::parse("origin").map_err(GitError::from)?;
    let remote = checkout.remote(&origin).await?;
    let state = context.state.dir().ok_or(StateError::Nowhere)?;
    let cache = state.join("git").join(remote.cache_name());
    let depot = Depot::open(&cache, checkout.git().clone()).await?;
    Ok((depot, remote))
}

/// Where this line of history left the default branch; on it, the commit before.
async fn unnamed(
    context: &Context,
    checkout: &Checkout,
    head: &CommitId,
) -> Result<Option<Found>, Failure> {
    let origin = RemoteName::parse("origin").map_err(GitError::from)?;
    let branch = checkout.default_branch(&origin).await?;
    let main = match branch {
        Some(branch) => {
            checkout
                .resolve(&format!("refs/remotes/origin/{branch}"))
                .await?
        }
        None => None,
    };
    let left = match main {
        Some(main) => checkout.merge_base(head, &main).await?,
        None => None,
    };
    match left {
        Some(left) if left != *head => Ok(Some((left, None))),
        // It may have one that a shallow clone lacks. At a desk nothing is fetched for that.
        _ => match checkout.named_parent(head).await? {
            Some(parent) if !context.vars.ci() => {
                let parent = checkout.resolve(&parent).await?;
                Ok(parent.map(|parent| (parent, None)))
            }
            Some(parent) => here_or_fetched(context, checkout, &parent).await.map(Some),
            None => Ok(None),
        },
    }
}

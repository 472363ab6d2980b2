//! The commits that a proposal is measured against. Their settings bind, the proposal's do not loosen them.
//!
//! **Evidence only ever adds a commit here; nothing that a requester can bring about takes one away.**
//!
//! - What started a run decides alone whether it is for a request. Anybody may open a request from any branch,
//!   and events list it: such lists add the branches that those requests go into.
//! - A request: the commit that the event names, its target as it is now, and what the forge merged it onto.
//!   In a queue: what is ahead.
//! - A push: what the branch was before, where it was forced also where it left that, and the branch as it is now.
//! - A push that makes a branch, a tag, and whatever else names no commit before (a schedule, a start by hand, a run
//!   after a run): the default branch, as it is now and where this line of history left it; on it, the commit
//!   before.
//! - The commit that was applied last; to plan an open request, it does not bind.
//! - A branch is the run's repository's: where `origin` is beyond doubt another one, such as a fork, it does not count.
//! - In a pipeline, what cannot be told or fetched is an error that says what the workflow lacks.
//! - `.git` may be altered. Ids that the pipeline names are proved by `git`; HEAD and branches of the clone are not: on
//!   GitLab the run's commit counts beside HEAD, and branches are fetched from where the runner cloned.
//!
//! `model::BaseName::of` says which, from an event and variables: the table in its tests has each kind.

mod branch_now;
mod cloned;
mod commit;
mod default_branch;
mod fetched;
mod heads;
mod inner;
mod named;
mod newest;
mod places;
mod run_repository;
mod signers;
mod submodule_changes;
mod submodules;
mod terms;
mod tree;
mod view;

use std::{
    fmt,
    path::{Path, PathBuf},
};

use tokio::sync::OnceCell;

pub use self::{
    branch_now::{begun, is_again},
    cloned::{check_cloned, check_remote},
    commit::submodule_of,
    fetched::cloned_instead,
    newest::Merged,
    run_repository::is_of_run,
    signers::signers,
    view::BaseSettings,
};
use self::{
    commit::CommitAt,
    places::{place_told, told},
    view::{Known, Run, View, Where},
};
use crate::{
    approval::Signers,
    config::{BaseDanger, Project, watched::Unwatched},
    context::{Context, Failure},
    git::Checkout,
    model::{self, AppId, BaseName, Declared, RunRepository},
    store::Place,
    syntax::Settings,
};

/// The base of what is checked out, looked for once in a run, when somebody first asks.
#[derive(Default)]
pub struct Bases(OnceCell<Option<Held>>);

/// A base, and the settings that bind there.
pub struct Held {
    /// The base.
    pub base: Base,
    /// What it has for the project.
    pub settings: Vec<BaseSettings>,
    /// What its connector files declare, by its commits.
    pub declared: Vec<(Whose, Declared)>,
}

/// Whose connector files they are.
#[derive(Clone, Debug)]
pub struct Whose {
    /// The commit, for messages.
    pub commit: String,
    /// They are those of the project, as it stood and was the app's.
    pub own: bool,
}

impl fmt::Debug for Bases {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bases").finish_non_exhaustive()
    }
}

impl Bases {
    /// Finds it, and fetches it where it is not here; none without a repository, or where there is
    /// nothing before this commit.
    pub async fn find(
        &self,
        context: &Context,
        project: &Project,
    ) -> Result<Option<&Held>, Failure> {
        let look = || Held::look(context, project, None);
        Ok(self.0.get_or_try_init(look).await?.as_ref())
    }
}

/// Makes the settings of the base apply as well, where a pipeline runs for a pull or merge request; else
/// those of the branch that it runs for, if it has gone on since, and of the default branch where nothing
/// says what was before. Says what was found on the way.
pub async fn bind(context: &Context, project: &mut Project) -> Result<Bases, Failure> {
    let (bases, event) = (Bases::default(), context.named_event()?);
    let unwatched = project.unwatched();
    if !model::is_request(&context.vars, event.as_ref()) {
        if let Some(unwatched) = unwatched {
            context.warn_once(&format!("{unwatched}, {}", Unwatched::HELP));
        }
        let names = BaseName::of(&context.vars, event.as_ref());
        let (now, others): (Vec<_>, Vec<_>) = names
            .into_iter()
            .filter_map(|name| name.with_policy(context.vars.ci()))
            .partition(|name| matches!(name, BaseName::Now(_)));
        if !now.is_empty()
            && let Some(held) = Held::of(context, project, now).await?
        {
            let views = held.base.views.iter();
            project.newest = views.map(|view| view.at.commit.to_string()).collect();
            project.now_settings = held.settings.into_iter().map(|it| it.settings).collect();
        }
        let is_told = |name: &BaseName| !matches!(name, BaseName::Default(line) if !line.is_told());
        let is_told = others.iter().any(is_told);
        project.line_settings = match at(context, project, others).await {
            // In another forge's pipeline: who asks for approval says so, and an apply is refused by the same.
            Err(failure) if !is_told => {
                tracing::info!(%failure.report, "the default branch's policy is not known");
                Vec::new()
            }
            found => found?,
        };
        return Ok(bases);
    }
    let unwatched = unwatched.map(BaseDanger::Unwatched);
    project.base_dangers.extend(unwatched);
    if let Some(held) = bases.find(context, project).await? {
        for before in &held.settings {
            project.base_dangers.extend(before.danger());
            project
                .base_dangers
                .extend(held.base.other_signers(before, project).await);
            project
                .base_dangers
                .extend(held.base.other_store(context, before, project).await);
        }
        let run = held.base.run(context, project);
        let mut others = Vec::new();
        for view in &held.base.views {
            others.extend(view.another_app(&run).await?);
        }
        project.base_dangers.extend(others);
        model::sort(&mut project.base_dangers, Ord::cmp);
        project.base_dangers.dedup();
        let settings = held.settings.iter();
        project.base_settings = settings.map(|found| found.settings.clone()).collect();
        if project.base_settings.is_empty() {
            // Without any the defaults are what the proposal changes.
            project.base_settings.push(Settings::default());
        }
    } else {
        context.warn(
            "this folder is not in a git repository: connplan cannot read the settings of the base branch, so they \
             do not apply to this pull or merge request",
        );
    }
    Ok(bases)
}

impl Held {
    /// What binds at these commits.
    pub async fn of(
        context: &Context,
        project: &Project,
        names: Vec<BaseName>,
    ) -> Result<Option<Self>, Failure> {
        Self::look(context, project, Some(names)).await
    }

    async fn look(
        context: &Context,
        project: &Project,
        names: Option<Vec<BaseName>>,
    ) -> Result<Option<Self>, Failure> {
        let Some(mut base) = Base::look(context, project, names).await? else {
            return Ok(None);
        };
        let settings = base.settings(context, project).await?;
        let declared = base.declared(context, project, &settings).await?;
        Ok(Some(Self {
            base,
            settings,
            declared,
        }))
    }
}

/// The settings of these commits.
async fn at(
    context: &Context,
    project: &Project,
    names: Vec<BaseName>,
) -> Result<Vec<Settings>, Failure> {
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let held = Held::of(context, project, names).await?;
    let settings = held.into_iter().flat_map(|held| held.settings);
    Ok(settings.map(|found| found.settings).collect())
}

/// The base of what is checked out: in the project's repository, and in those around it and around
/// where the command line and the pipeline say that it is. A proposal may have made a link of the
/// project that leads out of them.
pub struct Base {
    views: Vec<View>,
    /// The app that it is of, where that is told.
    app: Option<AppId>,
}

impl Base {
    async fn look(
        context: &Context,
        project: &Project,
        names: Option<Vec<BaseName>>,
    ) -> Result<Option<Self>, Failure> {
        let told = told(&context.start, &context.vars);
        let mut views = Vec::new();
        let nearest = context.git().work_tree_of(&project.root);
        let trees = work_trees(context, project, told.as_deref()).await?;
        let names = match (names, trees.as_slice()) {
            (Some(names), _) => names,
            (None, []) => Vec::new(),
            (None, _) => named::names(context).await?,
        };
        for root in trees {
            for at in CommitAt::find(context, &root, &names).await? {
                // Of a submodule that the base has not, what is around it tells.
                if views.iter().any(|view: &View| view.is_of(&at)) {
                    continue;
                }
                let told = told
                    .as_deref()
                    .and_then(|told| place_told(told, at.checkout.root()));
                let project = Where {
                    home: project.settings_file.as_deref().and_then(Path::parent),
                    root: &project.root,
                    told: told.as_deref(),
                    is_first: nearest.as_ref() == Some(&root),
                };
                let view = View::new(context, at, &project, &views).await?;
                views.push(view);
            }
        }
        Ok((!views.is_empty()).then(|| Self {
            views,
            app: project.app().ok().map(|app| app.id),
        }))
    }

    /// A file beside some settings, as the base has it.
    pub async fn file(&self, beside: &BaseSettings, name: &str) -> Result<Option<String>, Failure> {
        let path = places::beside(&beside.folder, name);
        match self.views.get(beside.view).zip(path) {
            Some((view, path)) => view.read(&path).await,
            None => Ok(None),
        }
    }

    /// Whether the proposal lets others sign than these settings of the base: by what the file says whose
    /// name stays. Another name is seen by the settings.
    async fn other_signers(&self, before: &BaseSettings, project: &Project) -> Option<BaseDanger> {
        let (then, now) = (&before.settings.approval, &project.settings.approval);
        let name = then.signers.as_deref()?;
        if now.signers.as_deref() != Some(name) || then.need().is_none() {
            return None;
        }
        let now = signers(project, now).ok().flatten();
        // What is not here to be compared, is another file than the one that is.
        let then = self.file(before, name).await.ok().flatten();
        let then = then.and_then(|text| Signers::parse(name, &text).ok());
        (then != now).then(|| BaseDanger::Signers(crate::escape::limited(name, 200)))
    }

    /// Whether the proposal has another repository in the project's place, whose remote of the same name is
    /// another store. Another text is seen by the settings.
    async fn other_store(
        &self,
        context: &Context,
        before: &BaseSettings,
        project: &Project,
    ) -> Option<BaseDanger> {
        let (then, now) = (&before.settings.store, &project.settings.store);
        let place = |url: Option<&str>| url.and_then(|url| Place::parse(url).ok());
        let (Some(Place::Git(then)), Some(Place::Git(now))) =
            (place(then.url.as_deref()), place(now.url.as_deref()))
        else {
            return None;
        };
        let there = self.views.get(before.view)?.checkout();
        let here = Checkout::of(&project.root, there.git().clone()).ok();
        let is_there = |here: &Checkout| here.root() == there.root();
        let is_named = context.vars.get(Place::VARIABLE).is_some();
        if then != now || is_named || here.as_ref().is_some_and(is_there) {
            return None;
        }
        let run = RunRepository::of(&context.vars);
        let run = run.as_ref();
        let there = there.remote(run, &then).await.ok();
        let here = match here {
            Some(here) => here.remote(run, &now).await.ok(),
            None => None,
        };
        let [there, here] = [there, here].map(|at| at.map(|at| at.identity()));
        let same = there.is_some() && there == here;
        (!same).then_some(BaseDanger::Store)
    }

    /// The settings that the base has for this project.
    async fn settings(
        &self,
        context: &Context,
        project: &Project,
    ) -> Result<Vec<BaseSettings>, Failure> {
        let run = self.run(context, project);
        let mut found = Vec::new();
        for (number, view) in self.views.iter().enumerate() {
            let is_new = match view.project() {
                Known::Yes => false,
                Known::No => true,
                Known::Within => !run.is_known,
            };
            found.extend(view.settings(context, number, &run, is_new).await?);
        }
        Ok(found)
    }

    fn run<'a>(&'a self, context: &'a Context, project: &'a Project) -> Run<'a> {
        // Of a project in a repository within another one the inner one alone knows; and where it knows none, the
        // project is new for all.
        let is_known = self.views.iter().any(|view| view.project() == Known::Yes);
        Run {
            project,
            process: &context.vars,
            app: self.app.as_ref(),
            is_known,
        }
    }

    /// The repository that some settings stand in.
    pub fn repository(&self, of: &BaseSettings) -> Option<&Checkout> {
        self.views.get(of.view).map(View::checkout)
    }

    /// Which commit some settings are of, for messages.
    pub fn short(&self, of: &BaseSettings) -> String {
        self.views.get(of.view).map(View::short).unwrap_or_default()
    }
}

impl BaseSettings {
    /// What is said of settings with errors, where they are only looked at. A request that corrects them
    /// has to be planned; nothing is applied by them.
    fn danger(&self) -> Option<BaseDanger> {
        let broken = self.broken.as_ref()?;
        Some(BaseDanger::Broken {
            settings: format!("{} of {}", broken.file, broken.commit),
            why: broken.why.clone(),
        })
    }

    /// Fails if they are not all that stand there.
    pub fn check(&self) -> Result<(), Failure> {
        match &self.broken {
            Some(broken) => Err(broken.clone().into()),
            None => Ok(()),
        }
    }
}

/// The work trees that have a say: the project's own first, and those of which it is a submodule; those
/// that the command line names and a link leads out of; the pipeline's. What cannot be read of one is an error,
/// and never says that nothing binds there.
async fn work_trees(
    context: &Context,
    project: &Project,
    told: Option<&Path>,
) -> Result<Vec<PathBuf>, Failure> {
    let mut found: Vec<PathBuf> = Vec::new();
    let homes = [&project.settings_file, &project.config_file].into_iter();
    let homes = homes.filter_map(|file| file.as_deref()?.parent());
    // Of one whose `base44` alone is a submodule that tells too.
    let tree_of = |folder: &Path| context.git().work_tree_of(folder);
    for home in homes.filter_map(tree_of) {
        if !found.contains(&home) && submodule_of(context, &home).await?.is_some() {
            found.push(home);
        }
    }
    found.extend(tree_of(&project.root).filter(|root| !found.contains(root)));
    let mut next = 0;
    while let Some(inner) = found.get(next) {
        next += 1;
        if let Some((outer, _)) = submodule_of(context, inner).await?
            && !found.contains(&outer)
        {
            found.push(outer);
        }
    }
    let led = |folder: &&Path| {
        let place = folder.canonicalize().ok();
        let inner = told.and_then(|told| told.strip_prefix(folder).ok());
        let place = place.zip(inner).map(|(place, inner)| place.join(inner));
        place.is_some_and(|place| place.canonicalize().ok().as_ref() != Some(&place))
    };
    let is_it = |root: &Path, folder: &Path| folder.canonicalize().is_ok_and(|it| it == root);
    let tree = |folder: &Path| tree_of(folder).filter(|root| is_it(root, folder));
    let around = told.into_iter().flat_map(Path::ancestors).filter(led);
    let pipeline = context.vars.checkout_folders().map(Path::new);
    for root in around.chain(pipeline).filter_map(tree) {
        if !found.contains(&root) {
            found.push(root);
        }
    }
    Ok(found)
}

//! What approval the settings that bind demand, and what the forge's reviews say.

use std::{collections::BTreeSet, fmt};

use miette::Diagnostic as _;
use tokio::sync::OnceCell;

use super::{
    behind::behind,
    terms::{beside, other_terms},
};
use crate::{
    approval::{Approval, ApprovalError, FromRisk, Need, Requirement, Signers, reviews},
    base::{BaseSettings, Bases, Held, Whose, check_cloned, check_remote, signers},
    config::Project,
    context::Failure,
    model::{App, BaseName, Declared, is_for_open_request},
    ops::{
        Around, Team,
        applied::applied_from,
        gates::{StoreIn, hold_store},
        policy::denials,
        team::stored_plan,
        values::resolved,
    },
    plan::{Digest, Plan, difference, document},
    publish::{self, Overrides, Place, PublishError},
    store,
    syntax::PolicySettings,
};

/// What for somebody asks which settings bind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To look, or to have approved: a request that is open is measured against its base alone.
    #[default]
    Look,
    /// To sign: as to look, and at a desk by what the store says was applied last, too.
    Sign,
    /// To write, or to ask for what was written.
    Write,
}

/// The settings that bind, and whose signatures they let count.
pub(super) struct Binding {
    needs: Vec<Need>,
    signers: Option<Signers>,
    /// What the base says of the team's store.
    stores: Vec<StoreIn>,
    /// What the base forbids, by its commits.
    policies: Vec<(String, PolicySettings)>,
    /// What its connector files declare, by its commits.
    declared: Vec<(Whose, Declared)>,
    beside: Vec<Declared>,
    /// Whether there is a commit that this one is measured against.
    pub(super) has_base: bool,
    /// Whether it is known what was applied last.
    pub(super) has_applied: bool,
    /// That the branch and the app have gone on without this commit.
    pub(super) behind: Option<String>,
    /// What the change brings of which the forge does not tell who made and pushed it.
    pub(super) brought: Option<String>,
    /// Why nobody can be asked for what the branches say by now, where somebody only looks.
    pub(super) unasked: Option<String>,
}

impl Binding {
    /// Demands this too.
    pub(super) fn demand(&mut self, need: Need) {
        self.needs.push(need);
    }

    /// What every set of settings demands.
    pub(super) fn needs(&self) -> &[Need] {
        &self.needs
    }

    /// How risky a plan is. What the base forbids is a danger, as a rule that is broken on purpose is: the change
    /// that takes the rule away does not approve what it forbade.
    pub(super) fn risk(&self, plan: &Plan) -> FromRisk {
        if self.forbidden(plan).is_empty() {
            FromRisk::of(plan)
        } else {
            FromRisk::Danger
        }
    }

    /// What of a plan the base forbids, for people.
    pub(super) fn forbidden(&self, plan: &Plan) -> BTreeSet<String> {
        let policies = self.policies.iter();
        policies
            .flat_map(|(commit, there)| {
                let said = move |why| {
                    format!("before this change, at {commit}, the policy forbade this: {why}")
                };
                denials(there, plan).into_iter().map(said)
            })
            .chain(
                self.declared
                    .iter()
                    .flat_map(|(whose, there)| other_terms(whose, there, &self.beside, plan)),
            )
            .collect()
    }

    /// Whether a plan of this risk needs approval.
    pub(super) fn concerns(&self, risk: FromRisk) -> bool {
        self.needs.iter().any(|need| need.concerns(risk))
    }

    /// Whether a review could be among what it needs.
    pub(super) fn takes_reviews(&self) -> bool {
        let mut needs = self.needs.iter();
        needs.any(|need| need.require != Requirement::Signature)
    }

    /// Whose signatures count, if anybody's do.
    pub(super) fn signers(&self) -> Option<&Signers> {
        self.signers.as_ref()
    }

    /// Has the project use the base's store where it names none itself. Opens the others that the base
    /// names, if they are needed: what they know of approvals counts.
    pub(super) async fn hold_stores(
        &self,
        around: &Around<'_>,
        project: &mut Project,
        app: &App,
        needed: bool,
    ) -> Result<Vec<Team>, Failure> {
        let mut others = hold_store(project, self.stores.iter());
        if !needed {
            others.clear();
        }
        Team::all_before(around, project, app, &others).await
    }

    /// Reads them: this checkout's, and those of the commit that it is measured against, which it
    /// cannot loosen. Whose signatures count is the latter's to say.
    pub(super) async fn of(
        around: &Around<'_>,
        project: &Project,
        bases: &Bases,
        purpose: Purpose,
    ) -> Result<Self, Failure> {
        let here = &project.settings.approval;
        let base = bases.find(around.context, project).await?;
        let mut found = Self {
            needs: here.need().into_iter().collect(),
            signers: None,
            stores: Vec::new(),
            policies: Vec::new(),
            declared: Vec::new(),
            beside: beside(around.context, project).await?,
            has_base: base.is_some(),
            has_applied: false,
            behind: None,
            brought: None,
            unasked: None,
        };
        if !found.has_base {
            check_cloned(around.context, project)?;
        }
        match check_remote(around.context, project, found.has_base).await {
            Err(failure) if purpose != Purpose::Write => found.unasked = Some(failure.told()),
            checked => checked?,
        }
        for before in base.into_iter().flat_map(|held| &held.settings) {
            before.check()?;
        }
        if let Some(held) = base {
            found.brought = held
                .base
                .brought_from_elsewhere(around.context, project)
                .await?;
        }
        let has_signers = |held: &&Held| {
            let mut settings = held.settings.iter();
            settings.any(|before| before.settings.approval.signers.is_some())
        };
        let named = base.filter(has_signers);
        found.demand_all(project, base, named.is_some());
        let applied = found.applied_from(around, project, purpose).await?;
        found.has_applied = !applied.is_empty();
        found.behind = behind(around, project, &applied);
        let applied = match applied {
            none if none.is_empty() => None,
            commits => Held::of(around.context, project, commits).await?,
        };
        // Whose signatures count is the base's word, for what the commit applied last demands, too: a team whose
        // keys are new would never apply again. Who comes later in this row lets nobody sign for who came before.
        let named = named.or(applied.as_ref().filter(has_signers));
        // What a newer connplan calls an error there binds as far as it can be read, until something is applied.
        found.demand_all(project, applied.as_ref(), named.is_some());
        found.signers = match named {
            Some(held) => signers_of(held).await?,
            // It asks for signatures, and nobody is named who gives them.
            None if found.needs.iter().any(Need::takes_nothing) => None,
            None => signers(project, here)?,
        };
        Ok(found)
    }

    /// Demands what the settings of a base demand. `signers`: whether anybody may sign for that.
    fn demand_all(&mut self, project: &Project, held: Option<&Held>, signers: bool) {
        for (whose, declared) in held.iter().flat_map(|held| &held.declared) {
            // A variable that is not set any more is not what stands there now.
            let there = resolved(project, declared.clone()).unwrap_or_else(|_| declared.clone());
            self.declared.push((whose.clone(), there));
        }
        for (held, before) in held.iter().flat_map(|held| {
            let settings = held.settings.iter();
            settings.map(move |before| (held, before))
        }) {
            let BaseSettings { settings, .. } = before;
            let need = settings.approval.need();
            self.needs.extend(need.map(|need| Need { signers, ..need }));
            let policy = settings.policy.clone();
            self.policies.push((held.base.short(before), policy));
            if let Some(repository) = held.base.repository(before) {
                self.stores.push(StoreIn {
                    root: repository.root().to_owned(),
                    settings: settings.store.clone(),
                });
            }
        }
    }

    /// The commits from which the app was last changed, as the stores know that, and without any this
    /// machine. What a run refused since then is still to be applied, and the next push does not free it.
    /// At a desk, and for the plan of a request that is open, it is the base that counts. Whoever writes for
    /// such a request, before its merge, writes what was refused before it as well.
    async fn applied_from(
        &mut self,
        around: &Around<'_>,
        project: &Project,
        purpose: Purpose,
    ) -> Result<Vec<BaseName>, Failure> {
        let context = around.context;
        let event = context.named_event()?;
        let looks = purpose != Purpose::Write;
        let signs = purpose == Purpose::Sign;
        if !context.vars.ci() && !signs
            || looks && is_for_open_request(&context.vars, event.as_ref())
        {
            return Ok(Vec::new());
        }
        let Ok(app) = project.app() else {
            return Ok(Vec::new());
        };
        let before = self.stores.iter().map(|store| &store.settings);
        let named = before.chain([&project.settings.store]);
        let named = named.filter_map(|store| store.url.as_deref());
        let named: Vec<_> = named
            .filter_map(|url| store::Place::parse(url).ok())
            .collect();
        let mut found = BTreeSet::new();
        if !named.is_empty() {
            found = self.applied_by(around, project, &app).await?;
        }
        // A store that knows of no apply is new, and the one before may be named nowhere any more.
        if found.is_empty() && !signs {
            let which = (named.as_slice(), purpose == Purpose::Write);
            let left = Team::left(around, project, &app, which).await?.into_iter();
            self.stores.extend(left.map(|settings| StoreIn {
                root: project.root.clone(),
                settings,
            }));
            found = self.applied_by(around, project, &app).await?;
        }
        Ok(found.into_iter().map(BaseName::Applied).collect())
    }

    /// The same, as the stores know it that the settings name; this machine's own memory without any.
    async fn applied_by(
        &self,
        around: &Around<'_>,
        project: &Project,
        app: &App,
    ) -> Result<BTreeSet<Vec<String>>, Failure> {
        let mut project = project.clone();
        let mut stores = self.hold_stores(around, &mut project, app, true).await?;
        stores.push(Team::of(around, &project, app).await?);
        let mut found = BTreeSet::new();
        for team in &stores {
            found.extend(applied_from(team.memory()).await?);
        }
        Ok(found)
    }
}

/// The same, read once, when somebody first asks.
#[derive(Default)]
pub struct LazyBinding {
    bases: Bases,
    read: OnceCell<Binding>,
    purpose: Purpose,
}

impl fmt::Debug for LazyBinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LazyBinding").finish_non_exhaustive()
    }
}

impl LazyBinding {
    /// Where it was looked for the base already.
    pub fn at(bases: Bases) -> Self {
        Self {
            bases,
            ..Self::default()
        }
    }

    /// For what is written by them, or was.
    pub fn to_write() -> Self {
        Self {
            purpose: Purpose::Write,
            ..Self::default()
        }
    }

    /// The bases by which they are read.
    pub(in crate::ops) fn bases(&self) -> &Bases {
        &self.bases
    }

    /// The stores that the base names beside the checkout's.
    pub(in crate::ops) async fn other_stores(
        &self,
        around: &Around<'_>,
        project: &Project,
        app: &App,
    ) -> Result<Vec<Team>, Failure> {
        let binding = self.get(around, project).await?;
        let project = &mut project.clone();
        binding.hold_stores(around, project, app, true).await
    }

    pub(super) async fn get(
        &self,
        around: &Around<'_>,
        project: &Project,
    ) -> Result<&Binding, Failure> {
        let read = async || Binding::of(around, project, &self.bases, self.purpose).await;
        self.read.get_or_try_init(read).await
    }

    /// What approval the settings that bind demand.
    pub(in crate::ops) async fn needs(
        &self,
        around: &Around<'_>,
        project: &Project,
    ) -> Result<&[Need], Failure> {
        Ok(self.get(around, project).await?.needs())
    }
}

impl From<Binding> for LazyBinding {
    fn from(read: Binding) -> Self {
        Self {
            read: OnceCell::new_with(Some(read)),
            ..Self::to_write()
        }
    }
}

/// Whose signatures count for every one of these settings.
async fn signers_of(held: &Held) -> Result<Option<Signers>, Failure> {
    let base = &held.base;
    let mut all: Option<Signers> = None;
    for before in &held.settings {
        let approval = &before.settings.approval;
        let Some(name) = approval.signers.as_deref() else {
            let signs = |need: Need| need.require != Requirement::Review;
            if approval.need().is_some_and(signs) {
                // It asks for signatures and names nobody: nobody can give one.
                return Ok(None);
            }
            continue;
        };
        let file = format!("{name} of {}", base.short(before));
        let file = crate::escape::limited(&file, 200);
        let text = base.file(before, name).await?.unwrap_or_default();
        let found = Signers::parse(&file, &text).map_err(ApprovalError::from)?;
        all = Some(match all {
            Some(others) => others.and(&found),
            None => found,
        });
    }
    Ok(all)
}

/// Where a plan of this run undoes what came after its commit: that.
pub(in crate::ops) async fn undone(
    around: &Around<'_>,
    project: &Project,
    binding: &LazyBinding,
    plan: &Plan,
) -> Option<String> {
    let asked = plan.has_changes() && !project.newest.is_empty();
    let binding = if asked {
        binding.get(around, project).await.ok()
    } else {
        None
    };
    binding?.behind.clone()
}

/// What of a plan the settings forbid that it is measured against for approvals. Where these cannot be had,
/// who asks for approval says so.
pub(in crate::ops) async fn forbidden_before(
    around: &Around<'_>,
    project: &Project,
    binding: &LazyBinding,
    plan: &Plan,
) -> BTreeSet<String> {
    // In a request it is shown all the same: afterwards nobody is told who connects it to what.
    if !plan.has_changes() && project.base_settings.is_empty() {
        return BTreeSet::new();
    }
    match binding.get(around, project).await {
        Ok(binding) => binding.forbidden(plan),
        Err(failure) => {
            tracing::info!(%failure.report, "what the base forbids is not known");
            BTreeSet::new()
        }
    }
}

/// What the forge says. Whatever it does not say is a refusal.
pub(super) async fn reviewed(
    around: &Around<'_>,
    binding: &Binding,
    (plan, digest): (&Plan, &Digest),
    warn: &dyn Fn(&str),
) -> Result<Vec<Approval>, Failure> {
    let context = around.context;
    if let Some(brought) = &binding.brought {
        return Err(ApprovalError::Review {
            why: format!(
                "the change brings {brought}, and the forge does not say who made and pushed those: whoever did \
                 could approve the plan"
            ),
            help: Some(
                "ask somebody to sign the plan instead: `connplan approve`, with `require = \"signature\"` or `\"either\"` in \
                 [approval], and apply it without `--approved-in-review`"
                    .to_owned(),
            ),
        }
        .into());
    }
    let refused = |error: PublishError| match error {
        PublishError::NoForge => ApprovalError::NoReviewHere,
        error => ApprovalError::Review {
            help: error.help().map(|help| help.to_string()),
            why: error.to_string(),
        },
    };
    let event = context.named_event()?;
    let place =
        Place::find(&context.vars, &Overrides::default(), event.as_ref()).map_err(refused)?;
    let app = &plan.app.app;
    let marker = publish::marker(
        [(app.id.as_str(), app.environment.as_deref())].into_iter(),
        context.folder_in_repository().as_deref(),
    );
    let commit = context.origin().and_then(|origin| origin.commit);
    let options = context.client_options();
    let asking = publish::review_facts(&place, &marker, commit.as_deref(), options);
    let facts = asking.await.map_err(refused)?;
    let mut found = reviews(&facts, digest);
    if let Err(ApprovalError::OtherPlan {
        reviewed,
        difference,
        ..
    }) = &mut found
        && let Ok(reviewed) = Digest::parse(reviewed)
    {
        *difference = differs(around, plan, &reviewed).await;
    }
    let found = found?;
    for note in &found.notes {
        warn(note);
    }
    Ok(found.approvals)
}

/// What this plan does otherwise than the one that was reviewed, where that can be had.
async fn differs(around: &Around<'_>, plan: &Plan, reviewed: &Digest) -> Vec<String> {
    let Ok((name, text)) = stored_plan(around, reviewed).await else {
        return Vec::new();
    };
    match document::read(&name, &text) {
        Ok(saved) if saved.digest == *reviewed => {
            difference(&plan.masked(), &saved.plan, "the reviewed one")
        }
        _ => Vec::new(),
    }
}

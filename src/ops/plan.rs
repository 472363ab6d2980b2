//! Files and remote to a plan.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use jiff::Timestamp;

use super::{
    ApplyInputs, ApprovalGate, Around, OpEvent, Shown,
    approving::{LazyBinding, Now, forbidden_before, undone},
    explain, gates, over, policy,
    rules::{rules, rules_for_listed},
    values::{self, resolved},
    waits, withdrawn,
};
use crate::{
    approval::Approved,
    catalogue::ScopeEquivalence,
    config::{self, Loaded, Project},
    context::{Failure, UsageError},
    diff::{Comparison, Unlisted},
    escape,
    model::{App, ConnectorType, Declared, Kind, Observed},
    pending::{LocalPending, PendingSet},
    plan::{self, Digest, Folder, Guards, Inputs, Plan},
    policy::Judgement,
    receipt,
    remote::{ConnectionValues, Remote},
    state::{AppState, Trust},
    store::Waits,
    syntax::{KNOWN_TYPES, closest},
};

/// What is to be planned, as it was asked for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wishes<'a> {
    /// Only these, unless empty.
    pub targets: &'a [ConnectorType],
    /// Leave remote connectors without a file alone.
    pub keep_unlisted: bool,
    /// Allow a plan that removes everything because there is no connector file.
    pub allow_remove_all: bool,
    /// The rules of the policy that may be broken.
    pub overrides: &'a [String],
    /// Why.
    pub reason: Option<&'a str>,
}

impl Wishes<'_> {
    fn looks_at(&self, connector: &ConnectorType) -> bool {
        self.targets.is_empty() || self.targets.contains(connector)
    }
}

/// What a session needs.
#[derive(Debug)]
pub struct PlanInputs {
    /// The project's files.
    pub files: Files,
    /// The app.
    pub app: App,
    /// Its remote.
    pub remote: Remote,
    /// What is kept of the app.
    pub state: AppState,
    /// Whether the plan may be carried out, or is only to look.
    pub to_change: bool,
}

/// The project and its files, checked.
#[derive(Debug)]
pub struct Files {
    /// The project.
    pub project: Project,
    /// Its connector files as they were read.
    pub loaded: Loaded,
    /// What they are measured against.
    pub binding: LazyBinding,
    /// What they declare.
    pub declared: Declared,
    /// How scopes compare.
    pub rules: ScopeEquivalence,
    /// What waits.
    pub pending: PendingSet,
    /// What these say waits, waits too.
    pub receipts: Vec<receipt::Saved>,
    /// What the user trusts.
    pub trust: Trust,
}

/// Files and remote, looked at.
#[derive(Debug)]
pub struct PlanSession {
    /// The files.
    pub files: Files,
    /// The app.
    pub app: App,
    /// Its remote.
    pub remote: Remote,
    /// What is there.
    pub observed: Observed,
    /// What other machines asked for.
    pub waits: Waits,
    values: BTreeMap<ConnectorType, ConnectionValues>,
    offered: BTreeSet<ConnectorType>,
}

impl PlanSession {
    /// Reads the remote, and what the team's memory says waits.
    pub async fn begin(inputs: PlanInputs, around: &Around<'_>) -> Result<Self, Failure> {
        let PlanInputs {
            mut files,
            app,
            remote,
            state,
            to_change,
        } = inputs;
        // Side by side: the store costs no time of its own.
        let (survey, waits) = tokio::join!(
            remote.survey(&files.declared, to_change),
            waits::look(around, &files.project, &app, &state, &files.pending)
        );
        let (survey, waits) = (survey?, waits?);
        if !survey.needs_unknown.is_empty() {
            around.tell(&OpEvent::NeedsUnknown(&survey.needs_unknown));
        }
        files.rules = rules_for_listed(
            &files.project,
            &remote,
            &files.declared,
            &survey.observed.connectors,
        )
        .await?;
        let news = |connector: &ConnectorType| files.pending.get(&app, connector).is_none();
        waits::tell(around, &waits, news);
        waits::merge(&mut files.pending, &app, &waits);
        Ok(Self {
            files,
            app,
            remote,
            observed: survey.observed,
            waits,
            values: survey.values,
            offered: survey.offered.unwrap_or_default(),
        })
    }

    /// Has nothing of the receipts wait that the memory knows to be ended.
    pub async fn end_receipts(&mut self, around: &Around<'_>) {
        let files = &mut self.files;
        let now = Now {
            observed: &self.observed.connectors,
            rules: &files.rules,
        };
        for saved in &mut files.receipts {
            let place = (&files.project, &self.app);
            over::end_where_known(around, place, &now, &mut saved.receipt).await;
        }
    }

    /// Says what the plan withdraws, why it removes what the base branch still declares, and what of it the base forbids that no
    /// rule forbids any more. Returns what it does not want and its base asks for since.
    pub async fn explain(
        &self,
        plan: &mut Plan,
        wishes: &Wishes<'_>,
        around: &Around<'_>,
    ) -> Vec<ConnectorType> {
        let Files {
            project,
            binding,
            pending,
            rules,
            ..
        } = &self.files;
        let newer = if wishes.targets.is_empty() && !wishes.keep_unlisted {
            withdrawn::say(around, (project, plan), pending, rules).await
        } else {
            Vec::new()
        };
        explain::by_base_branch(plan, project, around.context).await;
        let present = self.observed.connectors.len();
        if self.judgement(plan, present).verdict().is_ok() {
            let found = forbidden_before(around, project, binding, plan).await;
            let dangers = gates::forbidden(project, found);
            plan.diagnostics.splice(0..0, dangers);
            let found = undone(around, project, binding, plan).await;
            plan.diagnostics.splice(0..0, gates::undone(project, found));
        }
        newer
    }

    /// Plans, and says what the policy says to it.
    pub fn judged(&self, wishes: &Wishes<'_>) -> Result<(Plan, Judgement), Failure> {
        self.check_types(wishes)?;
        self.check_values(wishes)?;
        self.files
            .judged(wishes, self.app.clone(), &self.observed, false)
    }

    /// What the policy says to a plan of this, where the app has so many connectors.
    fn judgement(&self, plan: &Plan, present: usize) -> Judgement {
        policy::judge(plan, present, &self.files.project, &self.observed.policies)
    }

    /// Plans.
    pub fn plan(&self, wishes: &Wishes<'_>) -> Result<Plan, Failure> {
        let (plan, judgement) = self.judged(wishes)?;
        judgement.verdict()?;
        Ok(plan)
    }

    /// Refuses a type that is new to the app and a slip away from one that the platform offers. What it
    /// does not list may exist all the same: roll-outs differ from caller to caller.
    fn check_types(&self, wishes: &Wishes<'_>) -> Result<(), Failure> {
        let offered: Vec<_> = self.offered.iter().map(ConnectorType::as_str).collect();
        let is_new = |connector: &ConnectorType| {
            connector.kind() == Kind::Oauth
                && !KNOWN_TYPES.contains(&connector.as_str())
                && !self.offered.contains(connector)
                && !self.observed.connectors.contains_key(connector)
        };
        let mut wrong = Vec::new();
        for (connector, declared) in &self.files.declared.connectors {
            let (name, file) = (connector.as_str(), escape::limited(&declared.file, 400));
            // A number at its end makes no slip.
            let counted = name.bytes().any(|b| b.is_ascii_digit());
            if counted || !wishes.looks_at(connector) || !is_new(connector) {
                continue;
            }
            // Where the app has that one, the plan shows its removal, and why.
            if let Some(meant) = closest(name, &offered, 1)
                && !self
                    .observed
                    .connectors
                    .keys()
                    .any(|name| name.as_str() == meant)
            {
                wrong.push(format!("  `{name}` in {file}: did you mean `{meant}`?"));
            }
        }
        if wrong.is_empty() {
            return Ok(());
        }
        Err(UsageError::with_help(
            format!("the platform does not offer:\n{}", wrong.join("\n")),
            "write the type as the platform spells it; `connplan list-available` lists them",
        )
        .into())
    }

    /// Holds the declared connection values against what the platform wants.
    fn check_values(&self, wishes: &Wishes<'_>) -> Result<(), Failure> {
        let mut wrong = Vec::new();
        for connector in self.values.keys().filter(|name| wishes.looks_at(name)) {
            let Some(declared) = self.files.declared.connectors.get(connector) else {
                continue;
            };
            let told = self.values.get(connector).into_iter();
            let told = told.flat_map(|told| told.check(&declared.connection_config));
            wrong.extend(told.map(|what| format!("  {connector} ({}): {what}", declared.file)));
        }
        if wrong.is_empty() {
            return Ok(());
        }
        Err(UsageError::with_help(
            format!(
                "these connection values cannot be used:\n{}",
                wrong.join("\n")
            ),
            "write them in the connector's file, for example \
             \"connection_config\": {\"subdomain\": \"acme\"}",
        )
        .into())
    }

    /// Reads what approves a plan of this. From then on the project's store is the base's, where it names none.
    pub async fn gate<'g>(
        &mut self,
        around: Around<'g>,
        whose: (Rc<Plan>, Digest),
        shown: Shown<'g>,
    ) -> Result<ApprovalGate<'g>, Failure> {
        let Files {
            project, binding, ..
        } = &mut self.files;
        ApprovalGate::of(around, (project, binding.bases()), whose, shown, false).await
    }

    /// A plan of this, to be carried out. While somebody was `asked` about it, the app may have changed.
    pub fn to_apply<'a>(
        &'a self,
        plan: &'a Plan,
        (approved, gate): (Approved, &'a ApprovalGate<'a>),
        asked: bool,
    ) -> ApplyInputs<'a> {
        ApplyInputs {
            app: &self.app,
            project: &self.files.project,
            remote: &self.remote,
            rules: Cow::Borrowed(&self.files.rules),
            plan,
            made: None,
            judge: Box::new(|present| self.judgement(plan, present)),
            overrides: plan.overrides.clone(),
            approved,
            gate,
            observed: (!asked).then_some(&self.observed),
        }
    }

    /// Plans for looking only: no policy stands in the way of that.
    pub fn look_only(&self, wishes: &Wishes<'_>) -> Result<Plan, Failure> {
        self.files
            .compare(wishes, self.app.clone(), &self.observed, false)
    }
}

impl Files {
    /// Checks what was read of a project, and what waits of its app, where an app is known.
    pub fn of(
        project: Project,
        loaded: Loaded,
        state: Option<&AppState>,
        trust: Trust,
    ) -> Result<Self, Failure> {
        let declared = resolved(&project, loaded.declared.clone().unwrap_or_default())?;
        let pending = state
            .map(LocalPending::load)
            .transpose()?
            .unwrap_or_default();
        Ok(Self {
            rules: rules(&project),
            binding: LazyBinding::default(),
            project,
            loaded,
            declared,
            pending,
            receipts: Vec::new(),
            trust,
        })
    }

    /// Since when a connector waits, as the receipts tell.
    pub fn receipt_since(&self, connector: &ConnectorType) -> Option<Timestamp> {
        let told = self.receipts.iter().filter(|saved| {
            let mut waiting = saved.receipt.waiting();
            waiting.any(|(name, _)| name == connector)
        });
        told.filter_map(|saved| saved.created_at.as_ref()?.parse().ok())
            .min()
    }

    /// A plan, and what the policy says to it.
    pub fn judged(
        &self,
        wishes: &Wishes<'_>,
        app: App,
        observed: &Observed,
        speculative: bool,
    ) -> Result<(Plan, Judgement), Failure> {
        let mut plan = self.compare(wishes, app, observed, speculative)?;
        let policy = policy::of(&self.project);
        plan.overrides = policy::overrides(wishes.overrides, wishes.reason, &policy)?;
        let present = observed.connectors.len();
        let mut judgement = policy::judge(&plan, present, &self.project, &observed.policies);
        policy::locate(&mut judgement, &self.loaded);
        plan.diagnostics
            .splice(0..0, gates::loosened(&self.project));
        plan.diagnostics
            .extend(policy::warnings(&judgement, &self.loaded));
        Ok((plan, judgement))
    }

    /// A plan that no policy was asked about: for looking only.
    fn compare(
        &self,
        wishes: &Wishes<'_>,
        app: App,
        observed: &Observed,
        speculative: bool,
    ) -> Result<Plan, Failure> {
        let shown = self.project.shown(&self.project.connectors_dir);
        let folder = match self.loaded.folder {
            config::Folder::Missing => Folder::Missing(shown),
            config::Folder::Empty => Folder::Empty(shown),
            config::Folder::Read(_) => Folder::Filled,
        };
        let unlisted = match self.project.unlisted() {
            _ if wishes.keep_unlisted => Unlisted::Keep,
            crate::syntax::Unlisted::Keep => Unlisted::Keep,
            crate::syntax::Unlisted::Remove => Unlisted::Remove,
        };
        let diagnostics = self
            .loaded
            .problems
            .iter()
            .map(crate::syntax::Problem::to_diagnostic)
            .chain(values::told(&self.project, &self.loaded, &app, &self.trust))
            .collect();
        let mut waiting = self.pending.waiting(&app);
        for saved in &self.receipts {
            for (connector, waits) in saved.receipt.waiting() {
                waiting.entry(connector.clone()).or_insert(waits);
            }
        }
        let comparison = Comparison {
            declared: &self.declared,
            observed: &observed.connectors,
            pending: &waiting,
            rules: &self.rules,
            unlisted,
            on_remove: self.project.settings.on_remove.unwrap_or_default(),
            targets: &wishes.targets.iter().cloned().collect(),
        };
        let mut plan = plan::build(Inputs {
            app,
            comparison,
            folder,
            guards: Guards {
                allow_remove_all: wishes.allow_remove_all,
            },
            speculative,
            diagnostics,
        })?;
        explain::by_files(&mut plan, &self.loaded);
        let uncompared = values::uncompared(&plan);
        plan.diagnostics.extend(uncompared);
        Ok(plan)
    }
}

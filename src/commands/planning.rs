//! Files and remote to a plan: what `plan`, `apply`, `push` and `status` have in common.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use clap::Args;
use jiff::Timestamp;

use super::{explaining, judging, printing::file_name, remembering};
use crate::{
    catalogue::ScopeEquivalence,
    config::{self, Loaded, Project},
    context::{Context, Failure, UsageError},
    diff::Unlisted,
    escape,
    model::{App, ConnectorType, Declared, Observed, Scope},
    pending::{PendingSet, Store},
    plan::{self, Folder, Guards, Inputs, Plan},
    policy::Judgement,
    receipt,
    remote::{ConnectionValues, Remote},
    term::{self, Answer},
    view,
};

/// What a plan is to look at.
#[derive(Clone, Debug, Default, Args)]
pub struct PlanningArgs {
    /// Read connector files from PATH instead of the project's folder
    #[arg(long, value_name = "PATH", value_hint = clap::ValueHint::DirPath)]
    pub dir: Option<PathBuf>,
    /// Plan only this connector (repeatable)
    #[arg(long = "target", value_name = "TYPE")]
    pub targets: Vec<ConnectorType>,
    /// Leave remote connectors without a file alone
    #[arg(long)]
    pub keep_unlisted: bool,
    /// Allow a plan that removes everything because there is no connector file
    #[arg(long)]
    pub allow_remove_all: bool,
    /// Break this rule of the policy, where it has `override = true` (repeatable)
    #[arg(long = "override", value_name = "RULE", requires = "reason")]
    pub overrides: Vec<String>,
    /// Why; recorded in the plan and the receipt
    #[arg(long, value_name = "TEXT", requires = "overrides")]
    pub reason: Option<String>,
}

/// The project and its files, checked.
pub(super) struct Files {
    pub(super) project: Project,
    pub(super) loaded: Loaded,
    pub(super) declared: Declared,
    pub(super) rules: ScopeEquivalence,
    pub(super) pending: PendingSet,
    /// What these say waits, waits too.
    pub(super) receipts: Vec<receipt::Saved>,
}

/// Files and remote.
pub(super) struct Situation {
    pub(super) files: Files,
    pub(super) app: App,
    pub(super) remote: Remote,
    pub(super) observed: Observed,
    values: BTreeMap<ConnectorType, ConnectionValues>,
}

/// Reads the files. Every problem is said; an error ends the run.
pub(super) fn read_files(context: &Context, dir: Option<&Path>) -> Result<Files, Failure> {
    let project = context.project(dir)?;
    let loaded = config::connectors::read(&project);
    view::problems::say(&context.terminal, &loaded.problems);
    usable(context, project, loaded)
}

/// The same for a command that is about none of these files: of mere warnings it says how many.
pub(super) fn read_other_files(context: &Context, dir: Option<&Path>) -> Result<Files, Failure> {
    let project = context.project(dir)?;
    let loaded = config::connectors::read(&project);
    if loaded.declared.is_none() {
        view::problems::say(&context.terminal, &loaded.problems);
    } else if let Some(line) = view::problems::elsewhere(loaded.problems.len()) {
        context.terminal.say(&line);
    }
    usable(context, project, loaded)
}

fn usable(context: &Context, project: Project, loaded: Loaded) -> Result<Files, Failure> {
    let Some(mut declared) = loaded.declared.clone() else {
        return Err(view::problems::Invalid::of(&loaded.problems).into());
    };
    for (connector, file) in &mut declared.connectors {
        for (name, value) in &mut file.connection_config {
            let variable = |name: &str| project.vars.get(name).map(str::to_owned);
            *value = config::resolve_value(value, variable).map_err(|why| {
                let name = escape::limited(name, 100);
                UsageError::new(format!("{connector}: the connection value `{name}`: {why}"))
            })?;
        }
    }
    let pending = match project.app() {
        Ok(app) => Store::load(&context.app_state(&project, &app))?,
        // Nothing is known of an app that nobody names; who needs it says so.
        Err(_) => PendingSet::default(),
    };
    judging::expect(&judging::of(&project), &mut declared);
    Ok(Files {
        rules: rules(&project),
        project,
        loaded,
        declared,
        pending,
        receipts: Vec::new(),
    })
}

/// How scopes compare in this project.
pub(super) fn rules(project: &Project) -> ScopeEquivalence {
    let added: BTreeMap<ConnectorType, Vec<Scope>> = project
        .settings
        .providers
        .iter()
        .map(|(name, provider)| (name.clone(), provider.adds.iter().cloned().collect()))
        .collect();
    ScopeEquivalence::with_settings(added)
}

/// Reads the files and the remote.
pub(super) async fn look(context: &Context, dir: Option<&Path>) -> Result<Situation, Failure> {
    let mut files = read_files(context, dir)?;
    let app = files.project.app()?;
    let remote = context.remote(&files.project, &app).await?;
    // Side by side: the store costs no time of its own.
    let reading = async {
        let (survey, waits) = tokio::join!(
            remote.survey(&files.declared),
            remembering::look(context, &files.project, &app)
        );
        survey.map(|survey| (survey, waits))
    };
    let (survey, waits) =
        view::progress::during(&context.terminal, "Reading the app", reading).await?;
    let news = |connector: &ConnectorType| files.pending.get(&app, connector).is_none();
    remembering::say(context, &waits, news);
    remembering::merge(&mut files.pending, &app, &waits);
    Ok(Situation {
        files,
        app,
        remote,
        observed: survey.observed,
        values: survey.values,
    })
}

impl Situation {
    /// Plans, and says what the policy says to it.
    pub(super) fn judged(&self, args: &PlanningArgs) -> Result<(Plan, Judgement), Failure> {
        self.check_values(args)?;
        self.files
            .judged(args, self.app.clone(), &self.observed, false)
    }

    /// Plans.
    pub(super) fn plan(&self, args: &PlanningArgs) -> Result<Plan, Failure> {
        self.check_values(args)?;
        self.files
            .plan(args, self.app.clone(), &self.observed, false)
    }

    /// Holds the declared connection values against what the platform wants.
    fn check_values(&self, args: &PlanningArgs) -> Result<(), Failure> {
        let looked_at = |connector: &&ConnectorType| {
            args.targets.is_empty() || args.targets.contains(connector)
        };
        let mut wrong = Vec::new();
        for connector in self.values.keys().filter(looked_at) {
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
            format!("connection values cannot be used:\n{}", wrong.join("\n")),
            "write them in the connector's file, for example \
             \"connection_config\": {\"subdomain\": \"acme\"}",
        )
        .into())
    }

    /// Asks whether the plan that was shown is to be carried out; only `yes` is yes.
    pub(super) async fn confirm(&self, context: &Context) -> Answer {
        let question = format!(
            "\nDo you want to carry out these changes on app {} at {}?",
            self.app.id, self.app.api_url
        );
        term::confirm_word(&context.terminal, &question).await
    }

    /// Plans for looking only: no policy stands in the way of that.
    pub(super) fn look_only(&self, args: &PlanningArgs) -> Result<Plan, Failure> {
        self.files
            .compare(args, self.app.clone(), &self.observed, false)
    }
}

impl Files {
    /// Takes the receipts that the command line names: they have to be this app's.
    pub(super) fn read_receipts(
        &mut self,
        context: &Context,
        files: &[PathBuf],
        app: &App,
    ) -> Result<(), Failure> {
        for file in files {
            let saved = receipt::read(&file_name(file), &context.read_document(file)?)?;
            app.takes("receipt", &saved.receipt.app)?;
            self.receipts.push(saved);
        }
        Ok(())
    }

    /// Since when a connector waits, as the receipts tell.
    pub(super) fn receipt_since(&self, connector: &ConnectorType) -> Option<Timestamp> {
        let told = self.receipts.iter().filter(|saved| {
            let mut waiting = saved.receipt.waiting();
            waiting.any(|(name, _)| name == connector)
        });
        told.filter_map(|saved| saved.created_at.as_ref()?.parse().ok())
            .min()
    }

    /// Plans against a state of the remote.
    pub(super) fn plan(
        &self,
        args: &PlanningArgs,
        app: App,
        observed: &Observed,
        speculative: bool,
    ) -> Result<Plan, Failure> {
        let (plan, judgement) = self.judged(args, app, observed, speculative)?;
        judgement.verdict()?;
        Ok(plan)
    }

    /// A plan, and what the policy says to it.
    pub(super) fn judged(
        &self,
        args: &PlanningArgs,
        app: App,
        observed: &Observed,
        speculative: bool,
    ) -> Result<(Plan, Judgement), Failure> {
        let mut plan = self.compare(args, app, observed, speculative)?;
        let policy = judging::of(&self.project);
        plan.overrides = judging::overrides(&args.overrides, args.reason.as_deref(), &policy)?;
        let judgement = judging::judge(&plan, &policy, &observed.policies);
        plan.diagnostics
            .extend(judging::warnings(&judgement, &self.loaded));
        Ok((plan, judgement))
    }

    /// A plan that no policy was asked about: for looking only.
    fn compare(
        &self,
        args: &PlanningArgs,
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
            _ if args.keep_unlisted => Unlisted::Keep,
            config::Unlisted::Keep => Unlisted::Keep,
            config::Unlisted::Remove => Unlisted::Remove,
        };
        let diagnostics = self
            .loaded
            .problems
            .iter()
            .map(config::Problem::to_diagnostic)
            .collect();
        let mut waiting = self.pending.waiting(&app);
        for saved in &self.receipts {
            for (connector, waits) in saved.receipt.waiting() {
                waiting.entry(connector.clone()).or_insert(waits);
            }
        }
        let mut plan = plan::build(Inputs {
            pending: &waiting,
            app,
            declared: &self.declared,
            folder,
            observed: &observed.connectors,
            rules: &self.rules,
            unlisted,
            on_remove: self.project.settings.on_remove.unwrap_or_default(),
            targets: &args.targets.iter().cloned().collect(),
            guards: Guards {
                allow_remove_all: args.allow_remove_all,
            },
            speculative,
            diagnostics,
        })?;
        explaining::by_files(&mut plan, &self.loaded);
        Ok(plan)
    }
}

/// A question that can not be asked, and the flag that decides it.
pub(super) fn cannot_ask(question: &str, flag: &str) -> Failure {
    UsageError::with_help(
        format!("{question}, and nobody can be asked here"),
        format!("give `{flag}` to decide it beforehand"),
    )
    .into()
}

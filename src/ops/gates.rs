//! Which settings are a gate that a proposal does not open for itself, and what it does to them.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use jiff::Timestamp;

use super::policy::{of, policy};
use crate::{
    config::{BaseDanger, Project, watched::Unwatched},
    fs::checkouts_around,
    model::{Diagnostic, Severity},
    plan::{Plan, Refusal},
    policy::{self, Policy, Rule},
    store::Place,
    syntax::{
        ApplySettings, ApprovalSettings, AuthorizeSettings, Lifetime, PlanSettings,
        PlatformSettings, PolicySettings, Settings, StoreSettings, Unlisted,
    },
};

/// What the checkout loosens of the gates that it proposes to change: a danger of its own.
pub(super) fn loosened(project: &Project) -> Vec<Diagnostic> {
    let here = (
        &project.settings,
        &of(project),
        project.environment.as_deref(),
    );
    // In the order in which they are shown, each once.
    let each = project.base_settings.iter();
    let found = crate::model::set_of(each.flat_map(|base| weaker(base, here)));
    let gates = found.into_iter().map(|gate| (gate.said(), gate.help()));
    let others = project.base_dangers.iter().map(of_base);
    dangers(project, gates.chain(others))
}

/// What the settings forbade that a plan is measured against for approvals, and no rule forbids any more.
pub(super) fn forbidden(project: &Project, found: BTreeSet<String>) -> Vec<Diagnostic> {
    let help = "where [approval] asks for one, it needs an approval as a danger does: the change that took the \
                rule away does not approve what it forbade";
    dangers(project, found.into_iter().map(|said| (said, help)))
}

/// What came after the commit of a run that was started again.
pub(super) fn undone(project: &Project, found: Option<String>) -> Vec<Diagnostic> {
    dangers(
        project,
        found.into_iter().map(|said| (said, Refusal::NEWEST)),
    )
}

fn dangers(
    project: &Project,
    found: impl Iterator<Item = (String, &'static str)>,
) -> Vec<Diagnostic> {
    let file = project.settings_file.as_deref();
    let file = file.map_or_else(|| "connplan.toml".to_owned(), |file| project.relative(file));
    found
        .map(|(said, help)| Diagnostic {
            severity: Severity::Warning,
            code: policy::LOOSENED.to_owned(),
            message: format!("danger: {said}"),
            file: Some(file.clone()),
            line: None,
            column: None,
            help: Some(help.to_owned()),
        })
        .collect()
}

/// What is said of it, and what to do.
fn of_base(danger: &BaseDanger) -> (String, &'static str) {
    match danger {
        BaseDanger::Broken { settings, why } => (
            format!(
                "connplan knows, and applies here, only a part of the base branch's settings: {settings} has \
                 errors: {why}"
            ),
            "compare both files by hand; after the merge connplan refuses to apply what is checked against that \
             commit, and applies only what is merged after it",
        ),
        BaseDanger::Signers(file) => (
            format!(
                "this pull or merge request changes who may sign: {file} names other people or keys than on \
                 the base branch"
            ),
            "until it is merged, the base branch's file counts",
        ),
        BaseDanger::App { now, then } => (
            format!(
                "this pull or merge request makes the project one of another app: on the base branch {} app {now}, \
                 to which this plan goes",
                match then {
                    Some(then) => format!("this run is of app {then}, not of"),
                    None => "it is not of".to_owned(),
                }
            ),
            "ask the owner of that app to agree",
        ),
        BaseDanger::Store => (
            "this pull or merge request leaves the team's store: the project is in another repository than on \
             the base branch, and the git remote that [store] `url` names is another one there"
                .to_owned(),
            "agree with your team on the new store first: only the old one knows what waits, who is at work, and \
             which approvals were revoked",
        ),
        BaseDanger::Unwatched(unwatched) => (unwatched.to_string(), Unwatched::HELP),
    }
}

/// A gate that the proposal opens further.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Gate {
    Rule(Rule),
    Approval,
    Store,
    Keep,
    Expires,
    Adds,
    Unlisted,
}

impl Gate {
    fn help(self) -> &'static str {
        match self {
            Self::Adds => {
                "see that the provider adds these by itself; `connplan drift` on the base branch shows what they \
                 would hide"
            }
            Self::Unlisted => {
                "`connplan drift` lists what no file declares as not managed, and no rule is asked about it"
            }
            _ => "until it is merged, the stricter one of both applies",
        }
    }

    fn said(self) -> String {
        match self {
            Self::Rule(rule) => {
                let rule = rule.as_str();
                format!("this pull or merge request loosens the policy: `{rule}` permits more than on the base branch")
            }
            Self::Approval => {
                "this pull or merge request changes which approval a plan needs: [approval] asks for less, or \
                 for other people, than on the base branch"
            }
            .to_owned(),
            Self::Store => {
                "this pull or merge request leaves the team's store: [store] `url` names another one \
                            than on the base branch, or none, and only that one may know who revoked \
                            an approval"
                    .to_owned()
            }
            Self::Keep => "this pull or merge request lets the team's store forget sooner: [store] `keep` is \
                           shorter than on the base branch"
                .to_owned(),
            Self::Adds => "this pull or merge request hides what the app has and no file declares: \
                           [providers] `adds` has scopes that it does not have on the base branch, and \
                           these count as no difference any more"
                .to_owned(),
            Self::Unlisted => "this pull or merge request leaves alone what the app has and no file declares: \
                               `unlisted` is \"keep\", and on the base branch it is removed"
                .to_owned(),
            Self::Expires => {
                "this pull or merge request lets plans live longer: [plan] `expires` is longer than \
                              on the base branch, or is not set"
                    .to_owned()
            }
        }
    }
}

/// What is weaker here than at the base. All settings are listed, so that the compiler asks of a new
/// one whether it is a gate.
fn weaker(
    base: &Settings,
    (here, here_policy, environment): (&Settings, &Policy, Option<&str>),
) -> Vec<Gate> {
    let Settings {
        // The plan shows what comes of it: how it is removed.
        on_remove: _,
        // Compared below.
        unlisted: _,
        providers: _,
        // Another address is no place for a credential until somebody trusts it, and what an app is
        // asked for binds by its id.
        environments: _,
        plan: PlanSettings { expires },
        // How fast, and in which order.
        apply: ApplySettings {
            parallelism: _,
            keep_going: _,
        },
        authorize: AuthorizeSettings { timeout: _ },
        platform: PlatformSettings { multiplier: _ },
        policy:
            PolicySettings {
                // Each is a rule's, and each rule is asked.
                protected: _,
                max_removals: _,
                allowed_types: _,
                denied_types: _,
                max_class: _,
                max_access: _,
                accounts: _,
                unknown_scopes: _,
                rules: _,
                allowed_scopes: _,
                denied_scopes: _,
            },
        approval:
            ApprovalSettings {
                require: _,
                count: _,
                from_risk: _,
                signers,
            },
        store: StoreSettings { url, keep },
    } = base;
    let rules = policy::stricter(&policy(&base.policy), here_policy).into_iter();
    let mut found: Vec<_> = rules
        .map(|policy::Loosened(rule)| Gate::Rule(rule))
        .collect();
    let now = here.approval.need();
    let need = base.approval.need();
    if need.is_some_and(|need| {
        now.is_none_or(|now| now.is_weaker_than(&need)) || *signers != here.approval.signers
    }) {
        found.push(Gate::Approval);
    }
    if url.is_some() && !same_store(url.as_deref(), here.store.url.as_deref()) {
        found.push(Gate::Store);
    }
    let kept = longer(keep.as_deref(), here.store.keep.as_deref());
    if url.is_some() && kept != here.store.keep.as_deref() {
        found.push(Gate::Keep);
    }
    let adds = |of: &Settings| {
        let each = of.providers.iter();
        crate::model::set_of(each.flat_map(|(connector, provider)| {
            let scopes = provider.adds.iter();
            scopes.map(|scope| (connector.clone(), scope.clone()))
        }))
    };
    if !adds(here).is_subset(&adds(base)) {
        found.push(Gate::Adds);
    }
    let of = |settings: &Settings| settings.unlisted(environment);
    if (of(base), of(here)) == (Unlisted::Remove, Unlisted::Keep) {
        found.push(Gate::Unlisted);
    }
    if sooner(*expires, here.plan.expires) != here.plan.expires {
        found.push(Gate::Expires);
    }
    found
}

/// How long a plan is good for, where so long is asked for. The checkout's own settings are a default; the
/// base's bind.
pub fn expires(project: &Project, asked: Option<Lifetime>) -> Option<Lifetime> {
    sooner(longest(project), asked.or(project.settings.plan.expires))
}

/// The longest that a plan may live by the base's settings.
fn longest(project: &Project) -> Option<Lifetime> {
    let bases = project.base_settings.iter().chain(&project.now_settings);
    let bases = bases.chain(&project.line_settings);
    bases.fold(None, |longest, base| sooner(base.plan.expires, longest))
}

/// Fails if a plan may be applied for longer than the base says: made elsewhere, or before it said so.
pub(super) fn lives(project: &Project, plan: &Plan, now: Timestamp) -> Result<(), Refusal> {
    /// The clock that the plan was made by may be ahead of this one.
    const CLOCKS_APART: jiff::SignedDuration = jiff::SignedDuration::from_hours(1);
    let Some(limit) = longest(project) else {
        return Ok(());
    };
    let latest = now
        .saturating_add(limit.get())
        .and_then(|at| at.saturating_add(CLOCKS_APART));
    match (plan.expires_at, latest) {
        (Some(at), Ok(latest)) if at <= latest => Ok(()),
        (at, _) => Err(Refusal::LivesTooLong {
            at,
            limit: limit.get(),
        }),
    }
}

/// Of two the sooner one; the second, where they are the same.
fn sooner(base: Option<Lifetime>, here: Option<Lifetime>) -> Option<Lifetime> {
    match (base, here) {
        (Some(base), Some(here)) if base.get() < here.get() => Some(base),
        (Some(base), None) => Some(base),
        (_, here) => here,
    }
}

/// Of two texts of `keep` the longer one, and none is for ever; the second, where they are the same.
fn longer<'a>(base: Option<&'a str>, here: Option<&'a str>) -> Option<&'a str> {
    let time = |keep: Option<&str>| keep.and_then(|keep| keep.parse().ok().map(Lifetime::get));
    match (time(base), time(here)) {
        (Some(kept), Some(now)) if kept > now => base,
        (None, Some(_)) => None,
        _ => here,
    }
}

fn same_store(one: Option<&str>, other: Option<&str>) -> bool {
    let place = |url: Option<&str>| url.map(Place::parse);
    one == other
        || matches!((place(one), place(other)), (Some(Ok(one)), Some(Ok(other))) if one == other)
}

/// What settings say of the store, and the repository that they stand in: a git remote is one of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct StoreIn {
    pub(super) root: PathBuf,
    pub(super) settings: StoreSettings,
}

/// Has the project use the store of the base where it names none, and keep for as long. The other
/// stores of the base are returned: who took an approval back may be known there alone.
pub(super) fn hold_store<'a>(
    project: &mut Project,
    bases: impl Iterator<Item = &'a StoreIn>,
) -> Vec<&'a StoreIn> {
    let own = checkouts_around(&project.root, None).into_iter().next();
    // Where `base44` alone is a submodule, its settings are for the project around it.
    let home = project.config_file.as_deref().and_then(Path::parent);
    let home = home.and_then(|home| home.canonicalize().ok());
    let is_own = |root: &PathBuf| [&own, &home].contains(&&Some(root.clone()));
    let store = &mut project.settings.store;
    let mut others: Vec<&StoreIn> = Vec::new();
    for place in bases {
        let base = &place.settings;
        let Some(url) = base.url.as_deref() else {
            continue;
        };
        if store.url.is_none() {
            store.clone_from(base);
        } else {
            store.keep = longer(base.keep.as_deref(), store.keep.as_deref()).map(str::to_owned);
        }
        let is_remote = matches!(Place::parse(url), Ok(Place::Git(_)));
        let elsewhere = is_remote && !is_own(&place.root);
        let is_known =
            |known: &&StoreIn| (&known.root, &known.settings.url) == (&place.root, &base.url);
        if (elsewhere || !same_store(Some(url), store.url.as_deref()))
            && !others.iter().any(is_known)
        {
            others.push(place);
        }
    }
    others
}

#[cfg(test)]
mod tests;

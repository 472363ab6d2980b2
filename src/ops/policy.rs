//! The project's policy, as the settings say it, and plans held against it.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    config::{self, Loaded},
    context::{Failure, UsageError},
    diff::{Action, Change, ConsentNeed, Desired},
    escape,
    model::{
        ConnectorType, Diagnostic, ExpectedAccount, Policies, RemoteConnector, Scopes, map_of,
    },
    pending::PendingEntry,
    plan::{Override, Plan},
    policy::{self, ByType, Judgement, Mode, Policy, Removals, Rule, Severity, Verdict, Violation},
    syntax::{Finding, MaxRemovals, PerType, PolicySettings, Problem, Subject, suggest},
};

/// What no plan may do by these settings.
pub fn policy(settings: &PolicySettings) -> Policy {
    let of_unknown = settings.rules.get(&Rule::UnknownScopes);
    Policy {
        protected: settings.protected.clone(),
        max_removals: settings.max_removals.as_ref().map(|most| match most {
            MaxRemovals::Count(count) => Removals::Count(*count),
            MaxRemovals::Share(share) => Removals::Percent(share.get()),
        }),
        allowed_types: settings.allowed_types.clone(),
        denied_types: settings.denied_types.clone(),
        max_class: per_type(settings.max_class.as_ref()),
        max_access: per_type(settings.max_access.as_ref()),
        allowed_scopes: by_type(&settings.allowed_scopes),
        denied_scopes: by_type(&settings.denied_scopes),
        accounts: by_type(&settings.accounts),
        // Both say the same thing in two places: the stricter counts.
        unknown_scopes: settings
            .unknown_scopes
            .max(of_unknown.and_then(|rule| rule.level)),
        rules: map_of(settings.rules.iter().map(|(rule, settings)| {
            let mode = Mode {
                severity: settings.level.unwrap_or(Severity::Deny),
                message: settings.message.clone(),
                overridable: settings.overridable,
            };
            (*rule, mode)
        })),
    }
}

fn by_type<T: Clone>(by: &BTreeMap<Subject, T>) -> ByType<T> {
    map_of(by.iter().map(|(subject, value)| {
        let subject = match subject {
            Subject::Any => None,
            Subject::Type(name) => Some(name.clone()),
        };
        (subject, value.clone())
    }))
}

fn per_type<T: Clone>(value: Option<&PerType<T>>) -> ByType<T> {
    match value {
        None => ByType::new(),
        Some(PerType::All(value)) => [(None, value.clone())].into(),
        Some(PerType::Each(by)) => by_type(by),
    }
}

/// Holds a plan against the project's policy and the workspace's own, and, where the checkout is a
/// proposal, against the policy that it proposes to change. `present` is how many connectors the app
/// has.
pub fn judge(
    plan: &Plan,
    present: usize,
    project: &config::Project,
    workspace: &Policies,
) -> Judgement {
    let here = judge_by(plan, present, &of(project), workspace);
    others(project).fold(here, |here, (there, by)| {
        let there = judge_by(plan, present, &there, &Policies::default());
        here.and(there, by)
    })
}

/// The policies that bind beside the project's own, as `base` found them, and whose they are.
pub fn others(project: &config::Project) -> impl Iterator<Item = (Policy, &'static str)> {
    let base = "by the settings of the base";
    let bases = project.base_settings.iter().map(move |there| (there, base));
    let now = "by the settings of the branch as it is now";
    let now = project.now_settings.iter().map(move |there| (there, now));
    let line = "by the settings of the branch that this one left";
    let line = project.line_settings.iter().map(move |there| (there, line));
    let all = bases.chain(now).chain(line);
    all.map(|(there, by)| (policy(&there.policy), by))
}

/// What of a plan these settings forbid.
pub(super) fn denials(settings: &PolicySettings, plan: &Plan) -> Vec<String> {
    let here = plan.app.observed().len();
    let found = judge_by(plan, here, &policy(settings), &Policies::default());
    let denied = found.violations.into_iter().filter(Violation::denies);
    denied.map(|denial| denial.message).collect()
}

/// How many connectors the app has for a plan to remove: what an interrupted run of it removed
/// already counts.
pub fn present(plan: &Plan, observed: &BTreeMap<ConnectorType, RemoteConnector>) -> usize {
    let removed = plan.changes().filter(|c| c.action == Action::Delete);
    let gone = removed.filter(|change| !observed.contains_key(&change.connector));
    observed.len() + gone.count()
}

/// Says of each broken rule which line breaks it, where one does.
pub fn locate(judgement: &mut Judgement, loaded: &Loaded) {
    for violation in &mut judgement.violations {
        if let Some(problem) = problem(violation, loaded) {
            let at = problem.to_diagnostic();
            (violation.file, violation.line, violation.column) = (at.file, at.line, at.column);
        }
    }
}

fn judge_by(plan: &Plan, present: usize, policy: &Policy, workspace: &Policies) -> Judgement {
    let overrides: Vec<_> = plan
        .overrides
        .iter()
        .map(|by| (by.rule.as_str(), by.reason.as_str()))
        .collect();
    policy::evaluate(&plan.app.changes, present, policy, workspace, &overrides)
}

/// The rules that `--override` names, each with the reason; only such as may be broken.
pub fn overrides(
    rules: &[String],
    reason: Option<&str>,
    policy: &Policy,
) -> Result<Vec<Override>, Failure> {
    // It goes into files that many read.
    let reason = escape::mask_accounts(reason.map(str::trim).unwrap_or_default());
    if !rules.is_empty() && !escape::shows_something(&reason) {
        return Err(UsageError::with_help(
            "`--override` needs a reason",
            "give `--reason TEXT`: it is recorded in the plan and the receipt",
        )
        .into());
    }
    let may = |name: &str| {
        let rule = Rule::ALL.into_iter().find(|rule| rule.as_str() == name)?;
        let mode = policy.rules.get(&rule)?;
        mode.overridable.then_some(())
    };
    let mut found = BTreeSet::new();
    for rule in rules {
        let known = Rule::ALL.map(Rule::as_str);
        if !known.contains(&rule.as_str()) {
            let help = match suggest::closest(rule, &known, 2) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => format!("the rules are {}", known.join(", ")),
            };
            let rule = escape::limited(rule, 80);
            return Err(UsageError::with_help(format!("no rule is called `{rule}`"), help).into());
        }
        if may(rule).is_none() {
            return Err(UsageError::with_help(
                format!(
                    "the policy in connplan.toml does not let `{}` be overridden",
                    escape::limited(rule, 80)
                ),
                "only a rule with `override = true` in [policy.rules.RULE] can be",
            )
            .into());
        }
        found.insert(Override {
            rule: rule.clone(),
            reason: reason.clone().into_owned(),
        });
    }
    Ok(found.into_iter().collect())
}

/// The broken rules that do not stop the plan, as findings.
pub fn warnings(judgement: &Judgement, loaded: &Loaded) -> Vec<Diagnostic> {
    let told = judgement
        .violations
        .iter()
        .filter(|violation| violation.severity == Severity::Warn || violation.overridden.is_some());
    told.map(|violation| {
        let mut diagnostic = match problem(violation, loaded) {
            Some(problem) => problem.to_diagnostic(),
            None => Problem::about(finding(violation), "connplan.toml").to_diagnostic(),
        };
        diagnostic.severity = crate::model::Severity::Warning;
        if let Some(reason) = &violation.overridden {
            let reason = escape::limited(reason, 300);
            diagnostic.message = format!("overridden ({reason}): {}", diagnostic.message);
            diagnostic.help = None;
        }
        diagnostic
    })
    .collect()
}

/// What the policy forbids as declared: it would forbid the plan that asks for it.
pub fn declared(policy: &Policy, loaded: &Loaded) -> (Vec<Problem>, Vec<Violation>) {
    let connectors = loaded.declared.iter().flat_map(|all| &all.connectors);
    let changes: Vec<_> = connectors
        .map(|(connector, declared)| {
            asking(
                policy,
                connector,
                &declared.scopes,
                declared.account.clone(),
            )
        })
        .collect();
    let mut judgement = policy::evaluate(&changes, 0, policy, &Policies::default(), &[]);
    locate(&mut judgement, loaded);
    let problems = judgement.violations.iter();
    let problems = problems.filter_map(|violation| problem(violation, loaded));
    (problems.collect(), judgement.violations)
}

/// A change that asks for these scopes.
fn asking(
    policy: &Policy,
    connector: &ConnectorType,
    scopes: &Scopes,
    account: Option<ExpectedAccount>,
) -> Change {
    Change {
        after: Some(Desired {
            scopes: scopes.clone(),
            account: account.or_else(|| policy.account(connector, scopes).cloned()),
            connection_config: BTreeMap::new(),
        }),
        authorization: ConsentNeed::Required,
        ..Change::new(connector.clone(), Action::Create)
    }
}

/// What the policy of this project says to asking for what waits, and why it denies that. Rules that the
/// plan broke on purpose stay broken, as long as they still may be.
pub fn asked(
    project: &config::Project,
) -> impl Fn(&ConnectorType, &PendingEntry) -> Result<Verdict, String> + use<> {
    let policy = of(project);
    move |connector, entry| {
        let change = asking(&policy, connector, &entry.scopes, entry.account.clone());
        let overrides = entry.overrides.iter();
        let overrides: Vec<_> = overrides
            .map(|(rule, reason)| (rule.as_str(), reason.as_str()))
            .collect();
        let found = policy::evaluate(&[change], 1, &policy, &Policies::default(), &overrides);
        found.verdict().map_err(|forbidden| {
            let mut denials = forbidden.violations.into_iter();
            let denial = denials.find(|violation| violation.severity == Severity::Deny);
            let why = denial.map(|denial| denial.message).unwrap_or_default();
            format!("the policy in connplan.toml forbids it: {why}")
        })
    }
}

fn finding(violation: &Violation) -> Finding {
    let (rule, message) = (violation.rule, violation.message.clone());
    let help = if violation.overridable {
        format!("delete it here, or plan with `--override {rule} --reason TEXT`")
    } else {
        "no plan may ask for it: delete it here, or ask whoever is responsible for the policy to \
         change it"
            .to_owned()
    };
    match (violation.severity, &violation.scope) {
        (Severity::Deny, Some(_)) => Finding::ForbiddenScope {
            rule,
            message,
            help,
        },
        (Severity::Deny, None) => Finding::Forbidden {
            rule,
            message,
            help,
        },
        (Severity::Warn, _) => Finding::Discouraged { rule, message },
    }
}

fn problem(violation: &Violation, loaded: &Loaded) -> Option<Problem> {
    let connector = violation.connector.as_ref()?;
    match &violation.scope {
        Some(scope) => loaded.problem_of(connector, scope, finding(violation)),
        None => loaded.problem_of_type(connector, finding(violation)),
    }
}

/// Who is to consent, where the policy says so and the file does not.
pub fn expect(policy: &Policy, declared: &mut crate::model::Declared) {
    for (connector, file) in &mut declared.connectors {
        if file.account.is_none() && connector.kind() == crate::model::Kind::Oauth {
            file.account = policy.account(connector, &file.scopes).cloned();
        }
    }
}

/// The settings' policy of a project.
pub fn of(project: &config::Project) -> Policy {
    policy(&project.settings.policy)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{diff::Change, model::StripeMode};

    #[test]
    fn of_what_is_said_twice_of_unknown_scopes_the_stricter_counts() {
        for (one, other) in [("warn", "deny"), ("deny", "warn")] {
            let text = format!(
                "[policy]\nunknown_scopes = \"{one}\"\n[policy.rules.unknown_scopes]\nlevel = \"{other}\"\n"
            );
            let (settings, problems) = crate::syntax::parse_settings("connplan.toml", &text);
            assert!(problems.is_empty(), "{problems:?}");
            let found = policy(&settings.unwrap().policy).unknown_scopes;
            assert_eq!(found, Some(Severity::Deny), "{text}");
        }
    }

    #[test]
    fn what_an_interrupted_run_removed_is_counted_and_what_is_there_not_twice() {
        let change = |(name, action)| Change::new(ConnectorType::parse(name).unwrap(), action);
        let changes = [
            ("a", Action::Delete),
            ("b", Action::Delete),
            ("c", Action::NoOp),
            ("d", Action::Create),
        ];
        let plan = Plan::of(changes.map(change).into());
        let has = |names: &[&str]| {
            let of = |name: &&str| ConnectorType::parse(*name).unwrap();
            let state = RemoteConnector::stripe(StripeMode::Live);
            let observed = names.iter().map(|name| (of(name), state.clone()));
            present(&plan, &observed.collect())
        };
        assert_eq!(has(&["a", "b", "c"]), 3);
        assert_eq!(has(&["b", "c"]), 3);
        assert_eq!(has(&["c", "d"]), 4);
        assert_eq!(has(&[]), 2);
    }
}

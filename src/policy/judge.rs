//! Changes against rules.

use std::collections::BTreeMap;

use miette::Diagnostic;
#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;
use thiserror::Error;

use super::{
    Mode, Policy, Removals, Rule, Severity, each, each_own, names, of_type, own_entry, scopes,
};
use crate::{
    diff::{Action, Change},
    escape,
    model::{ConnectorType, Kind, Policies, Scope, Scopes, map_of},
};

/// A rule that is broken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Violation {
    /// The rule's name in the settings; `workspace` for the platform's own policy.
    pub rule: &'static str,
    /// By which connector, if by one.
    pub connector: Option<ConnectorType>,
    /// By which of its scopes, if by one.
    pub scope: Option<Scope>,
    /// What is wrong, and what the team says to it. Escaped.
    pub message: String,
    /// What that does.
    pub severity: Severity,
    /// Whether `--override` takes it.
    pub overridable: bool,
    /// Why it was broken all the same. Untrusted text.
    pub overridden: Option<String>,
    /// The file that breaks it, relative to the project.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The line that does, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// Where on it, in characters, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<u32>,
}

impl Violation {
    /// Whether it stops a plan.
    pub fn denies(&self) -> bool {
        self.severity == Severity::Deny && self.overridden.is_none()
    }
}

/// A plan that a rule forbids.
#[derive(Clone, Debug, PartialEq, Eq, Error, Diagnostic)]
#[error("{} forbids this plan; nothing was written:\n{}", by(.violations), lines(.violations))]
#[diagnostic(code(connplan::plan::policy), help("{}", help(.violations)))]
pub struct Forbidden {
    /// Every rule that is broken, warnings among them.
    pub violations: Vec<Violation>,
    /// The plan as it would have been reported, for who reads JSON.
    pub plan: Option<serde_json::Value>,
}

fn by(violations: &[Violation]) -> &'static str {
    let mut denials = violations.iter().filter(|v| v.denies());
    if denials.all(|violation| violation.rule == WORKSPACE) {
        "the workspace's policy"
    } else {
        "the policy in connplan.toml"
    }
}

fn lines(violations: &[Violation]) -> String {
    let denials = violations.iter().filter(|v| v.denies());
    let lines: Vec<_> = denials
        .map(|v| format!("  {}: {}", v.rule, v.message))
        .collect();
    lines.join("\n")
}

fn help(violations: &[Violation]) -> String {
    let mut denials = violations.iter().filter(|v| v.denies());
    let rule = denials.find(|v| v.overridable).map(|v| v.rule);
    let or = rule.map_or_else(String::new, |rule| {
        format!(", or give `--override {rule} --reason TEXT`")
    });
    format!(
        "change the connector files, or ask whoever is responsible for the policy to change it{or}"
    )
}

/// The rule of the platform's own policy.
const WORKSPACE: &str = "workspace";

/// What was found about changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Judgement {
    /// Every rule that is broken, in order of the rules.
    pub violations: Vec<Violation>,
    covered: BTreeMap<ConnectorType, Option<Scopes>>,
}

/// That no rule forbids some changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    covered: BTreeMap<ConnectorType, Option<Scopes>>,
}

impl Verdict {
    /// Whether the removal of a connector, or asking for these scopes, was judged.
    pub fn covers(&self, connector: &ConnectorType, scopes: Option<&Scopes>) -> bool {
        let judged = self.covered.get(connector);
        judged.is_some_and(|judged| judged.as_ref() == scopes)
    }
}

impl Judgement {
    /// How severely the plan breaks the rules, if it breaks any. What is overridden only warns.
    pub fn severity(&self) -> Option<Severity> {
        let denies = self.violations.iter().any(Violation::denies);
        match (denies, self.violations.is_empty()) {
            (true, _) => Some(Severity::Deny),
            (false, false) => Some(Severity::Warn),
            (false, true) => None,
        }
    }

    /// The broken rules that only warn.
    pub fn warnings(&self) -> impl Iterator<Item = &Violation> {
        let warn = |violation: &&Violation| violation.severity == Severity::Warn;
        self.violations.iter().filter(warn)
    }

    /// Both of two policies bind: what `other` says counts where this one says less.
    #[must_use]
    pub fn and(mut self, other: Self, whose: &str) -> Self {
        for mut violation in other.violations {
            let same = |known: &Violation| {
                known.rule == violation.rule
                    && known.connector == violation.connector
                    && known.scope == violation.scope
            };
            violation.message = format!("{} ({whose})", violation.message);
            match self.violations.iter_mut().find(|known| same(known)) {
                Some(known) if !known.denies() && violation.denies() => *known = violation,
                Some(_) => {}
                None => self.violations.push(violation),
            }
        }
        self
    }

    /// The verdict, unless a rule denies.
    pub fn verdict(self) -> Result<Verdict, Forbidden> {
        if self.violations.iter().any(Violation::denies) {
            return Err(Forbidden {
                violations: self.violations,
                plan: None,
            });
        }
        Ok(Verdict {
            covered: self.covered,
        })
    }
}

/// What becomes of a connector that is gone by a change.
fn removes(change: &Change) -> Option<&'static str> {
    match change.action {
        Action::Delete => Some("removes it"),
        Action::Update if change.loses_all() => Some("takes all its scopes away"),
        _ => None,
    }
}

/// Holds changes against the rules. All broken rules are told at once. `present` is how many
/// connectors the app has; `overrides` are rules that somebody breaks on purpose, with the reason.
pub fn evaluate(
    changes: &[Change],
    present: usize,
    policy: &Policy,
    workspace: &Policies,
    overrides: &[(&str, &str)],
) -> Judgement {
    let mut judge = Judge {
        policy,
        overrides,
        ready: scopes::Ready::default(),
        found: Vec::new(),
    };
    judge.removals(changes, present);
    for change in changes {
        // What waits for a person, or was left out, is asked for again by `authorize`.
        if let Some(after) = change.after.as_ref().filter(|_| change.is_asked()) {
            judge.connector(change, workspace);
            judge.account(change);
            for scope in after.scopes.iter() {
                judge.types(&change.connector, scope);
                judge.scope(&change.connector, scope);
            }
            if after.scopes.is_empty() && change.kind() == Kind::Oauth {
                judge.no_scope(&change.connector);
            }
        }
    }
    let covered = changes.iter().map(|change| {
        let after = change.after.as_ref().map(|after| after.scopes.clone());
        (change.connector.clone(), after)
    });
    Judgement {
        violations: judge.found,
        covered: map_of(covered),
    }
}

struct Judge<'a> {
    policy: &'a Policy,
    overrides: &'a [(&'a str, &'a str)],
    ready: scopes::Ready,
    found: Vec<Violation>,
}

impl Judge<'_> {
    fn tell(
        &mut self,
        rule: Rule,
        severity: Option<Severity>,
        connector: Option<&ConnectorType>,
        scope: Option<&Scope>,
        what: &str,
    ) {
        let default = Mode::default();
        let mode = self.policy.rules.get(&rule).unwrap_or(&default);
        let words = mode.message.as_ref().map_or_else(String::new, |message| {
            format!(" ({})", escape::limited(message, 300))
        });
        let reason = self
            .overrides
            .iter()
            .find(|(name, _)| *name == rule.as_str());
        self.found.push(Violation {
            rule: rule.as_str(),
            connector: connector.cloned(),
            scope: scope.cloned(),
            message: format!("{what}{words}"),
            severity: severity.unwrap_or(mode.severity),
            overridable: mode.overridable,
            overridden: reason
                .filter(|_| mode.overridable)
                .map(|(_, reason)| (*reason).to_owned()),
            file: None,
            line: None,
            column: None,
        });
    }

    fn removals(&mut self, changes: &[Change], present: usize) {
        let gone = || changes.iter().filter_map(|is| Some((is, removes(is)?)));
        let count = gone().count();
        for (change, does) in gone() {
            let connector = &change.connector;
            if names(&self.policy.protected, connector) {
                let what = format!("{connector}: the plan {does}, and the policy protects it");
                self.tell(Rule::Protected, None, Some(connector), None, &what);
            }
        }
        let Some(most) = self.policy.max_removals else {
            return;
        };
        let too_many = match most {
            Removals::Count(most) => count > most as usize,
            Removals::Percent(share) => count * 100 > present * usize::from(share),
        };
        if too_many {
            let plural = if count == 1 { "" } else { "s" };
            let what = match most {
                Removals::Count(_) => {
                    format!("{count} removal{plural}; at most {most} may be removed")
                }
                Removals::Percent(_) => {
                    format!("{count} removal{plural} of {present}; at most {most} may be removed")
                }
            };
            self.tell(Rule::MaxRemovals, None, None, None, &what);
        }
    }

    fn connector(&mut self, change: &Change, workspace: &Policies) {
        let connector = &change.connector;
        let types = self.policy.allowed_types.as_ref();
        if types.is_some_and(|types| !names(types, connector)) {
            let what = format!("{connector}: the type is not among those allowed");
            self.tell(Rule::AllowedTypes, None, Some(connector), None, &what);
        }
        if names(&self.policy.denied_types, connector) {
            let what = format!("{connector}: the type is denied");
            self.tell(Rule::DeniedTypes, None, Some(connector), None, &what);
        }
        if workspace.forbid(connector) {
            self.found.push(Violation {
                rule: WORKSPACE,
                connector: Some(connector.clone()),
                scope: None,
                message: format!(
                    "{connector}: the workspace does not let builders connect this type; its \
                     administrator can allow it"
                ),
                severity: Severity::Deny,
                overridable: false,
                overridden: None,
                file: None,
                line: None,
                column: None,
            });
        }
    }

    /// What a scope is for that the type itself does not offer is as if those types were declared: any of them may be
    /// denied, and one of them has to be allowed.
    fn types(&mut self, connector: &ConnectorType, whole: &Scope) {
        let policy = self.policy;
        if !policy.weighs_types() {
            return;
        }
        for scope in &scopes::parts(connector, whole) {
            let others = scopes::types_of(connector, scope);
            let within = scopes::types_within(connector, scope, policy.denied_types.iter());
            let denied = |other: &&ConnectorType| names(&policy.denied_types, other);
            let mut tell = |rule, other: &ConnectorType, what: &str| {
                let shown = escape::limited(scope.as_str(), 200);
                let what = format!("{connector}: the scope {shown} is for {other}, {what}");
                self.tell(rule, None, Some(connector), Some(whole), &what);
            };
            if let Some(other) = others.iter().chain(&within).find(denied) {
                tell(Rule::DeniedTypes, other, "a type that is denied");
            }
            let allowed = policy.allowed_types.as_ref();
            let lacking = allowed.filter(|types| !others.iter().any(|other| names(types, other)));
            if let Some((_, other)) = lacking.zip(others.first()) {
                tell(
                    Rule::AllowedTypes,
                    other,
                    "a type that is not among those allowed",
                );
            }
        }
    }

    fn account(&mut self, change: &Change) {
        let connector = &change.connector;
        let Some(after) = &change.after else {
            return;
        };
        if self.policy.accounts.is_empty() || connector.kind() == Kind::Stripe {
            return;
        }
        let expected = self.policy.accounts(connector, &after.scopes);
        let covers = |declared| expected.iter().all(|expected| expected.covers(declared));
        let what = match &after.account {
            _ if expected.is_empty() => return,
            Some(declared) if covers(declared) => return,
            Some(_) => format!("{connector}: its file names another account than the policy"),
            None => format!("{connector}: its file has no `account`, and the policy expects one"),
        };
        self.tell(Rule::Accounts, None, Some(connector), None, &what);
    }

    /// What a scope of which nothing is known does, by itself or under a ceiling.
    fn unknown(&self, under_ceiling: bool) -> Option<Severity> {
        let warns = under_ceiling.then_some(Severity::Warn);
        self.policy.unknown_scopes.or(warns)
    }

    /// A connector that names no scope, and gets what its provider gives then: one scope that nobody knows.
    fn no_scope(&mut self, connector: &ConnectorType) {
        let allowed = of_type(&self.policy.allowed_scopes, connector);
        let none = Scope::from("");
        let allows = |allowed| self.ready.of(connector, allowed).allow(connector, &none);
        if !allowed.is_none_or(allows) {
            let what = format!("{connector}: it names none of the scopes that are allowed");
            self.tell(Rule::AllowedScopes, None, Some(connector), None, &what);
        }
        let own = own_entry(&self.policy.denied_scopes, connector);
        let mut denied = own.into_iter().chain(self.policy.denied_scopes.get(&None));
        if denied.any(|patterns| self.ready.of(connector, patterns).deny(connector, &none)) {
            let what = format!("{connector}: it names no scope, and any scope is denied");
            self.tell(Rule::DeniedScopes, None, Some(connector), None, &what);
        }
        let ceiling = own.is_some()
            || of_type(&self.policy.max_class, connector).is_some()
            || of_type(&self.policy.max_access, connector).is_some();
        if let Some(unknown) = self.unknown(ceiling) {
            let what = format!(
                "{connector}: it names no scope, and what the provider gives then is not known"
            );
            self.tell(
                Rule::UnknownScopes,
                Some(unknown),
                Some(connector),
                None,
                &what,
            );
        }
    }

    fn scope(&mut self, connector: &ConnectorType, whole: &Scope) {
        let policy = self.policy;
        // Most projects have no rule for scopes, and some have very many of those.
        if !policy.weighs_scopes() {
            return;
        }
        for scope in &scopes::parts(connector, whole) {
            // What another type is for is held to the rules of that type, too.
            let others = scopes::types_of(connector, scope);
            let mut allowed = each(&policy.allowed_scopes, connector, &others);
            let within = scopes::types_within(connector, scope, policy.limited_types());
            let others = [others.as_slice(), &within].concat();
            let any = policy.denied_scopes.get(&None);
            let denied = each_own(&policy.denied_scopes, connector, &others).chain(any);
            let max_class = each(&policy.max_class, connector, &others).min();
            let max_access = each(&policy.max_access, connector, &others).min();
            let unknown = self.unknown(max_class.is_some() || max_access.is_some());
            let (mut is_denied, mut within) = (false, None);
            for patterns in denied {
                let patterns = self.ready.of(connector, patterns);
                is_denied |= patterns.deny(connector, scope);
                within = within.or_else(|| patterns.within(connector, scope));
            }
            let is_allowed =
                allowed.all(|patterns| self.ready.of(connector, patterns).allow(connector, scope));
            let mut tell = |rule, severity, what: String| {
                let shown = escape::limited(scope.as_str(), 200);
                let what = format!("{connector}: the scope {shown} {what}");
                self.tell(rule, severity, Some(connector), Some(whole), &what);
            };
            if is_denied {
                tell(Rule::DeniedScopes, None, "is denied".to_owned());
            } else if let Some(within) = within {
                let what = format!("includes {within}, which is denied");
                tell(Rule::DeniedScopes, None, what);
            }
            if !is_allowed {
                let what = "is not among those allowed".to_owned();
                tell(Rule::AllowedScopes, None, what);
            }
            if unknown.is_none() {
                continue;
            }
            let (class, access, known) = scopes::weighed(connector, scope);
            if let Some((is, most)) = class.zip(max_class).filter(|(is, most)| is > *most) {
                let (is, most) = (is.as_str(), most.as_str());
                let what = format!("is {is}; at most {most} is allowed");
                tell(Rule::MaxClass, None, what);
            }
            if let Some((is, most)) = access.zip(max_access).filter(|(is, most)| is > *most) {
                let what = format!("gives {is} access; at most {most} is allowed");
                tell(Rule::MaxAccess, None, what);
            }
            // A ceiling on one half says nothing about the other.
            if !known {
                let what = match (scopes::meant(connector, scope), class, access) {
                    (Some(meant), _, _) => {
                        format!("is not a known scope, and may be read as {meant}")
                    }
                    (None, None, None) => "is not a known scope".to_owned(),
                    _ => "has a class or an access that is not known".to_owned(),
                };
                tell(Rule::UnknownScopes, unknown, what);
            }
        }
    }
}

//! Two policies at once: that of the base branch, and that of the proposal.

use super::{ByType, Policy, Removals, Rule, Severity};

/// A rule that the proposal makes weaker than the base has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Loosened(pub Rule);

/// What the proposal loosens. A plan is held against both policies, so that nothing that the base
/// forbids passes; this says what somebody tries to change about that.
pub fn stricter(base: &Policy, head: &Policy) -> Vec<Loosened> {
    let loosened = Rule::ALL.into_iter();
    let loosened =
        loosened.filter(|rule| says_less(*rule, base, head) || acts_less(*rule, base, head));
    loosened.map(Loosened).collect()
}

/// Whether a rule forbids less in the head than in the base. A match, so that the compiler asks it of a
/// new rule too.
fn says_less(rule: Rule, base: &Policy, head: &Policy) -> bool {
    match rule {
        Rule::Protected => !base.protected.is_subset(&head.protected),
        Rule::DeniedTypes => !base.denied_types.is_subset(&head.denied_types),
        Rule::AllowedTypes => match (&base.allowed_types, &head.allowed_types) {
            (None, _) => false,
            (Some(_), None) => true,
            (Some(base), Some(head)) => !head.is_subset(base),
        },
        Rule::MaxRemovals => match (base.max_removals, head.max_removals) {
            (None, _) => false,
            (Some(Removals::Count(base)), Some(Removals::Count(head))) => head > base,
            (Some(Removals::Percent(base)), Some(Removals::Percent(head))) => head > base,
            // Which of two kinds is stricter depends on the app.
            (Some(_), _) => true,
        },
        Rule::MaxClass => by_type(&base.max_class, &head.max_class, |base, head| head > base),
        Rule::MaxAccess => by_type(&base.max_access, &head.max_access, |base, head| head > base),
        Rule::AllowedScopes => by_type(&base.allowed_scopes, &head.allowed_scopes, |base, head| {
            !head.is_subset(base)
        }),
        Rule::DeniedScopes => by_type(&base.denied_scopes, &head.denied_scopes, |base, head| {
            !base.is_subset(head)
        }),
        Rule::Accounts => by_type(&base.accounts, &head.accounts, |base, head| {
            !base.covers(head)
        }),
        Rule::UnknownScopes => head.unknown_scopes < base.unknown_scopes,
    }
}

/// Whether a rule that is broken weighs less in the head than in the base.
fn acts_less(rule: Rule, base: &Policy, head: &Policy) -> bool {
    let mode = |policy: &Policy| policy.rules.get(&rule).cloned().unwrap_or_default();
    let (base, head) = (mode(base), mode(head));
    let milder = head.severity == Severity::Warn && base.severity == Severity::Deny;
    milder || head.overridable && !base.overridable
}

/// Whether any entry of the base is gone or weaker in the head, or is shadowed by a new entry of a
/// type that is weaker than the base's for any.
fn by_type<T>(base: &ByType<T>, head: &ByType<T>, weaker: impl Fn(&T, &T) -> bool) -> bool {
    let of = |by: &ByType<T>, key| {
        by.get(key)
            .map(|found| weaker_than(base, key, found, &weaker))
    };
    base.keys().any(|key| !head.contains_key(key))
        || head.keys().any(|key| of(head, key).unwrap_or(false))
}

#[expect(clippy::ref_option, reason = "the map's key, as it is looked up")]
fn weaker_than<T>(
    base: &ByType<T>,
    key: &Option<crate::model::ConnectorType>,
    head: &T,
    weaker: impl Fn(&T, &T) -> bool,
) -> bool {
    let base = base.get(key).or_else(|| base.get(&None));
    base.is_some_and(|base| weaker(base, head))
}

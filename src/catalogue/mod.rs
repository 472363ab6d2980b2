//! What is known of OAuth scopes: meaning, access, class, aliases, what providers add.
//!
//! Two halves. The facts ([`fact`], [`facts`], [`connectors`]) say what a scope permits; they stand
//! in `scopes.tsv` beside this file, each with its source and how sure it is, and are read on first
//! use. The [`ScopeEquivalence`] say when two sets of scopes are the same although they are spelt differently,
//! so that a plan never shows a difference that no apply can remove.
//!
//! A scope that is not listed is unknown, not harmless. Pure: no IO, nothing of the project's
//! files but what [`ScopeEquivalence::with_settings`] is given.
//!
//! # Where the facts come from
//!
//! From what the providers publish: descriptions for machines (Google's discovery documents, Graph's
//! permission files, several API descriptions), the sources of their documentation (GitHub, Discord)
//! and stored copies of their pages (Slack, Linear and others). Airtable and Typeform are own
//! knowledge alone. The file names the source of each part, and the page of each scope.
//! [`Certainty`] keeps apart what was read from what is remembered.

mod compare;
mod near;
mod provider;
mod revoke;
mod rules;
mod scope_fact;
mod table;
mod unbounded;

pub use compare::ScopeDiff;
pub use near::{all_spelt_out, near, of_provider, spelt_out};
pub use revoke::revoke_page;
pub use rules::{ScopeEquivalence, ScopeIndex};
pub use scope_fact::{Access, Certainty, ScopeFact};
pub use unbounded::is_unbounded;

pub(crate) use provider::Provider;

/// What is known of `scope`, however it is spelt, where `connector` is of a known provider.
///
/// A provider's scopes mean the same with each of its connectors, so a Drive scope is known on a
/// Calendar connector too. A permission of another service of the provider counts as the one of that name.
pub fn fact(connector: &str, scope: &str) -> Option<ScopeFact> {
    let provider = Provider::of(connector)?;
    table::find(provider, provider.permission(scope))
}

/// Whether the provider of this type of connector may take a comma for the end of a scope, so that one string asks for
/// several. Of one of which nothing is known, it may.
pub fn splits_at_commas(connector: &str) -> bool {
    Provider::of(connector).is_none_or(Provider::splits_at_commas)
}

/// Whether somebody may take a character within a scope for its end: Python and Java split texts at some that are no
/// white space here, and a NUL ends one in C.
pub fn ends_scope(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\0' | '\u{1c}'..='\u{1f}')
}

/// A scope as the provider may read it: one string can be several.
pub fn parts<'a>(connector: &str, scope: &'a str) -> impl Iterator<Item = &'a str> + use<'a> {
    let commas = splits_at_commas(connector);
    let ends = move |c: char| ends_scope(c) || commas && c == ',';
    scope.split(ends).filter(|part| !part.is_empty())
}

/// Whether the provider of this type of connector takes no notice of case in scopes.
pub fn ignores_case(connector: &str) -> bool {
    Provider::of(connector) == Some(Provider::Microsoft)
}

/// The scope without what its provider may write before it.
pub fn plain<'s>(connector: &str, scope: &'s str) -> &'s str {
    Provider::of(connector).map_or(scope, |provider| provider.plain(scope))
}

/// The permission that a scope names, whichever service of the provider it is of.
pub fn permission<'s>(connector: &str, scope: &'s str) -> &'s str {
    Provider::of(connector).map_or(scope, |provider| provider.permission(scope))
}

/// Whether a scope names none, and asks for all that the platform's client there may have.
pub fn is_all(connector: &str, scope: &str) -> bool {
    Provider::of(connector).is_some_and(|provider| provider.is_all(scope))
}

/// The scopes that this type of connector offers, in the order of the catalogue.
pub fn facts(connector: &str) -> impl Iterator<Item = ScopeFact> {
    table::entries()
        .filter(move |entry| entry.offered_by(connector))
        .filter_map(table::Entry::fact)
}

/// Whether two types of connectors get their scopes from one provider.
pub fn same_provider(one: &str, other: &str) -> bool {
    let provider = Provider::of(one);
    provider.is_some() && provider == Provider::of(other)
}

/// The types that offer a scope, where this one does not.
pub fn offered_elsewhere(connector: &str, scope: &str) -> impl Iterator<Item = &'static str> {
    let entry = Provider::of(connector)
        .and_then(|provider| table::entry(provider, provider.permission(scope)))
        .filter(|entry| !entry.offered_by(connector));
    entry
        .into_iter()
        .flat_map(|entry| entry.connectors.split(' '))
}

/// The connector types that the catalogue names, common spellings among them, sorted.
pub fn connectors() -> impl Iterator<Item = &'static str> {
    table::connectors().into_iter()
}

#[cfg(test)]
mod tests;

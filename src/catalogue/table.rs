//! `scopes.tsv` as a table. Its header describes the format.

use std::{
    borrow::Cow,
    collections::{BTreeSet, HashMap},
    sync::LazyLock,
};

use super::{
    provider::Provider,
    scope_fact::{Access, Certainty, ScopeFact},
};

const TEXT: &str = include_str!("scopes.tsv");

/// Read on first use: a run that compares nothing pays nothing.
static TABLE: LazyLock<Table> = LazyLock::new(|| Table::read(TEXT));

struct Table {
    entries: Vec<Entry>,
    /// By provider and key.
    index: HashMap<(Provider, Cow<'static, str>), usize>,
}

/// A line of the table.
pub(super) struct Entry {
    pub(super) connectors: &'static str,
    provider: Provider,
    pub(super) fact: ScopeFact,
}

impl Entry {
    /// Whether this type of connector offers the scope.
    pub(super) fn offered_by(&self, connector: &str) -> bool {
        self.connectors
            .split(' ')
            .any(|name| name.eq_ignore_ascii_case(connector))
    }
}

/// The fact about a scope of this provider, spelt as the provider does.
pub(super) fn find(provider: Provider, scope: &str) -> Option<ScopeFact> {
    let at = TABLE.index.get(&(provider, provider.key(scope)))?;
    TABLE.entries.get(*at).map(|entry| entry.fact)
}

/// All lines, in order.
pub(super) fn entries() -> impl Iterator<Item = &'static Entry> {
    TABLE.entries.iter()
}

/// The lines of one provider, in order.
pub(super) fn entries_of(provider: Provider) -> impl Iterator<Item = &'static Entry> {
    entries().filter(move |entry| entry.provider == provider)
}

/// All connector types named.
pub(super) fn connectors() -> BTreeSet<&'static str> {
    entries()
        .flat_map(|entry| entry.connectors.split(' '))
        .collect()
}

impl Table {
    fn read(text: &'static str) -> Self {
        // Room for all of it at once.
        let (mut entries, mut index) = (Vec::with_capacity(2048), HashMap::with_capacity(1700));
        let (mut connectors, mut provider, mut doc) = ("", None, "");
        for line in facts_of(text) {
            if let Some(types) = line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
                (connectors, doc) = (types, "");
                provider = types.split(' ').next().and_then(Provider::of);
            } else if let Some(url) = line.strip_prefix("doc ") {
                doc = url;
            } else if let Some(fact) = fact_of(line, doc)
                && let Some(provider) = provider
            {
                index.insert((provider, provider.key(fact.scope)), entries.len());
                entries.push(Entry {
                    connectors,
                    provider,
                    fact,
                });
            }
        }
        Self { entries, index }
    }
}

/// The lines that say something.
fn facts_of(text: &'static str) -> impl Iterator<Item = &'static str> {
    text.lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
}

/// One scope's line; `None` if it is malformed, which a test rules out.
fn fact_of(line: &'static str, doc: &'static str) -> Option<ScopeFact> {
    let mut columns = line.split('\t');
    let scope = columns.next()?;
    let access = Access::parse(columns.next()?)?;
    let certainty = match columns.next()? {
        "verified" => Certainty::Verified,
        "name" => Certainty::NameVerified,
        "own" => Certainty::OwnKnowledge,
        _ => return None,
    };
    let class = columns.next()?;
    let meaning = columns.next()?;
    let mut column = || columns.next().filter(|text| *text != "-").unwrap_or("");
    let (included_in, notes) = (column(), column());

    let name = class.trim_end_matches('?');
    let class_name = Some(name).filter(|name| !matches!(*name, "" | "-"));
    let mut fact = ScopeFact {
        scope,
        meaning,
        access,
        class: class_name,
        class_verified: class_name.is_some()
            && !class.ends_with('?')
            && certainty == Certainty::Verified,
        class_unpublished: class == "?",
        certainty,
        doc,
        alias_of: None,
        legacy: false,
        capability: false,
        tokens: None,
        level: None,
        included_in,
    };
    for note in notes.split(' ').filter(|note| !note.is_empty()) {
        match note.split_once('=').unwrap_or((note, "")) {
            ("alias", main) => fact.alias_of = Some(main),
            ("legacy", _) => fact.legacy = true,
            ("capability", _) => fact.capability = true,
            ("tokens", kinds) => fact.tokens = Some(kinds),
            ("level", level) => fact.level = Some(level.parse().ok()?),
            ("doc", url) => fact.doc = url,
            _ => return None,
        }
    }
    Some(fact)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_read() {
        let lines = facts_of(TEXT).filter(|l| !l.starts_with('[') && !l.starts_with("doc "));
        assert_eq!(lines.count(), TABLE.entries.len());
        assert_eq!(TABLE.entries.len(), 1085);
        assert_eq!(
            TABLE.index.len(),
            1085,
            "a provider has one line for a scope"
        );
    }

    #[test]
    fn every_fact_names_its_page_and_speaks_briefly() {
        for Entry {
            connectors, fact, ..
        } in &TABLE.entries
        {
            let named = format!("{connectors}: {}", fact.scope);
            assert!(fact.doc.starts_with("https://"), "{named}");
            assert!((3..=80).contains(&fact.meaning.len()), "{named}");
            assert!(
                fact.meaning.chars().all(|c| matches!(c, ' '..='~')),
                "{named}"
            );
            assert!(!fact.scope.contains([' ', ',']), "{named}");
        }
    }

    #[test]
    fn every_section_is_of_one_provider_that_is_known() {
        for entry in &TABLE.entries {
            let mut providers = entry.connectors.split(' ').map(Provider::of);
            let first = providers.next().expect("a section names a type");
            assert!(first.is_some(), "{}", entry.connectors);
            assert!(providers.all(|p| p == first), "{}", entry.connectors);
        }
    }

    #[test]
    fn what_facts_refer_to_is_in_the_table() {
        for entry in &TABLE.entries {
            let provider = Provider::of(entry.connectors.split(' ').next().expect("a type"))
                .expect("a known provider");
            let main = entry.fact.alias_of.into_iter();
            for other in entry.fact.included_in().chain(main) {
                let found = find(provider, other).expect(other);
                assert_ne!(found.scope, entry.fact.scope);
                assert_eq!(found.alias_of, None, "{other} is a main name");
            }
        }
    }
}

//! `scopes.tsv` as a table. Its header describes the format.

use std::{
    borrow::Cow,
    collections::{BTreeSet, HashMap},
    sync::{LazyLock, OnceLock},
};

use super::{
    provider::Provider,
    scope_fact::{Access, Certainty, ScopeFact},
};

/// Without its comments: `.cargo/build.rs`.
const TEXT: &str = include_str!(concat!(env!("OUT_DIR"), "/scopes.tsv"));

/// The sections, found on first use; the names of each are read when a scope of its provider is looked up, a line
/// when somebody wants to know what it says. A run that compares nothing parses nothing.
static SECTIONS: LazyLock<Vec<Section>> = LazyLock::new(|| sections(TEXT).collect());

/// Scopes of the same types of connector.
struct Section {
    connectors: &'static str,
    provider: Provider,
    lines: &'static str,
    read: OnceLock<Read>,
    named: OnceLock<HashMap<String, Vec<&'static Entry>>>,
}

struct Read {
    entries: Vec<Entry>,
    index: HashMap<Cow<'static, str>, usize>,
}

/// A line of the table.
pub(super) struct Entry {
    pub(super) connectors: &'static str,
    pub(super) scope: &'static str,
    line: &'static str,
    doc: &'static str,
    fact: OnceLock<Option<ScopeFact>>,
}

impl Entry {
    /// What the line says; `None` if it is malformed, which a test rules out.
    pub(super) fn fact(&self) -> Option<ScopeFact> {
        *self.fact.get_or_init(|| fact_of(self.line, self.doc))
    }

    /// Whether this type of connector offers the scope.
    pub(super) fn offered_by(&self, connector: &str) -> bool {
        self.connectors
            .split(' ')
            .any(|name| name.eq_ignore_ascii_case(connector))
    }
}

/// The fact about a scope of this provider, spelt as the provider does.
pub(super) fn find(provider: Provider, scope: &str) -> Option<ScopeFact> {
    entry(provider, scope)?.fact()
}

/// Its line.
pub(super) fn entry(provider: Provider, scope: &str) -> Option<&'static Entry> {
    let key = provider.key(scope);
    sections_of(provider).find_map(|section| {
        let read = section.read();
        let at = read.index.get(key.as_ref())?;
        read.entries.get(*at)
    })
}

/// The lines of one provider whose scopes have this name. It is always the same `name_of`.
pub(super) fn named(
    provider: Provider,
    name: String,
    name_of: fn(&str) -> String,
) -> impl Iterator<Item = &'static Entry> {
    sections_of(provider)
        .filter_map(move |section| section.named(name_of).get(&name))
        .flatten()
        .copied()
}

/// All lines, in order.
pub(super) fn entries() -> impl Iterator<Item = &'static Entry> {
    SECTIONS.iter().flat_map(|section| &section.read().entries)
}

/// The lines of one provider, in order.
pub(super) fn entries_of(provider: Provider) -> impl Iterator<Item = &'static Entry> {
    sections_of(provider).flat_map(|section| &section.read().entries)
}

/// All connector types named.
pub(super) fn connectors() -> BTreeSet<&'static str> {
    let types = SECTIONS.iter().map(|section| section.connectors);
    types.flat_map(|types| types.split(' ')).collect()
}

fn sections_of(provider: Provider) -> impl Iterator<Item = &'static Section> {
    SECTIONS
        .iter()
        .filter(move |section| section.provider == provider)
}

/// A section begins with its types in brackets, on a line of their own.
fn sections(text: &'static str) -> impl Iterator<Item = Section> {
    let begins = |at: &usize| *at == 0 || text.as_bytes().get(at - 1) == Some(&b'\n');
    let starts: Vec<_> = text.match_indices('[').map(|(at, _)| at).collect();
    let starts: Vec<_> = starts.into_iter().filter(begins).collect();
    let ends: Vec<_> = starts.iter().skip(1).copied().chain([text.len()]).collect();
    starts
        .into_iter()
        .zip(ends)
        .filter_map(move |(start, end)| {
            let (types, lines) = text.get(start + 1..end)?.split_once("]\n")?;
            Some(Section {
                connectors: types,
                provider: types.split(' ').next().and_then(Provider::of)?,
                lines,
                read: OnceLock::new(),
                named: OnceLock::new(),
            })
        })
}

impl Section {
    fn named(
        &'static self,
        name_of: fn(&str) -> String,
    ) -> &'static HashMap<String, Vec<&'static Entry>> {
        self.named.get_or_init(|| {
            let mut named: HashMap<_, Vec<_>> = HashMap::new();
            for entry in &self.read().entries {
                named.entry(name_of(entry.scope)).or_default().push(entry);
            }
            named
        })
    }

    fn read(&self) -> &Read {
        self.read.get_or_init(|| {
            let (mut entries, mut doc) = (Vec::new(), "");
            for line in lines_of(self.lines) {
                if let Some(url) = line.strip_prefix("doc ") {
                    doc = url;
                } else if let Some(scope) = scope_of(line) {
                    entries.push(Entry {
                        connectors: self.connectors,
                        scope,
                        line,
                        doc,
                        fact: OnceLock::new(),
                    });
                }
            }
            let mut index = HashMap::with_capacity(entries.len());
            let keys = entries.iter().map(|entry| self.provider.key(entry.scope));
            index.extend(keys.zip(0..));
            Read { entries, index }
        })
    }
}

fn lines_of(text: &'static str) -> impl Iterator<Item = &'static str> {
    let mut begin = 0;
    memchr::memchr_iter(b'\n', text.as_bytes())
        .filter_map(move |end| text.get(std::mem::replace(&mut begin, end + 1)..end))
}

/// The scope that a line is about.
fn scope_of(line: &'static str) -> Option<&'static str> {
    line.get(..memchr::memchr(b'\t', line.as_bytes())?)
}

/// One scope's line.
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
        reaches: None,
        included_in,
    };
    for note in notes.split(' ').filter(|note| !note.is_empty()) {
        match note.split_once('=').unwrap_or((note, "")) {
            ("alias", main) => fact.alias_of = Some(main),
            ("legacy", _) => fact.legacy = true,
            ("capability", _) => fact.capability = true,
            ("tokens", kinds) => fact.tokens = Some(kinds),
            ("level", level) => fact.level = Some(level.parse().ok()?),
            ("reaches", word) => fact.reaches = Some(Access::parse(word)?),
            ("doc", url) => fact.doc = url,
            _ => return None,
        }
    }
    Some(fact)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    /// With the types of its section.
    fn facts() -> impl Iterator<Item = (&'static str, ScopeFact)> {
        entries().filter_map(|entry| Some((entry.connectors, entry.fact()?)))
    }

    #[test]
    fn every_line_is_read() {
        let lines = lines_of(TEXT).filter(|l| !l.starts_with('[') && !l.starts_with("doc "));
        assert_eq!(lines.count(), facts().count());
        assert_eq!(facts().count(), 1146);
        let index = |section: &Section| section.read().index.keys().cloned().collect::<Vec<_>>();
        let indexed: HashSet<_> = SECTIONS
            .iter()
            .flat_map(|section| {
                index(section)
                    .into_iter()
                    .map(|key| (section.provider, key))
            })
            .collect();
        assert_eq!(indexed.len(), 1146, "a provider has one line for a scope");
    }

    #[test]
    fn every_fact_names_its_page_and_speaks_briefly() {
        for (connectors, fact) in facts() {
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
        for entry in entries() {
            let mut providers = entry.connectors.split(' ').map(Provider::of);
            let first = providers.next().expect("a section names a type");
            assert!(first.is_some(), "{}", entry.connectors);
            assert!(providers.all(|p| p == first), "{}", entry.connectors);
        }
    }

    /// Else what a ceiling forbids comes back within another scope.
    #[test]
    fn a_scope_reaches_as_far_as_all_that_it_includes() {
        let rules = crate::catalogue::ScopeEquivalence::default();
        let mut furthest: HashMap<(Provider, String), Access> = HashMap::new();
        for (connectors, fact) in facts() {
            let name = connectors.split(' ').next().expect("a type");
            let provider = Provider::of(name).expect("a known provider");
            let connector = crate::model::ConnectorType::parse(name).expect("a type");
            let wider = rules.wider(&connector, &fact.scope.into());
            let own = std::iter::once(fact.scope.into()).chain(wider);
            for scope in own {
                let most = furthest.entry((provider, scope.into_owned()));
                let most = most.or_insert(fact.access);
                *most = fact.access.max(*most);
            }
        }
        for (provider, scope) in furthest.keys() {
            let fact = find(*provider, scope).expect("listed");
            let main = fact.alias_of.unwrap_or(fact.scope).to_owned();
            let most = furthest.get(&(*provider, main)).expect("listed");
            assert_eq!(fact.reach(), *most, "{scope}");
            assert!(fact.reaches.is_none_or(|reaches| reaches > fact.access));
        }
    }

    #[test]
    fn what_facts_refer_to_is_in_the_table() {
        for (connectors, fact) in facts() {
            let provider = Provider::of(connectors.split(' ').next().expect("a type"))
                .expect("a known provider");
            let main = fact.alias_of.into_iter();
            for other in fact.included_in().chain(main) {
                let found = find(provider, other).expect(other);
                assert_ne!(found.scope, fact.scope);
                assert_eq!(found.alias_of, None, "{other} is a main name");
            }
        }
    }
}

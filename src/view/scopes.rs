//! What is known of scopes.

use serde::Serialize;

use super::{
    Medium, Style,
    json::pretty,
    report::{FORMAT_VERSION, FactReport},
    table::table,
    words::count,
};
use crate::{
    catalogue::{self, ScopeFact},
    model::{ConnectorType, Scope},
    syntax::KNOWN_TYPES,
};

/// A scope of a type.
#[derive(Clone, Copy, Debug)]
pub struct Found {
    /// The connector's type.
    pub connector: &'static str,
    /// What is known.
    pub fact: ScopeFact,
}

impl Found {
    /// Whether a word in lower case occurs in it.
    pub fn matches(&self, word: &str) -> bool {
        let access = self.fact.access.as_str();
        let text = [self.connector, self.fact.scope, self.fact.meaning, access];
        let class = self.fact.class.unwrap_or_default();
        text.iter().any(|text| text.to_lowercase().contains(word)) || class.contains(word)
    }

    /// How far it reaches, what is grave in capitals.
    pub fn risk(&self) -> String {
        let Ok(connector) = ConnectorType::parse(self.connector) else {
            return self.fact.access.as_str().to_owned();
        };
        let line = FactReport::of(&connector, &Scope::new(self.fact.scope)).describe();
        let risk = line.rsplit_once(" · ").map(|(_, risk)| risk.to_owned());
        risk.unwrap_or_else(|| self.fact.access.as_str().to_owned())
    }
}

/// The types whose scopes are listed: each once, by the platform's spelling.
pub fn types() -> impl Iterator<Item = &'static str> {
    let listed = |name: &&str| catalogue::facts(name).next().is_some();
    KNOWN_TYPES.into_iter().filter(listed)
}

/// What was asked for.
pub enum Asked<'a> {
    /// Nothing in particular.
    Nothing,
    /// Scopes with these words in them.
    Words {
        /// Whether all are of one type.
        one_type: bool,
        /// The type that the first word may have meant.
        meant: Option<&'a str>,
    },
}

/// What was found.
pub fn show(found: &[Found], asked: &Asked<'_>, medium: &Medium<'_>) -> String {
    match asked {
        _ if medium.is_json() => json(found),
        Asked::Nothing => counts(found, medium),
        Asked::Words { meant, .. } if found.is_empty() => nothing(*meant),
        Asked::Words { one_type, .. } => table_of(found, !one_type, medium),
    }
}

/// A row for each scope; the type is said where there may be several.
fn table_of(found: &[Found], with_type: bool, medium: &Medium<'_>) -> String {
    let rows: Vec<_> = found
        .iter()
        .map(|found| {
            let mut row = vec![found.fact.scope.to_owned(), found.risk()];
            if with_type {
                row.insert(0, found.connector.to_owned());
            }
            row.push(match found.fact.alias_of {
                Some(main) => format!("{} (the same as {main})", found.fact.meaning),
                None => found.fact.meaning.to_owned(),
            });
            row
        })
        .collect();
    let heading = ["TYPE", "SCOPE", "RISK", "MEANING"];
    let heading = heading.get(usize::from(!with_type)..).unwrap_or(&heading);
    let mut text = table(heading, &rows, medium);
    let line = format!(
        "\n{}. That a scope is not listed does not mean that it is harmless.\n",
        count(found.len(), "scope")
    );
    text.push_str(&medium.theme.paint(Style::Dim, &line));
    text
}

/// A row for each type.
fn counts(found: &[Found], medium: &Medium<'_>) -> String {
    let rows: Vec<_> = types()
        .map(|name| {
            let of = found.iter().filter(|found| found.connector == name);
            vec![name.to_owned(), of.count().to_string()]
        })
        .collect();
    let mut text = table(&["TYPE", "SCOPES"], &rows, medium);
    text.push_str("\n`connplan scopes TYPE [WORD...]` lists them.\n");
    text
}

/// Nothing matches.
fn nothing(meant: Option<&str>) -> String {
    let next = meant.map_or_else(
        || "`connplan scopes` lists the types.".to_owned(),
        |meant| format!("Did you mean the type `{meant}`?"),
    );
    format!("No known scope matches. {next}\n")
}

#[derive(Serialize)]
struct ScopesReport<'a> {
    format_version: &'static str,
    kind: &'static str,
    scopes: Vec<ScopeReport<'a>>,
}

#[derive(Serialize)]
struct ScopeReport<'a> {
    connector: &'a str,
    scope: &'a str,
    meaning: &'a str,
    access: &'a str,
    class: Option<&'a str>,
    certainty: catalogue::Certainty,
    alias_of: Option<&'a str>,
    legacy: bool,
    doc: &'a str,
}

/// The same as JSON, with a line break at its end.
fn json(found: &[Found]) -> String {
    let scopes = found.iter().map(|Found { connector, fact }| ScopeReport {
        connector,
        scope: fact.scope,
        meaning: fact.meaning,
        access: fact.access.as_str(),
        class: fact.class,
        certainty: fact.certainty,
        alias_of: fact.alias_of,
        legacy: fact.legacy,
        doc: fact.doc,
    });
    pretty(&ScopesReport {
        format_version: FORMAT_VERSION,
        kind: "scopes",
        scopes: scopes.collect(),
    })
}

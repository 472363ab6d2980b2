//! JSON Schemas (draft 2020-12) of what others read and write. Pure.
//!
//! A test makes them from the types and holds what is kept of them to that: the code that makes schemas is not
//! a part of the program.

mod completion;
#[cfg(test)]
mod tests;

use serde_json::Value;

/// What a schema describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Subject {
    /// `plan --format json`, `show PLAN --format json`
    Plan,
    /// `apply --format json`, `show RECEIPT --format json`
    Receipt,
    /// A connector file; editors take it through `$schema`
    Connector,
    /// `connplan.toml`
    Settings,
}

impl Subject {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Plan, Self::Receipt, Self::Connector, Self::Settings];

    /// The word on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Plan => "plan",
            Self::Receipt => "receipt",
            Self::Connector => "connector",
            Self::Settings => "settings",
        }
    }

    /// What is kept of it: all but white space (`.cargo/build.rs`), and but the lists of a connector file's scopes,
    /// which the catalogue has.
    fn kept(self) -> &'static str {
        match self {
            Self::Plan => include_str!(concat!(env!("OUT_DIR"), "/plan.json")),
            Self::Receipt => include_str!(concat!(env!("OUT_DIR"), "/receipt.json")),
            Self::Connector => include_str!("connector.json"),
            Self::Settings => include_str!(concat!(env!("OUT_DIR"), "/settings.json")),
        }
    }

    /// Its schema as text, with a line break at its end.
    pub fn to_json(self) -> String {
        // It is JSON: a test holds what is printed to the types.
        let mut schema = serde_json::from_slice(self.kept().as_bytes()).unwrap_or_default();
        if self == Self::Connector {
            completion::add(&mut schema);
        }
        text(&schema)
    }
}

fn text(schema: &Value) -> String {
    // Both forms of formatting agree: a schema is plain JSON.
    format!("{schema:#}\n")
}

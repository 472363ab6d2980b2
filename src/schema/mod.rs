//! JSON Schemas (draft 2020-12) of what others read and write, made from the types. Pure.

mod completion;
mod connector;

pub use connector::ConnectorFile;

use schemars::{JsonSchema, Schema, generate::SchemaSettings};

use crate::{
    syntax::Settings,
    view::report::{PlanReport, ReceiptReport},
};

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

    /// Its schema.
    pub fn schema(self) -> Schema {
        match self {
            Self::Plan => written::<PlanReport>("A connplan plan"),
            Self::Receipt => written::<ReceiptReport>("A connplan receipt"),
            Self::Connector => {
                let mut schema = read::<ConnectorFile>("A connector file");
                completion::add(&mut schema);
                schema
            }
            Self::Settings => read::<Settings>("connplan.toml"),
        }
    }

    /// Its schema as text, with a line break at its end.
    pub fn to_json(self) -> String {
        // Both forms of formatting agree: a schema is plain JSON.
        format!("{:#}\n", self.schema().to_value())
    }
}

/// Of a document that this program writes: what is always there is required.
fn written<T: JsonSchema>(title: &'static str) -> Schema {
    titled::<T>(SchemaSettings::draft2020_12().for_serialize(), title)
}

/// Of a document that people write: only what has no default is required.
fn read<T: JsonSchema>(title: &'static str) -> Schema {
    titled::<T>(SchemaSettings::draft2020_12().for_deserialize(), title)
}

fn titled<T: JsonSchema>(settings: SchemaSettings, title: &'static str) -> Schema {
    let mut schema = settings.into_generator().into_root_schema_for::<T>();
    schema.insert("title".to_owned(), title.into());
    schema
}

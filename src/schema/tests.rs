//! The schemas that the types have, and that those that are kept are these.
//!
//! `INSTA_UPDATE=always cargo test --lib schema::` writes them anew.

#![expect(
    clippy::disallowed_methods,
    reason = "how a person asks for files to be written"
)]

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use clap::ValueEnum as _;
use schemars::{JsonSchema, Schema, generate::SchemaSettings};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Subject, text};
use crate::{
    approval::Proof,
    diff::Action,
    fs::{self, Visibility},
    model::{ConnectorType, ExpectedAccount, Scope},
    policy::Rule,
    receipt::Outcome,
    risk::RiskKind,
    syntax::Settings,
    view::report::{PlanReport, ReceiptReport},
};

/// One connector of the app: a file in the project's connectors folder.
///
/// The reader proper is `crate::syntax::parse_connector`, which knows lines and columns; a test holds the
/// two together.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(
    deny_unknown_fields,
    description = "One connector of the app: a file in the project's connectors folder."
)]
struct ConnectorFile {
    /// Which connector: the name that the platform knows it by, such as `slack` or
    /// `googlecalendar`. `connplan list-available` lists them.
    #[serde(rename = "type")]
    connector: ConnectorType,
    /// The OAuth scopes to ask for, exactly, each an element of its own. Without effect for
    /// `stripe`.
    #[serde(default)]
    #[schemars(extend("items" = { "$ref": "#/$defs/Scope", "pattern": r"^[^\s\x00\x1c-\x1f]+$" }))]
    scopes: Vec<Scope>,
    /// Who is to give consent: an address, or `@` and a domain. Only connplan knows this key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "ExpectedAccount", extend("pattern" = r"^\S*@[^@\s]+$"))]
    account: Option<ExpectedAccount>,
    /// The values that the connection needs, such as a subdomain, by name; `${NAME}` is the variable
    /// `CONNPLAN_VAR_NAME` of the environment. Only connplan knows this key.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    connection_config: BTreeMap<String, String>,
    /// The address of this schema, for editors.
    #[serde(default, rename = "$schema", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    schema: Option<String>,
}

fn made(subject: Subject) -> Schema {
    match subject {
        Subject::Plan => written::<PlanReport>("A connplan plan"),
        Subject::Receipt => written::<ReceiptReport>("A connplan receipt"),
        Subject::Connector => read::<ConnectorFile>("A connector file"),
        Subject::Settings => read::<Settings>("connplan.toml"),
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

/// The words of an enum, by its type.
fn words<T: JsonSchema>() -> BTreeSet<String> {
    let schema = written::<T>("").to_value();
    let listed = schema["oneOf"].as_array().into_iter().flatten();
    let listed = listed.flat_map(|one| {
        one["const"].as_str().into_iter().chain(
            one["enum"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_str),
        )
    });
    listed.map(str::to_owned).collect()
}

/// The compiler does not miss a variant in a list: here it is missed.
#[test]
fn a_list_of_all_variants_leaves_none_out() {
    fn all<T: JsonSchema>(listed: &[impl ToString]) {
        let listed: BTreeSet<_> = listed.iter().map(ToString::to_string).collect();
        assert_eq!(listed, words::<T>(), "{}", T::schema_name());
    }
    all::<Rule>(&Rule::ALL);
    all::<RiskKind>(&RiskKind::ALL.map(RiskKind::as_str));
    all::<Proof>(&Proof::ALL);
    all::<Action>(&Action::ALL);
    all::<Outcome>(&Outcome::ALL.map(Outcome::as_str));
    assert_eq!(Subject::value_variants(), Subject::ALL);
}

#[test]
fn what_is_kept_is_what_the_types_say() {
    let mut differ = Vec::new();
    for subject in Subject::ALL {
        let made = text(made(subject).as_value());
        let file = match subject {
            Subject::Connector => "src/schema/connector.json".to_owned(),
            other => format!("fixtures/schemas/{}.json", other.as_str()),
        };
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(&file);
        if std::fs::read_to_string(&path).unwrap() == made {
            continue;
        }
        if std::env::var("INSTA_UPDATE").is_ok_and(|how| how == "always") {
            fs::write(&path, made.as_bytes(), Visibility::Shared).unwrap();
        } else {
            differ.push(file);
        }
    }
    assert!(differ.is_empty(), "{differ:?} are not as the types say");
}

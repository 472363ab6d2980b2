//! What an editor offers in a connector file: the known types, and for each its scopes with what they
//! permit. Anything else stays allowed: no list is complete.

use serde_json::{Value, json};

use crate::{
    catalogue,
    model::{ConnectorType, Scope},
    risk::FactReport,
    syntax::KNOWN_TYPES,
};

/// Adds the lists to the schema of a connector file.
pub(super) fn add(schema: &mut Value) {
    let cases: Vec<Value> = KNOWN_TYPES.into_iter().filter_map(case).collect();
    if let Some(kind) = schema.pointer_mut("/properties/type") {
        let known = json!({ "enum": KNOWN_TYPES.as_slice() });
        kind["anyOf"] = json!([known, { "type": "string" }]);
    }
    schema["allOf"] = Value::Array(cases);
}

/// Which scopes a type has.
fn case(name: &'static str) -> Option<Value> {
    let connector = ConnectorType::parse(name).ok()?;
    // Other names for the same, and what is older, are understood and not offered.
    let facts: Vec<_> = catalogue::facts(name)
        .filter(|fact| fact.alias_of.is_none() && !fact.legacy && !fact.capability)
        .collect();
    if facts.is_empty() {
        return None;
    }
    let scopes: Vec<_> = facts.iter().map(|fact| fact.scope).collect();
    let told = |scope: &&str| FactReport::of(&connector, &Scope::new(*scope)).describe();
    let descriptions: Vec<_> = scopes.iter().map(told).collect();
    let known = json!({ "enum": scopes, "enumDescriptions": descriptions });
    Some(json!({
        "if": { "properties": { "type": { "const": name } }, "required": ["type"] },
        "then": { "properties": { "scopes": { "items": { "anyOf": [known, { "type": "string" }] } } } },
    }))
}

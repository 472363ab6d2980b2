//! The values that a connection needs, such as a subdomain, and those that it has.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::Value;

use super::{ConfigField, available::config_field};
use crate::{
    http::{CallClass, PaceClass, server_text},
    model::{ConnectorType, map_of},
    remote::{Remote, RemoteError, call::Call, wire},
};

/// What a connector needs, and what its connection has. All of its text is untrusted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConnectionValues {
    /// The fields, as far as the platform describes them.
    pub fields: Vec<ConfigField>,
    /// The values of the connection that there is; `None` if the platform does not tell.
    pub saved: Option<BTreeMap<String, String>>,
}

impl ConnectionValues {
    /// What is wrong with values that a file declares, one sentence each. Nothing is known of a
    /// connector whose fields were not told.
    pub fn check(&self, declared: &BTreeMap<String, String>) -> Vec<String> {
        let mut wrong = Vec::new();
        for field in &self.fields {
            let name = server_text(&field.name);
            let saved = self.saved.as_ref().and_then(|saved| saved.get(&field.name));
            match declared.get(&field.name) {
                Some(value) if value.is_empty() && field.required => {
                    wrong.push(format!("`{name}` is needed, and is empty"));
                }
                Some(value) if !field.accepts(value) => {
                    let why = field.validation_error.as_deref().map(server_text);
                    wrong.push(match why.filter(|why| !why.is_empty()) {
                        Some(why) => format!("`{name}` is not as the platform wants it: {why}"),
                        None => format!("`{name}` is not as the platform wants it"),
                    });
                }
                // What a connection has already need not be declared.
                None if field.required && (saved.is_none() || !declared.is_empty()) => {
                    wrong.push(format!("`{name}` is needed, and the file does not say it"));
                }
                _ => {}
            }
        }
        if !self.fields.is_empty() {
            let unknown = declared
                .keys()
                .filter(|name| !self.fields.iter().any(|field| field.name == **name));
            wrong.extend(unknown.map(|name| {
                let name = server_text(name);
                format!("there is no value `{name}` for this connector")
            }));
        }
        wrong
    }
}

impl ConfigField {
    /// Whether a value fits the pattern; one that cannot be read as a pattern fits all.
    fn accepts(&self, value: &str) -> bool {
        /// A pattern comes from elsewhere, and must cost nothing.
        const MAX_PATTERN: usize = 1000;
        let pattern = self.validation_pattern.as_deref();
        let pattern = pattern.filter(|pattern| pattern.len() <= MAX_PATTERN);
        let read = pattern.and_then(|pattern| regex_lite::Regex::new(pattern).ok());
        read.is_none_or(|pattern| pattern.is_match(value))
    }
}

impl Remote {
    /// Asks for a connector's fields and its connection's values. That there is no such thing (404)
    /// is an answer without either.
    pub async fn connection_values(
        &self,
        connector: &ConnectorType,
    ) -> Result<ConnectionValues, RemoteError> {
        let path = self.app_path(&format!("external-auth/connection-config/{connector}"));
        let call = Call::new(
            format!("reading the connection values of {connector}"),
            CallClass::Read,
            Method::GET,
            path,
        )
        .paced(PaceClass::Fields);
        match self.send(&call).await {
            Ok(answer) => Ok(read(&answer.decode()?)),
            Err(RemoteError::NotFound { .. }) => Ok(ConnectionValues::default()),
            Err(error) => Err(error),
        }
    }
}

/// Reads an answer whose keys are not documented.
fn read(told: &serde_json::Map<String, Value>) -> ConnectionValues {
    let first = |keys: &[&str]| keys.iter().find_map(|key| told.get(*key));
    let fields = first(&["connection_config_fields", "fields"]).and_then(Value::as_array);
    let field = |value: &Value| {
        let field = wire::ConfigField::lenient(value)?;
        Some(config_field(field))
    };
    let saved = first(&[
        "connection_config",
        "values",
        "current_values",
        "saved_values",
        "current",
    ]);
    let text = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        _ => None,
    };
    let saved = saved.and_then(|saved| match saved {
        Value::Null => Some(BTreeMap::new()),
        Value::Object(saved) => {
            let pair = |(name, value): (&String, &Value)| Some((name.clone(), text(value)?));
            Some(map_of(saved.iter().filter_map(pair)))
        }
        _ => None,
    });
    ConnectionValues {
        fields: fields.into_iter().flatten().filter_map(field).collect(),
        saved,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_held_against_the_fields() {
        let told = read(
            json!({"fields": [
                {"name": "subdomain", "required": true, "validation_pattern": "^[a-z]+$",
                 "validation_error": "Lower case."},
                {"name": "role", "validation_pattern": "(?<broken"},
            ]})
            .as_object()
            .unwrap(),
        );
        let check = |values: &[(&str, &str)]| {
            let pair = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
            told.check(&values.iter().map(pair).collect())
        };
        assert!(check(&[("subdomain", "acme")]).is_empty());
        assert!(check(&[("subdomain", "acme"), ("role", "x")]).is_empty());
        for (values, says) in [
            (&[][..], "is needed"),
            (&[("subdomain", "A")], "Lower case."),
            (&[("subdomain", "")], "is empty"),
            (&[("subdomain", "a"), ("other", "x")], "no value `other`"),
        ] {
            let wrong = check(values);
            assert!(wrong.len() == 1 && wrong[0].contains(says), "{wrong:?}");
        }
        let nothing = ConnectionValues::default();
        let any = [("x".to_owned(), String::new())].into();
        assert!(nothing.check(&any).is_empty(), "nothing is known");
    }

    #[test]
    fn several_shapes_are_understood() {
        let of = |told: Value| read(told.as_object().unwrap());
        let told = of(json!({
            "connection_config_fields": [{"name": "subdomain", "required": true}, 3, {}],
            "connection_config": {"subdomain": "acme", "n": 1, "x": null},
        }));
        assert_eq!(told.fields.len(), 1);
        assert!(told.fields[0].required);
        let saved = told.saved.unwrap();
        assert_eq!(
            (saved["subdomain"].as_str(), saved["n"].as_str()),
            ("acme", "1")
        );
        assert_eq!(
            of(json!({"fields": [], "values": null})).saved,
            Some(BTreeMap::new())
        );
        assert_eq!(of(json!({})), ConnectionValues::default());
    }
}

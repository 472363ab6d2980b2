//! A connector's connection values (`connection_config`): read, and their variables put in. Pure.

use std::collections::BTreeMap;

use super::{Finding, Problem, quote::Quoted, source::Source, tree::Node};

/// The longest value taken, in bytes.
const MAX_VALUE: usize = 2048;

/// Reads the key `connection_config`. `null` and none at all are "none".
pub(super) fn read(
    node: Option<&Node>,
    source: &Source,
) -> (BTreeMap<String, String>, Vec<Problem>) {
    let mut values = BTreeMap::new();
    let Some(node) = node.filter(|node| !matches!(node.value, super::tree::Value::Null)) else {
        return (values, Vec::new());
    };
    if !matches!(node.value, super::tree::Value::Map(_)) {
        let found = node.kind();
        let problem = Problem::new(Finding::ValuesNotAnObject { found }, source);
        return (values, vec![problem.label(node.head(), "here")]);
    }
    let mut problems = Vec::new();
    for member in node.members() {
        let found = match member.node.text() {
            Some(text) if text.len() > MAX_VALUE => "too long",
            Some(text) if text.chars().any(char::is_control) => "a text with control characters",
            Some(text) => {
                values.insert(member.key.clone(), text.to_owned());
                continue;
            }
            None => member.node.kind(),
        };
        let key = Quoted::new(&member.key);
        let problem = Problem::new(Finding::ValueNotAString { key, found }, source);
        problems.push(problem.label(member.node.head(), "here"));
    }
    (values, problems)
}

/// Why a variable is not put into a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadVariable {
    /// It is not set.
    #[error("the variable {0} is not set")]
    Unset(String),
    /// By its name it holds a secret, and values stand in plans that others read.
    #[error("the variable {0} may hold a secret, and values are shown in plans: use another name")]
    Secret(String),
    /// `${` without its `}`, or nothing in between that names a variable.
    #[error("a variable is written `${{NAME}}`, and `$$` is a plain dollar")]
    Syntax,
}

/// Puts variables (`${NAME}`) into a value; `$$` is a plain `$`.
pub fn resolve(
    text: &str,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<String, BadVariable> {
    let mut resolved = String::new();
    let mut rest = text;
    while let Some((plain, after)) = rest.split_once('$') {
        resolved.push_str(plain);
        if let Some(after) = after.strip_prefix('$') {
            resolved.push('$');
            rest = after;
        } else if let Some(after) = after.strip_prefix('{') {
            let (name, after) = after.split_once('}').ok_or(BadVariable::Syntax)?;
            let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
            if name.is_empty() || !name.bytes().all(plain) {
                return Err(BadVariable::Syntax);
            }
            if is_secret(name) {
                return Err(BadVariable::Secret(name.to_owned()));
            }
            let value = variable(name).ok_or_else(|| BadVariable::Unset(name.to_owned()))?;
            resolved.push_str(&value);
            rest = after;
        } else {
            resolved.push('$');
            rest = after;
        }
    }
    resolved.push_str(rest);
    Ok(resolved)
}

/// Whether a variable holds a secret, by its name.
fn is_secret(name: &str) -> bool {
    const PARTS: [&str; 7] = [
        "TOKEN",
        "SECRET",
        "PASSWORD",
        "PASSWD",
        "CREDENTIAL",
        "PRIVATE",
        "SESSION",
    ];
    let name = name.to_ascii_uppercase();
    let key = name
        .split('_')
        .any(|word| word == "KEY" || word == "APIKEY" || word == "PAT");
    key || name.starts_with("BASE44_") || PARTS.iter().any(|part| name.contains(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_put_in() {
        let variable = |name: &str| (name == "TENANT").then(|| "acme".to_owned());
        let of = |text: &str| resolve(text, variable);
        assert_eq!(
            of("${TENANT}.example.com").as_deref(),
            Ok("acme.example.com")
        );
        assert_eq!(of("a$$b $c $").as_deref(), Ok("a$b $c $"));
        assert_eq!(of("${OTHER}"), Err(BadVariable::Unset("OTHER".to_owned())));
        for bad in ["${", "${}", "${a b}", "${TENANT"] {
            assert_eq!(of(bad), Err(BadVariable::Syntax), "{bad}");
        }
        for secret in [
            "BASE44_ACCESS_TOKEN",
            "AWS_SECRET_ACCESS_KEY",
            "DB_PASSWORD",
            "API_KEY",
        ] {
            let expected = Err(BadVariable::Secret(secret.to_owned()));
            assert_eq!(of(&format!("${{{secret}}}")), expected);
        }
    }

    #[test]
    fn values_are_texts_by_name() {
        let read = |text: &str| {
            let source = Source::new("a.jsonc", text);
            let node = super::super::json5::parse(text).unwrap();
            let (values, problems) = read(Some(&node), &source);
            (values.len(), problems.len())
        };
        assert_eq!(read(r#"{"subdomain": "acme"}"#), (1, 0));
        assert_eq!(read(r#"{"a": 1, "b": "x", "c": ["y"]}"#), (1, 2));
        assert_eq!(read(r#"["a"]"#), (0, 1));
        assert_eq!(read("null"), (0, 0));
    }
}

//! A connector's connection values (`connection_config`): read, and their variables put in. Pure.

use std::collections::BTreeMap;

use super::{
    Finding, Problem,
    quote::Quoted,
    source::Source,
    tree::{Node, Span},
};

/// How the variables begin that values may take anywhere: whoever sets one means it for that.
pub(super) const VARIABLES: &str = "CONNPLAN_VAR_";
/// The code of what is said where a value is a variable of the user's own.
pub const OWN_VARIABLE: &str = "connplan::config::own_variable";
/// The longest value taken, in bytes.
const MAX_VALUE: usize = 2048;

/// Reads the key `connection_config`. `null` and none at all are "none".
pub(super) fn read(
    node: Option<&Node>,
    source: &Source,
) -> (BTreeMap<String, (String, Span)>, Vec<Problem>) {
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
                let value = (text.to_owned(), member.node.span.clone());
                values.insert(member.key.clone(), value);
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
    #[error("the variable {VARIABLES}{0}, which `${{{0}}}` stands for, is not set")]
    Unset(String),
    /// By its look it holds a secret, and values stand in plans that others read.
    #[error(
        "the variable {VARIABLES}{0} looks like a secret, and everybody can read connection values in a plan"
    )]
    Secret(String),
    /// The user's own, and by its look it may hold a secret.
    #[error(
        "your variable {0} may hold a secret, and everybody can read connection values in a plan; if it is meant \
         for that, `export {VARIABLES}{0}=...`"
    )]
    MaySecret(String),
    /// `${` without its `}`, or nothing in between that names a variable.
    #[error("a variable is written `${{NAME}}`, and `$$` is a plain dollar")]
    Syntax,
}

/// Whose variables a file may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VariablesFrom {
    /// Those that are named for values alone: where a file of the checkout chooses the variable, and others
    /// read the plan or a file of the checkout says where it goes.
    Named,
    /// Also the user's own whose names tell of no secret: what they hold goes to the user's app alone.
    User,
}

/// Puts variables into a value: `${NAME}` is the variable `CONNPLAN_VAR_NAME`, or the user's `NAME`; `$$` is a
/// plain `$`.
pub fn resolve(
    text: &str,
    from: VariablesFrom,
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
            let name = name.strip_prefix(VARIABLES).unwrap_or(name);
            let own = || (from == VariablesFrom::User && !is_secret(name)).then(|| variable(name));
            let own = || own().flatten();
            if is_own(name, &variable) && own().is_some_and(|value| looks_random(&value)) {
                return Err(BadVariable::MaySecret(name.to_owned()));
            }
            let value = variable(&format!("{VARIABLES}{name}")).or_else(own);
            let value = value.ok_or_else(|| BadVariable::Unset(name.to_owned()))?;
            if looks_secret(&value) {
                return Err(BadVariable::Secret(name.to_owned()));
            }
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

/// Whether a name stands for a variable that nobody set for connection values.
fn is_own(name: &str, variable: impl Fn(&str) -> Option<String>) -> bool {
    variable(&format!("{VARIABLES}{name}")).is_none()
}

/// Which of the user's own variables fill this value, in order.
pub fn own_variables(text: &str, variable: impl Fn(&str) -> Option<String>) -> Vec<&str> {
    let plain = text.split("$$");
    plain
        .flat_map(|plain| plain.split("${").skip(1))
        .filter_map(|rest| rest.split_once('}').map(|(name, _)| name))
        .map(|name| name.strip_prefix(VARIABLES).unwrap_or(name))
        .filter(|name| is_own(name, &variable))
        .collect()
}

/// Whether a value has no word in it that a person would write: 16 or more letters and digits, mixed.
fn looks_random(value: &str) -> bool {
    let runs = value.split(|c: char| !c.is_ascii_alphanumeric());
    runs.filter(|run| run.len() >= 16).any(|run| {
        let digits = run.bytes().filter(u8::is_ascii_digit).count();
        digits > 1 && digits < run.len()
    })
}

/// Whether a variable holds a secret, by its name.
fn is_secret(name: &str) -> bool {
    const PARTS: [&str; 28] = [
        "AUTH",
        "CERT",
        "CONNECTION_STRING",
        "BEARER",
        "COOKIE",
        "CRED",
        "CRYPT",
        "DSN",
        "HMAC",
        "JWT",
        "LICENSE",
        "LOGIN",
        "MNEMONIC",
        "NETRC",
        "PASS",
        "PHRASE",
        "PRIVATE",
        "RECOVERY",
        "SALT",
        "SECRET",
        "SEED",
        "SESSION",
        "SIGNING",
        "TOKEN",
        "UNSEAL",
        "USER",
        "WALLET",
        "WEBHOOK",
    ];
    const WORDS: [&str; 7] = ["APIKEY", "KEY", "PAT", "PIN", "PW", "PWD", "OTP"];
    let name = name.to_ascii_uppercase();
    name.starts_with("BASE44_")
        || name.split('_').any(|word| WORDS.contains(&word))
        || PARTS.iter().any(|part| name.contains(part))
}

/// Whether a value is none that a connection needs and people write in files: a subdomain, an id, a host.
/// A proposal names the variable, and whoever reads its plan reads the value.
fn looks_secret(value: &str) -> bool {
    const STARTS: [&str; 14] = [
        "AKIA",
        "ASIA",
        "b44k_",
        "b44u_",
        "eyJ",
        "gho_",
        "ghp_",
        "ghs_",
        "github_pat_",
        "glpat-",
        "npm_",
        "sk-",
        "sk_",
        "xox",
    ];
    let is_text = value.contains(|c: char| c.is_whitespace() || "@:/\\{}\"'".contains(c));
    is_text && !is_address(value)
        || value.chars().count() > 100
        || STARTS.iter().any(|start| value.starts_with(start))
}

/// `https://acme.example.com`, without anybody's name or password and without a query.
fn is_address(value: &str) -> bool {
    let Some(rest) = value.strip_prefix("https://") else {
        return false;
    };
    let host = rest.trim_end_matches('/');
    let plain = |c: char| c.is_ascii_alphanumeric() || ".-".contains(c);
    !host.is_empty() && host.chars().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_a_secret_is_not_put_in() {
        for (value, fits) in [
            ("acme", true),
            ("xy12345.eu-west-1", true),
            ("0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0", true),
            ("https://acme.cloud.example.com", true),
            ("postgres://user:pass@host/db", false),
            ("https://hooks.example.com/services/T0/B0/x", false),
            ("ghp_0123456789", false),
            ("{\"auths\": {}}", false),
            ("two words", false),
            ("/home/ada", false),
        ] {
            let found = resolve("${TENANT}", VariablesFrom::User, |_| Some(value.to_owned()));
            assert_eq!(found.is_ok(), fits, "{value}");
        }
    }

    #[test]
    fn variables_are_put_in() {
        let variable = |name: &str| (name == "CONNPLAN_VAR_TENANT").then(|| "acme".to_owned());
        let of = |text: &str| resolve(text, VariablesFrom::Named, variable);
        assert_eq!(
            of("${TENANT}.example.com").as_deref(),
            Ok("acme.example.com")
        );
        assert_eq!(of("a$$b $c $").as_deref(), Ok("a$b $c $"));
        assert_eq!(of("${OTHER}"), Err(BadVariable::Unset("OTHER".to_owned())));
        for bad in ["${", "${}", "${a b}", "${TENANT"] {
            assert_eq!(of(bad), Err(BadVariable::Syntax), "{bad}");
        }
        assert_eq!(of("${CONNPLAN_VAR_TENANT}").as_deref(), Ok("acme"));
        // No other variable is looked at, whatever a file calls it.
        let any = |name: &str| (!name.starts_with(VARIABLES)).then(|| "canary".to_owned());
        for name in ["DB_PW", "BASE44_ACCESS_TOKEN", "TENANT"] {
            let unset = Err(BadVariable::Unset(name.to_owned()));
            let text = format!("${{{name}}}");
            assert_eq!(resolve(&text, VariablesFrom::Named, any), unset);
            let own = resolve(&text, VariablesFrom::User, any);
            let plain = if name == "TENANT" {
                Ok("canary".to_owned())
            } else {
                unset
            };
            assert_eq!(own, plain);
        }
        for secret in [
            "API_KEY",
            "DB_PASS",
            "DEPLOY_CREDS",
            "SONAR_LOGIN",
            "SIGNING_PIN",
            "SENTRY_DSN",
        ] {
            assert!(is_secret(secret), "{secret}");
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

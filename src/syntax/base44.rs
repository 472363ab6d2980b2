//! Base44's own files: the config and the app's file. Other features' keys in them are left alone.

use super::{
    Finding, Problem,
    connector::{duplicate_keys, in_order, parse_json5},
    quote::Quoted,
    source::Source,
    suggest,
    tree::{Node, Value},
};
use crate::model::AppId;

/// The keys that count here.
const OURS: [&str; 2] = ["name", "connectorsDir"];
/// The keys of other features, as base44 0.1.18 has them.
const OTHERS: [&str; 10] = [
    "description",
    "visibility",
    "site",
    "entitiesDir",
    "functionsDir",
    "actorsDir",
    "agentsDir",
    "agentSkillsDir",
    "authDir",
    "plugin",
];

/// What the Base44 config says that matters here.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Config {
    /// The app's name, for people.
    pub(crate) name: Option<String>,
    /// The connectors folder, relative to the config's own folder.
    pub(crate) connectors_dir: Option<String>,
}

/// Reads `config.jsonc`.
pub(crate) fn parse_config(name: &str, text: &str) -> (Config, Vec<Problem>) {
    let source = Source::new(name, text);
    let root = match object(text, &source) {
        Ok(root) => root,
        Err(problem) => return (Config::default(), vec![problem]),
    };
    let mut problems = duplicate_keys(root.members(), &source);
    let mut named = root.get("name").is_some();
    let missing = OURS.map(|key| (key, root.get(key).is_none()));
    for member in root.members() {
        let key = member.key.as_str();
        if OURS.contains(&key) || OTHERS.contains(&key) || key == "plugins" {
            continue;
        }
        let meant = suggest::closest(key, &OURS, if key.len() > 6 { 2 } else { 1 });
        if let Some(meant) = meant.filter(|meant| missing.contains(&(*meant, true))) {
            // One problem is not told twice.
            named |= meant == "name";
            let key = Quoted::new(key);
            problems.push(
                Problem::new(Finding::MisspeltKey { key, meant }, &source)
                    .label(member.key_span.clone(), "not read"),
            );
        }
    }
    let mut string = |key: &'static str| {
        let node = root.get(key)?;
        if node.text().is_none() {
            let found = node.kind();
            problems.push(
                Problem::new(Finding::NotAString { key, found }, &source)
                    .label(node.head(), "a string is expected"),
            );
        }
        node.text().map(str::to_owned)
    };
    let config = Config {
        name: string("name"),
        connectors_dir: string("connectorsDir"),
    };
    if !named {
        let problem = Problem::new(Finding::NoName, &source);
        problems.push(problem.label(root.head(), "no `name` in this object"));
    }
    (config, in_order(problems, name))
}

/// Reads `.app.jsonc`.
pub(crate) fn parse_app_file(name: &str, text: &str) -> Result<AppId, Problem> {
    let source = Source::new(name, text);
    let root = object(text, &source)?;
    let fail = |reason: String, node: &Node, label: &str| {
        Err(Problem::new(Finding::AppFile { reason }, &source).label(node.head(), label))
    };
    let Some(node) = root.get("id") else {
        return fail("it has no `id`".to_owned(), &root, "no `id` in this object");
    };
    match node.text().map(AppId::parse) {
        Some(Ok(id)) => Ok(id),
        Some(Err(e)) => fail(e.to_string(), node, "this id"),
        None => fail(
            format!("`id` is {}", node.kind()),
            node,
            "a string is expected",
        ),
    }
}

fn object(text: &str, source: &Source) -> Result<Node, Problem> {
    let root = parse_json5(text, source)?;
    if matches!(root.value, Value::Map(_)) {
        return Ok(root);
    }
    let found = root.kind();
    Err(Problem::new(Finding::NotAnObject { found }, source)
        .label(root.head(), "an object is expected"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_keys_that_look_like_ours_are_told_of() {
        let text = "{name: 'x', description: 1, actorsDir: 'a', future: {}, conectorsDir: 'c'}";
        let (config, problems) = parse_config("c", text);
        assert_eq!(config.connectors_dir, None);
        let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert_eq!(told, ["the key `conectorsDir` is unknown"]);
        let text = "{nmae: 'x', connectorsDir: 5}";
        let (_, problems) = parse_config("c", text);
        assert_eq!(problems.len(), 2, "{problems:?}");
        assert_eq!(parse_config("c", "{}").1.len(), 1);
    }

    #[test]
    fn what_stands_very_often_is_told_some_times() {
        for key in ["name: 'x', ", "nmae: 1, "] {
            let text = format!("{{{}}}", key.repeat(20_000));
            let (_, problems) = parse_config("c", &text);
            assert_eq!(problems.len(), 51, "{key}");
        }
    }

    #[test]
    fn an_app_file_names_one_app() {
        assert_eq!(parse_app_file("a", "{id: 'x1'}").unwrap().as_str(), "x1");
        for bad in ["", "[]", "{}", "{id: 5}", "{id: ''}", "{id: '../x'}"] {
            assert!(parse_app_file("a", bad).is_err(), "{bad}");
        }
    }
}

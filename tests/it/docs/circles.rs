//! No circles between files: what a file uses does not use it back, over any way.
//!
//! A `use` is followed through re-exports to the file that has the item. A module's own file may name
//! its children to re-export them; that is no use.

use std::collections::{BTreeMap, BTreeSet};

use super::layers;

type Path = Vec<String>;
type Graph = BTreeMap<String, BTreeSet<String>>;

/// The sets of nodes that reach each other.
pub(super) fn of(graph: &Graph) -> Vec<BTreeSet<String>> {
    let reach = |from: &String| {
        let mut seen = BTreeSet::new();
        let mut next: Vec<_> = graph.get(from).into_iter().flatten().collect();
        while let Some(node) = next.pop() {
            if seen.insert(node.clone()) {
                next.extend(graph.get(node).into_iter().flatten());
            }
        }
        seen
    };
    let reached: BTreeMap<_, _> = graph.keys().map(|node| (node, reach(node))).collect();
    let mut found = BTreeSet::new();
    for (node, there) in &reached {
        let back = |other: &&String| reached.get(other).is_some_and(|r| r.contains(*node));
        let circle: BTreeSet<_> = there.iter().filter(back).cloned().collect();
        if !circle.is_empty() {
            found.insert(circle);
        }
    }
    found.into_iter().collect()
}

/// The text of each file, by the path of its module.
struct Modules(BTreeMap<Path, String>);

impl Modules {
    fn read() -> Self {
        let modules = layers::files().into_iter().map(|(_, path, code)| {
            let within = path.strip_prefix(layers::source()).unwrap();
            let within = within.with_extension("");
            let mut path: Path = within
                .iter()
                .map(|part| part.to_str().unwrap().to_owned())
                .collect();
            if path.last().is_some_and(|name| name == "mod") {
                path.pop();
            }
            (path, code)
        });
        Self(modules.collect())
    }

    /// The module that a path leads to, seen from a module, and the rest of the path.
    fn resolve(&self, path: &[String], from: &[String]) -> Option<(Path, Path)> {
        let mut rest = path;
        let mut module = match rest.first()?.as_str() {
            "crate" => {
                rest = &rest[1..];
                Vec::new()
            }
            "self" => {
                rest = &rest[1..];
                from.to_vec()
            }
            "super" => {
                let ups = rest.iter().take_while(|part| *part == "super").count();
                rest = &rest[ups..];
                from[..from.len().saturating_sub(ups)].to_vec()
            }
            _ => return None,
        };
        while let Some(name) = rest.first() {
            module.push(name.clone());
            if !self.0.contains_key(&module) {
                module.pop();
                break;
            }
            rest = &rest[1..];
        }
        Some((module, rest.to_vec()))
    }

    /// What each module only passes on, and from where.
    fn passed_on(&self) -> BTreeMap<(Path, String), Path> {
        let mut found = BTreeMap::new();
        for (module, code) in &self.0 {
            for statement in uses(code).filter(|(public, _)| *public).map(|(_, s)| s) {
                for mut path in expand(&statement) {
                    if !["crate", "self", "super"].contains(&path[0].as_str()) {
                        path.insert(0, "self".to_owned());
                    }
                    if let Some((from, rest)) = self.resolve(&path, module)
                        && let Some(name) = rest.first()
                    {
                        found.insert((module.clone(), name.clone()), from);
                    }
                }
            }
        }
        found
    }

    fn graph(&self) -> Graph {
        let passed_on = self.passed_on();
        let mut graph = Graph::new();
        for (module, code) in &self.0 {
            let mut used = BTreeSet::new();
            let statements = uses(code).filter(|(public, _)| !*public).map(|(_, s)| s);
            for path in statements.chain(inline(code)).flat_map(|s| expand(&s)) {
                let Some((mut target, rest)) = self.resolve(&path, module) else {
                    continue;
                };
                if let Some(name) = rest.first() {
                    let mut steps = 0;
                    while let Some(next) = passed_on.get(&(target.clone(), name.clone())) {
                        target.clone_from(next);
                        steps += 1;
                        if steps > 9 {
                            break;
                        }
                    }
                }
                if target != *module && self.0.contains_key(&target) {
                    used.insert(target.join("/"));
                }
            }
            graph.insert(module.join("/"), used);
        }
        graph
    }
}

/// Each `use …;`, and whether it passes on.
fn uses(code: &str) -> impl Iterator<Item = (bool, String)> {
    let mut public = false;
    let mut found = Vec::new();
    for (at, _) in code.match_indices("use ") {
        let line = code[..at].rsplit('\n').next().unwrap_or_default().trim();
        public = match line {
            "" => false,
            text if text.starts_with("pub") => true,
            _ => continue,
        };
        if let Some(end) = code[at..].find(';') {
            found.push((public, code[at + 4..at + end].to_owned()));
        }
    }
    let _ = public;
    found.into_iter()
}

/// Paths within the code, such as `super::layout::notice`.
fn inline(code: &str) -> impl Iterator<Item = String> {
    let starts = ["crate::", "super::", "self::"];
    let of = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    let mut found = Vec::new();
    for start in starts {
        for (at, _) in code.match_indices(start) {
            let within = code[..at].chars().next_back().is_some_and(of);
            let line = code[..at].rsplit('\n').next().unwrap_or_default();
            if !within && !line.contains("use ") {
                let text: String = code[at..].chars().take_while(|c| of(*c)).collect();
                found.push(text.trim_end_matches(':').to_owned());
            }
        }
    }
    found.into_iter()
}

/// `a::{b, c::{self, d as e}}` as single paths.
fn expand(statement: &str) -> Vec<Path> {
    fn walk(before: &[String], text: &str, found: &mut Vec<Path>) {
        let (mut depth, mut start, mut items) = (0, 0, Vec::new());
        for (at, c) in text.char_indices() {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 0 => {
                    items.push(&text[start..at]);
                    start = at + 1;
                }
                _ => {}
            }
        }
        items.push(&text[start..]);
        for item in items.into_iter().map(str::trim).filter(|i| !i.is_empty()) {
            let (head, inner) = match item.find('{') {
                Some(at) => (&item[..at], Some(&item[at + 1..item.rfind('}').unwrap()])),
                None => (item, None),
            };
            let head = head.split(" as ").next().unwrap_or_default();
            let parts = head.split("::").map(str::trim).filter(|p| !p.is_empty());
            let mut path = before.to_vec();
            path.extend(parts.map(str::to_owned));
            if let Some(inner) = inner {
                walk(&path, inner, found);
            } else {
                if path.len() > 1 && path.last().is_some_and(|name| name == "self") {
                    path.pop();
                }
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    walk(&[], statement, &mut found);
    found.retain(|path| !path.is_empty());
    found
}

#[test]
fn files_make_no_circle() {
    let graph = Modules::read().graph();
    assert!(graph.len() > 200, "the files were not found");
    let circles = of(&graph);
    assert!(circles.is_empty(), "files in a circle: {circles:#?}");
}

#[test]
fn a_circle_is_found() {
    let graph = [("a", "b"), ("b", "c"), ("c", "b")];
    let graph = graph.map(|(from, to)| (from.to_owned(), [to.to_owned()].into()));
    let circle = ["b".to_owned(), "c".to_owned()].into();
    assert_eq!(of(&graph.into()), [circle]);
    let paths = expand("super::{a::{self, b as c}, d}");
    let paths: Vec<_> = paths.iter().map(|path| path.join("::")).collect();
    assert_eq!(paths, ["super::a", "super::a::b", "super::d"]);
}

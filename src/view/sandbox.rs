//! Where a sandbox is, and how a client is pointed at it.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Format, Medium, json::pretty, report::FORMAT_VERSION, shell::shell_word};
use crate::sandbox::{Access, SeedToken};

/// What a sandbox takes.
#[derive(Clone, Copy, Debug)]
pub struct Served<'a> {
    /// Its address.
    pub url: &'a str,
    /// Its personal access tokens.
    pub tokens: &'a [SeedToken],
    /// Its workspace key.
    pub key: &'a str,
    /// The only app that there is something of, and the command that makes its project.
    pub demo: Option<(&'a str, &'a str)>,
}

#[derive(Serialize)]
struct SandboxReport<'a> {
    format_version: &'static str,
    kind: &'static str,
    environment: BTreeMap<&'static str, &'a str>,
    tokens: &'a [SeedToken],
    /// The workspace key: Base44 itself refuses one for connectors.
    api_key: &'a str,
}

impl Served<'_> {
    /// What a shell needs; on a terminal, what a person copies.
    pub fn show(&self, medium: &Medium<'_>) -> String {
        match medium.format {
            Format::Json => pretty(&SandboxReport {
                format_version: FORMAT_VERSION,
                kind: "sandbox",
                environment: crate::model::map_of([
                    ("BASE44_API_URL", self.url),
                    self.credential(),
                ]),
                tokens: self.tokens,
                api_key: self.key,
            }),
            _ if medium.told => format!("{}\n\n{}", self.place(), self.block()),
            _ => self.lines(),
        }
    }

    /// Where it is, unless that was shown.
    pub fn said(&self, medium: &Medium<'_>) -> String {
        let place = if medium.told && !medium.is_json() {
            String::new()
        } else {
            self.place()
        };
        format!("{place}\nCtrl-C ends it.").trim_start().to_owned()
    }

    fn place(&self) -> String {
        let apps = match self.demo {
            Some((app, command)) => {
                format!("it holds the demo's app, `{app}`; `{command}` makes that app's project")
            }
            None => "any app id will do".to_owned(),
        };
        format!(
            "The sandbox is at {} ({apps}; its pages show what it holds).",
            self.url
        )
    }

    /// The first full token: the key only where there is none, for Base44 refuses one.
    fn credential(&self) -> (&'static str, &str) {
        let full = self.own().find(|token| token.access == Access::Full);
        full.map_or(("BASE44_API_KEY", self.key), |token| {
            ("BASE44_ACCESS_TOKEN", &token.token)
        })
    }

    /// The first person's tokens.
    fn own(&self) -> impl Iterator<Item = &SeedToken> {
        let first = self.tokens.first();
        let own = move |token: &&SeedToken| first.is_some_and(|first| token.user == first.user);
        self.tokens.iter().filter(own)
    }

    /// What else it takes: what that is, and the variable.
    fn others(&self) -> Vec<(&'static str, String)> {
        let read_only = self.own().filter(|token| token.access == Access::ReadOnly);
        let mut others: Vec<_> = read_only
            .map(|token| ("only reads", format!("BASE44_ACCESS_TOKEN={}", token.token)))
            .collect();
        if self.credential().0 != "BASE44_API_KEY" {
            let why = "a workspace's key, which Base44 itself refuses for connectors";
            others.push((why, format!("BASE44_API_KEY={}", self.key)));
        }
        others
    }

    /// The variables as lines that a shell or a `.env` file takes.
    fn lines(&self) -> String {
        let (name, value) = self.credential();
        let mut lines = format!("BASE44_API_URL={}\n{name}={value}\n", self.url);
        for (what, variable) in self.others() {
            lines.extend(["# ", what, ": ", &variable, "\n"]);
        }
        lines
    }

    fn block(&self) -> String {
        let (name, value) = self.credential();
        let (url, value) = (shell_word(self.url), shell_word(value));
        let mut text = format!(
            "In another terminal:\n\n  export BASE44_API_URL={url}\n  export {name}={value}\n\nIt also takes:\n\n"
        );
        for (what, variable) in self.others() {
            text.extend(["  ", &variable, "\n      ", what, "\n"]);
        }
        text.push('\n');
        text
    }
}

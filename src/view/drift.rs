//! Where an app went apart from its files: for a person, as JSON, as Markdown for an issue.

use jiff::Timestamp;
use serde::Serialize;

use super::{
    Format, Medium, NextCommand, json::pretty, markdown::app_name, report::FORMAT_VERSION,
    words::count,
};
use crate::{
    diff::{Action, Change, ConfigDiff},
    drift::Drift,
    escape,
    model::{App, ConnectorType, ExpectedAccount, RemoteStatus, Scopes, ago},
    publish::Kept,
};

/// `drift --format json`.
#[derive(Clone, Debug, Serialize)]
pub struct DriftReport {
    format_version: &'static str,
    kind: &'static str,
    drift: bool,
    /// Nobody can tell whose doing some of these are.
    unattributed: bool,
    apps: Vec<AppDrift>,
    summary: Summary,
}

#[derive(Clone, Debug, Serialize)]
struct AppDrift {
    app_id: String,
    environment: Option<String>,
    api_url: String,
    outside: Vec<Apart>,
    not_applied: Vec<Apart>,
    waiting: Vec<Waiting>,
    /// What no file declares, and the settings leave alone.
    unmanaged: Vec<ConnectorType>,
}

#[derive(Clone, Debug, Serialize)]
struct Apart {
    connector: ConnectorType,
    /// What an apply of the files would do.
    action: Action,
    file: Option<String>,
    status: Option<RemoteStatus>,
    /// Declared, and not in force.
    missing: Scopes,
    /// In force, and not declared.
    surplus: Scopes,
    /// Who holds it, where the files expect somebody else. Masked.
    account: Option<Held>,
    /// The connection values that differ, by name.
    connection_config: ConfigDiff,
}

#[derive(Clone, Debug, Serialize)]
struct Held {
    by: String,
    expected: String,
}

#[derive(Clone, Debug, Serialize)]
struct Waiting {
    connector: ConnectorType,
    scopes: Scopes,
    since: Option<Timestamp>,
    overdue: bool,
}

#[derive(Clone, Copy, Debug, Serialize)]
struct Summary {
    outside: usize,
    not_applied: usize,
    waiting: usize,
    overdue: usize,
    /// Of which nobody knows whether they went apart: neither drift, nor none.
    uncompared: usize,
    unmanaged: usize,
}

/// How whose doing it is can be told.
const UNATTRIBUTED: &str = "Whose doing some of these are cannot be told: no apply of them is known, or the app does not \
                            tell all. They may also be changes of the files that were never applied. The last apply's \
                            receipt shows which: `--receipt FILE`.";

/// Where the app does not tell all that the files declare.
const COMPARED: &str = "No drift in what could be compared";

/// What there is to do about it.
const NEXT: &str = "`connplan plan` shows each difference in full; `connplan apply` changes the app to match the files, \
                    `connplan pull` changes the files to match the app.\n";

impl From<&&Change> for Apart {
    fn from(change: &&Change) -> Self {
        Self {
            connector: change.connector.clone(),
            action: change.action,
            file: change.file.clone(),
            status: change.before.as_ref().map(|before| before.status),
            missing: change.scopes.added.clone(),
            surplus: change.scopes.removed.clone(),
            account: held(change),
            connection_config: change.connection_config.clone(),
        }
    }
}

fn held(change: &Change) -> Option<Held> {
    let expected = change.after.as_ref()?.account.as_ref()?;
    let by = change.before.as_ref()?.account.as_ref()?;
    ExpectedAccount::is_other(Some(expected), Some(by)).then(|| Held {
        by: by.masked(),
        expected: expected.masked(),
    })
}

impl DriftReport {
    /// Reports.
    pub fn new(app: &App, drift: &Drift<'_>) -> Self {
        let waiting: Vec<_> = drift
            .waiting
            .iter()
            .map(|waiting| Waiting {
                connector: waiting.change.connector.clone(),
                scopes: waiting
                    .change
                    .after
                    .as_ref()
                    .map(|after| after.scopes.clone())
                    .unwrap_or_default(),
                since: waiting.since,
                overdue: waiting.overdue,
            })
            .collect();
        Self {
            format_version: FORMAT_VERSION,
            kind: "drift",
            drift: drift.is_some(),
            unattributed: drift.unattributed,
            summary: Summary {
                outside: drift.outside.len(),
                not_applied: drift.not_applied.len(),
                waiting: waiting.len(),
                overdue: waiting.iter().filter(|waiting| waiting.overdue).count(),
                uncompared: drift.uncompared,
                unmanaged: drift.unmanaged.len(),
            },
            apps: vec![AppDrift {
                app_id: app.id.to_string(),
                environment: app.environment.clone(),
                api_url: app.api_url.to_string(),
                outside: drift.outside.iter().map(Apart::from).collect(),
                not_applied: drift.not_applied.iter().map(Apart::from).collect(),
                waiting,
                unmanaged: drift.unmanaged.iter().copied().cloned().collect(),
            }],
        }
    }

    /// The report, as it is wanted.
    pub fn show(&self, medium: &Medium<'_>) -> String {
        match medium.format {
            Format::Json => self.to_json(),
            Format::Markdown => self.markdown(medium.next),
            _ => self.text(medium.now, medium.next),
        }
    }

    /// As JSON, with a line break at its end.
    fn to_json(&self) -> String {
        pretty(self)
    }

    /// One line.
    pub fn counts(&self) -> String {
        let Summary {
            outside,
            not_applied,
            waiting,
            overdue,
            uncompared,
            unmanaged,
        } = self.summary;
        if outside + not_applied + waiting == 0 {
            return match (uncompared, unmanaged) {
                (0, 0) => "No drift. The app matches the connector files.".to_owned(),
                (0, more) => format!(
                    "No drift in what the connector files declare. The app has {} besides.",
                    count(more, "connector")
                ),
                _ => format!("{COMPARED}."),
            };
        }
        let overdue = match overdue {
            0 => String::new(),
            overdue => format!(", {overdue} for too long"),
        };
        let word = match uncompared {
            _ if self.drift => "Drift",
            0 => "No drift",
            _ => COMPARED,
        };
        format!(
            "{word}: {outside} changed outside, {not_applied} not applied yet, {waiting} \
             waiting for a person{overdue}."
        )
    }

    /// For a person, at this time.
    fn text(&self, now: Timestamp, next: &NextCommand) -> String {
        let shown = |text: &str| escape::limited(text, 200);
        let mut out = String::new();
        for app in &self.apps {
            out.extend(["App ", &app.app_id, " at ", &app.api_url, "\n\n"]);
            let lists = app.lists();
            for (heading, apart) in lists {
                if !apart.is_empty() {
                    out.extend([heading, ":\n"]);
                }
                for one in apart {
                    out.extend(["  ", &one.line(shown), "\n"]);
                }
            }
            if !app.waiting.is_empty() {
                out.push_str("Waiting for a person:\n");
            }
            for one in &app.waiting {
                let when = |since| format!("asked for {}", ago(since, now));
                out.extend(["  ", &one.line(shown, when), "\n"]);
            }
            if !app.unmanaged.is_empty() {
                out.extend(["Not managed: ", &names(&app.unmanaged, shown), "\n"]);
            }
        }
        if !out.ends_with("\n\n") {
            out.push('\n');
        }
        out.extend([self.counts().as_str(), "\n"]);
        if self.unattributed {
            out.extend([UNATTRIBUTED, "\n"]);
        }
        if self.drift {
            out.push_str(&next.within(NEXT));
        }
        out
    }

    /// For an issue that is kept up to date: as many of each list as fit into so many bytes.
    pub fn issue(&self, next: &NextCommand, max: usize) -> String {
        let lists = self.apps.iter().map(|app| {
            let lists = app.lists().map(|(_, apart)| apart.len());
            lists.into_iter().fold(app.waiting.len(), usize::max)
        });
        let longest = lists.max().unwrap_or_default();
        let fits = |most: usize| self.first(next, most).len() <= max;
        if fits(longest) {
            return self.markdown(next);
        }
        let (mut fit, mut over) = (0, longest);
        while over - fit > 1 {
            let middle = usize::midpoint(fit, over);
            if fits(middle) {
                fit = middle;
            } else {
                over = middle;
            }
        }
        self.first(next, fit)
    }

    /// As Markdown.
    fn markdown(&self, next: &NextCommand) -> String {
        self.first(next, usize::MAX)
    }

    /// The same, with at most so many of each list.
    fn first(&self, next: &NextCommand, most: usize) -> String {
        let left_out = |all: usize| match all.saturating_sub(most) {
            0 => String::new(),
            more => {
                let text = format!("- … {more} more; `connplan drift` lists all of them\n");
                next.within(&text)
            }
        };
        let code = |text: &str| escape::markdown_code(&escape::limited(text, 160));
        let mut out = String::new();
        for app in &self.apps {
            let name = app_name(&app.app_id, app.environment.as_deref());
            out.extend([
                "## connplan drift: ",
                &name,
                "\n\n**",
                &self.counts(),
                "**\n",
            ]);
            let lists = app.lists();
            for (heading, apart) in lists {
                if !apart.is_empty() {
                    out.extend(["\n### ", heading, "\n\n"]);
                }
                for one in apart.iter().take(most) {
                    out.extend(["- ", &one.line(code), "\n"]);
                }
                out.push_str(&left_out(apart.len()));
            }
            if self.unattributed {
                out.extend(["\n", UNATTRIBUTED, "\n"]);
            }
            if !app.waiting.is_empty() {
                out.push_str("\n### Waiting for a person\n\n");
            }
            for one in app.waiting.iter().take(most) {
                // Read whenever, so the time stands whole.
                let when = |since| format!("asked for at {since}");
                out.extend(["- ", &one.line(code, when), "\n"]);
            }
            out.push_str(&left_out(app.waiting.len()));
            if !app.unmanaged.is_empty() {
                out.extend(["\nNot managed: ", &names(&app.unmanaged, code), "\n"]);
            }
            out.push('\n');
            out.push_str(&next.within(NEXT));
        }
        out
    }
}

/// Some of them, for a line.
fn names(all: &[ConnectorType], code: impl Fn(&str) -> String) -> String {
    const MOST: usize = 20;
    let shown = all.iter().take(MOST).map(|name| code(name.as_str()));
    let shown: Vec<_> = shown.collect();
    let more = match all.len().saturating_sub(MOST) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    shown.join(", ") + &more
}

/// The title of an issue about an app.
pub fn title(app: &App) -> String {
    let environment = app.environment.as_deref();
    let environment = environment.map(|name| format!(" ({})", escape::limited(name, 60)));
    format!(
        "connplan: app {}{} and its connector files differ",
        app.id,
        environment.unwrap_or_default()
    )
}

/// What became of the issue.
pub fn kept(kept: &Kept) -> String {
    let (did, url) = match kept {
        Kept::Opened(url) => ("Opened the issue", url),
        Kept::Updated(url) => ("Updated the issue", url),
        Kept::Unchanged(url) => ("The issue says so already", url),
        Kept::Closed(url) => ("Closed the issue", url),
        Kept::None => return "No issue is open, and none is needed.".to_owned(),
    };
    match url {
        Some(url) => format!("{did}: {}", escape::limited(url, 400)),
        None => format!("{did}."),
    }
}

impl AppDrift {
    fn lists(&self) -> [(&'static str, &[Apart]); 2] {
        [
            ("Changed outside", &self.outside),
            ("Not applied yet", &self.not_applied),
        ]
    }
}

impl Apart {
    fn line(&self, code: impl Fn(&str) -> String) -> String {
        let mut parts = Vec::new();
        match (self.action, self.status) {
            (Action::Create, _) => parts.push("declared, and not in the app".to_owned()),
            (Action::Delete, _) => parts.push("in the app, and no file declares it".to_owned()),
            (_, Some(status)) if status != RemoteStatus::Active => {
                parts.push(format!("the app says {status}"));
            }
            _ => {}
        }
        let lists = match self.action {
            Action::Create | Action::Delete => Vec::new(),
            _ => vec![("lacks", &self.missing), ("has besides", &self.surplus)],
        };
        for (word, scopes) in lists {
            let names: Vec<_> = scopes
                .iter()
                .take(5)
                .map(|scope| code(scope.as_str()))
                .collect();
            let more = scopes.len().saturating_sub(5);
            if !names.is_empty() {
                let more = match more {
                    0 => String::new(),
                    more => format!(" and {}", count(more, "more scope")),
                };
                parts.push(format!("{word} {}{more}", names.join(", ")));
            }
        }
        if let Some(Held { by, expected }) = &self.account {
            let (by, expected) = (code(by), code(expected));
            parts.push(format!("{by} holds it, and {expected} is expected"));
        }
        let ConfigDiff {
            added,
            changed,
            removed,
        } = &self.connection_config;
        let names: Vec<_> = [added, changed, removed].into_iter().flatten().collect();
        if self.action == Action::Update && !names.is_empty() {
            let names: Vec<_> = names.iter().take(5).map(|name| code(name)).collect();
            parts.push(format!("other connection values: {}", names.join(", ")));
        }
        if parts.is_empty() {
            parts.push("differs from its file".to_owned());
        }
        format!("{}: {}", code(self.connector.as_str()), parts.join("; "))
    }
}

impl Waiting {
    fn line(&self, code: impl Fn(&str) -> String, when: impl Fn(Timestamp) -> String) -> String {
        let since = self
            .since
            .map_or_else(|| "requested at an unknown time".to_owned(), when);
        let late = if self.overdue { ", too long" } else { "" };
        format!("{}: {since}{late}", code(self.connector.as_str()))
    }
}

//! A plan that failed or is not to be applied, as Markdown: from the JSON document that the command
//! printed.

use serde_json::Value;

use super::{Options, inline};
use crate::{escape, model::Origin, view::report::PlanReport};

/// So many findings, and broken rules, are shown.
const SHOWN: usize = 20;

/// What failed, and why. `name` is the app; `None` for a document that cannot be read.
pub fn failure(
    document: Option<&Value>,
    name: &str,
    origin: Option<&Origin>,
    options: &Options,
) -> String {
    let folder = inline::project(options);
    let mut out = format!("## connplan: {}: {name}{folder}\n", title(document));
    let Some(document) = document else {
        out.push_str("\n🛑 **The error cannot be read; see the log of the run.**\n");
        return out;
    };
    out.extend(["\n🛑 **", headline(document), "**"]);
    if let Some(origin) = origin.and_then(|origin| inline::origin(origin, options)) {
        out.push(' ');
        out.push_str(&origin);
    }
    out.push('\n');
    let text = |name: &str| cut_of(&document[name]).filter(|text| !text.is_empty());
    let rules: Vec<_> = document["violations"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|violation| rule(violation, options))
        .collect();
    let findings: Vec<_> = document["diagnostics"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|finding| found(finding, options))
        .collect();
    let is_forbidden = !rules.is_empty();
    for list in [rules, findings] {
        if list.is_empty() {
            continue;
        }
        out.push('\n');
        for line in list.iter().take(SHOWN) {
            out.push_str(line);
            out.push('\n');
        }
        if let more @ 1.. = list.len().saturating_sub(SHOWN) {
            out.extend(["- and ", &more.to_string(), " more\n"]);
        }
    }
    // The rules say it already.
    let message = text("message").filter(|_| !is_forbidden);
    // No line may look like one of ours, and a forge must not take a path at its start for a command.
    let help = text("help");
    let said: Vec<String> = [("  error: ", &message), ("  help: ", &help)]
        .into_iter()
        .flat_map(|(head, text)| {
            let lines = text.iter().flat_map(|text| text.lines()).enumerate();
            lines.map(move |(n, line)| (if n == 0 { head } else { "    " }, line))
        })
        .map(|(head, line)| {
            format!(
                "{head}{}",
                inline::plain_whole(&inline::message(line, options))
            )
        })
        .collect();
    if !said.is_empty() {
        out.push('\n');
        out.push_str(&escape::fence(&said.join("\n"), "text"));
    }
    if !options.show_accounts {
        out = escape::mask_accounts(&out).into_owned();
    }
    if let Some(plan) = PlanReport::of_json(&document["plan"]) {
        out.push('\n');
        let max_bytes = options.max_bytes.saturating_sub(out.len());
        let options = Options {
            max_bytes,
            ..options.clone()
        };
        out.push_str(&super::denied(&plan, &options));
    }
    out
}

fn code(document: &Value) -> Option<u64> {
    document["exit_code"].as_u64()
}

fn title(document: Option<&Value>) -> &'static str {
    match document.and_then(code) {
        Some(3) => "refused",
        Some(6) => "forbidden",
        _ => "failed",
    }
}

fn headline(document: &Value) -> &'static str {
    match code(document) {
        Some(3) => "Refused. Nothing was changed.",
        Some(6) => "The policy forbids this plan.",
        Some(5) => "Some changes were carried out, and others failed.",
        Some(129 | 130 | 143) => "It was interrupted.",
        _ => match document["code"].as_str() {
            Some(code) if code.starts_with("connplan::config::") => {
                "The files of this commit cannot be planned."
            }
            Some(code) if code.starts_with("connplan::remote::") => {
                "Base44 refused the request, or did not answer."
            }
            _ => "It failed.",
        },
    }
}

/// A text of a document, as much of it as a reader takes in: a log has the whole.
fn cut_of(text: &Value) -> Option<String> {
    const MOST: usize = 4_000;
    let text = text.as_str()?;
    let mut shown: String = text.chars().take(MOST).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    Some(shown)
}

/// `- 🛑 **max_class**: `gmail`, `scope`: message`.
fn rule(violation: &Value, options: &Options) -> Option<String> {
    let text = |name: &str| cut_of(&violation[name]);
    let mark = match text("severity").as_deref() {
        Some("warn" | "warning") => "🔶",
        _ => "🛑",
    };
    let mut line = format!("- {mark} {}", inline::code(&text("rule")?));
    for name in ["connector", "scope"].iter().filter_map(|name| text(name)) {
        line.push_str(", ");
        line.push_str(&inline::code(&name));
    }
    if let Some(message) = text("message") {
        let connector = text("connector").map(|name| format!("{name}: "));
        let rest = connector.and_then(|name| message.strip_prefix(&name));
        let message = rest.unwrap_or(&message);
        line.push_str(": ");
        line.push_str(&inline::code(&inline::message(message, options)));
    }
    Some(line)
}

fn found(finding: &Value, options: &Options) -> Option<String> {
    let message = inline::message(&cut_of(&finding["message"])?, options);
    let mut place = cut_of(&finding["file"]).unwrap_or_default();
    for number in ["line", "column"]
        .iter()
        .filter_map(|name| finding[name].as_u64())
    {
        place.extend([":", &number.to_string()]);
    }
    let place = if place.is_empty() {
        String::new()
    } else {
        format!("{}: ", inline::code(&place))
    };
    Some(format!("+ {place}{}", inline::code(&message)))
}

//! Findings as a SARIF 2.1.0 log, which code scanning services take.

use std::collections::BTreeSet;

use serde::Serialize;

use super::json::pretty;
use crate::{
    model::{ConnectorType, Diagnostic, Scope, Severity},
    policy::Violation,
};

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Log<'a> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run<'a> {
    tool: Tool<'a>,
    column_kind: &'static str,
    results: Vec<SarifResult<'a>>,
}

#[derive(Serialize)]
struct Tool<'a> {
    driver: Driver<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Driver<'a> {
    name: &'static str,
    semantic_version: &'static str,
    rules: Vec<Rule<'a>>,
}

#[derive(Serialize)]
struct Rule<'a> {
    id: &'a str,
    name: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SarifResult<'a> {
    rule_id: &'a str,
    rule_index: usize,
    level: &'static str,
    message: Message,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    locations: Vec<Location>,
    #[serde(skip_serializing_if = "Option::is_none")]
    properties: Option<Properties<'a>>,
}

/// Which rule of the policy is broken, and by what.
#[derive(Serialize)]
struct Properties<'a> {
    rule: &'static str,
    connector: Option<&'a ConnectorType>,
    scope: Option<&'a Scope>,
}

#[derive(Serialize)]
struct Message {
    text: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Location {
    physical_location: PhysicalLocation,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PhysicalLocation {
    artifact_location: ArtifactLocation,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<Region>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ArtifactLocation {
    uri: String,
    uri_base_id: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    start_line: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_column: Option<u32>,
}

/// The log, as JSON with a line break at its end.
pub fn log(diagnostics: &[Diagnostic], violations: &[Violation]) -> String {
    let codes: BTreeSet<_> = diagnostics.iter().map(|d| d.code.as_str()).collect();
    let codes: Vec<_> = codes.into_iter().collect();
    let results = diagnostics.iter().map(|diagnostic| {
        let code = diagnostic.code.as_str();
        SarifResult {
            rule_id: code,
            // Every code is in the sorted list, which was made of them.
            rule_index: codes.partition_point(|known| *known < code),
            level: match diagnostic.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
            },
            message: message(diagnostic),
            locations: location(diagnostic).into_iter().collect(),
            properties: properties(diagnostic, violations),
        }
    });
    pretty(&Log {
        schema: SCHEMA,
        version: "2.1.0",
        runs: [Run {
            results: results.collect(),
            column_kind: "unicodeCodePoints",
            tool: Tool {
                driver: Driver {
                    name: "connplan",
                    semantic_version: env!("CARGO_PKG_VERSION"),
                    rules: codes.iter().map(|id| rule(id)).collect(),
                },
            },
        }],
    })
}

fn properties<'a>(diagnostic: &Diagnostic, violations: &'a [Violation]) -> Option<Properties<'a>> {
    let at = |violation: &&Violation| {
        diagnostic.message.ends_with(&violation.message)
            && (&violation.file, violation.line, violation.column)
                == (&diagnostic.file, diagnostic.line, diagnostic.column)
    };
    let violation = violations.iter().find(at)?;
    Some(Properties {
        rule: violation.rule,
        connector: violation.connector.as_ref(),
        scope: violation.scope.as_ref(),
    })
}

fn rule(id: &str) -> Rule<'_> {
    // SARIF wants a name that a person reads: the code's last part, in Pascal case.
    let last = id.rsplit("::").next().unwrap_or(id);
    let name = last.split('_').map(|word| {
        let mut letters = word.chars();
        let first = letters.next().map(|c| c.to_ascii_uppercase());
        first.into_iter().chain(letters).collect::<String>()
    });
    Rule {
        id,
        name: name.collect(),
    }
}

fn message(diagnostic: &Diagnostic) -> Message {
    let text = match &diagnostic.help {
        Some(help) => format!("{}\nhelp: {help}", diagnostic.message),
        None => diagnostic.message.clone(),
    };
    Message { text }
}

fn location(diagnostic: &Diagnostic) -> Option<Location> {
    let file = diagnostic.file.as_deref()?;
    Some(Location {
        physical_location: PhysicalLocation {
            artifact_location: ArtifactLocation {
                uri: uri(file),
                uri_base_id: "%SRCROOT%",
            },
            region: diagnostic.line.map(|start_line| Region {
                start_line,
                start_column: diagnostic.column,
            }),
        },
    })
}

/// A relative path as a URI reference: what is not unreserved is encoded, slashes stay.
fn uri(path: &str) -> String {
    crate::escape::percent(path, b"-._~/")
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn finding(code: &str, severity: Severity, file: Option<&str>) -> Diagnostic {
        Diagnostic {
            severity,
            code: code.to_owned(),
            message: "something".to_owned(),
            file: file.map(str::to_owned),
            line: Some(2),
            column: None,
            help: None,
        }
    }

    #[test]
    fn results_point_at_their_rules_and_places() {
        let findings = [
            finding(
                "connplan::config::z_last",
                Severity::Error,
                Some("a b/ü:%.jsonc"),
            ),
            finding("connplan::config::a_first", Severity::Warning, None),
        ];
        let text = log(&findings, &[]);
        let log: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(log["version"], "2.1.0");
        let run = &log["runs"][0];
        assert_eq!(run["tool"]["driver"]["rules"][1]["name"], "ZLast");
        for result in run["results"].as_array().unwrap() {
            let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
            assert_eq!(
                run["tool"]["driver"]["rules"][index]["id"],
                result["ruleId"]
            );
        }
        let place = &run["results"][0]["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uri"], "a%20b/%C3%BC%3A%25.jsonc");
        assert_eq!(place["region"], serde_json::json!({"startLine": 2}));
        assert_eq!(run["results"][1].get("locations"), None);
    }

    #[test]
    fn no_findings_are_a_valid_log() {
        let log: Value = serde_json::from_str(&log(&[], &[])).unwrap();
        assert_eq!(log["runs"][0]["results"], serde_json::json!([]));
    }
}

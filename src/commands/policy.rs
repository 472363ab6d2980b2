//! `connplan policy`: what the rules say, and a team's own fixtures for them.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use clap::{Args, Subcommand};
use serde::Deserialize;

use super::{printing::file_name, show};
use crate::{
    base,
    catalogue::ScopeDiff,
    context::{Context, ExitStatus, Failure, Format, UsageError},
    diff::{Action, Change, ConsentNeed, Desired},
    escape,
    fs::{self, FsError, Owners},
    model::{ApiUrl, App, AppId, ConnectorType, ExpectedAccount, Policies, Scopes},
    ops,
    plan::{Override, document, envelope::DocumentKind},
    policy::{self, Judgement, Policy, Rule, Severity},
    view::{
        self, Medium,
        policy::{ExplainedRule, FixtureResult},
    },
};

/// The largest fixture that is read.
const LIMIT: u64 = 16 << 20;

/// Arguments of `policy`.
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "Examples:\n  connplan policy explain release.plan   # which rule says what, and why\n  \
                        connplan policy test policy-tests       # your own plans against your rules\n  \
                        connplan plan --format json | connplan policy explain -   # a forbidden plan, too"
)]
pub struct PolicyArgs {
    /// What to do.
    #[command(subcommand)]
    pub what: PolicyCommand,
}

/// The subcommands of `policy`.
#[derive(Clone, Debug, Subcommand)]
pub enum PolicyCommand {
    /// Show what each rule says about a saved plan
    #[command(after_help = "Example:\n  connplan policy explain release.plan")]
    Explain {
        /// A saved plan, or what `plan --format json` prints ("-" is standard input)
        #[arg(value_name = "PLAN", value_hint = clap::ValueHint::FilePath)]
        plan: PathBuf,
    },
    /// Check that the plans in DIR (NAME.json) get the expected verdicts (NAME.expected.json)
    #[command(
        after_help = "A NAME.expected.json says {\"verdict\": \"pass\" | \"warn\" | \"deny\"}, and may list \
                      the rules that are broken: {\"violations\": [\"max_removals\"]}.\n\nExample:\n  connplan policy test policy-tests"
    )]
    Test {
        /// The folder
        #[arg(value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
        dir: PathBuf,
    },
}

/// Explains or tests.
pub async fn run(args: &PolicyArgs, context: &Context) -> Result<ExitStatus, Failure> {
    let medium = context.medium(&[Format::Text, Format::Json])?;
    let mut project = context.project(None)?;
    project.check()?;
    let policy = ops::policy::of(&project);
    match &args.what {
        PolicyCommand::Explain { plan } => {
            let judged = read(
                &file_name(plan),
                &context.read_saved(plan, DocumentKind::Plan)?,
                fs::by_link(&context.path(plan)),
            )?;
            base::bind(context, &mut project).await?;
            let others: Vec<_> = ops::policy::others(&project).collect();
            explain(&policy, &others, &judged, &medium, context);
            Ok(ExitStatus::Done)
        }
        PolicyCommand::Test { dir } => {
            let folder = context.output_place(dir)?;
            if !folder.is_dir() {
                return Err(UsageError::with_help(
                    format!("{} is not a folder", file_name(dir)),
                    "name the folder that holds the fixtures",
                )
                .into());
            }
            test(&policy, &folder, &medium, context)
        }
    }
}

/// The part of a plan that the rules look at.
struct Judged {
    app: Option<App>,
    changes: Vec<Change>,
    present: usize,
    overrides: Vec<Override>,
}

impl Judged {
    fn against(&self, policy: &Policy) -> Judgement {
        let overrides: Vec<_> = self
            .overrides
            .iter()
            .map(|by| (by.rule.as_str(), by.reason.as_str()))
            .collect();
        policy::evaluate(
            &self.changes,
            self.present,
            policy,
            &Policies::default(),
            &overrides,
        )
    }
}

#[derive(Deserialize)]
struct PlanJson {
    kind: String,
    #[serde(default)]
    overrides: Vec<Override>,
    apps: Vec<AppJson>,
}

#[derive(Deserialize)]
struct AppJson {
    #[serde(default)]
    app_id: Option<AppId>,
    #[serde(default)]
    environment: Option<String>,
    #[serde(default)]
    api_url: Option<ApiUrl>,
    changes: Vec<ChangeJson>,
    #[serde(default)]
    unmanaged: Vec<serde_json::Value>,
    #[serde(default)]
    untargeted: Vec<serde_json::Value>,
}

impl AppJson {
    fn app(&self) -> Option<App> {
        Some(App {
            id: self.app_id.clone()?,
            api_url: self.api_url.clone()?,
            environment: self.environment.clone(),
        })
    }
}

#[derive(Deserialize)]
struct ChangeJson {
    connector: ConnectorType,
    action: Action,
    before: Option<serde_json::Value>,
    after: Option<AfterJson>,
    authorization: ConsentNeed,
    #[serde(default)]
    scopes: ScopesJson,
}

#[derive(Default, Deserialize)]
struct ScopesJson {
    #[serde(default)]
    removed: Scopes,
    #[serde(default)]
    kept: Scopes,
}

#[derive(Deserialize)]
struct AfterJson {
    #[serde(default)]
    scopes: Scopes,
    #[serde(default)]
    account: Option<ExpectedAccount>,
}

/// What is wrong with a file; not where a link leads to it, for those words may hold some of the file's.
fn told(why: &str, by_link: bool) -> String {
    if by_link {
        "a link leads there, so what is wrong is not shown".to_owned()
    } else {
        escape::limited(why, 300)
    }
}

/// Reads a plan as it is saved, or as JSON.
fn read(name: &str, text: &str, by_link: bool) -> Result<Judged, Failure> {
    if !text.trim_start().starts_with('{') {
        if show::is_receipt(text) {
            return Err(UsageError::new(format!(
                "{} is a receipt, not a plan",
                escape::limited(name, 200)
            ))
            .into());
        }
        let saved = document::read(name, text)?;
        return Ok(Judged {
            app: Some(saved.plan.app.app.clone()),
            present: saved.plan.app.observed().len(),
            changes: saved.plan.app.changes,
            overrides: saved.plan.overrides,
        });
    }
    let fail = |why: String| {
        let (name, why) = (escape::limited(name, 200), told(&why, by_link));
        UsageError::with_help(
            format!("{name} is not a plan as JSON: {why}"),
            "make one with `connplan plan --format json`",
        )
    };
    let mut document: serde_json::Value =
        serde_json::from_str(text).map_err(|e| fail(e.to_string()))?;
    // A plan that is forbidden is printed within the error that says so.
    if document["kind"] == "error" && document["plan"].is_object() {
        document = document["plan"].take();
    }
    let plan: PlanJson = serde_json::from_value(document).map_err(|e| fail(e.to_string()))?;
    if plan.kind != "plan" {
        return Err(fail("its `kind` is not `plan`".to_owned()).into());
    }
    let mut judged = Judged {
        app: plan.apps.iter().find_map(AppJson::app),
        changes: Vec::new(),
        present: 0,
        overrides: plan.overrides,
    };
    for app in plan.apps {
        judged.present += app.unmanaged.len() + app.untargeted.len();
        for change in app.changes {
            judged.present += usize::from(change.before.is_some());
            let scopes = ScopeDiff {
                removed: change.scopes.removed,
                kept: change.scopes.kept,
                ..ScopeDiff::default()
            };
            judged.changes.push(Change {
                scopes,
                after: change.after.map(|after| Desired {
                    scopes: after.scopes,
                    account: after.account,
                    connection_config: BTreeMap::new(),
                }),
                authorization: change.authorization,
                ..Change::new(change.connector, change.action)
            });
        }
    }
    Ok(judged)
}

fn explain(
    policy: &Policy,
    others: &[(Policy, &str)],
    judged: &Judged,
    medium: &Medium<'_>,
    context: &Context,
) {
    let here = judged.against(policy);
    let judgement = others.iter().fold(here, |here, (there, by)| {
        here.and(judged.against(there), by)
    });
    let sets = |rule| policy.sets(rule) || others.iter().any(|(there, _)| there.sets(rule));
    let rules: Vec<_> = Rule::ALL
        .into_iter()
        .map(|rule| {
            let said = judgement.violations.iter();
            let violations: Vec<_> = said.filter(|v| v.rule == rule.as_str()).collect();
            let set = sets(rule);
            let why = match (set, violations.is_empty()) {
                (_, false) => "the plan breaks it",
                (true, true) => "the plan does not break it",
                (false, true) => "not set in the policy",
            };
            ExplainedRule {
                rule: rule.as_str(),
                set,
                broken: !violations.is_empty(),
                violations,
                why,
            }
        })
        .collect();
    let verdict = Word::of(&judgement).as_str();
    let app = judged.app.as_ref();
    context
        .terminal
        .out(&view::policy::explained(app, verdict, rules, medium));
}

/// What a policy says to a plan, in a word.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Word {
    Pass,
    Warn,
    Deny,
}

impl Word {
    fn of(judgement: &Judgement) -> Self {
        match judgement.severity() {
            None => Self::Pass,
            Some(Severity::Warn) => Self::Warn,
            Some(Severity::Deny) => Self::Deny,
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Warn => "warn",
            Self::Deny => "deny",
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    verdict: Word,
    violations: Option<BTreeSet<String>>,
}

/// What is expected of a fixture, and what the policy says to it. A request brings both: no link of it leads
/// out of the folder.
fn held(
    policy: &Policy,
    dir: &Path,
    stem: &str,
    plan: &Path,
) -> Result<(Expected, Judgement), Failure> {
    let expected = dir.join(format!("{stem}.expected.json"));
    // Which folder it is, the user says.
    let by_link = |path: &Path| path.is_symlink();
    let read_here = |path: &Path| fs::read_confined(&[dir], Owners::Any, path, LIMIT);
    let expected: Expected = serde_json::from_slice(&read_here(&expected)?).map_err(|e| {
        let name = escape::limited(&file_name(&expected), 200);
        UsageError::with_help(
            format!("{name}: {}", told(&e.to_string(), by_link(&expected))),
            "it says {\"verdict\": \"pass\" | \"warn\" | \"deny\", \"violations\": [RULE...]}",
        )
    })?;
    let judged = read(
        &file_name(plan),
        &String::from_utf8_lossy(&read_here(plan)?),
        by_link(plan),
    )?;
    Ok((expected, judged.against(policy)))
}

fn test(
    policy: &Policy,
    dir: &Path,
    medium: &Medium<'_>,
    context: &Context,
) -> Result<ExitStatus, Failure> {
    let mut results = Vec::new();
    let failed = |e| FsError::io("read", dir, e);
    let entries = std::fs::read_dir(dir).map_err(failed)?;
    let mut plans = BTreeSet::new();
    for entry in entries {
        plans.insert(entry.map_err(failed)?.path());
    }
    for plan in plans {
        let name = plan.file_name().unwrap_or_default().to_string_lossy();
        let Some(stem) = name.strip_suffix(".json") else {
            continue;
        };
        if stem.ends_with(".expected") {
            continue;
        }
        let name = escape::limited(stem, 200);
        results.push(match held(policy, dir, stem, &plan) {
            Ok((expected, judgement)) => {
                let violations: BTreeSet<_> = judgement
                    .violations
                    .iter()
                    .map(|violation| violation.rule.to_owned())
                    .collect();
                let verdict = Word::of(&judgement);
                let rules = expected.violations.as_ref();
                FixtureResult {
                    name,
                    passed: verdict == expected.verdict
                        && rules.is_none_or(|rules| *rules == violations),
                    verdict: Some(verdict.as_str()),
                    violations,
                    expected: Some(expected.verdict.as_str()),
                    expected_violations: expected.violations,
                    error: None,
                }
            }
            Err(failure) => FixtureResult {
                name,
                passed: false,
                verdict: None,
                violations: BTreeSet::new(),
                expected: None,
                expected_violations: None,
                error: Some(escape::limited(&failure.report.to_string(), 600)),
            },
        });
    }
    if results.is_empty() {
        return Err(UsageError::with_help(
            format!("there is no fixture in {}", file_name(dir)),
            "put a plan there as NAME.json (`connplan plan --format json`), and NAME.expected.json \
             beside it",
        )
        .into());
    }
    let failed = results.iter().any(|result| !result.passed);
    context.terminal.out(&view::policy::tested(results, medium));
    Ok(if failed {
        ExitStatus::Error
    } else {
        ExitStatus::Done
    })
}

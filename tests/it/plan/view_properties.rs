//! What must hold of every view, for any text that files and the remote may hold. Markdown is read
//! by a real renderer, not by us.

use std::sync::LazyLock;

use comrak::{Arena, Options, nodes::NodeValue, parse_document};
use connplan::{
    catalogue::ScopeEquivalence,
    diff::{Comparison, Removal, Unlisted, Waiting},
    model::{
        Account, ApiUrl, App, AppId, ConnectorType, Declared, DeclaredConnector, Diagnostic,
        ExpectedAccount, RemoteConnector, RemoteStatus, Scope, Scopes, Severity, StripeMode,
    },
    plan::{AppPlan, Plan, document},
    schema::Subject,
    view::{
        Theme, markdown, report::PlanReport, report::ReceiptReport, runner, sarif, text, unified,
    },
};
use connplan::{
    diff::Action,
    receipt::{self, ChangeResult, Outcome, Receipt},
};
use proptest::prelude::*;

use crate::support::Validator;

/// Text as an attacker would write it.
fn hostile() -> impl Strategy<Value = String> {
    let fragments = [
        "@octocat",
        "@org/team",
        "#1",
        "!1",
        "GH-1",
        "deadbeef1234",
        "`",
        "```",
        "~~~",
        "|",
        "\\",
        "](http://x.y)",
        "![",
        "[a](b)",
        "- ",
        "+ ",
        "1. ",
        "> ",
        "# ",
        "---",
        "===",
        "***",
        "<details>",
        "</details>",
        "</summary>",
        "<!--",
        "-->",
        "<a href=x>",
        "&lt;",
        "&#64;u",
        "::error::",
        "::",
        "##[group]",
        "##vso[x]",
        "\n",
        "\r",
        "\t",
        "\u{1b}[31m",
        "\u{1b}]0;",
        "\u{7}",
        "\u{9b}",
        "\u{202e}",
        "\u{2066}",
        "\u{200b}",
        "\u{feff}",
        "\u{2028}",
        "\u{e0041}",
        "https://evil.example",
        "www.evil.example",
        "ops@example.com",
        "\"",
        "'",
        ",",
        ":",
        "%0A",
        " ",
        "  ",
        "/close",
        "@@ ",
        "--- a/x",
        "+++ b/x",
        "é",
        "漢",
        "a",
        "word",
    ];
    let piece = prop_oneof![
        4 => prop::sample::select(fragments.to_vec()).prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

fn scopes() -> impl Strategy<Value = Scopes> {
    let known = prop::sample::select(vec![
        "chat:write",
        "https://mail.google.com/",
        "https://www.googleapis.com/auth/gmail.readonly",
        "admin",
        "openid",
    ]);
    let scope = prop_oneof![hostile(), known.prop_map(str::to_owned)];
    prop::collection::vec(scope, 0..6)
        .prop_map(|scopes| scopes.iter().map(String::as_str).collect())
}

fn connector() -> impl Strategy<Value = ConnectorType> {
    prop::sample::select(vec!["gmail", "slack", "notion", "stripe", "box", "x-_9"])
        .prop_map(|name| ConnectorType::parse(name).unwrap())
}

fn remote() -> impl Strategy<Value = RemoteConnector> {
    let status = prop::sample::select(vec![
        RemoteStatus::Active,
        RemoteStatus::Expired,
        RemoteStatus::Disconnected,
    ]);
    (status, scopes(), prop::option::of(hostile())).prop_map(|(status, scopes, account)| {
        RemoteConnector {
            status,
            scopes,
            account: account.map(Account::new),
            mode: None,
            connection_config: None,
        }
    })
}

fn declared() -> impl Strategy<Value = DeclaredConnector> {
    (scopes(), hostile(), hostile()).prop_map(|(scopes, file, account)| DeclaredConnector {
        scopes,
        file,
        account: ExpectedAccount::parse(&account),
        connection_config: std::collections::BTreeMap::new(),
    })
}

fn diagnostics() -> impl Strategy<Value = Vec<Diagnostic>> {
    let one = (
        hostile(),
        hostile(),
        prop::option::of(hostile()),
        any::<u32>(),
    );
    let one = one.prop_map(|(message, file, help, line)| Diagnostic {
        severity: Severity::Warning,
        code: "connplan::config::unknown_key".to_owned(),
        message,
        file: Some(file),
        line: Some(line),
        column: None,
        help,
    });
    prop::collection::vec(one, 0..3)
}

prop_compose! {
    fn plan()(
        declared in prop::collection::btree_map(connector(), declared(), 0..5),
        observed in prop::collection::btree_map(connector(), remote(), 0..5),
        keep in any::<bool>(),
        pending in prop::collection::btree_map(connector(), scopes(), 0..2),
        environment in prop::option::of(hostile()),
        diagnostics in diagnostics(),
        speculative in any::<bool>(),
    ) -> Plan {
        let mut observed = observed;
        if let Some(state) = observed.get_mut(&ConnectorType::stripe()) {
            *state = RemoteConnector::stripe(StripeMode::Live);
        }
        let waiting = pending.into_iter().map(|(name, scopes)| {
            let before = observed.get(&name).map(|is| is.scopes.clone());
            (name, Waiting { scopes, before, ..Waiting::default() })
        }).collect();
        let found = Comparison {
            declared: &Declared { connectors: declared },
            observed: &observed,
            pending: &waiting,
            rules: &ScopeEquivalence::default(),
            unlisted: if keep { Unlisted::Keep } else { Unlisted::Remove },
            on_remove: Removal::Remove,
            targets: &std::collections::BTreeSet::new(),
        }
        .run();
        Plan {
            speculative,
            app: AppPlan {
                app: App {
                    id: AppId::parse("app-1").unwrap(),
                    api_url: ApiUrl::default(),
                    environment,
                },
                changes: found.changes,
                unmanaged: found.unmanaged,
                untargeted: found.untargeted,
                untargeted_new: found.untargeted_new,
            },
            expires_at: None,
            origin: None,
            overrides: Vec::new(),
            diagnostics,
        }
    }
}

fn report(plan: &Plan) -> PlanReport {
    PlanReport::new(plan, &document::digest(plan).unwrap())
}

/// A receipt of a plan on which everything that can be said was said.
fn receipt_of(plan: &Plan, message: &str) -> ReceiptReport {
    let receipt = Receipt {
        overrides: Vec::new(),
        approvals: Vec::new(),
        plan_digest: document::digest(plan).unwrap(),
        app: plan.app.app.clone(),
        results: plan
            .changes()
            .map(|change| ChangeResult {
                connector: change.connector.clone(),
                action: change.action,
                outcome: match change.action {
                    Action::NoOp => Outcome::Unchanged,
                    Action::Create => Outcome::Failed,
                    _ => Outcome::Pending,
                },
                message: Some(message.to_owned()),
                scopes: change.after.clone().unwrap_or_default().scopes,
                before: change.before.clone().map(|before| before.scopes),
                connection_id: None,
                account: change.after.clone().and_then(|after| after.account),
                connection_config: std::collections::BTreeMap::new(),
                mode: None,
                basis: None,
            })
            .collect(),
        origin: None,
    };
    let digest = receipt::digest(&receipt).unwrap();
    ReceiptReport::new(&receipt, &digest)
}

/// No line can be taken for a runner's command, and nothing hidden is in it.
fn assert_harmless(text: &str) -> Result<(), TestCaseError> {
    for line in text.lines() {
        prop_assert!(!line.trim_start().starts_with("::"), "{line}");
        prop_assert!(!line.contains("##["), "{line}");
        prop_assert!(!line.contains("##vso["), "{line}");
    }
    for c in text.chars() {
        let hidden = c != '\n' && c.is_control()
            || matches!(c,
                '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
                | '\u{feff}' | '\u{e0000}'..='\u{e0fff}' | '\u{ad}' | '\u{61c}');
        prop_assert!(!hidden, "{c:?} in {text}");
    }
    Ok(())
}

/// Only our own markup is in it, and nobody is mentioned outside of code.
fn assert_tame(text: &str) -> Result<(), TestCaseError> {
    assert_harmless(text)?;
    let mut options = Options::default();
    options.extension.autolink = true;
    options.extension.table = true;
    options.extension.strikethrough = true;
    options.extension.tasklist = true;
    options.extension.footnotes = true;
    let arena = Arena::new();
    let root = parse_document(&arena, text, &options);
    let mut fences = 0;
    for node in root.descendants() {
        match &node.data.borrow().value {
            NodeValue::Text(text) => {
                prop_assert!(!text.contains('@'), "mention in {text}");
                prop_assert!(!text.contains("#1"), "reference in {text}");
            }
            NodeValue::HtmlBlock(html) => {
                let ours = html.literal.starts_with("<details>\n<summary>Details, ")
                    || html.literal.trim() == "</details>";
                prop_assert!(ours, "{}", html.literal);
            }
            NodeValue::CodeBlock(block) => {
                prop_assert!(block.fenced && block.info == "diff");
                fences += 1;
            }
            NodeValue::Heading(heading) => prop_assert_eq!(heading.level, 2),
            NodeValue::Document
            | NodeValue::Paragraph
            | NodeValue::List(_)
            | NodeValue::Item(_)
            | NodeValue::Strong
            | NodeValue::Code(_)
            | NodeValue::SoftBreak => {}
            other => prop_assert!(false, "{other:?} in {text}"),
        }
    }
    prop_assert!(fences <= 1);
    Ok(())
}

proptest! {
    #![proptest_config(crate::support::cases(25))]

    #[test]
    fn nothing_escapes_from_markdown(plan in plan(), message in hostile(), file in hostile()) {
        let options = markdown::Options {
            file: Some(file),
            show_accounts: true,
            ..Default::default()
        };
        assert_tame(&markdown::plan(&report(&plan), &options))?;
        assert_tame(&markdown::receipt(&receipt_of(&plan, &message), &options))?;
    }

    #[test]
    fn markdown_is_never_too_long(plan in plan(), message in hostile(), max_bytes in 0usize..6000) {
        let options = markdown::Options { max_bytes, ..Default::default() };
        let plan_text = markdown::plan(&report(&plan), &options);
        prop_assert!(plan_text.len() <= max_bytes);
        assert_tame(&plan_text)?;
        let receipt_text = markdown::receipt(&receipt_of(&plan, &message), &options);
        prop_assert!(receipt_text.len() <= max_bytes);
        assert_tame(&receipt_text)?;
    }

    #[test]
    fn no_text_gives_a_terminal_or_a_runner_a_command(
        plan in plan(),
        message in hostile(),
        file in hostile(),
    ) {
        let report = report(&plan);
        let receipt = receipt_of(&plan, &message);
        let file = Some(file.as_str());
        let shown = text::plan(&report, &text::PlanOptions { file, ..Default::default() }, Theme::PLAIN);
        assert_harmless(&shown)?;
        let shown = text::receipt(&receipt, &text::ReceiptOptions { file, ..Default::default() }, Theme::PLAIN);
        assert_harmless(&shown)?;
        assert_harmless(&unified::diff(&report))?;
        assert_harmless(&report.to_json())?;
        assert_harmless(&receipt.to_json())?;
        assert_harmless(&sarif::log(&plan.diagnostics, &[]))?;
    }

    #[test]
    fn a_finding_is_one_annotation(findings in diagnostics()) {
        let shown = runner::github(&findings);
        prop_assert_eq!(shown.lines().count(), findings.len());
        for line in shown.lines() {
            prop_assert!(line.starts_with("::warning file="));
            let (_, rest) = line.split_once(' ').unwrap();
            let (properties, _) = rest.split_once("::").unwrap();
            prop_assert_eq!(properties.split(',').count(), 3);
        }
    }

    #[test]
    fn json_says_what_the_plan_says(plan in plan()) {
        let report = report(&plan);
        let text = report.to_json();
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        let changes = json["apps"][0]["changes"].as_array().unwrap();
        prop_assert_eq!(changes.len(), plan.app.changes.len());
        for (shown, change) in changes.iter().zip(&plan.app.changes) {
            prop_assert_eq!(shown["connector"].as_str(), Some(change.connector.as_str()));
            prop_assert_eq!(shown["action"].as_str(), Some(change.action.as_str()));
            prop_assert_eq!(shown["file"].as_str(), change.file.as_deref());
            let added: Vec<_> = change.scopes.added.iter().map(Scope::as_str).collect();
            prop_assert_eq!(&shown["scopes"]["added"], &serde_json::json!(added));
            let account = change.before.as_ref().and_then(|b| b.account.as_ref());
            prop_assert_eq!(shown["before"]["account"].as_str(), account.map(Account::as_str));
        }
        prop_assert_eq!(text, report.to_json());
    }

    #[test]
    fn json_is_as_its_schema_says(plan in plan()) {
        static SCHEMA: LazyLock<Validator> =
            LazyLock::new(|| Validator::new(serde_json::from_str(&Subject::Plan.to_json()).unwrap()));
        let json = report(&plan).to_json();
        let wrong = SCHEMA.wrong(&serde_json::from_str(&json).unwrap());
        prop_assert_eq!(wrong, None);
    }

    #[test]
    fn a_diff_has_only_lines_of_a_diff(plan in plan()) {
        let diff = unified::diff(&report(&plan));
        let mut files = 0;
        for line in diff.lines() {
            prop_assert!(line.starts_with(['+', '-', ' ', '@']), "{line}");
            files += usize::from(line.starts_with("--- "));
        }
        let changes = plan.changes().filter(|change| change.action != Action::NoOp);
        prop_assert_eq!(files, changes.count());
    }
}

/// More than a comment can hold: four hundred connectors of sixteen scopes each.
#[test]
fn hundreds_of_connectors_fit_into_a_comment_by_name() {
    let connectors = (0..400).map(|n| {
        let connector = ConnectorType::parse(format!("connector-{n:04}")).unwrap();
        let scopes: Vec<_> = (0..16)
            .map(|s| format!("scope.{s:02}:with-a-longish-name"))
            .collect();
        let declared = DeclaredConnector {
            scopes: scopes.iter().map(String::as_str).collect(),
            file: format!("base44/connectors/connector-{n:04}.jsonc"),
            account: None,
            connection_config: std::collections::BTreeMap::new(),
        };
        (connector, declared)
    });
    let gone = (0..40).map(|n| {
        let state = RemoteConnector {
            status: RemoteStatus::Active,
            scopes: Scopes::new(),
            account: Some(Account::new("ops@example.com")),
            mode: None,
            connection_config: None,
        };
        (ConnectorType::parse(format!("gone-{n:02}")).unwrap(), state)
    });
    let found = Comparison {
        declared: &Declared {
            connectors: connectors.collect(),
        },
        observed: &gone.collect(),
        pending: &std::collections::BTreeMap::new(),
        rules: &ScopeEquivalence::default(),
        unlisted: Unlisted::Remove,
        on_remove: Removal::Remove,
        targets: &std::collections::BTreeSet::new(),
    }
    .run();
    let plan = Plan {
        speculative: false,
        app: AppPlan {
            app: App {
                id: AppId::parse("app-1").unwrap(),
                api_url: ApiUrl::default(),
                environment: None,
            },
            changes: found.changes,
            unmanaged: found.unmanaged,
            untargeted: found.untargeted,
            untargeted_new: found.untargeted_new,
        },
        expires_at: None,
        origin: None,
        overrides: Vec::new(),
        diagnostics: Vec::new(),
    };
    let report = report(&plan);
    let shown = markdown::plan(&report, &markdown::Options::default());
    assert!(
        shown.len() <= markdown::GITHUB_LIMIT && shown.len() > 60_000,
        "{}",
        shown.len()
    );
    for change in report.changes() {
        assert!(
            shown.contains(&format!("`{}`", change.connector)),
            "{}",
            change.connector
        );
    }
    assert!(shown.contains("tokens are lost for good"));
    assert!(shown.contains("The details were cut in the middle"));
    assert!(shown.contains("connplan show FILE"));
    assert!(shown.contains("--expect-digest"));
    assert_tame(&shown).unwrap();

    let text = text::plan(&report, &text::PlanOptions::default(), Theme::PLAIN);
    // Nothing is known of them: none is left out, however many they are.
    assert!(text.contains("scope.15:with-a-longish-name") && !text.contains(" more; see"));
    assert!(
        text.lines()
            .nth(2)
            .is_some_and(|line| line.starts_with("+ Add (400):"))
    );
}

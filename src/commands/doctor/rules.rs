//! The look at what a team agreed on: its policy, its approvals, its store.

use std::time::Duration;

use super::{Health, Look};
use crate::{
    approval::FromRisk,
    commands::listening,
    config::{Loaded, Project},
    context::{Failure, UsageError},
    model::is_request,
    ops,
    policy::Rule,
    syntax::Problem,
};

/// How long the store may take.
const PATIENCE: Duration = Duration::from_secs(20);

impl Look<'_> {
    /// What the policy says to what the files declare.
    pub(super) fn policy(&mut self, project: &Project, loaded: &Loaded) {
        let policy = ops::policy::of(project);
        let rules: Vec<_> = Rule::ALL
            .into_iter()
            .filter(|rule| policy.sets(*rule))
            .map(Rule::as_str)
            .collect();
        let (problems, _) = ops::policy::declared(&policy, loaded);
        let (forbidden, warned): (Vec<_>, Vec<_>) = problems.iter().partition(|p| p.is_error());
        if !forbidden.is_empty() {
            self.found("policy", Health::Fail, &forbidden);
        } else if !warned.is_empty() {
            self.found("policy", Health::Warn, &warned);
        } else if rules.is_empty() {
            let beside = self.beside();
            self.ok(
                "policy",
                format!("no rules are set ([policy] in connplan.toml sets them){beside}"),
            );
        } else {
            let (rules, beside) = (rules.join(", "), self.beside());
            self.ok(
                "policy",
                format!("the files comply with it: {rules}{beside}"),
            );
        }
    }

    /// What a request's own settings do not say: nothing is fetched here.
    fn beside(&self) -> &'static str {
        let event = self.context.named_event().ok().flatten();
        if is_request(&self.context.vars, event.as_ref()) {
            "; the settings of the base branch, which bind here too, were not looked at"
        } else {
            ""
        }
    }

    /// What approval a plan needs, and whether anybody can give it.
    pub(super) fn approval(&mut self, project: &Project) {
        if let Some(problem) = ops::unworkable_approval(project) {
            return self.setting("approval", &problem);
        }
        let settings = &project.settings.approval;
        let need = settings.need();
        // All that is needed is what lacks where nobody has approved.
        let all = need.and_then(|need| Some((need.from_risk, need.missing(&[])?)));
        let Some((from_risk, all)) = all else {
            let beside = self.beside();
            return self.ok(
                "approval",
                format!(
                    "plans need no approval ([approval] in connplan.toml requires one){beside}"
                ),
            );
        };
        let of = match from_risk {
            FromRisk::None => "for every plan",
            FromRisk::Write => "for plans with the risk `write` or more",
            FromRisk::Danger => "for plans with the risk `danger`",
        };
        let signers = settings.signers.as_deref();
        let signers = signers.map(|file| format!("; signers are in {file}"));
        let needed = all.needed();
        self.ok(
            "approval",
            format!(
                "{needed} {of}{}{}",
                signers.unwrap_or_default(),
                self.beside()
            ),
        );
    }

    /// Whether the team's memory can be read.
    pub(super) async fn store(&mut self, project: &Project) {
        if let Some(problem) = ops::unworkable_store(project).first() {
            return self.setting("store", problem);
        }
        let Ok(app) = project.app() else { return };
        let context = self.context;
        let reading = async {
            // Whatever others can read is told, and stays as it is.
            let state = context.state.app(&app);
            let team = ops::Team::open(&listening::around(context), project, &app, &state).await?;
            let memory = team.memory();
            if memory.is_shared() {
                memory.waits().await?;
            }
            let name = memory.is_shared().then(|| memory.name().to_owned());
            Ok::<_, Failure>(name)
        };
        let read = tokio::time::timeout(PATIENCE, reading).await;
        match read {
            Ok(Ok(Some(name))) => self.ok("store", format!("{name} answers")),
            Ok(Ok(None)) => self.ok(
                "store",
                "this machine's own: [store] in connplan.toml names one for a team",
            ),
            Ok(Err(failure)) => self.fail("store", failure.report.as_ref()),
            Err(_) => {
                let seconds = PATIENCE.as_secs();
                let error = UsageError::with_help(
                    format!("it did not answer within {seconds} seconds"),
                    "check the network, and that you may reach it",
                );
                self.fail("store", &error);
            }
        }
    }

    /// A setting that can never work, with its line.
    fn setting(&mut self, name: &'static str, problem: &Problem) {
        self.found(name, Health::Fail, &[problem]);
    }
}

//! The commands that are printed for somebody to run: with what surrounds this run, so that they are about the same
//! project and folder.

use std::path::PathBuf;

use super::shell::shell_word;
use crate::escape;

/// What the command line of this run says beside its command.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NextCommand {
    /// `-C`.
    pub chdir: Option<PathBuf>,
    /// `--env`.
    pub env: Option<String>,
    /// `--app-id`.
    pub app_id: Option<String>,
    /// `--dir`.
    pub dir: Option<PathBuf>,
}

impl Default for &NextCommand {
    fn default() -> Self {
        static ALONE: NextCommand = NextCommand {
            chdir: None,
            env: None,
            app_id: None,
            dir: None,
        };
        &ALONE
    }
}

/// Commands that are about a project.
const OF_A_PROJECT: [&str; 19] = [
    "add",
    "apply",
    "approve",
    "authorize",
    "comment",
    "doctor",
    "drift",
    "history",
    "init",
    "list-available",
    "plan",
    "policy",
    "pull",
    "push",
    "remote-state",
    "show",
    "status",
    "unlock",
    "validate",
];

/// Those of them that have `--dir`. A test of `cli` holds both lists to the grammar.
const OF_A_FOLDER: [&str; 10] = [
    "add",
    "apply",
    "authorize",
    "doctor",
    "drift",
    "plan",
    "pull",
    "push",
    "status",
    "validate",
];

/// Whether this command, with what follows it, is to be given `--dir`. A saved plan says itself what is done, and
/// where the text ends the plan is put behind it.
fn takes_folder(command: &str, rest: &str) -> bool {
    let without_plan = rest.starts_with('`') || rest.starts_with(" -");
    OF_A_FOLDER.contains(&command) && (command != "apply" || without_plan)
}

impl NextCommand {
    /// The same for this environment or app, unless the command line names one.
    #[must_use]
    pub fn or(&self, env: Option<String>, app_id: Option<String>) -> Self {
        if self.env.is_some() || self.app_id.is_some() {
            return self.clone();
        }
        Self {
            env,
            app_id,
            ..self.clone()
        }
    }

    /// A text of ours, with each command in it as it is to be run. Not for texts of others.
    pub fn within(&self, text: &str) -> String {
        const NAME: &str = "connplan ";
        let (before, after) = self.options();
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find(NAME) {
            let (head, tail) = rest.split_at(at);
            out.push_str(head);
            let tail = tail.get(NAME.len()..).unwrap_or_default();
            out.push_str(NAME);
            let end = tail.find(|c: char| !c.is_ascii_lowercase() && c != '-');
            let (command, others) = tail.split_at(end.unwrap_or(tail.len()));
            let starts = head.is_empty() || head.ends_with(['`', ' ', '\n', '"']);
            let is_ours = starts && OF_A_PROJECT.contains(&command);
            if is_ours {
                out.push_str(&before);
            }
            out.push_str(command);
            if is_ours && takes_folder(command, others) {
                out.push_str(&after);
            }
            rest = others;
        }
        out.push_str(rest);
        out
    }

    fn options(&self) -> (String, String) {
        let word = |text: &str| escape::terminal(&shell_word(text)).into_owned();
        let mut before = String::new();
        let mut option = |name: &str, value: Option<String>| {
            if let Some(value) = value {
                before.extend([name, " ", &word(&value), " "]);
            }
        };
        let path = |path: &PathBuf| path.display().to_string();
        option("-C", self.chdir.as_ref().map(path));
        option("--env", self.env.clone());
        option("--app-id", self.app_id.clone());
        let dir = self.dir.as_ref().map(path);
        let after = dir.map(|dir| format!(" --dir {}", word(&dir)));
        (before, after.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_command_gets_what_surrounds_the_run() {
        let next = NextCommand {
            chdir: Some(PathBuf::from("apps/my shop")),
            env: Some("staging".to_owned()),
            app_id: None,
            dir: Some(PathBuf::from("x")),
        };
        assert_eq!(
            next.within("run `connplan plan --out FILE`, then connplan apply FILE"),
            "run `connplan -C 'apps/my shop' --env staging plan --dir x --out FILE`, then connplan \
             -C 'apps/my shop' --env staging apply FILE"
        );
        let here = NextCommand {
            dir: Some(PathBuf::from("x")),
            ..NextCommand::default()
        };
        assert_eq!(
            here.within("`connplan apply`, `connplan apply --receipt FILE` or connplan apply"),
            "`connplan apply --dir x`, `connplan apply --dir x --receipt FILE` or connplan apply"
        );
        for alone in [
            "connplan login",
            "connplan is a tool",
            "of connplan's",
            "my-connplan plan",
        ] {
            assert_eq!(next.within(alone), alone);
        }
        assert_eq!(
            NextCommand::default().within("connplan plan"),
            "connplan plan"
        );
    }
}

//! The properties of each command besides what it does. No command is forgotten: the `match` has no default arm.

use std::{path::PathBuf, time::Duration};

use super::Command;

/// What is particular about a command.
#[derive(Clone, Copy)]
pub(super) struct Traits<'a> {
    /// Its text is for a person, not for a file or a shell.
    pub(super) prose: bool,
    /// Its output is a document, whatever the format.
    pub(super) document: bool,
    /// How long it may take without `--max-time`, so that no pipeline hangs for ever on a bad network. None
    /// for commands that wait for a person (they have `--timeout`) or that run until they are stopped.
    pub(super) time: Option<Duration>,
    /// The error that it prints names the app, so that `comment --failed` finds the right comment.
    pub(super) names_app: bool,
    /// Where the command line says that the connector files are.
    pub(super) folder: Option<&'a PathBuf>,
}

const PLAIN: Traits<'static> = Traits {
    prose: true,
    document: false,
    time: None,
    names_app: false,
    folder: None,
};

/// For what asks a server a few things.
const A_LOOK: Option<Duration> = Some(Duration::from_mins(10));

impl Command {
    pub(super) fn traits(&self) -> Traits<'_> {
        match self {
            Self::Plan(args) => Traits {
                time: A_LOOK,
                names_app: true,
                folder: args.planning.dir.as_ref(),
                ..PLAIN
            },
            Self::Apply(args) => Traits {
                time: args.plan.is_some().then_some(Duration::from_hours(1)),
                names_app: true,
                folder: args.planning.dir.as_ref(),
                ..PLAIN
            },
            Self::Push(args) => Traits {
                folder: args.planning.dir.as_ref(),
                ..PLAIN
            },
            Self::Status(args) => Traits {
                time: A_LOOK,
                folder: args.dir.as_ref(),
                ..PLAIN
            },
            Self::Validate(args) => Traits {
                folder: args.dir.as_ref(),
                ..PLAIN
            },
            Self::Drift(args) => Traits {
                time: A_LOOK,
                folder: args.dir.as_ref(),
                ..PLAIN
            },
            Self::Authorize(args) => Traits {
                folder: args.dir.as_ref(),
                ..PLAIN
            },
            Self::Doctor(args) => Traits {
                folder: args.dir.as_ref(),
                ..PLAIN
            },
            Self::Add(args) => Traits {
                folder: args.dir.as_ref(),
                ..PLAIN
            },
            Self::Pull(args) => Traits {
                folder: args.dir.as_ref(),
                ..PLAIN
            },
            Self::History(_) | Self::ListAvailable(_) | Self::Policy(_) | Self::Whoami(_) => {
                Traits {
                    time: A_LOOK,
                    ..PLAIN
                }
            }
            Self::RemoteState(_) => Traits {
                prose: false,
                document: true,
                time: A_LOOK,
                ..PLAIN
            },
            Self::Schema(_) | Self::Completions(_) => Traits {
                prose: false,
                document: true,
                ..PLAIN
            },
            Self::Man(_) => Traits {
                prose: false,
                ..PLAIN
            },
            Self::Approve(_)
            | Self::Sandbox(_)
            | Self::Comment(_)
            | Self::Unlock(_)
            | Self::Login(_)
            | Self::Logout(_)
            | Self::Trust(_)
            | Self::Demo(_)
            | Self::Init(_)
            | Self::Show(_)
            | Self::Scopes(_)
            | Self::Version(_)
            | Self::Help(_) => PLAIN,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::super::Cli;
    use crate::view::NextCommand;

    #[test]
    fn no_printed_command_loses_what_surrounds_the_run() {
        let next = NextCommand {
            chdir: Some("there".into()),
            dir: Some("files".into()),
            ..NextCommand::default()
        };
        let mut alone = Vec::new();
        for command in Cli::grammar().get_subcommands() {
            let name = command.get_name();
            let printed = next.within(&format!("`connplan {name}`"));
            if !printed.contains("-C there") {
                alone.push(name.to_owned());
            }
            let mut arguments = command.get_arguments();
            let has_dir = arguments.any(|argument| argument.get_long() == Some("dir"));
            assert_eq!(printed.contains("--dir files"), has_dir, "{printed}");
            if has_dir {
                let run = Cli::try_parse_from(["connplan", name, "--dir", "files"]).unwrap();
                let folder = run.command.traits().folder.cloned();
                assert_eq!(folder, next.dir, "the traits of `{name}`");
            }
        }
        // These are about no project.
        assert_eq!(
            alone,
            [
                "login",
                "logout",
                "whoami",
                "trust",
                "sandbox",
                "demo",
                "scopes",
                "schema",
                "completions",
                "man",
                "version",
                "help"
            ]
        );
    }
}

//! `connplan doctor`: looks at everything a run needs. It changes nothing but the rights of the login's file, as every
//! command that reads it, and what git keeps of a store.

mod rules;

use std::path::{Path, PathBuf};

use clap::Args;
use futures_util::future::OptionFuture;
use jiff::Timestamp;
use miette::Diagnostic;

use crate::{
    config::{self, Loaded, Project},
    context::{Context, ExitStatus, Failure, Format},
    escape, fs,
    http::ClientOptions,
    pending::LocalPending,
    remote::{
        Remote, UserInfo,
        auth::{AuthError, Identity, LoginFile, Who},
    },
    state::{StateFolder, Trust},
    syntax::Problem,
    term::Opener,
    view::{
        self,
        doctor::{CheckResult, Health},
    },
};

/// A clock that is off by more than this makes logins seem too old or too young.
const SKEW_SECONDS: i64 = 60;

/// Arguments of `doctor`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:\n  connplan doctor\n  \
                        connplan doctor --format json | jq '.checks[] | select(.status != \"ok\")'")]
pub struct DoctorArgs {
    /// Look at connector files in PATH instead of the project's folder
    #[arg(long, value_name = "PATH", value_hint = clap::ValueHint::DirPath)]
    pub dir: Option<PathBuf>,
}

/// Looks, and says what it found. Ends with 1 if something will not work.
pub async fn run(args: &DoctorArgs, context: &Context) -> Result<ExitStatus, Failure> {
    let medium = context.medium(&[Format::Text, Format::Json])?;
    let mut look = Look {
        findings: Vec::new(),
        context,
    };
    look.ok("version", format!("connplan {}", env!("CARGO_PKG_VERSION")));
    let project = look.project(args.dir.as_deref());
    if let Some(project) = &project {
        let loaded = config::connectors::read(project);
        look.files(project, &loaded);
        look.policy(project, &loaded);
        look.approval(project);
        look.store(project).await;
        look.pending(project);
    }
    // Before the credentials are read: reading makes the login file private.
    look.login_file();
    look.remote(project.as_ref()).await;
    look.browser();
    look.terminal();
    let findings = look.findings;
    let app = project.and_then(|project| project.app().ok());
    context
        .terminal
        .out(&view::doctor::show(app.as_ref(), &findings, &medium));
    Ok(if findings.iter().any(|f| f.status == Health::Fail) {
        ExitStatus::Error
    } else {
        ExitStatus::Done
    })
}

struct Look<'a> {
    findings: Vec<CheckResult>,
    context: &'a Context,
}

fn shown(path: &Path) -> String {
    escape::limited(&path.display().to_string(), 400)
}

impl Look<'_> {
    fn add(&mut self, name: &'static str, status: Health, message: &str, help: Option<String>) {
        self.findings.push(CheckResult {
            name,
            status,
            message: escape::limited(message, 600),
            help: help.map(|help| escape::limited(&help, 600)),
        });
    }

    fn ok(&mut self, name: &'static str, message: impl AsRef<str>) {
        self.add(name, Health::Ok, message.as_ref(), None);
    }

    fn warn(&mut self, name: &'static str, message: impl AsRef<str>, help: &str) {
        self.add(name, Health::Warn, message.as_ref(), Some(help.to_owned()));
    }

    fn fail(&mut self, name: &'static str, error: &dyn Diagnostic) {
        let help = error.help().map(|help| help.to_string());
        self.add(name, Health::Fail, &error.to_string(), help);
    }

    fn project(&mut self, dir: Option<&Path>) -> Option<Project> {
        let project = match self.context.project(dir) {
            Ok(project) => project,
            Err(failure) => {
                self.fail("project", failure.report.as_ref());
                return None;
            }
        };
        let name = project.name.as_deref().unwrap_or("no name");
        let place = shown(&project.root);
        match &project.config_file {
            Some(_) => self.ok("project", format!("{name}, in {place}")),
            None => self.ok(
                "project",
                format!("no project in {place}; an option or a variable names the app"),
            ),
        }
        match &project.settings_file {
            Some(file) => {
                let file = project.shown(file);
                self.ok("settings", file);
            }
            None => self.ok("settings", "no connplan.toml: the defaults"),
        }
        match project.app() {
            Ok(app) => self.ok("app", format!("{} at {}", app.id, app.api_url)),
            Err(error) => self.fail("app", &error),
        }
        Some(project)
    }

    fn files(&mut self, project: &Project, loaded: &Loaded) {
        let folder = project.shown(&project.connectors_dir);
        let (errors, warnings): (Vec<_>, Vec<_>) = loaded
            .problems
            .iter()
            .partition(|problem| problem.is_error());
        if !errors.is_empty() {
            self.found("files", Health::Fail, &errors);
        } else if !warnings.is_empty() {
            self.found("files", Health::Warn, &warnings);
        } else if loaded.folder == config::Folder::Missing {
            let message = format!("there is no folder {folder}");
            self.warn(
                "files",
                message,
                "`connplan pull` writes the app's connectors to files, `connplan add` makes one",
            );
        } else {
            let count = loaded
                .declared
                .as_ref()
                .map_or(0, |declared| declared.connectors.len());
            self.ok("files", format!("{count} in {folder}, without problems"));
        }
    }

    /// How many problems there are, and the first of them with its line.
    fn found(&mut self, name: &'static str, status: Health, problems: &[&Problem]) {
        let Some(first) = problems.first() else {
            return;
        };
        let first = first.to_diagnostic();
        let place = first.file.unwrap_or_default();
        let line = first
            .line
            .map(|line| format!(":{line}"))
            .unwrap_or_default();
        let count = match problems.len() {
            1 => String::new(),
            several => format!("{several} problems; first "),
        };
        let message = format!("{count}{place}{line}: {}", first.message);
        let see = "`connplan validate` shows it all, with the lines";
        self.add(name, status, &message, Some(see.to_owned()));
    }

    fn pending(&mut self, project: &Project) {
        if let Some(path) = StateFolder::left_in(&project.root) {
            let message = format!("{} is ignored", project.shown(&path));
            self.warn(
                "folder",
                message,
                "connplan keeps its state outside the checkout; remove that folder",
            );
        }
        let Ok(app) = project.app() else { return };
        let state = self.context.state.app(&app);
        match (state.check_writable(), state.dir()) {
            (Err(error), _) => self.fail("folder", &error),
            (Ok(()), Some(dir)) => self.ok("folder", shown(dir)),
            (Ok(()), None) => {}
        }
        for path in state
            .dir()
            .map(Path::to_owned)
            .into_iter()
            .chain(state.pending_file())
        {
            if open_to_others(&path) {
                let message = format!("others can read {}", shown(&path));
                self.warn(
                    "private",
                    message,
                    "`connplan authorize --list` makes it private",
                );
            }
        }
        match LocalPending::load(&state) {
            Err(error) => self.fail("pending", &error),
            Ok(pending) => match pending.of(&app).count() {
                0 => self.ok("pending", "no authorization waits"),
                waiting => self.warn(
                    "pending",
                    format!("{waiting} waiting for a person"),
                    "`connplan authorize` resumes them",
                ),
            },
        }
    }

    fn login_file(&mut self) {
        let Some(home) = &self.context.home else {
            self.warn(
                "private",
                "there is no home folder, so no login can be stored",
                "set HOME, or use BASE44_ACCESS_TOKEN",
            );
            return;
        };
        let path = LoginFile::in_home(home).path().to_owned();
        if open_to_others(&path) {
            let message = format!("others can read {}", shown(&path));
            self.warn(
                "private",
                message,
                "`connplan whoami` makes it private; if other people use this machine, log in \
                 again",
            );
        }
    }

    async fn remote(&mut self, project: Option<&Project>) {
        let (vars, address) = match self.context.surroundings() {
            Ok(surroundings) => surroundings,
            Err(failure) => return self.fail("address", failure.report.as_ref()),
        };
        let url = address.url.clone();
        // Nothing is sent to an address that the user did not choose.
        let found = self.context.find_credentials(&vars);
        let trust = Trust::load(&self.context.state).unwrap_or_default();
        let allowed = match &found {
            Ok(found) => found.check(&address, |url| trust.contains(url)),
            Err(_) => Ok(()),
        };
        // A login for another address keeps nobody from looking whether this one answers.
        if let Err(error) = &allowed
            && !matches!(error, AuthError::Elsewhere { place: None, .. })
        {
            return self.fail("address", error);
        }
        let reached = match self.context.platform(&url) {
            Ok(platform) => platform.reach().await,
            Err(failure) => return self.fail("address", failure.report.as_ref()),
        };
        match reached {
            Err(error) => self.fail("address", &error),
            Ok(reached) => {
                let millis = reached.took.as_millis();
                self.ok(
                    "address",
                    format!(
                        "{url} answers in {millis} ms (request {})",
                        reached.request_id
                    ),
                );
                self.clock(reached.date);
            }
        }
        let usable = allowed.and(found);
        let credentials = match usable.and_then(|found| found.for_address(&address, |_| true)) {
            Ok(credentials) => credentials,
            Err(error) => return self.fail("login", &error),
        };
        let who = credentials.who().clone();
        let Some(Ok(app)) = project.map(Project::app) else {
            return self.login(&who, None);
        };
        let multiplier = project.and_then(|project| project.settings.platform.multiplier);
        let options = ClientOptions {
            pace: Some(self.context.pace(&app.api_url, multiplier)),
            ..self.context.client_options()
        };
        let asked = match Remote::new(&app, credentials, options) {
            Ok(remote) => {
                let token = matches!(who.identity, Identity::PersonalToken | Identity::Token);
                let asked = OptionFuture::from(token.then(|| remote.userinfo()));
                let (owner, listed) = tokio::join!(asked, remote.list());
                self.login(&who, owner.and_then(Result::ok));
                listed
            }
            Err(error) => {
                self.login(&who, None);
                Err(error)
            }
        };
        match asked {
            Ok(connectors) => {
                let plural = if connectors.len() == 1 { "" } else { "s" };
                let count = connectors.len();
                let message = format!("app {} has {count} OAuth connector{plural}", app.id);
                self.ok("access", message);
            }
            Err(error) => self.fail("access", &error),
        }
    }

    fn clock(&mut self, theirs: Option<Timestamp>) {
        let Some(theirs) = theirs else {
            return self.ok(
                "clock",
                "the platform's answer has no `Date`, so the clock cannot be checked",
            );
        };
        let off = self.context.now().as_second() - theirs.as_second();
        let side = if off > 0 { "ahead of" } else { "behind" };
        if off.abs() > SKEW_SECONDS {
            let message = format!("{} s {side} the platform's", off.abs());
            self.warn(
                "clock",
                message,
                "set this machine's clock: it decides when a login is renewed",
            );
        } else {
            self.ok(
                "clock",
                format!("agrees with the platform's ({} s)", off.abs()),
            );
        }
    }

    /// Which credential, whose, and what it can do: from what can be read alone.
    fn login(&mut self, who: &Who, owner: Option<UserInfo>) {
        let kind = view::identity::credential(who);
        // Of a key, the next check tells.
        let can = view::identity::can(who).filter(|_| who.identity != Identity::ApiKey);
        let can = can.map(|can| format!("; {can}")).unwrap_or_default();
        if let Identity::Login {
            email, expires_at, ..
        } = &who.identity
        {
            let end = i64::try_from(*expires_at).ok();
            let end = end.and_then(|ms| Timestamp::from_second(ms / 1000).ok());
            let until = match end {
                Some(end) if end < self.context.now() => {
                    format!("its token expired at {end}; it is renewed automatically")
                }
                Some(end) => format!("its token expires at {end}; it is renewed automatically"),
                None => "its token does not expire".to_owned(),
            };
            self.ok("login", format!("{email}, {kind}; {until}"));
        } else {
            let name = owner.map(|owner| format!("{}, ", escape::limited(&owner.email, 120)));
            self.ok("login", format!("{}{kind}{can}", name.unwrap_or_default()));
        }
        if let (Some(by), Some(hides)) = (&who.origin, &who.hides) {
            self.warn(
                "login",
                format!("{by} is used instead of {hides}"),
                "unset it to use the other",
            );
        }
    }

    fn browser(&mut self) {
        let vars = &self.context.vars;
        let help = "links are printed as well: open them by hand, or use `--no-browser`; \
                    `connplan apply --receipt FILE` lets another machine authorize";
        match Opener::of(vars) {
            Opener::Chosen => return self.ok("browser", "the one that BROWSER names"),
            Opener::Elsewhere => {
                let what = "an SSH session: links are opened in the browser of your own machine";
                return self.ok("browser", what);
            }
            Opener::NoDisplay => {
                let what = "no display found (DISPLAY is not set)";
                return self.warn("browser", what, help);
            }
            Opener::System if cfg!(any(windows, target_os = "macos")) => {
                return self.ok("browser", "the system's own");
            }
            Opener::System => {}
        }
        let openers = ["xdg-open", "gio", "gnome-open", "kde-open", "wslview"];
        let is_here = |opener: &&str| fs::find_program(opener, vars).is_some();
        let opener = openers.into_iter().find(is_here);
        match opener {
            Some(opener) => self.ok("browser", format!("opened by {opener}")),
            None => self.warn(
                "browser",
                "nothing here opens a browser (no xdg-open)",
                help,
            ),
        }
    }

    fn terminal(&mut self) {
        let terminal = &self.context.terminal;
        let message = if terminal.is_interactive() {
            let colour = if terminal.color_stderr() {
                "colour"
            } else {
                "no colour"
            };
            format!("asks questions; {} columns, {colour}", terminal.width())
        } else if self.context.globals.no_input {
            "asks nothing (--no-input)".to_owned()
        } else if self.context.vars.ci() {
            "asks nothing (in a pipeline)".to_owned()
        } else {
            "asks nothing (standard input or standard error is not a terminal)".to_owned()
        };
        self.ok("terminal", message);
    }
}

/// Whether people other than its owner can read it. Not known of other systems.
#[cfg(unix)]
fn open_to_others(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).is_ok_and(|meta| meta.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn open_to_others(_path: &Path) -> bool {
    false
}

//! What surrounds a run, built once and passed down.

use std::{
    cell::{Cell, OnceCell, RefCell},
    collections::BTreeSet,
    num::{NonZeroU16, NonZeroU32},
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::Timestamp;

use super::{ExitStatus, Failure, Globals, Signals, UnreadableEvent, UsageError};
use crate::{
    config::{FindOptions, Project},
    escape,
    fs::{self, InsecurePermissions},
    git::{Checkout, Git},
    http::{self, ClientOptions, Gate, Pace, Renewals},
    model::{App, Origin, Vars},
    plan::{document, envelope::DocumentKind},
    remote::Platform,
    state::{self, AppState, StateFolder},
    store::{Fence, Opened},
    term::Terminal,
    view::{Format, Medium, NextCommand, Theme},
};

/// Directories, environment, terminal, signals, clock.
#[derive(Debug)]
pub struct Context {
    /// Options of every command.
    pub globals: Globals,
    /// The process's environment.
    pub vars: Vars,
    /// git, once somebody has asked for it.
    pub git: OnceCell<Git>,
    /// Where the run happens: the current folder, or `-C`.
    pub start: PathBuf,
    /// The user's home.
    pub home: Option<PathBuf>,
    /// What this user keeps on this machine between runs.
    pub state: StateFolder,
    /// The streams.
    pub terminal: Arc<Terminal>,
    /// Ctrl-C and the like.
    pub signals: Signals,
    /// When the whole command must be done.
    pub deadline: Option<Instant>,
    /// Renewals of the login that are under way.
    pub renewals: Renewals,
    /// Until when requests may be started, where a lease says so.
    pub fence: Fence,
    /// Stores of the team that were opened.
    pub stores: Opened,
    /// Warnings that were said already and are said once.
    pub said: RefCell<BTreeSet<String>>,
    /// What the command line says beside its command, for those that are printed.
    pub next: NextCommand,
    /// The same for the document that this run shows.
    pub next_of_document: OnceCell<NextCommand>,
    /// Whether the link to claim a Stripe sandbox was shown.
    pub said_claim: Cell<bool>,
    /// Who acts at Base44, masked, once that is known.
    pub acting: RefCell<Option<String>>,
    /// Projects that were found: what one run goes by does not change meanwhile.
    pub found: RefCell<Vec<(FindOptions, Project)>>,
}

impl Context {
    /// A path as the user gave it, relative to where the run happens.
    pub fn path(&self, path: &Path) -> PathBuf {
        // `./` in front of it would be shown, and nobody typed it.
        if self.start == Path::new(".") && !path.as_os_str().is_empty() {
            return path.to_owned();
        }
        self.start.join(path)
    }

    /// A file to be written, as the user gave it, in a folder that is open from now on. Standard output
    /// carries what is shown.
    pub fn output_file(&self, flag: &str, path: &Path) -> Result<fs::Destination, Failure> {
        if path == Path::new("-") {
            return Err(UsageError::with_help(
                format!("`{flag} -` names no file"),
                format!("give a file's name, or `./-`; `{flag}` does not write to standard output"),
            )
            .into());
        }
        let full = self.path(path);
        let folder = full.parent().filter(|folder| *folder != Path::new(""));
        if let Some(folder) = folder.filter(|_| is_below(path))
            && let Err(error) = fs::confine(&[&self.start], folder)
            && !error.is_not_found()
        {
            return Err(error.into());
        }
        Ok(fs::destination(&full, self.checkouts())?)
    }

    /// A file to be read, as the user gave it: what is shown of it is not what a link of a checkout leads to
    /// outside.
    pub fn input_file(&self, path: &Path) -> Result<PathBuf, Failure> {
        let full = self.path(path);
        fs::refuse_way_out(&full, self.checkouts())?;
        Ok(full)
    }

    /// A folder to be written in, or a file to be kept up to date, as the user gave it.
    pub fn output_place(&self, path: &Path) -> Result<PathBuf, Failure> {
        let full = self.path(path);
        if is_below(path) {
            fs::confine_new(&[&self.start], &full)?;
        }
        fs::refuse_way_out(&full, self.checkouts())?;
        Ok(full)
    }

    /// Which checkout a folder lies in: a path from the root, or through `..`, comes into one as well.
    pub(super) fn checkouts(&self) -> impl Fn(&Path) -> Option<PathBuf> {
        let project = self.project(None).ok().map(|project| project.root);
        let own = [Some(&self.start), project.as_ref()].into_iter().flatten();
        let own: Vec<_> = own.filter_map(|dir| dir.canonicalize().ok()).collect();
        // One without `.git` is told by what lies in it, or by the pipeline.
        let trees = state::checkouts(&self.vars, self.home.as_deref(), &self.start);
        move |folder: &Path| {
            let around = fs::checkouts_around(folder, self.own_home());
            let within = || {
                let mut places = own.iter().rev().chain(&trees);
                places.find(|dir| folder.starts_with(dir))
            };
            around.into_iter().next().or_else(|| within().cloned())
        }
    }

    /// Says which `.git` around the folder of the run is another user's.
    pub fn warn_of_gits(&self) {
        if let Some(of_another) = fs::git_of_another(&self.start) {
            self.warn(&format!(
                "{of_another}, who can write anything into it: it is not used, as if there were none"
            ));
        }
    }

    /// git as this process may run it.
    pub fn git(&self) -> Git {
        let git = || self.any_git().below(self.own_home());
        self.git.get_or_init(git).clone()
    }

    fn any_git(&self) -> Git {
        let starts = [&*self.start, Path::new(".")];
        let trees = starts.iter().filter(|_| self.vars.ci());
        let trees = trees.flat_map(|start| state::checkouts(&self.vars, None, start));
        Git::new(&self.vars).outside(trees.collect())
    }

    /// Has git go by the work tree around the user's home, if that keeps the project: one that merely lies there,
    /// such as an archive's, has no say in its remotes.
    pub async fn look_around_home(&self) {
        let git = self.any_git();
        let is_below = fs::checkouts_around(&self.start, self.own_home()).is_empty();
        let around = is_below.then(|| Checkout::of(&self.start, git.clone()).ok());
        let (Some(around), Ok(project)) = (around.flatten(), self.project(None)) else {
            return;
        };
        if let Some(file) = project.config_file.or(project.settings_file)
            && around.keeps(&file).await
        {
            self.git.get_or_init(|| git);
        }
    }

    /// The time, to the second.
    pub fn now(&self) -> Timestamp {
        Self::clock()
    }

    /// The same, for who has no context.
    pub fn clock() -> Timestamp {
        let now = Timestamp::now();
        Timestamp::from_second(now.as_second()).unwrap_or(now)
    }

    /// What the command's view writes for, if the command has that format.
    pub fn medium(&self, known: &[Format]) -> Result<Medium<'_>, Failure> {
        Ok(Medium {
            format: self.format(known)?,
            theme: Theme::new(self.terminal.color_stdout()),
            columns: self.terminal.columns(),
            masked: self.terminal.masks_stdout(),
            told: self.terminal.columns().is_some()
                && self.terminal.stderr_is_terminal()
                && self.prints_text(),
            now: self.now(),
            next: self.next(),
        })
    }

    /// What the commands that are printed have with them.
    pub fn next(&self) -> &NextCommand {
        self.next_of_document.get().unwrap_or(&self.next)
    }

    /// From now on they are for the document that is shown: what is done with it is done where it was made for.
    pub fn go_on_for(&self, environment: Option<String>, app_id: Option<String>) -> &NextCommand {
        let of_document = || self.next.or(environment, app_id);
        self.next_of_document.get_or_init(of_document)
    }

    /// The format, if the command has it.
    fn format(&self, known: &[Format]) -> Result<Format, Failure> {
        let format = self.globals.format;
        if known.contains(&format) {
            return Ok(format);
        }
        let name = |format: &Format| {
            let value = clap::ValueEnum::to_possible_value(format);
            value
                .map(|value| value.get_name().to_owned())
                .unwrap_or_default()
        };
        let known: Vec<_> = known.iter().map(name).collect();
        Err(UsageError::with_help(
            format!("this command does not support `--format {}`", name(&format)),
            format!("it has: {}", known.join(", ")),
        )
        .into())
    }

    /// The client's limits, as the environment sets them.
    pub fn client_options(&self) -> ClientOptions {
        if let Some(path) = http::unusable_roots(&self.vars) {
            self.warn_once(&format!(
                "NODE_EXTRA_CA_CERTS names {}, which cannot be read or holds no certificate",
                escape::limited(path, 400)
            ));
        }
        let mut options = ClientOptions {
            allow_http: self.globals.allow_http,
            deadline: self.deadline,
            cancel: self.signals.token(),
            renewals: self.renewals.clone(),
            vars: self.vars.clone(),
            gate: {
                let fence = self.fence.clone();
                Gate::new(move |timeout| fence.allows(timeout))
            },
            ..ClientOptions::default()
        };
        if let Some(base) = self.retry_base() {
            options.backoff_base = base;
        }
        if let Some(patience) = self.milliseconds("__CONNPLAN_TEST_READ_TIMEOUT_MS") {
            options.read_timeout = patience;
            options.connect_timeout = patience;
        }
        if let Some(patience) = self.milliseconds("__CONNPLAN_TEST_ANSWER_TIMEOUT_MS") {
            options.answer_timeout = patience;
        }
        options
    }

    /// How long tests wait before something is tried again: not as long as people do.
    pub fn retry_base(&self) -> Option<Duration> {
        self.milliseconds("__CONNPLAN_TEST_RETRY_BASE_MS")
    }

    fn milliseconds(&self, name: &str) -> Option<Duration> {
        let text: Option<u64> = self.vars.get(name).and_then(|ms| ms.parse().ok());
        text.map(Duration::from_millis)
    }

    /// The pace of requests to an address: shared by this user's processes, and told of where it
    /// makes a person wait.
    pub fn pace(&self, api_url: &crate::model::ApiUrl, multiplier: Option<NonZeroU16>) -> Pace {
        // Tests cannot wait for minutes.
        let minute = self.vars.get("__CONNPLAN_TEST_MINUTE_MS");
        let minute = minute.and_then(|ms| ms.parse().ok());
        let minute = minute.map_or(Duration::from_mins(1), Duration::from_millis);
        let multiplier = multiplier.map_or(NonZeroU32::MIN, NonZeroU32::from);
        let terminal = Arc::clone(&self.terminal);
        Pace::new(self.state.pace(api_url), multiplier, minute)
            .telling(move |wait| terminal.say(&crate::view::progress::waiting(wait)))
    }

    /// How long the command may still take; at most `wanted`.
    pub fn time_left(&self, wanted: Duration) -> Duration {
        let left = self
            .deadline
            .map(|end| end.saturating_duration_since(Instant::now()));
        left.map_or(wanted, |left| left.min(wanted))
    }

    /// The platform without an app: for the login.
    pub fn platform(&self, app_url: &crate::model::ApiUrl) -> Result<Platform, Failure> {
        let pace = Some(self.pace(app_url, None));
        let options = ClientOptions {
            pace,
            ..self.client_options()
        };
        Ok(Platform::new(app_url, options)?)
    }

    /// What is kept of an app; made private, with a word on what was not, and on what a checkout
    /// brings of the kind.
    pub fn app_state(&self, project: &Project, app: &App) -> AppState {
        if let Some(path) = StateFolder::left_in(&project.root) {
            self.warn_once(&format!(
                "{} is ignored: connplan keeps its state outside the checkout. Remove that \
                 folder",
                escape::terminal(&project.relative(&path)),
            ));
        }
        let state = self.state.app(app);
        self.warn_insecure(&state.restrict());
        state
    }

    /// Whether what comes of the run is printed for a person.
    pub fn prints_text(&self) -> bool {
        self.globals.format == Format::Text
    }

    /// Says a warning.
    pub fn warn(&self, text: &str) {
        let label = if self.terminal.color_stderr() {
            "\u{1b}[33mwarning\u{1b}[0m"
        } else {
            "warning"
        };
        self.terminal.insist(&format!("{label}: {text}"));
    }

    /// The same, once: a run that looks twice finds it twice.
    pub fn warn_once(&self, text: &str) {
        if self.said.borrow_mut().insert(text.to_owned()) {
            self.warn(text);
        }
    }

    /// Says what went wrong, and how that ends the run. For what goes wrong after there is
    /// something to print.
    pub fn tell(&self, failure: &Failure) -> ExitStatus {
        let (terminal, report) = (&self.terminal, failure.report.as_ref());
        let report = crate::view::problems::render_for(terminal, report, self.next());
        self.terminal.insist_verbatim(&report);
        failure.status
    }

    /// Says what others could read that is private, and what came of that.
    pub fn warn_insecure(&self, loose: &[InsecurePermissions]) {
        let repaired = loose.iter().filter(|loose| loose.still.is_none());
        let repaired: Vec<_> = repaired.map(|loose| loose.path.as_path()).collect();
        if let [first, more @ ..] = repaired.as_slice() {
            let (more, are) = match more.len() {
                0 => (String::new(), "it is"),
                n => (format!(" and {n} more in it"), "they are"),
            };
            self.warn(&format!(
                "{}{more} could be read by others; {are} private now",
                escape::path(first)
            ));
        }
        for InsecurePermissions { path, still } in loose {
            let Some(why) = still else { continue };
            let why = escape::terminal(&why.to_string()).into_owned();
            self.warn_once(&format!("others can read {}: {why}", escape::path(path)));
        }
    }

    /// The event that GitHub started this run for, for those that only say more with it.
    pub fn event(&self) -> Option<serde_json::Value> {
        self.named_event().unwrap_or_default()
    }

    /// The same, for those that decide by it: one that is named and cannot be read is an error.
    pub fn named_event(&self) -> Result<Option<serde_json::Value>, UnreadableEvent> {
        /// GitHub sends no longer event.
        const LIMIT: u64 = 32 << 20;
        let Some(file) = self.vars.get("GITHUB_EVENT_PATH") else {
            return Ok(None);
        };
        let unreadable = |why| UnreadableEvent { why };
        let text = fs::read_text(&self.path(Path::new(file)), LIMIT)
            .map_err(|error| unreadable(error.to_string()))?;
        let event = serde_json::from_str(&text);
        let broken = |error| format!("{}: {error}", escape::path(Path::new(file)));
        event.map_err(|error| unreadable(broken(error)))
    }

    /// The commit and the run of a pipeline.
    pub fn origin(&self) -> Option<Origin> {
        Origin::of(&self.vars, self.event().as_ref())
    }

    /// Reads a document that a user names; `-` is standard input.
    pub fn read_document(&self, path: &Path) -> Result<String, Failure> {
        let named = self.path(path);
        let not_text = |offset| fs::FsError::NotUtf8 {
            path: named.clone(),
            offset,
        };
        text_of(self.read_named(path)?, |offset| not_text(offset).into())
    }

    /// The same for a saved plan or receipt: what is not text is not one.
    pub(crate) fn read_saved(&self, path: &Path, wanted: DocumentKind) -> Result<String, Failure> {
        let file = escape::limited(&path.display().to_string(), 200);
        text_of(self.read_named(path)?, |offset| {
            wanted.not_text(file, offset).into()
        })
    }

    fn read_named(&self, path: &Path) -> Result<Vec<u8>, Failure> {
        let limit = document::LIMIT as u64;
        if path == Path::new("-") {
            return read_stdin(limit);
        }
        Ok(fs::read_limited(&self.input_file(path)?, limit)?)
    }
}

/// Whether somebody else than the user may have chosen where a path leads: a folder of the checkout may be
/// a link.
fn is_below(path: &Path) -> bool {
    !path.is_absolute() && !path.components().any(|c| c.as_os_str() == "..")
}

/// The text; `none` says what these bytes are if, from the one of this number on, they are not text.
fn text_of(bytes: Vec<u8>, none: impl FnOnce(usize) -> Failure) -> Result<String, Failure> {
    let text = String::from_utf8(bytes).map_err(|e| none(e.utf8_error().valid_up_to()))?;
    // PowerShell writes a byte-order mark in front of what it redirects.
    Ok(match text.strip_prefix('\u{feff}') {
        Some(text) => text.to_owned(),
        None => text,
    })
}

fn read_stdin(limit: u64) -> Result<Vec<u8>, Failure> {
    use std::io::Read;
    let mut text = Vec::new();
    std::io::stdin()
        .lock()
        .take(limit + 1)
        .read_to_end(&mut text)
        .map_err(|e| UsageError::new(format!("standard input could not be read: {e}")))?;
    if text.len() as u64 > limit {
        return Err(UsageError::new(format!("standard input is larger than {limit} bytes")).into());
    }
    Ok(text)
}

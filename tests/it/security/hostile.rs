//! A checkout is somebody's proposal: every command of the grammar in every folder of
//! `fixtures/hostile`, with each credential, at a desk and in a pipeline, and the laws that hold in all
//! of them. A new case is a new folder:
//!
//! - `checkout/`: the files. A name that begins with `dot.` begins with `.` in the checkout;
//!   `{{ATTACKER}}` and `{{PLATFORM}}` are the addresses of the two servers, `{HOME}` the user's home.
//! - `case.toml`: `about`; `args` for every command; `own_address = false` where the process names no
//!   address; `plan_shows`, changes that a plan with a good key has to show; `links` that the test
//!   makes; `never`, connectors that nothing is asked of the app about; `many`, the scopes of a file
//!   that the test writes.
//!
//! A `.plan` or `.receipt` gets the digests that fit it, as a forger would see to.
//!
//! `cargo test` takes every eleventh command in each case, and each command in every eleventh case, with
//! credentials and places in turn. The ignored test takes all of them, best with a quick binary:
//! `CONNPLAN_FAULT_BINARY=target/faults/connplan`.
#![expect(
    clippy::disallowed_methods,
    reason = "a checkout is laid out as an attacker would"
)]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
    sync::{
        OnceLock,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    thread,
    time::{Duration, Instant},
};

use connplan::{plan, receipt};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::support::{Platform, Project, Pty, sample, scripted::Scripted};

/// Each is in a file or a variable of the user and in no file that a proposal brings: that of git is in
/// what lies in a checkout and nobody commits.
const CANARIES: [&str; 6] = [
    "CanaryOfGit",
    "CanaryOfHome",
    "CanaryOfBash",
    "CanaryAccess",
    "CanaryRefresh",
    "CanaryToken",
];

/// Some four times what `--max-time` says: the machine may be busy.
const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CaseFile {
    about: String,
    #[serde(default)]
    args: Vec<String>,
    #[serde(default = "yes")]
    own_address: bool,
    #[serde(default)]
    plan_shows: Vec<String>,
    #[serde(default)]
    links: BTreeMap<String, String>,
    #[serde(default)]
    never: Vec<String>,
    #[serde(default)]
    many: usize,
}

fn yes() -> bool {
    true
}

#[derive(Clone, Copy, Debug)]
enum Who {
    Login,
    Key,
    Token,
    Nobody,
}

#[derive(Clone, Copy, Debug)]
enum Place {
    Terminal,
    Pipeline,
    PipelineWithTerminal,
}

const ALL: [Who; 4] = [Who::Login, Who::Key, Who::Token, Who::Nobody];
const PLACES: [Place; 3] = [
    Place::Pipeline,
    Place::PipelineWithTerminal,
    Place::Terminal,
];

fn cases() -> Vec<(String, PathBuf, CaseFile)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/hostile");
    let mut found: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            let text = fs::read_to_string(path.join("case.toml")).unwrap();
            let case = toml::from_str(&text).unwrap_or_else(|e| panic!("{name}: {e}"));
            (name, path.join("checkout"), case)
        })
        .collect();
    found.sort_by(|a, b| a.0.cmp(&b.0));
    found
}

/// Every command of the grammar, with arguments that make it do what it is for. Those that listen
/// until they are told to end are left out.
pub(super) fn commands() -> Vec<Vec<String>> {
    let grammar = connplan::cli::Cli::grammar();
    let mut all = Vec::new();
    for command in grammar.get_subcommands() {
        let name = command.get_name();
        let forms: &[&[&str]] = match name {
            "sandbox" | "demo" => continue,
            "plan" => &[&[], &["--out", "connplan.plan"], &["--format", "json"]],
            "apply" => &[
                &["--auto-approve"],
                &["--auto-approve", "--receipt", "connplan.receipt"],
                &["connplan.plan"],
            ],
            "authorize" => &[
                &["--list"],
                &["--yes", "--no-browser", "--timeout", "300ms"],
                &["--receipt", "connplan.receipt", "--timeout", "300ms"],
                &["--receipt=connplan.receipt", "--yes", "--timeout=300ms"],
            ],
            "show" | "approve" => &[&["connplan.plan"]],
            "comment" => &[&["connplan.plan", "--dry-run"]],
            "schema" => &[&["plan"]],
            "completions" => &[&["bash"]],
            "man" => &[&["pages"]],
            "add" => &[&["wix"]],
            "trust" => &[&["--list"]],
            "push" => &[&["--yes", "--no-browser"]],
            "policy" => &[&["explain", "connplan.plan"]],
            "pull" => &[&[], &["--dry-run"]],
            _ => &[&[]],
        };
        for form in forms {
            let words = [&[name], *form].concat();
            all.push(words.into_iter().map(str::to_owned).collect());
        }
    }
    all
}

/// One checkout of a case, a user with a home, and the two servers.
struct Scene {
    project: Project,
    platform: Platform,
    attacker: Scripted,
    args: Vec<String>,
}

fn scene(checkout: &Path, case: &CaseFile, who: Who, place: Place) -> Scene {
    let (platform, attacker) = (Platform::start(), Scripted::start());
    let mut project = Project::nowhere()
        .tested(BINARY.get_or_init(binary))
        // Nothing is asked of the true platform, whatever is tried.
        .var("HTTPS_PROXY", "http://127.0.0.1:9")
        .var("https_proxy", "http://127.0.0.1:9");
    if case.own_address {
        project = project.var("BASE44_API_URL", platform.url());
    }
    let home = project.home();
    fs::write(home.join("canary.txt"), "CanaryOfHome {\n").unwrap();
    fs::write(home.join(".bashrc"), "CanaryOfBash=1\n").unwrap();
    fs::write(home.join("tool"), "#!/bin/sh\n# CanaryOfHome\n").unwrap();
    fs::set_permissions(home.join("tool"), fs::Permissions::from_mode(0o755)).unwrap();
    project = match who {
        Who::Key => project.var("BASE44_API_KEY", platform.key()),
        Who::Token => project.var("BASE44_ACCESS_TOKEN", "b44u_CanaryToken"),
        Who::Login => {
            let login = json!({"accessToken": "CanaryAccess", "refreshToken": "CanaryRefresh",
                "expiresAt": 9_999_999_999_999_u64, "email": "ada@example.com", "name": "Ada",
                "apiUrl": platform.url()});
            project.write("../home/.base44/auth/auth.json", &login.to_string());
            for (path, mode) in [("", 0o700), ("auth", 0o700), ("auth/auth.json", 0o600)] {
                let path = home.join(".base44").join(path);
                fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
            }
            project
        }
        Who::Nobody => project,
    };
    project = match place {
        Place::Terminal => project,
        Place::Pipeline | Place::PipelineWithTerminal => project.var("CI", "true"),
    };
    let filled = |text: &str| {
        text.replace("{{ATTACKER}}", &attacker.url())
            .replace("{{PLATFORM}}", platform.url())
            .replace("{HOME}", &home.display().to_string())
    };
    lay(checkout, &project.root(), &filled);
    if case.many > 0 {
        let scopes: Vec<_> = (0..case.many).map(|n| format!("s{n}:read")).collect();
        let text = json!({ "type": "slack", "scopes": scopes }).to_string();
        project.write("base44/connectors/slack.json", &text);
    }
    for (link, target) in &case.links {
        let path = project.path(link);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        symlink(filled(target), path).unwrap();
    }
    Scene {
        project,
        platform,
        attacker,
        args: case.args.clone(),
    }
}

fn lay(from: &Path, to: &Path, filled: &dyn Fn(&str) -> String) {
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        let target = to.join(match name.strip_prefix("dot.") {
            Some(rest) => format!(".{rest}"),
            None => name.to_owned(),
        });
        if path.is_dir() {
            fs::create_dir_all(&target).unwrap();
            lay(&path, &target, filled);
        } else {
            let text = filled(&fs::read_to_string(&path).unwrap());
            let is = |extension| path.extension().is_some_and(|is| is == extension);
            let text = if is("plan") {
                sealed(&text, plan::document::seal)
            } else if is("receipt") {
                sealed(&text, receipt::seal)
            } else {
                text
            };
            fs::write(&target, text).unwrap();
        }
    }
}

/// A document with the digests that fit what it says, whether that is true or not.
fn sealed(text: &str, seal: fn(&toml::Table) -> (plan::Digest, plan::Digest)) -> String {
    let (digest, record) = seal(&text.parse().unwrap());
    format!("digest = \"{digest}\"\nrecord_digest = \"{record}\"\n{text}")
}

/// The one that `cargo test` has built, or a quicker one.
fn binary() -> PathBuf {
    let chosen = std::env::var_os("CONNPLAN_FAULT_BINARY");
    let path = chosen.map_or_else(|| env!("CARGO_BIN_EXE_connplan").into(), PathBuf::from);
    fs::canonicalize(&path).expect("the binary under test")
}

static BINARY: OnceLock<PathBuf> = OnceLock::new();

/// Every file outside of the checkout and the state folder: content, mode, and where a link leads.
fn outside(project: &Project) -> BTreeMap<PathBuf, (u32, Vec<u8>)> {
    fn walk(folder: &Path, left_out: &[PathBuf], found: &mut BTreeMap<PathBuf, (u32, Vec<u8>)>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let meta = path.symlink_metadata().unwrap();
            if left_out.contains(&path) {
                continue;
            }
            let content = if meta.is_symlink() {
                let target = fs::read_link(&path).unwrap();
                target.display().to_string().into_bytes()
            } else if meta.is_dir() {
                walk(&path, left_out, found);
                Vec::new()
            } else {
                fs::read(&path).unwrap()
            };
            found.insert(path, (meta.permissions().mode(), content));
        }
    }
    let root = project.root();
    let folder = root.parent().unwrap();
    let state = PathBuf::from(&project.environment()["CONNPLAN_STATE_DIR"]);
    let mut found = BTreeMap::new();
    // What the stand-in for a browser was given is its own to write.
    let left_out = [root.clone(), state, folder.join("opened")];
    walk(folder, &left_out, &mut found);
    found
}

/// Runs one command, and says which laws it broke.
fn broken(
    name: &str,
    checkout: &Path,
    case: &CaseFile,
    command: &[String],
    who: Who,
    place: Place,
) -> Vec<String> {
    let scene = scene(checkout, case, who, place);
    let project = &scene.project;
    let mut args: Vec<&str> = command.iter().map(String::as_str).collect();
    args.extend(scene.args.iter().map(String::as_str));
    args.push(match command[0].as_str() {
        // It waits for minutes for somebody to agree.
        "login" => "--max-time=1s",
        // What it says is looked at, on a busy machine too.
        "plan" if command.iter().any(|word| word == "json") => "--max-time=15s",
        _ => "--max-time=4s",
    });
    let before = outside(project);
    let started = Instant::now();
    let said = match place {
        Place::Pipeline => {
            let run = project.run(&args);
            if run.code.is_none() {
                return vec![format!("{name}: {args:?}: it was killed")];
            }
            format!("{}{}", run.stdout, run.stderr)
        }
        Place::Terminal | Place::PipelineWithTerminal => {
            Pty::start(project, &args).declining().end().1
        }
    };
    let mut found = Vec::new();
    let mut breaks = |what: String| {
        found.push(format!(
            "{name} ({}), {args:?}, {who:?}, {place:?}: {what}\n{said}",
            case.about
        ));
    };
    if started.elapsed() > PATIENCE {
        breaks("it does not keep to --max-time".to_owned());
    }
    for connector in &case.never {
        let about = format!("/{connector}");
        let writes = scene.platform.requests().into_iter();
        let mut writes = writes.filter(|request| !request.starts_with("GET "));
        if let Some(request) = writes.find(|request| request.contains(&about)) {
            breaks(format!("it asked for {request}"));
        }
    }
    let key = scene.platform.key();
    for seen in scene.attacker.seen() {
        let headers: Vec<_> = seen
            .headers
            .iter()
            .map(|(_, value)| value.as_str())
            .collect();
        let sent = format!("{} {} {}", seen.query, headers.join(" "), seen.text());
        let secrets = CANARIES.into_iter().chain([key]);
        for secret in secrets.filter(|secret| sent.contains(secret)) {
            breaks(format!("the attacker's server got {secret}"));
        }
    }
    let after = outside(project);
    let paths: BTreeSet<_> = before.keys().chain(after.keys()).collect();
    for path in paths {
        // The login's own folder: its lock is made by who renews, the rest by who logs in or out.
        let login = project.home().join(".base44");
        let asked = ["login", "logout"].contains(&command[0].as_str());
        let own = path.starts_with(&login) && (asked || path.ends_with("auth.json.lock"));
        if !own && before.get(path) != after.get(path) {
            breaks(format!("{} is not as it was", path.display()));
        }
    }
    for canary in CANARIES.into_iter().filter(|canary| said.contains(canary)) {
        breaks(format!("it shows {canary}"));
    }
    if !matches!(place, Place::Terminal) {
        for (connector, link) in scene.platform.links() {
            if said.contains(&link) {
                breaks(format!("the log has the link of {connector}"));
            }
        }
    }
    for sign in ["##vso[", "##[", "\n::", "\u{202e}", "\u{7}"] {
        // Who is asked for Bash completions gets Bash.
        let own = ["completions", "man"].contains(&command[0].as_str());
        if !own && said.contains(sign) {
            breaks(format!("a log would act on {sign:?}"));
        }
    }
    if matches!(who, Who::Key) && *command == ["plan", "--format", "json"] {
        let shown = said.find('{').map_or(Value::Null, |at| {
            serde_json::Deserializer::from_str(&said[at..])
                .into_iter()
                .next()
                .and_then(Result::ok)
                .unwrap_or(Value::Null)
        });
        let changes = shown["apps"][0]["changes"].as_array().cloned();
        let changes: Vec<_> = changes
            .unwrap_or_default()
            .iter()
            .map(|change| {
                let word = |key: &str| change[key].as_str().unwrap_or_default().to_owned();
                format!("{} {}", word("action"), word("connector"))
            })
            .collect();
        for wanted in &case.plan_shows {
            if !changes.contains(wanted) {
                breaks(format!("the plan does not show {wanted:?}: {changes:?}"));
            }
        }
    }
    found
}

/// Every chosen run. Most of their time they wait, so there are more at a time than processors.
fn hold(choose: impl Fn(usize) -> Vec<(Who, Place)>) {
    let (cases, commands) = (cases(), commands());
    assert!(cases.len() >= 19 && commands.len() >= 30);
    let mut runs = Vec::new();
    for (number, case) in cases.iter().enumerate() {
        for (turn, command) in commands.iter().enumerate() {
            let pairs = choose(number + turn).into_iter();
            runs.extend(pairs.map(|(who, place)| (case, command, who, place)));
        }
    }
    let next = AtomicUsize::new(0);
    let work = || {
        let mut found = Vec::new();
        while let Some((case, command, who, place)) = runs.get(next.fetch_add(1, Relaxed)) {
            let (name, checkout, case) = case;
            found.extend(broken(name, checkout, case, command, *who, *place));
        }
        found
    };
    let broken: Vec<String> = thread::scope(|scope| {
        let workers: Vec<_> = (0..10).map(|_| scope.spawn(work)).collect();
        let ended = workers.into_iter();
        ended
            .flat_map(|worker| worker.join().expect("a worker failed"))
            .collect()
    });
    assert!(
        broken.is_empty(),
        "{} laws broken:\n{}",
        broken.len(),
        broken[..broken.len().min(20)].join("\n\n")
    );
}

#[test]
fn no_checkout_gets_power() {
    // Neither count divides the other, so that each pair comes.
    let pair = |turn: usize| (ALL[turn % ALL.len()], PLACES[turn % PLACES.len()]);
    hold(|turn| {
        let mine = turn.is_multiple_of(11);
        mine.then(|| pair(turn / 11)).into_iter().collect()
    });
}

#[test]
fn a_plan_shows_what_the_files_hold() {
    let json = ["plan", "--format", "json"].map(str::to_owned);
    let cases = cases().into_iter();
    let cases = cases.filter(|(_, _, case)| !case.plan_shows.is_empty());
    for (name, checkout, case) in sample(cases, 2) {
        let found = broken(&name, &checkout, &case, &json, Who::Key, Place::Pipeline);
        assert_eq!(found, [] as [String; 0]);
    }
}

#[test]
#[ignore = "some minutes; `.ci/run` has a quick binary for it"]
fn no_checkout_gets_power_with_any_credential_anywhere() {
    hold(|_| {
        let pairs = ALL
            .into_iter()
            .flat_map(|who| PLACES.map(|place| (who, place)));
        pairs.collect()
    });
}

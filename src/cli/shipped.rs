//! What of its user's own a pipeline has in its checkout, where it may be what somebody proposes.

use std::path::{Path, PathBuf};

use crate::{
    fs::{self, Shipped},
    model::Vars,
    state::{checkouts, ships},
};

/// The variables by which a file or a folder says whom to believe or what to run: to this program, to git and ssh
/// (`KEPT` in `git/command.rs` has what git may see; its askpass is always overruled; `git/settings.rs` looks
/// at its settings), to what loads them, and to the clients of object storages.
const FILES: [&str; 22] = [
    "NODE_EXTRA_CA_CERTS",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "GIT_SSL_CAINFO",
    "GIT_SSL_CAPATH",
    "GIT_PROXY_SSL_CAINFO",
    "GIT_CONFIG_SYSTEM",
    "GIT_EXEC_PATH",
    "SSH_SK_PROVIDER",
    "OPENSSL_CONF",
    "OPENSSL_ENGINES",
    "OPENSSL_MODULES",
    "LD_AUDIT",
    "LD_PRELOAD",
    "DYLD_INSERT_LIBRARIES",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AZURE_FEDERATED_TOKEN_FILE",
    "GOOGLE_APPLICATION_CREDENTIALS",
    "GOOGLE_SERVICE_ACCOUNT",
    "GOOGLE_SERVICE_ACCOUNT_PATH",
    "SERVICE_ACCOUNT",
];
/// Where libraries are: cargo has its own folders there for what it runs.
const LIBRARIES: [&str; 2] = ["LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"];
/// Those that hold a command line, in which paths may stand.
const COMMANDS: [&str; 3] = ["BROWSER", "GIT_SSH", "GIT_SSH_COMMAND"];
const SETTING: &str = "GIT_CONFIG_VALUE_";

/// Fails if a pipeline's checkout, at one of these places, has a file by which somebody else would be believed or run.
pub(super) fn check(vars: &Vars, starts: &[&Path]) -> Result<(), Shipped> {
    if !vars.ci() {
        return Ok(());
    }
    // The step of Google's that signs in writes there, by a name that nobody can guess.
    let made = vars.get("GOOGLE_GHA_CREDS_PATH");
    let trees: Vec<_> = starts
        .iter()
        .flat_map(|start| checkouts(vars, None, start))
        .collect();
    let ships = |file: &Path| fs::ships(&trees, file);
    // Whoever wrote the program itself needs no library for it: a checkout of connplan runs what it has built.
    let is_built = std::env::current_exe().is_ok_and(|program| ships(&program));
    let libraries = LIBRARIES.into_iter().filter(|_| !is_built);
    let files = FILES.into_iter().chain(libraries).flat_map(|name| {
        let value = vars.get(name).filter(|value| Some(*value) != made);
        let value = value.unwrap_or_default();
        let paths = std::env::split_paths(value).chain([PathBuf::from(value)]);
        paths.map(move |path| (name, path))
    });
    let settings = vars.names().filter(|name| {
        let key = name.strip_prefix(SETTING).map(|number| {
            let key = vars.get(&format!("GIT_CONFIG_KEY_{number}"));
            key.unwrap_or_default()
        });
        // That one says which folder is the checkout.
        key.is_some_and(|key| !key.eq_ignore_ascii_case("safe.directory"))
    });
    let commands = COMMANDS.into_iter().chain(settings);
    let commands = commands.flat_map(|name| {
        let value = vars.get(name).unwrap_or_default();
        let paths = fs::paths_named(value, vars).into_iter();
        paths.map(move |path| (name, path))
    });
    // What the client of Azure's storage starts and that of Google's reads by themselves.
    let path = std::env::var_os("PATH").filter(|_| vars.get("AZURE_USE_AZURE_CLI").is_some());
    let path = path.unwrap_or_default();
    let programs = std::env::split_paths(&path).map(|folder| ("PATH", folder.join("az")));
    let home = vars.get("HOME").map(|home| {
        let login = ".config/gcloud/application_default_credentials.json";
        ("HOME", Path::new(home).join(login))
    });
    let mut named = files.chain(commands).chain(programs).chain(home);
    match named.find(|(_, file)| !file.as_os_str().is_empty() && ships(file)) {
        Some((variable, file)) => Err(Shipped::new(variable, &file)),
        None => Ok(()),
    }
}

/// Where git's settings of this user are, if a pipeline has them in its checkout: they name programs.
pub(super) fn settings(vars: &Vars, home: Option<&Path>, start: &Path) -> Option<PathBuf> {
    let below = |name: &str, inner: &str| Some(Path::new(vars.get(name)?).join(inner));
    let files = [
        vars.get("GIT_CONFIG_GLOBAL").map(PathBuf::from),
        below("XDG_CONFIG_HOME", "git/config"),
        home.map(|home| home.join(".config/git/config")),
        home.map(|home| home.join(".gitconfig")),
    ];
    let mut files = files.into_iter().flatten();
    files.find(|file| ships(vars, file, start))
}

//! The npm packages: packed here, published to a registry of our own, installed by npm, pnpm and yarn
//! into an empty project, and run.
//!
//! Needs Node and a folder of tools: `CONNPLAN_NPM_TOOLS=…/node_modules/.bin` with verdaccio, pnpm and
//! yarn, as `.ci/run` installs them.

use std::{
    fs,
    io::Write,
    net::{TcpListener, TcpStream},
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use serde_json::Value;
use tempfile::TempDir;

const VERSION: &str = env!("CARGO_PKG_VERSION");
const SOURCES: &str = env!("CARGO_MANIFEST_DIR");
/// What npm calls the platform of this test.
const PLATFORM: &str = if cfg!(target_arch = "aarch64") {
    "linux-arm64"
} else {
    "linux-x64"
};

/// A folder with the packages, and what runs in it.
struct Desk {
    folder: TempDir,
    registry: Option<Registry>,
}

struct Registry {
    process: Child,
    url: String,
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Desk {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("home")).unwrap();
        let desk = Self {
            folder,
            registry: None,
        };
        let binary = format!("{PLATFORM}={}", env!("CARGO_BIN_EXE_connplan"));
        let pack = Path::new(SOURCES).join(".npm/pack.mjs");
        let packed = desk.run(
            ".",
            "node",
            &[pack.to_str().unwrap(), "packages", &binary, "--only-given"],
        );
        said(&packed);
        desk
    }

    fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    fn command(&self, folder: &str, program: &str) -> Command {
        let folder = self.path(folder);
        fs::create_dir_all(&folder).unwrap();
        let mut command = Command::new(program);
        command
            .current_dir(folder)
            .env_clear()
            .env("HOME", self.path("home"))
            .env("PATH", std::env::var("PATH").unwrap())
            .env("CI", "true")
            .env("COREPACK_ENABLE_STRICT", "0")
            .stdin(Stdio::null());
        command
    }

    fn run(&self, folder: &str, program: &str, args: &[&str]) -> Output {
        let run = self.command(folder, program).args(args).output();
        run.unwrap_or_else(|e| panic!("{program}: {e}"))
    }

    /// Runs a registry that knows our packages alone.
    fn publish(&mut self) {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr();
        let address = format!("127.0.0.1:{}", port.unwrap().port());
        let config = "storage: ./storage\npackages:\n  '**':\n    access: $all\n    publish: $all\n\
                      auth:\n  htpasswd:\n    file: ./htpasswd\nlog: { type: stdout, level: warn }\n\
                      max_body_size: 500mb\n";
        fs::create_dir(self.path("registry")).unwrap();
        fs::write(self.path("registry/config.yaml"), config).unwrap();
        let process = self
            .command("registry", &tool("verdaccio"))
            .args(["--config", "config.yaml", "--listen", &address])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        self.registry = Some(Registry {
            process,
            url: format!("http://{address}"),
        });
        let start = Instant::now();
        while TcpStream::connect(&address).is_err() {
            assert!(start.elapsed() < Duration::from_secs(90), "no verdaccio");
            sleep(Duration::from_millis(100));
        }
        let url = &self.registry.as_ref().unwrap().url;
        let settings = format!("registry={url}\n//{address}/:_authToken=none\n");
        fs::write(self.path("home/.npmrc"), settings).unwrap();
        for package in [PLATFORM, "connplan"] {
            let folder = format!("packages/{package}");
            said(&self.run(&folder, "npm", &["publish", "--no-provenance"]));
        }
    }
}

fn tool(name: &str) -> String {
    let folder = std::env::var("CONNPLAN_NPM_TOOLS")
        .expect("CONNPLAN_NPM_TOOLS names a folder with verdaccio, pnpm and yarn (see .ci/run)");
    format!("{folder}/{name}")
}

#[track_caller]
fn said(run: &Output) -> String {
    assert!(run.status.success(), "{run:?}");
    String::from_utf8(run.stdout.clone()).unwrap()
}

#[test]
#[ignore = "needs Node, verdaccio, pnpm and yarn"]
fn npm_pnpm_and_yarn_install_a_connplan_that_runs() {
    let mut desk = Desk::new();
    desk.publish();
    let version = format!("connplan {VERSION}");
    let exact = format!("connplan@{VERSION}");
    let ways: [(&str, String, Vec<&str>); 4] = [
        ("npm", "npm".into(), vec!["install", "-D", "connplan"]),
        (
            "bare",
            "npm".into(),
            vec!["install", "--ignore-scripts", &exact],
        ),
        ("pnpm", tool("pnpm"), vec!["add", "-D", "connplan"]),
        ("yarn", tool("yarn"), vec!["add", "-D", "connplan"]),
    ];
    for (folder, manager, args) in ways {
        fs::create_dir(desk.path(folder)).unwrap();
        fs::write(desk.path(folder).join("package.json"), "{}\n").unwrap();
        said(&desk.run(folder, &manager, &args));
        let ours = "node_modules/.bin/connplan";
        let told = said(&desk.run(folder, ours, &["--version"]));
        assert_eq!(told.trim(), version, "{folder}");
        let run = said(&desk.run(folder, "npx", &["connplan", "--version"]));
        assert_eq!(run.trim(), version, "{folder}");
        // What it ends with is what the binary ends with.
        let wrong = desk.run(folder, ours, &["plan"]);
        assert_eq!(wrong.status.code(), Some(1), "{wrong:?}");
        let demo = said(&desk.run(folder, ours, &["demo", "--no-browser"]));
        assert!(demo.contains("No changes."), "{demo}");
    }
    let npx = said(&desk.run("empty", "npx", &["--yes", &exact, "--version"]));
    assert_eq!(npx.trim(), version);

    let args = ["install", "--omit=optional", "connplan"];
    said(&desk.run("without", "npm", &args));
    let missing = desk.run("without", "node_modules/.bin/connplan", &["plan"]);
    assert_eq!(missing.status.code(), Some(1));
    let text = String::from_utf8(missing.stderr).unwrap();
    let start = format!("error: the package @connplan/{PLATFORM} is missing: install");
    assert!(text.starts_with(&start), "{text}");
    assert_eq!(text.lines().count(), 1, "{text}");
}

/// A program of a folder above may be anybody's, as in `/tmp/node_modules`.
#[test]
#[ignore = "needs Node"]
fn only_the_program_that_was_installed_with_it_is_run() {
    let desk = Desk::new();
    let put = |from: &str, to: &str| {
        let (from, to) = (desk.path("packages").join(from), desk.path(to));
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        let paths = [from, to].map(|path| path.display().to_string());
        said(&desk.run(".", "cp", &["-r", &paths[0], &paths[1]]));
    };
    let preload = |folder: &str| desk.path(folder).join("pnp.js").display().to_string();
    for (folder, place, is_run) in [
        ("beside", "beside/node_modules", true),
        ("inner", "inner/node_modules/connplan/node_modules", true),
        ("around/project", "around/node_modules", false),
        ("other", "other/node_modules", false),
        // As Yarn links to it.
        ("store", "store/node_modules/.store/it/node_modules", true),
        // What Yarn's Plug'n'Play does to Node.
        ("pnp", "pnp/unplugged", true),
        ("beyond-pnp", "beyond-pnp/unplugged", false),
    ] {
        let place = format!("{place}/@connplan/{PLATFORM}");
        let ours = format!("{folder}/node_modules/connplan");
        if folder == "store" {
            put("connplan", "store/node_modules/.store/it/package");
            symlink(".store/it/package", desk.path(&ours)).unwrap();
        } else {
            put("connplan", &ours);
        }
        put(PLATFORM, &place);
        let manifest = desk.path(&place).join("package.json");
        if folder == "other" {
            let text = fs::read_to_string(&manifest).unwrap();
            fs::write(&manifest, text.replace(VERSION, "9.9.9")).unwrap();
        }
        let found = format!("{{ resolveRequest: () => {manifest:?} }}");
        let found = if folder == "pnp" { &found } else { "null" };
        let script = format!(
            "process.versions.pnp = '3'; require('node:module').findPnpApi = () => ({found});"
        );
        fs::write(preload(folder), script).unwrap();
        let mut command = desk.command(folder, "node");
        if folder.ends_with("pnp") {
            command.args(["--require", &preload(folder)]);
        }
        let script = "node_modules/connplan/bin/connplan.js";
        let run = command
            .args([script, "--version"])
            .env("NODE_PATH", desk.path(&place))
            .output();
        let run = run.unwrap();
        let told = String::from_utf8(run.stderr.clone()).unwrap();
        assert_eq!(run.status.success(), is_run, "{folder}: {run:?}");
        assert_eq!(
            told.contains("is missing: install"),
            !is_run,
            "{folder}: {told}"
        );
    }
}

/// The script that an example runs, as it stands there, in a checkout that would choose otherwise.
#[test]
#[ignore = "needs Node, verdaccio, pnpm and yarn"]
fn a_workflow_installs_it_past_a_hostile_checkout() {
    let mut desk = Desk::new();
    desk.publish();
    fs::create_dir_all(desk.path("checkout/node_modules/.bin")).unwrap();
    fs::write(
        desk.path("checkout/.npmrc"),
        "registry=http://127.0.0.1:9/\n",
    )
    .unwrap();
    let workflow = crate::publish::runner::yaml(".github/examples/github-plan.yml");
    let steps = workflow["jobs"]["plan"]["steps"].as_array().unwrap();
    let script = steps
        .iter()
        .filter_map(|step| step["run"].as_str())
        .find(|script| script.contains("npm install"))
        .unwrap();
    fs::create_dir(desk.path("temp")).unwrap();
    let start = Instant::now();
    let run = desk
        .command("checkout", "bash")
        .args(["--noprofile", "--norc", "-eo", "pipefail", "-c", script])
        .env("RUNNER_TEMP", desk.path("temp"))
        .env("GITHUB_PATH", desk.path("path"))
        .env("npm_config_registry", &desk.registry.as_ref().unwrap().url)
        .output()
        .unwrap();
    said(&run);
    println!("installed in {:.1} s", start.elapsed().as_secs_f64());
    let bin = fs::read_to_string(desk.path("path")).unwrap();
    let told = said(&desk.run(
        "checkout",
        &format!("{}/connplan", bin.trim()),
        &["--version"],
    ));
    assert_eq!(told.trim(), format!("connplan {VERSION}"));
}

/// A signal to the shim alone, as a supervisor sends it, ends the program too.
#[test]
#[ignore = "needs Node"]
fn a_signal_reaches_the_program() {
    let desk = Desk::new();
    let modules = desk.path("packages/connplan/node_modules/@connplan");
    fs::create_dir_all(&modules).unwrap();
    fs::rename(desk.path("packages").join(PLATFORM), modules.join(PLATFORM)).unwrap();
    for (signal, code) in [("-INT", 130), ("-TERM", 143)] {
        let mut child = desk
            .command("packages/connplan", "node")
            .args(["bin/connplan.js", "sandbox"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut first = [0; 1];
        let mut out = child.stdout.take().unwrap();
        std::io::Read::read_exact(&mut out, &mut first).unwrap();
        let id = child.id().to_string();
        said(&desk.run(".", "kill", &[signal, &id]));
        assert_eq!(child.wait().unwrap().code(), Some(code), "{signal}");
        // Its end of the pipe is closed, so the program is gone.
        let mut rest = String::new();
        std::io::Read::read_to_string(&mut out, &mut rest).unwrap();
    }
    let _ = std::io::stdout().flush();
}

#[test]
fn the_packages_are_described_as_npm_takes_them() {
    let read = |path: &str| -> Value {
        let text = fs::read_to_string(Path::new(SOURCES).join(path)).unwrap();
        serde_json::from_str(&text).unwrap()
    };
    let main = read(".npm/connplan/package.json");
    assert!(main["scripts"].is_null(), "nothing runs at an installation");
    assert_eq!(main["bin"]["connplan"], "bin/connplan.js");
    let platforms = read(".npm/platforms.json");
    let workflow = fs::read_to_string(Path::new(SOURCES).join(".github/workflows/release.yml"));
    let workflow = workflow.unwrap();
    for (name, platform) in platforms.as_object().unwrap() {
        let target = platform["target"].as_str().unwrap();
        assert!(
            workflow.contains(&format!("npm: {name},")) && workflow.contains(target),
            "the release builds no {name}"
        );
        assert!(!name.starts_with("linux") || target.ends_with("-musl"));
    }
}

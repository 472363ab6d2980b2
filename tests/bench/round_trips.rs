//! How long a run takes beside what the network costs: `cargo bench --bench round_trips`.
//!
//! The release binary against the sandbox in this process, which waits 20 ms before each answer.
//! It prints figures and fails on nothing: times are measured here, never in a test.

#![expect(clippy::expect_used, reason = "a benchmark that can't go on is over")]

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use connplan::sandbox::Options;

mod serve;
use serve::serve;

const LATENCY: Duration = Duration::from_millis(20);
const RUNS: usize = 25;
const TYPES: [&str; 12] = [
    "airtable", "asana", "box", "clickup", "discord", "dropbox", "github", "gmail", "hubspot",
    "linear", "notion", "slack",
];

struct Measured {
    wall: Duration,
    /// The most memory held at once, in KiB; Linux alone tells.
    peak: Option<u64>,
}

fn main() {
    // `cargo test --benches` and the like only want to know that it builds.
    if std::env::args().any(|arg| arg == "--test") {
        return;
    }
    let server = serve(Options {
        latency: Some(LATENCY),
        ..Options::default()
    });
    let home = tempfile::tempdir().expect("a folder");
    let project = home.path().join("project");
    let connectors = project.join("base44/connectors");
    fs::create_dir_all(&connectors).expect("a folder");
    write(
        &project.join("base44/config.jsonc"),
        "{ \"name\": \"Bench\" }",
    );
    for name in TYPES {
        let text = format!("{{ \"type\": \"{name}\", \"scopes\": [\"a.read\", \"b.write\"] }}");
        write(&connectors.join(format!("{name}.jsonc")), &text);
    }
    let shared = |store: &str, app: &str, args: &[&str], codes: &[i32]| -> Measured {
        let mut command = Command::new(env!("CARGO_BIN_EXE_connplan"));
        command
            .args(args)
            .env_clear()
            .env("HOME", home.path())
            .env("BASE44_API_URL", &server.url)
            .env("BASE44_API_KEY", &server.key)
            .env("BASE44_APP_ID", app)
            .env("CONNPLAN_STORE", store)
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .envs(providers())
            .current_dir(&project)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        measure(&mut command, codes)
    };
    let run = |app: &str, args: &[&str], codes: &[i32]| shared("", app, args, codes);

    report(
        "connplan --version",
        &each(|_| run("a", &["--version"], &[0])),
        Duration::ZERO,
    );
    report(
        "plan, 12 connectors (1 round trip)",
        &each(|_| run("bench-plan", &["plan"], &[0])),
        LATENCY,
    );
    let applied = each(|index| {
        let app = format!("bench-apply-{index}");
        let file = format!("{app}.plan");
        run(&app, &["plan", "--out", &file], &[0]);
        run(&app, &["apply", &file, "--parallelism", "12"], &[0])
    });
    report(
        "apply, 12 new connectors (3 round trips)",
        &applied,
        LATENCY * 3,
    );

    // What a store costs: a bare repository on the same disk, and the bucket that a person names.
    origin_of(&project);
    let bucket = std::env::var_os("CONNPLAN_BENCH_BUCKET").and_then(|url| url.into_string().ok());
    for store in std::iter::once("git:origin").chain(bucket.as_deref()) {
        report(
            &format!("plan, 12 connectors, with {store}"),
            &each(|_| shared(store, "bench-shared", &["plan"], &[0])),
            LATENCY,
        );
        let applied = each(|index| {
            let app = format!("bench-shared-{index}-{}", store.len());
            let file = format!("{app}.plan");
            shared(store, &app, &["plan", "--out", &file], &[0]);
            let apply = ["apply", &file, "--parallelism", "12"];
            shared(store, &app, &apply, &[0])
        });
        let what = format!("apply, 12 new connectors, with {store}");
        report(&what, &applied, LATENCY * 3);
    }
    server.stop();
}

/// The variables that say where a bucket's server is, and who asks.
fn providers() -> impl Iterator<Item = (String, String)> {
    std::env::vars().filter(|(name, _)| {
        let mut providers = ["AWS_", "AZURE_", "GOOGLE_"].iter();
        providers.any(|prefix| name.starts_with(prefix))
    })
}

/// A repository of the project, and a bare one that is its `origin`.
fn origin_of(project: &Path) {
    for args in [
        &["init", "--quiet", "--bare", "../origin.git"][..],
        &["init", "--quiet"],
        &["remote", "add", "origin", "../origin.git"],
    ] {
        let git = Command::new("git").args(args).current_dir(project).status();
        assert!(git.expect("git starts").success(), "git {args:?}");
    }
}

fn each(mut run: impl FnMut(usize) -> Measured) -> Vec<Measured> {
    // The first run warms the caches.
    (0..=RUNS).map(&mut run).skip(1).collect()
}

fn measure(command: &mut Command, codes: &[i32]) -> Measured {
    let start = Instant::now();
    let mut child = command.spawn().expect("it starts");
    let status = format!("/proc/{}/status", child.id());
    let (done, ended) = mpsc::channel::<()>();
    let watch = thread::spawn(move || {
        let mut peak = None;
        while ended.try_recv().is_err() {
            let text = fs::read_to_string(&status).unwrap_or_default();
            let line = text.lines().find(|line| line.starts_with("VmHWM:"));
            let now = line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok());
            peak = now.or(peak);
            thread::sleep(Duration::from_micros(500));
        }
        peak
    });
    let code = child.wait().expect("it ends").code();
    let wall = start.elapsed();
    // The watch ends by itself when nobody is there to tell it.
    let _ = done.send(());
    assert!(
        code.is_some_and(|code| codes.contains(&code)),
        "it ended with {code:?}"
    );
    Measured {
        wall,
        peak: watch.join().expect("the watch ends"),
    }
}

#[expect(clippy::print_stdout, reason = "the figures are what it is for")]
fn report(what: &str, measured: &[Measured], network: Duration) {
    let mut walls: Vec<_> = measured.iter().map(|m| m.wall).collect();
    walls.sort();
    let (median, slowest) = (walls[walls.len() / 2], walls[walls.len() - 1]);
    let peak = measured.iter().filter_map(|m| m.peak).max();
    println!(
        "{what:<44} median {:>6.1} ms  slowest {:>6.1} ms  network {:>3} ms  peak {}",
        median.as_secs_f64() * 1e3,
        slowest.as_secs_f64() * 1e3,
        network.as_millis(),
        peak.map_or_else(
            || "?".to_owned(),
            |kib| format!("{}.{} MiB", kib / 1024, kib % 1024 * 10 / 1024)
        ),
    );
}

fn write(path: &Path, text: &str) {
    #[expect(clippy::disallowed_methods, reason = "a file of the benchmark's own")]
    fs::write(path, text).expect("a file");
}

//! What a run costs as an app grows: `cargo bench --bench growth`, on Linux.
//!
//! The release binary against the sandbox in this process: plan, apply and authorize (all consented)
//! with 500, 1,000 and 5,000 connectors of 50 long scopes each. CPU and peak memory are to grow as the
//! connectors do. It prints figures and fails on nothing.
#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a benchmark that can't go on is over, and its figures are what it is for"
)]

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use connplan::{
    model::{Account, ConnectorType, RemoteStatus, Scopes},
    sandbox::{Options, Seed, SeedApp, SeedConnector},
};

mod serve;
use serve::{Served, serve};

const SIZES: [usize; 3] = [500, 1000, 5000];
const SCOPES: usize = 50;

#[derive(Clone, Copy, Default)]
struct Cost {
    wall: Duration,
    /// User and system.
    cpu: Duration,
    /// In KiB.
    peak: u64,
}

fn main() {
    // `cargo test --benches` and the like only want to know that it builds.
    if std::env::args().any(|arg| arg == "--test") {
        return;
    }
    let mut before: BTreeMap<&str, (usize, Cost)> = BTreeMap::new();
    for size in SIZES {
        let home = tempfile::tempdir().expect("a folder");
        let project = home.path().join("project");
        lay_out(&project, size);
        let run = |server: &Served, machine: &str, args: &[&str]| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_connplan"));
            command
                .args(args)
                .env_clear()
                .env("HOME", home.path().join(machine))
                .env("BASE44_API_URL", &server.url)
                .env("BASE44_API_KEY", &server.key)
                .env("BASE44_APP_ID", "bench")
                .current_dir(&project)
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null());
            measure(&mut command)
        };
        let empty = serve(seeded(Seed::default()));
        let plan = run(&empty, "one", &["plan", "--out", "x.plan"]);
        let apply = [
            "apply",
            "x.plan",
            "--parallelism",
            "16",
            "--receipt",
            "x.receipt",
        ];
        let applied = run(&empty, "one", &apply);
        // The same address, where somebody has consented to all of it by now; and a machine that knows
        // of none of it.
        let consented = serve(Options {
            port: empty.stop(),
            ..seeded(all_consented(size))
        });
        let receipt = [
            "authorize",
            "--receipt",
            "x.receipt",
            "--yes",
            "--no-browser",
        ];
        let authorized = run(&consented, "other", &receipt);
        consented.stop();
        for (what, cost) in [
            ("plan", plan),
            ("apply", applied),
            ("authorize", authorized),
        ] {
            report(what, size, cost, before.get(what).copied());
            before.insert(what, (size, cost));
        }
    }
}

fn name(n: usize) -> String {
    format!("type-{n:05}")
}

fn scopes() -> Vec<String> {
    let scope = |n| format!("https://example.com/auth/a.scope.with.a.long.name.{n:02}");
    (0..SCOPES).map(scope).collect()
}

fn lay_out(project: &Path, size: usize) {
    let connectors = project.join("base44/connectors");
    fs::create_dir_all(&connectors).expect("a folder");
    write(
        &project.join("base44/config.jsonc"),
        "{ \"name\": \"Bench\" }",
    );
    let scopes = serde_json::to_string(&scopes()).expect("JSON");
    for n in 0..size {
        let name = name(n);
        let text = format!("{{ \"type\": \"{name}\", \"scopes\": {scopes} }}");
        write(&connectors.join(format!("{name}.jsonc")), &text);
    }
}

fn all_consented(size: usize) -> Seed {
    let granted: Scopes = scopes().iter().map(String::as_str).collect();
    let connector = SeedConnector {
        status: RemoteStatus::Active,
        scopes: granted,
        account: Some(Account::new("ada@example.com")),
        owner: None,
        connection_config: BTreeMap::new(),
        shared: false,
        outside_list: false,
        withdrawn: false,
    };
    let connectors = (0..size).map(|n| {
        let name = ConnectorType::parse(name(n)).expect("a type");
        (name, connector.clone())
    });
    let app = SeedApp {
        connectors: connectors.collect(),
        ..SeedApp::default()
    };
    let id = connplan::model::AppId::parse("bench").expect("an id");
    Seed {
        apps: BTreeMap::from([(id, app)]),
        ..Seed::default()
    }
}

fn seeded(seed: Seed) -> Options {
    Options {
        seed: Some(seed),
        ..Options::default()
    }
}

fn measure(command: &mut Command) -> Cost {
    let start = Instant::now();
    let mut child = command.spawn().expect("it starts");
    let place = format!("/proc/{}", child.id());
    let mut cost = Cost::default();
    let code = loop {
        cost.peak = peak(&place).unwrap_or(cost.peak);
        cost.cpu = cpu(&place).unwrap_or(cost.cpu).max(cost.cpu);
        if let Some(ended) = child.try_wait().expect("it ends") {
            break ended.code();
        }
        thread::sleep(Duration::from_millis(2));
    };
    cost.wall = start.elapsed();
    assert_eq!(code, Some(0), "{command:?}");
    cost
}

fn peak(place: &str) -> Option<u64> {
    let text = fs::read_to_string(format!("{place}/status")).ok()?;
    let line = text.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// In hundredths of a second, as Linux tells it.
fn cpu(place: &str) -> Option<Duration> {
    let text = fs::read_to_string(format!("{place}/stat")).ok()?;
    let (_, rest) = text.rsplit_once(')')?;
    let mut fields = rest.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(Duration::from_millis((user + system) * 10))
}

#[expect(clippy::cast_precision_loss, reason = "figures for people")]
fn report(what: &str, size: usize, cost: Cost, before: Option<(usize, Cost)>) {
    let times = before.map(|(fewer, less)| {
        let cpu = cost.cpu.as_secs_f64() / less.cpu.as_secs_f64().max(0.01);
        format!(
            "  {:.1} x the connectors: {cpu:.1} x the CPU",
            size as f64 / fewer as f64
        )
    });
    println!(
        "{what:<10} {size:>5} connectors  cpu {:>6.2} s  wall {:>6.2} s  peak {:>4} MiB{}",
        cost.cpu.as_secs_f64(),
        cost.wall.as_secs_f64(),
        cost.peak / 1024,
        times.unwrap_or_default()
    );
}

fn write(path: &Path, text: &str) {
    #[expect(clippy::disallowed_methods, reason = "a file of the benchmark's own")]
    fs::write(path, text).expect("a file");
}

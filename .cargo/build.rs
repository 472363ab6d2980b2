//! What is compiled in, without what only its readers need, and how the binary is linked.

#![expect(
    clippy::disallowed_methods,
    clippy::expect_used,
    reason = "cargo shows what a build script panics with"
)]

use std::{env, fs, path::Path, process::Command};

const SCHEMAS: [&str; 3] = [
    "fixtures/schemas/plan.json",
    "fixtures/schemas/receipt.json",
    "fixtures/schemas/settings.json",
];
const SCOPES: &str = "src/catalogue/scopes.tsv";

fn main() {
    println!("cargo::rerun-if-changed=.cargo/build.rs");
    for schema in SCHEMAS {
        // No text of JSON goes over a line's end, nor begins with one.
        shorten(schema, |text| text.lines().map(str::trim_start).collect());
    }
    shorten(SCOPES, |text| {
        let says = |line: &&str| !line.is_empty() && !line.starts_with('#');
        let lines = text.lines().filter(says);
        lines.flat_map(|line| [line, "\n"]).collect()
    });

    let is = |name: &str, value: &str| env::var_os(name).is_some_and(|is| is == value);
    // Unoptimized, the binary has 137,000 relocations. Done once, by the linker, for a fixed address, they
    // do not take half of each start. What is released stays without a fixed address.
    let gnu = is("CARGO_CFG_TARGET_OS", "linux") && is("CARGO_CFG_TARGET_ENV", "gnu");
    if gnu && is("PROFILE", "debug") {
        println!("cargo::rustc-link-arg=-no-pie");
    }
    // Eleven thousand relocations, each in a bit instead of 24 bytes: a fortieth of the binary. The C library has to
    // know that form. Linkers that do not know it leave it.
    if gnu && is("PROFILE", "release") && env::var_os("HOST") == env::var_os("TARGET") && is_new() {
        println!("cargo::rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
    // Functions with the same machine code become one: a hundredth of the binary. The linker that rustc brings for this
    // platform does that. Another one, whoever chose it, may not know the option.
    let flags = env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    let own = env::var_os("RUSTC_LINKER").is_none() && !flags.contains("link");
    if gnu && is("PROFILE", "release") && is("CARGO_CFG_TARGET_ARCH", "x86_64") && own {
        println!("cargo::rustc-link-arg-bins=-Wl,--icf=all");
    }
}

/// Whether the C library of this machine is glibc 2.36 or newer.
fn is_new() -> bool {
    let asked = Command::new("getconf").arg("GNU_LIBC_VERSION").output();
    let answer = asked.map(|told| told.stdout).unwrap_or_default();
    let minor = std::str::from_utf8(&answer).unwrap_or_default();
    let minor = minor.trim().strip_prefix("glibc 2.");
    minor.is_some_and(|minor| minor.parse::<u32>().is_ok_and(|minor| minor >= 36))
}

/// Keeps a file under its name in `OUT_DIR`, shorter.
fn shorten(file: &str, short: impl Fn(&str) -> String) {
    println!("cargo::rerun-if-changed={file}");
    let text = fs::read_to_string(file).unwrap_or_else(|e| panic!("{file}: {e}"));
    let out = env::var_os("OUT_DIR").expect("cargo sets OUT_DIR");
    let name = Path::new(file).file_name().expect("a file's name");
    fs::write(Path::new(&out).join(name), short(&text)).unwrap_or_else(|e| panic!("{file}: {e}"));
}

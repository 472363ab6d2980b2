//! How the binary is linked while it is worked on.

use std::env;

fn main() {
    println!("cargo::rerun-if-changed=.cargo/build.rs");
    let is = |name: &str, value: &str| env::var_os(name).is_some_and(|is| is == value);
    // Unoptimized, the binary has 137,000 relocations. Done once, by the linker, for a fixed address, they
    // do not take half of each start. What is released stays without a fixed address.
    let gnu = is("CARGO_CFG_TARGET_OS", "linux") && is("CARGO_CFG_TARGET_ENV", "gnu");
    if gnu && is("PROFILE", "debug") {
        println!("cargo::rustc-link-arg=-no-pie");
    }
}

//! Other programs, by the folders that this run looks for them in.

use std::{
    io,
    path::{Path, PathBuf},
    process::Command,
};

use crate::model::Vars;

/// What systems take where nothing is named; an empty `PATH` would be the current folder.
const SYSTEMS: &str = if cfg!(windows) { "" } else { "/usr/bin:/bin" };

/// The program of this name, which looks for others in the same folders. It is named by its whole path: what the
/// system does with a name alone, such as to look in the current folder first, does not matter then.
///
/// What `PATH` says here is what [`crate::state::own_path`] has left of it.
pub fn program(name: &str, vars: &Vars) -> io::Result<Command> {
    let file = if is_a_path(name) {
        Some(PathBuf::from(name))
    } else {
        find_program(name, vars)
    };
    let file = file.ok_or_else(|| {
        io::Error::new(
            io::ErrorKind::NotFound,
            "no folder of PATH has it; relative ones and those of the checkout do not count",
        )
    })?;
    let mut command = Command::new(file);
    command.env("PATH", path(vars));
    Ok(command)
}

/// Where the program of this name is.
pub fn find_program(name: &str, vars: &Vars) -> Option<PathBuf> {
    // As Windows has it: `powershell.exe`.
    let suffix = std::env::consts::EXE_SUFFIX;
    let name = format!("{}{suffix}", name.strip_suffix(suffix).unwrap_or(name));
    let mut folders = std::env::split_paths(path(vars));
    folders.find_map(|folder| Some(folder.join(&name)).filter(|file| runs(file)))
}

fn path(vars: &Vars) -> &str {
    vars.get("PATH").unwrap_or(SYSTEMS)
}

fn is_a_path(name: &str) -> bool {
    name.contains('/') || cfg!(windows) && name.contains(['\\', ':'])
}

#[cfg(unix)]
fn runs(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    file.metadata()
        .is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn runs(file: &Path) -> bool {
    file.is_file()
}

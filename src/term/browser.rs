//! Opening an address in the browser of whoever sits here.

use std::{
    io,
    process::{Command, Stdio},
};

use crate::model::Vars;

/// Whether a variable may hold what a browser has no use for.
fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    let parts = ["TOKEN", "SECRET", "PASSWORD", "API_KEY", "ACCESS_KEY"];
    name.starts_with("BASE44_") || parts.iter().any(|part| name.contains(part))
}

/// Opens an address, by `$BROWSER` first, then by what the system has. It does not wait for the
/// browser to end.
///
/// Everybody on this machine can read the command line: give no secret address (see
/// [`crate::page::Doorway`]). The browser inherits no credential.
pub fn open_browser(vars: &Vars, address: &str) -> io::Result<()> {
    let mut last = io::Error::from(io::ErrorKind::NotFound);
    for mut command in chosen(vars, address)
        .into_iter()
        .chain(open::commands(address))
    {
        for name in vars.names().filter(|name| is_secret(name)) {
            command.env_remove(name);
        }
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        #[cfg(unix)]
        {
            use std::os::unix::process::CommandExt;
            // Ctrl-C here is not meant for it.
            command.process_group(0);
        }
        match command.spawn() {
            Ok(mut child) => {
                // Somebody has to hear of its end.
                std::thread::spawn(move || child.wait());
                return Ok(());
            }
            Err(e) => last = e,
        }
    }
    Err(last)
}

/// `$BROWSER`: commands in order of preference, apart by colons, each with `%s` for the address or
/// the address at its end.
fn chosen(vars: &Vars, address: &str) -> Vec<Command> {
    let list = vars.get("BROWSER").unwrap_or_default();
    let separator = if cfg!(windows) { ';' } else { ':' };
    let one = |line: &str| {
        let mut words = line
            .split_whitespace()
            .map(|word| word.replace("%s", address));
        let mut command = Command::new(words.next()?);
        command.args(words);
        if !line.contains("%s") {
            command.arg(address);
        }
        Some(command)
    };
    list.split(separator).filter_map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browser_is_a_list_of_commands() {
        let vars: Vars = [("BROWSER".to_owned(), "a -x %s:b".to_owned())]
            .into_iter()
            .collect();
        let lines: Vec<_> = chosen(&vars, "http://l/")
            .iter()
            .map(|command| {
                let args: Vec<_> = command.get_args().map(|a| a.to_string_lossy()).collect();
                format!(
                    "{} {}",
                    command.get_program().to_string_lossy(),
                    args.join(" ")
                )
            })
            .collect();
        if cfg!(unix) {
            assert_eq!(lines, ["a -x http://l/", "b http://l/"]);
        }
        assert!(chosen(&Vars::default(), "x").is_empty());
        for secret in [
            "BASE44_ACCESS_TOKEN",
            "GITHUB_TOKEN",
            "AWS_SECRET_ACCESS_KEY",
            "my_password",
        ] {
            assert!(is_secret(secret), "{secret}");
        }
        assert!(!is_secret("DISPLAY") && !is_secret("XDG_RUNTIME_DIR"));
    }
}

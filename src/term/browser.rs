//! Opening an address in the browser of whoever sits here.

use std::{
    io,
    process::{Child, Command, Stdio},
};

use crate::{fs, model::Vars};

/// Whether a browser, or what opens one, needs a variable: where it appears, whose it is, how it speaks. All
/// others stay here, for any of them may hold a credential.
fn is_for_browsers(name: &str) -> bool {
    /// A desktop's own, by how they begin.
    const OF: [&str; 19] = [
        "XDG_",
        "WAYLAND_",
        "DBUS_",
        "LC_",
        "GTK_",
        "GDK_",
        "QT_",
        "KDE_",
        "GNOME_",
        "MOZ_",
        "SNAP",
        "FLATPAK_",
        "WSL",
        "PULSE_",
        "PIPEWIRE_",
        "SWAY",
        "HYPRLAND_",
        "CHROME_",
        "__CF",
    ];
    const EACH: [&str; 43] = [
        "PATH",
        "HOME",
        "USER",
        "LOGNAME",
        "SHELL",
        "LANG",
        "LANGUAGE",
        "TZ",
        "TMPDIR",
        "TMP",
        "TEMP",
        "PWD",
        "TERM",
        "DISPLAY",
        "XAUTHORITY",
        "DESKTOP_SESSION",
        "SESSION_MANAGER",
        "XMODIFIERS",
        "BROWSER",
        "NIX_PROFILES",
        // Windows
        "SYSTEMROOT",
        "SYSTEMDRIVE",
        "WINDIR",
        "COMSPEC",
        "PATHEXT",
        "USERNAME",
        "USERDOMAIN",
        "USERPROFILE",
        "APPDATA",
        "LOCALAPPDATA",
        "PROGRAMDATA",
        "ALLUSERSPROFILE",
        "PUBLIC",
        "PROGRAMFILES",
        "PROGRAMFILES(X86)",
        "PROGRAMW6432",
        "COMMONPROGRAMFILES",
        "COMMONPROGRAMFILES(X86)",
        "COMMONPROGRAMW6432",
        "HOMEDRIVE",
        "HOMEPATH",
        "SESSIONNAME",
        "OS",
    ];
    let name = name.to_ascii_uppercase();
    let secret = ["TOKEN", "SECRET", "PASSW", "KEY", "CREDENTIAL", "COOKIE"];
    EACH.contains(&name.as_str())
        || OF.iter().any(|start| name.starts_with(start))
            && !secret.iter().any(|part| name.contains(part))
}

/// What opens an address for whoever sits here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opener {
    /// What `$BROWSER` names: it is somebody's choice, so it is believed over SSH too.
    Chosen,
    /// What the system has.
    System,
    /// Nothing: the person sits at another machine.
    Elsewhere,
    /// Nothing: a browser has nowhere to appear.
    NoDisplay,
}

impl Opener {
    /// Here.
    pub fn of(vars: &Vars) -> Self {
        if !chosen(vars, "").is_empty() {
            Self::Chosen
        } else if is_ssh(vars) {
            Self::Elsewhere
        } else if has_display(vars) {
            Self::System
        } else {
            Self::NoDisplay
        }
    }

    /// Whether there is one.
    pub fn opens(self) -> bool {
        matches!(self, Self::Chosen | Self::System)
    }
}

/// Whether the person sits at another machine than this.
fn is_ssh(vars: &Vars) -> bool {
    vars.get("SSH_CONNECTION").is_some() || vars.get("SSH_TTY").is_some()
}

/// Whether a browser has anywhere to appear.
fn has_display(vars: &Vars) -> bool {
    let set = |name| vars.get(name).is_some_and(|value| !value.is_empty());
    // Who installed an opener means something by it, wherever its windows appear.
    let opener = || fs::find_program("xdg-open", vars).is_some();
    let display = ["DISPLAY", "WAYLAND_DISPLAY", "WSL_DISTRO_NAME"];
    cfg!(any(windows, target_os = "macos")) || display.into_iter().any(set) || opener()
}

/// Opens an address, by `$BROWSER` first, then by what the system has, but for a system whose screen
/// is elsewhere. It does not wait for the browser to end.
///
/// Everybody on this machine can read the command line: give no secret address (see
/// [`crate::page::Doorway`]). The browser inherits no credential.
pub fn open_browser(vars: &Vars, address: &str) -> io::Result<()> {
    let mut last = io::Error::from(io::ErrorKind::NotFound);
    let system = match Opener::of(vars) {
        Opener::System => open::commands(address),
        Opener::Chosen if !is_ssh(vars) => open::commands(address),
        _ => Vec::new(),
    };
    for wanted in chosen(vars, address).into_iter().chain(system) {
        match start(&wanted, vars) {
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

/// Starts it, by the folders that this run looks for programs in, with what browsers get of the environment.
fn start(wanted: &Command, vars: &Vars) -> io::Result<Child> {
    let name = wanted.get_program().to_str().unwrap_or_default();
    let mut command = fs::program(name, vars)?;
    let kept = vars.names().filter(|name| is_for_browsers(name));
    // What an opener is told by a variable.
    let told = wanted
        .get_envs()
        .filter_map(|(name, value)| Some((name, value?)));
    command
        .args(wanted.get_args())
        .env_clear()
        .envs(kept.filter_map(|name| Some((name, vars.get(name)?))))
        .envs(told)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    #[cfg(unix)]
    {
        use std::os::unix::process::CommandExt;
        // Ctrl-C here is not meant for it.
        command.process_group(0);
    }
    #[cfg(windows)]
    {
        use std::os::windows::process::CommandExt;
        const CREATE_NO_WINDOW: u32 = 0x0800_0000;
        command.creation_flags(CREATE_NO_WINDOW);
    }
    command.spawn()
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
            "GITLAB_PAT",
            "PGPASS",
            "DOCKER_AUTH_CONFIG",
            "DATABASE_URL",
            "CONNPLAN_VAR_X",
            "XDG_TOKEN",
            "HTTPS_PROXY",
        ] {
            assert!(!is_for_browsers(secret), "{secret}");
        }
        for needed in [
            "DISPLAY",
            "XAUTHORITY",
            "XDG_RUNTIME_DIR",
            "Path",
            "DBUS_SESSION_BUS_ADDRESS",
        ] {
            assert!(is_for_browsers(needed), "{needed}");
        }
    }
}

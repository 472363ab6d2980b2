//! The variables that count in a project: those of the process, then those of its `.env` files.

use std::{collections::BTreeMap, path::Path};

use super::{
    ConfigError, MAX_FILE_SIZE,
    dotenv::{self, Assignment},
};
use crate::{
    fs::{FsError, Owners, read_confined},
    model::{Address, ApiUrl, AppId, SetBy, Vars},
};

/// The files at the project root; what stands in the first goes before the second.
pub const FILES: [&str; 2] = [".env.local", ".env"];
/// The platform's address.
const API_URL: &str = "BASE44_API_URL";
const APP_ID: &str = "BASE44_APP_ID";
/// The prefix under which the platform hands variables to a project.
const PREFIX: &str = "BASE44_PROJECTS_";
/// The variables that may come with [`PREFIX`], as in the official client.
const PREFIXED: [&str; 4] = [
    APP_ID,
    "BASE44_ACCESS_TOKEN",
    "BASE44_REFRESH_TOKEN",
    API_URL,
];

/// The process's variables, then `.env.local`, then `.env`, each only adding what is not set; names
/// with their prefix for those that are missing without it, the process's before any file's.
///
/// Of the files only names that start with `BASE44_` are taken: they belong to the whole project,
/// and a `HOME` or `NO_COLOR` meant for an app must not steer this program.
pub fn merge(process: &Vars, root: Option<&Path>, owners: Owners) -> Result<Vars, ConfigError> {
    let mut texts = BTreeMap::new();
    for name in FILES {
        let Some(root) = root else { continue };
        let bytes = match read_confined(&[root], owners, &root.join(name), MAX_FILE_SIZE) {
            Ok(bytes) => bytes,
            // `.env` is also what some call a folder of Python's.
            Err(FsError::NotFound { .. } | FsError::NotAFile { .. }) => continue,
            Err(e) => return Err(e.into()),
        };
        texts.insert(name, String::from_utf8_lossy(&bytes).into_owned());
    }
    Ok(merge_texts(process, |name| {
        texts.get(name).map(String::as_str)
    }))
}

/// What [`merge`] makes of these texts of such files.
pub(super) fn merge_texts<'a>(process: &Vars, text: impl Fn(&str) -> Option<&'a str>) -> Vars {
    let mut vars = process.clone();
    // What the process says with the prefix, a file does not say otherwise without it.
    without_prefix(&mut vars);
    for file in FILES {
        // In one file the last assignment counts, between files the first.
        let found = dotenv::parse(text(file).unwrap_or_default());
        for Assignment { name, value, line } in found.into_iter().rev() {
            if name.starts_with("BASE44_") {
                let file = file.to_owned();
                vars.set_default_by(name, value, SetBy::File { file, line });
            }
        }
    }
    without_prefix(&mut vars);
    vars
}

/// The apps that the text of a `.env` file names.
pub(super) fn app_named(text: &str) -> Vec<AppId> {
    let prefixed = format!("{PREFIX}{APP_ID}");
    let of_app = |found: &Assignment| found.name == APP_ID || found.name == prefixed;
    let found = dotenv::parse(text).into_iter().filter(of_app);
    found
        .filter_map(|app| AppId::parse(&app.value).ok())
        .collect()
}

/// Names that are there with their prefix alone, without it.
fn without_prefix(vars: &mut Vars) {
    for bare in PREFIXED {
        let name = format!("{PREFIX}{bare}");
        let prefixed = (vars.get(&name), vars.origin(&name));
        if let (Some(value), Some(origin)) = prefixed {
            let (value, origin) = (value.to_owned(), origin.clone());
            vars.set_default_by(bare, value, origin);
        }
    }
}

/// Where the platform is by these variables, and who says so.
pub fn address(vars: &Vars) -> Result<Address, ConfigError> {
    let Some(text) = vars.get(API_URL) else {
        return Ok(Address::built_in());
    };
    let url = ApiUrl::parse(text).map_err(|source| ConfigError::BadApiUrl { source })?;
    let origin = vars.origin(API_URL).cloned();
    Ok(Address { url, origin })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_process_goes_before_the_files_and_a_bare_name_before_a_prefixed_one() {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            crate::fs::write(
                &dir.path().join(name),
                text.as_bytes(),
                crate::fs::Visibility::Shared,
            )
            .unwrap();
        };
        write(
            ".env.local",
            "BASE44_API_KEY=local\nBASE44_A=1\nBASE44_A=2\nHOME=/elsewhere",
        );
        write(
            ".env",
            "BASE44_API_KEY=env\nBASE44_B=b\nBASE44_APP_ID=file\nBASE44_PROJECTS_BASE44_APP_ID=no\n\
             BASE44_PROJECTS_BASE44_API_URL=http://localhost:1",
        );
        let process = Vars::of(&[("BASE44_APP_ID", "process")]);
        let merged = merge(&process, Some(dir.path()), Owners::Any).unwrap();
        assert_eq!(merged.get("BASE44_APP_ID"), Some("process"));
        assert_eq!(merged.get("BASE44_API_KEY"), Some("local"));
        assert_eq!(merged.get("BASE44_A"), Some("2"));
        assert_eq!(merged.get("BASE44_B"), Some("b"));
        assert_eq!(merged.get("BASE44_API_URL"), Some("http://localhost:1"));
        assert_eq!(merged.get("HOME"), None);
        let from = |file: &str, line| SetBy::File {
            file: file.to_owned(),
            line,
        };
        assert_eq!(merged.origin("BASE44_APP_ID"), Some(&SetBy::Process));
        assert_eq!(merged.origin("BASE44_A"), Some(&from(".env.local", 3)));
        let prefixed = merged.origin("BASE44_API_URL");
        assert_eq!(prefixed, Some(&from(".env", 5)), "as the longer name's");
        let process = Vars::of(&[("BASE44_PROJECTS_BASE44_APP_ID", "platform")]);
        let merged = merge(&process, Some(dir.path()), Owners::Any).unwrap();
        assert_eq!(merged.get("BASE44_APP_ID"), Some("platform"));
        assert_eq!(merged.origin("BASE44_APP_ID"), Some(&SetBy::Process));
    }

    #[test]
    fn no_file_is_no_error_and_a_folder_named_env_is_none() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join(".env")).unwrap();
        let process = Vars::of(&[("BASE44_PROJECTS_BASE44_APP_ID", "x")]);
        let merged = merge(&process, Some(dir.path()), Owners::Any).unwrap();
        assert_eq!(merged.get("BASE44_APP_ID"), Some("x"));
        assert!(merge(&process, None, Owners::Any).is_ok());
    }
}

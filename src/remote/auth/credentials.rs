//! Which credential applies, in the order of the contract.

use std::path::{Path, PathBuf};

use super::{
    AuthError, AuthWarning, LoginFile, StoredLogin,
    jwt::{self, Claims},
};
use crate::{
    fs::Loose,
    model::{Secret, Vars},
};

const API_KEY: &str = "BASE44_API_KEY";
const API_KEY_PREFIX: &str = "b44k_";
const ACCESS_TOKEN: &str = "BASE44_ACCESS_TOKEN";
const REFRESH_TOKEN: &str = "BASE44_REFRESH_TOKEN";

/// The credential to use, and what a person should know about how it was found.
#[derive(Debug)]
pub struct Credentials {
    pub(super) source: Source,
    warnings: Vec<AuthWarning>,
}

#[derive(Debug)]
pub(super) enum Source {
    /// A workspace's key: never renewed.
    ApiKey(Secret),
    /// A token as it stands: never renewed.
    Token(Secret),
    /// A login, renewed as needed; kept in the file, if it has one.
    Login(Box<StoredLogin>, Option<LoginFile>),
}

/// Who the credential says it is, without asking anyone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Identity {
    /// A workspace, by its key.
    ApiKey,
    /// Whoever the token in `BASE44_ACCESS_TOKEN` belongs to: `Platform::userinfo` knows.
    Token,
    /// A person. Untrusted text.
    Login {
        /// The address.
        email: String,
        /// The name.
        name: String,
        /// When the access token runs out, in milliseconds since the Unix epoch.
        expires_at: u64,
    },
}

/// A person's home folder by the variables that the official client goes by.
pub fn home_folder(vars: &Vars) -> Option<PathBuf> {
    vars.get(if cfg!(windows) { "USERPROFILE" } else { "HOME" })
        .map(PathBuf::from)
}

impl Credentials {
    /// Finds the credential: `BASE44_API_KEY`, then `BASE44_ACCESS_TOKEN`, then the stored login
    /// below `home`. An access token with a refresh token beside it becomes the stored login.
    pub fn from_vars(vars: &Vars, home: Option<&Path>) -> Result<Self, AuthError> {
        let mut warnings = Vec::new();
        let key = secret(vars, API_KEY)?;
        let is_key = |key: &Secret| key.expose().starts_with(API_KEY_PREFIX);
        let key_ignored = match key {
            Some(key) if is_key(&key) => return Ok(Self::plain(Source::ApiKey(key))),
            Some(_) => {
                warnings.push(AuthWarning::KeyIgnored);
                true
            }
            None => false,
        };
        let file = home.map(LoginFile::in_home);
        // A file that can be read and not changed is still a login.
        let loose = file.as_ref().and_then(LoginFile::tighten);
        warnings.extend(loose.map(|Loose { path, still }| match still {
            None => AuthWarning::Repaired { path },
            Some(why) => AuthWarning::Open { why },
        }));
        let source = if let Some(access) = secret(vars, ACCESS_TOKEN)? {
            let claims = jwt::claims(access.expose());
            match (secret(vars, REFRESH_TOKEN)?, claims) {
                (Some(refresh), Some(claims)) => {
                    let Claims {
                        subject,
                        expires_at,
                    } = claims;
                    let seed = StoredLogin::from_environment(access, refresh, subject, expires_at);
                    seeded(seed, file, &mut warnings)
                }
                _ => Source::Token(access),
            }
        } else {
            let stored = file.as_ref().map(LoginFile::read).transpose()?.flatten();
            let (Some(login), Some(file)) = (stored, file) else {
                return Err(AuthError::NoCredentials { key_ignored });
            };
            Source::Login(Box::new(login), Some(file))
        };
        Ok(Self { source, warnings })
    }

    /// A key, as a workspace has one.
    pub fn api_key(key: Secret) -> Self {
        Self::plain(Source::ApiKey(key))
    }

    fn plain(source: Source) -> Self {
        Self {
            source,
            warnings: Vec::new(),
        }
    }

    /// What a person should know.
    pub fn warnings(&self) -> &[AuthWarning] {
        &self.warnings
    }

    /// Who this is, as far as it can be said offline.
    pub fn identity(&self) -> Identity {
        match &self.source {
            Source::ApiKey(_) => Identity::ApiKey,
            Source::Token(_) => Identity::Token,
            Source::Login(login, _) => Identity::Login {
                email: login.email.clone(),
                name: login.name.clone(),
                expires_at: login.expires_at,
            },
        }
    }
}

/// A variable as a credential: white space around it is a slip, anything odd within is an error
/// here rather than a riddle later.
fn secret(vars: &Vars, variable: &'static str) -> Result<Option<Secret>, AuthError> {
    let Some(value) = vars.get(variable).map(str::trim) else {
        return Ok(None);
    };
    if value.bytes().all(|b| b.is_ascii_graphic()) {
        Ok(Some(Secret::new(value)))
    } else {
        Err(AuthError::BadValue { variable })
    }
}

/// Makes the environment's tokens the stored login; they are used in any case.
fn seeded(seed: StoredLogin, file: Option<LoginFile>, warnings: &mut Vec<AuthWarning>) -> Source {
    let Some(file) = file else {
        return Source::Login(Box::new(seed), None);
    };
    match store_seed(&seed, &file) {
        Ok(login) => Source::Login(Box::new(login), Some(file)),
        Err(why) => {
            warnings.push(AuthWarning::NotStored { why: Box::new(why) });
            Source::Login(Box::new(seed), None)
        }
    }
}

/// Stores the seed, unless the file holds what became of an earlier one: renewing makes new tokens
/// and often ends the old ones, which the environment still shows.
fn store_seed(seed: &StoredLogin, file: &LoginFile) -> Result<StoredLogin, AuthError> {
    let _lock = file.lock()?;
    // A damaged file is replaced: the environment says what is to stand there.
    if let Ok(Some(stored)) = file.read()
        && stored.email == seed.email
        && stored.expires_at >= seed.expires_at
    {
        return Ok(stored);
    }
    file.write(seed)?;
    Ok(seed.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vars(pairs: &[(&str, &str)]) -> Vars {
        pairs
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect()
    }

    fn stored(home: &Path, email: &str, token: &str, expires_at: u64) -> LoginFile {
        let file = LoginFile::in_home(home);
        let (access, refresh) = (Secret::new(token), Secret::new("r"));
        file.write(&StoredLogin::from_environment(
            access,
            refresh,
            email.into(),
            expires_at,
        ))
        .unwrap();
        file
    }

    fn jwt_until(exp: u64) -> String {
        jwt::token_for(&format!(r#"{{"sub":"ada@example.com","exp":{exp}}}"#))
    }

    #[test]
    fn the_order_of_the_contract() {
        let home = tempfile::tempdir().unwrap();
        stored(home.path(), "ada@example.com", "stored", 1);
        let kind = |pairs: &[(&str, &str)]| {
            Credentials::from_vars(&vars(pairs), Some(home.path())).unwrap()
        };
        let all = [(API_KEY, " b44k_x\n"), (ACCESS_TOKEN, "t")];
        assert_eq!(kind(&all).identity(), Identity::ApiKey);
        let odd = kind(&[(API_KEY, "sk_x"), (ACCESS_TOKEN, "t")]);
        assert_eq!(odd.identity(), Identity::Token);
        assert!(matches!(odd.warnings(), [AuthWarning::KeyIgnored]));
        assert_eq!(
            kind(&[(ACCESS_TOKEN, "t"), (REFRESH_TOKEN, "r")]).identity(),
            Identity::Token,
            "no JWT"
        );
        assert!(matches!(kind(&[]).identity(), Identity::Login { .. }));
    }

    #[test]
    fn no_credentials_names_the_three_ways() {
        use miette::Diagnostic;
        let home = tempfile::tempdir().unwrap();
        let error =
            Credentials::from_vars(&vars(&[(API_KEY, "x")]), Some(home.path())).unwrap_err();
        assert!(error.to_string().contains("b44k_"), "{error}");
        let help = error.help().unwrap().to_string();
        for way in ["connplan login", "BASE44_API_KEY", "BASE44_ACCESS_TOKEN"] {
            assert!(help.contains(way), "{help}");
        }
        assert!(Credentials::from_vars(&Vars::default(), None).is_err());
    }

    #[test]
    fn a_seed_is_stored_and_does_not_undo_its_own_renewal() {
        let home = tempfile::tempdir().unwrap();
        let seed = jwt_until(2_000);
        let given = vars(&[(ACCESS_TOKEN, &seed), (REFRESH_TOKEN, "r")]);
        let access = || {
            let found = Credentials::from_vars(&given, Some(home.path())).unwrap();
            assert!(found.warnings().is_empty());
            let Source::Login(login, Some(_)) = found.source else {
                panic!("no login")
            };
            login.access_token.expose().to_owned()
        };
        assert_eq!(access(), seed);
        stored(home.path(), "ada@example.com", "renewed", 9_000_000);
        assert_eq!(access(), "renewed");
        stored(home.path(), "bob@example.com", "bobs", 9_000_000);
        assert_eq!(access(), seed, "another person's login gives way");
        std::fs::File::create(LoginFile::in_home(home.path()).path()).unwrap();
        assert_eq!(access(), seed, "a damaged file gives way");
    }

    #[test]
    fn a_home_that_can_not_be_written_is_a_warning() {
        let home = tempfile::tempdir().unwrap();
        std::fs::File::create(home.path().join(".base44")).unwrap();
        let given = vars(&[(ACCESS_TOKEN, &jwt_until(2_000)), (REFRESH_TOKEN, "r")]);
        let found = Credentials::from_vars(&given, Some(home.path())).unwrap();
        assert!(matches!(found.warnings(), [AuthWarning::NotStored { .. }]));
        assert!(matches!(found.identity(), Identity::Login { .. }));
    }

    #[cfg(unix)]
    #[test]
    fn a_login_that_others_can_read_is_repaired_with_a_word() {
        use std::os::unix::fs::PermissionsExt;
        let home = tempfile::tempdir().unwrap();
        let file = stored(home.path(), "ada@example.com", "t", 1);
        let mode = || std::fs::metadata(file.path()).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(), 0o600);
        std::fs::set_permissions(file.path(), std::fs::Permissions::from_mode(0o644)).unwrap();
        let found = Credentials::from_vars(&Vars::default(), Some(home.path())).unwrap();
        assert!(matches!(found.warnings(), [AuthWarning::Repaired { .. }]));
        assert_eq!(mode(), 0o600);
    }

    #[test]
    fn a_value_that_is_no_header_is_told_by_its_name_alone() {
        for bad in ["b44k_can\u{e4}ry", "b44k_a\nb"] {
            let error = Credentials::from_vars(&vars(&[(API_KEY, bad)]), None).unwrap_err();
            assert!(matches!(error, AuthError::BadValue { variable: API_KEY }));
        }
        let found = Credentials::from_vars(&vars(&[(API_KEY, "b44k_canary")]), None).unwrap();
        assert!(!format!("{found:?}").contains("canary"));
    }
}

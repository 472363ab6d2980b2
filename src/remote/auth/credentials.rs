//! Which credential applies, in the order of the contract.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use super::{
    AuthError, AuthWarning, LoginFile, StoredLogin,
    jwt::{self, Claims},
};
use crate::{
    fs::InsecurePermissions,
    http::server_text,
    model::{Address, ApiUrl, Secret, SetBy, Vars},
};

const API_KEY: &str = "BASE44_API_KEY";
const ACCESS_TOKEN: &str = "BASE44_ACCESS_TOKEN";
const REFRESH_TOKEN: &str = "BASE44_REFRESH_TOKEN";
/// The variables that hold a credential or a part of one.
pub const VARIABLES: [&str; 3] = [API_KEY, ACCESS_TOKEN, REFRESH_TOKEN];
/// Those of them that go before the stored login.
pub const BEFORE_LOGIN: [&str; 2] = [API_KEY, ACCESS_TOKEN];
/// How a workspace's key begins.
const WORKSPACE_KEY: &str = "b44k_";
/// How a personal access token begins.
const PERSONAL_TOKEN: &str = "b44u_";

/// A credential that was found, before it is known whether it may go where the run goes.
#[derive(Debug)]
pub struct Found {
    source: Source,
    origin: CredentialOrigin,
    hides: Option<CredentialOrigin>,
    file: Option<LoginFile>,
    warnings: Vec<AuthWarning>,
}

/// A credential that may go to the address it is used at.
#[derive(Debug)]
pub struct Credentials {
    pub(super) source: Source,
    who: Who,
}

#[derive(Debug)]
pub(super) enum Source {
    /// A workspace's key: never renewed.
    ApiKey(Secret),
    /// A person's own token: never renewed.
    PersonalToken(Secret, &'static str),
    /// A token as it stands: never renewed.
    Token(Secret),
    /// A login, renewed as needed; kept in the file, if it has one.
    Login(Box<StoredLogin>, Option<LoginFile>),
}

/// Where a credential came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CredentialOrigin {
    /// A variable, and who set it.
    Variable(&'static str, SetBy),
    /// The stored login.
    LoginFile(PathBuf),
}

impl CredentialOrigin {
    /// Whether a file of the project brought it.
    pub fn is_project_file(&self) -> bool {
        matches!(self, Self::Variable(_, by) if by.is_file())
    }
}

impl fmt::Display for CredentialOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Variable(name, SetBy::Process) => f.write_str(name),
            Self::Variable(name, SetBy::File { file, line }) => {
                write!(f, "{name} in {}, line {line}", server_text(file))
            }
            // It is always there, below the home.
            Self::LoginFile(_) => f.write_str("the login in ~/.base44/auth/auth.json"),
        }
    }
}

/// Who acts, as far as it can be said offline, and by what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Who {
    /// Who.
    pub identity: Identity,
    /// By what; `None` for a key that this program made up itself.
    pub origin: Option<CredentialOrigin>,
    /// What would have been used if this were not there.
    pub hides: Option<CredentialOrigin>,
}

/// Who the credential says it is, without asking anyone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Identity {
    /// A workspace, by its key.
    ApiKey,
    /// Whoever made this personal access token.
    PersonalToken,
    /// Whoever the token belongs to: `Platform::userinfo` knows.
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
    let home = vars.get(if cfg!(windows) { "USERPROFILE" } else { "HOME" });
    home.map(PathBuf::from).filter(|home| home.is_absolute())
}

impl Found {
    /// Finds the credential: `BASE44_API_KEY`, then `BASE44_ACCESS_TOKEN`, then the stored login
    /// below `home`. An access token of the process with a refresh token beside it becomes the
    /// stored login; one that a project file brings is used as it stands.
    pub fn from_vars(vars: &Vars, home: Option<&Path>) -> Result<Self, AuthError> {
        let mut warnings = Vec::new();
        let file = home.map(LoginFile::in_home);
        // Whoever started the process said who acts: a file of the project does not say otherwise.
        let decided = BEFORE_LOGIN
            .iter()
            .any(|name| vars.origin(name) == Some(&SetBy::Process));
        let mut secret = |vars: &Vars, variable: &'static str| {
            if let (true, Some(SetBy::File { file, line })) = (decided, vars.origin(variable)) {
                let (file, line) = (file.clone(), *line);
                warnings.push(AuthWarning::FileIgnored {
                    variable,
                    file,
                    line,
                });
                return Ok(None);
            }
            secret(vars, variable)
        };
        let key = secret(vars, API_KEY)?;
        let access = secret(vars, ACCESS_TOKEN)?;
        let key_ignored = match key {
            Some(key) if key.expose().starts_with(WORKSPACE_KEY) => {
                let found = Self::by_variable(vars, API_KEY, Source::ApiKey(key), file);
                return Ok(Self { warnings, ..found });
            }
            Some(key) if key.expose().starts_with(PERSONAL_TOKEN) => {
                let source = Source::PersonalToken(key, API_KEY);
                let found = Self::by_variable(vars, API_KEY, source, file);
                return Ok(Self { warnings, ..found });
            }
            Some(_) => {
                warnings.push(AuthWarning::KeyIgnored);
                true
            }
            None => false,
        };
        // A file that can be read and not changed is still a login.
        let loose = file.as_ref().and_then(LoginFile::restrict);
        warnings.extend(
            loose.map(|InsecurePermissions { path, still }| match still {
                None => AuthWarning::Repaired { path },
                Some(why) => AuthWarning::Open { why },
            }),
        );
        let Some(access) = access else {
            let stored = file.as_ref().map(LoginFile::read).transpose()?.flatten();
            let (Some(login), Some(file)) = (stored, file) else {
                return Err(AuthError::NoCredentials { key_ignored });
            };
            return Ok(Self {
                source: Source::Login(Box::new(login), Some(file.clone())),
                origin: CredentialOrigin::LoginFile(file.path().to_owned()),
                hides: None,
                file: Some(file),
                warnings,
            });
        };
        if access.expose().starts_with(PERSONAL_TOKEN) {
            let source = Source::PersonalToken(access, ACCESS_TOKEN);
            let found = Self::by_variable(vars, ACCESS_TOKEN, source, file);
            return Ok(Self { warnings, ..found });
        }
        // Renewing spends a refresh token, and what a project brings is not the user's to spend or to
        // keep.
        let own = |name| vars.origin(name) == Some(&SetBy::Process);
        let refresh =
            self::secret(vars, REFRESH_TOKEN)?.filter(|_| own(ACCESS_TOKEN) && own(REFRESH_TOKEN));
        let claims = jwt::claims(access.expose());
        if let (Some(refresh), Some(claims)) = (refresh, claims) {
            let Claims {
                subject,
                expires_at,
            } = claims;
            let seed = StoredLogin::from_environment(access, refresh, subject, expires_at);
            let seed = seed.beside(vars);
            return Ok(Self {
                source: seeded(seed, file.clone(), &mut warnings),
                origin: CredentialOrigin::Variable(ACCESS_TOKEN, SetBy::Process),
                hides: None,
                file,
                warnings,
            });
        }
        let found = Self::by_variable(vars, ACCESS_TOKEN, Source::Token(access), file);
        Ok(Self { warnings, ..found })
    }

    fn by_variable(
        vars: &Vars,
        name: &'static str,
        source: Source,
        file: Option<LoginFile>,
    ) -> Self {
        let origin = |name| vars.origin(name).cloned().unwrap_or(SetBy::Process);
        let token = (name == API_KEY && vars.get(ACCESS_TOKEN).is_some())
            .then(|| CredentialOrigin::Variable(ACCESS_TOKEN, origin(ACCESS_TOKEN)));
        let stored = file.as_ref().map(LoginFile::path);
        let stored = stored.filter(|path| path.is_file());
        Self {
            origin: CredentialOrigin::Variable(name, origin(name)),
            hides: token.or_else(|| Some(CredentialOrigin::LoginFile(stored?.to_owned()))),
            source,
            file,
            warnings: Vec::new(),
        }
    }

    /// What a person should know.
    pub fn warnings(&self) -> &[AuthWarning] {
        &self.warnings
    }

    /// Who acts, and by what.
    pub fn who(&self) -> Who {
        Who {
            identity: self.source.identity(),
            origin: Some(self.origin.clone()),
            hides: self.hides.clone(),
        }
    }

    /// The credential, for this address. One that belongs to the user goes only where the user wants
    /// it: to the address that the process names, to the built-in one, to the one that the login was
    /// made for, and to those that are `trusted`; a login whose address is known goes elsewhere only if
    /// the process or the user says so. What a project file brings may go where a file of the same
    /// project says.
    pub fn for_address(
        self,
        address: &Address,
        trusted: impl FnOnce(&ApiUrl) -> bool,
    ) -> Result<Credentials, AuthError> {
        self.check(address, trusted)?;
        let who = self.who();
        Ok(Credentials {
            source: self.source,
            who,
        })
    }

    /// Whether [`for_address`](Self::for_address) would give it out.
    pub fn check(
        &self,
        address: &Address,
        trusted: impl FnOnce(&ApiUrl) -> bool,
    ) -> Result<(), AuthError> {
        if self.origin.is_project_file() {
            return Ok(());
        }
        let mut is_chosen = address.origin == Some(SetBy::Process);
        let asked = |url: &ApiUrl| {
            is_chosen = trusted(url);
            is_chosen
        };
        let place = may_be_used(address, self.file.as_ref(), asked).err();
        if !is_chosen
            && let (Source::Login(login, _), CredentialOrigin::LoginFile(_)) =
                (&self.source, &self.origin)
            && let Some(made_for) = login.elsewhere(&address.url)
        {
            return Err(AuthError::elsewhere(&made_for, &address.url, place));
        }
        let (url, credential) = (address.url.to_string(), self.origin.to_string());
        let untrusted = |place| AuthError::Untrusted {
            place,
            url,
            credential,
        };
        place.map(untrusted).map_or(Ok(()), Err)
    }
}

/// Whether what is the user's own may go to this address; else where that address is named.
pub fn may_be_used(
    address: &Address,
    login: Option<&LoginFile>,
    trusted: impl FnOnce(&ApiUrl) -> bool,
) -> Result<(), String> {
    let Some(SetBy::File { file, line }) = &address.origin else {
        return Ok(());
    };
    let made_for = || {
        let login = login?.read().ok()??;
        login.made_for()
    };
    let chosen = address.url == ApiUrl::default()
        || made_for().as_ref() == Some(&address.url)
        || trusted(&address.url);
    if chosen {
        Ok(())
    } else {
        Err(format!("{}, line {line},", server_text(file)))
    }
}

impl Source {
    fn identity(&self) -> Identity {
        match self {
            Self::ApiKey(_) => Identity::ApiKey,
            Self::PersonalToken(..) => Identity::PersonalToken,
            Self::Token(_) => Identity::Token,
            Self::Login(login, _) => Identity::Login {
                email: login.email.clone(),
                name: login.name.clone(),
                expires_at: login.expires_at,
            },
        }
    }
}

impl Credentials {
    /// A key that the caller has chosen for the address it is used at.
    pub fn api_key(key: Secret) -> Self {
        let source = Source::ApiKey(key);
        Self {
            who: Who {
                identity: source.identity(),
                origin: None,
                hides: None,
            },
            source,
        }
    }

    /// Who acts, and by what.
    pub fn who(&self) -> &Who {
        &self.who
    }
}

/// A variable as a credential: white space around it is a slip, anything odd within is an error
/// here rather than a riddle later.
fn secret(vars: &Vars, variable: &'static str) -> Result<Option<Secret>, AuthError> {
    debug_assert!(VARIABLES.contains(&variable), "{variable} is not listed");
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
    match file.seed(&seed) {
        Ok(login) => Source::Login(Box::new(login), Some(file)),
        Err(why) => {
            warnings.push(AuthWarning::NotStored { why: Box::new(why) });
            Source::Login(Box::new(seed), None)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let kind =
            |pairs: &[(&str, &str)]| Found::from_vars(&Vars::of(pairs), Some(home.path())).unwrap();
        let all = [(API_KEY, " b44k_x\n"), (ACCESS_TOKEN, "t")];
        assert_eq!(kind(&all).who().identity, Identity::ApiKey);
        let odd = kind(&[(API_KEY, "sk_x"), (ACCESS_TOKEN, "t")]);
        assert_eq!(odd.who().identity, Identity::Token);
        assert!(matches!(odd.warnings(), [AuthWarning::KeyIgnored]));
        assert_eq!(
            kind(&[(ACCESS_TOKEN, "t"), (REFRESH_TOKEN, "r")])
                .who()
                .identity,
            Identity::Token,
            "no JWT"
        );
        assert!(matches!(kind(&[]).who().identity, Identity::Login { .. }));
    }

    #[test]
    fn no_credentials_names_the_three_ways() {
        use miette::Diagnostic;
        let home = tempfile::tempdir().unwrap();
        let error = Found::from_vars(&Vars::of(&[(API_KEY, "x")]), Some(home.path())).unwrap_err();
        assert!(error.to_string().contains("b44k_"), "{error}");
        let help = error.help().unwrap().to_string();
        for way in ["connplan login", "BASE44_API_KEY", "BASE44_ACCESS_TOKEN"] {
            assert!(help.contains(way), "{help}");
        }
        assert!(Found::from_vars(&Vars::default(), None).is_err());
    }

    #[test]
    fn a_seed_is_stored_and_does_not_undo_its_own_renewal() {
        let home = tempfile::tempdir().unwrap();
        let seed = jwt_until(2_000);
        let given = Vars::of(&[(ACCESS_TOKEN, &seed), (REFRESH_TOKEN, "r")]);
        let access = || {
            let found = Found::from_vars(&given, Some(home.path())).unwrap();
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
    fn a_home_that_cannot_be_written_is_a_warning() {
        let home = tempfile::tempdir().unwrap();
        std::fs::File::create(home.path().join(".base44")).unwrap();
        let given = Vars::of(&[(ACCESS_TOKEN, &jwt_until(2_000)), (REFRESH_TOKEN, "r")]);
        let found = Found::from_vars(&given, Some(home.path())).unwrap();
        assert!(matches!(found.warnings(), [AuthWarning::NotStored { .. }]));
        assert!(matches!(found.who().identity, Identity::Login { .. }));
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
        let found = Found::from_vars(&Vars::default(), Some(home.path())).unwrap();
        assert!(matches!(found.warnings(), [AuthWarning::Repaired { .. }]));
        assert_eq!(mode(), 0o600);
    }

    #[test]
    fn a_value_that_is_no_header_is_told_by_its_name_alone() {
        for bad in ["b44k_can\u{e4}ry", "b44k_a\nb"] {
            let error = Found::from_vars(&Vars::of(&[(API_KEY, bad)]), None).unwrap_err();
            assert!(matches!(error, AuthError::BadValue { variable: API_KEY }));
        }
        let found = Found::from_vars(&Vars::of(&[(API_KEY, "b44k_canary")]), None).unwrap();
        assert!(!format!("{found:?}").contains("canary"));
    }
}

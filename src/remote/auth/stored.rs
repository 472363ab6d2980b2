//! The stored login: `~/.base44/auth/auth.json`, in the shape that the official client writes.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::AuthError;
use crate::{
    fs::{self, FsError, InsecurePermissions, Lock, Visibility},
    model::{ApiUrl, Secret, SetBy, Vars},
    remote::{TokenSet, decode::decode},
};

/// A login as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredLogin {
    /// For the `Authorization` header.
    pub access_token: Secret,
    /// For the next tokens.
    pub refresh_token: Secret,
    /// When the access token runs out, in milliseconds since the Unix epoch.
    pub expires_at: u64,
    /// Whose login it is. Untrusted text.
    pub email: String,
    /// The name for people. Untrusted text.
    pub name: String,
    /// What another version of the official client keeps there, kept as it is.
    extra: Map<String, Value>,
    /// How long the access token had left when this process got it, in milliseconds. The file does not say.
    lifetime: Option<u64>,
}

/// Tokens that run out within this time are renewed before use, as the official client does.
const RENEW_BEFORE_MS: u64 = 60_000;

impl StoredLogin {
    /// A new login. The official client takes no empty name, so the address stands in for one.
    pub fn new(tokens: TokenSet, email: String, name: String, now: u64) -> Self {
        let name = if name.trim().is_empty() {
            email.clone()
        } else {
            name
        };
        Self {
            expires_at: expiry(now, tokens.expires_in),
            access_token: tokens.access_token,
            refresh_token: tokens.refresh_token,
            email,
            name,
            extra: Map::new(),
            lifetime: Some(milliseconds(tokens.expires_in)),
        }
    }

    pub(super) fn from_environment(
        access: Secret,
        refresh: Secret,
        subject: String,
        expires_at: u64,
    ) -> Self {
        Self {
            access_token: access,
            refresh_token: refresh,
            expires_at,
            name: subject.clone(),
            email: subject,
            extra: Map::new(),
            lifetime: None,
        }
    }

    /// The same login with new tokens.
    pub(super) fn renewed(&self, tokens: TokenSet, now: u64) -> Self {
        Self {
            expires_at: expiry(now, tokens.expires_in),
            access_token: tokens.access_token,
            refresh_token: tokens.refresh_token,
            lifetime: Some(milliseconds(tokens.expires_in)),
            ..self.clone()
        }
    }

    /// This login, as the file has it, if another process has stored it since `held` was read and it
    /// still works.
    pub(super) fn instead_of(mut self, held: &Self, now: u64) -> Option<Self> {
        self.lifetime = Some(self.expires_at.saturating_sub(now));
        (self.access_token != held.access_token && !self.is_over(now)).then_some(self)
    }

    /// The address that it was made for, where that is known: the official client does not say.
    pub fn made_for(&self) -> Option<ApiUrl> {
        ApiUrl::parse(self.extra.get(MADE_FOR)?.as_str()?).ok()
    }

    /// The address that it was made for, if that is another one.
    pub fn elsewhere(&self, url: &ApiUrl) -> Option<ApiUrl> {
        self.made_for().filter(|made_for| made_for != url)
    }

    /// The same login, made for the address that the process names, if it names one: who gives both gives
    /// the one for the other.
    pub(super) fn beside(self, vars: &Vars) -> Self {
        const API_URL: &str = "BASE44_API_URL";
        let own = vars.origin(API_URL) == Some(&SetBy::Process);
        let url = vars.get(API_URL).filter(|_| own);
        match url.and_then(|url| ApiUrl::parse(url).ok()) {
            Some(url) => self.for_address(&url),
            None => self,
        }
    }

    /// The same login, made for this address.
    #[must_use]
    pub fn for_address(mut self, url: &ApiUrl) -> Self {
        self.extra.insert(MADE_FOR.to_owned(), url.as_str().into());
        self
    }

    /// Whether the access token is to be renewed before it is used. One that lives for less than two
    /// minutes is used for half its life: else each request would renew it, and revoke it for the others.
    pub fn is_due(&self, now: u64) -> bool {
        let margin = self.lifetime.map_or(RENEW_BEFORE_MS, |lifetime| {
            RENEW_BEFORE_MS.min(lifetime / 2)
        });
        now.saturating_add(margin) >= self.expires_at
    }

    /// Whether the access token is worth nothing any more.
    pub fn is_over(&self, now: u64) -> bool {
        now >= self.expires_at
    }

    /// Reads the file's content; the error says what is wrong and quotes none of it.
    pub fn from_json(bytes: &[u8]) -> Result<Self, String> {
        let file: Read = decode(bytes).map_err(|wrong| wrong.fault)?;
        Ok(Self {
            access_token: file.access_token,
            refresh_token: file.refresh_token,
            expires_at: file.expires_at,
            email: file.email,
            name: file.name,
            extra: file.extra,
            lifetime: None,
        })
    }

    /// The file's content.
    pub fn to_json(&self) -> Zeroizing<Vec<u8>> {
        let file = Written {
            access_token: self.access_token.expose(),
            refresh_token: self.refresh_token.expose(),
            expires_at: self.expires_at,
            email: &self.email,
            name: &self.name,
            extra: &self.extra,
        };
        // Strings, a number and JSON values: there is nothing in it that could fail.
        Zeroizing::new(serde_json::to_vec_pretty(&file).unwrap_or_default())
    }
}

fn expiry(now: u64, lifetime: Duration) -> u64 {
    now.saturating_add(milliseconds(lifetime))
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Read {
    #[serde(deserialize_with = "token")]
    access_token: Secret,
    #[serde(deserialize_with = "token")]
    refresh_token: Secret,
    expires_at: u64,
    email: String,
    name: String,
    #[serde(flatten)]
    extra: Map<String, Value>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Written<'a> {
    access_token: &'a str,
    refresh_token: &'a str,
    expires_at: u64,
    email: &'a str,
    name: &'a str,
    #[serde(flatten)]
    extra: &'a Map<String, Value>,
}

/// Not empty, and fit for a header: the file may have been edited by hand.
fn token<'de, D: Deserializer<'de>>(from: D) -> Result<Secret, D::Error> {
    let text = String::deserialize(from)?;
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(serde::de::Error::custom(
            "a token is printable ASCII without spaces",
        ));
    }
    Ok(Secret::new(text))
}

/// Where the login is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoginFile {
    path: PathBuf,
}

/// The key for the address that a login was made for; the official client leaves it alone.
const MADE_FOR: &str = "apiUrl";
/// A file of more bytes than this is not a login.
const LIMIT: u64 = 256 * 1024;
/// How long another process may take to renew the login; its own calls are bounded likewise.
const LOCK_TIMEOUT: Duration = Duration::from_mins(1);

impl LoginFile {
    /// The official client's place below a person's home folder.
    pub fn in_home(home: &Path) -> Self {
        Self {
            path: home.join(".base44").join("auth").join("auth.json"),
        }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads the login. `None` if nobody is logged in.
    pub fn read(&self) -> Result<Option<StoredLogin>, AuthError> {
        let bytes = match fs::read_limited(&self.path, LIMIT) {
            Ok(bytes) => Zeroizing::new(bytes),
            Err(error) if error.is_not_found() => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        StoredLogin::from_json(&bytes)
            .map(Some)
            .map_err(|fault| AuthError::Malformed {
                path: self.path.clone(),
                fault,
            })
    }

    /// Stores a login, privately. Take the [`lock`](Self::lock) first.
    pub fn write(&self, login: &StoredLogin) -> Result<(), AuthError> {
        self.ensure_folder()?;
        // Some people keep their own files elsewhere; no checkout has a say in this path.
        let path = self.path.canonicalize();
        Ok(fs::write(
            path.as_deref().unwrap_or(&self.path),
            &login.to_json(),
            Visibility::Private,
        )?)
    }

    /// Stores a login that the environment brought, unless the file holds what became of an earlier one:
    /// renewing makes new tokens and often ends the old ones, which the environment still shows.
    pub(super) fn seed(&self, seed: &StoredLogin) -> Result<StoredLogin, AuthError> {
        let _lock = self.lock()?;
        // A damaged file is replaced: the environment says what is to stand there.
        if let Ok(Some(stored)) = self.read()
            && stored.email == seed.email
            && stored.expires_at >= seed.expires_at
            // One of an earlier version has no address.
            && stored.made_for().is_none_or(|at| Some(at) == seed.made_for())
        {
            return Ok(stored);
        }
        self.write(seed)?;
        Ok(seed.clone())
    }

    /// Fails if this login, or one a little longer, could not be stored.
    pub(crate) fn make_sure_of_room(&self, login: &StoredLogin) -> Result<(), FsError> {
        let path = self.path.canonicalize();
        let bytes = login.to_json().len() + 4096;
        fs::probe_writable(path.as_deref().unwrap_or(&self.path), bytes)
    }

    /// Fails if no login could be stored here.
    pub fn check_writable(&self) -> Result<(), AuthError> {
        self.ensure_folder()?;
        let path = self.path.canonicalize();
        Ok(fs::probe_writable(
            path.as_deref().unwrap_or(&self.path),
            8192,
        )?)
    }

    /// Takes the rights of others away from the file, and from its folder.
    pub fn restrict(&self) -> Option<InsecurePermissions> {
        self.tighten_folder();
        fs::restrict_target(&self.path)
    }

    /// What the folder holds is private by itself, so that it needs no word.
    fn tighten_folder(&self) {
        let _ = self.path.parent().and_then(fs::restrict);
    }

    /// Removes the login, and what a renewal that was killed left beside it. `false` if there was
    /// none.
    pub fn remove(&self) -> Result<bool, AuthError> {
        let Some(folder) = self.path.parent().filter(|folder| folder.is_dir()) else {
            return Ok(false);
        };
        let lock = match self.lock() {
            Ok(lock) => Some(lock),
            // Where nothing can be written, nobody renews, and removing may still be possible.
            Err(AuthError::Fs(_)) => None,
            Err(busy) => return Err(busy),
        };
        // It may lie elsewhere, behind a link: that file is the login.
        let target = self.path.canonicalize();
        if let Some(place) = target.as_deref().ok().and_then(Path::parent) {
            fs::remove_leftovers(place);
        }
        fs::remove_leftovers(folder);
        let linked = target.as_deref().is_ok_and(|target| target != self.path);
        if let Ok(target) = &target
            && linked
        {
            fs::remove(target)?;
        }
        let removed = fs::remove(&self.path)?;
        drop(lock);
        Ok(removed)
    }

    /// Keeps other processes from changing the login. Waits for them; blocks.
    pub fn lock(&self) -> Result<Lock, AuthError> {
        self.lock_within(LOCK_TIMEOUT)
    }

    /// The same without holding up what else runs on this thread, and for no longer than `limit`.
    pub(crate) async fn lock_soon(&self, limit: Option<Duration>) -> Result<Lock, AuthError> {
        let end = Instant::now() + limit.map_or(LOCK_TIMEOUT, |limit| limit.min(LOCK_TIMEOUT));
        loop {
            match self.lock_within(Duration::ZERO) {
                Err(AuthError::Busy { .. }) if Instant::now() < end => {
                    tokio::time::sleep(Duration::from_millis(25)).await;
                }
                done => return done,
            }
        }
    }

    fn lock_within(&self, timeout: Duration) -> Result<Lock, AuthError> {
        self.ensure_folder()?;
        let holder = format!("connplan, process {}", std::process::id());
        Ok(Lock::acquire(
            &self.path.with_extension("json.lock"),
            timeout,
            &holder,
        )?)
    }

    fn ensure_folder(&self) -> Result<(), AuthError> {
        if let Some(folder) = self.path.parent() {
            fs::ensure_private_dir(folder)?;
        }
        self.tighten_folder();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"{
  "accessToken": "canary-a",
  "refreshToken": "canary-r",
  "expiresAt": 1700000000000,
  "email": "ada@example.com",
  "name": "Ada",
  "workspace": {
    "id": 7
  }
}"#;

    #[test]
    fn the_file_keeps_the_official_shape_and_what_it_does_not_know() {
        let login = StoredLogin::from_json(FILE.as_bytes()).unwrap();
        assert_eq!(String::from_utf8_lossy(&login.to_json()), FILE);
        assert!(!format!("{login:?}").contains("canary"));
    }

    #[test]
    fn a_damaged_file_is_described_without_its_content() {
        for (body, fault) in [
            ("", "it is empty"),
            ("{", "it is not JSON (line 1, column 1)"),
            ("{}", "`accessToken` is missing"),
            (
                r#"{"accessToken": "canary\n"}"#,
                "a token is printable ASCII without spaces",
            ),
            (
                &FILE.replace("1700000000000", "\"canary\""),
                "`expiresAt` is not u64",
            ),
        ] {
            let told = StoredLogin::from_json(body.as_bytes()).unwrap_err();
            assert!(
                told.contains(fault) && !told.contains("canary"),
                "{told} / {fault}"
            );
        }
    }

    #[test]
    fn a_login_is_due_a_minute_before_it_ends() {
        let login = StoredLogin::from_json(FILE.as_bytes()).unwrap();
        let end = login.expires_at;
        assert!(!login.is_due(end - 60_001));
        assert!(login.is_due(end - 60_000));
        assert!(!login.is_over(end - 1));
        assert!(login.is_over(end));
    }

    #[test]
    fn logging_out_twice_is_no_error_and_makes_no_folder() {
        let home = tempfile::tempdir().unwrap();
        let file = LoginFile::in_home(home.path());
        assert!(!file.remove().unwrap());
        assert!(!home.path().join(".base44").exists());
        file.write(&StoredLogin::from_json(FILE.as_bytes()).unwrap())
            .unwrap();
        assert!(file.remove().unwrap());
        assert_eq!(file.read().unwrap(), None);
    }
}

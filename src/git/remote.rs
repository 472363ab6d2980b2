//! The remotes of a checkout, and which of them is meant.

use std::{path::Path, sync::PoisonError};

use super::{
    Checkout, GitError, RemoteName,
    command::{Place, Run, failed},
};
use crate::model::{self, RunRepository, Secret, sha256};

/// Where a remote of a checkout is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteAddress {
    /// Its name.
    pub name: RemoteName,
    pub(super) fetch: Secret,
    pub(super) push: Secret,
    /// Headers that the checkout step of a pipeline keeps for it, as configuration.
    pub(super) headers: Vec<(String, Secret)>,
    /// Whether the objects of the checkout are named by SHA-256.
    pub(super) sha256: bool,
    /// Whether it is a remote of the checkout: then its objects are named alike.
    pub(super) is_clones: bool,
}

impl RemoteAddress {
    /// A repository that is not a remote of a checkout, by an address of the kinds that one may have; a folder by its
    /// whole path.
    pub fn parse(name: RemoteName, text: &str) -> Result<Self, &'static str> {
        let at = match folder(text)? {
            Some(path) if !Path::new(path).is_absolute() => {
                return Err("a folder is named by its whole path");
            }
            at => at.unwrap_or(text),
        };
        let address = Secret::new(at);
        Ok(Self {
            name,
            fetch: address.clone(),
            push: address,
            headers: Vec::new(),
            sha256: false,
            is_clones: false,
        })
    }

    /// Whether it is that repository.
    pub fn is_of(&self, repository: &RunRepository) -> bool {
        repository.is_at(self.fetch.expose())
    }

    /// Whether it is that repository, at the forge itself.
    pub fn is_own(&self, repository: &RunRepository) -> bool {
        repository.is_its_own(self.fetch.expose())
    }

    /// The host, where it is on one: `github.com`.
    pub fn host(&self) -> Option<String> {
        let text = self.fetch.expose();
        if let Ok(url) = url::Url::parse(text) {
            return url.host_str().map(str::to_owned);
        }
        let (host, _) = text.split_once(':')?;
        host.rsplit('@').next().map(str::to_owned)
    }

    /// The repository of a run, where this remote is of another one beyond doubt.
    pub fn instead(&self, run: &RunRepository) -> Option<Self> {
        let address = Secret::new(run.instead_of(self.fetch.expose())?);
        Some(Self {
            name: RemoteName::parse(&run.name).unwrap_or_else(|_| self.name.clone()),
            fetch: address.clone(),
            push: address,
            ..self.clone()
        })
    }

    /// The name by which a user trusts it as a store.
    pub fn store_name(&self) -> String {
        format!("git:{}", self.identity())
    }

    /// A file name that is the same for every clone of this remote on this machine.
    pub fn cache_name(&self) -> String {
        sha256(self.identity().as_bytes(), 16)
    }

    /// What is the same for every clone of this remote on this machine, without credentials: what is read of it may
    /// come from elsewhere than what is written goes to.
    pub fn identity(&self) -> String {
        let [fetch, push] = [&self.fetch, &self.push].map(|at| without_credentials(at.expose()));
        if fetch == push {
            return push;
        }
        format!("{fetch}, written to {push}")
    }
}

/// The folder that an address leads to; none where it leads to a host. Others than these kinds are not used.
fn folder(text: &str) -> Result<Option<&str>, &'static str> {
    if text.starts_with('-') || text.contains(|c: char| c.is_control()) {
        return Err("it is not an address");
    }
    Ok(match text.split_once("://") {
        Some(("https" | "http" | "ssh" | "git", _)) => None,
        Some(("file", path)) => Some(path),
        Some(_) => return Err("its scheme is another"),
        None if text.contains("::") => return Err("it names a helper program"),
        // `host:path`, unless a `/` comes first; `C:\…` is a drive.
        None => match text.split_once(':') {
            Some((host, _)) if host.len() > 1 && !host.contains('/') => None,
            _ => Some(text),
        },
    })
}

fn without_credentials(text: &str) -> String {
    match url::Url::parse(text) {
        Ok(mut url) => {
            let _ = url.set_username("");
            let _ = url.set_password(None);
            url.to_string()
        }
        Err(_) => text.to_owned(),
    }
}

/// What the configuration says of the remotes.
#[cfg_attr(test, derive(Debug))]
struct Remotes(Vec<(String, String)>);

impl Remotes {
    fn of(text: &Secret) -> Self {
        let settings = text.expose().split('\0').filter_map(|setting| {
            let (key, value) = setting.split_once('\n')?;
            Some((key.to_owned(), value.to_owned()))
        });
        Self(settings.collect())
    }

    fn value(&self, key: &str) -> Option<&str> {
        let found = self.0.iter().find(|(setting, _)| setting == key);
        found.map(|(_, value)| value.as_str())
    }

    fn sha256(&self) -> bool {
        self.value("extensions.objectformat") == Some("sha256")
    }

    fn url(&self, name: &RemoteName) -> Option<&str> {
        self.value(&format!("remote.{name}.url"))
    }

    /// What a checkout step leaves for an address: a header of that name alone, for a host that it names. Whoever can
    /// write into `.git` would have another one (`Host`) lead to another server, with the run's own credentials.
    fn headers(&self, address: &str) -> Vec<(String, Secret)> {
        let is_left = |(key, value): &&(String, String)| {
            let place = key.strip_prefix("http.");
            let place = place.and_then(|key| key.strip_suffix(".extraheader"));
            let names_host =
                place.is_some_and(|at| !at.contains('*') && url::Url::parse(at).is_ok());
            let header = value.split_once(':').map(|(name, _)| name);
            let is_it = header.is_some_and(|name| name.eq_ignore_ascii_case("authorization"));
            names_host && is_it && !value.contains(char::is_control)
        };
        if url::Url::parse(address).is_ok_and(|url| url.password().is_some()) {
            return Vec::new();
        }
        let headers = self.0.iter().filter(is_left);
        headers
            .map(|(key, value)| (key.clone(), Secret::new(value.as_str())))
            .collect()
    }

    /// All that have an address.
    fn names(&self) -> Vec<RemoteName> {
        let keys = self.0.iter().filter_map(|(key, _)| {
            let name = key.strip_prefix("remote.")?.strip_suffix(".url")?;
            RemoteName::parse(name).ok()
        });
        let mut names: Vec<_> = keys.collect();
        model::sort(&mut names, Ord::cmp);
        names.dedup();
        names
    }

    /// The remote of this name. Where none is called `origin`, the only one is meant, or the one that is of the
    /// run's repository: who clones may call it as they like.
    fn meant(&self, run: Option<&RunRepository>, name: &RemoteName) -> Option<RemoteName> {
        if self.url(name).is_some() {
            return Some(name.clone());
        }
        let mut names = self.names();
        if names.len() > 1 {
            let is_own = |name: &RemoteName| {
                self.url(name)
                    .zip(run)
                    .is_some_and(|(url, run)| run.is_at(url))
            };
            names.retain(is_own);
        }
        let is_origin = *name == RemoteName::origin();
        names.into_iter().next().filter(|_| is_origin)
    }
}

impl Checkout {
    /// What its configuration says of its remotes, and what a pipeline's checkout step left for them: one run,
    /// for all who ask.
    async fn remote_settings(&self) -> Result<Remotes, GitError> {
        let known = || {
            self.git
                .remotes
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
        };
        if let Some(text) = known().get(&self.root) {
            return Ok(Remotes::of(text));
        }
        let wanted = r"^(remote\..*\.(url|pushurl)|http\..*extraheader|extensions\.objectformat)$";
        let args = ["config", "--null", "--get-regexp", wanted];
        let run = Run::new("read the remote's address", &args);
        let output = self.git.run(Place::Checkout(&self.root), run).await?;
        if output.code != Some(0) && output.code != Some(1) {
            return Err(failed("read the remote's address", &output.stderr));
        }
        let text = Secret::new(output.text());
        let remotes = Remotes::of(&text);
        known().insert(self.root.clone(), text);
        Ok(remotes)
    }

    /// The names of its remotes.
    pub async fn remotes(&self) -> Result<Vec<RemoteName>, GitError> {
        Ok(self.remote_settings().await?.names())
    }

    /// What it calls the remote that is meant by `origin`, in a run of a repository; none where that cannot be told.
    pub async fn origin(
        &self,
        run: Option<&RunRepository>,
    ) -> Result<Option<RemoteName>, GitError> {
        let settings = self.remote_settings().await?;
        Ok(settings.meant(run, &RemoteName::origin()))
    }

    /// Where the remote is that is meant by a name, in a run of a repository.
    pub async fn remote(
        &self,
        run: Option<&RunRepository>,
        name: &RemoteName,
    ) -> Result<RemoteAddress, GitError> {
        let settings = self.remote_settings().await?;
        let name = settings
            .meant(run, name)
            .ok_or_else(|| GitError::NoRemote {
                remote: name.to_string(),
            })?;
        let fetch = self.address(&name, settings.url(&name).unwrap_or_default())?;
        let mut push = match settings.value(&format!("remote.{name}.pushurl")) {
            Some(push) => self.address(&name, push)?,
            None => fetch.clone(),
        };
        // An earlier job on the same runner may have left another one to write to.
        if run.is_some_and(|run| !run.is_at(&push) && !RunRepository::is_one(&fetch, &push)) {
            push.clone_from(&fetch);
        }
        Ok(RemoteAddress {
            headers: settings.headers(&fetch),
            sha256: settings.sha256(),
            is_clones: true,
            fetch: Secret::new(fetch),
            push: Secret::new(push),
            name,
        })
    }

    /// A repository that is none of its remotes, with what a pipeline's checkout step left for its host.
    pub async fn reach(&self, remote: &RemoteAddress) -> Result<RemoteAddress, GitError> {
        let settings = self.remote_settings().await?;
        Ok(RemoteAddress {
            headers: settings.headers(remote.fetch.expose()),
            sha256: settings.sha256(),
            ..remote.clone()
        })
    }

    /// An address of a kind that is used, as it is from any folder.
    fn address(&self, remote: &RemoteName, text: &str) -> Result<String, GitError> {
        let refuse = |reason| GitError::Address {
            remote: remote.to_string(),
            reason,
        };
        let Some(path) = folder(text).map_err(refuse)? else {
            return Ok(text.to_owned());
        };
        let path = self.root.join(path);
        let path = path.canonicalize().map_err(|_| GitError::Away {
            remote: remote.to_string(),
            said: "there is no such folder".to_owned(),
        })?;
        // Its hooks would run, and somebody else brought them.
        if path.starts_with(&self.root) {
            return Err(refuse("it lies inside the checkout"));
        }
        Ok(path.display().to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Vars;

    #[test]
    fn the_only_remote_or_that_of_the_runs_repository_is_meant_by_origin() {
        let own = ("upstream", "git@github.com:octo/site.git");
        let fork = ("eve", "https://github.com/eve/site");
        let mirror = ("mirror", "/srv/site.git");
        let run = RunRepository::of(&Vars::of(&[("GITHUB_REPOSITORY", "octo/site")]));
        for (remotes, run, meant) in [
            (&[own][..], None, Some("upstream")),
            (&[fork], None, Some("eve")),
            (&[fork], run.as_ref(), Some("eve")),
            (&[own, fork], None, None),
            (&[own, fork, mirror], run.as_ref(), Some("upstream")),
            (&[fork, mirror], run.as_ref(), None),
            (&[own, ("origin", fork.1)], run.as_ref(), Some("origin")),
            (&[], run.as_ref(), None),
        ] {
            let settings = remotes
                .iter()
                .map(|(name, url)| (format!("remote.{name}.url"), (*url).to_owned()));
            let remotes = Remotes(settings.collect());
            let found = remotes.meant(run, &RemoteName::origin());
            assert_eq!(found.as_ref().map(RemoteName::as_str), meant, "{remotes:?}");
            let other = RemoteName::parse("other").unwrap();
            assert_eq!(remotes.meant(run, &other), None);
        }
    }

    #[test]
    fn of_headers_those_count_that_a_checkout_step_leaves_for_a_host() {
        let token = "AUTHORIZATION: basic x";
        let own = "http.https://github.com/.extraheader";
        let headers = |key: &str, value: &str, address: &str| {
            let remotes = Remotes(vec![(key.to_owned(), value.to_owned())]);
            remotes.headers(address).len()
        };
        let address = "https://github.com/o/r";
        assert_eq!(headers(own, token, address), 1);
        for (key, value, address) in [
            (own, token, "https://u:t@github.com/o/r"),
            (own, "Host: evil.example", address),
            (own, "Authorization : x", address),
            (own, "", address),
            (own, "AUTHORIZATION: basic x\r\nHost: evil.example", address),
            ("http.extraheader", token, address),
            ("http.https://*/.extraheader", token, address),
            ("http.github.com.extraheader", token, address),
        ] {
            assert_eq!(headers(key, value, address), 0, "{key} {value:?}");
        }
    }

    /// Whoever brings a configuration may name a trusted remote for writing alone.
    #[test]
    fn a_remote_is_another_one_where_it_is_read_from_elsewhere() {
        let at = |fetch: &str, push: &str| {
            let remote = RemoteAddress {
                push: Secret::new(push),
                ..RemoteAddress::parse(RemoteName::origin(), fetch).unwrap()
            };
            remote.identity()
        };
        let own = "https://u:t@a.example/o/site";
        assert_eq!(at(own, own), "https://a.example/o/site");
        assert_eq!(
            at("https://b.example/x", own),
            "https://b.example/x, written to https://a.example/o/site"
        );
    }
}

//! Which repository a pipeline runs for, and whether a remote is another one. Untrusted text.

use url::{Host, Position, Url};

use super::Vars;

/// The repository that a run is of; of a merge request the one that it goes into.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunRepository {
    /// Its address in a browser.
    pub url: Url,
    /// Its name there, such as `owner/name`.
    pub name: String,
    /// Where the runner clones it from, if that is told: GitLab's may be set to another address.
    pub cloned_from: Option<String>,
}

/// Where an address leads: to which host, and where on it.
struct Leads {
    host: String,
    /// Whether that is one for everybody: an IP address and a name without a dot are a network's own.
    is_name: bool,
    port: Option<u16>,
    path: String,
    ssh: bool,
}

impl RunRepository {
    /// As the variables of GitHub Actions and GitLab CI tell it.
    pub fn of(vars: &Vars) -> Option<Self> {
        let get = |name: &str| vars.get(name).filter(|text| !text.is_empty());
        let github = || {
            let server = get("GITHUB_SERVER_URL").unwrap_or("https://github.com");
            let name = get("GITHUB_REPOSITORY")?;
            Some((format!("{}/{name}", server.trim_end_matches('/')), name))
        };
        let gitlab = || {
            let (url, name) = match get("CI_MERGE_REQUEST_PROJECT_URL") {
                Some(url) => (url, get("CI_MERGE_REQUEST_PROJECT_PATH")),
                None => (get("CI_PROJECT_URL")?, get("CI_PROJECT_PATH")),
            };
            Some((url.to_owned(), name.unwrap_or_default()))
        };
        let (url, name) = match get("GITHUB_ACTIONS") {
            Some(_) => github(),
            None => gitlab().or_else(github),
        }?;
        let url = Url::parse(&url).ok().filter(Url::has_host)?;
        let name = match plain(name).as_str() {
            "" => url.path(),
            _ => name,
        };
        let name = name.trim_matches('/').to_owned();
        // The pipeline of a fork clones the fork.
        let of = ["CI_PROJECT_URL", "CI_MERGE_REQUEST_PROJECT_URL"].map(get);
        let is_own = of[1].is_none() || of[0] == of[1];
        let cloned_from = get("CI_REPOSITORY_URL").filter(|_| is_own);
        (!name.is_empty()).then_some(Self {
            url,
            name,
            cloned_from: cloned_from.map(str::to_owned),
        })
    }

    /// Whether this address leads to it, on its own host.
    pub fn is_at(&self, address: &str) -> bool {
        let same = [plain(self.url.path()), plain(&self.name)];
        let own = self.url.host_str().map(plain_host);
        Leads::of(address)
            .is_some_and(|there| Some(&there.host) == own.as_ref() && same.contains(&there.path))
    }

    /// The same, at the forge itself: by SSH, which knows the host, or at the port that the run is told.
    pub fn is_its_own(&self, address: &str) -> bool {
        let from = self.cloned_from.as_deref().and_then(Leads::of);
        let ports = [
            self.url.port_or_known_default(),
            from.and_then(|from| from.port),
        ];
        let is_port = |there: Leads| there.ssh || ports.contains(&there.port);
        self.is_at(address) && Leads::of(address).is_some_and(is_port)
    }

    /// Whether two addresses lead to one repository of one server, whoever logs in there: SSH and https at their own
    /// ports are one, and any other port or protocol may be somebody else's.
    pub fn is_one(one: &str, other: &str) -> bool {
        let leads = [one, other].map(|address| Some((Leads::of(address)?, service(address))));
        match leads.each_ref().map(Option::as_ref) {
            [Some((one, by)), Some((other, by_other))] => {
                (&one.host, &one.path, by) == (&other.host, &other.path, by_other)
            }
            _ => one == other,
        }
    }

    /// Where this address would have to lead, if it is one of another repository beyond doubt. A folder, a mirror
    /// that calls it as it is called, or a host other than the run's that has no name of its own says nothing of the
    /// kind.
    pub fn instead_of(&self, address: &str) -> Option<String> {
        let there = Leads::of(address)?;
        let cloned_from = self.cloned_from.as_deref().and_then(Leads::of);
        if cloned_from.is_some_and(|from| from.is_same(&there)) {
            return None;
        }
        let own = self.url.host_str().map(plain_host)?;
        let same_port = there.ssh || there.port == self.url.port_or_known_default();
        let same_host = there.host == own && (there.is_name || same_port);
        let same = [plain(self.url.path()), plain(&self.name)];
        if (!there.is_name && !same_host) || same.contains(&there.path) {
            return None;
        }
        // The way that the pipeline has to its forge, credentials and all.
        let path = if there.ssh {
            &self.name
        } else {
            self.url.path().trim_matches('/')
        };
        let path = format!("{path}.git");
        Some(match Url::parse(address) {
            Ok(mut url) if same_host && url.has_host() => {
                url.set_path(&path);
                url.set_query(None);
                url.set_fragment(None);
                url.to_string()
            }
            _ if same_host => {
                let (host, _) = address.split_once(':')?;
                format!("{host}:{path}")
            }
            _ => format!("{}.git", self.url.as_str().trim_end_matches('/')),
        })
    }
}

impl Leads {
    fn is_same(&self, other: &Self) -> bool {
        (&self.host, self.port, &self.path) == (&other.host, other.port, &other.path)
    }

    /// None of a folder.
    fn of(address: &str) -> Option<Self> {
        if address.contains("://") {
            let url = Url::parse(address).ok()?;
            let ssh = url.scheme() == "ssh";
            let own = ["https", "http", "ssh", "git"].contains(&url.scheme());
            let host = url.host_str().filter(|_| own)?;
            let port = url.port_or_known_default();
            return Some(Self {
                port,
                // What git asks for stands behind the query, so it belongs to the path.
                ..Self::at(host, &url[Position::BeforePath..], ssh)
            });
        }
        // `host:path`; a letter alone is a drive.
        let (host, path) = address.split_once(':')?;
        let is_host = host.len() > 1 && !host.contains(['/', '\\']);
        let host = host.rsplit('@').next()?;
        let there = is_host.then(|| Self::at(host, path, true))?;
        // A folder of a machine of this network: forges' paths begin with the owner.
        (there.is_name || !path.starts_with('/')).then_some(there)
    }

    fn at(host: &str, path: &str, ssh: bool) -> Self {
        let host = plain_host(host);
        let is_name = host.contains('.') && matches!(Host::parse(&host), Ok(Host::Domain(_)));
        Self {
            host,
            is_name,
            port: None,
            path: plain(path),
            ssh,
        }
    }
}

/// The protocol and port of an address; none for SSH and https at their own ports.
fn service(address: &str) -> Option<(String, Option<u16>)> {
    let url = Url::parse(address).ok().filter(Url::has_host)?;
    let (scheme, port) = (url.scheme(), url.port());
    let is_own = scheme == "https" && port.is_none() || scheme == "ssh" && port.unwrap_or(22) == 22;
    (!is_own).then(|| (scheme.to_owned(), port))
}

fn plain_host(host: &str) -> String {
    host.trim_end_matches('.').to_ascii_lowercase()
}

/// `/Owner//Name.git/` is `owner/name`.
fn plain(path: &str) -> String {
    let path = path.to_lowercase();
    let parts: Vec<_> = path.split('/').filter(|part| !part.is_empty()).collect();
    let path = parts.join("/");
    path.strip_suffix(".git").unwrap_or(&path).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(vars: &[(&str, &str)]) -> Option<RunRepository> {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        RunRepository::of(&vars.iter().map(owned).collect())
    }

    #[test]
    fn where_a_runner_clones_from_is_the_runs_repository() {
        let runner = [
            ("CI_PROJECT_URL", "https://gitlab.example/g/s"),
            ("CI_PROJECT_PATH", "g/s"),
            (
                "CI_REPOSITORY_URL",
                "http://gitlab-ci-token:glcbt-canary@proxy.internal/gl/g/s.git",
            ),
        ];
        let own = of(&runner).unwrap();
        assert_eq!(own.instead_of("http://proxy.internal/gl/g/s.git"), None);
        for (address, is_own) in [
            ("https://oauth2:key@gitlab.example/g/s.git", true),
            ("git@gitlab.example:g/s.git", true),
            ("https://gitlab.example:9999/g/s.git", false),
            ("git://gitlab.example/g/s.git", false),
            ("https://gitlab.example/eve/s.git", false),
        ] {
            assert_eq!(own.is_its_own(address), is_own, "{address}");
        }
        for other in [
            "http://proxy.internal/gl/eve/s.git",
            "http://proxy.internal:8080/gl/g/s.git",
        ] {
            assert!(own.instead_of(other).is_some(), "{other}");
        }
        // The pipeline of a fork, for a request into this one.
        let of_fork = [
            ("CI_MERGE_REQUEST_PROJECT_URL", "https://gitlab.example/o/s"),
            ("CI_MERGE_REQUEST_PROJECT_PATH", "o/s"),
        ];
        let of_fork = of(&[&runner[..], &of_fork].concat()).unwrap();
        let fork = of_fork.instead_of("http://proxy.internal/gl/g/s.git");
        assert_eq!(fork.as_deref(), Some("https://gitlab.example/o/s.git"));
    }

    #[test]
    fn one_repository_is_that_of_one_server_whoever_logs_in() {
        let known = "https://forge.example/t/r";
        for (known, here, is_one) in [
            (known, "https://x:token@Forge.example:443//T/r.git/", true),
            (known, "git@forge.example:t/r.git", true),
            (known, "ssh://git@forge.example:22/t/r", true),
            (known, "https://forge.example/t/other", false),
            (known, "https://other.example/t/r", false),
            (known, "https://forge.example:8443/t/r", false),
            (known, "ssh://git@forge.example:2222/t/r", false),
            (known, "http://forge.example/t/r", false),
            (known, "http://forge.example:443/t/r", false),
            (known, "git://forge.example/t/r", false),
            (known, "https://forge.example/t/r?x=1", false),
            (known, "https://forge.example/t/r?x=1#y", false),
            (known, "https://forge.example/t/r#y", false),
            (
                "http://localhost:3000/t/r",
                "http://localhost:3000/t/r.git",
                true,
            ),
            (
                "http://localhost:3000/t/r",
                "http://localhost:4001/t/r",
                false,
            ),
            (
                "http://localhost:3000/t/r",
                "https://localhost:3000/t/r",
                false,
            ),
            ("git://forge.example/t/r", "git://forge.example/t/r/", true),
            ("srv:git/r.git", "srv:git/r", true),
            ("srv:git/r.git", "/srv/git/r.git", false),
            ("/srv/git/r.git", "/srv/git/r.git", true),
        ] {
            assert_eq!(RunRepository::is_one(known, here), is_one, "{known} {here}");
            assert_eq!(RunRepository::is_one(here, known), is_one, "{here} {known}");
        }
        // Of a run's repository, it is another one.
        let run = of(&[("GITHUB_REPOSITORY", "o/r")]).unwrap();
        let asked = "https://github.com/o/r?x=1#y";
        assert!(!run.is_at(asked));
        let own = run.instead_of(asked);
        assert_eq!(own.as_deref(), Some("https://github.com/o/r.git"));
    }

    #[test]
    fn only_an_address_that_names_another_repository_is_not_believed() {
        let github = of(&[("GITHUB_REPOSITORY", "Octo/Site")]).unwrap();
        let gitlab = of(&[
            ("GITLAB_CI", "true"),
            ("GITHUB_REPOSITORY", "octo/site"),
            ("CI_PROJECT_URL", "https://git.example/lab/eve/site"),
            ("CI_PROJECT_PATH", "eve/site"),
            (
                "CI_MERGE_REQUEST_PROJECT_URL",
                "https://git.example/lab/g/sub/site",
            ),
            ("CI_MERGE_REQUEST_PROJECT_PATH", "g/sub/site"),
        ])
        .unwrap();
        let intern = of(&[
            ("GITHUB_SERVER_URL", "https://gitea"),
            ("GITHUB_REPOSITORY", "octo/site"),
        ])
        .unwrap();
        let own = [
            (&github, "https://github.com/octo/site"),
            (&github, "https://x:token@GitHub.com:443//octo/site.git/"),
            (&github, "git@github.com:octo/site.git"),
            (&github, "ssh://git@ssh.github.com:443/octo/site"),
            (&github, "work:octo/site"),
            (&github, "https://mirror.example/octo/site.git"),
            // Nothing is known of these.
            (&github, "work:eve/site"),
            (&github, "/srv/site.git"),
            (&github, "file:///srv/site.git"),
            (&github, "../eve/site"),
            (&github, r"C:\eve\site"),
            (&github, "http://127.0.0.1:8080/site.git"),
            (&github, "http://[::1]/site.git"),
            (&github, "http://localhost/site"),
            (&github, "http://gitea:3000/site"),
            (&gitlab, "https://git.example/lab/g/sub/site.git"),
            (&gitlab, "git@git.example:g/sub/site.git"),
            (&intern, "https://gitea/octo/site"),
            (&intern, "git@gitea:octo/site"),
            // Another service of that machine.
            (&intern, "https://gitea:3000/eve/site"),
            (&intern, "https://10.1.2.3/eve/site"),
            (&intern, "git@gitea:/srv/git/site.git"),
        ];
        for (run, address) in own {
            assert_eq!(run.instead_of(address), None, "{address}");
            let is_own = [
                "octo/site",
                "octo/site.git",
                "//octo/site.git/",
                "g/sub/site.git",
            ];
            let elsewhere = ["work:", "https://mirror", "ssh://git@ssh."];
            let is_own = is_own.iter().any(|path| address.ends_with(path))
                && !elsewhere.iter().any(|start| address.starts_with(start));
            assert_eq!(run.is_at(address), is_own, "{address}");
        }
        for (run, address, instead) in [
            (
                &github,
                "https://x:token@github.com/eve/site",
                "https://x:token@github.com/Octo/Site.git",
            ),
            (
                &github,
                "git@github.com:eve/site.git",
                "git@github.com:Octo/Site.git",
            ),
            (
                &github,
                "github.com:eve/site.git",
                "github.com:Octo/Site.git",
            ),
            (
                &github,
                "ssh://git@github.com/eve/octo/site",
                "ssh://git@github.com/Octo/Site.git",
            ),
            (
                &github,
                "https://codeberg.example/eve/site",
                "https://github.com/Octo/Site.git",
            ),
            // Whoever has a group there calls a repository so.
            (
                &github,
                "https://mirror.example/eve/octo/site.git",
                "https://github.com/Octo/Site.git",
            ),
            (
                &gitlab,
                "https://git.example/lab/eve/g/sub/site",
                "https://git.example/lab/g/sub/site.git",
            ),
            (
                &gitlab,
                "https://git.example/lab/eve/site",
                "https://git.example/lab/g/sub/site.git",
            ),
            (
                &gitlab,
                "git@git.example:sub/site",
                "git@git.example:g/sub/site.git",
            ),
            (
                &intern,
                "https://Gitea:443/eve/site",
                "https://gitea/octo/site.git",
            ),
            (&intern, "git@gitea:eve/site", "git@gitea:octo/site.git"),
        ] {
            let found = run.instead_of(address);
            assert_eq!(found.as_deref(), Some(instead), "{address}");
            assert!(!run.is_at(address) && run.is_at(instead), "{address}");
        }
        assert_eq!(of(&[("CI", "true")]), None);
        assert_eq!(of(&[("GITHUB_REPOSITORY", "/")]), None);
    }
}

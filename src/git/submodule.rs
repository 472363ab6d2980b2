//! What a repository says of one within it: `.gitmodules`.

use std::ffi::OsStr;

use super::{
    Checkout, CommitId, GitError, Objects, RemoteName,
    command::{Place, Run},
};
use crate::model::RunRepository;

impl Checkout {
    /// The same, where `origin` is at this address whatever its configuration says.
    #[must_use]
    pub fn with_origin(mut self, address: Option<String>) -> Self {
        self.origin = address;
        self
    }

    /// The address that `origin` was given so.
    pub fn given_origin(&self) -> Option<&str> {
        self.origin.as_deref()
    }

    /// Where `.gitmodules` of a commit has the repository at a path, if that is elsewhere than what is checked out
    /// says. `objects` has the commit.
    pub async fn moved_module(
        &self,
        run: Option<&RunRepository>,
        (objects, commit): (Objects<'_>, &CommitId),
        path: &str,
    ) -> Result<Option<String>, GitError> {
        const FILE: &str = ".gitmodules";
        let Some(before) = objects.show(commit, FILE).await? else {
            return Ok(None);
        };
        let Some(before) = self.module_url(&before, path).await? else {
            return Ok(None);
        };
        let is_relative = before.starts_with("./") || before.starts_with("../");
        let now = match self.head().await? {
            Some(head) => self.objects().show(&head, FILE).await?,
            None => None,
        };
        let now = match &now {
            Some(text) => self.module_url(text, path).await?,
            None => None,
        };
        if now.as_ref() == Some(&before) && (!is_relative || self.origin.is_none()) {
            return Ok(None);
        }
        if !is_relative {
            return Ok(Some(before));
        }
        let origin = self.remote(run, &RemoteName::origin()).await?;
        Ok(Some(joined(origin.fetch.expose(), &before)))
    }

    /// The address of the repository at a path. git takes the last one.
    async fn module_url(&self, text: &[u8], path: &str) -> Result<Option<String>, GitError> {
        let wanted = r"^submodule\..*\.(path|url)$";
        let args = ["config", "--file", "-", "--null", "--get-regexp", wanted];
        let run = Run {
            args: args.iter().map(OsStr::new).collect(),
            input: Some(text),
            ..Run::new("read .gitmodules", &[])
        };
        // One with errors gives nobody a submodule.
        let output = self.git.run(Place::Checkout(&self.root), run).await?;
        let text = output.text();
        let settings = text.split('\0').filter_map(|setting| {
            let (key, value) = setting.split_once('\n')?;
            let (name, key) = key.rsplit_once('.')?;
            Some((name, key, value))
        });
        let settings: Vec<_> = settings.collect();
        let names = settings
            .iter()
            .filter(|(_, key, value)| *key == "path" && value.trim_end_matches('/') == path);
        let names: Vec<_> = names.map(|(name, ..)| *name).collect();
        let url = settings
            .iter()
            .rfind(|(name, key, _)| *key == "url" && names.contains(name));
        Ok(url.map(|(.., url)| (*url).to_owned()))
    }
}

/// An address that is relative to another one, as git reads it.
fn joined(base: &str, relative: &str) -> String {
    let (mut base, mut rest, mut between) = (base.trim_end_matches('/'), relative, '/');
    loop {
        if let Some(below) = rest.strip_prefix("./") {
            rest = below;
        } else if let Some(beside) = rest.strip_prefix("../") {
            rest = beside;
            if let Some((above, _)) = base.rsplit_once('/') {
                base = above;
            } else if let Some((host, _)) = base.rsplit_once(':') {
                (base, between) = (host, ':');
            }
        } else {
            return format!("{base}{between}{rest}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_relative_to_that_of_the_repository_around() {
        for (base, relative, joint) in [
            (
                "https://x.example/octo/outer.git",
                "../shop.git",
                "https://x.example/octo/shop.git",
            ),
            (
                "https://x.example/octo/outer/",
                "../../eve/shop",
                "https://x.example/eve/shop",
            ),
            (
                "git@x.example:octo/outer.git",
                "../shop",
                "git@x.example:octo/shop",
            ),
            ("git@x.example:outer.git", "../shop", "git@x.example:shop"),
            ("/srv/outer", "./../shop", "/srv/shop"),
            ("/srv/outer", "./shop", "/srv/outer/shop"),
        ] {
            assert_eq!(joined(base, relative), joint, "{base} {relative}");
        }
    }
}

//! Moving a ref of a remote, if it is still where it was.

use super::{
    Depot, GitError, ObjectId, RefName, RemoteAddress,
    command::{Run, said},
    reach::reach,
};

/// One ref to be moved.
#[derive(Clone, Debug)]
pub struct Push<'a> {
    /// Which.
    pub reference: &'a RefName,
    /// Where it has to be now; `None` if it must not exist.
    pub from: Option<&'a ObjectId>,
    /// Where it goes; `None` takes it away.
    pub to: Option<&'a ObjectId>,
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pushed {
    /// It was moved.
    Done,
    /// It was elsewhere, or names objects in another way than this repository did until now.
    Moved,
}

impl Depot {
    /// Moves one ref of the remote. An error may come after it was moved.
    pub async fn push(&self, remote: &RemoteAddress, push: &Push<'_>) -> Result<Pushed, GitError> {
        const DOING: &str = "push";
        let reference = push.reference;
        let from = push.from.map_or("", ObjectId::as_str);
        let lease = format!("--force-with-lease={reference}:{from}");
        let to = push.to.map_or("", ObjectId::as_str);
        let refspec = format!("{to}:{reference}");
        let args = [
            "push",
            "--porcelain",
            "--no-verify",
            "--no-signed",
            &lease,
            Self::REMOTE,
            &refspec,
        ];
        let settings = self.settings(remote, true).await?;
        let mut run = Run::new(DOING, &args);
        run.private = &settings;
        let output = self.run(run).await?;
        if output.success {
            return Ok(Pushed::Done);
        }
        let text = output.text();
        let line = text.lines().find(|line| line.starts_with('!'));
        let Some(line) = line else {
            if self.turn(remote, &output.stderr).await? {
                return Ok(Pushed::Moved);
            }
            return Err(reach(remote, "write there", &output.stderr));
        };
        let moved = [
            "stale info",
            "fetch first",
            "non-fast-forward",
            "already exists",
            "cannot lock ref",
            "failed to update ref",
            "failed to lock",
            "incorrect old value",
            "but expected",
            "fetching first",
        ];
        if moved.iter().any(|words| line.contains(words)) {
            return Ok(Pushed::Moved);
        }
        let reason = line.rsplit_once('(').map_or(line, |(_, reason)| reason);
        let why = output
            .stderr
            .lines()
            .filter_map(|line| line.strip_prefix("remote: "));
        let why: Vec<_> = why
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .take(3)
            .collect();
        let words = format!("{} {}", reason.trim_end_matches(')'), why.join(" "));
        Err(GitError::Refused {
            remote: remote.name.to_string(),
            reference: reference.to_string(),
            said: said(words.trim()),
        })
    }
}

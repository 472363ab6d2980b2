//! New commits in a repository of ours, by one run of `git fast-import`.

use std::fmt::Write as _;

use super::{
    Depot, GitError, ObjectId, RefName,
    command::{Run, failed},
};

/// Who a commit is by. A fixed identity, so that nobody's address is published.
#[derive(Clone, Copy, Debug)]
pub struct Author;

impl Author {
    const NAME: &'static str = "connplan";
    const EMAIL: &'static str = "connplan@localhost";
}

/// A commit to be made.
#[derive(Clone, Debug)]
pub struct NewCommit<'a> {
    /// The commit it follows, if any; its files stay unless they are changed here.
    pub parent: Option<&'a ObjectId>,
    /// What it says of itself.
    pub message: &'a str,
    /// Seconds since 1970.
    pub time: i64,
    /// Files by path: new content, or gone.
    pub files: Vec<(&'a str, Option<&'a [u8]>)>,
}

/// A commit that was made.
#[derive(Clone, Debug)]
pub struct Made {
    /// Its name.
    pub commit: ObjectId,
    /// The names of the new contents, in the order of the files.
    pub contents: Vec<ObjectId>,
}

impl Depot {
    /// Makes a commit. Nothing refers to it yet.
    pub async fn commit(&self, new: &NewCommit<'_>) -> Result<Made, GitError> {
        const DOING: &str = "make a commit";
        // A name of its own: several may be at it.
        let name = format!("refs/connplan-new/{}", uuid::Uuid::new_v4().simple());
        let name = RefName::parse(&name)?;
        let mut stream: Vec<u8> = b"feature done\n".to_vec();
        let contents = new.files.iter().filter_map(|(_, content)| *content);
        for (index, content) in contents.clone().enumerate() {
            let mark = index + 2;
            let head = format!("blob\nmark :{mark}\ndata {}\n", content.len());
            stream.extend_from_slice(head.as_bytes());
            stream.extend_from_slice(content);
            stream.push(b'\n');
        }
        let mut head = String::new();
        let (who, email) = (Author::NAME, Author::EMAIL);
        let _ = write!(
            head,
            "commit {name}\nmark :1\ncommitter {who} <{email}> {} +0000\ndata {}\n{}\n",
            new.time,
            new.message.len(),
            new.message
        );
        if let Some(parent) = new.parent {
            let _ = writeln!(head, "from {parent}");
        }
        stream.extend_from_slice(head.as_bytes());
        let mut marks = 2..;
        for (path, content) in &new.files {
            // Paths are keys, checked where they are made: plain letters.
            let line = match content {
                None => format!("D {path}\n"),
                Some(_) => format!("M 100644 :{} {path}\n", marks.next().unwrap_or_default()),
            };
            stream.extend_from_slice(line.as_bytes());
        }
        stream.push(b'\n');
        for mark in 1..=contents.count() + 1 {
            stream.extend_from_slice(format!("get-mark :{mark}\n").as_bytes());
        }
        stream.extend_from_slice(
            format!(
                "reset {name}\nfrom {:0>1$}\n\ndone\n",
                0,
                if self.is_sha256() { 64 } else { 40 }
            )
            .as_bytes(),
        );
        let mut run = Run::new(
            DOING,
            &["fast-import", "--quiet", "--force", "--cat-blob-fd=1"],
        );
        run.input = Some(&stream);
        let output = self.run(run).await?;
        if !output.success {
            return Err(failed(DOING, &output.stderr));
        }
        let text = output.text();
        let mut names = text.lines().map(ObjectId::parse);
        let commit = names.next().unwrap_or_else(|| ObjectId::parse(""))?;
        let contents = names.collect::<Result<_, _>>()?;
        Ok(Made { commit, contents })
    }
}

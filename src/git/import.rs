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

impl Depot {
    /// Makes a commit. Nothing refers to it yet.
    pub async fn commit(&self, new: &NewCommit<'_>) -> Result<ObjectId, GitError> {
        const DOING: &str = "make a commit";
        // A name of its own: several may be at it.
        let name = format!("refs/connplan-new/{}", uuid::Uuid::new_v4().simple());
        let name = RefName::parse(&name)?;
        let mut stream: Vec<u8> = Vec::new();
        let mut head = String::new();
        let (who, email) = (Author::NAME, Author::EMAIL);
        let _ = write!(
            head,
            "feature done\ncommit {name}\nmark :1\ncommitter {who} <{email}> {} +0000\ndata {}\n{}\n",
            new.time,
            new.message.len(),
            new.message
        );
        if let Some(parent) = new.parent {
            let _ = writeln!(head, "from {parent}");
        }
        stream.extend_from_slice(head.as_bytes());
        for (path, content) in &new.files {
            // Paths are keys, checked where they are made: plain letters.
            match content {
                None => stream.extend_from_slice(format!("D {path}\n").as_bytes()),
                Some(content) => {
                    let head = format!("M 100644 inline {path}\ndata {}\n", content.len());
                    stream.extend_from_slice(head.as_bytes());
                    stream.extend_from_slice(content);
                    stream.push(b'\n');
                }
            }
        }
        let _ = writeln!(head);
        stream.extend_from_slice(format!("\nget-mark :1\nreset {name}\nfrom 0000000000000000000000000000000000000000\n\ndone\n").as_bytes());
        let mut run = Run::new(
            DOING,
            &["fast-import", "--quiet", "--force", "--cat-blob-fd=1"],
        );
        run.input = Some(&stream);
        let output = self.run(run).await?;
        if !output.success {
            return Err(failed(DOING, &output.stderr));
        }
        Ok(ObjectId::parse(output.text().trim())?)
    }
}

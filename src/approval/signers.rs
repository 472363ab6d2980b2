//! The file of signers: whose signatures count, in OpenSSH's format (ssh-keygen(1), ALLOWED
//! SIGNERS).
//!
//! A line that cannot be read is an error and not skipped, as OpenSSH does: somebody relies on it.

use std::collections::BTreeSet;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use jiff::Timestamp;

use super::{
    SignersError,
    patterns::{matches, names_somebody},
    person::Person,
    ssh::{Credential, Key},
    time,
};

/// Whose signatures count.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Signers {
    lines: Vec<Line>,
    /// Which names and keys are one person's: what any line says, whether it still lets anybody in or
    /// not.
    known: Vec<Person>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Line {
    principals: String,
    authority: bool,
    namespaces: Option<String>,
    after: Option<Timestamp>,
    before: Option<Timestamp>,
    key: Key,
}

/// Who a key is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Signer {
    pub(super) name: String,
    pub(super) until: Option<Timestamp>,
    pub(super) person: Person,
}

/// Whether a signature has to come in its signer's time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    /// It counts from then until then only.
    InTime(Timestamp),
    /// It counts for ever: it takes back what its signer gave.
    Ever,
}

impl When {
    fn now(self) -> Option<Timestamp> {
        match self {
            Self::InTime(now) => Some(now),
            Self::Ever => None,
        }
    }
}

impl Signers {
    /// Reads the file. `file` names it in messages.
    pub fn parse(file: &str, text: &str) -> Result<Self, SignersError> {
        let mut lines = Vec::new();
        for (index, text) in text.lines().enumerate() {
            let text = text.trim();
            if text.is_empty() || text.starts_with('#') {
                continue;
            }
            let line = line(text).map_err(|why| SignersError {
                file: file.to_owned(),
                line: index + 1,
                why,
            })?;
            lines.push(line);
        }
        let keys = lines.iter().filter(|line| !line.authority);
        let known = keys
            .map(|line| Person::new([line.principals.as_str()], line.key.fingerprint()))
            .collect();
        Ok(Self { lines, known })
    }

    /// Those lines that both have.
    #[must_use]
    pub fn and(mut self, other: &Self) -> Self {
        self.lines.retain(|line| other.lines.contains(line));
        self.known.extend(other.known.iter().cloned());
        self
    }

    /// Who it is that signs with this, in this namespace and then; or why nobody.
    pub(super) fn find(
        &self,
        credential: &Credential,
        namespace: &str,
        when: When,
    ) -> Result<Signer, String> {
        let fingerprint = credential.key().fingerprint();
        let mut why = None;
        for line in &self.lines {
            match line.admits(credential, namespace, when) {
                Some(Ok(mut signer)) => {
                    signer.person.learn(&self.known);
                    return Ok(signer);
                }
                // The first line that is about this key says most.
                Some(Err(reason)) => {
                    why.get_or_insert(reason);
                }
                None => {}
            }
        }
        let name = credential.key().name();
        Err(why.unwrap_or_else(|| {
            format!(
                "the {name} key {fingerprint} does not belong to a \
                                           signer"
            )
        }))
    }
}

impl Line {
    /// `None` if the line is about another key.
    fn admits(
        &self,
        credential: &Credential,
        namespace: &str,
        when: When,
    ) -> Option<Result<Signer, String>> {
        let (name, end, person) = match credential {
            Credential::Key(key) if !self.authority && *key == self.key => {
                let person = Person::new([self.principals.as_str()], key.fingerprint());
                (self.principals.clone(), None, person)
            }
            Credential::Certificate(certificate)
                if self.authority && certificate.authority == self.key =>
            {
                let names = certificate.principals.iter().map(String::as_str);
                let names: Vec<_> = names
                    .filter(|name| matches(&self.principals, name))
                    .collect();
                let Some(name) = names.first().map(|name| (*name).to_owned()) else {
                    return Some(Err("its certificate names no signer".to_owned()));
                };
                if let Some(now) = when.now() {
                    let second = u64::try_from(now.as_second()).unwrap_or_default();
                    if second < certificate.after {
                        return Some(Err(format!("the certificate of {name} is not valid yet")));
                    }
                    if second >= certificate.before {
                        return Some(Err(format!(
                            "the certificate of {name} is not valid any more"
                        )));
                    }
                }
                if certificate.restricted {
                    return Some(Err(format!(
                        "the certificate of {name} has restrictions that cannot be checked here"
                    )));
                }
                let end = i64::try_from(certificate.before).ok();
                let end = end.and_then(|end| Timestamp::from_second(end).ok());
                let person = Person::new(names, certificate.key.fingerprint())
                    .vouched_for_by(certificate.authority.fingerprint());
                (name, end, person)
            }
            _ => return None,
        };
        if let Some(namespaces) = &self.namespaces
            && !matches(namespaces, namespace)
        {
            return Some(Err(format!(
                "{name} may not sign in the namespace `{namespace}`"
            )));
        }
        if let (Some(after), Some(now)) = (self.after, when.now())
            && now < after
        {
            return Some(Err(format!("{name} may sign only from {after}")));
        }
        if let (Some(before), Some(now)) = (self.before, when.now())
            && now > before
        {
            return Some(Err(format!("{name} could sign only until {before}")));
        }
        let until = [self.before, end].into_iter().flatten().min();
        Some(Ok(Signer {
            name,
            until,
            person,
        }))
    }
}

fn line(text: &str) -> Result<Line, String> {
    let (principals, mut rest) = match text.strip_prefix('"') {
        Some(quoted) => {
            let (principals, rest) = quoted
                .split_once('"')
                .ok_or("its quotation mark is not closed")?;
            (principals, rest.trim_start())
        }
        None => word(text),
    };
    let (mut authority, mut namespaces, mut after, mut before) = (false, None, None, None);
    if !is_type(word(rest).0) {
        let (options, key) = options(rest)?;
        rest = key;
        let mut names = BTreeSet::new();
        if !options
            .iter()
            .all(|(name, _)| names.insert(name.to_ascii_lowercase()))
        {
            return Err("it has an option twice".to_owned());
        }
        for (name, value) in options {
            let time = |value: &Option<String>| {
                let value = value.as_deref().unwrap_or_default();
                time::parse(value).ok_or(format!("`{name}` is not a time"))
            };
            match name.to_ascii_lowercase().as_str() {
                "cert-authority" => authority = true,
                "namespaces" => namespaces = Some(value.unwrap_or_default()),
                "valid-after" => after = Some(time(&value)?),
                "valid-before" => before = Some(time(&value)?),
                _ => return Err("it has an option that is not known".to_owned()),
            }
        }
    }
    let (kind, rest) = word(rest);
    let (key, _comment) = word(rest);
    if !is_type(kind) || principals.is_empty() {
        return Err("it names no key".to_owned());
    }
    if !names_somebody(principals) {
        return Err("it only says whom it does not mean".to_owned());
    }
    let blob = BASE64_STANDARD
        .decode(key)
        .map_err(|_| "its key is not Base64")?;
    let key = Key::parse(&blob).filter(|key| key.name() == kind);
    let key = key.ok_or("its key is not of the type that the line names")?;
    if !key.can_check() {
        return Err(format!(
            "signatures by keys of the type {kind} cannot be checked; use ssh-ed25519, \
             ecdsa-sha2-nistp256, ecdsa-sha2-nistp384, rsa, or a security key"
        ));
    }
    Ok(Line {
        principals: principals.to_owned(),
        authority,
        namespaces,
        after,
        before,
        key,
    })
}

fn word(text: &str) -> (&str, &str) {
    match text.split_once([' ', '\t']) {
        Some((word, rest)) => (word, rest.trim_start()),
        None => (text, ""),
    }
}

/// Known types, and those that somebody may know one day: no option begins so.
fn is_type(word: &str) -> bool {
    ["ssh-", "ecdsa-", "sk-"]
        .iter()
        .any(|start| word.starts_with(start))
}

type Options = Vec<(String, Option<String>)>;

/// Options are separated by commas; white space outside quotation marks ends them.
fn options(text: &str) -> Result<(Options, &str), String> {
    let mut found = Vec::new();
    let mut rest = text;
    loop {
        let end = rest.find([',', '=', ' ', '\t']).ok_or("it names no key")?;
        let (name, after) = rest.split_at(end);
        let mut value = None;
        rest = after;
        if let Some(after) = rest.strip_prefix("=\"") {
            let (text, after) = after
                .split_once('"')
                .ok_or("its quotation mark is not closed")?;
            value = Some(text.to_owned());
            rest = after;
        }
        found.push((name.to_owned(), value));
        match rest.strip_prefix(',') {
            Some(more) => rest = more,
            None if rest.starts_with([' ', '\t']) => return Ok((found, rest.trim_start())),
            None => return Err("its options cannot be read".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJKTyW4gu9QEXpQfTqHtR5WmnPwgGbPBkIYGW5d0tN0Z";

    #[test]
    fn the_lines_of_openssh_are_read() {
        for good in [
            format!("ann@example.com {KEY}"),
            format!("ann@example.com,*@example.org {KEY} a comment"),
            format!("\"ann b\" {KEY}"),
            format!("ann namespaces=\"git,connplan\",valid-after=\"20260101\" {KEY}"),
            format!("ann cert-authority,valid-before=\"20270101Z\"\t{KEY}"),
            format!("# a comment\n\n  ann Valid-Before=\"20270101\" {KEY}"),
        ] {
            let read = Signers::parse("f", &good);
            assert_eq!(read.map(|signers| signers.lines.len()), Ok(1), "{good}");
        }
    }

    #[test]
    fn where_two_files_bind_a_line_counts_that_both_have() {
        let of = |names: &[&str]| {
            let lines = names.iter().map(|name| format!("{name} {KEY}\n"));
            Signers::parse("f", &lines.collect::<String>()).unwrap()
        };
        let both = of(&["ann", "bob"]).and(&of(&["bob", "eve"]));
        assert_eq!(both.lines, of(&["bob"]).lines);
        assert_eq!(both.known.len(), 4, "who is whom, all of them tell");
    }

    /// A key of a type that is not known here.
    fn other(kind: &str) -> String {
        let mut blob = vec![0, 0, 0, u8::try_from(kind.len()).unwrap()];
        blob.extend_from_slice(kind.as_bytes());
        BASE64_STANDARD.encode(blob)
    }

    #[test]
    fn a_line_that_says_nothing_clear_lets_nobody_in() {
        for bad in [
            "ann".to_owned(),
            KEY.to_string(),
            format!("ann valid-before=\"soon\" {KEY}"),
            format!("ann valid-before=20270101 {KEY}"),
            format!("ann valid-before {KEY}"),
            format!("ann namespace=\"connplan\" {KEY}"),
            format!("ann namespaces=\"connplan {KEY}"),
            format!("\"ann {KEY}"),
            "ann ssh-ed25519 AAAA".to_owned(),
            format!("ann ssh-rsa {}", word(KEY).1),
            format!("\"\" {KEY}"),
            format!("!ann {KEY}"),
            format!("ann valid-before=\"20270101\",Valid-Before=\"20400101\" {KEY}"),
            format!("ann namespaces=\"git\",namespaces=\"connplan\" {KEY}"),
            format!("ann namespaces=\"git\"{KEY}"),
            format!("ann cert-authority {KEY}").replace(" ssh", "=\"\"x ssh"),
            // What such a line permits in a file of keys that may log in, it does not here.
            format!("ann no-touch-required {KEY}"),
            format!("ann verify-required {KEY}"),
            // A byte after it, and a type that nothing here can check.
            format!("ann {KEY}").replace("tN0Z", "tN0ZAA=="),
            format!("ann ecdsa-sha2-nistp521 {}", other("ecdsa-sha2-nistp521")),
            format!("ann ssh-dss {}", other("ssh-dss")),
        ] {
            let text = format!("# first\n{bad}");
            let error = Signers::parse("f", &text).unwrap_err();
            assert_eq!(error.line, 2, "{bad}");
        }
    }
}

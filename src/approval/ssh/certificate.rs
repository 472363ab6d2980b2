//! OpenSSH's certificates: a key, vouched for by another key, for some names and some time.

use super::{Key, wire::Reader};

/// The type of a certificate for a person; the other one is for hosts.
const USER: u32 = 1;
const SUFFIX: &str = "-cert-v01@openssh.com";

/// A certificate whose own signature was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::approval) struct Certificate {
    /// The key that signs.
    pub(in crate::approval) key: Key,
    /// Who vouches for it.
    pub(in crate::approval) authority: Key,
    /// For these names.
    pub(in crate::approval) principals: Vec<String>,
    /// From this second on.
    pub(in crate::approval) after: u64,
    /// Before this second.
    pub(in crate::approval) before: u64,
    /// Whether it is bound to more than names and time.
    pub(in crate::approval) restricted: bool,
}

impl Certificate {
    /// Whether these bytes say that they are one.
    pub(super) fn looks_like_one(blob: &[u8]) -> bool {
        let name = Reader::new(blob).text();
        name.is_some_and(|name| name.ends_with(SUFFIX))
    }

    /// Reads one, if its authority signed it, and if it is for a person.
    pub(super) fn parse(blob: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(blob);
        let name = reader.text()?;
        let plain = match name.strip_suffix(SUFFIX)? {
            // The names of keys of hardware end in the domain, and so do those of certificates.
            "sk-ssh-ed25519" => "sk-ssh-ed25519@openssh.com",
            "sk-ecdsa-sha2-nistp256" => "sk-ecdsa-sha2-nistp256@openssh.com",
            plain => plain,
        };
        let _nonce = reader.bytes()?;
        let key = Key::within(plain, &mut reader, blob)?;
        let _serial = reader.u64()?;
        let kind = reader.u32()?;
        let _id = reader.bytes()?;
        let principals = names(reader.bytes()?)?;
        let (after, before) = (reader.u64()?, reader.u64()?);
        let critical = reader.bytes()?;
        let _extensions = reader.bytes()?;
        let _reserved = reader.bytes()?;
        let authority = reader.bytes()?;
        let signed = blob.get(..blob.len() - reader.left())?;
        let signature = reader.bytes()?;
        reader.end()?;
        // An authority is a key, never a certificate again.
        let authority = Key::parse(authority)?;
        (kind == USER && authority.signed(signed, signature)).then_some(Self {
            key,
            authority,
            principals,
            after,
            before,
            restricted: !critical.is_empty(),
        })
    }
}

fn names(list: &[u8]) -> Option<Vec<String>> {
    let mut reader = Reader::new(list);
    let mut names = Vec::new();
    while reader.left() > 0 {
        names.push(reader.text()?.to_owned());
    }
    Some(names)
}

//! `SSHSIG`: a signature as `ssh-keygen -Y sign` makes it.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use ring::digest::{SHA256, SHA512, digest};

use super::{
    Certificate, Key,
    wire::{Reader, put},
};

const MAGIC: &[u8] = b"SSHSIG";
const BEGIN: &str = "-----BEGIN SSH SIGNATURE-----";
const END: &str = "-----END SSH SIGNATURE-----";

/// What signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::approval) enum Credential {
    /// A key.
    Key(Key),
    /// A key that somebody vouches for.
    Certificate(Box<Certificate>),
}

impl Credential {
    /// The key that made the signature.
    pub(in crate::approval) fn key(&self) -> &Key {
        match self {
            Self::Key(key) => key,
            Self::Certificate(certificate) => &certificate.key,
        }
    }
}

/// A signature, not yet held against anything.
#[derive(Clone, Debug)]
pub(in crate::approval) struct SshSig {
    pub(in crate::approval) credential: Credential,
    pub(in crate::approval) namespace: String,
    reserved: Vec<u8>,
    hash: Hash,
    signature: Vec<u8>,
}

#[derive(Clone, Copy, Debug)]
enum Hash {
    Sha256,
    Sha512,
}

impl SshSig {
    /// The signatures in a text, in order, or why one of them cannot be read.
    pub(in crate::approval) fn all(text: &str) -> Result<Vec<Self>, &'static str> {
        let mut found = Vec::new();
        let mut rest = text;
        while let Some((_, after)) = rest.split_once(BEGIN) {
            let (body, next) = after.split_once(END).ok_or("it is cut short")?;
            let body: String = body.split_whitespace().collect();
            let bytes = BASE64_STANDARD.decode(body);
            let bytes = bytes.map_err(|_| "it is not Base64")?;
            found.push(Self::parse(&bytes)?);
            rest = next;
        }
        if found.is_empty() {
            return Err("it does not begin with `-----BEGIN SSH SIGNATURE-----`");
        }
        Ok(found)
    }

    fn parse(bytes: &[u8]) -> Result<Self, &'static str> {
        const BROKEN: &str = "it is not in the format of OpenSSH";
        let mut reader = Reader::new(bytes);
        let frame = |reader: &mut Reader<'_>| {
            (reader.take(MAGIC.len())? == MAGIC && reader.u32()? == 1).then_some(())
        };
        frame(&mut reader).ok_or(BROKEN)?;
        let blob = reader.bytes().ok_or(BROKEN)?;
        let credential = if Certificate::looks_like_one(blob) {
            let certificate = Certificate::parse(blob).ok_or(
                "its certificate is not one for a person, or its authority did not sign it",
            )?;
            Credential::Certificate(Box::new(certificate))
        } else {
            Credential::Key(Key::parse(blob).ok_or(BROKEN)?)
        };
        let mut fields = || {
            let namespace = reader.text()?.to_owned();
            let reserved = reader.bytes()?.to_vec();
            let hash = match reader.text()? {
                "sha256" => Hash::Sha256,
                "sha512" => Hash::Sha512,
                _ => return None,
            };
            let signature = reader.bytes()?.to_vec();
            reader.end()?;
            Some((namespace, reserved, hash, signature))
        };
        let (namespace, reserved, hash, signature) = fields().ok_or(BROKEN)?;
        Ok(Self {
            credential,
            namespace,
            reserved,
            hash,
            signature,
        })
    }

    /// Whether its key signed this message, in its namespace.
    pub(in crate::approval) fn is_over(&self, message: &[u8]) -> bool {
        let (name, hash) = match self.hash {
            Hash::Sha256 => ("sha256", digest(&SHA256, message)),
            Hash::Sha512 => ("sha512", digest(&SHA512, message)),
        };
        let mut signed = MAGIC.to_vec();
        put(&mut signed, self.namespace.as_bytes());
        put(&mut signed, &self.reserved);
        put(&mut signed, name.as_bytes());
        put(&mut signed, hash.as_ref());
        self.credential.key().signed(&signed, &self.signature)
    }
}

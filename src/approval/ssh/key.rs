//! Public keys, and whether one of them signed some bytes.

use base64::{Engine as _, prelude::BASE64_STANDARD_NO_PAD};
use ring::{
    digest::{SHA256, digest},
    signature::{self, RsaPublicKeyComponents, UnparsedPublicKey, VerificationAlgorithm},
};

use super::wire::{Reader, put};

/// A public key. The bytes are compared as OpenSSH compares them: all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::approval) struct Key {
    blob: Vec<u8>,
    kind: Kind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    Ed25519(Vec<u8>),
    /// The point as SEC 1 has it, and the curve.
    Ecdsa(Vec<u8>, Curve),
    Rsa {
        e: Vec<u8>,
        n: Vec<u8>,
    },
    /// On a security key that signs for this application.
    Hardware(Box<Kind>, Vec<u8>),
    /// Nothing here can check it.
    Other,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Curve {
    P256,
    P384,
}

/// A person touched the security key.
const PRESENT: u8 = 0x01;

impl Key {
    /// Reads a key as it stands in a file of keys, undone from Base64.
    pub(in crate::approval) fn parse(blob: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(blob);
        let name = reader.text()?;
        let kind = Self::fields(name, &mut reader)?;
        if kind != Kind::Other {
            reader.end()?;
        }
        Some(Self {
            blob: blob.to_vec(),
            kind,
        })
    }

    /// Reads the fields of a key of this type, which in a certificate stand without its name, and
    /// puts the key together as it stands alone.
    pub(super) fn within(name: &str, reader: &mut Reader<'_>, whole: &[u8]) -> Option<Self> {
        let before = reader.left();
        let start = whole.len().checked_sub(before)?;
        let kind = Self::fields(name, reader)?;
        let fields = whole.get(start..start + before - reader.left())?;
        let mut blob = Vec::new();
        put(&mut blob, name.as_bytes());
        blob.extend_from_slice(fields);
        match kind {
            // Where it ends is not known.
            Kind::Other => None,
            kind => Some(Self { blob, kind }),
        }
    }

    fn fields(name: &str, reader: &mut Reader<'_>) -> Option<Kind> {
        Some(match name {
            "ssh-ed25519" => ed25519(reader)?,
            "ecdsa-sha2-nistp256" | "ecdsa-sha2-nistp384" => ecdsa(name, reader)?,
            "ssh-rsa" => Kind::Rsa {
                e: reader.number()?.to_vec(),
                n: reader.number()?.to_vec(),
            },
            "sk-ssh-ed25519@openssh.com" => {
                Kind::Hardware(Box::new(ed25519(reader)?), reader.bytes()?.to_vec())
            }
            "sk-ecdsa-sha2-nistp256@openssh.com" => Kind::Hardware(
                Box::new(ecdsa("ecdsa-sha2-nistp256", reader)?),
                reader.bytes()?.to_vec(),
            ),
            _ => Kind::Other,
        })
    }

    /// `ssh-ed25519`.
    pub(in crate::approval) fn name(&self) -> &str {
        Reader::new(&self.blob).text().unwrap_or_default()
    }

    /// `SHA256:…`, as OpenSSH shows it.
    pub(in crate::approval) fn fingerprint(&self) -> String {
        let hash = digest(&SHA256, &self.blob);
        format!("SHA256:{}", BASE64_STANDARD_NO_PAD.encode(hash))
    }

    /// Whether [`Key::signed`] can say anything about it.
    pub(in crate::approval) fn can_check(&self) -> bool {
        self.kind != Kind::Other
    }

    /// Whether this key made the signature (its type's name and its value) over the message.
    pub(in crate::approval) fn signed(&self, message: &[u8], made: &[u8]) -> bool {
        self.check(message, made).is_some()
    }

    fn check(&self, message: &[u8], made: &[u8]) -> Option<()> {
        let mut reader = Reader::new(made);
        let algorithm = reader.text()?;
        let value = reader.bytes()?;
        match &self.kind {
            Kind::Hardware(inner, application) => {
                (algorithm == self.name()).then_some(())?;
                let (flags, counter) = (reader.u8()?, reader.take(4)?);
                reader.end()?;
                (flags & PRESENT != 0).then_some(())?;
                let mut signed = digest(&SHA256, application).as_ref().to_vec();
                signed.push(flags);
                signed.extend_from_slice(counter);
                signed.extend_from_slice(digest(&SHA256, message).as_ref());
                inner.check(&signed, value)
            }
            Kind::Rsa { e, n } => {
                reader.end()?;
                // Not `ssh-rsa`, which is SHA-1.
                let parameters = match algorithm {
                    "rsa-sha2-256" => &signature::RSA_PKCS1_2048_8192_SHA256,
                    "rsa-sha2-512" => &signature::RSA_PKCS1_2048_8192_SHA512,
                    _ => return None,
                };
                let components = RsaPublicKeyComponents { n, e };
                components.verify(parameters, message, value).ok()
            }
            kind => {
                reader.end()?;
                (algorithm == self.name()).then_some(())?;
                kind.check(message, value)
            }
        }
    }
}

impl Kind {
    fn check(&self, message: &[u8], value: &[u8]) -> Option<()> {
        match self {
            Self::Ed25519(key) => UnparsedPublicKey::new(&signature::ED25519, key)
                .verify(message, value)
                .ok(),
            Self::Ecdsa(point, curve) => {
                let mut reader = Reader::new(value);
                let (r, s) = (reader.number()?, reader.number()?);
                reader.end()?;
                let (algorithm, width): (&'static dyn VerificationAlgorithm, _) = match curve {
                    Curve::P256 => (&signature::ECDSA_P256_SHA256_FIXED, 32),
                    Curve::P384 => (&signature::ECDSA_P384_SHA384_FIXED, 48),
                };
                let mut fixed = Vec::with_capacity(2 * width);
                for number in [r, s] {
                    let zeros = width.checked_sub(number.len())?;
                    fixed.extend(std::iter::repeat_n(0, zeros));
                    fixed.extend_from_slice(number);
                }
                UnparsedPublicKey::new(algorithm, point)
                    .verify(message, &fixed)
                    .ok()
            }
            Self::Rsa { .. } | Self::Hardware(..) | Self::Other => None,
        }
    }
}

fn ed25519(reader: &mut Reader<'_>) -> Option<Kind> {
    let key = reader.bytes()?;
    (key.len() == 32).then(|| Kind::Ed25519(key.to_vec()))
}

fn ecdsa(name: &str, reader: &mut Reader<'_>) -> Option<Kind> {
    let curve = match (name, reader.text()?) {
        ("ecdsa-sha2-nistp256", "nistp256") => Curve::P256,
        ("ecdsa-sha2-nistp384", "nistp384") => Curve::P384,
        _ => return None,
    };
    Some(Kind::Ecdsa(reader.bytes()?.to_vec(), curve))
}

//! Security keys, made in software: what they sign is what `ssh-keygen -Y verify` takes, and a person
//! has to have touched them.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use ring::{
    rand::SystemRandom,
    signature::{
        self, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _,
        RsaKeyPair,
    },
};
use sha2::{Digest as _, Sha256, Sha512};

use super::{
    keygen::Keys,
    signatures::{accepted, digest, refused, verifies},
};

/// The bits of what a security key says of the person.
const TOUCHED: u8 = 0x01;
const VERIFIED: u8 = 0x04;

fn put(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(&u32::try_from(bytes.len()).unwrap().to_be_bytes());
    out.extend_from_slice(bytes);
}

fn fields(parts: &[&[u8]]) -> Vec<u8> {
    let mut out = Vec::new();
    for part in parts {
        put(&mut out, part);
    }
    out
}

/// A number that is not negative.
fn number(bytes: &[u8]) -> Vec<u8> {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    let mut out = bytes[zeros..].to_vec();
    if out.first().is_some_and(|first| first & 0x80 != 0) {
        out.insert(0, 0);
    }
    out
}

/// What is signed: the frame of `SSHSIG`, with the message's hash.
fn framed(message: &str) -> Vec<u8> {
    let hash = Sha512::digest(message);
    let mut out = b"SSHSIG".to_vec();
    out.extend(fields(&[b"connplan", b"", b"sha512", &hash]));
    out
}

/// The file that `ssh-keygen -Y sign` would make.
fn file(key: &[u8], signature: &[u8]) -> String {
    let mut out = b"SSHSIG\0\0\0\x01".to_vec();
    out.extend(fields(&[key, b"connplan", b"", b"sha512", signature]));
    let text = BASE64_STANDARD.encode(out);
    let lines: Vec<_> = text.as_bytes().chunks(70).collect();
    let lines = lines.iter().map(|line| String::from_utf8_lossy(line));
    let body: Vec<_> = lines.collect();
    format!(
        "-----BEGIN SSH SIGNATURE-----\n{}\n-----END SSH SIGNATURE-----\n",
        body.join("\n")
    )
}

enum Made {
    Ed25519(Ed25519KeyPair),
    Ecdsa(EcdsaKeyPair),
}

/// A security key.
struct Token {
    name: &'static str,
    made: Made,
    application: &'static str,
}

/// What it says beside the signature.
#[derive(Clone, Copy)]
struct Said {
    flags: u8,
    counter: u32,
}

impl Token {
    fn all() -> [Self; 2] {
        let random = SystemRandom::new();
        let kind = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let ecdsa = EcdsaKeyPair::generate_pkcs8(kind, &random).unwrap();
        let ecdsa = EcdsaKeyPair::from_pkcs8(kind, ecdsa.as_ref(), &random).unwrap();
        let ed25519 = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
        [
            Self {
                name: "sk-ssh-ed25519@openssh.com",
                made: Made::Ed25519(ed25519),
                application: "ssh:",
            },
            Self {
                name: "sk-ecdsa-sha2-nistp256@openssh.com",
                made: Made::Ecdsa(ecdsa),
                application: "ssh:team",
            },
        ]
    }

    fn blob(&self) -> Vec<u8> {
        let name = self.name.as_bytes();
        let application = self.application.as_bytes();
        match &self.made {
            Made::Ed25519(key) => fields(&[name, key.public_key().as_ref(), application]),
            Made::Ecdsa(key) => {
                fields(&[name, b"nistp256", key.public_key().as_ref(), application])
            }
        }
    }

    fn line(&self) -> String {
        format!("ann {} {}", self.name, BASE64_STANDARD.encode(self.blob()))
    }

    /// What it signs for an application, and says of that.
    fn signed(&self, message: &str, application: &str, said: Said) -> Vec<u8> {
        let mut bytes = Sha256::digest(application).to_vec();
        bytes.push(said.flags);
        bytes.extend_from_slice(&said.counter.to_be_bytes());
        bytes.extend_from_slice(&Sha256::digest(framed(message)));
        match &self.made {
            Made::Ed25519(key) => key.sign(&bytes).as_ref().to_vec(),
            Made::Ecdsa(key) => {
                let both = key.sign(&SystemRandom::new(), &bytes).unwrap();
                let (r, s) = both.as_ref().split_at(32);
                fields(&[&number(r), &number(s)])
            }
        }
    }

    /// The file with a signature, and what is said of it.
    fn told(&self, name: &str, value: &[u8], said: Said, more: &[u8]) -> String {
        let mut signature = fields(&[name.as_bytes(), value]);
        signature.push(said.flags);
        signature.extend_from_slice(&said.counter.to_be_bytes());
        signature.extend_from_slice(more);
        file(&self.blob(), &signature)
    }

    fn sign(&self, message: &str, said: Said) -> String {
        let value = self.signed(message, self.application, said);
        self.told(self.name, &value, said, b"")
    }
}

#[test]
fn a_security_key_approves_if_somebody_touched_it() {
    let keys = Keys::new();
    let plan = digest().to_string();
    for token in Token::all() {
        let line = token.line();
        let good = |flags| token.sign(&plan, Said { flags, counter: 9 });
        for flags in [TOUCHED, TOUCHED | VERIFIED] {
            let made = good(flags);
            assert_eq!(accepted(&line, &made), "ann", "{}", token.name);
            assert!(verifies(&keys, &line, "ann", &made), "{}", token.name);
        }
        // OpenSSH's own check of a file takes these; its server asks for the touch, and so does this.
        for flags in [0, VERIFIED] {
            refused(&line, &good(flags), "did not sign sha256:abab");
        }
    }
}

#[test]
fn what_a_security_key_says_is_signed_too() {
    let keys = Keys::new();
    let plan = digest().to_string();
    let said = Said {
        flags: TOUCHED,
        counter: 9,
    };
    for token in Token::all() {
        let line = token.line();
        let value = token.signed(&plan, token.application, said);
        let altered = |flags, counter| {
            let said = Said { flags, counter };
            token.told(token.name, &value, said, b"")
        };
        let untouched = Said { flags: 0, ..said };
        let untouched = token.signed(&plan, token.application, untouched);
        let elsewhere = token.signed(&plan, "ssh:other", said);
        let plain = token.name.trim_start_matches("sk-");
        let plain = plain.trim_end_matches("@openssh.com");
        for (what, made) in [
            ("another plan", token.sign("another", said)),
            ("another counter", altered(TOUCHED, 8)),
            (
                "more is said than was signed",
                altered(TOUCHED | VERIFIED, 9),
            ),
            (
                "a touch that was not signed",
                token.told(token.name, &untouched, said, b""),
            ),
            (
                "another application",
                token.told(token.name, &elsewhere, said, b""),
            ),
            (
                "the name of a plain key",
                token.told(plain, &value, said, b""),
            ),
            (
                "more bytes after it",
                token.told(token.name, &value, said, b"\0"),
            ),
            (
                "nothing said at all",
                file(&token.blob(), &fields(&[token.name.as_bytes(), &value])),
            ),
        ] {
            refused(&line, &made, "did not sign sha256:abab");
            assert!(!verifies(&keys, &line, "ann", &made), "{what}");
        }
    }
}

#[test]
fn only_the_application_of_the_file_counts_as_the_same_key() {
    let plan = digest().to_string();
    let said = Said {
        flags: TOUCHED,
        counter: 1,
    };
    for mut token in Token::all() {
        let line = token.line();
        token.application = "ssh:other";
        refused(
            &line,
            &token.sign(&plan, said),
            "does not belong to a signer",
        );
    }
}

#[test]
fn an_rsa_key_signs_with_sha_2_only() {
    let keys = Keys::new();
    keys.key("ann", &["rsa", "-b", "2048", "-m", "PEM"]);
    let signers = format!("ann {}", keys.public("ann"));
    let pem = keys.read("ann");
    let body: String = pem.lines().filter(|line| !line.contains("-----")).collect();
    let key = RsaKeyPair::from_der(&BASE64_STANDARD.decode(body).unwrap()).unwrap();
    let public = keys.public("ann");
    let blob = BASE64_STANDARD.decode(public.split_once(' ').unwrap().1);
    let blob = blob.unwrap();
    let message = framed(digest().as_str());
    let made = |name: &str, padding, more: &[u8]| {
        let mut value = vec![0; key.public().modulus_len()];
        let random = SystemRandom::new();
        key.sign(padding, &random, &message, &mut value).unwrap();
        let mut signature = fields(&[name.as_bytes(), &value]);
        signature.extend_from_slice(more);
        file(&blob, &signature)
    };
    let (short, long) = (&signature::RSA_PKCS1_SHA256, &signature::RSA_PKCS1_SHA512);
    for good in [
        made("rsa-sha2-256", short, b""),
        made("rsa-sha2-512", long, b""),
    ] {
        assert_eq!(accepted(&signers, &good), "ann");
        assert!(verifies(&keys, &signers, "ann", &good));
    }
    for bad in [
        made("ssh-rsa", short, b""),
        made("rsa-sha2-512", short, b""),
        made("rsa-sha2-256", long, b""),
        made("rsa-sha2-256", short, b"\0"),
    ] {
        refused(&signers, &bad, "did not sign sha256:abab");
        assert!(!verifies(&keys, &signers, "ann", &bad));
    }
}

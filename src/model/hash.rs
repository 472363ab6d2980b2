//! SHA-256, in hexadecimal digits.

use std::fmt::Write as _;

use ring::digest::{Context, SHA256};

/// Of what comes in parts.
#[derive(Clone)]
pub struct Sha256(Context);

impl Default for Sha256 {
    fn default() -> Self {
        Self(Context::new(&SHA256))
    }
}

impl Sha256 {
    /// The next part.
    pub fn update(&mut self, part: &[u8]) {
        self.0.update(part);
    }

    /// All 64 digits.
    pub fn hex(self) -> String {
        let mut hex = String::with_capacity(64);
        for byte in self.0.finish().as_ref() {
            // Writing to a string cannot fail.
            let _ = write!(hex, "{byte:02x}");
        }
        hex
    }
}

/// Of one text: so many digits, 64 at most.
pub fn sha256(bytes: &[u8], digits: usize) -> String {
    let mut hash = Sha256::default();
    hash.update(bytes);
    let mut hex = hash.hex();
    hex.truncate(digits);
    hex
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_sha_256() {
        let known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sha256(b"abc", 64), known);
        assert_eq!(sha256(b"abc", 16), "ba7816bf8f01cfea");
        let mut parts = Sha256::default();
        parts.update(b"a");
        parts.update(b"bc");
        assert_eq!(parts.hex(), known);
    }
}

//! Identifiers and secrets. All come from the operating system by way of UUID version 4.

use uuid::Uuid;

/// An identifier that is told apart from others, but is not a secret.
pub(super) fn id(prefix: &str) -> String {
    let id = Uuid::new_v4().simple().to_string();
    format!("{prefix}_{id}")
}

/// A secret of 244 random bits, safe in an address.
pub(super) fn secret() -> String {
    format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple())
}

/// A code that a person types, without vowels and look-alikes (RFC 8628, section 6.1).
pub(super) fn user_code() -> String {
    const LETTERS: &[u8; 16] = b"BCDFGHJKLMNPQRST";
    let (mut code, bytes) = (String::new(), Uuid::new_v4().into_bytes());
    // The bytes in the middle carry the UUID's version; the first four and last four are free.
    for (n, byte) in bytes
        .iter()
        .take(4)
        .chain(bytes.iter().rev().take(4))
        .enumerate()
    {
        if n == 4 {
            code.push('-');
        }
        code.extend(LETTERS.get(usize::from(byte % 16)).map(|b| char::from(*b)));
    }
    code
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_short_and_secrets_long() {
        let code = user_code();
        assert_eq!((code.len(), code.find('-')), (9, Some(4)), "{code}");
        assert_eq!(secret().len(), 64);
        assert_ne!(secret(), secret());
        assert!(id("conn").starts_with("conn_"));
    }
}

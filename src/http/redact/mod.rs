//! What a server's text must not bring to a reader: what we sent it to prove who we are, links that
//! give whoever opens them a power, and whatever looks like a credential. Pure, and linear in the
//! text: a server chooses how long and how odd it is.

mod sent;
mod words;

pub(crate) use sent::Sent;
pub(crate) use words::without_secrets;

/// Stands where something was hidden.
const HIDDEN: &str = "[hidden]";

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use zeroize::Zeroizing;

    use super::*;

    #[test]
    fn odd_texts_take_no_longer() {
        const SIZE: usize = 32 * 1024;
        let begin = Instant::now();
        for piece in [
            "eyJ",
            "eyJ.",
            "eyJa.b",
            "bearer ",
            "bearer",
            "b44k_",
            ":",
            "://",
            ":/",
            "a://",
            "a://@",
            "\\",
            "\\u00",
            "%",
            "&#",
            "https://x?",
            "a.bc/?",
            "a.bc/",
            "sk_live_",
            " ",
            "aaaaaaab",
            "é:",
        ] {
            let text = piece.repeat(SIZE / piece.len());
            let _ = without_secrets(&text);
            for secret in [
                "aaaaaaaaaaaaaaab",
                "eyJeyJeyJeyJx",
                "%25%25%25%25%25%25%25%25",
            ] {
                let _ = Sent::default()
                    .and(secret.as_bytes())
                    .hide(Zeroizing::new(text.clone().into_bytes()));
            }
        }
        // Quadratic time would be minutes.
        assert!(begin.elapsed() < Duration::from_mins(1));
    }
}

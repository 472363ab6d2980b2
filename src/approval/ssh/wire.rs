//! The wire format: big-endian numbers and byte strings with their length before them.

/// Reads from the front of some bytes. Every read says whether there was enough.
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(super) fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        Some(taken)
    }

    pub(super) fn u8(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        Some(u32::from_be_bytes(self.take(4)?.try_into().ok()?))
    }

    pub(super) fn u64(&mut self) -> Option<u64> {
        Some(u64::from_be_bytes(self.take(8)?.try_into().ok()?))
    }

    pub(super) fn bytes(&mut self) -> Option<&'a [u8]> {
        let count = self.u32()?;
        self.take(usize::try_from(count).ok()?)
    }

    pub(super) fn text(&mut self) -> Option<&'a str> {
        std::str::from_utf8(self.bytes()?).ok()
    }

    /// A number that is not negative, without its leading zeros.
    pub(super) fn number(&mut self) -> Option<&'a [u8]> {
        let bytes = self.bytes()?;
        if bytes.first().is_some_and(|first| first & 0x80 != 0) {
            return None;
        }
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
        bytes.get(zeros..)
    }

    /// How many bytes are left.
    pub(super) fn left(&self) -> usize {
        self.rest.len()
    }

    /// Nothing may follow.
    pub(super) fn end(&self) -> Option<()> {
        self.rest.is_empty().then_some(())
    }
}

/// Appends a byte string.
pub(super) fn put(out: &mut Vec<u8>, bytes: &[u8]) {
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_cut_short_is_not_read() {
        let mut whole = Vec::new();
        put(&mut whole, b"abc");
        assert_eq!(Reader::new(&whole).bytes(), Some(&b"abc"[..]));
        for cut in 0..whole.len() {
            assert_eq!(Reader::new(&whole[..cut]).bytes(), None, "{cut}");
        }
        assert_eq!(Reader::new(&[0xff; 8]).bytes(), None);
    }

    #[test]
    fn numbers_are_not_negative() {
        let number = |bytes: &[u8]| {
            let mut out = Vec::new();
            put(&mut out, bytes);
            Reader::new(&out).number().map(<[u8]>::to_vec)
        };
        assert_eq!(number(&[0, 0x80]), Some(vec![0x80]));
        assert_eq!(number(&[0x80]), None);
        assert_eq!(number(&[]), Some(vec![]));
    }
}

//! Strings and names, with their escapes.

use super::{
    super::quote::Quoted,
    SyntaxError, SyntaxFault,
    parser::{Parser, is_identifier_part, is_identifier_start},
};

impl<'a> Parser<'a> {
    /// Takes the string that starts here, in either kind of quotes.
    pub(super) fn string(&mut self) -> Result<String, SyntaxError> {
        let open = self.pos..self.pos + 1;
        let quote = self.next();
        let mut text = String::new();
        loop {
            text.push_str(self.plain());
            let start = self.pos;
            match self.next() {
                None => return Err(self.end("a string", open)),
                c if c == quote => return Ok(text),
                Some('\n' | '\r') => {
                    let mut error = self.fault(SyntaxFault::LineEnd, open.start..start);
                    error.opened = None;
                    return Err(error);
                }
                Some('\\') => text.extend(self.escape(start)?),
                Some(c) => text.push(c),
            }
        }
    }

    /// Takes what stands for itself in a string: up to a quote, an escape or the end of the line.
    fn plain(&mut self) -> &'a str {
        let rest = self.rest();
        let ends = |b: u8| matches!(b, b'"' | b'\'' | b'\\' | b'\n' | b'\r');
        let length = rest.bytes().position(ends).unwrap_or(rest.len());
        self.pos += length;
        rest.get(..length).unwrap_or_default()
    }

    /// Takes a name without quotes, used as a key.
    pub(super) fn identifier(&mut self) -> Result<String, SyntaxError> {
        let mut name = String::new();
        loop {
            let start = self.pos;
            let fits = if name.is_empty() {
                is_identifier_start
            } else {
                is_identifier_part
            };
            match self.peek() {
                Some('\\') => {
                    self.pos += 1;
                    let escaped = if self.eat('u') {
                        self.code_unit(start)?
                    } else {
                        None
                    };
                    match escaped.filter(|c| fits(*c)) {
                        Some(c) => name.push(c),
                        None => return Err(self.bad_escape(start)),
                    }
                }
                Some(c) if fits(c) => {
                    self.pos += c.len_utf8();
                    name.push(c);
                }
                _ => return Ok(name),
            }
        }
    }

    /// Takes what follows a backslash; `None` for a line that goes on in the next.
    fn escape(&mut self, start: usize) -> Result<Option<char>, SyntaxError> {
        let c = match self.next() {
            Some('b') => '\u{8}',
            Some('f') => '\u{c}',
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            Some('v') => '\u{b}',
            Some('0') if !self.peek().is_some_and(|c| c.is_ascii_digit()) => '\0',
            Some('x') => match self.hex(2).and_then(char::from_u32) {
                Some(c) => c,
                None => return Err(self.bad_escape(start)),
            },
            Some('u') => match self.code_unit(start)? {
                Some(c) => c,
                None => return Err(self.bad_escape(start)),
            },
            Some('\r') => {
                self.eat('\n');
                return Ok(None);
            }
            Some('\n' | '\u{2028}' | '\u{2029}') => return Ok(None),
            Some('0'..='9') => return Err(self.bad_escape(start)),
            // Any other character stands for itself.
            Some(c) => c,
            None => return Err(self.end("a string", start..start + 1)),
        };
        Ok(Some(c))
    }

    /// Takes the four digits after `\u`, and the second escape of a pair. `None`: no digits.
    fn code_unit(&mut self, start: usize) -> Result<Option<char>, SyntaxError> {
        let Some(high) = self.hex(4) else {
            return Ok(None);
        };
        if let Some(c) = char::from_u32(high) {
            return Ok(Some(c));
        }
        let end = self.pos;
        if self.eat('\\')
            && self.eat('u')
            && let Some(low @ 0xdc00..=0xdfff) = self.hex(4)
            && high < 0xdc00
        {
            let code = 0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00);
            return Ok(char::from_u32(code));
        }
        Err(self.fault(SyntaxFault::Surrogate, start..end))
    }

    fn hex(&mut self, count: usize) -> Option<u32> {
        let digits = self.rest().get(..count)?;
        if !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        self.pos += count;
        u32::from_str_radix(digits, 16).ok()
    }

    /// Points at the backslash and the character after it.
    fn bad_escape(&self, start: usize) -> SyntaxError {
        let after = self.text.get(start + 1..).unwrap_or_default();
        let end = start + 1 + after.chars().next().map_or(0, char::len_utf8);
        let escape = Quoted::new(self.slice(start..end));
        self.fault(SyntaxFault::Escape { escape }, start..end)
    }
}

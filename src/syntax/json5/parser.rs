//! From text to values.

use unicode_ident::{is_xid_continue, is_xid_start};

use super::{
    super::{
        quote::Quoted,
        tree::{Member, Node, Span, Value},
    },
    SyntaxError, SyntaxFault,
    error::MAX_DEPTH,
};

/// Reads one JSON5 document.
pub fn parse(text: &str) -> Result<Node, SyntaxError> {
    let mut parser = Parser { text, pos: 0 };
    parser.skip_blanks()?;
    if parser.peek().is_none() {
        return Err(parser.fault(SyntaxFault::Empty, 0..0));
    }
    let node = parser.value(0)?;
    parser.skip_blanks()?;
    match parser.peek() {
        None => Ok(node),
        Some(_) => Err(parser.unexpected("the end of the file")),
    }
}

pub(super) struct Parser<'a> {
    pub(super) text: &'a str,
    pub(super) pos: usize,
}

impl<'a> Parser<'a> {
    pub(super) fn rest(&self) -> &'a str {
        self.text.get(self.pos..).unwrap_or_default()
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub(super) fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.pos += c.len_utf8();
        Some(c)
    }

    /// Takes the character if it is the next one.
    pub(super) fn eat(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        if found {
            self.pos += wanted.len_utf8();
        }
        found
    }

    pub(super) fn slice(&self, span: Span) -> &'a str {
        self.text.get(span).unwrap_or_default()
    }

    pub(super) fn fault(&self, fault: SyntaxFault, span: Span) -> SyntaxError {
        let end = span.end.min(self.text.len());
        SyntaxError {
            fault,
            span: span.start.min(end)..end,
            opened: None,
        }
    }

    /// The file ended: points at its last visible character, and at what was left open.
    pub(super) fn end(&self, inside: &'static str, opened: Span) -> SyntaxError {
        let kept = self.text.trim_end();
        let last = kept.chars().next_back().map_or(0, char::len_utf8);
        let mut error = self.fault(SyntaxFault::End { inside }, kept.len() - last..kept.len());
        error.opened = (opened != error.span).then_some(opened);
        error
    }

    /// Something else stands here; the whole word is shown if it is one.
    fn unexpected(&self, expected: &'static str) -> SyntaxError {
        let span = self.word_ahead();
        let found = Quoted::new(self.slice(span.clone()));
        self.fault(SyntaxFault::Unexpected { expected, found }, span)
    }

    /// The name, number or string that starts here, else a single character.
    fn word_ahead(&self) -> Span {
        let rest = self.rest();
        if let Some(inner) = rest.strip_prefix(['"', '\'']) {
            let quote = |c| rest.starts_with(c) || is_line_end(c);
            let end = inner.find(quote).filter(|end| {
                let after = inner.get(*end..).unwrap_or_default();
                !after.starts_with(is_line_end)
            });
            return self.pos..self.pos + end.map_or(1, |end| end + 2);
        }
        let word = rest
            .find(|c: char| !is_identifier_part(c) && c != '-')
            .unwrap_or(rest.len());
        let first = rest.chars().next().map_or(0, char::len_utf8);
        self.pos..self.pos + word.max(first)
    }

    /// White space and comments.
    fn skip_blanks(&mut self) -> Result<(), SyntaxError> {
        loop {
            let start = self.pos;
            match self.peek() {
                Some(c) if is_blank(c) => self.pos += c.len_utf8(),
                Some('/') => {
                    self.pos += 1;
                    if self.eat('*') {
                        let Some(length) = self.rest().find("*/") else {
                            return Err(self.end("a comment", start..start + 2));
                        };
                        self.pos += length + 2;
                    } else if self.eat('/') {
                        let rest = self.rest();
                        self.pos += rest.find(is_line_end).unwrap_or(rest.len());
                    } else {
                        self.pos = start;
                        return Err(self.unexpected("a value or a comment"));
                    }
                }
                _ => return Ok(()),
            }
        }
    }

    fn value(&mut self, depth: usize) -> Result<Node, SyntaxError> {
        let start = self.pos;
        let value = match self.peek() {
            Some('{') => self.object(depth)?,
            Some('[') => self.list(depth)?,
            Some('"' | '\'') => Value::Text(self.string()?),
            Some('+' | '-' | '.' | '0'..='9') => {
                let Some(number) = self.number() else {
                    self.pos = start;
                    return Err(self.unexpected("a number"));
                };
                Value::Number(number)
            }
            Some(c) if is_identifier_start(c) => {
                let span = self.word_ahead();
                let word = self.slice(span.clone());
                let value = match word {
                    "null" => Value::Null,
                    "true" => Value::Bool(true),
                    "false" => Value::Bool(false),
                    "Infinity" => Value::Number(f64::INFINITY),
                    "NaN" => Value::Number(f64::NAN),
                    _ => {
                        let word = Quoted::new(word);
                        return Err(self.fault(SyntaxFault::BareWord { word }, span));
                    }
                };
                self.pos = span.end;
                value
            }
            _ => return Err(self.unexpected("a value")),
        };
        Ok(Node {
            span: start..self.pos,
            value,
        })
    }

    /// Takes an opening bracket, which stands here, and counts it.
    fn open(&mut self, depth: usize) -> Result<Span, SyntaxError> {
        let open = self.pos..self.pos + 1;
        self.pos += 1;
        if depth >= MAX_DEPTH {
            return Err(self.fault(SyntaxFault::Depth, open));
        }
        Ok(open)
    }

    fn object(&mut self, depth: usize) -> Result<Value, SyntaxError> {
        let open = self.open(depth)?;
        let mut members = Vec::new();
        loop {
            self.skip_blanks()?;
            let start = self.pos;
            let key = match self.peek() {
                None => return Err(self.end("an object", open)),
                Some('}') => break,
                Some('"' | '\'') => self.string()?,
                Some(c) if is_identifier_start(c) || c == '\\' => self.identifier()?,
                Some(_) => return Err(self.unexpected("a key or `}`")),
            };
            let key_span = start..self.pos;
            self.skip_blanks()?;
            if !self.eat(':') {
                return Err(match self.peek() {
                    None => self.end("an object", open),
                    Some(_) => self.unexpected("`:` after the key"),
                });
            }
            self.skip_blanks()?;
            if self.peek().is_none() {
                return Err(self.end("an object", open));
            }
            let node = self.value(depth + 1)?;
            members.push(Member {
                key,
                key_span,
                node,
            });
            self.skip_blanks()?;
            match self.peek() {
                Some(',') => self.pos += 1,
                Some('}') => break,
                None => return Err(self.end("an object", open)),
                Some(_) => return Err(self.unexpected("`,` or `}`")),
            }
        }
        self.pos += 1;
        Ok(Value::Map(members))
    }

    fn list(&mut self, depth: usize) -> Result<Value, SyntaxError> {
        let open = self.open(depth)?;
        let mut elements = Vec::new();
        loop {
            self.skip_blanks()?;
            match self.peek() {
                None => return Err(self.end("a list", open)),
                Some(']') => break,
                Some(_) => elements.push(self.value(depth + 1)?),
            }
            self.skip_blanks()?;
            match self.peek() {
                Some(',') => self.pos += 1,
                Some(']') => break,
                None => return Err(self.end("a list", open)),
                Some(_) => return Err(self.unexpected("`,` or `]`")),
            }
        }
        self.pos += 1;
        Ok(Value::List(elements))
    }
}

fn is_blank(c: char) -> bool {
    matches!(
        c,
        '\t' | '\u{b}'
            | '\u{c}'
            | ' '
            | '\u{a0}'
            | '\u{feff}'
            | '\u{1680}'
            | '\u{202f}'
            | '\u{205f}'
            | '\u{3000}'
            | '\u{2000}'..='\u{200a}'
    ) || is_line_end(c)
}

pub(super) fn is_line_end(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{2028}' | '\u{2029}')
}

pub(super) fn is_identifier_start(c: char) -> bool {
    matches!(c, '$' | '_') || is_xid_start(c)
}

pub(super) fn is_identifier_part(c: char) -> bool {
    // The last two join letters in some scripts.
    matches!(c, '$' | '\u{200c}' | '\u{200d}') || is_xid_continue(c)
}

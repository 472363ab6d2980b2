//! A file's data with the place of every part, whatever its syntax was.

use std::ops::Range;

/// Where something stands in a file: bytes from its start.
pub type Span = Range<usize>;

/// A value and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// From its first to after its last byte, brackets and quotes included.
    pub span: Span,
    /// What it is.
    pub value: Value,
}

/// What JSON5 and TOML can hold.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// JSON5's `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// Any number; connector files hold none that counts, so its exact text is not kept.
    Number(f64),
    /// A string, its escapes resolved.
    Text(String),
    /// TOML's date or time.
    Time,
    /// A list.
    List(Vec<Node>),
    /// Keys and values in the order of the file; a key can stand twice.
    Map(Vec<Member>),
}

/// One key and its value.
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    /// The key, its escapes resolved.
    pub key: String,
    /// Where the key stands, quotes included.
    pub key_span: Span,
    /// Its value.
    pub node: Node,
}

impl Node {
    /// Whether it has keys.
    pub fn is_map(&self) -> bool {
        matches!(self.value, Value::Map(_))
    }

    /// The value's kind, with its article, for messages.
    pub fn kind(&self) -> &'static str {
        match self.value {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Number(_) => "a number",
            Value::Text(_) => "a string",
            Value::Time => "a date or time",
            Value::List(_) => "a list",
            Value::Map(_) => "an object",
        }
    }

    /// The text of a string.
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The keys of an object; none for anything else.
    pub fn members(&self) -> &[Member] {
        match &self.value {
            Value::Map(members) => members,
            _ => &[],
        }
    }

    /// The elements of a list; none for anything else.
    pub fn elements(&self) -> &[Self] {
        match &self.value {
            Value::List(elements) => elements,
            _ => &[],
        }
    }

    /// The key's value; of a key that stands twice the last one, as JavaScript takes it.
    pub fn get(&self, key: &str) -> Option<&Self> {
        let mut members = self.members().iter().rev();
        members.find(|m| m.key == key).map(|m| &m.node)
    }

    /// The first character of a list or object, else the value itself: what to point at when the
    /// whole would be too much.
    pub fn head(&self) -> Span {
        match self.value {
            Value::List(_) | Value::Map(_) => {
                self.span.start..self.span.end.min(self.span.start + 1)
            }
            _ => self.span.clone(),
        }
    }
}

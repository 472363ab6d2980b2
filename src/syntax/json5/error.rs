//! What can be wrong with a file's syntax.

use super::super::quote::Quoted;
use crate::syntax::tree::Span;

/// How deep brackets may nest. The parser recurses, and a file is untrusted.
pub const MAX_DEPTH: usize = 64;

/// The first place where a file stops being JSON5.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{fault}")]
pub struct SyntaxError {
    /// What is wrong.
    pub fault: SyntaxFault,
    /// Where; empty only in an empty file.
    pub span: Span,
    /// What was opened and never closed.
    pub opened: Option<Span>,
}

/// A kind of syntax error.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SyntaxFault {
    /// Nothing but white space and comments.
    #[error("the file is empty")]
    Empty,
    /// The end came too early.
    #[error("the file ends inside {inside}")]
    End {
        /// What was not closed, with its article.
        inside: &'static str,
    },
    /// Something else than what has to come here.
    #[error("expected {expected}, found `{found}`")]
    Unexpected {
        /// What has to come here.
        expected: &'static str,
        /// What stands here.
        found: Quoted,
    },
    /// A word where a value has to be.
    #[error("`{word}` is not a value")]
    BareWord {
        /// The word.
        word: Quoted,
    },
    /// A string that goes over the end of its line.
    #[error("the line ends inside a string")]
    LineEnd,
    /// A backslash with something after it that means nothing.
    #[error("`{escape}` is not an escape sequence")]
    Escape {
        /// The backslash and what follows.
        escape: Quoted,
    },
    /// `\ud800` without its other half.
    #[error("this escape is an incomplete character (`\\uD83D` needs a second one)")]
    Surrogate,
    /// Brackets within brackets within brackets.
    #[error("the file is nested more than {MAX_DEPTH} levels deep")]
    Depth,
}

impl SyntaxFault {
    /// What to do about it, where that can be said.
    pub fn help(&self) -> Option<&'static str> {
        Some(match self {
            Self::Empty => "write `{ \"type\": \"...\", \"scopes\": [] }`, or delete the file",
            Self::End {
                inside: "a comment",
            } => "end the comment with `*/`",
            Self::End { inside: "a string" } | Self::LineEnd => {
                "close the string with the quote that opened it"
            }
            Self::End { .. } => "a closing bracket is missing",
            Self::Unexpected { expected, .. } if expected.contains("`,`") => {
                "a comma may be missing before it"
            }
            Self::Unexpected { .. } => return None,
            Self::BareWord { .. } => "a string needs quotes around it",
            Self::Escape { .. } => "a backslash itself is written `\\\\`",
            Self::Surrogate => "write the character itself, or both halves of the pair",
            Self::Depth => "a connector file needs two levels",
        })
    }
}

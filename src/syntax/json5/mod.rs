//! JSON5 with the exact place of everything: what the official client's parser (npm `json5` 2)
//! accepts, with two differences. Nesting ends at [`MAX_DEPTH`], and half a UTF-16 pair
//! (`"\ud800"`), which is not a character, is an error.

mod error;
mod number;
mod parser;
mod string;

pub use error::{MAX_DEPTH, SyntaxError, SyntaxFault};
pub use parser::parse;

//! The terminal: streams, colour, questions, keys. The only room that writes to standard output
//! and standard error, but for a panic, the log and the end of a run that is stuck (`cli`).

mod browser;
mod keys;
mod prompt;
mod streams;
mod wrap;

pub use browser::{Opener, open_browser};
pub use keys::{EscapeKey, let_go};
pub use prompt::{Answer, Choice, choose_filtered, choose_one, confirm_word, confirm_yes_no};
pub use streams::{ColorChoice, ProgressGuard, Terminal, columns};
pub use wrap::wrap;

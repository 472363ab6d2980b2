//! How requests are paced: for each class of call no more than the server allows in a minute,
//! counted for all processes of this machine.

mod pace;
mod window;

pub use pace::{Pace, Slot, Wait};
pub use window::PaceClass;

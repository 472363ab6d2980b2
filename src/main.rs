//! connplan.
fn main() {}

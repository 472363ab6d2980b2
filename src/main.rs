//! connplan: plan, apply and authorize the OAuth connectors of a Base44 app.

use std::process::ExitCode;

fn main() -> ExitCode {
    connplan::cli::main(std::env::args_os())
}

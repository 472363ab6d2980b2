//! `-v`, `-vv` and `CONNPLAN_LOG`: what happens underneath, on standard error. Requests by method,
//! path, status, duration and request id; never a header, never a body.

use std::io::{self, Write};

use tracing_subscriber::{
    Layer,
    filter::{LevelFilter, Targets, filter_fn},
    fmt,
    layer::SubscriberExt,
};

use crate::{escape, model::Vars};

/// Standard error, with e-mail addresses masked: each event comes in one piece.
struct Masked;

impl Write for Masked {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(event);
        let masked = escape::mask_accounts(&text);
        io::stderr().write_all(masked.as_bytes())?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

/// Starts to listen, if anybody wants to hear; says whether it does.
pub(super) fn install(vars: &Vars, verbose: u8, color: bool, masks: bool) -> bool {
    let directives = match (vars.get("CONNPLAN_LOG"), verbose) {
        (Some(directives), _) => directives.to_owned(),
        (None, 0) => return false,
        (None, 1) => "connplan=debug".to_owned(),
        (None, _) => "connplan=trace".to_owned(),
    };
    // With a CONNPLAN_LOG that cannot be parsed, our own events are logged at `debug`.
    let all_of_ours = || Targets::new().with_target("connplan", LevelFilter::DEBUG);
    let filter: Targets = directives.parse().unwrap_or_else(|_| all_of_ours());
    // Libraries log what they send; what they consider harmless is not for us to vouch for.
    let ours = filter_fn(|event| event.target().starts_with("connplan"));
    let lines = fmt::layer()
        .with_writer(move || -> Box<dyn Write> {
            if masks {
                Box::new(Masked)
            } else {
                Box::new(io::stderr())
            }
        })
        .with_ansi(color)
        .with_target(false)
        .without_time()
        .with_filter(ours);
    let subscriber = tracing_subscriber::registry().with(filter).with(lines);
    // A second run in one process keeps the first one's.
    tracing::subscriber::set_global_default(subscriber).is_ok()
}

//! A line that moves while something takes long.

use std::{future::Future, time::Duration};

use crate::{http::Wait, term::Terminal};

/// What is done sooner than this is not worth a line.
const PATIENCE: Duration = Duration::from_millis(250);

/// Says that requests are held back, and for how long.
pub fn waiting(wait: &Wait) -> String {
    let seconds = wait.time.as_millis().div_ceil(1000);
    let class = wait.class.words();
    match wait.limit {
        Some(limit) => {
            format!("The platform allows {limit} {class} a minute: waiting {seconds} s")
        }
        None => format!("The platform asks to slow down with {class}: waiting {seconds} s"),
    }
}

/// Waits for something; from a quarter of a second on a terminal shows that it goes on.
pub async fn during<T>(terminal: &Terminal, text: &str, work: impl Future<Output = T>) -> T {
    if !terminal.shows_progress() {
        return work.await;
    }
    tokio::pin!(work);
    if let Ok(done) = tokio::time::timeout(PATIENCE, &mut work).await {
        return done;
    }
    let _line = terminal.progress(text);
    work.await
}

//! A line that moves while something takes long.

use std::{future::Future, time::Duration};

use crate::term::Terminal;

/// What is done sooner than this is not worth a line.
const PATIENCE: Duration = Duration::from_millis(250);

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

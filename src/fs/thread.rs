//! The disk's own threads.

use std::any::Any;

type Done = Box<dyn Any + Send>;

/// Does work on a thread of its own: a slow disk holds up no request, no lease and no signal.
pub async fn off_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let done = on_another(Box::new(move || Box::new(work()))).await;
    match done.downcast() {
        Ok(done) => *done,
        Err(_) => unreachable!("work makes what it makes"),
    }
}

/// Of one type for all work: each type of task is some kilobytes of the program.
async fn on_another(work: Box<dyn FnOnce() -> Done + Send>) -> Done {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime is shutting down: nobody waits for this any more.
            Err(_) => std::future::pending().await,
        },
    }
}

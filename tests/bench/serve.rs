//! The sandbox, for a benchmark.

use std::{
    sync::mpsc,
    thread::{self, JoinHandle},
};

use connplan::sandbox::{self, Options};
use tokio_util::sync::CancellationToken;

/// A sandbox on a thread of its own, for as long as this process lives, unless it is stopped.
pub(crate) struct Served {
    pub(crate) url: String,
    pub(crate) key: String,
    stop: CancellationToken,
    thread: JoinHandle<()>,
}

impl Served {
    /// Stops it, and names the port that is free then.
    pub(crate) fn stop(self) -> u16 {
        self.stop.cancel();
        self.thread.join().expect("it ends");
        let port = self
            .url
            .rsplit(':')
            .next()
            .and_then(|port| port.parse().ok());
        port.expect("a port")
    }
}

pub(crate) fn serve(options: Options) -> Served {
    let (sender, receiver) = mpsc::channel();
    let thread = thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            let mut sandbox = sandbox::start(options).await.expect("a sandbox");
            let key = sandbox.api_key().expose().to_owned();
            let stop = sandbox.stop_token();
            sender
                .send((sandbox.api_url().to_owned(), key, stop))
                .expect("somebody waits");
            sandbox.stopped().await.expect("it serves");
        });
    });
    let (url, key, stop) = receiver.recv().expect("the sandbox starts");
    Served {
        url,
        key,
        stop,
        thread,
    }
}

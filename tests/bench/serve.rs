//! The sandbox, for a benchmark.

use std::{sync::mpsc, thread};

use connplan::sandbox::{self, Options};

/// A sandbox on a thread of its own, for as long as this process lives: its address and its key.
pub(crate) fn serve(options: Options) -> (String, String) {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            let mut sandbox = sandbox::start(options).await.expect("a sandbox");
            let key = sandbox.api_key().expose().to_owned();
            sender
                .send((sandbox.api_url().to_owned(), key))
                .expect("somebody waits");
            sandbox.stopped().await.expect("it serves");
        });
    });
    receiver.recv().expect("the sandbox starts")
}

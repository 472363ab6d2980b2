//! Renewals that are under way: whatever ends the command, they are waited for.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::sync::watch;

/// How many renewals are under way in this process, and what a person should know of those that
/// were. Clones share it.
#[derive(Clone, Debug)]
pub struct Renewals {
    count: Arc<watch::Sender<usize>>,
    notices: Arc<Mutex<Vec<String>>>,
}

/// One of them, from before its request until its answer is on the disk.
pub(crate) struct UnderWay(Renewals);

impl Default for Renewals {
    fn default() -> Self {
        Self {
            count: Arc::new(watch::Sender::new(0)),
            notices: Arc::default(),
        }
    }
}

impl Renewals {
    pub(crate) fn begin(&self) -> UnderWay {
        self.count.send_modify(|count| *count += 1);
        UnderWay(self.clone())
    }

    pub(crate) fn tell(&self, notice: String) {
        if let Ok(mut notices) = self.notices.lock()
            && !notices.contains(&notice)
        {
            notices.push(notice);
        }
    }

    /// Whether one is under way.
    pub fn are_under_way(&self) -> bool {
        *self.count.borrow() > 0
    }

    /// What a person should know; asked for once.
    pub fn take_notices(&self) -> Vec<String> {
        let notices = self.notices.lock();
        notices.map_or_else(|_| Vec::new(), |mut notices| std::mem::take(&mut *notices))
    }

    /// Comes back when none is under way any more, at the latest after `limit`. `false` if one still
    /// is.
    pub async fn settled(&self, limit: Duration) -> bool {
        let mut count = self.count.subscribe();
        let none = count.wait_for(|count| *count == 0);
        matches!(tokio::time::timeout(limit, none).await, Ok(Ok(_)))
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.count.send_modify(|count| *count -= 1);
    }
}

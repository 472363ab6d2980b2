//! What clients asked of the API, for tests to look at. Neither credentials nor queries are kept.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use serde::Serialize;

/// How many requests are remembered.
const KEPT: usize = 10_000;

/// The requests so far, in the order of their arrival.
#[derive(Default)]
pub(super) struct Requests(Mutex<Log>);

#[derive(Default)]
struct Log {
    entries: VecDeque<Logged>,
    /// How many arrived in all; the number of the next one.
    arrived: u64,
    in_flight: u32,
}

/// One request.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Logged {
    number: u64,
    method: String,
    path: String,
    /// `null` while it is under way, and if the client hung up.
    status: Option<u16>,
    /// How many were under way when it arrived, itself included.
    in_flight: u32,
}

/// A request under way; dropping it ends it.
pub(super) struct UnderWay<'a> {
    requests: &'a Requests,
    /// Counted from 1 since the sandbox started.
    pub(super) number: u64,
}

impl Requests {
    fn lock(&self) -> MutexGuard<'_, Log> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn begin(&self, method: &str, path: &str) -> UnderWay<'_> {
        let mut log = self.lock();
        log.arrived += 1;
        log.in_flight += 1;
        let (number, in_flight) = (log.arrived, log.in_flight);
        if log.entries.len() == KEPT {
            log.entries.pop_front();
        }
        log.entries.push_back(Logged {
            number,
            method: method.to_owned(),
            path: path.to_owned(),
            status: None,
            in_flight,
        });
        UnderWay {
            requests: self,
            number,
        }
    }

    pub(super) fn all(&self) -> Vec<Logged> {
        self.lock().entries.iter().cloned().collect()
    }

    pub(super) fn clear(&self) {
        self.lock().entries.clear();
    }
}

impl UnderWay<'_> {
    pub(super) fn answered(&self, status: u16) {
        let mut log = self.requests.lock();
        if let Some(entry) = log.entries.iter_mut().rfind(|e| e.number == self.number) {
            entry.status = Some(status);
        }
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.requests.lock().in_flight -= 1;
    }
}

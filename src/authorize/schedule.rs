//! How often the remote is asked. Pure.

use std::{collections::VecDeque, time::Duration};

use tokio::time::Instant;

/// How often the remote is asked, and how long a link is of use.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Between two readings of the list while somebody is at a link: 30 a minute.
    pub busy: Duration,
    /// Between two while nobody is.
    pub idle: Duration,
    /// A person has to approve within five minutes of the call that made the link.
    pub link_lives: Duration,
    /// How many statuses may be asked for in [`Pace::window`]; 70 a minute are allowed.
    pub statuses: usize,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            busy: Duration::from_secs(2),
            idle: Duration::from_secs(5),
            link_lives: Duration::from_mins(5),
            statuses: 60,
        }
    }
}

/// For so many rounds somebody is assumed to be at a link.
const ROUNDS_AT_FIRST: u32 = 30;

impl Pace {
    /// The pause before the next reading, after waiting so long already.
    pub fn pause(&self, waited: Duration, somebody_is_at_it: bool) -> Duration {
        if somebody_is_at_it || waited < self.busy * ROUNDS_AT_FIRST {
            self.busy
        } else {
            self.idle.max(self.busy)
        }
    }

    /// A minute, as long as the pace is the usual one.
    pub fn window(&self) -> Duration {
        self.busy * 30
    }
}

/// Whose status is asked for next: everybody's while there is room, else in turn.
#[derive(Debug, Default)]
pub(super) struct StatusQueue {
    sent: VecDeque<Instant>,
    next: usize,
}

impl StatusQueue {
    /// Of so many, those whose turn it is now. They count as asked for.
    pub(super) fn take(&mut self, count: usize, pace: &Pace, now: Instant) -> Vec<usize> {
        while let Some(sent) = self.sent.front()
            && now.duration_since(*sent) >= pace.window()
        {
            self.sent.pop_front();
        }
        let room = pace.statuses.saturating_sub(self.sent.len());
        let fair = if count * ROUNDS_AT_FIRST as usize > pace.statuses {
            // Spread over the rounds of a minute rather than spent at its beginning.
            (pace.statuses / ROUNDS_AT_FIRST as usize).max(1)
        } else {
            count
        };
        let taken = room.min(fair).min(count);
        let turn = (0..taken).map(|n| (self.next + n) % count).collect();
        if count > 0 {
            self.next = (self.next + taken) % count;
        }
        self.sent.extend(std::iter::repeat_n(now, taken));
        turn
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_never_read_more_than_thirty_times_a_minute() {
        let pace = Pace::default();
        let pause = |seconds, busy| pace.pause(Duration::from_secs(seconds), busy).as_secs();
        assert_eq!([0, 59, 60, 3600].map(|s| pause(s, true)), [2; 4]);
        assert_eq!([0, 59, 60, 3600].map(|s| pause(s, false)), [2, 2, 5, 5]);
    }

    #[test]
    fn statuses_are_asked_for_in_turn_and_within_the_window() {
        let (pace, mut turns) = (Pace::default(), StatusQueue::default());
        let start = Instant::now();
        let mut asked = [0_usize; 12];
        let mut per_minute = 0;
        for round in 0..30 {
            let now = start + pace.busy * round;
            for n in turns.take(12, &pace, now) {
                asked[n] += 1;
                per_minute += 1;
            }
        }
        assert!(per_minute <= pace.statuses, "{per_minute}");
        let (least, most) = (asked.iter().min().unwrap(), asked.iter().max().unwrap());
        assert!(*least >= 4 && most - least <= 1, "{asked:?}");
        assert_eq!(turns.take(0, &pace, start), [] as [usize; 0]);
        // Two of them have room in each round.
        let mut turns = StatusQueue::default();
        assert_eq!(turns.take(2, &pace, start).len(), 2);
        assert_eq!(turns.take(2, &pace, start + pace.busy).len(), 2);
    }
}

//! How often the remote is asked. Pure.

use std::time::Duration;

/// Every 2 s in the first minute, then slower by the minute, never slower than every 10 s.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// The first interval.
    pub first: Duration,
    /// The longest interval.
    pub longest: Duration,
    /// A link that fails after this long has run out rather than been declined. Providers' and
    /// platforms' links live for some minutes; a person who says no does so sooner.
    pub declined_within: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            first: Duration::from_secs(2),
            longest: Duration::from_secs(10),
            declined_within: Duration::from_mins(4),
        }
    }
}

impl Pace {
    /// The pause before the next question, after waiting so long already.
    pub fn pause(&self, waited: Duration) -> Duration {
        let minutes = u32::try_from(waited.as_secs() / 60).unwrap_or(u32::MAX);
        let doubled = self
            .first
            .saturating_mul(2_u32.saturating_pow(minutes.min(8)));
        doubled.min(self.longest.max(self.first))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_backs_off_after_a_minute() {
        let pause = |seconds| {
            Pace::default()
                .pause(Duration::from_secs(seconds))
                .as_secs()
        };
        assert_eq!(
            [0, 59, 60, 119, 120, 180, 36_000].map(pause),
            [2, 2, 4, 4, 8, 10, 10]
        );
    }
}

//! The commands under test.

/// A command that asks the remote for something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verb {
    /// `plan --out FILE`
    Plan,
    /// `pull`
    Pull,
    /// `apply PLAN`
    Saved,
    /// `apply --auto-approve`
    Fresh,
    /// `push --yes`
    Push,
    /// `authorize`, with links that an apply left
    Authorize,
    /// `authorize`, after all those links have run out
    Renew,
}

impl Verb {
    pub const ALL: [Self; 7] = [
        Self::Plan,
        Self::Pull,
        Self::Saved,
        Self::Fresh,
        Self::Push,
        Self::Authorize,
        Self::Renew,
    ];

    pub fn authorizes(self) -> bool {
        matches!(self, Self::Authorize | Self::Renew)
    }

    /// Whether it carries out the whole plan.
    pub fn applies(self) -> bool {
        matches!(self, Self::Saved | Self::Fresh | Self::Push)
    }

    pub fn arguments(self, parallelism: usize) -> Vec<&'static str> {
        let parallelism = match parallelism {
            0 | 1 => "1",
            2 => "2",
            3 => "3",
            _ => "8",
        };
        match self {
            Self::Plan => vec!["plan", "--out", "fresh.plan"],
            Self::Pull => vec!["pull", "--prune", "--yes"],
            Self::Saved => vec!["apply", "saved.plan", "--parallelism", parallelism],
            Self::Fresh => vec!["apply", "--auto-approve", "--parallelism", parallelism],
            Self::Push => vec!["push", "--yes"],
            Self::Authorize | Self::Renew => {
                vec!["authorize", "--yes", "--no-browser", "--timeout", "30s"]
            }
        }
    }
}

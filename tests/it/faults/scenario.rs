//! What is there, what is wanted, and what may be done about it.

use std::collections::{BTreeMap, BTreeSet};

use super::model::{Connector, Effect, Model};

/// What becomes of one connector.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Create,
    /// More scopes: a person has to consent.
    Widen,
    /// Fewer scopes, at once.
    Narrow,
    /// Fewer scopes, and this server wants a consent for that.
    NarrowAsks,
    Reauthorize,
    Delete,
}

impl Kind {
    pub const ALL: [Self; 6] = [
        Self::Create,
        Self::Widen,
        Self::Narrow,
        Self::NarrowAsks,
        Self::Reauthorize,
        Self::Delete,
    ];

    /// Whether a person has to consent.
    pub fn asks(self) -> bool {
        !matches!(self, Self::Narrow | Self::Delete)
    }

    fn before(self) -> Option<Connector> {
        let (status, scopes) = match self {
            Self::Create => return None,
            Self::Narrow | Self::NarrowAsks => ("active", set(&["read", "write"])),
            Self::Widen | Self::Delete => ("active", set(&["read"])),
            Self::Reauthorize => ("expired", set(&["read"])),
        };
        Some(Connector { status, scopes })
    }

    fn after(self) -> Option<BTreeSet<String>> {
        match self {
            Self::Create | Self::Widen => Some(set(&["read", "write"])),
            Self::Narrow | Self::NarrowAsks | Self::Reauthorize => Some(set(&["read"])),
            Self::Delete => None,
        }
    }
}

/// What becomes of Stripe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stripe {
    Absent,
    Install,
    Remove,
    Stays,
}

/// Providers that add nothing of their own.
const NAMES: [&str; 10] = [
    "airtable",
    "box",
    "calendly",
    "discord",
    "dropbox",
    "github",
    "notion",
    "splitwise",
    "wix",
    "wrike",
];
/// One that stays as it is, so that a plan never removes all there is.
const STAYS: &str = "typeform";

/// A remote, and files that want it otherwise.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Scenario {
    pub kinds: Vec<Kind>,
    pub stripe: Stripe,
}

impl Scenario {
    fn named(&self) -> impl Iterator<Item = (&'static str, Kind)> {
        NAMES.into_iter().zip(self.kinds.iter().copied())
    }

    /// The name of the connector of this number.
    pub fn name(&self, number: usize) -> String {
        let named = self.named().nth(number);
        named.expect("one of the scenario").0.to_owned()
    }

    pub fn model(&self) -> Model {
        let mut connectors: BTreeMap<_, _> = self
            .named()
            .filter_map(|(name, kind)| Some((name.to_owned(), kind.before()?)))
            .collect();
        let stays = Connector {
            status: "active",
            scopes: set(&["read"]),
        };
        connectors.insert(STAYS.to_owned(), stays);
        let asks = self.named().filter(|(_, kind)| *kind == Kind::NarrowAsks);
        Model {
            connectors,
            stripe: matches!(self.stripe, Stripe::Remove | Stripe::Stays).then_some("sandbox"),
            narrow_asks: asks.map(|(name, _)| name.to_owned()).collect(),
            ..Model::default()
        }
    }

    /// File name and content.
    pub fn files(&self) -> Vec<(String, String)> {
        let mut wanted: Vec<(&str, BTreeSet<String>)> = self
            .named()
            .filter_map(|(name, kind)| Some((name, kind.after()?)))
            .collect();
        wanted.push((STAYS, set(&["read"])));
        if matches!(self.stripe, Stripe::Install | Stripe::Stays) {
            wanted.push(("stripe", BTreeSet::new()));
        }
        let file = |(name, scopes): &(&str, BTreeSet<String>)| {
            let json = serde_json::json!({"type": name, "scopes": scopes});
            (format!("{name}.jsonc"), json.to_string())
        };
        wanted.iter().map(file).collect()
    }

    /// All that an approved plan may do.
    pub fn allowed(&self) -> BTreeSet<Effect> {
        let oauth = self.named().map(|(name, kind)| match kind.after() {
            Some(scopes) => Effect::Put(name.to_owned(), scopes),
            None => Effect::Remove(name.to_owned()),
        });
        let stripe = match self.stripe {
            Stripe::Install => Some(Effect::Install),
            Stripe::Remove => Some(Effect::Uninstall),
            Stripe::Absent | Stripe::Stays => None,
        };
        oauth.chain(stripe).collect()
    }

    /// Of these, the ones that an authorization may ask for again: a link for each that waits.
    pub fn asked(&self) -> BTreeSet<Effect> {
        let waits = self.named().filter(|(_, kind)| kind.asks());
        let waits: BTreeSet<_> = waits.map(|(name, _)| name).collect();
        let mut asked = self.allowed();
        asked.retain(
            |effect| matches!(effect, Effect::Put(name, _) if waits.contains(name.as_str())),
        );
        asked
    }

    /// Every combination of at most so many connectors, in any order that matters (by kind), with
    /// one way or another for Stripe.
    pub fn all(most: usize) -> Vec<Self> {
        let mut found = Vec::new();
        let mut grow = vec![Vec::new()];
        for _ in 0..=most {
            let mut next = Vec::new();
            for kinds in grow {
                let stripes: &[Stripe] = match kinds.len() {
                    0 => &[Stripe::Install, Stripe::Remove],
                    full if full == most => &[Stripe::Absent],
                    _ => &[Stripe::Absent, Stripe::Install, Stripe::Remove],
                };
                for stripe in stripes {
                    found.push(Self {
                        kinds: kinds.clone(),
                        stripe: *stripe,
                    });
                }
                for kind in Kind::ALL {
                    if kinds.last().is_none_or(|last| *last <= kind) && kinds.len() < most {
                        let mut more = kinds.clone();
                        more.push(kind);
                        next.push(more);
                    }
                }
            }
            grow = next;
        }
        found
    }
}

pub fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

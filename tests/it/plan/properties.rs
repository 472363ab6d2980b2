//! What must hold of plans, whatever the files and the remote say.

use std::collections::{BTreeMap, BTreeSet};

use connplan::{
    catalogue::ScopeEquivalence,
    diff::{Action, Comparison, Removal, Unlisted},
    model::{
        Account, ApiUrl, App, AppId, ConnectorType, Declared, DeclaredConnector, Kind, Observed,
        Policies, RemoteConnector, RemoteStatus, Scope, Scopes, StripeMode,
    },
    plan::{self, Folder, Guards, Inputs, Plan, Progress, document},
    policy::{self, Policy},
};
use proptest::{prelude::*, sample::select};

type Remote = BTreeMap<ConnectorType, RemoteConnector>;

const TYPES: [&str; 6] = [
    "box",
    "gmail",
    "googlecalendar",
    "hubspot",
    "notion",
    "slack",
];
const SCOPES: [&str; 10] = [
    "chat:write",
    "crm.objects.contacts.read",
    "email",
    "https://www.googleapis.com/auth/calendar",
    "https://www.googleapis.com/auth/gmail.readonly",
    "https://www.googleapis.com/auth/userinfo.email",
    "oauth",
    "openid",
    "profile",
    "users:read",
];

fn named(name: &str) -> ConnectorType {
    ConnectorType::parse(name).unwrap()
}

fn app() -> App {
    App {
        id: AppId::parse("app1").unwrap(),
        api_url: ApiUrl::default(),
        environment: None,
    }
}

fn scopes() -> impl Strategy<Value = Scopes> {
    prop::collection::btree_set(select(&SCOPES[..]), 0..5)
        .prop_map(|scopes| scopes.into_iter().collect())
}

fn declared() -> impl Strategy<Value = Declared> {
    let oauth = prop::collection::btree_map(select(&TYPES[..]), scopes(), 0..5);
    (oauth, any::<bool>()).prop_map(|(oauth, stripe)| {
        let connector = |name: &str, scopes| {
            let file = format!("base44/connectors/{name}.jsonc");
            let connector = DeclaredConnector {
                scopes,
                file,
                account: None,
                connection_config: BTreeMap::new(),
            };
            (named(name), connector)
        };
        let mut connectors: BTreeMap<_, _> = oauth
            .into_iter()
            .map(|(name, scopes)| connector(name, scopes))
            .collect();
        if stripe {
            connectors.extend([connector("stripe", Scopes::new())]);
        }
        Declared { connectors }
    })
}

fn remote() -> impl Strategy<Value = Remote> {
    let status = select(vec![
        RemoteStatus::Active,
        RemoteStatus::Expired,
        RemoteStatus::Disconnected,
    ]);
    let state = (status, scopes(), any::<bool>()).prop_map(|(status, scopes, known)| {
        let account = known.then(|| Account::new("ada@example.com"));
        RemoteConnector {
            status,
            scopes,
            account,
            mode: None,
            connection_config: None,
        }
    });
    let oauth = prop::collection::btree_map(select(&TYPES[..]), state, 0..5);
    let mode = select(vec![
        None,
        Some(StripeMode::Sandbox),
        Some(StripeMode::Live),
    ]);
    (oauth, mode).prop_map(|(oauth, mode)| {
        let mut remote: Remote = oauth
            .into_iter()
            .map(|(n, state)| (named(n), state))
            .collect();
        if let Some(mode) = mode {
            remote.insert(ConnectorType::stripe(), RemoteConnector::stripe(mode));
        }
        remote
    })
}

fn planned(files: &Declared, remote: &Remote) -> Plan {
    let comparison = Comparison {
        declared: files,
        observed: remote,
        pending: &BTreeMap::new(),
        rules: &ScopeEquivalence::default(),
        unlisted: Unlisted::Remove,
        on_remove: Removal::Remove,
        targets: &BTreeSet::new(),
    };
    plan::build(Inputs {
        app: app(),
        comparison,
        folder: Folder::Filled,
        guards: Guards {
            allow_remove_all: true,
        },
        speculative: false,
        diagnostics: Vec::new(),
    })
    .unwrap()
}

/// What carrying a plan out leads to, all consents given; providers add what they add.
fn carried_out(plan: &Plan, remote: &Remote) -> Remote {
    let mut remote = remote.clone();
    for change in plan.changes() {
        let name = change.connector.clone();
        match (change.action, change.kind()) {
            (Action::NoOp, _) => {}
            (Action::Delete, _) => {
                remote.remove(&name);
            }
            (_, Kind::Stripe) => {
                remote.insert(name, RemoteConnector::stripe(StripeMode::Sandbox));
            }
            (_, Kind::Oauth) => {
                let mut scopes = change.after.clone().unwrap().scopes;
                if name.as_str().starts_with('g') {
                    let added = ["openid", "https://www.googleapis.com/auth/userinfo.email"];
                    scopes = scopes.iter().map(Scope::as_str).chain(added).collect();
                }
                let account = Some(Account::new("ada@example.com"));
                let state = RemoteConnector {
                    status: RemoteStatus::Active,
                    scopes,
                    account,
                    mode: None,
                    connection_config: None,
                };
                remote.insert(name, state);
            }
        }
    }
    remote
}

/// The files that say what a remote has.
fn as_declared(remote: &Remote) -> Declared {
    let connector = |(name, state): (&ConnectorType, &RemoteConnector)| {
        let file = format!("base44/connectors/{name}.jsonc");
        let scopes = state.scopes.clone();
        (
            name.clone(),
            DeclaredConnector {
                scopes,
                file,
                account: None,
                connection_config: BTreeMap::new(),
            },
        )
    };
    Declared {
        connectors: remote.iter().map(connector).collect(),
    }
}

proptest! {
    #![proptest_config(crate::support::cases(64))]

    #[test]
    fn a_plan_of_what_is_there_is_empty(mut remote in remote()) {
        for state in remote.values_mut() {
            state.status = RemoteStatus::Active;
        }
        let plan = planned(&as_declared(&remote), &remote);
        prop_assert!(!plan.has_changes(), "{:?}", plan);
    }

    #[test]
    fn after_an_apply_the_remote_is_as_declared(files in declared(), remote in remote()) {
        let plan = planned(&files, &remote);
        let after = carried_out(&plan, &remote);
        let names: BTreeSet<_> = after.keys().collect();
        prop_assert_eq!(names, files.connectors.keys().collect());
        for (name, declared) in &files.connectors {
            if name.kind() == Kind::Oauth {
                let diff = ScopeEquivalence::default().compare(name, &declared.scopes, &after[name].scopes);
                prop_assert!(diff.is_same(), "{}: {:?}", name, diff);
            }
        }
        let again = planned(&files, &after);
        prop_assert!(!again.has_changes(), "{:?}", again);
    }

    /// An interrupted apply's own effects are no reason to refuse its plan; anybody else's are.
    #[test]
    fn own_effects_are_told_from_foreign_ones(
        files in declared(),
        remote in remote(),
        done in any::<u32>(),
    ) {
        let plan = planned(&files, &remote);
        let after = carried_out(&plan, &remote);
        let mut middle = remote.clone();
        let mut progress = BTreeMap::new();
        let changes = plan.changes().filter(|change| change.action != Action::NoOp);
        for (bit, change) in changes.enumerate() {
            if done & (1 << (bit % 32)) == 0 {
                continue;
            }
            let name = &change.connector;
            progress.insert(name.clone(), Progress::Done);
            match after.get(name) {
                Some(state) => middle.insert(name.clone(), state.clone()),
                None => middle.remove(name),
            };
        }
        let rules = ScopeEquivalence::default();
        let judged = |changes| {
            let judgement =
                policy::evaluate(changes, 9, &Policy::default(), &Policies::default(), &[]);
            judgement.verdict().unwrap()
        };
        let (verdict, now) = (judged(&plan.app.changes), jiff::Timestamp::UNIX_EPOCH);
        let observed = |middle: &Remote| Observed {
            connectors: middle.clone(),
            ..Observed::default()
        };
        let verify = |middle: &Remote, progress| {
            let is = observed(middle);
            plan::verify(&plan, &verdict, &app(), now, &is, progress, &rules).is_ok()
        };
        prop_assert!(verify(&middle, &progress));
        // A verdict about something else is none.
        let other = judged(&[]);
        let is = observed(&middle);
        let unjudged = plan::verify(&plan, &other, &app(), now, &is, &progress, &rules);
        prop_assert_eq!(unjudged.is_ok(), !plan.has_changes());
        // Nor does it matter who did it, or where, or what became of the others.
        let nobody = BTreeMap::new();
        prop_assert!(verify(&middle, &nobody));
        middle.insert(named("typeform"), RemoteConnector::stripe(StripeMode::Live));
        prop_assert!(verify(&middle, &nobody));
        let touched = plan.changes().find(|change| {
            let oauth = change.kind() == Kind::Oauth && change.before.is_some();
            oauth && change.action != Action::NoOp
        });
        if let Some(change) = touched {
            let state = middle.entry(change.connector.clone()).or_insert_with(|| {
                change.before.clone().unwrap()
            });
            state.status = RemoteStatus::Active;
            state.scopes = ["foreign"].into_iter().collect();
            prop_assert!(!verify(&middle, &nobody));
        }
    }

    #[test]
    fn a_plan_survives_its_file(files in declared(), remote in remote()) {
        let plan = planned(&files, &remote);
        let text = document::to_toml(&plan, Some("2026-01-02T03:04:05Z".to_owned())).unwrap();
        let read = document::read("it", &text).unwrap();
        prop_assert_eq!(&read.plan, &plan);
        prop_assert_eq!(read.digest, document::digest(&plan).unwrap());
        let same = document::to_toml(&read.plan, Some("2026-01-02T03:04:05Z".to_owned()));
        prop_assert_eq!(same.unwrap(), text);
    }

    #[test]
    fn an_edit_of_one_byte_means_nothing_or_is_refused(
        files in declared(),
        remote in remote(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..3_u8), 8),
    ) {
        let plan = planned(&files, &remote);
        let text = document::to_toml(&plan, None).unwrap();
        let digest = document::digest(&plan).unwrap();
        for (place, byte, how) in edits {
            let mut bytes = text.clone().into_bytes();
            let at = place.index(bytes.len());
            match how {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                _ => {
                    bytes.remove(at);
                }
            }
            let Ok(edited) = String::from_utf8(bytes) else { continue };
            if let Ok(read) = document::read("it", &edited) {
                prop_assert_eq!(&read.digest, &digest, "byte {} of\n{}", at, edited);
                prop_assert_eq!(&read.plan, &plan, "byte {} of\n{}", at, edited);
            }
        }
    }
}

/// Not by chance, but all of them.
#[test]
fn every_byte_of_a_plan_is_guarded() {
    let files = as_declared(&BTreeMap::from([(
        named("slack"),
        RemoteConnector {
            status: RemoteStatus::Active,
            scopes: ["chat:write"].into_iter().collect(),
            account: None,
            mode: None,
            connection_config: None,
        },
    )]));
    let plan = planned(&files, &BTreeMap::new());
    let digest = document::digest(&plan).unwrap();
    let text = document::to_toml(&plan, None).unwrap();
    let mut refused = 0;
    for at in 0..text.len() {
        for byte in b"\n\"0".iter().chain(&[text.as_bytes()[at] ^ 1]) {
            let mut bytes = text.clone().into_bytes();
            bytes[at] = *byte;
            let Ok(edited) = String::from_utf8(bytes) else {
                continue;
            };
            match document::read("it", &edited) {
                Ok(read) => {
                    assert_eq!((&read.digest, &read.plan), (&digest, &plan), "byte {at}");
                }
                Err(_) => refused += 1,
            }
        }
    }
    assert!(refused > text.len() / 2, "{refused}");
}

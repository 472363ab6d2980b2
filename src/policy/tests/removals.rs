//! What counts as a removal.

use super::*;

#[test]
fn a_protected_connector_without_its_scopes_is_a_removal() {
    let policy = Policy {
        protected: set(named("slack")),
        ..Policy::default()
    };
    let mut cut = change("slack", Action::Update, &[]);
    cut.scopes.removed = ["chat:write"].into_iter().collect();
    assert_eq!(broken(&policy, &[cut.clone()]), ["protected"]);
    // Whatever it gets instead, those who need it have lost it.
    cut.after = change("slack", Action::Update, &["users:read"]).after;
    let both = Policy {
        max_removals: Some(Removals::Count(0)),
        ..policy.clone()
    };
    assert_eq!(broken(&both, &[cut.clone()]), ["protected", "max_removals"]);
    cut.scopes.kept = ["users:read"].into_iter().collect();
    assert_eq!(broken(&both, &[cut]), [""; 0]);
}

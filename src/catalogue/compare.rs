//! STUB replaced on merge.
use crate::model::{ConnectorType, Scope, Scopes};
use serde::Serialize;
use std::borrow::Cow;
/// x
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ScopeDiff {
    /// x
    pub added: Scopes,
    /// x
    pub removed: Scopes,
    /// x
    pub kept: Scopes,
    /// x
    pub provider_added: Scopes,
}
impl ScopeDiff {
    /// x
    pub fn is_same(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty()
    }
}
/// x
#[derive(Clone, Debug, Default)]
pub struct Rules;
impl Rules {
    /// x
    pub fn canonical<'a>(&self, _c: &ConnectorType, s: &'a Scope) -> Cow<'a, str> {
        Cow::Borrowed(s.as_str())
    }
    /// x
    pub fn added_by_provider(&self, _c: &ConnectorType, s: &Scope) -> bool {
        s.as_str() == "openid"
    }
    /// x
    pub fn compare(&self, c: &ConnectorType, declared: &Scopes, remote: &Scopes) -> ScopeDiff {
        let mut d = ScopeDiff::default();
        for s in declared.iter() {
            if remote.contains(s) {
                d.kept.insert(s.clone());
            } else {
                d.added.insert(s.clone());
            }
        }
        for s in remote.iter() {
            if !declared.contains(s) {
                if self.added_by_provider(c, s) {
                    d.provider_added.insert(s.clone());
                } else {
                    d.removed.insert(s.clone());
                }
            }
        }
        d
    }
}

//! Why a 402 or 403, as far as its body tells. Pure.

use super::{credential::CredentialKind, problem::ServerProblem};

/// What stands behind a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The workspace's subscription does not include it.
    Subscription,
    /// The workspace's connector policy forbids it.
    Policy,
    /// The token only reads.
    ReadOnlyToken,
    /// The person may not edit the app.
    NotAnEditor,
    /// Workspace keys may not call this.
    WorkspaceKey,
    /// The answer does not tell.
    Untold,
}

impl Refusal {
    /// Reads a refusal. No error codes are documented, so words decide; those that the server means
    /// for programs come first.
    pub(super) fn read(status: u16, problem: &ServerProblem, credential: CredentialKind) -> Self {
        let words = [&problem.reason, &problem.code, &problem.message];
        let told = words.into_iter().flatten().find_map(|text| {
            let text = text.to_ascii_lowercase().replace(['_', '-'], " ");
            let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
            if has(&["read only"]) {
                Some(Self::ReadOnlyToken)
            } else if has(&["plan required", "subscription", "upgrade", "builder plan"]) {
                Some(Self::Subscription)
            } else if has(&[
                "not allowed",
                "governance",
                "policy",
                "does not allow",
                "builder connection",
            ]) {
                Some(Self::Policy)
            } else if has(&["editor", "edit access", "permission to edit"]) {
                Some(Self::NotAnEditor)
            } else if has(&["api key", "workspace key"]) && credential == CredentialKind::ApiKey {
                Some(Self::WorkspaceKey)
            } else {
                None
            }
        });
        match told {
            Some(told) => told,
            None if status == 402 => Self::Subscription,
            None if credential == CredentialKind::ApiKey => Self::WorkspaceKey,
            None => Self::Untold,
        }
    }

    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Subscription => "the workspace's subscription does not include this",
            Self::Policy => "the workspace's policy does not allow this",
            Self::ReadOnlyToken => "the access token is read-only",
            Self::NotAnEditor => "this account may not edit the app",
            Self::WorkspaceKey => "a workspace API key may not do this",
            Self::Untold => "no permission",
        }
    }

    pub(super) fn advice(self) -> &'static str {
        match self {
            Self::Subscription => {
                "connectors need the Builder plan or higher: ask the workspace's owner to change the subscription"
            }
            Self::Policy => {
                "ask the workspace's administrator to let builders connect this type, or take the connector out of the files"
            }
            Self::ReadOnlyToken => {
                "set BASE44_ACCESS_TOKEN to a full personal access token to change the app; a read-only one is enough for `plan`, `status` and `pull`"
            }
            Self::NotAnEditor => {
                "ask the app's owner for editor access, or use the login or token of somebody who has it"
            }
            Self::WorkspaceKey => {
                "the platform refuses keys (b44k_…) here: make a personal access token in the workspace (Settings > Secrets > Personal access tokens), \
                 set BASE44_ACCESS_TOKEN to it and unset BASE44_API_KEY; or use `connplan login`"
            }
            Self::Untold => {
                "ask for access to the app, or its workspace's administrator to allow this"
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn bodies_are_told_apart() {
        let read = |status, body, credential| {
            Refusal::read(status, &ServerProblem::read(&body), credential)
        };
        let token = CredentialKind::Token;
        let reason = |reason: &str| json!({"message": "No.", "extra_data": {"reason": reason}});
        for (status, body, expected) in [
            (403, reason("read_only_token"), Refusal::ReadOnlyToken),
            (
                403,
                json!({"detail": "This is a read-only token"}),
                Refusal::ReadOnlyToken,
            ),
            (402, json!({}), Refusal::Subscription),
            (
                403,
                json!({"message": "Please upgrade"}),
                Refusal::Subscription,
            ),
            (403, reason("integration_not_allowed"), Refusal::Policy),
            (
                403,
                json!({"detail": "You need editor access"}),
                Refusal::NotAnEditor,
            ),
            (403, json!({"detail": "Nope"}), Refusal::Untold),
            (403, json!([1]), Refusal::Untold),
        ] {
            assert_eq!(read(status, body.clone(), token), expected, "{body}");
        }
        let key = CredentialKind::ApiKey;
        let short = json!({"error": "Forbidden", "detail": "x"});
        assert_eq!(read(403, short, key), Refusal::WorkspaceKey);
        let policy = reason("integration_not_allowed");
        assert_eq!(
            read(403, policy, key),
            Refusal::Policy,
            "a key that is taken"
        );
    }
}

//! By what a call is allowed.

/// By which credential a call was made, for the advice when it is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CredentialKind {
    /// `BASE44_API_KEY`.
    ApiKey,
    /// `BASE44_ACCESS_TOKEN`, as it stands.
    Token,
    /// A personal access token.
    PersonalToken {
        /// The variable that holds it.
        variable: &'static str,
    },
    /// The stored login.
    Login,
    /// The calls of a login itself.
    None,
}

impl CredentialKind {
    pub(super) fn refused(self) -> String {
        match self {
            Self::ApiKey => "the workspace key in BASE44_API_KEY was refused".to_owned(),
            Self::Token => "the token in BASE44_ACCESS_TOKEN was refused".to_owned(),
            Self::PersonalToken { variable } => {
                format!("the personal access token in {variable} was refused")
            }
            Self::Login => "the login was refused".to_owned(),
            Self::None => "the request was refused".to_owned(),
        }
    }

    pub(super) fn advice(self) -> String {
        match self {
            Self::ApiKey => {
                "check that the key is valid and may use this app; or unset BASE44_API_KEY and run \
                 `connplan login`"
                    .to_owned()
            }
            Self::Token => {
                "set a new token (with BASE44_REFRESH_TOKEN beside it, it is renewed by itself); or \
                 unset BASE44_ACCESS_TOKEN and run `connplan login`"
                    .to_owned()
            }
            Self::PersonalToken { variable } => format!(
                "make a new one in the workspace's settings (Secrets, Personal access tokens) and \
                 set it; or unset {variable} and run `connplan login`"
            ),
            Self::Login | Self::None => "log in again with `connplan login`".to_owned(),
        }
    }
}

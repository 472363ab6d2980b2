//! Why no request could be made, or no answer came.

use std::fmt;

use miette::Diagnostic;
use thiserror::Error;

/// Why no answer came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unreachable {
    /// The name has no address.
    Dns,
    /// Nothing listens there.
    Refused,
    /// No connection in time.
    ConnectTimeout,
    /// No encrypted connection that can be trusted; with the reason.
    Tls(String),
    /// The proxy that this variable names wants to know who asks (407).
    ProxyLogin(&'static str),
    /// The proxy that this variable names does not let it through.
    ProxyRefused(&'static str),
    /// Connected, but no answer, or not all of it, in time.
    AnswerTimeout,
    /// The connection broke before the answer was whole.
    Interrupted,
    /// Anything else between here and there, in the system's words.
    Other(String),
}

impl fmt::Display for Unreachable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dns => f.write_str("its name was not found"),
            Self::Refused => f.write_str("it refused the connection"),
            Self::ConnectTimeout => f.write_str("it did not accept the connection in time"),
            Self::Tls(why) => write!(f, "no trusted encrypted connection: {why}"),
            Self::ProxyLogin(variable) => write!(
                f,
                "the proxy that {variable} names wants a user name and a password (HTTP 407)"
            ),
            Self::ProxyRefused(variable) => {
                write!(f, "the proxy that {variable} names does not connect to it")
            }
            Self::AnswerTimeout => f.write_str("it did not answer in time"),
            Self::Interrupted => f.write_str("the connection broke before the answer was complete"),
            Self::Other(why) => f.write_str(why),
        }
    }
}

impl Unreachable {
    /// What helps.
    pub(crate) fn advice(&self) -> &'static str {
        match self {
            Self::Dns | Self::Refused | Self::ConnectTimeout | Self::Other(_) => {
                "check the network, the proxy variables (HTTPS_PROXY, NO_PROXY) and BASE44_API_URL"
            }
            Self::Tls(_) => {
                "check the address and the clock; where a proxy signs with its own certificate, name that in NODE_EXTRA_CA_CERTS or SSL_CERT_FILE"
            }
            Self::ProxyLogin(_) => {
                "put them into that variable (http://USER:PASSWORD@HOST:PORT), or name the host in NO_PROXY"
            }
            Self::ProxyRefused(_) => {
                "ask those who run the proxy to let this host through, correct that variable, or name the host in NO_PROXY"
            }
            Self::AnswerTimeout | Self::Interrupted => {
                "try again; if it keeps happening, report the request id to Base44"
            }
        }
    }
}

/// A client that could not be made.
#[derive(Debug, Error, Diagnostic)]
pub enum SetupError {
    /// Plain `http` to another machine.
    #[error("{api_url} is not encrypted, so no credentials are sent there")]
    #[diagnostic(
        code(connplan::remote::insecure),
        help(
            "use an https address; plain http is for this machine alone, unless `--allow-http` is given"
        )
    )]
    InsecureAddress {
        /// The address.
        api_url: String,
    },
    /// A proxy that is not supported.
    #[error("{variable} names a proxy of the kind `{scheme}`, which is not supported")]
    #[diagnostic(
        code(connplan::remote::proxy_scheme),
        help("name an http or https proxy in {variable}, or the platform's host in NO_PROXY")
    )]
    ProxyScheme {
        /// The variable.
        variable: &'static str,
        /// What stands before `://`, made safe.
        scheme: String,
    },
    /// A proxy's address that leads nowhere.
    #[error("{variable} does not name a proxy: {why}")]
    #[diagnostic(
        code(connplan::remote::proxy_address),
        help("write {variable} like `http://proxy.example:3128`, or unset it")
    )]
    ProxyAddress {
        /// The variable.
        variable: &'static str,
        /// What is wrong with it, made safe.
        why: String,
    },
    /// The client could not be set up.
    #[error("encrypted connections cannot be set up: {why}")]
    #[diagnostic(
        code(connplan::remote::tls_setup),
        help(
            "install the system's certificates (package `ca-certificates`), or name a file of them in SSL_CERT_FILE"
        )
    )]
    TlsSetup {
        /// In the TLS library's words.
        why: String,
    },
}

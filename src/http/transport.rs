//! The HTTP client underneath: encryption, proxies, name look-up, no redirects.

use std::{error::Error as StdError, fmt, io, net::SocketAddr, sync::Arc};

use reqwest::{
    Client,
    dns::{Addrs, Name, Resolve, Resolving},
    redirect, retry,
};
use url::{Host, Url};

use super::{ClientOptions, GateClosed, SetupError, Unreachable, network, retry::Fault};
use crate::model::{ApiUrl, Vars};

/// Builds the client for one address.
///
/// Plain `http` on this machine needs neither certificates (reading them takes milliseconds) nor a
/// proxy, which would carry the credentials off this machine in the clear.
pub(crate) fn client(api_url: &ApiUrl, options: &ClientOptions) -> Result<Client, SetupError> {
    if !api_url.is_private() && !options.allow_http {
        return Err(SetupError::InsecureAddress {
            api_url: api_url.to_string(),
        });
    }
    let plain_and_local = api_url.is_private() && api_url.as_str().starts_with("http://");
    if !plain_and_local {
        network::check_proxy(&options.vars, api_url)?;
    }
    let mut builder = Client::builder()
        .tls_backend_preconfigured(tls_config(!plain_and_local, &options.vars)?)
        .redirect(redirect::Policy::none())
        // Repetition is decided in one place, and not in this library.
        .retry(retry::never())
        .referer(false)
        .connect_timeout(options.connect_timeout)
        .http1_max_headers(options.max_headers)
        .dns_resolver(Arc::new(Resolver))
        .user_agent(&options.user_agent);
    if plain_and_local {
        builder = builder.no_proxy();
    }
    builder.build().map_err(|error| SetupError::TlsSetup {
        why: chain_text(&error),
    })
}

fn tls_config(with_roots: bool, vars: &Vars) -> Result<rustls::ClientConfig, SetupError> {
    let failed = |error: rustls::Error| SetupError::TlsSetup {
        why: error.to_string(),
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(failed)?;
    let mut config = if with_roots {
        // The system's own verifier. On Linux that is its certificate files, or those that
        // SSL_CERT_FILE and SSL_CERT_DIR name.
        let verifier = rustls_platform_verifier::Verifier::new_with_extra_roots(
            network::extra_roots(vars),
            provider,
        )
        .map_err(failed)?;
        builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth()
    } else {
        builder
            .with_root_certificates(rustls::RootCertStore::empty())
            .with_no_client_auth()
    };
    // One protocol, one stack: a few requests at once have a connection each.
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// Name look-up that keeps `localhost` on this machine, whatever a name server says, and whose
/// failure can be told from others.
struct Resolver;

/// The name has no address.
#[derive(Debug)]
struct NameNotFound(io::Error);

impl fmt::Display for NameNotFound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "name not found: {}", self.0)
    }
}

impl StdError for NameNotFound {}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let name = name.as_str();
            if name == "localhost" || name.ends_with(".localhost") {
                let local = [
                    ([127, 0, 0, 1], 0).into(),
                    SocketAddr::from(([0, 0, 0, 0, 0, 0, 0, 1], 0)),
                ];
                return Ok(Box::new(local.into_iter()) as Addrs);
            }
            match tokio::net::lookup_host((name, 0)).await {
                // Collected, since the iterator borrows nothing but is of a private type.
                Ok(found) => Ok(Box::new(found.collect::<Vec<_>>().into_iter()) as Addrs),
                Err(error) => Err(NameNotFound(error).into()),
            }
        })
    }
}

/// How the library begins what it says of a proxy that was asked for a connection.
const TUNNEL: &str = "tunnel error: ";
/// The variable that names a proxy, unless it is known which of them did.
const ANY_PROXY: &str = "HTTPS_PROXY";

/// What a failed exchange was, and whether the request may have arrived.
pub(crate) enum TransportError {
    /// No usable connection.
    Unreachable(Unreachable, Fault),
    /// Not valid HTTP.
    Protocol(String),
}

/// Reads a reqwest error: its kind alone does not tell a wrong name from a refused connection.
pub(crate) fn classify(error: &reqwest::Error) -> TransportError {
    let mut chain = causes(error);
    let connecting = error.is_connect();
    let fault = if connecting {
        Fault::NotSent
    } else {
        Fault::NoAnswer
    };
    if chain.clone().any(<dyn StdError>::is::<NameNotFound>) {
        return TransportError::Unreachable(Unreachable::Dns, Fault::NotSent);
    }
    if let Some(tls) = chain.clone().find_map(tls_error) {
        let fault = Fault::Final {
            unclear: !connecting,
        };
        return TransportError::Unreachable(Unreachable::Tls(tls.to_string()), fault);
    }
    // The library's own type is not to be had; its words are.
    let proxy = |e: &(dyn StdError + 'static)| match e.to_string().strip_prefix(TUNNEL) {
        Some("proxy authorization required") => Some(Unreachable::ProxyLogin(ANY_PROXY)),
        Some("unsuccessful") => Some(Unreachable::ProxyRefused(ANY_PROXY)),
        _ => None,
    };
    if let Some(cause) = chain.clone().find_map(proxy) {
        let fault = Fault::Final { unclear: false };
        return TransportError::Unreachable(cause, fault);
    }
    if error.is_timeout() {
        let cause = if connecting {
            Unreachable::ConnectTimeout
        } else {
            Unreachable::AnswerTimeout
        };
        return TransportError::Unreachable(cause, fault);
    }
    if let Some(hyper) = chain.clone().find_map(|e| e.downcast_ref::<hyper::Error>())
        && (hyper.is_parse() || hyper.is_parse_too_large())
    {
        return TransportError::Protocol(hyper.to_string());
    }
    let io = chain.find_map(|e| e.downcast_ref::<io::Error>());
    let cause = match io.map(io::Error::kind) {
        Some(io::ErrorKind::ConnectionRefused) => Unreachable::Refused,
        Some(io::ErrorKind::TimedOut) if connecting => Unreachable::ConnectTimeout,
        _ if connecting => Unreachable::Other(chain_text(error)),
        _ => Unreachable::Interrupted,
    };
    TransportError::Unreachable(cause, fault)
}

/// Whether it was not sent, since the gate had closed.
pub(crate) fn gate_closed(error: &reqwest::Error) -> bool {
    causes(error).any(<dyn StdError>::is::<GateClosed>)
}

/// An error and all that it came from.
fn causes(error: &reqwest::Error) -> impl Iterator<Item = &(dyn StdError + 'static)> + Clone {
    let first: &(dyn StdError + 'static) = error;
    std::iter::successors(Some(first), |&error| error.source())
}

fn tls_error<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a rustls::Error> {
    // An io::Error's `source` skips what it wraps, which may be another of its kind: what is
    // wrapped is asked for by itself, however deep.
    let wrapped = || {
        error
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref)
    };
    error
        .downcast_ref::<rustls::Error>()
        .or_else(|| wrapped().and_then(|inner| tls_error(inner)))
}

/// The innermost sentence of an error, which says most. It names no address.
fn chain_text(error: &reqwest::Error) -> String {
    let chain = causes(error);
    chain.last().map(ToString::to_string).unwrap_or_default()
}

/// Host and port of an address, for messages.
pub(crate) fn host_of(api_url: &ApiUrl) -> String {
    let Ok(url) = Url::parse(api_url.as_str()) else {
        return api_url.to_string();
    };
    match (url.host(), url.port()) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        (Some(Host::Domain(name)), None) => name.to_owned(),
        (Some(host), None) => host.to_string(),
        (None, _) => api_url.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_leaves_this_machine_only_when_told_to() {
        let options = ClientOptions::default();
        let far = ApiUrl::parse("http://example.com").unwrap();
        assert!(matches!(
            client(&far, &options),
            Err(SetupError::InsecureAddress { .. })
        ));
        let near = ApiUrl::parse("http://localhost:1").unwrap();
        assert!(client(&near, &options).is_ok());
    }

    #[tokio::test]
    async fn localhost_is_this_machine() {
        for name in ["localhost", "x.localhost"] {
            let found = Resolver.resolve(name.parse().unwrap()).await.unwrap();
            assert!(found.into_iter().all(|a| a.ip().is_loopback()));
        }
    }
}

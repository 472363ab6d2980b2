//! What the variables of the process say of certificates and proxies.

use std::path::Path;

use rustls::{
    RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
};

use super::SetupError;
use crate::{
    fs,
    model::{ApiUrl, Vars},
};

/// Bundles of certificates have some hundred kilobytes.
const LIMIT: u64 = 16 << 20;
/// Where systems keep their certificates, for an `SSL_CERT_FILE` that is set and empty.
const BUNDLES: [&str; 5] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// Certificates to trust beside those of the system: `NODE_EXTRA_CA_CERTS`, as the official client
/// does. What of it cannot be used is left out, as there.
pub(super) fn extra_roots(vars: &Vars) -> Vec<CertificateDer<'static>> {
    let named = vars.get("NODE_EXTRA_CA_CERTS");
    let mut roots = named.map_or_else(Vec::new, |path| bundle(Path::new(path)));
    // The library that reads the system's takes an empty name for a file.
    let empty = |name| vars.is_empty(name);
    if empty("SSL_CERT_FILE") || empty("SSL_CERT_DIR") {
        let system = BUNDLES.iter().map(|path| bundle(Path::new(path)));
        roots.extend(
            system
                .into_iter()
                .find(|roots| !roots.is_empty())
                .unwrap_or_default(),
        );
    }
    roots
}

/// The file of `NODE_EXTRA_CA_CERTS`, if none of it can be used.
pub fn unusable_roots(vars: &Vars) -> Option<&str> {
    let path = vars.get("NODE_EXTRA_CA_CERTS")?;
    // The first that can be used answers it: a bundle has some hundred.
    let pem = text(Path::new(path));
    usable(&pem).next().is_none().then_some(path)
}

fn bundle(path: &Path) -> Vec<CertificateDer<'static>> {
    usable(&text(path)).collect()
}

/// What a bundle's file holds; nothing, if it cannot be read.
fn text(path: &Path) -> Vec<u8> {
    fs::read_limited(path, LIMIT).unwrap_or_default()
}

/// The certificates in a text that can be used as roots, read one by one.
fn usable(pem: &[u8]) -> impl Iterator<Item = CertificateDer<'static>> {
    CertificateDer::pem_slice_iter(pem)
        .filter_map(Result::ok)
        .filter(|root| RootCertStore::empty().add(root.clone()).is_ok())
}

/// The variable that names the proxy for this address, if one does, and its value.
pub(crate) fn proxy<'a>(vars: &'a Vars, api_url: &ApiUrl) -> Option<(&'static str, &'a str)> {
    let url = url::Url::parse(api_url.as_str()).ok()?;
    let names: &[&'static str] = if url.scheme() == "https" {
        &["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"]
    } else {
        &["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"]
    };
    let host = url.host_str()?;
    let without = vars.get("NO_PROXY").or_else(|| vars.get("no_proxy"));
    let excluded = without
        .unwrap_or_default()
        .split(',')
        .map(str::trim)
        .any(|name| {
            let name = name.trim_start_matches("*.").trim_start_matches('.');
            name == "*"
                || (!name.is_empty()
                    && host
                        .strip_suffix(name)
                        .is_some_and(|rest| rest.is_empty() || rest.ends_with('.')))
        });
    if excluded {
        return None;
    }
    names.iter().find_map(|name| Some((*name, vars.get(name)?)))
}

/// Fails if the proxy for this address is of a kind that is not supported: it would be passed by.
pub(super) fn check_proxy(vars: &Vars, api_url: &ApiUrl) -> Result<(), SetupError> {
    let Some((variable, value)) = proxy(vars, api_url) else {
        return Ok(());
    };
    match value.split_once("://") {
        Some((scheme, _)) if !matches!(scheme.to_ascii_lowercase().as_str(), "http" | "https") => {
            Err(SetupError::ProxyScheme {
                variable,
                scheme: super::server_text(&scheme.chars().take(40).collect::<String>()),
            })
        }
        _ => leads_somewhere(value).map_err(|why| SetupError::ProxyAddress { variable, why }),
    }
}

/// Whether a proxy's address has a host, and a port that there can be.
fn leads_somewhere(value: &str) -> Result<(), String> {
    let address = value.split_once("://").map_or(value, |(_, rest)| rest);
    let address = address.split(['/', '?', '#']).next().unwrap_or_default();
    let address = address.rsplit_once('@').map_or(address, |(_, rest)| rest);
    let (host, port) = match address.rsplit_once(':') {
        // The colons of an address of IPv6 are within brackets.
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (address, None),
    };
    if host.is_empty() {
        return Err("it has no host".to_owned());
    }
    let possible = |port: &str| port.parse::<u16>().is_ok_and(|port| port != 0);
    match port {
        Some(port) if !port.is_empty() && !possible(port) => {
            let port = super::server_text(&port.chars().take(20).collect::<String>());
            Err(format!("{port} is not a port (1 to 65535)"))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_has_a_host_and_a_port_that_there_can_be() {
        for fits in [
            "http://p",
            "p:1",
            "http://u:p@[::1]:3128/",
            "[::1]",
            "https://p:",
            "u:p@p:65535",
        ] {
            assert_eq!(leads_somewhere(fits), Ok(()), "{fits}");
        }
        for (value, why) in [
            ("http://127.0.0.1:99999", "99999 is not a port"),
            ("http://p:0", "0 is not a port"),
            ("p:x", "x is not a port"),
            ("http://", "no host"),
            ("http://u:secret@:80", "no host"),
        ] {
            let said = leads_somewhere(value).unwrap_err();
            assert!(said.contains(why), "{value}: {said}");
        }
    }

    #[test]
    fn the_proxy_variable_is_named() {
        let at = |text| ApiUrl::parse(text).unwrap();
        let named =
            |pairs: &[(&str, &str)], url| proxy(&Vars::of(pairs), &at(url)).map(|(name, _)| name);
        let https = "https://app.base44.com";
        assert_eq!(
            named(&[("https_proxy", "http://p")], https),
            Some("https_proxy")
        );
        assert_eq!(
            named(&[("ALL_PROXY", "p:1"), ("HTTP_PROXY", "q")], https),
            Some("ALL_PROXY")
        );
        assert_eq!(
            named(
                &[("HTTPS_PROXY", "p"), ("NO_PROXY", "x, .base44.com")],
                https
            ),
            None
        );
        assert_eq!(
            named(&[("HTTPS_PROXY", "p"), ("NO_PROXY", "ase44.com")], https),
            Some("HTTPS_PROXY")
        );
        for (value, fine) in [
            ("http://p:1", true),
            ("p:1", true),
            ("HTTPS://p", true),
            ("socks5://p", false),
        ] {
            let checked = check_proxy(&Vars::of(&[("HTTPS_PROXY", value)]), &at(https));
            assert_eq!(checked.is_ok(), fine, "{value}");
        }
    }

    #[test]
    fn certificates_that_cannot_be_used_are_left_out() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("extra.pem");
        fs::write(&path, b"no certificate", fs::Visibility::Shared).unwrap();
        let path = path.display().to_string();
        assert!(extra_roots(&Vars::of(&[("NODE_EXTRA_CA_CERTS", &path)])).is_empty());
        assert!(extra_roots(&Vars::of(&[("NODE_EXTRA_CA_CERTS", "/does/not/exist")])).is_empty());
        assert!(extra_roots(&Vars::default()).is_empty());
    }
}

//! Whose certificates are trusted. The authority of `fixtures/tls` has signed one for `localhost`; its own
//! key was thrown away.

use std::{
    io::{Read, Write},
    net::TcpListener,
    path::{Path, PathBuf},
    sync::Arc,
    thread,
};

use rustls::{
    ServerConfig, ServerConnection, StreamOwned,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};

use crate::support::Project;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures/tls")
        .join(name)
}

/// Refuses the token of whoever trusts its certificate.
fn server() -> String {
    let chain = CertificateDer::pem_file_iter(fixture("localhost.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_file(fixture("localhost.key")).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain.map(Result::unwrap).collect(), key)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!(
        "https://localhost:{}",
        listener.local_addr().unwrap().port()
    );
    thread::spawn(move || {
        for socket in listener.incoming().map(Result::unwrap) {
            let config = config.clone();
            thread::spawn(move || {
                let mut stream = StreamOwned::new(ServerConnection::new(config).unwrap(), socket);
                // Whoever does not trust it ends here.
                if stream.read(&mut [0; 4_096]).is_ok_and(|n| n > 0) {
                    let _ = stream.write_all(
                        b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
                    );
                    stream.conn.send_close_notify();
                    let _ = stream.flush();
                }
            });
        }
    });
    url
}

#[test]
fn certificates_that_the_variables_name_are_trusted() {
    let url = server();
    let authority = fixture("authority.pem");
    let authority = authority.to_str().unwrap();
    let project = Project::new()
        .var("BASE44_API_URL", &url)
        .var("BASE44_ACCESS_TOKEN", "b44u_x");
    let tells = |vars: &[(&str, &str)], what: &str| {
        project.run_vars(vars, &["plan"]).expect(1).tells(what);
    };
    let distrust = "no trusted encrypted connection";
    tells(&[], distrust);
    // An empty one counts as not set, and does not take the system's certificates away.
    tells(&[("SSL_CERT_FILE", "")], distrust);
    tells(&[("NODE_EXTRA_CA_CERTS", "")], distrust);
    let refused = "was refused";
    tells(&[("NODE_EXTRA_CA_CERTS", authority)], refused);
    tells(
        &[("SSL_CERT_FILE", ""), ("NODE_EXTRA_CA_CERTS", authority)],
        refused,
    );
    tells(&[("SSL_CERT_FILE", authority)], refused);
    // One that cannot be used is told where it matters.
    tells(&[("NODE_EXTRA_CA_CERTS", "/does/not/exist")], distrust);
    tells(
        &[("NODE_EXTRA_CA_CERTS", "/does/not/exist")],
        "warning: NODE_EXTRA_CA_CERTS names /does/not/exist, which cannot be read",
    );
}

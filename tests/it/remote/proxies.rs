//! What a proxy does to a run: named by its variable, and not asked again and again.

use std::{
    io::{Read, Write},
    net::TcpListener,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use crate::support::Project;

/// A proxy that lets nobody through, and counts who came.
fn proxy() -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let came = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&came);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            counted.fetch_add(1, Ordering::SeqCst);
            let mut request = [0; 4096];
            let _ = stream.read(&mut request);
            let answer = b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n";
            let _ = stream.write_all(answer);
        }
    });
    (url, came)
}

#[test]
fn a_proxy_that_wants_a_password_is_named_by_its_variable() {
    let (url, came) = proxy();
    for variable in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"] {
        came.store(0, Ordering::SeqCst);
        let project = Project::new()
            .connector("box", &["a"])
            .var("BASE44_API_KEY", "b44k_canary")
            .var(variable, &url);
        project
            .run(&["list-available"])
            .expect(1)
            .tells("HTTP 407")
            .tells(&format!("the proxy that {variable} names"));
        assert_eq!(came.load(Ordering::SeqCst), 1, "it is asked once");
    }
}

#[test]
fn a_proxy_of_another_kind_is_not_passed_by() {
    let project = Project::new()
        .connector("box", &["a"])
        .var("BASE44_API_KEY", "b44k_canary")
        .var("HTTPS_PROXY", "socks5://127.0.0.1:9");
    project
        .run(&["plan"])
        .expect(1)
        .tells("HTTPS_PROXY names a proxy of the kind `socks5`");
}

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

use crate::support::{Project, reads};

const LOGIN: &str = "407 Proxy Authentication Required";

/// A proxy that lets nobody through and answers so, and counts who came.
fn proxy(answer: &str) -> (String, Arc<AtomicUsize>) {
    let answer = format!("HTTP/1.1 {answer}\r\nContent-Length: 0\r\n\r\n");
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
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    (url, came)
}

#[test]
fn a_proxy_that_wants_a_password_is_named_by_its_variable() {
    let (url, came) = proxy(LOGIN);
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
fn a_proxy_that_asks_for_a_password_in_plain_http_is_named_too() {
    let (url, came) = proxy(LOGIN);
    let project = Project::new()
        .connector("box", &["a"])
        .var("BASE44_API_KEY", "b44k_canary")
        .var("BASE44_API_URL", "http://platform.example")
        .var("HTTP_PROXY", &url);
    reads!(project.run(&["list-available", "--allow-http"]), @"
    exit 1: connplan list-available --allow-http
    --- stderr
    error: listing the available integrations failed (request ID): platform.example could not be reached, the proxy that HTTP_PROXY names wants a user name and a password (HTTP 407)
      help: put them into that variable (http://USER:PASSWORD@HOST:PORT), or name the host in NO_PROXY
      code: connplan::remote::unreachable
    ");
    assert_eq!(came.load(Ordering::SeqCst), 1, "it is asked once");
}

#[test]
fn a_proxy_that_refuses_the_host_is_named_and_asked_once() {
    for answer in [
        "403 Forbidden",
        "502 Bad Gateway",
        "302 Found\r\nLocation: https://portal.example",
    ] {
        let (url, came) = proxy(answer);
        let project = Project::new()
            .connector("box", &["a"])
            .var("BASE44_API_KEY", "b44k_canary")
            .var("HTTPS_PROXY", &url);
        project
            .run(&["list-available"])
            .expect(1)
            .tells("the proxy that HTTPS_PROXY names does not connect to it")
            .tells("NO_PROXY")
            .lacks("report the request id");
        assert_eq!(came.load(Ordering::SeqCst), 1, "{answer}: it is asked once");
    }
}

#[test]
fn a_proxy_of_another_kind_is_not_passed_by() {
    let project = Project::new()
        .connector("box", &["a"])
        .var("BASE44_API_KEY", "b44k_canary")
        .var("HTTPS_PROXY", "socks5://127.0.0.1:9");
    reads!(project.run(&["plan"]), @"
    exit 1: connplan plan
    --- stderr
    error: HTTPS_PROXY names a proxy of the kind `socks5`, which is not supported
      help: name an http or https proxy in HTTPS_PROXY, or the platform's host in NO_PROXY
      code: connplan::remote::proxy_scheme
    ");
}

//! What a browser does with the address that it is given.
#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

/// Asks for an address once, and says where it leads: its own where it leads nowhere else.
pub(crate) fn follow(address: &str) -> String {
    let rest = address.strip_prefix("http://").unwrap();
    let (host, path) = rest.split_once('/').unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(5)))
        .unwrap();
    let head = format!("GET /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    let there = answer
        .lines()
        .find_map(|line| line.strip_prefix("location: "));
    there.unwrap_or(address).trim().to_owned()
}

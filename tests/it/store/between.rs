//! Between a team and its bucket: keeps what was sent there, can be gone, and can refuse some of it.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

/// How it is just now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Mood {
    /// It passes everything on.
    #[default]
    Passes,
    /// Nobody answers.
    Gone,
    /// The history takes nothing; leases do.
    NoHistory,
}

#[derive(Debug, Default)]
struct Inside {
    mood: Mood,
    sent: String,
}

/// A server on this machine, before the one that a test was given.
#[derive(Debug)]
pub(super) struct Between {
    port: u16,
    inside: Arc<Mutex<Inside>>,
}

impl Between {
    /// In front of `http://host:port`.
    pub(super) fn before(endpoint: &str) -> Self {
        let address = endpoint.trim_start_matches("http://").trim_end_matches('/');
        let address = address.split('/').next().unwrap().to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let inside: Arc<Mutex<Inside>> = Arc::default();
        let shared = Arc::clone(&inside);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (address, shared) = (address.clone(), Arc::clone(&shared));
                // Who hangs up is heard of by the other side.
                thread::spawn(move || pass(client, &address, &shared));
            }
        });
        Self { port, inside }
    }

    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(super) fn set(&self, mood: Mood) {
        self.inside.lock().unwrap().mood = mood;
    }

    /// Every request that was sent, its body included.
    pub(super) fn sent(&self) -> String {
        self.inside.lock().unwrap().sent.clone()
    }
}

/// One request and its answer; the connection ends with it.
fn pass(mut client: TcpStream, address: &str, inside: &Mutex<Inside>) -> Option<()> {
    let mut read = Vec::new();
    let head = loop {
        let end = read.windows(4).position(|four| four == b"\r\n\r\n");
        if let Some(end) = end {
            break end + 4;
        }
        more(&mut client, &mut read)?;
    };
    let text = String::from_utf8_lossy(&read[..head]).into_owned();
    let header = |wanted: &str| {
        let mut lines = text.lines().filter_map(|line| line.split_once(':'));
        let found = lines.find(|(name, _)| name.eq_ignore_ascii_case(wanted));
        found.map(|(_, value)| value.trim().to_owned())
    };
    let length: usize = header("content-length").map_or(0, |length| length.parse().unwrap());
    while read.len() < head + length {
        more(&mut client, &mut read)?;
    }
    let line = text.lines().next()?.to_owned();
    let mood = inside.lock().unwrap().mood;
    let history = line.starts_with("PUT") && line.contains("/log/");
    match mood {
        Mood::Gone => return None,
        Mood::NoHistory if history => {
            let refused =
                "HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
            return client.write_all(refused.as_bytes()).ok();
        }
        _ => {}
    }
    let body = String::from_utf8_lossy(&read[head..]).into_owned();
    let mut server = TcpStream::connect(address).ok()?;
    let sent = [&line, "\n", &body, "\n"].concat();
    inside.lock().unwrap().sent.push_str(&sent);
    let kept = text.lines().filter(|line| {
        let name = line.split(':').next().unwrap_or_default();
        !line.is_empty() && !name.eq_ignore_ascii_case("connection")
    });
    let kept: Vec<_> = kept.chain(["connection: close", "", ""]).collect();
    let request = kept.join("\r\n");
    server.write_all(request.as_bytes()).ok()?;
    server.write_all(&read[head..]).ok()?;
    let mut answer = Vec::new();
    server.read_to_end(&mut answer).ok()?;
    client.write_all(&answer).ok()?;
    client.shutdown(Shutdown::Write).ok()
}

fn more(from: &mut TcpStream, read: &mut Vec<u8>) -> Option<()> {
    let mut some = [0; 16 << 10];
    let count = from.read(&mut some).ok()?;
    read.extend_from_slice(&some[..count]);
    (count > 0).then_some(())
}

//! Leads a browser to a secret address by an address that is worth nothing.
//!
//! Whoever uses this machine reads the command lines of all processes. So a browser is given an
//! address that works once, soon, and, where the system tells who asks, for this user alone; it
//! answers with the secret one.

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use axum::{
    Router,
    extract::{ConnectInfo, Path, State},
    http::{HeaderMap, StatusCode, header},
    response::{Html, IntoResponse, Response},
    routing::get,
};
use tokio::{net::TcpListener, task::JoinHandle};
use uuid::Uuid;

use super::{PageError, guard::Hosts, render};
use crate::model::Secret;

/// How long a browser may take to start.
const LIVES: Duration = Duration::from_mins(2);

/// Addresses that work once. Dropping it ends them all.
#[derive(Debug)]
pub struct Doorway {
    port: u16,
    doors: Doors,
    server: JoinHandle<()>,
}

type Doors = Arc<Mutex<BTreeMap<String, (Secret, Instant)>>>;

/// The doors, and the port that they are at.
#[derive(Clone)]
struct House {
    doors: Doors,
    port: u16,
}

impl Doorway {
    /// Listens, from a task of the current runtime.
    pub async fn open() -> Result<Self, PageError> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .map_err(PageError::Listen)?;
        let port = listener.local_addr().map_err(PageError::Listen)?.port();
        let doors = Doors::default();
        let router = Router::new()
            .route("/once/{door}", get(enter))
            .with_state(House {
                doors: Arc::clone(&doors),
                port,
            })
            .into_make_service_with_connect_info::<SocketAddr>();
        let server = tokio::spawn(async move {
            // Without it the address is still in the terminal.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self {
            port,
            doors,
            server,
        })
    }

    /// An address that leads to this one, once.
    pub fn to(&self, address: &str) -> String {
        let door = format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
        if let Ok(mut doors) = self.doors.lock() {
            let until = Instant::now() + LIVES;
            doors.insert(door.clone(), (Secret::new(address), until));
        }
        format!("http://127.0.0.1:{}/once/{door}", self.port)
    }
}

impl Drop for Doorway {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn enter(
    State(House { doors, port }): State<House>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Path(door): Path<String>,
    headers: HeaderMap,
) -> Response {
    if Hosts::default().check(&headers).is_err() || is_somebody_else(peer, port) {
        return StatusCode::FORBIDDEN.into_response();
    }
    let found = doors.lock().ok().and_then(|mut doors| doors.remove(&door));
    match found {
        Some((_, until)) if Instant::now() >= until => {
            let text = "It leads on for a short time only. Use the address that the terminal shows, or \
                        press Ctrl-C there and start again.";
            let page = render::plain_notice("This address is too old", text);
            (StatusCode::GONE, Html(page)).into_response()
        }
        Some((address, _)) => {
            let there = [
                (header::LOCATION, address.expose().to_owned()),
                (header::CACHE_CONTROL, "no-store".to_owned()),
                (header::REFERRER_POLICY, "no-referrer".to_owned()),
            ];
            (StatusCode::SEE_OTHER, there).into_response()
        }
        None => {
            let text = "It works once, for a short time. If you did not open it before, another \
                        user of this machine did: press Ctrl-C in the terminal and start again. \
                        Otherwise use the address that the terminal shows.";
            let page = render::plain_notice("This address was used already", text);
            (StatusCode::GONE, Html(page)).into_response()
        }
    }
}

/// Whether another user of this machine holds the other end, as far as the system tells.
fn is_somebody_else(peer: SocketAddr, port: u16) -> bool {
    #[cfg(target_os = "linux")]
    {
        let read = |name: &str| std::fs::read_to_string(name).unwrap_or_default();
        // A socket for the sixth version of IP reaches 127.0.0.1 as well, and stands in its own table.
        let tables = || [read("/proc/net/tcp"), read("/proc/net/tcp6")].concat();
        let own = rustix::process::geteuid().as_raw();
        let is_own = || match owner(&tables(), peer, port) {
            Owner::User(uid) => Some(uid == own),
            Owner::Unlisted => None,
            Owner::Untold => Some(true),
        };
        // While sockets come and go, a table may miss one; nobody is to be let in for that.
        !is_own().or_else(is_own).unwrap_or(false)
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = (peer, port);
        false
    }
}

/// What the kernel's tables tell of the other end of a connection.
#[cfg(any(target_os = "linux", test))]
#[derive(Debug, PartialEq, Eq)]
enum Owner {
    /// Whose it is.
    User(u32),
    /// They list our end, and not that one.
    Unlisted,
    /// Nothing: not even our end.
    Untold,
}

/// Who owns the socket at this end of a connection to our port, by the kernel's tables.
#[cfg(any(target_os = "linux", test))]
fn owner(tables: &str, end: SocketAddr, port: u16) -> Owner {
    let SocketAddr::V4(end) = end else {
        return Owner::Untold;
    };
    let ends = |ip: &Ipv4Addr, port: u16| {
        let address = u32::from_ne_bytes(ip.octets());
        let short = format!("{address:08X}:{port:04X}");
        // `::ffff:127.0.0.1`, word by word in the machine's own order.
        let mark = u32::from_ne_bytes([0, 0, 0xff, 0xff]);
        let long = format!("{:016X}{mark:08X}{short}", 0);
        [short, long]
    };
    // The other end may be at any of this machine's own addresses; the door is at one.
    let (theirs, ours) = (ends(end.ip(), end.port()), ends(&Ipv4Addr::LOCALHOST, port));
    let mut untold = true;
    for line in tables.lines() {
        let mut words = line.split_whitespace();
        let local = words.nth(1).unwrap_or_default();
        let remote = words.next().unwrap_or_default();
        let is = |ends: &[String; 2], end: &str| ends.iter().any(|known| known == end);
        // Both ends: somebody else's connection elsewhere may be from a port of the same number.
        if is(&theirs, local) && is(&ours, remote) {
            let user = words.nth(4).and_then(|uid| uid.parse().ok());
            return user.map_or(Owner::Unlisted, Owner::User);
        }
        untold &= !is(&ours, local);
    }
    if untold {
        Owner::Untold
    } else {
        Owner::Unlisted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_tells_who_asks() {
        let tables = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n   \
                     0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 1 1\n   \
                     1: 0100007F:C350 0100007F:1F91 01 00000000:00000000 00:00000000 00000000  1000        0 2 1\n   \
                     2: 0100007F:C350 0100007F:1F90 01 00000000:00000000 00:00000000 00000000  1001        0 2 1\n  \
                     sl  local_address remote_address st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n   \
                     0: 0000000000000000FFFF00000100007F:C351 0000000000000000FFFF00000100007F:1F90 01 \
                     00000000:00000000 00:00000000 00000000  1002        0 3 1\n   \
                     1: 0200007F:C352 0100007F:1F90 01 00000000:00000000 00:00000000 00000000  1003        0 4 1\n";
        if cfg!(target_endian = "little") {
            let owner = |end: &str, port| owner(tables, end.parse().unwrap(), port);
            assert_eq!(owner("127.0.0.1:50000", 8080), Owner::User(1001));
            assert_eq!(owner("127.0.0.1:50001", 8080), Owner::User(1002));
            assert_eq!(owner("127.0.0.2:50002", 8080), Owner::User(1003));
            assert_eq!(owner("127.0.0.3:50003", 8080), Owner::Unlisted);
            // Of a connection elsewhere, or of none, nobody is told.
            assert_eq!(owner("127.0.0.1:50000", 8081), Owner::User(1000));
            assert_eq!(owner("127.0.0.1:50001", 8081), Owner::Untold);
            assert_eq!(owner("127.0.0.1:8080", 8080), Owner::Unlisted);
            assert_eq!(owner("127.0.0.1:1", 8080), Owner::Unlisted);
            assert_eq!(owner("127.0.0.1:1", 9), Owner::Untold);
        }
    }
}

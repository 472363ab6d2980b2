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
            .with_state(Arc::clone(&doors))
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
    State(doors): State<Doors>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Path(door): Path<String>,
    headers: HeaderMap,
) -> Response {
    if Hosts::default().check(&headers).is_err() || is_somebody_else(peer) {
        return StatusCode::FORBIDDEN.into_response();
    }
    let found = doors.lock().ok().and_then(|mut doors| doors.remove(&door));
    match found {
        Some((address, until)) if Instant::now() < until => {
            let there = [
                (header::LOCATION, address.expose().to_owned()),
                (header::CACHE_CONTROL, "no-store".to_owned()),
                (header::REFERRER_POLICY, "no-referrer".to_owned()),
            ];
            (StatusCode::SEE_OTHER, there).into_response()
        }
        _ => {
            let text = "It works once, for a short time. If you did not open it before, another \
                        user of this machine did: press Ctrl-C in the terminal and start again. \
                        Otherwise use the address that the terminal shows.";
            let page = render::plain_notice("This address was used already", text);
            (StatusCode::GONE, Html(page)).into_response()
        }
    }
}

/// Whether another user of this machine holds the other end, as far as the system tells.
fn is_somebody_else(peer: SocketAddr) -> bool {
    #[cfg(target_os = "linux")]
    {
        let table = std::fs::read_to_string("/proc/net/tcp").unwrap_or_default();
        let own = rustix::process::geteuid().as_raw();
        owner(&table, peer).is_some_and(|uid| uid != own)
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = peer;
        false
    }
}

/// Who owns the socket at this end of a connection, by the kernel's table.
#[cfg(any(target_os = "linux", test))]
fn owner(table: &str, end: SocketAddr) -> Option<u32> {
    let SocketAddr::V4(end) = end else {
        return None;
    };
    let address = u32::from_ne_bytes(end.ip().octets());
    let wanted = format!("{address:08X}:{:04X}", end.port());
    let line = table.lines().find(|line| {
        let mut words = line.split_whitespace();
        words.nth(1) == Some(wanted.as_str())
    })?;
    line.split_whitespace().nth(7)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_tells_who_asks() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n   \
                     0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 1 1\n   \
                     1: 0100007F:C350 0100007F:1F90 01 00000000:00000000 00:00000000 00000000  1001        0 2 1\n";
        if cfg!(target_endian = "little") {
            let owner = |end: &str| owner(table, end.parse().unwrap());
            assert_eq!(owner("127.0.0.1:50000"), Some(1001));
            assert_eq!(owner("127.0.0.1:8080"), Some(1000));
            assert_eq!(owner("127.0.0.1:1"), None);
        }
    }
}

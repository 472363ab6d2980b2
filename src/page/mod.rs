//! The page of `connplan authorize`: everything that waits, on one page, on this machine alone.
//!
//! It listens on 127.0.0.1, on a port and below a path that nobody can guess, and answers neither
//! to another host's name nor to another page's requests. It holds no authorization link: its
//! buttons lead through `open/TYPE`, which asks for the link when a person presses the button.
//! Without script it is whole; with script it shows each change as it happens.
//!
//! It decides nothing: [`Page::tell`] brings it a session's events, and what a person does on it
//! comes out as the session's commands. A [`Doorway`] leads a browser to a secret address that its
//! command line must not hold.

mod board;
mod doorway;
mod error;
mod guard;
mod render;
mod serve;

pub use doorway::Doorway;
pub use error::PageError;

use std::{
    net::{IpAddr, Ipv4Addr},
    str::FromStr,
    sync::Arc,
    time::Duration,
};

use tokio::{net::TcpListener, sync::mpsc, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use self::{board::Board, guard::Hosts, serve::Site};
use crate::{
    authorize::{AuthorizeEvent, Command, Item},
    model::{App, Secret},
    view::authorization::Again,
};

/// How long a browser may take to hear the end.
const GRACE: Duration = Duration::from_millis(800);

/// `--page-host NAME[:PORT]`: by which name the page is called, and where it listens.
///
/// A name is one that leads here through a proxy or a forwarded port: the page listens on
/// 127.0.0.1. An address is one of this machine's own: the page listens there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageHost {
    told: String,
    name: String,
    port: Option<u16>,
}

impl FromStr for PageHost {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let (name, port) = match text.rsplit_once(':') {
            None => (text, None),
            Some((name, port)) => {
                let port: u16 = port
                    .parse()
                    .map_err(|_| "the port is not a number".to_owned())?;
                (name, Some(port))
            }
        };
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
        if name.is_empty() || name.len() > 253 || !name.chars().all(plain) {
            return Err("give a host's name, or an IPv4 address, and a port if need be".to_owned());
        }
        Ok(Self {
            told: text.to_owned(),
            name: name.to_owned(),
            port,
        })
    }
}

impl PageHost {
    fn listens(&self) -> (IpAddr, u16) {
        let own = self.name.parse().unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
        (own, self.port.unwrap_or(0))
    }

    fn address(&self, port: u16) -> String {
        format!("{}:{}", self.name, self.port.unwrap_or(port))
    }
}

/// The page, while it is served. Dropping it ends it at once; [`Page::end`] is the orderly way.
#[derive(Debug)]
pub struct Page {
    address: Secret,
    board: Arc<Board>,
    stop: CancellationToken,
    server: JoinHandle<()>,
}

impl Page {
    /// Serves the page for these authorizations, from a task of the current runtime. `whose` says
    /// as whose the connections will be recorded.
    pub async fn serve(
        app: &App,
        whose: &str,
        items: &[Item],
        commands: mpsc::Sender<Command>,
        called: Option<&PageHost>,
        again: &Again,
    ) -> Result<Self, PageError> {
        let at = called.map_or((Ipv4Addr::LOCALHOST.into(), 0), PageHost::listens);
        let listener = TcpListener::bind(at).await.map_err(PageError::Listen)?;
        let port = listener.local_addr().map_err(PageError::Listen)?.port();
        let host = match called {
            None => format!("127.0.0.1:{port}"),
            Some(called) => called.address(port),
        };
        // 244 random bits from the operating system.
        let path = format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
        let address = Secret::new(format!("http://{host}/{path}/"));
        let open = items.iter().filter(|item| !item.state.is_done());
        let board = Arc::new(Board::new(open.map(Item::result), again));
        let stop = CancellationToken::new();
        let site = Site {
            hosts: Hosts {
                told: called.map(|called| called.told.to_ascii_lowercase()),
            },
            path: Secret::new(path),
            app: app.clone(),
            whose: whose.to_owned(),
            board: Arc::clone(&board),
            commands,
        };
        let serving = axum::serve(listener, serve::router(site))
            .with_graceful_shutdown(stop.clone().cancelled_owned());
        let server = tokio::spawn(async move {
            // Without its page, a run can be ended and begun with `--no-browser`.
            let _ = serving.await;
        });
        Ok(Self {
            address,
            board,
            stop,
            server,
        })
    }

    /// Where it is. Private: whoever has it can open the links.
    pub fn address(&self) -> &str {
        self.address.expose()
    }

    /// Brings an event to everybody who looks at the page.
    pub fn tell(&self, event: &AuthorizeEvent<'_>) {
        self.board.tell(event);
    }

    /// Tells everybody who looks that nothing is waited for any more, and stops.
    pub async fn end(mut self) {
        self.board.end();
        self.stop.cancel();
        let _ = tokio::time::timeout(GRACE, &mut self.server).await;
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        self.server.abort();
    }
}

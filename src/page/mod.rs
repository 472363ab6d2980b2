//! The page of `connplan authorize`: everything that waits, on one page, on this machine alone.
//!
//! It listens on 127.0.0.1, on a port and below a path that nobody can guess, and answers neither
//! to another host's name nor to another page's requests. It holds no authorization link: its
//! buttons lead through `open/TYPE`, which knows the link of the moment. Without script it is
//! whole; with script it shows each change as it happens.
//!
//! It decides nothing: [`Page::tell`] brings it the flow's events, and what a person does on it
//! comes out as the flow's commands.

mod board;
mod error;
mod guard;
mod render;
mod serve;

pub use error::PageError;

use std::{net::Ipv4Addr, sync::Arc, time::Duration};

use tokio::{net::TcpListener, sync::mpsc, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use self::{board::Board, serve::Site};
use crate::{
    authorize::{Command, Event, Item},
    model::{App, Secret},
};

/// How long a browser may take to hear the end.
const GRACE: Duration = Duration::from_millis(800);

/// The page, while it is served. Dropping it ends it at once; [`Page::end`] is the orderly way.
#[derive(Debug)]
pub struct Page {
    address: Secret,
    board: Arc<Board>,
    stop: CancellationToken,
    server: JoinHandle<()>,
}

impl Page {
    /// Serves the page for these authorizations, from a task of the current runtime.
    pub async fn serve(
        app: &App,
        items: &[Item],
        commands: mpsc::Sender<Command>,
    ) -> Result<Self, PageError> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .map_err(PageError::Listen)?;
        let host = listener
            .local_addr()
            .map_err(PageError::Listen)?
            .to_string();
        // 244 random bits from the operating system.
        let path = format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
        let address = Secret::new(format!("http://{host}/{path}/"));
        let open = items.iter().filter(|item| !item.state.is_done());
        let board = Arc::new(Board::new(open.map(Item::resumed)));
        let stop = CancellationToken::new();
        let site = Site {
            host,
            path: Secret::new(path),
            app: app.clone(),
            board: Arc::clone(&board),
            commands,
        };
        let serving = axum::serve(listener, serve::router(site))
            .with_graceful_shutdown(stop.clone().cancelled_owned());
        let server = tokio::spawn(async move {
            // Without its page, the links are still in the terminal.
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
    pub fn tell(&self, event: &Event<'_>) {
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

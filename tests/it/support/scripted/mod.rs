//! A scripted HTTP server: canned answers in sequence, faults of every kind, and a record of what
//! was asked. It runs on threads of its own, so that tests may drive a binary against it as well
//! as a future. It ends when it is dropped.
//!
//! ```ignore
//! let server = Scripted::start();
//! server.on("GET /api/apps/app1/external-auth/list", [Reply::status(503), Reply::json(200, &list)]);
//! // ... run something against server.url() ...
//! assert_eq!(server.hits("GET /api/apps/app1/external-auth/list"), 2);
//! ```

mod connection;
mod reply;

use std::{
    collections::{BTreeMap, VecDeque},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

pub(crate) use connection::read_request;
pub(crate) use reply::Reply;

/// The server. Routes are `METHOD /path` without the query.
pub(crate) struct Scripted {
    address: SocketAddr,
    shared: Arc<Shared>,
}

/// One request as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    /// `GET`, ...
    pub(crate) method: String,
    /// Without the query.
    pub(crate) path: String,
    /// After the `?`, as sent; empty if there is none.
    pub(crate) query: String,
    /// Names in lower case, in order.
    pub(crate) headers: Vec<(String, String)>,
    /// The body.
    pub(crate) body: Vec<u8>,
}

impl Seen {
    /// `METHOD /path`.
    pub(crate) fn route(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    /// A header's value.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(n, _)| n == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).expect("the request's body is JSON")
    }

    /// The body as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

type Decide = dyn Fn(&Seen) -> Reply + Send + Sync;

#[derive(Default)]
struct Route {
    queue: VecDeque<Reply>,
    decide: Option<Arc<Decide>>,
}

#[derive(Default)]
struct Shared {
    routes: Mutex<BTreeMap<String, Route>>,
    seen: Mutex<Vec<Seen>>,
    latency: Mutex<Duration>,
    under_way: AtomicUsize,
    most_under_way: AtomicUsize,
    connections: AtomicUsize,
    /// Body bytes handed to the network, over all answers.
    sent: AtomicUsize,
    over: AtomicBool,
}

impl Scripted {
    /// Starts on a free port of the loopback interface.
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::new(Shared::default());
        let serving = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming() {
                if serving.over.load(Ordering::SeqCst) {
                    break;
                }
                let Ok(stream) = stream else { continue };
                serving.connections.fetch_add(1, Ordering::SeqCst);
                let shared = Arc::clone(&serving);
                thread::spawn(move || connection::serve(stream, &shared));
            }
        });
        Self { address, shared }
    }

    /// An address where nothing listens.
    pub(crate) fn refused_url() -> String {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        format!("http://{}", listener.local_addr().expect("an address"))
    }

    /// `http://127.0.0.1:PORT`.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// `127.0.0.1:PORT`.
    pub(crate) fn host(&self) -> String {
        self.address.to_string()
    }

    /// Answers a route with these, one after another; the last one from then on.
    pub(crate) fn on(&self, route: &str, replies: impl IntoIterator<Item = Reply>) -> &Self {
        let route = checked(route);
        routes(&self.shared).insert(
            route,
            Route {
                queue: replies.into_iter().collect(),
                decide: None,
            },
        );
        self
    }

    /// Answers a route by what is asked.
    pub(crate) fn on_each(
        &self,
        route: &str,
        decide: impl Fn(&Seen) -> Reply + Send + Sync + 'static,
    ) -> &Self {
        let route = checked(route);
        let decide: Arc<Decide> = Arc::new(decide);
        routes(&self.shared).insert(
            route,
            Route {
                queue: VecDeque::new(),
                decide: Some(decide),
            },
        );
        self
    }

    /// Lets every answer wait for this time, as a network does.
    pub(crate) fn latency(&self, latency: Duration) -> &Self {
        *self.shared.latency.lock().expect("not poisoned") = latency;
        self
    }

    /// All requests so far, in order of arrival.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.shared.seen.lock().expect("not poisoned").clone()
    }

    /// The routes of all requests so far, in order of arrival.
    pub(crate) fn log(&self) -> Vec<String> {
        self.seen().iter().map(Seen::route).collect()
    }

    /// How often a route was asked.
    pub(crate) fn hits(&self, route: &str) -> usize {
        self.seen()
            .iter()
            .filter(|seen| seen.route() == route)
            .count()
    }

    /// The last request to a route.
    pub(crate) fn last(&self, route: &str) -> Seen {
        let seen = self.seen().into_iter().rfind(|seen| seen.route() == route);
        seen.unwrap_or_else(|| panic!("{route} was never asked"))
    }

    /// The most requests that were being answered at the same time.
    pub(crate) fn most_under_way(&self) -> usize {
        self.shared.most_under_way.load(Ordering::SeqCst)
    }

    /// How many connections were opened.
    pub(crate) fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// How many body bytes went out.
    pub(crate) fn sent(&self) -> usize {
        self.shared.sent.load(Ordering::SeqCst)
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::SeqCst);
        // Wakes the listener, so that it sees that it is over.
        let _ = TcpStream::connect(self.address);
    }
}

/// A slip in a route would make a script that is never played.
fn checked(route: &str) -> String {
    let plain = route.contains(" /") && !route.contains('?');
    assert!(plain, "a route is `METHOD /path`: {route}");
    route.to_owned()
}

fn routes(shared: &Shared) -> MutexGuard<'_, BTreeMap<String, Route>> {
    shared.routes.lock().expect("not poisoned")
}

impl Shared {
    /// What to answer a request with.
    fn reply(&self, seen: &Seen) -> Reply {
        let decide = {
            let mut routes = routes(self);
            let Some(route) = routes.get_mut(&seen.route()) else {
                return Reply::json(
                    404,
                    &serde_json::json!({"detail": "no such route in the script"}),
                );
            };
            if let Some(decide) = &route.decide {
                Arc::clone(decide)
            } else if route.queue.len() > 1 {
                return route.queue.pop_front().expect("more than one");
            } else {
                return route
                    .queue
                    .front()
                    .cloned()
                    .unwrap_or_else(|| Reply::status(500));
            }
        };
        decide(seen)
    }

    /// Whether the next answer of a route is one that is given before anything is read.
    fn resets_unread(&self, route: &str) -> bool {
        let mut routes = routes(self);
        let Some(route) = routes.get_mut(route) else {
            return false;
        };
        let resets = route.queue.front().is_some_and(Reply::is_unread);
        if resets && route.queue.len() > 1 {
            route.queue.pop_front();
        }
        resets
    }
}

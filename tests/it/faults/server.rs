//! The model on a socket, with faults in front of it.

use std::{
    io::{BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    process::Child,
    sync::{Arc, Condvar, Mutex, MutexGuard},
    thread,
    time::Duration,
};

use super::{
    login::Login,
    model::{Effect, Model},
};
use crate::support::scripted::{Seen, read_request};

/// What goes wrong with one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nobody listens any more until the command has ended.
    Refused,
    /// The connection is closed; nothing was done.
    ResetBefore,
    /// It was done; the connection is closed.
    ResetAfter,
    /// This status; nothing was done.
    Status(u16),
    /// It was done; this status all the same.
    StatusAfter(u16),
    /// Nothing was done, and no answer comes.
    Hang,
    /// It was done, and no answer comes.
    HangAfter,
    /// It was done; the answer is cut off.
    Cut,
    /// It was done; the answer is JSON of another shape.
    Shape,
    /// It was done; the answer is a web page.
    Html,
    /// Nothing was done, and the answer says that it was.
    FalselyDone,
    /// Nothing was done, and the answer says that there is nothing there.
    FalselyGone,
    /// The access token is worth nothing any more: 401 from here on, until it is renewed.
    Expired,
    /// connplan is killed before it was done.
    KillBefore,
    /// connplan is killed after it was done, before the answer.
    KillAfter,
    /// connplan is killed so many microseconds after the answer.
    KillAnswered(u64),
}

impl Fault {
    pub const ALL: [Self; 18] = [
        Self::Refused,
        Self::ResetBefore,
        Self::ResetAfter,
        Self::Status(429),
        Self::Status(500),
        Self::Status(503),
        Self::Status(403),
        Self::StatusAfter(500),
        Self::StatusAfter(503),
        Self::Hang,
        Self::HangAfter,
        Self::Cut,
        Self::Shape,
        Self::Html,
        Self::KillBefore,
        Self::KillAfter,
        Self::KillAnswered(0),
        Self::KillAnswered(700),
    ];

    /// Those of a server that is there and says what is not so.
    pub const FALSE: [Self; 2] = [Self::FalselyDone, Self::FalselyGone];

    /// Those that lose no answer and kill nobody: a login survives them.
    pub const MILD: [Self; 8] = [
        Self::Expired,
        Self::Expired,
        Self::Expired,
        Self::ResetBefore,
        Self::Status(429),
        Self::Status(503),
        Self::Status(403),
        Self::Status(500),
    ];

    /// Those that are worth trying until the command gives up.
    pub const LASTING: [Self; 5] = [
        Self::ResetBefore,
        Self::ResetAfter,
        Self::Status(503),
        Self::StatusAfter(500),
        Self::Cut,
    ];
}

/// Which requests it befalls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// The first one, from 0.
    pub at: usize,
    pub fault: Fault,
    /// Whether all that follow have it too.
    pub lasting: bool,
}

#[derive(Default)]
pub struct State {
    pub model: Model,
    pub trouble: Vec<Trouble>,
    /// Requests so far in this run of the command.
    pub asked: Vec<String>,
    /// What was done and answered well in this run.
    pub answered: Vec<Effect>,
    pub child: Option<Child>,
    /// Where a person's login is asked for.
    pub login: Option<Login>,
    /// Which run of the command this is.
    run: usize,
    /// Connections that are being served.
    open: usize,
    down: bool,
    over: bool,
}

impl State {
    fn kill(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
        }
    }
}

/// The server. Dropping it ends it.
pub struct Server {
    address: SocketAddr,
    shared: Arc<(Mutex<State>, Condvar)>,
}

impl Server {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let shared: Arc<(Mutex<State>, Condvar)> = Arc::default();
        let serving = Arc::clone(&shared);
        thread::spawn(move || accept(listener, address, &serving));
        Self { address, shared }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.shared.0.lock().expect("not poisoned")
    }

    /// A network without faults, for the next command.
    pub fn heal(&self, trouble: Vec<Trouble>) {
        let mut state = self.state();
        state.trouble = trouble;
        state.run += 1;
        state.asked.clear();
        state.answered.clear();
        if !state.down {
            return;
        }
        state.down = false;
        self.shared.1.notify_all();
        drop(state);
        // Until it listens again.
        while TcpStream::connect(self.address).is_err() {
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// Waits until everything that a command sent has arrived: what was on the way when it was killed
    /// is its doing, not the next one's.
    pub fn settle(&self) {
        // Connections are accepted in order: once this one is served, all before it are.
        if let Ok(mut last) = TcpStream::connect(self.address) {
            let _ = last.write_all(format!("{SETTLE} / HTTP/1.1\r\n\r\n").as_bytes());
            let _ = last.read(&mut [0; 1]);
        }
        let open = |state: &mut State| state.open > 0;
        let patience = Duration::from_secs(20);
        let (state, waited) = self
            .shared
            .1
            .wait_timeout_while(self.state(), patience, open)
            .expect("not poisoned");
        assert!(
            !waited.timed_out(),
            "{} connections outlive their client",
            state.open
        );
    }
}

/// The method of a request that only says that it has arrived.
const SETTLE: &str = "SETTLE";

impl Drop for Server {
    fn drop(&mut self) {
        let mut state = self.state();
        state.over = true;
        self.shared.1.notify_all();
        drop(state);
        let _ = TcpStream::connect(self.address);
    }
}

fn accept(mut listener: TcpListener, address: SocketAddr, shared: &Arc<(Mutex<State>, Condvar)>) {
    loop {
        let stream = listener.accept();
        let mut state = shared.0.lock().expect("not poisoned");
        if state.down {
            drop((listener, stream));
            while state.down && !state.over {
                state = shared.1.wait(state).expect("not poisoned");
            }
            listener = TcpListener::bind(address).expect("the same port again");
            continue;
        }
        if state.over {
            return;
        }
        let Ok((stream, _)) = stream else {
            continue;
        };
        state.open += 1;
        drop(state);
        let shared = Arc::clone(shared);
        thread::spawn(move || {
            serve(stream, &shared, address);
            shared.0.lock().expect("not poisoned").open -= 1;
            shared.1.notify_all();
        });
    }
}

/// One connection; a client that goes is within its rights.
fn serve(stream: TcpStream, shared: &(Mutex<State>, Condvar), address: SocketAddr) {
    let _ = stream.set_nodelay(true);
    let Ok(mut writer) = stream.try_clone() else {
        return;
    };
    let mut reader = BufReader::new(stream);
    while let Ok(Some(asked)) = read_request(&mut reader) {
        if asked.method == SETTLE {
            return;
        }
        let authorization = asked.header("authorization").unwrap_or_default();
        let Seen {
            method,
            path,
            query,
            body,
            ..
        } = &asked;
        let mut state = shared.0.lock().expect("not poisoned");
        let place = state.asked.len();
        state.asked.push(format!("{method} {path}"));
        if state.down {
            return;
        }
        let trouble = state
            .trouble
            .iter()
            .find(|trouble| place == trouble.at || (trouble.lasting && place > trouble.at));
        let fault = trouble.map(|trouble| trouble.fault);
        if fault == Some(Fault::Expired)
            && let Some(login) = &mut state.login
        {
            login.expire();
        }
        if let Some(login) = &mut state.login
            && let Some((pause, status, json)) = login.answer(path, authorization, body, fault)
        {
            drop(state);
            thread::sleep(pause);
            let json = json.to_string();
            if send(&mut writer, status, &json, json.len()).is_none() {
                return;
            }
            continue;
        }
        let falsely = match fault {
            Some(Fault::FalselyDone) => Model::falsely(method, path, false),
            Some(Fault::FalselyGone) => Model::falsely(method, path, true),
            _ => None,
        };
        if let Some((status, json)) = falsely {
            drop(state);
            let json = json.to_string();
            if send(&mut writer, status, &json, json.len()).is_none() {
                return;
            }
            continue;
        }
        let nothing_done = matches!(
            fault,
            Some(
                Fault::Refused
                    | Fault::ResetBefore
                    | Fault::Status(_)
                    | Fault::Hang
                    | Fault::KillBefore
            )
        );
        let mut reply = (200, String::new());
        if !nothing_done {
            let before = state.model.effects.len();
            let (status, json) = state.model.answer(method, path, query, body);
            reply = (status, json.to_string());
            if fault.is_none_or(|fault| matches!(fault, Fault::KillAnswered(_) | Fault::Expired)) {
                let done = state
                    .model
                    .effects
                    .get(before..)
                    .unwrap_or_default()
                    .to_vec();
                state.answered.extend(done);
            }
        }
        match fault {
            None | Some(Fault::Expired | Fault::FalselyDone | Fault::FalselyGone) => {
                drop(state);
                if send(&mut writer, reply.0, &reply.1, reply.1.len()).is_none() {
                    return;
                }
            }
            Some(Fault::Refused) => {
                state.down = true;
                drop(state);
                // Wakes the listener, so that it stops listening.
                let _ = TcpStream::connect(address);
                return;
            }
            Some(Fault::ResetBefore | Fault::ResetAfter) => return,
            Some(Fault::Status(status) | Fault::StatusAfter(status)) => {
                drop(state);
                let body = r#"{"message": "the model says no"}"#;
                if send(&mut writer, status, body, body.len()).is_none() {
                    return;
                }
            }
            Some(Fault::Hang | Fault::HangAfter) => {
                drop(state);
                let _ = reader.read(&mut [0; 1]);
                return;
            }
            Some(Fault::Cut) => {
                drop(state);
                let half = reply
                    .1
                    .get(..reply.1.len() / 2)
                    .unwrap_or_default()
                    .to_owned();
                let _ = send(&mut writer, reply.0, &half, reply.1.len());
                return;
            }
            Some(Fault::Shape) => {
                drop(state);
                let body = r#"{"unexpected": [true]}"#;
                let _ = send(&mut writer, 200, body, body.len());
            }
            Some(Fault::Html) => {
                drop(state);
                let body = "<html><title>Gateway</title>down</html>";
                let _ = send(&mut writer, 200, body, body.len());
            }
            Some(Fault::KillBefore | Fault::KillAfter) => {
                state.kill();
                return;
            }
            Some(Fault::KillAnswered(pause)) => {
                let _ = send(&mut writer, reply.0, &reply.1, reply.1.len());
                if pause > 0 {
                    let run = state.run;
                    drop(state);
                    thread::sleep(Duration::from_micros(pause));
                    state = shared.0.lock().expect("not poisoned");
                    // By now it may have ended, and the next one may be running.
                    if state.run != run {
                        return;
                    }
                }
                state.kill();
                return;
            }
        }
    }
}

fn send(writer: &mut TcpStream, status: u16, body: &str, length: usize) -> Option<()> {
    let kind = if body.starts_with('<') {
        "text/html"
    } else {
        "application/json"
    };
    let text = format!(
        "HTTP/1.1 {status} Model\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n\r\n{body}"
    );
    writer.write_all(text.as_bytes()).ok()
}

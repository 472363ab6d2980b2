//! One connection of the scripted server: requests in, answers or faults out.

use std::{
    fmt::Write as _,
    io::{self, BufRead, BufReader, Read, Write},
    net::TcpStream,
    sync::atomic::Ordering,
    thread,
};

use super::{
    Seen, Shared,
    reply::{Fault, Reply},
};

/// Serves a connection until one side closes it. Errors mean that the client went, which is its
/// right.
pub(super) fn serve(stream: TcpStream, shared: &Shared) {
    let _ = stream.set_nodelay(true);
    let _ = exchange(stream, shared);
}

fn exchange(stream: TcpStream, shared: &Shared) -> io::Result<()> {
    let mut writer = stream.try_clone()?;
    let mut reader = BufReader::new(stream);
    loop {
        // What lies unread when a socket is closed makes the system send a reset.
        if is_tls(reader.get_ref())? {
            // What servers say to those who come with encryption to a plain port.
            let _ = reader.fill_buf()?;
            return writer.write_all(b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n");
        }
        let Some(route) = peek_route(reader.get_ref())? else {
            return Ok(());
        };
        if shared.resets_unread(&route) {
            return Ok(());
        }
        let Some(seen) = read_request(&mut reader)? else {
            return Ok(());
        };
        let now = shared.under_way.fetch_add(1, Ordering::SeqCst) + 1;
        shared.most_under_way.fetch_max(now, Ordering::SeqCst);
        shared.seen.lock().expect("not poisoned").push(seen.clone());
        let reply = shared.reply(&seen);
        let latency = *shared.latency.lock().expect("not poisoned");
        thread::sleep(latency + reply.delay);
        shared.under_way.fetch_sub(1, Ordering::SeqCst);
        if !answer(&mut writer, &mut reader, &reply, &seen, shared)? {
            return Ok(());
        }
    }
}

/// Whether a TLS handshake begins.
fn is_tls(stream: &TcpStream) -> io::Result<bool> {
    let mut first = [0];
    Ok(stream.peek(&mut first)? == 1 && first == [0x16])
}

/// The route of the next request, without taking it from the socket. The client sends a request's
/// first line in one piece.
fn peek_route(stream: &TcpStream) -> io::Result<Option<String>> {
    let mut head = [0; 2048];
    let length = stream.peek(&mut head)?;
    let line = head
        .get(..length)
        .unwrap_or_default()
        .split(|&b| b == b'\r')
        .next();
    let line = String::from_utf8_lossy(line.unwrap_or_default()).into_owned();
    let mut words = line.split(' ');
    let (Some(method), Some(target)) = (words.next(), words.next()) else {
        return Ok(None);
    };
    let path = target.split('?').next().unwrap_or_default();
    Ok(Some(format!("{method} {path}")))
}

/// The next request; none where the client goes.
pub(crate) fn read_request(reader: &mut BufReader<TcpStream>) -> io::Result<Option<Seen>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut words = line.split_whitespace();
    let method = words.next().unwrap_or_default().to_owned();
    let target = words.next().unwrap_or_default();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let (path, query) = (path.to_owned(), query.to_owned());
    let mut headers = Vec::new();
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        let Some((name, value)) = line.trim_end().split_once(':') else {
            break;
        };
        let (name, value) = (name.to_ascii_lowercase(), value.trim().to_owned());
        if name == "content-length" {
            length = value.parse().unwrap_or(0);
        }
        headers.push((name, value));
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok(Some(Seen {
        method,
        path,
        query,
        headers,
        body,
    }))
}

/// Answers; says whether the connection lives on.
fn answer(
    writer: &mut TcpStream,
    reader: &mut BufReader<TcpStream>,
    reply: &Reply,
    seen: &Seen,
    shared: &Shared,
) -> io::Result<bool> {
    let mut send = |bytes: &[u8]| -> io::Result<()> {
        writer.write_all(bytes)?;
        shared.sent.fetch_add(bytes.len(), Ordering::SeqCst);
        Ok(())
    };
    match &reply.fault {
        Fault::ResetUnread | Fault::ResetRead => return Ok(false),
        Fault::Hang => {
            // Ends when the client closes.
            let _ = reader.read(&mut [0; 1])?;
            return Ok(false);
        }
        Fault::Raw(bytes) => {
            send(bytes)?;
            return Ok(false);
        }
        Fault::None => {
            // Head and body in one piece, as servers do with small answers.
            let mut bytes = head(reply, seen, Some(reply.body.len())).into_bytes();
            bytes.extend_from_slice(&reply.body);
            send(&bytes)?;
            return Ok(true);
        }
        Fault::Endless => {
            send(head(reply, seen, None).as_bytes())?;
            let piece = vec![b' '; 16 * 1024];
            loop {
                send(format!("{:x}\r\n", piece.len()).as_bytes())?;
                send(&piece)?;
                send(b"\r\n")?;
            }
        }
        Fault::Cut(after) => {
            send(head(reply, seen, Some(reply.body.len())).as_bytes())?;
            send(reply.body.get(..*after).unwrap_or(&reply.body))?;
            return Ok(false);
        }
        Fault::Drip(pause) => {
            send(head(reply, seen, Some(reply.body.len())).as_bytes())?;
            for byte in &reply.body {
                thread::sleep(*pause);
                send(&[*byte])?;
            }
        }
    }
    Ok(true)
}

fn head(reply: &Reply, seen: &Seen, length: Option<usize>) -> String {
    let mut head = format!("HTTP/1.1 {} Scripted\r\n", reply.status);
    let own_id = reply.headers.iter().any(|(name, _)| name == "x-request-id");
    if let Some(id) = seen.header("x-request-id").filter(|_| !own_id) {
        let _ = write!(head, "x-request-id: {id}\r\n");
    }
    for (name, value) in &reply.headers {
        let _ = write!(head, "{name}: {value}\r\n");
    }
    match length {
        Some(length) => {
            let _ = write!(head, "content-length: {length}\r\n");
        }
        None => head.push_str("transfer-encoding: chunked\r\n"),
    }
    head.push_str("\r\n");
    head
}

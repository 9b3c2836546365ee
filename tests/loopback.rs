//! A small HTTP server, for what takes the place of AWS.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

/// What a client asked for.
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) body: String,
}

/// What it gets.
#[derive(Default)]
pub(crate) struct Response {
    /// 0 ends the connection without an answer.
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: String,
}

/// Serves every connection on a thread of its own, one request each, until the test process ends.
///
/// A handler that answers nothing leaves its client waiting.
pub(crate) fn serve(handler: impl Fn(&Request) -> Option<Response> + Send + Sync + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let handler = Arc::new(handler);
    thread::spawn(move || {
        for connection in listener.incoming() {
            let handler = Arc::clone(&handler);
            thread::spawn(move || answer(connection.unwrap(), &*handler));
        }
    });
    address
}

fn answer(mut connection: TcpStream, handler: &dyn Fn(&Request) -> Option<Response>) {
    let Some(request) = read(&connection) else { return };
    let Some(response) = handler(&request) else {
        // Hold the connection until the client has had enough of it.
        let _ = connection.read(&mut [0]);
        return;
    };
    let Response { status, headers, body } = response;
    if status == 0 {
        return;
    }
    let headers: String = headers.iter().map(|(name, value)| [name, ": ", value, "\r\n"].concat()).collect();
    let length = body.len();
    let answer = format!("HTTP/1.1 {status} -\r\nconnection: close\r\n{headers}content-length: {length}\r\n\r\n{body}");
    // A client that is gone meanwhile is not the server's concern.
    let _ = connection.write_all(answer.as_bytes());
}

fn read(connection: &TcpStream) -> Option<Request> {
    let mut reader = BufReader::new(connection);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let mut first = lines.first()?.split(' ').map(ToOwned::to_owned);
    let (method, path) = (first.next()?, first.next()?);
    let length = lines.iter().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body).ok()?;
    Some(Request { method, path, body: String::from_utf8(body).unwrap() })
}

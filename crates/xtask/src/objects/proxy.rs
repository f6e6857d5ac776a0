//! A proxy before a server of objects, which counts what is fetched and makes faults.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// What is made of answers.
pub enum Faults {
    None,
    /// Of every five requests one finds the server busy, and of one the connection is cut.
    Passing,
    /// Behind so many reads of an object there is another version of it.
    Change {
        after: usize,
        key: String,
        other: Vec<u8>,
    },
}

struct State {
    faults: Faults,
    n_requests: usize,
    n_faults: usize,
    n_bytes: u64,
}

/// The proxy, which runs as long as the process does.
pub struct Proxy {
    pub port: u16,
    state: Arc<Mutex<State>>,
}

/// What is made of one answer.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fault {
    None,
    Busy,
    Cut,
}

/// A request, or an answer to one.
struct Message {
    first: String,
    headers: Vec<String>,
    body: Vec<u8>,
}

impl Proxy {
    /// Begins before a server of a port.
    ///
    /// # Errors
    /// What the system says.
    pub fn start(upstream: u16) -> Result<Proxy, String> {
        let listener = TcpListener::bind("127.0.0.1:0").map_err(|e| e.to_string())?;
        let port = listener.local_addr().map_err(|e| e.to_string())?.port();
        let state = State { faults: Faults::None, n_requests: 0, n_faults: 0, n_bytes: 0 };
        let proxy = Proxy { port, state: Arc::new(Mutex::new(state)) };
        let state = Arc::clone(&proxy.state);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let state = Arc::clone(&state);
                // Whoever asks sees what went wrong.
                std::thread::spawn(move || drop(pass(stream, upstream, &state)));
            }
        });
        Ok(proxy)
    }

    /// Makes other faults from now on; says how many there were since the last ones were asked for.
    pub fn make(&self, faults: Faults) -> usize {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        (state.faults, state.n_requests) = (faults, 0);
        std::mem::take(&mut state.n_faults)
    }

    /// How many bytes of bodies were answered so far.
    pub fn n_bytes(&self) -> u64 {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).n_bytes
    }
}

/// Whose objects are: the server looks at who signs, and not at the signature.
const OWNER: &str =
    "AWS4-HMAC-SHA256 Credential=id/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0";

/// Asks a server without a proxy; the status and the body of the answer.
///
/// # Errors
/// A server that does not answer.
pub fn ask(port: u16, method: &str, path: &str, body: &[u8]) -> Result<(u16, Vec<u8>), String> {
    let length = format!("Content-Length: {}", body.len());
    let headers = vec!["Host: 127.0.0.1".to_owned(), format!("Authorization: {OWNER}"), length];
    let request = Message { first: format!("{method} {path} HTTP/1.1"), headers, body: body.to_vec() };
    let answer = answered(port, &request, false).map_err(|e| format!("{method} {path}: {e}\n"))?;
    let status = answer.first.split(' ').nth(1).and_then(|status| status.parse().ok());
    Ok((status.ok_or_else(|| format!("{method} {path}: no answer\n"))?, answer.body))
}

/// Answers one request of a connection, which is closed then.
fn pass(stream: TcpStream, upstream: u16, state: &Mutex<State>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let Some(mut request) = message(&mut reader, false)? else { return Ok(()) };
    let fault = next(&request, upstream, state)?;
    request.headers.retain(|header| !is(header, "connection"));
    let is_head = request.first.starts_with("HEAD ");
    let mut answer = match fault {
        Fault::Busy => Message {
            first: "HTTP/1.1 503 Slow Down".to_owned(),
            headers: Vec::new(),
            body: b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>".to_vec(),
        },
        Fault::None | Fault::Cut => answered(upstream, &request, is_head)?,
    };
    state.lock().unwrap_or_else(PoisonError::into_inner).n_bytes += answer.body.len() as u64;
    let own = ["connection", "transfer-encoding"];
    answer.headers.retain(|header| !own.iter().any(|name| is(header, name)));
    if !is_head {
        answer.headers.retain(|header| !is(header, "content-length"));
        answer.headers.push(format!("Content-Length: {}", answer.body.len()));
    }
    let half = answer.body.len() / 2;
    if fault == Fault::Cut {
        answer.body.truncate(half);
    }
    if is_head && fault != Fault::None {
        // Such an answer has no body; without a line it is none.
        return Ok(());
    }
    send(&stream, &answer)
}

/// What the next answer meets.
fn next(request: &Message, upstream: u16, state: &Mutex<State>) -> std::io::Result<Fault> {
    let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
    let is_read = |key: &str| request.first.starts_with(&format!("GET {key} "));
    if let Faults::Change { key, .. } = &state.faults
        && !is_read(key)
    {
        return Ok(Fault::None);
    }
    state.n_requests += 1;
    let n_requests = state.n_requests;
    let fault = match &state.faults {
        Faults::None => Fault::None,
        Faults::Passing if n_requests % 5 == 2 => Fault::Busy,
        Faults::Passing if n_requests % 5 == 4 => Fault::Cut,
        Faults::Passing => Fault::None,
        Faults::Change { after, key, other } => {
            if n_requests == *after {
                ask(upstream, "PUT", key, other).map_err(std::io::Error::other)?;
            }
            Fault::None
        }
    };
    state.n_faults += usize::from(fault != Fault::None);
    Ok(fault)
}

fn is(header: &str, name: &str) -> bool {
    header.split_once(':').is_some_and(|(known, _)| known.eq_ignore_ascii_case(name))
}

/// A message with all of its body; none where the connection ends before it.
fn message(reader: &mut impl BufRead, is_bodiless: bool) -> std::io::Result<Option<Message>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let first = line.trim_end().to_owned();
    let mut headers = Vec::new();
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        match line.trim_end() {
            "" => break,
            header => headers.push(header.to_owned()),
        }
    }
    let value = |name: &str| {
        let header = headers.iter().find(|header| is(header, name));
        header.and_then(|header| header.split_once(':')).map(|(_, value)| value.trim().to_owned())
    };
    let mut body = Vec::new();
    match value("content-length").and_then(|length| length.parse::<u64>().ok()) {
        _ if is_bodiless => {}
        Some(length) => drop(reader.take(length).read_to_end(&mut body)?),
        None if value("transfer-encoding").is_some() => body = chunks(reader)?,
        // An answer without a length ends with its connection.
        None if first.starts_with("HTTP/") => drop(reader.read_to_end(&mut body)?),
        None => {}
    }
    Ok(Some(Message { first, headers, body }))
}

/// A body in chunks, put together.
fn chunks(reader: &mut impl BufRead) -> std::io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let length = u64::from_str_radix(line.trim(), 16).map_err(std::io::Error::other)?;
        reader.by_ref().take(length).read_to_end(&mut body)?;
        line.clear();
        reader.read_line(&mut line)?;
        if length == 0 {
            return Ok(body);
        }
    }
}

fn send(mut stream: &TcpStream, message: &Message) -> std::io::Result<()> {
    let headers: String = message.headers.iter().map(|header| format!("{header}\r\n")).collect();
    stream.write_all(format!("{}\r\n{headers}Connection: close\r\n\r\n", message.first).as_bytes())?;
    stream.write_all(&message.body)
}

/// What a server answers.
fn answered(port: u16, request: &Message, is_bodiless: bool) -> std::io::Result<Message> {
    let stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    send(&stream, request)?;
    message(&mut BufReader::new(&stream), is_bodiless)?.ok_or_else(|| std::io::ErrorKind::UnexpectedEof.into())
}

//! A small store on loopback that answers as S3 does, and fails when it is told to.

use std::collections::{BTreeMap, VecDeque};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// What the next request meets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Too many ask.
    Unavailable,
    /// The connection ends in the middle of the answer.
    Cut,
    Forbidden,
}

#[derive(Default)]
pub struct State {
    pub objects: BTreeMap<String, (Vec<u8>, u32)>,
    pub parts: BTreeMap<u32, Vec<u8>>,
    pub faults: VecDeque<Fault>,
    /// The method and the target of each request.
    pub requests: Vec<String>,
    /// Conditions are passed over, as some stores do.
    pub is_careless: bool,
}

#[derive(Clone)]
pub struct Server {
    pub port: u16,
    pub state: Arc<Mutex<State>>,
}

impl Server {
    pub fn start() -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let server = Server { port, state: Arc::default() };
        let own = server.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let own = own.clone();
                std::thread::spawn(move || own.answer(stream));
            }
        });
        server
    }

    pub fn put(&self, key: &str, bytes: &[u8]) {
        let mut state = self.state.lock().expect("a lock");
        let version = state.objects.get(key).map_or(1, |(_, version)| version + 1);
        state.objects.insert(key.to_owned(), (bytes.to_vec(), version));
    }

    pub fn fail(&self, faults: &[Fault]) {
        self.state.lock().expect("a lock").faults = faults.iter().copied().collect();
    }

    /// How many requests there were since it was asked.
    pub fn n_requests(&self) -> usize {
        std::mem::take(&mut self.state.lock().expect("a lock").requests).len()
    }

    fn answer(&self, stream: TcpStream) {
        let mut reader = BufReader::new(stream.try_clone().expect("a stream"));
        let mut first = String::new();
        if reader.read_line(&mut first).unwrap_or(0) == 0 {
            return;
        }
        let mut headers = BTreeMap::new();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).expect("a header");
            let Some((name, value)) = line.trim_end().split_once(':') else { break };
            headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
        }
        let length = headers.get("content-length").map_or(0, |length| length.parse().expect("a length"));
        let mut body = vec![0; length];
        reader.read_exact(&mut body).expect("a body");
        let mut words = first.split(' ');
        let (method, target) = (words.next().expect("a method"), words.next().expect("a target"));
        let mut state = self.state.lock().expect("a lock");
        state.requests.push(format!("{method} {target}"));
        let fault = state.faults.pop_front();
        let (status, extra, answer) = match fault {
            Some(Fault::Unavailable) => (503, String::new(), error("SlowDown", "Please reduce your request rate.")),
            Some(Fault::Forbidden) => (403, String::new(), error("AccessDenied", "Access Denied")),
            Some(Fault::Cut) | None => state.answer(method, target, &headers, body),
        };
        drop(state);
        let head =
            format!("HTTP/1.1 {status} X\r\nConnection: close\r\n{extra}Content-Length: {}\r\n\r\n", answer.len());
        let is_head = method == "HEAD";
        let sent = match fault {
            Some(Fault::Cut) => &answer[..answer.len() / 2],
            _ if is_head => &[],
            _ => &answer[..],
        };
        let mut stream = stream;
        let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(sent));
    }
}

fn error(code: &str, message: &str) -> Vec<u8> {
    format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>{message}</Message></Error>").into_bytes()
}

/// `a%20b` as `a b`.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let hex = |n: Option<u8>| n.and_then(|n| char::from(n).to_digit(16)).expect("a digit") as u8;
        bytes.push(if byte == b'%' { hex(rest.next()) * 16 + hex(rest.next()) } else { byte });
    }
    String::from_utf8(bytes).expect("a text")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

impl State {
    fn answer(
        &mut self,
        method: &str,
        target: &str,
        headers: &BTreeMap<String, String>,
        body: Vec<u8>,
    ) -> (u16, String, Vec<u8>) {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let path = decoded(path);
        let (bucket, key) = path.trim_start_matches('/').split_once('/').unwrap_or((path.trim_start_matches('/'), ""));
        let of = |name: &str| {
            let pair = query.split('&').find_map(|pair| pair.split_once('=').filter(|(known, _)| *known == name));
            pair.map(|(_, value)| decoded(value))
        };
        if bucket != "bucket" {
            return (404, String::new(), error("NoSuchBucket", "The specified bucket does not exist"));
        }
        match method {
            "GET" if key.is_empty() => (200, String::new(), self.list(&of("prefix").unwrap_or_default())),
            "GET" | "HEAD" => self.get(key, headers),
            "PUT" if of("partNumber").is_some() => {
                let number = of("partNumber").expect("a number").parse().expect("a number");
                self.parts.insert(number, body);
                (200, format!("ETag: \"part-{number}\"\r\n"), Vec::new())
            }
            "PUT" => {
                self.objects.insert(key.to_owned(), (body, 1));
                (200, "ETag: \"1\"\r\n".to_owned(), Vec::new())
            }
            "POST" if query.starts_with("uploads") => {
                let text = "<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>";
                (200, String::new(), text.into())
            }
            "POST" => {
                let whole = std::mem::take(&mut self.parts).into_values().flatten().collect();
                self.objects.insert(key.to_owned(), (whole, 1));
                let text = "<CompleteMultipartUploadResult><ETag>\"1\"</ETag></CompleteMultipartUploadResult>";
                (200, String::new(), text.into())
            }
            "DELETE" => {
                self.parts.clear();
                (204, String::new(), Vec::new())
            }
            other => panic!("{other}"),
        }
    }

    fn list(&self, prefix: &str) -> Vec<u8> {
        let inside = self.objects.iter().filter(|(key, _)| key.starts_with(prefix));
        let told = inside.map(|(key, (bytes, version))| {
            format!(
                "<Contents><Key>{}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified>\
                 <ETag>&quot;{version}&quot;</ETag><Size>{}</Size></Contents>",
                escaped(key),
                bytes.len()
            )
        });
        format!("<?xml version=\"1.0\"?><ListBucketResult>{}</ListBucketResult>", told.collect::<String>()).into_bytes()
    }

    fn get(&self, key: &str, headers: &BTreeMap<String, String>) -> (u16, String, Vec<u8>) {
        let Some((bytes, version)) = self.objects.get(key) else {
            return (404, String::new(), error("NoSuchKey", "The specified key does not exist."));
        };
        let tag = format!("\"{version}\"");
        if headers.get("if-match").is_some_and(|wanted| *wanted != tag) && !self.is_careless {
            return (
                412,
                String::new(),
                error("PreconditionFailed", "At least one of the pre-conditions did not hold"),
            );
        }
        let told = format!("ETag: {tag}\r\nLast-Modified: Thu, 01 Jan 2026 00:00:00 GMT\r\n");
        let Some(range) = headers.get("range") else { return (200, told, bytes.clone()) };
        let (from, to) = range.strip_prefix("bytes=").and_then(|range| range.split_once('-')).expect("a range");
        let (from, to): (usize, usize) = (from.parse().expect("a number"), to.parse().expect("a number"));
        let to = to.min(bytes.len() - 1);
        let told = format!("{told}Content-Range: bytes {from}-{to}/{}\r\n", bytes.len());
        (206, told, bytes[from..=to].to_vec())
    }
}

//! A web server that answers as it is told, for tests of what is sent to it.

#![allow(dead_code, clippy::expect_used, reason = "tests may panic, and each needs some of it")]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// A post, as it came.
#[derive(Debug, Clone)]
pub struct Received {
    pub headers: BTreeMap<String, String>,
    pub body: String,
}

impl Received {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    /// The changes of the post, by their numbers; none of a gap.
    pub fn seqs(&self) -> Vec<u64> {
        let body: serde_json::Value = serde_json::from_str(&self.body).expect("JSON");
        let changes = body["data"]["changes"].as_array().cloned().unwrap_or_default();
        changes.iter().filter_map(|change| change["seq"].as_u64()).collect()
    }
}

/// How a post is answered.
#[derive(Debug, Clone, Copy)]
pub enum Answer {
    /// With a status and more headers, each with its end.
    Status(u16, &'static str),
    /// With the beginning of an answer.
    ClosedMidway,
    /// With 200, after so long.
    Slow(Duration),
}

pub const GOOD: Answer = Answer::Status(200, "");

pub struct Server {
    pub port: u16,
    received: Arc<Mutex<Vec<(Received, bool)>>>,
    is_closing: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Listens on a port, or any where it is 0. The nth post, from 0, is answered as is said.
    pub fn start(port: u16, answer: impl Fn(usize, &Received) -> Answer + Send + 'static) -> Server {
        let listener = TcpListener::bind(("127.0.0.1", port)).expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let (received, is_closing) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let (all, closing) = (Arc::clone(&received), Arc::clone(&is_closing));
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if closing.load(Ordering::SeqCst) {
                    return;
                }
                // A sender that is killed breaks off.
                let Some((post, stream)) = stream.ok().and_then(read) else { continue };
                let mut all = all.lock().expect("posts");
                let how = answer(all.len(), &post);
                all.push((post, matches!(how, Answer::Status(200..=299, _) | Answer::Slow(_))));
                drop(all);
                let _ = reply(stream, how);
            }
        });
        Server { port, received, is_closing, thread: Some(thread) }
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/hook?key=k", self.port)
    }

    /// All posts.
    pub fn received(&self) -> Vec<Received> {
        self.received.lock().expect("posts").iter().map(|(post, _)| post.clone()).collect()
    }

    /// Those that were answered well.
    pub fn taken(&self) -> Vec<Received> {
        let all = self.received.lock().expect("posts");
        all.iter().filter(|(_, is_good)| *is_good).map(|(post, _)| post.clone()).collect()
    }

    /// Goes away, and gives the posts.
    pub fn close(mut self) -> Vec<Received> {
        self.end();
        self.received()
    }

    fn end(&mut self) {
        self.is_closing.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(("127.0.0.1", self.port));
        if let Some(thread) = self.thread.take() {
            thread.join().expect("a thread");
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.thread.is_some() {
            self.end();
        }
    }
}

fn read(stream: TcpStream) -> Option<(Received, TcpStream)> {
    stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    if !line.starts_with("POST /hook?key=k HTTP/1.1") {
        return None;
    }
    let mut headers = BTreeMap::new();
    loop {
        line.clear();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    let mut body = vec![0; headers.get("content-length")?.parse().ok()?];
    reader.read_exact(&mut body).ok()?;
    Some((Received { headers, body: String::from_utf8(body).ok()? }, reader.into_inner()))
}

fn reply(mut stream: TcpStream, how: Answer) -> std::io::Result<()> {
    match how {
        Answer::Status(status, headers) => {
            write!(stream, "HTTP/1.1 {status} Status\r\n{headers}connection: close\r\ncontent-length: 2\r\n\r\nok")
        }
        Answer::ClosedMidway => stream.write_all(b"HTTP/1.1 20"),
        Answer::Slow(wait) => {
            std::thread::sleep(wait);
            stream.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
        }
    }
}

/// Waits until something is so; a test fails that waits for too long.
pub fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(60), "waited too long until {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

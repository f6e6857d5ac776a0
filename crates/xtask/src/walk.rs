//! What the book shows of a cart, done: an SDK posts, somebody enters as time passes and leaves
//! by an order, and a receiver is told.

use crate::outside::succeed;
use crate::server::{Server, emptied};
use seg_tests::root;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// The chapter, and the section that is done.
const CHAPTER: &str = "docs/book/src/live.md";
const SECTION: &str = "## A cart, step by step";
const PROJECT: &str = "examples/cart-recovery";
/// Addresses as the book has them.
const INTAKE: &str = "http://127.0.0.1:8090";
const HOOK: &str = "http://127.0.0.1:9000";
/// Nothing here takes so long.
const PATIENCE: Duration = Duration::from_secs(30);

/// Does what the section says, in a folder with the packages of SDKs.
///
/// # Errors
/// Whatever comes out otherwise than the book says.
pub fn run(dir: &Path) -> Result<(), String> {
    let chapter = std::fs::read_to_string(root().join(CHAPTER)).map_err(|e| format!("{CHAPTER}: {e}\n"))?;
    let section = chapter.split_once(SECTION).ok_or_else(|| format!("{CHAPTER} has no `{SECTION}`\n"))?.1;
    let section = section.split("\n## ").next().unwrap_or_default();
    let [settings] = blocks(section, "```toml project\n")?;
    let [begun, ordered] = blocks(section, "```js\n")?;
    let [entered, left] = blocks(section, "```json\n")?;
    let project = dir.join("cart-recovery");
    emptied(&project)?;
    succeed(Command::new("cp").arg("-r").arg(root().join(PROJECT)).arg(&project))?;
    let hook = TcpListener::bind("127.0.0.1:0").map_err(|e| e.to_string())?;
    let address = hook.local_addr().map_err(|e| e.to_string())?;
    let settings = settings.replace(HOOK, &format!("http://{address}"));
    std::fs::write(project.join("seg.toml"), settings).map_err(|e| e.to_string())?;
    let told = receiver(hook);
    let mut server = Server::start(&project, &project.join("live"), &project.join("changes.ndjson"))?;
    let post = |script: &str, name: &str| {
        let script = script.replace(INTAKE, &format!("http://127.0.0.1:{}", server.port));
        std::fs::write(dir.join(name), script).map_err(|e| format!("{name}: {e}\n"))?;
        succeed(Command::new("node").arg(name).current_dir(dir))
    };
    let since = Instant::now();
    post(begun, "begun.mjs")?;
    is_told(&told, entered)?;
    let took = since.elapsed();
    if took < Duration::from_secs(2) {
        return Err(format!("they entered after {took:?}, before the time was over\n"));
    }
    post(ordered, "ordered.mjs")?;
    is_told(&told, left)?;
    server.end(false)
}

/// The blocks of a section that begin with a line: so many.
fn blocks<'s, const N: usize>(section: &'s str, fence: &str) -> Result<[&'s str; N], String> {
    let blocks: Vec<&str> = section.split(fence).skip(1).filter_map(|rest| rest.split("```").next()).collect();
    let n = blocks.len();
    blocks.try_into().map_err(|_| format!("{SECTION} has {n} blocks of {fence} and should have {N}\n"))
}

/// Takes what is posted, and passes on the bodies.
fn receiver(hook: TcpListener) -> Receiver<String> {
    let (sender, told) = channel();
    std::thread::spawn(move || {
        for stream in hook.incoming().flatten() {
            // Whoever listens no more need not know.
            let sent = taken(stream).is_ok_and(|body| sender.send(body).is_ok());
            if !sent {
                return;
            }
        }
    });
    told
}

/// The body of a request, which is answered with 204.
fn taken(stream: TcpStream) -> std::io::Result<String> {
    let mut reader = BufReader::new(&stream);
    let (mut length, mut line) = (0, String::new());
    while reader.read_line(&mut line)? > 2 {
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or(0);
        }
        line.clear();
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    (&stream).write_all(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")?;
    Ok(String::from_utf8_lossy(&body).into_owned())
}

/// Waits for the next post, and holds its only change against what the book shows of it.
fn is_told(told: &Receiver<String>, wanted: &str) -> Result<(), String> {
    let body = told.recv_timeout(PATIENCE).map_err(|_| format!("nobody was told of {wanted}"))?;
    let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).map_err(|e| format!("{e}: {text}\n"));
    let (body, wanted) = (read(&body)?, read(wanted)?);
    let changes = body["data"]["changes"].as_array().cloned().unwrap_or_default();
    let [change] = changes.as_slice() else { return Err(format!("told of {} changes: {body}\n", changes.len())) };
    let fields = wanted.as_object().into_iter().flatten();
    match fields.into_iter().find(|(name, value)| change[name.as_str()] != **value) {
        None => Ok(()),
        Some((name, value)) => Err(format!("`{name}` is {} and should be {value}\n", change[name.as_str()])),
    }
}

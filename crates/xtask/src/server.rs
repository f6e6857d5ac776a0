//! `seg live --listen` as a process, for what posts to it and looks at it.

use crate::outside::succeed;
use seg_tests::root;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The project whose memberships are kept.
pub const PROJECT: &str = "crates/xtask/sdk/project";
/// The key with which clients post, and the token of operators.
pub const KEY: &str = "key-of-the-shop";
pub const TOKEN: &str = "token-of-operators";
/// By which webhooks are signed.
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// Takes a folder away with all that is in it, if it is there.
///
/// # Errors
/// What the disk says.
pub fn emptied(folder: &Path) -> Result<(), String> {
    match folder.exists() {
        true => std::fs::remove_dir_all(folder).map_err(|e| format!("{}: {e}\n", folder.display())),
        false => Ok(()),
    }
}

/// The process, which is ended and begun again at the same address.
pub struct Server {
    seg: PathBuf,
    project: PathBuf,
    data: PathBuf,
    changes: PathBuf,
    /// Where records are posted.
    pub port: u16,
    /// Where operators look.
    pub admin: u16,
    child: Option<Child>,
}

impl Server {
    /// Begins with a project and what is kept in a folder, and adds changes to a file.
    ///
    /// # Errors
    /// A process that does not begin.
    pub fn start(project: &Path, data: &Path, changes: &Path) -> Result<Server, String> {
        Server::start_as(Path::new("target/debug/seg"), project, data, changes)
    }

    /// The same with another build of the command.
    ///
    /// # Errors
    /// A process that does not begin.
    pub fn start_as(seg: &Path, project: &Path, data: &Path, changes: &Path) -> Result<Server, String> {
        let (port, admin) = (free_port()?, free_port()?);
        let project = project.to_owned();
        let mut server = Server {
            seg: seg.to_owned(),
            project,
            data: data.to_owned(),
            changes: changes.to_owned(),
            port,
            admin,
            child: None,
        };
        server.begin()?;
        Ok(server)
    }

    /// Begins, and returns when it takes requests.
    ///
    /// # Errors
    /// A process that does not begin.
    pub fn begin(&mut self) -> Result<(), String> {
        let mut command = Command::new(&self.seg);
        command.current_dir(root());
        command.arg("live").arg(&self.project).arg("--data").arg(&self.data);
        command.arg("--listen").arg(format!("127.0.0.1:{}", self.port));
        command.arg("--admin").arg(format!("127.0.0.1:{}", self.admin));
        command.arg("--changes").arg(&self.changes).arg("--log").arg("json");
        command.env("SEG_WRITE_KEYS", format!("{KEY},shop")).env("CRM_SECRET", SECRET).env("SEG_ADMIN_TOKEN", TOKEN);
        let mut child = command.stderr(Stdio::piped()).spawn().map_err(|e| e.to_string())?;
        let stderr = child.stderr.take().ok_or("no standard error")?;
        self.child = Some(child);
        let mut lines = BufReader::new(stderr);
        let (mut said, begun) = (String::new(), Instant::now());
        while !said.contains("\"event\":\"listening\"") {
            let n = lines.read_line(&mut said).map_err(|e| e.to_string())?;
            if n == 0 || begun.elapsed() > Duration::from_secs(30) {
                return Err(format!("`seg live` does not begin: {said}\n"));
            }
        }
        // What it says later must not fill the pipe.
        std::thread::spawn(move || std::io::copy(&mut lines, &mut std::io::sink()));
        Ok(())
    }

    /// The bytes of memory that it has in use.
    ///
    /// # Errors
    /// A process that has ended.
    pub fn memory(&self) -> Result<u64, String> {
        memory_of(self.child.as_ref().map_or(0, Child::id))
    }

    /// Kills it, or tells it to end and waits until it has.
    ///
    /// # Errors
    /// One that was told to end and did not end well.
    pub fn end(&mut self, is_killed: bool) -> Result<(), String> {
        let Some(mut child) = self.child.take() else { return Ok(()) };
        let signal = if is_killed { "-KILL" } else { "-TERM" };
        succeed(Command::new("kill").arg(signal).arg(child.id().to_string()))?;
        let status = child.wait().map_err(|e| e.to_string())?;
        match is_killed || status.success() {
            true => Ok(()),
            false => Err(format!("told to end, it ended with {status}\n")),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // What failed was told already; nothing may stay behind.
        let _ = self.end(true);
    }
}

/// The bytes of memory that a process has in use.
///
/// # Errors
/// A process that has ended.
pub fn memory_of(process: u32) -> Result<u64, String> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).map_err(|e| format!("{e}\n"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    let kilobytes = line.trim().trim_end_matches(" kB").parse::<u64>();
    kilobytes.map(|n| n << 10).map_err(|e| format!("{e}: {line}\n"))
}

/// A port that nobody listens at.
///
/// # Errors
/// What the system says.
pub fn free_port() -> Result<u16, String> {
    let listener = TcpListener::bind("127.0.0.1:0").map_err(|e| e.to_string())?;
    Ok(listener.local_addr().map_err(|e| e.to_string())?.port())
}

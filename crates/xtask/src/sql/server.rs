//! A server of PostgreSQL for a run of the checks.

use crate::outside::succeed;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where PostgreSQL's programs may be, beside the path.
const POSTGRES: &[&str] = &["/usr/lib/postgresql/17/bin", "/usr/lib/postgresql/16/bin", "/usr/lib/postgresql/15/bin"];

/// A server of PostgreSQL with a cluster of its own, which ends with it.
pub struct Server {
    bin: PathBuf,
    cluster: PathBuf,
    port: u16,
}

impl Server {
    /// Starts one; none where its programs are not there.
    ///
    /// # Errors
    /// What fails on the way.
    pub fn start(dir: &Path) -> Result<Option<Server>, String> {
        let places = POSTGRES.iter().map(Path::new).find(|place| place.join("initdb").exists());
        let Some(bin) = places else { return Ok(None) };
        // A free port, which the system gives and which is given back.
        let port = std::net::TcpListener::bind(("127.0.0.1", 0)).and_then(|socket| socket.local_addr());
        let port = port.map_err(|e| e.to_string())?.port();
        let cluster = std::env::temp_dir().join(format!("seg-postgres-{}", std::process::id()));
        let failed = |e: std::io::Error| format!("{}: {e}\n", cluster.display());
        std::fs::create_dir_all(&cluster).map_err(failed)?;
        let server = Server { bin: bin.to_owned(), cluster: cluster.clone(), port };
        if is_root()? {
            // It refuses to be run by root.
            succeed(Command::new("chown").arg("postgres").arg(&cluster))?;
        }
        let data = cluster.join("data");
        let data = data.to_string_lossy();
        server.program("initdb", &["-D", &data, "-U", "seg", "-E", "UTF8", "--locale=C.UTF-8", "-A", "trust"])?;
        let options = format!(
            "-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={} -c fsync=off",
            cluster.display()
        );
        let log = dir.join("postgres.log");
        let log = if is_root()? { cluster.join("log") } else { log };
        server.program("pg_ctl", &["-D", &data, "-o", &options, "-l", &log.to_string_lossy(), "-w", "start"])?;
        Ok(Some(server))
    }

    /// What drivers connect by.
    pub fn address(&self) -> String {
        format!("host=127.0.0.1 port={} user=seg dbname=postgres", self.port)
    }

    /// The same as an address.
    pub fn url(&self) -> String {
        format!("postgres://seg@127.0.0.1:{}/postgres", self.port)
    }

    /// The folder of its programs.
    pub fn bin(&self) -> &Path {
        &self.bin
    }

    /// Runs one of its programs, as another user where this one is root.
    fn program(&self, name: &str, args: &[&str]) -> Result<(), String> {
        let program = self.bin.join(name);
        let mut command = match is_root()? {
            true => {
                let mut command = Command::new("runuser");
                command.args(["-u", "postgres", "--"]).arg(program);
                command
            }
            false => Command::new(program),
        };
        // What it starts keeps its output open, so that nobody waits for the end of that.
        let quiet = || std::process::Stdio::null();
        let status = command.args(args).current_dir(&self.cluster).stdout(quiet()).stderr(quiet()).status();
        let status = status.map_err(|e| format!("{name}: {e}\n"))?;
        if status.success() { Ok(()) } else { Err(format!("{name} failed\n")) }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let data = self.cluster.join("data");
        let _ = self.program("pg_ctl", &["-D", &data.to_string_lossy(), "-m", "immediate", "stop"]);
        let _ = std::fs::remove_dir_all(&self.cluster);
    }
}

fn is_root() -> Result<bool, String> {
    Ok(succeed(Command::new("id").arg("-u"))?.trim() == "0")
}

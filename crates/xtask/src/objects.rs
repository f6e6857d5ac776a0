//! Object stores: a server of S3 on loopback behind a proxy that counts bytes and makes faults.
//! Members, manifests and stores are those of files, whatever faults pass, and an object that
//! changes while it is read gives no answer.

mod parquet;
mod proxy;

use crate::outside::{seg, succeed};
use crate::server::{emptied, free_port};
use proxy::{Faults, Proxy, ask};
use seg_tests::root;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// Projects with real data, which are read from objects as from files.
const EXAMPLES: [&str; 2] = ["online-retail", "d2c-store"];
/// The bucket of everything.
const BUCKET: &str = "lake";
/// So much more than a local run reads may be asked for.
const RATIO_MAX: f64 = 1.2;
/// How long the server may take to begin.
const BEGIN: Duration = Duration::from_secs(60);

/// The server, which ends with this.
struct Moto(Child);

impl Drop for Moto {
    fn drop(&mut self) {
        // One that ended by itself needs no end.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Reads and writes objects of a server that a virtual environment in `dir` has.
///
/// # Errors
/// Members that differ, bytes that nobody needs, and commands that fail.
pub fn run(dir: &Path) -> Result<(), String> {
    let (_moto, upstream) = begin(dir)?;
    let own = dir.join("objects");
    emptied(&own)?;
    fs::create_dir_all(&own).map_err(|e| e.to_string())?;
    let proxy = Proxy::start(upstream)?;
    put(upstream, "", &[])?;
    let lake = Lake { dir: own, upstream, proxy };
    EXAMPLES.iter().try_for_each(|example| lake.example(example))?;
    lake.columns()?;
    lake.refused()
}

fn begin(dir: &Path) -> Result<(Moto, u16), String> {
    let port = free_port()?;
    let mut command = Command::new(dir.join("venv/bin/moto_server"));
    command.args(["-H", "127.0.0.1", "-p", &port.to_string()]).stdout(Stdio::null()).stderr(Stdio::null());
    let moto = Moto(command.spawn().map_err(|e| format!("moto_server: {e}\n"))?);
    let begun = Instant::now();
    while ask(port, "GET", "/", &[]).is_err() {
        if begun.elapsed() > BEGIN {
            return Err("the server of S3 does not begin\n".to_owned());
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    Ok((moto, port))
}

/// Makes an object, or the bucket where there is no key.
fn put(port: u16, key: &str, bytes: &[u8]) -> Result<(), String> {
    let path = if key.is_empty() { format!("/{BUCKET}") } else { format!("/{BUCKET}/{key}") };
    match ask(port, "PUT", &path, bytes)? {
        (200, _) => Ok(()),
        (status, said) => Err(format!("PUT {path}: {status} {}\n", String::from_utf8_lossy(&said))),
    }
}

/// A lake with what reads it.
struct Lake {
    dir: PathBuf,
    upstream: u16,
    proxy: Proxy,
}

impl Lake {
    /// The command, which asks the server.
    fn seg(&self) -> Command {
        let mut command = seg();
        command.env("AWS_ENDPOINT_URL", format!("http://127.0.0.1:{}", self.proxy.port));
        command.envs([
            ("AWS_ACCESS_KEY_ID", "id"),
            ("AWS_SECRET_ACCESS_KEY", "secret"),
            ("AWS_REGION", "eu-central-1"),
        ]);
        command
    }

    fn object(&self, key: &str) -> Result<Vec<u8>, String> {
        let path = format!("/{BUCKET}/{key}");
        match ask(self.upstream, "GET", &path, &[])? {
            (200, bytes) => Ok(bytes),
            (status, _) => Err(format!("GET {path}: {status}\n")),
        }
    }

    /// Puts all files below a folder.
    fn put_all(&self, folder: &Path, key: &str) -> Result<(), String> {
        for entry in fs::read_dir(folder).map_err(|e| format!("{}: {e}\n", folder.display()))? {
            let path = entry.map_err(|e| e.to_string())?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let key = format!("{key}/{name}");
            match path.is_dir() {
                true => self.put_all(&path, &key)?,
                false => put(self.upstream, &key, &fs::read(&path).map_err(|e| e.to_string())?)?,
            }
        }
        Ok(())
    }

    /// A project whose data are objects rather than files, in a folder of ours.
    fn project(&self, of: &Path, name: &str) -> Result<PathBuf, String> {
        let dir = self.dir.join(name);
        fs::create_dir_all(&dir).map_err(|e| e.to_string())?;
        for entry in fs::read_dir(of).map_err(|e| format!("{}: {e}\n", of.display()))? {
            let path = entry.map_err(|e| e.to_string())?.path();
            if path.is_file() {
                fs::copy(&path, dir.join(path.file_name().unwrap_or_default())).map_err(|e| e.to_string())?;
            }
        }
        let settings = dir.join("seg.toml");
        let text = fs::read_to_string(&settings).map_err(|e| e.to_string())?;
        let text = text.replace("[\"data/", &format!("[\"s3://{BUCKET}/{name}/data/"));
        fs::write(&settings, text).map_err(|e| e.to_string())?;
        Ok(dir)
    }

    /// An example from objects, members and a manifest into objects, and its store from objects;
    /// each under faults that pass.
    fn example(&self, name: &str) -> Result<(), String> {
        let project = root().join("examples").join(name);
        self.put_all(&project.join("data"), &format!("{name}/data"))?;
        let of_objects = self.project(&project, name)?;
        let file = |what: &str| self.dir.join(format!("{name}-{what}"));
        succeed(seg().arg("run").arg(&project).arg("--members").arg(file("local.parquet")))?;
        let local = read(&file("local.parquet"))?;
        self.proxy.make(Faults::Passing);
        let object = |what: &str| format!("s3://{BUCKET}/{name}/results/{what}");
        let to = ["--members", &object("members.parquet"), "--manifest", &object("manifest.json")].map(str::to_owned);
        succeed(self.seg().arg("run").arg(&of_objects).args(&to))?;
        same(
            &local,
            &self.object(&format!("{name}/results/members.parquet"))?,
            &format!("members of {name} in objects"),
        )?;
        let manifest = self.object(&format!("{name}/results/manifest.json"))?;
        let manifest: serde_json::Value = serde_json::from_slice(&manifest).map_err(|e| e.to_string())?;
        let inputs = manifest["inputs"].as_array().into_iter().flatten();
        let n_objects =
            inputs.filter(|input| input["file"].as_str().is_some_and(|file| file.starts_with("s3://"))).count();
        if n_objects < 2 {
            return Err(format!("the manifest of {name} tells of {n_objects} objects\n"));
        }
        let stored = format!("s3://{BUCKET}/{name}/store");
        // The second takes the place of the first, the third of the second.
        for _ in 0..3 {
            succeed(self.seg().arg("pack").arg(&project).args(["--store", &stored]))?;
        }
        let members = file("stored.parquet");
        succeed(self.seg().arg("run").arg(&project).args(["--store", &stored, "--members"]).arg(&members))?;
        same(&local, &read(&members)?, &format!("members of {name} by its store"))?;
        let n_faults = self.proxy.make(Faults::None);
        if n_faults < 3 {
            return Err(format!("{n_faults} faults were made while {name} was read\n"));
        }
        println!("{name}: members, manifest and store by objects as by files, through {n_faults} faults");
        Ok(())
    }

    /// Of Parquet no more is asked for than a local run reads, and of two versions nothing is made.
    fn columns(&self) -> Result<(), String> {
        let local = self.dir.join("parquet-files");
        crate::outside::copy(&local, &root().join("crates/xtask/lake/parquet"), &["schema.toml", "segments.seg"])?;
        let data = local.join("data");
        let bytes = parquet::write(&local, &data)?;
        self.put_all(&data, "parquet/data")?;
        let of_objects = self.project(&local, "parquet")?;
        let (of_files, by_objects) = (self.dir.join("parquet-local.csv"), self.dir.join("parquet-objects.csv"));
        let n_local = bytes_read(&local, &of_files)?;
        let before = self.proxy.n_bytes();
        succeed(self.seg().arg("run").arg(&of_objects).arg("--members").arg(&by_objects))?;
        let n_fetched = self.proxy.n_bytes() - before;
        same(&read(&of_files)?, &read(&by_objects)?, "members by Parquet in objects")?;
        let ratio = n_fetched as f64 / n_local as f64;
        println!(
            "of {bytes} bytes of Parquet {n_fetched} were asked for; a local run read {n_local}: {ratio:.3} times"
        );
        if ratio > RATIO_MAX || n_fetched * 3 > bytes {
            return Err(format!("more was asked for than {RATIO_MAX} times what a local run reads\n"));
        }
        for after in [2, 5, 9] {
            fs::remove_file(&by_objects).map_err(|e| e.to_string())?;
            // Any version of the file will do that is another one.
            let other = [read(&data.join("events-3.parquet"))?, vec![b' '; after]].concat();
            self.proxy.make(Faults::Change { after, key: format!("/{BUCKET}/parquet/data/events-3.parquet"), other });
            let output = ended(self.seg().arg("run").arg(&of_objects).arg("--members").arg(&by_objects))?;
            self.proxy.make(Faults::None);
            let said = String::from_utf8_lossy(&output.stderr);
            let wanted = format!("s3://{BUCKET}/parquet/data/events-3.parquet: it was changed while it was read");
            if output.status.code() != Some(3) || !said.contains(&wanted) || by_objects.exists() {
                return Err(format!("an object that changed behind {after} reads: {said}\n"));
            }
            self.put_all(&data, "parquet/data")?;
            fs::write(&by_objects, "").map_err(|e| e.to_string())?;
        }
        Ok(())
    }

    /// What is wrong is told of by the address that was written.
    fn refused(&self) -> Result<(), String> {
        let cases = [
            (
                "s3://no-such-bucket/events.csv",
                3,
                "s3://no-such-bucket/events.csv: there is no bucket `no-such-bucket`",
            ),
            ("s3://lake/nothing/*.csv", 3, "s3://lake/nothing/*.csv: no object fits this pattern"),
            (
                "s3a://lake/events.csv",
                3,
                "s3a://lake/events.csv: Spark calls it `s3a://`; write `s3://lake/events.csv`",
            ),
            ("s3://lake/a//b.csv", 3, "s3://lake/a//b.csv: its key has two slashes behind each other"),
        ];
        let dir = self.project(&root().join("examples/online-retail"), "refused")?;
        let settings = dir.join("seg.toml");
        let text = fs::read_to_string(&settings).map_err(|e| e.to_string())?;
        for (address, code, wanted) in cases {
            let text = text.replace(&format!("s3://{BUCKET}/refused/data/events.csv.gz"), address);
            let text = text.replace(&format!("s3://{BUCKET}/refused/"), &format!("s3://{BUCKET}/online-retail/"));
            fs::write(&settings, text).map_err(|e| e.to_string())?;
            let output = ended(self.seg().arg("run").arg(&dir))?;
            let said = String::from_utf8_lossy(&output.stderr);
            if output.status.code() != Some(code) || !said.contains(wanted) {
                return Err(format!("{address}: {:?} {said}, and {wanted} is right\n", output.status));
            }
        }
        Ok(())
    }
}

/// Runs a project of files, and says how many bytes it read, as the system counts them.
fn bytes_read(project: &Path, members: &Path) -> Result<u64, String> {
    // A process that waits for another has what that one read counted with its own.
    let script = "target/debug/seg run \"$1\" --members \"$2\" > /dev/null && cat /proc/$$/io";
    let mut command = Command::new("sh");
    command.args(["-c", script, "sh"]).arg(project).arg(members).current_dir(root());
    let said = succeed(&mut command)?;
    let read = said.lines().find_map(|line| line.strip_prefix("rchar: "));
    read.and_then(|n| n.parse().ok()).ok_or_else(|| format!("the system does not count what is read: {said}\n"))
}

fn ended(command: &mut Command) -> Result<Output, String> {
    command.output().map_err(|e| format!("{command:?}: {e}\n"))
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    fs::read(path).map_err(|e| format!("{}: {e}\n", path.display()))
}

fn same(one: &[u8], other: &[u8], what: &str) -> Result<(), String> {
    match one == other && !one.is_empty() {
        true => Ok(()),
        false => Err(format!("{what} are other bytes than by files: {} and {}\n", one.len(), other.len())),
    }
}

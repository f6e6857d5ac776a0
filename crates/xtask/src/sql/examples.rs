//! `seg run --on` with the data of two examples in databases: members are byte for byte those of
//! `seg run`, and whatever fails gives no half answer.

use super::server::Server;
use crate::outside::{seg, succeed};
use seg_tests::root;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The examples whose `seg.toml` says where their data are in a warehouse.
const EXAMPLES: &[&str] = &["online-retail", "d2c-store"];

/// Loads the examples, runs them everywhere and compares, and lets databases fail.
///
/// # Errors
/// Members that differ, failures that are not told, and commands that fail.
pub fn run(dir: &Path, server: Option<&Server>) -> Result<(), String> {
    let python = dir.join("venv/bin/python");
    let mut load = Command::new(&python);
    load.arg(root().join("crates/xtask/sql/load.py")).arg(root().join("examples")).arg(dir);
    if let Some(server) = server {
        load.arg(server.address());
    }
    succeed(&mut load)?;
    let place = Place { path: path(&[&dir.join("venv/bin")], server)?, dir };
    for example in EXAMPLES {
        let here = place.members(example, None)?;
        for database in databases(dir, example, server) {
            let there = place.members(example, Some(&database))?;
            if there != here {
                return Err(format!("{example}: the members in {database} are not those of `seg run`\n"));
            }
            println!("{example}: the same members in {}", database.split(':').next().unwrap_or_default());
        }
    }
    decimals(dir)?;
    place.failures(dir, server)
}

/// Decimals that DuckDB writes are the same money out of Parquet as out of CSV, and those that
/// are none are told.
fn decimals(dir: &Path) -> Result<(), String> {
    let failed = |e: std::io::Error| format!("decimals: {e}\n");
    for format in ["parquet", "csv"] {
        let project = dir.join("decimals").join(format);
        fs::create_dir_all(&project).map_err(failed)?;
        let data = dir.join(format!("decimals.{format}"));
        let settings = format!(
            "name = \"decimals\"\ntimezone = \"UTC\"\nat = \"2026-06-01T12:00:00Z\"\n[data.profiles]\nfiles = [\"{}\"]\nid = \"id\"\n",
            data.display()
        );
        let schema = "currency = \"EUR\"\n[attributes]\nvalue = \"money\"\n";
        let segments = "segment \"max\" include people whose value is 922_337_203_685_477.5807\n\
                        segment \"below\" include people whose value is less than -922_337_203_685_477\n\
                        segment \"least\" include people whose value is 0.0001\n\
                        segment \"known\" include people whose value is known\n";
        for (file, text) in [("seg.toml", settings.as_str()), ("schema.toml", schema), ("a.seg", segments)] {
            fs::write(project.join(file), text).map_err(failed)?;
        }
        let members = project.join("members.csv");
        let run = seg().arg("run").arg(&project).args(["--max-bad", "100%", "--members"]).arg(&members).output();
        let said = String::from_utf8_lossy(&run.map_err(failed)?.stderr).into_owned();
        let mut found: Vec<String> =
            fs::read_to_string(&members).map_err(failed)?.lines().skip(1).map(str::to_owned).collect();
        found.sort_unstable();
        let expected = ["below,min", "known,least", "known,max", "known,min", "least,least", "max,max"];
        if found != expected || !said.contains("data: ") {
            return Err(format!("decimals out of {format}: {found:?}\n{said}\n"));
        }
    }
    Ok(())
}

/// Where an example's data are.
fn databases(dir: &Path, example: &str, server: Option<&Server>) -> Vec<String> {
    let duckdb = format!("duckdb:{}", dir.join(format!("{example}.duckdb")).display());
    let postgres = server.map(|server| format!("{}?options=-csearch_path%3D{example}", server.url()));
    std::iter::once(duckdb).chain(postgres).collect()
}

/// The path of programs with some folders before it.
fn path(first: &[&Path], server: Option<&Server>) -> Result<String, String> {
    let own = std::env::var_os("PATH").unwrap_or_default();
    let folders = first.iter().map(PathBuf::from).chain(server.map(|server| server.bin().to_owned()));
    let all = std::env::join_paths(folders.chain(std::env::split_paths(&own))).map_err(|e| e.to_string())?;
    Ok(all.to_string_lossy().into_owned())
}

struct Place<'d> {
    path: String,
    dir: &'d Path,
}

impl Place<'_> {
    /// The members of an example, as they are written here or in a database.
    fn members(&self, example: &str, database: Option<&str>) -> Result<String, String> {
        let file = self.dir.join("members.csv");
        let _ = fs::remove_file(&file);
        let mut command = self.command(example);
        command.arg("--members").arg(&file);
        if let Some(database) = database {
            command.args(["--on", database]);
        }
        succeed(&mut command)?;
        fs::read_to_string(&file).map_err(|e| format!("{}: {e}\n", file.display()))
    }

    fn command(&self, example: &str) -> Command {
        let mut command = seg();
        command.arg("run").arg(format!("examples/{example}")).env("PATH", &self.path);
        command
    }

    /// What a database that fails says.
    fn failures(&self, dir: &Path, server: Option<&Server>) -> Result<(), String> {
        let other = databases(dir, "d2c-store", None).concat();
        self.fails("online-retail", &other, &["Table with name profiles does not exist", "`[sql]` of seg.toml"])?;
        let Some(server) = server else { return Ok(()) };
        let url = server.url();
        self.fails(
            "online-retail",
            &format!("{url}?options=-csearch_path%3Dd2c-store"),
            &["relation \"profiles\" does not exist", "`[sql]` of seg.toml"],
        )?;
        let no_server = "postgres://seg:s3cret@127.0.0.1:1/postgres";
        self.fails("online-retail", no_server, &["postgres://seg@127.0.0.1:1/postgres", "refused"])?;
        let nobody = url.replace("seg@", "nobody:s3cret@");
        self.fails("online-retail", &nobody, &["role \"nobody\" does not exist"])?;
        let mut psql = Command::new(server.bin().join("psql"));
        let role = "CREATE ROLE guest LOGIN; GRANT USAGE ON SCHEMA \"online-retail\" TO guest";
        succeed(psql.args(["--no-psqlrc", "--quiet", "--command", role, &url]))?;
        let guest = databases(dir, "online-retail", Some(server)).pop().unwrap_or_default();
        self.fails("online-retail", &guest.replace("seg@", "guest:s3cret@"), &["permission denied"])?;
        let mut late = self.command("online-retail");
        late.args(["--on", &guest, "--time-limit", "2ms"]);
        self.is_told(late, &["PostgreSQL"])
    }

    fn fails(&self, example: &str, database: &str, told: &[&str]) -> Result<(), String> {
        let mut command = self.command(example);
        command.args(["--on", database]);
        self.is_told(command, told)
    }

    /// Whether a run ends with exit code 3, a message and nothing else.
    fn is_told(&self, mut command: Command, told: &[&str]) -> Result<(), String> {
        let file = self.dir.join("half.csv");
        let _ = fs::remove_file(&file);
        command.arg("--members").arg(&file);
        let Output { status, stdout, stderr } = command.output().map_err(|e| format!("seg: {e}\n"))?;
        let said = String::from_utf8_lossy(&stderr);
        let is_right = status.code() == Some(3)
            && stdout.is_empty()
            && !file.exists()
            && !said.contains("s3cret")
            && told.iter().all(|part| said.contains(part));
        if is_right { Ok(()) } else { Err(format!("{command:?} ends with {status} and says:\n{said}")) }
    }
}

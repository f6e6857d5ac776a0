//! A page of `seg report` and drawings of `seg history`, looked at in a real browser.

use crate::outside::{copy, install, seg, succeed};
use crate::server::{KEY, PROJECT as PROJECT_OF_SHOP, Server, TOKEN, emptied};
use seg_tests::root;
use std::path::Path;
use std::process::Command;

/// The project whose page is looked at.
const PROJECT: &str = "examples/d2c-store";
/// A segment whose history is drawn.
const SEGMENT: &str = "Winback, 90-180 days";
/// Where a browser may be.
const BROWSERS: &[&str] = &["chromium", "chromium-browser", "google-chrome"];
/// What `npm ci` reads.
const PACKAGES: &[&str] = &["package.json", "package-lock.json"];
/// How packages are installed.
pub const NPM: &[&str] = &["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"];

/// Writes the files, and has them looked at. The packages that this needs are installed below
/// the build directory.
///
/// # Errors
/// Everything that is wrong with the files, a browser that is not there, and commands that fail.
pub fn run() -> Result<(), String> {
    let dir = root().join("target/browser");
    let pictures = dir.join("pictures");
    std::fs::create_dir_all(&pictures).map_err(|e| format!("{}: {e}\n", pictures.display()))?;
    let browser = BROWSERS.iter().find(|name| succeed(Command::new(name).arg("--version")).is_ok());
    let browser = browser.ok_or_else(|| format!("a browser is needed: {}\n", BROWSERS.join(" or ")))?;
    install(&dir, "browser", PACKAGES, &[NPM])?;
    let (page, one, many) = (dir.join("report.html"), dir.join("one.svg"), dir.join("many.svg"));
    succeed(seg().args(["report", PROJECT, "--out"]).arg(&page))?;
    said(&["history", PROJECT, "--format", "svg", "--segment", SEGMENT], &one)?;
    said(&["history", PROJECT, "--format", "svg"], &many)?;
    // Packages are looked for beside the script.
    copy(&dir, &root().join("crates/xtask/browser"), &["check.mjs"])?;
    let which = succeed(Command::new("sh").arg("-c").arg(format!("command -v {browser}")))?;
    let mut check = Command::new("node");
    check.arg(dir.join("check.mjs")).arg(which.trim()).arg(&pictures).args([&page, &one, &many]);
    print!("{}", succeed(&mut check)?);
    live(&dir, which.trim(), &pictures)
}

/// Has the page of `seg live` looked at while records come.
fn live(dir: &Path, browser: &str, pictures: &Path) -> Result<(), String> {
    emptied(&dir.join("live"))?;
    let mut server = Server::start(Path::new(PROJECT_OF_SHOP), &dir.join("live"), &dir.join("changes.ndjson"))?;
    copy(dir, &root().join("crates/xtask/browser"), &["live.mjs"])?;
    let (page, intake) = (format!("http://127.0.0.1:{}", server.admin), format!("http://127.0.0.1:{}", server.port));
    let mut check = Command::new("node");
    check.arg(dir.join("live.mjs")).arg(browser).arg(pictures).args([page.as_str(), TOKEN, intake.as_str(), KEY]);
    print!("{}", succeed(&mut check)?);
    server.end(false)
}

/// Writes what the command says into a file.
fn said(args: &[&str], path: &Path) -> Result<(), String> {
    let said = succeed(seg().args(args))?;
    std::fs::write(path, said).map_err(|e| format!("{}: {e}\n", path.display()))
}

//! A page of `seg report` and drawings of `seg history`, looked at in a real browser.

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

/// Writes the files, and has them looked at. The packages that this needs are installed below
/// the build directory.
///
/// # Errors
/// Everything that is wrong with the files, a browser that is not there, and commands that fail.
pub fn run() -> Result<(), String> {
    let dir = root().join("target/browser");
    let pictures = dir.join("pictures");
    std::fs::create_dir_all(&pictures).map_err(|e| format!("{}: {e}\n", pictures.display()))?;
    let browser = BROWSERS.iter().find(|name| succeed(Command::new(name).arg("--version").output()).is_ok());
    let browser = browser.ok_or_else(|| format!("a browser is needed: {}\n", BROWSERS.join(" or ")))?;
    install(&dir)?;
    let (page, one, many) = (dir.join("report.html"), dir.join("one.svg"), dir.join("many.svg"));
    seg(&["report", PROJECT, "--out", &page.to_string_lossy()], None)?;
    seg(&["history", PROJECT, "--format", "svg", "--segment", SEGMENT], Some(&one))?;
    seg(&["history", PROJECT, "--format", "svg"], Some(&many))?;
    let script = root().join("crates/xtask/browser/check.mjs");
    // Packages are looked for beside the script.
    let copy = dir.join("check.mjs");
    std::fs::copy(&script, &copy).map_err(|e| format!("{}: {e}\n", copy.display()))?;
    let which = succeed(Command::new("sh").arg("-c").arg(format!("command -v {browser}")).output())?;
    let found = Command::new("node").arg(&copy).arg(which.trim()).arg(&pictures).args([&page, &one, &many]).output();
    print!("{}", succeed(found)?);
    Ok(())
}

/// Installs the packages, unless the very same are there.
fn install(dir: &Path) -> Result<(), String> {
    let from = root().join("crates/xtask/browser");
    let is_same = |name: &&str| {
        let (there, wanted) = (std::fs::read(dir.join(name)), std::fs::read(from.join(name)));
        matches!((there, wanted), (Ok(there), Ok(wanted)) if there == wanted)
    };
    if dir.join("node_modules").is_dir() && PACKAGES.iter().all(is_same) {
        return Ok(());
    }
    for name in PACKAGES {
        std::fs::copy(from.join(name), dir.join(name)).map_err(|e| format!("{name}: {e}\n"))?;
    }
    let npm = Command::new("npm").args(["ci", "--no-audit", "--no-fund", "--ignore-scripts"]).current_dir(dir).output();
    succeed(npm).map(drop)
}

/// Runs the command as it was built, in the folder of the repository.
fn seg(args: &[&str], out: Option<&Path>) -> Result<(), String> {
    let said = succeed(Command::new("target/debug/seg").args(args).current_dir(root()).output())?;
    match out {
        Some(path) => std::fs::write(path, said).map_err(|e| format!("{}: {e}\n", path.display())),
        None => Ok(()),
    }
}

/// What a command prints that succeeds.
fn succeed(output: std::io::Result<std::process::Output>) -> Result<String, String> {
    let output = output.map_err(|e| format!("{e}\n"))?;
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    match output.status.success() {
        true => Ok(said(&output.stdout)),
        false => Err(said(&output.stdout) + &said(&output.stderr)),
    }
}

//! The Python package: its wheel is built, installed where nothing else is, and tested without any
//! Arrow library and with each of them; its stubs are compared with it; examples of documents are
//! run as they are written.

use crate::outside::{install, succeed};
use seg_tests::root;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The folders of virtual environments, each with what is installed there.
const ENVIRONMENTS: [(&str, &str); 3] =
    [("build", "build.txt"), ("plain", "plain.txt"), ("libraries", "libraries.txt")];
/// Libraries whose tables go in and come out.
const LIBRARIES: &str = "pyarrow polars duckdb pandas datafusion";
/// Documents with examples in Python.
const DOCUMENTS: [&str; 2] = ["README.md", "docs/book/src/python.md"];
/// Notebooks, with what their cells give.
const NOTEBOOKS: [&str; 1] = ["examples/online-retail/segments.ipynb"];

/// Maturin asks Cargo for the extension module alone, with other features of its dependencies
/// than the workspace has them, so that everything would be compiled once more. This stands
/// before Cargo, and gives it what the workspace has compiled.
const CARGO: &str = r#"#!/bin/sh
unset PYO3_PYTHON PYO3_CONFIG_FILE PYO3_BUILD_EXTENSION_MODULE PYO3_ENVIRONMENT_SIGNATURE
PATH="$SEG_PATH"
export PATH
case "$1" in
rustc) exec "$SEG_CARGO" build --workspace --lib --tests --message-format json-render-diagnostics ;;
*) exec "$SEG_CARGO" "$@" ;;
esac
"#;

/// Builds and tests the package.
///
/// # Errors
/// Commands that fail, with what they say.
pub fn run() -> Result<(), String> {
    let dir = dir();
    ENVIRONMENTS.iter().try_for_each(|(name, packages)| environment(name, packages))?;
    let wheel = wheel()?;
    ["plain", "libraries"].iter().try_for_each(|name| install_wheel(name, &wheel))?;
    tests(&dir, "plain", "test_plain.py")?;
    tests(&dir, "libraries", "")?;
    // Asked in a folder in which no package of the name lies.
    let stubs = ["-m", "mypy.stubtest", "seg", "--allowlist"];
    let allowed = root().join("crates/seg-python/stubtest.txt");
    succeed(Command::new(python(&dir, "libraries")).args(stubs).arg(allowed).current_dir(dir.join("libraries")))?;
    DOCUMENTS.iter().try_for_each(|document| example(&dir, document))?;
    NOTEBOOKS.iter().try_for_each(|path| notebook(&dir, path))?;
    println!("{}", wheel.display());
    Ok(())
}

/// Where the environments and the wheel are.
pub fn dir() -> PathBuf {
    root().join("target/python")
}

/// Makes a virtual environment with packages that a file names.
///
/// # Errors
/// What its tools say.
pub fn environment(name: &str, packages: &str) -> Result<(), String> {
    let commands: [&[&str]; 2] = [
        &["python3", "-m", "venv", "venv"],
        &["venv/bin/pip", "install", "--quiet", "--disable-pip-version-check", "--requirement", packages],
    ];
    install(&dir().join(name), "python", &[packages], &commands)
}

/// Installs a wheel into an environment, in place of the one that is there.
///
/// # Errors
/// What pip says.
pub fn install_wheel(name: &str, wheel: &Path) -> Result<(), String> {
    let arguments =
        ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--force-reinstall", "--no-deps"];
    succeed(Command::new(python(&dir(), name)).args(arguments).arg(wheel)).map(|_| ())
}

/// The interpreter of an environment.
pub fn python(dir: &Path, environment: &str) -> PathBuf {
    dir.join(environment).join("venv/bin/python")
}

/// Builds the wheel, of what the workspace has compiled.
///
/// # Errors
/// What maturin says.
pub fn wheel() -> Result<PathBuf, String> {
    environment("build", "build.txt")?;
    let dir = &dir();
    let (shims, wheels) = (dir.join("shims"), dir.join("wheels"));
    let failed = |e: std::io::Error| format!("{}: {e}\n", dir.display());
    fs::create_dir_all(&shims).map_err(failed)?;
    let _ = fs::remove_dir_all(&wheels);
    fs::write(shims.join("cargo"), CARGO).map_err(failed)?;
    succeed(Command::new("chmod").arg("+x").arg(shims.join("cargo")))?;
    let path = std::env::var("PATH").map_err(|e| e.to_string())?;
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let maturin = dir.join("build/venv/bin/maturin");
    let mut command = Command::new(maturin);
    command.args(["build", "--profile", "dev", "--auditwheel", "skip", "--out"]).arg(&wheels);
    command.arg("--manifest-path").arg(root().join("crates/seg-python/Cargo.toml"));
    command.env("SEG_PATH", &path).env("SEG_CARGO", cargo).env("CARGO", shims.join("cargo"));
    command.env("PATH", format!("{}:{path}", shims.display()));
    succeed(command.current_dir(root()))?;
    wheel_built().ok_or_else(|| "maturin built no wheel\n".to_owned())
}

/// The wheel that was built last, if one is there.
pub fn wheel_built() -> Option<PathBuf> {
    let built = fs::read_dir(dir().join("wheels")).ok()?.filter_map(|entry| Some(entry.ok()?.path()));
    built.filter(|path| path.extension().is_some_and(|ending| ending == "whl")).last()
}

/// Runs tests of the package, in a folder from which only the installed one is found.
///
/// # Errors
/// What pytest says.
pub fn tests(dir: &Path, environment: &str, file: &str) -> Result<(), String> {
    let own = dir.join(environment);
    let tests = root().join("crates/seg-python/tests").join(file);
    let mut command = Command::new(python(dir, environment));
    command.args(["-m", "pytest", "-q", "-p", "no:cacheprovider"]).arg(&tests).current_dir(&own);
    command.env("SEG_ROOT", root()).env("SEG_COMMAND", root().join("target/debug/seg"));
    command.env("SEG_LIBRARIES", LIBRARIES).env("PYTHONDONTWRITEBYTECODE", "1");
    let said = succeed(&mut command)?;
    println!("{environment}: {}", said.lines().last().unwrap_or_default());
    Ok(())
}

/// Runs the blocks of a document that are in Python, one after another in one process, and
/// compares what they print with the blocks of text behind them.
fn example(dir: &Path, document: &str) -> Result<(), String> {
    let text = fs::read_to_string(root().join(document)).map_err(|e| format!("{document}: {e}\n"))?;
    let (code, expected) = blocks(&text);
    if code.is_empty() || expected.is_empty() {
        return Err(format!("{document}: no example in Python with what it prints\n"));
    }
    let script = dir.join("example.py");
    fs::write(&script, code).map_err(|e| e.to_string())?;
    let printed = succeed(Command::new(python(dir, "libraries")).arg(&script).current_dir(root()))?;
    match printed == expected {
        true => Ok(()),
        false => Err(format!("{document} says\n{expected}\nand its example prints\n{printed}\n")),
    }
}

/// Runs the cells of a notebook, and compares what they give with what is written there.
fn notebook(dir: &Path, path: &str) -> Result<(), String> {
    let runner = root().join("crates/xtask/python/notebook.py");
    let mut command = Command::new(python(dir, "libraries"));
    succeed(command.arg(runner).arg(root().join(path)).current_dir(root())).map(|_| ())
}

/// The code of a document in Python, and the text behind each of its blocks.
fn blocks(text: &str) -> (String, String) {
    let (mut code, mut expected, mut fence) = (String::new(), String::new(), "");
    let mut is_behind_code = false;
    for line in text.lines() {
        match (fence, line.strip_prefix("```")) {
            ("", Some("python")) => (fence, is_behind_code) = ("python", true),
            ("", Some("text")) if is_behind_code => (fence, is_behind_code) = ("text", false),
            ("", Some(_)) => (fence, is_behind_code) = ("other", false),
            ("", None) => {}
            (_, Some("")) => fence = "",
            ("python", _) => code = code + line + "\n",
            ("text", _) => expected = expected + line + "\n",
            (_, _) => {}
        }
    }
    (code, expected)
}

#[cfg(test)]
mod tests {
    #[test]
    fn code_and_what_it_prints_are_taken_out() {
        let text = "a\n```python\nx = 1\n```\n\n```python\nprint(x)\n```\n\n```text\n1\n```\n\n```text\nother\n```\n";
        assert_eq!(super::blocks(text), ("x = 1\nprint(x)\n".to_owned(), "1\n".to_owned()));
    }
}

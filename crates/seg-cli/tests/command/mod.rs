//! The command in a folder, for several tests.

#![allow(dead_code, reason = "no test needs all of them")]

use std::path::Path;
use std::process::{Command, Output};

pub fn seg(dir: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_seg")).args(args).current_dir(dir).output().expect("seg runs")
}

pub fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("UTF-8")
}

/// The messages of a run that ends with a code.
pub fn run(dir: &Path, code: i32, args: &[&str]) -> String {
    let output = seg(dir, &[&["run"], args].concat());
    assert_eq!(output.status.code(), Some(code), "{args:?}: {}", err(&output));
    err(&output)
}

pub fn write(dir: &Path, name: &str, text: &str) {
    std::fs::write(dir.join(name), text).expect("written");
}

pub fn read(dir: &Path, name: &str) -> String {
    std::fs::read_to_string(dir.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

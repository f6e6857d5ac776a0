//! The program says what its README shows.

use std::process::Command;

#[test]
fn the_readme_shows_what_is_printed() {
    let output = Command::new(env!("CARGO_BIN_EXE_embedding")).output().expect("started");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let printed = String::from_utf8(output.stdout).expect("text");
    let shown = format!("$ cargo run -p embedding\n{printed}```\n");
    assert!(include_str!("../README.md").contains(&shown), "{printed}");
}

//! Everything that CI runs, in order.

use crate::codegen::{self, Mode};
use crate::tidy;
use seg_tests::root;
use std::process::Command;
use std::time::Instant;

/// Each step with what it proves. Tests come first, for they tell most.
const STEPS: &[(&str, &[&str], &[(&str, &str)])] = &[
    ("formatting", &["fmt", "--all", "--check"], &[]),
    ("tests", &["test", "--workspace"], &[("INSTA_UPDATE", "no")]),
    ("clippy", &["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"], &[]),
    ("api docs", &["doc", "--workspace", "--no-deps"], &[("RUSTDOCFLAGS", "-D warnings")]),
];

/// Runs all steps; stops at the first that fails.
pub fn run() -> Result<(), String> {
    for (name, args, envs) in STEPS {
        println!("── {name}: cargo {}", args.join(" "));
        let start = Instant::now();
        let status = Command::new("cargo")
            .args(*args)
            .envs(envs.iter().copied())
            .current_dir(root())
            .status()
            .map_err(|e| format!("cargo: {e}\n"))?;
        if !status.success() {
            return Err(format!("{name} failed\n"));
        }
        println!("── {name}: {:.0} s", start.elapsed().as_secs_f64());
    }
    println!("── generated files");
    codegen::run(Mode::Check)?;
    println!("── tidy");
    tidy::run()
}

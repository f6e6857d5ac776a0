//! Everything that CI runs, in order.

use crate::codegen::{self, Mode};
use crate::count;
use crate::tidy;
use seg_tests::root;
use std::process::Command;
use std::time::Instant;

/// A cargo command that must succeed.
struct Step {
    name: &'static str,
    args: &'static [&'static str],
    env: (&'static str, &'static str),
}

const STEPS: &[Step] = &[
    Step { name: "formatting", args: &["fmt", "--all", "--check"], env: ("CI", "true") },
    Step { name: "tests", args: &["test", "--workspace"], env: ("INSTA_UPDATE", "no") },
    Step {
        name: "engines against each other, at length",
        // All packages, as above, so that nothing is built anew with other
        // features.
        args: &["test", "--workspace", "--test", "it", "engines_agree", "--", "--nocapture"],
        env: ("SEG_DIFFERENTIAL_CASES", "full"),
    },
    Step {
        name: "clippy",
        args: &["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"],
        env: ("CI", "true"),
    },
    Step { name: "api docs", args: &["doc", "--workspace", "--no-deps"], env: ("RUSTDOCFLAGS", "-D warnings") },
];

/// Runs all steps; stops at the first that fails.
pub fn run() -> Result<(), String> {
    for Step { name, args, env } in STEPS {
        println!("── {name}: cargo {}", args.join(" "));
        let start = Instant::now();
        let status = Command::new("cargo")
            .args(*args)
            .env(env.0, env.1)
            .current_dir(root())
            .status()
            .map_err(|e| format!("cargo: {e}\n"))?;
        if !status.success() {
            return Err(format!("{name} failed\n"));
        }
        println!("── {name}: {:.0} s", start.elapsed().as_secs_f64());
    }
    println!("── instruction counts");
    count::run(false)?;
    println!("── generated files");
    codegen::run(Mode::Check)?;
    println!("── tidy");
    tidy::run()
}

//! Everything that CI runs, in order.

use crate::browser;
use crate::codegen::{self, Mode};
use crate::count::{self, Built};
use crate::lake;
use crate::python;
use crate::sdk;
use crate::spark;
use crate::sql;
use crate::tidy;
use seg_tests::root;
use std::process::Command;
use std::time::Instant;

/// A cargo command that must succeed.
pub struct Step<'a> {
    /// What it does, for the table.
    pub name: &'a str,
    /// What cargo is told.
    pub args: &'a [&'a str],
    /// Variables of the environment, with their values.
    pub env: &'a [(&'a str, &'a str)],
}

const STEPS: &[Step<'_>] = &[
    Step { name: "formatting", args: &["fmt", "--all", "--check"], env: &[] },
    Step { name: "tests", args: &["test", "--workspace", "--no-fail-fast"], env: &[("INSTA_UPDATE", "no")] },
    Step {
        name: "engines against each other",
        // All packages, as above, so that nothing is built anew with other
        // features.
        args: DIFFERENTIAL,
        env: &[("SEG_DIFFERENTIAL_CASES", "middle")],
    },
    Step { name: "clippy", args: &["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"], env: &[] },
    Step {
        name: "the facade without its features",
        args: &["clippy", "--package", "seg", "--no-default-features", "--", "-D", "warnings"],
        env: &[],
    },
    Step {
        name: "api docs",
        args: &["doc", "--workspace", "--no-deps", "--lib"],
        env: &[("RUSTDOCFLAGS", "-D warnings")],
    },
];

/// The differential test, whose length and seed the environment says.
pub const DIFFERENTIAL: &[&str] = &["test", "--workspace", "--test", "it", "engines_agree", "--", "--nocapture"];

/// The test that takes phrases away from texts that are made up, of which the
/// environment says how many, and the seed.
pub const TAKE_AWAY: &[&str] = &["test", "--workspace", "--test", "it", "texts_that_are_made_up", "--", "--nocapture"];

/// The test that breaks sentences and judges what is said of them, of which the
/// environment says how many, and the seed.
pub const BROKEN: &[&str] = &["test", "--workspace", "--test", "it", "errors_of_broken", "--", "--nocapture"];

/// The test that compares what warnings say with who is in, of so many segments as the
/// environment says, from its seed.
pub const WARNINGS: &[&str] = &["test", "--workspace", "--test", "it", "what_warnings_say", "--", "--nocapture"];

/// The test that compares what is said of the instants at which answers change with the
/// answers, of so many pairs of a segment and a person as the environment says, and what
/// explanations say with who is in.
pub const EDGES: &[&str] =
    &["test", "--workspace", "--test", "it", "--", "answers_change_at", "explanations_are", "--nocapture"];

/// The test that compares live memberships with the answers, over so many histories as the
/// environment says.
pub const LIVE: &[&str] = &["test", "--workspace", "--test", "it", "live_memberships", "--", "--nocapture"];

/// What each step took, so that whoever adds one sees what it costs.
#[derive(Default)]
pub struct Steps {
    taken: Vec<(String, f64)>,
    failed: Vec<String>,
}

impl Steps {
    /// Does a step, and notes how long it took.
    ///
    /// # Errors
    /// Those of the step.
    pub fn run(&mut self, name: &str, step: impl FnOnce() -> Result<(), String>) -> Result<(), String> {
        println!("── {name}");
        let start = Instant::now();
        let done = step();
        let seconds = start.elapsed().as_secs_f64();
        println!("── {name}: {seconds:.0} s");
        self.taken.push((name.to_owned(), seconds));
        done
    }

    /// Runs a cargo command, and notes how long it took.
    ///
    /// # Errors
    /// The name of the step, where the command fails.
    pub fn cargo(&mut self, step: &Step<'_>) -> Result<(), String> {
        let Step { name, args, env } = *step;
        let command = || {
            println!("cargo {}", args.join(" "));
            let mut cargo = Command::new("cargo");
            let status = cargo.args(args).envs(env.iter().copied()).current_dir(root()).status();
            let status = status.map_err(|e| format!("cargo: {e}\n"))?;
            if status.success() { Ok(()) } else { Err(format!("{name} failed\n")) }
        };
        self.run(name, command)
    }

    /// Goes on after a step that failed, so that one run says everything that is wrong.
    fn noting(&mut self, name: &str, done: Result<(), String>) {
        if let Err(error) = done {
            print!("{error}");
            self.failed.push(name.to_owned());
        }
    }

    /// The steps with their seconds, as a table of Markdown.
    pub fn table(&self) -> String {
        let row = |name: &str, seconds: &str| format!("| {name:<34} | {seconds:>7} |\n");
        let mut out = row("step", "seconds") + &row(&"-".repeat(34), "------:");
        for (name, seconds) in &self.taken {
            out.push_str(&row(name, &format!("{seconds:.0}")));
        }
        let all: f64 = self.taken.iter().map(|(_, seconds)| seconds).sum();
        out + &row("all", &format!("{all:.0}"))
    }
}

/// Runs all steps, whether one fails or not.
///
/// # Errors
/// The steps that failed; what failed in them is printed where it did.
pub fn run() -> Result<(), String> {
    type Own = (&'static str, fn() -> Result<(), String>);
    let own: [Own; 9] = [
        ("instruction counts", || count::run(Built::ForTests, false)),
        ("the report in a browser", browser::run),
        ("analytics SDKs post", || sdk::run(sdk::RESTARTS)),
        ("the Python package", python::run),
        ("Spark", || spark::run(spark::Wheel::Built)),
        ("SQL in databases", || sql::run(sql::SEGMENTS, None)),
        ("the lake", lake::run),
        ("generated files", || codegen::run(Mode::Check)),
        ("tidy", tidy::run),
    ];
    let mut steps = Steps::default();
    for step in STEPS {
        let done = steps.cargo(step);
        steps.noting(step.name, done);
    }
    for (name, step) in own {
        let done = steps.run(name, step);
        steps.noting(name, done);
    }
    println!("\n{}", steps.table());
    if steps.failed.is_empty() { Ok(()) } else { Err(format!("failed: {}\n", steps.failed.join(", "))) }
}

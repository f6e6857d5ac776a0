//! The Python package on Spark: one that runs here, on two cores or as a cluster of processes.

use crate::python::{dir, environment, install_wheel, python, tests, wheel, wheel_built};
use seg_tests::root;
use std::process::Command;

/// The environment with Spark, whose jars are some 400 MB.
const ENVIRONMENT: &str = "spark";
/// The variable that says what Spark runs on, for the tests.
const MASTER: &str = "SEG_SPARK_MASTER";

/// Which wheel is tested.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Wheel {
    /// The one of the sources as they are.
    New,
    /// The one that was built a step before.
    Built,
}

/// Runs the tests on a Spark in this process's machine.
///
/// # Errors
/// Commands that fail, with what they say; a machine without Java.
pub fn run(which: Wheel) -> Result<(), String> {
    let java = Command::new("java").arg("-version").output();
    if !java.is_ok_and(|said| said.status.success()) {
        return Err("Spark needs Java 17 or later, and there is no `java`\n".to_owned());
    }
    environment(ENVIRONMENT, "spark.txt")?;
    let built = wheel_built().filter(|_| which == Wheel::Built);
    install_wheel(ENVIRONMENT, &built.map_or_else(wheel, Ok)?)?;
    tests(&dir(), ENVIRONMENT, "test_spark.py")
}

/// The same on a cluster of two processes with a gigabyte each.
///
/// # Errors
/// See [`run`].
pub fn run_cluster() -> Result<(), String> {
    environment(ENVIRONMENT, "spark.txt")?;
    install_wheel(ENVIRONMENT, &wheel()?)?;
    let mut command = Command::new(python(&dir(), ENVIRONMENT));
    let tests = root().join("crates/seg-python/tests/test_spark.py");
    command.args(["-m", "pytest", "-q", "-p", "no:cacheprovider"]).arg(tests).current_dir(dir().join(ENVIRONMENT));
    command.env("SEG_ROOT", root()).env("SEG_COMMAND", root().join("target/debug/seg"));
    command.env(MASTER, "local-cluster[2,1,1024]").env("PYTHONDONTWRITEBYTECODE", "1");
    crate::outside::succeed(&mut command).map(|_| ())
}

//! Where data outgrow one machine: the manifest by which a cluster runs partitions, as the schema
//! of Kubernetes has it, and object stores.

use crate::objects;
use crate::outside::{install, succeed};
use seg_tests::root;
use std::process::Command;

/// What is installed.
const PACKAGES: &[&str] = &["requirements.txt"];
const PIP: &[&str] = &["venv/bin/pip", "install", "--quiet", "--requirement", "requirements.txt"];
/// The manifest that the book shows.
const MANIFEST: &str = "examples/kubernetes/partitions.yaml";

/// Validates the manifest, and reads and writes objects.
///
/// # Errors
/// A manifest that is not as the schema has it, what is wrong with objects, and commands that
/// fail.
pub fn run() -> Result<(), String> {
    let dir = root().join("target/lake");
    install(&dir, "lake", PACKAGES, &[&["python3", "-m", "venv", "venv"], PIP])?;
    let mut validate = Command::new(dir.join("venv/bin/kubernetes-validate"));
    print!("{}", succeed(validate.args(["--strict", MANIFEST]).current_dir(root()))?);
    objects::run(&dir)
}

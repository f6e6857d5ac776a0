//! One file a command.

pub mod check;
pub mod emit;
pub mod init;
pub mod run;

use crate::exit::Failure;
use seg::Project;
use std::path::Path;

fn load(dir: &Path) -> Result<Project, Failure> {
    Project::load(dir).map_err(Failure::new)
}

//! How the command ends. The numbers are part of its interface.

use std::fmt;
use std::process::ExitCode;

/// The exit codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// All is well.
    Success,
    /// The segments, the schema, the settings or, with `--strict`, the data
    /// have errors. Nothing was run or written.
    Errors,
    /// The arguments were not understood.
    Usage,
    /// A file could not be read or written.
    Failed,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(match exit {
            Exit::Success => 0,
            Exit::Errors => 1,
            // As clap ends for arguments it does not understand.
            Exit::Usage => 2,
            Exit::Failed => 3,
        })
    }
}

/// Why a command stopped, for one line on standard error.
#[derive(Debug)]
pub struct Failure {
    pub code: Exit,
    pub message: String,
}

impl Failure {
    pub fn new(message: impl fmt::Display) -> Failure {
        Failure { code: Exit::Failed, message: message.to_string() }
    }

    /// An argument that means nothing.
    pub fn usage(message: impl fmt::Display) -> Failure {
        Failure { code: Exit::Usage, message: message.to_string() }
    }
}

//! What may be asked of memberships that are kept.

use super::Format;
use clap::Subcommand;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Keep memberships true as records come in and as time passes.
///
/// Records are read from a file or the standard input, a JSON object a line: analytics calls,
/// or `id`, `event` and `time` with properties, or `id` with attributes; `from` and `into`
/// merge ids, and `forget` names whom to forget. Entries and exits are written as they are
/// known, an object a line. Everything is kept in a folder, so that the command goes on where
/// it ended. It ends with its input, or by Ctrl-C at any time.
#[derive(clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Live {
    #[command(subcommand)]
    pub command: Option<LiveCommand>,
    /// The project's directory.
    #[arg(default_value = ".")]
    pub dir: PathBuf,
    /// Where records come from: a file, packed as .gz or .zst or not, or `-` for the standard
    /// input.
    #[arg(long, value_name = "FILE|-", default_value = "-")]
    pub from: PathBuf,
    /// Take records by HTTP at this address, as analytics SDKs post them, until the command is
    /// told to end. Keys that may post: SEG_WRITE_KEYS, with commas between them.
    #[arg(
        long,
        value_name = "ADDRESS",
        num_args = 0..=1,
        default_missing_value = "127.0.0.1:8090",
        conflicts_with_all = ["from", "replay", "until"]
    )]
    pub listen: Option<SocketAddr>,
    /// Where operators look, with the token SEG_ADMIN_TOKEN; without it one is made and told.
    #[arg(long, value_name = "ADDRESS", requires = "listen", default_value = "127.0.0.1:8091")]
    pub admin: SocketAddr,
    /// How to tell of what happens, beside the changes.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub log: Format,
    /// Where histories and memberships are kept, rather than in `live` below the project.
    #[arg(long, value_name = "FOLDER")]
    pub data: Option<PathBuf>,
    /// Where changes are written; a file is added to.
    #[arg(long, value_name = "FILE|-", default_value = "-")]
    pub changes: PathBuf,
    /// Let each record arrive when it says that it was received (`receivedAt`), or else at its
    /// own time, rather than now.
    #[arg(long)]
    pub replay: bool,
    /// When the input has ended, let the clock go on to this instant.
    #[arg(long, value_name = "INSTANT", requires = "replay")]
    pub until: Option<String>,
}

#[derive(Subcommand)]
pub enum LiveCommand {
    /// Judge everybody again from what is kept of them, and tell of differences.
    Audit(LiveAudit),
    /// Write what is kept of everybody as files that `seg run` reads.
    Export(LiveExport),
}

#[derive(clap::Args)]
pub struct LiveAudit {
    /// The project's directory.
    #[arg(default_value = ".")]
    pub dir: PathBuf,
    /// Where histories and memberships are kept, rather than in `live` below the project.
    #[arg(long, value_name = "FOLDER")]
    pub data: Option<PathBuf>,
    /// How to show the result.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}

#[derive(clap::Args)]
pub struct LiveExport {
    /// The project's directory.
    #[arg(default_value = ".")]
    pub dir: PathBuf,
    /// A folder for the files, which is made.
    #[arg(long, value_name = "FOLDER")]
    pub to: PathBuf,
    /// Where histories and memberships are kept, rather than in `live` below the project.
    #[arg(long, value_name = "FOLDER")]
    pub data: Option<PathBuf>,
}

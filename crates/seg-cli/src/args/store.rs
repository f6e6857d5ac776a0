//! What may be asked of packing and of stores.

use super::{Format, MemoryLimit, Share, share};
use clap::Subcommand;
use std::path::PathBuf;

/// More partitions than these are less of a person each than of files.
const PARTITIONS_MAX: i64 = 4096;

/// Pack the project's data into its store, which runs open in no time.
///
/// The store is the folder that `store = "…"` below `[data]` of seg.toml names. Once it is
/// there everything reads it in the place of the files. Whatever ends a packing leaves the
/// store as it was.
#[derive(clap::Args)]
pub struct Pack {
    /// The project's directory.
    #[arg(default_value = ".")]
    pub dir: PathBuf,
    /// The folder of the store, rather than the one that seg.toml names.
    #[arg(long, value_name = "FOLDER")]
    pub store: Option<PathBuf>,
    /// Keep what the store has, and add the files that it does not have yet.
    #[arg(long)]
    pub append: bool,
    /// Pack into so many stores, each in a folder by its number, from 0: a person is in the one
    /// that the hash of their id says. Any scheduler can run them apart.
    #[arg(
        long,
        value_name = "N",
        conflicts_with = "append",
        value_parser = clap::value_parser!(u32).range(1..=PARTITIONS_MAX)
    )]
    pub partitions: Option<u32>,
    /// Write nothing when there is anything wrong with the data.
    #[arg(long)]
    pub strict: bool,
    /// Write nothing when more of the rows than this could not be read.
    #[arg(long, value_name = "PERCENT", value_parser = share, default_value = "1%")]
    pub max_bad: Share,
    #[command(flatten)]
    pub memory: MemoryLimit,
    /// How to show the result.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}

#[derive(clap::Args)]
pub struct Store {
    #[command(subcommand)]
    pub command: StoreCommand,
}

#[derive(Subcommand)]
pub enum StoreCommand {
    /// Say what the store holds: people, events of each name, files that were packed.
    Info(StoreAt),
    /// Check every byte of the store.
    Verify(StoreAt),
    /// Take people out of the store: their ids, attributes and events, and texts that nobody
    /// else has. The files that were packed stay as they are.
    Forget(StoreForget),
}

#[derive(clap::Args)]
pub struct StoreAt {
    /// The project's directory.
    #[arg(default_value = ".")]
    pub dir: PathBuf,
    /// The folder of the store, rather than the one that seg.toml names.
    #[arg(long, value_name = "FOLDER")]
    pub store: Option<PathBuf>,
    /// How to show the result.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}

#[derive(clap::Args)]
pub struct StoreForget {
    /// Any id of each person.
    #[arg(required = true)]
    pub ids: Vec<String>,
    /// The project's directory.
    #[arg(long, default_value = ".")]
    pub dir: PathBuf,
    /// The folder of the store, rather than the one that seg.toml names.
    #[arg(long, value_name = "FOLDER")]
    pub store: Option<PathBuf>,
    /// How to show the result.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}

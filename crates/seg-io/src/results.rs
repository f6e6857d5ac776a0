//! Results in files: members in several layouts and formats, who entered and who left
//! since an earlier result, and what tells that a result is the same again.
//!
//! A result is a [`Table`], whose rows come in chunks; [`write_table`] knows the formats.
//! Whatever is written stands [`Aside`] until all of a run's output is complete.

mod aside;
mod cells;
mod changes;
mod column;
mod digest;
mod folder;
mod format;
mod manifest;
mod members;
mod pairs;
mod partition;
mod previous;
mod table;

pub use aside::{Aside, sweep, try_place, write_whole};
pub use changes::{Changes, GoneSegment, SegmentChanges};
pub use column::{AttributeColumn, StayColumn, attribute_columns};
pub use digest::{FileDigest, data_digest, digest_of_ids, digest_of_text, file_digest};
pub use folder::{FolderFile, FolderIndex, INDEX_FILE, file_stem};
pub use format::MembersFormat;
pub use manifest::{Fingerprints, InputFile, OutputFile, RowCounts, RunManifest, SegmentResult};
pub use members::Members;
pub use pairs::{write_members, write_winners};
pub use partition::{
    MergedPartitions, PartitionDays, PartitionMembers, PartitionResult, PartitionRun, check_partitions,
    merge_partitions,
};
pub use previous::{KnownNames, Previous, PreviousSegment, read_previous};
pub use table::{Chunks, Table, write_table};

/// The column that names a segment, in a row a member.
pub const SEGMENT_COLUMN: &str = "segment";

/// The column that says since when a person is in a segment.
pub const ENTERED_COLUMN: &str = "entered_at";

/// The column that says when a person leaves a segment, if nothing else happens.
pub const LEAVES_COLUMN: &str = "leaves_at";

/// The column that says what changed, in a table of changes.
pub const CHANGE_COLUMN: &str = "change";

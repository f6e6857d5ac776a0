//! Changes as lines, in a file or on a stream.

use super::parcel::{Outcome, Parcel, Receiver};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// Changes that reach the disk together.
const CHANGES_MAX: usize = 1_000;

/// Where lines go.
pub(crate) enum Lines {
    File(PathBuf),
    Stream(Box<dyn Write + Send>),
}

impl Lines {
    pub fn to_file(path: PathBuf) -> Result<Lines, String> {
        added_to(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Lines::File(path))
    }

    pub fn to_stream(stream: Box<dyn Write + Send>) -> Lines {
        Lines::Stream(stream)
    }

    fn write(&mut self, lines: &[u8]) -> io::Result<()> {
        match self {
            Lines::File(path) => {
                let mut file = added_to(path)?;
                file.write_all(lines)?;
                // Pipes and devices are on no disk.
                if file.metadata()?.is_file() { file.sync_data() } else { Ok(()) }
            }
            Lines::Stream(stream) => stream.write_all(lines).and_then(|()| stream.flush()),
        }
    }
}

impl Receiver for Lines {
    fn changes_max(&self) -> usize {
        CHANGES_MAX
    }

    fn hand_over(&mut self, parcel: &Parcel) -> Outcome {
        match (self.write(&parcel.lines()), &self) {
            (Ok(()), _) => Outcome::Taken,
            (Err(error), Lines::Stream(_)) if error.kind() == io::ErrorKind::BrokenPipe => {
                Outcome::Unwanted("nobody reads the stream any more".to_owned())
            }
            (Err(error), Lines::Stream(_)) => Outcome::Failed(error.to_string(), None),
            (Err(error), Lines::File(path)) => Outcome::Failed(format!("{}: {error}", path.display()), None),
        }
    }
}

/// A file at the end of which lines are added. A last line that was cut ends first: what it said
/// is written again.
///
/// # Errors
/// A file that cannot be opened, read or written.
pub fn added_to(path: &Path) -> io::Result<File> {
    let mut file = File::options().create(true).read(true).append(true).open(path)?;
    let mut last = [b'\n'];
    // Pipes and devices have no end to look at.
    if file.metadata()?.is_file() && file.metadata()?.len() > 0 {
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
    }
    if last != [b'\n'] {
        file.write_all(b"\n")?;
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_was_cut_ends_before_it_is_written_again() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("changes.ndjson");
        std::fs::write(&path, "{\"whole\":1}\n{\"cu").expect("written");
        let mut lines = Lines::to_file(path.clone()).expect("a file");
        assert_eq!(lines.hand_over(&Parcel::Gap(1, 2)), Outcome::Taken);
        let text = std::fs::read_to_string(&path).expect("a text");
        assert_eq!(text, "{\"whole\":1}\n{\"cu\n{\"type\":\"gap\",\"from\":1,\"to\":2}\n");
        // A file that was moved away is begun anew.
        std::fs::rename(&path, dir.path().join("old")).expect("moved");
        assert_eq!(lines.hand_over(&Parcel::Gap(3, 3)), Outcome::Taken);
        assert_eq!(std::fs::read_to_string(&path).expect("a text"), "{\"type\":\"gap\",\"from\":3,\"to\":3}\n");
        assert!(Lines::to_file(dir.path().join("no/such/file")).is_err());
    }

    #[test]
    fn a_stream_that_nobody_reads_is_not_written_again() {
        struct Closed;
        impl Write for Closed {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let mut lines = Lines::to_stream(Box::new(Closed));
        assert!(matches!(lines.hand_over(&Parcel::Gap(1, 2)), Outcome::Unwanted(_)));
    }
}

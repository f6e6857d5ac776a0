//! A service that keeps segments ready: it loads a project, prepares it once,
//! evaluates batch after batch on several threads, and prepares it anew when its
//! files change. It answers each line of its input, an instant, with sizes.

use seg::{Batch, Prepared, Project, Timestamp, Wanted};
use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::{Arc, RwLock};
use std::time::SystemTime;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// The segments as the files say, and when the youngest of those was written.
struct Segments {
    prepared: Prepared,
    written: SystemTime,
}

fn load(dir: &Path) -> Result<Segments> {
    let written = written(dir)?;
    Ok(Segments { prepared: seg::compile(&Project::load(dir)?)?.prepare(), written })
}

fn written(dir: &Path) -> Result<SystemTime> {
    let of = |entry: std::io::Result<std::fs::DirEntry>| entry.and_then(|entry| entry.metadata()?.modified());
    Ok(std::fs::read_dir(dir)?.map(of).collect::<std::io::Result<Vec<_>>>()?.into_iter().max().ok_or("no files")?)
}

/// How many people of a batch are in each segment, by the newest segments.
fn sizes(dir: &Path, kept: &RwLock<Arc<Segments>>, batch: &Batch, now: Timestamp) -> Result<Vec<usize>> {
    let mut segments = kept.read().map_err(|_| "a thread failed")?.clone();
    let written = written(dir)?;
    if written > segments.written {
        segments = Arc::new(load(dir).unwrap_or_else(|problems| {
            // Whoever edits the files makes a mistake now and then.
            eprintln!("{problems}\nthe segments stay as they were");
            Segments { prepared: segments.prepared.clone(), written }
        }));
        *kept.write().map_err(|_| "a thread failed")? = Arc::clone(&segments);
    }
    Ok(segments.prepared.evaluate(batch, now)?.masks().iter().map(|mask| mask.count()).collect())
}

fn main() -> Result<()> {
    let dir = PathBuf::from(std::env::args().nth(1).ok_or("which project?")?);
    let project = Project::load(&dir)?;
    let people = project.read_data(&Wanted::everything(project.schema()), 2)?.batch;
    // Stands for batches that come from elsewhere.
    let slice =
        |first| Batch::new(Arc::clone(people.schema()), people.records().slice(first, 500.min(people.len() - first)));
    let batches: Vec<Batch> = (0..people.len()).step_by(500).map(slice).collect::<std::result::Result<_, _>>()?;
    let kept = RwLock::new(Arc::new(load(&dir)?));
    for line in std::io::stdin().lines() {
        let now = Timestamp::read(&line?, None)?;
        let all: Vec<Result<Vec<usize>>> = std::thread::scope(|scope| {
            let (dir, kept) = (&dir, &kept);
            let work = |batch| scope.spawn(move || sizes(dir, kept, batch, now));
            let threads: Vec<_> = batches.iter().map(work).collect();
            threads.into_iter().map(|thread| thread.join().unwrap_or(Err("a thread failed".into()))).collect()
        });
        let mut total: Vec<usize> = Vec::new();
        for sizes in all.into_iter().collect::<Result<Vec<_>>>()? {
            total.resize(sizes.len(), 0);
            total.iter_mut().zip(sizes).for_each(|(total, size)| *total += size);
        }
        println!("{now}: {total:?}");
    }
    Ok(())
}

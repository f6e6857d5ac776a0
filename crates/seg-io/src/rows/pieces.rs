//! Text files in pieces: cut at line ends, read on several threads, taken in order.

use memchr::{memrchr, memrchr2};
use seg_data::parallel;
use std::io::Read;
use std::num::NonZero;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};

/// The longest line, or record over several lines, that is held in memory.
pub(super) const LINE_BYTES_MAX: usize = 16 * 1024 * 1024;

/// So many pieces wait to be taken, for each thread that reads them.
const WAITING: usize = 2;

/// About how many bytes a piece has.
pub(crate) const PIECE_BYTES: NonZero<usize> = NonZero::<usize>::MIN.saturating_add(4 * 1024 * 1024 - 1);

/// How a file is read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    /// How many threads unpack it, where that can be done in parts.
    pub threads: NonZero<usize>,
    /// About how many bytes of text a part has.
    pub piece_bytes: NonZero<usize>,
}

impl Default for Pace {
    fn default() -> Pace {
        Pace { threads: NonZero::<usize>::MIN, piece_bytes: PIECE_BYTES }
    }
}

/// A stream of text that is cut into pieces.
pub(super) struct Pieces {
    stream: Box<dyn Read + Send>,
    piece_bytes: usize,
    /// The beginning of the next piece.
    rest: Vec<u8>,
    /// What holds line ends that are none, if anything does.
    quote: Option<u8>,
    is_over: bool,
}

impl Pieces {
    /// Cuts at any end of a line; where there are quotes, at those outside them.
    pub fn new(stream: Box<dyn Read + Send>, pace: Pace, quote: Option<u8>) -> Pieces {
        Pieces { stream, piece_bytes: pace.piece_bytes.get(), rest: Vec::new(), quote, is_over: false }
    }

    /// A piece of no more than so many bytes, where lines are short.
    pub fn next_of(&mut self, n_bytes: usize) -> std::io::Result<Option<Vec<u8>>> {
        let piece_bytes = self.piece_bytes;
        self.piece_bytes = piece_bytes.min(n_bytes);
        let next = self.next();
        self.piece_bytes = piece_bytes;
        next
    }

    /// The next piece, which ends with a line but for the last one and for one that has no
    /// end of a line within the longest line; none at the end.
    pub fn next(&mut self) -> std::io::Result<Option<Vec<u8>>> {
        let mut text = std::mem::take(&mut self.rest);
        text.reserve_exact(self.piece_bytes.saturating_sub(text.len()));
        let mut target = self.piece_bytes;
        loop {
            let n_wanted = target.saturating_sub(text.len()) as u64;
            if !self.is_over && n_wanted > 0 {
                let n = self.stream.by_ref().take(n_wanted).read_to_end(&mut text)?;
                self.is_over = (n as u64) < n_wanted;
            }
            if self.is_over {
                return Ok(Some(text).filter(|text| !text.is_empty()));
            }
            let is_full = text.len() >= LINE_BYTES_MAX;
            let mut cut = self.cut(&text);
            if is_full {
                // Quotes that stand alone hold nothing.
                cut = cut.or_else(|| memrchr(b'\n', &text).map(|at| at + 1));
            }
            if let Some(cut) = cut {
                self.rest.extend_from_slice(text.get(cut..).unwrap_or_default());
                text.truncate(cut);
                return Ok(Some(text));
            }
            if is_full {
                return Ok(Some(text));
            }
            target = text.len().saturating_mul(2).max(self.piece_bytes).min(LINE_BYTES_MAX);
        }
    }

    /// Where a text that begins outside quotes may be cut: behind the last line that ends
    /// outside them.
    fn cut(&self, text: &[u8]) -> Option<usize> {
        let Some(quote) = self.quote.filter(|quote| memchr::memchr(*quote, text).is_some()) else {
            // Where there may be quotes, old machines end lines otherwise.
            let returns = || self.quote.and_then(|_| cut_at_returns(text));
            return memrchr(b'\n', text).or_else(returns).map(|at| at + 1);
        };
        let mut is_quoted = memchr::memchr_iter(quote, text).count() % 2 == 1;
        let mut end = text.len();
        while let Some(at) = memrchr2(quote, b'\n', text.get(..end)?) {
            match text.get(at) {
                Some(b'\n') if !is_quoted => return Some(at + 1),
                Some(byte) if *byte == quote => is_quoted = !is_quoted,
                Some(_) | None => {}
            }
            end = at;
        }
        None
    }
}

/// The last carriage return of a text without line feeds, unless one may follow it.
fn cut_at_returns(text: &[u8]) -> Option<usize> {
    memrchr(b'\r', text.get(..text.len().checked_sub(1)?)?)
}

/// How many line feeds there are.
pub(super) fn n_lines(text: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', text).count() as u64
}

/// How many bytes of ends of lines a text begins with, and how many of them are line feeds.
pub(super) fn blank_lines(text: &[u8]) -> (usize, u64) {
    let n = text.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
    (n, text.iter().take(n).filter(|byte| **byte == b'\n').count() as u64)
}

/// Lets threads read pieces ahead, each a piece at a time, and takes what they made of
/// them in the order of the file. So many pieces are in memory as wait to be taken.
pub(super) fn in_order<P: Send, E>(
    pieces: Pieces,
    threads: NonZero<usize>,
    failed: impl Fn(&std::io::Error) -> E,
    read: impl Fn(&[u8]) -> P + Sync,
    mut take: impl FnMut(Vec<u8>, P) -> Result<(), E>,
) -> Result<(), E> {
    type Waiting<P> = std::io::Result<Receiver<(Vec<u8>, P)>>;
    let (queue, from): (SyncSender<Waiting<P>>, _) = sync_channel(WAITING * threads.get());
    // Whoever has met the end takes the queue away, so that it ends for whoever waits.
    let source = Mutex::new(Some((pieces, queue)));
    // Pieces come into the queue in their order, before they are read.
    let next = || {
        let mut source = source.lock().unwrap_or_else(PoisonError::into_inner);
        let (pieces, queue) = source.as_mut()?;
        let (to, from) = sync_channel(1);
        let found = match pieces.next() {
            Ok(Some(text)) => queue.send(Ok(from)).is_ok().then_some((text, to)),
            Ok(None) => None,
            Err(error) => {
                // Whoever no longer listens has met another.
                let _ = queue.send(Err(error));
                None
            }
        };
        if found.is_none() {
            *source = None;
        }
        found
    };
    let run = || {
        while let Some((text, to)) = next() {
            let made = read(&text);
            if to.send((text, made)).is_err() {
                return;
            }
        }
    };
    parallel::beside(threads.get(), run, move || {
        for waiting in from {
            let Ok((text, made)) = waiting.map_err(|error| failed(&error))?.recv() else { break };
            take(text, made)?;
        }
        Ok(())
    })
}

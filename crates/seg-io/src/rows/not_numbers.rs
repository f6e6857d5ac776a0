//! `NaN` and infinities in JSON, which many tools write although JSON has no word for them.
//! They are missing, as they are in every other format.

use std::io::Read;

/// What is written for what is no number.
const WORDS: [&[u8]; 3] = [b"NaN", b"Infinity", b"-Infinity"];
/// The longest of them.
const WORD_MAX: usize = 9;

/// Whether text is within a string of JSON, and behind a backslash.
#[derive(Default)]
pub(super) struct Quotes {
    is_quoted: bool,
    is_escaped: bool,
}

/// Puts an empty text, which is missing too, and blanks where no number stands, so that
/// no place moves. The last bytes, of which a word may be cut off, are left alone unless
/// the text ends with them. Says how many bytes are settled, and whether any changed.
pub(super) fn blank(text: &mut [u8], is_end: bool, quotes: &mut Quotes) -> (usize, bool) {
    let last = if is_end { text.len() } else { text.len().saturating_sub(WORD_MAX) };
    let (mut at, mut is_changed) = (0, false);
    while let Some(byte) = text.get(at).filter(|_| at < last) {
        match byte {
            _ if quotes.is_escaped => quotes.is_escaped = false,
            b'\\' if quotes.is_quoted => quotes.is_escaped = true,
            b'"' => quotes.is_quoted = !quotes.is_quoted,
            b'N' | b'I' | b'-' if !quotes.is_quoted => {
                let rest = text.get_mut(at..).unwrap_or_default();
                if let Some(word) = WORDS.iter().find(|word| rest.starts_with(word)) {
                    let blanks = b"\"\"".iter().copied().chain(std::iter::repeat(b' '));
                    rest.iter_mut().zip(blanks).take(word.len()).for_each(|(byte, blank)| *byte = blank);
                    is_changed = true;
                    at += word.len();
                    continue;
                }
            }
            _ => {}
        }
        at += 1;
    }
    (at, is_changed)
}

/// A stream of JSON without what is no number.
pub(super) struct Blanked<R> {
    inner: R,
    quotes: Quotes,
    buffer: Vec<u8>,
    /// Bytes of the buffer that are settled, and of these so many are handed on.
    settled: usize,
    used: usize,
    is_over: bool,
}

/// How much is read at once.
const CHUNK_BYTES: usize = 1 << 15;

impl<R: Read> Blanked<R> {
    pub fn new(inner: R) -> Blanked<R> {
        Blanked { inner, quotes: Quotes::default(), buffer: Vec::new(), settled: 0, used: 0, is_over: false }
    }
}

impl<R: Read> Read for Blanked<R> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        while self.used == self.settled && !self.is_over {
            self.buffer.drain(..self.used);
            let n = self.inner.by_ref().take(CHUNK_BYTES as u64).read_to_end(&mut self.buffer)?;
            self.is_over = n == 0;
            (self.settled, _) = blank(&mut self.buffer, self.is_over, &mut self.quotes);
            self.used = 0;
        }
        let rest = self.buffer.get(self.used..self.settled).unwrap_or_default();
        let n = rest.len().min(out.len());
        out.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
        self.used += n;
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blanked(text: &str) -> String {
        let mut text = text.as_bytes().to_vec();
        blank(&mut text, true, &mut Quotes::default());
        String::from_utf8(text).expect("UTF-8")
    }

    #[test]
    fn only_words_outside_texts_are_blanked() {
        assert_eq!(blanked(r#"{"a":NaN,"b":-Infinity}"#), r#"{"a":"" ,"b":""       }"#);
        assert_eq!(blanked("[NaN, Infinity]"), "[\"\" , \"\"      ]");
        for text in [r#"{"a":"NaN","NaN":"\"Infinity"}"#, "[-1]", "[Nan]", "N", "-", ""] {
            assert_eq!(blanked(text), text);
        }
    }

    /// Wherever a stream is cut, it comes out as a whole would.
    #[test]
    fn words_are_found_across_cuts() {
        struct Cut(Vec<u8>, usize);
        impl Read for Cut {
            fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
                let n = self.1.min(self.0.len()).min(out.len());
                out.get_mut(..n).expect("so many").copy_from_slice(&self.0[..n]);
                self.0.drain(..n);
                Ok(n)
            }
        }
        let text = r#"[{"a":NaN,"b":"\\"},{"c":"x\"NaN","d":Infinity}]"#.repeat(2_000);
        for step in [1, 3, 7, CHUNK_BYTES - 1, CHUNK_BYTES] {
            let mut out = String::new();
            Blanked::new(Cut(text.as_bytes().to_vec(), step)).read_to_string(&mut out).expect("read");
            assert!(out == blanked(&text), "{step}");
        }
    }
}

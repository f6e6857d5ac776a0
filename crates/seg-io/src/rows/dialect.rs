//! How a CSV file is written: its encoding and what separates its fields, from its first
//! bytes.

use crate::manifest::CsvRead;
use crate::open::Format;
use encoding_rs::{Decoder, Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};
use std::io::{Cursor, Read};

/// How many bytes are looked at.
const HEAD_BYTES: usize = 64 * 1024;

/// What a CSV file is, and its text.
pub(super) struct Dialect {
    pub delimiter: u8,
    /// What stands before a quote within quotes, where that is not another quote.
    pub escape: Option<u8>,
    /// The encoding that was found, where it is not UTF-8 and nobody said it.
    pub guessed: Option<&'static str>,
    /// The text in UTF-8; bytes that are none stay what they are where the file is in UTF-8.
    pub text: Box<dyn Read + Send>,
}

impl Dialect {
    /// Looks at the first bytes of a stream, of which none is lost.
    pub fn of(mut stream: Box<dyn Read + Send>, said: &CsvRead, format: Format) -> std::io::Result<Dialect> {
        let mut head = Vec::new();
        stream.by_ref().take(HEAD_BYTES as u64).read_to_end(&mut head)?;
        let told = said.encoding.as_ref().and_then(|label| Encoding::for_label(label.as_bytes()));
        let encoding = told.unwrap_or_else(|| encoding_of(&head));
        let (first, _, _) = encoding.decode(&head);
        let delimiter = match (said.delimiter, format) {
            (Some(told), _) => told as u8,
            (None, Format::Tsv) => b'\t',
            (None, Format::Csv | Format::Json | Format::Arrow | Format::Parquet) => delimiter_of(&first),
        };
        let escape = said.escape.map(|c| c as u8).or_else(|| escape_of(first.as_bytes(), delimiter));
        let escape = escape.filter(|escape| *escape != b'"');
        let guessed = (told.is_none() && encoding != UTF_8).then(|| encoding.name());
        drop(first);
        let whole = Cursor::new(head).chain(stream);
        let text: Box<dyn Read + Send> = match encoding == UTF_8 {
            true => Box::new(whole),
            false => Box::new(Decoded::new(whole, encoding)),
        };
        Ok(Dialect { delimiter, escape, guessed, text })
    }
}

/// The encoding that the first bytes of a file are in.
fn encoding_of(head: &[u8]) -> &'static Encoding {
    if let Some((encoding, _)) = Encoding::for_bom(head) {
        return encoding;
    }
    // In UTF-16 every other byte of Latin letters is zero.
    let zeros = |from: usize| head.iter().skip(from).step_by(2).filter(|byte| **byte == 0).count();
    let (even, odd) = (zeros(0), zeros(1));
    if even.max(odd) * 4 > head.len() {
        return if odd > even { UTF_16LE } else { UTF_16BE };
    }
    match std::str::from_utf8(head) {
        Ok(_) => UTF_8,
        // The head may end within a character.
        Err(error) if error.error_len().is_none() => UTF_8,
        // What is a character of UTF-8 is hardly anything else by chance: then single bytes
        // are wrong, which is told of each.
        Err(_) if head.utf8_chunks().any(|chunk| !chunk.valid().is_ascii()) => UTF_8,
        Err(_) => WINDOWS_1252,
    }
}

/// What separates the names of the header line: what stands there most often outside quotes.
pub(crate) fn delimiter_of(text: &str) -> u8 {
    let (mut counts, mut is_quoted) = ([(b',', 0), (b';', 0), (b'\t', 0), (b'|', 0)], false);
    for byte in text.bytes() {
        match byte {
            b'"' => is_quoted = !is_quoted,
            b'\n' | b'\r' if !is_quoted => break,
            _ if is_quoted => {}
            _ => counts.iter_mut().filter(|(delimiter, _)| *delimiter == byte).for_each(|(_, n)| *n += 1),
        }
    }
    // Of those as many the first.
    let most = counts.iter().map(|(_, n)| *n).max().unwrap_or(0);
    counts.iter().find(|(_, n)| *n == most).map_or(b',', |(delimiter, _)| *delimiter)
}

/// A backslash, where quotes within quotes have one before them: where they are doubled, a
/// quote that stands alone ends a field, and nothing else but the end may follow.
fn escape_of(text: &[u8], delimiter: u8) -> Option<u8> {
    let (mut is_quoted, mut at) = (false, 0);
    while let Some(byte) = text.get(at) {
        let before = at.checked_sub(1).and_then(|before| text.get(before));
        let after = text.get(at + 1);
        at += 1;
        if *byte != b'"' {
            continue;
        }
        let ends = |byte: Option<&u8>| byte.is_none_or(|byte| *byte == delimiter || matches!(byte, b'\r' | b'\n'));
        match (is_quoted, after) {
            (false, _) => is_quoted = before.is_none() || ends(before),
            (true, Some(b'"')) => at += 1,
            (true, after) if ends(after) => is_quoted = false,
            (true, _) => return (before == Some(&b'\\')).then_some(b'\\'),
        }
    }
    None
}

/// A stream in UTF-8 of one in another encoding; what is no character of it becomes U+FFFD.
struct Decoded<R> {
    inner: R,
    decoder: Decoder,
    raw: Vec<u8>,
    /// What was decoded, of which so much was handed on.
    text: Vec<u8>,
    used: usize,
    is_over: bool,
}

impl<R: Read> Decoded<R> {
    fn new(inner: R, encoding: &'static Encoding) -> Decoded<R> {
        let decoder = encoding.new_decoder_with_bom_removal();
        Decoded { inner, decoder, raw: vec![0; 1 << 15], text: Vec::new(), used: 0, is_over: false }
    }

    /// Decodes what comes next; the end as well, which may complete a character.
    fn fill(&mut self) -> std::io::Result<()> {
        let n = self.inner.read(&mut self.raw)?;
        self.is_over = n == 0;
        let raw = self.raw.get(..n).unwrap_or_default();
        // As much as there can be, so that all of it is decoded at once.
        let most = self.decoder.max_utf8_buffer_length(n).unwrap_or(n.saturating_mul(4));
        self.text.resize(most, 0);
        let (_, _, written, _) = self.decoder.decode_to_utf8(raw, &mut self.text, self.is_over);
        self.text.truncate(written);
        self.used = 0;
        Ok(())
    }
}

impl<R: Read> Read for Decoded<R> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        while self.used == self.text.len() && !self.is_over {
            self.fill()?;
        }
        let rest = self.text.get(self.used..).unwrap_or_default();
        let n = rest.len().min(out.len());
        out.get_mut(..n).unwrap_or_default().copy_from_slice(rest.get(..n).unwrap_or_default());
        self.used += n;
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8], said: &CsvRead) -> (char, Option<&'static str>, String) {
        let stream: Box<dyn Read + Send> = Box::new(Cursor::new(bytes.to_vec()));
        let mut dialect = Dialect::of(stream, said, Format::Csv).expect("it is read");
        let mut text = String::new();
        dialect.text.read_to_string(&mut text).expect("UTF-8");
        (dialect.delimiter as char, dialect.guessed, text)
    }

    #[test]
    fn the_first_bytes_tell_the_encoding() {
        let text = "id;stadt\n1;Köln\n".repeat(5_000);
        let said = CsvRead::default();
        assert_eq!(read(text.as_bytes(), &said), (';', None, text.clone()));
        let wide = |order: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(order).collect::<Vec<u8>>();
        assert_eq!(read(&wide(u16::to_le_bytes), &said), (';', Some("UTF-16LE"), text.clone()));
        assert_eq!(read(&wide(u16::to_be_bytes), &said), (';', Some("UTF-16BE"), text.clone()));
        let marked = [b"\xff\xfe".to_vec(), wide(u16::to_le_bytes)].concat();
        assert_eq!(read(&marked, &said), (';', Some("UTF-16LE"), text.clone()));
        let (narrow, _, _) = WINDOWS_1252.encode(&text);
        assert_eq!(read(&narrow, &said), (';', Some("windows-1252"), text.clone()));
        let told = CsvRead { encoding: Some("latin1".to_owned()), ..CsvRead::default() };
        assert_eq!(read(&narrow, &told), (';', None, text));
    }

    #[test]
    fn the_first_rows_tell_what_stands_before_quotes() {
        let escape = |text: &str| escape_of(text.as_bytes(), b',');
        for text in
            ["a,b\n\"say \\\"hi\\\", she\",1\n", "a\n\"[\\\"x\\\",\\\"y\\\"]\"\n", "a,b\r\n1,\"\"\r\n2,\"x\\\"y\"\r\n"]
        {
            assert_eq!(escape(text), Some(b'\\'), "{text}");
        }
        for text in [
            "a,b\n\"say \"\"hi\"\"\",1\n",
            // JSON within quotes, and a path that ends in a backslash.
            "a\n\"[\"\"with \\\"\"quote\\\"\"\"\"]\"\n",
            "a,b\n\"C:\\dir\\\",1\n",
            "a,b\n5\\\" wide,6\" high\n",
            "",
            "\"",
        ] {
            assert_eq!(escape(text), None, "{text}");
        }
    }

    #[test]
    fn the_header_tells_what_separates() {
        for (header, delimiter) in
            [("a,b;c,d", ','), ("a;b;c", ';'), ("a\tb", '\t'), ("a|b|c", '|'), ("a", ','), ("\"a;b;c\",d", ',')]
        {
            assert_eq!(read(header.as_bytes(), &CsvRead::default()).0, delimiter, "{header}");
        }
    }
}

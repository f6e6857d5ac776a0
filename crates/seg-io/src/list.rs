//! Lists of texts from files.

use crate::rows::delimiter_of;
use std::path::Path;

/// The values of a list: the first column of a `.csv` file, whose first line names its
/// columns unless it is plainly a value, or the lines of any other file. Spaces around a
/// value and empty values do not count.
///
/// # Errors
/// Why the file cannot be read, in words.
pub fn read_list(path: &Path) -> Result<Vec<String>, String> {
    read(path).map(|list| list.values)
}

/// What stands in the first line of a `.csv` file for the name of its first column; none where
/// there is no such line, and where the file cannot be read.
pub fn list_header(path: &Path) -> Option<String> {
    read(path).ok()?.header
}

struct List {
    header: Option<String>,
    values: Vec<String>,
}

fn read(path: &Path) -> Result<List, String> {
    let text = std::fs::read(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
        std::io::ErrorKind::PermissionDenied => "this file may not be read".to_owned(),
        _ => error.to_string(),
    })?;
    let text = String::from_utf8(text).map_err(|_| "this file is not UTF-8 text".to_owned())?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let kept = |value: &str| Some(value.trim().to_owned()).filter(|v| !v.is_empty());
    if path.extension().is_none_or(|e| !e.eq_ignore_ascii_case("csv")) {
        return Ok(List { header: None, values: text.lines().filter_map(kept).collect() });
    }
    let mut values = Vec::new();
    let mut header = None;
    let mut reader = csv::ReaderBuilder::new();
    let mut reader =
        reader.flexible(true).has_headers(false).delimiter(delimiter_of(text)).from_reader(text.as_bytes());
    for (line, row) in reader.records().enumerate() {
        let row = row.map_err(|error| error.to_string())?;
        let value = row.get(0).and_then(kept);
        if line == 0 { header = value } else { values.extend(value) }
    }
    if let Some(first) = header.take_if(|first| is_value(first, &values)) {
        values.insert(0, first);
    }
    Ok(List { header, values })
}

/// So many values are looked at to tell what they look like.
const COMPARED_MAX: usize = 1_000;

/// Whether the first line is a value like those below it rather than the name of their
/// column: an address among addresses, a number among numbers, a code among codes. Of words
/// nobody can tell.
fn is_value(first: &str, others: &[String]) -> bool {
    let is_address = |text: &str| text.contains('@');
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let is_code = |text: &str| text.bytes().any(|byte| byte.is_ascii_digit()) && !text.contains(char::is_whitespace);
    let others = || others.iter().take(COMPARED_MAX);
    // Codes are about as long as each other; `sha256` is the name of longer ones.
    let is_as_long = |text: &String| text.len() <= 2 * first.len() && first.len() <= 2 * text.len();
    is_address(first)
        || is_number(first)
        || is_code(first) && others().next().is_some() && others().all(|text| is_code(text) && is_as_long(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(name: &str, text: &str) -> (Option<String>, Vec<String>) {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join(name);
        std::fs::write(&path, text).expect("written");
        (list_header(&path), read_list(&path).expect("read"))
    }

    fn values(name: &str, text: &str) -> Vec<String> {
        list(name, text).1
    }

    #[test]
    fn the_first_column_or_the_lines() {
        assert_eq!(values("a.csv", "email,since\nann@x.org,2020\n\"ben, x\",2021\n"), ["ann@x.org", "ben, x"]);
        assert_eq!(values("a.csv", "email;name\r\nann@x.org;Ann\r\n"), ["ann@x.org"]);
        assert_eq!(values("a.txt", "\u{feff}ann\r\n\n ben \n"), ["ann", "ben"]);
        assert_eq!(values("a.csv", ""), [""; 0]);
        let dir = tempfile::tempdir().expect("a directory");
        assert_eq!(read_list(&dir.path().join("none.csv")), Err("there is no such file".to_owned()));
    }

    #[test]
    fn a_first_line_that_is_plainly_a_value_is_one() {
        for text in [
            "a@x.org\nb@x.org\n",
            "a@x.org\n",
            "1001\n1002\n",
            "u1\nu22\n",
            "3f2a-1\n9b77-2\n",
            "a@x.org,Ann\nb@x.org,Ben\n",
        ] {
            let (header, values) = list("a.csv", text);
            let first: String = text.chars().take_while(|c| !matches!(c, ',' | '\n')).collect();
            assert_eq!((header, values.first()), (None, Some(&first)), "{text}");
        }
        let hash = "f".repeat(63) + "0";
        for text in ["email\na@x.org\n", "id\n7\n", "sha256\n", &format!("sha256\n{hash}\n"), "land\nDE\n", "DE\nAT\n"]
        {
            let (header, values) = list("a.csv", text);
            let mut lines = text.lines().map(str::to_owned);
            assert_eq!(header, lines.next(), "{text}");
            assert_eq!(values, lines.collect::<Vec<_>>(), "{text}");
        }
    }
}

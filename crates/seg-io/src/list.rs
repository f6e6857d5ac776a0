//! Lists of texts from files.

use std::path::Path;

/// The values of a list: the first column of a `.csv` file, whose first line
/// names its columns, or the lines of any other file. Spaces around a value and
/// empty values do not count.
///
/// # Errors
/// Why the file cannot be read, in words.
pub fn read_list(path: &Path) -> Result<Vec<String>, String> {
    let text = std::fs::read(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
        std::io::ErrorKind::PermissionDenied => "this file may not be read".to_owned(),
        _ => error.to_string(),
    })?;
    let text = String::from_utf8(text).map_err(|_| "this file is not UTF-8 text".to_owned())?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let kept = |value: &str| Some(value.trim().to_owned()).filter(|v| !v.is_empty());
    if path.extension().is_none_or(|e| !e.eq_ignore_ascii_case("csv")) {
        return Ok(text.lines().filter_map(kept).collect());
    }
    let mut values = Vec::new();
    for row in csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes()).records() {
        let row = row.map_err(|error| error.to_string())?;
        values.extend(row.get(0).and_then(kept));
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_column_or_the_lines() {
        let dir = tempfile::tempdir().expect("a directory");
        let list = |name: &str, text: &str| {
            let path = dir.path().join(name);
            std::fs::write(&path, text).expect("written");
            read_list(&path)
        };
        assert_eq!(
            list("a.csv", "email,since\nann@x.org,2020\n\"ben, x\",2021\n").expect("read"),
            ["ann@x.org", "ben, x"]
        );
        assert_eq!(list("a.txt", "\u{feff}ann\r\n\n ben \n").expect("read"), ["ann", "ben"]);
        assert_eq!(read_list(&dir.path().join("none.csv")), Err("there is no such file".to_owned()));
    }
}

//! Likely meanings of names that are not known.

/// The longest name for which slips are looked for, in bytes.
const LENGTH_MAX: usize = 120;

/// A name as messages repeat it.
pub(crate) fn shortened(name: &str) -> String {
    match name.char_indices().nth(LENGTH_MAX) {
        Some((at, _)) => format!("{}…", name.get(..at).unwrap_or("")),
        None => name.to_owned(),
    }
}

/// The known name that is closest to what was written, when it is close
/// enough to be a slip.
pub(crate) fn suggestion<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Nobody misspells a name of that length, and measuring it would take long.
    if written.len() > LENGTH_MAX {
        return None;
    }
    let written = written.to_lowercase();
    known
        .into_iter()
        .map(|name| (strsim::normalized_damerau_levenshtein(&written, &name.to_lowercase()), name))
        .filter(|(score, _)| *score >= 0.65)
        .max_by(|a, b| a.0.total_cmp(&b.0).then_with(|| b.1.cmp(a.1)))
        .map(|(_, name)| name)
}

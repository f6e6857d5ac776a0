//! What is wrong with a file of settings, in words for whoever wrote it.

/// The longest name for which slips are looked for, in bytes.
const LENGTH_MAX: usize = 60;

/// The words of a TOML reader, such as ``unknown field `typ`, expected one of `type`, `also` ``,
/// as a message that names what was written, and what would be right.
pub fn told(words: &str) -> (String, Option<String>) {
    let words = words.trim().lines().collect::<Vec<_>>().join(", ");
    let quoted = |text: &str| text.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<String>>();
    if let Some(rest) = words.strip_prefix("missing field ") {
        let name = quoted(rest).into_iter().next().unwrap_or_default();
        let help =
            (name == "name").then(|| "begin the file with `name = \"shop\"`, the name of the project".to_owned());
        return (format!("`{name}` is missing"), help);
    }
    if let Some((name, known)) = words.strip_prefix("unknown field ").and_then(|rest| rest.split_once(", expected ")) {
        let (name, known) = (quoted(name).into_iter().next().unwrap_or_default(), quoted(known));
        let message = format!("there is no setting `{name}` here");
        return (message, Some(help(&name, &known)));
    }
    if let Some((name, known)) = words.strip_prefix("unknown variant ").and_then(|rest| rest.split_once(", expected "))
    {
        let name = quoted(name).into_iter().next().unwrap_or_default();
        return (format!("`{name}` is none of {}", listed(&quoted(known))), None);
    }
    if let Some((found, wanted)) = words.strip_prefix("invalid type: ").and_then(|rest| rest.split_once(", expected "))
    {
        return (format!("{} stands where {} is wanted", in_words(found), in_words(wanted)), None);
    }
    (words, None)
}

fn help(name: &str, known: &[String]) -> String {
    // Whoever writes a file's name at the top means data, of which more has to be said.
    let (id, more) = match name {
        "profiles" | "people" => ("profiles", ""),
        "events" => ("events", ", `event` and `time`"),
        _ => ("", ""),
    };
    if !id.is_empty() && known.iter().any(|known| known == "data") {
        return format!("say which files under `[data.{id}]`, with `files = [\"{id}.csv\"]`, `id = \"id\"`{more}");
    }
    let score = |known: &str| match name.len() <= LENGTH_MAX {
        true => strsim::normalized_damerau_levenshtein(&name.to_lowercase(), known),
        false => 0.0,
    };
    let close = known.iter().map(|known| (score(known), known)).filter(|(score, _)| *score >= 0.65);
    match close.max_by(|a, b| a.0.total_cmp(&b.0)) {
        Some((_, close)) => format!("did you mean `{close}`?"),
        None => format!("the settings here are {}", listed(known)),
    }
}

fn listed(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// A value of TOML as its reader names it, in words.
fn in_words(value: &str) -> String {
    let value = value.trim();
    let kind = |prefix: &str| value.strip_prefix(prefix).map(str::trim);
    if let Some(text) = kind("string ") {
        return format!("the text {text}");
    }
    if let Some(number) = kind("integer ").or_else(|| kind("floating point ")) {
        return format!("the number {}", number.trim_matches('`'));
    }
    if let Some(boolean) = kind("boolean ") {
        return boolean.to_owned();
    }
    match value {
        "sequence" | "a sequence" => "a list in square brackets".to_owned(),
        "map" | "a map" => "a table".to_owned(),
        "a string" => "a text in quotes".to_owned(),
        "a boolean" => "`true` or `false`".to_owned(),
        "f64" | "i64" | "u64" | "u32" | "u16" | "u8" | "usize" => "a number".to_owned(),
        other if other.starts_with("struct ") => "a table".to_owned(),
        other => other.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::told;

    #[test]
    fn a_reader_s_words_become_a_person_s() {
        let known = "`type`, `required`, `also`";
        let cases = [
            (
                "missing field `name`",
                "`name` is missing",
                Some("begin the file with `name = \"shop\"`, the name of the project"),
            ),
            ("missing field `time`\n", "`time` is missing", None),
            (
                &format!("unknown field `typ`, expected one of {known}"),
                "there is no setting `typ` here",
                Some("did you mean `type`?"),
            ),
            (
                &format!("unknown field `kind`, expected one of {known}"),
                "there is no setting `kind` here",
                Some("the settings here are `type`, `required`, `also`"),
            ),
            (
                "unknown field `profiles`, expected one of `name`, `data`",
                "there is no setting `profiles` here",
                Some("say which files under `[data.profiles]`, with `files = [\"profiles.csv\"]`, `id = \"id\"`"),
            ),
            (
                "invalid type: string \"p.csv\", expected a sequence",
                "the text \"p.csv\" stands where a list in square brackets is wanted",
                None,
            ),
            (
                "invalid type: integer `3`, expected a string",
                "the number 3 stands where a text in quotes is wanted",
                None,
            ),
            ("unknown variant `x`, expected `a` or `b`", "`x` is none of `a`, `b`", None),
            ("invalid basic string", "invalid basic string", None),
        ];
        for (words, message, help) in cases {
            assert_eq!(told(words), (message.to_owned(), help.map(str::to_owned)), "{words}");
        }
    }
}

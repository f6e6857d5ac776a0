//! JSON as a tree in which everything has its place in the text.
//!
//! `serde_json` says whether a text is JSON, and reads its texts; only where things stand
//! is found here.

use super::{MAX_DEPTH, PlanProblem};
use serde::de::IgnoredAny;
use std::collections::HashSet;

/// A file with what stands in it.
pub(super) struct Document {
    /// The file, as people call it.
    pub name: String,
    pub root: Node,
    /// Where each line begins, in bytes.
    lines: Vec<usize>,
}

/// A value, and the byte at which it begins.
pub(super) struct Node {
    pub at: usize,
    pub json: Json,
}

/// What a value is.
pub(super) enum Json {
    Null,
    Boolean(bool),
    /// The digits that a number is written with.
    Number(String),
    Text(String),
    List(Vec<Node>),
    /// The members of an object, in their order.
    Object(Vec<(String, Node)>),
}

impl Node {
    /// What it is, in words.
    pub fn word(&self) -> &'static str {
        match self.json {
            Json::Null => "null",
            Json::Boolean(_) => "true or false",
            Json::Number(_) => "a number",
            Json::Text(_) => "a text",
            Json::List(_) => "a list",
            Json::Object(_) => "an object",
        }
    }

    /// The member of an object.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.members().iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// The members of an object; none of anything else.
    pub fn members(&self) -> &[(String, Node)] {
        match &self.json {
            Json::Object(members) => members,
            Json::Null | Json::Boolean(_) | Json::Number(_) | Json::Text(_) | Json::List(_) => &[],
        }
    }

    /// Its text, if it is one.
    pub fn text(&self) -> Option<&str> {
        match &self.json {
            Json::Text(text) => Some(text),
            Json::Null | Json::Boolean(_) | Json::Number(_) | Json::List(_) | Json::Object(_) => None,
        }
    }

    /// Its items, if it is a list.
    pub fn items(&self) -> Option<&[Node]> {
        match &self.json {
            Json::List(items) => Some(items),
            Json::Null | Json::Boolean(_) | Json::Number(_) | Json::Text(_) | Json::Object(_) => None,
        }
    }
}

impl Document {
    /// The tree of a text.
    ///
    /// # Errors
    /// A text that is no JSON, is nested too deeply, or says one name of an object twice.
    pub fn parse(name: &str, text: &str) -> Result<Document, Vec<PlanProblem>> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let lines = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        if let Err(error) = serde_json::from_str::<IgnoredAny>(text) {
            let message = format!("this is not JSON: {}", without_place(&error));
            return Err(vec![PlanProblem::new(name, error.line() as u64, String::new(), message)]);
        }
        let mut walker = Walker { text, at: 0, path: Vec::new(), found: Vec::new() };
        let root = walker.value();
        let document = Document { name: name.to_owned(), root, lines };
        if walker.found.is_empty() {
            return Ok(document);
        }
        let found = walker.found.into_iter().take(super::PROBLEMS_MAX);
        let problem = |(at, path, message)| PlanProblem::new(name, document.line(at), path, message);
        Err(found.map(problem).collect())
    }

    /// The line of a place, from 1.
    pub fn line(&self, at: usize) -> u64 {
        self.lines.partition_point(|start| *start <= at) as u64
    }
}

/// What is wrong with JSON, without where, which is told otherwise.
fn without_place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split_once(" at line ").map_or(text.clone(), |(what, _)| what.to_owned())
}

/// A step of a JSON pointer.
pub(super) fn step(name: &str) -> String {
    format!("/{}", name.replace('~', "~0").replace('/', "~1"))
}

/// Walks over a text that is known to be JSON.
struct Walker<'t> {
    text: &'t str,
    at: usize,
    path: Vec<String>,
    /// What is wrong all the same: where, by place and by pointer.
    found: Vec<(usize, String, String)>,
}

impl Walker<'_> {
    fn byte(&self) -> u8 {
        self.text.as_bytes().get(self.at).copied().unwrap_or(0)
    }

    fn blanks(&mut self) {
        while matches!(self.byte(), b' ' | b'\t' | b'\n' | b'\r') {
            self.at += 1;
        }
    }

    fn problem(&mut self, at: usize, message: String) {
        let path = self.path.iter().map(|name| step(name)).collect();
        self.found.push((at, path, message));
    }

    fn value(&mut self) -> Node {
        self.blanks();
        let at = self.at;
        let is_too_deep = self.path.len() >= MAX_DEPTH && matches!(self.byte(), b'{' | b'[');
        if is_too_deep {
            self.problem(at, format!("values stand in one another more than {MAX_DEPTH} deep"));
            // What follows is of no use to anybody.
            self.at = self.text.len();
        }
        let json = match self.byte() {
            b'{' => self.object(),
            b'[' => self.list(),
            b'"' => Json::Text(self.string()),
            _ => self.scalar(),
        };
        Node { at, json }
    }

    fn object(&mut self) -> Json {
        let mut members: Vec<(String, Node)> = Vec::new();
        let mut names: HashSet<String> = HashSet::new();
        self.at += 1;
        loop {
            self.blanks();
            match self.byte() {
                b'"' => {}
                b',' => {
                    self.at += 1;
                    continue;
                }
                // Its end, or that of the text.
                _ => break,
            }
            let at = self.at;
            let name = self.string();
            self.blanks();
            self.at += 1;
            self.path.push(name.clone());
            if !names.insert(name.clone()) {
                self.problem(at, format!("`{}` stands here for the second time in one object", name.escape_debug()));
            }
            let value = self.value();
            self.path.pop();
            members.push((name, value));
        }
        self.at += 1;
        Json::Object(members)
    }

    fn list(&mut self) -> Json {
        let mut items = Vec::new();
        self.at += 1;
        loop {
            self.blanks();
            match self.byte() {
                b']' | 0 => break,
                b',' => {
                    self.at += 1;
                    continue;
                }
                _ => {}
            }
            self.path.push(items.len().to_string());
            items.push(self.value());
            self.path.pop();
        }
        self.at += 1;
        Json::List(items)
    }

    fn string(&mut self) -> String {
        let start = self.at;
        self.at += 1;
        while !matches!(self.byte(), b'"' | 0) {
            self.at += if self.byte() == b'\\' { 2 } else { 1 };
        }
        self.at += 1;
        let literal = self.text.get(start..self.at).unwrap_or("\"\"");
        serde_json::from_str(literal).unwrap_or_else(|error| {
            self.problem(start, format!("this text cannot be read: {}", without_place(&error)));
            String::new()
        })
    }

    fn scalar(&mut self) -> Json {
        let start = self.at;
        while !matches!(self.byte(), b',' | b']' | b'}' | b' ' | b'\t' | b'\n' | b'\r' | 0) {
            self.at += 1;
        }
        match self.text.get(start..self.at).unwrap_or("") {
            "true" => Json::Boolean(true),
            "false" => Json::Boolean(false),
            "null" | "" => Json::Null,
            digits => Json::Number(digits.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(text: &str) -> Vec<String> {
        let found = Document::parse("p.json", text).err().unwrap_or_default();
        found.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn everything_has_its_place() {
        let text = "\u{feff}{\n  \"a\": [1, -2.5e3, \"x\\\"\\u00e9\"],\n  \"b\": {\"c\": true, \"d\": null}\n}";
        let document = Document::parse("p.json", text).expect("JSON");
        let items = document.root.get("a").and_then(Node::items).expect("a list");
        assert!(matches!(&items[1].json, Json::Number(digits) if digits == "-2.5e3"));
        assert_eq!(items[2].text(), Some("x\"é"));
        let inner = document.root.get("b").expect("an object");
        assert_eq!((document.line(items[0].at), document.line(inner.at)), (2, 3));
        assert!(matches!(inner.get("c").map(|c| &c.json), Some(Json::Boolean(true))));
        assert!(matches!(inner.get("d").map(|d| &d.json), Some(Json::Null)));
    }

    #[test]
    fn what_is_no_json_says_where() {
        assert_eq!(problems("{\n \"a\": }"), ["p.json:2: this is not JSON: expected value"]);
        assert_eq!(problems(""), ["p.json:1: this is not JSON: EOF while parsing a value"]);
        assert_eq!(
            problems("{\"a\": {\"x\": 1,\n\"x\": 2}, \"a\": 3}"),
            [
                "p.json:2 at /a/x: `x` stands here for the second time in one object",
                "p.json:2 at /a: `a` stands here for the second time in one object"
            ]
        );
        assert_eq!(problems("[\"\\ud800\"]").len(), 1);
        let deep = format!("{}1{}", "[".repeat(200_000), "]".repeat(200_000));
        let found = problems(&deep);
        assert_eq!(found.len(), 1);
        assert!(found[0].ends_with("values stand in one another more than 100 deep"), "{}", found[0].len());
    }
}

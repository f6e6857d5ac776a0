//! Texts that people may write, made from productions of their own.
//!
//! The generators of the differential test make sentences that are accepted, of the
//! spellings that their meaning needs. This one knows the spellings, and shares
//! nothing with grammar, builder and lowering, so that it tests all three: what it
//! makes may be refused, and what is accepted is looked at.

use std::collections::BTreeMap;

const PRODUCTIONS: &str = include_str!("productions.txt");

/// A part of an alternative.
#[derive(Debug)]
enum Part {
    Text(String),
    /// Another production.
    Of(String),
    Maybe(Vec<Part>),
    Choice(Vec<Vec<Part>>),
}

/// What a production may be.
#[derive(Debug, Default)]
struct Production {
    alternatives: Vec<Vec<Part>>,
    /// The numbers of the alternatives, of each as often as it is taken.
    weights: Vec<usize>,
}

/// The productions, by name.
pub struct Productions(BTreeMap<String, Production>);

/// A text, with the alternatives that it was made of.
#[derive(Debug, Default)]
pub struct Made {
    pub text: String,
    /// The production and the number of each alternative.
    pub of: Vec<(String, usize)>,
}

/// Numbers that look random: splitmix64 (Steele, Lea and Flood, "Fast splittable
/// pseudorandom number generators", 2014).
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        Random(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    /// A number below a bound.
    pub fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }
}

impl Productions {
    pub fn read() -> Productions {
        let mut all: BTreeMap<String, Production> = BTreeMap::new();
        let mut name = String::new();
        let lines = PRODUCTIONS.lines().filter(|l| !l.trim().is_empty() && !l.starts_with('#'));
        for line in lines {
            match line.strip_suffix(" =").filter(|_| !line.starts_with(' ')) {
                Some(new) => {
                    name = new.to_owned();
                    let before = all.insert(name.clone(), Production::default());
                    assert!(before.is_none(), "`{name}` is there twice");
                }
                None => {
                    let (line, weight) = match line.trim().strip_prefix("~ ") {
                        Some(rare) => (rare, 1),
                        None => (line.trim(), 4),
                    };
                    let (parts, rest) = parts(line);
                    assert!(rest.is_empty(), "`{rest}` is left over of `{line}`");
                    let production = all.get_mut(&name).expect("a production before its alternatives");
                    production.weights.extend(vec![production.alternatives.len(); weight]);
                    production.alternatives.push(parts);
                }
            }
        }
        Productions(all)
    }

    /// Every alternative: the production, its number, and what it says.
    pub fn alternatives(&self) -> impl Iterator<Item = (String, usize)> {
        self.0.iter().flat_map(|(name, p)| (0..p.alternatives.len()).map(move |n| (name.clone(), n)))
    }

    /// A text of a production.
    pub fn make(&self, name: &str, random: &mut Random) -> Made {
        let mut made = Made::default();
        self.add(name, random, &mut made);
        let words = made.text.split_whitespace().collect::<Vec<_>>().join(" ");
        made.text = words.replace(" NEWLINE ", "\n");
        made
    }

    fn add(&self, name: &str, random: &mut Random, made: &mut Made) {
        let production = self.0.get(name).unwrap_or_else(|| panic!("there is no `{name}`"));
        let number = production.weights[random.below(production.weights.len())];
        made.of.push((name.to_owned(), number));
        self.add_parts(&production.alternatives[number], random, made);
    }

    fn add_parts(&self, parts: &[Part], random: &mut Random, made: &mut Made) {
        for part in parts {
            match part {
                Part::Text(text) => made.text.push_str(text),
                Part::Of(name) => self.add(name, random, made),
                Part::Maybe(parts) if random.below(3) == 0 => self.add_parts(parts, random, made),
                Part::Maybe(_) => {}
                Part::Choice(choices) => self.add_parts(&choices[random.below(choices.len())], random, made),
            }
        }
    }
}

/// The parts of a text up to what ends them, and the rest.
fn parts(mut text: &str) -> (Vec<Part>, &str) {
    let mut parts = Vec::new();
    while let Some(at) = text.find(['<', '[', '(', ')', ']', '|']) {
        let (before, rest) = text.split_at(at);
        let (sign, inside) = rest.split_at(1);
        let add = |parts: &mut Vec<Part>, before: &str| {
            if !before.is_empty() {
                parts.push(Part::Text(before.to_owned()));
            }
        };
        match sign {
            "<" if inside.starts_with(|c: char| c.is_ascii_lowercase()) => {
                add(&mut parts, before);
                let (name, rest) = inside.split_once('>').expect("a `>`");
                parts.push(Part::Of(name.to_owned()));
                text = rest;
            }
            "[" => {
                add(&mut parts, before);
                let (inner, rest) = self::parts(inside);
                parts.push(Part::Maybe(inner));
                text = rest.strip_prefix(']').expect("a `]`");
            }
            // A bracket without a choice is one of the text.
            "(" => {
                add(&mut parts, before);
                let (mut choices, mut rest) = (Vec::new(), inside);
                loop {
                    let (choice, after) = self::parts(rest);
                    choices.push(choice);
                    match after.split_at(1) {
                        ("|", more) => rest = more,
                        (")", more) => {
                            rest = more;
                            break;
                        }
                        (other, _) => panic!("`{other}` in a choice"),
                    }
                }
                match choices.len() {
                    1 => {
                        parts.push(Part::Text("(".to_owned()));
                        parts.extend(choices.pop().unwrap_or_default());
                        parts.push(Part::Text(")".to_owned()));
                    }
                    _ => parts.push(Part::Choice(choices)),
                }
                text = rest;
            }
            "<" => {
                add(&mut parts, before);
                parts.push(Part::Text("<".to_owned()));
                text = inside;
            }
            _ => {
                add(&mut parts, before);
                return (parts, rest);
            }
        }
    }
    if !text.is_empty() {
        parts.push(Part::Text(text.to_owned()));
    }
    (parts, "")
}

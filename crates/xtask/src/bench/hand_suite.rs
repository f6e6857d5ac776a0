//! A hand-written program for 100 segments at once: what somebody would write
//! who had just these families of segments and a month.
//!
//! Facts of a block of people are gathered in tight loops over Arrow's own
//! buffers, each fact once however many segments ask for it; thresholds compare a
//! whole block; segments are made of words. The days of activity are a bitmap
//! that was made before, as Seg keeps one; all else is read from events.

use super::generate::{CATEGORIES, NAMES, NOW};
use super::hand::{DAY, Events, HOUR, UNIT, bools, events, texts};
use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, RecordBatch};
use seg::Mask;
use std::num::NonZero;
use std::ops::Range;

/// People of a block, and its words.
const BLOCK: usize = 1_024;
const WORDS: usize = BLOCK / 64;
const NONE: i64 = i64::MIN;

type Bits = [u64; WORDS];

/// What is gathered of a person.
#[derive(Clone, Copy, PartialEq)]
enum Fact {
    /// The time of the n-th event of a name from the end, or from the beginning.
    Last(usize, usize),
    First(usize),
    /// Which categories the events of a name ever had, a bit each.
    Categories(usize),
    Count(usize),
    /// The total amount of the events of a name since an instant.
    Total(usize, i64),
    /// The last event of a name after which no other comes within a time.
    Alone([usize; 2], i64),
    /// The last event from which two others follow in order, all within a time.
    Funnel([usize; 3], i64),
    /// On how many days people were active since an instant.
    Days(i64),
    /// The amounts of an event less so many for each: above 0 where the average is
    /// higher.
    Excess(usize, i64),
    Orders,
    Spent,
    LastOrder,
}

/// A condition that segments are made of; a number is the place of a fact.
#[derive(Clone, PartialEq)]
enum Test {
    AtLeast(usize, i64),
    Between(usize, i64, i64),
    HasBit(usize, usize),
    Flag(&'static str),
    Key(&'static str, Vec<String>),
}

/// All of these, each as it is or not; and one of the others, where there are any.
#[derive(Default)]
struct Segment {
    all: Vec<(usize, bool)>,
    any: Vec<usize>,
}

/// The program of a suite.
#[derive(Default)]
pub struct Suite {
    facts: Vec<Fact>,
    tests: Vec<Test>,
    segments: Vec<Segment>,
}

/// What a sentence says: its names in quotes and its lengths and numbers.
struct Sentence<'t> {
    text: &'t str,
    names: Vec<&'t str>,
    numbers: Vec<i64>,
}

impl<'t> Sentence<'t> {
    fn new(line: &'t str) -> Sentence<'t> {
        let text = line.split_once(" people ").map_or("", |(_, text)| text);
        let names = text.split('"').skip(1).step_by(2).collect();
        let outside: String = text.split('"').step_by(2).collect();
        let words: Vec<&str> = outside.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).collect();
        let number = |at: usize| {
            let number = words[at].parse::<i64>().ok()?;
            let unit = words.get(at + 1).map_or(1, |unit| match unit.trim_end_matches('s') {
                "hour" => HOUR,
                "day" => DAY,
                _ => 1,
            });
            // `between 30 and 45 days`.
            let unit = if words.get(at + 1) == Some(&"and") && words[at - 1] == "between" { DAY } else { unit };
            Some(number * unit)
        };
        Sentence { text, names, numbers: (0..words.len()).filter_map(number).collect() }
    }

    fn event(&self, at: usize) -> usize {
        NAMES.iter().position(|name| *name == self.names[at]).expect("an event of the workload")
    }

    fn since(&self, at: usize) -> i64 {
        NOW.0 - self.numbers[at]
    }

    fn flag(&self) -> &'static str {
        if self.text.contains("sms_consent") { "sms_consent" } else { "email_consent" }
    }
}

impl Suite {
    /// The program of the segments of a suite, a line each.
    pub fn new<'t>(lines: impl Iterator<Item = &'t str>) -> Suite {
        let mut suite = Suite::default();
        for line in lines {
            let segment = suite.segment(&Sentence::new(line));
            suite.segments.push(segment);
        }
        suite
    }

    fn test(&mut self, test: Test) -> usize {
        self.tests.iter().position(|t| *t == test).unwrap_or_else(|| {
            self.tests.push(test);
            self.tests.len() - 1
        })
    }

    fn fact(&mut self, fact: Fact) -> usize {
        self.facts.iter().position(|f| *f == fact).unwrap_or_else(|| {
            self.facts.push(fact);
            self.facts.len() - 1
        })
    }

    fn segment(&mut self, s: &Sentence<'_>) -> Segment {
        use Fact::*;
        use Test::*;
        let has = |text| s.text.contains(text);
        let mut any = Vec::new();
        // A condition is on a fact from a least value on, if it is no other.
        let mut at_least = |fact, least| AtLeast(self.fact(fact), least);
        let all = match () {
            () if has("not followed by") => {
                vec![(at_least(Alone([s.event(0), s.event(1)], s.numbers[1]), s.since(0)), true)]
            }
            () if has(" then ") => {
                vec![(at_least(Funnel([0, 1, 2].map(|at| s.event(at)), s.numbers[0]), s.since(1)), true)]
            }
            () if has("any of (") => vec![(at_least(Days(s.since(1)), s.numbers[0]), true)],
            () if has("average amount") => vec![
                (at_least(Excess(s.event(0), s.numbers[0]), 1), true),
                (at_least(Count(s.event(1)), s.numbers[1]), true),
            ],
            () if has("first ") => vec![(at_least(First(s.event(0)), s.since(0)), true)],
            () if has("total amount") => vec![
                (at_least(Total(s.event(0), s.since(0)), s.numbers[1] * UNIT), true),
                (Key("country", s.names[1..].iter().map(|n| (*n).to_owned()).collect()), true),
            ],
            () if has("where category") => {
                let category = |at: usize| CATEGORIES.iter().position(|c| *c == s.names[at]).expect("a category");
                let mut met = |event, at| HasBit(self.fact(Categories(s.event(event))), category(at));
                vec![(met(0, 1), true), (met(2, 3), false)]
            }
            () if has("total_spent") => vec![
                (at_least(Spent, s.numbers[0] * UNIT + 1), true),
                (Flag(s.flag()), true),
                (Flag("suppressed"), false),
                (Key("plan", vec![s.names[0].to_owned()]), true),
            ],
            () if has("total_orders") => vec![
                (Between(self.fact(Orders), s.numbers[0], s.numbers[0]), true),
                (Between(self.fact(LastOrder), s.since(2), s.since(1)), true),
            ],
            () if s.text.starts_with("who did not") => {
                any = [1, 2].map(|at| at_least(Last(s.event(at), 1), s.since(at))).into();
                vec![(at_least(Last(s.event(0), 1), s.since(0)), false)]
            }
            () if has("never did") => {
                let (n, from) = if has("at least") { (s.numbers[0] as usize, s.since(1)) } else { (1, s.since(0)) };
                vec![(at_least(Last(s.event(0), n), from), true), (at_least(Last(s.event(1), 1), NONE + 1), false)]
            }
            () => vec![
                (at_least(Last(s.event(0), 1), s.since(0)), true),
                (at_least(Last(s.event(1), 1), s.since(1)), false),
                (Flag(s.flag()), true),
            ],
        };
        let all = all.into_iter().map(|(test, is)| (self.test(test), is)).collect();
        Segment { all, any: any.into_iter().map(|test| self.test(test)).collect() }
    }

    /// Makes what is read besides the batch.
    pub fn over<'s>(&'s self, records: &'s RecordBatch) -> Over<'s> {
        let events = NAMES.map(|name| events(records, name));
        let since = self.facts.iter().filter_map(|f| if let Fact::Days(from) = f { Some(*from) } else { None });
        let first_day = since.min().unwrap_or(NOW.0).div_euclid(DAY);
        let mut days = vec![0_u64; records.num_rows()];
        for (at, days) in days.iter_mut().enumerate() {
            for events in &events {
                let known = events.times[events.of(at)].iter().rev().map(|t| t.div_euclid(DAY) - first_day);
                known.take_while(|day| *day >= 0).for_each(|day| *days |= 1 << day);
            }
        }
        let flags = |test: &Test| match test {
            Test::Key(name, wanted) => super::hand::flags(texts(records, name), wanted),
            _ => Vec::new(),
        };
        let flags = self.tests.iter().map(flags).collect();
        Over { suite: self, records, events, days, first_day, flags }
    }
}

/// A suite over a batch.
pub struct Over<'s> {
    suite: &'s Suite,
    records: &'s RecordBatch,
    events: [Events<'s>; 12],
    /// The days on which people were active, from `first_day` on.
    days: Vec<u64>,
    first_day: i64,
    /// For each test of a text which keys meet it.
    flags: Vec<Vec<bool>>,
}

/// Facts that one loop gathers, with their places.
enum Loop {
    Lasts(usize, Vec<(usize, usize)>),
    Totals(usize, Vec<(i64, usize)>),
    Alones([usize; 2], Vec<(i64, usize)>),
    Funnels([usize; 3], Vec<(i64, usize)>),
    One(Fact, usize),
}

type Values = [[i64; BLOCK]];

impl Over<'_> {
    /// Who is in each segment.
    pub fn run(&self, threads: NonZero<usize>) -> Vec<Mask> {
        let n = self.records.num_rows();
        let n_words = n.div_ceil(64);
        let mut answers: Vec<Vec<u64>> = self.suite.segments.iter().map(|_| vec![0; n_words]).collect();
        let per_thread = n_words.div_ceil(threads.get()).next_multiple_of(WORDS);
        let mut shares: Vec<Vec<&mut [u64]>> = (0..threads.get()).map(|_| Vec::new()).collect();
        for words in &mut answers {
            words.chunks_mut(per_thread).zip(&mut shares).for_each(|(chunk, share)| share.push(chunk));
        }
        let loops = self.loops();
        std::thread::scope(|scope| {
            for (at, share) in shares.into_iter().enumerate() {
                let loops = &loops;
                scope.spawn(move || self.fill(loops, at * per_thread, share));
            }
        });
        answers.into_iter().map(|words| Mask::from_words(words, n)).collect()
    }

    fn loops(&self) -> Vec<Loop> {
        let mut loops: Vec<Loop> = Vec::new();
        for (at, fact) in self.suite.facts.iter().enumerate() {
            let joins = |of: &mut Loop| match (of, fact) {
                (Loop::Lasts(event, all), Fact::Last(e, n)) if event == e => {
                    all.push((*n, at));
                    true
                }
                (Loop::Totals(event, all), Fact::Total(e, n)) if event == e => {
                    all.push((*n, at));
                    true
                }
                (Loop::Alones(events, all), Fact::Alone(e, n)) if events == e => {
                    all.push((*n, at));
                    true
                }
                (Loop::Funnels(events, all), Fact::Funnel(e, n)) if events == e => {
                    all.push((*n, at));
                    true
                }
                _ => false,
            };
            if !loops.iter_mut().any(joins) {
                loops.push(match *fact {
                    Fact::Last(event, n) => Loop::Lasts(event, vec![(n, at)]),
                    Fact::Total(event, from) => Loop::Totals(event, vec![(from, at)]),
                    Fact::Alone(events, gap) => Loop::Alones(events, vec![(gap, at)]),
                    Fact::Funnel(events, within) => Loop::Funnels(events, vec![(within, at)]),
                    other => Loop::One(other, at),
                });
            }
        }
        for of in &mut loops {
            if let Loop::Totals(_, all) = of {
                all.sort_by_key(|(from, _)| std::cmp::Reverse(*from));
            }
        }
        loops
    }

    /// What a fact is compared with.
    fn bounds(&self, fact: usize) -> impl Iterator<Item = i64> {
        let bound = move |test: &Test| match test {
            Test::AtLeast(of, least) if *of == fact => Some(*least),
            _ => None,
        };
        self.suite.tests.iter().filter_map(bound)
    }

    /// The earliest instant that facts of times are compared with.
    fn least(&self, facts: &[(i64, usize)]) -> i64 {
        facts.iter().flat_map(|(_, fact)| self.bounds(*fact)).min().unwrap_or(NONE)
    }

    fn fill(&self, loops: &[Loop], first_word: usize, mut share: Vec<&mut [u64]>) {
        let n_words = share.first().map_or(0, |words| words.len());
        let mut values = vec![[NONE; BLOCK]; self.suite.facts.len()];
        let mut tests: Vec<Bits> = vec![[0; WORDS]; self.suite.tests.len()];
        for word in (0..n_words).step_by(WORDS) {
            let first = (first_word + word) * 64;
            let people = first..self.records.num_rows().min(first + BLOCK);
            for of in loops {
                self.gather(of, people.clone(), &mut values);
            }
            for (at, bits) in tests.iter_mut().enumerate() {
                self.compare(at, people.clone(), &values, bits);
            }
            for (segment, words) in self.suite.segments.iter().zip(&mut share) {
                let words = &mut words[word..n_words.min(word + WORDS)];
                for (at, to) in words.iter_mut().enumerate() {
                    let mut all = if segment.any.is_empty() { u64::MAX } else { 0 };
                    segment.any.iter().for_each(|test| all |= tests[*test][at]);
                    let bits = |test: &usize, is: bool| if is { tests[*test][at] } else { !tests[*test][at] };
                    segment.all.iter().for_each(|(test, is)| all &= bits(test, *is));
                    *to = all;
                }
                // Nobody comes after the last person.
                let beyond = words.len() * 64 - people.len();
                if let (Some(last), 1..64) = (words.last_mut(), beyond) {
                    *last &= u64::MAX >> beyond;
                }
            }
        }
    }

    fn gather(&self, of: &Loop, people: Range<usize>, values: &mut Values) {
        match of {
            Loop::Lasts(event, all) => {
                let events = &self.events[*event];
                for (slot, row) in people.enumerate() {
                    let range = events.of(row);
                    for (n, at) in all {
                        values[*at][slot] = if range.len() >= *n { events.times[range.end - n] } else { NONE };
                    }
                }
            }
            Loop::Totals(event, all) => {
                let events = &self.events[*event];
                let amounts = events.amounts();
                for (slot, row) in people.enumerate() {
                    let range = events.of(row);
                    let (mut at, mut total) = (range.end, 0);
                    for (from, fact) in all {
                        while at > range.start && events.times[at - 1] >= *from {
                            at -= 1;
                            total += amounts[at];
                        }
                        values[*fact][slot] = total;
                    }
                }
            }
            Loop::Alones(events, all) => self.gather_alone(*events, all, people, values),
            Loop::Funnels(events, all) => self.gather_funnels(*events, all, people, values),
            Loop::One(fact, at) => self.gather_one(*fact, *at, people, &mut values[*at]),
        }
    }

    fn gather_alone(&self, of: [usize; 2], all: &[(i64, usize)], people: Range<usize>, values: &mut Values) {
        let ([firsts, nexts], least) = (of.map(|event| &self.events[event]), self.least(all));
        for (slot, row) in people.enumerate() {
            all.iter().for_each(|(_, fact)| values[*fact][slot] = NONE);
            let nexts = &nexts.times[nexts.of(row)];
            let (mut at, mut open) = (nexts.len(), all.len());
            for first in firsts.times[firsts.of(row)].iter().rev().take_while(|t| **t >= least) {
                while at > 0 && nexts[at - 1] >= *first {
                    at -= 1;
                }
                let gap = nexts.get(at).map_or(i64::MAX, |next| next - first);
                for (within, fact) in all {
                    if gap > *within && values[*fact][slot] == NONE {
                        values[*fact][slot] = *first;
                        open -= 1;
                    }
                }
                if open == 0 {
                    break;
                }
            }
        }
    }

    fn gather_funnels(&self, of: [usize; 3], all: &[(i64, usize)], people: Range<usize>, values: &mut Values) {
        let ([firsts, seconds, thirds], least) = (of.map(|event| &self.events[event]), self.least(all));
        for (slot, row) in people.enumerate() {
            all.iter().for_each(|(_, fact)| values[*fact][slot] = NONE);
            let (thirds, seconds) = (&thirds.times[thirds.of(row)], &seconds.times[seconds.of(row)]);
            if thirds.last().is_none_or(|t| *t < least) || seconds.last().is_none_or(|t| *t < least) {
                continue;
            }
            let (mut second, mut third, mut open) = (seconds.len(), thirds.len(), all.len());
            for first in firsts.times[firsts.of(row)].iter().rev().take_while(|t| **t >= least) {
                while second > 0 && seconds[second - 1] >= *first {
                    second -= 1;
                }
                let Some(next) = seconds.get(second) else { continue };
                while third > 0 && thirds[third - 1] >= *next {
                    third -= 1;
                }
                let Some(last) = thirds.get(third) else { continue };
                for (within, fact) in all {
                    if last - first <= *within && values[*fact][slot] == NONE {
                        values[*fact][slot] = *first;
                        open -= 1;
                    }
                }
                if open == 0 {
                    break;
                }
            }
        }
    }

    fn gather_one(&self, fact: Fact, at: usize, people: Range<usize>, values: &mut [i64; BLOCK]) {
        let attribute = |name: &str| self.records.column_by_name(name).expect("the attribute");
        let copy = |name: &str, values: &mut [i64; BLOCK]| {
            let column = &attribute(name).as_primitive::<Int64Type>().values()[people.clone()];
            values[..column.len()].copy_from_slice(column);
        };
        match fact {
            Fact::First(event) => {
                let events = &self.events[event];
                for (row, value) in people.zip(values) {
                    let range = events.of(row);
                    *value = if range.is_empty() { NONE } else { events.times[range.start] };
                }
            }
            Fact::Categories(event) => {
                let events = &self.events[event];
                let categories = events.rows.column(1).as_dictionary::<Int32Type>();
                let keys = &categories.keys().values()[..];
                let place = |text: Option<&str>| CATEGORIES.iter().position(|c| Some(*c) == text);
                let bit = |text| place(text).map_or(0, |place| 1_u64 << place);
                let bits: Vec<u64> = categories.values().as_string::<i32>().iter().map(bit).collect();
                for (row, value) in people.zip(values) {
                    *value = keys[events.of(row)].iter().fold(0, |all, key| all | bits[*key as usize]) as i64;
                }
            }
            Fact::Count(event) => {
                let events = &self.events[event];
                people.zip(values).for_each(|(row, value)| *value = events.of(row).len() as i64);
            }
            Fact::Excess(event, average) => {
                let events = &self.events[event];
                let amounts = events.amounts();
                for (row, value) in people.zip(values) {
                    let range = events.of(row);
                    let count = range.len() as i64;
                    // An average is a whole number of ten-thousandths, half to even.
                    *value = 2 * amounts[range].iter().sum::<i64>() - (2 * average * UNIT + 1) * count;
                }
            }
            Fact::Days(from) => self.gather_days(from, at, people, values),
            Fact::Orders => copy("total_orders", values),
            Fact::Spent => copy("total_spent", values),
            Fact::LastOrder => {
                let last = attribute("last_order_date").as_primitive::<TimestampMicrosecondType>();
                let times = last.values();
                for (row, value) in people.zip(values) {
                    *value = if last.is_valid(row) { times[row] } else { NONE };
                }
            }
            Fact::Last(..) | Fact::Total(..) | Fact::Alone(..) | Fact::Funnel(..) => {}
        }
    }

    fn gather_days(&self, from: i64, at: usize, people: Range<usize>, values: &mut [i64; BLOCK]) {
        // The first day counts only from the instant on, which is looked at where
        // one day more matters.
        let day = from.div_euclid(DAY);
        let matters = self.bounds(at).fold(0_u64, |bits, least| bits | 1 << (least - 1));
        for (row, value) in people.zip(values) {
            let days = self.days[row] >> (day - self.first_day);
            let count = (days >> 1).count_ones();
            *value = i64::from(count);
            if days & 1 == 1 && matters >> count & 1 == 1 {
                let is_active = self.events.iter().any(|events| {
                    let times = &events.times[events.of(row)];
                    let mut late = times.iter().rev().skip_while(|t| **t >= (day + 1) * DAY);
                    late.next().is_some_and(|t| *t >= from)
                });
                *value += i64::from(is_active);
            }
        }
    }

    fn compare(&self, at: usize, people: Range<usize>, values: &Values, bits: &mut Bits) {
        match &self.suite.tests[at] {
            Test::AtLeast(fact, least) => pack(&values[*fact], bits, |v| v >= *least),
            Test::Between(fact, least, most) => pack(&values[*fact], bits, |v| (v >= *least) & (v <= *most)),
            Test::HasBit(fact, place) => pack(&values[*fact], bits, |v| v >> place & 1 == 1),
            Test::Flag(name) => {
                let flags = bools(self.records, name).values().slice(people.start, people.len());
                bits.iter_mut().zip(flags.bit_chunks().iter_padded()).for_each(|(to, word)| *to = word);
            }
            Test::Key(name, _) => {
                let (flags, mut has) = (&self.flags[at], [0_u8; BLOCK]);
                let keys = &texts(self.records, name).keys().values()[people];
                keys.iter().zip(&mut has).for_each(|(key, has)| *has = u8::from(flags[*key as usize]));
                pack(&has, bits, |has| has == 1);
            }
        }
    }
}

/// A bit for each value: bytes first, which is done many at a time.
fn pack<T: Copy>(values: &[T; BLOCK], bits: &mut Bits, holds: impl Fn(T) -> bool) {
    for (values, to) in values.chunks(64).zip(bits) {
        let mut bytes = [0_u8; 64];
        bytes.iter_mut().zip(values).for_each(|(byte, value)| *byte = u8::from(holds(*value)));
        let eights = bytes.as_chunks::<8>().0.iter().enumerate();
        *to = eights.fold(0, |word, (at, eight)| {
            word | (u64::from_le_bytes(*eight).wrapping_mul(0x0102_0408_1020_4080) >> 56) << (8 * at)
        });
    }
}

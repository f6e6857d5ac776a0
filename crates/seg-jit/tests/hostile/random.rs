//! Templates by chance.

use crate::data::{Data, compile, exactly, run_bound};
use arrow_buffer::{BooleanBuffer, Buffer};
use seg_data::batch::MergedEvents;
use seg_hir::hir::{CompareOp, End};
use seg_jit::template::{
    Arithmetic, Calendar, Class, Column, Cond, Domain, Function, List, Merged, Nulls, Query, Scale, Set, Source, Store,
    Template, Value, ZoneOffsets,
};
use seg_jit::{ItemKeys, JitError, Parameters};

/// What became of them.
#[derive(Debug, Default)]
pub struct Found {
    pub n_run: usize,
    pub n_refused: usize,
    pub n_not_generated: usize,
}

/// Makes so many templates, binds each to the parameters of three batches, and runs
/// those that are not refused.
pub fn attack(n_templates: usize) -> Found {
    let batches = [Data::new(70), Data::new(7), Data::with_long_null_list(70), Data::new(130).slice(3, 67)];
    // Slots of the same kind stand at the same places, whatever the batch is.
    let all: Vec<(Parts, Parameters)> = batches.iter().map(parts).collect();
    let mut found = Found::default();
    for seed in 0..n_templates as u64 {
        let parts = &all[seed as usize % all.len()].0;
        let mut chance =
            Chance { state: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1, parts, n_slots: all[0].1.n_slots() };
        let template = chance.template();
        let kernel = match compile(&template) {
            Ok(kernel) => kernel,
            Err(JitError::Internal(_)) => {
                found.n_not_generated += 1;
                continue;
            }
            Err(other) => panic!("{other}: {template:?}"),
        };
        for (_, parameters) in &all {
            for n_people in [0, 6, 64, 67, 70, 71] {
                match kernel.bind(parameters.clone(), n_people) {
                    Ok(bound) => {
                        found.n_run += 1;
                        run_bound(bound, n_people);
                    }
                    Err(JitError::Mismatch(_)) => found.n_refused += 1,
                    Err(other) => panic!("{other}: {template:?}"),
                }
            }
        }
    }
    found
}

/// How many slots there are.
trait Slots {
    fn n_slots(&self) -> u32;
}

impl Slots for Parameters {
    fn n_slots(&self) -> u32 {
        // The next one's number, of a copy.
        self.clone().int(0)
    }
}

/// What templates are made of.
struct Parts {
    columns: Vec<Column>,
    texts: Vec<Column>,
    lists: Vec<List>,
    text_lists: Vec<List>,
    sources: Vec<Source>,
    merged: Vec<Merged>,
    numbers: Vec<u32>,
    bytes: Vec<u32>,
    ints32: Vec<u32>,
    ints64: Vec<u32>,
    zones: Vec<ZoneOffsets>,
    limits: Vec<u32>,
    nulls: Vec<Nulls>,
}

fn parts(data: &Data) -> (Parts, Parameters) {
    let mut p = Parameters::new();
    let numbers: Vec<u32> = [0, 1, 2, 3, 70, -1, i64::MIN, i64::MAX].map(|n| p.int(n)).to_vec();
    let limits = [1, 7, 15, 63, 255].map(|n| p.int(n)).to_vec();
    let bytes = [0, 1, 3, 8].map(|n| p.bytes(&exactly(vec![1_u8; n]))).to_vec();
    let ints32 = [0, 1, 3, 8].map(|n| p.ints32(&exactly(vec![2_i32; n]))).to_vec();
    let ints64 = [0, 1, 70, 300].map(|n| p.ints64(&exactly(vec![2_i64; n]))).to_vec();
    let bits = p.bits(Domain::Person, &BooleanBuffer::new(Buffer::from_vec(vec![0x5a_u8; 9]), 1, 70));
    let zones = vec![p.zone(&[(0, 5)]), p.zone(&[(0, 5), (1 << 40, -5), (1 << 41, 0)])];
    let mut text = |event: Option<&str>, name: &str| {
        let (domain, column) = match event {
            None => (Domain::Person, data.attribute(name)),
            Some(event) => (Domain::Event, data.property(event, name)),
        };
        p.column(domain, column).expect("a column")
    };
    let texts = vec![text(None, "t"), text(None, "nulls"), text(Some("A"), "kind")];
    let mut columns = vec![text(None, "x"), text(Some("A"), "amount"), text(Some("B"), "amount"), bits.clone()];
    columns.push(p.optional(Domain::Person, &exactly(vec![i64::MIN; 70])));
    columns.extend(texts.iter().cloned());
    let nulls = vec![Nulls { bits: bits.values, offset: numbers[1] }, Nulls { bits: bits.values, offset: numbers[0] }];
    let keys = ItemKeys::new(vec![2; data.n_items("tags")], 3).expect("keys");
    let text_lists = vec![p.list(Domain::Person, data.attribute("tags"), Some(&keys)).expect("a list")];
    let lists = vec![p.list(Domain::Person, data.attribute("ns"), None).expect("a list"), text_lists[0].clone()];
    let sources = vec![p.events(data.events("A")), p.events(data.events("B"))];
    let names = [data.event("A"), data.event("B")];
    let merged =
        vec![p.merged(&MergedEvents::new(&data.batch, &names)), p.merged(&MergedEvents::new(&data.batch, &names[..1]))];
    let parts = Parts {
        columns,
        texts,
        lists,
        text_lists,
        sources,
        merged,
        numbers,
        bytes,
        ints32,
        ints64,
        zones,
        limits,
        nulls,
    };
    (parts, p)
}

struct Chance<'p> {
    state: u64,
    parts: &'p Parts,
    n_slots: u32,
}

impl Chance<'_> {
    /// A number below another.
    fn below(&mut self, n: usize) -> usize {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        (self.state >> 11) as usize % n
    }

    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    fn of<T: Clone>(&mut self, all: &[T]) -> T {
        let at = self.below(all.len());
        all[at].clone()
    }

    /// One of some slots, or any.
    fn slot(&mut self, all: &[u32]) -> u32 {
        match self.one_in(40) {
            true => self.below(self.n_slots as usize + 1) as u32,
            false => self.of(all),
        }
    }

    fn number(&mut self) -> u32 {
        self.slot(&self.parts.numbers)
    }

    fn pair(&mut self) -> (u32, u32) {
        (self.number(), self.number())
    }

    fn template(&mut self) -> Template {
        match self.one_in(2) {
            true => Template::Condition(self.cond(4)),
            false => Template::Value(self.value(4)),
        }
    }

    fn column(&mut self) -> Column {
        let all = if self.one_in(3) { &self.parts.texts } else { &self.parts.columns };
        let mut column = self.of(all);
        self.spoil(&mut column);
        column
    }

    /// Now and then something of a column is of another.
    fn spoil(&mut self, column: &mut Column) {
        let other = self.of(&self.parts.columns);
        match self.below(60) {
            0 => column.values = other.values,
            1 => column.store = other.store,
            2 => column.nulls = other.nulls,
            3 => column.nulls = Some(self.of(&self.parts.nulls)),
            4 => column.domain = if self.one_in(2) { Domain::Event } else { Domain::Person },
            5 => column.store = Store::Bit(self.number()),
            6 => column.values = self.below(self.n_slots as usize) as u32,
            _ => {}
        }
    }

    fn texts(&mut self) -> Column {
        let mut keys = self.of(&self.parts.texts);
        self.spoil(&mut keys);
        keys
    }

    fn list(&mut self, all: &[List]) -> List {
        let mut list = self.of(all);
        let other = self.of(&self.parts.lists);
        match self.below(30) {
            0 => list.offsets = other.offsets,
            1 => list.nulls = Some(self.of(&self.parts.nulls)),
            2 => list.items = other.items,
            3 => list.domain = Domain::Event,
            4 => list.offsets = self.of(&self.parts.sources).offsets,
            _ => self.spoil(&mut list.items),
        }
        list
    }

    fn class(&mut self) -> Class {
        self.of(&[Class::Int, Class::Int, Class::Wide, Class::Number])
    }

    fn end(&mut self) -> End {
        self.of(&[End::First, End::Last])
    }

    fn op(&mut self) -> CompareOp {
        self.of(&[CompareOp::Less, CompareOp::Equal, CompareOp::GreaterOrEqual])
    }

    fn set(&mut self) -> Set {
        match self.one_in(3) {
            true => Set::Word,
            false => Set::Table(self.slot(&self.parts.limits)),
        }
    }

    fn cond(&mut self, depth: usize) -> Cond {
        let Some(depth) = depth.checked_sub(1) else { return Cond::Known(Value::Column(self.column())) };
        match self.below(14) {
            0 => Cond::Const(self.one_in(2)),
            1 => Cond::All(vec![self.cond(depth), self.cond(depth)]),
            2 => Cond::Any(vec![self.cond(depth), self.cond(depth)]),
            3 => Cond::Cardinality { min: self.number(), max: self.number(), members: vec![self.cond(depth)] },
            4 => Cond::Not(Box::new(self.cond(depth))),
            5 => Cond::Known(self.value(depth)),
            6 | 7 => Cond::Compare(self.op(), self.value(depth), self.value(depth)),
            8 => Cond::OneOf(Box::new(self.value(depth)), vec![self.value(depth)]),
            9 => Cond::OneOfInts(Box::new(self.value(depth)), self.slot(&self.parts.ints64), self.number()),
            10 => Cond::Test { keys: self.texts(), table: self.slot(&self.parts.bytes) },
            11 => Cond::Has(self.list(&self.parts.lists), self.value(depth)),
            12 => Cond::HasText(self.list(&self.parts.text_lists), self.slot(&self.parts.bytes)),
            _ => Cond::FirstOrLastN { end: self.end(), n: self.number(), query: self.query(depth) },
        }
    }

    fn value(&mut self, depth: usize) -> Value {
        let Some(depth) = depth.checked_sub(1) else { return Value::Column(self.column()) };
        match self.below(15) {
            0 => Value::Missing(self.class()),
            1 => Value::Int(self.number()),
            2 => Value::Wide(self.number(), self.number()),
            3 => Value::Number(self.number()),
            4 => Value::Column(self.column()),
            5 => Value::Rank { keys: self.texts(), table: self.slot(&self.parts.ints32) },
            6 => {
                let ops = [Arithmetic::AddInts, Arithmetic::DivideMoney, Arithmetic::MoneyByNumber, Arithmetic::Divide];
                Value::Arithmetic(self.of(&ops), Box::new(self.value(depth)), Box::new(self.value(depth)))
            }
            7 => {
                let scale = Scale {
                    numerator: self.pair(),
                    denominator: self.pair(),
                    least: self.pair(),
                    greatest: self.pair(),
                };
                Value::Scale(Box::new(self.value(depth)), scale)
            }
            8 => Value::ToNumber(Box::new(self.value(depth))),
            9 => Value::ListLength(self.list(&self.parts.lists)),
            10 | 11 => Value::Aggregate { function: self.function(), query: self.query(depth) },
            12 => {
                let table = self.one_in(2).then(|| (self.slot(&self.parts.ints32), self.number()));
                let calendar = Calendar { offsets: self.of(&self.parts.zones), first_day: self.number(), table };
                Value::Periods { calendar, set: self.set(), query: self.query(depth) }
            }
            13 => Value::EventTime { end: self.end(), n: self.number(), query: self.query(depth) },
            _ => Value::Coalesce(Box::new(self.value(depth)), Box::new(self.value(depth))),
        }
    }

    fn function(&mut self) -> Function {
        match self.below(7) {
            0 => Function::Count,
            1 | 2 => Function::CountDifferent(self.set()),
            3 => Function::TotalInts,
            4 => Function::AverageMoney,
            5 => Function::AverageNumbers,
            _ => Function::Extreme(self.end(), self.class()),
        }
    }

    fn query(&mut self, depth: usize) -> Query {
        let from = self.one_in(2).then(|| self.number());
        let is_both = self.one_in(2);
        let mut sources = self.parts.sources.clone();
        if !is_both {
            sources.truncate(1);
        }
        if self.one_in(15) {
            sources.reverse();
        }
        for source in &mut sources {
            let other = self.of(&self.parts.sources);
            match self.below(40) {
                0 => source.offsets = other.offsets,
                1 => source.times = other.times,
                2 => source.nulls = None,
                3 => source.nulls = Some(self.of(&self.parts.nulls)),
                4 => source.base = Some(self.number()),
                5 => source.times = self.slot(&self.parts.ints64),
                _ => {}
            }
            source.filter = self.one_in(2).then(|| self.cond(depth));
            source.measure = (!self.one_in(4)).then(|| self.value(depth.min(1)));
            source.predicate = self.one_in(2).then(|| Box::new(self.cond(depth.min(1))));
        }
        let merged = self.one_in(3).then(|| {
            let mut merged = self.parts.merged[usize::from(!is_both)].clone();
            let other = self.of(&self.parts.merged);
            match self.below(20) {
                0 => merged = other,
                1 => merged.place = other.place,
                2 => merged.source = other.source,
                3 => merged.times = other.times,
                _ => {}
            }
            merged
        });
        Query { from, to: self.number(), sources, merged }
    }
}

//! Kernel templates: what code is generated from.
//!
//! A template is a condition or a value of a plan without its literals and its
//! data: those are slots of a parameter block ([`crate::Parameters`]), filled when
//! a plan is bound to a batch. So conditions that differ in nothing else have one
//! template and share their code, and no address of a batch is ever part of code.
//! How the data lies (whether a column has nulls, whether a slice begins above 0)
//! is part of the template.

use seg_hir::hir::{CompareOp, End};

/// A slot of a kernel's parameter block: 64 bits.
pub type Slot = u32;

/// What a kernel computes for each person.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Template {
    /// Whether a condition holds.
    Condition(Cond),
    /// A value as 64 bits, and whether it is there. Wider values are cut to the
    /// nearest 64-bit integer, which compares alike with everything between.
    Value(Value),
}

/// What a row of a column is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Domain {
    /// The person at hand.
    Person,
    /// The event at hand.
    Event,
}

/// Which rows of a column are there: a bitmap and the bit it begins at.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Nulls {
    pub bits: Slot,
    pub offset: Slot,
}

/// How values lie in memory.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Store {
    /// A bit each, from the bit in the slot on.
    Bit(Slot),
    I32,
    I64,
    /// NaN and infinities count as missing.
    F64,
    /// 64 bits, of which the least number counts as missing.
    Optional,
}

/// A column of values.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Column {
    pub domain: Domain,
    pub store: Store,
    pub values: Slot,
    pub nulls: Option<Nulls>,
}

/// A column of lists, with its items.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct List {
    pub domain: Domain,
    pub offsets: Slot,
    pub nulls: Option<Nulls>,
    /// Read by the position of an item.
    pub items: Column,
}

/// How a value lies in registers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// 64-bit integers, and all that is stored as such.
    Int,
    /// 128-bit integers: totals.
    Wide,
    /// 64-bit floating point, finite.
    Number,
}

/// A value of a person or of an event, perhaps missing.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Value {
    Missing(Class),
    Int(Slot),
    /// The lower half, then the upper.
    Wide(Slot, Slot),
    Number(Slot),
    Column(Column),
    /// A number for each text, from a table by key; equal and ordered as the
    /// texts are.
    Rank {
        keys: Column,
        table: Slot,
    },
    Arithmetic(Arithmetic, Box<Value>, Box<Value>),
    /// Money times a fraction; see [`Scale`].
    Scale(Box<Value>, Scale),
    /// An integer as a number.
    ToNumber(Box<Value>),
    /// An integer as money.
    ToMoney(Box<Value>),
    ListLength(List),
    Aggregate {
        function: Function,
        query: Query,
    },
    /// How many different periods the events lie in.
    Periods {
        calendar: Calendar,
        set: Set,
        query: Query,
    },
    /// The time of the n-th event (the slot holds n) from one end.
    EventTime {
        end: End,
        n: Slot,
        query: Query,
    },
    /// The least or greatest of those that are there.
    Extreme(End, Vec<Value>),
    /// The first that is there.
    Coalesce(Box<Value>, Box<Value>),
}

impl Value {
    pub fn class(&self) -> Class {
        match self {
            Value::Missing(class) => *class,
            Value::Wide(..) => Class::Wide,
            Value::Number(_) | Value::ToNumber(_) => Class::Number,
            Value::Column(column) => match column.store {
                Store::F64 => Class::Number,
                Store::Bit(_) | Store::I32 | Store::I64 | Store::Optional => Class::Int,
            },
            Value::Arithmetic(op, ..) => match op {
                Arithmetic::AddInts | Arithmetic::SubtractInts | Arithmetic::MultiplyInts => Class::Int,
                Arithmetic::DivideMoney | Arithmetic::MoneyTimesNumber | Arithmetic::MoneyByNumber => Class::Int,
                Arithmetic::DivideInts => Class::Number,
                Arithmetic::Add | Arithmetic::Subtract | Arithmetic::Multiply | Arithmetic::Divide => Class::Number,
            },
            Value::Aggregate { function, .. } => match function {
                Function::TotalInts => Class::Wide,
                Function::TotalNumbers | Function::AverageNumbers | Function::AverageInts => Class::Number,
                Function::Extreme(_, class) => *class,
                Function::Count | Function::CountDifferent(_) | Function::AverageMoney => Class::Int,
            },
            Value::Coalesce(first, _) => first.class(),
            Value::Int(_)
            | Value::Rank { .. }
            | Value::Scale(..)
            | Value::ToMoney(_)
            | Value::ListLength(_)
            | Value::Periods { .. }
            | Value::EventTime { .. }
            | Value::Extreme(..) => Class::Int,
        }
    }
}

/// The operations on values that are there; a result that does not fit is
/// missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Arithmetic {
    AddInts,
    SubtractInts,
    MultiplyInts,
    /// Two integers, or two amounts of money, to a number.
    DivideInts,
    /// Money by an integer, half to even.
    DivideMoney,
    MoneyTimesNumber,
    MoneyByNumber,
    Add,
    Subtract,
    Multiply,
    Divide,
}

impl Arithmetic {
    /// Whether it takes values of a class; numbers are made of whole numbers.
    pub fn takes(self, class: Class) -> bool {
        match self {
            Arithmetic::AddInts | Arithmetic::SubtractInts | Arithmetic::MultiplyInts | Arithmetic::DivideMoney => {
                class != Class::Number
            }
            Arithmetic::DivideInts
            | Arithmetic::MoneyTimesNumber
            | Arithmetic::MoneyByNumber
            | Arithmetic::Add
            | Arithmetic::Subtract
            | Arithmetic::Multiply
            | Arithmetic::Divide => true,
        }
    }
}

/// Money times `numerator / denominator`, each in two slots. Beyond `least` and
/// `greatest` the product does not fit 128 bits.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Scale {
    pub numerator: (Slot, Slot),
    pub denominator: (Slot, Slot),
    pub least: (Slot, Slot),
    pub greatest: (Slot, Slot),
}

/// The aggregates. All but a count have a measure in each source.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Function {
    Count,
    CountDifferent(Set),
    TotalInts,
    TotalNumbers,
    AverageInts,
    AverageMoney,
    AverageNumbers,
    /// Of values of this class.
    Extreme(End, Class),
}

/// Which events.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Query {
    /// The least time that counts, where there is one.
    pub from: Option<Slot>,
    /// The greatest.
    pub to: Slot,
    /// One for each name that the batch has.
    pub sources: Vec<Source>,
    /// Where the order at one instant matters: the events of all sources in
    /// order.
    pub merged: Option<Merged>,
}

impl Query {
    /// Whether all that is measured of its events is of a class.
    pub fn measures(&self, class: Class) -> bool {
        self.measured().all(|measure| measure == class)
    }

    /// Whether any of it is.
    pub fn measures_any(&self, class: Class) -> bool {
        self.measured().any(|measure| measure == class)
    }

    fn measured(&self) -> impl Iterator<Item = Class> {
        let measures = self.sources.iter().filter_map(|source| source.measure.as_ref());
        measures.filter(|measure| !matches!(measure, Value::Missing(_))).map(Value::class)
    }
}

/// The events of one name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Source {
    pub offsets: Slot,
    /// What to take off the offsets, in slices that do not begin at 0.
    pub base: Option<Slot>,
    pub nulls: Option<Nulls>,
    pub times: Slot,
    pub filter: Option<Cond>,
    pub measure: Option<Value>,
    /// What [`Cond::FirstOrLastN`] requires of each event found.
    pub predicate: Option<Box<Cond>>,
}

/// Events of several names in the order of the language.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Merged {
    /// Of 64 bits.
    pub offsets: Slot,
    pub times: Slot,
    /// For each event, which of the sources it is of.
    pub source: Slot,
    /// And where it is in that source.
    pub place: Slot,
}

/// What the periods of a calendar are, counted from the earliest that can
/// occur.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Calendar {
    pub offsets: ZoneOffsets,
    /// Taken off a local time: the start of the earliest local day.
    pub first_day: Slot,
    /// From a day to its period, with the last day that the table has; days
    /// themselves need none.
    pub table: Option<(Slot, Slot)>,
}

/// The offsets of a zone from UTC.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ZoneOffsets {
    /// One for all events.
    Fixed(Slot),
    /// Pairs of the instant from which an offset holds and the offset, and the
    /// place of the last pair.
    Steps { table: Slot, last: Slot },
}

/// A set of integers.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Set {
    /// Of integers from 0 to 63, in a register.
    Word,
    /// A hash table in scratch memory; the slot holds its number of entries
    /// less one, which is a power of two less one.
    Table(Slot),
}

/// A condition: true or false.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Cond {
    Const(bool),
    All(Vec<Cond>),
    Any(Vec<Cond>),
    /// As many of them as the slots say: at least, and at most.
    Cardinality {
        min: Slot,
        max: Slot,
        members: Vec<Cond>,
    },
    Not(Box<Cond>),
    Known(Value),
    Compare(CompareOp, Value, Value),
    /// A value among several.
    OneOf(Box<Value>, Vec<Value>),
    /// A value among the integers of an array: where it is, and its length.
    OneOfInts(Box<Value>, Slot, Slot),
    /// A test of a text: a byte from a table by key.
    Test {
        keys: Column,
        table: Slot,
    },
    ListKnown(List),
    /// Whether an item compares equal to a value.
    Has(List, Value),
    /// Whether the table says yes to the key of an item.
    HasText(List, Slot),
    /// Whether there are n events and the n nearest to one end all meet the
    /// predicate of their source.
    FirstOrLastN {
        end: End,
        n: Slot,
        query: Query,
    },
}

/// Stands for a value that is not there in a column of [`Store::Optional`]; less
/// than every one.
pub const MISSING: i64 = i64::MIN;

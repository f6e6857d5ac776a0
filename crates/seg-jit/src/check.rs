//! What code would read, compared with what the parameters have.
//!
//! A kernel loads what its template says from where its parameters say, without a
//! look at lengths. So before it may run, every load that its code can make is
//! shown to lie inside the buffers: a template that is put together wrongly, or
//! with the parameters of another, is refused and reads nothing. What the values
//! in the buffers must keep (keys below the number of texts, offsets that ascend
//! within the items, places within their source) is kept by the types that
//! [`Parameters`] takes them from, which only checked columns are made into.

use crate::parameters::{Content, Parameters};
use crate::template::{
    Calendar, Column, Cond, Domain, Function, List, Merged, Nulls, Query, Set, Slot, Source, Store, Template, Value,
    ZoneOffsets,
};

/// What a kernel's code may rely upon, in words.
type Checked<T = ()> = Result<T, &'static str>;

/// How many words of scratch memory the code of a template works in, for a batch
/// of so many people.
///
/// # Errors
/// What the parameters lack.
pub(crate) fn check(template: &Template, parameters: &Parameters, n_people: usize) -> Checked<usize> {
    let mut check = Check { parameters, n_scratch: SCRATCH_MIN, is_in_set: false };
    let rows = Rows { people: n_people, events: None };
    match template {
        Template::Condition(cond) => check.cond(cond, rows)?,
        Template::Value(value) => check.value(value, rows)?,
    }
    Ok(check.n_scratch)
}

/// The stamp of the last set, and a word that keeps entries aligned.
const SCRATCH_MIN: usize = 2;

/// A set may have so many entries for each value that comes, and no more: memory for
/// them is taken before any comes.
const ENTRIES_PER_VALUE: usize = 4;

/// So many entries are little memory, whatever comes.
const ENTRIES_FREE: usize = 1 << 16;

/// How many rows the columns of each domain must have.
#[derive(Clone, Copy)]
struct Rows {
    people: usize,
    events: Option<usize>,
}

impl Rows {
    fn of(self, domain: Domain) -> usize {
        match domain {
            Domain::Person => self.people,
            // Outside of a query an event is taken for the person.
            Domain::Event => self.events.unwrap_or(self.people),
        }
    }
}

struct Check<'p> {
    parameters: &'p Parameters,
    n_scratch: usize,
    /// Whether a set of scratch memory is being filled.
    is_in_set: bool,
}

fn holds(condition: bool, otherwise: &'static str) -> Checked {
    if condition { Ok(()) } else { Err(otherwise) }
}

impl Check<'_> {
    fn content(&self, slot: Slot) -> Checked<&Content> {
        self.parameters.content(slot).ok_or("a slot that is not there")
    }

    /// Any slot may be read as a number.
    fn number(&self, slot: Slot) -> Checked {
        self.content(slot).map(|_| ())
    }

    fn numbers(&self, slots: &[Slot]) -> Checked {
        slots.iter().try_for_each(|slot| self.number(*slot))
    }

    /// A number that is at least 0.
    fn size(&self, slot: Slot) -> Checked<usize> {
        let number = self.parameters.number(slot).ok_or("a number that is an address")?;
        usize::try_from(number).map_err(|_| "a number below 0")
    }

    /// A bitmap has a bit for each row.
    fn bits(&self, bits: Slot, offset: Slot, n_rows: usize) -> Checked {
        let Content::Bits(n_bits) = self.content(bits)? else { return Err("bits that are none") };
        let end = self.size(offset)?.checked_add(n_rows);
        holds(end.is_some_and(|end| end <= *n_bits), "fewer bits than rows")
    }

    fn nulls(&self, nulls: Option<&Nulls>, n_rows: usize) -> Checked {
        nulls.map_or(Ok(()), |nulls| self.bits(nulls.bits, nulls.offset, n_rows))
    }

    fn column(&self, column: &Column, rows: Rows) -> Checked {
        self.column_of(column, rows.of(column.domain))
    }

    fn column_of(&self, column: &Column, n_rows: usize) -> Checked {
        self.nulls(column.nulls.as_ref(), n_rows)?;
        let len = match (&column.store, self.content(column.values)?) {
            (Store::Bit(offset), _) => return self.bits(column.values, *offset, n_rows),
            (Store::I32, Content::Ints32(len) | Content::Keys { len, .. }) => *len,
            (Store::I64 | Store::F64 | Store::Optional, Content::Words(len)) => *len,
            _ => return Err("values of another width"),
        };
        holds(n_rows <= len, "fewer values than rows")
    }

    /// A column of keys, each of which is looked up in a table of so many entries.
    fn keys(&self, keys: &Column, n_rows: usize, n_entries: usize) -> Checked {
        self.column_of(keys, n_rows)?;
        let Content::Keys { n_texts, nulls, .. } = self.content(keys.values)? else { return Err("keys that are none") };
        // The key of a text that is missing is any number: only the column's own
        // bitmap says which may be looked up. One that is missing looks up 0.
        holds(nulls.is_none() || *nulls == keys.nulls, "keys without their bitmap")?;
        holds((*n_texts).max(1) <= n_entries, "a table with fewer entries than texts")
    }

    fn byte_table(&self, table: Slot) -> Checked<usize> {
        match self.content(table)? {
            Content::Bytes(len) => Ok(*len),
            _ => Err("a table of bytes that is none"),
        }
    }

    /// Gives how many items there are.
    fn list(&self, list: &List, rows: Rows) -> Checked<usize> {
        let n_rows = rows.of(list.domain);
        self.nulls(list.nulls.as_ref(), n_rows)?;
        match self.content(list.offsets)? {
            Content::Lists { n_lists, base: 0, n_items, .. } if n_rows <= *n_lists => Ok(*n_items),
            _ => Err("lists that are none or too few"),
        }
    }

    fn items(&self, list: &List, rows: Rows) -> Checked {
        let n_items = self.list(list, rows)?;
        holds(list.items.domain == Domain::Person, "items of another domain")?;
        self.column_of(&list.items, n_items)
    }

    fn conds(&mut self, members: &[Cond], rows: Rows) -> Checked {
        members.iter().try_for_each(|member| self.cond(member, rows))
    }

    fn cond(&mut self, cond: &Cond, rows: Rows) -> Checked {
        match cond {
            Cond::Const(_) => Ok(()),
            Cond::All(members) | Cond::Any(members) => self.conds(members, rows),
            Cond::Cardinality { min, max, members } => {
                self.numbers(&[*min, *max])?;
                self.conds(members, rows)
            }
            Cond::Not(inner) => self.cond(inner, rows),
            Cond::Known(value) => self.value(value, rows),
            Cond::Compare(_, left, right) => {
                self.value(left, rows)?;
                self.value(right, rows)
            }
            Cond::OneOf(value, others) => {
                self.value(value, rows)?;
                others.iter().try_for_each(|other| self.value(other, rows))
            }
            Cond::OneOfInts(value, ints, n_ints) => {
                self.value(value, rows)?;
                let Content::Words(len) = self.content(*ints)? else { return Err("integers that are none") };
                holds(self.size(*n_ints)? <= *len, "fewer integers than said")
            }
            Cond::Test { keys, table } => self.keys(keys, rows.of(keys.domain), self.byte_table(*table)?),
            Cond::ListKnown(list) => self.list(list, rows).map(|_| ()),
            Cond::Has(list, value) => {
                self.items(list, rows)?;
                self.value(value, rows)
            }
            Cond::HasText(list, table) => {
                self.items(list, rows)?;
                self.keys(&list.items, self.list(list, rows)?, self.byte_table(*table)?)
            }
            Cond::FirstOrLastN { n, query, .. } => {
                self.number(*n)?;
                self.query(query, rows).map(|_| ())
            }
        }
    }

    fn value(&mut self, value: &Value, rows: Rows) -> Checked {
        match value {
            Value::Missing(_) => Ok(()),
            Value::Int(slot) | Value::Number(slot) => self.number(*slot),
            Value::Wide(low, high) => self.numbers(&[*low, *high]),
            Value::Column(column) => self.column(column, rows),
            Value::Rank { keys, table } => {
                let Content::Ints32(n_entries) = self.content(*table)? else { return Err("ranks that are none") };
                self.keys(keys, rows.of(keys.domain), *n_entries)
            }
            Value::Arithmetic(_, left, right) | Value::Coalesce(left, right) => {
                self.value(left, rows)?;
                self.value(right, rows)
            }
            Value::Scale(money, scale) => {
                self.value(money, rows)?;
                let pairs = [scale.numerator, scale.denominator, scale.least, scale.greatest];
                pairs.iter().try_for_each(|(low, high)| self.numbers(&[*low, *high]))?;
                let halves = [scale.denominator.0, scale.denominator.1].map(|half| self.parameters.number(half));
                holds(halves.iter().flatten().any(|half| *half != 0), "a fraction of nothing")
            }
            Value::ToNumber(inner) | Value::ToMoney(inner) => self.value(inner, rows),
            Value::ListLength(list) => self.items(list, rows),
            Value::Aggregate { function, query } => self.aggregate(function, query, rows),
            Value::Periods { calendar, set, query } => {
                self.calendar(calendar)?;
                self.set(set, query, rows)
            }
            Value::EventTime { n, query, .. } => {
                self.number(*n)?;
                self.query(query, rows).map(|_| ())
            }
            Value::Extreme(_, values) => values.iter().try_for_each(|value| self.value(value, rows)),
        }
    }

    fn aggregate(&mut self, function: &Function, query: &Query, rows: Rows) -> Checked {
        match function {
            Function::CountDifferent(set) => self.set(set, query, rows),
            Function::Count
            | Function::TotalInts
            | Function::AverageInts
            | Function::AverageMoney
            | Function::TotalNumbers
            | Function::AverageNumbers
            | Function::Extreme(..) => self.query(query, rows).map(|_| ()),
        }
    }

    /// A set that finds a free entry for a value of each event of a query.
    fn set(&mut self, set: &Set, query: &Query, rows: Rows) -> Checked {
        let Set::Table(limit) = set else { return self.query(query, rows).map(|_| ()) };
        // All sets lie in the same memory, so that one may not be begun before
        // another is done.
        holds(!self.is_in_set, "a set within a set")?;
        self.is_in_set = true;
        let n_values = self.query(query, rows)?;
        self.is_in_set = false;
        let n_entries = self.size(*limit)?.checked_add(1).ok_or("a set without end")?;
        holds(n_entries.is_power_of_two() && n_entries > n_values, "a set without room")?;
        let n_most = n_values.saturating_add(1).saturating_mul(ENTRIES_PER_VALUE).max(ENTRIES_FREE);
        holds(n_entries <= n_most, "a set of more room than is needed")?;
        let n_words = n_entries.checked_mul(2).and_then(|n| n.checked_add(SCRATCH_MIN)).ok_or("a set without end")?;
        self.n_scratch = self.n_scratch.max(n_words);
        Ok(())
    }

    fn calendar(&self, calendar: &Calendar) -> Checked {
        self.number(calendar.first_day)?;
        if let Some((table, last)) = calendar.table {
            let Content::Ints32(len) = self.content(table)? else { return Err("periods that are none") };
            holds(self.size(last)? < *len, "a day without a period")?;
        }
        match &calendar.offsets {
            ZoneOffsets::Fixed(slot) => self.number(*slot),
            ZoneOffsets::Steps { table, last } => match self.content(*table)? {
                Content::Zone { n_pairs } => holds(self.size(*last)? < *n_pairs, "fewer offsets than said"),
                _ => Err("offsets that are none"),
            },
        }
    }

    /// Gives the most events that a person can have.
    fn query(&mut self, query: &Query, rows: Rows) -> Checked<usize> {
        self.number(query.to)?;
        query.from.map_or(Ok(()), |from| self.number(from))?;
        let mut longest = 0_usize;
        let mut n_events = Vec::with_capacity(query.sources.len());
        for source in &query.sources {
            let (n_items, most) = self.source(source, rows)?;
            longest = longest.saturating_add(most);
            n_events.push(n_items);
        }
        match &query.merged {
            Some(merged) => self.merged(merged, &n_events, rows),
            None => Ok(longest),
        }
    }

    fn source(&mut self, source: &Source, rows: Rows) -> Checked<(usize, usize)> {
        // People own events also where one of their events is at hand.
        let n_people = rows.people;
        self.nulls(source.nulls.as_ref(), n_people)?;
        let (n_items, longest) = match self.content(source.offsets)? {
            Content::Lists { n_lists, base, n_items, longest, nulls } if n_people <= *n_lists => {
                let taken = source.base.map_or(Ok(0), |slot| self.size(slot))?;
                holds(taken == *base, "events that begin elsewhere")?;
                // Without its own bitmap, a list that is null would have what it lies
                // over.
                let is_plain = nulls.is_none() || *nulls == source.nulls;
                (*n_items, if is_plain { *longest } else { *n_items })
            }
            _ => return Err("events that are none or of too few"),
        };
        match self.content(source.times)? {
            Content::Words(len) => holds(n_items <= *len, "fewer times than events")?,
            _ => return Err("times that are none"),
        }
        let rows = Rows { people: n_people, events: Some(n_items) };
        source.filter.as_ref().map_or(Ok(()), |filter| self.cond(filter, rows))?;
        source.measure.as_ref().map_or(Ok(()), |measure| self.value(measure, rows))?;
        source.predicate.as_ref().map_or(Ok(()), |predicate| self.cond(predicate, rows))?;
        Ok((n_items, longest))
    }

    /// Gives the most events that a person can have.
    fn merged(&self, merged: &Merged, sources: &[usize], rows: Rows) -> Checked<usize> {
        let Content::Sequences { n_lists, n_items, longest, n_events } = self.content(merged.offsets)? else {
            return Err("sequences that are none");
        };
        holds(rows.people <= *n_lists, "sequences of too few")?;
        match self.content(merged.times)? {
            Content::Words(len) => holds(n_items <= len, "fewer times than events")?,
            _ => return Err("times that are none"),
        }
        holds(self.content(merged.source)? == &Content::Sources(merged.offsets), "the sources of other events")?;
        holds(self.content(merged.place)? == &Content::Places(merged.offsets), "the places of other events")?;
        let fits = sources.iter().zip(n_events).all(|(has, needs)| needs <= has);
        holds(fits && sources.len() <= n_events.len(), "fewer events than places")?;
        Ok(*longest)
    }
}

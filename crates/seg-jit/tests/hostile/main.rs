//! Templates and parameters that are put together wrongly, on purpose: each is
//! refused before it runs, or reads nothing but what is there.
//!
//! Buffers are exactly as long as they must be, so that memcheck sees whoever reads
//! past the end of one.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "tests may panic")]

mod data;
mod random;

use arrow_buffer::{BooleanBuffer, Buffer, ScalarBuffer};
use data::{Data, bind, compile, exactly, run};
use seg_data::batch::MergedEvents;
use seg_hir::hir::{CompareOp, End};
use seg_jit::template::{
    Arithmetic, Calendar, Class, Column, Cond, Domain, Function, List, Merged, Nulls, Query, Scale, Set, Source, Store,
    Template, Value, ZoneOffsets,
};
use seg_jit::{ItemKeys, JitError, Parameters, Scratch};

/// What a template and its parameters are refused with.
#[track_caller]
fn refused(template: Template, parameters: Parameters, n_people: usize) -> &'static str {
    match bind(&template, parameters, n_people) {
        Err(JitError::Mismatch(why)) => why,
        Err(JitError::Internal(_)) => "nothing is generated",
        other => panic!("{template:?} is not refused: {other:?}"),
    }
}

/// What nothing is generated for.
#[track_caller]
fn not_generated(template: &Template) -> String {
    match (compile(template), seg_jit::clif(template)) {
        (Err(JitError::Internal(why)), Err(JitError::Internal(_))) => why,
        (other, _) => panic!("{template:?} is not refused: {other:?}"),
    }
}

fn known(column: Column) -> Template {
    Template::Condition(Cond::Known(Value::Column(column)))
}

fn is_positive(value: Value, zero: u32) -> Template {
    Template::Condition(Cond::Compare(CompareOp::Greater, value, Value::Int(zero)))
}

fn count(function: Function, query: Query) -> Template {
    Template::Value(Value::Aggregate { function, query })
}

/// A source of which every slot is the first.
fn source() -> Source {
    Source { offsets: 0, base: None, nulls: None, times: 0, filter: None, measure: None, predicate: None }
}

fn query(parameters: &mut Parameters, sources: Vec<Source>, merged: Option<Merged>) -> Query {
    Query { from: None, to: parameters.int(i64::MAX), sources, merged }
}

#[test]
fn columns_are_as_long_as_the_batch() {
    for n in [1, 63, 64, 65, 130] {
        let values = exactly(vec![7_i64; n]);
        let mut parameters = Parameters::new();
        let column = parameters.optional(Domain::Person, &values);
        let template = known(column);
        assert_eq!(run(&template, parameters.clone(), n).count, n);
        assert_eq!(refused(template.clone(), parameters.clone(), n + 1), "fewer values than rows");
        assert_eq!(refused(template, parameters, usize::MAX), "fewer values than rows");
    }
}

#[test]
fn bits_are_as_many_as_people() {
    for (n_bytes, offset) in [(1, 0), (1, 7), (9, 3), (16, 0)] {
        let n_bits = n_bytes * 8 - offset;
        let bits = BooleanBuffer::new(Buffer::from_vec(vec![255_u8; n_bytes]), offset, n_bits);
        let mut parameters = Parameters::new();
        let column = parameters.bits(Domain::Person, &bits);
        let zero = parameters.int(0);
        let template = is_positive(Value::Column(column.clone()), zero);
        assert_eq!(run(&template, parameters.clone(), n_bits).count, n_bits);
        assert_eq!(refused(template, parameters.clone(), n_bits + 1), "fewer bits than rows");
        // An offset that wraps round, and one that is an address.
        for offset in [parameters.int(-1), parameters.int(i64::MAX), column.values, 99] {
            let column = Column { store: Store::Bit(offset), ..column.clone() };
            refused(known(column.clone()), parameters.clone(), 1);
            let nulls = Some(Nulls { bits: column.values, offset });
            refused(known(Column { store: Store::I64, nulls, ..column.clone() }), parameters.clone(), 1);
        }
    }
}

#[test]
fn slots_are_of_their_kind() {
    let data = Data::new(70);
    let mut p = Parameters::new();
    let (number, source) = (p.int(3), p.events(data.events("A")));
    let texts = p.column(Domain::Person, data.attribute("t")).expect("texts");
    let bytes = p.bytes(&exactly(vec![1_u8; 2]));
    let bits = p.bits(Domain::Person, &BooleanBuffer::new(Buffer::from_vec(vec![255_u8; 9]), 0, 70));
    let column = |store, values| known(Column { domain: Domain::Person, store, values, nulls: None });
    for slot in [number, bytes, bits.values, source.offsets, 1_000, u32::MAX >> 4] {
        for store in [Store::I32, Store::I64, Store::F64, Store::Optional] {
            refused(column(store, slot), p.clone(), 1);
        }
    }
    // Widths are not mistaken for each other.
    refused(column(Store::I64, texts.values), p.clone(), 1);
    refused(column(Store::I32, source.times), p.clone(), 1);
    for slot in [number, source.times, source.offsets, bits.values, texts.values] {
        refused(Template::Condition(Cond::Test { keys: texts.clone(), table: slot }), p.clone(), 1);
        refused(Template::Value(Value::Rank { keys: texts.clone(), table: slot }), p.clone(), 1);
        let keys = Column { values: slot, ..bits.clone() };
        refused(Template::Condition(Cond::Test { keys, table: bytes }), p.clone(), 1);
    }
    let n_ints = [p.int(-1), p.int(1_000_000), source.times, 1_000];
    for n_ints in n_ints {
        let value = Box::new(Value::Int(number));
        refused(Template::Condition(Cond::OneOfInts(value, source.times, n_ints)), p.clone(), 1);
    }
    refused(Template::Condition(Cond::OneOfInts(Box::new(Value::Int(number)), bytes, number)), p.clone(), 1);
    // An address may be read as a number; it is one of 64 bits.
    assert_eq!(run(&Template::Condition(Cond::Known(Value::Int(bytes))), p, 70).count, 70);
}

/// The offset of a slot within the parameters has 32 bits in code.
#[test]
fn slots_that_no_offset_reaches_are_not_generated() {
    for slot in [1 << 28, (1 << 29) + 1, u32::MAX / 4, u32::MAX] {
        not_generated(&Template::Value(Value::Int(slot)));
        not_generated(&Template::Value(Value::Wide(0, slot)));
        let column = Column { domain: Domain::Person, store: Store::Bit(slot), values: 0, nulls: None };
        not_generated(&known(column));
        let source = Source { base: Some(slot), ..source() };
        let query = Query { from: None, to: 0, sources: vec![source], merged: None };
        not_generated(&count(Function::Count, query));
        let limits = Cond::Cardinality { min: 0, max: slot, members: Vec::new() };
        not_generated(&Template::Condition(limits));
    }
}

#[test]
fn classes_fit_their_operations() {
    let number = || Box::new(Value::Number(0));
    let wrong = [
        Value::Arithmetic(Arithmetic::AddInts, number(), number()),
        Value::Arithmetic(Arithmetic::DivideMoney, number(), Box::new(Value::Int(0))),
        Value::ToMoney(number()),
        Value::Scale(number(), Scale { numerator: (0, 0), denominator: (0, 0), least: (0, 0), greatest: (0, 0) }),
        Value::Coalesce(number(), Box::new(Value::Int(0))),
        Value::Coalesce(Box::new(Value::Wide(0, 0)), Box::new(Value::Int(0))),
        Value::Extreme(End::First, vec![Value::Wide(0, 0)]),
        Value::ToNumber(Box::new(Value::Extreme(End::Last, vec![*number()]))),
    ];
    for value in wrong {
        not_generated(&Template::Value(value.clone()));
        not_generated(&Template::Condition(Cond::Not(Box::new(Cond::Known(value.clone())))));
        // Also where it stands in a filter, or in what is measured.
        let plain = source();
        let filter = Source { filter: Some(Cond::Known(value.clone())), ..plain.clone() };
        let measure = Source { measure: Some(value.clone()), ..plain.clone() };
        let predicate = Source { predicate: Some(Box::new(Cond::Known(value))), ..plain };
        for source in [filter, measure, predicate] {
            let query = Query { from: None, to: 0, sources: vec![source], merged: None };
            not_generated(&count(Function::Count, query.clone()));
            not_generated(&Template::Value(Value::EventTime { end: End::Last, n: 0, query: query.clone() }));
            not_generated(&Template::Condition(Cond::FirstOrLastN { end: End::Last, n: 0, query }));
        }
    }
    not_generated(&Template::Condition(Cond::OneOfInts(number(), 0, 0)));
    // Keys that are looked up have 32 bits.
    for store in [Store::F64, Store::I64, Store::Optional, Store::Bit(0)] {
        let keys = Column { domain: Domain::Person, store, values: 0, nulls: None };
        let list = List { domain: Domain::Person, offsets: 0, nulls: None, items: keys.clone() };
        not_generated(&Template::Condition(Cond::HasText(list, 0)));
        not_generated(&Template::Condition(Cond::Test { keys: keys.clone(), table: 0 }));
        not_generated(&Template::Value(Value::Rank { keys, table: 0 }));
    }
}

/// Whatever is no class of its own is generated: of each operation every class that
/// it takes.
#[test]
fn every_class_that_is_taken_is_generated() {
    let mut p = Parameters::new();
    let (low, high) = p.wide(i128::MIN);
    let values = [Value::Int(low), Value::Wide(low, high), Value::Number(low)];
    let missing = [Class::Int, Class::Wide, Class::Number].map(Value::Missing);
    let operations = [
        Arithmetic::AddInts,
        Arithmetic::SubtractInts,
        Arithmetic::MultiplyInts,
        Arithmetic::DivideInts,
        Arithmetic::DivideMoney,
        Arithmetic::MoneyTimesNumber,
        Arithmetic::MoneyByNumber,
        Arithmetic::Add,
        Arithmetic::Subtract,
        Arithmetic::Multiply,
        Arithmetic::Divide,
    ];
    for left in values.iter().chain(&missing) {
        for right in values.iter().chain(&missing) {
            for op in operations {
                let value = Value::Arithmetic(op, Box::new(left.clone()), Box::new(right.clone()));
                let takes = op.takes(left.class()) && op.takes(right.class());
                assert_eq!(compile(&Template::Value(value.clone())).is_ok(), takes, "{value:?}");
                if takes {
                    run(&Template::Value(value), p.clone(), 3);
                }
            }
            let compared = Cond::Compare(CompareOp::Less, left.clone(), right.clone());
            run(&Template::Condition(compared), p.clone(), 3);
        }
        run(&Template::Value(left.clone()), p.clone(), 3);
    }
}

#[test]
fn arithmetic_has_no_edge_to_fall_off() {
    let edges = [0, 1, -1, 2, i64::MIN, i64::MIN + 1, i64::MAX, i64::MAX - 1, 1 << 62];
    let operations = [
        Arithmetic::AddInts,
        Arithmetic::SubtractInts,
        Arithmetic::MultiplyInts,
        Arithmetic::DivideInts,
        Arithmetic::DivideMoney,
        Arithmetic::MoneyTimesNumber,
        Arithmetic::MoneyByNumber,
        Arithmetic::Divide,
    ];
    for op in operations {
        // By slots, so that one kernel meets them all.
        let ints = Template::Value(Value::Arithmetic(op, Box::new(Value::Int(0)), Box::new(Value::Int(1))));
        let wide = Value::Arithmetic(op, Box::new(Value::Wide(0, 1)), Box::new(Value::Wide(1, 0)));
        let kernels = [compile(&ints).expect("code"), compile(&Template::Value(wide)).expect("code")];
        for (left, right) in edges.iter().flat_map(|left| edges.iter().map(move |right| (*left, *right))) {
            let mut p = Parameters::new();
            assert_eq!([p.int(left), p.int(right)], [0, 1]);
            for kernel in &kernels {
                let bound = kernel.bind(p.clone(), 64).expect("bound");
                let mut values = vec![0; 64];
                bound.run(0, &[u64::MAX], &mut [0], &mut values, &mut Scratch::default());
            }
        }
    }
    for denominator in [i128::MIN, -1, 1, i128::MAX, 1 << 64] {
        for numerator in [0, i128::MIN, -1, i128::MAX] {
            let mut p = Parameters::new();
            let scale = Scale {
                numerator: p.wide(numerator),
                denominator: p.wide(denominator),
                least: p.wide(i128::MIN),
                greatest: p.wide(i128::MAX),
            };
            let money = Box::new(Value::Int(p.int(i64::MIN)));
            run(&Template::Value(Value::Scale(money, scale)), p, 2);
        }
    }
    let mut p = Parameters::new();
    let zero = p.wide(0);
    let scale = Scale { numerator: zero, denominator: zero, least: zero, greatest: zero };
    let money = Box::new(Value::Int(zero.0));
    assert_eq!(refused(Template::Value(Value::Scale(money, scale)), p, 2), "a fraction of nothing");
}

#[test]
fn tables_cover_every_key() {
    let data = Data::new(70);
    for (table, is_refused) in [(0, true), (1, true), (2, true), (3, false), (4, false)] {
        for name in ["t", "nulls"] {
            let mut p = Parameters::new();
            let keys = p.column(Domain::Person, data.attribute(name)).expect("texts");
            let test = Cond::Test { keys: keys.clone(), table: p.bytes(&exactly(vec![1_u8; table])) };
            let rank = Value::Rank { keys, table: p.ints32(&exactly(vec![1_i32; table])) };
            for template in [Template::Condition(test), Template::Value(rank)] {
                match is_refused {
                    true => assert_eq!(refused(template, p.clone(), 70), "a table with fewer entries than texts"),
                    false => drop(run(&template, p.clone(), 70)),
                }
            }
        }
    }
    // Without its own bitmap, a key that is not there would be looked up.
    let mut p = Parameters::new();
    let keys = p.column(Domain::Person, data.attribute("nulls")).expect("texts");
    let other = p.column(Domain::Person, data.attribute("n")).expect("integers");
    let table = p.bytes(&exactly(vec![1_u8; 3]));
    for nulls in [None, other.nulls] {
        let keys = Column { nulls, ..keys.clone() };
        let test = Template::Condition(Cond::Test { keys, table });
        assert_eq!(refused(test, p.clone(), 70), "keys without their bitmap");
    }
}

#[test]
fn items_are_of_their_list() {
    let data = Data::new(70);
    let (texts, ints) = (data.attribute("tags"), data.attribute("ns"));
    let n_items = data.n_items("tags");
    assert!(ItemKeys::new(vec![0, 3], 3).is_none() && ItemKeys::new(vec![-1], 3).is_none());
    assert!(ItemKeys::new(vec![0], 0).is_none() && ItemKeys::new(vec![i32::MAX], 5).is_none());
    let keys = |n: usize| ItemKeys::new(vec![2; n], 3).expect("keys");
    let mut p = Parameters::new();
    for n in [0, n_items - 1, n_items + 1] {
        assert!(p.list(Domain::Person, texts, Some(&keys(n))).is_none(), "{n} keys of {n_items} items");
    }
    assert!(p.list(Domain::Person, texts, None).is_none());
    assert!(p.list(Domain::Person, data.attribute("n"), None).is_none());
    assert!(p.column(Domain::Person, texts).is_none());
    let list = p.list(Domain::Person, texts, Some(&keys(n_items))).expect("a list");
    let other = p.list(Domain::Person, ints, None).expect("a list");
    let tables = [2, 3].map(|n| p.bytes(&exactly(vec![1_u8; n])));
    let has = |list: &List, table| Template::Condition(Cond::HasText(list.clone(), table));
    refused(has(&list, tables[0]), p.clone(), 70);
    run(&has(&list, tables[1]), p.clone(), 70);
    refused(has(&list, tables[1]), p.clone(), 71);
    refused(has(&other, tables[1]), p.clone(), 70);
    // The items of one list by the offsets of another, which has more of them.
    assert!(data.n_items("ns") > n_items);
    let mixed = List { items: list.items.clone(), ..other.clone() };
    refused(has(&mixed, tables[1]), p.clone(), 70);
    refused(Template::Value(Value::ListLength(mixed)), p.clone(), 70);
    // Items are found by their own places, whatever they are said to be about.
    let items = Column { domain: Domain::Event, ..list.items.clone() };
    refused(Template::Value(Value::ListLength(List { items, ..list.clone() })), p.clone(), 70);
    // Offsets that are those of events, or none.
    let source = p.events(data.events("A"));
    for offsets in [source.times, 0, list.items.values, 1_000] {
        refused(Template::Condition(Cond::ListKnown(List { offsets, ..list.clone() })), p.clone(), 70);
    }
    for list in [list, other] {
        run(&Template::Value(Value::ListLength(list.clone())), p.clone(), 70);
        run(&Template::Condition(Cond::Has(list, Value::Int(0))), p.clone(), 70);
    }
}

#[test]
fn lists_of_slices_are_read_where_they_lie() {
    let whole = Data::new(130);
    for (from, len) in [(0, 130), (1, 64), (63, 66), (129, 1), (130, 0)] {
        let data = whole.slice(from, len);
        let mut p = Parameters::new();
        let list = p.list(Domain::Person, data.attribute("ns"), None).expect("a list");
        run(&Template::Value(Value::ListLength(list.clone())), p.clone(), len);
        refused(Template::Value(Value::ListLength(list)), p.clone(), len + 1);
        let mut source = p.events(data.events("A"));
        source.measure = Some(Value::Column(p.column(Domain::Event, data.property("A", "amount")).expect("amounts")));
        let is_moved = source.base.is_some();
        let total = count(Function::TotalInts, query(&mut p, vec![source.clone()], None));
        assert_eq!(run(&total, p.clone(), len).count, len);
        refused(total, p.clone(), len + 1);
        // Without what is to be taken off, or with something else.
        for base in [None, Some(p.int(1_000)), Some(p.int(-1)), Some(source.times)] {
            if base.is_some() || is_moved {
                let source = Source { base, ..source.clone() };
                refused(count(Function::Count, query(&mut p, vec![source], None)), p.clone(), len);
            }
        }
    }
}

#[test]
fn columns_of_events_have_one_value_each() {
    let (data, other) = (Data::new(70), Data::new(7));
    let mut p = Parameters::new();
    let source = p.events(data.events("A"));
    let short = p.column(Domain::Event, other.property("A", "amount")).expect("amounts");
    let measured = |measure| Source { measure: Some(measure), ..source.clone() };
    let total = |p: &mut Parameters, source| count(Function::TotalInts, query(p, vec![source], None));
    let wrong = total(&mut p, measured(Value::Column(short.clone())));
    assert_eq!(refused(wrong, p.clone(), 70), "fewer values than rows");
    let filter = Some(Cond::Known(Value::Column(short.clone())));
    let wrong = total(&mut p, Source { filter, ..source.clone() });
    refused(wrong, p.clone(), 70);
    let times = p.events(other.events("A")).times;
    let wrong = total(&mut p, Source { times, ..source.clone() });
    assert_eq!(refused(wrong, p.clone(), 70), "fewer times than events");
    // Outside of a query, the row is the person's.
    refused(known(short.clone()), p.clone(), 70);
    let events = p.column(Domain::Event, data.property("A", "amount")).expect("amounts");
    run(&known(events.clone()), p.clone(), 70);
    // In a query in the filter of another, the inner one's events are at hand.
    let inner = |p: &mut Parameters, measure| {
        let source = p.events(other.events("A"));
        let source = Source { measure: Some(Value::Column(measure)), ..source };
        let query = query(p, vec![source], None);
        Cond::Known(Value::Aggregate { function: Function::TotalInts, query })
    };
    for (measure, is_refused) in [(short, false), (events, false)] {
        let filter = Some(inner(&mut p, measure));
        let template = total(&mut p, Source { filter, ..source.clone() });
        assert!(!is_refused);
        // Seven people have such events, whatever the outer ones are.
        assert_eq!(refused(template.clone(), p.clone(), 8), "events that are none or of too few");
        run(&template, p.clone(), 7);
    }
}

/// A set in which no entry is free would be searched without end.
#[test]
fn sets_have_room() {
    let data = Data::new(70);
    let longest = data.events("A").longest() as i64;
    assert_eq!(longest, 7);
    let different = |p: &mut Parameters, limit| {
        let mut source = p.events(data.events("A"));
        source.measure = Some(Value::Column(p.column(Domain::Event, data.property("A", "amount")).expect("amounts")));
        count(Function::CountDifferent(Set::Table(limit)), query(p, vec![source], None))
    };
    let too_large = [i64::MAX, i64::MAX - 1, (1 << 40) - 1, (1 << 62) - 1];
    for limit in [-1, 0, 1, 3, 6, 8, 100, i64::MIN].into_iter().chain(too_large) {
        let mut p = Parameters::new();
        let limit = p.int(limit);
        let template = different(&mut p, limit);
        refused(template, p, 70);
    }
    let mut p = Parameters::new();
    let limit = p.int((2 * longest as u64).next_power_of_two() as i64 - 1);
    let template = different(&mut p, limit);
    assert!(run(&template, p, 70).values.contains(&longest));
}

/// A list that is null may lie over more events than anybody has. With the bitmap of
/// something else, those would be somebody's.
#[test]
fn sets_have_room_for_lists_that_are_null() {
    let data = Data::with_long_null_list(70);
    let events = data.events("A");
    assert!(events.longest() < 8 && events.len() > 100);
    let mut p = Parameters::new();
    let mut source = p.events(events);
    source.measure = Some(Value::Column(p.column(Domain::Event, data.property("A", "amount")).expect("amounts")));
    let limit = p.int(15);
    let function = Function::CountDifferent(Set::Table(limit));
    let right = count(function.clone(), query(&mut p, vec![source.clone()], None));
    run(&right, p.clone(), 70);
    // Everybody is there by these bits.
    let bits = p.bits(Domain::Person, &BooleanBuffer::new(Buffer::from_vec(vec![255_u8; 9]), 0, 70));
    let Store::Bit(offset) = bits.store else { panic!("no bits") };
    for nulls in [None, Some(Nulls { bits: bits.values, offset })] {
        let source = Source { nulls, ..source.clone() };
        let wrong = count(function.clone(), query(&mut p, vec![source], None));
        assert_eq!(refused(wrong, p.clone(), 70), "a set without room");
    }
}

#[test]
fn sets_have_room_for_merged_events() {
    // One person has as many events as seventy have together.
    let (many, one) = (Data::new(70), Data::of_one_person(200));
    let mut p = Parameters::new();
    let mut source = p.events(many.events("A"));
    let amounts = exactly((0..many.events("A").len() as i64).collect());
    source.measure = Some(Value::Column(p.optional(Domain::Event, &amounts)));
    assert!(many.events("A").len() >= one.events("A").len());
    let merged = p.merged(&MergedEvents::new(&one.batch, &[one.event("A")]));
    let limit = p.int((2 * many.events("A").longest()).next_power_of_two() as i64 - 1);
    let function = Function::CountDifferent(Set::Table(limit));
    let wrong = count(function, query(&mut p, vec![source], Some(merged)));
    assert_eq!(refused(wrong, p, 1), "a set without room");
}

/// The inner set would overwrite the entries of the outer one.
#[test]
fn a_set_is_not_filled_within_another() {
    let data = Data::new(70);
    let mut p = Parameters::new();
    let limit = p.int(63);
    let mut source = p.events(data.events("A"));
    source.measure = Some(Value::Column(p.column(Domain::Event, data.property("A", "amount")).expect("amounts")));
    let function = Function::CountDifferent(Set::Table(limit));
    let inner = Value::Aggregate { function: function.clone(), query: query(&mut p, vec![source.clone()], None) };
    let outer = Source { filter: Some(Cond::Known(inner.clone())), ..source.clone() };
    let wrong = count(function, query(&mut p, vec![outer.clone()], None));
    assert_eq!(refused(wrong, p.clone(), 70), "a set within a set");
    // Within a walk that fills none it is one after another.
    let counted = count(Function::Count, query(&mut p, vec![outer], None));
    run(&counted, p.clone(), 70);
    let both = Template::Condition(Cond::Compare(CompareOp::Less, inner.clone(), inner));
    run(&both, p, 70);
}

#[test]
fn merged_events_are_those_of_their_sources() {
    let (data, other) = (Data::new(70), Data::new(7));
    let names = [data.event("A"), data.event("B")];
    let mut p = Parameters::new();
    let (a, b) = (p.events(data.events("A")), p.events(data.events("B")));
    let merged = p.merged(&MergedEvents::new(&data.batch, &names));
    let fewer = p.merged(&MergedEvents::new(&other.batch, &names));
    let sources = vec![a.clone(), b.clone()];
    let counted = |p: &mut Parameters, sources, merged| count(Function::Count, query(p, sources, Some(merged)));
    let right = counted(&mut p, sources.clone(), merged.clone());
    assert_eq!(run(&right, p.clone(), 70).count, 70);
    let wrong = [
        // Of another batch, of which there are too few.
        (sources.clone(), fewer.clone()),
        (sources.clone(), Merged { times: fewer.times, ..merged.clone() }),
        (sources.clone(), Merged { source: fewer.source, ..merged.clone() }),
        (sources.clone(), Merged { place: fewer.place, ..merged.clone() }),
        (sources.clone(), Merged { place: merged.source, ..merged.clone() }),
        (sources.clone(), Merged { offsets: a.offsets, ..merged.clone() }),
        // In another order, and with a source more than there is.
        (vec![b.clone(), a.clone()], merged.clone()),
        (vec![a.clone(), b.clone(), b.clone()], merged.clone()),
    ];
    assert!(data.events("A").len() != data.events("B").len());
    for (sources, merged) in wrong {
        let template = counted(&mut p, sources, merged);
        refused(template, p.clone(), 70);
    }
    // Those of a batch of more people lie elsewhere, but nowhere else than they say.
    let few = vec![p.events(other.events("A")), p.events(other.events("B"))];
    let mixed = counted(&mut p, few, merged);
    refused(mixed, p, 7);
}

#[test]
fn lists_of_events_that_are_null_have_none() {
    let data = Data::with_long_null_list(70);
    let mut p = Parameters::new();
    let source = p.events(data.events("A"));
    assert!(source.nulls.is_some());
    let merged = p.merged(&MergedEvents::new(&data.batch, &[data.event("A")]));
    for merged in [None, Some(merged)] {
        let template = count(Function::Count, query(&mut p, vec![source.clone()], merged));
        assert_eq!(run(&template, p.clone(), 70).values.iter().sum::<i64>(), 69);
    }
}

#[test]
fn periods_are_of_their_table() {
    let data = Data::new(70);
    let mut p = Parameters::new();
    let source = p.events(data.events("A"));
    let limit = p.int(63);
    let table = p.ints32(&exactly(vec![1, 2, 3]));
    let (two, three, below, zero) = (p.int(2), p.int(3), p.int(-1), p.int(0));
    let far = [zero, p.int(i64::MAX), p.int(i64::MIN)];
    let periods = |p: &mut Parameters, calendar, set| {
        Template::Value(Value::Periods { calendar, set, query: query(p, vec![source.clone()], None) })
    };
    // Whatever the first day is, a day outside is the last of the table.
    for first_day in far {
        let steps = p.zone(&[(0, 0), (5, i64::MAX), (1, i64::MIN), (i64::MIN, 3)]);
        for offsets in [ZoneOffsets::Fixed(zero), ZoneOffsets::Fixed(first_day), steps] {
            for set in [Set::Word, Set::Table(limit)] {
                let calendar = Calendar { offsets: offsets.clone(), first_day, table: Some((table, two)) };
                let template = periods(&mut p, calendar.clone(), set.clone());
                run(&template, p.clone(), 70);
                let template = periods(&mut p, Calendar { table: None, ..calendar.clone() }, set.clone());
                run(&template, p.clone(), 70);
                for table in [(table, three), (table, below), (table, table), (limit, two), (source.times, two)] {
                    let template = periods(&mut p, Calendar { table: Some(table), ..calendar.clone() }, set.clone());
                    refused(template, p.clone(), 70);
                }
            }
        }
    }
    let ZoneOffsets::Steps { table, last } = p.zone(&[(0, 0), (1, 1)]) else { panic!("one offset") };
    assert_eq!(p.number(last), Some(1));
    for (table, last) in [(table, two), (table, below), (source.times, last), (table, table), (limit, last)] {
        let calendar = Calendar { offsets: ZoneOffsets::Steps { table, last }, first_day: zero, table: None };
        let template = periods(&mut p, calendar, Set::Word);
        refused(template, p.clone(), 70);
    }
    assert!(matches!(p.zone(&[]), ZoneOffsets::Fixed(_)));
}

#[test]
fn numbers_of_events_may_be_any() {
    let data = Data::new(70);
    for n in [i64::MIN, -1, 0, 1, 5, i64::MAX] {
        for end in [End::First, End::Last] {
            let mut p = Parameters::new();
            let predicate = Some(Box::new(Cond::Const(true)));
            let source = Source { predicate, ..p.events(data.events("A")) };
            let n = p.int(n);
            let query = query(&mut p, vec![source], None);
            let time = Template::Value(Value::EventTime { end, n, query: query.clone() });
            run(&time, p.clone(), 70);
            run(&Template::Condition(Cond::FirstOrLastN { end, n, query }), p.clone(), 70);
            let limits = Cond::Cardinality { min: n, max: n, members: vec![Cond::Const(true); 3] };
            run(&Template::Condition(limits), p, 70);
        }
    }
}

/// Slices of other lengths than each other, people past the end, and rows that no
/// batch has.
#[test]
fn a_run_keeps_to_what_it_is_given() {
    for n in [0_usize, 1, 64, 65, 200] {
        let mut p = Parameters::new();
        let values: ScalarBuffer<i64> = exactly((0..n as i64).collect());
        let column = p.optional(Domain::Person, &values);
        let condition = bind(&known(column.clone()), p.clone(), n).expect("bound");
        let value = bind(&Template::Value(Value::Column(column)), p, n).expect("bound");
        let mut scratch = Scratch::default();
        for first in [0, 1, 37, 64, 199, 200, 1 << 40, usize::MAX - 64, usize::MAX] {
            for (n_selection, n_out, n_values) in
                [(0, 0, 0), (5, 5, 320), (1, 5, 320), (5, 1, 320), (5, 5, 63), (5, 5, 129)]
            {
                let selection = vec![u64::MAX; n_selection];
                let mut out = vec![0; n_out];
                let mut written = vec![-1; n_values];
                condition.run(first, &selection, &mut out, &mut [], &mut scratch);
                let expected = n.saturating_sub(first).min(64 * n_selection.min(n_out));
                assert_eq!(out.iter().map(|word| word.count_ones() as usize).sum::<usize>(), expected);
                out.fill(0);
                value.run(first, &selection, &mut out, &mut written, &mut scratch);
                let expected = expected.min(n_values / 64 * 64);
                assert_eq!(out.iter().map(|word| word.count_ones() as usize).sum::<usize>(), expected);
                let rows = (first..).take(expected).map(|row| row as i64);
                assert!(rows.eq(written.iter().copied().filter(|value| *value != -1)));
            }
        }
    }
}

/// Nobody is asked about, so that nothing need be there but what is looked at first.
#[test]
fn a_batch_of_nobody_is_read_nowhere() {
    let data = Data::new(0);
    let mut p = Parameters::new();
    let source = p.events(data.events("A"));
    let template = count(Function::Count, query(&mut p, vec![source], None));
    assert_eq!(run(&template, p.clone(), 0).count, 0);
    refused(template, p, 1);
    let bound = bind(&Template::Condition(Cond::Const(true)), Parameters::new(), usize::MAX).expect("bound");
    let mut out = [0; 3];
    bound.run(usize::MAX - 100, &[u64::MAX; 3], &mut out, &mut [], &mut Scratch::default());
    assert_eq!(out.map(u64::count_ones), [64, 36, 0]);
}

/// Kernels of different needs take turns with one scratch memory.
#[test]
fn scratch_memory_is_as_large_as_it_must_be() {
    let data = Data::new(70);
    let mut scratch = Scratch::default();
    for n_entries in [8_i64, 128, 16, 64] {
        let mut p = Parameters::new();
        let limit = p.int(n_entries - 1);
        let mut source = p.events(data.events("A"));
        source.measure = Some(Value::Column(p.column(Domain::Event, data.property("A", "amount")).expect("amounts")));
        let template = count(Function::CountDifferent(Set::Table(limit)), query(&mut p, vec![source], None));
        let bound = bind(&template, p, 70).expect("bound");
        let (mut out, mut values) = ([0; 2], vec![0; 128]);
        bound.run(0, &[u64::MAX; 2], &mut out, &mut values, &mut scratch);
        assert_eq!(*values.iter().max().expect("values"), data.events("A").longest() as i64);
    }
}

/// Code of many conditions needs much of the stack. It must meet the page that ends
/// the stack, and not step over it.
#[test]
fn code_does_not_step_over_the_end_of_the_stack() {
    const ALONE: &str = "SEG_SMALL_STACK";
    const N_MEMBERS: u32 = 8_000;
    let members: Vec<Cond> =
        (0..N_MEMBERS).map(|slot| Cond::Compare(CompareOp::Equal, Value::Int(slot), Value::Int(0))).collect();
    if std::env::var_os(ALONE).is_some() {
        let mut p = Parameters::new();
        (0..N_MEMBERS).for_each(|n| assert_eq!(p.int(n.into()), n));
        let bound = bind(&Template::Condition(Cond::All(members)), p, 64).expect("bound");
        let thread = std::thread::Builder::new().stack_size(1 << 15);
        // No word is asked about, so that nothing of the stack is used but its end.
        let run = move || bound.run(0, &[], &mut [], &mut [], &mut Scratch::default());
        thread.spawn(run).expect("a thread").join().expect("no panic");
        return;
    }
    let mut command = std::process::Command::new(std::env::current_exe().expect("this program"));
    command.args(["--exact", "code_does_not_step_over_the_end_of_the_stack"]).env(ALONE, "1");
    let output = command.output().expect("started");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && said.contains("overflow"), "{:?} {said}", output.status);
}

/// What is put together by chance, mostly of slots of the right kind.
#[test]
fn templates_by_chance_are_refused_or_harmless() {
    let n = std::env::var("SEG_HOSTILE_TEMPLATES").ok().and_then(|n| n.parse().ok()).unwrap_or(1_000);
    let found = random::attack(n);
    // Neither kind may be so rare that nothing is tried.
    assert!(found.n_run > n / 10 && found.n_refused > n / 10, "{found:?}");
}

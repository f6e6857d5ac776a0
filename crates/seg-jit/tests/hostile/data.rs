//! Batches in memory that is exactly as long as they need, and kernels run over them.

use arrow_array::cast::AsArray;
use arrow_array::types::Int32Type;
use arrow_array::{
    Array, ArrayRef, DictionaryArray, Float64Array, Int32Array, Int64Array, ListArray, RecordBatch, StringArray,
    StructArray, TimestampMicrosecondArray,
};
use arrow_buffer::{ArrowNativeType, BooleanBuffer, Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::Field;
use seg_data::batch::{Column, Events};
use seg_data::{AttributeId, Batch, Cancel, EventId, PropertyId, Schema};
use seg_jit::template::Template;
use seg_jit::{BoundKernel, Jit, JitError, Kernel, Parameters, Scratch};
use std::num::NonZero;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

const SCHEMA: &str = r#"
[attributes]
n = "integer"
x = "number"
t = "text"
nulls = "text"
tags = "list of text"
ns = "list of integer"
[events.A]
properties = { amount = "integer", kind = "text" }
[events.B]
properties = { amount = "integer" }
"#;

/// A buffer that is allocated as long as it is, so that memcheck knows its end.
pub fn exactly<T: ArrowNativeType>(values: Vec<T>) -> ScalarBuffer<T> {
    ScalarBuffer::from(values.into_boxed_slice().into_vec())
}

fn bits(len: usize, is_set: impl Fn(usize) -> bool) -> BooleanBuffer {
    let mut bytes = vec![0_u8; len.div_ceil(8)];
    (0..len).filter(|at| is_set(*at)).for_each(|at| bytes[at / 8] |= 1 << (at % 8));
    BooleanBuffer::new(Buffer::from_vec(bytes), 0, len)
}

fn nulls(len: usize, is_valid: impl Fn(usize) -> bool) -> NullBuffer {
    NullBuffer::new(bits(len, is_valid))
}

fn texts(keys: Vec<i32>, nulls: Option<NullBuffer>) -> ArrayRef {
    let keys = Int32Array::new(exactly(keys), nulls);
    Arc::new(DictionaryArray::<Int32Type>::new(keys, Arc::new(StringArray::from(vec!["a", "b", "c"]))))
}

fn lists(lengths: &[usize], items: ArrayRef, nulls: Option<NullBuffer>) -> ArrayRef {
    let ends = lengths.iter().scan(0, |end, len| {
        *end += *len as i32;
        Some(*end)
    });
    let offsets = OffsetBuffer::new(exactly(std::iter::once(0).chain(ends).collect()));
    let item = Arc::new(Field::new("item", items.data_type().clone(), true));
    Arc::new(ListArray::new(item, offsets, items, nulls))
}

/// Events of each person, so many each, an hour apart.
fn events(lengths: &[usize], with_kind: bool, nulls: Option<NullBuffer>) -> ArrayRef {
    let n: usize = lengths.iter().sum();
    let times = lengths.iter().flat_map(|len| (0..*len as i64).map(|at| at * 3_600_000_000)).collect();
    let times: ArrayRef = Arc::new(TimestampMicrosecondArray::new(exactly(times), None).with_timezone("UTC"));
    let amounts: ArrayRef = Arc::new(Int64Array::new(exactly((0..n as i64).collect()), None));
    let mut fields = vec![
        (Arc::new(Field::new("time", times.data_type().clone(), false)), times),
        (Arc::new(Field::new("amount", amounts.data_type().clone(), true)), amounts),
    ];
    if with_kind {
        // What is under a null is no key at all.
        let keys = (0..n).map(|at| if at % 3 == 1 { 1 << 30 } else { at as i32 % 3 }).collect();
        let kinds = texts(keys, Some(self::nulls(n, |at| at % 3 != 1)));
        fields.push((Arc::new(Field::new("kind", kinds.data_type().clone(), true)), kinds));
    }
    lists(lengths, Arc::new(StructArray::from(fields)), nulls)
}

/// A batch of people.
pub struct Data {
    pub batch: Batch,
}

impl Data {
    /// So many people, with one to seven events of one name and none to two of
    /// another.
    pub fn new(n: usize) -> Data {
        let lengths: Vec<usize> = (0..n).map(|row| 1 + row % 7).collect();
        let few: Vec<usize> = (0..n).map(|row| row % 3).collect();
        Data::with_events(n, events(&lengths, true, None), events(&few, false, None))
    }

    /// One person with so many events.
    pub fn of_one_person(n_events: usize) -> Data {
        Data::with_events(1, events(&[n_events], true, None), events(&[0], false, None))
    }

    /// Everybody has one event but the third person, whose list is null and lies over
    /// a hundred.
    pub fn with_long_null_list(n: usize) -> Data {
        let lengths: Vec<usize> = (0..n).map(|row| if row == 2 { 100 } else { 1 }).collect();
        let a = events(&lengths, true, Some(nulls(n, |row| row != 2)));
        Data::with_events(n, a, events(&vec![0; n], false, None))
    }

    fn with_events(n: usize, a: ArrayRef, b: ArrayRef) -> Data {
        let ids = StringArray::from_iter_values((0..n).map(|row| row.to_string()));
        let garbage = |row: usize| if row % 2 == 1 { i32::MIN + row as i32 } else { row as i32 % 3 };
        let tags: Vec<usize> = (0..n).map(|row| row % 2).collect();
        let items = StringArray::from_iter_values((0..n / 2).map(|at| if at % 2 == 0 { "a" } else { "b" }));
        let ns: Vec<usize> = (0..n).map(|row| 1 + row % 4).collect();
        let n_ns: usize = ns.iter().sum();
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("profile_id", Arc::new(ids)),
            ("n", Arc::new(Int64Array::new(exactly((0..n as i64).collect()), Some(nulls(n, |row| row % 5 != 0))))),
            ("x", Arc::new(Float64Array::new(exactly((0..n).map(|row| row as f64 / 3.0).collect()), None))),
            ("t", texts((0..n as i32).map(|row| row % 3).collect(), None)),
            ("nulls", texts((0..n).map(garbage).collect(), Some(nulls(n, |row| row % 2 == 0)))),
            ("tags", lists(&tags, Arc::new(items), None)),
            (
                "ns",
                lists(
                    &ns,
                    Arc::new(Int64Array::new(exactly((0..n_ns as i64).collect()), None)),
                    Some(nulls(n, |row| row % 6 != 1)),
                ),
            ),
            ("A", a),
            ("B", b),
        ];
        let columns = columns.into_iter().map(|(name, column)| (name, column, true));
        Data::of(RecordBatch::try_from_iter_with_nullable(columns).expect("columns of one length"))
    }

    fn of(records: RecordBatch) -> Data {
        let (schema, problems) = seg_data::schema::parse(SCHEMA);
        assert!(problems.is_empty(), "{problems:?}");
        Data { batch: Batch::try_new(Arc::new(schema), records).expect("a batch") }
    }

    /// Some of the people, in the same memory.
    pub fn slice(&self, from: usize, len: usize) -> Data {
        Data::of(self.batch.records().slice(from, len))
    }

    fn schema(&self) -> &Schema {
        self.batch.schema()
    }

    pub fn attribute(&self, name: &str) -> &Column {
        let at = self.schema().attributes.iter().position(|a| a.name == name).expect("an attribute");
        self.batch.attribute_column(AttributeId(at as u32)).expect("a column")
    }

    pub fn event(&self, name: &str) -> EventId {
        EventId(self.schema().events.iter().position(|e| e.name == name).expect("an event") as u32)
    }

    pub fn events(&self, name: &str) -> &Events {
        self.batch.events(self.event(name)).expect("events")
    }

    pub fn property(&self, event: &str, name: &str) -> &Column {
        let schema = self.schema().event(self.event(event)).expect("an event");
        let at = schema.properties.iter().position(|p| p.name == name).expect("a property");
        self.events(event).property_column(PropertyId(at as u32)).expect("a column")
    }

    pub fn n_items(&self, list: &str) -> usize {
        self.attribute(list).array().as_list::<i32>().values().len()
    }
}

/// The kernel of a template.
pub fn compile(template: &Template) -> Result<Kernel, JitError> {
    let kernels = Jit::new().kernels(&[template], NonZero::<usize>::MIN, &Cancel::new())?;
    kernels.into_iter().next().ok_or_else(|| JitError::Internal("no kernel".to_owned()))
}

/// The kernel of a template with parameters.
pub fn bind(template: &Template, parameters: Parameters, n_people: usize) -> Result<BoundKernel, JitError> {
    compile(template)?.bind(parameters, n_people)
}

/// What a kernel answers.
pub struct Answers {
    /// For how many people the condition holds or the value is there.
    pub count: usize,
    /// The value of each person, if values are what it computes.
    pub values: Vec<i64>,
}

/// Runs a kernel for everybody, and for the bits past the end too.
#[track_caller]
pub fn run(template: &Template, parameters: Parameters, n_people: usize) -> Answers {
    let bound = bind(template, parameters, n_people).unwrap_or_else(|e| panic!("{e}: {template:?}"));
    run_bound(bound, n_people)
}

/// The same of a kernel that is bound. One that does not end ends the test.
pub fn run_bound(bound: BoundKernel, n_people: usize) -> Answers {
    let (give, take) = channel();
    let what = format!("{bound:?}");
    std::thread::spawn(move || {
        let n_words = n_people.div_ceil(64) + 1;
        let mut out = vec![0_u64; n_words].into_boxed_slice();
        let mut values = vec![0_i64; if bound.has_values() { n_words * 64 } else { 0 }].into_boxed_slice();
        bound.run(0, &vec![u64::MAX; n_words], &mut out, &mut values, &mut Scratch::default());
        let count = out.iter().map(|word| word.count_ones() as usize).sum();
        let values = values.iter().copied().take(n_people).collect();
        drop(give.send(Answers { count, values }));
    });
    match take.recv_timeout(Duration::from_secs(120)) {
        Ok(answers) => answers,
        Err(RecvTimeoutError::Timeout) => panic!("it does not end: {what}"),
        Err(RecvTimeoutError::Disconnected) => panic!("it panics: {what}"),
    }
}

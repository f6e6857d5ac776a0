//! Faults on purpose, for the tests that must find them. Not part of any build but
//! theirs.
//!
//! Each is a mistake that somebody could make in choosing how conditions read a
//! batch, in deriving columns, in a kernel or in the run loop; those of generating
//! code are [`seg_jit::fault`].

use crate::kernels::{ColumnScan, ColumnTest, SharedWalk};
use crate::options::ExecOptions;
use crate::physical::{Access, AggregateSource, AggregateTest, Kind, PhysicalPlan, Step};
use crate::program::{CompiledPlan, link, physical};
use arrow_buffer::ScalarBuffer;
use seg_data::{Batch, Timestamp};
use seg_jit::template::MISSING;
use seg_jit::{Jit, JitError};
use seg_plan::Plan;

/// Makes the type with a list of all that it holds.
macro_rules! faults {
    ($($name:ident)*) => {
        /// A mistake outside of generated code.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[allow(missing_docs)]
        pub enum Fault {
            $($name,)*
        }

        impl Fault {
            /// All of them.
            pub const ALL: &'static [Fault] = &[$(Fault::$name,)*];
        }
    };
}

faults! {
    // Kernels over a column.
    ScanNullsIgnored
    ScanBeginsLate
    ScanBeginsEarly
    ScanEndsEarly
    ScanEndsLate
    ScanDatesEndLate
    ScanNumbersEndEarly
    ScanBitsFlipped
    ScanKeyForgotten
    ScanTableIsYes
    ScanAnyTextForText
    // Derived columns.
    DerivedMissingIsThere
    DerivedOfNextPerson
    DerivedIsOneMore
    ZoneEqualIsTooEarly
    ZonesOfNextPeople
    TopKOneForgotten
    TopKOneMore
    // Kernels that walk.
    SequenceTakesLonger
    SequenceIsOver
    SequenceIsOther
    SequenceStopsEarly
    TotalsBeginLate
    TotalsForAverages
    TotalsOfNobodyMissing
    LastTimesOneFurther
    TextsAreOthers
    DaysBeginEarly
    DaysEdgeIgnored
    DaysBeginLate
    // The chooser.
    SharedIsAlwaysThere
    SharedEqualIsNotEnough
    SharedEqualIsMore
    MemberForgotten
    AnyForAll
    OneMoreOfSeveral
    NotDropped
    SegmentsSwapped
    // The run loop.
    BlockOfStaleValues
    BlockOfFirstPeople
    AllStopsAtFirst
    AnyForgetsFirst
    NotOfEverybody
    WordsOfFirstBlock
    EverybodyExists
}

/// Compiles a plan with a mistake.
///
/// # Errors
/// Those of [`crate::compile`]; also where the mistake is refused.
pub fn compile_with_fault(
    jit: &Jit,
    plan: &Plan,
    batch: &Batch,
    now: Timestamp,
    options: &ExecOptions,
    fault: Fault,
) -> Result<CompiledPlan, JitError> {
    let mut physical = physical(plan, batch, now, options);
    physical.apply(fault);
    let mut compiled = link(jit, physical, options)?;
    compiled.fault = Some(fault);
    Ok(compiled)
}

/// Compiles a plan with a mistake in what code is generated from.
///
/// # Errors
/// Those of [`crate::compile`]; also where the mistake is refused.
pub fn compile_with_code_fault(
    jit: &Jit,
    plan: &Plan,
    batch: &Batch,
    now: Timestamp,
    options: &ExecOptions,
    fault: seg_jit::fault::Fault,
) -> Result<CompiledPlan, JitError> {
    let mut physical = physical(plan, batch, now, options);
    for code in &mut physical.codegen {
        seg_jit::fault::apply(fault, &mut code.selected.template, &mut code.selected.parameters);
    }
    link(jit, physical, options)
}

impl PhysicalPlan {
    fn apply(&mut self, fault: Fault) {
        self.steps.iter_mut().for_each(|step| step.apply(fault));
        for (walk, _) in &mut self.walks {
            match walk {
                SharedWalk::Times(times) => times.apply(fault),
                SharedWalk::Sequences(sequences) => sequences.apply(fault),
                SharedWalk::Totals(totals) => totals.apply(fault),
            }
        }
        for aggregate in &mut self.aggregates {
            match &mut aggregate.source {
                AggregateSource::Texts(met) => met.apply(fault),
                AggregateSource::Days(days) => days.apply(fault),
                AggregateSource::Codegen(_) | AggregateSource::Walk(_) => {}
            }
        }
        if fault == Fault::SegmentsSwapped {
            let steps: Vec<usize> = self.roots.iter().map(|(_, step)| *step).collect();
            let next = steps.iter().cycle().skip(1);
            self.roots.iter_mut().zip(next).for_each(|((_, step), next)| *step = *next);
        }
    }
}

impl Step {
    fn apply(&mut self, fault: Fault) {
        match (fault, &mut self.kind) {
            (_, Kind::Access(access)) => access.apply(fault),
            (Fault::MemberForgotten, Kind::All(members)) => drop(members.pop()),
            (Fault::OneMoreOfSeveral, Kind::Cardinality { min, .. }) => *min += 1,
            _ => {}
        }
        let replaced = match (fault, &self.kind) {
            (Fault::AnyForAll, Kind::All(members)) => Some(Kind::Any(members.clone())),
            // Of one, all is the one itself.
            (Fault::NotDropped, Kind::Not(inner)) => Some(Kind::All(vec![*inner])),
            _ => None,
        };
        if let Some(replaced) = replaced {
            self.kind = replaced;
        }
    }
}

impl Access {
    fn apply(&mut self, fault: Fault) {
        match self {
            Access::TopK(words) => {
                let word = words.iter_mut().find(|word| **word != 0);
                match (fault, word) {
                    (Fault::TopKOneForgotten, Some(word)) => *word &= *word - 1,
                    (Fault::TopKOneMore, Some(word)) => *word |= *word + 1,
                    _ => {}
                }
            }
            Access::Attribute(scan) | Access::Precomputed(scan) => scan.apply(fault),
            Access::DerivedColumn(_, scan) => {
                scan.apply(fault);
                scan.apply_derived(fault);
            }
            Access::SharedAggregate(_, test) => match (fault, &mut *test) {
                (Fault::SharedIsAlwaysThere, AggregateTest::InRange(range)) => range.least = i64::MIN,
                (Fault::SharedEqualIsNotEnough, AggregateTest::InRange(range)) if range.least > i64::MIN => {
                    range.least += 1;
                }
                (Fault::SharedEqualIsMore, AggregateTest::InRange(range)) if range.greatest < i64::MAX => {
                    range.greatest += 1;
                }
                _ => {}
            },
            Access::Codegen(_) => {}
        }
    }
}

impl ColumnScan {
    fn apply(&mut self, fault: Fault) {
        if fault == Fault::ScanNullsIgnored {
            self.valid = None;
        }
        if let Some(zones) = &mut self.zones {
            match fault {
                Fault::ZoneEqualIsTooEarly => zones.least += 1,
                Fault::ZonesOfNextPeople => zones.column = zones.column.with_next_zones().into(),
                _ => {}
            }
        }
        match (fault, &mut self.test) {
            (Fault::ScanBeginsLate, ColumnTest::Ints64(_, range)) => range.least = range.least.saturating_add(1),
            (Fault::ScanBeginsEarly, ColumnTest::Ints64(_, range)) => range.least = range.least.saturating_sub(1),
            (Fault::ScanEndsEarly, ColumnTest::Ints64(_, range)) => range.greatest = range.greatest.saturating_sub(1),
            (Fault::ScanEndsLate, ColumnTest::Ints64(_, range)) => range.greatest = range.greatest.saturating_add(1),
            (Fault::ScanDatesEndLate, ColumnTest::Ints32(_, range)) => {
                range.greatest = range.greatest.saturating_add(1)
            }
            (Fault::ScanNumbersEndEarly, ColumnTest::Numbers(_, range)) => range.greatest = range.greatest.next_down(),
            (Fault::ScanBitsFlipped, ColumnTest::Bits(_, wanted)) => *wanted = !*wanted,
            (Fault::ScanKeyForgotten, ColumnTest::Keys(_, wanted)) => drop(wanted.pop()),
            (Fault::ScanTableIsYes, ColumnTest::Bytes(_, table)) => **table = [1; 256],
            (Fault::ScanTableIsYes, ColumnTest::Table(_, table)) => *table = vec![1; table.len()].into(),
            (Fault::ScanAnyTextForText, ColumnTest::AnyBit(_, mask)) => *mask = -1,
            _ => {}
        }
    }

    fn apply_derived(&mut self, fault: Fault) {
        let ColumnTest::Ints64(values, range) = &mut self.test else { return };
        match fault {
            Fault::DerivedMissingIsThere => {
                range.least = if range.least == MISSING + 1 { MISSING } else { range.least }
            }
            Fault::DerivedOfNextPerson => {
                let mut moved = values.to_vec();
                if !moved.is_empty() {
                    moved.rotate_left(1);
                }
                *values = ScalarBuffer::from(moved);
            }
            Fault::DerivedIsOneMore => {
                let more = |value: &i64| if *value == MISSING { MISSING } else { value.saturating_add(1) };
                *values = values.iter().map(more).collect();
            }
            _ => {}
        }
    }
}

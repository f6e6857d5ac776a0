//! Queries: walks over a person's events.

use super::value::beats;
use super::{Emit, Out, Scope, readonly};
use crate::template::{Class, Cond, Function, Merged, Query, Slot, Source, Value};
use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::{self, Block, InstBuilder, types};
use seg_hir::hir::End;

/// From which end the events of a person are walked over.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    Forward,
    Backward,
}

impl Direction {
    /// The one that meets the events of an end first.
    fn from_end(end: End) -> Direction {
        match end {
            End::First => Direction::Forward,
            End::Last => Direction::Backward,
        }
    }
}

/// What the code for an event that was found is given.
pub(super) struct Found<'q> {
    pub source: &'q Source,
    /// The event's own rows.
    pub scope: Scope,
    pub time: ir::Value,
    /// Where to go on with the next event.
    pub next: Block,
    /// Where to go when no other event matters, of any source.
    pub leave: Block,
}

/// A walk over a person's events.
#[derive(Clone, Copy)]
struct Walk<'q> {
    query: &'q Query,
    direction: Direction,
    scope: Scope,
    /// Where to go when no other event matters.
    leave: Block,
}

impl Emit<'_> {
    /// Runs `body` for each event that a query finds: code that ends by jumping
    /// to [`Found::next`] or [`Found::leave`]. The sources come one after
    /// another, unless the query has them merged.
    pub(super) fn each_event(
        &mut self,
        query: &Query,
        direction: Direction,
        scope: Scope,
        mut body: impl FnMut(&mut Self, Found<'_>),
    ) {
        let leave = self.b.create_block();
        let walk = Walk { query, direction, scope, leave };
        match &query.merged {
            Some(merged) => self.walk_merged(walk, merged, &mut body),
            None => {
                for source in &query.sources {
                    let after = self.b.create_block();
                    self.walk_source(walk, source, after, &mut body);
                    self.b.switch_to_block(after);
                }
                self.jump(leave);
            }
        }
        self.b.switch_to_block(leave);
    }

    /// Where a person's events of a source begin and end.
    fn source_bounds(&mut self, source: &Source, person: ir::Value) -> (ir::Value, ir::Value) {
        let offsets = self.slot(source.offsets);
        let (mut start, mut end) = self.bounds(offsets, person);
        if let Some(base) = source.base {
            let base = self.slot(base);
            (start, end) = (self.b.ins().isub(start, base), self.b.ins().isub(end, base));
        }
        if let Some(is_there) = self.nulls(source.nulls.as_ref(), person) {
            // A null list may lie over events; it has none of them.
            end = self.b.ins().select(is_there, end, start);
        }
        (start, end)
    }

    /// Walks over the events of one source, and goes on in `after`.
    fn walk_source(
        &mut self,
        walk: Walk<'_>,
        source: &Source,
        after: Block,
        body: &mut impl FnMut(&mut Self, Found<'_>),
    ) {
        let person = walk.scope.person;
        let bounds = self.source_bounds(source, person);
        let times = self.slot(source.times);
        let (idx, time, next) = self.walk(walk, times, bounds, after);
        let found = Found { source, scope: Scope { person, event: Some(idx) }, time, next, leave: walk.leave };
        self.visit(found, body);
    }

    /// Walks over the events of all sources in their order.
    fn walk_merged(&mut self, walk: Walk<'_>, merged: &Merged, body: &mut impl FnMut(&mut Self, Found<'_>)) {
        let (person, leave) = (walk.scope.person, walk.leave);
        let offsets = self.slot(merged.offsets);
        let address = self.place(offsets, person, types::I64);
        let [start, end] = [0, 8].map(|at| self.b.ins().load(types::I64, readonly(), address, at));
        let times = self.slot(merged.times);
        let (at, time, next) = self.walk(walk, times, (start, end), leave);
        let (sources, places) = (self.slot(merged.source), self.slot(merged.place));
        let (which, idx) = (self.element32(sources, at), self.element32(places, at));
        for (number, source) in walk.query.sources.iter().enumerate() {
            let [is_it, other] = [(); 2].map(|()| self.b.create_block());
            let matches = self.b.ins().icmp_imm_s(IntCC::Equal, which, number as i64);
            self.branch(matches, is_it, other);
            self.b.switch_to_block(is_it);
            self.visit(Found { source, scope: Scope { person, event: Some(idx) }, time, next, leave }, body);
            self.b.switch_to_block(other);
        }
        self.jump(next);
    }

    /// The loop over the places of a person's events whose times count. Goes on
    /// in the block of one of them; gives its place, its time, and the block
    /// for the next.
    fn walk(
        &mut self,
        Walk { query, direction, .. }: Walk<'_>,
        times: ir::Value,
        (start, end): (ir::Value, ir::Value),
        after: Block,
    ) -> (ir::Value, ir::Value, Block) {
        let at = self.var(types::I64);
        self.b.def_var(at, if direction == Direction::Forward { start } else { end });
        let [head, body, found] = [(); 3].map(|()| self.b.create_block());
        self.jump(head);
        self.b.switch_to_block(head);
        let place = self.b.use_var(at);
        let (more, idx) = match direction {
            Direction::Forward => (self.b.ins().icmp(IntCC::SignedLessThan, place, end), place),
            Direction::Backward => (self.b.ins().icmp(IntCC::SignedGreaterThan, place, start), place),
        };
        self.branch(more, body, after);
        self.b.switch_to_block(body);
        let idx = match direction {
            Direction::Forward => {
                let next = self.b.ins().iadd_imm_s(idx, 1);
                self.b.def_var(at, next);
                idx
            }
            Direction::Backward => {
                let before = self.b.ins().iadd_imm_s(idx, -1);
                self.b.def_var(at, before);
                before
            }
        };
        let time = self.element(times, idx, types::I64);
        let to = self.slot(query.to);
        let is_late = self.b.ins().icmp(IntCC::SignedGreaterThan, time, to);
        let is_early = query.from.map(|from| {
            let from = self.slot(from);
            self.b.ins().icmp(IntCC::SignedLessThan, time, from)
        });
        // Times ascend, so past one edge of the window the walk is over, and
        // before the other it goes on.
        let (ends, skips) = match direction {
            Direction::Forward => (Some(is_late), is_early),
            Direction::Backward => (is_early, Some(is_late)),
        };
        for (bit, to) in [(ends, after), (skips, head)] {
            let Some(bit) = bit else { continue };
            let stay = self.b.create_block();
            self.branch(bit, to, stay);
            self.b.switch_to_block(stay);
        }
        self.jump(found);
        self.b.switch_to_block(found);
        (idx, time, head)
    }

    /// The filter of a source, then the body.
    fn visit(&mut self, found: Found<'_>, body: &mut impl FnMut(&mut Self, Found<'_>)) {
        if let Some(filter) = &found.source.filter {
            let passes = self.cond(filter, found.scope);
            let counts = self.b.create_block();
            self.branch(passes, counts, found.next);
            self.b.switch_to_block(counts);
        }
        body(self, found);
    }

    pub(super) fn count(&mut self, query: &Query, scope: Scope) -> ir::Value {
        let count = self.var(types::I64);
        let zero = self.int(0);
        self.b.def_var(count, zero);
        self.each_event(query, Direction::Backward, scope, |emit, found| {
            emit.increment(count);
            emit.jump(found.next);
        });
        self.b.use_var(count)
    }

    pub(super) fn increment(&mut self, count: cranelift_frontend::Variable) {
        let so_far = self.b.use_var(count);
        let so_far = self.b.ins().iadd_imm_s(so_far, 1);
        self.b.def_var(count, so_far);
    }

    /// The measure of an event, in the block where it is there.
    pub(super) fn measure(&mut self, found: &Found<'_>) -> Option<(ir::Value, Class)> {
        let measure = found.source.measure.as_ref()?;
        if let Value::Missing(_) = measure {
            return None;
        }
        let out = self.value(measure, found.scope);
        if let Some(known) = out.known {
            let is_there = self.b.create_block();
            self.branch(known, is_there, found.next);
            self.b.switch_to_block(is_there);
        }
        Some((out.value, measure.class()))
    }

    /// The sum of the measures, as a value of a class, and how many there are.
    pub(super) fn sum(&mut self, class: Class, query: &Query, scope: Scope) -> (ir::Value, ir::Value) {
        let is_number = class == Class::Number;
        let (sum, count) = (self.var(Self::class_type(class)), self.var(types::I64));
        let (none, zero) = (self.zero(class), self.int(0));
        self.b.def_var(sum, none);
        self.b.def_var(count, zero);
        // Numbers are added in the order of the events; whole numbers in any.
        let direction = if is_number { Direction::Forward } else { Direction::Backward };
        self.each_event(query, direction, scope, |emit, found| {
            if let Some((value, from)) = emit.measure(&found) {
                let so_far = emit.b.use_var(sum);
                let result = if is_number {
                    let value = emit.number(value, from);
                    emit.b.ins().fadd(so_far, value)
                } else {
                    let value = emit.wide(value, from);
                    emit.b.ins().iadd(so_far, value)
                };
                emit.b.def_var(sum, result);
                emit.increment(count);
            }
            emit.jump(found.next);
        });
        (self.b.use_var(sum), self.b.use_var(count))
    }

    /// Totals and averages.
    pub(super) fn total(&mut self, function: &Function, query: &Query, scope: Scope) -> Out {
        let is_number = matches!(function, Function::TotalNumbers | Function::AverageNumbers);
        let class = if is_number { Class::Number } else { Class::Wide };
        let (sum, count) = self.sum(class, query, scope);
        match function {
            Function::TotalNumbers => Out { value: sum, known: Some(self.is_finite(sum)) },
            Function::AverageNumbers | Function::AverageInts => {
                let (total, n) = (self.number(sum, class), self.number(count, Class::Int));
                // Over no values it is zero by zero, which is missing.
                let (value, fits) = self.divide(total, n);
                let finite = self.is_finite(total);
                Out { value, known: Some(self.b.ins().band(fits, finite)) }
            }
            Function::AverageMoney => {
                let (value, fits) = self.divide_half_even((sum, class), (count, Class::Int));
                Out { value, known: Some(fits) }
            }
            _ => Out { value: sum, known: None },
        }
    }

    /// The least or greatest measure.
    pub(super) fn extreme_of_events(&mut self, end: End, class: Class, query: &Query, scope: Scope) -> Out {
        let (best, any) = (self.var(Self::class_type(class)), self.var(types::I8));
        let (zero, no) = (self.zero(class), self.bool(false));
        self.b.def_var(best, zero);
        self.b.def_var(any, no);
        self.each_event(query, Direction::Backward, scope, |emit, found| {
            if let Some((value, _)) = emit.measure(&found) {
                let (so_far, is_any) = (emit.b.use_var(best), emit.b.use_var(any));
                let wins = match class {
                    Class::Number => {
                        let code = if end == End::First { FloatCC::LessThan } else { FloatCC::GreaterThan };
                        emit.b.ins().fcmp(code, value, so_far)
                    }
                    _ => emit.b.ins().icmp(beats(end), value, so_far),
                };
                let none = emit.b.ins().bxor_imm_u(is_any, 1);
                let takes = emit.b.ins().bor(wins, none);
                let value = emit.b.ins().select(takes, value, so_far);
                let yes = emit.bool(true);
                emit.b.def_var(best, value);
                emit.b.def_var(any, yes);
            }
            emit.jump(found.next);
        });
        Out { value: self.b.use_var(best), known: Some(self.b.use_var(any)) }
    }

    pub(super) fn event_time(&mut self, end: End, n: Slot, query: &Query, scope: Scope) -> Out {
        let (left, time, is_found) = (self.var(types::I64), self.var(types::I64), self.var(types::I8));
        let (n, zero, no) = (self.slot(n), self.int(0), self.bool(false));
        self.b.def_var(left, n);
        self.b.def_var(time, zero);
        self.b.def_var(is_found, no);
        self.each_event(query, Direction::from_end(end), scope, |emit, found| {
            emit.unless_last(left, found.next);
            let yes = emit.bool(true);
            emit.b.def_var(time, found.time);
            emit.b.def_var(is_found, yes);
            emit.jump(found.leave);
        });
        Out { value: self.b.use_var(time), known: Some(self.b.use_var(is_found)) }
    }

    /// Takes one off a count and goes on with the next event, unless it was the
    /// last one.
    fn unless_last(&mut self, left: cranelift_frontend::Variable, next: Block) {
        let rest = self.b.use_var(left);
        let rest = self.b.ins().iadd_imm_s(rest, -1);
        self.b.def_var(left, rest);
        let last = self.b.create_block();
        self.branch(rest, next, last);
        self.b.switch_to_block(last);
    }

    /// Whether there are n events and the n nearest to one end are all as
    /// asked.
    pub(super) fn few(&mut self, end: End, n: Slot, query: &Query, scope: Scope) -> ir::Value {
        let (left, answer) = (self.var(types::I64), self.var(types::I8));
        let (n, no) = (self.slot(n), self.bool(false));
        self.b.def_var(left, n);
        self.b.def_var(answer, no);
        self.each_event(query, Direction::from_end(end), scope, |emit, found| {
            let asked = match &found.source.predicate {
                Some(asked) => emit.cond(asked, found.scope),
                None => emit.cond(&Cond::Const(false), found.scope),
            };
            let holds = emit.b.create_block();
            emit.branch(asked, holds, found.leave);
            emit.b.switch_to_block(holds);
            emit.unless_last(left, found.next);
            let yes = emit.bool(true);
            emit.b.def_var(answer, yes);
            emit.jump(found.leave);
        });
        self.b.use_var(answer)
    }
}

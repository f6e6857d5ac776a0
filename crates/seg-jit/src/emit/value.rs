//! Values.

use super::{Emit, Out, Scope, readonly};
use crate::template::{Class, Function, List, Store, Value};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{self, InstBuilder, types};
use seg_data::money::MONEY_SCALE;
use seg_hir::hir::End;

impl Emit<'_> {
    pub(super) fn value(&mut self, value: &Value, scope: Scope) -> Out {
        let always = |value| Out { value, known: None };
        match value {
            Value::Missing(class) => Out { value: self.zero(*class), known: Some(self.bool(false)) },
            Value::Int(slot) => always(self.slot(*slot)),
            Value::Wide(low, high) => always(self.pair(*low, *high)),
            Value::Number(slot) => {
                let bits = self.slot(*slot);
                always(self.b.ins().bitcast(types::F64, ir::MemFlagsData::new(), bits))
            }
            Value::Column(column) => self.column(column, scope),
            Value::Rank { keys, table } => {
                let (key, known) = self.key(keys, scope);
                let table = self.slot(*table);
                Out { value: self.element32(table, key), known }
            }
            Value::Arithmetic(op, left, right) => {
                let (l, r) = (self.value(left, scope), self.value(right, scope));
                self.arithmetic(*op, (l, left.class()), (r, right.class()))
            }
            Value::Scale(money, scale) => {
                let out = self.value(money, scope);
                self.scale((out, money.class()), scale)
            }
            Value::ToNumber(inner) => {
                let out = self.value(inner, scope);
                Out { value: self.number(out.value, inner.class()), known: out.known }
            }
            Value::ToMoney(inner) => {
                let out = self.value(inner, scope);
                let scale = self.int(MONEY_SCALE);
                let scale = Out { value: scale, known: None };
                self.arithmetic(crate::template::Arithmetic::MultiplyInts, (out, inner.class()), (scale, Class::Int))
            }
            Value::ListLength(list) => self.list_length(list, scope),
            Value::Aggregate { function: Function::Count, query } => always(self.count(query, scope)),
            Value::Aggregate { function: Function::CountDifferent(set), query } => {
                always(self.count_different(set, query, scope))
            }
            Value::Aggregate { function: Function::Extreme(end, class), query } => {
                self.extreme_of_events(*end, *class, query, scope)
            }
            Value::Aggregate { function, query } => self.total(function, query, scope),
            Value::Periods { calendar, set, query } => always(self.periods(calendar, set, query, scope)),
            Value::EventTime { end, n, query } => self.event_time(*end, *n, query, scope),
            Value::Extreme(end, values) => self.extreme(*end, values, scope),
            Value::Coalesce(first, second) => {
                let (first, second) = (self.value(first, scope), self.value(second, scope));
                let Some(is_there) = first.known else { return first };
                let value = self.b.ins().select(is_there, first.value, second.value);
                let second = self.known(second);
                Out { value, known: Some(self.b.ins().bor(is_there, second)) }
            }
        }
    }

    pub(super) fn zero(&mut self, class: Class) -> ir::Value {
        match class {
            Class::Int => self.int(0),
            Class::Wide => {
                let zero = self.int(0);
                self.b.ins().uextend(types::I128, zero)
            }
            Class::Number => self.b.ins().f64const(0.0),
        }
    }

    pub(super) fn class_type(class: Class) -> ir::Type {
        match class {
            Class::Int => types::I64,
            Class::Wide => types::I128,
            Class::Number => types::F64,
        }
    }

    /// The least or greatest of some 64-bit integers, as far as they are there.
    fn extreme(&mut self, end: End, values: &[Value], scope: Scope) -> Out {
        let mut best = Out { value: self.int(0), known: Some(self.bool(false)) };
        for value in values {
            let out = self.value(value, scope);
            let is_there = self.known(out);
            let so_far = self.known(best);
            let beats = self.b.ins().icmp(beats(end), out.value, best.value);
            let none = self.b.ins().bxor_imm_u(so_far, 1);
            let beats = self.b.ins().bor(beats, none);
            let takes = self.b.ins().band(is_there, beats);
            let value = self.b.ins().select(takes, out.value, best.value);
            best = Out { value, known: Some(self.b.ins().bor(is_there, so_far)) };
        }
        best
    }

    /// Where the items of a list begin and end.
    pub(super) fn list_bounds(&mut self, list: &List, scope: Scope) -> (ir::Value, ir::Value, Option<ir::Value>) {
        let row = self.row(list.domain, scope);
        let known = self.nulls(list.nulls.as_ref(), row);
        let offsets = self.slot(list.offsets);
        let (start, end) = self.bounds(offsets, row);
        (start, end, known)
    }

    /// The two offsets of a row.
    pub(super) fn bounds(&mut self, offsets: ir::Value, row: ir::Value) -> (ir::Value, ir::Value) {
        let address = self.place(offsets, row, types::I32);
        let [start, end] = [0, 4].map(|at| {
            let offset = self.b.ins().load(types::I32, readonly(), address, at);
            self.b.ins().sextend(types::I64, offset)
        });
        (start, end)
    }

    /// How many items of a list are there.
    fn list_length(&mut self, list: &List, scope: Scope) -> Out {
        let (start, end, known) = self.list_bounds(list, scope);
        if list.items.nulls.is_none() && list.items.store != Store::F64 {
            return Out { value: self.b.ins().isub(end, start), known };
        }
        let (count, zero) = (self.var(types::I64), self.int(0));
        self.b.def_var(count, zero);
        self.each_index((start, end), |emit, idx, next, _| {
            let item = emit.column_at(&list.items, idx);
            let is_there = emit.known(item);
            let is_there = emit.b.ins().uextend(types::I64, is_there);
            let so_far = emit.b.use_var(count);
            let so_far = emit.b.ins().iadd(so_far, is_there);
            emit.b.def_var(count, so_far);
            emit.jump(next);
        });
        Out { value: self.b.use_var(count), known }
    }
}

/// How a new value compares with the best so far when it replaces it.
pub(super) fn beats(end: End) -> IntCC {
    match end {
        End::First => IntCC::SignedLessThan,
        End::Last => IntCC::SignedGreaterThan,
    }
}

/// Items are found by their own place, whatever row their list is of.
pub(super) fn item_scope(idx: ir::Value) -> Scope {
    Scope { person: idx, event: None }
}

//! Conditions.

use super::value::item_scope;
use super::{Emit, Out, Scope};
use crate::template::{Class, Cond, Function, List, Query, Slot, Value};
use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::{self, InstBuilder, types};
use seg_hir::hir::CompareOp;

impl Emit<'_> {
    /// A condition as a bit.
    pub(super) fn cond(&mut self, cond: &Cond, scope: Scope) -> ir::Value {
        match cond {
            Cond::Const(value) => self.bool(*value),
            Cond::All(members) => {
                let bits: Vec<ir::Value> = members.iter().map(|m| self.cond(m, scope)).collect();
                bits.into_iter().reduce(|a, b| self.b.ins().band(a, b)).unwrap_or_else(|| self.bool(true))
            }
            Cond::Any(members) => {
                let bits: Vec<ir::Value> = members.iter().map(|m| self.cond(m, scope)).collect();
                bits.into_iter().reduce(|a, b| self.b.ins().bor(a, b)).unwrap_or_else(|| self.bool(false))
            }
            Cond::Cardinality { min, max, members } => {
                let mut count = self.int(0);
                for member in members {
                    let bit = self.cond(member, scope);
                    let bit = self.b.ins().uextend(types::I64, bit);
                    count = self.b.ins().iadd(count, bit);
                }
                let (min, max) = (self.slot(*min), self.slot(*max));
                let enough = self.b.ins().icmp(IntCC::UnsignedGreaterThanOrEqual, count, min);
                let few = self.b.ins().icmp(IntCC::UnsignedLessThanOrEqual, count, max);
                self.b.ins().band(enough, few)
            }
            Cond::Not(inner) => {
                let bit = self.cond(inner, scope);
                self.b.ins().bxor_imm_u(bit, 1)
            }
            Cond::Known(value) => {
                let out = self.value(value, scope);
                self.known(out)
            }
            Cond::Compare(op, Value::Aggregate { function: Function::AverageMoney, query }, Value::Int(bound))
                if query.measures(Class::Int) =>
            {
                self.average_compares(*op, query, *bound, scope)
            }
            Cond::Compare(op, left, right) => {
                let (l, r) = (self.value(left, scope), self.value(right, scope));
                self.compare(*op, (l, left.class()), (r, right.class()))
            }
            Cond::OneOf(value, others) => {
                let out = self.value(value, scope);
                let mut found = self.bool(false);
                for other in others {
                    let right = self.value(other, scope);
                    let equal = self.compare(CompareOp::Equal, (out, value.class()), (right, other.class()));
                    found = self.b.ins().bor(found, equal);
                }
                found
            }
            Cond::OneOfInts(value, ints, n_ints) => self.one_of_ints(value, *ints, *n_ints, scope),
            Cond::Test { keys, table } => {
                let (key, known) = self.key(keys, scope);
                let bit = self.table_bit(*table, key);
                self.both(Some(bit), known).unwrap_or(bit)
            }
            Cond::ListKnown(list) => {
                let (_, _, known) = self.list_bounds(list, scope);
                known.unwrap_or_else(|| self.bool(true))
            }
            Cond::Has(list, value) => {
                let wanted = self.value(value, scope);
                let (class, item) = (value.class(), Value::Column(list.items.clone()).class());
                self.any_item(list, scope, |emit, idx| {
                    let found = emit.column_at(&list.items, idx);
                    emit.compare(CompareOp::Equal, (found, item), (wanted, class))
                })
            }
            Cond::HasText(list, table) => self.any_item(list, scope, |emit, idx| {
                let (key, known) = emit.key(&list.items, item_scope(idx));
                let bit = emit.table_bit(*table, key);
                emit.both(Some(bit), known).unwrap_or(bit)
            }),
            Cond::FirstOrLastN { end, n, query } => self.few(*end, *n, query, scope),
        }
    }

    /// A table's byte of 0 or 1.
    fn table_bit(&mut self, table: Slot, key: ir::Value) -> ir::Value {
        let table = self.slot(table);
        self.element(table, key, types::I8)
    }

    /// Whether two values compare so; false when either is missing.
    pub(super) fn compare(&mut self, op: CompareOp, left: (Out, Class), right: (Out, Class)) -> ir::Value {
        let ((l, l_class), (r, r_class)) = (left, right);
        let holds = match (l_class, r_class) {
            (Class::Int, Class::Int) => self.b.ins().icmp(int_code(op), l.value, r.value),
            (Class::Number, Class::Number) => self.b.ins().fcmp(float_code(op), l.value, r.value),
            (Class::Int | Class::Wide, Class::Number) => {
                let (less, greater) = self.integer_with_number((l.value, l_class), r.value);
                self.decided_by(op, less, greater)
            }
            (Class::Number, Class::Int | Class::Wide) => {
                let (greater, less) = self.integer_with_number((r.value, r_class), l.value);
                self.decided_by(op, less, greater)
            }
            _ => {
                let (l, r) = (self.wide(l.value, l_class), self.wide(r.value, r_class));
                self.b.ins().icmp(int_code(op), l, r)
            }
        };
        let known = self.both(l.known, r.known);
        self.both(Some(holds), known).unwrap_or(holds)
    }

    /// Whether an average of money, rounded half to even, compares so with the
    /// bound of a slot; false where it is of nothing.
    ///
    /// It is at least `b` where the total is at least `(b - 1/2) n`, or above that
    /// where `b` is odd, for then a half is rounded down. So nothing is divided.
    fn average_compares(&mut self, op: CompareOp, query: &Query, bound: Slot, scope: Scope) -> ir::Value {
        let (total, count) = self.sum(Class::Wide, query, scope);
        // Shifting 128 bits takes longer than adding them.
        let twice = self.b.ins().iadd(total, total);
        let n = self.wide(count, Class::Int);
        let bound = self.slot(bound);
        let bound = self.wide(bound, Class::Int);
        let mut is_at_least = |bound: ir::Value, plus: i64| {
            let bound = self.b.ins().iadd_imm_s(bound, plus);
            let edge = self.b.ins().iadd(bound, bound);
            let edge = self.b.ins().iadd_imm_s(edge, -1);
            let edge = self.b.ins().imul(edge, n);
            let above = self.b.ins().isub(twice, edge);
            let is_odd = self.b.ins().band_imm_u(bound, 1);
            self.b.ins().icmp(IntCC::SignedGreaterThanOrEqual, above, is_odd)
        };
        let holds = match op {
            CompareOp::GreaterOrEqual => is_at_least(bound, 0),
            CompareOp::Greater => is_at_least(bound, 1),
            CompareOp::Less => {
                let is_at_least = is_at_least(bound, 0);
                self.b.ins().bxor_imm_u(is_at_least, 1)
            }
            CompareOp::LessOrEqual => {
                let is_above = is_at_least(bound, 1);
                self.b.ins().bxor_imm_u(is_above, 1)
            }
            CompareOp::Equal => {
                let (is_at_least, is_above) = (is_at_least(bound, 0), is_at_least(bound, 1));
                self.b.ins().bxor(is_at_least, is_above)
            }
        };
        let is_any = self.b.ins().icmp_imm_s(IntCC::NotEqual, count, 0);
        self.b.ins().band(holds, is_any)
    }

    fn decided_by(&mut self, op: CompareOp, less: ir::Value, greater: ir::Value) -> ir::Value {
        match op {
            CompareOp::Less => less,
            CompareOp::Greater => greater,
            CompareOp::LessOrEqual => self.b.ins().bxor_imm_u(greater, 1),
            CompareOp::GreaterOrEqual => self.b.ins().bxor_imm_u(less, 1),
            CompareOp::Equal => {
                let differs = self.b.ins().bor(less, greater);
                self.b.ins().bxor_imm_u(differs, 1)
            }
        }
    }

    fn one_of_ints(&mut self, value: &Value, ints: Slot, n_ints: Slot, scope: Scope) -> ir::Value {
        let out = self.value(value, scope);
        let (ints, n_ints) = (self.slot(ints), self.slot(n_ints));
        let zero = self.int(0);
        let found = self.any_in(zero, n_ints, |emit, idx| {
            let int = emit.element(ints, idx, types::I64);
            emit.b.ins().icmp(IntCC::Equal, int, out.value)
        });
        self.both(Some(found), out.known).unwrap_or(found)
    }

    /// Whether a test holds for an item of a list that is there.
    fn any_item(
        &mut self,
        list: &List,
        scope: Scope,
        test: impl FnOnce(&mut Self, ir::Value) -> ir::Value,
    ) -> ir::Value {
        let (start, end, known) = self.list_bounds(list, scope);
        let found = self.any_in(start, end, test);
        self.both(Some(found), known).unwrap_or(found)
    }

    /// Whether a test holds for an index of a range; ends at the first.
    fn any_in(
        &mut self,
        start: ir::Value,
        end: ir::Value,
        test: impl FnOnce(&mut Self, ir::Value) -> ir::Value,
    ) -> ir::Value {
        let (answer, no) = (self.var(types::I8), self.bool(false));
        self.b.def_var(answer, no);
        self.each_index((start, end), |emit, idx, next, done| {
            let holds = test(emit, idx);
            emit.b.def_var(answer, holds);
            emit.branch(holds, done, next);
        });
        self.b.use_var(answer)
    }
}

pub(super) fn int_code(op: CompareOp) -> IntCC {
    match op {
        CompareOp::Equal => IntCC::Equal,
        CompareOp::Less => IntCC::SignedLessThan,
        CompareOp::LessOrEqual => IntCC::SignedLessThanOrEqual,
        CompareOp::Greater => IntCC::SignedGreaterThan,
        CompareOp::GreaterOrEqual => IntCC::SignedGreaterThanOrEqual,
    }
}

pub(super) fn float_code(op: CompareOp) -> FloatCC {
    match op {
        CompareOp::Equal => FloatCC::Equal,
        CompareOp::Less => FloatCC::LessThan,
        CompareOp::LessOrEqual => FloatCC::LessThanOrEqual,
        CompareOp::Greater => FloatCC::GreaterThan,
        CompareOp::GreaterOrEqual => FloatCC::GreaterThanOrEqual,
    }
}

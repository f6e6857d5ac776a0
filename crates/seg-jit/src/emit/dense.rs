//! Conditions decided for 64 people at once, without branches: columns are
//! compared 128 bits at a time, and the signs of the lanes become a word.
//!
//! Cranelift makes no vectors of scalar loops, so they are made here.

use super::condition::{float_code, int_code};
use super::{Emit, readonly};
use crate::shape::{Column, Cond, Nulls, Slot, Store, Value};
use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::{self, InstBuilder, types};
use cranelift_codegen::isa::TargetIsa;
use seg_data::batch::Layout;
use seg_hir::hir::CompareOp;

/// From so many people of a word on, all 64 are decided: a word costs about as
/// much as a dozen people one by one.
const DENSE_MIN: i64 = 12;

/// Whether 64-bit integers can be compared two at a time.
pub(super) fn has_vectors(isa: &dyn TargetIsa) -> bool {
    match isa.name() {
        "aarch64" => true,
        "x64" => isa.isa_flags().iter().any(|flag| flag.name == "has_sse42" && flag.as_bool() == Some(true)),
        _ => false,
    }
}

/// Whether a condition about people can be decided by words.
pub(crate) fn is_dense(cond: &Cond) -> bool {
    let is_person = |column: &Column| column.row == crate::shape::Row::Person;
    match cond {
        Cond::Const(_) => true,
        Cond::All(members) | Cond::Any(members) => members.iter().all(is_dense),
        Cond::Not(inner) => is_dense(inner),
        Cond::Known(Value::Column(column)) => is_person(column),
        Cond::Test { keys, .. } | Cond::Keys { keys, .. } => is_person(keys),
        Cond::Bits(column, _) => is_person(column),
        Cond::Compare(op, Value::Column(column), bound) if is_person(column) => match (&column.store, bound) {
            (Store::Bit(_), Value::Int(_)) => *op == CompareOp::Equal,
            (Store::I32 | Store::I64 | Store::Time, Value::Int(_)) => true,
            (Store::F64, Value::Number(_)) => true,
            _ => false,
        },
        _ => false,
    }
}

impl Emit<'_> {
    /// Whether a word is worth deciding at once, and lies whole in the batch.
    pub(super) fn is_dense(&mut self, bits: ir::Value, row: ir::Value, n_rows: Slot) -> ir::Value {
        let n_open = self.b.ins().popcnt(bits);
        let is_worth = self.b.ins().icmp_imm_s(IntCC::SignedGreaterThanOrEqual, n_open, DENSE_MIN);
        let n_rows = self.slot(n_rows);
        let end = self.b.ins().iadd_imm_s(row, 64);
        let fits = self.b.ins().icmp(IntCC::SignedLessThanOrEqual, end, n_rows);
        self.b.ins().band(is_worth, fits)
    }

    /// The answers for the 64 people from a row on.
    pub(super) fn dense(&mut self, cond: &Cond, row: ir::Value) -> ir::Value {
        match cond {
            Cond::Const(value) => self.int(-i64::from(*value)),
            Cond::All(members) => self.dense_members(members, row, true),
            Cond::Any(members) => self.dense_members(members, row, false),
            Cond::Not(inner) => {
                let word = self.dense(inner, row);
                self.b.ins().bnot(word)
            }
            Cond::Known(Value::Column(column)) => self.dense_known(column, row),
            Cond::Compare(op, Value::Column(column), bound) => self.dense_compare(*op, column, bound, row),
            Cond::Keys { keys, wanted } => self.dense_keys(keys, wanted, row),
            Cond::Bits(column, mask) => {
                let mask = self.slot(*mask);
                let mask = self.b.ins().splat(types::I64X2, mask);
                let zero = self.int(0);
                let zero = self.b.ins().splat(types::I64X2, zero);
                let found = self.pairs(column, row, |emit, pair| {
                    let bits = emit.b.ins().band(pair, mask);
                    emit.b.ins().icmp(IntCC::NotEqual, bits, zero)
                });
                self.with_nulls(found, column.nulls.as_ref(), row)
            }
            Cond::Test { keys, table } => self.dense_test(keys, *table, row),
            // Nothing else is dense.
            _ => self.int(0),
        }
    }

    fn dense_members(&mut self, members: &[Cond], row: ir::Value, is_all: bool) -> ir::Value {
        let mut word = self.int(-i64::from(is_all));
        for member in members {
            let other = self.dense(member, row);
            word = if is_all { self.b.ins().band(word, other) } else { self.b.ins().bor(word, other) };
        }
        word
    }

    fn with_nulls(&mut self, word: ir::Value, nulls: Option<&Nulls>, row: ir::Value) -> ir::Value {
        let Some(nulls) = nulls else { return word };
        let known = self.bit_word(nulls.bits, nulls.offset, row);
        self.b.ins().band(word, known)
    }

    /// Who has a value.
    fn dense_known(&mut self, column: &Column, row: ir::Value) -> ir::Value {
        let word = match column.store {
            Store::Time => {
                let none = self.int(Layout::NO_TIME);
                let none = self.b.ins().splat(types::I64X2, none);
                self.pairs(column, row, |emit, pair| emit.b.ins().icmp(IntCC::NotEqual, pair, none))
            }
            Store::F64 => self.pairs(column, row, Emit::are_finite),
            Store::Bit(_) | Store::I32 | Store::I64 => self.int(-1),
        };
        self.with_nulls(word, column.nulls.as_ref(), row)
    }

    fn dense_compare(&mut self, op: CompareOp, column: &Column, bound: &Value, row: ir::Value) -> ir::Value {
        let bound = match bound {
            Value::Int(slot) | Value::Number(slot) => self.slot(*slot),
            // Nothing else is dense.
            _ => self.int(0),
        };
        let word = match column.store {
            Store::Bit(offset) => {
                let bits = self.bit_word(column.values, offset, row);
                // Held against 1 the bits themselves, against 0 the others.
                let flip = self.b.ins().iadd_imm_s(bound, -1);
                self.b.ins().bxor(bits, flip)
            }
            Store::F64 => {
                let bound = self.b.ins().bitcast(types::F64, ir::MemFlagsData::new(), bound);
                let bound = self.b.ins().splat(types::F64X2, bound);
                self.pairs(column, row, |emit, pair| {
                    let holds = emit.b.ins().fcmp(float_code(op), pair, bound);
                    let finite = emit.are_finite(pair);
                    emit.b.ins().band(holds, finite)
                })
            }
            Store::I32 | Store::I64 | Store::Time => {
                let bound = self.b.ins().splat(types::I64X2, bound);
                let none = self.int(Layout::NO_TIME);
                let none = self.b.ins().splat(types::I64X2, none);
                // No time is later than any bound.
                let needs_known = column.store == Store::Time && op != CompareOp::Greater;
                self.pairs(column, row, |emit, pair| {
                    let holds = emit.b.ins().icmp(int_code(op), pair, bound);
                    if !needs_known {
                        return holds;
                    }
                    let known = emit.b.ins().icmp(IntCC::NotEqual, pair, none);
                    emit.b.ins().band(holds, known)
                })
            }
        };
        self.with_nulls(word, column.nulls.as_ref(), row)
    }

    fn are_finite(&mut self, pair: ir::Value) -> ir::Value {
        let size = self.b.ins().fabs(pair);
        let infinite = self.b.ins().f64const(f64::INFINITY);
        let infinite = self.b.ins().splat(types::F64X2, infinite);
        self.b.ins().fcmp(FloatCC::LessThan, size, infinite)
    }

    /// A bit for each of 64 people, by a comparison of two values at a time.
    fn pairs(
        &mut self,
        column: &Column,
        row: ir::Value,
        compare: impl Fn(&mut Self, ir::Value) -> ir::Value,
    ) -> ir::Value {
        let size = if column.store == Store::I32 { 4 } else { 8 };
        self.lanes(column.values, size, row, 2, |emit, address, at| {
            let offset = at * 2 * size as i32;
            let pair = match &column.store {
                Store::I32 => emit.b.ins().sload32x2(readonly(), address, offset),
                Store::F64 => emit.b.ins().load(types::F64X2, readonly(), address, offset),
                _ => emit.b.ins().load(types::I64X2, readonly(), address, offset),
            };
            compare(emit, pair)
        })
    }

    /// The keys that are one of a few, four at a time.
    fn dense_keys(&mut self, keys: &Column, wanted: &[Slot], row: ir::Value) -> ir::Value {
        let wanted: Vec<ir::Value> = wanted
            .iter()
            .map(|slot| {
                let key = self.slot(*slot);
                let key = self.b.ins().ireduce(types::I32, key);
                self.b.ins().splat(types::I32X4, key)
            })
            .collect();
        let word = self.lanes(keys.values, 4, row, 4, |emit, address, at| {
            let four = emit.b.ins().load(types::I32X4, readonly(), address, at * 16);
            let mut found: Option<ir::Value> = None;
            for key in &wanted {
                let equal = emit.b.ins().icmp(IntCC::Equal, four, *key);
                found = Some(found.map_or(equal, |found| emit.b.ins().bor(found, equal)));
            }
            // There is one key at least.
            found.unwrap_or(four)
        });
        self.with_nulls(word, keys.nulls.as_ref(), row)
    }

    /// A word made of the signs of so many lanes at a time, 16 people a turn.
    fn lanes(
        &mut self,
        values: Slot,
        size: i64,
        row: ir::Value,
        n_lanes: i32,
        compare: impl Fn(&mut Self, ir::Value, i32) -> ir::Value,
    ) -> ir::Value {
        let values = self.slot(values);
        let offset = self.b.ins().imul_imm_s(row, size);
        let start = self.b.ins().iadd(values, offset);
        self.quarters(|emit, person| {
            let offset = emit.b.ins().imul_imm_s(person, size);
            let address = emit.b.ins().iadd(start, offset);
            let mut bits = emit.int(0);
            for at in 0..16 / n_lanes {
                let signs = compare(emit, address, at);
                let signs = emit.b.ins().vhigh_bits(types::I64, signs);
                let signs = emit.b.ins().ishl_imm_u(signs, i64::from(at * n_lanes));
                bits = emit.b.ins().bor(bits, signs);
            }
            bits
        })
    }

    /// A word of four times 16 bits; `sixteen` is given the first person of each.
    fn quarters(&mut self, sixteen: impl FnOnce(&mut Self, ir::Value) -> ir::Value) -> ir::Value {
        let (word, zero, end) = (self.var(types::I64), self.int(0), self.int(4));
        self.b.def_var(word, zero);
        self.each_index((zero, end), |emit, quarter, next, _| {
            let person = emit.b.ins().ishl_imm_u(quarter, 4);
            let bits = sixteen(emit, person);
            let bits = emit.b.ins().ishl(bits, person);
            let so_far = emit.b.use_var(word);
            let so_far = emit.b.ins().bor(so_far, bits);
            emit.b.def_var(word, so_far);
            emit.jump(next);
        });
        self.b.use_var(word)
    }

    /// A text's test by its table, one after another but without branches.
    fn dense_test(&mut self, keys: &Column, table: Slot, row: ir::Value) -> ir::Value {
        let (values, table) = (self.slot(keys.values), self.slot(table));
        let known = keys.nulls.as_ref().map(|nulls| self.bit_word(nulls.bits, nulls.offset, row));
        let word = self.quarters(|emit, person| {
            let first = emit.b.ins().iadd(row, person);
            let offset = emit.b.ins().ishl_imm_u(first, 2);
            let address = emit.b.ins().iadd(values, offset);
            let known = known.map(|known| emit.b.ins().ushr(known, person));
            let mut bits = emit.int(0);
            for at in 0..16 {
                let key = emit.b.ins().load(types::I32, readonly(), address, at * 4);
                let mut key = emit.b.ins().sextend(types::I64, key);
                if let Some(known) = known {
                    // What is no key is not looked up.
                    let bit = emit.b.ins().ushr_imm_u(known, i64::from(at));
                    let bit = emit.b.ins().band_imm_u(bit, 1);
                    let all = emit.b.ins().ineg(bit);
                    key = emit.b.ins().band(key, all);
                }
                let holds = emit.element(table, key, types::I8);
                let holds = emit.b.ins().uextend(types::I64, holds);
                let holds = emit.b.ins().ishl_imm_u(holds, i64::from(at));
                bits = emit.b.ins().bor(bits, holds);
            }
            bits
        });
        known.map_or(word, |known| self.b.ins().band(word, known))
    }

    /// 64 bits of a bitmap from a row on. All of them lie in the bitmap, and no
    /// byte beyond is read.
    fn bit_word(&mut self, bits: Slot, offset: Slot, row: ir::Value) -> ir::Value {
        let (bits, offset) = (self.slot(bits), self.slot(offset));
        let first = self.b.ins().iadd(row, offset);
        let within = self.b.ins().band_imm_u(first, 7);
        let byte = self.b.ins().ushr_imm_u(first, 3);
        let address = self.b.ins().iadd(bits, byte);
        let low = self.b.ins().load(types::I64, readonly(), address, 0);
        let low = self.b.ins().ushr(low, within);
        let last = self.b.ins().iadd_imm_s(first, 63);
        let byte = self.b.ins().ushr_imm_u(last, 3);
        let address = self.b.ins().iadd(bits, byte);
        let high = self.b.ins().load(types::I8, readonly(), address, 0);
        let high = self.b.ins().uextend(types::I64, high);
        // In two steps, so that at a whole byte nothing of it remains.
        let rest = self.b.ins().bxor_imm_u(within, 63);
        let high = self.b.ins().ishl(high, rest);
        let high = self.b.ins().ishl_imm_u(high, 1);
        self.b.ins().bor(low, high)
    }
}

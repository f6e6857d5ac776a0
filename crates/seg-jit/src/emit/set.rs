//! Sets of integers: counting different values, and periods with an event.

use super::query::Direction;
use super::{Emit, Scope, mutable};
use crate::template::{Calendar, Class, Query, Set, Slot, ZoneOffsets};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{self, InstBuilder, types};
use cranelift_frontend::Variable;
use seg_data::time::DAY;

/// Spreads keys over a table: the fraction of the golden ratio, as in
/// multiplicative hashing (Knuth, The Art of Computer Programming 3, 6.4).
const SPREAD: i64 = 0x9e37_79b9_7f4a_7c15_u64 as i64;

/// A set being filled.
enum Filling {
    Word(Variable),
    Table { count: Variable, stamp: ir::Value, limit: ir::Value },
}

impl Emit<'_> {
    pub(super) fn count_different(&mut self, set: &Set, query: &Query, scope: Scope) -> ir::Value {
        let filling = self.open(set);
        self.each_event(query, Direction::Backward, scope, |emit, found| {
            if let Some((value, class)) = emit.measure(&found) {
                let key = match class {
                    Class::Int => value,
                    Class::Wide => emit.b.ins().ireduce(types::I64, value),
                    Class::Number => {
                        // Both zeros are one value: adding zero leaves the positive.
                        let zero = emit.b.ins().f64const(0.0);
                        let value = emit.b.ins().fadd(value, zero);
                        emit.b.ins().bitcast(types::I64, ir::MemFlagsData::new(), value)
                    }
                };
                emit.insert(&filling, key);
            }
            emit.jump(found.next);
        });
        self.size(&filling)
    }

    pub(super) fn periods(&mut self, calendar: &Calendar, set: &Set, query: &Query, scope: Scope) -> ir::Value {
        let filling = self.open(set);
        self.each_event(query, Direction::Backward, scope, |emit, found| {
            let offset = emit.zone_offset(&calendar.offsets, found.time);
            let local = emit.b.ins().iadd(found.time, offset);
            let first = emit.slot(calendar.first_day);
            let since = emit.b.ins().isub(local, first);
            let day = emit.b.ins().udiv_imm_u(since, DAY);
            let period = match calendar.table {
                Some((table, last)) => {
                    // No day of the query's events lies behind the last; that a day
                    // is one of the table shall not rest on it.
                    let (table, last) = (emit.slot(table), emit.slot(last));
                    let day = emit.b.ins().umin(day, last);
                    emit.element32(table, day)
                }
                None => day,
            };
            emit.insert(&filling, period);
            emit.jump(found.next);
        });
        self.size(&filling)
    }

    /// A zone's offset at an instant: few changes lie among a batch's events,
    /// so they are gone through from the latest.
    fn zone_offset(&mut self, offsets: &ZoneOffsets, time: ir::Value) -> ir::Value {
        let (table, last) = match offsets {
            ZoneOffsets::Fixed(slot) => return self.slot(*slot),
            ZoneOffsets::Steps { table, last } => (self.slot(*table), self.slot(*last)),
        };
        let at = self.var(types::I64);
        self.b.def_var(at, last);
        let [head, before, found] = [(); 3].map(|()| self.b.create_block());
        self.jump(head);
        self.b.switch_to_block(head);
        let place = self.b.use_var(at);
        let pair = self.b.ins().ishl_imm_u(place, 1);
        // The first pair holds from before any time on, so this ends there.
        let from = self.element(table, pair, types::I64);
        let is_before = self.b.ins().icmp(IntCC::SignedLessThan, time, from);
        self.branch(is_before, before, found);
        self.b.switch_to_block(before);
        let previous = self.b.ins().iadd_imm_s(place, -1);
        self.b.def_var(at, previous);
        self.jump(head);
        self.b.switch_to_block(found);
        let second = self.b.ins().iadd_imm_s(pair, 1);
        self.element(table, second, types::I64)
    }

    fn open(&mut self, set: &Set) -> Filling {
        let zero = self.int(0);
        match set {
            Set::Word => {
                let word = self.var(types::I64);
                self.b.def_var(word, zero);
                Filling::Word(word)
            }
            Set::Table(limit) => self.open_table(*limit),
        }
    }

    /// Scratch memory begins with the stamp of the last set, so that no set
    /// need be cleared: entries with another stamp are not in it.
    fn open_table(&mut self, limit: Slot) -> Filling {
        let limit = self.slot(limit);
        let stamp = self.b.ins().load(types::I64, mutable(), self.scratch, 0);
        let stamp = self.b.ins().iadd_imm_s(stamp, 1);
        self.b.ins().store(mutable(), stamp, self.scratch, 0);
        let (count, zero) = (self.var(types::I64), self.int(0));
        self.b.def_var(count, zero);
        Filling::Table { count, stamp, limit }
    }

    fn insert(&mut self, filling: &Filling, key: ir::Value) {
        match filling {
            Filling::Word(word) => {
                let one = self.int(1);
                let bit = self.b.ins().ishl(one, key);
                let bits = self.b.use_var(*word);
                let bits = self.b.ins().bor(bits, bit);
                self.b.def_var(*word, bits);
            }
            Filling::Table { count, stamp, limit } => self.insert_table(*count, *stamp, *limit, key),
        }
    }

    /// Linear probing; the table has at least twice the entries that can come.
    fn insert_table(&mut self, count: Variable, stamp: ir::Value, limit: ir::Value, key: ir::Value) {
        let at = self.var(types::I64);
        let hash = self.b.ins().imul_imm_s(key, SPREAD);
        let hash = self.b.ins().ushr_imm_u(hash, 20);
        self.b.def_var(at, hash);
        let [head, taken, collides, free, done] = [(); 5].map(|()| self.b.create_block());
        self.jump(head);
        self.b.switch_to_block(head);
        let place = self.b.use_var(at);
        let place = self.b.ins().band(place, limit);
        let offset = self.b.ins().ishl_imm_u(place, 4);
        let entry = self.b.ins().iadd(self.scratch, offset);
        // An entry is a key and a stamp; the first two words are the set's own.
        let entry_stamp = self.b.ins().load(types::I64, mutable(), entry, 24);
        let is_taken = self.b.ins().icmp(IntCC::Equal, entry_stamp, stamp);
        self.branch(is_taken, taken, free);
        self.b.switch_to_block(taken);
        let entry_key = self.b.ins().load(types::I64, mutable(), entry, 16);
        let is_same = self.b.ins().icmp(IntCC::Equal, entry_key, key);
        self.branch(is_same, done, collides);
        self.b.switch_to_block(collides);
        let next = self.b.ins().iadd_imm_s(place, 1);
        self.b.def_var(at, next);
        self.jump(head);
        self.b.switch_to_block(free);
        self.b.ins().store(mutable(), key, entry, 16);
        self.b.ins().store(mutable(), stamp, entry, 24);
        self.increment(count);
        self.jump(done);
        self.b.switch_to_block(done);
    }

    fn size(&mut self, filling: &Filling) -> ir::Value {
        match filling {
            Filling::Word(word) => {
                let bits = self.b.use_var(*word);
                self.b.ins().popcnt(bits)
            }
            Filling::Table { count, .. } => self.b.use_var(*count),
        }
    }
}

//! Templates to Cranelift's IR: the frame of a kernel, parameters and columns.
//!
//! A kernel walks over words of 64 profiles. In each word it visits the bits of
//! the selection, decides the condition for that profile, and writes the answers
//! as a word. All code of a kernel is in one function without calls, so it needs
//! no relocation, and all loads are of rows, items and table entries that
//! `check.rs` has bounded.

mod arithmetic;
mod condition;
mod query;
mod set;
mod value;

use crate::template::{Class, Column, Domain, MISSING, Nulls, Slot, Store, Template, Value};
use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::{self, AbiParam, Block, Function, InstBuilder, MemFlagsData, Signature, types};
use cranelift_codegen::isa::TargetIsa;
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext, Variable};

/// The parameters of every kernel: the parameter block, the first profile, the
/// number of words, the selection's words, the words of the answers,
/// scratch memory, and where a value for each profile goes.
pub fn signature(isa: &dyn TargetIsa) -> Signature {
    let mut signature = Signature::new(isa.default_call_conv());
    signature.params.extend([types::I64; 7].map(AbiParam::new));
    signature
}

/// Builds the kernel of a template.
///
/// # Errors
/// Slots so far apart that no load reaches them.
pub fn kernel(
    function: &mut Function,
    context: &mut FunctionBuilderContext,
    isa: &dyn TargetIsa,
    template: &Template,
) -> Result<(), &'static str> {
    let mut builder = FunctionBuilder::new(function, context);
    let entry = builder.create_block();
    builder.append_block_params_for_function_params(entry);
    builder.switch_to_block(entry);
    let arguments: Vec<ir::Value> = builder.block_params(entry).to_vec();
    let &[params, first, n_words, selection, out, scratch, values] = arguments.as_slice() else {
        return Err("a kernel with other parameters");
    };
    let mut emit = Emit { b: builder, params, scratch, values, is_out_of_reach: false };
    emit.words(first, n_words, selection, out, template);
    emit.b.seal_all_blocks();
    let is_out_of_reach = emit.is_out_of_reach;
    emit.b.finalize(isa.frontend_config());
    if is_out_of_reach { Err("a slot that no load reaches") } else { Ok(()) }
}

/// A value, and whether it is there; `None` when it always is.
#[derive(Clone, Copy)]
struct Out {
    value: ir::Value,
    known: Option<ir::Value>,
}

/// Whose values are meant: rows of the batch, and of the events of a source.
#[derive(Clone, Copy)]
struct Scope {
    person: ir::Value,
    event: Option<ir::Value>,
}

struct Emit<'f> {
    b: FunctionBuilder<'f>,
    params: ir::Value,
    scratch: ir::Value,
    values: ir::Value,
    /// Whether a slot is wanted whose offset has more than 32 bits.
    is_out_of_reach: bool,
}

/// Columns, tables and parameters do not change during a call. Loads stay behind
/// the branches that bound them, so none may be moved.
fn readonly() -> MemFlagsData {
    MemFlagsData::new().with_notrap().with_readonly()
}

/// The answers and the scratch memory do.
fn mutable() -> MemFlagsData {
    MemFlagsData::new().with_notrap()
}

impl Emit<'_> {
    fn words(
        &mut self,
        first: ir::Value,
        n_words: ir::Value,
        selection: ir::Value,
        out: ir::Value,
        template: &Template,
    ) {
        // What changes from word to word and from bit to bit are parameters of
        // blocks, so that the loops of a condition need not pass it through.
        let [word_head, word, bit_head, bit, word_end, end] = [(); 6].map(|()| self.b.create_block());
        let idx = self.b.append_block_param(word_head, types::I64);
        let [open, answers] = [(); 2].map(|()| self.b.append_block_param(bit_head, types::I64));
        let zero = self.int(0);
        self.b.ins().jump(word_head, &[zero.into()]);

        self.b.switch_to_block(word_head);
        let more = self.b.ins().icmp(IntCC::UnsignedLessThan, idx, n_words);
        self.branch(more, word, end);

        self.b.switch_to_block(word);
        let offset = self.b.ins().ishl_imm_u(idx, 3);
        let address = self.b.ins().iadd(selection, offset);
        let bits = self.b.ins().load(types::I64, mutable(), address, 0);
        let row = self.b.ins().ishl_imm_u(idx, 6);
        let row = self.b.ins().iadd(first, row);
        let none = self.int(0);
        self.b.ins().jump(bit_head, &[bits.into(), none.into()]);

        self.b.switch_to_block(bit_head);
        self.branch(open, bit, word_end);

        self.b.switch_to_block(bit);
        let place = self.b.ins().ctz(open);
        let below = self.b.ins().iadd_imm_s(open, -1);
        let rest = self.b.ins().band(open, below);
        let person = self.b.ins().iadd(row, place);
        let holds = match template {
            Template::Condition(cond) => self.cond(cond, Scope { person, event: None }),
            Template::Value(value) => self.gather(value, person, first),
        };
        let holds = self.b.ins().uextend(types::I64, holds);
        let holds = self.b.ins().ishl(holds, place);
        let so_far = self.b.ins().bor(answers, holds);
        self.b.ins().jump(bit_head, &[rest.into(), so_far.into()]);

        self.b.switch_to_block(word_end);
        let address = self.b.ins().iadd(out, offset);
        self.b.ins().store(mutable(), answers, address, 0);
        let next = self.b.ins().iadd_imm_s(idx, 1);
        self.b.ins().jump(word_head, &[next.into()]);

        self.b.switch_to_block(end);
        self.b.ins().return_(&[]);
    }

    /// Writes a person's value to its place in the block, and says whether it is
    /// there.
    fn gather(&mut self, value: &Value, person: ir::Value, first: ir::Value) -> ir::Value {
        let out = self.value(value, Scope { person, event: None });
        let bits = match value.class() {
            Class::Wide => self.cut(out.value),
            Class::Int | Class::Number => out.value,
        };
        let place = self.b.ins().isub(person, first);
        let offset = self.b.ins().ishl_imm_u(place, 3);
        let address = self.b.ins().iadd(self.values, offset);
        self.b.ins().store(mutable(), bits, address, 0);
        self.known(out)
    }

    /// The nearest 64-bit integer.
    fn cut(&mut self, wide: ir::Value) -> ir::Value {
        let low = self.b.ins().ireduce(types::I64, wide);
        let back = self.b.ins().sextend(types::I128, low);
        let fits = self.b.ins().icmp(IntCC::Equal, back, wide);
        let zero = self.int(0);
        let zero = self.b.ins().sextend(types::I128, zero);
        let is_negative = self.b.ins().icmp(IntCC::SignedLessThan, wide, zero);
        let (least, greatest) = (self.int(i64::MIN), self.int(i64::MAX));
        let end = self.b.ins().select(is_negative, least, greatest);
        self.b.ins().select(fits, low, end)
    }

    fn var(&mut self, ty: ir::Type) -> Variable {
        self.b.declare_var(ty)
    }

    fn int(&mut self, value: i64) -> ir::Value {
        self.b.ins().iconst(types::I64, value)
    }

    /// False or true.
    fn bool(&mut self, value: bool) -> ir::Value {
        self.b.ins().iconst(types::I8, i64::from(value))
    }

    fn jump(&mut self, to: Block) {
        self.b.ins().jump(to, &[]);
    }

    fn branch(&mut self, condition: ir::Value, then: Block, otherwise: Block) {
        self.b.ins().brif(condition, then, &[], otherwise, &[]);
    }

    /// A loop over the indices of a range. `body` is code for one of them that
    /// ends by jumping to the first block for the next, or to the second to
    /// leave.
    fn each_index(
        &mut self,
        (start, end): (ir::Value, ir::Value),
        body: impl FnOnce(&mut Self, ir::Value, Block, Block),
    ) {
        let at = self.var(types::I64);
        self.b.def_var(at, start);
        let [head, one, done] = [(); 3].map(|()| self.b.create_block());
        self.jump(head);
        self.b.switch_to_block(head);
        let idx = self.b.use_var(at);
        let more = self.b.ins().icmp(IntCC::SignedLessThan, idx, end);
        self.branch(more, one, done);
        self.b.switch_to_block(one);
        let next = self.b.ins().iadd_imm_s(idx, 1);
        self.b.def_var(at, next);
        body(self, idx, head, done);
        self.b.switch_to_block(done);
    }

    fn slot(&mut self, slot: Slot) -> ir::Value {
        let Some(offset) = i32::try_from(slot).ok().and_then(|slot| slot.checked_mul(8)) else {
            self.is_out_of_reach = true;
            return self.int(0);
        };
        // The block is there throughout the call, so that this load may be moved to
        // where it is needed, past any branch.
        self.b.ins().load(types::I64, readonly().with_can_move(), self.params, offset)
    }

    /// Where the element of an array at an index is. Machines shift an index while
    /// they add it.
    fn place(&mut self, base: ir::Value, idx: ir::Value, ty: ir::Type) -> ir::Value {
        let offset = match ty.bytes().trailing_zeros() {
            0 => idx,
            shift => self.b.ins().ishl_imm_u(idx, i64::from(shift)),
        };
        self.b.ins().iadd(base, offset)
    }

    /// The element of an array at an index.
    fn element(&mut self, base: ir::Value, idx: ir::Value, ty: ir::Type) -> ir::Value {
        let address = self.place(base, idx, ty);
        self.b.ins().load(ty, readonly(), address, 0)
    }

    /// A 32-bit element, sign-extended.
    fn element32(&mut self, base: ir::Value, idx: ir::Value) -> ir::Value {
        let value = self.element(base, idx, types::I32);
        self.b.ins().sextend(types::I64, value)
    }

    /// A bit of a bitmap.
    fn bit(&mut self, bits: Slot, offset: Slot, idx: ir::Value) -> ir::Value {
        let (bits, offset) = (self.slot(bits), self.slot(offset));
        let at = self.b.ins().iadd(idx, offset);
        let byte = self.b.ins().ushr_imm_u(at, 3);
        let address = self.b.ins().iadd(bits, byte);
        let byte = self.b.ins().load(types::I8, readonly(), address, 0);
        let within = self.b.ins().band_imm_u(at, 7);
        let bit = self.b.ins().ushr(byte, within);
        self.b.ins().band_imm_u(bit, 1)
    }

    fn nulls(&mut self, nulls: Option<&Nulls>, idx: ir::Value) -> Option<ir::Value> {
        nulls.map(|n| self.bit(n.bits, n.offset, idx))
    }

    /// The row of a column that the scope means.
    fn row(&mut self, domain: Domain, scope: Scope) -> ir::Value {
        match domain {
            Domain::Person => scope.person,
            Domain::Event => scope.event.unwrap_or(scope.person),
        }
    }

    fn column(&mut self, column: &Column, scope: Scope) -> Out {
        let idx = self.row(column.domain, scope);
        self.column_at(column, idx)
    }

    fn column_at(&mut self, column: &Column, idx: ir::Value) -> Out {
        let known = self.nulls(column.nulls.as_ref(), idx);
        let values = self.slot(column.values);
        match column.store {
            Store::Bit(offset) => {
                let bit = self.bit(column.values, offset, idx);
                Out { value: self.b.ins().uextend(types::I64, bit), known }
            }
            Store::I32 => Out { value: self.element32(values, idx), known },
            Store::I64 => Out { value: self.element(values, idx, types::I64), known },
            Store::F64 => {
                let value = self.element(values, idx, types::F64);
                let finite = self.is_finite(value);
                Out { value, known: self.both(known, Some(finite)) }
            }
            Store::Optional => {
                let value = self.element(values, idx, types::I64);
                let is_there = self.b.ins().icmp_imm_s(IntCC::NotEqual, value, MISSING);
                Out { value, known: self.both(known, Some(is_there)) }
            }
        }
    }

    /// The byte that a table holds for the key of a text; that of no key at all
    /// where it is missing. Keys that are there were checked, others are not
    /// looked up.
    fn key(&mut self, keys: &Column, scope: Scope) -> (ir::Value, Option<ir::Value>) {
        let Out { value, known } = self.column(keys, scope);
        let Some(known) = known else { return (value, None) };
        let zero = self.int(0);
        (self.b.ins().select(known, value, zero), Some(known))
    }

    fn is_finite(&mut self, value: ir::Value) -> ir::Value {
        let size = self.b.ins().fabs(value);
        let infinite = self.b.ins().f64const(f64::INFINITY);
        self.b.ins().fcmp(FloatCC::LessThan, size, infinite)
    }

    fn both(&mut self, a: Option<ir::Value>, b: Option<ir::Value>) -> Option<ir::Value> {
        match (a, b) {
            (Some(a), Some(b)) => Some(self.b.ins().band(a, b)),
            (a, b) => a.or(b),
        }
    }

    /// Whether a value is there, as a bit.
    fn known(&mut self, out: Out) -> ir::Value {
        match out.known {
            Some(known) => known,
            None => self.bool(true),
        }
    }
}

//! Arithmetic that agrees with the reference to the last bit: 128-bit totals,
//! rounding half to even, and results that do not fit.

use super::{Emit, Out};
use crate::template::{Arithmetic, Class, Scale};
use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::{self, InstBuilder, types};
use seg_data::money::MONEY_SCALE;

/// What added to and taken off a number rounds it to an integer, for numbers
/// below it: 2^52, above which no number has a fraction.
const ROUNDER: f64 = 4_503_599_627_370_496.0;
/// 2^63, the first number that is no 64-bit integer.
const TOO_LARGE: f64 = 9_223_372_036_854_775_808.0;

impl Emit<'_> {
    pub(super) fn arithmetic(&mut self, op: Arithmetic, left: (Out, Class), right: (Out, Class)) -> Out {
        let ((l, l_class), (r, r_class)) = (left, right);
        let known = self.both(l.known, r.known);
        let is_narrow = l_class == Class::Int && r_class == Class::Int;
        let (value, fits) = match op {
            Arithmetic::AddInts if is_narrow => self.b.ins().sadd_overflow(l.value, r.value).into_fits(self),
            Arithmetic::SubtractInts if is_narrow => self.b.ins().ssub_overflow(l.value, r.value).into_fits(self),
            Arithmetic::MultiplyInts if is_narrow => self.b.ins().smul_overflow(l.value, r.value).into_fits(self),
            Arithmetic::AddInts | Arithmetic::SubtractInts => {
                // Totals stay below 2^95, so 128 bits cannot overflow.
                let (l, r) = (self.wide(l.value, l_class), self.wide(r.value, r_class));
                let is_sum = op == Arithmetic::AddInts;
                let result = if is_sum { self.b.ins().iadd(l, r) } else { self.b.ins().isub(l, r) };
                self.narrow(result)
            }
            Arithmetic::MultiplyInts => self.multiply_wide((l.value, l_class), (r.value, r_class)),
            Arithmetic::DivideMoney => self.divide_half_even((l.value, l_class), (r.value, r_class)),
            Arithmetic::DivideInts | Arithmetic::Divide => {
                let (l, r) = (self.number(l.value, l_class), self.number(r.value, r_class));
                self.divide(l, r)
            }
            Arithmetic::Add | Arithmetic::Subtract | Arithmetic::Multiply => {
                let (l, r) = (self.number(l.value, l_class), self.number(r.value, r_class));
                let result = match op {
                    Arithmetic::Add => self.b.ins().fadd(l, r),
                    Arithmetic::Subtract => self.b.ins().fsub(l, r),
                    _ => self.b.ins().fmul(l, r),
                };
                (result, self.is_finite(result))
            }
            Arithmetic::MoneyTimesNumber | Arithmetic::MoneyByNumber => {
                let (money, number) = (self.number(l.value, l_class), self.number(r.value, r_class));
                let scale = self.b.ins().f64const(MONEY_SCALE as f64);
                let units = self.b.ins().fdiv(money, scale);
                match op {
                    Arithmetic::MoneyTimesNumber => {
                        let result = self.b.ins().fmul(units, number);
                        self.money_from(result)
                    }
                    _ => {
                        let result = self.b.ins().fdiv(units, number);
                        let (value, fits) = self.money_from(result);
                        let zero = self.b.ins().f64const(0.0);
                        let is_defined = self.b.ins().fcmp(FloatCC::NotEqual, number, zero);
                        (value, self.b.ins().band(fits, is_defined))
                    }
                }
            }
        };
        Out { value, known: self.both(known, Some(fits)) }
    }

    /// An integer of either width in 128 bits.
    pub(super) fn wide(&mut self, value: ir::Value, class: Class) -> ir::Value {
        match class {
            Class::Wide => value,
            _ => self.b.ins().sextend(types::I128, value),
        }
    }

    /// The lower half of a 128-bit integer, and whether that is all of it.
    pub(super) fn narrow(&mut self, value: ir::Value) -> (ir::Value, ir::Value) {
        let low = self.b.ins().ireduce(types::I64, value);
        let back = self.b.ins().sextend(types::I128, low);
        (low, self.b.ins().icmp(IntCC::Equal, back, value))
    }

    fn multiply_wide(&mut self, left: (ir::Value, Class), right: (ir::Value, Class)) -> (ir::Value, ir::Value) {
        let (l, r) = (self.wide(left.0, left.1), self.wide(right.0, right.1));
        let product = self.b.ins().imul(l, r);
        let (low, fits) = self.narrow(product);
        // A product that fits has factors of at most 2^63 each, unless one of
        // them is zero; those cannot overflow 128 bits.
        let (l_small, r_small) = (self.is_at_most_2_63(l), self.is_at_most_2_63(r));
        let is_small = self.b.ins().band(l_small, r_small);
        let zero = self.int(0);
        let zero = self.b.ins().sextend(types::I128, zero);
        let l_zero = self.b.ins().icmp(IntCC::Equal, l, zero);
        let r_zero = self.b.ins().icmp(IntCC::Equal, r, zero);
        let is_zero = self.b.ins().bor(l_zero, r_zero);
        let is_exact = self.b.ins().bor(is_small, is_zero);
        (low, self.b.ins().band(fits, is_exact))
    }

    fn is_at_most_2_63(&mut self, value: ir::Value) -> ir::Value {
        let (size, _) = self.magnitude(value);
        let one = self.int(1);
        let one = self.b.ins().uextend(types::I128, one);
        let limit = self.b.ins().ishl_imm_u(one, 63);
        self.b.ins().icmp(IntCC::UnsignedLessThanOrEqual, size, limit)
    }

    /// The size of a 128-bit integer, and whether it is below zero.
    fn magnitude(&mut self, value: ir::Value) -> (ir::Value, ir::Value) {
        let (_, high) = self.b.ins().isplit(value);
        let zero = self.int(0);
        let is_negative = self.b.ins().icmp(IntCC::SignedLessThan, high, zero);
        let opposite = self.b.ins().ineg(value);
        (self.b.ins().select(is_negative, opposite, value), is_negative)
    }

    /// `left / right`, half to even, and whether it is defined and fits 64 bits.
    pub(super) fn divide_half_even(
        &mut self,
        left: (ir::Value, Class),
        right: (ir::Value, Class),
    ) -> (ir::Value, ir::Value) {
        let (l, r) = (self.wide(left.0, left.1), self.wide(right.0, right.1));
        let ((l, l_negative), (r, r_negative)) = (self.magnitude(l), self.magnitude(r));
        let is_negative = self.b.ins().bxor(l_negative, r_negative);
        let zero = self.int(0);
        let zero = self.b.ins().uextend(types::I128, zero);
        let is_defined = self.b.ins().icmp(IntCC::NotEqual, r, zero);
        // By zero, any other divisor will do: the result is not used.
        let one = self.int(1);
        let one = self.b.ins().uextend(types::I128, one);
        let r = self.b.ins().select(is_defined, r, one);
        let (quotient, remainder) = self.divide_unsigned(l, r);
        // The remainder is below the divisor, so this does not overflow.
        let other = self.b.ins().isub(r, remainder);
        let is_above = self.b.ins().icmp(IntCC::UnsignedGreaterThan, remainder, other);
        let is_half = self.b.ins().icmp(IntCC::Equal, remainder, other);
        let low = self.b.ins().ireduce(types::I8, quotient);
        let is_odd = self.b.ins().band_imm_u(low, 1);
        let to_even = self.b.ins().band(is_half, is_odd);
        let step = self.b.ins().bor(is_above, to_even);
        let step = self.b.ins().uextend(types::I64, step);
        let step = self.b.ins().uextend(types::I128, step);
        let quotient = self.b.ins().iadd(quotient, step);
        let opposite = self.b.ins().ineg(quotient);
        let result = self.b.ins().select(is_negative, opposite, quotient);
        // A quotient of 2^127 would look negative; it does not fit anyway.
        let (low, fits) = self.narrow(result);
        let fits = self.b.ins().band(fits, is_defined);
        (low, fits)
    }

    /// Quotient and remainder of 128-bit integers; the divisor is not zero.
    /// Where both fit 64 bits it is one instruction, else long division, a bit
    /// at a time.
    fn divide_unsigned(&mut self, left: ir::Value, right: ir::Value) -> (ir::Value, ir::Value) {
        let (quotient, remainder, place) = (self.var(types::I128), self.var(types::I128), self.var(types::I64));
        let [short, long, head, step, done] = [(); 5].map(|()| self.b.create_block());
        let (l_low, l_high) = self.b.ins().isplit(left);
        let (r_low, r_high) = self.b.ins().isplit(right);
        let high = self.b.ins().bor(l_high, r_high);
        self.branch(high, long, short);

        self.b.switch_to_block(short);
        let q = self.b.ins().udiv(l_low, r_low);
        let product = self.b.ins().imul(q, r_low);
        let r = self.b.ins().isub(l_low, product);
        let (q, r) = (self.b.ins().uextend(types::I128, q), self.b.ins().uextend(types::I128, r));
        self.b.def_var(quotient, q);
        self.b.def_var(remainder, r);
        self.jump(done);

        self.b.switch_to_block(long);
        let zero = self.int(0);
        let zero = self.b.ins().uextend(types::I128, zero);
        let top = self.int(128);
        self.b.def_var(quotient, zero);
        self.b.def_var(remainder, zero);
        self.b.def_var(place, top);
        self.jump(head);

        self.b.switch_to_block(head);
        let at = self.b.use_var(place);
        self.branch(at, step, done);

        self.b.switch_to_block(step);
        let at = self.b.ins().iadd_imm_s(at, -1);
        self.b.def_var(place, at);
        let bit = self.b.ins().ushr(left, at);
        let bit = self.b.ins().ireduce(types::I64, bit);
        let bit = self.b.ins().band_imm_u(bit, 1);
        let bit = self.b.ins().uextend(types::I128, bit);
        let r = self.b.use_var(remainder);
        // Shifting 128 bits takes longer than adding them.
        let r = self.b.ins().iadd(r, r);
        let r = self.b.ins().bor(r, bit);
        let takes = self.b.ins().icmp(IntCC::UnsignedGreaterThanOrEqual, r, right);
        let less = self.b.ins().isub(r, right);
        let r = self.b.ins().select(takes, less, r);
        self.b.def_var(remainder, r);
        let takes = self.b.ins().uextend(types::I64, takes);
        let takes = self.b.ins().uextend(types::I128, takes);
        let q = self.b.use_var(quotient);
        let q = self.b.ins().iadd(q, q);
        let q = self.b.ins().bor(q, takes);
        self.b.def_var(quotient, q);
        self.jump(head);

        self.b.switch_to_block(done);
        (self.b.use_var(quotient), self.b.use_var(remainder))
    }

    /// Money times a fraction.
    pub(super) fn scale(&mut self, money: (Out, Class), scale: &Scale) -> Out {
        let value = self.wide(money.0.value, money.1);
        let [numerator, denominator, least, greatest] =
            [scale.numerator, scale.denominator, scale.least, scale.greatest].map(|(low, high)| self.pair(low, high));
        let above = self.b.ins().icmp(IntCC::SignedGreaterThanOrEqual, value, least);
        let below = self.b.ins().icmp(IntCC::SignedLessThanOrEqual, value, greatest);
        let is_exact = self.b.ins().band(above, below);
        let product = self.b.ins().imul(value, numerator);
        let (value, fits) = self.divide_half_even((product, Class::Wide), (denominator, Class::Wide));
        let fits = self.b.ins().band(fits, is_exact);
        Out { value, known: self.both(money.0.known, Some(fits)) }
    }

    /// A 128-bit integer from two slots.
    pub(super) fn pair(&mut self, low: u32, high: u32) -> ir::Value {
        let (low, high) = (self.slot(low), self.slot(high));
        self.b.ins().iconcat(low, high)
    }

    /// The quotient of two numbers, and whether it is one.
    pub(super) fn divide(&mut self, left: ir::Value, right: ir::Value) -> (ir::Value, ir::Value) {
        // By zero the quotient is infinite or none.
        let result = self.b.ins().fdiv(left, right);
        (result, self.is_finite(result))
    }

    /// An amount of money from a number, half to even, and whether it fits.
    fn money_from(&mut self, amount: ir::Value) -> (ir::Value, ir::Value) {
        let scale = self.b.ins().f64const(MONEY_SCALE as f64);
        let scaled = self.b.ins().fmul(amount, scale);
        // Adding 2^52 rounds away the fraction, ties to even.
        let rounder = self.b.ins().f64const(ROUNDER);
        let size = self.b.ins().fabs(scaled);
        let has_fraction = self.b.ins().fcmp(FloatCC::LessThan, size, rounder);
        let rounder = self.b.ins().fcopysign(rounder, scaled);
        let rounded = self.b.ins().fadd(scaled, rounder);
        let rounded = self.b.ins().fsub(rounded, rounder);
        let scaled = self.b.ins().select(has_fraction, rounded, scaled);
        let (least, limit) = (self.b.ins().f64const(-TOO_LARGE), self.b.ins().f64const(TOO_LARGE));
        let above = self.b.ins().fcmp(FloatCC::GreaterThanOrEqual, scaled, least);
        let below = self.b.ins().fcmp(FloatCC::LessThan, scaled, limit);
        let value = self.b.ins().fcvt_to_sint_sat(types::I64, scaled);
        (value, self.b.ins().band(above, below))
    }

    /// An integer of either width as the nearest number.
    pub(super) fn number(&mut self, value: ir::Value, class: Class) -> ir::Value {
        match class {
            Class::Number => value,
            Class::Int => self.b.ins().fcvt_from_sint(types::F64, value),
            Class::Wide => self.wide_to_number(value),
        }
    }

    /// The 64 uppermost bits that are not zero, with a mark for any below, are
    /// enough to round as all bits would: numbers keep 53.
    fn wide_to_number(&mut self, value: ir::Value) -> ir::Value {
        let (size, is_negative) = self.magnitude(value);
        let (low, high) = self.b.ins().isplit(size);
        let zeros = self.b.ins().clz(high);
        let all = self.int(64);
        let shift = self.b.ins().isub(all, zeros);
        let top = self.b.ins().ushr(size, shift);
        let top = self.b.ins().ireduce(types::I64, top);
        // Shifting by 64 less the shift, in two steps as it may be 64.
        let left = self.b.ins().ishl(low, zeros);
        let zero = self.int(0);
        let below = self.b.ins().icmp(IntCC::NotEqual, left, zero);
        let is_shifted = self.b.ins().icmp(IntCC::NotEqual, shift, zero);
        let mark = self.b.ins().band(below, is_shifted);
        let mark = self.b.ins().uextend(types::I64, mark);
        let top = self.b.ins().bor(top, mark);
        let number = self.b.ins().fcvt_from_uint(types::F64, top);
        // Two to the power of the shift, by its exponent.
        let exponent = self.b.ins().iadd_imm_s(shift, 1023);
        let power = self.b.ins().ishl_imm_u(exponent, 52);
        let power = self.b.ins().bitcast(types::F64, ir::MemFlagsData::new(), power);
        let number = self.b.ins().fmul(number, power);
        let opposite = self.b.ins().fneg(number);
        self.b.ins().select(is_negative, opposite, number)
    }

    /// Whether an integer is below, at or above a number: two bits, `less` and
    /// `greater`.
    pub(super) fn integer_with_number(
        &mut self,
        (integer, class): (ir::Value, Class),
        number: ir::Value,
    ) -> (ir::Value, ir::Value) {
        let integer = self.wide(integer, class);
        // Integers stay below 2^96, so numbers beyond that compare by sign; the
        // whole part of any other is exact in 128 bits.
        let whole = self.whole_part(number);
        let less = self.b.ins().icmp(IntCC::SignedLessThan, integer, whole);
        let greater = self.b.ins().icmp(IntCC::SignedGreaterThan, integer, whole);
        let equal = self.b.ins().icmp(IntCC::Equal, integer, whole);
        // The whole part is cut off towards zero; the rest decides.
        let back = self.wide_to_number(whole);
        let above = self.b.ins().fcmp(FloatCC::GreaterThan, number, back);
        let below = self.b.ins().fcmp(FloatCC::LessThan, number, back);
        let (above, below) = (self.b.ins().band(equal, above), self.b.ins().band(equal, below));
        let (less, greater) = (self.b.ins().bor(less, above), self.b.ins().bor(greater, below));
        let limit = self.b.ins().f64const(2f64.powi(100));
        let size = self.b.ins().fabs(number);
        let is_huge = self.b.ins().fcmp(FloatCC::GreaterThanOrEqual, size, limit);
        let zero = self.b.ins().f64const(0.0);
        let is_positive = self.b.ins().fcmp(FloatCC::GreaterThan, number, zero);
        let is_negative = self.b.ins().fcmp(FloatCC::LessThan, number, zero);
        (self.b.ins().select(is_huge, is_positive, less), self.b.ins().select(is_huge, is_negative, greater))
    }

    /// The whole part of a number below 2^100, towards zero.
    fn whole_part(&mut self, number: ir::Value) -> ir::Value {
        let bits = self.b.ins().bitcast(types::I64, ir::MemFlagsData::new(), number);
        let exponent = self.b.ins().ushr_imm_u(bits, 52);
        let exponent = self.b.ins().band_imm_u(exponent, 0x7ff);
        // Above this exponent the significand is whole and is shifted up.
        let shift = self.b.ins().iadd_imm_s(exponent, -1075);
        let zero = self.int(0);
        let is_large = self.b.ins().icmp(IntCC::SignedGreaterThan, shift, zero);
        let up = self.b.ins().select(is_large, shift, zero);
        let up = self.b.ins().band_imm_u(up, 63);
        let significand = self.b.ins().band_imm_u(bits, (1 << 52) - 1);
        let significand = self.b.ins().bor_imm_u(significand, 1 << 52);
        let significand = self.b.ins().uextend(types::I128, significand);
        let large = self.b.ins().ishl(significand, up);
        let opposite = self.b.ins().ineg(large);
        let is_negative = self.b.ins().icmp(IntCC::SignedLessThan, bits, zero);
        let large = self.b.ins().select(is_negative, opposite, large);
        let small = self.b.ins().fcvt_to_sint_sat(types::I64, number);
        let small = self.b.ins().sextend(types::I128, small);
        self.b.ins().select(is_large, large, small)
    }
}

/// A result with an overflow bit as one with a bit that says it fits.
trait IntoFits {
    fn into_fits(self, emit: &mut Emit<'_>) -> (ir::Value, ir::Value);
}

impl IntoFits for (ir::Value, ir::Value) {
    fn into_fits(self, emit: &mut Emit<'_>) -> (ir::Value, ir::Value) {
        let (value, overflows) = self;
        (value, emit.b.ins().bxor_imm_u(overflows, 1))
    }
}

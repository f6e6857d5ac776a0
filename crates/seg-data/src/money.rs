//! Exact money: decimals with four places.

use std::fmt;

/// An amount in ten-thousandths of the currency unit.
///
/// Products, quotients and averages round half to even at four places; a
/// result that does not fit 64 bits is `None`, which Seg treats as missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Money(pub i64);

/// Ten-thousandths in one unit.
pub const MONEY_SCALE: i64 = 10_000;

/// Why a text is not an amount of money.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MoneyError {
    /// Not a decimal number.
    NotANumber,
    /// More than four places after the point.
    TooFine,
    /// Does not fit 64 bits.
    TooLarge,
}

impl Money {
    /// Reads `12`, `-0.5`, `2.5500`: at most four places that are not zero.
    pub fn parse(text: &str) -> Result<Money, MoneyError> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let all_digits = |t: &str| t.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || !all_digits(whole) || !all_digits(fraction) || digits.ends_with('.') {
            return Err(MoneyError::NotANumber);
        }
        let fraction = fraction.trim_end_matches('0');
        if fraction.len() > 4 {
            return Err(MoneyError::TooFine);
        }
        let mut units: i128 = 0;
        for digit in whole.bytes().chain(fraction.bytes()).chain(std::iter::repeat_n(b'0', 4 - fraction.len())) {
            units = units * 10 + i128::from(digit - b'0');
            if units > i128::from(i64::MAX) + 1 {
                return Err(MoneyError::TooLarge);
            }
        }
        let signed = if negative { -units } else { units };
        i64::try_from(signed).map(Money).map_err(|_| MoneyError::TooLarge)
    }

    /// A whole number of units.
    pub fn from_integer(units: i128) -> Option<Money> {
        units.checked_mul(i128::from(MONEY_SCALE)).and_then(Money::from_scaled)
    }

    /// From ten-thousandths in 128 bits.
    pub fn from_scaled(scaled: i128) -> Option<Money> {
        i64::try_from(scaled).ok().map(Money)
    }

    /// From a floating-point amount, rounded half to even at four places.
    #[inline]
    pub fn from_number(amount: f64) -> Option<Money> {
        let scaled = amount * MONEY_SCALE as f64;
        // 1.5 · 2^52: from 2^52 to 2^53 floating point has the whole numbers and no
        // others, so that adding rounds, half to even, and the bits count up by one.
        // Not every machine that Seg is built for has an instruction that rounds.
        const WHOLE: f64 = 6_755_399_441_055_744.0;
        if scaled.abs() < 2_251_799_813_685_248.0 {
            return Some(Money((scaled + WHOLE).to_bits() as i64 - WHOLE.to_bits() as i64));
        }
        let scaled = scaled.round_ties_even();
        // Both bounds are exact in binary; the upper one is 2^63.
        (scaled >= i64::MIN as f64 && scaled < i64::MAX as f64).then_some(Money(scaled as i64))
    }
}

/// `numerator / denominator` rounded half to even; `None` for a zero
/// denominator.
pub fn divide_half_even(numerator: i128, denominator: i128) -> Option<i128> {
    if denominator == 0 {
        return None;
    }
    let quotient = numerator.div_euclid(denominator);
    let remainder = numerator.rem_euclid(denominator);
    // `rem_euclid` is in 0..|denominator|, and `quotient` pairs with it, so for
    // a negative denominator the next value away is one below.
    let step = denominator.signum();
    let twice = remainder.checked_mul(2)?;
    let magnitude = denominator.checked_abs()?;
    let rounds_away = twice > magnitude || (twice == magnitude && quotient.rem_euclid(2) == 1);
    if rounds_away { quotient.checked_add(step) } else { Some(quotient) }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let scale = MONEY_SCALE as u64;
        let units = self.0.unsigned_abs();
        let (whole, fraction) = (units / scale, units % scale);
        let digits = format!("{fraction:04}");
        let digits = if fraction % 100 == 0 { digits.get(..2).unwrap_or("00") } else { digits.trim_end_matches('0') };
        write!(f, "{sign}{whole}.{digits}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_exactly() {
        assert_eq!(Money::parse("2.55"), Ok(Money(25_500)));
        assert_eq!(Money::parse("-0.0001"), Ok(Money(-1)));
        assert_eq!(Money::parse("1.00000"), Ok(Money(10_000)));
        assert_eq!(Money::parse("1.00001"), Err(MoneyError::TooFine));
        assert_eq!(Money::parse("922337203685477.5807"), Ok(Money(i64::MAX)));
        assert_eq!(Money::parse("-922337203685477.5808"), Ok(Money(i64::MIN)));
        assert_eq!(Money::parse("922337203685477.5808"), Err(MoneyError::TooLarge));
        for bad in ["", ".5", "1.", "1e3", "+1", "1,0"] {
            assert_eq!(Money::parse(bad), Err(MoneyError::NotANumber), "{bad}");
        }
    }

    #[test]
    fn division_rounds_half_to_even() {
        let cases = [(5, 2, 2), (7, 2, 4), (-5, 2, -2), (-7, 2, -4), (5, -2, -2), (7, -2, -4), (8, 3, 3), (-8, 3, -3)];
        for (n, d, expected) in cases {
            assert_eq!(divide_half_even(n, d), Some(expected), "{n}/{d}");
        }
        assert_eq!(divide_half_even(1, 0), None);
    }

    #[test]
    fn amounts_print_with_two_places_or_more() {
        assert_eq!(Money(25_500).to_string(), "2.55");
        assert_eq!(Money(-10_000).to_string(), "-1.00");
        assert_eq!(Money(1).to_string(), "0.0001");
    }

    #[test]
    fn numbers_are_rounded_half_to_even() {
        // Every second thirty-second is exactly half a ten-thousandth off.
        let of_halves = (-40_i32..40).map(|n| f64::from(n) / 32.0);
        // To both sides of where another way of rounding begins.
        let large = [2_f64.powi(51), 2_f64.powi(52), 2_f64.powi(53), 9e18].into_iter().flat_map(|n| {
            [-2.5, -1.5, -0.5, 0.0, 0.5, 1.5].into_iter().flat_map(move |d| [(n + d) / 1e4, (-n + d) / 1e4])
        });
        for number in of_halves.chain(large).chain([0.1, 0.000_05, 0.000_15, -0.0, 1e-300, -79.995]) {
            let rounded = (number * 1e4).round_ties_even();
            assert_eq!(Money::from_number(number), Some(Money(rounded as i64)), "{number}");
        }
        for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 9.3e14, -9.3e14, f64::MAX] {
            assert_eq!(Money::from_number(number), None, "{number}");
        }
    }
}

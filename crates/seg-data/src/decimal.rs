//! Decimals of any width, read without rounding.
//!
//! Arrow stores a decimal as a whole number of 32 to 256 bits beside a scale, which
//! may be negative. What Seg keeps is 64 bits wide, so every reading here says
//! whether it is exact; only a number, which is floating point, is the nearest.

use crate::money::Money;
use arrow_array::cast::AsArray;
use arrow_array::types::{Decimal32Type, Decimal64Type, Decimal128Type, Decimal256Type, DecimalType};
use arrow_array::{Array, ArrowPrimitiveType};
use arrow_buffer::i256;
use arrow_schema::DataType;
use std::fmt;

/// The decimal `value · 10^-scale`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decimal {
    /// Its digits as a whole number.
    pub value: i256,
    /// How many of them stand after the point; below zero, how many zeros follow.
    pub scale: i8,
}

/// Why a decimal is not exactly what was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inexact {
    /// More places that are not zero than there is room for.
    TooFine,
    /// More than 64 bits hold.
    TooLarge,
}

impl Decimal {
    /// Reads `12`, `-0.50`, `1.5e3`; `None` for what is no decimal number and for
    /// more digits than 256 bits hold.
    pub fn parse(text: &str) -> Option<Decimal> {
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
            None => (text, 0),
        };
        let (negative, digits) = match mantissa.strip_prefix('-') {
            Some(digits) => (true, digits),
            None => (false, mantissa),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let all_digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || !all_digits(whole) || !all_digits(fraction) || digits.ends_with('.') {
            return None;
        }
        let fraction = fraction.trim_end_matches('0');
        let value = i256::from_string(&format!("{whole}{fraction}"))?;
        if value == i256::ZERO {
            return Some(Decimal { value, scale: 0 });
        }
        let scale = i32::try_from(fraction.len()).ok()?.checked_sub(exponent)?;
        let value = if negative { value.checked_neg()? } else { value };
        Some(Decimal { value, scale: i8::try_from(scale).ok()? })
    }

    /// The decimal at a row of an array of decimals of any width; `None` for other
    /// arrays, past the end, and where it is null.
    pub fn at(array: &dyn Array, row: usize) -> Option<Decimal> {
        let is_there = row < array.len() && array.is_valid(row);
        let value = match array.data_type() {
            _ if !is_there => return None,
            DataType::Decimal32(..) => array.as_primitive_opt::<Decimal32Type>()?.value(row).into(),
            DataType::Decimal64(..) => array.as_primitive_opt::<Decimal64Type>()?.value(row).into(),
            DataType::Decimal128(..) => array.as_primitive_opt::<Decimal128Type>()?.value(row).into(),
            DataType::Decimal256(..) => array.as_primitive_opt::<Decimal256Type>()?.value(row),
            _ => return None,
        };
        Some(Decimal { value, scale: scale(array)? })
    }

    /// The amount of money that it is exactly.
    ///
    /// # Errors
    /// More than four places that are not zero, or more than 64 bits hold.
    pub fn money(self) -> Result<Money, Inexact> {
        self.with_places(4).map(Money)
    }

    /// The whole number that it is exactly.
    ///
    /// # Errors
    /// A fraction that is not zero, or more than 64 bits hold.
    pub fn whole(self) -> Result<i64, Inexact> {
        self.with_places(0)
    }

    /// The floating-point number nearest to it, as its digits read as text are.
    pub fn nearest(self) -> f64 {
        // Up to these, floating point holds the digits and the power exactly, so that
        // one division rounds once.
        const DIGITS_MAX: i64 = 1 << 53;
        const SCALE_MAX: u32 = 19;
        let small = self.value.to_i128().and_then(|value| i64::try_from(value).ok());
        let small = small.filter(|value| (-DIGITS_MAX..=DIGITS_MAX).contains(value));
        if let (Some(value), Ok(scale @ 0..=SCALE_MAX)) = (small, u32::try_from(self.scale)) {
            return value as f64 / 10_u64.pow(scale) as f64;
        }
        // Digits with an exponent are always a number.
        format!("{}e{}", self.value, -i16::from(self.scale)).parse().unwrap_or(f64::NAN)
    }

    /// How many times it holds `10^-places`, if that is a whole number.
    fn with_places(self, places: i16) -> Result<i64, Inexact> {
        let shift = places - i16::from(self.scale);
        if self.value == i256::ZERO {
            return Ok(0);
        }
        let power = u32::from(shift.unsigned_abs());
        // Nearly all decimals are this narrow, which is a good deal faster.
        if let (Some(value), Some(power)) = (self.value.to_i128(), 10_i128.checked_pow(power)) {
            let scaled = match shift {
                0.. => value.checked_mul(power).ok_or(Inexact::TooLarge)?,
                _ if value % power != 0 => return Err(Inexact::TooFine),
                _ => value / power,
            };
            return i64::try_from(scaled).map_err(|_| Inexact::TooLarge);
        }
        let power = i256::from(10_i8).checked_pow(power);
        let scaled = match shift {
            0.. => power.and_then(|power| self.value.checked_mul(power)).ok_or(Inexact::TooLarge)?,
            // No decimal has so many digits as a power that does not fit.
            _ => match power.and_then(|power| self.value.checked_div_rem(power)) {
                Some((scaled, i256::ZERO)) => scaled,
                Some(_) | None => return Err(Inexact::TooFine),
            },
        };
        scaled.to_i128().and_then(|scaled| i64::try_from(scaled).ok()).ok_or(Inexact::TooLarge)
    }
}

impl fmt::Display for Decimal {
    /// Its digits in full, without zeros at the end of a fraction.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.value.to_string();
        let (sign, digits) = match text.strip_prefix('-') {
            Some(digits) => ("-", digits),
            None => ("", text.as_str()),
        };
        let Ok(places @ 1..) = usize::try_from(self.scale) else {
            let zeros = if digits == "0" { 0 } else { usize::from(self.scale.unsigned_abs()) };
            return write!(f, "{sign}{digits}{}", "0".repeat(zeros));
        };
        let digits = format!("{digits:0>width$}", width = places + 1);
        let (whole, fraction) = digits.split_at_checked(digits.len() - places).unwrap_or((&digits, ""));
        let fraction = fraction.trim_end_matches('0');
        let point = if fraction.is_empty() { "" } else { "." };
        write!(f, "{sign}{whole}{point}{fraction}")
    }
}

/// What `of` makes of each decimal of an array, with a default where it is null;
/// `None` for an array of anything else.
///
/// # Errors
/// The first of those of `of`.
pub fn map<R: Clone + Default, E>(
    array: &dyn Array,
    of: impl Fn(Decimal) -> Result<R, E>,
) -> Option<Result<Vec<R>, E>> {
    let scale = scale(array)?;
    let of = |value: i256| of(Decimal { value, scale });
    match array.data_type() {
        DataType::Decimal32(..) => values::<Decimal32Type, R, E>(array, |value| of(value.into())),
        DataType::Decimal64(..) => values::<Decimal64Type, R, E>(array, |value| of(value.into())),
        DataType::Decimal128(..) => values::<Decimal128Type, R, E>(array, |value| of(value.into())),
        DataType::Decimal256(..) => values::<Decimal256Type, R, E>(array, of),
        _ => None,
    }
}

fn values<T: DecimalType, R: Clone + Default, E>(
    array: &dyn Array,
    of: impl Fn(<T as ArrowPrimitiveType>::Native) -> Result<R, E>,
) -> Option<Result<Vec<R>, E>> {
    let array = array.as_primitive_opt::<T>()?;
    // What lies in a place that is null is no matter.
    Some(array.iter().map(|value| value.map_or_else(|| Ok(R::default()), &of)).collect())
}

fn scale(array: &dyn Array) -> Option<i8> {
    match array.data_type() {
        DataType::Decimal32(_, scale) | DataType::Decimal64(_, scale) => Some(*scale),
        DataType::Decimal128(_, scale) | DataType::Decimal256(_, scale) => Some(*scale),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money::MoneyError;
    use arrow_array::{Decimal128Array, Decimal256Array};

    fn decimal(digits: &str, scale: i8) -> Decimal {
        Decimal { value: i256::from_string(digits).expect(digits), scale }
    }

    #[test]
    fn money_is_exact_or_refused() {
        for (digits, scale, expected) in [
            ("12", -2, Ok(12_000_000)),
            ("0", -76, Ok(0)),
            ("1", -76, Err(Inexact::TooLarge)),
            ("9007199254740993", 4, Ok(9_007_199_254_740_993)),
            ("9223372036854775807", 4, Ok(i64::MAX)),
            ("-9223372036854775808", 4, Ok(i64::MIN)),
            ("9223372036854775808", 4, Err(Inexact::TooLarge)),
            ("922337203685477580700", 6, Ok(i64::MAX)),
            ("922337203685477580701", 6, Err(Inexact::TooFine)),
            ("922337203685477580800", 6, Err(Inexact::TooLarge)),
            ("1", 76, Err(Inexact::TooFine)),
            ("0", 76, Ok(0)),
            ("1", 127, Err(Inexact::TooFine)),
            ("10000000000000000000000000000000000000000000000000000000000000000000000000000", 76, Ok(10_000)),
            ("-10000000000000000000000000000000000000000000000000000000000000000000000000000", 76, Ok(-10_000)),
            (
                "10000000000000000000000000000000000000000000000000000000000000000000000000001",
                76,
                Err(Inexact::TooFine),
            ),
            (
                "10000000000000000000000000000000000000000000000000000000000000000000000000000",
                0,
                Err(Inexact::TooLarge),
            ),
        ] {
            assert_eq!(decimal(digits, scale).money(), expected.map(Money), "{digits} {scale}");
        }
    }

    /// An amount says the same as a decimal and as the text that it prints.
    #[test]
    fn decimals_and_their_texts_are_the_same_money() {
        let mut digits: Vec<i256> = ["0", "1", "-1", "10", "100", "123456", "-9007199254740993", "9223372036854775807"]
            .map(|text| i256::from_string(text).expect(text))
            .to_vec();
        digits.extend([i256::MAX, i256::MIN, i256::from(i128::MAX), i256::from(i128::MIN)]);
        for value in digits {
            for scale in i8::MIN..=i8::MAX {
                let decimal = Decimal { value, scale };
                let text = decimal.to_string();
                let as_text = Money::parse(&text).map_err(|error| match error {
                    MoneyError::TooFine => Inexact::TooFine,
                    MoneyError::TooLarge => Inexact::TooLarge,
                    MoneyError::NotANumber => panic!("{text} is a number"),
                });
                assert_eq!(decimal.money(), as_text, "{value} {scale}");
                assert_eq!(decimal.whole().ok(), text.parse().ok(), "{value} {scale}");
                assert_eq!(Ok(decimal.nearest()), text.parse(), "{value} {scale}");
            }
        }
    }

    #[test]
    fn decimals_print_their_digits() {
        for (digits, scale, expected) in [
            ("1250", 2, "12.5"),
            ("-5", 2, "-0.05"),
            ("1200", 2, "12"),
            ("0", 3, "0"),
            ("12", -3, "12000"),
            ("0", -3, "0"),
        ] {
            assert_eq!(decimal(digits, scale).to_string(), expected);
        }
    }

    #[test]
    fn decimals_are_read_as_they_are_written() {
        for (text, expected) in [
            ("12", "12"),
            ("-0.50", "-0.5"),
            ("1.5e3", "1500"),
            ("1.25E-2", "0.0125"),
            ("9007199254740993e-4", "900719925474.0993"),
            ("-0e99", "0"),
        ] {
            assert_eq!(Decimal::parse(text).map(|d| d.to_string()).as_deref(), Some(expected), "{text}");
        }
        for bad in ["", "-", ".5", "1.", "+1", "1e", "1,5", "e5", "1e999", "nan", "--1", "1e5e5"] {
            assert_eq!(Decimal::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn what_lies_under_a_null_is_no_matter() {
        let array = Decimal128Array::from(vec![Some(1), None, Some(-3)]).with_precision_and_scale(38, 0).expect("one");
        let amounts = map(&array, |decimal| decimal.whole());
        assert_eq!(amounts, Some(Ok(vec![1, 0, -3])));
        assert_eq!((Decimal::at(&array, 1), Decimal::at(&array, 3)), (None, None));
        let array = Decimal256Array::from(vec![i256::MAX]).with_precision_and_scale(76, 0).expect("one");
        assert_eq!(map(&array, |decimal| decimal.whole()), Some(Err(Inexact::TooLarge)));
        assert_eq!(map(&arrow_array::Int32Array::from(vec![1]), |decimal| decimal.whole()), None);
    }
}

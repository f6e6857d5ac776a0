//! Random parts of all people: the same ones for the same name, always.

use md5::{Digest, Md5};

/// How many different places there are: places go from 0 to one less.
pub const PLACES: u64 = 1 << 32;

/// Where a person stands in the order that a name puts all people in: the first
/// 32 bits of MD5 over the name, a zero byte and the profile id, as any SQL
/// engine can calculate it.
pub fn place(name: &str, profile_id: &str) -> u64 {
    let mut hash = Md5::new();
    hash.update(name.as_bytes());
    hash.update([0]);
    hash.update(profile_id.as_bytes());
    hash.finalize().iter().take(4).fold(0, |place, byte| place << 8 | u64::from(*byte))
}

/// MD5 over a text, in hexadecimal digits.
pub fn md5_hex(text: &str) -> String {
    Md5::digest(text.as_bytes()).iter().fold(String::with_capacity(32), |hex, byte| hex + &format!("{byte:02x}"))
}

/// The first place that is not below a percentage, given as decimal digits;
/// `None` when it is none between 0 and 100 or too fine.
pub fn places_below(percent: &str) -> Option<u64> {
    let (whole, fraction) = percent.split_once('.').unwrap_or((percent, ""));
    if fraction.len() > 12 || whole.len() > 3 {
        return None;
    }
    let digits: u128 = format!("{whole}{fraction}").parse().ok()?;
    let whole = 100 * 10_u128.checked_pow(fraction.len() as u32)?;
    (digits <= whole).then(|| (digits * u128::from(PLACES)).div_ceil(whole) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_those_that_sql_gives() {
        // MD5 of "winter-test", a zero byte and "ann", by another implementation.
        assert_eq!(place("winter-test", "ann"), 0x66f5_0549);
        assert_eq!(places_below("10"), Some(429_496_730));
        assert_eq!(places_below("100"), Some(PLACES));
        assert_eq!(places_below("0.5"), Some(21_474_837));
        assert_eq!((places_below("100.1"), places_below("-1"), places_below("")), (None, None, None));
    }
}

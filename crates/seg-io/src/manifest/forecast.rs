//! `[forecast]`: whether sizes are compared with what was expected of them.

use serde::Deserialize;

/// A range that holds on a larger part of days would have to be wider than any of the 42 errors
/// that it is made of.
const GUARD_MAX: f64 = 0.97;

/// What forecasts are used for.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(try_from = "ForecastTable")]
pub struct ForecastSettings {
    /// A size is unexpected when it lies outside of the range that holds on this part of days;
    /// none where sizes are not compared.
    pub guard: Option<f64>,
}

/// The table as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ForecastTable {
    guard: Option<f64>,
}

impl TryFrom<ForecastTable> for ForecastSettings {
    type Error = String;

    fn try_from(ForecastTable { guard }: ForecastTable) -> Result<ForecastSettings, String> {
        match guard.filter(|part| !(0.5..=GUARD_MAX).contains(part)) {
            Some(part) => Err(format!("`guard` is a part of days from 0.5 to {GUARD_MAX}, and {part} is none")),
            None => Ok(ForecastSettings { guard }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::parse;

    #[test]
    fn a_guard_is_a_part_of_days() {
        let forecast = |text: &str| parse(&format!("name = \"x\"\n{text}\n")).map(|manifest| manifest.forecast);
        assert_eq!(forecast(""), Ok(ForecastSettings { guard: None }));
        assert_eq!(forecast("[forecast]\nguard = 0.9"), Ok(ForecastSettings { guard: Some(0.9) }));
        for (text, why) in [
            ("guard = 0.99", "from 0.5 to 0.97, and 0.99"),
            ("guard = nan", "NaN"),
            ("gaurd = 1", "no setting `gaurd`"),
        ] {
            let problems = forecast(&format!("[forecast]\n{text}")).expect_err(text);
            assert!(problems.iter().any(|problem| problem.message.contains(why)), "{text}: {problems:?}");
        }
    }
}

//! `[doctor]`: from where on something is worth telling of.

use serde::Deserialize;

/// The limits of `seg doctor`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(try_from = "LimitsTable")]
pub struct DoctorLimits {
    /// Data is stale when its newest event is older than so many times the longest pause.
    pub stale_pauses: f64,
    /// It is never stale before so many days.
    pub stale_days: f64,
    /// Events are late when more than this part of them arrives after `arrives_within`.
    pub late: f64,
    /// Something is incomplete when the part without a value grew by more than this.
    pub incomplete: f64,
    /// A wait for a purchase is short when more than this part of the waits were longer,
    /// in percentiles of the waits.
    pub cycle_from: u64,
    /// A wait for a purchase is long above this percentile of the waits.
    pub cycle_to: u64,
    /// Over so many days before now it is counted who entered.
    pub entry_days: u32,
    /// Two segments are twins from this Jaccard index on.
    pub twins: f64,
    /// The part of those who enter that is expected to convert.
    pub conversion: f64,
    /// The kinds of finding that `seg doctor` fails on; `all` is every kind.
    pub deny: Vec<String>,
}

impl Default for DoctorLimits {
    fn default() -> DoctorLimits {
        DoctorLimits {
            stale_pauses: 2.0,
            stale_days: 1.0,
            late: 0.01,
            incomplete: 0.1,
            cycle_from: 50,
            cycle_to: 95,
            entry_days: 28,
            twins: 0.8,
            conversion: 0.05,
            deny: Vec::new(),
        }
    }
}

/// The table as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LimitsTable {
    stale_pauses: Option<f64>,
    stale_days: Option<f64>,
    late: Option<f64>,
    incomplete: Option<f64>,
    cycle_from: Option<u64>,
    cycle_to: Option<u64>,
    entry_days: Option<u32>,
    twins: Option<f64>,
    conversion: Option<f64>,
    #[serde(default)]
    deny: Vec<String>,
}

impl TryFrom<LimitsTable> for DoctorLimits {
    type Error = String;

    fn try_from(table: LimitsTable) -> Result<DoctorLimits, String> {
        let usual = DoctorLimits::default();
        let limits = DoctorLimits {
            stale_pauses: table.stale_pauses.unwrap_or(usual.stale_pauses),
            stale_days: table.stale_days.unwrap_or(usual.stale_days),
            late: table.late.unwrap_or(usual.late),
            incomplete: table.incomplete.unwrap_or(usual.incomplete),
            cycle_from: table.cycle_from.unwrap_or(usual.cycle_from),
            cycle_to: table.cycle_to.unwrap_or(usual.cycle_to),
            entry_days: table.entry_days.unwrap_or(usual.entry_days),
            twins: table.twins.unwrap_or(usual.twins),
            conversion: table.conversion.unwrap_or(usual.conversion),
            deny: table.deny,
        };
        let parts = [("late", limits.late), ("incomplete", limits.incomplete), ("twins", limits.twins)];
        if let Some((name, part)) = parts.into_iter().find(|(_, part)| !(0.0..=1.0).contains(part)) {
            return Err(format!("`{name}` is a part of a whole, from 0 to 1, and {part} is none"));
        }
        if !(limits.conversion > 0.0 && limits.conversion < 1.0) {
            return Err(format!(
                "`conversion` is a part of people above 0 and below 1, and {} is none",
                limits.conversion
            ));
        }
        for (name, number) in [("stale_pauses", limits.stale_pauses), ("stale_days", limits.stale_days)] {
            if !(0.0..=36_500.0).contains(&number) {
                return Err(format!("`{name}` is a number from 0 to 36500, and {number} is none"));
            }
        }
        for (name, percentile) in [("cycle_from", limits.cycle_from), ("cycle_to", limits.cycle_to)] {
            if !(1..=100).contains(&percentile) {
                return Err(format!("`{name}` is a percentile, from 1 to 100, and {percentile} is none"));
            }
        }
        if !(1..=3660).contains(&limits.entry_days) {
            return Err(format!("`entry_days` is a number of days from 1 to 3660, and {} is none", limits.entry_days));
        }
        Ok(limits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::parse;

    #[test]
    fn limits_are_settings_and_checked() {
        let doctor = |text: &str| parse(&format!("name = \"x\"\n[doctor]\n{text}\n")).map(|manifest| manifest.doctor);
        assert_eq!(doctor(""), Ok(DoctorLimits::default()));
        let own = doctor("twins = 0.9\nentry_days = 7\ndeny = [\"stale\"]").expect("limits");
        assert_eq!((own.twins, own.entry_days, own.deny), (0.9, 7, vec!["stale".to_owned()]));
        for (wrong, said) in [
            ("twins = 80", "`twins` is a part of a whole, from 0 to 1, and 80 is none"),
            ("conversion = 0", "`conversion` is a part of people above 0 and below 1, and 0 is none"),
            ("stale_pauses = -1", "`stale_pauses` is a number from 0 to 36500, and -1 is none"),
            ("stale_days = nan", "`stale_days` is a number from 0 to 36500, and NaN is none"),
            ("cycle_to = 101", "`cycle_to` is a percentile, from 1 to 100, and 101 is none"),
            ("entry_days = 0", "`entry_days` is a number of days from 1 to 3660, and 0 is none"),
            ("twin = 0.9", "no setting `twin`"),
        ] {
            let problems = doctor(wrong).expect_err(wrong);
            assert!(problems[0].message.contains(said), "{wrong}: {}", problems[0].message);
        }
    }
}

//! Time zones as tables of numbers, for no database reads them as Seg does.

use seg_data::time::DAY;
use seg_data::{Timestamp, Zone};

/// The offsets of a zone, in microseconds: the first from the beginning on, each of the others
/// from an instant on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offsets {
    /// Before the first change.
    pub first: i64,
    /// Each change: from which instant on, and the offset.
    pub changes: Vec<(i64, i64)>,
}

impl Offsets {
    /// Those of a zone: no zone of the database changes twice within a day, and none before
    /// 1800 or after 2100.
    pub fn of(zone: Zone) -> Offsets {
        const FROM: i64 = -62_000 * DAY;
        const TO: i64 = 48_000 * DAY;
        let first = zone.offset(Timestamp(FROM));
        let (mut changes, mut last, mut at) = (Vec::new(), first, FROM);
        while at < TO {
            let next = at + DAY;
            let offset = zone.offset(Timestamp(next));
            if offset != last {
                changes.push((begin(zone, at, next), offset));
                last = offset;
            }
            at = next;
        }
        Offsets { first, changes }
    }

    /// The offsets by what the clocks of the zone show: those to take from that for the instant
    /// at which they show it. What the clocks leave out moves forward by as much, and of what they
    /// show twice the first is meant; so the offset before a change holds up to where the later of
    /// the two clocks stands.
    pub fn of_clocks(&self) -> Offsets {
        let mut before = self.first;
        let changes = self.changes.iter().map(|(from, offset)| {
            let shown = from + before.max(*offset);
            before = *offset;
            (shown, *offset)
        });
        Offsets { first: self.first, changes: changes.collect() }
    }

    /// The same for instants up to one.
    pub fn until(mut self, last: i64) -> Offsets {
        self.changes.retain(|(from, _)| *from <= last);
        self
    }

    /// All offsets in turn, and the instants from which on each but the first holds.
    pub fn lists(&self) -> (String, String) {
        let list = |numbers: &mut dyn Iterator<Item = i64>| {
            let numbers: Vec<String> = numbers.map(|n| n.to_string()).collect();
            numbers.join(",")
        };
        let all = list(&mut std::iter::once(self.first).chain(self.changes.iter().map(|change| change.1)));
        (all, list(&mut self.changes.iter().map(|change| change.0)))
    }

    /// The offset at an instant by halving the changes, of which a zone has some two hundred.
    pub fn halved(&self, instant: &str) -> String {
        halved(instant, self.first, &self.changes)
    }

    /// Whether the clocks never change.
    pub fn is_fixed(&self) -> bool {
        self.changes.is_empty()
    }
}

fn halved(instant: &str, first: i64, changes: &[(i64, i64)]) -> String {
    let middle = changes.len() / 2;
    let (Some((from, offset)), Some(before), Some(after)) =
        (changes.get(middle), changes.get(..middle), changes.get(middle + 1..))
    else {
        return first.to_string();
    };
    let (before, after) = (halved(instant, first, before), halved(instant, *offset, after));
    format!("CASE WHEN {instant} < {from} THEN {before} ELSE {after} END")
}

/// The first instant after one at which the offset is that of another.
fn begin(zone: Zone, before: i64, after: i64) -> i64 {
    let (old, mut low, mut high) = (zone.offset(Timestamp(before)), before, after);
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if zone.offset(Timestamp(middle)) == old {
            low = middle;
        } else {
            high = middle;
        }
    }
    high
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_of_clocks_are_found_to_the_microsecond() {
        let berlin = Offsets::of(Zone::parse("Europe/Berlin").expect("a zone"));
        let at = |text: &str| Timestamp::parse(text, None).expect(text).0;
        let hour = 3_600_000_000;
        assert!(berlin.changes.contains(&(at("2026-03-29T01:00:00Z"), 2 * hour)));
        assert!(berlin.changes.contains(&(at("2026-10-25T01:00:00Z"), hour)));
        assert!(Offsets::of(Zone::UTC).is_fixed());
    }

    /// What clocks show is the instant that the zone itself takes it for, on both sides of every
    /// change of every kind of zone: days left out, half hours, changes in the night of a leap year.
    #[test]
    fn clocks_say_what_zones_say() {
        let names = [
            "Africa/Casablanca",
            "America/New_York",
            "America/Sao_Paulo",
            "Antarctica/Troll",
            "Asia/Kathmandu",
            "Asia/Manila",
            "Asia/Tehran",
            "Australia/Lord_Howe",
            "Europe/Berlin",
            "Europe/Dublin",
            "Europe/London",
            "Pacific/Apia",
            "Pacific/Kwajalein",
        ];
        let hour = 3_600_000_000;
        for name in names {
            let zone = Zone::parse(name).expect("a zone");
            let offsets = Offsets::of(zone);
            let clocks = offsets.of_clocks();
            assert!(!clocks.is_fixed(), "{name}");
            for (from, _) in &offsets.changes {
                let near = (-60..60).map(|n| n * hour / 2).chain((-60..60).map(|n| n * hour / 2 - 1));
                for shown in near.map(|by| from + by) {
                    let of = clocks.changes.iter().rev().find(|(at, _)| *at <= shown).map_or(clocks.first, |c| c.1);
                    let told = zone.instant_of(Timestamp(shown)).expect("an instant");
                    assert_eq!(shown - of, told.0, "{name} at {}", Timestamp(shown));
                }
            }
        }
    }

    #[test]
    fn a_table_ends_where_nothing_is_later() {
        let berlin = Offsets::of(Zone::parse("Europe/Berlin").expect("a zone"));
        let summer = Timestamp::parse("2026-03-29T01:00:00Z", None).expect("an instant").0;
        let (with, without) = (berlin.clone().until(summer), berlin.until(summer - 1));
        assert_eq!(with.changes.last().map(|change| change.0), Some(summer));
        assert_eq!(with.changes.len(), without.changes.len() + 1);
    }

    /// Every offset of the table is that of the zone, in zones that change often.
    #[test]
    fn tables_say_what_zones_say() {
        for name in ["Africa/Casablanca", "America/New_York", "Australia/Lord_Howe", "Asia/Tokyo", "Africa/Cairo"] {
            let zone = Zone::parse(name).expect("a zone");
            let offsets = Offsets::of(zone);
            for at in (-62_100..60_000).map(|day| day * DAY + 7 * 3_600_000_000) {
                let told = offsets.changes.iter().rev().find(|(from, _)| *from <= at).map_or(offsets.first, |c| c.1);
                assert_eq!(told, zone.offset(Timestamp(at)), "{name} at {at}");
            }
        }
    }
}

//! Whether what a run reads is as new as it usually is.
//!
//! A run leaves what decides nothing in the files, so less is known here than to those who
//! examine everything: of events of which only the last days are read, the pauses before them
//! are not known.

use super::words::{between, lasting};
use seg_data::time::DAY;
use seg_data::{Batch, EventId, Schema, Timestamp, Wanted, Zone};
use seg_io::manifest::DoctorLimits;

/// Pauses are looked for in so many days before the newest event.
const PAUSE_DAYS: i64 = 90;
/// Where these were not all read, nothing is stale before so many days.
const UNKNOWN_PAUSE_DAYS: i64 = 3;
/// Pauses are measured between events of such lengths of time: shorter ones decide nothing.
const BUCKET: i64 = DAY / 144;
/// So many names are told of in a line.
const NAMED_MAX: usize = 3;

/// The newest events that a run read of each name, up to the instant at which it judges.
#[derive(Debug, Clone)]
pub struct Newest {
    now: Timestamp,
    by_name: Vec<Option<Timestamp>>,
}

/// How fresh the data of a run is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunFreshness {
    /// The newest event up to the instant; none where none is known.
    pub newest: Option<Timestamp>,
    /// How long ago that was, in microseconds.
    pub age: Option<i64>,
    /// The age above which it is stale, in microseconds; none where it is younger than any.
    pub limit: Option<i64>,
    /// Names whose newest event is stale, where that of all is not; with its age.
    pub stale_names: Vec<(String, i64)>,
    /// Whether all events come after the instant.
    pub is_early: bool,
}

impl Newest {
    /// Before anything was read.
    pub fn new(schema: &Schema, now: Timestamp) -> Newest {
        Newest { now, by_name: vec![None; schema.events.len()] }
    }

    /// Looks at a part of the data.
    pub fn look(&mut self, batch: &Batch) {
        for (at, known) in self.by_name.iter_mut().enumerate() {
            let Some(events) = batch.events(EventId(at as u32)) else { continue };
            let Some((_, last)) = events.extent() else { continue };
            let newest = if last <= self.now {
                Some(last)
            } else {
                let times = (0..events.n_profiles()).filter_map(|row| {
                    let times = events.times().get(events.range(row))?;
                    let n = times.partition_point(|time| *time <= self.now.0);
                    times.get(n.checked_sub(1)?).map(|time| Timestamp(*time))
                });
                times.max()
            };
            *known = newest.max(*known);
        }
    }

    /// The newest event of each name in microseconds, to be sent to where those of all the data
    /// are known.
    pub fn found(&self) -> Vec<Option<i64>> {
        self.by_name.iter().map(|newest| newest.map(|at| at.0)).collect()
    }

    /// Adds what was found in another part of the data.
    pub fn add(&mut self, found: &[Option<i64>]) {
        self.by_name.iter_mut().zip(found).for_each(|(known, own)| *known = own.map(Timestamp).max(*known));
    }

    /// How fresh the data is, of which the newest event of any name is known, read or not. Of
    /// the names that are wanted pauses between events are looked for in `batch`, where all of
    /// the data is one.
    pub fn freshness(
        &self,
        wanted: &Wanted,
        last_event: Option<Timestamp>,
        batch: Option<&Batch>,
        limits: &DoctorLimits,
    ) -> RunFreshness {
        // Of whom it is only asked whether they ever did something, any event is read.
        let asked: Vec<(EventId, Timestamp)> = wanted
            .events
            .iter()
            .filter(|(_, of)| !of.is_existence)
            .filter_map(|(id, _)| Some((*id, self.by_name.get(id.idx()).copied().flatten()?)))
            .collect();
        let newest = last_event.filter(|last| *last <= self.now).max(asked.iter().map(|(_, at)| *at).max());
        let age = newest.map(|newest| between(newest, self.now));
        let ids: Vec<EventId> = (0..self.by_name.len() as u32).map(EventId).collect();
        let limit = newest.and_then(|newest| self.limit(&ids, newest, (wanted, batch), limits));
        let is_stale = age.zip(limit).is_some_and(|(age, limit)| age > limit);
        let stale = |(id, at): &(EventId, Timestamp)| {
            let limit = self.limit(&[*id], *at, (wanted, batch), limits)?;
            let name = batch?.schema().event(*id)?.name.clone();
            Some((name, between(*at, self.now))).filter(|(_, age)| *age > limit)
        };
        let stale_names = if is_stale { Vec::new() } else { asked.iter().filter_map(stale).collect() };
        // Where earlier events were left in the files, there may be some.
        let is_all_read = wanted.events.values().all(|of| of.since.is_none() && !of.is_existence);
        let is_early = newest.is_none() && last_event.is_some() && is_all_read;
        RunFreshness { newest, age, limit, stale_names, is_early }
    }

    /// From which age on events of some names are stale; none where they are younger than any.
    fn limit(
        &self,
        ids: &[EventId],
        newest: Timestamp,
        (wanted, batch): (&Wanted, Option<&Batch>),
        limits: &DoctorLimits,
    ) -> Option<i64> {
        let least = (limits.stale_days * DAY as f64) as i64;
        if between(newest, self.now) <= least {
            return None;
        }
        let from = newest.0.saturating_sub(PAUSE_DAYS * DAY);
        let is_read =
            |id: &EventId| wanted.events.get(id).is_some_and(|of| of.since.is_none_or(|since| since.0 <= from));
        let least =
            if ids.iter().all(is_read) && batch.is_some() { least } else { least.max(UNKNOWN_PAUSE_DAYS * DAY) };
        let pause = batch.map_or(0, |batch| longest_pause(batch, ids, (from, newest.0)));
        Some(least.max((limits.stale_pauses * pause as f64) as i64))
    }
}

/// The longest pause between events of some names in a stretch of time.
fn longest_pause(batch: &Batch, ids: &[EventId], (from, to): (i64, i64)) -> i64 {
    let n_buckets = (to.saturating_sub(from) / BUCKET).unsigned_abs() as usize + 1;
    let mut ends: Vec<Option<(i64, i64)>> = vec![None; n_buckets];
    for events in ids.iter().filter_map(|id| batch.events(*id)) {
        for row in 0..events.n_profiles() {
            for time in events.times().get(events.range(row)).unwrap_or(&[]) {
                let at = (from..=to).contains(time).then(|| ((time - from) / BUCKET).unsigned_abs() as usize);
                let Some(slot) = at.and_then(|at| ends.get_mut(at)) else { continue };
                *slot = Some(slot.map_or((*time, *time), |(first, last)| (first.min(*time), last.max(*time))));
            }
        }
    }
    let met: Vec<(i64, i64)> = ends.into_iter().flatten().collect();
    let between = met.windows(2).filter_map(|two| Some(two.get(1)?.0 - two.first()?.1));
    let within = met.iter().map(|(first, last)| last - first);
    between.chain(within).max().unwrap_or(0)
}

impl RunFreshness {
    /// Whether the newest event of all is older than what is usual.
    pub fn is_stale(&self) -> bool {
        self.age.zip(self.limit).is_some_and(|(age, limit)| age > limit)
    }

    /// What is to be known of it before sizes are believed, in a line; none where all is well.
    pub fn says(&self, now: Timestamp, zone: Option<Zone>) -> Option<String> {
        if self.is_early {
            return Some(format!("early: all events come after {}, so that windows see none", now.in_zone(zone)));
        }
        if let (true, Some(age), Some(limit)) = (self.is_stale(), self.age, self.limit) {
            return Some(format!(
                "stale: the newest event is {} old, more than {}: sizes follow the clock, not people",
                lasting(age),
                lasting(limit)
            ));
        }
        let names = self.stale_names.iter().take(NAMED_MAX);
        let names: Vec<String> = names.map(|(name, age)| format!("`{name}` ({} ago)", lasting(*age))).collect();
        let more = match self.stale_names.len().saturating_sub(NAMED_MAX) {
            0 => String::new(),
            n => format!(" and {n} more"),
        };
        (!names.is_empty()).then(|| format!("stale: no new {}{more}; `seg doctor` tells more", names.join(", ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use seg_data::WantedEvents;
    use seg_data::time::SECOND;

    const HOUR: i64 = 3_600 * SECOND;

    /// Orders and mails so many hours before an instant, and what is asked of them.
    fn fresh(orders: &[i64], mails: &[i64], since_days: Option<i64>) -> RunFreshness {
        let settings = seg_hir::Settings::default();
        let project = crate::Project::from_text("[events.order]\n[events.mail]\n", [("s.seg", "")], settings);
        let now = Timestamp::parse("2026-06-01T00:00:00Z", None).expect("an instant");
        let line = |name: &str, hours: &i64| {
            let time = Timestamp(now.0 - hours * HOUR);
            format!("{{\"id\": \"{name}\", \"event\": \"{name}\", \"time\": \"{time}\"}}\n")
        };
        let events: String =
            orders.iter().map(|at| line("order", at)).chain(mails.iter().map(|at| line("mail", at))).collect();
        let people = "{\"id\": \"order\"}\n{\"id\": \"mail\"}";
        let loaded = seg_io::load_lines(&project.schema, None, people, &events).expect("read");
        let since = since_days.map(|days| Timestamp(now.0 - days * DAY));
        let of = || WantedEvents { since, ..WantedEvents::default() };
        let wanted = Wanted { events: [(EventId(0), of()), (EventId(1), of())].into(), ..Wanted::default() };
        let mut newest = Newest::new(loaded.batch.schema(), now);
        newest.look(&loaded.batch);
        newest.freshness(&wanted, loaded.last_event, Some(&loaded.batch), &DoctorLimits::default())
    }

    #[test]
    fn data_is_stale_after_twice_the_longest_pause_and_a_day() {
        // Newest a day old, to the hour: no limit is looked for.
        let at_limit = fresh(&[24, 30], &[24], None);
        assert_eq!((at_limit.age, at_limit.limit, at_limit.is_stale()), (Some(24 * HOUR), None, false));
        // 25 hours old, and the longest pause was 10 hours.
        let over = fresh(&[25, 35, 40], &[26], None);
        assert_eq!((over.limit, over.is_stale()), (Some(DAY), true));
        // 50 hours old, and the pause before was 30: twice that is 60.
        let paused = fresh(&[50, 80], &[50], None);
        assert_eq!((paused.limit, paused.is_stale()), (Some(60 * HOUR), false));
        // What was paused more than 90 days before the newest does not count.
        let long_ago = fresh(&[50, 60, 60 + 91 * 24, 60 + 200 * 24], &[], None);
        assert_eq!((long_ago.limit, long_ago.is_stale()), (Some(DAY), true));
    }

    #[test]
    fn what_was_not_read_is_no_proof() {
        // Only the last week was read: pauses before it are not known, so three days are allowed.
        assert!(!fresh(&[71, 73], &[], Some(7)).is_stale());
        assert!(fresh(&[73, 75], &[], Some(7)).is_stale());
    }

    #[test]
    fn one_name_can_be_stale_alone() {
        let of = fresh(&[1, 2, 3], &[30, 31], None);
        assert!(!of.is_stale());
        assert_eq!(of.stale_names, [("mail".to_owned(), 30 * HOUR)]);
        let says = of.says(Timestamp(0), None).expect("a line");
        assert_eq!(says, "stale: no new `mail` (1 day 6 hours ago); `seg doctor` tells more");
    }

    #[test]
    fn before_the_first_event_it_is_early() {
        let early = fresh(&[-1, -5], &[-30], None);
        assert!(early.is_early && early.newest.is_none());
        let says = early.says(Timestamp(0), None).expect("a line");
        assert_eq!(says, "early: all events come after 1970-01-01T00:00:00Z, so that windows see none");
        assert!(!fresh(&[], &[], None).is_early);
        assert_eq!(fresh(&[], &[], None).says(Timestamp(0), None), None);
        // What comes later is not the newest.
        assert_eq!(fresh(&[-1, 5], &[], None).age, Some(5 * HOUR));
    }
}

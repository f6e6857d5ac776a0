//! What is counted, for Prometheus to read.

use crate::limits::{Counts, Refusal};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};
use std::sync::Mutex;

/// One label of a counter.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Why {
    pub reason: String,
}

/// The name of a segment.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Of {
    segment: String,
}

/// Everything that is measured. No ids of people are among it.
pub(super) struct Metrics {
    registry: Registry,
    /// What the core has counted, as it was last told.
    told: Mutex<Counts>,
    received: Counter,
    repeated: Counter,
    unfit: Counter,
    refused: Family<Why, Counter>,
    judged: Counter,
    changes: Counter,
    sizes: Family<Of, Gauge>,
    people: Gauge,
    /// Requests that were answered with an error, by its code.
    pub rejected: Family<Why, Counter>,
    /// From when records arrived until they and what they changed were durable.
    pub durable: Histogram,
    /// What a step takes to decide.
    pub decide: Histogram,
    /// What a commit takes, most of which is the disk.
    pub commit: Histogram,
    /// By how much the clock of the process is behind the earliest who is due.
    pub behind: Gauge,
    /// Whoever waits to be judged by new segments.
    pub stale: Gauge,
    /// How often the clock of the machine jumped by more than a minute.
    pub jumps: Counter,
    /// How often segments that were changed were taken, and how often they had errors.
    pub reloads: Family<Why, Counter>,
}

impl Default for Metrics {
    fn default() -> Metrics {
        let seconds = || Histogram::new(exponential_buckets(0.000_25, 2.0, 17));
        let mut metrics = Metrics {
            registry: Registry::with_prefix("seg_live"),
            told: Mutex::default(),
            received: Counter::default(),
            repeated: Counter::default(),
            unfit: Counter::default(),
            refused: Family::default(),
            judged: Counter::default(),
            changes: Counter::default(),
            sizes: Family::default(),
            people: Gauge::default(),
            rejected: Family::default(),
            durable: seconds(),
            decide: seconds(),
            commit: seconds(),
            behind: Gauge::default(),
            stale: Gauge::default(),
            jumps: Counter::default(),
            reloads: Family::default(),
        };
        metrics.register();
        metrics
    }
}

impl Metrics {
    fn register(&mut self) {
        let r = &mut self.registry;
        r.register("records_received", "Records that came in", self.received.clone());
        r.register("records_repeated", "Records that had come before", self.repeated.clone());
        r.register("values_unfit", "Values that were not of the type of the schema", self.unfit.clone());
        r.register("records_refused", "Records that could not be used", self.refused.clone());
        r.register("people_judged", "How often people were judged", self.judged.clone());
        r.register("changes", "Entries and exits", self.changes.clone());
        r.register("segment_people", "People in each segment", self.sizes.clone());
        r.register("people", "People who are known", self.people.clone());
        r.register("requests_rejected", "Requests that were answered with an error", self.rejected.clone());
        let durable = "From the arrival of records until they and their changes are on disk";
        r.register_with_unit("durable", durable, Unit::Seconds, self.durable.clone());
        r.register_with_unit("decide", "What judging a batch takes", Unit::Seconds, self.decide.clone());
        r.register_with_unit("commit", "What writing a batch takes", Unit::Seconds, self.commit.clone());
        let behind = "How long the earliest person whose time has come has waited";
        r.register_with_unit("behind", behind, Unit::Seconds, self.behind.clone());
        r.register("people_stale", "People who wait to be judged by changed segments", self.stale.clone());
        r.register("clock_jumps", "Jumps of the clock by more than a minute", self.jumps.clone());
        r.register("reloads", "Changes of the segments, by how they ended", self.reloads.clone());
    }

    /// Takes over what the core has counted since it was last asked.
    pub fn take(&self, counts: &Counts) {
        let Ok(mut told) = self.told.lock() else { return };
        self.received.inc_by(counts.received - told.received);
        self.repeated.inc_by(counts.repeated - told.repeated);
        self.unfit.inc_by(counts.unfit - told.unfit);
        self.judged.inc_by(counts.judged - told.judged);
        for (refusal, n) in &counts.refused {
            let before = told.refused.get(refusal).copied().unwrap_or(0);
            self.refused.get_or_create(&Why { reason: label(*refusal).to_owned() }).inc_by(n - before);
        }
        *told = counts.clone();
    }

    /// Takes over how many people there are, in all and in each segment.
    pub fn take_sizes<'s>(&self, n_people: usize, sizes: impl Iterator<Item = (&'s str, u64)>) {
        self.people.set(n_people as i64);
        for (segment, n) in sizes {
            self.sizes.get_or_create(&Of { segment: segment.to_owned() }).set(n as i64);
        }
    }

    /// Forgets the sizes of all segments: some may be no more.
    pub fn forget_sizes(&self) {
        self.sizes.clear();
    }

    /// Counts changes that are durable.
    pub fn count_changes(&self, n: u64) {
        self.changes.inc_by(n);
    }

    /// Counts a request that was answered with an error.
    pub fn reject(&self, code: &str) {
        self.rejected.get_or_create(&Why { reason: code.to_owned() }).inc();
    }

    /// The text that Prometheus reads.
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a text does not fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

/// A reason as a label.
fn label(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::Broken => "broken",
        Refusal::NoId => "no_id",
        Refusal::NoEvent => "no_event",
        Refusal::UnknownEvent => "unknown_event",
        Refusal::ImpossibleTime => "impossible_time",
        Refusal::Ahead => "ahead",
        Refusal::TooLarge => "too_large",
        Refusal::TooMuch => "too_much",
    }
}

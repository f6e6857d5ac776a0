//! The examples are complete and give the counts that they say, whoever judges
//! and however much of the data is read.

use seg::{Project, Wanted};
use seg_io::LoadRequest;
use seg_tests::{engines, root};

/// What a SQL engine and a separate script counted on the same files.
const ONLINE_RETAIL: &[(&str, usize)] = &[
    ("Lapsed, bought before but not in 90 days", 1_449),
    ("New, first purchase in 30 days", 253),
    ("One and done, 30 to 90 days ago", 439),
    ("Regulars, 3 invoices in 180 days", 1_265),
    ("Big spenders, 1000 GBP in 365 days", 1_629),
    ("Bought 85123A, never cancelled", 456),
    ("Busy in Germany or France, 5 days in 180", 27),
];

/// What a separate script counted.
const WEBSHOP: &[(&str, usize)] = &[
    ("Browse abandonment, 7 days", 68),
    ("Cart abandonment, 7 days", 26),
    ("Checkout abandonment, 14 days", 27),
    ("Payment trouble, 30 days", 27),
    ("Repeat buyers, 2 in 90 days", 76),
    ("Winback, 60 days", 120),
    ("Winback, still looking around", 15),
    ("Looks often, never buys", 64),
    ("Buys on the phone alone", 94),
];

/// What examples/webshop-calls/make.py counted when it made the data.
const WEBSHOP_CALLS: &[(&str, usize)] = &[
    ("Checkout abandonment, 14 days", 7),
    ("Buyers, 30 days", 51),
    ("Still unknown, 30 days", 24),
    ("Loyal", 83),
    ("Looked before they were known", 148),
];

fn gives(name: &str, profiles: u64, events: u64, problems: &[&str], expected: &[(&str, usize)]) {
    let project = Project::load(root().join("examples").join(name)).expect("a project");
    let program = seg::compile(&project).expect("no errors");
    // What a newcomer runs first does not begin with a warning about its segments.
    let lints: Vec<_> = program.warnings().iter().filter(|w| w.code.number().starts_with("W08")).collect();
    assert!(lints.is_empty(), "{name}: {lints:?}");
    let manifest = seg::unstable::parts(&project).manifest.expect("settings");
    let now = manifest.at.expect("an instant");
    let load = |wanted: &Wanted| {
        let request = LoadRequest::new(seg::unstable::parts(&project).dir, &manifest.data, project.schema());
        seg_io::load(LoadRequest { zone: manifest.zone, wanted: Some(wanted), ..request }).expect("the data")
    };
    let (all, needed) = (load(&Wanted::everything(project.schema())), load(&program.wanted(now)));
    let told: Vec<String> = all.report.problems.iter().map(ToString::to_string).collect();
    assert_eq!(told, problems);
    assert_eq!((all.report.profiles, all.report.events), (profiles, events));
    assert_eq!((needed.report.profiles, needed.report.events), (profiles, events));
    let size = |batch: &seg::Batch| batch.records().get_array_memory_size();
    assert!(size(&needed.batch) < size(&all.batch), "something is left behind");
    for engine in engines() {
        for batch in [&all.batch, &needed.batch] {
            let masks = engine.evaluate(&program, batch, now);
            let counts: Vec<(&str, usize)> = program.segment_names().zip(masks.iter().map(|m| m.count())).collect();
            assert_eq!(counts, expected, "{name} by the {}", engine.name());
        }
    }
}

#[test]
fn online_retail_gives_its_counts() {
    gives("online-retail", 4_372, 406_829, &[], ONLINE_RETAIL);
}

/// The rules leave dan and eve out, the grace period cleo.
#[test]
fn cart_recovery_passes_its_tests_and_gives_its_counts() {
    let project = Project::load(root().join("examples/cart-recovery")).expect("a project");
    let (n, n_passed) = seg::test(&project).expect("no errors").counts();
    assert_eq!((n, n_passed), (9, 9));
    gives("cart-recovery", 6, 8, &[], &[("Cart, 0-2h, no purchase", 1), ("Cart, 2-48h, no purchase", 1)]);
}

#[test]
fn webshop_gives_its_counts() {
    gives("webshop", 600, 31_106, &[], WEBSHOP);
}

#[test]
fn webshop_calls_gives_its_counts() {
    let again = "178 events repeat an event id in `messageId`; the first to arrive was used";
    gives("webshop-calls", 241, 9_001, &[again], WEBSHOP_CALLS);
}

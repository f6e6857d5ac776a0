//! The examples are complete and give the counts that they say, whoever judges
//! and however much of the data is read.

use seg::{Project, Wanted};
use seg_io::LoadRequest;
use seg_tests::{TestEngine, engines, root};

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

/// What examples/d2c-store/make.py counted when it made the data.
const D2C_STORE: &[(&str, usize)] = &[
    ("Checkout left, 0-2h", 3),
    ("Cart left, 100 EUR, 2-24h", 12),
    ("Cart left, 2-24h", 21),
    ("Browsed, 3 days", 36),
    ("First order, 7 days", 54),
    ("Second order overdue, 35-60 days", 12),
    ("Regulars, 3 orders in 365 days", 307),
    ("Out of rhythm", 36),
    ("Winback, 90-180 days", 64),
    ("VIP, 500 EUR in 365 days", 89),
    ("VIP slipping, 45 days", 6),
    ("Serum after cleanser, 5-14 days", 18),
    ("Review wanted, 10-20 days", 98),
    ("Clicks, 60 days", 435),
    ("Asleep, 180 days", 81),
    ("Winter test, all", 38),
    ("Winter test, written to", 13),
    ("Winter test, held out", 20),
    ("Waiting for an answer, 7 days", 9),
    ("Refunded, 30 days", 27),
    ("Not now", 36),
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

/// Devices that never became anybody's are people without a row, and some records came twice.
#[test]
fn d2c_store_passes_its_tests_and_gives_its_counts() {
    let project = Project::load(root().join("examples/d2c-store")).expect("a project");
    let (n, n_passed) = seg::test(&project).expect("no errors").counts();
    assert_eq!((n, n_passed), (107, 107));
    let strangers = "300 events belong to people without a row of their own, who were added";
    let again = "101 events repeat an event id in `message_id`; the first to arrive was used";
    gives("d2c-store", 1_500, 26_825, &[strangers, again], D2C_STORE);
}

/// Every clause of the shop's segments is held by a test.
#[test]
fn the_tests_of_the_d2c_store_notice_every_change() {
    let project = Project::load(root().join("examples/d2c-store")).expect("a project");
    let mutants = seg::unstable::mutants(&project).expect("no errors");
    let surviving: Vec<&seg::unstable::Mutant> = mutants.surviving().collect();
    assert!(surviving.is_empty(), "{surviving:?}");
    assert!(mutants.mutants.len() > 250, "only {} changes were tried", mutants.mutants.len());
}

/// Who is in two segments, and who goes where, counted person by person by the definition.
#[test]
fn people_of_two_segments_are_counted_one_by_one() {
    use seg::unstable::overlap::{Contained, declared_order, pairs, waterfall};
    let project = Project::load(root().join("examples/d2c-store")).expect("a project");
    let program = seg::compile(&project).expect("no errors");
    let now = seg::unstable::parts(&project).manifest.and_then(|manifest| manifest.at).expect("an instant");
    let loaded = project.read_data(&program.wanted(now), 1).expect("the data");
    let masks = seg_tests::Reference.evaluate(&program, &loaded.batch, now);
    let (order, all) = (declared_order(&program), (0..masks.len()).collect::<Vec<_>>());
    let found = pairs(&program, &masks, &all, &order);
    assert_eq!(found.len(), 21 * 20 / 2);
    for pair in &found {
        let rows = || 0..loaded.batch.len();
        let n = |is: &dyn Fn(usize) -> bool| rows().filter(|row| is(*row)).count() as u64;
        let (a, b) = (|row| masks[pair.a].get(row), |row| masks[pair.b].get(row));
        assert_eq!((pair.size_a, pair.size_b, pair.both), (n(&a), n(&b), n(&|row| a(row) && b(row))));
        // What is contained, in these data or always, leaves nobody out.
        assert!(pair.a_in_b == Contained::No || rows().all(|row| !a(row) || b(row)));
        assert!(pair.b_in_a == Contained::No || rows().all(|row| !b(row) || a(row)));
    }
    assert!(found.is_sorted_by_key(|pair| !pair.is_unordered), "those that need an order come first");
    let winner = |row: usize| order.iter().copied().find(|segment| masks[*segment].get(row));
    for taken in waterfall(&masks, &order) {
        let goes_to = |to: usize| masks[taken.segment].rows().filter(|row| winner(*row) == Some(to)).count() as u64;
        assert_eq!(taken.kept, goes_to(taken.segment));
        for (other, n) in order.iter().zip(&taken.goes_to).filter(|(other, _)| **other != taken.segment) {
            assert_eq!(*n, goes_to(*other));
        }
        assert_eq!(taken.kept + taken.goes_to.iter().sum::<u64>(), taken.members);
    }
}

//! The examples are complete and give the counts that they say.

use seg::Project;
use seg_tests::{Planned, Reference, TestEngine, root};

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

#[test]
fn online_retail_gives_its_counts() {
    let project = Project::load(&root().join("examples/online-retail")).expect("a project");
    let program = seg::compile(&project).expect("no errors");
    let manifest = project.manifest.as_ref().expect("settings");
    let now = manifest.at.expect("an instant");
    let loaded =
        seg::io::load(&project.dir, &manifest.data, &project.schema, manifest.zone, &mut |_| {}).expect("the data");
    assert_eq!(loaded.report.problems, []);
    assert_eq!((loaded.report.profiles, loaded.report.events), (4_372, 406_829));
    let masks = Reference.evaluate(&program, &loaded.batch, now);
    let counts: Vec<(&str, usize)> = program.segment_names().zip(masks.iter().map(|m| m.count())).collect();
    assert_eq!(counts, ONLINE_RETAIL);
    assert!(Planned.evaluate(&program, &loaded.batch, now) == masks, "the engines differ");
}

//! The page of `seg report`: its figures are those of the other commands, and nothing in the
//! data becomes a part of the page.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "tests may panic")]

mod command;

use command::{err, read, seg, write};
use serde_json::Value;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the repository")
}

/// The page of a project of the repository or elsewhere.
fn page(dir: &Path, args: &[&str]) -> String {
    let output = seg(dir, &[&["report"], args].concat());
    assert!(output.status.success(), "{args:?}: {}", err(&output));
    String::from_utf8(output.stdout).expect("UTF-8")
}

fn json(dir: &Path, args: &[&str]) -> Value {
    let output = seg(dir, &[args, &["--format", "json"]].concat());
    assert!(output.status.success(), "{args:?}: {}", err(&output));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// What stands between two texts, the first time.
fn between<'t>(text: &'t str, from: &str, to: &str) -> &'t str {
    let (_, rest) = text.split_once(from).unwrap_or_else(|| panic!("no {from}"));
    rest.split_once(to).map_or(rest, |(found, _)| found)
}

/// Text as a reader sees it.
fn seen(html: &str) -> String {
    let mut text = String::new();
    let mut is_tag = false;
    for letter in html.chars() {
        match letter {
            '<' => is_tag = true,
            '>' if is_tag => is_tag = false,
            letter if !is_tag => text.push(letter),
            _ => {}
        }
    }
    let entities = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&amp;", "&")];
    entities.iter().fold(text, |text, (entity, letter)| text.replace(entity, letter)).trim().to_owned()
}

/// The rows of a table as a reader sees them, those of its head too.
fn rows(table: &str) -> Vec<Vec<String>> {
    let cells = |row: &str| {
        let cells = row.replace("<th", "<td");
        cells.split("<td").skip(1).map(|cell| seen(&format!("<td{cell}"))).collect()
    };
    let table = table.split("</table>").next().expect("a table");
    table.split("<tr").skip(1).map(cells).collect()
}

fn number(text: &str) -> u64 {
    text.replace(',', "").parse().unwrap_or_else(|_| panic!("`{text}` is a number"))
}

/// The part of the page about a segment.
fn section(page: &str, nth: usize) -> &str {
    between(page, &format!("<section class=\"one\" id=\"s{nth}\""), "</section>")
}

#[test]
fn figures_are_those_of_the_other_commands() {
    let (root, project) = (root(), "examples/d2c-store");
    let page = page(&root, &[project]);
    let run = json(&root, &["run", project]);
    let week = json(&root, &["history", project, "--days", "7"]);
    let days = json(&root, &["history", project, "--days", "28", "--forecast=14"]);
    let conversion = json(&root, &["conversion", project]);
    let list = |value: &Value| value.as_array().expect("a list").clone();
    let segments = list(&run["segments"]);
    let table = rows(between(&page, "<table class=\"seg\"", "</table>"));
    assert_eq!((table.len(), table[0][6].as_str()), (segments.len() + 1, "in 14 days"));
    for (nth, (segment, row)) in segments.iter().zip(&table[1..]).enumerate() {
        let name = segment["segment"].as_str().expect("a name");
        assert!(row[0].starts_with(name), "{row:?}");
        assert_eq!(Some(number(&row[1])), segment["members"].as_u64(), "the size of {name}");
        let moved = |key: &str| -> u64 {
            list(&week["history"]).iter().map(|day| day["moves"][name][key].as_u64().expect("a number")).sum()
        };
        assert_eq!([number(&row[4]), number(&row[5])], [moved("entries"), moved("exits")], "{name}");
        let ahead = &days["forecast"][name][13];
        let whole = |key: &str| ahead["size"][key].as_f64().expect("a number").round();
        assert_eq!((&ahead["days_ahead"], &row[6]), (&14.into(), &format!("{}–{}", whole("low"), whole("high"))));
        let reached = &conversion["segments"][nth]["all"];
        let rate = reached["rate"].as_f64().map_or("–".to_owned(), |rate| format!("{:.1}%", rate * 100.0));
        assert_eq!((row[7].as_str(), conversion["segments"][nth]["segment"].as_str()), (rate.as_str(), Some(name)));
        let people = format!("of {}, {rate} (", reached["complete"]);
        assert!(rate == "–" || section(&page, nth).contains(&people), "{name}: {people}");
        // Behind the chart, the newest day first.
        let of_days = rows(between(section(&page, nth), "The same as a table", "</table>"));
        let found: Vec<Vec<u64>> =
            of_days[1..].iter().rev().map(|row| row[1..].iter().map(|n| number(n)).collect()).collect();
        let counted = list(&days["history"]);
        let counted: Vec<Vec<u64>> = counted
            .iter()
            .map(|day| {
                let moves = &day["moves"][name];
                [&day["sizes"][name], &moves["entries"], &moves["exits"]]
                    .map(|n| n.as_u64().expect("a number"))
                    .to_vec()
            })
            .collect();
        assert_eq!(found, counted, "the days of {name}");
    }
    assert!(page.contains("<b>1,500</b> people"), "{}", run["people"]);
}

#[test]
fn who_is_in_several_is_as_overlap_says() {
    let (root, project) = (root(), "examples/d2c-store");
    let (page, overlap) = (page(&root, &[project]), json(&root, &["overlap", project]));
    let table = rows(between(&page, "<table class=\"heat\"", "</table>"));
    let names: Vec<String> =
        table[1..].iter().map(|row| row[0].split_once(". ").expect("a number").1.to_owned()).collect();
    let place: HashMap<&str, usize> = names.iter().enumerate().map(|(at, name)| (name.as_str(), at)).collect();
    let pairs = overlap["pairs"].as_array().expect("pairs");
    assert_eq!(pairs.len(), names.len() * (names.len() - 1) / 2);
    for pair in pairs {
        let [a, b] = ["a", "b"].map(|key| place[pair[key].as_str().expect("a name")]);
        let both = pair["both"].as_u64().expect("a number");
        for (row, column, share) in [(a, b, "share_of_a"), (b, a, "share_of_b")] {
            let cell = &table[row + 1][column + 1];
            if both == 0 {
                assert_eq!(cell, "·");
                continue;
            }
            let percent = pair[share].as_f64().expect("a share") * 100.0;
            let shown = if percent < 0.5 { "<1%".to_owned() } else { format!("{percent:.0}%") };
            assert_eq!(*cell, format!("{both}{shown}"), "{} and {}", names[row], names[column]);
        }
    }
    // Pairs that need an order are framed, on both sides.
    let n_unordered = pairs.iter().filter(|pair| pair["needs_order"] == true).count();
    assert!(n_unordered > 0);
    assert_eq!(between(&page, "<table class=\"heat\"", "</table>").matches(" w\">").count(), 2 * n_unordered);
    let waterfall = rows(between(&page, "Who goes where, by the order of precedence", "</table>"));
    let expected: Vec<[String; 3]> = overlap["waterfall"]
        .as_array()
        .expect("rows")
        .iter()
        .map(|row| {
            [row["segment"].as_str().expect("a name").to_owned(), row["members"].to_string(), row["kept"].to_string()]
        })
        .collect();
    let found: Vec<[String; 3]> =
        waterfall[1..].iter().map(|row| [row[0].clone(), row[1].clone(), row[2].clone()]).collect();
    assert_eq!(found, expected);
    let taken = &waterfall[3][4];
    assert_eq!(taken, "12 to Cart left, 100 EUR, 2-24h");
}

#[test]
fn what_needs_somebody_is_what_doctor_found() {
    let (root, project) = (root(), "examples/d2c-store");
    let (page, doctor) = (page(&root, &[project]), json(&root, &["doctor", project]));
    let needs = between(&page, "<ol class=\"todo\">", "</ol>");
    // What was found is written without the back-ticks around what stands in files.
    let plain = |text: &Value| text.as_str().expect("a text").replace('`', "");
    let findings = doctor["findings"].as_array().expect("findings");
    let shown: Vec<&Value> = findings.iter().filter(|found| seen(needs).contains(&plain(&found["message"]))).collect();
    let kinds: Vec<&str> = findings.iter().filter_map(|found| found["kind"].as_str()).collect();
    let shown_kinds: Vec<&str> = shown.iter().filter_map(|found| found["kind"].as_str()).collect();
    // All of four kinds, for the pairs without an order are the fifth need.
    let wanted = ["late", "buying-cycle", "orphaned", "too-small"];
    let n_wanted = kinds.iter().filter(|kind| wanted.contains(kind)).count();
    assert_eq!(shown_kinds.len(), n_wanted);
    assert!(shown_kinds.iter().all(|kind| wanted.contains(kind)), "{shown_kinds:?}");
    for found in shown {
        assert!(seen(needs).contains(&plain(&found["write"])), "{}", found["write"]);
    }
    assert_eq!(needs.matches("<li><b>").count(), 5);
    assert!(seen(needs).contains("6 people are in both \"First order, 7 days\" and \"Out of rhythm\""));
    let state = |name: &str| {
        let events = doctor["freshness"].as_array().expect("events");
        events.iter().find(|event| event["event"] == name).map(|event| event["events"].to_string())
    };
    for row in &rows(between(&page, "aria-label=\"Events\"", "</table>"))[1..] {
        assert_eq!(Some(row[1].replace(',', "")), state(&row[0]), "{row:?}");
        assert_eq!(row[4], "fresh");
    }
}

#[test]
fn people_are_those_of_the_sample() {
    let (root, project) = (root(), "examples/d2c-store");
    let page = page(&root, &[project]);
    let names: Vec<String> = json(&root, &["run", project])["segments"]
        .as_array()
        .expect("segments")
        .iter()
        .map(|segment| segment["segment"].as_str().expect("a name").to_owned())
        .collect();
    for nth in [0, 8, 20] {
        let ids: Vec<String> = section(&page, nth)
            .split("<h4>")
            .skip(1)
            .map(|who| seen(who.split("</h4>").next().expect("a heading")))
            .collect();
        let sample = json(&root, &["sample", &names[nth], project, "-n", "2"]);
        let people = sample["people"].as_array().expect("people").iter();
        let mut expected: Vec<String> =
            people.map(|person| format!("{} in", person["id"].as_str().expect("an id"))).collect();
        if ids.len() > expected.len() {
            let last = ids.last().expect("somebody");
            assert!(last.ends_with("just misses"), "{last}");
            expected.push(last.clone());
        }
        assert_eq!(ids, expected, "{}", names[nth]);
    }
    // Until when is what explain says.
    let explained = json(&root, &["explain", project, "--person", "c0440", "--segment", "Winback, 90-180 days"]);
    assert_eq!(explained["changes_at"], "2026-12-24T13:45:03.000001Z");
    assert!(section(&page, 8).contains("In since 25 September 15:45:03; leaves on 24 December 14:45:03"));
}

/// Ids, names and texts that would be a part of the page if they were not escaped.
fn hostile() -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a directory");
    let settings = "name = \"<script>alert(1)</script>\"\ntimezone = \"UTC\"\nat = \"2026-06-01T12:00:00Z\"\n\
        [data.profiles]\nfiles = [\"people.csv\"]\nid = \"id\"\n\
        [data.events]\nfiles = [\"events.csv\"]\nid = \"id\"\nevent = \"event\"\ntime = \"time\"\n";
    write(dir.path(), "seg.toml", settings);
    write(dir.path(), "schema.toml", "[attributes]\ncountry = \"text\"\n[events.order]\nalso = [\"ordered\"]\n");
    write(
        dir.path(),
        "people.csv",
        "id,country\n\"\"\"><img src=x onerror=alert(1)>\",DE\n'onclick='alert(1),DE\n</title><script>,US\n&amp;</td>,US\n",
    );
    let events = ["\"\"\"><img src=x onerror=alert(1)>\"", "'onclick='alert(1)"];
    let events: String = events.iter().map(|id| format!("{id},order,2026-05-30T12:00:00Z\n")).collect();
    write(dir.path(), "events.csv", &format!("id,event,time\n{events}"));
    write(
        dir.path(),
        "s.seg",
        "segment \"</style><script>alert(1)</script>\" used by campaign \"<b onclick=x>\"\n    owned by team \"<i>\"\n    \
         include people who ordered in the past 30 days\n\
         segment \"\"\"quoted\"\" & 'so'\" include people whose country is \"<u>\"\n",
    );
    dir
}

#[test]
fn nothing_in_the_data_is_a_part_of_the_page() {
    let dir = hostile();
    let page = page(dir.path(), &[]);
    for part in ["<script", "<img", "<b onclick", "<i>&lt;i&gt;", "<u>", "</style><"] {
        // The page has one style of its own.
        assert_eq!(page.matches(part).count(), usize::from(part == "</style><"), "{part}");
    }
    assert_eq!(page.matches("<style>").count(), 1);
    for part in [
        "&lt;script&gt;alert(1)&lt;/script&gt;</h1>",
        "&quot;&gt;&lt;img src=x onerror=alert(1)&gt;",
        "&quot;quoted&quot; &amp; 'so'",
        "&amp;amp;&lt;/td&gt;",
    ] {
        assert!(page.contains(part), "{part}");
    }
    // Of those who are out one is shown.
    assert!(page.contains("&amp;amp;&lt;/td&gt;") || page.contains("&lt;/title&gt;&lt;script&gt;"));
    // Attributes stand in double quotes, of which none is left open.
    for tag in page.split('<').skip(1).filter_map(|rest| rest.split('>').next()) {
        assert_eq!(tag.matches('"').count() % 2, 0, "{tag}");
    }
    for args in [
        &["history", "--format", "svg"][..],
        &["history", "--format", "svg", "--segment", "</style><script>alert(1)</script>"],
    ] {
        let output = seg(dir.path(), args);
        let drawing = String::from_utf8(output.stdout).expect("UTF-8");
        assert!(
            output.status.success() && !drawing.contains("<script") && drawing.contains("&lt;script&gt;"),
            "{drawing}"
        );
    }
}

#[test]
fn without_people_no_id_is_in_the_page() {
    let (root, project) = (root(), "examples/d2c-store");
    let with = page(&root, &[project]);
    let without = page(&root, &[project, "--no-people"]);
    // Ids of this project are a letter or a word, and digits.
    let ids = |page: &str| {
        let words = page.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
        words
            .filter(|word| word.len() == 5 && word.starts_with('c') && word.chars().skip(1).all(|c| c.is_ascii_digit()))
            .count()
    };
    assert!(ids(&with) > 40 && with.contains("it holds the ids of"));
    assert_eq!(ids(&without), 0);
    assert!(without.contains("it holds no ids of people") && !without.contains("<article"));
    // Everything else is as with them.
    let figures = |page: &str| between(page, "<table class=\"seg\"", "</table>").to_owned();
    assert_eq!(figures(&with), figures(&without));
}

#[test]
fn a_page_loads_nothing_and_is_small() {
    let root = root();
    let seven = page(&root, &["examples/online-retail"]);
    assert!(
        seven
            .contains("content=\"default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'\"")
    );
    for part in ["http:", "https:", "url(", "@import", " src=", "<link", "<script", " on"] {
        let n =
            seven.split('<').skip(1).filter_map(|rest| rest.split('>').next()).filter(|tag| tag.contains(part)).count();
        assert_eq!(n, 0, "{part}");
    }
    assert!(seven.len() < 90_000, "{}", seven.len());
    // The same again, to the byte.
    assert_eq!(seven, page(&root, &["examples/online-retail"]));
    let dir = fifty();
    let fifty = page(dir.path(), &[]);
    assert!(fifty.len() < 1_000_000, "{}", fifty.len());
}

/// Fifty segments over a few people who order often.
fn fifty() -> tempfile::TempDir {
    let dir = hostile();
    let segments: String = (1..=50)
        .map(|n| format!("segment \"Ordered in the past {n} days, a name of some length\" include people who ordered in the past {n} days\n"))
        .collect();
    write(dir.path(), "s.seg", &segments);
    let events = (0..400).map(|n| format!("p{},order,2026-05-{:02}T{:02}:00:00Z\n", n % 40, 1 + n % 30, n % 24));
    write(dir.path(), "events.csv", &format!("id,event,time\n{}", events.collect::<String>()));
    write(dir.path(), "people.csv", "id,country\np1,DE\n");
    dir
}

#[test]
fn a_page_is_written_whole_or_not_at_all() {
    let dir = hostile();
    let output = seg(dir.path(), &["report", "--out", "page.html"]);
    let said = String::from_utf8(output.stdout.clone()).expect("UTF-8");
    assert!(output.status.success(), "{}", err(&output));
    let written = read(dir.path(), "page.html");
    assert_eq!(said, format!("page.html: 2 segments, {} kB\n", written.len().div_ceil(1_000)));
    assert_eq!(written, page(dir.path(), &[]));
    // What has errors leaves the page as it was.
    write(dir.path(), "s.seg", "segment \"Broken\" include people who (ordered\n");
    let output = seg(dir.path(), &["report", "--out", "page.html"]);
    assert_eq!((output.status.code(), read(dir.path(), "page.html")), (Some(1), written));
    assert!(err(&output).contains("nothing was reported"), "{}", err(&output));
    let output = seg(&root(), &["report", "examples/webshop", "--out", "/no/such/folder/page.html"]);
    assert_eq!(output.status.code(), Some(3));
}

#[test]
fn a_page_can_be_made_where_there_is_nothing() {
    let dir = hostile();
    // Before the first event nobody is there.
    let early = page(dir.path(), &["--at", "2020-01-01T00:00:00Z", "--days", "1"]);
    assert!(early.contains("no events yet"));
    // Without people, events, a time zone and segments that share anybody.
    write(dir.path(), "people.csv", "id,country\n");
    write(dir.path(), "events.csv", "id,event,time\n");
    let empty = page(dir.path(), &[]);
    assert!(empty.contains("<b>0</b> people") && empty.contains("Nobody is in it, or nearly"));
    let output = seg(&root(), &["report", "examples/webshop", "--max-cost", "0ms"]);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0), "{}", err(&output));
    let output = seg(dir.path(), &["report", "--days", "0"]);
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn what_may_be_asked_is_told() {
    let output = seg(&root(), &["report", "--help"]);
    insta::assert_snapshot!(String::from_utf8(output.stdout).expect("UTF-8"));
}

//! The command as a person or a tool meets it.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::string_slice, reason = "tests may panic")]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the repository")
}

fn seg_in(dir: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_seg")).args(args).current_dir(dir).output().expect("seg runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

/// Exit code, standard output and standard error, for a snapshot.
fn shown(output: &Output) -> String {
    let code = output.status.code().expect("it exits");
    format!("exit {code}\n── out\n{}── err\n{}", text(&output.stdout), text(&output.stderr))
}

/// A line for a shell, in which `seg` is the command of this build.
fn shell(line: &str) -> Output {
    let folder = Path::new(env!("CARGO_BIN_EXE_seg")).parent().expect("a folder");
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap_or_default());
    Command::new("sh").args(["-c", line]).current_dir(root()).env("PATH", path).output().expect("a shell")
}

/// A project over a few people, in a directory of its own.
fn project(segments: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a directory");
    write(
        &dir,
        "seg.toml",
        "name = \"shop\"\ntimezone = \"UTC\"\nat = \"2026-06-01T12:00:00Z\"\n[data.profiles]\nfiles = [\"people.csv\"]\nid = \"id\"\n[data.events]\nfiles = [\"events.csv\"]\nid = \"id\"\nevent = \"event\"\ntime = \"time\"\n",
    );
    write(
        &dir,
        "schema.toml",
        "[attributes]\ncountry = \"text\"\n[events.order]\nalso = [\"ordered\"]\nproperties = { amount = \"money\" }\n",
    );
    write(&dir, "people.csv", "id,country\nann,DE\nben,US\n");
    write(
        &dir,
        "events.csv",
        "id,event,time,amount\nann,order,2026-05-31T12:00:00Z,9.50\nben,order,2026-01-01T12:00:00Z,20\n",
    );
    write(&dir, "segments.seg", segments);
    dir
}

fn write(dir: &tempfile::TempDir, name: &str, content: &str) {
    std::fs::write(dir.path().join(name), content).expect("written");
}

const RECENT: &str = "segment \"Recent\" include people who ordered in the past 30 days\n";

/// Arguments as a shell takes them: names in quotes are one.
fn arguments(text: &str) -> Vec<&str> {
    let parts = text.split('"').enumerate();
    parts.flat_map(|(nth, part)| if nth % 2 == 1 { vec![part] } else { part.split_whitespace().collect() }).collect()
}

/// What the README shows is what a newcomer sees.
#[test]
fn consoles_of_the_readme_are_true() {
    let mut n_commands = 0;
    let mut n_lines = 0;
    // Live memberships go on where they ended, and what is shown is a beginning.
    let _ = std::fs::remove_dir_all(root().join("target/live"));
    let _ = std::fs::remove_file(root().join("target/live-changes.ndjson"));
    for file in [
        "README.md",
        "examples/online-retail/README.md",
        "examples/webshop-calls/README.md",
        "examples/d2c-store/README.md",
        "docs/book/src/data.md",
        "docs/book/src/store.md",
        "docs/book/src/lake.md",
        "docs/book/src/results.md",
        "docs/book/src/warehouse.md",
        "docs/book/src/operating.md",
        "docs/book/src/live.md",
        "docs/book/src/schemas.md",
    ] {
        let readme = std::fs::read_to_string(root().join(file)).expect("a text");
        for block in readme.split("```console\n").skip(1) {
            let block = block.split("```").next().expect("a block");
            let Some((command, expected)) = block.split_once('\n') else { continue };
            // The build directory is there after a build, wherever it is.
            std::fs::create_dir_all(root().join("target")).expect("a directory");
            let output = if let Some(args) = command.strip_prefix("$ cargo seg ") {
                seg_in(&root(), &arguments(args))
            } else if let Some(line) = command.strip_prefix("$ seq ") {
                shell(&format!("seq {line}"))
            } else {
                continue;
            };
            assert_eq!(text(&output.stdout) + &text(&output.stderr), expected, "{command} in {file}");
            n_commands += 1;
        }
        // Lines of what was written stand in the file that they are said to be of.
        for block in readme.split("```csv ").skip(1) {
            let (written, lines) = block.split_once('\n').expect("a file");
            let written = std::fs::read_to_string(root().join(written)).expect("a text");
            for line in lines.lines().take_while(|line| *line != "```") {
                assert!(written.lines().any(|found| found == line), "{line} in {file}: {written}");
                n_lines += 1;
            }
        }
    }
    assert_eq!((n_commands, n_lines), (33, 8));
}

#[test]
fn five_broken_segments_and_a_good_one_give_five_problems_and_no_results() {
    let dir = project(
        "segment \"Good\" include people who ordered in the past 30 days\n\
         segment \"One\" include people who (ordered\n\
         segment \"Two\" include people whose cuontry is \"DE\"\n\
         segment \"Three\" include people whose country is “DE”\n\
         segment \"Four\" include people who ordered or did order and ordered\n\
         segment \"Five\" include people who ordered before 2026-02-30\n",
    );
    write(&dir, "out.csv", "before");
    let output = seg_in(dir.path(), &["run", "--members", "out.csv"]);
    insta::assert_snapshot!("five_broken", shown(&output));
    assert_eq!(std::fs::read_to_string(dir.path().join("out.csv")).expect("a text"), "before");
}

#[test]
fn a_history_for_people_and_for_tools() {
    let dir = project(RECENT);
    insta::assert_snapshot!(shown(&seg_in(dir.path(), &["history", "--days", "3"])), @r"
    exit 0
    ── out
    shop: 2 people, 3 days up to 2026-06-01T12:00:00Z (from seg.toml)
    segment      size   change                            in     out
    ───────────────────────────────────────────────────────────────
    Recent          1       +1  ▁██                        1       0
    ── err
    ");
    let json = ["history", "--days", "2", "--at", "2026-05-21 00:00", "--format", "json"];
    insta::assert_snapshot!(shown(&seg_in(dir.path(), &json)), @r#"
    exit 0
    ── out
    {
      "people": 2,
      "history": [
        {
          "at": "2026-05-20T00:00:00Z",
          "people": 1,
          "sizes": {
            "Recent": 0
          },
          "moves": {
            "Recent": {
              "entries": 0,
              "exits": 0,
              "exits_by_event": 0,
              "exits_by_time": 0,
              "entered_people": 0,
              "left_people": 0
            }
          }
        },
        {
          "at": "2026-05-21T00:00:00Z",
          "people": 1,
          "sizes": {
            "Recent": 0
          },
          "moves": {
            "Recent": {
              "entries": 0,
              "exits": 0,
              "exits_by_event": 0,
              "exits_by_time": 0,
              "entered_people": 0,
              "left_people": 0
            }
          }
        }
      ],
      "dwell": {
        "Recent": {
          "spells": 0,
          "ended": 0,
          "open": 0,
          "p25_s": null,
          "p50_s": null,
          "p75_s": null
        }
      }
    }
    ── err
    "#);
    insta::assert_snapshot!(shown(&seg_in(dir.path(), &["history", "--days", "0"])), @r"
    exit 2
    ── out
    ── err
    error: invalid value '0' for '--days <DAYS>': 0 is not in 1..=3660

    For more information, try '--help'.
    ");
}

#[test]
fn what_is_too_dear_is_not_run() {
    let dir = project(RECENT);
    let refused = ["run", "--max-cost", "0ms", "--members", "out.csv"];
    insta::assert_snapshot!(shown(&seg_in(dir.path(), &refused)), @r"
    exit 1
    ── out
    ── err
    seg: the segments would take about 10 ns of one processor, and may take 0 ns; nothing was run
    ");
    assert!(!dir.path().join("out.csv").exists());
    let allowed = seg_in(dir.path(), &["run", "--max-cost", "2min"]);
    assert!(allowed.status.success());
    insta::assert_snapshot!(shown(&seg_in(dir.path(), &["run", "--max-cost", "soon"])), @r"
    exit 2
    ── out
    ── err
    error: invalid value 'soon' for '--max-cost <TIME>': write a number and ms, s or min, such as 500ms or 30s

    For more information, try '--help'.
    ");
    insta::assert_snapshot!(shown(&seg_in(dir.path(), &["history", "--max-cost", "0s"])), @r"
    exit 1
    ── out
    ── err
    seg: the segments would take about 300 ns of one processor, and may take 0 ns; nothing was run
    ");
}

#[test]
fn a_plan_over_data_says_how_it_is_read() {
    let dir = project(RECENT);
    insta::assert_snapshot!(shown(&seg_in(dir.path(), &["emit", "--stage", "plan", "--data"])), @r#"
    exit 0
    ── out
    n0 = last-time("order")
    n1 = known n0
    segment "Recent" = n1
    reads event "order", since now - 30 d
    the answer changes as time passes
    s0 = n1: a derived column of times, 64 values in a range at a time, kept for the block
    segment "Recent" = s0
    expected to take 10 ns of one processor
    ── err
    "#);
    insta::assert_snapshot!(shown(&seg_in(dir.path(), &["emit", "--stage", "hir", "--data"])), @r"
    exit 2
    ── out
    ── err
    seg: `--data` goes with `--stage plan` and `--stage physical`
    ");
}

#[test]
fn a_run_for_people_and_for_tools() {
    let dir = project(RECENT);
    insta::assert_snapshot!(shown(&seg_in(dir.path(), &["run"])), @r"
    exit 0
    ── out
    shop: 2 people, 2 events, judged at 2026-06-01T12:00:00Z (from seg.toml), time zone UTC
     segment   members   share
    ───────────────────────────
     Recent          1   50.0%
    ── err
    ");
    insta::assert_snapshot!(shown(&seg_in(dir.path(), &["run", "--format", "json", "--at", "2026-01-02 00:00"])), @r#"
    exit 0
    ── out
    {
      "at": "2026-01-02T00:00:00Z",
      "people": 1,
      "estimated_cost_ns": 14,
      "engine": {
        "name": "plan",
        "reason": "there are so few people that compiling would not pay"
      },
      "segments": [
        {
          "segment": "Recent",
          "members": 1,
          "share": 1.0
        }
      ],
      "sizes": {
        "broken": [],
        "not_judged": []
      },
      "data": {
        "files": 2,
        "rows": 4,
        "bytes": 116,
        "bytes_read": 116,
        "profiles": 2,
        "events": 2,
        "problems": []
      },
      "diagnostics": [],
      "freshness": {
        "newest_event": "2026-01-01T12:00:00Z",
        "age": 43200.0,
        "limit": null,
        "is_stale": false,
        "stale_names": [],
        "is_early": false
      },
      "partition": null,
      "written": [],
      "changes": null,
      "verified": null
    }
    ── err
    "#);
}

#[test]
fn members_are_written_by_the_ending_of_the_file() {
    let dir = project(RECENT);
    for (name, expected) in [
        ("m.csv", Some("segment,profile_id\nRecent,ann\n")),
        ("m.ndjson", Some("{\"segment\":\"Recent\",\"profile_id\":\"ann\"}\n")),
        ("m.parquet", None),
        ("m.arrow", None),
        ("m.feather", None),
    ] {
        let output = seg_in(dir.path(), &["run", "--members", name]);
        assert_eq!(output.status.code(), Some(0), "{}", shown(&output));
        let bytes = std::fs::read(dir.path().join(name)).expect("written");
        match expected {
            Some(expected) => assert_eq!(text(&bytes), expected),
            None if name == "m.parquet" => assert!(bytes.starts_with(b"PAR1") && bytes.ends_with(b"PAR1")),
            None => assert!(bytes.starts_with(b"ARROW1") && bytes.ends_with(b"ARROW1")),
        }
    }
    let output = seg_in(dir.path(), &["run", "--members", "m.xlsx"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("m.xlsx: members are written to .csv, .ndjson, .parquet or .arrow files"));
}

#[test]
fn problems_of_the_data_are_counted_and_strict_refuses_them() {
    let dir = project(RECENT);
    write(
        &dir,
        "events.csv",
        "id,event,time,amount,colour\n\
         ann,order,2026-05-31T12:00:00Z,9.50,red\n\
         ,order,2026-05-31T12:00:00Z,1,red\n\
         ben,order,yesterday,1,red\n\
         ben,order,2026-02-30T12:00:00Z,1,red\n\
         ben,order,2026-05-30T12:00:00Z,nine,red\n\
         cleo,order,2026-05-30T12:00:00Z,1,red\n\
         ann,click,2026-05-30T12:00:00Z,1,red\n\
         ann,order\n",
    );
    insta::assert_snapshot!("data_problems", shown(&seg_in(dir.path(), &["run", "--max-bad", "100%"])));
    // Half of the rows are lost: that is no answer, and nothing is replaced by it.
    write(&dir, "out.csv", "before");
    let lossy = seg_in(dir.path(), &["run", "--members", "out.csv"]);
    assert_eq!((lossy.status.code(), text(&lossy.stdout).as_str()), (Some(1), ""));
    assert!(text(&lossy.stderr).contains("4 of 10 rows could not be read, more than 1%"), "{}", text(&lossy.stderr));
    assert_eq!(std::fs::read_to_string(dir.path().join("out.csv")).expect("a text"), "before");
    for wrong in ["1", "101%", "-1%", "x%"] {
        assert_eq!(seg_in(dir.path(), &["run", "--max-bad", wrong]).status.code(), Some(2), "{wrong}");
    }
    let strict = seg_in(dir.path(), &["run", "--strict"]);
    assert_eq!(strict.status.code(), Some(1));
    assert_eq!(text(&strict.stdout), "");
    // No segment reads the amounts, so only --strict looks at them.
    assert!(text(&strict.stderr).contains("1 value in `amount` could not be understood"));
    assert!(text(&strict.stderr).ends_with("nothing was run, since --strict was asked for\n"));
}

#[test]
fn every_engine_writes_the_same_bytes_for_the_examples() {
    for example in ["online-retail", "webshop"] {
        let dir = tempfile::tempdir().expect("a directory");
        let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples").join(example);
        let run = |name: &str, engine: &[&str]| {
            let members = dir.path().join(name);
            let members_arg = members.to_str().expect("a path");
            let project = project.to_str().expect("a path");
            let output = seg_in(dir.path(), &[&["run", project, "--members", members_arg], engine].concat());
            assert_eq!(output.status.code(), Some(0), "{}", shown(&output));
            std::fs::read(members).expect("written")
        };
        let expected = run("m.csv", &["--engine", "evaluator"]);
        assert!(expected.len() > 1_000);
        assert_eq!(run("plan.csv", &["--engine", "plan"]), expected);
        assert_eq!(run("jit.csv", &["--engine", "jit"]), expected);
        assert_eq!(run("chosen.csv", &[]), expected);
    }
}

#[test]
fn files_that_cannot_be_read_stop_the_run() {
    let dir = project(RECENT);
    let said = |dir: &tempfile::TempDir, args: &[&str]| {
        let output = seg_in(dir.path(), args);
        assert_eq!((output.status.code(), output.stdout.len()), (Some(3), 0), "{}", shown(&output));
        text(&output.stderr)
    };
    std::fs::remove_file(dir.path().join("events.csv")).expect("removed");
    assert_eq!(said(&dir, &["run"]), "seg: events.csv: there is no such file\n");
    write(&dir, "events.csv", "who,what\n");
    assert_eq!(said(&dir, &["run"]), "seg: events.csv: there is no column `id`, which seg.toml says it has\n");
    write(&dir, "events.csv", "");
    assert!(said(&dir, &["run"]).contains("the file is empty"));
    let manifest = std::fs::read_to_string(dir.path().join("seg.toml")).expect("a text");
    write(&dir, "seg.toml", &manifest.replace("events.csv", "events.csv.gz"));
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    for n in 0..5_000 {
        writeln!(packed, "ann,order,2026-05-31T12:00:00Z,{n}").expect("packed");
    }
    let packed = packed.finish().expect("packed");
    std::fs::write(dir.path().join("events.csv.gz"), &packed[..packed.len() / 2]).expect("written");
    assert_eq!(said(&dir, &["run"]), "seg: events.csv.gz: the packed file ends too early; is it complete?\n");
    write(&dir, "events.csv.gz", "not packed");
    // Its bytes tell whether a file is packed, not its name.
    assert!(said(&dir, &["run"]).contains("there is no column `id`"));
    write(&dir, "seg.toml", &manifest.replace("events.csv", "events.parquet"));
    write(&dir, "events.parquet", "PAR1 and nothing else");
    assert!(said(&dir, &["run"]).contains("not a readable Parquet file"));
    assert!(said(&dir, &["run", "nowhere"]).contains("there is no such directory"));
    assert!(said(&dir, &["check", "people.csv"]).contains("this is a file"));
    assert_eq!(seg_in(dir.path(), &["run", "--at", "soon"]).status.code(), Some(2));
    assert_eq!(seg_in(dir.path(), &["walk"]).status.code(), Some(2));
}

#[test]
fn a_file_that_is_not_utf8_is_a_problem_of_that_file() {
    let dir = project(RECENT);
    std::fs::write(dir.path().join("latin.seg"), b"segment \"Caf\xe9\" include everyone").expect("written");
    let output = seg_in(dir.path(), &["check"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).starts_with("error[E0006]: this file is not UTF-8 text"), "{}", shown(&output));
}

#[test]
fn init_proposes_a_project_that_runs() {
    let dir = project(RECENT);
    let output = seg_in(
        dir.path(),
        &["init", "new", "--from", "people.csv", "--from", "events.csv", "--at", "2026-06-01T12:00:00Z"],
    );
    insta::assert_snapshot!(shown(&output), @r"
    exit 0
    ── out
    ../people.csv: 2 profiles; person in `id`
    ../events.csv: 2 events; person in `id`, event in `event`, time in `time`
    wrote new/schema.toml
    wrote new/segments.seg
    wrote new/seg.toml
    next: read the schema (`seg schema words new` lists its English), then `seg run new`
    ── err
    ");
    insta::assert_snapshot!(shown(&seg_in(dir.path(), &["run", "new"])), @r"
    exit 0
    ── out
    new: 2 people, 2 events, judged at 2026-06-01T12:00:00Z (from seg.toml), time zone UTC
     segment                       members   share
    ───────────────────────────────────────────────
     Ordered in the past 30 days         1   50.0%
    ── err
    ");
    let again = seg_in(dir.path(), &["init", "new", "--from", "people.csv"]);
    assert_eq!(again.status.code(), Some(3));
    assert!(text(&again.stderr).contains("exists already; nothing was written"));
}

#[test]
fn schema_words_are_what_sentences_may_say() {
    let dir = project(RECENT);
    let schema = "[events.\"Order Completed\"]\nverbs = [\"buy\", \"place an order\"]\nnouns = [\"order\"]\nalso = [\"checked out\"]\n\
                  [events.\"Refund Issued\"]\n[groups.Money]\nevents = [\"Order Completed\", \"Refund Issued\"]\n";
    std::fs::write(dir.path().join("schema.toml"), schema).expect("written");
    insta::assert_snapshot!(shown(&seg_in(dir.path(), &["schema", "words"])), @r"
    exit 0
    ── out
    Order Completed
      verbs  buy, buys, bought; place an order, places an order, placed an order, place order, places order, placed order, place orders, places orders, placed orders
      nouns  order, orders
      also   checked out
    Refund Issued
    Money
      events Order Completed, Refund Issued
    ── err
    ");
    insta::assert_snapshot!(shown(&seg_in(dir.path(), &["schema", "words", "--format", "json"])), @r#"
    exit 0
    ── out
    [
      {
        "kind": "event",
        "name": "Order Completed",
        "verbs": [
          [
            "buy",
            "buys",
            "bought"
          ],
          [
            "place an order",
            "places an order",
            "placed an order",
            "place order",
            "places order",
            "placed order",
            "place orders",
            "places orders",
            "placed orders"
          ]
        ],
        "nouns": [
          [
            "order",
            "orders"
          ]
        ],
        "also": [
          "checked out"
        ],
        "events": []
      },
      {
        "kind": "event",
        "name": "Refund Issued",
        "verbs": [],
        "nouns": [],
        "also": [],
        "events": []
      },
      {
        "kind": "group",
        "name": "Money",
        "verbs": [],
        "nouns": [],
        "also": [],
        "events": [
          "Order Completed",
          "Refund Issued"
        ]
      }
    ]
    ── err
    "#);
    std::fs::write(dir.path().join("schema.toml"), format!("{schema}[attributes]\norders = \"integer\"\n"))
        .expect("written");
    insta::assert_snapshot!(shown(&seg_in(dir.path(), &["schema", "words"])), @r#"
    exit 1
    ── out
    ── err
    error[E0702]: `orders` is a form of `Order Completed`, and a name of `orders`
       ╭─[ schema.toml:1:9 ]
       │
     1 │ [events."Order Completed"]
       │         ────────┬────────
       │                 ╰────────── here
       │
       │ Help: a word stands for one thing; use another verb or noun, or rename the other
    ───╯

    error[E0201]: the schema has no attribute or event `ordered`
       ╭─[ segments.seg:1:37 ]
       │
     1 │ segment "Recent" include people who ordered in the past 30 days
       │                                     ───┬───
       │                                        ╰───── unknown name
       │
       │ Help: did you mean `order`?
    ───╯
    "#);
}

#[test]
fn colour_is_for_terminals_and_for_those_who_ask() {
    let dir = project("segment \"x\" include people who did nothing at all");
    let plain = seg_in(dir.path(), &["check"]);
    let colored = seg_in(dir.path(), &["check", "--color", "always"]);
    assert!(!text(&plain.stderr).contains('\u{1b}') && text(&colored.stderr).contains('\u{1b}'));
}

#[test]
fn check_gives_tools_the_same_problems() {
    let dir = project("segment \"x\" include people whose cuontry is \"DE\"");
    let output = seg_in(dir.path(), &["check", "--format", "json"]);
    insta::assert_snapshot!(shown(&output), @r#"
    exit 1
    ── out
    {
      "diagnostics": [
        {
          "code": "E0201",
          "slug": "unknown-name",
          "severity": "error",
          "message": "the schema has no attribute or event `cuontry`",
          "place": {
            "file": "segments.seg",
            "line": 1,
            "column": 34,
            "start": 33,
            "end": 40,
            "label": "unknown name"
          },
          "also": [],
          "helps": [
            "did you mean `country`?"
          ],
          "notes": [],
          "fixes": [
            {
              "title": "did you mean `country`?",
              "place": {
                "file": "segments.seg",
                "line": 1,
                "column": 34,
                "start": 33,
                "end": 40
              },
              "replacement": "country"
            }
          ]
        }
      ]
    }
    ── err
    "#);
}

#[test]
fn the_engine_changes_no_answer() {
    let dir = project(RECENT);
    let by = |engine| shown(&seg_in(dir.path(), &["run", "--engine", engine]));
    assert_eq!(by("plan"), by("evaluator"));
}

#[test]
fn every_stage_can_be_shown() {
    let dir = project(RECENT);
    for (stage, expected) in [
        ("tokens", "Word             0..7 \"segment\""),
        ("ast", "window past 30 day"),
        ("hir", "count(order in [now - 30 d, now]) >= 1"),
        ("plan", "n0 = count(\"order\" in [now - 30 d, now])"),
        ("passes", "── after look_at_kth_last ──"),
    ] {
        let output = seg_in(dir.path(), &["emit", "--stage", stage]);
        assert_eq!(output.status.code(), Some(0));
        assert!(text(&output.stdout).contains(expected), "{}", shown(&output));
    }
}

/// A megabyte of each, through the whole command. The bound is for a build
/// without optimisation; a release build answers in well under two seconds.
#[test]
fn hostile_text_is_answered() {
    let people = "segment \"x\" include people who ";
    let noise: String = (0..1_000_000_u32).map(|n| char::from((n.wrapping_mul(2_654_435_761) >> 24) as u8)).collect();
    let texts = [
        format!("{people}{}", "(".repeat(1_000_000)),
        format!("{people}{}ordered{}", "(".repeat(500_000), ")".repeat(500_000)),
        format!("{people}{}", "ordered and ".repeat(50_000)),
        format!("{people}ordered{}", " and ordered".repeat(50_000)),
        format!("{people}{}\n", "ordered and ".repeat(20_000)).repeat(4),
        format!("{people}{}\n", "not (".repeat(60)).repeat(3_000),
        noise,
    ];
    for text in texts {
        let dir = project(&text);
        let start = Instant::now();
        let output = seg_in(dir.path(), &["run"]);
        let took = start.elapsed();
        assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0));
        let shown: String = text.chars().take(60).collect();
        assert!(took < Duration::from_secs(20), "{shown} took {took:?}");
    }
}

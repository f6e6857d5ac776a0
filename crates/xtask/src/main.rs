//! Automation of this repository: `cargo xtask bench|browser|ci|codegen|count|fuzz|lake|long|python|sanitize|sdk|spark|sql|tidy`.

mod api;
mod bench;
mod browser;
mod ci;
mod codegen;
mod count;
mod fuzz;
mod lake;
mod long;
mod objects;
mod outside;
mod python;
mod sanitize;
mod sdk;
mod server;
mod spark;
mod sql;
mod tidy;
mod walk;

use std::process::ExitCode;

const USAGE: &str = "\
cargo xtask bench [PROFILES] [--suites] [--growth] [--files] [--peers] [--record] [--only=N]
                               measure the engines side by side; 1,000,000 profiles unless told; with --suites no
                               segment alone, with --growth three times the profiles as well, with --files reading
                               Parquet, with --peers beside other engines, which it installs under target/; --only=N is one segment, or one suite
                               by its number of segments; with --cold from Parquet to the answer instead, a process each; with
                               --text from CSV and NDJSON; with --micro a few people at a time by a thousand segments, as
                               `seg live` judges them (--as-built: without optimising, for shares alone); with --live `seg live` under load
                               beside the syncs of the disk (--only=RATE events a second, --minutes=N with what it has after each); with --sizes
                               memory and disk of `seg live` for so many people; with --sql the segments as SQL in DuckDB, which it
                               installs under target/, beside `seg run` over the same people
cargo xtask browser            look at a page of `seg report`, drawings of `seg history` and the page of `seg live` in a browser, which is needed besides node
                               and npm: pictures of what it saw are in target/browser/pictures
cargo xtask ci                 everything that CI runs, in order, with what each step took
cargo xtask codegen [--check]  write the generated parts of the documentation, or say which are out of date
cargo xtask count [--release] [--write]
                               count the instructions of kernels and of the front end, built as tests are or as a release, and
                               hold them against the record, or write it; needs valgrind
cargo xtask first-try [--all]  how many sentences that came to mind first (tests/descriptions) say at once what was described,
                               by kind; with --all, every other one and why
cargo xtask fuzz TARGET [SECONDS] [SEED]
                               check mutated texts: any-bytes, lexer-grammar or schema
cargo xtask helps [N] [SEED]   break N sentences (2,000) by one word, and list the helps of messages that do not compile, the errors
                               that stand elsewhere, and the messages with words that nobody wrote
cargo xtask lake               validate the manifest by which Kubernetes runs partitions, and read and write objects of a server of S3
                               on loopback, with packages that it installs under target/lake
cargo xtask long [SEED]        what CI has no time for, from a seed of the day unless one is given: engines against each other
                               at full length, phrases taken away from 200,000 texts, 20,000 sentences broken by a word,
                               and each fuzz target for ten minutes
cargo xtask python             build the Python package, install it under target/python where nothing else is, and test it without any
                               Arrow library, with each of them, and as documents show it
cargo xtask sanitize [address|memory]
                               all tests with AddressSanitizer, and those of the engines under valgrind's memcheck;
                               both unless one is named, which takes long (docs/soundness.md)
cargo xtask sdk [RESTARTS]     post to `seg live` through the SDKs of two vendors for node and for Python, which it installs
                               under target/sdk, while the process is killed and begun again so many times (8)
cargo xtask spark [cluster]    run the Python package on Spark, which it installs under target/python besides Java, which is needed: on two
                               cores, or as a cluster of two processes
cargo xtask sql --dbt|--parse
                               build the models of the example of dbt in DuckDB and compare their members with `seg run`; read
                               what is emitted for Snowflake and BigQuery by a parser of theirs
cargo xtask sql [--engine clickhouse|spark] [SEGMENTS] [SEED]
                               run the corpus and so many generated segments (600) as SQL in DuckDB, which it installs under
                               target/sql, and in PostgreSQL where that is, and hold them against the reference evaluator; then
                               two examples by `seg run --on`; with --engine in ClickHouse or Spark, a fraction of the segments
cargo xtask tidy               check what no compiler checks
";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let result = match args.as_slice() {
        ["bench", rest @ ..] => bench::run(rest),
        ["browser"] => browser::run(),
        ["ci"] => ci::run(),
        ["codegen"] => codegen::run(codegen::Mode::Write),
        ["codegen", "--check"] => codegen::run(codegen::Mode::Check),
        ["count"] => count::run(count::Built::ForTests, false),
        ["count", "--write"] => count::run(count::Built::ForTests, true),
        ["count", "--release"] => count::run(count::Built::Released, false),
        ["count", "--release", "--write"] => count::run(count::Built::Released, true),
        // What `count` runs under callgrind.
        ["count-case", number] => count::run_case(number),
        ["first-try"] => seg_tests::descriptions::first_try(false).map(|table| print!("{table}")),
        ["first-try", "--all"] => seg_tests::descriptions::first_try(true).map(|table| print!("{table}")),
        ["fuzz", rest @ ..] => fuzz::run(rest),
        ["helps", rest @ ..] => helps(rest),
        ["lake"] => lake::run(),
        ["long", rest @ ..] => long::run(rest),
        ["python"] => python::run(),
        ["sanitize", rest @ ..] => sanitize::run(rest),
        ["sdk"] => sdk::run(sdk::RESTARTS),
        ["sdk", restarts] => match restarts.parse() {
            Ok(restarts) => sdk::run(restarts),
            Err(_) => Err(format!("`{restarts}` is no number\n")),
        },
        ["sql", "--engine", engine] => sql::run_in(engine, sql::SEGMENTS, None),
        ["sql", "--engine", engine, segments] => sql::run_in(engine, segments, None),
        ["sql", "--engine", engine, segments, seed] => sql::run_in(engine, segments, Some(seed)),
        ["sql", "--dbt"] => sql::run_dbt(),
        ["sql", "--parse"] => sql::parse(),
        ["spark"] => spark::run(spark::Wheel::New),
        ["spark", "cluster"] => spark::run_cluster(),
        ["sql"] => sql::run(sql::SEGMENTS, None),
        ["sql", segments] => sql::run(segments, None),
        ["sql", segments, seed] => sql::run(segments, Some(seed)),
        ["tidy"] => tidy::run(),
        _ => Err(USAGE.to_owned()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprint!("{message}");
            ExitCode::FAILURE
        }
    }
}

fn helps(args: &[&str]) -> Result<(), String> {
    let number = |at: usize, default: u64| match args.get(at) {
        Some(text) => text.parse().map_err(|_| format!("`{text}` is no number\n")),
        None => Ok(default),
    };
    let (n, seed) = (number(0, 2_000)?, number(1, 1)?);
    print!("{}", seg_tests::helps::report(usize::try_from(n).unwrap_or(usize::MAX), seed));
    Ok(())
}

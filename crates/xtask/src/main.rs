//! Automation of this repository: `cargo xtask bench|ci|codegen|fuzz|tidy`.

mod bench;
mod ci;
mod codegen;
mod fuzz;
mod tidy;

use std::process::ExitCode;

const USAGE: &str = "\
cargo xtask bench [PROFILES] [--suites] [--peers] [--record]
                               measure the engines side by side; 1,000,000 profiles unless told; with --suites no
                               segment alone, with --peers beside other engines, which it installs under target/
cargo xtask ci                 everything that CI runs, in order
cargo xtask codegen [--check]  write the generated parts of the documentation, or say which are out of date
cargo xtask fuzz TARGET [SECONDS] [SEED]
                               check mutated texts: any-bytes, lexer-grammar or schema
cargo xtask tidy               check what no compiler checks
";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let result = match args.as_slice() {
        ["bench", rest @ ..] => bench::run(rest),
        ["ci"] => ci::run(),
        ["codegen"] => codegen::run(codegen::Mode::Write),
        ["codegen", "--check"] => codegen::run(codegen::Mode::Check),
        ["fuzz", rest @ ..] => fuzz::run(rest),
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

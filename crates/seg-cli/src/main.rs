//! The `seg` command: the only crate that reads arguments, prints and exits.

// A command prints; that is what it is for.
#![allow(clippy::print_stdout)]

#[macro_use]
mod tell;

mod args;
mod charts;
mod commands;
mod exit;
mod output;
mod page;
mod report;
mod warehouse;

use args::{Args, Command};
use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    let args = Args::parse();
    // Damaged files make libraries panic; that is caught and told of as what it is.
    let show = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if !seg::unstable::io::is_guarded() {
            show(info);
        }
    }));
    let output = output::Output::new(args.color, args.all);
    let result = match &args.command {
        Command::Init(init) => commands::init::run(init),
        Command::Check(check) => commands::check::run(check, &output),
        Command::Run(run) => commands::run::run(run, &output),
        Command::Test(test) => commands::test::run(test, &output),
        Command::Watch(watch) => commands::watch::run(watch, &output),
        Command::Explain(explain) => commands::explain::run(explain, &output),
        Command::Sample(sample) => commands::sample::run(sample, &output),
        Command::Who(who) => commands::who::run(who, &output),
        Command::History(history) => commands::history::run(history, &output),
        Command::Conversion(conversion) => commands::conversion::run(conversion, &output),
        Command::Example(example) => commands::example::run(example, &output),
        Command::Overlap(overlap) => commands::overlap::run(overlap, &output),
        Command::Diff(diff) => commands::diff::run(diff, &output),
        Command::Doctor(doctor) => commands::doctor::run(doctor, &output),
        Command::Report(report) => commands::report::run(report, &output),
        Command::Live(live) => commands::live::run(live, &output),
        Command::Freeze(freeze) => commands::freeze::run(freeze, &output),
        Command::Pack(pack) => commands::pack::run(pack, &output),
        Command::MergeResults(merge) => commands::merge_results::run(merge, &output),
        Command::Store(store) => commands::store::run(store),
        Command::Schema(schema) => commands::schema::run(schema, &output),
        Command::Codes(codes) => commands::codes::run(codes, &output),
        Command::Emit(emit) => commands::emit::run(emit, &output),
    };
    match result {
        Ok(code) => code.into(),
        Err(failure) => {
            output.failure(&failure);
            failure.code.into()
        }
    }
}

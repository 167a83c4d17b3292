//! The commands of the Thrifty workspace. `cargo xtask --help` lists them.
//!
//! One file per command. A command is a function from parsed arguments to `Result<(), Failure>`;
//! what it runs goes through [`job::Job`], which shows the command line and times it.

mod artifacts;
mod bench;
mod ci;
mod cli;
mod codegen;
mod debian;
mod disassembly;
mod failure;
mod gopprof;
mod job;
mod lanes;
mod licences;
mod lint;
mod loom;
mod mir;
mod msrv;
mod outside;
mod program;
mod room;
mod tally;
mod targets;
mod teeth;
mod test;
mod tidy;
mod tour;
mod verify;
mod workspace;

use std::{env, io::Write, process::ExitCode};

use cli::{Command, Parsed};
use failure::Failure;

fn main() -> ExitCode {
    let command = match cli::parse(env::args_os()) {
        Parsed::Run(command) => command,
        Parsed::Show(text) => {
            // `cargo xtask | head -1` must not end in a panic.
            let _ = write!(std::io::stdout(), "{text}");
            return ExitCode::SUCCESS;
        }
        Parsed::Wrong(line) => return end(&Failure::Usage(line)),
    };
    let result = match command {
        Command::Tour(args) => tour::run(&args),
        Command::Bench(args) => bench::run(&args),
        Command::Test(args) => test::run(&args),
        Command::Loom(args) => loom::run(&args),
        Command::Tidy(args) => tidy::run(&args),
        Command::Verify(args) => verify::run(&args),
        Command::Ci(args) => ci::run(&args),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => end(&failure),
    }
}

fn end(failure: &Failure) -> ExitCode {
    eprintln!("xtask: {failure}");
    ExitCode::from(failure.code())
}

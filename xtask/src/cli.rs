//! The command line: what a person may type, and one line when it makes no sense.

use std::ffi::OsString;

use clap::{Parser, Subcommand, error::ErrorKind};

use crate::{
    bench::BenchArgs, ci::CiArgs, loom::LoomArgs, test::TestArgs, tidy::TidyArgs, tour::TourArgs,
    verify::VerifyArgs,
};

/// The commands of the Thrifty workspace.
///
/// They need a stable Rust toolchain and nothing else; a check that needs more says so and is
/// counted as skipped.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What can be done.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show on real input what memory habits cost: a log is ingested naively and tuned, side by side
    Tour(TourArgs),
    /// Compare single operations side by side, with std and with rivals: time, bytes, allocations
    Bench(BenchArgs),
    /// Run the tests: every crate, doctests, without debug assertions, without default features
    Test(TestArgs),
    /// Explore every interleaving of the concurrent protocols with loom
    Loom(LoomArgs),
    /// Check what compilers don't: unsafe and ordering comments, layering, READMEs, links
    Tidy(TidyArgs),
    /// Run the tests under sanitizers and valgrind: all lanes, or those named
    Verify(VerifyArgs),
    /// Run what decides whether a change may land: all lanes, or those named
    Ci(CiArgs),
}

/// What parsing came to.
#[derive(Debug)]
pub(crate) enum Parsed {
    /// A command to run.
    Run(Command),
    /// A text that was asked for.
    Show(String),
    /// One line on what is wrong.
    Wrong(String),
}

/// Reads the arguments, the program's name first.
pub(crate) fn parse(args: impl IntoIterator<Item = OsString>) -> Parsed {
    let args: Vec<_> = args.into_iter().collect();
    match Cli::try_parse_from(&args) {
        Ok(cli) => Parsed::Run(cli.command),
        Err(error) => match error.kind() {
            ErrorKind::DisplayHelp
            | ErrorKind::DisplayVersion
            | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
            | ErrorKind::MissingSubcommand => Parsed::Show(error.render().to_string()),
            _ => Parsed::Wrong(one_line(&error.render().to_string(), &args)),
        },
    }
}

/// Clap explains itself in a paragraph; its first line and its tip are what a person reads.
fn one_line(text: &str, args: &[OsString]) -> String {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let first = lines.next().unwrap_or_default();
    let mut line = first.strip_prefix("error: ").unwrap_or(first).to_owned();
    // A list that follows a colon ("… were not provided:") belongs to the sentence.
    if line.ends_with(':') {
        line.push(' ');
        line.push_str(lines.next().unwrap_or_default());
    }
    if let Some(tip) = lines.find_map(|line| line.strip_prefix("tip: ")) {
        line.push_str("; ");
        line.push_str(tip);
    }
    let known = ["tour", "bench", "test", "loom", "tidy", "verify", "ci"];
    let command = args.get(1).and_then(|arg| arg.to_str());
    match command.filter(|command| known.contains(command)) {
        Some(command) => format!("{line} (see: cargo xtask {command} --help)"),
        None => format!("{line} (see: cargo xtask --help)"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(args: &[&str]) -> Parsed {
        parse(
            core::iter::once("cargo xtask")
                .chain(args.iter().copied())
                .map(OsString::from),
        )
    }

    fn wrong(args: &[&str]) -> String {
        match parsed(args) {
            Parsed::Wrong(line) => line,
            other => panic!("{args:?} was understood: {other:?}"),
        }
    }

    #[test]
    fn nonsense_is_one_line() {
        for args in [
            &["tset"][..],
            &["test", "--quik"],
            &["test", "extra"],
            &["loom", "--model"],
            &["ci", "--frobnicate"],
            &["--frobnicate"],
        ] {
            let line = wrong(args);
            assert_eq!(line.lines().count(), 1, "{line}");
            assert!(line.contains("--help"), "{line}");
        }
        let line = wrong(&["test", "--quik"]);
        assert!(line.contains("'--quik'"), "{line}");
        assert!(line.contains("'--quick'"), "the tip is kept: {line}");
        assert!(wrong(&["tset"]).contains("'test'"));
    }

    #[test]
    fn help_is_shown_with_and_without_asking() {
        for args in [&[][..], &["--help"], &["help"], &["test", "--help"]] {
            let Parsed::Show(text) = parsed(args) else {
                panic!("{args:?} shows no help");
            };
            assert!(text.contains("Usage: cargo xtask"), "{text}");
        }
    }

    #[test]
    fn the_tour_gets_its_arguments_untouched() {
        let Parsed::Run(Command::Tour(tour)) =
            parsed(&["tour", "--input", "a.log", "b.log", "--help", "-"])
        else {
            panic!("a tour");
        };
        assert_eq!(tour.args, ["--input", "a.log", "b.log", "--help", "-"]);
    }

    #[test]
    fn the_suite_gets_its_arguments_untouched() {
        let Parsed::Run(Command::Bench(bench)) =
            parsed(&["bench", "--quick", "--filter", "^a/", "--help"])
        else {
            panic!("a bench");
        };
        assert_eq!(bench.args, ["--quick", "--filter", "^a/", "--help"]);
    }
}

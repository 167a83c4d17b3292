//! `cargo xtask ci`: the lanes that decide whether a change may land.

use crate::{
    codegen,
    failure::Failure,
    lanes::{self, Lane, Report},
    licences, lint,
    loom::{self, LoomArgs},
    msrv, outside, targets,
    test::{self, TestArgs},
    tidy, verify,
    workspace::Workspace,
};

/// Without a lane: all of them, cheap ones first; a failing lane does not keep the others from
/// running. What a machine cannot check is named as skipped, with the reason, and again at the end.
#[derive(Debug, clap::Args)]
#[command(after_help = lanes::list(LANES))]
pub(crate) struct CiArgs {
    /// Which lanes to run
    #[arg(value_name = "LANE")]
    lanes: Vec<String>,
}

/// In the order they run.
const LANES: &[Lane] = &[
    Lane {
        name: "fmt",
        about: "rustfmt would change nothing",
        run: lint::fmt,
    },
    Lane {
        name: "tidy",
        about: "what compilers don't check: layering, orderings, comments, READMEs, links",
        run: |workspace| tidy::rules(workspace).map(Report::checked),
    },
    Lane {
        name: "clippy",
        about: "no warning in any target, with all features and with each alone",
        run: lint::clippy,
    },
    Lane {
        name: "doc",
        about: "the documentation builds without a warning",
        run: lint::doc,
    },
    Lane {
        name: "test",
        about: "tests and doctests, with and without debug assertions and default features",
        run: |workspace| {
            test::passes(workspace, &TestArgs::default())
                .map(|tally| Report::checked(tally.to_string()))
        },
    },
    Lane {
        name: "loom",
        about: "every interleaving of the concurrent protocols; no ordering can be weakened unseen",
        run: |workspace| loom::models(workspace, &LoomArgs::teeth()).map(Report::checked),
    },
    Lane {
        name: "codegen",
        about: "no write is lost in MIR; the machine code of hot paths has no lock prefix, no stray call",
        run: codegen::lane,
    },
    Lane {
        name: "asan",
        about: "the tests under AddressSanitizer and LeakSanitizer",
        run: verify::asan,
    },
    Lane {
        name: "licences",
        about: "dependencies: licences that are allowed, no crate that users build twice",
        run: licences::lane,
    },
    Lane {
        name: "outside",
        about: "packages outside the workspace: panic=abort, a cdylib, two copies, no loom",
        run: outside::lane,
    },
    Lane {
        name: "msrv",
        about: "the product crates build with the oldest supported Rust",
        run: msrv::lane,
    },
    Lane {
        name: "targets",
        about: "32-bit, ARM, wasm32, Windows, macOS and no_std targets type-check",
        run: targets::lane,
    },
];

/// The lanes' names, for the check of the workflow.
pub(crate) fn names() -> Vec<&'static str> {
    lanes::names(LANES)
}

/// Runs the lanes and closes with a table and a line of counts.
pub(crate) fn run(args: &CiArgs) -> Result<(), Failure> {
    let lanes = lanes::chosen(LANES, &args.lanes)?;
    let workspace = Workspace::load()?;
    lanes::run("ci", &workspace, &lanes)
}

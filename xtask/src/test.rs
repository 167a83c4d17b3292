//! `cargo xtask test`: the tests that run on this machine with stable Rust alone.

use std::time::Instant;

use xshell::cmd;

use crate::{
    failure::Failure,
    job::Job,
    tally::Tally,
    workspace::{BENCHES, EVERYTHING_ELSE, Package, Workspace},
};

/// Three passes: every crate with all features, debug assertions and doctests; the same, optimised
/// and without debug assertions, as users build it; each product crate without default features.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct TestArgs {
    /// Only the first pass
    #[arg(long)]
    quick: bool,
    /// Only this package (`thrifty-sync`, or `sync` for short)
    #[arg(short, long, value_name = "PKG")]
    package: Option<String>,
}

/// Runs the passes and closes with one line.
pub(crate) fn run(args: &TestArgs) -> Result<(), Failure> {
    let workspace = Workspace::load()?;
    let started = Instant::now();
    let tally = passes(&workspace, args)?;
    println!(
        "test: {tally} in {} test binaries, {:.0} s",
        tally.binaries,
        started.elapsed().as_secs_f64()
    );
    Ok(())
}

/// The passes; a failing one stops the rest.
pub(crate) fn passes(workspace: &Workspace, args: &TestArgs) -> Result<Tally, Failure> {
    let sh = &workspace.sh;
    let package = args
        .package
        .as_deref()
        .map(|name| workspace.package(name))
        .transpose()?;
    let mut tally = Tally::default();
    for which in selections(package) {
        counted(
            Job::new(cmd!(sh, "cargo test {which...} --no-fail-fast")),
            &mut tally,
        )?;
    }
    if args.quick {
        return Ok(tally);
    }
    if package.is_none_or(|package| package.name != "xtask") {
        // xtask itself is never shipped: its tests have run once, and optimising it takes long.
        for mut which in selections(package) {
            if which.iter().any(|arg| arg == "--workspace") {
                which.extend(["--exclude", "xtask"].map(String::from));
            }
            counted(
                Job::new(cmd!(
                    sh,
                    "cargo test {which...} --no-fail-fast --profile test-release"
                )),
                &mut tally,
            )?;
        }
    }
    for product in workspace.products().filter(|product| {
        package.is_none_or(|package| package.name == product.name) && has_default(product)
    }) {
        let name = &product.name;
        counted(
            Job::new(cmd!(
                sh,
                "cargo test -p {name} --no-default-features --no-fail-fast"
            )),
            &mut tally,
        )?;
    }
    Ok(tally)
}

/// Which packages with which features, as arguments for cargo: one run each.
fn selections(package: Option<&Package>) -> Vec<Vec<String>> {
    let selections: Vec<Vec<&str>> = match package {
        None => vec![EVERYTHING_ELSE.to_vec(), BENCHES.to_vec()],
        Some(package) if package.name == BENCHES[1] => vec![BENCHES.to_vec()],
        Some(package) => vec![vec!["-p", &package.name, "--all-features"]],
    };
    let owned = |args: Vec<&str>| args.into_iter().map(String::from).collect();
    selections.into_iter().map(owned).collect()
}

/// Whether leaving the default features out changes anything.
fn has_default(package: &Package) -> bool {
    package.has_feature("default")
}

/// Runs one pass; one that ran no test has failed.
fn counted(job: Job, total: &mut Tally) -> Result<(), Failure> {
    let shown = job.shown().to_owned();
    let mut tally = Tally::default();
    job.tee(&mut |line| tally.line(line))?;
    if tally.passed == 0 {
        return Err(Failure::failed(format!("no test ran in: {shown}")));
    }
    println!("  {tally}");
    total.passed += tally.passed;
    total.failed += tally.failed;
    total.ignored += tally.ignored;
    total.binaries += tally.binaries;
    Ok(())
}

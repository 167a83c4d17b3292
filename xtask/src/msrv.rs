//! The lane that builds the product crates with the oldest Rust that they promise to support.

use xshell::cmd;

use crate::{
    debian::{self, Want},
    failure::Failure,
    job::Job,
    lanes::Report,
    workspace::Workspace,
};

/// Type-checks every product crate, without its tests: their dependencies may be younger.
pub(crate) fn lane(workspace: &Workspace) -> Result<Report, Failure> {
    let msrv = one_msrv(workspace)?;
    let toolchain = match debian::toolchain(workspace, Want::Version(&msrv)) {
        Ok(toolchain) => toolchain,
        Err(why) => {
            return Ok(Report::skipped(format!(
                "that the crates build with Rust {msrv}: {why}"
            )));
        }
    };
    let sh = &workspace.sh;
    let names: Vec<_> = workspace.products().map(|product| &product.name).collect();
    let which: Vec<_> = names.iter().flat_map(|name| ["-p", name]).collect();
    for features in [&[][..], &["--all-features"], &["--no-default-features"]] {
        let which = &which;
        Job::new(cmd!(sh, "cargo check --lib {which...} {features...}"))
            .env("RUSTC", &toolchain.rustc)
            .env(
                "CARGO_TARGET_DIR",
                workspace.relative(&workspace.target.join("msrv")),
            )
            .run()?;
    }
    Ok(Report::checked(format!(
        "{} crates with Rust {}",
        names.len(),
        toolchain.version
    )))
}

/// The version that all product crates state.
fn one_msrv(workspace: &Workspace) -> Result<String, Failure> {
    let mut stated: Vec<_> = workspace
        .products()
        .map(|product| product.msrv.clone())
        .collect();
    stated.sort();
    stated.dedup();
    match stated.as_slice() {
        [one] if !one.is_empty() => Ok(one.clone()),
        _ => Err(Failure::failed(format!(
            "the crates state several versions of Rust, or none: {stated:?}"
        ))),
    }
}

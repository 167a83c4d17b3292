//! The half of the lane that reads MIR: has the compiler lost a write, or could it in a user's crate?
//!
//! The libraries are built as a user's release build has them, but that LLVM's passes, which MIR is
//! not touched by, are left out. Macros are not: whoever uses them compiles them without optimisation.

use std::{fs, path::Path};

use xshell::cmd;

use crate::{
    artifacts,
    failure::Failure,
    job::Job,
    lanes::Report,
    mir::{self, Finding, Scan},
    outside,
    workspace::{Package, Workspace},
};

/// What cargo adds to each compilation.
const FLAGS: &str = "--emit=mir -Cno-prepopulate-passes -Cdebuginfo=0";

/// The fixture, its program, and what there is to be found in it.
const PLANTED: &str = "lost-store";
const PLANTED_LOSS: &str = "planted_loss";
const PLANTED_RETURN: &str = "is_refused";

/// Builds and judges every library that users have.
pub(crate) fn check(workspace: &Workspace) -> Result<Report, Failure> {
    let mut report = Report::default();
    planted(workspace, &mut report)?;
    let libraries: Vec<_> = workspace.products().filter(|p| is_library(p)).collect();
    let messages = build(workspace, &libraries)?;
    let mut bodies = 0;
    let mut faults = Vec::new();
    for library in &libraries {
        let metadata = artifacts::metadata(&messages, &library.name.replace('-', "_"));
        let path = metadata.as_deref().and_then(artifacts::mir_beside);
        let path = path.ok_or_else(|| {
            Failure::failed(format!("cargo did not say where {} is", library.name))
        })?;
        let scan = read(&path)?;
        if scan.bodies == 0 {
            let path = path.display();
            return Err(Failure::failed(format!("no function was read in {path}")));
        }
        bodies += scan.bodies;
        faults.extend(complaints(&library.name, &path, &scan));
    }
    if !faults.is_empty() {
        for fault in &faults {
            println!("{fault}");
        }
        return Err(Failure::failed(format!(
            "{} reads in MIR that rust-lang/rust#158206 makes wrong (docs/UNSAFE.md): {}",
            faults.len(),
            faults[0]
        )));
    }
    report.checked = format!(
        "no write is lost in {bodies} functions of {} crates",
        libraries.len()
    );
    Ok(report)
}

fn is_library(package: &Package) -> bool {
    package.targets.iter().any(|target| target.kind == "lib")
}

/// Builds the libraries with all their features, and returns cargo's messages.
fn build(workspace: &Workspace, libraries: &[&Package]) -> Result<String, Failure> {
    let sh = &workspace.sh;
    let which = libraries.iter().flat_map(|library| ["-p", &library.name]);
    let job = Job::new(cmd!(
        sh,
        "cargo build --release --lib {which...} --all-features --message-format json-render-diagnostics"
    ))
    .env("RUSTFLAGS", FLAGS)
    .env("CARGO_TARGET_DIR", workspace.relative(&workspace.target.join("mir")));
    println!("$ {}", job.shown());
    job.stdout()
}

fn read(path: &Path) -> Result<Scan, Failure> {
    fs::read_to_string(path)
        .map(|text| mir::scan(&text))
        .map_err(|error| Failure::failed(format!("could not read {}: {error}", path.display())))
}

/// A line for each finding.
fn complaints(name: &str, path: &Path, scan: &Scan) -> Vec<String> {
    let line = |finding: &Finding, what: &str| {
        let Finding {
            function,
            local,
            line,
            statement,
        } = finding;
        let path = path.display();
        format!("{name}: {function}: _{local} {what}: `{statement}` ({path}:{line})")
    };
    let unwritten = scan
        .unwritten
        .iter()
        .map(|f| line(f, "is read and was never written"));
    let returned = scan.returned.iter().map(|f| {
        line(
            f,
            "is a comparison that is returned and read as well, and a caller may lose it",
        )
    });
    unwritten.chain(returned).collect()
}

/// Where this compiler loses a store that must not go, the loss is found in the MIR; and nowhere else.
fn planted(workspace: &Workspace, report: &mut Report) -> Result<(), Failure> {
    let dir = workspace.root.join("fixtures").join(PLANTED);
    outside::adopt_lock(workspace, &dir)?;
    let target = workspace.target.join("mir");
    let text = target.join("lost-store.mir");
    let emit = format!("--emit=mir={}", text.display());
    let sh = &workspace.sh;
    let messages = Job::new(cmd!(
        sh,
        "cargo rustc --release --message-format json-render-diagnostics -- {emit}"
    ))
    .env("CARGO_TARGET_DIR", &target)
    .env("RUSTFLAGS", "")
    .dir(&dir)
    .stdout()?;
    let program = artifacts::executables(&messages)
        .into_iter()
        .find(|executable| executable.target == PLANTED)
        .ok_or_else(|| Failure::failed(format!("cargo built no {PLANTED}")))?
        .path;
    let said = Job::new(cmd!(sh, "{program}")).text()?;
    let scan = read(&text)?;
    match verdict(said.trim(), &scan).map_err(Failure::failed)? {
        Compiler::Loses => println!("  this compiler loses the planted store, and the loss is seen"),
        Compiler::Keeps => report.skip(
            "a loss planted in MIR: this compiler keeps it (rust-lang/rust#158206 is mended), so that only a \
             stored text shows that the checker sees one",
        ),
    }
    Ok(())
}

/// What the compiler makes of the fixture.
#[derive(Debug, PartialEq, Eq)]
enum Compiler {
    Loses,
    Keeps,
}

/// Compares what the fixture says when it runs with what is found in its MIR.
fn verdict(said: &str, scan: &Scan) -> Result<Compiler, String> {
    let is_in = |findings: &[Finding], name: &str| {
        let mut functions = findings.iter().map(|finding| &finding.function);
        functions.any(|function| function.ends_with(name))
    };
    if !is_in(&scan.returned, PLANTED_RETURN) {
        return Err(format!(
            "the checker does not see that {PLANTED_RETURN} returns a comparison which it reads"
        ));
    }
    match (said, is_in(&scan.unwritten, PLANTED_LOSS)) {
        ("lost", true) => Ok(Compiler::Loses),
        ("kept", false) => Ok(Compiler::Keeps),
        ("lost", false) => Err(format!(
            "{PLANTED} loses a store, and the checker does not see it"
        )),
        ("kept", true) => Err(format!(
            "{PLANTED} loses nothing, and the checker sees a loss"
        )),
        _ => Err(format!(
            "{PLANTED} says neither 'lost' nor 'kept': {said:?}"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(function: &str) -> Vec<Finding> {
        vec![Finding {
            function: function.into(),
            local: 3,
            line: 7,
            statement: "_6 = copy _3;".into(),
        }]
    }

    fn scan(unwritten: &str, returned: &str) -> Scan {
        Scan {
            bodies: 1,
            unwritten: finding(unwritten),
            returned: finding(returned),
        }
    }

    #[test]
    fn the_fixture_has_to_say_what_its_mir_shows() {
        let lost = scan("planted_loss", "<impl at a.rs:1:1: 1:2>::is_refused");
        assert_eq!(verdict("lost", &lost), Ok(Compiler::Loses));
        assert!(verdict("kept", &lost).is_err());
        assert!(verdict("", &lost).is_err());
        let kept = scan("another", "is_refused");
        assert_eq!(verdict("kept", &kept), Ok(Compiler::Keeps));
        assert!(verdict("lost", &kept).is_err());
        assert!(verdict("lost", &scan("planted_loss", "another")).is_err());
    }

    #[test]
    fn a_complaint_says_where() {
        let lines = complaints("thrifty-a", Path::new("a.mir"), &scan("f", "g"));
        assert_eq!(lines.len(), 2);
        assert!(lines[0].starts_with("thrifty-a: f: _3 is read and was never written"));
        assert!(lines[0].ends_with("`_6 = copy _3;` (a.mir:7)"), "{lines:?}");
        assert!(lines[1].starts_with("thrifty-a: g: _3 is a comparison"));
    }
}

//! `cargo xtask loom`: builds the models against loom and runs every one, then shows that the
//! door between our crates and loom still catches a mistake.

use std::{env, path::Path};

use xshell::cmd;

use crate::{
    artifacts::{self, Executable},
    failure::Failure,
    job::Job,
    tally::Tally,
    teeth,
    workspace::{Package, Workspace},
};

/// A model is a test in `tests/models.rs` (or `tests/door.rs`, `tests/*_models.rs`) or in a module
/// `models` of the library. Each runs every interleaving that loom finds, up to the model's own
/// preemption bound. The build goes to `target/loom`.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct LoomArgs {
    /// Only this package's models (`thrifty-sync`, or `sync` for short)
    #[arg(short, long, value_name = "PKG")]
    package: Option<String>,
    /// Only models whose name contains this
    #[arg(long, value_name = "NAME")]
    model: Option<String>,
}

/// Runs what was asked for and closes with one line.
pub(crate) fn run(args: &LoomArgs) -> Result<(), Failure> {
    let workspace = Workspace::load()?;
    println!("loom: {}", models(&workspace, args)?);
    Ok(())
}

/// Runs the models and the door check; says how many.
pub(crate) fn models(workspace: &Workspace, args: &LoomArgs) -> Result<String, Failure> {
    no_caps(&|key| env::var(key).ok())?;
    let packages = with_models(workspace, args.package.as_deref())?;
    let mut tally = Tally::default();
    let mut door = None;
    for package in packages {
        for executable in build(workspace, package)? {
            let ran = run_models(workspace, &executable, args.model.as_deref())?;
            tally.passed += ran.passed;
            if package.short() == "sync" && executable.target == "door" {
                door = Some(executable);
            }
        }
    }
    if tally.passed == 0 {
        return Err(match &args.model {
            Some(name) => Failure::usage(format!("no model's name contains '{name}'")),
            None => Failure::failed("no model ran"),
        });
    }
    let models = tally.passed;
    match door {
        Some(door) if args.model.is_none() => {
            let killed = teeth::door(workspace, &door)?;
            Ok(format!(
                "{models} models passed, and the door's model failed for each of {killed} weakened orderings"
            ))
        }
        None if args.package.is_none() => Err(Failure::failed(
            "thrifty-sync has no tests/door.rs, so nothing shows that loom sees our atomics",
        )),
        _ => Ok(format!(
            "{models} models passed (the door was not asked for)"
        )),
    }
}

/// Loom ends a capped exploration as passed, so a cap is refused rather than honoured.
fn no_caps(variable: &dyn Fn(&str) -> Option<String>) -> Result<(), Failure> {
    for key in ["LOOM_MAX_DURATION", "LOOM_MAX_PERMUTATIONS", teeth::WEAKEN] {
        if variable(key).is_some() {
            return Err(Failure::usage(format!(
                "{key} is set: a run under it proves nothing; unset it"
            )));
        }
    }
    Ok(())
}

/// The packages that have models, or the one asked for.
fn with_models<'a>(
    workspace: &'a Workspace,
    name: Option<&str>,
) -> Result<Vec<&'a Package>, Failure> {
    let has_models = |package: &&Package| package.has_feature("loom");
    let Some(name) = name else {
        return Ok(workspace.packages.iter().filter(has_models).collect());
    };
    let package = workspace.package(name)?;
    if has_models(&package) {
        Ok(vec![package])
    } else {
        let names: Vec<_> = workspace
            .packages
            .iter()
            .filter(has_models)
            .map(Package::short)
            .collect();
        Err(Failure::usage(format!(
            "{} has no feature 'loom', so no models; these have: {}",
            package.name,
            names.join(", ")
        )))
    }
}

/// Builds a package's model tests. Running is separate, so that a build error can never be taken
/// for a model that failed as it should.
fn build(workspace: &Workspace, package: &Package) -> Result<Vec<Executable>, Failure> {
    let sh = &workspace.sh;
    let name = &package.name;
    let which = model_targets(package);
    if which.is_empty() {
        return Err(Failure::failed(format!(
            "{name} has the feature 'loom' but neither tests/models.rs nor a module 'models'"
        )));
    }
    let target = workspace.target.join("loom");
    let job = Job::new(cmd!(
        sh,
        "cargo test -p {name} --profile loom --features loom {which...} --no-run --message-format json-render-diagnostics"
    ))
    .env("CARGO_TARGET_DIR", workspace.relative(&target))
    .env("RUSTFLAGS", "--cfg thrifty_loom -D warnings");
    println!("$ {}", job.shown());
    Ok(artifacts::executables(&job.stdout()?))
}

/// The cargo arguments that pick a package's model tests.
fn model_targets(package: &Package) -> Vec<String> {
    let mut which: Vec<String> = package
        .targets
        .iter()
        .filter(|target| target.kind == "test" && is_model_file(&target.name))
        .flat_map(|target| ["--test".to_owned(), target.name.clone()])
        .collect();
    if has_models_module(&package.dir.join("src")) {
        which.push("--lib".into());
    }
    which
}

fn is_model_file(name: &str) -> bool {
    name == "door" || name == "models" || name.ends_with("_models")
}

/// Whether a file under `dir` is called `models.rs` or lies in a folder `models`.
fn has_models_module(dir: &Path) -> bool {
    let Ok(entries) = std::fs::read_dir(dir) else {
        return false;
    };
    entries.filter_map(Result::ok).any(|entry| {
        let name = entry.file_name();
        name == "models.rs" || name == "models" || has_models_module(&entry.path())
    })
}

/// Runs one test binary's models.
fn run_models(
    workspace: &Workspace,
    executable: &Executable,
    model: Option<&str>,
) -> Result<Tally, Failure> {
    let sh = &workspace.sh;
    let path = &executable.path;
    // A library's other unit tests are not models: loom's types don't work outside of one.
    let filter = match model {
        None if !is_model_file(&executable.target) => Some("models::"),
        filter => filter,
    };
    let mut tally = Tally::default();
    Job::new(cmd!(sh, "{path} {filter...} --nocapture"))
        .dir(&executable.dir)
        .tee(&mut |line| tally.line(line))?;
    Ok(tally)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Target;

    #[test]
    fn a_cap_is_refused() {
        assert_eq!(no_caps(&|_| None), Ok(()));
        for key in [
            "LOOM_MAX_DURATION",
            "LOOM_MAX_PERMUTATIONS",
            "THRIFTY_WEAKEN",
        ] {
            let failure = no_caps(&|asked| (asked == key).then(|| "1".into())).unwrap_err();
            assert!(failure.to_string().contains(key));
            assert_eq!(failure.code(), 2);
        }
    }

    #[test]
    fn model_files_are_told_from_other_tests() {
        let test = |name: &str| Target {
            name: name.into(),
            kind: "test".into(),
        };
        let package = Package {
            name: "thrifty-x".into(),
            version: String::new(),
            msrv: String::new(),
            dir: "/nowhere".into(),
            features: vec!["loom".into()],
            targets: vec![test("models"), test("behaviour"), test("slot_models")],
            dependencies: Vec::new(),
            published: true,
        };
        assert_eq!(
            model_targets(&package),
            ["--test", "models", "--test", "slot_models"]
        );
    }
}

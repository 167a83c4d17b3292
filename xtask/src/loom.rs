//! `cargo xtask loom`: builds the models against loom and runs every one, then weakens orderings
//! and requires the models to notice: the door's own always, all of them with `--teeth`.

use std::{collections::BTreeMap, env, path::Path};

use xshell::cmd;

use crate::{
    artifacts::{self, Executable},
    failure::Failure,
    job::Job,
    tally::Tally,
    teeth::{self, Model},
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
    /// Also weaken every tagged ordering in turn: some model must fail each time
    #[arg(long, conflicts_with_all = ["package", "model"])]
    teeth: bool,
    /// With `--teeth`: only the tags whose name contains this
    #[arg(long, value_name = "TAG", requires = "teeth")]
    tag: Option<String>,
}

impl LoomArgs {
    /// All models and all tags.
    pub(crate) fn teeth() -> Self {
        Self {
            teeth: true,
            ..Self::default()
        }
    }
}

/// The tags of the door's own models.
const DOOR: &str = "door.";

/// Runs what was asked for and closes with one line.
pub(crate) fn run(args: &LoomArgs) -> Result<(), Failure> {
    let workspace = Workspace::load()?;
    println!("loom: {}", models(&workspace, args)?);
    Ok(())
}

/// Runs the models, then some or all of them again with weakened orderings; says how many.
pub(crate) fn models(workspace: &Workspace, args: &LoomArgs) -> Result<String, Failure> {
    let target = workspace.relative(&workspace.target).join("loom");
    let models = explore(workspace, args, &[], &|job| {
        job.env("CARGO_TARGET_DIR", &target)
            .env("RUSTFLAGS", "--cfg thrifty_loom -D warnings")
    })?;
    let passed = format!("{} models passed", models.len());
    if args.model.is_some() || args.package.is_some() {
        return Ok(format!("{passed} (nothing was weakened)"));
    }
    let filter = match args.teeth {
        true => args.tag.as_deref(),
        // The least that must be seen in any run: that loom sees our atomics at all.
        false => Some(DOOR),
    };
    let teeth = teeth::run(workspace, &models, filter)?;
    Ok(format!("{passed}; {teeth}"))
}

/// Builds the models with cargo's `flags` and the variables that `env` sets, which switch loom on;
/// runs them, and hands them back.
pub(crate) fn explore(
    workspace: &Workspace,
    args: &LoomArgs,
    flags: &[&str],
    env: &dyn Fn(Job) -> Job,
) -> Result<Vec<Model>, Failure> {
    no_caps(&|key| env::var(key).ok())?;
    let mut models = Vec::new();
    for package in with_models(workspace, args.package.as_deref())? {
        for executable in build(workspace, package, flags, env)? {
            let model = args.model.as_deref();
            models.extend(run_models(
                workspace,
                package.short(),
                &executable,
                model,
                env,
            )?);
        }
    }
    match (&args.model, models.is_empty()) {
        (_, false) => Ok(models),
        (Some(name), true) => Err(Failure::usage(format!("no model's name contains '{name}'"))),
        (None, true) => Err(Failure::failed("no model ran")),
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
fn build(
    workspace: &Workspace,
    package: &Package,
    flags: &[&str],
    env: &dyn Fn(Job) -> Job,
) -> Result<Vec<Executable>, Failure> {
    let sh = &workspace.sh;
    let name = &package.name;
    let which = model_targets(package);
    if which.is_empty() {
        return Err(Failure::failed(format!(
            "{name} has the feature 'loom' but neither tests/models.rs nor a module 'models'"
        )));
    }
    let job = env(Job::new(cmd!(
        sh,
        "cargo test -p {name} --profile loom --features loom {flags...} {which...} --no-run --message-format json-render-diagnostics"
    )));
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

/// Runs one test binary's models and hands back those that passed.
fn run_models(
    workspace: &Workspace,
    package: &str,
    executable: &Executable,
    model: Option<&str>,
    env: &dyn Fn(Job) -> Job,
) -> Result<Vec<Model>, Failure> {
    let sh = &workspace.sh;
    let path = &executable.path;
    // A library's other unit tests are not models: loom's types don't work outside of one.
    let filter = match model {
        None if !is_model_file(&executable.target) => Some("models::"),
        filter => filter,
    };
    let list = env(Job::new(cmd!(
        sh,
        "{path} {filter...} --list --format terse"
    )))
    .dir(&executable.dir)
    .text()?;
    let mut tally = Tally::default();
    let mut times = BTreeMap::new();
    env(Job::new(cmd!(sh, "{path} {filter...} --nocapture")))
        .dir(&executable.dir)
        .tee(&mut |line| {
            tally.line(line);
            times.extend(time(line));
        })?;
    let models: Vec<_> = tests(&list)
        .map(|test| Model {
            package: package.to_owned(),
            executable: executable.clone(),
            test: test.to_owned(),
            seconds: times
                .get(test.rsplit("::").next().unwrap_or(test))
                .copied()
                .unwrap_or_default(),
        })
        .collect();
    if usize::try_from(tally.passed) == Ok(models.len()) {
        Ok(models)
    } else {
        Err(Failure::failed(format!(
            "{} lists {} models, and {tally}: a model that is not run proves nothing",
            path.display(),
            models.len()
        )))
    }
}

/// The names in libtest's terse list, `models::a_is_seen: test`.
fn tests(list: &str) -> impl Iterator<Item = &str> {
    list.lines().filter_map(|line| line.strip_suffix(": test"))
}

/// The name and the time in `model a_is_seen: 190 executions, 0.05 s`.
fn time(line: &str) -> Option<(String, f64)> {
    let (name, rest) = line.strip_prefix("model ")?.split_once(": ")?;
    let (_, seconds) = rest.strip_suffix(" s")?.rsplit_once(", ")?;
    Some((name.to_owned(), seconds.parse().ok()?))
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
    fn what_a_test_binary_says_of_models_is_understood() {
        let list = "models::a_is_seen: test\nmodels::b: test\nbench: benchmark\n";
        assert!(tests(list).eq(["models::a_is_seen", "models::b"]));
        assert_eq!(
            time("model a_is_seen: 190 executions, 0.05 s"),
            Some(("a_is_seen".into(), 0.05))
        );
        assert_eq!(time("test models::a_is_seen ... ok"), None);
        assert_eq!(time("model a_is_seen: failed in execution 3"), None);
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

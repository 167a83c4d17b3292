//! `cargo xtask bench`: builds the suite with the rivals that this machine can build and the shared
//! library that it opens, and becomes it.

use std::{
    env,
    env::consts::{DLL_PREFIX, DLL_SUFFIX},
    ffi::{OsStr, OsString},
    fs,
    path::Path,
    process::{Command, Stdio},
};

use xshell::cmd;

use crate::{failure::Failure, job::Job, program, workspace::Workspace};

/// The arguments go to the suite as they are, `--help` too: the suite knows them, and says what is
/// wrong with them.
#[derive(Debug, clap::Args)]
#[command(disable_help_flag = true)]
pub(crate) struct BenchArgs {
    /// What to hand on: `--quick`, `--filter RE`, `--input FILE…`, `--json`, `--profile cpu|instructions|heap`; `--help` tells all
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub(crate) args: Vec<OsString>,
}

/// Builds, then runs in the caller's directory; records go below cargo's target directory.
pub(crate) fn run(args: &BenchArgs) -> Result<(), Failure> {
    let workspace = Workspace::load()?;
    let compilers = [C, CXX].map(|language| {
        let set = env::var_os(language.variable);
        (language, language.compiler(set.as_deref(), answers))
    });
    let without_c = skipped(&compilers).or_else(without_make);
    let features = match without_c {
        None => "rivals,rivals-c",
        Some(_) => "rivals",
    };
    let with_c = without_c.is_none();
    let skipped: Vec<String> = without_c.into_iter().chain(library(&workspace)).collect();
    for what in &skipped {
        eprintln!("SKIPPED: {what}");
    }
    // Build scripts try the usual name only, so another one that was found has to be named.
    let _environment: Vec<_> = compilers
        .into_iter()
        .filter_map(|(language, found)| match found {
            Some(Found::Unusual(name)) => Some(workspace.sh.push_env(language.variable, name)),
            _ => None,
        })
        .collect();
    programs(&workspace, with_c)?;
    // Both programs of the suite: the one that times starts the one that counts, and those whose heap is
    // counted or not.
    let selection = [
        "--bin",
        "suite",
        "--bin",
        "suite-counted",
        "--bin",
        "program-std",
        "--bin",
        "program-counting",
        // What counts there is to count and nothing else: no sampler.
        "--no-default-features",
        "--features",
        features,
    ];
    let mut command = Command::new(program::build(&workspace, "suite", &selection)?);
    // Before the caller's own arguments, of which a second `--out` counts.
    command.arg("--out").arg(workspace.target.join("thrifty"));
    // The suite says it again when it ends: this process is none by then.
    command.args(skipped.iter().map(|what| format!("--skipped={what}")));
    command.args(&args.args);
    program::become_it(command)
}

/// Programs whose allocator samples, which stand beside the suite, and the feature that each needs.
const PROGRAMS: &[(&str, &str)] = &[
    ("program-sampling", "profiled"),
    ("program-dhat", "profilers"),
    ("program-pprof-alloc", "profilers"),
    ("program-stats-alloc", "profilers"),
    ("program-jemalloc", "profilers-c"),
    ("program-mimalloc", "profilers-c"),
];

/// Builds the programs that need other features than the suite has.
fn programs(workspace: &Workspace, with_c: bool) -> Result<(), Failure> {
    let mut selection = vec!["--features", "profiled"];
    for (program, feature) in PROGRAMS {
        // One of an earlier build would be measured in place of one that is not built.
        let file = format!("release/{program}{}", env::consts::EXE_SUFFIX);
        let _ = fs::remove_file(workspace.target.join(file));
        if with_c || *feature != "profilers-c" {
            selection.extend(["--bin", program, "--features", feature]);
        }
    }
    program::build(workspace, PROGRAMS[0].0, &selection).map(drop)
}

/// Builds the shared library that stands beside the suite; gives what is skipped where that fails.
fn library(workspace: &Workspace) -> Option<String> {
    let sh = &workspace.sh;
    let name = format!("{DLL_PREFIX}thrifty_benches_cdylib{DLL_SUFFIX}");
    let file = workspace.target.join("release").join(name);
    // One of an earlier build would be measured in place of one that cannot be built, or was not.
    let _ = fs::remove_file(&file);
    let build = cmd!(
        sh,
        "cargo build --quiet --release -p thrifty-benches-cdylib"
    );
    let built = Job::new(build).run();
    let why = match built {
        Ok(()) if file.exists() => return None,
        Ok(()) => format!("cargo made no {}", file.display()),
        Err(failure) => failure.to_string(),
    };
    Some(format!(
        "the pool in a shared library (thrifty-cdylib): {why}"
    ))
}

/// What the run has to do without, and why.
fn skipped(compilers: &[(Language, Option<Found>)]) -> Option<String> {
    let missing = compilers.iter().filter(|(_, found)| found.is_none());
    let missing: Vec<_> = missing
        .map(|(language, _)| {
            let (name, variable) = (language.name, language.variable);
            let usual = language.usual.join("', '");
            format!("no {name} compiler (what {variable} names, else '{usual}')")
        })
        .collect();
    let why = missing.join(" and ");
    (!why.is_empty()).then(|| format!("rivals written in C or C++, because there is {why}"))
}

/// The same where the compilers are there and `make` is not, which jemalloc is built with.
fn without_make() -> Option<String> {
    let is_there = cfg!(target_env = "msvc") || answers(&[OsStr::new("make")]);
    (!is_there).then(|| {
        "rivals written in C or C++, because there is no 'make', which jemalloc needs".to_owned()
    })
}

/// A language that build scripts compile.
#[derive(Clone, Copy)]
struct Language {
    name: &'static str,
    /// The variable that names its compiler.
    variable: &'static str,
    /// Its compilers' names; the first is what build scripts take if the variable is not set.
    usual: &'static [&'static str],
}

const C: Language = Language {
    name: "C",
    variable: "CC",
    usual: &["cc", "gcc", "clang"],
};

const CXX: Language = Language {
    name: "C++",
    variable: "CXX",
    usual: &["c++", "g++", "clang++"],
};

/// A compiler that works.
#[derive(Debug, PartialEq, Eq)]
enum Found {
    /// Build scripts find it, too.
    Usual,
    /// It must be named to them.
    Unusual(&'static str),
}

impl Language {
    /// The compiler, if there is one: the one that is `set`, and no other, or the first of the usual
    /// ones that `answers`. Visual C++ is found by other ways than a name, and is there wherever Rust
    /// links with it.
    fn compiler(self, set: Option<&OsStr>, answers: impl Fn(&[&OsStr]) -> bool) -> Option<Found> {
        if cfg!(target_env = "msvc") {
            return Some(Found::Usual);
        }
        if let Some(set) = set.filter(|set| !set.is_empty()) {
            return answers(&words(set)).then_some(Found::Usual);
        }
        let mut usual = self.usual.iter();
        let found = usual.find(|name| answers(&[OsStr::new(name)]))?;
        Some(if *found == self.usual[0] {
            Found::Usual
        } else {
            Found::Unusual(found)
        })
    }
}

/// A program and its first arguments, as in `ccache gcc`, read as build scripts do: a path with
/// spaces that is a file is a program.
fn words(set: &OsStr) -> Vec<&OsStr> {
    match set.to_str() {
        Some(text) if !Path::new(set).is_file() => {
            text.split_whitespace().map(OsStr::new).collect()
        }
        _ => vec![set],
    }
}

/// Whether a compiler tells its version.
fn answers(words: &[&OsStr]) -> bool {
    let Some((program, rest)) = words.split_first() else {
        return false;
    };
    let mut command = Command::new(program);
    command.args(rest).arg("--version");
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

#[cfg(all(test, not(target_env = "msvc")))]
mod tests {
    use super::*;

    /// What is found on a machine that has these programs.
    fn found(language: Language, set: Option<&str>, has: &[&str]) -> Option<Found> {
        language.compiler(set.map(OsStr::new), |words| {
            words
                .iter()
                .all(|word| has.iter().any(|has| OsStr::new(has) == *word))
        })
    }

    #[test]
    fn a_compiler_behind_a_wrapper_is_two_words() {
        let has = ["ccache", "gcc", "cc"];
        assert_eq!(found(C, Some("ccache gcc"), &has), Some(Found::Usual));
        assert_eq!(found(C, Some(" ccache  gcc "), &has), Some(Found::Usual));
        assert_eq!(
            found(C, Some("ccache icc"), &has),
            None,
            "'cc' is not asked"
        );
        assert_eq!(found(C, Some(""), &has), Some(Found::Usual), "as if unset");
        assert!(!answers(&words(OsStr::new("  "))), "no program");
    }

    #[test]
    fn a_path_with_spaces_is_one_word() {
        let dir = env::temp_dir().join(format!("thrifty bench {}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        let file = dir.join("my cc");
        assert!(words(file.as_os_str()).len() > 1, "no file yet");
        fs::write(&file, "").unwrap();
        assert_eq!(words(file.as_os_str()), [file.as_os_str()]);
        fs::remove_dir_all(&dir).unwrap();
    }

    #[test]
    fn usual_names_are_tried_and_other_ones_than_the_first_told() {
        assert_eq!(found(CXX, None, &["g++", "c++"]), Some(Found::Usual));
        let clang = Some(Found::Unusual("clang++"));
        assert_eq!(found(CXX, None, &["clang++", "cc"]), clang);
        assert_eq!(found(CXX, None, &["cc", "gcc"]), None, "those are for C");
    }

    #[test]
    fn what_is_missing_is_told() {
        let (c, cxx) = (Some(Found::Usual), Some(Found::Unusual("g++")));
        assert_eq!(skipped(&[(C, c), (CXX, cxx)]), None);
        let text = skipped(&[(C, Some(Found::Usual)), (CXX, None)]).unwrap();
        assert!(text.ends_with("no C++ compiler (what CXX names, else 'c++', 'g++', 'clang++')"));
        let text = skipped(&[(C, None), (CXX, None)]).unwrap();
        assert!(text.contains("no C compiler") && text.contains("and no C++ compiler"));
    }
}

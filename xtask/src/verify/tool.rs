//! The tools: how each is switched on, where its parts come from, and what it must catch.

use std::{ffi::OsString, path::Path};

use xshell::cmd;

use crate::{
    debian::{self, Want},
    failure::Failure,
    job::Job,
    workspace::Workspace,
};

/// The exit code of a program that a tool has stopped; every tool is told to use it.
pub(super) const EXIT: i32 = 66;

const TRIPLE: &str = "x86_64-unknown-linux-gnu";

/// Where std and the tool's runtime come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum From {
    /// The active toolchain's std as it was built; the runtime of this name is beside it.
    Toolchain(&'static str),
    /// std is built along from Debian's sources, because the tool must see all of the code.
    Source(&'static str),
    /// Nothing is instrumented; a program of this name watches.
    Program(&'static str),
}

/// A tool and its planted bugs.
#[derive(Debug)]
pub(super) struct Tool {
    pub(super) name: &'static str,
    /// What is not checked where the tool cannot be had.
    pub(super) sees: &'static str,
    from: From,
    rustflags: &'static str,
    env: &'static [(&'static str, &'static str)],
    /// The command in front of a program, if any.
    pub(super) runner: &'static str,
    /// Cargo's arguments for the planted bugs.
    pub(super) features: &'static [&'static str],
    /// The program without a bug.
    pub(super) clean: &'static str,
    /// Each bug, and what the tool says of it.
    pub(super) planted: &'static [(&'static str, &'static str)],
}

/// `detect_stack_use_after_return` moves locals off the stack, and memstats tells the frames of an
/// assertion apart by where their locals lie. `allocator_may_return_null`: a test asks for more
/// than there can be, and expects a failed allocation.
const ASAN_OPTIONS: (&str, &str) = (
    "ASAN_OPTIONS",
    "exitcode=66:detect_stack_use_after_return=0:allocator_may_return_null=1:detect_leaks=1",
);

pub(super) const ASAN: Tool = Tool {
    name: "asan",
    sees: "use after free, overflows and leaks",
    from: From::Toolchain("asan"),
    rustflags: "-Zsanitizer=address --cfg thrifty_asan",
    // `use_poisoned`: what an idle item of a pool owns is reached through the item, which is poisoned.
    env: &[ASAN_OPTIONS, ("LSAN_OPTIONS", "exitcode=66:use_poisoned=1")],
    runner: "",
    features: &[],
    clean: "none",
    planted: &[
        ("use-after-free", "AddressSanitizer: heap-use-after-free"),
        ("leak", "LeakSanitizer: detected memory leaks"),
    ],
};

pub(super) const LOOM_ASAN: Tool = Tool {
    name: "loom-asan",
    sees: "use after free inside the models",
    from: From::Toolchain("asan"),
    rustflags: "-Zsanitizer=address --cfg thrifty_asan --cfg thrifty_loom",
    // Loom runs its threads on stacks of its own, whose locals the tool would move off the stack,
    // never get back, and search ever longer. Loom keeps its objects until the end, and a model
    // that fails leaks them.
    env: &[(
        "ASAN_OPTIONS",
        "exitcode=66:detect_stack_use_after_return=0:detect_leaks=0",
    )],
    runner: "",
    features: &["--features", "loom"],
    clean: "modelled-none",
    planted: &[(
        "modelled-use-after-free",
        "AddressSanitizer: heap-use-after-free",
    )],
};

pub(super) const TSAN: Tool = Tool {
    name: "tsan",
    sees: "data races",
    from: From::Source("tsan"),
    rustflags: "-Zsanitizer=thread --cfg thrifty_tsan",
    env: &[(
        "TSAN_OPTIONS",
        "exitcode=66:halt_on_error=1:allocator_may_return_null=1",
    )],
    runner: "",
    features: &[],
    clean: "none",
    planted: &[("data-race", "ThreadSanitizer: data race")],
};

pub(super) const MSAN: Tool = Tool {
    name: "msan",
    sees: "reads of memory that was never written",
    from: From::Source("msan"),
    rustflags: "-Zsanitizer=memory -Zsanitizer-memory-track-origins --cfg thrifty_msan",
    env: &[("MSAN_OPTIONS", "exitcode=66:allocator_may_return_null=1")],
    runner: "",
    features: &[],
    clean: "none",
    planted: &[(
        "uninitialised-read",
        "MemorySanitizer: use-of-uninitialized-value",
    )],
};

const MEMCHECK: &str = "valgrind -q --error-exitcode=66 --leak-check=full --show-leak-kinds=definite --errors-for-leak-kinds=definite";

pub(super) const VALGRIND: Tool = Tool {
    name: "valgrind",
    sees: "invalid reads, uninitialised reads and leaks of the uninstrumented code",
    from: From::Program("valgrind"),
    rustflags: "",
    env: &[
        ("CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER", MEMCHECK),
        // Thirty times as slow as without the tool.
        ("PROPTEST_CASES", "32"),
    ],
    runner: MEMCHECK,
    features: &[],
    clean: "none",
    planted: &[
        ("use-after-free", "Invalid read of size 8"),
        ("leak", "definitely lost"),
        (
            "uninitialised-read",
            "Conditional jump or move depends on uninitialised value(s)",
        ),
    ],
};

/// A tool that can be used here.
#[derive(Debug)]
pub(super) struct Ready {
    pub(super) tool: &'static Tool,
    /// For cargo.
    pub(super) args: Vec<&'static str>,
    env: Vec<(&'static str, OsString)>,
}

impl Tool {
    /// Finds the tool's parts, or says which is missing.
    pub(super) fn ready(&'static self, workspace: &Workspace) -> Result<Ready, Failure> {
        if !cfg!(all(
            target_os = "linux",
            target_arch = "x86_64",
            target_env = "gnu"
        )) {
            return Err(Failure::failed("the lane knows Linux on x86-64 only"));
        }
        let mut ready = Ready {
            tool: self,
            args: Vec::new(),
            // Tests whose subject a tool changes, such as what is resident, look at this.
            env: vec![("THRIFTY_UNDER", self.name.into())],
        };
        ready
            .env
            .extend(self.env.iter().map(|(key, value)| (*key, value.into())));
        match self.from {
            From::Program(program) => {
                let sh = &workspace.sh;
                Job::new(cmd!(sh, "{program} --version")).text()?;
                return Ok(ready);
            }
            From::Toolchain(runtime) => {
                let libraries = libraries(workspace)?;
                if debian::runtime(Path::new(&libraries), runtime).is_none() {
                    return Err(Failure::failed(format!(
                        "the active toolchain brings no runtime of {runtime}"
                    )));
                }
            }
            From::Source(runtime) => {
                let toolchain = debian::toolchain(workspace, Want::NewestWithSource)?;
                toolchain.lend_runtime(workspace, Path::new(&libraries(workspace)?), runtime)?;
                ready.env.push(("RUSTC", toolchain.rustc.into()));
                ready.args.push("-Zbuild-std");
            }
        }
        ready.args.extend(["--target", TRIPLE]);
        let target = workspace.target.join(self.name);
        ready.env.extend([
            // The switches are unstable, not the compilers.
            ("RUSTC_BOOTSTRAP", "1".into()),
            ("RUSTFLAGS", self.rustflags.into()),
            ("CARGO_TARGET_DIR", target.into()),
            ("CARGO_PROFILE_DEV_DEBUG", "line-tables-only".into()),
        ]);
        Ok(ready)
    }
}

impl Ready {
    /// Gives a job the tool's environment.
    pub(super) fn env(&self, job: Job) -> Job {
        self.env
            .iter()
            .fold(job, |job, (key, value)| job.env(key, value))
    }
}

/// Where the active toolchain keeps its libraries.
fn libraries(workspace: &Workspace) -> Result<String, Failure> {
    let sh = &workspace.sh;
    let text = Job::new(cmd!(sh, "rustc --print target-libdir --target {TRIPLE}")).text()?;
    Ok(text.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tool_proves_itself_and_ends_with_the_one_code() {
        for tool in [&ASAN, &LOOM_ASAN, &TSAN, &MSAN, &VALGRIND] {
            assert!(!tool.planted.is_empty(), "{} plants nothing", tool.name);
            let code = format!("exitcode={EXIT}");
            assert!(
                tool.env.iter().any(|(_, value)| value.contains(&code)),
                "{} has an exit code of its own",
                tool.name
            );
        }
    }
    #[test]
    fn what_is_instrumented_knows_by_what() {
        for tool in [&ASAN, &LOOM_ASAN, &TSAN, &MSAN] {
            let sanitizer = match tool.from {
                From::Toolchain(runtime) | From::Source(runtime) => runtime,
                From::Program(program) => panic!("{program} instruments nothing"),
            };
            let cfg = format!("--cfg thrifty_{sanitizer}");
            assert!(tool.rustflags.contains(&cfg), "{}: no {cfg}", tool.name);
        }
    }
}

//! The lane that reads what the compiler made of the code: MIR for lost writes, machine code for hot paths.
//!
//! `fixtures/codegen-probe` holds one small function per hot path, and a few that are wrong on
//! purpose: the lane first requires that those are refused. [`unwritten`] does so with `fixtures/lost-store`.

mod unwritten;

use xshell::cmd;

use crate::{
    artifacts,
    disassembly::{self, Function, Limits, Program},
    failure::Failure,
    job::Job,
    lanes::Report,
    outside,
    workspace::Workspace,
};

/// Hot paths: the function in the probe and how many instructions it may have. The figures are
/// today's on rustc 1.95 plus a quarter, so that another compiler's taste is no failure and a
/// lost inlining is.
const HOT: &[(&str, usize)] = &[
    ("probe_alloc", 29),
    ("probe_alloc_zeroed", 29),
    ("probe_free", 29),
    ("probe_realloc", 52),
];

/// The same with the heap profile built in: a free and a reallocation ask whether the block is a sample.
const HOT_WITH_PROFILE: &[(&str, usize)] = &[
    ("probe_alloc", 29),
    ("probe_alloc_zeroed", 29),
    ("probe_free", 46),
    ("probe_realloc", 92),
];

/// Pairs of taking from a pool or an allocator of blocks and putting back, with the drop of the guard, and a scope
/// of an arena. They may have landing pads, since they run the user's code.
const POOL: &[(&str, usize)] = &[
    ("probe_arena_scope", 71),
    ("probe_buffer_freeze", 178),
    ("probe_buffer_pair", 154),
    ("probe_class_pair", 107),
    ("probe_fixed_block", 94),
    ("probe_fixed_raw", 85),
    ("probe_slab_pair", 100),
    ("probe_pool_pair", 111),
    ("probe_pool_static", 121),
    ("probe_pool_with", 109),
];

/// Allocations from an arena: also what they may call, and how many instructions lead to the store of
/// the cursor, where that is promised.
const ARENA: &[(&str, usize, &[&str], Option<usize>)] = &[
    ("probe_arena_word", 12, &[], Some(6)),
    ("probe_arena_text", 91, &["memcpy"], Some(14)),
    ("probe_arena_short", 60, &[], Some(14)),
];

/// What an interner does with a string that is there: no lock, and a call only for what is long.
const INTERNER: &[(&str, usize)] = &[
    ("probe_interner_get", 278),
    ("probe_interner_hit", 303),
    ("probe_interner_resolve", 48),
];

/// An allocation that gets to the store of the cursor too late.
const PLANTED_LATE: &str = "planted_arena_late";

/// What drops a guard of a pool, where it is a function of its own.
const DROP: &str = "drop_in_place$LT$thrifty_pool..pooled..Pooled";

/// Functions that must be refused, and by what.
const PLANTED: &[(&str, &str)] = &[
    ("planted_lock", "a locked instruction"),
    ("planted_swap", "a locked instruction"),
    ("planted_fence", "a locked instruction"),
    ("planted_call", "a call"),
    ("planted_length", "instructions;"),
    ("planted_pool_lock", "a locked instruction"),
    ("planted_pool_call", "a call"),
];

/// The allocator inside the wrapper: the one thing that a hot path has to call.
const INNER: &[&str] = &[
    "inner_alloc",
    "inner_alloc_zeroed",
    "inner_free",
    "inner_realloc",
];

/// Judges the MIR of the libraries, then the machine code of the probe.
pub(crate) fn lane(workspace: &Workspace) -> Result<Report, Failure> {
    let mut report = unwritten::check(workspace)?;
    let sh = &workspace.sh;
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        report.skip("machine code: the checks read x86-64 Linux only");
    } else if Job::new(cmd!(sh, "objdump --version")).output().is_err() {
        report.skip("machine code: there is no objdump (package binutils)");
    } else {
        let said = machine_code(workspace)?;
        report.checked.push_str("; instructions: ");
        report.checked.push_str(&said);
    }
    Ok(report)
}

/// Builds the probe, judges it, and says how long each function is.
fn machine_code(workspace: &Workspace) -> Result<String, Failure> {
    let probe = Disassembled::new(workspace, &[])?;
    let program = Program::new(&probe.text, &probe.relocations);
    planted(&program)?;
    let mut said = Vec::new();
    let hot = HOT.iter().map(|hot| (hot, false));
    let pool = POOL.iter().map(|hot| (hot, true));
    for (&(name, instructions), unwinds) in hot.chain(pool) {
        said.push(probe.judge(workspace, &program, name, instructions, unwinds)?);
    }
    arena(&program, &mut said)?;
    interner(&program, &mut said)?;
    said.push("with the heap profile".into());
    let probe = Disassembled::new(workspace, &["--features", "profile"])?;
    let program = Program::new(&probe.text, &probe.relocations);
    for &(name, instructions) in HOT_WITH_PROFILE {
        said.push(probe.judge(workspace, &program, name, instructions, false)?);
    }
    Ok(said.join(", "))
}

/// The probe as objdump shows it.
struct Disassembled {
    path: String,
    text: String,
    relocations: String,
}

impl Disassembled {
    /// Builds the probe, with more flags for cargo.
    fn new(workspace: &Workspace, flags: &[&str]) -> Result<Self, Failure> {
        let sh = &workspace.sh;
        let flags = [&["--release"], flags].concat();
        let messages = outside::build(workspace, "codegen-probe", &flags)?;
        let probe = artifacts::executables(&messages)
            .into_iter()
            .find(|executable| executable.target == "codegen-probe")
            .ok_or_else(|| Failure::failed("cargo built no codegen-probe"))?;
        let path = &probe.path;
        Ok(Self {
            text: Job::new(cmd!(sh, "objdump -d --no-show-raw-insn {path}")).text()?,
            relocations: Job::new(cmd!(sh, "objdump -R {path}")).text()?,
            path: path.display().to_string(),
        })
    }

    /// Judges one hot path, and says how long it is.
    fn judge(
        &self,
        workspace: &Workspace,
        program: &Program<'_>,
        name: &str,
        instructions: usize,
        unwinds: bool,
    ) -> Result<String, Failure> {
        let function = function(program, name)?;
        let limits = Limits {
            instructions,
            calls: INNER,
            unwinds,
        };
        let faults = disassembly::faults(&function, limits);
        if !faults.is_empty() {
            let (sh, path) = (&workspace.sh, &self.path);
            let listing = Job::new(cmd!(
                sh,
                "objdump -d --no-show-raw-insn --disassemble={name} {path}"
            ));
            println!("{}", listing.text()?);
            return Err(Failure::failed(format!("{name}: {}", faults.join("; "))));
        }
        Ok(format!("{name} {}", function.instructions.len()))
    }
}

/// Allocations from an arena.
fn arena(program: &Program<'_>, said: &mut Vec<String>) -> Result<(), Failure> {
    for &(name, instructions, calls, until_store) in ARENA {
        let function = function(program, name)?;
        let limits = Limits {
            instructions,
            calls,
            unwinds: false,
        };
        let mut faults = disassembly::faults(&function, limits);
        if let Some(most) = until_store {
            faults.extend(late(&function, most));
        }
        if !faults.is_empty() {
            return Err(Failure::failed(format!("{name}: {}", faults.join("; "))));
        }
        said.push(format!("{name} {}", function.instructions.len()));
    }
    if late(&function(program, PLANTED_LATE)?, 6).is_none() {
        return Err(Failure::failed(format!(
            "the checker sees no fault in {PLANTED_LATE}, which has one on purpose"
        )));
    }
    Ok(())
}

/// Finding a string, and what a symbol stands for.
fn interner(program: &Program<'_>, said: &mut Vec<String>) -> Result<(), Failure> {
    for &(name, instructions) in INTERNER {
        let function = function(program, name)?;
        let limits = Limits {
            instructions,
            calls: &["bcmp", "memcmp"],
            unwinds: false,
        };
        let faults = disassembly::faults(&function, limits);
        if !faults.is_empty() {
            return Err(Failure::failed(format!("{name}: {}", faults.join("; "))));
        }
        said.push(format!("{name} {}", function.instructions.len()));
    }
    Ok(())
}

/// What is wrong where the cursor is stored after more than `most` instructions, or never.
fn late(function: &Function, most: usize) -> Option<String> {
    match function.until_first_store() {
        Some(count) if count <= most => None,
        found => Some(format!(
            "{found:?} instructions to the store of the cursor; {most} were allowed"
        )),
    }
}

/// The checker refuses what is wrong on purpose.
fn planted(program: &Program<'_>) -> Result<(), Failure> {
    for &(name, fault) in PLANTED {
        let function = function(program, name)?;
        let limits = Limits {
            instructions: 40,
            calls: INNER,
            unwinds: true,
        };
        let faults = disassembly::faults(&function, limits);
        if !faults.iter().any(|found| found.contains(fault)) {
            return Err(Failure::failed(format!(
                "the checker sees no fault in {name}, which has one on purpose: {faults:?}"
            )));
        }
    }
    Ok(())
}

fn function(program: &Program<'_>, name: &str) -> Result<Function, Failure> {
    let function = program.function(name);
    function
        .map(|function| program.with_called(function, DROP))
        .ok_or_else(|| Failure::failed(format!("the probe has no function {name}")))
}

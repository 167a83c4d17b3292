//! What a sampling heap profile costs, in programs of their own.
//!
//! | side | the program's global allocator |
//! |---|---|
//! | `std` | the system's, which every program has that asks for nothing else |
//! | `thrifty` | ours, built without the sampler |
//! | `thrifty-idle` | ours with the sampler built in, and not started |
//! | `thrifty-512k`, `-64k`, `-exact` | the same, sampling at that rate; exact is rate 1, every event |
//! | the others | those crates', as their documentation starts them; jemalloc bare and with `prof:true` |
//!
//! Two programs differ in where their code lies, which may make one or two percent; those that differ by
//! the setting alone are one file. Two processes of one program differ in where their heaps lie, so each side has
//! some.

use core::time::Duration;
use std::{env, path::PathBuf};

use super::{
    Work,
    far::{Far, Launch},
};
use crate::suite::{Bar, Row};

/// A side: its name, its program, the setting, and what it is a wrapper of.
struct Side {
    name: &'static str,
    program: &'static str,
    setting: &'static str,
    env: Option<(&'static str, &'static str)>,
    wraps: Option<&'static str>,
}

const fn side(name: &'static str, program: &'static str, wraps: Option<&'static str>) -> Side {
    Side {
        name,
        program,
        setting: "-",
        env: None,
        wraps,
    }
}

const fn sampling(name: &'static str, setting: &'static str) -> Side {
    Side {
        setting,
        ..side(name, "program-sampling", Some("std"))
    }
}

/// What a program can have on all the time.
const SAMPLING: &[Side] = &[
    side("std", "program-std", None),
    // Built along with what samples, it would have the sampler, too.
    #[cfg(not(feature = "profiled"))]
    side("thrifty", "program-counting", Some("std")),
    sampling("thrifty-idle", "idle"),
    sampling("thrifty-512k", "524288"),
    sampling("thrifty-64k", "65536"),
    side("stats_alloc", "program-stats-alloc", Some("std")),
    side("pprof-alloc", "program-pprof-alloc", Some("std")),
    side("mimalloc", "program-mimalloc", None),
    side("jemalloc", "program-jemalloc", None),
    Side {
        env: Some(("_RJEM_MALLOC_CONF", "prof:true,lg_prof_sample:19")),
        ..side("jemalloc-prof", "program-jemalloc", Some("jemalloc"))
    },
];

/// What records every event.
const EXACT: &[Side] = &[
    side("std", "program-std", None),
    sampling("thrifty-exact", "1"),
    side("dhat", "program-dhat", Some("std")),
];

/// The rows, of those programs that stand beside this one; none where not even the first does.
pub(super) fn rows() -> Vec<Row> {
    if path("program-std").is_none() {
        return Vec::new();
    }
    let pairs = "the dearest moment for a profiler: nothing happens between two calls";
    let jobs = [
        (
            Work::Log,
            "log ingestion, as the tour's naive variant does it",
        ),
        (Work::Json, "serde_json makes a tree of a document"),
        (
            Work::Maps,
            "entries of a HashMap and a BTreeMap come and go",
        ),
    ];
    let mut rows = Vec::new();
    for threads in [1, 2, 4] {
        rows.push(row("sampling", SAMPLING, Work::Pairs, threads, pairs));
        let exact = row("exact", EXACT, Work::Pairs, threads, pairs).budget(EXACT_BUDGET);
        rows.push(if threads == 1 {
            exact
        } else {
            exact.thorough()
        });
    }
    for (work, reason) in jobs {
        let bar = Bar::Times {
            subject: "thrifty-512k",
            against: &["thrifty-idle"],
            most: 1.01,
        };
        rows.push(row("sampling", SAMPLING, work, 1, reason).bar(bar));
        rows.push(row("exact", EXACT, work, 1, reason).budget(EXACT_BUDGET));
    }
    rows
}

/// Less than other rows have: there are many sides.
const BUDGET: Duration = Duration::from_millis(1000);
/// Where sides differ by factors, a few rounds tell.
const EXACT_BUDGET: Duration = Duration::from_millis(400);

fn row(
    name: &str,
    sides: &'static [Side],
    work: Work,
    threads: usize,
    reason: &'static str,
) -> Row {
    let id = format!("memstats/{name}-{}/{threads}t", work.name());
    let row = Row::new(id, reason)
        .budget(BUDGET)
        .elsewhere()
        .operations(work.operations())
        .oracle(move || work.expected());
    let add = |row, side| add(row, side, work, threads);
    sides.iter().fold(row, add)
}

fn add(row: Row, side: &'static Side, work: Work, threads: usize) -> Row {
    let Some(program) = path(side.program) else {
        return row;
    };
    let launch = Launch {
        program,
        args: [work.name(), &threads.to_string(), side.setting].map(String::from),
        env: side.env,
        threads,
    };
    // What is allocated is the same whoever watches.
    let row = row
        .shared(side.name, move || Far::start(&launch))
        .counted_as(move || work.here());
    let row = match side.wraps {
        Some(base) => row.wraps(base),
        None => row,
    };
    if side.name.starts_with("thrifty") {
        row.ours()
    } else {
        row
    }
}

/// The program of that name that stands beside this one.
fn path(name: &str) -> Option<PathBuf> {
    let name = format!("{name}{}", env::consts::EXE_SUFFIX);
    let path = env::current_exe().ok()?.with_file_name(name);
    path.exists().then_some(path)
}

//! What the child does: the job under the sampler, and the files.

use std::{
    collections::HashMap,
    ffi::OsString,
    path::{Path, PathBuf},
};

use thrifty_memstats::{
    HeapProfile, ProfileError, SampleType, WriteError, heap_profile, profiling, save,
    stop_profiling,
};

use super::{GRAPH, Hot, PROFILE, Profiled};
use crate::{
    failure::Failure,
    tour::{
        TOP, naive,
        probe::{Probe, Stage},
    },
};

/// Bytes between two samples: some ten thousand for the generated log, and still a hundred for a log of
/// a thousand lines.
const RATE_BYTES: u64 = 16 << 10;
/// Memory for names.
const NAMES_BYTES: usize = 64 << 20;
/// Functions that are shown.
const SHOWN: usize = 5;

pub(super) fn profiled(args: &[OsString]) -> Result<Profiled, Failure> {
    let [directory, files @ ..] = args else {
        return Err(Failure::usage("a part of `cargo xtask tour`"));
    };
    let files: Vec<PathBuf> = files.iter().map(PathBuf::from).collect();
    let failed = |error: ProfileError| Failure::failed(error.to_string());
    profiling()
        .rate(RATE_BYTES)
        .seed(1)
        .start()
        .map_err(failed)?;
    let mut probe = AtTheFullest::default();
    let report = naive::run(&files, TOP, &mut probe)
        .map_err(|error| Failure::failed(format!("could not read the input: {error}")))?;
    stop_profiling();
    let mut profile = probe
        .profile
        .ok_or_else(|| Failure::failed("the job has no last stage"))?
        .map_err(failed)?;
    profile.symbolize(NAMES_BYTES);
    let totals = profile.totals();
    Ok(Profiled {
        report,
        rate_bytes: RATE_BYTES,
        samples: totals.samples,
        hottest: hottest(&profile, totals.alloc_bytes),
        files: write(&profile, Path::new(directory)).map_err(|error| error.to_string()),
    })
}

/// Takes the profile before the last stage: everything that the job holds, it holds then.
#[derive(Default)]
struct AtTheFullest {
    profile: Option<Result<HeapProfile, ProfileError>>,
}

impl Probe for AtTheFullest {
    type InLoop = Self;

    fn stage<R>(&mut self, stage: Stage, work: impl FnOnce() -> R) -> R {
        if stage == Stage::Tables {
            self.profile = Some(heap_profile());
        }
        work()
    }

    fn one_loop<R>(&mut self, work: impl FnOnce(&mut Self) -> R) -> R {
        work(self)
    }
}

fn write(profile: &HeapProfile, directory: &Path) -> Result<[PathBuf; 2], WriteError> {
    let [pprof, graph] = [PROFILE, GRAPH].map(|name| directory.join(name));
    save(&pprof, |out| {
        profile.write_pprof_as(SampleType::AllocSpace, out)
    })?;
    save(&graph, |out| {
        profile.write_flamegraph_svg_as(SampleType::AllocSpace, out)
    })?;
    Ok([pprof, graph])
}

/// The bytes of each stack, by the innermost function on it that belongs to the naive job. None where there
/// are no names.
fn hottest(profile: &HeapProfile, total_bytes: u64) -> Vec<Hot> {
    let mut by_function = HashMap::<&str, u64>::new();
    for site in profile.sites() {
        let frames = site
            .stack
            .iter()
            .flat_map(|address| profile.code.frames(*address));
        let mut own = frames.filter(|frame| is_naive(&frame.file));
        if let Some(own) = own.find_map(|frame| short(&frame.function)) {
            *by_function.entry(own).or_default() += site.alloc_bytes;
        }
    }
    let mut hottest: Vec<Hot> = by_function
        .into_iter()
        .map(|(function, bytes)| Hot {
            function: function.to_owned(),
            bytes,
            percent: bytes.saturating_mul(100) / total_bytes.max(1),
        })
        .collect();
    hottest.sort_unstable_by(|a, b| b.bytes.cmp(&a.bytes).then(a.function.cmp(&b.function)));
    hottest.truncate(SHOWN);
    hottest
}

/// Whether a source file is one of the naive job's.
fn is_naive(file: &str) -> bool {
    let file = file.replace('\\', "/");
    file.contains("src/tour/naive.rs") || file.contains("src/tour/naive/")
}

/// A function's name without the modules that all of them are in and what it is generic over; `None` for a
/// closure, whose function is further out on the stack.
fn short(function: &str) -> Option<&str> {
    let generic = function.split("::<").next()?;
    let name = generic
        .rsplit_once("tour::naive::")
        .map_or(generic, |(_, own)| own);
    let name = name.split('<').next()?;
    (!name.is_empty() && !name.contains("{closure") && !name.contains("{{closure")).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_jobs_own_functions_are_told_by_file_and_named_briefly() {
        assert!(is_naive("/x/benches/src/tour/naive/parse.rs"));
        assert!(is_naive(r"C:\x\benches\src\tour\naive.rs"));
        assert!(!is_naive("/x/benches/src/tour/tuned/parse.rs"));
        assert_eq!(
            short("thrifty_benches::tour::naive::parse::words"),
            Some("parse::words")
        );
        assert_eq!(short("mask"), Some("mask"));
        for generic in ["run<a::B>", "a::tour::naive::run::<a::B>"] {
            assert_eq!(short(generic), Some("run"), "{generic}");
        }
        for closure in ["{closure#2}<a::B>", "a::tour::naive::run::{{closure}}"] {
            assert_eq!(short(closure), None, "{closure}");
        }
    }
}

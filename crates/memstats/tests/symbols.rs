//! Names for the addresses of a real profile.
#![expect(clippy::unwrap_used, reason = "tests")]

mod wire;

use std::{hint::black_box, sync::OnceLock};

use thrifty_memstats::{Alloc, HeapProfile, Site, heap_profile, measure, profiling};

use self::wire::decode;

#[global_allocator]
static ALLOC: Alloc = Alloc::system();

const SIZE: usize = 123_457;

#[inline(always)]
#[expect(clippy::inline_always, reason = "to be seen as an inlined function")]
fn inlined_into_the_caller() -> Vec<u8> {
    black_box(vec![1; SIZE])
}

#[inline(never)]
fn allocate_where_it_is_seen() -> Vec<u8> {
    let mut block = inlined_into_the_caller();
    block[0] = black_box(2);
    block
}

/// Nothing is inlined into this one, so that line tables alone give it no name.
#[inline(never)]
fn only_calls() -> Vec<u8> {
    let block = allocate_where_it_is_seen();
    black_box(block)
}

fn profile() -> HeapProfile {
    static KEPT: OnceLock<Vec<u8>> = OnceLock::new();
    KEPT.get_or_init(|| {
        profiling().rate(1).start().unwrap();
        black_box(only_calls())
    });
    let mut profile = heap_profile().unwrap();
    // Without optimisation, names take milliseconds each.
    let mut room = 5;
    profile.sites.retain(|site| {
        let is_wanted = site.inuse_bytes == SIZE as u64;
        room -= i32::from(!is_wanted);
        is_wanted || room >= 0
    });
    profile
}

fn wanted(profile: &HeapProfile) -> &Site {
    let here = |site: &&Site| site.inuse_bytes == SIZE as u64;
    profile.sites().iter().find(here).unwrap()
}

#[test]
fn names_files_lines_and_inlined_functions_are_found() {
    let mut profile = profile();
    // Without a limit, as anybody would say it.
    let result = profile.symbolize(usize::MAX);
    assert!(result.named > 0, "{result:?}");
    assert_eq!(result.skipped, 0);
    let frames: Vec<_> = wanted(&profile)
        .stack
        .iter()
        .flat_map(|address| profile.code.frames(*address))
        .collect();
    let at = |name: &str| {
        frames
            .iter()
            .position(|frame| frame.function.ends_with(name))
    };
    let inner = at("inlined_into_the_caller").unwrap_or_else(|| panic!("{frames:#?}"));
    assert_eq!(
        at("allocate_where_it_is_seen"),
        Some(inner + 1),
        "{frames:#?}"
    );
    let outer = at("only_calls").unwrap_or_else(|| panic!("{frames:#?}"));
    for (nth, lines) in [(inner, 19..22), (inner + 1, 24..29), (outer, 32..36)] {
        let frame = frames[nth];
        assert!(frame.file.ends_with("symbols.rs"), "{frame:?}");
        assert!(lines.contains(&frame.line), "{frame:?}");
    }

    let mut bytes = Vec::new();
    profile.write_pprof(&mut bytes).unwrap();
    let decoded = decode(&bytes);
    let sample = decoded
        .samples
        .iter()
        .find(|sample| sample.values[3] == SIZE as i64);
    let names = decoded.names(sample.unwrap());
    let position = |name: &str| names.iter().position(|each| each.ends_with(name));
    assert!(position("allocate_where_it_is_seen") > position("inlined_into_the_caller"));
}

#[test]
fn a_limit_is_kept_and_the_rest_is_found_later() {
    let mut profile = profile();
    let first = profile.symbolize(2000);
    assert!(first.skipped > 0, "{first:?}");
    let bytes: usize = profile
        .code
        .frames
        .values()
        .flatten()
        .map(|frame| frame.function.len() + frame.file.len())
        .sum();
    assert!(bytes < 2000 + 4096, "{bytes}");
    let again = profile.symbolize(64 << 20);
    assert_eq!(again.named + again.unnamed, first.skipped + first.unnamed);
    assert_eq!(profile.symbolize(0).named, 0);
}

#[test]
fn the_tables_are_given_back() {
    let mut profile = profile();
    let (_, delta) = measure(|| profile.symbolize(64 << 20));
    let delta = delta.unwrap();
    let kept = delta.allocated_bytes - delta.freed_bytes;
    assert!(kept < 8 << 20, "{kept}");
}

#[test]
fn a_file_that_does_not_run_names_nothing() {
    let mut profile = profile();
    profile.locate();
    for module in &mut profile.code.modules {
        module.build_id = "00".into();
    }
    let result = profile.symbolize(64 << 20);
    if cfg!(target_os = "linux") {
        assert_eq!((result.named, result.skipped), (0, 0));
    }
}

//! Writes the heap profile of a small program in every form, to a directory.
//!
//! `cargo run --release --example profiles --features pprof,symbolize,flamegraph -- DIRECTORY`
#![expect(
    clippy::unwrap_used,
    reason = "an example, which may fail where it stands"
)]

use std::{collections::HashMap, hint::black_box, path::PathBuf};

use thrifty_memstats::{
    Alloc, SampleType, heap_profile, profiling, save, write_allocs_profile, write_heap_profile,
};

#[global_allocator]
static ALLOC: Alloc = Alloc::system();

/// Keeps what it allocates: most of the bytes in use.
#[inline(never)]
fn load_table() -> HashMap<u32, Vec<u8>> {
    let mut table = HashMap::new();
    for key in 0..2000 {
        table.insert(key, black_box(vec![1; 4096]));
    }
    table
}

/// Allocates many small strings and keeps none: most of the objects allocated.
#[inline(never)]
fn parse_lines() -> usize {
    let line = |nth: u32| black_box(format!("line {nth} of many"));
    (0..200_000).map(|nth| line(nth).len()).sum()
}

fn main() {
    let directory = PathBuf::from(std::env::args_os().nth(1).unwrap_or_else(|| ".".into()));
    profiling().rate(16 << 10).start().unwrap();
    let table = load_table();
    let letters = parse_lines();

    write_heap_profile(directory.join("heap.pb.gz")).unwrap();
    write_allocs_profile(directory.join("allocs.pb.gz")).unwrap();

    let mut profile = heap_profile().unwrap();
    let symbols = profile.symbolize(64 << 20);
    save(directory.join("named.pb.gz"), |out| {
        profile.write_pprof(out)
    })
    .unwrap();
    save(directory.join("heap.dhat.json"), |out| {
        profile.write_dhat(out)
    })
    .unwrap();
    save(directory.join("heap.folded"), |out| {
        profile.write_folded(out)
    })
    .unwrap();
    save(directory.join("allocs.svg"), |out| {
        profile.write_flamegraph_svg_as(SampleType::AllocSpace, out)
    })
    .unwrap();
    println!(
        "{} entries, {letters} letters; {} sites, {} addresses named, {} not",
        table.len(),
        profile.sites().len(),
        symbols.named,
        symbols.unnamed
    );
}

//! What our sides of the rows on blocks allocate and hold: nothing in the steady state, and what slabs
//! of blocks that do not move make unavoidable.

use thrifty_benches::{
    count::{Count, count},
    fixed_alloc,
};

#[global_allocator]
static ALLOC: thrifty_memstats::Alloc = thrifty_memstats::Alloc::system();

/// Our sides' counts of the rows whose id begins so.
fn ours(prefix: &str) -> Vec<Count> {
    let rows = fixed_alloc::rows();
    let rows = rows
        .iter()
        .filter(|row| row.id().as_str().starts_with(prefix));
    let counts = rows.flat_map(|row| count(row).unwrap_or_else(|failure| panic!("{failure}")));
    let ours: Vec<_> = counts
        .filter(|count| count.subject.starts_with("thrifty"))
        .collect();
    assert!(!ours.is_empty(), "no row is called {prefix}");
    ours
}

/// In one test, since what is live is counted for the whole process.
#[test]
fn allocators_ask_for_nothing_once_they_are_warm_and_hold_what_blocks_in_use_pin() {
    for prefix in [
        "fixed-alloc/churn",
        "fixed-alloc/slab-box",
        "fixed-alloc/list",
        "fixed-alloc/tree",
        "fixed-alloc/batch",
        "fixed-alloc/hashmap",
    ] {
        for count in ours(prefix) {
            assert_eq!(count.allocs_per_op, 0.0, "{count:?}");
            assert_eq!(count.bytes_per_op, 0.0, "{count:?}");
        }
    }
    for count in ours("fixed-alloc/occupancy") {
        let figure = |name: &str| count.figures[name];
        println!("{:#?}", count.figures);
        // A block of 64 bytes, its bit, and its part of a slab's header and books.
        assert!(figure("reserved_per_live_100") <= 67, "{count:?}");
        // Blocks do not move: each slab keeps one of each pair, then ten of its thousand, so that none
        // falls empty. 6554 is a slab over ten blocks.
        assert!(figure("reserved_per_live_50") <= 2 * 67, "{count:?}");
        assert!(figure("reserved_per_live_1") <= 100 * 67, "{count:?}");
        // What is taken in one go comes from the fullest slabs, and the rest falls empty: no more than
        // twice what is live, two slabs and the books.
        let live = (1 << 16) / 100;
        let renewed = figure("reserved_per_live_1_renewed") * live;
        assert!(
            renewed <= 2 * 64 * live + 2 * (64 << 10) + (64 << 10),
            "{count:?}"
        );
        assert!(figure("reserved_after_release") <= 64 << 10, "{count:?}");
    }
}

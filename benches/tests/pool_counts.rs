//! What our sides of the pool rows allocate, make and hold: nothing in the steady state, and little
//! when a burst is over.

use std::collections::BTreeMap;

use thrifty_benches::{
    count::{Count, count},
    pool,
};

#[global_allocator]
static ALLOC: thrifty_memstats::Alloc = thrifty_memstats::Alloc::system();

/// Our sides' counts of the rows whose id begins so.
fn ours(prefix: &str) -> Vec<Count> {
    let rows = pool::rows();
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
fn pools_allocate_nothing_once_they_are_warm_and_give_back_what_a_burst_left() {
    for prefix in [
        "pool/get-put",
        "pool/working-set",
        "pool/magazine-boundary",
        "pool/many-pools",
        "buffers/",
    ] {
        for count in ours(prefix) {
            assert_eq!(count.allocs_per_op, 0.0, "{count:?}");
            assert_eq!(count.bytes_per_op, 0.0, "{count:?}");
        }
    }
    // Filled with as many as are live at once, they make no other.
    for prefix in ["pool/working-set", "pool/magazine-boundary"] {
        for count in ours(prefix) {
            assert_eq!(count.figures["created"], 0, "{count:?}");
        }
    }
    for count in ours("pool/burst-idle/1t") {
        let after = |what: &str| count.figures[&format!("retained_after_{what}")];
        let held: BTreeMap<_, _> = ["burst", "tick_1", "tick_2", "tick_3"]
            .map(|what| (what, after(what)))
            .into();
        assert!(held["burst"] > 4096 * 1024, "{held:?}");
        // A thread's two magazines of 64, which the trickle between the ticks uses.
        assert!(held["tick_2"] < 256 * 1024, "{held:?}");
        assert!(held["tick_3"] <= held["tick_2"], "{held:?}");
    }
}

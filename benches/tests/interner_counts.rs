//! What our sides of the interner rows allocate and hold: nothing for what is known, and a few bytes for
//! each string that is there.

use thrifty_benches::{
    count::{Count, count},
    interner,
    suite::Context,
};

#[global_allocator]
static ALLOC: thrifty_memstats::Alloc = thrifty_memstats::Alloc::system();

/// Our sides' counts of the rows whose id begins so.
fn ours(prefix: &str) -> Vec<Count> {
    let rows = interner::rows(&Context::default());
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
fn what_is_known_costs_nothing_and_each_string_a_few_bytes() {
    for prefix in [
        "interner/hit/log-tokens",
        "interner/get-absent",
        "interner/resolve",
        "interner/iterate",
    ] {
        for count in ours(prefix) {
            assert_eq!(count.allocs_per_op, 0.0, "{count:?}");
            assert_eq!(count.bytes_per_op, 0.0, "{count:?}");
        }
    }
    // The bars of DESIGN §5; the tables of a debug build are small, where fixed costs weigh more.
    for count in ours("interner/memory") {
        let most = match count.subject.as_str() {
            "thrifty" if cfg!(debug_assertions) => 40_000,
            "thrifty" => 24_000,
            "thrifty-local" => 24_000,
            "thrifty-frozen" => 9_000,
            "thrifty-resolver" => 4_500,
            _ => continue,
        };
        assert!(count.figures["millibytes"] <= most, "{count:?}");
    }
}

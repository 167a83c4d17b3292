//! What our sides of the arena rows allocate: nothing, once the arena is warm.

use thrifty_benches::{arena, count::count};

#[global_allocator]
static ALLOC: thrifty_memstats::Alloc = thrifty_memstats::Alloc::system();

#[test]
fn arenas_allocate_nothing_once_they_are_warm_and_hold_little_more_than_is_used() {
    for row in arena::rows() {
        let counts = count(&row).unwrap_or_else(|failure| panic!("{failure}"));
        let ours = counts.iter().find(|count| count.subject == "thrifty");
        let ours = ours.expect("every row has our side");
        let is_shared = ["arena/shared", "arena/request-pool"]
            .iter()
            .any(|area| ours.workload.starts_with(area));
        if is_shared {
            // How many threads are in at once is the scheduler's choice: now and then it is one more than before.
            assert!(ours.allocs_per_op < 0.01, "{ours:?}");
        } else {
            assert_eq!(ours.allocs_per_op, 0.0, "{ours:?}");
            assert_eq!(ours.bytes_per_op, 0.0, "{ours:?}");
        }
        let figure = |name: &str| ours.figures.get(name).copied();
        // Arenas that several threads share have no one place to ask what a round used.
        let (Some(used), Some(reserved)) = (figure("used_bytes"), figure("reserved_bytes")) else {
            assert!(is_shared, "{ours:?}");
            continue;
        };
        // Chunks double, and a reset keeps what two rounds of this size need. What a round used is
        // read at its end: a map that grew has given its smaller tables back by then, and had two
        // of them at a time.
        let grown = if ours.workload == "arena/hash-map/1t" {
            2
        } else {
            1
        };
        let most = (4 * used * grown).max(16 << 10);
        assert!((used..=most).contains(&reserved), "{ours:?}");
        // What the counting allocator says is not an estimate: where std allocates, it shows.
        let std = counts.iter().find(|count| count.subject == "std");
        let std = std.expect("every row has a side of std");
        assert!(std.allocs_per_op > 0.0, "{std:?}");
    }
}

//! A hundred million keys that never come again, in constant memory: too slow for every run.

use std::fmt::Write;

use thrifty_interner::Dedup;

/// What the process has resident, where the system tells.
fn resident_bytes() -> Option<usize> {
    let text = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: usize = text.split_whitespace().nth(1)?.parse().ok()?;
    Some(pages * 4096)
}

#[test]
#[ignore = "a minute, optimised: cargo xtask verify deep"]
fn a_hundred_million_unique_keys_in_constant_memory() {
    const LIMIT: usize = 16 << 20;
    const KEYS: usize = 100_000_000;
    let cache: Dedup = Dedup::new(LIMIT);
    let mut key = String::new();
    let mut warm = None;
    for i in 0..KEYS {
        key.clear();
        write!(key, "{i:x} a unique key {:x}", i % 1000).expect("a string takes all");
        let handle = cache.dedup(&key);
        assert!(handle.len() == key.len());
        if i % (KEYS / 100) == KEYS / 100 - 1 {
            assert!(cache.stats().reserved_bytes <= LIMIT);
            let Some(resident) = resident_bytes() else {
                continue;
            };
            let first = *warm.get_or_insert(resident);
            // The allocator's own waste is not ours to bound; that it does not grow is.
            assert!(
                resident <= first + LIMIT / 4,
                "{resident} after {i} keys, {first} before"
            );
        }
    }
    assert_eq!(cache.stats().misses, KEYS as u64);
    println!("{}, {:?} bytes resident", cache.stats(), resident_bytes());
}

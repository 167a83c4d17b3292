//! Many threads, which come and go, over one cache that evicts all the time.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use thrifty_interner::{Dedup, DedupBuilder, DedupStats, Pressure, Shared, WhenFull};

thrifty_testkit::auto_traits! {
    Dedup: [Send Sync Unpin UnwindSafe RefUnwindSafe !Copy],
    Dedup<str, std::cell::Cell<u8>>: [Send !Sync Unpin !Copy],
    Dedup<str, std::rc::Rc<u8>>: [!Send !Sync !Copy],
    DedupBuilder: [Send Sync Unpin UnwindSafe RefUnwindSafe !Copy],
    DedupStats: [Send Sync Unpin UnwindSafe RefUnwindSafe Copy],
    WhenFull: [Send Sync Unpin UnwindSafe RefUnwindSafe Copy],
    Shared<str>: [Send Sync Unpin UnwindSafe RefUnwindSafe !Copy],
    Shared<[u128]>: [Send Sync Unpin UnwindSafe RefUnwindSafe !Copy],
}

fn key(i: usize) -> String {
    format!("key number {i}, of some length")
}

/// A number that looks random, without a generator.
fn mix(i: usize) -> usize {
    (i.wrapping_mul(0x9e37_79b9) ^ (i >> 7)).wrapping_mul(0x85eb_ca6b) >> 5
}

#[test]
fn contents_are_right_while_threads_evict_and_trim() {
    for policy in [WhenFull::Evict, WhenFull::Unshared] {
        let cache: Dedup = Dedup::builder(24 << 10).shards(2).when_full(policy).build();
        thread::scope(|scope| {
            for t in 0..4_usize {
                let cache = &cache;
                scope.spawn(move || {
                    let mut held = Vec::new();
                    for i in 0..8000_usize {
                        let n = mix(i * 4 + t) % (if i % 3 == 0 { 100 } else { 5000 });
                        held.push((n, cache.dedup(&key(n))));
                        if held.len() > 50 {
                            let (n, handle) = held.swap_remove(mix(i) % 50);
                            assert_eq!(*handle, *key(n));
                        }
                        if i % 1000 == t {
                            cache.trim(Pressure::ALL[i / 1000 % 3]);
                        }
                        if i % 3500 == 3499 {
                            cache.clear();
                        }
                    }
                    assert!(held.iter().all(|(n, handle)| **handle == *key(*n)));
                });
            }
        });
        assert!(cache.stats().reserved_bytes <= cache.max_bytes());
        // Nobody holds anything, and so everything goes.
        cache.trim(Pressure::High);
        assert!(cache.is_empty());
    }
}

#[test]
fn short_threads_leave_handles_behind() {
    let cache: Dedup = Dedup::new(1 << 20);
    let handles: Vec<Shared<str>> = (0..200)
        .map(|i| thread::scope(|scope| scope.spawn(|| cache.dedup(&key(i % 10))).join().unwrap()))
        .collect();
    assert_eq!(cache.len(), 10);
    for (i, handle) in handles.iter().enumerate() {
        assert!(Shared::ptr_eq(handle, &handles[i % 10]));
        assert_eq!(Shared::holders(handle), 21);
    }
    drop(cache);
    let other = thread::spawn(move || handles.iter().all(|handle| Shared::holders(handle) == 20));
    assert!(other.join().unwrap());
}

#[test]
fn racing_first_uses_make_one_set_of_shards() {
    for _ in 0..50 {
        let cache: Dedup = Dedup::new(1 << 20);
        let arrived = AtomicUsize::new(0);
        let handles: Vec<_> = thread::scope(|scope| {
            let threads: Vec<_> = (0..4)
                .map(|_| {
                    scope.spawn(|| {
                        arrived.fetch_add(1, Ordering::Relaxed);
                        while arrived.load(Ordering::Relaxed) < 4 {
                            thread::yield_now();
                        }
                        cache.dedup("first")
                    })
                })
                .collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .collect()
        });
        assert!(
            handles
                .iter()
                .all(|handle| Shared::ptr_eq(handle, &handles[0]))
        );
        assert_eq!(cache.len(), 1);
    }
}

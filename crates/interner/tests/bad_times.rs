//! Threads at the worst of times: at a limit, while tables grow, with symbols that nobody has handed over properly, and
//! all at one string.

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;

use thrifty_interner::{Dedup, InternError, Interner, Shared, Sym, Symbol};
use thrifty_traits::MemoryUsage;

const THREADS: usize = 4;

/// Runs `work` on so many threads at once.
fn together<R: Send>(work: impl Fn(usize) -> R + Sync) -> Vec<R> {
    let barrier = Barrier::new(THREADS);
    let (work, barrier) = (&work, &barrier);
    thread::scope(|scope| {
        let start = |thread| {
            scope.spawn(move || {
                barrier.wait();
                work(thread)
            })
        };
        let threads: Vec<_> = (0..THREADS).map(start).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().expect("no thread panics"))
            .collect()
    })
}

/// Both directions, without a hole.
fn check(interner: &Interner) {
    assert_eq!(interner.iter().count(), interner.len());
    for (index, (symbol, key)) in interner.iter().enumerate() {
        assert_eq!(symbol.index() as usize, index);
        assert_eq!(interner.get(key), Some(symbol));
    }
}

#[test]
fn a_limit_of_symbols_is_met_exactly_by_all_together() {
    for limit in [1, 2, 63, 511, 512, 513, 3000] {
        let interner: Interner = Interner::builder().max_symbols(limit).build();
        let refused = together(|thread| {
            let keys = (0..2000).map(|at| (at * 7 + thread * 500) % 4000);
            keys.filter(|at| match interner.try_intern(&format!("{at}")) {
                Ok(symbol) => symbol.index() as usize >= limit,
                Err(error) => {
                    assert_eq!(
                        error,
                        InternError::SymbolSpace {
                            limit_symbols: limit
                        }
                    );
                    true
                }
            })
            .count()
        });
        assert_eq!(interner.len(), limit);
        assert!(refused.iter().sum::<usize>() > 0);
        check(&interner);
    }
}

#[test]
fn a_limit_of_bytes_is_not_exceeded_by_all_together() {
    for limit in [5000, 20_000, 100_000] {
        let interner: Interner = Interner::builder().max_bytes(limit).build();
        let interned = together(|thread| {
            let mut interned = Vec::new();
            for at in 0..3000 {
                let key = match at % 100 {
                    0 => format!("{at:0900}"),
                    _ => format!("key {}", (at * 3 + thread) % 5000),
                };
                match interner.try_intern(&key) {
                    Ok(symbol) => interned.push((symbol, key)),
                    Err(error) => {
                        assert_eq!(error, InternError::MemoryLimit { limit_bytes: limit });
                    }
                }
                assert!(interner.memory_usage().reserved_bytes <= limit);
            }
            interned
        });
        for (symbol, key) in interned.iter().flatten() {
            assert_eq!(interner.resolve(*symbol), key);
        }
        check(&interner);
    }
}

/// Walks, snapshots and lookups see a beginning of what was interned, whole.
#[test]
fn walks_and_snapshots_see_a_beginning_while_tables_grow() {
    let interner: Interner = Interner::builder().shards(2).build();
    let ended = AtomicBool::new(false);
    let key = |at: usize| format!("number {at}");
    together(|thread| {
        if thread == 0 {
            (0..30_000).for_each(|at| {
                interner.intern(&key(at));
            });
            ended.store(true, Ordering::Release);
            return;
        }
        let mut rounds = 0;
        while !ended.load(Ordering::Acquire) || rounds == 0 {
            rounds += 1;
            let least = interner.len();
            let walked = match thread {
                1 => interner
                    .freeze()
                    .iter()
                    .map(|(_, each)| each.to_owned())
                    .collect(),
                2 => interner
                    .freeze_resolver()
                    .iter()
                    .map(|(_, each)| each.to_owned())
                    .collect(),
                _ => interner
                    .iter()
                    .map(|(_, each)| each.to_owned())
                    .collect::<Vec<_>>(),
            };
            // One thread alone interns: what it has counted is published, but for the last.
            assert!(walked.len() + 1 >= least, "{} {least}", walked.len());
            for (at, each) in walked.iter().enumerate() {
                assert_eq!(*each, key(at));
            }
            for at in (0..least.saturating_sub(1)).step_by(97) {
                assert!(interner.get(&key(at)).is_some(), "{at} of {least}");
            }
        }
    });
    check(&interner);
}

/// A symbol that came without synchronisation stands for its string, or for nothing yet.
#[test]
fn a_symbol_that_came_by_itself_is_none_or_right() {
    let interner = Interner::new();
    let newest = AtomicU32::new(0);
    let ended = AtomicBool::new(false);
    together(|thread| {
        if thread == 0 {
            for at in 0..20_000_u32 {
                let symbol = interner.intern(&format!("{at}"));
                newest.store(symbol.index() + 1, Ordering::Relaxed);
            }
            ended.store(true, Ordering::Relaxed);
            return;
        }
        while !ended.load(Ordering::Relaxed) {
            let Some(index) = newest.load(Ordering::Relaxed).checked_sub(1) else {
                thread::yield_now();
                continue;
            };
            let symbol = Sym::try_from_index(index).unwrap();
            if let Some(key) = interner.try_resolve(symbol) {
                assert_eq!(key, format!("{index}"));
            }
        }
    });
    assert_eq!(interner.len(), 20_000);
}

#[test]
fn a_storm_on_one_handle_counts_each() {
    let cache: Dedup = Dedup::new(1 << 20);
    let hot = cache.dedup("hot");
    together(|thread| {
        for at in 0..20_000 {
            let mine = match (at + thread) % 3 {
                0 => hot.clone(),
                1 => cache.dedup("hot"),
                _ => cache.get("hot").unwrap(),
            };
            assert!(Shared::ptr_eq(&mine, &hot.clone()));
        }
    });
    assert_eq!(Shared::holders(&hot), 2);
    drop(hot);
    assert_eq!(cache.trim(thrifty_traits::Pressure::Medium).items, 1);
}

/// Whatever locks other threads held at that moment: what was there is found without one.
#[cfg(unix)]
#[test]
fn a_forked_child_finds_what_was_there() {
    let what = "a forked child, to which what the other threads had is lost";
    if thrifty_testkit::is_skipped_under(&["valgrind"], what) {
        return;
    }
    let interner: Interner = Interner::builder().shards(1).build();
    let keys: Vec<String> = (0..2000).map(|at| format!("{at}")).collect();
    let symbols: Vec<Sym> = keys.iter().map(|key| interner.intern(key)).collect();
    let next = AtomicU32::new(0);
    let busy = || {
        for _ in 0..1000 {
            let number = next.fetch_add(1, Ordering::Relaxed) % 500_000;
            interner.intern(&format!("new {number}"));
        }
    };
    let child = || {
        for (key, symbol) in keys.iter().zip(&symbols) {
            assert_eq!(interner.get(key), Some(*symbol));
            assert_eq!(interner.intern(key), *symbol);
            assert_eq!(interner.resolve(*symbol), key);
        }
        assert!(
            interner
                .iter()
                .take(2000)
                .map(|(_, key)| key)
                .eq(keys.iter())
        );
    };
    thrifty_testkit::fork(10, busy, child).assert_all_returned();
}

//! Memory that runs out, at each site in turn.

use thrifty_interner::{Frozen, FrozenError, InternError, KeysError, LocalInterner, Resolver};
use thrifty_testkit::{AllocFault, FailingAlloc, Sweep, ThreadCounts, thread_counts};
use thrifty_traits::MemoryUsage;

#[global_allocator]
static ALLOC: FailingAlloc = FailingAlloc::system();

/// Of every length: short, with a long head, with a chunk of its own.
fn strings() -> Vec<String> {
    (0..600_usize)
        .map(|at| match at % 100 {
            99 => format!("{at:020000}"),
            98 => format!("{at:0300}"),
            _ => at.to_string(),
        })
        .collect()
}

#[test]
fn a_refusal_inserts_nothing() {
    let strings = strings();
    for fault in [AllocFault::Once, AllocFault::Onwards] {
        let swept = Sweep::over(fault)
            .unchanged("live", || thread_counts().live())
            .run_with(LocalInterner::<str>::new, |interner| {
                let mut kept = 0;
                let mut refused = None;
                for string in &strings {
                    let before = (interner.len(), interner.payload_bytes());
                    match interner.try_intern(string) {
                        Ok(_) => kept += 1,
                        Err(error) => {
                            assert!(matches!(error, InternError::Backend { size_bytes: 1.. }));
                            assert_eq!((interner.len(), interner.payload_bytes()), before);
                            assert_eq!(interner.get(string), None);
                            refused = Some(error);
                        }
                    }
                    // What the first refusal left must do, with memory or without.
                    if let (Some(_), Some(first)) = (refused, interner.get("0")) {
                        assert_eq!(interner.try_intern("0"), Ok(first));
                    }
                }
                assert_eq!(interner.len(), kept);
                for (symbol, string) in interner.iter() {
                    assert_eq!(interner.get(string), Some(symbol));
                }
                interner.shrink_to_fit();
                assert_eq!(interner.len(), kept);
                refused.map_or(Ok(()), Err)
            });
        assert!(swept.sites > 20, "{swept:?}");
    }
}

#[test]
fn reserving_fails_without_harm() {
    let strings = strings();
    for fault in [AllocFault::Once, AllocFault::Onwards] {
        let swept = Sweep::over(fault)
            .unchanged("live", || thread_counts().live())
            .run_with(LocalInterner::<str>::new, |interner| {
                let result = interner.try_reserve(10_000);
                if result.is_ok() {
                    let before = thread_counts();
                    for string in &strings[..90] {
                        // Nothing is asked for but chunks, which come zeroed, and a list of them.
                        interner.try_intern(string)?;
                    }
                    let since = thread_counts().since(&before);
                    assert!(since.allocs <= 2 && since.reallocs == 0, "{since:?}");
                }
                result
            });
        assert!(swept.refused >= 2, "{swept:?}");
    }
}

#[test]
fn freezing_and_thawing_fail_without_harm() {
    let mut interner: LocalInterner = LocalInterner::new();
    interner.extend(strings().iter().map(String::as_str));
    let frozen = interner.freeze();
    for fault in [AllocFault::Once, AllocFault::Onwards] {
        Sweep::over(fault)
            .unchanged("live", || thread_counts().live())
            .run(|| -> Result<(), InternError> {
                let frozen = interner.try_freeze()?;
                let resolver = interner.try_freeze_resolver()?;
                assert!(frozen.iter().eq(resolver.iter()));
                let bytes = frozen.try_to_bytes()?;
                match Frozen::<str>::copy_from_bytes(&bytes) {
                    Ok(copied) => assert_eq!(copied.len(), frozen.len()),
                    Err(error) => assert!(matches!(error, FrozenError::Backend { .. })),
                }
                match resolver.try_thaw() {
                    Ok(thawed) => assert!(thawed.iter().eq(interner.iter())),
                    Err(KeysError::Intern(error)) => return Err(error),
                    Err(error) => panic!("{error}"),
                }
                // What cannot be given back is kept.
                let usage = frozen.memory_usage();
                let resolver: Resolver = frozen.into_resolver();
                assert!(resolver.memory_usage().reserved_bytes <= usage.reserved_bytes);
                assert!(resolver.iter().eq(interner.iter()));
                Ok(())
            });
        Sweep::over(fault)
            .unchanged("live", || thread_counts().live())
            .run(|| {
                frozen
                    .try_thaw()
                    .map(|thawed| assert!(thawed.iter().eq(interner.iter())))
            });
    }
}

#[test]
fn collecting_keys_fails_without_harm() {
    let strings = strings();
    let keys = || strings.iter().map(String::as_str);
    for fault in [AllocFault::Once, AllocFault::Onwards] {
        let sweep = || Sweep::over(fault).unchanged("live", || thread_counts().live());
        let refused = |error: &KeysError| {
            let is_right = matches!(error, KeysError::Intern(InternError::Backend { .. }));
            assert!(is_right, "{error}");
        };
        let swept = sweep().run(|| Frozen::<str>::try_from_keys(keys()).inspect_err(refused));
        assert!(swept.sites > 10 && swept.refused > 0, "{swept:?}");
        let swept =
            sweep().run(|| LocalInterner::<str>::try_from_keys(keys()).inspect_err(refused));
        assert!(swept.sites > 10 && swept.refused > 0, "{swept:?}");
    }
}

fn assert_nothing_allocated_since(before: &ThreadCounts) {
    let since = thread_counts().since(before);
    let made = since.allocs + since.zeroed_allocs + since.reallocs;
    assert_eq!((made, since.frees), (0, 0), "{since:?}");
}

#[test]
fn hits_and_lookups_allocate_nothing() {
    let strings = strings();
    let mut interner: LocalInterner = LocalInterner::new();
    interner.extend(strings.iter().map(String::as_str));
    let frozen = interner.freeze();
    let mark = interner.mark();
    // The first rollback takes some bytes, to tell good marks from stale ones.
    interner.intern("for once");
    interner.rollback(mark).unwrap();
    let before = thread_counts();
    for string in &strings {
        let symbol = interner.intern(string);
        assert_eq!(interner.resolve(symbol), string);
        assert_eq!(frozen.resolve(frozen.get(string).unwrap()), string);
        assert_eq!(frozen.get("no such string"), None);
    }
    interner.rollback(mark).unwrap();
    assert_nothing_allocated_since(&before);
}

#[test]
fn rounds_of_equal_size_allocate_nothing() {
    let mut interner: LocalInterner = LocalInterner::new();
    let words: Vec<String> = (0..500).map(|at| at.to_string()).collect();
    let mut round = || {
        interner.extend(words.iter().map(String::as_str));
        interner.clear();
    };
    (0..6).for_each(|_| round());
    let before = thread_counts();
    (0..6).for_each(|_| round());
    assert_nothing_allocated_since(&before);
}

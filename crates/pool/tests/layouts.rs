//! Items of any size and alignment.

use thrifty_pool::{Pool, Pressure, StaticPool};
use thrifty_testkit::Ledger;

/// Fills a pool, empties it, and looks at every item.
fn cycle<T: Send + 'static>(create: fn() -> T, check: fn(&T)) {
    let pool = Pool::with(create, |_: &mut T| ());
    for _ in 0..2 {
        let mut held: Vec<_> = (0..50).map(|_| pool.get()).collect();
        for item in &mut held {
            check(item);
            let place = std::ptr::from_ref::<T>(item).addr();
            assert_eq!(place % align_of::<T>(), 0);
        }
        held.reverse();
        drop(held);
        check(&pool.get().detach());
    }
    assert_eq!(pool.stats().in_use, 0);
    pool.trim(Pressure::High);
    assert_eq!(pool.stats().live, 0);
}

#[test]
fn items_without_size() {
    cycle(|| (), |()| ());
    #[repr(align(64))]
    struct Aligned;
    cycle(|| Aligned, |_| ());
}

#[test]
fn items_aligned_to_a_page() {
    #[repr(align(4096))]
    struct Page([u8; 100]);
    cycle(|| Page([3; 100]), |page| assert_eq!(page.0, [3; 100]));
    #[repr(align(4096))]
    struct Empty;
    cycle(|| Empty, |_| ());
}

#[test]
fn items_of_a_mebibyte() {
    type Large = [u64; 1 << 17];
    // On a thread with room: the value passes over the stack on its way in.
    let run = || {
        cycle::<Box<Large>>(
            || vec![7; 1 << 17].try_into().unwrap(),
            |item| assert_eq!(item[1000], 7),
        );
    };
    std::thread::Builder::new()
        .stack_size(64 << 20)
        .spawn(run)
        .unwrap()
        .join()
        .unwrap();
    let inline = || cycle::<Large>(|| [7; 1 << 17], |item| assert_eq!(item[1000], 7));
    std::thread::Builder::new()
        .stack_size(64 << 20)
        .spawn(inline)
        .unwrap()
        .join()
        .unwrap();
}

#[test]
fn items_without_size_are_dropped_once_each() {
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
    static DROPS: AtomicUsize = AtomicUsize::new(0);
    struct Counted;
    impl Drop for Counted {
        fn drop(&mut self) {
            DROPS.fetch_add(1, Relaxed);
        }
    }
    let pool = Pool::with(|| Counted, |_: &mut Counted| ());
    drop((0..100).map(|_| pool.get()).collect::<Vec<_>>());
    assert_eq!(DROPS.load(Relaxed), 0);
    drop(pool.get().detach());
    drop(pool);
    assert_eq!(DROPS.load(Relaxed), 100);
}

static LINES: StaticPool<String> = StaticPool::new(|| String::with_capacity(10));
static FAILING: StaticPool<String> = StaticPool::from_fn(|| panic!("not today"));

#[test]
fn static_pools_are_made_once_and_shared() {
    let made: Vec<_> = thrifty_testkit::together(8, |_| std::ptr::from_ref(LINES.pool()).addr());
    assert!(made.iter().all(|place| *place == made[0]));
    LINES.get().push('x');
    assert_eq!(*LINES.get(), "");
    assert!(format!("{LINES:?}").starts_with("StaticPool(Some(Pool"));
}

#[test]
fn a_static_pool_that_could_not_be_made_tries_again() {
    for _ in 0..2 {
        thrifty_testkit::quietly(|| drop(FAILING.get())).unwrap_err();
    }
}

#[test]
fn many_pools_on_one_thread_do_not_mix_their_items() {
    let ledger = Ledger::new();
    let pools: Vec<_> = (0..300_u32)
        .map(|number| {
            let tracks = ledger;
            let create = move || tracks.track(number);
            Pool::with(create, |_: &mut thrifty_testkit::Tracked<u32>| ())
        })
        .collect();
    for _ in 0..3 {
        for (number, pool) in (0..).zip(&pools) {
            let two = (pool.get(), pool.get());
            assert_eq!((**two.0, **two.1), (number, number));
        }
    }
    assert_eq!(ledger.born(), 600, "each pool lends what it has");
    drop(pools);
    // Items in this thread's caches may stay until it ends or flushes; there is no pool to ask.
}

/// AddressSanitizer sees a use of an item that is back in its pool, in the cache as in the depot.
#[cfg(thrifty_asan)]
#[test]
#[expect(unsafe_code, reason = "reads what it must not")]
fn a_read_of_an_idle_item_is_seen() {
    for flushed in [false, true] {
        let ended = thrifty_testkit::in_child!(|| {
            let pool = Pool::new(|| 7_u64);
            let guard = pool.get();
            let place = std::ptr::from_ref::<u64>(&guard);
            drop(guard);
            if flushed {
                pool.flush_thread();
            }
            // SAFETY: none: the item is idle. The memory is that of a node, which is allocated.
            let read = unsafe { place.read_volatile() };
            println!("{read}");
        });
        if ended.ending() != thrifty_testkit::Ending::PassedBy {
            assert!(ended.stderr().contains("use-after-poison"), "{ended}");
        }
    }
}

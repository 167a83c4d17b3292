//! What a guard promises: clean on return, small, `'static`, and gone for good where asked.

use std::borrow::{Borrow, BorrowMut};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::thread;

use thrifty_pool::{Make, OnUnwind, Pool, PoolStats, Pooled, Reset, With};
use thrifty_testkit::{Ledger, Tracked, quietly};

/// An item that counts in a ledger and is told when it is reset.
struct Item {
    tracked: Tracked<u32>,
    resets: Arc<AtomicUsize>,
}

impl Reset for Item {
    fn reset(&mut self) {
        *self.tracked = 0;
        self.resets.fetch_add(1, Relaxed);
    }
}

/// A pool of items, how often one was reset, and who is alive.
fn pool() -> (Pool<Item>, Arc<AtomicUsize>, Ledger) {
    let (ledger, resets) = (Ledger::new(), Arc::new(AtomicUsize::new(0)));
    let (tracks, counts) = (ledger, Arc::clone(&resets));
    let create = move || Item {
        tracked: tracks.track(0),
        resets: Arc::clone(&counts),
    };
    (Pool::new(create), resets, ledger)
}

fn counts(stats: &PoolStats) -> (usize, usize, u64, u64) {
    (stats.in_use, stats.idle, stats.created, stats.retired)
}

#[test]
fn a_guard_is_one_pointer_wide() {
    const WORD: usize = size_of::<usize>();
    assert_eq!(size_of::<Pooled<[u64; 100]>>(), WORD);
    assert_eq!(size_of::<Option<Pooled<[u64; 100]>>>(), WORD);
    assert_eq!(size_of::<Option<Pooled<Vec<u8>>>>(), WORD);
    type Map = BTreeMap<u8, u8>;
    assert_eq!(
        size_of::<Option<Pooled<Map, With<Map, fn(&mut Map)>>>>(),
        WORD
    );
    assert_eq!(size_of::<Option<Pool<Vec<u8>>>>(), WORD);
}

#[test]
fn pools_and_guards_have_names_in_struct_fields() {
    type Map = BTreeMap<u8, u8>;
    type Clear = fn(&mut Map);
    struct Server {
        lines: Pool<String>,
        maps: Pool<Map, With<Map, Clear>>,
        current: Option<Pooled<String>>,
    }
    let mut server = Server {
        lines: Pool::new(String::new),
        maps: Pool::with(Map::new, Map::clear),
        current: None,
    };
    server.current = Some(server.lines.get());
    server.maps.get().insert(1, 1);
    assert!(server.maps.get().is_empty());
    assert_eq!(server.current.as_deref().map(String::as_str), Some(""));
}

#[test]
fn an_item_is_clean_as_soon_as_it_has_come_back() {
    let pool = Pool::new(Vec::<Arc<()>>::new);
    let shared = Arc::new(());
    pool.get().push(Arc::clone(&shared));
    assert_eq!(Arc::strong_count(&shared), 1);
    let (pool, resets, _ledger) = crate::pool();
    let mut item = pool.get();
    *item.tracked = 7;
    assert_eq!(resets.load(Relaxed), 0);
    drop(item);
    assert_eq!(resets.load(Relaxed), 1);
    assert_eq!(*pool.get().tracked, 0);
}

#[test]
fn an_item_keeps_its_place_from_creation_to_drop() {
    let pool = Pool::new(|| Vec::<u8>::with_capacity(100));
    let item = pool.get();
    let (place, buffer) = (std::ptr::from_ref(&*item), item.as_ptr());
    drop(item);
    let item = pool.get();
    assert_eq!((std::ptr::from_ref(&*item), item.as_ptr()), (place, buffer));
}

#[test]
fn the_same_item_comes_back_and_none_is_made() {
    let (pool, _resets, ledger) = pool();
    for _ in 0..1000 {
        drop(pool.get());
    }
    assert_eq!(ledger.born(), 1);
    assert_eq!(counts(&pool.stats()), (0, 1, 1, 0));
    drop(pool);
    ledger.assert_balanced();
}

#[test]
fn detached_items_are_the_callers_and_count_no_more() {
    let (pool, resets, ledger) = pool();
    let mut item = pool.get();
    *item.tracked = 5;
    let item = item.detach();
    assert_eq!(*item.tracked, 5);
    assert_eq!(resets.load(Relaxed), 0);
    assert_eq!(counts(&pool.stats()), (0, 0, 1, 1));
    drop(pool);
    assert_eq!(ledger.live(), 1);
    drop(item);
    ledger.assert_balanced();
}

#[test]
fn discarded_items_are_dropped_without_a_reset() {
    let (pool, resets, ledger) = pool();
    pool.get().discard();
    assert_eq!(resets.load(Relaxed), 0);
    ledger.assert_balanced();
    assert_eq!(counts(&pool.stats()), (0, 0, 1, 1));
}

#[test]
fn a_guard_that_is_never_dropped_is_a_leak_and_no_more() {
    // Where leak checkers see it: what a static holds is as good as forgotten.
    static FORGOTTEN: Mutex<Vec<Pooled<String>>> = Mutex::new(Vec::new());
    let pool = Pool::new(String::new);
    FORGOTTEN.lock().unwrap().push(pool.get());
    assert_eq!(counts(&pool.stats()), (1, 0, 1, 0));
    for _ in 0..10 {
        drop(pool.get());
    }
    pool.trim(thrifty_pool::Pressure::High);
    assert_eq!(counts(&pool.stats()), (1, 0, 2, 1));
    let weak = pool.downgrade();
    drop(pool);
    assert!(weak.upgrade().is_none());
}

#[test]
fn guards_outlive_every_handle() {
    let (pool, _resets, ledger) = pool();
    let mut guards: Vec<_> = (0..10).map(|_| pool.get()).collect();
    drop(pool);
    for (at, guard) in guards.iter_mut().enumerate() {
        *guard.tracked = u32::try_from(at).unwrap();
    }
    let last = guards.pop().unwrap();
    drop(guards);
    assert_eq!((*last.tracked, ledger.live()), (9, 1));
    thread::spawn(move || drop(last)).join().unwrap();
    ledger.assert_balanced();
}

#[test]
fn a_guard_may_be_dropped_on_a_thread_that_never_saw_the_pool() {
    let (pool, _resets, ledger) = pool();
    let guard = pool.get();
    thread::spawn(move || drop(guard)).join().unwrap();
    // That thread has ended: its cache is in the depot.
    assert_eq!(counts(&pool.stats()), (0, 1, 1, 0));
    assert!(pool.get_idle().is_some());
    drop(pool);
    ledger.assert_balanced();
}

#[test]
fn unwinding_discards_unless_told_otherwise() {
    for (on_unwind, kept) in [(OnUnwind::Discard, 0), (OnUnwind::Recycle, 1)] {
        let ledger = Ledger::new();
        let tracks = ledger;
        let pool = Pool::builder_with(
            move || tracks.track(0),
            |item: &mut Tracked<u32>| **item = 0,
        )
        .on_unwind(on_unwind)
        .build()
        .unwrap();
        quietly(|| {
            let mut guard = pool.get();
            **guard = 9;
            panic!("on purpose");
        })
        .unwrap_err();
        assert_eq!(pool.stats().idle, kept, "{on_unwind:?}");
        assert_eq!(**pool.get(), 0);
        drop(pool);
        ledger.assert_balanced();
    }
}

#[test]
fn a_guard_shows_what_its_item_shows() {
    let pool = Pool::new(String::new);
    let mut guard = pool.get();
    guard.push_str("text");
    assert_eq!(
        (format!("{guard}"), format!("{guard:?}")),
        ("text".into(), "\"text\"".into())
    );
    assert_eq!(format!("{guard:>6}"), "  text");
    let by_ref: &String = guard.as_ref();
    assert_eq!(by_ref, "text");
    let borrowed: &String = guard.borrow();
    assert_eq!(borrowed, "text");
    let by_mut: &mut String = guard.as_mut();
    by_mut.push('!');
    let borrowed: &mut String = guard.borrow_mut();
    borrowed.push('!');
    assert_eq!(*guard, "text!!");
    assert!(format!("{pool:?}").starts_with("Pool { name: \"\", stats: PoolStats {"));
}

#[test]
fn a_clone_is_a_handle_to_the_same_pool() {
    let pool = Pool::new(String::new);
    let other = pool.clone();
    drop(pool.get());
    drop(pool);
    assert!(!other.is_closed());
    assert!(other.get_idle().is_some());
}

#[test]
fn a_manager_of_one_type_serves_both_spellings() {
    fn takes(pool: &Pool<String>) -> Pooled<String, Make<String>> {
        pool.get()
    }
    assert_eq!(*takes(&Pool::default()), "");
}

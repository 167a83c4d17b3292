//! Shared values are dropped once, by whoever has the last handle.

use std::cell::Cell;
use std::rc::Rc;

use thrifty_fixed_alloc::{Counted, Slab, SlabArc};
use thrifty_testkit::{Ledger, Tracked};

thrifty_testkit::auto_traits! {
    SlabArc<u8>: [Send Sync Unpin UnwindSafe RefUnwindSafe !Copy],
    SlabArc<Cell<u8>>: [!Send !Sync Unpin !UnwindSafe !RefUnwindSafe],
    SlabArc<Rc<u8>>: [!Send !Sync],
    SlabArc<std::sync::MutexGuard<'static, u8>>: [!Send !Sync],
    SlabArc<std::marker::PhantomPinned>: [Send Sync Unpin],
    Slab<Counted<Rc<u8>>>: [Send Sync],
}

#[test]
fn the_last_handle_drops_the_value() {
    let ledger = Ledger::new();
    let slab = Slab::new();
    let first = slab.insert_arc(ledger.track(3));
    let handles: Vec<SlabArc<Tracked<u32>>> = (0..10).map(|_| first.clone()).collect();
    assert_eq!(SlabArc::strong_count(&first), 11);
    drop(first);
    assert_eq!((ledger.live(), **handles[9]), (1, 3));
    drop(handles);
    assert_eq!((ledger.live(), slab.stats().in_use), (0, 0));
    assert_eq!(ledger.check(), Ok(()));
}

#[test]
fn threads_share_values() {
    let ledger = Ledger::new();
    let slab = Slab::new();
    for turn in 0..200 {
        let arc = slab.insert_arc(ledger.track(turn));
        let threads = [(); 3].map(|()| {
            let theirs = arc.clone();
            std::thread::spawn(move || **theirs)
        });
        drop(arc);
        for thread in threads {
            assert_eq!(thread.join().unwrap(), turn);
        }
        assert_eq!((ledger.live(), slab.stats().in_use), (0, 0));
    }
}

#[test]
fn the_only_handle_may_write_and_unwrap() {
    let ledger = Ledger::new();
    let slab = Slab::new();
    let mut arc = slab.insert_arc(ledger.track(1));
    **SlabArc::get_mut(&mut arc).unwrap() = 2;
    let other = arc.clone();
    assert!(SlabArc::get_mut(&mut arc).is_none());
    let arc = SlabArc::try_unwrap(arc).unwrap_err();
    drop(other);
    let value = SlabArc::try_unwrap(arc).unwrap();
    assert_eq!((*value, slab.stats().in_use, ledger.live()), (2, 0, 1));
}

#[test]
fn a_full_slab_gives_the_value_back() {
    let slab = Slab::builder().max_blocks(1).build().unwrap();
    let held = slab.insert_arc(String::from("a"));
    let rejected = slab.try_insert_arc(String::from("b")).unwrap_err();
    drop(held);
    let arc = slab.try_insert_arc(rejected.into_value()).unwrap();
    assert_eq!(
        (arc.as_str(), format!("{arc} {arc:?}")),
        ("b", "b \"b\"".into())
    );
}

#[test]
fn values_of_no_bytes_and_strict_alignment_are_shared_too() {
    #[repr(align(128))]
    struct Strict(u8);
    let slab = Slab::new();
    let (a, b) = (slab.insert_arc(Strict(1)), slab.insert_arc(Strict(2)));
    assert_eq!((a.0, b.clone().0, (&raw const *a).addr() % 128), (1, 2, 0));
    let nothing = Slab::new().insert_arc(());
    assert_eq!(nothing, nothing.clone());
}

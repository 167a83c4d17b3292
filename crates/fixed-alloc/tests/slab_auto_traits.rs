//! Which auto traits typed slabs and boxes have, and which they must not have.

use std::cell::Cell;
use std::marker::PhantomPinned;
use std::rc::Rc;
use std::sync::MutexGuard;

use thrifty_fixed_alloc::{Slab, SlabBox, SlabBuilder, WeakSlab};

thrifty_testkit::auto_traits! {
    // A slab has no values, so it is what its memory is.
    Slab<u8>: [Send Sync Unpin UnwindSafe RefUnwindSafe !Copy],
    Slab<Rc<u8>>: [Send Sync Unpin UnwindSafe RefUnwindSafe],
    Slab<PhantomPinned>: [Send Sync Unpin],
    WeakSlab<Rc<u8>>: [Send Sync Unpin],
    SlabBuilder<Rc<u8>>: [Send],
    // A box is what its value is, but that it may always move.
    SlabBox<u8>: [Send Sync Unpin UnwindSafe RefUnwindSafe !Copy],
    SlabBox<Cell<u8>>: [Send !Sync Unpin UnwindSafe !RefUnwindSafe],
    SlabBox<MutexGuard<'static, u8>>: [!Send Sync],
    SlabBox<Rc<Cell<u8>>>: [!Send !Sync !UnwindSafe],
    SlabBox<&'static mut u8>: [Send Sync !UnwindSafe],
    SlabBox<PhantomPinned>: [Send Sync Unpin],
    SlabBox<dyn Fn()>: [!Send !Sync],
    SlabBox<dyn Fn() + Send>: [Send !Sync],
    SlabBox<dyn Fn() + Send + Sync>: [Send Sync],
    SlabBox<[u8]>: [Send Sync],
}

/// A slab of what lives long serves for what lives shorter, and a box is as short-lived as its value.
#[test]
fn lifetimes_shorten() {
    fn shorter<'a>(slab: &Slab<&'static str>, text: &'a str) -> SlabBox<&'a str> {
        let slab: &Slab<&'a str> = slab;
        slab.insert(text)
    }
    let text = String::from("short");
    let boxed = shorter(&Slab::new(), &text);
    let longer: SlabBox<&'static str> = Slab::new().insert("long");
    let both: [SlabBox<&str>; 2] = [boxed, longer];
    assert_eq!(both[0].len() + both[1].len(), 9);
}

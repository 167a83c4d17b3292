//! Which auto traits the types have, and which they must not have.

use std::cell::Cell;
use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::rc::Rc;

use thrifty_pool::{
    Builder, LocalPool, LocalPooled, Make, Manage, Pool, PoolStats, Pooled, StaticPool, WeakPool,
    With,
};

/// `Send` and not `Sync`, like any item may be.
struct Lonely;

impl Manage for Lonely {
    type Item = Cell<u8>;
    type Error = Infallible;
    fn create(&self) -> Result<Cell<u8>, Infallible> {
        Ok(Cell::new(0))
    }
}

type CellFn = With<Cell<u8>, fn(&mut Cell<u8>)>;

thrifty_testkit::auto_traits! {
    Pool<String>: [Send Sync Unpin UnwindSafe RefUnwindSafe !Copy],
    Pool<Cell<u8>>: [Send Sync Unpin UnwindSafe RefUnwindSafe],
    Pool<Cell<u8>, Lonely>: [Send Sync],
    Pool<Cell<u8>, CellFn>: [Send Sync],
    WeakPool<Cell<u8>>: [Send Sync Unpin],
    StaticPool<Cell<u8>>: [Send Sync],
    Builder<Cell<u8>>: [Send],
    // A guard is what its item is.
    Pooled<String>: [Send Sync Unpin UnwindSafe RefUnwindSafe !Copy],
    Pooled<Cell<u8>>: [Send !Sync Unpin UnwindSafe !RefUnwindSafe],
    Pooled<Cell<u8>, Lonely>: [Send !Sync Unpin],
    Make<Cell<u8>>: [Send Sync],
    PoolStats: [Send Sync Copy],
    // Bound to the thread that made them.
    LocalPool<'static, String>: [!Send !Sync],
    LocalPooled<'static, 'static, String>: [!Send !Sync],
    LocalPool<'static, Rc<u8>, fn(&mut Rc<u8>)>: [!Send !Sync],
}

#[test]
fn a_pool_may_be_used_across_a_caught_panic() {
    let pool = Pool::new(String::new);
    let guard = AssertUnwindSafe(pool.get());
    let result = thrifty_testkit::quietly(|| {
        let _two = (pool.get(), &guard);
        panic!("on purpose");
    });
    assert!(result.is_err());
    assert_eq!(pool.stats().in_use, 1);
}

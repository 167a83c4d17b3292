//! Which types may cross threads, pinned.

use std::cell::Cell;
use std::marker::PhantomData;
use std::rc::Rc;

use thrifty_memstats::{
    Alloc, AllocScope, Delta, InFuture, MemStats, NotInstalled, ScopeStats, ThreadStats, os,
};

/// What a probe says of a type without the bound; where the bound holds, the inherent constant of
/// the same name hides this one.
trait Otherwise {
    const IS_SEND: bool = false;
    const IS_SYNC: bool = false;
}
struct SendProbe<T: ?Sized>(PhantomData<T>);
struct SyncProbe<T: ?Sized>(PhantomData<T>);
impl<T: ?Sized> Otherwise for SendProbe<T> {}
impl<T: ?Sized> Otherwise for SyncProbe<T> {}
impl<T: ?Sized + Send> SendProbe<T> {
    const IS_SEND: bool = true;
}
impl<T: ?Sized + Sync> SyncProbe<T> {
    const IS_SYNC: bool = true;
}

macro_rules! pinned {
    ($($type:ty: $send:literal $sync:literal),+ $(,)?) => { $(
        assert_eq!(SendProbe::<$type>::IS_SEND, $send, "{}: Send", stringify!($type));
        assert_eq!(SyncProbe::<$type>::IS_SYNC, $sync, "{}: Sync", stringify!($type));
    )+ };
}

#[test]
fn send_and_sync_are_as_promised() {
    pinned!(
        Alloc: true true,
        Alloc<Cell<u8>>: true false,
        Alloc<Rc<u8>>: false false,
        AllocScope: true true,
        Delta: true true,
        MemStats: true true,
        NotInstalled: true true,
        ScopeStats: true true,
        ThreadStats: true true,
        os::OsMemory: true true,
        InFuture<std::future::Ready<u8>>: true false,
        InFuture<std::future::Ready<Rc<u8>>>: false false,
    );
}

#[test]
fn a_wrapped_future_is_unpin_only_if_the_future_is() {
    fn is_unpin<T: Unpin>(_: &T) {}
    let scope = AllocScope::new("unpin");
    is_unpin(&scope.in_future(std::future::ready(1)));
}

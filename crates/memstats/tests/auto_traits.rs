//! Which types may cross threads, pinned.

use std::cell::Cell;
use std::future::Ready;
use std::marker::PhantomPinned;
use std::rc::Rc;

use thrifty_memstats::{
    Alloc, AllocScope, Delta, InFuture, MemStats, NotInstalled, ScopeStats, ThreadStats, os,
};

/// A future is `Unpin` in its scope only where it is by itself.
struct Pinned(PhantomPinned);

#[test]
fn auto_traits_are_as_promised() {
    thrifty_testkit::auto_traits! {
        Alloc: [Send Sync Unpin],
        Alloc<Cell<u8>>: [Send !Sync],
        Alloc<Rc<u8>>: [!Send !Sync],
        AllocScope: [Send Sync],
        Delta: [Send Sync],
        MemStats: [Send Sync],
        NotInstalled: [Send Sync],
        ScopeStats: [Send Sync],
        ThreadStats: [Send Sync],
        os::OsMemory: [Send Sync],
        InFuture<Ready<u8>>: [Send !Sync Unpin],
        InFuture<Ready<Rc<u8>>>: [!Send !Sync],
        InFuture<Pinned>: [!Unpin],
    }
}

#[cfg(feature = "limit")]
#[test]
fn auto_traits_of_the_limit_are_as_promised() {
    use thrifty_memstats::limit;

    thrifty_testkit::auto_traits! {
        limit::EnvironmentError: [Send Sync],
        limit::Event: [Send Sync],
        limit::Events: [Send Sync],
        limit::Limit: [Send Sync],
        limit::LimitError: [Send Sync],
        limit::LimitStats: [Send Sync],
        limit::ParseLimitError: [Send Sync],
        limit::Registration: [Send Sync],
        limit::Trim: [Send Sync],
        limit::TrimError: [Send Sync],
        limit::Tuning: [Send Sync],
    }
}

#[cfg(feature = "profile")]
#[test]
fn auto_traits_of_the_heap_profile_are_as_promised() {
    use thrifty_memstats::{HeapProfile, ProfileError, Profiling, RateChange, Site};

    thrifty_testkit::auto_traits! {
        HeapProfile: [Send Sync Unpin],
        ProfileError: [Send Sync],
        Profiling: [Send Sync],
        RateChange: [Send Sync],
        Site: [Send Sync],
    }
}

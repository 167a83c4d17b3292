// The README's examples are of all features.
#![cfg_attr(any(not(doctest), feature = "limit"), doc = include_str!("../README.md"))]
#![cfg_attr(
    all(thrifty_loom, feature = "loom"),
    expect(
        dead_code,
        reason = "a loom build has the protocols without what uses them"
    )
)]

extern crate alloc;

#[cfg(feature = "limit")]
mod alarm;
#[cfg(not(all(thrifty_loom, feature = "loom")))]
mod assertion;
#[cfg(not(all(thrifty_loom, feature = "loom")))]
#[expect(
    unsafe_code,
    reason = "implements GlobalAlloc; every call is passed on unchanged"
)]
mod counting;
mod counts;
#[cfg(all(feature = "profile", not(all(thrifty_loom, feature = "loom"))))]
mod export;
#[cfg(not(all(thrifty_loom, feature = "loom")))]
mod frame;
#[cfg(not(all(thrifty_loom, feature = "loom")))]
#[expect(unsafe_code, reason = "allocates once to see whether it is counted")]
mod installed;
#[cfg(all(feature = "limit", not(all(thrifty_loom, feature = "loom"))))]
pub mod limit;
#[cfg(test)]
mod models;
#[cfg(all(feature = "monitor", not(all(thrifty_loom, feature = "loom"))))]
pub mod monitor;
#[cfg_attr(
    any(target_vendor = "apple", windows),
    expect(unsafe_code, reason = "system calls")
)]
pub mod os;
#[cfg(all(feature = "profile", not(all(thrifty_loom, feature = "loom"))))]
mod profile;
#[cfg(not(all(thrifty_loom, feature = "loom")))]
mod read;
mod registry;
#[cfg(any(feature = "profile", all(thrifty_loom, feature = "loom")))]
#[expect(
    unsafe_code,
    reason = "memory of its own, past the global allocator; reads blocks that are being freed"
)]
mod sampler;
#[cfg(not(all(thrifty_loom, feature = "loom")))]
#[expect(unsafe_code, reason = "projects a pin")]
mod scope;
#[cfg(feature = "limit")]
mod seat;
mod slot;
#[cfg(not(all(thrifty_loom, feature = "loom")))]
mod stack;
#[cfg(not(all(thrifty_loom, feature = "loom")))]
mod stats;
#[cfg(not(all(thrifty_loom, feature = "loom")))]
#[expect(unsafe_code, reason = "follows the thread's list of open scopes")]
mod thread;
#[cfg(all(feature = "stacks", not(all(thrifty_loom, feature = "loom"))))]
#[expect(unsafe_code, reason = "calls the unwinder")]
mod unwind;
mod watermark;

#[cfg(all(feature = "monitor", not(all(thrifty_loom, feature = "loom"))))]
pub use self::monitor::Monitor;
#[cfg(not(all(thrifty_loom, feature = "loom")))]
pub use self::{
    counting::Alloc,
    installed::{NotInstalled, is_installed},
    read::{allocs_per_run, allow_alloc, measure, measure_process, read, thread},
    scope::{AllocScope, InFuture, ScopeStats},
    stats::{Delta, MemStats, ThreadStats},
};

#[cfg(all(feature = "serde-1", not(all(thrifty_loom, feature = "loom"))))]
pub use self::export::ReadError;
#[cfg(all(feature = "symbolize", not(all(thrifty_loom, feature = "loom"))))]
pub use self::export::Symbolized;
#[cfg(all(feature = "profile", not(all(thrifty_loom, feature = "loom"))))]
pub use self::export::{Code, CodeFrame, Module, SampleType, WriteError, save};
#[cfg(all(feature = "cpu", not(all(thrifty_loom, feature = "loom"))))]
pub use self::export::{CpuProfiling, write_cpu_profile};
#[cfg(all(feature = "pprof", not(all(thrifty_loom, feature = "loom"))))]
pub use self::export::{write_allocs_profile, write_heap_profile};
#[cfg(all(feature = "profile", not(all(thrifty_loom, feature = "loom"))))]
pub use self::profile::{
    Bucket, Capture, Contents, Dropped, Growth, HeapProfile, Histogram, Lifetimes, Print,
    ProfileError, RateChange, Site, Totals, Unwinder,
};
#[cfg(all(feature = "profile", not(all(thrifty_loom, feature = "loom"))))]
pub use self::sampler::control::{
    Profiling, heap_profile, label_thread, profiling, profiling_from_env, set_profiling_rate,
    stop_profiling,
};

/// What the macros expand to; not an interface.
#[cfg(not(all(thrifty_loom, feature = "loom")))]
#[doc(hidden)]
pub mod __private {
    pub use crate::assertion::{Assertion, check, limit};
    pub use crate::frame::Limit;
}

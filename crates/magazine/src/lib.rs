#![doc = include_str!("../README.md")]
#![cfg_attr(
    all(thrifty_loom, feature = "loom"),
    expect(
        dead_code,
        reason = "a loom build has the protocols without what uses them"
    )
)]

extern crate alloc;

#[expect(unsafe_code, reason = "two magazines that only their holder touches")]
mod cache;
mod census;
mod config;
mod contain;
#[expect(
    unsafe_code,
    reason = "owns seats through atomic pointers; ends engines"
)]
mod core;
mod decay;
#[expect(unsafe_code, reason = "owns magazines through atomic pointers")]
mod depot;
#[cfg(not(all(thrifty_loom, feature = "loom")))]
#[expect(unsafe_code, reason = "counted pointers to an engine")]
mod engine;
#[expect(unsafe_code, reason = "hands rounds and leases over")]
mod flow;
mod leases;
#[expect(unsafe_code, reason = "owns a block of memory")]
mod magazine;
#[cfg(test)]
#[expect(unsafe_code, reason = "plays the part of the typed half")]
mod models;
#[cfg(not(all(thrifty_loom, feature = "loom")))]
mod permit;
mod round;
#[expect(unsafe_code, reason = "a place that only the owner touches")]
mod seat;
#[expect(unsafe_code, reason = "hands rounds and leases over")]
mod seated;
mod set;
#[cfg(not(all(thrifty_loom, feature = "loom")))]
mod stats;
#[expect(unsafe_code, reason = "shows a cache to the holder of a lock")]
mod stripe;
#[expect(unsafe_code, reason = "hands rounds and leases over")]
mod striped;
#[expect(unsafe_code, reason = "an unsafe trait")]
mod supplier;
#[cfg(not(all(thrifty_loom, feature = "loom")))]
#[expect(unsafe_code, reason = "follows a thread's own table and list of seats")]
mod thread;
#[expect(unsafe_code, reason = "calls the supplier")]
mod trim;

pub use self::{
    config::{Config, ConfigError, MAX_MAGAZINES, MAX_ROUNDS},
    supplier::Supplier,
};
#[cfg(not(all(thrifty_loom, feature = "loom")))]
pub use self::{
    engine::{Engine, Shared, WeakEngine},
    permit::{Permit, Refused},
    stats::Stats,
    thread::is_thread_ending,
};

/// What `thrifty-pool` shares with the engine; not an interface.
#[doc(hidden)]
pub mod __private {
    pub use crate::contain::contain;
}

//! A soft memory limit: components that hold spare memory are asked for it before it runs short.
//!
//! What Go's `GOMEMLIMIT` and `GOGC` pace is its collector. A Rust program has none, but it has pools,
//! caches, interners and arenas that keep memory for later. [Register](register) them, set a limit
//! ([`set_soft`]), a growth ([`set_percent`]) or both, and a controller asks them with growing
//! [`Pressure`] when the program comes near:
//!
//! ```text
//! goal = min( base + base·percent/100, limit − headroom − nonheap )
//! ```
//!
//! `base` is what was live after the last cycle, `headroom` 5 % of the limit, `nonheap` what is
//! resident beyond the live heap. A cycle begins at 95 % of the goal and ends at 90 %. The limit is
//! held to the greater of the live heap and what is resident, so memory that the allocator keeps is
//! given back to the system too ([`set_release`]).
//!
//! Where somebody else takes the memory, the figures of this process say nothing of it. Linux tells how
//! long a control group has waited for memory: [`Tuning::stall_percent`] begins cycles by that.
//!
//! It is a soft limit: nothing fails when it is exceeded, and when nobody has anything to give it is
//! exceeded, which an [`Event`] tells.
//!
//! # Examples
//!
//! ```
//! use std::sync::{Arc, Mutex};
//! use thrifty_memstats::limit::{self, Limit, Priority};
//! use thrifty_traits::{MemoryUsage, Pressure, Reclaim, Reclaimed, Usage};
//!
//! #[global_allocator]
//! static ALLOC: thrifty_memstats::Alloc = thrifty_memstats::Alloc::system();
//!
//! /// Results that could be computed again.
//! #[derive(Default)]
//! struct Cache(Mutex<Vec<Vec<u8>>>);
//!
//! impl MemoryUsage for Cache {
//!     fn memory_usage(&self) -> Usage {
//!         let bytes = self.0.lock().unwrap().iter().map(Vec::capacity).sum();
//!         Usage::new().with_idle_bytes(bytes).with_reserved_bytes(bytes)
//!     }
//! }
//!
//! impl Reclaim for Cache {
//!     fn reclaim(&self, pressure: Pressure) -> Reclaimed {
//!         if pressure < Pressure::High {
//!             return Reclaimed::new();
//!         }
//!         let dropped = std::mem::take(&mut *self.0.lock().unwrap());
//!         Reclaimed::new().with_bytes(dropped.iter().map(Vec::capacity).sum())
//!     }
//! }
//!
//! let cache = Arc::new(Cache::default());
//! let registration = limit::register("results", Priority::Costly, Arc::clone(&cache));
//! limit::set_soft(Limit::Bytes(1 << 30))?;
//!
//! cache.0.lock().unwrap().push(vec![0; 1 << 20]);
//! let trim = limit::trim_now(Pressure::High)?;
//! assert_eq!(trim.reclaimed_bytes, 1 << 20);
//! # drop(registration);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Concurrency
//!
//! The controller is a thread of its own, started by the first limit. Threads that allocate look at
//! the sum of the live heap after every 256 KiB of their own (a thousandth of the goal, if that is
//! less, down to 4 KiB; in proportion more past 8 threads) and wake it, so it hears of the trigger
//! late by at most that much per thread. No hook of the allocator locks, allocates or runs a
//! reclaimer. Reclaimers run one at a time on a second thread, which the controller leaves behind
//! when a call misses the deadline ([`Tuning::deadline`]).
//!
//! A cycle allocates nothing: it may run because there is nothing left.
//!
//! A reclaimer may call everything in here, but [`trim_now`] answers with an error and [`assist`]
//! does nothing.
//!
//! A child that has forked keeps settings and registrations, and has no controller until a limit or a
//! percentage is set in it; [`trim_now`] and [`assist`] work meanwhile. What its parent's other threads
//! were about is not waited for, but for one thing: as with all that holds a lock, a `fork` at the moment in
//! which another thread books something leaves the child with a lock that nobody opens.
//!
//! # Memory
//!
//! Some 50 KiB once limits are used, most of it the ring of the last cycles, and two threads' stacks.
//!
//! [`Pressure`]: thrifty_traits::Pressure

mod amount;
mod budget;
mod control;
mod crew;
mod cycle;
mod environment;
mod event;
mod governor;
mod hand;
mod interface;
mod priority;
mod registration;
#[cfg_attr(
    all(target_os = "linux", target_env = "gnu"),
    expect(unsafe_code, reason = "calls malloc_trim")
)]
mod release;
mod stall;
mod state;
mod stats;
mod tools;
mod total;
mod tuning;

pub(crate) use self::control::observed;
#[cfg(feature = "monitor")]
pub(crate) use self::control::trims;
pub use self::{
    amount::{Limit, LimitError, ParseLimitError},
    environment::EnvironmentError,
    event::{Event, Events},
    interface::{
        TrimError, assist, from_env, set_percent, set_release, set_soft, stats, subscribe,
        trim_now, tune,
    },
    priority::Priority,
    registration::{Registration, register},
    stats::{LimitStats, Reason, ReclaimerStats, Trim},
    tuning::Tuning,
};

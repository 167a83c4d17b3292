#![doc = include_str!("../README.md")]

mod auto_traits;
#[expect(unsafe_code, reason = "implements allocators")]
mod backing;
#[cfg_attr(unix, expect(unsafe_code, reason = "a system call"))]
mod child;
#[expect(
    unsafe_code,
    reason = "implements GlobalAlloc; every call is passed on or refused"
)]
mod failing;
#[cfg(unix)]
#[expect(unsafe_code, reason = "system calls")]
mod fork;
mod fuse;
#[expect(
    unsafe_code,
    reason = "values that may be dropped already; Send and Sync of a pointer"
)]
mod ledger;
mod pinned;
mod plan;
#[expect(unsafe_code, reason = "implements GlobalAlloc with redzones")]
mod poison;
mod program;
mod quiet;
#[cfg_attr(target_os = "linux", expect(unsafe_code, reason = "system calls"))]
mod space;
mod streams;
mod sweep;
mod threads;
mod tool;

#[cfg(unix)]
pub use self::fork::{Forked, fork, fork_for};
#[cfg(feature = "proptest")]
pub use self::program::strategies;
pub use self::{
    backing::Backing,
    child::{Child, Ended, Ending},
    failing::{AllocFault, Armed, FailingAlloc, ThreadCounts, exempt, thread_counts, with_failing},
    fuse::{Blown, Fuse},
    ledger::{Ledger, Tracked, garbage_met},
    pinned::is_pinned_rustc,
    poison::{FREED, FRESH, PoisonAlloc, REDZONE},
    program::{Divergence, Machine, Op, Program, Rng, fuzz, fuzz_to_the_end, run_against_oracle},
    quiet::{message, quietly},
    space::in_address_space,
    sweep::{Fault, Outcome, Sweep, SweepError, Swept},
    threads::{Registered, around_tls_destructors, churn, oversubscribe, together},
    tool::{is_skipped_under, tool},
};

/// What the macros expand to; not an interface.
#[doc(hidden)]
pub mod __private {
    pub use crate::auto_traits::{
        CopyProbe, Otherwise, RefUnwindSafeProbe, SendProbe, SyncProbe, UnpinProbe, UnwindSafeProbe,
    };
    pub use crate::child::test_name;
}

//! One idle buffer per thread, in a place where trims reach it.
//!
//! A class of large buffers has no thread caches in its engine: what an idle thread holds there,
//! nobody else can take. Instead, with the feature `thread_local`, each thread has a slot that
//! anyone can empty.

use core::{cell::Cell, fmt, ptr::NonNull};

use thread_local::ThreadLocal;
use thrifty_magazine::{Config, is_thread_ending};
use thrifty_sync::{atomic::AtomicU32, clock::Instant, ord};

use super::{
    interval::Interval,
    slot::{Gate, Slot},
};
use crate::contain::contain;

/// The slots of one class, a thread's each.
///
/// A slot is made by a thread that gets a buffer, as threads do that live. One that only drops
/// buffers may be doing so while it ends, when `thread_local` has no number for it any more and
/// panics; its buffers go to the depot. What is left is a thread whose *first* large buffer is got by
/// a destructor of a thread-local, after that of `thread_local`, which some other code has used
/// there. No one can tell such a thread from one that lives, so it meets that panic, contained as
/// far as panics unwind.
///
/// # Memory
///
/// 128 bytes for each thread number that ever got a buffer; numbers are used again after a
/// thread's end, and so is what is in the slot then. The tables grow by doubling. `thread_local`
/// allocates them, and aborts where that fails; so memory is asked for before, by ways that may
/// fail. An abort is left only where the memory runs out in between.
pub(crate) struct Slots {
    slots: ThreadLocal<Apart>,
    gate: Gate,
    interval: Interval,
}

/// A slot that shares no cache line with that of another thread. With the flag that `ThreadLocal`
/// puts in front, one takes 128 bytes.
#[derive(Debug)]
#[repr(align(64))]
struct Apart {
    slot: Slot<()>,
    /// How often the owner has looked for a block here. A count for each slot: of one for all,
    /// classes that are used in turn would get every second, or none, of the looks at the clock.
    looks: AtomicU32,
}

impl Slots {
    pub(crate) fn new() -> Self {
        Self {
            slots: ThreadLocal::new(),
            gate: Gate::new(),
            interval: Interval::new(),
        }
    }

    /// This thread's idle block, and whether it is time for [`age`](Self::age). Makes the thread's
    /// slot, if it has none; what `free` gets is handed over.
    pub(crate) fn take(
        &self,
        config: &Config,
        free: impl FnOnce(NonNull<()>),
    ) -> (Option<NonNull<()>>, bool) {
        let slot = self.slots.get().or_else(|| self.enter_slow(free));
        let Some(Apart { slot, looks }) = slot else {
            return (None, false);
        };
        let taken = slot.take().and_then(NonNull::new);
        // ORDERING(pool.slot_looks): Relaxed; a count of this thread's own.
        let count = looks.load(ord!(pool.slot_looks, Relaxed)).wrapping_add(1);
        looks.store(count, ord!(pool.slot_looks, Relaxed));
        let is_time = count % LOOK_EVERY == 0 && self.is_over_now(config);
        (taken, is_time)
    }

    /// Keeps a block for this thread, if it has a slot. Whether that was possible: if not, nothing
    /// has happened; if so, `self` may be gone with the block.
    pub(crate) fn put(&self, block: NonNull<()>) -> bool {
        let slot = self.slots.get();
        slot.is_some_and(|slot| slot.slot.put(block.as_ptr()))
    }

    /// Makes this thread's slot, or takes over that of an earlier thread of its number, if the
    /// gate is open. If not, the slot is closed, and what was in it is for `free`.
    #[cold]
    fn enter_slow(&self, free: impl FnOnce(NonNull<()>)) -> Option<&Apart> {
        if IS_LEAVING.get() || is_thread_ending() || !is_there_memory() {
            return None;
        }
        let mut made = None;
        contain(|| made = Some(self.slots.get_or(Apart::new)));
        let Some(apart) = made else {
            IS_LEAVING.set(true);
            return None;
        };
        // From now on this thread is watched for its end. If it is ending, the slot serves still.
        let _ = LEAVING.try_with(|_| ());
        if self.gate.admits() {
            return Some(apart);
        }
        if let Some(left) = apart.slot.close().and_then(NonNull::new) {
            free(left);
        }
        None
    }

    /// Whether the interval is over by the pool's clock. That may be the user's: where it panics,
    /// no interval ends.
    #[cold]
    fn is_over_now(&self, config: &Config) -> bool {
        let mut now = None;
        contain(|| now = config.now());
        now.is_some_and(|now| self.is_over(now, config))
    }

    /// Whether the interval is over at `now`; says so once.
    pub(crate) fn is_over(&self, now: Instant, config: &Config) -> bool {
        self.interval.is_over(now, config.decay_interval)
    }

    /// Takes out what was not used since the last call, and hands it over.
    pub(crate) fn age(&self, mut each: impl FnMut(NonNull<()>)) {
        let old = self.slots.iter().filter_map(|slot| slot.slot.age());
        old.filter_map(NonNull::new).for_each(&mut each);
    }

    /// Takes out everything, and hands it over.
    pub(crate) fn steal(&self, mut each: impl FnMut(NonNull<()>)) {
        let all = self.slots.iter().filter_map(|slot| slot.slot.steal());
        all.filter_map(NonNull::new).for_each(&mut each);
    }

    /// Takes out everything and lets nothing in again.
    pub(crate) fn close(&self, mut each: impl FnMut(NonNull<()>)) {
        self.gate.shut();
        let all = self.slots.iter().filter_map(|slot| slot.slot.close());
        all.filter_map(NonNull::new).for_each(&mut each);
    }

    /// How many blocks are idle here.
    pub(crate) fn count(&self) -> usize {
        self.slots.iter().filter(|slot| slot.slot.is_full()).count()
    }
}

impl Apart {
    fn new() -> Self {
        Self {
            slot: Slot::new(),
            looks: AtomicU32::new(0),
        }
    }
}

impl fmt::Debug for Slots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slots").finish_non_exhaustive()
    }
}

/// How many looks at a slot come with one at the clock.
const LOOK_EVERY: u32 = 64;

/// Whether there is memory for a table, as far as one can know before: `thread_local` aborts
/// where there is none, and a buffer without a slot is no loss.
fn is_there_memory() -> bool {
    let mut probe = Vec::<Apart>::new();
    probe.try_reserve_exact(PROBE_SLOTS).is_ok()
}

/// As many slots as 64 threads have, with their flags.
const PROBE_SLOTS: usize = 128;

/// Notices that this thread is ending.
struct Leaving;

thread_local! {
    /// Whether this thread must make no more slots. Without a destructor, so it can be read to
    /// the last.
    static IS_LEAVING: Cell<bool> = const { Cell::new(false) };
    /// Comes after the value of `thread_local`, and so is destroyed before it.
    static LEAVING: Leaving = const { Leaving };
}

impl Drop for Leaving {
    fn drop(&mut self) {
        IS_LEAVING.set(true);
    }
}

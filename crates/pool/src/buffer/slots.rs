//! One idle buffer per thread, in a place where trims reach it.
//!
//! A class of large buffers has no thread caches in its engine: what an idle thread holds there,
//! nobody else can take. Instead, with the feature `thread_local`, each thread has a slot that
//! anyone can empty.

use core::{cell::Cell, fmt, ptr::NonNull};
use std::panic::{AssertUnwindSafe, catch_unwind};

use thread_local::ThreadLocal;
use thrifty_magazine::Config;
use thrifty_sync::clock::Instant;

use super::{
    interval::Interval,
    slot::{Gate, Slot},
};

/// The slots of one class, a thread's each.
///
/// # Memory
///
/// 128 bytes for each thread number that ever put a buffer; numbers are used again after a
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
struct Apart(Slot<()>);

impl Slots {
    pub(crate) fn new() -> Self {
        Self {
            slots: ThreadLocal::new(),
            gate: Gate::new(),
            interval: Interval::new(),
        }
    }

    /// This thread's idle block.
    pub(crate) fn take(&self) -> Option<NonNull<()>> {
        self.slots
            .get()
            .and_then(|slot| slot.0.take())
            .and_then(NonNull::new)
    }

    /// Keeps a block for this thread. Whether that was possible: if not, nothing has happened; if
    /// so, `self` may be gone with the block. What `free` gets instead is handed over.
    pub(crate) fn put(&self, block: NonNull<()>, free: impl FnOnce(NonNull<()>)) -> bool {
        let slot = match self.slots.get() {
            Some(slot) => slot,
            None => match self.enter_slow(free) {
                Some(slot) => slot,
                None => return false,
            },
        };
        slot.0.put(block.as_ptr())
    }

    /// Makes this thread's slot, or takes over that of an earlier thread of its number, if the
    /// gate is open. If not, the slot is closed, and what was in it is for `free`.
    #[cold]
    fn enter_slow(&self, free: impl FnOnce(NonNull<()>)) -> Option<&Apart> {
        if IS_LEAVING.get() || !is_there_memory() {
            return None;
        }
        // `thread_local` panics when its own thread-local is gone. `Leaving` goes before it and
        // says so, unless this thread has never been here and is ending, after another user of
        // that crate.
        let made = catch_unwind(AssertUnwindSafe(|| {
            self.slots.get_or(|| Apart(Slot::new()))
        }));
        let Ok(slot) = made else {
            IS_LEAVING.set(true);
            return None;
        };
        // From now on this thread is watched for its end. If it is ending, the slot serves still.
        let _ = LEAVING.try_with(|_| ());
        if self.gate.admits() {
            return Some(slot);
        }
        if let Some(left) = slot.0.close().and_then(NonNull::new) {
            free(left);
        }
        None
    }

    /// Whether it is time for [`age`](Self::age), by the pool's clock, at which one call of a
    /// thread in [`LOOK_EVERY`] looks.
    pub(crate) fn is_time(&self, config: &Config) -> bool {
        let looks = LOOKS.get().wrapping_add(1);
        LOOKS.set(looks);
        looks % LOOK_EVERY == 0
            && config
                .clock
                .as_ref()
                .is_some_and(|clock| self.is_over(clock.now(), config))
    }

    /// Whether the interval is over at `now`; says so once.
    pub(crate) fn is_over(&self, now: Instant, config: &Config) -> bool {
        self.interval.is_over(now, config.decay_interval)
    }

    /// Takes out what was not used since the last call, and hands it over.
    pub(crate) fn age(&self, mut each: impl FnMut(NonNull<()>)) {
        let old = self.slots.iter().filter_map(|slot| slot.0.age());
        old.filter_map(NonNull::new).for_each(&mut each);
    }

    /// Takes out everything, and hands it over.
    pub(crate) fn steal(&self, mut each: impl FnMut(NonNull<()>)) {
        let all = self.slots.iter().filter_map(|slot| slot.0.steal());
        all.filter_map(NonNull::new).for_each(&mut each);
    }

    /// Takes out everything and lets nothing in again.
    pub(crate) fn close(&self, mut each: impl FnMut(NonNull<()>)) {
        self.gate.shut();
        let all = self.slots.iter().filter_map(|slot| slot.0.close());
        all.filter_map(NonNull::new).for_each(&mut each);
    }

    /// How many blocks are idle here.
    pub(crate) fn count(&self) -> usize {
        self.slots.iter().filter(|slot| slot.0.is_full()).count()
    }
}

impl fmt::Debug for Slots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slots").finish_non_exhaustive()
    }
}

/// How many looks at a slot come with one look at the clock.
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
    /// How often this thread has looked for a block in a slot.
    static LOOKS: Cell<u32> = const { Cell::new(0) };
    /// Comes after the value of `thread_local`, and so is destroyed before it.
    static LEAVING: Leaving = const { Leaving };
}

impl Drop for Leaving {
    fn drop(&mut self) {
        IS_LEAVING.set(true);
    }
}

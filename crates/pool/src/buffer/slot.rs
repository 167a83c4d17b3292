//! A place for one idle buffer that belongs to a thread and that other threads can empty.
//!
//! ```text
//!            put (owner)                        close (anyone)
//!   EMPTY ───────────────► p ──── age ───► p|1 ───────────────► CLOSED, for good
//!     ▲                    │                │                      ▲
//!     └── take (owner) ────┴── steal, age ──┘      EMPTY ──────────┘
//! ```
//!
//! What is in the slot holds a lease on the engine whose supplier owns the slot. So
//!
//! - a buffer that stayed in a slot after the engine was closed would keep both alive for ever:
//!   `close` leaves a mark behind that no later `put` replaces;
//! - who has put a buffer into a slot may no longer touch the slot: the lease went with the
//!   buffer, which may be stolen and freed at once, and the engine with it. So `put` is one
//!   compare-and-swap and does nothing after it.
//!
//! A thread's slot is made when it first looks for something, which may be while another thread
//! closes all the slots that it can see. [`Gate`] makes sure that one of the two sees the other. It
//! may also take over the slot of an ended thread whose number it got, with a buffer in it.

#![forbid(unsafe_code)]

use core::ptr;

use thrifty_sync::{
    atomic::{AtomicBool, AtomicPtr},
    fence, ord,
};

/// A place for one pointer to something aligned to 2 or more.
#[derive(Debug)]
pub(crate) struct Slot<T>(AtomicPtr<T>);

/// What the address of a closed slot's pointer is. No block is there.
const CLOSED: usize = 2;
/// Set in the address of a buffer that was in the slot at the last tick.
const OLD: usize = 1;

fn closed<T>() -> *mut T {
    ptr::without_provenance_mut(CLOSED)
}

/// The buffer in a slot's value, without the mark of its age.
fn buffer<T>(value: *mut T) -> Option<*mut T> {
    let untagged = value.map_addr(|address| address & !OLD);
    (untagged.addr() > CLOSED).then_some(untagged)
}

impl<T> Slot<T> {
    /// An empty slot.
    pub(crate) fn new() -> Self {
        Self(AtomicPtr::new(ptr::null_mut()))
    }

    /// Puts a buffer in. Whether that was possible: if not, nothing has happened; if so, the
    /// slot itself may be gone already.
    #[inline]
    pub(crate) fn put(&self, block: *mut T) -> bool {
        // ORDERING(pool.slot_full): Relaxed; nothing is done with what is in the slot.
        let full = ord!(pool.slot_full, Relaxed);
        // ORDERING(pool.slot_put): Release; pairs with pool.slot_take, pool.slot_steal and
        // pool.slot_close, so that who gets the buffer sees what was written to it.
        self.0
            .compare_exchange(ptr::null_mut(), block, ord!(pool.slot_put, Release), full)
            .is_ok()
    }

    /// Takes the buffer out, by the thread whose slot this is.
    #[inline]
    pub(crate) fn take(&self) -> Option<*mut T> {
        let value = self.peek();
        let block = buffer(value)?;
        // ORDERING(pool.slot_take): Acquire; pairs with pool.slot_put. This thread or one that
        // had its number before has put the buffer.
        let taken = ord!(pool.slot_take, Acquire);
        // A failure means that somebody stole the buffer or marked it as old. In the second case
        // it is still there, but a miss costs less than a loop.
        self.0
            .compare_exchange(value, ptr::null_mut(), taken, ord!(pool.slot_peek, Relaxed))
            .is_ok()
            .then_some(block)
    }

    /// Takes the buffer out, by any thread.
    pub(crate) fn steal(&self) -> Option<*mut T> {
        let mut value = self.peek();
        while let Some(block) = buffer(value) {
            // ORDERING(pool.slot_steal): Acquire; pairs with pool.slot_put.
            let stolen = ord!(pool.slot_steal, Acquire);
            match self.0.compare_exchange(
                value,
                ptr::null_mut(),
                stolen,
                ord!(pool.slot_peek, Relaxed),
            ) {
                Ok(_) => return Some(block),
                Err(now) => value = now,
            }
        }
        None
    }

    /// Takes the buffer out if it was here at the last call already, by any thread; otherwise
    /// marks it for the next call.
    pub(crate) fn age(&self) -> Option<*mut T> {
        let value = self.peek();
        let block = buffer(value)?;
        if value.addr() & OLD != 0 {
            // ORDERING(pool.slot_expire): Acquire; pairs with pool.slot_put.
            let expired = ord!(pool.slot_expire, Acquire);
            return self
                .0
                .compare_exchange(
                    value,
                    ptr::null_mut(),
                    expired,
                    ord!(pool.slot_peek, Relaxed),
                )
                .is_ok()
                .then_some(block);
        }
        let old = value.map_addr(|address| address | OLD);
        // ORDERING(pool.slot_mark): Relaxed; a mark on a buffer that stays. It continues the
        // release sequence of the put, so a later taker still sees all. Where it fails, somebody
        // was there just now, and the buffer is not old.
        let _ = self.0.compare_exchange(
            value,
            old,
            ord!(pool.slot_mark, Relaxed),
            ord!(pool.slot_mark, Relaxed),
        );
        None
    }

    /// Closes the slot for good and takes out what is in it, by any thread.
    pub(crate) fn close(&self) -> Option<*mut T> {
        // ORDERING(pool.slot_close): Acquire; pairs with pool.slot_put.
        buffer(self.0.swap(closed(), ord!(pool.slot_close, Acquire)))
    }

    /// Whether there is a buffer.
    pub(crate) fn is_full(&self) -> bool {
        buffer(self.peek()).is_some()
    }

    #[inline]
    fn peek(&self) -> *mut T {
        // ORDERING(pool.slot_peek): Relaxed; a guess that the exchange after it confirms, and a
        // figure for statistics. Nothing is read through the pointer.
        self.0.load(ord!(pool.slot_peek, Relaxed))
    }
}

/// Decides between a thread that makes a slot and one that closes them all.
#[derive(Debug)]
pub(crate) struct Gate(AtomicBool);

impl Gate {
    /// An open gate.
    pub(crate) fn new() -> Self {
        Self(AtomicBool::new(false))
    }

    /// Whether a slot that has just been made known to others may be used. If so, who closes the
    /// gate will find it.
    pub(crate) fn admits(&self) -> bool {
        // ORDERING(pool.gate_enter): SeqCst; pairs with pool.gate_shut. The fence orders making
        // the slot known before the load below; of two such fences one is first, so either this
        // load sees the gate shut, or who shut it sees the slot.
        fence!(pool.gate_enter, SeqCst);
        // ORDERING(pool.gate_flag): Relaxed; the fences order it.
        !self.0.load(ord!(pool.gate_flag, Relaxed))
    }

    /// Shuts the gate. Call before the slots are closed one by one.
    pub(crate) fn shut(&self) {
        self.0.store(true, ord!(pool.gate_flag, Relaxed));
        // ORDERING(pool.gate_shut): SeqCst; pairs with pool.gate_enter. It orders the store above
        // before the loads that look for slots.
        fence!(pool.gate_shut, SeqCst);
    }
}

#[cfg(all(test, not(all(thrifty_loom, feature = "loom"))))]
mod tests {
    use super::Slot;

    #[test]
    fn a_buffer_is_old_after_two_ticks_without_use() {
        let (slot, mut block) = (Slot::new(), 7_u64);
        let block = &raw mut block;
        assert!(slot.put(block));
        assert_eq!(slot.age(), None);
        assert_eq!(slot.take(), Some(block), "marked, and still the owner's");
        assert!(slot.put(block));
        assert_eq!(slot.age(), None, "used since the last tick");
        assert_eq!(slot.age(), Some(block));
        assert_eq!(slot.age(), None);
        assert!(!slot.is_full());
    }

    #[test]
    fn a_closed_slot_stays_closed() {
        let (slot, mut block) = (Slot::new(), 7_u64);
        let block = &raw mut block;
        assert!(slot.put(block));
        assert!(!slot.put(block), "full");
        assert_eq!(slot.close(), Some(block));
        assert_eq!(
            [slot.take(), slot.steal(), slot.age(), slot.close()],
            [None; 4]
        );
        assert!(!slot.put(block));
    }
}

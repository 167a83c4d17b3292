//! A ring between one producer and one consumer: the way on which the rows
//! `pool/producer-consumer/2t` and `fixed-alloc/cross-thread/2t` hand things over.
//!
//! ```text
//!            taken (written by the consumer)      filled (written by the producer)
//!              ▼                                    ▼
//!   ─┬─────┬─────┬─────┬─────┬─────┬─────┬─────┬─────┬─    both count up for ever; a slot is
//!    │     │  T  │  T  │  T  │  T  │  T  │  T  │     │     the count modulo the capacity
//!   ─┴─────┴─────┴─────┴─────┴─────┴─────┴─────┴─────┴─
//! ```
//!
//! # Invariants
//!
//! 1. `taken ≤ filled ≤ taken + CAPACITY`; slots from `taken` to `filled` hold a value, others none.
//! 2. Slots that hold a value are the consumer's, others the producer's, and there is one of each.

use core::{cell::UnsafeCell, hint, mem::MaybeUninit};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
};

/// A power of two.
pub(crate) const CAPACITY: usize = 256;

struct Ring<T> {
    slots: Box<[UnsafeCell<MaybeUninit<T>>]>,
    filled: Line<AtomicUsize>,
    taken: Line<AtomicUsize>,
    /// One end has gone.
    is_broken: AtomicBool,
}

/// Keeps what one thread writes out of the cache line that the other writes.
#[repr(align(128))]
struct Line<T>(T);

// SAFETY: values move from one thread to the other, which `T: Send` allows; a slot is touched by
// one end at a time (invariant 2).
unsafe impl<T: Send> Sync for Ring<T> {}

/// The end that puts in.
pub(crate) struct Producer<T> {
    ring: Arc<Ring<T>>,
    filled: usize,
    /// As last seen.
    taken: usize,
}

/// The end that takes out.
pub(crate) struct Consumer<T> {
    ring: Arc<Ring<T>>,
    taken: usize,
    /// As last seen.
    filled: usize,
}

/// An empty ring's ends.
pub(crate) fn ring<T: Send>() -> (Producer<T>, Consumer<T>) {
    let slots = (0..CAPACITY).map(|_| UnsafeCell::new(MaybeUninit::uninit()));
    let ring = Arc::new(Ring {
        slots: slots.collect(),
        filled: Line(AtomicUsize::new(0)),
        taken: Line(AtomicUsize::new(0)),
        is_broken: AtomicBool::new(false),
    });
    let producer = Producer {
        ring: Arc::clone(&ring),
        filled: 0,
        taken: 0,
    };
    let consumer = Consumer {
        ring,
        taken: 0,
        filled: 0,
    };
    (producer, consumer)
}

impl<T> Ring<T> {
    fn slot(&self, count: usize) -> *mut MaybeUninit<T> {
        self.slots[count % CAPACITY].get()
    }

    /// Waits for the other end to change what `seen` sees; not for ever if it has gone.
    fn wait(&self, mut seen: impl FnMut() -> bool) {
        let mut spins = 0_u32;
        while !seen() {
            assert!(
                !self.is_broken.load(Ordering::Relaxed),
                "the other end of the ring has gone"
            );
            spins += 1;
            if spins % 128 == 0 {
                thread::yield_now();
            } else {
                hint::spin_loop();
            }
        }
    }
}

impl<T> Producer<T> {
    /// Puts a value in, and waits where there is no room.
    ///
    /// # Panics
    ///
    /// When there is no room and the consumer has gone.
    #[inline]
    pub(crate) fn push(&mut self, value: T) {
        if self.filled.wrapping_sub(self.taken) == CAPACITY {
            let (ring, filled, taken) = (&*self.ring, self.filled, &mut self.taken);
            ring.wait(|| {
                *taken = ring.taken.0.load(Ordering::Acquire);
                filled.wrapping_sub(*taken) < CAPACITY
            });
        }
        // SAFETY: the slot holds no value, so it is this end's (invariants 1 and 2).
        unsafe { self.ring.slot(self.filled).write(MaybeUninit::new(value)) };
        self.filled = self.filled.wrapping_add(1);
        self.ring.filled.0.store(self.filled, Ordering::Release);
    }
}

impl<T> Consumer<T> {
    /// Takes a value out, and waits for one where there is none.
    ///
    /// # Panics
    ///
    /// When there is none and the producer has gone.
    #[inline]
    pub(crate) fn pop(&mut self) -> T {
        if self.taken == self.filled {
            let (ring, taken, filled) = (&*self.ring, self.taken, &mut self.filled);
            ring.wait(|| {
                *filled = ring.filled.0.load(Ordering::Acquire);
                *filled != taken
            });
        }
        // SAFETY: the slot holds a value, so it is this end's (invariants 1 and 2).
        let value = unsafe { self.ring.slot(self.taken).read() };
        self.taken = self.taken.wrapping_add(1);
        self.ring.taken.0.store(self.taken, Ordering::Release);
        // SAFETY: the slot held a value (invariant 1), and will be read again only when it holds
        // another one.
        unsafe { value.assume_init() }
    }
}

/// Held while working: tells the other end when this thread panics, since what that one then waits
/// for will not come.
pub(crate) struct Alarm<T>(Arc<Ring<T>>);

impl<T> Producer<T> {
    pub(crate) fn alarm(&self) -> Alarm<T> {
        Alarm(Arc::clone(&self.ring))
    }
}

impl<T> Consumer<T> {
    pub(crate) fn alarm(&self) -> Alarm<T> {
        Alarm(Arc::clone(&self.ring))
    }
}

impl<T> Drop for Alarm<T> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.is_broken.store(true, Ordering::Relaxed);
        }
    }
}

impl<T> Drop for Ring<T> {
    fn drop(&mut self) {
        let (taken, filled) = (*self.taken.0.get_mut(), *self.filled.0.get_mut());
        let mut count = taken;
        while count != filled {
            // SAFETY: the slot holds a value (invariant 1), and nobody else has the ring any more.
            unsafe { self.slots[count % CAPACITY].get_mut().assume_init_drop() };
            count = count.wrapping_add(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_come_out_in_their_order_and_what_is_left_is_dropped() {
        let counted = Arc::new(());
        let (mut producer, mut consumer) = ring();
        thread::scope(|scope| {
            scope.spawn(|| {
                for number in 0..10 * CAPACITY {
                    producer.push((number, Arc::clone(&counted)));
                }
            });
            for number in 0..9 * CAPACITY {
                assert_eq!(consumer.pop().0, number);
            }
        });
        assert_eq!(Arc::strong_count(&counted), 1 + CAPACITY);
        drop((producer, consumer));
        assert_eq!(Arc::strong_count(&counted), 1);
    }

    #[test]
    fn who_waits_for_a_thread_that_panics_panics() {
        let (producer, mut consumer) = ring::<u8>();
        let panics = thread::spawn(move || {
            let _alarm = producer.alarm();
            std::panic::resume_unwind(Box::new(()));
        });
        let waits = thread::spawn(move || consumer.pop());
        assert!(panics.join().is_err() && waits.join().is_err());
    }
}

//! Which of several things of one kind a thread goes to first, so that threads do not meet.
//!
//! Threads are numbered as they come, and one that meets another goes on to the next number. A number is a
//! hint: what it leads to is right for every thread, and only slower where two share it.

#![forbid(unsafe_code)]

thrifty_sync::unless_loom! {
    use core::cell::Cell;

    use thrifty_sync::{atomic::AtomicUsize, ord};

    static NEXT: AtomicUsize = AtomicUsize::new(1);

    thread_local! {
        /// 0 before the first question.
        static SEAT: Cell<usize> = const { Cell::new(0) };
    }

    /// This thread's number.
    #[inline]
    pub(crate) fn seat() -> usize {
        match SEAT.get() {
            0 => first_slow(),
            seat => seat,
        }
    }

    #[cold]
    #[inline(never)]
    fn first_slow() -> usize {
        // ORDERING(arena.seat): Relaxed; being different from most is all that is asked of it.
        let seat = NEXT.fetch_add(1, ord!(arena.seat, Relaxed)).max(1);
        SEAT.set(seat);
        seat
    }

    /// Takes the next number, after this thread met another one.
    #[cold]
    pub(crate) fn move_on() {
        SEAT.set(SEAT.get().wrapping_add(1).max(1));
    }
}

/// Under loom a model says who sits where.
#[cfg(all(thrifty_loom, feature = "loom"))]
pub(crate) const fn seat() -> usize {
    0
}

/// Under loom nobody moves.
#[cfg(all(thrifty_loom, feature = "loom"))]
pub(crate) const fn move_on() {}

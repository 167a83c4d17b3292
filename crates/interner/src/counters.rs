//! Counts of what is looked for, each thread's own.
//!
//! A hit writes nothing that another thread reads often: each thread has its counts in a line of their own, which
//! it alone writes.

use alloc::vec::Vec;
use core::cell::Cell;
use core::fmt;
use core::mem::size_of;
use std::panic::{self, AssertUnwindSafe};

use thread_local::ThreadLocal;
use thrifty_sync::{atomic::AtomicU64, ord};

use crate::InternError;

/// What an interner has counted, in [`Stats::counted`](crate::Stats::counted).
///
/// # Examples
///
/// ```
/// use thrifty_interner::Interner;
///
/// let interner: Interner = Interner::builder().statistics(true).build();
/// for _ in 0..3 {
///     interner.intern("host");
/// }
/// let counted = interner.stats().counted.unwrap();
/// assert_eq!((counted.hits, counted.misses, counted.saved_bytes), (2, 1, 8));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counted {
    /// How often a string was there.
    pub hits: u64,
    /// How often it was not.
    pub misses: u64,
    /// The lengths of the strings that were there, summed up: what as many copies would have taken.
    pub saved_bytes: u64,
}

/// Each thread's counts, if anyone asked for them.
#[derive(Default)]
pub(crate) struct Counters {
    /// One, or none: a vector, since making one may fail without an abort.
    threads: Vec<ThreadLocal<Apart>>,
}

/// What one thread writes, apart from what others do.
#[derive(Default)]
#[repr(align(64))]
struct Apart {
    hits: AtomicU64,
    misses: AtomicU64,
    saved_bytes: AtomicU64,
}

impl Counters {
    pub(crate) const fn new() -> Self {
        Self {
            threads: Vec::new(),
        }
    }

    /// Counts from now on.
    pub(crate) fn start(&mut self) -> Result<(), InternError> {
        let refused = |_| InternError::Backend {
            size_bytes: size_of::<ThreadLocal<Apart>>(),
        };
        self.threads.try_reserve_exact(1).map_err(refused)?;
        self.threads.push(ThreadLocal::new());
        Ok(())
    }

    /// Counts a search.
    #[inline]
    pub(crate) fn count(&self, hit: bool, len: usize) {
        if let Some(threads) = self.threads.first() {
            count_slow(threads, hit, len);
        }
    }

    pub(crate) fn read(&self) -> Option<Counted> {
        let threads = self.threads.first()?;
        let mut sum = Counted::default();
        for apart in threads.iter() {
            sum.hits += read(&apart.hits);
            sum.misses += read(&apart.misses);
            sum.saved_bytes += read(&apart.saved_bytes);
        }
        Some(sum)
    }
}

impl fmt::Debug for Counters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.read(), f)
    }
}

#[inline(never)]
fn count_slow(threads: &ThreadLocal<Apart>, hit: bool, len: usize) {
    let Some(apart) = threads.get().or_else(|| enter(threads)) else {
        return;
    };
    if hit {
        add(&apart.hits, 1);
        add(&apart.saved_bytes, len as u64);
    } else {
        add(&apart.misses, 1);
    }
}

/// Makes this thread's counts.
///
/// A thread that is ending may have no number any more for them, and `thread_local` panics then; it aborts where
/// there is no memory. In both cases what the thread looks for is not counted.
#[cold]
fn enter(threads: &ThreadLocal<Apart>) -> Option<&Apart> {
    if IS_LEAVING.get() || Vec::<Apart>::new().try_reserve_exact(PROBE).is_err() {
        return None;
    }
    let made = panic::catch_unwind(AssertUnwindSafe(|| threads.get_or_default()));
    match made {
        Ok(apart) => {
            // After the number of `thread_local`, and so destroyed before it.
            let _ = LEAVING.try_with(|_| ());
            Some(apart)
        }
        Err(_) => {
            IS_LEAVING.set(true);
            None
        }
    }
}

/// As many counts as `thread_local` allocates for 64 threads.
const PROBE: usize = 128;

thread_local! {
    /// Whether this thread is ending. Without a destructor, so that it can be read to the last.
    static IS_LEAVING: Cell<bool> = const { Cell::new(false) };
    static LEAVING: Leaving = const { Leaving };
}

/// Notices that its thread is ending.
struct Leaving;

impl Drop for Leaving {
    fn drop(&mut self) {
        IS_LEAVING.set(true);
    }
}

fn add(count: &AtomicU64, more: u64) {
    // ORDERING(interner.counted): Relaxed; a figure that this thread alone writes.
    let sum = count.load(ord!(interner.counted, Relaxed)) + more;
    count.store(sum, ord!(interner.counted, Relaxed));
}

fn read(count: &AtomicU64) -> u64 {
    // ORDERING(interner.counted): Relaxed; a figure, which orders nothing.
    count.load(ord!(interner.counted, Relaxed))
}

//! Caches that threads without one of their own share, one lock attempt at a time.
//!
//! Nobody ever waits for a stripe: who finds it taken goes on to the next. A thread that wants a
//! stripe *emptied*, because the engine closes or memory is short, cannot go on like that. It
//! leaves a message instead, and the holder empties the stripe as it lets go:
//!
//! ```text
//!   FREE ──try_lock──> LOCKED ──unlock──> FREE
//!     │                  │ lock_or_tell: a message for the holder
//!     │                  V
//!     └─lock_or_tell─> LOCKED|MESSAGE ──(the holder empties it) answer──> FREE
//! ```

use thrifty_sync::{atomic::AtomicU32, ord};

use crate::cache::{Cache, Held};

const FREE: u32 = 0;
const LOCKED: u32 = 1;
const MESSAGE: u32 = 2;

/// A cache behind a lock that is only ever tried.
///
/// 128 bytes apart, because the prefetcher of x86-64 fetches lines in pairs.
#[derive(Debug)]
#[repr(align(128))]
pub(crate) struct Stripe {
    word: AtomicU32,
    cache: Cache,
}

// SAFETY: the cache, which alone is not `Sync`, is shown to the holder of the lock only. What it
// holds are magazines of rounds, pointers that move between threads as `Supplier` promises they
// may.
unsafe impl Sync for Stripe {}
/// A stripe that this thread holds.
///
/// It has to be let go by [`unlock`](Self::unlock), which may answer with work to do.
#[derive(Debug)]
#[must_use = "a stripe that is not unlocked is lost"]
pub(crate) struct Locked<'a>(&'a Stripe);

impl Stripe {
    /// A free stripe without magazines.
    pub(crate) fn new() -> Self {
        Self {
            word: AtomicU32::new(FREE),
            cache: Cache::new(),
        }
    }

    /// How many rounds are in it.
    pub(crate) fn count(&self) -> usize {
        self.cache.count()
    }

    /// Takes the lock, if it is free.
    pub(crate) fn try_lock(&self) -> Option<Locked<'_>> {
        // ORDERING(stripe.lock): Acquire; pairs with stripe.unlock and stripe.message, so that the
        // holder continues where the last one stopped, and knows of a close that emptied the
        // stripe before.
        self.word
            .compare_exchange(
                FREE,
                LOCKED,
                ord!(stripe.lock, Acquire),
                // ORDERING(stripe.busy): Relaxed; the stripe is somebody else's.
                ord!(stripe.busy, Relaxed),
            )
            .ok()
            .map(|_| Locked(self))
    }

    /// Takes the lock to empty the stripe; if somebody holds it, they are told to.
    ///
    /// Whoever gets the lock here lets go by [`answer`](Locked::answer).
    pub(crate) fn lock_or_tell(&self) -> Option<Locked<'_>> {
        // ORDERING(stripe.message): AcqRel; as Acquire it pairs with stripe.unlock, like any lock.
        // As Release it pairs with stripe.lock: who locks the stripe later sees why the message was
        // left, that the engine is closed.
        let before = self
            .word
            .fetch_or(LOCKED | MESSAGE, ord!(stripe.message, AcqRel));
        (before & LOCKED == FREE).then_some(Locked(self))
    }
}

impl<'a> Locked<'a> {
    /// The cache.
    pub(crate) fn held(&self) -> Held<'a> {
        // SAFETY: the lock lets one thread in at a time, and what earlier holders did happened
        // before: ORDERING(stripe.lock).
        unsafe { self.0.cache.hold() }
    }

    /// Lets go, unless a message has come; then the caller empties the stripe and
    /// [`answer`](Self::answer)s.
    pub(crate) fn unlock(self) -> Result<(), Self> {
        self.0
            .word
            .compare_exchange(
                LOCKED,
                FREE,
                // ORDERING(stripe.unlock): Release; pairs with stripe.lock and stripe.message.
                ord!(stripe.unlock, Release),
                // ORDERING(stripe.told): Relaxed; the holder empties the stripe whatever the message
                // was for, and passes the reason on: see stripe.answer.
                ord!(stripe.told, Relaxed),
            )
            .map(|_| ())
            .map_err(|_| self)
    }

    /// Lets go of a stripe that has been emptied, which answers every message.
    pub(crate) fn answer(self) {
        // ORDERING(stripe.answer): Release; pairs with stripe.lock. It is a swap and no store, so
        // that it continues the release sequences of stripe.message: who locks next has to know
        // why messages were left, also one that came after the stripe was emptied and so needs
        // nothing more done.
        self.0.word.swap(FREE, ord!(stripe.answer, Release));
    }
}

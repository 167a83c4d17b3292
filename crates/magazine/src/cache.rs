//! What one thread uses at a time: one round at hand, and two magazines, the *loaded* one and the
//! *spare*.
//!
//! ```text
//! take, put ──> hot ▓ ──> loaded ▓▓▓▓▓░░░   spare ░░░░░░░░   (empty or full, whichever was last)
//! ```
//!
//! The round at hand is for the commonest pattern, take one, put it back. A magazine's length is
//! loaded, changed and stored by each step, and the next step has to wait for that store: two
//! store-to-load forwards in a row, 3.1 ns for a pair of steps on an EPYC at 3.7 GHz. The round at
//! hand is compared with null, which the processor guesses, so that nothing waits: 2.6 ns. Where
//! more than one round is out, it costs a comparison, 0.3 ns. (Go's `sync.Pool` has its `private`
//! field for the same reason.) A thread that never has two rounds out needs no magazine at all.
//!
//! With two of them, a thread that goes back and forth over the edge of one magazine swaps the
//! two and leaves the depot alone: between two visits to the depot lie at least as many takes or
//! puts as a magazine has rounds (Bonwick and Adams, "Magazines and Vmem", USENIX 2001, §3.1).
//!
//! # Invariants
//!
//! 1. Of `desk`, and to write `hot`, `len` and `spare_len`, only the holder makes use: the one that
//!    has a [`Held`].
//! 2. `len` rounds are initialised from `desk.rounds` on, which is the array of `desk.loaded`,
//!    and `desk.capacity` is its capacity; without a loaded magazine both are 0.
//! 3. `spare_len` rounds of `desk.spare` are initialised; without a spare it is 0.
//! 4. `hot` is null or a round.

use core::ptr;

use thrifty_sync::{
    UnsafeCell,
    atomic::{AtomicPtr, AtomicU32},
    ord,
};

use crate::{magazine::Magazine, round::Round};

/// The state of a cache. Who may use it is decided elsewhere: by a seat or a stripe.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Cache {
    /// The round at hand. It and the lengths are atomics, because statistics read them from other
    /// threads.
    hot: AtomicPtr<()>,
    /// Rounds in the loaded magazine.
    len: AtomicU32,
    spare_len: AtomicU32,
    desk: UnsafeCell<Desk>,
}

/// What only the holder touches.
#[derive(Debug)]
struct Desk {
    rounds: *mut Round,
    capacity: u32,
    /// Exchanges with the depot; every so many of them the clock is looked at.
    exchanges: u32,
    /// The trims that this cache has followed.
    epoch: u32,
    loaded: Option<Magazine>,
    spare: Option<Magazine>,
}

// SAFETY: the one field that is not `Send` by itself points into the loaded magazine, which moves
// along.
unsafe impl Send for Desk {}

/// The right to use a cache.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Held<'a>(&'a Cache);

/// What was in a cache: rounds with their leases.
#[derive(Debug)]
#[must_use = "it owns magazines"]
pub(crate) struct Emptied {
    pub(crate) magazines: [Option<Magazine>; 2],
    /// The round that was at hand, if no magazine had room for it.
    pub(crate) loose: Option<Round>,
}

// SAFETY: a round moves between threads, as `Supplier` promises it may.
unsafe impl Send for Emptied {}

impl Cache {
    /// A cache without magazines.
    pub(crate) fn new() -> Self {
        Self {
            hot: AtomicPtr::new(ptr::null_mut()),
            len: AtomicU32::new(0),
            spare_len: AtomicU32::new(0),
            desk: UnsafeCell::new(Desk {
                rounds: ptr::null_mut(),
                capacity: 0,
                exchanges: 0,
                epoch: 0,
                loaded: None,
                spare: None,
            }),
        }
    }

    /// How many rounds there are: exact while the holder rests.
    pub(crate) fn count(&self) -> usize {
        // ORDERING(magazine.count): Relaxed; a figure for statistics, it publishes nothing.
        let hot = usize::from(!self.hot.load(ord!(magazine.count, Relaxed)).is_null());
        let loaded = self.len.load(ord!(magazine.count, Relaxed)) as usize;
        hot + loaded + self.spare_len.load(ord!(magazine.count, Relaxed)) as usize
    }

    /// Makes use of the cache.
    ///
    /// # Safety
    ///
    /// Until the last copy of the answer is gone, nobody else gets one, and what earlier holders
    /// did happened before.
    #[inline]
    pub(crate) unsafe fn hold(&self) -> Held<'_> {
        Held(self)
    }
}

impl Held<'_> {
    /// Takes the round at hand, or one of the loaded magazine.
    #[inline]
    pub(crate) fn take(self) -> Option<Round> {
        let hot = Round::new(self.hot());
        if hot.is_some() {
            self.set_hot(ptr::null_mut());
            return hot;
        }
        let len = self.len();
        if len == 0 {
            return None;
        }
        self.set_len(len - 1);
        let rounds = self.0.desk.with(|desk| {
            // SAFETY: valid: inside the cell. Invariant 1: nobody writes it meanwhile.
            unsafe { (*desk).rounds }
        });
        // SAFETY: invariant 2: so many rounds lie there.
        let place = unsafe { rounds.add(len as usize - 1) };
        // SAFETY: invariant 2: initialised; the smaller length says that it is taken.
        Some(unsafe { place.read() })
    }

    /// Puts a round at hand, or into the loaded magazine, if there is room.
    #[inline]
    pub(crate) fn put(self, round: Round) -> bool {
        if self.hot().is_null() {
            self.set_hot(round.as_ptr());
            return true;
        }
        self.push(round)
    }

    /// Puts a round into the loaded magazine, if there is room.
    #[inline]
    fn push(self, round: Round) -> bool {
        let len = self.len();
        let (rounds, capacity) = self.0.desk.with(|desk| {
            // SAFETY: valid: inside the cell. Invariant 1: nobody writes it meanwhile.
            let desk = unsafe { &*desk };
            (desk.rounds, desk.capacity)
        });
        if len == capacity {
            return false;
        }
        // SAFETY: invariant 2: `len` is below the capacity of the array.
        let place = unsafe { rounds.add(len as usize) };
        // SAFETY: valid as above; exclusive by invariant 1.
        unsafe { place.write(round) };
        // INVARIANT: 2 — the round just written is the one more.
        self.set_len(len + 1);
        true
    }

    #[inline]
    fn hot(self) -> *mut () {
        // ORDERING(magazine.own): Relaxed; the holder reads its own last store, or that of the
        // holder before, which happened before by the promise at `hold`.
        self.0.hot.load(ord!(magazine.own, Relaxed))
    }

    #[inline]
    fn set_hot(self, round: *mut ()) {
        // ORDERING(magazine.own): Relaxed; see `hot`. Others read it for statistics only.
        self.0.hot.store(round, ord!(magazine.own, Relaxed));
    }

    #[inline]
    fn len(self) -> u32 {
        // ORDERING(magazine.own): Relaxed; see `hot`.
        self.0.len.load(ord!(magazine.own, Relaxed))
    }

    #[inline]
    fn set_len(self, len: u32) {
        // ORDERING(magazine.own): Relaxed; see `hot`. Others read it for statistics only.
        self.0.len.store(len, ord!(magazine.own, Relaxed));
    }

    fn spare_len(self) -> u32 {
        // ORDERING(magazine.own): Relaxed; see `hot`.
        self.0.spare_len.load(ord!(magazine.own, Relaxed))
    }

    fn set_spare_len(self, len: u32) {
        // ORDERING(magazine.own): Relaxed; see `hot`.
        self.0.spare_len.store(len, ord!(magazine.own, Relaxed));
    }

    fn desk<R>(self, with: impl FnOnce(&mut Desk) -> R) -> R {
        self.0.desk.with_mut(|desk| {
            // SAFETY: valid: inside the cell. Exclusive: invariant 1, and none of the closures in
            // this file comes back here.
            with(unsafe { &mut *desk })
        })
    }

    /// The spare and the loaded magazine change places, if the spare has rounds.
    pub(crate) fn rotate_to_take(self) -> bool {
        if self.spare_len() == 0 {
            return false;
        }
        self.rotate();
        true
    }

    /// The spare and the loaded magazine change places, if the spare has room.
    pub(crate) fn rotate_to_put(self) -> bool {
        let room = self.desk(|desk| {
            let spare = desk.spare.as_ref();
            spare.map_or(0, Magazine::capacity)
        });
        if self.spare_len() == room {
            return false;
        }
        self.rotate();
        true
    }

    fn rotate(self) {
        let (len, spare_len) = (self.len(), self.spare_len());
        self.desk(|desk| {
            core::mem::swap(&mut desk.loaded, &mut desk.spare);
            desk.settle();
        });
        // INVARIANT: 2, 3 — lengths and magazines have changed places together.
        self.set_len(spare_len);
        self.set_spare_len(len);
    }

    /// Makes `magazine`, with what is in it, the loaded one; the one before is handed out, with
    /// its rounds.
    pub(crate) fn load(self, mut magazine: Magazine) -> Option<Magazine> {
        let (len, before_len) = (magazine.len(), self.len());
        magazine.clear();
        let before = self.desk(|desk| {
            let before = desk.loaded.replace(magazine);
            desk.settle();
            before
        });
        // INVARIANT: 2 — the length goes with the magazine.
        self.set_len(len);
        before.map(|magazine| filled(magazine, before_len))
    }

    /// Makes the loaded magazine the spare and an empty one the loaded one; the spare is handed
    /// out, with its rounds.
    pub(crate) fn unload_spare(self, empty: Magazine) -> Option<Magazine> {
        debug_assert_eq!(empty.len(), 0, "a loaded magazine keeps no length");
        let (len, spare_len) = (self.len(), self.spare_len());
        let before = self.desk(|desk| {
            let before = core::mem::replace(&mut desk.spare, desk.loaded.replace(empty));
            desk.settle();
            before
        });
        // INVARIANT: 2, 3 — each length goes with its magazine.
        self.set_spare_len(len);
        self.set_len(0);
        before.map(|magazine| filled(magazine, spare_len))
    }

    /// Whether there is no spare yet.
    pub(crate) fn lacks_spare(self) -> bool {
        self.desk(|desk| desk.spare.is_none())
    }

    /// Takes the spare out, with its rounds.
    pub(crate) fn take_spare(self) -> Option<Magazine> {
        let len = self.spare_len();
        let spare = self.desk(|desk| desk.spare.take());
        // INVARIANT: 3 — no spare, no rounds in it.
        self.set_spare_len(0);
        spare.map(|magazine| filled(magazine, len))
    }

    /// Takes everything out.
    pub(crate) fn clear(self) -> Emptied {
        let hot = Round::new(self.hot());
        // INVARIANT: 4 — whatever becomes of it below, it is not at hand any more.
        self.set_hot(ptr::null_mut());
        let loose =
            hot.filter(|&hot| !(self.push(hot) || (self.rotate_to_put() && self.push(hot))));
        let len = self.len();
        let loaded = self.desk(|desk| {
            let loaded = desk.loaded.take();
            desk.settle();
            loaded
        });
        // INVARIANT: 2 — no magazine, no rounds in it.
        self.set_len(0);
        let loaded = loaded.map(|magazine| filled(magazine, len));
        Emptied {
            magazines: [loaded, self.take_spare()],
            loose,
        }
    }

    /// Whether a trim has passed since this was last asked; the trims are counted by `epoch`.
    pub(crate) fn follow(self, epoch: u32) -> bool {
        self.desk(|desk| core::mem::replace(&mut desk.epoch, epoch) != epoch)
    }

    /// Counts an exchange with the depot; true at every `period`th.
    pub(crate) fn count_exchange(self, period: u32) -> bool {
        self.desk(|desk| {
            desk.exchanges = desk.exchanges.wrapping_add(1);
            desk.exchanges % period == 0
        })
    }
}

impl Desk {
    /// The copies for the hit path follow the loaded magazine.
    fn settle(&mut self) {
        let loaded = self.loaded.as_ref();
        self.rounds = loaded.map_or(ptr::null_mut(), Magazine::base);
        self.capacity = loaded.map_or(0, Magazine::capacity);
    }
}

/// A magazine that leaves a cache takes its length along.
fn filled(mut magazine: Magazine, len: u32) -> Magazine {
    // SAFETY: invariants 2 and 3: the caller passes the length that the cache kept for it.
    unsafe { magazine.set_len(len) };
    magazine
}

//! The engine without types and without thread-locals: depot, seats, stripes, counts.
//!
//! What it does is in three other files: `flow` (rounds between caches and depot), `striped`
//! (threads without a cache) and `trim` (giving memory back).
//!
//! # Invariants
//!
//! 1. A round in a cache has a lease, a round in the depot has none.
//! 2. Once `key` is [`CLOSED`], whoever adds rounds to the depot or to a stripe comes to know of
//!    it, and empties what was filled: see `Depot::drain` and `Stripe::lock_or_tell`.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::ptr::{self, NonNull};

use thrifty_sync::{
    atomic::{AtomicPtr, AtomicU32, AtomicU64, AtomicUsize},
    ord,
};
use thrifty_traits::{AllocError, AllocErrorKind};

use crate::{
    census::Census,
    config::Config,
    decay::Decay,
    depot::{Depot, Max},
    leases::Leases,
    magazine::Magazine,
    round::Round,
    seat::Seat,
    set::Set,
    stripe::Stripe,
};

/// The key of an engine that is closed. Keys of living engines begin above it, and no thread's
/// table ever holds it.
pub(crate) const CLOSED: u64 = 2;

/// Empty magazines that the depot keeps for whoever needs one, at most. They are looked for one by
/// one, so there is a limit below that of full ones.
const MAX_EMPTY: usize = 256;

/// What the typed half supplies; see [`Supplier`](crate::Supplier) for the contracts.
#[derive(Debug)]
pub(crate) struct Vtable {
    pub(crate) destroy: unsafe fn(NonNull<Core>, &[Round]),
    pub(crate) weigh: unsafe fn(NonNull<Core>, &[Round]) -> usize,
    /// Drops the supplier: nobody uses it any more.
    pub(crate) end: unsafe fn(NonNull<Core>),
    /// Frees the memory: nobody uses it any more.
    pub(crate) free: unsafe fn(NonNull<Core>),
}

/// The engine. What a hit reads comes first, on a line that is written when the engine is made
/// and when it is closed.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Core {
    key: AtomicU64,
    /// Which set of a thread's table the engine uses.
    set: Set,
    /// A number of the supplier's.
    word: usize,
    /// Rounds per magazine.
    pub(crate) rounds: u32,
    pub(crate) vtable: &'static Vtable,
    /// This very core, as it was allocated: a pointer that may be used for all that the typed half
    /// put around it.
    origin: Origin,
    seats: Box<[AtomicPtr<Seat>]>,
    pub(crate) stripes: Box<[Stripe]>,
    pub(crate) config: Config,
    pub(crate) traffic: Traffic,
    /// Seats that have an owner: a hint that spares looking for a free one.
    taken: AtomicUsize,
    /// Counts the trims that threads have to follow.
    epoch: AtomicU32,
    pub(crate) decay: Decay,
    pub(crate) census: Census,
}

/// What every exchange changes: the leases and the depot's counts, in one line, away from what every
/// hit reads. Each line more costs an exchange between two cores some 30 ns a side.
#[derive(Debug)]
#[repr(C, align(128))]
pub(crate) struct Traffic {
    pub(crate) leases: Leases,
    pub(crate) depot: Depot,
}

const _: () = assert!(size_of::<Leases>() + 3 * size_of::<usize>() <= 64);

#[derive(Debug)]
struct Origin(NonNull<Core>);

// SAFETY: an address, which is followed under the engine's own rules: a core is `Sync` without it.
unsafe impl Send for Origin {}
// SAFETY: as for `Send`.
unsafe impl Sync for Origin {}

impl Core {
    /// An engine with one handle, which the caller writes to `origin`, if there is memory for what
    /// it has beside.
    ///
    /// # Panics
    ///
    /// When `config` is not valid.
    pub(crate) fn try_new(
        config: Config,
        vtable: &'static Vtable,
        key: u64,
        origin: NonNull<Self>,
    ) -> Result<Self, AllocError> {
        if let Err(error) = config.validate() {
            panic!("{error}");
        }
        let rounds = match config.max_idle {
            0 => config.rounds.max(1),
            most => config.rounds.clamp(1, most),
        };
        let rounds = u32::try_from(rounds).unwrap_or(u32::MAX);
        let seats = match config.rounds {
            0 => 0,
            _ => config.max_thread_caches,
        };
        let full = config.max_idle.div_ceil(rounds as usize);
        // Some magazines come from threads that ended, and are not full.
        let full = if full == 0 {
            0
        } else {
            full.saturating_add(seats.min(16))
        };
        let max = Max {
            rounds: config.max_idle,
            bytes: config.max_idle_bytes,
        };
        let refused = |size| AllocError::new(AllocErrorKind::Backend, size, align_of::<Self>());
        Ok(Self {
            key: AtomicU64::new(key),
            set: Set::default(),
            word: config.word,
            rounds,
            vtable,
            origin: Origin(origin),
            seats: try_boxed(seats, || AtomicPtr::new(ptr::null_mut()))
                .ok_or_else(|| refused(seats.saturating_mul(size_of::<usize>())))?,
            stripes: try_boxed(config.stripes, Stripe::new)
                .ok_or_else(|| refused(config.stripes.saturating_mul(size_of::<Stripe>())))?,
            taken: AtomicUsize::new(0),
            epoch: AtomicU32::new(0),
            decay: Decay::new(config.decay_interval),
            traffic: Traffic {
                leases: Leases::new(),
                depot: Depot::try_new(full, full.min(MAX_EMPTY), rounds, max)
                    .ok_or_else(|| refused(full.saturating_mul(size_of::<usize>())))?,
            },
            census: Census::new(config.max_live),
            config,
        })
    }

    /// The engine's key, or [`CLOSED`].
    #[inline]
    pub(crate) fn key(&self) -> u64 {
        // ORDERING(core.key): Relaxed; on a hit only a comparison with this thread's own table,
        // where a key that is out of date does no harm: the round it lets in has its lease. Where
        // being closed matters, an acquire of a slot or a stripe came before.
        self.key.load(ord!(core.key, Relaxed))
    }

    /// Takes the key away.
    pub(crate) fn lock_out(&self) {
        // ORDERING(core.key): Relaxed; the read-modify-writes of every slot and stripe that follow
        // carry it to whoever fills one of them afterwards. Who reads the old key on a hit does no
        // harm.
        self.key.store(CLOSED, ord!(core.key, Relaxed));
    }

    /// How many trims caches have to follow.
    pub(crate) fn epoch(&self) -> u32 {
        // ORDERING(core.epoch): Relaxed; a request that is seen an exchange late is late.
        self.epoch.load(ord!(core.epoch, Relaxed))
    }

    /// One more trim for caches to follow.
    pub(crate) fn next_epoch(&self) {
        // ORDERING(core.epoch): Relaxed; see `epoch`.
        self.epoch.fetch_add(1, ord!(core.epoch, Relaxed));
    }

    /// This core, with the provenance of its allocation.
    pub(crate) fn origin(&self) -> NonNull<Self> {
        self.origin.0
    }

    /// Gives the engine a set, before anybody uses it.
    pub(crate) fn put_into_set(&mut self, set: Set) {
        self.set = set;
    }

    #[inline]
    pub(crate) fn word(&self) -> usize {
        self.word
    }

    /// How many threads may have a cache.
    pub(crate) fn seat_limit(&self) -> usize {
        self.seats.len()
    }

    #[inline]
    pub(crate) fn set(&self) -> Set {
        self.set
    }

    #[inline]
    pub(crate) fn is_closed(&self) -> bool {
        self.key() == CLOSED
    }

    /// Whether all threads share the stripes.
    pub(crate) fn has_no_seats(&self) -> bool {
        self.seats.is_empty()
    }

    /// Every seat, free or not.
    pub(crate) fn seats(&self) -> impl Iterator<Item = &Seat> {
        self.seats.iter().filter_map(|seat| {
            // ORDERING(core.see_seat): Acquire; pairs with core.add_seat, which wrote the seat.
            let seat = seat.load(ord!(core.see_seat, Acquire));
            // SAFETY: valid: null, or published by core.add_seat and freed with `self`; shared:
            // seats are only ever reached through shared references.
            unsafe { seat.as_ref() }
        })
    }

    /// A free seat for the thread `token`, if there is one or room for one.
    pub(crate) fn claim_seat(&self, token: u64) -> Option<&Seat> {
        // ORDERING(core.taken): Relaxed; a hint. Out of date, it costs a search, or a turn in the
        // stripes.
        if self.taken.load(ord!(core.taken, Relaxed)) >= self.seats.len() {
            return None;
        }
        let seat = self
            .seats()
            .find(|seat| seat.try_claim(token))
            .or_else(|| self.add_seat(token))?;
        self.taken.fetch_add(1, ord!(core.taken, Relaxed));
        Some(seat)
    }

    /// A seat was given up.
    pub(crate) fn seat_left(&self) {
        // ORDERING(core.taken): Relaxed; see `claim_seat`.
        self.taken.fetch_sub(1, ord!(core.taken, Relaxed));
    }

    /// A new seat for the thread `token`, if there is room for one.
    fn add_seat(&self, token: u64) -> Option<&Seat> {
        // ORDERING(core.look_seat): Relaxed; a hint that saves making a seat for nothing.
        let vacant = |place: &&AtomicPtr<Seat>| place.load(ord!(core.look_seat, Relaxed)).is_null();
        let first = self.seats.iter().position(|place| vacant(&place))?;
        let seat = Box::into_raw(try_box(Seat::taken_by(token, self.origin()))?);
        let added = self.seats.iter().skip(first).filter(vacant).any(|place| {
            place
                .compare_exchange(
                    ptr::null_mut(),
                    seat,
                    // ORDERING(core.add_seat): Release; pairs with core.see_seat.
                    ord!(core.add_seat, Release),
                    // ORDERING(core.no_seat): Relaxed; the place is taken.
                    ord!(core.no_seat, Relaxed),
                )
                .is_ok()
        });
        if !added {
            // SAFETY: from `into_raw` above, and nobody else has seen it.
            drop(unsafe { Box::from_raw(seat) });
            return None;
        }
        // SAFETY: valid: it belongs to the engine now, and is freed with it.
        Some(unsafe { &*seat })
    }

    /// Ends leases. If they were the last ones, so ends the engine.
    ///
    /// # Safety
    ///
    /// The caller has so many leases. Afterwards `this` may be gone.
    pub(crate) unsafe fn release(this: NonNull<Self>, leases: usize) {
        if leases == 0 {
            return;
        }
        // SAFETY: valid: there are leases. The reference ends with the expression.
        if !unsafe { this.as_ref() }.traffic.leases.release(leases) {
            return;
        }
        /// Ends the weak count that the leases had in common, also if a destructor unwinds.
        struct LastWeak(NonNull<Core>);
        impl Drop for LastWeak {
            fn drop(&mut self) {
                // SAFETY: the leases' common weak count ends with the last of them, which was
                // just released.
                unsafe { Core::release_weak(self.0) };
            }
        }
        let _last = LastWeak(this);
        // SAFETY: valid: the weak count above. No reference to the supplier is left, because all
        // handles and leases are gone.
        let core = unsafe { this.as_ref() };
        core.drain();
        for stripe in &core.stripes {
            if let Some(stripe) = stripe.lock_or_tell() {
                let emptied = stripe.held().clear();
                debug_assert_eq!(emptied.loose, None, "a round without a lease");
                let magazines = emptied.magazines.into_iter().flatten();
                magazines.for_each(Magazine::free);
                stripe.answer();
            }
        }
        // SAFETY: as above; this happens once, for the last lease.
        unsafe { (core.vtable.end)(this) };
    }

    /// Ends a weak count. If it was the last one, the memory is freed.
    ///
    /// # Safety
    ///
    /// The caller has a weak count. Afterwards `this` may be gone.
    pub(crate) unsafe fn release_weak(this: NonNull<Self>) {
        // SAFETY: valid: there is a weak count. The reference ends with the expression.
        if !unsafe { this.as_ref() }.traffic.leases.release_weak() {
            return;
        }
        // SAFETY: valid: the last weak count was ours.
        let vtable = unsafe { this.as_ref() }.vtable;
        // SAFETY: nobody has a count any more.
        unsafe { (vtable.free)(this) };
    }

    /// Memory for bookkeeping, without the magazines in caches and stripes.
    pub(crate) fn overhead_bytes(&self) -> usize {
        let seats = self.seats().count() * size_of::<Seat>();
        let places = self.seats.len() * size_of::<AtomicPtr<Seat>>();
        let stripes = self.stripes.len() * size_of::<Stripe>();
        size_of::<Self>() + seats + places + stripes + self.traffic.depot.slot_bytes()
    }
}

impl Drop for Core {
    fn drop(&mut self) {
        for place in &mut self.seats {
            let seat = thrifty_sync::atomic::Exclusive::read_mut(place);
            if !seat.is_null() {
                // SAFETY: from `Box::into_raw` in `claim_seat`. Nobody uses a seat of an engine
                // that has no weak count left.
                drop(unsafe { Box::from_raw(seat) });
            }
        }
    }
}

fn try_boxed<T>(count: usize, mut each: impl FnMut() -> T) -> Option<Box<[T]>> {
    let mut all = Vec::new();
    all.try_reserve_exact(count).ok()?;
    all.resize_with(count, &mut each);
    Some(all.into_boxed_slice())
}

fn try_box<T>(value: T) -> Option<Box<T>> {
    let mut one = Vec::new();
    one.try_reserve_exact(1).ok()?;
    one.push(value);
    let slice: Box<[T]> = one.into_boxed_slice();
    let raw = Box::into_raw(slice).cast::<T>();
    // SAFETY: a slice of one has the layout of its element, and the box is owned.
    Some(unsafe { Box::from_raw(raw) })
}

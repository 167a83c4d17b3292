//! The engine with its supplier: handles, and the operations that rounds go through.
//!
//! # Invariants
//!
//! 1. `core` is the first field of `Shared`, so a pointer to one is a pointer to the other.
//! 2. The supplier lives until the last lease ends, and is used under a lease or a handle only.

use alloc::alloc::{alloc, dealloc};
use core::alloc::Layout;
use core::fmt;
use core::mem::ManuallyDrop;
use core::ops::Deref;
use core::ptr::NonNull;

use thrifty_sync::{UnsafeCell, clock::Instant};
use thrifty_traits::{AllocError, AllocErrorKind, Pressure, Reclaimed, Rejected};

use crate::{
    config::Config,
    contain::contain,
    core::{Core, Vtable},
    permit::{Permit, Refused},
    round::Round,
    stats::Stats,
    supplier::Supplier,
    thread,
};

/// A handle to an engine. When the last one is dropped, the engine is closed.
///
/// # Memory
///
/// One pointer. The engine itself takes some 700 bytes, up to 16 per magazine that the depot may
/// hold and 8 per thread that may have a cache, and 128 per stripe. A thread's cache takes 256
/// bytes, which the next thread inherits, and up to two magazines of `24 + 8 × rounds` bytes.
///
/// Idle rounds: at most `max_idle` in the depot, and twice `rounds` and one in each thread that has
/// used the engine (at most `max_thread_caches` of them) and in each stripe. A thread gives its rounds
/// to the depot when it ends. After the engine is closed, a thread that still has idle rounds
/// keeps them, and with them the engine's memory, until it ends, calls
/// [`flush_thread`](Shared::flush_thread), or has begun to use some more engines.
///
/// # Concurrency
///
/// A hit touches memory of its own thread only. An exchange with the depot, once per magazine at
/// most, is lock-free: every step of another thread that makes one retry has itself succeeded.
/// What happened to a round before it was put happens before what is done with it after it is
/// taken.
pub struct Engine<S: Supplier>(NonNull<Shared<S>>);

/// A handle that does not keep the engine open.
///
/// # Memory
///
/// One pointer. The engine's own memory stays until the last weak handle is gone; the supplier and
/// idle rounds do not.
pub struct WeakEngine<S: Supplier>(NonNull<Shared<S>>);

/// The engine that handles point to.
///
/// It is there as long as there is a handle, or a round outside the depot: each of those has a
/// *lease*. Whoever holds a round may therefore use a pointer to the engine that the round belongs
/// to, and needs no handle.
#[repr(C)]
pub struct Shared<S: Supplier> {
    core: Core,
    supplier: UnsafeCell<ManuallyDrop<S>>,
}

// SAFETY: `Core` is `Send` and `Sync` by itself. The supplier is shared (`Sync`) and is dropped by
// whichever thread ends the last lease (`Send`); `Supplier` asks for both.
unsafe impl<S: Supplier> Send for Shared<S> {}
// SAFETY: as for `Send`.
unsafe impl<S: Supplier> Sync for Shared<S> {}
// SAFETY: a handle is a counted pointer to a `Shared`, which is `Send` and `Sync`.
unsafe impl<S: Supplier> Send for Engine<S> {}
// SAFETY: as for `Send`.
unsafe impl<S: Supplier> Sync for Engine<S> {}
// SAFETY: as for `Engine`.
unsafe impl<S: Supplier> Send for WeakEngine<S> {}
// SAFETY: as for `Engine`.
unsafe impl<S: Supplier> Sync for WeakEngine<S> {}

impl<S: Supplier> Engine<S> {
    /// Makes an engine.
    ///
    /// # Errors
    ///
    /// When there is no memory; the supplier comes back.
    ///
    /// # Panics
    ///
    /// When `config` is not [valid](Config::validate).
    pub fn try_new(supplier: S, config: Config) -> Result<Self, Rejected<S>> {
        if let Err(error) = config.validate() {
            panic!("{error}");
        }
        let layout = Layout::new::<Shared<S>>();
        // SAFETY: the layout has a core in it and so is not of size zero.
        let place = unsafe { alloc(layout) }.cast::<Shared<S>>();
        let Some(place) = NonNull::new(place) else {
            let error = AllocError::for_layout(AllocErrorKind::Backend, layout);
            return Err(Rejected::new(supplier, error));
        };
        let key = thread::fresh_number();
        let mut core = match Core::try_new(config, Shared::<S>::VTABLE, key, place.cast()) {
            Ok(core) => core,
            Err(error) => {
                // SAFETY: from `alloc` above with this layout, and not in use.
                unsafe { dealloc(place.as_ptr().cast(), layout) };
                return Err(Rejected::new(supplier, error));
            }
        };
        core.put_into_set(thread::enter_set(key));
        let shared = Shared {
            core,
            supplier: UnsafeCell::new(ManuallyDrop::new(supplier)),
        };
        // SAFETY: valid: the place has this layout. Exclusive: it is new.
        unsafe { place.write(shared) };
        Ok(Self(place))
    }

    /// What a round remembers to find its way back: valid while there is a handle, or a round of
    /// this engine outside it.
    #[inline]
    #[must_use]
    pub fn shared(&self) -> NonNull<Shared<S>> {
        self.0
    }

    /// A handle that does not keep the engine open.
    #[must_use]
    pub fn downgrade(&self) -> WeakEngine<S> {
        self.core.traffic.leases.add_weak();
        WeakEngine(self.0)
    }

    /// A handle for whoever has a round; `None` once the last handle has gone.
    ///
    /// # Safety
    ///
    /// `shared` is valid: the caller has a round of this engine, or a handle.
    pub unsafe fn from_shared(shared: NonNull<Shared<S>>) -> Option<Self> {
        // SAFETY: valid: the caller's promise.
        let upgraded = unsafe { shared.as_ref() }.core.traffic.leases.upgrade();
        upgraded.then(|| Self(shared))
    }
}

impl<S: Supplier> Deref for Engine<S> {
    type Target = Shared<S>;

    #[inline]
    fn deref(&self) -> &Shared<S> {
        // SAFETY: valid: this handle counts. Shared: nobody makes a `&mut` to it.
        unsafe { self.0.as_ref() }
    }
}

impl<S: Supplier> Clone for Engine<S> {
    fn clone(&self) -> Self {
        self.core.traffic.leases.add_handle();
        Self(self.0)
    }
}

impl<S: Supplier> Drop for Engine<S> {
    fn drop(&mut self) {
        if self.core.traffic.leases.drop_handle() {
            self.close();
            // SAFETY: the lease that the handles had in common.
            unsafe { Core::release(self.0.cast(), 1) };
        }
    }
}

impl<S: Supplier> WeakEngine<S> {
    /// A handle, unless the last one has gone.
    #[must_use]
    pub fn upgrade(&self) -> Option<Engine<S>> {
        // SAFETY: valid: this handle's weak count. The counts of an engine that has ended are
        // there until the memory is freed.
        let core = unsafe { self.0.cast::<Core>().as_ref() };
        core.traffic.leases.upgrade().then(|| Engine(self.0))
    }
}

impl<S: Supplier> Clone for WeakEngine<S> {
    fn clone(&self) -> Self {
        // SAFETY: valid: this handle's weak count.
        let core = unsafe { self.0.cast::<Core>().as_ref() };
        core.traffic.leases.add_weak();
        Self(self.0)
    }
}

impl<S: Supplier> Drop for WeakEngine<S> {
    fn drop(&mut self) {
        // SAFETY: this handle's weak count.
        unsafe { Core::release_weak(self.0.cast()) };
    }
}

impl<S: Supplier> Shared<S> {
    const VTABLE: &'static Vtable = &Vtable {
        destroy: Self::destroy,
        weigh: Self::weigh,
        end: Self::end,
        free: Self::free,
    };

    unsafe fn destroy(core: NonNull<Core>, rounds: &[Round]) {
        // SAFETY: valid: invariant 1; the caller has a count, and passes the core's origin.
        let shared = unsafe { core.cast::<Self>().as_ref() };
        // SAFETY: passed on from the caller.
        unsafe { shared.supplier().destroy(rounds) };
    }

    unsafe fn weigh(core: NonNull<Core>, rounds: &[Round]) -> usize {
        // SAFETY: valid: invariant 1; the caller has a count, and passes the core's origin.
        let shared = unsafe { core.cast::<Self>().as_ref() };
        // SAFETY: passed on from the caller.
        unsafe { shared.supplier().weigh(rounds) }
    }

    unsafe fn end(core: NonNull<Core>) {
        // SAFETY: valid: invariant 1, and the caller has a weak count.
        let shared = unsafe { core.cast::<Self>().as_ref() };
        shared.supplier.with_mut(|supplier| {
            // SAFETY: valid: inside the cell. Exclusive: all handles and leases are gone.
            let supplier = unsafe { &mut *supplier };
            // A thread may be ending, where a panic would abort the process.
            contain(|| {
                // SAFETY: owned: this happens once.
                unsafe { ManuallyDrop::drop(supplier) };
            });
        });
    }

    unsafe fn free(core: NonNull<Core>) {
        // SAFETY: valid: the last weak count was the caller's.
        let set = unsafe { core.as_ref() }.set();
        let shared = core.cast::<Self>();
        // SAFETY: owned: nobody has a count. The supplier, which is dropped already, is in a
        // `ManuallyDrop`.
        unsafe { shared.drop_in_place() };
        // SAFETY: from `alloc` with this layout in `try_new`.
        unsafe { dealloc(shared.as_ptr().cast(), Layout::new::<Self>()) };
        thread::leave_set(set);
    }

    /// The supplier.
    #[inline]
    pub fn supplier(&self) -> &S {
        self.supplier.with(|supplier| {
            // SAFETY: valid and shared: invariant 2: the caller has a handle or a lease, or how
            // would it have this reference.
            unsafe { &*supplier }
        })
    }

    /// The supplier's number, [`Config::word`].
    #[inline]
    pub fn word(&self) -> usize {
        self.core.word()
    }

    /// The limits that the engine was made with.
    pub fn config(&self) -> &Config {
        &self.core.config
    }

    /// Takes a round out of this thread's cache: the hit, which touches this thread's memory only.
    ///
    /// The round comes with its lease.
    #[inline]
    pub fn take_hit(&self) -> Option<NonNull<()>> {
        thread::take(&self.core)
    }

    /// Takes a round from wherever there is an idle one within reach: this thread's cache, the
    /// depot, the stripes. `None` when there is none, or the engine is closed: make one, with a
    /// [`permit`](Self::permit).
    #[cold]
    #[inline(never)]
    pub fn take_cold(&self) -> Option<NonNull<()>> {
        thread::take_anywhere(&self.core)
    }

    /// Puts a round into this thread's cache: the hit. `false` when there is no room or the engine
    /// is closed; then nothing has happened.
    ///
    /// # Safety
    ///
    /// The caller has the lease of `round`, which belongs to this engine. On `true` it has handed
    /// both over.
    #[inline]
    pub unsafe fn put_hit(&self, round: NonNull<()>) -> bool {
        thread::put(&self.core, round)
    }

    /// Puts a round wherever there is room, or destroys it if there is none or the engine is
    /// closed.
    ///
    /// # Safety
    ///
    /// As [`put_hit`](Self::put_hit); the round is handed over in any case. Afterwards `this` may
    /// be gone.
    #[cold]
    #[inline(never)]
    pub unsafe fn put_cold(this: NonNull<Self>, round: NonNull<()>) {
        // SAFETY: as for this function.
        let Err(round) = (unsafe { Self::try_put(this, round) }) else {
            return;
        };
        // SAFETY: valid: the round and its lease came back.
        let shared = unsafe { this.as_ref() };
        if !shared.is_closed() {
            shared.core.census.overflowed(1);
        }
        // SAFETY: the round is of this engine, and nobody else has it.
        unsafe { shared.supplier().destroy(&[round]) };
        // SAFETY: the round's lease.
        unsafe { Self::retire(this, 1) };
    }

    /// Puts a round wherever there is room.
    ///
    /// # Errors
    ///
    /// Hands the round back, with its lease, when there is no room or the engine is closed.
    ///
    /// # Safety
    ///
    /// As [`put_hit`](Self::put_hit). On `Ok` the round is handed over, and `this` may be gone.
    pub unsafe fn try_put(this: NonNull<Self>, round: NonNull<()>) -> Result<(), NonNull<()>> {
        // SAFETY: as for this function.
        unsafe { thread::put_anywhere(this.cast(), round) }
    }

    /// Puts rounds where this thread finds them first, as far as there is room, without a visit to
    /// the depot; answers with how many, from the first on. For whoever makes rounds in batches.
    ///
    /// # Safety
    ///
    /// The caller has the leases of the rounds, which belong to this engine. Those taken are
    /// handed over.
    pub unsafe fn fill(&self, rounds: &[NonNull<()>]) -> usize {
        thread::fill(&self.core, rounds)
    }

    /// Asks for the right to make a round.
    ///
    /// # Errors
    ///
    /// When the engine is closed, or as many rounds exist as may.
    pub fn permit(&self) -> Result<Permit<'_, S>, Refused> {
        self.permit_many(1)
    }

    /// Asks for the right to make up to `rounds` rounds; the [permit](Permit::rounds) says how
    /// many it is for, at least one.
    ///
    /// # Errors
    ///
    /// When the engine is closed, or as many rounds exist as may.
    ///
    /// # Panics
    ///
    /// When `rounds` is 0.
    pub fn permit_many(&self, rounds: usize) -> Result<Permit<'_, S>, Refused> {
        assert!(rounds > 0, "a permit for nothing");
        if self.is_closed() {
            return Err(Refused::Closed);
        }
        let admitted = self.core.census.admit(rounds);
        if admitted == 0 {
            return Err(Refused::Exhausted);
        }
        /// Gives back what was admitted, should the leases be too many.
        struct Forgo<'a>(&'a Core, usize);
        impl Drop for Forgo<'_> {
            fn drop(&mut self) {
                self.0.census.forgo(self.1);
            }
        }
        let mut forgo = Forgo(&self.core, admitted);
        self.core.traffic.leases.add_new(admitted);
        forgo.1 = 0;
        Ok(Permit::new(self, admitted))
    }

    /// Rounds that were permitted are not made.
    pub(crate) fn forgo(&self, rounds: usize) {
        self.core.census.forgo(rounds);
        // SAFETY: the leases of the permit. They are not the last ones: the handle or the round
        // that the permit borrows from has one too.
        unsafe { Core::release(self.core.origin(), rounds) };
    }

    pub(crate) fn core(&self) -> &Core {
        &self.core
    }

    /// Ends the leases of rounds that the caller has destroyed, or taken out for good.
    ///
    /// # Safety
    ///
    /// The caller has so many leases. Afterwards `this` may be gone.
    pub unsafe fn retire(this: NonNull<Self>, rounds: usize) {
        // SAFETY: valid: the leases.
        unsafe { this.as_ref() }.core.census.gone(rounds);
        // SAFETY: as for this function.
        unsafe { Core::release(this.cast(), rounds) };
    }

    /// Gives idle rounds back.
    ///
    /// - `Low` ends an interval: what nobody has wanted since the last one ended is destroyed.
    /// - `Medium` destroys what the depot holds.
    /// - `High` destroys what the stripes and this thread's cache hold as well. Other threads give
    ///   up one of their two magazines at their next exchange.
    pub fn reclaim(&self, pressure: Pressure) -> Reclaimed {
        let mut reclaimed = self.core.reclaim(pressure);
        if pressure >= Pressure::High {
            reclaimed += thread::discard(&self.core);
        }
        reclaimed
    }

    /// Ends an interval, if it is over at `now`; then what nobody wanted in it is destroyed.
    ///
    /// The first call begins an interval.
    pub fn tick(&self, now: Instant) -> Reclaimed {
        self.core.tick(now)
    }

    /// Moves what this thread's cache holds to the depot, and gives the cache up.
    pub fn flush_thread(&self) {
        thread::flush(&self.core);
    }

    /// Destroys what is idle in the depot, the stripes and this thread's cache, and from now on
    /// every round that comes back.
    pub fn close(&self) {
        self.core.close();
        thread::flush(&self.core);
        self.supplier().closed();
    }

    /// Whether the engine is closed.
    #[inline]
    pub fn is_closed(&self) -> bool {
        self.core.is_closed()
    }

    /// What the engine has done and holds.
    pub fn stats(&self) -> Stats {
        Stats::of(&self.core)
    }
}

impl<S: Supplier> fmt::Debug for Engine<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Engine").field(&self.stats()).finish()
    }
}

impl<S: Supplier> fmt::Debug for WeakEngine<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WeakEngine").finish_non_exhaustive()
    }
}

impl<S: Supplier> fmt::Debug for Shared<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Shared").field(&self.stats()).finish()
    }
}

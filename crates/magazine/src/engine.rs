//! STAND-IN. Correct and slow; the real engine has this interface.
#![allow(missing_docs, clippy::all, reason = "STAND-IN")]

use core::fmt;
use core::ops::Deref;
use core::ptr::NonNull;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::SeqCst};

use thrifty_sync::clock::Instant;
use thrifty_traits::{AllocError, Pressure, Reclaimed, Rejected};

use crate::{Config, Stats, Supplier};

/// A handle to an engine. The last one to be dropped closes the engine.
pub struct Engine<S: Supplier>(NonNull<Shared<S>>);
/// A handle that does not keep the engine open.
pub struct WeakEngine<S: Supplier>(NonNull<Shared<S>>);

/// The engine itself. Alive while there is a handle, or a round outside the depot ("lease").
#[repr(C)]
pub struct Shared<S: Supplier> {
    config: Config,
    refs: AtomicUsize,
    weak: AtomicUsize,
    handles: AtomicUsize,
    closed: AtomicBool,
    live: AtomicUsize,
    created: AtomicU64,
    rounds: Mutex<Vec<NonNull<()>>>,
    supplier: core::mem::ManuallyDrop<S>,
}

unsafe impl<S: Supplier> Send for Engine<S> {}
unsafe impl<S: Supplier> Sync for Engine<S> {}
unsafe impl<S: Supplier> Send for WeakEngine<S> {}
unsafe impl<S: Supplier> Sync for WeakEngine<S> {}
unsafe impl<S: Supplier> Send for Shared<S> {}
unsafe impl<S: Supplier> Sync for Shared<S> {}

/// Why no round may be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    Closed,
    Exhausted,
}

/// The right to make one round. Dropped without [`keep`](Self::keep), it is given back.
#[must_use]
pub struct Permit<'a, S: Supplier>(&'a Shared<S>);

impl<S: Supplier> Permit<'_, S> {
    /// The round exists now; it holds a lease and counts as live until it is destroyed by the
    /// engine or [`Shared::retire`]d.
    pub fn keep(self) {
        self.0.created.fetch_add(1, SeqCst);
        core::mem::forget(self);
    }
}
impl<S: Supplier> Drop for Permit<'_, S> {
    fn drop(&mut self) {
        unsafe { Shared::retire(NonNull::from(self.0), 1) }
    }
}

impl<S: Supplier> Engine<S> {
    /// Gives the supplier back when there is no memory.
    ///
    /// # Panics
    /// When the config is invalid.
    pub fn try_new(supplier: S, config: Config) -> Result<Self, Rejected<S>> {
        config.validate().expect("valid");
        let _: Option<AllocError> = None;
        Ok(Self(NonNull::from(Box::leak(Box::new(Shared {
            config,
            refs: AtomicUsize::new(1),
            weak: AtomicUsize::new(1),
            handles: AtomicUsize::new(1),
            closed: AtomicBool::new(false),
            live: AtomicUsize::new(0),
            created: AtomicU64::new(0),
            rounds: Mutex::new(Vec::new()),
            supplier: core::mem::ManuallyDrop::new(supplier),
        })))))
    }
    /// What a round remembers to find its way back. Valid while a handle or a lease exists.
    #[inline]
    pub fn shared(&self) -> NonNull<Shared<S>> {
        self.0
    }
    pub fn downgrade(&self) -> WeakEngine<S> {
        self.weak.fetch_add(1, SeqCst);
        WeakEngine(self.0)
    }
    /// A new handle, from inside: a lease on the engine is held by the caller.
    ///
    /// # Safety
    /// `shared` is valid: the caller holds a round with a lease or a handle. `None` when the last
    /// handle has gone.
    pub unsafe fn from_shared(shared: NonNull<Shared<S>>) -> Option<Self> {
        let s = unsafe { shared.as_ref() };
        s.handles
            .fetch_update(SeqCst, SeqCst, |n| (n > 0).then_some(n + 1))
            .ok()
            .map(|_| Self(shared))
    }
}
impl<S: Supplier> Deref for Engine<S> {
    type Target = Shared<S>;
    #[inline]
    fn deref(&self) -> &Shared<S> {
        unsafe { self.0.as_ref() }
    }
}
impl<S: Supplier> Clone for Engine<S> {
    fn clone(&self) -> Self {
        self.handles.fetch_add(1, SeqCst);
        Self(self.0)
    }
}
impl<S: Supplier> Drop for Engine<S> {
    fn drop(&mut self) {
        if self.handles.fetch_sub(1, SeqCst) == 1 {
            self.close();
            unsafe { Shared::release(self.0, 1) }
        }
    }
}
impl<S: Supplier> WeakEngine<S> {
    pub fn upgrade(&self) -> Option<Engine<S>> {
        unsafe { Engine::from_shared(self.0) }
    }
}
impl<S: Supplier> Clone for WeakEngine<S> {
    fn clone(&self) -> Self {
        unsafe { self.0.as_ref() }.weak.fetch_add(1, SeqCst);
        Self(self.0)
    }
}
impl<S: Supplier> Drop for WeakEngine<S> {
    fn drop(&mut self) {
        unsafe { Shared::release_weak(self.0) }
    }
}

impl<S: Supplier> Shared<S> {
    #[inline]
    pub fn supplier(&self) -> &S {
        &self.supplier
    }

    /// An idle round of this thread's cache: the hit path, a few loads. The round comes with its
    /// lease.
    #[inline]
    pub fn take_hit(&self) -> Option<NonNull<()>> {
        self.take_cold()
    }

    /// An idle round from anywhere: the depot, a stripe. `None`: make one, with a [`Permit`].
    #[cold]
    pub fn take_cold(&self) -> Option<NonNull<()>> {
        if self.is_closed() {
            return None;
        }
        self.rounds.lock().unwrap().pop()
    }

    /// Puts a round into this thread's cache, if that has room: the hit path. On `false` nothing
    /// has happened.
    ///
    /// # Safety
    /// The round belongs to this engine, has a lease, and on `true` is handed over.
    #[inline]
    pub unsafe fn put_hit(&self, round: NonNull<()>) -> bool {
        let _ = round;
        false
    }

    /// Puts a round wherever there is room; destroys it if there is none, or if closed.
    ///
    /// # Safety
    /// As [`put_hit`](Self::put_hit); afterwards `this` may be gone.
    #[cold]
    pub unsafe fn put_cold(this: NonNull<Self>, round: NonNull<()>) {
        let s = unsafe { this.as_ref() };
        if let Err(round) = unsafe { Self::try_put(this, round) } {
            unsafe { s.supplier().destroy(&[round]) };
            unsafe { Self::retire(this, 1) };
        }
    }

    /// Puts a round wherever there is room; hands it back if there is none, or if closed.
    ///
    /// # Safety
    /// As [`put_cold`](Self::put_cold).
    #[cold]
    pub unsafe fn try_put(this: NonNull<Self>, round: NonNull<()>) -> Result<(), NonNull<()>> {
        let s = unsafe { this.as_ref() };
        let mut rounds = s.rounds.lock().unwrap();
        if s.is_closed() || rounds.len() >= s.config.max_idle {
            return Err(round);
        }
        rounds.push(round);
        Ok(())
    }

    /// Asks for the right to make a round.
    pub fn permit(&self) -> Result<Permit<'_, S>, Refused> {
        if self.is_closed() {
            return Err(Refused::Closed);
        }
        self.live
            .fetch_update(SeqCst, SeqCst, |n| {
                (n < self.config.max_live).then_some(n + 1)
            })
            .map_err(|_| Refused::Exhausted)?;
        self.refs.fetch_add(1, SeqCst);
        Ok(Permit(self))
    }

    /// Gives back the leases of `n` rounds that the caller has destroyed or taken out for good.
    ///
    /// # Safety
    /// The caller had `n` rounds with leases. Afterwards `this` may be gone.
    pub unsafe fn retire(this: NonNull<Self>, n: usize) {
        let s = unsafe { this.as_ref() };
        s.live.fetch_sub(n, SeqCst);
        unsafe { Self::release(this, n) };
    }

    unsafe fn release(this: NonNull<Self>, n: usize) {
        let s = unsafe { this.as_ref() };
        // in the stand-in idle rounds have leases too
        if s.refs.fetch_sub(n, SeqCst) == n {
            unsafe {
                core::mem::ManuallyDrop::drop(&mut (*this.as_ptr()).supplier);
                Self::release_weak(this);
            }
        }
    }
    unsafe fn release_weak(this: NonNull<Self>) {
        if unsafe { this.as_ref() }.weak.fetch_sub(1, SeqCst) == 1 {
            let raw = this.as_ptr().cast::<core::mem::MaybeUninit<Self>>();
            unsafe {
                core::ptr::drop_in_place(&raw mut (*this.as_ptr()).config);
                core::ptr::drop_in_place(&raw mut (*this.as_ptr()).rounds);
                drop(Box::from_raw(raw));
            }
        }
    }

    /// Gives idle rounds back. `Low`: one step of decay. `Medium`: the depot. `High`: stripes and
    /// this thread's cache as well; other threads follow at their next exchange.
    pub fn reclaim(&self, pressure: Pressure) -> Reclaimed {
        let _ = pressure;
        let rounds = core::mem::take(&mut *self.rounds.lock().unwrap());
        let bytes = unsafe { self.supplier().weigh(&rounds) };
        unsafe { self.supplier().destroy(&rounds) };
        let n = rounds.len();
        unsafe { Self::retire(NonNull::from(self), n) };
        Reclaimed::new().with_items(n).with_bytes(bytes)
    }

    /// Ends a decay interval, if it is over at `now`.
    pub fn tick(&self, now: Instant) -> Reclaimed {
        let _ = now;
        Reclaimed::new()
    }

    /// Moves this thread's cached rounds to the depot.
    pub fn flush_thread(&self) {}

    /// Destroys what is idle, and from now on everything that comes back.
    pub fn close(&self) {
        self.closed.store(true, SeqCst);
        let _ = self.reclaim(Pressure::High);
    }

    pub fn is_closed(&self) -> bool {
        self.closed.load(SeqCst)
    }

    pub fn config(&self) -> &Config {
        &self.config
    }

    pub fn stats(&self) -> Stats {
        let mut stats = Stats::default();
        stats.live = self.live.load(SeqCst);
        stats.depot = self.rounds.lock().unwrap().len();
        stats.created = self.created.load(SeqCst);
        stats.retired = stats.created - stats.live as u64;
        stats
    }
}

impl<S: Supplier> fmt::Debug for Engine<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").finish_non_exhaustive()
    }
}
impl<S: Supplier> fmt::Debug for WeakEngine<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WeakEngine").finish_non_exhaustive()
    }
}
impl<S: Supplier> fmt::Debug for Shared<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}
impl<S: Supplier> fmt::Debug for Permit<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit").finish_non_exhaustive()
    }
}

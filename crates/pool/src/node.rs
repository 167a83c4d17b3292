//! Nodes: where an item lives from its creation to its drop, and what owns one.
//!
//! ```text
//!  Loan ──► ┌────────┬────────────┐        who has a node
//!  round ─► │ shared │ value      │        lent:  one Loan, with one lease of the engine
//!           └───┬────┴────────────┘        idle:  the engine, as an untyped round;
//!               ▼                                 under AddressSanitizer the value is poisoned
//!        engine and Keeper<M>
//! ```
//!
//! A node is allocated once and never moves, so caches and depot hold pointers and an item's bytes
//! stay where they are.
//!
//! # Invariants
//!
//! 1. The node of a [`Loan`] is allocated, its value initialised, and nobody else has a pointer to
//!    the node that will be used.
//! 2. A [`Loan`] comes with one lease of the engine that its node's `shared` names, so that is valid.
//! 3. A round of an engine of `Keeper<M>` is a pointer to a `Node<M>` for which 1 holds, with the
//!    engine in the place of the loan.

use core::alloc::Layout;
use core::mem::ManuallyDrop;
use core::ptr::NonNull;

use thrifty_magazine::{Engine, Permit, Shared, Supplier};
use thrifty_traits::{AllocError, AllocErrorKind};

use crate::asan;
use crate::contain::contain;
use crate::error::GetError;
use crate::keeper::{Keeper, receive};
use crate::manage::{Manage, Verdict};

/// An item and the way back to its pool.
#[repr(C)]
pub(crate) struct Node<M: Manage> {
    shared: NonNull<Shared<Keeper<M>>>,
    value: M::Item,
}

/// Owns a node that is lent. Dropped, it drops the value, frees the node and ends the lease.
pub(crate) struct Loan<M: Manage>(NonNull<Node<M>>);

// SAFETY: a loan owns its item, and `Manage` has `Item: Send`. On the other thread it reaches the
// manager through `&`, and `Manage: Sync`. The engine's own state is `Sync`.
unsafe impl<M: Manage> Send for Loan<M> {}
// SAFETY: `&Loan` gives `&Item`, for which `Item: Sync` suffices, and `&Keeper<M>`: the manager is
// `Sync`, and so are the numbers and the name beside it. Nothing takes the item out through `&`.
unsafe impl<M: Manage> Sync for Loan<M> where M::Item: Sync {}

impl<M: Manage> Loan<M> {
    /// The size of a node, which is what an item costs beyond what it owns itself.
    pub(crate) const NODE_BYTES: usize = size_of::<Node<M>>();

    /// An item of this thread's cache.
    #[inline]
    pub(crate) fn take_hit(engine: &Engine<Keeper<M>>) -> Option<Self> {
        let round = engine.take_hit()?;
        // SAFETY: taken on the line above.
        Some(unsafe { Self::from_round(round) })
    }

    /// An item of the depot or a stripe.
    pub(crate) fn take_cold(engine: &Engine<Keeper<M>>) -> Option<Self> {
        let round = engine.take_cold()?;
        // SAFETY: taken on the line above.
        Some(unsafe { Self::from_round(round) })
    }

    /// Takes over a round.
    ///
    /// # Safety
    ///
    /// The round was taken from an engine of `Keeper<M>`, with its lease, and is used for nothing
    /// else from now on.
    #[inline]
    unsafe fn from_round(round: NonNull<()>) -> Self {
        // INVARIANT: 1 and 2 — by 3 and this function's contract.
        let loan = Self(round.cast());
        asan::wake(loan.place());
        loan
    }

    #[inline]
    pub(crate) fn value(&self) -> &M::Item {
        // SAFETY: valid by invariant 1; shared: whoever could write has the loan by `&mut`.
        unsafe { &*self.place() }
    }

    #[inline]
    pub(crate) fn value_mut(&mut self) -> &mut M::Item {
        // SAFETY: valid and exclusive by invariant 1 and `&mut self`.
        unsafe { &mut *self.place() }
    }

    #[inline]
    pub(crate) fn keeper(&self) -> &Keeper<M> {
        // SAFETY: valid and shared by invariant 2: the engine lives at least as long as this loan.
        unsafe { self.shared().as_ref() }.supplier()
    }

    /// Cleans the item and says whether it may be cached.
    #[inline]
    pub(crate) fn receive(&mut self) -> Verdict {
        // SAFETY: as in `keeper`; the engine lives for the whole call, since the loan does.
        let engine = unsafe { self.shared().as_ref() };
        receive(engine, self.value_mut())
    }

    /// Hands the node back to this thread's cache, if that has room.
    #[inline]
    pub(crate) fn give_back_hit(self) -> Result<(), Self> {
        let shared = self.shared();
        let round = self.into_round();
        // SAFETY: valid by invariant 2; the lease that keeps it so is still this function's.
        let engine = unsafe { shared.as_ref() };
        // SAFETY: the round is one of this engine and comes with the loan's lease.
        if unsafe { engine.put_hit(round) } {
            Ok(())
        } else {
            // SAFETY: `put_hit` has not taken the round.
            Err(unsafe { Self::from_round(round) })
        }
    }

    /// Hands the node back to its engine, which destroys it if there is no room.
    pub(crate) fn give_back_cold(self) {
        let shared = self.shared();
        let round = self.into_round();
        // SAFETY: the round is one of this engine and comes with the loan's lease; nothing is used
        // afterwards.
        unsafe { Shared::put_cold(shared, round) };
    }

    /// As [`give_back_cold`](Self::give_back_cold), but where there is no room the loan comes back.
    #[cold]
    pub(crate) fn try_give_back_cold(self) -> Result<(), Self> {
        let shared = self.shared();
        let round = self.into_round();
        // SAFETY: the round is one of this engine and comes with the loan's lease.
        let refused = unsafe { Shared::try_put(shared, round) };
        // SAFETY: the engine has handed the round back, with the lease.
        refused.map_err(|round| unsafe { Self::from_round(round) })
    }

    /// Takes the item out, frees the node and ends the lease.
    pub(crate) fn into_value(self) -> M::Item {
        let this = ManuallyDrop::new(self);
        // Declared first, so that it frees when the value has been read.
        let _node = Ending(this.0);
        // SAFETY: valid by invariant 1; owned: the loan is not dropped, and `Ending` frees the
        // node without dropping the value.
        unsafe { this.place().read() }
    }

    #[inline]
    fn into_round(self) -> NonNull<()> {
        let this = ManuallyDrop::new(self);
        asan::sleep(this.place());
        this.0.cast()
    }

    #[inline]
    fn shared(&self) -> NonNull<Shared<Keeper<M>>> {
        // SAFETY: valid by invariant 1, and never written after the node was made.
        unsafe { (*self.0.as_ptr()).shared }
    }

    #[inline]
    fn place(&self) -> *mut M::Item {
        place(self.0)
    }
}

impl<M: Manage> Drop for Loan<M> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: the loan's node, which nobody uses after this.
        unsafe { discard_cold(self.0) };
    }
}

/// Drops the value of a loan, frees the node and ends the lease. By value, so that the hit path
/// need not keep the loan in memory for it.
///
/// # Safety
///
/// The node is that of a loan, which is used no more.
#[cold]
#[inline(never)]
unsafe fn discard_cold<M: Manage>(node: NonNull<Node<M>>) {
    let place = place(node);
    // Frees the node also when the drop below unwinds.
    let _node = Ending(node);
    // SAFETY: valid, exclusive and owned by invariant 1 and the caller.
    let drop_value = || unsafe { place.drop_in_place() };
    if std::thread::panicking() {
        // A panic on top of the one that is under way would abort.
        contain(drop_value);
    } else {
        drop_value();
    }
}

/// The last of a loan whose value is gone: frees the node, then ends the lease.
struct Ending<M: Manage>(NonNull<Node<M>>);

impl<M: Manage> Drop for Ending<M> {
    fn drop(&mut self) {
        // SAFETY: valid: whoever made this had a loan and has not freed the node.
        let shared = unsafe { (*self.0.as_ptr()).shared };
        free(self.0);
        // SAFETY: the loan's lease, which nobody else ends; nothing is used afterwards.
        unsafe { Shared::retire(shared, 1) };
    }
}

/// Permission and memory for one more item: what can fail, before the item is made.
pub(crate) struct Berth<'a, M: Manage> {
    engine: &'a Engine<Keeper<M>>,
    permit: Permit<'a, Keeper<M>>,
    blank: Blank<M>,
}

impl<'a, M: Manage> Berth<'a, M> {
    /// Asks for both. Dropped, they are given back.
    pub(crate) fn try_new<E>(engine: &'a Engine<Keeper<M>>) -> Result<Self, GetError<E>> {
        let permit = engine.permit().map_err(GetError::refused)?;
        let blank = Blank::try_new().map_err(GetError::Alloc)?;
        Ok(Self {
            engine,
            permit,
            blank,
        })
    }

    /// Puts the item in. Nothing here can fail, so a made item is never lost.
    pub(crate) fn fill(self, value: M::Item) -> Loan<M> {
        let node = ManuallyDrop::new(self.blank).0;
        let whole = Node {
            shared: self.engine.shared(),
            value,
        };
        // SAFETY: valid for writing and owned: a `Blank` has just given it up.
        unsafe { node.write(whole) };
        self.permit.keep();
        // INVARIANT: 1 — written above; 2 — the permit was one of this engine, and its lease is
        // now the loan's.
        Loan(node)
    }
}

/// A node's memory before there is a value.
struct Blank<M: Manage>(NonNull<Node<M>>);

impl<M: Manage> Blank<M> {
    fn try_new() -> Result<Self, AllocError> {
        let layout = Layout::new::<Node<M>>();
        // SAFETY: the layout is not of size zero, since a node has a pointer.
        let node = unsafe { std::alloc::alloc(layout) };
        NonNull::new(node.cast())
            .map(Self)
            .ok_or_else(|| AllocError::for_layout(AllocErrorKind::Backend, layout))
    }
}

impl<M: Manage> Drop for Blank<M> {
    fn drop(&mut self) {
        free(self.0);
    }
}

/// Frees a node whose value is not there, or no longer. The caller owns it.
fn free<M: Manage>(node: NonNull<Node<M>>) {
    // SAFETY: owned: the two callers are drops of types that own their node; it was allocated by
    // `Blank::try_new` with this layout.
    unsafe { std::alloc::dealloc(node.as_ptr().cast(), Layout::new::<Node<M>>()) };
}

/// Where a node has its value.
#[inline]
fn place<M: Manage>(node: NonNull<Node<M>>) -> *mut M::Item {
    // SAFETY: in bounds of the node's allocation; no reference is made.
    unsafe { &raw mut (*node.as_ptr()).value }
}

// SAFETY: rounds are nodes (invariant 3) whose items are `Send`, and own nothing else that is bound
// to a thread. `destroy` drops items on whatever thread calls, with their panics contained. A weight
// is the manager's: if it wavers, the engine's figures and its limit in bytes are off, and it
// follows no pointer by them.
unsafe impl<M: Manage> Supplier for Keeper<M> {
    unsafe fn destroy(&self, rounds: &[NonNull<()>]) {
        for round in rounds {
            let node: NonNull<Node<M>> = round.cast();
            let place = place(node);
            asan::wake(place);
            // SAFETY: valid, exclusive and owned by invariant 3 and the caller, who hands it over.
            contain(|| unsafe { place.drop_in_place() });
            free(node);
        }
    }

    unsafe fn weigh(&self, rounds: &[NonNull<()>]) -> usize {
        let mut bytes = 0_usize;
        for round in rounds {
            let place = place::<M>(round.cast());
            asan::wake(place);
            let mut weight = 0;
            // SAFETY: valid by invariant 3; shared: nobody uses the round during the call.
            contain(|| weight = self.manager.weight(unsafe { &*place }));
            asan::sleep(place);
            let header = size_of::<Node<M>>() - size_of::<M::Item>();
            bytes = bytes.saturating_add(header).saturating_add(weight);
        }
        bytes
    }
}

//! A block of memory that holds up to a fixed number of rounds.
//!
//! ```text
//! header                         rounds
//! ┌──────────┬─────┬────────┐┌─────┬─────┬─────┬───  ───┐
//! │ capacity │ len │ weight ││  0  │  1  │  2  │   …    │   len of them are initialised
//! └──────────┴─────┴────────┘└─────┴─────┴─────┴───  ───┘
//! ```
//!
//! A magazine is owned by whoever holds the [`Magazine`]: there is never a second pointer to it
//! that anyone follows, also while it lies in the depot. It moves between threads as a whole, so
//! its contents are plain memory.
//!
//! # Invariants
//!
//! 1. `header` points to a live block of `layout(capacity)`, made by `try_new` and owned by this
//!    value alone.
//! 2. The first `len` rounds are initialised, and `len <= capacity`. While the magazine is loaded
//!    into a cache, the cache keeps the length, and the one here is 0.

use alloc::alloc::{alloc, dealloc};
use core::alloc::Layout;
use core::mem::ManuallyDrop;
use core::ptr::NonNull;

use thrifty_sync::UnsafeCell;

use crate::round::Round;

/// The head of the block. Opaque: it is only ever reached through a [`Magazine`].
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Header {
    capacity: u32,
    /// A cell, although nobody shares it: loom sees in its accesses whether the passing on of a
    /// magazine was ordered.
    state: UnsafeCell<State>,
}

#[derive(Clone, Copy, Debug)]
struct State {
    len: u32,
    /// Bytes that the rounds keep alive; `None` until somebody has weighed them.
    weight: Option<usize>,
}

/// An owned magazine. Not `Drop`: its rounds have to go somewhere first.
#[derive(Debug)]
#[must_use = "a magazine that is dropped leaks, with its rounds"]
pub(crate) struct Magazine {
    header: NonNull<Header>,
}

// SAFETY: invariant 1: the block moves as a whole, and with it the rounds, pointers that
// `Supplier` promises may move between threads.
unsafe impl Send for Magazine {}

/// Where the rounds begin, and how large the block is.
const fn layout(capacity: u32) -> (Layout, usize) {
    let header = Layout::new::<Header>();
    let Ok(rounds) = Layout::array::<Round>(capacity as usize) else {
        panic!("a magazine has at most MAX_ROUNDS rounds");
    };
    let Ok((block, offset)) = header.extend(rounds) else {
        panic!("a magazine has at most MAX_ROUNDS rounds");
    };
    (block.pad_to_align(), offset)
}

impl Magazine {
    /// An empty magazine, if there is memory for it.
    pub(crate) fn try_new(capacity: u32) -> Option<Self> {
        let (layout, _) = layout(capacity);
        // SAFETY: the layout has a header in it and so is not of size zero.
        let block = unsafe { alloc(layout) };
        let header = NonNull::new(block)?.cast::<Header>();
        let state = State {
            len: 0,
            weight: None,
        };
        let fresh = Header {
            capacity,
            state: UnsafeCell::new(state),
        };
        // SAFETY: valid: the block is large enough and aligned for a header. It is new, so nobody
        // else reaches it.
        unsafe { header.write(fresh) };
        Some(Self { header })
    }

    /// Gives the memory back.
    ///
    /// # Panics
    ///
    /// In debug builds, when there are rounds in it.
    pub(crate) fn free(self) {
        debug_assert_eq!(self.len(), 0, "rounds would be lost");
        let (layout, _) = layout(self.capacity());
        // SAFETY: invariant 1: the header is valid, and nobody uses it after this.
        unsafe { self.header.drop_in_place() };
        // SAFETY: invariant 1: the block is from `alloc` with this layout, and owned.
        unsafe { dealloc(self.header.as_ptr().cast(), layout) };
    }

    /// How many rounds fit.
    pub(crate) fn capacity(&self) -> u32 {
        // SAFETY: invariant 1: valid and owned; the field is never written again.
        unsafe { (*self.header.as_ptr()).capacity }
    }

    /// How many rounds are in it.
    pub(crate) fn len(&self) -> u32 {
        self.state(|state| state.len)
    }

    /// The bytes that the rounds keep alive, if they have been weighed.
    pub(crate) fn weight(&self) -> Option<usize> {
        self.state(|state| state.weight)
    }

    fn state<R>(&self, read: impl FnOnce(&State) -> R) -> R {
        // SAFETY: invariant 1: valid, and the reference does not outlive this call.
        let header = unsafe { self.header.as_ref() };
        header.state.with(|state| {
            // SAFETY: valid: inside the header. Nobody writes it: this value owns the magazine.
            read(unsafe { &*state })
        })
    }

    fn state_mut<R>(&mut self, write: impl FnOnce(&mut State) -> R) -> R {
        // SAFETY: invariant 1: valid, and the reference does not outlive this call.
        let header = unsafe { self.header.as_ref() };
        header.state.with_mut(|state| {
            // SAFETY: valid: inside the header. Exclusive: this value owns the magazine.
            write(unsafe { &mut *state })
        })
    }

    /// Writes down what the rounds weigh.
    pub(crate) fn set_weight(&mut self, weight: usize) {
        self.state_mut(|state| state.weight = Some(weight));
    }

    /// Writes down how many rounds there are, when a cache that kept count lets go.
    ///
    /// # Safety
    ///
    /// The first `len` rounds are initialised and belong to this magazine.
    pub(crate) unsafe fn set_len(&mut self, len: u32) {
        debug_assert!(len <= self.capacity(), "more rounds than fit");
        // INVARIANT: 2 — the caller's promise.
        self.state_mut(|state| *state = State { len, weight: None });
    }

    /// Where the rounds begin; for who keeps count itself.
    pub(crate) fn base(&self) -> *mut Round {
        let (_, offset) = layout(0);
        // SAFETY: invariant 1: the offset lies inside the block, whatever its capacity is.
        unsafe { self.header.as_ptr().byte_add(offset) }.cast()
    }

    /// The rounds.
    pub(crate) fn rounds(&self) -> &[Round] {
        // SAFETY: valid: invariant 2, and the block lives as long as `self`. Shared: nobody
        // writes them meanwhile, this value owns the magazine.
        unsafe { core::slice::from_raw_parts(self.base(), self.len() as usize) }
    }

    /// Adds a round; hands it back when there is no room.
    pub(crate) fn push(&mut self, round: Round) -> Result<(), Round> {
        let len = self.len();
        if len == self.capacity() {
            return Err(round);
        }
        // SAFETY: valid: `len` is below the capacity, so the place lies inside the block.
        let place = unsafe { self.base().add(len as usize) };
        // SAFETY: valid as above, and exclusive: this value owns the magazine.
        unsafe { place.write(round) };
        // SAFETY: the round just written is the one more.
        unsafe { self.set_len(len + 1) };
        Ok(())
    }

    /// Takes a round out.
    pub(crate) fn pop(&mut self) -> Option<Round> {
        let len = self.len().checked_sub(1)?;
        // SAFETY: valid: `len` is below the former length, so the place lies inside the block.
        let place = unsafe { self.base().add(len as usize) };
        // SAFETY: invariant 2: initialised.
        let round = unsafe { place.read() };
        // SAFETY: the first `len` rounds are as they were.
        unsafe { self.set_len(len) };
        Some(round)
    }

    /// Forgets the rounds, which the caller has destroyed or moved elsewhere.
    pub(crate) fn clear(&mut self) {
        // SAFETY: no round has to be initialised for a length of 0.
        unsafe { self.set_len(0) };
    }

    /// The pointer alone, to be put into an atomic.
    pub(crate) fn into_raw(self) -> *mut Header {
        ManuallyDrop::new(self).header.as_ptr()
    }

    /// A magazine again.
    ///
    /// # Safety
    ///
    /// `raw` is from [`into_raw`](Self::into_raw), and the caller is the one that took it out of
    /// where it was put.
    pub(crate) unsafe fn from_raw(raw: *mut Header) -> Option<Self> {
        NonNull::new(raw).map(|header| Self { header })
    }

    /// The bytes that a magazine of this capacity takes.
    pub(crate) const fn size_bytes(capacity: u32) -> usize {
        layout(capacity).0.size()
    }
}

#[cfg(all(test, not(all(thrifty_loom, feature = "loom"))))]
mod tests {
    use super::*;

    fn round(address: usize) -> Round {
        NonNull::new(core::ptr::without_provenance_mut(address)).expect("no round is at 0")
    }

    #[test]
    fn rounds_come_back_in_reverse_order_and_no_more_fit() {
        let mut magazine = Magazine::try_new(3).unwrap();
        for address in 1..=3 {
            magazine.push(round(address)).unwrap();
        }
        assert_eq!(magazine.push(round(4)), Err(round(4)));
        assert_eq!(magazine.rounds(), [round(1), round(2), round(3)]);
        for address in (1..=3).rev() {
            assert_eq!(magazine.pop(), Some(round(address)));
        }
        assert_eq!(magazine.pop(), None);
        magazine.free();
    }

    #[test]
    fn a_change_makes_the_weight_unknown() {
        let mut magazine = Magazine::try_new(1).unwrap();
        magazine.push(round(1)).unwrap();
        magazine.set_weight(7);
        assert_eq!(magazine.weight(), Some(7));
        magazine.pop();
        assert_eq!(magazine.weight(), None);
        magazine.free();
    }

    #[test]
    fn sizes() {
        assert_eq!(
            Magazine::size_bytes(64) - Magazine::size_bytes(0),
            64 * size_of::<Round>()
        );
    }
}

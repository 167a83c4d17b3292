//! The two cursors: what an allocation that hits reads and writes.
//!
//! Objects grow up from `lo`, strings and small integers down from `hi`. So the latter need neither rounding
//! nor padding, and what may still grow (a vector) is followed by free bytes and can grow where it is.
//!
//! # Both ends, or one?
//!
//! Measured with the same kernel, `MIN_ALIGN = 8` against `MIN_ALIGN = 1`, which only goes up and has to align
//! each object. Medians of 201 interleaved rounds of 10 000 allocations, ns each; one 4-core x86-64 machine that
//! others used too, rustc 1.95, 2026-11:
//!
//! | | both ends | up only | bumpalo | bump-scope |
//! |---|---|---|---|---|
//! | strings of 1–16 bytes | 4.0 | 4.6 | 7.1 | 7.4 |
//! | strings of 8–24 bytes | 4.6 | 4.8 | 5.2 | 5.4 |
//! | a node of 24 bytes and a string of 3–20 | 3.7 | 3.8 | 4.8 | 5.1 |
//! | strings of 100–1000 bytes, all from the high end | 60.6 | 38.6 | 64.1 | 39.5 |
//! | … longer than 128 bytes from the low end | 34.8 | 35.2 | 57.2 | 34.1 |
//!
//! Both ends are never slower, and save the rounding of `MIN_ALIGN = 8` (3.5 bytes per string) and the two
//! instructions per object of `MIN_ALIGN = 1`. But text written from high to low addresses costs half as much
//! again once it leaves the cache; so what is long goes up, where rounding it costs little.
//!
//! # Instructions
//!
//! Up to the store of the cursor: 5 for a `u64` (load, add, compare, branch, store). The step is made with the
//! pointer, and its address compared: made with numbers, the compiler rearranges the comparison and needs 7.
//! The lane `codegen` holds it to 6. What misses is a tail call that takes the value along, so that a hit
//! saves no registers.
//!
//! # Order of the fields
//!
//! `chunk` lies between the cursors on purpose: next to each other they would be loaded as one pair on
//! aarch64, right after one half of it was stored, and such a load has to wait for the store.

use core::{cell::Cell, ptr::NonNull};

use crate::{
    asan,
    chunk::Chunk,
    kernel::{self, BASE, FEW},
};

/// The free bytes of the current chunk.
///
/// # Invariants
///
/// 1. `lo..hi` lies within one allocation of the arena, its current chunk's or its buffer's, whose
///    provenance both have; and no pointer that was handed out covers a byte of it. Or it is empty.
/// 2. `lo` is at least [`FEW`], and a multiple of the arena's `MIN_ALIGN`, which is at most [`BASE`].
/// 3. `chunk` is the current chunk, or none for the arena's buffer.
#[repr(C)]
#[derive(Debug)]
pub(crate) struct Window {
    lo: Cell<*mut u8>,
    pub(crate) chunk: Cell<Option<NonNull<Chunk>>>,
    hi: Cell<*mut u8>,
}

const _: () = assert!(std::mem::offset_of!(Window, lo) == 0);
const _: () = assert!(std::mem::offset_of!(Window, hi) == 2 * size_of::<usize>());

/// An address that is aligned to whatever an arena may ask for, and no lower than any memory is.
pub(crate) const NOWHERE: *mut u8 = core::ptr::without_provenance_mut(FEW);

const _: () = assert!(FEW % BASE == 0);

impl Window {
    /// No free bytes.
    pub(crate) const fn empty() -> Self {
        Self {
            lo: Cell::new(NOWHERE),
            chunk: Cell::new(None),
            hi: Cell::new(NOWHERE),
        }
    }

    #[inline]
    pub(crate) fn lo(&self) -> *mut u8 {
        self.lo.get()
    }

    #[inline]
    pub(crate) fn hi(&self) -> *mut u8 {
        self.hi.get()
    }

    /// How many bytes are free.
    #[inline]
    pub(crate) fn free(&self) -> usize {
        self.hi.get().addr() - self.lo.get().addr()
    }

    /// Opens another range.
    ///
    /// # Safety
    ///
    /// The invariants hold for it.
    pub(crate) unsafe fn open(&self, chunk: Option<NonNull<Chunk>>, lo: *mut u8, hi: *mut u8) {
        // INVARIANT: 1, 2 and 3 — by the caller's word.
        self.chunk.set(chunk);
        self.lo.set(lo);
        self.hi.set(hi);
    }

    /// Moves the low cursor, after something was given back or grew.
    ///
    /// # Safety
    ///
    /// `lo` is a multiple of the minimal alignment, has the provenance of the current one, and no
    /// pointer in use covers a byte between `lo` and the high cursor.
    #[inline]
    pub(crate) unsafe fn set_lo(&self, lo: *mut u8) {
        debug_assert!(lo.addr() <= self.hi.get().addr(), "the cursors cross");
        // INVARIANT: 1 and 2 — by the caller's word.
        self.lo.set(lo);
    }

    /// Moves the high cursor, after something was given back.
    ///
    /// # Safety
    ///
    /// As for [`set_lo`](Self::set_lo), without the alignment.
    #[inline]
    pub(crate) unsafe fn set_hi(&self, hi: *mut u8) {
        debug_assert!(self.lo.get().addr() <= hi.addr(), "the cursors cross");
        // INVARIANT: 1 — by the caller's word.
        self.hi.set(hi);
    }

    /// Takes bytes at the low end, if there are so many; `min` is the arena's minimal alignment, a
    /// constant where this is inlined.
    ///
    /// `size` and `align` are those of a valid layout. The bytes are the caller's: nobody else gets
    /// a pointer to them before they are given back.
    #[inline]
    pub(crate) fn up(&self, size: usize, align: usize, min: usize) -> Option<NonNull<u8>> {
        let lo = self.lo.get();
        let start = lo.map_addr(|lo| kernel::start_up(lo, align, min));
        let cursor = start.wrapping_add(kernel::advance(size, min));
        if kernel::crossed(cursor.addr(), self.hi.get().addr()) {
            return None;
        }
        // INVARIANT: 1 — the cursor moved towards the other one and, by the kernel's check, not past
        // it; 2 — the kernel keeps the alignment.
        self.lo.set(cursor);
        asan::wake(start, size);
        // SAFETY: `lo` is not null (invariant 2), and the start is not below it: it would else have
        // wrapped past the last address, and the kernel would not have found room.
        Some(unsafe { NonNull::new_unchecked(start) })
    }

    /// Takes bytes at the high end, as [`up`](Self::up) does at the low one.
    #[inline]
    pub(crate) fn down(&self, size: usize, align: usize) -> Option<NonNull<u8>> {
        let (lo, hi) = (self.lo.get(), self.hi.get());
        let start = if align == 1 {
            if !kernel::holds(lo.addr(), hi.addr(), size) {
                return None;
            }
            hi.wrapping_sub(size)
        } else {
            let start = hi.map_addr(|hi| kernel::start_down(hi, size, align));
            if kernel::crossed(lo.addr(), start.addr()) {
                return None;
            }
            start
        };
        // INVARIANT: 1 — the cursor moved towards the other one and, by the kernel's check, not past
        // it.
        self.hi.set(start);
        asan::wake(start, size);
        // SAFETY: not below `lo`, by the kernel's check, and `lo` is not null (invariant 2).
        Some(unsafe { NonNull::new_unchecked(start) })
    }

    /// Takes so few bytes at the high end that asking for them costs less; as [`down`](Self::down) without alignment.
    #[inline]
    pub(crate) fn down_few(&self, size: usize) -> Option<NonNull<u8>> {
        debug_assert!(size <= FEW, "more than what may be subtracted");
        let start = self.hi.get().wrapping_sub(size);
        // Neither wraps: `hi` is not below `lo` (invariant 1), which is at least `FEW` (invariant 2).
        if !kernel::holds_few(self.lo.get().addr(), start.addr()) {
            return None;
        }
        // INVARIANT: 1 — the cursor moved towards the other one and, by the kernel's check, not past
        // it.
        self.hi.set(start);
        asan::wake(start, size);
        // SAFETY: not below `lo`, by the kernel's check, and `lo` is not null (invariant 2).
        Some(unsafe { NonNull::new_unchecked(start) })
    }
}

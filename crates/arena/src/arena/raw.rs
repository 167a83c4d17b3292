//! Raw memory: what values, slices, texts, vectors and the `Allocator` are made of.
//!
//! What is aligned to less than `MIN_ALIGN` comes from the high end, where nothing is rounded; all else,
//! and whatever may grow or be given back, from the low end. A block at the low end that is followed by
//! free bytes can grow, shrink and be given back where it is: its rounded end is the cursor. No block of
//! another chunk ends there, because a header lies between, or a spare byte (`Store::beside`).

use core::{alloc::Layout, mem::MaybeUninit, ptr::NonNull};

use thrifty_traits::AllocError;

use super::{Arena, fail};
use crate::{asan, chunk::Chunk, kernel, store::End};

/// What is no larger hardly has a chunk of its own, so that it need not be looked for.
pub(crate) const SIDE_FROM: usize = 4 << 10;

/// What is longer goes to the low end, though it may be rounded there: written from high to low, long
/// texts that leave the cache cost half as much again.
const SHORT: usize = 128;

impl<const MIN_ALIGN: usize> Arena<MIN_ALIGN> {
    /// Uninitialised memory of a layout; from an empty one, an address that is aligned.
    ///
    /// # Panics
    ///
    /// If there is no room.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::alloc::Layout;
    ///
    /// let arena = thrifty_arena::Arena::new();
    /// let block = arena.alloc_layout(Layout::from_size_align(100, 64).unwrap());
    /// assert_eq!(block.addr().get() % 64, 0);
    /// ```
    #[inline]
    #[track_caller]
    pub fn alloc_layout(&self, layout: Layout) -> NonNull<u8> {
        self.try_alloc_layout(layout)
            .unwrap_or_else(|error| fail(error))
    }

    /// As [`alloc_layout`](Self::alloc_layout).
    ///
    /// # Errors
    ///
    /// If there is no room.
    #[inline]
    pub fn try_alloc_layout(&self, layout: Layout) -> Result<NonNull<u8>, AllocError> {
        self.take_low(layout.size(), layout.align())
    }

    /// Room for a value, to be written later.
    ///
    /// # Panics
    ///
    /// If there is no room.
    ///
    /// # Examples
    ///
    /// ```
    /// let arena = thrifty_arena::Arena::new();
    /// let slot = arena.alloc_uninit::<u64>();
    /// assert_eq!(*slot.write(7), 7);
    /// ```
    #[inline]
    #[track_caller]
    pub fn alloc_uninit<T>(&self) -> &mut MaybeUninit<T> {
        self.try_alloc_uninit().unwrap_or_else(|error| fail(error))
    }

    /// As [`alloc_uninit`](Self::alloc_uninit).
    ///
    /// # Errors
    ///
    /// If there is no room.
    #[inline]
    pub fn try_alloc_uninit<T>(&self) -> Result<&mut MaybeUninit<T>, AllocError> {
        let slot = match self.hit::<T>() {
            Some(slot) => slot,
            None => self.miss::<T>()?,
        };
        // SAFETY: valid, of the right size and alignment, for as long as the arena is borrowed, and
        // exclusive: it was free. Nothing need be initialised.
        Ok(unsafe { slot.cast::<MaybeUninit<T>>().as_mut() })
    }

    /// Room for `len` values, to be written later.
    ///
    /// # Panics
    ///
    /// If there is no room.
    ///
    /// # Examples
    ///
    /// ```
    /// let arena = thrifty_arena::Arena::new();
    /// let slots = arena.alloc_uninit_slice::<u16>(3);
    /// assert_eq!(*slots[2].write(7), 7);
    /// ```
    #[inline]
    #[track_caller]
    pub fn alloc_uninit_slice<T>(&self, len: usize) -> &mut [MaybeUninit<T>] {
        self.try_alloc_uninit_slice(len)
            .unwrap_or_else(|error| fail(error))
    }

    /// As [`alloc_uninit_slice`](Self::alloc_uninit_slice).
    ///
    /// # Errors
    ///
    /// If there is no room.
    #[inline]
    pub fn try_alloc_uninit_slice<T>(
        &self,
        len: usize,
    ) -> Result<&mut [MaybeUninit<T>], AllocError> {
        let start = self.take_slice::<T>(len)?;
        // SAFETY: valid for `len` values, for as long as the arena is borrowed, and exclusive: it was
        // free. Nothing need be initialised.
        Ok(unsafe { NonNull::slice_from_raw_parts(start.cast(), len).as_mut() })
    }

    /// Room for a `T`, if the window has it. `None` sends the caller to [`miss`](Self::miss).
    #[inline]
    pub(crate) fn hit<T>(&self) -> Option<NonNull<T>> {
        if size_of::<T>() == 0 {
            return Some(NonNull::dangling());
        }
        let window = &self.store.window;
        let (size, align) = (size_of::<T>(), align_of::<T>());
        let start = match Self::end_for(size, align) {
            End::Low => window.up(size, align, MIN_ALIGN),
            End::High => window.down(size, align),
        };
        start.map(NonNull::cast)
    }

    /// Room for a `T`, when the window has none.
    #[cold]
    #[inline(never)]
    pub(crate) fn miss<T>(&self) -> Result<NonNull<T>, AllocError> {
        let (size, align) = (size_of::<T>(), align_of::<T>());
        let start = self
            .store
            .miss(size, align, MIN_ALIGN, Self::end_for(size, align))?;
        Ok(start.cast())
    }

    /// The end that serves a request.
    #[inline]
    const fn end_for(size: usize, align: usize) -> End {
        if align >= MIN_ALIGN || size > SHORT {
            End::Low
        } else {
            End::High
        }
    }

    /// `size` bytes of values that are aligned to `align`, from their end; `size` and `align` are those
    /// of a valid layout.
    #[inline]
    pub(crate) fn hit_bytes(&self, size: usize, align: usize) -> Option<NonNull<u8>> {
        // Padding would move the cursor. Few types are aligned to so much; for others this is no code.
        if align > MIN_ALIGN && size == 0 {
            return None;
        }
        match Self::end_for(size, align) {
            End::Low => self.store.window.up(size, align, MIN_ALIGN),
            End::High => self.store.window.down(size, align),
        }
    }

    /// As [`hit_bytes`](Self::hit_bytes), of at most [`FEW`](kernel::FEW) bytes that are not aligned.
    #[inline]
    pub(crate) fn hit_few(&self, size: usize) -> Option<NonNull<u8>> {
        match Self::end_for(size, 1) {
            End::Low => self.store.window.up(size, 1, MIN_ALIGN),
            End::High => self.store.window.down_few(size),
        }
    }

    /// As [`hit_bytes`](Self::hit_bytes), when the window has no room.
    #[inline]
    pub(crate) fn miss_bytes(&self, size: usize, align: usize) -> Result<NonNull<u8>, AllocError> {
        self.store
            .miss(size, align, MIN_ALIGN, Self::end_for(size, align))
    }

    /// Room for `len` values.
    #[inline]
    pub(crate) fn take_slice<T>(&self, len: usize) -> Result<NonNull<T>, AllocError> {
        if size_of::<T>() == 0 {
            return Ok(NonNull::dangling());
        }
        let size = slice_size::<T>(len)?;
        let start = match self.hit_bytes(size, align_of::<T>()) {
            Some(start) => start,
            None => self.miss_bytes(size, align_of::<T>())?,
        };
        Ok(start.cast())
    }

    /// A block at the low end, which may grow, shrink and be given back.
    #[inline]
    pub(crate) fn take_low(&self, size: usize, align: usize) -> Result<NonNull<u8>, AllocError> {
        // Padding would move the cursor.
        if align > MIN_ALIGN && size == 0 {
            return self.store.miss(0, align, MIN_ALIGN, End::Low);
        }
        match self.store.window.up(size, align, MIN_ALIGN) {
            Some(start) => Ok(start),
            None => self.store.miss(size, align, MIN_ALIGN, End::Low),
        }
    }

    /// Whether a block of [`take_low`](Self::take_low) is followed by free bytes.
    #[inline]
    pub(crate) fn is_last(&self, start: NonNull<u8>, size: usize) -> bool {
        // Empty blocks may lie anywhere.
        size != 0
            && start
                .addr()
                .get()
                .wrapping_add(kernel::align_up(size, MIN_ALIGN))
                == self.store.window.lo().addr()
    }

    /// Grows or shrinks a block of [`take_low`](Self::take_low) where it is; says whether it could.
    ///
    /// # Safety
    ///
    /// The block is of this arena, in use by the caller alone, and has `size` bytes.
    #[inline]
    pub(crate) unsafe fn resize_last(
        &self,
        start: NonNull<u8>,
        size: usize,
        new_size: usize,
    ) -> bool {
        if !self.is_last(start, size) {
            return false;
        }
        let window = &self.store.window;
        let (lo, hi) = (window.lo(), window.hi());
        // Blocks at the low end begin at multiples of the minimal alignment.
        let Some(placed) = kernel::up(start.addr().get(), hi.addr(), new_size, 1, MIN_ALIGN) else {
            return false;
        };
        if new_size > size {
            asan::wake(start.as_ptr(), new_size);
        } else {
            self.store.note_fullest();
            let cursor = start.as_ptr().with_addr(placed.cursor);
            asan::sleep(cursor, lo.addr() - placed.cursor);
        }
        // SAFETY: the cursor is a multiple of the minimal alignment by the kernel's care, and not past
        // the other one by its check; between it and the old one lay this block, or nothing.
        unsafe { window.set_lo(lo.with_addr(placed.cursor)) };
        true
    }

    /// Gives a block of [`take_low`](Self::take_low) back, if it is the last one, or the last with a chunk of
    /// its own.
    ///
    /// # Safety
    ///
    /// The block is of this arena and has `size` bytes, and is not used again.
    #[inline]
    pub(crate) unsafe fn give_back(&self, start: NonNull<u8>, size: usize) {
        if self.is_last(start, size) {
            self.store.note_fullest();
            let lo = self.store.window.lo();
            asan::sleep(start.as_ptr(), lo.addr() - start.addr().get());
            // SAFETY: blocks at the low end begin at multiples of the minimal alignment; the block,
            // which is not used again, reached up to the old cursor.
            unsafe { self.store.window.set_lo(lo.with_addr(start.addr().get())) };
        } else if size > SIDE_FROM {
            // SAFETY: a block of this arena, not used again, says the caller.
            unsafe { self.store.give_back_beside(start) };
        }
    }

    /// Where the window stands, to take one allocation back later.
    #[inline]
    pub(crate) fn stand(&self) -> Stand {
        let window = &self.store.window;
        Stand {
            chunk: window.chunk.get(),
            lo: window.lo(),
            hi: window.hi(),
        }
    }

    /// Takes back the one allocation between two stands, if nothing came after it.
    ///
    /// # Safety
    ///
    /// `before` and `after` are stands of this arena right before and after one allocation, of `size` bytes
    /// at `start`, which is not used again.
    pub(crate) unsafe fn take_back(
        &self,
        before: &Stand,
        after: &Stand,
        start: NonNull<u8>,
        size: usize,
    ) {
        if size > SIDE_FROM {
            // SAFETY: an allocation of this arena, not used again, says the caller.
            unsafe { self.store.give_back_beside(start) };
        }
        let window = &self.store.window;
        let is_unchanged = *after == self.stand();
        if is_unchanged && before.chunk == after.chunk {
            self.store.note_fullest();
            // SAFETY: the cursor stood there, and what is between it and this one is not used again.
            unsafe { window.set_lo(before.lo) };
            // SAFETY: as above.
            unsafe { window.set_hi(before.hi) };
            asan::sleep(before.lo, after.lo.addr() - before.lo.addr());
            asan::sleep(after.hi, before.hi.addr() - after.hi.addr());
        }
    }
}

/// Where a window stood, see [`Arena::stand`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stand {
    chunk: Option<NonNull<Chunk>>,
    lo: *mut u8,
    hi: *mut u8,
}

/// The size of `len` values, if there is a layout for them.
#[inline]
pub(crate) fn slice_size<T>(len: usize) -> Result<usize, AllocError> {
    match Layout::array::<T>(len) {
        Ok(layout) => Ok(layout.size()),
        Err(_) => Err(AllocError::overflow(align_of::<T>())),
    }
}

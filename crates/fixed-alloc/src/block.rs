//! Blocks as values: they go back when they are dropped.

use core::borrow::{Borrow, BorrowMut};
use core::fmt;
use core::mem::{ManuallyDrop, MaybeUninit};
use core::ops::{Deref, DerefMut};
use core::panic::{RefUnwindSafe, UnwindSafe};
use core::ptr::NonNull;

use thrifty_magazine::Shared;

use crate::lend;
use crate::slabs::Slabs;

/// A block of a [`FixedAlloc`](crate::FixedAlloc), as initialised bytes. Dropped, it goes back.
///
/// It is `'static` and keeps the allocator's memory by itself, so it may outlive every handle of
/// the allocator, and be dropped on another thread; there it goes into that thread's cache.
///
/// # Memory
///
/// Two pointers, and the block.
///
/// # Concurrency
///
/// `Send` and `Sync`, as a `Box<[u8]>` is.
///
/// # Examples
///
/// ```
/// use std::alloc::Layout;
/// use thrifty_fixed_alloc::{Block, FixedAlloc};
///
/// fn greeting(blocks: &FixedAlloc) -> Block {
///     let mut block = blocks.get();
///     block[..5].copy_from_slice(b"hello");
///     block
/// }
///
/// let blocks = FixedAlloc::new(Layout::new::<[u8; 64]>())?;
/// let block = greeting(&blocks);
/// drop(blocks);
/// assert!(block.starts_with(b"hello"));
/// # Ok::<(), thrifty_fixed_alloc::ConfigError>(())
/// ```
#[must_use = "dropped at once, the block goes straight back"]
pub struct Block(UninitBlock);

/// A block of a [`FixedAlloc`](crate::FixedAlloc) whose bytes are not initialised. Dropped, it goes
/// back.
///
/// # Memory
///
/// As [`Block`].
///
/// # Concurrency
///
/// As [`Block`].
///
/// # Examples
///
/// ```
/// use std::alloc::Layout;
/// use thrifty_fixed_alloc::FixedAlloc;
///
/// let blocks = FixedAlloc::new(Layout::new::<[u8; 4]>())?;
/// let mut block = blocks.get_uninit();
/// for (byte, value) in block.iter_mut().zip(1..) {
///     byte.write(value);
/// }
/// // SAFETY: each byte was written above.
/// let block = unsafe { block.assume_init() };
/// assert_eq!(*block, [1, 2, 3, 4]);
/// # Ok::<(), thrifty_fixed_alloc::ConfigError>(())
/// ```
///
/// # Invariants
///
/// 1. `block` is a block of the engine `shared`, with its lease, and nobody else has it.
#[must_use = "dropped at once, the block goes straight back"]
pub struct UninitBlock {
    shared: NonNull<Shared<Slabs>>,
    block: NonNull<u8>,
}

// SAFETY: a block is plain memory that its value owns; the engine is `Send` and `Sync`, and takes
// blocks back on any thread.
unsafe impl Send for UninitBlock {}
// SAFETY: through `&` there are only shared views of the bytes.
unsafe impl Sync for UninitBlock {}

const _: () = assert!(size_of::<Option<Block>>() == 2 * size_of::<usize>());

impl UninitBlock {
    /// A block as a value.
    ///
    /// # Safety
    ///
    /// `block` is one of this engine, which the caller hands over with its lease.
    #[inline]
    pub(crate) unsafe fn new(shared: NonNull<Shared<Slabs>>, block: NonNull<u8>) -> Self {
        // INVARIANT: 1 — the caller's promise.
        Self { shared, block }
    }

    /// The block with every byte zero.
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::alloc::Layout;
    /// # use thrifty_fixed_alloc::FixedAlloc;
    /// let blocks = FixedAlloc::new(Layout::new::<u64>())?;
    /// assert_eq!(*blocks.get_uninit().zeroed(), [0; 8]);
    /// # Ok::<(), thrifty_fixed_alloc::ConfigError>(())
    /// ```
    #[inline]
    pub fn zeroed(self) -> Block {
        self.filled(0)
    }

    /// The block with every byte `value`.
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::alloc::Layout;
    /// # use thrifty_fixed_alloc::FixedAlloc;
    /// let blocks = FixedAlloc::new(Layout::new::<u64>())?;
    /// assert_eq!(*blocks.get_uninit().filled(9), [9; 8]);
    /// # Ok::<(), thrifty_fixed_alloc::ConfigError>(())
    /// ```
    #[inline]
    pub fn filled(self, value: u8) -> Block {
        // SAFETY: valid and exclusive by invariant 1: a block has so many bytes.
        unsafe { self.block.write_bytes(value, self.bytes()) };
        Block(self)
    }

    /// The block with a copy of `bytes` at its start, and zeros after it.
    ///
    /// # Panics
    ///
    /// When there are more bytes than the block has.
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::alloc::Layout;
    /// # use thrifty_fixed_alloc::FixedAlloc;
    /// let blocks = FixedAlloc::new(Layout::new::<u64>())?;
    /// assert_eq!(*blocks.get_uninit().copied_from(b"abc"), *b"abc\0\0\0\0\0");
    /// # Ok::<(), thrifty_fixed_alloc::ConfigError>(())
    /// ```
    pub fn copied_from(self, bytes: &[u8]) -> Block {
        let (len, room) = (bytes.len(), self.bytes());
        assert!(len <= room, "{len} bytes do not fit into a block of {room}");
        // SAFETY: valid for `len` bytes, which do not overlap: the block is ours alone.
        unsafe {
            self.block
                .as_ptr()
                .copy_from_nonoverlapping(bytes.as_ptr(), len);
        };
        // SAFETY: in bounds: checked above.
        let rest = unsafe { self.block.add(len) };
        // SAFETY: valid and exclusive: the rest of the block.
        unsafe { rest.write_bytes(0, room - len) };
        Block(self)
    }

    /// The block as initialised bytes.
    ///
    /// # Safety
    ///
    /// Each of its bytes has been written.
    ///
    /// # Examples
    ///
    /// [`UninitBlock`] has one.
    #[inline]
    pub unsafe fn assume_init(self) -> Block {
        Block(self)
    }

    /// The start of the block.
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::alloc::Layout;
    /// # use thrifty_fixed_alloc::FixedAlloc;
    /// let blocks = FixedAlloc::new(Layout::new::<u64>())?;
    /// assert!(blocks.contains(blocks.get_uninit().as_non_null()));
    /// # Ok::<(), thrifty_fixed_alloc::ConfigError>(())
    /// ```
    #[inline]
    pub fn as_non_null(&self) -> NonNull<u8> {
        self.block
    }

    /// The bytes of a block.
    #[inline]
    fn bytes(&self) -> usize {
        // SAFETY: valid by invariant 1.
        unsafe { self.shared.as_ref() }.supplier().shape.size
    }
}

impl Block {
    /// The same block, its bytes to be written anew.
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::alloc::Layout;
    /// # use thrifty_fixed_alloc::FixedAlloc;
    /// let blocks = FixedAlloc::new(Layout::new::<u64>())?;
    /// let block = blocks.get().into_uninit().filled(3);
    /// assert_eq!(*block, [3; 8]);
    /// # Ok::<(), thrifty_fixed_alloc::ConfigError>(())
    /// ```
    #[inline]
    pub fn into_uninit(self) -> UninitBlock {
        self.0
    }

    /// The block as raw memory, which is never given back by itself: it is for
    /// [`FixedAlloc::free`](crate::FixedAlloc::free).
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::alloc::Layout;
    /// # use thrifty_fixed_alloc::FixedAlloc;
    /// let blocks = FixedAlloc::new(Layout::new::<u64>())?;
    /// let block = blocks.get().into_raw();
    /// // SAFETY: a block of this allocator, which nobody uses any more.
    /// unsafe { blocks.free(block.cast()) };
    /// # Ok::<(), thrifty_fixed_alloc::ConfigError>(())
    /// ```
    #[must_use = "the block is leaked otherwise"]
    pub fn into_raw(self) -> NonNull<[u8]> {
        let block = ManuallyDrop::new(self.0);
        NonNull::slice_from_raw_parts(block.block, block.bytes())
    }
}

impl Drop for UninitBlock {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: invariant 1; nothing is used afterwards.
        unsafe { lend::give(self.shared, self.block) };
    }
}

impl Deref for UninitBlock {
    type Target = [MaybeUninit<u8>];

    #[inline]
    fn deref(&self) -> &[MaybeUninit<u8>] {
        // SAFETY: valid by invariant 1, initialised or not; shared: who writes has `&mut self`.
        unsafe { core::slice::from_raw_parts(self.block.as_ptr().cast(), self.bytes()) }
    }
}

impl DerefMut for UninitBlock {
    #[inline]
    fn deref_mut(&mut self) -> &mut [MaybeUninit<u8>] {
        // SAFETY: valid by invariant 1, initialised or not; exclusive: `&mut self`.
        unsafe { core::slice::from_raw_parts_mut(self.block.as_ptr().cast(), self.bytes()) }
    }
}

impl Deref for Block {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        // SAFETY: valid by invariant 1, and every way to a `Block` initialises its bytes; shared: who
        // writes has `&mut self`.
        unsafe { core::slice::from_raw_parts(self.0.block.as_ptr(), self.0.bytes()) }
    }
}

impl DerefMut for Block {
    #[inline]
    fn deref_mut(&mut self) -> &mut [u8] {
        // SAFETY: as in `deref`; exclusive: `&mut self`.
        unsafe { core::slice::from_raw_parts_mut(self.0.block.as_ptr(), self.0.bytes()) }
    }
}

impl AsRef<[u8]> for Block {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl AsMut<[u8]> for Block {
    fn as_mut(&mut self) -> &mut [u8] {
        self
    }
}

impl Borrow<[u8]> for Block {
    fn borrow(&self) -> &[u8] {
        self
    }
}

impl BorrowMut<[u8]> for Block {
    fn borrow_mut(&mut self) -> &mut [u8] {
        self
    }
}

impl fmt::Debug for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl fmt::Debug for UninitBlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UninitBlock")
            .field("block", &self.block)
            .field("bytes", &self.bytes())
            .finish_non_exhaustive()
    }
}

// A panic leaves the bytes of a block as it found them or as it wrote them, initialised in any case.
impl UnwindSafe for UninitBlock {}
impl RefUnwindSafe for UninitBlock {}

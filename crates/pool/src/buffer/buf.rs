//! A buffer that is out, and whose owner may write to it.
//!
//! # Invariants
//!
//! 1. The first `len` bytes of the block are initialised, by this lease; `len` is at most the
//!    block's capacity.

use core::{
    fmt,
    mem::{ManuallyDrop, MaybeUninit},
    ops::{Deref, DerefMut},
    slice,
};

use super::{
    block::Block, bytes::PooledBytes, class::give_back, error::BufError, grow, pool::refuse,
};

/// A byte buffer from a [`BufferPool`](crate::BufferPool). It goes back when it is dropped.
///
/// It dereferences to the bytes that were written to it, none at first: what an earlier user left
/// behind is out of reach. It grows like a `Vec`, into a buffer of a larger class.
///
/// # Examples
///
/// ```
/// use thrifty_pool::BufferPool;
///
/// let pool = BufferPool::new();
/// let mut buf = pool.get(4);
/// buf.extend_from_slice(b"abcd");
/// buf[0] = b'A';
/// buf.truncate(3);
/// assert_eq!(buf, b"Abc");
///
/// // 4 fitted the class of 256. This does not, so the contents move to a larger one.
/// buf.extend_from_slice(&[b'd'; 1000]);
/// assert_eq!((buf.len(), buf.capacity()), (1003, 1024));
/// ```
///
/// # Memory
///
/// Two words, and the buffer: see [`BufferPool`](crate::BufferPool#memory). To forget one leaks
/// that buffer and a part of its pool's tables, no more.
///
/// # Concurrency
///
/// `'static`, `Send` and `Sync`. Where it is dropped, there it is idle: a buffer that moves from
/// a thread to another ends up in the other's cache.
pub struct PooledBuf {
    block: Block,
    len: usize,
}

impl PooledBuf {
    #[inline]
    pub(crate) fn new(block: Block) -> Self {
        // INVARIANT: 1 — no byte is claimed.
        Self { block, len: 0 }
    }

    /// A buffer of zeros in a block that has room for them.
    pub(crate) fn zeroed(mut block: Block, len: usize) -> Self {
        assert!(
            len <= block.capacity(),
            "the class was chosen by this length"
        );
        // SAFETY: checked on the line above.
        unsafe { block.zero(len) };
        // INVARIANT: 1 — just filled.
        Self { block, len }
    }

    /// How many bytes have been written.
    ///
    /// # Examples
    ///
    /// ```
    /// # let pool = thrifty_pool::BufferPool::new();
    /// let mut buf = pool.get(10);
    /// buf.extend_from_slice(b"abc");
    /// assert_eq!(buf.len(), 3);
    /// ```
    #[inline]
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether nothing has been written.
    ///
    /// # Examples
    ///
    /// ```
    /// # let pool = thrifty_pool::BufferPool::new();
    /// assert!(pool.get(10).is_empty());
    /// ```
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// How many bytes there is room for without growing.
    ///
    /// # Examples
    ///
    /// ```
    /// # let pool = thrifty_pool::BufferPool::new();
    /// assert_eq!(pool.get(300).capacity(), 512);
    /// ```
    #[inline]
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.block.capacity()
    }

    /// The most bytes that this buffer can grow to, by its pool's
    /// [`Oversize`](crate::Oversize) policy.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_pool::{BufferPool, Oversize};
    ///
    /// let pool = BufferPool::builder().oversize(Oversize::Error).build()?;
    /// assert_eq!(pool.get(1).max_capacity(), 1 << 20);
    /// # Ok::<(), thrifty_pool::BufferPoolError>(())
    /// ```
    #[must_use]
    pub fn max_capacity(&self) -> usize {
        self.block.supplier().rules.limit()
    }

    /// Forgets all bytes; the capacity stays.
    ///
    /// # Examples
    ///
    /// ```
    /// # let pool = thrifty_pool::BufferPool::new();
    /// let mut buf = pool.get_zeroed(10);
    /// buf.clear();
    /// assert!(buf.is_empty());
    /// ```
    #[inline]
    pub fn clear(&mut self) {
        self.truncate(0);
    }

    /// Forgets the bytes from `len` on, if there are any.
    ///
    /// # Examples
    ///
    /// ```
    /// # let pool = thrifty_pool::BufferPool::new();
    /// let mut buf = pool.get_zeroed(10);
    /// buf.truncate(4);
    /// buf.truncate(7);
    /// assert_eq!(buf.len(), 4);
    /// ```
    #[inline]
    pub fn truncate(&mut self, len: usize) {
        if len < self.len {
            self.remember();
            self.len = len;
        }
    }

    /// Lets the block know what was written, before `len` shrinks or goes.
    #[inline]
    fn remember(&mut self) {
        // SAFETY: by invariant 1.
        unsafe { self.block.raise_init(self.len) };
    }

    /// Says how many bytes have been written.
    ///
    /// # Safety
    ///
    /// `len` is at most the capacity, and all bytes below it have been initialised through this
    /// buffer: what lies behind the old length by
    /// [`spare_capacity_mut`](Self::spare_capacity_mut) or [`as_mut_ptr`](Self::as_mut_ptr).
    ///
    /// # Examples
    ///
    /// ```
    /// # let pool = thrifty_pool::BufferPool::new();
    /// let mut buf = pool.get(10);
    /// buf.spare_capacity_mut()[0].write(7);
    /// // SAFETY: one byte was written, and there is room for it.
    /// unsafe { buf.set_len(1) };
    /// assert_eq!(buf, [7]);
    /// ```
    #[inline]
    pub unsafe fn set_len(&mut self, len: usize) {
        debug_assert!(len <= self.capacity());
        self.remember();
        // INVARIANT: 1 — by the caller.
        self.len = len;
    }

    /// The room behind the bytes, for code that fills memory which is not initialised.
    ///
    /// The pool cannot know what is written there, so a pool that wipes then wipes all of this
    /// buffer.
    ///
    /// # Examples
    ///
    /// ```
    /// # let pool = thrifty_pool::BufferPool::new();
    /// let mut buf = pool.get(10);
    /// buf.extend_from_slice(b"abc");
    /// assert_eq!(buf.spare_capacity_mut().len(), 253);
    /// ```
    #[inline]
    pub fn spare_capacity_mut(&mut self) -> &mut [MaybeUninit<u8>] {
        self.block.expose_from(self.len);
        let spare = self.capacity() - self.len;
        // SAFETY: in bounds: `len` is at most the capacity.
        let start = unsafe { self.block.bytes().add(self.len) };
        // SAFETY: valid: `spare` bytes follow, and need not be initialised; exclusive: this value
        // owns the block, and is borrowed for as long as the slice lives.
        unsafe { slice::from_raw_parts_mut(start.cast().as_ptr(), spare) }
    }

    /// A pointer to the first byte, for reads of what has been written.
    ///
    /// # Examples
    ///
    /// ```
    /// let pool = thrifty_pool::BufferPool::builder().align(4096).build()?;
    /// assert!(pool.get(1).as_ptr().addr() % 4096 == 0);
    /// # Ok::<(), thrifty_pool::BufferPoolError>(())
    /// ```
    #[inline]
    #[must_use]
    pub fn as_ptr(&self) -> *const u8 {
        self.block.bytes().as_ptr()
    }

    /// A pointer to the first byte, for writes to all of the [capacity](Self::capacity), as foreign
    /// functions do. [`set_len`](Self::set_len) afterwards says how far.
    ///
    /// As with [`spare_capacity_mut`](Self::spare_capacity_mut), a pool that wipes then wipes all of
    /// this buffer.
    ///
    /// # Examples
    ///
    /// ```
    /// # let pool = thrifty_pool::BufferPool::new();
    /// let mut buf = pool.get(10);
    /// // SAFETY: there is room for three bytes, which are all written.
    /// unsafe {
    ///     buf.as_mut_ptr().write_bytes(7, 3);
    ///     buf.set_len(3);
    /// }
    /// assert_eq!(buf, [7, 7, 7]);
    /// ```
    #[inline]
    #[must_use]
    pub fn as_mut_ptr(&mut self) -> *mut u8 {
        self.block.expose_from(self.len);
        self.block.bytes().as_ptr()
    }

    /// The next `len` bytes of the room behind the bytes, or what there is of them, initialised.
    ///
    /// Nothing of a former use shows: what this lease has not written is filled with zeros, once.
    pub(crate) fn shown_spare(&mut self, len: usize) -> &mut [u8] {
        let len = len.min(self.capacity() - self.len);
        // SAFETY: by invariant 1; within the capacity by the line above.
        unsafe { self.block.show(self.len, self.len + len) };
        // SAFETY: in bounds, as above.
        let start = unsafe { self.block.bytes().add(self.len) };
        // SAFETY: valid: initialised by `show`; exclusive: as in `spare_capacity_mut`.
        unsafe { slice::from_raw_parts_mut(start.as_ptr(), len) }
    }

    /// How many bytes from the start this lease has initialised, written or not.
    pub(crate) fn shown(&self) -> usize {
        self.block.init().max(self.len)
    }

    /// Takes over bytes of [`shown_spare`](Self::shown_spare), which has initialised them.
    ///
    /// # Panics
    ///
    /// When there are not so many.
    pub(crate) fn advance_shown(&mut self, by: usize) {
        assert!(
            by <= self.shown() - self.len,
            "these bytes are not initialised"
        );
        // INVARIANT: 1 — by invariant 5 of the block.
        self.len += by;
    }

    /// Makes room for so many more bytes, in a larger buffer if need be.
    ///
    /// # Panics
    ///
    /// When [`try_reserve`](Self::try_reserve) has an error.
    ///
    /// # Examples
    ///
    /// ```
    /// # let pool = thrifty_pool::BufferPool::new();
    /// let mut buf = pool.get(10);
    /// buf.reserve(1000);
    /// assert_eq!(buf.capacity(), 1024);
    /// ```
    #[inline]
    #[track_caller]
    pub fn reserve(&mut self, additional: usize) {
        if let Err(error) = self.try_reserve(additional) {
            refuse(&error);
        }
    }

    /// Makes room for so many more bytes, in a larger buffer if need be, or says why not.
    ///
    /// Growing moves the bytes to a buffer of the next class that is large enough; beyond the
    /// largest class, to an unpooled one of at least twice the size.
    ///
    /// # Errors
    ///
    /// When the [`Oversize`](crate::Oversize) policy or the memory does not allow it. The buffer
    /// is then as it was.
    ///
    /// # Examples
    ///
    /// ```
    /// # let pool = thrifty_pool::BufferPool::new();
    /// let mut buf = pool.get(10);
    /// assert!(buf.try_reserve(usize::MAX).is_err());
    /// assert_eq!(buf.capacity(), 256);
    /// ```
    #[inline]
    pub fn try_reserve(&mut self, additional: usize) -> Result<(), BufError> {
        if additional <= self.capacity() - self.len {
            return Ok(());
        }
        self.grow_slow(additional)
    }

    #[cold]
    fn grow_slow(&mut self, additional: usize) -> Result<(), BufError> {
        self.remember();
        // SAFETY: by invariant 1.
        unsafe { grow::grow(&mut self.block, self.len, additional) }
    }

    /// Appends bytes.
    ///
    /// # Panics
    ///
    /// When [`try_extend_from_slice`](Self::try_extend_from_slice) has an error.
    ///
    /// # Examples
    ///
    /// ```
    /// # let pool = thrifty_pool::BufferPool::new();
    /// let mut buf = pool.get(10);
    /// buf.extend_from_slice(b"abc");
    /// assert_eq!(buf, b"abc");
    /// ```
    #[inline]
    #[track_caller]
    pub fn extend_from_slice(&mut self, bytes: &[u8]) {
        if let Err(error) = self.try_extend_from_slice(bytes) {
            refuse(&error);
        }
    }

    /// Appends bytes, if there is room or can be.
    ///
    /// # Errors
    ///
    /// As [`try_reserve`](Self::try_reserve). Nothing is appended then.
    ///
    /// # Examples
    ///
    /// ```
    /// # let pool = thrifty_pool::BufferPool::new();
    /// let mut buf = pool.get(10);
    /// buf.try_extend_from_slice(b"abc")?;
    /// # Ok::<(), thrifty_pool::BufError>(())
    /// ```
    #[inline]
    pub fn try_extend_from_slice(&mut self, bytes: &[u8]) -> Result<(), BufError> {
        self.try_reserve(bytes.len())?;
        // SAFETY: in bounds: `len` is at most the capacity.
        let end = unsafe { self.block.bytes().add(self.len) };
        // SAFETY: valid for writes of so many bytes: they were just reserved; the source is another
        // allocation, since this one is borrowed mutably.
        unsafe {
            end.as_ptr()
                .copy_from_nonoverlapping(bytes.as_ptr(), bytes.len());
        };
        // INVARIANT: 1 — the bytes were just written.
        self.len += bytes.len();
        Ok(())
    }

    /// Makes the buffer this long: cuts bytes off, or appends copies of `value`.
    ///
    /// # Panics
    ///
    /// When [`try_resize`](Self::try_resize) has an error.
    ///
    /// # Examples
    ///
    /// ```
    /// # let pool = thrifty_pool::BufferPool::new();
    /// let mut buf = pool.get(10);
    /// buf.resize(3, 7);
    /// buf.resize(4, 8);
    /// assert_eq!(buf, [7, 7, 7, 8]);
    /// ```
    #[track_caller]
    pub fn resize(&mut self, len: usize, value: u8) {
        if let Err(error) = self.try_resize(len, value) {
            refuse(&error);
        }
    }

    /// Makes the buffer this long, if it can be: cuts bytes off, or appends copies of `value`.
    ///
    /// # Errors
    ///
    /// As [`try_reserve`](Self::try_reserve). The buffer is then as it was.
    ///
    /// # Examples
    ///
    /// ```
    /// # let pool = thrifty_pool::BufferPool::new();
    /// let mut buf = pool.get(10);
    /// buf.try_resize(3, 7)?;
    /// # Ok::<(), thrifty_pool::BufError>(())
    /// ```
    pub fn try_resize(&mut self, len: usize, value: u8) -> Result<(), BufError> {
        let Some(additional) = len.checked_sub(self.len) else {
            self.truncate(len);
            return Ok(());
        };
        self.try_reserve(additional)?;
        // SAFETY: in bounds: `len` is at most the capacity.
        let end = unsafe { self.block.bytes().add(self.len) };
        // SAFETY: valid for writes of so many bytes: they were just reserved.
        unsafe { end.write_bytes(value, additional) };
        // INVARIANT: 1 — the bytes were just written.
        self.len = len;
        Ok(())
    }

    /// Makes the bytes shared and immutable. Nothing is allocated or copied.
    ///
    /// # Examples
    ///
    /// ```
    /// # let pool = thrifty_pool::BufferPool::new();
    /// let mut buf = pool.get(10);
    /// buf.extend_from_slice(b"abc");
    /// let bytes = buf.freeze();
    /// assert_eq!(bytes.clone(), bytes);
    /// ```
    #[inline]
    #[must_use]
    pub fn freeze(self) -> PooledBytes {
        let mut this = ManuallyDrop::new(self);
        this.remember();
        let len = this.len;
        // SAFETY: the first value is not used any more: it is never dropped.
        let block = unsafe { this.block.second() };
        // SAFETY: by invariant 1.
        unsafe { PooledBytes::new(block, len) }
    }

    /// A buffer of a block whose first `len` bytes this lease has initialised.
    ///
    /// # Safety
    ///
    /// It has.
    pub(crate) unsafe fn from_initialised(block: Block, len: usize) -> Self {
        // INVARIANT: 1 — by the caller.
        Self { block, len }
    }
}

impl Drop for PooledBuf {
    #[inline]
    fn drop(&mut self) {
        self.remember();
        // SAFETY: the first value is not used any more: this is its drop.
        give_back(unsafe { self.block.second() });
    }
}

impl Deref for PooledBuf {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        // SAFETY: valid: by invariant 1; shared: writing takes `&mut self`.
        unsafe { slice::from_raw_parts(self.block.bytes().as_ptr(), self.len) }
    }
}

impl DerefMut for PooledBuf {
    #[inline]
    fn deref_mut(&mut self) -> &mut [u8] {
        // SAFETY: valid: by invariant 1; exclusive: this value owns the block.
        unsafe { slice::from_raw_parts_mut(self.block.bytes().as_ptr(), self.len) }
    }
}

/// The length and the capacity; the contents may be secret.
impl fmt::Debug for PooledBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PooledBuf")
            .field("len", &self.len)
            .field("capacity", &self.capacity())
            .finish_non_exhaustive()
    }
}

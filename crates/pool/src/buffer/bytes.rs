//! A frozen buffer: views of bytes that nobody writes to any more.
//!
//! # Invariants
//!
//! 1. The block is frozen: it is used by `&self` only, and its count says how many views there are,
//!    of which this is one.
//! 2. `start` and the `len` bytes from it on are within the bytes of the block that its lease had
//!    initialised when it was frozen.

use core::{
    borrow::Borrow,
    cmp::Ordering,
    fmt,
    hash::{Hash, Hasher},
    mem::ManuallyDrop,
    ops::{Bound, Deref, RangeBounds},
    ptr::NonNull,
    slice,
};

use super::{block::Block, buf::PooledBuf, class::give_back};

/// Immutable bytes in a buffer of a pool, which goes back when the last view of it is dropped.
///
/// # Examples
///
/// ```
/// use thrifty_pool::BufferPool;
///
/// let pool = BufferPool::new();
/// let mut buf = pool.get(100);
/// buf.extend_from_slice(b"key=value");
/// let line = buf.freeze();
/// let (key, value) = (line.slice(..3), line.slice(4..));
/// drop(line);
/// assert_eq!((&key[..], &value[..]), (&b"key"[..], &b"value"[..]));
/// ```
///
/// # Memory
///
/// Three words. A view keeps the whole buffer out, however little of it it shows.
///
/// # Concurrency
///
/// `'static`, `Send` and `Sync`. A clone is one atomic addition, a drop one subtraction; the drop of
/// an only view is a load. Clones that are forgotten count for ever: if the count overflows, the
/// buffer is leaked.
pub struct PooledBytes {
    block: Block,
    start: NonNull<u8>,
    len: usize,
}

// SAFETY: `start` is into the block, which is `Send` and `Sync`; no view writes through it.
unsafe impl Send for PooledBytes {}
// SAFETY: as above.
unsafe impl Sync for PooledBytes {}

impl PooledBytes {
    /// The only view, of a block that nobody else has.
    ///
    /// # Safety
    ///
    /// The first `len` bytes are initialised by the block's lease.
    #[inline]
    pub(crate) unsafe fn new(block: Block, len: usize) -> Self {
        debug_assert!(block.refs().is_unique(), "an owner counts as one view");
        let start = block.bytes();
        // INVARIANT: 1 — the count of a block that has an owner is 1; 2 — by the caller.
        Self { block, start, len }
    }

    /// How many bytes there are.
    ///
    /// # Examples
    ///
    /// ```
    /// # let pool = thrifty_pool::BufferPool::new();
    /// assert_eq!(pool.get_zeroed(3).freeze().len(), 3);
    /// ```
    #[inline]
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    ///
    /// # Examples
    ///
    /// ```
    /// # let pool = thrifty_pool::BufferPool::new();
    /// assert!(pool.get(10).freeze().is_empty());
    /// ```
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether this is the only view of its buffer.
    ///
    /// # Examples
    ///
    /// ```
    /// # let pool = thrifty_pool::BufferPool::new();
    /// let bytes = pool.get_zeroed(3).freeze();
    /// let part = bytes.slice(1..);
    /// assert!(!bytes.is_unique());
    /// drop(part);
    /// assert!(bytes.is_unique());
    /// ```
    #[inline]
    #[must_use]
    pub fn is_unique(&self) -> bool {
        self.block.refs().is_unique()
    }

    /// Another view of a part of the bytes.
    ///
    /// # Panics
    ///
    /// When the range ends behind the bytes, or before it begins.
    ///
    /// # Examples
    ///
    /// ```
    /// # let pool = thrifty_pool::BufferPool::new();
    /// let mut buf = pool.get(10);
    /// buf.extend_from_slice(b"abcde");
    /// assert_eq!(buf.freeze().slice(1..=2), b"bc");
    /// ```
    #[must_use]
    #[track_caller]
    pub fn slice(&self, range: impl RangeBounds<usize>) -> Self {
        let from = match range.start_bound() {
            Bound::Included(&from) => from,
            Bound::Excluded(&before) => before.saturating_add(1),
            Bound::Unbounded => 0,
        };
        let to = match range.end_bound() {
            Bound::Included(&last) => last.saturating_add(1),
            Bound::Excluded(&to) => to,
            Bound::Unbounded => self.len,
        };
        assert!(
            from <= to && to <= self.len,
            "the range {from}..{to} does not fit {} bytes",
            self.len
        );
        let mut part = self.clone();
        part.narrow(from, to);
        part
    }

    /// Splits the first `at` bytes off, and keeps the rest.
    ///
    /// # Panics
    ///
    /// When there are not so many.
    ///
    /// # Examples
    ///
    /// ```
    /// # let pool = thrifty_pool::BufferPool::new();
    /// let mut buf = pool.get(10);
    /// buf.extend_from_slice(b"abcde");
    /// let mut rest = buf.freeze();
    /// assert_eq!(rest.split_to(2), b"ab");
    /// assert_eq!(rest, b"cde");
    /// ```
    #[must_use = "use `skip` to leave the bytes out"]
    #[track_caller]
    pub fn split_to(&mut self, at: usize) -> Self {
        let first = self.slice(..at);
        self.narrow(at, self.len);
        first
    }

    /// Splits the bytes from `at` on off, and keeps those before.
    ///
    /// # Panics
    ///
    /// When there are not so many.
    ///
    /// # Examples
    ///
    /// ```
    /// # let pool = thrifty_pool::BufferPool::new();
    /// let mut first = pool.get_zeroed(5).freeze();
    /// assert_eq!((first.split_off(3).len(), first.len()), (2, 3));
    /// ```
    #[must_use = "use `truncate` to leave the bytes out"]
    #[track_caller]
    pub fn split_off(&mut self, at: usize) -> Self {
        let rest = self.slice(at..);
        self.narrow(0, at);
        rest
    }

    /// Leaves the first `count` bytes out.
    ///
    /// # Panics
    ///
    /// When there are not so many.
    ///
    /// # Examples
    ///
    /// ```
    /// # let pool = thrifty_pool::BufferPool::new();
    /// let mut bytes = pool.get_zeroed(5).freeze();
    /// bytes.skip(3);
    /// assert_eq!(bytes.len(), 2);
    /// ```
    #[inline]
    #[track_caller]
    pub fn skip(&mut self, count: usize) {
        assert!(
            count <= self.len,
            "cannot skip {count} of {} bytes",
            self.len
        );
        self.narrow(count, self.len);
    }

    /// Leaves the bytes from `len` on out, if there are any.
    ///
    /// # Examples
    ///
    /// ```
    /// # let pool = thrifty_pool::BufferPool::new();
    /// let mut bytes = pool.get_zeroed(5).freeze();
    /// bytes.truncate(3);
    /// assert_eq!(bytes.len(), 3);
    /// ```
    #[inline]
    pub fn truncate(&mut self, len: usize) {
        self.narrow(0, len.min(self.len));
    }

    /// Shows `from..to` only, which is within what it shows.
    #[inline]
    fn narrow(&mut self, from: usize, to: usize) {
        assert!(from <= to && to <= self.len, "a view only gets smaller");
        // SAFETY: in bounds: checked on the line above, and by invariant 2.
        self.start = unsafe { self.start.add(from) };
        // INVARIANT: 2 — a part of what it was.
        self.len = to - from;
    }

    /// The buffer to write to again, if this is the only view of it. It holds what the view shows.
    ///
    /// Where the view does not begin at the start of the buffer, the bytes are moved there.
    ///
    /// # Errors
    ///
    /// The view itself, when there are others.
    ///
    /// # Examples
    ///
    /// ```
    /// # let pool = thrifty_pool::BufferPool::new();
    /// let mut buf = pool.get(10);
    /// buf.extend_from_slice(b"abcde");
    /// let mut bytes = buf.freeze();
    /// bytes.skip(2);
    /// let mut buf = bytes.try_into_mut().unwrap();
    /// buf.extend_from_slice(b"f");
    /// assert_eq!(buf, b"cdef");
    /// ```
    pub fn try_into_mut(self) -> Result<PooledBuf, Self> {
        if !self.is_unique() {
            return Err(self);
        }
        let this = ManuallyDrop::new(self);
        // SAFETY: the first value is not used any more: it is never dropped, and there is no other
        // view.
        let block = unsafe { this.block.second() };
        // SAFETY: valid for reads and writes of so many bytes: by invariant 2 they are in the
        // block, and so are as many from its start; exclusive: this was the only view.
        unsafe { this.start.copy_to(block.bytes(), this.len) };
        // SAFETY: they were initialised by this lease before, wherever they were.
        Ok(unsafe { PooledBuf::from_initialised(block, this.len) })
    }
}

impl Clone for PooledBytes {
    #[inline]
    fn clone(&self) -> Self {
        self.block.refs().add();
        // SAFETY: both are views from now on, and use the block by `&self` only.
        let block = unsafe { self.block.second() };
        // INVARIANT: 1 — just counted; 2 — as in `self`.
        Self {
            block,
            start: self.start,
            len: self.len,
        }
    }
}

impl Drop for PooledBytes {
    #[inline]
    fn drop(&mut self) {
        if self.block.refs().remove() {
            // SAFETY: this was the last view, and is not used any more.
            give_back(unsafe { self.block.second() });
        }
    }
}

impl Deref for PooledBytes {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        // SAFETY: valid: by invariant 2; shared: by invariant 1 nobody writes.
        unsafe { slice::from_raw_parts(self.start.as_ptr(), self.len) }
    }
}

impl From<PooledBuf> for PooledBytes {
    fn from(buf: PooledBuf) -> Self {
        buf.freeze()
    }
}

impl AsRef<[u8]> for PooledBytes {
    #[inline]
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl Borrow<[u8]> for PooledBytes {
    #[inline]
    fn borrow(&self) -> &[u8] {
        self
    }
}

impl PartialEq for PooledBytes {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for PooledBytes {}

impl PartialOrd for PooledBytes {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for PooledBytes {
    fn cmp(&self, other: &Self) -> Ordering {
        (**self).cmp(&**other)
    }
}

/// As the bytes themselves, so that a map can be asked with a `&[u8]`.
impl Hash for PooledBytes {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (**self).hash(state);
    }
}

/// The length; the contents may be secret.
impl fmt::Debug for PooledBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PooledBytes")
            .field("len", &self.len)
            .finish_non_exhaustive()
    }
}

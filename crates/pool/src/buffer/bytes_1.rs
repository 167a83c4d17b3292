//! The traits and types of `bytes` 1.

use core::alloc::Layout;

use bytes::{Buf, BufMut, Bytes, buf::UninitSlice};
use thrifty_traits::{AllocError, AllocErrorKind, Rejected};

use super::{buf::PooledBuf, bytes::PooledBytes};

// SAFETY: `chunk_mut` gives room behind the bytes that stays where it is until the next call with
// `&mut self`, and never room that is not there; `advance_mut` only moves within it.
unsafe impl BufMut for PooledBuf {
    #[inline]
    fn remaining_mut(&self) -> usize {
        self.max_capacity().saturating_sub(self.len())
    }

    #[inline]
    unsafe fn advance_mut(&mut self, count: usize) {
        let spare = self.capacity() - self.len();
        assert!(
            count <= spare,
            "cannot advance by {count}: there is room for {spare}"
        );
        // SAFETY: within the capacity, as just checked; initialised, by the caller.
        unsafe { self.set_len(self.len() + count) };
    }

    /// The room there is. A full buffer grows first; one that is as large as its pool allows has
    /// none.
    ///
    /// # Panics
    ///
    /// When there is no memory to grow.
    #[inline]
    fn chunk_mut(&mut self) -> &mut UninitSlice {
        if self.len() == self.capacity() && self.has_remaining_mut() {
            self.reserve(1);
        }
        UninitSlice::uninit(self.spare_capacity_mut())
    }

    /// Appends all that is left of `source`. The room is filled by copies of known length, so a
    /// pool that wipes knows how far.
    fn put<T: Buf>(&mut self, mut source: T) {
        self.reserve(source.remaining());
        while source.has_remaining() {
            let chunk = source.chunk();
            self.extend_from_slice(chunk);
            let count = chunk.len();
            source.advance(count);
        }
    }

    #[inline]
    fn put_slice(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }

    #[inline]
    fn put_bytes(&mut self, value: u8, count: usize) {
        let len = self.len().saturating_add(count);
        self.resize(len, value);
    }
}

impl Buf for PooledBytes {
    #[inline]
    fn remaining(&self) -> usize {
        self.len()
    }

    #[inline]
    fn chunk(&self) -> &[u8] {
        self
    }

    #[inline]
    fn advance(&mut self, count: usize) {
        self.skip(count);
    }

    /// As [`into_bytes`](PooledBytes::into_bytes), which copies nothing.
    #[inline]
    fn copy_to_bytes(&mut self, len: usize) -> Bytes {
        self.split_to(len).into_bytes()
    }
}

impl PooledBytes {
    /// The same bytes as [`Bytes`], for an interface that asks for that type.
    ///
    /// One allocation of some 40 bytes per call, which the last of the `Bytes` frees; the buffer
    /// goes back to its pool then. The way back is not free either: to turn the `Bytes` into a
    /// `BytesMut` copies.
    ///
    /// # Aborts
    ///
    /// When there is no memory, as `bytes` does throughout; so do the `From` implementations.
    /// [`try_into_bytes`](Self::try_into_bytes) says so instead.
    ///
    /// # Examples
    ///
    /// ```
    /// # let pool = thrifty_pool::BufferPool::new();
    /// let mut buf = pool.get(10);
    /// buf.extend_from_slice(b"abc");
    /// let bytes = buf.freeze().into_bytes();
    /// assert_eq!(bytes, b"abc"[..]);
    /// ```
    #[must_use]
    pub fn into_bytes(self) -> Bytes {
        Bytes::from_owner(self)
    }

    /// The same bytes as [`Bytes`], if there is memory for what `bytes` allocates.
    ///
    /// It is asked for, given back, and then left to `bytes`. So an abort is left only where other
    /// threads use up the memory in between.
    ///
    /// # Errors
    ///
    /// When there is no memory; the bytes come back.
    ///
    /// # Examples
    ///
    /// ```
    /// # let pool = thrifty_pool::BufferPool::new();
    /// let bytes = pool.get_zeroed(3).freeze().try_into_bytes()?;
    /// assert_eq!(bytes, [0, 0, 0][..]);
    /// # Ok::<(), thrifty_pool::Rejected<thrifty_pool::PooledBytes>>(())
    /// ```
    pub fn try_into_bytes(self) -> Result<Bytes, Rejected<Self>> {
        let mut probe = Vec::<u64>::new();
        if probe.try_reserve_exact(OWNER_WORDS).is_err() {
            let layout = Layout::new::<[u64; OWNER_WORDS]>();
            let error = AllocError::for_layout(AllocErrorKind::Backend, layout);
            return Err(Rejected::new(self, error));
        }
        drop(probe);
        Ok(self.into_bytes())
    }
}

/// More than `bytes` allocates for an owner of the size of a `PooledBytes`: beside that one, two
/// words.
const OWNER_WORDS: usize = 8;

impl From<PooledBytes> for Bytes {
    fn from(bytes: PooledBytes) -> Self {
        bytes.into_bytes()
    }
}

impl From<PooledBuf> for Bytes {
    fn from(buf: PooledBuf) -> Self {
        buf.freeze().into_bytes()
    }
}

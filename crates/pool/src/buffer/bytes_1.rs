//! The traits and types of `bytes` 1.

use bytes::{Buf, BufMut, Bytes, buf::UninitSlice};

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

    /// The room there is; a full buffer grows first.
    ///
    /// # Panics
    ///
    /// When it cannot grow.
    #[inline]
    fn chunk_mut(&mut self) -> &mut UninitSlice {
        if self.len() == self.capacity() {
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
}

impl PooledBytes {
    /// The same bytes as [`Bytes`], for an interface that asks for that type.
    ///
    /// One allocation of some 40 bytes per call, which the last of the `Bytes` frees; the buffer
    /// goes back to its pool then. The way back is not free either: to turn the `Bytes` into a
    /// `BytesMut` copies.
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
}

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

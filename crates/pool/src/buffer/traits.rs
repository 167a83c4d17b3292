//! What buffers and frozen bytes are to std: slices, texts, readers and writers.

#![forbid(unsafe_code)]

use core::{
    borrow::{Borrow, BorrowMut},
    fmt,
};
use std::{
    io,
    panic::{RefUnwindSafe, UnwindSafe},
};

use super::{
    buf::PooledBuf,
    bytes::PooledBytes,
    pool::{BufferPool, WeakBufferPool},
};

// No code of users runs inside a pool but a clock and readers. A panic of either leaves buffers as
// they were, and the engine in good order.
impl UnwindSafe for BufferPool {}
impl RefUnwindSafe for BufferPool {}
impl UnwindSafe for WeakBufferPool {}
impl RefUnwindSafe for WeakBufferPool {}
impl UnwindSafe for PooledBuf {}
impl RefUnwindSafe for PooledBuf {}
impl UnwindSafe for PooledBytes {}
impl RefUnwindSafe for PooledBytes {}

impl AsRef<[u8]> for PooledBuf {
    #[inline]
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl AsMut<[u8]> for PooledBuf {
    #[inline]
    fn as_mut(&mut self) -> &mut [u8] {
        self
    }
}

impl Borrow<[u8]> for PooledBuf {
    #[inline]
    fn borrow(&self) -> &[u8] {
        self
    }
}

impl BorrowMut<[u8]> for PooledBuf {
    #[inline]
    fn borrow_mut(&mut self) -> &mut [u8] {
        self
    }
}

impl PartialEq for PooledBuf {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for PooledBuf {}

macro_rules! slice_like {
    ($($bytes:ty),+) => { $(
        impl PartialEq<[u8]> for $bytes {
            #[inline]
            fn eq(&self, other: &[u8]) -> bool {
                **self == *other
            }
        }

        impl PartialEq<&[u8]> for $bytes {
            #[inline]
            fn eq(&self, other: &&[u8]) -> bool {
                **self == **other
            }
        }

        impl PartialEq<Vec<u8>> for $bytes {
            #[inline]
            fn eq(&self, other: &Vec<u8>) -> bool {
                **self == **other
            }
        }

        impl PartialEq<$bytes> for [u8] {
            #[inline]
            fn eq(&self, other: &$bytes) -> bool {
                *self == **other
            }
        }

        impl PartialEq<$bytes> for Vec<u8> {
            #[inline]
            fn eq(&self, other: &$bytes) -> bool {
                **self == **other
            }
        }

        impl<'a> IntoIterator for &'a $bytes {
            type Item = &'a u8;
            type IntoIter = core::slice::Iter<'a, u8>;

            #[inline]
            fn into_iter(self) -> Self::IntoIter {
                self.iter()
            }
        }

        impl<const N: usize> PartialEq<[u8; N]> for $bytes {
            #[inline]
            fn eq(&self, other: &[u8; N]) -> bool {
                **self == *other
            }
        }

        impl<const N: usize> PartialEq<&[u8; N]> for $bytes {
            #[inline]
            fn eq(&self, other: &&[u8; N]) -> bool {
                **self == **other
            }
        }
    )+ };
}

slice_like!(PooledBuf, PooledBytes);

impl PartialEq<PooledBytes> for PooledBuf {
    #[inline]
    fn eq(&self, other: &PooledBytes) -> bool {
        **self == **other
    }
}

impl PartialEq<PooledBuf> for PooledBytes {
    #[inline]
    fn eq(&self, other: &PooledBuf) -> bool {
        **self == **other
    }
}

/// Appends, growing the buffer. Panics where [`extend_from_slice`](PooledBuf::extend_from_slice)
/// does; what came before then stays.
impl Extend<u8> for PooledBuf {
    fn extend<I: IntoIterator<Item = u8>>(&mut self, bytes: I) {
        for byte in bytes {
            self.extend_from_slice(&[byte]);
        }
    }
}

impl<'a> Extend<&'a u8> for PooledBuf {
    fn extend<I: IntoIterator<Item = &'a u8>>(&mut self, bytes: I) {
        self.extend(bytes.into_iter().copied());
    }
}

/// Appends, growing the buffer. An error of its pool becomes one of
/// [these kinds](crate::BufError#impl-From<BufError>-for-Error); nothing is written then.
impl io::Write for PooledBuf {
    #[inline]
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.try_extend_from_slice(bytes)?;
        Ok(bytes.len())
    }

    #[inline]
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        Ok(self.try_extend_from_slice(bytes)?)
    }

    fn write_vectored(&mut self, parts: &[io::IoSlice<'_>]) -> io::Result<usize> {
        // Room for all first, so that an error leaves nothing half written.
        let total = parts
            .iter()
            .fold(0_usize, |sum, part| sum.saturating_add(part.len()));
        self.try_reserve(total)?;
        for part in parts {
            self.try_extend_from_slice(part)?;
        }
        Ok(total)
    }

    #[inline]
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Appends, growing the buffer.
impl fmt::Write for PooledBuf {
    #[inline]
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.try_extend_from_slice(text.as_bytes())
            .map_err(|_| fmt::Error)
    }
}

/// Takes bytes from the front.
impl io::Read for PooledBytes {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = into.len().min(self.len());
        into[..count].copy_from_slice(&self[..count]);
        self.skip(count);
        Ok(count)
    }
}

impl io::BufRead for PooledBytes {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        Ok(self)
    }

    fn consume(&mut self, count: usize) {
        self.skip(count);
    }
}

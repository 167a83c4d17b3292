//! Where the bytes of a [`Frozen`](crate::Frozen) or [`Resolver`](crate::Resolver) are.

#![forbid(unsafe_code)]

use crate::buffer::Buffer;

/// Where the bytes of an image are: [`Owned`] or [`Borrowed`]. Sealed.
///
/// Whatever it is gives the same bytes every time, or else what was checked would not be what is read.
pub trait Backing: sealed::Bytes + core::fmt::Debug + Send + Sync {}

/// Bytes of one's own, aligned for every kind of key.
#[derive(Debug)]
pub struct Owned(Buffer);

/// Bytes of somebody else's: of a file that is mapped, or of the program itself.
#[derive(Clone, Copy, Debug)]
pub struct Borrowed<'a>(&'a [u8]);

impl Backing for Owned {}
impl Backing for Borrowed<'_> {}

impl Owned {
    pub(crate) const fn new(buffer: Buffer) -> Self {
        Self(buffer)
    }

    pub(crate) const fn bytes_mut(&mut self) -> &mut [u8] {
        self.0.bytes_mut()
    }

    /// Gives back what is after the first `len` bytes, if the allocator can.
    pub(crate) fn shrink(&mut self, len: usize) {
        self.0.shrink(len);
    }
}

impl<'a> Borrowed<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }
}

mod sealed {
    use super::{Borrowed, Owned};

    /// What a backing gives.
    #[expect(unnameable_types, reason = "sealed: nobody else may implement it")]
    pub trait Bytes {
        /// All of them.
        fn bytes(&self) -> &[u8];

        /// How many of them are this program's allocation.
        fn reserved_bytes(&self) -> usize;
    }

    impl Bytes for Owned {
        #[inline]
        fn bytes(&self) -> &[u8] {
            self.0.bytes()
        }

        fn reserved_bytes(&self) -> usize {
            self.0.len()
        }
    }

    impl Bytes for Borrowed<'_> {
        #[inline]
        fn bytes(&self) -> &[u8] {
            self.0
        }

        fn reserved_bytes(&self) -> usize {
            0
        }
    }
}

//! [`Frozen`]: a finished interner, both ways.

mod build;
mod check;
mod convert;
mod error;
mod hash;
mod image;
#[expect(unsafe_code, reason = "turns stored bytes back into keys")]
mod iter;
mod layout;
mod seal;

use alloc::vec::Vec;
use core::fmt;
use core::marker::PhantomData;
use std::io;

use thrifty_traits::{MemoryUsage, Usage};

use self::image::Image;
pub use self::{
    error::{FrozenError, KeysError},
    iter::FrozenIter,
};
use crate::{
    InternError, Key, Kinds, Portable, Sym, Symbol,
    backing::{Backing, Borrowed, Owned},
    buffer::Buffer,
    or_panic, resolver,
};

/// A finished interner: from keys to symbols and back, read-only, in one block of bytes.
///
/// The bytes mean the same in a file, on any machine where keys have the same alignment, and the same byte order if they
/// have one; for `str`, `[u8]` and `CStr` that is every machine. [`to_bytes`](Self::to_bytes) writes them,
/// [`from_bytes`](Frozen::from_bytes) checks them and reads them where they are, without a copy, mapped from a file
/// for example. Equal keys in the same order give equal bytes, unless someone has made keys that collide in the hash
/// table: then its seed is drawn.
///
/// # Examples
///
/// ```
/// use thrifty_interner::{Frozen, LocalInterner};
///
/// let mut hosts: LocalInterner = LocalInterner::new();
/// let web = hosts.intern("web-1");
/// let hosts: Frozen = hosts.freeze();
/// assert_eq!(hosts.get("web-1"), Some(web));
/// assert_eq!(hosts.resolve(web), "web-1");
///
/// let bytes = hosts.to_bytes();
/// let mapped = Frozen::<str>::from_bytes(&bytes)?;
/// assert_eq!(mapped.get("web-1"), Some(web));
/// # Ok::<(), thrifty_interner::FrozenError>(())
/// ```
///
/// # Memory
///
/// Beyond the keys' bytes 8.75 a key: 2.25 to find it by its symbol, 6.5 of the table. Where some 32 keys in a row
/// are longer than 64 KiB together, 4.25 and 4.7. And some 150 bytes.
///
/// # Concurrency
///
/// `Send` and `Sync`; nothing is ever written.
pub struct Frozen<K: ?Sized = str, Y = Sym, B = Owned> {
    image: Image<B>,
    kinds: Kinds<K, Y>,
}

/// A [`Frozen`] in somebody else's bytes. From [`Frozen::from_bytes`].
///
/// # Examples
///
/// ```
/// use thrifty_interner::{Frozen, FrozenRef};
///
/// fn count(names: &FrozenRef<'_>) -> usize {
///     names.len()
/// }
/// let bytes = Frozen::<str>::try_from_keys(["a", "b"])?.to_bytes();
/// assert_eq!(count(&Frozen::from_bytes(&bytes)?), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub type FrozenRef<'a, K = str, Y = Sym> = Frozen<K, Y, Borrowed<'a>>;

impl<K: Key + ?Sized, Y: Symbol, B: Backing> Frozen<K, Y, B> {
    const fn new(image: Image<B>) -> Self {
        Self {
            image,
            kinds: PhantomData,
        }
    }

    /// The symbol of a key.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_interner::{Frozen, Sym, Symbol};
    ///
    /// let names = Frozen::<str>::try_from_keys(["a", "b"])?;
    /// assert_eq!(names.get("b"), Sym::try_from_index(1));
    /// assert_eq!(names.get("c"), None);
    /// # Ok::<(), thrifty_interner::KeysError>(())
    /// ```
    #[must_use]
    #[inline]
    pub fn get(&self, key: &K) -> Option<Y> {
        Y::try_from_index(self.image.find(key.as_bytes())?)
    }

    /// What a symbol stands for.
    ///
    /// # Panics
    ///
    /// The symbol is not from here.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_interner::Frozen;
    ///
    /// let names = Frozen::<str>::try_from_keys(["a", "b"])?;
    /// let b = names.get("b").unwrap();
    /// assert_eq!(names.resolve(b), "b");
    /// # Ok::<(), thrifty_interner::KeysError>(())
    /// ```
    #[must_use]
    #[track_caller]
    #[inline]
    pub fn resolve(&self, symbol: Y) -> &K {
        match self.try_resolve(symbol) {
            Some(key) => key,
            None => crate::cold_unknown(symbol.index(), self.len()),
        }
    }

    /// What a symbol stands for, if there is such a symbol here.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_interner::{Frozen, Sym, Symbol};
    ///
    /// let names = Frozen::<str>::try_from_keys(["a", "b"])?;
    /// assert_eq!(names.try_resolve(Sym::try_from_index(1).unwrap()), Some("b"));
    /// assert_eq!(names.try_resolve(Sym::try_from_index(2).unwrap()), None);
    /// # Ok::<(), thrifty_interner::KeysError>(())
    /// ```
    #[must_use]
    #[inline]
    pub fn try_resolve(&self, symbol: Y) -> Option<&K> {
        resolver::resolve_in(&self.image, symbol.index())
    }

    /// How many symbols there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.image.count() as usize
    }

    /// There is no symbol.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All symbols and what they stand for, in their order.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_interner::Frozen;
    ///
    /// let names = Frozen::<str>::try_from_keys(["b", "a"])?;
    /// assert!(names.iter().map(|(_, name)| name).eq(["b", "a"]));
    /// # Ok::<(), thrifty_interner::KeysError>(())
    /// ```
    pub fn iter(&self) -> FrozenIter<'_, K, Y> {
        FrozenIter::new(self.image.view())
    }

    /// Bytes of all keys, and of what aligns them.
    #[must_use]
    pub const fn payload_bytes(&self) -> usize {
        self.image.payload_bytes()
    }
}

impl<K: Portable + ?Sized, Y: Symbol, B: Backing> Frozen<K, Y, B> {
    /// The bytes that [`from_bytes`](Frozen::from_bytes) reads.
    ///
    /// # Panics
    ///
    /// The allocator refuses the room; [`write_to`](Self::write_to) needs none.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_interner::Frozen;
    ///
    /// let names = Frozen::<str>::try_from_keys(["a", "b"])?;
    /// let copied = Frozen::<str>::copy_from_bytes(&names.to_bytes())?;
    /// assert!(copied.iter().eq(names.iter()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    #[track_caller]
    pub fn to_bytes(&self) -> Vec<u8> {
        or_panic(self.try_to_bytes())
    }

    /// The bytes that [`from_bytes`](Frozen::from_bytes) reads.
    ///
    /// # Errors
    ///
    /// The allocator refuses the room.
    pub fn try_to_bytes(&self) -> Result<Vec<u8>, InternError> {
        self.image.to_bytes::<K>()
    }

    /// Writes the bytes that [`from_bytes`](Frozen::from_bytes) reads.
    ///
    /// # Errors
    ///
    /// Those of the writer.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_interner::Frozen;
    ///
    /// let names = Frozen::<str>::try_from_keys(["a", "b"])?;
    /// let mut written = Vec::new();
    /// names.write_to(&mut written)?;
    /// assert_eq!(written, names.to_bytes());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn write_to(&self, writer: impl io::Write) -> io::Result<()> {
        self.image.write_to::<K>(writer)
    }
}

impl<K: Portable + ?Sized, Y: Symbol> Frozen<K, Y> {
    /// Checks bytes that [`to_bytes`](Self::to_bytes) wrote, and reads them where they are.
    ///
    /// All is checked, so that whatever the bytes are, nothing worse happens than an error: it takes time in proportion to
    /// them. They may lie anywhere if the alignment of the key is 1; else the start must be aligned, to 16 at most.
    /// **Of a mapped file, nobody may change a byte while it is mapped**, as with any `&[u8]`.
    ///
    /// # Errors
    ///
    /// The bytes are not what `to_bytes` wrote for such keys. What is wrong, says the [`FrozenError`]; bytes from a machine
    /// that aligns or orders the keys' elements otherwise have errors of their own.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_interner::{Frozen, FrozenError};
    ///
    /// let mut bytes = Frozen::<str>::try_from_keys(["a", "b"])?.to_bytes();
    /// assert!(Frozen::<[u8]>::from_bytes(&bytes).is_err(), "of another type");
    /// bytes[70] ^= 1;
    /// assert_eq!(Frozen::<str>::from_bytes(&bytes).unwrap_err(), FrozenError::Checksum);
    /// # Ok::<(), thrifty_interner::KeysError>(())
    /// ```
    pub fn from_bytes(bytes: &[u8]) -> Result<FrozenRef<'_, K, Y>, FrozenError> {
        check::read::<K, Y, _>(Borrowed::new(bytes), true).map(Frozen::new)
    }

    /// Copies bytes that [`to_bytes`](Self::to_bytes) wrote, and checks them.
    ///
    /// # Errors
    ///
    /// As [`from_bytes`](Self::from_bytes), except that no alignment is needed; and where the allocator refuses the
    /// room.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_interner::Frozen;
    ///
    /// let bytes = Frozen::<[u64]>::try_from_keys([&[1, 2][..], &[3]])?.to_bytes();
    /// let lists = Frozen::<[u64]>::copy_from_bytes(&bytes)?;
    /// assert!(lists.get(&[3]).is_some());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn copy_from_bytes(bytes: &[u8]) -> Result<Self, FrozenError> {
        check::read::<K, Y, _>(copied(bytes)?, true).map(Self::new)
    }
}

/// The same bytes in a block of one's own.
pub(crate) fn copied(bytes: &[u8]) -> Result<Owned, FrozenError> {
    let mut buffer = Buffer::zeroed(bytes.len()).map_err(|_| FrozenError::Backend {
        size_bytes: bytes.len(),
    })?;
    buffer.bytes_mut().copy_from_slice(bytes);
    Ok(Owned::new(buffer))
}

/// In use are the keys' bytes. What is borrowed is not counted as reserved.
impl<K: ?Sized, Y, B: Backing> MemoryUsage for Frozen<K, Y, B> {
    fn memory_usage(&self) -> Usage {
        self.image.memory_usage()
    }
}

impl<'a, K: Key + ?Sized, Y: Symbol, B: Backing> IntoIterator for &'a Frozen<K, Y, B> {
    type Item = (Y, &'a K);
    type IntoIter = FrozenIter<'a, K, Y>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<K: ?Sized, Y, B: Backing> fmt::Debug for Frozen<K, Y, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Frozen")
            .field("len", &self.image.count())
            .finish_non_exhaustive()
    }
}

/// What [`Resolver`] needs of these modules.
pub(crate) mod inside {
    pub(crate) use super::{build::build, check::read, image::Image};
}

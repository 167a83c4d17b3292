//! [`Resolver`]: from symbols to keys, and nothing else.

use alloc::vec::Vec;
use core::fmt;
use core::marker::PhantomData;
use std::io;

use thrifty_traits::{MemoryUsage, Usage};

use crate::{
    FrozenError, FrozenIter, InternError, Key, KeysError, Kinds, LocalInterner, Portable, Sym,
    Symbol,
    backing::{Backing, Borrowed, Owned},
    frozen::{
        copied,
        inside::{Image, build, read},
    },
    or_panic,
};

/// A finished interner without its table: from symbols to keys, in one block of bytes.
///
/// # Examples
///
/// ```
/// use thrifty_interner::{LocalInterner, Resolver};
///
/// let mut names: LocalInterner = LocalInterner::new();
/// let symbol = names.intern("a");
/// let names: Resolver = names.freeze_resolver();
/// assert_eq!(names.resolve(symbol), "a");
/// ```
///
/// # Memory
///
/// Beyond the keys' bytes 2.25 a key; 4.25 where some 32 keys in a row are longer than 64 KiB together. And some
/// 150 bytes.
///
/// # Concurrency
///
/// `Send` and `Sync`; nothing is ever written.
pub struct Resolver<K: ?Sized = str, Y = Sym, B = Owned> {
    image: Image<B>,
    kinds: Kinds<K, Y>,
}

/// A [`Resolver`] in somebody else's bytes. From [`Resolver::from_bytes`].
///
/// # Examples
///
/// ```
/// use thrifty_interner::{Frozen, Resolver, ResolverRef};
///
/// // What a `Frozen` wrote, a `Resolver` reads, too.
/// let bytes = Frozen::<str>::try_from_keys(["a", "b"])?.to_bytes();
/// let names: ResolverRef<'_> = Resolver::from_bytes(&bytes)?;
/// assert_eq!(names.len(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub type ResolverRef<'a, K = str, Y = Sym> = Resolver<K, Y, Borrowed<'a>>;

impl<K: Key + ?Sized, Y: Symbol> Resolver<K, Y> {
    /// Freezes keys in the order of their symbols. They are walked twice.
    ///
    /// # Panics
    ///
    /// If the second walk gives other keys than the first.
    pub(crate) fn from_ordered<'a>(
        keys: impl Iterator<Item = &'a K> + Clone,
    ) -> Result<Self, InternError> {
        Ok(Self::new(build(keys, false)?))
    }
}

impl<K: Key + ?Sized, Y: Symbol, B: Backing> Resolver<K, Y, B> {
    pub(crate) const fn new(image: Image<B>) -> Self {
        Self {
            image,
            kinds: PhantomData,
        }
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
    /// use thrifty_interner::LocalInterner;
    ///
    /// let mut names: LocalInterner = LocalInterner::new();
    /// let symbol = names.intern("a");
    /// assert_eq!(names.freeze_resolver().resolve(symbol), "a");
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
    /// use thrifty_interner::{LocalInterner, Sym, Symbol};
    ///
    /// let names: LocalInterner = LocalInterner::new();
    /// let resolver = names.freeze_resolver();
    /// assert_eq!(resolver.try_resolve(Sym::try_from_index(0).unwrap()), None);
    /// ```
    #[must_use]
    #[inline]
    pub fn try_resolve(&self, symbol: Y) -> Option<&K> {
        resolve_in(&self.image, symbol.index())
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
    pub fn iter(&self) -> FrozenIter<'_, K, Y> {
        FrozenIter::new(self.image.view())
    }

    /// Bytes of all keys, and of what aligns them.
    #[must_use]
    pub const fn payload_bytes(&self) -> usize {
        self.image.payload_bytes()
    }

    /// An interner with the same symbols.
    ///
    /// # Errors
    ///
    /// There is no room; or a key is there twice, which bytes from outside do not rule out.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_interner::LocalInterner;
    ///
    /// let mut names: LocalInterner = LocalInterner::new();
    /// let a = names.intern("a");
    /// let again = names.freeze_resolver().try_thaw()?;
    /// assert_eq!(again.get("a"), Some(a));
    /// # Ok::<(), thrifty_interner::KeysError>(())
    /// ```
    pub fn try_thaw(&self) -> Result<LocalInterner<K, Y>, KeysError> {
        LocalInterner::try_from_keys(self.iter().map(|(_, key)| key))
    }
}

/// The key of a symbol, by its index.
#[inline]
pub(crate) fn resolve_in<K: Key + ?Sized, B: Backing>(image: &Image<B>, index: u32) -> Option<&K> {
    let bytes = image.view().key(index)?;
    // SAFETY: the image was built from such keys or checked for them, and the bytes are one of them; the backing is
    // aligned as `K` asks for, and keys are laid out in it by their alignment.
    Some(unsafe { K::from_bytes(bytes) })
}

impl<K: Portable + ?Sized, Y: Symbol, B: Backing> Resolver<K, Y, B> {
    /// The bytes that [`from_bytes`](Resolver::from_bytes) reads.
    ///
    /// # Panics
    ///
    /// The allocator refuses the room; [`write_to`](Self::write_to) needs none.
    #[must_use]
    #[track_caller]
    pub fn to_bytes(&self) -> Vec<u8> {
        or_panic(self.try_to_bytes())
    }

    /// The bytes that [`from_bytes`](Resolver::from_bytes) reads.
    ///
    /// # Errors
    ///
    /// The allocator refuses the room.
    pub fn try_to_bytes(&self) -> Result<Vec<u8>, InternError> {
        self.image.to_bytes::<K>()
    }

    /// Writes the bytes that [`from_bytes`](Resolver::from_bytes) reads.
    ///
    /// # Errors
    ///
    /// Those of the writer.
    pub fn write_to(&self, writer: impl io::Write) -> io::Result<()> {
        self.image.write_to::<K>(writer)
    }
}

impl<K: Portable + ?Sized, Y: Symbol> Resolver<K, Y> {
    /// Checks bytes that a `Resolver` or a [`Frozen`](crate::Frozen) wrote, and reads them where they are.
    ///
    /// As [`Frozen::from_bytes`](crate::Frozen::from_bytes), but for the table, if there is one: it is not looked at.
    ///
    /// # Errors
    ///
    /// The bytes are not what was written for such keys. What is wrong, says the [`FrozenError`].
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_interner::{LocalInterner, Resolver};
    ///
    /// let mut names: LocalInterner = LocalInterner::new();
    /// let symbol = names.intern("a");
    /// let bytes = names.freeze_resolver().to_bytes();
    /// assert_eq!(Resolver::<str>::from_bytes(&bytes)?.resolve(symbol), "a");
    /// # Ok::<(), thrifty_interner::FrozenError>(())
    /// ```
    pub fn from_bytes(bytes: &[u8]) -> Result<ResolverRef<'_, K, Y>, FrozenError> {
        read::<K, Y, _>(Borrowed::new(bytes), false).map(Resolver::new)
    }

    /// Copies bytes that a `Resolver` or a [`Frozen`](crate::Frozen) wrote, and checks them.
    ///
    /// # Errors
    ///
    /// As [`from_bytes`](Self::from_bytes), except that no alignment is needed; and where the allocator refuses the
    /// room.
    pub fn copy_from_bytes(bytes: &[u8]) -> Result<Self, FrozenError> {
        let image = read::<K, Y, _>(copied(bytes)?, false)?;
        Ok(Self::new(image.without_table()))
    }
}

/// In use are the keys' bytes. What is borrowed is not counted as reserved.
impl<K: ?Sized, Y, B: Backing> MemoryUsage for Resolver<K, Y, B> {
    fn memory_usage(&self) -> Usage {
        self.image.memory_usage()
    }
}

impl<'a, K: Key + ?Sized, Y: Symbol, B: Backing> IntoIterator for &'a Resolver<K, Y, B> {
    type Item = (Y, &'a K);
    type IntoIter = FrozenIter<'a, K, Y>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<K: ?Sized, Y, B: Backing> fmt::Debug for Resolver<K, Y, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resolver")
            .field("len", &self.image.count())
            .finish_non_exhaustive()
    }
}

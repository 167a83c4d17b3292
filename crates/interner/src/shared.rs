//! Handles that share one copy of a key.

pub(crate) mod block;
mod forward;
#[cfg(feature = "serde-1")]
mod serde_1;

use core::fmt;
use core::marker::PhantomData;
use core::ops::Deref;
use core::panic::{RefUnwindSafe, UnwindSafe};
use core::ptr::NonNull;

use self::block::Head;
use crate::error::InternError;
use crate::key::Key;
use crate::panics::or_panic;

/// A key that several places share: a counted pointer, one word wide, to the key's bytes.
///
/// [`Dedup`](crate::Dedup) gives out the same handle for equal keys as long as it remembers them. So equal
/// pointers mean equal keys, and different pointers do not mean different keys: comparing, ordering and
/// hashing go by the contents, as those of the key do, so that a map from `Shared<str>` is asked with a
/// `&str`.
///
/// # Examples
///
/// ```
/// use std::collections::HashMap;
/// use thrifty_interner::{Dedup, Shared};
///
/// let hosts: Dedup = Dedup::new(1 << 20);
/// let (a, b) = (hosts.dedup("db-1"), hosts.dedup("db-1"));
/// assert!(Shared::ptr_eq(&a, &b));
///
/// let mut seen = HashMap::new();
/// seen.insert(a, 1);
/// assert_eq!(seen.get("db-1"), Some(&1));
/// ```
///
/// # Memory
///
/// The handle is one pointer, an `Option` of it too. The block has 8 bytes (16 where keys are aligned to 16)
/// before the key's own; an `Arc<str>` has two words in the handle and two in the block.
///
/// # Concurrency
///
/// `Send` and `Sync`. A clone, and a drop, change a count in the block: threads that do so with one handle all
/// the time wait for each other's cache line, some 20 to 100 ns a time. Where one key is that hot, let each
/// thread keep a clone.
///
/// More than two milliards of handles to one block are not counted: the block is then never freed.
///
/// # Invariants
///
/// 1. `head` is a block made with `K::ALIGN` from the bytes of a `K`, and one of its counts is this handle's.
pub struct Shared<K: ?Sized + Key = str> {
    head: NonNull<Head>,
    key: PhantomData<K>,
}

const _: () = assert!(
    size_of::<Option<Shared<str>>>() == size_of::<usize>(),
    "a handle is one word, an optional one too"
);

// SAFETY: a key is `Send` and `Sync` (a supertrait), nobody writes to it, and the count is atomic.
unsafe impl<K: ?Sized + Key> Send for Shared<K> {}
// SAFETY: as for `Send`; a `&Shared` gives a `&K`, and a clone.
unsafe impl<K: ?Sized + Key> Sync for Shared<K> {}

impl<K: ?Sized + Key> Shared<K> {
    /// Copies a key into a block of its own, which only clones of this handle share.
    ///
    /// # Errors
    ///
    /// [`TooLong`](InternError::TooLong) beyond 4 GiB, and [`Backend`](InternError::Backend) where there is no
    /// memory.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_interner::Shared;
    ///
    /// let host = Shared::try_new("db-1")?;
    /// assert_eq!(*host, *"db-1");
    /// # Ok::<(), thrifty_interner::InternError>(())
    /// ```
    pub fn try_new(key: &K) -> Result<Self, InternError> {
        Ok(Self {
            // INVARIANT: 1 — the count is 1, and this is the handle.
            head: Head::make(key.as_bytes(), K::ALIGN)?,
            key: PhantomData,
        })
    }

    /// Whether both are handles to the same block. If so, the keys are equal.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_interner::Shared;
    ///
    /// let (a, b) = (Shared::from("x"), Shared::from("x"));
    /// assert!(a == b && !Shared::ptr_eq(&a, &b));
    /// assert!(Shared::ptr_eq(&a, &a.clone()));
    /// ```
    #[inline]
    #[must_use]
    pub fn ptr_eq(this: &Self, other: &Self) -> bool {
        this.head == other.head
    }

    /// How many handles to the block there are at the moment; a cache that remembers the key has one of them.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_interner::{Dedup, Shared};
    ///
    /// let hosts: Dedup = Dedup::new(1 << 20);
    /// let host = hosts.dedup("db-1");
    /// assert_eq!(Shared::holders(&host), 2);
    /// hosts.clear();
    /// assert_eq!(Shared::holders(&host), 1);
    /// ```
    #[must_use]
    pub fn holders(this: &Self) -> usize {
        this.head().holders() as usize
    }

    #[inline]
    fn head(&self) -> &Head {
        // SAFETY: valid and shared while the count of this handle is there (invariant 1).
        unsafe { self.head.as_ref() }
    }

    /// The bytes of the key.
    #[inline]
    pub(crate) fn bytes(&self) -> &[u8] {
        // SAFETY: made with this alignment, and the count of this handle is there (invariant 1).
        unsafe { Head::bytes(self.head, K::ALIGN) }
    }

    /// How many bytes the block takes.
    #[inline]
    pub(crate) fn block_bytes(&self) -> usize {
        block::offset(K::ALIGN) + self.head().len()
    }

    /// Whether there are other handles at the moment.
    #[inline]
    pub(crate) fn is_held(&self) -> bool {
        self.head().holders() > 1
    }
}

impl<K: ?Sized + Key> Clone for Shared<K> {
    #[inline]
    fn clone(&self) -> Self {
        self.head().add();
        // INVARIANT: 1 — the count that was added is the clone's.
        Self {
            head: self.head,
            key: PhantomData,
        }
    }
}

impl<K: ?Sized + Key> Drop for Shared<K> {
    #[inline]
    fn drop(&mut self) {
        if self.head().remove() {
            // SAFETY: made with this alignment (invariant 1), and the last count was removed just now.
            unsafe { Head::free(self.head, K::ALIGN) };
        }
    }
}

impl<K: ?Sized + Key> Deref for Shared<K> {
    type Target = K;

    #[inline]
    fn deref(&self) -> &K {
        // SAFETY: the bytes of a `K`, at an address that is a multiple of `K::ALIGN`: blocks are so aligned,
        // and the offset is a multiple of it.
        unsafe { K::from_bytes(self.bytes()) }
    }
}

/// Copies, as [`try_new`](Shared::try_new) does.
///
/// # Panics
///
/// Where `try_new` returns an error.
impl<K: ?Sized + Key> From<&K> for Shared<K> {
    #[track_caller]
    fn from(key: &K) -> Self {
        or_panic(Self::try_new(key))
    }
}

impl<K: ?Sized + Key + fmt::Debug> fmt::Debug for Shared<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

// Moving a handle moves a pointer.
impl<K: ?Sized + Key> Unpin for Shared<K> {}
// Nothing that a handle shows ever changes.
impl<K: ?Sized + Key> UnwindSafe for Shared<K> {}
impl<K: ?Sized + Key> RefUnwindSafe for Shared<K> {}

//! Values in blocks of their own that handles share.

use core::borrow::Borrow;
use core::cmp::Ordering;
use core::fmt;
use core::hash::{Hash, Hasher};
use core::marker::PhantomData;
use core::mem::ManuallyDrop;
use core::ops::Deref;
use core::panic::{RefUnwindSafe, UnwindSafe};
use core::ptr::{self, NonNull};

use thrifty_traits::Rejected;

use super::boxed::SlabBox;
use super::slab::Slab;
use crate::count::Count;

/// A value and the count of its handles: what a [`Slab`] of [`SlabArc`]s has blocks for.
///
/// # Examples
///
/// [`SlabArc`] has one.
pub struct Counted<T> {
    count: Count,
    value: T,
}

/// A shared value of a [`Slab`]: what an `Arc` is to the global allocator. There are no weak handles.
///
/// # Memory
///
/// One pointer. The block has a count of 8 bytes before the value.
///
/// # Concurrency
///
/// `Send` and `Sync` if the value is both, since it is shared, and dropped by whoever has the last
/// handle. Cloning and dropping change the count, as with an `Arc`; what was done through other
/// handles happened before the value is dropped.
///
/// # Examples
///
/// ```
/// use thrifty_fixed_alloc::{Counted, Slab, SlabArc};
///
/// let texts: Slab<Counted<String>> = Slab::new();
/// let text = texts.insert_arc(String::from("shared"));
/// let theirs = SlabArc::clone(&text);
/// let length = std::thread::spawn(move || theirs.len()).join().unwrap();
/// assert_eq!((length, texts.stats().in_use), (6, 1));
/// ```
///
/// # Invariants
///
/// 1. `inner` is from [`SlabBox::into_raw`], and is a value until the last handle goes.
#[must_use = "dropped at once, the value goes with it"]
pub struct SlabArc<T> {
    inner: NonNull<Counted<T>>,
    owns: PhantomData<Counted<T>>,
}

const _: () = assert!(size_of::<Option<SlabArc<u64>>>() == size_of::<usize>());

// SAFETY: handles on several threads share the value (`Sync`), and the last one drops it (`Send`).
unsafe impl<T: Send + Sync> Send for SlabArc<T> {}
// SAFETY: as for `Send`: a `&SlabArc` can be cloned.
unsafe impl<T: Send + Sync> Sync for SlabArc<T> {}

impl<T> Slab<Counted<T>> {
    /// Puts a value into a block, to be shared.
    ///
    /// # Panics
    ///
    /// Where [`try_insert_arc`](Self::try_insert_arc) returns an error; the value is dropped.
    ///
    /// # Examples
    ///
    /// ```
    /// # use thrifty_fixed_alloc::{Slab, SlabArc};
    /// let five = Slab::new().insert_arc(5);
    /// assert_eq!(*five, 5);
    /// ```
    #[inline]
    pub fn insert_arc(&self, value: T) -> SlabArc<T> {
        SlabArc::from_box(self.insert(Counted::new(value)))
    }

    /// Puts a value into a block, to be shared.
    ///
    /// # Errors
    ///
    /// Gives the value back where [`try_insert`](Self::try_insert) does.
    ///
    /// # Panics
    ///
    /// As [`try_insert`](Self::try_insert).
    ///
    /// # Examples
    ///
    /// ```
    /// # use thrifty_fixed_alloc::Slab;
    /// let one = Slab::builder().max_blocks(1).build()?;
    /// let first = one.try_insert_arc('a').expect("there is one");
    /// assert_eq!(one.try_insert_arc('b').unwrap_err().into_value(), 'b');
    /// # drop(first);
    /// # Ok::<(), thrifty_fixed_alloc::ConfigError>(())
    /// ```
    #[inline]
    pub fn try_insert_arc(&self, value: T) -> Result<SlabArc<T>, Rejected<T>> {
        match self.try_insert(Counted::new(value)) {
            Ok(boxed) => Ok(SlabArc::from_box(boxed)),
            Err(rejected) => Err(rejected.map(|counted| counted.value)),
        }
    }
}

impl<T> Counted<T> {
    #[inline]
    fn new(value: T) -> Self {
        let count = Count::new();
        Self { count, value }
    }
}

impl<T> SlabArc<T> {
    #[inline]
    fn from_box(boxed: SlabBox<Counted<T>>) -> Self {
        // INVARIANT: 1 — the count is 1, and this is the handle.
        Self {
            inner: SlabBox::into_raw(boxed),
            owns: PhantomData,
        }
    }

    #[inline]
    fn inner(&self) -> &Counted<T> {
        // SAFETY: valid by invariant 1; shared: only `get_mut` writes, which has the only handle.
        unsafe { self.inner.as_ref() }
    }

    /// The box of a value that has no other handle.
    ///
    /// # Safety
    ///
    /// The caller has the last handle, and does not use it any more.
    #[inline]
    unsafe fn last(inner: NonNull<Counted<T>>) -> SlabBox<Counted<T>> {
        // SAFETY: from `into_raw` by invariant 1, and once: the caller's promise.
        unsafe { SlabBox::from_raw(inner) }
    }

    /// The value, if this is its only handle.
    ///
    /// # Examples
    ///
    /// ```
    /// # use thrifty_fixed_alloc::{Slab, SlabArc};
    /// let mut number = Slab::new().insert_arc(1);
    /// *SlabArc::get_mut(&mut number).unwrap() += 1;
    /// let other = number.clone();
    /// assert!(SlabArc::get_mut(&mut number).is_none());
    /// assert_eq!(*other, 2);
    /// ```
    #[inline]
    pub fn get_mut(arc: &mut Self) -> Option<&mut T> {
        if !arc.inner().count.is_only() {
            return None;
        }
        // SAFETY: valid by invariant 1. Exclusive: `&mut` of the only handle, so that nobody can
        // clone it meanwhile; what others did has happened before, by ORDERING(count.only).
        Some(unsafe { &mut arc.inner.as_mut().value })
    }

    /// The value by itself, if this is its only handle; the block goes back.
    ///
    /// # Errors
    ///
    /// Gives the handle back if there are others.
    ///
    /// # Examples
    ///
    /// ```
    /// # use thrifty_fixed_alloc::{Slab, SlabArc};
    /// let name = Slab::new().insert_arc(String::from("n"));
    /// assert_eq!(SlabArc::try_unwrap(name).unwrap(), "n");
    /// ```
    #[inline]
    pub fn try_unwrap(arc: Self) -> Result<T, Self> {
        if !arc.inner().count.is_only() {
            return Err(arc);
        }
        let arc = ManuallyDrop::new(arc);
        // SAFETY: the only handle, as in `get_mut`, and it is not dropped.
        let boxed = unsafe { Self::last(arc.inner) };
        Ok(SlabBox::into_inner(boxed).value)
    }

    /// How many handles there are at the moment.
    ///
    /// # Examples
    ///
    /// ```
    /// # use thrifty_fixed_alloc::{Slab, SlabArc};
    /// let number = Slab::new().insert_arc(1);
    /// let _other = number.clone();
    /// assert_eq!(SlabArc::strong_count(&number), 2);
    /// ```
    #[must_use]
    pub fn strong_count(arc: &Self) -> usize {
        arc.inner().count.get()
    }

    /// Whether both are handles to the same value.
    ///
    /// # Examples
    ///
    /// ```
    /// # use thrifty_fixed_alloc::{Slab, SlabArc};
    /// let numbers = Slab::new();
    /// let (a, b) = (numbers.insert_arc(1), numbers.insert_arc(1));
    /// assert!(SlabArc::ptr_eq(&a, &a.clone()) && !SlabArc::ptr_eq(&a, &b));
    /// ```
    #[must_use]
    pub fn ptr_eq(arc: &Self, other: &Self) -> bool {
        ptr::eq(arc.inner.as_ptr(), other.inner.as_ptr())
    }
}

impl<T> Drop for SlabArc<T> {
    #[inline]
    fn drop(&mut self) {
        if self.inner().count.remove() {
            // SAFETY: the last handle, which is being dropped.
            drop(unsafe { Self::last(self.inner) });
        }
    }
}

impl<T> Clone for SlabArc<T> {
    #[inline]
    fn clone(&self) -> Self {
        self.inner().count.add();
        Self {
            inner: self.inner,
            owns: PhantomData,
        }
    }
}

impl<T> Deref for SlabArc<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.inner().value
    }
}

impl<T> AsRef<T> for SlabArc<T> {
    fn as_ref(&self) -> &T {
        self
    }
}

impl<T> Borrow<T> for SlabArc<T> {
    fn borrow(&self) -> &T {
        self
    }
}

impl<T: fmt::Debug> fmt::Debug for SlabArc<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: fmt::Display> fmt::Display for SlabArc<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: PartialEq> PartialEq for SlabArc<T> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl<T: Eq> Eq for SlabArc<T> {}

impl<T: PartialOrd> PartialOrd for SlabArc<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        (**self).partial_cmp(&**other)
    }
}

impl<T: Ord> Ord for SlabArc<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        (**self).cmp(&**other)
    }
}

impl<T: Hash> Hash for SlabArc<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (**self).hash(state);
    }
}

impl<T> fmt::Debug for Counted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Counted").finish_non_exhaustive()
    }
}

// Moving a handle moves a pointer.
impl<T> Unpin for SlabArc<T> {}
// Other handles see the value after a panic, as through a `&T`.
impl<T: RefUnwindSafe> UnwindSafe for SlabArc<T> {}
impl<T: RefUnwindSafe> RefUnwindSafe for SlabArc<T> {}

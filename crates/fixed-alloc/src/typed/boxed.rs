//! A value in a block of its own, one pointer wide.

use core::borrow::{Borrow, BorrowMut};
use core::marker::PhantomData;
use core::mem::{ManuallyDrop, MaybeUninit};
use core::ops::{Deref, DerefMut};
use core::panic::UnwindSafe;
use core::pin::Pin;
use core::ptr::NonNull;

use super::home::Home;

/// A value of a [`Slab`](crate::Slab): what a `Box` is to the global allocator.
///
/// It owns the value and keeps the slab's memory by itself, so that it may outlive every
/// [`Slab`](crate::Slab) handle, and go to any thread that the value may go to. Dropped, it drops the value, and
/// the block goes into the cache of the thread that it is dropped on, also when the value's own drop
/// panics.
///
/// Like a `Box` it can be [pinned](Self::into_pin), [leaked](Self::leak), turned into a
/// [raw pointer](Self::into_raw), and made a box of a trait object, with [`unsize!`](crate::unsize).
/// As with `Box`, such functions are called as `SlabBox::into_inner(boxed)`, so as not to hide
/// methods of the value.
///
/// # Memory
///
/// One pointer, two for a `dyn Trait` or a slice, and the same for an `Option` of it. The block is as
/// large as the value, rounded up to its alignment. The way back is found by the address: slabs are
/// aligned to their size and have a header.
///
/// # Concurrency
///
/// `Send` if the value is, and `Sync` if the value is: a box can be used wherever its value
/// could be, and blocks are bound to no thread.
///
/// # Examples
///
/// ```
/// use thrifty_fixed_alloc::{Slab, SlabBox};
///
/// struct Node {
///     key: u32,
///     next: Option<SlabBox<Node>>,
/// }
///
/// let nodes = Slab::new();
/// let mut list = None;
/// for key in 0..3 {
///     list = Some(nodes.insert(Node { key, next: list }));
/// }
/// let first = list.unwrap();
/// assert_eq!((first.key, first.next.as_ref().unwrap().key), (2, 1));
/// ```
///
/// # Invariants
///
/// 1. `value` points to a value in a block of a slab for values of its layout, with the block's
///    lease, and nobody else has it.
#[must_use = "dropped at once, the value goes with it"]
#[repr(transparent)]
pub struct SlabBox<T: ?Sized> {
    value: NonNull<T>,
    owns: PhantomData<T>,
}

const _: () = assert!(size_of::<Option<SlabBox<u64>>>() == size_of::<usize>());
const _: () = assert!(size_of::<Option<SlabBox<dyn Send>>>() == 2 * size_of::<usize>());

// SAFETY: a box owns its value, which may be sent by the bound; the block is plain memory, and its
// engine takes it back on any thread.
unsafe impl<T: ?Sized + Send> Send for SlabBox<T> {}
// SAFETY: through `&` there is only a `&T`, which may be shared by the bound.
unsafe impl<T: ?Sized + Sync> Sync for SlabBox<T> {}

impl<T> SlabBox<T> {
    /// The value; the block goes back.
    ///
    /// # Examples
    ///
    /// ```
    /// # use thrifty_fixed_alloc::{Slab, SlabBox};
    /// let names = Slab::new();
    /// let name = names.insert(String::from("n"));
    /// assert_eq!(SlabBox::into_inner(name), "n");
    /// assert_eq!(names.stats().in_use, 0);
    /// ```
    #[inline]
    pub fn into_inner(boxed: Self) -> T {
        Self::take(boxed).0
    }

    /// The value, and its block for another one.
    ///
    /// # Examples
    ///
    /// ```
    /// # use thrifty_fixed_alloc::{Slab, SlabBox};
    /// let numbers = Slab::new();
    /// let (old, place) = SlabBox::take(numbers.insert(1));
    /// let new = SlabBox::write(place, old + 1);
    /// assert_eq!(*new, 2);
    /// ```
    #[inline]
    pub fn take(boxed: Self) -> (T, SlabBox<MaybeUninit<T>>) {
        let value = Self::into_raw(boxed);
        // SAFETY: valid by invariant 1, and owned: from here on the block holds nothing.
        let taken = unsafe { value.read() };
        // SAFETY: from `into_raw` above, and any bytes are a `MaybeUninit`, of the same layout.
        (taken, unsafe { SlabBox::from_raw(value.cast()) })
    }
}

impl<T: ?Sized> SlabBox<T> {
    /// The value, pinned: it stays at its address until it is dropped.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::future::Future;
    /// use std::pin::Pin;
    /// use thrifty_fixed_alloc::{Slab, SlabBox, unsize};
    ///
    /// type Task = Pin<SlabBox<dyn Future<Output = u32> + Send>>;
    ///
    /// let slab = Slab::new();
    /// let task: Task = SlabBox::into_pin(unsize!(slab.insert(async { 7 }) => dyn Future<Output = u32> + Send));
    /// # drop(task);
    /// ```
    #[inline]
    pub fn into_pin(boxed: Self) -> Pin<Self> {
        // SAFETY: the value is in a block of its own, which is not used for anything else before the
        // value was dropped there; without `T: Unpin` nobody gets it out of the pin.
        unsafe { Pin::new_unchecked(boxed) }
    }

    /// The value for good: it is never dropped, and the slab it lies in is never released, nor are the
    /// slab allocator's books; its other slabs are.
    ///
    /// # Examples
    ///
    /// ```
    /// # use thrifty_fixed_alloc::{Slab, SlabBox};
    /// let numbers = Slab::new();
    /// let number: &'static mut u32 = SlabBox::leak(numbers.insert(1));
    /// drop(numbers);
    /// *number += 1;
    /// # // Under a leak check this should be no leak.
    /// # drop(unsafe { SlabBox::from_raw(std::ptr::NonNull::from(number)) });
    /// ```
    #[inline]
    pub fn leak<'a>(boxed: Self) -> &'a mut T
    where
        T: 'a,
    {
        // SAFETY: valid by invariant 1, for good: the block's lease is never given back. Exclusive: the
        // box is gone.
        unsafe { Self::into_raw(boxed).as_mut() }
    }

    /// The value as a raw pointer, which is for [`from_raw`](Self::from_raw).
    ///
    /// # Examples
    ///
    /// ```
    /// # use thrifty_fixed_alloc::{Slab, SlabBox};
    /// let numbers = Slab::new();
    /// let raw = SlabBox::into_raw(numbers.insert(5));
    /// // SAFETY: from `into_raw`, once.
    /// let number = unsafe { SlabBox::from_raw(raw) };
    /// assert_eq!(*number, 5);
    /// ```
    #[must_use = "the value is leaked otherwise"]
    #[inline]
    pub fn into_raw(boxed: Self) -> NonNull<T> {
        ManuallyDrop::new(boxed).value
    }

    /// A box again.
    ///
    /// # Safety
    ///
    /// `value` is from [`into_raw`](Self::into_raw) or [`leak`](Self::leak), and becomes a box once.
    /// If its type has changed, the value is one of the new type, and the layout is the same.
    ///
    /// # Examples
    ///
    /// [`into_raw`](Self::into_raw) has one.
    #[inline]
    pub unsafe fn from_raw(value: NonNull<T>) -> Self {
        // INVARIANT: 1 — the caller's promise.
        Self {
            value,
            owns: PhantomData,
        }
    }

    /// Where the value lies.
    ///
    /// # Examples
    ///
    /// ```
    /// # use thrifty_fixed_alloc::{Slab, SlabBox};
    /// let boxed = Slab::new().insert(1_u32);
    /// assert!(SlabBox::as_ptr(&boxed).is_aligned());
    /// ```
    #[must_use]
    #[inline]
    pub fn as_ptr(boxed: &Self) -> *const T {
        boxed.value.as_ptr()
    }
}

impl<T: ?Sized> Drop for SlabBox<T> {
    #[inline]
    fn drop(&mut self) {
        // Its drop gives the block back, after the value's, and should that panic.
        // SAFETY: invariant 1; the box is not used afterwards.
        let _home = unsafe { Home::of(self.value) };
        // SAFETY: valid and owned by invariant 1; this happens once.
        unsafe { self.value.drop_in_place() };
    }
}

impl<T: ?Sized> Deref for SlabBox<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: valid by invariant 1; shared: who writes has `&mut self`.
        unsafe { self.value.as_ref() }
    }
}

impl<T: ?Sized> DerefMut for SlabBox<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: valid by invariant 1; exclusive: `&mut self`.
        unsafe { self.value.as_mut() }
    }
}

impl<T: ?Sized> AsRef<T> for SlabBox<T> {
    fn as_ref(&self) -> &T {
        self
    }
}

impl<T: ?Sized> AsMut<T> for SlabBox<T> {
    fn as_mut(&mut self) -> &mut T {
        self
    }
}

impl<T: ?Sized> Borrow<T> for SlabBox<T> {
    fn borrow(&self) -> &T {
        self
    }
}

impl<T: ?Sized> BorrowMut<T> for SlabBox<T> {
    fn borrow_mut(&mut self) -> &mut T {
        self
    }
}

impl<T: ?Sized> From<SlabBox<T>> for Pin<SlabBox<T>> {
    fn from(boxed: SlabBox<T>) -> Self {
        SlabBox::into_pin(boxed)
    }
}

// Moving a box moves a pointer; its value stays.
impl<T: ?Sized> Unpin for SlabBox<T> {}
// A box shows what a value of its own would.
impl<T: ?Sized + UnwindSafe> UnwindSafe for SlabBox<T> {}

//! Slabs of values of one type.

use core::fmt;
use core::marker::PhantomData;
use core::mem::MaybeUninit;
use core::panic::{RefUnwindSafe, UnwindSafe};

use thrifty_traits::{AllocError, Rejected};

use super::boxed::SlabBox;
use super::builder::SlabBuilder;
use super::error::InsertError;
use super::weak::WeakSlab;
use crate::error::ConfigError;
use crate::fixed::FixedHandle;
use crate::stats::Stats;

/// An allocator of values of one type, each in a box one pointer wide.
///
/// A clone is another handle to the same slabs. Boxes need none: they keep the memory by themselves.
///
/// # Memory
///
/// As a [`FixedAlloc`](crate::FixedAlloc) of the type's layout, with slabs of the default size: a
/// box has to know it. A value of no bytes takes a block of as many bytes as its alignment says, so
/// that limits and figures hold for it too.
///
/// # Concurrency
///
/// `Send` and `Sync` whatever the type: a slab holds blocks, and values are in boxes only, on the
/// thread that inserts them. Inserting and dropping cost what
/// [`FixedAlloc`](crate::FixedAlloc#concurrency) says.
///
/// # Examples
///
/// ```
/// use std::sync::LazyLock;
/// use thrifty_fixed_alloc::{Slab, SlabBox};
///
/// struct Session {
///     user: String,
/// }
///
/// static SESSIONS: LazyLock<Slab<Session>> = LazyLock::new(Slab::new);
///
/// fn login(user: &str) -> SlabBox<Session> {
///     SESSIONS.insert(Session { user: user.to_owned() })
/// }
///
/// let session = login("ada");
/// assert_eq!((session.user.as_str(), SESSIONS.stats().in_use), ("ada", 1));
/// ```
pub struct Slab<T> {
    pub(super) blocks: FixedHandle,
    /// It gives boxes of `T` and has none.
    gives: PhantomData<fn() -> T>,
}

impl<T> Slab<T> {
    /// A slab with the default limits.
    ///
    /// # Panics
    ///
    /// Where [`try_new`](Self::try_new) returns an error.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_fixed_alloc::Slab;
    ///
    /// let numbers = Slab::new();
    /// assert_eq!(*numbers.insert(1), 1);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn new() -> Self {
        match Self::try_new() {
            Ok(slab) => slab,
            Err(error) => panic!("{error}"),
        }
    }

    /// A slab with the default limits.
    ///
    /// # Errors
    ///
    /// The type is too large, or there is no memory for the slab's own block.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_fixed_alloc::Slab;
    ///
    /// let numbers: Slab<u32> = Slab::try_new()?;
    /// # Ok::<(), thrifty_fixed_alloc::ConfigError>(())
    /// ```
    pub fn try_new() -> Result<Self, ConfigError> {
        Self::builder().build()
    }

    /// A builder for a slab with limits.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_fixed_alloc::Slab;
    ///
    /// let few = Slab::builder().max_blocks(1).build()?;
    /// let one = few.insert('a');
    /// assert_eq!(few.try_insert('b').unwrap_err().into_value(), 'b');
    /// # drop(one);
    /// # Ok::<(), thrifty_fixed_alloc::ConfigError>(())
    /// ```
    pub fn builder() -> SlabBuilder<T> {
        SlabBuilder::new()
    }

    /// A slab over blocks that were made for `T`.
    pub(super) const fn over(blocks: FixedHandle) -> Self {
        Self {
            blocks,
            gives: PhantomData,
        }
    }

    /// Puts a value into a block.
    ///
    /// # Panics
    ///
    /// Where [`try_insert`](Self::try_insert) returns an error; the value is dropped.
    ///
    /// # Examples
    ///
    /// ```
    /// # use thrifty_fixed_alloc::Slab;
    /// let mut name = Slab::new().insert(String::from("a"));
    /// name.push('b');
    /// assert_eq!(*name, "ab");
    /// ```
    #[inline]
    #[track_caller]
    pub fn insert(&self, value: T) -> SlabBox<T> {
        SlabBox::write(self.uninit(), value)
    }

    /// Puts a value into a block.
    ///
    /// # Errors
    ///
    /// Gives the value back where `max_blocks` are in use or `max_bytes` would be exceeded, and no block
    /// is idle where this thread can reach it; or there is no memory for another slab. Nothing has
    /// changed then.
    ///
    /// # Panics
    ///
    /// In a hardened slab, when a block was written to after its value was dropped.
    ///
    /// # Examples
    ///
    /// ```
    /// # use thrifty_fixed_alloc::Slab;
    /// let names = Slab::new();
    /// let name = names.try_insert(String::from("a"))?;
    /// assert_eq!(*name, "a");
    /// # Ok::<(), thrifty_fixed_alloc::Rejected<String>>(())
    /// ```
    #[inline]
    pub fn try_insert(&self, value: T) -> Result<SlabBox<T>, Rejected<T>> {
        match self.try_uninit() {
            Ok(place) => Ok(SlabBox::write(place, value)),
            Err(error) => Err(Rejected::new(value, error)),
        }
    }

    /// Puts what a closure makes into a block; in an optimised program a large value is made there
    /// and not moved.
    ///
    /// The closure may use the slab. If it panics, the block goes back.
    ///
    /// # Panics
    ///
    /// Where there is no block; the closure is not called then.
    ///
    /// # Examples
    ///
    /// ```
    /// # use thrifty_fixed_alloc::Slab;
    /// let page = Slab::new().insert_with(|| [0_u8; 16 << 10]);
    /// assert_eq!(page.len(), 16 << 10);
    /// ```
    #[inline]
    #[track_caller]
    pub fn insert_with(&self, make: impl FnOnce() -> T) -> SlabBox<T> {
        let mut place = self.uninit();
        place.write(make());
        // SAFETY: written above.
        unsafe { place.assume_init() }
    }

    /// Puts what a closure makes into a block, if it makes something.
    ///
    /// # Errors
    ///
    /// There is no block, as in [`try_insert`](Self::try_insert), and the closure was not called, but
    /// dropped with what it captured; or it returned an error. The slab is as before in both cases. Where
    /// the closure has something that must not be lost, take a block first, by
    /// [`try_uninit`](Self::try_uninit).
    ///
    /// # Panics
    ///
    /// As [`try_insert`](Self::try_insert).
    ///
    /// # Examples
    ///
    /// ```
    /// # use thrifty_fixed_alloc::{InsertError, Slab};
    /// let numbers: Slab<u64> = Slab::new();
    /// let number = numbers.try_insert_with(|| "12".parse())?;
    /// assert_eq!(*number, 12);
    /// # Ok::<(), InsertError<std::num::ParseIntError>>(())
    /// ```
    #[inline]
    pub fn try_insert_with<E>(
        &self,
        make: impl FnOnce() -> Result<T, E>,
    ) -> Result<SlabBox<T>, InsertError<E>> {
        let mut place = self.try_uninit().map_err(InsertError::NoRoom)?;
        place.write(make().map_err(InsertError::Failed)?);
        // SAFETY: written above.
        Ok(unsafe { place.assume_init() })
    }

    /// A block without a value, for [`SlabBox::write`].
    ///
    /// # Panics
    ///
    /// Where [`try_uninit`](Self::try_uninit) returns an error.
    ///
    /// # Examples
    ///
    /// ```
    /// # use thrifty_fixed_alloc::{Slab, SlabBox};
    /// let names: Slab<String> = Slab::new();
    /// let place = names.uninit();
    /// let name = SlabBox::write(place, String::from("later"));
    /// # assert_eq!(*name, "later");
    /// ```
    #[inline]
    #[track_caller]
    pub fn uninit(&self) -> SlabBox<MaybeUninit<T>> {
        match self.try_uninit() {
            Ok(place) => place,
            Err(error) => no_room_cold(error),
        }
    }

    /// A block without a value, for [`SlabBox::write`]: who has it can count on it.
    ///
    /// # Errors
    ///
    /// As [`try_insert`](Self::try_insert).
    ///
    /// # Panics
    ///
    /// As [`try_insert`](Self::try_insert).
    ///
    /// # Examples
    ///
    /// ```
    /// # use thrifty_fixed_alloc::{Slab, SlabBox};
    /// let names: Slab<String> = Slab::new();
    /// let two = [names.try_uninit()?, names.try_uninit()?];
    /// let [a, b] = two.map(|place| SlabBox::write(place, String::from("n")));
    /// assert_eq!(a, b);
    /// # Ok::<(), thrifty_fixed_alloc::AllocError>(())
    /// ```
    #[inline]
    pub fn try_uninit(&self) -> Result<SlabBox<MaybeUninit<T>>, AllocError> {
        let block = self.blocks.try_alloc()?;
        // SAFETY: a block of an engine that `SlabBuilder` made for the layout of `T`, which is that of
        // a `MaybeUninit<T>`, with its lease; any bytes are one.
        Ok(unsafe { SlabBox::from_raw(block.cast()) })
    }

    /// What the slab has done and holds.
    ///
    /// # Examples
    ///
    /// ```
    /// # use thrifty_fixed_alloc::Slab;
    /// let numbers = Slab::new();
    /// let number = numbers.insert(1_u64);
    /// assert_eq!((numbers.stats().in_use, numbers.stats().in_use_bytes), (1, 8));
    /// # drop(number);
    /// ```
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.blocks.stats()
    }

    /// The name that the builder was given; empty without one.
    ///
    /// # Examples
    ///
    /// ```
    /// # use thrifty_fixed_alloc::Slab;
    /// let named = Slab::<u64>::builder().name("numbers").build()?;
    /// assert_eq!(named.name(), "numbers");
    /// # Ok::<(), thrifty_fixed_alloc::ConfigError>(())
    /// ```
    #[must_use]
    pub fn name(&self) -> &str {
        self.blocks.name()
    }

    /// A handle that does not keep the slab: what a registry or a limit controller holds.
    ///
    /// # Examples
    ///
    /// ```
    /// # use thrifty_fixed_alloc::Slab;
    /// let numbers = Slab::<u64>::new();
    /// let weak = numbers.downgrade();
    /// assert!(weak.upgrade().is_some());
    /// drop(numbers);
    /// assert!(weak.upgrade().is_none());
    /// ```
    #[must_use]
    pub fn downgrade(&self) -> WeakSlab<T> {
        WeakSlab::over(self.blocks.downgrade())
    }
}

#[cold]
#[track_caller]
fn no_room_cold(error: AllocError) -> ! {
    panic!("{error}")
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Clone for Slab<T> {
    fn clone(&self) -> Self {
        Self::over(self.blocks.clone())
    }
}

impl<T> fmt::Debug for Slab<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slab")
            .field("name", &self.name())
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}

// There is no value in a slab that a panic could leave half changed.
impl<T> UnwindSafe for Slab<T> {}
impl<T> RefUnwindSafe for Slab<T> {}

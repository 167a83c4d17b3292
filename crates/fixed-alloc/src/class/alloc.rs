//! The allocator: a [`FixedAlloc`] for each size class, made when it is first needed.

use core::alloc::Layout;
use core::fmt;
use core::panic::{RefUnwindSafe, UnwindSafe};
use core::ptr::NonNull;

use allocator_api2::alloc::Global;
use thrifty_sync::sync::OnceLock;
use thrifty_traits::{AllocError, AllocErrorKind, Pressure};

use super::builder::ClassBuilder;
use super::handle::ClassHandle;
use super::sizes::{CLASSES, Class, Home, home};
use super::stats::ClassStats;
use crate::builder::Builder;
use crate::error::ConfigError;
use crate::fixed::FixedAlloc;
use crate::stats::Stats;

/// An allocator for collections: blocks of 20 size classes, and another allocator for what is larger.
///
/// What takes 1 to 1024 bytes, aligned to 64 at most, gets a block of the smallest class that will
/// do: 16 to 128 bytes in steps of 16, then four classes up to each power of two. Less than 16 bytes
/// or a fifth of a block are lost. Everything else goes to `A`, the global allocator by default.
///
/// A `&ClassAlloc` and a [`ClassHandle`] are allocators of `allocator-api2` 0.2 for `Box`, `Vec` and
/// hash tables. They report the whole block, grow and shrink within it without moving, and copy
/// across classes.
///
/// # Memory
///
/// Nothing at first. Each class that is used is a [`FixedAlloc`], with slabs of 64 KiB: one block of
/// each class keeps 1.3 MiB. The limit of a builder is one for all classes together; what is taken
/// from `A` is not counted.
///
/// # Concurrency
///
/// As [`FixedAlloc`]; finding the class is an atomic load besides. `Send` and `Sync` if `A` is.
///
/// # Examples
///
/// ```
/// use allocator_api2::vec::Vec;
/// use thrifty_fixed_alloc::ClassAlloc;
///
/// static CLASSES: ClassAlloc = ClassAlloc::new();
///
/// let mut numbers = Vec::new_in(&CLASSES);
/// numbers.extend(0..100_u32);
/// assert_eq!(CLASSES.stats().in_use_bytes, 448);
///
/// let hasher = std::hash::RandomState::new();
/// let mut names = hashbrown::HashMap::with_hasher_in(hasher, &CLASSES);
/// names.insert(1, "one");
/// assert_eq!(names[&1], "one");
/// ```
pub struct ClassAlloc<A = Global> {
    classes: [OnceLock<FixedAlloc>; CLASSES],
    /// The limits of each class, but for its layout; none where they are the default ones.
    limits: Option<Builder>,
    pub(super) fallback: A,
}

impl ClassAlloc {
    /// Size classes with the default limits, above the global allocator.
    ///
    /// # Examples
    ///
    /// ```
    /// use allocator_api2::boxed::Box;
    /// use thrifty_fixed_alloc::ClassAlloc;
    ///
    /// static CLASSES: ClassAlloc = ClassAlloc::new();
    /// assert_eq!(*Box::new_in(7, &CLASSES), 7);
    /// ```
    #[must_use]
    pub const fn new() -> Self {
        Self::new_in(Global)
    }

    /// A builder for size classes with limits of their own.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_fixed_alloc::ClassAlloc;
    ///
    /// let classes = ClassAlloc::builder().max_bytes(16 << 20).build()?;
    /// assert_eq!(classes.stats().reserved_bytes, 0);
    /// # Ok::<(), thrifty_fixed_alloc::ConfigError>(())
    /// ```
    pub fn builder() -> ClassBuilder {
        ClassBuilder::new(Global)
    }
}

impl<A> ClassAlloc<A> {
    /// Size classes with the default limits, above another allocator.
    ///
    /// # Examples
    ///
    /// ```
    /// use allocator_api2::boxed::Box;
    /// use thrifty_fixed_alloc::{ClassAlloc, FixedAlloc};
    /// use std::alloc::Layout;
    ///
    /// let pages = FixedAlloc::new(Layout::new::<[u8; 4096]>())?;
    /// let classes = ClassAlloc::new_in(&pages);
    /// let page = Box::new_in([0_u8; 4096], &classes);
    /// assert_eq!((pages.stats().in_use, classes.stats().in_use), (1, 0));
    /// # drop(page);
    /// # Ok::<(), thrifty_fixed_alloc::ConfigError>(())
    /// ```
    #[must_use]
    pub const fn new_in(fallback: A) -> Self {
        Self::with_limits(None, fallback)
    }

    pub(super) const fn with_limits(limits: Option<Builder>, fallback: A) -> Self {
        Self {
            classes: [const { OnceLock::new() }; CLASSES],
            limits,
            fallback,
        }
    }

    /// The allocator that large and strictly aligned layouts go to.
    ///
    /// # Examples
    ///
    /// ```
    /// # use thrifty_fixed_alloc::ClassAlloc;
    /// let allocator_api2::alloc::Global = ClassAlloc::new().fallback();
    /// ```
    pub const fn fallback(&self) -> &A {
        &self.fallback
    }

    /// How many bytes an allocation of this layout really gets, if it is from a size class.
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::alloc::Layout;
    /// # use thrifty_fixed_alloc::ClassAlloc;
    /// let classes = ClassAlloc::new();
    /// assert_eq!(classes.class_bytes(Layout::new::<[u8; 100]>()), Some(112));
    /// assert_eq!(classes.class_bytes(Layout::new::<[u8; 1025]>()), None);
    /// ```
    pub const fn class_bytes(&self, layout: Layout) -> Option<usize> {
        match home(layout) {
            Home::Class(class) => Some(class.size()),
            Home::Nothing | Home::Fallback => None,
        }
    }

    /// What all classes together have done and hold.
    ///
    /// # Examples
    ///
    /// ```
    /// # use allocator_api2::boxed::Box;
    /// # use thrifty_fixed_alloc::ClassAlloc;
    /// let classes = ClassAlloc::new();
    /// let _boxed = Box::new_in([0_u8; 100], &classes);
    /// let stats = classes.stats();
    /// assert_eq!((stats.classes, stats.in_use, stats.in_use_bytes), (1, 1, 112));
    /// ```
    pub fn stats(&self) -> ClassStats {
        self.class_stats().collect()
    }

    /// The figures of each class that was ever used, the smallest first.
    ///
    /// # Examples
    ///
    /// ```
    /// # use allocator_api2::boxed::Box;
    /// # use thrifty_fixed_alloc::ClassAlloc;
    /// let classes = ClassAlloc::new();
    /// let _boxes = (Box::new_in(1_u8, &classes), Box::new_in([1_u8; 999], &classes));
    /// let bytes: Vec<usize> = classes.class_stats().map(|stats| stats.block_bytes).collect();
    /// assert_eq!(bytes, [16, 1024]);
    /// ```
    pub fn class_stats(&self) -> impl Iterator<Item = Stats> {
        self.used().map(FixedAlloc::stats)
    }

    /// Makes this a handle that can be cloned and kept.
    ///
    /// # Errors
    ///
    /// Gives the allocator back if there is no memory for the handles' own block.
    ///
    /// # Examples
    ///
    /// [`ClassHandle`] has one.
    #[expect(clippy::result_large_err, reason = "this happens once")]
    pub fn into_handle(self) -> Result<ClassHandle<A>, thrifty_traits::Rejected<Self>> {
        ClassHandle::try_new(self)
    }

    /// The classes that were made so far.
    pub(super) fn used(&self) -> impl Iterator<Item = &FixedAlloc> {
        self.classes.iter().filter_map(OnceLock::get)
    }

    /// A block of a class.
    #[inline]
    pub(super) fn take(&self, class: Class) -> Result<NonNull<[u8]>, AllocError> {
        let blocks = self.classes[class.index()].get();
        match blocks.and_then(FixedAlloc::take_hit) {
            Some(block) => Ok(NonNull::slice_from_raw_parts(block, class.size())),
            None => self.take_cold(class),
        }
    }

    /// Gives a block back.
    ///
    /// # Safety
    ///
    /// `block` is from [`take`](Self::take) of this class, and the caller hands it over.
    #[inline]
    pub(super) unsafe fn give(&self, class: Class, block: NonNull<u8>) {
        if let Some(blocks) = self.classes[class.index()].get() {
            // SAFETY: a block of this allocator, which made it; the rest is the caller's promise.
            unsafe { blocks.free(block) };
        }
    }

    /// A block for what is in a larger one now and will leave it: a limit is no reason to refuse that.
    pub(super) fn take_smaller(&self, class: Class) -> Result<NonNull<[u8]>, AllocError> {
        let result = self.take(class);
        match (&result, self.classes[class.index()].get()) {
            (Err(error), Some(blocks)) if error.kind == AllocErrorKind::Limit => {
                blocks.take_beyond()
            }
            _ => result,
        }
    }

    #[cold]
    #[inline(never)]
    fn take_cold(&self, class: Class) -> Result<NonNull<[u8]>, AllocError> {
        let blocks = match self.classes[class.index()].get() {
            Some(blocks) => blocks,
            None => self.make(class)?,
        };
        let result = blocks.try_alloc();
        match result {
            Err(error) if error.kind == AllocErrorKind::Limit => self.squeeze(blocks),
            _ => result,
        }
    }

    /// Makes a class.
    fn make(&self, class: Class) -> Result<&FixedAlloc, AllocError> {
        let layout = class.block();
        let builder = match &self.limits {
            Some(limits) => limits.clone().for_block(layout),
            None => Builder::new(layout),
        };
        let made = builder.build().map_err(|error| match error {
            ConfigError::Alloc(error) => error,
            // `ClassBuilder::build` has tried the limits; this is no place for a panic.
            _ => AllocError::for_layout(AllocErrorKind::Backend, layout),
        })?;
        // Another thread may have been faster. Then this one goes, which nobody has a block of.
        Ok(self.classes[class.index()].get_or_init(|| made))
    }

    /// At the common limit, what other classes hold and do not use goes to this one: what depots and
    /// empty slabs have, and only if that does not help what this thread and the stripes have too. A
    /// program that lives at its limit keeps its caches that way, and pays little where nothing is idle.
    fn squeeze(&self, blocks: &FixedAlloc) -> Result<NonNull<[u8]>, AllocError> {
        for pressure in [Pressure::Medium, Pressure::High] {
            for other in self.used() {
                let stats = other.stats();
                if stats.idle > 0 || stats.empty_slabs > 0 {
                    other.trim(pressure);
                }
            }
            if let Ok(block) = blocks.try_alloc() {
                return Ok(block);
            }
        }
        blocks.try_alloc()
    }
}

impl<A: Default> Default for ClassAlloc<A> {
    fn default() -> Self {
        Self::new_in(A::default())
    }
}

impl<A> fmt::Debug for ClassAlloc<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClassAlloc")
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}

// As for `FixedAlloc`: no user code runs inside the classes.
impl<A: UnwindSafe> UnwindSafe for ClassAlloc<A> {}
impl<A: RefUnwindSafe> RefUnwindSafe for ClassAlloc<A> {}

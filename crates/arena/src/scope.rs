//! Scopes: what is allocated inside is given back at their end.
//!
//! # Why nothing escapes
//!
//! A scope is only ever a closure's argument. Its lifetime `'s` is chosen by [`Arena::scope`] anew for each
//! call and is invariant, so that no two scopes have the same type: they can be neither swapped nor put for
//! one another. The memory is given back by the frame of `Arena::scope`, also in a panic, and not by a
//! value that the user could forget. And the scope (or arena) around is borrowed exclusively meanwhile: so
//! nothing outside can allocate in it, or grow, or be given back, between mark and end.

use core::{fmt, marker::PhantomData, mem::ManuallyDrop, ops::Deref};

use crate::{
    Arena,
    store::{Mark, Store},
};

/// An arena within an arena: what is allocated in it lives until the scope's closure returns.
///
/// It offers what [`Arena`] does. The methods that it has itself return what lives as long as the scope,
/// so that it can be used in scopes further inside. All others come from the arena by deref: what they
/// return, vectors and strings that may grow, borrows this `Scope`, and has to end before a scope further
/// inside begins.
///
/// # Examples
///
/// ```
/// use thrifty_arena::Arena;
///
/// let mut arena = Arena::new();
/// let total = arena.scope(|mut scope| {
///     let mut sum = 0;
///     let rows = scope.alloc([1, 2, 3]);
///     for row in rows {
///         sum += scope.scope(|inner| inner.alloc_slice_fill(1000, *row).iter().sum::<i32>());
///     }
///     sum
/// });
/// assert_eq!(total, 6000);
/// assert_eq!(arena.stats().used_bytes, 0);
/// ```
pub struct Scope<'s, const MIN_ALIGN: usize = 8> {
    arena: &'s Arena<MIN_ALIGN>,
    /// Invariant: no scope is another one's subtype.
    brand: PhantomData<fn(&'s ()) -> &'s ()>,
}

impl<const MIN_ALIGN: usize> Arena<MIN_ALIGN> {
    /// Runs a closure, and gives back what it allocated in the scope that it is handed.
    ///
    /// Chunks that were needed stay with the arena for later. If the closure panics, the memory is given
    /// back as well.
    ///
    /// # Examples
    ///
    /// ```
    /// let mut arena = thrifty_arena::Arena::new();
    /// let length = arena.scope(|scope| scope.alloc_concat(&["for ", "a moment"]).len());
    /// assert_eq!((length, arena.stats().used_bytes), (12, 0));
    /// ```
    ///
    /// Nothing that was allocated inside can leave:
    ///
    /// ```compile_fail
    /// let mut arena = thrifty_arena::Arena::new();
    /// let gone = arena.scope(|scope| scope.alloc(1));
    /// ```
    #[inline]
    pub fn scope<R>(&mut self, run: impl for<'s> FnOnce(Scope<'s, MIN_ALIGN>) -> R) -> R {
        within(self, 1, run)
    }
}

/// Runs a closure in a scope that is so many scopes deep.
///
/// # Safety of what is inside
///
/// Callers hold the arena, or the scope around, exclusively.
#[inline]
fn within<R, const MIN_ALIGN: usize>(
    arena: &Arena<MIN_ALIGN>,
    depth: usize,
    run: impl for<'s> FnOnce(Scope<'s, MIN_ALIGN>) -> R,
) -> R {
    let rewind = Rewind {
        store: &arena.store,
        mark: arena.store.enter(depth),
    };
    let result = run(Scope {
        arena,
        brand: PhantomData,
    });
    rewind.end();
    result
}

/// Gives back what came since the mark: by [`end`](Self::end), and when the closure panics, by being dropped.
///
/// # Why both are safe
///
/// - The mark is of this store; scopes inside this one have ended, since they are closures, and a reset
///   needs the arena exclusively.
/// - What came since has the lifetime of a scope that ends here, or borrows it. What is from before was
///   not given back: whatever could is a borrow of the arena or of the scope around, which is borrowed
///   exclusively.
struct Rewind<'a> {
    store: &'a Store,
    mark: Mark,
}

impl Rewind<'_> {
    /// Without a panic nobody takes the address of the mark, so that it stays in registers.
    #[inline]
    fn end(self) {
        let this = ManuallyDrop::new(self);
        // SAFETY: see `Rewind`; it is not dropped.
        unsafe { this.store.leave(this.mark) };
    }
}

impl Drop for Rewind<'_> {
    #[inline]
    fn drop(&mut self) {
        let Mark { lo, hi, depth } = self.mark;
        // SAFETY: see `Rewind`.
        unsafe { self.store.leave_slow(lo, hi, depth) };
    }
}

impl<const MIN_ALIGN: usize> Scope<'_, MIN_ALIGN> {
    /// A scope within this one.
    ///
    /// # Examples
    ///
    /// ```
    /// let mut arena = thrifty_arena::Arena::new();
    /// arena.scope(|mut outer| {
    ///     let kept = outer.alloc(1);
    ///     *kept += outer.scope(|inner| *inner.alloc(2));
    ///     assert_eq!(*kept, 3);
    /// });
    /// ```
    #[inline]
    pub fn scope<R>(&mut self, run: impl for<'t> FnOnce(Scope<'t, MIN_ALIGN>) -> R) -> R {
        within(self.arena, self.arena.store.depth() + 1, run)
    }
}

/// What lives no longer than a borrow of the scope: vectors, strings, bursts.
impl<const MIN_ALIGN: usize> Deref for Scope<'_, MIN_ALIGN> {
    type Target = Arena<MIN_ALIGN>;

    #[inline]
    fn deref(&self) -> &Arena<MIN_ALIGN> {
        self.arena
    }
}

impl<const MIN_ALIGN: usize> fmt::Debug for Scope<'_, MIN_ALIGN> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Scope").field(&self.arena).finish()
    }
}

/// The arena's methods whose results are plain references.
macro_rules! as_the_arena {
    ($(fn $name:ident$(<$($generic:ident$(: $bound:path)?),+>)?($($argument:ident: $type:ty),*) -> $result:ty;)+) => {
        /// As the arena's methods of the same names, for as long as the scope.
        impl<'s, const MIN_ALIGN: usize> Scope<'s, MIN_ALIGN> {
            $(
                #[doc = concat!("As [`Arena::", stringify!($name), "`].")]
                ///
                /// # Errors
                ///
                /// As there.
                ///
                /// # Panics
                ///
                /// As there.
                #[inline]
                #[track_caller]
                pub fn $name$(<$($generic$(: $bound)?),+>)?(&self $(, $argument: $type)*) -> $result {
                    self.arena.$name($($argument),*)
                }
            )+
        }
    };
}

use core::{alloc::Layout, ffi::CStr, fmt::Arguments, mem::MaybeUninit, ptr::NonNull};

use thrifty_traits::{AllocError, Rejected};

use crate::{ArenaBox, FormatError, GivenBack};

as_the_arena! {
    fn alloc<T>(value: T) -> &'s mut T;
    fn try_alloc<T>(value: T) -> Result<&'s mut T, Rejected<T>>;
    fn alloc_with<T>(make: impl FnOnce() -> T) -> &'s mut T;
    fn try_alloc_with<T, F: FnOnce() -> T>(make: F) -> Result<&'s mut T, Rejected<F>>;
    fn alloc_try_with<T, E>(make: impl FnOnce() -> Result<T, E>) -> Result<&'s mut T, E>;
    fn try_alloc_try_with<T, E, F: FnOnce() -> Result<T, E>>(make: F) -> Result<Result<&'s mut T, E>, Rejected<F>>;
    fn alloc_default<T: Default>() -> &'s mut T;
    fn alloc_uninit<T>() -> &'s mut MaybeUninit<T>;
    fn try_alloc_uninit<T>() -> Result<&'s mut MaybeUninit<T>, AllocError>;
    fn alloc_uninit_slice<T>(len: usize) -> &'s mut [MaybeUninit<T>];
    fn try_alloc_uninit_slice<T>(len: usize) -> Result<&'s mut [MaybeUninit<T>], AllocError>;
    fn alloc_layout(layout: Layout) -> NonNull<u8>;
    fn try_alloc_layout(layout: Layout) -> Result<NonNull<u8>, AllocError>;
    fn alloc_slice_copy<T: Copy>(values: &[T]) -> &'s mut [T];
    fn try_alloc_slice_copy<T: Copy>(values: &[T]) -> Result<&'s mut [T], AllocError>;
    fn alloc_slice_clone<T: Clone>(values: &[T]) -> &'s mut [T];
    fn try_alloc_slice_clone<T: Clone>(values: &[T]) -> Result<&'s mut [T], AllocError>;
    fn alloc_slice_fill<T: Clone>(len: usize, value: T) -> &'s mut [T];
    fn try_alloc_slice_fill<T: Clone>(len: usize, value: T) -> Result<&'s mut [T], Rejected<T>>;
    fn alloc_slice_fill_with<T>(len: usize, make: impl FnMut(usize) -> T) -> &'s mut [T];
    fn try_alloc_slice_fill_with<T, F: FnMut(usize) -> T>(len: usize, make: F) -> Result<&'s mut [T], Rejected<F>>;
    fn alloc_iter<T>(items: impl IntoIterator<Item = T>) -> &'s mut [T];
    fn try_alloc_iter<T, I: IntoIterator<Item = T>>(items: I) -> Result<&'s mut [T], Rejected<GivenBack<'s, T, I::IntoIter, MIN_ALIGN>>>;
    fn alloc_iter_exact<T>(items: impl IntoIterator<Item = T, IntoIter: ExactSizeIterator>) -> &'s mut [T];
    fn try_alloc_iter_exact<T, I: ExactSizeIterator<Item = T>>(items: I) -> Result<&'s mut [T], Rejected<I>>;
    fn alloc_slice_move<T>(values: Vec<T>) -> &'s mut [T];
    fn try_alloc_slice_move<T>(values: Vec<T>) -> Result<&'s mut [T], Rejected<Vec<T>>>;
    fn alloc_slice_concat<T: Copy>(parts: &[&[T]]) -> &'s mut [T];
    fn try_alloc_slice_concat<T: Copy>(parts: &[&[T]]) -> Result<&'s mut [T], AllocError>;
    fn alloc_str(text: &str) -> &'s mut str;
    fn try_alloc_str(text: &str) -> Result<&'s mut str, AllocError>;
    fn alloc_cstr(text: &CStr) -> &'s CStr;
    fn try_alloc_cstr(text: &CStr) -> Result<&'s CStr, AllocError>;
    fn alloc_concat(parts: &[&str]) -> &'s mut str;
    fn try_alloc_concat(parts: &[&str]) -> Result<&'s mut str, AllocError>;
    fn alloc_join(parts: &[&str], separator: &str) -> &'s mut str;
    fn try_alloc_join(parts: &[&str], separator: &str) -> Result<&'s mut str, AllocError>;
    fn alloc_fmt(text: Arguments<'_>) -> &'s mut str;
    fn try_alloc_fmt(text: Arguments<'_>) -> Result<&'s mut str, FormatError>;
}

impl<'s, const MIN_ALIGN: usize> Scope<'s, MIN_ALIGN> {
    /// As [`Arena::alloc_box`], for as long as the scope.
    ///
    /// # Panics
    ///
    /// As there.
    #[inline]
    #[track_caller]
    pub fn alloc_box<T: 's>(&self, value: T) -> ArenaBox<'s, T> {
        self.arena.alloc_box(value)
    }

    /// As [`Arena::try_alloc_box`], for as long as the scope.
    ///
    /// # Errors
    ///
    /// As there.
    #[inline]
    pub fn try_alloc_box<T: 's>(&self, value: T) -> Result<ArenaBox<'s, T>, Rejected<T>> {
        self.arena.try_alloc_box(value)
    }
}

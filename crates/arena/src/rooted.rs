//! An arena and what borrows from it, in one value.
//!
//! ```text
//!  Rooted, moves freely              heap, stays
//! ┌──────────────┬───────┐          ┌─────────┐
//! │ root: Of<'a> │ owner ├─────────►│ arena A │◄─── &'a A, for as long as the `Rooted`
//! └──────┬───────┴───────┘          └────┬────┘
//!        └── &'a ... ────────────────────┴──► chunks
//! ```
//!
//! # Why nothing escapes, and nothing short-lived gets in
//!
//! The true `'a` is as long as the `Rooted` lives, and has no name. Closures get the root with an `'a` that
//! is chosen for each call (`for<'a>`): so they can return nothing that has it, store nothing of it outside,
//! and put nothing into the root but what they got with the same `'a`, or what lives for ever. The reference to the
//! root has a lifetime of its own, `'b`: a root that could hold a reference to itself would be broken by a
//! move. Types cannot be laid out, and destructors cannot be chosen, by lifetime; so `Of<'static>` stands in for
//! `Of<'a>` as a place, and nobody is shown it as that.
//!
//! The place is a `MaybeUninit`, since a root may hold a `&mut` or a box into the arena: a field of such
//! a type would claim, wherever the `Rooted` is moved, what ends when it is dropped.

mod family;

pub use self::family::{Family, RootError, Unrooted};

use alloc::{
    alloc::{Layout, alloc, dealloc},
    boxed::Box,
};
use core::{
    fmt,
    marker::PhantomData,
    mem::{ManuallyDrop, MaybeUninit},
    ptr::{self, NonNull},
};

use thrifty_traits::{AllocError, AllocErrorKind};

use crate::{Arena, arena::fail};

/// An arena and a root that borrows from it, in one value that can be moved, stored and returned.
///
/// What the root is, a [`Family`] says: a type for each lifetime. `A` is the arena, whatever it is: an
/// [`Arena`], a [`PooledArena`](crate::PooledArena), which goes back to its pool with the `Rooted`, a
/// [`DropArena`](crate::DropArena), a [`SharedArena`](crate::SharedArena).
///
/// # Memory
///
/// One block for the arena itself, so that it stays where it is while the `Rooted` moves; it does not
/// count to a limit. The root is dropped first, then the arena, also when the root's drop panics.
///
/// # Concurrency
///
/// `Send` if the arena and the root are, the root for every lifetime. `Sync` if the root is: a shared `Rooted`
/// shows its root only, so that a parsed document in an `Arc` serves many threads. What touches the arena
/// needs it exclusively.
///
/// # Examples
///
/// ```
/// use thrifty_arena::{Arena, Rooted, family};
///
/// family! {
///     /// The words of a text.
///     Words<'a> = &'a [&'a str];
/// }
///
/// fn words(text: &str) -> Rooted<Words> {
///     Rooted::<Words>::new(Arena::new(), |arena| {
///         let text = &*arena.alloc_str(text);
///         arena.alloc_iter(text.split(' '))
///     })
/// }
///
/// let kept = words(&String::from("to be or not")); // the text is gone, the words are not
/// let there = std::thread::spawn(move || kept.with(|words| words.len()));
/// assert_eq!(there.join().unwrap(), 4);
/// ```
///
/// Nothing leaves by the closure:
///
/// ```compile_fail
/// # use thrifty_arena::{Arena, Rooted};
/// let root = Rooted::<&'static str>::new(Arena::new(), |arena| arena.alloc_str("text"));
/// let gone = root.with(|text| *text);
/// ```
pub struct Rooted<F: Family, A = Arena> {
    /// # Invariants
    ///
    /// 1. It is an `Of<'a>`, initialised and owned, for an `'a` in which the owner has its arena.
    root: MaybeUninit<F::Of<'static>>,
    owner: Owner<A>,
}

// SAFETY: root and arena go together, and each may go: the root whatever its lifetime is, since an impl
// for `'static` alone would not speak of it. Nobody else has a reference to either: those have an `'a` that
// does not leave closures.
unsafe impl<F: Family, A: Send> Send for Rooted<F, A> where for<'a> F::Of<'a>: Send {}

// SAFETY: what is shared gives `&Of<'a>` and nothing else, for which the bound is; the arena is only used
// through what the root holds of it, which that bound allows, or by who has the `Rooted` exclusively.
unsafe impl<F: Family, A> Sync for Rooted<F, A> where for<'a> F::Of<'a>: Sync {}

impl<F: Family, A> Rooted<F, A> {
    /// Takes an arena and makes a root in it.
    ///
    /// If the closure panics, the arena is dropped.
    ///
    /// # Panics
    ///
    /// If there is no memory for the block in which the arena lies.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_arena::{Arena, ArenaVec, Rooted};
    ///
    /// let mut list = Rooted::<ArenaVec<'static, u32>>::new(Arena::new(), |arena| ArenaVec::new_in(arena));
    /// list.with_mut(|_, list| list.extend([1, 2]));
    /// assert_eq!(list.with(|list| list.len()), 2);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn new(arena: A, build: impl for<'a> FnOnce(&'a A) -> F::Of<'a>) -> Self {
        let owner = Owner::new(arena).unwrap_or_else(|(_, error)| fail(error));
        // SAFETY: the owner goes into the `Rooted`, or ends with this function.
        let root = build(unsafe { owner.arena() });
        Self::assemble(root, owner)
    }

    /// As [`new`](Self::new), for a closure that may fail.
    ///
    /// # Errors
    ///
    /// The closure's, or that there is no memory for the block in which the arena lies: then the closure is
    /// not called. The arena comes back, with what the closure allocated.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_arena::{Arena, RootError, Rooted};
    ///
    /// let arena = Arena::builder().limit(100).build();
    /// let failed = Rooted::<&'static str>::try_new(arena, |arena| {
    ///     arena.try_alloc_str(&"long ".repeat(100)).map(|text| &*text)
    /// });
    /// let failed = failed.unwrap_err();
    /// assert!(matches!(failed.error, RootError::Build(_)));
    /// assert_eq!(failed.arena.limit(), 100);
    /// ```
    pub fn try_new<E>(
        arena: A,
        build: impl for<'a> FnOnce(&'a A) -> Result<F::Of<'a>, E>,
    ) -> Result<Self, Unrooted<A, E>> {
        match Owner::new(arena) {
            Ok(owner) => Self::try_root(owner, build),
            Err((arena, error)) => Err(Unrooted {
                arena,
                error: RootError::Alloc(error),
            }),
        }
    }

    fn try_root<E>(
        owner: Owner<A>,
        build: impl for<'a> FnOnce(&'a A) -> Result<F::Of<'a>, E>,
    ) -> Result<Self, Unrooted<A, E>> {
        // SAFETY: the owner goes into the `Rooted`, or gives the arena up when there is no root.
        match build(unsafe { owner.arena() }) {
            Ok(root) => Ok(Self::assemble(root, owner)),
            Err(error) => Err(Unrooted {
                arena: owner.into_arena(),
                error: RootError::Build(error),
            }),
        }
    }

    fn assemble(root: F::Of<'_>, owner: Owner<A>) -> Self {
        let mut place = MaybeUninit::<F::Of<'static>>::uninit();
        // SAFETY: valid for writes: types that differ in lifetimes alone are laid out alike.
        unsafe { place.as_mut_ptr().cast::<F::Of<'_>>().write(root) };
        // INVARIANT: 1 — it borrows from the owner at most, or from what outlives `F`.
        Self { root: place, owner }
    }

    /// Calls a closure with the root.
    ///
    /// The closure takes a root of any lifetime `'a`, so that it can return nothing that is borrowed from the
    /// arena.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_arena::{Arena, Rooted};
    ///
    /// let text = Rooted::<&'static str>::new(Arena::new(), |arena| arena.alloc_str("text"));
    /// assert_eq!(text.with(|text| text.to_uppercase()), "TEXT");
    /// ```
    #[inline]
    pub fn with<R>(&self, run: impl for<'a, 'b> FnOnce(&'b F::Of<'a>) -> R) -> R {
        let root = self.root.as_ptr().cast::<F::Of<'_>>();
        // SAFETY: valid (invariant 1), and shared, as the `Rooted` is.
        run(unsafe { &*root })
    }

    /// Calls a closure with the arena and the root, to change the one by means of the other.
    ///
    /// What is put into the root comes from the arena, or lives for ever. What the root no longer refers to
    /// stays in the arena.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_arena::{Arena, Rooted};
    ///
    /// let mut text = Rooted::<&'static str>::new(Arena::new(), |_| "x");
    /// text.with_mut(|arena, text| *text = arena.alloc_concat(&[text, " = ", "1"]));
    /// assert_eq!(text.with(|text| text.len()), 5);
    /// ```
    #[inline]
    pub fn with_mut<R>(
        &mut self,
        run: impl for<'a, 'b> FnOnce(&'a A, &'b mut F::Of<'a>) -> R,
    ) -> R {
        let root = self.root.as_mut_ptr().cast::<F::Of<'_>>();
        // SAFETY: the owner stays as long as the root; what of the arena is put there, is.
        let arena = unsafe { self.owner.arena() };
        // SAFETY: valid (invariant 1), and exclusive, as the `Rooted` is.
        run(arena, unsafe { &mut *root })
    }

    /// Drops the root and returns the arena, in which all is as it was.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_arena::{Arena, Rooted};
    ///
    /// let text = Rooted::<&'static str>::new(Arena::new(), |arena| arena.alloc_str("text"));
    /// let mut arena = text.into_arena();
    /// assert_eq!(arena.stats().used_bytes, 4);
    /// arena.reset();
    /// ```
    pub fn into_arena(self) -> A {
        self.into_owner().into_arena()
    }

    /// Drops the root, prepares the arena, resetting it for instance, and makes another root in it.
    ///
    /// If a closure, or the root's drop, panics, the arena is dropped.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_arena::{Arena, Rooted};
    ///
    /// let mut text = Rooted::<&'static str>::new(Arena::new(), |arena| arena.alloc_str(""));
    /// for number in 0..10 {
    ///     text = text.rebuild(Arena::reset, |arena| arena.alloc_fmt(format_args!("{number}")));
    /// }
    /// assert!(text.into_arena().stats().used_bytes < 10);
    /// ```
    #[must_use]
    pub fn rebuild(
        self,
        prepare: impl FnOnce(&mut A),
        build: impl for<'a> FnOnce(&'a A) -> F::Of<'a>,
    ) -> Self {
        let owner = self.into_prepared_owner(prepare);
        // SAFETY: the owner goes into the `Rooted`, or ends with this function.
        let root = build(unsafe { owner.arena() });
        Self::assemble(root, owner)
    }

    /// As [`rebuild`](Self::rebuild), for a closure that may fail.
    ///
    /// # Errors
    ///
    /// The closure's; the arena comes back.
    pub fn try_rebuild<E>(
        self,
        prepare: impl FnOnce(&mut A),
        build: impl for<'a> FnOnce(&'a A) -> Result<F::Of<'a>, E>,
    ) -> Result<Self, Unrooted<A, E>> {
        Self::try_root(self.into_prepared_owner(prepare), build)
    }

    fn into_prepared_owner(self, prepare: impl FnOnce(&mut A)) -> Owner<A> {
        let mut owner = self.into_owner();
        prepare(owner.arena_mut());
        owner
    }

    /// Drops the root; if that panics, the arena is dropped.
    fn into_owner(self) -> Owner<A> {
        let mut rooted = ManuallyDrop::new(self);
        // SAFETY: valid and owned, and read once: the `Rooted` is not dropped any more.
        let owner = unsafe { ptr::read(&raw const rooted.owner) };
        // SAFETY: the root is not used again.
        unsafe { rooted.drop_root() };
        owner
    }

    /// # Safety
    ///
    /// The root is not used again.
    unsafe fn drop_root(&mut self) {
        let root = self.root.as_mut_ptr().cast::<F::Of<'_>>();
        // SAFETY: valid and owned (invariant 1), and not used again, says the caller.
        unsafe { ptr::drop_in_place(root) };
    }
}

/// The root first; the arena then, as a field, also when the root's drop panics.
impl<F: Family, A> Drop for Rooted<F, A> {
    fn drop(&mut self) {
        // SAFETY: it ends here.
        unsafe { self.drop_root() };
    }
}

impl<F: Family, A> fmt::Debug for Rooted<F, A>
where
    for<'a> F::Of<'a>: fmt::Debug,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.with(|root| f.debug_tuple("Rooted").field(root).finish())
    }
}

/// Owns an arena in a block of its own, behind a pointer that claims nothing when it moves.
struct Owner<A> {
    /// Valid, and owned.
    arena: NonNull<A>,
    owns: PhantomData<A>,
}

// SAFETY: it owns the arena, as a box does.
unsafe impl<A: Send> Send for Owner<A> {}

impl<A> Owner<A> {
    /// Moves an arena into a block, or gives it back.
    fn new(arena: A) -> Result<Self, (A, AllocError)> {
        let layout = Layout::new::<A>();
        let start = if layout.size() == 0 {
            NonNull::dangling().as_ptr()
        } else {
            // SAFETY: the layout is not of size zero.
            unsafe { alloc(layout) }.cast::<A>()
        };
        let Some(start) = NonNull::new(start) else {
            let error = AllocError::new(AllocErrorKind::Backend, layout.size(), layout.align());
            return Err((arena, error));
        };
        // SAFETY: valid for writes: just allocated with its layout, or it has no size.
        unsafe { start.write(arena) };
        Ok(Self {
            arena: start,
            owns: PhantomData,
        })
    }

    /// # Safety
    ///
    /// Until the owner is dropped, gives its arena up or lends it exclusively, and no longer, is the reference used.
    unsafe fn arena<'a>(&self) -> &'a A {
        // SAFETY: valid, and shared: as long as the caller says.
        unsafe { self.arena.as_ref() }
    }

    fn arena_mut(&mut self) -> &mut A {
        // SAFETY: valid, and exclusive: there is no root when this is called, and no other reference.
        unsafe { self.arena.as_mut() }
    }

    fn into_arena(self) -> A {
        let owner = ManuallyDrop::new(self);
        // SAFETY: valid and owned, and read once: the block is freed below.
        let arena = unsafe { owner.arena.read() };
        let layout = Layout::new::<A>();
        if layout.size() != 0 {
            // SAFETY: allocated with this layout in `new`, and not used again.
            unsafe { dealloc(owner.arena.as_ptr().cast(), layout) };
        }
        arena
    }
}

impl<A> Drop for Owner<A> {
    fn drop(&mut self) {
        // SAFETY: allocated by the global allocator with the layout of an `A`; owned, and not used again.
        drop(unsafe { Box::from_raw(self.arena.as_ptr()) });
    }
}

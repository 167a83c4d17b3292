//! An arena for values of one type, which it drops.

use core::{
    cell::{Cell, RefCell},
    fmt, mem,
};

use thrifty_traits::{AllocError, AllocErrorKind, MemoryUsage, Rejected, Usage};

use crate::arena::fail;

/// An arena for values of one type: drops them, in the order in which they came, and walks them.
///
/// Values may refer to one another, and in circles, unless they have a `Drop` of their own:
///
/// ```
/// use std::cell::Cell;
/// use thrifty_arena::TypedArena;
///
/// struct Node<'a>(Cell<Option<&'a Node<'a>>>);
///
/// let arena = TypedArena::new();
/// let first: &Node<'_> = arena.alloc(Node(Cell::new(None)));
/// let second: &Node<'_> = arena.alloc(Node(Cell::new(Some(first))));
/// first.0.set(Some(second));
/// assert!(second.0.get().is_some_and(|node| std::ptr::eq(node, first)));
/// ```
///
/// # Memory
///
/// Nothing until the first value. Blocks begin at 1 KiB, or four values, and double up to 1 MiB;
/// [`clear`](Self::clear) keeps the last one.
///
/// # Concurrency
///
/// `Send` where `T` is, not `Sync`.
///
/// # Examples
///
/// ```
/// use thrifty_arena::TypedArena;
///
/// let mut arena = TypedArena::new();
/// let (a, b) = (arena.alloc("a".to_owned()), arena.alloc("b".to_owned()));
/// a.push_str(b);
/// assert!(arena.iter_mut().map(|text| text.as_str()).eq(["ab", "b"]));
/// ```
pub struct TypedArena<T> {
    /// # Invariants
    ///
    /// 1. Buffers stay where they are: no block grows once there is a value in it.
    /// 2. `current` is borrowed for the length of a function of ours only, in which none of the user's code runs.
    ///
    /// There is no `Drop` here: vectors drop their values, in the order of the fields, and the compiler knows
    /// of a vector that it looks at no value itself. So values may refer to one another.
    full: RefCell<Vec<Vec<T>>>,
    current: Cell<Vec<T>>,
}

impl<T> TypedArena<T> {
    /// An arena that holds no memory yet.
    ///
    /// # Examples
    ///
    /// ```
    /// assert!(thrifty_arena::TypedArena::<u8>::new().is_empty());
    /// ```
    #[must_use]
    pub const fn new() -> Self {
        Self {
            full: RefCell::new(Vec::new()),
            current: Cell::new(Vec::new()),
        }
    }

    /// Moves a value into the arena.
    ///
    /// # Panics
    ///
    /// If there is no room.
    ///
    /// # Examples
    ///
    /// ```
    /// let arena = thrifty_arena::TypedArena::new();
    /// assert_eq!(*arena.alloc(1), 1);
    /// ```
    #[inline]
    #[track_caller]
    pub fn alloc(&self, value: T) -> &mut T {
        match self.try_alloc(value) {
            Ok(value) => value,
            Err(rejected) => fail(rejected.error),
        }
    }

    /// As [`alloc`](Self::alloc), and gives the value back where there is no room.
    ///
    /// # Errors
    ///
    /// If there is no room.
    #[inline]
    pub fn try_alloc(&self, value: T) -> Result<&mut T, Rejected<T>> {
        // SAFETY: valid, and exclusive by invariant 2; values that are lent out lie in the buffer, of which a
        // vector's own fields are no part.
        let mut current = unsafe { &mut *self.current.as_ptr() };
        if current.len() == current.capacity() {
            if let Err(error) = self.grow_slow() {
                return Err(Rejected::new(value, error));
            }
            // SAFETY: as above; the reference from before is not used again.
            current = unsafe { &mut *self.current.as_ptr() };
        }
        let used = current.len();
        // SAFETY: there is room for one more, so this is within the buffer.
        let slot = unsafe { current.as_mut_ptr().add(used) };
        // SAFETY: valid for writes and aligned; nobody else has it, since it was free.
        unsafe { slot.write(value) };
        // SAFETY: so many are initialised, and there is room for them.
        unsafe { current.set_len(used + 1) };
        // SAFETY: just written; it stays there (invariant 1) for as long as the arena is borrowed, and is
        // lent to this caller alone.
        Ok(unsafe { &mut *slot })
    }

    /// Begins another block.
    #[cold]
    #[inline(never)]
    fn grow_slow(&self) -> Result<(), AllocError> {
        const FIRST_BYTES: usize = 1 << 10;
        const MAX_BYTES: usize = 1 << 20;
        let size = size_of::<T>().max(1);
        let (first, most) = ((FIRST_BYTES / size).max(4), (MAX_BYTES / size).max(4));
        let doubled = self.room().saturating_mul(2);
        let capacity = doubled.clamp(first, most);
        let error = AllocError::new(
            AllocErrorKind::Backend,
            capacity.saturating_mul(size_of::<T>()),
            align_of::<T>(),
        );
        let mut block = Vec::new();
        block.try_reserve_exact(capacity).map_err(|_| error)?;
        let mut full = self.full.borrow_mut();
        if self.room() != 0 {
            full.try_reserve(1).map_err(|_| error)?;
        }
        // SAFETY: exclusive by invariant 2. INVARIANT: 1 — the block moves, its buffer does not.
        let before = mem::replace(unsafe { &mut *self.current.as_ptr() }, block);
        if before.capacity() != 0 {
            full.push(before);
        }
        Ok(())
    }

    /// For how many values the current block has room.
    fn room(&self) -> usize {
        // SAFETY: nobody writes to it meanwhile, by invariant 2.
        unsafe { &*self.current.as_ptr() }.capacity()
    }

    /// How many values the current block has.
    fn used(&self) -> usize {
        // SAFETY: nobody writes to it meanwhile, by invariant 2.
        unsafe { &*self.current.as_ptr() }.len()
    }

    /// How many values there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.full.borrow().iter().map(Vec::len).sum::<usize>() + self.used()
    }

    /// The bytes of the block that [`clear`](Self::clear) keeps.
    pub(crate) fn last_block_bytes(&self) -> usize {
        self.room().saturating_mul(size_of::<T>())
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The values, in the order in which they came.
    ///
    /// # Examples
    ///
    /// ```
    /// let mut arena = thrifty_arena::TypedArena::new();
    /// for number in 0..1000 {
    ///     arena.alloc(number);
    /// }
    /// arena.iter_mut().for_each(|number| *number *= 2);
    /// assert!(arena.iter_mut().map(|number| *number / 2).eq(0..1000));
    /// ```
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        let (full, current) = (self.full.get_mut(), self.current.get_mut());
        full.iter_mut().flatten().chain(current)
    }

    /// Drops all values, and keeps the last block.
    ///
    /// If a drop panics, the others are dropped all the same, and no block is kept.
    ///
    /// # Examples
    ///
    /// ```
    /// let mut arena = thrifty_arena::TypedArena::new();
    /// arena.alloc(vec![1]);
    /// arena.clear();
    /// assert!(arena.is_empty());
    /// ```
    pub fn clear(&mut self) {
        let mut last = mem::take(self.current.get_mut());
        self.full.get_mut().clear();
        last.clear();
        *self.current.get_mut() = last;
    }

    /// Moves the values out, in the order in which they came.
    ///
    /// # Examples
    ///
    /// ```
    /// let arena = thrifty_arena::TypedArena::new();
    /// arena.alloc('a');
    /// assert_eq!(arena.into_values().collect::<String>(), "a");
    /// ```
    pub fn into_values(self) -> impl Iterator<Item = T> {
        let (full, current) = (self.full.into_inner(), self.current.into_inner());
        full.into_iter().flatten().chain(current)
    }
}

impl<T> Default for TypedArena<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> MemoryUsage for TypedArena<T> {
    fn memory_usage(&self) -> Usage {
        let size = size_of::<T>();
        let used = self.len().saturating_mul(size);
        let full = self.full.borrow();
        let room = full
            .iter()
            .map(|block| block.capacity().saturating_mul(size))
            .sum::<usize>();
        let current = self.room().saturating_mul(size);
        Usage::new()
            .with_in_use_bytes(used)
            .with_idle_bytes((self.room() - self.used()).saturating_mul(size))
            .with_reserved_bytes(room + current + full.capacity() * size_of::<Vec<T>>())
    }
}

impl<T> fmt::Debug for TypedArena<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TypedArena")
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}

//! An arena for values of one type, which it drops.

use core::{
    cell::{Cell, RefCell},
    fmt, ptr,
};

use thrifty_traits::{AllocError, AllocErrorKind, MemoryUsage, Rejected, Usage};

use crate::arena::fail;

/// An arena for values of one type: drops them, in the order in which they came, and walks them.
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
    /// 1. `start` is the last block's buffer, with room for `room` values; or there is no block, and no
    ///    room.
    /// 2. The first `used` values there are initialised, and owned. The last block itself says less, and
    ///    learns it in `settle`, when the arena is exclusive; the blocks before say how many they have.
    /// 3. Buffers stay where they are: blocks are never grown.
    start: Cell<*mut T>,
    used: Cell<usize>,
    room: Cell<usize>,
    blocks: RefCell<Vec<Vec<T>>>,
}

// SAFETY: the values are owned by the arena alone, and go with it: `T: Send`. What was lent out is borrowed
// from it, and so is no more when it moves.
unsafe impl<T: Send> Send for TypedArena<T> {}

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
            start: Cell::new(ptr::dangling_mut()),
            used: Cell::new(0),
            room: Cell::new(0),
            blocks: RefCell::new(Vec::new()),
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
        if self.used.get() == self.room.get() {
            if let Err(error) = self.grow_slow() {
                return Err(Rejected::new(value, error));
            }
        }
        let used = self.used.get();
        // SAFETY: there is room for one more (invariant 1), so this is within the buffer.
        let slot = unsafe { self.start.get().add(used) };
        // SAFETY: valid for writes and aligned; nobody else has it, since it was free.
        unsafe { slot.write(value) };
        // INVARIANT: 2 — just written.
        self.used.set(used + 1);
        // SAFETY: just written; it stays there (invariant 3) for as long as the arena is borrowed, and is
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
        let doubled = self.room.get().saturating_mul(2);
        let capacity = doubled.clamp(first, most);
        let error = AllocError::new(
            AllocErrorKind::Backend,
            capacity.saturating_mul(size_of::<T>()),
            align_of::<T>(),
        );
        let mut block = Vec::new();
        block.try_reserve_exact(capacity).map_err(|_| error)?;
        let mut blocks = self.blocks.borrow_mut();
        blocks.try_reserve(1).map_err(|_| error)?;
        if let Some(last) = blocks.last_mut() {
            // SAFETY: so many are initialised (invariant 2).
            unsafe { last.set_len(self.used.get()) };
        }
        // INVARIANT: 1, 2 and 3 — a new block, of which nothing is used; it moves, its buffer does not.
        self.start.set(block.as_mut_ptr());
        self.used.set(0);
        self.room.set(block.capacity());
        blocks.push(block);
        Ok(())
    }

    /// Lets the last block know how many values it has.
    fn settle(&mut self) -> &mut Vec<Vec<T>> {
        let blocks = self.blocks.get_mut();
        if let Some(last) = blocks.last_mut() {
            // SAFETY: so many are initialised (invariant 2).
            unsafe { last.set_len(self.used.get()) };
        }
        blocks
    }

    /// Takes all blocks out, with their values, and leaves the arena empty.
    fn take(&mut self) -> Vec<Vec<T>> {
        let blocks = core::mem::take(self.settle());
        // INVARIANT: 1 and 2 — no block.
        self.room.set(0);
        self.used.set(0);
        blocks
    }

    /// How many values there are.
    #[must_use]
    pub fn len(&self) -> usize {
        let blocks = self.blocks.borrow();
        let before = blocks.split_last().map_or(&[][..], |(_, before)| before);
        before.iter().map(Vec::len).sum::<usize>() + self.used.get()
    }

    /// The bytes of the block that [`clear`](Self::clear) keeps.
    pub(crate) fn last_block_bytes(&self) -> usize {
        self.room.get().saturating_mul(size_of::<T>())
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
        self.settle().iter_mut().flatten()
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
        let mut blocks = self.take();
        let Some(mut last) = blocks.pop() else {
            return;
        };
        blocks.clear();
        last.clear();
        // INVARIANT: 1 and 2 — the block is empty now.
        self.start.set(last.as_mut_ptr());
        self.room.set(last.capacity());
        // There is room for it: there was one before.
        blocks.push(last);
        *self.blocks.get_mut() = blocks;
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
    pub fn into_values(mut self) -> impl Iterator<Item = T> {
        self.take().into_iter().flatten()
    }
}

impl<T> Default for TypedArena<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Drop for TypedArena<T> {
    fn drop(&mut self) {
        self.settle();
    }
}

impl<T> MemoryUsage for TypedArena<T> {
    fn memory_usage(&self) -> Usage {
        let size = size_of::<T>();
        let used = self.len().saturating_mul(size);
        let blocks = self.blocks.borrow();
        let room = blocks
            .iter()
            .map(|block| block.capacity().saturating_mul(size))
            .sum::<usize>();
        Usage::new()
            .with_in_use_bytes(used)
            .with_idle_bytes((self.room.get() - self.used.get()).saturating_mul(size))
            .with_reserved_bytes(room + blocks.capacity() * size_of::<Vec<T>>())
    }
}

impl<T> fmt::Debug for TypedArena<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TypedArena")
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}

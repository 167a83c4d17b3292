//! An arena that many threads allocate in.
//!
//! # Two ways in
//!
//! A handle owns a block and moves plain cursors in it: no atomics, and nobody else on its cache lines. The
//! direct way is for the occasional allocation: one compare-and-swap on the cursor of an open block, a
//! *head*. Both come to the lock when their block is full, that is once for some thousand bytes.
//!
//! There are several heads, of which a thread uses one, and another one when it meets another thread there. With
//! one head, four threads took longer than with a lock around `bumpalo`; with these, 0.17 to 0.33 times as long (row
//! `arena/shared-direct/4t`, `thrifty` against `bumpalo-mutex`; medians of busy runs, 4-core x86-64, 2026-11).
//!
//! A lock, and no lock-free list: what it guards happens once per block, a block that is on its way from one
//! owner to the next is never out of sight, and so the limit refuses nobody while there is room.

#[cfg(feature = "allocator-api2-02")]
mod allocator;
mod block;
mod books;
mod lists;
mod local;
mod methods;

pub use self::local::LocalArena;

use core::{fmt, ptr, ptr::NonNull};

use thrifty_sync::{
    array,
    atomic::{AtomicPtr, Exclusive},
    const_unless_loom, ord,
    sync::{Mutex, MutexGuard},
};
use thrifty_traits::{
    AllocError, AllocErrorKind, MemoryUsage, Pressure, Reclaim, Reclaimed, Rejected, Usage,
};

use self::{
    block::{Block, HEADER, Span, UNIT},
    books::{Books, Request},
    methods::allocating,
};
use crate::{ArenaBuilder, config::Config, seat::seat};

/// An arena that many threads allocate in.
///
/// A thread that allocates much takes a handle, [`local`](Self::local): it allocates as an
/// [`Arena`](crate::Arena) does, without atomics, in a block of its own. For the occasional allocation the arena
/// itself has the same methods, at the price of a compare-and-swap.
///
/// What is allocated lives until the arena is reset or dropped, for which it must be borrowed exclusively.
/// **Nothing that is allocated is dropped.**
///
/// # Memory
///
/// A new arena has none. Blocks begin at 4 KiB and double up to 1 MiB, whoever asks for them; an object of
/// more than 256 KiB gets a block of its own. What a handle leaves of its block when it is dropped, the next
/// handle goes on with; a handle that is forgotten takes the rest of its block with it until the reset. Who
/// allocates without a handle shares a block with some other threads: up to eight are open, one where only one
/// thread does so. What is left of one when a larger one takes its place is lost until the reset, too. The limit is
/// exact: it counts every byte that is taken from the global allocator, and refuses nothing that fits into what
/// no handle owns.
///
/// [`Retain::Consolidate`](crate::Retain::Consolidate) makes one block for all: it suits one thread at a time.
///
/// # Concurrency
///
/// `Send` and `Sync`. Allocating waits for nobody, but when a block is full: then a lock is held for a step
/// through a short list, or for calls of the global allocator; where it has no more memory, or the limit is met,
/// all idle blocks are searched and freed under it. Values pass between threads as any
/// reference does; the arena orders nothing but its own memory.
///
/// # Examples
///
/// ```
/// use thrifty_arena::SharedArena;
///
/// let mut arena = SharedArena::new();
/// let total: usize = std::thread::scope(|scope| {
///     let workers: Vec<_> = ["a b", "c d e"]
///         .map(|text| {
///             let local = arena.local();
///             scope.spawn(move || text.split(' ').map(|word| &*local.alloc_str(word)).collect::<Vec<_>>())
///         })
///         .into_iter()
///         .collect();
///     workers.into_iter().map(|worker| worker.join().unwrap().len()).sum()
/// });
/// assert_eq!(total, 5);
/// arena.reset();
/// ```
pub struct SharedArena {
    /// The open blocks, or null. Replaced under the lock.
    heads: [AtomicPtr<Block>; HEADS],
    books: Mutex<Books>,
    config: Config,
    limit: usize,
}

/// How many blocks may be open. A power of two.
const HEADS: usize = if cfg!(thrifty_loom) { 2 } else { 8 };

impl SharedArena {
    const_unless_loom! {
        /// An arena that holds no memory yet.
        ///
        /// # Examples
        ///
        /// ```
        /// static WORDS: thrifty_arena::SharedArena = thrifty_arena::SharedArena::new();
        /// let word: &'static str = WORDS.alloc_str("for ever");
        /// # let _ = word;
        /// ```
        #[must_use]
        pub const fn new() -> Self {
            Self::with_settings(ArenaBuilder::new())
        }
    }

    const_unless_loom! {
        /// An arena with other sizes of blocks, a limit, another policy of what a reset keeps.
        ///
        /// # Examples
        ///
        /// ```
        /// use thrifty_arena::{AllocErrorKind, Arena, SharedArena};
        ///
        /// let arena = SharedArena::with_settings(Arena::builder().limit(64 << 10));
        /// let error = arena.try_alloc_slice_fill_with(65 << 10, |_| 0_u8).unwrap_err();
        /// assert_eq!(error.kind, AllocErrorKind::Limit);
        /// ```
        #[must_use]
        pub const fn with_settings(settings: ArenaBuilder) -> Self {
            Self {
                heads: array!(AtomicPtr::new(ptr::null_mut()); HEADS),
                books: Mutex::new(Books::new(&settings.config)),
                config: settings.config,
                limit: settings.limit,
            }
        }
    }

    /// What each block takes of the limit beside what is allocated from it, in bytes.
    pub const BLOCK_OVERHEAD: usize = HEADER;

    /// A handle for a thread that allocates much.
    ///
    /// It has no block before its first allocation. What it allocates outlives it.
    ///
    /// # Examples
    ///
    /// ```
    /// let arena = thrifty_arena::SharedArena::new();
    /// let local = arena.local();
    /// let (a, b) = (local.alloc(1), local.alloc(2));
    /// drop(local);
    /// assert_eq!(*a + *b, 3);
    /// ```
    #[must_use]
    pub const fn local(&self) -> LocalArena<'_> {
        LocalArena::new(self)
    }

    /// Gives back everything that was allocated, to be used again.
    ///
    /// The blocks stay, as far as the [`Retain`](crate::Retain) of the settings says. Takes a step per block.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_arena::{MemoryUsage, SharedArena};
    ///
    /// let mut arena = SharedArena::new();
    /// arena.alloc([0_u8; 1000]);
    /// arena.reset();
    /// assert_eq!(arena.memory_usage().in_use_bytes, 0);
    /// ```
    pub fn reset(&mut self) {
        let used = self.memory_usage().in_use_bytes;
        for head in &mut self.heads {
            head.write_mut(ptr::null_mut());
        }
        let config = self.config;
        // SAFETY: values and handles are borrowed from the arena, which is borrowed exclusively now; so
        // nobody uses what was allocated, a handle that was not dropped is forgotten, and no block is open.
        unsafe { self.lock().reset(used, &config) };
    }

    /// Frees spare blocks; what is in use stays, and so does what is left of blocks in use.
    ///
    /// [`Pressure::Low`] keeps what recent rounds needed.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_arena::{Pressure, SharedArena};
    ///
    /// let mut arena = SharedArena::new();
    /// arena.alloc([0_u8; 1000]);
    /// arena.reset();
    /// assert!(arena.trim(Pressure::High).bytes > 1000);
    /// ```
    pub fn trim(&self, pressure: Pressure) -> Reclaimed {
        match pressure {
            Pressure::Low => {
                let used = self.memory_usage().in_use_bytes;
                self.lock().free_beyond_recent(used)
            }
            Pressure::Medium | Pressure::High => self.lock().free_spare(0),
        }
    }

    /// How many bytes the arena may take from the global allocator; `usize::MAX` for no limit.
    #[must_use]
    pub const fn limit(&self) -> usize {
        self.limit
    }

    /// Memory for a layout, from the open block of this thread's seat.
    #[inline]
    fn take(&self, size: usize, align: usize) -> Result<NonNull<u8>, AllocError> {
        self.take_at(seat(), size, align)
    }

    /// As [`take`](Self::take), for a seat that a model chooses.
    #[inline]
    pub(crate) fn take_at(
        &self,
        seat: usize,
        size: usize,
        align: usize,
    ) -> Result<NonNull<u8>, AllocError> {
        if size != 0 {
            // ORDERING(arena.see_head): Acquire; pairs with arena.set_head, so that the header of the
            // block that is found was written.
            let head = self.heads[seat % HEADS].load(ord!(arena.see_head, Acquire));
            if let Some(head) = NonNull::new(head) {
                // SAFETY: the head is open, as long as the arena is shared.
                if let Some(start) = unsafe { Block::take(head, size, align) } {
                    return Ok(start);
                }
            }
        }
        self.take_slow(seat, size, align)
    }

    /// The open block of a seat.
    fn head(&self, seat: usize, _lock: &MutexGuard<'_, Books>) -> Option<NonNull<Block>> {
        // ORDERING(arena.locked_head): Relaxed; only holders of the lock write it.
        NonNull::new(self.heads[seat % HEADS].load(ord!(arena.locked_head, Relaxed)))
    }

    /// Memory for a layout that the open block seemed to have no room for.
    #[cold]
    #[inline(never)]
    fn take_slow(&self, seat: usize, size: usize, align: usize) -> Result<NonNull<u8>, AllocError> {
        let error = |kind| AllocError::new(kind, size, align);
        if size == 0 {
            return dangling(align).ok_or(error(AllocErrorKind::Align));
        }
        let unit = UNIT;
        let request = Request { size, align, unit };
        let mut books = self.lock();
        let head = self.head(seat, &books);
        if let Some(head) = head {
            // Another thread may have been here before.
            // SAFETY: the head is open.
            if let Some(start) = unsafe { Block::take(head, size, align) } {
                return Ok(start);
            }
        }
        let block = match books.acquire(request, &self.config, self.limit) {
            Ok(block) => block,
            Err(kind) => return self.take_anywhere(&books, size, align).ok_or(error(kind)),
        };
        // SAFETY: not freed; headers are only ever shared.
        let header = unsafe { block.as_ref() };
        // SAFETY: acquired, so ours.
        let span = unsafe { header.span() };
        let Some((start, rest)) = request.carve(span) else {
            debug_assert!(false, "a block that was acquired for a request has no room");
            // SAFETY: ours, and nothing was taken from it.
            unsafe { books.put_back(block, span) };
            return Err(error(AllocErrorKind::Exhausted));
        };
        crate::asan::wake(start, size);
        let left_of_head = head.map_or(0, left_of);
        if rest.bytes() > left_of_head {
            books.wasted += left_of_head;
            // SAFETY: ours; nobody has a pointer into what is left of it.
            unsafe { header.open(rest) };
            // ORDERING(arena.set_head): Release; pairs with arena.see_head.
            self.heads[seat % HEADS].store(block.as_ptr(), ord!(arena.set_head, Release));
        } else {
            // SAFETY: ours; nobody has a pointer into what is left of it.
            unsafe { books.put_back(block, rest) };
        }
        NonNull::new(start).ok_or(error(AllocErrorKind::Backend))
    }

    /// Memory from the open block of any seat, before somebody is refused.
    fn take_anywhere(
        &self,
        lock: &MutexGuard<'_, Books>,
        size: usize,
        align: usize,
    ) -> Option<NonNull<u8>> {
        (0..HEADS).find_map(|seat| {
            let head = self.head(seat, lock)?;
            // SAFETY: the head is open.
            unsafe { Block::take(head, size, align) }
        })
    }

    /// Another block for a handle, which is its owner then; the one that it had goes back.
    ///
    /// # Safety
    ///
    /// The handle is the owner of the block that it had, and nobody has a pointer into the span.
    unsafe fn exchange(
        &self,
        request: Request,
        had: Option<(NonNull<Block>, Span)>,
    ) -> Result<(NonNull<Block>, Span), AllocErrorKind> {
        let mut books = self.lock();
        let block = books.acquire(request, &self.config, self.limit)?;
        if let Some((had, span)) = had {
            // SAFETY: says the caller.
            unsafe { books.put_back(had, span) };
        }
        // SAFETY: not freed; headers are only ever shared.
        let header = unsafe { block.as_ref() };
        // SAFETY: acquired, so ours.
        Ok((block, unsafe { header.span() }))
    }

    /// Takes a block back from a handle that ends.
    ///
    /// # Safety
    ///
    /// As for [`exchange`](Self::exchange).
    unsafe fn put_back(&self, block: NonNull<Block>, span: Span) {
        // SAFETY: the caller's contract is the same.
        unsafe { self.lock().put_back(block, span) };
    }

    fn lock(&self) -> MutexGuard<'_, Books> {
        // Nothing under the lock panics between two changes that belong together.
        self.books
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

allocating! {
    impl [] SharedArena, '_, "let arena = thrifty_arena::SharedArena::new();"
}

impl<'s> methods::Take<'s> for &'s SharedArena {
    #[inline]
    fn take(self, size: usize, align: usize) -> Result<NonNull<u8>, AllocError> {
        SharedArena::take(self, size, align)
    }
}

/// How many bytes of the head are free.
fn left_of(head: NonNull<Block>) -> usize {
    // SAFETY: not freed, since it is the head; headers are only ever shared.
    let header = unsafe { head.as_ref() };
    // SAFETY: the head is open.
    unsafe { header.left() }
}

/// An address that is aligned, for what has no bytes.
fn dangling(align: usize) -> Option<NonNull<u8>> {
    NonNull::new(ptr::without_provenance_mut(align))
}

impl Drop for SharedArena {
    fn drop(&mut self) {
        let config = self.config;
        // SAFETY: values and handles are borrowed from the arena, which ends now.
        unsafe { self.lock().end(&config) };
    }
}

impl Default for SharedArena {
    fn default() -> Self {
        Self::new()
    }
}

/// In use is what was allocated, and all of the blocks that handles own at present; spare blocks, and what
/// is left of those that no handle owns, are idle.
impl MemoryUsage for SharedArena {
    fn memory_usage(&self) -> Usage {
        let books = self.lock();
        let heads = (0..HEADS).filter_map(|seat| self.head(seat, &books));
        let idle = books.idle + heads.map(left_of).sum::<usize>();
        // What is wasted was noted before others may have taken a little of it after all.
        let used = books.capacity().saturating_sub(idle + books.wasted);
        Usage::new()
            .with_in_use_bytes(used)
            .with_idle_bytes(idle)
            .with_reserved_bytes(books.reserved)
    }
}

/// As [`trim`](SharedArena::trim).
impl Reclaim for SharedArena {
    fn reclaim(&self, pressure: Pressure) -> Reclaimed {
        self.trim(pressure)
    }
}

impl fmt::Debug for SharedArena {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedArena")
            .field("usage", &self.memory_usage())
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}

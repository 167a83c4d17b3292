//! The slab layer: memory cut into blocks, behind one lock.
//!
//! The lock is taken once per magazine, for as long as moving [`BATCH`](crate::batch::BATCH) bits
//! takes, some hundred nanoseconds. Nothing is allocated, freed or written to under it: memory for
//! a new slab, and for larger books, is fetched before, and what goes back is freed afterwards.
//! A second lock, `growth`, is held by the one thread that fetches a slab, so that threads which
//! run dry together get one slab and not one each, and limits are met exactly. Who gives blocks
//! back never waits for it.
//!
//! Both are the door's mutex. A waiting thread sleeps instead of burning the processor of the
//! thread that it waits for, should that one be preempted; a try-lock would have to do something
//! else when it fails, and here there is nothing else. Poison is ignored: what runs under the locks
//! is safe code that calls nobody, and neither allocates nor panics. A mutex of std asks nothing of
//! thread-locals with destructors, so both work while a thread ends.
//!
//! # Invariants
//!
//! 1. A block of a slab in the books is free (its bit is set) or belongs to whoever took it.
//! 2. `growth` is taken before `books`, never after.
//! 3. Slabs enter the books, and the books' room changes, under `growth`.

use alloc::borrow::Cow;
use core::fmt;
use core::ptr::NonNull;

use thrifty_sync::sync::{Condvar, Mutex, MutexGuard};
use thrifty_traits::{AllocError, AllocErrorKind};

use crate::asan;
use crate::batch::{BATCH, Batch};
use crate::books::{Books, Fault, Figures, Room};
use crate::budget::Budget;
use crate::header::SlabHeader;
use crate::shape::Shape;
use crate::slab::{Backing, Global, Slab};

/// What a free block holds in a hardened allocator.
pub(crate) const POISON: u8 = 0xDF;

/// The limits of a slab layer.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    /// The most bytes of slabs.
    pub(crate) max_bytes: usize,
    /// What the bytes are taken from in addition, together with others.
    pub(crate) budget: Budget,
    /// Empty slabs that are kept for the next who needs one.
    pub(crate) spare_slabs: usize,
    /// Whether every free is checked, and free blocks are filled with [`POISON`].
    pub(crate) hardened: bool,
    pub(crate) name: Cow<'static, str>,
}

/// Whether a slab is fetched within the limits only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bound {
    Held,
    Ignored,
}

/// All slabs of an allocator.
pub(crate) struct Slabs<B: Backing = Global> {
    pub(crate) shape: Shape,
    pub(crate) rules: Rules,
    backing: B,
    growth: Mutex<()>,
    books: Mutex<Books>,
    /// A slab's memory has gone back, which who holds `growth` may be waiting for.
    released: Condvar,
}

impl<B: Backing> Slabs<B> {
    /// No slabs yet.
    pub(crate) fn new(shape: Shape, rules: Rules, backing: B) -> Self {
        let books = Books::new(shape, rules.hardened);
        Self {
            shape,
            rules,
            backing,
            growth: Mutex::new(()),
            books: Mutex::new(books),
            released: Condvar::new(),
        }
    }

    /// Takes up to `wanted` free blocks, at most [`BATCH`], fetching a slab if there are none at all.
    /// The batch then has at least one.
    ///
    /// `owner` goes into the header of a slab that is fetched.
    ///
    /// # Errors
    ///
    /// There is no free block, and no memory for more or `max_bytes` forbids it. Nothing has
    /// changed.
    pub(crate) fn take(
        &self,
        owner: NonNull<()>,
        batch: &mut Batch,
        wanted: usize,
    ) -> Result<(), AllocError> {
        let wanted = wanted.clamp(1, BATCH);
        self.books().take(batch, wanted);
        if batch.len() == 0 {
            self.grow_cold(owner, batch, wanted, Bound::Held)?;
        }
        Ok(())
    }

    /// As [`take`](Self::take) of one block, whatever the limits say: for who gives more memory back
    /// than this takes.
    ///
    /// # Errors
    ///
    /// There is no free block, and no memory for more. Nothing has changed.
    #[cfg_attr(
        not(feature = "allocator-api2-02"),
        expect(dead_code, reason = "size classes use it")
    )]
    pub(crate) fn take_beyond(
        &self,
        owner: NonNull<()>,
        batch: &mut Batch,
    ) -> Result<(), AllocError> {
        self.grow_cold(owner, batch, 1, Bound::Ignored)
    }

    /// Fetches a slab, unless somebody else has done so meanwhile or freed a block.
    #[cold]
    fn grow_cold(
        &self,
        owner: NonNull<()>,
        batch: &mut Batch,
        wanted: usize,
        bound: Bound,
    ) -> Result<(), AllocError> {
        let _growing = self.growth.lock().unwrap_or_else(|lock| lock.into_inner());
        let mut books = self.books();
        let room = loop {
            books.take(batch, wanted);
            if batch.len() > 0 {
                return Ok(());
            }
            match self.check_limit(books.figures, bound) {
                Ok(()) => break books.wants_room(),
                Err(error) if books.figures.releasing == 0 => return Err(error),
                // There is room as soon as the memory of a slab that is being released is back. Who
                // releases waits for nobody, and nobody else can fetch one.
                Err(_) => {
                    let woken = self.released.wait(books);
                    books = woken.unwrap_or_else(|lock| lock.into_inner());
                }
            }
        };
        drop(books);
        let room = match room {
            Some(slabs) => Some(self.room(slabs)?),
            None => None,
        };
        let slab = self.fetch(owner, bound)?;
        let mut books = self.books();
        // Invariant 3: there is as much room as there was above.
        let outgrown = room.map(|room| books.move_into(room));
        books.enter(slab);
        books.take(batch, wanted);
        drop(books);
        drop(outgrown);
        Ok(())
    }

    /// Whether one more slab is within the limit.
    fn check_limit(&self, figures: Figures, bound: Bound) -> Result<(), AllocError> {
        let slabs = figures.slabs.saturating_add(figures.releasing);
        let slabs = slabs.saturating_add(1);
        let within = slabs
            .checked_mul(self.shape.slab_bytes)
            .is_some_and(|bytes| bytes <= self.rules.max_bytes);
        if (within || bound == Bound::Ignored) && slabs < u32::MAX as usize {
            return Ok(());
        }
        Err(self.error(AllocErrorKind::Limit))
    }

    fn room(&self, slabs: usize) -> Result<Room, AllocError> {
        Room::try_new(slabs, &self.shape, self.rules.hardened)
            .ok_or_else(|| self.error(AllocErrorKind::Backend))
    }

    /// A slab with its header written and its blocks asleep.
    fn fetch(&self, owner: NonNull<()>, bound: Bound) -> Result<Slab, AllocError> {
        let shape = &self.shape;
        if bound == Bound::Ignored {
            self.rules.budget.overdraw(shape.slab_bytes);
        } else if !self.rules.budget.take(shape.slab_bytes) {
            return Err(self.error(AllocErrorKind::Limit));
        }
        let Some(slab) = self.backing.slab(shape.slab) else {
            self.rules.budget.give(shape.slab_bytes);
            return Err(AllocError::for_layout(AllocErrorKind::Backend, shape.slab));
        };
        let header = slab.base().cast::<SlabHeader>();
        // SAFETY: valid: at the start of a slab, which is large and aligned enough for a header.
        // Exclusive: the slab is new.
        unsafe { header.write(SlabHeader { owner }) };
        // SAFETY: in bounds of the slab by its shape.
        let blocks = unsafe { slab.base().add(shape.first) };
        let bytes = shape.slab.size() - shape.first;
        if self.rules.hardened {
            // SAFETY: valid: so many bytes follow. Exclusive: the slab is new.
            unsafe { blocks.write_bytes(POISON, bytes) };
        }
        asan::sleep(blocks, bytes);
        // For `lend::wake`, which gives blocks the provenance of their slab again.
        let _ = slab.base().as_ptr().expose_provenance();
        Ok(slab)
    }

    /// Gives blocks back by their addresses, and releases slabs that this leaves empty beyond those
    /// kept as spares.
    ///
    /// They are released at once, not at some later tick: who frees so much that magazines and depot
    /// overflow, or lets them decay, will not need it soon, and a program that falls silent ticks
    /// no more. The spares are what keeps one that goes up and down from fetching a slab each time.
    ///
    /// # Safety
    ///
    /// The caller owns the blocks, which are from this layer, and hands them over.
    pub(crate) unsafe fn give(&self, blocks: &[NonNull<()>]) {
        for blocks in blocks.chunks(BATCH) {
            let mut books = self.books();
            let given = books.give(blocks);
            debug_assert_eq!(given, Ok(()), "a block that is not this allocator's");
            self.release_surplus(books);
        }
    }

    /// Runs `work`, then releases empty slabs but for `keep`; answers with how many there were.
    ///
    /// What `work` gives back is released at the end and not before, here or at the end of another
    /// trim: so each slab is counted once.
    pub(crate) fn trim(&self, keep: usize, work: impl FnOnce()) -> usize {
        struct Trim<'a, B: Backing>(&'a Slabs<B>);
        impl<B: Backing> Drop for Trim<'_, B> {
            fn drop(&mut self) {
                self.0.books().figures.trims -= 1;
            }
        }
        self.books().figures.trims += 1;
        let trim = Trim(self);
        work();
        drop(trim);
        let released = self.release_empty(self.books(), keep);
        if keep == 0 {
            self.vacate();
        }
        released
    }

    /// Nobody will take blocks any more, so nobody needs spares.
    pub(crate) fn close(&self) {
        let mut books = self.books();
        books.figures.closed = true;
        self.release_surplus(books);
    }

    /// Gives the memory of the books back, if no slab is in them and nobody is about to enter one.
    fn vacate(&self) {
        let Ok(_growing) = self.growth.try_lock() else {
            return;
        };
        let room = self.books().vacate();
        drop(room);
    }

    /// Releases empty slabs beyond the spares.
    fn release_surplus(&self, books: MutexGuard<'_, Books>) {
        let keep = match books.figures {
            Figures { closed: true, .. } => 0,
            Figures { trims: 0, .. } => self.rules.spare_slabs,
            _ => return,
        };
        self.release_empty(books, keep);
    }

    /// Releases empty slabs but for `keep`, with the books closed meanwhile. No more than there are
    /// now: others may empty slabs as fast as this releases them.
    fn release_empty<'a>(&'a self, mut books: MutexGuard<'a, Books>, keep: usize) -> usize {
        let surplus = books.figures.empty.saturating_sub(keep);
        let mut released = 0;
        while released < surplus {
            let Some(slab) = books.remove_empty(keep) else {
                break;
            };
            drop(books);
            // SAFETY: out of the books, with no block in use: nobody else has a pointer into it.
            unsafe { self.release(slab) };
            released += 1;
            books = self.books();
            books.figures.releasing -= 1;
            self.released.notify_one();
        }
        released
    }

    /// Releases a slab.
    ///
    /// # Safety
    ///
    /// It is out of the books, and nobody uses a block of it.
    unsafe fn release(&self, slab: Slab) {
        asan::wake(slab.base(), self.shape.slab.size());
        // SAFETY: from this backing with this layout, by `fetch`; the rest is the caller's promise.
        unsafe { self.backing.release_slab(slab, self.shape.slab) };
        self.rules.budget.give(self.shape.slab_bytes);
    }

    /// As [`give`](Self::give) of one block, if that is what the pointer is; fills it with the
    /// pattern.
    ///
    /// # Safety
    ///
    /// If the pointer is a block that is not free, the caller owns it and hands it over.
    pub(crate) unsafe fn give_checked(&self, block: NonNull<u8>) -> Result<(), Fault> {
        let block = self.books().claim(block.addr().get())?;
        // SAFETY: valid: a block has so many bytes. Exclusive: the caller owned it; it is not lent
        // any more, so that nobody else can give it, and nobody can take it before it is given below.
        unsafe { block.write_bytes(POISON, self.shape.size) };
        asan::sleep(block, self.shape.size);
        let mut books = self.books();
        books.give(&[block.cast()])?;
        self.release_surplus(books);
        Ok(())
    }

    /// Enters a block that was taken and is whole as lent, in a hardened layer.
    pub(crate) fn lend_checked(&self, block: NonNull<u8>) {
        self.books().lend(block);
    }

    /// Something was wrong with a pointer.
    pub(crate) fn count_fault(&self) {
        self.books().figures.faults += 1;
    }

    /// What messages call this allocator.
    pub(crate) fn display_name(&self) -> &str {
        if self.rules.name.is_empty() {
            "a FixedAlloc"
        } else {
            &self.rules.name
        }
    }

    /// Whether a block that is not free begins at this address.
    pub(crate) fn has_block(&self, address: usize) -> bool {
        self.books().check(address).is_ok()
    }

    /// What there is.
    pub(crate) fn figures(&self) -> Figures {
        self.books().figures
    }

    /// An error about a block.
    pub(crate) fn error(&self, kind: AllocErrorKind) -> AllocError {
        AllocError::for_layout(kind, self.shape.block)
    }

    pub(crate) fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(|lock| lock.into_inner())
    }
}

impl<B: Backing> Drop for Slabs<B> {
    /// Everybody's last use of a block is over: blocks have leases.
    fn drop(&mut self) {
        loop {
            let slab = self.books().remove_any();
            let Some(slab) = slab else { break };
            // SAFETY: out of the books; who had a block kept this from being dropped, but for
            // blocks that a hardened allocator has set aside, which nobody uses.
            unsafe { self.release(slab) };
        }
    }
}

impl<B: Backing> fmt::Debug for Slabs<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slabs")
            .field("shape", &self.shape)
            .field("rules", &self.rules)
            .field("figures", &self.figures())
            .finish_non_exhaustive()
    }
}

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

use alloc::borrow::Cow;
use core::fmt;
use core::ptr::NonNull;

use thrifty_sync::sync::{Mutex, MutexGuard};
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

/// All slabs of an allocator.
pub(crate) struct Slabs<B: Backing = Global> {
    pub(crate) shape: Shape,
    pub(crate) rules: Rules,
    backing: B,
    growth: Mutex<()>,
    books: Mutex<Books>,
}

impl<B: Backing> Slabs<B> {
    /// No slabs yet.
    pub(crate) fn new(shape: Shape, rules: Rules, backing: B) -> Self {
        Self {
            shape,
            rules,
            backing,
            growth: Mutex::new(()),
            books: Mutex::new(Books::new(shape)),
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
            self.grow_cold(owner, batch, wanted)?;
        }
        Ok(())
    }

    /// Fetches a slab, unless somebody else has done so meanwhile or freed a block.
    #[cold]
    fn grow_cold(
        &self,
        owner: NonNull<()>,
        batch: &mut Batch,
        wanted: usize,
    ) -> Result<(), AllocError> {
        let _growing = self.growth.lock().unwrap_or_else(|lock| lock.into_inner());
        let room = {
            let mut books = self.books();
            books.take(batch, wanted);
            if batch.len() > 0 {
                return Ok(());
            }
            self.check_limit(books.figures)?;
            books.wants_room()
        };
        let room = match room {
            Some(slabs) => Some(self.room(slabs)?),
            None => None,
        };
        let slab = self.fetch(owner)?;
        let mut books = self.books();
        // Slabs enter under `growth` alone, so there is as much room as there was above, or more.
        let outgrown = room.map(|room| books.move_into(room));
        books.enter(slab);
        books.take(batch, wanted);
        drop(books);
        drop(outgrown);
        Ok(())
    }

    /// Whether one more slab is within the limit.
    fn check_limit(&self, figures: Figures) -> Result<(), AllocError> {
        let slabs = figures.slabs.saturating_add(1);
        let within = slabs
            .checked_mul(self.shape.slab_bytes)
            .is_some_and(|bytes| bytes <= self.rules.max_bytes);
        if within && slabs < u32::MAX as usize {
            return Ok(());
        }
        Err(self.error(AllocErrorKind::Limit))
    }

    fn room(&self, slabs: usize) -> Result<Room, AllocError> {
        Room::try_new(slabs, &self.shape).ok_or_else(|| self.error(AllocErrorKind::Backend))
    }

    /// A slab with its header written and its blocks asleep.
    fn fetch(&self, owner: NonNull<()>) -> Result<Slab, AllocError> {
        let shape = &self.shape;
        if !self.rules.budget.take(shape.slab_bytes) {
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
            self.release_empty(books, self.rules.spare_slabs);
        }
    }

    /// Releases empty slabs but for so many; answers with how many there were.
    pub(crate) fn release_spares(&self, keep: usize) -> usize {
        self.release_empty(self.books(), keep)
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
        let mut books = self.books();
        let block = books.check(block.addr().get())?;
        // SAFETY: valid: a block has so many bytes. Exclusive: the caller owns it, and nobody can
        // take it before it is given below.
        unsafe { block.write_bytes(POISON, self.shape.size) };
        asan::sleep(block, self.shape.size);
        books.give(&[block.cast()])?;
        self.release_empty(books, self.rules.spare_slabs);
        Ok(())
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

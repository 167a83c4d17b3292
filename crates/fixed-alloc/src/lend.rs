//! Blocks out of an engine and back into it: what every front of this crate is built on.
//!
//! ```text
//! take ──hit──> this thread's magazine          give ──hit──> this thread's magazine
//!   └─cold─> depot, stripes                       └─cold─> depot, stripes
//!               └─none─> the slab layer,                       └─full─> the slab layer,
//!                        a magazine at a time                           a magazine at a time
//! ```
//!
//! A block that is lent has a lease of its engine, which lives as long.
//!
//! An engine without magazines is *direct*: the hit never happens and pays nothing for it, and the cold
//! path goes to the slab layer at once. A search of depot and stripes is no snapshot; it can miss a
//! block that is idle. The slab layer's lock makes it one, so that in a bounded allocator every last
//! block can be had, and a hardened one checks each.

use core::mem::MaybeUninit;
use core::ptr::NonNull;

use thrifty_magazine::{Engine, Refused, Shared};
use thrifty_traits::{AllocError, AllocErrorKind};

use crate::asan;
use crate::batch::{BATCH, Batch};
use crate::hardened;
use crate::slabs::Slabs;

/// The engine of an allocator.
pub(crate) type Blocks = Engine<Slabs>;

/// A block, uninitialised. It is the caller's, with its lease, until it is [given](give) back.
///
/// # Errors
///
/// There is no idle block, and a limit or want of memory forbids another.
#[inline]
pub(crate) fn take(engine: &Blocks) -> Result<NonNull<u8>, AllocError> {
    match take_hit(engine) {
        Some(block) => Ok(block),
        None => take_cold(engine),
    }
}

/// As [`take`], from this thread's cache or not at all.
#[inline]
pub(crate) fn take_hit(engine: &Blocks) -> Option<NonNull<u8>> {
    engine.take_hit().map(|block| wake(engine, block))
}

/// Gives a block back.
///
/// # Panics
///
/// When the engine is hardened and the pointer is no block that is lent. Nothing has changed then.
///
/// # Safety
///
/// The caller has the block, with its lease, and hands it over. Afterwards `shared` may be gone.
#[inline]
pub(crate) unsafe fn give(shared: NonNull<Shared<Slabs>>, block: NonNull<u8>) {
    // SAFETY: valid: the block's lease.
    let engine = unsafe { shared.as_ref() };
    asan_sleep(engine, block);
    // SAFETY: the block is of this engine, with its lease, and is handed over.
    if !unsafe { engine.put_hit(block.cast()) } {
        // SAFETY: as above; nothing was taken.
        unsafe { give_cold(shared, block) };
    }
}

/// Takes as many blocks as there are places in `out`, if there are; answers with how many.
pub(crate) fn take_many(engine: &Blocks, out: &mut [MaybeUninit<NonNull<u8>>]) -> usize {
    let mut taken = Taken {
        engine,
        out,
        len: 0,
    };
    while taken.len < taken.out.len() {
        if let Some(block) = engine.take_hit() {
            taken.out[taken.len].write(wake(engine, block));
            taken.len += 1;
            continue;
        }
        match take_batch_cold(engine, &mut taken.out[taken.len..]) {
            0 => break,
            more => taken.len += more,
        }
    }
    core::mem::take(&mut taken.len)
}

/// The first places of a batch. A panic on the way to the others gives their blocks back.
struct Taken<'a> {
    engine: &'a Blocks,
    out: &'a mut [MaybeUninit<NonNull<u8>>],
    /// So many places were written.
    len: usize,
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        for place in &self.out[..self.len] {
            // SAFETY: initialised: one of the first `len`.
            let block = unsafe { place.assume_init() };
            // SAFETY: a block of this engine with its lease, which nobody was told of.
            unsafe { give(self.engine.shared(), block) };
        }
    }
}

/// Whether blocks go between callers and the slab layer at once.
fn is_direct(engine: &Shared<Slabs>) -> bool {
    engine.config().rounds == 0
}

#[cold]
#[inline(never)]
fn take_cold(engine: &Blocks) -> Result<NonNull<u8>, AllocError> {
    if engine.supplier().rules.hardened {
        return hardened::take(engine);
    }
    if !is_direct(engine) {
        if let Some(block) = engine.take_cold() {
            return Ok(wake(engine, block));
        }
    }
    let rounds = engine.config().rounds.clamp(1, BATCH);
    let batch = make(engine, rounds, Slabs::take)?;
    let Some((first, others)) = batch.split_first() else {
        return Err(engine.supplier().error(AllocErrorKind::Exhausted));
    };
    if others.is_empty() {
        return Ok(wake(engine, first));
    }
    // SAFETY: the blocks were made for this engine just now, each with its lease.
    let filled = unsafe { engine.fill(others) };
    // SAFETY: as above; these were not taken.
    unsafe { give_to_slabs(engine.shared(), &others[filled..]) };
    Ok(wake(engine, first))
}

/// Takes at least one block, if there is one, without leaving any in this thread's cache that the
/// caller has a place for.
#[cold]
#[inline(never)]
fn take_batch_cold(engine: &Blocks, out: &mut [MaybeUninit<NonNull<u8>>]) -> usize {
    let hardened = engine.supplier().rules.hardened;
    if hardened || out.len() < engine.config().rounds {
        let Ok(block) = take_cold(engine) else {
            return 0;
        };
        out[0].write(block);
        return 1;
    }
    if !is_direct(engine) {
        if let Some(block) = engine.take_cold() {
            out[0].write(wake(engine, block));
            return 1;
        }
    }
    let Ok(batch) = make(engine, out.len().min(BATCH), Slabs::take) else {
        return 0;
    };
    for (place, &block) in out.iter_mut().zip(batch.as_slice()) {
        place.write(wake(engine, block));
    }
    batch.len()
}

/// A block for which the limit in bytes may be exceeded.
#[cfg(feature = "allocator-api2-02")]
pub(crate) fn take_beyond(engine: &Blocks) -> Result<NonNull<u8>, AllocError> {
    if let Ok(block) = take(engine) {
        return Ok(block);
    }
    let beyond = |slabs: &Slabs, owner, batch: &mut Batch, _| slabs.take_beyond(owner, batch);
    if engine.supplier().rules.hardened {
        return hardened::take_with(engine, beyond);
    }
    let batch = make(engine, 1, beyond)?;
    let none = || engine.supplier().error(AllocErrorKind::Exhausted);
    let (block, _) = batch.split_first().ok_or_else(none)?;
    Ok(wake(engine, block))
}

/// Up to so many blocks from the slab layer, each with a lease; at least one.
fn make(
    engine: &Blocks,
    rounds: usize,
    take: impl FnOnce(&Slabs, NonNull<()>, &mut Batch, usize) -> Result<(), AllocError>,
) -> Result<Batch, AllocError> {
    let slabs = engine.supplier();
    let permit = engine.permit_many(rounds).map_err(|why| {
        slabs.error(match why {
            Refused::Exhausted => AllocErrorKind::Limit,
            _ => AllocErrorKind::Exhausted,
        })
    })?;
    let mut batch = Batch::new();
    take(slabs, engine.shared().cast(), &mut batch, permit.rounds())?;
    permit.keep_some(batch.len());
    Ok(batch)
}

/// # Safety
///
/// As [`give`].
#[cold]
#[inline(never)]
unsafe fn give_cold(shared: NonNull<Shared<Slabs>>, block: NonNull<u8>) {
    // SAFETY: valid: the block's lease, until the end of this function hands it over.
    let engine = unsafe { shared.as_ref() };
    if engine.supplier().rules.hardened {
        // SAFETY: as for this function.
        return unsafe { hardened::give(shared, block) };
    }
    if is_direct(engine) {
        // SAFETY: the block is of this engine, with its lease, and is handed over.
        return unsafe { give_to_slabs(shared, &[block.cast()]) };
    }
    // SAFETY: the block is of this engine, with its lease, and is handed over.
    let Err(block) = (unsafe { Shared::try_put(shared, block.cast()) }) else {
        return;
    };
    // The depot is full, and so is this thread's cache. A magazine of it goes to the slabs along
    // with the block, so that the next ones fit.
    let mut batch = Batch::new();
    batch.push(block);
    while !batch.is_full() {
        let Some(block) = engine.take_hit() else {
            break;
        };
        batch.push(block);
    }
    // SAFETY: blocks of this engine with their leases, which are handed over.
    unsafe { give_to_slabs(shared, batch.as_slice()) };
}

/// Gives blocks to the slab layer, and ends their leases.
///
/// # Safety
///
/// The caller has the blocks with their leases, and hands them over. Afterwards `shared` may be
/// gone.
pub(crate) unsafe fn give_to_slabs(shared: NonNull<Shared<Slabs>>, blocks: &[NonNull<()>]) {
    if blocks.is_empty() {
        return;
    }
    // SAFETY: valid: the blocks' leases.
    let engine = unsafe { shared.as_ref() };
    // SAFETY: blocks of this engine, and so of its slab layer.
    unsafe { engine.supplier().give(blocks) };
    // SAFETY: the blocks' leases.
    unsafe { Shared::retire(shared, blocks.len()) };
}

/// A block that comes out of an engine, ready for use.
///
/// The pointer that was given back may have reached no further than the object that its last user
/// had in the block, as a `Box` does. So it is not used again: the block's address is given the
/// provenance that its slab has exposed. That is a matter between us and the compiler, and no
/// instruction.
#[inline]
pub(crate) fn wake(engine: &Shared<Slabs>, block: NonNull<()>) -> NonNull<u8> {
    let address = block.addr().get();
    let block = core::ptr::with_exposed_provenance_mut(address);
    // SAFETY: it has the address of a pointer that is not null.
    let block = unsafe { NonNull::new_unchecked(block) };
    if cfg!(thrifty_asan) {
        asan::wake(block, engine.supplier().shape.size);
    }
    block
}

#[inline]
fn asan_sleep(engine: &Shared<Slabs>, block: NonNull<u8>) {
    // What a hardened engine is given may be no block of it.
    if cfg!(thrifty_asan) && !engine.supplier().rules.hardened {
        asan::sleep(block, engine.supplier().shape.size);
    }
}

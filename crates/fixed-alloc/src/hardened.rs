//! Checked blocks: every free is looked up in the books, and free blocks are filled with a pattern.
//!
//! What is wrong is said by a panic, before anything has changed: the caller keeps what it had, and
//! the program may go on, since the books are in order. A panic on top of one that is under way
//! would abort; a bad free in such a place is ignored and counted, which
//! [`Stats::faults`](crate::Stats::faults) shows.

use core::ptr::NonNull;

use thrifty_magazine::{Refused, Shared};
use thrifty_traits::{AllocError, AllocErrorKind};

use crate::batch::Batch;
use crate::books::Fault;
use crate::lend::{Blocks, wake};
use crate::slabs::{POISON, Slabs};

/// A block from the slab layer, whose pattern is whole.
pub(crate) fn take(engine: &Blocks) -> Result<NonNull<u8>, AllocError> {
    take_with(engine, Slabs::take)
}

/// As [`take`], out of the slab layer by way of `from`.
pub(crate) fn take_with(
    engine: &Blocks,
    from: impl FnOnce(&Slabs, NonNull<()>, &mut Batch, usize) -> Result<(), AllocError>,
) -> Result<NonNull<u8>, AllocError> {
    let slabs = engine.supplier();
    let permit = engine.permit().map_err(|why| {
        slabs.error(match why {
            Refused::Exhausted => AllocErrorKind::Limit,
            _ => AllocErrorKind::Exhausted,
        })
    })?;
    let mut batch = Batch::new();
    from(slabs, engine.shared().cast(), &mut batch, 1)?;
    let Some((block, _)) = batch.split_first() else {
        return Err(slabs.error(AllocErrorKind::Exhausted));
    };
    let block = wake(engine, block);
    // SAFETY: valid: so many bytes of a block that was filled when it became free. Shared: it is
    // this function's; who writes to it all the same has broken the contract of its free.
    let bytes = unsafe { core::slice::from_raw_parts(block.as_ptr(), slabs.shape.size) };
    if let Some(at) = bytes.iter().position(|&byte| byte != POISON) {
        // The permit goes. The block stays neither free nor lent: nobody gets it again, and a free
        // of it is a bad one.
        slabs.count_fault();
        use_after_free_cold(slabs, block, at);
    }
    slabs.lend_checked(block);
    permit.keep();
    Ok(block)
}

/// Gives a block back to the slab layer.
///
/// # Safety
///
/// `shared` is valid, because the caller has a block of the engine or a handle. If the pointer is
/// a block that is lent, the caller has it and hands it over.
pub(crate) unsafe fn give(shared: NonNull<Shared<Slabs>>, block: NonNull<u8>) {
    // SAFETY: valid: the caller's promise.
    let slabs = unsafe { shared.as_ref() }.supplier();
    // SAFETY: as for this function.
    match unsafe { slabs.give_checked(block) } {
        // SAFETY: the lease of the block.
        Ok(()) => unsafe { Shared::retire(shared, 1) },
        Err(fault) => {
            slabs.count_fault();
            if !std::thread::panicking() {
                bad_free_cold(slabs, block, fault);
            }
        }
    }
}

#[cold]
fn bad_free_cold(slabs: &Slabs, block: NonNull<u8>, fault: Fault) -> ! {
    let said = match fault {
        Fault::Foreign => "it is not in any slab of this allocator",
        Fault::Interior => "it does not point to the start of a block",
        Fault::Double => "the block is free already: double free",
    };
    let name = slabs.display_name();
    panic!("bad free of {block:p} in {name}: {said}");
}

#[cold]
fn use_after_free_cold(slabs: &Slabs, block: NonNull<u8>, at: usize) -> ! {
    let name = slabs.display_name();
    panic!(
        "use after free of {block:p} in {name}: byte {at} was written to while the block was free"
    );
}

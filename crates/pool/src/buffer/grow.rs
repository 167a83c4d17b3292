//! Moving a buffer's contents to a larger block.

use core::ptr::NonNull;

use thrifty_traits::AllocError;

use super::{
    block::{Block, Fresh, Route},
    class::{give_back, take_slow},
    error::BufError,
    rules::{Rules, Wipe},
    supplier::create,
};

/// Replaces a block by one that has room for `len` and `additional` bytes, and moves the first
/// `len` there. On an error nothing has changed.
///
/// # Safety
///
/// The first `len` bytes are initialised by the block's lease, and the block knows that.
pub(crate) unsafe fn grow(
    block: &mut Block,
    len: usize,
    additional: usize,
) -> Result<(), BufError> {
    let rules = &block.supplier().rules;
    let needed = len
        .checked_add(additional)
        .ok_or(AllocError::overflow(rules.align))?;
    let class = rules.class_for(needed);
    if class >= rules.classes.count() {
        rules.check_oversize(needed)?;
    }
    let mut larger = match pooled(block, rules, class, needed) {
        Ok(larger) => larger,
        // The pool is gone, or this block never was its: the new one takes over its lease.
        // SAFETY: by the caller.
        Err(BufError::Closed) => return unsafe { grow_alone(block, len, needed) },
        Err(error) => return Err(error),
    };
    // SAFETY: by the caller; the larger block is another allocation with room for more.
    unsafe { move_contents(block, &mut larger, len) };
    give_back(core::mem::replace(block, larger));
    Ok(())
}

/// A larger block of the pool, with a lease of its own.
fn pooled(block: &Block, rules: &Rules, class: usize, needed: usize) -> Result<Block, BufError> {
    if block.route() == Route::Unpooled {
        return Err(BufError::Closed);
    }
    let engine = block.supplier().larger(class.min(rules.classes.count()));
    let engine = engine.ok_or(BufError::Closed)?;
    if engine.supplier().is_oversize() {
        let capacity = rules.grown(block.capacity(), needed);
        return or_less(capacity, needed, |capacity| {
            create(&engine, capacity, Fresh::Any)
        });
    }
    match engine.take_hit() {
        // SAFETY: rounds of this engine are blocks, and this one comes with its lease.
        Some(round) => Ok(unsafe { Block::from_round(round) }),
        None => take_slow(&engine, Fresh::Any),
    }
}

/// Makes a block with room to spare or, where there is no memory for that, as large as it must be.
fn or_less(
    capacity: usize,
    needed: usize,
    make: impl Fn(usize) -> Result<Block, BufError>,
) -> Result<Block, BufError> {
    match make(capacity) {
        Err(BufError::Alloc(_)) if capacity > needed => make(needed),
        made => made,
    }
}

/// Replaces a block by an unpooled one that has its lease.
///
/// # Safety
///
/// As [`grow`].
unsafe fn grow_alone(block: &mut Block, len: usize, needed: usize) -> Result<(), BufError> {
    let (shared, rules) = (block.shared(), block.supplier().rules);
    let capacity = rules.grown(block.capacity(), needed);
    let fresh = match rules.wipe {
        Wipe::Never => Fresh::Any,
        Wipe::OnPut | Wipe::OnPutVolatile => Fresh::Zeroed,
    };
    let mut larger = or_less(capacity, needed, |capacity| {
        // SAFETY: the lease is that of the old block, which is freed below.
        let made =
            unsafe { Block::allocate(shared, capacity, rules.align, Route::Unpooled, fresh) };
        made.map_err(BufError::from)
    })?;
    // SAFETY: by the caller; the larger block is another allocation with room for more.
    unsafe { move_contents(block, &mut larger, len) };
    let mut old = core::mem::replace(block, larger);
    let counted = |block: &Block| match block.route() {
        Route::Unpooled => block.size(),
        Route::Plain | Route::Detour => 0,
    };
    let (before, after) = (counted(&old), counted(block));
    block.supplier().count_unpooled(after);
    block.supplier().uncount_unpooled(before);
    old.settle();
    if rules.wipe != Wipe::Never {
        old.wipe(rules.wipe == Wipe::OnPutVolatile);
    }
    old.free();
    Ok(())
}

/// Copies what is initialised.
///
/// # Safety
///
/// The first `len` bytes of `from` are initialised by its lease, and `to` has room for them.
unsafe fn move_contents(from: &Block, to: &mut Block, len: usize) {
    let (source, target): (NonNull<u8>, NonNull<u8>) = (from.bytes(), to.bytes());
    // SAFETY: valid for so many bytes: by the caller; two blocks do not overlap.
    unsafe { source.copy_to_nonoverlapping(target, len) };
    // SAFETY: just written, and there is room.
    unsafe { to.raise_init(len) };
}

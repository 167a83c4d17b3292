//! Chunks: the memory that records are written into, one behind the other.
//!
//! A chunk belongs to one shard, whose lock is held by whoever writes into it. What is written is not touched
//! again until the interner is gone, or its owner has it exclusively.

use core::alloc::Layout;
use core::mem::size_of;
use core::ptr::NonNull;

use super::budget::Budget;
use crate::InternError;

/// What stands at the beginning of a chunk.
#[repr(C, align(16))]
pub(crate) struct Chunk {
    /// The chunk that the shard had before.
    pub(crate) older: Option<NonNull<Self>>,
    /// Its bytes, with this header.
    pub(crate) size: u32,
    /// Its number in the directory.
    pub(crate) id: u32,
    /// What loom watches in place of the bytes: a cell per unit.
    #[cfg(thrifty_loom)]
    shadow: Vec<thrifty_sync::UnsafeCell<()>>,
}

/// Where the first record of a chunk begins.
pub(crate) const FIRST_OFFSET: usize = size_of::<Chunk>();

/// Allocates a chunk that is not yet in the directory.
pub(crate) fn create(
    size: usize,
    older: Option<NonNull<Chunk>>,
    budget: &Budget,
) -> Result<NonNull<Chunk>, InternError> {
    let chunk = budget.allocate(layout(size))?.cast::<Chunk>();
    let header = Chunk {
        older,
        size: u32::try_from(size).expect("a chunk is at most 128 KiB"),
        id: 0,
        #[cfg(thrifty_loom)]
        shadow: (0..size)
            .map(|_| thrifty_sync::UnsafeCell::new(()))
            .collect(),
    };
    // SAFETY: just allocated, larger than the header and aligned for it.
    unsafe { chunk.write(header) };
    Ok(chunk)
}

/// Frees a chunk.
///
/// # Safety
///
/// It is from [`create`] with this budget, and nobody uses it or a record in it.
pub(crate) unsafe fn destroy(chunk: NonNull<Chunk>, budget: &Budget) {
    // SAFETY: initialised by `create`.
    let size = unsafe { chunk.as_ref() }.size as usize;
    // SAFETY: initialised, and nobody's any more.
    unsafe { chunk.drop_in_place() };
    // SAFETY: allocated by `create` with this layout.
    unsafe { budget.free(chunk.cast(), layout(size)) };
}

fn layout(size: usize) -> Layout {
    Layout::from_size_align(size.max(FIRST_OFFSET), align_of::<Chunk>()).expect("at most 128 KiB")
}

/// Tells loom that the record at an offset is read.
///
/// # Safety
///
/// `chunk` is alive.
#[inline]
pub(crate) unsafe fn watch_read(chunk: NonNull<Chunk>, offset: usize) {
    #[cfg(thrifty_loom)]
    // SAFETY: alive, says the caller; the vector does not change.
    unsafe { &(&(*chunk.as_ptr()).shadow)[offset] }.with(|_| ());
    #[cfg(not(thrifty_loom))]
    let _ = (chunk, offset);
}

/// Tells loom that the record at an offset is written.
///
/// # Safety
///
/// `chunk` is alive.
#[inline]
pub(crate) unsafe fn watch_write(chunk: NonNull<Chunk>, offset: usize) {
    #[cfg(thrifty_loom)]
    // SAFETY: alive, says the caller; the vector does not change.
    unsafe { &(&(*chunk.as_ptr()).shadow)[offset] }.with_mut(|_| ());
    #[cfg(not(thrifty_loom))]
    let _ = (chunk, offset);
}

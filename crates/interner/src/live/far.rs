//! Long strings: each in a block of its own, in a list by shard.

use core::alloc::Layout;
use core::mem::size_of;
use core::ptr::NonNull;
use core::slice;

use super::budget::Budget;
use crate::InternError;

/// What stands before a long string's bytes.
#[repr(C, align(16))]
pub(crate) struct Far {
    older: Option<NonNull<Self>>,
    bytes: usize,
}

/// Copies a string into a block of its own, in front of the list.
pub(crate) fn create(
    bytes: &[u8],
    older: Option<NonNull<Far>>,
    budget: &Budget,
) -> Result<NonNull<Far>, InternError> {
    let Some(layout) = layout(bytes.len()) else {
        return Err(InternError::Backend {
            size_bytes: bytes.len(),
        });
    };
    let far = budget.allocate(layout)?.cast::<Far>();
    let header = Far {
        older,
        bytes: bytes.len(),
    };
    // SAFETY: just allocated for a header and the bytes.
    unsafe { far.write(header) };
    // SAFETY: behind the header, in the same block.
    let to = unsafe { far.add(1) }.cast::<u8>();
    // SAFETY: the block is new, so it does not overlap, and has room for the bytes.
    unsafe { to.copy_from_nonoverlapping(NonNull::from(bytes).cast(), bytes.len()) };
    Ok(far)
}

/// The bytes of a block.
///
/// # Safety
///
/// `far` is from [`create`] and is not freed during `'a`.
pub(crate) unsafe fn bytes<'a>(far: NonNull<Far>) -> &'a [u8] {
    // SAFETY: initialised by `create`.
    let len = unsafe { far.as_ref() }.bytes;
    // SAFETY: behind the header, in the same block.
    let begin = unsafe { far.add(1) }.cast::<u8>();
    // SAFETY: written by `create`, and not since.
    unsafe { slice::from_raw_parts(begin.as_ptr(), len) }
}

/// Frees a block, and gives the one behind it in the list.
///
/// # Safety
///
/// `far` is from [`create`] with this budget, and nobody uses it.
pub(crate) unsafe fn destroy(far: NonNull<Far>, budget: &Budget) -> Option<NonNull<Far>> {
    // SAFETY: initialised by `create`.
    let Far { older, bytes } = unsafe { far.read() };
    let layout = layout(bytes).expect("it was allocated with it");
    // SAFETY: allocated with this layout.
    unsafe { budget.free(far.cast(), layout) };
    older
}

/// Frees a list.
///
/// # Safety
///
/// As for [`destroy`], for every block of the list.
pub(crate) unsafe fn destroy_all(list: Option<NonNull<Far>>, budget: &Budget) {
    let mut next = list;
    while let Some(far) = next {
        // SAFETY: one of the list.
        next = unsafe { destroy(far, budget) };
    }
}

fn layout(bytes: usize) -> Option<Layout> {
    let size = bytes.checked_add(size_of::<Far>())?;
    Layout::from_size_align(size, align_of::<Far>()).ok()
}

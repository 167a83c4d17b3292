//! Pages: from a symbol's number to its record.
//!
//! Numbers begin at 1, and a number is its own index: the first place of the first page stays empty.

use core::alloc::Layout;
use core::ptr::NonNull;

use thrifty_sync::atomic::AtomicU32;

use super::budget::Budget;
use super::geometry::Geometry;
use crate::InternError;

/// Allocates a page of numbers that have no record yet.
pub(crate) fn create<G: Geometry>(budget: &Budget) -> Result<NonNull<AtomicU32>, InternError> {
    // Or the first page would have no number, and not be there when the second one is.
    const { assert!(G::PAGE_BITS > 0) };
    let page = budget.allocate(layout::<G>())?.cast::<AtomicU32>();
    // Zeroed memory is such a page, except to loom.
    #[cfg(thrifty_loom)]
    for index in 0..G::PAGE as usize {
        // SAFETY: within the block.
        let place = unsafe { page.add(index) };
        // SAFETY: valid for writes, just allocated.
        unsafe { place.write(AtomicU32::new(0)) };
    }
    Ok(page)
}

/// Frees a page.
///
/// # Safety
///
/// It is from [`create`] with this budget, and nobody uses it.
pub(crate) unsafe fn destroy<G: Geometry>(page: NonNull<AtomicU32>, budget: &Budget) {
    // SAFETY: allocated with this layout, and nobody's any more, says the caller.
    unsafe { budget.free(page.cast(), layout::<G>()) };
}

/// A number's place in its page.
///
/// # Safety
///
/// `page` is the page of `number`, and is not freed while the result is used.
#[inline]
pub(crate) unsafe fn place<'a, G: Geometry>(
    page: NonNull<AtomicU32>,
    number: u32,
) -> &'a AtomicU32 {
    // SAFETY: a page has `PAGE` places.
    let place = unsafe { page.add((number & (G::PAGE - 1)) as usize) };
    // SAFETY: initialised; shared, an atomic; alive, says the caller.
    unsafe { place.as_ref() }
}

fn layout<G: Geometry>() -> Layout {
    Layout::array::<AtomicU32>(G::PAGE as usize).expect("a page is a few kilobytes")
}

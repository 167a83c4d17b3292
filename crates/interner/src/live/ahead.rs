//! Asking for memory ahead: what a search will read, while another one waits for its own.

use core::ptr::NonNull;

use thrifty_sync::{atomic::AtomicU64, ord};

use super::body::Body;
use super::geometry::Geometry;
use super::query::Query;
use super::slot::{self, GROUP};
use super::table::TableRef;

impl<G: Geometry> Body<G> {
    /// Asks for the slots where a string's search begins.
    #[inline]
    pub(crate) fn ask_for_slots(&self, query: &Query<'_>) {
        if let Some(group) = self.first_group(query) {
            ask_for(group);
        }
    }

    /// Asks for the record that a string's search will compare first, if its slots have arrived.
    #[inline]
    pub(crate) fn ask_for_record(&self, query: &Query<'_>) {
        let Some(group) = self.first_group(query) else {
            return;
        };
        // SAFETY: a group of a table that stays, by invariant 3 of the tables; shared, atomics.
        let slots = unsafe { group.as_ref() };
        // ORDERING(interner.ahead_slot): Relaxed; what is found is asked for and not read.
        let contents =
            core::array::from_fn(|index| slots[index].load(ord!(interner.ahead_slot, Relaxed)));
        let Ok(record @ 1..) = u32::try_from(slot::pick(contents, query.tag())) else {
            return;
        };
        if let Some(chunk) = NonNull::new(self.chunks.get(slot::chunk_of(record))) {
            // A pointer that is never read needs to lead nowhere: `wrapping_add` says so.
            let begin = chunk.as_ptr().cast::<u8>();
            ask_for_raw(begin.wrapping_add(slot::offset_of(record)));
        }
    }

    #[inline]
    fn first_group(&self, query: &Query<'_>) -> Option<NonNull<[AtomicU64; GROUP]>> {
        // ORDERING(interner.ahead): Acquire; pairs with interner.publish: the header is seen whole. [loom-blind: a
        // header's fields are no atomics and no cells, covered by the tests under ThreadSanitizer]
        let seen = self.table(query).load(ord!(interner.ahead, Acquire));
        // SAFETY: null or the shard's table, which stays until the interner is dropped or borrowed exclusively.
        let table = unsafe { TableRef::<G>::from_ptr(seen) }?;
        let group = slot::home(query.tag(), table.groups());
        // SAFETY: `home` is below the number of groups.
        Some(NonNull::from(unsafe { table.group(group) }))
    }
}

#[inline]
fn ask_for<T>(at: NonNull<T>) {
    ask_for_raw(at.as_ptr().cast::<u8>());
}

/// Asks for a cache line, where there is a stable way to.
#[inline]
fn ask_for_raw(at: *const u8) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a hint, which reads nothing and faults at no address.
    unsafe {
        core::arch::x86_64::_mm_prefetch::<{ core::arch::x86_64::_MM_HINT_T0 }>(at.cast::<i8>());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = at;
}

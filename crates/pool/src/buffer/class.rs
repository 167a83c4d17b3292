//! A class: an engine of blocks, with its slots; taking a block from it and giving one back.

use core::ptr::NonNull;

use thrifty_magazine::{Config, Engine, Shared};
use thrifty_sync::clock::Instant;
use thrifty_traits::{AllocError, Pressure, Reclaimed};

use super::{
    block::{Block, Fresh, Route},
    error::BufError,
    rules::Wipe,
    supplier::{Blocks, create},
};

/// A handle to a class that closes its slots when the pool goes.
pub(crate) struct Class(Engine<Blocks>);

impl Class {
    /// Makes an engine. The configuration has been validated.
    pub(crate) fn new(blocks: Blocks, config: Config) -> Result<Self, AllocError> {
        match Engine::try_new(blocks, config) {
            Ok(engine) => Ok(Self(engine)),
            Err(rejected) => Err(rejected.error),
        }
    }

    pub(crate) fn engine(&self) -> &Engine<Blocks> {
        &self.0
    }

    /// A block of this class from this thread's cache.
    #[inline]
    pub(crate) fn take_hit(&self) -> Option<Block> {
        let round = self.0.take_hit()?;
        // SAFETY: rounds of this engine are blocks, and this one comes with its lease.
        Some(unsafe { Block::from_round(round) })
    }

    /// Gives idle blocks back; see [`Pressure`].
    pub(crate) fn reclaim(&self, pressure: Pressure) -> Reclaimed {
        empty_slots(&self.0, pressure == Pressure::Low) + self.0.reclaim(pressure)
    }

    /// Ends a decay interval, of the slots and of the depot, if it is over at `now`.
    pub(crate) fn tick(&self, now: Instant) -> Reclaimed {
        let slots = self.0.supplier().slots.as_ref();
        let freed = if slots.is_some_and(|slots| slots.is_over(now, self.0.config())) {
            empty_slots(&self.0, true)
        } else {
            Reclaimed::new()
        };
        freed + self.0.tick(now)
    }

    /// Frees what is idle, and from now on everything that comes back.
    pub(crate) fn close(&self) {
        self.0.close();
        if let Some(slots) = &self.0.supplier().slots {
            // SAFETY: the slots hold blocks of this engine with their leases, and hand them over.
            slots.close(|round| unsafe { free(self.0.shared(), round) });
        }
    }
}

/// The last handle to the pool has gone. A block that stayed in a slot would hold a lease on the
/// engine that owns the slot, and neither would ever go.
impl Drop for Class {
    fn drop(&mut self) {
        self.close();
    }
}

/// Frees what is in the slots: all of it, or what was there at the last call for the old.
fn empty_slots(engine: &Engine<Blocks>, only_old: bool) -> Reclaimed {
    let Some(slots) = &engine.supplier().slots else {
        return Reclaimed::new();
    };
    let mut freed = 0;
    let each = |round| {
        // SAFETY: the slots hold blocks of this engine with their leases, and hand them over.
        unsafe { free(engine.shared(), round) };
        freed += 1;
    };
    if only_old {
        slots.age(each);
    } else {
        slots.steal(each);
    }
    let bytes = freed * engine.supplier().block_bytes;
    Reclaimed::new().with_items(freed).with_bytes(bytes)
}

/// Frees a block that was in a slot of this engine.
///
/// # Safety
///
/// It was, with its lease, and is handed over. Afterwards the engine may be gone, unless the caller
/// has a handle or another lease.
unsafe fn free(engine: NonNull<Shared<Blocks>>, round: NonNull<()>) {
    // SAFETY: a block with its lease, by the caller.
    unsafe { Block::from_round(round) }.free();
    // SAFETY: the lease of this block.
    unsafe { Shared::retire(engine, 1) };
}

/// A block from this thread's slot, from the depot, or a new one.
#[cold]
pub(crate) fn take_slow(engine: &Engine<Blocks>, fresh: Fresh) -> Result<Block, BufError> {
    let blocks = engine.supplier();
    if let Some(slots) = &blocks.slots {
        // SAFETY: the slots hold blocks of this engine with their leases, and hand them over.
        let free = |left| unsafe { free(engine.shared(), left) };
        let (taken, is_time) = slots.take(engine.config(), free);
        if is_time {
            empty_slots(engine, true);
        }
        if let Some(round) = taken {
            // SAFETY: slots hold blocks with their leases, and this one was handed over.
            return Ok(unsafe { Block::from_round(round) });
        }
    }
    if let Some(round) = engine.take_cold() {
        // SAFETY: rounds of this engine are blocks, and this one comes with its lease.
        return Ok(unsafe { Block::from_round(round) });
    }
    create(engine, blocks.rules.capacity_of(blocks.class), fresh)
}

/// Gives a block back to where it came from, or frees it.
#[inline]
pub(crate) fn give_back(mut block: Block) {
    block.settle();
    if block.route() != Route::Plain {
        return give_back_slow(block);
    }
    let shared = block.shared();
    let round = block.into_round();
    // SAFETY: valid: the block has a lease on this engine.
    let engine = unsafe { shared.as_ref() };
    // SAFETY: the block belongs to this engine, has a lease and is handed over where this is true.
    if !unsafe { engine.put_hit(round) } {
        // SAFETY: as above; nothing here uses the engine afterwards.
        unsafe { Shared::put_cold(shared, round) };
    }
}

/// The way back past the wipe and through the slots, or out.
#[cold]
fn give_back_slow(mut block: Block) {
    let shared = block.shared();
    let policy = block.supplier().rules.wipe;
    if policy != Wipe::Never {
        block.wipe(policy == Wipe::OnPutVolatile);
    }
    if block.route() == Route::Unpooled {
        // SAFETY: valid: the block has a lease on this engine until it is retired below.
        let engine = unsafe { shared.as_ref() };
        engine.supplier().uncount_unpooled(block.size());
        block.free();
        // SAFETY: the block had a lease, and is gone; nothing here uses the engine afterwards.
        return unsafe { Shared::retire(shared, 1) };
    }
    // SAFETY: valid: the block has a lease on this engine, until somebody has it.
    let engine = unsafe { shared.as_ref() };
    let round = block.into_round();
    let slots = engine.supplier().slots.as_ref();
    if slots.is_some_and(|slots| slots.put(round)) {
        return;
    }
    // SAFETY: the block belongs to this engine, has a lease and is handed over where this is true.
    if unsafe { engine.put_hit(round) } {
        return;
    }
    // SAFETY: as above; nothing here uses the engine afterwards.
    unsafe { Shared::put_cold(shared, round) };
}

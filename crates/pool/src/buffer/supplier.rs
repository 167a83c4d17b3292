//! What the engine of one class knows: its blocks, the pool's rules, the next class.

use core::ptr::NonNull;

use thrifty_magazine::{Engine, Refused, Shared, Supplier, WeakEngine};
use thrifty_sync::{atomic::AtomicUsize, ord};
use thrifty_traits::{AllocError, AllocErrorKind};

use super::{
    block::{Block, Fresh, Route},
    error::BufError,
    rules::{Rules, Wipe},
    slots::Slots,
};

/// One class of a pool, or behind the last one what is larger than all.
///
/// Classes form a chain of weak handles, from each to the next larger one, so that a buffer can
/// grow without knowing its pool, and without keeping it open.
pub(crate) struct Blocks {
    pub(crate) rules: Rules,
    /// This class; the number of classes for what is larger.
    pub(crate) class: usize,
    /// The size of a block of this class; 0 for what is larger.
    pub(crate) block_bytes: usize,
    /// Idle blocks of single threads, where the engine has no caches.
    pub(crate) slots: Option<Slots>,
    next: Option<WeakEngine<Self>>,
    /// The sizes of the unpooled blocks that have a lease here.
    unpooled_bytes: AtomicUsize,
}

impl Blocks {
    pub(crate) fn new(
        rules: Rules,
        class: usize,
        block_bytes: usize,
        slots: Option<Slots>,
        next: Option<WeakEngine<Self>>,
    ) -> Self {
        Self {
            rules,
            class,
            block_bytes,
            slots,
            next,
            unpooled_bytes: AtomicUsize::new(0),
        }
    }

    /// Whether this is not a class, but what is larger than all classes.
    pub(crate) fn is_oversize(&self) -> bool {
        self.class >= self.rules.classes.count()
    }

    /// A handle to a larger class, if the pool is still there.
    pub(crate) fn larger(&self, class: usize) -> Option<Engine<Self>> {
        let mut engine = self.next.as_ref()?.upgrade()?;
        while engine.supplier().class < class {
            let next = engine.supplier().next.as_ref()?.upgrade()?;
            engine = next;
        }
        Some(engine)
    }

    /// The bytes of the unpooled blocks that are out.
    pub(crate) fn unpooled_bytes(&self) -> usize {
        // ORDERING(pool.unpooled): Relaxed; a figure that publishes nothing.
        self.unpooled_bytes.load(ord!(pool.unpooled, Relaxed))
    }

    pub(crate) fn count_unpooled(&self, bytes: usize) {
        self.unpooled_bytes
            .fetch_add(bytes, ord!(pool.unpooled, Relaxed));
    }

    pub(crate) fn uncount_unpooled(&self, bytes: usize) {
        self.unpooled_bytes
            .fetch_sub(bytes, ord!(pool.unpooled, Relaxed));
    }

    /// Where a block of this class goes when it comes back.
    fn route(&self) -> Route {
        if self.is_oversize() {
            Route::Unpooled
        } else if self.slots.is_some() || self.rules.wipe != Wipe::Never {
            Route::Detour
        } else {
            Route::Plain
        }
    }
}

/// Makes a block with its lease.
pub(crate) fn create(
    shared: &Shared<Blocks>,
    capacity: usize,
    fresh: Fresh,
) -> Result<Block, BufError> {
    let permit = shared.permit().map_err(|refused| match refused {
        Refused::Closed => BufError::Closed,
        // There is no limit; but if the engine has a reason, it is one of this kind.
        _ => {
            let align = shared.supplier().rules.align;
            AllocError::new(AllocErrorKind::Limit, capacity, align).into()
        }
    })?;
    let supplier = shared.supplier();
    // With a wipe policy all blocks begin as zeros: what must be wiped is then what was written,
    // and not also what the allocator left there.
    let fresh = match supplier.rules.wipe {
        Wipe::Never => fresh,
        Wipe::OnPut | Wipe::OnPutVolatile => Fresh::Zeroed,
    };
    let (align, route) = (supplier.rules.align, supplier.route());
    // SAFETY: the permit is kept below, which is the lease; where there is no block, it is dropped.
    let block = unsafe { Block::allocate(NonNull::from(shared), capacity, align, route, fresh) }?;
    permit.keep();
    if route == Route::Unpooled {
        supplier.count_unpooled(block.size());
    }
    Ok(block)
}

// SAFETY: rounds are blocks, `Block::into_round`. A block is plain bytes behind a header of
// numbers and a pointer to the engine, which is as shared as its `Sync` supplier; it is allocated
// from the global allocator, so any thread may free it.
unsafe impl Supplier for Blocks {
    unsafe fn destroy(&self, rounds: &[NonNull<()>]) {
        for &round in rounds {
            // SAFETY: the round was put by `give_back`, which got it from `into_round`, and is
            // handed over by the caller. It is not used but to be freed, so the lease, which the
            // engine may have given back already, is not needed.
            unsafe { Block::from_round(round) }.free();
        }
    }

    unsafe fn weigh(&self, rounds: &[NonNull<()>]) -> usize {
        rounds.len() * self.block_bytes
    }
}

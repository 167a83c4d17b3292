//! `plurality`: makes its values anew, so it stands beside the allocators and gives out blocks. Its
//! pool is not `Sync`; the worker has its own, in the row of one thread only.

use core::mem::MaybeUninit;

use crate::pool::keep::{Held, ROOM};

/// The pool of one worker.
pub(in crate::pool) struct Plural(plurality::Pool<PluralBlock>);

/// A block whose first bytes are a number.
pub(in crate::pool) struct PluralBlock {
    number: u64,
    _rest: MaybeUninit<[u8; ROOM - 8]>,
}

impl Plural {
    pub(in crate::pool) fn new() -> Self {
        Self(plurality::Pool::new())
    }

    #[inline]
    pub(in crate::pool) fn get(&self) -> plurality::Box<PluralBlock> {
        self.0.alloc_box_with(|| PluralBlock {
            number: 0,
            _rest: MaybeUninit::uninit(),
        })
    }
}

impl Held for PluralBlock {
    #[inline]
    fn mark(&mut self, number: u64) {
        self.number = number;
    }

    #[inline]
    fn marked(&self) -> u64 {
        self.number
    }
}

//! What all handles to a pool share: the rules, the classes, the name.
//!
//! It is the supplier of an engine that never has a round. An `Arc` would do, but its constructor
//! ends the process when there is no memory; an engine's says so, and the counting of its handles
//! is model-checked.

use core::ptr::NonNull;
use std::borrow::Cow;

use thrifty_magazine::Supplier;

use super::{
    block::{Block, Fresh},
    class::{Class, take_slow},
    error::BufError,
    rules::Rules,
    supplier::create,
};

pub(crate) struct Root {
    pub(crate) rules: Rules,
    /// One per class, and one behind for what is larger than all.
    pub(crate) classes: Vec<Class>,
    pub(crate) name: Cow<'static, str>,
}

impl Root {
    pub(crate) fn new(rules: Rules, classes: Vec<Class>, name: Cow<'static, str>) -> Self {
        debug_assert_eq!(classes.len(), rules.classes.count() + 1);
        Self {
            rules,
            classes,
            name,
        }
    }

    /// A block for so many bytes from this thread's cache.
    ///
    /// The answer is one word, in a register: as a `Result` it would go through memory.
    #[inline]
    pub(crate) fn take_hit(&self, min_capacity: usize) -> Option<Block> {
        // Behind the classes comes what is larger, whose engine has no cache to find anything in.
        let class = self.classes.get(self.rules.class_for(min_capacity))?;
        class.take_hit()
    }

    /// A block for so many bytes from anywhere.
    #[cold]
    #[inline(never)]
    pub(crate) fn take_slow(&self, min_capacity: usize, fresh: Fresh) -> Result<Block, BufError> {
        let class = self.rules.class_for(min_capacity);
        if let Some(class) = self.pooled().get(class) {
            return take_slow(class.engine(), fresh);
        }
        self.rules.check_oversize(min_capacity)?;
        create(self.oversize().engine(), min_capacity, fresh)
    }

    /// The classes that keep buffers.
    pub(crate) fn pooled(&self) -> &[Class] {
        &self.classes[..self.classes.len() - 1]
    }

    /// What is larger than all classes.
    pub(crate) fn oversize(&self) -> &Class {
        &self.classes[self.classes.len() - 1]
    }
}

// SAFETY: there never is a round.
unsafe impl Supplier for Root {
    unsafe fn destroy(&self, rounds: &[NonNull<()>]) {
        debug_assert!(rounds.is_empty());
    }

    unsafe fn weigh(&self, rounds: &[NonNull<()>]) -> usize {
        debug_assert!(rounds.is_empty());
        0
    }
}

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
    class::Class,
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

    /// A block for so many bytes.
    #[inline]
    pub(crate) fn take(&self, min_capacity: usize, fresh: Fresh) -> Result<Block, BufError> {
        let class = self.rules.class_for(min_capacity);
        match self.pooled().get(class) {
            Some(class) => class.take(fresh),
            None => self.take_oversize_slow(min_capacity, fresh),
        }
    }

    #[cold]
    fn take_oversize_slow(&self, capacity: usize, fresh: Fresh) -> Result<Block, BufError> {
        self.rules.check_oversize(capacity)?;
        create(self.oversize().engine(), capacity, fresh)
    }

    /// The classes that keep buffers.
    #[inline]
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
